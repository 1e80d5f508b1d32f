// One SVG of the growth: a row of two panels for each thing varied, time and memory. Dots are measured, hollow ones with the user's
// rows; the dashed lines are the counts, set to go through the largest dot.
import { scaleLog } from "../../web/charts/scale.js";
import { line } from "../../web/charts/shape.js";
import { logTicks } from "../../web/charts/ticks.js";
import { spread } from "./paper/chart.mjs";

/**
 * @typedef {import("./growth.mjs").Study} Study
 * @typedef {import("./growth.mjs").Point} Point
 * @typedef {import("./growth_cost.js").Call} Call
 * @typedef {(points: Point[], call: Call) => {fitted: number, counted: number}} Exponents
 * @typedef {(value: number) => number} Scale
 */

const WIDTH = 800;
const TOP = 78;
const ROW = { height: 232, top: 40, bottom: 32 };
const PANELS = [
  { left: 56, right: 266, calls: /** @type {Call[]} */ (["result", "path", "open"]), what: "processor seconds" },
  { left: 450, right: 650, calls: /** @type {Call[]} */ (["memory"]), what: "WebAssembly memory, MB" },
];
const LABEL = { gap: 15, lead: 14 };

/** light, dark */
const LOOK = /** @type {Record<Call, [string, string]>} */ ({ result: ["#1d5fd0", "#7fb0ff"], path: ["#0a7556", "#4fd3a4"], open: ["#85600b", "#deb04e"], memory: ["#6d3fd1", "#b79cff"] });

const rules = (/** @type {0|1} */ theme) =>
  Object.entries(LOOK)
    .map(([call, colours]) => `.${call}{stroke:${colours[theme]}}circle.${call}{fill:${colours[theme]}}text.${call}{fill:${colours[theme]};stroke:none}`)
    .join("");
const hollow = (/** @type {string} */ page) => `circle.rows{fill:${page}}`;

const STYLE = `
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#14171b}
.title{font-size:16px;font-weight:600}.varied{font-size:13px;font-weight:600}.soft{fill:#565f6b}
.page{fill:#fff}.grid{stroke:#e4e7e9}
path{fill:none;stroke-width:1.5}path.count{stroke-dasharray:4 3;stroke-width:1.25}circle{stroke-width:1.5}${rules(0)}${hollow("#fff")}
@media(prefers-color-scheme:dark){text{fill:#f0f2f4}.soft{fill:#a0a8b3}.page{fill:#191c21}.grid{stroke:#2b2f37}${rules(1)}${hollow("#191c21")}}
`;

