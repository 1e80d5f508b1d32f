// Size against error: the hero. A line of finished networks for every method to be seen, the present choice marked on its own.
import { scaleLinear, scaleLog } from "./scale.js";
import { curveMonotoneX, line } from "./shape.js";

import { apart } from "../../wasm/lines.js";
import { setTarget } from "../actions.js";
import { accuracy, count, number, percent } from "../format.js";
import { DASHES } from "../lines.js";
import { text } from "../messages.js";
import { Axis } from "./axes.jsx";
import { axisAround, interpolate, logTicks } from "./ticks.js";

/**
 * @typedef {import("../../wasm/types.js").CurvePoint} CurvePoint
 * @typedef {"deviation"|"mse"|"accuracy"} Metric
 * @typedef {{retained: number, parameters: number, value: number|null, epsilon: number|null, final: boolean, polished: boolean}} Mark
 *   the present choice; final: computed; polished: below its line
 * @typedef {{x: number, y: number, epsilon: number|null, parameters: number}} Point
 * @typedef {{key: string, name: string, short: string, style: number, polished: boolean, points: Point[]}} CurveLine   the first is the present method's; short: its name on a narrow chart
 */

const FLOOR = 1e-6; // a smaller deviation is rounding, not error, and has no place on a logarithmic axis
const MARGIN = { top: 34, right: 22, bottom: 44, left: 62 };
const NAME_GAP = 17; // px between the lines' names
const LETTER = 7.6; // px, for the room they need
const NARROW = 480; // px of a chart

/**
 * @param {CurvePoint[]} curve
 * @param {Metric} metric
 * @returns {Point[]} by growing size
 */
export function pointsOf(curve, metric) {
  const value = (/** @type {CurvePoint} */ point) => (metric === "deviation" ? point.deviation : (point.score ?? NaN));
  return curve
    .map((point) => ({ x: point.retained, y: value(point), epsilon: point.epsilon, parameters: point.parameters }))
    .filter((point) => (metric === "accuracy" ? point.y >= 0 : point.y >= FLOOR))
    .sort((a, b) => a.x - b.x);
}

/**
 * @param {{lines: CurveLine[], metric: Metric, mark: Mark|null, pins?: {retained: number, value: number}[], original: number|null, width: number}} options
 *   pins: results kept to compare with, by their numbers; original: the metric of the network as it came
 * @returns {import("./chart.jsx").Drawing}
 */
