// The page in Chromium, on the bundled samples and on files dropped on it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { fromBinary } from "@bufbuild/protobuf";
import { unzipSync, zipSync } from "fflate";
import { ModelProtoSchema } from "onnx-buf";
import * as runtime from "onnxruntime-web/wasm";

import { readTable } from "../../wasm/data.js";
import { createEngine } from "../../wasm/engine.js";
import { number, upper } from "../../web/format.js";
import { layersOf, tensorFlowModel } from "../foreign.js";
import { bmp, png } from "../images.js";
import { bytesOf, fixtureFile, jsonModel, materialFile, needsMaterial } from "../material.js";
import { asked, download, drop, openBrowser, resting, root, settled, withoutPolish } from "./built.js";

const sample = (/** @type {string} */ name) => new Uint8Array(readFileSync(join(root, "web/samples", name)));
const MODEL = { name: "glycolysis.onnx", bytes: sample("glycolysis.onnx") };
const ROWS = { name: "glycolysis.csv", bytes: sample("glycolysis.csv") };
const PICTURE = { name: "digits.onnx", bytes: new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]) };
const TINY = { name: "tiny.json", bytes: jsonModel([4, 16, 2]) };
const TINY_ROWS = { name: "rows.csv", bytes: new TextEncoder().encode(Array.from({ length: 300 }, (_, i) => [1, 2, 3, 4].map((k) => Math.sin(i * k + k).toFixed(6)).join(",")).join("\n")) };
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
before(async () => (stage = await openBrowser()));
after(() => stage?.end());

/**
 * A fresh page, with what it asked the network for and what it complained about.
 * @param {{width?: number, height?: number, colorScheme?: "light"|"dark", polish?: boolean}} [options] polish: left on, as it is at first
 */
async function freshPage({ width = 1280, height = 900, colorScheme = "light", polish = false } = {}) {
  const page = await stage.browser.newPage({ viewport: { width, height }, colorScheme });
  if (!polish) await withoutPolish(page);
  /** @type {string[]} */
  const requests = [];
  /** @type {string[]} */
  const complaints = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(stage.url);
  await page.waitForSelector(".sample");
  return { page, requests, complaints };
}

/** Sizes of the weight matrices, (out, in) or (in, out), in the order of the file. @param {Uint8Array} bytes */
const matrices = (bytes) =>
  fromBinary(ModelProtoSchema, bytes)
    .graph?.initializer.map((tensor) => tensor.dims.map(Number))
    .filter((dims) => dims.length === 2) ?? [];

/** @param {Uint8Array} bytes @param {Float32Array} rows @param {number} features */
async function run(bytes, rows, features) {
  runtime.env.wasm.numThreads = 1;
  const session = await runtime.InferenceSession.create(bytes);
  const feeds = { [session.inputNames[0]]: new runtime.Tensor("float32", rows, [rows.length / features, features]) };
  const outputs = await session.run(feeds);
  return /** @type {Float32Array} */ (outputs[session.outputNames[0]].data);
}

/** The first columns of the sample's rows. @param {number} count @param {number} columns */
function firstRows(count, columns) {
  const lines = new TextDecoder().decode(ROWS.bytes).trim().split(/\r?\n/).filter((line) => /^[-\d]/.test(line));
  return Float32Array.from(lines.slice(0, count).flatMap((line) => line.split(",").slice(0, columns).map(Number)));
}

/** RMS of the difference over RMS of the original about its mean. @param {Float32Array} original @param {Float32Array} reduced */
function deviation(original, reduced) {
  const mean = original.reduce((sum, y) => sum + y, 0) / original.length;
  const error = original.reduce((sum, y, i) => sum + (reduced[i] - y) ** 2, 0);
  return Math.sqrt(error / original.reduce((sum, y) => sum + (y - mean) ** 2, 0));
}

