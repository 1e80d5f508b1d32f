// The page as one HTML file that opens from anywhere, a USB stick for instance: netlump.html, and netlump-full.html with ONNX Runtime.
// Nothing is fetched: styles and script are inline (their hashes stand in the policy), everything else lies in data blocks, gzipped and
// in base64, where web/assets.js finds it.
import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const RUNTIME_BINARY = "ort-wasm-simd-threaded.wasm";

/** Scripts inside a file have no address, but spell out what would lie beside them. Nothing is fetched from there: the policy forbids it. */
const NO_ADDRESS = { "import.meta.url": '"https://nowhere.invalid/"' };

/** Leaves ONNX Runtime out: the worker is told so and does not ask. @type {import("esbuild").Plugin} */
const withoutRuntime = {
  name: "without-runtime",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^onnxruntime-web/ }, () => ({ path: "none", namespace: "none" }));
    onLoad({ filter: /./, namespace: "none" }, () => ({ contents: "export {};" }));
  },
};

/** @param {string} entry @param {import("esbuild").BuildOptions} options @returns {Promise<string>} one script, or the styles */
async function bundled(entry, options) {
  const { outputFiles } = await build({ ...options, entryPoints: [join(root, entry)], write: false, define: NO_ADDRESS });
  return /** @type {import("esbuild").OutputFile[]} */ (outputFiles)[0].text;
}

const hashOf = (/** @type {string} */ text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const packed = (/** @type {Uint8Array} */ bytes) => gzipSync(bytes, { level: 9 }).toString("base64");

/** @param {string} name @param {string} base64 */
const block = (name, base64) => `<script type="text/plain" data-file="${name}">${base64}</script>`;

/** @param {string} page index.html @param {{style: string, script: string, icon: string, blocks: string[]}} parts */
function assembled(page, { style, script, icon, blocks }) {
  if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style)) throw new Error("a closing tag inside the script or the styles");
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)} 'wasm-unsafe-eval'`,
    `style-src ${hashOf(style)}`,
    "img-src blob: data:",
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const replacements = /** @type {[RegExp, string][]} */ ([
    [/(http-equiv="Content-Security-Policy" content=")[^"]*/, `$1${policy}`],
    [/ *<link rel="(manifest|apple-touch-icon)"[^>]*>\n/g, ""],
    [/(<link rel="icon" href=")[^"]*/, `$1data:image/svg+xml;base64,${Buffer.from(icon).toString("base64")}`],
  ]);
  const head = replacements.reduce((text, [from, to]) => text.replace(from, to), page);
  // Functions as replacements: "$" means nothing in them.
  return head
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${style}</style>`)
    .replace(/ *<script type="module"[^>]*><\/script>\n/, "")
    .replace("  </body>", () => `${blocks.join("\n")}\n<script type="module">${script}</script>\n  </body>`);
}

/**
 * @param {string} out the built folder, which both files are made from and written to
 * @param {import("esbuild").BuildOptions} common
 * @param {string} runtime the folder of ONNX Runtime
 */
export async function singleFiles(out, common, runtime) {
  const read = (/** @type {string} */ name) => readFile(join(out, name));
  const samples = (await readdir(join(out, "samples"))).sort().map((name) => `samples/${name}`);
  const names = ["netlump.wasm", "formats.wasm", "pictures.wasm", "licences.txt", ...samples];
  const blocks = await Promise.all(names.map(async (name) => block(name, packed(await read(name)))));
  const page = (await read("index.html")).toString();
  const parts = {
    style: (await bundled("web/style.css", common)).trim(),
    script: (await bundled("web/main.jsx", { ...common, format: "esm" })).trim(),
    icon: (await read("icon.svg")).toString(),
  };
  const worker = async (/** @type {import("esbuild").Plugin[]} */ plugins) =>
    block("worker.js", Buffer.from(await bundled("wasm/worker.js", { ...common, format: "iife", plugins })).toString("base64"));
  const binary = block(RUNTIME_BINARY, packed(await readFile(join(runtime, RUNTIME_BINARY))));
  await writeFile(join(out, "netlump.html"), assembled(page, { ...parts, blocks: [...blocks, await worker([withoutRuntime])] }));
  await writeFile(join(out, "netlump-full.html"), assembled(page, { ...parts, blocks: [...blocks, binary, await worker([])] }));
}
