// The command line: words, exit codes, what is printed and what is written.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync, copyFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import * as runtime from "onnxruntime-web/wasm";

import { createEngine } from "../wasm/index.js";
import { parseOptions, parseShare } from "../wasm/options.js";
import { apart } from "../wasm/lines.js";
import { METHODS, PRUNING, knowsTolerance } from "../wasm/methods.js";
import { comparisonCsv, curveCsv } from "../wasm/csv.js";
import { bar, columns, comparisonText, curveText, reasons } from "../wasm/text.js";
import { htmlReport } from "../wasm/report.js";
import { percent, short, size } from "../wasm/messages.js";
import { bytesOf, fixtureFile, jsonModel, materialFile, needsMaterial, sampleFile } from "./material.js";

const PROGRAM = fileURLToPath(new URL("../wasm/netlump.js", import.meta.url));
const room = mkdtempSync(join(tmpdir(), "netlump-"));
after(() => rmSync(room, { recursive: true }));

/** @param {...string} words */
function netlump(...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], { encoding: "utf8", cwd: room });
  return { status, stdout, stderr, json: () => JSON.parse(stdout) };
}
const ball = sampleFile("ball.onnx");
const ballRows = sampleFile("ball.csv");
/** The same without the polish, which has tests of its own. @param {...string} words */
const rough = (...words) => netlump(...words, "--no-polish");
writeFileSync(join(room, "tiny.json"), jsonModel([4, 16, 2]));
const TINY = ["tiny.json", "--rows", "300", "--no-verify"];
const usage = (/** @type {string[]} */ words, /** @type {RegExp} */ sentence) =>
  assert.throws(() => parseOptions(words), (/** @type {any} */ error) => error.code === "USAGE" && sentence.test(error.message), words.join(" "));

test("shares are read in percent and as fractions", () => {
  assert.deepEqual(["30%", "0.3", "30 %", "5.5%", "1e-5", ".02"].map(parseShare), [0.3, 0.3, 0.3, 0.055, 1e-5, 0.02]);
  for (const text of ["", "x", "3x", "%", "0x10", "1,5", "--3"]) assert.ok(Number.isNaN(parseShare(text)), text);
});

test("the words become what is to be done", () => {
  const options = parseOptions(["m.onnx", "--retain", "30%", "--data", "rows.csv", "--labels", "last", "--split", "50%", "-o", "s.json"]);
  assert.deepEqual(
    [options.command, options.model, options.target, options.labels, options.split, options.format, options.verify],
    ["compress", "m.onnx", { kind: "retain", value: 0.3 }, 1, 0.5, "json", true],
  );
  assert.deepEqual(parseOptions(["m.onnx"]).target, { kind: "epsilon", value: 0.02 });
  assert.deepEqual(parseOptions(["m.onnx", "--max-deviation", "1%"]).target, { kind: "deviation", value: 0.01 });
  assert.deepEqual([parseOptions(["curve", "m"]).command, parseOptions(["inspect", "m"]).model], ["curve", "m"]);
  assert.equal(parseOptions(["--help"]).command, "help");
  const way = parseOptions(["m", "--method", "polynomial", "--linkage", "erode", "--degree", "3", "--no-polish"]);
  assert.deepEqual([way.method, way.linkage, way.degree, way.polish], ["polynomial", "erode", 3, false]);
  assert.deepEqual([parseOptions(["m"]).polish, parseOptions(["curve", "m"]).polish, parseOptions(["compare", "m"]).polish], [true, false, true]);
  assert.deepEqual(parseOptions(["curve", "m", "--methods", "wanda, norm,wanda"]).methods, ["wanda", "norm"]);
  const { shares, split, methods } = parseOptions(["compare", "m", "--shares", "5%,0.5"]);
  assert.deepEqual([shares, split, methods.length], [[0.05, 0.5], 0.5, 10]);
});

