// The page's plain functions.
import assert from "node:assert/strict";
import { test } from "node:test";

import { text } from "../../web/messages.js";
import { axisAround, enclosing, interpolate, logTicks } from "../../web/charts/ticks.js";
import { moved, nearestStop } from "../../web/charts/cursor.js";
import { commandLine } from "../../web/command.js";
import { numbersIn } from "../../web/files.js";
import { accuracy, number, percent, share, shortName, size, upper } from "../../web/format.js";
import { readAddress, writeAddress } from "../../web/address.js";
import { expectedAt } from "../../web/expected.js";
import { linkOf, settingsOf } from "../../web/link.js";
import { remaining } from "../../web/remaining.js";
import { STEPS, boxText, dialOf, dials, dialsFor, firstEpsilon, parse, positionOf, scoreDial, targetFrom, valueAt } from "../../web/targets.js";


test("the slider's position and value are each other's inverse at every step", () => {
  for (const dial of Object.values(dials)) {
    for (let position = 0; position <= STEPS; position++) {
      assert.equal(positionOf(dial, valueAt(dial, position)), position, dial.kind);
    }
    assert.equal(valueAt(dial, 0), dial.from);
    assert.equal(valueAt(dial, STEPS), dial.to);
  }
});

test("right is smaller on every slider", () => {
  assert.ok(valueAt(dials.epsilon, 200) > valueAt(dials.epsilon, 100));
  assert.ok(valueAt(dials.deviation, 200) > valueAt(dials.deviation, 100));
  assert.ok(valueAt(dials.retain, 200) < valueAt(dials.retain, 100));
});

test("the number box takes commas and percent signs and refuses the rest", () => {
  assert.equal(parse(dials.epsilon, "0,02"), 0.02);
  assert.equal(parse(dials.epsilon, "1e-5"), 1e-5);
  assert.equal(parse(dials.epsilon, "0"), 0);
  assert.equal(parse(dials.retain, "30 %"), 0.3);
  for (const [dial, text] of /** @type {const} */ ([["epsilon", ""], ["epsilon", "x"], ["epsilon", "-1"], ["epsilon", "2"], ["retain", "0"], ["retain", "101"]])) {
    assert.equal(parse(dials[dial], text), null, `${dial} "${text}"`);
  }
});

test("what the number box shows reads back as the same value", () => {
  for (const dial of Object.values(dials)) {
    for (const value of [dial.from, dial.start, valueAt(dial, 77)]) assert.equal(parse(dial, boxText(dial, value)), value);
  }
});

test("another target starts at what the present result reached, never below it", () => {
  const report = /** @type {any} */ ({ epsilon: 0.0312345, retained: 0.096123, deviation: 0.024111 });
  assert.deepEqual(targetFrom("retain", report), { kind: "retain", value: 0.0962 });
  assert.deepEqual(targetFrom("deviation", report), { kind: "deviation", value: 0.0242 });
  assert.equal(targetFrom("retain", null).value, dials.retain.start);
});

test("the first tolerance that removes a neuron is rounded up, so that it does", () => {
  const path = /** @type {any} */ ({ sites: [{ deviation: [0.0131234, 1] }, { deviation: [0.5] }, { deviation: [] }] });
  assert.equal(firstEpsilon(path), 0.0132);
  assert.equal(firstEpsilon(/** @type {any} */ ({ sites: [] })), Infinity);
});

test("what is typed as mean or std becomes numbers, or nothing, or is refused", () => {
  assert.deepEqual([numbersIn(" "), numbersIn("0.5"), numbersIn("0.1, .2,3")], [undefined, [0.5], [0.1, 0.2, 3]]);
  assert.deepEqual([numbersIn("1,"), numbersIn("x"), numbersIn("1;2")], [null, null, null]);
});

test("numbers read well", () => {
  assert.deepEqual([0.0241, 0.339, 1, 0, 1e-7].map(percent), ["2.4 %", "33.9 %", "100 %", "0 %", "< 0.001 %"]);
  assert.deepEqual([0.02, 0.52, 0.1, 1, 0].map(share), ["2.0 %", "52.0 %", "10.0 %", "100 %", "0 %"]);
  assert.deepEqual([0.98, 0.9764].map(accuracy), ["98.0 %", "97.6 %"]);
  assert.deepEqual([999, 2100, 398_000, 2_300_000].map(size), ["999 B", "2.1 KB", "398 KB", "2.3 MB"]);
  assert.deepEqual([0.2334, 0, 0.0000012].map(number), ["0.233", "0", "1.2e−6"]);
});

test("a bound is never printed below itself", () => {
  assert.deepEqual([3.97337, 3.97, 0.0031001, 9.996, 1.21e-5, 9.99e-5, 1000.4, 0].map(upper), ["3.98", "3.97", "0.00311", "10", "1.3e−5", "0.0001", "1,010", "0"]);
  for (let i = 1; i < 2000; i += 1) assert.ok(Number(upper(i ** 3 / 7e6).replaceAll(",", "").replace("−", "-")) >= i ** 3 / 7e6, String(i));
});

