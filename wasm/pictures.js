// pictures: picture files -> rows of numbers. The decoder is a WebAssembly module of its own, fetched with the first picture.
import { releaseAll } from "./handle.js";
import { loadCore } from "./loader.js";

/** @typedef {import("./loader.js").WasmSource} WasmSource */

const DEFAULT = new URL("../build/pictures.wasm", import.meta.url);

/** @type {import("./loader.js").Core|null} */
let loaded = null;

/**
 * A picture as a model's input reads it: JPEG, PNG, BMP, GIF or TGA, stretched to the layout, (pixel / 255 - mean) / std.
 * @param {Uint8Array} bytes
 * @param {import("./images.js").Layout} layout
 * @param {import("./images.js").Norm} [norm] a number for each channel
 * @param {WasmSource} [wasm] the decoder
 * @returns {Promise<Float64Array>}
 */
export async function decodePicture(bytes, { height, width, channels, last }, { mean, std } = {}, wasm = DEFAULT) {
  if (loaded === null || loaded.dead) loaded = await loadCore({ wasm });
  const core = loaded;
  /** @type {number[]} */
  const pointers = [];
  const lend = (/** @type {Uint8Array|Float64Array} */ array) => pointers[pointers.push(core.copyIn(array)) - 1];
  try {
    const norm = [mean, std].map((list) => (list ? lend(Float64Array.from(list)) : 0));
    const x = lend(new Float64Array(height * width * channels));
    core.status("", "image_read", lend(bytes), bytes.length, height, width, channels, Number(last), ...norm, x);
    return core.float64(x, height * width * channels);
  } finally {
    releaseAll(core, pointers);
  }
}
