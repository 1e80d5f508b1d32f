// Random graphs: nothing changes at ε = 0, and above that the reported deviation is the one ONNX Runtime finds. 500 of them in tests/long.
import assert from "node:assert/strict";
import { test } from "node:test";

import { generate } from "./generator.js";
import { checkGraph } from "./graphs/differential.js";

const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1);

for (const seed of SEEDS)
  test(`random graph ${seed} computes the same at ε = 0 and deviates as reported at ε = 0.05`, async () => {
    await checkGraph(seed);
  });

test("the same seed makes the same graph, and every graph has copies that must go", () => {
  for (const seed of SEEDS) {
    const [one, again] = [generate(seed), generate(seed)];
    assert.deepEqual(again.bytes, one.bytes);
    assert.ok(one.planned.length > 0 && one.planned.every(({ width, least }) => least > 0 && least < width));
  }
});
