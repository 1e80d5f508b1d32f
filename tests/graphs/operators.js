// Operators as each opset writes them, with the sizes of what comes out: what the generator builds its graphs from.
import { Graph } from "./onnx.js";

/**
 * @typedef {import("./onnx.js").ElementType} ElementType
 * @typedef {{name: string, dims: number[]}} Value   dims[0] is the batch
 * @typedef {{kernel: number[], strides?: number[], dilations?: number[], pads?: number[], group?: number, auto?: string, extra?: number[]}} Window
 *   pads: begins, then ends; auto: auto_pad; extra: output_padding
 */

const product = (/** @type {number[]} */ dims) => dims.reduce((a, b) => a * b, 1);
const ones = (/** @type {number[]} */ like) => like.map(() => 1);

/** Sizes behind a window that slides over `sizes`. @param {number[]} sizes @param {Window} window @param {boolean} [ceil] */
function slid(sizes, { kernel, strides = ones(kernel), dilations = ones(kernel), pads = kernel.flatMap(() => [0, 0]), auto }, ceil = false) {
  if (auto?.startsWith("SAME")) return sizes.map((size, k) => Math.ceil(size / strides[k]));
  return sizes.map((size, k) => {
    const room = size + pads[k] + pads[k + sizes.length] - dilations[k] * (kernel[k] - 1) - 1;
    return (ceil ? Math.ceil(room / strides[k]) : Math.floor(room / strides[k])) + 1;
  });
}

/** @param {Window} window */
const windowAttributes = ({ kernel, strides, dilations, pads, group, auto, extra }) => ({
  kernel_shape: kernel,
  strides,
  dilations,
  pads: auto ? undefined : pads,
  auto_pad: auto,
  group,
  output_padding: extra,
});

export class Operators extends Graph {
  /** @param {ConstructorParameters<typeof Graph>[0] & {type?: ElementType}} options */
  constructor({ type = "float32", ...options }) {
    super(options);
    this.type = type; // of the network's numbers
  }

  /** A constant of the network's own type. @param {number[]} dims @param {ArrayLike<number>} values */
  numbers(dims, values) {
    return this.constant(this.type, dims, values);
  }

  /** An operator that keeps the shape. @param {string} op @param {Value} x @param {Record<string, import("./onnx.js").AttributeValue|undefined>} [attributes]
   * @param {string[]} [more] inputs @returns {Value} */
  same(op, x, attributes = {}, more = []) {
    return { name: this.node(op, [x.name, ...more], attributes), dims: x.dims };
  }

  /** Two values of one shape, or a constant that is broadcast. @param {string} op @param {Value} x @param {string} other @param {boolean} [swapped] @returns {Value} */
  with(op, x, other, swapped = false) {
    return { name: this.node(op, swapped ? [other, x.name] : [x.name, other]), dims: x.dims };
  }

  /** @param {Value} x @param {string} weights @param {string|null} bias @param {number} out channels @param {Window} window @returns {Value} */
  conv(x, weights, bias, out, window) {
    const name = this.node("Conv", [x.name, weights, ...(bias ? [bias] : [])], windowAttributes(window));
    return { name, dims: [x.dims[0], out, ...slid(x.dims.slice(2), window)] };
  }

  /** @param {Value} x @param {string} weights @param {string|null} bias @param {number} out @param {Window} window @returns {Value} */
  convTranspose(x, weights, bias, out, window) {
    const { kernel, strides = ones(kernel), dilations = ones(kernel), pads = kernel.flatMap(() => [0, 0]), extra = kernel.map(() => 0) } = window;
    const name = this.node("ConvTranspose", [x.name, weights, ...(bias ? [bias] : [])], windowAttributes(window));
    const sizes = x.dims.slice(2).map((size, k) => strides[k] * (size - 1) + extra[k] + dilations[k] * (kernel[k] - 1) + 1 - pads[k] - pads[k + kernel.length]);
    return { name, dims: [x.dims[0], out, ...sizes] };
  }

