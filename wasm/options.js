// options: the words of the command line -> what is to be done. Pure: touches no file.
import { parseArgs } from "node:util";

import { COMPARED, SHARES } from "./compare.js";
import { fault } from "./fault.js";
import {
  badBox,
  badOption,
  badShape,
  hint,
  methodLacks,
  needsData,
  noModelGiven,
  noOde,
  onlyFor,
  oneTarget,
  shareTwice,
  tooManyArguments,
  twoPolishes,
  twoScales,
  unknownEnding,
  unknownMethod,
} from "./messages.js";
import { LINKAGES, METHODS, PARTITIONING } from "./methods.js";
import { DEFAULT_TARGET } from "./pipeline.js";

/**
 * @typedef {import("./types.js").Target} Target
 * @typedef {import("./methods.js").Method} Method
 * @typedef {"compress"|"inspect"|"curve"|"compare"|"blocks"|"export"} Command
 * @typedef {{
 *   command: Command|"help"|"version", model: string, target: Target, method: Method, methods: readonly Method[],
 *   linkage: import("./methods.js").Linkage, degree: number, polish: boolean, shares: readonly number[],
 *   data: string|null, beside: string[], labels: import("./data.js").Labels, skip: string[], standardize: boolean, norm: import("./images.js").Norm, split: number, divide: number, seed: number, rows: number, threads: number,
 *   out: string|null, format: "onnx"|"json"|undefined, report: string|null, csv: string|null, points: number,
 *   equivalence: Required<import("./types.js").EquivalenceOptions>, ode: string|null,
 *   json: boolean, quiet: boolean, verify: boolean, certify: boolean, box: [number, number][]|null, scalar: boolean,
 *   shapes: import("./inputs.js").Shapes, externalAbove: number
 * }} Options
 */

/** Where an option belongs that is not for every command; the first is named where it is used elsewhere. @type {Record<string, Command[]>} */
const BELONGS = {
  ...Object.fromEntries(["retain", "max-deviation", "min-accuracy", "max-mse", "out", "report", "no-verify", "method", "certify", "box", "external-above"].map((name) => [name, ["compress"]])),
  epsilon: ["compress", "blocks", "export"],
  points: ["curve"],
  shares: ["compare"],
  csv: ["curve", "compare"],
  methods: ["curve", "compare"],
  linkage: ["compress", "curve", "blocks"],
  degree: ["compress", "curve", "blocks", "export"],
  polish: ["compress", "curve", "compare"],
  "no-polish": ["compress", "curve", "compare"],
  encoding: ["blocks", "export"],
  equivalence: ["blocks", "export"],
  symmetric: ["blocks"],
  ode: ["export"],
};
const DATA_ONLY = ["min-accuracy", "max-mse", "labels", "skip", "standardize", "split", "divide", "mean", "std"];
const COMMANDS = ["inspect", "curve", "compare", "blocks", "export"];

const usage = (/** @type {string} */ message) => fault("USAGE", message);

/** A number, also in percent. @param {string} text @returns {number} NaN when it is none */
export function parseShare(text) {
  const [, digits, sign] = text.trim().match(/^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(%?)$/i) ?? [];
  return digits === undefined ? NaN : Number(digits) / (sign ? 100 : 1);
}

/** Checks one option's value. @param {string} name @param {string} text @param {string} wanted @param {(value: number) => boolean} fits */
function numberOf(name, text, wanted, fits) {
  const value = parseShare(text);
  if (!Number.isFinite(value) || !fits(value)) throw usage(badOption(name, text, wanted));
  return value;
}

const whole = (/** @type {number} */ least, most = Number.MAX_SAFE_INTEGER) => (/** @type {number} */ value) =>
  Number.isInteger(value) && value >= least && value <= most;

/** @param {string[]} words @returns {Options} */
export function parseOptions(words) {
  const { values, positionals } = parse(words);
  const command = values.help ? "help" : values.version ? "version" : commandOf(positionals);
  const rest = command === positionals[0] ? positionals.slice(1) : positionals;
  if (command !== "help" && command !== "version") checkWords(command, rest, values);
  const ways = waysOf(command, values);
  return {
    ...ways,
    command,
    model: rest[0] ?? "",
    target: targetOf(values),
    data: values.data?.[0] ?? null,
    beside: values.data?.slice(1) ?? [],
    labels: labelsOf(values.labels ?? "0"),
    skip: values.skip === undefined ? [] : listOf("skip", values.skip),
    standardize: values.standardize ?? false,
    norm: { mean: values.mean === undefined ? undefined : numbersOf("mean", values.mean), std: values.std === undefined ? undefined : numbersOf("std", values.std) },
    split: numberOf("split", values.split ?? (command === "compare" ? "0.5" : "1"), "a share above 0 and up to 1", (f) => f > 0 && f <= 1),
    divide: numberOf("divide", values.divide ?? "1", "a number other than 0", (d) => d !== 0),
    seed: numberOf("seed", values.seed ?? "1", "a whole number from 0 on", whole(0)),
    threads: numberOf("threads", values.threads ?? "0", "a whole number of threads", whole(values.threads === undefined ? 0 : 1, 1024)),
    rows: numberOf("rows", values.rows ?? "0", "a whole number of rows", whole(values.rows === undefined ? 0 : 1, 1e8)),
    out: values.out ?? null,
    format: formatOf(values.out),
    report: values.report ?? null,
    csv: values.csv ?? null,
    shares: values.shares === undefined ? SHARES : sharesOf(values.shares),
    points: numberOf("points", values.points ?? "16", "a whole number from 2 to 1000", whole(2, 1000)),
    equivalence: equivalenceOf(values),
    ode: values.ode ?? null,
    json: values.json ?? false,
    quiet: values.quiet ?? false,
    verify: !values["no-verify"],
    certify: values.certify ?? false,
    externalAbove: numberOf("external-above", values["external-above"] ?? "1e9", "a number of bytes from 1 to 2e9", whole(1, 2e9)),
    box: values.box === undefined ? null : rangesOf(values.box),
    scalar: values.scalar ?? false,
    shapes: new Map((values.shape ?? []).map(shapeOf)),
  };
}

