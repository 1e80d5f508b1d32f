// netlump against what a user would prune with instead, on the same models, rows and shares, in turns: PyTorch's torch.nn.utils.prune
// and torch.onnx.export, Wanda and neurons by norm in numpy; and onnxsim for reading and writing alone. From ONNX file to ONNX file
// in a process that has done so for a second, one thread: processor seconds, largest memory; share of the parameters left; deviation and score on
// rows that decided nothing. Prints Markdown tables.
//   node tests/bench/peers.mjs [substring of the models to run, or of "read"]
// Wants the material, python3-torch, python3-onnx and python3-numpy; onnxsim is installed with the long tests' packages.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { readTable, sliceTable } from "../../wasm/data.js";
import { createEngine } from "../../wasm/engine.js";
import { score as scored } from "../../wasm/score.js";
import { bytesOf, materialFile, needsMaterial } from "../material.js";
import { readHalves } from "./score.js";

/**
 * @typedef {import("../../wasm/types.js").Table} Table
 * @typedef {{seconds: number, wall: number, memory: number, retained: number, failed?: string}} Answer
 * @typedef {{name: string, file: string, measure: Table, score: Table}} Subject
 * @typedef {{peer: string, share: number, answer: Answer, bytes: number, deviation: number, score: string}} Outcome
 */

const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const SHARES = [0.5, 0.3, 0.1];
const PRUNERS = ["netlump", "netlump unpolished", "netlump norm", "torch l1 unstructured", "torch l1 global", "torch ln structured", "numpy Wanda", "numpy norm"];
const MASKED = new Set(["torch l1 unstructured", "torch l1 global", "numpy Wanda"]); // zeros: the file stays as large
const TABLES = /** @type {[string, string][]} */ ([["abalone", "torch_abalone_tanh_8-64-64-1_op11"], ["hepc", "torch_hepc_tanh_7-64-64-1_op15"], ["protein", "torch_protein_relu_9-128-128-1_op13"]]);
const IMAGES = /** @type {[string, string][]} */ ([["fashion", "torch_fashion_lenet300-100_relu_op13"], ["mnist", "torch_mnist_cnn_bn_8-16-64_op11"]]);
const MEASURED = 512; // images
const SCORED = 4000;
/** @type {[string, string, number][]} */
const READ = [["abalone, twofold", "dup_abalone_relu_x2_copy", 8], [...TABLES[0], 8], [...IMAGES[0], 784], [...IMAGES[1], 784]]; // and features
const ALONE = ["netlump read, write", "netlump ε = 0", "onnxsim"];

/** @returns {AsyncGenerator<Subject>} */
async function* subjects(/** @type {string} */ only) {
  for (const [name, model] of TABLES.filter(([set]) => set.includes(only))) {
    const features = Number(/_(\d+)-/.exec(model)?.[1]);
    yield { name, file: materialFile(`models/${model}.onnx`), ...(await readHalves(materialFile(`data/${name}_test.csv`), { labels: 1, features })) };
  }
  for (const [name, model] of IMAGES.filter(([set]) => set.includes(only))) {
    const read = (/** @type {string} */ part, /** @type {object} */ options) =>
      readTable(bytesOf(materialFile(`datasets/${name}-t10k-${part}-ubyte.gz`)), `${part}-ubyte.gz`, { labels: 0, ...options });
    const images = await read("images-idx3", { features: 784, divide: 255 });
    const labels = (await read("labels-idx1", { features: 1 })).features;
    const score = sliceTable({ ...images, labels, labelColumns: 1 }, MEASURED, MEASURED + SCORED);
    yield { name, file: materialFile(`models/${model}.onnx`), measure: sliceTable(images, 0, MEASURED), score };
  }
}