test("a model dropped with its data becomes a smaller one that ONNX Runtime runs with nearly the same outputs", async () => {
  const { page, complaints } = await freshPage();
  await drop(page, [MODEL, ROWS]);
  await settled(page);
  const shownBefore = await page.textContent(".numbers .value strong");

  const slider = page.locator("input[name=dial]");
  await slider.focus();
  await asked(page, async () => {
    for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowRight");
  });
  await settled(page);
  const shownAfter = await page.textContent(".numbers .value strong");
  assert.notEqual(shownAfter, shownBefore, "the parameters follow the slider");

  const small = await download(page, "Download smaller model");
  assert.equal(small.name, "glycolysis.small.onnx");
  const [before, after] = [matrices(MODEL.bytes), matrices(small.bytes)];
  assert.equal(after.length, before.length);
  const area = (/** @type {number[][]} */ all) => all.reduce((sum, [a, b]) => sum + a * b, 0);
  assert.ok(area(after) < 0.9 * area(before), `${JSON.stringify(before)} became ${JSON.stringify(after)}`);

  const rows = firstRows(200, 7);
  const change = deviation(await run(MODEL.bytes, rows, 7), await run(small.bytes, rows, 7));
  assert.ok(change < 0.15, `outputs change by ${change}`);
  assert.match((await page.textContent(".badge")) ?? "", /ONNX Runtime agrees/);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("no request leaves the page's origin, from the first visit to the download", async () => {
  const { page, requests } = await freshPage();
  page.context().on("request", (request) => requests.push(request.url())); // the worker's, too
  await page.locator(".sample").first().click();
  await settled(page);
  await page.waitForSelector(".hero svg");
  await download(page, "Download smaller model");
  const origin = new URL(stage.url).origin;
  assert.ok(requests.some((url) => url.endsWith("netlump.wasm")), "the engine was fetched");
  assert.ok(requests.some((url) => url.includes("ort-wasm")), "the runtime was fetched");
  assert.deepEqual(requests.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith(`blob:${origin}/`)), []);
  await page.close();
});

test("a bad file is named in a sentence, and the model that was open stays open", async () => {
  const { page } = await freshPage();
  await page.locator(".sample").first().click();
  await settled(page);
  const parameters = await page.textContent(".numbers .value strong");
  await drop(page, [PICTURE]);
  const problem = await page.waitForSelector(".problem[role=alert]");
  assert.match((await problem.textContent()) ?? "", /digits\.onnx .*PNG/);
  assert.equal(await page.textContent(".controls .file-name"), "glycolysis.onnx");
  assert.equal(await page.textContent(".numbers .value strong"), parameters);
  await page.getByRole("button", { name: "Close" }).click();
  assert.equal(await page.locator(".problem").count(), 0);
  assert.ok((await download(page, "Download smaller model")).bytes.length > 0);
  await page.close();
});

test("a model and the file with its weights, dropped together, open; without it the page asks for it", needsMaterial, async () => {
  const { page, complaints } = await freshPage();
  const name = "derived_abalone_external.onnx";
  const [model, weights] = [name, `${name}.data`].map((file) => ({ name: file, bytes: bytesOf(materialFile(`models/${file}`)) }));
  await drop(page, [model]);
  assert.match((await (await page.waitForSelector(".problem[role=alert]")).textContent()) ?? "", /The weights are in derived_abalone_external\.onnx\.data\. Drop both files together/);
  await drop(page, [weights, model]);
  await settled(page);
  assert.equal(await page.textContent(".controls .file-name"), name);
  const small = await download(page, "Download smaller model");
  assert.equal(small.name, "derived_abalone_external.small.onnx");
  const rows = Float32Array.from({ length: 80 }, (_, i) => Math.sin(i));
  assert.equal((await run(small.bytes, rows, 8)).length, 10, "below the limit its weights are inside");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a TensorFlow.js model is dropped with its shards and comes back as an archive that opens again", async () => {
  const { page, complaints } = await freshPage();
  const { bytes, files } = tensorFlowModel(layersOf([4, 16, 2]), 200);
  const model = { name: "model.json", bytes };
  await drop(page, [model]);
  assert.match((await (await page.waitForSelector(".problem[role=alert]")).textContent()) ?? "", /The weights are in group1-shard1of\d\.bin/);
  await drop(page, [...[...files].map(([name, content]) => ({ name, bytes: content })), model]);
  await settled(page);
  assert.match((await page.locator(".facts-line").allTextContents()).join(" "), /TensorFlow\.js layers model · a test/);
  const small = await download(page, "Download smaller model");
  assert.equal(small.name, "model.small.zip");
  const parts = Object.entries(unzipSync(small.bytes)).map(([name, content]) => ({ name, bytes: content }));
  assert.deepEqual(parts.map(({ name }) => name), ["model.json", `group1-shard1of${files.size}.bin`]);
  const whole = (await page.locator(".facts-line").allTextContents()).join(" ");
  await drop(page, parts);
  await page.waitForFunction((before) => [...document.querySelectorAll(".facts-line")].map((line) => line.textContent).join(" ") !== before, whole);
  assert.match((await page.locator(".facts-line").allTextContents()).join(" "), /TensorFlow\.js layers model/);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a zip of images is data: folders are classes, mean and std can be given, and the pixels follow", async () => {
  const { page, complaints } = await freshPage();
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`set/${i % 2 ? "cats" : "dogs"}/${i}.png`, png(4, 4, 1, (x, y) => (17 * x * i + 40 * y + 5 * i) & 255)]));
  const zip = { name: "pets.zip", bytes: zipSync(files) };
  await drop(page, [zip]);
  assert.match((await (await page.waitForSelector(".problem[role=alert]")).textContent()) ?? "", /pets\.zip looks like data\. Open its model first/);
  await drop(page, [{ name: "grey.json", bytes: jsonModel([16, 12, 3], { copies: 2 }) }, zip]);
  await settled(page);
  const card = page.locator("section", { has: page.locator("#data") });
  assert.match((await card.textContent()) ?? "", /pets\.zip40 images · 16 inputs · folders as classes/);
  const report = async () => JSON.parse(new TextDecoder().decode((await download(page, "Numbers (JSON)")).bytes));
  const before = await report();
  assert.deepEqual([before.measure, before.score.kind], [{ kind: "data", rows: 20, source: "pets.zip" }, "accuracy"]);
  await page.fill("input[name=std]", "0");
  await page.keyboard.press("Enter");
  assert.match((await card.getByRole("alert").textContent()) ?? "", /std's above 0/);
  const shown = (await page.textContent(".numbers")) ?? "";
  await page.fill("input[name=std]", "0.25");
  await page.keyboard.press("Enter");
  await page.waitForFunction((was) => document.querySelector(".numbers")?.textContent !== was, shown);
  await resting(page);
  assert.notEqual((await report()).deviation, before.deviation);
  assert.deepEqual(await violationsOf(page), []);
  await drop(page, ["a.png", "b.bmp"].map((name) => ({ name, bytes: name === "a.png" ? png(8, 8, 3, (x) => 9 * x) : bmp(3, 3, [1, 2, 3]) })));
  await page.waitForFunction(() => /2 images · 16 inputs/.test(document.body.textContent ?? ""));
  assert.deepEqual(complaints, []);
  await page.close();
});

