// `make dist` from nothing, twice: clones of HEAD in folders of other names and depths, under other settings of the machine, give the
// same bytes, WebAssembly included.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const environment = { ...process.env };
/** What make says to the makes below it: these begin anew. */
for (const name of ["MAKEFLAGS", "MAKELEVEL", "MFLAGS"]) delete environment[name];
/** Said relative to this folder, they would mean another one there. */
for (const name of ["CJSON_DIR", "STB_DIR"]) if (environment[name]) environment[name] = resolve(environment[name]);

/** @param {string} folder to be @param {NodeJS.ProcessEnv} settings @returns {Record<string, string>} the hash of each file built */
function builtIn(folder, settings) {
  mkdirSync(dirname(folder), { recursive: true });
  execFileSync("git", ["clone", "--quiet", "--depth", "1", `file://${root}`, folder]);
  execFileSync("make", ["dist", "wasm"], { cwd: folder, env: { ...environment, ...settings }, stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28 });
  const files = [...below(join(folder, "dist")), ...["netlump.wasm", "netlump-scalar.wasm", "formats.wasm", "pictures.wasm"].map((name) => join(folder, "build", name))];
  return Object.fromEntries(files.map((file) => [relative(folder, file).split(sep).join("/"), createHash("sha256").update(readFileSync(file)).digest("hex")]));
}

/** @param {string} folder */
const below = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();

test("make dist of the same commit gives the same bytes in any folder", (t) => {
  const place = mkdtempSync(join(tmpdir(), "netlump-"));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const first = builtIn(join(place, "a"), {});
  const second = builtIn(join(place, "farther/down/another-name"), { TZ: "Pacific/Auckland", LC_ALL: "C", SOURCE_DATE_EPOCH: "86400" });
  assert.ok(Object.keys(first).length > 30);
  assert.deepEqual(second, first);
});
