// Accuracy of image classifiers made smaller with 512 unlabelled test images, scored in ONNX Runtime on the other 9,488; several
// draws of the 512. Prints a Markdown table.
//   node tests/bench/cnn.mjs [substring of the names to run] [draws] [path of another netlump.wasm]
// Wants the material.
import { readFileSync } from "node:fs";

import { readTable } from "../../wasm/data.js";
import { compress, createEngine } from "../../wasm/index.js";
import { shapedInputs } from "../../wasm/inputs.js";
import { Session, loadRuntime, runRows } from "../../wasm/runtime.js";
import { bytesOf, materialFile, needsMaterial, noise } from "../material.js";

/** @typedef {{features: Float64Array, labels: Float64Array, rows: number, width: number}} Images */

const MEASURE = 512;

/** model, images, what bytes are divided by, share of the parameters at most, points of accuracy lost at most */
const TARGETS = /** @type {[string, "mnist"|"fashion", number, number, number][]} */ ([
  ["torch_mnist_cnn_bn_8-16-64_op11", "mnist", 255, 0.5, 0.5],
  ["onnx2c_cntk_mnist8", "mnist", 1, 0.5, 0.5],
  ["marabou_cnn_max_mninst2", "mnist", 255, 0.5, 0.5],
  ["torch_fashion_lenet300-100_relu_op13", "fashion", 255, 0.45, 0.5],
  ["torch_fashion_lenet300-100_relu_op13", "fashion", 255, 0.26, 1.5],
]);

/** @param {string} name @param {number} divide @returns {Promise<Images>} */
async function imagesOf(name, divide) {
  const read = (/** @type {string} */ part, /** @type {object} */ options) =>
    readTable(bytesOf(materialFile(`datasets/${name}-t10k-${part}-ubyte.gz`)), `${part}-ubyte.gz`, options);
  const images = await read("images-idx3", { divide });
  const labels = await read("labels-idx1", {});
  return { features: images.features, labels: labels.features, rows: images.rows, width: images.features.length / images.rows };
}

/** Row numbers in a seeded order. @param {number} rows @param {number} seed */
function shuffled(rows, seed) {
  const next = noise(seed);
  const order = Array.from({ length: rows }, (_, i) => i);
  for (let i = rows - 1; i > 0; i -= 1) {
    const j = Math.floor(((next() + 1) / 2) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Some of the images. @param {Images} images @param {number[]} order @returns {Images} */
function chosen({ features, labels, width }, order) {
  const out = new Float64Array(order.length * width);
  order.forEach((row, i) => out.set(features.subarray(row * width, (row + 1) * width), i * width));
  return { features: out, labels: Float64Array.from(order, (row) => labels[row]), rows: order.length, width };
}

const runtime = await loadRuntime();

/** Share of the images whose largest output is their label's. @param {Uint8Array} bytes of an ONNX file @param {Images} images */
async function accuracy(bytes, images) {
  const model = (await createEngine()).open(bytes, "model.onnx");
  const inputs = shapedInputs(model.info);
  model.free();
  const session = await Session.open(runtime, { onnx: bytes, files: new Map(), refusal: String });
  const names = [...session.floats.keys()].slice(0, 1);
  let right = 0;
  const at = (/** @type {number} */ first, /** @type {number} */ count) => images.features.subarray(first * images.width, (first + count) * images.width);
  await runRows([{ session, names }], { inputs, count: images.rows, at, group: inputs.batch ?? 256 }, ([[{ data }]], count, first) => {
    const width = data.length / count;
    for (let row = 0; row < count; row += 1) {
      const logits = data.subarray(row * width, (row + 1) * width);
      right += Number(logits.indexOf(logits.reduce((/** @type {number} */ a, /** @type {number} */ b) => Math.max(a, b))) === images.labels[first + row]);
    }
  });
  await session.release();
  return right / images.rows;
}

/** @param {typeof TARGETS[number]} target @param {number} draws @param {Uint8Array} [wasm] */
async function measure([name, set, divide, retain, points], draws, wasm) {
  const bytes = bytesOf(materialFile(`models/${name}.onnx`));
  const images = await imagesOf(set, divide);
  const found = [];
  for (let seed = 1; seed <= draws; seed += 1) {
    const order = shuffled(images.rows, seed);
    const few = chosen(images, order.slice(0, MEASURE)), others = chosen(images, order.slice(MEASURE));
    const data = { features: few.features, labels: null, rows: MEASURE, columns: few.width, labelColumns: 0, names: null, source: "images" };
    const start = performance.now();
    const result = await compress(bytes, { retain, data, name: `${name}.onnx`, wasm });
    const seconds = (performance.now() - start) / 1000;
    const [before, after] = [await accuracy(bytes, others), await accuracy(result.bytes, others)];
    found.push({ before, after, lost: 100 * (before - after), seconds, report: result.report });
  }
  const lost = found.map((one) => one.lost);
  const mean = lost.reduce((a, b) => a + b, 0) / draws;
  const percent = (/** @type {number} */ x) => (100 * x).toFixed(2);
  const { report } = found[0];
  const columns = [
    name, `${percent(report.retained)} % (${report.sites.map((site) => site.after).join("-")})`, percent(found[0].before), found.map((one) => percent(one.after)).join(" · "),
    `${mean.toFixed(2)} (${Math.min(...lost).toFixed(2)} to ${Math.max(...lost).toFixed(2)})`, points, mean <= points ? "met" : "short",
    percent(report.deviation), (found.reduce((sum, one) => sum + one.seconds, 0) / draws).toFixed(1),
  ]; // prettier-ignore
  console.log(`| ${columns.join(" | ")} |`);
}

if ("skip" in needsMaterial) console.log(`cnn: ${needsMaterial.skip}`);
else {
  const [only = "", draws = "3", other] = process.argv.slice(2);
  const wasm = other ? new Uint8Array(readFileSync(other)) : undefined;
  console.log("| network | kept (widths) | before | after, by draw | points lost: mean (range) | at most | | deviation % | seconds |\n|---|---|---|---|---|---|---|---|---|");
  for (const target of TARGETS) if (target[0].includes(only)) await measure(target, Number(draws), wasm);
}
