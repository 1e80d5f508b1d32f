// The idea in one picture: neurons that behave alike become one.
import { text } from "../messages.js";

const BLOCKS = [0, 1, 1, 1, 2]; // of the five hidden neurons
const HEIGHT = 170;

/** @param {number} n @returns {number[]} heights of n dots in a column */
const spread = (n) => Array.from({ length: n }, (_, i) => (HEIGHT * (i + 0.5)) / n);

/**
 * @param {number} x left edge
 * @param {number[]} hidden heights
 */
function layers(x, hidden) {
  return [
    { x, ys: spread(3) },
    { x: x + 70, ys: hidden },
    { x: x + 140, ys: spread(2) },
  ];
}

export function Figure() {
  const lumped = [0, 1, 2].map((block) => mean(spread(5).filter((_, i) => BLOCKS[i] === block)));
  return (
    <svg class="figure" viewBox={`-10 0 400 ${HEIGHT}`} role="img" aria-labelledby="figure-title">
      <title id="figure-title">{text.figureTitle}</title>
      <Net columns={layers(0, spread(5))} blocks={BLOCKS} />
      <path class="arrow" d={`M172 ${HEIGHT / 2}h30m-7-6 7 6-7 6`} />
      <Net columns={layers(236, lumped)} blocks={[0, 1, 2]} />
    </svg>
  );
}

/** @param {{columns: {x: number, ys: number[]}[], blocks: number[]}} props */
function Net({ columns: [input, hidden, output], blocks }) {
  const fans = [
    [input, hidden],
    [hidden, output],
  ];
  return (
    <>
      {fans.flatMap(([from, to]) => from.ys.flatMap((y1) => to.ys.map((y2) => <line key={`${from.x} ${y1} ${y2}`} x1={from.x} y1={y1} x2={to.x} y2={y2} />)))}
      {[input, output].flatMap(({ x, ys }) => ys.map((y) => <circle key={`${x} ${y}`} class="port" cx={x} cy={y} r={6} />))}
      {hidden.ys.map((y, i) => (
        <g key={y} class={blocks[i] === 1 ? "alike" : "single"}>
          <circle cx={hidden.x} cy={y} r={9} />
          <text x={hidden.x} y={y + 3.6} text-anchor="middle">
            {blocks[i] + 1}
          </text>
        </g>
      ))}
    </>
  );
}

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
