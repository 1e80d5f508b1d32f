// A sample in Chromium with either build of the engine, and in Node: the same bytes.
import assert from "node:assert/strict";
import { join } from "node:path";

import { readTable, splitTable } from "../../wasm/data.js";
import { createEngine } from "../../wasm/engine.js";
import { bytesOf, sampleFile } from "../material.js";
import { download, root, settled, withoutPolish } from "./built.js";

/** @typedef {Awaited<ReturnType<typeof import("./built.js").openBrowser>>} Stage */

/** What the page makes of a sample with this module as its engine. @param {Stage} stage @param {string} module @param {string} title */
async function madeWith(stage, module, title) {
  const context = await stage.browser.newContext();
  let served = 0;
  await context.route("**/netlump.wasm", (route) => {
    served += 1;
    return route.fulfill({ path: join(root, "build", module), contentType: "application/wasm" });
  });
  await withoutPolish(context);
  const page = await context.newPage();
  await page.goto(stage.url);
  await page.locator(".sample", { hasText: title }).click();
  await page.waitForSelector(".hero svg");
  await settled(page);
  const files = [];
  for (const button of ["Download smaller model", "Numbers (JSON)", "Curve CSV"]) files.push((await download(page, button)).bytes);
  assert.equal(served, 1, `${module} was the engine`);
  await context.close();
  return files;
}

/** @param {Stage} stage @param {import("../../web/state.js").Sample} sample */
export async function checkBits(stage, { title, model, data, labels, epsilon }) {
  const simd = await madeWith(stage, "netlump.wasm", title);
  const scalar = await madeWith(stage, "netlump-scalar.wasm", title);
  assert.ok(simd.every((file, i) => Buffer.compare(file, scalar[i]) === 0), "model, report and curve, byte for byte");
  for (const options of [{}, { scalar: true }]) {
    const opened = (await createEngine(options)).open(bytesOf(sampleFile(model)), model);
    const table = await readTable(bytesOf(sampleFile(data)), data, { labels, features: opened.info.features });
    const path = await opened.path({ data: splitTable(table, 0.5).measure, seed: 1 });
    const result = await path.compress({ kind: "epsilon", value: epsilon });
    assert.equal(Buffer.compare(result.write("onnx"), simd[0]), 0, "Node's bytes");
    opened.free();
  }
}
