// verify: runs the original and the smaller model in ONNX Runtime Web on the same rows and compares the outputs.
//
// The runtime (JavaScript and one .wasm file) is loaded on first use, from this package in Node, from beside the bundle in a
// browser (ship onnxruntime-web's dist/ort-wasm-simd-threaded.wasm there). One thread, so no special headers are needed.
import { dtype, encode, decode, epsilonOf, joined } from "./numbers.js";
import {
  noFloatOutput,
  noRowShape,
  runtimeMissing,
  runtimeRefuses,
  runtimeRefusesReduced,
  unknownInputType,
} from "./messages.js";

/**
 * @typedef {import("./types.js").Verified} Verified
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./types.js").Port} Port
 * @typedef {typeof import("onnxruntime-web")} Runtime
 * @typedef {import("onnxruntime-web").InferenceSession} Session
 * @typedef {Map<string, Float64Array>} Outputs   all rows of each output, by name
 * @typedef {{name: string, type: string, width: number, dims: (rows: number) => number[]}} Feed   how a row fills an input
 * @typedef {{rms: number, max: number, spread: number, scale: number}} Difference
 */

const BATCH = 256; // rows a run where the batch is free
const MOST_RUNS = 256; // where it is not

/** @type {Promise<Runtime>|null} */
let loading = null;

/** @returns {Promise<Runtime>} */
async function loadRuntime() {
  loading ??= import("onnxruntime-web/wasm").then((runtime) => {
    runtime.env.wasm.numThreads = 1;
    runtime.env.logLevel = "fatal"; // refusals are reported by us, once
    return /** @type {Runtime} */ (/** @type {unknown} */ (runtime));
  });
  try {
    return await loading;
  } catch (error) {
    loading = null;
    throw error;
  }
}

/**
 * @param {import("./engine.js").Result} result
 * @param {Float64Array} rows (rows, features)
 * @param {{signal?: AbortSignal, onProgress?: (progress: import("./types.js").Progress) => void}} [watch]
 * @returns {Promise<Verified|{skipped: string}>}
 */
export async function verify(result, rows, { signal, onProgress } = {}) {
  const model = result.path.model;
  const { info } = model;
  /** @type {Session[]} */
  const sessions = [];
  try {
    const runtime = await loadRuntime().catch(() => skip(runtimeMissing()));
    const inner = innerValues(info);
    const original = await openSession(runtime, withOutputs(model.onnx(), inner), model.files).catch((error) => skip(runtimeRefuses(reasonOf(error))));
    sessions.push(original);
    const reduced = await openSession(runtime, withOutputs(result.write("onnx"), inner), model.files).catch((error) =>
      skip(runtimeRefusesReduced(reasonOf(error))),
    );
    sessions.push(reduced);
    const names = floatOutputs(original).filter((name) => reduced.outputNames.includes(name));
    if (names.length === 0) skip(noFloatOutput());
    const feeds = feedsOf(original, info);
    const tell = (/** @type {number} */ fraction) => onProgress?.({ stage: "verify", fraction });
    const run = { runtime, feeds, names, signal };
    const before = await runAny(original, info, rows, { ...run, tell: (f) => tell(f / 2) });
    const after = await runRows(reduced, before.rows, before.group, { ...run, tell: (f) => tell((1 + f) / 2) }).catch(
      (error) => rethrowAbort(error, signal) ?? skip(runtimeRefusesReduced(reasonOf(error))),
    );
    return compare(result, feeds, before, after, `ONNX Runtime Web ${runtime.env.versions.web}`);
  } catch (error) {
    if (error instanceof Skip) return { skipped: error.message };
    throw error;
  } finally {
    for (const session of sessions) await session.release();
  }
}

class Skip extends Error {}

/** @param {string} reason @returns {never} */
function skip(reason) {
  throw new Skip(reason);
}

/** @param {unknown} error @param {AbortSignal} [signal] @returns {undefined} */
function rethrowAbort(error, signal) {
  if (signal?.aborted) throw error;
}

/** The runtime's message without its addresses and repetitions. @param {unknown} error */
function reasonOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^.*ERROR_MESSAGE:\s*/s, "").replace(/\s+/g, " ").slice(0, 200);
}

