// Writes ONNX models for tests, node by node.
import { create, toBinary } from "@bufbuild/protobuf";
import { AttributeProto_AttributeType as KIND, ModelProtoSchema, TensorProto_DataType as TYPE } from "onnx-buf";

import { encode } from "../../wasm/numbers.js";

/**
 * @typedef {"float32"|"float64"|"float16"|"int64"|"int32"|"bool"} ElementType
 * @typedef {"initializer"|"input"|"node"} Storage   input: an initializer that is listed among the graph's inputs as well
 * @typedef {number|string} Dim   a string where dynamic
 * @typedef {number|string|number[]|{tensor: object}|{graph: object}} AttributeValue
 * @typedef {import("onnx-buf").ModelProto} ModelProto
 */

const TYPES = { float32: TYPE.FLOAT, float64: TYPE.DOUBLE, float16: TYPE.FLOAT16, int64: TYPE.INT64, int32: TYPE.INT32, bool: TYPE.BOOL };
/** Attributes that are floats also where the number is whole. */
const FLOATS = new Set(["alpha", "beta", "gamma", "epsilon", "momentum", "min", "max", "value", "ratio", "bias", "lambd", "height_scale", "width_scale", "cubic_coeff_a"]);

/** @param {ElementType} type @param {ArrayLike<number>} values @returns {Uint8Array<ArrayBuffer>} little endian */
function bytesOf(type, values) {
  if (type === "int64") return new Uint8Array(BigInt64Array.from(Array.from(values, BigInt)).buffer);
  if (type === "int32") return new Uint8Array(Int32Array.from(values).buffer);
  if (type === "bool") return Uint8Array.from(values);
  const data = encode(type, Float64Array.from(values));
  return new Uint8Array(data.slice().buffer);
}

/** @param {string} name @param {ElementType} type @param {number[]} dims @param {ArrayLike<number>} values */
export function tensor(name, type, dims, values) {
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (values.length !== count) throw new Error(`${name}: ${values.length} values for ${count} elements`);
  return { name, dataType: TYPES[type], dims: dims.map(BigInt), rawData: bytesOf(type, values) };
}

/** @param {string} name @param {ElementType} type @param {Dim[]} dims */
export function valueInfo(name, type, dims) {
  const dim = dims.map((size) => ({
    value: typeof size === "string" ? { case: /** @type {const} */ ("dimParam"), value: size } : { case: /** @type {const} */ ("dimValue"), value: BigInt(size) },
  }));
  return { name, type: { value: { case: /** @type {const} */ ("tensorType"), value: { elemType: TYPES[type], shape: { dim } } } } };
}

/** @param {string} name @param {AttributeValue} value */
function attribute(name, value) {
  if (typeof value === "string") return { name, type: KIND.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === "number") return FLOATS.has(name) ? { name, type: KIND.FLOAT, f: value } : { name, type: KIND.INT, i: BigInt(value) };
  if (Array.isArray(value)) return name === "scales" ? { name, type: KIND.FLOATS, floats: value } : { name, type: KIND.INTS, ints: value.map(BigInt) };
  return "tensor" in value ? { name, type: KIND.TENSOR, t: value.tensor } : { name, type: KIND.GRAPH, g: value.graph };
}

/** A graph in the making: every method that adds a node gives back the name of its output. */
export class Graph {
  /** @type {any[]} */ nodes = [];
  /** @type {any[]} */ initializers = [];
  /** @type {any[]} */ inputs = [];
  /** @type {any[]} */ listed = []; // initializers among the inputs
  /** @type {any[]} */ outputs = [];
  /** @type {any[]} */ infos = [];
  #count = 0;

  /** @param {{opset?: number, ir?: number, name?: string, storage?: Storage}} [options] storage: of constants where nothing else is said */
  constructor({ opset = 13, ir = 8, name = "generated", storage = "initializer" } = {}) {
    this.opset = opset;
    this.ir = ir;
    this.name = name;
    this.storage = storage;
  }

  /** A name nobody has yet. @param {string} stem */
  fresh(stem) {
    this.#count += 1;
    return `${stem}_${this.#count}`;
  }

  /** @param {ElementType} type @param {number[]} dims @param {ArrayLike<number>} values @param {{name?: string, storage?: Storage}} [options] @returns {string} */
  constant(type, dims, values, { name = this.fresh("c"), storage = this.storage } = {}) {
    const made = tensor(name, type, dims, values);
    if (storage === "node") return this.node("Constant", [], { value: { tensor: made } }, { outputs: [name] });
    this.initializers.push(made);
    if (storage === "input") this.listed.push(valueInfo(name, type, dims));
    return name;
  }

  /** @param {number[]} values @returns {string} a list of whole numbers, as operators take shapes and axes */
  list(values) {
    return this.constant("int64", [values.length], values);
  }

  /**
   * @param {string} op
   * @param {string[]} inputs
   * @param {Record<string, AttributeValue|undefined>} [attributes]
   * @param {{outputs?: string[], count?: number, name?: string, domain?: string}} [options] count: of outputs
   * @returns {string} the first output's name; all of them are in `nodes.at(-1).output`
   */
  node(op, inputs, attributes = {}, { count = 1, name = this.fresh(op), outputs = Array.from({ length: count }, () => this.fresh("v")), domain = "" } = {}) {
    const given = /** @type {[string, AttributeValue][]} */ (Object.entries(attributes).filter(([, value]) => value !== undefined));
    this.nodes.push({ opType: op, name, domain, input: inputs, output: outputs, attribute: given.map(([key, value]) => attribute(key, value)) });
    return outputs[0];
  }

  /** @param {string} name @param {ElementType} type @param {Dim[]} dims */
  input(name, type, dims) {
    this.inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** @param {string} name @param {ElementType} type @param {Dim[]} dims */
  output(name, type, dims) {
    this.outputs.push(valueInfo(name, type, dims));
  }

  /** States a value's shape in the file. @param {string} name @param {ElementType} type @param {Dim[]} dims */
  info(name, type, dims) {
    this.infos.push(valueInfo(name, type, dims));
  }

  /** @param {{domains?: string[]}} [options] @returns {Uint8Array} the model's file */
  bytes({ domains = [] } = {}) {
    const { nodes, initializers, outputs, infos, name } = this;
    const model = {
      irVersion: BigInt(this.ir),
      producerName: "netlump tests",
      opsetImport: [{ domain: "", version: BigInt(this.opset) }, ...domains.map((domain) => ({ domain, version: 1n }))],
      graph: { name, node: nodes, initializer: initializers, input: [...this.inputs, ...this.listed], output: outputs, valueInfo: infos },
    };
    return toBinary(ModelProtoSchema, create(ModelProtoSchema, /** @type {any} */ (model)));
  }
}
