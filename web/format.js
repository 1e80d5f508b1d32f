// Numbers as people read them.
import { roundedUp } from "../wasm/messages.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
// Made once: making one takes longer than all a chart's numbers.
const significant = [1, 2, 3].map((digits) => new Intl.NumberFormat("en", { maximumSignificantDigits: digits }));
const padded = [1, 2, 3].map((digits) => new Intl.NumberFormat("en", { minimumSignificantDigits: digits, maximumSignificantDigits: digits }));

/** @param {number} value */
export const count = (value) => whole.format(value);

/**
 * Three significant digits at most, no exponent between 1e-4 and 1e6. A true minus sign, where no line breaks.
 * @param {number} value
 */
export function number(value) {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(1).replace("+", "") : significant[2].format(value);
  return text.replaceAll("-", "−");
}

/**
 * A bound from above stays one: rounded up, never to the nearest.
 * @param {number} value not negative
 */
export const upper = (value) => number(roundedUp(value, value < 1e-4 || value >= 1e6 ? 2 : 3)); // the digits number() shows

/**
 * A share as a percentage: 0.0241 -> "2.4 %".
 * @param {number} share
 */
export function percent(share) {
  if (!Number.isFinite(share)) return "–"; // of outputs that do not vary
  const value = share * 100;
  if (value === 0) return "0 %";
  if (Math.abs(value) < 0.001) return "< 0.001 %";
  return `${significant[value >= 10 ? 2 : 1].format(value)} %`;
}

/**
 * A result's percentage keeps its digits, so that "52.0 %" stands beside "52.7 %": 0.02 -> "2.0 %".
 * @param {number} value of 1
 */
export function share(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size === 0 || size === 1 || size < 1e-5) return percent(value);
  return `${padded[size >= 0.1 ? 2 : 1].format(value * 100)} %`;
}

/**
 * An accuracy keeps one decimal, so that 98.0 and 97.6 line up.
 * @param {number} share
 */
export const accuracy = (share) => `${(share * 100).toFixed(1)} %`;

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${count(bytes)} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "KB"] : [bytes / 1e6, "MB"];
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** @param {(number|null)[]} shape */
export const shape = (shape) => (shape.length ? shape.map((n) => n ?? "N").join(" × ") : "scalar");

/**
 * The telling part of a path-like node name: "/net/net.0/Gemm" is "net.0".
 * @param {string} name
 * @param {number} [most] characters
 */
export function shortName(name, most = 18) {
  const parts = name.split("/").filter(Boolean);
  const tail = parts.at(-1) ?? name;
  const isOperation = /^(Gemm|MatMul|Conv|Add)(_\d+)?$/.test(tail);
  return clip((isOperation && parts.at(-2)) || tail, most);
}

/**
 * Text of at most so many characters, the middle left out.
 * @param {string} text
 * @param {number} most
 */
export const clip = (text, most) =>
  text.length <= most ? text : `${text.slice(0, Math.ceil(most / 2) - 1)}…${text.slice(text.length - Math.floor(most / 2))}`;

/**
 * "rows.csv" -> "rows"; what a download's name begins with.
 * @param {string} file
 */
export const stem = (file) => file.replace(/\.(onnx|json)$/i, "");

/** @param {string} sentence */
export const upperFirst = (sentence) => sentence[0].toUpperCase() + sentence.slice(1);
