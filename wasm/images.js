// images: pictures -> Table. Single files, folders and zips of JPEG, PNG, BMP, GIF and TGA, decoded by the core to the shape of
// the model's input, one row a picture. Their order is shuffled, always the same way, so that the first rows are of all kinds.
import { unzipSync } from "fflate";

import { EngineError, fault } from "./fault.js";
import { badData, badNorm, imageLabels, imagesUnfit, noClasses, noImages, noImageInput, unreadableImage } from "./messages.js";

/**
 * @typedef {import("./types.js").Table} Table
 * @typedef {{name: string, type: string, shape: (number|null)[]}} Port
 * @typedef {{height: number, width: number, channels: number, last: boolean}} Layout   last: channels come last
 * @typedef {{name: string, bytes: () => Uint8Array|Promise<Uint8Array>}} Picture   name: its path, folders and all
 * @typedef {{mean?: number[], std?: number[]}} Norm   of pixels from 0 to 1, one for all channels or one each
 * @typedef {(bytes: Uint8Array, layout: Layout, norm: Norm) => Float64Array} Decode   what Model.image does
 * @typedef {import("./data.js").Labels} Labels
 * @typedef {{decode: Decode, layout: Layout, type: string, norm: Norm}} Reading   type: of the input
 */

const ENDING = /\.(jpe?g|png|bmp|gif|tga)$/i;
const MOST = 2 ** 30; // bytes of a table

/** Whether a file's name is a picture's, and it is not what a Mac leaves behind. @param {string} name */
export const isImage = (name) => ENDING.test(name) && !/(^|\/)(\._|__MACOSX\/)/.test(name);

// ---- the input ---------------------------------------------------------------------------------------------------------

/** How a shape without its batch lays a picture out; null where it does not. @param {(number|null)[]} shape @returns {Layout|null} */
function laidOut(shape) {
  const isChannels = (/** @type {number|null} */ size) => size === 1 || size === 3;
  const [first, second, third] = shape.map(Number);
  if (shape.includes(null)) return null;
  if (shape.length === 3 && isChannels(first)) return { channels: first, height: second, width: third, last: false };
  if (shape.length === 3 && isChannels(third)) return { channels: third, height: first, width: second, last: true };
  if (shape.length === 2) return { channels: 1, height: first, width: second, last: false };
  return shape.length === 1 ? flat(first) : null;
}

/** A square picture as one line of numbers, grey or channel after channel. @param {number} size */
function flat(size) {
  for (const channels of [1, 3]) {
    const side = Math.sqrt(size / channels);
    if (Number.isInteger(side) && side > 1) return { channels, height: side, width: side, last: false };
  }
  return null;
}

/** The shape without its batch axis. @param {(number|null)[]} shape @param {number|null} batch */
function ofRow(shape, batch) {
  const hasBatch = shape.length === 4 || shape.length === 2 || shape.length === 1 || (shape.length === 3 && (shape[0] === null || shape[0] === batch));
  return hasBatch && shape.length > 1 ? shape.slice(1) : shape;
}

/**
 * What pictures become for a model: the layout of the one input that rows fill.
 * @param {{inputs: Port[], features?: number, batch?: number|null}} info
 * @returns {Layout}
 */
export function layoutOf({ inputs, features = 0, batch = null }) {
  const [port] = inputs;
  const layout = inputs.length === 1 ? (laidOut(ofRow(port.shape, batch)) ?? flat(features)) : null;
  if (layout === null) throw fault("DATA", noImageInput(inputs.map(({ name }) => name)), { place: port?.name });
  return layout;
}

/** The inputs that rows fill, as they are in a run of one row. @param {import("./engine.js").Model} model */
function filled({ outside, info, inputs }) {
  if (!outside) return info;
  const ports = inputs.feeds.filter(({ width }) => width > 0).map(({ name, type, dims }) => ({ name, type, shape: dims(1) }));
  return { inputs: ports, batch: inputs.batch ?? 1 };
}

/** How a model reads pictures; asked for when there are any. @param {import("./engine.js").Model} model @param {Norm} [norm]
 * @returns {() => Reading} */
