import { openText, single } from "../assets.js";
import { stale, state, unsized } from "../state.js";
import { text } from "../messages.js";
import { CurveCard, PathCard, ScatterCard, WidthsCard } from "./charts.jsx";
import { Data } from "./data.jsx";
import { Downloads } from "./downloads.jsx";
import { Guarded } from "./guarded.jsx";
import { Header } from "./header.jsx";
import { Later } from "./later.jsx";
import { Model } from "./model.jsx";
import { Numbers } from "./numbers.jsx";
import { Problem } from "./problem.jsx";
import { Sizes } from "./sizes.jsx";
import { Start } from "./start.jsx";
import { Target } from "./target.jsx";
import { Update } from "./update.jsx";
import { Whole } from "./whole.jsx";

/** Views whose code is fetched when they are first shown. @type {Record<string, () => Promise<{View: import("preact").ComponentType}>>} */
const LATER = { class: () => import("../classroom/classroom.jsx"), how: () => import("./how.jsx") };

/** What a result did inside is drawn below the fold. */
const inside = () => import("./inside.jsx");
const Inside = () => state.result.value && <Later load={inside} />;
const CARDS = [CurveCard, WidthsCard, ScatterCard, Inside, PathCard];

/** @param {{hovering: import("@preact/signals").Signal<boolean>}} props */
export function App({ hovering }) {
  const view = state.view.value;
  return (
    <>
      <Header />
      <Update />
      <main class={LATER[view] ? view : state.model.value ? "work" : "start"}>
        <Problem problem={state.problem.value} closable />
        {LATER[view] ? <Later load={LATER[view]} /> : state.model.value ? <Workbench /> : <Start />}
      </main>
      <footer class="foot">
        <Licences />
      </footer>
      {hovering.value && <div class="veil">{text.release}</div>}
      <Announcement />
    </>
  );
}

function Licences() {
  if (!single) return <a href="licences.txt">{text.licences}</a>;
  return (
    <button type="button" class="link" onClick={() => void openText("licences.txt")}>
      {text.licences}
    </button>
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
            {CARDS.map((Card) => (
              <Guarded key={Card}>
                <Card />
              </Guarded>
            ))}
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
