// Blocks of random graphs: each takes a value and gives another one of the same kind (map, row or sequence).
import { Layers, fixed, length, product } from "./layers.js";

/**
 * @typedef {import("./layers.js").Value} Value
 * @typedef {import("./layers.js").Segment} Segment
 * @typedef {import("./operators.js").Window} Window
 */

const HOMOGENEOUS = ["Relu", "LeakyRelu", "Abs", "Identity", "Dropout"]; // f(c x) = c f(x) for c > 0

/** Activations by the opset they came with. @type {[number, string, Record<string, number>?][]} */
const ACTIVATIONS = [
  [7, "Relu"], [7, "Relu"], [7, "LeakyRelu", { alpha: 0.1 }], [7, "Tanh"], [7, "Sigmoid"], [7, "Elu", { alpha: 0.8 }], [7, "Selu"],
  [7, "HardSigmoid", { alpha: 0.3 }], [7, "Softplus"], [7, "Softsign"], [7, "Abs"], [9, "Erf"], [10, "ThresholdedRelu", { alpha: 0.2 }],
  [12, "Celu", { alpha: 1.2 }], [14, "HardSwish"], [18, "Mish"], [20, "Gelu"],
]; // prettier-ignore

export class Blocks extends Layers {
  dynamic = false; // whether the sizes of maps are open

  // ---- elementwise and per channel -----------------------------------------------------------------------------------

  /** @param {Value} x @returns {Value} */
  activate(x) {
    const { draw, opset, type } = this;
    if (type === "float64") return this.bend(this.kept(x, this.same(draw.one(["Relu", "Tanh", "Sigmoid"]), x)));
    if (draw.chance(0.15)) return this.kept(this.bend(x), this.clip(x, draw.real(-1, 0), draw.real(0.5, 3)));
    if (draw.chance(0.12)) return this.kept(this.bend(x), this.with("Mul", x, this.same("Sigmoid", x).name, draw.chance(0.5)));
    const [, op, attributes] = draw.one(ACTIVATIONS.filter(([since, name]) => since <= opset && (type === "float32" || name !== "Celu"))); // Celu is of floats alone
    return this.kept(HOMOGENEOUS.includes(op) ? x : this.bend(x), this.same(op, x, attributes));
  }

  /** @param {Value} x @returns {Value} */
  normalise(x) {
    const parameters = [this.each(x, 0.5, 1.5), this.each(x, -0.4, 0.4), this.each(x, -0.3, 0.3), this.each(x, 0.4, 1.2)];
    return this.kept(this.bend(x), this.batchNorm(x, parameters));
  }

  /** PRelu with slopes of some shape: one, one a channel, one an element. @param {Value} x @returns {Value} */
  slopes(x) {
    const { draw } = this;
    const rank = x.dims.length - x.axis;
    const kind = draw.whole(0, this.dynamic ? 2 : 3);
    if (kind === 0) return this.kept(x, this.same("PRelu", x, {}, [this.numbers(draw.chance(0.5) ? [1] : Array(rank).fill(1), [draw.real(0.05, 0.4)])]));
    if (kind < 3) {
      const values = this.each(x, 0.05, 0.4);
      const dims = [...Array(kind === 1 ? 0 : x.axis).fill(1), values.length, ...Array(rank - 1).fill(1)];
      return this.kept(x, this.same("PRelu", x, {}, [this.numbers(dims, values)]));
    }
    const inner = x.dims.slice(x.axis + 1).reduce((a, b) => a * b, 1);
    const values = this.each(x, 0.05, 0.4).flatMap((slope) => Array(inner).fill(slope));
    return this.kept(x, this.same("PRelu", x, {}, [this.numbers(x.dims.slice(x.axis), values)]));
  }

  /** @param {Value} x @returns {Value} */
  arithmetic(x) {
    const { draw } = this;
    const op = draw.one(["Add", "Mul", "Sub", "Div"]);
    const swapped = op !== "Div" && draw.chance(0.4);
    if (op === "Add" || op === "Sub") this.bend(x);
    const scalar = draw.chance(0.2);
    const values = scalar ? [draw.real(0.5, 1.5)] : this.each(x, 0.5, 1.5);
    const constant = scalar ? this.numbers(draw.chance(0.5) ? [] : [1], values) : this.perChannel(x, values);
    return this.kept(x, this.with(op, x, constant, swapped));
  }

