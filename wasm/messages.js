// Every sentence of the JavaScript side, for page and command line alike. Those of the core stand in src/status.c.

import { METHODS, PRUNING } from "./methods.js";

const NUMBER = new Intl.NumberFormat("en-US");

/** 12345 -> "12,345" @param {number} value */
export const count = (value) => NUMBER.format(value);

/** 0.0531 -> "5.3 %"; never "0 %" or "100 %" for what is only nearly so. @param {number} share */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share === 0) return "0 %";
  const value = share * 100;
  if (value < 0.001) return `${value.toExponential(1)} %`;
  if (value < 1) return `${Number(value.toPrecision(2))} %`;
  if (value < 99.95 || value >= 100.05) return `${value.toFixed(value < 1000 ? 1 : 0)} %`;
  return value === 100 ? "100 %" : `${value.toFixed(2)} %`;
}

/** 19865 -> "19.9 kB" @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** Three significant digits, without an exponent where people read it easily. @param {number} value */
export function short(value) {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  return magnitude >= 1e-4 && magnitude < 1e6 ? String(Number(value.toPrecision(3))) : value.toExponential(2);
}

/** The smallest number of so many digits that is not below: how a bound is printed. @param {number} value @param {number} [digits] */
export function roundedUp(value, digits = 3) {
  const near = Number(value.toPrecision(digits));
  if (!(near < value)) return near;
  const [, exponent] = near.toExponential().split("e");
  return Number((near + 10 ** (Number(exponent) - digits + 1)).toPrecision(digits));
}

/** @param {number} n @param {string} one @param {string} [many] */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

// ---- the engine ------------------------------------------------------------------------------------------------------

export const noCore = (/** @type {string} */ where) =>
  `The engine cannot be loaded from ${where}. Build it with "make wasm", or say where netlump.wasm is.`;
export const noFormats = () => "What reads and writes models in JSON cannot be loaded. Check the connection and try again, or take ONNX instead.";
export const noMemory = (/** @type {number} */ bytes) =>
  `Not enough memory: ${size(bytes)} are needed. Close other tabs or use fewer rows.`;
export const crashed = () =>
  "The engine stopped unexpectedly and was restarted. Your files are as they were. Please report the file that caused this.";
export const freed = (/** @type {string} */ what) => `This ${what} was freed already.`;
export const noPath = () => "The neurons have not been put in order yet. Ask for the path first.";
export const noModel = () => "No model is open.";
export const noResult = () => "There is no smaller model yet. Compress first.";
export const wrongRows = (/** @type {number} */ numbers, /** @type {number} */ features) =>
  `${plural(numbers, "number")} cannot be cut into rows of ${features}.`;
export const useLoad = () => "Bytes are opened with open(), files with load(); so is JSON outside Node, and written once prepare() is done.";
export const modelTooLarge = (/** @type {string} */ file, /** @type {number} */ bytes, /** @type {number} */ most) =>
  `${file} has ${size(bytes)}, and one file of a model holds ${size(most)} at most. Save it with its weights in a second file (external data).`;
/** @param {{file: string, bytes: number, needed: number, memory: number, most: number}} found */
export const weightsTooLarge = ({ file, bytes, needed, memory, most }) =>
  `${file} has ${size(bytes)} with its weights. Together with the smaller model that takes ${size(needed)} of memory, and the engine has ${size(memory)}. ` +
  `Nothing above ${size(most)} can fit: save the weights as float16, half as large as float32, or take a smaller model.`;
export const tooLargeFor = (/** @type {string} */ file) =>
  `${file} is so large that its weights stay in the file: it is made smaller and written layer by layer. What wants it whole, ONNX Runtime, certificates and other formats, is left out.`;
/** @param {{file: string, rows: number, needed: number, memory: number, fit: number}} found fit: rows that would, if any */
export const workTooLarge = ({ file, rows, needed, memory, fit }) =>
  `To compare the neurons of ${file} on ${count(rows)} rows takes ${size(needed)} of memory, and the engine has ${size(memory)}. ` +
  (fit >= 256 ? `Take at most ${count(fit)} rows.` : "Take a smaller model.");
