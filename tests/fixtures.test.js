// The fixtures are what their README says: ONNX Runtime gives the outputs that stand beside them.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";

import ort from "onnxruntime-web";

const FOLDER = new URL("./fixtures/", import.meta.url);
const TOLERANCE = { float32: 1e-5, float64: 1e-8, float16: 5e-3 };

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

/** @param {string} text rows of numbers under a header @returns {number[][]} */
const parse = (text) => text.trim().split("\n").slice(1).map((line) => line.split(",").map(Number));

/** @param {string} type @param {number[]} values @param {readonly number[]} dims */
function tensorOf(type, values, dims) {
  if (type === "float64") return new ort.Tensor("float64", Float64Array.from(values), dims);
  if (type === "float16") return new ort.Tensor("float16", Uint16Array.from(values, halfBits), dims);
  return new ort.Tensor("float32", Float32Array.from(values), dims);
}

/** A double that a half holds exactly (the fixtures' rows are such) to its bits. @param {number} value */
function halfBits(value) {
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === 0) return sign;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const steps = Math.round(size / 2 ** (exponent - 10));
  return sign | (steps < 1024 ? steps : ((exponent + 15) << 10) + (steps - 1024));
}

/** @param {number} bits of a half */
function halfValue(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const steps = bits & 1023;
  return sign * (exponent === 0 ? steps * 2 ** -24 : (1024 + steps) * 2 ** (exponent - 25));
}

const files = await readdir(FOLDER);
for (const csv of files.filter((name) => name.endsWith(".csv") && files.includes(name.replace(/csv$/, "onnx")))) {
  const name = csv.replace(/\.csv$/, "");
  test(`fixture ${name} computes the outputs beside it`, async () => {
    const rows = parse(await readFile(new URL(csv, FOLDER), "utf8"));
    const session = await ort.InferenceSession.create(await readFile(new URL(`${name}.onnx`, FOLDER)));
    const facts = session.inputMetadata[0];
    assert.ok(facts.isTensor);
    const shape = facts.shape.slice(1).map(Number);
    const width = shape.reduce((product, size) => product * size, 1);
    const input = tensorOf(facts.type, rows.flatMap((row) => row.slice(0, width)), [rows.length, ...shape]);
    const output = (await session.run({ [session.inputNames[0]]: input })).output;
    const found = Array.from(/** @type {Iterable<number>} */ (output.data), (value) =>
      facts.type === "float16" && output.data instanceof Uint16Array ? halfValue(value) : Number(value));
    const wanted = rows.flatMap((row) => row.slice(width));
    const tolerance = TOLERANCE[/** @type {keyof typeof TOLERANCE} */ (facts.type)];
    assert.equal(found.length, wanted.length);
    wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= tolerance * (1 + Math.abs(value)), `${i}: ${found[i]}, ${value} expected`));
    await session.release();
  });
}

test("every bundled sample runs on its rows with the width samples.json says", async () => {
  const folder = new URL("../web/samples/", import.meta.url);
  const samples = JSON.parse(await readFile(new URL("samples.json", folder), "utf8"));
  assert.equal(samples.length, 3);
  for (const sample of samples) {
    const bytes = await readFile(new URL(sample.model, folder));
    assert.equal(bytes.length, sample.bytes, sample.id);
    const rows = parse(await readFile(new URL(sample.data, folder), "utf8"));
    const width = rows[0].length - sample.labels;
    const session = await ort.InferenceSession.create(bytes);
    const input = tensorOf("float32", rows.flatMap((row) => row.slice(0, width)), [rows.length, width]);
    const { output } = await session.run({ input });
    const labels = rows.map((row) => row.slice(width));
    const found = figure(Array.from(/** @type {Float32Array} */ (output.data)), labels);
    const stated = Number(/([\d.]+) ?%?\.$/.exec(sample.sentence)?.[1]);
    // stated for every test row, measured on those in the file
    assert.ok(Math.abs(found - stated) <= 0.1 * stated + 1e-4, `${sample.id}: ${found}, ${stated} stated`);
  }
});

/** Accuracy in percent for one label a row, else the mean squared error. @param {number[]} outputs @param {number[][]} labels */
function figure(outputs, labels) {
  const width = outputs.length / labels.length;
  const rows = labels.map((_, i) => outputs.slice(i * width, (i + 1) * width));
  if (labels[0].length === 1 && width > 1)
    return (100 * rows.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i][0]).length) / rows.length;
  const errors = rows.flatMap((row, i) => row.map((value, j) => (value - labels[i][j]) ** 2));
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}
