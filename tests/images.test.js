// Pictures as rows of data.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { zipSync } from "fflate";

import { readPictures, readTable } from "../wasm/data.js";
import { normOf, readingOf } from "../wasm/images.js";
import { isImage, layoutOf } from "../wasm/layout.js";
import { compress, createEngine } from "../wasm/index.js";
import { parseOptions } from "../wasm/options.js";
import { decodePicture } from "../wasm/pictures.js";
import { GIF, JPEG, bmp, png, tga } from "./images.js";
import { jsonModel } from "./material.js";

const engine = await createEngine();
const fails = (/** @type {() => Promise<unknown>} */ run, /** @type {RegExp} */ sentence) =>
  assert.rejects(run, (/** @type {any} */ error) => error.code === "DATA" && sentence.test(error.message));
const gradient = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ c) => 10 * x + 40 * y + c;
const near = (/** @type {Iterable<number>} */ found, /** @type {number[]} */ wanted, within = 1e-12) =>
  [...found].forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) <= within, `${value} where ${wanted[i]} is expected, number ${i}`));

/** @param {(number|null)[]} shape */
const input = (shape, type = "float32") => ({ inputs: [{ name: "x", type, shape }] });

/** How a model that reads grey 4 x 4 pictures as 16 numbers would read them. @param {import("../wasm/images.js").Norm} [norm] */
function grey(norm) {
  const model = engine.open(jsonModel([16, 8, 3]), "grey.json");
  return { model, images: readingOf(model, norm), features: 16 };
}

test("the shape of the input says how a picture is laid out", () => {
  const cases = /** @type {[(number|null)[], [number, number, number, boolean]][]} */ ([
    [[null, 3, 224, 160], [224, 160, 3, false]],
    [[1, 1, 28, 28], [28, 28, 1, false]],
    [[null, 224, 160, 3], [224, 160, 3, true]],
    [[null, 28, 28, 1], [28, 28, 1, true]],
    [[null, 28, 30], [28, 30, 1, false]],
    [[3, 32, 30], [32, 30, 3, false]],
    [[32, 30, 3], [32, 30, 3, true]],
    [[null, 784], [28, 28, 1, false]],
    [[null, 3072], [32, 32, 3, false]],
    [[784], [28, 28, 1, false]],
  ]);
  for (const [shape, [height, width, channels, last]] of cases) assert.deepEqual(layoutOf(input(shape)), { height, width, channels, last }, JSON.stringify(shape));
  assert.deepEqual(layoutOf({ ...input([null]), features: 784 }), { height: 28, width: 28, channels: 1, last: false });
});

test("inputs that take no images, or several, say so", async () => {
  for (const shape of [[null, 8], [null, 2, 5, 5], [1, 3, 4, 5, 6], [null, 3, null, null], []]) await fails(async () => layoutOf(input(shape)), /takes no images/);
  await fails(async () => layoutOf({ inputs: [...input([1, 3, 8, 8]).inputs, ...input([1]).inputs] }), /Rows fill 2 inputs of the model \(x, x\), and images are for one/);
});

