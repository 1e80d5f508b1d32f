// A model file through netlump at some tolerances, each result run in ONNX Runtime on the measure's own rows beside the original.
import { basename } from "node:path";

import { EngineError } from "../../wasm/fault.js";
import { createEngine } from "../../wasm/index.js";
import { evaluatedInputs } from "../../wasm/inputs.js";
import { decode, epsilonOf } from "../../wasm/numbers.js";
import { Session, loadRuntime, runRows } from "../../wasm/runtime.js";
import { innerValues } from "../../wasm/verify.js";
import { bytesOf } from "../material.js";
import { shapesFor } from "./sizes.js";
import { filesBeside } from "./survivors.js";

/**
 * @typedef {{epsilon: number, retained: number, widths: number[], reported: number, found: number, rounding: number, seconds: number,
 *   apart: string[]}} Result
 *   reported, found: the deviation by the report and by ONNX Runtime; rounding: what the outputs' type may add to it; seconds: of the path and
 *   this result; apart: outputs whose shape is another
 * @typedef {{name: string, exporter: string, opset: number, parameters: number, widths: number[], reasons: string[], results: Result[],
 *   refused: string|null}} Examined   reasons: of the layers left alone, the commonest first; refused: why there are no results
 * @typedef {{names: string[], dims: string[][], values: Float64Array[][]}} Given   by output, then by batch
 */

const BATCH = 64;

/** @param {Session} session @param {string[]} names of outputs @param {import("../../wasm/inputs.js").Inputs} inputs @param {import("../../wasm/engine.js").Path} path
 * @param {number} count of rows @returns {Promise<Given>} */
async function given(session, names, inputs, path, count) {
  /** @type {Given} */
  const out = { names, dims: names.map(() => []), values: names.map(() => []) };
  const at = (/** @type {number} */ first, /** @type {number} */ rows) => path.rows(first, rows);
  await runRows([{ session, names }], { inputs, count, at, group: inputs.batch ?? Math.min(BATCH, count) }, ([values]) => {
    values.forEach(({ type, dims, data }, k) => {
      out.dims[k].push(String(dims));
      out.values[k].push(decode(type, data));
    });
  });
  return out;
}

/** RMS(g - f) / RMS(f - E f), and what one rounding of f is to that. @param {Given} f @param {Given} g @param {number} count @param {string[]} types */
function deviation(f, g, count, types) {
  let moved = 0, spread = 0, power = 0;
  f.values.forEach((batches, k) => {
    const flat = Float64Array.from(batches.flatMap((batch) => [...batch]));
    const other = Float64Array.from(g.values[k].flatMap((batch) => [...batch]));
    const width = flat.length % count === 0 ? flat.length / count : flat.length;
    const mean = new Float64Array(width);
    flat.forEach((value, i) => (mean[i % width] += (value * width) / flat.length));
    flat.forEach((value, i) => {
      moved += (other[i] - value) ** 2;
      spread += (value - mean[i % width]) ** 2;
      power += value ** 2;
    });
  });
  const epsilon = Math.max(...types.map(epsilonOf));
  return { found: moved === 0 ? 0 : Math.sqrt(moved / spread), rounding: spread === 0 ? 0 : epsilon * Math.sqrt(power / spread) };
}

/** Why layers were left alone, the commonest reason first. @param {import("../../wasm/types.js").ModelInfo} info */
function reasonsOf({ layers, skipped }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  const sentences = [...layers.flatMap(({ reason }) => reason ?? []), ...skipped.map(({ reason }) => reason)];
  for (const sentence of sentences) {
    const short = sentence.replace(/ “[^”]*”/, "");
    counts.set(short, (counts.get(short) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([reason]) => reason);
}

/**
 * @param {string} file
 * @param {{epsilons: number[], rows?: number, wasm?: Uint8Array}} options rows: of the measure, 0: the default
 * @returns {Promise<Examined>}
 */
export async function examine(file, { epsilons, rows = 0, wasm }) {
  const name = basename(file);
  /** @type {Examined} */
  const examined = { name, exporter: "", opset: 0, parameters: 0, widths: [], reasons: [], results: [], refused: null };
  const engine = await createEngine({ wasm });
  /** @type {import("../../wasm/engine.js").Model|null} */
  let model = null;
  try {
    const files = filesBeside(file);
    model = engine.open(bytesOf(file), name, { files, shapes: shapesFor(name) });
    const { producer: exporter, opset, parameters, sites } = model.info;
    Object.assign(examined, { exporter, opset, parameters, widths: sites.map(({ width }) => width), reasons: reasonsOf(model.info) });
    const start = performance.now();
    const path = await plainPath(model, rows);
    const prepared = (performance.now() - start) / 1000;
    for (const epsilon of epsilons) examined.results.push(await resultAt(path, epsilon, prepared, files));
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    examined.refused = error.message;
  } finally {
    model?.free();
  }
  return examined;
}

/** The path over plain random rows. Where the model's own normalisations would set the measure, the deviation reported is another
 * than the file's on those rows, so they are given as data. @param {import("../../wasm/engine.js").Model} model @param {number} rows */
async function plainPath(model, rows) {
  const path = await model.path({ rows });
  if (!model.outside || path.info.measure.kind !== "normalised") return path;
  const count = path.info.measure.rows;
  const features = path.rows(0, count);
  path.free();
  return model.path({ data: { features, labels: null, rows: count, columns: model.features, labelColumns: 0, names: null, source: "x ~ N(0, I)" } });
}

/** @param {import("../../wasm/engine.js").Path} path @param {number} epsilon @param {number} prepared seconds of the path @param {Map<string, Uint8Array>} files
 * @returns {Promise<Result>} */
async function resultAt(path, epsilon, prepared, files) {
  const { model } = path;
  const start = performance.now();
  const result = await path.compress({ kind: "epsilon", value: epsilon });
  const seconds = prepared + (performance.now() - start) / 1000;
  const runtime = await loadRuntime();
  const inner = innerValues(model.info);
  const open = (/** @type {Uint8Array} */ onnx) => Session.open(runtime, { onnx, files, inner, refusal: String });
  const [original, smaller] = [await open(model.onnx()), await open(result.write("onnx"))];
  const inputs = model.outside ? model.inputs : evaluatedInputs(model.info, original.inputs);
  const own = model.info.computed.length > 0 ? model.info.computed : [...original.floats.keys()];
  const names = own.filter((name) => original.floats.has(name));
  const count = Math.floor(path.info.measure.rows / (inputs.batch ?? 1)) * (inputs.batch ?? 1);
  const f = await given(original, names, inputs, path, count);
  const g = await given(smaller, names, inputs, path, count);
  await original.release();
  await smaller.release();
  const { report } = result;
  result.free();
  return {
    epsilon,
    retained: report.retained,
    widths: report.sites.map(({ after }) => after),
    reported: report.deviation,
    ...deviation(f, g, count, names.map((name) => original.floats.get(name) ?? "")),
    seconds,
    apart: names.filter((_, k) => f.dims[k].join(" ") !== g.dims[k].join(" ")),
  };
}

/** Within one percent, or what rounding adds. @param {Result} result */
export const agrees = ({ reported, found, rounding }) => Math.abs(reported - found) <= 0.01 * reported + 100 * rounding;
