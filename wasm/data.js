// data: files of rows -> Table. CSV, TSV and other delimited text (delimited.js), NumPy's NPY and NPZ, IDX (arrays.js), each also
// gzipped, told apart by content. What the columns are for columns.js says; what is not a label and not left out is what the model
// reads. Pictures, alone or in a zip, are rows too (images.js).
import { readIdx, readNpy, readNpz, sheetOf } from "./arrays.js";
import { classesOf, isWords, rolesOf } from "./columns.js";
import { readText } from "./delimited.js";
import { fault } from "./fault.js";
import { unpack } from "./gzip.js";
import { imageTable, zipped } from "./images.js";
import { isIdx, isNpy, isPicture, isZip } from "./kinds.js";
import { isImage } from "./layout.js";
import { emptyTable, imagesNeedModel, noClasses, noColumns, wordColumn, wrongColumns, wrongLabels, wrongPair } from "./messages.js";
import { scaleOf, standardised } from "./scale.js";

export { sliceTable, splitTable } from "./table.js";

/**
 * @typedef {import("./types.js").Table} Table
 * @typedef {import("./columns.js").Columns} Columns
 * @typedef {import("./columns.js").Role} Role
 * @typedef {{rows: number, columns: number, names: string[]|null, at: (row: number, column: number) => number,
 *   cell: (row: number, column: number) => string, bad: (row: number, column: number) => Error}} Sheet
 *   a file's cells before anybody says what they are for. at: NaN where there is no finite number, and what `bad` says of it then
 * @typedef {number|"folder"|"auto"|Columns} Labels   so many last columns, or which; of pictures the folders they lie in; auto: guessed
 * @typedef {import("./images.js").Reading} Reading
 */

const PREVIEWED = { rows: 6, columns: 1000 };

/**
 * @param {Uint8Array} bytes
 * @param {string} name of the file
 * @param {{labels?: Labels, skip?: Columns, features?: number, divide?: number, standardize?: boolean, rows?: number,
 *   beside?: {bytes: Uint8Array, name: string}[], images?: (() => Reading)|null}} [options] skip: columns that are left out; features:
 *   what the model reads a row; divide: of the features, 255 for images of bytes; standardize: bring each of them to mean 0 and
 *   spread 1; rows: of pictures, at most; beside: files with more columns of the same rows; images: how they are read
 * @returns {Promise<Table>}
 */
export async function readTable(bytes, name, { labels = 0, skip = [], features, divide = 1, standardize = false, rows, beside = [], images = null } = {}) {
  const pictures = picturesIn(bytes, name);
  if (pictures !== null) {
    if (skip.length > 0 || Array.isArray(labels)) throw fault("DATA", noColumns(name), { place: name });
    return readPictures(pictures, name, { labels, features, divide, rows, images });
  }
  if (labels === "folder") throw fault("DATA", noClasses(name), { place: name });
  const sheet = await sheetFrom(bytes, name);
  const others = await Promise.all(beside.map((file) => sheetFrom(file.bytes, file.name)));
  const all = others.reduce((left, right, i) => sideBySide(left, right, [name, beside[i].name]), sheet);
  return tableOf(all, [name, ...beside.map((file) => file.name)].join(" + "), { labels, skip, features, divide, standardize });
}

