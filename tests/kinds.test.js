// What a file is, by its content: models, rows and pictures under whatever name, and everything else named with a way out, in the
// page's words and the command line's alike.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, strToU8, zipSync } from "fflate";

import { createEngine } from "../wasm/engine.js";
import { kindOf, namesInZip } from "../wasm/kinds.js";
import { sortFiles } from "../web/files.js";
import { brainModel, layersOf, tensorFlowModel } from "./foreign.js";
import { GIF, JPEG, bmp, png, tga } from "./images.js";
import { bytesOf, fixtureFile, jsonModel, materialFile, materialFiles, needsMaterial, sampleFile, samples } from "./material.js";

const engine = await createEngine();
const PNG = png(4, 4, 1, (x) => x);
const NPY = Uint8Array.of(0x93, ...strToU8("NUMPY"), 1, 0);
const IDX = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 3);
const CSV = strToU8("a,b,kind\n1,2,yes\n3,4,no\n");
const kind = (/** @type {Uint8Array|Blob|string} */ bytes, name = "file") => kindOf({ name, bytes: typeof bytes === "string" ? strToU8(bytes) : bytes });

test("content tells what a file is, whatever its name says", async () => {
  for (const { model, data } of samples) {
    assert.equal(await kind(bytesOf(sampleFile(model)), "rows.csv"), "model", model);
    assert.equal(await kind(bytesOf(sampleFile(data)), "model.onnx"), "rows", data);
  }
  for (const json of [jsonModel([2, 3, 1]), brainModel(layersOf([2, 3, 1]), 2), tensorFlowModel(layersOf([2, 3, 1]), 99).bytes]) assert.equal(await kind(json, "a.png"), "model");
  for (const picture of [PNG, JPEG, GIF, bmp(2, 2, [1, 2, 3])]) assert.equal(await kind(picture, "digits.onnx"), "picture");
  assert.equal(await kind(tga(4, 4, 7), "one.tga"), "picture");
  for (const rows of [NPY, IDX, CSV, gzipSync(CSV), gzipSync(IDX), zipSync({ "x.npy": NPY }), zipSync({ "a/1.png": PNG })]) assert.equal(await kind(rows, "foo.bin"), "rows");
  for (const other of ["{}", "<html>", "[[1]]", "", "\x80\x04\x95"]) assert.equal(await kind(other, "foo.bin"), "other");
  assert.equal(await kind(gzipSync(bytesOf(sampleFile(samples[0].model)))), "other");
  assert.equal(await kind("Some words,\nand more of them.\n"), "text");
});

test("tables are told from text with commas, tabs, semicolons or spaces, with a header, words or a single column", async () => {
  for (const rows of ["1\n2\n3\n", "x\n1\n2\n", "1 2 3\n4 5 6\n", "a;b\n1;x\n2;y\n", "# made by numpy\n1\t2\n3\t4", "1,2", '"a","b"\n"1","2"\n', `${"0.5,".repeat(40000)}1\n`]) assert.equal(await kind(rows), "rows", JSON.stringify(rows.slice(0, 20)));
  for (const text of ["Dear reader,\nin 2020, I wrote this.\nThen, nothing, for years.\n", "key: value\nother: words\n"]) assert.equal(await kind(text), "text", text);
  assert.equal(await kind("name,city\nAnna,Rome\n", "people.csv"), "rows", "its reader says what is wrong with it");
});

test("of a large file only its ends are read", async () => {
  const size = 2 ** 33;
  let read = 0;
  const blob = /** @type {any} */ ({ size, slice: (/** @type {number} */ from, /** @type {number} */ to) => ((read += Math.min(to, size) - from), new Blob([new Uint8Array(Math.min(to, size) - from)])) });
  assert.equal(await kindOf({ name: "large.bin", bytes: blob }), "other");
  assert.ok(read < 2 ** 18, String(read));
});

