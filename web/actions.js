// What a person can do on the page. Every action starts here, changes `state`, and never throws: what goes wrong becomes
// a problem (for the page) or an obstacle (for the target).
import { batch } from "@preact/signals";

import { createClient } from "../wasm/client.js";
import { splitTable } from "../wasm/data.js";
import { normalRows } from "../wasm/numbers.js";
import { guessLabels, readFile, sortFiles } from "./files.js";
import { number } from "./format.js";
import { text } from "./messages.js";
import { state } from "./state.js";
import { dials, firstEpsilon, targetFrom } from "./targets.js";

/** @typedef {import("./state.js").Target} Target */
/** @typedef {import("./files.js").Named} Named */

const SEED = 1;
const REFIT_DELAY = 180; // ms of rest before the refit starts: one drag is one refit
const CURVE_POINTS = 16;
const SCATTER_ROWS = 400;

const client = createClient({ onRestart: () => void measure() });

/** Ends the work in progress. */
let work = new AbortController();
/** @type {ReturnType<typeof setTimeout>|undefined} */
let waiting;

/** @param {unknown} error */
const isAbort = (error) => error instanceof DOMException && error.name === "AbortError";

/** Shows how far work is, unless it was stopped: its last messages may come later. @param {AbortSignal} signal */
const progressOf = (signal) => (/** @type {import("../wasm/types.js").Progress} */ progress) => {
  if (!signal.aborted) state.task.value = progress;
};

function startOver() {
  clearTimeout(waiting);
  work.abort(new DOMException("superseded", "AbortError"));
  work = new AbortController();
  state.task.value = null;
  return work.signal;
}

/**
 * Runs a piece of work; its failure is shown, its being cancelled is not.
 * @param {() => Promise<void>} run
 * @param {(message: string, error: any) => void} [fail]
 */
async function attempt(run, fail = (message) => (state.problem.value = { message })) {
  try {
    await run();
  } catch (error) {
    if (!isAbort(error)) fail(error instanceof Error ? error.message : String(error), error);
  }
}

// ---- opening ---------------------------------------------------------------------------------------------------------

/** @param {File[]} files */
export async function openFiles(files) {
  if (files.length === 0) return;
  await attempt(async () => {
    const named = await Promise.all(files.map(readFile));
    const { model, data, others } = sortFiles(named);
    if (model) return openModel(model, data, others);
    if (data && state.model.value) return openData(data);
    if (data) throw new Error(text.dataWithoutModel(data.name));
  });
}

/** @param {import("./state.js").Sample} sample */
export async function openSample(sample) {
  await attempt(async () => {
    const [model, data] = await Promise.all([sample.model, sample.data].map(fetchSample));
    await openModel(model, data, [], { kind: "epsilon", value: sample.epsilon });
  });
}

/**
 * @param {string} name
 * @returns {Promise<Named>}
 */
async function fetchSample(name) {
  const response = await fetch(`samples/${name}`);
  if (!response.ok) throw new Error(text.samplesMissing);
  return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
}

export async function loadSamples() {
  await attempt(async () => {
    const response = await fetch("samples/samples.json");
    if (!response.ok) throw new Error(text.samplesMissing);
    state.samples.value = await response.json();
  });
}

/**
 * @param {Named} file
 * @param {Named|null} rows
 * @param {Named[]} others
 * @param {Target} [target]
 */
async function openModel(file, rows, others, target = { kind: "epsilon", value: dials.epsilon.start }) {
  state.opening.value = file.name;
  try {
    const files = new Map(others.map((other) => [other.name, other.bytes]));
    const model = await client.open(file.bytes, file.name, { files });
    startOver();
    batch(() => {
      state.model.value = model;
      state.target.value = target;
      state.data.value = state.problem.value = null;
      forgetMeasure();
      state.result.value = null;
    });
  } finally {
    state.opening.value = null;
  }
  if (rows) await attempt(() => readRows(rows));
  await measure();
}

/** @param {Named} file */
async function openData(file) {
  await readRows(file);
  await measure();
}

/** @param {Named} file */
async function readRows(file) {
  const { features } = /** @type {import("./state.js").ModelInfo} */ (state.model.value);
  const table = await client.read(file.bytes, file.name, { labels: guessLabels(file, features) });
  batch(() => {
    state.problem.value = null;
    state.data.value = { table, holdOut: table.labels !== null };
  });
}

/** @param {boolean} holdOut whether the second half of the rows is kept for scoring */
export function setHoldOut(holdOut) {
  const data = state.data.value;
  if (!data) return;
  state.data.value = { ...data, holdOut };
  void measure();
}

