// Every sentence the page says. Errors of the engine bring their own (src/status.c, wasm/messages.js).
import { calibratedNote, certificateScope, originOf, plural } from "../wasm/messages.js";
import { accuracy, count, number, percent, shape, share, size, upper } from "./format.js";

const upperFirst = (/** @type {string} */ sentence) => sentence[0].toUpperCase() + sentence.slice(1);

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
  /** @param {string} name */
  cannotRead: (name) => `${name} could not be read.`,

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
  down: (before, after) => (after < before ? `↓ ${share(1 - after / before)}` : "unchanged"),
  /** @param {number} rows */
  rmsOn: (rows) => `RMS on ${count(rows)} rows`,
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
  /** @param {string} why */
  noJson: (why) => `Not as JSON: ${why}`,
  close: "Close",

  licences: "Licences",
};

// ---- the classroom -------------------------------------------------------------------------------------------------------

/** @param {number[]} list */
const listed = (list) => (list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list[list.length - 1]}`);
/** @param {number} layer from 1 @param {number} hidden how many there are */
const hiddenLayer = (layer, hidden) => (hidden === 1 ? "the hidden layer" : `hidden layer ${layer}`);

export const classText = {
  title: "Lumping, step by step",
  large: "Large type",
  copyLink: "Copy link",
  /** @param {boolean} own */
  linkCopied: (own) => (own ? "Copied. The link holds this network's weights." : "Copied. Whoever opens the link sees this step."),
  linkInAddress: "The clipboard is closed to this page. The link stands in the address bar.",
  /** @param {string} name */
  take: (name) => `Take over ${name}`,

  // the network
  network: "Network",
  own: "Your own",
  ownHint: "Changed by hand. Drag an edge, or use the weights below.",
  /** Names and what there is to see. */
  presets: {
    copies: ["Exact copies", "Neurons 1 and 3 read the same, and so do 2 and 5. At ε = 0 they merge, and nothing is lost."],
    near: ["Near copies", "Three neurons nearly alike, and two more. A small ε merges them, at a small cost."],
    chain: ["A chain: 0, .1, .2, .3", "Each neuron is near the next. Connected components swallow the whole chain; complete linkage does not."],
    deep: ["Copies behind copies", "In layer 2, neurons 1 and 2 read different copies. They are alike only once layer 1 is lumped."],
    signs: ["Opposite signs (tanh)", "tanh(−z) = −tanh(z): neuron 2 is minus neuron 1. Alike up to a sign."],
    multiples: ["Multiples (ReLU)", "relu(2z) = 2 relu(z): neurons 1, 2 and 3 are multiples. Alike up to a factor."],
    dead: ["A dead neuron", "Neuron 2 reads nothing and always puts out the same. It moves into the next bias."],
    combination: ["A linear combination", "(x1 + x2)² + (x1 − x2)² = 2x1² + 2x2². No two neurons are alike; only projected lumping finds it."],
  },
  build: "Build your own",
  inputsCount: "Inputs",
  hiddenCount: "Hidden layers",
  /** @param {number} layer @param {number} hidden */
  layerWidth: (layer, hidden) => (hidden === 1 ? "Neurons" : `Neurons in layer ${layer}`),
  /** @param {number} layer @param {number} hidden */
  layerActivation: (layer, hidden) => `Activation of ${hiddenLayer(layer, hidden)}`,
  /** @param {string} what */
  less: (what) => `${what}: one less`,
  /** @param {string} what */
  more: (what) => `${what}: one more`,

  // the method
  method: "Method",
  methods: { equivalence: "ε-equivalence", projected: "Projected" },
  encoding: "Encoding",
  encodings: { adjoint: "Adjoint", linear: "Linear", polynomial: "Polynomial" },
  encodingHints: {
    adjoint: "Compares what neurons read. At ε = 0 the smaller network is the same function, for every activation.",
    linear: "Leaves the activations out and compares who reads a neuron. The same function at ε = 0 only without activations.",
    polynomial: "Activations as polynomials; compares the neurons' equations. At ε = 0 exact for polynomial activations.",
  },
  linkage: "Linkage",
  linkages: { complete: "Complete", erode: "Components" },
  symmetric: "Up to a factor or sign",
  epsilon: "Tolerance ε",
  projectedHint: "Neurons go one at a time, the cheapest first. ε is the change of the outputs that is allowed.",

  // weights and inputs
  /** @param {number} layer @param {number} neuron @param {number} count columns */
  weightsInto: (layer, neuron, count) => `Weights into ${layer === count - 1 ? `output y${neuron}` : `neuron ${neuron}${count > 3 ? ` of layer ${layer}` : ""}`}`,
  bias: "bias",
  /** @param {string} short @param {boolean} bias */
  weightName: (short, bias) => (bias ? "Bias" : `Weight from ${short}`),
  /** @param {string} name */
  typed: (name) => `${name}, typed`,
  weightsHint: "Choose another neuron in the drawing. Edges can be dragged up and down there.",
  inputs: "Inputs",
  /** @param {number} i */
  inputName: (i) => `Input x${i}`,
  /** @param {number} layer from 0 @param {number} neuron from 0 @param {number} from @param {string} weight */
  edge: (layer, neuron, from, weight) => `${layer === 0 ? "x" : "a"}${from + 1} to ${neuron + 1}: ${weight}. Drag up or down.`,

  // the step
  lecture: "The step",
  stepButtons: "Steps",
  /** @param {number} at @param {number} last */
  step: (at, last) => `Step ${at} of ${last}`,
  back: "Back",
  forward: "Step",
  run: "Run",
  pause: "Pause",
  reset: "Reset",
  space: "space",
  home: "Home",
  reason: "The numbers behind it",
  drawing: "The network",
  lumpedDrawing: "The lumped network",
  shrunkDrawing: "The network that is left",
  /** @param {number} layer @param {number} count columns */
  column: (layer, count) => (layer === 0 ? "inputs" : layer === count - 1 ? "outputs" : count === 3 ? "hidden layer" : `layer ${layer}`),
  /** @param {number} layer @param {number} neuron @param {number} count @param {number|null} block @param {boolean} gone */
  neuronName: (layer, neuron, count, block, gone) => `${layer === count - 1 ? `Output y${neuron}` : `Neuron ${neuron}${count > 3 ? ` of layer ${layer}` : ""}`}${block === null ? "" : `, block ${block}`}${gone ? ", gone" : ""}: show its weights`,
  /** @param {boolean} blocks */
  legend: (blocks) => (blocks ? "Circle: neuron. Square: its block, called after its first neuron. Dashed edge: negative weight." : "Circle: neuron. Dashed edge: negative weight. Drag an edge up or down to change it."),
  /** @param {number[]} members */
  members: (members) => (members.length === 1 ? "" : `= {${members.join(", ")}}`),
  /** @param {string|null} change percent @param {string} rows */
  measured: (change, rows) => change === null ? `Measured after the refit: the outputs stay as they are, up to rounding (${rows} drawn inputs).` : `Measured after the refit: the outputs change by ${change}\u00a0% (RMS, ${rows} drawn inputs).`,
  /** @param {number} neuron @param {number} layer @param {number} hidden */
  neuronIn: (neuron, layer, hidden) => (hidden === 1 ? `neuron ${neuron}` : `neuron ${neuron} of layer ${layer}`),

  said: {
    network: {
      adjoint: "The network as differential equations, turned round: each neuron is driven by those that read it.",
      linear: "The network as differential equations: each neuron is driven by what it reads. Activations are left out.",
      polynomial: "The network as differential equations: each neuron settles where the network's own answer lies.",
    },
    /** @param {number} hidden */
    whole: (hidden) => `The initial partition: inputs and outputs stand alone, ${hidden === 1 ? "the hidden layer is one block" : "each hidden layer is one block"}.`,
    /** @param {string} neuron @param {string} value */
    constant: (neuron, value) => `${upperFirst(neuron)} reads nothing: it always puts out ${value}. It leaves its block and moves into the next bias.`,
    /** @param {number} layer @param {number} hidden @param {[number, number]|null} pair @param {string} distance @param {string} epsilon @param {"complete"|"erode"} linkage @param {boolean} symmetric */
    stays: (layer, hidden, pair, distance, epsilon, linkage, symmetric) =>
      pair === null
        ? `${upperFirst(hiddenLayer(layer, hidden))} has one neuron to compare: nothing to split.`
        : linkage === "erode"
          ? `${upperFirst(hiddenLayer(layer, hidden))} stays one block: near neurons connect all of them${distance > epsilon ? `, though ${pair[0]} and ${pair[1]} differ by ${distance}` : ""}.`
          : `${upperFirst(hiddenLayer(layer, hidden))} stays one block: no two neurons differ by more than ε = ${epsilon}${symmetric ? ", up to a factor or sign" : ""}.`,
    /** @param {{layer: number, hidden: number, block: number, pair: [number, number], distance: [string, string], linkage: "complete"|"erode", stays: number[], leaves: number[]}} s */
    split: ({ layer, hidden, block, pair, distance: [distance, epsilon], linkage, stays, leaves }) => {
      const where = hidden === 1 ? "" : ` of layer ${layer}`;
      const two = stays.length + leaves.length === 2 || linkage === "complete";
      return two
        ? `Block ${block}${where} splits: neurons ${pair[0]} and ${pair[1]} differ by ${distance} > ε = ${epsilon}.`
        : `Block ${block}${where} splits: nothing connects ${listed(stays)} with ${listed(leaves)}. Even the nearest, ${pair[0]} and ${pair[1]}, differ by ${distance} > ε = ${epsilon}.`;
    },
    /** @param {number} neurons @param {number} blocks */
    quotient: (neurons, blocks) => (neurons === blocks ? "No block has two neurons: at this ε nothing is lumped." : `The quotient: one variable for each block. ${neurons} neurons become ${blocks}.`),
    compare: {
      adjoint: "Original and lumped system side by side: driven from the outputs, what arrives at the inputs.",
      linear: "Original and lumped system side by side: the sum of a block against its one variable.",
      polynomial: "Original and lumped system side by side: both settle, and the gap that stays is the price.",
    },
    eliminate: "Projected lumping: the neuron whose part the others can best take over goes first.",
    /** @param {string[]} names @param {number} deviation @param {number} before */
    goes: (names, deviation, before) =>
      `${upperFirst(names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`)} ${names.length === 1 ? "goes" : "go"}; the others take over. ${deviation - before > 1e-9 ? `Deviation so far ${percent(deviation)}; before, ${percent(before < 1e-9 ? 0 : before)}.` : `It costs nothing: the deviation stays ${percent(deviation < 1e-9 ? 0 : deviation)}.`}`,
  },
  /** What holds for the smaller network. @param {{encoding: "linear"|"adjoint"|"polynomial", epsilon: number}} lesson */
  claim: ({ encoding, epsilon }) =>
    epsilon > 0
      ? "For ε > 0 there is no guarantee: look at the curves, or measure."
      : { adjoint: "At ε = 0 both networks are the same function, up to rounding.", linear: "At ε = 0 the equations agree; the networks do where there is no activation.", polynomial: "At ε = 0 the equations agree; the networks do where the activation is a polynomial." }[encoding],

  // equations
  /** @param {number} layer 0 the inputs, -1 the biases @param {number} count of layers @param {boolean} lumped */
  layerTitle: (layer, count, lumped) => (layer === -1 ? "Biases" : layer === 0 ? "Inputs" : layer === count ? "Outputs" : `${count === 2 ? "Hidden layer" : `Hidden layer ${layer}`}${lumped ? ", by blocks" : ""}`),
  networkEquations: "The network with its numbers",
  odeTitle: { adjoint: "Adjoint encoding", linear: "Linear encoding", polynomial: "Polynomial encoding" },
  odeHint: {
    adjoint: "′ is the rate of change. The matrix is the transpose of the network's; u collects the biases. Outputs start at 1, all else at 0.",
    linear: "′ is the rate of change. Inputs stay as they are, all else starts at 0.",
    polynomial: "′ is the rate of change. Inputs stay as they are, all else starts at 0 and settles.",
  },
  originalEquations: "Equations of the original",
  quotientEquations: "Equations of the quotient",
  shrunkEquations: "The network that is left",
  /** @param {string} activation @param {string} error */
  fitted: (activation, error) => `Fitted to ${activation}, off by ${error} RMS.`,
  exactPolynomial: "The activation itself.",

  // distances
  /** @param {number} layer @param {number} hidden */
  distances: (layer, hidden) => `Distances in ${hiddenLayer(layer, hidden)}`,
  neuron: "Neuron",
  /** @param {{encoding: "linear"|"adjoint"|"polynomial", linkage: "complete"|"erode", epsilon: number}} lesson */
  distancesHint: ({ encoding, linkage, epsilon }) =>
    `${{ adjoint: "Three times the sum of differences of what two neurons read, block by block, and of their biases.", linear: "Three times the sum of differences of how the next layer's blocks read two neurons.", polynomial: "The sum of differences of all coefficients of the two equations, block by block." }[encoding]} ✓ is within ε = ${number(epsilon)}. ${linkage === "complete" ? "Complete: every two members of a block are." : "Components: a block is what a chain of ✓ connects."}`,

  // curves
  curves: "Trajectories",
  curvesDescription: "The variables of the original and of the lumped system over time.",
  curvesHint: {
    adjoint: "Solid: the original, summed by block. Dashed: the lumped system.",
    linear: "Solid: the original, summed by block. Dashed: the lumped system.",
    polynomial: "Solid: the original. Dashed: the lumped system; a block's neurons share one curve.",
  },
  curvesOf: "Curves of",
  time: "t",
  /** @param {string} name */
  lumpedName: (name) => (name.includes(" + ") || name.length > 4 ? "lumped" : `${name} lumped`),
  sweep: "Outputs along x1",
  sweepDescription: "The outputs of both networks while the first input runs from −3 to 3 and the others stay as set.",
  sweepHint: "Solid: the original. Dashed: what is left of it. Both run by the engine itself.",
};

