// The page's side of the worker: the engine of engine.js with a thread in between.
//
//   const client = createClient({onRestart});
//   const info   = await client.open(bytes, "model.onnx", {files});            // ModelInfo
//   const info   = await client.shape(new Map([["x", [1, 3, 224, 224]]]));     // ModelInfo, where inputs leave sizes open
//   const table  = await client.read(csvBytes, "rows.csv", {labels: 1});       // Table, checked against the open model
//   const path   = await client.path({data: table, seed: 1, signal, onProgress}); // PathInfo
//   const choice = await client.choose({kind: "epsilon", value: 0.02});        // Choice, within a few ms: the slider's call
//   const report = await client.compress({kind: "retain", value: 0.3}, {signal, onProgress, verify: true});  // Report
//   const small  = await client.write("onnx");                                 // Uint8Array of the last result
//   const worst  = await client.certify({signal, onProgress});                 // Certificate of the last result, or {unavailable}
//   const points = await client.curve({points: 16, signal, onProgress});       // CurvePoint[], largest first
//
// Rules:
// - Everything a call rejects with is an EngineError (fields of a Fault: status, code, message, place, detail), or the
//   signal's reason (an AbortError) when it was aborted. `message` is the sentence to show.
// - open, path, compress, curve, verify and certify replace an earlier unfinished call of the same name (the earlier one
//   rejects with an AbortError), so a slider may call compress() as often as it likes. A new result ends the certify() of the
//   old one, a new path() what belongs to the old path. A new open() ends everything that belongs to the old model; when it
//   fails, the model that was open stays open, with its path and its result.
// - Aborting tells the worker to stop. When it has not stopped within a second (ONNX Runtime: half a minute), it is terminated, a new one is
//   started, the model opened again, and `onRestart()` called: the path is gone then, ask for it again. Calls under way end with an
//   AbortError, but open() and read(), which begin again.
// - Bytes and tables given are copied, never taken away. Bytes received are the caller's.
import { proxy, wrap } from "comlink";

import { EngineError, fault } from "./fault.js";
import { crashed } from "./messages.js";

