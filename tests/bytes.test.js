// Unedited bytes survive: models with fields nobody knows, in an unusual order, rewritten with as little edited as can be.
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertSurvived, dressedModel } from "./graphs/survival.js";
import { LARGE, survives } from "./graphs/survivors.js";
import { GRAPH, MODEL, concatenated, fieldBytes, fieldsOf } from "./graphs/wire.js";
import { bytesOf, fixtureFile, materialFile, materialFiles, needsMaterial } from "./material.js";

const fixtures = readdirSync(fileURLToPath(new URL("fixtures/", import.meta.url))).filter((name) => name.endsWith(".onnx"));

for (const name of fixtures)
  test(`${name} keeps every byte that a smaller layer does not concern`, async () => {
    await survives(fixtureFile(name));
  });

/** Larger ones: tests/long. */
const isSmall = (/** @type {string} */ name) => statSync(materialFile(`models/${name}`)).size < LARGE;

for (const name of materialFiles("models/", /\.onnx$/).filter(isSmall))
  test(`${name} of the material keeps every byte that a smaller layer does not concern`, needsMaterial, async () => {
    await survives(materialFile(`models/${name}`));
  });

/** The model with one field of its graph handed to `change`, which gives the bytes to put there. @param {Uint8Array} model @param {number} number
 * @param {number} index among the fields of that number @param {(field: import("./graphs/wire.js").Field) => Uint8Array} change */
function tamperedWith(model, number, index, change) {
  return concatenated(fieldsOf(model).map((field) => {
    if (field.number !== MODEL.graph) return field.whole;
    let seen = -1;
    const parts = fieldsOf(field.payload).map((part) => (part.number === number && (seen += 1) === index ? change(part) : part.whole));
    return fieldBytes(MODEL.graph, concatenated(parts));
  }));
}

test("a byte that changed where nothing was edited is noticed", () => {
  const model = dressedModel(bytesOf(fixtureFile("act_relu.onnx"))); // /0/Gemm ... /4/Gemm, Relu between
  const gone = () => new Uint8Array();
  const shorter = (/** @type {import("./graphs/wire.js").Field} */ { number, payload }) => fieldBytes(number, concatenated(fieldsOf(payload).slice(0, -1).map(({ whole }) => whole)));
  const noticed = (/** @type {Uint8Array} */ after, /** @type {string} */ layer) => assert.throws(() => assertSurvived(model, after, [layer]), { code: "ERR_ASSERTION" });
  const names = fieldsOf(fieldsOf(model).find(({ number }) => number === MODEL.graph)?.payload ?? new Uint8Array());
  assert.equal(assertSurvived(model, model, ["/0/Gemm"]), 0);
  for (const number of [GRAPH.node, GRAPH.initializer, GRAPH.input, GRAPH.output]) {
    const last = names.filter((field) => field.number === number).length - 1;
    noticed(tamperedWith(model, number, last, shorter), "/0/Gemm");
    noticed(tamperedWith(model, number, last, gone), "/0/Gemm");
  }
  noticed(tamperedWith(model, 7001, 0, gone), "/0/Gemm");
  noticed(concatenated(fieldsOf(model).slice(1).map(({ whole }) => whole)), "/0/Gemm");
  noticed(concatenated([...fieldsOf(model)].reverse().map(({ whole }) => whole)), "/0/Gemm");
});
