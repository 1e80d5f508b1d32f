// What a rewritten model keeps: every field that the edit has nothing to do with, byte for byte.
import assert from "node:assert/strict";

import { ATTRIBUTE, GRAPH, MODEL, NODE, TENSOR, concatenated, fieldBytes, fieldsOf, graphOf, numberField, payloads, textOf, textsOf } from "./wire.js";

/**
 * @typedef {import("./wire.js").Field} Field
 * @typedef {{name: string, op: string, inputs: string[], outputs: string[], bytes: Uint8Array}} Node
 */

const hex = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString("base64");
const same = (/** @type {Uint8Array} */ a, /** @type {Uint8Array} */ b) => Buffer.compare(a, b) === 0;
const UNKNOWN = 7001; // a field that no version of ONNX has

// ---- a model in a strange dress -----------------------------------------------------------------------------------------

/** Fields by number in another order than usual; those of one number stay in theirs. @param {Field[]} fields */
const turned = (fields) => [...fields].sort((a, b) => b.number - a.number);

/** @param {Uint8Array} message @param {(field: Field) => Uint8Array} rewrite @param {string} mark */
const dressed = (message, rewrite, mark) =>
  concatenated([...turned(fieldsOf(message)).map(rewrite), fieldBytes(UNKNOWN, new TextEncoder().encode(mark)), numberField(UNKNOWN + 1, mark.length)]);

const whole = (/** @type {Field} */ field) => field.whole;

/** @param {Uint8Array} attribute */
const dressedAttribute = (attribute) =>
  dressed(attribute, (field) => (field.number === ATTRIBUTE.tensor ? fieldBytes(field.number, dressed(field.payload, whole, "tensor")) : field.whole), "attribute");

/** @param {Uint8Array} node */
const dressedNode = (node) =>
  dressed(node, (field) => (field.number === NODE.attribute ? fieldBytes(field.number, dressedAttribute(field.payload)) : field.whole), "node");

/** @param {Field} field of a GraphProto */
function dressedPart({ number, payload, whole: bytes }) {
  if (number === GRAPH.node) return fieldBytes(number, dressedNode(payload));
  if (number === GRAPH.initializer) return fieldBytes(number, dressed(payload, whole, "initializer"));
  if (number === GRAPH.info || number === GRAPH.input || number === GRAPH.output) return fieldBytes(number, dressed(payload, whole, "value"));
  return bytes;
}

/** The same model with fields nobody knows everywhere, its fields in an unusual order, and metadata of its own. @param {Uint8Array} model */
export function dressedModel(model) {
  const entry = concatenated([fieldBytes(1, new TextEncoder().encode("kept")), fieldBytes(2, new TextEncoder().encode("as it was")), numberField(UNKNOWN, 3)]);
  const body = dressed(model, (field) => (field.number === MODEL.graph ? fieldBytes(field.number, dressed(field.payload, dressedPart, "graph")) : field.whole), "model");
  return concatenated([fieldBytes(MODEL.metadata, entry), body]);
}

// ---- what an edit may touch ----------------------------------------------------------------------------------------------

/** Nodes by the names that reports use: where there is none, the operator and the number in the file. @param {Uint8Array} model @returns {Node[]} */
const nodesOf = (model) =>
  payloads(graphOf(model), GRAPH.node).map((bytes, i) => ({ name: textOf(bytes, NODE.name) || `${textOf(bytes, NODE.op)} ${i + 1}`, op: textOf(bytes, NODE.op), inputs: textsOf(bytes, NODE.input), outputs: textsOf(bytes, NODE.output), bytes }));

/** @param {Uint8Array} model @returns {Map<string, Uint8Array>} initializers by name */
const initializersOf = (model) => new Map(payloads(graphOf(model), GRAPH.initializer).map((bytes) => [textOf(bytes, TENSOR.name), bytes]));

const MIXING = /^(Fused)?(Conv|ConvTranspose|Gemm|MatMul)$/;

