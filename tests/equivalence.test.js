// Differential equivalence: netlump's blocks against ERODE's.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { createEngine } from "../wasm/engine.js";
import { bytesOf, jsonModel, materialFile, needsMaterial, noise } from "./material.js";

const engine = await createEngine();
const run = promisify(execFile);
const CLI = fileURLToPath(new URL("../wasm/netlump.js", import.meta.url));

/** @param {{layers: object[]}} network @param {string} activation of the hidden layers */
function modelText({ layers }, activation) {
  const last = layers.length - 1;
  const text = { format: "netlump", version: 1, layers: layers.map((layer, l) => ({ ...layer, activation: l < last ? activation : "identity" })) };
  return new TextEncoder().encode(JSON.stringify(text));
}

const sorted = (/** @type {string[][]} */ blocks) => blocks.map((block) => [...block].sort().join(" ")).sort();

test("blocks are ERODE's on every row of the reference vectors", needsMaterial, () => {
  const vectors = JSON.parse(readFileSync(materialFile("equivalence/vectors.json"), "utf8"));
  const wrong = [];
  for (const { name, network, expected } of vectors)
    for (const { encoding, equivalence, epsilon, hidden_blocks: blocks } of expected) {
      const square = encoding === "square";
      const model = engine.open(modelText(network, square ? "square" : "tanh"), name);
      const found = model.blocks({ encoding: square ? "polynomial" : encoding, equivalence, linkage: "erode", epsilon }).blocks;
      model.free();
      if (sorted(found).join("|") !== sorted(blocks).join("|")) wrong.push({ name, encoding, equivalence, epsilon });
    }
  assert.deepEqual(wrong, []);
});

