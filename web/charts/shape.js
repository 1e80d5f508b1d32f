// Lines as the `d` of an SVG path. What the charts need of d3-shape, called as there.

/** @typedef {[number, number]} Point */

const rounded = (/** @type {number} */ place) => String(Math.round(place * 1000) / 1000);
const pair = (/** @type {number} */ x, /** @type {number} */ y) => `${rounded(x)},${rounded(y)}`;

/** @param {Point[]} points */
const straight = (points) => points.map(([x, y], i) => (i === 0 ? "M" : "L") + pair(x, y)).join("");

/**
 * Slopes at the points of a cubic line that rises and falls only where the points do: M. Steffen, A simple method for monotonic
 * interpolation in one dimension, Astronomy and Astrophysics 239 (1990), equations 4 to 11.
 * @param {Point[]} points two at least, by growing x
 */
function monotoneSlopes(points) {
  const widths = points.slice(1).map(([x], i) => x - points[i][0] || Number.EPSILON);
  const secants = points.slice(1).map(([, y], i) => (y - points[i][1]) / widths[i]);
  const inner = secants.slice(1).map((right, i) => {
    const left = secants[i];
    const mean = (left * widths[i + 1] + right * widths[i]) / (widths[i] + widths[i + 1]);
    return (Math.sign(left) + Math.sign(right)) * Math.min(Math.abs(left), Math.abs(right), Math.abs(mean) / 2);
  });
  const end = (/** @type {number} */ secant, /** @type {number|undefined} */ next) => (next === undefined ? secant : (3 * secant - next) / 2);
  return [end(secants[0], inner[0]), ...inner, end(secants[secants.length - 1], inner.at(-1))];
}

/** A curve through points by growing x that never swings beyond them. @param {Point[]} points */
export function curveMonotoneX(points) {
  if (points.length < 3) return straight(points);
  const slopes = monotoneSlopes(points);
  const bends = points.slice(1).map(([x, y], i) => {
    const [left, top] = points[i];
    const third = (x - left) / 3;
    return `C${pair(left + third, top + slopes[i] * third)},${pair(x - third, y - slopes[i + 1] * third)},${pair(x, y)}`;
  });
  return `M${pair(...points[0])}${bends.join("")}`;
}

/**
 * @template T
 * @typedef {{(items: Iterable<T>): string|null, curve: (curve: (points: Point[]) => string) => Line<T>}} Line
 */

/**
 * @template T
 * @param {(item: T, index: number) => number} x
 * @param {(item: T, index: number) => number} y
 * @param {(points: Point[]) => string} [curve]
 * @returns {Line<T>}
 */
export function line(x, y, curve = straight) {
  const draw = (/** @type {Iterable<T>} */ items) => {
    const points = Array.from(items, (item, i) => /** @type {Point} */ ([x(item, i), y(item, i)]));
    return points.length === 0 ? null : curve(points);
  };
  return Object.assign(draw, { curve: (/** @type {(points: Point[]) => string} */ other) => line(x, y, other) });
}
