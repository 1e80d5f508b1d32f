// The charts in Chromium: what each shows, its cursor, its table and its files.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { bytesOf, fixtureFile, jsonModel } from "../material.js";
import { download, drop, openBrowser, resting, shoot, withoutPolish } from "./built.js";

/** @typedef {import("playwright-core").Page} Page */

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const CURVE = "Size against error";
const CLASSES = "Original against reduced answers";
const NETWORK = "The network in blocks";
const HEAT = "Weights by block";
const ALL = [CURVE, "Neurons per layer", CLASSES, NETWORK, HEAT, "Elimination path"];

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
/** The digits sample as it comes, without the polish. @type {Page} */
let digits;
/** @type {string[]} */
const complaints = [];
before(async () => {
  stage = await openBrowser();
  digits = await freshPage();
  await digits.locator(".sample", { hasText: "digits" }).click();
  await resting(digits);
  await digits.waitForSelector(".weights svg");
});
after(() => stage?.end());

/** @param {{width?: number, colorScheme?: "light"|"dark"}} [options] */
async function freshPage({ width = 1280, colorScheme = "light" } = {}) {
  const page = await stage.browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  await withoutPolish(page);
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(stage.url);
  await page.waitForSelector(".sample");
  return page;
}

/** @param {Page} page @param {string} title */
const card = (page, title) => page.locator(`section.chart[aria-label="${title}"]`);

/** What the cursor says after these keys. @param {Page} page @param {string} title @param {string[]} keys */
async function said(page, title, ...keys) {
  await card(page, title).locator(".plot").focus();
  for (const key of keys) await page.keyboard.press(key);
  return card(page, title).locator(".plot [aria-live]").textContent();
}

/** @param {Page} page @param {string} title @param {"SVG"|"PNG"|"CSV"} kind */
async function saved(page, title, kind) {
  const [file] = await Promise.all([page.waitForEvent("download"), card(page, title).getByRole("button", { name: kind, exact: true }).click()]);
  return { name: file.suggestedFilename(), bytes: readFileSync(/** @type {string} */ (await file.path())) };
}

/** @param {Page} page */
async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(() => /** @type {any} */ (globalThis).axe.run().then((/** @type {any} */ { violations }) => violations.map((/** @type {any} */ one) => `${one.id}: ${one.nodes.map((/** @type {any} */ node) => node.target).join(" ")}`)));
}

for (const title of ALL) {
  test(`“${title}” reads by keyboard, as a table, and as SVG, PNG and CSV`, async () => {
    assert.ok(await said(digits, title, "ArrowRight"), "the cursor says something");
    assert.equal(await card(digits, title).locator("svg[role=img] > circle.cursor:not(.also)").count(), 1);
    await digits.keyboard.press("Escape");
    assert.equal(await said(digits, title), "", "Escape takes it away");

    const svg = (await saved(digits, title, "SVG")).bytes.toString();
    assert.match(svg, /^<svg [^>]*xmlns=/);
    assert.ok(svg.includes(`<title`) && svg.includes("<desc") && !svg.includes("class="), "a file of its own");
    const png = await saved(digits, title, "PNG");
    assert.ok(png.bytes.subarray(1, 4).toString() === "PNG" && png.bytes.length > 4000, `${png.name} ${png.bytes.length}`);
    const csv = await saved(digits, title, "CSV");
    const [head, ...rows] = csv.bytes.toString().trim().split("\r\n");

    await card(digits, title).getByRole("button", { name: "Table", exact: true }).click();
    const shown = await card(digits, title).locator("table tr").allTextContents();
    assert.equal(head.replaceAll(",", ""), shown[0], "the file has the table's columns");
    assert.ok(rows.length >= shown.length - 1 && rows.length > 0);
    await card(digits, title).getByRole("button", { name: "Table", exact: true }).click();
  });
}

