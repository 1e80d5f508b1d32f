// What a result's file says of how it was made gives the same bytes again, from the original alone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";

import { createEngine } from "../wasm/index.js";
import { bytesOf, sampleFile } from "./material.js";

const engine = await createEngine();
const NAME = "ball.onnx";
const BALL = bytesOf(sampleFile(NAME));
const { features } = engine.open(BALL, NAME).info;
const vector = (/** @type {number} */ value) => new Float64Array(features).fill(value);

/** @param {Record<string, any>} measure @param {any} target @param {Record<string, any>} way */
async function made(measure, target, way) {
  const model = engine.open(BALL, NAME);
  const path = await model.path(measure);
  const bytes = (await path.compress(target, way)).write();
  model.free();
  return bytes;
}

/** What was asked for, as the file has it. @param {Uint8Array} bytes */
function settingsOf(bytes) {
  const entry = fromBinary(ModelProtoSchema, bytes).metadataProps.find(({ key }) => key === "netlump.settings");
  const { target, seed, rows, mean, spread, low, high, ...way } = JSON.parse(entry?.value ?? "null");
  const [drawn, drawnSpread, from, to] = [mean, spread, low, high].map((numbers) => (numbers ? Float64Array.from(numbers) : null));
  return { measure: { seed, rows, mean: drawn, spread: drawnSpread, low: from, high: to }, target, way };
}

for (const [name, measure, target, way] of /** @type {[string, Record<string, any>, any, Record<string, any>][]} */ ([
  ["as it comes", {}, { kind: "retain", value: 1 / 3 }, {}],
  ["a tolerance, a large seed, few rows", { seed: 2 ** 31 + 123, rows: 700 }, { kind: "epsilon", value: 0.1 + 1e-9 }, {}],
  ["polished", { rows: 300 }, { kind: "retain", value: 0.4 }, { polish: true, iterations: 7 }],
  ["in a box", { rows: 400, low: vector(-0.3), high: vector(0.1) }, { kind: "deviation", value: 0.05 }, {}],
  ["about another mean", { rows: 400, mean: vector(0.1), spread: vector(1 / 3) }, { kind: "retain", value: 0.5 }, {}],
  ["by blocks", { rows: 300 }, { kind: "epsilon", value: 3 }, { method: "partition", linkage: "erode" }],
  ["pruned", { rows: 300 }, { kind: "retain", value: 0.5 }, { method: "wanda" }],
]))
  test(`a result's settings give its bytes again: ${name}`, async () => {
    const first = await made(measure, target, way);
    assert.ok(Buffer.compare(first, BALL) !== 0, "something went");
    const told = settingsOf(first);
    assert.deepEqual(told.target, target);
    assert.equal(told.measure.seed, measure.seed ?? 1);
    assert.equal(Buffer.compare(await made(told.measure, told.target, told.way), first), 0);
  });
