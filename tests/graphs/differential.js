// One random graph through the whole of netlump, checked by ONNX Runtime on the very rows it was measured on.
import assert from "node:assert/strict";
import * as runtime from "onnxruntime-web/wasm";

import { compress } from "../../wasm/index.js";
import { decode, encode, epsilonOf, normalRows } from "../../wasm/numbers.js";
import { featuresOf, generate } from "../generator.js";
import { product } from "./layers.js";
import { NODE, fieldsOf, nodesByName, textOf } from "./wire.js";

runtime.env.wasm.numThreads = 1;
runtime.env.logLevel = "fatal";

/**
 * @typedef {import("../generator.js").Generated} Generated
 * @typedef {{dims: number[], values: Float64Array}} Output   of all rows
 * @typedef {import("../../wasm/types.js").Report} Report
 */

const ROWS = 240; // whole batches, whatever the batch
const LAYERS = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

/** Columns of some rows. @param {Float64Array} rows @param {number} features @param {number} first row @param {number} count
 * @param {number} from column @param {number} width */
function block(rows, features, first, count, from, width) {
  const out = new Float64Array(count * width);
  for (let row = 0; row < count; row += 1) out.set(rows.subarray((first + row) * features + from, (first + row) * features + from + width), row * width);
  return out;
}

/** @param {Generated} graph @param {Uint8Array} bytes the graph or a smaller one @param {Float64Array} rows (rows, features) @returns {Promise<Output[]>} */
async function run(graph, bytes, rows) {
  const features = featuresOf(graph);
  const count = rows.length / features;
  const group = graph.batch ?? count;
  const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  /** @type {{dims: number[], parts: Float64Array[]}[]} */
  const outputs = graph.outputs.map(() => ({ dims: [], parts: [] }));
  for (let first = 0; first < count; first += group) {
    let from = 0;
    /** @type {Record<string, import("onnxruntime-web").Tensor>} */
    const feeds = {};
    for (const { name, type, sizes } of graph.inputs) {
      const width = product(sizes.slice(1));
      const data = encode(type, block(rows, features, first, group, from, width));
      feeds[name] = new runtime.Tensor(/** @type {any} */ (type), /** @type {any} */ (data), [group, ...sizes.slice(1)]);
      from += width;
    }
    const results = await session.run(feeds);
    graph.outputs.forEach(({ name }, k) => {
      outputs[k].dims = [...results[name].dims];
      outputs[k].parts.push(decode(results[name].type, /** @type {any} */ (results[name].data)));
    });
  }
  await session.release();
  return outputs.map(({ dims, parts }) => ({ dims, values: Float64Array.from(parts.flatMap((part) => [...part])) }));
}

/** RMS(g - f) / RMS(f - E f) over all outputs, E f for each number of a row by itself. @param {Output[]} f @param {Output[]} g */
function deviationOf(f, g) {
  let moved = 0, spread = 0;
  f.forEach(({ values }, k) => {
    const width = values.length / ROWS;
    for (let column = 0; column < width; column += 1) {
      let mean = 0;
      for (let i = column; i < values.length; i += width) mean += values[i] / ROWS;
      for (let i = column; i < values.length; i += width) {
        moved += (g[k].values[i] - values[i]) ** 2;
        spread += (values[i] - mean) ** 2;
      }
    }
  });
  return moved === 0 ? 0 : Math.sqrt(moved / spread);
}

/**
 * How far an output may move at ε = 0, over the largest number it gives. A unit counts as an exact combination of others when they leave
 * less than 1e-12 of its variance (project.c), 1e-6 of its spread; the smaller network's weights are rounded once to f32 (6e-8), and
 * so are its sums, up to fifteen in a row. Four such units a layer in five layers, all errors alike in sign: 2e-5; normalisations
 * stretch that by as much again. Half precision rounds every value between two nodes (1e-3 of it) in either network.
 */
const ROUNDING = { float32: 4e-5, float64: 4e-5, float16: 2e-2 };

