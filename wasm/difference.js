// difference: how far two networks' outputs are apart, over rows that come in batch by batch.

/** @typedef {{rms: number, max: number, spread: number, scale: number}} Figures   RMS and largest difference, RMS(f - E f), RMS(f) */

/** Two equal things differ by nothing, NaN and infinity included. @param {number} a @param {number} b */
const gap = (a, b) => (Object.is(a, b) || a === b ? 0 : Number.isNaN(a - b) ? Infinity : Math.abs(a - b));

/** Sums of one output's columns, shifted by their first value so that squares keep their digits. What is no number counts nothing. */
class Columns {
  #shift;
  #sum;
  #squares;
  #rows = 0;

  /** @param {Float64Array} first row */
  constructor(first) {
    this.#shift = first.map((value) => (Number.isFinite(value) ? value : 0));
    this.#sum = new Float64Array(first.length);
    this.#squares = new Float64Array(first.length);
  }

  /** @param {Float64Array} values whole rows */
  add(values) {
    const width = this.#shift.length;
    for (let at = 0, i = 0; at < values.length; at += 1, i = i + 1 === width ? 0 : i + 1) {
      const value = values[at] - this.#shift[i];
      if (!Number.isFinite(value)) continue;
      this.#sum[i] += value;
      this.#squares[i] += value * value;
    }
    this.#rows += values.length / width;
  }

  /** Σ (f - E f)² over rows and columns. */
  get variance() {
    return this.#squares.reduce((all, square, i) => all + Math.max(square - this.#sum[i] ** 2 / this.#rows, 0), 0);
  }
}

/** Over all outputs together, E f for each number of a row by itself. */
export class Difference {
  /** @type {Map<string, Columns>} */
  #columns = new Map();
  #squares = 0;
  #power = 0;
  #max = 0;
  #count = 0;
  #apart = false; // outputs of different length

  /** @param {string} name of the output @param {Float64Array} f the original's @param {Float64Array} g the other's
   * @param {number} rows both have; numbers that are no whole rows count as one row */
  add(name, f, g, rows) {
    if (f.length !== g.length) this.#apart = true;
    if (f.length !== g.length || f.length === 0) return;
    for (let i = 0; i < f.length; i += 1) {
      const d = gap(f[i], g[i]);
      this.#squares += d * d;
      this.#max = Math.max(this.#max, d);
      this.#power += f[i] ** 2;
    }
    this.#count += f.length;
    const columns = this.#columns.get(name) ?? new Columns(f.subarray(0, f.length % rows === 0 ? f.length / rows : f.length));
    columns.add(f);
    this.#columns.set(name, columns);
  }

  /** @returns {Figures} */
  get figures() {
    if (this.#apart) return { rms: Infinity, max: Infinity, spread: 1, scale: 1 };
    const root = (/** @type {number} */ sum) => Math.sqrt(sum / Math.max(this.#count, 1));
    const variance = [...this.#columns.values()].reduce((sum, columns) => sum + columns.variance, 0);
    return { rms: root(this.#squares), max: this.#max, spread: root(variance), scale: root(this.#power) };
  }

  /** RMS(g - f) / RMS(f - E f). */
  get deviation() {
    const { rms, spread } = this.figures;
    return rms === 0 ? 0 : spread === 0 ? Infinity : rms / spread;
  }
}

/** @param {Float64Array} f (rows, results) @param {Float64Array} g (rows, results) @param {number} rows @returns {Difference} */
export function difference(f, g, rows) {
  const found = new Difference();
  found.add("", f, g, rows);
  return found;
}
