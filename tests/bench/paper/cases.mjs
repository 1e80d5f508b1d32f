// What the experiment compares: networks, methods, shares. Names here are the names in results.csv.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { materialFile } from "../../material.js";

/**
 * @typedef {{set: string, network: string, model: string, rows: string}} Case   one network; model and rows: files
 * @typedef {{id: string, method: string, data: boolean, words: string}} Method
 *   id: in tables; method: the engine's name; data: measured on rows rather than on x ~ N(0, I)
 */

/** In the order of the report. @type {Record<string, string>} */
export const TITLES = {
  reaction: "Reaction network",
  htree: "H-tree RC circuit",
  polymerization: "Polymerization",
  glycolysis: "Glycolytic oscillator",
  abalone: "Abalone",
  metro: "Metro Interstate Traffic Volume",
  hepc: "Household electric power consumption",
  protein: "Protein tertiary structure",
};

export const SYSTEMS = ["reaction", "htree", "polymerization", "glycolysis"]; // systems.py, trained by train.py
const NETWORKS = ["tanh 64-64", "relu 64-64", "tanh 128-128-64", "square 32-32"];
const REAL = {
  abalone: ["tanh 64-64", "torch_abalone_tanh_8-64-64-1_op11"],
  metro: ["relu 64-32", "torch_metro_relu_14-64-32-1_op12"],
  hepc: ["tanh 64-64", "torch_hepc_tanh_7-64-64-1_op15"],
  protein: ["relu 128-128", "torch_protein_relu_9-128-128-1_op13"],
};

const built = (/** @type {string} */ file) => fileURLToPath(new URL(`../../../build/paper/${file}`, import.meta.url));

/** @type {Case[]} */
export const CASES = [
  ...SYSTEMS.flatMap((set) =>
    NETWORKS.map((network) => ({ set, network, model: built(`${set}_${network.replace(" ", "_")}.onnx`), rows: built(`${set}_test.csv`) })),
  ),
  ...Object.entries(REAL).map(([set, [network, file]]) => ({
    set,
    network,
    model: materialFile(`models/${file}.onnx`),
    rows: materialFile(`data/${set}_test.csv`),
  })),
];

/** @param {Case} one */
export const isThere = (one) => existsSync(one.model) && existsSync(one.rows);

/** @type {Method[]} */
export const METHODS = [
  { id: "projected", method: "projected", data: true, words: "projected lumping, measured on the rows" },
  { id: "projected-free", method: "projected", data: false, words: "projected lumping, measured on x ~ N(0, I): no data at all" },
  { id: "partition", method: "partition", data: true, words: "a partition of the neurons, its quotient projected" },
  { id: "adjoint", method: "adjoint", data: true, words: "ε-FDE of the adjoint (transposed) linear encoding" },
  { id: "symmetric", method: "symmetric", data: true, words: "the same up to a factor, where the activation allows" },
  { id: "forward", method: "forward", data: true, words: "ε-FDE of the linear encoding" },
  { id: "polynomial", method: "polynomial", data: true, words: "ε-FDE of the polynomial encoding" },
  { id: "wanda", method: "wanda", data: true, words: "Wanda: weights by |w|·‖x‖ in each output row" },
  { id: "magnitude", method: "magnitude", data: true, words: "weights by |w|, layer by layer" },
  { id: "magnitude-global", method: "magnitude-global", data: true, words: "weights by |w|, over all layers" },
  { id: "norm", method: "norm", data: true, words: "whole neurons by the norm of their weights" },
  { id: "random", method: "random", data: true, words: "the widths of projected, from a random start" },
];

export const SHARES = [0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6, 0.8];
