// A score as the target: the smallest network found that still reaches it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { readTable, splitTable } from "../wasm/data.js";
import { EngineError } from "../wasm/fault.js";
import { compress, createEngine } from "../wasm/index.js";
import { parseOptions } from "../wasm/options.js";
import { compressTo } from "../wasm/search.js";
import { bytesOf, sampleFile } from "./material.js";

const engine = await createEngine();
const fault = (/** @type {string} */ code, /** @type {RegExp} */ sentence) => (/** @type {unknown} */ error) => error instanceof EngineError && error.code === code && sentence.test(error.message);

/** A sample's path, measured on the first half of its rows, and the rows that score. @param {string} name @param {number} labels */
async function opened(name, labels) {
  const model = engine.open(bytesOf(sampleFile(`${name}.onnx`)), `${name}.onnx`);
  const table = await readTable(bytesOf(sampleFile(`${name}.csv`)), `${name}.csv`, { labels, features: model.info.features });
  const { measure, score } = splitTable(table, 0.5);
  return { model, path: await model.path({ data: measure }), score };
}

test("the network found reaches the accuracy, the size a little below does not, and the polish finds a smaller one", async () => {
  const { model, path, score } = await opened("digits", 1);
  const target = /** @type {const} */ ({ kind: "accuracy", value: 0.95 });
  const accuracyOf = async (/** @type {import("../wasm/engine.js").Result} */ result) => {
    const outputs = result.forward(score.features);
    const width = outputs.length / score.rows;
    return Array.from({ length: score.rows }, (_, row) => outputs.subarray(row * width, (row + 1) * width)).filter((scores, row) => scores.indexOf(Math.max(...scores)) === score.labels?.[row]).length / score.rows;
  };
  const rough = await compressTo(path, target, { score });
  assert.ok((await accuracyOf(rough)) >= 0.95 && rough.report.retained < 0.2, String(rough.report.retained));
  assert.deepEqual(rough.report.target, target);
  const below = await path.compress({ kind: "retain", value: 0.6 * rough.report.retained });
  assert.ok((await accuracyOf(below)) < 0.95, "nothing much smaller would have done");
  const polished = await compressTo(path, target, { score, polish: true });
  assert.ok((await accuracyOf(polished)) >= 0.95 && polished.report.retained < rough.report.retained);
  model.free();
});

test("a mean squared error is kept to, for pruning as for lumping", async () => {
  const { model, path, score } = await opened("ball", 2);
  for (const method of /** @type {const} */ (["projected", "wanda"])) {
    const result = await compressTo(path, { kind: "mse", value: 0.01 }, { score, method });
    const outputs = result.forward(score.features);
    const mse = outputs.reduce((sum, y, i) => sum + (y - /** @type {Float64Array} */ (score.labels)[i]) ** 2, 0) / outputs.length;
    assert.ok(mse <= 0.01 && result.report.retained < 1, `${method} ${mse}`);
  }
  model.free();
});

test("what cannot be searched for is said: no labels, labels of the other kind, more than the network has", async () => {
  const { model, path, score } = await opened("digits", 1);
  await assert.rejects(compressTo(path, { kind: "accuracy", value: 0.9 }), fault("ARGUMENT", /needs rows with labels/));
  await assert.rejects(compressTo(path, { kind: "mse", value: 1 }, { score }), fault("ARGUMENT", /labels are classes: ask for an accuracy/));
  await assert.rejects(compressTo(path, { kind: "accuracy", value: 0.999 }, { score }), fault("UNREACHABLE", /it has 97\.8 %\. Ask for that or less/));
  model.free();
});

test("a search stops where it is told to, and the path serves on", async () => {
  const { model, path, score } = await opened("digits", 1);
  const controller = new AbortController();
  let heard = 0;
  const onProgress = (/** @type {import("../wasm/types.js").Progress} */ { stage, fraction }) => {
    assert.ok(stage === "search" && fraction >= 0 && fraction <= 1);
    if (++heard === 5) controller.abort();
  };
  await assert.rejects(compressTo(path, { kind: "accuracy", value: 0.95 }, { score, signal: controller.signal, onProgress }), { name: "AbortError" });
  assert.ok((await path.compress({ kind: "retain", value: 0.5 })).report.retained <= 0.5);
  model.free();
});

test("programs and the command line ask for a score by the same words", async () => {
  const { report } = await compress(bytesOf(sampleFile("digits.onnx")), { name: "digits.onnx", minAccuracy: 0.95, data: bytesOf(sampleFile("digits.csv")), labels: 1, split: 0.5, polish: false, verify: false });
  assert.ok(report.score && report.score.after >= 0.95 && report.target.kind === "accuracy");
  const rows = ["--data", "r.csv", "--labels", "1"];
  assert.deepEqual(parseOptions(["m.onnx", "--min-accuracy", "95%", ...rows]).target, { kind: "accuracy", value: 0.95 });
  assert.deepEqual(parseOptions(["m.onnx", "--max-mse", "0.2", ...rows]).target, { kind: "mse", value: 0.2 });
  assert.throws(() => parseOptions(["m.onnx", "--min-accuracy", "95%"]), /--min-accuracy is about the rows of a file/);
  assert.throws(() => parseOptions(["m.onnx", "--min-accuracy", "95%", "--retain", "1%", ...rows]), /not several/);
  assert.throws(() => parseOptions(["m.onnx", "--min-accuracy", "95", ...rows]), /a share such as 97%/);
});
