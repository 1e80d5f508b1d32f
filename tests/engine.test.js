// The engine: the core in WebAssembly behind its JavaScript API.
import assert from "node:assert/strict";
import { test } from "node:test";

import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";

import { difference } from "../wasm/difference.js";
import { METHODS, compare, compress, createEngine, inspect, readTable } from "../wasm/index.js";
import { EngineError } from "../wasm/fault.js";
import { PRUNING, wantsOrder } from "../wasm/methods.js";
import { chainModel } from "./bench/dense.js";
import { bytesOf, jsonModel, materialFile, materialFiles, needsMaterial, noise, sampleFile, samples } from "./material.js";

const engine = await createEngine();
const open = (/** @type {string} */ file) => engine.open(bytesOf(sampleFile(file)), file);
const equalBits = (/** @type {ArrayBufferView} */ a, /** @type {ArrayBufferView} */ b) =>
  Buffer.compare(Buffer.from(a.buffer, a.byteOffset, a.byteLength), Buffer.from(b.buffer, b.byteOffset, b.byteLength)) === 0;
const fault = (/** @type {string} */ code) => (/** @type {unknown} */ error) => error instanceof EngineError && error.code === code;

test("a model says what is inside", () => {
  const model = open("glycolysis.onnx");
  const { name, format, features, results, parameters, sites, layers, inputs } = model.info;
  assert.deepEqual([name, format, features, results, inputs.length], ["glycolysis.onnx", "onnx", 7, 7, 1]);
  assert.equal(parameters, 7 * 64 + 64 + 64 * 64 + 64 + 64 * 7 + 7);
  assert.deepEqual(sites.map((site) => site.width), [64, 64]);
  assert.equal(layers.filter((layer) => layer.site === null).every((layer) => layer.reason), true);
  model.free();
});

test("every sample becomes smaller, with a report that adds up", async () => {
  for (const { model: file, epsilon } of samples) {
    const { bytes, report } = await compress(bytesOf(sampleFile(file)), { name: file, epsilon, verify: false, polish: false });
    assert.ok(report.parameters.after < report.parameters.before, file);
    assert.ok(Math.abs(report.retained - report.parameters.after / report.parameters.before) < 1e-12);
    assert.deepEqual([report.bytes.before, report.bytes.after], [bytesOf(sampleFile(file)).length, bytes.length]);
    assert.deepEqual([report.method, report.target, report.measure.kind], ["projected", { kind: "epsilon", value: epsilon }, "normal"]);
    for (const { before, after, kept } of report.sites) assert.ok(kept.length === after && new Set(kept).size === after && after <= before);
    assert.ok(report.deviation > 0 && report.deviation < 1 && report.largest > 0);
    const again = engine.open(bytes, "small.onnx");
    assert.equal(again.info.parameters, report.parameters.after, "the file has the parameters the report promises");
    assert.equal(again.info.relumped, true);
    again.free();
  }
});

test("the written model computes what the result computes", async () => {
  const model = open("ball.onnx");
  const path = await model.path();
  const result = await path.compress({ kind: "retain", value: 0.3 });
  const rows = Float64Array.from({ length: 50 * model.info.features }, (_, i) => Math.sin(i));
  const small = engine.open(result.write(), "small.onnx");
  const [expected, found] = [result.forward(rows), small.forward(rows)];
  const scale = Math.max(...expected.map(Math.abs));
  expected.forEach((y, i) => assert.ok(Math.abs(y - found[i]) <= 1e-5 * scale, `${y} ${found[i]}`));
  model.free();
  small.free();
});

test("SIMD and scalar WebAssembly give the same bits for every sample", async () => {
  for (const { model: file, data, labels } of samples) {
    const options = { retain: 0.4, data: bytesOf(sampleFile(data)), labels, split: 0.5, verify: false, polish: false, name: file };
    const [simd, scalar] = await Promise.all(
      [false, true].map((flag) => compress(bytesOf(sampleFile(file)), { ...options, scalar: flag })),
    );
    assert.ok(equalBits(simd.bytes, scalar.bytes), file);
    assert.deepEqual(simd.report, scalar.report);
  }
});