/** @param {string} text @returns {import("./data.js").Labels} */
function labelsOf(text) {
  if (text === "last") return 1;
  if (text === "folder" || text === "auto") return text;
  return parseShare(text) >= 0 ? numberOf("labels", text, "a number of columns, their names, last, folder or auto", whole(0, 1e6)) : listOf("labels", text);
}

/** Columns by name or number, with commas between. @param {string} name @param {string} text */
function listOf(name, text) {
  const list = text.split(",").map((item) => item.trim());
  if (list.includes("")) throw usage(badOption(name, text, "columns with commas between, by name or by number from 1,"));
  return list;
}

/** Numbers with commas between; none of std's is 0. @param {"mean"|"std"} name @param {string} text */
const numbersOf = (name, text) => text.split(",").map((part) => numberOf(name, part, "a number, or one for each channel with commas between,", (n) => name === "mean" || n > 0));

/** @param {string[]} words */
function parse(words) {
  const text = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean" });
  try {
    return parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        epsilon: text, retain: text, "max-deviation": text, "min-accuracy": text, "max-mse": text,
        data: { type: "string", multiple: true }, labels: text, skip: text, standardize: flag, mean: text, std: text, split: text, divide: text, seed: text, rows: text, threads: text,
        out: { type: "string", short: "o" }, report: text, json: flag, quiet: { type: "boolean", short: "q" },
        "no-verify": flag, certify: flag, box: text, "external-above": text, scalar: flag, points: text, methods: text, csv: text, shares: text,
        method: text, linkage: text, degree: text, polish: flag, "no-polish": flag,
        encoding: text, equivalence: text, symmetric: flag, ode: text, shape: { type: "string", multiple: true },
        help: { type: "boolean", short: "h" }, version: { type: "boolean", short: "v" },
      }, // prettier-ignore
    });
  } catch (error) {
    // The first sentence says which option; the others are advice about parseArgs.
    const said = (error instanceof Error ? error.message : String(error)).split(/\.\s|\n/)[0].replace(/\.$/, "");
    throw usage(`${said}. ${hint()}`);
  }
}

/** @param {string[]} positionals @returns {Command} */
const commandOf = ([first]) => (COMMANDS.includes(first) ? /** @type {Command} */ (first) : "compress");

/** @param {Command} command */
const called = (command) => (command === "compress" ? "MODEL" : `${command} MODEL`);

/** One of some words. @template {string} W @param {string} name @param {string} word @param {readonly W[]} words @returns {W} */
function wordOf(name, word, words) {
  const found = words.find((known) => known === word);
  if (found === undefined) throw usage(badOption(name, word, words.join(" or ")));
  return found;
}

/** @param {{encoding?: string, equivalence?: string, linkage?: string, degree?: string, symmetric?: boolean, epsilon?: string}} values */
function equivalenceOf({ encoding, equivalence, linkage, degree, symmetric, epsilon }) {
  return {
    encoding: wordOf("encoding", encoding ?? "adjoint", /** @type {const} */ (["linear", "adjoint", "polynomial"])),
    equivalence: wordOf("equivalence", equivalence ?? "fde", /** @type {const} */ (["fde", "bde"])),
    linkage: linkageOf(linkage),
    degree: degreeOf(degree),
    symmetric: symmetric ?? false,
    epsilon: numberOf("epsilon", epsilon ?? "0", "a number from 0 on", (e) => e >= 0),
  };
}

