// Includes run one way: a file of src/ includes files of its own module and of those further left in DESIGN's picture.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";

// Left to right. Modules of one row do not know each other. A module owns the files that carry its name: onnx_node.c is onnx's.
const ROWS = [
  ["kernels", "status", "random", "equivalence", "types", "store", "crossing"],
  ["arena", "rows"],
  ["decimal"],
  ["wire", "function", "image"],
  ["graph"],
  ["names"],
  ["onnx"],
  ["tensor", "json"], // tensor decodes payloads the way onnx stores them
  ["reason"],
  ["network", "shape"],
  ["site", "channels"],
  ["measure", "forward", "gram", "linear"],
  ["chain"],
  ["ode", "sample"],
  ["partition", "project"],
  ["lumping", "newton"],
  ["refit", "quotient", "narrow", "sensitivity", "prune", "certify", "deviation"],
  ["polish", "patch"],
  ["report"],
  ["netlump"],
  ["run", "converter"],
  ["compress"],
];
const rowOf = new Map(ROWS.flatMap((row, index) => row.map((name) => [name, index])));

/** @param {string} path within src/ */
const moduleOf = (path) => (path.startsWith("kernels/") ? "kernels" : path.replace(/\.[ch]$/, "").replace(/_.*/, ""));

/** @returns {Promise<{file: string, includes: string[]}[]>} quoted includes, relative to src/ */
async function sources() {
  const files = (await readdir("src", { recursive: true })).filter((name) => /\.[ch]$/.test(name));
  return Promise.all(files.map(async (file) => {
    const text = await readFile(`src/${file}`, "utf8");
    const folder = file.includes("/") ? file.replace(/[^/]*$/, "") : "";
    const names = [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, name]) => name);
    return { file, includes: names.map((name) => (files.includes(folder + name) ? folder + name : name)) };
  }));
}

test("every file of src belongs to a module with a place in the order", async () => {
  const strangers = (await sources()).map(({ file }) => file).filter((file) => !rowOf.has(moduleOf(file)));
  assert.deepEqual(strangers, [], "give them a row in tests/includes.test.js");
});

test("no module of src includes one that stands beside it or further right", async () => {
  const backward = [];
  for (const { file, includes } of await sources())
    for (const name of includes) {
      const [from, to] = [moduleOf(file), moduleOf(name)];
      if (from !== to && !(/** @type {number} */ (rowOf.get(to)) < /** @type {number} */ (rowOf.get(from)))) backward.push(`${file} includes ${name}`);
    }
  assert.deepEqual(backward, []);
});

test("kernels include nothing of ours but kernels", async () => {
  const kernels = (await sources()).filter(({ file }) => file.startsWith("kernels/"));
  assert.ok(kernels.length > 0);
  assert.deepEqual(kernels.flatMap(({ includes }) => includes.filter((name) => !name.startsWith("kernels/"))), []);
});

test("src reads no files, prints nothing, never exits", async () => {
  const files = (await readdir("src", { recursive: true })).filter((name) => /\.[ch]$/.test(name));
  const talkers = [];
  for (const file of files) if (/#include <(stdio|unistd)\.h>|\b(exit|abort)\(/.test(await readFile(`src/${file}`, "utf8"))) talkers.push(file);
  assert.deepEqual(talkers, []);
});

test("the boundary includes the public header alone, in one place, and its scripts import nothing of the page", async () => {
  const names = await readdir("wasm");
  for (const name of names.filter((file) => /\.[ch]$/.test(file))) {
    const text = await readFile(`wasm/${name}`, "utf8");
    const wanted = name === "memory.c" ? [] : [name.endsWith(".h") ? "netlump.h" : "boundary.h"]; // which stands in for the C library's
    assert.deepEqual([...text.matchAll(/^#include "([^"]+)"/gm)].map(([, header]) => header), wanted, name);
  }
  for (const name of names.filter((file) => /\.m?js$/.test(file)))
    assert.doesNotMatch(await readFile(`wasm/${name}`, "utf8"), /from\s+["'][^"']*\/web\//, name);
});
