// How the benchmarks score: the first half of the test rows, without its labels, is the measure; the second half scores.
import { readTable, sliceTable } from "../../wasm/data.js";
import { meanSquaredError } from "../../wasm/score.js";
import { bytesOf } from "../material.js";

/** @typedef {import("../../wasm/types.js").Table} Table */

/** @param {string} file @param {{labels: number, features: number}} columns @returns {Promise<{measure: Table, score: Table}>} */
export async function readHalves(file, columns) {
  const table = await readTable(bytesOf(file), file, columns);
  const half = Math.floor(table.rows / 2);
  const measure = { ...sliceTable(table, 0, half), labels: null, labelColumns: 0 };
  return { measure, score: sliceTable(table, half, table.rows) };
}

/** Test MSE of a model or a result. @param {{forward: (rows: Float64Array) => Float64Array}} network @param {Table} score */
export const errorOf = (network, score) => meanSquaredError(network.forward(score.features), score);