test("the same seed gives the same bits, another seed another measure", async () => {
  const run = (/** @type {number} */ seed) => compress(bytesOf(sampleFile("ball.onnx")), { retain: 0.3, seed, verify: false, polish: false });
  const [one, again, other] = [await run(1), await run(1), await run(2)];
  assert.ok(equalBits(one.bytes, again.bytes));
  assert.notEqual(one.report.deviation, other.report.deviation);
});

test("retain never keeps more than the share asked for", async () => {
  const model = open("digits.onnx");
  const path = await model.path();
  for (const value of [0.9, 0.5, 0.2, 0.1]) {
    const choice = path.choose({ kind: "retain", value });
    const result = await path.compress({ kind: "retain", value });
    assert.ok(choice.retained <= value && result.report.retained <= value, `${value}`);
    assert.deepEqual(result.report.sites.map((site) => site.after), choice.widths);
    result.free();
  }
  model.free();
});

test("max-deviation stays within the deviation asked for", async () => {
  const model = open("glycolysis.onnx");
  const path = await model.path();
  const result = await path.compress({ kind: "deviation", value: 0.05 });
  assert.ok(result.report.deviation <= 0.05, `${result.report.deviation}`);
  assert.ok(result.report.retained < 1);
  model.free();
});

test("a draft is of the size asked for and says about what the result will", async () => {
  // The whole refit; the whole refit on some of the rows; least squares on few.
  for (const [widths, most] of /** @type {[number[], number][]} */ ([[[6, 24, 24, 3], 1.01], [[8, 64, 64, 1], 1.6], [[8, 96, 96, 2], 3]])) {
    const model = engine.open(chainModel(widths), "chain.onnx");
    const path = await model.path({});
    const target = /** @type {const} */ ({ kind: "retain", value: 0.4 });
    const [draft, result] = [await path.compress(target, { draft: true, polish: true }), await path.compress(target)];
    assert.deepEqual(draft.report.parameters, result.report.parameters);
    assert.equal(draft.report.polish, null);
    assert.ok(draft.report.deviation > 0.9 * result.report.deviation && draft.report.deviation < most * result.report.deviation, `${draft.report.deviation} for ${result.report.deviation}`);
    model.free();
  }
});

test("a draft of few rows keeps near to what the lumpings know of the whole measure", async () => {
  const model = engine.open(chainModel([64, 256, 256, 256, 10]), "chain.onnx");
  const path = await model.path({});
  const { deviation } = (await path.compress({ kind: "retain", value: 0.1 }, { draft: true })).report;
  assert.ok(deviation < 0.45, `${deviation}; least squares of those rows alone give 0.477, the whole refit 0.331`);
  model.free();
});

test("a larger tolerance never keeps more", async () => {
  const model = open("glycolysis.onnx");
  const path = await model.path();
  const sizes = [0, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1].map((value) => path.choose({ kind: "epsilon", value }).parameters);
  assert.deepEqual(sizes, [...sizes].sort((a, b) => b - a));
  assert.ok(sizes[0] > (sizes.at(-1) ?? 0));
  model.free();
});

test("a choice takes no time worth speaking of", async () => {
  const model = open("digits.onnx");
  const path = await model.path();
  const start = performance.now();
  for (let i = 1; i <= 200; i += 1) path.choose({ kind: "retain", value: 0.1 + i / 250 });
  assert.ok((performance.now() - start) / 200 < 5);
  model.free();
});