export const severalTargets = () => "Give one of epsilon, retain, maxDeviation, minAccuracy and maxMse, not several.";

/** @param {import("./types.js").ScoreTarget} target @param {number} [original] what the whole network reaches */
export function scoreOutOfReach({ kind, value }, original) {
  const form = kind === "accuracy" ? percent : short;
  const asked = `${kind === "accuracy" ? "an accuracy of" : "an MSE of"} ${form(value)}`;
  return original === undefined
    ? `No smaller network reaches ${asked} on these rows. Ask for ${kind === "accuracy" ? "less" : "more"}.`
    : `The network as it came does not reach ${asked} on these rows: it has ${form(original)}. Ask for ${kind === "accuracy" ? "that or less" : "that or more"}.`;
}
export const scoreNeedsLabels = () => "A score needs rows with labels that fit an output of the model. Give data with labels, and say which columns they are.";
export const otherScore = (/** @type {"accuracy"|"mse"} */ kind) =>
  kind === "mse" ? "These labels are numbers, no classes: ask for a mean squared error instead of an accuracy." : "These labels are classes: ask for an accuracy instead of a mean squared error.";

/** Files whose bytes tell nothing. @type {[RegExp, string][]} */
const BY_NAME = [
  [/\.(data|weights?)$|(^|\/)group\d+-shard\d+of\d+(\.bin)?$/i, "looks like the weights of a model, not the model itself. Open it together with the .onnx or .json file that names it."],
  [/\.data-\d+-of-\d+$|\.ckpt$/i, "looks like a TensorFlow checkpoint: weights without their network. Convert the network to ONNX with tf2onnx."],
  [/\.mnn$/i, "looks like an MNN model. Open the ONNX model it was made from."],
  [/\.(engine|plan|trt)$/i, "looks like a TensorRT engine. Open the ONNX model it was built from."],
  [/\.(pdiparams|pdparams)$/i, "looks like weights of a PaddlePaddle model. Convert the model to ONNX with paddle2onnx."],
  [/\.(tflite|lite)$/i, "looks like a damaged TensorFlow Lite model. Convert the original with tf2onnx."],
  [/\.(om|rknn|blob|hef|dla|nb)$/i, "looks like a model compiled for one device. Open the ONNX model it was made from."],
];

/** What a file may be by its name alone, where nothing else tells. @param {string} name */
export function byName(name) {
  const known = BY_NAME.find(([ending]) => ending.test(name));
  return known ? `${name} ${known[1]}` : null;
}

// ---- data ------------------------------------------------------------------------------------------------------------

export const emptyTable = (/** @type {string} */ file) => `${file} holds no rows. Choose a file with one row of numbers a line.`;
export const badCell = (/** @type {{file: string, line: number, column: string, cell: string}} */ at) =>
  at.cell === ""
    ? `${at.file}, line ${at.line}: ${at.column} is empty. Fill it in or leave the row out.`
    : /^[-+]?\d+,\d+$/.test(at.cell)
      ? `${at.file}, line ${at.line}: ${at.column} holds "${at.cell}". Write decimals with a point.`
      : `${at.file}, line ${at.line}: ${at.column} holds "${at.cell}", which is not a finite number.`;
export const badWidth = (/** @type {{file: string, line: number, found: number, expected: number}} */ at) =>
  `${at.file}, line ${at.line}: ${plural(at.found, "column")}, the lines before have ${at.expected}.`;
export const badData = (/** @type {string} */ file, /** @type {string} */ detail) => `${file} cannot be read as data: ${detail}.`;
export const unreadableImage = (/** @type {string} */ file, /** @type {string} */ why) => `${file} cannot be read: ${why}.`;
export const noImages = (/** @type {string} */ source) => `${source} holds no images. JPEG, PNG, BMP, GIF and TGA are read.`;
export const noClasses = (/** @type {string} */ source) =>
  `--labels folder is for images, each class in a folder of its own, and ${source} has no such folders. Leave it out.`;