/** A process that does one job after the other. @param {string} peer */
function start(peer) {
  const script = /^(torch|numpy)/.test(peer) ? [process.env.PYTHON ?? "/usr/bin/python3", here("peers.py")] : [process.execPath, here("peers_worker.js")];
  const env = { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
  const child = spawn(script[0], [script[1], peer], { env, stdio: ["pipe", "pipe", "ignore"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    /** @param {object} job @returns {Promise<Answer>} */
    async run(job) {
      child.stdin.write(`${JSON.stringify(job)}\n`);
      const { value, done } = await answers.next();
      return done ? { seconds: NaN, wall: NaN, memory: NaN, retained: NaN, failed: "it stopped" } : JSON.parse(value);
    },
    stop: () => child.stdin.end(),
  };
}

const engine = await createEngine();

/** Outputs of the scored rows. @param {string} file @param {Table} table */
async function outputsOf(file, table) {
  const model = engine.open(bytesOf(file), "model.onnx");
  const [{ values }] = await model.run(table.features);
  model.free();
  return values;
}

/** RMS(f' - f) over RMS(f - E f). @param {Float64Array} now @param {Float64Array} f @param {number} rows */
function deviationOf(now, f, rows) {
  const width = f.length / rows;
  const mean = Array.from({ length: width }, (_, o) => f.reduce((sum, value, i) => sum + (i % width === o ? value : 0), 0) / rows);
  const error = now.reduce((sum, value, i) => sum + (value - f[i]) ** 2, 0);
  return Math.sqrt(error / f.reduce((sum, value, i) => sum + (value - mean[i % width]) ** 2, 0));
}

/** @param {Float64Array} outputs @param {Float64Array} original @param {Table} table */
function scoreOf(outputs, original, table) {
  const { kind, value } = scored(outputs, table);
  return kind === "accuracy" ? `${(100 * value).toFixed(2)} %` : (value / scored(original, table).value).toFixed(3);
}

const folder = mkdtempSync(join(tmpdir(), "peers-"));
const inFolder = (/** @type {string} */ name) => join(folder, name);

/** @param {Subject} subject @param {(peer: string) => ReturnType<typeof start>} of @returns {Promise<Outcome[]>} */
async function measure({ name, file, measure: rows, score }, of) {
  const features = rows.features.length / rows.rows;
  writeFileSync(inFolder("rows"), new Uint8Array(Float32Array.from(rows.features).buffer));
  const original = await outputsOf(file, score);
  const outcomes = [];
  for (const share of SHARES)
    for (const peer of PRUNERS) {
      const out = inFolder("out.onnx");
      const repeat = peer === "netlump" ? 1 : 9;
      const answer = await of(peer).run({ model: file, out, share, rows: inFolder("rows"), features, repeat });
      const now = answer.failed ? null : await outputsOf(out, score);
      const found = now ? { bytes: statSync(out).size, deviation: deviationOf(now, original, score.rows), score: scoreOf(now, original, score) } : { bytes: NaN, deviation: NaN, score: "" };
      outcomes.push({ peer, share, answer, ...found });
      console.error(JSON.stringify({ name, ...outcomes[outcomes.length - 1] }));
    }
  return outcomes;
}

const time = (/** @type {number} */ seconds) => (seconds < 0.1 ? `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms` : `${seconds.toFixed(2)} s`);
const megabytes = (/** @type {number} */ bytes) => `${Math.round(bytes / 1e6)} MB`;
const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;
const row = (/** @type {string[]} */ cells) => console.log(`| ${cells.join(" | ")} |`);

/** @param {{name: string, outcomes: Outcome[]}[]} all */
function printPruners(all) {
  console.log("\nSeconds at 50 / 30 / 10 %, largest memory:\n");
  row(["", ...all.map(({ name }) => name)]);
  row(Array(all.length + 1).fill("---"));
  for (const peer of PRUNERS)
    row([peer, ...all.map(({ outcomes }) => {
      const own = outcomes.filter((outcome) => outcome.peer === peer && !outcome.answer.failed);
      return own.length === 0 ? "-" : `${own.map(({ answer }) => time(answer.seconds)).join(" / ")}, ${megabytes(Math.max(...own.map(({ answer }) => answer.memory)))}`;
    })]); // prettier-ignore
  console.log("\nShare left: deviation, score (test MSE over the original's, or accuracy):\n");
  row(["", "at most", ...all.map(({ name }) => name)]);
  row(Array(all.length + 2).fill("---"));
  for (const share of SHARES)
    for (const peer of PRUNERS)
      row([peer, percent(share), ...all.map(({ outcomes }) => {
        const found = outcomes.find((outcome) => outcome.peer === peer && outcome.share === share);
        return !found || found.answer.failed ? "-" : `${percent(found.answer.retained)}${MASKED.has(peer) ? " non-zero" : ""}: ${percent(found.deviation)}, ${found.score}`;
      })]); // prettier-ignore
}

async function printAlone() {
  console.log("\nReading and writing alone: seconds, largest memory, bytes written:\n");
  row(["", ...READ.map(([name, model]) => `${name} (${statSync(materialFile(`models/${model}.onnx`)).size} bytes)`)]);
  row(Array(READ.length + 1).fill("---"));
  for (const peer of ALONE) {
    const process = start(peer);
    const cells = [];
    for (const [, model, features] of READ) {
      const out = inFolder("out.onnx");
      const answer = await process.run({ model: materialFile(`models/${model}.onnx`), out, share: 1, rows: null, features, repeat: 9 });
      console.error(JSON.stringify({ peer, model, answer }));
      cells.push(answer.failed ? `no: ${answer.failed}` : `${time(answer.seconds)}, ${megabytes(answer.memory)}, ${statSync(out).size}`);
    }
    process.stop();
    row([peer, ...cells]);
  }
}

if ("skip" in needsMaterial) console.log(`peers: ${needsMaterial.skip}`);
else {
  const only = process.argv[2] ?? "";
  /** @type {Map<string, ReturnType<typeof start>>} */
  const peers = new Map();
  const of = (/** @type {string} */ peer) => {
    const running = peers.get(peer) ?? start(peer);
    peers.set(peer, running);
    return running;
  };
  const all = [];
  for await (const subject of subjects(only)) all.push({ name: subject.name, outcomes: await measure(subject, of) });
  for (const peer of peers.values()) peer.stop();
  if (all.length > 0) printPruners(all);
  if (!existsSync(new URL("../long/node_modules/onnxsim", import.meta.url))) console.log("\nonnxsim is not installed: make test-long");
  else if ("read".includes(only)) await printAlone();
}
rmSync(folder, { recursive: true });