/**
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./types.js").PathInfo} PathInfo
 * @typedef {import("./types.js").Target} Target
 * @typedef {import("./types.js").Choice} Choice
 * @typedef {import("./types.js").Table} Table
 * @typedef {import("./types.js").Report} Report
 * @typedef {import("./types.js").CurvePoint} CurvePoint
 * @typedef {import("./types.js").Certificate} Certificate
 * @typedef {import("./types.js").Progress} Progress
 * @typedef {import("./types.js").Verified} Verified
 *
 * @typedef {import("./methods.js").Method} Method
 * @typedef {import("./engine.js").Way} Way
 * @typedef {import("./engine.js").Source} Source
 *
 * @typedef {import("./inputs.js").Shapes} Shapes
 * @typedef {{signal?: AbortSignal, onProgress?: (progress: Progress) => void}} Watch
 *
 * @typedef {object} Client
 * @property {(file: Source, name: string, options?: {files?: Map<string, Source>, shapes?: Shapes, signal?: AbortSignal}) => Promise<ModelInfo>} open
 *   Opens a model: bytes, or a File that is read in the worker, piece by piece. `files`: other files dropped with it, by name (external weights). A missing one rejects with code
 *   "EXTERNAL" and the file's name as `place`.
 * @property {(shapes: Shapes) => Promise<ModelInfo>} shape
 *   Says how long the axes are that inputs leave open. Ends everything that belongs to the model as it was.
 * @property {(file: Source, name: string, options?: {labels?: import("./data.js").Labels, skip?: import("./columns.js").Columns, divide?: number, standardize?: boolean,
 *   norm?: import("./images.js").Norm, beside?: {name: string, bytes: Source}[], pictures?: {name: string, bytes: Source}[], signal?: AbortSignal}) => Promise<Table>} read
 *   Reads CSV, TSV, NPY, NPZ, IDX (each also .gz), and images, alone, in a zip, or instead of the file as `pictures`. The last
 *   `labels` columns are labels, or those listed; `skip`: columns left out; `beside`: files with more columns of the same rows. `divide`: 255 for raw images in columns; `norm`: mean and std of pixels from 0 to 1.
 * @property {(options?: {data?: Table|null, seed?: number, rows?: number, mean?: Float64Array, spread?: Float64Array,
 *   low?: Float64Array, high?: Float64Array} & Watch) => Promise<PathInfo>} path
 *   Orders the neurons on the measure: `data`'s features, or x ~ N(mean, spread²) when there is none.
 * @property {(options: import("./types.js").EquivalenceOptions) => Promise<import("./types.js").Trace>} trace
 *   How the blocks of the open model come about, split by split; for small networks.
 * @property {(target: import("./types.js").SizeTarget) => Promise<Choice>} choose
 *   Widths and size a target gives, from the path alone, before any refit.
 * @property {(targets: import("./types.js").SizeTarget[]) => Promise<(Choice|null)[]>} choices
 *   The same for many at once, null where a target gives none: what a slider needs to answer by itself.
 * @property {(target: Target, options?: {verify?: boolean, score?: Table|null, heldOut?: boolean} & Way & Watch) => Promise<Report>} compress
 *   Makes the smaller model; with `draft` a report alone, of a first answer. `verify` (default true): run both in ONNX Runtime. `score`: labelled rows to score on;
 *   `heldOut`: whether they were kept out of the measure.
 * @property {(format?: import("./types.js").Format) => Promise<import("./source.js").Source>} file   The same, a Blob where the model is too large to be held.
 * @property {(format?: import("./types.js").Format) => Promise<Uint8Array>} write   The last result's bytes; the source's format by default.
 * @property {(format?: import("./types.js").Format) => Promise<Map<string, Source>>} files   What goes with those bytes, by name: weights kept outside.
 * @property {(options?: {points?: number, methods?: readonly Method[], score?: Table|null} & Omit<Way, "method"> & Watch) => Promise<CurvePoint[]>} curve
 * @property {(options: {points?: number, score?: Table|null} & Way & Watch) => Promise<{points: CurvePoint[], why: string|null}>} line
 *   The curve of one method, and why there is none. Lines may be drawn while other calls run.
 * @property {(options?: {signal?: AbortSignal}) => Promise<Verified|{skipped: string}>} verify   Runs the last result in ONNX Runtime.
 * @property {(options?: Watch) => Promise<Certificate|{unavailable: string}>} certify
 *   The last result's worst case, as it is written, over the range of the measure's rows; or why this model has none.
 * @property {(options?: import("./types.js").EquivalenceOptions) => Promise<string>} ode   The encoding as ERODE's .ode file; chains of dense layers only.
 * @property {(options?: {signal?: AbortSignal}) => Promise<import("./types.js").Lumping[]>} lumping   What the last result did to the neurons, site by site.
 * @property {(layer: number) => Promise<import("./types.js").Weights>} weights   Of a dense layer of the model, as trained.
 * @property {(rows: Float64Array, which?: "model"|"result") => Promise<Float64Array>} forward   Rows of outputs.
 * @property {(args: {rows: Float64Array|null, count: number, signal?: AbortSignal}) => Promise<import("./types.js").Answers>} outputs
 *   Rows of outputs of both networks, whatever evaluates them: of the first rows, of random ones where there are none.
 * @property {() => {bytes: Source, name: string}|null} source   The open model's own bytes, or its file.
 * @property {() => void} close   Ends the worker.
 *
 * @typedef {{endpoint: import("comlink").Endpoint, terminate: () => void, onCrash?: (listener: () => void) => void}} Thread
 */

/** How long a worker may take to obey a cancel before it is replaced, in ms. */
const PATIENCE = 1000;
/** So much longer where ONNX Runtime runs the network: it hears nothing during a batch. */
const SLOWER = 30;

/** Calls that take the place of an earlier one of their name. */
const REPLACING = new Set(["open", "path", "compress", "curve", "verify", "certify"]);

/** Calls that bring all they need: when the worker is replaced because of another call, the new one is asked again. */
const WHOLE = new Set(["open", "read"]);

/**
 * @param {Worker} worker running worker.js
 * @param {Record<string, string>|null} files packed, by name; null: they lie beside worker.js
 * @returns {Thread}
 */
