// Opening a file costs no more than its size, whatever is in it. All families, and more parts: tests/long.
import assert from "node:assert/strict";
import { test } from "node:test";

import { growthOf, needsCounting } from "./graphs/work.js";

for (const name of ["deep: dense layers", "wide: heads", "wide: one Concat", "many: names that collide", "many: layers behind what nobody knows"])
  test(`to open four times as many parts takes four times the work at most (${name})`, needsCounting, async () => {
    const { before, then, linear } = await growthOf(name, 300);
    assert.ok(linear, `${before.toFixed(1)} a byte, then ${then.toFixed(1)}`);
  });
