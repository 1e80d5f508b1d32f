// Test MSE over the original's at retained shares, on the second half of the material's rows: the first half, unlabelled,
// as measure ("data"), or nothing ("free"). Prints a Markdown table. node tests/bench/accuracy.mjs [path of another netlump.wasm]
import { readFileSync } from "node:fs";

import { compress, createEngine } from "../../wasm/index.js";
import { bytesOf, materialFile, needsMaterial } from "../material.js";
import { errorOf, readHalves } from "./score.js";

/** @type {[string, string, number[]][]} model, rows, retained shares */
const NETWORKS = [
  ["torch_abalone_tanh_8-64-64-1_op11", "abalone", [0.2, 0.1, 0.05, 0.04]],
  ["torch_hepc_tanh_7-64-64-1_op15", "hepc", [0.33, 0.2, 0.15, 0.1]],
  ["torch_metro_relu_14-64-32-1_op12", "metro", [0.75, 0.6, 0.45]],
  ["torch_protein_relu_9-128-128-1_op13", "protein", [0.6, 0.45, 0.3]],
  ["torch_kin8nm_tanh_8-100-50-1_op10", "kin8nm", [0.5, 0.3]],
  ["torch_concrete_relu_8-50-50-1_op7", "concrete", [0.6, 0.4]],
];

/** @param {Uint8Array} bytes @param {import("../../wasm/types.js").Table} score @param {Uint8Array} [wasm] */
async function errorOfFile(bytes, score, wasm) {
  const model = (await createEngine({ wasm })).open(bytes, "model.onnx");
  const error = errorOf(model, score);
  model.free();
  return error;
}

if ("skip" in needsMaterial) console.log(`accuracy: ${needsMaterial.skip}`);
else {
  const wasm = process.argv[2] ? new Uint8Array(readFileSync(process.argv[2])) : undefined;
  console.log("| network | measure | share: factor (widths) |\n|---|---|---|");
  for (const [name, rows, shares] of NETWORKS) {
    const features = Number(/_(\d+)-/.exec(name)?.[1]);
    const { measure, score } = await readHalves(materialFile(`data/${rows}_test.csv`), { labels: 1, features });
    const model = bytesOf(materialFile(`models/${name}.onnx`));
    const before = await errorOfFile(model, score, wasm);
    for (const kind of ["data", "free"]) {
      const cells = [];
      for (const retain of shares) {
        const { bytes, report } = await compress(model, { retain, data: kind === "data" ? measure : null, verify: false, polish: false, wasm });
        const factor = (await errorOfFile(bytes, score, wasm)) / before;
        cells.push(`${Math.round(retain * 100)} %: ${factor.toFixed(4)} (${report.sites.map((site) => site.after).join("-")})`);
      }
      console.log(`| ${rows} | ${kind} | ${cells.join(" · ")} |`);
    }
  }
}
