// Times the partitioner on dense random layers through the engine: width-width-width-10, processor seconds a tolerance. The
// tolerances are shares of the typical distance of two neurons, 3 · 2 / √π · √width forward on normal weights of variance 1/width.
// Then one layer of 4,096 neurons with as many inputs against scipy's pdist and connected components on one thread, in the same run.
//   node tests/bench/partition.mjs [width ...]
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine } from "../../wasm/engine.js";
import { noise } from "../material.js";

const widths = process.argv.slice(2).map(Number);
const SHARES = [0.001, 0.5, 0.97, 1, 1.1];
const CASES = [
  { encoding: "adjoint", equivalence: "fde", linkage: "complete" },
  { encoding: "adjoint", equivalence: "fde", linkage: "erode" },
];

/**
 * An ONNX model of square hidden layers, written by hand: JSON would take minutes to read.
 * @param {number} width @param {number} hidden @param {(name: string, values: Float32Array) => void} [seen] told of every tensor
 */
function model(width, hidden, seen = () => {}) {
  const varint = (/** @type {number} */ n) => {
    const bytes = [];
    for (; n > 127; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
    return Buffer.from([...bytes, n]);
  };
  const field = (/** @type {number} */ number, /** @type {string|Uint8Array} */ value) => {
    const bytes = Buffer.from(/** @type {any} */ (value));
    return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
  };
  const whole = (/** @type {number} */ number, /** @type {number} */ value) => Buffer.concat([varint(number * 8), varint(value)]);
  const next = noise(width);
  const normal = () => Math.sqrt(-2 * Math.log(1 - (next() + 1) / 2)) * Math.cos(2 * Math.PI * next());
  const tensor = (/** @type {string} */ name, /** @type {number[]} */ dims, /** @type {number} */ spread) => {
    const count = dims.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: count }, () => spread * normal());
    seen(name, values);
    return field(5, Buffer.concat([...dims.map((dim) => whole(1, dim)), whole(2, 1), field(8, name), field(9, new Uint8Array(values.buffer))]));
  };
  const port = (/** @type {number} */ number, /** @type {string} */ name, /** @type {number} */ size) => {
    const dims = Buffer.concat([field(1, field(2, "n")), field(1, whole(1, size))]);
    return field(number, Buffer.concat([field(1, name), field(2, field(1, Buffer.concat([whole(1, 1), field(2, dims)])))]));
  };
  const node = (/** @type {string} */ op, /** @type {string[]} */ inputs, /** @type {string} */ output) =>
    field(1, Buffer.concat([...inputs.map((name) => field(1, name)), field(2, output), field(4, op)]));
  const outs = [...Array(hidden).fill(width), 10];
  const graph = Buffer.concat([
    ...outs.flatMap((_, l) => [node("Gemm", [l === 0 ? "x" : `a${l}`, `w${l}`, `b${l}`], l < hidden ? `z${l}` : "y"), ...(l < hidden ? [node("Tanh", [`z${l}`], `a${l + 1}`)] : [])]),
    field(2, "g"),
    ...outs.flatMap((out, l) => [tensor(`w${l}`, [width, out], 1 / Math.sqrt(width)), tensor(`b${l}`, [out], 0.1)]),
    port(11, "x", width),
    port(12, "y", 10),
  ]);
  return new Uint8Array(Buffer.concat([whole(1, 8), field(7, graph), field(8, Buffer.concat([field(1, ""), whole(2, 13)]))]));
}

const typicalDistance = (/** @type {number} */ width) => (3 * 2 * Math.sqrt(width)) / Math.sqrt(Math.PI);

/** Processor seconds, and how many blocks. @param {any} net @param {any} options @returns {[number, number]} */
function timed(net, options) {
  const start = process.cpuUsage();
  const { blocks } = net.blocks(options);
  const { user, system } = process.cpuUsage(start);
  return [(user + system) / 1e6, blocks.length];
}

const engine = await createEngine();
for (const width of widths.length > 0 ? widths : [1024, 2048]) {
  const net = engine.open(model(width, 2), "dense.onnx");
  const typical = typicalDistance(width);
  for (const choice of CASES)
    for (const share of SHARES) {
      const [time, blocks] = timed(net, { .../** @type {any} */ (choice), epsilon: share * typical });
      const words = [choice.encoding, choice.equivalence, choice.linkage].join(" ");
      console.log(`${width} ${words} ε ${share} of the typical distance: ${time.toFixed(2)} s, ${blocks} blocks of ${2 * width}`);
    }
  net.free();
}

const COMPARED = 4096;
const folder = await mkdtemp(join(tmpdir(), "partition-"));
const file = (/** @type {string} */ name) => join(folder, name);
/** @type {Promise<void>[]} */
const written = [];
const net = engine.open(model(COMPARED, 1, (name, values) => written.push(writeFile(file(name), values))), "dense.onnx");
await Promise.all(written);
const epsilons = SHARES.map((share) => share * typicalDistance(COMPARED));
const options = { encoding: "adjoint", equivalence: "fde", linkage: "erode" };
const ours = epsilons.map((epsilon) => timed(net, { ...options, epsilon }));
const [distances, ...rest] = execFileSync(process.env.PYTHON ?? "/usr/bin/python3",
  ["tests/bench/partition.py", String(COMPARED), String(COMPARED), file("w0"), file("b0"), ...epsilons.map(String)],
  { encoding: "utf8", env: { ...process.env, OPENBLAS_NUM_THREADS: "1" } }).trim().split("\n");
ours.forEach(([seconds, blocks], k) => {
  const [components, count] = rest[k].split(" ").map(Number);
  const theirs = Number(distances) + components;
  console.log(`${COMPARED} neurons, ${COMPARED} inputs, ε ${SHARES[k]} of the typical distance: ${seconds.toFixed(2)} s, scipy ${theirs.toFixed(2)} s, ` +
    `ratio ${(seconds / theirs).toFixed(2)}, ${blocks} and ${count} blocks`);
});
net.free();
await rm(folder, { recursive: true });
