// How cost grows: processor seconds of the engine's calls and WebAssembly memory after them, against neurons, rows, layers and
// parameters, one at a time; exponents fitted to the upper half of each, beside those of the counts in growth_cost.js. Writes
// growth.svg beside this script and prints the table.
//   node tests/bench/growth.mjs [substring of what is varied: then nothing is written]
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";

import { createEngine } from "../../wasm/engine.js";
import { noise } from "../material.js";
import { chainModel } from "./dense.js";
import { drawGrowth } from "./growth_chart.js";
import { predict, widthsOf } from "./growth_cost.js";

/**
 * @typedef {import("./growth_cost.js").Case} Case
 * @typedef {import("./growth_cost.js").Call} Call
 * @typedef {{size: number, free: boolean, measured: Record<Call, number>, counted: Record<Call, number>}} Point
 * @typedef {{name: string, title: string, fixed: string, limits: Record<Call, string>, points: Point[]}} Study
 */

const RETAIN = 0.3; // of the parameters, in the result
const SHORT = 0.5; // seconds; what takes less is taken three times
const CALLS = /** @type {Call[]} */ (["open", "path", "result", "memory"]);

/** What is varied, how, and the exponents that the counts tend to. */
const STUDIES = [
  {
    name: "neurons",
    title: "neurons a hidden layer",
    fixed: "16 inputs, 2 hidden layers, 4,096 rows",
    sizes: [64, 128, 256, 512, 1024, 2048],
    dataMost: 1024,
    make: (/** @type {number} */ width) => ({ features: 16, width, layers: 2, rows: 4096 }),
    limits: { open: "2", path: "3", result: "3", memory: "2" },
  },
  {
    name: "rows",
    title: "rows",
    fixed: "16 inputs, 2 hidden layers of 128",
    sizes: [1024, 2048, 4096, 8192, 16384, 32768, 65536],
    dataMost: Infinity,
    make: (/** @type {number} */ rows) => ({ features: 16, width: 128, layers: 2, rows }),
    limits: { open: "0", path: "1", result: "1", memory: "1" },
  },
  {
    name: "layers",
    title: "hidden layers",
    fixed: "16 inputs, 128 neurons each, 4,096 rows",
    sizes: [1, 2, 4, 8, 16],
    dataMost: 8,
    make: (/** @type {number} */ layers) => ({ features: 16, width: 128, layers, rows: 4096 }),
    limits: { open: "1", path: "1", result: "2", memory: "1" },
  },
  {
    name: "parameters",
    title: "parameters (by more inputs)",
    fixed: "2 hidden layers of 64, 4,096 rows, 64 to 4,096 inputs",
    sizes: [64, 256, 1024, 2048, 4096],
    dataMost: 4096,
    make: (/** @type {number} */ features) => ({ features, width: 64, layers: 2, rows: 4096 }),
    limits: { open: "1", path: "1", result: "1", memory: "1" },
  },
];

/** Processor seconds. @template T @param {() => T|Promise<T>} work @returns {Promise<[T, number]>} */
async function timed(work) {
  const start = process.cpuUsage();
  const made = await work();
  const { user, system } = process.cpuUsage(start);
  return [made, (user + system) / 1e6];
}

/** @param {Case} one */
function tableOf({ rows, features }) {
  const next = noise(rows);
  return { features: Float64Array.from({ length: rows * features }, () => Math.sqrt(3) * next()), labels: null, rows, labelColumns: 0, source: "drawn" };
}

/** One model from its bytes to a result, in an engine of its own, whose memory has then grown as far as it must.
 * @param {Case} one @param {Uint8Array} bytes @returns {Promise<Record<Call, number>>} */
async function run(one, bytes) {
  const engine = await createEngine({ threads: 1 });
  const data = one.free ? null : /** @type {any} */ (tableOf(one));
  const [model, open] = await timed(() => engine.open(bytes, "dense.onnx"));
  const [path, order] = await timed(() => model.path({ rows: one.rows, data, seed: 1 }));
  const [result, refit] = await timed(() => path.compress({ kind: "retain", value: RETAIN }));
  result.free();
  model.free();
  return { open, path: order, result: refit, memory: engine.memory };
}

