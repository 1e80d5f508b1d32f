// Prepared networks, each with something to see. Their names and what they show stand in messages.js.

/**
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./lesson.js").Lesson} Lesson
 * @typedef {{net: Network, x: number[]} & Partial<Pick<Lesson, "method"|"encoding"|"symmetric"|"linkage"|"epsilon">>} Preset
 */

/** @param {number[][]} weights @param {number[]} bias @param {string} [activation] */
const layer = (weights, bias, activation = "identity") => ({ weights, bias, activation });

/** @type {Record<string, Preset>} */
export const PRESETS = {
  copies: {
    net: {
      inputs: 2,
      layers: [
        layer([[1, -0.5], [0.4, 0.9], [1, -0.5], [-0.7, 0.6], [0.4, 0.9]], [0.2, -0.1, 0.2, 0.3, -0.1], "tanh"),
        layer([[0.9, -0.6, 0.3, 0.5, 0.4]], [0.1]),
      ],
    },
    x: [1, -0.5],
    epsilon: 0,
  },
  near: {
    net: {
      inputs: 2,
      layers: [
        layer([[1, -0.5], [0.42, 0.9], [1.03, -0.52], [-0.7, 0.6], [0.4, 0.86], [0.98, -0.47]], [0.2, -0.1, 0.19, 0.3, -0.12, 0.22], "tanh"),
        layer([[0.9, -0.6, 0.3, 0.5, 0.4, -0.5]], [0.1]),
      ],
    },
    x: [1, -0.5],
    epsilon: 0.4,
  },
  chain: {
    net: { inputs: 2, layers: [layer([[1, 0.5], [1, 0.5], [1, 0.5], [1, 0.5]], [0, 0.1, 0.2, 0.3], "tanh"), layer([[1.2, -0.8, 0.6, -1.1]], [0])] },
    x: [0.5, 0.5],
    epsilon: 0.3,
    linkage: "erode",
  },
  deep: {
    net: {
      inputs: 2,
      layers: [
        layer([[0.9, -0.4], [0.9, -0.4], [-0.3, 1.1], [0.5, 0.6]], [0.1, 0.1, 0, -0.2], "tanh"),
        layer([[0.8, 0, 0.5, -0.3], [0, 0.8, 0.5, -0.3], [0.3, 0.5, 0.5, -0.3], [-0.6, 0.4, 0.2, 0.9]], [0, 0, 0, 0.2], "tanh"),
        layer([[0.7, -0.5, 0.9, 0.6]], [0]),
      ],
    },
    x: [1, 0.5],
    epsilon: 0,
  },
  signs: {
    net: {
      inputs: 2,
      layers: [layer([[1, -0.6], [-1, 0.6], [0.5, 0.8], [-0.5, -0.8]], [0.3, -0.3, -0.2, 0.2], "tanh"), layer([[0.8, 0.3, -0.5, 0.4]], [0.1])],
    },
    x: [1, 0.5],
    symmetric: true,
    epsilon: 0,
  },
  multiples: {
    net: {
      inputs: 2,
      layers: [layer([[1, -0.5], [2, -1], [0.5, -0.25], [-0.4, 0.8]], [0.4, 0.8, 0.2, 0.1], "relu"), layer([[0.6, -0.4, 0.8, 0.9]], [0])],
    },
    x: [1, 0.5],
    symmetric: true,
    epsilon: 0,
  },
  dead: {
    net: {
      inputs: 2,
      layers: [layer([[1, -0.5], [0, 0], [0.6, 0.8], [-0.7, 0.3]], [0.2, 0.7, -0.1, 0.3], "relu"), layer([[0.6, 0.9, -0.4, 0.8]], [0.1])],
    },
    x: [1, 0.5],
    symmetric: true,
    epsilon: 0,
  },
  combination: {
    net: { inputs: 2, layers: [layer([[1, 0], [0, 1], [1, 1], [1, -1]], [0, 0, 0, 0], "square"), layer([[0.5, -0.4, 0.3, 0.6]], [0.1])] },
    x: [1, 0.5],
    method: "projected",
    epsilon: 0.01,
  },
};
