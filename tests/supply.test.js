// What the build takes in and hands on: every package pinned by a hash, no install scripts, every licence in licences.txt.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { build } from "esbuild";

import { buildWhenOld, dist, root } from "./page/built.js";

/** @typedef {{name: string, version: string, license: string, folder: string}} Package */

const RUNTIME = "onnxruntime-web"; // copied, not bundled

/** The package a file belongs to, by the package.json above it that has a name; null for our own. @param {string} file @returns {Package|null} */
function packageOf(file) {
  for (let folder = dirname(file); folder.length > root.length - 1; folder = dirname(folder)) {
    if (!existsSync(join(folder, "package.json"))) continue;
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    if (name && version) return name === "netlump" ? null : { name, version, license, folder };
  }
  return null;
}

/** What the page and the worker are bundled from, by esbuild's own account. */
async function findBundled() {
  const entryPoints = ["web/main.jsx", "wasm/worker.js", "web/style.css", "web/service-worker.js"].map((name) => join(root, name));
  const options = /** @type {const} */ ({ bundle: true, write: false, outdir: "unwritten", format: "esm", jsx: "automatic", jsxImportSource: "preact" });
  const { metafile } = await build({ ...options, entryPoints, metafile: true, absWorkingDir: root, external: [`${RUNTIME}/*`, RUNTIME] });
  /** @type {Map<string, Package>} */
  const packages = new Map();
  for (const path of Object.keys(metafile.inputs)) {
    const found = packageOf(join(root, path));
    if (found) packages.set(found.folder, found);
  }
  return [...packages.values()];
}

const bundled = findBundled();
const words = (/** @type {string} */ text) => text.replaceAll(/\s+/g, " ").trim();

/** The packages whose name, version, licence and text are not in it. @param {string} text @param {Package[]} packages */
const missing = (text, packages) =>
  packages.filter(({ name, version, license, folder }) => !words(text).includes(words(`${name} ${version} (${license})\n${readFileSync(join(folder, "LICENSE"), "utf8")}`))).map(({ name }) => name);

test("every package in the page or the worker is in licences.txt with its text", async () => {
  buildWhenOld();
  const text = readFileSync(join(dist, "licences.txt"), "utf8");
  const packages = await bundled;
  assert.ok(packages.some(({ name }) => name === "preact") && packages.some(({ name }) => name === "fflate"), packages.map(({ name }) => name).join(" "));
  assert.deepEqual(missing(text, packages), []);
  for (const { name, version } of packages) assert.deepEqual(missing(text.replaceAll(`${name} ${version}`, ""), packages), [name], "one that is left out is missed");
  assert.match(text, new RegExp(`^${RUNTIME} [0-9.]+ \\(MIT\\)\\n\\nCopyright`, "m"));
});

test("what is linked into the modules is in licences.txt, each with the modules it is in", () => {
  buildWhenOld();
  const text = readFileSync(join(dist, "licences.txt"), "utf8");
  for (const line of ["cJSON, in netlump.wasm and formats.wasm (MIT)", "stb_image, in pictures.wasm (MIT", "musl libc, in all modules (MIT)", "emscripten's own start, memory growth and emmalloc, in all modules (", "compiler-rt, in all modules (Apache-2.0 WITH LLVM-exception)"])
    assert.ok(text.includes(line), line);
  assert.equal(text.split("END OF TERMS AND CONDITIONS").length, 3, "Apache's text for Comlink and for compiler-rt");
});

for (const lock of ["package-lock.json", "tests/long/package-lock.json"])
  test(`${lock} has a hash for every package, none of a kind that can be forged`, () => {
    const packages = Object.entries(JSON.parse(readFileSync(join(root, lock), "utf8")).packages).filter(([path]) => path !== "");
    assert.ok(packages.length > 50);
    assert.deepEqual(packages.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")).map(([path]) => path), []);
  });

test("nothing that is shipped wants an install script, and make runs none", async () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const shipped = [...(await bundled).map(({ folder }) => folder.slice(root.length)), `node_modules/${RUNTIME}`, "node_modules/onnxruntime-common"];
  assert.deepEqual(shipped.filter((folder) => !packages[folder]), [], "all are locked");
  assert.deepEqual(shipped.filter((folder) => packages[folder].hasInstallScript), []);
  assert.match(readFileSync(join(root, ".npmrc"), "utf8"), /^ignore-scripts=true$/m);
  const installs = readFileSync(join(root, "Makefile"), "utf8").match(/npm (ci|install|i)\b[^|;{}\n]*/g) ?? [];
  assert.ok(installs.length >= 2);
  assert.deepEqual(installs.filter((command) => !command.startsWith("npm ci --ignore-scripts")), []);
});