test("a curve goes from the whole model down, epsilon up, sizes down", async () => {
  const model = open("ball.onnx");
  const path = await model.path();
  /** @type {[string, number][]} */
  const progress = [];
  const curve = await path.curve({ points: 8, onProgress: ({ stage, fraction }) => progress.push([stage, fraction]) });
  assert.ok(curve.length >= 4);
  for (const [i, point] of curve.entries()) {
    assert.equal(point.method, "projected");
    assert.ok(i === 0 || (point.parameters < curve[i - 1].parameters && Number(point.epsilon) >= Number(curve[i - 1].epsilon)));
  }
  assert.ok(curve[0].deviation < (curve.at(-1)?.deviation ?? 0));
  assert.deepEqual(progress.at(-1), ["curve", 1]);
  assert.ok(progress.every(([, f], i) => i === 0 || f >= progress[i - 1][1]));
  model.free();
});

test("a curve with labels carries a score", async () => {
  const { model: file, data, labels } = samples.find(({ id }) => id === "digits") ?? samples[0];
  const model = open(file);
  const table = await readTable(bytesOf(sampleFile(data)), data, { labels, features: model.info.features });
  const path = await model.path({ data: table });
  const curve = await path.curve({ points: 3, score: table });
  assert.ok((curve[0].score ?? 0) > 0.9, "an accuracy");
  assert.deepEqual(path.info.measure, { kind: "data", rows: table.rows, source: data });
  model.free();
});

test("every method gives a model of the size asked for, with or without polish", async () => {
  const model = engine.open(jsonModel([4, 16, 12, 2]), "net.json");
  const path = await model.path({ rows: 300 });
  for (const method of METHODS) {
    const plain = await path.compress({ kind: "retain", value: 0.5 }, { method });
    const polished = await path.compress({ kind: "retain", value: 0.5 }, { method, polish: true, iterations: 30 });
    for (const { report } of [plain, polished]) assert.ok(report.method === method && report.retained <= 0.5, method);
    assert.equal(plain.report.polish, null);
    assert.ok((polished.report.polish?.iterations ?? 0) <= 30 && polished.report.deviation <= plain.report.deviation, method);
    assert.deepEqual(polished.report.sites, plain.report.sites, "the polish moves weights and nothing else");
    const zeros = (/** @type {Uint8Array} */ bytes) => engine.open(bytes, "small.json").info.parameters;
    if (PRUNING.includes(method)) assert.equal(zeros(polished.write()), zeros(plain.write()));
  }
  model.free();
});

test("a path that need not order its neurons gives the same networks, and orders them once a method wants that", async () => {
  const model = engine.open(jsonModel([4, 16, 12, 2]), "net.json");
  const ordered = await model.path({ rows: 300 });
  const bare = await model.path({ rows: 300, ordered: false });
  assert.deepEqual(bare.info, { ...ordered.info, sites: [] });
  for (const method of METHODS.toSorted((one, other) => Number(wantsOrder(one)) - Number(wantsOrder(other)))) {
    if (wantsOrder(method) && bare.info.sites.length === 0) assert.throws(() => bare.choose({ kind: "retain", value: 0.5 }), { code: "ARGUMENT" });
    const [one, other] = await Promise.all([ordered, bare].map((path) => path.compress({ kind: "retain", value: 0.5 }, { method })));
    assert.deepEqual([one.report, one.write()], [other.report, other.write()], method);
  }
  assert.deepEqual(bare.info, ordered.info);
  model.free();
});

test("each neuron says which one stands for it, and the weights of a layer are there to be drawn", async () => {
  const model = open("digits.onnx");
  const path = await model.path();
  for (const method of /** @type {const} */ (["projected", "adjoint"])) {
    const result = await path.compress({ kind: "retain", value: 0.3 }, { method });
    for (const [site, { before, kept, after }] of result.report.sites.entries()) {
      const lumping = result.lumping(site);
      assert.deepEqual([lumping.before, lumping.after, lumping.kept], [before, after, kept]);
      assert.equal(lumping.blocks.length, before);
      kept.forEach((unit, block) => assert.equal(lumping.blocks[unit], block));
      assert.ok(lumping.blocks.every((block) => block === null || (block >= 0 && block < after)));
      assert.equal(lumping.prolongation === null, before * after > 4096);
    }
    assert.throws(() => result.lumping(99), fault("ARGUMENT"));
  }
  const layers = model.info.layers.map((_, layer) => model.weights(layer));
  assert.deepEqual(layers.map(({ from }) => from), [null, 0, 1]);
  layers.forEach(({ width, reads, weights }, i) => assert.ok(width === model.info.layers[i].width && weights.length === width * reads && weights.some((w) => w !== 0)));
  assert.throws(() => model.weights(3), fault("ARGUMENT"));
  model.free();
});

