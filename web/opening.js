// How files and rows of data come into the page: dropped, chosen, pasted, a sample, or a link that names one. Like actions.js:
// nothing throws, what goes wrong becomes a problem, and the model that was open stays open.
import { batch } from "@preact/signals";

import { takesImages } from "../wasm/layout.js";
import { attempt, client, forgetMeasure, keepMethods, measure, startOver } from "./actions.js";
import { asset } from "./assets.js";
import { baseOf, named, pastedFile, sortFiles } from "./files.js";
import { text } from "./messages.js";
import { state, unsized } from "./state.js";
import { dials } from "./targets.js";

/** @typedef {import("./state.js").Target} Target */
/** @typedef {import("./state.js").Reading} Reading */
/** @typedef {import("./files.js").Named} Named */
/** @typedef {import("./files.js").Rows} Rows */
/** @typedef {import("./files.js").Sorted} Sorted */
/** @typedef {() => import("./state.js").Problem|null} Note   what is said of files that were not opened, once the others are */

/** Rows that came with a model whose inputs' sizes are not known yet. @type {Rows|null} */
let unread = null;
/** A model that waits for a file it names. @type {{model: Named, data: Rows|null, others: Named[], missing: string}|null} */
let waiting = null;
/** The target a link asked for, for the model that is opened next. @type {Target|null} */
let asked = null;

/** Ends the opening in progress: of two drops the later wins. */
let opening = new AbortController();

/** @param {(signal: AbortSignal) => Promise<void>} run */
async function instead(run) {
  opening.abort(new DOMException("superseded", "AbortError"));
  opening = new AbortController();
  const { signal } = opening;
  await attempt(
    () => run(signal),
    (message) => {
      if (!signal.aborted) state.problem.value = { message, remedy: { label: text.choose, run: chooseFiles } };
    },
  );
}

/** The field behind the file chooser: one that nothing holds may be gone before it is answered. @type {HTMLInputElement|null} */
let field = null;

/** Opens the file chooser. */
function chooseFiles() {
  field = document.createElement("input");
  field.type = "file";
  field.multiple = true;
  field.addEventListener("change", () => void openFiles([...(field?.files ?? [])]));
  field.click();
}

// ---- files -----------------------------------------------------------------------------------------------------------

/** @param {File[]|Promise<Named[]>} files chosen, or a drop's, its folders being walked */
export async function openFiles(files) {
  await instead(async (signal) => {
    const all = Array.isArray(files) ? files.map(named) : await files;
    if (all.length === 0) return;
    const sorted = await sortFiles(all, { fits: picturesFit() });
    signal.throwIfAborted();
    await openSorted(completed(sorted, all), signal);
  });
}

/** @param {DataTransfer} clipboard */
export function openPasted(clipboard) {
  if (clipboard.files.length > 0) return openFiles([...clipboard.files]);
  const file = pastedFile(clipboard.getData("text/plain"));
  return file ? openFiles(Promise.resolve([file])) : undefined;
}

/** Whether a model is open that takes pictures, as far as that is known. */
function picturesFit() {
  const model = state.model.value;
  return model !== null && (unsized.value || takesImages(model));
}

/** With the model that waits for one of these files, where they bring none. @param {Sorted} sorted @param {Named[]} all @returns {Sorted} */
function completed(sorted, all) {
  const before = waiting;
  const there = all.some(({ name }) => baseOf(name) === before?.missing);
  if (!before || !there || sorted.models.some(({ name }) => baseOf(name) !== before.missing)) return sorted;
  return { ...sorted, model: before.model, models: [], data: sorted.data ?? before.data, others: [...before.others, ...all.map((file) => ({ ...file, name: baseOf(file.name) }))] };
}

/** @param {Sorted} sorted @param {AbortSignal} signal */
async function openSorted({ model, models, data, tables, others }, signal) {
  const note = () => (model && models.length > 1 ? severalModels(models, data, others) : leftAside(tables));
  if (model) return openModel({ model, data, others }, signal, { note });
  if (!data) throw new Error(text.nothingThere);
  if (!state.model.value) throw new Error(text.dataWithoutModel(data.name));
  await openData(data, signal, note);
}

/** @param {Named[]} models the first is open @param {Rows|null} data @param {Named[]} others @returns {import("./state.js").Problem} */
function severalModels(models, data, others) {
  const [first, second] = models;
  const run = () => void instead((signal) => openModel({ model: { ...second, name: baseOf(second.name) }, data, others }, signal));
  return { message: text.severalModels(models.length, baseOf(first.name)), remedy: { label: text.openInstead(baseOf(second.name)), run } };
}

/** What is said of tables that were not read. @param {Named[]} tables */
function leftAside(tables) {
  const used = state.data.value?.table.source ?? "";
  const left = tables.filter(({ name }) => !used.includes(name)).map(({ name }) => name);
  return left.length === 0 ? null : { message: text.severalTables(used, left) };
}

// ---- models ----------------------------------------------------------------------------------------------------------

/** @param {{model: Named, data: Rows|null, others: Named[]}} drop @param {AbortSignal} signal
 * @param {{epsilon?: number, sample?: string|null, note?: Note}} [more] epsilon: to begin with; sample: its name */
