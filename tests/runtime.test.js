// Models that ONNX Runtime runs: how rows fill inputs, how batches are made, what the core is handed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { compareMethods } from "../wasm/compare.js";
import { readTable, splitTable } from "../wasm/data.js";
import { EngineError } from "../wasm/fault.js";
import { createEngine } from "../wasm/index.js";
import { fill, guessedShape, levelsOf, shapedInputs } from "../wasm/inputs.js";
import { normalRows } from "../wasm/numbers.js";
import { finish } from "../wasm/pipeline.js";
import { Runner, rowsOf } from "../wasm/runner.js";
import { loadRuntime } from "../wasm/runtime.js";
import { scored } from "../wasm/score.js";
import { Graph } from "./graphs/onnx.js";
import { bytesOf, fixtureFile } from "./material.js";

/** @typedef {import("../wasm/types.js").ModelInfo} ModelInfo @typedef {import("../wasm/types.js").Port} Port */

/** @param {string} name @param {string} type @param {(number|null)[]} shape @param {number|null} [levels] @returns {Port} */
const port = (name, type, shape, levels = null) => ({ name, type, shape, levels });

/** What is asked of a model's description here. @param {Port[]} inputs @param {Port[]} outputs @param {string[]} [computed] */
const infoOf = (inputs, outputs = [], computed = outputs.map(({ name }) => name)) => /** @type {ModelInfo} */ (/** @type {unknown} */ ({ name: "net.onnx", inputs, outputs, computed }));

/** @param {Port[]} inputs @param {[string, number[]][]} [shapes] @param {Port[]} [outputs] */
const shaped = (inputs, shapes = [], outputs = []) => shapedInputs(infoOf(inputs, outputs), new Map(shapes));

/** The widths, the batch and the shapes for one row. @param {import("../wasm/inputs.js").Inputs} inputs */
const facts = ({ feeds, batch }) => ({ widths: feeds.map(({ width }) => width), batch, dims: feeds.map(({ dims }) => dims(batch ?? 1)) });

// ---- inputs ------------------------------------------------------------------------------------------------------------

test("an open first axis counts rows, a row fills the others", () => {
  assert.deepEqual(facts(shaped([port("x", "float32", [null, 3, 4, 5])])), { widths: [60], batch: null, dims: [[1, 3, 4, 5]] });
  assert.deepEqual(shaped([port("x", "float32", [null, 3, 4, 5])]).feeds[0].dims(7), [7, 3, 4, 5]);
});

test("several inputs share a row, one after the other", () => {
  const inputs = shaped([port("image", "float32", [null, 1, 2, 2]), port("side", "float64", [null, 3])]);
  assert.deepEqual(facts(inputs).widths, [4, 3]);
  const [image, side] = fill(inputs, Float64Array.of(0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16), 2);
  assert.deepEqual([[...new Float32Array(image.data.buffer)], image.dims], [[0, 1, 2, 3, 10, 11, 12, 13], [2, 1, 2, 2]]);
  assert.deepEqual([side.data, side.dims], [Float64Array.of(4, 5, 6, 14, 15, 16), [2, 3]]);
});

test("whole numbers whose range is known take part, others are zeros, masks are ones", () => {
  const inputs = shaped([port("ids", "int64", [null, 3], 100), port("attention_mask", "int64", [null, 3]), port("rate", "int64", []), port("train", "bool", [1])]);
  assert.deepEqual(facts(inputs), { widths: [3, 0, 0, 0], batch: null, dims: [[1, 3], [1, 3], [], [1]] });
  assert.deepEqual(levelsOf(inputs), Float64Array.of(100, 100, 100));
  const data = fill(inputs, Float64Array.of(5, 6, 99), 1).map((one) => one.data);
  assert.deepEqual(data, [BigInt64Array.of(5n, 6n, 99n), BigInt64Array.of(1n, 1n, 1n), BigInt64Array.of(0n), Uint8Array.of(0)]);
  assert.equal(levelsOf(shaped([port("x", "float32", [null, 3])])), null);
});