export function drawCurve({ lines: given, metric, mark, pins = [], original, width }) {
  const lines = given.map((one) => (width < NARROW ? { ...one, name: one.short } : one));
  const [{ points }] = lines;
  const several = lines.length > 1;
  const drawn = lines.map((one, i) => ({ ...one, all: mark && mark.polished === one.polished && (i === 0 || one.style === 1) ? withMark(one.points, mark) : one.points }));
  const pinned = pins.filter((pin) => Number.isFinite(pin.value)).filter((pin) => metric === "accuracy" || pin.value >= FLOOR);
  const alone = [...pinned, ...(mark && mark.value !== null && mark.value >= FLOOR ? [{ retained: mark.retained, value: mark.value }] : [])];
  const values = [...drawn.flatMap((one) => one.all), ...alone.map((one) => ({ x: one.retained, y: one.value, epsilon: null, parameters: 0 }))];
  const height = Math.round(Math.min(380, Math.max(several ? 300 : 260, width * 0.48)));
  const right = width - (several ? 22 + LETTER * Math.max(...lines.map((one) => one.name.length)) : MARGIN.right);
  const bottom = height - MARGIN.bottom;
  const x = scaleLog([Math.min(...lines.flatMap((one) => one.points.map((p) => p.x)), ...pinned.map((pin) => pin.retained), mark?.retained ?? 1), 1], [MARGIN.left, right]);
  const y = yScale(values, metric, original, [bottom, MARGIN.top]);
  const shape = line(/** @param {Point} p */ (p) => x(p.x), (p) => y.scale(p.y)).curve(curveMonotoneX);
  const spot = mark && { x: x(mark.retained), y: y.scale(mark.value ?? interpolate(points, mark.retained) ?? nearestEnd(points, mark.retained).y) };
  const lineAt = (/** @type {number} */ px) => y.scale(interpolate(drawn[0].all, x.invert(px)) ?? nearestEnd(drawn[0].all, x.invert(px)).y);
  return {
    height,
    stops: lines.flatMap((one, i) =>
      one.points.map((p) => ({
        x: x(p.x),
        y: y.scale(p.y),
        lines: [...(several ? [one.name] : []), text.pointSize(p.x, p.parameters), valueText(metric, p.y)],
        pick: i === 0 ? () => setTarget(p.epsilon === null ? { kind: "retain", value: p.x } : { kind: "epsilon", value: p.epsilon }) : undefined,
      })),
    ),
    marks: (
      <>
        <Axis side="left" scale={y.scale} ticks={y.ticks} format={y.format} at={MARGIN.left} length={bottom - MARGIN.top} grid={right - MARGIN.left} label={axisName(metric)} />
        <Axis side="bottom" scale={x} ticks={logTicks(x.domain()[0], 1, [1, 2, 5], right - MARGIN.left < 440 ? (right - MARGIN.left < 240 ? 3 : 5) : 9)} format={percent} at={bottom} length={right - MARGIN.left} label={text.curveX} />
        {original !== null && metric !== "deviation" && <Level x={[MARGIN.left, right]} y={y.scale(original)} />}
        {spot && <line class="present" x1={spot.x} x2={spot.x} y1={MARGIN.top} y2={bottom} />}
        {spot && mark && mark.epsilon !== null && (
          <text class="present-label" x={Math.min(spot.x, width - 40)} y={MARGIN.top - 6} text-anchor="middle">
            {text.curveEpsilon(mark.epsilon)}
          </text>
        )}
        {[...drawn].reverse().map((one) => (
          <path key={one.key} class={`line ${several ? `style-${one.style}` : ""}`} stroke-dasharray={DASHES[one.style]} d={shape(one.all) ?? ""} />
        ))}
        {points.map((p) => (
          <circle key={p.x} class="point" cx={x(p.x)} cy={y.scale(p.y)} r={2.5} />
        ))}
        {pinned.map((pin) => (
          <Pin key={pins.indexOf(pin)} number={pins.indexOf(pin) + 1} x={x(pin.retained)} y={y.scale(pin.value)} />
        ))}
        {several ? <Names lines={drawn} right={right} x={x} y={y.scale} bottom={bottom} /> : <Name points={points} metric={metric} name={lines[0].name} x={x} y={y.scale} />}
        {mark && spot && <Here mark={mark} spot={spot} metric={metric} right={right} bottom={bottom} lineAt={lineAt} crowded={several} />}
      </>
    ),
  };
}

/** A pinned result, by its number in the table. @param {{number: number, x: number, y: number}} props */
const Pin = ({ number, x, y }) => (
  <g class="pin" transform={`translate(${x} ${y})`}>
    <rect x={-8} y={-8} width={16} height={16} rx={4} />
    <text y={4} text-anchor="middle">
      {number}
    </text>
  </g>
);

/** The only line's name, beside it. @param {{points: Point[], metric: Metric, name: string, x: (v: number) => number, y: (v: number) => number}} props */
function Name({ points, metric, name, x, y }) {
  const rising = metric === "accuracy";
  const named = points.find((p) => x(p.x) > MARGIN.left + 12 + LETTER * name.length) ?? points[points.length - 1];
  return (
    <text class="line-label" x={x(named.x) + (rising ? 10 : -4)} y={y(named.y) + 20} text-anchor={rising ? "start" : "end"}>
      {name}
    </text>
  );
}

/** Names right of all lines, a thin one leading to each. @param {{lines: CurveLine[], right: number, x: (v: number) => number, y: (v: number) => number, bottom: number}} props */
function Names({ lines, right, x, y, bottom }) {
  const ends = lines.map(({ points }) => points[points.length - 1]);
  const heights = apart(ends.map((end) => y(end.y)), NAME_GAP, MARGIN.top, bottom);
  return lines.map((one, i) => (
    <g key={one.key}>
      <path class={`leader style-${one.style}`} d={`M${x(ends[i].x)} ${y(ends[i].y)}L${right + 10} ${heights[i]}`} />
      <text class={`line-label style-${one.style}`} x={right + 14} y={heights[i] + 4.5}>
        {one.name}
      </text>
    </g>
  ));
}

/**
 * The present choice is a finished network as well: the line goes through it.
 * @param {Point[]} points
 * @param {Mark} mark
 */
function withMark(points, mark) {
  if (mark.value === null || mark.value < FLOOR || points.some((p) => p.x === mark.retained)) return points;
  const own = { x: mark.retained, y: mark.value, epsilon: null, parameters: mark.parameters };
  return [...points, own].sort((a, b) => a.x - b.x);
}

