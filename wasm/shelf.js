// shelf: where the command line leaves the tensors of a large model: in the model's file, and in one that goes when the program ends.
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @typedef {import("./source.js").Source} Source */

/** A part of a file, read when it is asked for. */
class Span extends Blob {
  #file;
  #from;
  #size;

  /** @param {number} file @param {number} from @param {number} size */
  constructor(file, from, size) {
    super();
    this.#file = file;
    this.#from = from;
    this.#size = size;
  }

  get size() {
    return this.#size;
  }

  /** @param {number} [start] @param {number} [end] */
  slice(start = 0, end = this.#size) {
    return new Span(this.#file, this.#from + start, Math.max(0, Math.min(end, this.#size) - start));
  }

  async arrayBuffer() {
    return /** @type {ArrayBuffer} */ (readAt(this.#file, this.#from, this.#size).buffer);
  }
}

/** Parts one behind the other. */
class Row extends Blob {
  #parts;
  #size;

  /** @param {Source[]} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    this.#size = parts.reduce((size, part) => size + lengthOf(part), 0);
  }

  get size() {
    return this.#size;
  }

  /** @param {number} [start] @param {number} [end] */
  slice(start = 0, end = this.#size) {
    const cut = [];
    let at = 0;
    for (const part of this.#parts) {
      const [from, to] = [Math.max(start - at, 0), Math.min(end - at, lengthOf(part))];
      at += lengthOf(part);
      if (from < to) cut.push(part instanceof Uint8Array ? part.subarray(from, to) : part.slice(from, to));
    }
    return new Row(cut);
  }

  async arrayBuffer() {
    const bytes = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part instanceof Uint8Array ? part : new Uint8Array(await part.arrayBuffer()), at);
      at += lengthOf(part);
    }
    return bytes.buffer;
  }
}

/** @param {Source} part */
const lengthOf = (part) => (part instanceof Uint8Array ? part.length : part.size);

/** @param {number} file @param {number} from @param {number} size */
function readAt(file, from, size) {
  const bytes = new Uint8Array(size);
  return bytes.subarray(0, fillFrom(file, from, bytes));
}

/** @param {number} file @param {number} from @param {Uint8Array} into @returns {number} how much there was */
function fillFrom(file, from, into) {
  let done = 0;
  for (let got = 1; done < into.length && got > 0; done += got) got = readSync(file, into, done, into.length - done, from + done);
  return done;
}

/** @param {string} path of the model @returns {{source: Blob, shelf: import("./away.js").Shelf}} */
export function openShelf(path) {
  const file = openSync(path, "r");
  let kept = -1;
  let end = 0;
  const keep = (/** @type {Uint8Array} */ bytes) => {
    if (kept < 0) {
      const folder = mkdtempSync(join(tmpdir(), "netlump-"));
      kept = openSync(join(folder, "layers"), "w+");
      process.once("exit", () => (closeSync(kept), rmSync(folder, { recursive: true, force: true })));
    }
    const from = end;
    for (let done = 0; done < bytes.length; ) done += writeSync(kept, bytes, done, bytes.length - done, from + done);
    end += bytes.length;
    return new Span(kept, from, bytes.length);
  };
  return {
    source: new Span(file, 0, fstatSync(file).size),
    shelf: { read: (offset, size) => readAt(file, offset, size), fill: (offset, into) => fillFrom(file, offset, into) === into.length, keep, join: (parts) => new Row(parts) },
  };
}
