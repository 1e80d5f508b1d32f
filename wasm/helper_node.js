// A pool's thread in Node.
import { parentPort } from "node:worker_threads";

import { createHelper } from "./helper.js";

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
port.on("message", createHelper((reply, transfer) => port.postMessage(reply, transfer)));
