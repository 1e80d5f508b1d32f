// What the WebAssembly modules ask of the page: next to nothing. A function that the linker did not find would show here.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const GROWTH = "emscripten_notify_memory_growth";
const STORE = ["netlump_store_keep", "netlump_store_read"]; // of large models

for (const [name, wanted] of /** @type {[string, string[]][]} */ ([
  ["netlump", [GROWTH, ...STORE]],
  ["netlump-scalar", [GROWTH, ...STORE]],
  ["formats", [GROWTH]],
  ["pictures", [GROWTH]],
]))
  test(`${name}.wasm imports what it may, and nothing else`, () => {
    const module = new WebAssembly.Module(readFileSync(new URL(`../build/${name}.wasm`, import.meta.url)));
    assert.deepEqual(WebAssembly.Module.imports(module).map((one) => one.name).sort(), wanted.toSorted()); // prettier-ignore
  });
