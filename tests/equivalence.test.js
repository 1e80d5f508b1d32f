// Differential equivalence: netlump's blocks against ERODE's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { createEngine } from "../wasm/engine.js";
import { materialFile, needsMaterial } from "./material.js";

const engine = await createEngine();

/** @param {{layers: object[]}} network @param {string} activation of the hidden layers */
function modelText({ layers }, activation) {
  const last = layers.length - 1;
  const text = { format: "netlump", version: 1, layers: layers.map((layer, l) => ({ ...layer, activation: l < last ? activation : "identity" })) };
  return new TextEncoder().encode(JSON.stringify(text));
}

const sorted = (/** @type {string[][]} */ blocks) => blocks.map((block) => [...block].sort().join(" ")).sort();

test("blocks are ERODE's on every row of the reference vectors", needsMaterial, () => {
  const vectors = JSON.parse(readFileSync(materialFile("equivalence/vectors.json"), "utf8"));
  const wrong = [];
  for (const { name, network, expected } of vectors)
    for (const { encoding, equivalence, epsilon, hidden_blocks: blocks } of expected) {
      const square = encoding === "square";
      const model = engine.open(modelText(network, square ? "square" : "tanh"), name);
      const found = model.blocks({ encoding: square ? "polynomial" : encoding, equivalence, linkage: "erode", epsilon }).blocks;
      model.free();
      if (sorted(found).join("|") !== sorted(blocks).join("|")) wrong.push({ name, encoding, equivalence, epsilon });
    }
  assert.deepEqual(wrong, []);
});
