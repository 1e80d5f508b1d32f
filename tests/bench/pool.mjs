// A model with eight equal sites, ordered by one instance and by two threads side by side, in turns: seconds, their ratio, processor
// seconds, and what crossing costs.
//   node tests/bench/pool.mjs [width [rounds [threads [rows]]]]
import { createEngine } from "../../wasm/engine.js";
import { loadCore } from "../../wasm/loader.js";
import { chainModel } from "./dense.js";

const [width = 512, rounds = 5, threads = 2, rows = 0] = process.argv.slice(2).map(Number);
const SITES = 8;
const bytes = chainModel([width, ...Array.from({ length: SITES }, () => width), 10]);

/** @typedef {{seconds: number, processor: number, memory: number, info: string}} Run */

/** @param {number} count of threads @returns {Promise<Run>} */
async function ordered(count) {
  const engine = await createEngine({ threads: count });
  const model = engine.open(bytes, "chain.onnx");
  const before = process.cpuUsage();
  const start = performance.now();
  const { info } = await model.path({ rows });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, processor: (user + system) / 1e6, memory: engine.memory, info: JSON.stringify(info) };
}

/** Seconds that the bytes of all blocks of rows take from one instance into another and in, as copies (in fact the middle
 * one is handed over). @returns {Promise<number>} */
async function crossing() {
  const [from, to] = await Promise.all([loadCore(), loadCore()]);
  const size = 8 * SITES * ((width * (width + 1)) / 2 + 2 * width);
  const pointer = from.take(size);
  const start = performance.now();
  for (let block = 0; block * 256 < (rows || 8192); block += 1) to.release(to.copyIn(structuredClone(from.copyOut(pointer, size))));
  return (performance.now() - start) / 1000;
}

const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** @type {Run[][]} */
const runs = [[], []];
for (let round = 0; round < rounds; round += 1) {
  for (const [i, count] of [1, threads].entries()) runs[i].push(await ordered(count));
  const [one, many] = runs.map((list) => /** @type {Run} */ (list.at(-1)));
  if (one.info !== many.info) throw new Error("the results differ");
  console.log(`round ${round + 1}: ${one.seconds.toFixed(2)} s alone, ${many.seconds.toFixed(2)} s with ${threads}, ratio ${(one.seconds / many.seconds).toFixed(2)}`);
}
const [alone, together] = runs.map((list) => ({ seconds: median(list.map((run) => run.seconds)), processor: median(list.map((run) => run.processor)) }));
const ratio = median(runs[0].map((run, i) => run.seconds / runs[1][i].seconds));
console.log(`${SITES} sites of ${width}: alone ${alone.seconds.toFixed(2)} s (${alone.processor.toFixed(2)} s of processor), ${threads} threads ${together.seconds.toFixed(2)} s (${together.processor.toFixed(2)} s), ratio ${ratio.toFixed(2)} (median of ${rounds})`);
console.log(`copying what crosses, twice and a clone: ${(await crossing()).toFixed(2)} s`);
