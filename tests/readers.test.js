// The readers of rows on files that are damaged, or that claim to be larger than they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { unpack } from "../wasm/gzip.js";
import { kindOf } from "../wasm/kinds.js";
import { readTable } from "../wasm/data.js";
import { unzip } from "../wasm/zip.js";
import { npy, overlappingZip, readLawfully, readMutations, rowFiles, zipClaiming } from "./mutate.js";

const zeros = new Uint8Array(1 << 20);
const images = () => ({ decode: () => assert.fail("decoded"), layout: { height: 2, width: 2, channels: 3, last: false }, type: "float32", norm: {} });
const ROWS = npy("<f8", "12, 5", Float64Array.from({ length: 60 }, (_, i) => i));

/** @param {() => unknown} run @param {string} code @param {RegExp} sentence */
const fails = (run, code, sentence) =>
  assert.rejects(async () => run(), (/** @type {any} */ error) => {
    assert.deepEqual([error.name, error.code], ["EngineError", code], error.stack);
    assert.match(error.message, sentence);
    return true;
  });

test("rows of every kind are read, and mutated ones become a table or an error with a sentence", async () => {
  const codes = await Promise.all(rowFiles().map((file) => readLawfully(file)));
  assert.deepEqual(codes.filter((code) => code !== ""), ["DATA"], "all but the one with words");
  const { tables, errors } = await readMutations(300, 6);
  assert.ok(tables > 20 && errors > 20, `${tables} tables, ${errors} errors`);
});

test("what a zip's directory promises is checked before memory is taken for it", async () => {
  await fails(() => readTable(zipClaiming("x.npy", ROWS, 2 ** 31 - 1), "rows.npz"), "DATA", /says that x\.npy is larger than it can be/);
  await fails(() => readTable(zipClaiming("x.png", ROWS, 2 ** 31 - 1), "rows.zip", { images }), "DATA", /says that x\.png is larger than it can be/);
  await fails(() => readTable(overlappingZip(1000, new Uint8Array(Buffer.concat([ROWS, zeros]))), "rows.npz"), "DATA", /files in its zip archive overlap/);
  await fails(() => unzip(overlappingZip(1, zeros), "rows.npz", () => true, 1e6), "LIMIT", /^rows\.npz unpacks to 1\.0 MB; at most 1\.0 MB are read\. Use fewer rows\.$/);
});

test("a gzip that unpacks to far more than it may ends there, and one that is only looked at is not unpacked", async () => {
  const bomb = new Uint8Array(gzipSync(Buffer.concat(Array.from({ length: 64 }, () => zeros))));
  await fails(() => unpack(bomb, "rows.csv.gz", 2e6), "LIMIT", /^rows\.csv\.gz unpacks to more than 2\.0 MB\. Use fewer rows\.$/);
  assert.equal(await kindOf({ name: "rows.csv.gz", bytes: bomb }), "other");
});

test("text that is longer than a string may be is refused with what to do", async () => {
  await fails(() => readTable(new Uint8Array(2 ** 29).fill(48, 0, 16), "rows.csv"), "LIMIT", /text of 537 MB; at most 537 MB are read\. Use fewer rows, or save them as NPY/);
});

test("arrays that claim more than their file has are refused before memory is taken", async () => {
  for (const shape of ["1000000000000, 5", "4294967296, 4294967296", "-1, 5", "1e300, 1e300", "0.5, 120", "NaN,"])
    await fails(() => readTable(npy("<f8", shape, new Float64Array(60)), "rows.npy"), "DATA", /\.$/);
  const idx = new Uint8Array([0, 0, 0x0e, 4, ...Array.from({ length: 16 }, () => 0xff), 1, 2, 3]);
  await fails(() => readTable(idx, "rows.idx"), "DATA", /ends before its last row/);
  await fails(() => readTable(new Uint8Array([0, 0, 8, 255, 0, 0, 0, 1]), "rows.idx"), "DATA", /ends before its last row/);
});

test("a million columns are read once each, and a model that wants four of them is answered", async () => {
  const line = "1,".repeat(1e6 - 1);
  const bytes = new Uint8Array(Buffer.from(`${line}2\n${line}3\n`));
  const table = await readTable(bytes, "wide.csv");
  assert.deepEqual([table.rows, table.columns, table.preview?.[0].length], [2, 1e6, 1000]);
  await fails(() => readTable(bytes, "wide.csv", { features: 4 }), "DATA", /1,000,000/);
});