test("digits: the confusion counts every row, and says on how many both networks answer the same", async () => {
  const chart = card(digits, CLASSES);
  const [, same, all] = /** @type {RegExpMatchArray} */ (((await chart.locator(".aside").textContent()) ?? "").match(/same answer on (\d+) of (\d+) rows/));
  assert.equal(Number(all), 225);
  const counts = (/** @type {string} */ selector) => chart.locator(selector).allTextContents().then((texts) => texts.reduce((sum, one) => sum + Number(one), 0));
  assert.equal(await counts(".agreed-text"), Number(same));
  assert.equal(await counts(".confused-text"), Number(all) - Number(same));
  assert.match((await said(digits, CLASSES, "ArrowRight", "ArrowRight", "ArrowDown")) ?? "", /^original’s answer 1, reduced network’s answer 1, \d+ rows$/);

  await chart.locator("select").selectOption("label");
  const aside = (await chart.locator(".aside").textContent()) ?? "";
  const right = Number(/as labelled on (\d+) of 225 rows/.exec(aside)?.[1]);
  const accuracy = Number(/[\d.]+/.exec((await digits.locator(".numbers .number").last().locator(".value strong").textContent()) ?? "")?.[0]);
  assert.ok(Math.abs((100 * right) / 225 - accuracy) < 0.06, `${right} of 225 rows are ${accuracy} %`);
  assert.equal(await counts(".agreed-text"), right);
  await chart.getByRole("button", { name: "Outputs", exact: true }).click();
  await card(digits, "Original against reduced output").locator(".diagonal").waitFor();
  await card(digits, "Original against reduced output").getByRole("button", { name: "Classes", exact: true }).click();
});

/** Blocks of a layer as the table of the network says: numbers of neurons by what stays. @param {Page} page @param {string} layer */
async function blocksOf(page, layer) {
  const chart = card(page, NETWORK);
  await chart.getByRole("button", { name: "Table", exact: true }).click();
  const rows = await chart.locator("tbody tr").evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent ?? "")));
  await chart.getByRole("button", { name: "Table", exact: true }).click();
  return rows.filter(([name]) => name === layer).map(([, block, stays, units]) => ({ block, stays, units: units.split(" ").map(Number) }));
}

for (const method of ["projected", "adjoint"]) {
  test(`digits, ${method}: every neuron of the network stands in its block, and weights lie by block`, async () => {
    await digits.selectOption(".method select", method);
    await resting(digits);
    const chart = card(digits, NETWORK);
    const blocks = await blocksOf(digits, "layer 1");
    const units = blocks.flatMap((block) => block.units);
    assert.deepEqual([...units].sort((a, b) => a - b), Array.from({ length: 128 }, (_, i) => i + 1), "each of 128 neurons once");
    const kept = blocks.filter(({ block }) => block !== "none");
    assert.ok(kept.every(({ stays, units }) => units.includes(Number(stays))));
    const widths = (await card(digits, "Neurons per layer").locator(".row-value").allTextContents()).find((one) => one.startsWith("128 → "));
    assert.equal(widths, `128 → ${kept.length}`);
    assert.equal(await chart.locator("circle.unit").count(), 64 + 128 + 64 + 10);
    assert.equal(await chart.locator("circle.unit.hollow").count() > 0, true);

    const shared = /** @type {{block: string, stays: string, units: number[]}} */ (kept.find((block) => block.units.length > 1));
    const lane = await said(digits, NETWORK, "Home", "ArrowRight", ...Array(200).fill("ArrowUp"), ...Array(units.indexOf(Number(shared.stays))).fill("ArrowDown"));
    assert.match(lane ?? "", new RegExp(`^layer 1, neuron ${shared.stays}, block ${shared.block}, with .*; stays$`));
    assert.ok((await chart.locator("circle.also").count()) >= 1, "its block is marked");

    const heat = card(digits, HEAT);
    await heat.locator("select").selectOption({ index: 0 });
    assert.match((await said(digits, HEAT, "Home")) ?? "", new RegExp(`^layer 1, neuron ${units[0]} \\(block 1\\), reads input 1, weight −?[\\d.e−]+$`));
    assert.ok((await heat.locator("line.border").count()) > 0);
    const [url, before] = [await heat.locator("image").getAttribute("href"), await heat.locator("image").count()];
    assert.ok(url?.startsWith("data:image/png;base64,") && before === 1);
    await heat.getByRole("button", { name: "As trained", exact: true }).click();
    assert.notEqual(await heat.locator("image").getAttribute("href"), url);
    assert.match((await said(digits, HEAT, "Home")) ?? "", /^layer 1, neuron 1 /);
    assert.equal(await heat.locator("line.border").count(), 0);
    await heat.getByRole("button", { name: "By block", exact: true }).click();
    await shoot(digits, `charts-digits-${method}`);
  });
}

