// The page as the tests see it: built when it is older than its sources, served, open in Chromium.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { serve } from "../../web/serve.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const dist = join(root, "dist");
export const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/**
 * When the newest file below a path was written.
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const facts = statSync(path);
  if (!facts.isDirectory()) return facts.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Builds the page where its sources are newer. */
export function buildWhenOld() {
  const sources = Math.max(...["web", "wasm", "build/netlump.wasm", "build/formats.wasm"].map((path) => newest(join(root, path))));
  const built = join(dist, "index.html");
  if (existsSync(built) && statSync(built).mtimeMs >= sources) return;
  execFileSync(process.execPath, [join(root, "web/build.mjs"), "--out", dist], { stdio: "inherit" });
}

/** Pages keep themselves for later only where a test is about that: it would fetch 14 MB each time, past the tests' eyes.
 * @param {import("playwright-core").Browser} browser */
function withoutWorkers(browser) {
  const { newPage, newContext } = browser;
  browser.newPage = (options) => newPage.call(browser, { serviceWorkers: "block", ...options });
  browser.newContext = (options) => newContext.call(browser, { serviceWorkers: "block", ...options });
  return browser;
}

/** Without a window of its own it takes a fifth less time, where Debian has it. */
const chromiumHere = () => process.env.CHROMIUM ?? ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));

/** The page's address, a browser, and the way to end both. */
export async function openBrowser() {
  buildWhenOld();
  const { url, close } = await serve(dist, 0);
  const browser = withoutWorkers(await chromium.launch({ executablePath: chromiumHere(), args: FLAGS }));
  return {
    url,
    browser,
    async end() {
      await browser.close();
      await close();
    },
  };
}

/**
 * Drops files on the page as a person does.
 * @param {import("playwright-core").Page} page
 * @param {{name: string, bytes: Uint8Array}[]} files
 */
export async function drop(page, files) {
  await page.evaluate(dropped, files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString("base64") })));
}

/** What happens in the page then. @param {{name: string, base64: string}[]} files */
export function dropped(files) {
  const transfer = new DataTransfer();
  for (const { name, base64 } of files) {
    transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
  }
  for (const type of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}

/**
 * Keeps a picture of the page in build/screenshots: for people, nothing compares it.
 * @param {import("playwright-core").Page} page
 * @param {string} name without ending
 */
export async function shoot(page, name) {
  mkdirSync(join(root, "build/screenshots"), { recursive: true });
  await page.screenshot({ path: join(root, "build/screenshots", `${name}.png`), fullPage: true });
}

/**
 * Waits until the shown result is the one asked for; its polish may still run.
 * @param {import("playwright-core").Page} page
 */
export const settled = (page) => page.waitForSelector(".downloads .primary:not(:disabled)", { timeout: 60_000 });

/**
 * Does what asks for another result and waits until that is being made: its end may come before anybody looks from outside.
 * @param {{evaluateHandle: (watch: any) => Promise<any>}} page
 * @param {() => Promise<unknown>} act
 */
export async function asked(page, act) {
  const watch = await page.evaluateHandle(() => {
    const begun = new Promise((/** @type {(value: void) => void} */ resolve) => {
      const look = () => document.querySelector(".downloads .primary:disabled") && (observer.disconnect(), resolve());
      const observer = new MutationObserver(look);
      observer.observe(document, { subtree: true, childList: true, attributes: true });
    });
    return { begun };
  });
  await act();
  await watch.evaluate((/** @type {{begun: Promise<void>}} */ { begun }) => begun);
}

/**
 * Waits until nothing is worked on: result, curve and polish are there.
 * @param {import("playwright-core").Page} page
 */
export async function resting(page) {
  await settled(page);
  await page.waitForFunction(() => !document.querySelector("progress") && !(/** @type {HTMLButtonElement} */ (document.querySelector(".downloads .primary")).disabled), null, { timeout: 120_000 });
}

/**
 * Opens pages of this context without the polish, as a person would who has turned it off in this session.
 * @param {import("playwright-core").Page|import("playwright-core").BrowserContext} place
 */
export const withoutPolish = (place) => place.addInitScript(() => sessionStorage.setItem("netlump.polish", "off"));

/**
 * Presses what starts a download and gives its bytes and name.
 * @param {import("playwright-core").Page} page
 * @param {string} button its text
 */
export async function download(page, button) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: button, exact: true }).first().click()]);
  const chunks = [];
  for await (const chunk of await file.createReadStream()) chunks.push(chunk);
  return { name: file.suggestedFilename(), bytes: new Uint8Array(Buffer.concat(chunks)) };
}
