// What `make dist` makes: its weight, its policy, offline and updates in Chromium, and the single files opened from file://.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { createEngine } from "../../wasm/engine.js";
import { serve } from "../../web/serve.mjs";
import { layersOf, tensorFlowModel } from "../foreign.js";
import { jsonModel } from "../material.js";
import { dist, download, drop, openBrowser, root, settled, shoot, withoutPolish } from "./built.js";
import { sumOf, weights } from "./weight.js";

const LIMIT = 300_000; // bytes, gzipped, of all that a first visit loads
const MODEL = { name: "glycolysis.onnx", bytes: new Uint8Array(readFileSync(join(root, "web/samples/glycolysis.onnx"))) };

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
/** A place for copies of the built page. */
const place = mkdtempSync(join(tmpdir(), "netlump-"));
before(async () => (stage = await openBrowser()));
after(async () => {
  await stage?.end();
  rmSync(place, { recursive: true, force: true });
});

/** A page with what it and its workers ask for and what it complains about; it ends with its test.
 * @param {import("node:test").TestContext} t @param {import("playwright-core").BrowserContextOptions} [options] */
async function watchedPage(t, options) {
  const context = await stage.browser.newContext(options);
  t.after(() => context.close());
  await withoutPolish(context);
  /** @type {string[]} */
  const requests = [];
  /** @type {string[]} */
  const complaints = [];
  context.on("request", (request) => requests.push(request.url()));
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { context, page, requests, complaints };
}

/** Serves a folder while the test runs, or until it is closed. @param {import("node:test").TestContext} t @param {string} folder */
async function hosted(t, folder) {
  const { url, close } = await serve(folder);
  let open = true;
  const end = async () => void (open && ((open = false), await close()));
  t.after(end);
  return { url, close: end };
}

/** @param {import("playwright-core").Page} page */
async function openSample(page) {
  await page.locator(".sample").first().click();
  await settled(page);
}

test("a first visit that opens a model loads at most 300 kB, gzipped, without ONNX Runtime", async (t) => {
  const { page, requests } = await watchedPage(t);
  await page.goto(stage.url);
  await page.waitForSelector(".sample");
  await drop(page, [MODEL]);
  await settled(page);
  await page.waitForSelector(".hero svg");
  const sizes = await weights(page, stage.url, requests);
  const names = sizes.map(({ name }) => name);
  const sum = sumOf(sizes);
  assert.ok(["netlump.wasm", "main.js", "worker.js", "style.css", "manifest.webmanifest"].every((name) => names.includes(name)), names.join(" "));
  assert.ok(!names.includes("formats.wasm"), "what reads JSON is not for ONNX");
  assert.ok(sum <= LIMIT, `${sum} bytes: ${sizes.map(({ name, size }) => `${name} ${size}`).join(", ")}`);
  console.log(`first visit: ${sum} bytes gzipped`);
});

test("the first model in JSON fetches what reads it; where that fails, the page says so and keeps the model that is open", async (t) => {
  const { context, page, requests } = await watchedPage(t);
  const { bytes, files } = tensorFlowModel(layersOf([4, 16, 2]));
  const model = [{ name: "model.json", bytes }, ...[...files].map(([name, content]) => ({ name, bytes: content }))];
  const fetched = () => requests.filter((url) => url.endsWith("/formats.wasm")).length;
  await context.route("**/formats.wasm", (route) => route.abort());
  await page.goto(stage.url);
  await page.waitForSelector(".sample");
  await drop(page, [MODEL]);
  await settled(page);
  assert.equal(fetched(), 0);
  await drop(page, model);
  assert.match((await (await page.waitForSelector(".problem[role=alert]")).textContent()) ?? "", /What reads and writes models in JSON cannot be loaded/);
  assert.equal(await page.textContent("h1.file-name"), MODEL.name);
  assert.ok((await download(page, "Download smaller model")).bytes.length > 1000);
  await context.unroute("**/formats.wasm");
  await drop(page, model);
  await page.locator("h1.file-name", { hasText: "model.json" }).waitFor();
  await settled(page);
  assert.ok(fetched() > 0, "it comes from where the first try failed");
});

