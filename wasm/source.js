// source: the files of a model, in memory or where they can be read piece by piece, and whether the core has room for them.
import { fault } from "./fault.js";
import { fileUnreadable, modelTooLarge, useLoad, weightsTooLarge, workTooLarge } from "./messages.js";

/**
 * @typedef {Uint8Array|Blob} Source   a file's bytes, or the file: what a page is given, what Node's fs.openAsBlob gives
 * @typedef {Map<string, Source>|((name: string) => Source|undefined|Promise<Source|undefined>)} Files   by the names a model calls them
 * @typedef {{source: Source, file: string, offset: number, size: number, pointer: number}} Part   what goes where in the core's memory
 */

export const PIECE = 2 ** 25; // bytes read at once
const MEMORY = 2 ** 32; // what a WebAssembly module of 32 bits can have
export const LARGE = 2 ** 27; // bytes of a model whose tensors stay in its file (away.js) where the core evaluates it
const WORKING = 2 ** 28; // of that, for all but the weights
const LARGEST = 2 ** 31 - 1; // bytes of one protobuf message

/** @param {Source} source */
export const sizeOf = (source) => (source instanceof Uint8Array ? source.length : source.size);

/** Refuses a model that is known not to fit before anything of it is read: it comes twice, once as it is and once as it will be.
 * @param {string} file @param {number} bytes of it @param {number} weights bytes of the files beside it */
export function checkRoom(file, bytes, weights) {
  if (bytes > LARGEST) throw fault("LIMIT", modelTooLarge(file, bytes, LARGEST), { place: file });
  const needed = 2 * (bytes + weights) + WORKING;
  const most = (MEMORY - WORKING) / 2;
  if (needed > MEMORY) throw fault("LIMIT", weightsTooLarge({ file, bytes: bytes + weights, needed, memory: MEMORY, most }), { place: file });
}

/** What the work on a model takes beyond what is in memory already, at least: parameters and moments where they are held, else the
 * values of all rows for some layers, in single precision, and five matrices of the widest.
 * @param {import("./types.js").ModelInfo} info @param {number} rows @param {boolean} away whether its tensors stay in its file */
function neededFor({ features, parameters, layers, sites }, rows, away) {
  const squares = sites.map(({ width }) => width * width);
  const widest = Math.max(0, ...layers.map(({ width }) => width ?? 0));
  const most = squares.reduce((a, b) => Math.max(a, b), 0);
  if (away) return 4 * rows * (features + 3 * widest) + 40 * most;
  return 8 * (rows * features + parameters + 2 * squares.reduce((a, b) => a + b, 0));
}

/** Refuses work that is known not to fit before it is begun. @param {import("./types.js").ModelInfo} info @param {number} rows
 * @param {boolean} away @param {number} taken bytes of memory the engine has already */
export function checkWork(info, rows, away, taken) {
  const [fixed, one] = [taken + neededFor(info, 0, away), neededFor(info, 1, away) - neededFor(info, 0, away)];
  const needed = fixed + rows * one;
  if (needed <= MEMORY) return;
  const fit = Math.floor((MEMORY - WORKING - fixed) / one);
  throw fault("LIMIT", workTooLarge({ file: info.name, rows, needed, memory: MEMORY, fit }), { place: info.name });
}

/** @param {Source} source @param {string} file its name @param {number} from @param {number} to or the file's end
 * @returns {Promise<Uint8Array>} */
export async function part(source, file, from, to) {
  if (source instanceof Uint8Array) return source.subarray(from, to);
  try {
    const bytes = new Uint8Array(await source.slice(from, to).arrayBuffer());
    if (bytes.length === Math.min(to, source.size) - from) return bytes;
  } catch (error) {
    throw fault("FILE", fileUnreadable(file, "it is a folder, or it was changed or moved"), { place: file, cause: error });
  }
  throw fault("FILE", fileUnreadable(file, "it became shorter meanwhile"), { place: file });
}

/** The whole of a file. @param {Source} source @param {string} file its name @returns {Promise<Uint8Array>} */
export const whole = (source, file) => part(source, file, 0, sizeOf(source));

/** Copies a part of a file into the core's memory, so that it never is in memory twice. @param {import("./loader.js").Core} core
 * @param {Part} part @param {AbortSignal} [signal] */
export async function pour(core, { source, file, offset, size, pointer }, signal) {
  for (let done = 0; done < size; done += PIECE) {
    signal?.throwIfAborted();
    core.write(pointer + done, await part(source, file, offset + done, offset + Math.min(size, done + PIECE)));
  }
}

/** The same for files that are in memory. @param {import("./loader.js").Core} core @param {Part} part */
export function pourNow(core, { source, offset, size, pointer }) {
  core.write(pointer, held(source).subarray(offset, offset + size));
}

/** What has to be in memory. @param {Source|Promise<Source|undefined>} source @returns {Uint8Array} */
export function held(source) {
  if (source instanceof Uint8Array) return source;
  throw fault("ARGUMENT", useLoad());
}

/** @param {Files} files @param {string} name @returns {Source|undefined|Promise<Source|undefined>} */
export function find(files, name) {
  if (typeof files === "function") return files(name);
  // Files dropped on a page have no folder, the model may name one.
  return files.get(name) ?? files.get(name.split(/[\\/]/).at(-1) ?? "");
}

/** Without what else lies in the same buffer: that would be copied along from thread to thread. @param {Source} source @returns {Source} */
export const compact = (source) => (source instanceof Uint8Array && source.length < source.buffer.byteLength ? source.slice() : source);
