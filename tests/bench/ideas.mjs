// Ideas that are not in the core, measured through it: other inputs for the data-free case, and blocks before compensation.
// Deviation from the original (not the labels) on rows of the real data that decided nothing, without polish; geometric means
// over networks and shares.
//   node tests/bench/ideas.mjs
import { difference } from "../../wasm/difference.js";
import { createEngine } from "../../wasm/engine.js";
import { normalRows } from "../../wasm/numbers.js";
import { bytesOf, materialFile, needsMaterial } from "../material.js";
import { readHalves } from "./score.js";

const NETWORKS = [
  ["torch_abalone_tanh_8-64-64-1_op11", "abalone"],
  ["torch_abalone_relu_8-64-64-1_op13", "abalone"],
  ["torch_hepc_tanh_7-64-64-1_op15", "hepc"],
  ["torch_metro_relu_14-64-32-1_op12", "metro"],
  ["torch_protein_relu_9-128-128-1_op13", "protein"],
  ["torch_kin8nm_tanh_8-100-50-1_op10", "kin8nm"],
  ["torch_concrete_relu_8-50-50-1_op7", "concrete"],
  ["torch_winered_sigmoid_11-32-32-1_op9", "winered"],
];
const SHARES = [0.6, 0.4, 0.25, 0.15];
const ROWS = 8192;

/** @typedef {import("../../wasm/types.js").Table} Table */
/** @typedef {import("../../wasm/engine.js").Model} Model */

/** @param {Float64Array} features @param {number} columns @returns {Table} */
const tableOf = (features, columns) => ({ features, rows: features.length / columns, columns, labels: null, labelColumns: 0, names: null, source: "drawn" });

/** Normal rows, each changed by `change`, which is also given a number from N(0, 1) of the row's own.
 * @param {number} n features @param {(row: Float64Array, g: number) => void} change */
function changed(n, change) {
  const rows = normalRows(ROWS, n, 1), own = normalRows(ROWS, 1, 2);
  for (let r = 0; r < ROWS; r += 1) change(rows.subarray(r * n, (r + 1) * n), own[r]);
  return rows;
}

const scaled = (/** @type {(g: number) => number} */ factor) => (/** @type {Float64Array} */ row, /** @type {number} */ g) => row.forEach((x, i) => (row[i] = x * factor(g)));

/** Inputs that share a part of their variance: a first guess at correlation. @param {number} part */
const shared = (part) => (/** @type {Float64Array} */ row, /** @type {number} */ g) => row.forEach((x, i) => (row[i] = Math.sqrt(1 - part) * x + Math.sqrt(part) * g));

/** The same with a sign for each input, drawn once: inputs that fall when others rise. @param {number} part */
function opposed(part) {
  const signs = Array.from(normalRows(1, 64, 9), Math.sign);
  return (/** @type {Float64Array} */ row, /** @type {number} */ g) => row.forEach((x, i) => (row[i] = Math.sqrt(1 - part) * x + Math.sqrt(part) * g * signs[i]));
}

/** @param {number} n */
const box = (n) => ({ low: new Float64Array(n).fill(-Math.sqrt(3)), high: new Float64Array(n).fill(Math.sqrt(3)) });

/** What the measure is made of, by name. @type {Record<string, (n: number, measure: Table) => object>} */
const MEASURES = {
  "x ~ N(0, I), the default": () => ({}),
  "the rows themselves, for comparison": (_, measure) => ({ data: measure }),
  "uniform, same variance (a box)": box,
  "0.7 N(0, I)": (n) => ({ data: tableOf(changed(n, scaled(() => 0.7)), n) }),
  "1.5 N(0, I)": (n) => ({ data: tableOf(changed(n, scaled(() => 1.5)), n) }),
  "mixture of scales exp(0.6 g - 0.3)": (n) => ({ data: tableOf(changed(n, scaled((g) => Math.exp(0.6 * g - 0.3))), n) }),
  "mixture of scales 0.5, 1, 2": (n) => ({ data: tableOf(changed(n, scaled((g) => (g < -0.43 ? 0.5 : g < 0.43 ? 1 : 2))), n) }),
  "a common part, 30 % of the variance": (n) => ({ data: tableOf(changed(n, shared(0.3)), n) }),
  "a common part of drawn signs, 30 %": (n) => ({ data: tableOf(changed(n, opposed(0.3)), n) }),
  "the rows' own mean and spread alone": (n, measure) => momentsOf(n, measure),
  "the rows' own range alone": (n, measure) => rangeOf(n, measure),
};