test("the same sources give the same bytes", () => {
  const again = join(place, "again");
  execFileSync(process.execPath, [join(root, "web/build.mjs"), "--out", again]);
  const names = filesBelow(dist);
  assert.ok(names.length > 20);
  assert.deepEqual(names.filter((name) => Buffer.compare(readFileSync(join(dist, name)), readFileSync(join(again, name))) !== 0), []);
});

test("under a deep path the page works offline after a visit, ONNX Runtime and all, and keeps no model", async (t) => {
  const site = join(place, "deep");
  cpSync(dist, join(site, "some/deep/path"), { recursive: true });
  const host = await hosted(t, site);
  const { page, complaints } = await watchedPage(t, { serviceWorkers: "allow" });
  await page.goto(`${host.url}some/deep/path/`);
  await page.getByText("Ready to work offline").waitFor({ timeout: 60_000 });
  await shoot(page, "offline-ready-1280");
  await host.close();
  await page.reload();
  await page.waitForSelector(".sample");
  await openSample(page);
  assert.match((await page.textContent(".badge")) ?? "", /ONNX Runtime agrees/);
  assert.ok((await download(page, "Download smaller model")).bytes.length > 1000);
  await drop(page, [{ name: "net.json", bytes: jsonModel([4, 16, 2]) }]);
  await page.locator("h1.file-name", { hasText: "net.json" }).waitFor();
  await settled(page);
  const kept = await page.evaluate(async () => {
    const urls = [];
    for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) urls.push(url);
    return { urls, databases: (await indexedDB.databases()).length, stored: JSON.stringify([{ ...localStorage }, { ...sessionStorage }]) };
  });
  assert.deepEqual(kept.urls.filter((url) => !url.startsWith(`${host.url}some/deep/path/`)), []);
  const own = new Set(filesBelow(dist));
  assert.deepEqual(kept.urls.map((url) => url.slice(`${host.url}some/deep/path/`.length).split("?")[0]).filter((name) => !own.has(name)), [], "files of the page alone");
  assert.equal(kept.databases, 0);
  assert.equal(kept.stored, '[{},{"netlump.polish":"off"}]');
  assert.deepEqual(complaints, []);
});

/** The files below a folder, as addresses have them. @param {string} folder */
const filesBelow = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));

/** Makes another version of a copy of the page: a sentence and what knows its hash. @param {string} site @param {string} title */
function changeTitle(site, title) {
  const page = join(site, "index.html");
  writeFileSync(page, readFileSync(page, "utf8").replace(/<title>[^<]*/, `<title>${title}`));
  const worker = join(site, "service-worker.js");
  const hash = createHash("sha256").update(readFileSync(page)).digest("base64url");
  writeFileSync(worker, readFileSync(worker, "utf8").replace(/("index\.html":")[^"]*/, `$1${hash}`));
}

test("a new version asks first: declined, the old one goes on; taken, the new one is there; never beside another window", async (t) => {
  const site = join(place, "updated");
  cpSync(dist, site, { recursive: true });
  rmSync(join(site, "netlump-full.html"));
  const host = await hosted(t, site);
  const { context, page } = await watchedPage(t, { serviceWorkers: "allow" });
  await page.goto(host.url);
  const old = await page.title();
  await page.getByText("Ready to work offline").waitFor({ timeout: 60_000 });
  assert.equal(await page.locator(".update").count(), 0, "nothing is asked on the first visit");
  changeTitle(site, "another version");
  await page.reload();
  const question = page.locator(".update", { hasText: "A new version is there" });
  await question.waitFor();
  await shoot(page, "update-1280");
  await page.getByRole("button", { name: "Later", exact: true }).click();
  await page.reload();
  await question.waitFor();
  assert.equal(await page.title(), old);
  const other = await context.newPage();
  await other.goto(host.url);
  await page.getByRole("button", { name: "Reload", exact: true }).click();
  await page.getByText("Close the other windows").waitFor();
  assert.deepEqual([await page.title(), await other.title()], [old, old]);
  await other.close();
  await page.getByRole("button", { name: "Reload", exact: true }).click();
  await page.waitForFunction(() => document.title === "another version");
  const indices = await page.evaluate(async () => (await (await caches.open((await caches.keys())[0])).keys()).filter(({ url }) => url.includes("index.html")).length);
  assert.equal(indices, 1, "the old files are gone");
});

