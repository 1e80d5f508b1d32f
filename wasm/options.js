// options: the words of the command line -> what is to be done. Pure: touches no file.
import { parseArgs } from "node:util";

import { fault } from "./fault.js";
import {
  badOption,
  hint,
  needsData,
  noModelGiven,
  noOde,
  onlyFor,
  oneTarget,
  tooManyArguments,
  unknownEnding,
  unknownMethod,
} from "./messages.js";
import { DEFAULT_TARGET } from "./pipeline.js";

/**
 * @typedef {import("./types.js").Target} Target
 * @typedef {"compress"|"inspect"|"curve"|"blocks"|"export"} Command
 * @typedef {{
 *   command: Command|"help"|"version", model: string, target: Target,
 *   data: string|null, labels: number, split: number, divide: number, seed: number, rows: number,
 *   out: string|null, format: "onnx"|"json"|undefined, report: string|null, csv: string|null, points: number,
 *   equivalence: Required<import("./types.js").EquivalenceOptions>, ode: string|null,
 *   json: boolean, quiet: boolean, verify: boolean, scalar: boolean
 * }} Options
 */

const COMPRESS_ONLY = ["retain", "max-deviation", "out", "report", "verify"];
const EQUIVALENCE_ONLY = ["encoding", "equivalence", "degree"]; // blocks, export
const BLOCKS_ONLY = ["linkage", "symmetric"];
const EXPORT_ONLY = ["ode"];
const CURVE_ONLY = ["methods", "csv", "points"];
const DATA_ONLY = ["labels", "split", "divide"];

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
  return {
    command,
    model: rest[0] ?? "",
    target: targetOf(values),
    data: values.data ?? null,
    labels: values.labels === "last" ? 1 : numberOf("labels", values.labels ?? "0", "a number of columns, or last,", whole(0, 1e6)),
    split: numberOf("split", values.split ?? "1", "a share above 0 and up to 1", (f) => f > 0 && f <= 1),
    divide: numberOf("divide", values.divide ?? "1", "a number other than 0", (d) => d !== 0),
    seed: numberOf("seed", values.seed ?? "1", "a whole number from 0 on", whole(0)),
    rows: numberOf("rows", values.rows ?? "0", "a whole number of rows", whole(values.rows === undefined ? 0 : 1, 1e8)),
    out: values.out ?? null,
    format: formatOf(values.out),
    report: values.report ?? null,
    csv: values.csv ?? null,
    points: numberOf("points", values.points ?? "16", "a whole number from 2 to 1000", whole(2, 1000)),
    equivalence: equivalenceOf(values),
    ode: values.ode ?? null,
    json: values.json ?? false,
    quiet: values.quiet ?? false,
    verify: !values["no-verify"],
    scalar: values.scalar ?? false,
  };
}

/** @param {string[]} words */
function parse(words) {
  const text = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean" });
  try {
    return parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        epsilon: text, retain: text, "max-deviation": text,
        data: text, labels: text, split: text, divide: text, seed: text, rows: text,
        out: { type: "string", short: "o" }, report: text, json: flag, quiet: { type: "boolean", short: "q" },
        "no-verify": flag, scalar: flag, points: text, methods: text, csv: text,
        encoding: text, equivalence: text, linkage: text, degree: text, symmetric: flag, ode: text,
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
function commandOf([first]) {
  const named = /** @type {const} */ (["inspect", "curve", "blocks", "export"]).find((name) => name === first);
  return named ?? "compress";
}

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
    linkage: wordOf("linkage", linkage ?? "complete", /** @type {const} */ (["complete", "erode"])),
    degree: numberOf("degree", degree ?? "0", "a whole number from 1 to 16", whole(degree === undefined ? 0 : 1, 16)),
    symmetric: symmetric ?? false,
    epsilon: numberOf("epsilon", epsilon ?? "0", "a number from 0 on", (e) => e >= 0),
  };
}

/** @param {Command} command @param {string[]} rest @param {Record<string, unknown>} values */
function checkWords(command, rest, values) {
  if (rest.length === 0) throw usage(noModelGiven());
  if (rest.length > 1) throw usage(tooManyArguments(rest[1]));
  const given = (/** @type {string} */ name) => values[name === "verify" ? "no-verify" : name] !== undefined;
  const called = (/** @type {string} */ name) => (name === "verify" ? "no-verify" : name);
  const stray = (/** @type {string[]} */ names) => names.find(given);
  const misplaced = command === "compress" ? undefined : stray(COMPRESS_ONLY);
  if (misplaced) throw usage(onlyFor(called(misplaced), "MODEL"));
  const unable = command === "curve" || command === "inspect" ? stray(["epsilon"]) : undefined;
  if (unable) throw usage(onlyFor(unable, "MODEL"));
  const equals = command === "blocks" || command === "export" ? undefined : stray(EQUIVALENCE_ONLY);
  if (equals) throw usage(onlyFor(equals, "blocks MODEL"));
  const blocks = command === "blocks" ? undefined : stray(BLOCKS_ONLY);
  if (blocks) throw usage(onlyFor(blocks, "blocks MODEL"));
  const exported = command === "export" ? undefined : stray(EXPORT_ONLY);
  if (exported) throw usage(onlyFor(exported, "export MODEL"));
  if (command === "export" && values.ode === undefined) throw usage(noOde());
  const foreign = command === "curve" ? undefined : stray(CURVE_ONLY);
  if (foreign) throw usage(onlyFor(foreign, "curve MODEL"));
  const method = String(values.methods ?? "projected").split(",").find((name) => name.trim() !== "projected");
  if (method !== undefined) throw usage(unknownMethod(method.trim()));
  const lonely = values.data === undefined ? stray(DATA_ONLY) : undefined;
  if (lonely) throw usage(needsData(lonely));
}

/** @param {{epsilon?: string, retain?: string, "max-deviation"?: string}} values @returns {Target} */
function targetOf({ epsilon, retain, "max-deviation": deviation }) {
  if ([epsilon, retain, deviation].filter((value) => value !== undefined).length > 1) throw usage(oneTarget());
  if (epsilon !== undefined) {
    return { kind: "epsilon", value: numberOf("epsilon", epsilon, "a number from 0 on", (e) => e >= 0) };
  }
  if (retain !== undefined) {
    return { kind: "retain", value: numberOf("retain", retain, "a share such as 30% or 0.3", (r) => r > 0 && r <= 1) };
  }
  if (deviation !== undefined) {
    return { kind: "deviation", value: numberOf("max-deviation", deviation, "a share such as 1% or 0.01", (d) => d > 0) };
  }
  return DEFAULT_TARGET;
}

/** @param {string|undefined} out @returns {"onnx"|"json"|undefined} */
function formatOf(out) {
  if (out === undefined) return undefined;
  if (/\.onnx$/i.test(out)) return "onnx";
  if (/\.json$/i.test(out)) return "json";
  throw usage(unknownEnding(out));
}
