// The toy network of the classroom: a few neurons a layer, changed by plain functions that give a new one.

/**
 * @typedef {{weights: number[][], bias: number[], activation: string}} Layer   weights (neurons, what they read)
 * @typedef {{inputs: number, layers: Layer[]}} Network   the last layer is the output
 * @typedef {{layer: number, neuron: number, from: number}} Weight   from 0; from: what is read, or as many as there are for the bias
 */

export const NEURONS = Object.freeze([2, 8]);
export const HIDDEN = Object.freeze([1, 3]);
export const INPUTS = Object.freeze([2, 3]);
export const ACTIVATIONS = Object.freeze(["tanh", "relu", "sigmoid", "square", "identity"]);
export const MOST = 3; // a weight, either way

/** @param {Network} net @returns {number[]} inputs, hidden layers, outputs */
export const widthsOf = (net) => [net.inputs, ...net.layers.map((layer) => layer.bias.length)];

/** Single precision holds what is drawn: two decimals. @param {number} value */
export const rounded = (value) => Math.round(Math.min(MOST, Math.max(-MOST, value)) * 100) / 100 || 0;

/** @param {Network} net @param {Weight} at */
export const weightAt = (net, { layer, neuron, from }) => net.layers[layer].weights[neuron][from] ?? net.layers[layer].bias[neuron];

/** @param {Network} net @param {number} index @param {(layer: Layer) => Layer} change @returns {Network} */
const withLayer = (net, index, change) => ({ ...net, layers: net.layers.map((layer, i) => (i === index ? change(layer) : layer)) });

/** @template T @param {readonly T[]} list @param {number} index @param {T} value */
const replaced = (list, index, value) => list.map((one, i) => (i === index ? value : one));

/** @param {Network} net @param {Weight} at @param {number} value */
export const withWeight = (net, { layer, neuron, from }, value) =>
  withLayer(net, layer, ({ weights, bias, activation }) =>
    from === weights[neuron].length
      ? { weights, bias: replaced(bias, neuron, value), activation }
      : { weights: replaced(weights, neuron, replaced(weights[neuron], from, value)), bias, activation },
  );

/** @param {Network} net @param {number} layer @param {string} activation */
export const withActivation = (net, layer, activation) => withLayer(net, layer, (one) => ({ ...one, activation }));

/** Numbers for new weights, the same each time. @param {number} a @param {number} b */
const fresh = (a, b) => rounded(Math.sin(2.3 * a + 3.7 * b + 1) * 1.2);

/** Takes on one neuron more, or lets the last go. @param {Network} net @param {number} layer a hidden one @param {number} width */
export function withWidth(net, layer, width) {
  const before = net.layers[layer].bias.length;
  if (layer + 1 >= net.layers.length || width < NEURONS[0] || width > NEURONS[1]) return net;
  const reads = widthsOf(net)[layer];
  const kept = Math.min(before, width);
  const more = Array.from({ length: width - kept }, (_, i) => kept + i);
  const grown = withLayer(net, layer, (one) => ({
    ...one,
    weights: [...one.weights.slice(0, kept), ...more.map((i) => Array.from({ length: reads }, (_, j) => fresh(i, j)))],
    bias: [...one.bias.slice(0, kept), ...more.map(() => 0)],
  }));
  return withLayer(grown, layer + 1, (one) => ({ ...one, weights: one.weights.map((row, k) => [...row.slice(0, kept), ...more.map((i) => fresh(k, i))]) }));
}

/** @param {Network} net @param {number} inputs */
export function withInputs(net, inputs) {
  const kept = Math.min(net.inputs, inputs);
  const change = (/** @type {Layer} */ layer) => ({
    ...layer,
    weights: layer.weights.map((row, k) => [...row.slice(0, kept), ...Array.from({ length: inputs - kept }, (_, j) => fresh(k, kept + j))]),
  });
  return { ...withLayer(net, 0, change), inputs };
}

/** A hidden layer more before the output, or the last one less. @param {Network} net @param {number} hidden @returns {Network} */
export function withHidden(net, hidden) {
  const now = net.layers.length - 1;
  if (hidden < HIDDEN[0] || hidden > HIDDEN[1] || hidden === now) return net;
  const output = net.layers[now];
  const reach = hidden > now ? 4 : widthsOf(net)[hidden];
  const layers = net.layers.slice(0, Math.min(hidden, now));
  if (hidden > now) layers.push({ weights: rows(4, widthsOf(net)[now]), bias: [0, 0, 0, 0], activation: net.layers[now - 1].activation });
  return { ...net, layers: [...layers, { ...output, weights: rows(output.bias.length, reach) }] };
}

/** @param {number} height @param {number} width */
const rows = (height, width) => Array.from({ length: height }, (_, i) => Array.from({ length: width }, (_, j) => fresh(i, j)));

/** Netlump JSON, which the core opens. @param {Network} net @returns {Uint8Array} */
export const bytesOf = ({ layers }) => new TextEncoder().encode(JSON.stringify({ format: "netlump", version: 1, layers }));

/** @param {Uint8Array} bytes netlump JSON @returns {Network} */
export function networkOf(bytes) {
  /** @type {{layers: {weights: number[][], bias?: number[], activation?: string|{name: string}}[]}} */
  const { layers } = JSON.parse(new TextDecoder().decode(bytes));
  return {
    inputs: layers[0].weights[0].length,
    layers: layers.map(({ weights, bias, activation = "identity" }) => ({
      weights,
      bias: bias ?? weights.map(() => 0),
      activation: typeof activation === "string" ? activation : activation.name,
    })),
  };
}

// ---- in an address ------------------------------------------------------------------------------------------------------

const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/;

/** Numbers with "_" between: nothing in it needs escaping. @param {number[]} numbers */
export const joined = (numbers) => numbers.map((value) => String(Number(value.toPrecision(8)))).join("_");

/** @param {string} text @returns {number[]|null} */
export function parted(text) {
  const parts = text.split("_");
  return parts.every((part) => NUMBER.test(part)) ? parts.map(Number) : null;
}

/** @param {Network} net @returns {{shape: string, activations: string, weights: string}} */
export const written = (net) => ({
  shape: widthsOf(net).join("-"),
  activations: net.layers.map((layer) => layer.activation).join("-"),
  weights: joined(net.layers.flatMap(({ weights, bias }) => [...weights.flat(), ...bias])),
});

/** @param {{shape: string|null, activations: string|null, weights: string|null}} parts @returns {Network|null} null where they do not fit together */
export function read({ shape, activations, weights }) {
  const widths = (shape ?? "").split("-").map(Number);
  const names = (activations ?? "").split("-");
  const numbers = parted(weights ?? "");
  const small = widths.length >= 3 && widths.length <= 6 && widths.every((n) => Number.isInteger(n) && n >= 1 && n <= 8);
  if (!small || !numbers || names.length !== widths.length - 1 || !names.every((name) => /^[a-z]+$/.test(name))) return null;
  const count = names.reduce((sum, _, l) => sum + (widths[l] + 1) * widths[l + 1], 0);
  if (numbers.length !== count) return null;
  let at = 0;
  const take = (/** @type {number} */ n) => numbers.slice(at, (at += n));
  return {
    inputs: widths[0],
    layers: names.map((activation, l) => ({ weights: Array.from({ length: widths[l + 1] }, () => take(widths[l])), bias: take(widths[l + 1]), activation })),
  };
}