test("the policy forbids requests to other origins, scripts and styles that are not the page's", async (t) => {
  const { page } = await watchedPage(t);
  const other = await hosted(t, dist);
  for (const address of [stage.url, pathToFileURL(join(dist, "netlump.html")).href]) {
    await page.goto(address);
    await page.waitForSelector(".sample");
    const policy = (await page.getAttribute("meta[http-equiv=Content-Security-Policy]", "content")) ?? "";
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval'.*unsafe-eval|\*/);
    const found = await page.evaluate(async (url) => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.head.append(script);
      document.body.insertAdjacentHTML("beforeend", '<i id="styled" style="color: rgb(1, 2, 3)"></i>');
      const styled = getComputedStyle(/** @type {Element} */ (document.getElementById("styled"))).color;
      const fetched = await fetch(url).then(() => "fetched", () => "refused");
      const image = await new Promise((done) => Object.assign(new Image(), { onload: () => done("loaded"), onerror: () => done("refused"), src: `${url}icon-192.png` }));
      return { ran: "ran" in window, styled: styled === "rgb(1, 2, 3)", fetched, image };
    }, other.url);
    assert.deepEqual(found, { ran: false, styled: false, fetched: "refused", image: "refused" }, address);
    await openSample(page);
    const [worker] = page.workers();
    const asked = await worker.evaluate((url) => fetch(url).then(() => "fetched", () => "refused"), other.url);
    assert.equal(asked, "refused", `the worker of ${address}`);
  }
});

test("the manifest names icons that are there, of their sizes", async () => {
  const { icons } = JSON.parse(readFileSync(join(dist, "manifest.webmanifest"), "utf8"));
  for (const { src, sizes, type } of icons) {
    const bytes = readFileSync(join(dist, src));
    if (type === "image/png") assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes, src);
  }
  assert.deepEqual(icons.map((/** @type {{sizes: string}} */ { sizes }) => sizes), ["any", "192x192", "512x512", "512x512"]);
});

for (const { file, badge } of [
  { file: "netlump.html", badge: /Not checked.*comes without ONNX Runtime.*netlump-full\.html/ },
  { file: "netlump-full.html", badge: /ONNX Runtime agrees.*on 700 rows/ },
])
  test(`${file} opened from a disk makes the same smaller model and requests nothing`, async (t) => {
    const { context, page, requests, complaints } = await watchedPage(t, { viewport: { width: 1280, height: 900 } });
    const copy = join(place, file);
    cpSync(join(dist, file), copy);
    await page.goto(pathToFileURL(copy).href);
    await page.waitForSelector(".sample");
    await openSample(page);
    assert.match((await page.textContent(".badge")) ?? "", badge);
    await page.locator(".badge summary").click();
    await shoot(page, `${file.replace(".html", "")}-1280`);
    const small = await download(page, "Download smaller model");
    const opened = (await createEngine()).open(small.bytes, small.name);
    assert.equal(opened.info.features, 7);
    const [text] = await Promise.all([context.waitForEvent("page"), page.getByRole("button", { name: "Licences" }).click()]);
    await text.waitForLoadState();
    assert.match((await text.textContent("body")) ?? "", /onnxruntime-web/);
    assert.deepEqual(requests.filter((url) => !url.startsWith("blob:")), [pathToFileURL(copy).href]);
    assert.deepEqual(complaints, []);
  });

test("netlump.html says where to go with a model that needs ONNX Runtime", async (t) => {
  const { page } = await watchedPage(t);
  await page.goto(pathToFileURL(join(dist, "netlump.html")).href);
  await page.waitForSelector(".sample");
  await drop(page, [{ name: "cnn.onnx", bytes: new Uint8Array(readFileSync(join(root, "tests/fixtures/cnn.onnx"))) }]);
  const problem = await page.waitForSelector("[role=alert]");
  assert.match((await problem.textContent()) ?? "", /comes without ONNX Runtime\. Use netlump-full\.html or the hosted page/);
  await shoot(page, "netlump-needs-runtime-1280");
});
