// The elimination in WebAssembly SIMD against the plain rank-1 loop in numpy (OpenBLAS, one thread), on the same numbers, in turns:
// processor seconds, medians; how many units go in the same order; the longest step; and the share of what the same
// multiplications take in the matrix product alone. numpy is stopped at PATIENCE times what it has to beat.
//   node tests/bench/elimination.mjs elimination.wasm [n ...]
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SIZES = [512, 1024, 2048, 4096];
const ROUNDS = 3; // up to 1,024 units, else 1
const PATIENCE = 3;
const PRODUCT = 1024; // rows of the matrices multiplied for comparison

const [path, ...words] = process.argv.slice(2);
if (!path) {
  console.error("usage: node tests/bench/elimination.mjs elimination.wasm [n ...]");
  process.exit(2);
}
const module = await WebAssembly.compile(await readFile(path));

/** @param {number} n @param {number} m */
function bench(n, m) {
  /** @type {Record<string, Record<string, () => number>>} */
  const stubs = {};
  for (const { module: space, name } of WebAssembly.Module.imports(module)) (stubs[space] ??= {})[name] = () => 0;
  const core = /** @type {Record<string, any>} */ (new WebAssembly.Instance(module, stubs).exports);
  core._initialize?.(); // the allocator starts there
  const on = core.bench_prepare(n, m) >>> 0;
  if (!on) throw new Error(`no memory for ${n} units`);
  return { core, on };
}

/** Processor seconds of this process since `start`. */
function seconds(start = 0) {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 - start;
}

/** @param {ReturnType<typeof bench>} to */
function eliminate({ core, on }) {
  const start = seconds();
  if (!core.bench_create(on)) throw new Error("no memory");
  let worst = 0;
  for (let before = start, progress = 0; progress < 1; ) {
    progress = core.bench_step(on);
    if (progress < 0) throw new Error("the elimination failed");
    const now = seconds();
    worst = Math.max(worst, now - before);
    before = now;
  }
  return { time: seconds(start), worst };
}

// Multiplications that the blocks do: independent units n³/6, factor n³/6, inverse n³/6 and its square n³/6, H n³/6; with K its first
// value n² m/2 and its changes n³/3.
/** @param {number} n @param {number} m */
const multiplications = (n, m) => (5 / 6) * n ** 3 + (m > n / 16 ? n ** 3 / 3 + (n * n * m) / 2 : n * n * m);

/** @param {ReturnType<typeof bench>} product seconds of one multiplication */
function productSeconds({ core, on }) {
  const start = seconds();
  core.bench_multiply(on);
  return seconds(start) / PRODUCT ** 3;
}

const median = (/** @type {number[]} */ values) => values.toSorted((x, y) => x - y)[values.length >> 1];
const folder = await mkdtemp(join(tmpdir(), "elimination-"));
const file = (/** @type {string} */ name) => join(folder, name);
const python = process.env.PYTHON ?? "/usr/bin/python3";

/** @param {number} n @param {number} m */
async function compare(n, m) {
  const ours = bench(n, m);
  const { core, on } = ours;
  const product = bench(PRODUCT, 1);
  for (const [name, count] of /** @type {const} */ ([["second", n * n], ["weights", n * m]]))
    await writeFile(file(name), new Uint8Array(core.memory.buffer, core[`bench_${name}`](on) >>> 0, count * 8));
  /** @type {Record<string, number[]>} */
  const times = { ours: [], numpy: [], product: [] };
  let worst = 0;
  productSeconds(product);
  for (let round = 0; round < (n > 1024 ? 1 : ROUNDS); round++) {
    times.product.push(productSeconds(product), productSeconds(product));
    const run = eliminate(ours);
    times.ours.push(run.time);
    worst = Math.max(worst, run.worst);
    times.product.push(productSeconds(product));
    const args = [String(n), String(m), file("second"), file("weights"), file("order"), String(PATIENCE * run.time)];
    const env = { ...process.env, OPENBLAS_NUM_THREADS: "1" };
    times.numpy.push(Number(execFileSync(python, ["tests/bench/elimination.py", ...args], { encoding: "utf8", env })));
  }
  const order = new Uint32Array(core.memory.buffer, core.bench_order(on) >>> 0, n);
  const bytes = await readFile(file("order"));
  const theirs = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const same = theirs.findIndex((unit, i) => unit !== order[i]);
  const stopped = theirs.length < n;
  const [mine, numpy, limit] = [median(times.ours), median(times.numpy), median(times.product) * multiplications(n, m)];
  console.log([`${n} units, ${m} consumers`.padEnd(28), `wasm ${mine.toFixed(3)} s`, `numpy ${numpy.toFixed(3)} s${stopped ? ` for the first ${theirs.length}, then stopped` : ""}`, `ratio ${stopped ? "below " : ""}${(mine / numpy).toFixed(2)}`,
    `product alone ${limit.toFixed(3)} s, share ${((100 * limit) / mine).toFixed(0)} %`, `longest step ${(1000 * worst).toFixed(0)} ms`,
    same < 0 ? "same order" : `same order for ${same}`].join("  "));
}

for (const n of words.length > 0 ? words.map(Number) : SIZES) {
  await compare(n, n);
  await compare(n, 16);
}
await rm(folder, { recursive: true });
