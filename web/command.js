// The command line that does what the page just did.

/**
 * @param {{model: string, target: import("../wasm/types.js").Target, method: string, polish: boolean, certify: boolean, data: import("./state.js").Data|null, output: string}} settings
 */
export function commandLine({ model, target, method, polish, certify, data, output }) {
  const option = { epsilon: "--epsilon", retain: "--retain", deviation: "--max-deviation" }[target.kind];
  return [
    "netlump",
    quoted(model),
    option,
    String(target.value),
    ...(method === "projected" ? [] : ["--method", method]),
    ...(polish ? [] : ["--no-polish"]),
    ...(data ? ["--data", quoted(data.table.source)] : []),
    ...(data?.table.labelColumns ? ["--labels", String(data.table.labelColumns)] : []),
    ...(data?.holdOut ? ["--split", "0.5"] : []),
    ...(certify ? ["--certify"] : []),
    "-o",
    quoted(output),
  ].join(" ");
}

/** @param {string} name for a POSIX shell */
const quoted = (name) => (/^[\w./-]+$/.test(name) && !name.startsWith("-") ? name : `'${name.startsWith("-") ? "./" : ""}${name.replaceAll("'", `'\\''`)}'`);
