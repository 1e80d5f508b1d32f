// Original against reduced outputs, with the diagonal where they agree.
import { scaleLinear } from "./scale.js";

import { number } from "../format.js";
import { text } from "../messages.js";
import { Axis } from "./axes.jsx";

/**
 * @typedef {import("../state.js").Outputs} Outputs
 * @typedef {{row: number, output: number, original: number, reduced: number}} Pair
 */

const MOST = 1200; // points drawn
const LEFT = 48;
const TOP = 28;

/** Rows that are drawn. @param {Outputs} outputs @param {number|null} which */
export const rowsDrawn = ({ rows, results }, which) => Math.max(1, Math.min(rows, Math.floor(MOST / (which === null ? results : 1))));

/**
 * @param {Outputs} outputs
 * @param {number|null} which output; null: all of them
 * @returns {Pair[]}
 */
export function pairsOf(outputs, which) {
  const { original, reduced, results } = outputs;
  const chosen = which === null ? [...Array(results).keys()] : [which];
  const shown = rowsDrawn(outputs, which);
  const pairs = [];
  for (let row = 0; row < shown; row++) {
    for (const output of chosen) {
      const at = row * results + output;
      pairs.push({ row, output, original: original[at], reduced: reduced[at] });
    }
  }
  return pairs;
}

/**
 * @param {Pair[]} pairs
 * @param {number} width
 * @returns {import("./chart.jsx").Drawing}
 */
export function drawScatter(pairs, width) {
  const side = Math.min(width - LEFT - 8, 220);
  const values = pairs.flatMap((pair) => [pair.original, pair.reduced]);
  const range = [Math.min(...values), Math.max(...values)];
  const x = scaleLinear(range, [LEFT, LEFT + side]).nice(10);
  const y = scaleLinear(x.domain(), [TOP + side, TOP]);
  const ticks = x.ticks(4);
  return {
    height: side + TOP + 44,
    stops: pairs.slice(0, 400).map((pair) => ({
      x: x(pair.original),
      y: y(pair.reduced),
      lines: [`${text.scatterX} ${number(pair.original)}`, `${text.scatterY} ${number(pair.reduced)}`],
    })),
    marks: (
      <>
        <Axis side="left" scale={y} ticks={ticks} format={number} at={LEFT} length={side} grid={side} label={text.scatterY} />
        <Axis side="bottom" scale={x} ticks={ticks} format={number} at={TOP + side} length={side} label={text.scatterX} />
        <line class="diagonal" x1={x.range()[0]} y1={y.range()[0]} x2={x.range()[1]} y2={y.range()[1]} />
        {pairs.map((pair, i) => (
          <circle key={i} class="dot" cx={x(pair.original)} cy={y(pair.reduced)} r={1.8} />
        ))}
      </>
    ),
  };
}

/** @param {Pair[]} pairs @returns {import("./chart.jsx").Table} */
export const scatterTable = (pairs) => ({
  head: [text.columns.row, text.columns.output, text.columns.original, text.columns.reduced],
  rows: pairs.slice(0, 100).map((pair) => [pair.row + 1, pair.output + 1, number(pair.original), number(pair.reduced)]),
  raw: pairs.map((pair) => [pair.row + 1, pair.output + 1, pair.original, pair.reduced]),
});
