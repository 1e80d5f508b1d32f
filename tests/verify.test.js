// The check in ONNX Runtime, and the numbers it is made of.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Difference, difference } from "../wasm/difference.js";
import { compress, createEngine } from "../wasm/index.js";
import { isOpen } from "../wasm/inputs.js";
import { decode, encode, fromHalf, normalRows, toHalf } from "../wasm/numbers.js";
import { finish } from "../wasm/pipeline.js";
import { verify } from "../wasm/verify.js";
import { bytesOf, jsonModel, materialFile, materialFiles, needsMaterial, sampleFile, samples } from "./material.js";

/** @typedef {import("../wasm/types.js").Verified} Verified */

test("ONNX Runtime runs every smaller sample with the deviation the engine reports", async () => {
  for (const { model, data, labels } of samples) {
    const options = { retain: 0.4, polish: false, data: bytesOf(sampleFile(data)), labels, name: model };
    const { report } = await compress(bytesOf(sampleFile(model)), options);
    const verified = /** @type {Verified} */ (report.verified);
    assert.equal(verified.agrees, true, JSON.stringify(verified));
    assert.match(verified.runtime, /^ONNX Runtime Web 1\./);
    assert.ok(verified.rms > 0 && verified.rms <= verified.max && verified.rows > 0);
    // The rows are the measure's own or its first thousand, so the deviations are close to each other.
    assert.ok(Math.abs(verified.deviation - report.deviation) < 0.2 * report.deviation, `${verified.deviation} ${report.deviation}`);
    assert.equal(report.score?.kind, labels === 1 ? "accuracy" : "mse");
  }
});

test("the check notices when the runtime computes something else", async () => {
  const engine = await createEngine();
  const model = engine.open(bytesOf(sampleFile("ball.onnx")), "ball.onnx");
  const path = await model.path();
  const [result, other] = [await path.compress({ kind: "retain", value: 0.5 }), await path.compress({ kind: "retain", value: 0.2 })];
  result.write = () => other.write("onnx"); // the engine says one thing, the file another
  const verified = /** @type {Verified} */ (await verify(result, normalRows(64, 8, 1)));
  assert.equal(verified.agrees, false);
  model.free();
});

test("JSON models are checked too", async () => {
  const { report } = await compress(jsonModel([6, 30, 30, 2]), { retain: 0.5, polish: false, name: "net.json" });
  assert.equal(/** @type {Verified} */ (report.verified).agrees, true);
});

test("the check can be left out and be cancelled", async () => {
  const engine = await createEngine();
  const model = engine.open(bytesOf(sampleFile("ball.onnx")), "ball.onnx");
  const result = await (await model.path()).compress({ kind: "retain", value: 0.5 });
  assert.equal((await finish(result, { verify: false })).report.verified, null);
  await assert.rejects(verify(result, normalRows(64, 8, 1), { signal: AbortSignal.abort() }), { name: "AbortError" });
  model.free();
});

test("a smaller model the runtime refuses is said to be refused", async () => {
  const engine = await createEngine();
  const model = engine.open(bytesOf(sampleFile("ball.onnx")), "ball.onnx");
  const result = await (await model.path()).compress({ kind: "retain", value: 0.5 });
  result.write = () => Uint8Array.of(1, 2, 3);
  const verified = await verify(result, normalRows(64, 8, 1));
  assert.match(/** @type {{skipped: string}} */ (verified).skipped, /runs the original but not the smaller model/);
  model.free();
});

test("differences are measured over all outputs, the spread around each column's mean", () => {
  const f = Float64Array.of(1, 10, 3, 10);
  const g = Float64Array.of(1, 10, 3, 12);
  assert.deepEqual(difference(f, g, 2).figures, { rms: 1, max: 2, spread: Math.sqrt(2 / 4), scale: Math.sqrt((1 + 100 + 9 + 100) / 4) });
  assert.equal(difference(f, g, 2).deviation, 1 / Math.sqrt(1 / 2));
  assert.equal(difference(Float64Array.of(NaN, Infinity), Float64Array.of(NaN, Infinity), 2).figures.rms, 0);
  assert.equal(difference(Float64Array.of(1), Float64Array.of(NaN), 1).figures.max, Infinity);
  assert.equal(difference(f, g.subarray(1), 1).deviation, Infinity);
});

