// Every real model the tests know: those of the shared material, folders included.
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { materialFile, needsMaterial } from "../material.js";

const FOLDER = materialFile("models/");

/** ONNX files of the material, those of one operator last. @type {string[]} */
export const materialModels =
  "skip" in needsMaterial
    ? []
    : readdirSync(FOLDER, { recursive: true })
        .map(String)
        .filter((name) => name.endsWith(".onnx"))
        .sort((a, b) => Number(a.includes("/")) - Number(b.includes("/")) || (a < b ? -1 : 1))
        .map((name) => join(FOLDER, name));

/** Files of one operator each, for tests of runtimes. @param {string} file */
export const isOperatorTest = (file) => /\/(onnx2c_ops|onnx_backend)\//.test(file);
