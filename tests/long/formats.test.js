// Models of other libraries against the libraries themselves: what our ONNX computes in ONNX Runtime is what the library computes, and
// what is written back computes in the library what the smaller ONNX computes.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as ort from "onnxruntime-web/wasm";

import { createEngine } from "../../wasm/index.js";
import { noise } from "../material.js";
import { needsPackages } from "./packages.js";
import { answers, load, loadTensorFlow, randomise, run, save } from "./tensorflow.js";

ort.env.wasm.numThreads = 1;
const engine = await createEngine();
const tf = needsPackages.skip ? null : await loadTensorFlow();
const L = tf?.layers;

/** @typedef {{dims: number[], data: Float32Array}} Value */

/** @param {Uint8Array} onnx @param {Value[]} inputs @returns {Promise<Value[]>} */
async function runOnnx(onnx, inputs) {
  const session = await ort.InferenceSession.create(onnx, { logSeverityLevel: 4 });
  const feeds = Object.fromEntries(session.inputNames.map((name, i) => [name, new ort.Tensor("float32", inputs[i].data, inputs[i].dims)]));
  const results = await session.run(feeds);
  const outputs = session.outputNames.map((name) => ({ dims: [...results[name].dims], data: /** @type {Float32Array} */ (results[name].data) }));
  await session.release();
  return outputs;
}

/** @param {Value[]} found @param {Value[]} expected @param {number} [tolerance] of the largest number */
function same(found, expected, tolerance = 2e-5) {
  assert.deepEqual(found.map(({ dims }) => dims), expected.map(({ dims }) => dims));
  expected.forEach(({ data }, k) => {
    const scale = Math.max(...data.map(Math.abs), 1e-3);
    const worst = data.reduce((most, y, i) => Math.max(most, Math.abs(y - found[k].data[i])), 0);
    assert.ok(worst <= tolerance * scale && found[k].data.every(Number.isFinite), `output ${k}: off by ${worst} of ${scale}`);
  });
}

/** The original, our ONNX of it, the smaller ONNX, and the smaller model in the library. Returns how much was kept.
 * @param {any} original @param {number} [shard] bytes */
async function goesThrough(original, shard) {
  const { name, bytes, files } = await save(tf, randomise(tf, original), shard);
  const { inputs, outputs } = answers(tf, original);
  const model = await engine.load(bytes, name, { files });
  assert.equal(model.info.format, "tfjs");
  same(await runOnnx(model.onnx(), inputs), outputs);
  if (model.info.sites.length === 0) return 1;
  model.reshape(new Map(model.info.inputs.map((port, i) => [port.name, [1, ...inputs[i].dims.slice(1)]])));
  const path = await model.path({ rows: 400 });
  const result = await path.compress({ kind: "retain", value: 0.7 });
  const written = result.write();
  const smaller = await load(tf, written, result.files());
  same(run(tf, smaller, inputs), await runOnnx(result.write("onnx"), inputs));
  const { before, after } = result.report.parameters;
  const others = before - original.countParams(); // constants TensorFlow.js has none for: relu6's bounds, a normalisation without scale
  assert.ok(smaller.countParams() <= after && smaller.countParams() >= after - others, `${smaller.countParams()} ${after}`);
  const again = await engine.load(written, name, { files: result.files() });
  assert.equal(again.info.parameters, result.report.parameters.after);
  same(await runOnnx(again.onnx(), inputs), run(tf, smaller, inputs));
  again.free();
  model.free();
  return result.report.retained;
}

const sequential = (/** @type {any[]} */ ...layers) => tf.sequential({ layers });

// ---- TensorFlow.js -----------------------------------------------------------------------------------------------------

test("a dense network shrinks and stays a TensorFlow.js model, its weights straddling shards", needsPackages, async () => {
  const model = sequential(L.dense({ inputShape: [6], units: 24, activation: "relu" }), L.dropout({ rate: 0.3 }), L.dense({ units: 16, activation: "tanh" }), L.dense({ units: 3, activation: "softmax" }));
  assert.ok((await goesThrough(model, 300)) <= 0.7);
});

