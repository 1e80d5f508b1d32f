// The readers of data files, and the score.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, strToU8, zipSync } from "fflate";

import { readTable, splitTable } from "../wasm/data.js";
import { score, scorable } from "../wasm/score.js";

const csv = (/** @type {string} */ text, options = {}) => readTable(strToU8(text), "rows.csv", options);
const fails = (/** @type {() => Promise<unknown>} */ run, /** @type {RegExp} */ sentence) =>
  assert.rejects(run, (/** @type {any} */ error) => error.code === "DATA" && sentence.test(error.message));

/** An NPY file. @param {string} descr @param {number[]} shape @param {ArrayBufferView} data */
function npy(descr, shape, data, fortran = "False") {
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape.join(", ")},), }`;
  const header = `${dict.padEnd(64 * Math.ceil((dict.length + 11) / 64) - 11)}\n`;
  const head = new Uint8Array(10 + header.length);
  head.set([0x93, ...strToU8("NUMPY"), 1, 0, header.length & 255, header.length >> 8]);
  head.set(strToU8(header), 10);
  return Buffer.concat([head, new Uint8Array(data.buffer)]);
}

test("a header is found and its names are kept", async () => {
  const table = await csv("age,height\n1,2\n3,4\n");
  assert.deepEqual([table.rows, table.columns, table.names], [2, 2, ["age", "height"]]);
  assert.deepEqual([...table.features], [1, 2, 3, 4]);
});

test("rows without a header are all data", async () => {
  const table = await csv("1,2\n3,4");
  assert.deepEqual([table.rows, table.names], [2, null]);
});

test("commas, tabs, semicolons, bars and spaces all set columns apart", async () => {
  for (const between of [",", "\t", ";", "|", " ", "   "]) {
    const text = [[1, 2, 3], [4, 5e-3, -6]].map((row) => row.join(between)).join("\n");
    assert.deepEqual([...(await csv(`${text}\n`)).features], [1, 2, 3, 4, 0.005, -6], JSON.stringify(between));
  }
});

test("blank lines, comments, a byte order mark and Windows line ends do not matter", async () => {
  assert.deepEqual([...(await csv("\ufeff# made by numpy\r\n1,2\r\n\r\n3,4\r\n\r\n")).features], [1, 2, 3, 4]);
});

test("a single column is read, header or not", async () => {
  assert.deepEqual([...(await csv("1\n2\n3\n")).features], [1, 2, 3]);
  assert.deepEqual([...(await csv("x\n1\n2\n")).features], [1, 2]);
});

test("a cell that is no number is named by line and column", async () => {
  await fails(() => csv("age,height\n1,2\n3,tall\n"), /^rows\.csv, line 3: column 2 \(height\) holds "tall"/);
  await fails(() => csv("1,2\n\n3,\n"), /^rows\.csv, line 3: column 2 is empty/);
  await fails(() => csv("1,2\nnan,4\n"), /line 2: column 1 holds "nan", which is not a finite number/);
  await fails(() => csv("1;2\n3,5;4\n"), /Write decimals with a point/);
});

test("one bad number in the first line is an error, not a header", async () => {
  await fails(() => csv("1,2,x3,4\n1,2,3,4\n"), /line 1: column 3/);
});

test("a line with more or fewer columns is named", async () => {
  await fails(() => csv("1,2\n3,4,5\n"), /^rows\.csv, line 2: 3 columns, the lines before have 2/);
});

test("a file without rows is refused", async () => {
  await fails(() => csv(""), /holds no rows/);
  await fails(() => csv("a,b\n"), /holds no rows/);
});

test("the last columns become labels", async () => {
  const table = await csv("1,2,3\n4,5,6\n", { labels: 1, features: 2 });
  assert.deepEqual([[...table.features], [...(table.labels ?? [])], table.labelColumns], [[1, 2, 4, 5], [3, 6], 1]);
});

test("a wrong number of columns says what the model reads and which option helps", async () => {
  const wide = Array.from({ length: 10 }, (_, i) => i).join(",");
  await fails(() => csv(wide, { features: 8 }), /reads 8 numbers a row; rows\.csv has 10 columns\. With --labels 2/);
  await fails(() => csv(wide, { features: 10, labels: 1 }), /9 of them without the 1 label\. Leave --labels out/);
  await fails(() => csv(wide, { features: 12 }), /Columns are missing/);
});

test("dividing scales features and leaves labels", async () => {
  const table = await csv("255,51,7\n", { labels: 1, divide: 255 });
  assert.deepEqual([[...table.features], table.labels?.[0]], [[1, 0.2], 7]);
});

test("gzip is undone whatever the name", async () => {
  const numbers = Array.from({ length: 500 }, (_, i) => Math.sin(i)).join("\n");
  assert.deepEqual([...(await readTable(gzipSync(strToU8("1,2\n")), "rows.csv.gz")).features], [1, 2]);
  await fails(() => readTable(gzipSync(strToU8(numbers)).slice(0, 300), "rows.csv.gz"), /gzip compression is damaged/);
});

test("bytes that are nothing known are refused in words", async () => {
  await fails(() => readTable(Uint8Array.of(0xff, 0xfe, 0xfd, 0x80), "x.bin"), /neither text nor NPY, NPZ or IDX/);
});

test("NPY of every number type, both byte orders and both memory orders", async () => {
  assert.deepEqual([...(await readTable(npy("<f4", [2, 2], Float32Array.of(1, 2, 3, 0.5)), "x.npy")).features], [1, 2, 3, 0.5]);
  assert.deepEqual([...(await readTable(npy("<i8", [2], BigInt64Array.of(7n, -7n)), "x.npy")).features], [7, -7]);
  assert.deepEqual([...(await readTable(npy("|u1", [1, 3], Uint8Array.of(0, 128, 255)), "x.npy")).features], [0, 128, 255]);
  assert.deepEqual([...(await readTable(npy(">i2", [1, 2], Uint8Array.of(1, 0, 255, 255)), "x.npy")).features], [256, -1]);
  const columnMajor = npy("<f8", [2, 3], Float64Array.of(1, 4, 2, 5, 3, 6), "True");
  assert.deepEqual([...(await readTable(columnMajor, "x.npy")).features], [1, 2, 3, 4, 5, 6]);
});

test("NPY of higher rank has one row for each entry of the first axis", async () => {
  const table = await readTable(npy("<f4", [2, 1, 2, 2], new Float32Array(8)), "x.npy");
  assert.deepEqual([table.rows, table.columns], [2, 4]);
});

test("NPY that ends early or holds text or infinity is refused", async () => {
  const whole = npy("<f8", [2, 2], Float64Array.of(1, 2, 3, Infinity));
  await fails(() => readTable(whole.subarray(0, -1), "x.npy"), /ends before its last row/);
  await fails(() => readTable(whole, "x.npy"), /row 2, column 2 is not a finite number/);
  await fails(() => readTable(npy("<U3", [1], new Uint32Array(3)), "x.npy"), /"U3" are not numbers/);
  await fails(() => readTable(whole.subarray(0, 9), "x.npy"), /header makes no sense/);
});

test("NPZ puts arrays of equal length side by side, so that y can be the labels", async () => {
  const archive = zipSync({ "x.npy": npy("<f4", [2, 2], Float32Array.of(1, 2, 3, 4)), "y.npy": npy("<f4", [2], Float32Array.of(8, 9)) });
  const table = await readTable(archive, "d.npz", { labels: 1 });
  assert.deepEqual([[...table.features], [...(table.labels ?? [])]], [[1, 2, 3, 4], [8, 9]]);
  const uneven = zipSync({ "x.npy": npy("<f4", [2], Float32Array.of(1, 2)), "y.npy": npy("<f4", [3], Float32Array.of(1, 2, 3)) });
  await fails(() => readTable(uneven, "d.npz"), /differ in their number of rows/);
});

test("IDX images become rows of pixels", async () => {
  const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102);
  const table = await readTable(gzipSync(idx), "images-idx3-ubyte.gz", { divide: 255 });
  assert.deepEqual([table.rows, [...table.features]], [2, [0, 1, 0.2, 0.4]]);
  await fails(() => readTable(idx.subarray(0, 18), "images"), /ends before its last row/);
});

test("a split keeps the second part out of the measure", async () => {
  const table = await csv("1,0\n2,1\n3,0\n4,1\n", { labels: 1 });
  const { measure, score: rest, heldOut } = splitTable(table, 0.5);
  assert.deepEqual([[...measure.features], [...rest.features], [...(rest.labels ?? [])], heldOut], [[1, 2], [3, 4], [0, 1], true]);
  const all = splitTable(table, 1);
  assert.deepEqual([all.measure, all.score, all.heldOut], [table, table, false]);
  await fails(async () => splitTable(table, 0.01), /leaves one part empty/);
});

test("labels of whole numbers below the number of outputs are classes, others are targets", async () => {
  const classes = await csv("0,1\n0,0\n", { labels: 1 });
  assert.deepEqual(score(Float64Array.of(0.1, 0.9, 0.2, 0.8), classes), { kind: "accuracy", value: 0.5 });
  const targets = await csv("0,1.5\n0,0\n", { labels: 1 });
  assert.deepEqual(score(Float64Array.of(1, 2), targets), { kind: "mse", value: (0.25 + 4) / 2 });
  assert.equal(scorable(targets, 3), false);
});

// ---- what columns are for ----------------------------------------------------------------------------------------------

const PLANTS = `id,width,height,kind,place,target
${Array.from({ length: 30 }, (_, i) => `${i + 1},${i % 7},${i % 5},${["oak", "ash"][i % 2]},hill,${i / 10}`).join("\n")}
`;

test("labels and columns left out are said by name, by number, by ranges and by index", async () => {
  const inputs = async (/** @type {object} */ options) => {
    const { roles, features, labels } = await csv("a,b,c,d\n1,2,3,4\n5,6,7,8\n", options);
    return [roles?.map((role) => role[0]).join(""), [...features], [...(labels ?? [])]];
  };
  assert.deepEqual(await inputs({ labels: ["b"], skip: ["d"] }), ["ilio", [1, 3, 5, 7], [2, 6]]);
  assert.deepEqual(await inputs({ labels: ["#2", "4"], skip: [] }), ["ilil", [1, 3, 5, 7], [2, 4, 6, 8]]);
  assert.deepEqual(await inputs({ labels: 1, skip: ["1-2"] }), ["ooil", [3, 7], [4, 8]]);
  assert.deepEqual(await inputs({ labels: [0], skip: [3] }), ["liio", [2, 3, 6, 7], [1, 5]]);
  assert.deepEqual(await inputs({ labels: 1, skip: ["d"] }), ["iilo", [1, 2, 5, 6], [3, 7]], "the last of those not left out");
  await fails(() => csv("a,b\n1,2\n", { labels: ["c"] }), /rows\.csv has no column c\. Its columns: a, b\./);
  await fails(() => csv("1,2\n", { skip: ["3"] }), /no column 3\. It has 2 columns without names/);
  await fails(() => csv("1,2\n", { skip: [5] }), /no column 5/);
});

test("labels of words become classes in the words' order; words among the inputs are an error that says what helps", async () => {
  const table = await csv(PLANTS, { labels: ["kind"], skip: ["id", "place", "target"] });
  assert.deepEqual([table.classes, [...(table.labels ?? [])].slice(0, 3)], [[["ash", "oak"]], [1, 0, 1]]);
  await fails(() => csv(PLANTS, { labels: ["target"], skip: ["id", "place"] }), /column 4 \(kind\) holds words, such as "oak", and the model reads numbers\. Leave it out \(--skip kind\)/);
  await fails(() => csv("a,b\n1,x\n2,\n3,5\n", { labels: 1 }), /line 2: column 2 \(b\) holds "x"/);
  assert.deepEqual((await csv("1,?\n2,7\n", { skip: ["2"] })).columns, 2, "what is left out may hold anything");
});

test("the guess takes words, names of labels and numbers of rows out of the inputs, then the last columns", async () => {
  const guess = async (/** @type {string} */ text, /** @type {number} */ features) => (await csv(text, { labels: "auto", features })).roles?.map((role) => role[0]).join("");
  assert.equal(await guess(PLANTS, 2), "oiiool");
  assert.equal(await guess(PLANTS.replaceAll("target", "size"), 3), "oiiloi", "words are labels where nothing is called so");
  assert.equal(await guess("1,2,3,4\n5,6,7,8\n", 3), "iiil");
  assert.equal(await guess("y,a,b\n1,2,3\n", 2), "lii");
  assert.equal(await guess("x,y,z,w\n1,2,3,4\n", 3), "iiil", "y beside z is a coordinate");
  assert.equal(await guess("time,a,b\n1,2,3\n", 2), "iil");
  assert.equal(await guess(Array.from({ length: 25 }, (_, i) => `${i},7,8`).join("\n"), 1), "oil");
  assert.equal(await guess("a,b\n1,2\n", 2), "ii");
  await fails(() => csv(PLANTS, { features: 3 }), /With --labels 1 --skip id,place|With .*--skip/);
});

test("standardised columns have mean 0 and spread 1, constant ones are 0, labels stay", async () => {
  const table = await csv("1,7,10\n2,7,20\n3,7,30\n", { labels: 1, standardize: true });
  const spread = Math.sqrt(2 / 3);
  [-1 / spread, 0, 0, 0, 1 / spread, 0].forEach((value, i) => assert.ok(Math.abs(table.features[i] - value) < 1e-12, String(i)));
  assert.deepEqual([...(table.labels ?? [])], [10, 20, 30]);
});

test("what the inputs look like is told: bytes, far from standard, or neither", async () => {
  const { bytes, far } = /** @type {any} */ ((await csv("0.5,-1\n-0.5,1\n")).scale);
  assert.deepEqual([bytes, far], [false, false]);
  assert.deepEqual((await csv("100,1\n300,2\n")).scale, { bytes: false, far: true, mean: 200, spread: 100 });
  assert.equal((await csv(Array.from({ length: 3 }, (_, i) => Array.from({ length: 16 }, (_, k) => (i * 100 + k) % 256).join(",")).join("\n"))).scale?.bytes, true);
});

test("files stand side by side where they have equally many rows", async () => {
  const x = npy("<f4", [2, 2], Float32Array.of(1, 2, 3, 4));
  const beside = [{ name: "y.csv", bytes: strToU8("kind\nb\na\n") }];
  const table = await readTable(x, "x.npy", { beside, labels: ["kind"], features: 2 });
  assert.deepEqual([[...table.features], [...(table.labels ?? [])], table.classes, table.source], [[1, 2, 3, 4], [1, 0], [["a", "b"]], "x.npy + y.csv"]);
  await fails(() => readTable(x, "x.npy", { beside: [{ name: "y.csv", bytes: strToU8("1\n") }] }), /x\.npy has 2 rows and y\.csv has 1 row/);
});

test("a zip without arrays or images is refused as what it is", async () => {
  await fails(() => readTable(zipSync({ "a.txt": strToU8("words") }), "a.zip"), /neither images nor NumPy arrays/);
});
