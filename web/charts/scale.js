// Scales of axes: numbers to places and back. What the charts need of d3-scale, called as there: its whole, with colours, dates
// and formats, would weigh ten times as much as this.
import { nice, ticks } from "d3-array";

/**
 * @typedef {{
 *   (value: number): number,
 *   invert: (place: number) => number,
 *   domain: () => number[],
 *   range: () => number[],
 *   ticks: (count?: number) => number[],
 *   nice: (count?: number) => Scale,
 *   clamp: (on: boolean) => Scale
 * }} Scale   ticks, nice: of linear scales
 */

/** @param {number[]} domain @param {number[]} range @param {{to: (value: number) => number, from: (value: number) => number}} through
 * @param {boolean} [clamped] @returns {Scale} */
function scaleThrough(domain, range, through, clamped = false) {
  const { to, from } = through;
  const [low, high] = domain.map(to);
  const [start, end] = range;
  const within = (/** @type {number} */ share) => (clamped ? Math.min(1, Math.max(0, share)) : share);
  // A domain of one value lies in the middle.
  const shareOf = (/** @type {number} */ value) => within(high === low ? 0.5 : (to(value) - low) / (high - low));
  return Object.assign((/** @type {number} */ value) => start + shareOf(value) * (end - start), {
    invert: (/** @type {number} */ place) => from(low + within((place - start) / (end - start)) * (high - low)),
    domain: () => [...domain],
    range: () => [...range],
    ticks: (count = 10) => ticks(domain[0], domain[1], count),
    nice: (count = 10) => scaleThrough(nice(domain[0], domain[1], count), range, through, clamped),
    clamp: (/** @type {boolean} */ on) => scaleThrough(domain, range, through, on),
  });
}

const SAME = { to: (/** @type {number} */ value) => value, from: (/** @type {number} */ value) => value };
const LOG = { to: Math.log, from: Math.exp };

/** @param {number[]} domain @param {number[]} range */
export const scaleLinear = (domain, range) => scaleThrough(domain, range, SAME);

/** @param {number[]} domain above 0 @param {number[]} range */
export const scaleLog = (domain, range) => scaleThrough(domain, range, LOG);
