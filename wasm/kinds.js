// kinds: what a file is, by its content: a model, rows, a picture, or something else. Some kB at its ends are read, never the
// whole. What that something else is, and what to do instead, the core says when it is opened (src/onnx_sniff.c).
import { delimiterOf, isNumber } from "./cells.js";
import { isGzip, unpackHead } from "./gzip.js";
import { isImage } from "./layout.js";
import { part, sizeOf } from "./source.js";

/**
 * @typedef {import("./source.js").Source} Source
 * @typedef {"model"|"rows"|"picture"|"text"|"other"} Kind   rows: a table, arrays, or an archive of pictures; text: of words
 */

const START = 2 ** 10; // bytes that tell a picture
const HEAD = 2 ** 16; // bytes read at either end of anything else
const LINES = 20; // looked at of a text

/** @param {{name: string, bytes: Source}} file @returns {Promise<Kind>} */
export async function kindOf({ name, bytes }) {
  const start = await part(bytes, name, 0, Math.min(START, sizeOf(bytes)));
  if (isPicture(start)) return "picture";
  const head = await part(bytes, name, 0, Math.min(HEAD, sizeOf(bytes)));
  if (isZip(head)) return kindOfArchive(await namesInZip(bytes, name));
  if (isGzip(head)) return kindOfHead(await unpackHead(head, HEAD)) === "rows" ? "rows" : "other";
  return kindOfHead(head, name);
}

