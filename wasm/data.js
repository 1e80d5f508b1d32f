// data: files of rows -> Table. CSV, TSV and other delimited text, NumPy's NPY and NPZ, IDX (the MNIST format), each also
// gzipped, told apart by content. The last `labels` columns are labels; the rest is what the model reads. Pictures, alone or in
// a zip, are told by their names (images.js).
import { unzipSync } from "fflate";
import Papa from "papaparse";

import { EngineError, fault } from "./fault.js";
import { imageTable, isImage, zipped } from "./images.js";
import { badCell, badData, badElement, badWidth, emptyTable, imagesNeedModel, noClasses, tooLarge, wrongColumns, wrongLabels, wrongSplit } from "./messages.js";
import { joined } from "./numbers.js";

/**
 * @typedef {import("./types.js").Table} Table
 * @typedef {{values: Float64Array, rows: number, columns: number, names: string[]|null}} Matrix   values (rows, columns)
 * @typedef {number|"folder"|"auto"} Labels   so many last columns; of pictures the folders they lie in, or those where there are several
 * @typedef {import("./images.js").Reading} Reading
 */

/**
 * @param {Uint8Array} bytes
 * @param {string} name of the file
 * @param {{labels?: Labels, features?: number, divide?: number, rows?: number, images?: (() => Reading)|null}} [options] features: what
 *   the model reads a row; divide: of the features, 255 for images of bytes; rows: of pictures, at most; images: how they are read
 * @returns {Promise<Table>}
 */
export async function readTable(bytes, name, { labels = 0, features, divide = 1, rows, images = null } = {}) {
  const pictures = picturesIn(bytes, name);
  if (pictures !== null) return readPictures(pictures, name, { labels, features, divide, rows, images });
  if (labels === "folder") throw fault("DATA", noClasses(name), { place: name });
  const matrix = readMatrix(await unpack(bytes, name), name);
  if (matrix.rows === 0 || matrix.columns === 0) throw fault("DATA", emptyTable(name), { place: name });
  return tableOf(matrix, name, { labels: labels === "auto" ? 0 : labels, features, divide });
}

/** @param {Uint8Array} bytes @param {string} name */
function picturesIn(bytes, name) {
  if (isImage(name)) return { names: [name], load: () => [bytes] };
  return isZip(bytes) ? zipped(bytes, name) : null;
}

/**
 * The same for pictures that are files of their own.
 * @param {import("./images.js").Pictures} pictures
 * @param {string} source where they are from
 * @param {{labels?: Labels, features?: number, divide?: number, rows?: number, images: (() => Reading)|null}} options
 * @returns {Promise<Table>}
 */
export async function readPictures(pictures, source, { images, ...options }) {
  if (images === null) throw fault("DATA", imagesNeedModel(source), { place: source });
  return imageTable(pictures, source, { ...images(), ...options });
}

/** The first share of the rows to measure on, the rest to score on; all rows serve both when the share is 1.
 * @param {Table} table @param {number} share @returns {{measure: Table, score: Table, heldOut: boolean}} */
export function splitTable(table, share) {
  if (share === 1) return { measure: table, score: table, heldOut: false };
  const first = Math.round(table.rows * share);
  if (!(first > 0 && first < table.rows)) throw fault("DATA", wrongSplit(table.rows), { place: table.source });
  return { measure: sliceTable(table, 0, first), score: sliceTable(table, first, table.rows), heldOut: true };
}

/** Rows from `start` to before `end`. @param {Table} table @param {number} start @param {number} end @returns {Table} */
export function sliceTable(table, start, end) {
  const width = table.features.length / table.rows;
  return {
    ...table,
    features: table.features.slice(start * width, end * width),
    labels: table.labels?.slice(start * table.labelColumns, end * table.labelColumns) ?? null,
    rows: end - start,
  };
}

/** @param {Matrix} matrix @param {string} name @param {{labels: number, features?: number, divide: number}} options @returns {Table} */
function tableOf({ values, rows, columns, names }, name, { labels, features, divide }) {
  const width = columns - labels;
  if (features !== undefined && width !== features) {
    throw fault("DATA", wrongColumns({ file: name, columns, labels, features }), { place: name });
  }
  if (width < 1) throw fault("DATA", wrongLabels(columns, labels), { place: name });
  const left = new Float64Array(rows * width);
  const right = labels > 0 ? new Float64Array(rows * labels) : null;
  for (let row = 0; row < rows; row += 1) {
    const cells = values.subarray(row * columns, (row + 1) * columns);
    left.set(cells.subarray(0, width), row * width);
    right?.set(cells.subarray(width), row * labels);
  }
  if (divide !== 1) left.forEach((value, i) => (left[i] = value / divide));
  return { features: left, labels: right, rows, columns, labelColumns: labels, names, source: name };
}

