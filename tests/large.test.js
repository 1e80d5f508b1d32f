// Large models: tensors that stay in the model's file, and what is made of them, written in parts. On small ones, told to be large.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Away } from "../wasm/away.js";
import { createEngine } from "../wasm/engine.js";
import { openShelf } from "../wasm/shelf.js";
import { part } from "../wasm/source.js";
import { writeLarge } from "./bench/large_models.mjs";

const folder = mkdtempSync(join(tmpdir(), "netlump-large-"));
after(() => rmSync(folder, { recursive: true }));

/** @param {"stack"|"feedforward"} kind @param {number} count @param {number} width @param {number} [inner] */
function generated(kind, count, width, inner) {
  const file = join(folder, `${kind}-${count}-${width}.onnx`);
  writeLarge(file, kind, count, width, inner);
  return { file, bytes: new Uint8Array(readFileSync(file)) };
}

const stack = generated("stack", 4, 128);
const blocks = generated("feedforward", 3, 64, 256);
const half = /** @type {const} */ ({ kind: "retain", value: 0.5 });

/** @param {import("../wasm/source.js").Source} source */
const bytesOf = (source) => part(source, "small.onnx", 0, source instanceof Uint8Array ? source.length : source.size);

/** A shelf that counts what goes through it. @param {Uint8Array} bytes */
function counting(bytes) {
  const seen = { read: 0, largest: 0, kept: 0 };
  /** @type {import("../wasm/away.js").Shelf} */
  const shelf = {
    read: (offset, size) => ((seen.read += size), (seen.largest = Math.max(seen.largest, size)), bytes.subarray(offset, offset + size)),
    keep: (made) => ((seen.kept += made.length), made.slice()),
    join: (parts) => new Blob(/** @type {BlobPart[]} */ (parts)),
  };
  return { seen, shelf };
}

/** @param {Uint8Array} bytes @param {{scalar?: boolean, rows?: number}} [options] */
async function smaller(bytes, { scalar = false, rows = 1024 } = {}) {
  const engine = await createEngine({ scalar });
  const { seen, shelf } = counting(bytes);
  const model = await engine.load(bytes, "large.onnx", { apartFrom: 1, shelf });
  const result = await (await model.path({ rows })).compress(half);
  return { engine, model, result, seen, bytes: await bytesOf(result.file()) };
}

test("a model without its large tensors, filled in again, is the same bytes", async () => {
  for (const { bytes } of [stack, blocks]) {
    const opened = Away.open(bytes, bytes.length);
    assert.ok(opened && opened.hollow.length < 2048, "what is left is names and shapes");
    assert.equal(Buffer.compare(await bytesOf(opened.away.filled(opened.hollow)), bytes), 0);
  }
});

test("a large model keeps about the units that one in memory keeps, and its file does what the report says", async () => {
  for (const { bytes } of [stack, blocks]) {
    const { engine, result, bytes: written } = await smaller(bytes);
    const whole = engine.open(bytes, "whole.onnx");
    const path = await whole.path({ rows: 1024 });
    assert.ok(result.report.retained <= 0.5 && result.report.retained > 0.49);
    const widths = path.choose(half).widths;
    result.report.sites.forEach(({ after: kept, before }, i) => assert.ok(Math.abs(kept - widths[i]) < before / 8, `${kept} units, ${widths[i]} of the model in memory`));
    const [rows, again] = [path.rows(0, 1024), engine.open(written, "small.onnx")];
    const [f, g] = [whole.forward(rows), again.forward(rows)];
    const width = f.length / 1024;
    const means = Float64Array.from({ length: width }, (_, c) => rows.slice(0, 1024).reduce((sum, _x, r) => sum + f[r * width + c], 0) / 1024);
    const rms = (/** @type {(i: number) => number} */ of) => Math.sqrt(f.reduce((sum, _, i) => sum + of(i) ** 2, 0) / f.length);
    const found = rms((i) => f[i] - g[i]) / rms((i) => f[i] - means[i % width]);
    assert.ok(Math.abs(found / result.report.deviation - 1) < 0.05, `${found}, reported ${result.report.deviation}`);
    assert.equal(again.info.parameters, result.report.parameters.after);
  }
});