export function threadOf(worker, files) {
  worker.postMessage(files);
  return {
    endpoint: worker,
    terminate: () => worker.terminate(),
    onCrash: (listener) => worker.addEventListener("error", listener),
  };
}

/** The worker lies beside the page, wherever the bundler has put this module. It is started from a blob, since only such a one
 * is bound by the page's Content-Security-Policy; one from an address of its own would go by that address's headers. */
export function spawnModule() {
  const start = `import ${JSON.stringify(new URL("worker.js", document.baseURI).href)};`;
  const url = URL.createObjectURL(new Blob([start], { type: "text/javascript" }));
  return threadOf(new Worker(url, { type: "module", name: "netlump" }), null);
}

/**
 * A worker that is up, or coming up.
 * @typedef {object} Connection
 * @property {import("comlink").Remote<import("./service.js").Service>} service
 * @property {Promise<void>} ready   the model that was open is open again
 * @property {Promise<never>} broken   rejects when the worker is gone
 * @property {boolean} up   it came up, with the model
 * @property {(error: Error) => void} end
 */

/** @param {Thread} thread @param {(service: Connection["service"]) => Promise<void>} prepare @returns {Connection} */
function connectTo(thread, prepare) {
  /** @type {import("comlink").Remote<import("./service.js").Service>} */
  const service = wrap(thread.endpoint);
  /** @type {(error: Error) => void} */
  let end = () => {};
  const broken = /** @type {Promise<never>} */ (
    new Promise((_, reject) => {
      end = (error) => {
        thread.terminate();
        reject(error);
      };
    })
  );
  broken.catch(() => {}); // nobody may be waiting
  thread.onCrash?.(() => end(fault("CRASHED", crashed())));
  /** @type {Connection} */
  const connection = { service, broken, end, up: false, ready: Promise.race([prepare(service), broken]) };
  connection.ready.then(() => (connection.up = true), () => {});
  return connection;
}