/** What the engine computes that is no output of the model: it stops where an operator is not its own. @param {ModelInfo} info */
export const innerValues = (info) => info.computed.filter((name) => !info.outputs.some((port) => port.name === name));

/** A protobuf field of bytes. @param {number} number @param {Uint8Array} bytes @returns {Uint8Array} */
function field(number, bytes) {
  const head = [(number << 3) | 2];
  let size = bytes.length;
  for (; size > 127; size >>>= 7) head.push((size & 127) | 128);
  const out = new Uint8Array(head.length + 1 + bytes.length);
  out.set([...head, size]);
  out.set(bytes, head.length + 1);
  return out;
}

/** The same ONNX model that also outputs some of its inner values. Protobuf merges a field that comes a second time into the
 * first: ModelProto.graph (7) { output (12) { name (1) } } at the end adds to the graph's outputs.
 * @param {Uint8Array} onnx @param {string[]} names @returns {Uint8Array} */
export function withOutputs(onnx, names) {
  const added = names.map((name) => field(7, field(12, field(1, new TextEncoder().encode(name)))));
  return joined(Uint8Array, [onnx, ...added]);
}

/** @param {Runtime} runtime @param {Uint8Array} bytes @param {Map<string, Uint8Array>} files @returns {Promise<Session>} */
function openSession(runtime, bytes, files) {
  return runtime.InferenceSession.create(bytes, {
    logSeverityLevel: 4,
    externalData: [...files].map(([path, data]) => ({ path, data })),
  });
}

/** @param {Session} session */
const floatOutputs = (session) =>
  session.outputMetadata.filter((port) => port.isTensor && dtype(port.type) !== null).map((port) => port.name);

// ---- rows to inputs --------------------------------------------------------------------------------------------------

const product = (/** @type {(number|null)[]} */ dims) => dims.reduce((/** @type {number} */ a, b) => a * (b ?? 1), 1);

/** What the engine reads: inputs of floating-point numbers whose row width is known. @param {Port} port @param {string} type */
function isRead({ shape }, type) {
  const row = shape.length === 1 ? shape : shape.slice(1);
  const turned = shape.length === 2 && shape[0] !== null; // channels first
  return dtype(type) !== null && shape.length > 0 && (turned || row.every((dim) => dim !== null));
}

/** A row's numbers go to the inputs one after the other; inputs the engine does not read are all zeros.
 * @param {Session} session @param {ModelInfo} info @returns {Feed[]} */
function feedsOf(session, info) {
  const types = new Map(session.inputMetadata.map((port) => [port.name, port.isTensor ? port.type : "no tensor"]));
  const ports = info.inputs.filter((port) => types.has(port.name));
  const typeOf = (/** @type {Port} */ port) => types.get(port.name) ?? "";
  const read = ports.filter((port) => isRead(port, typeOf(port)));
  const feeds = ports.map((port) => {
    const type = typeOf(port);
    if (!(type in ZEROS) && dtype(type) === null) skip(unknownInputType(port.name, type));
    if (!read.includes(port)) return { name: port.name, type, width: 0, dims: freeDims(port) };
    const width = read.length === 1 ? info.features : product(port.shape.length === 1 ? port.shape : port.shape.slice(1));
    return { name: port.name, type, width, dims: dimsOf(port, width, info.batch) };
  });
  if (feeds.reduce((sum, feed) => sum + feed.width, 0) !== info.features) skip(noRowShape(ports[0]?.name ?? ""));
  return feeds;
}

/** @param {Port} port @returns {Feed["dims"]} */
const freeDims = ({ shape }) => (rows) => shape.map((dim, axis) => dim ?? (axis === 0 ? rows : 1));

/** The shape an input takes for so many rows. @param {Port} port @param {number} width @param {number|null} batch @returns {Feed["dims"]} */
function dimsOf(port, width, batch) {
  const [first, ...rest] = port.shape;
  if (first === null && rest.every((dim) => dim !== null) && product(rest) === width) return freeDims(port);
  if (product(port.shape) === (batch ?? 1) * width) return () => port.shape.map((dim) => dim ?? 1);
  return skip(noRowShape(port.name));
}

