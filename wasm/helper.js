// helper: the other end of a pool's thread. Opens the model it is sent and does job after job; a job that fails is answered by nothing,
// and the one that gave it does it again and finds out why.
import { Model } from "./engine.js";
import { Formats } from "./formats.js";
import { Core } from "./loader.js";

/** @typedef {import("./pool.js").Order} Order @typedef {import("./pool.js").Reply} Reply */

/** @param {(reply: Reply, transfer: ArrayBuffer[]) => void} answer @returns {(order: Order) => void} */
export function createHelper(answer) {
  /** @type {Promise<(input: Float64Array) => Float64Array>} */
  let ready = Promise.reject(new Error("no model yet"));
  ready.catch(() => {});
  let last = Promise.resolve();
  return (order) => {
    if ("open" in order) ready = open(order.open);
    else last = last.then(() => ready.then((does) => does(order.input))).then(
      (output) => answer({ job: order.job, output }, [/** @type {ArrayBuffer} */ (output.buffer)]),
      () => answer({ job: order.job, output: null }, []),
    ); // prettier-ignore
  };
}

/** @param {import("./pool.js").Opening} opening @returns {Promise<(input: Float64Array) => Float64Array>} */
async function open({ module, source, name, files, seed }) {
  const core = await Core.of(module);
  const model = await Model.load(core, new Formats(), source, name, files, new Map()); // ONNX, whatever it came in
  return model.helper(seed);
}
