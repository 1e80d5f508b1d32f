// loader: brings the compiled core up, by hand, in Node and in browsers, and speaks its calling convention.
//
// Memory may grow during any call, which detaches every view of it: views are made after the call, used, and dropped.
// Pointers above 2 GB come back negative, hence `>>> 0`.
import { CODES, EngineError, fault } from "./fault.js";
import { crashed, noCore, noMemory } from "./messages.js";
import { spawnInNode } from "./pool.js";

/** @typedef {Uint8Array | ArrayBuffer | URL | string | (() => Promise<Uint8Array>)} WasmSource bytes, where they are, or a way to them */

const FIRST_ERROR = 10; // NL_OK, NL_MORE, NL_RUN and NL_SHARE come before
const DEFAULT = new URL("../build/netlump.wasm", import.meta.url);
const DEFAULT_SCALAR = new URL("../build/netlump-scalar.wasm", import.meta.url);

/** A file's bytes in Node without an import that bundlers for browsers would trip over; null elsewhere. @param {URL} url */
function readFile(url) {
  if (url.protocol !== "file:" || typeof globalThis.process?.getBuiltinModule !== "function") return null;
  return process.getBuiltinModule("node:fs").readFileSync(url);
}

/** @param {URL} url */
async function readUrl(url) {
  const bytes = readFile(url);
  if (bytes !== null) return bytes;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** @param {WasmSource} source @returns {URL|null} null for bytes */
function urlOf(source) {
  if (source instanceof URL) return source;
  if (typeof source !== "string") return null;
  return URL.canParse(source) ? new URL(source) : new URL(source, globalThis.location?.href ?? import.meta.url);
}

/** What a model's large tensors are read from and kept in, see away.js.
 * @typedef {{read: (offset: number, into: Uint8Array) => boolean, keep: (bytes: Uint8Array) => number}} Store */

/** The core imports next to nothing: a notice of growth, the stores of large models, and ways to stop that it never takes.
 * @param {WebAssembly.Module} module @param {Map<number, Store>} stores @param {() => WebAssembly.Memory} memory */
function importsOf(module, stores, memory) {
  const at = (/** @type {number} */ pointer, /** @type {number} */ size) => new Uint8Array(memory().buffer, pointer >>> 0, size >>> 0);
  /** @type {Record<string, Function>} */
  const known = {
    emscripten_notify_memory_growth: () => {},
    netlump_store_read: (/** @type {number[]} */ ...[store, offset, pointer, size]) => Number(stores.get(store)?.read(offset, at(pointer, size)) ?? false),
    netlump_store_keep: (/** @type {number[]} */ ...[store, pointer, size]) => stores.get(store)?.keep(at(pointer, size)) ?? 0,
  };
  /** @type {WebAssembly.Imports} */
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function") continue;
    (imports[from] ??= {})[name] =
      known[name] ??
      (() => {
        throw new WebAssembly.RuntimeError(`the core called ${name}`);
      });
  }
  return imports;
}

/** @typedef {{threads: number, spawn: import("./pool.js").SpawnHelper|null}} Threads   how many there may be, 0 for what the machine has */

/** @param {{wasm?: WasmSource, scalar?: boolean} & Partial<Threads>} [options] @returns {Promise<Core>} */
export async function loadCore({ wasm, scalar = false, threads = 0, spawn = spawnInNode } = {}) {
  const source = wasm ?? (scalar ? DEFAULT_SCALAR : DEFAULT);
  try {
    return await Core.of(await compile(source), { threads, spawn });
  } catch (error) {
    throw fault("SETUP", noCore(urlOf(source)?.href ?? "the bytes given"), { detail: String(error), cause: error });
  }
}

/** @param {WasmSource} source @returns {Promise<WebAssembly.Module>} */
export async function compile(source) {
  const url = urlOf(source);
  const bytes = url ? await readUrl(url) : typeof source === "function" ? await source() : source;
  return WebAssembly.compile(/** @type {BufferSource} */ (bytes));
}