/** @param {Command} command @param {string[]} rest @param {Record<string, unknown>} values */
function checkWords(command, rest, values) {
  if (rest.length === 0) throw usage(noModelGiven());
  if (rest.length > 1) throw usage(tooManyArguments(rest[1]));
  const given = (/** @type {string} */ name) => values[name] !== undefined;
  const foreign = Object.keys(BELONGS).find((name) => given(name) && !BELONGS[name].includes(command));
  if (foreign) throw usage(onlyFor(foreign, called(BELONGS[foreign][0])));
  if (command === "export" && !given("ode")) throw usage(noOde());
  if (given("divide") && given("standardize")) throw usage(twoScales());
  const lonely = values.data === undefined ? DATA_ONLY.find(given) : undefined;
  if (lonely) throw usage(needsData(lonely));
}

/** How to get there: methods with what belongs to them. @param {string} command
 * @param {{method?: string, methods?: string, linkage?: string, degree?: string, polish?: boolean, "no-polish"?: boolean}} values */
function waysOf(command, { method = "projected", methods, linkage, degree, polish, "no-polish": rough }) {
  if (polish && rough) throw usage(twoPolishes());
  const list = methods === undefined ? (command === "compare" ? COMPARED : [nameOf(method)]) : [...new Set(methods.split(",").map(nameOf))];
  const some = (/** @type {readonly Method[]} */ allowed) => list.some((one) => allowed.includes(one));
  const lumps = !["blocks", "export"].includes(command); // those say what they partition by other words
  if (lumps && linkage !== undefined && !some(PARTITIONING)) throw usage(methodLacks("linkage", PARTITIONING));
  if (lumps && degree !== undefined && !some(["polynomial"])) throw usage(methodLacks("degree", ["polynomial"]));
  return {
    method: nameOf(method),
    methods: list,
    linkage: linkageOf(linkage),
    degree: degreeOf(degree),
    polish: command === "curve" ? polish === true : !rough,
  };
}

/** @param {string} text @returns {Method} */
function nameOf(text) {
  const name = METHODS.find((one) => one === text.trim());
  if (name === undefined) throw usage(unknownMethod(text.trim()));
  return name;
}

/** @param {string|undefined} text */
const linkageOf = (text = "complete") => wordOf("linkage", text, LINKAGES);

/** @param {string|undefined} text 0: the default */
const degreeOf = (text) => (text === undefined ? 0 : numberOf("degree", text, "a whole number from 1 to 16", whole(1, 16)));

/** @param {string} text @returns {[number, number][]} */
function rangesOf(text) {
  return text.split(",").map((range) => {
    const [low, high, ...more] = range.split(":").map((end) => (end.trim() === "" ? NaN : Number(end)));
    if (!Number.isFinite(low) || !Number.isFinite(high) || low > high || more.length > 0) throw usage(badBox(text));
    return [low, high];
  });
}

/** NAME:D,D,... or D,D,... alone; a name may hold colons. @param {string} text @returns {[string, number[]]} */
function shapeOf(text) {
  const at = text.lastIndexOf(":");
  const dims = text.slice(at + 1).split(",").map((size) => (size.trim() === "" ? NaN : Number(size)));
  if (!dims.every(whole(1, 2 ** 31))) throw usage(badShape(text));
  return [text.slice(0, Math.max(at, 0)), dims];
}

/** @param {string} text */
function sharesOf(text) {
  const shares = text.split(",").map((share) => numberOf("shares", share, "shares such as 5%,10%,20%", (r) => r > 0 && r <= 1));
  if (new Set(shares).size < shares.length) throw usage(shareTwice());
  return shares;
}

/** @param {{epsilon?: string, retain?: string, "max-deviation"?: string, "min-accuracy"?: string, "max-mse"?: string}} values @returns {Target} */
function targetOf({ epsilon, retain, "max-deviation": deviation, "min-accuracy": accuracy, "max-mse": mse }) {
  if ([epsilon, retain, deviation, accuracy, mse].filter((value) => value !== undefined).length > 1) throw usage(oneTarget());
  if (epsilon !== undefined) {
    return { kind: "epsilon", value: numberOf("epsilon", epsilon, "a number from 0 on", (e) => e >= 0) };
  }
  if (retain !== undefined) {
    return { kind: "retain", value: numberOf("retain", retain, "a share such as 30% or 0.3", (r) => r > 0 && r <= 1) };
  }
  if (deviation !== undefined) {
    return { kind: "deviation", value: numberOf("max-deviation", deviation, "a share such as 1% or 0.01", (d) => d > 0) };
  }
  if (accuracy !== undefined) {
    return { kind: "accuracy", value: numberOf("min-accuracy", accuracy, "a share such as 97% or 0.97", (a) => a > 0 && a <= 1) };
  }
  if (mse !== undefined) return { kind: "mse", value: numberOf("max-mse", mse, "a number above 0", (m) => m > 0) };
  return DEFAULT_TARGET;
}

/** json: the model's own format where that is one, else netlump's. @param {string|undefined} out @returns {"onnx"|"json"|undefined} */
function formatOf(out) {
  if (out === undefined) return undefined;
  if (/\.onnx$/i.test(out)) return "onnx";
  if (/\.json$/i.test(out)) return "json";
  throw usage(unknownEnding(out));
}
