// The experiment: every network at eight sizes by every method, unpolished and polished. Writes results.csv row by row (a row
// that is there is not computed again), then RESULTS.md and a chart a data set from what is in it.
//
//   node tests/bench/paper/paper.mjs [--only NAME] [--shares 5,10] [--methods wanda,projected] [--no-polish] [--jobs 2]
//                                    [--fresh] [--report] [--out FOLDER]
//
// --only: networks whose "system network" holds NAME; --fresh: computes again what is there; --report: computes nothing.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";

import { CASES, METHODS, SHARES, TITLES, isThere } from "./cases.mjs";
import { drawSet } from "./chart.mjs";
import { markdown } from "./report.mjs";
import { appendResult, keyOf, readResults, writeResults } from "./results.mjs";

/** @typedef {import("./results.mjs").Row} Row @typedef {import("./cases.mjs").Case} Case */

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    shares: { type: "string" },
    methods: { type: "string" },
    "no-polish": { type: "boolean", default: false },
    jobs: { type: "string", default: "2" },
    fresh: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    out: { type: "string", default: fileURLToPath(new URL(".", import.meta.url)) },
  },
});

const csv = join(options.out, "results.csv");
const shares = options.shares?.split(",").map((share) => Number(share) / 100) ?? SHARES;
const methods = options.methods?.split(",") ?? METHODS.map(({ id }) => id);
const polishes = options["no-polish"] ? [false] : [false, true];
const unknown = methods.filter((id) => !METHODS.some((method) => method.id === id));
if (unknown.length > 0 || shares.some((share) => !(share > 0 && share < 1))) {
  console.error(unknown.length > 0 ? `no method ${unknown.join(", ")}` : "--shares are percentages between 0 and 100");
  process.exit(2);
}

/** Everything there is, by key. @type {Map<string, Row>} */
const rows = new Map(readResults(csv).map((row) => [keyOf(row), row]));
let failures = 0;

/** @param {Case} one */
const ownRows = (one) => [...rows.values()].filter((row) => row.system === one.set && row.network === one.network);

/** @param {Row} row */
const isAsked = (row) => methods.includes(row.method) && polishes.includes(row.polish) && shares.includes(row.asked);

/** @param {Case} one @param {import("./worker.mjs").Message} message */
function receive(one, message) {
  if ("row" in message) {
    rows.set(keyOf(message.row), message.row);
    appendResult(csv, message.row);
  } else if ("failure" in message) {
    failures += 1;
    console.error(message.failure);
  } else {
    for (const row of ownRows(one)) rows.delete(keyOf(row));
    writeResults(csv, [...rows.values()]);
  }
}

/** @param {Case} one */
function compute(one) {
  const own = ownRows(one);
  const original = own.find((row) => row.method === "original")?.mse ?? null;
  const done = own.filter((row) => !(options.fresh && isAsked(row))).map(keyOf);
  return new Promise((resolve) => {
    const worker = new Worker(new URL("worker.mjs", import.meta.url), { workerData: { case: one, methods, polishes, shares, done, original } });
    worker.on("message", (message) => receive(one, message));
    worker.on("error", (error) => receive(one, { failure: `${one.set} ${one.network}: ${error}` }));
    worker.on("exit", resolve);
  });
}

/** Each job takes the next network when it is done with one. @param {Case[]} queue */
async function work(queue) {
  for (let one = queue.shift(); one; one = queue.shift()) {
    console.log(`${one.set} ${one.network}`);
    await compute(one);
  }
}

if (!options.report) {
  const wanted = CASES.filter((one) => `${one.set} ${one.network}`.includes(options.only));
  for (const one of wanted.filter((one) => !isThere(one))) console.log(`${one.set} ${one.network}: skipped, its model or its rows are not there`);
  writeResults(csv, [...rows.values()]); // a stopped run's last line may be half a line
  const queue = wanted.filter(isThere);
  await Promise.all(Array.from({ length: Number(options.jobs) }, () => work(queue)));
}

const all = [...rows.values()];
writeResults(csv, all);
const sets = Object.keys(TITLES).filter((set) => all.some((row) => row.system === set));
for (const set of sets) writeFileSync(join(options.out, `${set}.svg`), drawSet(set, all));
writeFileSync(join(options.out, "RESULTS.md"), markdown(readResults(csv)));
process.exit(failures > 0 ? 1 : 0);