test("where nothing goes, the page says at which tolerance something does and takes one there", async () => {
  const { page } = await freshPage();
  await page.locator(".sample").first().click();
  await settled(page);
  await page.fill("input[name=value]", "1e-6");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /^Use / }).click();
  await settled(page);
  assert.equal(await page.locator(".problem").count(), 0);
  assert.match((await page.textContent(".number .below")) ?? "", /↓/);
  await page.close();
});

test("size and error can be asked for instead, and are kept to", async () => {
  const { page } = await freshPage();
  await page.locator(".sample").first().click();
  await settled(page);
  const report = async () => JSON.parse(new TextDecoder().decode((await download(page, "Numbers (JSON)")).bytes));
  for (const [kind, typed, kept] of /** @type {const} */ ([["Size", "40", "retained"], ["Error", "5", "deviation"]])) {
    await page.getByRole("radio", { name: kind }).check();
    await page.fill("input[name=value]", typed);
    await asked(page, () => page.keyboard.press("Enter"));
    await settled(page);
    assert.ok((await report())[kept] <= Number(typed) / 100, kind);
  }
  await page.close();
});

test("while a new result is made the last one stays, dimmed, or says what is expected; stopping goes back to it at once", async () => {
  const { page, complaints } = await freshPage();
  await page.locator(".sample", { hasText: "digits" }).click();
  await page.waitForSelector(".hero svg");
  await settled(page);
  const shown = () => page.$$eval(".numbers .value strong", (cells) => cells.map((cell) => cell.textContent));
  const [before, value] = [await shown(), await page.inputValue("input[name=value]")];
  // All within the page: a refit may take no longer than a click from outside.
  const during = await page.evaluate(async () => {
    const dial = /** @type {HTMLInputElement} */ (document.querySelector("input[name=dial]"));
    dial.value = String(Number(dial.value) + 100);
    dial.dispatchEvent(new Event("input", { bubbles: true }));
    const shown = () => [...document.querySelectorAll(".numbers .value strong")].map((cell) => cell.textContent ?? "");
    for (let frames = 0; frames < 60 && !(document.querySelector(".sentence .dim") && shown()[1].startsWith("≈")); frames += 1) await new Promise(requestAnimationFrame);
    const cells = shown();
    /** @type {HTMLButtonElement|undefined} */ ([...document.querySelectorAll("button")].find((button) => button.textContent === "Cancel"))?.click();
    return cells;
  });
  assert.notEqual(during[0], before[0], "the size answers at once");
  assert.ok(during.slice(1).every((value) => value.startsWith("≈")), "the rest is expected");
  await page.waitForFunction((value) => /** @type {HTMLInputElement} */ (document.querySelector("input[name=value]")).value === value, value);
  await page.waitForTimeout(1500); // nothing may come after
  assert.equal(await page.locator("progress").count(), 0);
  assert.equal(await page.locator(".numbers .dim").count(), 0);
  assert.deepEqual(await shown(), before);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a model that no layer of can shrink is shown with the reasons", async () => {
  const { page } = await freshPage();
  await drop(page, [{ name: "single_layer.onnx", bytes: new Uint8Array(readFileSync(join(root, "tests/fixtures/single_layer.onnx"))) }]);
  const rows = page.locator(".nothing tbody tr");
  await rows.first().waitFor();
  assert.equal(await rows.count(), 1);
  assert.match((await rows.first().textContent()) ?? "", /Gemm.*output of the model/);
  await page.close();
});

