// Classes against classes: what the reduced network answers where the original (or the label) says so.
import { scaleLinear } from "./scale.js";

import { count, percent } from "../format.js";
import { text } from "../messages.js";
import { confusedPairs } from "../../wasm/classes.js";

/** @typedef {import("../../wasm/classes.js").Confusion} Confusion */

const LEFT = 46;
const TOP = 26;
const BELOW = 42;
const LARGEST = 380; // px a side
const DIGIT = 7.4; // px
const PAIRS = 12; // drawn where there are more classes than squares to look at
const ROW = 26;

/**
 * @param {Confusion} confusion
 * @param {{width: number, asked: string}} options asked: what the rows are
 * @returns {import("./chart.jsx").Drawing}
 */
export function drawConfusion(confusion, { width, asked }) {
  const { classes, counts } = confusion;
  const side = Math.min(width - LEFT - 6, Math.max(210, Math.min(LARGEST, classes * 32)));
  const cell = side / classes;
  const most = Math.max(1, ...confusedPairs(confusion).map(({ rows }) => rows));
  const at = (/** @type {number} */ i) => i * cell;
  const step = Math.max(1, Math.ceil((DIGIT * String(classes - 1).length + 4) / cell));
  const named = Array.from({ length: classes }, (_, i) => i).filter((i) => i % step === 0);
  const rowsAt = (/** @type {number} */ row, /** @type {number} */ column) => counts.get(row * classes + column) ?? 0;
  return {
    height: TOP + side + BELOW,
    stops: {
      rows: classes,
      columns: classes,
      at: (row, column) => ({ x: LEFT + at(column + 0.5), y: TOP + at(row + 0.5), size: Math.max(5, cell / 2), lines: [text.confusionAsked(asked, row), text.confusionGiven(column), text.rowsCount(rowsAt(row, column))] }),
      find: (x, y) => {
        const [row, column] = [Math.floor((y - TOP) / cell), Math.floor((x - LEFT) / cell)];
        return row >= 0 && column >= 0 && row < classes && column < classes ? [row, column] : null;
      },
    },
    marks: (
      <>
        <text class="small-label" x={0} y={11}>
          {asked}
        </text>
        <text class="small-label" x={LEFT + side / 2} y={TOP + side + 36} text-anchor="middle">
          {text.confusionX}
        </text>
        <rect class="confusion-ground" x={LEFT} y={TOP} width={side} height={side} rx={4} />
        {named.map((i) => (
          <g key={i}>
            <text class="small-label" x={LEFT - 8} y={TOP + at(i + 0.5) + 4} text-anchor="end">
              {i}
            </text>
            <text class="small-label" x={LEFT + at(i + 0.5)} y={TOP + side + 17} text-anchor="middle">
              {i}
            </text>
          </g>
        ))}
        {[...counts].map(([key, rows]) => (
          <Cell key={key} x={LEFT + at(key % classes)} y={TOP + at(Math.floor(key / classes))} size={cell} rows={rows} strength={Math.floor(key / classes) === key % classes ? null : rows / most} />
        ))}
      </>
    ),
  };
}

/** @param {{x: number, y: number, size: number, rows: number, strength: number|null}} props strength: null on the diagonal */
function Cell({ x, y, size, rows, strength }) {
  const gap = size > 8 ? 1 : 0;
  return (
    <>
      <rect class={strength === null ? "agreed" : "confused"} x={x + gap} y={y + gap} width={size - 2 * gap} height={size - 2 * gap} rx={size > 12 ? 3 : 0} fill-opacity={strength === null ? 1 : 0.35 + 0.65 * strength} />
      {size > DIGIT * String(rows).length + 3 && size > 13 && (
        <text class={strength === null ? "agreed-text" : `confused-text ${strength > 0.5 ? "strong-cell" : ""}`} x={x + size / 2} y={y + size / 2 + 4} text-anchor="middle">
          {rows}
        </text>
      )}
    </>
  );
}

/**
 * The most confused pairs, where there are too many classes for squares.
 * @param {Confusion} confusion
 * @param {number} width
 * @returns {import("./chart.jsx").Drawing}
 */
export function drawPairs(confusion, width) {
  const pairs = confusedPairs(confusion).slice(0, PAIRS);
  const left = 110;
  const x = scaleLinear([0, Math.max(1, ...pairs.map(({ rows }) => rows))], [0, width - left - 70]);
  return {
    height: Math.max(1, pairs.length) * ROW + 8,
    stops: pairs.map(({ asked, given, rows }, i) => ({ x: left + x(rows), y: i * ROW + ROW / 2, lines: [text.confusedPair(asked, given), text.rowsCount(rows)] })),
    marks:
      pairs.length === 0 ? (
        <text class="small-label" x={0} y={18}>
          {text.noneConfused}
        </text>
      ) : (
        pairs.map(({ asked, given, rows }, i) => (
          <g key={i} transform={`translate(0 ${i * ROW + ROW / 2})`}>
            <text class="row-label" x={0} y={4.5}>
              {text.confusedPair(asked, given)}
            </text>
            <rect class="confused" x={left} y={-8} width={Math.max(3, x(rows))} height={16} rx={3} />
            <text class="row-value" x={left + Math.max(3, x(rows)) + 8} y={4.5}>
              {count(rows)}
            </text>
          </g>
        ))
      ),
  };
}

/** What both say, and how often: what differs first. @param {Confusion} confusion @param {string} asked @returns {import("./chart.jsx").Table} */
export function confusionTable(confusion, asked) {
  const { classes, counts, rows } = confusion;
  const same = [...counts].filter(([at]) => Math.floor(at / classes) === at % classes).sort(([a], [b]) => a - b);
  const cells = [...confusedPairs(confusion).map((pair) => [pair.asked, pair.given, pair.rows]), ...same.map(([at, own]) => [at % classes, at % classes, own])];
  return {
    head: [asked, text.confusionX, text.columns.rows, text.columns.share],
    rows: cells.map(([from, to, own]) => [from, to, own, percent(own / rows)]),
    raw: cells.map(([from, to, own]) => [from, to, own, own / rows]),
  };
}
