// Small networks as other libraries write them.
import { jsonModel } from "./material.js";

export const encode = (/** @type {any} */ json) => new TextEncoder().encode(JSON.stringify(json));
export const decode = (/** @type {Uint8Array} */ bytes) => JSON.parse(new TextDecoder().decode(bytes));

/** @typedef {{weights: number[][], bias: number[], activation: string}} Layer */

/** The layers of a netlump JSON model. @param {number[]} widths @returns {Layer[]} */
export const layersOf = (widths) => decode(jsonModel(widths)).layers;

/** The same network as TensorFlow.js saves it, in shards of so many bytes. @param {Layer[]} layers @param {number} [shard] */
export function tensorFlowModel(layers, shard = 1e6) {
  const names = layers.map((_, i) => `dense_${i}`);
  const transposed = (/** @type {number[][]} */ m) => m[0].map((_, i) => m.map((row) => row[i]));
  const weights = layers.flatMap(({ weights: w, bias }, i) => [
    { name: `${names[i]}/kernel`, shape: [w[0].length, w.length], dtype: "float32" },
    { name: `${names[i]}/bias`, shape: [bias.length], dtype: "float32" },
  ]);
  const numbers = layers.flatMap(({ weights: w, bias }) => [...transposed(w).flat(), ...bias]);
  const data = new Uint8Array(Float32Array.from(numbers).buffer);
  const count = Math.ceil(data.length / shard);
  const paths = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
  const topology = layers.map(({ weights: w, activation }, i) => ({
    class_name: "Dense",
    config: { name: names[i], units: w.length, activation: activation === "identity" ? "linear" : activation, use_bias: true, ...(i === 0 && { batch_input_shape: [null, w[0].length] }) },
  }));
  const json = { format: "layers-model", generatedBy: "a test", modelTopology: { class_name: "Sequential", config: { name: "net", layers: topology } }, weightsManifest: [{ paths, weights }], userDefinedMetadata: { colour: "red" } };
  return { bytes: encode(json), files: new Map(paths.map((path, i) => [path, data.slice(i * shard, (i + 1) * shard)])) };
}

/** The same with tanh at its end too, as brain.js 1 or 2 writes it. @param {Layer[]} layers @param {1|2} version */
export function brainModel(layers, version) {
  const sizes = [layers[0].weights[0].length, ...layers.map(({ bias }) => bias.length)];
  const named = (/** @type {any[]} */ list) => Object.fromEntries(list.map((value, i) => [String(i), value]));
  const trainOpts = { iterations: 10, activation: "tanh" };
  return encode(
    version === 2
      ? { type: "NeuralNetwork", sizes, layers: [{ weights: [], biases: [] }, ...layers.map(({ weights, bias }) => ({ weights, biases: bias }))], inputLookup: null, outputLookup: null, options: { hiddenLayers: sizes.slice(1, -1) }, trainOpts }
      : { sizes, layers: [named(Array(sizes[0]).fill({})), ...layers.map(({ weights, bias }) => named(weights.map((w, o) => ({ bias: bias[o], weights: named(w) }))))], inputLookup: false, outputLookup: false, activation: "tanh", trainOpts },
  );
}
