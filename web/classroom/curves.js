// What the plot shows: the original's curves, and the lumped network's beside them.
import { integrate, startOf, stepFor, systemOf, timeFor } from "./ode.js";

/**
 * @typedef {{name: string, block: number|null, original: number[], lumped: number[]|null}} Curve   one value each time
 * @typedef {{times: number[], curves: Curve[]}} Curves
 */

/** @param {import("./ode.js").Solution} solution @param {number} index */
const column = ({ values }, index) => values.map((y) => y[index]);

/** @param {import("./ode.js").Solution} solution @param {number} start @param {number[]} shares */
const mixed = ({ values }, start, shares) => values.map((y) => shares.reduce((sum, share, i) => sum + share * y[start + i], 0));

/**
 * @param {import("./lesson.js").Lesson} lesson
 * @param {import("./state.js").Facts} facts
 * @param {number} layer shown: 0 the inputs (of the adjoint system), the outputs last
 * @param {boolean} compared
 * @returns {Curves}
 */
export function curvesOf(lesson, { net, trace, steps }, layer, compared) {
  const { encoding, x } = lesson;
  const time = timeFor(encoding, net.layers.length);
  const run = (/** @type {import("./ode.js").Affine[]} */ layers) => {
    const system = systemOf(layers, encoding, trace.polynomials);
    return { system, solution: integrate(system.drift, startOf(system, encoding, x), time, stepFor(time)) };
  };
  const original = run(net.layers);
  const lumped = compared && trace.quotient ? run(trace.quotient) : null;
  const own = original.system.start[layer];
  const count = (original.system.start[layer + 1] ?? original.system.size) - own;
  const hidden = layer > 0 && layer < net.layers.length;
  const times = original.solution.times;
  const other = lumped?.system.start[layer] ?? 0;
  const curveOf = (/** @type {string} */ name, /** @type {number|null} */ block, /** @type {number[]} */ values, /** @type {number[]|null} */ beside) => ({ name, block, original: values, lumped: beside });
  if (!hidden || !lumped || !trace.quotient) {
    const letter = layer === 0 ? "x" : hidden ? "a" : "y";
    const blocks = steps[Math.min(lesson.step ?? steps.length - 1, steps.length - 1)].blocks;
    return {
      times,
      curves: Array.from({ length: count }, (_, i) =>
        curveOf(`${letter}${i + 1}`, hidden ? (blocks?.[layer - 1][i] ?? null) : null, column(original.solution, own + i), lumped && !hidden ? column(lumped.solution, other + i) : null),
      ),
    };
  }
  const { kept = [], prolongation = [] } = trace.quotient[layer - 1];
  const names = steps[steps.length - 1].blocks?.[layer - 1] ?? [];
  if (encoding === "polynomial") {
    return { times, curves: prolongation.map((shares, i) => curveOf(`a${i + 1}`, names[i] ?? null, column(original.solution, own + i), mixed(lumped.solution, other, shares))) };
  }
  return {
    times,
    curves: kept.map((neuron, c) => {
      const shares = prolongation.map((row) => (encoding === "linear" ? Number(row[c] !== 0) : row[c]));
      const members = shares.flatMap((share, i) => (share === 0 ? [] : [i + 1]));
      return curveOf(members.map((i) => `a${i}`).join(" + "), names[neuron - 1] ?? null, mixed(original.solution, own, shares), column(lumped.solution, other + c));
    }),
  };
}