test("words that make no sense are explained", () => {
  usage([], /Which model\?/);
  usage(["a", "b"], /“b” is one argument too many/);
  usage(["a", "--nonsense"], /nonsense/);
  usage(["a", "--retain", "30"], /a share such as 30% or 0\.3 is expected/);
  usage(["a", "--retain", "0"], /--retain 0/);
  usage(["a", "--epsilon", "x"], /--epsilon x: a number from 0 on/);
  usage(["a", "--epsilon", "0.1", "--retain", "0.5"], /not several/);
  usage(["a", "--labels", "2"], /Give --data FILE too/);
  usage(["a", "--data", "d", "--labels", "1.5"], /--labels 1\.5/);
  usage(["a", "--data", "d", "--split", "0"], /--split 0/);
  usage(["a", "--seed", "-1"], /seed/);
  usage(["a", "-o", "small.tflite"], /written as \.onnx or \.json/);
  usage(["curve", "a", "--epsilon", "1"], /--epsilon belongs to "netlump MODEL"/);
  usage(["a", "--csv", "c.csv"], /--csv belongs to "netlump curve MODEL"/);
  usage(["curve", "a", "--methods", "projected,wando"], /no method “wando”\. Methods: projected, .*, random/);
  usage(["a", "--methods", "wanda"], /--methods belongs to "netlump curve MODEL"/);
  usage(["curve", "a", "--method", "wanda"], /--method belongs to "netlump MODEL"/);
  usage(["a", "--shares", "5%"], /--shares belongs to "netlump compare MODEL"/);
  usage(["compare", "a", "--shares", "5%,200%"], /--shares 200%: shares such as/);
  usage(["compare", "a", "--shares", "5%,0.05"], /given twice/);
  usage(["compare", "a", "--linkage", "erode"], /--linkage belongs to/);
  usage(["a", "--linkage", "erode"], /--linkage is for the methods partition, adjoint/);
  usage(["a", "--method", "adjoint", "--linkage", "single"], /--linkage single: complete or erode/);
  usage(["a", "--method", "adjoint", "--degree", "3"], /--degree is for the method polynomial/);
  usage(["a", "--method", "polynomial", "--degree", "2.5"], /--degree 2\.5: a whole number/);
  usage(["a", "--polish", "--no-polish"], /not both/);
});

test("columns are said by name and number, and what they are for changes nothing but that", () => {
  const lists = (/** @type {string[]} */ ...words) => {
    const { labels, skip, standardize, data, beside } = parseOptions(["m", "--data", "d", ...words]);
    return [labels, skip, standardize, data, beside];
  };
  assert.deepEqual(lists("--labels", "target", "--skip", "id, date", "--standardize"), [["target"], ["id", "date"], true, "d", []]);
  assert.deepEqual(lists("--labels", "3,5-7"), [["3", "5-7"], [], false, "d", []]);
  assert.deepEqual(lists("--labels", "3", "--data", "e"), [3, [], false, "d", ["e"]]);
  assert.deepEqual(lists("--labels", "auto")[0], "auto");
  usage(["m", "--data", "d", "--skip", "a,,b"], /columns with commas between/);
  usage(["m", "--skip", "a"], /Give --data FILE too/);
  usage(["m", "--data", "d", "--divide", "2", "--standardize"], /Give one of --divide and --standardize/);
  const [, ...lines] = readFileSync(ballRows, "utf8").trim().split("\n");
  writeFileSync(join(room, "mixed.csv"), ["id,one,two,a,b,c,d,e,f,g,h", ...lines.map((line, i) => [`row${i}`, ...line.split(",").slice(-2), ...line.split(",").slice(0, 8)].join(","))].join("\n"));
  const one = rough(ball, "--data", ballRows, "--labels", "2", "--json", "--no-verify").json();
  const other = rough(ball, "--data", "mixed.csv", "--labels", "one,two", "--skip", "id", "--json", "--no-verify").json();
  assert.deepEqual([other.parameters, other.deviation, other.score], [one.parameters, one.deviation, one.score]);
  assert.match(rough(ball, "--data", "mixed.csv", "--json").stderr, /11 columns\. With --labels 2 --skip id the rest fits|With .*--skip/);
});

