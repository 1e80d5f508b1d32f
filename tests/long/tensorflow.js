// TensorFlow.js as the tests use it: models with random weights, saved as people save them, run as people run them.
import { createRequire } from "node:module";

import { noise } from "../material.js";

/** @typedef {{name: string, bytes: Uint8Array, files: Map<string, Uint8Array>}} Saved   model.json and its shards */

/** The library, said once that it runs without its native backend. @returns {Promise<any>} */
export async function loadTensorFlow() {
  const { warn } = console;
  console.warn = () => {};
  try {
    const tf = createRequire(import.meta.url)("@tensorflow/tfjs");
    tf.env().set("IS_TEST", true); // it advertises another package otherwise
    await tf.setBackend("cpu");
    await tf.ready();
    return tf;
  } finally {
    console.warn = warn;
  }
}

/** Numbers that make every weight count: TensorFlow.js starts biases and statistics at 0 and 1. @param {any} tf @param {any} model */
export function randomise(tf, model) {
  const next = noise(7);
  for (const layer of model.layers) {
    const weights = layer.getWeights().map((/** @type {any} */ weight, /** @type {number} */ i) => {
      const positive = layer.getClassName() === "BatchNormalization" && i === layer.getWeights().length - 1;
      const size = weight.shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
      const fan = weight.shape.length > 1 ? size / weight.shape.at(-1) : 1;
      return tf.tensor(Float32Array.from({ length: size }, () => (positive ? 0.5 + Math.abs(next()) : (1.7 * next()) / Math.sqrt(fan))), weight.shape);
    });
    layer.setWeights(weights);
  }
  return model;
}

/** model.json and shards of so many bytes, as model.save writes them. @param {any} tf @param {any} model @param {number} [shard] @returns {Promise<Saved>} */
export async function save(tf, model, shard = 2 ** 22) {
  /** @type {any} */
  let artifacts;
  await model.save(tf.io.withSaveHandler(async (/** @type {any} */ saved) => ((artifacts = saved), { modelArtifactsInfo: {} })));
  const data = new Uint8Array(tf.io.concatenateArrayBuffers([artifacts.weightData].flat()));
  const count = Math.max(1, Math.ceil(data.length / shard));
  const names = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
  const { format, generatedBy, modelTopology, weightSpecs } = artifacts;
  const json = { format, generatedBy, convertedBy: null, modelTopology, weightsManifest: [{ paths: names, weights: weightSpecs }] };
  return {
    name: "model.json",
    bytes: new TextEncoder().encode(JSON.stringify(json)),
    files: new Map(names.map((name, i) => [name, data.slice(i * shard, (i + 1) * shard)])),
  };
}

/** @param {any} tf @param {Uint8Array} bytes of model.json @param {Map<string, any>} files @returns {Promise<any>} */
export function load(tf, bytes, files) {
  const { modelTopology, weightsManifest, format, generatedBy, convertedBy } = JSON.parse(new TextDecoder().decode(bytes));
  const parts = weightsManifest.flatMap((/** @type {any} */ group) => group.paths.map((/** @type {string} */ path) => files.get(path)));
  const weightSpecs = weightsManifest.flatMap((/** @type {any} */ group) => group.weights);
  const weightData = tf.io.concatenateArrayBuffers(parts.map((/** @type {Uint8Array} */ part) => part.slice().buffer));
  return tf.loadLayersModel(tf.io.fromMemory({ format, generatedBy, convertedBy, modelTopology, weightSpecs, weightData }));
}

/** Random inputs for a model, and what it says to them. @param {any} tf @param {any} model @param {number} [rows] */
export function answers(tf, model, rows = 5) {
  const next = noise(11);
  const inputs = model.inputs.map((/** @type {any} */ { shape }) => {
    const dims = shape.map((/** @type {number|null} */ size, /** @type {number} */ axis) => size ?? (axis === 0 ? rows : 9));
    const size = dims.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    return { dims, data: Float32Array.from({ length: size }, () => 2 * next()) };
  });
  return { inputs, outputs: run(tf, model, inputs) };
}

/** @param {any} tf @param {any} model @param {{dims: number[], data: Float32Array}[]} inputs @returns {{dims: number[], data: Float32Array}[]} */
export function run(tf, model, inputs) {
  const given = inputs.map(({ dims, data }) => tf.tensor(data, dims));
  const taken = [model.predict(given.length === 1 ? given[0] : given)].flat();
  return taken.map((/** @type {any} */ tensor) => ({ dims: tensor.shape, data: tensor.dataSync() }));
}
