// formats: models in JSON -> ONNX, and back. What reads and writes them is a WebAssembly module of its own, fetched with the first
// such model; each use has an instance to itself, whose memory goes with it. The core knows ONNX alone.
import { STATUS, fault } from "./fault.js";
import { Core, compile, compileNow } from "./loader.js";
import { noFormats, useLoad } from "./messages.js";
import { checkRoom, find, held, sizeOf, whole } from "./source.js";

/**
 * @typedef {import("./types.js").Format} Format
 * @typedef {import("./source.js").Source} Source
 * @typedef {{format: Format, text: Uint8Array, files: Map<string, Uint8Array>}} Origin   a model that came in JSON: its own bytes, and
 *   those of the files with its weights
 * @typedef {Origin & {onnx: Uint8Array}} Converted   and what it is in ONNX
 */

const DEFAULT = new URL("../build/formats.wasm", import.meta.url);
const NAMES = /** @type {const} */ (["onnx", "json", "tfjs", "brain"]); // nl_format
const BLANK = new Set([0x20, 9, 10, 11, 12, 13]);

/** Whether a file may be a model in JSON. @param {Uint8Array} head its first bytes */
export function isObject(head) {
  let at = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
  while (BLANK.has(head[at])) at += 1;
  return head[at] === 0x7b;
}

export class Formats {
  #source;
  /** @type {WebAssembly.Module|null} */
  #module = null;

  /** @param {import("./loader.js").WasmSource} [source] of the module */
  constructor(source = DEFAULT) {
    this.#source = source;
  }

  /** Fetches the module, unless it is there. */
  async prepare() {
    try {
      this.#module ??= await compile(this.#source);
    } catch (error) {
      throw fault("SETUP", noFormats(), { detail: String(error), cause: error });
    }
  }

  /** An instance at once: of what is there, or what Node can read without waiting. @param {string} file */
  #instance(file) {
    this.#module ??= compileNow(this.#source);
    if (this.#module === null) throw fault("ARGUMENT", useLoad(), { place: file });
    return Core.now(this.#module);
  }

  /** The model as ONNX; null where it is none of these formats. @param {Uint8Array} text @param {string} name of its file
   * @param {Map<string, Uint8Array>} files others by name */
  open(text, name, files) {
    checkRoom(name, text.length, 0);
    const reading = this.#read(text, name);
    let step = reading.next();
    while (!step.done) {
      const file = find(files, step.value);
      step = reading.next(file && held(file));
    }
    return step.value;
  }

  /** The same for files. @param {Source} source @param {string} name @param {import("./source.js").Files} files @param {AbortSignal} [signal] */
  async load(source, name, files, signal) {
    checkRoom(name, sizeOf(source), 0);
    await this.prepare();
    const reading = this.#read(await whole(source, name), name);
    let step = reading.next();
    while (!step.done) {
      signal?.throwIfAborted();
      const file = await find(files, step.value);
      step = reading.next(file && (await whole(file, step.value)));
    }
    return step.value;
  }

  /** Asks for the files with its weights, by the names it calls them. @param {Uint8Array} text @param {string} name
   * @returns {Generator<string, Converted|null, Uint8Array|undefined>} */
  *#read(text, name) {
    const core = this.#instance(name);
    const converter = core.make(name, "converter_open", core.copyIn(text), text.length);
    const format = NAMES[core.call("converter_format", converter)];
    if (format === "onnx") return null;
    /** @type {Map<string, Uint8Array>} */
    const files = new Map();
    for (let file = missing(core, converter, name); file !== ""; file = missing(core, converter, name)) {
      const bytes = yield file;
      if (bytes === undefined) throw core.errorAt(name, STATUS.EXTERNAL, file);
      files.set(file, bytes);
      attach(core, converter, file, bytes);
    }
    core.status(name, "converter_read", converter);
    return { format, text, files, onnx: core.bytes() };
  }

  /**
   * What became of a model, in another format than ONNX.
   * @param {string} name of the model @param {Format} format @param {Uint8Array} onnx @param {Origin|null} origin what it came from
   */
  write(name, format, onnx, origin) {
    return this.#written(name, format, onnx, origin, "converter_write").bytes();
  }

  /** The files that go with it. @param {string} name @param {Format} format @param {Uint8Array} onnx @param {Origin} origin */
  files(name, format, onnx, origin) {
    const core = this.#written(name, format, onnx, origin, "converter_write_weights");
    const file = core.name();
    return new Map(file === "" ? [] : [[file, core.bytes()]]);
  }

  /** @param {string} name @param {Format} format @param {Uint8Array} onnx @param {Origin|null} origin @param {string} how */
  #written(name, format, onnx, origin, how) {
    const core = this.#instance(name);
    const text = origin?.text ?? new Uint8Array();
    const converter = core.make(name, "converter_open", core.copyIn(text), text.length);
    origin?.files.forEach((bytes, file) => attach(core, converter, file, bytes));
    core.status(name, how, converter, NAMES.indexOf(format), core.copyIn(onnx), onnx.length);
    return core;
  }
}

/** @param {Core} core @param {number} converter @param {string} name */
function missing(core, converter, name) {
  core.status(name, "converter_missing_file", converter);
  return core.text();
}

/** @param {Core} core @param {number} converter @param {string} file @param {Uint8Array} bytes */
function attach(core, converter, file, bytes) {
  const pointer = core.copyIn(bytes);
  core.withString(file, (text) => core.call("converter_attach", converter, text, pointer, bytes.length));
}
