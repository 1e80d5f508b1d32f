// The core's module with a memory that ends somewhere, as on a machine that has no more.
import { readFileSync } from "node:fs";

const PAGE = 2 ** 16;
const MEMORY_SECTION = 5;

/** A number in LEB128 from `at` on, and where it ends. @param {Uint8Array} bytes @param {number} at */
function leb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return { value, end: at };
  }
}

/** The module, with a memory of at most so many bytes, or of what it begins with where that is more; and what it begins with.
 * @param {number} most */
export function limited(most) {
  const module = new Uint8Array(readFileSync(new URL("../build/netlump.wasm", import.meta.url)));
  for (let at = 8; at < module.length; ) {
    const id = module[at];
    const { value: size, end } = leb(module, at + 1);
    if (id === MEMORY_SECTION) {
      const least = leb(module, end + 2); // behind the count and the flag that there is a most
      const { end: last } = leb(module, least.end);
      let pages = Math.max(least.value, Math.floor(most / PAGE));
      for (let i = least.end; i < last; i++, pages = Math.floor(pages / 128)) module[i] = (pages % 128) | (i + 1 < last ? 128 : 0);
      return { module, least: least.value * PAGE };
    }
    at = end + size;
  }
  throw new Error("the module has no memory of its own");
}

/** @param {any} error */
export const outOfMemory = (error) => error.name === "EngineError" && error.code === "MEMORY" && /\d+(\.\d)? [kM]?B are needed|\d+ bytes are needed/.test(error.message);
