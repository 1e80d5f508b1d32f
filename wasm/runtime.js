// runtime: ONNX Runtime Web. Everything that is run outside the core is run here.
//
// The runtime (JavaScript and one .wasm file) is loaded on first use, from this package in Node, from beside the bundle in a
// browser (ship onnxruntime-web's dist/ort-wasm-simd-threaded.wasm there). One thread, so no special headers are needed.
import { fault } from "./fault.js";
import { fill } from "./inputs.js";
import { runtimeElsewhere, runtimeMissing } from "./messages.js";
import { dtype, joined } from "./numbers.js";
import { breathe } from "./steps.js";

/**
 * @typedef {typeof import("onnxruntime-web")} Runtime
 * @typedef {{type: string, dims: readonly number[], data: any}} Value   data: the typed array of that type
 * @typedef {import("./inputs.js").Inputs} Inputs
 * @typedef {(why: string) => string} Refusal   the sentence for a model that the runtime does not run
 */

/** @type {Promise<Runtime>|null} */
let loading = null;
/** @type {(() => Promise<Uint8Array>)|null} the .wasm file, where it is not beside the bundle */
let binary = null;
let absent = false;

/** The runtime's .wasm file comes from here. @param {() => Promise<Uint8Array>} source */
export const bringRuntime = (source) => (binary = source);

/** This build has no runtime: what asks for it is told where there is one. */
export const doWithoutRuntime = () => (absent = true);

/** @returns {Promise<Runtime>} */
export async function loadRuntime() {
  if (absent) throw fault("RUNTIME", runtimeElsewhere());
  loading ??= import("onnxruntime-web/wasm").then(async (runtime) => {
    if (binary) runtime.env.wasm.wasmBinary = await binary();
    runtime.env.wasm.numThreads = 1;
    runtime.env.logLevel = "fatal"; // refusals are reported by us, once
    return /** @type {Runtime} */ (/** @type {unknown} */ (runtime));
  });
  try {
    return await loading;
  } catch (error) {
    loading = null;
    throw fault("RUNTIME", runtimeMissing(), { cause: error });
  }
}

/** Its name and version, for people. @param {Runtime} runtime */
export const nameOf = (runtime) => `ONNX Runtime Web ${runtime.env.versions.web}`;

/** The runtime's message without its addresses and repetitions. @param {unknown} error */
function reasonOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  const said = text.replace(/^.*ERROR_MESSAGE:\s*/s, "").replace(/\s+/g, " ").trim();
  return said.replace(/^\S+\.(?:cc|h):\d+ .*?\)(?: const)? /, "").slice(0, 200); // where in the runtime's source it was said
}

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
function withOutputs(onnx, names) {
  const added = names.map((name) => field(7, field(12, field(1, new TextEncoder().encode(name)))));
  return joined(Uint8Array, [onnx, ...added]);
}

/** A model open in the runtime. Its inner values can be had when they were asked for. */
export class Session {
  #runtime;
  #session;
  #refusal;

  /** @param {Runtime} runtime @param {import("onnxruntime-web").InferenceSession} session @param {Refusal} refusal */
  constructor(runtime, session, refusal) {
    this.#runtime = runtime;
    this.#session = session;
    this.#refusal = refusal;
  }

  /** @param {Runtime} runtime @param {{onnx: Uint8Array, files: Map<string, import("./engine.js").Source>, inner?: string[], refusal: Refusal}} model
   *   files: external weights by name; inner: values that are no outputs and can be had too */
  static async open(runtime, { onnx, files, inner = [], refusal }) {
    try {
      const session = await runtime.InferenceSession.create(inner.length > 0 ? withOutputs(onnx, inner) : onnx, {
        logSeverityLevel: 4,
        // Fusions beyond the basic ones forget that inner values are outputs (Conv + Add + Relu in 1.30).
        graphOptimizationLevel: inner.length > 0 ? "basic" : "all",
        externalData: [...files].map(([path, data]) => ({ path, data })),
      });
      return new Session(runtime, session, refusal);
    } catch (error) {
      if (/no available backend found/.test(String(error))) throw fault("RUNTIME", runtimeMissing(), { cause: error }); // its .wasm file is not there
      throw fault("RUNTIME", refusal(reasonOf(error)), { cause: error });
    }
  }

  /** Inputs and their types. @returns {Map<string, string>} */
  get inputs() {
    return new Map(this.#session.inputMetadata.map((port) => [port.name, port.isTensor ? port.type : "no tensor"]));
  }

  /** Outputs of floating-point numbers, asked-for inner values included, and their types. @returns {Map<string, string>} */
  get floats() {
    return new Map(this.#session.outputMetadata.flatMap((port) => (port.isTensor && dtype(port.type) !== null ? [[port.name, port.type]] : [])));
  }

  /** @param {Inputs} inputs @param {Float64Array} block (rows, features) @param {number} rows @param {string[]} names of outputs @returns {Promise<Value[]>} */
  async run(inputs, block, rows, names) {
    try {
      const tensors = fill(inputs, block, rows).map(({ name, type, data, dims }) => [name, new this.#runtime.Tensor(/** @type {any} */ (type), /** @type {any} */ (data), dims)]);
      const results = await this.#session.run(Object.fromEntries(tensors), names);
      return names.map((name) => ({ type: results[name].type, dims: results[name].dims, data: results[name].data }));
    } catch (error) {
      throw fault("RUNTIME", this.#refusal(reasonOf(error)), { cause: error });
    }
  }

  release() {
    return this.#session.release();
  }
}

/** The block with its last row repeated until there are enough. @param {Float64Array} block @param {number} rows it has @param {number} wanted */
function padded(block, rows, wanted) {
  if (rows >= wanted) return block;
  const width = block.length / rows;
  const out = new Float64Array(wanted * width);
  out.set(block);
  for (let row = rows; row < wanted; row += 1) out.set(block.subarray(block.length - width), row * width);
  return out;
}

/** The part of a value that belongs to the first rows of a batch. @param {Value} value @param {number} rows @param {number} batch @returns {Value} */
function firstOf({ type, dims, data }, rows, batch) {
  const [first = 1, ...rest] = dims;
  if (rows >= batch || first % batch !== 0) return { type, dims, data };
  return { type, dims: [(first / batch) * rows, ...rest], data: data.subarray(0, (data.length / batch) * rows) };
}

/**
 * Runs models on the same rows, batch after batch, and lets the event loop run between.
 * @param {{session: Session, names: string[]}[]} asked what of which
 * @param {{inputs: Inputs, count: number, at: (first: number, count: number) => Float64Array, group: number,
 *   signal?: AbortSignal, tell?: (fraction: number) => void}} rows
 *   at: rows first ... first + count - 1, (count, features); group: rows a run
 * @param {(values: Value[][], count: number, first: number) => void} take what each of them gave, in the order asked
 */
export async function runRows(asked, { inputs, count, at, group, signal, tell }, take) {
  const least = inputs.batch ?? 1;
  for (let first = 0; first < count; first += group) {
    signal?.throwIfAborted();
    const rows = Math.min(group, count - first);
    const run = Math.max(rows, least);
    const block = padded(at(first, rows), rows, run);
    /** @type {Value[][]} */
    const values = [];
    for (const { session, names } of asked) values.push((await session.run(inputs, block, run, names)).map((value) => firstOf(value, rows, run)));
    signal?.throwIfAborted(); // what takes them may be gone
    take(values, rows, first);
    tell?.((first + rows) / count);
    await breathe();
  }
}
