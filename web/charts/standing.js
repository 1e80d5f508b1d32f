// Where the neurons of a layer stand in the drawing of the network.

/** @typedef {{x: number, y: number, r: number}} Spot */

export const TOP = 28; // px above them
export const PITCH = 23; // px from neuron to neuron, at most
const MOST_BESIDE = 8; // columns of neurons for one layer
const SHARE = 0.56; // of a layer's room that its neurons take, the rest is the connections'
const LEAST = 3.4; // px; what is narrower becomes a bar

/**
 * Where the neurons of a layer stand: in as many columns as let them be largest, or in a bar each at its height where there are too
 * many.
 * @param {number} width of the layer
 * @param {{x: number, room: number, height: number}} place
 * @returns {{bar: number, spots: Spot[]}} bar: its width, 0 for dots; spots: by place
 */
export function standing(width, { x, room, height }) {
  const pitchOf = (/** @type {number} */ beside) => Math.min(PITCH, height / Math.ceil(width / beside), (SHARE * room) / beside);
  const choices = Array.from({ length: MOST_BESIDE }, (_, i) => i + 1);
  const beside = choices.reduce((best, one) => (pitchOf(one) > pitchOf(best) + 1e-9 ? one : best));
  const pitch = pitchOf(beside);
  const beneath = Math.ceil(width / beside);
  const r = 0.43 * pitch;
  const dots = pitch >= LEAST;
  return {
    bar: dots ? 0 : Math.min(26, Math.max(3, 0.4 * room)),
    spots: Array.from({ length: width }, (_, i) =>
      dots
        ? { x: x + (Math.floor(i / beneath) - (beside - 1) / 2) * pitch, y: TOP + height / 2 + ((i % beneath) - (beneath - 1) / 2) * pitch, r }
        : { x, y: TOP + ((i + 0.5) * height) / width, r: 0 },
    ),
  };
}

/** Of a number within a neuron, in px. @param {number} number @param {number} r */
export const sizeOf = (number, r) => Math.min(11, 1.2 * r, (2.7 * r) / String(number).length);
