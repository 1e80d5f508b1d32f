// Neurons per layer, before and after.
import { scaleLinear } from "./scale.js";

import { clip, shortName } from "../format.js";
import { text } from "../messages.js";
import { Axis } from "./axes.jsx";

const BAR = 20;

/** Height of a row: few layers may spread. @param {number} rows */
const rowHeight = (rows) => Math.min(64, Math.max(30, 260 / rows));

const LIST = 20; // more rows than this stand beside each other, as columns

/** @typedef {{name: string, full: string, before: number, after: number|null}} Row   full: with the layer's own name; after: null where nothing can go */

/**
 * The layers that can shrink, between inputs and outputs where those are neurons too.
 * @param {import("../../wasm/types.js").ModelInfo} model
 * @param {{before: number, after: number}[]} widths by site
 * @returns {Row[]}
 */
export function widthRows(model, widths) {
  const ends = model.engine === "runtime" ? [] : [{ name: text.input, full: text.input, before: model.features, after: null }, { name: text.output, full: text.output, before: model.results, after: null }];
  return [
    ...ends.slice(0, 1),
    ...model.layers.flatMap(({ site, activation, name }, i) => {
      if (site === null) return [];
      const full = `${text.layerNumber(i)}, ${shortName(name)}`;
      return [{ name: `${text.layerNumber(i)}${activation ? ` · ${activation.toLowerCase()}` : ""}`, full, before: widths[site].before, after: widths[site].after }];
    }),
    ...ends.slice(1),
  ];
}

/**
 * @param {Row[]} rows
 * @param {number} width
 * @returns {import("./chart.jsx").Drawing}
 */
export function drawWidths(rows, width) {
  if (rows.length > LIST) return drawColumns(rows, width);
  const rowSize = rowHeight(rows.length);
  const left = Math.min(150, Math.max(110, width * 0.3));
  const x = scaleLinear([0, Math.max(...rows.map((row) => row.before))], [0, width - left - 92]);
  return {
    height: rows.length * rowSize,
    stops: rows.map((row, i) => ({ x: left + x(row.after ?? row.before), y: i * rowSize + rowSize / 2, lines: [row.full, widthText(row)] })),
    marks: rows.map((row, i) => (
      <g key={i} transform={`translate(0 ${i * rowSize + rowSize / 2})`}>
        <text class="row-label" x={0} y={4.5}>
          {clip(row.name, Math.floor(left / 7.6))}
        </text>
        <rect class="bar-before" x={left} y={-BAR / 2} width={Math.max(3, x(row.before))} height={BAR} rx={3} />
        <rect class={row.after === null ? "bar-fixed" : "bar-after"} x={left} y={-BAR / 2} width={Math.max(3, x(row.after ?? row.before))} height={BAR} rx={3} />
        <text class="row-value" x={left + Math.max(3, x(row.before)) + 8} y={4.5}>
          {widthText(row)}
        </text>
      </g>
    )),
  };
}

/**
 * Many layers: a column for each, from the inputs on.
 * @param {Row[]} rows
 * @param {number} width
 * @returns {import("./chart.jsx").Drawing}
 */
function drawColumns(rows, width) {
  const [left, top, bottom] = [46, 28, 226];
  const y = scaleLinear([0, Math.max(...rows.map((row) => row.before))], [bottom, top]).nice(4);
  const pitch = (width - left) / rows.length;
  const bar = Math.max(1, Math.min(BAR, 0.75 * pitch));
  const x = (/** @type {number} */ i) => left + (i + 0.5) * pitch;
  return {
    height: bottom + 40,
    stops: rows.map((row, i) => ({ x: x(i), y: y(row.after ?? row.before), lines: [row.full, widthText(row)] })),
    marks: (
      <>
        <Axis side="left" scale={y} ticks={y.ticks(4)} format={String} at={left} length={bottom - top} grid={width - left} label={text.columns.neurons} />
        {rows.map((row, i) => (
          <g key={i}>
            <rect class="bar-before" x={x(i) - bar / 2} y={y(row.before)} width={bar} height={bottom - y(row.before)} />
            <rect class={row.after === null ? "bar-fixed" : "bar-after"} x={x(i) - bar / 2} y={y(row.after ?? row.before)} width={bar} height={bottom - y(row.after ?? row.before)} />
          </g>
        ))}
        <text class="small-label" x={left + (width - left) / 2} y={bottom + 24} text-anchor="middle">
          {text.widthsX(rows.length)}
        </text>
      </>
    ),
  };
}

/** @param {Row} row */
const widthText = ({ before, after }) => (after === null || after === before ? `${before}` : `${before} → ${after}`);

/** @param {Row[]} rows @returns {import("./chart.jsx").Table} */
export const widthTable = (rows) => ({
  head: [text.columns.layer, text.columns.before, text.columns.after],
  rows: rows.map((row) => [row.full, row.before, row.after ?? row.before]),
});
