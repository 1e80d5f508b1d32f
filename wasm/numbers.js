// numbers: element types of ONNX Runtime's tensors, arrays put together, and seeded random rows.

/** @typedef {"float32"|"float64"|"float16"} FloatType */

/** @param {string} type @returns {FloatType|null} the type if it is one of floating-point numbers */
export const dtype = (type) => (type === "float32" || type === "float64" || type === "float16" ? type : null);

/** Distance from 1 to the next number. @param {string} type */
export const epsilonOf = (type) => ({ float64: 2 ** -52, float32: 2 ** -23, float16: 2 ** -10 })[type] ?? 2 ** -23;

/** @param {string} type @param {Float64Array} values @returns {Float32Array|Float64Array|Uint16Array} what a tensor of that type holds */
export function encode(type, values) {
  if (type === "float64") return values;
  if (type === "float16") return Uint16Array.from(values, toHalf);
  return Float32Array.from(values);
}

/** @param {string} type @param {Float32Array|Float64Array|Uint16Array} data @returns {Float64Array} */
export function decode(type, data) {
  if (type !== "float16") return Float64Array.from(data);
  // Where there is a Float16Array the runtime gives one; its bytes are the same.
  return Float64Array.from(new Uint16Array(data.buffer, data.byteOffset, data.length), fromHalf);
}

/** IEEE 754 binary16 of a number, rounded to nearest even. @param {number} value @returns {number} its 16 bits */
export function toHalf(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00; // rounds to infinity
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14); // -14 also for subnormal numbers and 0
  const units = roundEven(magnitude / 2 ** (exponent - 10)); // 1024 to 2047 units, less where subnormal
  return sign | (((exponent + 14) << 10) + units); // a carry out of the units raises the exponent, as it should
}

/** @param {number} value not negative, below 2^31 */
function roundEven(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** @param {number} bits @returns {number} */
export function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const units = bits & 1023;
  if (exponent === 31) return units ? NaN : sign * Infinity;
  return exponent === 0 ? sign * units * 2 ** -24 : sign * (1024 + units) * 2 ** (exponent - 25);
}

/** One array of all parts. @template {Uint8Array|Float64Array} T @param {new (length: number) => T} Kind @param {T[]} parts @returns {T} */
export function joined(Kind, parts) {
  const out = new Kind(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Uniform numbers in (0, 1): mulberry32. @param {number} seed */
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** Seeded rows x ~ N(0, I) by Box and Muller: the inputs of a verification without data. They are not the measure's own,
 * which makes them a test of it. @param {number} rows @param {number} columns @param {number} seed @returns {Float64Array} */
export function normalRows(rows, columns, seed) {
  const next = uniform(seed);
  return Float64Array.from({ length: rows * columns }, () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()));
}
