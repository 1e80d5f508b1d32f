// The command line that does what the page just did.

/**
 * @param {{model: string, target: import("../wasm/types.js").Target, method: string, polish: boolean|null, certify: boolean, data: import("./state.js").Data|null, shapes?: import("../wasm/inputs.js").Shapes,
 *   output: string}} settings   polish: whether there is one, null where the model has none
 */
export function commandLine({ model, target, method, polish, certify, data, shapes = new Map(), output }) {
  const option = { epsilon: "--epsilon", retain: "--retain", deviation: "--max-deviation", accuracy: "--min-accuracy", mse: "--max-mse" }[target.kind];
  return [
    "netlump",
    quoted(model),
    option,
    String(target.value),
    ...(method === "projected" ? [] : ["--method", method]),
    ...(polish === false ? ["--no-polish"] : []),
    ...[...shapes].flatMap(([name, dims]) => ["--shape", quoted(`${name}:${dims.join(",")}`)]),
    ...(data ? ["--data", quoted(data.file.pictures?.length ? "images" : data.file.name)] : []),
    ...(data?.table.labelColumns ? ["--labels", data.table.pictures ? "folder" : String(data.table.labelColumns)] : []),
    ...(data?.norm.mean ? [`--mean=${data.norm.mean}`] : []),
    ...(data?.norm.std ? [`--std=${data.norm.std}`] : []),
    ...(data?.holdOut ? ["--split", "0.5"] : []),
    ...(certify ? ["--certify"] : []),
    "-o",
    quoted(output),
  ].join(" ");
}

/** @param {string} name for a POSIX shell */
const quoted = (name) => (/^[\w./:,-]+$/.test(name) && !name.startsWith("-") ? name : `'${name.startsWith("-") ? "./" : ""}${name.replaceAll("'", `'\\''`)}'`);
