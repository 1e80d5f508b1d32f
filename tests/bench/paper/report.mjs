// RESULTS.md from the rows: two tables a network, and what they say about projected lumping.
import { METHODS, SHARES, SYSTEMS, TITLES } from "./cases.mjs";

/** @typedef {import("./results.mjs").Row} Row */

const CLOSE = 1.02; // within 2 % of the best counts as good as the best
const SHORT = 0.9; // a reached share below this part of the asked one is told

/** Three digits, from 1.02e4 on with an exponent. @param {number} factor */
export function factorText(factor) {
  if (!Number.isFinite(factor)) return "∞";
  if (factor >= 9995) return factor.toExponential(1).replace("+", "");
  if (factor >= 99.95) return factor.toFixed(0);
  return factor.toFixed(factor >= 9.995 ? 1 : 3);
}

const percentText = (/** @type {number} */ share) => `${Number((share * 100).toPrecision(share < 0.1 ? 2 : 3))} %`;

/** The rows of one table. @param {Row[]} rows @param {string} set @param {string} network @param {boolean} polish */
const tableRows = (rows, set, network, polish) =>
  rows.filter((row) => row.system === set && row.network === network && row.polish === polish && METHODS.some(({ id }) => id === row.method));

/** @param {Row[]} rows of one share @returns {Row|undefined} */
const bestOf = (rows) => rows.filter((row) => !Number.isNaN(row.factor)).sort((a, b) => a.factor - b.factor)[0];

/** @param {Row|undefined} row @param {Row|undefined} best */
function cell(row, best) {
  if (row === undefined) return "…";
  if (row.note === "UNSUPPORTED") return "n/a";
  if (row.note === "NOT_FINITE") return "∞";
  if (row.note !== "") return "";
  const factor = factorText(row.factor);
  const short = row.retained < SHORT * row.asked ? ` (${percentText(row.retained)})` : "";
  return `${row.factor === best?.factor ? `**${factor}**` : factor}${short}`;
}

/** @param {Row[]} rows of one table */
function table(rows) {
  const lines = [`| method | ${SHARES.map(percentText).join(" | ")} |`, `|---|${SHARES.map(() => "--:").join("|")}|`];
  for (const { id } of METHODS) {
    const cells = SHARES.map((share) => {
      const column = rows.filter((row) => row.asked === share);
      return cell(column.find((row) => row.method === id), bestOf(column));
    });
    if (cells.some((text) => text !== "…")) lines.push(`| ${id} | ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}

/**
 * Where projected lumping on the rows is neither the best of its table's column nor within 2 % of the best.
 * @param {Row[]} rows of one table
 * @returns {{asked: number, factor: number, best: Row}[]}
 */
export function beaten(rows) {
  return SHARES.flatMap((asked) => {
    const column = rows.filter((row) => row.asked === asked);
    const own = column.find((row) => row.method === "projected");
    const best = bestOf(column);
    if (own === undefined || best === undefined || own.factor <= best.factor * CLOSE) return [];
    return [{ asked, factor: own.factor, best }];
  });
}

/** @param {Row[]} rows @param {boolean} polish */
function verdict(rows, polish) {
  const lines = [];
  let columns = 0;
  let itself = 0; // beaten by its own data-free variant alone
  for (const { set, network } of networksOf(rows)) {
    const own = tableRows(rows, set, network, polish);
    columns += own.filter((row) => row.method === "projected").length;
    for (const { asked, factor, best } of beaten(own)) {
      itself += Number(best.method === "projected-free");
      lines.push(`- ${TITLES[set]}, ${network}, ${percentText(asked)}: ${Number.isNaN(factor) ? "no result" : factorText(factor)}; ${best.method} ${factorText(best.factor)}`);
    }
  }
  if (columns === 0) return "Not computed.";
  const sentence = `projected is the best or within 2 % of the best in ${columns - lines.length} of ${columns} columns`;
  const others = itself > 0 ? ` Of the other ${lines.length}, ${itself} go to projected lumping without data, which has 8,192 inputs to look at.` : "";
  return lines.length === 0 ? `Here ${sentence}.` : `Here ${sentence}.${others} It is not at:\n\n${lines.join("\n")}`;
}

/** @param {Row[]} rows */
function networksOf(rows) {
  const seen = new Map(rows.map((row) => [`${row.system} ${row.network}`, { set: row.system, network: row.network }]));
  return [...seen.values()];
}

/** @param {Row[]} rows @param {string} set @param {string} network */
function section(rows, set, network) {
  const reference = (/** @type {string} */ method) => rows.find((row) => row.system === set && row.network === network && row.method === method);
  const original = /** @type {Row} */ (reference("original"));
  const mean = /** @type {Row} */ (reference("mean"));
  const tables = [false, true].flatMap((polish) => {
    const own = tableRows(rows, set, network, polish);
    return own.length === 0 ? [] : [`${polish ? "Polished" : "Unpolished"}:`, table(own)];
  });
  const size = original.parameters.toLocaleString("en");
  const factor = mean.factor.toPrecision(3);
  return [`### ${network}`, `${size} parameters, test MSE ${original.mse.toPrecision(3)}; always answering the mean has factor ${Number(factor)}.`, ...tables].join("\n\n");
}

/** @param {Row[]} rows @param {string} set */
function chapter(rows, set) {
  const networks = networksOf(rows).filter((one) => one.set === set);
  const origin = SYSTEMS.includes(set) ? "Equations and parameters in `systems.py`, networks trained by `train.py`." : "A trained network as found; its rows are test rows it never saw.";
  const chart = `![Size against error, ${TITLES[set]}](${set}.svg)`;
  return [`## ${TITLES[set]}`, origin, chart, ...networks.map(({ network }) => section(rows, set, network))].join("\n\n");
}

const methodLines = METHODS.map(({ id, words }) => `- **${id}**: ${words}`).join("\n");

const INTRODUCTION = `# The paper's experiment

Written by \`make bench-paper\`, all figures from \`results.csv\`. Test MSE over the original network's, at the share of parameters that is
left (weights and biases; of pruned weights, those that are not zero). The second half of the test rows scores; the first half, without its
labels, is the measure. Smaller is better, 1 is as good as the original; the best of a column is bold.

${methodLines}

Unpolished is what the method itself gives. Polished is the same network after the same label-free distillation, whatever the method.
A method never keeps more than asked; where it keeps less than nine tenths of that, the share it keeps stands in brackets. Blank: the method
cannot reach this share. n/a: the method does not apply to this network. ∞: the outputs are no numbers. …: not computed yet.
The networks of the four systems are trained here and differ a little from machine to machine; the real ones are at hand only where the
material lies beside the project.`;

/** @param {Row[]} rows @returns {string} */
export function markdown(rows) {
  const sets = Object.keys(TITLES).filter((set) => rows.some((row) => row.system === set));
  const verdicts = ["## Verdict", "Unpolished:", verdict(rows, false), "Polished:", verdict(rows, true)];
  return `${[INTRODUCTION, ...sets.map((set) => chapter(rows, set)), ...verdicts].join("\n\n")}\n`;
}
