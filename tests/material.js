// What the JavaScript tests work on: the bundled samples, small models written here, and the shared material where it is.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SAMPLES = new URL("../web/samples/", import.meta.url);
const MATERIAL = new URL("../../shared/material/", import.meta.url);

/** A file's bytes as a plain Uint8Array. @param {URL|string} file */
export const bytesOf = (file) => new Uint8Array(readFileSync(file));

/** @type {{id: string, model: string, data: string, labels: number, epsilon: number}[]} */
export const samples = JSON.parse(readFileSync(new URL("samples.json", SAMPLES), "utf8"));

/** @param {string} file */
export const sampleFile = (file) => fileURLToPath(new URL(file, SAMPLES));

/** Options for a test that needs the material: skips it, saying why, where it is absent. */
export const needsMaterial = existsSync(MATERIAL) ? {} : { skip: "../shared/material is not there" };

/** @param {string} file */
export const fixtureFile = (file) => fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));

/** @param {string} file */
export const materialFile = (file) => fileURLToPath(new URL(file, MATERIAL));

/** @param {string} folder @param {RegExp} pattern */
export const materialFiles = (folder, pattern) =>
  existsSync(MATERIAL) ? readdirSync(new URL(folder, MATERIAL)).filter((name) => pattern.test(name)).sort() : [];

/** Numbers in [-1, 1) that look random and are always the same. @param {number} seed */
export function noise(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/**
 * A netlump JSON model of dense layers with tanh between.
 * @param {number[]} widths
 * @param {{copies?: number, seed?: number}} [options] copies: every hidden neuron so many times, the function unchanged
 */
export function jsonModel(widths, { copies = 1, seed = 1 } = {}) {
  const next = noise(seed);
  const last = widths.length - 2;
  const layers = widths.slice(1).map((width, l) => {
    const rows = Array.from({ length: width }, () => Array.from({ length: widths[l] }, next));
    const bias = Array.from({ length: width }, next);
    const wide = rows.map((row) => (l === 0 ? row : Array(copies).fill(row.map((w) => w / copies)).flat()));
    const repeat = (/** @type {any[]} */ list) => (l === last ? list : Array(copies).fill(list).flat());
    return { weights: repeat(wide), bias: repeat(bias), activation: l === last ? "identity" : "tanh" };
  });
  return new TextEncoder().encode(JSON.stringify({ format: "netlump", version: 1, layers }));
}
