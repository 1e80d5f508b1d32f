#!/bin/sh
# Runs one fuzz program from real files until it has taken so many processor seconds: fuzz.sh PROGRAM SECONDS. A name that begins with "json" is fed the
# .json files, one that begins with "image" the images of image_seeds.mjs, one that begins with "graph" recipes, others the .onnx files, of tests, samples and the
# material beside the project where it is; all of them the corpus in tests/fuzz/corpus.
set -eu
program=$1
seconds=$2
name=$(basename "$program")
case $name in json*) extension=json ;; image* | graph*) extension=none ;; *) extension=onnx ;; esac
seeds=$program.seeds
mkdir -p "$seeds" "$program.corpus"
# Models go to all who read models.
for folder in "tests/fuzz/corpus/${name%_fuzz}" $(case $extension in onnx) echo tests/fuzz/corpus/onnx ;; esac); do
  [ -d "$folder" ] || continue
  for file in "$folder"/*; do cp -f "$file" "$seeds/$(echo "$file" | tr / _)"; done
done
case $name in image*) node tests/fuzz/image_seeds.mjs "$seeds" ;; esac
for folder in tests/fixtures tests/fuzz web/samples ../shared/material/models ../shared/material/broken; do
  [ -d "$folder" ] || continue
  find "$folder" -name "*.$extension" -size -400k | while read -r file; do cp -f "$file" "$seeds/$(echo "$file" | tr / _)"; done
done
# Processor seconds of what this shell has run so far; not in a subshell, which begins with none.
count_spent() {
  times >"$program.times"
  spent=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, part, "m"); sum += 60 * part[1] + part[2] } print int(sum) }' "$program.times")
}
echo "$name: $seconds processor seconds from $(find "$seeds" -type f | wc -l) files"
count_spent
before=$spent
# libFuzzer counts by the clock, which on a busy machine is less: rounds until the processor's time is up.
while [ "$((spent - before))" -lt "$seconds" ]; do
  "$program" -max_total_time="$((seconds - spent + before))" -timeout=20 -rss_limit_mb=3072 -malloc_limit_mb=2048 -print_final_stats=1 \
    -verbosity=1 -artifact_prefix="$program." "$program.corpus" "$seeds"
  count_spent
done
echo "$name: $((spent - before)) processor seconds"
