// A layer's weights: the strongest of them, and all as a picture.

/** The strongest connections. @param {import("../../wasm/types.js").Weights} weights @param {number} most
 * @returns {{to: number, from: number, strength: number}[]} strength: |w| over the layer's largest, the weakest first */
export function strongest({ weights, reads }, most) {
  const BINS = 2048;
  const peak = weights.reduce((top, w) => Math.max(top, Math.abs(w)), 0);
  if (peak === 0) return [];
  const bin = (/** @type {number} */ w) => Math.min(BINS - 1, Math.floor((BINS * Math.abs(w)) / peak));
  const counts = new Uint32Array(BINS);
  for (const w of weights) counts[bin(w)] += 1;
  let from = BINS;
  for (let left = most; from > 0 && left > 0; ) left -= counts[--from];
  /** @type {{to: number, from: number, strength: number}[]} */
  const found = [];
  weights.forEach((w, at) => {
    if (w !== 0 && bin(w) >= from) found.push({ to: Math.floor(at / reads), from: at % reads, strength: Math.abs(w) / peak });
  });
  return found.sort((a, b) => a.strength - b.strength).slice(-most);
}

const BLUE = [43, 125, 209]; // positive
const ORANGE = [224, 106, 16]; // negative: told from blue by every kind of colour vision
const QUANTILE = 0.995; // of the sizes; the few above are drawn as strong as this

/** The size that is drawn strongest. @param {Float64Array} weights */
export function peakOf(weights) {
  const sizes = weights.map(Math.abs).sort();
  return sizes[Math.min(sizes.length - 1, Math.floor(QUANTILE * sizes.length))] || sizes[sizes.length - 1] || 1;
}

/**
 * The weights as pixels, blue and orange on what lies beneath, so that they do on light and dark. Where there are more weights than
 * pixels each shows the strongest of its own.
 * @param {Float64Array} weights (rows, columns)
 * @param {number[]} rows the row at each place
 * @param {number[]} columns
 * @param {number} most pixels a side
 * @returns {{width: number, height: number, pixels: Uint8ClampedArray}}
 */
export function pixelsOf(weights, rows, columns, most) {
  const [height, width] = [Math.min(most, rows.length), Math.min(most, columns.length)];
  const strongestIn = new Float64Array(width * height);
  rows.forEach((row, i) => {
    const y = Math.floor((i * height) / rows.length);
    columns.forEach((column, j) => {
      const at = y * width + Math.floor((j * width) / columns.length);
      const w = weights[row * columns.length + column];
      if (Math.abs(w) > Math.abs(strongestIn[at])) strongestIn[at] = w;
    });
  });
  const peak = peakOf(weights);
  const pixels = new Uint8ClampedArray(4 * width * height);
  strongestIn.forEach((w, at) => pixels.set([...(w < 0 ? ORANGE : BLUE), 255 * Math.min(1, Math.abs(w) / peak)], 4 * at));
  return { width, height, pixels };
}
