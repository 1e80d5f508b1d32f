// What goes wrong while the page works, in Chromium: the worker killed, work cancelled, the page reloaded in the middle, storage
// forbidden, the runtime missing, drops that overtake each other. The open model and the last result survive.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { bytesOf, fixtureFile, jsonModel, sampleFile } from "../material.js";
import { asked, download, drop, openBrowser, resting } from "../page/built.js";

/** @typedef {import("playwright-core").Page} Page */

const RESIDUAL = { name: "recurrent.onnx", bytes: bytesOf(fixtureFile("recurrent.onnx")) };
const ROWS = { name: "glycolysis.csv", bytes: bytesOf(sampleFile("glycolysis.csv")) };

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
before(async () => (stage = await openBrowser()));
after(() => stage?.end());

/** What the page holds on to for these tests: its workers, so that they can be killed. */
function keepWorkers() {
  const all = /** @type {any} */ (window);
  all.workers = [];
  all.Worker = class extends Worker {
    /** @param {string|URL} url @param {WorkerOptions} [options] */
    constructor(url, options) {
      super(url, options);
      all.workers.push(this);
    }
  };
}

/** A clock that can be put forward. */
function lateClock() {
  const all = /** @type {any} */ (window);
  const now = performance.now.bind(performance);
  all.later = 0;
  performance.now = () => now() + all.later;
}

/** @param {{polish?: boolean, hash?: string, prepare?: (page: Page) => Promise<unknown>}} [options] */
async function freshPage({ polish = false, hash = "", prepare = async () => {} } = {}) {
  const page = await stage.browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(60_000);
  /** @type {string[]} */
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.addInitScript(keepWorkers);
  if (!polish) await page.addInitScript(() => sessionStorage.setItem("netlump.polish", "off"));
  await prepare(page);
  await page.goto(`${stage.url}${hash}`);
  return { page, complaints };
}

/** @param {Page} page @param {string} title */
async function openSample(page, title) {
  await page.locator(".sample", { hasText: title }).click();
  await resting(page);
}

const reportOf = async (/** @type {Page} */ page) => JSON.parse(new TextDecoder().decode((await download(page, "Numbers (JSON)")).bytes));
/** @param {Page} page @param {string} name */
const opened = (page, name) => page.waitForFunction((wanted) => document.querySelector("h1.file-name")?.textContent === wanted, name);
const problems = (/** @type {Page} */ page) => page.locator(".problem").allInnerTexts();