/** A convolution of several groups goes along with what it reads. @param {Node} node */
const isGrouped = ({ bytes }) =>
  payloads(bytes, NODE.attribute).some((attribute) => textOf(attribute, ATTRIBUTE.name) === "group" && payloads(attribute, ATTRIBUTE.int)[0]?.[0] !== 1);

/** Values that are the same in every run: initializers, Constant nodes, and what is made of those alone. @param {Uint8Array} model @param {Node[]} nodes */
function constantsOf(model, nodes) {
  const constants = new Set(initializersOf(model).keys());
  for (const { inputs, outputs } of nodes) if (inputs.every((name) => constants.has(name))) for (const name of outputs) constants.add(name);
  return constants;
}

/**
 * The nodes around some layers that may have to do with their channels: from what they write on, through everything that does not
 * mix channels, up to the next layers, in either direction; and the nodes that give those their constants.
 * @param {Node[]} nodes @param {Set<string>} constants @param {string[]} producers @returns {{nodes: Set<Node>, values: Set<string>}}
 */
function regionOf(nodes, constants, producers) {
  const mixes = (/** @type {Node} */ node) => MIXING.test(node.op) && !isGrouped(node) && node.inputs.some((name) => constants.has(name));
  /** @type {Map<string, Node[]>} */
  const touching = new Map();
  for (const node of nodes) for (const name of [...node.inputs, ...node.outputs]) touching.set(name, [...(touching.get(name) ?? []), node]);
  const region = { nodes: new Set(nodes.filter(({ name }) => producers.includes(name))), values: new Set() };
  const open = [...region.nodes].flatMap(({ inputs, outputs }) => [...outputs, ...inputs.filter((name) => constants.has(name))]);
  while (open.length > 0) {
    const value = /** @type {string} */ (open.pop());
    if (value === "" || region.values.has(value)) continue; // "": an input left out
    region.values.add(value);
    for (const node of touching.get(value) ?? []) {
      if (constants.has(value) && !node.outputs.includes(value)) continue; // others may read the same constant
      region.nodes.add(node);
      open.push(...[...node.inputs, ...node.outputs].filter((name) => constants.has(name) || !mixes(node)));
    }
  }
  return region;
}

/** Constants of the layers behind the edit: those are fitted again, which changes their numbers and nothing else. @param {Node[]} nodes
 * @param {Set<string>} constants @param {Set<Node>} edited */
function fittedAgain(nodes, constants, edited) {
  const reached = new Set([...edited].flatMap(({ outputs }) => outputs));
  for (let before = -1; before < reached.size; ) {
    before = reached.size;
    for (const { inputs, outputs } of nodes) if (inputs.some((name) => reached.has(name) && !constants.has(name))) for (const name of outputs) reached.add(name);
  }
  const read = new Set(nodes.flatMap(({ inputs }) => (inputs.some((name) => reached.has(name)) ? inputs.filter((name) => constants.has(name)) : [])));
  for (const { inputs, outputs } of [...nodes].reverse()) if (outputs.some((name) => read.has(name))) for (const name of inputs) read.add(name);
  return read;
}

// ---- before and after ----------------------------------------------------------------------------------------------------

/** Fields that are in one list and not in the other, equal ones paired off. @param {Uint8Array[]} list @param {Uint8Array[]} other */
function missing(list, other) {
  /** @type {Map<string, number>} */
  const left = new Map();
  for (const bytes of other) left.set(hex(bytes), (left.get(hex(bytes)) ?? 0) + 1);
  return list.filter((bytes) => {
    const count = left.get(hex(bytes)) ?? 0;
    left.set(hex(bytes), count - 1);
    return count <= 0;
  });
}

/** @param {Uint8Array} a @param {Uint8Array} b @param {number[]} but numbers of fields that may differ @param {string} what */
function assertSameFields(a, b, but, what) {
  const kept = (/** @type {Uint8Array} */ message) => fieldsOf(message).filter(({ number }) => !but.includes(number)).map(({ whole: bytes }) => bytes);
  assert.deepEqual(missing(kept(a), kept(b)).map(hex), [], `${what} lost a field`);
  assert.deepEqual(missing(kept(b), kept(a)).map(hex), [], `${what} has a field it had not`);
}

