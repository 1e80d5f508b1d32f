// The same bits from either build, in Chromium and in Node. In Firefox: tests/page/firefox.test.js.
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { sampleFile } from "../material.js";
import { checkBits } from "../page/bits.js";
import { openBrowser } from "../page/built.js";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let stage;
before(async () => (stage = await openBrowser()));
after(() => stage?.end());

for (const sample of JSON.parse(readFileSync(sampleFile("samples.json"), "utf8")))
  test(`scalar and SIMD WebAssembly give the same bits in Chromium and in Node, ${sample.id}`, () => checkBits(stage, sample));