test("the command line prints the blocks as JSON", needsMaterial, async () => {
  const [{ network, expected }] = JSON.parse(readFileSync(materialFile("equivalence/vectors.json"), "utf8"));
  const row = expected.find((/** @type {any} */ one) => one.encoding === "adjoint" && one.epsilon > 0);
  const folder = mkdtempSync(join(tmpdir(), "netlump-"));
  try {
    writeFileSync(join(folder, "net.json"), modelText(network, "tanh"));
    const words = ["blocks", join(folder, "net.json"), "--encoding", "adjoint", "--equivalence", row.equivalence];
    const { stdout } = await run(process.execPath, [CLI, ...words, "--linkage", "erode", "--epsilon", String(row.epsilon), "--json"]);
    assert.deepEqual(sorted(JSON.parse(stdout).blocks), sorted(row.hidden_blocks));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

// ---- ERODE's files -----------------------------------------------------------------------------------------------------

/** Reads the part of the language that netlump writes. @param {string} text */
function readOde(text) {
  const part = (/** @type {string} */ name) => text.match(new RegExp(`begin ${name}\\n([^]*?)end ${name}`))?.[1] ?? assert.fail(name);
  const variables = part("init").trim().split("\n").map((line) => line.split("=")[0].trim());
  const blocks = [...part("partition").matchAll(/\{([^}]*)\}/g)].map(([, names]) => names.split(","));
  const drifts = new Map(part("ODE").trim().split("\n").map((line) => {
    const [, name, sum] = line.trim().match(/^d\((\w+)\) = (.*)$/) ?? assert.fail(line);
    assert.doesNotMatch(sum, /[e^()]/, "no powers, exponents or parentheses");
    const terms = sum.replace(/^-/, "- ").replaceAll(" - ", " + -").replace(/^- /, "-").split(" + ");
    return [name, terms.map((term) => {
      const [number, ...names] = term.split("*");
      assert.ok(Number.isFinite(Number(number)), term);
      return { factor: Number(number), names };
    })];
  }));
  return { variables, blocks, drifts, command: text.trimEnd().split("\n").at(-1) };
}

/** @param {{factor: number, names: string[]}[]} terms @param {Map<string, number>} at */
const evaluate = (terms, at) =>
  terms.reduce((sum, { factor, names }) => sum + names.reduce((product, name) => product * (at.get(name) ?? NaN), factor), 0);

/** The encoding by its definition. @param {any[]} layers @param {string} encoding @param {(l: number, z: number) => number} activate
 * @param {Map<string, number>} at */
function definition(layers, encoding, activate, at) {
  const last = layers.length;
  const name = (/** @type {number} */ l, /** @type {number} */ i) => (l === 0 ? `x${i + 1}` : l === last ? `y${i + 1}` : `h${l}_${i + 1}`);
  const value = (/** @type {number} */ l, /** @type {number} */ i) => at.get(name(l, i)) ?? NaN;
  const sizes = [layers[0].weights[0].length, ...layers.map(({ weights }) => weights.length)];
  const drifts = new Map();
  for (const [l, size] of sizes.entries())
    for (let i = 0; i < size; i += 1) {
      let drift = 0;
      if (encoding === "adjoint") for (let k = 0; l < last && k < sizes[l + 1]; k += 1) drift += layers[l].weights[k][i] * value(l + 1, k);
      else if (l > 0) {
        let z = layers[l - 1].bias[i];
        for (let j = 0; j < sizes[l - 1]; j += 1) z += layers[l - 1].weights[i][j] * value(l - 1, j);
        drift = encoding === "linear" ? z : activate(l - 1, z) - value(l, i);
      }
      drifts.set(name(l, i), drift);
    }
  if (encoding === "adjoint")
    drifts.set("u", layers.flatMap(({ bias }, l) => bias.map((/** @type {number} */ b, /** @type {number} */ k) => b * value(l + 1, k))).reduce((a, b) => a + b, 0));
  return drifts;
}

const next = noise(3);
const drawn = (/** @type {number} */ out, /** @type {number} */ wide, /** @type {unknown} */ activation) => ({
  weights: Array.from({ length: out }, () => Array.from({ length: wide }, () => Number(next().toFixed(3)))),
  bias: Array.from({ length: out }, () => Number(next().toFixed(3))),
  activation,
});
const cubic = { name: "polynomial", coefficients: [0.5, -1, 0.25, 0.125] };
const ODES = [
  { layers: [drawn(4, 3, "square"), drawn(3, 4, cubic), drawn(2, 3, "identity")], degree: 0 },
  { layers: [drawn(5, 2, "tanh"), drawn(4, 5, "relu"), drawn(1, 4, "sigmoid")], degree: 0 },
  { layers: [drawn(3, 2, "gelu"), drawn(2, 3, "identity")], degree: 4 },
];

for (const encoding of /** @type {const} */ (["linear", "adjoint", "polynomial"]))
  test(`the ${encoding} encoding parses back into its own drifts`, () => {
    for (const { layers, degree } of ODES) {
      const model = engine.open(new TextEncoder().encode(JSON.stringify({ format: "netlump", version: 1, layers })), "net.json");
      const text = model.ode({ encoding, equivalence: "bde", epsilon: 0.21, degree });
      const fits = model.polynomials(degree);
      model.free();
      const { variables, blocks, drifts, command } = readOde(text);
      assert.equal(command, "reduceEpsNBB({epsilon=>0.21,prePartition=>USER,fileWhereToStorePartition=>p.txt})");
      assert.deepEqual(blocks.flat().sort(), [...variables].sort());
      assert.deepEqual(blocks.filter((block) => block.length > 1).map((block) => block.length), layers.slice(0, -1).map(({ bias }) => bias.length));
      const activate = (/** @type {number} */ l, /** @type {number} */ z) => fits[l].coefficients.reduceRight((sum, c) => sum * z + c, 0);
      for (let draw = 0; draw < 5; draw += 1) {
        const at = new Map(variables.map((name) => [name, next()]));
        const expected = definition(layers, encoding, activate, at);
        assert.deepEqual([...drifts.keys()], [...expected.keys()]);
        for (const [name, terms] of drifts) {
          const found = evaluate(terms, at), wanted = expected.get(name);
          const scale = terms.reduce((sum, { factor }) => sum + Math.abs(factor), 1);
          assert.ok(Math.abs(found - wanted) <= 3e-7 * scale, `${name}: ${found}, ${wanted}`);
          if (encoding !== "polynomial") assert.ok(Math.abs(found - wanted) <= 1e-14 * scale, `${name}: ${found}, ${wanted}`);
        }
      }
    }
  });

test("numbers of an encoding read back as the weights they are", () => {
  const weights = [[0.1, 1 / 3, 1e-7, 12345678, -2.5e-9, 3e20]].map((row) => row.map(Math.fround));
  const layers = [{ weights, bias: [0.7], activation: "tanh" }, { weights: [[1]], bias: [0] }];
  const model = engine.open(new TextEncoder().encode(JSON.stringify({ format: "netlump", version: 1, layers })), "net.json");
  const terms = readOde(model.ode({ encoding: "linear" })).drifts.get("h1_1") ?? [];
  model.free();
  assert.deepEqual(terms.map(({ factor }) => Math.fround(factor)), [...weights[0], Math.fround(0.7)]);
  assert.deepEqual([terms[0].factor, terms[6].factor], [0.1, 0.7]);
});

test("polynomials are exact where the activation is one, and fitted with their error said where not", () => {
  const centred = (/** @type {any} */ layer) => ({ ...layer, bias: layer.bias.map(() => 0) });
  const layers = [centred(drawn(8, 4, "tanh")), centred(drawn(8, 8, "relu")), drawn(8, 8, cubic), drawn(2, 8, "identity")];
  const model = engine.open(new TextEncoder().encode(JSON.stringify({ format: "netlump", version: 1, layers })), "net.json");
  const [tanh, relu, own, output] = model.polynomials();
  const better = model.polynomials(7)[0];
  model.free();
  assert.deepEqual([tanh.degree, relu.degree, own.degree, output.degree], [3, 2, 3, 1]);
  assert.deepEqual([tanh.fitted, relu.fitted, own.fitted, output.fitted], [true, true, false, false]);
  assert.deepEqual(own.coefficients, cubic.coefficients);
  assert.ok(tanh.rms > 0 && tanh.rms < 0.2 && tanh.rms < tanh.largest && better.rms < tanh.rms / 2);
  // the errors said are those of the polynomial said
  let squares = 0, whole = 0;
  for (let t = -3; t <= 3; t += 0.01) {
    const z = tanh.mean + tanh.spread * t, weight = Math.exp((-t * t) / 2);
    const error = tanh.coefficients.reduceRight((sum, c) => sum * z + c, 0) - Math.tanh(z);
    squares += weight * error ** 2;
    whole += weight * Math.tanh(z) ** 2;
  }
  assert.ok(Math.abs(Math.sqrt(squares / whole) / tanh.rms - 1) < 0.01);
});

test("a network that is no chain is refused by name, and an encoding too large by its size", () => {
  const residual = engine.open(bytesOf(new URL("fixtures/residual.onnx", import.meta.url)), "residual.onnx");
  assert.throws(() => residual.blocks({ epsilon: 1 }), { code: "UNSUPPORTED" });
  residual.free();
  const wide = engine.open(jsonModel([64, 256, 64, 1]), "wide.json");
  assert.throws(() => wide.ode({ encoding: "polynomial", degree: 5 }), { code: "LIMIT" });
  wide.free();
});

test("both builds find the same blocks", async () => {
  const scalar = await createEngine({ scalar: true });
  const bytes = jsonModel([6, 90, 60, 2], { seed: 4 });
  const [one, other] = [engine.open(bytes, "net.json"), scalar.open(bytes, "net.json")];
  for (const encoding of /** @type {const} */ (["linear", "adjoint", "polynomial"]))
    for (const epsilon of [0, 2, 12])
      assert.deepEqual(one.blocks({ encoding, epsilon, equivalence: "bde" }), other.blocks({ encoding, epsilon, equivalence: "bde" }));
  one.free();
  other.free();
});