// ---- how it works --------------------------------------------------------------------------------------------------------

export const howText = {
  title: "How it works",
  lead: [
    "A trained network says many things twice. Some neurons are copies of others, some nearly so, and some only repeat what others say together.",
    "netlump finds them, lets them go, and tells those that stay what to take over. One number, the tolerance ε, says how much may be lost.",
  ],
  toClass: "See it step by step in the classroom",
  formula: "Formula",
  going: "Neuron 4 goes. The others take over: 2 of neuron 1, 2 of neuron 2, minus neuron 3.",
  encodings: { adjoint: "Adjoint", linear: "Linear", polynomial: "Polynomial" },
  parts: {
    ode: {
      title: "1. A network as differential equations",
      before: ["The published method reads each neuron as a variable that changes in time. There are three ways to do so."],
      after: ["The adjoint turns all arrows round: who reads a neuron drives it. In the polynomial one p is the activation, or a polynomial fitted to it. It settles where the network's answer lies."],
    },
    alike: {
      title: "2. When two neurons are alike",
      before: ["Each layer begins as one block. Two neurons may share a block while their equations differ by no more than ε. In the adjoint encoding that is"],
      after: ["with B the blocks of the layer before. Layer after layer is split until nothing changes. Connected components follow chains, so the ends of a block may be far apart. Complete linkage, the default, wants every two members alike."],
    },
    quotient: {
      title: "3. The quotient",
      before: ["A block becomes one neuron. R says what it is made of, P and p who gets its value."],
      after: ["Adjoint blocks at ε = 0 leave the function as it was, whatever the activation. Above 0 the equations give no bound on the outputs: measure."],
    },
    projected: {
      title: "4. Projected lumping, the default",
      before: ["Blocks only find near copies. So netlump goes further: it lets one neuron go at a time, the one that the others can best replace."],
      after: ["C is the covariance of the neurons over the inputs measured on, wⱼ what leaves neuron j, counted by what the outputs feel of it. Least squares says who takes over with which share. Then each following layer is fitted again to the original's values. One pass orders all neurons and serves every ε."],
    },
    polish: {
      title: "5. Polish",
      before: [
        "What is left learns from the original: its weights move until its outputs are as near as they get. No labels. A fifth of the rows is held back and decides which state is kept.",
        "Measured: a 64-64 tanh network (HEPC) at 10\u00a0% of its parameters has 1.016 times the original's test error after the fit, and 1.004 times after the polish.",
      ],
    },
    checked: {
      title: "6. How a result is checked",
      before: [
        "ONNX Runtime runs both networks on the same inputs, and the page shows how far they differ. It shares no code with netlump.",
        "For lines of dense layers the worst case over a box of inputs is bounded as well. The bound is proved, and pessimistic: some ten times the largest change found on small tanh networks, useless on deep ReLU networks over wide boxes.",
      ],
    },
  },
  limitsTitle: "Limits",
  limits: [
    ["Alike here is not alike everywhere.", "Projected lumping knows the inputs it was measured on. Elsewhere neurons may part."],
    ["Without data, inputs are drawn from N(0, 1).", "A guess. Over eight test networks the outputs changed by 4.75\u00a0% with drawn inputs, by 2.52\u00a0% with rows of their own."],
    ["No guarantee above ε = 0.", "For partitions ε counts weights, for projected lumping it is the outputs' change to first order, measured afterwards. The forward method on the linear encoding and the polynomial one keep the function only in special cases, even at 0."],
    ["Partitions and the worst case want a chain.", "Dense layers with activations between, one input, one output. Projected lumping takes any graph."],
    ["Convolutions lose more.", "A channel goes at all positions at once, and there are no derivatives: how much the outputs feel is probed once for each layer. A few hundred images of your own are worth a lot."],
    ["Some things stay whole.", "Attention heads, recurrent layers, bodies of If and Loop, quantized weights, and the model's outputs. The page says which and why."],
  ],
  sourcesTitle: "Sources",
  /** @type {{authors: string, title: string, where: string, arxiv?: string}[]} */
  sources: [
    { authors: "Dhiman, Passarella, Tribastone, Valerio", title: "Neural Network Compression by Approximate Differential Equivalence", where: "2026", arxiv: "2606.01402" },
    { authors: "Cardelli, Tribastone, Tschaikowski, Vandin", title: "Maximal aggregation of polynomial dynamical systems", where: "PNAS 2017" },
    { authors: "Prabhakar", title: "Bisimulations for Neural Network Reduction", where: "2021", arxiv: "2110.03726" },
    { authors: "Hassibi, Stork", title: "Second order derivatives for network pruning: Optimal Brain Surgeon", where: "NIPS 1992, published 1993" },
    { authors: "Hinton, Vinyals, Dean", title: "Distilling the Knowledge in a Neural Network", where: "2015", arxiv: "1503.02531" },
    { authors: "Müllner", title: "Modern hierarchical, agglomerative clustering algorithms", where: "2011", arxiv: "1109.2378" },
    { authors: "Sussmann", title: "Uniqueness of the weights for minimal feedforward nets with a given input-output map", where: "Neural Networks 1992" },
    { authors: "Neyshabur, Salakhutdinov, Srebro", title: "Path-SGD: Path-Normalized Optimization in Deep Neural Networks", where: "2015", arxiv: "1506.02617" },
    { authors: "Li, Kadav, Durdanovic, Samet, Graf", title: "Pruning Filters for Efficient ConvNets", where: "2017", arxiv: "1608.08710" },
    { authors: "Han, Pool, Tran, Dally", title: "Learning both Weights and Connections for Efficient Neural Networks", where: "2015", arxiv: "1506.02626" },
    { authors: "Sun, Liu, Bair, Kolter", title: "A Simple and Effective Pruning Approach for Large Language Models", where: "2023", arxiv: "2306.11695" },
  ],
};