test("mean and std are for all channels or one each; bytes stay bytes", async () => {
  assert.deepEqual(normOf({ mean: [0.5], std: [1, 2, 3] }, 3, "float32"), { mean: [0.5, 0.5, 0.5], std: [1, 2, 3] });
  assert.deepEqual(normOf({}, 3, "float32"), { mean: undefined, std: undefined });
  assert.deepEqual(normOf({}, 1, "uint8"), { std: [1 / 255] });
  await fails(async () => normOf({ std: [1, 2] }, 3, "float32"), /2 numbers for mean or std, but the model's images have 3 channels/);
});

test("every kind of file is read, at the input's size or stretched to it", async () => {
  const layout = { height: 2, width: 3, channels: 3, last: false };
  const pixels = png(3, 2, 3, gradient);
  const planes = [0, 1, 2].flatMap((c) => [0, 1].flatMap((y) => [0, 1, 2].map((x) => gradient(x, y, c) / 255)));
  near(await decodePicture(pixels, layout), planes);
  near(await decodePicture(pixels, { ...layout, last: true }), [0, 1].flatMap((y) => [0, 1, 2].flatMap((x) => [0, 1, 2].map((c) => gradient(x, y, c) / 255))));
  near(await decodePicture(pixels, layout, { mean: [0.1, 0.2, 0.3], std: [0.5, 2, 4] }), planes.map((value, i) => (value - [0.1, 0.2, 0.3][Math.floor(i / 6)]) / [0.5, 2, 4][Math.floor(i / 6)]));
  near(await decodePicture(bmp(9, 5, [255, 51, 0]), layout), [1, 0.2, 0].flatMap((value) => Array(6).fill(value)));
  near(await decodePicture(tga(20, 4, 102), layout), Array(18).fill(0.4));
  near(await decodePicture(GIF, { height: 2, width: 2, channels: 1, last: false }), [0, 1, 1, 0]);
  assert.equal((await decodePicture(JPEG, { height: 8, width: 8, channels: 3, last: false })).every((x) => x > 0.05 && x < 1), true);
  await assert.rejects(decodePicture(new Uint8Array(40), layout), { code: "DATA" });
});

/** Twelve pictures in two folders, brighter in the second. */
function pictures() {
  /** @type {Record<string, Uint8Array>} */
  const files = { "__MACOSX/dogs/._1.png": new Uint8Array(8), "dogs/readme.txt": new Uint8Array(3) };
  for (let i = 0; i < 12; i += 1) files[`set/${i % 2 ? "cats" : "dogs"}/${i}.png`] = png(4, 4, 1, () => 20 * i);
  return files;
}

test("a zip of images is a table, a row each, in an order that is always the same", async () => {
  const { model, ...how } = grey();
  const table = await readTable(zipSync(pictures()), "pets.zip", how);
  assert.deepEqual([table.rows, table.columns, table.labels, table.source, table.pictures], [12, 16, null, "pets.zip", true]);
  const bright = Array.from({ length: 12 }, (_, row) => Math.round((table.features[16 * row] * 255) / 20));
  assert.deepEqual(bright.toSorted((a, b) => a - b), Array.from({ length: 12 }, (_, i) => i));
  assert.notDeepEqual(bright, bright.toSorted((a, b) => a - b), "not as in the folder");
  const reversed = Object.fromEntries(Object.entries(pictures()).reverse());
  assert.deepEqual((await readTable(zipSync(reversed), "pets.zip", how)).features, table.features);
  const [first, half] = [await readTable(zipSync(pictures()), "pets.zip", { ...how, rows: 5 }), await readTable(zipSync(pictures()), "pets.zip", { ...how, divide: 2 })];
  assert.deepEqual([first.rows, first.source], [5, "pets.zip (5 of 12 images)"]);
  near(first.features, [...table.features.subarray(0, 80)]);
  near(half.features, [...table.features].map((x) => x / 2));
  const normed = await readTable(zipSync(pictures()), "pets.zip", { ...how, images: readingOf(model, { mean: [0.5], std: [0.25] }) });
  near(normed.features, [...table.features].map((x) => (x - 0.5) / 0.25));
  model.free();
});

test("folders are classes when they are asked for", async () => {
  const { model, ...how } = grey();
  const zip = zipSync(pictures());
  for (const labels of /** @type {const} */ (["folder", "auto"])) {
    const table = await readTable(zip, "pets.zip", { ...how, labels });
    assert.deepEqual([table.columns, table.labelColumns], [17, 1]);
    table.labels?.forEach((label, row) => assert.equal(label, Math.round((table.features[16 * row] * 255) / 20) % 2 ? 0 : 1, "cats come before dogs"));
  }
  const alone = { names: ["a.png"], load: () => [png(4, 4, 1, () => 0)] };
  assert.equal((await readPictures(alone, "a.png", { ...how, labels: "auto" })).labels, null);
  await fails(() => readPictures(alone, "a.png", { ...how, labels: "folder" }), /each class in a folder of its own, and a\.png has no such folders/);
  await fails(() => readTable(zip, "pets.zip", { ...how, labels: 1 }), /which have no label columns\. With --labels folder/);
  await fails(() => readTable(new TextEncoder().encode("1,2\n"), "rows.csv", { labels: "folder" }), /--labels folder is for images/);
  model.free();
});

test("what cannot be read is named, picture by picture", async () => {
  const { model, ...how } = grey();
  const broken = zipSync({ "a/good.png": png(4, 4, 1, () => 0), "a/bad.png": png(4, 4, 1, () => 0).subarray(0, 50), "a/text.png": new Uint8Array(30) });
  await fails(() => readTable(broken, "x.zip", how), /^a\/(bad|text)\.png cannot be read: /);
  await fails(() => readTable(png(4, 4, 1, () => 0), "x.png", {}), /x\.png holds images, and what they become depends on a model/);
  await fails(() => readPictures({ names: [], load: () => [] }, "folder", how), /folder holds no images\. JPEG, PNG/);
  await fails(() => readTable(png(4, 4, 1, () => 0), "x.png", { ...how, features: 17 }), /The model reads 17 numbers a row, an image of x\.png becomes 16/);
  assert.deepEqual(["a.PNG", "b/c.jpeg", "d.tga", "e.txt", "__MACOSX/f.png", "g/._h.jpg", "png"].map(isImage), [true, true, true, false, false, false, false]);
  model.free();
});

test("--mean, --std and --labels folder are read, and mean nothing without --data", () => {
  const options = parseOptions(["m.onnx", "--data", "d", "--mean", "0.485,0.456,0.406", "--std", "0.5", "--labels", "folder"]);
  assert.deepEqual([options.norm, options.labels], [{ mean: [0.485, 0.456, 0.406], std: [0.5] }, "folder"]);
  assert.deepEqual(parseOptions(["m.onnx"]).norm, { mean: undefined, std: undefined });
  for (const words of [["--std", "0"], ["--std", "1,x"], ["--mean", ""]]) assert.throws(() => parseOptions(["m", "--data", "d", ...words]), { code: "USAGE" });
  assert.throws(() => parseOptions(["m", "--mean", "1"]), /Give --data FILE too/);
});

const room = mkdtempSync(join(tmpdir(), "netlump-images-"));
after(() => rmSync(room, { recursive: true }));
const PROGRAM = fileURLToPath(new URL("../wasm/netlump.js", import.meta.url));
const netlump = (/** @type {string[]} */ ...words) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words, "--json"], { encoding: "utf8", cwd: room });
  return { status, stderr, report: status === 0 ? JSON.parse(stdout) : null };
};

