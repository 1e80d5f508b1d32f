// A small static server for the built page: node web/serve.mjs [FOLDER] [PORT]. Takes the next free port and prints its
// address. Importable by tests: `const { url, close } = await serve("dist", 0)`.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".wasm": "application/wasm",
  ".onnx": "application/octet-stream",
};
const PORTS_TRIED = 20;

/**
 * The file a request names, or null when it lies outside the folder or is not well formed.
 * @param {string} root absolute
 * @param {string} target the request's target, "/styles/page.css?v=1"
 */
export function fileOf(root, target) {
  try {
    const path = decodeURIComponent(target.split(/[?#]/, 1)[0]);
    if (path.includes("\0")) return null;
    const file = resolve(join(root, path.endsWith("/") ? `${path}index.html` : path));
    return file.startsWith(root + sep) ? file : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} root absolute
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 */
async function answer(root, request, response) {
  const refuse = (/** @type {number} */ status) => response.writeHead(status, { "content-type": "text/plain" }).end(`${status}\n`);
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(405);
  const file = fileOf(root, request.url ?? "/");
  const facts = file === null ? null : await stat(file).catch(() => null);
  if (file === null || !facts?.isFile()) return refuse(404);
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": facts.size,
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
  });
  if (request.method === "HEAD") return response.end();
  createReadStream(file).on("error", () => response.destroy()).pipe(response);
}

/**
 * @param {string} folder
 * @param {number} [port] 0: any free one; otherwise the first free one from here on
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function serve(folder, port = 0) {
  const root = resolve(folder);
  const server = createServer((request, response) => void answer(root, request, response));
  for (let tried = 0; ; tried++) {
    try {
      await listen(server, port === 0 ? 0 : port + tried);
      break;
    } catch (error) {
      const taken = /** @type {NodeJS.ErrnoException} */ (error).code === "EADDRINUSE";
      if (!taken || tried + 1 >= PORTS_TRIED) throw error;
    }
  }
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => new Promise((/** @type {(value: void) => void} */ done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
  return { url: `http://localhost:${address.port}/`, close };
}

/** Listens on this machine only. */
function listen(/** @type {import("node:http").Server} */ server, /** @type {number} */ port) {
  return new Promise((/** @type {(value: void) => void} */ done, fail) => {
    server.once("error", fail);
    server.listen(port, "localhost", () => {
      server.off("error", fail);
      done();
    });
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder = "dist", port = "8080"] = process.argv.slice(2);
  const { url } = await serve(folder, Number(port));
  console.log(`\nThe page: ${url}   (Ctrl-C stops)`);
}