/** @typedef {{runtime: Runtime, feeds: Feed[], names: string[], signal?: AbortSignal, tell: (fraction: number) => void}} Run */

/** Runs the original; where a free batch turns out to be fixed inside, row by row.
 * @param {Session} session @param {ModelInfo} info @param {Float64Array} rows @param {Run} run */
async function runAny(session, info, rows, run) {
  const group = info.batch ?? BATCH;
  const attempt = async (/** @type {number} */ size) => {
    const taken = size === BATCH ? rows : rows.subarray(0, MOST_RUNS * size * info.features);
    const whole = Math.floor(taken.length / info.features / size) * size;
    const used = size === BATCH ? taken : taken.subarray(0, whole * info.features);
    if (used.length === 0) skip(noRowShape(info.inputs[0].name));
    return { rows: used, group: size, ...(await runRows(session, used, size, run)) };
  };
  return attempt(group)
    .catch((error) => {
      rethrowAbort(error, run.signal);
      if (error instanceof Skip || group === 1) throw error;
      return attempt(1);
    })
    .catch((error) => {
      rethrowAbort(error, run.signal);
      return error instanceof Skip ? skip(error.message) : skip(runtimeRefuses(reasonOf(error)));
    });
}

/** @param {Session} session @param {Float64Array} rows (rows, features) @param {number} group rows a run @param {Run} run
 * @returns {Promise<{outputs: Outputs, types: Map<string, string>}>} */
async function runRows(session, rows, group, { runtime, feeds, names, signal, tell }) {
  const features = feeds.reduce((sum, feed) => sum + feed.width, 0);
  /** @type {Map<string, Float64Array[]>} */
  const parts = new Map(names.map((name) => [name, []]));
  const types = new Map();
  for (let at = 0; at < rows.length; at += group * features) {
    signal?.throwIfAborted();
    const block = rows.subarray(at, at + group * features);
    const results = await session.run(tensorsOf(runtime, feeds, block, block.length / features), names);
    for (const name of names) {
      const tensor = results[name];
      types.set(name, tensor.type);
      parts.get(name)?.push(decode(tensor.type, /** @type {any} */ (tensor.data)));
      tensor.dispose();
    }
    tell(Math.min(1, (at + block.length) / rows.length));
  }
  return { outputs: new Map([...parts].map(([name, list]) => [name, joined(Float64Array, list)])), types };
}

/** @param {Runtime} runtime @param {Feed[]} feeds @param {Float64Array} block @param {number} rows */
function tensorsOf(runtime, feeds, block, rows) {
  const features = block.length / rows;
  let offset = 0;
  /** @type {Record<string, import("onnxruntime-web").Tensor>} */
  const tensors = {};
  for (const { name, type, width, dims } of feeds) {
    const shape = dims(rows);
    if (width === 0) {
      tensors[name] = zeros(runtime, type, shape);
      continue;
    }
    const from = offset;
    const values = Float64Array.from({ length: rows * width }, (_, i) => block[Math.floor(i / width) * features + from + (i % width)]);
    tensors[name] = new runtime.Tensor(/** @type {any} */ (type), /** @type {any} */ (encode(type, values)), shape);
    offset += width;
  }
  return tensors;
}

