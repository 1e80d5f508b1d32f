// images: pictures -> Table. Single files, folders and zips of JPEG, PNG, BMP, GIF and TGA, decoded (pictures.js) to the shape of
// the model's input, one row a picture. Their order is shuffled, always the same way, so that the first rows are of all kinds.
import { EngineError, fault } from "./fault.js";
import { isImage, layoutOf } from "./layout.js";
import { badNorm, imageLabels, imagesUnfit, noClasses, noImages, unreadableImage } from "./messages.js";
import { decodePicture } from "./pictures.js";
import { namesOf, unzip } from "./zip.js";

/**
 * @typedef {import("./types.js").Table} Table
 * @typedef {import("./layout.js").Layout} Layout
 * @typedef {{names: string[], load: (names: string[]) => Uint8Array[]|Promise<Uint8Array[]>}} Pictures   names: paths, folders and all;
 *   load: the files of some
 * @typedef {{mean?: number[], std?: number[]}} Norm   of pixels from 0 to 1, one for all channels or one each
 * @typedef {(bytes: Uint8Array, layout: Layout, norm: Norm) => Promise<Float64Array>} Decode
 * @typedef {import("./data.js").Labels} Labels
 * @typedef {{decode: Decode, layout: Layout, type: string, norm: Norm}} Reading   type: of the input
 */

const MOST = 2 ** 30; // bytes of a table
const AT_ONCE = 256; // files read at once

// ---- the model ---------------------------------------------------------------------------------------------------------

/** The inputs that rows fill, as they are in a run of one row. @param {import("./engine.js").Model} model */
function filled({ outside, info, inputs }) {
  if (!outside) return info;
  const ports = inputs.feeds.filter(({ width }) => width > 0).map(({ name, type, dims }) => ({ name, type, shape: dims(1) }));
  return { inputs: ports, batch: inputs.batch ?? 1 };
}

/** How a model reads pictures; asked for when there are any. @param {import("./engine.js").Model} model @param {Norm} [norm]
 * @param {import("./loader.js").WasmSource} [wasm] the decoder @returns {() => Reading} */
export const readingOf = (model, norm = {}, wasm) => () => {
  const info = filled(model);
  const layout = layoutOf(info);
  return { decode: (bytes, taken, numbers) => decodePicture(bytes, taken, numbers, wasm), layout, type: info.inputs[0].type, norm };
};

/** The numbers for every channel. A model that reads bytes is given bytes. @param {Norm} norm @param {number} channels @param {string} type of the input
 * @returns {Norm} */
export function normOf({ mean, std }, channels, type) {
  for (const list of [mean, std])
    if (list !== undefined && list.length !== 1 && list.length !== channels) throw fault("DATA", badNorm(list.length, channels));
  const each = (/** @type {number[]|undefined} */ list) => (list?.length === 1 ? Array.from({ length: channels }, () => list[0]) : list);
  const raw = type === "uint8" && mean === undefined && std === undefined;
  return raw ? { std: Array.from({ length: channels }, () => 1 / 255) } : { mean: each(mean), std: each(std) };
}

// ---- the pictures ------------------------------------------------------------------------------------------------------

/** The pictures in a zip, unpacked when they are needed; null when there is none. @param {Uint8Array} zip @param {string} source @returns {Pictures|null} */
export function zipped(zip, source) {
  const names = [...new Set(namesOf(zip, source).filter(isImage))];
  const load = (/** @type {string[]} */ some) => {
    const wanted = new Set(some);
    const files = unzip(zip, source, (name) => wanted.has(name));
    return some.map((name) => files[name]);
  };
  return names.length === 0 ? null : { names, load };
}

/** The same order on every machine, of names that come in any. @param {string[]} names */
function shuffled(names) {
  const list = [...names].sort();
  let state = 1;
  for (let i = list.length - 1; i > 0; i -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

/** The folder a picture lies in, which names its class. @param {string} name */
const folderOf = (name) => name.split("/").at(-2) ?? "";

/** The folders there are, by name: the classes 0, 1, ... @param {string[]} names */
const classesOf = (names) => [...new Set(names.map(folderOf))].sort();

/**
 * @param {Pictures} pictures
 * @param {string} source where they are from, for people
 * @param {Reading & {labels?: Labels, features?: number, divide?: number, rows?: number}} options features: what the model reads
 *   a row; labels: "folder": the folder's number among all, "auto": where there are several; divide: of the numbers, once they are
 *   made; rows: at most
 * @returns {Promise<Table>}
 */
export async function imageTable({ names, load }, source, { labels = 0, rows = 0, ...how }) {
  const size = sizeOfRow(source, how);
  const most = Math.max(1, Math.min(rows > 0 ? rows : Infinity, Math.floor(MOST / 8 / size)));
  const taken = shuffled(names).slice(0, most);
  if (taken.length === 0) throw fault("DATA", noImages(source), { place: source });
  if (typeof labels === "number" && labels > 0) throw fault("DATA", imageLabels(source), { place: source });
  const classes = classesOf(names);
  if (labels === "folder" && classes.length < 2) throw fault("DATA", noClasses(source), { place: source });
  const features = await decodeAll(taken, load, size, how);
  const numbered = labels === 0 || classes.length < 2 ? null : Float64Array.from(taken, (name) => classes.indexOf(folderOf(name)));
  const labelColumns = numbered === null ? 0 : 1;
  const part = taken.length < names.length ? ` (${taken.length} of ${names.length} images)` : "";
  return { features, labels: numbered, rows: taken.length, columns: size + labelColumns, labelColumns, names: null, source: source + part, pictures: true };
}

/** Numbers a picture becomes. @param {string} source @param {{layout: Layout, features?: number}} how */
function sizeOfRow(source, { layout: { height, width, channels }, features }) {
  const size = height * width * channels;
  if (features && features !== size) throw fault("DATA", imagesUnfit({ source, size, wanted: features }), { place: source });
  return size;
}

/** @param {string[]} names @param {Pictures["load"]} load @param {number} size @param {Reading & {divide?: number}} how
 * @returns {Promise<Float64Array>} (names, size) */
async function decodeAll(names, load, size, { decode, layout, type, norm, divide = 1 }) {
  const numbers = normOf(norm, layout.channels, type);
  const features = new Float64Array(names.length * size);
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE);
    const files = await load(some);
    for (const [i, name] of some.entries()) features.set(await decodeOne(name, decode(files[i], layout, numbers)), (at + i) * size);
  }
  return divide === 1 ? features : features.map((value) => value / divide);
}

/** @param {string} name @param {Promise<Float64Array>} decoded */
async function decodeOne(name, decoded) {
  try {
    return await decoded;
  } catch (error) {
    if (error instanceof EngineError && error.code === "DATA" && error.detail) throw fault("DATA", unreadableImage(name, error.detail), { place: name, cause: error });
    throw error;
  }
}
