// The classroom's plain functions: equations, curves, steps, toy networks, addresses.
import assert from "node:assert/strict";
import { before, test } from "node:test";

import { createEngine } from "../wasm/engine.js";
import { curvesOf } from "../web/classroom/curves.js";
import { asText, equationsOf, takeover } from "../web/classroom/equations.js";
import { ENCODINGS, lessonOf, optionsOf, prepared, settingsOf } from "../web/classroom/lesson.js";
import { bytesOf, networkOf, read, rounded, weightAt, widthsOf, withActivation, withHidden, withInputs, withWeight, withWidth, written } from "../web/classroom/network.js";
import { integrate, startOf, stepFor, systemOf } from "../web/classroom/ode.js";
import { PRESETS } from "../web/classroom/presets.js";
import { apart, sentenceOf } from "../web/classroom/sentences.js";
import { countBlocks, inOrder, stagesOf, stagesWithin, stepsOf } from "../web/classroom/steps.js";

/** @type {import("../wasm/engine.js").Engine} */
let engine;
before(async () => (engine = await createEngine()));

/** What the core says of a lesson, as the page gets it. @param {import("../web/classroom/lesson.js").Lesson} lesson
 * @returns {import("../web/classroom/desk.js").Facts} */
function look(lesson) {
  const model = engine.open(bytesOf(lesson.net), "toy.json");
  const trace = model.trace(optionsOf(lesson));
  model.free();
  return { lesson, net: lesson.net, trace, steps: stepsOf(trace, widthsOf(lesson.net).slice(1, -1)), elimination: null };
}

const small = { inputs: 2, layers: [{ weights: [[0.8, -0.5], [1, 0]], bias: [0.1, 0], activation: "tanh" }, { weights: [[2, -1]], bias: [-0.3], activation: "identity" }] };
const named = { layers: small.layers, names: [[1, 2]], blocks: null, lumped: false };
/** @param {"linear"|"adjoint"|"polynomial"|"network"} encoding */
const lines = (encoding) => equationsOf(named, encoding).flatMap(({ equations }) => equations.map(asText));

test("equations have the network's own numbers, in each encoding", () => {
  assert.deepEqual(lines("linear"), ["a′1 = 0.8 x1 − 0.5 x2 + 0.1", "a′2 = x1", "y′1 = 2 a1 − a2 − 0.3"]);
  assert.deepEqual(lines("polynomial"), ["a′1 = −a1 + p(0.8 x1 − 0.5 x2 + 0.1)", "a′2 = −a2 + p(x1)", "y′1 = −y1 + 2 a1 − a2 − 0.3"]);
  assert.deepEqual(lines("adjoint"), ["x′1 = 0.8 a1 + a2", "x′2 = −0.5 a1", "a′1 = 2 y1", "a′2 = −y1", "y′1 = 0", "u′ = 0.1 a1 − 0.3 y1"]);
  assert.deepEqual(lines("network"), ["a1 = tanh(0.8 x1 − 0.5 x2 + 0.1)", "a2 = tanh(x1)", "y1 = 2 a1 − a2 − 0.3"]);
});

test("a neuron that goes is written in terms of those that take over", () => {
  const lumping = { site: 0, before: 2, after: 1, kept: [1], blocks: [0, 0], prolongation: [[2.5], [1]], offset: [1e-12, 0] };
  assert.equal(asText(/** @type {any} */ (takeover(named, 1, 1, lumping))), "a1 ≈ 2.5 a2");
});

test("Runge and Kutta's method follows known solutions", () => {
  const decay = integrate((y, out) => (out[0] = -y[0]), Float64Array.of(1), 5, stepFor(5));
  assert.ok(Math.abs(decay.values[decay.values.length - 1][0] - Math.exp(-5)) < 1e-9);
  assert.ok(Math.abs(decay.times[decay.times.length - 1] - 5) < 1e-12);
  const circle = integrate((y, out) => ((out[0] = -y[1]), (out[1] = y[0])), Float64Array.of(1, 0), 2 * Math.PI, 0.05);
  const [x, y] = circle.values[circle.values.length - 1];
  assert.ok(Math.hypot(x - 1, y) < 1e-5);
});

test("the polynomial system settles at the network's own answer where the activation is a polynomial", () => {
  const { net } = PRESETS.combination;
  const model = engine.open(bytesOf(net), "toy.json");
  const { polynomials } = model.trace({ encoding: "polynomial", equivalence: "bde" });
  const x = [0.7, -0.4];
  const system = systemOf(net.layers, "polynomial", polynomials);
  const { values } = integrate(system.drift, startOf(system, "polynomial", x), 40, 0.05);
  const [answer] = model.forward(Float64Array.from(x));
  assert.ok(Math.abs(values[values.length - 1][system.size - 1] - answer) < 1e-6);
});

