import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";

import { fileOf, serve } from "../web/serve.mjs";

let folder = "";
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "netlump-serve-"));
  await mkdir(join(folder, "public"));
  await writeFile(join(folder, "public", "index.html"), "<p>page</p>");
  await writeFile(join(folder, "public", "core.wasm"), "\0asm");
  await writeFile(join(folder, "secret.txt"), "secret");
  site = await serve(join(folder, "public"));
});
after(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

test("the server answers / with index.html", async () => {
  const answer = await fetch(site.url);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
  assert.equal(await answer.text(), "<p>page</p>");
});

test("the server sends WebAssembly with the type that streaming compilation asks for", async () => {
  const answer = await fetch(`${site.url}core.wasm`);
  assert.equal(answer.headers.get("content-type"), "application/wasm");
  assert.equal((await answer.arrayBuffer()).byteLength, 4);
});

test("the server gives nothing outside its folder", async () => {
  // fetch would tidy the path up before sending it
  for (const path of ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/public/../../secret.txt", "/%", "/a%00b", "/missing"]) {
    const status = await new Promise((done, fail) =>
      request(site.url, { path }, (answer) => done(answer.resume().statusCode)).on("error", fail).end());
    assert.equal(status, 404, path);
  }
});

test("the server refuses anything but reading", async () => {
  assert.equal((await fetch(site.url, { method: "POST", body: "x" })).status, 405);
});

test("a folder whose name begins like the root's is outside", () => {
  assert.equal(fileOf(resolve("/srv/dist"), "/../dist-private/a"), null);
});

test("the server takes the next port when the first is taken", async () => {
  const port = Number(new URL(site.url).port);
  const other = await serve(folder, port);
  assert.notEqual(new URL(other.url).port, String(port));
  await other.close();
});
