// Working without a network, as the page sees it: whether all is kept, and whether a new version waits.
import { signal } from "@preact/signals";

import { single } from "./assets.js";

export const offline = {
  /** Everything the page can do works without a network. */
  ready: signal(false),
  /** A new version waits to be taken; "elsewhere": other windows must be closed first. @type {import("@preact/signals").Signal<"asks"|"elsewhere"|null>} */
  update: signal(null),
};

/** @type {ServiceWorker|null} */
let next = null;

/** @param {ServiceWorker} worker @param {"complete"|"takeOver"} what @returns {Promise<boolean>} */
const ask = (worker, what) =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data);
    worker.postMessage(what, [port2]);
  });

/** Says that a new version is there, once it is all there. @param {ServiceWorkerRegistration} registration */
function watch(registration) {
  const found = (/** @type {ServiceWorker|null} */ worker) => {
    if (!worker || !navigator.serviceWorker.controller) return; // the first one has nothing to replace
    next = worker;
    offline.update.value = "asks";
  };
  found(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => worker.state === "installed" && found(worker));
  });
}

/** Keeps the page for the next time. Nothing is said where that cannot be: from a file, in a private window, without https. */
export async function keepOffline() {
  if (single || !("serviceWorker" in navigator)) return;
  try {
    watch(await navigator.serviceWorker.register("service-worker.js"));
    const { active } = await navigator.serviceWorker.ready;
    // The runtime is large: who saves data fetches it when it is used.
    const saves = /** @type {any} */ (navigator).connection?.saveData === true;
    if (active && !saves) offline.ready.value = await ask(active, "complete");
  } catch {
    // then it works online
  }
}

/** Takes the new version, where no other window shows the old one. */
export async function takeUpdate() {
  if (!next) return;
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  if (!(await ask(next, "takeOver"))) offline.update.value = "elsewhere";
}

export const declineUpdate = () => (offline.update.value = null);
