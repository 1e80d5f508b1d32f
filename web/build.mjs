// Builds the page: node web/build.mjs [--out dist]. Everything the page needs ends up in one folder that any static host can
// serve under any path: all addresses are relative, nothing is fetched from elsewhere.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { build } from "esbuild";

import { licences, packagesOf } from "./licences.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const runtime = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
const RUNTIME_MODULE = "ort.wasm.bundle.min.mjs";

/**
 * ONNX Runtime stays a file of its own beside the worker, fetched when the first result is checked.
 * @type {import("esbuild").Plugin}
 */
const runtimeApart = {
  name: "runtime-apart",
  setup({ onResolve }) {
    onResolve({ filter: /^onnxruntime-web/ }, () => ({ path: `./${RUNTIME_MODULE}`, external: true }));
  },
};

/** @param {string} out */
async function buildPage(out) {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const { metafile } = await build({
    entryPoints: { main: join(root, "web/main.jsx"), worker: join(root, "wasm/worker.js"), style: join(root, "web/style.css") },
    outdir: out,
    bundle: true,
    splitting: true, // what is imported when it is needed becomes a file of its own
    chunkNames: "[name]-[hash]", // beside the worker: what starts it says where it is relative to itself
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none", // licences.txt has them all
    metafile: true,
    plugins: [runtimeApart],
  });
  const copies = {
    "web/index.html": "index.html",
    "web/icon.svg": "icon.svg",
    "build/netlump.wasm": "netlump.wasm",
  };
  for (const [from, to] of Object.entries(copies)) await cp(join(root, from), join(out, to));
  for (const file of [RUNTIME_MODULE, "ort-wasm-simd-threaded.wasm"]) await cp(join(runtime, file), join(out, file));
  const cjson = process.env.CJSON_DIR || join(root, "build/cjson");
  await writeFile(join(out, "licences.txt"), await licences(root, packagesOf(metafile), cjson));
  await copySamples(join(root, "web/samples"), join(out, "samples"));
}

/**
 * The samples' list and the files it names; not the scripts that trained them.
 * @param {string} from
 * @param {string} to
 */
async function copySamples(from, to) {
  /** @type {import("./state.js").Sample[]} */
  const samples = JSON.parse(await readFile(join(from, "samples.json"), "utf8"));
  for (const file of ["samples.json", ...samples.flatMap(({ model, data }) => [model, data])]) {
    await cp(join(from, file), join(to, file));
  }
}

const { values } = parseArgs({ options: { out: { type: "string", default: join(root, "dist") } } });
await buildPage(resolve(values.out));
