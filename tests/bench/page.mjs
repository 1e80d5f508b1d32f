// The first visit in Chromium: how long from navigation until the samples can be clicked, from drop to a model's first result (the
// engine is fetched and compiled in there: it waits for the first model), and what all of that weighs. Each run has a context of its
// own, so nothing is kept from the one before; service workers are blocked; the page comes from this machine, uncompressed.
//   node tests/bench/page.mjs
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { drop, openBrowser, root, settled } from "../page/built.js";
import { sumOf, weights } from "../page/weight.js";

const RUNS = 5;
const PATIENCE = 120_000; // ms, for a busy machine
const SAMPLES = ["glycolysis", "digits", "ball"].map((id) => ({ name: `${id}.onnx`, bytes: new Uint8Array(readFileSync(join(root, `web/samples/${id}.onnx`))) }));

const median = (/** @type {number[]} */ values) => [...values].sort((a, b) => a - b)[values.length >> 1];
/** Median, smallest and largest. */
const ms = (/** @type {number[]} */ values) => `${Math.round(median(values))} (${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))})`;

/** Runs in the page: notes when things are first seen there, in ms since the navigation began. */
function watch() {
  /** @type {Record<string, number>} */
  const seen = {};
  Object.assign(window, { seen });
  const note = (/** @type {string} */ name) => (seen[name] ??= performance.now());
  const look = () => {
    if (document.querySelector(".sample:not(:disabled)")) note("clickable");
    if (document.querySelector(".downloads .primary:not(:disabled)")) note("result");
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["disabled"] });
  document.addEventListener("drop", () => note("dropped"), { capture: true });
}

/**
 * One visit, until the first result; where it is weighed, until the chart is there as well.
 * @param {Awaited<ReturnType<typeof openBrowser>>} stage
 * @param {typeof SAMPLES[0]} sample
 * @param {boolean} [weighed]
 */
async function visit(stage, sample, weighed = false) {
  const context = await stage.browser.newContext({ viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(PATIENCE);
  /** @type {string[]} */
  const requests = [];
  context.on("request", (request) => requests.push(request.url()));
  await context.addInitScript(watch);
  const page = await context.newPage();
  await page.goto(stage.url);
  await page.waitForSelector(".sample");
  await drop(page, [sample]);
  await settled(page);
  const seen = await page.evaluate(() => /** @type {any} */ (window).seen);
  if (weighed) await page.waitForSelector(".hero svg");
  const files = weighed ? await weights(page, stage.url, requests) : [];
  await context.close();
  return { clickable: seen.clickable, answered: seen.result - seen.dropped, files };
}

const stage = await openBrowser();
try {
  // The first visit wakes the browser up, too: it is weighed and not timed.
  const { files } = await visit(stage, SAMPLES[0], true);
  console.log("| file | bytes, gzipped |\n|---|---|");
  for (const { name, size } of files.sort((a, b) => b.size - a.size)) console.log(`| ${name} | ${size.toLocaleString("en")} |`);
  console.log(`| all ${files.length} | ${sumOf(files).toLocaleString("en")} |`);
  console.log("\n| dropped | samples clickable, ms | from drop to first result, ms |\n|---|---|---|");
  for (const sample of SAMPLES) {
    const visits = [];
    for (let run = 0; run < RUNS; run++) visits.push(await visit(stage, sample));
    console.log(`| ${sample.name} | ${ms(visits.map(({ clickable }) => clickable))} | ${ms(visits.map(({ answered }) => answered))} |`);
  }
} finally {
  await stage.end();
}