export const imageLabels = (/** @type {string} */ source) =>
  `${source} holds images, which have no label columns. With --labels folder the folders they lie in are the classes.`;
export const imagesNeedModel = (/** @type {string} */ file) => `${file} holds images, and what they become depends on a model. Open that first.`;
/** @param {string[]} inputs */
export const noImageInput = (inputs) =>
  inputs.length === 1
    ? `The input “${inputs[0]}” takes no images: height and width with 1 or 3 channels before or behind are expected.`
    : `Rows fill ${inputs.length} inputs of the model (${inputs.join(", ")}), and images are for one. Give rows of numbers.`;
/** @param {{source: string, size: number, wanted: number}} found */
export const imagesUnfit = ({ source, size: numbers, wanted }) =>
  `The model reads ${plural(wanted, "number")} a row, an image of ${source} becomes ${count(numbers)}. Give rows of numbers.`;
export const badNorm = (/** @type {number} */ numbers, /** @type {number} */ channels) =>
  `${plural(numbers, "number")} for mean or std, but the model's images have ${plural(channels, "channel")}. Give one number for all or one each.`;
export const tooLarge = (/** @type {string} */ file, /** @type {number} */ most) => `${file} unpacks to more than ${size(most)}. Use fewer rows.`;
export const zipTooLarge = (/** @type {string} */ file, /** @type {number} */ bytes, /** @type {number} */ most) =>
  `${file} unpacks to ${size(bytes)}; at most ${size(most)} are read. Use fewer rows.`;
export const textTooLong = (/** @type {string} */ file, /** @type {number} */ bytes, /** @type {number} */ most) =>
  `${file} is text of ${size(bytes)}; at most ${size(most)} are read. Use fewer rows, or save them as NPY.`;
export const badElement = (/** @type {string} */ file, /** @type {number} */ row, /** @type {number} */ column) =>
  `${file}, row ${row}, column ${column} is not a finite number.`;

/** @param {{file: string, columns: number, labels: number, out: number, features: number, names: string[]|null,
 *   guess: import("./columns.js").Role[]}} found guess: of what the columns are for */
export function wrongColumns({ file, columns, labels, out, features, names, guess }) {
  const has = `${file} has ${plural(columns, "column")}`;
  const taken = [...(labels > 0 ? [plural(labels, "label")] : []), ...(out > 0 ? [`${count(out)} left out`] : [])].join(" and ");
  const without = taken === "" ? "" : `, ${count(Math.max(columns - labels - out, 0))} of them without the ${taken}`;
  const fits = guess.filter((role) => role === "input").length === features;
  const way = columns === features ? `Leave ${out > 0 ? "--skip" : "--labels"} out: there is no column to spare.` : fits ? guessed(guess, names, labels + out > 0) : "Columns are missing; give them in the model's own order.";
  return `The model reads ${plural(features, "number")} a row; ${has}${without}. ${way}`;
}

/** What to say so that the columns fit. @param {import("./columns.js").Role[]} guess @param {string[]|null} names @param {boolean} said whether something was said */
function guessed(guess, names, said) {
  const words = columnWords(guess, names);
  const last = words.match(/^--labels (\d+)$/);
  if (last === null) return `With ${words} the rest fits.`;
  const extra = Number(last[1]);
  return said ? `With ${words} the rest fits.` : `With ${words} the last ${extra === 1 ? "one is" : `${extra} are`} taken as labels.`;
}

/** The options that say what columns are for. @param {import("./columns.js").Role[]} roles @param {string[]|null} names
 * @param {(word: string) => string} [quoted] for a shell */
export function columnWords(roles, names, quoted = (word) => word) {
  const of = (/** @type {string} */ wanted) => roles.flatMap((role, i) => (role === wanted ? [i] : []));
  const [labels, out] = [of("label"), of("out")];
  const kept = roles.flatMap((role, i) => (role === "out" ? [] : [i]));
  const last = labels.length > 0 && labels.every((index, i) => index === kept[kept.length - labels.length + i]);
  const option = (/** @type {string} */ name, /** @type {number[]} */ list) => (list.length === 0 ? [] : [`--${name} ${quoted(columnList(list, names))}`]);
  return [...(last ? [`--labels ${labels.length}`] : option("labels", labels)), ...option("skip", out)].join(" ");
}

