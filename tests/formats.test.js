// Formats of other libraries as far as they go without them; tests/long/formats.test.js runs the libraries themselves.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { unzipSync } from "fflate";

import { EngineError } from "../wasm/fault.js";
import { compress, createEngine, inspect } from "../wasm/index.js";
import { archive, endingOf, sortFiles } from "../web/files.js";
import { brainModel, decode, encode, layersOf, tensorFlowModel } from "./foreign.js";
import { bytesOf, jsonModel, materialFile, needsMaterial } from "./material.js";

const engine = await createEngine();
const rows = Float64Array.from({ length: 40 }, (_, i) => Math.sin(3 * i));
const near = (/** @type {Float64Array} */ a, /** @type {Float64Array} */ b, tolerance = 1e-5) =>
  a.forEach((y, i) => assert.ok(Math.abs(y - b[i]) <= tolerance, `${y} ${b[i]}`));

const WIDTHS = [4, 18, 12, 2];

test("a TensorFlow.js model opens once its shards are there, and computes what the same netlump JSON does", () => {
  const { bytes, files } = tensorFlowModel(layersOf(WIDTHS), 333);
  assert.ok(files.size > 2);
  const last = /** @type {string} */ ([...files.keys()].at(-1));
  const without = new Map([...files].filter(([name]) => name !== last));
  assert.throws(() => engine.open(bytes, "model.json", { files: without }), (/** @type {any} */ error) => {
    assert.deepEqual([error.code, error.place], ["EXTERNAL", last]);
    return /Drop both files together/.test(error.message);
  });
  const model = engine.open(bytes, "model.json", { files });
  const same = engine.open(jsonModel(WIDTHS), "net.json");
  near(model.forward(rows), same.forward(rows));
  const { format, producer, parameters, inputs, outputs, layers } = model.info;
  assert.deepEqual([format, producer, parameters], ["tfjs", "a test", same.info.parameters]);
  assert.deepEqual([inputs[0].name, outputs[0].name, layers.map(({ name }) => name)], ["dense_0_input", "dense_2", ["dense_0", "dense_1", "dense_2"]]);
  assert.equal(model.info.bytes, bytes.length + [...files.values()].reduce((sum, file) => sum + file.length, 0));
  model.free();
  same.free();
});

test("it comes back as one, with one weights file, or as ONNX or netlump JSON", async () => {
  const { bytes, files } = tensorFlowModel(layersOf(WIDTHS), 500);
  const small = await compress(bytes, { retain: 0.5, files, name: "model.json", polish: false });
  assert.deepEqual([...small.files.keys()], [`group1-shard1of${files.size}.bin`]);
  const json = decode(small.bytes);
  const widths = small.report.sites.map((site) => site.after);
  assert.deepEqual(json.modelTopology.config.layers.map((/** @type {any} */ layer) => layer.config.units), [...widths, 2]);
  assert.deepEqual([json.userDefinedMetadata, json.weightsManifest.length], [{ colour: "red" }, 1]);
  assert.ok(small.report.verified && "agrees" in small.report.verified && small.report.verified.agrees);
  const again = await inspect(small.bytes, { files: small.files });
  assert.deepEqual([again.format, again.parameters, again.bytes], ["tfjs", small.report.parameters.after, small.report.bytes.after]);
  for (const format of /** @type {const} */ (["onnx", "json"])) {
    const other = await compress(bytes, { retain: 0.5, files, format, verify: false, polish: false });
    assert.deepEqual([other.files.size, (await inspect(other.bytes)).format], [0, format]);
  }
  await assert.rejects(compress(bytes, { retain: 0.5, files, format: "brain", verify: false, polish: false }), /Choose ONNX instead/);
});

test("what is not made smaller keeps its bytes", async () => {
  const { bytes, files } = tensorFlowModel(layersOf([3, 5, 1]));
  const model = engine.open(bytes, "model.json", { files });
  const result = await (await model.path({ rows: 200 })).compress({ kind: "retain", value: 1 });
  assert.deepEqual([result.write(), [...result.files().values()]], [bytes, [...files.values()]]);
  model.free();
});

