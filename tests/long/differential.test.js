// The long half of tests/differential.test.js.
import { test } from "node:test";

import { checkGraph } from "../graphs/differential.js";

for (let seed = 31; seed <= 500; seed += 1)
  test(`random graph ${seed} computes the same at ε = 0 and deviates as reported at ε = 0.05`, async () => {
    await checkGraph(seed);
  });
