// GFLOP/s of the matrix kernels and nanoseconds a number of the elementary ones: WebAssembly scalar, WebAssembly SIMD and native, taken in turns in one run so that a busy
// machine slows all of them alike; medians and their ratios.
//
//   node tests/bench/kernels.mjs scalar.wasm simd.wasm native-program
//
// all three from tests/bench/kernels_bench.c, src/kernels/*.c and src/linear_blocks.c with -O3 -ffp-contract=off -Isrc: the modules by emcc with
// --no-entry -sSTANDALONE_WASM -sINITIAL_MEMORY=67108864, the second with -msimd128; the program by clang with -march=native.
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";

const ROUNDS = 5;
const SIZES = [512, 1024];
// products are counted as done: gram, f32gram and update (by a rank of 64) compute the upper triangle; product32 is matmul in single precision, with both its operands' rows along k; solve is L⁻¹, then L⁻ᵀ of n columns;
// distance takes a difference, its size and a sum a number
const OPERATIONS = {
  matmul: (/** @type {number} */ n) => 2 * n ** 3,
  gram: (/** @type {number} */ n) => n ** 2 * (n + 1),
  f32gram: (/** @type {number} */ n) => n ** 2 * (n + 1),
  product32: (/** @type {number} */ n) => 2 * n ** 3,
  update: (/** @type {number} */ n) => 64 * n * (n + 1),
  solve: (/** @type {number} */ n) => 2 * n ** 3,
  distance: (/** @type {number} */ n) => (3 / 2) * n ** 2 * (n - 1),
};

// nanoseconds a number, n² of them in -3 to 3
const ELEMENTARY = ["exp", "tanh", "logistic"];

/** @typedef {(operation: string, n: number) => number} Timer processor seconds of one run */

/**
 * @param {string} path
 * @param {"scalar" | "vector" | "c library"} variant
 * @returns {Promise<Timer>}
 */
async function wasmTimer(path, variant) {
  const module = await WebAssembly.compile(await readFile(path));
  return (operation, n) => {
    const instance = new WebAssembly.Instance(module, imports(module));
    const { bench_prepare: prepare, bench_run: run } = /** @type {Record<string, Function>} */ (instance.exports);
    const words = [prepare(n), operation.charCodeAt(0), variant.charCodeAt(0)];
    if (!words[0] || !run(...words)) throw new Error(`${path} cannot run ${operation} ${variant} at ${n}`);
    const start = process.cpuUsage();
    run(...words);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
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
 * @param {"scalar" | "vector" | "c library"} variant
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

/** Medians of ROUNDS, all timers in turns. @param {Record<string, Timer>} timers @param {string} operation @param {number} n */
function seconds(timers, operation, n) {
  /** @type {Record<string, number[]>} */
  const all = Object.fromEntries(Object.keys(timers).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, timer] of Object.entries(timers)) all[name].push(timer(operation, n));
  return Object.fromEntries(Object.entries(all).map(([name, values]) => [name, median(values)]));
}

console.log(`GFLOP/s, medians of ${ROUNDS}`);
for (const [operation, flops] of Object.entries(OPERATIONS))
  for (const n of SIZES) {
    const rate = Object.fromEntries(Object.entries(seconds(timers, operation, n)).map(([name, time]) => [name, flops(n) / time / 1e9]));
    const rates = Object.entries(rate).map(([name, value]) => `${name} ${value.toFixed(2)}`);
    const ratios = `simd/scalar ${(rate["wasm simd"] / rate["wasm scalar"]).toFixed(2)}  ` +
      `simd/native ${(rate["wasm simd"] / rate.native).toFixed(2)}`;
    console.log([`${operation} ${n}`.padEnd(12), ...rates, ratios].join("  "));
  }

/** @type {Record<string, Timer>} */
const withLibrary = { "wasm libm": await wasmTimer(simd, "c library"), ...timers, "native libm": nativeTimer(native, "c library") };
console.log(`ns a number, medians of ${ROUNDS}`);
for (const operation of ELEMENTARY) {
  const times = Object.entries(seconds(withLibrary, operation, 1024)).map(([name, time]) => [name, time / 1024 ** 2 * 1e9]);
  const each = Object.fromEntries(times);
  console.log([operation.padEnd(12), ...times.map(([name, time]) => `${name} ${Number(time).toFixed(2)}`),
    `libm/simd ${(each["wasm libm"] / each["wasm simd"]).toFixed(2)}`].join("  "));
}
