// A small network: neurons with their numbers, blocks by colour and number, edges that can be dragged.
import { useRef } from "preact/hooks";

import { number } from "../format.js";
import { classText } from "../messages_classroom.js";
import { weightAt } from "./network.js";

/**
 * @typedef {import("./network.js").Network} Network
 * @typedef {{layer: number, from: number, to: number, share: number}} Takeover   layer from 1, neurons from 0
 * @typedef {{
 *   net: Network, title: string, labels?: (number|null)[][], blocks?: (number|null)[][]|null, members?: string[][],
 *   pair?: {layer: number, neurons: number[]}|null, gone?: (layer: number, neuron: number) => boolean, takeovers?: Takeover[],
 *   chosen?: {layer: number, neuron: number}|null, onChoose?: (at: {layer: number, neuron: number}) => void,
 *   onWeight?: (at: import("./network.js").Weight, value: number) => void
 * }} Props   labels: of hidden neurons, else their numbers; gone: layer from 1, neuron from 0; chosen: layer 0 the first hidden one
 */

const RADIUS = 17;
const PORT = 13;
const COLUMN = 132;
const ROW = 58;
const MARGIN = { x: 34, top: 54, bottom: 26 };
const PER_PIXEL = 0.01; // of a weight

/** @param {number[]} widths */
export function layoutOf(widths) {
  const tallest = Math.max(...widths, 4);
  const height = MARGIN.top + MARGIN.bottom + (tallest - 1) * ROW;
  const width = 2 * MARGIN.x + (widths.length - 1) * COLUMN;
  const middle = MARGIN.top + ((tallest - 1) * ROW) / 2;
  const at = (/** @type {number} */ layer, /** @type {number} */ i) => ({ x: MARGIN.x + layer * COLUMN, y: middle + (i - (widths[layer] - 1) / 2) * ROW });
  return { width, height, at };
}

/** @param {Props} props */
export function Drawing(props) {
  const { net, title, onChoose, takeovers = [] } = props;
  const widths = [net.inputs, ...net.layers.map((layer) => layer.bias.length)];
  const { width, height, at } = layoutOf(widths);
  return (
    <svg class="net" viewBox={`0 0 ${width} ${height}`} style={{ "--wide": width }} role={onChoose ? "group" : "img"} aria-label={title}>
      {widths.map((_, l) => (
        <text key={l} class="layer-name" x={at(l, 0).x} y={14} text-anchor="middle">
          {classText.column(l, widths.length)}
        </text>
      ))}
      {net.layers.map((layer, l) => layer.weights.map((row, k) => row.map((_, j) => <Edge key={`${l} ${k} ${j}`} {...{ props, at, layer: l, neuron: k, from: j }} />)))}
      {takeovers.map((one) => (
        <Arc key={`${one.layer} ${one.from} ${one.to}`} {...one} at={at} />
      ))}
      {widths.map((n, l) => Array.from({ length: n }, (_, i) => <Neuron key={`${l} ${i}`} {...{ props, at, layer: l, neuron: i, count: widths.length }} />))}
    </svg>
  );
}

/** @typedef {ReturnType<typeof layoutOf>["at"]} At */

/** @param {{props: Props, at: At, layer: number, neuron: number, from: number}} props */
function Edge({ props: { net, onWeight, chosen, gone }, at, layer, neuron, from }) {
  const weight = weightAt(net, { layer, neuron, from });
  const [a, b] = [at(layer, from), at(layer + 1, neuron)];
  const line = { x1: a.x, y1: a.y, x2: b.x, y2: b.y };
  const into = chosen?.layer === layer && chosen.neuron === neuron;
  const lost = (layer > 0 && gone?.(layer, from)) || (layer + 1 < net.layers.length && gone?.(layer + 1, neuron));
  const drag = useRef({ y: 0, weight: 0, on: false });
  /** @param {PointerEvent} event */
  const onPointerDown = (event) => {
    event.preventDefault();
    drag.current = { y: event.clientY, weight, on: true };
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    onWeight?.({ layer, neuron, from }, weight);
  };
  /** @param {PointerEvent} event */
  const onPointerMove = (event) => {
    const { on, y, weight: start } = drag.current;
    if (on) onWeight?.({ layer, neuron, from }, start - PER_PIXEL * (event.clientY - y));
  };
  const share = 0.36;
  return (
    <g class={`edge ${weight < 0 ? "negative" : ""} ${into ? "into" : ""} ${lost ? "lost" : ""}`}>
      <line class="wire" {...line} stroke-width={weight === 0 ? 0.6 : 0.9 + 1.5 * Math.min(2, Math.abs(weight))} stroke-opacity={into ? 1 : weight === 0 ? 0.25 : 0.3 + 0.3 * Math.min(1, Math.abs(weight))} />
      {onWeight && (
        <line class="grip" {...line} {...{ onPointerDown, onPointerMove }} onPointerUp={() => (drag.current.on = false)} onPointerCancel={() => (drag.current.on = false)}>
          <title>{classText.edge(layer, neuron, from, number(weight))}</title>
        </line>
      )}
      {into && (
        <text class="weight" x={a.x + share * (b.x - a.x)} y={a.y + share * (b.y - a.y) - 4} text-anchor="middle">
          {number(weight)}
        </text>
      )}
    </g>
  );
}

