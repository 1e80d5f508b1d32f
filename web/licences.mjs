// The licences of what the built page carries, as one text.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const RUNTIME_PARTS = "What it contains in its turn is listed in ThirdPartyNotices.txt at https://github.com/microsoft/onnxruntime";

// What emscripten links, as `emcc -Wl,--trace` names it: members of libc, libemmalloc, libstandalonewasm and libcompiler_rt.
const MUSL = `musl libc, in all modules (MIT)

Copyright © 2005-2020 Rich Felker, et al.
Copyright © 2011 Valentin Ochs (qsort)
Copyright © 2017-2018 Arm Limited (exp)
Copyright © 1993 Sun Microsystems, Inc. All rights reserved. (cos, erf, expm1, log1p, sin: developed at SunPro, a Sun Microsystems,
Inc. business. Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.)`;
const COMPILER_RT = `compiler-rt, in all modules (Apache-2.0 WITH LLVM-exception)

Part of the LLVM Project.

---- LLVM Exceptions to the Apache 2.0 License ----

As an exception, if, as a result of your compiling your source code, portions of this Software are embedded into an Object form of such
source code, you may redistribute such embedded portions in such Object form without complying with the conditions of Sections 4(a), 4(b)
and 4(d) of the License.

In addition, if you combine or link compiled forms of this Software with software that is licensed under the GPLv2 ("Combined Software")
and if a court of competent jurisdiction determines that the patent provision (Section 3), the indemnity provision (Section 9) or other
Section of the License conflicts with the conditions of the GPLv2, you may retroactively and prospectively choose to deem waived or
otherwise exclude such Section(s) of the License, but only in their entirety and only with respect to the Combined Software.`;

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
  // None but cJSON ships a text of its own where it is built from.
  return [
    `netlump\n\n${own.trim()}`,
    ...bundled,
    `onnxruntime-web ${runtime.version} (${runtime.license})\n\nCopyright (c) Microsoft Corporation\n\n${mit}\n\n${RUNTIME_PARTS}`,
    `cJSON, in netlump.wasm and formats.wasm (MIT)\n\n${core.slice(core.indexOf("/*") + 2, core.indexOf("*/")).replaceAll(/^ {2}/gm, "").trim()}`,
    `stb_image, in pictures.wasm (MIT, or public domain)\n\nCopyright (c) 2017 Sean Barrett\n\n${mit}`,
    `${MUSL}\n\n${mit}`,
    `emscripten's own start, memory growth and emmalloc, in all modules (MIT, or NCSA)\n\nCopyright (c) 2010-2022 The Emscripten Authors\n\n${mit}`,
    `${COMPILER_RT}\n\n${await apache(root)}`,
  ].join(RULE).concat("\n");
}

/** @param {string} folder @returns {Promise<{name: string, version: string, license: string}>} */
const manifest = async (folder) => JSON.parse(await readFile(join(folder, "package.json"), "utf8"));

/** Fails where there is no text: nothing is shipped without its licence. @param {string} folder */
async function ofPackage(folder) {
  const { name, version, license } = await manifest(folder);
  return `${name} ${version} (${license})\n\n${(await readFile(join(folder, "LICENSE"), "utf8")).trim()}`;
}

/** The Apache License 2.0, as Comlink ships it, without what is Comlink's. @param {string} root */
async function apache(root) {
  const text = await readFile(join(root, "node_modules/comlink/LICENSE"), "utf8");
  const end = "END OF TERMS AND CONDITIONS";
  if (!text.includes(end)) throw new Error("comlink has no Apache License to copy");
  return text.slice(0, text.indexOf(end) + end.length).trim();
}