  /** Nothing happens to the numbers. @param {Value} x @returns {Value} */
  pass(x) {
    const { draw, type } = this;
    const kind = draw.whole(0, 2);
    if (kind === 0) return this.kept(x, this.same("Identity", x));
    if (kind === 1) return this.kept(x, this.dropout(x));
    return this.kept(x, type === "float32" && draw.chance(0.5) ? this.cast(this.cast(x, "float64"), "float32") : this.cast(x, type));
  }

  /** Operators that look across channels: what comes in stays whole, and what goes out. @param {Value} x @returns {Value} */
  opaque(x) {
    const { draw, opset } = this;
    this.mark(x, { whole: true });
    const whole = (/** @type {import("./operators.js").Value} */ made) => ({ ...made, axis: x.axis, segments: fixed(made.dims[x.axis]) });
    const width = x.dims[x.axis];
    const kind = draw.whole(0, 4);
    if (kind === 0 && opset >= 11 && this.type !== "float16") return whole(this.arithmeticOf("CumSum", x, width));
    if (kind === 1 && x.dims.length === 4 && this.type === "float32") return whole(this.same("LRN", x, { size: 3 }));
    if (kind === 2 && opset >= 10) {
      this.node("TopK", [x.name, this.list([width])], { axis: x.axis }, { count: 2 });
      return whole({ name: this.nodes.at(-1).output[0], dims: x.dims });
    }
    if (kind === 3) {
      const order = Array.from({ length: width }, (_, i) => (i * 5 + 1) % width);
      return whole({ name: this.node("Gather", [x.name, this.list(order)], { axis: x.axis }), dims: x.dims });
    }
    if (x.axis === x.dims.length - 1) return whole(this.layerNorm(x, draw.reals(width, 0.5, 1.5), draw.reals(width, -0.3, 0.3)));
    return whole(this.with("Sub", x, this.reduce("ReduceMax", x, [x.axis], true).name));
  }

  /** Channels dealt out anew, or turned into positions: nothing is expected of those. @param {Value} x a map @returns {Value} */
  shuffled(x) {
    const [n, c, ...sizes] = x.dims;
    this.mark(x, { doubt: true });
    const whole = (/** @type {import("./operators.js").Value} */ made) => ({ ...made, axis: 1, segments: fixed(made.dims[1]) });
    if (sizes.length === 2 && c % 4 === 0 && product(sizes) < 30) return whole({ name: this.node("DepthToSpace", [x.name], { blocksize: 2 }), dims: [n, c / 4, ...sizes.map((size) => 2 * size)] });
    if (c % 2 !== 0 || this.dynamic) return this.rider(x);
    const apart = this.reshape(x, [-1, 2, c / 2, ...sizes], [n, 2, c / 2, ...sizes]);
    const turned = this.transpose(apart, [0, 2, 1, ...sizes.map((_, k) => k + 3)]);
    return whole(this.reshape(turned, [-1, c, ...sizes], x.dims));
  }

  /** One layer's weights read twice. @param {Value} x a map @returns {Value} */
  tied(x) {
    const segments = this.hidden(this.draw.whole(4, 9));
    const one = this.convolve(x, segments, this.window(x, { same: true }));
    const first = this.nodes.at(-1);
    const other = this.kept(one, { name: this.node("Conv", [this.same("Abs", x).name, ...first.input.slice(1)]), dims: one.dims });
    this.nodes.at(-1).attribute = first.attribute;
    this.wrote(x, segments);
    const handedOn = this.nodes.some(({ opType, output }) => opType === "Identity" && first.input.slice(1).includes(output[0]));
    if (handedOn) for (const value of [x, one]) this.mark(value, { doubt: true }); // two layers behind one Identity may be left whole
    if (this.draw.chance(0.5)) return this.activate(this.sum(one, other));
    return { ...this.concat([this.activate(one), this.activate(other)], 1), axis: 1, segments: [...segments, ...segments] };
  }

  /** @param {string} op @param {Value} x @param {number} width */
  arithmeticOf(op, x, width) {
    const made = this.same(op, x, {}, [this.constant("int64", [], [x.axis])]);
    return this.with("Mul", made, this.numbers([], [1 / width]));
  }