test("the licences of everything shipped come with the page", async () => {
  const { page } = await freshPage();
  await page.getByRole("link", { name: "Licences" }).click();
  const shown = (await page.textContent("body")) ?? "";
  for (const name of ["preact", "d3-array", "comlink", "onnxruntime-web", "cJSON", "stb_image", "musl"]) assert.ok(shown.includes(name), name);
  await page.close();
});

test("every download is what its name says", async () => {
  const { page } = await freshPage();
  await page.locator(".sample").first().click();
  await settled(page);
  await page.waitForSelector(".hero svg");
  const text = async (/** @type {string} */ button) => new TextDecoder().decode((await download(page, button)).bytes);
  assert.equal(JSON.parse(await text("Model as JSON")).format, "netlump");
  assert.match(await text("Report"), /^<!doctype html>/i);
  assert.match((await text("Curve CSV")).split("\n")[0], /epsilon/);
  assert.match(await text("SVG"), /^<svg[^>]*xmlns/);
  const png = await download(page, "PNG");
  assert.deepEqual([...png.bytes.subarray(1, 4)], [..."PNG"].map((c) => c.charCodeAt(0)));
  await page.close();
});

test("without data the page says what it assumes; removing the data measures anew", async () => {
  const { page } = await freshPage();
  await drop(page, [MODEL]);
  await settled(page);
  assert.match((await page.textContent(".controls")) ?? "", /No data: inputs are drawn from N\(0,\s1\)/);
  assert.match((await page.textContent(".numbers")) ?? "", /Largest change/);
  await drop(page, [ROWS]);
  await page.waitForSelector("text=Test MSE");
  await settled(page);
  await page.getByRole("button", { name: "Remove" }).click();
  await page.waitForSelector("text=Largest change");
  await page.close();
});