/** In the page: when a stage's bar appears, the worker dies, Cancel is pressed, or it is only seen. @param {{label: string, act: "kill"|"cancel"|"see"}} what */
function strike({ label, act }) {
  const all = /** @type {any} */ (window);
  all.struck = new Promise((resolve) => {
    const look = () => {
      const bar = [...document.querySelectorAll("progress")].find((one) => one.getAttribute("aria-label")?.startsWith(label));
      if (!bar) return;
      observer.disconnect();
      if (act === "kill") {
        const worker = all.workers.at(-1);
        worker.terminate();
        worker.dispatchEvent(new Event("error"));
      }
      if (act === "cancel") [...document.querySelectorAll("button")].find((button) => button.textContent === "Cancel")?.click();
      resolve(true);
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    look();
  });
}

/** @param {Page} page @param {string} label @param {"kill"|"cancel"|"see"} act @param {() => Promise<unknown>} start what brings the stage about */
async function struck(page, label, act, start) {
  await page.evaluate(strike, { label, act });
  await start();
  await page.evaluate(() => /** @type {any} */ (window).struck);
}

const quiet = (/** @type {Page} */ page) => page.waitForFunction(() => document.querySelector("progress") === null);

let retained = 20;
/** A size not asked for before. @param {Page} page */
async function nextSize(page) {
  await page.getByRole("radio", { name: "Size" }).check();
  await page.fill("input[name=value]", String((retained += 1)));
  await page.keyboard.press("Enter");
}

/** What starts each stage. @type {[string, (page: Page) => Promise<unknown>][]} */
const STAGES = [
  ["Measuring neurons", (page) => drop(page, [ROWS])],
  ["Fitting", nextSize],
  ["Checking with ONNX Runtime", nextSize],
  ["Drawing the curve", (page) => page.selectOption("select[name=method]", "wanda")],
  ["Bounding the worst case", (page) => page.getByRole("button", { name: "Worst case" }).click()],
  ["Drawing ", (page) => page.getByRole("button", { name: "All methods" }).click()],
  ["Polishing", (page) => page.locator("input[name=polish]").click()],
];

test("a worker killed in any stage is replaced: the model is open, and the result comes", async () => {
  const { page, complaints } = await freshPage({ prepare: (one) => one.addInitScript(lateClock) });
  await openSample(page, "glycolysis");
  for (const [i, [label, start]] of STAGES.entries()) {
    await page.evaluate(() => (/** @type {any} */ (window).later += 60_000)); // two crashes within ten seconds are another story
    await struck(page, label, "kill", () => start(page));
    await page.waitForFunction((count) => /** @type {any} */ (window).workers.length === count, i + 2);
    await page.waitForFunction(() => document.querySelector("progress") !== null);
    await resting(page);
    assert.equal(await page.textContent("h1.file-name"), "glycolysis.onnx", label);
    assert.ok((await reportOf(page)).retained < 1, label);
  }
  assert.deepEqual(complaints, []);
  await page.close();
});

test("work cancelled in any stage leaves the model and the last result, and the next gives what it gave before", async () => {
  const { page, complaints } = await freshPage();
  await openSample(page, "glycolysis");
  await drop(page, [ROWS]);
  await quiet(page);
  await resting(page);
  const first = await reportOf(page);
  await asked(page, () => nextSize(page)); // Cancel goes back to the kind of target that was
  await resting(page);
  for (const [label, start] of STAGES.slice(1)) {
    const before = await reportOf(page);
    await struck(page, label, "cancel", () => start(page));
    await quiet(page);
    await resting(page);
    assert.equal(await page.textContent("h1.file-name"), "glycolysis.onnx", label);
    const { target, deviation } = await reportOf(page);
    if (/Fitting|Checking/.test(label)) assert.deepEqual([target, deviation], [before.target, before.deviation], `${label}: the last result is there`);
    assert.deepEqual(await problems(page), [], label);
    if ((await page.inputValue("select[name=method]")) === "projected") continue;
    await asked(page, () => page.selectOption("select[name=method]", "projected"));
    await resting(page);
  }
  if (await page.locator("input[name=polish]").isChecked()) await page.locator("input[name=polish]").uncheck();
  await page.getByRole("radio", { name: "Tolerance" }).check();
  await page.fill("input[name=value]", String(first.target.value));
  await asked(page, () => page.keyboard.press("Enter"));
  await resting(page);
  const last = await reportOf(page);
  assert.deepEqual([last.target, last.sites, last.deviation], [first.target, first.sites, first.deviation]);
  await struck(page, "Measuring neurons", "cancel", () => drop(page, [ROWS]));
  await quiet(page);
  assert.equal(await page.textContent("h1.file-name"), "glycolysis.onnx");
  await page.getByText("Stopped.").waitFor();
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a page that is reloaded in the middle begins anew, and its link brings the settings back", async () => {
  const { page, complaints } = await freshPage({ hash: "#?sample=glycolysis&retain=0.25&polish=no" });
  for (const label of ["Measuring neurons", "Fitting"]) {
    await page.waitForFunction((start) => [...document.querySelectorAll("progress")].some((bar) => bar.getAttribute("aria-label")?.startsWith(start)), label);
    await page.reload();
  }
  await resting(page);
  const { target, retained: left } = await reportOf(page);
  assert.deepEqual(target, { kind: "retain", value: 0.25 });
  assert.ok(left <= 0.25);
  assert.deepEqual([await problems(page), complaints], [[], []]);
  await page.evaluate(() => void (location.hash = ""));
  await page.reload();
  await page.waitForSelector(".sample");
  assert.deepEqual([await page.locator(".numbers").count(), await problems(page)], [0, []], "nothing is half open");
  await page.close();
});

test("a browser that forbids storage, or has none left, gets a page that works and does not complain", async () => {
  const forbid = () => {
    const no = () => {
      throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
    };
    for (const name of ["setItem", "getItem", "removeItem"]) Object.defineProperty(Storage.prototype, name, { value: no });
    for (const name of ["open", "match", "keys"]) Object.defineProperty(CacheStorage.prototype, name, { value: no });
    Object.defineProperty(window, "localStorage", { get: no });
  };
  const { page, complaints } = await freshPage({ polish: true, prepare: (one) => one.addInitScript(forbid) });
  await openSample(page, "glycolysis");
  await page.locator("input[name=polish]").uncheck();
  await resting(page);
  await page.evaluate(() => void (location.hash = "#class"));
  await page.getByText(/^Step 0 of [1-9]/).waitFor();
  assert.deepEqual([await problems(page), complaints], [[], []]);
  await page.close();
});

test("without ONNX Runtime the result is there, not checked, and why; a model that needs it says so", async () => {
  for (const missing of ["**/ort-wasm-simd-threaded.wasm", "**/ort*"]) {
    const { page, complaints } = await freshPage({ prepare: (one) => one.context().route(missing, (route) => route.fulfill({ status: 404, body: "gone" })) });
    await openSample(page, "glycolysis");
    assert.match(await page.locator(".numbers").innerText(), /Not checked/);
    const { verified } = await reportOf(page);
    assert.match(verified.skipped, /ONNX Runtime/);
    assert.doesNotMatch(verified.skipped, /refuses|backend/, "the model is not to blame");
    await drop(page, [RESIDUAL]);
    await page.waitForSelector(".problem[role=alert]");
    assert.match((await problems(page)).join(), /ONNX Runtime/);
    assert.deepEqual(complaints, []);
    await page.close();
  }
});

test("of two models dropped one after the other the later wins, however long after", async () => {
  const { page, complaints } = await freshPage();
  for (const [round, delay] of [0, 1, 5, 20, 60, 200].entries()) {
    const drops = ["first", "second"].map((name, i) => ({ name: `${name}${round}.json`, bytes: jsonModel(i === 0 ? [40, 200, 60, 5] : [6, 16, 2], { copies: 2, seed: round + 1 }) }));
    await drop(page, [drops[0]]);
    await page.evaluate((ms) => new Promise((resolve) => setTimeout(resolve, ms)), delay); // it is the delays that are tried
    await drop(page, [drops[1]]);
    await opened(page, drops[1].name);
    await resting(page);
    assert.deepEqual([await page.textContent("h1.file-name"), (await reportOf(page)).model?.name ?? drops[1].name, await problems(page)], [drops[1].name, drops[1].name, []], `after ${delay} ms`);
  }
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a broken file dropped while a model is being opened is named, however long after, and what is open is worked on", async () => {
  const { page, complaints } = await freshPage();
  const whole = bytesOf(sampleFile("ball.onnx"));
  for (const delay of [0, 10, 40, 80, 120, 150, 180, 220, 300, 500]) {
    await drop(page, [{ name: "ball.onnx", bytes: whole }]);
    await page.evaluate((ms) => new Promise((resolve) => setTimeout(resolve, ms)), delay);
    await drop(page, [{ name: "half.onnx", bytes: whole.subarray(0, whole.length >> 1) }]);
    await page.locator(".problem", { hasText: "half.onnx" }).waitFor({ timeout: 20_000 });
    if (await page.locator("h1.file-name").count()) await resting(page);
    assert.match((await problems(page)).join(), /half\.onnx/, `after ${delay} ms`);
    await page.locator(".problem").getByRole("button", { name: "Close" }).click();
  }
  assert.deepEqual(complaints, []);
  await page.close();
});
