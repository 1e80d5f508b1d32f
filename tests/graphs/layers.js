// Layers with redundancy planted: channels that are copies, multiples, dead or constant.
//
// A *plan* is what is known of the channels that one layer writes (and of all that are tied to them): which of them are twins of
// others. Along the channel axis of a value lie the segments of plans, as channels.h has them: element (t * width + c) * run + p.
// Constants that operators read a channel with are drawn so that twins stay twins, unless an operator mixes channels.
import { noise } from "../material.js";
import { Operators } from "./operators.js";

/**
 * @typedef {{of: number, is: number, times: number}} Twin   channel `of` is `times` channel `is`
 * @typedef {{width: number, twins: Twin[], fillers: Map<number, number>, whole: boolean, doubt: boolean, read: boolean, writers: string[]}} Plan
 *   fillers: channels without weights, and their bias; whole: something reads or writes it that cannot be edited; doubt: declining
 *   it is no fault; read: by a layer
 * @typedef {{plan: Plan|null, width: number, tile: number, run: number}} Segment
 * @typedef {import("./operators.js").Value} Plain
 * @typedef {Plain & {axis: number, segments: Segment[]}} Value
 * @typedef {import("./operators.js").Window} Window
 */

export const product = (/** @type {number[]} */ list) => list.reduce((a, b) => a * b, 1);
/** Elements of a segment. */
export const length = (/** @type {Segment} */ { width, tile, run }) => width * tile * run;

/** Seeded draws. */
export class Draw {
  #next;

  /** @param {number} seed */
  constructor(seed) {
    const next = noise(seed * 7919 + 13);
    for (let i = 0; i < 8; i += 1) next();
    this.#next = () => (next() + 1) / 2;
  }

