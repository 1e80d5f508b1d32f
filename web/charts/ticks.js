// Where the ticks of a logarithmic axis go.
import { ticks as roundBetween } from "d3-array";

/**
 * Round values (1, 3, 10, 30 … or 1, 2, 5, 10 …) within [from, to], thinned to at most `most`.
 * @param {number} from
 * @param {number} to
 * @param {number[]} [steps] within a decade
 * @param {number} [most]
 */
export function logTicks(from, to, steps = [1, 3], most = 8) {
  const ticks = [];
  for (let decade = Math.floor(Math.log10(from)); decade <= Math.ceil(Math.log10(to)); decade++) {
    for (const step of steps) ticks.push(Number(`${step}e${decade}`));
  }
  const inside = ticks.filter((tick) => tick >= from * 0.999 && tick <= to * 1.001);
  if (inside.length <= most) return inside;
  const decades = inside.filter((tick) => Number.isInteger(Math.log10(tick)));
  const base = decades.length >= 2 ? decades : inside;
  return base.filter((_, i) => (base.length - 1 - i) % Math.ceil(base.length / most) === 0);
}

/**
 * The round values next below `low` and next above `high`.
 * @param {number} low
 * @param {number} high
 * @param {number[]} steps within a decade
 * @returns {[number, number]}
 */
export function enclosing(low, high, steps) {
  const ticks = logTicks(low / 10, high * 10, steps, Infinity);
  return [ticks.findLast((tick) => tick <= low) ?? low, ticks.find((tick) => tick >= high) ?? high];
}

/**
 * Ends of an axis around [low, high] and its ticks: round values of the decades, evenly spaced ones where that would be too few.
 * @param {number} low
 * @param {number} high
 * @param {number} [most] the upper end is no higher
 * @returns {{ends: [number, number], ticks: number[]}}
 */
export function axisAround(low, high, most = Infinity) {
  const near = high / low < 4;
  const steps = high / low > 40 ? [1, 3] : [1, 2, 5];
  const [from, above] = near ? [low / 1.15, high * 1.15] : enclosing(low, high, steps);
  const to = Math.min(above, most);
  return { ends: [from, to], ticks: near ? roundBetween(from, to, 5) : logTicks(from, to, steps) };
}

/**
 * The y of a line of points at x, straight between them on logarithmic axes; null outside.
 * @param {{x: number, y: number}[]} points by growing x
 * @param {number} x
 */
export function interpolate(points, x) {
  const next = points.findIndex((point) => point.x >= x);
  if (next < 0) return null;
  const right = points[next];
  if (right.x === x || next === 0) return right.x === x ? right.y : null;
  const left = points[next - 1];
  const share = Math.log(x / left.x) / Math.log(right.x / left.x);
  return left.y * (right.y / left.y) ** share;
}
