// table: rows cut in two, and parts of them.
import { fault } from "./fault.js";
import { wrongSplit } from "./messages.js";

/** @typedef {import("./types.js").Table} Table */

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
