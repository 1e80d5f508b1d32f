// A chart's table as a file that spreadsheets open.

/** @typedef {import("./chart.jsx").Table} Table */

/** @param {string|number} cell */
function quoted(cell) {
  const text = typeof cell === "number" ? (Number.isFinite(cell) ? String(cell) : "") : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Numbers as they are where the table keeps them, not as they are shown. @param {Table} table */
export const csvOf = ({ head, rows, raw = rows }) => [head, ...raw].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
