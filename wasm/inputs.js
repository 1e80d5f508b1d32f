// inputs: how a row of numbers fills a model's inputs: one after the other, each in the shape the model says. Sizes that the model
// leaves open are to be given, all but the first, which counts rows.
import { fault } from "./fault.js";
import { noRowShape, shapeMissing, unknownInput, unknownInputType, wrongShape } from "./messages.js";
import { dtype, encode } from "./numbers.js";

/**
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./types.js").Port} Port
 * @typedef {ReadonlyMap<string, readonly number[]>} Shapes   sizes by the input's name; "": for every input they fit
 * @typedef {{name: string, type: string, width: number, levels: number|null, fill: number, dims: (rows: number) => number[]}} Feed
 *   width: numbers of a row it takes; 0: none, it is `fill` everywhere; levels: whole numbers below that, null: real ones
 * @typedef {{feeds: Feed[], features: number, batch: number|null}} Inputs   batch: rows that a run must have; null: any number
 * @typedef {{name: string, type: string, data: ArrayBufferView, dims: number[]}} Filled   what a tensor is made of
 */

/** Arrays for the types that are no floating-point numbers. */
const WHOLE = {
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** @param {string} type @returns {type is keyof typeof WHOLE} */
const isWhole = (type) => type in WHOLE;

const product = (/** @type {readonly (number|null)[]} */ dims) => dims.reduce((/** @type {number} */ a, b) => a * (b ?? 1), 1);

/** @param {Port} port */
function checkType({ name, type }) {
  if (!isWhole(type) && dtype(type) === null) throw fault("RUNTIME", unknownInputType(name, type), { place: name });
}

const total = (/** @type {Feed[]} */ feeds) => feeds.reduce((sum, feed) => sum + feed.width, 0);

/** An input that no row fills: zeros; ones where it says which of the others' numbers count. @param {Port} port @param {Feed["dims"]} dims @returns {Feed} */
const idle = ({ name, type }, dims) => ({ name, type, width: 0, levels: null, fill: isWhole(type) && type !== "bool" && /mask/i.test(name) ? 1 : 0, dims });

// ---- networks that the core evaluates: it knows how many numbers it reads --------------------------------------------------

/** Inputs of floating-point numbers whose row width is known. @param {Port} port */
function isRead({ shape, type }) {
  const row = shape.length === 1 ? shape : shape.slice(1);
  const turned = shape.length === 2 && shape[0] !== null; // channels first
  return dtype(type) !== null && shape.length > 0 && (turned || row.every((dim) => dim !== null));
}

/** @param {ModelInfo} info @param {ReadonlyMap<string, string>} types of the inputs as the runtime has them; others are not fed @returns {Inputs} */
export function evaluatedInputs(info, types) {
  const ports = info.inputs.filter((port) => types.has(port.name)).map((port) => ({ ...port, type: types.get(port.name) ?? "" }));
  ports.forEach(checkType);
  const read = ports.filter(isRead);
  const feeds = ports.map((port) => {
    if (!read.includes(port)) return idle(port, openDims(port.shape));
    const width = read.length === 1 ? info.features : product(port.shape.length === 1 ? port.shape : port.shape.slice(1));
    return { name: port.name, type: port.type, width, levels: null, fill: 0, dims: dimsOf(port, width, info.batch) };
  });
  if (total(feeds) !== info.features) throw fault("RUNTIME", noRowShape(ports[0]?.name ?? ""));
  return { feeds, features: info.features, batch: info.batch };
}

/** @param {readonly (number|null)[]} shape @returns {Feed["dims"]} */
const openDims = (shape) => (rows) => shape.map((dim, axis) => dim ?? (axis === 0 ? rows : 1));

/** The shape an input takes for so many rows. @param {Port} port @param {number} width @param {number|null} batch @returns {Feed["dims"]} */
function dimsOf(port, width, batch) {
  const [first, ...rest] = port.shape;
  if (first === null && rest.every((dim) => dim !== null) && product(rest) === width) return openDims(port.shape);
  if (product(port.shape) === (batch ?? 1) * width) return () => port.shape.map((dim) => dim ?? 1);
  throw fault("RUNTIME", noRowShape(port.name), { place: port.name });
}

// ---- networks that a runtime evaluates: the shapes say how many numbers a row has --------------------------------------------

/** @param {Port} port whether sizes must be given: some axis but the first is open */
export const isOpen = ({ shape }) => shape.slice(1).includes(null);

/** @param {Port} port @param {readonly number[]} dims */
const fits = ({ shape }, dims) => shape.length === 0 || (shape.length === dims.length && shape.every((dim, axis) => dim === null || dim === dims[axis]));

/** An image's usual sizes, some words of a text, one state of a recurrent cell: to be shown, not to be taken silently.
 * @param {Port} port @returns {number[]} */
export function guessedShape({ shape, type }) {
  const [, second, third] = shape;
  if (shape.length === 4) {
    const last = shape[3];
    const channelsLast = second !== 1 && second !== 3 && (last === 1 || last === 3);
    const side = (channelsLast ? (second ?? third) : (third ?? last)) ?? 224;
    return shape.map((dim, axis) => dim ?? (axis === 0 ? 1 : axis === 1 && !channelsLast ? 3 : side));
  }
  const length = isWhole(type) ? 16 : shape.length === 2 ? 512 : 64;
  return shape.map((dim, axis) => dim ?? (axis === 0 || (axis === 1 && shape[0] !== null) ? 1 : length));
}

/** What an input's sizes are, null where the first counts rows. @param {Port} port @param {Shapes} shapes @returns {(number|null)[]} */
function sizesOf(port, shapes) {
  const named = shapes.get(port.name);
  const common = shapes.get("");
  const given = named ?? (common && isOpen(port) && fits(port, common) ? common : undefined);
  if (named && !fits(port, named)) throw fault("ARGUMENT", wrongShape(port, named), { place: port.name });
  if (!given && isOpen(port)) throw fault("ARGUMENT", shapeMissing(port, guessedShape(port)), { place: port.name });
  const shape = port.shape.length === 0 && given ? [null, ...given.slice(1)] : port.shape;
  return shape.map((dim, axis) => dim ?? (axis === 0 && !(Number(given?.[0]) > 1) ? null : (given?.[axis] ?? null)));
}

/** @param {ModelInfo} info @param {Shapes} shapes */
function checkNames({ inputs }, shapes) {
  for (const [name, dims] of shapes) {
    if (name !== "" && !inputs.some((port) => port.name === name)) throw fault("ARGUMENT", unknownInput(name, inputs.map((port) => port.name)), { place: name });
    if (name === "" && !inputs.some((port) => fits(port, dims))) throw fault("ARGUMENT", wrongShape(inputs[0], dims), { place: inputs[0]?.name });
  }
}

/** Rows that a run must have: null where every input leaves that open; more than one where inputs and outputs agree on it.
 * @param {(number|null)[][]} sizes of the inputs that rows fill @param {Port[]} outputs */
function batchOf(sizes, outputs) {
  const firsts = new Set(sizes.map(([first]) => first));
  if (firsts.size === 1 && firsts.has(null)) return null;
  const [first] = firsts;
  const agreed = firsts.size === 1 && outputs.every(({ shape: [out = null] }) => out === null || out === first);
  return agreed ? Number(first) : 1;
}

/**
 * Rows fill inputs of floating-point numbers and those of whole numbers whose range is known; others stay as they are in every
 * row. Throws where sizes are missing or do not fit.
 * @param {ModelInfo} info @param {Shapes} [shapes] @returns {Inputs}
 */
export function shapedInputs(info, shapes = new Map()) {
  checkNames(info, shapes);
  info.inputs.forEach(checkType);
  const sized = info.inputs.map((port) => ({ port, sizes: sizesOf(port, shapes) }));
  const filled = sized.filter(({ port: { type, levels }, sizes }) => sizes.length > 0 && (dtype(type) !== null || (isWhole(type) && Boolean(levels))));
  if (filled.length === 0) throw fault("UNSUPPORTED", noRowShape(info.inputs[0]?.name ?? ""), { place: info.inputs[0]?.name });
  const batch = batchOf(filled.map(({ sizes }) => sizes), info.outputs); // prettier-ignore
  const feeds = sized.map((one) => {
    const { port, sizes } = one;
    if (!filled.includes(one)) return idle(port, openDims(sizes));
    const width = product(sizes) / (batch !== null && sizes[0] === batch ? batch : 1);
    return { name: port.name, type: port.type, width, levels: dtype(port.type) === null ? (port.levels ?? null) : null, fill: 0, dims: openDims(sizes) };
  });
  return { feeds, features: total(feeds), batch };
}

/** Which numbers of a row are whole, and below what; null where none is. @param {Inputs} inputs @returns {Float64Array|null} */
export function levelsOf({ feeds, features }) {
  if (feeds.every(({ levels }) => levels === null)) return null;
  const levels = new Float64Array(features); // 0: a real number
  let at = 0;
  for (const feed of feeds) {
    levels.fill(feed.levels ?? 0, at, at + feed.width);
    at += feed.width;
  }
  return levels;
}

// ---- rows ------------------------------------------------------------------------------------------------------------

/** @param {string} type @param {Float64Array} values @returns {ArrayBufferView} what a tensor of that type holds */
function typed(type, values) {
  if (!isWhole(type)) return encode(type, values);
  if (type === "int64" || type === "uint64") return WHOLE[type].from(Array.from(values, (value) => BigInt(Math.round(value))));
  return new WHOLE[type](values.map(Math.round));
}

/** @param {Float64Array} block (rows, features) @param {number} rows @param {number} from column @param {number} width @returns {Float64Array} */
function columnsOf(block, rows, from, width) {
  const features = block.length / rows;
  if (width === features) return block;
  const out = new Float64Array(rows * width);
  for (let row = 0; row < rows; row += 1) out.set(block.subarray(row * features + from, row * features + from + width), row * width);
  return out;
}

/** What the inputs are given for some rows. @param {Inputs} inputs @param {Float64Array} block (rows, features) @param {number} rows @returns {Filled[]} */
export function fill({ feeds }, block, rows) {
  let from = 0;
  return feeds.map(({ name, type, width, fill: constant, dims }) => {
    const shape = dims(rows);
    const values = width === 0 ? new Float64Array(product(shape)).fill(constant) : columnsOf(block, rows, from, width);
    from += width;
    return { name, type, data: typed(type, values), dims: shape };
  });
}
