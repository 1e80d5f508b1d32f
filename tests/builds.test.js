// One source, three builds: WebAssembly with and without SIMD give the same bits, the native one keeps the same units.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { createEngine, readTable } from "../wasm/index.js";

/** @type {{id: string, model: string, data: string, labels: number, epsilon: number}[]} */
const samples = JSON.parse(readFileSync("web/samples/samples.json", "utf8"));
const bytesOf = (/** @type {string} */ name) => new Uint8Array(readFileSync(`web/samples/${name}`));
const NATIVE = "build/native/pipeline";
const PROBES = 16; // as tests/native/pipeline.c has them

/** @param {typeof samples[0]} sample @param {boolean} scalar @param {boolean} withData */
async function lumped(sample, scalar, withData) {
  const engine = await createEngine({ scalar });
  const model = engine.open(bytesOf(sample.model), sample.model);
  const { features } = model.info;
  const data = withData ? await readTable(bytesOf(sample.data), sample.data, { labels: sample.labels, features }) : null;
  const path = await model.path({ data, seed: 1 });
  const result = await path.compress({ kind: "epsilon", value: sample.epsilon });
  const probes = Float64Array.from({ length: PROBES * features }, (_, i) => ((i * 37) % 101) / 50 - 1);
  const made = { report: result.report, bytes: result.write("onnx"), path: path.info, outputs: result.forward(probes) };
  model.free();
  return made;
}

for (const sample of samples)
  for (const withData of [false, true])
    test(`${sample.id}, ${withData ? "on its rows" : "data-free"}: scalar and SIMD WebAssembly agree to the last bit`, async () => {
      const [scalar, simd] = [await lumped(sample, true, withData), await lumped(sample, false, withData)];
      assert.ok(simd.report.parameters.after < simd.report.parameters.before);
      assert.deepEqual(scalar, simd);
    });

for (const sample of samples)
  test(`${sample.id}: the native build keeps the same units and agrees to 1e-6`, async () => {
    assert.ok(existsSync(NATIVE), `make ${NATIVE}`);
    const native = JSON.parse(execFileSync(NATIVE, [`web/samples/${sample.model}`, String(sample.epsilon)], { encoding: "utf8", maxBuffer: 1 << 26 }));
    const wasm = await lumped(sample, false, false);
    const kept = (/** @type {any} */ { sites }) => sites.map((/** @type {any} */ site) => site.kept);
    assert.deepEqual(kept(native.report), kept(wasm.report));
    const scale = Math.max(...wasm.outputs.map(Math.abs));
    native.outputs.forEach((/** @type {number} */ y, /** @type {number} */ i) => assert.ok(Math.abs(y - wasm.outputs[i]) <= 1e-6 * scale, `${y} ${wasm.outputs[i]}`));
    assert.ok(Math.abs(native.report.deviation / wasm.report.deviation - 1) < 1e-6);
  });