test("a layer's name is its telling part", () => {
  assert.equal(shortName("/net/net.0/Gemm"), "net.0");
  assert.equal(shortName("Gemm_0"), "Gemm_0");
  assert.equal(shortName("fc1"), "fc1");
  assert.ok(shortName("a_very_long_name_of_a_layer_indeed", 12).length <= 12);
});

test("ticks of a logarithmic axis are round, inside, and few", () => {
  assert.deepEqual(logTicks(0.003, 0.3), [0.003, 0.01, 0.03, 0.1, 0.3]);
  assert.ok(logTicks(1e-9, 1, [1], 5).length <= 5);
  for (const [low, high] of [
    [0.989, 0.994],
    [0.5, 0.5],
    [0.02, 0.07],
    [0.003, 0.3],
  ]) {
    const { ends, ticks } = axisAround(low, high);
    assert.ok(ends[0] <= low && ends[1] >= high && ticks.length >= 3 && ticks.length <= 8, `${low} to ${high}`);
    const places = ticks.map((tick) => Math.log(tick / ends[0]) / Math.log(ends[1] / ends[0]));
    places.forEach((place, i) => assert.ok(place >= 0 && place <= 1 && (i === 0 || place - places[i - 1] > 0.05), `${low} to ${high}: ${ticks.join(" ")}`));
  }
  assert.deepEqual(axisAround(0.9, 8, 9).ends, [0.5, 9]);
});

test("a logarithmic axis begins and ends at round values around its points", () => {
  assert.deepEqual(enclosing(0.015, 0.8, [1, 3]), [0.01, 1]);
  assert.deepEqual(enclosing(0.03, 0.3, [1, 3]), [0.03, 0.3]);
});

test("a point between two of the curve lies on the straight line of a log-log plot", () => {
  const line = [{ x: 0.01, y: 1 }, { x: 1, y: 0.01 }];
  assert.ok(Math.abs(/** @type {number} */ (interpolate(line, 0.1)) - 0.1) < 1e-12);
  assert.equal(interpolate(line, 0.001), null);
});

test("the cursor of a chart follows arrows and pointer and stays inside", () => {
  assert.deepEqual([moved(-1, 3, "ArrowRight"), moved(2, 3, "ArrowRight"), moved(0, 3, "ArrowLeft"), moved(1, 3, "End"), moved(1, 3, "x"), moved(0, 0, "End")], [0, 2, 0, 2, null, null]);
  const stops = [{ x: 0, y: 0 }, { x: 10, y: 100 }, { x: 20, y: 0 }];
  assert.equal(nearestStop(stops, 11, 0, "x"), 1);
  assert.equal(nearestStop(stops, 11, 0, "xy"), 2);
});

test("the copied command says what the page did", () => {
  const base = { model: "net.onnx", target: /** @type {const} */ ({ kind: "deviation", value: 0.01 }), method: "projected", polish: true, certify: false, data: null, output: "o" };
  const with_ = (/** @type {any} */ data) => commandLine({ ...base, data: { share: 1, reading: { scale: "none", norm: {} }, ...data } });
  const roles = ["out", "input", "input", "label"];
  assert.equal(
    commandLine({ ...base, certify: true, data: /** @type {any} */ ({ table: { roles: roles.slice(1), names: null }, share: 0.5, file: { name: "my rows.csv" }, reading: { scale: "none", norm: {} } }), output: "net.small.onnx" }),
    "netlump net.onnx --max-deviation 0.01 --data 'my rows.csv' --labels 1 --split 0.5 --certify -o net.small.onnx",
  );
  assert.match(with_({ table: { roles, names: ["id", "a", "b", "y"] }, share: 0.7, file: { name: "r.csv" }, reading: { scale: "standardize", norm: {} } }), / --data r\.csv --labels 1 --skip id --standardize --split 0\.7 -o o$/);
  assert.match(with_({ table: { roles: ["label", "input", "label", "out"], names: ["a, b", "x", "my y", "3"] }, file: { name: "r.csv" } }), / --labels '#1,my y' --skip '#4' -o o$/);
  assert.match(with_({ table: { roles: ["input", "label"], names: null }, file: { name: "x.gz", beside: [{ name: "y.gz" }] }, reading: { scale: "divide", norm: {} } }), / --data x\.gz --data y\.gz --labels 1 --divide 255 -o o$/);
  assert.match(with_({ table: { labelColumns: 1, pictures: true }, file: { name: "pets.zip" }, reading: { scale: "none", norm: { mean: [0.5, -1] } } }), / --data pets\.zip --labels folder --mean=0\.5,-1 -o o$/);
  assert.match(with_({ table: { labelColumns: 0, pictures: true }, file: { name: "pets", pictures: [{ name: "pets/1.png" }] } }), / --data pets -o o$/);
  assert.match(commandLine({ ...base, range: { low: -1, high: 1 } }), / --box=-1:1 -o o$/);
  assert.equal(commandLine({ model: "-x'.onnx", target: { kind: "retain", value: 0.2 }, method: "wanda", polish: false, certify: false, data: null, output: "o" }), "netlump './-x'\\''.onnx' --retain 0.2 --method wanda --no-polish -o o");
  assert.equal(
    commandLine({ model: "cnn.onnx", target: { kind: "retain", value: 0.2 }, method: "norm", polish: null, certify: false, data: null, shapes: new Map([["x:0", [1, 3, 8, 8]], ["my ids", [1, 16]]]), output: "o" }),
    "netlump cnn.onnx --retain 0.2 --method norm --shape x:0:1,3,8,8 --shape 'my ids:1,16' -o o",
  );
});

