// service: what the worker does for the client, one open model with its path and its last result.
//
// Every call goes through run(), which answers with a value or with the fields of an error: errors lose their class on
// their way between threads.
import { releaseProxy, transfer } from "comlink";

import { answersOn } from "./answers.js";
import { createEngine } from "./engine.js";
import { EngineError, fault } from "./fault.js";
import { crashed, noModel, noPath, noResult } from "./messages.js";
import { certify, finish, verify } from "./pipeline.js";
import { compressTo } from "./search.js";
import { sizeOf, whole } from "./source.js";

/**
 * @typedef {import("./types.js").Fault} Fault
 * @typedef {import("./types.js").Table} Table
 * @typedef {import("./types.js").Target} Target
 * @typedef {import("./types.js").Progress} Progress
 * @typedef {{value: any} | {fault: Fault|null}} Answer   fault null: the call was cancelled
 * @typedef {import("./engine.js").Watch} Watch
 * @typedef {import("./engine.js").Source} Source
 * @typedef {{
 *   run: (id: number, name: string, args: any, onProgress: ((progress: Progress) => void)|null) => Promise<Answer>,
 *   cancel: (id: number) => void
 * }} Service
 */

const LARGE = 2 ** 28; // bytes

/** @typedef {import("./loader.js").WasmSource} WasmSource
 * @typedef {{wasm?: WasmSource, formats?: WasmSource, pictures?: WasmSource, spawn?: import("./pool.js").SpawnHelper|null}} Tools
 *   the core, what reads and writes JSON, the decoder of pictures, and how to start more threads */

/** @param {Tools} [tools] @returns {Service} */
export function createService(tools = {}) {
  const desk = new Desk(tools);
  /** @type {Map<number, {name: string, controller: AbortController}>} */
  const running = new Map();

  /** Ends the other calls of these kinds: what they work on is about to go. @param {number} id @param {(name: string) => boolean} these */
  const endOthers = (id, these) => running.forEach(({ name, controller }, other) => other !== id && these(name) && controller.abort());

  return {
    async run(id, name, args, onProgress) {
      const controller = new AbortController();
      running.set(id, { name, controller });
      const watch = { signal: controller.signal, onProgress: onProgress ?? undefined };
      try {
        const value = await desk.does(name, args, watch, (these) => endOthers(id, these));
        return { value: withTransfers(value) };
      } catch (error) {
        return { fault: controller.signal.aborted ? null : faultOf(error) };
      } finally {
        running.delete(id);
        /** @type {any} */ (onProgress)?.[releaseProxy]?.();
      }
    },
    cancel(id) {
      running.get(id)?.controller.abort();
    },
  };
}

/** What needs no open model: it goes on when that changes. */
const STANDS_ALONE = new Set(["open", "read"]);
const all = () => true;
const onModel = (/** @type {string} */ name) => !STANDS_ALONE.has(name);
const onResult = (/** @type {string} */ name) => name === "certify";

/** @typedef {(these: (name: string) => boolean) => void} EndOthers */

/** @param {unknown} error @returns {Fault} */
function faultOf(error) {
  if (error instanceof EngineError) return error.toJSON();
  return fault("CRASHED", crashed(), { detail: error instanceof Error ? (error.stack ?? error.message) : String(error) }).toJSON();
}

/** Large arrays change hands instead of being copied. @param {any} value */
function withTransfers(value) {
  const arrays = [value, value?.weights, value?.features, value?.labels, value?.original, value?.reduced].filter((part) => ArrayBuffer.isView(part));
  return arrays.length === 0 ? value : transfer(value, arrays.map((array) => array.buffer));
}

/** What lies on the worker's desk. */
class Desk {
  #tools;
  /** @type {import("./engine.js").Engine|null} */
  #engine = null;
  /** @type {import("./engine.js").Model|null} */
  #model = null;
  /** @type {import("./engine.js").Path|null} */
  #path = null;
  /** @type {import("./engine.js").Result|null} */
  #result = null;
  /** @type {Table|null} the measure's rows */
  #data = null;

  /** @param {Tools} tools */
  constructor(tools) {
    this.#tools = tools;
  }

