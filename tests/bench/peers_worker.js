// The peers of peers.mjs that run in Node, as peers.py has the others: node peers_worker.js PEER, then a job a line on stdin.
import { readFile, writeFile } from "node:fs/promises";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { createEngine } from "../../wasm/engine.js";
import { wantsOrder } from "../../wasm/methods.js";

/** @typedef {{model: string, out: string, share: number, rows: string|null, features: number, repeat: number}} Job */

const WARM = 1; // seconds of runs before those that count: until then code is still compiled beside them
const peer = process.argv[2];
console.log = () => {}; // onnxsim says much
const engine = await createEngine({ threads: 1 });

/** @param {Job} job @param {Float64Array|null} rows @param {{kind: "retain"|"epsilon", value: number}} target @param {import("../../wasm/engine.js").Way} way */
async function compressed(job, rows, target, way) {
  const model = engine.open(new Uint8Array(await readFile(job.model)), "model.onnx");
  const data = rows && { features: rows, labels: null, rows: rows.length / job.features, columns: job.features, labelColumns: 0, names: null, source: "rows" };
  try {
    const path = await model.path({ data: /** @type {any} */ (data), seed: 1, ordered: wantsOrder(way.method) });
    const result = await path.compress(target, way);
    await writeFile(job.out, result.write("onnx"));
    return result.report.retained;
  } finally {
    model.free();
  }
}

/** @param {Job} job */
async function simplified(job) {
  const { simplify } = await import(new URL("../long/node_modules/onnxsim/index.mjs", import.meta.url).href);
  const { model } = await simplify(new Uint8Array(await readFile(job.model)));
  await writeFile(job.out, model);
  return 1;
}

/** @type {Record<string, (job: Job, rows: Float64Array|null) => Promise<number>>} */
const PEERS = {
  netlump: (job, rows) => compressed(job, rows, { kind: "retain", value: job.share }, { polish: true }),
  "netlump unpolished": (job, rows) => compressed(job, rows, { kind: "retain", value: job.share }, {}),
  "netlump norm": (job, rows) => compressed(job, rows, { kind: "retain", value: job.share }, { method: "norm" }),
  "netlump ε = 0": (job) => compressed(job, null, { kind: "epsilon", value: 0 }, {}),
  "netlump read, write": (job) => compressed(job, new Float64Array(job.features), { kind: "retain", value: 1 }, { method: "norm" }), // of one row
  onnxsim: simplified,
};

const largestMemory = () => 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** @param {Job} job */
async function run(job) {
  const bytes = job.rows && readFileSync(job.rows);
  const rows = bytes ? Float64Array.from(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)) : null;
  for (const start = performance.now(); performance.now() - start < 1000 * WARM; ) await PEERS[peer](job, rows);
  writeFileSync("/proc/self/clear_refs", "5"); // the largest so far is forgotten
  const seconds = [];
  const wall = [];
  let retained = 0;
  for (let i = 0; i < job.repeat; i += 1) {
    const [start, clock] = [process.cpuUsage(), performance.now()];
    retained = await PEERS[peer](job, rows);
    const { user, system } = process.cpuUsage(start);
    seconds.push((user + system) / 1e6);
    wall.push((performance.now() - clock) / 1e3);
  }
  return { seconds: median(seconds), wall: median(wall), memory: largestMemory(), retained };
}

for await (const text of createInterface({ input: process.stdin })) {
  const answer = await run(JSON.parse(text)).catch((/** @type {Error} */ error) => ({ failed: `${error.name}: ${error.message}`.slice(0, 200) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