async function openModel(drop, signal, { epsilon = dials.epsilon.start, sample = null, note = () => null } = {}) {
  const { model: file, data: rows, others } = drop;
  state.opening.value = file.name;
  waiting = null;
  try {
    const files = new Map(others.map((other) => [other.name, other.bytes]));
    const model = await client.open(file.bytes, file.name, { files, signal });
    startOver();
    batch(() => {
      state.model.value = model;
      state.shapes.value = new Map();
      state.target.value = asked ?? { kind: "epsilon", value: epsilon };
      state.data.value = state.range.value = state.problem.value = null;
      forgetMeasure();
      state.result.value = null;
      state.pins.value = [];
      state.sample.value = sample;
      keepMethods();
    });
  } catch (error) {
    const { code, place } = /** @type {{code?: string, place?: string}} */ (error);
    if (code === "EXTERNAL" && place) waiting = { ...drop, missing: baseOf(place) };
    throw error;
  } finally {
    if (!signal.aborted) state.opening.value = null;
  }
  unread = unsized.value ? rows : null;
  if (rows && !unread && !signal.aborted) await attempt(() => readRows(rows, signal));
  if (!signal.aborted) state.problem.value ??= note();
  await measure(); // even if another drop came meanwhile: that one may be refused
}

/** @param {import("./state.js").Sample} sample */
export async function openSample(sample) {
  await instead(async (signal) => {
    const [model, data] = await Promise.all([sample.model, sample.data].map(fetchSample));
    signal.throwIfAborted();
    await openModel({ model, data, others: [] }, signal, { epsilon: sample.epsilon, sample: sample.id });
  });
}

/**
 * @param {string} name
 * @returns {Promise<Named>}
 */
const fetchSample = async (name) => ({ name, bytes: await sampleFile(name) });

/** @param {string} name */
async function sampleFile(name) {
  try {
    return await asset(`samples/${name}`);
  } catch {
    throw new Error(text.samplesMissing);
  }
}

export async function loadSamples() {
  await attempt(async () => {
    state.samples.value = JSON.parse(new TextDecoder().decode(await sampleFile("samples.json")));
  });
}

/** Takes the settings of a link, and opens the sample it names. @param {import("./link.js").Settings} settings */
export async function takeSettings({ sample, target, method, polish, compared }) {
  batch(() => {
    state.method.value = method;
    state.polish.value &&= polish;
    state.compared.value = compared;
  });
  asked = target;
  const meant = state.samples.value.find(({ id }) => id === sample);
  if (meant) await openSample(meant);
}

/** @param {import("../wasm/inputs.js").Shapes} shapes */
export async function setShapes(shapes) {
  await instead(async (signal) => {
    const model = await client.shape(shapes);
    startOver();
    const wider = model.features !== state.model.value?.features;
    batch(() => {
      state.model.value = model;
      state.shapes.value = shapes;
      state.problem.value = null;
      if (wider) state.data.value = null;
      forgetMeasure();
      state.result.value = null;
    });
    const rows = unread;
    unread = null;
    if (rows) await attempt(() => readRows(rows, signal));
    await measure();
  });
}

// ---- rows ------------------------------------------------------------------------------------------------------------

/** How rows are read when nobody has said anything. @type {Reading} */
const GUESSED = { labels: "auto", skip: [], scale: "none", norm: {} };

/** @param {Rows} file @param {AbortSignal} signal @param {Note} note */
async function openData(file, signal, note) {
  if (unsized.value) {
    unread = file;
    throw new Error(text.sizesFirst(file.name));
  }
  await readRows(file, signal);
  state.problem.value ??= note();
  await measure();
}

/** @param {Rows} file @param {AbortSignal} signal @param {Reading} [how] */
async function readRows(file, signal, how = GUESSED) {
  const table = await tableOf(file, signal, how);
  signal.throwIfAborted();
  const before = state.data.value;
  const kept = before?.file === file && (before.table.labels === null) === (table.labels === null) ? before.share : null;
  const share = kept ?? (table.labels !== null && table.rows > 1 ? 0.5 : 1);
  batch(() => {
    state.problem.value = null;
    state.data.value = { table, share, file, reading: how };
  });
}

/** A second file stands beside the first where the first has nothing but inputs. @param {Rows} file @param {AbortSignal} signal
 * @param {Reading} how @returns {Promise<import("./state.js").Table>} */
async function tableOf(file, signal, how) {
  const { beside = [], pictures } = file;
  const { labels, skip, norm, scale } = how;
  const options = { labels, skip, norm, pictures, divide: scale === "divide" ? 255 : 1, standardize: scale === "standardize", signal };
  if (beside.length === 0 || pictures) return client.read(file.bytes, file.name, options);
  if (how !== GUESSED) return client.read(file.bytes, file.name, { ...options, beside });
  const alone = await client.read(file.bytes, file.name, options);
  const pair = alone.labels === null && (await client.read(file.bytes, file.name, { ...options, beside }).catch(() => null));
  if (!pair) file.beside = undefined;
  return pair || alone;
}

/** Reads the rows again, in another way. @param {Partial<Reading>} change */
export async function readAgain(change) {
  const data = state.data.value;
  if (!data) return;
  await instead(async (signal) => {
    await readRows(data.file, signal, { ...data.reading, ...change });
    await measure();
  });
}

/** As the model was trained on the pictures. @param {import("./state.js").Norm} norm */
export const setNorm = (norm) => readAgain({ norm });

/** What each column is for. @param {import("../wasm/columns.js").Role[]} roles */
export function setRoles(roles) {
  const of = (/** @type {string} */ wanted) => roles.flatMap((role, i) => (role === wanted ? [i] : []));
  return readAgain({ labels: of("label"), skip: of("out") });
}

/** @param {number} share of the rows that decide; the others score */
export function setShare(share) {
  const data = state.data.value;
  if (!data || data.share === share) return;
  state.data.value = { ...data, share };
  void measure();
}

/** What the inputs are drawn from where there are no rows. @param {{low: number, high: number}|null} range */
export function setRange(range) {
  state.range.value = range;
  void measure();
}

export function removeData() {
  state.data.value = null;
  void measure();
}
