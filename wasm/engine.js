// engine: the one JavaScript API of netlump, used by the page's worker, the command line, index.js and the tests.
//
//   const engine = await createEngine();
//   const model  = engine.open(bytes, "model.onnx");            // Model, .info is a ModelInfo
//   const large  = await engine.load(file, "model.onnx", {files});  // the same from a File or Blob, read piece by piece
//   const path   = await model.path({data, seed, signal, onProgress});   // Path, .info is a PathInfo
//   const choice = path.choose({kind: "epsilon", value: 0.02});          // at once
//   const result = await path.compress({kind: "retain", value: 0.3}, {signal, onProgress});
//   const small  = result.write("onnx");                        // with result.files("onnx"), where weights lie beside it
//   model.free();                                               // with everything made from it
//
// Everything lives in the core's memory until free(). Long calls work in steps of some 50 ms and let the event loop run
// between them, so signals are heard. Errors are EngineErrors; an aborted call rejects with the signal's reason.
import { certify } from "./certificate.js";
import { EngineError, STATUS, fault } from "./fault.js";
import { Formats, isObject } from "./formats.js";
import { Handle, releaseAll } from "./handle.js";
import { isOpen, levelsOf, shapedInputs } from "./inputs.js";
import { loadCore } from "./loader.js";
import { byName, tooLargeFor, unknownMethod, wrongRows } from "./messages.js";
import { LINKAGES, METHODS, wantsOrder } from "./methods.js";
import { Pool, patienceFor, poolSize } from "./pool.js";
import { Runner, rowsOf } from "./runner.js";
import { Run } from "./runs.js";
import { loadRuntime } from "./runtime.js";
import { scored } from "./score.js";
import { LARGE, checkRoom, checkWork, find, part, pour, pourNow, sizeOf } from "./source.js";
import { breathe, runSteps } from "./steps.js";
import { sliceTable } from "./table.js";

/**
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./types.js").PathInfo} PathInfo
 * @typedef {import("./types.js").SizeTarget} Target
 * @typedef {import("./types.js").Choice} Choice
 * @typedef {import("./types.js").Table} Table
 * @typedef {import("./types.js").Report} Report
 * @typedef {import("./types.js").CurvePoint} CurvePoint
 * @typedef {import("./loader.js").Core} Core
 * @typedef {Omit<Report, "verified"|"score"|"bytes">} CoreReport
 * @typedef {import("./steps.js").Watch} Watch
 * @typedef {import("./methods.js").Method} Method
 * @typedef {import("./source.js").Source} Source
 * @typedef {import("./source.js").Files} Files
 * @typedef {import("./source.js").Part} Part
 * @typedef {{method?: Method, linkage?: import("./methods.js").Linkage, degree?: number, polish?: boolean, draft?: boolean, iterations?: number,
 *   weights?: string, large?: number}} Way
 *   linkage: of the methods that partition; degree: of the polynomials that stand for other activations, 0 for the default;
 *   polish: move what is left towards the original's outputs; draft: a first answer, fitted and measured on a few rows; iterations: of that at most, 0 for the default;
 *   weights: what the second file is called where ONNX of more than `large` bytes (10^9) keeps its weights outside
 */

const KINDS = { epsilon: 0, retain: 1, deviation: 2 }; // nl_target_kind
const ENCODINGS = { linear: 0, adjoint: 1, polynomial: 2 }; // nl_encoding
const EQUIVALENCES = { fde: 0, bde: 1 }; // nl_equivalence: forward, backward
const OK = 0; // NL_OK
const RUN = 2; // NL_RUN
const SHARE = 3; // NL_SHARE
const UNCLEAR = new Set(["NOT_A_MODEL", "MALFORMED", "TRUNCATED"]); // what is said of bytes that tell nothing
const KNOWN = /^an? (?!file without)/; // the core knows what it is
const START = 2 ** 10; // bytes that tell JSON
const HEAD = 2 ** 16; // bytes at either end of a file that tell what it is
const NUMBERS = 2 ** 24; // of a measure's rows, or of outputs kept, where a runtime runs the model
const ROWS = 512; // of its measure
const ROWS_FREE = 8192; // of the core's own, where nothing else is said
const ROWS_MOST = 16384; // that the core takes of the user's
const DERIVATIVES = 2 ** 27; // bytes that a refit keeps of them at most, with sums of theirs
const VALUES = 4; // layers whose values it keeps at a time, about

/** @param {{wasm?: import("./loader.js").WasmSource, formats?: import("./loader.js").WasmSource, scalar?: boolean} &
 *   Partial<import("./loader.js").Threads>} [options] wasm: the core; formats: what reads and writes JSON; threads: that do large work side by side, 0 for as many as the machine has processors (the default), 1 for none beside the caller's; spawn: starts one,
 * where that is not Node */
export async function createEngine(options = {}) {
  return new Engine(await loadCore(options), new Formats(options.formats));
}

export class Engine {
  #core;
  #formats;

  /** @param {Core} core @param {Formats} formats */
  constructor(core, formats) {
    this.#core = core;
    this.#formats = formats;
  }

  get version() {
    return this.#core.version;
  }

  /** Bytes of memory the core has; it grows and never shrinks. */
  get memory() {
    return this.#core.size;
  }

  /** Whether the core trapped; make another engine then. */
  get dead() {
    return this.#core.dead;
  }