test("the polish says what it does while it runs, can be stopped, and moves nothing at ε = 0", async () => {
  const model = engine.open(jsonModel([4, 16, 12, 2], { copies: 2 }), "net.json");
  const path = await model.path({ rows: 300 });
  /** @type {Set<string>} */
  const stages = new Set();
  const target = /** @type {const} */ ({ kind: "retain", value: 0.1 });
  await path.compress(target, { polish: true, iterations: 20, onProgress: ({ stage }) => stages.add(stage) });
  assert.deepEqual([...stages], ["refit", "polish"]);
  const controller = new AbortController();
  const onProgress = (/** @type {import("../wasm/types.js").Progress} */ { stage }) => stage === "polish" && controller.abort(new Error("enough"));
  await assert.rejects(path.compress(target, { polish: true, signal: controller.signal, onProgress }), /enough/);
  const exact = await path.compress({ kind: "epsilon", value: 0 }, { polish: true });
  assert.deepEqual([exact.report.polish, exact.report.sites.map((site) => site.after)], [null, [16, 12]]);
  model.free();
});

test("a curve of several methods goes through one after the other, and names those without a point", async () => {
  const model = engine.open(jsonModel([4, 16, 2]), "net.json");
  const path = await model.path({ rows: 300 });
  const curve = await path.curve({ points: 4, methods: ["projected", "magnitude"] });
  const methods = curve.map((point) => point.method);
  assert.deepEqual(methods, [...methods].sort().reverse(), "projected first, then magnitude");
  assert.ok(curve.filter((point) => point.method === "magnitude").every((point) => point.epsilon === null && !point.polished));
  await assert.rejects(path.curve({ methods: [/** @type {any} */ ("nope")] }), fault("ARGUMENT"));
  model.free();
});

test("a comparison is judged on rows of its own, and the program's door gives the same", async () => {
  const source = jsonModel([4, 16, 2]);
  const data = Array.from({ length: 200 }, (_, i) => Array.from({ length: 4 }, (_, k) => Math.sin(7 * i + 3 * k)));
  /** @type {number[]} */
  const fractions = [];
  const { rows, entries, score } = await compare(source, { data, shares: [0.5], methods: ["projected", "wanda"], polish: false, onProgress: ({ stage, fraction }) => stage === "compare" && fractions.push(fraction) });
  assert.deepEqual([rows, score, entries.map((one) => one.method)], [{ count: 100, source: "data", heldOut: true }, null, ["projected", "wanda"]]);
  assert.ok(Number(entries[0].deviation) < Number(entries[1].deviation));
  assert.ok(fractions.at(-1) === 1 && fractions.every((f, i) => i === 0 || f >= fractions[i - 1]));
  const model = engine.open(source, "net.json");
  const path = await model.path({ data: await readTable(new TextEncoder().encode(data.slice(0, 100).map(String).join("\n")), "half.csv", { features: 4 }) });
  const result = await path.compress({ kind: "retain", value: 0.5 });
  const judges = Float64Array.from(data.slice(100).flat());
  const [f, g] = [model.forward(judges), result.forward(judges)];
  assert.ok(Math.abs(difference(f, g, f.length / 2).deviation - Number(entries[0].deviation)) < 1e-9);
  await assert.rejects(compare(source, { shares: [0.001], methods: ["norm"] }), fault("UNREACHABLE"));
  model.free();
});

