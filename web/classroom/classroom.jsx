// The classroom: lumping step by step on a network small enough to see.
import { useEffect, useState } from "preact/hooks";

import { source } from "../actions.js";
import { Chart } from "../charts/chart.jsx";
import { number, percent } from "../format.js";
import { text } from "../messages.js";
import { classText } from "../messages_classroom.js";
import { state } from "../state.js";
import { Problem } from "../views/problem.jsx";
import { InputsCard, MethodCard, NetworkCard, WeightsCard } from "./controls.jsx";
import { curvesOf } from "./curves.js";
import { equationsOf } from "./equations.js";
import { Groups, Polynomial } from "./equations.jsx";
import { Lecture } from "./lecture.jsx";
import { curvesTable, drawCurves } from "./plot.jsx";
import { address, enter, facts, large, lesson, seen, setLarge, step, take, takable, trouble } from "./state.js";
import { quotientNames } from "./steps.js";

/** @typedef {import("./state.js").Facts} Facts */

export function View() {
  useEffect(enter, []);
  const known = facts.value;
  return (
    <>
      <div class="class-head">
        <h1>{classText.title}</h1>
        <Tools />
      </div>
      <Problem problem={trouble.value ? { message: trouble.value } : null} />
      <div class="lesson">
        <Lecture />
        <div class="lesson-main">
          {known && <Curves known={known} />}
          {known && <Equations known={known} />}
          {known && seen.value.method === "equivalence" && <Distances known={known} />}
        </div>
        <div class="lesson-side">
          <NetworkCard />
          <MethodCard />
          <WeightsCard />
          {(lesson.value.method === "projected" || lesson.value.encoding !== "adjoint") && <InputsCard />}
        </div>
      </div>
    </>
  );
}

function Tools() {
  const [told, setTold] = useState("");
  const copy = async () => {
    const link = new URL(address(), location.href).href;
    history.replaceState(null, "", address());
    try {
      await navigator.clipboard.writeText(link);
      setTold(classText.linkCopied(lesson.value.preset === null));
    } catch {
      setTold(classText.linkInAddress);
    }
  };
  const model = state.model.value;
  return (
    <div class="class-tools">
      {takable(model) && model && (
        <button type="button" class="link" onClick={() => void source().then((file) => file && take(file.bytes, file.name))}>
          {classText.take(model.name)}
        </button>
      )}
      <button type="button" class="link" onClick={() => void copy()}>
        {classText.copyLink}
      </button>
      <label class="switch">
        <span>{classText.large}</span>
        <input type="checkbox" role="switch" checked={large.value} onChange={(event) => setLarge(event.currentTarget.checked)} />
      </label>
      <p class="told" role="status">
        {told}
      </p>
    </div>
  );
}

// ---- equations ----------------------------------------------------------------------------------------------------------

/** @param {{known: Facts}} props */
function Equations({ known }) {
  const { method, encoding } = seen.value;
  const { net, steps } = known;
  const at = Math.min(step.value, steps.length - 1);
  const names = net.layers.slice(0, -1).map(({ bias }) => bias.map((_, i) => i + 1));
  const projected = method === "projected";
  const now = projected ? null : steps[at];
  const system = projected ? "network" : encoding;
  const groups = equationsOf({ layers: net.layers, names, blocks: now?.blocks ?? null, lumped: false }, system);
  const pair = now?.kind === "split" ? now.split.pair.map((neuron) => (net.layers.length > 2 ? `${now.at.layer},${neuron}` : String(neuron))) : [];
  const isPair = (/** @type {import("./equations.js").Variable} */ { base, sub }) => base === "a" && pair.includes(sub);
  const smaller = projected ? shrunk(known) : now?.kind === "quotient" || now?.kind === "compare" ? quotient(known, now.blocks) : null;
  return (
    <section class="card equations" aria-labelledby="class-equations">
      <header>
        <h2 id="class-equations">{projected ? classText.networkEquations : classText.odeTitle[encoding]}</h2>
      </header>
      <div class="two">
        <div class="scroll" tabIndex={0} role="group" aria-label={classText.originalEquations}>
          <Groups groups={groups} count={net.layers.length} marked={({ left }) => encoding === "polynomial" && isPair(left)} pick={(of) => encoding !== "polynomial" && isPair(of)} />
        </div>
        {smaller && (
          <div class="scroll lumped-equations" tabIndex={0} role="group" aria-label={projected ? classText.shrunkEquations : classText.quotientEquations}>
            <Groups groups={equationsOf(smaller, system)} count={net.layers.length} lumped={!projected} />
          </div>
        )}
      </div>
      {!projected && encoding === "polynomial" && <Fits known={known} />}
      {!projected && <p class="facts-line">{classText.odeHint[encoding]}</p>}
    </section>
  );
}