  /** What may stand between two layers without touching the channels. @param {Value} x @returns {Value} */
  rider(x) {
    const { draw } = this;
    const kind = draw.whole(0, 9);
    if (kind < 3) return this.activate(x);
    if (kind < 5) return x.axis === 1 ? this.normalise(x) : this.arithmetic(x);
    if (kind < 7) return this.arithmetic(x);
    if (kind === 7) return this.type === "float64" ? this.activate(x) : this.slopes(x);
    return this.pass(x);
  }

  // ---- maps (N, C, spatial ...) --------------------------------------------------------------------------------------

  /** A window that fits. @param {Value} x @param {{same?: boolean, least?: number}} [wish] same: the sizes stay @returns {Window} */
  window(x, { same = false } = {}) {
    const { draw } = this;
    const sizes = x.dims.slice(2);
    const kernel = sizes.map((size) => (same ? draw.one([1, 3]) : draw.whole(1, Math.min(3, size))));
    const dilations = sizes.map((size, k) => (kernel[k] > 1 && size > 2 * (kernel[k] - 1) && draw.chance(0.15) ? 2 : 1));
    if (same) {
      const half = kernel.map((size, k) => ((size - 1) * dilations[k]) / 2);
      if (draw.chance(0.2) && dilations.every((d) => d === 1)) return { kernel, auto: draw.one(["SAME_UPPER", "SAME_LOWER"]) };
      return { kernel, dilations, pads: [...half, ...half] };
    }
    const strides = sizes.map((size) => (size >= 5 && draw.chance(0.3) ? 2 : 1));
    if (draw.chance(0.15)) return { kernel, strides, auto: draw.one(["SAME_UPPER", "SAME_LOWER", "VALID"]) };
    const pad = () => kernel.map((size) => (size > 1 && draw.chance(0.4) ? 1 : 0));
    return { kernel, strides, dilations, pads: draw.chance(0.5) ? [...pad(), ...pad()] : undefined };
  }

  /** @param {Value} x @returns {Value} */
  convolution(x) {
    const y = this.convolve(x, this.hidden(this.draw.whole(4, 14)), this.window(x));
    return this.activate(this.draw.chance(0.4) ? this.normalise(y) : y);
  }

  /** A block as in mobile networks: pointwise, depthwise, pointwise, perhaps with a gate, perhaps around itself. @param {Value} x @returns {Value} */
  inverted(x) {
    const { draw } = this;
    const point = { kernel: x.dims.slice(2).map(() => 1) };
    let y = this.activate(this.normalise(this.convolve(x, this.hidden(draw.whole(6, 14)), point)));
    const around = draw.chance(0.6);
    y = this.depthwise(y, draw.chance(0.15) ? 2 : 1, this.window(y, { same: around }));
    y = this.activate(draw.chance(0.5) ? this.normalise(y) : y);
    if (draw.chance(0.5)) y = this.gated(y);
    y = this.convolve(y, around ? x.segments : this.hidden(draw.whole(4, 10)), point);
    return around ? this.sum(x, y) : y;
  }

  /** x times a gate of its own averages (squeeze and excite). @param {Value} x @returns {Value} */
  gated(x) {
    const { draw } = this;
    const axes = x.dims.slice(2).map((_, k) => k + 2);
    const point = { kernel: axes.map(() => 1) };
    const average = this.kept(x, draw.chance(0.7) ? this.globalPool("GlobalAveragePool", x) : this.reduce("ReduceMean", x, axes, true));
    this.bend(x);
    const inner = this.activate(this.convolve(average, this.hidden(draw.whole(3, 6)), point));
    const gate = this.same(draw.one(["Sigmoid", "HardSigmoid"]), this.convolve(inner, x.segments, point));
    return this.kept(x, this.with("Mul", x, gate.name, draw.chance(0.3)));
  }

  /** @param {Value} x @param {Value} y whose segments are x's @returns {Value} */
  sum(x, y) {
    const [first, second] = this.draw.chance(0.5) ? [x, y] : [y, x];
    return this.kept(x, this.with("Add", first, second.name));
  }

  /** @param {Value} x @returns {Value} */
  residual(x) {
    const { draw } = this;
    const inner = this.rider(this.convolve(x, this.hidden(draw.whole(4, 12)), this.window(x, { same: true })));
    const back = this.convolve(inner, x.segments, this.window(inner, { same: true }));
    const around = this.sum(x, draw.chance(0.4) ? this.normalise(back) : back);
    return draw.chance(0.7) ? this.activate(around) : around;
  }

