// What a result can be taken home as: files, a command, a link.
import { PARTITIONING } from "../wasm/methods.js";
import { curveCsv } from "../wasm/csv.js";
import { equations, smallerModel } from "./actions.js";
import { writeAddress } from "./address.js";
import { saveBlob } from "./charts/save.js";
import { commandLine } from "./command.js";
import { archive, endingOf } from "./files.js";
import { stem } from "./format.js";
import { linkOf } from "./link.js";
import { text } from "./messages.js";
import { shownPoints, stale, state, unpolished } from "./state.js";

/** @typedef {import("./state.js").Report} Report @typedef {import("../wasm/types.js").Format} Format */

const BINARY = "application/octet-stream";
const ZIP = "application/zip";

const model = () => /** @type {import("./state.js").ModelInfo} */ (state.model.value);

/** What the files' names begin with. */
const start = () => `${stem(model().name)}.small`;

/** The smaller model's file; TensorFlow.js weights want a folder of their own. */
const output = () => (model().format === "tfjs" ? `small/${model().name}` : `${start()}.${endingOf(model().format)}`);

/** @param {string|import("../wasm/source.js").Source} content @param {string} type @param {string} ending */
const save = (content, type, ending) => saveBlob(new Blob([/** @type {BlobPart} */ (content)], { type }), `${start()}.${ending}`);

/** Saves the smaller model and what belongs to it. @param {Format} format @returns {Promise<string>} what to know about the files */
export async function saveModel(format) {
  const { bytes, files } = await smallerModel(format);
  if (format === "tfjs") {
    save(await archive(model().name, await bytesOf(bytes), files), ZIP, "zip");
    return "";
  }
  save(bytes, format === "onnx" ? BINARY : "application/json", endingOf(format));
  for (const [file, content] of files) saveBlob(new Blob([/** @type {BlobPart} */ (content)], { type: BINARY }), file);
  return files.size > 0 ? text.together([`${start()}.${format}`, ...files.keys()]) : "";
}

/** @param {Report} report */
export const saveReport = async (report) => save(await page(report), "text/html", "report.html");
/** @param {Report} report */
export const saveNumbers = (report) => save(JSON.stringify(report, null, 2), "application/json", "report.json");
export const saveCurve = () => save(curveCsv(shownPoints.value), "text/csv", "curve.csv");
/** @param {Report} report */
export const saveOde = async (report) => save(await ode(report), "text/plain", "ode");

/** @param {Report} report */
const page = async (report) => (await import("../wasm/report.js")).htmlReport(report, { curve: shownPoints.value, outputs: state.result.value?.outputs });

/** The network's equations for ERODE, with the tolerance of a partition; elsewhere 0. @param {Report} report */
const ode = ({ method, epsilon }) => equations({ epsilon: PARTITIONING.includes(method) && epsilon !== null ? epsilon : 0 });

/** @param {import("../wasm/source.js").Source} content */
const bytesOf = async (content) => (content instanceof Uint8Array ? content : new Uint8Array(await content.arrayBuffer()));

/** Model, report, numbers, curve, equations where there are any, and the command, in one zip. @param {Report} report */
export async function saveEverything(report) {
  const [{ zipOf }, { bytes, files }] = await Promise.all([import("./bundle.js"), smallerModel(model().format)]);
  /** @type {Map<string, string|Uint8Array>} */
  const all = new Map([[output().replace("small/", ""), await bytesOf(bytes)]]);
  for (const [name, content] of files) all.set(name, await bytesOf(content));
  all.set("report.html", await page(report));
  all.set("report.json", JSON.stringify(report, null, 2));
  all.set("curve.csv", curveCsv(shownPoints.value));
  const equations = await ode(report).catch(() => null); // no line of dense layers: there are none
  if (equations !== null) all.set("network.ode", equations);
  all.set("command.txt", `${command()}\n`);
  save(zipOf(start(), all), ZIP, "zip");
}

/** The command that does what the page did. */
export function command() {
  const { target, method, polish, shapes, data, result } = state;
  return commandLine({
    model: model().name,
    target: target.value,
    method: method.value,
    polish: unpolished.value ? null : polish.value,
    shapes: shapes.value,
    certify: !stale.value && (result.value?.report.certificate ?? null) !== null,
    data: data.value,
    range: state.range.value,
    output: output(),
  });
}

/** The page's address with the present settings. */
export function link() {
  const { sample, target, method, polish, compared } = state;
  const settings = linkOf({ sample: sample.value, target: target.value, method: method.value, polish: polish.value, compared: compared.value });
  return new URL(writeAddress("work", settings), location.href).href;
}
