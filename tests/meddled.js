// A pool's thread that is none, for tests that count what it does or meddle with it.
import { createHelper } from "../wasm/helper.js";

/** @typedef {import("../wasm/pool.js").SpawnHelper} SpawnHelper @typedef {import("../wasm/pool.js").Reply} Reply */

/** @param {(reply: Reply, gone: () => void) => Reply|null} pass what is heard of it @returns {SpawnHelper} */
export const meddled = (pass) => (hear, gone) => {
  let ended = false;
  const does = createHelper((reply) => {
    const passed = ended ? null : pass(reply, gone);
    if (passed) hear(passed);
  });
  return { send: does, end: () => void (ended = true) };
};
