// lines: a curve's points as lines, one for each way to make the network smaller; what page and report draw alike.

/**
 * @typedef {import("./types.js").CurvePoint} CurvePoint
 * @typedef {{key: string, method: import("./methods.js").Method, polished: boolean, points: CurvePoint[]}} Line   points by growing size
 */

/** @param {{method: string, polished: boolean}} way */
export const keyOf = ({ method, polished }) => `${method}${polished ? "+polish" : ""}`;

/** Lines in the order in which their first points come. @param {CurvePoint[]} points @returns {Line[]} */
export function linesOf(points) {
  const keys = [...new Set(points.map(keyOf))];
  return keys.map((key) => {
    const own = points.filter((point) => keyOf(point) === key).sort((a, b) => a.retained - b.retained);
    return { key, method: own[0].method, polished: own[0].polished, points: own };
  });
}

/** Dashes tell lines apart where colours cannot; the first line is whole. @type {readonly string[]} */
const DASHES = ["7 4", "2 4", "10 3 2 3", "12 5", "4 3", "6 2 1 2 1 2", "1 3", "14 4 4 4"];

/** @param {number} i the line's place, from 0 */
export const dashOf = (i) => (i === 0 ? "" : DASHES[(i - 1) % DASHES.length]);

/**
 * Labels beside their lines, moved apart where they would touch, as little as it takes, in the order of the lines.
 * @param {number[]} wanted heights
 * @param {number} gap
 * @param {number} lowest @param {number} highest heights that all must stay within
 * @returns {number[]}
 */
export function apart(wanted, gap, lowest, highest) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const placed = [...wanted];
  order.forEach((i, at) => (placed[i] = Math.max(wanted[i], at === 0 ? lowest : placed[order[at - 1]] + gap)));
  [...order].reverse().forEach((i, at, all) => (placed[i] = Math.min(placed[i], at === 0 ? highest : placed[all[at - 1]] - gap)));
  return placed;
}