test("help and version answer, usage exits with 2", () => {
  const help = netlump("--help");
  assert.deepEqual([help.status, help.stderr], [0, ""]);
  for (const option of ["--epsilon", "--retain", "--max-deviation", "--data", "--labels", "--report", "--json", "--scalar"]) {
    assert.ok(help.stdout.includes(option), option);
  }
  assert.equal(netlump("--version").stdout, `${JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version}\n`);
  const wrong = netlump(ball, "--retain", "300%");
  assert.deepEqual([wrong.status, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /^netlump: --retain 300%/);
});

test("--json prints one object with everything a script needs, progress and colour nowhere", () => {
  const { status, stderr, stdout, json } = rough(ball, "--retain", "30%", "--json", "-o", "small.onnx");
  assert.deepEqual([status, stderr], [0, ""]);
  assert.doesNotMatch(stdout, /\x1b/); // eslint-disable-line no-control-regex
  const report = json();
  for (const key of ["netlump", "model", "method", "epsilon", "measure", "seed", "parameters", "retained", "bytes", "deviation", "largest", "verified", "score", "sites", "skipped"]) {
    assert.ok(key in report, key);
  }
  assert.ok(report.retained <= 0.3 && report.verified.agrees);
  assert.equal(report.bytes.after, readFileSync(join(room, "small.onnx")).length);
  assert.deepEqual([report.model, report.score], ["ball.onnx", null]);
});

test("the summary names sizes, deviation, check, layers and the file written", () => {
  const { status, stdout, stderr } = rough(ball, "--retain", "30%", "--data", ballRows, "--labels", "2", "--split", "0.5", "-o", "s.onnx");
  assert.deepEqual([status, stderr], [0, ""]);
  for (const part of [/parameters +[\d,]+ +→ +[\d,]+ +\d+\.\d %/, /deviation +[\d.]+ %/, /rows of ball\.csv/, /MSE .* kept out of the measure/, /ONNX Runtime Web .* agrees/, /128 +→ +\d+ +█/, /wrote s\.onnx/]) {
    assert.match(stdout, part);
  }
});

test("--quiet prints nothing, --no-verify does not run the runtime", () => {
  assert.deepEqual([rough(ball, "--quiet", "--no-verify", "-o", "q.onnx").stdout, existsSync(join(room, "q.onnx"))], ["", true]);
  assert.equal(rough(ball, "--no-verify", "--json").json().verified, null);
});

test("labels are for the score only: the same rows without them give the same model", () => {
  const rows = readFileSync(ballRows, "utf8").trim().split("\n").slice(0, 201);
  writeFileSync(join(room, "with.csv"), rows.join("\n"));
  writeFileSync(join(room, "without.csv"), rows.map((row) => row.split(",").slice(0, -2).join(",")).join("\n"));
  const one = rough(ball, "--data", "with.csv", "--labels", "2", "--json", "--no-verify", "-o", "one.onnx").json();
  const two = rough(ball, "--data", "without.csv", "--json", "--no-verify", "-o", "two.onnx").json();
  assert.deepEqual(readFileSync(join(room, "one.onnx")), readFileSync(join(room, "two.onnx")));
  assert.deepEqual([one.score.rows, one.score.heldOut, two.score], [200, false, null]);
  const held = rough(ball, "--data", "with.csv", "--labels", "2", "--split", "25%", "--json", "--no-verify").json();
  assert.deepEqual([held.measure.rows, held.score.rows, held.score.heldOut], [50, 150, true]);
});

test("--scalar writes the same bytes", () => {
  rough(ball, "--no-verify", "--quiet", "-o", "simd.onnx");
  rough(ball, "--no-verify", "--quiet", "--scalar", "-o", "scalar.onnx");
  assert.deepEqual(readFileSync(join(room, "simd.onnx")), readFileSync(join(room, "scalar.onnx")));
});

test("the ending of -o chooses the format, both ways", () => {
  writeFileSync(join(room, "net.json"), jsonModel([4, 20, 20, 2]));
  assert.equal(rough("net.json", "--retain", "50%", "-o", "net.onnx", "--quiet", "--no-verify").status, 0);
  assert.equal(netlump("inspect", "net.onnx", "--json").json().format, "onnx");
  assert.equal(rough("net.json", "--retain", "50%", "-o", "net2.json", "--quiet", "--no-verify").status, 0);
  assert.equal(JSON.parse(readFileSync(join(room, "net2.json"), "utf8")).format, "netlump");
  assert.equal(rough(ball, "--retain", "50%", "-o", "ball.json", "--quiet", "--no-verify").status, 0);
  assert.equal(netlump("inspect", "ball.json", "--json").json().format, "json");
});

test("inspect shows every layer, the reasons for those that stay, and nothing is written", () => {
  const { status, stdout } = netlump("inspect", ball);
  assert.equal(status, 0);
  assert.match(stdout, /layers: 2 sites to lump in 3 layers/);
  assert.match(stdout, /can be lumped/);
  assert.deepEqual(netlump("inspect", ball, "--json").json().sites.map((/** @type {any} */ site) => site.width), [128, 64]);
});

test("curve prints a table, CSV or JSON, sizes falling", () => {
  const { points, measure } = netlump("curve", ball, "--rows", "1000", "--points", "5", "--json").json();
  assert.equal(measure.kind, "normal");
  points.slice(1).forEach((/** @type {any} */ point, /** @type {number} */ i) => assert.ok(point.parameters < points[i].parameters));
  const lines = netlump("curve", ball, "--rows", "1000", "--points", "5", "--csv", "-").stdout.trim().split("\n");
  assert.equal(lines[0], "method,polished,epsilon,parameters,retained,deviation,score,widths");
  assert.equal(lines.length, points.length + 1);
  assert.match(netlump("curve", ball, "--rows", "1000", "--points", "3", "--csv", "c.csv").stdout, /ε +parameters +retained/);
  assert.match(readFileSync(join(room, "c.csv"), "utf8"), /^projected,false,/m);
});

test("every method makes a model of the share asked for, and the report says which", () => {
  for (const method of METHODS) {
    const { retained, method: said, epsilon, sites } = netlump(...TINY, "--method", method, "--retain", "50%", "--json", "--no-polish").json();
    assert.ok(said === method && retained <= 0.5, `${method} ${retained}`);
    assert.equal(epsilon === null, !knowsTolerance(method));
    assert.equal(sites[0].after === 16, PRUNING.includes(method), "pruning leaves every neuron");
  }
  const { stdout } = netlump(...TINY, "--method", "wanda", "--retain", "50%", "--no-polish");
  assert.match(stdout, /method +wanda: weights set to 0; the file stays as large/);
});

test("a method that knows no tolerance says so and exits with 2, given one or not", () => {
  for (const words of [["--epsilon", "0.1"], []]) {
    const { status, stderr } = netlump(...TINY, "--method", "wanda", ...words);
    assert.equal(status, 2);
    assert.match(stderr, /“wanda” .*knows no tolerance; give the share/);
  }
});

test("the polish is on by default, says what it brought, and is never applied at ε = 0", () => {
  const polished = netlump(...TINY, "--retain", "50%", "--json").json();
  const plain = netlump(...TINY, "--retain", "50%", "--json", "--no-polish").json();
  assert.ok(polished.polish.iterations > 0 && polished.polish.after < polished.polish.before);
  assert.ok(polished.deviation < plain.deviation && plain.polish === null);
  assert.match(netlump(...TINY, "--retain", "50%").stdout, /polish +\d+ steps without labels: deviation [\d.]+ % → [\d.]+ % on the rows held back/);
  assert.match(netlump(...TINY, "--retain", "50%", "--no-polish").stdout, /polish +none/);
  writeFileSync(join(room, "copies.json"), jsonModel([4, 8, 2], { copies: 2 }));
  const exact = netlump("copies.json", "--epsilon", "0", "--rows", "300", "--no-verify", "--json").json();
  assert.deepEqual([exact.polish, exact.sites[0].after], [null, 8]);
});

test("curve draws several methods, a block each, and says which give no point", () => {
  const words = ["curve", "tiny.json", "--rows", "300", "--points", "4", "--methods", "projected,wanda"];
  const { stdout } = netlump(...words);
  assert.match(stdout, /\nprojected\n[^]*\nwanda\n/);
  const { points } = netlump(...words, "--json").json();
  assert.deepEqual([...new Set(points.map((/** @type {any} */ point) => point.method))], ["projected", "wanda"]);
  const polished = netlump(...words, "--polish", "--json").json().points;
  assert.ok(polished.every((/** @type {any} */ point, /** @type {number} */ i) => point.polished && point.deviation <= points[i].deviation));
  const missing = curveText(points, "m", String, new Map([["adjoint", "not here"]]));
  assert.match(missing, /adjoint gives no point: not here/);
});

test("compare judges all methods on rows that were not used, and marks the best at each share", () => {
  const words = ["compare", "tiny.json", "--rows", "300", "--shares", "30%,60%", "--methods", "projected,norm,wanda,random"];
  const { status, stdout, stderr } = netlump(...words);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /scored on 4,096 fresh random inputs/);
  assert.match(stdout, /deviation, at retained parameters\n +30\.0 % +60\.0 %/);
  assert.match(stdout, /deviation, polished, at/);
  assert.equal(stdout.match(/%\*/g)?.length, 4, "one mark a column");
  assert.match(stdout, /wanda: weights set to 0/);
  const { entries, rows, shares } = netlump(...words, "--json").json();
  assert.deepEqual([rows.heldOut, shares, entries.length], [true, [0.3, 0.6], 16]);
  assert.ok(entries.every((/** @type {any} */ one) => one.missing === null && one.retained <= one.share && one.deviation > 0));
  const rough = netlump(...words, "--no-polish", "--csv", "-").stdout.trim().split("\n");
  assert.deepEqual([rough.length, rough[0]], [9, "method,polished,share,retained,parameters,epsilon,deviation,score,missing"]);
});