  /**
   * @param {Uint8Array} bytes of an ONNX file or one of the JSON formats; those at once in Node, elsewhere with load()
   * @param {string} name of that file
   * @param {{files?: Map<string, Uint8Array>, shapes?: import("./inputs.js").Shapes}} [options] files: others by name, external
   *   weights; shapes: sizes of inputs that the model leaves open
   */
  open(bytes, name, { files = new Map(), shapes = new Map() } = {}) {
    return Model.open(this.#core, this.#formats, bytes, name, files, shapes);
  }

  /**
   * The same for files, which are read piece by piece, and of their weights only what the model needs.
   * @param {Source} source
   * @param {string} name of that file
   * @param {{files?: Files, shapes?: import("./inputs.js").Shapes, signal?: AbortSignal, shelf?: import("./away.js").Shelf, apartFrom?: number}} [options] files: others by name, external
   *   weights; shapes: sizes of inputs that the model leaves open; shelf: where a large model's tensors stay, where the source does
   *   not tell; apartFrom: bytes from which on they do
   */
  async load(source, name, { files = new Map(), shapes = new Map(), signal, shelf, apartFrom = LARGE } = {}) {
    const size = sizeOf(source);
    const away = size < apartFrom ? null : (await import("./away.js")).Away.open(source, size, shelf);
    return Model.load(this.#core, this.#formats, source, name, files, shapes, signal, away);
  }
}

/** Forward pass shared by models and results. @param {Core} core @param {ModelInfo} info @param {"model"|"result"} kind
 * @param {number} handle @param {Float64Array} rows (rows, features) @returns {Float64Array} (rows, results) */
function forward(core, info, kind, handle, rows) {
  const count = info.features > 0 ? rows.length / info.features : 0;
  if (!Number.isInteger(count)) throw fault("ARGUMENT", wrongRows(rows.length, info.features));
  const x = core.copyIn(rows);
  let y = 0;
  try {
    y = core.take(count * info.results * 8);
    core.status(info.name, `${kind}_forward`, handle, count, x, y);
    return core.float64(y, count * info.results);
  } finally {
    core.release(y);
    core.release(x);
  }
}

/** What the core wants of the choice, in its order. @param {import("./types.js").EquivalenceOptions} options */
const equivalence = ({ encoding = "adjoint", equivalence: kind = "fde", linkage = "complete", degree = 0, symmetric = false, epsilon = 0 }) => [
  ENCODINGS[encoding],
  EQUIVALENCES[kind],
  numberOf(LINKAGES, linkage),
  degree,
  Number(symmetric),
  epsilon,
];

/** @template T @typedef {Generator<string|Part, T, any>} Opening   asks for a file by name, or for a part of one in the core's memory */

export class Model extends Handle {
  #core;
  #formats;
  #source;
  /** @type {import("./formats.js").Origin|null} what came in JSON */
  #origin = null;
  /** @type {number[]} */
  #pointers = []; // of file bytes, which the core's model points into; the model's own first
  /** @type {import("./inputs.js").Shapes} */
  #shapes = new Map();
  /** @type {Runner|null} */
  #runner = null;
  /** @type {import("./away.js").Away|null} */
  #away = null;
  #store = 0;

  /** @private @param {Core} core @param {Formats} formats @param {Source} source */
  constructor(core, formats, source) {
    super("model", null, (handle) => {
      void this.#runner?.release();
      if (!core.dead) core.call("model_free", handle);
      releaseAll(core, this.#pointers);
      core.giveBack(this.#store);
    });
    this.#core = core;
    this.#formats = formats;
    this.#source = source;
    /** @type {Map<string, Source>} external weights, by the names the model calls them */
    this.files = new Map();
    this.info = /** @type {ModelInfo} */ (/** @type {unknown} */ (null)); // once it is open
  }

  /** @param {Core} core @param {Formats} formats @param {Uint8Array} bytes @param {string} name @param {Map<string, Uint8Array>} files
   * @param {import("./inputs.js").Shapes} shapes */
  static open(core, formats, bytes, name, files, shapes) {
    const model = new Model(core, formats, bytes);
    const opening = model.#opening(name);
    try {
      if (isObject(bytes)) model.#came(formats.open(bytes, name, files));
      for (let step = opening.next(); !step.done; )
        step = opening.next(typeof step.value === "string" ? find(files, step.value) : pourNow(core, step.value));
      model.reshape(shapes);
      return model;
    } catch (error) {
      throw model.#failed(error, name);
    }
  }

  /** @param {Core} core @param {Formats} formats @param {Source} source @param {string} name @param {Files} files
   * @param {import("./inputs.js").Shapes} shapes @param {AbortSignal} [signal] @param {{away: import("./away.js").Away, hollow: Uint8Array}|null} [apart] */
  static async load(core, formats, source, name, files, shapes, signal, apart = null) {
    const model = new Model(core, formats, source);
    const opening = model.#opening(name, apart);
    try {
      if (isObject(await part(source, name, 0, Math.min(START, sizeOf(source))))) model.#came(await formats.load(source, name, files, signal));
      for (let step = opening.next(); !step.done; )
        step = opening.next(await (typeof step.value === "string" ? find(files, step.value) : pour(core, step.value, signal)));
      model.reshape(shapes);
      return model;
    } catch (error) {
      throw model.#failed(error, name);
    }
  }

  /** Goes on with the ONNX of what came in JSON. @param {import("./formats.js").Converted|null} converted null: in no format that is known */
  #came(converted) {
    if (converted === null) return;
    const { onnx, ...origin } = converted;
    this.#source = onnx;
    this.#origin = origin;
    this.files = new Map(origin.files);
  }

  /** What opening asks for: a file of that name, or that a part of a file be put where it goes.
   * @param {string} name @param {{away: import("./away.js").Away, hollow: Uint8Array}|null} [apart] @returns {Opening<void>} */
  *#opening(name, apart = null) {
    const bytes = sizeOf(this.#source);
    if (bytes > 2 * HEAD) yield* this.#look(name, bytes);
    if (apart !== null && (yield* this.#openApart(name, bytes, apart))) return;
    yield* this.#openWhole(name, bytes);
  }

  /** Without its large tensors. @param {string} name @param {number} bytes @param {{away: import("./away.js").Away, hollow: Uint8Array}} apart
   * @returns {Opening<boolean>} false where a runtime is to run it, which takes it whole */
  *#openApart(name, bytes, { away, hollow }) {
    const core = this.#core;
    const pointer = yield* this.#take({ source: hollow, file: name, offset: 0, size: hollow.length });
    this.#store = core.lend(away);
    const handle = core.make(name, "model_open_away", pointer, hollow.length, this.#store);
    core.status(name, "model_missing_file", handle);
    const info = core.text() === "" ? (core.status(name, "model_describe", handle), JSON.parse(core.text())) : null;
    if (info?.engine !== "forward") {
      core.call("model_free", handle);
      releaseAll(core, this.#pointers);
      core.giveBack(this.#store);
      return false;
    }
    this.hold(handle);
    this.#away = away;
    this.info = { normalises: false, format: "onnx", ...info, polishes: false, large: true, bytes, name };
    return true;
  }

  /** @param {string} name @param {number} bytes @returns {Opening<void>} */
  *#openWhole(name, bytes) {
    const core = this.#core;
    checkRoom(name, bytes, 0);
    const pointer = yield* this.#take({ source: this.#source, file: name, offset: 0, size: bytes });
    this.hold(core.make(name, "model_open", pointer, bytes));
    checkRoom(name, bytes, core.call("model_missing_bytes", this.handle));
    for (let file = this.#missing(name); file !== ""; file = this.#missing(name)) yield* this.#attach(name, file);
    core.status(name, "model_describe", this.handle);
    const beside = [...this.files.values()].reduce((sum, source) => sum + sizeOf(source), 0);
    const own = this.#origin?.text.length ?? bytes;
    const format = this.#origin?.format ?? "onnx";
    this.info = { engine: "forward", polishes: true, normalises: false, format, ...JSON.parse(core.text()), bytes: own + beside, name };
  }

  /** Refuses what is no model by its ends, however large it is. @param {string} name @param {number} bytes @returns {Opening<void>} */
  *#look(name, bytes) {
    const core = this.#core;
    const pointer = core.take(2 * HEAD);
    try {
      yield { source: this.#source, file: name, offset: 0, size: HEAD, pointer };
      yield { source: this.#source, file: name, offset: bytes - HEAD, size: HEAD, pointer: pointer + HEAD };
      core.status(name, "model_look", pointer, HEAD, pointer + HEAD, HEAD);
    } finally {
      core.release(pointer);
    }
  }

  /** @param {string} name */
  #missing(name) {
    this.#core.status(name, "model_missing_file", this.handle);
    return this.#core.text();
  }

  /** The next slice of a file that is missing. @param {string} name of the model @param {string} file @returns {Opening<void>} */
  *#attach(name, file) {
    const core = this.#core;
    const source = this.files.get(file) ?? (yield file);
    if (source === undefined) throw core.errorAt(name, STATUS.EXTERNAL, file);
    this.files.set(file, source);
    core.status(name, "model_missing_slice", this.handle);
    const offset = core.left("slice_offset");
    const size = Math.max(0, Math.min(core.left("slice_size"), sizeOf(source) - offset));
    const pointer = yield* this.#take({ source, file, offset, size });
    core.withString(file, (text) => core.status(name, "model_attach_slice", this.handle, text, offset, pointer, size));
  }

  /** @param {Omit<import("./source.js").Part, "pointer">} part @returns {Opening<number>} */
  *#take(part) {
    const pointer = this.#core.take(part.size);
    this.#pointers.push(pointer);
    yield { ...part, pointer };
    return pointer;
  }

  /** @param {unknown} error @param {string} name */
  #failed(error, name) {
    this.free();
    releaseAll(this.#core, this.#pointers);
    const sentence = error instanceof EngineError && UNCLEAR.has(error.code) && !KNOWN.test(error.detail) ? byName(name) : null;
    return sentence === null ? error : fault("NOT_A_MODEL", sentence, { place: name, cause: error });
  }

  get version() {
    return this.#core.version;
  }

  /** Its large tensors, where they stay in its file; null where it is all in the core's memory. */
  get away() {
    return this.#away;
  }

  /** What goes with onnx(): the files of its weights. @returns {Map<string, Source>} */
  get runtimeFiles() {
    return this.info.format === "onnx" ? this.files : new Map();
  }

  /** The model as ONNX, whatever it came as: what a runtime is given. @returns {Uint8Array} */
  onnx() {
    if (this.#away !== null) throw fault("LIMIT", tooLargeFor(this.info.name), { place: this.info.name });
    return this.#source instanceof Uint8Array ? this.#source : this.#core.copyOut(this.#pointers[0], this.#source.size);
  }

  /** @package What it came from, where that is JSON. */
  get origin() {
    return this.#origin;
  }

  /** @package */
  get formats() {
    return this.#formats;
  }

  /** Whether these are the bytes of its own file. @param {Uint8Array} bytes */
  is(bytes) {
    return this.#away === null && bytes.length === sizeOf(this.#source) && this.#core.holds(this.#pointers[0], bytes);
  }

  /** @param {Float64Array} rows (rows, features) @returns {Float64Array} (rows, results) */
  forward(rows) {
    return forward(this.#core, this.info, "model", this.handle, rows);
  }

  /** The weights of a dense layer, as trained. @param {number} layer its place in info.layers @returns {import("./types.js").Weights} */
  weights(layer) {
    this.#core.status(this.info.name, "model_weights", this.handle, layer);
    return { ...JSON.parse(this.#core.name()), weights: new Float64Array(this.#core.bytes().buffer) };
  }

  /** Whether ONNX Runtime runs it, not the core: there is no forward() then, and only some of the methods. */
  get outside() {
    return this.info.engine === "runtime";
  }

  /** Says how long the axes are that inputs leave open. What was made from the model before is freed.
   * @param {import("./inputs.js").Shapes} shapes sizes by the input's name @returns {ModelInfo} */
  reshape(shapes) {
    if (!this.outside) return this.info;
    const features = shapes.size > 0 || !this.info.inputs.some(isOpen) ? this.#featuresWith(shapes) : 0;
    this.freeChildren();
    void this.#runner?.release();
    this.#runner = null;
    this.#shapes = shapes;
    this.info = { ...this.info, features };
    return this.info;
  }

  /** Of a model that can be run; 0 where it cannot, which is said when it is to be. @param {import("./inputs.js").Shapes} shapes */
  #featuresWith(shapes) {
    try {
      return shapedInputs(this.info, shapes).features;
    } catch (error) {
      if (shapes.size > 0) throw error;
      return 0;
    }
  }

  /** @package How rows fill its inputs; throws where sizes are missing. @returns {import("./inputs.js").Inputs} */
  get inputs() {
    return shapedInputs(this.info, this.#shapes);
  }

  /** Numbers in a row of inputs; throws where sizes are missing. */
  get features() {
    return this.outside ? this.inputs.features : this.info.features;
  }

  /** @package What runs it, loaded when first asked for. @param {Watch} [watch] @returns {Promise<Runner>} */
  async runner({ onProgress } = {}) {
    if (this.#runner) return this.#runner;
    onProgress?.({ stage: "runtime", fraction: 0 });
    const runtime = await loadRuntime();
    this.#runner ??= new Runner(runtime, { info: this.info, runtimeFiles: this.runtimeFiles, onnx: () => this.onnx() }, this.inputs);
    return this.#runner;
  }

  /** Outputs of rows, whatever evaluates the network. @param {Float64Array} rows (rows, features)
   * @param {{wanted?: (width: number) => boolean, signal?: AbortSignal}} [options] wanted: which, by the numbers a row they give
   * @returns {Promise<import("./types.js").Answer[]>} */
  async run(rows, options = {}) {
    if (this.outside) return (await this.runner()).outputs(null, rowsOf(rows, this.features), options);
    return this.answer(() => this.forward(rows), options);
  }

  /** @package What the core computes as an answer; none of a model whose tensors stay in its file. @param {() => Float64Array} compute @param {{wanted?: (width: number) => boolean}} options
   * @returns {import("./types.js").Answer[]} */
  answer(compute, { wanted = () => true }) {
    const { computed, results } = this.info;
    return wanted(results) && this.#away === null ? [{ name: computed.join(", "), width: results, values: compute() }] : [];
  }

  /** How many of some rows may be run and their outputs kept. @param {Float64Array} rows @param {number} most */
  async keepable(rows, most) {
    if (!this.outside) return most;
    const results = await (await this.runner()).results(rowsOf(rows, this.features));
    return Math.max(1, Math.min(most, Math.floor(NUMBERS / Math.max(results, 1))));
  }

  /**
   * Blocks of the hidden neurons under ε-differential equivalence; hL_K is neuron K of hidden layer L, both from 1.
   * @param {import("./types.js").EquivalenceOptions} [options]
   * @returns {import("./types.js").Blocks}
   */
  blocks(options = {}) {
    this.#core.status(this.info.name, "model_blocks", this.handle, ...equivalence(options));
    return JSON.parse(this.#core.text());
  }

  /** How those blocks come about, layer by layer, split by split; for layers of at most 64 neurons.
   * @param {import("./types.js").EquivalenceOptions} [options] @returns {import("./types.js").Trace} */
  trace(options = {}) {
    this.#core.status(this.info.name, "model_trace", this.handle, ...equivalence(options));
    return JSON.parse(this.#core.text());
  }

  /** The encoding as ERODE's .ode file. @param {import("./types.js").EquivalenceOptions} [options] @returns {string} */
  ode(options = {}) {
    this.#core.status(this.info.name, "model_ode", this.handle, ...equivalence(options));
    return this.#core.text();
  }

  /** The layers' activations as polynomials, hidden layers first, the output last. @param {number} [degree] of fitted ones
   * @returns {import("./types.js").Polynomial[]} */
  polynomials(degree = 0) {
    this.#core.status(this.info.name, "model_polynomials", this.handle, degree);
    return JSON.parse(this.#core.text());
  }

  /**
   * @param {{data?: Table|null, seed?: number, rows?: number, mean?: Float64Array|null, spread?: Float64Array|null,
   *   low?: Float64Array|null, high?: Float64Array|null, ordered?: boolean} & Watch} [options] without data: x ~ N(mean, spread²), or uniform
   *   in the box from low to high; ordered: false where nothing but methods with an order of their own may follow (methods.js): the path
   *   then orders its neurons once something asks for that
   * @returns {Promise<Path>}
   */
  async path({ data = null, seed = 1, rows = 0, mean = null, spread = null, low = null, high = null, ordered = true, signal, onProgress } = {}) {
    signal?.throwIfAborted();
    const most = this.outside ? Math.max(1, Math.floor(NUMBERS / this.features)) : Infinity;
    const measured = data && data.rows > most ? sliceTable(data, 0, most) : data;
    const drawn = Math.min(rows || (this.outside ? ROWS : 0), most);
    if (!this.outside) checkWork(this.info, rowsMeasured(data, drawn), this.#away !== null, this.#core.size);
    const path = new Path(this.#core, this, this.handle, { data: measured, seed, rows: drawn, mean, spread, low, high });
    try {
      if (ordered || (this.outside && data === null)) await path.order({ signal, onProgress }); // which may set normalisations, too
      return path;
    } catch (error) {
      path.free();
      throw error;
    }
  }

  /** @package Other threads for work of so many multiplications; null where they would not pay.
   * @param {number} work @param {number} jobs @param {number} seed @param {number} [kept] bytes @returns {Pool|null} */
  pool(work, jobs, seed, kept = 0) {
    const { threads, spawn } = this.#core.threads;
    const size = spawn === null ? 0 : poolSize(work, jobs, this.info.bytes, threads, kept);
    if (spawn === null || size === 0) return null;
    return new Pool(size, spawn, this.opening(seed), patienceFor(work, jobs));
  }

  /** @package What a helper is sent. @param {number} seed @returns {import("./pool.js").Opening} */
  opening(seed) {
    return { module: this.#core.module, source: this.#source, name: this.info.name, files: this.runtimeFiles, seed };
  }

  /** @package Does jobs of a path elsewhere. @param {number} seed of that path @returns {(input: Float64Array) => Float64Array} */
  helper(seed) {
    const core = this.#core;
    const helper = core.make(this.info.name, "path_helper", this.handle, seed);
    return (input) => {
      core.lending(input, (pointer) => core.status(this.info.name, "path_job_do", helper, pointer, input.length));
      return new Float64Array(core.bytes().buffer);
    };
  }

  /**
   * A guaranteed bound on how far a smaller model's outputs are from this one's over a box of inputs, for networks that are
   * a line of dense layers. Takes some seconds.
   * @param {Uint8Array} bytes of the smaller model, as written
   * @param {import("./certificate.js").Box & {files?: Files} & Watch} options files: those that go with it
   * @returns {Promise<import("./types.js").Certificate>}
   */
  async certify(bytes, { low, high, files = this.files, signal, onProgress }) {
    signal?.throwIfAborted();
    const smaller = await Model.load(this.#core, this.#formats, bytes, this.info.name, files, new Map(), signal);
    try {
      const handles = /** @type {[number, number]} */ ([this.handle, smaller.handle]);
      return await certify(this.#core, this, this.info.name, handles, { low, high }, this.info.features, { signal, onProgress });
    } finally {
      smaller.free();
    }
  }
}

/** Of a network that the core evaluates. @param {Table|null} data @param {number} drawn where there is none; 0: as many as the core likes */
const rowsMeasured = (data, drawn) => (data ? Math.min(data.rows, ROWS_MOST) : drawn || ROWS_FREE);

export class Path extends Handle {
  #core;
  #data;
  #seed;
  #rows;
  #widths = 0; // room for a choice's widths
  #ordered = false;
  /** @type {PathInfo|null} */
  #info = null;

  /** @param {Core} core @param {Model} model @param {number} handle of the model
   * @param {{data: Table|null, seed: number, rows: number, mean: Float64Array|null, spread: Float64Array|null,
   *   low: Float64Array|null, high: Float64Array|null}} options */
  constructor(core, model, handle, { data, seed, rows, mean, spread, low, high }) {
    /** @type {number[]} */
    const pointers = []; // what the core's path borrows
    super("path", model, (path) => {
      if (!core.dead) core.call("path_free", path);
      releaseAll(core, pointers);
    });
    const lend = (/** @type {Float64Array|null} */ array) => {
      if (array === null) return 0;
      const pointer = core.copyIn(array);
      pointers.push(pointer);
      return pointer;
    };
    this.#core = core;
    this.#data = data;
    this.#seed = seed;
    this.#rows = rowsMeasured(data, rows);
    this.model = model;
    try {
      const { outside } = model;
      const lent = [lend(data?.features ?? null), lend(mean), lend(spread), lend(low), lend(high), lend(outside ? levelsOf(model.inputs) : null)];
      this.#widths = core.take(4 * model.info.sites.length + 4);
      pointers.push(this.#widths);
      this.hold(core.make(model.info.name, "path_create", handle, seed, rows, lent[0], data?.rows ?? 0, ...lent.slice(1), outside ? model.features : 0));
    } catch (error) {
      releaseAll(core, pointers);
      throw error;
    }
  }

  /** @package Threads that have the rows of a refit. @param {number} work @param {number} shares that its rows fall into */
  helpers(work, shares) {
    const widest = this.model.info.layers.reduce((most, { width }) => Math.max(most, width), 0);
    return this.model.pool(work, shares, this.#seed, DERIVATIVES + 8 * this.#rows * (this.model.info.features + this.model.info.results + VALUES * widest));
  }

  /** Finds the order in which neurons go, where that has not been done. @param {Watch} [watch] */
  async order(watch = {}) {
    if (this.#ordered) return;
    await this.#together(watch);
    await runSteps(() => this.#step(watch), "path", watch);
    this.#ordered = true;
    this.#info = null;
  }

  /** What other threads can do of it, where that pays. @param {Watch} watch */
  async #together(watch) {
    const core = this.#core;
    const pool = this.model.pool(core.call("path_work", this.handle), core.call("path_end_job", this.handle), this.#seed);
    const tell = () => watch.onProgress?.({ stage: "path", fraction: core.left("progress") });
    try {
      await pool?.run(
        {
          next: () => core.call("path_next_job", this.handle),
          end: () => core.call("path_end_job", this.handle),
          give: (job) => this.#give(job),
          take: (job, output) => this.#take(job, output, tell),
          alone: () => this.#step(watch).then(tell).then(breathe),
        },
        watch,
      );
    } finally {
      pool?.close();
    }
  }

  /** @param {number} job */
  #give(job) {
    this.#core.status(this.#file, "path_job_give", this.handle, job);
    return new Float64Array(this.#core.bytes().buffer);
  }

  /** @param {number} job @param {Float64Array} output @param {() => void} tell */
  #take(job, output, tell) {
    this.#core.lending(output, (pointer) => this.#core.status(this.#file, "path_job_take", this.handle, job, pointer, output.length));
    tell();
  }

  /** @param {Watch} watch */
  async #step(watch) {
    const status = this.#core.status(this.#file, "path_step", this.handle);
    const fraction = this.#core.left("progress");
    if (status === RUN) await this.serve("path_run", this.handle, watch, (part) => ({ stage: "path", fraction, part }));
    return { more: status !== OK, fraction };
  }

  /** @package Lets the runtime do what the core waits for. @param {"path_run"|"result_run"} name @param {number} handle @param {Watch} watch
   * @param {(part: number) => import("./types.js").Progress} at how far the run is */
  async serve(name, handle, { signal, onProgress }, at) {
    const runner = await this.model.runner({ onProgress });
    signal?.throwIfAborted();
    const run = new Run(this.#core, this.#file, this.#core.call(name, handle) >>> 0);
    await runner.serve(run, { of: this, at: (first, count) => this.rows(first, count) }, { signal, tell: (part) => onProgress?.(at(part)) });
  }

  /** Rows of the measure. @param {number} first @param {number} count @returns {Float64Array} (count, features) */
  rows(first, count) {
    const { features } = this.model;
    const x = this.#core.take(8 * count * features);
    try {
      this.#core.call("path_rows", this.handle, first, count, x);
      return this.#core.float64(x, count * features);
    } finally {
      this.#core.release(x);
    }
  }

  /** Written out when it is first asked for. @returns {PathInfo} */
  get info() {
    return (this.#info ??= this.#described());
  }

  /** @returns {PathInfo} */
  #described() {
    this.#core.status(this.#file, "path_describe", this.handle);
    const info = JSON.parse(this.#core.text());
    return { ...info, measure: this.#withSource(info.measure) };
  }

  /** The range of each input over the measure's rows. @returns {import("./certificate.js").Box} */
  range() {
    const { features } = this.model.info;
    const low = this.#core.take(16 * features);
    try {
      this.#core.call("path_range", this.handle, low, low + 8 * features);
      return { low: this.#core.float64(low, features), high: this.#core.float64(low + 8 * features, features) };
    } finally {
      this.#core.release(low);
    }
  }

  /** Rows the measure does not hold, drawn alike; with data x ~ N(0, I). @param {number} rows @returns {Float64Array} (rows, features) */
  draw(rows) {
    const { features } = this.model.info;
    const x = this.#core.take(8 * rows * features);
    try {
      this.#core.call("path_draw", this.handle, this.#seed + 1, rows, x);
      return this.#core.float64(x, rows * features);
    } finally {
      this.#core.release(x);
    }
  }

  /** What a target comes to, before any refit; takes microseconds. @param {Target} target @returns {Choice} */
  choose({ kind, value }) {
    this.#core.status(this.#file, "path_choose", this.handle, KINDS[kind], value, this.#widths);
    return {
      epsilon: this.#core.left("choice_epsilon"),
      parameters: this.#core.left("choice_parameters"),
      retained: this.#core.left("choice_retained"),
      widths: this.#core.uint32(this.#widths, this.model.info.sites.length),
    };
  }

  /**
   * @param {Target} target
   * @param {Way & Watch} [options] the way to get there: projected lumping without polish by default
   * @returns {Promise<Result>}
   */
  async compress(target, { signal, onProgress, polish = false, ...way } = {}) {
    signal?.throwIfAborted();
    if (wantsOrder(way.method)) await this.order({ signal, onProgress });
    const result = new Result(this.#core, this, this.handle, target, { ...way, polish: polish && this.model.info.polishes });
    try {
      await runSteps(() => result.step({ signal, onProgress }), "refit", { signal, onProgress });
      result.describe((measure) => this.#withSource(measure));
      return result;
    } catch (error) {
      result.free();
      throw error;
    } finally {
      result.endHelpers();
    }
  }

  /**
   * Size against deviation from the whole model down to the smallest, the sizes spaced evenly on a logarithmic scale, one
   * method after the other. Different sizes only; within a method they fall from point to point. A size that a method cannot
   * reach is left out, and so is a method the model does not allow; `onMissing` hears of methods that have no point at all, and
   * why. `score`: labelled rows each point is scored on.
   * @param {{points?: number, methods?: readonly Method[], score?: Table|null, onMissing?: (method: Method, why: EngineError) => void}
   *   & Omit<Way, "method"> & Watch} [options]
   * @returns {Promise<CurvePoint[]>}
   */
  async curve({ points = 16, methods = ["projected"], score = null, onMissing, signal, onProgress, ...way } = {}) {
    await this.order({ signal, onProgress });
    const targets = this.#curveTargets(points);
    /** @type {CurvePoint[]} */
    const curve = [];
    for (const [m, method] of methods.entries()) {
      let last = Infinity;
      /** @type {EngineError|null} */
      let why = null;
      for (const [i, target] of targets.entries()) {
        const tell = (/** @type {number} */ fraction) =>
          onProgress?.({ stage: "curve", fraction: (m + (i + fraction) / targets.length) / methods.length });
        const watch = { signal, onProgress: (/** @type {{fraction: number}} */ { fraction }) => tell(fraction) };
        const result = await this.#compressIfPossible(target, { ...way, method, ...watch });
        if (result instanceof EngineError) {
          why = result;
          continue;
        }
        if (result.report.parameters.after < last) curve.push(await curvePoint(result, score, way.polish === true));
        last = Math.min(last, result.report.parameters.after);
        result.free();
      }
      if (why !== null && last === Infinity) onMissing?.(method, why);
    }
    return curve;
  }

  /** @param {Target} target @param {Way & Watch} options */
  async #compressIfPossible(target, options) {
    try {
      return await this.compress(target, options);
    } catch (error) {
      if (error instanceof EngineError && ["UNREACHABLE", "UNSUPPORTED"].includes(error.code)) return error;
      throw error;
    }
  }

  /** The targets behind a curve: the whole model first, each a smaller one. @param {number} points @returns {Target[]} */
  #curveTargets(points) {
    const loosest = this.info.sites.flatMap((site) => site.deviation).reduce((a, b) => Math.max(a, b), 0);
    const smallest = this.choose({ kind: "epsilon", value: loosest }).retained;
    /** @type {Target[]} */
    const targets = [];
    let last = { epsilon: -1, parameters: Infinity };
    for (let i = 0; i < points; i += 1) {
      const target = /** @type {Target} */ ({ kind: "retain", value: smallest ** (i / (points - 1)) });
      const choice = this.choose(target);
      if (choice.parameters >= last.parameters || choice.epsilon < last.epsilon) continue;
      targets.push(target);
      last = choice;
    }
    return targets;
  }

  /** The core knows the rows, not the name of their file. @param {import("./types.js").Measure} measure */
  #withSource(measure) {
    return this.#data ? { ...measure, source: this.#data.source } : measure;
  }

  get #file() {
    return this.model.info.name;
  }
}

/** @template T @param {readonly T[]} names @param {T} name @returns {number} */
function numberOf(names, name) {
  const number = names.indexOf(name);
  if (number < 0) throw fault("ARGUMENT", unknownMethod(String(name)));
  return number;
}

/** @param {Result} result @param {Table|null} table @param {boolean} polished asked for; nothing may have come of it @returns {Promise<CurvePoint>} */
async function curvePoint(result, table, polished) {
  const { epsilon, retained, parameters, sites, deviation, method } = result.report;
  return {
    epsilon,
    retained,
    parameters: parameters.after,
    widths: sites.map((site) => site.after),
    deviation,
    score: (await scored(result, table))?.value ?? null,
    method,
    polished,
  };
}

/** What the page calls the weights of a smaller model that has them outside. @param {string} model its file */
const weightsName = (model) => `${model.replace(/^.*[\\/]|\.(onnx|json)$/gi, "")}.small.onnx.data`;

export class Result extends Handle {
  #core;
  /** @type {Pool|null|undefined} that have the rows of its refit; undefined: not asked for yet */
  #helpers = undefined;
  report = /** @type {CoreReport} */ (/** @type {unknown} */ (null)); // from describe() on

  /** @param {Core} core @param {Path} path @param {number} handle of the path @param {Target} target @param {Way} way */
  constructor(core, path, handle, { kind, value }, { method = "projected", linkage = "complete", degree = 0, polish = false, draft = false, iterations = 0, large = 0, weights }) {
    super("result", path, (result) => {
      if (!core.dead) core.call("result_free", result);
    });
    this.#core = core;
    this.path = path;
    const { name } = path.model.info;
    const way = [numberOf(METHODS, method), numberOf(LINKAGES, linkage), degree, Number(polish), Number(draft), iterations, large];
    core.withString(weights ?? weightsName(name), (text) => this.hold(core.make(name, "result_create", handle, KINDS[kind], value, ...way, text)));
  }

  /** @package @param {Watch} watch */
  async step(watch) {
    if (this.#helpers === undefined) this.#findHelpers();
    const status = this.#core.status(this.#info.name, "result_step", this.handle);
    const fraction = this.#core.left("progress");
    if (status === RUN) await this.path.serve("result_run", this.handle, watch, (part) => ({ stage: "refit", fraction, part }));
    if (status === SHARE) await this.#share(watch);
    const polishing = this.#core.call("result_polishing", this.handle) !== 0;
    if (polishing) this.endHelpers();
    return { more: status !== OK, fraction, stage: polishing ? /** @type {const} */ ("polish") : undefined };
  }

  /** Once a refit is about to begin. */
  #findHelpers() {
    const work = this.#core.call("result_work", this.handle);
    if (work === 0) return;
    this.#helpers = this.path.helpers(work, this.#core.call("result_shares", this.handle));
    this.#shareWith(this.#helpers?.size ?? 0);
  }

  /** @param {number} size */
  #shareWith(size) {
    this.#core.status(this.#info.name, "result_share", this.handle, size);
  }

  /** What the refit waits for; without those it waited for where one of them fails. @param {Watch} watch */
  async #share(watch) {
    const { name } = this.#info;
    const give = (/** @type {number} */ helper) => {
      this.#core.status(name, "result_give", this.handle, helper);
      return new Float64Array(this.#core.bytes().buffer);
    };
    const take = (/** @type {number} */ helper, /** @type {Float64Array} */ output) =>
      this.#core.lending(output, (pointer) => this.#core.status(name, "result_take", this.handle, helper, pointer, output.length));
    if (await this.#helpers?.all(give, take, watch)) return;
    this.endHelpers();
    this.#shareWith(0);
  }

  /** @package */
  endHelpers() {
    this.#helpers?.close();
    this.#helpers = null;
  }

  /** @package @param {(measure: import("./types.js").Measure) => import("./types.js").Measure} named */
  describe(named) {
    this.#core.status(this.#info.name, "result_report", this.handle);
    const report = JSON.parse(this.#core.text());
    const { name, format, engine } = this.#info;
    this.report = { netlump: this.#core.version, model: name, format, engine, ...report, measure: named(report.measure) };
  }

  /** The smaller model's file. @param {import("./types.js").Format} [format] the source's by default; tfjs and brain only for models
   * that came so @returns {Uint8Array} */
  write(format = this.#info.format) {
    if (this.path.model.away) throw fault("LIMIT", tooLargeFor(this.#info.name), { place: this.#info.name });
    return this.#written(format);
  }

  /** The same, in the parts it is made of where the model is large: those that are the model's own stay in its file.
   * @param {import("./types.js").Format} [format] @returns {Source} */
  file(format = this.#info.format) {
    const written = this.#written(format);
    return this.path.model.away?.filled(written) ?? written;
  }

  /** Fetches what writes other formats than ONNX, where that is not there: before write() and files() outside Node.
   * @param {import("./types.js").Format} [format] */
  async prepare(format = this.#info.format) {
    if (format !== "onnx") await this.path.model.formats.prepare();
  }

  /** @param {import("./types.js").Format} format */
  #written(format) {
    if (format !== "onnx") return this.path.model.formats.write(this.#info.name, format, this.#joined(), this.path.model.origin);
    this.#core.status(this.#info.name, "result_write", this.handle);
    return this.#core.bytes();
  }

  /** As ONNX in one piece. */
  #joined() {
    this.#core.status(this.#info.name, "result_write_joined", this.handle);
    return this.#core.bytes();
  }

  /** The files that go with it, by the names it calls them: weights that are kept outside. Where nothing was removed the
   * model's own. @param {import("./types.js").Format} [format] the source's by default @returns {Map<string, Source>} */
  files(format = this.#info.format) {
    const { model } = this.path;
    if (format !== "onnx") return model.origin?.files.size ? model.formats.files(this.#info.name, format, this.#joined(), model.origin) : new Map();
    this.#core.status(this.#info.name, "result_write_weights", this.handle);
    const name = this.#core.name();
    if (name !== "") return new Map([[name, this.#core.bytes()]]);
    return model.runtimeFiles.size > 0 && !model.away && model.is(this.write(format)) ? new Map(model.files) : new Map();
  }

  /** What became of a site's neurons. @param {number} site @returns {import("./types.js").Lumping} */
  lumping(site) {
    this.#core.status(this.#info.name, "result_lumping", this.handle, site);
    return JSON.parse(this.#core.text());
  }

  /** @param {Float64Array} rows (rows, features) @returns {Float64Array} (rows, results) */
  forward(rows) {
    return forward(this.#core, this.#info, "result", this.handle, rows);
  }

  /** As Model.run. @param {Float64Array} rows @param {{wanted?: (width: number) => boolean, signal?: AbortSignal}} [options] */
  async run(rows, options = {}) {
    const { model } = this.path;
    if (model.outside) return (await model.runner()).outputs({ onnx: this.write("onnx"), files: this.files("onnx") }, rowsOf(rows, model.features), options);
    return model.answer(() => this.forward(rows), options);
  }

  get #info() {
    return this.path.model.info;
  }
}
