// What the curve is compared with: a button for every line, pressed while it is there.
import { compareAll, stopDrawing, toggleCompared } from "../actions.js";
import { DASHES, choicesBeside, keyOfChoice, styleOf, together } from "../lines.js";
import { text } from "../messages.js";
import { OUTSIDE } from "../../wasm/methods.js";
import { outside, shown, state } from "../state.js";

export function Compare() {
  const method = state.method.value;
  const allowed = outside.value ? OUTSIDE : undefined;
  const all = together(method, allowed);
  const missing = shown.value.flatMap((key) => {
    const why = state.lines.value.get(key)?.why;
    return key !== method && why ? [text.lineMissing(text.lineName(key), why)] : [];
  });
  return (
    <div class="compare">
      <div class="chips" role="group" aria-labelledby="compare-with">
        <span id="compare-with">{text.compareWith}</span>
        {all.length > 2 && (
          <button type="button" class="chip" aria-pressed={all.every((choice) => state.compared.value.includes(choice))} onClick={() => compareAll(all)}>
            {text.compareAll}
          </button>
        )}
        {choicesBeside(method, allowed).map((choice) => (
          <Chip key={choice} line={keyOfChoice(choice, method)} pressed={state.compared.value.includes(choice)} toggle={() => toggleCompared(choice)} />
        ))}
      </div>
      <Drawing />
      {missing.map((one) => (
        <p key={one} class="note">
          {one}
        </p>
      ))}
    </div>
  );
}

/** @param {{line: string, pressed: boolean, toggle: () => void}} props */
function Chip({ line, pressed, toggle }) {
  const style = styleOf(line, state.method.value);
  return (
    <button type="button" class="chip" aria-pressed={pressed} onClick={toggle}>
      <svg width="22" height="8" aria-hidden="true">
        <path class={`line style-${style}`} stroke-dasharray={DASHES[style]} d="M1 4h20" />
      </svg>
      {text.lineName(line)}
    </button>
  );
}

/** The line being drawn, and the way to stop it. */
function Drawing() {
  const drawing = state.drawing.value;
  if (!drawing) return null;
  const name = text.lineName(drawing.key);
  return (
    <div class="working">
      <progress max={1} value={drawing.fraction} aria-label={text.drawing(name, drawing.fraction)} />
      <span>{text.drawing(name, drawing.fraction)}</span>
      <button type="button" class="quiet" onClick={stopDrawing}>
        {text.stopDrawing}
      </button>
    </div>
  );
}