test("sizes that are left open must be given, and the error says how", () => {
  const image = port("x", "float32", [null, 3, null, null]);
  assert.throws(() => shaped([image]), { code: "ARGUMENT", place: "x", message: /“x” has the shape \(\?, 3, \?, \?\).*--shape x:1,3,224,224/ });
  assert.deepEqual(facts(shaped([image], [["x", [1, 3, 8, 6]]])), { widths: [144], batch: null, dims: [[1, 3, 8, 6]] });
  assert.deepEqual(facts(shaped([image], [["", [1, 3, 8, 6]]])).widths, [144], "without a name it is for every input it fits");
  assert.deepEqual(facts(shaped([image], [["x", [5, 3, 8, 6]]])).batch, 5, "more rows than one go together");
});

test("sizes that do not fit, and inputs that are not there, are refused", () => {
  const image = port("x", "float32", [null, 3, null, null]);
  assert.throws(() => shaped([image], [["x", [1, 4, 8, 8]]]), { code: "ARGUMENT", message: /\(\?, 3, \?, \?\); 1,4,8,8 does not fit/ });
  assert.throws(() => shaped([image], [["x", [1, 3, 8]]]), { code: "ARGUMENT" });
  assert.throws(() => shaped([image], [["y", [1, 3, 8, 8]]]), { code: "ARGUMENT", message: /no input “y”\. Inputs: x/ });
  assert.throws(() => shaped([image], [["", [1, 2]]]), { code: "ARGUMENT" });
  assert.throws(() => shaped([port("words", "string", [null])]), { code: "RUNTIME", message: /“words” takes string/ });
  assert.throws(() => shaped([port("flag", "bool", [null])]), { code: "UNSUPPORTED" });
});

test("one size without a name serves every input of a text model", () => {
  const inputs = ["input_ids", "attention_mask"].map((name, i) => port(name, "int64", [null, null], i === 0 ? 30 : null));
  assert.deepEqual(facts(shaped(inputs, [["", [1, 12]]])), { widths: [12, 0], batch: null, dims: [[1, 12], [1, 12]] });
});

test("a first axis that inputs and outputs agree on is a batch, one that they do not is part of the row", () => {
  const picture = port("x", "float32", [3, 8, 8]);
  assert.deepEqual(facts(shaped([picture], [], [port("y", "float32", [1, 10])])), { widths: [192], batch: 1, dims: [[3, 8, 8]] });
  assert.deepEqual(facts(shaped([port("x", "float32", [4, 8])], [], [port("y", "float32", [4, 2])])), { widths: [8], batch: 4, dims: [[4, 8]] });
  const cell = [port("x", "float32", [null, 64]), port("state", "float32", [2, 1, 5])];
  assert.deepEqual(facts(shaped(cell)), { widths: [64, 10], batch: 1, dims: [[1, 64], [2, 1, 5]] });
});

test("guessed sizes are those of pictures, texts and states", () => {
  const guess = (/** @type {string} */ type, /** @type {(number|null)[]} */ shape) => guessedShape(port("x", type, shape));
  assert.deepEqual(guess("float32", [null, 3, null, null]), [1, 3, 224, 224]);
  assert.deepEqual(guess("float32", [null, null, null, 3]), [1, 224, 224, 3]);
  assert.deepEqual(guess("float32", [null, 3, 48, null]), [1, 3, 48, 48]);
  assert.deepEqual(guess("int64", [null, null]), [1, 16]);
  assert.deepEqual(guess("float32", [2, null, 128]), [2, 1, 128]);
});

// ---- the runner --------------------------------------------------------------------------------------------------------

const runtime = await loadRuntime();

/** A runner over a model's bytes. @param {Uint8Array} onnx @param {ModelInfo} info @param {[string, number[]][]} [shapes] */
const runnerOf = (onnx, info, shapes = []) => new Runner(runtime, { info, onnx: () => onnx, runtimeFiles: new Map() }, shapedInputs(info, new Map(shapes)));

/** @param {Float64Array} rows @param {number} features @param {object} [of] */
const pathOf = (rows, features, of = {}) => ({ of, at: rowsOf(rows, features).at });

