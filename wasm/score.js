// score: how good outputs are against labels.

/** @typedef {import("./types.js").Table} Table */

/** Whether labels name classes: one column of whole numbers from 0 while the model gives several numbers a row.
 * @param {Table} table @param {number} results numbers a row the model gives */
function areClasses({ labels, labelColumns }, results) {
  return labels !== null && labelColumns === 1 && results > 1 && labels.every((y) => Number.isInteger(y) && y >= 0 && y < results);
}

/** The share of rows whose largest output is the labelled class. @param {Float64Array} outputs @param {Float64Array} classes */
export function accuracy(outputs, classes) {
  const width = outputs.length / classes.length;
  const right = classes.reduce((sum, wanted, row) => {
    const scores = outputs.subarray(row * width, (row + 1) * width);
    return sum + (scores.indexOf(Math.max(...scores)) === wanted ? 1 : 0);
  }, 0);
  return right / classes.length;
}

/** Mean over rows and columns of (y - label)². Labels stand for the first outputs when there are fewer of them.
 * @param {Float64Array} outputs (rows, results) @param {Table} table */
export function meanSquaredError(outputs, { labels, labelColumns, rows }) {
  const results = outputs.length / rows;
  let sum = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let k = 0; k < labelColumns; k += 1) {
      sum += (outputs[row * results + k] - /** @type {Float64Array} */ (labels)[row * labelColumns + k]) ** 2;
    }
  }
  return sum / (rows * labelColumns);
}

/** Mean over rows and columns of (label - its column's mean)²: 1 - MSE / this is R². @param {Table} table with labels */
export function labelVariance({ labels, labelColumns, rows }) {
  const of = /** @type {Float64Array} */ (labels);
  let sum = 0;
  for (let k = 0; k < labelColumns; k += 1) {
    const column = Float64Array.from({ length: rows }, (_, row) => of[row * labelColumns + k]);
    const mean = column.reduce((total, y) => total + y / rows, 0);
    sum += column.reduce((total, y) => total + (y - mean) ** 2, 0);
  }
  return sum / (rows * labelColumns);
}

/** Whether these labels can be compared with these outputs. @param {Table} table @param {number} results */
export const scorable = (table, results) =>
  table.labels !== null && table.rows > 0 && (areClasses(table, results) || table.labelColumns === results);

/** @param {Float64Array} outputs (rows, results) @param {Table} table with labels @returns {{kind: "mse"|"accuracy", value: number}} */
export function score(outputs, table) {
  return areClasses(table, outputs.length / table.rows)
    ? { kind: "accuracy", value: accuracy(outputs, /** @type {Float64Array} */ (table.labels)) }
    : { kind: "mse", value: meanSquaredError(outputs, table) };
}

/** The output that labels speak of: of those that fit them the narrowest. @param {import("./types.js").Answer[]} answers @param {Table} table */
export const labelled = (answers, table) => answers.filter(({ width }) => scorable(table, width)).sort((a, b) => a.width - b.width)[0];

/** How good a network is, whatever evaluates it; null where no output fits the labels.
 * @param {{run: (rows: Float64Array, options: {wanted: (width: number) => boolean, signal?: AbortSignal}) => Promise<import("./types.js").Answer[]>}} network
 * @param {Table|null} table @param {{signal?: AbortSignal}} [watch] */
export async function scored(network, table, { signal } = {}) {
  if (table === null || table.labels === null) return null;
  const answer = labelled(await network.run(table.features, { wanted: (width) => scorable(table, width), signal }), table);
  return answer ? score(answer.values, table) : null;
}
