import { useLayoutEffect, useState } from "preact/hooks";

import { METHODS, OUTSIDE, PRUNING } from "../../wasm/methods.js";
import { cancel, measure, polishNow, setKind, setMethod, setPolish, setTarget, wantsPolish } from "../actions.js";
import { text } from "../messages.js";
import { outside, stale, state, unpolished } from "../state.js";
import { STEPS, boxText, dialOf, dialsFor, parse, polishable, positionOf, takesTolerance, valueAt } from "../targets.js";
import { Problem } from "./problem.jsx";

const BASELINES = ["norm", ...PRUNING, "random"];
const METHOD_GROUPS = [
  { title: text.methodGroups.lumping, methods: METHODS.filter((one) => !BASELINES.includes(one)) },
  { title: text.methodGroups.baselines, methods: METHODS.filter((one) => BASELINES.includes(one)) },
];

export function Target() {
  const { kind, value } = state.target.value;
  const score = state.result.value?.report.score ?? null;
  const dial = dialOf(state.target.value, score);
  return (
    <section class="card" aria-labelledby="target">
      <header>
        <h2 id="target">{text.target}</h2>
      </header>
      <Kinds kind={kind} dials={dialsFor(score)} />
      <div class="dial">
        <label for="dial-box">{text.dialLabel[kind]}</label>
        <Box dial={dial} value={value} />
      </div>
      <Slider dial={dial} value={value} />
      <p class="ends" aria-hidden="true">
        {text.dialEnds[kind].map((end) => (
          <span key={end}>{end}</span>
        ))}
      </p>
      <p class="facts-line">{text.dialHint[kind]}</p>
      {!takesTolerance(state.method.value) && <p class="facts-line">{text.toleranceNot}</p>}
      <Problem problem={state.obstacle.value} />
      <Work />
      <Methods />
      <Polish />
    </section>
  );
}

/** @param {{kind: import("../state.js").Target["kind"], dials: import("../targets.js").Dial[]}} props */
function Kinds({ kind, dials }) {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{text.target}</legend>
      {dials.map((dial) => (
        <label key={dial.kind}>
          <input type="radio" name="kind" checked={dial.kind === kind} disabled={dial.kind === "epsilon" && !takesTolerance(state.method.value)} onChange={() => setKind(dial.kind)} />
          <span>{text.kinds[dial.kind]}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** @param {{dial: import("../targets.js").Dial, value: number}} props */
function Slider({ dial, value }) {
  const position = positionOf(dial, value);
  const model = /** @type {import("../state.js").ModelInfo} */ (state.model.value);
  return (
    <input
      type="range"
      name="dial"
      min={0}
      max={STEPS}
      step={1}
      value={position}
      aria-label={text.dialName[dial.kind]}
      aria-valuetext={text.dialValue(`${boxText(dial, value)}${dial.unit}`, state.choice.value, model.parameters)}
      style={{ "--filled": `${(100 * position) / STEPS}%` }}
      onInput={(event) => setTarget({ kind: dial.kind, value: valueAt(dial, Number(event.currentTarget.value)) })}
    />
  );
}

/**
 * The number box: takes what was typed on Enter and on leaving, and puts the old value back when it is none.
 * @param {{dial: import("../targets.js").Dial, value: number}} props
 */
function Box({ dial, value }) {
  const shown = boxText(dial, value);
  const [typed, setTyped] = useState(shown);
  useLayoutEffect(() => setTyped(shown), [shown, dial.kind]); // at once: a frame later it would undo what is typed
  const commit = () => {
    const next = parse(dial, typed);
    if (next === null || typed === shown) setTyped(shown);
    else setTarget({ kind: dial.kind, value: next });
  };
  return (
    <span class="box">
      <input
        id="dial-box"
        name="value"
        inputMode="decimal"
        autocomplete="off"
        size={7}
        value={typed}
        aria-label={text.dialName[dial.kind]}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === "Enter" && commit()}
      />
      {dial.unit && <span>{dial.unit}</span>}
    </span>
  );
}

/** What is being worked on, and the way to stop it. The line keeps its place when there is nothing. */
function Work() {
  const task = state.task.value;
  const unpolished = !task && wantsPolish();
  const stopped = !task && !state.obstacle.value && (!state.result.value || stale.value);
  return (
    <div class="working">
      {task && (
        <>
          <progress max={1} value={task.stage === "runtime" ? undefined : task.fraction} aria-label={text.stages[task.stage]} />
          <span>{text.working(task)}</span>
          <button type="button" class="quiet" onClick={cancel}>
            {text.cancel}
          </button>
        </>
      )}
      {unpolished && (
        <>
          <span>{text.notPolished}</span>
          <button type="button" class="quiet" onClick={polishNow}>
            {text.polishNow}
          </button>
        </>
      )}
      {stopped && (
        <>
          <span>{text.stopped}</span>
          <button type="button" class="quiet" onClick={() => void measure()}>
            {text.again}
          </button>
        </>
      )}
    </div>
  );
}

function Polish() {
  if (unpolished.value) return <p class="facts-line polish">{text.polishOutside}</p>;
  const exact = !polishable(state.target.value);
  return (
    <div class="polish">
      <label>
        <span>{text.polish}</span>
        <input type="checkbox" role="switch" name="polish" checked={state.polish.value} aria-describedby="polish-hint" onChange={(event) => setPolish(event.currentTarget.checked)} />
      </label>
      <p id="polish-hint" class="facts-line">
        {exact ? text.polishNever : text.polishHint}
      </p>
    </div>
  );
}

function Methods() {
  const method = state.method.value;
  return (
    <div class="method">
      <label>
        <span>{text.method}</span>
        <select name="method" value={method} aria-describedby="method-hint" onChange={(event) => setMethod(/** @type {typeof method} */ (event.currentTarget.value))}>
          {METHOD_GROUPS.map(({ title, methods }) => (
            <optgroup key={title} label={title}>
              {methods.map((one) => (
                <option key={one} value={one} selected={one === method} disabled={outside.value && !OUTSIDE.includes(one)}>
                  {text.methodNames[one]}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      <p id="method-hint" class="facts-line">
        {text.methods[method]} {outside.value && text.methodsOutside}
      </p>
    </div>
  );
}