  /** Groups that keep to themselves: every one of the layer's blocks has the same twins. @param {Value} x @returns {Value} */
  grouped(x) {
    const { draw } = this;
    const group = draw.whole(2, 3);
    const blocks = (/** @type {number} */ width) => {
      const plan = this.plan(width);
      return Array.from({ length: group }, () => ({ plan, width, tile: 1, run: 1 }));
    };
    const wide = this.activate(this.convolve(x, blocks(draw.whole(2, 5)), this.window(x)));
    return this.activate(this.convolve(wide, blocks(draw.whole(2, 5)), { ...this.window(wide, { same: true }), group }));
  }

  /** One half of the channels gates the other. @param {Value} x @param {(x: Value, segments: Segment[]) => Value} layer @returns {Value} */
  halves(x, layer) {
    const { draw } = this;
    const width = draw.whole(4, 8);
    const plan = this.plan(width);
    plan.doubt = true;
    const half = { plan, width, tile: 1, run: 1 };
    const wide = layer(x, [half, half]);
    const [value, gate] = this.split(wide, wide.axis, [width, width]).map((part) => ({ ...part, axis: wide.axis, segments: [half] }));
    return this.kept(value, this.with("Mul", value, this.same(draw.one(["Sigmoid", "Tanh"]), this.bend(gate)).name));
  }

  /** Two ways through, joined along the channels. @param {Value} x @param {((x: Value) => Value)[]} ways that keep the other sizes @returns {Value} */
  joined(x, ways) {
    const parts = ways.map((way) => way(x));
    return { ...this.concat(parts, x.axis), axis: x.axis, segments: parts.flatMap((part) => part.segments) };
  }

  /** @param {Value} x @returns {Value} */
  branches(x) {
    const { draw } = this;
    const small = (/** @type {Value} */ y) => this.activate(this.convolve(y, this.hidden(draw.whole(3, 7)), this.window(y, { same: true })));
    const pooled = (/** @type {Value} */ y) => {
      const kernel = y.dims.slice(2).map(() => 3);
      return small(this.kept(y, this.pool(draw.one(["MaxPool", "AveragePool"]), y, { kernel, pads: [...kernel, ...kernel].map(() => 1) })));
    };
    return this.joined(x, [small, draw.one([small, pooled]), ...(draw.chance(0.4) ? [(/** @type {Value} */ y) => y] : [])]);
  }

  /** @param {Value} x @returns {Value} */
  pooling(x) {
    const { draw } = this;
    const sizes = x.dims.slice(2);
    const kernel = sizes.map((size) => Math.min(draw.whole(2, 3), size));
    const strides = kernel.map((size) => draw.whole(1, size));
    const ceil = draw.chance(0.3); // without padding every runtime counts the same windows
    const pads = kernel.map((size) => (!ceil && size > 2 && draw.chance(0.5) ? 1 : 0));
    const op = draw.one(/** @type {const} */ (["MaxPool", "AveragePool", "LpPool"]));
    return this.kept(x, this.pool(op, x, { kernel, strides, pads: [...pads, ...pads] }, { ceil, count: draw.chance(0.3) }));
  }

  /** @param {Value} x @returns {Value} */
  padded(x) {
    const { draw } = this;
    const mode = draw.one(/** @type {const} */ (["constant", "constant", "reflect", "edge"]));
    const side = () => x.dims.map((size, axis) => (axis > 1 && size > 1 ? draw.whole(0, 1) : 0));
    const value = mode === "constant" && draw.chance(0.3) ? 0.5 : 0;
    if (value) this.bend(x);
    return this.kept(x, this.pad(x, [...side(), ...side()], mode, value));
  }

  /** Without its first row or so. @param {Value} x @returns {Value} */
  cropped(x) {
    const size = x.dims[2];
    return size < 3 || this.dynamic ? this.rider(x) : this.kept(x, this.slice(x, 2, 1, this.draw.one([size, size - 1])));
  }

