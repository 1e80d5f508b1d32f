// Opening files and rows of data in Chromium: every way in, what each file is taken for, and the data card.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync, strToU8, zipSync } from "fflate";

import { layersOf, tensorFlowModel } from "../foreign.js";
import { png } from "../images.js";
import { bytesOf, jsonModel, materialFile, needsMaterial, noise, sampleFile } from "../material.js";
import { download, drop, openBrowser, resting, settled, shoot, withoutPolish } from "./built.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TINY = { name: "tiny.json", bytes: jsonModel([4, 8, 2], { copies: 2 }) };
const GREY = { name: "grey.json", bytes: jsonModel([16, 6, 3], { copies: 2 }) };
const DIGITS = { name: "digits.json", bytes: jsonModel([64, 6, 3], { copies: 2 }) };
const next = noise(3);
/** Rows of a table with a column that counts, four inputs, a word and a label. */
const table = (count = 120, scale = 1) => [
  "id,a,b,kind,c,d,target",
  ...Array.from({ length: count }, (_, i) => [i + 1, scale * next(), scale * next() + 3 * (scale - 1), ["wolf", "dog", "cat"][i % 3], next(), next(), i % 2].join(",")),
].join("\n");
const ROWS = { name: "rows.csv", bytes: strToU8(table()) };

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
before(async () => (stage = await openBrowser()));
after(() => stage?.end());

/** @param {{width?: number}} [options] */
async function freshPage({ width = 1280 } = {}) {
  const page = await stage.browser.newPage({ viewport: { width, height: 900 } });
  page.setDefaultTimeout(15_000);
  await withoutPolish(page);
  /** @type {string[]} */
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("filechooser", () => {}); // whoever asks for the first one when it opens may come too late
  await page.goto(stage.url);
  await page.waitForSelector(".sample");
  return { page, complaints };
}

/** @typedef {import("playwright-core").Page} Page */
const card = (/** @type {Page} */ page) => page.locator("section.data");
const facts = async (/** @type {Page} */ page) => (await card(page).textContent()) ?? "";
const problem = async (/** @type {Page} */ page) => (await (await page.waitForSelector(".problem[role=alert]")).textContent()) ?? "";
const modelName = (/** @type {Page} */ page) => page.textContent("h1.file-name");
const reportOf = async (/** @type {Page} */ page) => JSON.parse(new TextDecoder().decode((await download(page, "Numbers (JSON)")).bytes));
/** @param {Page} page */
async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => /** @type {any} */ (window).axe.run());
  return found.violations.map((/** @type {any} */ one) => `${one.id}: ${one.nodes.map((/** @type {any} */ node) => node.target).join(" ")}`);
}
/** Waits until the data card says so. @param {Page} page @param {string} words */
const says = (page, words) => card(page).getByText(words).first().waitFor();

/** Waits until a model of this name is open. @param {Page} page @param {string} name */
const opened = (page, name) => page.waitForFunction((wanted) => document.querySelector("h1.file-name")?.textContent === wanted, name);

/** Drops, one right after the other. @param {Page} page @param {{name: string, bytes: Uint8Array}[][]} drops */
const dropQuickly = (page, drops) =>
  page.evaluate((all) => {
    for (const files of all) {
      const dataTransfer = new DataTransfer();
      for (const { name, base64 } of files) dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }
  }, drops.map((files) => files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString("base64") }))));

