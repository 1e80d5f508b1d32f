// The service worker: keeps the page's files, so that it opens without a network.
//
// FILES has every file with the hash of its content, LATER those that are kept once the page works: both by build.mjs. What is kept is
// kept under "name?hash", in one cache a copy of the page, so that a new version fetches only what has changed. A new version
// waits until the page says "take over" and no other window is open: no code changes under an open model.
/// <reference lib="webworker" />

/** @typedef {{FILES: Record<string, string>, LATER: string[]}} Built */

const worker = /** @type {ServiceWorkerGlobalScope & Built} */ (/** @type {unknown} */ (self));
const files = worker.FILES;
const later = worker.LATER;
const scope = worker.registration.scope;
const CACHE = `netlump ${scope}`;

/** @param {string} name */
const keyOf = (name) => `${scope}${name}?${files[name]}`;

/** @param {ArrayBuffer} bytes */
async function hashOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Fetches a file that is not kept yet; a host that is between two versions is refused. @param {string} name */
async function keep(name) {
  const cache = await caches.open(CACHE);
  if (await cache.match(keyOf(name))) return;
  const response = await fetch(scope + name, { cache: "no-cache" });
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  const bytes = await response.clone().arrayBuffer();
  if ((await hashOf(bytes)) !== files[name]) throw new Error(`${name} is of another version`);
  await cache.put(keyOf(name), new Response(bytes, { headers: { "content-type": response.headers.get("content-type") ?? "" } }));
}

/** Whether everything is there, once it has been tried. */
async function complete() {
  try {
    for (const name of later) await keep(name);
    const cache = await caches.open(CACHE);
    const kept = await Promise.all(Object.keys(files).map((name) => cache.match(keyOf(name))));
    return kept.every((response) => response !== undefined);
  } catch {
    return false; // no network, or no room: it works online, and is tried again with the next visit
  }
}

async function dropOthers() {
  const cache = await caches.open(CACHE);
  const ours = new Set(Object.keys(files).map(keyOf));
  for (const { url } of await cache.keys()) if (!ours.has(url)) await cache.delete(url);
}

/** Takes over from the version before, unless other windows are open; says whether it does. */
async function takeOver() {
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (windows.filter(({ url }) => url.startsWith(scope)).length > 1) return false;
  await worker.skipWaiting();
  return true;
}

/** @param {string} url @returns {string|null} of a file of ours */
function nameOf(url) {
  const [plain] = url.split(/[?#]/, 1);
  if (!plain.startsWith(scope)) return null;
  const name = plain.slice(scope.length) || "index.html";
  return name in files ? name : null;
}

/** @param {Request} request @param {string} name */
async function answer(request, name) {
  const cache = await caches.open(CACHE);
  return (await cache.match(keyOf(name))) ?? fetch(request);
}

worker.addEventListener("install", (event) => {
  const now = Object.keys(files).filter((name) => !later.includes(name));
  event.waitUntil(Promise.all(now.map(keep)));
});

worker.addEventListener("activate", (event) => event.waitUntil(dropOthers().then(() => worker.clients.claim())));

worker.addEventListener("fetch", (event) => {
  const name = event.request.method === "GET" ? nameOf(event.request.url) : null;
  if (name !== null) event.respondWith(answer(event.request, name));
});

worker.addEventListener("message", (event) => {
  const asked = { complete, takeOver }[/** @type {"complete"|"takeOver"} */ (event.data)];
  if (asked) event.waitUntil(asked().then((said) => event.ports[0].postMessage(said)));
});
