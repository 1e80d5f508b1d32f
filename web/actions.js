// What a person can do on the page. Every action starts here, changes `state`, and never throws: what goes wrong becomes
// a problem (for the page) or an obstacle (for the target).
import { batch } from "@preact/signals";

import { outputsOn } from "../wasm/answers.js";
import { createClient } from "../wasm/client.js";
import { OUTSIDE } from "../wasm/methods.js";
import { asksForScore } from "../wasm/search.js";
import { sliceTable, splitTable } from "../wasm/table.js";
import { spawn } from "./assets.js";
import { number } from "./format.js";
import { keyOfChoice, wayOf } from "./lines.js";
import { text } from "./messages.js";
import { remaining } from "./remaining.js";
import { outside, shown, stale, state, unpolished, unsized, weightsDrawn } from "./state.js";
import { STEPS, dials, firstEpsilon, polishable, scoreDial, takesTolerance, targetFrom, valueAt } from "./targets.js";

/** @typedef {import("./state.js").Target} Target */

const SEED = 1;
const REST = 30; // ms before anything is fitted: while a drag goes on, its events are a frame apart, or two
const DRAFT_ROWS = 512; // a draft is scored on
const CURVE_POINTS = 16;
const SLOW_POINTS = 7; // where each takes as long as a result
const POLISH_KEY = "netlump.polish"; // in the session's storage: "off" or nothing

export const client = createClient({ spawn, onRestart: restarted });

/** Ends the work in progress. */
let work = new AbortController();
/** @type {ReturnType<typeof setTimeout>|undefined} */
let waiting;
/** Ends the bounding of the shown result's worst case. */
let bounding = new AbortController();
/** The line being drawn beside the curve; it goes on while targets change. @type {{key: string, controller: AbortController}|null} */
let drawn = null;

const QUIET = 10_000; // ms: two restarts within are one too many
let lastRestart = -Infinity;

/** The worker is a new one: what it had made is made again, unless that is what ends it. @param {boolean} crashed the old one */
function restarted(crashed) {
  const now = performance.now();
  const again = crashed && now - lastRestart < QUIET;
  if (crashed) lastRestart = now;
  if (!again) return void measure();
  startOver();
  forgetMeasure();
  state.problem.value = { message: text.restartedTwice, remedy: { label: text.again, run: () => void measure() } };
}

/** @param {unknown} error */
const isAbort = (error) => error instanceof DOMException && error.name === "AbortError";

/** The work that came to its end. @type {WeakSet<AbortSignal>} */
const ended = new WeakSet();

/** Shows how far work is, unless it was stopped or is done: its last messages may come later.
 * @param {AbortSignal} signal @param {typeof state.task} [place] */
const progressOf = (signal, place = state.task) => {
  const left = remaining();
  return (/** @type {import("../wasm/types.js").Progress} */ progress) => {
    if (!signal.aborted && !ended.has(signal)) place.value = { ...progress, left: left(progress) };
  };
};

/** @param {AbortSignal} signal @param {typeof state.task} [place] */
function end(signal, place = state.task) {
  ended.add(signal);
  if (!signal.aborted) place.value = null;
}

export function startOver() {
  clearTimeout(waiting);
  work.abort(new DOMException("superseded", "AbortError"));
  work = new AbortController();
  state.task.value = null;
  stopBounding();
  return work.signal;
}

/**
 * Runs a piece of work; its failure is shown, its being cancelled is not.
 * @param {() => Promise<void>} run
 * @param {(message: string, error: any) => void} [fail]
 */
export async function attempt(run, fail = (message) => (state.problem.value = { message })) {
  try {
    await run();
  } catch (error) {
    if (!isAbort(error)) fail(error instanceof Error ? error.message : String(error), error);
  }
}

export const dismissProblem = () => (state.problem.value = null);

// ---- measuring and lumping -------------------------------------------------------------------------------------------

/** The rows that decide and the rows that score. */
function parts() {
  const data = state.data.value;
  if (!data) return { measure: null, score: null, heldOut: false };
  const { measure, score, heldOut } = splitTable(data.table, data.share);
  return { measure, score: score.labels ? score : null, heldOut };
}

/** The range of the inputs where it was given and there are no rows. @param {import("./state.js").ModelInfo} model */
function box({ features }) {
  const range = state.data.value ? null : state.range.value;
  return range ? { low: new Float64Array(features).fill(range.low), high: new Float64Array(features).fill(range.high) } : {};
}

export function forgetMeasure() {
  drawn?.controller.abort();
  state.path.value = state.choice.value = state.obstacle.value = null;
  state.choices.value = new Map();
  state.lines.value = new Map();
}