test("a bias that lumping brings is added to a layer without one", needsPackages, async () => {
  const model = sequential(L.dense({ inputShape: [5], units: 20, activation: "sigmoid", useBias: false }), L.dense({ units: 12, activation: "sigmoid", useBias: false }), L.dense({ units: 2, useBias: false }));
  const { name, bytes, files } = await save(tf, randomise(tf, model));
  const opened = await engine.load(bytes, name, { files });
  const result = await (await opened.path({ rows: 400 })).compress({ kind: "retain", value: 0.6 });
  const smaller = await load(tf, result.write(), result.files());
  const { inputs } = answers(tf, model);
  same(run(tf, smaller, inputs), await runOnnx(result.write("onnx"), inputs));
  assert.ok(smaller.layers.some((/** @type {any} */ layer) => layer.useBias), "sigmoids need an offset");
  opened.free();
});

test("a residual network of dense layers goes through, two inputs and outputs too", needsPackages, async () => {
  const [a, b] = [tf.input({ shape: [4], name: "a" }), tf.input({ shape: [3], name: "b" })];
  const joined = L.concatenate().apply([a, b]);
  const first = L.dense({ units: 18, activation: "relu" }).apply(joined);
  const second = L.dense({ units: 18, activation: "relu" }).apply(first);
  const sum = L.add().apply([first, second]);
  const gate = L.dense({ units: 18, activation: "sigmoid" }).apply(sum);
  const gated = L.multiply().apply([sum, gate]);
  const outputs = [L.dense({ units: 2 }).apply(gated), L.dense({ units: 3, activation: "softmax" }).apply(gated)];
  await goesThrough(tf.model({ inputs: [a, b], outputs }));
});

test("a layer used twice is the same twice in ONNX; once its uses differ, TensorFlow.js cannot have it back", needsPackages, async () => {
  const input = tf.input({ shape: [6] });
  const shared = L.dense({ units: 6, activation: "tanh" });
  const twice = shared.apply(shared.apply(L.dense({ units: 6 }).apply(input)));
  const model = randomise(tf, tf.model({ inputs: input, outputs: L.dense({ units: 2 }).apply(twice) }));
  const { name, bytes, files } = await save(tf, model);
  const opened = await engine.load(bytes, name, { files });
  const { inputs, outputs } = answers(tf, model);
  same(await runOnnx(opened.onnx(), inputs), outputs);
  const result = await (await opened.path({ rows: 400 })).compress({ kind: "retain", value: 0.7 });
  assert.throws(() => result.write(), /used several times.*Choose ONNX/);
  opened.free();
});