test("copied neurons disappear without a trace", async () => {
  for (const copies of [2, 3]) {
    const source = jsonModel([5, 12, 9, 2], { copies });
    const { bytes, report } = await compress(source, { epsilon: 1e-5, name: "copies.json", verify: false, polish: false });
    assert.deepEqual(report.sites.map((site) => site.after), [12, 9]);
    const rows = Float64Array.from({ length: 100 }, (_, i) => Math.cos(i));
    const [before, after] = [engine.open(source, "a.json"), engine.open(bytes, "b.json")];
    const [f, g] = [before.forward(rows), after.forward(rows)];
    const scale = Math.max(...f.map(Math.abs));
    f.forEach((y, i) => assert.ok(Math.abs(y - g[i]) < 1e-5 * scale));
    before.free();
    after.free();
  }
});

test("JSON comes back as JSON, or as ONNX when asked", async () => {
  const source = jsonModel([4, 20, 3]);
  const json = await compress(source, { retain: 0.6, name: "net.json", polish: false });
  const parsed = JSON.parse(new TextDecoder().decode(json.bytes));
  assert.deepEqual([parsed.format, parsed.layers[0].weights.length], ["netlump", json.report.sites[0].after]);
  assert.ok(json.report.verified && "agrees" in json.report.verified && json.report.verified.agrees);
  const onnx = await compress(source, { retain: 0.6, name: "net.json", format: "onnx", verify: false, polish: false });
  assert.equal((await inspect(onnx.bytes)).format, "onnx");
});

test("cancelling a long call rejects with the signal's reason and leaves the model usable", async () => {
  const model = open("digits.onnx");
  const steps = [];
  const controller = new AbortController();
  const reason = new Error("enough");
  const stop = (/** @type {import("../wasm/types.js").Progress} */ progress) => {
    steps.push(progress);
    controller.abort(reason);
  };
  await assert.rejects(model.path({ signal: controller.signal, onProgress: stop }), reason);
  assert.equal(steps.length, 1, "one step, then it heard");
  await assert.rejects(model.path({ signal: controller.signal }), reason);
  const path = await model.path();
  const other = new AbortController();
  await assert.rejects(path.compress({ kind: "retain", value: 0.5 }, { signal: other.signal, onProgress: () => other.abort(reason) }), reason);
  assert.ok((await path.compress({ kind: "retain", value: 0.5 })).report.retained <= 0.5);
  model.free();
});

test("long calls let the event loop run", async () => {
  const model = open("digits.onnx");
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  const path = await model.path();
  await path.compress({ kind: "retain", value: 0.3 });
  clearInterval(timer);
  assert.ok(turns > 1, `${turns} turns`);
  model.free();
});

test("freeing a model frees what was made from it, and says so when used", async () => {
  const model = open("ball.onnx");
  const path = await model.path();
  const result = await path.compress({ kind: "retain", value: 0.5 });
  model.free();
  model.free();
  assert.throws(() => path.choose({ kind: "epsilon", value: 0.1 }), fault("ARGUMENT"));
  assert.throws(() => result.write(), fault("ARGUMENT"));
});

test("no change of an output that is sampled in the box exceeds the certificate's bound", async () => {
  const model = open("ball.onnx");
  const data = await readTable(bytesOf(sampleFile("ball.csv")), "ball.csv", { labels: 2, features: 8 });
  const path = await model.path({ data });
  const result = await path.compress({ kind: "retain", value: 0.3 });
  const { low, high } = path.range();
  const written = result.write();
  const { bound, bounds, found, foundAt } = await model.certify(written, { low, high });
  assert.ok(bound !== null && Number.isFinite(bound));
  const small = engine.open(written, "small.onnx");
  /** The largest change of each output. @param {Float64Array} rows */
  const changes = (rows) => {
    const [before, after] = [model.forward(rows), small.forward(rows)];
    return bounds.map((_, o) => before.reduce((most, y, i) => (i % bounds.length === o ? Math.max(most, Math.abs(y - after[i])) : most), 0));
  };
  const next = noise(7);
  const inside = Float64Array.from({ length: 8 * 20_000 }, (_, i) => low[i % 8] + ((next() + 1) / 2) * (high[i % 8] - low[i % 8]));
  const corners = Float64Array.from({ length: 8 * 256 }, (_, i) => ((i >> 3) & (1 << (i % 8)) ? high : low)[i % 8]);
  for (const rows of [data.features, inside, corners, Float64Array.from(foundAt)])
    changes(rows).forEach((change, o) => assert.ok(change <= Number(bounds[o]), `output ${o}: ${change} > ${bounds[o]}`));
  const there = Math.max(...changes(Float64Array.from(foundAt)));
  assert.ok(Math.abs(there - found) <= 1e-9 * found, "the largest change found is a change, at the inputs named");
  assert.ok(found >= Math.max(...changes(data.features)) / 2 && found <= bound);
  small.free();
  model.free();
});

