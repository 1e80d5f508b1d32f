// Random ONNX graphs for the differential tests: seeded, small, with redundancy planted that ε = 0 must find some of.
//
//   const { bytes, inputs, planned } = generate(7);
//
// graphs/ has the parts: onnx.js writes files, operators.js knows the forms of each opset, layers.js draws weights with twins,
// blocks.js puts operators together.
import { Blocks } from "./graphs/blocks.js";
import { Draw, fixed, product } from "./graphs/layers.js";

/**
 * @typedef {import("./graphs/layers.js").Value} Value
 * @typedef {{name: string, type: import("./graphs/onnx.js").ElementType, dims: import("./graphs/onnx.js").Dim[], sizes: number[]}} Input
 *   sizes: the dims it is run with; the first is the batch
 * @typedef {{layers: string[], width: number, least: number}} Planned   a hidden width that must shrink at ε = 0 by `least` channels or
 *   more, and the layers that write it
 * @typedef {{seed: number, bytes: Uint8Array, opset: number, type: import("./graphs/onnx.js").ElementType, batch: number|null,
 *   inputs: Input[], outputs: {name: string, sizes: number[]}[], planned: Planned[], operators: string[]}} Generated
 *   batch: null where any will do; sizes of outputs: with the batch of the inputs' sizes
 */

const MIXED = /** @type {const} */ (["map", "map", "map", "map", "row", "sequence"]);

/** What a file states beside the graph itself. @param {Draw} draw
 * @returns {{opset: number, ir: number, type: import("./graphs/onnx.js").ElementType, storage: import("./graphs/onnx.js").Storage}} */
function style(draw) {
  const opset = draw.whole(7, 21);
  const ir = opset < 9 && draw.chance(0.6) ? 3 : draw.whole(4, 8);
  const type = draw.chance(0.88) ? "float32" : draw.one(/** @type {const} */ (["float64", "float16"]));
  const storage = draw.one(/** @type {const} */ (["initializer", "initializer", "initializer", "node", ...(ir === 3 ? /** @type {const} */ (["input", "input"]) : [])]));
  return { opset, ir: storage === "initializer" && ir === 3 ? 4 : ir, type, storage };
}

/** @param {number} seed @returns {Generated} */
export function generate(seed) {
  const draw = new Draw(seed);
  const { type, ...options } = style(draw);
  const model = new Blocks(draw, { ...options, type });
  const kind = type === "float64" ? "row" : draw.one(MIXED);
  const batch = draw.chance(0.7) ? null : draw.whole(1, 4);
  const n = batch ?? 2;
  model.dynamic = kind === "map" && draw.chance(0.15);
  model.batch = batch ?? "N";
  model.states = !model.dynamic && draw.chance(0.4);
  /** @param {string} name @param {number[]} sizes @returns {Input} */
  const input = (name, sizes) => {
    const dims = sizes.map((size, axis) => (axis === 0 ? model.batch : model.dynamic && axis > 1 ? `S${axis}` : size));
    model.input(name, type, dims);
    return { name, type, dims, sizes };
  };
  const first = input("x", [n, ...startOf(kind, draw)]);
  const inputs = [first];
  let x = body(model, kind, first);
  if (kind === "row" && draw.chance(0.15)) x = model.joined(x, [(y) => y, () => largest(model, first)]);
  if (draw.chance(0.2)) {
    const second = input("side", [n, draw.whole(3, 8)]);
    inputs.push(second);
    const side = model.layer({ name: second.name, dims: second.sizes, axis: 1, segments: fixed(second.sizes[1]) });
    x = model.joined(x, [(y) => y, () => side]);
  }
  const outputs = heads(model, x);
  return {
    seed,
    bytes: model.bytes(),
    opset: options.opset,
    type,
    batch,
    inputs,
    outputs,
    planned: model.plans.filter(mustShrink).map(({ writers, width, twins }) => ({ layers: writers, width, least: twins.filter(({ times }) => times === 1).length })),
    operators: [...new Set(model.nodes.map(({ opType }) => opType))].sort(),
  };
}

/** @param {import("./graphs/layers.js").Plan} plan */
const mustShrink = ({ twins, whole, doubt, read }) => read && !whole && !doubt && twins.some(({ times }) => times === 1);

/** Sizes behind the batch. @param {"map"|"row"|"sequence"} kind @param {Draw} draw */
function startOf(kind, draw) {
  if (kind === "row") return [draw.whole(3, 10)];
  if (kind === "sequence") return [draw.whole(3, 6), draw.whole(4, 10)];
  const rank = draw.one([1, 2, 2, 2, 3]);
  const [low, high] = [[8, 14], [5, 8], [3, 4]][rank - 1];
  return [draw.whole(1, 4), ...Array.from({ length: rank }, () => draw.whole(low, high))];
}

/** From the input to a row of features. @param {Blocks} model @param {"map"|"row"|"sequence"} kind @param {Input} input @returns {Value} */
function body(model, kind, { name, sizes }) {
  const { draw } = model;
  const axis = kind === "sequence" ? 2 : 1;
  let x = /** @type {Value} */ ({ name, dims: sizes, axis, segments: fixed(sizes[axis]) });
  const blocks = draw.whole(2, 5);
  for (let k = 0; k < blocks; k += 1) x = kind === "map" ? model.mapBlock(x) : kind === "row" ? model.rowBlock(x) : model.sequenceBlock(x);
  if (kind === "map") x = model.toRow(x);
  if (kind === "sequence") x = /** @type {Value} */ ({ ...model.reduce("ReduceMean", model.bend(x), [1], false), axis: 1, segments: x.segments });
  return draw.chance(0.6) ? model.rowBlock(x) : x;
}

/** Which input is the largest, as a number: an operator that nothing is followed through. @param {Blocks} model @param {Input} input @returns {Value} */
function largest(model, { name, sizes, type }) {
  const index = { name: model.node("ArgMax", [name], { axis: 1, keepdims: 1 }), dims: [sizes[0], 1] };
  return { ...model.with("Mul", model.cast(index, type), model.numbers([], [0.1])), axis: 1, segments: fixed(1) };
}

/** What the model gives; a plain layer before it where nothing planted is left to be found. @param {Blocks} model @param {Value} x */
function heads(model, x) {
  const { draw } = model;
  /** @type {Generated["outputs"]} */
  const outputs = [];
  const give = (/** @type {Value} */ y) => {
    model.output(y.name, model.type, y.dims.map((size, axis) => (axis === 0 ? model.batch : size)));
    outputs.push({ name: y.name, sizes: y.dims });
  };
  if (draw.chance(0.2)) {
    give(model.dense(x, fixed(draw.whole(1, 3))));
    if (draw.chance(0.4)) give(model.mark(model.activate(x), { whole: true }));
  }
  const plain = !model.plans.some(mustShrink) || draw.chance(0.3);
  if (plain) {
    const plan = model.plan(draw.whole(8, 12));
    plan.twins = [{ of: 0, is: 1, times: 1 }, { of: 2, is: 3, times: 1 }];
    plan.fillers.clear();
    x = model.activate(model.dense(x, [{ plan, width: plan.width, tile: 1, run: 1 }]));
  }
  const last = model.dense(x, fixed(draw.whole(1, 5)));
  give(last.dims[1] > 1 && draw.chance(0.3) ? { ...last, name: model.node("Softmax", [last.name], { axis: 1 }) } : last);
  return outputs;
}

/** Numbers in one row of all inputs. @param {Generated} graph */
export const featuresOf = ({ inputs }) => inputs.reduce((sum, { sizes }) => sum + product(sizes.slice(1)), 0);
