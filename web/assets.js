// Where the page's files are: beside it, or, in the single-file builds, inside it. All code of the page asks here.
import { spawnModule, threadOf } from "../wasm/client.js";
import { plain, unpacked } from "../wasm/packed.js";

/** The files carried inside the page: packed, by name; null where they lie beside it. @returns {Record<string, string>|null} */
function findCarried() {
  const blocks = [.../** @type {NodeListOf<HTMLScriptElement>} */ (document.querySelectorAll("script[data-file]"))];
  return blocks.length === 0 ? null : Object.fromEntries(blocks.map((block) => [block.dataset.file ?? "", block.text]));
}

const carried = findCarried();

/** Whether the page is a single file. */
export const single = carried !== null;

/** What the worker is given. */
const FOR_WORKER = ["worker.js", "netlump.wasm", "formats.wasm", "pictures.wasm", "ort-wasm-simd-threaded.wasm"];

/** A file's bytes. @param {string} name @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function asset(name) {
  if (carried) {
    if (!(name in carried)) throw new Error(`${name} is not in this file`);
    return /** @type {Uint8Array<ArrayBuffer>} */ (await unpacked(carried[name]));
  }
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Opens a text file of the page in a window of its own, as a link does. @param {string} name */
export async function openText(name) {
  const url = URL.createObjectURL(new Blob([await asset(name)], { type: "text/plain;charset=utf-8" }));
  open(url, "_blank");
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The engine's thread. */
export function spawn() {
  if (!carried) return spawnModule();
  const url = URL.createObjectURL(new Blob([plain(carried["worker.js"])], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "netlump" });
  const files = FOR_WORKER.filter((name) => name in carried).map((name) => [name, carried[name]]);
  return threadOf(worker, Object.fromEntries(files));
}
