// Networks that the fixtures' script built or trained: what can shrink does, what cannot says why, sizes that are open stay open.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as runtime from "onnxruntime-web/wasm";

import { readTable, splitTable } from "../wasm/data.js";
import { compress, inspect } from "../wasm/index.js";
import { agrees, examine } from "./graphs/examine.js";
import { shapesFor } from "./graphs/sizes.js";
import { filesBeside } from "./graphs/survivors.js";
import { bytesOf, fixtureFile } from "./material.js";

runtime.env.wasm.numThreads = 1;
runtime.env.logLevel = "fatal";

/** @param {string} name of a fixture @param {Parameters<typeof compress>[1]} options */
const compressed = (name, options) =>
  compress(bytesOf(fixtureFile(name)), { name, files: filesBeside(fixtureFile(name)), shapes: shapesFor(name), polish: false, ...options });

/** Widths by layer, before and after. @param {import("../wasm/types.js").Report} report */
const widths = ({ sites }) => Object.fromEntries(sites.map(({ name, before, after }) => [name, [before, after]]));

test("copied channels go at ε = 0, through Reshape, gates, groups and depthwise convolutions", async () => {
  /** @type {[string, Record<string, [number, number]>][]} */
  const planted = [
    ["decoder.onnx", { "/0/Gemm": [8, 6] }],
    ["glu.onnx", { "/wide/Conv": [10, 8] }],
    ["grouped.onnx", { "/0/Conv": [4, 3], "/2/Conv": [6, 5] }],
    ["swiglu.onnx", { "/gate/MatMul": [32, 24] }],
    ["written_prelu_shapes.onnx", { first: [6, 4] }],
  ];
  for (const [name, expected] of planted) {
    const { report } = await compressed(name, { epsilon: 0 });
    const found = widths(report);
    for (const [layer, width] of Object.entries(expected)) assert.deepEqual(found[layer], width, `${name}: ${layer} of ${JSON.stringify(found)}`);
    assert.ok(report.deviation < 1e-5, `${name}: ${report.deviation}`);
  }
});

test("near-copies go at a small tolerance, and ONNX Runtime finds the deviation reported", async () => {
  /** @type {Record<string, string[]>} */
  const planted = {
    "mobile.onnx": ["/1/widen/widen.0/Conv", "/2/widen/widen.0/Conv", "/3/widen/widen.0/Conv"],
    "mobile_folded.onnx": ["/1/widen/widen.0/Conv"],
    "conv1d.onnx": ["/0/Conv", "/4/Conv"],
    "conv3d.onnx": ["/0/Conv"],
    "unet.onnx": ["/a/a.0/Conv", "/b/b.0/Conv", "/c/c.0/Conv", "/d/d.0/Conv", "/e/e.0/Conv"],
    "channels_last.onnx": ["/first/Conv", "/mix/MatMul"],
    "prelu_slopes.onnx": ["/0/Conv", "/2/Conv", "/5/Gemm"],
    "two_inputs.onnx": ["/image/Conv", "/row/Gemm"],
    "open_size.onnx": ["/first/Conv", "/second/Conv"],
    "recurrent.onnx": ["/a/Gemm"],
    "external.onnx": ["/0/Conv"],
  };
  for (const [name, layers] of Object.entries(planted)) {
    const { results, refused } = await examine(fixtureFile(name), { epsilons: [0.02] });
    assert.equal(refused, null, name);
    const { sites } = await inspect(bytesOf(fixtureFile(name)), { name, files: filesBeside(fixtureFile(name)) });
    for (const layer of layers) {
      const site = sites.findIndex((one) => one.name === layer);
      assert.ok(results[0].widths[site] < sites[site].width, `${name}: ${layer} keeps ${results[0].widths[site]} of ${sites[site]?.width}`);
    }
    assert.ok(agrees(results[0]) && results[0].apart.length === 0, `${name}: ${JSON.stringify(results[0])}`);
  }
});

