#!/bin/sh
# Puts Debian's cJSON (cJSON.c, cJSON.h, security patches applied) into a folder: fetch-cjson.sh FOLDER
#
# What is trusted, and why:
# - The upstream tarball is pinned below by sha256. Another tarball is refused, whoever signed it.
# - Debian's patches on top of it change with every security update, so they are not pinned. They count because of a chain:
#   the archive's keys on this machine sign InRelease, its hashes cover Sources, those of Sources cover the .dsc and every file of
#   the package. apt checks it; repositories that it cannot authenticate are refused here whatever the machine allows, but for those
#   that its own list marks as trusted.
# - dpkg-source checks once more that tarball and patches have the sha256 that the .dsc states. It also looks at the maintainer's
#   signature on the .dsc, but does not insist: maintainers' keys are in a package of their own (debian-keyring).
# - The patched files of the versions met so far are listed too; others are taken with a note, so that an update neither breaks
#   the build nor slips in unseen.
#
# apt is asked through a source list derived from the machine's own, with lists and cache in a folder of ours: nothing
# on the machine changes, and no root is needed.
set -eu

tarballs="
5308fd4bd90cef7aa060558514de6a1a4a0819974a26e6ed13973c5f624c24b2 1.7.15
3aa806844a03442c00769b83e99970be70fbef03735ff898f4811dd03b9f5ee5 1.7.18
7fa616e3046edfa7a28a32d5f9eacfd23f92900fe1f8ccd988c1662f30454562 1.7.19
"
patched="
5c5ab83a24eecfebc25b6aa4d47dbdb5f23d1baec92de75fec5f0528dbe255a7 1.7.15-1+deb12u4 cJSON.c
c25b54ebc98e814eb7b3eeaf12ce899806f87ff5a275b20a3b77dbb3968e5d0b 1.7.15-1+deb12u4 cJSON.h
21f8074f6527bf971d2b6217eca5900e215be4b479e63422c68c83bc8b06b038 1.7.18-3.1+deb13u1 cJSON.c
0578cc29132912edbc88f83207a8fc76e5db3db0605497e909a9384ef3cc474b 1.7.18-3.1+deb13u1 cJSON.h
298581a04a36c0165da4b0aade235c23088cb2faa58651d720ea2f3706ed0b0d 1.7.19-2 cJSON.c
25b0145150d500498e4d209cec69c18c42cf818bffcc54690be3b895a2a16dee 1.7.19-2 cJSON.h
"

fail() {
  echo "cJSON: $1" >&2
  echo "Or point CJSON_DIR at a folder with cJSON.c and cJSON.h (1.7.15 or newer), for instance from a release of cJSON." >&2
  exit 1
}
# knows LIST FILE: is the file's sha256 in the list?
knows() { printf '%s' "$1" | grep -q "^$(sha256sum <"$2" | cut -d' ' -f1) "; }

out=$1
command -v apt-get >/dev/null 2>&1 || fail "no apt here to get the source from."
mkdir -p "$out"
work=$(mktemp -d "$out/apt.XXXXXX")
trap 'rm -rf "$work"' EXIT
work=$(cd "$work" && pwd)
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/source"

# Binary sources become source ones; everything else of a stanza or line (Signed-By, Enabled: no, options) stays.
etc=$(apt-config shell etc Dir::Etc/d | sed "s/^etc='\(.*\)'$/\1/")
for list in "$etc"/sources.list "$etc"/sources.list.d/*.list; do
  [ -f "$list" ] || continue
  sed -n 's/^[[:space:]]*deb\([[:space:]]\)/deb-src\1/p' "$list" >>"$work/parts/machine.list"
done
for list in "$etc"/sources.list.d/*.sources; do
  [ -f "$list" ] || continue
  sed 's/^[Tt]ypes:.*/Types: deb-src/' "$list" >"$work/parts/$(basename "$list")"
done

apt() {
  tool=$1
  shift
  "$tool" -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/parts" -o Dir::State::lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User= -o APT::Get::List-Cleanup=0 \
    -o Acquire::AllowInsecureRepositories=false -o APT::Get::AllowUnauthenticated=false "$@"
}
# Some third-party entry may have no sources; what counts is whether cjson can be had afterwards.
cd "$work/source"
for try in 1 2; do
  apt apt-get update >"$work/log" 2>&1 || true
  if apt apt-get source --download-only cjson >>"$work/log" 2>&1; then break; fi
  if [ $try = 2 ]; then
    cat "$work/log" >&2
    fail "apt-get source cjson failed."
  fi
  sleep 5
done

tarball=$(ls cjson_*.orig.tar.gz)
knows "$tarballs" "$tarball" || fail "$tarball is not a tarball this project knows (sha256 $(sha256sum <"$tarball" | cut -d' ' -f1))."
dpkg-source --require-strong-checksums -x cjson_*.dsc tree >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "dpkg-source refuses the package."; }
for name in cJSON.c cJSON.h; do
  knows "$patched" "tree/$name" || echo "cJSON: $name of $(basename cjson_*.dsc .dsc) is newer than this script's list; taken on apt's word."
done
cd - >/dev/null
cp "$work/source/tree/cJSON.h" "$out/cJSON.h"
cp "$work/source/tree/cJSON.c" "$out/cJSON.c" # last: its presence says that all is there
