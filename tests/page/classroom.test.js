// The classroom and "How it works" in Chromium.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { jsonModel } from "../material.js";
import { drop, openBrowser, shoot, withoutPolish } from "./built.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @typedef {import("playwright-core").Page} Page */

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
before(async () => (stage = await openBrowser()));
after(() => stage?.end());

/** @param {string} hash @param {{width?: number, height?: number, colorScheme?: "light"|"dark", hasTouch?: boolean}} [options] */
async function opened(hash, { width = 1280, height = 900, ...options } = {}) {
  const page = await stage.browser.newPage({ viewport: { width, height }, ...options });
  /** @type {string[]} */
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(stage.url + hash);
  await page.waitForSelector(hash.startsWith("#how") ? ".how h1" : ".spoken:not(:empty)");
  return { page, complaints };
}

/** @param {Page} page */
const said = (page) => page.locator(".spoken").innerText();
/** @param {Page} page @param {number} at @param {number} of */
const stepIs = (page, at, of) => page.waitForFunction((text) => document.querySelector(".count")?.textContent === text, `Step ${at} of ${of}`);
/** The blocks' numbers as they are drawn, neuron by neuron. @param {Page} page */
const blocks = (page) => page.locator(".networks > .net").first().locator(".badge-block text").allTextContents();
/** @param {Page} page @param {string[]} expected */
const blocksAre = (page, expected) =>
  page.waitForFunction((expected) => [...(document.querySelector(".networks > .net")?.querySelectorAll(".badge-block text") ?? [])].map((one) => one.textContent).join() === expected, expected.join());

/** @param {Page} page */
async function findings(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => /** @type {any} */ (globalThis).axe.run());
  return violations.map((/** @type {any} */ one) => `${one.id}: ${one.nodes.map((/** @type {any} */ node) => node.html).join(" | ").slice(0, 400)}`);
}

/** @param {Page} page */
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