  /** @param {"MaxPool"|"AveragePool"|"LpPool"} op @param {Value} x @param {Window} window @param {{ceil?: boolean, count?: boolean}} [how] @returns {Value} */
  pool(op, x, window, { ceil = false, count = false } = {}) {
    const rounds = this.opset >= 10 && op !== "LpPool";
    const attributes = { ...windowAttributes(window), ceil_mode: rounds && ceil ? 1 : undefined, count_include_pad: op === "AveragePool" && count ? 1 : undefined, p: op === "LpPool" ? 2 : undefined };
    return { name: this.node(op, [x.name], attributes), dims: [...x.dims.slice(0, 2), ...slid(x.dims.slice(2), window, rounds && ceil)] };
  }

  /** @param {"GlobalAveragePool"|"GlobalMaxPool"|"GlobalLpPool"} op @param {Value} x @returns {Value} */
  globalPool(op, x) {
    return { name: this.node(op, [x.name]), dims: [...x.dims.slice(0, 2), ...ones(x.dims.slice(2))] };
  }

  /** @param {Value} x @param {number[][]} parameters scale, bias, mean, variance (C) @param {number} [epsilon] @returns {Value} */
  batchNorm(x, parameters, epsilon = 1e-3) {
    return this.same("BatchNormalization", x, { epsilon }, parameters.map((values) => this.numbers([values.length], values)));
  }

  /** @param {Value} x @param {number} low @param {number} high @returns {Value} */
  clip(x, low, high) {
    if (this.opset < 11) return this.same("Clip", x, { min: low, max: high });
    return this.same("Clip", x, {}, [this.numbers([], [low]), this.numbers([], [high])]);
  }

  /** @param {Value} x @returns {Value} */
  dropout(x) {
    return this.same("Dropout", x, this.opset < 12 ? { ratio: 0.4 } : {}, this.opset < 12 ? [] : [this.constant("float32", [], [0.4])]);
  }

  /** @param {Value} x @param {number[]} pads begins of all axes, then ends @param {"constant"|"reflect"|"edge"} mode @param {number} [value] @returns {Value} */
  pad(x, pads, mode, value = 0) {
    const rank = x.dims.length;
    const dims = x.dims.map((size, axis) => size + pads[axis] + pads[axis + rank]);
    if (this.opset < 11) return { name: this.node("Pad", [x.name], { pads, mode, value }), dims };
    const more = mode === "constant" ? [this.numbers([], [value])] : [];
    return { name: this.node("Pad", [x.name, this.list(pads), ...more], { mode }), dims };
  }

  /** The spatial axes `times` as large (a whole number), or the sizes said outright. @param {Value} x @param {number} times
   * @param {{mode: "nearest"|"linear", sizes?: boolean}} how @returns {Value} */
  resize(x, times, { mode, sizes = false }) {
    const dims = x.dims.map((size, axis) => (axis < 2 ? size : size * times));
    const scales = dims.map((_, axis) => (axis < 2 ? 1 : times));
    const listed = () => this.constant("float32", [scales.length], scales);
    if (this.opset < 9) return { name: this.node("Upsample", [x.name], { mode, scales }), dims };
    if (this.opset < 10) return { name: this.node("Upsample", [x.name, listed()], { mode }), dims };
    if (this.opset < 11) return { name: this.node("Resize", [x.name, listed()], { mode }), dims };
    const roi = this.opset < 13 ? this.constant("float32", [0], []) : "";
    const way = { mode, coordinate_transformation_mode: mode === "nearest" ? "asymmetric" : "half_pixel", nearest_mode: mode === "nearest" ? "floor" : undefined };
    if (!sizes) return { name: this.node("Resize", [x.name, roi, listed()], way), dims };
    return { name: this.node("Resize", [x.name, roi, this.opset < 13 ? this.constant("float32", [0], []) : "", this.list(dims)], way), dims };
  }

  /** @param {Value} x @param {number[]} axes @returns {Value} */
  squeeze(x, axes) {
    const dims = x.dims.filter((_, axis) => !axes.includes(axis));
    return { name: this.opset < 13 ? this.node("Squeeze", [x.name], { axes }) : this.node("Squeeze", [x.name, this.list(axes)]), dims };
  }

  /** @param {Value} x @param {number[]} axes of the result, ascending @returns {Value} */
  unsqueeze(x, axes) {
    const dims = [...x.dims];
    for (const axis of axes) dims.splice(axis, 0, 1);
    return { name: this.opset < 13 ? this.node("Unsqueeze", [x.name], { axes }) : this.node("Unsqueeze", [x.name, this.list(axes)]), dims };
  }