/** Arrays for the types that are no floating-point numbers. */
const ZEROS = {
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** @param {Runtime} runtime @param {string} type @param {number[]} shape */
function zeros(runtime, type, shape) {
  const size = product(shape);
  const data = type in ZEROS ? new ZEROS[/** @type {keyof typeof ZEROS} */ (type)](size) : encode(type, new Float64Array(size));
  return new runtime.Tensor(/** @type {any} */ (type), /** @type {any} */ (data), shape);
}

// ---- comparison ------------------------------------------------------------------------------------------------------

/** @param {import("./engine.js").Result} result @param {Feed[]} feeds
 * @param {{rows: Float64Array, outputs: Outputs, types: Map<string, string>}} before @param {{outputs: Outputs}} after @param {string} runtime
 * @returns {Verified} */
function compare(result, feeds, before, after, runtime) {
  const { info } = result.path.model;
  const rows = before.rows.length / info.features;
  const inner = innerValues(info);
  const own = [...before.outputs.keys()].filter((name) => !inner.includes(name));
  const computed = info.computed.filter((name) => before.outputs.has(name));
  const of = (/** @type {string[]} */ names) => difference(pairs(before.outputs, after.outputs, names), rows);
  const theirs = of(computed.length > 0 ? computed : own); // what the engine measures
  const all = own.length > 0 ? of(own) : theirs;
  const comparable = computed.length === info.computed.length && computed.length > 0;
  const seen = asSeen(before.rows, feeds, info.features);
  const ours = difference([[result.path.model.forward(seen), result.forward(seen)]], rows);
  const epsilon = Math.max(...[...before.types.values(), ...feeds.map((feed) => feed.type)].map(epsilonOf));
  return {
    rms: all.rms,
    max: all.max,
    deviation: relative(inner.length > 0 ? all : theirs),
    rows,
    runtime,
    agrees: comparable ? agree(relative(theirs), relative(ours), (epsilon * theirs.scale) / (theirs.spread || 1)) : null,
  };
}

/** The rows as the runtime sees them, rounded to the inputs' types. @param {Float64Array} rows @param {Feed[]} feeds @param {number} features */
function asSeen(rows, feeds, features) {
  const types = new Set(feeds.filter((feed) => feed.width > 0).map((feed) => feed.type));
  if (types.size === 1) return decode([...types][0], encode([...types][0], rows));
  const out = rows.slice();
  let offset = 0;
  for (const { type, width } of feeds) {
    for (let at = offset; at < out.length; at += features) {
      out.set(decode(type, encode(type, rows.slice(at, at + width))), at);
    }
    offset += width;
  }
  return out;
}

/** @param {Outputs} before @param {Outputs} after @param {string[]} names @returns {[Float64Array, Float64Array][]} */
const pairs = (before, after, names) =>
  names.map((name) => [
    /** @type {Float64Array} */ (before.get(name)),
    after.get(name) ?? new Float64Array(),
  ]);

/** Two equal things differ by nothing, NaN and infinity included. @param {number} a @param {number} b */
const gap = (a, b) => (Object.is(a, b) || a === b ? 0 : Number.isNaN(a - b) ? Infinity : Math.abs(a - b));

/** Over all outputs together: RMS and largest difference, RMS(f - E f), RMS(f).
 * @param {[Float64Array, Float64Array][]} outputs @param {number} rows @returns {Difference} */
export function difference(outputs, rows) {
  let squares = 0;
  let max = 0;
  let variance = 0;
  let power = 0;
  let count = 0;
  for (const [f, g] of outputs) {
    if (f.length !== g.length) return { rms: Infinity, max: Infinity, spread: 1, scale: 1 };
    const width = f.length % rows === 0 ? f.length / rows : f.length;
    const mean = columnMeans(f, width);
    for (let i = 0; i < f.length; i += 1) {
      const d = gap(f[i], g[i]);
      squares += d * d;
      max = Math.max(max, d);
      variance += (f[i] - mean[i % width]) ** 2;
      power += f[i] ** 2;
    }
    count += f.length;
  }
  const root = (/** @type {number} */ sum) => Math.sqrt(sum / Math.max(count, 1));
  return { rms: root(squares), max, spread: root(variance), scale: root(power) };
}

/** @param {Float64Array} values (rows, width) @param {number} width */
function columnMeans(values, width) {
  const mean = new Float64Array(width);
  values.forEach((value, i) => (mean[i % width] += value));
  return mean.map((sum) => (sum * width) / values.length);
}

/** @param {Difference} difference */
const relative = ({ rms, spread }) => (rms === 0 ? 0 : spread === 0 ? Infinity : rms / spread);

/** Within one percent, or what rounding to the outputs' type may add on either side.
 * @param {number} theirs @param {number} ours @param {number} rounding one rounding, relative to the spread */
function agree(theirs, ours, rounding) {
  return Math.abs(theirs - ours) <= 0.01 * ours + 100 * rounding;
}
