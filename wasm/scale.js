// scale: whether columns look as networks are usually fed, and the two ways to bring them there.

/** @typedef {{bytes: boolean, far: boolean, mean: number, spread: number}} Scale   bytes: whole numbers from 0 to 255, as pixels are;
 *   far: no training would have left them so; the largest mean and the largest spread, over the columns */

const FAR = 4; // a column of mean or spread above this is not standardised, nor brought to 0 ... 1
const PIXELS = 16; // columns at least

/** @param {Float64Array} values (rows, columns) @param {number} columns @returns {Scale} */
export function scaleOf(values, columns) {
  const { means, spreads } = momentsOf(values, columns);
  const largest = (/** @type {Float64Array} */ all) => all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bytes = columns >= PIXELS && values.every((value) => value >= 0 && value <= 255 && Number.isInteger(value)) && values.some((value) => value > 64);
  const [mean, spread] = [largest(means), largest(spreads)];
  return { bytes, far: mean > FAR || spread > FAR, mean, spread };
}

/** Brings each column to mean 0 and spread 1, constant ones to 0; in place. @param {Float64Array} values (rows, columns) @param {number} columns */
export function standardised(values, columns) {
  const { means, spreads } = momentsOf(values, columns);
  values.forEach((value, i) => (values[i] = spreads[i % columns] > 0 ? (value - means[i % columns]) / spreads[i % columns] : 0));
}

/** @param {Float64Array} values (rows, columns) @param {number} columns */
function momentsOf(values, columns) {
  const rows = values.length / columns;
  const [means, spreads] = [new Float64Array(columns), new Float64Array(columns)];
  values.forEach((value, i) => (means[i % columns] += value / rows));
  values.forEach((value, i) => (spreads[i % columns] += (value - means[i % columns]) ** 2 / rows));
  // What is left of a constant column is rounding.
  spreads.forEach((square, i) => (spreads[i] = Math.sqrt(square) > 1e-12 * Math.abs(means[i]) ? Math.sqrt(square) : 0));
  return { means, spreads };
}