const NUMBERS = [TENSOR.floats, 5, 7, TENSOR.raw, TENSOR.doubles, 11, TENSOR.external, TENSOR.location];
const DATA = [TENSOR.dims, ...NUMBERS];

/** @param {Uint8Array} before @param {Uint8Array} after of an AttributeProto @param {string} what @param {boolean} resized whether sizes may change */
function assertAttribute(before, after, what, resized) {
  const name = textOf(before, ATTRIBUTE.name);
  assert.ok(/^(group|value|value_ints|value_int|split|shape|pads|sizes|output_shape|num_outputs|ends)$/.test(name), `${what}: attribute ${name} changed`);
  assertSameFields(before, after, [3, ATTRIBUTE.tensor, 8], `${what}, attribute ${name}`); // i, t, ints
  const [old] = payloads(before, ATTRIBUTE.tensor), [now] = payloads(after, ATTRIBUTE.tensor);
  if (old && now && !same(old, now)) assertSameFields(old, now, resized ? DATA : NUMBERS, `${what}, tensor of ${name}`);
}

/** @param {Node} before @param {Node} after @param {Set<string>} constants of the model before
 * @param {boolean} resized whether sizes may change */
function assertNode(before, after, constants, resized) {
  const what = `${before.op} ${before.name}`;
  assertSameFields(before.bytes, after.bytes, [NODE.input, NODE.attribute], what);
  after.inputs.forEach((name, slot) => {
    const old = before.inputs[slot] ?? "";
    assert.ok(name === old || old === "" || constants.has(old), `${what}: input ${slot} was ${old}, a value that is computed`);
  });
  const [olds, nows] = [before, after].map(({ bytes }) => new Map(payloads(bytes, NODE.attribute).map((one) => [textOf(one, ATTRIBUTE.name), one])));
  assert.deepEqual([...nows.keys()], [...olds.keys()], what);
  for (const [name, old] of olds) {
    const now = /** @type {Uint8Array} */ (nows.get(name));
    if (!same(old, now)) assertAttribute(old, now, what, resized);
  }
}

/** @param {Uint8Array} before ValueInfoProto @param {Uint8Array} after @param {boolean} listed an initializer among the inputs: any axis may be another */
function assertValueInfo(before, after, listed) {
  const what = `shape of ${textOf(before, 1)}`;
  assertSameFields(before, after, [2], what);
  const [old, now] = [before, after].map((info) => payloads(payloads(info, 2)[0], 1)[0]); // type, tensor_type
  assertSameFields(old, now, [2], what);
  const [dims, others] = [old, now].map((type) => payloads(payloads(type, 2)[0], 1)); // shape, dim
  if (listed) return;
  assert.equal(others.length, dims.length, what);
  const changed = dims.filter((dim, axis) => !same(dim, others[axis]));
  assert.equal(changed.length, 1, `${what}: only the channels' axis changes`);
}

/**
 * Everything that an edit around `producers` has nothing to do with is there, in the same bytes and the same order.
 * @param {Uint8Array} before @param {Uint8Array} after
 * @param {string[]} producers names of the layers (or of what they write) whose width changed
 * @param {Map<string, Uint8Array>} [files] external weights
 * @returns {number} fields that changed
 */
