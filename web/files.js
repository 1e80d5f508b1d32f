// What a handful of dropped files is: the model, rows of data, and what else the model may need.

import { text } from "./messages.js";

const DATA = /\.(csv|tsv|txt|npy|npz)(\.gz)?$|idx[123]-?ubyte(\.gz)?$/i;
const MODEL = /\.(onnx|json)$/i;

/** @typedef {{name: string, bytes: Uint8Array}} Named */

/**
 * Names only guess here; the engine reads the content and says what is wrong with it.
 * @template {{name: string}} T
 * @param {T[]} files
 * @returns {{model: T|null, data: T|null, others: T[]}}
 */
export function sortFiles(files) {
  const data = files.find((file) => DATA.test(file.name)) ?? null;
  const rest = files.filter((file) => file !== data);
  const model = rest.find((file) => MODEL.test(file.name)) ?? rest[0] ?? null;
  return { model, data, others: rest.filter((file) => file !== model) };
}

/**
 * @param {File} file
 * @returns {Promise<Named>}
 */
export async function readFile(file) {
  try {
    return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
  } catch {
    throw new Error(text.cannotRead(file.name)); // a folder, or gone
  }
}

/**
 * Columns of a text table, from its first line; null where the file is no text table.
 * @param {Named} file
 */
export function columnsOf({ name, bytes }) {
  if (!/\.(csv|tsv|txt)$/i.test(name)) return null;
  const line = new TextDecoder().decode(bytes.subarray(0, 1 << 20)).split(/\r?\n/, 1)[0] ?? "";
  const separator = ["\t", ";", ","].find((mark) => line.includes(mark)) ?? ",";
  return line.split(separator).length;
}

/**
 * Columns left over when the model has taken its inputs are labels.
 * @param {Named} file
 * @param {number} features
 */
export const guessLabels = (file, features) => Math.max(0, (columnsOf(file) ?? features) - features);