test("freeing a model ends its certificate, whose memory is gone then", async () => {
  const model = engine.open(jsonModel([4, 16, 2]), "tiny.json");
  const path = await model.path({ rows: 300 });
  const written = (await path.compress({ kind: "retain", value: 0.5 })).write();
  await assert.rejects(model.certify(written, { ...path.range(), onProgress: () => model.free() }), fault("ARGUMENT"));
  assert.equal(engine.dead, false);
});

test("opening and freeing again and again does not grow the memory", async () => {
  const own = await createEngine();
  const bytes = bytesOf(sampleFile("ball.onnx"));
  const round = async () => {
    const model = own.open(bytes, "ball.onnx");
    const path = await model.path({ rows: 256 });
    await path.compress({ kind: "retain", value: 0.3 });
    model.free();
  };
  for (let i = 0; i < 3; i += 1) await round();
  const before = own.memory;
  for (let i = 0; i < 30; i += 1) await round();
  assert.equal(own.memory, before);
});

test("errors carry a code, a sentence with the file's name, and never crash the engine", () => {
  const text = new TextEncoder();
  /** @type {[string, Uint8Array, string][]} */
  const cases = [
    ["empty.onnx", new Uint8Array(), "EMPTY"],
    ["cat.png", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0), "NOT_A_MODEL"],
    ["lfs.onnx", text.encode("version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12345\n"), "GIT_LFS"],
    ["net.json", text.encode('{"format": "netlump", "version": 1, "layers": [{"weights": [[1, 2], [3]]}]}'), "JSON"],
  ];
  for (const [name, bytes, code] of cases) {
    assert.throws(
      () => engine.open(bytes, name),
      (error) => fault(code)(error) && /** @type {Error} */ (error).message.length > 10,
      name,
    );
  }
  const cut = bytesOf(sampleFile("ball.onnx")).subarray(0, 20000);
  assert.throws(() => engine.open(cut, "cut.onnx"), (error) => error instanceof EngineError && error.status >= 20 && error.status < 40);
  assert.equal(engine.dead, false);
});

test("rows that do not fit, targets that make no sense and data that is not finite are refused", async () => {
  const model = open("ball.onnx");
  assert.throws(() => model.forward(new Float64Array(9)), fault("ARGUMENT"));
  const path = await model.path({ rows: 256 });
  for (const value of [NaN, -1]) assert.throws(() => path.choose({ kind: "epsilon", value }), fault("ARGUMENT"));
  assert.throws(() => path.choose({ kind: "retain", value: 1e-9 }), fault("UNREACHABLE"));
  const features = new Float64Array(16).fill(1);
  features[3] = Infinity;
  const data = { features, labels: null, rows: 2, columns: 8, labelColumns: 0, names: null, source: "x.csv" };
  await assert.rejects(model.path({ data }), (error) => fault("DATA")(error) || fault("NOT_FINITE")(error));
  model.free();
});

test("an engine that is nowhere says where it was sought", async () => {
  await assert.rejects(createEngine({ wasm: new URL("file:///nowhere/netlump.wasm") }), (/** @type {any} */ error) => fault("SETUP")(error) && /nowhere/.test(error.message));
  await assert.rejects(createEngine({ wasm: Uint8Array.of(0, 1, 2) }), fault("SETUP"));
});

