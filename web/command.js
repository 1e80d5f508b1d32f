// The command line that does what the page just did.
import { columnWords } from "../wasm/messages.js";

/**
 * @param {{model: string, target: import("../wasm/types.js").Target, method: string, polish: boolean|null, certify: boolean, data: import("./state.js").Data|null,
 *   range?: {low: number, high: number}|null, shapes?: import("../wasm/inputs.js").Shapes, output: string}} settings   polish: whether there
 *   is one, null where the model has none; range: of the inputs where there is no data
 */
export function commandLine({ model, target, method, polish, certify, data, range = null, shapes = new Map(), output }) {
  const option = { epsilon: "--epsilon", retain: "--retain", deviation: "--max-deviation", accuracy: "--min-accuracy", mse: "--max-mse" }[target.kind];
  return [
    "netlump",
    quoted(model),
    option,
    String(target.value),
    ...(method === "projected" ? [] : ["--method", method]),
    ...(polish === false ? ["--no-polish"] : []),
    ...[...shapes].flatMap(([name, dims]) => ["--shape", quoted(`${name}:${dims.join(",")}`)]),
    ...(data ? dataWords(data) : range ? [`--box=${range.low}:${range.high}`] : []),
    ...(certify ? ["--certify"] : []),
    "-o",
    quoted(output),
  ].join(" ");
}

/** @param {import("./state.js").Data} data */
function dataWords({ table, file, reading: { norm, scale }, share }) {
  const files = file.pictures?.length ? [file.pictures.every(({ name }) => name.startsWith(`${file.name}/`)) ? file.name : "images"] : [file.name, ...(file.beside ?? []).map(({ name }) => name)];
  return [
    ...files.flatMap((name) => ["--data", quoted(name)]),
    ...(table.pictures ? (table.labelColumns ? ["--labels", "folder"] : []) : [columnWords(table.roles ?? [], table.names, quoted)].filter((words) => words !== "")),
    ...(scale === "divide" ? ["--divide", "255"] : scale === "standardize" ? ["--standardize"] : []),
    ...(norm.mean ? [`--mean=${norm.mean}`] : []),
    ...(norm.std ? [`--std=${norm.std}`] : []),
    ...(share < 1 ? ["--split", String(share)] : []),
  ];
}

/** @param {string} name for a POSIX shell */
const quoted = (name) => (/^[\w./:,-]+$/.test(name) && !name.startsWith("-") ? name : `'${name.startsWith("-") ? "./" : ""}${name.replaceAll("'", `'\\''`)}'`);
