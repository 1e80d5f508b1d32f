// Equations with a network's own numbers, as data: equations.jsx draws them, asText says them.
import { number } from "../format.js";

/**
 * @typedef {{base: string, sub: string, block: number|null}} Variable
 * @typedef {{value: number, of: Variable|null}} Term   of null: a constant
 * @typedef {{left: Variable, rate: boolean, leak: boolean, wrap: string|null, terms: Term[], about?: boolean}} Equation
 *   rate: of the derivative; leak: minus the variable itself; wrap: a function of the sum; about: ≈, not =
 * @typedef {{title: number, equations: Equation[]}} Group   title: the layer, 0 the inputs, -1 the constant of the adjoint system
 * @typedef {{layers: {weights: number[][], bias: number[], activation: string}[], names: (number|null)[][], blocks: (number|null)[][]|null,
 *   lumped: boolean}} Named   names: what hidden neurons are called; blocks: which block's colour they wear
 */

/** @param {Named} named @param {number} layer 0 the inputs @param {number} i from 0 @returns {Variable} */
export function variable({ layers, names, blocks, lumped }, layer, i) {
  if (layer === 0) return { base: "x", sub: String(i + 1), block: null };
  if (layer === layers.length) return { base: "y", sub: String(i + 1), block: null };
  const name = names[layer - 1][i] ?? i + 1;
  const sub = layers.length > 2 ? `${layer},${name}` : String(name);
  return { base: lumped ? "A" : "a", sub, block: blocks?.[layer - 1]?.[i] ?? null };
}

/** @param {Term[]} terms zeros are left out, and a sum of nothing is 0 */
const sum = (terms) => {
  const left = terms.filter((term) => number(term.value) !== "0");
  return left.length > 0 ? left : [{ value: 0, of: null }];
};

/** @param {Named} named @param {number} l @param {number} k @returns {Term[]} what neuron k of layer l + 1 reads */
const reads = (named, l, k) => [
  ...named.layers[l].weights[k].map((value, j) => ({ value, of: variable(named, l, j) })),
  { value: named.layers[l].bias[k], of: null },
];

/**
 * @param {Named} named
 * @param {"linear"|"adjoint"|"polynomial"|"network"} encoding   network: no differential equations, the network itself
 * @returns {Group[]}
 */
export function equationsOf(named, encoding) {
  if (encoding === "adjoint") return adjoint(named);
  return named.layers.map(({ weights, activation }, l) => ({
    title: l + 1,
    equations: weights.map((_, k) => {
      const identity = activation === "identity" || encoding === "linear";
      const wrap = identity ? null : encoding === "network" ? activation : named.layers.length > 2 ? `p${l + 1}` : "p";
      return { left: variable(named, l + 1, k), rate: encoding !== "network", leak: encoding === "polynomial", wrap, terms: sum(reads(named, l, k)) };
    }),
  }));
}

/** Who reads a neuron drives it. @param {Named} named @returns {Group[]} */
function adjoint(named) {
  const { layers } = named;
  const drift = (/** @type {Variable} */ left, /** @type {Term[]} */ terms) => ({ left, rate: true, leak: false, wrap: null, terms: sum(terms) });
  const groups = layers.map(({ weights }, l) => ({
    title: l,
    equations: weights[0].map((_, j) => drift(variable(named, l, j), weights.map((row, k) => ({ value: row[j], of: variable(named, l + 1, k) })))),
  }));
  const outputs = layers[layers.length - 1].bias.map((_, k) => drift(variable(named, layers.length, k), []));
  const biases = layers.flatMap(({ bias }, l) => bias.map((value, k) => ({ value, of: variable(named, l + 1, k) })));
  return [...groups, { title: layers.length, equations: outputs }, { title: -1, equations: [drift({ base: "u", sub: "", block: null }, biases)] }];
}

/** A neuron that is gone, by those that stay. @param {Named} named @param {number} layer from 1 @param {number} neuron from 1
 * @param {import("../../wasm/types.js").Lumping} lumping @returns {Equation|null} */
export function takeover(named, layer, neuron, { kept, prolongation, offset }) {
  if (!prolongation || !offset) return null;
  const terms = [...prolongation[neuron - 1].map((value, c) => ({ value, of: variable(named, layer, kept[c]) })), { value: offset[neuron - 1], of: null }];
  return { left: variable(named, layer, neuron - 1), rate: false, leak: false, wrap: null, terms: sum(terms.map((term) => ({ ...term, value: Math.abs(term.value) < 5e-7 ? 0 : term.value }))), about: true };
}

/** p(z) of a layer. @param {number[]} coefficients */
export const powers = (coefficients) => {
  const terms = coefficients.map((value, power) => ({ value: Math.abs(value) < 5e-7 ? 0 : value, power })).filter(({ value }) => value !== 0);
  return terms.length > 0 ? terms : [{ value: 0, power: 0 }];
};

/** The size of a coefficient as it is written; nothing for 1. @param {Term} term */
export const size = ({ value, of }) => (of && number(Math.abs(value)) === "1" ? "" : number(Math.abs(value)));

/** "a′1 = −a1 + p(0.8 x1 − 0.5 x2 + 0.1)" @param {Equation} equation */
export function asText({ left, rate, leak, wrap, terms, about }) {
  const name = (/** @type {Variable} */ { base, sub }) => `${base}${sub}`;
  const inside = terms.map((term, i) => `${term.value < 0 ? (i ? " − " : "−") : i ? " + " : ""}${[size(term), term.of ? name(term.of) : ""].filter(Boolean).join(" ")}`).join("");
  const body = wrap ? `${wrap}(${inside})` : inside;
  const lead = leak ? `−${name(left)}${!wrap && terms[0].value < 0 ? " " : " + "}` : "";
  return `${left.base}${rate ? "′" : ""}${left.sub} ${about ? "≈" : "="} ${lead}${body}`;
}
