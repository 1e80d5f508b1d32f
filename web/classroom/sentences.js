// The sentence of a step.
import { number } from "../format.js";
import { classText } from "../messages_classroom.js";
import { isSymmetric } from "./lesson.js";
import { countBlocks } from "./steps.js";

/** Two numbers with as many digits as it takes to tell them apart. @param {number} a @param {number} b @returns {[string, string]} */
export function apart(a, b) {
  const shown = [number(a), number(b)];
  for (let digits = 4; shown[0] === shown[1] && a !== b && digits <= 9; digits += 1) {
    [a, b].forEach((value, i) => (shown[i] = String(Number(value.toPrecision(digits))).replace("-", "−")));
  }
  return [shown[0], shown[1]];
}

/** @param {import("./lesson.js").Lesson} lesson @param {import("./state.js").Facts} facts @param {number} step @returns {string} */
export function sentenceOf(lesson, facts, step) {
  const hidden = facts.net.layers.length - 1;
  return lesson.method === "projected" ? eliminationSentence(facts, hidden) : equivalenceSentence(lesson, facts.steps[Math.min(step, facts.steps.length - 1)], facts.steps, hidden);
}

/** @param {import("./state.js").Facts} facts @param {number} hidden */
function eliminationSentence({ elimination }, hidden) {
  if (!elimination) return "";
  const { stages, shown, layers } = elimination;
  if (shown === 0) return classText.said.eliminate;
  const { gone, deviation } = stages[shown - 1];
  const before = shown > 1 ? stages[shown - 2].deviation : 0;
  const names = gone.map(({ site, neuron }) => classText.neuronIn(neuron, layers[site], hidden));
  return classText.said.goes(names, deviation, before);
}

/** @param {import("./lesson.js").Lesson} lesson @param {import("./steps.js").Step} step @param {import("./steps.js").Step[]} steps @param {number} hidden */
function equivalenceSentence(lesson, step, steps, hidden) {
  const { epsilon, linkage, encoding } = lesson;
  switch (step.kind) {
    case "network":
      return classText.said.network[encoding];
    case "whole":
      return classText.said.whole(hidden);
    case "constant":
      return classText.said.constant(classText.neuronIn(step.neuron, step.at.layer, hidden), number(step.value));
    case "stays":
      return classText.said.stays(step.at.layer, hidden, step.pair, ...apart(step.distance, epsilon), linkage, isSymmetric(lesson));
    case "split":
      return classText.said.split({ layer: step.at.layer, hidden, block: step.block, pair: step.split.pair, distance: apart(step.split.distance, epsilon), linkage, stays: step.split.stays, leaves: step.split.leaves });
    case "quotient": {
      const blocks = /** @type {import("./steps.js").Blocks} */ (step.blocks);
      return classText.said.quotient(blocks.flat().length, countBlocks(blocks));
    }
    default:
      return steps.length > 0 ? classText.said.compare[encoding] : "";
  }
}