test("a worst case is proved for TensorFlow.js and brain.js models as for any other", async () => {
  const { bytes, files } = tensorFlowModel(layersOf([2, 6, 1]));
  for (const [text, more] of /** @type {[Uint8Array, {}][]} */ ([[bytes, { files }], [brainModel(layersOf([2, 6, 1]), 2), {}]])) {
    const { report } = await compress(text, { ...more, retain: 0.8, verify: false, polish: false, rows: 200, certify: true });
    assert.ok(report.certificate && "bound" in report.certificate && Number(report.certificate.bound) >= report.certificate.found);
  }
});

for (const version of /** @type {const} */ ([1, 2]))
  test(`brain.js ${version} is read, made smaller and written in its own form`, async () => {
    const layers = layersOf(WIDTHS);
    const source = brainModel(layers, version);
    const same = engine.open(encode({ format: "netlump", version: 1, layers: layers.map((layer) => ({ ...layer, activation: "tanh" })) }), "net.json");
    const model = engine.open(source, "brain.json");
    assert.equal(model.info.format, "brain");
    near(model.forward(rows), same.forward(rows));
    const result = await (await model.path({ rows: 400 })).compress({ kind: "retain", value: 0.5 });
    const json = decode(result.write());
    const widths = result.report.sites.map((site) => site.after);
    assert.deepEqual(json.sizes, [4, ...widths, 2]);
    assert.deepEqual(Object.keys(json), Object.keys(decode(source)), "nothing is lost or moved");
    if (version === 1) assert.deepEqual(json.layers.map(Object.keys), json.sizes.map((/** @type {number} */ size) => Object.keys([...Array(size)])));
    const again = engine.open(result.write(), "small.json");
    near(again.forward(rows), result.forward(rows));
    for (const one of [model, same, again]) one.free();
  });

test("models of libraries that are known but not read are named, with the way out", () => {
  /** @type {[any, RegExp][]} */
  const cases = [
    [{ format: "graph-model", modelTopology: { node: [] } }, /TensorFlow\.js graph model.*tf2onnx/],
    [{ type: "GRU", hiddenLayers: [], outputConnector: {} }, /recurrent brain\.js/],
    [{ type: "FeedForward", sizes: [1], layers: [{ type: "Input" }] }, /composed of layer objects/],
    [{ layers: [{ layer_type: "input", out_depth: 2 }] }, /ConvNetJS/],
    [{ neurons: [], connections: [] }, /Synaptic/],
    [{ model: "FNN", layers: [{ W: [] }] }, /ml-fnn/],
    [{ format: "layers-model", modelTopology: { class_name: "Sequential", config: { layers: [{ class_name: "GRU", config: { name: "memory" } }] } }, weightsManifest: [{ paths: ["w.bin"], weights: [] }] }, /“memory” is not supported: a layer of class GRU\. Convert the model to ONNX with tf2onnx/],
  ];
  for (const [json, sentence] of cases)
    assert.throws(() => engine.open(encode(json), "other.json"), (/** @type {any} */ error) => error instanceof EngineError && error.code === "UNSUPPORTED" && sentence.test(error.message));
});

