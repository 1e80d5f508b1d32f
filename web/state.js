// The one state of the page. Values are replaced, never changed in place, so that "is this result still the one asked
// for?" is a comparison of identities.
import { computed, signal } from "@preact/signals";

import { isOpen } from "../wasm/inputs.js";
import { expectedAt } from "./expected.js";
import { shownKeys } from "./lines.js";
import { dials } from "./targets.js";

/**
 * @typedef {import("../wasm/types.js").ModelInfo} ModelInfo
 * @typedef {import("../wasm/types.js").Table} Table
 * @typedef {import("../wasm/types.js").PathInfo} PathInfo
 * @typedef {import("../wasm/types.js").Target} Target
 * @typedef {import("../wasm/types.js").Choice} Choice
 * @typedef {import("../wasm/types.js").Report} Report
 * @typedef {import("../wasm/types.js").CurvePoint} CurvePoint
 * @typedef {import("../wasm/types.js").Progress} Progress
 *
 * @typedef {{id: string, title: string, sentence: string, model: string, data: string, labels: number, bytes: number, epsilon: number}} Sample
 * @typedef {import("../wasm/images.js").Norm} Norm
 * @typedef {{labels: import("../wasm/data.js").Labels, skip: number[], scale: "none"|"divide"|"standardize", norm: Norm}} Reading   how rows
 *   are read: which columns are labels and which left out; divide: by 255; norm: mean and std of pictures
 * @typedef {{table: Table, share: number, file: import("./files.js").Rows, reading: Reading}} Data   the user's rows; share: of them that
 *   decide, the others being kept for scoring; 1: all do both
 * @typedef {import("../wasm/types.js").Outputs} Outputs   the first rows through both networks
 * @typedef {import("../wasm/methods.js").Method} Method
 * @typedef {{points: CurvePoint[], why: string|null}} Line   why: there is no point
 * @typedef {{report: Report, target: Target, method: Method, path: PathInfo, outputs: Outputs|null, polished: boolean,
 *   lumpings: import("../wasm/types.js").Lumping[]}} Result
 *   polished: the polish ran to its end, whatever came of it
 * @typedef {{report: Report, target: Target, path: PathInfo}} Draft
 * @typedef {Progress & {left: number|null}} Task   left: seconds
 * @typedef {{id: number, result: Result}} Pin
 * @typedef {{message: string, remedy?: {label: string, run: () => void}}} Problem
 */

export const state = {
  /** Which page is shown; the address says it (address.js). @type {import("@preact/signals").Signal<import("./address.js").View>} */
  view: signal("work"),
  /** @type {import("@preact/signals").Signal<Sample[]>} */
  samples: signal([]),
  /** @type {import("@preact/signals").Signal<ModelInfo|null>} */
  model: signal(null),
  /** Sizes given for inputs that leave them open. @type {import("@preact/signals").Signal<import("../wasm/inputs.js").Shapes>} */
  shapes: signal(new Map()),
  /** @type {import("@preact/signals").Signal<Data|null>} */
  data: signal(null),
  /** What inputs are drawn from, evenly, where there are no rows. @type {import("@preact/signals").Signal<{low: number, high: number}|null>} */
  range: signal(null),
  /** @type {import("@preact/signals").Signal<PathInfo|null>} */
  path: signal(null),
  /** @type {import("@preact/signals").Signal<Target>} */
  target: signal({ kind: "epsilon", value: dials.epsilon.start }),
  /** What the path says the target comes to, at once. @type {import("@preact/signals").Signal<Choice|null>} */
  choice: signal(null),
  /** What the places of the slider come to, by kind of target and value. @type {import("@preact/signals").Signal<ReadonlyMap<string, ReadonlyMap<number, Choice>>>} */
  choices: signal(new Map()),
  /** A quick measurement of what is asked for, while its result is being made. @type {import("@preact/signals").Signal<Draft|null>} */
  draft: signal(null),
  /** The last finished result. @type {import("@preact/signals").Signal<Result|null>} */
  result: signal(null),
  /** @type {import("@preact/signals").Signal<Method>} */
  method: signal("projected"),
  /** Whether results are polished. @type {import("@preact/signals").Signal<boolean>} */
  polish: signal(true),
  /** What the curve is compared with, as it was chosen. @type {import("@preact/signals").Signal<import("./lines.js").Choice[]>} */
  compared: signal([]),
  /** The lines drawn so far on the present path, by their keys. @type {import("@preact/signals").Signal<ReadonlyMap<string, Line>>} */
  lines: signal(new Map()),
  /** The line being drawn beside the curve. @type {import("@preact/signals").Signal<{key: string, fraction: number}|null>} */
  drawing: signal(null),
  /** What is being worked on. @type {import("@preact/signals").Signal<Task|null>} */
  task: signal(null),
  /** Results kept to compare with, of the present model. @type {import("@preact/signals").Signal<Pin[]>} */
  pins: signal([]),
  /** How far the worst case of the shown result is bounded. @type {import("@preact/signals").Signal<Task|null>} */
  bounding: signal(null),
  /** The sample that is open, by its name. @type {import("@preact/signals").Signal<string|null>} */
  sample: signal(null),
  /** What went wrong, for the whole page. @type {import("@preact/signals").Signal<Problem|null>} */
  problem: signal(null),
  /** What the target cannot give. @type {import("@preact/signals").Signal<Problem|null>} */
  obstacle: signal(null),
  /** A file is being opened. @type {import("@preact/signals").Signal<string|null>} */
  opening: signal(null),
};