/** Leaves methods that the model does not allow. */
export function keepMethods() {
  if (!outside.value) return;
  if (!OUTSIDE.includes(state.method.value)) state.method.value = "projected";
  state.compared.value = state.compared.value.filter((one) => OUTSIDE.some((method) => method === one));
}

/** Orders the neurons on the present measure, then makes the smaller model. */
export async function measure() {
  const model = state.model.value;
  const signal = startOver();
  forgetMeasure();
  if (!model || model.sites.length === 0 || unsized.value) return;
  if (asksForScore(state.target.value) && !parts().score) state.target.value = targetFrom("retain", state.result.value?.report ?? null);
  progressOf(signal)({ stage: "path", fraction: 0 });
  await attempt(async () => {
    const path = await client.path({ data: parts().measure, seed: SEED, ...box(model), signal, onProgress: progressOf(signal) });
    state.path.value = path;
    await attempt(choose, refuse);
    await refit(signal);
  });
  end(signal);
}

/** @param {Target} target */
export function setTarget(target) {
  const { kind, value } = state.target.value;
  if (target.kind === kind && target.value === value) return;
  batch(() => {
    state.target.value = target;
    if (state.path.value) again(REST);
  });
}

/** Chooses at once; after some rest comes a draft, and at its end what improves on it. @param {number} delay ms */
function again(delay) {
  const signal = startOver();
  progressOf(signal)({ stage: "refit", fraction: 0 });
  void attempt(choose, refuse);
  const improve = () => {
    if (!signal.aborted) void attempt(() => refit(signal));
  };
  waiting = setTimeout(() => void draft(signal).then(improve), delay);
}

/** Fits what the slider's place gives on as many rows as a tenth of a second allows, and measures that. What fails here fails in the
 * refit, where it is said. @param {AbortSignal} signal */
async function draft(signal) {
  const { model, path, target, method } = { model: state.model.value, path: state.path.value, target: state.target.value, method: state.method.value };
  if (!model || !path || outside.value || model.large || method !== "projected" || !(target.kind in dials) || target.kind === "deviation") return;
  const { score, heldOut } = parts();
  const rows = score && sliceTable(score, 0, Math.min(score.rows, DRAFT_ROWS));
  await attempt(async () => {
    const report = await client.compress(target, { method, draft: true, verify: false, score: rows, heldOut, signal });
    if (!signal.aborted) state.draft.value = { report, target, path };
  }, () => {});
}

/** @param {import("./state.js").Method} method */
export function setMethod(method) {
  if (method === state.method.value) return;
  batch(() => {
    state.method.value = method;
    state.obstacle.value = null;
    const { kind } = state.target.value;
    if (kind === "epsilon" && !takesTolerance(method)) state.target.value = targetFrom("retain", state.result.value?.report ?? null);
  });
  if (state.path.value) again(0);
}

/** @param {boolean} on */
export function setPolish(on) {
  state.polish.value = on;
  remember(on);
  if (state.path.value && state.result.value) again(0);
}

/** @param {boolean} polish */
function remember(polish) {
  try {
    if (polish) sessionStorage.removeItem(POLISH_KEY);
    else sessionStorage.setItem(POLISH_KEY, "off");
  } catch {
    // no storage in this window: then it is not remembered
  }
}

export function recallPolish() {
  try {
    state.polish.value = sessionStorage.getItem(POLISH_KEY) !== "off";
  } catch {
    // as above
  }
}

/** @param {Target["kind"]} kind */
export function setKind(kind) {
  if (kind !== state.target.value.kind) setTarget(targetFrom(kind, state.result.value?.report ?? null));
}

/** Asks what every place of the slider comes to, so that it answers by itself from then on. @param {Target["kind"]} kind */
async function tabulate(kind) {
  const path = state.path.value;
  const dial = kind in dials ? dials[/** @type {keyof typeof dials} */ (kind)] : null;
  if (!path || !dial || state.choices.value.has(kind)) return;
  const targets = Array.from({ length: STEPS + 1 }, (_, position) => /** @type {import("../wasm/types.js").SizeTarget} */ ({ kind, value: valueAt(dial, position) }));
  const choices = await client.choices(targets);
  const byValue = new Map(choices.flatMap((choice, i) => (choice && choice.retained < 1 ? [[targets[i].value, choice]] : [])));
  if (path === state.path.value) state.choices.value = new Map(state.choices.value).set(kind, byValue);
}

/** What the table says of the target; nothing where the worker has to be asked. */
function chosen() {
  const { kind, value } = state.target.value;
  return takesTolerance(state.method.value) ? state.choices.value.get(kind)?.get(value) : undefined;
}

