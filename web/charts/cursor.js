// The cursor of a chart: which point a pointer means, and where a key takes it.

/** @typedef {{x: number, y: number}} Spot */

/**
 * @param {Spot[]} stops
 * @param {number} x
 * @param {number} y
 * @param {"x"|"xy"} by
 */
export function nearestStop(stops, x, y, by) {
  const distance = (/** @type {Spot} */ stop) => (by === "x" ? Math.abs(stop.x - x) : Math.hypot(stop.x - x, stop.y - y));
  return stops.reduce((best, stop, i) => (best < 0 || distance(stop) < distance(stops[best]) ? i : best), -1);
}

/**
 * Where a key takes the cursor; null when the key is none of its own.
 * @param {number} index -1: not shown yet
 * @param {number} length
 * @param {string} key
 */
export function moved(index, length, key) {
  if (length === 0) return null;
  if (key === "Home") return 0;
  if (key === "End") return length - 1;
  const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[key];
  return step === undefined ? null : Math.min(length - 1, Math.max(0, index + step));
}