/** Columns as a list names them. @param {number[]} indexes from 0 @param {string[]|null} names */
export function columnList(indexes, names) {
  const simple = (/** @type {number} */ i) => names && /^[A-Za-z_][\w. ]*$/.test(names[i]) && names.indexOf(names[i]) === i && !["last", "folder", "auto"].includes(names[i]);
  /** @type {string[]} */
  const list = [];
  for (let i = 0; i < indexes.length; i += 1) {
    let end = i;
    while (indexes[end + 1] === indexes[end] + 1) end += 1;
    if (simple(indexes[i]) && end - i < 3) list.push(/** @type {string[]} */ (names)[indexes[i]]);
    else if (end > i) list.push(`#${indexes[i] + 1}-${indexes[(i = end)] + 1}`);
    else list.push(`#${indexes[i] + 1}`);
  }
  return list.join(",");
}
/** @param {{file: string, column: string, columns: number, names: string[]|null}} found */
export const noColumn = ({ file, column, columns, names }) =>
  `${file} has no column ${column}. ${names ? `Its columns: ${names.slice(0, 12).join(", ")}${names.length > 12 ? " …" : ""}.` : `It has ${plural(columns, "column")} without names: say them by number, from 1.`}`;
/** @param {{file: string, column: number, name: string|null, cell: string}} at */
export const wordColumn = ({ file, column, name, cell }) =>
  `${file}: column ${column + 1}${name ? ` (${name})` : ""} holds words, such as "${cell}", and the model reads numbers. Leave it out (--skip ${columnList([column], name ? [...Array(column).fill(""), name] : null)}) or make it a label.`;
/** @param {string[]} files @param {number[]} rows */
export const wrongPair = (files, rows) => `${files[0]} has ${plural(rows[0], "row")} and ${files[1]} has ${plural(rows[1], "row")}: side by side they need equally many.`;
export const noColumns = (/** @type {string} */ file) => `${file} holds images, which have no columns to choose from. With --labels folder the folders they lie in are the classes.`;
export const wrongSplit = (/** @type {number} */ rows) =>
  `Splitting ${plural(rows, "row")} this way leaves one part empty. Choose a share between 0 and 1.`;
export const wrongLabels = (/** @type {number} */ columns, /** @type {number} */ labels) =>
  `${plural(labels, "label column")} of ${plural(columns, "column")} leave nothing for the model to read.`;

// ---- verification ----------------------------------------------------------------------------------------------------

export const runtimeElsewhere = () =>
  "This file of netlump comes without ONNX Runtime. Use netlump-full.html or the hosted page for what needs it.";
export const runtimeMissing = () => "ONNX Runtime Web is not installed";
export const runtimeRefuses = (/** @type {string} */ why) => `ONNX Runtime does not run the original: ${why.replace(/\.$/, "")}.`;
export const runtimeRefusesReduced = (/** @type {string} */ why) =>
  `ONNX Runtime runs the original but not the smaller model: ${why.replace(/\.$/, "")}. Please report this model.`;
export const noFloatOutput = () => "the model has no output of floating-point numbers";
export const noRowShape = (/** @type {string} */ input) => `how a row fills the input “${input}” is not clear from its shape`;
export const unknownInputType = (/** @type {string} */ input, /** @type {string} */ type) => `the input “${input}” takes ${type}`;

export const outputChanges = (/** @type {string} */ name) => `the output “${name}” has another size for other rows`;

// ---- inputs ----------------------------------------------------------------------------------------------------------

export const shapeText = (/** @type {readonly (number|null)[]} */ shape) => `(${shape.map((dim) => dim ?? "?").join(", ")})`;
/** @param {import("./types.js").Port} port @param {readonly number[]} example */
export const shapeMissing = ({ name, shape }, example) =>
  `The input “${name}” has the shape ${shapeText(shape)}: say how long the open axes are, with the sizes it is used at, such as --shape ${name}:${example.join(",")}. The first axis counts rows.`;