export function assertSurvived(before, after, producers, files = new Map()) {
  const [old, now] = [before, after].map((model) => fieldsOf(model).filter(({ number }) => number !== MODEL.graph));
  const own = now.filter(({ number, payload }) => !(number === MODEL.metadata && textOf(payload, 1).startsWith("netlump")));
  assert.deepEqual(own.map((field) => hex(field.whole)), old.map((field) => hex(field.whole)), "the model's own fields");

  const [nodes, others] = [nodesOf(before), nodesOf(after)];
  const constants = constantsOf(before, nodes);
  const region = regionOf(nodes, constants, producers);
  const again = fittedAgain(nodes, constants, region.nodes);
  assert.ok(region.nodes.size > 0, `no node is called ${producers.join(", ")}`);
  assert.equal(others.length, nodes.length, "nodes are neither added nor removed");
  let changes = 0;
  nodes.forEach((node, i) => {
    if (same(node.bytes, others[i].bytes)) return;
    changes += 1;
    const fitted = node.op === "Constant" && again.has(node.outputs[0]);
    assert.ok(region.nodes.has(node) || fitted, `${node.op} ${node.name} has nothing to do with ${producers.join(", ")}`);
    assertNode(node, others[i], constants, region.nodes.has(node));
  });
  changes += assertInitializers(before, after, others.filter((_, i) => region.nodes.has(nodes[i])), again, files);
  return changes + assertRest(before, after, region.values, constants);
}

/** A tensor whose elements stand in a file beside the model may have come inline: the same elements then.
 * @param {Uint8Array} before @param {Uint8Array} after @param {Map<string, Uint8Array>} files */
function cameInline(before, after, files) {
  const place = new Map(payloads(before, TENSOR.external).map((entry) => [textOf(entry, 1), textOf(entry, 2)]));
  const file = files.get(place.get("location") ?? "");
  if (file === undefined) return false;
  const offset = Number(place.get("offset") ?? 0);
  const stretch = file.subarray(offset, offset + Number(place.get("length") ?? file.length - offset));
  if (!payloads(after, TENSOR.raw).some((raw) => same(raw, stretch))) return false;
  assertSameFields(before, after, NUMBERS, textOf(before, TENSOR.name));
  return true;
}

/** @param {Uint8Array} before @param {Uint8Array} after @param {Node[]} readers the nodes of the edited region, as they are now
 * @param {Set<string>} again constants that may hold other numbers
 * @param {Map<string, Uint8Array>} files */
function assertInitializers(before, after, readers, again, files) {
  const read = new Set(readers.flatMap(({ inputs }) => inputs));
  const [old, now] = [initializersOf(before), initializersOf(after)];
  let changes = 0;
  for (const [name, tensor] of now) {
    const was = old.get(name);
    if (was && (same(was, tensor) || cameInline(was, tensor, files))) continue;
    changes += 1;
    assert.ok(read.has(name) || (was && again.has(name)), `initializer ${name} has nothing to do with the edit`);
    if (was) assertSameFields(was, tensor, read.has(name) ? DATA : NUMBERS, `initializer ${name}`);
  }
  const everywhere = new Set(nodesOf(after).flatMap(({ inputs }) => inputs));
  for (const name of old.keys()) assert.ok(now.has(name) || !everywhere.has(name), `initializer ${name} is gone and still read`);
  assert.deepEqual([...now.keys()].filter((name) => old.has(name)), [...old.keys()].filter((name) => now.has(name)), "order of initializers");
  return changes;
}

/** Inputs, outputs, value_info, names, annotations, unknown fields. @param {Uint8Array} before @param {Uint8Array} after @param {Set<string>} values
 * @param {Set<string>} constants */
function assertRest(before, after, values, constants) {
  const rest = (/** @type {Uint8Array} */ model) => fieldsOf(graphOf(model)).filter(({ number }) => number !== GRAPH.node && number !== GRAPH.initializer);
  const [old, now] = [rest(before), rest(after)];
  assert.equal(now.length, old.length, "fields of the graph");
  let changes = 0;
  old.forEach((field, i) => {
    assert.equal(now[i].number, field.number);
    if (same(field.whole, now[i].whole)) return;
    const name = textOf(field.payload, 1);
    assert.ok(field.number === GRAPH.info || field.number === GRAPH.input, `field ${field.number} of the graph changed (${name})`);
    assert.ok(values.has(name), `shape of ${name} has nothing to do with the edit`);
    assertValueInfo(field.payload, now[i].payload, constants.has(name));
    changes += 1;
  });
  return changes;
}
