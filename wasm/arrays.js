// arrays: NumPy's NPY and NPZ, and IDX (the MNIST format) -> sheets of numbers.
import { fault } from "./fault.js";
import { IDX_KINDS } from "./kinds.js";
import { badData, badElement } from "./messages.js";
import { unzip } from "./zip.js";

/** @typedef {import("./data.js").Sheet} Sheet @typedef {{values: Float64Array, rows: number, columns: number}} Matrix   values (rows, columns) */

/** @param {Matrix} matrix @param {string} name @returns {Sheet} */
export const sheetOf = ({ values, rows, columns }, name) => ({
  rows,
  columns,
  names: null,
  at: (row, column) => values[row * columns + column],
  cell: (row, column) => String(values[row * columns + column]),
  bad: (row, column) => fault("DATA", badElement(name, row + 1, column + 1), { place: `row ${row + 1}, column ${column + 1}` }),
});

// ---- NPY, NPZ: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html ---------------------------------

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
export function readNpy(bytes, name) {
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
  return { values: fortran ? rowMajor(values, shape) : values, rows, columns };
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

/** Arrays with equally many rows side by side, so that x and y make columns and labels. @param {Uint8Array} bytes @param {string} name
 * @returns {Matrix} */
export function readNpz(bytes, name) {
  const files = unzip(bytes, name, (file) => file.endsWith(".npy"));
  const parts = Object.entries(files).map(([file, content]) => readNpy(content, `${name}/${file}`));
  if (parts.length === 0) throw fault("DATA", badData(name, "the zip holds neither images nor NumPy arrays"), { place: name });
  const { rows } = parts[0];
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
  return { values, rows, columns };
}

// ---- IDX: two zero bytes, element type, rank, sizes and elements, all big-endian -----------------------------------------

/** @param {Uint8Array} bytes @param {string} name @returns {Matrix} */
export function readIdx(bytes, name) {
  const rank = bytes[3];
  const start = 4 + 4 * rank;
  const shape = [...readElements(bytes, 4, rank, "u4", false, name)];
  const { rows, columns } = asMatrix(shape);
  return { values: readElements(bytes, start, rows * columns, IDX_KINDS[bytes[2]], false, name), rows, columns };
}
