// What a handful of dropped files is: the model, rows of data, and what else the model may need; and files that go out together.

import { zipSync } from "fflate";

import { isImage } from "../wasm/images.js";
import { text } from "./messages.js";

const DATA = /\.(csv|tsv|txt|npy|npz)(\.gz)?$|\.zip$|idx[123]-?ubyte(\.gz)?$/i;
const MODEL = /\.(onnx|json)$/i;

/**
 * @typedef {{name: string, bytes: import("../wasm/source.js").Source}} Named   bytes, or the file, which the worker reads
 * @typedef {Named & {pictures?: Named[]}} Rows   pictures: they are the rows, not the bytes
 */

/**
 * Names only guess here; the engine reads the content and says what is wrong with it.
 * @param {Named[]} files
 * @returns {{model: Named|null, data: Rows|null, others: Named[]}}
 */
export function sortFiles(files) {
  const pictures = files.filter((file) => isImage(file.name));
  const table = files.find((file) => DATA.test(file.name));
  const data = table ?? (pictures.length > 0 ? { name: text.pictures(pictures.map(({ name }) => name)), bytes: new Uint8Array(), pictures } : null);
  const rest = files.filter((file) => file !== table && !pictures.includes(file));
  const model = rest.find((file) => MODEL.test(file.name)) ?? rest[0] ?? null;
  return { model, data, others: rest.filter((file) => file !== model) };
}

/** @param {File} file @returns {Named} */
export const named = (file) => ({ name: file.name, bytes: file });

const HEAD = 2 ** 20; // bytes that hold a table's first line

/** The first bytes of a file. @param {Named} file @returns {Promise<Uint8Array>} */
async function headOf({ name, bytes }) {
  if (bytes instanceof Uint8Array) return bytes.subarray(0, HEAD);
  try {
    return new Uint8Array(await bytes.slice(0, HEAD).arrayBuffer());
  } catch {
    throw new Error(text.cannotRead(name)); // a folder, or gone
  }
}

/**
 * Columns of a text table, from its first line; null where the file is no text table.
 * @param {Named} file
 */
export async function columnsOf(file) {
  if (!/\.(csv|tsv|txt)$/i.test(file.name)) return null;
  const line = new TextDecoder().decode(await headOf(file)).split(/\r?\n/, 1)[0] ?? "";
  const separator = ["\t", ";", ","].find((mark) => line.includes(mark)) ?? ",";
  return line.split(separator).length;
}

/**
 * Columns left over when the model has taken its inputs are labels; of pictures, the folders they lie in.
 * @param {Rows} file
 * @param {number} features
 */
export async function guessLabels(file, features) {
  if (file.pictures || /\.zip$/i.test(file.name)) return /** @type {const} */ ("auto");
  return Math.max(0, ((await columnsOf(file)) ?? features) - features);
}

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
  return zipSync(parts);
}
