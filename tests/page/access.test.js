// The whole way through the page for people who see, hear, hold or move otherwise: by keyboard alone and by ear, by touch, at 400 %, without motion.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openBrowser, resting, settled, shoot, withoutPolish } from "./built.js";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
before(async () => (stage = await openBrowser()));
after(() => stage?.end());

/** @typedef {import("playwright-core").Page} Page */

/** @param {import("playwright-core").BrowserContextOptions} options */
async function freshPage(options) {
  const page = await stage.browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  page.setDefaultTimeout(20_000);
  await withoutPolish(page);
  await page.goto(stage.url);
  await page.waitForSelector(".sample");
  return page;
}

/** What has the focus, as a screen reader says it. @param {Page} page */
const focused = async (page) => ((await page.locator("*:focus").count()) ? page.locator("*:focus").ariaSnapshot() : "(the browser)");

/** Presses Tab until what has the focus is called so. @param {Page} page @param {RegExp} name */
async function tabTo(page, name) {
  const seen = [];
  for (let i = 0; i < 80; i += 1) {
    await page.keyboard.press("Tab");
    seen.push(await focused(page));
    if (name.test(/** @type {string} */ (seen.at(-1)))) return;
  }
  assert.fail(`${name} is not reached:\n${seen.join("\n")}`);
}

/** @param {Page} page @param {RegExp} wanted of the page's live region */
const told = (page, wanted) => page.locator("p[role=status]", { hasText: wanted }).first().waitFor({ state: "attached" });

test("from the first visit to the download by keyboard alone, each stop with a name, progress and result told", async () => {
  const page = await freshPage({});
  await tabTo(page, /^- button "Choose files"/);
  await tabTo(page, /^- '?button "Handwritten digits/);
  await page.keyboard.press("Enter");
  await told(page, /outputs change by/);
  const before = await page.textContent(".sentence p");
  await tabTo(page, /^- radio "Tolerance"/);
  await page.keyboard.press("ArrowRight");
  assert.match(await focused(page), /^- radio "Size"/);
  await tabTo(page, /^- slider /);
  for (let i = 0; i < 4; i += 1) await page.keyboard.press("PageUp");
  assert.match(await focused(page), /^- slider "[^"]+"/, "the slider keeps the focus and has a name");
  await page.waitForFunction((old) => document.querySelector(".sentence p")?.textContent !== old, before);
  await settled(page);
  const sentence = ((await page.textContent(".sentence p")) ?? "").split(" · ")[0];
  await told(page, new RegExp(`${/→ (\d+)/.exec(sentence)?.[1]}`));
  await tabTo(page, /^- combobox "Method/);
  await tabTo(page, /^- button "Download smaller model"/);
  const [file] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  assert.equal(file.suggestedFilename(), "digits.small.onnx");
  await page.close();
});

test("every control, chart and region of the result has a name, and headings follow each other", async () => {
  const page = await freshPage({});
  await page.locator(".sample").first().click();
  await resting(page);
  const tree = await page.locator("body").ariaSnapshot();
  for (const kind of ["button", "slider", "combobox", "textbox", "radio", "checkbox", "switch", "link", "img", "region"])
    assert.doesNotMatch(tree, new RegExp(`^\\s*- ${kind}(:|$| \\[)`, "m"), `a ${kind} without a name`);
  const levels = [...tree.matchAll(/- heading .*\[level=(\d)\]/g)].map(([, level]) => Number(level));
  assert.equal(levels.filter((level) => level === 1).length, 1);
  assert.ok(levels.every((level, i) => i === 0 || level <= levels[i - 1] + 1), levels.join(" "));
  await page.close();
});

test("by touch: a sample is tapped, the slider drawn with a finger, the result follows", async () => {
  const page = await freshPage({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await page.locator(".sample").nth(1).tap();
  await resting(page);
  const before = await page.textContent(".sentence p");
  const slider = page.locator("input[name=dial]");
  await slider.scrollIntoViewIfNeeded();
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (await slider.boundingBox());
  const at = (/** @type {number} */ share) => [{ x: box.x + share * box.width, y: box.y + box.height / 2 }];
  const session = await page.context().newCDPSession(page);
  const touch = (/** @type {"touchStart"|"touchMove"|"touchEnd"} */ type, /** @type {{x: number, y: number}[]} */ touchPoints) => session.send("Input.dispatchTouchEvent", { type, touchPoints });
  await touch("touchStart", at(0.6));
  for (const share of [0.65, 0.7, 0.75, 0.8]) await touch("touchMove", at(share));
  await touch("touchEnd", []);
  await page.waitForFunction((old) => document.querySelector(".sentence p")?.textContent !== old, before);
  await settled(page);
  const small = await page.$$eval("button:not([hidden]), summary, select, input:not([type=file]):not([type=radio])", (all) =>
    all.filter((one) => /** @type {HTMLElement} */ (one).offsetParent !== null && (one.closest("label") ?? one).getBoundingClientRect().height < 24).map((one) => `${one.nodeName} ${one.textContent?.slice(0, 20)} ${one.getBoundingClientRect().height}`),
  );
  assert.deepEqual(small, [], "targets of 24 CSS pixels at least (WCAG 2.5.8)");
  await page.close();
});

for (const hash of ["", "#class", "#how"])
  test(`at 400 % nothing scrolls sideways, ${hash || "workbench"}`, async () => {
    const page = await stage.browser.newPage({ viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 });
    await withoutPolish(page);
    await page.goto(`${stage.url}${hash}`);
    await page.waitForSelector("h1");
    if (hash === "") {
      await page.locator(".sample").first().click();
      await resting(page);
    }
    await page.waitForFunction(() => !/Step 0 of 0/.test(document.body.textContent ?? ""));
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
    await page.close();
  });

test("who wants no motion sees none, and nothing is missing", async () => {
  const page = await freshPage({ reducedMotion: "reduce" });
  await page.locator(".sample").first().click();
  await settled(page);
  await page.focus("input[name=dial]");
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("PageUp");
  assert.deepEqual(await page.evaluate(() => document.getAnimations().map((one) => one.playState)), []);
  const moving = await page.$$eval("*", (all) => all.filter((one) => ["transition", "animation"].some((what) => parseFloat(getComputedStyle(one).getPropertyValue(`${what}-duration`)) > 0)).length);
  assert.equal(moving, 0);
  await shoot(page, "reduced-motion-1280");
  await page.close();
});