for (const [name, share, lost] of /** @type {[string, number, number][]} */ ([["shapes_cnn.onnx", 0.5, 0.03], ["shapes_resnet.onnx", 0.6, 0.03]]))
  test(`${name}, trained to tell drawings apart, still does with ${100 * share} % of its parameters`, async () => {
    const table = await readTable(bytesOf(fixtureFile("shapes.csv")), "shapes.csv", { labels: 1, divide: 10 });
    const { measure, score } = splitTable(table, 0.5);
    const { report } = await compressed(name, { retain: share, data: table, split: 0.5, labels: 1 });
    assert.equal(measure.rows + score.rows, 300);
    assert.ok(report.retained <= share);
    assert.ok(report.score && report.score.kind === "accuracy" && report.score.heldOut);
    assert.ok(report.score.before > 0.95 && report.score.after >= report.score.before - lost, JSON.stringify(report.score));
  });

test("a transformer's feed-forward blocks shrink, its heads and sums stay and say why", async () => {
  for (const name of ["transformer.onnx", "transformer_op17.onnx"]) {
    const { report } = await compressed(name, { epsilon: 0.03 });
    assert.equal(report.sites.length, 2);
    assert.ok(report.sites.every(({ before, after }) => before === 64 && after < 60), JSON.stringify(widths(report)));
    assert.ok(report.deviation < 0.1 && report.verified && "agrees" in report.verified && report.verified.agrees !== false);
    assert.ok(report.skipped.some(({ node, reason }) => /qkv/.test(node) && /attention heads/.test(reason)), JSON.stringify(report.skipped));
  }
});

/** @param {Uint8Array} bytes @param {string} input @param {"float32"|"int64"} type @param {number[]} dims */
async function runAt(bytes, input, type, dims) {
  const count = dims.reduce((a, b) => a * b, 1);
  const data = type === "int64" ? BigInt64Array.from({ length: count }, (_, i) => BigInt((7 * i) % 20)) : Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const { output } = await session.run({ [input]: new runtime.Tensor(/** @type {any} */ (type), /** @type {any} */ (data), dims) });
  await session.release();
  return { dims: [...output.dims], data: Array.from(/** @type {Float32Array} */ (output.data)) };
}

test("axes that are open stay open: the smaller model runs at other sizes too", async () => {
  for (const [name, input, type, sizes] of /** @type {[string, string, "float32"|"int64", number[][]][]} */ ([
    ["open_size.onnx", "input", "float32", [[1, 1, 9, 9], [3, 1, 11, 14]]],
    ["tokens.onnx", "ids", "int64", [[1, 6], [3, 11]]],
  ])) {
    const { bytes, report } = await compressed(name, { epsilon: 0.02 });
    assert.ok(report.retained < 1, name);
    for (const dims of sizes) {
      const [before, after] = [await runAt(bytesOf(fixtureFile(name)), input, type, dims), await runAt(bytes, input, type, dims)];
      assert.deepEqual(after.dims, before.dims);
      const scale = Math.max(...before.data.map(Math.abs));
      before.data.forEach((value, i) => assert.ok(Math.abs(value - after.data[i]) <= 0.25 * scale, `${name} at ${dims}: ${after.data[i]} for ${value}`));
    }
  }
});

test("what is inside a body of If stays, and quantized weights are declined with the way out", async () => {
  const { report } = await compressed("if_body.onnx", { epsilon: 0.02 });
  assert.deepEqual(report.sites.map(({ name }) => name), ["/wide/Gemm"]);
  assert.ok(report.sites[0].after < 16);
  await assert.rejects(compressed("written_qdq.onnx", { epsilon: 0.02 }), (/** @type {any} */ error) => error.code === "NO_SITE" && /quantized/.test(error.message));
  const { skipped } = await inspect(bytesOf(fixtureFile("written_qdq.onnx")));
  assert.ok(skipped.some(({ reason }) => /float model/.test(reason)));
});

test("the dense layers that a convolutional network ends in are polished, and the file is what was measured", async () => {
  const data = await readTable(bytesOf(fixtureFile("shapes.csv")), "shapes.csv", { labels: 1, divide: 10 });
  const [plain, polished] = await Promise.all([false, true].map((polish) => compressed("shapes_cnn.onnx", { retain: 0.2, data, labels: 1, polish })));
  assert.equal(plain.report.polish, null);
  assert.ok(polished.report.polish && polished.report.polish.after < polished.report.polish.before, JSON.stringify(polished.report.polish));
  assert.ok(polished.report.deviation < plain.report.deviation, `${plain.report.deviation} ${polished.report.deviation}`);
  assert.equal(/** @type {any} */ (polished.report.verified).agrees, true);
  assert.equal((await compressed("open_size.onnx", { retain: 0.8, polish: true })).report.polish, null, "it has one dense layer only");
});
