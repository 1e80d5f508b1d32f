// Cancelled at every step of every stage, in Node: each time the stage says so, and what was open gives the bytes it would have given.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { createEngine } from "../../wasm/index.js";
import { bytesOf, jsonModel, sampleFile } from "../material.js";

/** @typedef {{signal?: AbortSignal, onProgress?: (progress: unknown) => void}} Watch */

const engine = await createEngine();
const model = engine.open(bytesOf(sampleFile("ball.onnx")), "ball.onnx");
const chain = engine.open(jsonModel([1, 4, 1], { copies: 2 }), "chain.json"); // a certificate of more takes minutes
after(() => (model.free(), chain.free()));

const TARGET = /** @type {const} */ ({ kind: "retain", value: 0.4 });
const ROWS = { rows: 1024 };
const path = await model.path(ROWS);
const result = await path.compress(TARGET);
const CLEAN = result.write();
const shortened = await (await chain.path(ROWS)).compress({ kind: "retain", value: 0.6 });
const short = shortened.write();
const box = { low: new Float64Array(chain.info.features).fill(-1), high: new Float64Array(chain.info.features).fill(1) };

/** Every stage the engine has. @type {Record<string, (watch: Watch) => Promise<unknown>>} */
const STAGES = {
  path: async (watch) => (await model.path({ ...ROWS, ...watch })).free(),
  "path on rows": async (watch) => {
    const rows = 600;
    const data = /** @type {any} */ ({ features: path.draw(rows), labels: null, rows, columns: model.info.features, labelColumns: 0, names: null, source: "rows.csv" });
    (await model.path({ data, ...watch })).free();
  },
  refit: async (watch) => (await path.compress(TARGET, watch)).free(),
  "refit to a deviation": async (watch) => (await path.compress({ kind: "deviation", value: 0.05 }, watch)).free(),
  polish: async (watch) => (await path.compress(TARGET, { polish: true, iterations: 12, ...watch })).free(),
  partition: async (watch) => (await path.compress(TARGET, { method: "partition", ...watch })).free(),
  curve: (watch) => path.curve({ points: 3, methods: ["projected", "norm"], ...watch }),
  certificate: (watch) => chain.certify(short, { ...box, ...watch }),
};

/** How often a stage looks at its signal or tells of its progress. @param {(watch: Watch) => Promise<unknown>} stage @param {number} at where to abort */
async function ran(stage, at) {
  const abort = new AbortController();
  let steps = 0;
  const count = () => {
    steps += 1;
    if (steps === at) abort.abort();
  };
  const outcome = await stage({ signal: abort.signal, onProgress: count }).then(() => "done", (error) => error.name);
  return { steps, outcome };
}

for (const [name, stage] of Object.entries(STAGES))
  test(`${name}: cancelled at every step it leaves everything as it was`, async (t) => {
    const { steps, outcome } = await ran(stage, Infinity);
    assert.equal(outcome, "done");
    t.diagnostic(`${steps} steps`);
    for (let at = 1; at < steps; at++) assert.equal((await ran(stage, at)).outcome, "AbortError", `step ${at} of ${steps}`);
    assert.equal(Buffer.compare(result.write(), CLEAN), 0, "the last result is what it was");
    const again = await path.compress(TARGET);
    assert.equal(Buffer.compare(again.write(), CLEAN), 0, "the open path gives the same bytes");
    again.free();
    const fresh = await model.path(ROWS);
    assert.equal(Buffer.compare((await fresh.compress(TARGET)).write(), CLEAN), 0, "and so does the open model");
    fresh.free();
  });

test("what is cancelled gives its memory back", async () => {
  const stages = Object.values(STAGES).filter((_, i) => i !== 6); // a curve takes long
  for (const stage of stages) await ran(stage, 2);
  const before = engine.memory;
  for (let round = 0; round < 40; round++) for (const stage of stages) await ran(stage, 2);
  assert.equal(engine.memory, before);
});
