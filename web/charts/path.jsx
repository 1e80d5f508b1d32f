// The elimination path: what each layer's deviation is after every neuron removed, cheapest first.
import { scaleLinear, scaleLog } from "./scale.js";
import { line } from "./shape.js";

import { number, percent, shortName } from "../format.js";
import { text } from "../messages.js";
import { Axis } from "./axes.jsx";
import { logTicks } from "./ticks.js";

/** @typedef {import("../../wasm/types.js").SitePath & {label: string}} SitePath   label: what its line is called */

const FLOOR = 1e-5;
const MARGIN = { top: 28, right: 12, bottom: 44, left: 58 };
const LETTER = 7.5; // px, for the room the lines' names need
export const LABELLED = 4; // more lines than this carry no names; cursor and table do
const DASHES = ["", "6 3", "2 3", "8 3 2 3"];

/** @typedef {ReturnType<typeof pathFrame>} PathFrame */

/**
 * What does not move with the choice: it has a point for every neuron, and is drawn once.
 * @param {SitePath[]} sites
 * @param {number} width
 */
export function pathFrame(sites, width) {
  const height = 280;
  const named = sites.length <= LABELLED;
  const bottom = height - MARGIN.bottom;
  const right = width - MARGIN.right - (named ? Math.max(...sites.map((site) => site.label.length)) * LETTER : 0);
  const all = sites.flatMap((site) => site.deviation.map(floored));
  const x = scaleLinear([1, Math.max(2, ...sites.map((site) => site.deviation.length))], [MARGIN.left, right]);
  const y = scaleLog([Math.min(...all) / 1.2, Math.max(...all) * 1.3], [bottom, MARGIN.top]);
  /** @type {import("./shape.js").Line<number>} */
  const shape = line((_, i) => x(i + 1), (d) => y(floored(/** @type {any} */ (d))));
  const labels = named ? placeLabels(sites, x, y) : [];
  return {
    height,
    x,
    y,
    stops: sites.flatMap((site) => site.deviation.map((d, i) => stopOf(site, i, x(i + 1), y(floored(d))))),
    lines: (
      <>
        <Axis side="left" scale={y} ticks={logTicks(y.domain()[0], y.domain()[1], [1], 5)} format={percent} at={MARGIN.left} length={bottom - MARGIN.top} grid={right - MARGIN.left} label={text.pathY} />
        <Axis side="bottom" scale={x} ticks={x.ticks(width < 300 ? 3 : 6).filter(Number.isInteger)} format={String} at={bottom} length={right - MARGIN.left} label={text.pathX} />
        {sites.map((site, i) => (
          <path key={i} class={`line thin shade-${i % DASHES.length}`} stroke-dasharray={DASHES[i % DASHES.length]} d={shape(site.deviation) ?? ""} />
        ))}
      </>
    ),
    labels: labels.map((label) => (
      <text key={label.name} class={`path-label shade-${label.shade}`} x={label.x} y={label.y}>
        {label.name}
      </text>
    )),
  };
}

/** @param {SitePath} site @param {number} i removed before it @param {number} x @param {number} y @returns {import("./chart.jsx").Stop} */
const stopOf = (site, i, x, y) => ({
  x,
  y,
  // Of the one that is looked at: numbers take their time.
  get lines() {
    return [`${site.label}, ${shortName(site.name)}`, text.pathStop(i + 1, site.deviation[i])];
  },
});

/**
 * @param {PathFrame} frame
 * @param {SitePath[]} sites
 * @param {number[]} after neurons left per site
 * @returns {import("./chart.jsx").Drawing}
 */
export function drawPath({ height, stops, lines, labels, x, y }, sites, after) {
  const here = sites.map((site, i) => {
    const removed = site.width - (after[i] ?? site.width);
    return removed > 0 && site.deviation[removed - 1] !== undefined && <circle key={i} class="here small" cx={x(removed)} cy={y(floored(site.deviation[removed - 1]))} r={4.5} />;
  });
  return {
    height,
    stops,
    marks: (
      <>
        {lines}
        {here}
        {labels}
      </>
    ),
  };
}

/** @param {number} deviation */
const floored = (deviation) => Math.max(deviation, FLOOR);

/**
 * Names at the ends of their lines, pushed apart where they would touch.
 * @param {SitePath[]} sites
 * @param {(n: number) => number} x
 * @param {(d: number) => number} y
 */
function placeLabels(sites, x, y) {
  const labels = sites
    .map(({ label, deviation }, shade) => ({ name: label, shade, x: x(deviation.length) + 8, y: y(floored(deviation[deviation.length - 1])) + 4 }))
    .sort((a, b) => a.y - b.y);
  labels.forEach((label, i) => {
    if (i > 0) label.y = Math.max(label.y, labels[i - 1].y + 16);
  });
  return labels;
}

/** @param {SitePath[]} sites @returns {import("./chart.jsx").Table} */
export const pathTable = (sites) => ({
  head: [text.columns.layer, text.columns.removed, text.columns.deviation],
  rows: sites.flatMap((site) => site.deviation.map((d, i) => [`${site.label}, ${shortName(site.name)}`, i + 1, number(d)])),
  raw: sites.flatMap((site) => site.deviation.map((d, i) => [`${site.label}, ${shortName(site.name)}`, i + 1, d])),
});
