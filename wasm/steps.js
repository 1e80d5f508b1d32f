// steps: long work a little at a time, so that signals are heard and pages keep moving.

/**
 * @typedef {import("./types.js").Progress} Progress
 * @typedef {{signal?: AbortSignal, onProgress?: (progress: Progress) => void}} Watch
 * @typedef {{more: boolean, fraction: number, stage?: Progress["stage"]}} Turn   what a step did
 */

/** Lets the event loop run. @type {() => Promise<void>} */
export const breathe = (() => {
  if (typeof setImmediate === "function") return () => new Promise((/** @type {(value: void) => void} */ resolve) => setImmediate(resolve));
  const { port1, port2 } = new MessageChannel(); // setTimeout would wait 4 ms each time
  /** @type {(() => void)[]} */
  const waiting = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((/** @type {() => void} */ resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
})();

/**
 * Runs `step` until it has no more to do.
 * @param {() => Turn|Promise<Turn>} step
 * @param {Progress["stage"]} stage where the step names none
 * @param {Watch} watch
 */
export async function runSteps(step, stage, { signal, onProgress }) {
  for (;;) {
    signal?.throwIfAborted();
    const { more, fraction, stage: own = stage } = await step();
    onProgress?.({ stage: own, fraction: more ? fraction : 1 });
    if (!more) return;
    await breathe();
  }
}
