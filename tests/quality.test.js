// What stays of the accuracy at a given size, one-shot: test MSE over the original's on the second half of the rows, the
// first half (without its labels) or nothing at all being the measure. And what must vanish at a tolerance of rounding.
import assert from "node:assert/strict";
import { test } from "node:test";

import { compress, createEngine, readTable } from "../wasm/index.js";
import { bytesOf, materialFile, needsMaterial } from "./material.js";

/** @type {[string, string, number, "data"|"free", number][]} model, rows, retained share, measure, largest factor */
const FIGURES = [
  ["torch_abalone_tanh_8-64-64-1_op11", "abalone", 0.055, "data", 1.0],
  ["torch_abalone_tanh_8-64-64-1_op11", "abalone", 0.1, "free", 1.02],
  ["torch_abalone_relu_8-256-256-1_op17", "abalone", 0.013, "data", 1.03],
  ["torch_hepc_tanh_7-64-64-1_op15", "hepc", 0.21, "data", 1.015],
  ["torch_protein_relu_9-128-128-1_op13", "protein", 0.57, "data", 1.015],
  ["torch_metro_relu_14-64-32-1_op12", "metro", 0.75, "data", 1.03],
];

/** @param {Uint8Array} bytes @param {import("../wasm/types.js").Table} table rows with one label */
async function meanSquaredError(bytes, table) {
  const engine = await createEngine();
  const model = engine.open(bytes, "model.onnx");
  const labels = /** @type {Float64Array} */ (table.labels);
  const error = model.forward(table.features).reduce((sum, y, i) => sum + (y - labels[i]) ** 2, 0) / table.rows;
  model.free();
  return error;
}

/** @param {import("../wasm/types.js").Table} table @param {number} from @param {number} to */
function slice(table, from, to) {
  const labels = /** @type {Float64Array} */ (table.labels);
  const width = table.features.length / table.rows;
  return { ...table, features: table.features.slice(from * width, to * width), labels: labels.slice(from, to), rows: to - from };
}

for (const [name, rows, retain, measure, most] of FIGURES)
  test(`${name} at ${Math.round(retain * 1000) / 10} %, ${measure}: test MSE at most ${most} times the original's`, needsMaterial, async () => {
    const model = bytesOf(materialFile(`models/${name}.onnx`));
    const features = Number(/_(\d+)-/.exec(name)?.[1]);
    const table = await readTable(bytesOf(materialFile(`data/${rows}_test.csv`)), `${rows}_test.csv`, { labels: 1, features });
    const half = Math.floor(table.rows / 2);
    const data = measure === "data" ? { ...slice(table, 0, half), labels: null, labelColumns: 0 } : null;
    const { bytes, report } = await compress(model, { retain, data, verify: false, polish: false, name });
    const scored = slice(table, half, table.rows);
    const factor = (await meanSquaredError(bytes, scored)) / (await meanSquaredError(model, scored));
    assert.ok(report.retained <= retain, `${report.retained}`);
    assert.ok(factor <= most, `${factor}`);
  });

/** @type {[string, number[]][]} model, widths it can have at most */
const EXACT = [
  ["dup_abalone_relu_x2_copy", [64, 64]],
  ["dup_abalone_relu_x3_scale", [64, 64]],
  ["dup_abalone_tanh_x2_sign", [64, 64]],
  ["dead_abalone_relu", [64, 64]],
];
for (const [name, widths] of EXACT)
  for (const epsilon of [0, 1e-5])
    test(`${name} returns to its true widths at ε = ${epsilon}, outputs within 1e-5`, needsMaterial, async () => {
      const { report } = await compress(bytesOf(materialFile(`models/${name}.onnx`)), { epsilon, polish: false, name });
      report.sites.forEach((site, i) => assert.ok(site.after <= widths[i], `${site.name}: ${site.after}`));
      assert.ok(report.verified && "deviation" in report.verified && report.verified.deviation < 1e-5);
    });
