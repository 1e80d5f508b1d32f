// large: a generated model of any size (large_models.mjs) made smaller in Node, as the command line does it: time, peak memory of the
// process and of the core, the deviation. One model a run, so that peaks are its own.
//
//   node tests/bench/large.mjs stack 16 [--rows 8192] [--retain 0.5]         # 1.07 GB
//   node tests/bench/large.mjs feedforward 12                                # 227 MB
//   node tests/bench/large.mjs stack 16 --width 1024 --rows 2048             # a sixteenth of it, in a sixty-fourth of the time
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { createEngine } from "../../wasm/engine.js";
import { openShelf } from "../../wasm/shelf.js";
import { part, sizeOf } from "../../wasm/source.js";
import { writeLarge } from "./large_models.mjs";

const { positionals, values } = parseArgs({ allowPositionals: true, options: { rows: { type: "string", default: "8192" }, retain: { type: "string", default: "0.5" }, width: { type: "string" } } });
const [kind, count] = positionals;
if (!count) {
  console.log("Say which model, as the first lines of this file do: a gigabyte takes an hour.");
  process.exit();
}
const width = values.width ? Number(values.width) : undefined;
const file = `build/large/${kind}-${count}${width ? `-${width}` : ""}.onnx`;
mkdirSync("build/large", { recursive: true });
if (!existsSync(file)) writeLarge(file, /** @type {"stack"|"feedforward"} */ (kind), Number(count), width);

const MB = 1e6;
const bytes = statSync(file).size;
const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
const started = performance.now();
const seconds = () => ((performance.now() - started) / 1000).toFixed(0);
const processor = () => Number((Object.values(process.cpuUsage()).reduce((a, b) => a + b) / 1e6).toFixed(1));
const idle = peak();

let told = -1;
const onProgress = (/** @type {import("../../wasm/types.js").Progress} */ { stage, fraction }) => {
  const percent = Math.floor(20 * fraction) * 5;
  if (percent === told) return;
  told = percent;
  console.error(`${stage} ${percent} %  ${seconds()} s, peak ${(peak() / MB).toFixed(0)} MB, the core ${(engine.memory / MB).toFixed(0)} MB`);
};

const engine = await createEngine();
const { source, shelf } = openShelf(file);
const model = await engine.load(source, file, { shelf, apartFrom: 1 });
const path = await model.path({ rows: Number(values.rows), onProgress });
const ordered = seconds();
const orderedProcessor = processor();
const result = await path.compress({ kind: "retain", value: Number(values.retain) }, { onProgress });
const written = result.file();
const out = openSync(`${file}.small`, "w");
for (let at = 0; at < sizeOf(written); at += 2 ** 22) writeFileSync(out, await part(written, file, at, at + 2 ** 22));
closeSync(out);

const { deviation, parameters } = result.report;
console.log(
  JSON.stringify({
    model: `${kind} ${count}`, width, megabytes: bytes / MB, rows: Number(values.rows), away: model.away !== null, orderedSeconds: Number(ordered), seconds: Number(seconds()), orderedProcessorSeconds: orderedProcessor, processorSeconds: processor(),
    peakMegabytes: peak() / MB, coreMegabytes: engine.memory / MB, idleMegabytes: idle / MB, peakOfFile: peak() / bytes, deviation, retained: parameters.after / parameters.before, writtenMegabytes: sizeOf(written) / MB,
  }),
); // prettier-ignore
model.free();
rmSync(`${file}.small`);
