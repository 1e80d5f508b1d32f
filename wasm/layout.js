// layout: whether and how a model's input reads pictures, and which files are pictures by their names.
import { fault } from "./fault.js";
import { noImageInput } from "./messages.js";

/**
 * @typedef {{name: string, type: string, shape: (number|null)[]}} Port
 * @typedef {{height: number, width: number, channels: number, last: boolean}} Layout   last: channels come last
 */

const ENDING = /\.(jpe?g|png|bmp|gif|tga)$/i;

/** Whether a file's name is a picture's, and it is not what a Mac leaves behind. @param {string} name */
export const isImage = (name) => ENDING.test(name) && !/(^|\/)(\._|__MACOSX\/)/.test(name);

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

const SMALLEST = 64; // pixels of a picture in a row of numbers; fewer are any numbers

/** Whether one picture alone is meant as a row for a model. @param {{inputs: Port[], features?: number, batch?: number|null}} info */
export function takesImages(info) {
  try {
    const { height, width } = layoutOf(info);
    return height * width >= SMALLEST;
  } catch {
    return false;
  }
}
