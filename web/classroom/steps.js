// What the core tells of a partition or an elimination, as steps to be shown one after the other.

/**
 * @typedef {import("../../wasm/types.js").Trace} Trace
 * @typedef {import("../../wasm/types.js").TraceStep} TraceStep
 * @typedef {import("../../wasm/types.js").Split} Split
 * @typedef {import("../../wasm/types.js").SitePath} SitePath
 * @typedef {(number|null)[][]} Blocks   of each hidden layer, for each neuron what its block is called: the number of its first
 *   neuron, which stays when other blocks split; null: in none
 * @typedef {{kind: "network"|"whole"|"quotient"|"compare", blocks: Blocks|null}
 *   | {kind: "constant", blocks: Blocks, at: TraceStep, neuron: number, value: number}
 *   | {kind: "stays", blocks: Blocks, at: TraceStep, pair: [number, number]|null, distance: number}
 *   | {kind: "split", blocks: Blocks, at: TraceStep, split: Split, block: number}} Step
 */

/** @param {Blocks} blocks @param {number} layer from 1 @param {(name: number|null, neuron: number) => number|null} rename neuron from 1 */
const renamed = (blocks, layer, rename) => blocks.map((names, l) => (l === layer - 1 ? names.map((name, i) => rename(name, i + 1)) : names));

/** The two neurons furthest apart. @param {TraceStep} step */
export function farthest({ neurons, distances }) {
  /** @type {{pair: [number, number]|null, distance: number}} */
  let best = { pair: null, distance: 0 };
  distances.forEach((row, i) =>
    row.forEach((distance, j) => {
      if (j > i && (!best.pair || distance > best.distance)) best = { pair: [neurons[i], neurons[j]], distance };
    }),
  );
  return best;
}

/** @param {Trace} trace @param {number[]} widths of the hidden layers @returns {Step[]} */
export function stepsOf(trace, widths) {
  let blocks = /** @type {Blocks} */ (widths.map((n) => Array.from({ length: n }, () => 1)));
  /** @type {Step[]} */
  const steps = [
    { kind: "network", blocks: null },
    { kind: "whole", blocks },
  ];
  for (const at of trace.steps) {
    for (const { neuron, value } of at.constant) {
      blocks = renamed(blocks, at.layer, (name, i) => (i === neuron ? null : name));
      const first = at.neurons[0] ?? null;
      blocks = renamed(blocks, at.layer, (name) => (name === null ? null : first));
      steps.push({ kind: "constant", blocks, at, neuron, value });
    }
    if (at.splits.length === 0 && at.neurons.length > 0) steps.push({ kind: "stays", blocks, at, ...farthest(at) });
    for (const split of at.splits) {
      const whole = [...split.stays, ...split.leaves];
      blocks = renamed(blocks, at.layer, (name, i) => (split.leaves.includes(i) ? Math.min(...split.leaves) : name));
      steps.push({ kind: "split", blocks, at, split, block: Math.min(...whole) });
    }
  }
  steps.push({ kind: "quotient", blocks }, { kind: "compare", blocks });
  return steps;
}

/** @param {Blocks} blocks @returns {number} of all layers, with what stays in none left out */
export const countBlocks = (blocks) => blocks.reduce((sum, names) => sum + new Set(names.filter((name) => name !== null)).size, 0);

/** Members of a block, neurons from 1. @param {Blocks} blocks @param {number} layer from 1 @param {number} name */
export const membersOf = (blocks, layer, name) => blocks[layer - 1].flatMap((one, i) => (one === name ? [i + 1] : []));

/** What the quotient's variables are called, layer by layer. @param {Blocks} blocks @param {import("../../wasm/types.js").QuotientLayer[]} quotient */
export const quotientNames = (blocks, quotient) => quotient.slice(0, -1).map(({ kept = [] }, l) => kept.map((neuron) => blocks[l][neuron - 1] ?? neuron));

/** The quotient with its blocks in the order of their names; the core has them in the order of the neurons that stand for them.
 * @param {import("../../wasm/types.js").QuotientLayer[]} quotient @param {Blocks} blocks */
export function inOrder(quotient, blocks) {
  const orders = quotientNames(blocks, quotient).map((names) => names.map((_, i) => i).sort((a, b) => names[a] - names[b]));
  /** @template T @param {readonly T[]} list @param {number[]|undefined} order */
  const sorted = (list, order) => (order ? order.map((i) => list[i]) : [...list]);
  return quotient.map(({ weights, bias, kept, prolongation }, l) => ({
    weights: sorted(weights, orders[l]).map((row) => sorted(row, l > 0 ? orders[l - 1] : undefined)),
    bias: sorted(bias, orders[l]),
    ...(kept && prolongation ? { kept: sorted(kept, orders[l]), prolongation: prolongation.map((row) => sorted(row, orders[l])) } : {}),
  }));
}

// ---- elimination --------------------------------------------------------------------------------------------------------

/** @typedef {{site: number, neuron: number}} Gone   neuron from 1 @typedef {{epsilon: number, deviation: number, gone: Gone[]}} Stage */

const ALIKE = 1e-9; // deviations that rounding tells apart

/** The neurons in the order in which they go, cheapest first over all layers; what goes at one tolerance goes together.
 * @param {SitePath[]} sites @returns {Stage[]} */
export function stagesOf(sites) {
  const events = sites.flatMap(({ order, deviation }, site) => deviation.map((value, k) => ({ site, neuron: order[k] + 1, deviation: Math.max(...deviation.slice(0, k + 1)) || value })));
  events.sort((a, b) => a.deviation - b.deviation || a.site - b.site);
  /** @type {Stage[]} */
  const stages = [];
  for (const { deviation, ...gone } of events) {
    const last = stages.at(-1);
    if (last && deviation <= last.deviation * (1 + ALIKE) + ALIKE) {
      last.gone.push(gone);
      last.epsilon = Math.max(last.epsilon, above(deviation));
    } else stages.push({ epsilon: above(deviation), deviation, gone: [gone] });
  }
  return stages;
}

/** A tolerance that surely lets it go. @param {number} deviation */
const above = (deviation) => deviation * (1 + ALIKE) + 1e-12;

/** How many stages a tolerance takes. @param {Stage[]} stages @param {number} epsilon */
export const stagesWithin = (stages, epsilon) => stages.filter((stage) => stage.deviation <= epsilon * (1 + ALIKE) + 1e-12).length;
