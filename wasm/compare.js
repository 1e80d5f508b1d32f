// compare: every method at the same sizes, before and after the polish, judged on rows that none of them has seen. Used by
// the command line and the benchmarks.
import { Difference } from "./difference.js";
import { EngineError, fault } from "./fault.js";
import { nothingCompared, shareTwice } from "./messages.js";
import { labelled, score as scoreRows } from "./score.js";
import { sliceTable } from "./table.js";

/**
 * @typedef {import("./types.js").Table} Table
 * @typedef {import("./types.js").Comparison} Comparison
 * @typedef {import("./types.js").Compared} Compared
 * @typedef {import("./methods.js").Method} Method
 * @typedef {import("./engine.js").Path} Path
 * @typedef {import("./steps.js").Watch} Watch
 */

/** @type {readonly Method[]} */
export const COMPARED = Object.freeze([
  "projected", "partition", "adjoint", "forward", "polynomial", "norm", "magnitude", "magnitude-global", "wanda", "random",
]); // prettier-ignore
export const SHARES = Object.freeze([0.05, 0.1, 0.2, 0.4, 0.6, 0.8]);
const FRESH_ROWS = 4096;

/** What a network's outputs are judged on.
 * @typedef {{features: Float64Array, answers: import("./types.js").Answer[], table: Table|null, rows: Comparison["rows"], original: Comparison["score"]}} Judge */

/** The rows given, or random ones that are not the measure's own. @param {Path} path @param {Table|null} table @param {boolean} heldOut
 * @param {Watch} watch @returns {Promise<Judge>} */
async function judgeOf(path, table, heldOut, { signal }) {
  const { model } = path;
  const drawn = table ? null : path.draw(model.outside ? Math.min(FRESH_ROWS, path.info.measure.rows) : FRESH_ROWS);
  const all = table?.features ?? /** @type {Float64Array} */ (drawn);
  const count = await model.keepable(all, all.length / model.features);
  const used = table && sliceTable(table, 0, count);
  const features = used?.features ?? all.subarray(0, count * model.features);
  const answers = await model.run(features, { signal });
  const answer = used && labelled(answers, used);
  return {
    features,
    answers,
    table: answer ? used : null,
    rows: { count, source: table?.source ?? null, heldOut: table === null || heldOut },
    original: answer && used ? scoreRows(answer.values, used) : null,
  };
}

/** @param {import("./engine.js").Result} result @param {Judge} judge @param {Watch} watch
 * @returns {Promise<Omit<Compared, "method"|"polished"|"share"|"missing">>} */
async function judged(result, judge, { signal }) {
  const { retained, parameters, polish, epsilon } = result.report;
  const answers = await result.run(judge.features, { signal });
  const found = new Difference();
  judge.answers.forEach(({ name, values }, i) => found.add(name, values, answers[i].values, judge.rows.count));
  return {
    retained,
    parameters: parameters.after,
    epsilon,
    deviation: found.deviation,
    score: judge.table && scoreRows(/** @type {import("./types.js").Answer} */ (labelled(answers, judge.table)).values, judge.table).value,
    polish,
  };
}

const NOTHING = { retained: null, parameters: null, epsilon: null, deviation: null, score: null, polish: null };

/**
 * @param {Path} path
 * @param {{methods?: readonly Method[], shares?: readonly number[], polish?: boolean, rows?: Table|null, heldOut?: boolean} & Watch} [options]
 *   polish: each also polished; rows: judged on these, fresh random ones by default; heldOut: whether the measure is without them
 * @returns {Promise<Comparison>} entries for every method, unpolished before polished, shares as they were given
 */
export async function compareMethods(path, { methods = COMPARED, shares = SHARES, polish = true, rows = null, heldOut = false, signal, onProgress } = {}) {
  if (new Set(shares).size < shares.length) throw fault("ARGUMENT", shareTwice());
  const judge = await judgeOf(path, rows, heldOut, { signal });
  const ways = methods.flatMap((method) => (polish ? [false, true] : [false]).map((polished) => ({ method, polished })));
  const all = ways.length * shares.length;
  /** @type {Compared[]} */
  const entries = [];
  for (const way of ways) {
    for (const share of shares) {
      const tell = (/** @type {{fraction: number}} */ { fraction }) => onProgress?.({ stage: "compare", fraction: (entries.length + fraction) / all });
      entries.push({ ...way, share, ...(await entry(path, judge, way, share, { signal, onProgress: tell })) });
    }
  }
  if (entries.every(({ missing }) => missing !== null)) throw fault("UNREACHABLE", nothingCompared(entries[0].missing ?? ""));
  return { rows: judge.rows, score: judge.original, shares: [...shares], methods: [...methods], entries };
}

/** @param {Path} path @param {Judge} judge @param {{method: Method, polished: boolean}} way @param {number} share @param {Watch} watch */
async function entry(path, judge, { method, polished }, share, watch) {
  try {
    const result = await path.compress({ kind: "retain", value: share }, { method, polish: polished, ...watch });
    try {
      return { ...(await judged(result, judge, watch)), missing: null };
    } finally {
      result.free();
    }
  } catch (error) {
    if (error instanceof EngineError && ["UNREACHABLE", "UNSUPPORTED", "NOTHING_AT"].includes(error.code)) return { ...NOTHING, missing: error.message };
    throw error;
  }
}

/** The best of a column: least deviation, least error or highest accuracy; ties go to the first.
 * @param {Compared[]} column @param {"deviation"|"score"} figure @param {boolean} [highest] @returns {Compared|undefined} */
export function bestOf(column, figure, highest = false) {
  const there = column.filter((one) => one[figure] !== null);
  const better = (/** @type {number} */ a, /** @type {number} */ b) => (highest ? a > b : a < b);
  return there.reduce((/** @type {Compared|undefined} */ best, one) => (best && !better(Number(one[figure]), Number(best[figure])) ? best : one), undefined);
}