/** A core that asks for one run and keeps what it is handed. @param {{rows: number, original: string[], reduced: string[], calibrated?: boolean}} wants
 * @param {Uint8Array} [smaller] @param {Uint8Array} [calibrated] */
function fakeRun(wants, smaller, calibrated) {
  /** @type {{batches: number[], fed: {reduced: boolean, index: number, dims: number[], values: number[]}[], ended: number}} */
  const seen = { batches: [], fed: [], ended: 0 };
  const run = {
    describe: () => wants,
    model: (/** @type {boolean} */ reduced) => (reduced ? smaller : calibrated),
    feed: (/** @type {boolean} */ reduced, /** @type {number} */ index, /** @type {import("../wasm/runtime.js").Value} */ { dims, data }) =>
      void seen.fed.push({ reduced, index, dims: [...dims], values: [...data] }),
    advance: (/** @type {number} */ rows) => void seen.batches.push(rows),
    end: () => void (seen.ended += 1),
  };
  return { seen, run: /** @type {import("../wasm/runs.js").Run} */ (/** @type {unknown} */ (run)) };
}

const CNN = bytesOf(fixtureFile("cnn.onnx"));

/** A model of one linear layer whose batch is fixed inside by a Reshape. @param {boolean} merging rows into one longer row instead of failing */
function fixedInside(merging) {
  const graph = new Graph({ opset: 13 });
  const x = graph.input("x", "float32", ["N", 4]);
  const shape = graph.list(merging ? [1, -1] : [1, 4]);
  const flat = graph.node("Reshape", [x, shape], {}, { outputs: ["flat"] });
  graph.output(graph.node("Softmax", [flat], { axis: 1 }, { outputs: ["y"] }), "float32", ["N", 4]);
  return { onnx: graph.bytes(), info: infoOf([port("x", "float32", [null, 4])], [port("y", "float32", [null, 4])]) };
}

test("the core is handed inner values of every row once and in order, of both models", async () => {
  const graph = new Graph({ opset: 13 });
  const double = graph.node("Mul", [graph.input("x", "float32", ["N", 3]), graph.constant("float32", [1], [2])], {}, { outputs: ["double"] });
  graph.output(graph.node("Neg", [double], {}, { outputs: ["y"] }), "float32", ["N", 3]);
  const runner = runnerOf(graph.bytes(), infoOf([port("x", "float32", [null, 3])], [port("y", "float32", [null, 3])]));
  const rows = Float64Array.from({ length: 300 }, (_, i) => i);
  const { seen, run } = fakeRun({ rows: 100, original: ["double", "y"], reduced: ["double"] }, graph.bytes());
  await runner.serve(run, pathOf(rows, 3));
  assert.deepEqual(seen.batches, [64, 36]);
  const values = (/** @type {boolean} */ reduced, /** @type {number} */ index) => seen.fed.filter((one) => one.reduced === reduced && one.index === index).flatMap((one) => one.values);
  assert.deepEqual(values(false, 0), [...rows].map((x) => 2 * x));
  assert.deepEqual(values(false, 1), [...rows].map((x) => -2 * x));
  assert.deepEqual(values(true, 0), values(false, 0));
  assert.deepEqual(seen.fed[0].dims, [64, 3]);
  assert.ok(seen.ended > 0);
  await runner.release();
});

test("a calibrated original is run where the core says so, and one side may be left out", async () => {
  const [plain, doubled] = [1, 2].map((factor) => {
    const graph = new Graph({ opset: 13 });
    graph.output(graph.node("Mul", [graph.input("x", "float32", ["N", 3]), graph.constant("float32", [1], [factor])], {}, { outputs: ["y"] }), "float32", ["N", 3]);
    return graph.bytes();
  });
  const runner = runnerOf(plain, infoOf([port("x", "float32", [null, 3])], [port("y", "float32", [null, 3])]));
  const rows = Float64Array.of(1, 2, 3);
  const path = pathOf(rows, 3);
  const asked = { rows: 1, original: ["y"], reduced: [] };
  const given = async (/** @type {ReturnType<typeof fakeRun>} */ { run, seen }) => {
    await runner.serve(run, path);
    return seen.fed.map(({ reduced, values }) => [reduced, ...values]);
  };
  assert.deepEqual(await given(fakeRun({ ...asked, calibrated: true }, undefined, doubled)), [[false, 2, 4, 6]]);
  assert.deepEqual(await given(fakeRun(asked)), [[false, 1, 2, 3]]);
  assert.deepEqual(await given(fakeRun({ rows: 1, original: [], reduced: ["y"] }, doubled)), [[true, 2, 4, 6]]);
  await runner.release();
});

