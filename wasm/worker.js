// The worker of the page: the service on the other end of client.js. The first message says where the files are that it needs:
// beside it, or in the message, packed (packed.js), by name. Or it says that this is one of the threads that such a worker starts from
// its own script (pool.js).
import { expose } from "comlink";

import { createHelper } from "./helper.js";
import { plain, unpacked } from "./packed.js";
import { bringRuntime, doWithoutRuntime } from "./runtime.js";
import { createService } from "./service.js";

const RUNTIME = "ort-wasm-simd-threaded.wasm";

const HELP = "help";

/** @param {() => string} address of this script @param {WorkerType} type @returns {import("./pool.js").SpawnHelper} */
const helperOf = (address, type) => (hear, gone) => {
  const worker = new Worker(address(), { type, name: "netlump helper" });
  worker.addEventListener("message", ({ data }) => hear(data));
  worker.addEventListener("error", gone);
  worker.postMessage(HELP);
  return { send: (order, transfer) => worker.postMessage(order, transfer), end: () => worker.terminate() };
};

function help() {
  const does = createHelper((reply, transfer) => /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self)).postMessage(reply, transfer));
  addEventListener("message", ({ data }) => does(data));
}

/** @type {string|undefined} */
let copy;
/** A page on a disk has no origin, and its worker is denied the address that it came from itself. @param {Record<string, string>} files */
const ownCopy = (files) => (copy ??= URL.createObjectURL(new Blob([plain(files["worker.js"])], { type: "text/javascript" })));

/** @param {Record<string, string>|null} files */
function start(files) {
  const source = (/** @type {string} */ name) => (files ? () => unpacked(files[name]) : new URL(name, import.meta.url));
  if (files?.[RUNTIME]) bringRuntime(() => unpacked(files[RUNTIME]));
  else if (files) doWithoutRuntime();
  const [wasm, formats, pictures] = ["netlump.wasm", "formats.wasm", "pictures.wasm"].map(source);
  expose(createService({ wasm, formats, pictures, spawn: files ? helperOf(() => ownCopy(files), "classic") : helperOf(() => location.href, "module") }));
}

addEventListener("message", ({ data }) => (data === HELP ? help() : start(data)), { once: true });