/** Widths and size, at once, where the path alone knows them: for the methods that follow it. */
async function choose() {
  const target = state.target.value;
  if (!takesTolerance(state.method.value) || asksForScore(target)) {
    state.choice.value = state.obstacle.value = null;
    return;
  }
  const known = chosen();
  if (known) {
    state.choice.value = known;
    state.obstacle.value = null;
    return;
  }
  void attempt(() => tabulate(target.kind), () => {}); // what fails here fails below, where it is shown
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
  const { kind } = state.target.value;
  const score = state.result.value?.report.score;
  if (code === "UNREACHABLE" && score && score.kind === kind) {
    const { from, scale, unit } = scoreDial(score);
    state.obstacle.value = { message, remedy: { label: text.use(`${number(from * scale)}${unit && ` ${unit}`}`), run: () => setTarget({ kind: score.kind, value: from }) } };
  } else if (code === "NOTHING_AT" && takesTolerance(state.method.value)) state.obstacle.value = nothingGoes();
  else if (code === "UNSUPPORTED" && state.method.value !== "projected")
    state.obstacle.value = { message: text.methodCannot(message), remedy: { label: text.useProjected, run: () => setMethod("projected") } };
  else state.obstacle.value = { message };
}

/** Makes the result of the present target; then, the first time, the curve; then the polish. @param {AbortSignal} signal */
async function refit(signal) {
  const method = state.method.value;
  const { score } = parts();
  await attempt(() => make(false, signal), refuse);
  if (!state.lines.value.has(method) && !signal.aborted) await attempt(() => drawLine(method, score, signal, progressOf(signal)));
  if (!signal.aborted && wantsPolish()) await attempt(() => make(true, signal), refuse);
  end(signal);
  if (!signal.aborted) void drawLines();
}

/** Whether the shown result is still to be polished. */
export function wantsPolish() {
  const result = state.result.value;
  return state.polish.value && !unpolished.value && result !== null && !stale.value && !result.polished && result.report.deviation > 0 && polishable(result.target);
}

/** Polishes the shown result, when that was stopped before. */
export function polishNow() {
  const signal = startOver();
  void attempt(() => refit(signal));
}

/** @param {boolean} polish @param {AbortSignal} signal */
async function make(polish, signal) {
  const target = state.target.value;
  const method = state.method.value;
  const path = state.path.value;
  if (!path || (!polish && wantsPolish())) return; // what is to be polished is there already
  const { score, heldOut } = parts();
  const tell = progressOf(signal);
  // The polish starts from the same fit, made once more: no news.
  const onProgress = polish ? (/** @type {import("../wasm/types.js").Progress} */ at) => tell(at.stage === "refit" ? { stage: "polish", fraction: 0 } : at) : tell;
  const report = await client.compress(target, { method, polish, score, heldOut, signal, onProgress });
  const outputs = await compareOutputs(signal);
  const lumpings = await client.lumping({ signal });
  if (signal.aborted) return;
  state.result.value = { report, target, method, path, outputs, lumpings, polished: polish };
}

/** @param {string} key @param {import("./state.js").Table|null} score @param {AbortSignal} signal @param {(progress: import("../wasm/types.js").Progress) => void} onProgress */
async function drawLine(key, score, signal, onProgress) {
  const path = state.path.value;
  const way = wayOf(key);
  const line = state.model.value?.large ? { points: [], why: text.noCurve } : await client.line({ ...way, points: way.polish || outside.value ? SLOW_POINTS : CURVE_POINTS, score, signal, onProgress });
  if (path === state.path.value) state.lines.value = new Map(state.lines.value).set(key, line);
}

// ---- the worst case --------------------------------------------------------------------------------------------------

/** Bounds the worst case of the shown result; whatever makes another result stops it. */
export async function boundWorstCase() {
  const result = state.result.value;
  if (!result || stale.value || state.task.value) return;
  stopBounding();
  const { signal } = bounding;
  const onProgress = progressOf(signal, state.bounding);
  onProgress({ stage: "certify", fraction: 0 });
  await attempt(async () => {
    const certificate = await client.certify({ signal, onProgress });
    if (!signal.aborted) state.result.value = { ...result, report: { ...result.report, certificate } };
  });
  end(signal, state.bounding);
}

export function stopBounding() {
  bounding.abort(new DOMException("superseded", "AbortError"));
  bounding = new AbortController();
  state.bounding.value = null;
}

// ---- pinning ---------------------------------------------------------------------------------------------------------

let lastPin = 0;