const escaped = (/** @type {string} */ text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const px = (/** @type {number} */ value) => String(Math.round(value * 10) / 10);

/** @param {number} x @param {number} y @param {string} text @param {string} [style] @param {string} [anchor] */
const words = (x, y, text, style = "", anchor = "start") =>
  `<text class="${style}" x="${px(x)}" y="${px(y)}"${anchor === "start" ? "" : ` text-anchor="${anchor}"`}>${escaped(text)}</text>`;

/** 4096 as 4k. @param {number} size */
const short = (size) => (size < 1000 ? String(size) : size < 1e6 ? `${Math.round(size / (size % 1024 === 0 ? 1024 : 1000))}k` : `${(size / 1e6).toFixed(1)}M`);

/** Every second size where they would not all fit. @param {number[]} sizes */
const thinned = (sizes) => sizes.filter((_, i) => sizes.length < 6 || (sizes.length - 1 - i) % 2 === 0);

/** @param {Point} point @param {Call} call */
const valueOf = (point, call) => (call === "memory" ? point.measured.memory / 1e6 : point.measured[call]);

/** The counts of one call in its units. @param {Point[]} points @param {Call} call @returns {[number, number][]} */
function counts(points, call) {
  const last = points[points.length - 1];
  const by = valueOf(last, call) / last.counted[call];
  return points.map(({ size, counted }) => [size, by * counted[call]]);
}

/** @param {Point[]} points @param {Call} call @param {Scale} x @param {Scale} y */
function drawCall(points, call, x, y) {
  const free = points.filter((point) => point.free);
  const place = line(/** @param {[number, number]} at */ ([size]) => x(size), ([, value]) => y(value));
  const measured = place(free.map((point) => /** @type {[number, number]} */ ([point.size, valueOf(point, call)])));
  const dots = points.map((point) => `<circle class="${call}${point.free ? "" : " rows"}" cx="${px(x(point.size))}" cy="${px(y(valueOf(point, call)))}" r="${point.free ? 3 : 2.5}"/>`);
  // the dots of the user's rows on top, small enough to show both
  return [`<path class="${call} count" d="${place(counts(free, call))}"/>`, `<path class="${call}" d="${measured}"/>`, ...dots].join("");
}

/** @param {number} low @param {number} high */
const ticksOf = (low, high) => logTicks(low, high, high / low > 100 ? [1] : [1, 2, 5], 6);

/** @param {typeof PANELS[number]} panel @param {Study} study @param {number} top @param {Exponents} exponents */
function drawPanel({ left, right, calls, what }, { points }, top, exponents) {
  const bottom = top + ROW.height - ROW.top - ROW.bottom;
  const free = points.filter((point) => point.free);
  const shown = calls.filter((call) => call !== "open" || free.some((point) => point.measured.open > 1e-3));
  const all = shown.flatMap((call) => [...points.map((point) => valueOf(point, call)), ...counts(free, call).map(([, value]) => value)]);
  const low = Math.max(Math.min(...shown.flatMap((call) => points.map((point) => valueOf(point, call)))), 1e-3) / 1.3;
  const high = Math.max(...all) * 1.2;
  const x = scaleLog([free[0].size, free[free.length - 1].size], [left + 6, right - 6]);
  const y = scaleLog([low, high], [bottom, top]).clamp(true);
  const grid = ticksOf(low, high).map((tick) => `<line class="grid" x1="${left}" y1="${px(y(tick))}" x2="${right}" y2="${px(y(tick))}"/>${words(left - 6, y(tick) + 4, String(tick), "soft", "end")}`);
  const sizes = thinned(free.map(({ size }) => size)).map((size) => words(x(size), bottom + 17, short(size), "soft", "middle"));
  const ends = shown.map((call) => y(valueOf(free[free.length - 1], call)));
  const heights = spread(ends, LABEL.gap, top + 6, bottom - 4);
  const labels = shown.map((call, i) => {
    const { fitted, counted } = exponents(free, call);
    return words(right + LABEL.lead, heights[i] + 4, `${call} ${fitted.toFixed(2)} (${counted.toFixed(2)})`, call);
  });
  return [words(left, top - 8, what, "soft"), ...grid, ...sizes, ...shown.map((call) => drawCall(points, call, x, y)), ...labels].join("\n");
}

/** @param {Study[]} studies @param {Exponents} exponents @returns {string} an SVG file */
export function drawGrowth(studies, exponents) {
  const height = TOP + studies.length * ROW.height + 4;
  const rows = studies.map((study, i) => {
    const top = TOP + i * ROW.height;
    return [words(16, top + 14, `${study.title}: ${study.fixed}`, "varied"), ...PANELS.map((panel) => drawPanel(panel, study, top + ROW.top, exponents))].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="t d">
<title id="t">How time and memory grow</title>
<desc id="d">Time and memory of opening a model, of its path and of a result, against neurons, rows, layers and parameters, on logarithmic axes. The numbers are in RESULTS.md.</desc>
<style>${STYLE}</style>
<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>
${words(16, 28, "How time and memory grow", "title")}
${words(16, 48, "Dots: measured; hollow: with the user's rows. Dashed: counted multiplications or bytes, through the largest dot.", "soft")}
${words(16, 65, "Beside the lines: the exponent fitted to the upper half (that of the count there).", "soft")}
${rows.join("\n")}
</svg>
`;
}