test("a score's dial begins at what the network reaches; its positions and values are each other's inverse", () => {
  const score = /** @type {const} */ ({ kind: "accuracy", before: 0.97777 });
  for (const dial of [scoreDial(score), scoreDial({ kind: "mse", before: 0.00031234 })]) {
    for (let position = 0; position <= STEPS; position++) assert.equal(positionOf(dial, valueAt(dial, position)), position, dial.kind);
    assert.equal(parse(dial, boxText(dial, dial.start)), dial.start);
  }
  assert.deepEqual([scoreDial(score).from, scoreDial({ kind: "mse", before: 0.00031234 }).from], [0.977, 0.000313]);
  assert.deepEqual([dialsFor(null).length, dialsFor(score).length, dialOf({ kind: "accuracy", value: 0.9 }, score).unit], [3, 4, "%"]);
  const report = /** @type {any} */ ({ score: { kind: "accuracy", before: 0.97777, after: 0.9644 } });
  assert.deepEqual(targetFrom("accuracy", report), { kind: "accuracy", value: 0.964 });
  assert.equal(targetFrom("mse", report).kind, "retain", "there is no such score");
});

test("a link says what differs from the defaults and is read back; nonsense in it is left out", () => {
  const settings = { sample: "digits", target: /** @type {const} */ ({ kind: "accuracy", value: 0.95 }), method: /** @type {const} */ ("adjoint"), polish: false, compared: /** @type {any} */ (["norm", "wanda"]) };
  assert.equal(writeAddress("work", linkOf(settings)), "#?sample=digits&min-accuracy=0.95&method=adjoint&polish=no&compare=norm+wanda");
  const address = readAddress("#?sample=digits&min-accuracy=0.95&method=adjoint&polish=no&compare=norm+wanda");
  assert.deepEqual([address.view, settingsOf(address.settings)], ["work", settings]);
  assert.equal(linkOf({ sample: null, target: null, method: "projected", polish: true, compared: [] }).toString(), "");
  assert.deepEqual(settingsOf(new URLSearchParams("epsilon=-3&method=magic&compare=all")), { sample: null, target: null, method: "projected", polish: true, compared: [] });
  assert.deepEqual([readAddress("#class?step=3").view, readAddress("#how").view, readAddress("#other").view, readAddress("").view], ["class", "how", "work", "work"]);
});

test("the time left follows from how far a stage has come, and is not guessed too early", () => {
  let now = 0;
  const left = remaining(() => now);
  const at = (/** @type {number} */ time, /** @type {number} */ fraction, stage = /** @type {any} */ ("refit")) => ((now = time), left({ stage, fraction }));
  assert.deepEqual([at(0, 0), at(500, 0.5), at(1000, 0.01)], [null, null, null]);
  assert.equal(at(2000, 0.5), 2);
  assert.equal(at(3000, 0.2, "polish"), null, "another stage begins anew");
  assert.ok(Math.abs(/** @type {number} */ (at(5000, 0.6, "polish")) - 2) < 1e-9);
});

test("what a size will come to is read off the line between its neighbours", () => {
  const points = /** @type {any[]} */ ([{ retained: 1, deviation: 0, score: 0.98 }, { retained: 0.5, deviation: 0.01, score: 0.9 }, { retained: 0.05, deviation: 0.1, score: 0.4 }]);
  const whole = { bytes: 1000, parameters: 200, accuracy: true };
  const found = expectedAt(points, /** @type {any} */ ({ retained: 0.05 * Math.sqrt(10), parameters: 32 }), whole);
  assert.ok(found && Math.abs(found.deviation - 0.1 / Math.sqrt(10)) < 1e-9 && found.bytes === 160 && Math.abs((found.score ?? 0) - 0.6) < 1e-9);
  assert.equal(expectedAt(points, /** @type {any} */ ({ retained: 0.01, parameters: 2 }), whole), null, "nothing is known below the line");
});

test("what grew does not stand there as unchanged", () => {
  assert.deepEqual([text.resized(200, 100), text.resized(100, 148), text.resized(7, 7)], ["↓ 50.0 %", "↑ 48.0 %", "unchanged"]);
});