const LARGEST = 2 ** 31; // bytes, unpacked

/** @param {Uint8Array} bytes @param {string} name @returns {Promise<Uint8Array>} */
async function unpack(bytes, name) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
  /** @type {Uint8Array[]} */
  const parts = [];
  let size = 0;
  try {
    for (const reader = stream.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return joined(Uint8Array, parts);
      parts.push(value);
      size += value.length;
      if (size > LARGEST) throw fault("LIMIT", tooLarge(name), { place: name });
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw fault("DATA", badData(name, "its gzip compression is damaged"), { place: name, cause: error });
  }
}

/** @param {Uint8Array} bytes @param {string} name @returns {Matrix} */
function readMatrix(bytes, name) {
  if (isNpy(bytes)) return finite(readNpy(bytes, name), name);
  if (isZip(bytes)) return finite(readNpz(bytes, name), name);
  if (isIdx(bytes)) return finite(readIdx(bytes, name), name);
  return readText(bytes, name);
}

/** @param {Matrix} matrix @param {string} name */
function finite(matrix, name) {
  const bad = matrix.values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return matrix;
  const row = Math.floor(bad / matrix.columns) + 1;
  const column = (bad % matrix.columns) + 1;
  throw fault("DATA", badElement(name, row, column), { place: `row ${row}, column ${column}` });
}

// ---- text ------------------------------------------------------------------------------------------------------------

const DECIMAL = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;
const isNumber = (/** @type {string} */ cell) => DECIMAL.test(cell) && Number.isFinite(Number(cell));

/** The first of these that the first line of data holds; a comma comes last, it may be a decimal one. @param {string} line */
const delimiterOf = (line) => ["\t", ";", "|", ","].find((mark) => line.includes(mark)) ?? " ";

/** Runs of spaces as one, none at the ends. @param {string} text */
const squeezed = (text) => text.replace(/ +/g, " ").replace(/^ | (?=\r?$)/gm, "");

/** @param {Uint8Array} bytes @param {string} name @returns {Matrix} */
function readText(bytes, name) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw fault("DATA", badData(name, "it is neither text nor NPY, NPZ or IDX"), { place: name, cause: error });
  }
  const delimiter = delimiterOf(text.split("\n").find((line) => line.trim() !== "" && !line.startsWith("#")) ?? "");
  const { data } = Papa.parse(delimiter === " " ? squeezed(text) : text, {
    delimiter,
    skipEmptyLines: false, // so that a row's index is its line
  });
  const lines = /** @type {string[][]} */ (data)
    .map((cells, i) => ({ cells, line: i + 1 }))
    .filter(({ cells }) => !(cells.length === 1 && cells[0].trim() === "") && !cells[0].startsWith("#"));
  const header = lines.length > 0 && isHeader(lines[0].cells);
  const names = header ? lines[0].cells.map((cell) => cell.trim()) : null;
  const body = header ? lines.slice(1) : lines;
  const columns = body[0]?.cells.length ?? 0;
  const values = new Float64Array(body.length * columns);
  body.forEach(({ cells, line }, row) => fillRow(values.subarray(row * columns, (row + 1) * columns), cells, line, names, name));
  return { values, rows: body.length, columns, names: names?.length === columns ? names : null };
}

/** Names rather than one bad number among good ones. @param {string[]} cells */
const isHeader = (cells) => cells.filter(isNumber).length * 2 < cells.length;

/** @param {Float64Array} values @param {string[]} cells @param {number} line @param {string[]|null} names @param {string} file */
function fillRow(values, cells, line, names, file) {
  if (cells.length !== values.length) {
    const message = badWidth({ file, line, found: cells.length, expected: values.length });
    throw fault("DATA", message, { place: `line ${line}` });
  }
  cells.forEach((cell, i) => {
    if (!isNumber(cell)) {
      const column = `column ${i + 1}${names?.[i] ? ` (${names[i]})` : ""}`;
      throw fault("DATA", badCell({ file, line, column, cell: cell.trim() }), { place: `line ${line}, ${column}` });
    }
    values[i] = Number(cell);
  });
}

// ---- NPY, NPZ: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html ---------------------------------

/** @param {Uint8Array} bytes */
const isNpy = (bytes) => bytes[0] === 0x93 && String.fromCharCode(...bytes.subarray(1, 6)) === "NUMPY";

