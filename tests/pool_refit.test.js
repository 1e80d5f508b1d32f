// Threads that have the rows of a refit: the bits are those of one instance alone, whatever becomes of the threads.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createEngine } from "../wasm/engine.js";
import { Pool, poolSize, spawnInNode } from "../wasm/pool.js";
import { chainModel } from "./bench/dense.js";
import { meddled } from "./meddled.js";

/** @typedef {import("../wasm/pool.js").SpawnHelper} SpawnHelper @typedef {import("../wasm/pool.js").Reply} Reply
 * @typedef {import("../wasm/types.js").SizeTarget} Target */

const WIDTHS = [6, 9, 12, 7, 18]; // more outputs than probes: signs are drawn
const ROWS = 1100; // three shares, the last a short one
const HALF = /** @type {Target} */ ({ kind: "retain", value: 0.5 });

/** @typedef {{size: number, spawn?: SpawnHelper, scalar?: boolean, widths?: number[], patience?: number, polish?: boolean}} Setting */

/** The smaller model, its refit by `size` threads and nothing else by any. @param {Setting} setting @param {Target} [target]
 * @param {import("../wasm/steps.js").Watch} [watch] */
async function made({ size, spawn, scalar = false, widths = WIDTHS, patience, polish = false }, target = HALF, watch = {}) {
  const engine = await createEngine({ scalar });
  const model = engine.open(chainModel(widths), "chain.onnx");
  model.pool = (_work, _jobs, seed, kept) => {
    if (size === 0 || kept === undefined) return null;
    return new Pool(size, spawn ?? /** @type {SpawnHelper} */ (spawnInNode), model.opening(seed), patience);
  };
  const path = await model.path({ rows: ROWS, seed: 7 });
  const result = await path.compress(target, { polish, iterations: 1, ...watch });
  const made = { deviation: result.report.deviation, bytes: result.write() };
  model.free();
  return made;
}

/** @type {Reply[]} */
const replies = [];
const counted = meddled((reply) => (replies.push(reply), reply));
const alone = await made({ size: 0 });

test("threads give the bytes of none, however many there are, more than shares of the rows too", async () => {
  for (const size of [1, 2, 3]) assert.deepEqual(await made({ size, spawn: counted }), alone, `${size}`);
  assert.deepEqual(await made({ size: 4 }), alone); // of Node
});

test("without SIMD too, with few outputs, and where the rows judged by a polish are left out", async () => {
  assert.deepEqual(await made({ size: 2, spawn: counted, scalar: true }), alone);
  for (const setting of [{ widths: [6, 9, 12, 7, 2] }, { polish: true }])
    assert.deepEqual(await made({ size: 2, spawn: counted, ...setting }), await made({ size: 0, ...setting }));
});

test("the threads do all that is done on rows: values, sums, products, tries", async () => {
  replies.length = 0;
  await made({ size: 2, spawn: counted });
  const sizes = new Set(replies.map(({ output }) => output?.length));
  assert.ok(replies.length > 2 * 20 && sizes.size > 6, `${replies.length} answers of ${sizes.size} sizes`);
});

test("a search for a deviation has them begin again for each size", async () => {
  const target = /** @type {any} */ ({ kind: "deviation", value: 0.5 });
  assert.deepEqual(await made({ size: 2, spawn: counted }, target), await made({ size: 0 }, target));
});

test("a thread that dies leaves all to the one that ordered, whenever it is", async () => {
  for (const last of [0, 2, 41]) {
    let done = 0;
    const spawn = meddled((reply, gone) => (done++ < last ? reply : (gone(), null)));
    assert.deepEqual(await made({ size: 2, spawn }), alone, `after ${last} answers`);
    assert.ok(done > last);
  }
});

test("a killed thread of Node changes nothing", async () => {
  let killed = 0;
  const spawn = /** @type {SpawnHelper} */ ((hear, gone) => {
    const thread = /** @type {SpawnHelper} */ (spawnInNode)((reply) => (reply.job >= 6 ? (killed++, thread.end()) : hear(reply)), gone);
    return thread;
  });
  assert.deepEqual(await made({ size: 2, spawn }), alone);
  assert.ok(killed > 0);
});

test("a thread that refuses or falls silent changes nothing", async () => {
  let done = 0;
  const refuses = meddled((reply) => (done++ < 7 ? reply : { job: reply.job, output: null }));
  assert.deepEqual(await made({ size: 2, spawn: refuses }), alone);
  const silent = meddled((reply) => (done++ < 12 ? reply : null));
  assert.deepEqual(await made({ size: 2, spawn: silent, patience: 30 }), alone);
  assert.deepEqual(await made({ size: 2, spawn: () => ({ send: () => {}, end: () => {} }), patience: 20 }), alone);
});

test("fewer threads than were wanted change nothing", async () => {
  let started = 0;
  const spawn = /** @type {SpawnHelper} */ ((hear, gone) => {
    if (started++ === 1) throw new Error("no more threads");
    return counted(hear, gone);
  });
  assert.deepEqual(await made({ size: 3, spawn }), alone);
});

test("a cancel ends the threads at once, whatever they are at", async () => {
  const controller = new AbortController();
  let ended = 0;
  const spawn = /** @type {SpawnHelper} */ (() => ({ send: () => setTimeout(() => controller.abort()), end: () => void (ended += 1) })); // never answers
  await assert.rejects(made({ size: 2, spawn }, HALF, { signal: controller.signal }), { name: "AbortError" });
  assert.equal(ended, 2);
});

test("progress never falls, and the threads end with the refit", async () => {
  /** @type {number[]} */
  const fractions = [];
  let ended = 0;
  const spawn = /** @type {SpawnHelper} */ ((hear, gone) => {
    const thread = counted(hear, gone);
    return { send: thread.send, end: () => ((ended += 1), thread.end()) };
  });
  const onProgress = (/** @type {import("../wasm/types.js").Progress} */ { fraction }) => void fractions.push(fraction);
  await made({ size: 2, spawn }, HALF, { onProgress });
  assert.deepEqual(fractions, fractions.toSorted((a, b) => a - b));
  assert.equal(ended, 2);
});

test("what the threads keep of a refit is counted as their memory", () => {
  assert.equal(poolSize(1e12, 4, 1e6, 4, 1e8), 4);
  assert.equal(poolSize(1e12, 4, 1e8, 4, 1.5e8), 2);
  assert.equal(poolSize(1e12, 4, 1e6, 4, 2e9), 0);
});
