// The worker of the page: the service on the other end of client.js. The bundle keeps netlump.wasm beside it.
import { expose } from "comlink";

import { createService } from "./service.js";

expose(createService(new URL("netlump.wasm", import.meta.url)));
