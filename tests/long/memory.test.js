// Memory that ends, at one size after the other, wherever a run wants more: the run says what it needed, or gives the bytes it gives with all memory there
// is; and what is left works on.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createEngine } from "../../wasm/index.js";
import { limited, outOfMemory } from "../limited.js";
import { jsonModel } from "../material.js";

const STEP = 2 ** 19; // bytes
const TARGET = /** @type {const} */ ({ kind: "retain", value: 0.4 });
const wide = jsonModel([8, 96, 96, 2]);
const small = jsonModel([2, 3, 1]);

/** @typedef {import("../../wasm/engine.js").Engine} Engine @typedef {import("../../wasm/engine.js").Path} Path */

/** Opens, orders and makes something of the path. @param {Engine} engine @param {Uint8Array} bytes @param {string} name @param {number} rows
 * @param {(path: Path) => Promise<unknown>} make */
async function worked(engine, bytes, name, rows, make) {
  const model = engine.open(bytes, name);
  try {
    const path = await model.path({ rows });
    try {
      return await make(path);
    } finally {
      path.free();
    }
  } finally {
    model.free();
  }
}

/** @param {import("../../wasm/engine.js").Way} way */
const written = (way) => async (/** @type {Path} */ path) => {
  const result = await path.compress(TARGET, way);
  const bytes = result.write();
  result.free();
  return Buffer.from(bytes).toString("base64");
};

/** @type {Record<string, {rows: number, make: (path: Path) => Promise<unknown>}>} */
const RUNS = {
  "a refit": { rows: 8192, make: written({}) },
  "a polish": { rows: 6144, make: written({ polish: true, iterations: 4 }) },
  "a partition": { rows: 6144, make: written({ method: "partition" }) },
  "a curve": { rows: 6144, make: (path) => path.curve({ points: 3, methods: ["projected", "norm"] }) },
};

for (const [name, { rows, make }] of Object.entries(RUNS))
  test(`${name}: growth refused from every size on`, async (t) => {
    const free = await createEngine({ threads: 1 });
    const whole = await worked(free, wide, "wide.json", rows, make);
    const { least } = limited(0);
    let refused = 0;
    for (let most = least; most <= free.memory; most += STEP) {
      const engine = await createEngine({ wasm: limited(most).module, threads: 1 });
      const outcome = await worked(engine, wide, "wide.json", rows, make).catch((error) => {
        if (!outOfMemory(error)) throw error;
        return null;
      });
      if (outcome === null) refused += 1;
      else assert.deepEqual(outcome, whole, `${most} bytes`);
      assert.ok(await worked(engine, small, "small.json", 32, written({})), `afterwards, ${most} bytes`);
    }
    t.diagnostic(`${refused} of ${1 + Math.floor((free.memory - least) / STEP)} sizes refused`);
    assert.ok(refused > 0);
  });
