// The experiment's own parts: its files, its verdict, its charts. The experiment itself is `make bench-paper`.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { METHODS, SHARES } from "./bench/paper/cases.mjs";
import { drawSet, spread } from "./bench/paper/chart.mjs";
import { beaten, factorText, markdown } from "./bench/paper/report.mjs";
import { appendResult, readResults, writeResults } from "./bench/paper/results.mjs";
import { noise } from "./material.js";

/** @typedef {import("./bench/paper/results.mjs").Row} Row */

/** @param {Partial<Row>} own @returns {Row} */
const row = (own) => ({
  system: "hepc", network: "tanh 64-64", rows: 4032, method: "projected", polish: false, asked: 0.2, retained: 0.19, parameters: 900,
  deviation: 0.05, mse: 0.3, factor: 1.25, note: "", ...own,
});
const original = row({ method: "original", asked: 1, retained: 1, parameters: 4737, mse: 0.24, factor: 1 });
const mean = row({ method: "mean", asked: 0, retained: 0, parameters: 0, mse: 1, factor: 4.2 });
const unreachable = row({ method: "forward", retained: NaN, parameters: NaN, deviation: NaN, mse: NaN, factor: NaN, note: "UNREACHABLE" });

test("results survive their file, in one order whatever the order of computing, without the half line of a stopped run", () => {
  const file = join(mkdtempSync(join(tmpdir(), "netlump-")), "results.csv");
  const rows = [original, mean, row({ asked: 0.1 }), row({}), unreachable, row({ polish: true })];
  writeResults(file, rows);
  const text = readFileSync(file, "utf8");
  assert.deepEqual(readResults(file), rows);
  writeResults(file, rows.slice(0, 4));
  for (const one of rows.slice(4).reverse()) appendResult(file, one);
  writeFileSync(file, `${readFileSync(file, "utf8")}hepc,tanh 64-64,40`);
  writeResults(file, readResults(file));
  assert.equal(readFileSync(file, "utf8"), text);
});

test("projected counts as beaten where another is more than 2 % better, and where it has no result but another has", () => {
  const rows = [row({ asked: 0.1, factor: 1.03 }), row({ asked: 0.1, method: "wanda", factor: 1 })];
  rows.push(row({ asked: 0.2, factor: 1.01 }), row({ asked: 0.2, method: "wanda", factor: 1 }));
  rows.push(row({ asked: 0.3, factor: NaN, note: "UNREACHABLE" }), row({ asked: 0.3, method: "norm", factor: 7 }));
  assert.deepEqual(beaten(rows).map(({ asked, best }) => [asked, best.method]), [[0.1, "wanda"], [0.3, "norm"]]);
});

test("factors have three digits", () => {
  assert.deepEqual([0.9876, 1.0004, 9.996, 12.34, 99.96, 1234.5, 12345, Infinity].map(factorText), ["0.988", "1.000", "10.0", "12.3", "100", "1235", "1.2e4", "∞"]);
});

test("a table shows the best in bold, the share where it is short, and what is missing as missing", () => {
  const rows = [original, mean, row({}), row({ method: "wanda", factor: 2 }), row({ method: "adjoint", retained: 0.1, factor: 3 }), unreachable];
  const lines = markdown(rows).split("\n");
  const cells = (/** @type {string} */ method) => lines.find((line) => line.startsWith(`| ${method} |`))?.split("|").map((text) => text.trim())[2 + SHARES.indexOf(0.2)];
  assert.deepEqual(["projected", "wanda", "adjoint", "forward"].map(cells), ["**1.250**", "2.000", "3.000 (10 %)", ""]);
  assert.equal(cells("norm"), undefined);
});

test("a chart's labels keep their distance and stay inside, wherever the lines end", () => {
  const next = noise(3);
  for (let round = 0; round < 50; round += 1) {
    const wished = Array.from({ length: METHODS.length }, () => 100 + 100 * next());
    const at = spread(wished, 14, 20, 180).sort((a, b) => a - b);
    at.slice(1).forEach((y, i) => assert.ok(y - at[i] >= 14 - 1e-9));
    assert.ok(at[0] >= 20 - 1e-9 && at[at.length - 1] <= 180 + 1e-9);
  }
});

test("a chart names every method that has a result, and draws no number that is none", () => {
  const drawn = METHODS.filter(({ id }) => id !== "forward");
  const rows = drawn.flatMap(({ id }, i) => SHARES.flatMap((asked) => [false, true].map((polish) => row({ method: id, asked, retained: asked, polish, factor: 1 + i / asked / 9 }))));
  const svg = drawSet("hepc", [original, mean, unreachable, ...rows, row({ method: "norm", asked: 0.01, retained: 0.01, factor: Infinity })]);
  for (const { id } of drawn) assert.equal(svg.split(`>${id}</text>`).length, 3, id);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined|>forward</);
});
