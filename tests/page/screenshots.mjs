// Takes the README's two pictures of the page: make screenshots.
import { fileURLToPath } from "node:url";

import { openBrowser, resting } from "./built.js";

const stage = await openBrowser();

/** @param {string} name @param {"light"|"dark"} colorScheme @param {(page: import("playwright-core").Page) => Promise<void>} prepare */
async function take(name, colorScheme, prepare) {
  const page = await stage.browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme });
  await page.goto(stage.url);
  await prepare(page);
  await page.screenshot({ path: fileURLToPath(new URL(`../../web/${name}.png`, import.meta.url)) });
  await page.close();
}

await take("screenshot-light", "light", async (page) => {
  await page.locator(".sample", { hasText: "digits" }).click();
  await resting(page);
  await page.getByRole("button", { name: "All methods" }).click();
  await resting(page);
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());
});
await take("screenshot-dark", "dark", async (page) => {
  await page.evaluate(() => void (location.hash = "#class"));
  await page.getByText(/^Step 0 of [1-9]/).waitFor();
  for (let i = 1; i < 4; i += 1) {
    await page.keyboard.press("ArrowRight");
    await page.getByText(new RegExp(`^Step ${i} of`)).waitFor();
  }
});
await stage.end();
