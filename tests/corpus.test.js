// The fuzzing targets, in the ordinary build, on the corpus in the repository: what was found once is found at once.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const corpus = join(root, "tests/fuzz/corpus");
const filesIn = (/** @type {string} */ folder) => (existsSync(join(corpus, folder)) ? readdirSync(join(corpus, folder)).map((name) => join(corpus, folder, name)) : []);

test("the corpus stays small", () => {
  const sizes = readdirSync(corpus).flatMap(filesIn).map((file) => statSync(file).size);
  assert.ok(Math.max(...sizes) < 4096 && sizes.reduce((a, b) => a + b, 0) < 200_000);
});

for (const target of ["onnx", "narrow", "channels", "graph", "json", "image"]) {
  const program = join(root, "build/replay", `${target}_fuzz`);
  const skip = existsSync(program) ? false : `${program} is not built`;
  test(`the laws of ${target}_fuzz hold on every file of the corpus`, { skip }, () => {
    const shared = target === "narrow" || target === "channels" ? filesIn("onnx") : [];
    const files = [...shared, ...filesIn(target)];
    assert.ok(files.length > 5);
    const { status, signal, stderr } = spawnSync(program, files, { encoding: "utf8" });
    assert.deepEqual({ status, signal }, { status: 0, signal: null }, `it ended at ${stderr.trim().split("\n").at(-1)}`);
  });
}