  /** Whole, from `low` to `high`. @param {number} low @param {number} high */
  whole(low, high) {
    return low + Math.floor(this.#next() * (high - low + 1));
  }

  /** @param {number} probability */
  chance(probability) {
    return this.#next() < probability;
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  one(list) {
    return list[this.whole(0, list.length - 1)];
  }

  /** Uniform. @param {number} low @param {number} high */
  real(low, high) {
    return Math.fround(low + this.#next() * (high - low));
  }

  /** @param {number} count @param {number} low @param {number} high */
  reals(count, low, high) {
    return Array.from({ length: count }, () => this.real(low, high));
  }
}

// ---- plans -----------------------------------------------------------------------------------------------------------

/** Twins along an axis: elements that repeat others. @param {Segment[]} segments @returns {Twin[]} */
export function twinsAlong(segments) {
  const found = [];
  let start = 0;
  for (const segment of segments) {
    const { plan, width, tile, run } = segment;
    for (const { of, is, times } of plan?.twins ?? [])
      for (let t = 0; t < tile; t += 1)
        for (let p = 0; p < run; p += 1)
          found.push({ of: start + (t * width + of) * run + p, is: start + (t * width + is) * run + p, times });
    start += length(segment);
  }
  return found;
}

/** @param {Segment[]} segments @returns {Plan[]} */
export const plansOf = (segments) => [...new Set(segments.flatMap(({ plan }) => plan ?? []))];

/** A stretch nobody can lump. @param {number} width @returns {Segment[]} */
export const fixed = (width) => [{ plan: null, width, tile: 1, run: 1 }];

export class Layers extends Operators {
  /** @type {Plan[]} */ plans = [];

  /** @param {Draw} draw @param {ConstructorParameters<typeof Operators>[0]} options */
  constructor(draw, options) {
    super(options);
    this.draw = draw;
    this.states = false; // shapes of inner values
    this.batch = /** @type {import("./onnx.js").Dim} */ ("N");
  }

  /** A plan of so many channels, some of them redundant. @param {number} width @returns {Plan} */
  plan(width) {
    const { draw } = this;
    const order = Array.from({ length: width }, (_, i) => i).sort(() => draw.real(-1, 1));
    const copies = Math.floor(width * draw.real(0, 0.4));
    const twins = Array.from({ length: copies }, (_, k) => ({ of: order[k], is: draw.one(order.slice(copies)), times: draw.chance(0.6) ? 1 : draw.real(0.3, 2) }));
    const fillers = new Map();
    if (width > 5 && draw.chance(0.2)) fillers.set(draw.one(order.slice(copies)), draw.chance(0.5) ? -2 : draw.real(-1, 1));
    const plan = { width, twins, fillers, whole: false, doubt: false, read: false, writers: [] };
    this.plans.push(plan);
    return plan;
  }

  /** Whatever happens to these channels from here on. @param {Value} x @param {Partial<Plan>} facts @returns {Value} */
  mark(x, facts) {
    for (const plan of plansOf(x.segments)) Object.assign(plan, facts);
    return x;
  }

  /** Twins that are multiples end here. @param {Value} x @returns {Value} */
  bend(x) {
    for (const plan of plansOf(x.segments)) plan.twins = plan.twins.filter(({ times }) => times === 1);
    return x;
  }

  /** What an operator made of x, its channels where they were. @param {Value} x @param {Plain} made @returns {Value} */
  kept(x, made) {
    return this.stated({ ...made, axis: x.axis, segments: x.segments });
  }

  /** Says the value's shape in the file where files of this graph's style do. @param {Value} x @returns {Value} */
  stated(x) {
    if (this.states && !this.infos.some(({ name }) => name === x.name)) this.info(x.name, this.type, x.dims.map((size, axis) => (axis === 0 ? this.batch : size)));
    return x;
  }

  /** One number a channel, alike for twins. @param {Value} x @param {number} low @param {number} high */
  each(x, low, high) {
    const values = this.draw.reals(x.dims[x.axis], low, high);
    for (const { of, is } of twinsAlong(x.segments)) values[of] = values[is];
    return values;
  }

  /** A constant that holds a number a channel, in one of the shapes that broadcast to x. @param {Value} x @param {number[]} values */
  perChannel(x, values) {
    const { draw } = this;
    const behind = x.dims.slice(x.axis + 1).map(() => 1);
    const before = draw.chance(0.4) ? x.dims.slice(0, x.axis).map(() => 1) : [];
    return this.numbers([...before, values.length, ...behind], values);
  }

  /** A constant of the network's own type, now and then behind a node that hands it on. @param {number[]} dims @param {ArrayLike<number>} values */
  numbers(dims, values) {
    const name = super.numbers(dims, values);
    return this.draw.chance(0.03) ? this.node("Identity", [name]) : name;
  }

  // ---- layers --------------------------------------------------------------------------------------------------------

  /**
   * Weights (out, in, kernel) as rows, twins' rows alike. @param {Segment[]} segments written @param {number} inside numbers a row
   * @param {number} groups blocks of rows that read different channels
   * @returns {{rows: number[][], bias: number[]}}
   */
  rows(segments, inside, groups = 1) {
    const { draw } = this;
    const out = segments.reduce((sum, segment) => sum + length(segment), 0);
    const size = Math.sqrt(3 / inside);
    const rows = Array.from({ length: out }, () => draw.reals(inside, -size, size));
    const bias = draw.reals(out, -0.5, 0.5);
    const block = (/** @type {number} */ o) => Math.floor(o / (out / groups));
    let start = 0;
    for (const segment of segments) {
      for (const [channel, constant] of segment.plan?.fillers ?? [])
        for (let k = 0; k < segment.tile * segment.run; k += 1) {
          const o = start + (Math.floor(k / segment.run) * segment.width + channel) * segment.run + (k % segment.run);
          rows[o].fill(0);
          bias[o] = constant;
        }
      start += length(segment);
    }
    for (const { of, is, times } of twinsAlong(segments)) {
      if (block(of) !== block(is)) for (const plan of plansOf(segments)) plan.twins = [];
      rows[of] = rows[is].map((w) => Math.fround(w * times));
      bias[of] = Math.fround(bias[is] * times);
    }
    return { rows, bias };
  }

  /** Segments for a layer of so many outputs. @param {number} width @returns {Segment[]} */
  hidden(width) {
    return [{ plan: this.plan(width), width, tile: 1, run: 1 }];
  }

  /** Names the layer just added as the writer of its plans; what it read is read. @param {Value} x @param {Segment[]} segments */
  wrote(x, segments) {
    this.mark(x, { read: true });
    const { name } = this.nodes.findLast(({ opType }) => /^(Conv|Gemm|MatMul)/.test(opType));
    for (const plan of plansOf(segments)) plan.writers.push(name);
  }

  /** @param {Value} x a map @param {Segment[]} segments @param {Window} window @param {boolean} [biased] @returns {Value} */
  convolve(x, segments, window, biased = this.draw.chance(0.8)) {
    const { group = 1 } = window;
    const inside = x.dims[1] / group;
    const { rows, bias } = this.rows(segments, inside * product(window.kernel), group);
    const weights = this.numbers([rows.length, inside, ...window.kernel], rows.flat());
    if (!biased) this.unbiased(segments);
    const made = this.conv(x, weights, biased ? this.numbers([bias.length], bias) : null, rows.length, window);
    this.wrote(x, segments);
    return this.stated({ ...made, axis: 1, segments });
  }

  /** Without a bias constant channels are none. @param {Segment[]} segments */
  unbiased(segments) {
    for (const plan of plansOf(segments)) for (const channel of plan.fillers.keys()) plan.fillers.set(channel, 0);
  }

  /** @param {Value} x @param {Segment[]} segments @param {Window} window @returns {Value} */
  deconvolve(x, segments, window) {
    const { group = 1, kernel } = window;
    const inside = x.dims[1] / group, taps = product(kernel);
    const { rows, bias } = this.rows(segments, inside * taps, group);
    const block = rows.length / group;
    // (in, out / groups, kernel)
    const values = Array.from({ length: x.dims[1] }, (_, i) =>
      Array.from({ length: block }, (_, o) => rows[Math.floor(i / inside) * block + o].slice((i % inside) * taps, ((i % inside) + 1) * taps)));
    const weights = this.numbers([x.dims[1], block, ...kernel], values.flat(2));
    const made = this.convTranspose(x, weights, this.numbers([bias.length], bias), rows.length, window);
    this.wrote(x, segments);
    return { ...made, axis: 1, segments };
  }

  /** One filter (or `times` of them) for each channel: no layer, it goes along. @param {Value} x @param {number} times @param {Window} window @returns {Value} */
  depthwise(x, times, window) {
    const { draw } = this;
    const channels = x.dims[1];
    const taps = product(window.kernel) * times; // of one channel
    const filters = Array.from({ length: channels }, () => draw.reals(taps, -1, 1).map((w) => w / Math.sqrt(product(window.kernel) / 3)));
    const biases = Array.from({ length: channels }, () => draw.reals(times, -0.3, 0.3));
    this.bend(x);
    for (const { of, is } of twinsAlong(x.segments)) [filters[of], biases[of]] = [filters[is], biases[is]];
    const weights = this.numbers([channels * times, 1, ...window.kernel], filters.flat());
    const bias = draw.chance(0.6) ? this.numbers([channels * times], biases.flat()) : null;
    const made = this.conv(x, weights, bias, channels * times, { ...window, group: channels });
    return { ...made, axis: 1, segments: x.segments.map((segment) => ({ ...segment, run: segment.run * times })) };
  }

  /** A dense layer on the last axis in one of its forms. @param {Value} x @param {Segment[]} segments @returns {Value} */
  dense(x, segments) {
    const { draw } = this;
    const inside = x.dims.at(-1) ?? 0;
    const { rows, bias } = this.rows(segments, inside);
    const dims = [...x.dims.slice(0, -1), rows.length];
    const axis = dims.length - 1;
    const columns = Array.from({ length: inside }, (_, i) => rows.map((row) => row[i]));
    if (x.dims.length === 2 && draw.chance(0.6)) {
      const [transB, alpha, beta] = [draw.chance(0.7), draw.chance(0.2) ? 0.5 : 1, draw.chance(0.2) ? 2 : 1];
      const weights = (transB ? rows : columns).flat().map((w) => w / alpha);
      const shape = transB ? [rows.length, inside] : [inside, rows.length];
      const biased = this.opset < 11 || draw.chance(0.85);
      if (!biased) this.unbiased(segments);
      const c = biased ? [this.numbers(draw.chance(0.2) ? [1, rows.length] : [rows.length], bias.map((b) => b / beta))] : [];
      const name = this.node("Gemm", [x.name, this.numbers(shape, weights), ...c], { transB: transB ? 1 : undefined, alpha: alpha === 1 ? undefined : alpha, beta: beta === 1 ? undefined : beta });
      this.wrote(x, segments);
      return this.stated({ name, dims, axis, segments });
    }
    const name = this.node("MatMul", [x.name, this.numbers([inside, rows.length], columns.flat())]);
    this.wrote(x, segments);
    if (draw.chance(0.2)) {
      this.unbiased(segments);
      return this.stated({ name, dims, axis, segments });
    }
    return this.stated({ ...this.with("Add", { name, dims }, this.numbers([rows.length], bias), draw.chance(0.3)), axis, segments });
  }
}