const image = { inputShape: [12, 10, 3] };
/** @type {Record<string, () => any>} */
const CONVOLUTIONAL = {
  "convolutions, pooling, a dense head": () =>
    sequential(L.conv2d({ ...image, filters: 8, kernelSize: 3, activation: "relu", padding: "same" }), L.maxPooling2d({ poolSize: 2 }), L.conv2d({ filters: 12, kernelSize: [3, 2], strides: 2, useBias: false }), L.batchNormalization(), L.activation({ activation: "relu" }), L.flatten(), L.dense({ units: 16, activation: "relu" }), L.dense({ units: 4, activation: "softmax" })),
  "strides, dilation and padding that do not divide": () =>
    sequential(L.conv2d({ ...image, filters: 5, kernelSize: 4, strides: [3, 2], padding: "same", activation: "elu" }), L.zeroPadding2d({ padding: [[0, 1], [2, 0]] }), L.conv2d({ filters: 4, kernelSize: 2, dilationRate: 2, activation: "selu" }), L.averagePooling2d({ poolSize: [2, 3], strides: [1, 2], padding: "same" }), L.globalAveragePooling2d({ dataFormat: "channelsLast" }), L.dense({ units: 3 })),
  "depthwise and separable convolutions": () =>
    sequential(L.depthwiseConv2d({ ...image, kernelSize: 3, depthMultiplier: 2, activation: "relu6", padding: "same" }), L.separableConv2d({ filters: 7, kernelSize: 3, strides: 2, activation: "tanh" }), L.separableConv2d({ filters: 6, kernelSize: 2, useBias: false, padding: "same" }), L.globalMaxPooling2d({ dataFormat: "channelsLast" }), L.dense({ units: 3 })),
  "channels first": () =>
    sequential(L.conv2d({ inputShape: [3, 8, 9], dataFormat: "channelsFirst", filters: 6, kernelSize: 3, padding: "same", activation: "relu" }), L.depthwiseConv2d({ kernelSize: 2, dataFormat: "channelsFirst" }), L.maxPooling2d({ poolSize: 2, dataFormat: "channelsFirst", padding: "same" }), L.upSampling2d({ size: [2, 1], dataFormat: "channelsFirst" }), L.flatten({ dataFormat: "channelsFirst" }), L.dense({ units: 3 })),
  "sequences": () =>
    sequential(L.conv1d({ inputShape: [20, 4], filters: 8, kernelSize: 3, activation: "relu", padding: "same" }), L.maxPooling1d({ poolSize: 2 }), L.conv1d({ filters: 6, kernelSize: 4, strides: 2, useBias: false }), L.averagePooling1d({ poolSize: 2, padding: "same" }), L.globalAveragePooling1d(), L.dense({ units: 2 })),
  "upsampling, slopes for each channel, an image as output": () =>
    sequential(L.conv2d({ ...image, filters: 6, kernelSize: 3 }), L.prelu({ sharedAxes: [1, 2] }), L.upSampling2d({ size: [2, 3] }), L.conv2d({ filters: 4, kernelSize: 3, padding: "same" }), L.leakyReLU({ alpha: 0.1 }), L.prelu(), L.conv2d({ filters: 2, kernelSize: 1, activation: "sigmoid" })),
  "dense layers over pictures and sequences": () =>
    sequential(L.dense({ inputShape: [5, 6], units: 8, activation: "relu" }), L.dense({ units: 7 }), L.flatten(), L.dense({ units: 12 }), L.reshape({ targetShape: [2, -1, 3] }), L.conv2d({ filters: 4, kernelSize: [2, 1] }), L.globalAveragePooling2d({ dataFormat: "channelsLast" }), L.dense({ units: 2 })),
  "softmax and concatenation over channels": () => {
    const input = tf.input({ shape: [8, 8, 3] });
    const wide = L.conv2d({ filters: 20, kernelSize: 3, padding: "same", activation: "relu" }).apply(input);
    const left = L.conv2d({ filters: 5, kernelSize: 3, padding: "same", activation: "relu" }).apply(wide);
    const right = L.conv2d({ filters: 4, kernelSize: 1, activation: "softmax" }).apply(input);
    const joined = L.concatenate().apply([left, right, input]);
    const rows = L.concatenate({ axis: 1 }).apply([joined, L.conv2d({ filters: 12, kernelSize: 3 }).apply(L.zeroPadding2d().apply(joined))]);
    return tf.model({ inputs: input, outputs: [L.globalAveragePooling2d({ dataFormat: "channelsLast" }).apply(rows), L.softmax({ axis: -1 }).apply(joined)] });
  },
  "residual convolutions and a gate for each channel": () => {
    const input = tf.input({ shape: [9, 9, 3] });
    const stem = L.conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "relu" }).apply(input);
    const branch = L.batchNormalization({ scale: false }).apply(L.conv2d({ filters: 8, kernelSize: 3, padding: "same", useBias: false }).apply(stem));
    const sum = L.reLU({ maxValue: 6 }).apply(L.add().apply([stem, branch, L.dropout({ rate: 0.5 }).apply(stem)]));
    const squeeze = L.reshape({ targetShape: [1, 1, 8] }).apply(L.globalAveragePooling2d({ dataFormat: "channelsLast" }).apply(sum));
    const excite = L.dense({ units: 8, activation: "hardSigmoid" }).apply(L.dense({ units: 4, activation: "swish" }).apply(squeeze));
    const gated = L.multiply().apply([sum, excite]);
    const pooled = L.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }).apply(gated);
    return tf.model({ inputs: input, outputs: L.dense({ units: 3 }).apply(L.flatten().apply(pooled)) });
  },
  "open sizes": () => sequential(L.conv2d({ inputShape: [null, null, 2], filters: 6, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }), L.conv2d({ filters: 5, kernelSize: 3, padding: "same" }), L.globalMaxPooling2d({ dataFormat: "channelsLast" }), L.dense({ units: 3 })),
};

for (const [what, make] of Object.entries(CONVOLUTIONAL))
  test(`TensorFlow.js and our ONNX agree, whole and smaller: ${what}`, needsPackages, async () => {
    const retained = await goesThrough(make());
    assert.ok(retained <= 0.7, `${retained}`);
  });

