// Runs cmocka programs and node test files and ends with one line for all: 'N passed, N failed, N skipped'.
//
//   node tests/count.mjs [--fuzz SECONDS] PROGRAM|FILE.test.js|TARGET_fuzz ...
//
// The runners' own output goes through as it is. A program that ends badly without naming a failed test counts as one, and so does
// each fuzz target, which runs for so many processor seconds. What fails does not keep the others from running.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

/** @typedef {{passed: number, failed: number, skipped: number}} Counts */

/**
 * Runs a command, shows what it prints, at once or (`quiet`) when it has ended, and returns it.
 * @param {string} command
 * @param {string[]} words
 * @param {boolean} [quiet]
 * @returns {Promise<{output: string, ok: boolean}>}
 */
function run(command, words, quiet = false) {
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"] });
  /** @type {Buffer[]} */
  const parts = [];
  for (const [from, to] of /** @type {const} */ ([[child.stdout, process.stdout], [child.stderr, process.stderr]]))
    from.on("data", (part) => {
      parts.push(part);
      if (!quiet) to.write(part);
    });
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ output: "", ok: false });
    });
    child.on("close", (code, signal) => {
      if (quiet) process.stdout.write(Buffer.concat(parts));
      if (signal) console.error(`${command}: ended by ${signal}`);
      resolve({ output: Buffer.concat(parts).toString(), ok: code === 0 });
    });
  });
}

/** The last number that `pattern` captures in the output; 0 where there is none. */
const last = (/** @type {string} */ output, /** @type {RegExp} */ pattern) => Number([...output.matchAll(pattern)].at(-1)?.[1] ?? 0);

/** @returns {Counts} */
const cmockaCounts = (/** @type {string} */ output) => ({
  passed: last(output, /^\[ +PASSED +\] (\d+) test/gm),
  failed: last(output, /^\[ +FAILED +\] .*?(\d+) test\(s\), listed below/gm),
  skipped: last(output, /^\[ +SKIPPED +\] .*?(\d+) test\(s\), listed below/gm),
});

/** @returns {Counts} */
const nodeCounts = (/** @type {string} */ output) => ({
  passed: last(output, /^ℹ pass (\d+)$/gm),
  failed: last(output, /^ℹ fail (\d+)$/gm) + last(output, /^ℹ cancelled (\d+)$/gm),
  skipped: last(output, /^ℹ skipped (\d+)$/gm) + last(output, /^ℹ todo (\d+)$/gm),
});

/** @returns {Counts} */
const fuzzCounts = (/** @type {string} */ output) => ({ passed: /^stat::number_of_executed_units/m.test(output) ? 1 : 0, failed: 0, skipped: 0 });

const { values: { fuzz }, positionals: names } = parseArgs({ options: { fuzz: { type: "string", default: "600" } }, allowPositionals: true });
const scripts = names.filter((name) => /\.[cm]?js$/.test(name));
const targets = names.filter((name) => name.endsWith("_fuzz"));
const programs = names.filter((name) => !scripts.includes(name) && !targets.includes(name));
const cores = availableParallelism();
if (targets.length) console.log(`${programs.length} programs, ${scripts.length} scripts, then ${targets.length} fuzz targets of ${fuzz} processor seconds each (FUZZ_SECONDS), ${cores} at a time: at least ${Math.ceil((targets.length * Number(fuzz)) / cores / 60)} minutes`);
/** @typedef {[command: string, words: string[], count: (output: string) => Counts]} Run */
/** @type {Run[]} */
const runs = programs.map((program) => [program, [], cmockaCounts]);
// Node's default leaves one core out; most files wait for a browser or a runtime much of their time.
const side = `--test-concurrency=${Math.max(2, cores - 1)}`;
if (scripts.length) runs.push([process.execPath, ["--test", "--test-reporter=spec", side, ...scripts], nodeCounts]);
/** @type {Run[]} */
const fuzzes = targets.map((target) => ["sh", ["tests/fuzz.sh", target, fuzz], fuzzCounts]);

const total = { passed: 0, failed: 0, skipped: 0 };
/** @param {Run} one @param {boolean} [quiet] */
async function add([command, words, count], quiet) {
  const { output, ok } = await run(command, words, quiet);
  const counts = count(output);
  if (!ok && counts.failed === 0) Object.assign(counts, { failed: 1, passed: command === "sh" ? 0 : counts.passed });
  for (const key of /** @type {(keyof Counts)[]} */ (Object.keys(total))) total[key] += counts[key];
}
for (const one of runs) await add(one);
const rest = fuzzes.values();
await Promise.all(Array.from({ length: cores }, async () => {
  for (const one of rest) await add(one, true);
}));
console.log(`${total.passed} passed, ${total.failed} failed` + (total.skipped ? `, ${total.skipped} skipped` : ""));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