/** @param {import("./types.js").Port} port @param {readonly number[]} given */
export const wrongShape = ({ name, shape }, given) => `The input “${name}” has the shape ${shapeText(shape)}; ${given.join(",")} does not fit.`;
export const unknownInput = (/** @type {string} */ name, /** @type {string[]} */ inputs) =>
  `There is no input “${name}”. Inputs: ${inputs.join(", ")}.`;

// ---- the command line ------------------------------------------------------------------------------------------------

export const USAGE = `netlump makes a trained neural network smaller by lumping neurons that behave alike.

  netlump MODEL [target] [options]      makes MODEL smaller: .onnx, TensorFlow.js model.json (its weights beside it),
                                        brain.js or netlump .json
  netlump inspect MODEL [--json]        shows the layers, and why some cannot be lumped
  netlump curve MODEL [options]         size against deviation, for many sizes
  netlump compare MODEL [options]       every method at the same sizes, side by side
  netlump blocks MODEL --epsilon E      the blocks of a differential equivalence
  netlump export MODEL --ode FILE       the network as differential equations, for ERODE

Target, one of:
  --epsilon E           tolerance: relative deviation of each layer's consumers   [0.02]
  --retain SHARE        keep at most this share of the parameters: 30% or 0.3
  --max-deviation D     let the output deviate by at most this, relative: 1% or 0.01
  --min-accuracy A      the smallest network found with at least this accuracy: 97% or 0.97; needs --labels
  --max-mse M           the smallest network found with at most this mean squared error; needs --labels

  --shape [NAME:]D,...  sizes of the input NAME where the model leaves them open, such as x:1,3,224,224 (the
                        first counts rows); without NAME for every input they fit; once for each input

What "alike" is measured on:
  --data FILE           rows of inputs: CSV, TSV, NPY, NPZ, IDX, each also .gz; or images (JPEG, PNG, BMP,
                        GIF, TGA): one, a zip, a folder   [random inputs, x ~ N(0, 1)]
  --mean M, --std S     images become (pixel / 255 - M) / S, one number for all channels or one each with
                        commas between   [0 and 1]
                        Twice: files whose columns stand side by side, such as images and labels in IDX
  --labels K            the last K columns of FILE are labels ("last": 1), used for the score only; or which
                        ones, by name or by number from 1: target or 3,5 or 8-10 ("#3": the third alone); words
                        become classes 0, 1, ... in their own order; "folder": the folders that images lie in
                        are their classes; "auto": guessed by names, words and what the model reads
  --skip COLUMNS        leave these columns out, said in the same way: id,date or 1-4
  --split F             measure on the first share F of the rows, score on the others   [1: all for both;
                        0.5 for compare]
  --divide D            divide the inputs in FILE by D (255 for images of bytes)
  --standardize         bring each input column to mean 0 and spread 1 over the rows of FILE, for models that
                        were trained so; the smaller model wants the same
  --seed N              of the random inputs   [1]
  --rows N              random inputs, or at most so many rows of FILE   [8192, where ONNX Runtime runs the
                        model 512; all]
  --threads N           that may order the neurons side by side; the result is the same   [one a processor,
                        where the work is large enough]

How:
  --method NAME         projected, partition, adjoint, symmetric, forward, polynomial lump neurons;
                        norm, magnitude, magnitude-global, wanda prune, to compare with, and want --retain
                        or --max-deviation; random starts projected's widths anew   [projected]
  --linkage NAME        of the methods that partition: complete, every two members of a block are within
                        the tolerance; erode, its neighbours in a chain are   [complete]
  --degree N            of the polynomials that stand for other activations (polynomial)
  --no-polish           leave out the polish, which moves the weights left towards the original's outputs,
                        without labels (curve: left out unless --polish; never at ε = 0)

Output:
  -o, --out FILE        write the smaller model: .onnx, or .json in the format MODEL has; TensorFlow.js weights go
                        beside FILE, which needs a folder of its own
  --external-above N    a smaller model of more than N bytes keeps weights outside that came from outside,
                        in FILE.data beside FILE   [1e9]
  --report FILE         write a report: one HTML page, nothing to load
  --json                print one JSON object instead of the summary
  --quiet               print nothing but errors
  --no-verify           do not run both models in ONNX Runtime
  --certify             prove how far outputs can be off at most, over the box or the range of the rows;
                        for networks that are a line of dense layers; takes some seconds
  --box=LOW:HIGH        ranges of the inputs, one for all or one each with commas between: what is proved
                        about, and without --data also what is measured on, evenly
  --scalar              use the engine without SIMD (same bits)

curve and compare:
  --methods LIST        names with commas between   [projected; compare: all but symmetric]
  --points N            curve: how many sizes   [16]
  --shares LIST         compare: shares of the parameters to keep   [5%,10%,20%,40%,60%,80%]
  --csv FILE            write the points as CSV ("-": to standard output)

blocks and export (networks that are a line of dense layers):
  --encoding NAME       linear, adjoint or polynomial   [adjoint]
  --equivalence NAME    fde (forward) or bde (backward)   [fde]
  --epsilon E           tolerance   [0]
  --degree N            of the polynomials fitted to activations   [2 or 3, by the fit]
  --linkage NAME        blocks only: complete (all members within E) or erode (chains of them)   [complete]
  --symmetric           blocks only: adjoint, up to the factors and signs the activation lets through
  --ode FILE            export only: where to write ("-": to standard output)

  --help, --version

Exit code: 0 done, 1 input cannot be used, 2 usage, 3 nothing to lump, 4 limit reached.
`;
export const hint = () => 'Try "netlump --help".';
export const noModelGiven = () => `Which model? ${hint()}`;
export const tooManyArguments = (/** @type {string} */ argument) => `“${argument}” is one argument too many. ${hint()}`;
export const badOption = (/** @type {string} */ option, /** @type {string} */ value, /** @type {string} */ wanted) =>
  `--${option} ${value}: ${wanted} is expected.`;
