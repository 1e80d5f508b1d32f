// search: the smallest network that still scores so well on labelled rows. The core knows tolerances, sizes and deviations; what
// a label is it does not know, so a score is searched for here, size by size.
import { EngineError, fault } from "./fault.js";
import { otherScore, scoreNeedsLabels, scoreOutOfReach } from "./messages.js";
import { scored } from "./score.js";

/**
 * @typedef {import("./types.js").Target} Target
 * @typedef {import("./types.js").ScoreTarget} ScoreTarget
 * @typedef {import("./types.js").Table} Table
 * @typedef {import("./engine.js").Path} Path
 * @typedef {import("./engine.js").Result} Result
 * @typedef {import("./engine.js").Way & import("./engine.js").Watch} How
 * @typedef {{share: number, result: Result|null}} Found   result: null while only the whole network is known to do
 * @typedef {(share: number, onProgress?: How["onProgress"]) => Promise<Result|null>} Attempt   null: it scores too low
 * @typedef {{best: Found, low: number, probes: number}} Range   low: logarithm of a share too small
 */

/** @param {Target} target @returns {target is ScoreTarget} */
export const asksForScore = (target) => target.kind === "accuracy" || target.kind === "mse";

/** @param {ScoreTarget} target @param {number} value */
const reaches = (target, value) => (target.kind === "accuracy" ? value >= target.value : value <= target.value);

/** @type {Found} */
const WHOLE = { share: 1, result: null };
const PROBES = 10; // sizes tried, each between the smallest that does and the largest that does not
const POLISHED_PROBES = 8; // below the smallest that did before the polish
const FINE = Math.log(1.02); // sizes nearer than this are one

/**
 * As Path.compress, for targets of every kind. A score is found by bisection over sizes: scores of trained networks mostly fall
 * with size, and where they do not the network found does reach the score, though a smaller one may as well. With the polish
 * the search goes on below the size found without it.
 * Errors: ARGUMENT without labelled rows or for the other kind of score; UNREACHABLE when no smaller network reaches it.
 * @param {Path} path
 * @param {Target} target
 * @param {{score?: Table|null} & How} [options] score: the labelled rows
 * @returns {Promise<Result>}
 */
export async function compressTo(path, target, { score = null, ...how } = {}) {
  if (!asksForScore(target)) return path.compress(target, how);
  await check(path, target, score, how);
  await path.order(how);
  const low = Math.log(smallest(path)) - FINE;
  /** @type {(polish: boolean) => Attempt} */
  const attempt = (polish) => (share, onProgress) => tried(path, target, share, { ...how, score, polish, onProgress });
  let found = await bisect(attempt(false), { best: WHOLE, low, probes: PROBES }, how);
  if (how.polish) found = await polished(attempt(true), { best: found, low, probes: POLISHED_PROBES }, how);
  if (found.result === null) throw fault("UNREACHABLE", scoreOutOfReach(target));
  found.result.report = { ...found.result.report, target };
  return found.result;
}

/** Whether labels and network allow the question, and the whole network passes. @param {Path} path @param {ScoreTarget} target @param {Table|null} table @param {How} watch */
async function check(path, target, table, watch) {
  const before = await scored(path.model, table, watch);
  if (before === null) throw fault("ARGUMENT", scoreNeedsLabels());
  if (before.kind !== target.kind) throw fault("ARGUMENT", otherScore(before.kind));
  if (!reaches(target, before.value)) throw fault("UNREACHABLE", scoreOutOfReach(target, before.value));
}

/** The share of the parameters that the loosest tolerance leaves. @param {Path} path */
function smallest(path) {
  const loosest = path.info.sites.flatMap((site) => site.deviation).reduce((a, b) => Math.max(a, b), 0);
  return path.choose({ kind: "epsilon", value: loosest }).retained;
}

/** The search below a size that does without the polish; where the polish spoils that one, it stays as it is.
 * @param {Attempt} attempt @param {Range} range @param {How} watch @returns {Promise<Found>} */
async function polished(attempt, { best, low, probes }, watch) {
  if (best.result === null) return bisect(attempt, { best, low, probes }, watch);
  const result = await attempt(best.share).catch((error) => dropped(best, error));
  if (result === null) return best;
  best.result.free();
  return bisect(attempt, { best: { share: best.share, result }, low, probes }, watch);
}

/** @param {Found} found @param {unknown} error @returns {never} */
function dropped({ result }, error) {
  result?.free();
  throw error;
}

/** @param {Attempt} attempt @param {Range} range @param {How} watch @returns {Promise<Found>} */
async function bisect(attempt, { best, low, probes }, { onProgress }) {
  for (let probe = 0; probe < probes && Math.log(best.share) - low > FINE; probe += 1) {
    const middle = (low + Math.log(best.share)) / 2;
    const tell = (/** @type {{fraction: number}} */ { fraction }) => onProgress?.({ stage: "search", fraction: (probe + fraction) / probes });
    const result = await attempt(Math.exp(middle), tell).catch((error) => dropped(best, error));
    if (result === null) low = middle;
    else {
      best.result?.free();
      best = { share: Math.min(Math.exp(middle), result.report.retained), result };
    }
  }
  return best;
}

/** The network of at most that share, or null where it scores too low or there is none. @param {Path} path @param {ScoreTarget} target @param {number} share
 * @param {{score: Table|null} & How} how @returns {Promise<Result|null>} */
async function tried(path, target, share, { score, ...how }) {
  try {
    const result = await path.compress({ kind: "retain", value: share }, how);
    const reached = await scored(result, score, how);
    if (reached !== null && reaches(target, reached.value)) return result;
    result.free();
    return null;
  } catch (error) {
    if (error instanceof EngineError && error.code === "UNREACHABLE") return null;
    throw error;
  }
}
