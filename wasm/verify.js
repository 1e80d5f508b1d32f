// verify: runs the original and the smaller model in ONNX Runtime Web on the same rows and compares the outputs.
import { Difference, difference } from "./difference.js";
import { EngineError, fault } from "./fault.js";
import { evaluatedInputs } from "./inputs.js";
import { noFloatOutput, noRowShape, runtimeRefuses, runtimeRefusesReduced } from "./messages.js";
import { decode, encode, epsilonOf } from "./numbers.js";
import { Session, loadRuntime, nameOf, runRows } from "./runtime.js";

/**
 * @typedef {import("./types.js").Verified} Verified
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./inputs.js").Inputs} Inputs
 * @typedef {import("./inputs.js").Feed} Feed
 * @typedef {import("./runtime.js").Runtime} Runtime
 * @typedef {import("./steps.js").Watch} Watch
 */

const BATCH = 256; // rows a run where the batch is free
const MOST_RUNS = 256; // where it is not
const OTHER_ENGINE = 0.01; // how far apart two deviations may be, of themselves
const SAME_ROWS = 1e-3;

/**
 * A network that the core evaluates: the runtime must find the deviation that the core finds on these rows.
 * @param {import("./engine.js").Result} result
 * @param {Float64Array} rows (rows, features)
 * @param {Watch} [watch]
 * @returns {Promise<Verified|{skipped: string}>}
 */
export function verify(result, rows, { signal, onProgress } = {}) {
  return orSkipped(signal, async () => {
    const tell = (/** @type {number} */ fraction) => onProgress?.({ stage: "verify", fraction });
    const runtime = await loadRuntime();
    /** @type {Session[]} */
    const sessions = [];
    try {
      const { original, reduced } = await openBoth(runtime, result, sessions);
      const { info } = result.path.model;
      const names = [...original.floats.keys()].filter((name) => reduced.floats.has(name));
      if (names.length === 0) throw fault("RUNTIME", noFloatOutput());
      const inputs = evaluatedInputs(info, original.inputs);
      const used = await usableRows(original, inputs, rows, names);
      const { all, computed } = await compareRows(info, [original, reduced], names, { ...used, inputs, signal, tell });
      const types = [...names.map((name) => original.floats.get(name) ?? ""), ...inputs.feeds.map((feed) => feed.type)];
      return verdict(result, { all, computed, seen: asSeen(used.rows, inputs) }, Math.max(...["float32", ...types].map(epsilonOf)), nameOf(runtime));
    } finally {
      for (const session of sessions) await session.release();
    }
  });
}

/**
 * A network that the runtime evaluates: the file as it is written must give the deviation that was measured on the way, on the
 * same rows.
 * @param {import("./engine.js").Result} result
 * @param {Watch} [watch]
 * @returns {Promise<Verified|{skipped: string}>}
 */
export function verifyMeasured(result, { signal, onProgress } = {}) {
  return orSkipped(signal, async () => {
    const { path, report } = result;
    const { info } = path.model;
    const tell = (/** @type {number} */ fraction) => onProgress?.({ stage: "verify", fraction });
    if (info.computed.length === 0) throw fault("RUNTIME", noFloatOutput());
    const runner = await path.model.runner({ onProgress });
    const rows = { count: report.measure.rows, at: (/** @type {number} */ first, /** @type {number} */ count) => path.rows(first, count) };
    const { found, types } = await runner.compare({ onnx: result.write("onnx"), files: result.files("onnx") }, info.computed, rows, { signal, tell });
    const { rms, max, scale, spread } = found.figures;
    // Networks of doubles may hold singles, here as above.
    const rounding = (Math.max(...["float32", ...types].map(epsilonOf)) * scale) / (spread || 1);
    // Then the measure's normalisations were set to these rows, and the file's are not.
    const calibrated = report.measure.kind === "normalised";
    const agrees = calibrated ? null : agree(found.deviation, report.deviation, rounding, SAME_ROWS);
    return { rms, max, deviation: found.deviation, rows: rows.count, runtime: runner.runtime, agrees, calibrated };
  });
}

/** Where the runtime refuses, that is the answer. @param {AbortSignal|undefined} signal @param {() => Promise<Verified>} check
 * @returns {Promise<Verified|{skipped: string}>} */
async function orSkipped(signal, check) {
  try {
    return await check();
  } catch (error) {
    if (!signal?.aborted && error instanceof EngineError && error.code === "RUNTIME") return { skipped: error.message };
    throw error;
  }
}

/** What the engine computes that is no output of the model: it stops where an operator is not its own. @param {ModelInfo} info */
export const innerValues = (info) => info.computed.filter((name) => !info.outputs.some((port) => port.name === name));