test("every activation of TensorFlow.js means the same in ONNX", needsPackages, async () => {
  const names = ["linear", "relu", "relu6", "elu", "selu", "sigmoid", "hardSigmoid", "softplus", "softsign", "tanh", "softmax", "logSoftmax", "swish", "mish", "gelu"];
  for (const activation of names) {
    await goesThrough(sequential(L.dense({ inputShape: [4], units: 12, activation }), L.dense({ units: 3, activation })));
  }
  const layers = [L.reLU(), L.leakyReLU(), L.elu(), L.thresholdedReLU({ theta: 0.4 }), L.softmax(), L.prelu(), L.activation({ activation: "tanh" })];
  for (const layer of layers) await goesThrough(sequential(L.dense({ inputShape: [4], units: 12 }), layer, L.dense({ units: 3 })));
});

test("a normalisation over the first axis is over that axis", needsPackages, async () => {
  // not compared with predict(): TensorFlow.js' CPU backend takes the statistics along the last axis whatever is asked for
  const model = randomise(tf, sequential(L.batchNormalization({ inputShape: [3, 4, 5], axis: 1 })));
  const { name, bytes, files } = await save(tf, model);
  const opened = await engine.load(bytes, name, { files });
  const { inputs } = answers(tf, model);
  const [gamma, beta, mean, variance] = model.layers[0].getWeights().map((/** @type {any} */ weight) => weight.dataSync());
  const data = inputs[0].data.map((/** @type {number} */ x, /** @type {number} */ i) => {
    const c = Math.floor(i / 20) % 3;
    return (gamma[c] * (x - mean[c])) / Math.sqrt(variance[c] + 1e-3) + beta[c];
  });
  same(await runOnnx(opened.onnx(), inputs), [{ dims: inputs[0].dims, data }]);
  opened.free();
});

test("a depth multiplier of a separable convolution, which TensorFlow.js reads and does not write", needsPackages, async () => {
  const model = randomise(tf, sequential(L.separableConv2d({ ...image, name: "wide", filters: 4, kernelSize: 3, depthMultiplier: 3, activation: "tanh" })));
  const { name, bytes, files } = await save(tf, model);
  const text = new TextEncoder().encode(new TextDecoder().decode(bytes).replace('"name":"wide"', '"name":"wide","depth_multiplier":3'));
  const { inputs, outputs } = answers(tf, model);
  const opened = await engine.load(text, name, { files });
  same(await runOnnx(opened.onnx(), inputs), outputs);
  same(run(tf, await load(tf, text, files), inputs), outputs);
  opened.free();
});

test("quantized weights are read as TensorFlow.js reads them, and written back as float32", needsPackages, async () => {
  const model = randomise(tf, sequential(L.dense({ inputShape: [6], units: 20, activation: "relu" }), L.dense({ units: 10, activation: "relu" }), L.dense({ units: 3 })));
  const { name, bytes, files } = await save(tf, model);
  const json = JSON.parse(new TextDecoder().decode(bytes));
  const data = /** @type {Uint8Array} */ (files.get("group1-shard1of1.bin"));
  let at = 0;
  const stored = json.weightsManifest[0].weights.map((/** @type {any} */ entry, /** @type {number} */ i) => {
    const size = entry.shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    const values = new Float32Array(data.slice(at, (at += 4 * size)).buffer);
    const [min, max] = [Math.min(...values), Math.max(...values)];
    const kind = ["uint8", "uint16", "float16"][i % 3];
    if (kind === "float16") {
      entry.quantization = { dtype: kind };
      return new Uint8Array(Uint16Array.from(values, halfOf).buffer);
    }
    const Steps = kind === "uint8" ? Uint8Array : Uint16Array;
    const scale = (max - min) / (2 ** (8 * Steps.BYTES_PER_ELEMENT) - 1) || 1;
    entry.quantization = { dtype: kind, min, scale };
    return new Uint8Array(Steps.from(Array.from(values, (value) => Math.round((value - min) / scale))).buffer);
  });
  const text = new TextEncoder().encode(JSON.stringify(json));
  const quantized = new Map([["group1-shard1of1.bin", Uint8Array.from(stored.flatMap((/** @type {Uint8Array} */ part) => [...part]))]]);
  const { inputs } = answers(tf, model);
  const opened = await engine.load(text, name, { files: quantized });
  same(await runOnnx(opened.onnx(), inputs), run(tf, await load(tf, text, quantized), inputs));
  const result = await (await opened.path({ rows: 400 })).compress({ kind: "retain", value: 0.6 });
  const written = result.write();
  assert.doesNotMatch(new TextDecoder().decode(written), /quantization/);
  same(run(tf, await load(tf, written, result.files()), inputs), await runOnnx(result.write("onnx"), inputs));
  opened.free();
});