test("names mean nothing: a model called foo.bin and rows called model.onnx open together, a picture called .onnx is named", async () => {
  const { page, complaints } = await freshPage();
  await drop(page, [{ ...ROWS, name: "model.onnx" }, { ...TINY, name: "foo.bin" }]);
  await settled(page);
  assert.equal(await modelName(page), "foo.bin");
  assert.match(await facts(page), /model\.onnx120 rows · 4 inputs · 1 label \(target\) · 2 left out \(id, kind\)/);
  await drop(page, [{ name: "digits.onnx", bytes: png(4, 4, 1, (x) => x) }]);
  assert.match(await problem(page), /digits\.onnx is a PNG image, not a model\. Choose/);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Choose files", "the remedy has the focus");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.keyboard.press("Enter")]);
  await chooser.setFiles({ name: "digits", mimeType: "", buffer: Buffer.from(DIGITS.bytes) });
  await opened(page, "digits");
  await drop(page, [{ name: "digits.onnx", bytes: png(4, 4, 1, (x) => 60 * x) }]);
  await says(page, "1 image · 64 inputs");
  assert.equal(await page.locator("main > .problem").count(), 0, "a picture is data where the model takes pictures");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a file that is no model is named with the way out, and what was open stays open", async () => {
  const { page, complaints } = await freshPage({ width: 390 });
  await drop(page, [TINY]);
  await settled(page);
  const before = await page.textContent(".numbers");
  const pickle = Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9);
  for (const [file, sentence] of /** @type {[{name: string, bytes: Uint8Array}, RegExp][]} */ ([
    [{ name: "net.pt", bytes: zipSync({ "m/data.pkl": pickle }) }, /net\.pt is a PyTorch checkpoint.*torch\.onnx\.export/],
    [{ name: "model.onnx", bytes: strToU8("version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12345\n") }, /Git LFS pointer/],
    [{ name: "model.onnx", bytes: strToU8("<!DOCTYPE html><html>Not found</html>") }, /a web page\. Download the file itself/],
    [{ name: "tokenizer.json", bytes: strToU8('{"added_tokens": []}') }, /tokenizer/],
    [{ name: "net.onnx.data", bytes: Uint8Array.from({ length: 300 }, (_, i) => (i * 193 + 255) & 255) }, /looks like the weights of a model/],
    [{ name: "empty.onnx", bytes: new Uint8Array() }, /empty/],
    [{ name: "notes.txt", bytes: strToU8("Words, and more words.\nNothing else.") }, /plain text/],
  ])) {
    await drop(page, [file]);
    await page.waitForFunction((source) => new RegExp(source, "s").test(document.querySelector(".problem")?.textContent ?? ""), sentence.source);
  }
  await shoot(page, "opening-problem-390");
  assert.deepEqual([await modelName(page), await page.textContent(".numbers")], ["tiny.json", before]);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("of several models one is opened, and it is said; the other is one press away", async () => {
  const { page } = await freshPage();
  await drop(page, [{ ...TINY, name: "two.json" }, GREY]);
  assert.match(await problem(page), /2 models came together; grey\.json is open\./);
  assert.equal(await modelName(page), "grey.json");
  await shoot(page, "opening-two-models-1280");
  await page.keyboard.press("Enter"); // on "Open two.json"
  await opened(page, "two.json");
  assert.equal(await page.locator("main > .problem").count(), 0);
  await page.close();
});

test("of two drops the later wins, whatever each takes", async () => {
  const { page, complaints } = await freshPage();
  const wide = { name: "wide.json", bytes: jsonModel([4, 300, 300, 2]) };
  await dropQuickly(page, [[wide, ROWS], [TINY, { name: "other.csv", bytes: strToU8("1,2,3,4\n5,6,7,8\n9,1,2,3\n") }]]);
  await opened(page, "tiny.json");
  await says(page, "3 rows · 4 inputs");
  assert.match(await facts(page), /other\.csv/);
  await settled(page);
  // The first is given up and the second fails: the page and its worker stay with the model that is shown.
  await dropQuickly(page, [[GREY], [{ name: "bad.onnx", bytes: strToU8("no model at all, words") }]]);
  assert.match(await problem(page), /bad\.onnx is plain text/);
  assert.equal(await modelName(page), "tiny.json");
  await drop(page, [ROWS]);
  await says(page, "120 rows · 4 inputs");
  await settled(page);
  assert.equal((await reportOf(page)).model, "tiny.json");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("weights that come after their model are taken for it", async () => {
  const { page } = await freshPage();
  const { bytes, files } = tensorFlowModel(layersOf([4, 16, 2]), 4000);
  await drop(page, [{ name: "model.json", bytes }, ROWS]);
  assert.match(await problem(page), /The weights are in group1-shard1of1\.bin\. Drop both files together/);
  await drop(page, [...files].map(([name, content]) => ({ name, bytes: content })));
  await settled(page);
  assert.equal(await modelName(page), "model.json");
  assert.match(await facts(page), /rows\.csv120 rows/);
  await page.close();
});

/** Pastes as a person does. @param {Page} page @param {{text?: string, files?: {name: string, text: string}[]}} what */
const paste = (page, { text = "", files = [] }) =>
  page.evaluate(({ text, files }) => {
    const clipboardData = new DataTransfer();
    if (text) clipboardData.setData("text/plain", text);
    for (const { name, text } of files) clipboardData.items.add(new File([text], name));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, { text, files });

test("a model and rows can be pasted, as text and as files", async () => {
  const { page } = await freshPage();
  await paste(page, { text: new TextDecoder().decode(TINY.bytes) });
  await opened(page, "pasted.json");
  await paste(page, { text: "1\t2\t3\t4\t0\n2\t3\t4\t5\t1\n3\t3\t4\t5\t1\n" });
  await says(page, "3 rows · 4 inputs · 1 label");
  await paste(page, { text: "just a sentence that was in the clipboard" });
  assert.match(await problem(page), /pasted\.txt is plain text/);
  await paste(page, { files: [{ name: "grey.json", text: new TextDecoder().decode(GREY.bytes) }] });
  await opened(page, "grey.json");
  await page.close();
});

test("dropped folders are walked: images with folders as classes, a model with what lies beside it", async () => {
  const { page, complaints } = await freshPage();
  const room = mkdtempSync(join(tmpdir(), "netlump-drop-"));
  const { bytes, files } = tensorFlowModel(layersOf([16, 16, 3]), 300);
  for (const folder of ["net", "pets/cats", "pets/dogs"]) mkdirSync(join(room, folder), { recursive: true });
  for (const [name, content] of [["model.json", bytes], ["notes.txt", strToU8("words")], [".DS_Store", strToU8("x")], ...files]) writeFileSync(join(room, "net", String(name)), /** @type {Uint8Array} */ (content));
  for (let i = 0; i < 120; i += 1) writeFileSync(join(room, "pets", i % 2 ? "cats" : "dogs", `${i}.png`), png(4, 4, 1, (x, y) => (17 * x * i + 40 * y + 5 * i) & 255));
  // A drop with folders can only come from outside of the page: through the debugger.
  const session = await page.context().newCDPSession(page);
  const dropped = async (/** @type {string} */ folder) => {
    const data = { items: [], files: [join(room, folder)], dragOperationsMask: 1 };
    for (const type of /** @type {const} */ (["dragEnter", "dragOver", "drop"])) await session.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
  };
  await dropped("net");
  await opened(page, "model.json");
  await dropped("pets");
  await says(page, "120 images · 16 inputs · folders as classes");
  assert.match(await facts(page), /pets120 images/);
  assert.equal(await page.locator(".veil").count(), 0);
  assert.deepEqual(complaints, []);
  rmSync(room, { recursive: true });
  await page.close();
});

test("what each column is for is guessed, shown at its head, and can be changed; the rows follow when it fits", async () => {
  const { page, complaints } = await freshPage();
  await drop(page, [{ name: "three.json", bytes: jsonModel([4, 8, 3], { copies: 2 }) }, ROWS]);
  await resting(page);
  await page.locator("summary", { hasText: "Columns and first rows" }).click();
  const role = (/** @type {string} */ name) => page.getByLabel(`What column ${name} is for`);
  assert.deepEqual(await page.locator(".preview select").evaluateAll((all) => all.map((one) => /** @type {HTMLSelectElement} */ (one).value)), ["out", "input", "input", "out", "input", "input", "label"]);
  assert.equal(await page.locator(".preview tbody tr").count(), 6);
  assert.match((await page.locator(".preview tbody tr").first().textContent()) ?? "", /^1.*wolf/);
  await role("target").selectOption("input");
  assert.match((await card(page).getByRole("alert").textContent()) ?? "", /5 inputs chosen, and the model reads 4\. Leave columns out/);
  assert.match(await facts(page), /1 label \(target\)/, "nothing is read before it fits");
  assert.deepEqual(await violations(page), []);
  await role("d").selectOption("out");
  await says(page, "3 left out (id, kind, d)");
  await role("kind").selectOption("label");
  await says(page, "0 = cat, 1 = dog, 2 = wolf");
  assert.match(await facts(page), /1 label \(kind\) · 2 left out \(id, d\)/);
  await resting(page);
  const report = await reportOf(page);
  assert.deepEqual([report.score.kind, report.score.rows, report.measure.rows], ["accuracy", 60, 60]);
  await shoot(page, "data-columns-1280");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("many columns are said in words, and both ends are shown", async () => {
  const { page } = await freshPage();
  const wide = Array.from({ length: 30 }, (_, i) => [i, ...Array.from({ length: 40 }, () => (100 * next()) | 0), i % 2, i % 3].join(",")).join("\n");
  await drop(page, [{ name: "forty.json", bytes: jsonModel([40, 8, 3], { copies: 2 }) }, { name: "wide.csv", bytes: strToU8(wide) }]);
  await resting(page);
  await page.locator("summary", { hasText: "Columns and first rows" }).click();
  assert.match(await facts(page), /40 inputs · 2 labels · 1 left out/);
  assert.ok((await page.locator(".preview th").count()) < 15);
  assert.deepEqual([await page.inputValue("input[name=label-columns]"), await page.inputValue("input[name=out-columns]")], ["#42-43", "#1"]);
  await page.fill("input[name=label-columns]", "99");
  await page.keyboard.press("Enter");
  assert.match((await card(page).getByRole("alert").textContent()) ?? "", /wide\.csv has no column 99\. It has 43 columns/);
  await page.fill("input[name=label-columns]", "43");
  await page.keyboard.press("Enter");
  assert.match((await card(page).getByRole("alert").textContent()) ?? "", /41 inputs chosen/);
  await page.fill("input[name=out-columns]", "1,42");
  await page.keyboard.press("Enter");
  await says(page, "40 inputs · 1 label · 2 left out");
  await page.close();
});

test("raw columns are noticed, standardising is one press, and the command says so", async () => {
  const { page } = await freshPage();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await drop(page, [TINY, { name: "raw.csv", bytes: strToU8(table(120, 40)) }]);
  await resting(page);
  assert.match(await facts(page), /Not standardised: means up to \d+\S*, spreads up to \d/);
  const before = (await reportOf(page)).deviation;
  await page.getByRole("button", { name: "Standardise" }).click();
  await says(page, "Mean 0 and spread 1 for each column");
  await resting(page);
  assert.equal(await page.getByRole("button", { name: "Standardise" }).count(), 0);
  assert.notEqual((await reportOf(page)).deviation, before);
  await page.getByRole("button", { name: "Copy command" }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /--data raw\.csv --labels 1 --skip id,kind --standardize --split 0\.5/);
  await drop(page, [ROWS]);
  await says(page, "rows.csv");
  assert.doesNotMatch(await facts(page), /Not standardised/, "nothing is said of rows that look standardised");
  await page.close();
});

test("images and labels in IDX stand side by side, and raw pixels are offered to be divided", async () => {
  const { page } = await freshPage();
  const idx = (/** @type {number[]} */ dims, /** @type {Uint8Array} */ values) => Uint8Array.from([0, 0, 8, dims.length, ...dims.flatMap((dim) => [0, 0, dim >> 8, dim & 255]), ...values]);
  const images = { name: "images-idx3-ubyte.gz", bytes: gzipSync(idx([90, 4, 4], Uint8Array.from({ length: 1440 }, (_, i) => (i * i * 31) & 255))) };
  const labels = { name: "labels-idx1-ubyte", bytes: idx([90], Uint8Array.from({ length: 90 }, (_, i) => i % 3)) };
  await drop(page, [labels, GREY, images]);
  await resting(page);
  assert.match(await facts(page), /images-idx3-ubyte\.gz \+ labels-idx1-ubyte90 rows · 16 inputs · 1 label/);
  assert.equal((await reportOf(page)).score.kind, "accuracy");
  await page.getByRole("button", { name: "Divide by 255" }).click();
  await page.waitForFunction(() => /** @type {HTMLSelectElement} */ (document.querySelector("select[name=scale]")).value === "divide");
  await settled(page);
  await drop(page, [images, { name: "short-idx1-ubyte", bytes: idx([5], new Uint8Array(5)) }]);
  assert.match(await problem(page), /images-idx3-ubyte\.gz is read\. short-idx1-ubyte came along and is left aside/);
  await page.close();
});

test("the share of the rows that decide is chosen, by keyboard too, in words and counts", async () => {
  const { page } = await freshPage();
  await drop(page, [TINY, ROWS]);
  await resting(page);
  assert.match(await facts(page), /The first 60 rows decide, the last 60 score/);
  await page.focus(".split summary");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("End");
  await page.waitForSelector("text=All 120 rows decide, and all score.");
  await page.waitForFunction(() => /on 120 rows/.test(document.querySelector(".numbers")?.textContent ?? ""));
  await resting(page);
  const { measure, score } = await reportOf(page);
  assert.deepEqual([measure.rows, score.rows, score.heldOut], [120, 120, false]);
  await page.close();
});

test("without data the page says what it assumes, and takes a range instead", async () => {
  const { page, complaints } = await freshPage();
  await drop(page, [TINY]);
  await resting(page);
  const before = (await reportOf(page)).deviation;
  await page.locator("summary", { hasText: "Give a range" }).click();
  await page.fill("input[name=low]", "3");
  await page.fill("input[name=high]", "2");
  await page.keyboard.press("Enter");
  assert.match((await card(page).getByRole("alert").textContent()) ?? "", /Two numbers are expected/);
  await page.fill("input[name=low]", "-0.5");
  await page.keyboard.press("Enter");
  await says(page, "No data: inputs are drawn evenly from −0.5 to 2.");
  await resting(page);
  const report = await reportOf(page);
  assert.deepEqual([report.measure.kind, report.deviation === before], ["box", false]);
  await shoot(page, "data-range-1280");
  await page.getByRole("button", { name: "Forget it" }).click();
  await says(page, "No data: inputs are drawn from N(0,\u00a01)");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("the data card stands with all of it open, light and dark, wide and narrow", needsMaterial, async () => {
  const { page } = await freshPage();
  await drop(page, [{ name: "iris.onnx", bytes: bytesOf(materialFile("models/winml_pytorch_iris.onnx")) }, { name: "iris.csv", bytes: bytesOf(materialFile("datasets/iris.csv")) }]);
  await resting(page);
  assert.match(await facts(page), /150 rows · 4 inputs · 1 label.*0 = Iris-setosa, 1 = Iris-versicolor, 2 = Iris-virginica/);
  assert.ok((await reportOf(page)).score.before > 0.95, "the model's own order of classes");
  await page.locator("summary", { hasText: "Columns and first rows" }).click();
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 390, 360]) {
      await page.setViewportSize({ width, height: 900 });
      await page.waitForFunction((wide) => document.documentElement.scrollWidth === wide, width); // charts follow a frame later
      if (width !== 360) await shoot(page, `data-${width}-${colorScheme}`);
    }
    assert.deepEqual(await violations(page), []);
  }
  await page.close();
});

test("every sample opens with the columns its own list names as labels", async () => {
  const { page } = await freshPage();
  for (const { title, labels } of JSON.parse(readFileSync(sampleFile("samples.json"), "utf8"))) {
    await page.getByRole("button", { name: title }).first().click();
    await card(page).getByText(` inputs · ${labels} label`).waitFor();
  }
  await page.close();
});
