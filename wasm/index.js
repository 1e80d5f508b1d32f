// netlump for programs, in Node and in bundlers:
//
//   import { compress } from "netlump";
//   const { bytes, report } = await compress(model, { retain: 0.3, data: csvBytes, labels: 1 });
//
// and createEngine() for the steps one by one (engine.js).
import { COMPARED, SHARES, compareMethods } from "./compare.js";
import { readTable, splitTable } from "./data.js";
import { createEngine } from "./engine.js";
import { readingOf } from "./images.js";
import { wantsOrder } from "./methods.js";
import { finish, targetOf } from "./pipeline.js";
import { compressTo } from "./search.js";
import { whole } from "./source.js";

export { readTable, splitTable } from "./data.js";
export { createEngine } from "./engine.js";
export { EngineError } from "./fault.js";
export { LINKAGES, METHODS } from "./methods.js";
export { htmlReport } from "./report.js";

/**
 * @typedef {import("./types.js").Report} Report
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./types.js").Table} Table
 * @typedef {import("./types.js").Comparison} Comparison
 * @typedef {import("./methods.js").Method} Method
 * @typedef {{data?: Uint8Array|Table|number[][]|null, dataName?: string, labels?: import("./data.js").Labels, skip?: import("./columns.js").Columns, standardize?: boolean, divide?: number, norm?: import("./images.js").Norm, split?: number, seed?: number, rows?: number,
 *   signal?: AbortSignal, onProgress?: (progress: import("./types.js").Progress) => void}} Measuring
 *   data: rows to measure on, the last `labels` columns being labels, or those listed, by name or by index from 0; skip: columns left out;
 *   standardize, divide: bring the inputs to mean 0 and spread 1, or divide them; or images (a zip, or one, named so by dataName), their folders
 *   being classes with labels "folder"; norm: mean and std of the images' pixels from 0 to 1; split: measure on that share of the rows, score on the others
 * @typedef {{name?: string, files?: import("./engine.js").Files, shapes?: import("./inputs.js").Shapes,
 *   wasm?: import("./loader.js").WasmSource, scalar?: boolean} & Partial<import("./loader.js").Threads>} Source
 *   name: of the model's file, for messages; files: external weights by name; shapes: sizes of inputs that leave axes open; wasm: where netlump.wasm is;
 *   threads: that work side by side where that pays, 0 for one a processor (the default), 1 for none; outside Node also `spawn`, which starts one (pool.js)
 */

/** Rows as a file's bytes, a table, or an array of arrays. @param {Uint8Array|Table|number[][]} data
 * @param {{name: string, images: () => import("./images.js").Reading} & Omit<NonNullable<Parameters<typeof readTable>[2]>, "images">} options
 * @returns {Promise<Table>} */
async function tableFrom(data, { name, images, ...options }) {
  if (data instanceof Uint8Array) return readTable(data, name, { ...options, images });
  if (!Array.isArray(data)) return data;
  const text = data.map((row) => Array.from(row, Number).join(",")).join("\n");
  return readTable(new TextEncoder().encode(text), name, options);
}

/**
 * Opens a model, orders its neurons where a method wants that, does something with it, and frees everything.
 * @template T
 * @param {Uint8Array|Blob} bytes
 * @param {Measuring & Source & {ordered?: boolean}} options
 * @param {(path: import("./engine.js").Path, parts: {measure: Table|null, score: Table|null, heldOut: boolean}) => Promise<T>} use
 */
async function withPath(bytes, options, use) {
  const { data = null, dataName = "data", labels = 0, skip, standardize, divide, norm, split = 1, seed, rows, ordered, signal, onProgress } = options;
  signal?.throwIfAborted();
  const engine = await createEngine(options);
  const model = await engine.load(bytes, options.name ?? "model", options);
  try {
    const table = data && (await tableFrom(data, { labels, skip, standardize, divide, features: model.features, name: dataName, images: readingOf(model, norm) }));
    const parts = table ? splitTable(table, split) : { measure: null, score: null, heldOut: false };
    return await use(await model.path({ data: parts.measure, seed, rows, ordered, signal, onProgress }), parts);
  } finally {
    model.free();
  }
}

/**
 * Makes a model smaller.
 * @param {Uint8Array|Blob} bytes an ONNX file or one of the JSON formats; a Blob or File is read piece by piece
 * @param {{epsilon?: number, retain?: number, maxDeviation?: number, minAccuracy?: number, maxMse?: number, method?: Method, linkage?: import("./methods.js").Linkage,
 *   degree?: number, polish?: boolean, iterations?: number, verify?: boolean,
 *   certify?: boolean|import("./certificate.js").Box, format?: import("./types.js").Format, weights?: string, large?: number} & Measuring & Source} [options]
 *   one of epsilon (0.02), retain, maxDeviation and minAccuracy, as fractions, or maxMse; the last two want labels; `method`: one of METHODS; `linkage` and `degree` of those that
 *   partition; `polish` (true, never at ε = 0): move the weights left towards the original's outputs, `iterations` at most
 *   ONNX of more than `large` bytes (10^9) keeps external weights outside, in a file called `weights`
 * @returns {Promise<{bytes: Uint8Array, files: Map<string, import("./engine.js").Source>, report: Report}>} files: what goes with the
 *   bytes, by name
 */
export async function compress(bytes, options = {}) {
  const { method, linkage, degree, polish = true, iterations, weights, large, verify, certify, format, signal, onProgress } = options;
  const target = targetOf(options);
  return withPath(bytes, { ...options, ordered: wantsOrder(method) }, async (path, { measure, score, heldOut }) => {
    const result = await compressTo(path, target, { score, method, linkage, degree, polish, iterations, weights, large, signal, onProgress });
    const { bytes: made, ...rest } = await finish(result, { data: measure, score, heldOut, verify, certify, format, signal, onProgress });
    return { bytes: await whole(made, "the result"), ...rest };
  });
}

/**
 * Every method at the same sizes, judged on rows it has not seen: the second half of `data` (`split`), or fresh random ones.
 * @param {Uint8Array|Blob} bytes
 * @param {{methods?: readonly Method[], shares?: readonly number[], polish?: boolean} & Measuring & Source} [options]
 *   shares: of the parameters to keep; polish (true): each also polished
 * @returns {Promise<Comparison>}
 */
export async function compare(bytes, { methods = COMPARED, shares = SHARES, polish = true, split = 0.5, ...options } = {}) {
  const { signal, onProgress } = options;
  return withPath(bytes, { ...options, split }, (path, { score, heldOut }) =>
    compareMethods(path, { methods, shares, polish, rows: score, heldOut, signal, onProgress }),
  );
}

/** What is in a model, and why some of it cannot be lumped. @param {Uint8Array|Blob} bytes @param {Source} [options] @returns {Promise<ModelInfo>} */
export async function inspect(bytes, options = {}) {
  const engine = await createEngine(options);
  const model = await engine.load(bytes, options.name ?? "model", options);
  const { info } = model;
  model.free();
  return info;
}
