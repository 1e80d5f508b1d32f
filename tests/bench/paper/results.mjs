// results.csv: one line a compressed network, appended as it is computed, so that a run can stop and go on.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";

import { CASES, METHODS } from "./cases.mjs";

/**
 * @typedef {{
 *   system: string, network: string, rows: number, method: string, polish: boolean, asked: number, retained: number,
 *   parameters: number, deviation: number, mse: number, factor: number, note: string
 * }} Row
 *   rows: of the measure; asked, retained: shares; parameters: left; factor: mse over the original's; note: why there is no
 *   result, then the numbers from `retained` on are NaN. Methods "original" and "mean" are references: the network as it
 *   came, and always answering the mean.
 */

const COLUMNS = /** @type {const} */ (["system", "network", "rows", "method", "polish", "asked", "retained", "parameters", "deviation", "mse", "factor", "note"]);
const TEXTS = new Set(["system", "network", "method", "note"]);
const ROUNDED = new Set(["retained", "deviation", "mse", "factor"]);

/** @param {Row} row */
export const keyOf = (row) => [row.system, row.network, row.method, row.polish, row.asked].join(" ");

/** Six digits, as in the file: what is compared and drawn is what is written. @param {number} value */
export const rounded = (value) => Number(value.toPrecision(6));

/** @param {Row} row */
function lineOf(row) {
  const cells = COLUMNS.map((column) => {
    const value = row[column];
    if (typeof value !== "number") return String(value);
    if (Number.isNaN(value)) return "";
    return String(ROUNDED.has(column) ? rounded(value) : value);
  });
  return `${cells.join(",")}\n`;
}

/** @param {string} line @returns {Row} */
function rowOf(line) {
  const cells = line.split(",");
  const entries = COLUMNS.map((column, i) => {
    if (TEXTS.has(column)) return [column, cells[i] ?? ""];
    if (column === "polish") return [column, cells[i] === "true"];
    return [column, cells[i] === "" ? NaN : Number(cells[i])];
  });
  return /** @type {Row} */ (Object.fromEntries(entries));
}

/** @param {string} file @returns {Row[]} */
export function readResults(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(1);
  // A run that was stopped may have left half a line.
  return lines.filter((line) => line.split(",").length === COLUMNS.length).map(rowOf);
}

/** @param {string} file @param {Row} row */
export const appendResult = (file, row) => appendFileSync(file, lineOf(row));

/** All rows in the order of cases.mjs: the same file from any order of computing. @param {string} file @param {Row[]} rows */
export function writeResults(file, rows) {
  const cases = CASES.map((one) => `${one.set} ${one.network}`);
  const methods = ["original", "mean", ...METHODS.map((method) => method.id)];
  const rank = (/** @type {Row} */ row) => [cases.indexOf(`${row.system} ${row.network}`), Number(row.polish), methods.indexOf(row.method), row.asked];
  const ranked = rows.map((row) => ({ row, at: rank(row) }));
  ranked.sort((a, b) => a.at.map((value, i) => value - b.at[i]).find((difference) => difference !== 0) ?? 0);
  writeFileSync(file, `${COLUMNS.join(",")}\n${ranked.map(({ row }) => lineOf(row)).join("")}`);
}