test("the linear system's outputs are the polynomial in time that its chain gives", () => {
  const system = systemOf(small.layers, "linear");
  const { values } = integrate(system.drift, startOf(system, "linear", [1, 2]), 2, 0.1);
  // a' = (-0.1, 1), y' = 2 a1 - a2 - 0.3: a = (-0.1 t, t), y = -0.6 t² - 0.3 t
  assert.ok(Math.abs(values[values.length - 1][4] - (-0.6 * 4 - 0.3 * 2)) < 1e-12);
});

test("exact copies lump without a trace in every encoding's curves", () => {
  for (const encoding of ENCODINGS)
    for (const name of ["copies", "deep"]) {
      if (encoding === "linear") continue; // compares who reads a neuron: those differ
      const lesson = { ...prepared(name), encoding, step: null };
      const facts = look(lesson);
      const blocks = /** @type {import("../web/classroom/steps.js").Blocks} */ (facts.steps[facts.steps.length - 1].blocks);
      assert.ok(countBlocks(blocks) < blocks.flat().length, `${name} ${encoding}`);
      for (let layer = encoding === "adjoint" ? 0 : 1; layer <= lesson.net.layers.length; layer += 1)
        for (const { original, lumped, name: curve } of curvesOf(lesson, facts, layer, true).curves) {
          assert.ok(lumped);
          original.forEach((value, i) => assert.ok(Math.abs(value - lumped[i]) < 1e-5, `${name} ${encoding} ${curve}`));
        }
    }
});

test("a block's sum follows its one variable where the linear encoding is lumped at 0", () => {
  const net = { inputs: 2, layers: [{ weights: [[0.4, 1], [-0.3, 0.2], [0.9, 0.1]], bias: [0.1, 0.5, -0.2], activation: "tanh" }, { weights: [[0.7, 0.7, -0.4]], bias: [0], activation: "identity" }] };
  const lesson = { ...prepared("copies"), net, encoding: /** @type {const} */ ("linear"), epsilon: 0, step: null };
  const { curves } = curvesOf(lesson, look(lesson), 1, true);
  assert.deepEqual(curves.map((curve) => curve.name), ["a1 + a2", "a3"]);
  for (const { original, lumped } of curves) original.forEach((value, i) => assert.ok(Math.abs(value - /** @type {number[]} */ (lumped)[i]) < 1e-6));
});

test("each split is a step with the sentence that justifies it", () => {
  const lesson = { ...prepared("chain"), linkage: /** @type {const} */ ("complete") };
  const facts = look(lesson);
  assert.deepEqual(facts.steps.map((step) => step.kind), ["network", "whole", "split", "quotient", "compare"]);
  assert.equal(sentenceOf(lesson, facts, 2), "Block 1 splits: neurons 1 and 4 differ by 0.9 > ε = 0.3.");
  assert.deepEqual(facts.steps[2].blocks, [[1, 1, 3, 3]]);
  assert.equal(sentenceOf(lesson, facts, 3), "The quotient: one variable for each block. 4 neurons become 2.");
});

test("the quotient's blocks come in the order of their names, and compute the same", () => {
  const lesson = { ...prepared("near"), encoding: /** @type {const} */ ("polynomial"), epsilon: 2.5 };
  const { trace, steps } = look(lesson);
  const blocks = /** @type {import("../web/classroom/steps.js").Blocks} */ (steps[steps.length - 1].blocks);
  const [before, after] = [/** @type {any} */ (trace.quotient), inOrder(/** @type {any} */ (trace.quotient), blocks)];
  const names = after[0].kept?.map((neuron) => Number(blocks[0][neuron - 1])) ?? [];
  assert.ok(names.length > 1);
  assert.deepEqual(names, [...names].sort((a, b) => a - b));
  const answers = [before, after].map((layers) => {
    const model = engine.open(bytesOf({ inputs: 2, layers: layers.map((/** @type {any} */ { weights, bias }, /** @type {number} */ l) => ({ weights, bias, activation: l === 0 ? "tanh" : "identity" })) }), "toy.json");
    return model.forward(Float64Array.of(0.3, -0.8))[0];
  });
  assert.ok(Math.abs(answers[0] - answers[1]) < 1e-6);
});

test("connected components swallow the chain, and say so", () => {
  const lesson = prepared("chain");
  const facts = look(lesson);
  assert.deepEqual(facts.steps.map((step) => step.kind), ["network", "whole", "stays", "quotient", "compare"]);
  assert.match(sentenceOf(lesson, facts, 2), /stays one block: near neurons connect all of them, though 1 and 4 differ by 0\.9\./);
});

