// The page's slider in Chromium, dragged with a mouse, an event a frame, and let go.
// "frame": from an event's creation to the frame that shows what came of it, by the browser's own trace (EventLatency); "from the page": from
// when the page's thread is given the event, which Chromium does with its frames (EventLatency less RendererCompositorToMain); "clock": as it was
// measured before, from an input event right behind a frame to a timer behind the frame after the numbers' change, which waits for a whole
// frame whatever the page does. "processor" of a frame: the page's thread, for each event of the drag.
// From the last event, as far as a frame later: "known", until size and deviation are there, read off the line; "draft", until a network
// of that size is fitted, measured and shown; "refit", until the result is; "polished", until it is as good as it gets. "processor" of
// draft and refit: the worker's threads together, from the last event.
//   node tests/bench/slider.mjs [--dist folder] [widths ...]      8-64-64-1 ...
import { loadavg } from "node:os";
import { parseArgs } from "node:util";

import { serve } from "../../web/serve.mjs";
import { drop, openBrowser } from "../page/built.js";
import { chainModel } from "./dense.js";

const { values: options, positionals } = parseArgs({ options: { dist: { type: "string" } }, allowPositionals: true });
const NETWORKS = positionals.length > 0 ? positionals : ["8-64-64-1", "16-128-128-4", "32-192-192-192-10", "64-256-256-256-256-10", "784-300-100-10"];
const PLACES = [0.72, 0.5]; // of the slider
const EVENTS = 45;
const FRAME = 17; // ms
const PATIENCE = 600_000; // ms, for a busy machine
const CATEGORIES = ["blink.user_timing", "disabled-by-default-devtools.timeline", "cc", "benchmark", "input"];

const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[values.length >> 1];
/** Parameters of a chain. @param {number[]} widths */
const parametersOf = (widths) => widths.slice(1).reduce((sum, out, i) => sum + out * (widths[i] + 1), 0);

/** @typedef {{known?: number, draft?: number, refit?: number, polished?: number}} Seen   ms from the last event */

/** Notes from now on when things come after the last event, and the longest task. */
function watch() {
  const there = {
    known: () => document.querySelector(".numbers .number.dim:nth-of-type(3)") === null,
    draft: () => document.querySelector(".numbers")?.textContent?.includes("First fit"),
    refit: () => document.querySelector(".downloads .primary:not(:disabled)") !== null,
    polished: () => document.querySelector(".downloads .primary:not(:disabled)") !== null && document.querySelector("progress") === null,
  };
  const watched = { last: 0, longest: 0, seen: /** @type {Record<string, number>} */ ({}) };
  Object.assign(window, { watched });
  const look = () => {
    const { last } = watched;
    for (const [name, holds] of Object.entries(there)) {
      if (last === 0 || watched.seen[name] !== undefined || !holds()) continue;
      watched.seen[name] = NaN;
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel(); // heard right behind the frame
        port1.onmessage = () => {
          if (watched.last !== last) return;
          watched.seen[name] = performance.now() - last;
          performance.mark(name);
        };
        port2.postMessage(null);
      });
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (watched.longest = Math.max(watched.longest, duration)))).observe({ type: "longtask" });
  const heard = (/** @type {Event} */ { timeStamp }) => {
    watched.last = timeStamp;
    watched.seen = {};
    performance.mark("event");
  };
  document.querySelector("input[name=dial]")?.addEventListener("input", heard, { capture: true }); // before the page hears of it
}

/** By the clock: from an event right behind a frame to a timer behind the frame after the change. @param {number[]} places in thousandths */
async function clocked(places) {
  const slider = /** @type {HTMLInputElement} */ (document.querySelector("input[name=dial]"));
  const first = () => document.querySelector(".numbers")?.firstElementChild?.textContent;
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const times = [];
  for (const place of places) {
    await frame();
    const [start, before] = [performance.now(), first()];
    slider.value = String(Math.round((Number(slider.max) * place) / 1000));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    do await frame();
    while (first() === before);
    times.push(performance.now() - start);
  }
  return times;
}

/** @typedef {{name: string, cat: string, ph: string, ts: number, tdur?: number, pid: number, tid: number, id2?: {local?: string}, args: any}} TraceEvent */

/** From each event's creation to the frame that shows it, and from when the page's thread was given it. @param {TraceEvent[]} events */
function latencies(events) {
  /** @type {Map<string, {start: number, waits: number}>} */
  const begun = new Map();
  const [all, fromPage] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  for (const { name, ph, ts, pid, id2, args } of events) {
    const id = `${pid} ${id2?.local}`;
    if (name === "EventLatency" && ph === "b" && args.event_latency?.event_type === "MOUSE_DRAGGED") begun.set(id, { start: ts, waits: 0 });
    const event = begun.get(id);
    if (event === undefined) continue;
    if (name === "RendererCompositorToMain") event.waits += ph === "e" ? ts : -ts;
    if (name !== "EventLatency" || ph !== "e") continue;
    all.push((ts - event.start) / 1000);
    fromPage.push((ts - event.start - event.waits) / 1000);
    begun.delete(id);
  }
  return { all, fromPage };
}