export const badShape = (/** @type {string} */ text) => `--shape ${text}: sizes are expected, with the input's name before them, such as --shape x:1,3,224,224.`;
export const oneTarget = () => "Give one of --epsilon, --retain, --max-deviation, --min-accuracy and --max-mse, not several.";
export const needsData = (/** @type {string} */ option) => `--${option} is about the rows of a file. Give --data FILE too.`;
export const twoScales = () => "Give one of --divide and --standardize, not both.";
export const noOde = () => `Where should the equations go? Give --ode FILE. ${hint()}`;
export const unknownMethod = (/** @type {string} */ method) => `There is no method “${method}”. Methods: ${METHODS.join(", ")}.`;
export const twoPolishes = () => "Give one of --polish and --no-polish, not both.";
export const methodLacks = (/** @type {string} */ option, /** @type {readonly string[]} */ methods) =>
  `--${option} is for ${methods.length === 1 ? "the method" : "the methods"} ${methods.join(", ")}.`;
export const shareTwice = () => "A share is given twice.";
export const nothingCompared = (/** @type {string} */ why) => `No method reaches any of these shares. The first said: ${why}`;
export const unknownEnding = (/** @type {string} */ file) => `“${file}”: the smaller model is written as .onnx or .json.`;
export const onlyFor = (/** @type {string} */ option, /** @type {string} */ command) =>
  `--${option} belongs to "netlump ${command}".`;
export const fileMissing = (/** @type {string} */ file) => `There is no file ${file}.`;
export const fileIsFolder = (/** @type {string} */ file) => `${file} is a folder. Give the model file.`;
export const fileUnreadable = (/** @type {string} */ file, /** @type {string} */ why) => `${file} cannot be read: ${why}.`;
export const fileUnwritable = (/** @type {string} */ file, /** @type {string} */ why) => `${file} cannot be written: ${why}.`;
export const fileTooLarge = (/** @type {string} */ file) => `${file} is larger than 2 GB, the most that can be opened.`;
export const fileOutside = (/** @type {string} */ model, /** @type {string} */ name) =>
  `${model} has weights in ${name}, but that is a link to a place outside the model's folder, so netlump does not open it. Put the file itself beside the model.`;