/** The same without waiting: of bytes, or of a file in Node; null elsewhere. @param {WasmSource} source @returns {WebAssembly.Module|null} */
export function compileNow(source) {
  const url = urlOf(source);
  const bytes = url ? readFile(url) : source;
  return bytes === null || typeof bytes === "function" ? null : new WebAssembly.Module(/** @type {BufferSource} */ (bytes));
}

/** One instance of the core: calls, memory and what calls leave behind. */
export class Core {
  #exports;
  #boundary = 0;
  #dead = false;
  #stores;
  #lent = 0;

  /** @param {WebAssembly.Module} module @param {Threads} [threads] that may do part of its work @returns {Promise<Core>} */
  static async of(module, threads = { threads: 1, spawn: null }) {
    /** @type {Map<number, Store>} */
    const stores = new Map();
    /** @type {WebAssembly.Instance} */
    const instance = await WebAssembly.instantiate(module, importsOf(module, stores, () => /** @type {any} */ (instance.exports.memory)));
    return new Core(/** @type {any} */ (instance.exports), module, threads, stores);
  }

  /** At once, for modules that few need. @param {WebAssembly.Module} module @returns {Core} */
  static now(module) {
    /** @type {WebAssembly.Instance} */
    const instance = new WebAssembly.Instance(module, importsOf(module, new Map(), () => /** @type {any} */ (instance.exports.memory)));
    return new Core(/** @type {any} */ (instance.exports), module, { threads: 1, spawn: null }, new Map());
  }

