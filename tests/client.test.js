// The page's client and the worker behind it, in threads of Node.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel, Worker } from "node:worker_threads";
import { expose } from "comlink";
// @ts-expect-error: comlink does not say what its adapter is
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";

import { createClient } from "../wasm/client.js";
import { createService } from "../wasm/service.js";
import { bytesOf, fixtureFile, jsonModel, materialFile, needsMaterial, sampleFile } from "./material.js";

const ball = bytesOf(sampleFile("ball.onnx"));
const digits = bytesOf(sampleFile("digits.onnx"));
const RESIDUAL = fixtureFile("residual.onnx");
const TINY = jsonModel([4, 16, 2]);
const TINY_ROWS = new TextEncoder().encode(Array.from({ length: 300 }, (_, i) => [1, 2, 3, 4].map((k) => Math.sin(i * k + k).toFixed(6)).join(",")).join("\n"));
const WASM = new URL("../build/netlump.wasm", import.meta.url);
const aborted = { name: "AbortError" };
const fault = (/** @type {string} */ code) => (/** @type {any} */ error) => error.name === "EngineError" && error.code === code;

/** A client that is closed when the test is over, however it ends, and that waits longer for a busy machine than the page does.
 * @param {import("node:test").TestContext} t @param {Parameters<typeof createClient>[0]} options */
function newClient(t, options) {
  const client = createClient({ patience: 60_000, ...options });
  t.after(() => client.close());
  return client;
}

