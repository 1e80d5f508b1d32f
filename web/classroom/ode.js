// A network as differential equations (DESIGN 2.1, src/ode.h), integrated for the plot. Variables side by side: inputs, hidden
// layers, outputs. Which neurons are lumped, and into what, the core says; this only draws its curves.

/**
 * @typedef {{weights: number[][], bias: number[]}} Affine
 * @typedef {{start: number[], size: number, drift: (y: Float64Array, out: Float64Array) => void}} System
 *   start: where each layer begins, inputs first
 * @typedef {{times: number[], values: Float64Array[]}} Solution
 */

/** @param {number[]} coefficients @param {number} z */
export const polynomial = (coefficients, z) => coefficients.reduceRight((sum, c) => sum * z + c, 0);

/**
 * @param {Affine[]} layers
 * @param {"linear"|"adjoint"|"polynomial"} encoding
 * @param {{coefficients: number[]}[]} [polynomials] of the layers' activations
 * @returns {System}
 */
export function systemOf(layers, encoding, polynomials = []) {
  const widths = [layers[0].weights[0].length, ...layers.map(({ bias }) => bias.length)];
  const start = widths.map((_, l) => widths.slice(0, l).reduce((sum, n) => sum + n, 0));
  const size = start[start.length - 1] + widths[widths.length - 1];
  const drift = (/** @type {Float64Array} */ y, /** @type {Float64Array} */ out) => {
    out.fill(0);
    layers.forEach(({ weights, bias }, l) =>
      weights.forEach((row, k) => {
        const own = start[l + 1] + k;
        if (encoding === "adjoint") row.forEach((w, j) => (out[start[l] + j] += w * y[own]));
        else {
          const z = row.reduce((sum, w, j) => sum + w * y[start[l] + j], bias[k]);
          out[own] = encoding === "linear" ? z : polynomial(polynomials[l].coefficients, z) - y[own];
        }
      }),
    );
  };
  return { start, size, drift };
}

/** Everything at rest but what drives: the inputs, or in the adjoint system the outputs, at 1 each.
 * @param {System} system @param {"linear"|"adjoint"|"polynomial"} encoding @param {number[]} x */
export function startOf({ size, start }, encoding, x) {
  const y = new Float64Array(size);
  if (encoding === "adjoint") y.fill(1, start[start.length - 1]);
  else y.set(x);
  return y;
}

/** Every neuron leaks at rate 1, or not at all, and none drives itself: the Jacobian is triangular, these are its eigenvalues. */
const FASTEST = 1;
const STEPS = 240;

/** The largest step: a part of the time shown, and well inside where Runge-Kutta is stable and exact to the eye.
 * @param {number} time @param {number} [fastest] rate of the system */
export const stepFor = (time, fastest = FASTEST) => Math.min(time / STEPS, 0.1 / fastest);

/**
 * The classical fourth-order method of Runge and Kutta, the step cut to fit.
 * @param {(y: Float64Array, out: Float64Array) => void} drift @param {Float64Array} from @param {number} time @param {number} step
 * @returns {Solution}
 */
export function integrate(drift, from, time, step) {
  const count = Math.max(1, Math.ceil(time / step - 1e-9));
  const h = time / count;
  const [k1, k2, k3, k4, at] = Array.from({ length: 5 }, () => new Float64Array(from.length));
  const probe = (/** @type {Float64Array} */ y, /** @type {Float64Array} */ k, /** @type {number} */ by) => at.forEach((_, i) => (at[i] = y[i] + by * k[i]));
  const values = [from];
  for (let n = 0; n < count; n += 1) {
    const y = values[n];
    drift(y, k1);
    probe(y, k1, h / 2);
    drift(at, k2);
    probe(y, k2, h / 2);
    drift(at, k3);
    probe(y, k3, h);
    drift(at, k4);
    values.push(y.map((value, i) => value + (h / 6) * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i])));
  }
  return { times: values.map((_, n) => n * h), values };
}

/** How long is shown: until what settles has settled; what grows, a while. @param {"linear"|"adjoint"|"polynomial"} encoding @param {number} layers */
export const timeFor = (encoding, layers) => (encoding === "polynomial" ? 4 + 2 * layers : 1);
