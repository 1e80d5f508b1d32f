// report: a Report as one HTML page that needs nothing else: no scripts, no fonts, no network; drawings are inline SVG.
import { Html, NONE, fixed, html } from "./html.js";
import { apart, dashOf, linesOf } from "./lines.js";
import { certificateLine, certificateScope, count, lineName, measureLine, percent, plural, polishLine, prunedLine, scoreLine, short, size, verifiedLine } from "./messages.js";
import { PRUNING } from "./methods.js";
import { outputsSection } from "./report_outputs.js";

/**
 * @typedef {import("./types.js").Report} Report
 * @typedef {import("./types.js").CurvePoint} CurvePoint
 */

const STYLE = new Html(`
:root { color-scheme: light dark; --ink: #16191d; --soft: #5b6570; --line: #dfe3e8; --paper: #fbfbfa; --card: #fff; --accent: #0b7a57; --track: #e4e8ec; --bad: #b3261e; --changed: #f08a4b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa4af; --line: #2b3138; --paper: #121417; --card: #1a1d21; --accent: #4cc79c; --track: #2b3138; --bad: #ff8a80; --changed: #b4531a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 60rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: .9rem; margin: 0 0 .75rem; color: var(--soft); }
p { margin: .25rem 0 1.25rem; color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem 1.25rem; margin-top: 1rem; overflow-x: auto; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem 2rem; margin: 0; }
dt, small, .soft { color: var(--soft); font-size: .85rem; } dd { margin: 0; } dd b { font-size: 1.5rem; font-variant-numeric: tabular-nums; display: block; line-height: 1.3; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th { text-align: left; font-weight: 500; color: var(--soft); font-size: .85rem; }
th, td { padding: .25rem 1rem .25rem 0; vertical-align: baseline; } .n { text-align: right; } .bar { width: 45%; min-width: 8rem; }
.bar svg { display: block; width: 100%; height: .9rem; } .bad { color: var(--bad); font-weight: 600; } summary { cursor: pointer; color: var(--soft); margin-top: .75rem; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } .chart { width: 100%; height: auto; display: block; }
.grid { stroke: var(--line); } .curve { fill: none; stroke: var(--accent); stroke-width: 2.5; stroke-linejoin: round; } .dot { fill: var(--accent); } .here { fill: var(--card); stroke: var(--accent); stroke-width: 3; }
.other { stroke: var(--soft); stroke-width: 1.75; } .leader { stroke: var(--line); fill: none; } svg .name { fill: var(--ink); font-weight: 600; }
.track { fill: var(--track); } .kept { fill: var(--accent); }
.square { display: block; max-width: 100%; } .diagonal { stroke: var(--soft); stroke-dasharray: 4 4; } .pair { fill: var(--accent); fill-opacity: .5; }
.ground { fill: var(--paper); } .same { fill: var(--track); } .changed { fill: var(--changed); } svg .cell { fill: var(--ink); }
`);

/**
 * @param {Report} report
 * @param {{curve?: CurvePoint[]|null, outputs?: import("./types.js").Outputs|null}} [options] outputs: some of both networks
 * @returns {string} the page
 */
