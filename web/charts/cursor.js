// The cursor of a chart: which point a pointer means, and where a key takes it.

/**
 * @typedef {import("./chart.jsx").Stop} Stop
 * @typedef {{x: number, y: number, lane?: number}} Spot   lane: the column it stands in, where a chart has columns
 * @typedef {{rows: number, columns: number, at: (row: number, column: number) => Stop, find: (x: number, y: number) => [number, number]|null}} Grid
 *   stops in rows and columns, made when they are asked for; find: row and column of a place
 */

/** @param {Stop[]|Grid} stops @returns {number} how many there are */
export const countOf = (stops) => (Array.isArray(stops) ? stops.length : stops.rows * stops.columns);

/** @param {Stop[]|Grid} stops @param {number} index @returns {Stop|undefined} */
export function stopAt(stops, index) {
  if (Array.isArray(stops)) return stops[index];
  return index >= 0 && index < countOf(stops) ? stops.at(Math.floor(index / stops.columns), index % stops.columns) : undefined;
}

/**
 * @param {Stop[]|Grid} stops
 * @param {number} x
 * @param {number} y
 * @param {"x"|"xy"} by
 * @returns {number} -1 where there is none
 */
export function pointed(stops, x, y, by) {
  if (Array.isArray(stops)) return nearestStop(stops, x, y, by);
  const cell = stops.find(x, y);
  return cell ? cell[0] * stops.columns + cell[1] : -1;
}

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

/** Where a key takes the cursor of any chart; null when the key is none of its own. @param {Stop[]|Grid} stops @param {number} index @param {string} key */
export function movedOn(stops, index, key) {
  if (!Array.isArray(stops)) return movedInGrid(stops, index, key);
  return stops[0]?.lane === undefined ? moved(index, stops.length, key) : movedInLanes(stops, index, key);
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

/** @param {{rows: number, columns: number}} grid @param {number} index @param {string} key */
export function movedInGrid({ rows, columns }, index, key) {
  if (rows * columns === 0) return null;
  if (key === "Home") return 0;
  if (key === "End") return rows * columns - 1;
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
  if (step === undefined) return null;
  if (index < 0) return 0;
  const clamp = (/** @type {number} */ at, /** @type {number} */ length) => Math.min(length - 1, Math.max(0, at));
  return clamp(Math.floor(index / columns) + step[0], rows) * columns + clamp((index % columns) + step[1], columns);
}

/** Up and down within a column, left and right to the next one, at about the same height. @param {Spot[]} stops @param {number} index @param {string} key */
export function movedInLanes(stops, index, key) {
  if (index < 0 || key === "Home" || key === "End") return moved(index, stops.length, key);
  const { x, y, lane = 0 } = stops[index];
  const nearest = (/** @type {(stop: Spot) => boolean} */ fits, /** @type {(stop: Spot) => number} */ far) =>
    stops.reduce((best, stop, i) => (fits(stop) && (best < 0 || far(stop) < far(stops[best])) ? i : best), -1);
  const to = {
    ArrowUp: () => (index > 0 && stops[index - 1].lane === lane ? index - 1 : index),
    ArrowDown: () => (stops[index + 1]?.lane === lane ? index + 1 : index),
    ArrowLeft: () => nearest((stop) => stop.lane === lane - 1, (stop) => Math.hypot(stop.x - x, stop.y - y)),
    ArrowRight: () => nearest((stop) => stop.lane === lane + 1, (stop) => Math.hypot(stop.x - x, stop.y - y)),
  }[key];
  if (!to) return null;
  const next = to();
  return next < 0 ? index : next;
}