/** Readers by NumPy's kind and size, little-endian flag last. @type {Record<string, (view: DataView, at: number, little: boolean) => number>} */
const ELEMENTS = {
  f8: (view, at, little) => view.getFloat64(at, little),
  f4: (view, at, little) => view.getFloat32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  i4: (view, at, little) => view.getInt32(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  i1: (view, at) => view.getInt8(at),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  u4: (view, at, little) => view.getUint32(at, little),
  u2: (view, at, little) => view.getUint16(at, little),
  u1: (view, at) => view.getUint8(at),
  b1: (view, at) => view.getUint8(at),
};

/** `count` elements from `start` on. @param {Uint8Array} bytes @param {number} start @param {number} count @param {string} kind
 * @param {boolean} little @param {string} name */
function readElements(bytes, start, count, kind, little, name) {
  const step = Number(kind.slice(1));
  const read = ELEMENTS[kind];
  if (read === undefined) throw fault("DATA", badData(name, `elements of type "${kind}" are not numbers netlump reads`), { place: name });
  if (!(count >= 0 && start + count * step <= bytes.length)) {
    throw fault("DATA", badData(name, "it ends before its last row"), { place: name });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i += 1) values[i] = read(view, start + i * step, little);
  return values;
}

/** First axis to rows, all others to columns. @param {number[]} shape */
const asMatrix = (shape) => ({ rows: shape[0] ?? 1, columns: shape.slice(1).reduce((a, b) => a * b, 1) });

/** @param {Uint8Array} bytes @param {string} name @returns {Matrix} */
function readNpy(bytes, name) {
  const wide = bytes[6] >= 2; // version 1 has a 16-bit header length
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = wide ? 12 : 10;
  const length = bytes.length < start ? 0 : wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = String.fromCharCode(...bytes.subarray(start, Math.min(start + length, start + 4096)));
  const [, order, kind] = header.match(/'descr':\s*'([<>|=]?)([a-zA-Z]\d+)'/) ?? [];
  const [, dims] = header.match(/'shape':\s*\(([^)]*)\)/) ?? [];
  if (kind === undefined || dims === undefined) throw fault("DATA", badData(name, "its NPY header makes no sense"), { place: name });
  const shape = dims.split(",").filter((d) => d.trim() !== "").map(Number);
  const { rows, columns } = asMatrix(shape);
  const values = readElements(bytes, start + length, rows * columns, kind, order !== ">", name);
  const fortran = /'fortran_order':\s*True/.test(header);
  return { values: fortran ? rowMajor(values, shape) : values, rows, columns, names: null };
}

/** Column-major elements in row-major order. @param {Float64Array} values @param {number[]} shape */
function rowMajor(values, shape) {
  const out = new Float64Array(values.length);
  const index = shape.map(() => 0); // of the element, first axis fastest
  for (const value of values) {
    out[index.reduce((at, i, axis) => at * shape[axis] + i, 0)] = value;
    for (let axis = 0; axis < shape.length && ++index[axis] === shape[axis]; axis += 1) index[axis] = 0;
  }
  return out;
}

/** @param {Uint8Array} bytes */
const isZip = (bytes) => bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] < 8;

/** Arrays with equally many rows side by side, so that x and y make columns and labels. @param {Uint8Array} bytes @param {string} name
 * @returns {Matrix} */
function readNpz(bytes, name) {
  let files;
  try {
    files = unzipSync(bytes, { filter: (file) => file.name.endsWith(".npy") && file.originalSize < LARGEST });
  } catch (error) {
    throw fault("DATA", badData(name, "its zip archive is damaged"), { place: name, cause: error });
  }
  const parts = Object.entries(files).map(([file, content]) => readNpy(content, `${name}/${file}`));
  const rows = parts[0]?.rows ?? 0;
  if (parts.some((part) => part.rows !== rows)) {
    throw fault("DATA", badData(name, "its arrays differ in their number of rows"), { place: name });
  }
  const columns = parts.reduce((sum, part) => sum + part.columns, 0);
  const values = new Float64Array(rows * columns);
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (const part of parts) {
      values.set(part.values.subarray(row * part.columns, (row + 1) * part.columns), at);
      at += part.columns;
    }
  }
  return { values, rows, columns, names: null };
}

// ---- IDX: two zero bytes, element type, rank, sizes and elements, all big-endian -----------------------------------------

/** @type {Record<number, string>} */
const IDX_KINDS = { 0x08: "u1", 0x09: "i1", 0x0b: "i2", 0x0c: "i4", 0x0d: "f4", 0x0e: "f8" };

/** @param {Uint8Array} bytes */
const isIdx = (bytes) => bytes.length > 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] in IDX_KINDS && bytes[3] > 0;

/** @param {Uint8Array} bytes @param {string} name @returns {Matrix} */
function readIdx(bytes, name) {
  const rank = bytes[3];
  const start = 4 + 4 * rank;
  const shape = [...readElements(bytes, 4, rank, "u4", false, name)];
  const { rows, columns } = asMatrix(shape);
  return { values: readElements(bytes, start, rows * columns, IDX_KINDS[bytes[2]], false, name), rows, columns, names: null };
}
