// tests/linear.test.js in every direction a model can grow in, with more parts. Says what each takes.
import assert from "node:assert/strict";
import { test } from "node:test";

import { families } from "../graphs/many.js";
import { growthOf, needsCounting } from "../graphs/work.js";

for (const name of Object.keys(families))
  test(`to open four times as many parts takes four times the work at most (${name})`, needsCounting, async (t) => {
    const { before, then, linear } = await growthOf(name, 1000);
    t.diagnostic(`${before.toFixed(1)} a byte, then ${then.toFixed(1)}`);
    assert.ok(linear, `${before.toFixed(1)} a byte, then ${then.toFixed(1)}`);
  });