/** @param {Runtime} runtime @param {import("./engine.js").Result} result @param {Session[]} opened to be released */
async function openBoth(runtime, result, opened) {
  const { model } = result.path;
  const inner = innerValues(model.info);
  const original = await Session.open(runtime, { onnx: model.onnx(), files: model.runtimeFiles, inner, refusal: runtimeRefuses });
  opened.push(original);
  const reduced = await Session.open(runtime, { onnx: result.write("onnx"), files: result.files("onnx"), inner, refusal: runtimeRefusesReduced });
  opened.push(reduced);
  return { original, reduced };
}

/** The rows that fill whole runs, and how many go into one: where a free batch turns out to be fixed inside, a single one.
 * @param {Session} session @param {Inputs} inputs @param {Float64Array} rows @param {string[]} names */
async function usableRows(session, inputs, rows, names) {
  const cut = (/** @type {number} */ group) => {
    const whole = group === BATCH ? rows.length / inputs.features : Math.floor(rows.length / inputs.features / group) * group;
    const count = group === BATCH ? whole : Math.min(whole, MOST_RUNS * group);
    if (count === 0) throw fault("RUNTIME", noRowShape(inputs.feeds[0].name));
    return { rows: rows.subarray(0, count * inputs.features), count, group };
  };
  const group = inputs.batch ?? BATCH;
  const first = cut(group);
  try {
    const tried = Math.min(group, first.count);
    await session.run(inputs, first.rows.subarray(0, tried * inputs.features), tried, names);
    return first;
  } catch (error) {
    if (group === 1) throw error;
    return cut(1);
  }
}

/** @param {ModelInfo} info @param {Session[]} sessions the original's and the smaller model's @param {string[]} names
 * @param {{rows: Float64Array, count: number, group: number, inputs: Inputs, signal?: AbortSignal, tell: (fraction: number) => void}} how
 * @returns {Promise<{all: Difference, computed: Difference|null}>} of all outputs; of what the engine computes, null where the runtime
 *   does not give it all */
async function compareRows(info, sessions, names, { rows, inputs, ...how }) {
  const inner = innerValues(info);
  const [all, computed] = [new Difference(), new Difference()];
  const at = (/** @type {number} */ first, /** @type {number} */ taken) => rows.subarray(first * inputs.features, (first + taken) * inputs.features);
  const asked = sessions.map((session) => ({ session, names }));
  await runRows(asked, { inputs, at, ...how }, ([before, after], taken) => {
    names.forEach((name, i) => {
      const [f, g] = [before[i], after[i]].map(({ type, data }) => decode(type, data));
      if (!inner.includes(name)) all.add(name, f, g, taken);
      if (info.computed.includes(name)) computed.add(name, f, g, taken);
    });
  });
  return {
    all: names.some((name) => !inner.includes(name)) ? all : computed,
    computed: info.computed.length > 0 && info.computed.every((name) => names.includes(name)) ? computed : null,
  };
}

/** @param {import("./engine.js").Result} result @param {{all: Difference, computed: Difference|null, seen: Float64Array}} found
 *   seen: the rows
 * @param {number} epsilon of the coarsest type @param {string} runtime @returns {Verified} */
function verdict(result, { all, computed, seen }, epsilon, runtime) {
  const { model } = result.path;
  const rows = seen.length / model.info.features;
  const { rms, max } = all.figures;
  const theirs = computed ?? all;
  const { scale, spread } = theirs.figures;
  const ours = difference(model.forward(seen), result.forward(seen), rows).deviation;
  return {
    rms,
    max,
    deviation: (innerValues(model.info).length > 0 ? all : theirs).deviation,
    rows,
    runtime,
    agrees: computed && agree(theirs.deviation, ours, (epsilon * scale) / (spread || 1), OTHER_ENGINE),
  };
}

/** The rows as the runtime sees them, rounded to the inputs' types. @param {Float64Array} rows @param {Inputs} inputs */
function asSeen(rows, { feeds, features }) {
  const types = new Set(feeds.filter((feed) => feed.width > 0).map((feed) => feed.type));
  if (types.size === 1) return decode([...types][0], encode([...types][0], rows));
  const out = rows.slice();
  let offset = 0;
  for (const { type, width } of feeds) {
    for (let at = offset; at < out.length; at += features) {
      out.set(decode(type, encode(type, rows.slice(at, at + width))), at);
    }
    offset += width;
  }
  return out;
}

/** Within a share, or what rounding to the outputs' type may add on either side.
 * @param {number} theirs @param {number} ours @param {number} rounding one rounding, relative to the spread @param {number} share */
function agree(theirs, ours, rounding, share) {
  const told = ours ?? Infinity; // JSON has no infinity: outputs that do not vary
  return theirs === told || Math.abs(theirs - told) <= share * told + 100 * rounding;
}