/** @param {Generated} graph @param {Output[]} before @param {Output[]} after */
function assertSame(graph, before, after) {
  before.forEach(({ dims, values }, k) => {
    const { name } = graph.outputs[k];
    assert.deepEqual(after[k].dims, dims, `shape of ${name}`);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const gap = values.reduce((most, value, i) => Math.max(most, Math.abs(value - after[k].values[i])), 0);
    const bound = ROUNDING[/** @type {keyof typeof ROUNDING} */ (graph.type)] * largest;
    assert.ok(gap <= bound, `${name} moved by ${gap} of ${largest}, more than rounding (${bound})`);
  });
}

/** Nodes that were left alone keep their bytes, but that a layer behind a smaller one reads other constants: a copy of shared weights,
 * a bias where there was none. @param {Uint8Array} before @param {Uint8Array} after @param {Report} report */
function assertLeftAlone(before, after, report) {
  const [old, now] = [nodesByName(before), nodesByName(after)];
  assert.deepEqual([...now.keys()], [...old.keys()]);
  const rest = (/** @type {Uint8Array|undefined} */ node) =>
    fieldsOf(node ?? new Uint8Array()).filter(({ number }) => number !== NODE.input).map(({ whole }) => Buffer.from(whole).toString("base64"));
  for (const { node, reason } of report.skipped) {
    const [was, is] = [old.get(node), now.get(node)];
    if (was === undefined || is === undefined) continue;
    const layer = LAYERS.includes(textOf(was, NODE.op));
    assert.deepEqual(layer ? rest(is) : is, layer ? rest(was) : was, `${node} was left alone (${reason})`);
  }
}

/** Planted copies that were found: widths that shrank, of all that had to. @param {Generated} graph @param {Report} report */
function found(graph, report) {
  return graph.planned.map(({ layers, width, least }) => {
    const site = report.sites.find(({ name, before }) => layers.includes(name) && before === width);
    return { layers, width, least, after: site?.after ?? null };
  });
}

/**
 * @param {number} seed
 * @returns {Promise<{planned: number, gone: number}>} redundant channels that were planted to be found, and how many went
 */
export async function checkGraph(seed) {
  const graph = generate(seed);
  const features = featuresOf(graph);
  const rows = decode(graph.type, encode(graph.type, normalRows(ROWS, features, seed)));
  const data = { features: rows, labels: null, rows: ROWS, columns: features, labelColumns: 0, names: null, source: "rows" };
  const shapes = new Map(graph.inputs.map(({ name, sizes }) => [name, [graph.batch ?? 1, ...sizes.slice(1)]]));
  const before = await run(graph, graph.bytes, rows);

  const exact = await compress(graph.bytes, { epsilon: 0, data, shapes, polish: false, verify: false, name: `graph-${seed}.onnx` });
  assertSame(graph, before, await run(graph, exact.bytes, rows));
  assertLeftAlone(graph.bytes, exact.bytes, exact.report);
  const plans = found(graph, exact.report);
  for (const { layers, width, after } of plans) assert.ok(after !== null && after < width, `copies in ${layers.join(", ")} stayed: ${width} channels, ${after} left`);

  const small = await compress(graph.bytes, { epsilon: 0.05, data, shapes, polish: false, name: `graph-${seed}.onnx` });
  const after = await run(graph, small.bytes, rows);
  assert.deepEqual(after.map(({ dims }) => dims), before.map(({ dims }) => dims));
  // Outputs that do not vary have no deviation relative to that. Graphs of doubles hold stretches of singles.
  const [theirs, reported] = [deviationOf(before, after), small.report.deviation ?? Infinity];
  const slack = 100 * Math.max(epsilonOf(graph.type), epsilonOf("float32"));
  assert.ok(theirs === reported || Math.abs(theirs - reported) <= 0.01 * reported + slack, `ONNX Runtime finds ${theirs}, the report says ${reported}`);
  assert.ok(small.report.verified && !("skipped" in small.report.verified) && small.report.verified.agrees !== false, JSON.stringify(small.report.verified));
  assertLeftAlone(graph.bytes, small.bytes, small.report);
  return { planned: plans.reduce((sum, { least }) => sum + least, 0), gone: plans.reduce((sum, { width, after }) => sum + width - (after ?? width), 0) };
}
