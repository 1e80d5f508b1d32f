#!/bin/sh
# Installs the Debian packages that a step needs and this machine lacks: tools.sh GROUP..., GROUP one of cjson, stb, wasm,
# native, test, fuzz, train, numpy, peers, format, lint. Says what to install where apt is absent. Prints nothing when nothing is missing.
set -eu

# A parallel make asks for several groups at once; apt serves one at a time.
if command -v flock >/dev/null 2>&1; then
  exec 9<"$0"
  flock 9
fi

missing=""
lacks() { missing="$missing $1"; }
command_or() { command -v "$1" >/dev/null 2>&1 || lacks "$2"; }
header_or() { printf '#include <%s>\n' "$1" | cc -E - >/dev/null 2>&1 || lacks "$2"; }

for group in "$@"; do
  case $group in
  cjson) command_or dpkg-source dpkg-dev ;;
  stb) [ -f "${STB_DIR:-/usr/include/stb}/stb_image.h" ] || lacks libstb-dev ;;
  wasm) command_or emcc emscripten ;;
  native)
    command_or clang clang
    header_or simde/wasm/simd128.h libsimde-dev
    ;;
  test)
    printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <cmocka.h>\n' |
      cc -E - >/dev/null 2>&1 || lacks libcmocka-dev
    # The smaller package where Debian has it: it starts quicker, and is a fifth quicker in the tests.
    if ! command -v "${CHROMIUM:-chromium-headless-shell}" >/dev/null 2>&1 && ! command -v chromium >/dev/null 2>&1; then
      if apt-cache show chromium-headless-shell >/dev/null 2>&1; then lacks chromium-headless-shell; else lacks chromium; fi
    fi
    command_or "${FIREFOX:-firefox-esr}" firefox-esr
    ;;
  fuzz)
    command_or clang clang
    clang -print-file-name=libclang_rt.fuzzer-x86_64.a 2>/dev/null | grep -q / ||
      clang -print-file-name=libclang_rt.fuzzer.a 2>/dev/null | grep -q / || lacks libclang-rt-dev
    ;;
  train)
    "${PYTHON:-/usr/bin/python3}" -c 'import numpy' 2>/dev/null || lacks python3-numpy
    "${PYTHON:-/usr/bin/python3}" -c 'import torch' 2>/dev/null || lacks python3-torch
    ;;
  numpy)
    "${PYTHON:-/usr/bin/python3}" -c 'import numpy, scipy' 2>/dev/null || lacks "python3-numpy python3-scipy"
    ldconfig -p 2>/dev/null | grep -q libopenblas || lacks libopenblas0-pthread
    ;;
  peers)
    "${PYTHON:-/usr/bin/python3}" -c 'import numpy' 2>/dev/null || lacks python3-numpy
    "${PYTHON:-/usr/bin/python3}" -c 'import torch' 2>/dev/null || lacks python3-torch
    "${PYTHON:-/usr/bin/python3}" -c 'import onnx' 2>/dev/null || lacks python3-onnx
    ;;
  format) command_or clang-format clang-format ;;
  lint)
    command_or clang-tidy clang-tidy
    command_or cppcheck cppcheck
    ;;
  *)
    echo "tools.sh: no group '$group'" >&2
    exit 2
    ;;
  esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing here:$missing (names of Debian's packages). Install them with your system's package manager, then run this again." >&2
  exit 1
fi
if [ "$(id -u)" = 0 ]; then
  root=""
elif command -v sudo >/dev/null 2>&1; then
  root="sudo"
else
  echo "Missing here:$missing. As root, run: apt-get install$missing" >&2
  exit 1
fi

# A mirror may be busy: one more try each.
twice() { "$@" || { sleep 5 && "$@"; }; }
echo "Installing$missing"
twice $root env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086 # a list of names
twice $root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
