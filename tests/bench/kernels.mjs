// GFLOP/s of the matrix kernels: WebAssembly scalar, WebAssembly SIMD and native, taken in turns in one run so that a busy
// machine slows all of them alike; medians and their ratios.
//
//   node tests/bench/kernels.mjs scalar.wasm simd.wasm native-program
//
// all three from tests/bench/kernels_bench.c and src/kernels/*.c with -O3 -ffp-contract=off -Isrc: the modules by emcc with
// --no-entry -sSTANDALONE_WASM -sINITIAL_MEMORY=67108864, the second with -msimd128; the program by clang with -march=native.
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";

const ROUNDS = 5;
const SIZES = [512, 1024];
// products are counted as done: gram computes the upper triangle
const OPERATIONS = {
  matmul: (/** @type {number} */ n) => 2 * n ** 3,
  gram: (/** @type {number} */ n) => n ** 2 * (n + 1),
};

/** @typedef {(operation: string, n: number) => number} Timer seconds of one run */

/**
 * @param {string} path
 * @param {"scalar" | "vector"} variant
 * @returns {Promise<Timer>}
 */
async function wasmTimer(path, variant) {
  const module = await WebAssembly.compile(await readFile(path));
  return (operation, n) => {
    const instance = new WebAssembly.Instance(module, imports(module));
    const { bench_prepare: prepare, bench_run: run } = /** @type {Record<string, Function>} */ (instance.exports);
    const words = [prepare(n), operation.charCodeAt(0), variant.charCodeAt(0)];
    if (!words[0] || !run(...words)) throw new Error(`${path} cannot run ${operation} ${variant} at ${n}`);
    const start = performance.now();
    run(...words);
    return (performance.now() - start) / 1000;
  };
}

/** Whatever libc of this Emscripten asks for; the kernels call none of it. */
function imports(/** @type {WebAssembly.Module} */ module) {
  /** @type {Record<string, Record<string, () => number>>} */
  const stubs = {};
  for (const { module: space, name } of WebAssembly.Module.imports(module)) (stubs[space] ??= {})[name] = () => 0;
  return stubs;
}

/**
 * @param {string} program
 * @param {"scalar" | "vector"} variant
 * @returns {Timer}
 */
const nativeTimer = (program, variant) => (operation, n) =>
  Number(execFileSync(program, [operation, variant, String(n)], { encoding: "utf8" }));

const median = (/** @type {number[]} */ values) => values.toSorted((x, y) => x - y)[values.length >> 1];

const [scalar, simd, native] = process.argv.slice(2);
if (!native) {
  console.error("usage: node tests/bench/kernels.mjs scalar.wasm simd.wasm native-program");
  process.exit(2);
}
/** @type {Record<string, Timer>} */
const timers = {
  "wasm scalar": await wasmTimer(scalar, "scalar"),
  "wasm simd": await wasmTimer(simd, "vector"),
  native: nativeTimer(native, "vector"),
};

console.log(`GFLOP/s, medians of ${ROUNDS}`);
for (const [operation, flops] of Object.entries(OPERATIONS))
  for (const n of SIZES) {
    /** @type {Record<string, number[]>} */
    const seconds = Object.fromEntries(Object.keys(timers).map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, timer] of Object.entries(timers)) seconds[name].push(timer(operation, n));
    const rate = Object.fromEntries(Object.entries(seconds).map(([name, all]) => [name, flops(n) / median(all) / 1e9]));
    const rates = Object.entries(rate).map(([name, value]) => `${name} ${value.toFixed(2)}`);
    const ratios = `simd/scalar ${(rate["wasm simd"] / rate["wasm scalar"]).toFixed(2)}  ` +
      `simd/native ${(rate["wasm simd"] / rate.native).toFixed(2)}`;
    console.log([`${operation} ${n}`.padEnd(12), ...rates, ratios].join("  "));
  }
