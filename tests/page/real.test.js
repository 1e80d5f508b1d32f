// The main flow in Chromium on real models, and every broken file that we have: skipped where the material is absent.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createEngine } from "../../wasm/engine.js";
import { bytesOf, materialFile, materialFiles, needsMaterial } from "../material.js";
import { download, drop, openBrowser, resting, shoot, withoutPolish } from "./built.js";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
/** @type {import("playwright-core").Page} */
let page;
/** @type {string[]} */
const complaints = [];
before(async () => {
  stage = await openBrowser();
  page = await stage.browser.newPage({ viewport: { width: 1280, height: 900 } });
  await withoutPolish(page);
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(stage.url);
  await page.waitForSelector(".sample");
});
after(() => stage?.end());

/** @param {string[]} names of files of the material */
const dropAll = (names) => drop(page, names.map((name) => ({ name: name.split("/").at(-1) ?? name, bytes: bytesOf(materialFile(name)) })));
const modelName = () => page.textContent("h1.file-name");

for (const { files, says, smaller } of [
  { files: ["models/torch_abalone_relu_8-64-64-1_op13.onnx", "data/abalone_test.csv"], says: /8 inputs · 1 label \(target\)/, smaller: true },
  { files: ["models/torch_mnist_cnn_bn_8-16-64_op11.onnx", "data/mnist_t10k_first1000_x255.csv.gz"], says: /1,000 rows · 784 inputs · 1 label/, smaller: true },
  { files: ["models/tfjs_layers_abalone_relu/model.json", "models/tfjs_layers_abalone_relu/weights.bin"], says: /No data/, smaller: true },
  { files: ["models/brainjs_iris_sigmoid.json", "datasets/iris.csv"], says: /150 rows · 4 inputs · 1 label/, smaller: false },
  { files: ["models/mlagents_3DBall.onnx"], says: /No data/, smaller: true },
])
  test(`${files.map((name) => name.split("/").at(-1)).join(" and ")}: opened, measured, made smaller, checked, downloaded`, needsMaterial, async () => {
    const before = await page.locator("h1.file-name").textContent({ timeout: 100 }).catch(() => "");
    await dropAll(files);
    const name = /** @type {string} */ (files[0].split("/").at(-1));
    await page.waitForFunction(([old, wanted]) => document.querySelector("h1.file-name")?.textContent === wanted || old === wanted, [before, name]);
    await resting(page);
    assert.match((await page.textContent("section.data")) ?? "", says);
    const report = JSON.parse(new TextDecoder().decode((await download(page, "Numbers (JSON)")).bytes));
    assert.ok(report.verified.agrees, JSON.stringify(report.verified));
    const small = await download(page, "Download smaller model");
    if (!small.name.endsWith(".zip")) assert.equal(small.bytes.length, report.bytes.after);
    if (smaller) assert.ok(report.parameters.after < report.parameters.before);
    if (small.name.endsWith(".onnx")) assert.equal((await createEngine()).open(small.bytes, small.name).info.parameters, report.parameters.after);
    await shoot(page, `real-${name.split(".")[0]}-1280`);
    assert.deepEqual(complaints, []);
  });

test("no broken file ends the engine or what is open: each is named, with what is wrong", needsMaterial, async () => {
  await dropAll(["models/winml_pytorch_iris.onnx"]);
  await page.waitForFunction(() => document.querySelector("h1.file-name")?.textContent === "winml_pytorch_iris.onnx");
  await resting(page);
  for (const file of materialFiles("broken", /./)) {
    if (await page.locator("main > .problem").count()) await page.locator("main > .problem").getByRole("button", { name: "Close" }).click();
    const before = await modelName();
    await dropAll([`broken/${file}`]);
    const answered = (/** @type {string} */ wanted) =>
      document.querySelector("main > .problem") || (document.querySelector("h1.file-name")?.textContent === wanted && document.querySelector(".downloads .primary:not(:disabled), .controls .problem, .nothing"));
    await page.waitForFunction(answered, file, { timeout: 20_000 }).catch(() => assert.fail(`${file}: no answer`));
    const problem = await page.locator("main > .problem").textContent({ timeout: 100 }).catch(() => null);
    if (problem === null) continue; // broken in a way that the model can be read all the same
    assert.match(problem, /.{30}\./, file);
    assert.doesNotMatch(problem, /engine stopped|undefined|\[object/, file);
    // What can be read is open, even if nothing can be measured on it.
    assert.ok([before, file].includes(await modelName()), file);
  }
  assert.deepEqual(complaints, []);
});
