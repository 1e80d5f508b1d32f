// Writes the corpus that fuzzing starts from where nothing else is there: corpus.mjs [FOLDER]. The smallest of the fixtures, those
// with an operator that no smaller one has, a few cases of JSON, pictures, and recipes for graphs. All ONNX targets share onnx/; a case that was found
// is kept beside them as found-*.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";

import { jsonModel, noise } from "../material.js";

const LARGEST = 4096; // bytes of a file
const RECIPES = 24;
const here = fileURLToPath(new URL(".", import.meta.url));
const fixtures = join(here, "../fixtures");
const folder = process.argv[2] ?? join(here, "corpus");

/** The fixtures that are small enough and have something new, small ones first. */
function chosen() {
  const seen = new Set();
  const files = readdirSync(fixtures).filter((name) => name.endsWith(".onnx")).map((name) => ({ name, size: statSync(join(fixtures, name)).size }));
  return files
    .filter(({ size }) => size < LARGEST)
    .sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1))
    .filter(({ name }) => {
      const operators = fromBinary(ModelProtoSchema, readFileSync(join(fixtures, name))).graph?.node.map((node) => node.opType) ?? [];
      const fresh = operators.filter((operator) => !seen.has(operator));
      fresh.forEach((operator) => seen.add(operator));
      return fresh.length > 0;
    })
    .map(({ name }) => name);
}

const models = chosen();
mkdirSync(join(folder, "onnx"), { recursive: true });
for (const name of models) copyFileSync(join(fixtures, name), join(folder, "onnx", name));
mkdirSync(join(folder, "json"), { recursive: true });
for (const name of ["brain_arrays.json", "brain_named.json", "tfjs_graph.json", "tfjs_image.json"])
  if (statSync(join(here, name)).size < LARGEST) copyFileSync(join(here, name), join(folder, "json", name));
writeFileSync(join(folder, "json", "dense.json"), jsonModel([3, 4, 2]));
writeFileSync(join(folder, "json", "deep.json"), "[".repeat(2000));
writeFileSync(join(folder, "json", "unfinished.json"), jsonModel([3, 4, 2]).subarray(0, 60));
mkdirSync(join(folder, "image"), { recursive: true });
execFileSync(process.execPath, [join(here, "image_seeds.mjs"), join(folder, "image")]);
mkdirSync(join(folder, "graph"), { recursive: true });
for (let recipe = 1; recipe <= RECIPES; recipe++) {
  const next = noise(recipe);
  writeFileSync(join(folder, "graph", String(recipe)), Uint8Array.from({ length: 60 }, () => 128 * (next() + 1)));
}
