// The step: what it says, the network as it stands, and the buttons.
import { count, number } from "../format.js";
import { classText } from "../messages_classroom.js";
import { Drawing } from "./drawing.jsx";
import { Aligned, Distance } from "./equations.jsx";
import { takeover } from "./equations.js";
import { widthsOf } from "./network.js";
import { apart, sentenceOf } from "./sentences.js";
import { back, chosen, facts, forward, last, lesson, reset, run, running, seen, setWeight, step } from "./state.js";
import { membersOf, quotientNames } from "./steps.js";

export function Lecture() {
  const known = facts.value;
  return (
    <section class="card lecture" aria-label={classText.lecture}>
      <header>
        <p class="count">{classText.step(step.value, last.value)}</p>
        <Buttons />
      </header>
      <div class="said">
        <p class="spoken" aria-live="polite">
          {known && sentenceOf(seen.value, known, step.value)}
        </p>
        {known && <Reason known={known} />}
      </div>
      {known && <Networks known={known} />}
    </section>
  );
}

function Buttons() {
  const [first, end] = [step.value === 0, step.value === last.value];
  return (
    <div class="steps" role="group" aria-label={classText.stepButtons}>
      <Key onClick={back} disabled={first} name={classText.back} keyName="←" />
      <Key onClick={forward} disabled={end} name={classText.forward} keyName="→" strong />
      <Key onClick={run} name={running.value ? classText.pause : classText.run} keyName={classText.space} />
      <Key onClick={reset} disabled={first} name={classText.reset} keyName={classText.home} />
    </div>
  );
}

/** @param {{onClick: () => void, disabled?: boolean, name: string, keyName: string, strong?: boolean}} props */
function Key({ onClick, disabled, name, keyName, strong }) {
  return (
    <button type="button" class={strong ? "key strong-key" : "key"} aria-disabled={disabled} onClick={() => !disabled && onClick()}>
      {name} <kbd aria-hidden="true">{keyName}</kbd>
    </button>
  );
}

/** The numbers behind the sentence. @param {{known: import("./state.js").Facts}} props */
function Reason({ known }) {
  const { method, epsilon } = seen.value;
  if (method === "projected") return <Takers known={known} />;
  const now = known.steps[step.value];
  if (now?.kind === "split") {
    const { pair, distance, terms } = now.split;
    const [shown, tolerance] = apart(distance, epsilon);
    return <div class="scroll" tabIndex={0} role="group" aria-label={classText.reason}><Distance {...{ pair, terms, distance, shown }} factor={now.at.factor} epsilon={tolerance} above /></div>;
  }
  if (now?.kind === "compare" || now?.kind === "quotient") return <p class="under">{classText.claim(seen.value)}</p>;
  return null;
}

/** @param {{known: import("./state.js").Facts}} props */
function Takers({ known: { net, elimination } }) {
  if (!elimination?.after || elimination.shown === 0) return null;
  const { stages, layers, shown, after } = elimination;
  const named = { layers: net.layers, names: net.layers.slice(0, -1).map(({ bias }) => bias.map((_, i) => i + 1)), blocks: null, lumped: false };
  const equations = stages[shown - 1].gone.map(({ site, neuron }) => after.lumping[site] && takeover(named, layers[site], neuron, after.lumping[site])).filter((one) => one !== null && one !== undefined);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={classText.reason}>
      <Aligned equations={equations} />
    </div>
  );
}

/** @param {{known: import("./state.js").Facts}} props */
function Networks({ known }) {
  const { method } = seen.value;
  const { net } = lesson.value;
  const now = known.steps[Math.min(step.value, known.steps.length - 1)];
  const fits = widthsOf(known.net).join() === widthsOf(net).join();
  const own = fits ? net : known.net;
  const editing = { chosen: chosen.value, onChoose: (/** @type {typeof chosen.value} */ at) => (chosen.value = at), onWeight: setWeight };
  if (method === "projected") return <Shrinking {...{ known, own, editing }} />;
  const pair = now.kind === "split" ? { layer: now.at.layer, neurons: now.split.pair } : now.kind === "constant" ? { layer: now.at.layer, neurons: [now.neuron] } : null;
  const lumped = now.kind === "quotient" || now.kind === "compare";
  return (
    <div class="networks">
      <Drawing net={own} blocks={fits ? now.blocks : null} title={classText.drawing} pair={pair} {...editing} />
      {lumped && known.trace.quotient && now.blocks && <Lumped known={known} blocks={now.blocks} />}
      <p class="legend">{classText.legend(now.blocks !== null)}</p>
    </div>
  );
}

/** @param {{known: import("./state.js").Facts, blocks: import("./steps.js").Blocks}} props */
function Lumped({ known: { net, trace }, blocks }) {
  const quotient = /** @type {import("../../wasm/types.js").QuotientLayer[]} */ (trace.quotient);
  const names = quotientNames(blocks, quotient);
  const layers = quotient.map(({ weights, bias }, l) => ({ weights, bias, activation: net.layers[l].activation }));
  const members = names.map((row, l) => row.map((name) => classText.members(membersOf(blocks, l + 1, name))));
  return (
    <>
      <Arrow />
      <Drawing net={{ inputs: net.inputs, layers }} labels={names} blocks={names} members={members} title={classText.lumpedDrawing} />
    </>
  );
}

const Arrow = () => (
  <svg class="arrow-to" viewBox="0 0 40 20" aria-hidden="true">
    <path d="M3 10h32m-8-7 8 7-8 7" />
  </svg>
);

/** @param {{known: import("./state.js").Facts, own: import("./network.js").Network, editing: object}} props */
function Shrinking({ known, own, editing }) {
  const elimination = known.elimination;
  if (!elimination) return <div class="networks"><Drawing net={own} title={classText.drawing} {...editing} /></div>;
  const { stages, layers, shown, after } = elimination;
  const left = (/** @type {number} */ layer, /** @type {number} */ neuron) => stages.slice(0, shown).some(({ gone }) => gone.some((one) => layers[one.site] === layer && one.neuron === neuron + 1));
  const now = shown > 0 ? stages[shown - 1].gone : [];
  const takeovers = now.flatMap(({ site, neuron }) => {
    const { prolongation, kept } = after?.lumping[site] ?? { prolongation: null, kept: [] };
    return (prolongation?.[neuron - 1] ?? []).flatMap((share, c) => (Math.abs(share) < 0.005 ? [] : [{ layer: layers[site], from: neuron - 1, to: kept[c], share }]));
  });
  const labels = after?.net.layers.slice(0, -1).map((layer, l) => {
    const lumping = after.lumping[layers.indexOf(l + 1)];
    return layer.bias.map((_, i) => (lumping?.kept[i] ?? i) + 1);
  });
  return (
    <div class="networks">
      <Drawing net={own} gone={left} takeovers={takeovers} pair={now[0] ? { layer: layers[now[0].site], neurons: now.filter(({ site }) => site === now[0].site).map(({ neuron }) => neuron) } : null} title={classText.drawing} {...editing} />
      {after && shown > 0 && (
        <>
          <Arrow />
          <Drawing net={after.net} labels={labels} title={classText.shrunkDrawing} />
        </>
      )}
      <p class="legend">{shown > 0 && after ? classText.measured(after.deviation < 1e-9 ? null : number(100 * after.deviation), count(elimination.rows)) : classText.legend(false)}</p>
    </div>
  );
}
