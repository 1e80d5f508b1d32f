// A result in Chromium: asked for by a score, expected before it is there, pinned, taken home, linked; and what survives a crash.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { unzipSync } from "fflate";

import { asked, download, openBrowser, resting, shoot, withoutPolish } from "./built.js";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
before(async () => (stage = await openBrowser()));
after(() => stage?.end());

/** @param {string} [hash] @param {{polish?: boolean}} [options] */
async function freshPage(hash = "", { polish = false } = {}) {
  const context = await stage.browser.newContext({ viewport: { width: 1280, height: 900 }, permissions: ["clipboard-read", "clipboard-write"] });
  if (!polish) await withoutPolish(context);
  const page = await context.newPage();
  await page.goto(`${stage.url}${hash}`);
  return page;
}

/** @param {import("playwright-core").Page} page @param {string} title */
async function openSample(page, title) {
  await page.locator(".sample", { hasText: title }).click();
  await resting(page);
}

/** @param {import("playwright-core").Page} page */
const reportOf = async (page) => JSON.parse(new TextDecoder().decode((await download(page, "Numbers (JSON)")).bytes));
/** @param {import("playwright-core").Page} page */
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

test("the smallest network with an accuracy is searched for; more than the network has is refused with a way out", async () => {
  const page = await freshPage();
  await openSample(page, "digits");
  await page.getByRole("radio", { name: "Accuracy" }).check();
  await page.fill("input[name=value]", "95");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".working:has-text('Searching the size')");
  await resting(page);
  const report = await reportOf(page);
  assert.ok(report.target.kind === "accuracy" && report.score.after >= 0.95 && report.retained < 0.2);
  assert.match(await page.locator(".sentence").innerText(), /192 → \d+\sneurons · .* · accuracy 97\.8\s% → 9\d\.\d\s%/);
  await page.fill("input[name=value]", "99.5");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".problem:has-text('Ask for that or less')");
  assert.equal((await page.locator(".numbers .value strong").allTextContents()).includes("–"), false, "the last result stays");
  await page.getByRole("button", { name: "Use 97.7 %" }).click();
  await resting(page);
  assert.ok((await reportOf(page)).score.after >= 0.977);
  await page.close();
});

/** @typedef {{values: string[], below: string, ready: boolean}} Shown   of the numbers; below the deviation; ready: to be taken away */

/** What the numbers say, one thing after the other, from an act until nothing is worked on.
 * @param {import("playwright-core").Page} page @param {() => Promise<unknown>} act @returns {Promise<Shown[]>} */