const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** @param {number} size @param {Case} one @returns {Promise<Point>} */
async function measure(size, one) {
  const bytes = chainModel(widthsOf(one));
  const runs = [await run(one, bytes)];
  if (runs[0].path + runs[0].result < SHORT) runs.push(await run(one, bytes), await run(one, bytes));
  const of = (/** @type {(call: Call) => number} */ value) => /** @type {Record<Call, number>} */ (Object.fromEntries(CALLS.map((call) => [call, value(call)])));
  const point = { size, free: one.free, measured: of((call) => median(runs.map((each) => each[call]))), counted: of((call) => predict(call, one, RETAIN)) };
  const { open, path, result, memory } = point.measured;
  console.error(`${JSON.stringify(one)}: open ${(1e3 * open).toFixed(1)} ms, path ${path.toFixed(3)} s, result ${result.toFixed(3)} s, ${(memory / 1e6).toFixed(0)} MB, load ${loadavg()[0].toFixed(1)}`);
  return point;
}

/** Slope on logarithmic axes, by least squares. @param {number[]} x @param {number[]} y */
function slope(x, y) {
  const [u, v] = [x, y].map((values) => values.map(Math.log));
  const mean = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0) / list.length;
  const [mu, mv] = [mean(u), mean(v)];
  return u.reduce((total, value, i) => total + (value - mu) * (v[i] - mv), 0) / u.reduce((total, value) => total + (value - mu) ** 2, 0);
}

/** Of the upper half of the sizes. @param {Point[]} points @param {Call} call */
export function exponents(points, call) {
  const upper = points.slice(Math.floor(points.length / 2));
  const sizes = upper.map(({ size }) => size);
  return { fitted: slope(sizes, upper.map(({ measured }) => measured[call])), counted: slope(sizes, upper.map(({ counted }) => counted[call])), from: sizes[0] };
}

const cost = (/** @type {Call} */ call, /** @type {number} */ value) =>
  call === "memory" ? `${(value / 1e6).toFixed(0)} MB` : value < 0.1 ? `${(1e3 * value).toFixed(1)} ms` : `${value.toFixed(1)} s`;

/** @param {Study} study */
function printStudy({ title, fixed, points, limits }) {
  const [free, data] = [true, false].map((which) => points.filter((point) => point.free === which));
  for (const call of CALLS) {
    const { fitted, counted, from } = exponents(free, call);
    const largest = free[free.length - 1];
    const range = `${from.toLocaleString("en")} to ${largest.size.toLocaleString("en")}`;
    const rows = exponents(data, call);
    const cells = [`${title}; ${fixed}`, call, range, cost(call, largest.measured[call]), fitted.toFixed(2), counted.toFixed(2), limits[call], `${rows.fitted.toFixed(2)}, ${rows.counted.toFixed(2)}`];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

const only = process.argv[2] ?? "";
const first = await createEngine({ threads: 1 }); // keeps the compiled code alive for those that follow
for (const width of [64, 300, 300]) {
  const small = { features: 16, width, layers: 2, rows: 2048, free: true };
  await run(small, chainModel(widthsOf(small)));
}
/** @type {Study[]} */
const studies = [];
for (const { name, title, fixed, sizes, dataMost, make, limits } of STUDIES.filter((study) => study.name.includes(only))) {
  /** @type {Point[]} */
  const points = [];
  for (const size of sizes)
    for (const free of [true, false])
      if (free || size <= dataMost) {
        const one = { ...make(size), free };
        points.push(await measure(name === "parameters" ? widthsOf(one).slice(1).reduce((sum, width, l) => sum + width * (widthsOf(one)[l] + 1), 0) : size, one));
      }
  studies.push({ name, title, fixed, limits, points });
}
console.log("| varied; fixed | of | fitted from … to | at the largest | exponent | counted there | in the limit | with rows, counted |\n|---|---|---|---|---|---|---|---|");
studies.forEach(printStudy);
if (!only) writeFileSync(new URL("growth.svg", import.meta.url), drawGrowth(studies, exponents));
if (first.dead) process.exitCode = 1;
