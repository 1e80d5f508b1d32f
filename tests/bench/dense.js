// Chains of dense tanh layers with normal weights, for the benchmarks.
import { Graph } from "../graphs/onnx.js";
import { noise } from "../material.js";

/** @param {number[]} widths inputs first, outputs last @param {number} [seed] @returns {Uint8Array} ONNX */
export function chainModel(widths, seed = 1) {
  const next = noise(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - (next() + 1) / 2)) * Math.cos(2 * Math.PI * next());
  const drawn = (/** @type {number} */ count, /** @type {number} */ spread) => Float64Array.from({ length: count }, () => spread * normal());
  const graph = new Graph({ name: "chain" });
  let value = graph.input("x", "float32", ["N", widths[0]]);
  widths.slice(1).forEach((out, layer) => {
    const weights = graph.constant("float32", [out, widths[layer]], drawn(out * widths[layer], 1 / Math.sqrt(widths[layer])));
    const z = graph.node("Gemm", [value, weights, graph.constant("float32", [out], drawn(out, 0.1))], { transB: 1 });
    value = layer + 2 < widths.length ? graph.node("Tanh", [z]) : z;
  });
  graph.output(value, "float32", ["N", /** @type {number} */ (widths.at(-1))]);
  return graph.bytes();
}