test("a file too large to open is refused for what it is, not for its size", async () => {
  const size = 6e9;
  const head = (/** @type {string} */ bytes) => /** @type {any} */ ({ size, slice: (/** @type {number} */ from, /** @type {number} */ to) => new Blob([from === 0 ? strToU8(bytes.padEnd(to, "\0"), true) : new Uint8Array(to - from)]) });
  const file = (/** @type {string} */ bytes) => Object.setPrototypeOf(head(bytes), Blob.prototype);
  await assert.rejects(engine.load(file("GGUF"), "llama.onnx"), /llama\.onnx is a GGUF file/);
  await assert.rejects(engine.load(file("\x08\x07\x3a"), "huge.onnx"), { code: "LIMIT" });
});

test("archives are known by the names in them", async () => {
  const sentence = async (/** @type {Record<string, Uint8Array>} */ files) => {
    const bytes = zipSync(files);
    assert.equal(await kind(new Blob([bytes])), Object.keys(files).some((name) => /npy|png/.test(name)) ? "rows" : "other");
    assert.deepEqual(await namesInZip(new Blob([strToU8("before it"), bytes]), "x"), Object.keys(files));
    try {
      engine.open(bytes, "x.onnx");
    } catch (error) {
      return /** @type {Error} */ (error).message;
    }
    return "";
  };
  const big = new Uint8Array(9000).map((_, i) => (i * 7919) >> 3);
  assert.match(await sentence({ "m/data/0": big, "m/data.pkl": big }), /x\.onnx is a PyTorch checkpoint.*torch\.onnx\.export\.$/);
  assert.match(await sentence({ "m/data.pkl": big, "m/code/net.py": big, "m/constants.pkl": big }), /TorchScript/);
  assert.match(await sentence({ "config.json": big, "model.weights.h5": big }), /Keras/);
  assert.match(await sentence({ "xl/workbook.xml": big }), /Excel.*Save its rows as CSV/);
  assert.match(await sentence({ "net.onnx": big }), /Unpack it and open the \.onnx/);
  assert.match(await sentence({ "x.npy": NPY }), /Open it together with its model/);
  assert.match(await sentence({ "a.png": PNG }), /a zip of images/);
});