/** @param {Uint8Array} bytes @param {string} name */
function picturesIn(bytes, name) {
  if (isPicture(bytes) || isImage(name)) return { names: [name], load: () => [bytes] };
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

// ---- sheets ------------------------------------------------------------------------------------------------------------

/** @param {Uint8Array} packed @param {string} name @returns {Promise<Sheet>} */
async function sheetFrom(packed, name) {
  const bytes = await unpack(packed, name);
  const sheet = isNpy(bytes)
    ? sheetOf(readNpy(bytes, name), name)
    : isZip(bytes)
      ? sheetOf(readNpz(bytes, name), name)
      : isIdx(bytes)
        ? sheetOf(readIdx(bytes, name), name)
        : readText(bytes, name);
  if (sheet.rows === 0 || sheet.columns === 0) throw fault("DATA", emptyTable(name), { place: name });
  return sheet;
}

/** Columns of two files with equally many rows. @param {Sheet} left @param {Sheet} right @param {string[]} files @returns {Sheet} */
function sideBySide(left, right, files) {
  if (left.rows !== right.rows) throw fault("DATA", wrongPair(files, [left.rows, right.rows]), { place: files[1] });
  const unnamed = (/** @type {Sheet} */ sheet) => sheet.names ?? Array.from({ length: sheet.columns }, () => "");
  const of = (/** @type {number} */ column) => (column < left.columns ? /** @type {const} */ ([left, column]) : /** @type {const} */ ([right, column - left.columns]));
  /** @type {<T>(use: (sheet: Sheet, row: number, column: number) => T) => (row: number, column: number) => T} */
  const either = (use) => (row, column) => use(of(column)[0], row, of(column)[1]);
  return {
    rows: left.rows,
    columns: left.columns + right.columns,
    names: left.names || right.names ? [...unnamed(left), ...unnamed(right)] : null,
    at: either((sheet, row, column) => sheet.at(row, column)),
    cell: either((sheet, row, column) => sheet.cell(row, column)),
    bad: either((sheet, row, column) => sheet.bad(row, column)),
  };
}

// ---- tables ------------------------------------------------------------------------------------------------------------

/** @param {Sheet} sheet @param {string} file
 * @param {{labels: number|"auto"|Columns, skip: Columns, features?: number, divide: number, standardize: boolean}} options @returns {Table} */
function tableOf(sheet, file, { features, divide, standardize, ...which }) {
  const roles = rolesOf(sheet, { ...which, features }, file);
  const of = (/** @type {Role} */ wanted) => roles.flatMap((role, i) => (role === wanted ? [i] : []));
  const [inputs, labels] = [of("input"), of("label")];
  checkWidth(sheet, file, roles, features);
  const left = filled(sheet, file, inputs);
  const words = labels.map((column) => (isWords(sheet, column) ? classesOf(sheet, column) : null));
  const scale = scaleOf(left, inputs.length);
  if (divide !== 1) left.forEach((value, i) => (left[i] = value / divide));
  if (standardize) standardised(left, inputs.length);
  return {
    features: left,
    labels: labels.length > 0 ? filled(sheet, file, labels, words) : null,
    rows: sheet.rows,
    columns: sheet.columns,
    labelColumns: labels.length,
    names: sheet.names,
    source: file,
    roles,
    classes: words.map((one) => one?.classes ?? null),
    preview: preview(sheet),
    scale,
  };
}

/** @param {Sheet} sheet @param {string} file @param {Role[]} roles @param {number} [features] */
function checkWidth({ columns, names, ...sheet }, file, roles, features) {
  const counted = (/** @type {Role} */ wanted) => roles.filter((role) => role === wanted).length;
  const [inputs, labels, out] = [counted("input"), counted("label"), counted("out")];
  if (features !== undefined && inputs !== features) {
    const guess = rolesOf({ columns, names, ...sheet }, { labels: "auto", skip: [], features }, file);
    throw fault("DATA", wrongColumns({ file, columns, labels, out, features, names, guess }), { place: file });
  }
  if (inputs < 1) throw fault("DATA", wrongLabels(columns, labels), { place: file });
}

/** The numbers of some columns, (rows, columns). @param {Sheet} sheet @param {string} file @param {number[]} columns
 * @param {({at: (row: number) => number}|null)[]} [words] of columns that hold them */
function filled(sheet, file, columns, words = []) {
  const values = new Float64Array(sheet.rows * columns.length);
  for (let row = 0, at = 0; row < sheet.rows; row += 1) {
    for (let i = 0; i < columns.length; i += 1, at += 1) {
      values[at] = words[i]?.at(row) ?? sheet.at(row, columns[i]);
      if (!Number.isFinite(values[at])) throw refusal(sheet, file, row, columns[i]);
    }
  }
  return values;
}

/** @param {Sheet} sheet @param {string} file @param {number} row @param {number} column */
function refusal(sheet, file, row, column) {
  if (!isWords(sheet, column)) return sheet.bad(row, column);
  return fault("DATA", wordColumn({ file, column, name: sheet.names?.[column] ?? null, cell: sheet.cell(row, column) }), { place: file });
}

/** The first cells as they stand in the file. @param {Sheet} sheet */
function preview({ rows, columns, cell }) {
  const wide = Math.min(columns, PREVIEWED.columns);
  return Array.from({ length: Math.min(rows, PREVIEWED.rows) }, (_, row) => Array.from({ length: wide }, (_, column) => cell(row, column)));
}
