#!/usr/bin/env node
// netlump on the command line: reads files, calls the engine, prints. What the words mean stands in options.js, what is
// printed in text.js.
import { accessSync, closeSync, constants, mkdirSync, openAsBlob, openSync, readFileSync, readdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { styleText } from "node:util";

import { answersOn, outputsOn } from "./answers.js";
import { compareMethods } from "./compare.js";
import { readPictures, readTable, sliceTable, splitTable } from "./data.js";
import { comparisonCsv, curveCsv } from "./csv.js";
import { createEngine } from "./engine.js";
import { EngineError, fault } from "./fault.js";
import { readingOf } from "./images.js";
import { isImage } from "./layout.js";
import * as say from "./messages.js";
import { wantsOrder } from "./methods.js";
import { parseOptions } from "./options.js";
import { finish } from "./pipeline.js";
import { htmlReport } from "./report.js";
import { compressTo } from "./search.js";
import { LARGE, part, sizeOf } from "./source.js";
import { bar, blocksText, comparisonText, curveText, fitLines, infoText, reportText } from "./text.js";

/**
 * @typedef {import("./options.js").Options} Options
 * @typedef {import("./engine.js").Model} Model
 * @typedef {import("./engine.js").Source} Source
 * @typedef {import("./types.js").Progress} Progress
 */

const WRITTEN = 2 ** 22; // bytes at once: what was written is collected late
const EXIT = { done: 0, input: 1, usage: 2, nothing: 3, limit: 4 };

/** @type {Record<string, number>} */
const EXIT_OF = {
  USAGE: EXIT.usage,
  ARGUMENT: EXIT.usage,
  NO_SITE: EXIT.nothing,
  NOTHING_AT: EXIT.nothing,
  UNREACHABLE: EXIT.nothing,
  MEMORY: EXIT.limit,
  LIMIT: EXIT.limit,
};

// ---- files -----------------------------------------------------------------------------------------------------------

/** Uses a file, and says in a sentence why it cannot be. @template T @param {string} file @param {() => T} use @returns {T} */
function using(file, use) {
  try {
    return use();
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    const sentence =
      code === "ENOENT" || code === "ENOTDIR"
        ? say.fileMissing(file)
        : code === "EISDIR"
          ? say.fileIsFolder(file)
          : code === "ERR_FS_FILE_TOO_LARGE"
            ? say.fileTooLarge(file)
            : say.fileUnreadable(file, message);
    throw fault(code === "ERR_FS_FILE_TOO_LARGE" ? "LIMIT" : "FILE", sentence, { place: file, cause: error });
  }
}

/** @param {string} file @returns {Uint8Array} */
function read(file) {
  const bytes = using(file, () => readFileSync(file));
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A file that is read piece by piece; what is no plain file, a pipe for instance, is read now. @param {string} file @returns {Promise<Source>} */
async function fileAt(file) {
  if (!using(file, () => statSync(file)).isFile()) return read(file);
  using(file, () => accessSync(file, constants.R_OK));
  return openAsBlob(file);
}

/** The same for a model, which may be large. @param {string} file @returns {Promise<{source: Source, shelf?: import("./away.js").Shelf}>} */
async function modelAt(file) {
  const source = await fileAt(file);
  if (sizeOf(source) < LARGE || source instanceof Uint8Array) return { source };
  const { openShelf } = await import("./shelf.js");
  return using(file, () => openShelf(file));
}

/** Whether both are one file, by whatever names. @param {string} a @param {string} b */
function isSame(a, b) {
  if (resolve(a) === resolve(b)) return true;
  const [one, other] = [a, b].map((file) => statSync(file, { throwIfNoEntry: false }));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

/** @param {string} file @param {Source|string} content */
async function write(file, content) {
  try {
    if (typeof content === "string") return writeFileSync(file, content);
    const out = openSync(file, "w");
    try {
      for (let at = 0; at < sizeOf(content); at += WRITTEN) writeFileSync(out, await part(content, file, at, at + WRITTEN));
    } finally {
      closeSync(out);
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const { message } = /** @type {Error} */ (error);
    throw fault("FILE", say.fileUnwritable(file, message), { place: file, cause: error });
  }
}

/** A file the model names, if it lies in the model's folder (links followed). @param {string} model */
const beside = (model) => async (/** @type {string} */ name) => {
  const home = realpathSync(dirname(model));
  let file;
  try {
    file = realpathSync(resolve(home, name));
  } catch {
    return undefined;
  }
  const way = relative(home, file);
  if (isAbsolute(way) || way === ".." || way.startsWith(`..${sep}`)) throw fault("EXTERNAL", say.fileOutside(basename(model), name), { place: name });
  return fileAt(file);
};

/** Writes the smaller model and what goes with it; what is there already, because nothing changed, stays.
 * @param {Options} options @param {Model} model @param {Source} bytes @param {Map<string, Source>} files
 * @returns {Promise<string[]>} what to say of it */
async function writeModel({ out, model: own }, model, bytes, files) {
  if (!out) return [];
  if (model.info.format === "tfjs" && files.size > 0) mkdirSync(dirname(out), { recursive: true }); // such a model is a folder
  await write(out, bytes);
  const said = [say.wrote(out, sizeOf(bytes))];
  for (const [name, content] of files) {
    const file = join(dirname(out), name);
    if (model.files.has(name) && isSame(file, join(dirname(own), name))) continue;
    mkdirSync(dirname(file), { recursive: true }); // the name may have folders
    await write(file, content);
    said.push(say.wrote(file, sizeOf(content)));
  }
  return said;
}

/** Nothing of the model is ever written over. @param {Options} options @param {Model} model @param {import("./types.js").Format} [format] */
function checkPlaces({ out, model: file }, { files }, format) {
  if (!out) return;
  const written = [...files.keys()].slice(0, 1).map((name) => join(dirname(out), basename(name))); // as TensorFlow.js weights are called
  for (const name of files.keys()) {
    const own = join(dirname(file), name);
    for (const place of [out, weightsOf(out), ...(format === "tfjs" ? written : [])])
      if (isSame(own, place)) throw fault("USAGE", say.wouldOverwriteWeights(own));
  }
}

/** @param {string} out where the smaller model goes */
const weightsOf = (out) => `${out}.data`;

/** The pictures in a folder and those below it, links to folders not followed. @param {string} folder @returns {import("./images.js").Pictures} */
function picturesIn(folder) {
  const entries = using(folder, () => readdirSync(folder, { recursive: true, withFileTypes: true }));
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  const names = files.map((file) => relative(folder, file).replaceAll(sep, "/")).filter(isImage);
  return { names, load: (some) => some.map((name) => read(join(folder, name))) };
}

/** @param {Options} options @param {Model} model @returns {Promise<import("./types.js").Table>} */
async function tableOf({ labels, skip, divide, standardize, rows, norm, ...options }, model) {
  const data = /** @type {string} */ (options.data);
  const beside = options.beside.map((file) => ({ name: basename(file), bytes: read(file) }));
  const how = { labels, skip, divide, standardize, rows, beside, features: model.features, images: readingOf(model, norm) };
  const isFolder = using(data, () => statSync(data)).isDirectory();
  return isFolder ? readPictures(picturesIn(data), basename(resolve(data)), how) : readTable(read(data), basename(data), how);
}

/** @param {Options} options @param {Model} model */
async function readData(options, model) {
  const { data, split, rows } = options;
  if (data === null) return { measure: null, score: null, rest: null, heldOut: false };
  const { measure, score, heldOut } = splitTable(await tableOf(options, model), split);
  const taken = rows > 0 && rows < measure.rows ? sliceTable(measure, 0, rows) : measure;
  return { measure: taken, score: score.labels ? score : null, rest: score, heldOut };
}

// ---- the terminal ----------------------------------------------------------------------------------------------------

/** @param {string} text */
const print = (text) => void process.stdout.write(text);
/** @param {unknown} value */
const printJson = (value) => print(`${JSON.stringify(value, null, 2)}\n`);
/** @param {string} text */
const bold = (text) => (process.stdout.isTTY && !process.env.NO_COLOR ? styleText("bold", text) : text);

/** A bar on a terminal, nothing anywhere else. @param {Options} options */
function progressBar({ quiet }) {
  const shown = process.stderr.isTTY && !quiet;
  return {
    onProgress: shown
      ? (/** @type {Progress} */ { stage, fraction, part }) =>
          void process.stderr.write(`\r\x1b[K${bar(fraction, 30)} ${Math.floor(100 * fraction)} %  ${say.STAGES[stage]}${part === undefined ? "" : say.running(part)}`)
      : undefined,
    clear: () => shown && void process.stderr.write("\r\x1b[K"),
  };
}

// ---- commands --------------------------------------------------------------------------------------------------------

/** @typedef {(options: Options, model: Model, onProgress?: (progress: Progress) => void) => Promise<() => void>} Command
 *   what it gives prints the outcome, once the progress bar is gone */

/** @type {Command} */
async function inspectCommand({ json, quiet }, { info }) {
  return () => (json ? printJson(info) : quiet || print(infoText(info, bold)));
}

/** The way to a result that the words ask for. @param {Options} options */
const wayOf = ({ method, linkage, degree, polish, externalAbove, out }) => ({
  method,
  linkage,
  degree,
  polish,
  large: externalAbove,
  weights: out ? basename(weightsOf(out)) : undefined,
});

/** What a report's curve shows: the method, and projected lumping to compare it with. @param {Options} options */
const curveMethods = ({ method }) => [...new Set([method, /** @type {const} */ ("projected")])];

/** The report with its curve and some outputs. @param {Options} options @param {import("./engine.js").Result} result
 * @param {{report: import("./types.js").Report, table: import("./types.js").Table|null, score: import("./types.js").Table|null} & import("./steps.js").Watch} found */
async function reportPage(options, result, { report, table, score, onProgress }) {
  const { path } = result;
  if (path.model.away) return htmlReport(report); // each point of a curve would go through the whole file
  const { parameters } = path.model.info;
  const outputs = await outputsOn((asked) => answersOn(result, asked), table, { parameters, features: path.model.features });
  const curve = await path.curve({ ...wayOf(options), polish: false, methods: curveMethods(options), score, onProgress });
  return htmlReport(report, { curve, outputs });
}

/** The ranges of the inputs, one for all or one each. @param {Options} options @param {number} features */
function boxOf({ box }, features) {
  if (box === null) return null;
  if (box.length !== 1 && box.length !== features) throw fault("USAGE", say.wrongBox(features));
  const side = (/** @type {0|1} */ end) => Float64Array.from({ length: features }, (_, i) => box[box.length === 1 ? 0 : i][end]);
  return { low: side(0), high: side(1) };
}

/** @type {Command} */
async function compressCommand(options, model, onProgress) {
  const { target, seed, rows, verify, json, quiet } = options;
  const { format } = model.info;
  const wanted = options.format === "json" && format !== "onnx" ? format : (options.format ?? format);
  checkPlaces(options, model, wanted);
  const { measure, score, heldOut } = await readData(options, model);
  const box = boxOf(options, model.features);
  const path = await model.path({ data: measure, seed, rows, ...(measure ? {} : box), ordered: wantsOrder(options.method), onProgress });
  const result = await compressTo(path, target, { ...wayOf(options), score, onProgress });
  const certify = options.certify && (box ?? true);
  const { bytes, files, report } = await finish(result, { data: measure, score, heldOut, verify, certify, format: wanted, onProgress });
  const page = options.report && (await reportPage(options, result, { report, table: score ?? measure, score, onProgress }));
  const written = await writeModel(options, model, bytes, files);
  if (options.report && page) await write(options.report, page);
  return () => {
    if (json) printJson(report);
    else if (!quiet) {
      const wrote = [...written, ...(page ? [`wrote ${options.report}`] : [])];
      print(`${[reportText(report, bold), ...wrote].join("\n")}${wrote.length > 0 ? "\n" : ""}`);
    }
  };
}

/** @type {Command} */
async function curveCommand(options, model, onProgress) {
  const { seed, rows, points, methods, csv, json, quiet } = options;
  const { measure, score } = await readData(options, model);
  const path = await model.path({ data: measure, seed, rows, onProgress });
  /** @type {Map<string, string>} */
  const missing = new Map();
  const onMissing = (/** @type {string} */ method, /** @type {Error} */ { message }) => void missing.set(method, message);
  const curve = await path.curve({ ...wayOf(options), points, methods, score, onMissing, onProgress });
  if (csv && csv !== "-") await write(csv, curveCsv(curve));
  return () => {
    if (json) printJson({ netlump: model.version, model: model.info.name, ...path.info, sites: undefined, missing: Object.fromEntries(missing), points: curve });
    else if (csv === "-") print(curveCsv(curve));
    else if (!quiet) print(curveText(curve, model.info.name, bold, missing));
  };
}

/** @type {Command} */
async function compareCommand(options, model, onProgress) {
  const { seed, rows, methods, shares, polish, csv, json, quiet } = options;
  const { measure, rest, heldOut } = await readData(options, model);
  const path = await model.path({ data: measure, seed, rows, onProgress });
  const comparison = await compareMethods(path, { methods, shares, polish, rows: rest, heldOut, onProgress });
  const { name } = model.info;
  if (csv && csv !== "-") await write(csv, comparisonCsv(comparison));
  return () => {
    if (json) printJson({ netlump: model.version, model: name, measure: path.info.measure, seed, ...comparison });
    else if (csv === "-") print(comparisonCsv(comparison));
    else if (!quiet) print(comparisonText(comparison, { name, measure: path.info.measure, seed }, bold));
  };
}

/** @type {Command} */
async function blocksCommand({ equivalence, json, quiet }, model) {
  const found = model.blocks(equivalence);
  const { blocks, constant, polynomials } = found;
  const more = { ...(equivalence.symmetric && { constant }), ...(polynomials?.some(({ fitted }) => fitted) && { polynomials }) };
  return () => (json ? printJson({ blocks, ...more }) : quiet || print(blocksText(found, model.info.name, bold)));
}

/** @type {Command} */
async function exportCommand({ equivalence, ode, json, quiet }, model) {
  const text = model.ode(equivalence);
  const polynomials = equivalence.encoding === "polynomial" ? model.polynomials(equivalence.degree) : [];
  const file = /** @type {string} */ (ode);
  if (file !== "-") await write(file, text);
  return () => {
    if (file === "-") print(text);
    else if (json) printJson({ file, bytes: text.length, polynomials });
    else if (!quiet) print([...fitLines(polynomials), say.wrote(file, text.length), ""].join("\n"));
  };
}

const COMMANDS = {
  compress: compressCommand,
  inspect: inspectCommand,
  curve: curveCommand,
  compare: compareCommand,
  blocks: blocksCommand,
  export: exportCommand,
};

/** @param {Options} options */
async function runCommand(options) {
  const command = COMMANDS[/** @type {import("./options.js").Command} */ (options.command)];
  if (options.out && isSame(options.out, options.model)) throw fault("USAGE", say.wouldOverwrite(options.out));
  const engine = await createEngine({ scalar: options.scalar, threads: options.threads });
  const { source, shelf } = await modelAt(options.model);
  const model = await engine.load(source, basename(options.model), { files: beside(options.model), shapes: options.shapes, shelf });
  const { onProgress, clear } = progressBar(options);
  try {
    const show = await command(options, model, onProgress);
    clear();
    show();
  } finally {
    clear();
    model.free();
  }
}

/** @param {string[]} words @returns {Promise<number>} the exit code */
async function main(words) {
  try {
    const options = parseOptions(words);
    if (options.command === "help") print(say.USAGE);
    else if (options.command === "version") print(`${(await createEngine()).version}\n`);
    else await runCommand(options);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (words.includes("--json")) printJson({ error });
    process.stderr.write(`netlump: ${error.message}\n`);
    return EXIT_OF[error.code] ?? EXIT.input;
  }
}

process.stdout.on("error", () => process.exit(EXIT.done)); // the reader went away: head, less
process.exitCode = await main(process.argv.slice(2));
