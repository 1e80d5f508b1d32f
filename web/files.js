// What a handful of files is: the model, rows of data, and what else the model may need; and files that go out together.
import { kindOf } from "../wasm/kinds.js";
import { sizeOf } from "../wasm/source.js";
import { text } from "./messages.js";

/**
 * @typedef {{name: string, bytes: import("../wasm/source.js").Source}} Named   bytes, or the file, which the worker reads; the name
 *   of a file in a folder has the folder's
 * @typedef {Named & {pictures?: Named[], beside?: Named[]}} Rows   pictures: they are the rows, not the bytes; beside: more columns of
 *   the same rows, if they fit
 * @typedef {{model: Named|null, models: Named[], data: Rows|null, tables: Named[], others: Named[]}} Sorted   models, tables: all
 *   there are, the first being the one; others: what the model may need, by the names it calls them
 */

const AT_ONCE = 256; // files looked at at a time

/** What systems leave in folders. @param {Named} file */
const isLitter = ({ name }) => /(^|\/)(\.[^/]*|Thumbs\.db|desktop\.ini|__MACOSX(\/.*)?)$/i.test(name);

/** @param {string} name */
const depth = (name) => name.split("/").length;
/** @param {string} name */
export const baseOf = (name) => name.split("/").at(-1) ?? name;
/** @param {string} name */
const folderOf = (name) => name.slice(0, name.length - baseOf(name).length);

/** @param {Named[]} files */
async function kindsOf(files) {
  /** @type {import("../wasm/kinds.js").Kind[]} */
  const kinds = [];
  for (let at = 0; at < files.length; at += AT_ONCE) kinds.push(...(await Promise.all(files.slice(at, at + AT_ONCE).map(kindOf))));
  return kinds;
}

/**
 * By content. Of several models the one nearest to the top comes first, ONNX before JSON. Where none is known as a model, what is
 * neither rows nor plain text is taken for one: opening it says what it is.
 * @param {Named[]} dropped
 * @param {{fits?: boolean}} [options] fits: a model is open, and pictures are rows for it
 * @returns {Promise<Sorted>}
 */
export async function sortFiles(dropped, { fits = false } = {}) {
  const files = dropped.filter((file) => !isLitter(file));
  const kinds = await kindsOf(files);
  const of = (/** @type {import("../wasm/kinds.js").Kind[]} */ ...wanted) => files.filter((_, i) => wanted.includes(kinds[i]));
  const json = (/** @type {Named} */ { name }) => Number(/\.json$/i.test(name));
  const known = of("model").sort((a, b) => depth(a.name) - depth(b.name) || json(a) - json(b) || (a.name < b.name ? -1 : 1));
  const tables = of("rows").sort((a, b) => sizeOf(b.bytes) - sizeOf(a.bytes));
  const images = of("picture");
  const pictured = known.length > 0 || fits || (images.length > 1 && tables.length === 0);
  const unknown = [...of("other"), ...(pictured ? [] : images)];
  const models = known.length > 0 ? known : tables.length + (pictured ? images.length : 0) > 0 ? unknown : [...unknown, ...of("text")];
  const [model = null] = models;
  const data = tables.length > 0 ? { ...tables[0], ...(tables.length === 2 ? { beside: [tables[1]] } : {}) } : pictured && images.length > 0 ? album(images) : null;
  return { model: model && { ...model, name: baseOf(model.name) }, models, data, tables, others: model ? besides(model, files.filter((file) => file !== model && !tables.includes(file) && !images.includes(file))) : [] };
}

/** Files as a model in this folder calls them. @param {Named} model @param {Named[]} files */
const besides = (model, files) => files.map((file) => ({ ...file, name: file.name.startsWith(folderOf(model.name)) ? file.name.slice(folderOf(model.name).length) : baseOf(file.name) }));

/** Pictures as rows. @param {Named[]} pictures @returns {Rows} */
function album(pictures) {
  const [top] = pictures[0].name.split("/");
  const shared = pictures.every(({ name }) => name.startsWith(`${top}/`));
  return { name: shared ? top : text.pictures(pictures.map(({ name }) => name)), bytes: new Uint8Array(), pictures };
}

/** @param {File} file @returns {Named} */
export const named = (file) => ({ name: file.webkitRelativePath || file.name, bytes: file });

// ---- what is dropped or pasted -----------------------------------------------------------------------------------------

/** Files and folders of a drop, folders walked. To be called in the event itself: later there is nothing left of it.
 * @param {DataTransfer} transfer @returns {Promise<Named[]>} */
export function filesOf(transfer) {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (!entries.some((entry) => entry.isDirectory)) return Promise.resolve([...transfer.files].map(named));
  return Promise.all(entries.map(walked)).then((all) => all.flat());
}

/** @param {FileSystemEntry} entry @returns {Promise<Named[]>} */
async function walked(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    return [{ name: entry.fullPath.replace(/^\//, ""), bytes: /** @type {File} */ (file) }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {Named[]} */
  const files = [];
  // A reader gives some hundred at a time, and none at the end.
  for (;;) {
    const some = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return files;
    for (const inner of some) files.push(...(await walked(inner)));
  }
}

/** Pasted text as a file: a network in JSON, or rows. @param {string} pasted @returns {Named|null} */
export function pastedFile(pasted) {
  const trimmed = pasted.trim();
  if (trimmed === "") return null;
  return { name: trimmed.startsWith("{") ? text.pastedModel : text.pastedRows, bytes: new TextEncoder().encode(pasted) };
}

// ---- numbers that are typed --------------------------------------------------------------------------------------------

/** Numbers with commas between; undefined where there are none, null where they are no numbers. @param {string} written */
export function numbersIn(written) {
  if (written.trim() === "") return undefined;
  const numbers = written.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  return numbers.every(Number.isFinite) ? numbers : null;
}

// ---- what goes out -----------------------------------------------------------------------------------------------------

/** @param {import("../wasm/types.js").Format} format */
export const endingOf = (format) => (format === "onnx" ? "onnx" : "json");

/** A model in several files, whose names say how they belong together, as one. @param {string} name @param {Uint8Array} bytes
 * @param {Map<string, import("../wasm/source.js").Source>} files */
export async function archive(name, bytes, files) {
  /** @type {Record<string, Uint8Array>} */
  const parts = { [name]: bytes };
  for (const [file, content] of files) parts[file] = content instanceof Uint8Array ? content : new Uint8Array(await content.arrayBuffer());
  const { zipSync } = await import("fflate");
  return zipSync(parts);
}