/** Whether the shown result is not the one asked for (any more). */
export const stale = computed(() => {
  const result = state.result.value;
  return result !== null && (result.target !== state.target.value || result.method !== state.method.value || result.path !== state.path.value);
});

/** Whether ONNX Runtime runs the network: some of the methods and the worst case are not to be had then. */
export const outside = computed(() => state.model.value?.engine === "runtime");

/** Whether the polish has nothing to move: it wants dense layers, at least at the network's end. */
export const unpolished = computed(() => state.model.value?.polishes === false);

/** Whether sizes of inputs must be given before anything can be measured. */
export const unsized = computed(() => outside.value && state.model.value?.features === 0 && state.model.value.inputs.some(isOpen));

const DRAWN = 2 ** 24; // weights, in 128 MB

/** Whether there is room for the model's weights beside the model. */
export const weightsDrawn = computed(() => state.model.value?.large !== true && (state.model.value?.parameters ?? 0) <= DRAWN);

/** The curve of the present method. */
export const curve = computed(() => state.lines.value.get(state.method.value)?.points ?? null);

/** Every line to be seen: the present method's first. */
export const shown = computed(() => shownKeys(state.method.value, state.compared.value));

/** The points of all lines there are, for files and tables. */
export const shownPoints = computed(() => shown.value.flatMap((key) => state.lines.value.get(key)?.points ?? []));

/** What the slider's new place will give, before its result is there: what its draft says, and until that is there what is read off the
 * drawn line; null where the shown result is the one asked for, or nothing is known. */
export const expected = computed(() => {
  const { model, choice, result } = { model: state.model.value, choice: state.choice.value, result: state.result.value };
  if (!stale.value || !model || !choice || !result) return null;
  const whole = { bytes: model.bytes, parameters: model.parameters, accuracy: result.report.score?.kind === "accuracy" };
  const read = drafted.value ?? expectedAt(curve.value ?? [], choice, whole);
  return read && { ...read, measured: drafted.value !== null };
});

/** What the draft says of the present target. */
const drafted = computed(() => {
  const { draft, target, path, method } = { draft: state.draft.value, target: state.target.value, path: state.path.value, method: state.method.value };
  if (draft === null || draft.target !== target || draft.path !== path || draft.report.method !== method) return null;
  const { bytes, deviation, score } = draft.report;
  return { bytes: bytes.after, deviation, score: score?.kind === "accuracy" ? score.after : null };
});

/** Neurons before and after, per site: from the choice while a result is being made. */
export const widths = computed(() => {
  const model = state.model.value;
  if (!model) return [];
  const after = state.choice.value?.widths ?? state.result.value?.report.sites.map((site) => site.after);
  return model.sites.map((site, i) => ({ name: site.name, before: site.width, after: after?.[i] ?? site.width }));
});