  /** @param {string} name @param {any} args @param {Watch} watch @param {EndOthers} endOthers @returns {Promise<any>} */
  async does(name, args, watch, endOthers) {
    switch (name) {
      case "open":
        return this.#open(args, endOthers, watch);
      case "shape":
        endOthers(onModel);
        return this.#reshape(args.shapes);
      case "read":
        return this.#read(args);
      case "path":
        return this.#order(args, watch, endOthers);
      case "trace":
        return this.#opened.trace(args);
      case "choose":
        return this.#ordered.choose(args.target);
      case "choices":
        return this.#choices(args.targets);
      case "compress":
        return this.#compress(args, watch, endOthers);
      case "curve":
        return this.#ordered.curve({ ...args, ...watch });
      case "line":
        return this.#line(args, watch);
      case "verify":
        return verify(this.#made, this.#data, watch);
      case "certify":
        return certify(this.#made, watch);
      case "ode":
        return this.#opened.ode(args);
      case "write":
        return this.#made.prepare(args.format).then(() => this.#made.write(args.format));
      case "file":
        return this.#made.prepare(args.format).then(() => this.#made.file(args.format));
      case "outputs":
        return answersOn(this.#made, { ...args, signal: watch.signal });
      case "lumping":
        return this.#made.path.model.info.sites.map((_, site) => this.#made.lumping(site));
      case "weights":
        return this.#opened.weights(args.layer);
      case "files":
        return this.#made.prepare(args.format).then(() => this.#made.files(args.format));
      case "forward":
        return (args.which === "model" ? this.#opened : this.#made).forward(args.rows);
      default:
        throw fault("ARGUMENT", `The worker knows no call "${name}".`);
    }
  }

  /** @param {{bytes: Source, name: string, labels?: import("./data.js").Labels, skip?: import("./columns.js").Columns, divide?: number,
   *   standardize?: boolean, pictures?: {name: string, bytes: Source}[], beside?: {name: string, bytes: Source}[],
   *   norm?: import("./images.js").Norm}} args */
  async #read({ bytes, name, pictures, beside = [], norm, ...options }) {
    const [{ readPictures, readTable }, { readingOf }] = await Promise.all([import("./data.js"), import("./images.js")]); // when there are rows
    const model = this.#model;
    const how = { ...options, features: model?.features, images: model && readingOf(model, norm, this.#tools.pictures) };
    if (!pictures) {
      const others = await Promise.all(beside.map(async (file) => ({ name: file.name, bytes: await whole(file.bytes, file.name) })));
      return readTable(await whole(bytes, name), name, { ...how, beside: others });
    }
    const files = new Map(pictures.map((picture) => [picture.name, picture.bytes]));
    const load = (/** @type {string[]} */ names) => Promise.all(names.map((file) => whole(/** @type {Source} */ (files.get(file)), file)));
    return readPictures({ names: [...files.keys()], load }, name, how);
  }

  /** @param {{bytes: Source, name: string, files: Map<string, Source>, shapes: import("./inputs.js").Shapes}} args @param {EndOthers} endOthers @param {Watch} watch */
  async #open({ bytes, name, files, shapes }, endOthers, { signal }) {
    // The core's memory never shrinks: a large model gets it all to itself, and so does the one after it.
    const large = [bytes, ...files.values()].reduce((sum, file) => sum + sizeOf(file), 0) > LARGE || (this.#engine?.memory ?? 0) > LARGE;
    const engine = (large ? null : this.#engine) ?? (await createEngine(this.#tools));
    signal?.throwIfAborted();
    const model = await engine.load(bytes, name, { files, shapes, signal });
    if (signal?.aborted) model.free(); // another is opened instead, and may be refused already
    signal?.throwIfAborted();
    endOthers(all);
    this.#model?.free();
    this.#engine = engine;
    this.#model = model;
    this.#path = this.#result = this.#data = null;
    return model.info;
  }

  /** @param {import("./inputs.js").Shapes} shapes */
  #reshape(shapes) {
    const info = this.#opened.reshape(shapes);
    this.#path = this.#result = this.#data = null;
    return info;
  }

  /** @param {import("./types.js").SizeTarget[]} targets @returns {(import("./types.js").Choice|null)[]} null where there is none */
  #choices(targets) {
    const path = this.#ordered;
    return targets.map((target) => {
      try {
        return path.choose(target);
      } catch (error) {
        if (error instanceof EngineError && error.code !== "CRASHED") return null;
        throw error;
      }
    });
  }

  /** @param {{data?: Table|null}} args @param {Watch} watch @param {EndOthers} endOthers */
  async #order(args, watch, endOthers) {
    const path = await this.#opened.path({ ...args, ...watch });
    if (watch.signal?.aborted) path.free(); // its model has just gone
    watch.signal?.throwIfAborted();
    endOthers(onModel);
    this.#path?.free();
    this.#path = path;
    this.#result = null;
    this.#data = args.data ?? null;
    return path.info;
  }

  /** @param {{method?: import("./methods.js").Method, polish?: boolean, points?: number, score?: Table|null}} args @param {Watch} watch */
  async #line({ method = "projected", ...options }, watch) {
    /** @type {string|null} */
    let why = null;
    const onMissing = (/** @type {string} */ _, /** @type {Error} */ { message }) => (why = message);
    const points = await this.#ordered.curve({ ...options, methods: [method], onMissing, ...watch });
    return { points, why };
  }

  /** @param {{target: Target, verify?: boolean, score?: Table|null, heldOut?: boolean} & import("./engine.js").Way} args @param {Watch} watch
   * @param {EndOthers} endOthers */
  async #compress({ target, verify, score, heldOut, ...way }, watch, endOthers) {
    const data = this.#data;
    const result = await compressTo(this.#ordered, target, { ...way, score, ...watch });
    try {
      const { report } = await finish(result, { data, verify, score, heldOut, ...watch });
      watch.signal?.throwIfAborted();
      if (way.draft) {
        result.free();
        return report;
      }
      endOthers(onResult); // it speaks of the result before
      this.#result?.free();
      this.#result = result;
      return report;
    } catch (error) {
      result.free();
      throw error;
    }
  }

  get #opened() {
    if (this.#model === null) throw fault("ARGUMENT", noModel());
    return this.#model;
  }

  get #ordered() {
    if (this.#path === null) throw fault("ARGUMENT", noPath());
    return this.#path;
  }

  get #made() {
    if (this.#result === null) throw fault("ARGUMENT", noResult());
    return this.#result;
  }
}
