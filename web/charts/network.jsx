// The network, a column of neurons for every layer, each in the colour and number of its block. Filled neurons stay and stand for the
// hollow ones of their block.
import { clip } from "../format.js";
import { text } from "../messages.js";
import { blockAt, stripsOf } from "./blocks.js";
import { PITCH, TOP, sizeOf, standing } from "./standing.js";

/**
 * @typedef {import("./blocks.js").Arrangement} Arrangement
 * @typedef {{name: string, width: number, after: number, arrangement: Arrangement}} Column   name: of the layer, or the inputs
 * @typedef {{from: number, to: number, strength: number}} Line   between neurons of a column and the next
 * @typedef {{column: number, into: number, lines: Line[]}} Links
 * @typedef {import("./standing.js").Spot} Spot
 */

const BELOW = 26;
const TALLEST = 380; // px
const NAMED = 42; // px a layer needs for its name
const SMALLEST = 7.5; // px, of a number
const SHADES = 5; // of the lines

/**
 * @param {{columns: Column[], links: Links[], width: number}} options
 * @returns {import("./chart.jsx").Drawing}
 */
export function drawNetwork({ columns, links, width }) {
  const widest = Math.max(...columns.map((column) => column.width));
  const height = Math.min(TALLEST, Math.max(150, widest * PITCH));
  const room = width / columns.length;
  const placed = columns.map((column, i) => ({ ...column, ...standing(column.width, { x: room * (i + 0.5), room, height }), x: room * (i + 0.5) }));
  const every = Math.max(1, Math.ceil(16 / room)); // number of every so many layers where there is no room
  return {
    height: TOP + height + BELOW,
    stops: placed.flatMap((column, lane) => column.arrangement.order.map((unit, at) => stopOf(column, lane, unit, column.spots[at]))),
    marks: (
      <>
        {links.map((one) => (
          <Lines key={one.into} links={one} from={placed[one.column]} to={placed[one.into]} />
        ))}
        {placed.map((column, i) => (
          <g key={i}>
            {column.bar > 0 ? <Bar column={column} height={height} /> : <Dots column={column} />}
            {i % every === 0 && (
              <text class="small-label" x={column.x} y={12} text-anchor="middle">
                {room < NAMED ? i + 1 : clip(column.name, Math.floor(room / 7))}
              </text>
            )}
            {room >= NAMED && (
              <text class="small-label" x={column.x} y={TOP + height + 20} text-anchor="middle">
                {column.after < column.width && room > 70 ? `${column.width} → ${column.after}` : column.after}
              </text>
            )}
          </g>
        ))}
      </>
    ),
  };
}

/** @param {Column} column @param {number} lane @param {number} unit @param {Spot} spot @returns {import("./chart.jsx").Stop} */
function stopOf({ name, arrangement, ...column }, lane, unit, { x, y, r }) {
  const block = blockAt(arrangement, unit);
  const spots = /** @type {{spots: Spot[]}} */ (/** @type {unknown} */ (column)).spots;
  return {
    x,
    y,
    lane,
    size: Math.max(3.5, r + 1.5),
    // Of the one that is looked at: there may be tens of thousands.
    get lines() {
      return [text.neuron(name, unit), ...(block ? [text.neuronBlock(block, unit)] : [])];
    },
    get also() {
      const others = block && block.number > 0 ? block.members.filter((one) => one !== unit) : [];
      return others.slice(0, 200).map((one) => spots[arrangement.place[one]]);
    },
  };
}

/** Faint, the stronger the weight the darker. @param {{links: Links, from: {spots: Spot[], arrangement: Arrangement, bar: number}, to: {spots: Spot[], arrangement: Arrangement, bar: number}}} props */
function Lines({ links, from, to }) {
  const shades = Array.from({ length: SHADES }, () => "");
  for (const line of links.lines) {
    const [a, b] = [from.spots[from.arrangement.place[line.from]], to.spots[to.arrangement.place[line.to]]];
    shades[Math.min(SHADES - 1, Math.floor(SHADES * line.strength))] += `M${(a.x + a.r + from.bar / 2).toFixed(1)} ${a.y.toFixed(1)}L${(b.x - b.r - to.bar / 2).toFixed(1)} ${b.y.toFixed(1)}`;
  }
  return (
    <>
      {shades.map((d, i) => (
        <path key={i} class="link" stroke-opacity={0.05 + (0.4 * (i + 1)) / SHADES} d={d} />
      ))}
    </>
  );
}

/** @param {import("./blocks.js").Block|null} block @param {boolean} free a layer nothing is to go from */
const classOf = (block, free) => (free ? "unit fixed" : block === null || block.number === 0 ? "unit gone" : block.colour === null ? "unit alone" : `unit block-${block.colour}`);

/** @param {{column: Column & {spots: Spot[]}}} props */
function Dots({ column: { arrangement, spots } }) {
  return arrangement.order.map((unit, at) => {
    const { x, y, r } = spots[at];
    const block = blockAt(arrangement, unit);
    const stays = arrangement.kept === null || arrangement.kept.has(unit);
    return (
      <g key={unit}>
        <circle class={`${classOf(block, arrangement.kept === null)} ${stays ? "" : "hollow"} ${r < 4 ? "fine" : ""}`} cx={x} cy={y} r={r} />
        {block !== null && block.number > 0 && sizeOf(block.number, r) >= SMALLEST && (
          <text class={stays ? "unit-number" : "unit-number out"} x={x} y={y + 0.36 * sizeOf(block.number, r)} font-size={sizeOf(block.number, r)} text-anchor="middle">
            {block.number}
          </text>
        )}
      </g>
    );
  });
}

/** Many neurons: a bar of blocks, as high as they have members, what stays filled; of the two shares alone where blocks are too thin. @param {{column: Column & {spots: Spot[], x: number, bar: number}, height: number}} props */
function Bar({ column: { arrangement, width, x, bar }, height }) {
  const unit = height / width;
  const whole = arrangement.kept === null || arrangement.blocks.every((block) => block.number > 0 && block.members.length === 1);
  if (whole) return <rect class={classOf(null, true)} x={x - bar / 2} y={TOP} width={bar} height={height} rx={2} />;
  return stripsOf(arrangement, unit).map((block) => {
    const size = block.members.length * unit;
    const y = TOP + block.start * unit;
    const stays = block.stays * unit;
    return (
      <g key={block.number}>
        {size > stays && <rect class={`${classOf(block, false)} hollow`} x={x - bar / 2} y={y + stays} width={bar} height={size - stays} />}
        {stays > 0 && <rect class={classOf(block, false)} x={x - bar / 2} y={y} width={bar} height={stays} />}
        {size >= 12 && bar >= 16 && block.number > 0 && block.stays === 1 && (
          <text class="unit-number out" x={x} y={y + size / 2 + 3.5} font-size={10} text-anchor="middle">
            {block.number}
          </text>
        )}
      </g>
    );
  });
}

/** @param {Column[]} columns @returns {import("./chart.jsx").Table} */
export function blockTable(columns) {
  const rows = columns.flatMap(({ name, arrangement }) =>
    arrangement.blocks.map(({ number, members }) => [name, number > 0 ? number : text.noBlock, number > 0 ? members[0] + 1 : "", members.map((unit) => unit + 1).join(" ")]),
  );
  return { head: [text.columns.layer, text.columns.block, text.columns.stays, text.columns.neurons], rows };
}