test("rows that come in batches, of several outputs, differ as they do at once", () => {
  const [f, g] = [normalRows(20, 3, 1).map((x) => 1000 + x), normalRows(20, 3, 2).map((x) => 1000 + x)];
  const [parts, whole] = [new Difference(), new Difference()];
  for (const [from, to] of [[0, 6], [6, 7], [7, 20]]) {
    parts.add("y", f.subarray(3 * from, 3 * to), g.subarray(3 * from, 3 * to), to - from);
    parts.add("z", g.subarray(3 * from, 3 * to), f.subarray(3 * from, 3 * to), to - from);
  }
  whole.add("y", f, g, 20);
  whole.add("z", g, f, 20);
  for (const [name, value] of Object.entries(whole.figures)) assert.ok(Math.abs(parts.figures[/** @type {keyof typeof parts.figures} */ (name)] - value) <= 1e-12 * value, name);
  const means = [0, 1, 2].map((k) => f.filter((_, i) => i % 3 === k).reduce((sum, x) => sum + x / 20, 0));
  const variance = f.reduce((sum, x, i) => sum + (x - means[i % 3]) ** 2, 0) / 60;
  assert.ok(Math.abs(difference(f, g, 20).figures.spread ** 2 - variance) < 1e-9 * variance);
});

test("half precision survives the way there and back, for all its 65,536 values", () => {
  for (let bits = 0; bits < 65536; bits += 1) {
    const value = fromHalf(bits);
    if (Number.isNaN(value)) assert.ok(Number.isNaN(fromHalf(toHalf(value))));
    else assert.equal(toHalf(value), bits, `${bits}`);
  }
  assert.deepEqual([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519.9, 65520, 2 ** -25, 1.1 * 2 ** -25].map(toHalf), [0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 1]);
  assert.deepEqual([...decode("float16", encode("float16", Float64Array.of(0.5, -2)))], [0.5, -2]);
});

test("random rows are seeded, standard normal", () => {
  const rows = normalRows(5000, 2, 7);
  assert.deepEqual(rows, normalRows(5000, 2, 7));
  assert.notDeepEqual(rows, normalRows(5000, 2, 8));
  const mean = rows.reduce((sum, x) => sum + x, 0) / rows.length;
  const variance = rows.reduce((sum, x) => sum + x * x, 0) / rows.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `${mean} ${variance}`);
});

test("where the engine stops before the output, its own values are checked and the output's deviation is reported", needsMaterial, async () => {
  const file = "mjx_go1_policy.onnx"; // ends in Split and Tanh after its last dense layer
  const { report } = await compress(bytesOf(materialFile(`models/${file}`)), { epsilon: 0.1, rows: 512, polish: false, name: file });
  const verified = /** @type {Verified} */ (report.verified);
  assert.equal(verified.agrees, true);
  assert.deepEqual([report.deviation, report.largest], [verified.deviation, verified.max]);
});

const SMALL = [1, 3, 48, 96]; // of images whose sizes a model leaves open

test("every third model of the material is compressed and runs with the reported deviation, or is left with reasons", needsMaterial, async (t) => {
  const engine = await createEngine();
  // All of them in tests/long/models.test.js.
  for (const file of materialFiles("models", /\.onnx$/).filter((_, i) => i % 3 === 0)) {
    await t.test(file, async () => {
      const weights = `${file}.data`;
      const files = new Map(materialFiles("models", /\.data$/).filter((name) => name === weights).map((name) => [name, bytesOf(materialFile(`models/${name}`))]));
      const model = engine.open(bytesOf(materialFile(`models/${file}`)), file, { files });
      const open = model.info.inputs.filter(isOpen);
      if (model.outside && open.length > 0) model.reshape(new Map(open.map((port) => [port.name, SMALL])));
      try {
        const path = await model.path({ rows: model.outside ? 64 : 512 });
        const result = await path.compress({ kind: "epsilon", value: 0.1 });
        const { report } = await finish(result);
        const verified = report.verified;
        assert.ok(verified);
        if ("skipped" in verified) assert.match(verified.skipped, /does not run the original/);
        else assert.equal(verified.agrees, verified.calibrated ? null : true, JSON.stringify(verified));
      } catch (error) {
        assert.ok(["NO_SITE", "NOTHING_AT"].includes(/** @type {any} */ (error).code), `${error}`);
        assert.ok(model.info.skipped.length > 0 || model.info.layers.length === 0, "reasons");
      } finally {
        model.free();
      }
    });
  }
});