test("the picture of the weights is in the files, too", async () => {
  const svg = (await saved(digits, HEAT, "SVG")).bytes.toString();
  assert.match(svg, /<image [^>]*href="data:image\/png;base64,/);
  assert.match(svg, /image-rendering="pixelated"/);
  const png = (await saved(digits, HEAT, "PNG")).bytes;
  const colours = await digits.evaluate(async (base64) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let [blue, orange] = [0, 0];
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 2] - data[i] > 60) blue += 1;
      if (data[i] - data[i + 2] > 60) orange += 1;
    }
    return [blue, orange];
  }, png.toString("base64"));
  assert.ok(colours.every((pixels) => pixels > 1000), `blue and orange pixels: ${colours}`);
});

test("one button draws every method's line, the names beside them apart, and stops half-way when asked", async () => {
  await digits.selectOption(".method select", "projected");
  await digits.getByRole("radio", { name: "Tolerance" }).check();
  await resting(digits);
  const all = digits.getByRole("button", { name: "All methods" });
  await all.click();
  await digits.waitForSelector(".compare progress");
  await digits.locator(".compare").getByRole("button", { name: "Stop" }).click();
  await digits.waitForFunction(() => !document.querySelector(".compare progress"));
  assert.equal(await all.getAttribute("aria-pressed"), "false");
  await all.click();
  await resting(digits);
  assert.equal(await all.getAttribute("aria-pressed"), "true");
  const names = await card(digits, CURVE).locator(".names text, text.line-label").evaluateAll((texts) => texts.map((one) => ({ name: one.textContent, box: one.getBoundingClientRect() })));
  assert.deepEqual(names.map(({ name }) => name).sort(), ["Wanda", "forward", "magnitude", "partition", "projected", "ε-equivalence"]);
  const sorted = names.map(({ box }) => box).sort((a, b) => a.top - b.top);
  sorted.forEach((box, i) => assert.ok(i === 0 || box.top >= sorted[i - 1].top + 15, "names do not touch"));
  assert.equal(await card(digits, CURVE).locator(".plot path.line").count(), 6);
  assert.equal(await card(digits, CURVE).locator("circle.here").count(), 1);
  assert.match((await card(digits, CURVE).locator(".present-label").textContent()) ?? "", /^ε = [\d.]+$/, "the present ε is marked");
  await shoot(digits, "charts-all-methods");
  await all.click();
  assert.equal(await card(digits, CURVE).locator(".plot path.line").count(), 1);
});

test("charts pass axe in both schemes and do not scroll sideways at 360 px, cursor out", async () => {
  assert.deepEqual(await violations(digits), []);
  const narrow = await freshPage({ width: 360, colorScheme: "dark" });
  await narrow.locator(".sample", { hasText: "digits" }).click();
  await narrow.waitForSelector(".hero svg");
  await narrow.waitForSelector(".weights svg");
  for (const title of ALL) {
    await said(narrow, title, "ArrowRight", "ArrowRight", "ArrowRight");
    assert.ok(await narrow.evaluate(() => document.documentElement.scrollWidth <= innerWidth), title);
  }
  assert.deepEqual(await violations(narrow), []);
  await shoot(narrow, "charts-360-dark");
  await narrow.close();
});