  /** @param {"ReduceMean"|"ReduceMax"} op @param {Value} x @param {number[]} axes @param {boolean} keep @returns {Value} */
  reduce(op, x, axes, keep) {
    const dims = keep ? x.dims.map((size, axis) => (axes.includes(axis) ? 1 : size)) : x.dims.filter((_, axis) => !axes.includes(axis));
    const keepdims = keep ? 1 : 0;
    const name = this.opset < 18 ? this.node(op, [x.name], { axes, keepdims }) : this.node(op, [x.name, this.list(axes)], { keepdims });
    return { name, dims };
  }

  /** @param {Value} x @param {number} axis @param {number[]} sizes @returns {Value[]} */
  split(x, axis, sizes) {
    const inputs = this.opset < 13 ? [x.name] : [x.name, this.list(sizes)];
    this.node("Split", inputs, { axis, split: this.opset < 13 ? sizes : undefined }, { count: sizes.length });
    const names = this.nodes.at(-1).output;
    return sizes.map((size, i) => ({ name: names[i], dims: x.dims.map((old, k) => (k === axis ? size : old)) }));
  }

  /** @param {Value} x @param {number} axis @param {number} start @param {number} end @returns {Value} */
  slice(x, axis, start, end) {
    const dims = x.dims.map((size, k) => (k === axis ? end - start : size));
    if (this.opset < 10) return { name: this.node("Slice", [x.name], { axes: [axis], starts: [start], ends: [end] }), dims };
    return { name: this.node("Slice", [x.name, this.list([start]), this.list([end]), this.list([axis])]), dims };
  }

  /** @param {Value[]} parts @param {number} axis @returns {Value} */
  concat(parts, axis) {
    const dims = parts[0].dims.map((size, k) => (k === axis ? parts.reduce((sum, part) => sum + part.dims[axis], 0) : size));
    return { name: this.node("Concat", parts.map((part) => part.name), { axis }), dims };
  }

  /** @param {Value} x @param {number[]} order @returns {Value} */
  transpose(x, order) {
    return { name: this.node("Transpose", [x.name], { perm: order }), dims: order.map((axis) => x.dims[axis]) };
  }

  /** @param {Value} x @param {number[]} stated as written: 0 and -1 allowed @param {number[]} dims what comes out @returns {Value} */
  reshape(x, stated, dims) {
    return { name: this.node("Reshape", [x.name, this.list(stated)]), dims };
  }

  /** The last axes from `axis` on made one, the sizes read from the value itself. @param {Value} x @returns {Value} */
  reshapeByShape(x) {
    const shape = this.node("Shape", [x.name]);
    const batch = this.node("Gather", [shape, this.constant("int64", [], [0])], { axis: 0 });
    const listed = this.opset < 13 ? this.node("Unsqueeze", [batch], { axes: [0] }) : this.node("Unsqueeze", [batch, this.list([0])]);
    const target = this.node("Concat", [listed, this.list([-1])], { axis: 0 });
    return { name: this.node("Reshape", [x.name, target]), dims: [x.dims[0], product(x.dims.slice(1))] };
  }

  /** @param {Value} x @returns {Value} */
  flatten(x) {
    return { name: this.node("Flatten", [x.name], { axis: 1 }), dims: [x.dims[0], product(x.dims.slice(1))] };
  }

  /** @param {Value} x @param {ElementType} to @returns {Value} */
  cast(x, to) {
    return this.same("Cast", x, { to: { float32: 1, int64: 7, float16: 10, float64: 11, int32: 6, bool: 9 }[to] });
  }

  /** (x - mean) / spread over the last axis, as one node where there is one. @param {Value} x @param {number[]} scale @param {number[]} bias @returns {Value} */
  layerNorm(x, scale, bias) {
    const last = x.dims.length - 1;
    const [g, b] = [scale, bias].map((values) => this.numbers([values.length], values));
    if (this.opset >= 17) return this.same("LayerNormalization", x, { axis: -1, epsilon: 1e-5 }, [g, b]);
    const centred = this.with("Sub", x, this.reduce("ReduceMean", x, [last], true).name);
    const squares = this.with("Mul", centred, centred.name);
    const variance = this.with("Add", this.reduce("ReduceMean", squares, [last], true), this.numbers([], [1e-5]));
    return this.with("Add", this.with("Mul", this.with("Div", centred, this.same("Sqrt", variance).name), g), b);
  }
}
