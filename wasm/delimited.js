// delimited: CSV, TSV and other text with one row a line -> a sheet.
import Papa from "papaparse";

import { delimiterOf, isHeader, isNumber } from "./cells.js";
import { fault } from "./fault.js";
import { badCell, badData, badWidth, textTooLong } from "./messages.js";

/** @typedef {import("./data.js").Sheet} Sheet */

const LONGEST = 2 ** 29 - 2 ** 10; // bytes: what a string holds in every browser

/** Runs of spaces as one, none at the ends. @param {string} text */
const squeezed = (text) => text.replace(/ +/g, " ").replace(/^ | (?=\r?$)/gm, "");

/** @param {Uint8Array} bytes @param {string} name @returns {Sheet} */
export function readText(bytes, name) {
  const lines = linesOf(bytes, name);
  const first = lines[0]?.cells ?? [];
  const names = isHeader(first) ? first.map((cell) => cell.trim()) : null;
  const body = names ? lines.slice(1) : lines;
  const columns = first.length;
  for (const { cells, line } of body)
    if (cells.length !== columns) throw fault("DATA", badWidth({ file: name, line, found: cells.length, expected: columns }), { place: `line ${line}` });
  return {
    rows: body.length,
    columns,
    names,
    at: (row, column) => (isNumber(body[row].cells[column]) ? Number(body[row].cells[column]) : NaN),
    cell: (row, column) => body[row].cells[column].trim(),
    bad(row, column) {
      const place = `column ${column + 1}${names?.[column] ? ` (${names[column]})` : ""}`;
      const { cells, line } = body[row];
      return fault("DATA", badCell({ file: name, line, column: place, cell: cells[column].trim() }), { place: `line ${line}, ${place}` });
    },
  };
}

/** The cells of every line that has some, with its number. @param {Uint8Array} bytes @param {string} name */
function linesOf(bytes, name) {
  if (bytes.length > LONGEST) throw fault("LIMIT", textTooLong(name, bytes.length, LONGEST), { place: name });
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
  return /** @type {string[][]} */ (data)
    .map((cells, i) => ({ cells, line: i + 1 }))
    .filter(({ cells }) => !(cells.length === 1 && cells[0].trim() === "") && !cells[0].startsWith("#"));
}
