// The main flow in Firefox ESR: a model is dropped, the slider moved, the result checked by ONNX Runtime and taken home, the same
// bytes as in Node; the classroom steps.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import puppeteer from "puppeteer-core";

import { createEngine, readTable, splitTable } from "../../wasm/index.js";
import { asked, buildWhenOld, dist, dropped, root } from "./built.js";
import { serve } from "../../web/serve.mjs";

const MODEL = "glycolysis.onnx";
const ROWS = "glycolysis.csv";
const sample = (/** @type {string} */ name) => new Uint8Array(readFileSync(join(root, "web/samples", name)));

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof serve>>} */
let host;
before(async () => {
  buildWhenOld();
  host = await serve(dist, 0);
  browser = await puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", headless: true, timeout: 120_000, protocolTimeout: 180_000 });
});
after(async () => {
  await browser?.close();
  await host?.close();
});

/** A page that keeps what it would save, and what it complained about. @param {string} address */
async function freshPage(address) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  /** @type {string[]} */
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.evaluateOnNewDocument(() => {
    const make = URL.createObjectURL.bind(URL);
    /** @type {any} */ (window).saved = [];
    URL.createObjectURL = (blob) => {
      /** @type {any} */ (window).saved.push(blob);
      return make(blob);
    };
  });
  await page.goto(address);
  return { page, complaints };
}

/** Waits until nothing is worked on. @param {import("puppeteer-core").Page} page */
const resting = (page) =>
  page.waitForFunction(() => document.querySelector(".downloads .primary:not(:disabled)") && !document.querySelector("progress"), { timeout: 120_000 });

/** Bytes of what was saved last. @param {import("puppeteer-core").Page} page */
async function lastSaved(page) {
  const base64 = await page.evaluate(async () => {
    const bytes = new Uint8Array(await /** @type {any} */ (window).saved.at(-1).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  });
  return new Uint8Array(Buffer.from(base64, "base64"));
}

test("a model dropped in Firefox becomes the same smaller model as in Node, and ONNX Runtime agrees", async () => {
  const { page, complaints } = await freshPage(host.url);
  await page.waitForSelector(".sample");
  await page.evaluate(dropped, [MODEL, ROWS].map((name) => ({ name, base64: Buffer.from(sample(name)).toString("base64") })));
  await resting(page);
  await page.focus("input[name=dial]");
  await asked(page, () => page.keyboard.press("PageUp"));
  await resting(page);
  assert.match(await page.$eval(".numbers", (numbers) => numbers.textContent ?? ""), /ONNX Runtime agrees/);
  const epsilon = Number(await page.$eval("input[name=value]", (field) => /** @type {HTMLInputElement} */ (field).value));
  await page.click(".downloads .primary");
  await page.waitForFunction(() => /** @type {any} */ (window).saved.length > 0);
  const saved = await lastSaved(page);

  const model = (await createEngine()).open(sample(MODEL), MODEL);
  const table = await readTable(sample(ROWS), ROWS, { labels: 7, features: model.info.features });
  const path = await model.path({ data: splitTable(table, 0.5).measure, seed: 1 });
  const result = await path.compress({ kind: "epsilon", value: epsilon }, { polish: true });
  assert.equal(Buffer.compare(result.write(), saved), 0, "byte for byte, polish and all");
  model.free();
  assert.deepEqual(complaints, []);
  await page.close();
});

test("the classroom steps in Firefox, with its equations", async () => {
  const { page, complaints } = await freshPage(`${host.url}#class`);
  await page.waitForSelector("math");
  const before = await page.$eval("main", (main) => main.textContent ?? "");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((was) => document.querySelector("main")?.textContent !== was, {}, before);
  assert.deepEqual(complaints, []);
  await page.close();
});