/** @param {Uint8Array} head @param {string} [name] where the content does not tell @returns {Kind} */
function kindOfHead(head, name = "") {
  if (isNpy(head) || isIdx(head)) return "rows";
  const text = textOf(head);
  if (text === null) return isTga(head, name) ? "picture" : isOnnx(head) ? "model" : "other";
  if (/^\s*\{/.test(text)) return isNetwork(text) ? "model" : "other";
  if (/^\s*[[<]|^version https:\/\/git-lfs/.test(text) || text.trim() === "") return "other";
  return isTable(text) || isTableName(name) ? "rows" : "text";
}

/** @param {string[]} names @returns {Kind} */
const kindOfArchive = (names) => (names.some((name) => isImage(name) || name.endsWith(".npy")) ? "rows" : "other");

// ---- by their first bytes ----------------------------------------------------------------------------------------------

/** @param {Uint8Array} head @param {string} bytes as Latin-1 @param {number} [at] */
const has = (head, bytes, at = 0) => head.length >= at + bytes.length && [...bytes].every((letter, i) => head[at + i] === letter.charCodeAt(0));

/** @param {Uint8Array} bytes */
export const isZip = (bytes) => has(bytes, "PK") && bytes[2] < 8;
/** @param {Uint8Array} bytes */
export const isNpy = (bytes) => has(bytes, "\x93NUMPY");
/** Element types of IDX. @type {Record<number, string>} */
export const IDX_KINDS = { 0x08: "u1", 0x09: "i1", 0x0b: "i2", 0x0c: "i4", 0x0d: "f4", 0x0e: "f8" };
/** @param {Uint8Array} bytes */
export const isIdx = (bytes) => bytes.length > 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] in IDX_KINDS && bytes[3] > 0;

/** Pictures the core reads that say what they are; TGA does not. @param {Uint8Array} head */
export const isPicture = (head) => has(head, "\x89PNG\r\n") || has(head, "\xff\xd8\xff") || has(head, "GIF8") || (has(head, "BM") && has(head, "\0\0\0\0", 6));
/** @param {Uint8Array} head @param {string} name */
const isTga = (head, name) => /\.tga$/i.test(name) && head.length > 18 && head[1] < 2 && [1, 2, 3, 9, 10, 11].includes(head[2]);

/** The text that begins so, null where it is none. @param {Uint8Array} head */
function textOf(head) {
  if (head.subarray(0, 512).some((byte) => byte === 0x7f || (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13))) return null;
  return new TextDecoder().decode(head);
}

/** Whether JSON may be a network: of a kind that is read, or one the core knows by name. @param {string} text its beginning */
const isNetwork = (text) => /"(netlump|layers|modelTopology|weightsManifest|class_name|neurons|nodes|hiddenLayers)"\s*:/.test(text) || /"format"\s*:\s*"netlump"/.test(text);

// ---- ONNX: ModelProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto ------------------------------------------

/** Its fields by number and wire type: ir_version, producer_name, producer_version, domain, model_version, doc_string, graph,
 * opset_import, metadata_props, training_info, functions, configuration. */
const MODEL_FIELDS = new Set([0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72, 0xa2, 0xca, 0xd2]);
const GRAPH = 0x3a;

/** Whether the fields at the top are those of a model, as far as the head goes. @param {Uint8Array} head */
function isOnnx(head) {
  let fields = 0;
  for (let at = 0; at < head.length; fields += 1) {
    const tag = head[at];
    if (!MODEL_FIELDS.has(tag)) return false;
    if (tag === GRAPH) return true;
    const [value, next] = varint(head, at + (tag & 0x80 ? 2 : 1));
    if (tag === 0x12 && head.subarray(next, Math.min(next + value, next + 64)).some((byte) => byte < 0x20)) return false; // a name, not a message
    at = (tag & 7) === 2 ? next + value : next;
  }
  return fields > 1;
}

/** @param {Uint8Array} bytes @param {number} at @returns {[number, number]} the value, and where it ends */
function varint(bytes, at) {
  let value = 0;
  for (let shift = 1; at < bytes.length; shift *= 128, at += 1) {
    value += (bytes[at] & 0x7f) * shift;
    if (bytes[at] < 0x80) return [value, at + 1];
  }
  return [value, at];
}

// ---- tables ------------------------------------------------------------------------------------------------------------

/** @param {string} name */
const isTableName = (name) => /\.(csv|tsv)$/i.test(name);

/** Lines of as many cells, some of them numbers; the first may hold names. @param {string} text its beginning */
export function isTable(text) {
  const lines = text.split("\n").slice(0, LINES + 1).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const whole = lines.length > 2 && lines.length > LINES ? lines.slice(0, -1) : lines;
  if (whole.length === 0) return false;
  const delimiter = delimiterOf(whole[0]);
  const cells = whole.map((line) => (delimiter === " " ? line.trim().split(/ +/) : line.split(delimiter)));
  const data = cells.length > 1 ? cells.slice(1) : cells;
  const usual = data[data.length >> 1].length;
  const numbers = data.flat().filter((cell) => isNumber(unquoted(cell))).length;
  return data.filter((row) => row.length === usual).length * 3 >= data.length * 2 && numbers * 4 >= data.flat().length && numbers > 0;
}

/** @param {string} cell */
const unquoted = (cell) => cell.trim().replace(/^"(.*)"$/, "$1");

// ---- zip: APPNOTE.TXT 4.3.12 and 4.3.16 --------------------------------------------------------------------------------

/** The names in an archive, from the directory at its end; none where that is damaged. @param {Source} source @param {string} file
 * @returns {Promise<string[]>} */
export async function namesInZip(source, file) {
  const size = sizeOf(source);
  const tail = await part(source, file, Math.max(0, size - HEAD), size);
  let end = tail.length - 22;
  while (end >= 0 && !has(tail, "PK\x05\x06", end)) end -= 1;
  if (end < 0) return [];
  const record = new DataView(tail.buffer, tail.byteOffset + end);
  const length = record.getUint32(12, true);
  const start = size - tail.length + end - length; // whatever stands before the archive
  return start < 0 ? [] : namesIn(await part(source, file, start, start + length));
}

/** @param {Uint8Array} directory */
function namesIn(directory) {
  const view = new DataView(directory.buffer, directory.byteOffset, directory.byteLength);
  /** @type {string[]} */
  const names = [];
  for (let at = 0; at + 46 <= directory.length && has(directory, "PK\x01\x02", at); ) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    names.push(new TextDecoder().decode(directory.subarray(at + 46, at + 46 + name)));
    at += 46 + name + extra + comment;
  }
  return names;
}
