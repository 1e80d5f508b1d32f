// report_outputs: what both networks answer, for the report: classes against classes where they choose one, else outputs against
// outputs.
import { DRAWN_CLASSES, answersOf, chooses, confusedPairs, confusionOf, labelsOf } from "./classes.js";
import { NONE, fixed, html } from "./html.js";
import { count, plural, short } from "./messages.js";

/** @typedef {import("./types.js").Outputs} Outputs @typedef {import("./classes.js").Confusion} Confusion */

const LEFT = 64;
const TOP = 16;
const BOTTOM = 44;
const SIDE = 320;
const DOTS = 1200;
const PAIRS = 20; // in the table

/** @param {import("./types.js").Report} report @param {Outputs} outputs */
export const outputsSection = (report, outputs) => (chooses(outputs, report) ? classesSection(outputs) : scatterSection(outputs));

/** Which rows. @param {Outputs} outputs */
const rowsLine = ({ rows, total, drawn }) => (drawn ? `${plural(rows, "random row")}` : rows < total ? `the first ${count(rows)} of ${plural(total, "row")}` : plural(rows, "row"));

// ---- classes ---------------------------------------------------------------------------------------------------------

/** @param {Outputs} outputs */
function classesSection(outputs) {
  const { original, reduced, results } = outputs;
  const given = answersOf(reduced, results);
  const said = confusionOf(answersOf(original, results), given, results);
  const labels = labelsOf(outputs);
  const wanted = labels && confusionOf(labels, given, results);
  const pairs = confusedPairs(said);
  const table = html`<table><tr><th class="n">original’s answer</th><th class="n">reduced network’s answer</th><th class="n">rows</th></tr>
${pairs.slice(0, PAIRS).map((pair) => html`<tr><td class="n">${pair.asked}</td><td class="n">${pair.given}</td><td class="n">${count(pair.rows)}</td></tr>`)}</table>`;
  const drawn = results <= DRAWN_CLASSES;
  return html`<section><h2>Original against reduced answers</h2>
<p>Both networks give the same answer on ${count(said.same)} of ${count(said.rows)} rows${wanted ? `; the reduced one answers as labelled on ${count(wanted.same)}` : ""} (${rowsLine(outputs)}).</p>
${drawn ? confusionSvg(said) : NONE}
${pairs.length === 0 ? NONE : drawn ? html`<details><summary>What changed, as a table</summary>${table}</details>` : table}</section>`;
}

/** @param {Confusion} confusion */
function confusionSvg(confusion) {
  const { classes, counts } = confusion;
  const cell = Math.min(34, SIDE / classes);
  const side = cell * classes;
  const most = Math.max(1, ...confusedPairs(confusion).map(({ rows }) => rows));
  const every = Math.max(1, Math.ceil(24 / cell));
  const named = [...Array(classes).keys()].filter((i) => i % every === 0);
  const cells = [...counts].map(([at, rows]) => {
    const [row, column] = [Math.floor(at / classes), at % classes];
    const [x, y] = [LEFT + column * cell, TOP + row * cell];
    const opacity = row === column ? 1 : 0.35 + (0.65 * rows) / most;
    const written = cell >= 8 * String(rows).length + 3 ? html`<text class="cell" x="${fixed(x + cell / 2)}" y="${fixed(y + cell / 2 + 4)}" text-anchor="middle">${rows}</text>` : NONE;
    return html`<rect class="${row === column ? "same" : "changed"}" x="${fixed(x)}" y="${fixed(y)}" width="${fixed(cell)}" height="${fixed(cell)}" fill-opacity="${fixed(opacity)}"><title>${row} → ${column}: ${plural(rows, "row")}</title></rect>${written}`;
  });
  const names = named.map((i) => html`<text x="${LEFT - 8}" y="${fixed(TOP + (i + 0.5) * cell + 4)}" text-anchor="end">${i}</text><text x="${fixed(LEFT + (i + 0.5) * cell)}" y="${fixed(TOP + side + 18)}" text-anchor="middle">${i}</text>`);
  return html`<svg class="square" width="${fixed(LEFT + side + 8)}" height="${fixed(TOP + side + BOTTOM)}" role="img" aria-labelledby="ct cd"><title id="ct">Original against reduced answers</title>
<desc id="cd">Rows: the class the original answers with, columns: the reduced network. On the diagonal they agree.</desc>
<rect class="ground" x="${LEFT}" y="${TOP}" width="${fixed(side)}" height="${fixed(side)}"/>${cells}${names}
<text x="${LEFT - 8}" y="11" text-anchor="end">original</text><text x="${fixed(LEFT + side / 2)}" y="${fixed(TOP + side + 38)}" text-anchor="middle">reduced</text></svg>`;
}

// ---- outputs ---------------------------------------------------------------------------------------------------------

/** @param {Outputs} outputs */
function scatterSection(outputs) {
  const { original, reduced, results } = outputs;
  const shown = Math.min(original.length, Math.max(1, Math.floor(DOTS / results)) * results);
  return html`<section><h2>Original against reduced output</h2>
<p>Each point is one of ${plural(results, "output")} of a row; on the diagonal both networks agree (${rowsLine({ ...outputs, rows: shown / results })}).</p>
${scatterSvg(original.subarray(0, shown), reduced.subarray(0, shown))}</section>`;
}

/** Some five round numbers within a range. @param {number} low @param {number} high */
function roundTicks(low, high) {
  const rough = (high - low) / 4 || 1;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * ten).find((one) => one >= rough) ?? rough;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** @param {Float64Array} original @param {Float64Array} reduced */
function scatterSvg(original, reduced) {
  const reach = (/** @type {"min"|"max"} */ end) => [...original, ...reduced].reduce((best, y) => Math[end](best, y));
  const [low, high] = [reach("min"), reach("max")];
  const at = (/** @type {number} */ y) => (SIDE * (y - low)) / (high - low || 1);
  const x = (/** @type {number} */ y) => fixed(LEFT + at(y));
  const y = (/** @type {number} */ value) => fixed(TOP + SIDE - at(value));
  const ticks = roundTicks(low, high).map((t) => html`<line class="grid" x1="${LEFT}" x2="${LEFT + SIDE}" y1="${y(t)}" y2="${y(t)}"/><text x="${LEFT - 8}" y="${fixed(Number(y(t)) + 4)}" text-anchor="end">${short(t)}</text><text x="${x(t)}" y="${TOP + SIDE + 18}" text-anchor="middle">${short(t)}</text>`);
  const dots = [...original].map((one, i) => html`<circle class="pair" cx="${x(one)}" cy="${y(reduced[i])}" r="2"/>`);
  return html`<svg class="square" width="${LEFT + SIDE + 24}" height="${TOP + SIDE + BOTTOM}" role="img" aria-labelledby="st sd"><title id="st">Original against reduced output</title>
<desc id="sd">Outputs of the original across, of the reduced network upwards, from ${short(low)} to ${short(high)}.</desc>
${ticks}<line class="diagonal" x1="${x(low)}" y1="${y(low)}" x2="${x(high)}" y2="${y(high)}"/>${dots}
<text x="${LEFT - 8}" y="11" text-anchor="end">reduced</text><text x="${LEFT + SIDE / 2}" y="${TOP + SIDE + 38}" text-anchor="middle">original</text></svg>`;
}
