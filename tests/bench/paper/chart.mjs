// One SVG a data set: a row of two panels a network, size against error, unpolished and polished. Smaller networks lie to the
// right, where the methods part and their names stand.
import { scaleLog } from "../../../web/charts/scale.js";
import { line } from "../../../web/charts/shape.js";

import { logTicks } from "../../../web/charts/ticks.js";
import { percent } from "../../../web/format.js";
import { METHODS, TITLES } from "./cases.mjs";
import { factorText } from "./report.mjs";

/**
 * @typedef {import("./results.mjs").Row} Row
 * @typedef {{x: number, y: number}} Point
 * @typedef {{id: string, points: Point[]}} Line   in pixels
 */

const WIDTH = 800;
const TOP = 48; // above the first row of panels
const ROW = { height: 276, top: 44, bottom: 46 }; // of a network: its title above, its axis below
const PANELS = [{ left: 44, right: 264, polish: false }, { left: 444, right: 664, polish: true }];
const LABEL = { gap: 14, lead: 18 }; // between baselines; from the panel to the labels
const SIZES = { from: 0.85, to: 0.045 };

/** light, dark, dashes */
const LOOK = /** @type {Record<string, [string, string, string?]>} */ ({
  projected: ["#0a7556", "#4fd3a4"],
  "projected-free": ["#0a7556", "#4fd3a4", "5 3"],
  partition: ["#1d5fd0", "#7fb0ff"],
  adjoint: ["#6d3fd1", "#b79cff"],
  symmetric: ["#6d3fd1", "#b79cff", "5 3"],
  forward: ["#ad2c93", "#f08ad8"],
  polynomial: ["#0b7285", "#45c5dc"],
  wanda: ["#b8460b", "#ff9d5c"],
  magnitude: ["#b42323", "#ff8383"],
  "magnitude-global": ["#b42323", "#ff8383", "5 3"],
  norm: ["#85600b", "#deb04e"],
  random: ["#565f6b", "#a0a8b3", "2 3"],
});

const rules = (/** @type {0|1} */ theme) =>
  Object.entries(LOOK)
    .map(([id, colours]) => `.${id}{stroke:${colours[theme]}}text.${id}{fill:${colours[theme]};stroke:none}`)
    .join("");

const STYLE = `
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#14171b}
.title{font-size:16px;font-weight:600}.network{font-size:13px;font-weight:600}.soft{fill:#565f6b}
.page{fill:#fff}.grid{stroke:#e4e7e9}.level{stroke:#8b949e;stroke-dasharray:2 3}
path{fill:none;stroke-width:1.5;stroke-linejoin:round}path.projected{stroke-width:2.75}path.lead{stroke-width:.75;opacity:.6}
text.projected{font-weight:600}${rules(0)}
@media(prefers-color-scheme:dark){text{fill:#f0f2f4}.soft{fill:#a0a8b3}.page{fill:#191c21}.grid{stroke:#2b2f37}.level{stroke:#6b7480}${rules(1)}}
`;

const escaped = (/** @type {string} */ text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const px = (/** @type {number} */ value) => String(Math.round(value * 10) / 10);

/** @param {number} x @param {number} y @param {string} text @param {string} [style] @param {string} [anchor] */
const words = (x, y, text, style = "", anchor = "start") =>
  `<text class="${style}" x="${px(x)}" y="${px(y)}"${anchor === "start" ? "" : ` text-anchor="${anchor}"`}>${escaped(text)}</text>`;

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} style */
const stroke = (x1, y1, x2, y2, style) => `<line class="${style}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"/>`;

/**
 * Heights as near to the wished ones as can be, at least `gap` apart, within [from, to] as far as they fit: the isotonic
 * regression of what remains once the gaps are taken out, by pooling neighbours that would overlap.
 * @param {number[]} wished
 * @param {number} gap
 * @param {number} from
 * @param {number} to
 */
export function spread(wished, gap, from, to) {
  const order = wished.map((_, i) => i).sort((a, b) => wished[a] - wished[b] || a - b);
  /** @type {{sum: number, count: number}[]} */
  const pools = [];
  order.forEach((i, rank) => {
    let pool = { sum: wished[i] - rank * gap, count: 1 };
    for (let last = pools.at(-1); last && last.sum / last.count >= pool.sum / pool.count; last = pools.at(-1)) {
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count };
      pools.pop();
    }
    pools.push(pool);
  });
  const lowest = to - (wished.length - 1) * gap;
  const heights = pools.flatMap(({ sum, count }) => Array(count).fill(Math.max(from, Math.min(lowest, sum / count))));
  const at = Array(wished.length).fill(0);
  order.forEach((i, rank) => (at[i] = heights[rank] + rank * gap));
  return at;
}

/** The lines of a panel in pixels, one a method that has a point. @param {Row[]} rows @param {(row: Row) => Point} place @returns {Line[]} */
function linesOf(rows, place) {
  return METHODS.flatMap(({ id }) => {
    const own = rows.filter((row) => row.method === id && row.note === "");
    const points = own.sort((a, b) => b.retained - a.retained).map(place);
    return points.length === 0 ? [] : [{ id, points }];
  });
}

