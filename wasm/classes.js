// classes: answers of networks that choose a class: the largest of a row's outputs.

/**
 * @typedef {import("./types.js").Outputs} Outputs
 * @typedef {{classes: number, rows: number, same: number, counts: Map<number, number>}} Confusion   counts: by asked * classes + given; same:
 *   rows on which both agree
 * @typedef {{asked: number, given: number, rows: number}} Cell
 */

export const DRAWN_CLASSES = 100; // more than these are no squares to look at
const CLOSE = 1e-3; // to 1, of what a softmax adds up to

/** Whether each row is a distribution, or its logarithm: what a softmax gives. @param {Float64Array} outputs (rows, results) @param {number} results */
function areShares(outputs, results) {
  const sums = (/** @type {(y: number) => number} */ share) => {
    for (let from = 0; from < outputs.length; from += results) {
      let sum = 0;
      for (let k = from; k < from + results; k++) sum += outputs[k] >= 0 || share === Math.exp ? share(outputs[k]) : NaN;
      if (!(Math.abs(sum - 1) <= CLOSE)) return false;
    }
    return outputs.length > 0;
  };
  return sums((y) => y) || sums(Math.exp);
}

/** Whether the rows answer with a class: they were scored so, or come out of a softmax. @param {Outputs} outputs @param {import("./types.js").Report} report */
export function chooses({ original, results, whole }, { score }) {
  if (!whole || results < 2) return false;
  return score?.kind === "accuracy" || (results > 2 && areShares(original, results));
}

/** The class of each row. @param {Float64Array} outputs (rows, results) @param {number} results @returns {number[]} */
export function answersOf(outputs, results) {
  return Array.from({ length: outputs.length / results }, (_, row) => {
    let best = row * results;
    for (let k = best + 1; k < (row + 1) * results; k++) if (outputs[k] > outputs[best]) best = k;
    return best - row * results;
  });
}

/** The labels, where they are classes of these outputs. @param {Outputs} outputs @returns {number[]|null} */
export function labelsOf({ labels, results }) {
  return labels && [...labels].every((y) => Number.isInteger(y) && y >= 0 && y < results) ? [...labels] : null;
}

/** @param {number[]} asked what each row should be, or is to the one @param {number[]} given what it is to the other @param {number} classes @returns {Confusion} */
export function confusionOf(asked, given, classes) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  asked.forEach((one, row) => counts.set(one * classes + given[row], (counts.get(one * classes + given[row]) ?? 0) + 1));
  return { classes, rows: asked.length, same: asked.filter((one, row) => one === given[row]).length, counts };
}

/** What differs, the most frequent first. @param {Confusion} confusion @returns {Cell[]} */
export function confusedPairs({ classes, counts }) {
  return [...counts]
    .map(([at, rows]) => ({ asked: Math.floor(at / classes), given: at % classes, rows }))
    .filter(({ asked, given }) => asked !== given)
    .sort((a, b) => b.rows - a.rows || a.asked - b.asked || a.given - b.given);
}
