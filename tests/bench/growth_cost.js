// What the algorithm is bound to take, counted: multiplications of each call, and bytes held at the worst moment. What the growth
// measured is compared with; a constant apart, and only where a term can grow to lead.

/** @typedef {{features: number, width: number, layers: number, rows: number, free: boolean}} Case   layers: hidden ones, of `width` each; one output */
/** @typedef {"open"|"path"|"result"|"memory"} Call */

const FUNCTION = 40; // a normal number or an activation, in multiplications
const DATA_MOST = 16384; // rows of the user's that are looked at (src/compress_measure.c)
const SENSITIVITY = { rows: 1024, width: 1024 }; // most (src/compress_path.c, src/sensitivity.c)
const NEWTON = { rounds: 2, turns: 8, tries: 2, numbers: 2 ** 23, solve: 1e8, round: 2e9, rows: 256, aWeight: 4 }; // src/newton.c
const START = 2 ** 24; // bytes that the core begins with

const sum = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0);

/** Weights of a chain of these widths. @param {number[]} widths */
const weightsOf = (widths) => sum(widths.slice(1).map((width, l) => width * widths[l]));

/** @param {Case} one @returns {number[]} inputs first, outputs last */
export const widthsOf = ({ features, width, layers }) => [features, ...Array(layers).fill(width), 1];

/** Rows that the neurons are compared on. @param {Case} one */
const seen = ({ rows, free }) => (free ? rows : Math.min(rows, DATA_MOST));

/** The order of n units whose consumers are m (tests/bench/elimination.mjs). @param {number} n @param {number} m */
const elimination = (n, m) => (5 / 6) * n ** 3 + (n > 256 && m > n / 16 ? n ** 3 / 3 + (n * n * m) / 2 : n * n * m);

/** @param {Case} one */
function pathWork(one) {
  const widths = widthsOf(one);
  const rows = seen(one);
  const some = Math.min(rows, SENSITIVITY.rows);
  const weights = weightsOf(widths);
  const sites = widths.slice(1, -1).map((n, i) => {
    const m = widths[i + 2];
    const weighed = m <= SENSITIVITY.width ? (some * m * m) / 2 + m ** 3 / 6 + (n * m * m) / 2 : n * n * m;
    return (rows * n * n) / 2 + rows * n * 2 + weighed + elimination(n, m);
  });
  return rows * one.features * (one.free ? FUNCTION : 2) + (rows + some) * weights + sum(sites);
}

/** Rows that a layer's Newton steps are taken on; 0 where it is too wide for them, or they are too few. @param {number} n inputs @param {number} out @param {number} rows */
function newtonRows(n, out, rows) {
  if ((n + 1) ** 2 * out > NEWTON.solve) return 0;
  const most = Math.min(rows, Math.floor(NEWTON.numbers / (n + out + 2)), Math.floor(NEWTON.round / (2 * NEWTON.turns * out) / (n + 2)));
  return most < Math.max(Math.min(NEWTON.rows, rows), NEWTON.aWeight * (n + 1)) ? 0 : most;
}

/** @param {Case} one @param {number[]} kept widths of the hidden layers */
function resultWork(one, kept) {
  const before = widthsOf(one);
  const after = [one.features, ...kept, 1];
  const rows = seen(one);
  const layers = after.slice(1).map((out, l) => {
    const [n, k] = [before[l], after[l]];
    const forward = rows * (before[l + 1] * n + out * k);
    if (l === 0) return forward;
    const lumped = k ** 3 / 6 + k * k * n + out * n * k;
    const fitted = rows * k * (k + 2 * out) + k * k * (k / 6 + out);
    const some = l + 1 < before.length - 1 ? newtonRows(k, out, rows) : 0;
    const turn = 2 * some * out * (k + 1) + k * k * out;
    const rest = weightsOf(after.slice(l)); // nothing before the layer is computed again
    const newton = some > 0 ? NEWTON.rounds * ((1 + NEWTON.tries) * rows * rest + some * (rest + (k * k) / 2) + (1 + NEWTON.turns) * turn) : 0;
    return forward + lumped + fitted + newton;
  });
  return sum(layers) + rows * weightsOf(before); // what the original answers, once
}

/** Bytes at the worst moment: what stays, and the larger of what the path and the result work with. @param {Case} one @param {number[]} kept */
function memory(one, kept) {
  const widths = widthsOf(one);
  const rows = seen(one);
  const weights = weightsOf(widths);
  const squares = sum(widths.slice(1, -1).map((n) => n * n));
  const stays = 12 * weights + 8 * one.features * (rows + (one.free ? 0 : one.rows)) + 8 * squares;
  const n = one.width;
  const m = one.layers > 1 ? n : 1;
  const path = 8 * (squares + 4 * n * n + 3 * n * m);
  const k = kept[0];
  const some = one.layers > 1 ? newtonRows(k, k, rows) : 0;
  const result = 8 * (squares * (k / n) + weightsOf([one.features, ...kept, 1]) + 2 * rows * (n + k) + some * (2 * k + 2));
  return Math.max(START, stays + Math.max(path, result));
}

/** The hidden widths of a result, all layers narrowed alike. @param {Case} one @param {number} share of the weights that is kept */
function narrowed({ features, width, layers }, share) {
  const most = share * weightsOf(widthsOf({ features, width, layers, rows: 0, free: true }));
  let kept = width;
  while (kept > 1 && weightsOf(widthsOf({ features, width: kept, layers, rows: 0, free: true })) > most) kept -= 1;
  return Array(layers).fill(kept);
}

/** @param {Call} call @param {Case} one @param {number} share of the weights in the result @returns {number} */
export function predict(call, one, share) {
  if (call === "open") return weightsOf(widthsOf(one));
  const kept = narrowed(one, share);
  return call === "path" ? pathWork(one) : call === "result" ? resultWork(one, kept) : memory(one, kept);
}