test("the chart's cursor is read by keyboard, and Enter takes the point", async () => {
  const { page } = await freshPage();
  await page.locator(".sample").first().click();
  await settled(page);
  await page.waitForSelector(".hero svg");
  const before = await page.inputValue("input[name=value]");
  await page.focus(".hero .plot");
  await page.keyboard.press("End");
  for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowLeft"); // well away from the present choice, itself a stop
  assert.match((await page.textContent(".hero [aria-live]")) ?? "", /parameters, deviation/);
  await page.keyboard.press("Enter");
  await page.waitForFunction((was) => /** @type {HTMLInputElement} */ (document.querySelector("input[name=value]")).value !== was, before, { timeout: 5000 });
  await page.close();
});

/** What axe objects to. @param {import("playwright-core").Page} page */
async function violationsOf(page) {
  // Through the debugger: the page's own policy would not let the script in.
  await page.evaluate(axe);
  const found = await page.evaluate(() => /** @type {any} */ (window).axe.run());
  return found.violations.map((/** @type {any} */ one) => `${one.id}: ${one.nodes.map((/** @type {any} */ node) => node.target).join(" ")}`);
}

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`axe finds nothing to object to, empty, loaded and in trouble, ${colorScheme}`, async () => {
    const { page } = await freshPage({ colorScheme });
    const violations = () => violationsOf(page);
    assert.deepEqual(await violations(), []);
    await page.locator(".sample").first().click();
    await page.waitForSelector(".hero svg", { timeout: 60_000 });
    await settled(page);
    assert.deepEqual(await violations(), []);
    for (const line of ["norm", "magnitude", "Wanda"]) await page.locator(".chip", { hasText: line }).click();
    await page.selectOption("select[name=method]", "wanda");
    await page.getByRole("switch").check();
    await page.waitForSelector(".polish");
    await resting(page);
    assert.deepEqual(await violations(), []);
    await page.getByRole("button", { name: "Table" }).first().click();
    await drop(page, [PICTURE]);
    await page.waitForSelector(".problem");
    assert.deepEqual(await violations(), []);
    await page.close();
  });
}

test("nothing is cut off or scrolls sideways at 360 pixels", async () => {
  const { page } = await freshPage({ width: 360, height: 740 });
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(await width(), 360);
  await page.locator(".sample").first().click();
  await settled(page);
  await page.waitForSelector(".hero svg");
  assert.equal(await width(), 360);
  for (const line of ["norm", "Wanda"]) await page.locator(".chip", { hasText: line }).click();
  await resting(page);
  assert.equal(await width(), 360);
  await page.close();
});

/** @param {import("playwright-core").Page} page */
const reportOf = async (page) => JSON.parse(new TextDecoder().decode((await download(page, "Numbers (JSON)")).bytes));

test("the polish runs by itself once the target rests, says what it brought, and is what is downloaded", async () => {
  const { page, complaints } = await freshPage({ polish: true });
  await drop(page, [TINY, TINY_ROWS]);
  await page.getByRole("radio", { name: "Size" }).check();
  await page.fill("input[name=value]", "50");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".badge summary:has-text('polished')", { timeout: 60_000 });
  await resting(page);
  const report = await reportOf(page);
  assert.ok(report.polish.after < report.polish.before && report.target.value === 0.5);
  const made = (await download(page, "Download smaller model")).bytes;
  const model = (await createEngine()).open(TINY.bytes, TINY.name);
  const path = await model.path({ data: await readTable(TINY_ROWS.bytes, TINY_ROWS.name, { features: 4 }), seed: 1 });
  const [polished, plain] = [await path.compress({ kind: "retain", value: 0.5 }, { polish: true }), await path.compress({ kind: "retain", value: 0.5 })];
  assert.equal(Buffer.compare(polished.write(), made), 0, "Node's bytes");
  assert.ok(report.deviation < plain.report.deviation);
  model.free();
  await page.getByRole("switch").uncheck();
  await page.waitForFunction(() => !document.querySelector(".numbers")?.textContent?.includes("polished"));
  await resting(page);
  assert.equal((await reportOf(page)).polish, null);
  assert.deepEqual(complaints, []);
  await page.close();
});

