// text: what the command line prints for people.
import { bestOf } from "./compare.js";
import { guessedShape, isOpen } from "./inputs.js";
import { COMPARISON, certificateLine, count, curveWithout, fitLine, judgedLine, lineName, measureLine, methodLine, needsSizes, noPolish, originOf, percent, plural, polishLine, runByRuntime, scoreLine, shapeText, short, size, verifiedLine } from "./messages.js";
import { PRUNING } from "./methods.js";

/**
 * @typedef {import("./types.js").Report} Report
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./types.js").CurvePoint} CurvePoint
 * @typedef {import("./types.js").Comparison} Comparison
 * @typedef {import("./types.js").Compared} Compared
 * @typedef {(text: string) => string} Paint
 */

/** Rows of cells with columns lined up; those named in `right` to the right. @param {string[][]} rows @param {number[]} [right] */
export function columns(rows, right = []) {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i].length))) ?? [];
  return rows.map((row) =>
    row.map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  ").trimEnd(),
  );
}

const indented = (/** @type {string[]} */ lines) => lines.map((line) => `  ${line}`);

/** A share as a bar of so many characters; anything above nothing shows, and so does anything missing. @param {number} share @param {number} [width] */
export function bar(share, width = 24) {
  const part = Math.min(Math.max(Math.round(share * width), 1), width - 1);
  const filled = share <= 0 ? 0 : share >= 1 ? width : part;
  return "█".repeat(filled) + "░".repeat(width - filled);
}

/** "12 × reason" instead of twelve lines. @param {import("./types.js").Skipped[]} skipped @param {number} [most] */
export function reasons(skipped, most = 8) {
  const by = new Map();
  for (const { node, reason } of skipped) by.set(reason, [...(by.get(reason) ?? []), node]);
  const rows = [...by].map(([reason, nodes]) => [nodes.length === 1 ? nodes[0] : `${nodes[0]} and ${count(nodes.length - 1)} more`, reason]);
  const lines = columns(rows.slice(0, most));
  return rows.length > most ? [...lines, `and ${plural(rows.length - most, "other reason")}`] : lines;
}

/** @param {Report} report @param {Paint} bold @returns {string} */
export function reportText(report, bold) {
  const { parameters, bytes, score, verified, sites } = report;
  const sizes = columns(
    [
      ["parameters", count(parameters.before), "→", count(parameters.after), percent(report.retained)],
      ["file", size(bytes.before), "→", size(bytes.after), percent(bytes.after / bytes.before)],
    ],
    [1, 3, 4],
  );
  const facts = [
    ["deviation", `${percent(report.deviation)} of the outputs' spread, largest ${short(report.largest)}`],
    ["method", methodLine(report)],
    ["polish", report.engine === "runtime" && report.polish === null ? noPolish() : polishLine(report.polish)],
    ["measure", measureLine(report.measure, report.seed)],
    ...(score ? [["score", scoreLine(score)]] : []),
    ["verified", verifiedLine(verified)],
    ...(report.certificate ? [["worst case", certificateLine(report.certificate)]] : []),
  ].map(([label, text]) => `${label.padEnd(10)}  ${text}`);
  const layers = columns(
    sites.map(({ name, before, after }) => [name, count(before), "→", count(after), bar(after / before)]),
    [1, 3],
  );
  const left = report.skipped.length > 0 ? ["", "left as they were", ...indented(reasons(report.skipped))] : [];
  return [bold(report.model), ...indented([...sizes.map((line) => bold(line)), ...facts]), "", "neurons", ...indented(layers), ...left, ""].join("\n");
}

/** @param {import("./types.js").Port} port */
const portText = ({ name, type, shape }) => `${name}: ${type} ${shapeText(shape)}`;

/** @param {ModelInfo} info @param {Paint} bold @returns {string} */
export function infoText(info, bold) {
  const layers = columns(
    info.layers.map(({ name, op, width, activation, site, reason }) => [
      name,
      op,
      count(width),
      activation ?? "",
      site === null ? (reason ?? "") : "can be lumped",
    ]),
    [2],
  );
  const others = info.skipped.filter(({ node }) => !info.layers.some((layer) => layer.name === node));
  const more = others.length > 0 ? ["", "also left as they are", ...indented(reasons(others, Infinity))] : [];
  const again = info.relumped ? ["made by netlump already"] : [];
  const outside = info.engine === "runtime" ? [runByRuntime(), ...(info.features === 0 ? info.inputs.filter(isOpen).map((port) => needsSizes(port, guessedShape(port))) : [])] : [];
  return [
    bold(info.name),
    ...indented([
      [plural(info.parameters, "parameter"), size(info.bytes), ...originOf(info)].join(", "),
      `in   ${info.inputs.map(portText).join("; ")}`,
      `out  ${info.outputs.map(portText).join("; ")}`,
      ...outside,
      ...again,
    ]),
    "",
    `layers: ${plural(info.sites.length, "site")} to lump in ${plural(info.layers.length, "layer")}`,
    ...indented(layers),
    ...more,
    "",
  ].join("\n");
}

/** A block a method. @param {CurvePoint[]} points @param {string} name @param {Paint} bold @param {Map<string, string>} [missing] why methods give none */
export function curveText(points, name, bold, missing = new Map()) {
  const methods = [...new Set(points.map((point) => point.method))];
  const scored = points.some((point) => point.score !== null);
  const head = ["ε", "parameters", "retained", "deviation", "neurons", ...(scored ? ["score"] : [])];
  const blocks = methods.flatMap((method) => {
    const own = points.filter((point) => point.method === method);
    const rows = own.map((point) => [
      point.epsilon === null ? "" : short(point.epsilon),
      count(point.parameters),
      percent(point.retained),
      percent(point.deviation),
      point.widths.join(" "),
      ...(scored ? [point.score === null ? "" : short(point.score)] : []),
    ]);
    return ["", lineName(own[0]), ...indented(columns([head, ...rows], [0, 1, 2, 3, 5]))];
  });
  const without = [...missing].map(([method, why]) => curveWithout(method, why));
  return [bold(name), ...blocks, ...(without.length > 0 ? ["", ...without] : []), ""].join("\n");
}