/** Who takes over from a neuron that goes. @param {Takeover & {at: At}} props */
function Arc({ layer, from, to, share, at }) {
  const [a, b] = [at(layer, from), at(layer, to)];
  const bend = 30 + 8 * Math.abs(from - to);
  const x = a.x + RADIUS - 2;
  return (
    <g class="arc">
      <path d={`M${x} ${a.y}C${x + bend} ${a.y} ${x + bend} ${b.y} ${x + 4} ${b.y}`} stroke-width={1 + Math.min(3, 1.6 * Math.abs(share))} stroke-dasharray={share < 0 ? "4 4" : undefined} />
      <text x={b.x + RADIUS + 20} y={b.y - 7} text-anchor="middle">
        {number(Number(share.toPrecision(2)))}
      </text>
    </g>
  );
}

/** @param {{props: Props, at: At, layer: number, neuron: number, count: number}} props */
function Neuron({ props: { labels, blocks, members, pair, gone, chosen, onChoose }, at, layer, neuron, count }) {
  const { x, y } = at(layer, neuron);
  const port = layer === 0 || layer === count - 1;
  const block = port ? null : (blocks?.[layer - 1]?.[neuron] ?? null);
  const lost = !port && (gone?.(layer, neuron) ?? false);
  const label = port ? `${layer === 0 ? "x" : "y"}${neuron + 1}` : String(labels?.[layer - 1]?.[neuron] ?? neuron + 1);
  const marked = pair?.layer === layer && pair.neurons.includes(neuron + 1);
  const isChosen = chosen?.layer === layer - 1 && chosen.neuron === neuron;
  const radius = port ? PORT : RADIUS;
  const pick = () => onChoose?.({ layer: layer - 1, neuron });
  const button = onChoose !== undefined && layer > 0;
  const asButton = button && {
    role: /** @type {const} */ ("button"),
    tabIndex: 0,
    "aria-pressed": isChosen,
    "aria-label": classText.neuronName(layer, neuron + 1, count, block, lost),
    onClick: pick,
    onKeyDown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      pick();
    },
  };
  const constant = !port && blocks && block === null && !lost && !members;
  return (
    <g class={`neuron ${port ? "port" : ""} ${block === null ? "" : `in-block b${block}`} ${lost ? "lost" : ""} ${marked ? "marked" : ""} ${isChosen ? "chosen" : ""} ${constant ? "constant" : ""}`}>
      <g class={button ? "press" : ""} {...asButton}>
        {marked && <circle class="ring" cx={x} cy={y} r={radius + 5} />}
        <circle class="body" cx={x} cy={y} r={radius} />
      </g>
      <text class="label" x={x} y={y + 5} text-anchor="middle" aria-hidden={button}>
        {label}
      </text>
      {block !== null && !members && (
        <g class="badge-block" aria-hidden={button}>
          <rect x={x + 9} y={y - 26} width={19} height={17} rx={4} />
          <text x={x + 18.5} y={y - 13} text-anchor="middle">
            {block}
          </text>
        </g>
      )}
      {members && !port && (
        <text class="members" x={x} y={y + RADIUS + 14} text-anchor="middle">
          {members[layer - 1]?.[neuron]}
        </text>
      )}
    </g>
  );
}
