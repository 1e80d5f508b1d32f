// The weights of a layer as a heat map, neurons beside those of their block.
import { number } from "../format.js";
import { text } from "../messages.js";
import { blockAt, bordersOf, numbersOf } from "./blocks.js";

/**
 * @typedef {import("./blocks.js").Arrangement} Arrangement
 * @typedef {{url: string, peak: number, weights: import("../../wasm/types.js").Weights, rows: Arrangement, columns: Arrangement, rowName: string,
 *   columnName: string, bordered: boolean}} Heat   url: of the picture; bordered: reordered, so that blocks have borders
 */

const LEFT = 30;
const TOP = 24;
const BELOW = 58;
const TALLEST = 300; // px
const NUMBER = 11; // px a block's number needs

/**
 * @param {Heat} heat
 * @param {number} width
 * @returns {import("./chart.jsx").Drawing}
 */
export function drawHeat(heat, width) {
  const { weights, rows, columns, url, bordered } = heat;
  const across = width - LEFT - 4;
  const down = Math.round(Math.min(TALLEST, Math.max(110, (across * weights.width) / weights.reads)));
  const [cellX, cellY] = [across / weights.reads, down / weights.width];
  const bottom = TOP + down;
  return {
    height: bottom + BELOW,
    stops: {
      rows: weights.width,
      columns: weights.reads,
      at: (row, column) => ({ x: LEFT + (column + 0.5) * cellX, y: TOP + (row + 0.5) * cellY, size: Math.max(4, Math.min(cellX, cellY) / 2), lines: cellLines(heat, rows.order[row], columns.order[column]) }),
      find: (x, y) => {
        const [row, column] = [Math.floor((y - TOP) / cellY), Math.floor((x - LEFT) / cellX)];
        return row >= 0 && column >= 0 && row < weights.width && column < weights.reads ? [row, column] : null;
      },
    },
    marks: (
      <>
        <text class="small-label" x={LEFT} y={12}>
          {text.heatRows(heat.rowName)}
        </text>
        <rect class="heat-ground" x={LEFT} y={TOP} width={across} height={down} />
        <image class="heat" href={url} x={LEFT} y={TOP} width={across} height={down} preserveAspectRatio="none" />
        {bordered && bordersOf(rows, cellY).map((at) => <line key={at} class="border" x1={LEFT} x2={LEFT + across} y1={TOP + at} y2={TOP + at} />)}
        {bordered && bordersOf(columns, cellX).map((at) => <line key={at} class="border" x1={LEFT + at} x2={LEFT + at} y1={TOP} y2={bottom} />)}
        {bordered && numbersOf(rows, cellY, NUMBER).map(({ number: name, at }) => (
          <text key={name} class="block-number" x={LEFT - 6} y={TOP + at + 4} text-anchor="end">
            {name}
          </text>
        ))}
        {bordered && numbersOf(columns, cellX, 2 * NUMBER).map(({ number: name, at }) => (
          <text key={name} class="block-number" x={LEFT + at} y={bottom + 13} text-anchor="middle">
            {name}
          </text>
        ))}
        <text class="small-label" x={LEFT} y={bottom + 30}>
          {text.heatColumns(heat.columnName)}
        </text>
        <Scale peak={heat.peak} x={LEFT} y={bottom + 40} />
      </>
    ),
  };
}

/** What the colours mean. @param {{peak: number, x: number, y: number}} props */
function Scale({ peak, x, y }) {
  const steps = Array.from({ length: 21 }, (_, i) => (i - 10) / 10);
  return (
    <>
      <text class="small-label" x={x} y={y + 11}>
        {number(-peak)}
      </text>
      {steps.map((share, i) => (
        <rect key={i} class={share < 0 ? "negative" : "positive"} x={x + 52 + 5 * i} y={y + 1} width={5} height={12} fill-opacity={Math.abs(share)} />
      ))}
      <text class="small-label" x={x + 52 + 5 * 21 + 8} y={y + 11}>
        {`+${number(peak)}`}
      </text>
    </>
  );
}

/** @param {Heat} heat @param {number} row @param {number} column neurons */
function cellLines({ weights, rows, columns, rowName, columnName }, row, column) {
  const named = (/** @type {string} */ name, /** @type {number} */ unit, /** @type {Arrangement} */ arrangement) => {
    const block = blockAt(arrangement, unit);
    return text.neuron(name, unit) + (block && block.number > 0 ? ` (${text.block(block.number)})` : "");
  };
  return [named(rowName, row, rows), text.heatReads(named(columnName, column, columns)), text.heatWeight(weights.weights[row * weights.reads + column])];
}