export const readingOf = (model, norm = {}) => () => {
  const info = filled(model);
  const layout = layoutOf(info);
  return { decode: (bytes, ...how) => model.image(bytes, ...how), layout, type: info.inputs[0].type, norm };
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

/** The pictures in a zip, unpacked when they are needed; null when there is none. @param {Uint8Array} zip @param {string} name @returns {Picture[]|null} */
export function zipped(zip, name) {
  const unpack = (/** @type {(file: {name: string}) => boolean} */ filter) => {
    try {
      return unzipSync(zip, { filter });
    } catch (error) {
      throw fault("DATA", badData(name, "its zip archive is damaged"), { place: name, cause: error });
    }
  };
  /** @type {string[]} */
  const names = [];
  unpack((file) => isImage(file.name) && names.push(file.name) < 0);
  return names.length === 0 ? null : names.map((file) => ({ name: file, bytes: () => unpack(({ name: at }) => at === file)[file] }));
}

/** The same order on every machine, of names that come in any. @param {Picture[]} pictures */
function shuffled(pictures) {
  const list = [...pictures].sort((a, b) => (a.name < b.name ? -1 : 1));
  let state = 1;
  for (let i = list.length - 1; i > 0; i -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

/** The folder a picture lies in, which names its class. @param {Picture} picture */
const folderOf = ({ name }) => name.split("/").at(-2) ?? "";

/** The folders there are, by name: the classes 0, 1, ... @param {Picture[]} pictures */
const classesOf = (pictures) => [...new Set(pictures.map(folderOf))].sort();

/**
 * @param {Picture[]} pictures
 * @param {string} source where they are from, for people
 * @param {Reading & {labels?: Labels, features?: number, divide?: number, rows?: number}} options features: what the model reads
 *   a row; labels: "folder": the folder's number among all, "auto": where there are several; divide: of the numbers, once they are made; rows: at most
 * @returns {Promise<Table>}
 */
export async function imageTable(pictures, source, { decode, layout, type, norm, labels = 0, features: wanted, divide = 1, rows = 0 }) {
  const { height, width, channels } = layout;
  const size = height * width * channels;
  if (wanted && wanted !== size) throw fault("DATA", imagesUnfit({ source, size, wanted }), { place: source });
  const most = Math.max(1, Math.min(rows > 0 ? rows : Infinity, Math.floor(MOST / 8 / size)));
  const taken = shuffled(pictures).slice(0, most);
  if (taken.length === 0) throw fault("DATA", noImages(source), { place: source });
  if (typeof labels === "number" && labels > 0) throw fault("DATA", imageLabels(source), { place: source });
  const classes = classesOf(pictures);
  if (labels === "folder" && classes.length < 2) throw fault("DATA", noClasses(source), { place: source });
  const numbers = normOf(norm, channels, type);
  const features = new Float64Array(taken.length * size);
  for (const [row, picture] of taken.entries()) {
    const x = await decodePicture(picture, () => picture.bytes(), (bytes) => decode(bytes, layout, numbers));
    features.set(divide === 1 ? x : x.map((value) => value / divide), row * size);
  }
  const numbered = labels === 0 || classes.length < 2 ? null : Float64Array.from(taken, (picture) => classes.indexOf(folderOf(picture)));
  const labelColumns = numbered === null ? 0 : 1;
  const part = taken.length < pictures.length ? ` (${taken.length} of ${pictures.length} images)` : "";
  return { features, labels: numbered, rows: taken.length, columns: size + labelColumns, labelColumns, names: null, source: source + part, pictures: true };
}

/** @param {Picture} picture @param {() => Uint8Array|Promise<Uint8Array>} read @param {(bytes: Uint8Array) => Float64Array} decode */
async function decodePicture({ name }, read, decode) {
  try {
    return decode(await read());
  } catch (error) {
    if (error instanceof EngineError && error.code === "DATA" && error.detail) throw fault("DATA", unreadableImage(name, error.detail), { place: name, cause: error });
    throw error;
  }
}
