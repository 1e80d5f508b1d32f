// large_models: models of any size, written piece by piece: a stack of 4096 x 4096 layers, the feed-forward layers of a transformer,
// 768 x 3072 with a residual sum each. Half of each hidden layer nearly repeats the other half, so that there is something to lump.
//
//   node tests/bench/large_models.mjs stack 16 build/large/stack.onnx      # 16 layers: 1.07 GB
//   node tests/bench/large_models.mjs feedforward 12 build/large/ffn.onnx  # 12 blocks: 227 MB
import { closeSync, openSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const text = new TextEncoder();

/** @param {number} value */
function varint(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Uint8Array.from([...bytes, value]);
}

/** @param {(Uint8Array|number[])[]} parts */
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
/** @param {number} field @param {Uint8Array} bytes */
const bytesField = (field, bytes) => join(varint(field * 8 + 2), varint(bytes.length), bytes);
/** @param {number} field @param {string} value */
const textField = (field, value) => bytesField(field, text.encode(value));
/** @param {number} field @param {number} value */
const intField = (field, value) => join(varint(field * 8), varint(value));

/** @param {string} name @param {(number|string)[]} dims */
function valueInfo(name, dims) {
  const shape = dims.map((dim) => bytesField(1, typeof dim === "string" ? textField(2, dim) : intField(1, dim)));
  return join(textField(1, name), bytesField(2, bytesField(1, join(intField(1, 1), bytesField(2, join(...shape))))));
}

/** @param {string} op @param {string[]} inputs @param {string} output @param {Uint8Array[]} attributes */
const node = (op, inputs, output, attributes = []) =>
  join(...inputs.map((name) => textField(1, name)), textField(2, output), textField(3, output), textField(4, op), ...attributes.map((one) => bytesField(5, one)));

const TRANSPOSED = join(textField(1, "transB"), intField(3, 1), intField(20, 2));

/** Numbers of mean 0 and variance 1, near enough to normal. @param {number} seed */
function numbers(seed) {
  let state = seed >>> 0 || 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return () => (next() + next() + next() - 1.5) * 2;
}

/** @typedef {{name: string, out: number, in: number, copies: boolean}} Matrix   (out, in); copies: the second half of its rows repeats the first */

/** The rows of a matrix, one after the other. @param {Matrix} matrix @param {number} seed */
function* rowsOf({ out, in: width, copies }, seed) {
  const half = copies ? out / 2 : out;
  const scale = Math.sqrt(2 / width);
  for (let row = 0; row < out; row += 1) {
    const values = new Float32Array(width);
    const normal = numbers(7919 * seed + (row % half) + 1);
    const noise = numbers(104729 * seed + row + 1);
    const size = row < half ? scale : scale * (0.5 + ((row * 31) % 64) / 64);
    for (let i = 0; i < width; i += 1) values[i] = size * normal() + (row < half ? 0 : 0.02 * scale * noise());
    yield new Uint8Array(values.buffer);
  }
}

/** @param {"stack"|"feedforward"} kind @param {number} count of layers, or blocks @param {number} [width] @param {number} [inner] */
function design(kind, count, width = kind === "stack" ? 4096 : 768, inner = 4 * width) {
  /** @type {Matrix[]} */
  const matrices = [];
  const nodes = [];
  let value = "x";
  for (let i = 1; i <= count; i += 1) {
    const last = i === count;
    if (kind === "stack") {
      matrices.push({ name: `w${i}`, out: width, in: width, copies: !last });
      nodes.push(node("Gemm", [value, `w${i}`], last ? "y" : `z${i}`, [TRANSPOSED]));
      if (!last) nodes.push(node("Relu", [`z${i}`], `a${i}`));
      value = `a${i}`;
      continue;
    }
    matrices.push({ name: `u${i}`, out: inner, in: width, copies: true }, { name: `d${i}`, out: width, in: inner, copies: false });
    nodes.push(node("Gemm", [value, `u${i}`], `z${i}`, [TRANSPOSED]), node("Relu", [`z${i}`], `a${i}`));
    nodes.push(node("Gemm", [`a${i}`, `d${i}`], `s${i}`, [TRANSPOSED]), node("Add", [value, `s${i}`], last ? "y" : `r${i}`));
    value = `r${i}`;
  }
  return { matrices, nodes, width };
}

/** Writes such a model; returns its bytes. @param {string} file @param {"stack"|"feedforward"} kind @param {number} count @param {number} [width] @param {number} [inner] */
export function writeLarge(file, kind, count, width, inner) {
  const { matrices, nodes, width: features } = design(kind, count, width, inner);
  const heads = matrices.map(({ name, out, in: across }) => {
    const start = join(intField(1, out), intField(1, across), intField(2, 1), textField(8, name), varint(9 * 8 + 2), varint(4 * out * across));
    const size = start.length + 4 * out * across;
    return { start: join(varint(5 * 8 + 2), varint(size), start), size: 4 * out * across };
  });
  const before = join(...nodes.map((one) => bytesField(1, one)), textField(2, kind));
  const after = join(bytesField(11, valueInfo("x", ["batch", features])), bytesField(12, valueInfo("y", ["batch", features])));
  const graph = before.length + heads.reduce((sum, { start, size }) => sum + start.length + size, 0) + after.length;
  const begin = join(intField(1, 8), textField(2, "netlump-bench"), bytesField(8, intField(2, 17)), varint(7 * 8 + 2), varint(graph));
  const out = openSync(file, "w");
  let written = 0;
  const put = (/** @type {Uint8Array} */ bytes) => void (written += writeSync(out, bytes));
  put(begin);
  put(before);
  heads.forEach(({ start }, i) => {
    put(start);
    for (const row of rowsOf(matrices[i], i + 1)) put(row);
  });
  put(after);
  closeSync(out);
  return written;
}

const [script = "", kind, count, file] = process.argv.slice(1);
if (import.meta.url === pathToFileURL(script).href && file) {
  console.log(`${file}: ${writeLarge(file, /** @type {"stack"|"feedforward"} */ (kind), Number(count))} bytes`);
}