/** Stops the polish once it runs, from within the page: a click from outside may come after its end.
 * @param {import("playwright-core").Page} page @returns {Promise<boolean>} whether the result before it could be had */
const stopPolish = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const look = () => {
          const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Cancel");
          if (!button || !document.querySelector("progress[aria-label=Polishing]")) return;
          observer.disconnect();
          resolve(document.querySelector(".downloads .primary:not(:disabled)") !== null);
          button.click();
        };
        const observer = new MutationObserver(look);
        observer.observe(document, { subtree: true, childList: true, attributes: true });
        look();
      }),
  );

test("a stopped polish leaves the result unpolished and can be taken up; a new target replaces it", async () => {
  const { page } = await freshPage({ polish: true });
  await page.locator(".sample", { hasText: "flight" }).click();
  const polishing = () => page.waitForSelector("progress[aria-label=Polishing]", { timeout: 60_000 });
  assert.equal(await stopPolish(page), true, "what is there already can be had");
  await page.waitForSelector("text=Not polished.");
  assert.equal((await reportOf(page)).polish, null);
  await page.getByRole("button", { name: "Polish", exact: true }).click();
  await polishing();
  await page.focus("input[name=dial]");
  await asked(page, () => page.keyboard.press("PageUp"));
  await stopPolish(page);
  await page.close();
});

test("the switch is remembered for the session, and at ε = 0 nothing is polished", async () => {
  const { page } = await freshPage({ polish: true });
  await drop(page, [{ name: "copies.json", bytes: jsonModel([4, 8, 2], { copies: 2 }) }, TINY_ROWS]);
  await page.waitForSelector(".polish");
  await page.fill("input[name=value]", "0");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=Not at ε = 0, which is exact.");
  await resting(page);
  const { polish, sites } = await reportOf(page);
  assert.deepEqual([polish, sites[0].after], [null, 8]);
  await page.getByRole("switch").uncheck();
  await page.reload();
  await drop(page, [TINY, TINY_ROWS]);
  await page.waitForSelector(".polish");
  assert.equal(await page.getByRole("switch").isChecked(), false);
  await page.close();
});

