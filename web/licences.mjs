// The licences of what the built page carries, as one text.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const RULE = `\n\n${"-".repeat(80)}\n\n`;

/**
 * The packages of node_modules that went into a bundle.
 * @param {import("esbuild").Metafile} metafile
 */
export function packagesOf({ inputs }) {
  const names = Object.keys(inputs).map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}

/**
 * @param {string} root of the project
 * @param {string[]} packages bundled
 * @param {string} cjson the folder of cJSON.c
 */
export async function licences(root, packages, cjson) {
  const own = await readFile(join(root, "LICENSE"), "utf8");
  const mit = own.slice(own.indexOf("Permission is hereby granted")).trim();
  const bundled = await Promise.all(packages.map((name) => ofPackage(join(root, "node_modules", name))));
  const runtime = await manifest(join(root, "node_modules/onnxruntime-web"));
  const core = await readFile(join(cjson, "cJSON.c"), "utf8");
  return [
    `netlump\n\n${own.trim()}`,
    ...bundled,
    // None of these three ships a text of its own.
    `onnxruntime-web ${runtime.version} (${runtime.license})\n\nCopyright (c) Microsoft Corporation\n\n${mit}`,
    `musl libc, in netlump.wasm (MIT)\n\nCopyright © 2005-2020 Rich Felker, et al.\n\n${mit}`,
    `stb_image, in netlump.wasm (MIT, or public domain)\n\nCopyright (c) 2017 Sean Barrett\n\n${mit}`,
    `cJSON, in netlump.wasm (MIT)\n\n${core.slice(core.indexOf("/*") + 2, core.indexOf("*/")).replaceAll(/^ {2}/gm, "").trim()}`,
  ].join(RULE).concat("\n");
}

/** @param {string} folder @returns {Promise<{name: string, version: string, license: string}>} */
const manifest = async (folder) => JSON.parse(await readFile(join(folder, "package.json"), "utf8"));

/** Fails where there is no text: nothing is shipped without its licence. @param {string} folder */
async function ofPackage(folder) {
  const { name, version, license } = await manifest(folder);
  return `${name} ${version} (${license})\n\n${(await readFile(join(folder, "LICENSE"), "utf8")).trim()}`;
}