async function shownSince(page, act) {
  const watch = await page.evaluateHandle(() => {
    /** @type {Shown[]} */
    const shown = [];
    const look = () => {
      const values = [...document.querySelectorAll(".numbers .value strong")].map((cell) => cell.textContent?.trim() ?? "");
      const now = { values, below: document.querySelectorAll(".numbers .below")[2].textContent ?? "", ready: document.querySelector(".downloads .primary:disabled") === null };
      if (JSON.stringify(now) !== JSON.stringify(shown.at(-1))) shown.push(now);
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    return { shown };
  });
  await asked(page, act);
  await resting(page);
  return watch.evaluate(({ shown }) => shown);
}

test("while the slider moves, every number says at once what is expected, and the result takes its place", async () => {
  const page = await freshPage();
  await openSample(page, "digits");
  await page.focus("input[name=dial]");
  const shown = await shownSince(page, () => page.keyboard.press("PageDown"));
  const [{ values: expected }, { values: found }] = [shown[0], shown[shown.length - 1]];
  assert.ok(expected.slice(1).every((value) => value.startsWith("≈")) && !expected[0].startsWith("≈"), expected.join());
  assert.ok(found.every((value) => !value.startsWith("≈")) && found[0] === expected[0], found.join());
  const [guess, is] = [expected[2], found[2]].map((value) => Number.parseFloat(value.replace("≈", "")));
  assert.ok(Math.abs(guess - is) < 0.4 * is, `expected ${guess} %, found ${is} %`);
  await page.close();
});

test("when the slider rests, a network of that size is fitted quickly and what it measures is shown, until the result is there; nothing of it can be taken away", async () => {
  const page = await freshPage();
  await openSample(page, "glycolysis");
  await page.focus("input[name=dial]");
  const shown = await shownSince(page, () => page.keyboard.press("PageDown"));
  const first = shown.filter(({ below }) => below.includes("First fit"));
  assert.ok(first.length > 0, shown.map(({ values }) => values[2]).join());
  assert.ok(first.every(({ values, ready }) => values[2].startsWith("≈") && !ready));
  assert.match(shown[0].below, /^RMS on/, "read off the line");
  const last = shown[shown.length - 1];
  assert.match(last.below, /^RMS on/);
  const [guess, is] = [first[0], last].map(({ values }) => Number.parseFloat(values[2].replace("≈", "")));
  assert.ok(guess > 0.8 * is && guess < 3 * is, `first fit ${guess} %, result ${is} %`);
  await page.close();
});

test("a place the slider has left is not shown any more: its first fit is dropped", async () => {
  const page = await freshPage();
  await openSample(page, "glycolysis");
  const shown = await shownSince(page, () =>
    page.evaluate(async () => {
      const dial = /** @type {HTMLInputElement} */ (document.querySelector("input[name=dial]"));
      for (let place = Number(dial.value); place > 150; place -= 5) {
        dial.value = String(place);
        dial.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((resolve) => setTimeout(resolve, 60)); // a first fit begins, and may end
      }
    }),
  );
  const arrivals = shown.filter(({ values }, i) => i > 0 && values[0] !== shown[i - 1].values[0]);
  assert.ok(arrivals.length > 3 && shown.some(({ below }) => below.includes("First fit")));
  assert.ok(arrivals.every(({ below }) => !below.includes("First fit")), arrivals.map(({ below }) => below).join());
  await page.close();
});

test("a pinned result stays beside the next ones; one click goes back to it", async () => {
  const page = await freshPage();
  await openSample(page, "digits");
  const first = (await reportOf(page)).parameters.after;
  await page.getByRole("button", { name: "Pin", exact: true }).click();
  assert.equal(await page.getByRole("button", { name: "Pin", exact: true }).isDisabled(), true);
  await asked(page, () => page.selectOption("select[name=method]", "partition"));
  await resting(page);
  const rows = await page.locator(".pins tbody tr").allInnerTexts();
  assert.equal(rows.length, 2);
  assert.match(rows[0], /projected, ε/);
  assert.match(rows[1], /now · partition/);
  await shoot(page, "pinned");
  await asked(page, () => page.getByRole("button", { name: /^Back to it/ }).click());
  await resting(page);
  const back = await reportOf(page);
  assert.deepEqual([back.method, back.parameters.after], ["projected", first]);
  await page.getByRole("button", { name: /^Remove: projected/ }).click();
  assert.equal(await page.locator(".pins").count(), 0);
  await page.close();
});

test("a link holds the settings and nothing of the data: opened elsewhere it makes the same network", async () => {
  const page = await freshPage();
  await openSample(page, "glycolysis");
  await page.getByRole("radio", { name: "Size" }).check();
  await page.fill("input[name=value]", "25");
  await asked(page, () => page.keyboard.press("Enter"));
  await resting(page);
  await page.getByRole("button", { name: "Copy link" }).click();
  await page.waitForSelector(".downloads .note:has-text('nothing of the model or the data')");
  const link = await clipboard(page);
  assert.equal(new URL(link).hash, "#?sample=glycolysis&retain=0.25&polish=no");
  await page.getByRole("button", { name: "Copy command" }).click();
  assert.match(await clipboard(page), /^netlump glycolysis\.onnx --retain 0\.25 --no-polish --data glycolysis\.csv --labels/);
  const small = await download(page, "Download smaller model");
  const other = await freshPage(new URL(link).hash);
  await resting(other);
  assert.equal(Buffer.compare((await download(other, "Download smaller model")).bytes, small.bytes), 0);
  await Promise.all([page.close(), other.close()]);
});

test("everything comes as one zip, the same bytes as the single downloads; the equations come for ERODE", async () => {
  const page = await freshPage();
  await openSample(page, "glycolysis");
  const zip = await download(page, "Everything (zip)");
  assert.equal(zip.name, "glycolysis.small.zip");
  const files = unzipSync(zip.bytes);
  assert.deepEqual(Object.keys(files).map((name) => name.replace("glycolysis.small/", "")).sort(), ["command.txt", "curve.csv", "glycolysis.small.onnx", "network.ode", "report.html", "report.json"]);
  assert.equal(Buffer.compare(files["glycolysis.small/glycolysis.small.onnx"], (await download(page, "Download smaller model")).bytes), 0);
  const ode = new TextDecoder().decode((await download(page, "ERODE .ode")).bytes);
  assert.match(ode, /^begin model [^]*begin ODE[^]*end model/);
  assert.equal(ode, new TextDecoder().decode(files["glycolysis.small/network.ode"]));
  await page.close();
});

test("a worker that crashes is replaced: the model is still open, and the same result comes again", async () => {
  const page = await freshPage();
  await openSample(page, "digits");
  const before = await reportOf(page);
  await page.workers()[0].evaluate(() => void setTimeout(() => { throw new Error("crash"); })); // prettier-ignore
  await page.waitForSelector(".downloads .primary:disabled");
  await resting(page);
  assert.equal(await page.textContent(".controls .file-name"), "digits.onnx");
  assert.deepEqual(await reportOf(page), before);
  await page.close();
});
