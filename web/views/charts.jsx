// The four charts, fed from the state.
import { useState } from "preact/hooks";

import { keyOf } from "../../wasm/lines.js";
import { PRUNING } from "../../wasm/methods.js";
import { Chart } from "../charts/chart.jsx";
import { curveTable, drawCurve, pointsOf } from "../charts/curve.jsx";
import { drawPath, pathTable } from "../charts/path.jsx";
import { drawScatter, pairsOf, scatterTable } from "../charts/scatter.jsx";
import { drawWidths, widthRows, widthTable } from "../charts/widths.jsx";
import { stem } from "../format.js";
import { styleOf, wayOf } from "../lines.js";
import { text } from "../messages.js";
import { curve as ownCurve, shown, shownPoints, stale, state, widths } from "../state.js";
import { takesTolerance } from "../targets.js";
import { Compare } from "./compare.jsx";

const model = () => /** @type {import("../state.js").ModelInfo} */ (state.model.value);

/** @param {string} what */
const fileName = (what) => `${stem(model().name)}.${what}`;

/** @param {{title: string, message: string, class?: string}} props */
function Waiting({ title, message, class: extra = "" }) {
  return (
    <section class={`card chart waiting ${extra}`}>
      <header>
        <h2>{title}</h2>
      </header>
      <p>{message}</p>
    </section>
  );
}

/** The present choice as the curve shows it: where it will be at once, what it gives when it is computed. */
function present(/** @type {import("../charts/curve.jsx").Metric} */ metric) {
  const report = state.result.value?.report;
  const choice = state.choice.value;
  if (!stale.value && report) {
    const value = metric === "deviation" ? report.deviation : (report.score?.after ?? null);
    return { retained: report.retained, parameters: report.parameters.after, value, final: true, polished: report.polish !== null };
  }
  return choice && { retained: choice.retained, parameters: choice.parameters, value: null, final: false, polished: false };
}

/** The lines that have points, the present method's first. @param {import("../charts/curve.jsx").Metric} metric */
function curveLines(metric) {
  const method = state.method.value;
  return shown.value
    .map((key) => {
      const points = pointsOf(state.lines.value.get(key)?.points ?? [], metric);
      const style = styleOf(key, method);
      return { key, name: text.lineName(key), short: text.lineShort(key, style === 1), style, polished: wayOf(key).polish, points };
    })
    .filter((line) => line.points.length > 0);
}

export function CurveCard() {
  const [tab, setTab] = useState("deviation");
  const curve = ownCurve.value;
  if (!curve || curve.length === 0) return <Waiting title={text.curve} message={text.curveWait} class="hero" />;
  const score = state.result.value?.report.score ?? null;
  const scored = score?.kind ?? "mse";
  const metric = tab === "score" && score ? scored : "deviation";
  const lines = curveLines(metric);
  const tabs = score && (
    <div class="tabs" role="group" aria-label={text.curve}>
      {[
        ["deviation", text.curveTabs.deviation],
        ["score", text.curveTabs[scored]],
      ].map(([id, label]) => (
        <button key={id} type="button" aria-pressed={(metric === "deviation") === (id === "deviation")} onClick={() => setTab(id)}>
          {label}
        </button>
      ))}
    </div>
  );
  return (
    <Chart
      class="hero"
      title={text.curve}
      description={text.curveDescription}
      name={fileName("curve")}
      hint={text.curvePick}
      tools={tabs}
      nearest={lines.length > 1 ? "xy" : "x"}
      foot={<Compare />}
      table={curveTable(shownPoints.value, scored, (point) => text.lineName(keyOf(point)))}
      draw={(width) => drawCurve({ lines, metric, mark: present(metric), original: score?.before ?? null, width })}
    />
  );
}

export function WidthsCard() {
  const rows = widthRows(model(), widths.value);
  const aside = PRUNING.includes(state.method.value) && <p class="aside wide">{text.prunedNote}</p>;
  return (
    <Chart aside={aside} title={text.widths} description={text.widthsDescription} name={fileName("widths")} table={widthTable(rows)} draw={(width) => drawWidths(rows, width)} />
  );
}

export function ScatterCard() {
  const [which, setWhich] = useState(/** @type {number|null} */ (null));
  const outputs = state.result.value?.outputs;
  if (!outputs) return <Waiting title={text.scatter} message={text.scatterWait} />;
  const one = which !== null && which < outputs.results ? which : null;
  const pairs = pairsOf(outputs, one);
  return (
    <Chart
      title={text.scatter}
      description={text.scatterDescription}
      name={fileName("outputs")}
      nearest="xy"
      dim={stale.value}
      table={scatterTable(pairs)}
      draw={(width) => drawScatter(pairs, width)}
      aside={<ScatterNotes outputs={outputs} which={one} setWhich={setWhich} />}
    />
  );
}

/** @param {{outputs: import("../state.js").Outputs, which: number|null, setWhich: (which: number|null) => void}} props */
function ScatterNotes({ outputs, which, setWhich }) {
  return (
    <div class="aside">
      <p>{text.scatterRows(outputs.rows, outputs.total, outputs.drawn)}</p>
      <p>{text.scatterDiagonal}</p>
      <p>{text.scatterLargest(state.result.value?.report.largest ?? 0)}</p>
      {outputs.results > 1 && (
        <label>
          {text.scatterOutput}{" "}
          <select value={which ?? ""} onChange={(event) => setWhich(event.currentTarget.value === "" ? null : Number(event.currentTarget.value))}>
            <option value="">{text.scatterAll}</option>
            {Array.from({ length: outputs.results }, (_, i) => (
              <option key={i} value={i}>
                {i + 1}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

/** A site is called after the first layer that writes it. @param {number} site */
const siteLabel = (site) => text.layerNumber(model().layers.findIndex((layer) => layer.site === site));

export function PathCard() {
  const path = state.path.value ?? state.result.value?.path;
  const sites = path?.sites.map((site, i) => ({ ...site, label: siteLabel(i) })).filter((site) => site.deviation.length > 0) ?? [];
  if (!path || sites.length === 0) return <Waiting title={text.path} message={text.scatterWait} class="wide" />;
  // Another method's choice does not lie on this path.
  const after = takesTolerance(state.method.value) ? widths.value.filter((_, i) => path.sites[i]?.deviation.length > 0).map((site) => site.after) : [];
  return (
    <Chart class="wide" title={text.path} description={text.pathDescription} name={fileName("path")} nearest="xy" table={pathTable(sites)} draw={(width) => drawPath(sites, after, width)} />
  );
}
