// The charts, fed from the state.
import { useMemo, useState } from "preact/hooks";

import { keyOf } from "../../wasm/lines.js";
import { PRUNING } from "../../wasm/methods.js";
import { Chart } from "../charts/chart.jsx";
import { DRAWN_CLASSES, answersOf, chooses, confusionOf, labelsOf } from "../../wasm/classes.js";
import { confusionTable, drawConfusion, drawPairs } from "../charts/confusion.jsx";
import { curveTable, drawCurve, pointsOf } from "../charts/curve.jsx";
import { LABELLED, drawPath, pathFrame, pathTable } from "../charts/path.jsx";
import { drawScatter, pairsOf, rowsDrawn, scatterTable } from "../charts/scatter.jsx";
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
    return { retained: report.retained, parameters: report.parameters.after, value, epsilon: report.epsilon, final: true, polished: report.polish !== null };
  }
  return choice && { retained: choice.retained, parameters: choice.parameters, value: null, epsilon: choice.epsilon, final: false, polished: false };
}

/** The pinned results as the curve shows them. @param {import("../charts/curve.jsx").Metric} metric */
const pinned = (metric) =>
  state.pins.value.map(({ result: { report } }) => ({ retained: report.retained, value: (metric === "deviation" ? report.deviation : report.score?.after) ?? NaN }));

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
  const metric = tab === "score" && score && curveLines(scored).length > 0 ? scored : "deviation";
  const lines = curveLines(metric);
  if (lines.length === 0) return <Waiting title={text.curve} message={text.curveFlat} class="hero" />;
  const names = { deviation: text.curveTabs.deviation, score: text.curveTabs[scored] };
  const tabs = score && <Tabs label={text.curve} tabs={names} chosen={metric === "deviation" ? "deviation" : "score"} choose={setTab} />;
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
      table={() => curveTable(shownPoints.value, scored, (point) => text.lineName(keyOf(point)))}
      draw={(width) => drawCurve({ lines, metric, mark: present(metric), pins: pinned(metric), original: score?.before ?? null, width })}
    />
  );
}

export function WidthsCard() {
  const rows = widthRows(model(), widths.value);
  const aside = PRUNING.includes(state.method.value) && <p class="aside wide">{text.prunedNote}</p>;
  return (
    <Chart aside={aside} title={text.widths} description={text.widthsDescription} name={fileName("widths")} table={() => widthTable(rows)} draw={(width) => drawWidths(rows, width)} />
  );
}

/** Outputs against outputs, or classes against classes where the network chooses one. */
export function ScatterCard() {
  const [tab, setTab] = useState("classes");
  const result = state.result.value;
  if (!result?.outputs) return <Waiting title={text.scatter} message={text.scatterWait} />;
  if (!chooses(result.outputs, result.report)) return <OutputsCard outputs={result.outputs} />;
  const tabs = <Tabs label={text.scatterKind} tabs={{ classes: text.classesTab, outputs: text.scatterTab }} chosen={tab} choose={setTab} />;
  return tab === "classes" ? <ClassesCard outputs={result.outputs} tabs={tabs} /> : <OutputsCard outputs={result.outputs} tabs={tabs} />;
}

/** @param {{label: string, tabs: Record<string, string>, chosen: string, choose: (tab: string) => void}} props */
export function Tabs({ label, tabs, chosen, choose }) {
  return (
    <div class="tabs" role="group" aria-label={label}>
      {Object.entries(tabs).map(([id, name]) => (
        <button key={id} type="button" aria-pressed={chosen === id} onClick={() => choose(id)}>
          {name}
        </button>
      ))}
    </div>
  );
}

