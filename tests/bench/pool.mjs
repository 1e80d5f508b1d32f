// A model with eight equal sites from opening to result, by one instance and by threads side by side, in turns: seconds, their ratio, and
// what copying between instances costs. "busy": processor seconds that no other load touches, along the longest way: the calling thread's
// and those of the busiest other thread, as if the two never ran at once (Linux; the figure to read on a crowded machine).
//   node tests/bench/pool.mjs [width [rounds [threads [rows]]]]
import { readFileSync, readdirSync } from "node:fs";
import { loadavg } from "node:os";

import { createEngine } from "../../wasm/engine.js";
import { loadCore } from "../../wasm/loader.js";
import { chainModel } from "./dense.js";

const [width = 512, rounds = 5, threads = 2, rows = 0] = process.argv.slice(2).map(Number);
const SITES = 8;
const TICKS = 100; // a second, of Linux's clock of threads
const TARGET = /** @type {const} */ ({ kind: "retain", value: 0.5 });
const bytes = chainModel([width, ...Array.from({ length: SITES }, () => width), 10]);

/** Processor seconds of this process' threads so far. @returns {Map<string, number>} */
function clocks() {
  const all = new Map();
  for (const id of readdirSync("/proc/self/task"))
    try {
      const fields = readFileSync(`/proc/self/task/${id}/stat`, "utf8").split(") ")[1].split(" ");
      all.set(id, (Number(fields[11]) + Number(fields[12])) / TICKS);
    } catch {
      // it has just ended
    }
  return all;
}

/** Runs something and watches the threads' clocks: they are gone with their threads. @template T @param {() => Promise<T>} run
 * @returns {Promise<{value: T, seconds: number, busy: number}>} */
async function timed(run) {
  const before = clocks();
  const last = new Map(before);
  const look = () => clocks().forEach((seconds, id) => last.set(id, seconds));
  const timer = setInterval(look, 50);
  const start = performance.now();
  const value = await run();
  const seconds = (performance.now() - start) / 1000;
  clearInterval(timer);
  look();
  const spent = [...last].map(([id, at]) => ({ id, spent: at - (before.get(id) ?? 0) }));
  const own = spent.find(({ id }) => id === String(process.pid))?.spent ?? 0;
  const others = spent.filter(({ id }) => id !== String(process.pid)).map((thread) => thread.spent);
  return { value, seconds, busy: own + Math.max(0, ...others) };
}

/** @typedef {{seconds: number, busy: number}} Time @typedef {{path: Time, result: Time, whole: Time, made: string}} Run */

/** @param {number} count of threads @returns {Promise<Run>} */
async function made(count) {
  const engine = await createEngine({ threads: count });
  const path = await timed(async () => engine.open(bytes, "chain.onnx").path({ rows }));
  const result = await timed(async () => path.value.compress(TARGET));
  const whole = { seconds: path.seconds + result.seconds, busy: path.busy + result.busy };
  return { path, result, whole, made: JSON.stringify([path.value.info, result.value.report]) + Buffer.from(result.value.write()).toString("base64") };
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
  for (const [i, count] of [1, threads].entries()) runs[i].push(await made(count));
  const [one, many] = runs.map((list) => /** @type {Run} */ (list.at(-1)));
  if (one.made !== many.made) throw new Error("the results differ");
}
console.log(`${SITES} sites of ${width}, medians of ${rounds}, load ${loadavg()[0].toFixed(1)}\n\n| | alone, s | ${threads} threads | ratio | alone, busy s | ${threads} threads | ratio |\n|---|---|---|---|---|---|---|`);
for (const part of /** @type {const} */ (["path", "result", "whole"])) {
  const cells = /** @type {const} */ (["seconds", "busy"]).flatMap((of) => {
    const [one, many] = runs.map((list) => list.map((run) => run[part][of]));
    return [median(one).toFixed(2), median(many).toFixed(2), median(one.map((value, i) => value / many[i])).toFixed(2)];
  });
  console.log(`| ${{ path: "opening to order", result: "order to result", whole: "opening to result" }[part]} | ${cells.join(" | ")} |`);
}
console.log(`\ncopying what crosses, twice and a clone: ${(await crossing()).toFixed(2)} s`);
