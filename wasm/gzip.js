// gzip: undone, all of it or only as far as is needed to see what is inside.
import { EngineError, fault } from "./fault.js";
import { badData, tooLarge } from "./messages.js";
import { joined } from "./numbers.js";

const LARGEST = 2 ** 31; // bytes, unpacked

/** @param {Uint8Array} bytes */
export const isGzip = (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The parts of what is packed. @param {Uint8Array} bytes @returns {AsyncGenerator<Uint8Array>} */
async function* parts(bytes) {
  const reader = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    reader.cancel().catch(() => {}); // where nobody wants the rest
  }
}

/** What is packed, or the bytes themselves where nothing is. @param {Uint8Array} bytes @param {string} name
 * @param {number} [largest] bytes, unpacked @returns {Promise<Uint8Array>} */
export async function unpack(bytes, name, largest = LARGEST) {
  if (!isGzip(bytes)) return bytes;
  /** @type {Uint8Array[]} */
  const all = [];
  let size = 0;
  try {
    for await (const part of parts(bytes)) {
      all.push(part);
      size += part.length;
      if (size > largest) throw fault("LIMIT", tooLarge(name, largest), { place: name });
    }
    return joined(Uint8Array, all);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw fault("DATA", badData(name, "its gzip compression is damaged"), { place: name, cause: error });
  }
}

/** The beginning of what is packed. @param {Uint8Array} head the beginning of the file @param {number} most bytes of it, and one part @returns {Promise<Uint8Array>} empty where it is damaged */
export async function unpackHead(head, most) {
  /** @type {Uint8Array[]} */
  const some = [];
  let size = 0;
  try {
    for await (const part of parts(head)) {
      some.push(part);
      size += part.length;
      if (size >= most) break;
    }
  } catch {
    // it breaks off where the head does
  }
  return joined(Uint8Array, some);
}
