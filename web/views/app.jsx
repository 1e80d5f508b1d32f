import { stale, state, unsized } from "../state.js";
import { text } from "../messages.js";
import { CurveCard, PathCard, ScatterCard, WidthsCard } from "./charts.jsx";
import { Data } from "./data.jsx";
import { Downloads } from "./downloads.jsx";
import { Header } from "./header.jsx";
import { Model } from "./model.jsx";
import { Numbers } from "./numbers.jsx";
import { Problem } from "./problem.jsx";
import { Sizes } from "./sizes.jsx";
import { Start } from "./start.jsx";
import { Target } from "./target.jsx";
import { Whole } from "./whole.jsx";

/** @param {{hovering: import("@preact/signals").Signal<boolean>}} props */
export function App({ hovering }) {
  return (
    <>
      <Header />
      <main class={state.model.value ? "work" : "start"}>
        <Problem problem={state.problem.value} closable />
        {state.model.value ? <Workbench /> : <Start />}
      </main>
      <footer class="foot">
        <a href="licences.txt">{text.licences}</a>
      </footer>
      {hovering.value && <div class="veil">{text.release}</div>}
      <Announcement />
    </>
  );
}

function Workbench() {
  const shrinks = state.model.value?.sites.length !== 0;
  const ready = shrinks && !unsized.value;
  return (
    <div class="columns">
      <div class="controls">
        <Model />
        {shrinks && <Sizes />}
        {ready && <Data />}
        {ready && <Target />}
        {ready && <Downloads />}
      </div>
      <div class="answers">
        {unsized.value ? null : shrinks ? (
          <>
            <Numbers />
            <CurveCard />
            <WidthsCard />
            <ScatterCard />
            <PathCard />
          </>
        ) : (
          <Whole />
        )}
      </div>
    </div>
  );
}

/** Says each finished result once. */
function Announcement() {
  const result = state.result.value;
  return (
    <p class="visually-hidden" role="status" aria-live="polite">
      {result && !stale.value ? text.result(result.report) : ""}
    </p>
  );
}
