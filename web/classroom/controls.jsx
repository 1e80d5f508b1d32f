// The left column: which network, which method, the weights and the inputs.
import { useLayoutEffect, useState } from "preact/hooks";

import { number } from "../format.js";
import { classText } from "../messages_classroom.js";
import { ENCODINGS } from "./lesson.js";
import { ACTIVATIONS, HIDDEN, INPUTS, MOST, NEURONS, weightAt, widthsOf, withActivation, withHidden, withInputs, withWidth } from "./network.js";
import { PRESETS } from "./presets.js";
import { choose, choosePreset, chosen, edit, lesson, setInput, setWeight } from "./state.js";

/** @template {string|number} T @param {{legend: string, name: string, options: readonly T[], value: T, label: (option: T) => string, onChoose: (option: T) => void, disabled?: boolean}} props */
export function Segments({ legend, name, options, value, label, onChoose, disabled }) {
  return (
    <fieldset class="field">
      <legend>{legend}</legend>
      <div class={`segments of-${options.length}`}>
        {options.map((option) => (
          <label key={option}>
            <input type="radio" name={name} checked={option === value} disabled={disabled} onChange={() => onChoose(option)} />
            <span>{label(option)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function NetworkCard() {
  const { net, preset } = lesson.value;
  const hidden = net.layers.length - 1;
  return (
    <section class="card" aria-labelledby="class-network">
      <header>
        <h2 id="class-network">{classText.network}</h2>
      </header>
      <select class="wide-select" aria-label={classText.network} value={preset ?? ""} onChange={(event) => event.currentTarget.value && choosePreset(event.currentTarget.value)}>
        {!preset && <option value="">{classText.own}</option>}
        {Object.keys(PRESETS).map((name) => (
          <option key={name} value={name}>
            {classText.presets[/** @type {keyof typeof classText.presets} */ (name)][0]}
          </option>
        ))}
      </select>
      <p class="facts-line">{preset ? classText.presets[/** @type {keyof typeof classText.presets} */ (preset)][1] : classText.ownHint}</p>
      <details class="build">
        <summary>{classText.build}</summary>
        <Segments legend={classText.inputsCount} name="inputs" options={INPUTS} value={net.inputs} label={String} onChoose={(n) => edit(withInputs(net, n))} />
        <Stepper label={classText.hiddenCount} value={hidden} range={HIDDEN} onChange={(n) => edit(withHidden(net, n))} />
        {net.layers.slice(0, -1).map((layer, l) => (
          <div key={l} class="layer-row">
            <Stepper label={classText.layerWidth(l + 1, hidden)} value={layer.bias.length} range={NEURONS} onChange={(n) => edit(withWidth(net, l, n))} />
            <select aria-label={classText.layerActivation(l + 1, hidden)} value={layer.activation} onChange={(event) => edit(withActivation(net, l, event.currentTarget.value))}>
              {[...new Set([...ACTIVATIONS, layer.activation])].map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </div>
        ))}
      </details>
    </section>
  );
}

/** @param {{label: string, value: number, range: readonly number[], onChange: (value: number) => void}} props */
function Stepper({ label, value, range: [least, most], onChange }) {
  return (
    <div class="stepper" role="group" aria-label={label}>
      <span>{label}</span>
      <button type="button" aria-label={classText.less(label)} disabled={value <= least} onClick={() => onChange(value - 1)}>
        −
      </button>
      <output>{value}</output>
      <button type="button" aria-label={classText.more(label)} disabled={value >= most} onClick={() => onChange(value + 1)}>
        +
      </button>
    </div>
  );
}

export function MethodCard() {
  const { method, encoding, linkage, symmetric } = lesson.value;
  return (
    <section class="card" aria-labelledby="class-method">
      <header>
        <h2 id="class-method">{classText.method}</h2>
      </header>
      <Segments legend={classText.method} name="method" options={/** @type {const} */ (["equivalence", "projected"])} value={method} label={(one) => classText.methods[one]} onChoose={(one) => choose({ method: one })} />
      {method === "equivalence" && (
        <>
          <Segments legend={classText.encoding} name="encoding" options={ENCODINGS} value={encoding} label={(one) => classText.encodings[one]} onChoose={(one) => choose({ encoding: one })} />
          <Segments legend={classText.linkage} name="linkage" options={/** @type {const} */ (["complete", "erode"])} value={linkage} label={(one) => classText.linkages[one]} onChoose={(one) => choose({ linkage: one })} />
          {encoding === "adjoint" && (
            <label class="switch">
              <span>{classText.symmetric}</span>
              <input type="checkbox" role="switch" checked={symmetric} onChange={(event) => choose({ symmetric: event.currentTarget.checked })} />
            </label>
          )}
        </>
      )}
      <Epsilon />
      <p class="facts-line">{method === "projected" ? classText.projectedHint : classText.encodingHints[encoding]}</p>
    </section>
  );
}

/** ε grows with the square of the way, so that small ones are easy to hit. */
const FULL = { equivalence: 10, projected: 1 };

function Epsilon() {
  const { method, epsilon } = lesson.value;
  const position = Math.min(100, 100 * Math.sqrt(epsilon / FULL[method]));
  const set = (/** @type {number} */ value) => choose({ epsilon: Number(value.toPrecision(3)) });
  return (
    <>
      <div class="dial">
        <label for="class-epsilon">ε</label>
        <NumberBox id="class-epsilon" name={classText.epsilon} value={epsilon} valid={(value) => value >= 0 && value <= 1000} onChange={set} />
      </div>
      <input type="range" min={0} max={100} step={0.5} value={position} aria-label={classText.epsilon} aria-valuetext={number(epsilon)} style={{ "--filled": `${position}%` }} onInput={(event) => set(FULL[method] * (Number(event.currentTarget.value) / 100) ** 2)} />
    </>
  );
}

/** Takes what was typed on Enter and on leaving. @param {{id?: string, name: string, value: number, valid: (value: number) => boolean, onChange: (value: number) => void}} props */
function NumberBox({ id, name, value, valid, onChange }) {
  const shown = String(value);
  const [typed, setTyped] = useState(shown);
  useLayoutEffect(() => setTyped(shown), [shown]); // at once: a frame later it would undo what is typed
  const commit = () => {
    const next = Number(typed.trim().replace(",", ".").replace("−", "-"));
    if (typed.trim() === "" || !Number.isFinite(next) || !valid(next)) setTyped(shown);
    else if (next !== value) onChange(next);
  };
  return (
    <span class="box">
      <input id={id} inputMode="decimal" autocomplete="off" size={6} value={typed} aria-label={name} onInput={(event) => setTyped(event.currentTarget.value)} onBlur={commit} onKeyDown={(event) => event.key === "Enter" && commit()} />
    </span>
  );
}

/** A number between −3 and 3, by slider and box. @param {{label: import("preact").ComponentChildren, name: string, value: number, onChange: (value: number) => void}} props */
function Dial({ label, name, value, onChange }) {
  const most = Math.max(MOST, Math.ceil(Math.abs(value)));
  return (
    <div class="weight-row">
      <span aria-hidden="true">{label}</span>
      <input type="range" min={-most} max={most} step={0.01} value={value} aria-label={name} style={{ "--filled": `${50 + (50 * value) / most}%` }} onInput={(event) => onChange(Number(event.currentTarget.value))} />
      <NumberBox name={classText.typed(name)} value={Number(value.toPrecision(4))} valid={(typed) => Math.abs(typed) <= MOST} onChange={onChange} />
    </div>
  );
}

export function WeightsCard() {
  const { net } = lesson.value;
  const { layer, neuron } = chosen.value;
  const widths = widthsOf(net);
  const reads = widths[layer];
  const into = classText.weightsInto(layer + 1, neuron + 1, widths.length);
  return (
    <section class="card" aria-label={into}>
      <header>
        <h2>{into}</h2>
      </header>
      {Array.from({ length: reads + 1 }, (_, from) => {
        const at = { layer, neuron, from };
        const short = from === reads ? classText.bias : `${layer === 0 ? "x" : "a"}${from + 1}`;
        return <Dial key={from} label={short} name={classText.weightName(short, from === reads)} value={weightAt(net, at)} onChange={(value) => setWeight(at, value)} />;
      })}
      <p class="facts-line">{classText.weightsHint}</p>
    </section>
  );
}

export function InputsCard() {
  const { x } = lesson.value;
  return (
    <section class="card" aria-labelledby="class-inputs">
      <header>
        <h2 id="class-inputs">{classText.inputs}</h2>
      </header>
      {x.map((value, i) => (
        <Dial key={i} label={`x${i + 1}`} name={classText.inputName(i + 1)} value={value} onChange={(to) => setInput(i, Number(to.toFixed(2)))} />
      ))}
    </section>
  );
}
