// One network of the experiment in a thread of its own: compresses it by every method and posts a row each.
import { parentPort, workerData } from "node:worker_threads";

import { createEngine } from "../../../wasm/index.js";
import { bytesOf } from "../../material.js";
import { errorOf, readHalves } from "../score.js";
import { METHODS } from "./cases.mjs";
import { keyOf, rounded } from "./results.mjs";

/**
 * @typedef {import("./cases.mjs").Case} Case
 * @typedef {import("./cases.mjs").Method} Method
 * @typedef {import("./results.mjs").Row} Row
 * @typedef {import("../../../wasm/types.js").Table} Table
 * @typedef {{case: Case, methods: string[], polishes: boolean[], shares: number[], done: string[], original: number|null}} Job
 *   done: keys of rows that are there; original: the mean squared error they were computed against
 * @typedef {{row: Row} | {stale: true} | {failure: string}} Message
 */

const SEED = 1;
const EXPECTED = ["UNREACHABLE", "NOTHING_AT", "UNSUPPORTED", "NOT_FINITE"]; // a method's own limits, said in the report

const post = (/** @type {Message} */ message) => parentPort?.postMessage(message);

/** The error of always answering each output's mean. @param {Table} table */
function varianceOf(table) {
  const labels = /** @type {Float64Array} */ (table.labels);
  const width = table.labelColumns;
  const mean = new Float64Array(width);
  labels.forEach((value, i) => (mean[i % width] += value / table.rows));
  return labels.reduce((sum, value, i) => sum + (value - mean[i % width]) ** 2, 0) / labels.length;
}

/** The network, and paths that are made when a method first asks for them. @param {Case} one */
async function openCase(one) {
  const engine = await createEngine();
  const model = engine.open(bytesOf(one.model), `${one.set} ${one.network}`);
  const { measure, score } = await readHalves(one.rows, { labels: model.info.results, features: model.info.features });
  /** @type {Map<boolean, Promise<import("../../../wasm/engine.js").Path>>} */
  const paths = new Map();
  const pathOf = (/** @type {boolean} */ measured) => {
    const path = paths.get(measured) ?? model.path({ data: measured ? measure : null, seed: SEED });
    paths.set(measured, path);
    return path;
  };
  return { model, score, pathOf, original: errorOf(model, score) };
}

/**
 * @param {Awaited<ReturnType<typeof openCase>>} opened
 * @param {Row} blank a row without its result
 * @param {Method} method
 * @returns {Promise<Row>}
 */
async function compressed(opened, blank, { method, data }) {
  const path = await opened.pathOf(data);
  const rows = path.info.measure.rows;
  try {
    const options = /** @type {any} */ ({ method, polish: blank.polish });
    const result = await path.compress({ kind: "retain", value: blank.asked }, options);
    const { report } = result;
    if (report.method !== method) throw new Error(`the engine answered with ${report.method} when asked for ${method}`);
    const mse = errorOf(result, opened.score);
    result.free();
    const { retained, deviation, parameters } = report;
    return { ...blank, rows, retained, deviation, parameters: parameters.after, mse, factor: mse / opened.original };
  } catch (error) {
    const code = /** @type {any} */ (error).code;
    if (!EXPECTED.includes(code)) throw error;
    return { ...blank, rows, note: code };
  }
}

/** @param {Job} job */
async function run({ case: one, methods, polishes, shares, done, original }) {
  let opened = await openCase(one);
  const known = new Set(done);
  const names = { system: one.set, network: one.network, note: "" };
  if (original === null || rounded(opened.original) !== original) {
    known.clear();
    post({ stale: true });
    const whole = { ...names, rows: 0, polish: false, asked: 1, retained: 1, parameters: opened.model.info.parameters, deviation: 0 };
    post({ row: { ...whole, method: "original", mse: opened.original, factor: 1 } });
    const mean = varianceOf(opened.score);
    post({ row: { ...whole, method: "mean", asked: 0, retained: 0, parameters: 0, deviation: 1, mse: mean, factor: mean / opened.original } });
  }
  for (const polish of polishes) {
    for (const method of METHODS.filter(({ id }) => methods.includes(id))) {
      for (const asked of shares) {
        const nothing = { rows: 0, retained: NaN, parameters: NaN, deviation: NaN, mse: NaN, factor: NaN };
        const blank = { ...names, ...nothing, method: method.id, polish, asked };
        if (known.has(keyOf(blank))) continue;
        try {
          post({ row: await compressed(opened, blank, method) });
        } catch (error) {
          post({ failure: `${keyOf(blank)}: ${/** @type {Error} */ (error).message}` });
          opened = await openCase(one); // the core may have trapped
        }
      }
    }
  }
  opened.model.free();
}

await run(workerData);