test("compare keeps half of the rows for scoring; with --split 1 it says that this flatters", () => {
  const words = ["compare", ball, "--data", "with.csv", "--labels", "2", "--shares", "50%", "--methods", "projected,wanda", "--no-polish"];
  const { stdout } = netlump(...words);
  assert.match(stdout, /scored on the 100 rows of with\.csv not used: 100 others decided/);
  assert.match(stdout, /MSE over the original's \([\d.e-]+\), at retained parameters\n[^]*projected +× [\d.]+\*/);
  assert.match(netlump(...words, "--split", "1").stdout, /same 200 rows of with\.csv that decided, which flatters/);
});

test("compare says what cannot be had, and fails only where nothing can", () => {
  const words = ["compare", "tiny.json", "--rows", "300", "--no-polish", "--methods", "projected,norm"];
  const { status, stdout } = netlump(...words, "--shares", "1%,60%");
  assert.equal(status, 0);
  assert.match(stdout, /– projected at 1\.0 %: .*cannot be met/);
  const none = netlump(...words, "--shares", "1%");
  assert.equal(none.status, 3);
  assert.match(none.stderr, /No method reaches any of these shares/);
});

test("what a comparison lacks stands below it, and a network much smaller than allowed has a note", () => {
  const one = { polished: false, share: 0.5, epsilon: null, score: null, polish: null, missing: null };
  const entries = /** @type {import("../wasm/types.js").Compared[]} */ ([
    { ...one, method: "projected", retained: 0.5, parameters: 50, deviation: 0.2 },
    { ...one, method: "adjoint", retained: 0.1, parameters: 10, deviation: 0.1 },
    { ...one, method: "forward", retained: null, parameters: null, deviation: null, missing: "not a chain, sorry" },
  ]);
  const rows = { count: 7, source: "x.csv", heldOut: true };
  const comparison = /** @type {import("../wasm/types.js").Comparison} */ ({ rows, score: null, shares: [0.5], methods: ["projected", "adjoint", "forward"], entries });
  const text = comparisonText(comparison, { name: "m", measure: { kind: "data", rows: 9, source: "x.csv" }, seed: 1 }, String);
  assert.match(text, /adjoint +10\.0 %\*a/);
  assert.match(text, /a adjoint has nothing nearer: it keeps 10\.0 %\n– forward: not a chain, sorry/);
  assert.equal(comparisonCsv(comparison).split("\n")[3], 'forward,false,0.5,,,,,,"not a chain, sorry"');
});

test("labels of lines are moved apart, in order and within bounds", () => {
  assert.deepEqual(apart([10, 12, 50], 10, 0, 100), [10, 20, 50]);
  assert.deepEqual(apart([98, 99], 10, 0, 100), [90, 100]);
  assert.deepEqual(apart([5, -5], 10, 0, 100), [10, 0]);
});

test("--report writes one page that loads nothing and hides no script", () => {
  assert.equal(rough(ball, "--retain", "30%", "--rows", "1000", "--report", "r.html", "--quiet", "--no-verify").status, 0);
  const page = readFileSync(join(room, "r.html"), "utf8");
  assert.match(page, /^<!doctype html>/);
  assert.match(page, /<polyline class="curve" points="[\d., ]+"/);
  assert.match(page, /method projected, at most 30\.0 % of the parameters/);
  assert.doesNotMatch(page, /class="name"/, "one line needs no name");
  assert.match(page, /Each point is one of 2 outputs of a row; .* \(600 random rows\)/);
  assert.equal(page.match(/class="pair"/g)?.length, 1200);
  assert.doesNotMatch(page, /<script|https?:|<link|<img|url\(|undefined|NaN/);
});

test("the report of a classifier shows which classes changed, every row counted once", () => {
  assert.equal(rough(sampleFile("digits.onnx"), "--data", sampleFile("digits.csv"), "--labels", "1", "--epsilon", "0.1", "--report", "d.html", "--quiet", "--no-verify").status, 0);
  const page = readFileSync(join(room, "d.html"), "utf8");
  const [, same, all] = /same answer on (\d+) of (\d+) rows; the reduced one answers as labelled on \d+ \(450 rows\)/.exec(page) ?? [];
  const rowsOf = (/** @type {string} */ kind) => [...page.matchAll(new RegExp(`class="${kind}"[^>]*><title>\\d → \\d: (\\d+) rows?<`, "g"))].reduce((sum, [, rows]) => sum + Number(rows), 0);
  assert.deepEqual([rowsOf("same"), rowsOf("same") + rowsOf("changed")], [Number(same), Number(all)]);
  assert.equal(Number(all), 450);
  assert.doesNotMatch(page, /undefined|NaN|class="pair"/);
});

test("the report of another method shows it beside projected lumping, and says what the polish brought", () => {
  assert.equal(netlump(...TINY, "--method", "wanda", "--retain", "50%", "--report", "w.html", "--quiet").status, 0);
  const page = readFileSync(join(room, "w.html"), "utf8");
  for (const part of [/method wanda/, /Parameters not 0/, /Every neuron stays/, /class="name"[^>]*>wanda</, /class="name"[^>]*>projected</, /stroke-dasharray="7 4"/, /Polish<\/dt>/]) assert.match(page, part);
  assert.doesNotMatch(page, /undefined|NaN/);
});

test("--certify bounds the worst case over the rows' range or a box, in summary, JSON and report", () => {
  const json = rough(...TINY, "--certify", "--retain", "50%", "--json", "--report", "c.html").json();
  const { bound, found, low, high } = json.certificate;
  assert.ok(found > 0 && found <= bound && low.length === 4 && low.every((/** @type {number} */ from, /** @type {number} */ i) => from < high[i]));
  assert.equal(json.measure.kind, "normal");
  const page = readFileSync(join(room, "c.html"), "utf8");
  for (const part of [/Worst case: nowhere in the box does an output change by more than/, /Not covered: the rounding inside the runtime/, /largest change found at/]) assert.match(page, part);
  assert.doesNotMatch(page, /undefined|NaN/);
  const box = rough(...TINY, "--certify", "--retain", "50%", "--box=-0.1:0.1,0:0.2,-0.3:0,1:1", "--json").json();
  assert.deepEqual([box.certificate.low, box.certificate.high, box.measure.kind], [[-0.1, 0, -0.3, 1], [0.1, 0.2, 0, 1], "box"]);
  assert.ok(box.certificate.bound < bound, "a smaller box has a smaller worst case");
  assert.match(rough(...TINY, "--certify", "--retain", "50%", "--box=0:0").stdout, /worst case +nowhere in the box does an output change by more than/);
  assert.equal(rough(...TINY, "--box=-1:1", "--json").json().certificate, null, "a box alone is what is measured on");
});

test("a worst case that cannot be had is no failure and says why; a box that is none is a usage error", () => {
  const without = rough(fixtureFile("residual.onnx"), "--retain", "80%", "--rows", "64", "--no-verify", "--certify", "--report", "n.html", "--json");
  assert.equal(without.status, 0);
  assert.match(without.json().certificate.unavailable, /two branches meet there/);
  assert.match(readFileSync(join(room, "n.html"), "utf8"), /Worst case: not available: /);
  for (const text of ["", "1", "1:", ":1", "1:0", "a:b", "0:1,", "0:1:2", "0:inf"]) usage(["a", `--box=${text}`], /LOW:HIGH is expected/);
  usage(["curve", "a", "--certify"], /--certify belongs to "netlump MODEL"/);
  usage(["curve", "a", "--box=0:1"], /--box belongs to "netlump MODEL"/);
  const { status, stderr } = rough(...TINY, "--certify", "--box=0:1,0:1");
  assert.deepEqual([status, /4 ranges, one for each input/.test(stderr)], [2, true]);
});

test("files that cannot be used exit with 1, the sentence on stderr, the fault as JSON", () => {
  writeFileSync(join(room, "empty.onnx"), "");
  writeFileSync(join(room, "bad.csv"), "1,2,3\n");
  for (const [words, sentence] of /** @type {[string[], RegExp][]} */ ([
    [["nowhere.onnx"], /There is no file nowhere\.onnx/],
    [["."], /is a folder/],
    [["empty.onnx"], /empty\.onnx/],
    [[ball, "--data", "nowhere.csv"], /There is no file nowhere\.csv/],
    [[ball, "--data", "bad.csv"], /reads 8 numbers a row; bad\.csv has 3 columns/],
    [[ball, "--no-verify", "-o", "no/such/folder.onnx"], /cannot be written/],
  ])) {
    const { status, stdout, stderr, json } = rough(...words, "--json");
    assert.equal(status, 1, words.join(" "));
    assert.match(stderr, sentence);
    assert.doesNotMatch(stderr, /\n.*at /, "no stack");
    assert.ok(stdout.length > 0 && json().error.message.length > 0 && json().error.code);
  }
});

test("nothing to lump exits with 3", () => {
  writeFileSync(join(room, "linear.json"), jsonModel([3, 2]));
  const linear = netlump("linear.json");
  assert.deepEqual([linear.status, linear.stdout], [3, ""]);
  assert.equal(netlump(ball, "--retain", "0.0001%").status, 3, "a share that cannot be reached");
});

test("the model itself is never overwritten", () => {
  copyFileSync(ball, join(room, "mine.onnx"));
  const { status, stderr } = netlump("mine.onnx", "-o", "./mine.onnx");
  assert.equal(status, 2);
  assert.match(stderr, /is the model itself/);
  assert.deepEqual(readFileSync(join(room, "mine.onnx")), readFileSync(ball));
});

const EXTERNAL = "derived_abalone_external.onnx";
/** A folder with the model whose weights lie beside it. @param {string} name */
function externalModel(name, { weights = true } = {}) {
  mkdirSync(join(room, name));
  copyFileSync(materialFile(`models/${EXTERNAL}`), join(room, name, EXTERNAL));
  if (weights) copyFileSync(materialFile(`models/${EXTERNAL}.data`), join(room, name, `${EXTERNAL}.data`));
  return `${name}/${EXTERNAL}`;
}

test("external weights are found beside the model, never outside its folder", needsMaterial, () => {
  assert.equal(rough(externalModel("in"), "--json").json().verified.agrees, true);
  const linked = externalModel("linked", { weights: false });
  assert.match(netlump(linked).stderr, /derived_abalone_external\.onnx\.data/);
  symlinkSync(materialFile(`models/${EXTERNAL}.data`), join(room, "linked", `${EXTERNAL}.data`));
  const out = netlump(linked);
  assert.equal(out.status, 1, "a link that leads out is not followed");
  assert.match(out.stderr, /is a link to a place outside the model's folder, so netlump does not open it/);
  mkdirSync(join(room, "linked/inside"));
  copyFileSync(materialFile(`models/${EXTERNAL}.data`), join(room, "linked/inside/w"));
  rmSync(join(room, "linked", `${EXTERNAL}.data`));
  symlinkSync("inside/w", join(room, "linked", `${EXTERNAL}.data`));
  assert.equal(netlump("inspect", linked).status, 0, "one that stays inside is");
  const { status, stderr } = netlump(materialFile("broken/external_path_traversal.onnx"));
  assert.equal(status, 1);
  assert.match(stderr, /outside the model's folder/);
});

/** Outputs of a model for one row of ones, its weights from beside it. @param {string} file */
async function outputsOf(file) {
  runtime.env.wasm.numThreads = 1;
  const data = `${file}.data`;
  const externalData = existsSync(join(room, data)) ? [{ path: basename(data), data: bytesOf(join(room, data)) }] : [];
  const session = await runtime.InferenceSession.create(bytesOf(join(room, file)), { externalData });
  const outputs = await session.run({ [session.inputNames[0]]: new runtime.Tensor("float32", new Float32Array(8).fill(1), [1, 8]) });
  return [.../** @type {Float32Array} */ (outputs[session.outputNames[0]].data)];
}

test("a model above the limit keeps its weights in a file beside it, one below has them inside, and both run", needsMaterial, async () => {
  const model = externalModel("apart");
  const { bytes } = rough(model, "--rows", "1000", "--epsilon", "0.05", "-o", "apart/inside.onnx", "--json").json();
  assert.equal(existsSync(join(room, "apart/inside.onnx.data")), false);
  const report = rough(model, "--rows", "1000", "--epsilon", "0.05", "-o", "apart/outside.onnx", "--external-above", "1000", "--certify", "--json").json();
  const [small, data] = ["outside.onnx", "outside.onnx.data"].map((name) => bytesOf(join(room, "apart", name)).length);
  assert.equal(report.bytes.after, small + data);
  assert.equal(report.bytes.before, bytes.before);
  assert.equal(bytes.before, bytesOf(materialFile(`models/${EXTERNAL}`)).length + bytesOf(materialFile(`models/${EXTERNAL}.data`)).length);
  assert.ok(small < bytes.after / 2 && data > bytes.after / 2);
  assert.equal(report.verified.agrees, true);
  assert.ok(report.certificate.bound > 0, "the certificate speaks of the two files");
  assert.deepEqual(await outputsOf("apart/outside.onnx"), await outputsOf("apart/inside.onnx"));
  assert.equal(rough("apart/outside.onnx", "--rows", "1000", "--retain", "50%", "--json").json().verified.agrees, true, "it opens again");
});

test("weights go along where nothing changes, and the model's own are never written over", needsMaterial, async () => {
  const model = externalModel("kept");
  assert.equal(rough(model, "--retain", "100%", "-o", "elsewhere/same.onnx").status, 1, "no folder is made for the model");
  mkdirSync(join(room, "elsewhere"));
  assert.equal(rough(model, "--retain", "100%", "-o", "elsewhere/same.onnx").status, 0);
  assert.deepEqual(bytesOf(join(room, "elsewhere", `${EXTERNAL}.data`)), bytesOf(join(room, `kept/${EXTERNAL}.data`)));
  const before = bytesOf(join(room, `kept/${EXTERNAL}.data`));
  copyFileSync(join(room, model), join(room, "kept/renamed.onnx"));
  const { status, stderr } = rough("kept/renamed.onnx", "--retain", "50%", "--external-above", "1", "-o", `kept/${EXTERNAL}`);
  assert.equal(status, 2);
  assert.match(stderr, /holds weights of the model itself/);
  assert.deepEqual(bytesOf(join(room, `kept/${EXTERNAL}.data`)), before);
});

test("columns line up and reasons are counted", () => {
  assert.deepEqual(columns([["a", "1"], ["bbb", "22"]], [1]), ["a     1", "bbb  22"]);
  assert.deepEqual([bar(0.5, 4), bar(0.001, 4), bar(0.999, 4), bar(0, 4), bar(1, 4)], ["██░░", "█░░░", "███░", "░░░░", "████"]);
  const skipped = [..."abc"].map((node) => ({ node, reason: "is a convolution" }));
  assert.deepEqual(reasons([...skipped, { node: "z", reason: "output of the model" }]), ["a and 2 more  is a convolution", "z             output of the model"]);
  const point = { method: /** @type {const} */ ("projected"), polished: true, epsilon: 0.1, parameters: 5, retained: 0.5, deviation: 0.01, score: null, widths: [1, 2] };
  assert.equal(curveCsv([point]).split("\n")[1], "projected,true,0.1,5,0.5,0.01,,1 2");
});

test("numbers read well", () => {
  assert.deepEqual([0, 0.0531, 1, 0.9999, 0.00012, 2e-7, 2.5].map(percent), ["0 %", "5.3 %", "100 %", "99.99 %", "0.012 %", "2.0e-5 %", "250.0 %"]);
  assert.deepEqual([950, 19865, 1.5e6, 2e8].map(size), ["950 B", "19.9 kB", "1.5 MB", "200 MB"]);
  assert.deepEqual([0, 0.12345, 1234567, 1e-7].map(short), ["0", "0.123", "1.23e+6", "1.00e-7"]);
});

test("the report escapes what files and nodes are called", async () => {
  const engine = await createEngine();
  const model = engine.open(bytesOf(ball), '<b onload="x">.onnx');
  const result = await (await model.path()).compress({ kind: "retain", value: 0.5 });
  const page = htmlReport({ ...result.report, bytes: { before: 2, after: 1 }, verified: null, score: null, skipped: [{ node: "<i>", reason: "a & b" }] });
  assert.match(page, /&lt;b onload=&quot;x&quot;&gt;\.onnx/);
  assert.match(page, /&lt;i&gt;<\/td><td>a &amp; b/);
  model.free();
});
