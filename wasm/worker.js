// The worker of the page: the service on the other end of client.js. The first message says where the files are that it needs:
// beside it, or in the message, packed (packed.js), by name.
import { expose } from "comlink";

import { unpacked } from "./packed.js";
import { bringRuntime, doWithoutRuntime } from "./runtime.js";
import { createService } from "./service.js";

const RUNTIME = "ort-wasm-simd-threaded.wasm";

/** @param {Record<string, string>|null} files */
function start(files) {
  const source = (/** @type {string} */ name) => (files ? () => unpacked(files[name]) : new URL(name, import.meta.url));
  if (files?.[RUNTIME]) bringRuntime(() => unpacked(files[RUNTIME]));
  else if (files) doWithoutRuntime();
  expose(createService(source("netlump.wasm"), source("pictures.wasm")));
}

addEventListener("message", ({ data }) => start(data), { once: true });