test("the worst case is bounded when asked for, by keyboard, goes into the files, and is gone with a new target", async () => {
  const { page, complaints } = await freshPage();
  await drop(page, [TINY, TINY_ROWS]);
  await resting(page);
  const line = async () => (await page.textContent(".worst")) ?? "";
  assert.equal((await reportOf(page)).certificate, null);
  assert.match(await line(), /for inputs in the range of the 300 rows/);
  const button = page.getByRole("button", { name: "Worst case" });
  await button.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector(".worst progress");
  assert.match(await line(), /Bounding the worst case/);
  await page.keyboard.press("Enter"); // Cancel stands where the button stood
  await page.waitForSelector(".worst progress", { state: "detached" });
  assert.equal((await reportOf(page)).certificate, null);
  await button.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector(".worst summary:focus", { timeout: 60_000 });
  const { certificate } = await reportOf(page);
  assert.ok(certificate.found <= certificate.bound);
  assert.match(await line(), new RegExp(`at most ${upper(certificate.bound)} anywhere in the range; largest found ${number(certificate.found)}`));
  assert.match(new TextDecoder().decode((await download(page, "Report")).bytes), /Worst case: nowhere in the box/);
  await page.locator(".worst summary").click();
  assert.match(await page.locator(".worst details div").innerText(), /Not covered: the rounding inside the runtime/);
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violationsOf(page), [], colorScheme);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await page.focus("input[name=dial]");
  await asked(page, () => page.keyboard.press("PageUp"));
  await resting(page);
  assert.equal((await reportOf(page)).certificate, null);
  await button.click();
  await page.waitForSelector(".worst progress");
  await page.focus("input[name=dial]");
  await page.keyboard.press("PageDown");
  await page.waitForSelector(".worst progress", { state: "detached" });
  await resting(page);
  assert.doesNotMatch(await line(), /at most|Bounding/);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("where no worst case can be bounded the page says why", async () => {
  const { page, complaints } = await freshPage();
  await drop(page, [{ name: "residual.onnx", bytes: bytesOf(fixtureFile("residual.onnx")) }]);
  await resting(page);
  await page.getByRole("button", { name: "Worst case" }).click();
  await page.waitForSelector(".worst:has-text('not available')");
  assert.match((await page.textContent(".worst")) ?? "", /not available: .*two branches meet there/);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("lines to compare with come with names that do not touch, dashes of their own, and into every file", async () => {
  const { page, complaints } = await freshPage();
  await page.locator(".sample").first().click();
  await resting(page);
  for (const line of ["norm", "magnitude", "Wanda"]) await page.locator(".chip", { hasText: line }).click();
  await page.focus("input[name=dial]");
  await page.keyboard.press("ArrowRight"); // a drag does not stop them
  await page.waitForSelector(".hero .line-label.style-7", { timeout: 60_000 });
  await resting(page);
  const boxes = await page.$$eval(".hero .line-label", (labels) => labels.map((label) => label.getBoundingClientRect()).map(({ top, bottom }) => ({ top, bottom })));
  boxes.sort((a, b) => a.top - b.top);
  assert.equal(boxes.length, 4);
  boxes.forEach(({ top }, i) => assert.ok(i === 0 || top >= boxes[i - 1].bottom - 2, JSON.stringify(boxes)));
  const dashes = await page.$$eval(".hero .plot .line", (lines) => lines.map((line) => line.getAttribute("stroke-dasharray")));
  assert.equal(new Set(dashes).size, 4);
  const text = async (/** @type {string} */ button) => new TextDecoder().decode((await download(page, button)).bytes);
  const csv = await text("Curve CSV");
  for (const method of ["projected", "norm", "magnitude", "wanda"]) assert.match(csv, new RegExp(`^${method},false,`, "m"));
  assert.match(await text("SVG"), /Wanda<\/text>/);
  assert.match(await text("Report"), /class="name"[^>]*>wanda</);
  await page.getByRole("button", { name: "Table" }).first().click();
  assert.match((await page.textContent(".hero table")) ?? "", /Method.*projected.*norm.*magnitude.*Wanda/s);
  await page.locator(".chip", { hasText: "norm" }).click();
  assert.doesNotMatch(await text("Curve CSV"), /^norm/m);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("drawing a line can be stopped, and only that line is left out", async () => {
  const { page } = await freshPage();
  await page.locator(".sample").first().click();
  await resting(page);
  await page.locator(".chip", { hasText: "Wanda" }).click();
  await page.waitForSelector(".hero .line-label.style-7", { timeout: 60_000 });
  await page.locator(".chip", { hasText: "projected + polish" }).click(); // takes seconds
  await page.waitForSelector("text=Drawing projected + polish");
  await page.getByRole("button", { name: "Stop" }).click();
  await page.waitForFunction(() => !document.querySelector("progress"));
  assert.deepEqual(await page.$$eval(".chip[aria-pressed=true]", (chips) => chips.map((chip) => chip.textContent)), ["Wanda"]);
  await page.close();
});

test("a pruned model is called what it is: as many neurons, as large a file, fewer weights that are not 0", async () => {
  const { page } = await freshPage();
  await page.locator(".sample").first().click();
  await resting(page);
  await page.selectOption("select[name=method]", "wanda");
  await page.waitForSelector("text=Download pruned model");
  await resting(page);
  const numbers = (await page.textContent(".numbers")) ?? "";
  assert.match(numbers, /Parameters not 0/);
  assert.match(numbers, /no smaller: zeros are stored/);
  assert.match((await page.textContent("body")) ?? "", /Every neuron stays: this method sets weights to 0/);
  assert.equal(await page.getByRole("radio", { name: "Tolerance" }).isDisabled(), true);
  const report = await reportOf(page);
  assert.ok(report.method === "wanda" && report.target.kind === "retain" && report.retained <= report.target.value);
  const pruned = await download(page, "Download pruned model");
  assert.deepEqual(matrices(pruned.bytes), matrices(MODEL.bytes));
  await page.close();
});