/** Keeps the shown result beside the next ones. */
export function pin() {
  const result = state.result.value;
  if (result && !stale.value && !isPinned(result)) state.pins.value = [...state.pins.value, { id: ++lastPin, result }];
}

/** @param {import("./state.js").Result} result */
export const isPinned = ({ report }) => state.pins.value.some((pin) => pin.result.report === report);

/** @param {import("./state.js").Pin} gone */
export const unpin = (gone) => void (state.pins.value = state.pins.value.filter((pin) => pin !== gone));

/** Goes back to what a pinned result was asked for. @param {import("./state.js").Pin} pin */
export function backTo({ result: { target, method, polished } }) {
  batch(() => {
    state.method.value = method;
    if (polishable(target)) state.polish.value = polished;
    state.target.value = { ...target };
  });
  if (state.path.value) again(0);
}

// ---- comparing -------------------------------------------------------------------------------------------------------

/** Takes a line to compare with, or leaves it. @param {import("./lines.js").Choice} choice */
export function toggleCompared(choice) {
  const { compared, method } = state;
  const there = compared.value.includes(choice);
  compared.value = there ? compared.value.filter((one) => one !== choice) : [...compared.value, choice];
  if (there && drawn?.key === keyOfChoice(choice, method.value)) drawn.controller.abort();
  if (!state.task.value) void drawLines();
}

/** Takes all of these lines, or leaves them where all are taken. @param {import("./lines.js").Choice[]} choices */
export function compareAll(choices) {
  const { compared } = state;
  const missing = choices.filter((one) => !compared.value.includes(one));
  if (missing.length === 0) {
    compared.value = compared.value.filter((one) => !choices.includes(one));
    drawn?.controller.abort();
  } else compared.value = [...compared.value, ...missing];
  if (!state.task.value) void drawLines();
}

/** Stops the line being drawn and leaves what is not drawn yet. */
export function stopDrawing() {
  const { compared, lines, method } = state;
  compared.value = compared.value.filter((one) => lines.value.has(keyOfChoice(one, method.value)));
  drawn?.controller.abort();
}

/** Draws the lines that are wanted and not there yet, one after the other. */
async function drawLines() {
  if (drawn) return;
  const next = () => (state.path.value && state.lines.value.has(state.method.value) ? shown.value.find((key) => !state.lines.value.has(key)) : undefined);
  for (let key = next(); key !== undefined; key = next()) {
    const now = { key, controller: new AbortController() };
    drawn = now;
    state.drawing.value = { key, fraction: 0 };
    const { signal } = now.controller;
    const tell = (/** @type {{fraction: number}} */ { fraction }) => {
      if (!signal.aborted && drawn === now) state.drawing.value = { key: now.key, fraction };
    };
    await attempt(
      () => drawLine(now.key, parts().score, signal, tell),
      (why) => (state.lines.value = new Map(state.lines.value).set(now.key, { points: [], why })),
    );
    drawn = null;
  }
  state.drawing.value = null;
}

/** The first rows through both networks. @param {AbortSignal} signal */
async function compareOutputs(signal) {
  const model = /** @type {import("./state.js").ModelInfo} */ (state.model.value);
  const table = parts().score ?? parts().measure;
  if (model.large) return null; // its weights stay in the file
  return outputsOn((asked) => client.outputs({ ...asked, signal }), table, model);
}

/** The weights of each layer as trained; null for those that are no dense layer, or too large to look at.
 * @returns {Promise<(import("../wasm/types.js").Weights|null)[]>} */
export async function allWeights() {
  const { layers = [] } = (weightsDrawn.value && state.model.value) || {};
  return Promise.all(layers.map((_, layer) => client.weights(layer).catch(() => null)));
}

/** Stops; what was finished last stays. */
export function cancel() {
  startOver();
  const { result, path } = state;
  if (!result.value || result.value.path !== path.value) return;
  state.target.value = result.value.target;
  state.method.value = result.value.method;
  void attempt(choose, refuse);
  void drawLines();
}

/** The open model's own bytes, for the classroom. */
export async function source() {
  const file = client.source();
  if (!file) return null;
  return { name: file.name, bytes: file.bytes instanceof Uint8Array ? file.bytes : new Uint8Array(await file.bytes.arrayBuffer()) };
}

// ---- taking it home --------------------------------------------------------------------------------------------------

/** The network's equations for ERODE. @param {import("../wasm/types.js").EquivalenceOptions} options */
export const equations = (options) => client.ode(options);

/** The smaller model's file, and those that go with it by their names. @param {import("../wasm/types.js").Format} [format] */
export const smallerModel = async (format) => ({ bytes: await client.file(format), files: await client.files(format) });
