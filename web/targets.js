// The ways to say how small: a tolerance, a size, an error, a score. Each is a slider from "nothing goes" on the left to "smallest"
// on the right, even steps in the logarithm; of an accuracy even steps.

/**
 * @typedef {import("../wasm/types.js").Target} Target
 * @typedef {{kind: Target["kind"], from: number, to: number, start: number, scale: number, unit: string, even?: boolean}} Dial
 *   from, to: values at the two ends; scale: what the number box shows for 1; even: steps of one size
 */

/** @type {Record<"epsilon"|"retain"|"deviation", Dial>} */
export const dials = {
  epsilon: { kind: "epsilon", from: 1e-6, to: 1, start: 0.02, scale: 1, unit: "" },
  retain: { kind: "retain", from: 1, to: 0.005, start: 0.3, scale: 100, unit: "%" },
  deviation: { kind: "deviation", from: 1e-6, to: 1, start: 0.01, scale: 100, unit: "%" },
};

/** Steps of every slider; an arrow key moves one, Page Up and Page Down ten. */
export const STEPS = 300;
const POINT = 1000; // accuracies are given in tenths of a percent

/** The dial of a score: from what the network as it came reaches. @param {{kind: "accuracy"|"mse", before: number}} score @returns {Dial} */
export function scoreDial({ kind, before }) {
  if (kind === "mse") {
    const from = before > 0 ? roundUp(before) : 1e-6;
    return { kind, from, to: round(1000 * from), start: round(2 * from), scale: 1, unit: "" };
  }
  const from = down(before);
  return { kind, from, to: from - STEPS / POINT, start: from - 10 / POINT, scale: 100, unit: "%", even: true };
}

/** The dials that can be turned: of a score only where there is one. @param {{kind: "accuracy"|"mse", before: number}|null} score @returns {Dial[]} */
export const dialsFor = (score) => [...Object.values(dials), ...(score ? [scoreDial(score)] : [])];

/** @param {Target} target @param {{kind: "accuracy"|"mse", before: number}|null} score */
export const dialOf = ({ kind, value }, score) => dialsFor(score).find((dial) => dial.kind === kind) ?? { ...dials.epsilon, kind, from: value, to: value, start: value };

/** Whether a method is given a tolerance here. The ε of those that partition is a distance of weights, not of outputs: it has no
 * place on this dial. @param {import("../wasm/methods.js").Method} method */
export const takesTolerance = (method) => method === "projected" || method === "random";

/** Whether a result for this target is polished: never where it is exact. @param {Target} target */
export const polishable = ({ kind, value }) => !(kind === "epsilon" && value === 0);

/**
 * @param {Dial} dial
 * @param {number} position 0 to STEPS
 */
export function valueAt(dial, position) {
  if (dial.even) return Math.round(POINT * (dial.from + (dial.to - dial.from) * (position / STEPS))) / POINT;
  return round(dial.from * (dial.to / dial.from) ** (position / STEPS));
}

/**
 * @param {Dial} dial
 * @param {number} value
 */
export function positionOf(dial, value) {
  if (value <= 0 && !dial.even) return 0;
  const share = dial.even ? (value - dial.from) / (dial.to - dial.from) : Math.log(value / dial.from) / Math.log(dial.to / dial.from);
  return Math.round(Math.min(1, Math.max(0, share)) * STEPS);
}

/**
 * What somebody typed, as a value of the dial; null when it is no number or out of range. Zero tolerance is allowed: exact.
 * @param {Dial} dial
 * @param {string} text
 */
export function parse(dial, text) {
  const typed = Number(text.replace(",", ".").replace("%", "").trim() || NaN);
  const value = Number((typed / dial.scale).toPrecision(12));
  const lowest = ["retain", "accuracy", "mse"].includes(dial.kind) ? Number.MIN_VALUE : 0;
  const highest = dial.kind === "mse" ? Infinity : dial.kind === "accuracy" ? 1 : Math.max(dial.from, dial.to);
  return value >= lowest && value <= highest ? value : null;
}

/**
 * The number box's text.
 * @param {Dial} dial
 * @param {number} value
 */
export function boxText(dial, value) {
  const shown = Number((value * dial.scale).toPrecision(3));
  return shown !== 0 && shown < 1e-4 ? shown.toExponential() : String(shown);
}

/**
 * Where another dial starts when one switches to it: at what the present result reached, rounded so that nothing is lost.
 * @param {Target["kind"]} kind
 * @param {import("../wasm/types.js").Report|null} report
 * @returns {Target}
 */
export function targetFrom(kind, report) {
  if (kind === "accuracy" || kind === "mse") {
    const score = report?.score?.kind === kind ? report.score : null;
    if (!score) return targetFrom("retain", report);
    return { kind, value: kind === "mse" ? roundUp(Math.max(score.after, score.before)) : down(Math.min(score.after, score.before)) };
  }
  const reached = report && { epsilon: report.epsilon, retain: report.retained, deviation: report.deviation }[kind];
  return { kind, value: reached && reached > 0 ? Math.min(1, roundUp(reached)) : dials[kind].start };
}

/** Three digits tell neighbouring steps apart; with two an arrow key could stay where it is. @param {number} value */
const round = (value) => Number(value.toPrecision(3));

/** An accuracy's tenths of a percent. @param {number} accuracy */
const down = (accuracy) => Math.floor(accuracy * POINT + 1e-9) / POINT;

/** @param {number} value */
function roundUp(value) {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 2);
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(3));
}

/**
 * The smallest tolerance at which a neuron goes.
 * @param {import("../wasm/types.js").PathInfo} path
 */
export function firstEpsilon(path) {
  const least = Math.min(...path.sites.map((site) => site.deviation[0] ?? Infinity));
  return Number.isFinite(least) && least > 0 ? Math.min(1, roundUp(least)) : least;
}
