// Protobuf as bytes: fields of a message in the order they stand, nothing interpreted but what is asked for.

/** @typedef {{number: number, wire: number, whole: Uint8Array, payload: Uint8Array}} Field   whole: tag and all; payload: of wire type 2 the
 * bytes without their length, else the number's own bytes */

/** @param {Uint8Array} bytes @param {number} at @returns {[number, number]} value (exact below 2^53), where it ends */
function varint(bytes, at) {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error("a varint reaches beyond the message");
    at += 1;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at];
  }
}

/** @param {Uint8Array} bytes of a message @returns {Field[]} */
export function fieldsOf(bytes) {
  const fields = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const [tag, behind] = varint(bytes, at);
    const wire = tag & 7;
    const [size, from] = wire === 2 ? varint(bytes, behind) : [0, behind];
    at = wire === 2 ? from + size : wire === 0 ? varint(bytes, behind)[1] : behind + (wire === 1 ? 8 : 4);
    if (at > bytes.length) throw new Error("a field reaches beyond the message");
    fields.push({ number: Math.floor(tag / 8), wire, whole: bytes.subarray(start, at), payload: bytes.subarray(from, at) });
  }
  return fields;
}

/** @param {number} value */
function varintBytes(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Uint8Array.from([...bytes, value]);
}

/** @param {Uint8Array[]} parts */
export const concatenated = (parts) => new Uint8Array(Buffer.concat(parts));

/** A field of bytes. @param {number} number @param {Uint8Array} payload @returns {Uint8Array} */
export const fieldBytes = (number, payload) => concatenated([varintBytes(number * 8 + 2), varintBytes(payload.length), payload]);

/** A field of a whole number. @param {number} number @param {number} value @returns {Uint8Array} */
export const numberField = (number, value) => concatenated([varintBytes(number * 8), varintBytes(value)]);

const decoder = new TextDecoder();
const text = (/** @type {Field|undefined} */ field) => (field ? decoder.decode(field.payload) : "");

/** All payloads of a field. @param {Uint8Array} message @param {number} number @returns {Uint8Array[]} */
export const payloads = (message, number) => fieldsOf(message).flatMap((field) => (field.number === number ? [field.payload] : []));

/** A field of text, the last where there are several; "" where there is none. @param {Uint8Array} message @param {number} number */
export const textOf = (message, number) => text(fieldsOf(message).findLast((field) => field.number === number));

/** Texts of a repeated field. @param {Uint8Array} message @param {number} number */
export const textsOf = (message, number) => payloads(message, number).map((payload) => decoder.decode(payload));

/** Numbers of the fields of ONNX's messages that the tests read (onnx.proto). */
export const MODEL = { graph: 7, metadata: 14 };
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, info: 13 };
export const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5 };
export const TENSOR = { dims: 1, type: 2, floats: 4, name: 8, raw: 9, doubles: 10, external: 13, location: 14 };
export const ATTRIBUTE = { name: 1, int: 3, tensor: 5 };

/** All of a model's graph in one message: protobuf merges what comes in several parts. @param {Uint8Array} model */
export const graphOf = (model) => concatenated(payloads(model, MODEL.graph));

/** NodeProtos by their names; nodes without one are left out. @param {Uint8Array} model @returns {Map<string, Uint8Array>} */
export const nodesByName = (model) =>
  new Map(payloads(graphOf(model), GRAPH.node).map((node) => /** @type {const} */ ([textOf(node, NODE.name), node])).filter(([name]) => name));
