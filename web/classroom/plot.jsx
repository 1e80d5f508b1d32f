// Original solid, lumped dashed, named at their ends.
import { scaleLinear } from "../charts/scale.js";
import { line } from "../charts/shape.js";

import { Axis } from "../charts/axes.jsx";
import { number } from "../format.js";
import { classText } from "../messages_classroom.js";

/**
 * @typedef {import("./curves.js").Curve} Curve
 * @typedef {{times: number[], curves: Curve[], x: string, y: string}} Shown
 * @typedef {{name: string, y: number, class: string}} Label
 */

const STOPS = 24; // of the cursor, along a curve

/**
 * @param {Shown} shown
 * @param {number} width
 * @param {number} scale of type
 * @returns {import("../charts/chart.jsx").Drawing}
 */
export function drawCurves({ times, curves, x: xLabel, y: yLabel }, width, scale) {
  const height = Math.round((width < 480 ? 250 : 280) * scale);
  const names = curves.flatMap((curve) => [curve.name, ...(curve.lumped ? [classText.lumpedName(curve.name)] : [])]);
  const room = Math.min(width * 0.34, Math.max(...names.map((name) => name.length)) * 7.4 * scale + 14);
  const margin = { top: 26 * scale, right: room, bottom: 44 * scale, left: 48 * scale };
  const [right, bottom] = [width - margin.right, height - margin.bottom];
  const x = scaleLinear([times[0], times[times.length - 1]], [margin.left, right]);
  const all = curves.flatMap((curve) => [...curve.original, ...(curve.lumped ?? [])]).filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = high - low < 1e-9 ? Math.max(0.5, Math.abs(high) * 0.1) : 0.06 * (high - low);
  const y = scaleLinear([low - pad, high + pad], [bottom, margin.top]).nice(5);
  const shape = (/** @type {number[]} */ values) => line((_, i) => x(times[i]), (value) => y(/** @type {any} */ (value)))(/** @type {any} */ (values)) ?? "";
  const shade = (/** @type {Curve} */ curve, /** @type {number} */ i) => (curve.block === null ? `b${i + 1}` : `b${curve.block}`);
  const labels = placed(
    curves.flatMap((curve, i) => [
      { name: curve.name, y: y(/** @type {number} */ (curve.original.at(-1))), class: shade(curve, i) },
      ...(curve.lumped ? [{ name: classText.lumpedName(curve.name), y: y(/** @type {number} */ (curve.lumped.at(-1))), class: "lumped" }] : []),
    ]),
    15 * scale,
    bottom,
  );
  return {
    height,
    stops: curves.flatMap((curve) => stopsOf(curve, times, xLabel).map(({ at, lines }) => ({ x: x(times[at]), y: y(curve.original[at]), lines }))),
    marks: (
      <g class="curves">
        <Axis side="left" scale={y} ticks={y.ticks(5)} format={number} at={margin.left} length={bottom - margin.top} grid={right - margin.left} label={yLabel} />
        <Axis side="bottom" scale={x} ticks={x.ticks(width < 480 ? 4 : 7)} format={number} at={bottom} length={right - margin.left} label={xLabel} />
        {curves.map((curve, i) => (
          <path key={`o${i}`} class={`curve ${shade(curve, i)}`} d={shape(curve.original)} />
        ))}
        {curves.map((curve, i) => curve.lumped && <path key={`l${i}`} class="curve lumped" d={shape(curve.lumped)} />)}
        {labels.map((label) => (
          <text key={label.name} class={`curve-label ${label.class}`} x={right + 8} y={label.y + 4}>
            {label.name}
          </text>
        ))}
      </g>
    ),
  };
}

/** @param {Curve} curve @param {number[]} times @param {string} xLabel */
function stopsOf(curve, times, xLabel) {
  const every = Math.max(1, Math.round((times.length - 1) / STOPS));
  const places = times.map((_, i) => i).filter((i) => i % every === 0);
  return places.map((at) => ({
    at,
    lines: [`${xLabel} = ${number(times[at])}`, `${curve.name}: ${number(curve.original[at])}`, ...(curve.lumped ? [`${classText.lumpedName(curve.name)}: ${number(curve.lumped[at])}`] : [])],
  }));
}

/** Pushed apart where they would touch, within the plot. @param {Label[]} labels @param {number} gap @param {number} bottom */
export function placed(labels, gap, bottom) {
  const sorted = labels.map((label) => ({ ...label })).sort((a, b) => a.y - b.y);
  sorted.forEach((label, i) => i > 0 && (label.y = Math.max(label.y, sorted[i - 1].y + gap)));
  for (let i = sorted.length - 1, most = bottom; i >= 0 && sorted[i].y > most; i -= 1, most -= gap) sorted[i].y = most;
  return sorted;
}

/** @param {Shown} shown @returns {import("../charts/chart.jsx").Table} */
export function curvesTable({ times, curves, x }) {
  const every = Math.max(1, Math.round((times.length - 1) / STOPS));
  const rows = times.map((_, i) => i).filter((i) => i % every === 0);
  return {
    head: [x, ...curves.flatMap((curve) => [curve.name, ...(curve.lumped ? [classText.lumpedName(curve.name)] : [])])],
    rows: rows.map((i) => [number(times[i]), ...curves.flatMap((curve) => [number(curve.original[i]), ...(curve.lumped ? [number(curve.lumped[i])] : [])])]),
  };
}