/** A worker of Node's, running the service; `hang`: it obeys nothing once path() is called. */
function spawnThread({ hang = false } = {}) {
  const source = `
    import { parentPort } from "node:worker_threads";
    import { expose } from ${JSON.stringify(import.meta.resolve("comlink"))};
    import nodeEndpoint from ${JSON.stringify(import.meta.resolve("comlink/dist/esm/node-adapter.mjs"))};
    import { createService } from ${JSON.stringify(new URL("../wasm/service.js", import.meta.url).href)};
    const service = createService({ wasm: new URL(${JSON.stringify(WASM.href)}) });
    const run = (id, name, ...rest) => { while (${hang} && name === "path"); return service.run(id, name, ...rest); };
    expose({ ...service, run }, nodeEndpoint(parentPort));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  return {
    endpoint: /** @type {import("comlink").Endpoint} */ (nodeEndpoint(worker)),
    terminate: () => void worker.terminate(),
    onCrash: (/** @type {() => void} */ listener) => worker.on("error", listener),
  };
}

/** The service on this thread, at the other end of a channel. */
function spawnHere() {
  const { port1, port2 } = new MessageChannel();
  expose(createService({ wasm: WASM }), /** @type {any} */ (port1));
  return { endpoint: /** @type {any} */ (port2), terminate: () => port1.close() };
}

test("a model goes through open, read, path, choose, compress, curve, write and forward", async (t) => {
  const client = newClient(t, { spawn: spawnThread });
  const info = await client.open(ball, "ball.onnx");
  assert.equal(info.features, 8);
  const table = await client.read(bytesOf(sampleFile("ball.csv")), "ball.csv", { labels: 2 });
  /** @type {string[]} */
  const stages = [];
  const onProgress = (/** @type {any} */ { stage }) => stages.push(stage);
  const path = await client.path({ data: table, onProgress });
  assert.deepEqual(path.measure, { kind: "data", rows: table.rows, source: "ball.csv" });
  const target = /** @type {const} */ ({ kind: "retain", value: 0.3 });
  const choice = await client.choose(target);
  const report = await client.compress(target, { score: table, onProgress });
  assert.deepEqual(report.sites.map((site) => site.after), choice.widths);
  assert.ok(report.verified && "agrees" in report.verified && report.verified.agrees);
  assert.ok(report.score && report.score.kind === "mse" && report.bytes.after < ball.length);
  assert.equal((await client.write("onnx")).length, report.bytes.after);
  assert.equal(new TextDecoder().decode((await client.write("json")).subarray(0, 1)), "{");
  const rows = table.features.subarray(0, 80);
  assert.equal((await client.forward(rows, "model")).length, 20);
  assert.notDeepEqual(await client.forward(rows, "model"), await client.forward(rows, "result"));
  assert.deepEqual((await client.lumping()).map(({ kept }) => kept), report.sites.map(({ kept }) => kept));
  assert.deepEqual(await client.weights(2).then(({ from, reads, weights }) => [from, reads, weights.length / reads]), [1, 64, 2]);
  const curve = await client.curve({ points: 4, onProgress });
  assert.ok(curve.length > 2);
  assert.deepEqual([...new Set(stages)], ["path", "refit", "verify", "curve"]);
  assert.equal(table.features.length, table.rows * 8, "what was given is still there");
});

test("a line is drawn while another call runs, and says why it is empty", async (t) => {
  const client = newClient(t, { spawn: spawnHere });
  await client.open(ball, "ball.onnx");
  await client.path({ rows: 256 });
  const [{ points, why }, report] = await Promise.all([
    client.line({ method: "wanda", points: 6 }),
    client.compress({ kind: "retain", value: 0.3 }, { method: "norm", verify: false }),
  ]);
  assert.ok(why === null && points.length > 2 && points.every((point) => point.method === "wanda"));
  assert.deepEqual([report.method, report.polish], ["norm", null]);
  const controller = new AbortController();
  await assert.rejects(client.line({ points: 8, signal: controller.signal, onProgress: () => controller.abort() }), aborted);
  const polished = await client.compress({ kind: "retain", value: 0.1 }, { polish: true, iterations: 30, verify: false });
  assert.ok(polished.polish && polished.polish.iterations <= 30);
});

test("a path that ends while another model is being read leaves that alone", async () => {
  const service = createService({ wasm: WASM });
  const opening = { name: "tiny.json", files: new Map(), shapes: new Map() };
  await service.run(1, "open", { ...opening, bytes: TINY }, null);
  let go = () => {};
  const held = new Promise((resolve) => (go = () => resolve(null)));
  const slow = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (ball)]);
  const slice = slow.slice.bind(slow);
  slow.slice = (...range) => Object.assign(slice(...range), { arrayBuffer: () => held.then(() => slice(...range).arrayBuffer()) });
  const other = service.run(2, "open", { ...opening, bytes: slow, name: "ball.onnx" }, null);
  assert.ok("value" in (await service.run(3, "path", { rows: 64 }, null)));
  go();
  const answer = await other;
  assert.ok("value" in answer && answer.value.name === "ball.onnx", JSON.stringify(answer));
});

test("a choice is answered while the worker compresses", async (t) => {
  const client = newClient(t, { spawn: spawnThread });
  await client.open(digits, "digits.onnx");
  await client.path();
  let done = false;
  const work = client.curve({ points: 8 }).then(() => (done = true));
  await client.choose({ kind: "epsilon", value: 0.05 });
  assert.equal(done, false);
  await work;
});

test("the worst case is that of the last result, over the range of the measure's rows", async (t) => {
  const client = newClient(t, { spawn: spawnThread });
  await client.open(TINY, "tiny.json");
  await assert.rejects(client.certify(), fault("ARGUMENT"));
  const table = await client.read(TINY_ROWS, "rows.csv");
  await client.path({ data: table });
  await client.compress({ kind: "retain", value: 0.5 }, { verify: false });
  /** @type {Set<string>} */
  const stages = new Set();
  const worst = await client.certify({ onProgress: ({ stage }) => stages.add(stage) });
  assert.ok("bound" in worst && worst.bound !== null && worst.found > 0 && worst.found <= worst.bound);
  const column = (/** @type {number} */ i) => Array.from({ length: table.rows }, (_, row) => table.features[4 * row + i]);
  assert.deepEqual(worst.low, [0, 1, 2, 3].map((i) => Math.min(...column(i))));
  assert.deepEqual(worst.high, [0, 1, 2, 3].map((i) => Math.max(...column(i))));
  assert.deepEqual([...stages], ["certify"]);
  await client.open(bytesOf(RESIDUAL), "residual.onnx");
  await client.path({ rows: 64 });
  await client.compress({ kind: "retain", value: 0.8 }, { verify: false });
  const none = await client.certify();
  assert.ok("unavailable" in none && /two branches meet there/.test(none.unavailable));
});

test("bounding the worst case ends with a signal, a later call, and the result it speaks of", async (t) => {
  let restarts = 0;
  const client = newClient(t, { spawn: spawnThread, onRestart: () => (restarts += 1) });
  await client.open(TINY, "tiny.json");
  const smaller = () => client.compress({ kind: "retain", value: 0.5 }, { verify: false });
  /** A bounding that is under way. @param {AbortSignal} [signal] */
  const started = (signal) =>
    new Promise((/** @type {(work: {end: Promise<unknown>}) => void} */ resolve) => {
      const end = client.certify({ signal, onProgress: () => resolve({ end }) });
      end.catch(() => {});
    });
  await client.path({ rows: 300 });
  await smaller();
  const controller = new AbortController();
  const reason = new Error("another target");
  const stopped = await started(controller.signal);
  controller.abort(reason);
  await assert.rejects(stopped.end, reason);
  const first = await started();
  const second = await started();
  await assert.rejects(first.end, aborted);
  await smaller();
  await assert.rejects(second.end, aborted);
  const third = await started();
  await client.path({ rows: 200 });
  await assert.rejects(third.end, aborted);
  await smaller();
  const fourth = await started();
  await client.open(ball, "ball.onnx");
  await assert.rejects(fourth.end, aborted);
  assert.equal(restarts, 0);
});

test("errors keep their fields, and a failed open leaves the model that was open", async (t) => {
  const client = newClient(t, { spawn: spawnHere });
  await assert.rejects(client.choose({ kind: "epsilon", value: 1 }), fault("ARGUMENT"));
  await client.open(ball, "ball.onnx");
  await client.path({ rows: 256 });
  await assert.rejects(client.open(new Uint8Array(), "empty.onnx"), (/** @type {any} */ error) => fault("EMPTY")(error) && /empty\.onnx/.test(error.message));
  assert.equal((await client.choose({ kind: "retain", value: 0.5 })).widths.length, 2);
  await assert.rejects(client.read(new TextEncoder().encode("1,2\n"), "two.csv"), fault("DATA"));
});

test("a later call of the same name replaces the earlier one", async (t) => {
  const client = newClient(t, { spawn: spawnHere });
  await client.open(digits, "digits.onnx");
  await client.path();
  const first = client.compress({ kind: "retain", value: 0.6 }, { verify: false });
  const second = client.compress({ kind: "retain", value: 0.2 }, { verify: false });
  await assert.rejects(first, aborted);
  assert.ok((await second).retained <= 0.2);
});

test("an aborted call rejects at once with the signal's reason, and the worker goes on", async (t) => {
  let restarts = 0;
  const client = newClient(t, { spawn: spawnThread, onRestart: () => (restarts += 1) });
  await client.open(digits, "digits.onnx");
  const controller = new AbortController();
  const reason = new Error("moved on");
  await assert.rejects(client.path({ signal: controller.signal, onProgress: () => controller.abort(reason) }), reason);
  await assert.rejects(client.path({ signal: AbortSignal.abort(reason) }), reason);
  assert.equal((await client.path({ rows: 256 })).sites.length, 2);
  assert.equal(restarts, 0);
});

test("a worker that does not obey is replaced and the model opened again", async (t) => {
  let spawned = 0;
  const spawn = () => spawnThread({ hang: ++spawned === 1 });
  const restarted = new Promise((resolve) => {
    const client = newClient(t, { spawn, patience: 50, onRestart: () => resolve(client) });
    const controller = new AbortController();
    void client.open(ball, "ball.onnx").then(() => {
      client.path({ signal: controller.signal }).catch(() => {});
      setTimeout(() => controller.abort(), 50);
    });
  });
  const client = /** @type {import("../wasm/client.js").Client} */ (await restarted);
  assert.equal(spawned, 2);
  assert.equal((await client.path({ rows: 256 })).sites.length, 2);
});

test("a model that is opened while another call does not stop is opened by the worker that takes over", async (t) => {
  let spawned = 0;
  const client = newClient(t, { spawn: () => spawnThread({ hang: ++spawned === 1 }), patience: 50 });
  await client.open(ball, "ball.onnx");
  const controller = new AbortController();
  const stopped = assert.rejects(client.path({ signal: controller.signal }), aborted);
  setTimeout(() => controller.abort(), 20);
  await stopped;
  assert.equal((await client.open(digits, "digits.onnx")).features, 64);
  assert.equal(client.source()?.name, "digits.onnx");
  assert.equal(spawned, 2);
});

test("files are read by the worker, and what goes with a result is named", needsMaterial, async (t) => {
  const client = newClient(t, { spawn: spawnThread });
  const name = "derived_abalone_external.onnx";
  const [model, weights] = [name, `${name}.data`].map((file) => new Blob([bytesOf(materialFile(`models/${file}`))]));
  const info = await client.open(model, name, { files: new Map([[`${name}.data`, weights]]) });
  assert.equal(info.bytes, model.size + weights.size);
  await client.path({ rows: 256 });
  const report = await client.compress({ kind: "retain", value: 0.3 }, { large: 1000 });
  assert.ok(report.verified && "agrees" in report.verified && report.verified.agrees);
  const [[file, content]] = await client.files("onnx");
  assert.equal(file, "derived_abalone_external.small.onnx.data");
  assert.equal((await client.write("onnx")).length + /** @type {Uint8Array} */ (content).length, report.bytes.after);
  await client.compress({ kind: "retain", value: 0.3 }, { verify: false });
  assert.equal((await client.files("onnx")).size, 0);
});
