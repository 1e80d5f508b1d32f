// What is taught at the moment, and how it stands in an address: whoever opens the link sees the same.
import { joined, parted, read, widthsOf, written } from "./network.js";
import { PRESETS } from "./presets.js";

/**
 * @typedef {import("./network.js").Network} Network
 * @typedef {"linear"|"adjoint"|"polynomial"} Encoding
 * @typedef {{net: Network, preset: string|null, method: "equivalence"|"projected", encoding: Encoding, symmetric: boolean,
 *   linkage: "complete"|"erode", epsilon: number, step: number|null, x: number[]}} Lesson
 *   preset: where the network is one as it was prepared; step: from 0, null for what comes out; x: the inputs
 */

export const FIRST = "near";
export const ENCODINGS = Object.freeze(/** @type {Encoding[]} */ (["adjoint", "linear", "polynomial"]));

/** A prepared network from its first step. @param {string} name @returns {Lesson} */
export function prepared(name) {
  const { net, x, ...settings } = PRESETS[name];
  return { net, preset: name, method: "equivalence", encoding: "adjoint", symmetric: false, linkage: "complete", epsilon: 0.3, ...settings, step: 0, x };
}

/** Up to a factor or a sign is a thing of the adjoint encoding. @param {Lesson} lesson */
export const isSymmetric = ({ symmetric, encoding }) => symmetric && encoding === "adjoint";

/** What the core is asked for. @param {Lesson} lesson @returns {import("../../wasm/types.js").EquivalenceOptions} */
export const optionsOf = (lesson) => ({
  encoding: lesson.encoding,
  equivalence: lesson.encoding === "polynomial" ? "bde" : "fde",
  linkage: lesson.linkage,
  epsilon: lesson.epsilon,
  symmetric: isSymmetric(lesson),
});

/** @param {Lesson} lesson @returns {URLSearchParams} */
export function settingsOf({ net, preset, method, encoding, symmetric, linkage, epsilon, step, x }) {
  const { shape, activations, weights } = written(net);
  return new URLSearchParams({
    ...(preset ? { net: preset } : { net: shape, f: activations, w: weights }),
    method,
    ...(method === "equivalence" ? { encoding, linkage, ...(symmetric ? { symmetric: "1" } : {}) } : {}),
    epsilon: String(epsilon),
    x: joined(x),
    step: String(step),
  });
}

/** @template {string} T @param {string|null} value @param {readonly T[]} allowed @param {T} otherwise @returns {T} */
const oneOf = (value, allowed, otherwise) => allowed.find((one) => one === value) ?? otherwise;

/** @param {string|null} text @param {number} most @returns {number|null} */
function positive(text, most) {
  const numbers = parted(text ?? "");
  return numbers?.length === 1 && numbers[0] >= 0 && numbers[0] <= most ? numbers[0] : null;
}

/** What an address says; what it does not say, or says wrong, is as prepared. @param {URLSearchParams} settings @returns {Lesson} */
export function lessonOf(settings) {
  const get = (/** @type {string} */ name) => settings.get(name);
  const name = get("net") ?? FIRST;
  const own = Object.hasOwn(PRESETS, name) ? null : read({ shape: name, activations: get("f"), weights: get("w") });
  const base = own ? { ...prepared(FIRST), net: own, preset: null, x: Array.from({ length: own.inputs }, () => 0.5) } : prepared(Object.hasOwn(PRESETS, name) ? name : FIRST);
  const x = parted(get("x") ?? "");
  return {
    ...base,
    method: oneOf(get("method"), ["equivalence", "projected"], base.method),
    encoding: oneOf(get("encoding"), ENCODINGS, base.encoding),
    linkage: oneOf(get("linkage"), ["complete", "erode"], base.linkage),
    symmetric: get("method") === null ? base.symmetric : get("symmetric") === "1",
    epsilon: positive(get("epsilon"), 1000) ?? base.epsilon,
    x: x?.length === widthsOf(base.net)[0] ? x : base.x,
    step: Math.floor(positive(get("step"), 1000) ?? 0),
  };
}
