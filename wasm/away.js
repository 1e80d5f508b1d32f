/* global FileReaderSync */
// away: a large model whose tensors stay in its file. The core is given the file without them, each replaced by its place, reads
// them piece by piece while it works, and hands out what it makes in their stead; what it writes is filled in again at the end.
//
// protobuf's wire format alone is known here, and of onnx.proto where the raw data of initializers lie.

/** @typedef {import("./source.js").Source} Source */
/** @typedef {{read: (offset: number, size: number) => Uint8Array, fill?: (offset: number, into: Uint8Array) => boolean, keep: (bytes: Uint8Array) => Source, join: (parts: Source[]) => Source}} Shelf
 *   reads the file at once, to a new place or (where it can) a given one, keeps copies of bytes out of memory, joins parts to one file */
/** @typedef {{from: number, to: number}|{offset: number, size: number}|Uint8Array} Piece   a range of what is walked; of the store; bytes */
/** @typedef {{number: number, wire: number, start: number, body: number, end: number, value: number}} Field */

const GRAPH = 7; // of ModelProto
const INITIALIZER = 5; // of GraphProto
const TYPE = 2; // of TensorProto
const RAW = 9;
const EXTERNAL = 13;
const PLACE = 110110110; // NL_TENSOR_AWAY
const FLOATS = new Set([1, 10, 11, 16]); // f32, f16, f64, bf16
const LEAST = 2 ** 16; // bytes of a tensor that stays away
const MOST = 2 ** 27; // bytes of a model without its tensors
const WINDOW = 2 ** 16;

class Malformed extends Error {}

/** Fields of messages, read through a window. */
class Walk {
  #read;
  #from = 0;
  /** @type {Uint8Array} */
  #window = new Uint8Array();

  /** @param {(offset: number, size: number) => Uint8Array} read @param {number} size */
  constructor(read, size) {
    this.#read = read;
    this.size = size;
  }

  /** @param {number} at */
  #byte(at) {
    if (at >= this.size) throw new Malformed();
    if (at < this.#from || at >= this.#from + this.#window.length) {
      this.#from = at;
      this.#window = this.#read(at, Math.min(WINDOW, this.size - at));
    }
    return this.#window[at - this.#from];
  }

  /** @param {number} at @returns {[number, number]} the number and where it ends */
  #varint(at) {
    let value = 0;
    for (let factor = 1; factor < 2 ** 63; factor *= 128) {
      const byte = this.#byte(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return [value, at];
    }
    if (this.#byte(at) > 1) throw new Malformed();
    return [Infinity, at + 1]; // a negative number, which no length is
  }

  /** @param {number} from @param {number} to @returns {Generator<Field>} */
  *fields(from, to) {
    for (let at = from; at < to; ) {
      const start = at;
      const [tag, after] = this.#varint(at);
      const wire = tag % 8;
      const [value, body] = wire === 0 || wire === 2 ? this.#varint(after) : [0, after];
      const size = { 0: 0, 1: 8, 2: value, 5: 4 }[wire] ?? Infinity;
      at = body + size;
      if (!(at <= to)) throw new Malformed();
      yield { number: Math.floor(tag / 8), wire, start, body, end: at, value };
    }
  }

  /** The pieces of a message whose fields become others.
   * @param {number} from @param {number} to @param {(field: Field) => {number: number, pieces: Piece[]}|null} becomes null: it stays
   * @returns {Piece[]} */
  message(from, to, becomes) {
    /** @type {Piece[]} */
    const pieces = [];
    let copied = from;
    for (const field of this.fields(from, to)) {
      const other = field.wire === 2 ? becomes(field) : null;
      if (other === null) continue;
      pieces.push({ from: copied, to: field.start }, header(other.number, sum(other.pieces)), ...other.pieces);
      copied = field.end;
    }
    return [...pieces, { from: copied, to }];
  }

  /** The pieces of a model whose initializers' fields become others. @param {(tensor: Field[]) => (field: Field) => {number: number, pieces: Piece[]}|null} becomes */
  model(becomes) {
    const tensor = (/** @type {Field} */ { number, body, end }) =>
      number === INITIALIZER ? { number, pieces: this.message(body, end, becomes([...this.fields(body, end)])) } : null;
    const graph = (/** @type {Field} */ { number, body, end }) => (number === GRAPH ? { number, pieces: this.message(body, end, tensor) } : null);
    return this.message(0, this.size, graph);
  }
}

/** @param {Piece} piece */
const length = (piece) => (piece instanceof Uint8Array ? piece.length : "to" in piece ? piece.to - piece.from : piece.size);
/** @param {Piece[]} pieces */
const sum = (pieces) => pieces.reduce((size, piece) => size + length(piece), 0);

/** @param {number} number of a field @param {number} size */
function header(number, size) {
  const bytes = [];
  for (let left of [number * 8 + 2, size]) {
    for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
    bytes.push(left);
  }
  return Uint8Array.from(bytes);
}

/** @param {number} offset @param {number} size */
function place(offset, size) {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setBigUint64(0, BigInt(offset), true);
  bytes.setBigUint64(8, BigInt(size), true);
  return new Uint8Array(bytes.buffer);
}