export function htmlReport(report, { curve = null, outputs = null } = {}) {
  const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${report.model}: ${percent(report.retained)} of its parameters</title>
<style>${STYLE}</style>
<h1>${report.model}</h1>
<p>${PRUNING.includes(report.method) ? "pruned" : "made smaller"} by netlump ${report.netlump}: ${targetLine(report)}; measured on ${measureLine(report.measure, report.seed)}</p>
${figures(report)}
${curve && curve.length > 1 ? curveSection(report, curve) : NONE}
${sitesSection(report)}
${outputs && outputs.rows > 0 ? outputsSection(report, outputs) : NONE}
${report.skipped.length > 0 ? skippedSection(report) : NONE}
${detailsSection(report)}
</html>
`;
  return page.text;
}

/** @param {Report} report */
function targetLine({ target, epsilon, method }) {
  const tolerance = epsilon === null ? [] : [`ε = ${short(epsilon)}`];
  const asked = {
    epsilon: [],
    retain: [`at most ${percent(target.value)} of the parameters`],
    deviation: [`output deviation at most ${percent(target.value)}`],
    accuracy: [`accuracy at least ${percent(target.value)}`],
    mse: [`mean squared error at most ${short(target.value)}`],
  }[target.kind];
  return [`method ${method}`, ...asked, ...tolerance].join(", ");
}

/** @param {string} label @param {string} value @param {string} note */
const figure = (label, value, note) => html`<div><dt>${label}</dt><dd><b>${value}</b><small>${note}</small></dd></div>`;

/** @param {Report} report */
function figures({ method, parameters, bytes, retained, deviation, largest, polish, score }) {
  const pruned = PRUNING.includes(method);
  return html`<section><dl>
${figure(pruned ? "Parameters not 0" : "Parameters", count(parameters.after), `of ${count(parameters.before)}: ${percent(retained)}`)}
${figure("File", size(bytes.after), `of ${size(bytes.before)}: ${percent(bytes.after / bytes.before)}`)}
${figure("Outputs change by", percent(deviation), `RMS, of their spread; at most ${short(largest)}`)}
${polish ? figure("Polish", `${percent(polish.before)} → ${percent(polish.after)}`, polishLine(polish)) : NONE}
${score ? figure(score.kind === "mse" ? "MSE" : "Accuracy", score.kind === "mse" ? short(score.after) : percent(score.after), scoreLine(score)) : NONE}
</dl></section>`;
}

/** @param {Report} report */
function sitesSection({ sites, method }) {
  const foretold = sites.some((site) => site.deviation !== null); // by projected lumping alone
  const widest = sites.reduce((width, site) => Math.max(width, site.before), 1);
  const rows = sites.map(
    ({ name, before, after, deviation }) => html`<tr><td>${name}</td>
<td class="bar"><svg viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label="${after} of ${before}"><rect class="track" width="${fixed((100 * before) / widest)}" height="4"/><rect class="kept" width="${fixed((100 * after) / widest)}" height="4"/></svg></td>
<td class="n">${count(before)} → <b>${count(after)}</b></td>${foretold ? html`<td class="n">${deviation === null ? "" : percent(deviation)}</td>` : NONE}</tr>`,
  );
  const note = PRUNING.includes(method) ? html`<p>${prunedLine()}</p>` : NONE;
  return html`<section><h2>Neurons per layer</h2>${note}<table><tr><th>layer</th><th></th><th class="n">neurons</th>${foretold ? html`<th class="n">deviation</th>` : NONE}</tr>${rows}</table></section>`;
}

/** @param {Report} report */
function skippedSection({ skipped }) {
  const rows = skipped.map(({ node, reason }) => html`<tr><td>${node}</td><td>${reason}</td></tr>`);
  return html`<section><h2>Left as they were</h2><table>${rows}</table></section>`;
}

/** @param {Report} report */
function detailsSection(report) {
  const bad = report.verified && "agrees" in report.verified && report.verified.agrees === false;
  const kept = report.sites.map((site) => html`<tr><td>${site.name}</td><td>${site.kept.join(" ")}</td></tr>`);
  return html`<section><h2>Check</h2><div class="${bad ? "bad" : "soft"}">${verifiedLine(report.verified)}</div>
${report.certificate ? certificateParts(report.certificate) : NONE}
<details><summary>Neurons kept, by their number in the original</summary><table>${kept}</table></details>
</section>`;
}

/** @param {NonNullable<Report["certificate"]>} certificate */
function certificateParts(certificate) {
  const line = html`<div class="soft">Worst case: ${certificateLine(certificate)}</div>`;
  if ("unavailable" in certificate) return line;
  const { low, high, foundAt } = certificate;
  const rows = low.map((from, i) => html`<tr><td class="n">${i + 1}</td><td class="n">${short(from)}</td><td class="n">${short(high[i])}</td><td class="n">${short(foundAt[i])}</td></tr>`);
  return html`${line}
<details><summary>What that covers, and the box: a range for each input</summary>${certificateScope(certificate).map((sentence) => html`<p>${sentence}</p>`)}
<table><tr><th class="n">input</th><th class="n">from</th><th class="n">to</th><th class="n">largest change found at</th></tr>${rows}</table></details>`;
}

// ---- the curve: retained parameters against deviation, both logarithmic ------------------------------------------------

const WIDTH = 720;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 28;
const TOP = 12;
const BOTTOM = 44;
const FLOOR = 1e-6; // what is exact has no place on a logarithmic axis

/** A logarithmic scale. @param {number} from @param {number} to @param {number} start @param {number} end */
const logScale = (from, to, start, end) => (/** @type {number} */ value) =>
  start + ((end - start) * Math.log(value / from)) / Math.log(to / from || 1);

/** Round numbers between two numbers: four or more of them where there is a power of ten to hold on to, eight at most.
 * @param {number} from @param {number} to @returns {number[]} */
function ticks(from, to) {
  const tens = Array.from({ length: 40 }, (_, i) => 10 ** (i - 30));
  const inside = (/** @type {number[]} */ steps) =>
    tens.flatMap((ten) => steps.map((step) => step * ten)).filter((t) => t >= from * 0.999 && t <= to * 1.001);
  const choices = [[1, 2, 5], [1, 3], [1]].map(inside); // prettier-ignore
  return choices.find((choice) => choice.length <= 8) ?? choices[2].filter((_, i) => i % 2 === 0);
}

const tickText = (/** @type {number} */ share) => `${Number((100 * share).toPrecision(2))} %`;

/** @param {Report} report @param {CurvePoint[]} curve */
function curveSection(report, curve) {
  const several = linesOf(curve).length > 1;
  const rows = curve.map(
    (point) => html`<tr>${several ? html`<td>${lineName(point)}</td>` : NONE}<td class="n">${point.epsilon === null ? "" : short(point.epsilon)}</td><td class="n">${count(point.parameters)}</td><td class="n">${percent(point.retained)}</td><td class="n">${percent(point.deviation)}</td><td class="n">${point.score === null ? "" : short(point.score)}</td></tr>`,
  );
  return html`<section><h2>Size against deviation</h2>${curveSvg(report, curve)}
<details><summary>${plural(curve.length, "point")} as a table</summary><table><tr>${several ? html`<th>method</th>` : NONE}<th class="n">ε</th><th class="n">parameters</th><th class="n">retained</th><th class="n">deviation</th><th class="n">score</th></tr>${rows}</table></details></section>`;
}

const LETTER = 7; // px, for the room the lines' names need
const NAME_GAP = 16;

/** @typedef {import("./lines.js").Line} Line @typedef {(value: number) => number} Scale */

/** Names at the right of their lines, several alone; one needs none. @param {Line[]} lines @param {number} right @param {Scale} x @param {Scale} y */
function names(lines, right, x, y) {
  if (lines.length < 2) return [];
  const ends = lines.map(({ points }) => points[points.length - 1]);
  const heights = apart(ends.map((end) => y(end.deviation)), NAME_GAP, TOP, HEIGHT - BOTTOM);
  return lines.map((line, i) => {
    const [fromX, fromY] = [x(ends[i].retained), y(ends[i].deviation)].map(fixed);
    return html`<polyline class="leader" points="${fromX},${fromY} ${fixed(right + 6)},${fixed(heights[i])}"/><text class="name" x="${fixed(right + 10)}" y="${fixed(heights[i] + 4)}">${lineName(line)}</text>`;
  });
}

/** @param {Report} report @param {CurvePoint[]} curve */
function curveSvg({ retained, deviation }, curve) {
  const lift = (/** @type {number} */ value) => Math.max(value, FLOOR);
  const points = curve.filter((point) => point.deviation > FLOOR);
  const lines = linesOf(points);
  const right = WIDTH - (lines.length > 1 ? 24 + LETTER * Math.max(...lines.map((line) => lineName(line).length)) : RIGHT);
  const all = [...points, { retained, deviation: lift(deviation) }];
  const xs = all.map((point) => point.retained);
  const ys = all.map((point) => point.deviation);
  const [x0, x1, y0, y1] = [Math.min(...xs) * 0.9, 1, Math.min(...ys) * 0.8, Math.max(...ys) * 1.25];
  const x = logScale(x0, x1, LEFT, right);
  const y = logScale(y0, y1, HEIGHT - BOTTOM, TOP);
  const across = ticks(y0, y1).map((t) => html`<line class="grid" x1="${LEFT}" x2="${right}" y1="${fixed(y(t))}" y2="${fixed(y(t))}"/><text x="${LEFT - 8}" y="${fixed(y(t) + 4)}" text-anchor="end">${tickText(t)}</text>`);
  const down = ticks(x0, x1).map((t) => html`<text x="${fixed(x(t))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tickText(t)}</text>`);
  const at = (/** @type {{retained: number, deviation: number}} */ point) => `${fixed(x(point.retained))},${fixed(y(point.deviation))}`;
  const drawn = lines.map((line, i) => html`<polyline class="curve${i > 0 ? " other" : ""}" points="${line.points.map(at).join(" ")}" stroke-dasharray="${dashOf(i)}"/>`);
  const dots = (lines[0]?.points ?? []).map((point) => html`<circle class="dot" cx="${fixed(x(point.retained))}" cy="${fixed(y(point.deviation))}" r="3"><title>${percent(point.retained)}, deviation ${percent(point.deviation)}</title></circle>`);
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="t d"><title id="t">Size against deviation</title>
<desc id="d">Deviation of the outputs grows from ${percent(Math.min(...ys))} to ${percent(Math.max(...ys))} as parameters shrink to ${percent(Math.min(...xs))}.</desc>
${across}${down}<text x="${(LEFT + right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">retained parameters</text>
${drawn}${dots}${names(lines, right, x, y)}
<circle class="here" cx="${fixed(x(retained))}" cy="${fixed(y(lift(deviation)))}" r="6"><title>this model: ${percent(retained)}, deviation ${percent(deviation)}</title></circle></svg>`;
}