export function removeData() {
  state.data.value = null;
  void measure();
}

export const dismissProblem = () => (state.problem.value = null);

// ---- measuring and lumping -------------------------------------------------------------------------------------------

/** The rows that decide and the rows that score. */
function parts() {
  const data = state.data.value;
  if (!data) return { measure: null, score: null, heldOut: false };
  const { measure, score, heldOut } = splitTable(data.table, data.holdOut ? 0.5 : 1);
  return { measure, score: score.labels ? score : null, heldOut };
}

function forgetMeasure() {
  state.path.value = state.choice.value = state.curve.value = state.obstacle.value = null;
}

/** Orders the neurons on the present measure, then makes the smaller model. */
export async function measure() {
  const model = state.model.value;
  const signal = startOver();
  forgetMeasure();
  if (!model || model.sites.length === 0) return;
  progressOf(signal)({ stage: "path", fraction: 0 });
  await attempt(async () => {
    const path = await client.path({ data: parts().measure, seed: SEED, signal, onProgress: progressOf(signal) });
    state.path.value = path;
    await attempt(choose, refuse);
    await refit(signal);
  });
  if (!signal.aborted) state.task.value = null;
}

/** @param {Target} target */
export function setTarget(target) {
  const { kind, value } = state.target.value;
  if (target.kind === kind && target.value === value) return;
  state.target.value = target;
  if (!state.path.value) return;
  const signal = startOver();
  progressOf(signal)({ stage: "refit", fraction: 0 });
  void attempt(choose, refuse);
  waiting = setTimeout(() => void attempt(() => refit(signal)), REFIT_DELAY);
}

/** @param {Target["kind"]} kind */
export function setKind(kind) {
  if (kind !== state.target.value.kind) setTarget(targetFrom(kind, state.result.value?.report ?? null));
}

/** Widths and size, at once. */
async function choose() {
  const target = state.target.value;
  try {
    const choice = await client.choose(target);
    if (target !== state.target.value) return;
    state.choice.value = choice;
    state.obstacle.value = choice.retained < 1 ? null : nothingGoes();
  } catch (error) {
    if (target === state.target.value) throw error;
  }
}

/** @returns {import("./state.js").Problem} */
function nothingGoes() {
  const path = state.path.value;
  const value = path ? firstEpsilon(path) : Infinity;
  if (!Number.isFinite(value)) return { message: text.nothingYet };
  return {
    message: text.nothingAt(number(value)),
    remedy: { label: text.use(number(value)), run: () => setTarget({ kind: "epsilon", value }) },
  };
}

/**
 * @param {string} message
 * @param {{code?: string}} error
 */
function refuse(message, { code }) {
  if (code !== "NOTHING_AT") state.choice.value = null;
  state.obstacle.value = code === "NOTHING_AT" ? nothingGoes() : { message };
}

/** @param {AbortSignal} signal */
async function refit(signal) {
  const target = state.target.value;
  const path = state.path.value;
  if (!path) return;
  const { score, heldOut } = parts();
  await attempt(async () => {
    const report = await client.compress(target, { score, heldOut, signal, onProgress: progressOf(signal) });
    const outputs = await compareOutputs();
    if (signal.aborted) return;
    state.result.value = { report, target, path, outputs };
  }, refuse);
  if (state.curve.value === null && !signal.aborted) await attempt(() => drawCurve(score, signal));
  if (!signal.aborted) state.task.value = null;
}

/** @param {import("./state.js").Table|null} score @param {AbortSignal} signal */
async function drawCurve(score, signal) {
  state.curve.value = await client.curve({ points: CURVE_POINTS, score, signal, onProgress: progressOf(signal) });
}

/** The first rows through both networks. */
async function compareOutputs() {
  const { features, results } = /** @type {import("./state.js").ModelInfo} */ (state.model.value);
  const table = parts().score ?? parts().measure;
  const total = table?.rows ?? SCATTER_ROWS;
  const rows = Math.min(SCATTER_ROWS, total);
  const x = table ? table.features.slice(0, rows * features) : normalRows(rows, features, SEED);
  const [original, reduced] = await Promise.all([client.forward(x, "model"), client.forward(x, "result")]);
  return { original, reduced, results, rows, total, drawn: table === null };
}

/** Stops; what was finished last stays. */
export function cancel() {
  startOver();
  const { result, path } = state;
  if (!result.value || result.value.path !== path.value) return;
  state.target.value = result.value.target;
  void attempt(choose, refuse);
}

// ---- taking it home --------------------------------------------------------------------------------------------------

/** @param {"onnx"|"json"} [format] */
export const smallerModel = (format) => client.write(format);
