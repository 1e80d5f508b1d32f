// What a first visit loads: the files a browser asked for, and what each weighs, gzipped.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { dist } from "./built.js";

const RUNTIME = /\/ort[.-]/;

/**
 * The page's own files among the addresses, gzipped; the samples' files and ONNX Runtime not among them.
 * @param {import("playwright-core").Page} page
 * @param {string} url the page's address, with a slash at its end
 * @param {string[]} requests
 * @returns {Promise<{name: string, size: number}[]>} in the order they were asked for
 */
export async function weights(page, url, requests) {
  // What the browser asks for by itself, unseen by requests; the touch icon is asked for by who keeps the page on a home screen.
  const links = await page.$$eval("link[href]:not([rel=apple-touch-icon])", (found) => found.map((link) => /** @type {HTMLLinkElement} */ (link).href));
  const names = [...new Set([...requests, ...links])].filter((one) => one.startsWith(url) && !RUNTIME.test(one)).map((one) => one.slice(url.length) || "index.html");
  return names.filter((name) => !name.startsWith("samples/")).map((name) => ({ name, size: gzipSync(readFileSync(join(dist, name)), { level: 9 }).length }));
}

/** @param {{size: number}[]} files */
export const sumOf = (files) => files.reduce((total, { size }) => total + size, 0);
