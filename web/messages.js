// Every sentence the page says, but for those that come with their view (messages_classroom.js, messages_how.js). Errors of the engine
// bring their own (src/status.c, wasm/messages.js).
import { calibratedNote, certificateScope, originOf, plural } from "../wasm/messages.js";
import { accuracy, count, number, shape, share, size, upper, upperFirst } from "./format.js";

/** Neurons of all layers that can shrink. @param {import("../wasm/types.js").Report} report @param {"before"|"after"} when */
const neurons = ({ sites }, when) => sites.reduce((sum, site) => sum + site[when], 0);

export const text = {
  private: "Nothing leaves this device",
  offlineReady: "Ready to work offline",
  singleFile: "One file, works offline",
  updateAsks: "A new version is there. A model that is open has to be opened again.",
  updateElsewhere: "A new version is there. Close the other windows of this page first.",
  updateTake: "Reload",
  updateLater: "Later",
  views: { work: "Compress", class: "Classroom", how: "How it works" },
  viewsName: "Views",
  viewMissing: "This part of the page could not be loaded. Reload the page.",
  samplesShort: "Samples",

  // the empty page
  headline: "Make a trained neural network smaller",
  sentence:
    "netlump finds neurons that behave alike and lumps them together. Drop a model, drag one tolerance, download a smaller model that answers nearly the same.",
  figureTitle: "Five hidden neurons, three of them alike, become three",
  drop: "Drop a model anywhere on this page",
  dropHint: "ONNX, TensorFlow.js layers, brain.js or netlump JSON, with its weight files and a CSV of rows or a zip of images if there are any",
  choose: "Choose files",
  release: "Release to open",
  samples: "Or start with a sample",
  samplesMissing: "The samples could not be loaded.",
  /** @param {number} bytes */
  sampleSize: (bytes) => size(bytes),
  facts: [
    ["Private", "The model is opened, shrunk and checked in this browser tab. There is no server behind it."],
    ["No training", "One pass over what the neurons do, a least-squares fit, and a polish towards the original's own outputs. No labels."],
    ["Checked", "ONNX Runtime runs both networks on the same inputs, and the page shows how far they differ."],
  ],
  /** @param {string} name */
  opening: (name) => `Opening ${name} …`,

  // the model
  model: "Model",
  change: "Change",
  /** @param {number} n @param {number} bytes */
  modelSize: (n, bytes) => `${count(n)} parameters · ${size(bytes)}`,
  /** @param {import("../wasm/types.js").ModelInfo} info */
  origin: (info) => originOf(info).join(" · "),
  inputs: "Inputs",
  outputs: "Outputs",
  /** @param {{name: string, type: string, shape: (number|null)[]}} port */
  port: (port) => `${shape(port.shape)} ${port.type}`,
  relumped: "This model has been through netlump before.",
  strip: "Layers",
  /** @param {number} sites @param {number} layers */
  canShrink: (sites, layers) =>
    sites === 0 ? "No layer can shrink." : `${sites} of ${layers} layers can shrink. Choose a layer to see why.`,
  input: "input",
  output: "output",
  /** @param {import("../wasm/types.js").Layer} layer @param {number} after */
  layer: (layer, after) =>
    `${layer.op}${layer.activation ? ` · ${layer.activation}` : ""} · ${layer.width} ${layer.width === 1 ? "neuron" : "neurons"}${after < layer.width ? ` → ${after}` : ""}`,
  layerCan: "This layer can shrink.",
  /** @param {string} reason */
  layerCannot: (reason) => `Stays as it is: ${reason}.`,

  runByRuntime: "Has more than dense layers: ONNX Runtime runs it, in this tab.",
  /** @param {number} n */
  leftAlone: (n) => (n === 1 ? "1 layer stays as it is: why" : `${count(n)} layers stay as they are: why`),

  // sizes of inputs
  sizes: "Sizes of the inputs",
  sizesAsked: "The model leaves these open. Which sizes is it used at? What stands here is a guess.",
  sizesTaken: "The model leaves these open; it is measured at these sizes.",
  sizesUse: "Use these sizes",
  sizesWrong: "A size is a whole number above 0.",
  sizesRows: "rows",
  /** @param {string} name @param {number} axis from 1 */
  sizesAxis: (name, axis) => `${name}, size of axis ${axis}`,
  /** @param {string} name of a file of rows */
  sizesFirst: (name) => `Say first how large the inputs are; then ${name} is read.`,

  // the data
  data: "Data",
  /** @param {import("../wasm/types.js").Measure["kind"]} kind @param {{low: number, high: number}|null} range */
  dataNone: (kind, range) =>
    range
      ? `No data: inputs are drawn evenly from ${number(range.low)} to ${number(range.high)}.`
      : kind === "normalised"
        ? "No data: inputs are drawn as the model's own normalisation expects them."
        : "No data: inputs are drawn from N(0,\u00a01).",
  dataNoneHint: "What the neurons do depends on the inputs. Drop rows (CSV, NPY, IDX), or images (a zip, a folder or some), to measure on your own.",
  rangeGive: "Give a range instead",
  rangeChange: "Change the range",
  range: { low: "From", high: "To" },
  rangeUse: "Use this range",
  rangeDrop: "Forget it",
  rangeWrong: "Two numbers are expected, the smaller one first.",
  dataChoose: "Choose data",
  dataRemove: "Remove",
  /** @param {import("../wasm/types.js").Table} table */
  dataSize: ({ rows, columns, labelColumns, names, roles = [] }) => {
    const of = (/** @type {string} */ wanted) => roles.flatMap((role, i) => (role === wanted ? [i] : []));
    const called = (/** @type {number[]} */ list) => (names && list.length < 4 ? ` (${list.map((i) => names[i] || i + 1).join(", ")})` : "");
    const [labels, out] = [of("label"), of("out")];
    return [
      `${count(rows)} rows`,
      plural(columns - labelColumns - out.length, "input"),
      ...(labels.length > 0 ? [`${plural(labels.length, "label")}${called(labels)}`] : []),
      ...(out.length > 0 ? [`${count(out.length)} left out${called(out)}`] : []),
    ].join(" · ");
  },
  /** @param {string[]} classes */
  classes: (classes) => `Classes in the order of their names: ${classes.slice(0, 6).map((name, i) => `${i} = ${name}`).join(", ")}${classes.length > 6 ? ` … ${classes.length - 1} = ${classes.at(-1)}` : ""}.`,
  /** @param {import("../wasm/types.js").Table} table */
  picturesSize: ({ rows, columns, labelColumns }) => `${count(rows)} ${rows === 1 ? "image" : "images"} · ${count(columns - labelColumns)} inputs${labelColumns ? " · folders as classes" : ""}`,
  /** @param {string[]} names */
  pictures: (names) => (names.length === 1 ? names[0] : `${names.length} images`),
  norm: "Images become (pixel / 255 − mean) / std",
  mean: "Mean",
  std: "Std",
  normHint: "One number, or one for each channel with commas between, as in the model's training.",
  normWrong: "Numbers with commas between are expected, std's above 0.",
  /** @param {number} rows */
  dataAll: (rows) => `All ${count(rows)} rows decide. There are no labels to score with.`,
  split: "Share of the rows that decide",
  /** @param {number} rows @param {number} share */
  splitInto: (rows, share) => {
    const first = Math.round(rows * share);
    return share === 1 || first === rows ? `All ${count(rows)} rows decide, and all score.` : `The first ${count(first)} rows decide, the last ${count(rows - first)} score.`;
  },
  scale: "Inputs",
  scales: { none: "as in the file", divide: "divided by 255", standardize: "standardised" },
  scaleStandard: "Mean 0 and spread 1 for each column, over these rows. The smaller model wants the same.",
  /** What would suit the inputs better. @param {import("../wasm/scale.js").Scale|undefined} scale @param {boolean} normalises the model does it itself
   * @returns {{message: string, label: string, scale: "divide"|"standardize"}|null} */
  scaleBetter: (scale, normalises) => {
    if (!scale || normalises) return null;
    if (scale.bytes) return { message: "Whole numbers up to 255, as raw pixels are. Most models are trained on 0 to 1.", label: "Divide by 255", scale: "divide" };
    if (!scale.far) return null;
    const message = `Not standardised: means up to ${number(scale.mean)}, spreads up to ${number(scale.spread)}. Was the model trained on standardised inputs?`;
    return { message, label: "Standardise", scale: "standardize" };
  },
  columnsAndRows: "Columns and first rows",
  roles: { input: "input", label: "label", out: "left out" },
  roleLists: { label: "Labels", out: "Left out" },
  listsHint: "Names or numbers with commas between; 5-9 for some in a row, #3 for the third alone.",
  none: "none",
  /** @param {string} name of a column */
  roleOf: (name) => `What column ${name} is for`,
  /** @param {number} inputs @param {number} features */
  columnsUnfit: (inputs, features) =>
    `${plural(inputs, "input")} chosen, and the model reads ${count(features)}. ${inputs > features ? "Leave columns out, or make them labels." : "Make more columns inputs."}`,
  pastedModel: "pasted.json",
  pastedRows: "pasted.txt",
  nothingThere: "There is nothing in it that could be opened. Drop a model, or rows for the open one.",
  /** @param {number} n @param {string} name */
  severalModels: (n, name) => `${n} models came together; ${name} is open.`,
  /** @param {string} name */
  openInstead: (name) => `Open ${name}`,
  /** @param {string} used @param {string[]} left */
  severalTables: (used, left) => `${used} is read. ${left.slice(0, 3).join(", ")}${left.length > 3 ? " and others" : ""} came along and ${left.length === 1 ? "is" : "are"} left aside.`,
  /** @param {string} name */
  dataWithoutModel: (name) => `${name} looks like data. Open its model first, or drop both together.`,

  // how small
  target: "How small?",
  kinds: { epsilon: "Tolerance", retain: "Size", deviation: "Error", accuracy: "Accuracy", mse: "MSE" },
  dialLabel: { epsilon: "ε", retain: "Keep at most", deviation: "Change at most", accuracy: "At least", mse: "At most" },
  dialName: {
    epsilon: "Tolerance ε",
    retain: "Parameters to keep at most, in percent",
    deviation: "Change of the outputs at most, in percent",
    accuracy: "Accuracy at least, in percent",
    mse: "Mean squared error at most",
  },
  dialEnds: { epsilon: ["exact", "smallest"], retain: ["everything", "smallest"], deviation: ["exact", "smallest"], accuracy: ["as it came", "smallest"], mse: ["as it came", "smallest"] },
  dialHint: {
    epsilon: "Neurons go while the change of the outputs that each layer causes stays within this share.",
    retain: "The most accurate network of at most this size.",
    deviation: "The smallest network whose outputs change by no more than this.",
    accuracy: "The smallest network found that is right this often on the rows that score.",
    mse: "The smallest network found whose error on the rows that score is at most this.",
  },
  /** @param {string} shown @param {import("../wasm/types.js").Choice|null} choice @param {number} before */
  dialValue: (shown, choice, before) =>
    choice ? `${shown}: ${count(choice.parameters)} of ${count(before)} parameters stay` : shown,
  /** @param {string} value */
  nothingAt: (value) => `Nothing can be lumped here. The first neuron goes at ε = ${value}.`,
  nothingYet: "Nothing can be lumped at this setting.",
  /** @param {string} value */
  use: (value) => `Use ${value}`,
  stages: { runtime: "Loading ONNX Runtime", path: "Measuring neurons", refit: "Fitting", search: "Searching the size", polish: "Polishing", verify: "Checking with ONNX Runtime", curve: "Drawing the curve", compare: "Comparing", certify: "Bounding the worst case" },
  polish: "Polish",
  polishHint: "Moves the weights that are left towards the original's outputs, without labels.",
  polishOutside: "No polish: it moves dense layers, and the network does not end in two of them.",
  polishNever: "Not at ε = 0, which is exact.",
  notPolished: "Not polished.",
  polishNow: "Polish",
  method: "Method",
  methodGroups: { lumping: "Lump neurons", baselines: "To compare with" },
  toleranceNot: "This method is asked for a size or an error.",
  /** What each method is called here. */
  methodNames: {
    projected: "projected",
    partition: "partition",
    adjoint: "ε-equivalence",
    symmetric: "symmetric",
    forward: "forward",
    polynomial: "polynomial",
    norm: "norm",
    magnitude: "magnitude",
    "magnitude-global": "magnitude, global",
    wanda: "Wanda",
    random: "random start",
  },
  /** What each method does, in a sentence. */
  methods: {
    projected: "Neurons go one by one, the cheapest first; those that stay take over by least squares.",
    partition: "Neurons with alike incoming weights form blocks; least squares says what a block stands for.",
    adjoint: "Differential equivalence as published: blocks of neurons with alike incoming weights become their mean.",
    symmetric: "The same up to a factor, where the activation allows it.",
    forward: "Differential equivalence of the network's own encoding: blocks by outgoing weights.",
    polynomial: "The same on an encoding with polynomials for the activations.",
    norm: "Baseline: the neurons with the smallest weights go, nothing takes over.",
    magnitude: "Baseline: the smallest weights of each layer are set to 0.",
    "magnitude-global": "Baseline: the smallest weights of all layers are set to 0.",
    wanda: "Baseline: weights go by their size times what they read.",
    random: "Control: projected's widths, weights drawn anew. Shows what the polish does alone.",
  },
  methodsOutside: "The other methods are for networks of dense layers.",
  /** @param {string} why */
  methodCannot: (why) => `Not with this method: ${why}`,
  useProjected: "Use projected",
  /** @param {import("./state.js").Task} task */
  working: ({ stage, part, left }) => {
    const doing = part === undefined ? text.stages[stage] : `${text.stages[stage]}, running the network: ${Math.floor(100 * part)}\u00a0%`;
    return left === null ? doing : `${doing}, ${text.left(left)}`;
  },
  /** @param {number} seconds */
  left: (seconds) => (seconds < 60 ? `${Math.max(1, Math.round(seconds))}\u00a0s left` : `${Math.round(seconds / 60)}\u00a0min left`),
  cancel: "Cancel",
  stopped: "Stopped.",
  restartedTwice: "The engine had to be started anew twice in a row. The model is still open, your files are as they were.",
  again: "Start again",
  noSites: "Nothing to lump in this model",
  noSitesWhy: "It can be opened, but no layer of it can shrink. Why, layer by layer:",
  /** @param {number} i from 0 */
  layerNumber: (i) => `layer ${i + 1}`,

  // the answer
  answer: "Result",
  parameters: "Parameters",
  file: "File",
  changeBy: "Outputs change by",
  largest: "Largest change",
  testMse: "Test MSE",
  testAccuracy: "Test accuracy",
  /** @param {number} n */
  of: (n) => `of ${count(n)}`,
  /** @param {number} bytes */
  ofSize: (bytes) => `of ${size(bytes)}`,
  /** @param {number} before @param {number} after */
  resized: (before, after) => (after < before ? `↓ ${share(1 - after / before)}` : after > before ? `↑ ${share(after / before - 1)}` : "unchanged"),
  /** @param {number} rows */
  rmsOn: (rows) => `RMS on ${count(rows)} rows`,
  firstFit: "First fit, improving",
  parametersNotZero: "Parameters not 0",
  asLarge: "no smaller: zeros are stored",
  /** @param {number} before @param {number} after */
  polished: (before, after) => `polished: ${share(before)} → ${share(after)}`.replace(/(\d) %/g, "$1\u00a0%").replace("→ ", "→\u00a0"),
  /** @param {NonNullable<import("../wasm/types.js").Report["polish"]>} p @param {number} rows */
  polishedDetail: (p, rows) =>
    `${p.iterations} steps towards the original's outputs, without labels. On the rows held back from them the outputs changed by ${share(p.before)} before and by ${share(p.after)} after. The figure above is over all ${count(rows)} rows, most of which the polish learned from.`,
  polishedNothing: "the polish brought nothing",
  /** @param {string} value */
  was: (value) => `was ${value}`,
  agrees: "ONNX Runtime agrees",
  runtimeOnly: "ONNX Runtime measured it",
  disagrees: "ONNX Runtime differs",
  notVerified: "Not checked",
  /** @param {import("../wasm/types.js").Verified} v */
  verified: (v) =>
    `${v.calibrated ? `${upperFirst(calibratedNote())}. ` : ""}Both networks were run by ${v.runtime} on ${count(v.rows)} rows. Their outputs differ by ${number(v.rms)} RMS and ${number(v.max)} at most; relative to the original's spread, ${share(v.deviation)}.`,
  /** @param {string} reason */
  verifySkipped: (reason) => `ONNX Runtime was not asked. ${upperFirst(reason)}`,
  /** What a number is expected to be before it is computed. @param {string} value */
  about: (value) => `≈\u00a0${value}`,
  /** The result in a line. @param {import("../wasm/types.js").Report} r */
  inOneLine: (r) => {
    const [before, after] = [neurons(r, "before"), neurons(r, "after")];
    const form = r.score?.kind === "accuracy" ? accuracy : number;
    return [
      after === before ? `${count(r.parameters.before)} → ${count(r.parameters.after)} parameters not 0` : `${count(before)} → ${count(after)} neurons`,
      `${size(r.bytes.before)} → ${size(r.bytes.after)}${r.bytes.after < r.bytes.before ? ` (↓ ${share(1 - r.bytes.after / r.bytes.before)})` : ""}`,
      `outputs change by ${share(r.deviation)} on ${count(r.measure.rows)} rows`,
      ...(r.score ? [`${r.score.kind === "accuracy" ? "accuracy" : "test MSE"} ${form(r.score.before)} → ${form(r.score.after)}`] : []),
    ].join(" · ").replaceAll(/(?<=\d) (?=%|KB|MB|B|neurons|rows)/g, "\u00a0");
  },
  /** What a result was measured on. @param {import("../wasm/types.js").Report} r */
  basis: ({ measure, seed }) =>
    measure.kind === "data" ? `Measured on ${measure.source ?? "your data"}.` : `Measured on ${count(measure.rows)} drawn rows, seed ${seed}.`,
  copySentence: "Copy",
  pin: "Pin",
  pinHint: "Keep this result to compare the next ones with",
  pins: "Pinned results",
  now: "now",
  back: "Back to it",
  unpin: "Remove",
  /** @param {"accuracy"|"mse"|null} kind */
  score: (kind) => (kind === null ? text.largest : kind === "accuracy" ? text.testAccuracy : text.testMse),
  /** How a result was made. @param {import("../wasm/types.js").Report} r */
  way: ({ method, polish, epsilon, target }) =>
    [
      `${text.methodNames[method]}${polish ? " + polish" : ""}`,
      { epsilon: `ε\u00a0=\u00a0${number(epsilon ?? 0)}`, retain: `size ≤\u00a0${share(target.value)}`, deviation: `change ≤\u00a0${share(target.value)}`, accuracy: `accuracy ≥\u00a0${accuracy(target.value)}`, mse: `MSE ≤\u00a0${number(target.value)}` }[target.kind],
    ].join(", "),
  /** The result in a sentence, for screen readers. @param {import("../wasm/types.js").Report} r */
  result: (r) => {
    const [before, after] = [neurons(r, "before"), neurons(r, "after")];
    const score = r.score && (r.score.kind === "accuracy" ? `, accuracy ${accuracy(r.score.before)} to ${accuracy(r.score.after)}` : `, test MSE ${number(r.score.before)} to ${number(r.score.after)}`);
    const polished = r.polish ? `, after a polish that took them from ${share(r.polish.before)} to ${share(r.polish.after)} on rows held back` : "";
    const left = after === before ? `${count(r.parameters.before)} to ${count(r.parameters.after)} parameters not 0` : `${before} to ${after} neurons`;
    return `${left}, ${size(r.bytes.before)} to ${size(r.bytes.after)}, outputs change by ${share(r.deviation)} on ${count(r.measure.rows)} rows${polished}${score ?? ""}.`;
  },

  // the worst case
  worstCase: "Worst case",
  worstOutside: "not available: bounds are proved for lines of dense layers only",
  /** @param {import("../wasm/types.js").Measure} measure */
  worstRange: ({ kind, rows }) => `for inputs in the range of the ${count(rows)} ${kind === "data" ? "rows" : "drawn rows"}`,
  /** @param {import("../wasm/types.js").Certificate} c */
  worstBound: ({ bound, found, beforeSoftmax }) => {
    const met = `largest found ${number(found)}`;
    const where = beforeSoftmax ? "before the softmax, anywhere in the range" : "anywhere in the range";
    return bound === null ? `nothing could be proved; ${met}` : `at most ${upper(bound)} ${where}; ${met}`;
  },
  /** @param {string} reason */
  worstMissing: (reason) => `not available: ${reason}`,
  worstGuaranteed: "guaranteed for real arithmetic on the written weights",
  worstNotProved: "what was tried",
  /** @param {import("../wasm/types.js").Certificate} c @param {import("../wasm/types.js").Measure} measure */
  worstDetail: (c, { kind, rows }) => [
    `Meant are all inputs of which each number lies between its smallest and its largest over the ${count(rows)} ${kind === "data" ? "rows" : "drawn rows"} measured on. ${c.bound === null ? "No bound was proved" : `For none of them does ${c.beforeSoftmax ? "what goes into the softmax" : "an output"} move further from the original's than the first number (${c.method}, ${c.boxes === 1 ? "1 box" : `${count(c.boxes)} boxes`})`}; a search of ${count(c.points)} points met ${c.bound === null ? "the number shown" : "the second"}.`,
    ...certificateScope(c),
  ],

  // charts
  curve: "Size against error",
  curveDescription:
    "How far the outputs move as parameters are removed. Each point is a finished network; the marked one is the present choice.",
  curveX: "retained parameters",
  curveY: "output deviation",
  curveTabs: { deviation: "Deviation", mse: "Test MSE", accuracy: "Accuracy" },
  /** @param {string} key */
  lineName: (key) => {
    const [method, polish] = key.split("+");
    const name = text.methodNames[/** @type {keyof typeof text.methodNames} */ (method)];
    return polish && method !== "random" ? `${name} + polish` : name;
  },
  /** On a narrow chart. @param {string} key @param {boolean} own of the present method */
  lineShort: (key, own) => (own && key.endsWith("+polish") ? "+ polish" : text.lineName(key)),
  compareWith: "Compare with",
  compareAll: "All methods",
  /** @param {string} name @param {number} fraction */
  drawing: (name, fraction) => `Drawing ${name}, ${Math.floor(100 * fraction)} %`,
  stopDrawing: "Stop",
  /** @param {string} name @param {string} why */
  lineMissing: (name, why) => `${name} has no line: ${why}`,
  /** @param {number} epsilon */
  curveEpsilon: (epsilon) => `ε = ${number(epsilon)}`,
  curveOriginal: "original",
  curvePick: "Arrow keys move along the curve, Enter takes the point.",
  curveWait: "The curve appears when the first result is there.",
  curveFlat: "No curve: at every size the outputs change by less than rounding does.",
  cardFailed: "This part could not be drawn. All the rest goes on; a new result tries again.",
  /** @param {number} retained @param {number} parameters */
  pointSize: (retained, parameters) => `${share(retained)} · ${count(parameters)} parameters`,
  /** @param {number} deviation */
  pointDeviation: (deviation) => `deviation ${share(deviation)}`,
  table: "Table",
  widths: "Neurons per layer",
  prunedNote: "Every neuron stays: this method sets weights to 0. The file stores the zeros and stays as large.",
  /** @param {number} rows */
  widthsX: (rows) => `${rows} layers, from the first to the last`,
  widthsDescription: "For each layer that can shrink, the neurons left and the neurons before.",
  scatter: "Original against reduced output",
  scatterDescription: "Each point is one output of one row, answered by both networks. On the diagonal they agree.",
  scatterX: "original",
  scatterY: "reduced",
  scatterWait: "Appears with the first result.",
  /** @param {number} rows @param {number} total @param {boolean} drawn */
  scatterRows: (rows, total, drawn) =>
    drawn ? `${count(rows)} drawn rows.` : rows < total ? `${count(rows)} of ${count(total)} rows.` : `${count(rows)} rows.`,
  scatterDiagonal: "On the diagonal both networks agree.",
  /** @param {number} value */
  scatterLargest: (value) => `Largest change ${number(value)}`,
  scatterOutput: "Output",
  scatterAll: "all",
  scatterTab: "Outputs",
  classesTab: "Classes",
  scatterKind: "What is compared",
  confusion: "Original against reduced answers",
  confusionDescription: "How many rows get which class from both networks. On the diagonal they agree; what is marked beside it changed.",
  confusionX: "reduced network’s answer",
  confusionBy: { answer: "original’s answer", label: "label" },
  confusionRows: "Rows by",
  /** @param {string} asked @param {number} row */
  confusionAsked: (asked, row) => `${asked} ${row}`,
  /** @param {number} column */
  confusionGiven: (column) => `reduced network’s answer ${column}`,
  /** @param {number} rows */
  rowsCount: (rows) => `${count(rows)} ${rows === 1 ? "row" : "rows"}`,
  /** @param {number} same @param {number} rows */
  sameAnswer: (same, rows) => `Both networks give the same answer on ${count(same)} of ${count(rows)} rows.`,
  /** @param {number} same @param {number} rows */
  asLabelled: (same, rows) => `The reduced network answers as labelled on ${count(same)} of ${count(rows)} rows.`,
  /** @param {number} asked @param {number} given */
  confusedPair: (asked, given) => `${asked} → ${given}`,
  noneConfused: "No row gets another class.",
  /** @param {number} classes */
  mostConfused: (classes) => `${count(classes)} classes: the pairs that are confused most.`,

  // what happened inside
  inputsColumn: "inputs",
  network: "The network in blocks",
  networkDescription: "Each neuron in the colour and number of its block. Filled ones stay, hollow ones of the same block are replaced by them. Lines are the strongest connections.",
  /** @param {{merged: boolean, alone: boolean, gone: boolean}} seen */
  networkLegend: ({ merged, alone, gone }) =>
    [merged && "Filled neurons stay and stand for the hollow ones of their colour and number.", alone && "Grey: alone in its block.", gone && "Dashed: in no block; a constant, or simply gone."].filter(Boolean).join(" "),
  prunedBlocks: "Every neuron stays: this method sets single weights to 0.",
  /** @param {number} shown @param {number} all */
  networkLines: (shown, all) => (shown < all ? `The ${count(shown)} strongest of ${count(all)} connections as trained.` : "Connections as trained."),
  gridHint: "Arrow keys go from neuron to neuron, left and right to the next layer.",
  /** @param {string} layer @param {number} unit */
  neuron: (layer, unit) => (layer === text.inputsColumn ? `input ${unit + 1}` : `${layer}, neuron ${unit + 1}`),
  /** @param {number} number */
  block: (number) => `block ${number}`,
  noBlock: "none",
  /** @param {import("./charts/blocks.js").Block} block @param {number} unit */
  neuronBlock: ({ number, members }, unit) => {
    if (number === 0) return "in no block";
    const others = members.filter((one) => one !== unit).map((one) => one + 1).sort((a, b) => a - b);
    if (others.length === 0) return `block ${number}, alone`;
    const named = others.length > 8 ? `${others.slice(0, 7).join(", ")} and ${others.length - 7} more` : others.join(", ");
    return `block ${number}, with ${named}${members[0] === unit ? "; stays" : `; ${members[0] + 1} stays`}`;
  },
  heat: "Weights by block",
  heatDescription: "The weights of a layer as trained, blue above 0 and orange below. Rows are its neurons, columns what they read; neurons of a block lie together, with lines between blocks.",
  heatOrder: "Order",
  heatReordered: "By block",
  heatTrained: "As trained",
  heatLayer: "Layer",
  /** @param {import("../wasm/types.js").Weights} weights */
  heatChoice: ({ layer, width, reads }) => `${layer + 1}: ${count(width)} × ${count(reads)}`,
  /** @param {string} layer */
  heatRows: (layer) => `${layer}: a row for each neuron`,
  /** @param {string} layer */
  heatColumns: (layer) => (layer === text.inputsColumn ? "a column for each input" : `a column for each neuron of ${layer}`),
  /** @param {string} name */
  heatReads: (name) => `reads ${name}`,
  /** @param {number} weight */
  heatWeight: (weight) => `weight ${number(weight)}`,
  heatLegend: "As trained, before anything was removed. The strongest half percent share one colour.",
  heatStrongest: "As trained. Each pixel shows the strongest of the weights that share it.",

  path: "Elimination path",
  pathDescription: "For every layer the deviation after each neuron removed, cheapest first. The dots mark where the present choice stops.",
  pathX: "neurons removed, cheapest first",
  pathY: "deviation",
  /** @param {number} removed @param {number} deviation */
  pathStop: (removed, deviation) => `${removed} removed, deviation ${share(deviation)}`,
  chartHint: "Arrow keys read the points.",
  asSvg: "SVG",
  asPng: "PNG",
  asCsv: "CSV",
  /** @param {string} kind @param {string} title */
  saveChart: (kind, title) => `Save “${title}” as ${kind}`,
  columns: {
    method: "Method",
    retained: "Retained",
    parameters: "Parameters",
    deviation: "Deviation",
    layer: "Layer",
    operation: "Operation",
    neurons: "Neurons",
    change: "Change",
    reason: "Stays because",
    before: "Before",
    after: "After",
    removed: "Removed",
    row: "Row",
    output: "Output",
    original: "Original",
    reduced: "Reduced",
    rows: "Rows",
    share: "Share",
    block: "Block",
    stays: "Stays",
  },

  // downloads
  downloads: "Downloads",
  download: "Download smaller model",
  downloadPruned: "Download pruned model",
  saveJson: "Model as JSON",
  saveOnnx: "Model as ONNX",
  saveReport: "Report",
  saveNumbers: "Numbers (JSON)",
  saveCurve: "Curve CSV",
  saveOde: "ERODE .ode",
  saveAll: "Everything (zip)",
  copyCommand: "Copy command",
  copyLink: "Copy link",
  copied: "Copied",
  /** @param {string[]} names */
  together: (names) => `${names.join(" and ")} belong together: keep them in one folder.`,
  copyFailed: "The clipboard is closed to this page:",
  linkSettings: "Link copied. It holds the settings, nothing of the model or the data.",
  noWeights: "The model is so large that its weights are not drawn.",
  noCurve: "The model is so large that its weights stay in the file: each point of a curve would read it all again.",
  /** @param {string} why */
  noJson: (why) => `Not as JSON: ${why}`,
  close: "Close",

  licences: "Licences",
};