/** @param {AbortSignal} signal @returns {Promise<never>} */
function aborted(signal) {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/**
 * @param {{spawn?: () => Thread, onRestart?: (crashed: boolean) => void, patience?: number}} [options]
 *   spawn: another way to start the worker; onRestart: the worker was replaced, the path is gone; crashed: it ended by itself
 * @returns {Client}
 */
export function createClient({ spawn = spawnModule, onRestart = () => {}, patience = PATIENCE } = {}) {
  /** @type {Connection|null} */
  let connection = null;
  /** @type {{bytes: Source, name: string, files: Map<string, Source>, shapes: Shapes}|null} the model to open again */
  let kept = null;
  let slow = false;
  let astray = false; // an opening was given up, and the worker may have come to its end all the same
  /** @type {Map<string, AbortController>} */
  const running = new Map();
  let lastId = 0;
  /** What calls end with whose worker was replaced on our account, not on theirs. @type {WeakSet<Error>} */
  const ours = new WeakSet();
  let crash = false; // how the last worker ended: by itself

  /** @returns {Connection} */
  function connected() {
    connection ??= connectTo(spawn(), async (service) => {
      if (kept === null) return;
      await service.run(0, "open", kept, null);
      onRestart(crash);
    });
    const current = connection;
    current.broken.catch((error) => {
      crash = !ours.has(error);
      if (connection !== current) return;
      connection = null;
      // One that was up is replaced at once: what is asked next finds the model open. One that never came up would fail again.
      if (current.up && kept !== null) connected().ready.catch(() => {});
    });
    return current;
  }

  /** Replaces a worker that hangs or whose engine has trapped. @param {Connection} current @param {Error} error */
  function restart(current, error) {
    if (connection !== current) return; // done already
    connection = null;
    current.end(error);
    if (kept !== null) connected().ready.catch(() => {});
  }

  /** The same for a reason that the other calls have nothing to do with: those that can begin again do. @param {Connection} current */
  function replace(current) {
    const reason = new DOMException("the worker was replaced", "AbortError");
    ours.add(reason);
    restart(current, reason);
  }

  /** Goes back to the model that is kept, where the worker may have another. */
  function settle() {
    if (!astray) return;
    astray = false;
    if (connection) replace(connection);
  }

  /** @param {Connection} current @param {number} id @param {Promise<unknown>} answer */
  function cancel(current, id, answer) {
    void current.service.cancel(id);
    const timer = setTimeout(() => replace(current), slow ? SLOWER * patience : patience);
    const settled = () => clearTimeout(timer);
    answer.then(settled, settled);
  }

  /** @param {string} name @param {object} args @param {Watch} [watch] @returns {Promise<any>} */
  async function call(name, args, { signal, onProgress } = {}) {
    if (name !== "open") settle();
    const own = new AbortController();
    if (REPLACING.has(name)) {
      running.get(name)?.abort(new DOMException(`replaced by a later ${name}()`, "AbortError"));
      running.set(name, own);
    }
    const either = signal ? AbortSignal.any([signal, own.signal]) : own.signal;
    try {
      for (;;) {
        const answer = await askOnce(name, args, either, onProgress).catch((error) => {
          if (!(ours.has(error) && WHOLE.has(name))) throw error;
        });
        if (answer) return answer.value;
      }
    } finally {
      if (running.get(name) === own) running.delete(name);
    }
  }

  /** @param {string} name @param {object} args @param {AbortSignal} signal @param {Watch["onProgress"]} onProgress @returns {Promise<{value: any}>} */
  async function askOnce(name, args, signal, onProgress) {
    signal.throwIfAborted();
    const id = ++lastId;
    const current = connected();
    await Promise.race([current.ready, aborted(signal)]);
    const run = current.service.run(id, name, args, onProgress ? proxy(onProgress) : null);
    const answer = Promise.race([run, current.broken]);
    signal.addEventListener("abort", () => cancel(current, id, answer), { once: true });
    const result = await Promise.race([answer, aborted(signal)]);
    if ("value" in result) return result;
    if (result.fault === null) throw new DOMException(`${name}() was stopped`, "AbortError");
    const error = new EngineError(result.fault);
    if (error.code === "CRASHED") restart(current, error);
    throw error;
  }

  return {
    async open(bytes, name, { files = new Map(), shapes = new Map(), signal } = {}) {
      const info = await call("open", { bytes, name, files, shapes }, { signal }).catch((error) => {
        if (!(error instanceof EngineError)) astray = true;
        else settle();
        throw error;
      });
      astray = false;
      kept = { bytes: bytes instanceof Uint8Array ? bytes.slice() : bytes, name, files, shapes };
      slow = info.engine === "runtime";
      return info;
    },
    async shape(shapes) {
      const info = await call("shape", { shapes });
      if (kept) kept = { ...kept, shapes };
      return info;
    },
    read: (bytes, name, { signal, ...options } = {}) => call("read", { bytes, name, ...options }, { signal }),
    path: ({ signal, onProgress, ...options } = {}) => call("path", options, { signal, onProgress }),
    trace: (options) => call("trace", options),
    choose: (target) => call("choose", { target }),
    choices: (targets) => call("choices", { targets }),
    compress: (target, { signal, onProgress, ...options } = {}) =>
      call("compress", { target, ...options }, { signal, onProgress }),
    write: (format) => call("write", { format }),
    file: (format) => call("file", { format }),
    files: (format) => call("files", { format }),
    curve: ({ signal, onProgress, ...options } = {}) => call("curve", options, { signal, onProgress }),
    line: ({ signal, onProgress, ...options }) => call("line", options, { signal, onProgress }),
    verify: ({ signal } = {}) => call("verify", {}, { signal }),
    ode: (options = {}) => call("ode", options),
    certify: ({ signal, onProgress } = {}) => call("certify", {}, { signal, onProgress }),
    lumping: ({ signal } = {}) => call("lumping", {}, { signal }),
    weights: (layer) => call("weights", { layer }),
    source: () => kept && { bytes: kept.bytes, name: kept.name },
    forward: (rows, which = "result") => call("forward", { rows, which }),
    outputs: ({ rows, count, signal }) => call("outputs", { rows, count }, { signal }),
    close() {
      kept = null;
      connection?.end(new DOMException("the client was closed", "AbortError"));
      connection = null;
    },
  };
}