test("JSON of something else is named", () => {
  for (const [json, sentence] of /** @type {[object, RegExp][]} */ ([
    [{ version: "1.0", added_tokens: [], model: { vocab: {} } }, /a tokenizer/],
    [{ architectures: ["BertModel"], model_type: "bert" }, /configuration.*Export it to ONNX/],
    [{ metadata: {}, weight_map: {} }, /index of weights/],
    [{ name: "x", version: "1.0.0", dependencies: {} }, /JavaScript package/],
    [{ cells: [], metadata: {}, nbformat: 4 }, /notebook/],
    [{ netlump: "1.0", model: "m.onnx", measure: {}, retained: 0.5 }, /report of netlump's/],
    [{ some: "thing" }, /JSON, but of no network netlump knows/],
  ])) {
    const bytes = strToU8(JSON.stringify(json));
    assert.throws(() => engine.open(bytes, "a.json"), (/** @type {any} */ error) => sentence.test(error.message) && /\. [A-Z]|\. .*read/.test(error.message), String(sentence));
  }
});

test("where only a name tells, it is what is said", () => {
  const noise = Uint8Array.from({ length: 300 }, (_, i) => (i * 193 + 255) & 255);
  for (const [name, sentence] of /** @type {const} */ ([
    ["net.onnx.data", /looks like the weights of a model.*together with/],
    ["group1-shard2of3.bin", /looks like the weights/],
    ["net.mnn", /MNN/],
    ["net.engine", /TensorRT/],
    ["ckpt.data-00000-of-00001", /TensorFlow checkpoint/],
  ])) assert.throws(() => engine.open(noise, name), { code: "NOT_A_MODEL", message: sentence });
  assert.throws(() => engine.open(noise, "net.onnx"), /of a kind netlump does not know/);
});

test("every broken file of the material gets a sentence that names it or a part of it", needsMaterial, async () => {
  for (const file of materialFiles("broken", /./)) {
    const bytes = bytesOf(materialFile(`broken/${file}`));
    try {
      engine.open(bytes, file).free();
    } catch (error) {
      const { message, code } = /** @type {any} */ (error);
      assert.ok(message.length > 20 && /\.$/.test(message) && code !== "CRASHED", `${file}: ${message}`);
    }
  }
  const is = async (/** @type {string} */ path) => kind(bytesOf(materialFile(path)), "x");
  for (const file of materialFiles("models", /\.onnx$/)) assert.equal(await is(`models/${file}`), "model", file);
  for (const folder of ["data", "datasets"]) for (const file of materialFiles(folder, /\.(csv|txt)?(\.gz)?$/)) assert.equal(await is(`${folder}/${file}`), "rows", file);
});

// ---- several files -----------------------------------------------------------------------------------------------------

const MODEL = { name: "foo.bin", bytes: bytesOf(sampleFile(samples[0].model)) };
const rows = { name: "model.onnx", bytes: bytesOf(sampleFile(samples[0].data)) };
const weights = { name: "w.data", bytes: new Uint8Array(64).fill(0x91) };
const sorted = async (/** @type {{name: string, bytes: Uint8Array}[]} */ files, options = {}) => {
  const { model, models, data, others } = await sortFiles(files, options);
  return [model?.name ?? null, models.length, data?.name ?? null, others.map(({ name }) => name)];
};

test("files dropped together find their parts", async () => {
  assert.deepEqual(await sorted([rows, weights, MODEL]), ["foo.bin", 1, "model.onnx", ["w.data"]]);
  assert.deepEqual(await sorted([{ name: "a/.DS_Store", bytes: weights.bytes }, { name: "a/w.data", bytes: weights.bytes }, { ...MODEL, name: "a/net.onnx" }]), ["net.onnx", 1, null, ["w.data"]]);
  assert.deepEqual(await sorted([{ ...MODEL, name: "a/onnx/deep.onnx" }, { name: "a/config.json", bytes: strToU8("{}") }, { ...MODEL, name: "a/b.onnx" }, { name: "a/net.json", bytes: jsonModel([2, 2, 1]) }]).then((all) => all.slice(0, 3)), ["b.onnx", 3, null]);
  assert.deepEqual(await sorted([{ name: "notes.txt", bytes: strToU8("only words") }, rows]), [null, 0, "model.onnx", []]);
  assert.deepEqual((await sorted([{ name: "net.pt", bytes: zipSync({ "m/data.pkl": weights.bytes }) }, rows])).slice(0, 3), ["net.pt", 1, "model.onnx"], "what claims to be the model is opened, and named");
});

test("a picture is a row where there is a model for it or more of them, else what it is", async () => {
  const picture = { name: "digits.onnx", bytes: PNG };
  assert.deepEqual(await sorted([picture]), ["digits.onnx", 1, null, []]);
  assert.deepEqual(await sorted([picture], { fits: true }), [null, 0, "digits.onnx", []]);
  assert.deepEqual(await sorted([picture, MODEL]), ["foo.bin", 1, "digits.onnx", []]);
  const { data } = await sortFiles(["cats/1.png", "cats/2.png", "dogs/1.png"].map((name) => ({ name: `pets/${name}`, bytes: PNG })));
  assert.deepEqual([data?.name, data?.pictures?.length], ["pets", 3]);
});

test("of several tables the largest comes first, and a second may stand beside it", async () => {
  const small = { name: "y.csv", bytes: strToU8("1\n2\n") };
  const { data, tables } = await sortFiles([small, rows, MODEL]);
  assert.deepEqual([data?.name, data?.beside?.map(({ name }) => name), tables.length], ["model.onnx", ["y.csv"], 2]);
  assert.equal((await sortFiles([small, small, rows])).data?.beside, undefined);
});

test("a model knows whether it scales its inputs itself", needsMaterial, () => {
  const normalises = (/** @type {string} */ file) => {
    const model = engine.open(bytesOf(file), "m.onnx");
    const { info } = model;
    model.free();
    return info.normalises;
  };
  for (const name of ["skl2onnx_concrete_pipeline_scaler_MLPRegressor_tanh50-50", "mlagents_3DBall", "mjx_go1_policy"]) assert.equal(normalises(materialFile(`models/${name}.onnx`)), true, name);
  for (const name of ["torch_abalone_relu_8-64-64-1_op13", "torch_boston_silu_13-40-20-1_op14"]) assert.equal(normalises(materialFile(`models/${name}.onnx`)), false, name);
  assert.equal(normalises(fixtureFile("single_layer.onnx")), false);
});