test("the material's networks of other libraries open, or are refused by name", needsMaterial, async () => {
  const model = (/** @type {string} */ name) => bytesOf(materialFile(`models/${name}`));
  const files = new Map([["weights.bin", model("tfjs_layers_abalone_relu/weights.bin")]]);
  const sizes = [
    await inspect(model("tfjs_layers_abalone_relu/model.json"), { files }),
    await inspect(model("brainjs_iris_sigmoid.json")),
    await inspect(model("brainjs_kittydar_1176-20-1.json")),
  ].map(({ format, parameters }) => [format, parameters]);
  assert.deepEqual(sizes, [["tfjs", 1377], ["brain", 99], ["brain", 23561]]);
  for (const name of ["tfjs_graph_vscode_langdetect/model.json", "convnetjs_banknote.json", "synaptic_iris.json", "mlfnn_banknote.json"])
    await assert.rejects(inspect(model(name)), { code: "UNSUPPORTED" }, name);
  for (const [name, sentence] of /** @type {const} */ ([["pmml_nn-iris.pmml", /PMML/], ["nnet_fc_2-2-3.nnet", /NNet/], ["nnet_mnist10x10.nnet", /NNet/]]))
    await assert.rejects(inspect(model(name)), (/** @type {any} */ error) => error.code === "NOT_A_MODEL" && sentence.test(error.message), name);
});

// ---- command line and page ---------------------------------------------------------------------------------------------

const PROGRAM = fileURLToPath(new URL("../wasm/netlump.js", import.meta.url));
const room = mkdtempSync(join(tmpdir(), "netlump-formats-"));
after(() => rmSync(room, { recursive: true }));
const netlump = (/** @type {string[]} */ ...words) => spawnSync(process.execPath, [PROGRAM, ...words], { encoding: "utf8", cwd: room });

test("the command line finds shards beside model.json and writes the weights beside the smaller one, never over its own", () => {
  const { bytes, files } = tensorFlowModel(layersOf(WIDTHS), 700);
  writeFileSync(join(room, "model.json"), bytes);
  for (const [name, content] of files) writeFileSync(join(room, name), content);
  const words = ["model.json", "--retain", "50%", "--rows", "300", "--no-verify", "--no-polish", "-o"];
  const here = netlump(...words, "small.json");
  assert.deepEqual([here.status, existsSync(join(room, "small.json"))], [2, false]);
  assert.match(here.stderr, /holds weights of the model itself.*another folder/);
  const { status, stdout, stderr } = netlump(...words, "small/model.json");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /wrote small\/model\.json .*\nwrote small\/group1-shard1of\d\.bin/);
  assert.equal(readdirSync(join(room, "small")).length, 2);
  assert.equal(netlump("inspect", "small/model.json").status, 0);
  assert.equal(netlump(...words, "small.onnx").status, 0);
  assert.match(netlump("inspect", "small.onnx").stdout, /ONNX opset 13/);
  writeFileSync(join(room, "net.json"), brainModel(layersOf([4, 16, 2]), 1));
  assert.equal(netlump("net.json", ...words.slice(1), "smaller.json").status, 0);
  assert.match(netlump("inspect", "smaller.json").stdout, /brain\.js network/);
  assert.deepEqual(Object.keys(decode(new Uint8Array(readFileSync(join(room, "smaller.json")))).layers[0]), ["0", "1", "2", "3"]);
});

test("the page takes a model dropped with its shards, and hands out files that belong together as one archive", async () => {
  const { bytes, files } = tensorFlowModel(layersOf([4, 16, 2]), 200);
  const rows = { name: "rows.csv", bytes: new TextEncoder().encode("1,2,3,4\n5,6,7,8\n") };
  const shards = [...files].map(([name, content]) => ({ name, bytes: content }));
  const { model, data, others } = await sortFiles([...shards, rows, { name: "model.json", bytes }]);
  assert.deepEqual([model?.name, data?.name, others.map(({ name }) => name)], ["model.json", "rows.csv", [...files.keys()]]);
  const zip = unzipSync(await archive("model.json", Uint8Array.of(1, 2), new Map([["w.bin", new Blob([Uint8Array.of(3)])]])));
  assert.deepEqual(zip, { "model.json": Uint8Array.of(1, 2), "w.bin": Uint8Array.of(3) });
  assert.deepEqual((/** @type {const} */ (["onnx", "json", "tfjs", "brain"])).map(endingOf), ["onnx", "json", "json", "json"]);
});