export const wouldOverwriteWeights = (/** @type {string} */ file) =>
  `${file} holds weights of the model itself, and those of the smaller one would go there. Choose another name or another folder for the smaller one.`;
export const wrote = (/** @type {string} */ file, /** @type {number} */ bytes) => `wrote ${file} (${size(bytes)})`;
export const STAGES = Object.freeze({
  path: "ordering neurons",
  refit: "refitting",
  search: "searching the size",
  polish: "polishing",
  curve: "drawing the curve",
  compare: "comparing",
  verify: "running both in ONNX Runtime",
  runtime: "loading ONNX Runtime",
  certify: "bounding the worst case",
});

const FORMAT_NAMES = Object.freeze({ json: "netlump JSON", tfjs: "TensorFlow.js layers model", brain: "brain.js network" });

/** What wrote a model, and how. @param {Pick<import("./types.js").ModelInfo, "format"|"producer"|"opset">} info @returns {string[]} */
export const originOf = ({ format, producer, opset }) =>
  format === "onnx" ? [`ONNX opset ${opset}`, producer].filter(Boolean) : format === "tfjs" ? [FORMAT_NAMES.tfjs, producer] : [FORMAT_NAMES[format]];

/** @param {number} part of a run */
export const running = (part) => `, running the network: ${Math.floor(100 * part)} %`;

/** @param {import("./types.js").Polynomial} polynomial */
export const fitLine = ({ layer, degree, rms, largest }) =>
  `layer ${layer}: the activation as a polynomial of degree ${degree}, error ${percent(rms)} RMS, ${percent(largest)} at most`;

const INPUTS = Object.freeze({ normal: "x ~ N(0, 1)", normalised: "as the model's own normalisations expect", box: "evenly from the box" });

/** @param {import("./types.js").Measure} measure @param {number} seed */
export function measureLine(measure, seed) {
  if (measure.kind === "data") return `${plural(measure.rows, "row")} of ${measure.source ?? "your data"}`;
  return `${count(measure.rows)} random inputs, ${INPUTS[measure.kind]}, seed ${seed}`;
}

/** @param {Pick<import("./types.js").Report, "method"|"epsilon">} report */
export function methodLine({ method, epsilon }) {
  if (PRUNING.includes(method)) return `${method}: weights set to 0; the file stays as large`;
  return epsilon === null ? method : `${method}, ε = ${short(epsilon)}`;
}

/** @param {{method: string, polished: boolean}} line */
export const lineName = ({ method, polished }) => `${method}${polished ? ", polished" : ""}`;
export const prunedLine = () => "Every neuron stays: weights are set to 0, and the file stores the zeros.";

/** What the polish brought. @param {import("./types.js").Report["polish"]} polish */
export const polishLine = (polish) =>
  polish === null
    ? "none"
    : `${plural(polish.iterations, "step")} without labels: deviation ${percent(polish.before)} → ${percent(polish.after)} on the rows held back from it`;

export const noPolish = () => "none";
export const runByRuntime = () => "more than dense layers: ONNX Runtime runs it; methods projected and norm, the polish for dense layers at its end";
/** @param {import("./types.js").Port} port @param {readonly number[]} example */
export const needsSizes = ({ name }, example) => `sizes of ${name} are open: give them, such as --shape ${name}:${example.join(",")}`;