for (const merging of [false, true])
  test(`a batch that is fixed inside is found out, ${merging ? "although it runs" : "where it fails"}: rows go one by one`, async () => {
    const { onnx, info } = fixedInside(merging);
    const runner = runnerOf(onnx, info);
    const rows = normalRows(5, 4, 1);
    const { seen, run } = fakeRun({ rows: 5, original: ["flat"], reduced: [] });
    await runner.serve(run, pathOf(rows, 4));
    assert.deepEqual(seen.batches, [1, 1, 1, 1, 1]);
    assert.deepEqual(seen.fed.flatMap((one) => one.values), [...Float32Array.from(rows)]);
    await runner.release();
  });

test("a fixed batch is filled up, and only the rows asked for are handed over", async () => {
  const graph = new Graph({ opset: 13 });
  const x = graph.input("x", "float32", [4, 2]);
  graph.output(graph.node("Abs", [x], {}, { outputs: ["y"] }), "float32", [4, 2]);
  const runner = runnerOf(graph.bytes(), infoOf([port("x", "float32", [4, 2])], [port("y", "float32", [4, 2])]));
  const rows = normalRows(6, 2, 1);
  const { seen, run } = fakeRun({ rows: 6, original: ["y"], reduced: [] });
  await runner.serve(run, pathOf(rows, 2));
  assert.deepEqual([seen.batches, seen.fed.map((one) => one.dims)], [[4, 2], [[4, 2], [2, 2]]]);
  assert.deepEqual(seen.fed.flatMap((one) => one.values), [...Float32Array.from(rows.map(Math.abs))]);
  await runner.release();
});

test("the values wanted decide how many rows go together", async () => {
  const graph = new Graph({ opset: 13 });
  const x = graph.input("x", "float32", ["N", 2]);
  const wide = graph.node("Expand", [graph.node("Unsqueeze", [x, graph.list([2])]), graph.list([1, 1, 1_000_000])], {}, { outputs: ["wide"] });
  graph.output(graph.node("ReduceMean", [wide], { axes: [2], keepdims: 0 }, { outputs: ["y"] }), "float32", ["N", 2]);
  const runner = runnerOf(graph.bytes(), infoOf([port("x", "float32", [null, 2])], [port("y", "float32", [null, 2])]));
  const [narrow, broad] = [["y"], ["wide"]].map((original) => fakeRun({ rows: 16, original, reduced: [] }));
  const lengths = new Set();
  broad.run.feed = (_reduced, _index, { data }) => void lengths.add(data.byteLength);
  for (const { run } of [narrow, broad]) await runner.serve(run, pathOf(normalRows(16, 2, 1), 2));
  assert.deepEqual([narrow.seen.batches, broad.seen.batches], [[16], [8, 8]], "8 MB a row");
  assert.deepEqual([...lengths], [64e6]);
  await runner.release();
});

test("an output of the same size for any rows is no answer to them", async () => {
  const graph = new Graph({ opset: 13 });
  const x = graph.input("x", "float32", ["N", 2]);
  graph.output(graph.node("Abs", [x], {}, { outputs: ["y"] }), "float32", ["N", 2]);
  graph.output(graph.node("Cast", [graph.list([3])], { to: 1 }, { outputs: ["version"] }), "float32", [1]);
  const runner = runnerOf(graph.bytes(), infoOf([port("x", "float32", [null, 2])], [port("y", "float32", [null, 2]), port("version", "float32", [1])]));
  const rows = rowsOf(normalRows(6, 2, 1), 2);
  assert.deepEqual((await runner.outputs(null, rows)).map(({ name, width, values }) => [name, width, values.length]), [["y", 2, 12]]);
  assert.equal(await runner.results(rows), 2);
  await runner.release();
});