/**
 * @param {Point[]} points
 * @param {number} x outside of them
 */
const nearestEnd = (points, x) => (x < points[0].x ? points[0] : points[points.length - 1]);

/**
 * The present choice in words, beside its point and off the line: right of it and above a falling line, below a rising one;
 * where there is no room on the right, left of it and below either. A polished point lies off its line: its words go below it.
 * Among several lines words without room are left out: the four numbers say the same.
 * @param {{mark: Mark, spot: {x: number, y: number}, metric: Metric, right: number, bottom: number, lineAt: (x: number) => number, crowded: boolean}} props
 */
function Here({ mark, spot, metric, right, bottom, lineAt, crowded }) {
  const narrow = right < NARROW;
  const size = text.pointSize(mark.retained, mark.parameters);
  const lines = [...(narrow ? size.split(" · ") : [size]), ...(mark.value === null ? [] : [valueText(metric, mark.value)])];
  const room = narrow ? 122 : 208;
  const left = spot.x + 12 + room > right || (mark.polished && metric !== "accuracy" && spot.x - 12 - room > MARGIN.left);
  const silent = crowded && left && spot.x - 12 - room < MARGIN.left;
  const start = left ? spot.x - 12 : spot.x + 12;
  const height = 17 * (lines.length - 1);
  const above = !left && metric !== "accuracy";
  const lowest = mark.polished ? spot.y : Math.max(spot.y, lineAt(left ? spot.x - room : spot.x + room), lineAt(start));
  const top = above ? Math.max(MARGIN.top + 8, Math.min(spot.y, lineAt(start)) - 16 - height) : Math.min(lowest + 24, bottom - 10 - height);
  return (
    <>
      <circle class={`here ${mark.final ? "" : "open"}`} cx={spot.x} cy={spot.y} r={6} />
      {!silent && lines.map((one, i) => (
        <text key={i} class={one === lines[0] ? "here-text strong" : "here-text"} x={start} y={top + i * 17} text-anchor={left ? "end" : "start"}>
          {one}
        </text>
      ))}
    </>
  );
}

/** @param {{x: [number, number], y: number}} props */
function Level({ x, y }) {
  return (
    <>
      <line class="level" x1={x[0]} x2={x[1]} y1={y} y2={y} />
      <text class="level-label" x={x[0] + 6} y={y - 6}>
        {text.curveOriginal}
      </text>
    </>
  );
}

/**
 * @param {Point[]} points
 * @param {Metric} metric
 * @param {number|null} original
 * @param {[number, number]} range
 */
function yScale(points, metric, original, range) {
  const values = points.map((p) => p.y);
  if (metric !== "deviation" && original !== null) values.push(original);
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (metric === "accuracy") {
    const scale = scaleLinear([low, high], range).nice(6);
    return { scale, ticks: scale.ticks(6), format: (/** @type {number} */ v) => percent(v) };
  }
  const { ends, ticks } = axisAround(low, high, metric === "deviation" && high > 1 ? high * 1.15 : Infinity); // little lies above 100 %
  const format = metric === "deviation" ? percent : number;
  return { scale: scaleLog(ends, range).clamp(true), ticks, format };
}

/** @param {Metric} metric */
const axisName = (metric) => (metric === "deviation" ? text.curveY : text.curveTabs[metric]);

/**
 * @param {Metric} metric
 * @param {number} value
 */
function valueText(metric, value) {
  if (metric === "deviation") return text.pointDeviation(value);
  return `${text.curveTabs[metric]} ${metric === "accuracy" ? accuracy(value) : number(value)}`;
}

/**
 * @param {CurvePoint[]} curve of all lines
 * @param {Metric} scored what the scores are
 * @param {(point: CurvePoint) => string} nameOf of a point's line
 * @returns {import("./chart.jsx").Table}
 */
export function curveTable(curve, scored, nameOf) {
  const withScore = curve.some((point) => point.score !== null);
  return {
    head: [text.columns.method, "ε", text.columns.retained, text.columns.parameters, text.columns.deviation, ...(withScore ? [text.curveTabs[scored]] : [])],
    rows: curve.map((p) => [nameOf(p), p.epsilon === null ? "" : number(p.epsilon), percent(p.retained), count(p.parameters), percent(p.deviation), ...(withScore ? [p.score === null ? "" : number(p.score)] : [])]),
    raw: curve.map((p) => [nameOf(p), p.epsilon ?? "", p.retained, p.parameters, p.deviation, ...(withScore ? [p.score ?? ""] : [])]),
  };
}
