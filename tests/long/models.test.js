// Every real model: the result runs in ONNX Runtime, its outputs have their shapes, and differ as reported.
import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";

import { agrees, examine } from "../graphs/examine.js";
import { materialModels } from "../graphs/models.js";
import { needsMaterial } from "../material.js";
import { needsPackages, packageModels } from "./packages.js";

/** @param {string} file */
async function checkModel(file) {
  const rows = /ocr/i.test(file) ? 32 : 0;
  let { results, widths, refused } = await examine(file, { epsilons: [0.01, 0.03], rows });
  const first = /The first neurons go at ε = ([\d.e-]+)\.$/.exec(refused ?? "");
  if (first) ({ results, widths, refused } = await examine(file, { epsilons: [Number(first[1]), 2 * Number(first[1])], rows }));
  assert.ok(results.length === 2 || refused !== null, "either results or a reason");
  assert.ok(results.length > 0 || widths.length === 0, `${refused}`);
  for (const result of results) {
    assert.deepEqual(result.apart, [], "outputs of another shape");
    assert.ok(agrees(result), `ε = ${result.epsilon}: ${result.reported} reported, ONNX Runtime finds ${result.found}`);
    assert.ok(result.retained <= 1);
  }
  assert.ok(results.length === 0 || results[1].retained <= results[0].retained, "a larger tolerance never keeps more");
}

for (const file of materialModels)
  test(`${basename(file)} of the material: the smaller model runs and differs as reported`, needsMaterial, () => checkModel(file));
for (const file of packageModels)
  test(`${basename(file)} of a package: the smaller model runs and differs as reported`, needsPackages, () => checkModel(file));