/** @param {{outputs: import("../state.js").Outputs, tabs: import("preact").ComponentChildren}} props */
function ClassesCard({ outputs, tabs }) {
  const [by, setBy] = useState("answer");
  const { original, reduced, results } = outputs;
  const labels = labelsOf(outputs);
  const [said, given] = [original, reduced].map((each) => answersOf(each, results));
  const labelled = by === "label" && labels !== null;
  const asked = text.confusionBy[labelled ? "label" : "answer"];
  const confusion = confusionOf(labelled ? labels : said, given, results);
  const same = labelled ? confusionOf(said, given, results) : confusion;
  const many = results > DRAWN_CLASSES;
  const aside = (
    <div class="aside">
      <p>{text.sameAnswer(same.same, same.rows)}</p>
      {labelled && <p>{text.asLabelled(confusion.same, confusion.rows)}</p>}
      {outputs.drawn || outputs.rows < outputs.total ? <p>{text.scatterRows(outputs.rows, outputs.total, outputs.drawn)}</p> : null}
      {many && <p>{text.mostConfused(results)}</p>}
      {labels && (
        <label>
          {text.confusionRows}{" "}
          <select value={by} onChange={(event) => setBy(event.currentTarget.value)}>
            <option value="answer">{text.confusionBy.answer}</option>
            <option value="label">{text.confusionBy.label}</option>
          </select>
        </label>
      )}
    </div>
  );
  return (
    <Chart
      title={text.confusion}
      description={text.confusionDescription}
      name={fileName("classes")}
      nearest="xy"
      dim={stale.value}
      tools={tabs}
      table={() => confusionTable(confusion, asked)}
      draw={(width) => (many ? drawPairs(confusion, width) : drawConfusion(confusion, { width, asked }))}
      aside={aside}
    />
  );
}

/** @param {{outputs: import("../state.js").Outputs, tabs?: import("preact").ComponentChildren}} props */
function OutputsCard({ outputs, tabs }) {
  const [which, setWhich] = useState(/** @type {number|null} */ (null));
  const one = which !== null && which < outputs.results ? which : null;
  const pairs = pairsOf(outputs, one);
  return (
    <Chart
      title={text.scatter}
      description={text.scatterDescription}
      name={fileName("outputs")}
      nearest="xy"
      dim={stale.value}
      tools={tabs}
      table={() => scatterTable(pairs)}
      draw={(width) => drawScatter(pairs, width)}
      aside={<ScatterNotes outputs={outputs} which={one} setWhich={setWhich} />}
    />
  );
}

/** @param {{outputs: import("../state.js").Outputs, which: number|null, setWhich: (which: number|null) => void}} props */
function ScatterNotes({ outputs, which, setWhich }) {
  return (
    <div class="aside">
      <p>{text.scatterRows(rowsDrawn(outputs, which), outputs.total, outputs.drawn)}</p>
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

/** The same, remembering what it gave last. @template T @param {(width: number) => T} of @returns {(width: number) => T} */
function lastOf(of) {
  /** @type {{width: number, given: T}|null} */
  let last = null;
  return (width) => (last?.width === width ? last : (last = { width, given: of(width) })).given;
}

/** A site is called after the first layer that writes it. @param {number} site */
const siteLabel = (site) => text.layerNumber(model().layers.findIndex((layer) => layer.site === site));

export function PathCard() {
  const [layer, setLayer] = useState("");
  const path = state.path.value ?? state.result.value?.path;
  const sites = useMemo(() => path?.sites.map((site, i) => ({ ...site, site: i, label: siteLabel(i) })).filter((site) => site.deviation.length > 0) ?? [], [path]);
  const one = sites.find((site) => site.label === layer);
  const drawn = useMemo(() => (one ? [one] : sites), [one, sites]);
  const frameOf = useMemo(() => lastOf((width) => pathFrame(drawn, width)), [drawn]);
  if (sites.length === 0) return <Waiting title={text.path} message={text.scatterWait} class="path" />;
  // Another method's choice does not lie on this path.
  const after = takesTolerance(state.method.value) ? drawn.map(({ site, width }) => widths.value[site]?.after ?? width) : [];
  return (
    <Chart
      class="path"
      title={text.path}
      description={text.pathDescription}
      name={fileName("path")}
      nearest="xy"
      table={() => pathTable(drawn)}
      draw={(width) => drawPath(frameOf(width), drawn, after)}
      foot={sites.length > LABELLED && <LayerChoice labels={sites.map((site) => site.label)} layer={one ? layer : ""} setLayer={setLayer} />}
    />
  );
}

/** One layer's line, where there are too many to be named. @param {{labels: string[], layer: string, setLayer: (layer: string) => void}} props */
function LayerChoice({ labels, layer, setLayer }) {
  return (
    <div class="chart-foot">
      <label>
        {text.heatLayer}{" "}
        <select value={layer} onChange={(event) => setLayer(event.currentTarget.value)}>
          <option value="">{text.scatterAll}</option>
          {labels.map((label) => (
            <option key={label}>{label}</option>
          ))}
        </select>
      </label>
    </div>
  );
}
