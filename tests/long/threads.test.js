// Threads beside the core in browsers: started from wherever the page's own worker is, they do jobs, and the smaller model has the
// bytes that one instance in Node makes alone. Many threads, and what becomes of them: tests/pool.test.js.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { createEngine } from "../../wasm/index.js";
import { chainModel } from "../bench/dense.js";
import { dist, download, drop, openBrowser, settled, withoutPolish } from "../page/built.js";

const MODEL = { name: "chain.onnx", bytes: chainModel([32, 256, 256, 32]) }; // 82,464 parameters

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
before(async () => (stage = await openBrowser()));
after(() => stage?.end());

/** The model made smaller by one instance alone. @param {number} epsilon */
async function alone(epsilon) {
  const model = (await createEngine({ threads: 1 })).open(MODEL.bytes, MODEL.name);
  const path = await model.path({ seed: 1 });
  return (await path.compress({ kind: "epsilon", value: epsilon })).write();
}

/** Counts the workers that a worker starts, and what they answer. */
function countHelpers() {
  const all = /** @type {any} */ (self);
  all.helpers = { started: 0, answers: 0, failed: 0 };
  all.Worker = class extends Worker {
    /** @param {string|URL} url @param {WorkerOptions} [options] */
    constructor(url, options) {
      super(url, options);
      all.helpers.started += 1;
      this.addEventListener("message", () => (all.helpers.answers += 1));
      this.addEventListener("error", () => (all.helpers.failed += 1));
    }
  };
}

for (const [where, addressOf] of /** @type {[string, () => string][]} */ ([
  ["a server", () => stage.url],
  ["a disk", () => pathToFileURL(join(dist, "netlump.html")).href],
]))
  test(`a page from ${where} does the jobs of a path in threads, to the bytes of one alone`, async () => {
    const page = await stage.browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(300_000);
    /** @type {string[]} */
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await withoutPolish(page);
    await page.goto(addressOf());
    await page.locator(".sample").first().click(); // which starts the worker
    await settled(page);
    const [worker] = page.workers();
    await worker.evaluate(countHelpers);
    await drop(page, [MODEL]);
    await page.waitForFunction(() => /of 82,464/.test(document.querySelector(".numbers")?.textContent ?? ""));
    await page.waitForSelector(".downloads .primary:not(:disabled)"); // the curve is drawn still
    const helpers = await worker.evaluate(() => /** @type {any} */ (self).helpers);
    assert.ok(helpers.started >= 2 && helpers.answers > 8 && helpers.failed === 0, JSON.stringify(helpers));
    const epsilon = Number(await page.inputValue("input[name=value]"));
    const { bytes } = await download(page, "Download smaller model");
    assert.equal(Buffer.compare(bytes, await alone(epsilon)), 0);
    assert.deepEqual(complaints, []);
    await page.close();
  });
