// pipeline: from a result to a full report; what index.js, the command line and the worker have in common.
import { EngineError, fault } from "./fault.js";
import { severalTargets, tooLargeFor } from "./messages.js";
import { labelVariance, scored } from "./score.js";
import { sizeOf } from "./source.js";
import { innerValues, verify as verifyResult, verifyMeasured } from "./verify.js";

/**
 * @typedef {import("./types.js").Table} Table
 * @typedef {import("./types.js").Target} Target
 * @typedef {import("./types.js").Report} Report
 * @typedef {import("./engine.js").Result} Result
 * @typedef {import("./engine.js").Watch} Watch
 * @typedef {import("./certificate.js").Box} Box
 */

export const DEFAULT_TARGET = Object.freeze(/** @type {Target} */ ({ kind: "epsilon", value: 0.02 }));
const VERIFIED_ROWS = 1024;

/** @param {{epsilon?: number, retain?: number, maxDeviation?: number, minAccuracy?: number, maxMse?: number}} options @returns {Target} */
export function targetOf({ epsilon, retain, maxDeviation, minAccuracy, maxMse }) {
  /** @type {[Target["kind"], number|undefined][]} */
  const all = [["epsilon", epsilon], ["retain", retain], ["deviation", maxDeviation], ["accuracy", minAccuracy], ["mse", maxMse]]; // prettier-ignore
  const given = all.filter(([, value]) => value !== undefined);
  if (given.length > 1) throw fault("ARGUMENT", severalTargets());
  return given.length === 0 ? DEFAULT_TARGET : { kind: given[0][0], value: Number(given[0][1]) };
}

/** The rows a verification runs on: the data's first, else random ones. @param {Result} result @param {Table|null} data */
const verificationRows = ({ path }, data) =>
  data ? data.features.subarray(0, VERIFIED_ROWS * path.model.info.features) : path.draw(VERIFIED_ROWS);

/** Runs both models in ONNX Runtime: on the measure's rows where that is what evaluates them, so that the figures must be the same.
 * @param {Result} result @param {Table|null} data @param {Watch} [watch] */
export const verify = (result, data, watch) =>
  result.path.model.away ? Promise.resolve({ skipped: tooLargeFor(result.path.model.info.name) }) : result.path.model.outside ? verifyMeasured(result, watch) : verifyResult(result, verificationRows(result, data), watch);

/** @param {Result} result @param {Table|null} table @param {boolean} heldOut @param {Watch} watch @returns {Promise<Report["score"]>} */
async function scoreOf(result, table, heldOut, watch) {
  const before = await scored(result.path.model, table, watch);
  const after = before && (await scored(result, table, watch));
  if (table === null || !after) return null;
  const variance = before.kind === "mse" ? labelVariance(table) : 0;
  const explained = variance > 0 ? { before: 1 - before.value / variance, after: 1 - after.value / variance } : null;
  return { kind: before.kind, before: before.value, after: after.value, rows: table.rows, heldOut, explained };
}

/** Where the core stops before the model's outputs, the runtime's figures are the ones to report.
 * @param {Result} result @param {Report["verified"]} verified */
const measuredBy = (result, verified) =>
  verified && "agrees" in verified && !result.path.model.outside && innerValues(result.path.model.info).length > 0
    ? { deviation: verified.deviation, largest: verified.max }
    : {};

/** The worst case over a box, or why there is none to be had. @param {Result} result @param {Watch} [watch]
 * @param {Box} [box] the range of the measure's rows by default @param {import("./source.js").Source} [bytes] of the result, as written
 * @param {import("./engine.js").Files} [files] that go with it
 * @returns {Promise<NonNullable<Report["certificate"]>>} */
export async function certify(result, watch, box = result.path.range(), bytes = result.file(), files = result.files()) {
  if (result.path.model.away) return { unavailable: tooLargeFor(result.path.model.info.name) };
  try {
    return await result.path.model.certify(/** @type {Uint8Array} */ (bytes), { ...box, files, ...watch });
  } catch (error) {
    if (error instanceof EngineError && error.code === "UNSUPPORTED") return { unavailable: error.message };
    throw error;
  }
}

/**
 * @param {Result} result
 * @param {{data?: Table|null, score?: Table|null, heldOut?: boolean, verify?: boolean, certify?: boolean|Box,
 *   format?: import("./types.js").Format} & Watch} [options]
 *   data: the measure's rows; score: labelled rows; heldOut: whether those were kept out of the measure; certify: the worst case
 *   over a box, true for the range of the measure's rows
 * @returns {Promise<{bytes: import("./source.js").Source, files: Map<string, import("./engine.js").Source>, report: Report}>} files: what goes with the
 *   bytes, weights kept outside
 */
export async function finish(result, { data = null, score = null, heldOut = false, verify: wanted = true, certify: box = false, format, ...watch } = {}) {
  await result.prepare(format);
  const bytes = result.file(format);
  const files = result.files(format);
  const after = [bytes, ...files.values()].reduce((sum, file) => sum + sizeOf(file), 0);
  const verified = wanted ? await verify(result, data, watch) : null;
  return {
    bytes,
    files,
    report: {
      ...result.report,
      ...measuredBy(result, verified),
      bytes: { before: result.path.model.info.bytes, after },
      verified,
      score: await scoreOf(result, score, heldOut, watch),
      certificate: box === false ? null : await certify(result, watch, box === true ? undefined : box, bytes, files),
    },
  };
}
