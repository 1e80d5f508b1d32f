// Numbers that go wrong: in weights and in data. What comes out is right, or an error that says why; never a number that is none.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";

import { EngineError } from "../wasm/fault.js";
import { createEngine } from "../wasm/index.js";
import { bytesOf, noise, sampleFile } from "./material.js";

const engine = await createEngine();
const BALL = bytesOf(sampleFile("ball.onnx"));

/** The sample with some of its weights changed. @param {(values: Float32Array, tensor: number) => void} change */
function changed(change) {
  const model = fromBinary(ModelProtoSchema, BALL);
  model.graph?.initializer.forEach((tensor, i) => {
    const values = new Float32Array(tensor.rawData.slice().buffer);
    change(values, i);
    tensor.rawData = new Uint8Array(values.buffer);
  });
  return toBinary(ModelProtoSchema, model);
}

/** @param {number} rows @param {number} columns @param {(row: number, column: number) => number} at @returns {any} */
function tableOf(rows, columns, at) {
  const features = Float64Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
  return { features, labels: null, rows, columns, labelColumns: 0, names: null, source: "rows.csv" };
}

/** Whether every number in the value is one. @param {unknown} value @returns {boolean} */
const finite = (value) => (typeof value === "number" ? Number.isFinite(value) : value === null || typeof value !== "object" || Object.values(value).every(finite));

/** RMS of the difference over RMS about the mean; NaN where rounding is all there is to the latter. @param {Float64Array} f @param {Float64Array} g @param {number} results */
function deviation(f, g, results) {
  const rows = f.length / results;
  const means = Array.from({ length: results }, (_, k) => f.reduce((sum, y, i) => sum + (i % results === k ? y / rows : 0), 0));
  const spread = f.reduce((sum, y, i) => sum + (y - means[i % results]) ** 2, 0);
  const power = f.reduce((sum, y) => sum + y * y, 0);
  return spread > 1e-26 * power ? Math.sqrt(f.reduce((sum, y, i) => sum + (y - g[i]) ** 2, 0) / spread) : NaN;
}

/** What becomes of a model on rows: the error's code and sentence, or its deviation, checked against the written file.
 * @param {Uint8Array} bytes @param {any} data @param {boolean} [polish] */
async function outcome(bytes, data, polish = false) {
  let model;
  try {
    model = engine.open(bytes, "ball.onnx");
    const path = await model.path({ data, rows: 512 });
    assert.ok(finite(path.info), "the path is made of numbers");
    const result = await path.compress({ kind: "retain", value: 0.5 }, { polish });
    assert.ok(finite(result.report), "the report is made of numbers");
    const rows = data ? data.features : path.draw(200);
    const small = engine.open(result.write(), "small.onnx");
    const [before, after, written] = [model.forward(rows), result.forward(rows), small.forward(rows)];
    small.free();
    assert.ok(finite([...after]), "outputs are numbers");
    const size = Math.max(...before.map(Math.abs), Number.MIN_VALUE);
    assert.ok(after.every((y, i) => Math.abs(y - written[i]) <= 1e-4 * size), "the file computes what the result does");
    return { deviation: result.report.deviation, measured: deviation(before, after, model.info.results), retained: result.report.retained };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { code: error.code, message: error.message };
  } finally {
    model?.free();
  }
}

for (const [name, value] of /** @type {const} */ ([["NaN", NaN], ["infinite", Infinity]]))
  test(`a weight that is ${name} is named, with the tensor it is in`, async () => {
    const { code, message } = await outcome(changed((values, i) => i === 0 && (values[5] = value)), null);
    assert.equal(code, "NOT_FINITE");
    assert.match(message ?? "", /not finite|NaN|infinit/i);
  });

test("weights of 1e30 give numbers, or an error that says why", async () => {
  for (const scale of [1e30, 1e18, 1e38]) {
    const found = await outcome(changed((values, i) => i === 0 && values.forEach((w, k) => (values[k] = w * scale))), null, true);
    if (found.code) assert.match(found.message ?? "", /finite|large/, String(scale));
    else assert.ok((found.retained ?? 1) <= 0.5);
  }
});

test("denormal and vanishing weights are weights like others", async () => {
  for (const scale of [1e-40, 1e-30, 0]) {
    const found = await outcome(changed((values, i) => i === 0 && values.forEach((w, k) => (values[k] = w * scale))), null);
    assert.ok(found.code === undefined && (found.retained ?? 1) <= 0.5 && (found.deviation ?? 1) < 1e-3, JSON.stringify(found));
  }
});

test("one row, constant rows, equal rows, and columns that never move are measured on, or refused with the reason", async () => {
  const next = noise(3);
  const { features } = engine.open(BALL, "ball.onnx").info;
  const some = Array.from({ length: 400 * features }, next);
  const tables = {
    "one row": tableOf(1, features, (_, c) => some[c]),
    "two equal rows": tableOf(2, features, (_, c) => some[c]),
    "constant rows": tableOf(300, features, () => 0.5),
    zeros: tableOf(300, features, () => 0),
    "columns that never move": tableOf(300, features, (r, c) => (c < 2 ? some[r * features + c] : 1)),
    "equal columns": tableOf(300, features, (r) => some[r]),
    "every row ten times": tableOf(400, features, (r, c) => some[Math.floor(r / 10) * features + c]),
    "very large": tableOf(300, features, (r, c) => 1e200 * some[r * features + c]),
    "very small": tableOf(300, features, (r, c) => 1e-300 * some[r * features + c]),
  };
  for (const [name, data] of Object.entries(tables)) {
    const found = await outcome(BALL, data, true);
    if (found.code) assert.match(found.message ?? "", /vary|finite|row|large/i, `${name}: ${found.message}`);
    else {
      assert.ok((found.retained ?? 1) <= 0.5, name);
      if (Number.isFinite(found.measured)) assert.ok(Math.abs((found.measured ?? 0) - (found.deviation ?? 0)) <= 1e-4 + 1e-3 * (found.deviation ?? 0), `${name}: ${JSON.stringify(found)}`);
    }
  }
});

test("rows that are no numbers are refused", async () => {
  const { features } = engine.open(BALL, "ball.onnx").info;
  for (const wrong of [NaN, Infinity]) {
    const { code, message } = await outcome(BALL, tableOf(20, features, (r, c) => (r === 7 && c === 1 ? wrong : r + c)));
    assert.equal(code, "NOT_FINITE");
    assert.match(message ?? "", /data/);
  }
});
