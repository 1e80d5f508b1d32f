// The page's slider in Chromium: from an input event to painted numbers; from the last event until size and deviation are there (read off
// the line, or a draft's, or the refit's), to the refit and to the polish's end; and the longest task on the page's own thread meanwhile.
// "processor": of the threads themselves, which the load of the machine touches less: the page's from event to paint, the worker's from the
// last event to the refit.
//   node tests/bench/slider.mjs [widths ...]      8-64-64-1 ...
import { loadavg } from "node:os";

import { drop, openBrowser } from "../page/built.js";
import { chainModel } from "./dense.js";

const NETWORKS = process.argv.length > 2 ? process.argv.slice(2) : ["8-64-64-1", "16-128-128-4", "32-192-192-192-10", "64-256-256-256-256-10"];
const PLACES = [700, 660, 620, 580, 540, 500, 460, 420]; // of 1,000 on the slider
const PATIENCE = 600_000; // ms, for a busy machine
const CATEGORIES = ["blink.user_timing", "disabled-by-default-devtools.timeline"];

const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[values.length >> 1];
/** Parameters of a chain. @param {number[]} widths */
const parametersOf = (widths) => widths.slice(1).reduce((sum, out, i) => sum + out * (widths[i] + 1), 0);

/**
 * Drags the slider in the page, rests, and waits for what comes of it.
 * @param {number[]} places in thousandths
 */
async function dragged(places) {
  const slider = /** @type {HTMLInputElement} */ (document.querySelector("input[name=dial]"));
  const numbers = /** @type {Element} */ (document.querySelector(".numbers"));
  /** @type {number[]} */
  const long = [];
  const observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => long.push(entry.duration)));
  observer.observe({ type: "longtask" });
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  /** @param {Node} node @param {() => boolean} there @param {MutationObserverInit} what @returns {Promise<void>} */
  const changed = (node, there, what) =>
    new Promise((resolve) => {
      const watcher = new MutationObserver(() => there() && (watcher.disconnect(), resolve()));
      watcher.observe(node, { subtree: true, childList: true, ...what });
      if (there()) watcher.disconnect(), resolve();
    });
  const frames = [];
  for (const place of places) {
    const before = numbers.firstElementChild?.textContent;
    await painted();
    performance.mark("input");
    const start = performance.now();
    slider.value = String(Math.round((Number(slider.max) * place) / 1000));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await changed(numbers, () => numbers.firstElementChild?.textContent !== before, { characterData: true });
    await painted();
    performance.mark("painted");
    frames.push(performance.now() - start);
  }
  const start = performance.now();
  performance.mark("rest");
  const known = () => document.querySelector(".numbers .number.dim:nth-of-type(3)") === null;
  const done = () => document.querySelector(".downloads .primary:not(:disabled)") !== null;
  await changed(document, known, { attributes: true });
  await painted();
  performance.mark("known");
  const foretold = performance.now() - start;
  await changed(document, done, { attributes: true });
  performance.mark("refit");
  const refit = performance.now() - start;
  await changed(document, () => done() && document.querySelector("progress") === null, { attributes: true });
  performance.mark("polished");
  const polish = performance.now() - start;
  observer.disconnect();
  return { frames, foretold, refit, polish, longest: Math.max(0, ...long) };
}

/** @typedef {{name: string, ph: string, ts: number, tdur?: number, pid: number, tid: number, args: any}} TraceEvent */

/** Processor ms of tasks between marks: the page's own thread from each "input" to its "painted", and the busiest other of its process from
 * "rest" to "refit". @param {TraceEvent[]} events */
function processorTimes(events) {
  const marks = (/** @type {string} */ name) => events.filter((event) => event.name === name && event.ph !== "M");
  const [rest] = marks("rest");
  const [refit] = marks("refit");
  const tasks = events.filter((event) => event.name === "RunTask" && event.pid === rest.pid && event.tdur !== undefined);
  const sum = (/** @type {TraceEvent[]} */ list) => list.reduce((ms, { tdur = 0 }) => ms + tdur / 1000, 0);
  const within = (/** @type {number} */ from, /** @type {number} */ to) => tasks.filter(({ ts }) => ts >= from && ts < to);
  const ends = marks("painted");
  const frames = marks("input").map(({ ts, tid }, i) => sum(within(ts - 500, ends[i].ts).filter((task) => task.tid === tid)));
  const others = within(rest.ts, refit.ts).filter((task) => task.tid !== rest.tid);
  const threads = [...new Set(others.map((task) => task.tid))];
  return { frame: median(frames), refit: Math.max(0, ...threads.map((tid) => sum(others.filter((task) => task.tid === tid)))) };
}

const round = (/** @type {number} */ ms) => String(ms < 100 ? Math.round(10 * ms) / 10 : Math.round(ms));
const stage = await openBrowser();
try {
  console.log("| network | parameters | frame, ms (longest) | processor | known, ms | refit, ms | processor | polished, ms | longest task, ms | load |\n|---|---|---|---|---|---|---|---|---|---|");
  for (const name of NETWORKS) {
    const widths = name.split("-").map(Number);
    const context = await stage.browser.newContext({ viewport: { width: 1280, height: 900 } });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    await page.goto(stage.url);
    await page.waitForSelector(".sample");
    await drop(page, [{ name: "chain.onnx", bytes: chainModel(widths) }]);
    await page.waitForSelector("input[name=kind]", { state: "attached" });
    await page.locator("input[name=kind]").nth(1).evaluate((/** @type {HTMLInputElement} */ radio) => radio.click());
    await page.waitForFunction(() => document.querySelector(".downloads .primary:not(:disabled)") && !document.querySelector("progress"));
    await stage.browser.startTracing(page, { categories: CATEGORIES });
    const seen = await page.evaluate(dragged, PLACES);
    const trace = JSON.parse((await stage.browser.stopTracing()).toString());
    const processor = processorTimes(trace.traceEvents ?? trace);
    console.log(`| ${name} | ${parametersOf(widths).toLocaleString("en")} | ${round(median(seen.frames))} (${round(Math.max(...seen.frames))}) | ${round(processor.frame)} | ${round(seen.foretold)} | ${round(seen.refit)} | ${round(processor.refit)} | ${round(seen.polish)} | ${round(seen.longest)} | ${loadavg()[0].toFixed(1)} |`);
    await context.close();
  }
} finally {
  await stage.end();
}