test("external weights are asked for by name, and used", needsMaterial, () => {
  const bytes = bytesOf(materialFile("models/derived_abalone_external.onnx"));
  const weights = "derived_abalone_external.onnx.data";
  assert.throws(() => engine.open(bytes, "m.onnx"), (/** @type {any} */ error) => fault("EXTERNAL")(error) && error.place === weights);
  const model = engine.open(bytes, "m.onnx", { files: new Map([[weights, bytesOf(materialFile(`models/${weights}`))]]) });
  const plain = engine.open(bytesOf(materialFile("models/torch_abalone_relu_8-64-64-1_op13.onnx")), "plain.onnx");
  const rows = Float64Array.from({ length: 80 }, (_, i) => Math.sin(i));
  assert.deepEqual(model.forward(rows), plain.forward(rows));
  model.free();
  plain.free();
});

/** A file on a disk that is asked for pieces: how much was read of it, and how much of it there claims to be. */
class Asked extends Blob {
  /** @type {[number, number][]} */
  asked = [];
  /** @param {Uint8Array} bytes @param {number} [claimed] */
  constructor(bytes, claimed = bytes.length) {
    super([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]);
    Object.defineProperty(this, "size", { value: claimed });
  }
  /** @override @param {number} from @param {number} to */
  slice(from, to) {
    this.asked.push([from, to]);
    return super.slice(from, to);
  }
}

test("files are read piece by piece, weights only as far as the model needs them", needsMaterial, async () => {
  const bytes = bytesOf(materialFile("models/derived_abalone_external.onnx"));
  const weights = "derived_abalone_external.onnx.data";
  const data = bytesOf(materialFile(`models/${weights}`));
  const long = new Asked(Buffer.concat([data, new Uint8Array(1e6)]));
  const files = new Map([[weights, long]]);
  const model = await engine.load(new Blob([bytes]), "m.onnx", { files });
  assert.ok(long.asked.every(([, to]) => to <= data.length), "what nobody needs is left");
  const whole = engine.open(bytes, "m.onnx", { files: new Map([[weights, data]]) });
  const rows = Float64Array.from({ length: 80 }, (_, i) => Math.sin(i));
  assert.deepEqual(model.forward(rows), whole.forward(rows));
  assert.deepEqual([model.onnx(), whole.onnx()], [bytes, bytes]);
  assert.equal(model.info.bytes, bytes.length + long.size);
  const named = await engine.load(bytes, "m.onnx", { files: async (name) => (name === weights ? data : undefined) });
  assert.deepEqual(named.forward(rows), whole.forward(rows));
  for (const one of [model, whole, named]) one.free();
});