/** @param {number} n @param {Table} table */
function momentsOf(n, { features, rows }) {
  const mean = new Float64Array(n), spread = new Float64Array(n);
  for (let i = 0; i < features.length; i += 1) mean[i % n] += features[i] / rows;
  for (let i = 0; i < features.length; i += 1) spread[i % n] += (features[i] - mean[i % n]) ** 2 / rows;
  return { mean, spread: spread.map(Math.sqrt) };
}

/** @param {number} n @param {Table} table */
function rangeOf(n, { features }) {
  const low = new Float64Array(n).fill(Infinity), high = new Float64Array(n).fill(-Infinity);
  for (let i = 0; i < features.length; i += 1) {
    low[i % n] = Math.min(low[i % n], features[i]);
    high[i % n] = Math.max(high[i % n], features[i]);
  }
  return { low, high };
}

const engine = await createEngine();

/** Deviations at the shares. @param {Model} model @param {object} options of the path @param {Float64Array} rest @param {Model} original */
async function reached(model, options, rest, original) {
  const path = await model.path({ seed: 1, ...options });
  const deviations = [];
  for (const share of SHARES) {
    const value = (share * original.info.parameters) / model.info.parameters;
    const result = value >= 1 ? model : (await path.compress({ kind: "retain", value }));
    deviations.push(difference(original.forward(rest), result.forward(rest), rest.length / original.info.features).deviation);
  }
  path.free();
  return deviations;
}

/** Merges blocks of the adjoint partition down to a share first, then goes on by projection.
 * @param {Model} model @param {Table} measure @param {number} share */
async function blocksFirst(model, measure, share) {
  const path = await model.path({ data: measure, seed: 1 });
  const merged = await path.compress({ kind: "retain", value: share }, { method: "partition" });
  const bytes = merged.write("onnx");
  path.free();
  return engine.open(bytes, "merged.onnx");
}

/** @param {number[]} values */
const geometric = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

if ("skip" in needsMaterial) console.log("The material is not here: nothing to measure.");
else {
  /** @type {Map<string, number[][]>} */
  const found = new Map();
  const add = (/** @type {string} */ name, /** @type {number[]} */ deviations) => found.set(name, [...(found.get(name) ?? []), deviations]);
  for (const [file, rows] of NETWORKS) {
    const model = engine.open(bytesOf(materialFile(`models/${file}.onnx`)), file);
    const n = model.info.features;
    const { measure, score } = await readHalves(materialFile(`data/${rows}_test.csv`), { labels: 1, features: n });
    for (const [name, make] of Object.entries(MEASURES)) add(name, await reached(model, make(n, measure), score.features, model));
    for (const share of [0.9, 0.75]) {
      const merged = await blocksFirst(model, measure, share);
      add(`blocks down to ${100 * share} %, then projected (data)`, await reached(merged, { data: measure }, score.features, model));
      merged.free();
    }
    model.free();
  }
  console.log(`| deviation on held-out rows, geometric mean over ${NETWORKS.length} networks | ${SHARES.map((share) => `${100 * share} %`).join(" | ")} | all |`);
  console.log(`|---|${"---|".repeat(SHARES.length + 1)}`);
  for (const [name, lists] of found) {
    const cells = SHARES.map((_, s) => geometric(lists.map((list) => list[s])));
    console.log(`| ${name} | ${[...cells, geometric(cells)].map((value) => `${(100 * value).toFixed(2)} %`).join(" | ")} |`);
  }
}