test("many layers stand beside each other, few beneath each other", async () => {
  for (const hidden of [1, 3, 12, 40]) {
    const page = await freshPage();
    await drop(page, [{ name: "deep.json", bytes: jsonModel([4, ...Array(hidden).fill(12), 2]) }]);
    const chart = card(page, "Neurons per layer");
    await chart.locator("rect.bar-before").first().waitFor();
    assert.equal(await chart.locator("rect.bar-before").count(), hidden + 2);
    assert.equal(await chart.locator("text.row-value").count(), hidden > 18 ? 0 : hidden + 2);
    const { height } = /** @type {{height: number}} */ (await chart.boundingBox());
    assert.ok(height < 560, `${hidden} layers take ${height} px`);
    if (hidden === 12) {
      const path = card(page, "Elimination path");
      await path.locator("select").selectOption("layer 7");
      assert.deepEqual(await path.locator(".path-label").allTextContents(), ["layer 7"], "one of many lines is named");
    }
    await shoot(page, `charts-${hidden}-layers`);
    await page.close();
  }
});

test("channels of a network that ONNX Runtime runs have blocks, and no weights to draw", async () => {
  const page = await freshPage();
  await drop(page, ["shapes_cnn.onnx", "shapes.csv"].map((name) => ({ name, bytes: bytesOf(fixtureFile(name)) })));
  await page.getByRole("radio", { name: "Size" }).check();
  const chart = card(page, NETWORK);
  await chart.locator("circle.unit.hollow").first().waitFor({ timeout: 60_000 });
  assert.equal(await chart.locator("path.link").count(), 0);
  assert.equal(await card(page, HEAT).count(), 0);
  await shoot(page, "charts-cnn");
  await page.close();
});

test("the parameters that stand there are those of the file, also where tied weights made the choice a bound", async () => {
  const page = await freshPage();
  await drop(page, [{ name: "tied.onnx", bytes: bytesOf(fixtureFile("tied_weights.onnx")) }]);
  await page.getByRole("radio", { name: "Size" }).check();
  await page.locator("#dial-box").fill("60");
  await page.locator("#dial-box").press("Enter");
  await page.waitForFunction(() => /** @type {HTMLInputElement} */ (document.querySelector("#dial-box")).value === "60");
  await resting(page);
  const { parameters } = JSON.parse(new TextDecoder().decode((await download(page, "Numbers (JSON)")).bytes));
  const shown = await page.locator(".numbers .number").first().locator("strong").textContent();
  assert.equal(shown, String(parameters.after));
  await page.close();
});

test("of more than a hundred classes the pairs confused most are drawn", async () => {
  const page = await freshPage();
  const model = JSON.parse(new TextDecoder().decode(jsonModel([8, 24, 120])));
  model.layers.at(-1).activation = "softmax";
  await drop(page, [{ name: "many.json", bytes: new TextEncoder().encode(JSON.stringify(model)) }]);
  await page.getByRole("radio", { name: "Size" }).check();
  const chart = card(page, CLASSES);
  await chart.locator("rect.confused").first().waitFor({ timeout: 60_000 });
  assert.match((await chart.locator(".aside").textContent()) ?? "", /same answer on [\d,]+ of 5,000 rows.*120 classes/);
  const rows = (await chart.locator(".row-value").allTextContents()).map(Number);
  assert.ok(rows.length > 1 && rows.every((count, i) => i === 0 || count <= rows[i - 1]), `${rows}`);
  await shoot(page, "charts-120-classes");
  await page.close();
});

test("where every size has the outputs of the original there is no curve, and the rest is drawn", async () => {
  const page = await freshPage();
  const model = JSON.parse(new TextDecoder().decode(jsonModel([4, 16, 2])));
  for (const row of model.layers[1].weights) row[0] = 1e12;
  await drop(page, [{ name: "flat.json", bytes: new TextEncoder().encode(JSON.stringify(model)) }]);
  await resting(page);
  await page.getByText("No curve: at every size the outputs change by less than rounding does.").waitFor();
  assert.equal(await card(page, "Elimination path").locator("svg").count(), 1);
  await page.close();
});

test("nothing complained", () => assert.deepEqual(complaints, []));
