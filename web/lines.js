// Which lines the curve is compared with. A key names a line: a method, with "+polish" where it is polished.

/** @typedef {import("../wasm/methods.js").Method} Method @typedef {Method|"polish"} Choice   polish: the present method, polished */

/** What the chart offers, in this order. @type {readonly Choice[]} */
export const CHOICES = Object.freeze(["polish", "projected", "partition", "adjoint", "forward", "norm", "magnitude", "wanda", "random"]);

/** What one button draws together. @type {readonly Choice[]} */
const TOGETHER = Object.freeze(["projected", "partition", "adjoint", "forward", "magnitude", "wanda"]);

/** Colours and dashes belong to what a line is, so that it keeps them whatever stands beside it. @type {readonly string[]} */
const STYLES = ["projected", "partition", "adjoint", "norm", "magnitude", "wanda", "random", "forward"];

/** The line a choice means; from a random start nothing is worth seeing without the polish. @param {Choice} choice @param {Method} method the present one */
export const keyOfChoice = (choice, method) => (choice === "polish" ? `${method}+polish` : choice === "random" ? "random+polish" : choice);

/** @param {Method} method @param {Choice[]} compared */
export const shownKeys = (method, compared) => [...new Set([method, ...CHOICES.filter((one) => compared.includes(one)).map((one) => keyOfChoice(one, method))])];

/** @param {Method} method the present one @param {readonly Choice[]} [allowed] by the model */
export const choicesBeside = (method, allowed = CHOICES) => CHOICES.filter((one) => allowed.includes(one) && keyOfChoice(one, method) !== method);

/** Those of the methods beside the present one that one button draws. @param {Method} method @param {readonly Choice[]} [allowed] */
export const together = (method, allowed) => choicesBeside(method, allowed).filter((one) => TOGETHER.includes(one));

/** The way to draw a line. @param {string} key */
export function wayOf(key) {
  const [method, polish] = key.split("+");
  return { method: /** @type {Method} */ (method), polish: polish !== undefined };
}

/** Number of a line's style, 0 for the present method. @param {string} key @param {Method} method the present one */
export function styleOf(key, method) {
  if (key === method) return 0;
  if (key === `${method}+polish`) return 1;
  return 2 + Math.max(0, STYLES.indexOf(wayOf(key).method));
}

/** Dashes by style. @type {readonly string[]} */
export const DASHES = Object.freeze(["", "", "10 3 2 3", "12 5", "6 3", "2 3", "1.5 4.5", "7 4", "4 3 1 3", "9 2.5 2 2.5 2 2.5"]);