test("the command line reads a zip, a folder and what lies in it alike, and scores by folders", () => {
  writeFileSync(join(room, "grey.json"), jsonModel([16, 12, 3], { copies: 2 }));
  writeFileSync(join(room, "set.zip"), zipSync(pictures()));
  for (const [name, bytes] of Object.entries(pictures())) {
    mkdirSync(join(room, "pets", name, ".."), { recursive: true });
    writeFileSync(join(room, "pets", name), bytes);
  }
  symlinkSync(join(room, "pets"), join(room, "pets/set/again"));
  const words = ["grey.json", "--retain", "60%", "--no-polish", "--no-verify", "--labels", "folder", "--mean", "0.5", "--std", "0.5"];
  const [zip, folder] = ["set.zip", "pets"].map((data) => netlump(...words, "--data", data).report);
  assert.deepEqual(zip.measure, { kind: "data", rows: 12, source: "set.zip" });
  assert.deepEqual(folder.measure, { kind: "data", rows: 12, source: "pets" });
  assert.deepEqual([folder.deviation, folder.sites, folder.score], [zip.deviation, zip.sites, zip.score]);
  assert.deepEqual([zip.score.kind, zip.score.rows], ["accuracy", 12]);
  assert.equal(netlump(...words, "--data", "pets", "--rows", "7").report.measure.source, "pets (7 of 12 images)");
  assert.match(netlump("grey.json", "--data", "pets/dogs").stderr, /dogs holds no images/);
});

test("the API takes a zip of images", async () => {
  const { report } = await compress(jsonModel([16, 12, 3], { copies: 2 }), { retain: 0.6, data: zipSync(pictures()), dataName: "pets.zip", labels: "folder", norm: { mean: [0.5] }, polish: false, verify: false });
  assert.equal(report.score?.kind, "accuracy");
});
