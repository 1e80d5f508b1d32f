// netlump for programs, in Node and in bundlers:
//
//   import { compress } from "netlump";
//   const { bytes, report } = await compress(model, { retain: 0.3, data: csvBytes, labels: 1 });
//
// and createEngine() for the steps one by one (engine.js).
import { readTable, splitTable } from "./data.js";
import { createEngine } from "./engine.js";
import { finish, targetOf } from "./pipeline.js";

export { readTable, splitTable } from "./data.js";
export { createEngine } from "./engine.js";
export { EngineError } from "./fault.js";
export { htmlReport } from "./report.js";

/**
 * @typedef {import("./types.js").Report} Report
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./types.js").Table} Table
 * @typedef {{name?: string, files?: Map<string, Uint8Array>, wasm?: import("./loader.js").WasmSource, scalar?: boolean}} Source
 *   name: of the model's file, for messages; files: external weights by name; wasm: where netlump.wasm is
 */

/** Rows as a file's bytes, a table, or an array of arrays. @param {Uint8Array|Table|number[][]} data
 * @param {{labels: number, features: number, name: string}} options @returns {Promise<Table>} */
async function tableFrom(data, { labels, features, name }) {
  if (data instanceof Uint8Array) return readTable(data, name, { labels, features });
  if (!Array.isArray(data)) return data;
  const text = data.map((row) => Array.from(row, Number).join(",")).join("\n");
  return readTable(new TextEncoder().encode(text), name, { labels, features });
}

/**
 * Makes a model smaller.
 * @param {Uint8Array} bytes an ONNX or netlump JSON file
 * @param {{epsilon?: number, retain?: number, maxDeviation?: number, data?: Uint8Array|Table|number[][]|null, dataName?: string,
 *   labels?: number, split?: number, seed?: number, rows?: number, verify?: boolean, format?: "onnx"|"json",
 *   signal?: AbortSignal, onProgress?: (progress: import("./types.js").Progress) => void} & Source} [options]
 *   one of epsilon (0.02), retain and maxDeviation, as fractions; `data`: rows to measure on, the last `labels` columns being
 *   labels; `split`: measure on that share of the rows, score on the others
 * @returns {Promise<{bytes: Uint8Array, report: Report}>}
 */
export async function compress(bytes, options = {}) {
  const { data = null, dataName = "data", labels = 0, split = 1, seed, rows, verify, format, signal, onProgress } = options;
  const target = targetOf(options);
  signal?.throwIfAborted();
  const engine = await createEngine(options);
  const model = engine.open(bytes, options.name ?? "model", options);
  try {
    const table = data && (await tableFrom(data, { labels, features: model.info.features, name: dataName }));
    const parts = table && splitTable(table, split);
    const measure = parts?.measure ?? null;
    const path = await model.path({ data: measure, seed, rows, signal, onProgress });
    const result = await path.compress(target, { signal, onProgress });
    return await finish(result, { data: measure, score: parts?.score, heldOut: parts?.heldOut, verify, format, signal, onProgress });
  } finally {
    model.free();
  }
}

/** What is in a model, and why some of it cannot be lumped. @param {Uint8Array} bytes @param {Source} [options] @returns {Promise<ModelInfo>} */
export async function inspect(bytes, options = {}) {
  const engine = await createEngine(options);
  const model = engine.open(bytes, options.name ?? "model", options);
  const { info } = model;
  model.free();
  return info;
}
