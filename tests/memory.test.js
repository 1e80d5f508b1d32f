// Memory that does not grow any more: said with what was needed, nothing lost, and the next run works.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createEngine } from "../wasm/index.js";
import { limited, outOfMemory } from "./limited.js";
import { bytesOf, jsonModel, sampleFile } from "./material.js";

test("rows, a model and a file that do not fit are refused with the bytes they need; what was open works on", async () => {
  const engine = await createEngine({ wasm: limited(24 * 2 ** 20).module });
  const name = "digits.onnx";
  const model = engine.open(bytesOf(sampleFile(name)), name);
  const rows = 60_000;
  const table = /** @type {any} */ ({ features: new Float64Array(rows * model.info.features), labels: null, rows, columns: model.info.features, labelColumns: 0, names: null, source: "rows.csv" });
  await assert.rejects(model.path({ data: table }), outOfMemory);
  await assert.rejects(model.path({ rows: 200_000 }), outOfMemory);
  const large = new Uint8Array(2 ** 25);
  large.set(bytesOf(sampleFile(name))); // begins as a model does
  assert.throws(() => engine.open(large, "large.onnx"), outOfMemory);
  const made = async (/** @type {import("../wasm/engine.js").Model} */ of) => {
    const path = await of.path({ rows: 512 });
    return (await path.compress({ kind: "epsilon", value: 0.1 })).write();
  };
  const free = (await createEngine()).open(bytesOf(sampleFile(name)), name);
  assert.equal(Buffer.compare(await made(model), await made(free)), 0, "the same bytes as with all memory there is");
  model.free();
  free.free();
});

test("a path that runs out of memory on its way is freed, and a smaller one takes its place", async () => {
  const engine = await createEngine({ wasm: limited(48 * 2 ** 20).module });
  const model = engine.open(jsonModel([8, 400, 400, 2]), "wide.json");
  let refused = 0;
  for (let rows = 8192; rows >= 1024; rows /= 2) {
    /** @type {import("../wasm/engine.js").Path|null} */
    let path = null;
    try {
      path = await model.path({ rows });
      const result = await path.compress({ kind: "retain", value: 0.5 });
      assert.ok(result.report.retained <= 0.5);
    } catch (error) {
      if (!outOfMemory(error)) throw error;
      refused += 1;
    } finally {
      path?.free();
    }
  }
  assert.ok(refused > 0 && refused < 4, String(refused));
  model.free();
});
