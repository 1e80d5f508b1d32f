// What it takes the core to open a model, counted and not timed: by a build of it that calls at each turn of a loop and at each
// function's beginning and end.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { families } from "./many.js";

const GROWTH = 1.15; // of the work a byte where there are four times as many parts; quadratic: towards 4
const MOST = 800; // calls a byte, where it is only a limit on the work that keeps it from growing
const LIMITED = new Set(["deep: concatenated a bit wider each time", "wide: Slices of one value"]);

const core = fileURLToPath(new URL("../../build/netlump.wasm", import.meta.url));

/** Options for a test that counts: skips it, saying why, where the means are absent. */
export const needsCounting = spawnSync("wasm-opt", ["--version"]).status === 0 ? {} : { skip: "binaryen's wasm-opt, which comes with emscripten, is not there" };

/** @type {Promise<WebAssembly.Module>|null} */
let counting = null;

function countingCore() {
  const folder = mkdtempSync(join(tmpdir(), "netlump-"));
  const file = join(folder, "counting.wasm");
  execFileSync("wasm-opt", ["--log-execution", "--enable-simd", "--enable-bulk-memory", core, "-o", file]);
  const bytes = readFileSync(file);
  rmSync(folder, { recursive: true });
  return WebAssembly.compile(bytes);
}

/** What it takes to open and describe a model, or to refuse it, for each byte of it. @param {Uint8Array} file */
async function workOf(file) {
  const module = await (counting ??= countingCore());
  let work = 0;
  /** @type {WebAssembly.Imports} */
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => void (work += 1);
  const made = /** @type {Record<string, any>} */ ((await WebAssembly.instantiate(module, imports)).exports);
  made._initialize();
  const boundary = made.netlump_boundary_create();
  const pointer = made.netlump_alloc(file.length);
  new Uint8Array(made.memory.buffer, pointer, file.length).set(file);
  work = 0;
  const model = made.netlump_model_open(boundary, pointer, file.length);
  if (model !== 0) made.netlump_model_describe(boundary, model);
  return work / file.length;
}

/** Work a byte with n parts and with four times as many. @param {string} name of the family @param {number} n */
export async function growthOf(name, n) {
  const before = await workOf(families[name](n).bytes());
  const then = await workOf(families[name](4 * n).bytes());
  const linear = before > 0 && then <= (LIMITED.has(name) ? MOST : GROWTH * before);
  return { before, then, linear };
}