/** On what a comparison was judged. @param {import("./types.js").Comparison["rows"]} rows @param {import("./types.js").Measure} measure */
export function judgedLine({ count: rows, source, heldOut }, measure) {
  if (source === null) return `scored on ${count(rows)} fresh random inputs, x ~ N(0, 1), not those it was measured on`;
  return heldOut
    ? `scored on the ${count(rows)} rows of ${source} not used: ${count(measure.rows)} others decided`
    : `scored on the same ${count(rows)} rows of ${source} that decided, which flatters the polish`;
}
export const COMPARISON = Object.freeze({
  best: "* the best at that share",
  pruned: (/** @type {string[]} */ methods) => `${methods.join(", ")}: weights set to 0, which the share counts as gone; the file stays as large`,
  random: "random: projected's widths from a random start, what the polish does alone",
  keeps: (/** @type {string} */ method, /** @type {string} */ kept) => `${method} has nothing nearer: it keeps ${kept}`,
  missing: (/** @type {string} */ method, /** @type {string} */ shares, /** @type {string} */ why) => `– ${method} at ${shares}: ${why}`,
  missingAll: (/** @type {string} */ method, /** @type {string} */ why) => `– ${method}: ${why}`,
});
export const curveWithout = (/** @type {string} */ method, /** @type {string} */ why) => `${method} gives no point: ${why}`;

/** @param {import("./types.js").Report["verified"]} verified */
export function verifiedLine(verified) {
  if (verified === null) return "not run";
  if ("skipped" in verified) return `skipped: ${verified.skipped}`;
  const verdict = verified.agrees === null ? "measured" : verified.agrees ? "agrees" : "DISAGREES with the engine";
  return `${verified.runtime} ${verdict}: deviation ${percent(verified.deviation)} on ${plural(verified.rows, "row")}, largest difference ${short(verified.max)}, RMS ${short(verified.rms)}${verified.calibrated ? `; ${calibratedNote()}` : ""}`;
}
export const calibratedNote = () => "the file as it is on plain random inputs, while the deviation above is with its normalisations set to them: give it rows of your own";

/** @param {NonNullable<import("./types.js").Report["score"]>} score */
export function scoreLine({ kind, before, after, rows, heldOut, explained }) {
  const figure = kind === "accuracy" ? percent : short;
  const factor = kind === "mse" && before > 0 ? ` (× ${short(after / before)})` : "";
  const which = heldOut ? "rows kept out of the measure" : "rows, the measure's own";
  return `${kind === "mse" ? "MSE" : "accuracy"} ${figure(before)} → ${figure(after)}${factor} on ${count(rows)} ${which}${explained ? `; R² ${explained.before.toFixed(4)} → ${explained.after.toFixed(4)}` : ""}`;
}
export const wouldOverwrite = (/** @type {string} */ file) => `${file} is the model itself. Choose another name for the smaller one.`;

// ---- certificate -----------------------------------------------------------------------------------------------------

export const wrongBox = (/** @type {number} */ features) => `A box for this model has ${plural(features, "range")}, one for each input.`;
export const badBox = (/** @type {string} */ text) => `--box ${text}: LOW:HIGH is expected, such as --box=-1:1, or one for each input with commas between.`;
/** @param {import("./types.js").Certificate|{unavailable: string}} certificate */
export function certificateLine(certificate) {
  if ("unavailable" in certificate) return `not available: ${certificate.unavailable}`;
  const { bound, found, points, method, boxes, beforeSoftmax } = certificate;
  const what = beforeSoftmax ? "what goes into the softmax" : "an output";
  const met = `a search of ${count(points)} points met ${short(found)}`;
  if (bound === null) return `nothing could be proved; ${met}`;
  return `nowhere in the box does ${what} change by more than ${short(roundedUp(bound))}; ${met} (${method}, ${plural(boxes, "box", "boxes")})`;
}

/** What a certificate speaks of, and what it does not; the method's limits stand in src/certify.h. @param {import("./types.js").Certificate} certificate */
export const certificateScope = ({ beforeSoftmax }) => [
  "Covered: real arithmetic on the weights as written, and the rounding of this computation, its elementary functions taken to be within 16 units in the last place.",
  `Not covered: the rounding inside the runtime that runs the model; inputs outside the ranges${beforeSoftmax ? "; the softmax behind the last layer (what goes into it is bounded)" : ""}.`,
  "Many inputs, and wide ranges over deep ReLU networks, leave the bound loose: the largest change lies between what was found and what is proved.",
];
