// What the charts draw, as plain functions: classes, blocks, weights, cursors, tables.
import assert from "node:assert/strict";
import { test } from "node:test";

import { answersOf, chooses, confusedPairs, confusionOf, labelsOf } from "../../wasm/classes.js";
import { outputsOn } from "../../wasm/answers.js";
import { apart } from "../../wasm/lines.js";
import { asTrained, blockAt, bordersOf, byBlock, inPlace, numbersOf, stripsOf } from "../../web/charts/blocks.js";
import { csvOf } from "../../web/charts/csv.js";
import { countOf, movedOn, pointed, stopAt } from "../../web/charts/cursor.js";
import { PITCH, sizeOf, standing } from "../../web/charts/standing.js";
import { peakOf, pixelsOf, strongest } from "../../web/charts/weights.js";
import { CHOICES, DASHES, styleOf, together } from "../../web/lines.js";

const outputs = (/** @type {number[][]} */ rows, /** @type {object} */ more = {}) => ({
  original: Float64Array.from(rows.flat()),
  reduced: Float64Array.from(rows.flat()),
  rows: rows.length,
  results: rows[0].length,
  whole: true,
  labels: null,
  total: rows.length,
  drawn: false,
  ...more,
});
const scoredBy = (/** @type {string|null} */ kind) => /** @type {any} */ ({ score: kind && { kind, before: 1, after: 1 } });

test("a network chooses classes where it is scored so or each row comes out of a softmax", () => {
  const shares = outputs([[0.7, 0.2, 0.1], [0, 0.5, 0.5]]);
  const logits = outputs([[3, -1, 2], [0, 0.5, 0.5]]);
  assert.ok(chooses(shares, scoredBy(null)));
  assert.ok(chooses(outputs([[0.7, 0.2, 0.1].map(Math.log)]), scoredBy(null)), "logarithms too");
  assert.ok(!chooses(logits, scoredBy(null)) && !chooses(logits, scoredBy("mse")));
  assert.ok(chooses(logits, scoredBy("accuracy")));
  assert.ok(!chooses({ ...shares, whole: false }, scoredBy("accuracy")), "not where numbers of a row are left out");
  assert.ok(!chooses(outputs([[0.3, 0.7]]), scoredBy(null)), "two shares are too little to go by");
});

test("a confusion counts every row once, and what differs comes first", () => {
  const given = answersOf(Float64Array.from([9, 1, 0, 0, 1, 1, 0, 0, 3, 0, 0, 3]), 3);
  assert.deepEqual(given, [0, 1, 2, 2]);
  const confusion = confusionOf([0, 2, 2, 1], given, 3);
  assert.deepEqual([confusion.rows, confusion.same], [4, 2]);
  assert.equal([...confusion.counts.values()].reduce((a, b) => a + b), 4);
  assert.deepEqual(confusedPairs(confusion), [{ asked: 1, given: 2, rows: 1 }, { asked: 2, given: 1, rows: 1 }]);
  assert.deepEqual(confusedPairs(confusionOf([0, 0, 0, 1], [1, 1, 2, 1], 3)).map(({ rows }) => rows), [2, 1]);
  assert.deepEqual(labelsOf(outputs([[0, 1]], { labels: Float64Array.of(1) })), [1]);
  for (const labels of [null, Float64Array.of(2), Float64Array.of(0.5)]) assert.equal(labelsOf(outputs([[0, 1]], { labels })), null);
});

test("rows that are compared keep their labels, and large networks are given fewer", async () => {
  const table = /** @type {any} */ ({ rows: 9000, features: new Float64Array(18000), labels: Float64Array.from({ length: 9000 }, (_, i) => i), labelColumns: 1 });
  const asked = /** @type {number[]} */ ([]);
  const run = async (/** @type {{rows: Float64Array|null, count: number}} */ { rows, count }) => {
    asked.push(count);
    assert.equal(rows?.length, 2 * count);
    return { original: new Float64Array(count), reduced: new Float64Array(count), rows: count, results: 1, whole: true };
  };
  const small = await outputsOn(run, table, { parameters: 100, features: 2 });
  assert.deepEqual([small.rows, small.total, small.labels?.length, small.drawn], [5000, 9000, 5000, false]);
  await outputsOn(run, table, { parameters: 1e9, features: 2 });
  assert.deepEqual(asked, [5000, 400]);
});

const LUMPING = { site: 0, before: 6, after: 2, kept: [1, 4], blocks: [1, 0, 1, null, 1, 0], prolongation: null, offset: null };