test("a lesson goes by keyboard from the first step to the last and back", async () => {
  const { page, complaints } = await opened("#class?net=near");
  await stepIs(page, 0, 5);
  assert.match(await said(page), /as differential equations/);
  assert.equal(await page.locator(".equations math").count(), 4);
  /** @type {string[]} */
  const sentences = [];
  for (let at = 1; at <= 5; at += 1) {
    await page.keyboard.press("ArrowRight");
    await stepIs(page, at, 5);
    sentences.push(await said(page));
    await shoot(page, `class-near-${at}`);
  }
  assert.match(sentences[0], /^The initial partition/);
  assert.match(sentences[1], /^Block 1 splits: neurons \d and \d differ by [\d.]+ > ε = 0\.4\.$/);
  assert.match(sentences[2], /^Block 2 splits: neurons 2 and 4 differ by 5\.46 > ε = 0\.4\.$/);
  assert.equal(sentences[3], "The quotient: one variable for each block. 6 neurons become 3.");
  assert.deepEqual(await blocks(page), ["1", "2", "1", "4", "2", "1"]);
  assert.equal(await page.locator(".lumped-equations math").count(), 4);
  assert.equal(await page.locator(".curve.lumped").count(), 2);
  await page.keyboard.press("ArrowRight");
  await stepIs(page, 5, 5);
  await page.keyboard.press("ArrowLeft");
  await stepIs(page, 4, 5);
  await page.keyboard.press("Home");
  await stepIs(page, 0, 5);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("space runs the lesson, and space stops it", async () => {
  const { page } = await opened("#class?net=copies");
  await page.clock.install();
  await page.keyboard.press(" ");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.clock.runFor(1700);
  await stepIs(page, 1, 5);
  await page.keyboard.press(" ");
  await page.getByRole("button", { name: "Run" }).waitFor();
  await page.clock.runFor(5000);
  await stepIs(page, 1, 5);
  await page.keyboard.press(" ");
  await page.clock.runFor(20_000);
  await stepIs(page, 5, 5);
  await page.getByRole("button", { name: "Run" }).waitFor();
  await page.close();
});

test("a link reproduces the exact state in a new page", async () => {
  const { page } = await opened("#class?net=deep");
  await page.getByLabel("Weight from x1", { exact: true }).focus();
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowRight");
  await page.getByRole("radio", { name: "Polynomial" }).check();
  await page.getByRole("textbox", { name: "Tolerance ε" }).fill("0.25");
  await page.keyboard.press("Enter");
  await page.getByLabel("Input x2", { exact: true }).focus();
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("button", { name: "Back" }).click();
  await page.waitForFunction(() => location.hash.includes("epsilon=0.25") && location.hash.includes("0.49"));
  await page.getByRole("button", { name: "Copy link" }).click();
  const shown = async (/** @type {Page} */ of) => ({
    said: await said(of),
    count: await of.locator(".count").innerText(),
    blocks: await blocks(of),
    equations: await of.locator(".equations").innerText(),
    epsilon: await of.getByRole("textbox", { name: "Tolerance ε" }).inputValue(),
    weight: await of.getByLabel("Weight from x1", { exact: true }).inputValue(),
    input: await of.getByLabel("Input x2", { exact: true }).inputValue(),
  });
  const before = await shown(page);
  assert.equal(before.weight, "0.93");
  const other = await opened(await page.evaluate(() => location.hash));
  await other.page.waitForFunction((count) => document.querySelector(".count")?.textContent === count, before.count);
  assert.deepEqual(await shown(other.page), before);
  await other.page.close();
  await page.close();
});

test("dragging a weight merges two blocks and splits them again", async () => {
  const { page, complaints } = await opened("#class?net=signs&method=equivalence&epsilon=0.1&step=9");
  await blocksAre(page, ["1", "2", "3", "4"]);
  const box = async (/** @type {import("playwright-core").Locator} */ neuron) => /** @type {{x: number, y: number, width: number, height: number}} */ (await neuron.locator(".body").boundingBox());
  // neuron 2 reads (−1, 0.6) + −0.3, neuron 1 (1, −0.6) + 0.3: by typing two, by dragging the third
  await page.getByRole("button", { name: /^Neuron 2/ }).click();
  const type = async (/** @type {string} */ name, /** @type {string} */ value) => {
    await page.getByRole("textbox", { name: `${name}, typed` }).fill(value);
    await page.keyboard.press("Enter");
  };
  await type("Bias", "0.3");
  await type("Weight from x2", "-0.6");
  await type("Weight from x1", "0.5");
  await blocksAre(page, ["1", "2", "3", "4"]);
  const [from, to] = [await box(page.locator(".net .port").first()), await box(page.getByRole("button", { name: /^Neuron 2/ }))];
  const at = { x: from.x + from.width / 2 + 0.2 * (to.x - from.x), y: from.y + from.height / 2 + 0.2 * (to.y + to.height / 2 - from.y - from.height / 2) };
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await page.mouse.move(at.x, at.y - 50, { steps: 5 });
  await blocksAre(page, ["1", "1", "3", "4"]);
  await page.mouse.move(at.x, at.y - 90, { steps: 3 });
  await blocksAre(page, ["1", "2", "3", "4"]);
  await page.mouse.up();
  assert.match(await page.getByLabel("Weight from x1", { exact: true }).inputValue(), /^1\.4/);
  // and by keyboard: down to 1
  await page.getByLabel("Weight from x1", { exact: true }).focus();
  for (let i = 0; i < 40; i += 1) await page.keyboard.press("ArrowLeft");
  await blocksAre(page, ["1", "1", "3", "4"]);
  await page.getByRole("slider", { name: "Tolerance ε" }).focus();
  await page.keyboard.press("End");
  await blocksAre(page, ["1", "1", "1", "1"]);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("neurons and layers can be added and taken away", async () => {
  const { page, complaints } = await opened("#class?net=copies&method=equivalence&step=9");
  await page.getByText("Build your own").click();
  await page.getByRole("button", { name: "Neurons: one more" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".networks > .net:first-child .badge-block").length === 6);
  await page.getByRole("button", { name: "Hidden layers: one more" }).click();
  await page.getByRole("button", { name: "Neurons in layer 2: one less" }).click();
  await page.getByRole("combobox", { name: "Activation of hidden layer 1" }).selectOption("relu");
  await page.getByRole("radio", { name: "3" }).check();
  await page.waitForFunction(() => document.querySelectorAll(".networks > .net:first-child .badge-block").length === 9);
  await page.waitForFunction(() => location.hash.includes("net=3-6-3-1&f=relu-tanh-identity"));
  assert.deepEqual(await findings(page), []);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("projected lumping goes one neuron at a time, with who takes over", async () => {
  const { page, complaints } = await opened("#class?net=combination");
  await stepIs(page, 0, 3);
  await page.keyboard.press("ArrowRight");
  await stepIs(page, 1, 3);
  await page.waitForFunction(() => document.querySelectorAll(".neuron.lost").length === 1);
  assert.match(await said(page), /^Neuron \d goes; the others take over\. It costs nothing/);
  assert.match((await page.locator(".said math").evaluate((math) => math.textContent ?? "")).replaceAll(/\s/g, ""), /^a\d≈/);
  assert.equal(await page.locator(".arc").count(), 3);
  assert.match(await page.locator(".legend").innerText(), /^Measured after the refit: the outputs stay as they are/);
  await shoot(page, "class-projected-1");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.querySelectorAll(".neuron.lost").length === 2);
  assert.match(await said(page), /Deviation so far [\d.]+ %; before, 0 %\./);
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.querySelectorAll(".neuron.lost").length === 3);
  assert.equal(await page.locator(".networks > .net").nth(1).locator(".neuron").count(), 4); // two inputs, one neuron, one output
  await page.getByRole("slider", { name: "Tolerance ε" }).focus();
  await page.keyboard.press("Home");
  await page.waitForFunction(() => document.querySelectorAll(".neuron.lost").length <= 1);
  assert.deepEqual(await findings(page), []);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a small network of the workbench can be taken over", async () => {
  const page = await stage.browser.newPage({ viewport: { width: 1280, height: 900 } });
  await withoutPolish(page);
  await page.goto(stage.url);
  await page.waitForSelector(".sample");
  await drop(page, [{ name: "tiny.json", bytes: jsonModel([3, 6, 2]) }]);
  await page.waitForSelector(".file-name");
  await page.getByRole("link", { name: "Classroom" }).click();
  await page.getByRole("button", { name: "Take over tiny.json" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".networks .neuron").length === 11);
  await page.getByRole("link", { name: "Compress" }).click();
  assert.equal(await page.locator(".file-name").innerText(), "tiny.json"); // as it was
  await page.close();
});

test("large type is remembered, and fits a projector", async () => {
  const { page } = await opened("#class?net=near&step=3", { width: 1920, height: 1080 });
  await page.getByRole("switch", { name: "Large type" }).check();
  await page.reload();
  await page.waitForSelector(".large .spoken:not(:empty)");
  assert.ok((await page.locator(".spoken").evaluate((element) => parseFloat(getComputedStyle(element).fontSize))) >= 28);
  const step = /** @type {{y: number, height: number}} */ (await page.locator(".lecture").boundingBox());
  assert.ok(step.y + step.height <= 1080);
  assert.ok((await overflow(page)) <= 0);
  await shoot(page, "class-large");
  await page.getByRole("link", { name: "How it works" }).click();
  await page.waitForSelector(".how h1");
  await page.waitForFunction(() => !document.querySelector("html.large")); // with the classroom's end, which may come a frame later
  await page.close();
});

test("axe finds nothing in the classroom, light and dark", async () => {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    const { page } = await opened("#class?net=deep&method=equivalence&encoding=polynomial&epsilon=0.4&step=9", { colorScheme });
    await page.waitForSelector(".lumped-equations");
    assert.deepEqual(await findings(page), [], colorScheme);
    await shoot(page, `class-deep-${colorScheme}`);
    await page.close();
  }
});

test("how it works has its equations, sources and limits, and passes axe", async () => {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    const { page, complaints } = await opened("#how", { colorScheme });
    assert.ok((await page.locator("math").count()) >= 7);
    assert.ok((await page.locator("math mfrac").first().evaluate((element) => element.getBoundingClientRect().height)) > 25); // drawn as a fraction
    assert.match(await page.locator(".how-sources").innerText(), /arXiv 2606\.01402/);
    assert.equal(await page.locator(".how-limits li").count(), 6);
    assert.deepEqual(await findings(page), [], colorScheme);
    await shoot(page, `how-${colorScheme}`);
    assert.deepEqual(complaints, []);
    await page.close();
  }
});

test("nothing scrolls sideways at 360 px", async () => {
  for (const hash of ["#class?net=deep&method=equivalence&step=9", "#class?net=combination&step=2", "#how"]) {
    const { page } = await opened(hash, { width: 360, height: 740 });
    await page.waitForFunction(() => document.querySelector(".lumped-equations, .how-sources"));
    assert.ok((await overflow(page)) <= 0, hash);
    await shoot(page, `narrow-${hash.slice(1, 24).replaceAll(/[^a-z]/g, "-")}`);
    await page.close();
  }
});