  /** @param {Value} x @returns {Value} */
  larger(x) {
    const { draw } = this;
    if (product(x.dims.slice(2)) > 40) return this.pooling(x);
    if (draw.chance(0.5)) {
      const kernel = x.dims.slice(2).map(() => draw.whole(1, 3));
      const group = x.segments.length === 1 && draw.chance(0.8) ? 1 : x.segments.length;
      const even = x.segments.every((segment) => length(segment) === length(x.segments[0]) && segment.plan === x.segments[0].plan && segment.plan);
      const strides = kernel.map((size) => draw.whole(1, Math.min(2, size)));
      const window = { kernel, strides, group: even ? group : 1, pads: kernel.flatMap(() => [0, 0]), extra: draw.chance(0.2) ? strides.map((stride) => stride - 1) : undefined };
      const one = { plan: this.plan(draw.whole(4, 8)), tile: 1, run: 1 };
      return this.activate(this.deconvolve(x, Array.from({ length: window.group }, () => ({ ...one, width: one.plan.width })), window));
    }
    const stated = !this.dynamic && typeof this.batch === "number" && this.opset >= 11 && draw.chance(0.4);
    const linear = x.dims.length === 4 && this.opset >= 11 && draw.chance(0.4);
    if (stated) this.mark(x, { doubt: true });
    return this.kept(x, this.resize(x, 2, { mode: linear ? "linear" : "nearest", sizes: stated }));
  }