/** @param {Line} one */
function drawLine({ id, points }) {
  const dashes = LOOK[id][2] ? ` stroke-dasharray="${LOOK[id][2]}"` : "";
  const shape = line(/** @param {Point} p */ (p) => p.x, (p) => p.y)(points);
  return `<path class="${id}" d="${shape}"${dashes}/>`;
}

/** Names beside the lines' ends, with a thin line to the end. @param {Line[]} lines @param {number} right @param {number} top @param {number} bottom */
function labels(lines, right, top, bottom) {
  const ends = lines.map(({ points }) => points[points.length - 1]);
  const heights = spread(ends.map(({ y }) => y), LABEL.gap, top, bottom);
  return lines.map(({ id }, i) => {
    const bend = `${px(right + 4)} ${px(ends[i].y)} ${px(right + LABEL.lead - 3)} ${px(heights[i])}`;
    return `<path class="${id} lead" d="M${px(ends[i].x)} ${px(ends[i].y)}L${bend}"/>${words(right + LABEL.lead, heights[i] + 4, id, id)}`;
  });
}

/** The largest factor drawn: that of always answering the mean; where that is far off, of what there is. @param {Row[]} rows @param {number} useless */
function domainOf(rows, useless) {
  const factors = rows.filter((row) => row.factor > 0).map((row) => row.factor);
  const highest = Math.max(1.2, ...factors);
  const lowest = Math.min(1, ...factors);
  const top = Math.min(highest, useless);
  return [lowest / (top / lowest) ** 0.03, top * (top / lowest) ** 0.03];
}

/** @param {number} from @param {number} to */
function ticksOf(from, to) {
  if (to / from > 4) return logTicks(from, to, to / from > 40 ? [1, 3] : [1, 2, 5], 7);
  const step = [0.02, 0.05, 0.1, 0.2, 0.5, 1].find((size) => (to - from) / size <= 6) ?? 1;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(2)));
}

const tickText = (/** @type {number} */ value) => (value >= 1e4 ? factorText(value).replace(".0e", "e") : String(value));

/** @param {{left: number, right: number, polish: boolean}} panel @param {Row[]} rows of one network @param {number} top @param {number} useless */
function drawPanel({ left, right, polish }, rows, top, useless) {
  const bottom = top + ROW.height - ROW.top - ROW.bottom;
  const x = scaleLog([SIZES.from, SIZES.to], [left, right]).clamp(true);
  const [low, high] = domainOf(rows, useless);
  const y = scaleLog([low, high], [bottom, top]).clamp(true);
  const lines = linesOf(rows.filter((row) => row.polish === polish), (row) => ({ x: x(row.retained), y: y(row.factor) }));
  const grid = ticksOf(low, high).map((tick) => stroke(left, y(tick), right, y(tick), "grid") + words(left - 6, y(tick) + 4, tickText(tick), "soft", "end"));
  const sizes = [0.8, 0.4, 0.2, 0.1, 0.05].map((tick) => words(x(tick), bottom + 18, percent(tick), "soft", "middle"));
  const level = useless <= high ? stroke(left, y(useless), right, y(useless), "level") + words(left + 2, y(useless) + 14, "mean", "soft") : "";
  const name = words(left, top - 10, `${polish ? "polished" : "unpolished"}: test MSE over the original's`, "soft");
  if (lines.length === 0) return `${name}${words((left + right) / 2, (top + bottom) / 2, "not computed", "soft", "middle")}`;
  return [name, ...grid, ...sizes, level, ...lines.toReversed().map(drawLine), ...labels(lines, right, top, bottom)].join("\n");
}

/** @param {Row[]} rows of one network @param {number} top */
function drawNetwork(rows, top) {
  const original = /** @type {Row} */ (rows.find((row) => row.method === "original"));
  const useless = rows.find((row) => row.method === "mean")?.factor ?? Infinity;
  const drawn = rows.filter((row) => row.method in LOOK);
  const title = `${original.network} · ${original.parameters.toLocaleString("en")} parameters · MSE ${original.mse.toPrecision(2)}`;
  return [words(PANELS[0].left, top + 12, title, "network"), ...PANELS.map((panel) => drawPanel(panel, drawn, top + ROW.top, useless))].join("\n");
}

/** @param {string} set @param {Row[]} rows @returns {string} an SVG file */
export function drawSet(set, rows) {
  const own = rows.filter((row) => row.system === set);
  const networks = [...new Set(own.map((row) => row.network))];
  const height = TOP + networks.length * ROW.height + 8;
  const title = `${TITLES[set]}: size against error`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="t d">
<title id="t">${escaped(title)}</title>
<desc id="d">Test error over the original network's against the share of parameters left, a line a method; the dotted level is always answering the mean. The numbers are in RESULTS.md.</desc>
<style>${STYLE}</style>
<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>
${words(PANELS[0].left, 28, title, "title")}
${words(WIDTH - 14, 28, "across: parameters left, fewer to the right", "soft", "end")}
${networks.map((network, i) => drawNetwork(own.filter((row) => row.network === network), TOP + i * ROW.height)).join("\n")}
</svg>
`;
}
