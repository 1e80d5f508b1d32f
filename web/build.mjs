// Builds the page: node web/build.mjs [--out dist]. Everything the page needs ends up in one folder that any static host can
// serve under any path: all addresses are relative, nothing is fetched from elsewhere. Beside it the page as one file, without and
// with ONNX Runtime (single.mjs). The same sources give the same bytes.
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { build } from "esbuild";

import { pngOf } from "./icons.mjs";
import { licences, packagesOf } from "./licences.mjs";
import { singleFiles } from "./single.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const runtime = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
const RUNTIME_MODULE = "ort.wasm.bundle.min.mjs";
const RUNTIME = [RUNTIME_MODULE, "ort-wasm-simd-threaded.wasm"];

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

/** @type {import("esbuild").BuildOptions} */
const COMMON = {
  bundle: true,
  minify: true,
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none", // licences.txt has them all
};

/** @param {string} out */
async function buildPage(out) {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const { metafile } = await build({
    ...COMMON,
    entryPoints: { main: join(root, "web/main.jsx"), worker: join(root, "wasm/worker.js"), style: join(root, "web/style.css") },
    outdir: out,
    splitting: true, // what is imported when it is needed becomes a file of its own
    chunkNames: "[name]-[hash]", // beside the worker: what starts it says where it is relative to itself
    format: "esm",
    metafile: true,
    plugins: [runtimeApart],
  });
  const modules = ["netlump", "formats", "pictures"].map((name) => `build/${name}.wasm`);
  for (const file of ["web/index.html", "web/icon.svg", "web/manifest.webmanifest", ...modules]) await cp(join(root, file), join(out, basename(file)));
  for (const file of RUNTIME) await cp(join(runtime, file), join(out, file));
  const icon = await readFile(join(root, "web/icon.svg"), "utf8");
  for (const size of [192, 512]) await writeFile(join(out, `icon-${size}.png`), pngOf(icon, size));
  await writeFile(join(out, "icon-maskable.png"), pngOf(icon, 512, { maskable: true }));
  const cjson = process.env.CJSON_DIR || join(root, "build/cjson");
  await writeFile(join(out, "licences.txt"), await licences(root, packagesOf(metafile), cjson));
  await copySamples(join(root, "web/samples"), join(out, "samples"));
  await buildServiceWorker(out);
  await singleFiles(out, COMMON, runtime);
}

/** @param {string} folder @returns {Promise<string[]>} the files below it, in one order everywhere */
async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/")).sort();
}

/** The service worker knows every file by its content. @param {string} out */
async function buildServiceWorker(out) {
  /** @type {Record<string, string>} */
  const files = {};
  for (const name of await filesBelow(out)) files[name] = createHash("sha256").update(await readFile(join(out, name))).digest("base64url");
  await build({
    ...COMMON,
    entryPoints: [join(root, "web/service-worker.js")],
    outfile: join(out, "service-worker.js"),
    format: "iife",
    banner: { js: `self.FILES=${JSON.stringify(files)};self.LATER=${JSON.stringify(RUNTIME)};` },
  });
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
