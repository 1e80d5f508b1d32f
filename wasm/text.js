// text: what the command line prints for people.
import { count, fitLine, measureLine, percent, plural, scoreLine, short, size, verifiedLine } from "./messages.js";

/**
 * @typedef {import("./types.js").Report} Report
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./types.js").CurvePoint} CurvePoint
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
    ["tolerance", `ε = ${short(report.epsilon)}, ${report.method}`],
    ["measure", measureLine(report.measure, report.seed)],
    ...(score ? [["score", scoreLine(score)]] : []),
    ["verified", verifiedLine(verified)],
  ].map(([label, text]) => `${label.padEnd(10)}  ${text}`);
  const layers = columns(
    sites.map(({ name, before, after }) => [name, count(before), "→", count(after), bar(after / before)]),
    [1, 3],
  );
  const left = report.skipped.length > 0 ? ["", "left as they were", ...indented(reasons(report.skipped))] : [];
  return [bold(report.model), ...indented([...sizes.map((line) => bold(line)), ...facts]), "", "neurons", ...indented(layers), ...left, ""].join("\n");
}

/** @param {import("./types.js").Port} port */
const portText = ({ name, type, shape }) => `${name}: ${type} (${shape.map((dim) => dim ?? "?").join(", ")})`;

/** @param {ModelInfo} info @param {Paint} bold @returns {string} */
export function infoText(info, bold) {
  const made = [info.producer, info.format === "onnx" ? `opset ${info.opset}` : "netlump JSON"].filter(Boolean).join(", ");
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
  return [
    bold(info.name),
    ...indented([
      `${plural(info.parameters, "parameter")}, ${size(info.bytes)}${made ? `, ${made}` : ""}`,
      `in   ${info.inputs.map(portText).join("; ")}`,
      `out  ${info.outputs.map(portText).join("; ")}`,
      ...again,
    ]),
    "",
    `layers: ${plural(info.sites.length, "site")} to lump in ${plural(info.layers.length, "layer")}`,
    ...indented(layers),
    ...more,
    "",
  ].join("\n");
}

/** @param {CurvePoint[]} points @param {string} name @param {Paint} bold @returns {string} */
export function curveText(points, name, bold) {
  const scored = points.some((point) => point.score !== null);
  const rows = points.map((point) => [
    short(point.epsilon),
    count(point.parameters),
    percent(point.retained),
    percent(point.deviation),
    point.widths.join(" "),
    ...(scored ? [point.score === null ? "" : short(point.score)] : []),
  ]);
  const head = ["ε", "parameters", "retained", "deviation", "neurons", ...(scored ? ["score"] : [])];
  return [bold(name), ...indented(columns([head, ...rows], [0, 1, 2, 3, 5])), ""].join("\n");
}

/** @param {CurvePoint[]} points @returns {string} */
export function curveCsv(points) {
  const rows = points.map(({ method, epsilon, parameters, retained, deviation, score, widths }) =>
    [method, epsilon, parameters, retained, deviation, score ?? "", widths.join(" ")].join(","),
  );
  return `${["method,epsilon,parameters,retained,deviation,score,widths", ...rows].join("\n")}\n`;
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
