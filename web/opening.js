// How files and rows of data come into the page: dropped, chosen, pasted, a sample, or a link that names one. Like actions.js:
// nothing throws, what goes wrong becomes a problem, and the model that was open stays open.
import { batch } from "@preact/signals";

import { attempt, client, forgetMeasure, keepMethods, measure, startOver } from "./actions.js";
import { guessLabels, named, sortFiles } from "./files.js";
import { text } from "./messages.js";
import { state, unsized } from "./state.js";
import { dials } from "./targets.js";

/** @typedef {import("./state.js").Target} Target */
/** @typedef {import("./files.js").Named} Named */
/** @typedef {import("./files.js").Rows} Rows */
/** @typedef {import("./state.js").Norm} Norm */

/** Rows that came with a model whose inputs' sizes are not known yet. @type {Rows|null} */
let unread = null;

/** @param {File[]} files */
export async function openFiles(files) {
  if (files.length === 0) return;
  await attempt(async () => {
    const { model, data, others } = sortFiles(files.map(named));
    if (model) return openModel(model, data, others);
    if (data && state.model.value) return openData(data);
    if (data) throw new Error(text.dataWithoutModel(data.name));
  });
}

/** @param {import("./state.js").Sample} sample */
export async function openSample(sample) {
  await attempt(async () => {
    const [model, data] = await Promise.all([sample.model, sample.data].map(fetchSample));
    const target = asked;
    await openModel(model, data, [], target ?? { kind: "epsilon", value: sample.epsilon });
    state.sample.value = sample.id;
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
 * @param {Rows|null} rows
 * @param {Named[]} others
 * @param {Target} [target]
 */
async function openModel(file, rows, others, target = asked ?? { kind: "epsilon", value: dials.epsilon.start }) {
  state.opening.value = file.name;
  try {
    const files = new Map(others.map((other) => [other.name, other.bytes]));
    const model = await client.open(file.bytes, file.name, { files });
    startOver();
    batch(() => {
      state.model.value = model;
      state.shapes.value = new Map();
      state.target.value = target;
      state.data.value = state.problem.value = null;
      forgetMeasure();
      state.result.value = null;
      state.pins.value = [];
      state.sample.value = null;
      keepMethods();
    });
  } finally {
    state.opening.value = null;
  }
  unread = unsized.value ? rows : null;
  if (rows && !unread) await attempt(() => readRows(rows));
  await measure();
}

/** The target a link asked for, for the model that is opened next. @type {Target|null} */
let asked = null;

/** Takes the settings of a link, and opens the sample it names. @param {import("./link.js").Settings} settings */
export async function takeSettings({ sample, target, method, polish, compared }) {
  batch(() => {
    state.method.value = method;
    state.polish.value &&= polish;
    state.compared.value = compared;
  });
  asked = target;
  const named = state.samples.value.find(({ id }) => id === sample);
  if (named) await openSample(named);
}

/** @param {import("../wasm/inputs.js").Shapes} shapes */
export async function setShapes(shapes) {
  await attempt(async () => {
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
    if (rows) await attempt(() => readRows(rows));
    await measure();
  });
}

/** @param {Rows} file */
async function openData(file) {
  if (unsized.value) {
    unread = file;
    throw new Error(text.sizesFirst(file.name));
  }
  await readRows(file);
  await measure();
}

/** @param {Rows} file @param {Norm} [norm] of pictures */
async function readRows(file, norm = {}) {
  const { features } = /** @type {import("./state.js").ModelInfo} */ (state.model.value);
  const table = await client.read(file.bytes, file.name, { labels: await guessLabels(file, features), pictures: file.pictures, norm });
  batch(() => {
    state.problem.value = null;
    state.data.value = { table, holdOut: table.labels !== null, file, norm };
  });
}

/** Reads the pictures again as the model was trained on them. @param {Norm} norm */
export async function setNorm(norm) {
  const data = state.data.value;
  if (!data) return;
  await attempt(async () => {
    await readRows(data.file, norm);
    state.data.value = { .../** @type {import("./state.js").Data} */ (state.data.value), holdOut: data.holdOut };
    await measure();
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