/** The bits of the nearest half-precision number; normal numbers only. @param {number} value */
function halfOf(value) {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  const exponent = ((bits >>> 23) & 255) - 112;
  return exponent <= 0 ? (bits >>> 16) & 0x8000 : ((bits >>> 16) & 0x8000) | ((exponent << 10) + ((bits & 0x7fffff) >>> 13));
}

// ---- brain.js ----------------------------------------------------------------------------------------------------------

/** brain.js 2 asks for a package it needs on graphics cards only. @param {string} name @returns {any} */
function loadBrain(name) {
  const require = createRequire(import.meta.url);
  const Module = /** @type {any} */ (require("node:module"));
  const original = Module._load;
  const gpu = { GPU: class {}, Kernel: class {}, Texture: class {}, alias: (/** @type {string} */ _, /** @type {any} */ f) => f, input: () => {}, utils: {} };
  Module._load = (/** @type {string} */ wanted, /** @type {any[]} */ ...rest) => (wanted === "gpu.js" ? gpu : original(wanted, ...rest));
  try {
    return require(name);
  } finally {
    Module._load = original;
  }
}

/** @param {any} brain @param {any} options @param {boolean} named whether inputs and outputs have names */
function trained(brain, options, named) {
  const next = noise(3);
  const rows = Array.from({ length: 20 }, () => {
    const [input, output] = [Array.from({ length: 5 }, next), Array.from({ length: 3 }, () => Math.abs(next()))];
    const name = (/** @type {number[]} */ list, /** @type {string[]} */ names) => Object.fromEntries(list.map((value, i) => [names[i], value]));
    return named ? { input: name(input, ["red", "10", "green", "2", "blue"]), output: name(output, ["yes", "no", "7"]) } : { input, output };
  });
  const net = new brain.NeuralNetwork({ hiddenLayers: [14, 10], ...options });
  net.train(rows, { iterations: 30, log: false, ...options });
  return { net, rows };
}

for (const version of ["brain.js", "brain.js2"])
  for (const activation of ["sigmoid", "relu", "leaky-relu", "tanh"])
    for (const named of [false, true])
      test(`${version}, ${activation}${named ? ", with names" : ""}: what it computes, we compute, smaller too`, needsPackages, async () => {
        const brain = loadBrain(version);
        const { net, rows } = trained(brain, { activation, leakyReluAlpha: 0.3 }, named);
        const bytes = new TextEncoder().encode(JSON.stringify(net.toJSON()));
        const original = new brain.NeuralNetwork().fromJSON(JSON.parse(new TextDecoder().decode(bytes)));
        const order = named && original.inputLookup ? Object.entries(original.inputLookup).sort(([, a], [, b]) => Number(a) - Number(b)).map(([key]) => key) : ["0", "1", "2", "3", "4"];
        const out = named ? Object.keys(original.outputLookup) : ["0", "1", "2"];
        const inputs = [{ dims: [rows.length, 5], data: Float32Array.from(rows.flatMap(({ input }) => order.map((key) => /** @type {any} */ (input)[key]))) }];
        const ask = (/** @type {any} */ network) => [{ dims: [rows.length, 3], data: Float32Array.from(rows.flatMap(({ input }) => { const y = network.run(input); return out.map((key) => y[key]); })) }]; // prettier-ignore
        const model = engine.open(bytes, "net.json");
        assert.equal(model.info.format, "brain");
        same(await runOnnx(model.onnx(), inputs), ask(original));
        const result = await (await model.path({ rows: 400 })).compress({ kind: "retain", value: 0.6 });
        assert.equal(result.files().size, 0);
        const written = JSON.parse(new TextDecoder().decode(result.write()));
        assert.deepEqual(written.sizes, [5, ...result.report.sites.map((site) => site.after), 3]);
        const smaller = new brain.NeuralNetwork().fromJSON(written);
        same(await runOnnx(result.write("onnx"), inputs), ask(smaller));
        model.free();
      });