test("work that is stopped ends between batches, and the next one is not disturbed", async () => {
  const info = infoOf([port("input", "float32", [null, 1, 8, 8])], [port("output", "float32", [null, 3])]);
  const runner = runnerOf(CNN, info);
  const controller = new AbortController();
  const rows = rowsOf(normalRows(1000, 64, 1), 64);
  const { seen, run } = fakeRun({ rows: 1000, original: ["output"], reduced: [] });
  run.advance = () => controller.abort();
  await assert.rejects(runner.serve(run, { of: run, at: rows.at }, { signal: controller.signal }), { name: "AbortError" });
  assert.equal(seen.fed.length, 1);
  const [first, second] = await Promise.all([runner.outputs(null, rows), runner.outputs(null, rows, { wanted: (width) => width === 3 })]);
  assert.deepEqual(second, first);
  assert.deepEqual([first[0].name, first[0].width, first[0].values.length], ["output", 3, 3000]);
  assert.deepEqual(await runner.outputs(null, rows, { wanted: () => false }), []);
  await runner.release();
});

test("what the runtime refuses is said in a sentence", async () => {
  const info = infoOf([port("input", "float32", [null, 1, 8, 8])], [port("output", "float32", [null, 3])]);
  const broken = runnerOf(Uint8Array.of(1, 2, 3), info);
  await assert.rejects(broken.outputs(null, rowsOf(normalRows(2, 64, 1), 64)), { code: "RUNTIME", message: /does not run the original/ });
  const runner = runnerOf(CNN, info);
  await assert.rejects(runner.outputs({ onnx: Uint8Array.of(1, 2, 3), files: new Map() }, rowsOf(normalRows(2, 64, 1), 64)), { code: "RUNTIME", message: /not the smaller model/ });
  await runner.release();
  const graph = new Graph({ opset: 13 });
  const x = graph.input("x", "float32", ["N", 2]);
  graph.output(graph.node("Add", [x, graph.list([1])], {}, { outputs: ["y"] }), "float32", ["N", 2]);
  const mixed = runnerOf(graph.bytes(), infoOf([port("x", "float32", [null, 2])], [port("y", "float32", [null, 2])]));
  const message = /^ONNX Runtime does not run the original: (?!.*\.cc:\d)/;
  await assert.rejects(mixed.outputs(null, rowsOf(normalRows(2, 2, 1), 2)), { code: "RUNTIME", message });
});

// ---- the engine --------------------------------------------------------------------------------------------------------

const engine = await createEngine();
/** @param {string} name of a fixture @param {[string, number[]][]} [shapes] */
const open = (name, shapes = []) => engine.open(bytesOf(fixtureFile(name)), name, { shapes: new Map(shapes) });
/** @param {string} code */
const fault = (code) => (/** @type {unknown} */ error) => error instanceof EngineError && error.code === code;

/** Drawings in tenths, the last column the class. @param {number} features */
const drawings = (features) => readTable(bytesOf(fixtureFile("shapes.csv")), "shapes.csv", { labels: 1, features, divide: 10 });