test("neurons stand by block, those that stay first, those in no block last", () => {
  const arranged = byBlock(LUMPING);
  assert.deepEqual(arranged.order, [1, 5, 4, 0, 2, 3]);
  assert.deepEqual(arranged.place.map((at) => arranged.order[at]), [0, 1, 2, 3, 4, 5], "each place is its neuron's");
  assert.deepEqual(arranged.blocks.map(({ number, start, members }) => [number, start, members]), [[1, 0, [1, 5]], [2, 2, [4, 0, 2]], [0, 5, [3]]]);
  assert.deepEqual([blockAt(arranged, 2)?.number, blockAt(arranged, 3)?.number], [2, 0]);
  assert.equal(blockAt(asTrained(6), 2), null);
  const trained = inPlace(arranged);
  assert.deepEqual([trained.order, blockAt(trained, 2)?.number], [[0, 1, 2, 3, 4, 5], 2]);
  assert.deepEqual(byBlock({ ...LUMPING, after: 6, kept: [0, 1, 2, 3, 4, 5], blocks: [0, 1, 2, 3, 4, 5] }).blocks.map(({ colour }) => colour), Array(6).fill(null), "alone: no colour");
});

test("borders lie between blocks, and where they would be too many only around those of several", () => {
  const arranged = byBlock(LUMPING);
  assert.deepEqual(bordersOf(arranged, 10), [20, 50]);
  const alone = byBlock({ ...LUMPING, after: 5, kept: [0, 1, 2, 3, 4], blocks: [0, 1, 2, 3, 4, 4] });
  assert.equal(bordersOf(alone, 10).length, 4);
  assert.deepEqual(bordersOf(alone, 2), [8], "before the block of two");
  assert.deepEqual(numbersOf(arranged, 10, 11), [{ number: 1, at: 10 }, { number: 2, at: 35 }]);
  assert.deepEqual(numbersOf(arranged, 2, 11).map(({ number }) => number), [2], "numbers never overlap");
});

test("the strongest connections are drawn, the strongest last, and never more than asked", () => {
  const weights = { layer: 0, width: 3, reads: 4, from: null, weights: Float64Array.from([0.1, -9, 0, 2, 3, -0.2, 0.3, 4, -5, 6, 0.7, 8]) };
  assert.deepEqual(strongest(weights, 3).map(({ to, from }) => [to, from]), [[2, 1], [2, 3], [0, 1]]);
  assert.deepEqual(strongest(weights, 100).length, 11, "what is 0 is none");
  assert.equal(strongest({ ...weights, weights: new Float64Array(12).fill(2) }, 3).length, 3, "of equal ones as many");
  assert.deepEqual(strongest({ ...weights, weights: new Float64Array(12) }, 3), []);
});

test("pixels stand in the order of the blocks, blue above 0, orange below, and show the strongest where several share one", () => {
  const weights = Float64Array.from([1, -2, 3, 4, 5, -6]); // (2, 3)
  const colour = (/** @type {ReturnType<typeof pixelsOf>} */ { pixels }, /** @type {number} */ at) => [...pixels.subarray(4 * at, 4 * at + 4)];
  const whole = pixelsOf(weights, [1, 0], [2, 0, 1], 10);
  assert.deepEqual([whole.width, whole.height, peakOf(weights)], [3, 2, 6]);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((at) => Math.round((colour(whole, at)[3] / 255) * 6) * (colour(whole, at)[2] > 100 ? 1 : -1)), [-6, 4, 5, 3, 1, -2]);
  const one = pixelsOf(weights.slice().reverse(), [0, 1], [0, 1, 2], 1);
  assert.deepEqual([one.width, one.height, colour(one, 0)[3]], [1, 1, 255]);
  assert.ok(colour(one, 0)[0] > colour(one, 0)[2], "−6 is the strongest");
});

test("neurons of any layer have their own places within its room, in a bar where they are too many", () => {
  for (const width of [1, 10, 64, 65, 128, 512, 4096]) {
    for (const room of [20, 90, 230]) {
      const { bar, spots } = standing(width, { x: 100, room, height: 380 });
      assert.equal(new Set(spots.map(({ x, y }) => `${x} ${y}`)).size, width);
      assert.ok(spots.every(({ x, y, r }) => Math.abs(x - 100) + r <= room / 2 && y >= 28 && y <= 28 + 380));
      assert.equal(bar === 0, spots[0].r > 0);
      if (width === 4096) assert.ok(bar > 0);
    }
  }
  assert.ok(standing(10, { x: 0, room: 200, height: 380 }).spots[0].r < PITCH / 2);
  assert.ok(sizeOf(123, 9) < sizeOf(9, 9), "longer numbers are smaller");
});

