// Measures what the project promised itself: test MSE over the original's on the second half of the test rows, the first
// half, unlabelled, being the measure (or x ~ N(0, I), "free").
//   node tests/bench/targets.mjs [substring of the names to run]
// Wants the material; glycolysis also the network that `make bench-paper` trains.
import { existsSync } from "node:fs";

import { readTable, sliceTable } from "../../wasm/data.js";
import { createEngine } from "../../wasm/engine.js";
import { score } from "../../wasm/score.js";
import { bytesOf, materialFile, needsMaterial } from "../material.js";
import { errorOf, readHalves } from "./score.js";

const MODELS = {
  abalone: ["torch_abalone_tanh_8-64-64-1_op11", "abalone"],
  hepc: ["torch_hepc_tanh_7-64-64-1_op15", "hepc"],
  metro: ["torch_metro_relu_14-64-32-1_op12", "metro"],
  protein: ["torch_protein_relu_9-128-128-1_op13", "protein"],
};

/** network, measure, polished, share, at most */
const TARGETS = /** @type {[string, "data"|"free", boolean, number, number][]} */ ([
  ["abalone", "data", false, 0.04, 0.99],
  ["hepc", "data", false, 0.15, 1.015],
  ["protein", "data", false, 0.45, 1.02],
  ["metro", "data", false, 0.6, 1.05],
  ["hepc", "data", true, 0.1, 1.004],
  ["hepc", "data", true, 0.05, 1.015],
  ["metro", "data", true, 0.45, 1.019],
  ["metro", "data", true, 0.3, 1.03],
  ["protein", "data", true, 0.3, 1.02],
  ["abalone", "data", true, 0.015, 1.005],
  ["glycolysis", "data", true, 0.35, 1.15],
  ["glycolysis", "data", true, 0.2, 1.3],
  ["glycolysis", "data", true, 0.1, 2],
  ["hepc", "free", true, 0.1, 1.015],
  ["metro", "free", true, 0.45, 1.07],
  ["glycolysis", "free", true, 0.35, 3],
]);

/** @param {string} name @returns {[string, string]} files of the model and of its test rows */
function filesOf(name) {
  if (name === "glycolysis") return ["build/paper/glycolysis_tanh_64-64.onnx", "build/paper/glycolysis_test.csv"];
  const [model, rows] = MODELS[/** @type {keyof typeof MODELS} */ (name)];
  return [materialFile(`models/${model}.onnx`), materialFile(`data/${rows}_test.csv`)];
}

const engine = await createEngine();

/** @param {string} name */
async function prepared(name) {
  const [file, rows] = filesOf(name);
  const model = engine.open(bytesOf(file), file);
  const { measure, score: rest } = await readHalves(rows, { labels: model.info.results, features: model.info.features });
  const paths = { data: await model.path({ data: measure, seed: 1 }), free: await model.path({ seed: 1 }) };
  return { paths, rest, before: errorOf(model, rest) };
}

/** Widths −80 %, 512 unlabelled images, accuracy on the 8,000 images from the 2,001st on. */
async function fashion() {
  const model = engine.open(bytesOf(materialFile("models/torch_fashion_lenet300-100_relu_op13.onnx")), "fashion.onnx");
  const read = (/** @type {string} */ part, /** @type {object} */ options) =>
    readTable(bytesOf(materialFile(`datasets/fashion-t10k-${part}-ubyte.gz`)), `${part}-ubyte.gz`, { labels: 0, ...options });
  const images = await read("images-idx3", { features: 784, divide: 255 });
  const labels = (await read("labels-idx1", { features: 1 })).features;
  const labelled = { ...images, labels, labelColumns: 1 };
  const rest = sliceTable(labelled, 2000, 10000);
  const path = await model.path({ data: sliceTable(images, 0, 512), seed: 1 });
  // 784 · 60 + 60 + 60 · 20 + 20 + 20 · 10 + 10 of 266,610 parameters
  const result = await path.compress({ kind: "retain", value: 48590 / 266610 }, { polish: true });
  const [before, after] = [model, result].map((network) => score(network.forward(rest.features), rest).value);
  const widths = result.report.sites.map((site) => site.after).join("-");
  console.log(`| fashion | data | yes | 18 % (${widths}) | ${(100 * after).toFixed(2)} % | at least ${(100 * before - 2.5).toFixed(2)} % | ${after >= before - 0.025 ? "met" : "short"} | |`);
}

const only = process.argv[2] ?? "";
if ("skip" in needsMaterial) console.log("The material is not here: nothing to measure.");
else {
  console.log("| network | measure | polished | share (widths) | factor | at most | | seconds |\n|---|---|---|---|---|---|---|---|");
  /** @type {Map<string, Awaited<ReturnType<typeof prepared>>>} */
  const ready = new Map();
  for (const [name, kind, polish, share, most] of TARGETS.filter(([name]) => name.includes(only))) {
    if (!existsSync(filesOf(name)[0])) {
      console.log(`| ${name} | | | | not trained yet: make bench-paper | | | |`);
      continue;
    }
    const { paths, rest, before } = ready.get(name) ?? (await prepared(name));
    ready.set(name, { paths, rest, before });
    const start = performance.now();
    const result = await paths[kind].compress({ kind: "retain", value: share }, { polish });
    const seconds = (performance.now() - start) / 1000;
    const factor = errorOf(result, rest) / before;
    const widths = result.report.sites.map((site) => site.after).join("-");
    console.log(`| ${name} | ${kind} | ${polish ? "yes" : "no"} | ${100 * share} % (${widths}) | ${factor.toFixed(4)} | ${most} | ${factor <= most ? "met" : "short"} | ${seconds.toFixed(1)} |`);
    result.free();
  }
  if ("fashion".includes(only)) await fashion();
}
