// A model of the tests, dressed up, made smaller by as little as can be, and what it kept.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { basename } from "node:path";

import { EngineError } from "../../wasm/fault.js";
import { compress } from "../../wasm/index.js";
import { bytesOf } from "../material.js";
import { assertSurvived, dressedModel } from "./survival.js";
import { shapesFor } from "./sizes.js";

/** Bytes of a model that is left to the long tests. */
export const LARGE = 2 ** 18;

/** External weights of the tests' models stand in one file beside them. @param {string} file @returns {Map<string, Uint8Array>} */
export function filesBeside(file) {
  const data = `${file}.data`;
  return new Map(existsSync(data) ? [[basename(data), bytesOf(data)]] : []);
}

/** @param {string} file of a model @param {{rows?: number}} [options] @returns {Promise<number|null>} fields that changed; null where nothing can be lumped */
export async function survives(file, { rows = 32 } = {}) {
  const name = basename(file);
  const before = dressedModel(bytesOf(file));
  const options = { name, files: filesBeside(file), shapes: shapesFor(name), rows, polish: false, verify: false };
  try {
    // the largest share below 1: no more goes than the smallest step there is
    const { bytes, report } = await compress(before, { ...options, retain: 1 - 1e-9 });
    const edited = report.sites.filter(({ before: width, after }) => after < width).map((site) => site.name);
    assert.ok(edited.length > 0, "a layer was to become smaller");
    return assertSurvived(before, bytes, edited, options.files);
  } catch (error) {
    if (error instanceof EngineError && error.code === "NO_SITE") return null;
    throw error;
  }
}
