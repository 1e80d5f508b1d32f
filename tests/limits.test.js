// Models that claim more than they hold.
import assert from "node:assert/strict";
import { test } from "node:test";

import { EngineError } from "../wasm/fault.js";
import { createEngine } from "../wasm/index.js";
import { Graph } from "./graphs/onnx.js";

const HUGE = 2 ** 40;
const engine = await createEngine();

/** x -> Gemm -> Relu -> Gemm -> y, with something on the way. @param {(g: Graph, x: string) => string} between @param {(g: Graph) => void} [finish] */
function model(between, finish = () => {}) {
  const g = new Graph();
  const hidden = g.node("Relu", [g.node("Gemm", [g.input("x", "float32", ["n", 4]), g.constant("float32", [4, 6], new Float64Array(24).fill(0.5))])]);
  const y = g.node("Gemm", [between(g, hidden), g.constant("float32", [6, 2], new Float64Array(12).fill(0.25))], {}, { outputs: ["y"] });
  g.output(y, "float32", ["n", 2]);
  finish(g);
  return g.bytes();
}

/** Opens it, and measures it where the core can; what it costs the core's memory. @param {Uint8Array} bytes */
async function grown(bytes) {
  const before = engine.memory;
  try {
    const opened = engine.open(bytes, "bomb.onnx");
    try {
      if (opened.info.engine === "forward" && opened.info.sites.length > 0) await opened.path({ rows: 16 });
    } finally {
      opened.free();
    }
  } catch (error) {
    assert.ok(error instanceof EngineError && error.code !== "CRASHED" && error.message.length > 15, String(error));
  }
  return engine.memory - before;
}

test("tensors and operators that claim terabytes take no memory: they are left alone or refused", async () => {
  /** @type {Record<string, Uint8Array>} */
  const bombs = {
    initializer: model((_, x) => x, (g) => (g.initializers[0].dims = [BigInt(HUGE), 6n])),
    overflow: model((_, x) => x, (g) => (g.initializers[0].dims = [1n << 33n, 1n << 33n])),
    negative: model((_, x) => x, (g) => (g.initializers[0].dims = [-4n, -6n])),
    empty: model((g, x) => g.node("Add", [x, g.constant("float32", [0], [])]), (g) => (g.initializers.at(-1).dims = [0n, BigInt(HUGE)])),
    constant: model((g, x) => g.node("Add", [x, g.node("ConstantOfShape", [g.list([HUGE, 6])])])),
    expand: model((g, x) => g.node("Expand", [x, g.list([HUGE, 6])])),
    tile: model((g, x) => g.node("Tile", [x, g.list([HUGE, 1])])),
    reshape: model((g, x) => g.node("Reshape", [x, g.list([-1, HUGE])])),
    pad: model((g, x) => g.node("Pad", [x, g.list([0, 0, HUGE, 0])])),
    range: model((g, x) => g.node("Add", [x, g.node("Range", [g.constant("int64", [], [0]), g.constant("int64", [], [HUGE]), g.constant("int64", [], [1])])])),
    width: model((_, x) => x, (g) => (g.inputs[0].type.value.value.shape.dim[1].value.value = BigInt(HUGE))),
    sparse: model((g, x) => g.node("Add", [x, g.node("Constant", [], { value: { tensor: { name: "s", dataType: 1, dims: [BigInt(HUGE)], rawData: new Uint8Array(4) } } })])),
  };
  for (const [name, bytes] of Object.entries(bombs)) assert.ok((await grown(bytes)) < 2 ** 24, name);
});