// ---- comparisons -------------------------------------------------------------------------------------------------------

const FAR = 0.8; // a network smaller than this share of what it may have deserves a word

/** Notes to cells, by what they say: "a", "b"... @returns {{of: (text: string) => string, lines: () => string[]}} */
function noted() {
  /** @type {string[]} */
  const said = [];
  const mark = (/** @type {number} */ i) => (i < 26 ? String.fromCharCode(97 + i) : String(i - 25));
  return {
    of: (text) => mark(said.includes(text) ? said.indexOf(text) : said.push(text) - 1),
    lines: () => said.map((text, i) => `${mark(i)} ${text}`),
  };
}

/** @param {Compared} one */
const farOff = ({ share, retained, method }) =>
  retained !== null && retained < FAR * share ? COMPARISON.keeps(method, percent(retained)) : null;

/** Methods by shares. @param {Comparison} comparison @param {{figure: "deviation"|"score", polished: boolean, form: (value: number) => string, highest?: boolean}} table
 * @param {ReturnType<typeof noted>} notes */
function comparedTable({ entries, shares, methods }, { figure, polished, form, highest }, notes) {
  const own = entries.filter((one) => one.polished === polished);
  const best = shares.map((share) => bestOf(own.filter((one) => one.share === share), figure, highest));
  const cell = (/** @type {string} */ method, /** @type {number} */ share) => {
    const one = own.find((other) => other.method === method && other.share === share);
    const value = one?.[figure] ?? null;
    if (!one || value === null) return "–  ";
    const far = farOff(one);
    return `${form(value)}${best.includes(one) ? "*" : " "}${far ? notes.of(far) : " "}`;
  };
  const head = ["", ...shares.map((share) => `${percent(share)}  `)];
  const rows = methods.map((method) => [method, ...shares.map((share) => cell(method, share))]);
  return columns([head, ...rows], shares.map((_, i) => i + 1));
}

/** What could not be had, a line a reason. @param {Comparison} comparison */
function missingLines({ entries, methods, shares }) {
  return methods.flatMap((method) => {
    const by = new Map();
    for (const { share, missing } of entries.filter((one) => one.method === method && one.missing !== null)) by.set(missing, (by.get(missing) ?? new Set()).add(share));
    return [...by].map(([why, at]) =>
      at.size === shares.length ? COMPARISON.missingAll(method, why) : COMPARISON.missing(method, [...at].map(percent).join(", "), why),
    );
  });
}

/** @param {Comparison} comparison @param {{name: string, measure: import("./types.js").Measure, seed: number}} about @param {Paint} bold @returns {string} */
export function comparisonText(comparison, { name, measure, seed }, bold) {
  const { rows, score, methods, entries } = comparison;
  const notes = noted();
  const times = (/** @type {number} */ value) => `× ${short(value / (score?.value ?? 1))}`;
  const exact = score?.kind === "mse" && !(score.value > 0);
  const scoreTitle = score?.kind === "accuracy" ? `accuracy (original ${percent(score.value)})` : exact ? "MSE (original 0)" : `MSE over the original's (${short(score?.value ?? 0)})`;
  const form = score?.kind === "accuracy" ? percent : exact ? short : times;
  const tables = [
    { figure: /** @type {const} */ ("deviation"), title: "deviation", form: percent, highest: false },
    ...(score ? [{ figure: /** @type {const} */ ("score"), title: scoreTitle, form, highest: score.kind === "accuracy" }] : []),
  ];
  const stages = entries.some((one) => one.polished) ? [false, true] : [false];
  const blocks = tables.flatMap(({ title, ...table }) =>
    stages.flatMap((polished) => ["", `${title}${polished ? ", polished" : ""}, at retained parameters`, ...indented(comparedTable(comparison, { ...table, polished }, notes))]),
  );
  const pruned = methods.filter((method) => PRUNING.includes(method));
  const foot = [
    COMPARISON.best,
    ...(pruned.length > 0 ? [COMPARISON.pruned(pruned)] : []),
    ...(methods.includes("random") ? [COMPARISON.random] : []),
    ...notes.lines(),
    ...missingLines(comparison),
  ];
  return [bold(name), `  measured on ${measureLine(measure, seed)}`, `  ${judgedLine(rows, measure)}`, ...blocks, "", ...foot, ""].join("\n");
}

/** @param {import("./types.js").Polynomial[]} [polynomials] */
export const fitLines = (polynomials = []) => polynomials.filter(({ fitted }) => fitted).map(fitLine);

/** @param {import("./types.js").Blocks} found @param {string} name @param {Paint} bold @returns {string} */
export function blocksText({ blocks, constant, polynomials }, name, bold) {
  const neurons = blocks.reduce((sum, block) => sum + block.length, constant.length);
  const merged = blocks.filter((block) => block.length > 1);
  return [
    bold(name),
    ...indented([
      `${plural(neurons, "hidden neuron")} in ${plural(blocks.length, "block")}`,
      ...fitLines(polynomials),
      ...(constant.length > 0 ? [`constant: ${constant.join(" ")}`] : []),
      ...merged.map((block) => block.join(" ")),
    ]),
    "",
  ].join("\n");
}