test("every prepared network shows what it promises", () => {
  const left = (/** @type {string} */ name, change = {}) => countBlocks(/** @type {any} */ (look({ ...prepared(name), ...change }).steps.at(-1)).blocks);
  assert.equal(left("copies"), 3);
  assert.equal(left("near"), 3);
  assert.equal(left("near", { epsilon: 0 }), 6);
  assert.equal(left("deep"), 5);
  assert.equal(left("signs"), 2);
  assert.equal(left("signs", { symmetric: false }), 4);
  assert.equal(left("multiples"), 2);
  assert.equal(left("multiples", { symmetric: false }), 4);
  const dead = look(prepared("dead"));
  assert.ok(dead.steps.some((step) => step.kind === "constant" && step.neuron === 2));
  assert.equal(left("combination", { method: "equivalence", epsilon: 1 }), 4);
});

test("the elimination goes one neuron at a time, what is free at first", async () => {
  const model = engine.open(bytesOf(PRESETS.combination.net), "toy.json");
  const path = await model.path({ seed: 1, rows: 512 });
  const stages = stagesOf(path.info.sites);
  assert.equal(stages.flatMap((stage) => stage.gone).length, 3);
  assert.ok(stages[0].deviation < 1e-6 && stages[1].deviation > 0.1);
  for (const [k, { epsilon }] of stages.entries()) {
    const gone = stages.slice(0, k + 1).flatMap((stage) => stage.gone).length;
    assert.equal(path.choose({ kind: "epsilon", value: epsilon }).widths[0], 4 - gone);
  }
  assert.equal(stagesWithin(stages, 0.01), 1);
  model.free();
});

test("numbers are told apart when they round alike", () => {
  assert.deepEqual(apart(0.5, 0.3), ["0.5", "0.3"]);
  assert.deepEqual(apart(0.30004, 0.3), ["0.30004", "0.3"]);
});

test("an address brings back the very lesson", () => {
  for (const name of Object.keys(PRESETS)) {
    for (const encoding of ENCODINGS) {
      const lesson = { ...prepared(name), encoding, linkage: /** @type {const} */ ("erode"), epsilon: 0.125, step: 4, x: prepared(name).x.map((x) => -x) };
      assert.deepEqual(withoutHidden(lessonOf(settingsOf(lesson)), lesson), withoutHidden(lesson, lesson));
    }
    const net = withWeight(PRESETS[name].net, { layer: 0, neuron: 1, from: 0 }, -1.23);
    const own = { ...prepared(name), net, preset: null, step: 1 };
    assert.deepEqual(lessonOf(settingsOf(own)).net, net);
    assert.deepEqual(withoutHidden(lessonOf(settingsOf(own)), own), withoutHidden(own, own));
  }
});

/** A projected lesson's address leaves out what it has no use for. @param {any} lesson @param {any} of */
const withoutHidden = ({ symmetric, encoding, linkage, ...lesson }, of) => (of.method === "projected" ? lesson : { symmetric, encoding, linkage, ...lesson });

test("an address that makes no sense opens a prepared lesson", () => {
  for (const hash of ["net=nothing", "net=2-4-1&f=tanh-identity&w=1_2_3", "net=2-99-1&f=a-b&w=1", "net=__proto__", "", "net=near&step=-3&epsilon=abc&x=1_2_3"]) {
    const lesson = lessonOf(new URLSearchParams(hash));
    assert.equal(lesson.preset, "near", hash);
    assert.equal(lesson.step, 0);
    assert.equal(lesson.epsilon, PRESETS.near.epsilon);
  }
});

test("toy networks stay whole when neurons, layers and inputs come and go", () => {
  let { net } = PRESETS.near;
  const whole = () => {
    const widths = widthsOf(net);
    net.layers.forEach(({ weights, bias }, l) => {
      assert.equal(weights.length, bias.length);
      for (const row of weights) assert.equal(row.length, widths[l]);
    });
    assert.deepEqual(networkOf(bytesOf(net)), net);
    const { shape, activations, weights } = written(net);
    assert.deepEqual(read({ shape, activations, weights }), net);
  };
  /** @type {((n: typeof net) => typeof net)[]} */
  const changes = [(n) => withWidth(n, 0, 8), (n) => withInputs(n, 3), (n) => withHidden(n, 2), (n) => withHidden(n, 3), (n) => withWidth(n, 1, 2), (n) => withActivation(n, 2, "relu"), (n) => withHidden(n, 1), (n) => withInputs(n, 2), (n) => withWidth(n, 0, 3)];
  for (const change of changes) {
    net = change(net);
    whole();
  }
  assert.deepEqual(widthsOf(net), [2, 3, 1]);
  assert.equal(withWidth(net, 0, 9), net);
  assert.equal(withHidden(net, 4), net);
  assert.equal(weightAt(withWeight(net, { layer: 0, neuron: 0, from: 2 }, rounded(7)), { layer: 0, neuron: 0, from: 2 }), 3);
});
