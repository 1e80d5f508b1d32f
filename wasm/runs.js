// runs: what the core asks a runtime for (src/netlump.h, runs), and how it is handed over.
import { decode } from "./numbers.js";

/**
 * @typedef {import("./loader.js").Core} Core
 * @typedef {import("./runtime.js").Value} Value
 */

const TYPES = { float32: 1, float64: 11 }; // nl_type

/** A value's numbers: as they are where they are floats of 32 bits, else as doubles. @param {Value} value @returns {Float32Array|Float64Array} */
export function numbersOf({ type, data }) {
  if (type === "float32") return data;
  if (type === "int64" || type === "uint64") return Float64Array.from(data, Number);
  return decode(type, data);
}

export class Run {
  #core;
  #file;
  #handle;
  /** @type {number[]} */
  #lent = []; // what the core reads until it advances

  /** @param {Core} core @param {string} file for messages @param {number} handle of the core's run, valid until the next step */
  constructor(core, file, handle) {
    this.#core = core;
    this.#file = file;
    this.#handle = handle;
  }

  /** @returns {{rows: number, original: string[], reduced: string[], calibrated?: boolean}} the first so many rows; names of the values
   *   wanted of each model; calibrated: the original is run as model(false) gives it */
  describe() {
    this.#core.status(this.#file, "run_describe", this.#handle);
    return JSON.parse(this.#core.text());
  }

  /** The smaller model as it stands, or the calibrated original. @param {boolean} reduced @returns {Uint8Array} */
  model(reduced) {
    this.#core.status(this.#file, "run_model", this.#handle, Number(reduced));
    return this.#core.bytes();
  }

  /** @param {boolean} reduced @param {number} index in the list @param {Value} value of the batch at hand */
  feed(reduced, index, value) {
    const numbers = numbersOf(value);
    const data = this.#lend(numbers);
    const dims = this.#lend(BigInt64Array.from(value.dims, BigInt));
    const type = numbers instanceof Float32Array ? TYPES.float32 : TYPES.float64;
    this.#core.status(this.#file, "run_feed", this.#handle, Number(reduced), index, type, value.dims.length, dims, data);
  }

  /** The batch is complete. @param {number} rows of it */
  advance(rows) {
    this.#core.status(this.#file, "run_advance", this.#handle, rows);
    this.end();
  }

  /** Takes back what was lent. */
  end() {
    for (const pointer of this.#lent.splice(0)) this.#core.release(pointer);
  }

  /** @param {ArrayBufferView} array */
  #lend(array) {
    const pointer = this.#core.copyIn(array);
    this.#lent.push(pointer);
    return pointer;
  }
}