  /** @param {Record<string, (...args: any[]) => any> & {memory: WebAssembly.Memory}} exports @param {WebAssembly.Module} module
   * @param {Threads} threads @param {Map<number, Store>} stores */
  constructor(exports, module, threads, stores) {
    this.#exports = exports;
    this.module = module;
    this.threads = threads;
    this.#stores = stores;
    if (typeof exports._initialize === "function") exports._initialize();
    this.#boundary = exports.netlump_boundary_create() >>> 0;
    if (this.#boundary === 0) throw this.#outOfMemory(0);
  }

  /** Whether a trap has made this instance useless. */
  get dead() {
    return this.#dead;
  }

  get size() {
    return this.#exports.memory.buffer.byteLength;
  }

  get version() {
    return this.#string(this.#raw("netlump_version"));
  }

  /** @param {string} name of an export, without "netlump_" @param {...number} args @returns {number} */
  call(name, ...args) {
    return this.#raw(`netlump_${name}`, ...args);
  }

  /** A call that takes the boundary first and gives a status or, with `makes`, a handle. Throws what it failed with.
   * @param {string} file named in the sentence @param {string} name @param {...number} args @returns {number} */
  status(file, name, ...args) {
    const status = this.call(name, this.#boundary, ...args);
    if (status >= FIRST_ERROR) throw this.error(file);
    return status;
  }

  /** @param {string} file @param {string} name @param {...number} args @returns {number} never 0 */
  make(file, name, ...args) {
    const handle = this.call(name, this.#boundary, ...args) >>> 0;
    if (handle === 0) throw this.error(file);
    return handle;
  }

  /** What a getter of the boundary says. @param {"progress"|"choice_epsilon"|"choice_retained"|"choice_parameters"|"slice_offset"|"slice_size"} name */
  left(name) {
    return this.call(name, this.#boundary);
  }

  /** A copy of the text or file the last call left. @param {"text"|"name"} what */
  bytes(what = "text") {
    return this.copyOut(this.call(what, this.#boundary) >>> 0, this.call(`${what}_size`, this.#boundary) >>> 0);
  }

  /** The name of a second file the last call left. */
  name() {
    return new TextDecoder().decode(this.bytes("name"));
  }

  text() {
    return new TextDecoder().decode(this.bytes());
  }

  /** The last call's error. @param {string} file */
  error(file) {
    const status = this.call("error_status", this.#boundary);
    return this.withString(file, (name) => {
      const message = this.#string(this.call("error_sentence", this.#boundary, name));
      return new EngineError({
        status,
        code: /** @type {Record<number, string>} */ (CODES)[status] ?? "UNKNOWN",
        message,
        place: this.#string(this.call("error_place", this.#boundary)),
        detail: this.#string(this.call("error_detail", this.#boundary)),
      });
    });
  }

  /** An error of the core's kind for something found outside it. @param {string} file @param {number} status @param {string} place */
  errorAt(file, status, place) {
    this.withString(place, (pointer) => this.call("fail", this.#boundary, status, pointer, 0));
    return this.error(file);
  }

  /** @param {number} size @returns {number} pointer, aligned to 8, to be given to release() */
  take(size) {
    // The core is a 32-bit machine; a size beyond it would wrap around.
    const pointer = size < 2 ** 32 ? this.call("alloc", size) >>> 0 : 0;
    if (pointer === 0) throw this.#outOfMemory(size);
    return pointer;
  }

  /** @param {number} pointer or 0 */
  release(pointer) {
    if (pointer !== 0 && !this.#dead) this.call("release", pointer);
  }

  /** @param {ArrayBufferView} array @returns {number} pointer to a copy of it */
  copyIn(array) {
    const pointer = this.take(array.byteLength);
    this.write(pointer, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return pointer;
  }

  /** @param {number} pointer to enough room @param {Uint8Array} bytes */
  write(pointer, bytes) {
    new Uint8Array(this.#exports.memory.buffer, pointer, bytes.length).set(bytes);
  }

  /** @param {number} pointer @param {number} size @returns {Uint8Array} a copy */
  copyOut(pointer, size) {
    return size === 0 ? new Uint8Array() : new Uint8Array(this.#exports.memory.buffer, pointer, size).slice();
  }

  /** @param {number} pointer @param {Uint8Array} bytes whether they are what is there */
  holds(pointer, bytes) {
    const there = new Uint8Array(this.#exports.memory.buffer, pointer, bytes.length);
    return bytes.every((byte, i) => byte === there[i]);
  }

  /** @param {number} pointer @param {number} length @returns {Float64Array} a copy */
  float64(pointer, length) {
    return new Float64Array(this.#exports.memory.buffer, pointer, length).slice();
  }

  /** @param {number} pointer @param {number} length @returns {number[]} */
  uint32(pointer, length) {
    return [...new Uint32Array(this.#exports.memory.buffer, pointer, length)];
  }

  /** @param {Store} store @returns {number} what the core calls it, until it is given back */
  lend(store) {
    this.#stores.set(++this.#lent, store);
    return this.#lent;
  }

  /** @param {number} store */
  giveBack(store) {
    this.#stores.delete(store);
  }

  /** Lends a copy of `array`. @template T @param {Float64Array} array @param {(pointer: number) => T} use @returns {T} */
  lending(array, use) {
    const pointer = this.copyIn(array);
    try {
      return use(pointer);
    } finally {
      this.release(pointer);
    }
  }

  /** Lends a terminated copy of `text`. @template T @param {string} text @param {(pointer: number) => T} use @returns {T} */
  withString(text, use) {
    const pointer = this.copyIn(new TextEncoder().encode(`${text.replaceAll("\0", "")}\0`));
    try {
      return use(pointer);
    } finally {
      this.release(pointer);
    }
  }

  /** @param {string} name @param {...number} args */
  #raw(name, ...args) {
    if (this.#dead) throw fault("CRASHED", crashed());
    try {
      return this.#exports[name](...args);
    } catch (error) {
      this.#dead = true; // a trap leaves the memory in any state
      throw fault("CRASHED", crashed(), { place: name, detail: String(error), cause: error });
    }
  }

  /** @param {number} pointer @returns {string} */
  #string(pointer) {
    const memory = new Uint8Array(this.#exports.memory.buffer, pointer >>> 0);
    return new TextDecoder().decode(memory.subarray(0, memory.indexOf(0)));
  }

  /** @param {number} bytes */
  #outOfMemory(bytes) {
    return fault("MEMORY", noMemory(bytes));
  }
}