  /** A stretch with the channels last, as exporters from TensorFlow write it. @param {Value} x @returns {Value} */
  channelsLast(x) {
    const { draw } = this;
    const rank = x.dims.length;
    const there = [0, ...Array.from({ length: rank - 2 }, (_, k) => k + 2), 1];
    let y = /** @type {Value} */ ({ ...this.transpose(x, there), axis: rank - 1, segments: x.segments });
    if (draw.chance(0.5)) y = this.dense(y, this.hidden(draw.whole(4, 9)));
    y = this.arithmetic(y);
    y = this.activate(y);
    return { ...this.transpose(y, [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, k) => k + 1)]), axis: 1, segments: y.segments };
  }

  /** The spatial axes as one and back, by numbers that are written out. @param {Value} x @returns {Value} */
  folded(x) {
    const [n, c, ...sizes] = x.dims;
    this.mark(x, { doubt: true });
    const flat = this.kept(x, this.reshape(x, this.draw.chance(0.5) ? [0, 0, -1] : [-1, c, product(sizes)], [n, c, product(sizes)]));
    const y = this.activate(flat);
    return this.kept(x, this.reshape(y, [-1, c, ...sizes], x.dims));
  }

  /** @param {Value} x @returns {Value} */
  instanceNormal(x) {
    if (product(x.dims.slice(2)) < 4) return this.activate(x);
    this.mark(this.bend(x), { doubt: true });
    const parameters = [this.each(x, 0.5, 1.5), this.each(x, -0.4, 0.4)].map((values) => this.numbers([values.length], values));
    return this.kept(x, this.same("InstanceNormalization", x, { epsilon: 1e-2 }, parameters));
  }

  /** @param {Value} x @returns {Value} */
  mapBlock(x) {
    const { draw } = this;
    const fits = !this.dynamic;
    /** @type {[number, (x: Value) => Value][]} */
    const choices = [
      [5, this.convolution], [3, this.inverted], [3, this.residual], [1, this.grouped], [2, this.branches], [1, this.channelsLast], [2, this.larger],
      [2, this.pooling], [1, this.padded], [1, this.cropped], [2, this.rider], [1, this.instanceNormal], [1, this.gated], [1, this.opaque], [1, this.shuffled], [1, this.tied],
      [1, (y) => this.halves(y, (z, segments) => this.convolve(z, segments, this.window(z)))], [fits ? 1 : 0, this.folded],
    ]; // prettier-ignore
    return draw.one(choices.flatMap(([weight, make]) => Array(weight).fill(make))).call(this, x);
  }

  /** @param {Value} x a map @returns {Value} a row */
  toRow(x) {
    const { draw } = this;
    const axes = x.dims.slice(2).map((_, k) => k + 2);
    const row = (/** @type {import("./operators.js").Value} */ made, segments = x.segments) => ({ ...made, axis: 1, segments });
    const inner = product(x.dims.slice(2));
    const small = inner * x.dims[1] <= 600;
    const kind = small && !this.dynamic ? draw.whole(0, 6) : draw.whole(4, 6);
    const runs = x.segments.map((segment) => ({ ...segment, run: segment.run * inner }));
    if (kind === 0) return row(this.flatten(x), runs);
    if (kind === 1) return row(this.reshape(x, draw.chance(0.5) ? [0, -1] : [-1, x.dims[1] * inner], [x.dims[0], x.dims[1] * inner]), runs);
    if (kind === 2) return row(this.reshapeByShape(x), runs);
    if (kind === 3) {
      const last = this.transpose(x, [0, ...axes, 1]);
      const tiles = x.segments.length === 1 ? x.segments.map((segment) => ({ ...segment, tile: segment.tile * inner })) : Array.from({ length: inner }, () => x.segments).flat();
      return row(this.flatten(last), tiles);
    }
    this.bend(x);
    if (kind === 4) return row(this.reduce("ReduceMean", x, axes, false));
    const pooled = this.globalPool(draw.one(["GlobalAveragePool", "GlobalMaxPool", "GlobalAveragePool"]), x);
    return row(kind === 5 ? this.flatten(pooled) : this.squeeze(pooled, axes));
  }

  // ---- rows (N, F) and sequences (N, T, F) ---------------------------------------------------------------------------

  /** @param {Value} x @returns {Value} */
  layer(x) {
    return this.rider(this.dense(x, this.hidden(this.draw.whole(5, 16))));
  }

  /** A layer with a way around it. @param {Value} x @returns {Value} */
  around(x) {
    const inner = this.activate(this.dense(x, this.hidden(this.draw.whole(5, 14))));
    return this.sum(x, this.dense(inner, x.segments));
  }

  /** Two layers multiplied. @param {Value} x @returns {Value} */
  product(x) {
    const segments = this.hidden(this.draw.whole(5, 12));
    const gate = this.same(this.draw.one(["Sigmoid", "Tanh", "Relu"]), this.dense(x, segments));
    const value = this.bend(this.dense(x, segments));
    return this.kept(value, this.with("Mul", value, gate.name));
  }

  /** @param {Value} x @returns {Value} */
  rowBlock(x) {
    const { draw } = this;
    const joined = (/** @type {Value} */ y) => this.joined(y, [(z) => this.layer(z), (z) => this.layer(z)]);
    const halves = (/** @type {Value} */ y) => this.halves(y, (z, segments) => this.dense(z, segments));
    const choices = [this.layer, this.layer, this.around, this.product, joined, halves, this.rider, this.opaque];
    return draw.one(choices).call(this, x);
  }

  /** Every position looks at every other: nothing in it is cut. @param {Value} x @returns {Value} */
  attention(x) {
    const [q, k, v] = [0, 1, 2].map(() => this.mark(this.dense(x, this.hidden(4)), { whole: true }));
    const scores = { name: this.node("MatMul", [q.name, this.transpose(k, [0, 2, 1]).name]), dims: [x.dims[0], x.dims[1], x.dims[1]] };
    const shares = this.same("Softmax", scores, { axis: 2 });
    const mixed = { name: this.node("MatMul", [shares.name, v.name]), dims: v.dims, axis: 2, segments: fixed(4) };
    return this.sum(x, this.dense(mixed, x.segments));
  }

  /** @param {Value} x @returns {Value} */
  sequenceBlock(x) {
    const { draw } = this;
    const normal = (/** @type {Value} */ y) => {
      const width = y.dims[2];
      const { name, dims } = this.layerNorm(this.mark(y, { whole: true }), draw.reals(width, 0.5, 1.5), draw.reals(width, -0.3, 0.3));
      return { name, dims, axis: 2, segments: fixed(width) };
    };
    const along = (/** @type {Value} */ y) => {
      const turned = { ...this.transpose(y, [0, 2, 1]), axis: 1, segments: y.segments };
      const made = this.activate(this.convolve(turned, this.hidden(draw.whole(4, 10)), this.window(turned, { same: true })));
      return { ...this.transpose(made, [0, 2, 1]), axis: 2, segments: made.segments };
    };
    const halves = (/** @type {Value} */ y) => this.halves(y, (z, segments) => this.dense(z, segments));
    return draw.one([this.layer, this.around, this.around, this.product, halves, normal, along, this.attention]).call(this, x);
  }
}
