// large_page: the same as large.mjs in the page, in Chromium: the file is chosen as a person does, the smaller model saved to disk. Peak
// memory is that of the process the page and its worker live in (VmHWM) and, beside it, of the browser's own.
//
//   make dist && node tests/bench/large_page.mjs stack 16               # 1.07 GB
//   node tests/bench/large_page.mjs stack 12 --width 2048               # 201 MB
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { parseArgs } from "node:util";

import { openBrowser, withoutPolish } from "../page/built.js";
import { writeLarge } from "./large_models.mjs";

const HOURS = 4;
const MB = 1e6;

const { positionals, values } = parseArgs({ allowPositionals: true, options: { width: { type: "string" } } });
const [kind, count] = positionals;
if (!count) {
  console.log("Say which model, as the first lines of this file do: a gigabyte takes an hour.");
  process.exit();
}
const width = values.width ? Number(values.width) : undefined;
const file = `build/large/${kind}-${count}${width ? `-${width}` : ""}.onnx`;
mkdirSync("build/large", { recursive: true });
if (!existsSync(file)) writeLarge(file, /** @type {"stack"|"feedforward"} */ (kind), Number(count), width);
const bytes = statSync(file).size;

/** The browser's processes there are now, by what they are, with their peaks in bytes. @returns {Map<string, number>} */
function peaks() {
  const found = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      if (!/^\S*chrom/.test(line)) continue;
      const type = /--type=(\S+)/.exec(line)?.[1] ?? "browser";
      const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
      found.set(type, Math.max(found.get(type) ?? 0, peak));
    } catch {
      // it ended meanwhile
    }
  return found;
}

const stage = await openBrowser();
const page = await stage.browser.newPage({ viewport: { width: 1280, height: 900 } });
page.setDefaultTimeout(HOURS * 3_600_000);
page.on("pageerror", (error) => console.error(String(error)));
await withoutPolish(page);
await page.goto(stage.url);
await page.waitForSelector(".sample");
const idle = peaks();
const started = performance.now();
const seconds = () => Math.round((performance.now() - started) / 1000);
const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Choose files" }).first().click()]);
await chooser.setFiles(file);
const watch = setInterval(async () => {
  const said = await page.evaluate(() => document.querySelector("progress")?.parentElement?.textContent ?? document.querySelector(".problem")?.textContent ?? "-").catch(String);
  console.error(`${seconds()} s: ${said}; ${[...peaks()].map(([name, peak]) => `${name} ${(peak / MB).toFixed(0)} MB`).join(", ")}`);
}, 15_000);
await page.waitForSelector(".downloads .primary:not(:disabled)");
const made = seconds();
const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download smaller model", exact: true }).first().click()]);
const small = statSync(/** @type {string} */ (await saved.path())).size;
await page.waitForTimeout(10_000); // for what is drawn last
clearInterval(watch);
const numbers = (await page.textContent(".numbers"))?.replace(/\s+/g, " ");
const end = peaks();
console.log(
  JSON.stringify({
    model: `${kind} ${count}`, width, megabytes: bytes / MB, seconds: made, peakMegabytes: (end.get("renderer") ?? 0) / MB, idleMegabytes: (idle.get("renderer") ?? 0) / MB,
    peakOfFile: (end.get("renderer") ?? 0) / bytes, browserMegabytes: (end.get("browser") ?? 0) / MB, writtenMegabytes: small / MB, numbers,
  }),
); // prettier-ignore
await stage.end();
rmSync(/** @type {string} */ (await saved.path().catch(() => "")) || `${file}.small`, { force: true });