/** How a tensor's raw data becomes its place. @param {Field[]} tensor */
function hollowing(tensor) {
  if (tensor.some(({ number }) => number === PLACE)) throw new Malformed(); // that is for us to say
  const inside = tensor.some(({ number, value }) => number === TYPE && FLOATS.has(value)) && !tensor.some(({ number }) => number === EXTERNAL);
  return (/** @type {Field} */ { number, body, value }) =>
    inside && number === RAW && value >= LEAST ? { number: PLACE, pieces: [place(body, value)] } : null;
}

/** What reads a file at once, where anything does: memory, a browser's worker.
 * @param {Source} source @returns {Shelf|null} */
function shelfOf(source) {
  const join = (/** @type {Source[]} */ parts) => new Blob(/** @type {BlobPart[]} */ (parts));
  if (source instanceof Uint8Array) return { read: (offset, size) => source.subarray(offset, offset + size), keep: (bytes) => bytes.slice(), join };
  if (typeof FileReaderSync !== "function") return null;
  const reader = new FileReaderSync();
  // What is handed over to nobody is given back at once. Else it waits to be collected, which Chromium does hundreds of megabytes later.
  const { port1: nobody, port2: closed } = new MessageChannel();
  closed.close();
  const readAt = (/** @type {number} */ offset, /** @type {number} */ size) => reader.readAsArrayBuffer(source.slice(offset, offset + size));
  return {
    fill(offset, into) {
      const buffer = readAt(offset, into.length);
      const whole = buffer.byteLength === into.length;
      if (whole) into.set(new Uint8Array(buffer));
      nobody.postMessage(null, [buffer]);
      return whole;
    },
    read: (offset, size) => new Uint8Array(readAt(offset, size)),
    keep: (bytes) => new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]),
    join,
  };
}

/** The tensors of a model that stay in its file, and those that took their place. */
export class Away {
  #source;
  #size;
  #shelf;
  #next;
  /** @type {Map<number, Source>} by their offset */
  #kept = new Map();

  /** @param {Source} source @param {number} size of it @param {Shelf} shelf */
  constructor(source, size, shelf) {
    this.#source = source;
    this.#size = this.#next = size;
    this.#shelf = shelf;
  }

  /** The model without its large tensors, and them; null where it cannot be read that way, or nothing is gained.
   * @param {Source} source @param {number} size of it @param {Shelf|null} [shelf] @returns {{away: Away, hollow: Uint8Array}|null} */
  static open(source, size, shelf = shelfOf(source)) {
    if (shelf === null) return null;
    try {
      const pieces = new Walk(shelf.read, size).model(hollowing);
      if (sum(pieces) > Math.min(MOST, size / 2)) return null;
      const hollow = new Uint8Array(sum(pieces));
      let at = 0;
      for (const piece of pieces) {
        hollow.set(piece instanceof Uint8Array ? piece : shelf.read(/** @type {any} */ (piece).from, length(piece)), at);
        at += length(piece);
      }
      return { away: new Away(source, size, shelf), hollow };
    } catch (error) {
      if (error instanceof Malformed) return null; // the core says what is wrong with it
      throw error;
    }
  }

  /** @param {number} offset @param {Uint8Array} into */
  read(offset, into) {
    if (offset + into.length > this.#size) return false;
    if (this.#shelf.fill) return this.#shelf.fill(offset, into);
    const bytes = this.#shelf.read(offset, into.length);
    if (bytes.length !== into.length) return false;
    into.set(bytes);
    return true;
  }

  /** @param {Uint8Array} bytes which may change afterwards @returns {number} what they are called by */
  keep(bytes) {
    const offset = this.#next;
    this.#kept.set(offset, this.#shelf.keep(bytes));
    this.#next += bytes.length;
    return offset;
  }

  /** The file that the core wrote without its tensors. @param {Uint8Array} hollow */
  filled(hollow) {
    const pieces = new Walk((offset, size) => hollow.subarray(offset, offset + size), hollow.length).model(() => ({ number, body, end }) => {
      if (number !== PLACE || end - body !== 16) return null;
      const view = new DataView(hollow.buffer, hollow.byteOffset + body, 16);
      return { number: RAW, pieces: [{ offset: Number(view.getBigUint64(0, true)), size: Number(view.getBigUint64(8, true)) }] };
    });
    return this.#shelf.join(
      pieces.map((piece) => {
        if (piece instanceof Uint8Array) return piece;
        return "to" in piece ? hollow.subarray(piece.from, piece.to) : this.#part(piece.offset, piece.size);
      }),
    );
  }

  /** @param {number} offset @param {number} size @returns {Source} */
  #part(offset, size) {
    if (offset < this.#size) return cut(this.#source, offset, size);
    return cut(/** @type {Source} */ (this.#kept.get(offset)), 0, size);
  }
}

/** @param {Source} source @param {number} offset @param {number} size @returns {Source} */
const cut = (source, offset, size) => (source instanceof Uint8Array ? source.subarray(offset, offset + size) : source.slice(offset, offset + size));