test("nothing of a large model is in memory but pieces: what is read, kept and written is counted", async () => {
  const { engine, seen, bytes } = await smaller(stack.bytes, { rows: 256 });
  assert.ok(seen.largest <= 2 ** 20, `read ${seen.largest} bytes at once`);
  assert.ok(seen.kept < bytes.length && seen.kept > bytes.length - 4096, "all that changed went out, and nothing twice");
  const deep = await smaller(generated("stack", 16, 128).bytes, { rows: 256 });
  assert.ok(deep.engine.memory <= engine.memory + 2 ** 17, `16 layers take ${deep.engine.memory} bytes, 4 layers ${engine.memory}`);
});

test("both builds make the same bytes of a large model", async () => {
  const [simd, scalar] = [await smaller(blocks.bytes, { rows: 256 }), await smaller(blocks.bytes, { rows: 256, scalar: true })];
  assert.equal(Buffer.compare(simd.bytes, scalar.bytes), 0);
});

test("from a file, with what is made in another one, comes the same as from memory", async () => {
  const { bytes } = await smaller(stack.bytes, { rows: 256 });
  const engine = await createEngine();
  const { source, shelf } = openShelf(stack.file);
  const model = await engine.load(source, "stack.onnx", { apartFrom: 1, shelf });
  const result = await (await model.path({ rows: 256 })).compress(half);
  assert.equal(Buffer.compare(await bytesOf(result.file()), bytes), 0);
  const middle = await part(result.file(), "small.onnx", 30_000, 90_000);
  assert.equal(Buffer.compare(middle, bytes.subarray(30_000, 90_000)), 0, "any part of it");
});

test("what wants the whole of a large model is refused in a sentence, and the model works on", async () => {
  const { model, result } = await smaller(stack.bytes, { rows: 256 });
  const { path } = result;
  for (const method of /** @type {const} */ (["norm", "adjoint", "wanda"])) await assert.rejects(path.compress(half, { method }), { code: "UNSUPPORTED" });
  assert.throws(() => model.forward(new Float64Array(128)), { code: "UNSUPPORTED", message: /stay in the file/ });
  assert.throws(() => result.forward(new Float64Array(128)), { code: "UNSUPPORTED" });
  assert.throws(() => result.write(), { code: "LIMIT", message: /stay in the file/ });
  assert.equal(result.lumping(0).before, 128);
  assert.ok((await path.compress({ kind: "deviation", value: 0.05 })).report.deviation <= 0.05);
});

test("a large file that breaks off, or is not what it seems, is refused as a small one is", async () => {
  const engine = await createEngine();
  for (const bytes of [stack.bytes.subarray(0, 200_000), new Uint8Array(200_000).fill(10)]) {
    /** @type {any} */
    const said = await engine.load(bytes, "broken.onnx", { apartFrom: 1 }).catch((error) => error);
    assert.throws(() => engine.open(bytes, "broken.onnx"), { message: said.message });
  }
});

test("models that a runtime runs, and those with nothing large in them, are opened whole", async () => {
  const engine = await createEngine();
  for (const name of readdirSync("web/samples").filter((file) => file.endsWith(".onnx"))) {
    const bytes = new Uint8Array(readFileSync(join("web/samples", name)));
    const [apart, whole] = [await engine.load(bytes, name, { apartFrom: 1 }), engine.open(bytes, name)];
    if (apart.away === null) assert.deepEqual(apart.info, whole.info);
    else assert.deepEqual({ ...apart.info, polishes: 0 }, { ...whole.info, polishes: 0 });
    apart.free();
    whole.free();
  }
});

test("work that cannot fit is refused with its size and the rows that would, before it is begun", async () => {
  const engine = await createEngine();
  const model = await engine.load(stack.bytes, "stack.onnx", { apartFrom: 1 });
  const before = engine.memory;
  await assert.rejects(model.path({ rows: 4_000_000 }), { code: "LIMIT", message: /takes \d+(\.\d)? GB of memory.*the engine has 4\.3 GB.*rows/ });
  assert.equal(engine.memory, before, "nothing was taken");
  const path = await model.path({ rows: 64 });
  assert.equal(path.info.sites.length, 3);
});