test("a convolutional network shrinks, is checked on the measure's rows and scored on others", async () => {
  const model = open("shapes_cnn.onnx");
  assert.deepEqual([model.info.engine, model.outside, model.features, model.info.features], ["runtime", true, 144, 144]);
  const { measure, score, heldOut } = splitTable(await drawings(144), 0.5);
  /** @type {Set<string>} */
  const stages = new Set();
  const onProgress = (/** @type {import("../wasm/types.js").Progress} */ { stage, fraction, part = 0 }) => {
    stages.add(stage);
    assert.ok(fraction >= 0 && fraction <= 1 && part >= 0 && part <= 1, `${stage} ${fraction} ${part}`);
  };
  const path = await model.path({ data: measure, onProgress });
  const choice = path.choose({ kind: "retain", value: 0.4 });
  assert.ok(choice.retained <= 0.4);
  const result = await path.compress({ kind: "retain", value: 0.4 }, { polish: true, onProgress });
  const { report } = await finish(result, { data: measure, score, heldOut, onProgress });
  assert.deepEqual([report.engine, report.measure.source], ["runtime", "shapes.csv"]);
  assert.ok(report.polish && report.polish.after < report.polish.before, "the dense layers at its end");
  assert.deepEqual(report.sites.map(({ after }) => after), choice.widths);
  assert.ok(report.verified && "agrees" in report.verified && report.verified.agrees === true && report.verified.rows === 150, JSON.stringify(report.verified));
  assert.ok(report.score?.kind === "accuracy" && report.score.before > 0.95 && report.score.after > 0.9 && report.score.heldOut, JSON.stringify(report.score));
  assert.deepEqual([...stages].sort(), ["path", "polish", "refit", "runtime", "verify"]);
  report.sites.forEach(({ before, kept }, site) => {
    const { blocks } = result.lumping(site);
    assert.ok(blocks.length === before && kept.every((unit, block) => blocks[unit] === block), "channels have blocks as neurons do");
  });
  assert.throws(() => model.weights(0), fault("UNSUPPORTED"));
  model.free();
});

test("by norm, channels go alike whether the path has ordered them or not, and all of them kept need no run", async () => {
  const model = open("shapes_cnn.onnx");
  const data = await drawings(144);
  const [ordered, bare] = [await model.path({ data }), await model.path({ data, ordered: false })];
  assert.deepEqual(bare.info.sites, []);
  const [one, other] = await Promise.all([ordered, bare].map((path) => path.compress({ kind: "retain", value: 0.5 }, { method: "norm" })));
  assert.deepEqual([one.report, one.write()], [other.report, other.write()]);
  assert.ok(other.report.deviation > 0);
  /** @type {(string|undefined)[]} */
  const stages = [];
  const whole = await bare.compress({ kind: "retain", value: 1 }, { method: "norm", onProgress: ({ stage, part }) => stages.push(part === undefined ? stage : "run") });
  assert.deepEqual([whole.report.deviation, whole.report.largest, stages.includes("run")], [0, 0, false]);
  assert.deepEqual(whole.write(), bytesOf(fixtureFile("shapes_cnn.onnx")));
  const free = await model.path({ ordered: false });
  assert.ok(free.info.sites.length > 0, "without data its normalisations may have to be set");
  model.free();
});

test("the check notices when the file computes something else than what was measured", async () => {
  const model = open("shapes_cnn.onnx");
  const path = await model.path({ data: await drawings(144) });
  const [result, other] = [await path.compress({ kind: "retain", value: 0.5 }), await path.compress({ kind: "retain", value: 0.2 })];
  result.write = () => other.write("onnx");
  const { verified } = (await finish(result)).report;
  assert.ok(verified && "agrees" in verified && verified.agrees === false, JSON.stringify(verified));
  model.free();
});

test("outputs come through the same call from both engines, and those wanted alone", async () => {
  const model = open("cnn.onnx");
  const path = await model.path({ rows: 64 });
  const result = await path.compress({ kind: "epsilon", value: 0.3 });
  const x = path.draw(10);
  const [[before], [after]] = [await model.run(x), await result.run(x)];
  assert.deepEqual([before.name, before.width, before.values.length, after.values.length], ["output", 3, 30, 30]);
  assert.notDeepEqual(after.values, before.values);
  assert.deepEqual(await model.run(x, { wanted: (width) => width > 3 }), []);
  assert.throws(() => model.forward(x), fault("UNSUPPORTED"));
  model.free();
  const dense = open("wide.onnx");
  const rows = normalRows(4, 5, 1);
  assert.deepEqual(await dense.run(rows), [{ name: "output", width: 3, values: dense.forward(rows) }]);
  dense.free();
});

