// Threads that do a path's jobs side by side: the bits are those of one instance alone, whatever becomes of the threads.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createEngine } from "../wasm/engine.js";
import { Pool, poolSize, spawnInNode } from "../wasm/pool.js";
import { chainModel } from "./bench/dense.js";
import { meddled } from "./meddled.js";

/** @typedef {import("../wasm/pool.js").SpawnHelper} SpawnHelper */

const BYTES = chainModel([6, 9, 12, 7, 18]); // more outputs than probes: signs are drawn
const ROWS = 1100; // five blocks of rows, the last a short one, four with derivatives

/** Everything in an engine of its own: the path, the smaller model. @param {{threads?: number, scalar?: boolean, spawn?: SpawnHelper|null}} options
 * @param {number} size of the pool, however small the work @param {import("../wasm/steps.js").Watch} [watch] @param {number} [patience] ms */
async function made(options, size, watch = {}, patience = undefined) {
  const engine = await createEngine(options);
  const model = engine.open(BYTES, "chain.onnx");
  const { spawn = spawnInNode } = options;
  model.pool = (_work, _jobs, seed, refits) => {
    if (size === 0 || spawn === null || refits !== undefined) return null;
    return new Pool(size, spawn, model.opening(seed), patience);
  };
  const path = await model.path({ rows: ROWS, seed: 7, ...watch });
  const result = await path.compress({ kind: "retain", value: 0.5 });
  return { info: path.info, bytes: result.write() };
}

const alone = await made({}, 0);

for (const size of [1, 2, 3])
  test(`${size} ${size === 1 ? "thread gives" : "threads give"} the bytes of none`, async () => {
    assert.deepEqual(await made({}, size), alone);
  });

test("so do threads without SIMD", async () => {
  assert.deepEqual(await made({ scalar: true }, 2), alone);
});

test("a thread that dies in the middle leaves its jobs to the others and to the one that gave them", async () => {
  for (const last of [0, 4, 6]) {
    let done = 0;
    const spawn = meddled((reply, gone) => (done++ < last ? reply : (gone(), null)));
    assert.deepEqual(await made({ spawn }, 2), alone, `after ${last} jobs`);
  }
});

test("a killed thread of Node changes nothing", async () => {
  let killed = 0;
  const spawn = /** @type {SpawnHelper} */ ((hear, gone) => {
    const start = /** @type {SpawnHelper} */ (spawnInNode);
    const thread = start((reply) => (reply.job === 2 ? (killed++, thread.end()) : hear(reply)), gone);
    return thread;
  });
  assert.deepEqual(await made({ spawn }, 3), alone);
  assert.equal(killed, 1);
});

test("a thread that cannot do its jobs changes nothing", async () => {
  const spawn = meddled((reply) => ({ job: reply.job, output: null }));
  assert.deepEqual(await made({ spawn }, 2), alone);
});

test("a thread that never answers is not waited for, whether it is one of them or all", async () => {
  for (const silent of [1, 2]) {
    let started = 0;
    const spawn = /** @type {SpawnHelper} */ ((hear, gone) => (started++ < silent ? { send: () => {}, end: () => {} } : meddled((reply) => reply)(hear, gone)));
    assert.deepEqual(await made({ spawn }, 2, {}, 20), alone, `${silent} of 2`);
  }
});

test("an answer that comes too late changes nothing", async () => {
  const spawn = /** @type {SpawnHelper} */ ((hear, gone) => meddled((reply) => reply)((reply) => void setTimeout(hear, 50, reply), gone));
  assert.deepEqual(await made({ spawn }, 2, {}, 10), alone);
});

test("a cancel ends the threads at once, whatever they are at", async () => {
  const controller = new AbortController();
  let ended = 0;
  const spawn = /** @type {SpawnHelper} */ (() => ({ send: () => setTimeout(() => controller.abort()), end: () => void (ended += 1) })); // never answers
  await assert.rejects(made({ spawn }, 2, { signal: controller.signal }), { name: "AbortError" });
  assert.equal(ended, 2);
});

test("progress never falls and ends at 1", async () => {
  /** @type {number[]} */
  const fractions = [];
  await made({}, 2, { onProgress: ({ stage, fraction }) => void (stage === "path" && fractions.push(fraction)) });
  assert.ok(fractions.length > 8 && fractions.at(-1) === 1);
  assert.deepEqual(fractions, fractions.toSorted((a, b) => a - b));
});

test("rows that overflow are named as without threads", async () => {
  const engine = await createEngine({ threads: 2 });
  const model = engine.open(chainModel([4, 6, 2]), "small.onnx");
  const data = { features: new Float64Array(4 * 300).fill(Infinity), labels: null, rows: 300, source: "x" };
  await assert.rejects(model.path({ data: /** @type {any} */ (data) }), (/** @type {any} */ error) => error.code === "NOT_FINITE" || error.code === "DATA");
});

test("a pool is as large as the work, the memory and the caller allow", () => {
  assert.equal(poolSize(1e12, 40, 1e6, 3), 3);
  assert.equal(poolSize(1e12, 2, 1e6, 8), 2, "no more than jobs");
  assert.equal(poolSize(1e8, 40, 1e6, 8), 0, "too little to pay");
  assert.equal(poolSize(1e12, 40, 1e9, 8), 0, "a model that large once is enough");
  assert.equal(poolSize(1e12, 40, 1e6, 1), 0, "one that helps while the other waits gains nothing");
});