test("what is short, missing or cannot be read is said, and leaves the engine whole", needsMaterial, async () => {
  const bytes = bytesOf(materialFile("models/derived_abalone_external.onnx"));
  const weights = "derived_abalone_external.onnx.data";
  const data = bytesOf(materialFile(`models/${weights}`));
  const load = (/** @type {Blob|Uint8Array} */ file) => engine.load(new Blob([bytes]), "m.onnx", { files: new Map([[weights, file]]) });
  await assert.rejects(load(new Blob([data.subarray(0, 5000)])), fault("TRUNCATED"));
  await assert.rejects(load(new Asked(data.subarray(0, 5000), data.length)), (error) => fault("FILE")(error) && /became shorter/.test(String(error)));
  await assert.rejects(engine.load(new Blob([bytes]), "m.onnx"), fault("EXTERNAL"));
  await assert.rejects(engine.load(new Blob([bytes]), "m.onnx", { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.throws(() => engine.open(bytes, "m.onnx", { files: new Map([[weights, /** @type {any} */ (new Blob([data]))]]) }), fault("ARGUMENT"));
  assert.equal(engine.dead, false);
});

test("models that are too large for the memory are refused in numbers, before they are read", needsMaterial, async () => {
  const file = new Asked(new Uint8Array(), 2.5e9);
  const start = largeModel(3, 250e6);
  file.slice = (from = 0, to = 0) => {
    file.asked.push([from, to]);
    const bytes = new Uint8Array(to - from);
    if (from === 0) bytes.set(start);
    return new Blob([bytes]);
  };
  await assert.rejects(engine.load(file, "big.onnx"), (/** @type {any} */ error) => fault("LIMIT")(error) && /big\.onnx has 2\.5 GB, and one file of a model holds 2\.1 GB at most/.test(error.message));
  assert.ok(file.asked.reduce((sum, [from, to]) => sum + to - from, 0) <= 2 ** 17 + 2 ** 10, "only its ends, which tell whether it is a model at all");
  const weights = new Asked(new Uint8Array(), 4 * 750e6);
  await assert.rejects(engine.load(largeModel(3, 250e6), "big.onnx", { files: new Map([["w", weights]]) }), (/** @type {any} */ error) =>
    fault("LIMIT")(error) && /big\.onnx has 3\.0 GB with its weights.* takes 6\.3 GB of memory, and the engine has 4\.3 GB\. Nothing above 2\.0 GB can fit: save the weights as float16/.test(error.message));
  assert.deepEqual(weights.asked, []);
});

/** A model with so many tensors of `size` numbers each in the file w. @param {number} count @param {number} size */
function largeModel(count, size) {
  const entries = (/** @type {number} */ i) => Object.entries({ location: "w", offset: String(4 * size * i) });
  const initializer = Array.from({ length: count }, (_, i) => ({
    name: `w${i}`, dims: [BigInt(size)], dataType: 1, dataLocation: 1, externalData: entries(i).map(([key, value]) => ({ key, value })),
  })); // prettier-ignore
  const node = initializer.map(({ name }, i) => ({ opType: "Add", input: [`x${i}`, name], output: [`x${i + 1}`] }));
  const graph = { name: "g", node, initializer, input: [{ name: "x0" }], output: [{ name: `x${count}` }] };
  const model = { irVersion: 8n, opsetImport: [{ domain: "", version: 17n }], graph };
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, /** @type {any} */ (model)));
}

test("no broken file of the material crashes the engine", needsMaterial, async () => {
  for (const file of materialFiles("broken", /./)) {
    try {
      const model = engine.open(bytesOf(materialFile(`broken/${file}`)), file);
      const path = await model.path({ rows: 256 });
      (await path.compress({ kind: "epsilon", value: 0.05 })).write();
      model.free();
    } catch (error) {
      assert.ok(error instanceof EngineError, `${file}: ${error}`);
      assert.notEqual(error.code, "CRASHED", file);
      assert.ok(error.message.length > 10, file);
    }
    assert.equal(engine.dead, false, file);
  }
});

test("a box that is given is what the random inputs fill, those of the check included", async () => {
  const model = engine.open(jsonModel([3, 8, 2]), "box.json");
  const low = Float64Array.of(-2, 5, 0), high = Float64Array.of(-1, 9, 0);
  const path = await model.path({ low, high });
  assert.equal(path.info.measure.kind, "box");
  const range = path.range();
  for (const rows of [path.draw(200), Float64Array.from([...range.low, ...range.high])])
    rows.forEach((x, i) => assert.ok(x >= low[i % 3] && x <= high[i % 3], `${x} as input ${i % 3}`));
  assert.ok(range.low[1] < 5.05 && range.high[1] > 8.95, "the box is filled");
  await assert.rejects(model.path({ low }), { code: "ARGUMENT" });
  model.free();
});

test("a curve of several methods names each point's, leaves out what a model does not allow, and falls in size", async () => {
  const model = engine.open(jsonModel([4, 12, 10, 2]), "curve.json");
  const path = await model.path({ rows: 512 });
  const points = await path.curve({ points: 5, methods: ["projected", "adjoint", "wanda"] });
  for (const method of ["projected", "adjoint", "wanda"]) {
    const own = points.filter((point) => point.method === method);
    assert.ok(own.length >= 2, method);
    own.slice(1).forEach((point, i) => assert.ok(point.parameters < own[i].parameters));
  }
  model.free();
});