test("a bar is drawn of its blocks, and of what stays and what goes where they are too thin to be seen", () => {
  const layer = (/** @type {number} */ width, /** @type {number} */ stay) =>
    byBlock(/** @type {import("../../wasm/types.js").Lumping} */ ({ site: 0, kept: Array.from({ length: stay }, (_, i) => 2 * i), blocks: Array.from({ length: width }, (_, u) => (u % 2 === 0 && u / 2 < stay ? u / 2 : null)) }));
  const few = stripsOf(layer(512, 100), 380 / 512);
  assert.deepEqual([few.length, few[0].members.length, few[0].stays, few.at(-1)?.stays], [101, 1, 1, 0]);
  const many = stripsOf(layer(4096, 1743), 380 / 4096);
  assert.deepEqual(many.map(({ number, start, stays, members }) => [number, start, stays, members.length]), [[1, 0, 1743, 1743], [0, 1743, 0, 4096 - 1743]]);
});

test("the cursor goes through columns and cells, and stops at the edges", () => {
  const lanes = [[0, 0], [0, 10], [0, 20], [1, 5], [1, 15], [2, 10]].map(([lane, y]) => ({ lane, x: 50 * lane, y, lines: [] }));
  const path = (/** @type {number} */ from, /** @type {string[]} */ ...keys) => keys.reduce((at, key) => /** @type {number} */ (movedOn(lanes, at, key)), from);
  assert.equal(path(-1, "ArrowRight"), 0);
  assert.equal(path(0, "ArrowDown", "ArrowDown", "ArrowDown"), 2, "not into the next column");
  assert.equal(path(2, "ArrowRight"), 4);
  assert.equal(path(4, "ArrowRight", "ArrowRight"), 5);
  assert.equal(path(4, "ArrowLeft", "Home", "ArrowUp"), 0);
  assert.equal(movedOn(lanes, 0, "Tab"), null);
  const grid = { rows: 2, columns: 3, at: (/** @type {number} */ row, /** @type {number} */ column) => ({ x: column, y: row, lines: [`${row} ${column}`] }), find: (/** @type {number} */ x, /** @type {number} */ y) => /** @type {[number, number]|null} */ (x < 3 ? [y, x] : null) };
  assert.equal(countOf(grid), 6);
  assert.equal(movedOn(grid, 1, "ArrowDown"), 4);
  assert.equal(movedOn(grid, 4, "ArrowDown"), 4);
  assert.equal(movedOn(grid, 5, "ArrowRight"), 5);
  assert.deepEqual([pointed(grid, 2, 1, "xy"), pointed(grid, 7, 1, "xy")], [5, -1]);
  assert.deepEqual([stopAt(grid, 5)?.lines, stopAt(grid, -1)], [["1 2"], undefined]);
});

test("a table as CSV keeps its numbers whole and quotes what needs it", () => {
  assert.equal(csvOf({ head: ["a", 'b "c"'], rows: [["x, y", 1]] }), 'a,"b ""c"""\r\n"x, y",1\r\n');
  assert.equal(csvOf({ head: ["a"], rows: [["33 %"]], raw: [[1 / 3], [NaN]] }), "a\r\n0.3333333333333333\r\n\r\n");
});

test("one button draws the methods beside the present one, each line with a style of its own", () => {
  assert.deepEqual(together("projected"), ["partition", "adjoint", "forward", "magnitude", "wanda"]);
  assert.deepEqual(together("wanda"), ["projected", "partition", "adjoint", "forward", "magnitude"]);
  assert.deepEqual(together("projected", ["projected", "norm"]), []);
  const keys = CHOICES.filter((one) => one !== "polish").map((one) => (one === "random" ? "random+polish" : one));
  const styles = keys.map((key) => styleOf(key, "symmetric"));
  assert.equal(new Set(styles).size, keys.length);
  assert.equal(new Set(styles.map((style) => DASHES[style])).size, keys.length, "dashes tell them apart too");
});

test("nine names keep their distance and their order, and stay within the chart", () => {
  const wanted = [100, 101, 102, 240, 241, 241, 242, 250, 252];
  const placed = apart(wanted, 17, 34, 256);
  placed.forEach((at, i) => assert.ok(at >= 34 && at <= 256 && (i === 0 || at - placed[i - 1] >= 17 - 1e-9)));
});