/** @param {Facts} known @param {import("./steps.js").Blocks|null} blocks @returns {import("./equations.js").Named|null} */
function quotient({ net, trace }, blocks) {
  if (!trace.quotient || !blocks) return null;
  const names = quotientNames(blocks, trace.quotient);
  return { layers: trace.quotient.map((layer, l) => ({ ...layer, activation: net.layers[l].activation })), names, blocks: names, lumped: true };
}

/** @param {Facts} known @returns {import("./equations.js").Named|null} */
function shrunk({ elimination }) {
  if (!elimination?.after || elimination.shown === 0) return null;
  const { after, layers } = elimination;
  const names = after.net.layers.slice(0, -1).map(({ bias }, l) => bias.map((_, i) => (after.lumping[layers.indexOf(l + 1)]?.kept[i] ?? i) + 1));
  return { layers: after.net.layers, names, blocks: null, lumped: false };
}

/** The polynomials that stand for activations. @param {{known: Facts}} props */
function Fits({ known: { net, trace } }) {
  const shown = (trace.polynomials ?? []).filter((_, l) => net.layers[l].activation !== "identity");
  return shown.map(({ layer, coefficients, fitted, rms }) => (
    <div key={layer} class="fit">
      <Polynomial name={net.layers.length > 2 ? `p${layer}` : "p"} coefficients={coefficients} />
      <p class="facts-line">{fitted ? classText.fitted(net.layers[layer - 1].activation, percent(rms)) : classText.exactPolynomial}</p>
    </div>
  ));
}

// ---- distances ----------------------------------------------------------------------------------------------------------

/** @param {{known: Facts}} props */
function Distances({ known: { net, steps, trace } }) {
  const now = steps[Math.min(step.value, steps.length - 1)];
  const at = "at" in now ? now.at : trace.steps[trace.steps.length - 1];
  const { epsilon } = seen.value;
  const pair = /** @type {number[]} */ (now.kind === "split" ? now.split.pair : []);
  const title = classText.distances(at.layer, net.layers.length - 1);
  return (
    <section class="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
      </header>
      <div class="scroll" tabIndex={0} role="group" aria-label={title}>
        <table class="distances">
          <thead>
            <tr>
              <th scope="col">{classText.neuron}</th>
              {at.neurons.map((neuron) => (
                <th key={neuron} scope="col">
                  {neuron}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {at.neurons.map((neuron, i) => (
              <tr key={neuron}>
                <th scope="row">{neuron}</th>
                {at.neurons.map((other, j) => {
                  const near = i !== j && at.distances[i][j] <= epsilon;
                  const meant = pair.includes(neuron) && pair.includes(other) && i !== j;
                  return (
                    <td key={other} class={`${near ? "near" : ""} ${meant ? "meant" : ""}`}>
                      {i === j ? "" : `${number(at.distances[i][j])}${near ? " ✓" : ""}`}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="facts-line">{classText.distancesHint(seen.value)}</p>
    </section>
  );
}

// ---- curves -------------------------------------------------------------------------------------------------------------

/** @param {{known: Facts}} props */
function Curves({ known }) {
  const { net, steps } = known;
  const { method, encoding } = seen.value;
  const adjoint = method === "equivalence" && encoding === "adjoint";
  const outputs = net.layers.length;
  const [wanted, setWanted] = useState(-1);
  const layers = Array.from({ length: outputs }, (_, l) => (adjoint ? l : l + 1));
  const layer = method === "projected" || !layers.includes(wanted) ? (adjoint ? 0 : outputs) : wanted;
  const shown = method === "projected" ? sweepOf(known) : { ...curvesOf(seen.value, known, layer, step.value >= steps.length - 2), x: classText.time, y: "" };
  if (!shown) return null;
  const choice = method === "equivalence" && (
    <label class="of-layer">
      <span class="visually-hidden">{classText.curvesOf}</span>
      <select value={layer} onChange={(event) => setWanted(Number(event.currentTarget.value))}>
        {layers.map((l) => (
          <option key={l} value={l}>
            {classText.layerTitle(l, outputs, false)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Chart
      title={method === "projected" ? classText.sweep : classText.curves}
      description={method === "projected" ? classText.sweepDescription : classText.curvesDescription}
      name="netlump-classroom"
      nearest="xy"
      hint={text.chartHint}
      draw={(width) => drawCurves(shown, width, large.value ? 1.45 : 1)}
      table={() => curvesTable(shown)}
      tools={choice}
      foot={<p class="facts-line">{method === "projected" ? classText.sweepHint : classText.curvesHint[encoding]}</p>}
    />
  );
}

/** @param {Facts} known @returns {import("./plot.jsx").Shown|null} */
function sweepOf({ elimination }) {
  const sweep = elimination?.after?.sweep;
  if (!sweep) return null;
  const curves = sweep.original.map((original, k) => ({ name: `y${k + 1}`, block: null, original, lumped: sweep.lumped?.[k] ?? null }));
  return { times: sweep.x, curves, x: "x1", y: "" };
}