test("regression is scored by MSE with the share of variance explained, on the output that has the labels' width", async () => {
  const model = open("cnn.onnx");
  const path = await model.path({ rows: 64 });
  const result = await path.compress({ kind: "epsilon", value: 0.3 });
  const features = path.draw(50);
  const [{ values }] = await model.run(features);
  const table = { features, labels: values.map((y, i) => y + 0.01 * Math.sin(i)), rows: 50, columns: 67, labelColumns: 3, names: null, source: "t" };
  const { score } = (await finish(result, { score: table, verify: false })).report;
  assert.ok(score?.kind === "mse" && score.explained && score.before < score.after, JSON.stringify(score));
  assert.ok(score.explained.before > 0.9 && score.explained.before > score.explained.after);
  assert.equal(await scored(model, { ...table, labels: table.labels.subarray(0, 100), labelColumns: 2 }), null, "no output is as wide");
  model.free();
});

test("methods that want dense layers say so; curve and comparison leave them out", async () => {
  const model = open("shapes_cnn.onnx");
  const table = await drawings(144);
  const path = await model.path({ data: splitTable(table, 0.5).measure });
  await assert.rejects(path.compress({ kind: "retain", value: 0.5 }, { method: "wanda" }), fault("UNSUPPORTED"));
  /** @type {string[]} */
  const missing = [];
  const curve = await path.curve({ points: 4, methods: ["projected", "norm", "adjoint"], score: splitTable(table, 0.5).score, onMissing: (method) => missing.push(method) });
  assert.deepEqual([missing, [...new Set(curve.map(({ method }) => method))]], [["adjoint"], ["projected", "norm"]]);
  assert.ok(curve.every(({ score }) => score !== null) && Number(curve[0].score) > 0.9);
  const { entries, rows, score } = await compareMethods(path, { methods: ["projected", "norm", "magnitude"], shares: [0.5], polish: false, rows: splitTable(table, 0.5).score, heldOut: true });
  assert.deepEqual([rows.count, score?.kind, entries.map(({ missing: why }) => why === null)], [150, "accuracy", [true, true, false]]);
  assert.ok(Number(entries[0].deviation) < Number(entries[1].deviation));
  for (const call of [() => model.blocks(), () => model.ode()]) assert.throws(call, fault("UNSUPPORTED"));
  model.free();
});

test("open sizes are asked for when something is measured, and may be given later", async () => {
  const model = open("open_size.onnx");
  assert.equal(model.info.features, 0);
  await assert.rejects(model.path(), (/** @type {any} */ error) => error.code === "ARGUMENT" && /--shape /.test(error.message));
  const { name, shape } = model.info.inputs[0];
  const sized = (/** @type {number} */ side) => new Map([[name, shape.map((dim, axis) => dim ?? (axis === 0 ? 1 : side))]]);
  assert.throws(() => model.reshape(new Map([[name, [1, 2]]])), fault("ARGUMENT"));
  const channels = Number(shape[1]);
  assert.equal(model.reshape(sized(8)).features, channels * 64);
  const path = await model.path({ rows: 32 });
  assert.equal(model.reshape(sized(12)).features, channels * 144);
  assert.throws(() => path.choose({ kind: "epsilon", value: 0.1 }), /freed/);
  const again = await model.path({ rows: 32 });
  const { report } = await finish(await again.compress({ kind: "epsilon", value: 0.1 }));
  assert.ok(report.verified && "agrees" in report.verified && report.verified.agrees);
  model.free();
});

test("whole numbers are drawn as such, and ordering stopped halfway leaves the engine as it was", async () => {
  const model = open("tokens.onnx", [["", [1, 6]]]);
  const [{ levels }] = model.info.inputs;
  const controller = new AbortController();
  const onProgress = ({ part = 0 }) => part > 0 && controller.abort();
  await assert.rejects(model.path({ rows: 256, signal: controller.signal, onProgress }), { name: "AbortError" });
  const path = await model.path({ rows: 128 });
  assert.ok(path.rows(0, 128).every((id) => Number.isInteger(id) && id >= 0 && id < Number(levels)));
  const { report } = await finish(await path.compress({ kind: "epsilon", value: 0.1 }));
  assert.ok(report.retained < 1 && report.verified && "agrees" in report.verified && report.verified.agrees, JSON.stringify(report.verified));
  model.free();
});