/** Processor ms of tasks: of the page's thread for an event of the drag, of the others of its process from the last event on.
 * @param {TraceEvent[]} events */
function processorTimes(events) {
  const marks = (/** @type {string} */ name) => events.filter((event) => event.name === name && event.cat.includes("user_timing") && event.ph !== "M");
  const inputs = marks("event");
  const [first, last] = [inputs[0], inputs[inputs.length - 1]];
  const tasks = events.filter((event) => event.name === "RunTask" && event.pid === first.pid && event.tdur !== undefined);
  const sum = (/** @type {number} */ from, /** @type {number|undefined} */ to, /** @type {(task: TraceEvent) => boolean} */ of) =>
    tasks.filter((task) => task.ts >= from && task.ts < (to ?? from) && of(task)).reduce((ms, { tdur = 0 }) => ms + tdur / 1000, 0);
  const worker = new Set(events.filter(({ name, pid, args }) => name === "thread_name" && pid === first.pid && /DedicatedWorker/.test(args.name)).map(({ tid }) => tid));
  const until = (/** @type {string} */ name) => sum(last.ts, marks(name).at(-1)?.ts, ({ tid }) => worker.has(tid));
  return { frame: sum(first.ts - 2000, last.ts, ({ tid }) => tid === first.tid) / (inputs.length - 1), draft: until("draft"), refit: until("refit") };
}

/** Drags the slider and waits for what comes of it. @param {import("playwright-core").Page} page */
async function dragged(page) {
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (await page.locator("input[name=dial]").boundingBox());
  const to = (/** @type {number} */ place) => page.mouse.move(box.x + box.width * place, box.y + box.height / 2);
  await to(PLACES[0]);
  await page.mouse.down();
  for (let i = 1; i <= EVENTS; i += 1) {
    const start = performance.now();
    await to(PLACES[0] + ((PLACES[1] - PLACES[0]) * i) / EVENTS);
    await new Promise((resolve) => setTimeout(resolve, start + FRAME - performance.now()));
  }
  await page.waitForFunction(() => /** @type {any} */ (window).watched.seen.polished > 0);
  await page.mouse.up();
  return page.evaluate(() => /** @type {{seen: Seen, longest: number}} */ (/** @type {any} */ (window).watched));
}

const round = (/** @type {number|undefined} */ ms) => (ms === undefined || Number.isNaN(ms) ? "–" : String(ms < 100 ? Math.round(10 * ms) / 10 : Math.round(ms)));
const stage = await openBrowser();
const other = options.dist === undefined ? null : await serve(options.dist, 0);
try {
  console.log("| network | parameters | frame, ms (longest) | from the page | processor | clock | known, ms | draft, ms | processor | refit, ms | processor | polished, ms | longest task, ms | load |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
  for (const name of NETWORKS) {
    const widths = name.split("-").map(Number);
    const context = await stage.browser.newContext({ viewport: { width: 1280, height: 900 } });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const rests = () => page.waitForFunction(() => document.querySelector(".downloads .primary:not(:disabled)") && !document.querySelector("progress"));
    await page.goto((other ?? stage).url);
    await page.waitForSelector(".sample");
    await drop(page, [{ name: "chain.onnx", bytes: chainModel(widths) }]);
    await page.waitForSelector("input[name=kind]", { state: "attached" });
    await page.locator("input[name=kind]").nth(1).evaluate((/** @type {HTMLInputElement} */ radio) => radio.click());
    await rests();
    const clock = await page.evaluate(clocked, [700, 660, 620, 580, 540, 500, 460, 420]);
    await rests();
    await page.evaluate(watch);
    await stage.browser.startTracing(page, { categories: CATEGORIES });
    const { seen, longest } = await dragged(page);
    const trace = JSON.parse((await stage.browser.stopTracing()).toString());
    const events = trace.traceEvents ?? trace;
    const frames = latencies(events);
    const processor = processorTimes(events);
    console.log(`| ${name} | ${parametersOf(widths).toLocaleString("en")} | ${round(median(frames.all))} (${round(Math.max(...frames.all))}) | ${round(median(frames.fromPage))} | ${round(processor.frame)} | ${round(median(clock))} | ${round(seen.known)} | ${round(seen.draft)} | ${round(processor.draft)} | ${round(seen.refit)} | ${round(processor.refit)} | ${round(seen.polished)} | ${round(longest)} | ${loadavg()[0].toFixed(1)} |`);
    await context.close();
  }
} finally {
  await other?.close();
  await stage.end();
}
