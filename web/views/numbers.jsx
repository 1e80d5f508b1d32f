// The answer in four numbers.
import { useState } from "preact/hooks";

import { PRUNING } from "../../wasm/methods.js";
import { isPinned, pin } from "../actions.js";
import { accuracy, count, number, share, size } from "../format.js";
import { text } from "../messages.js";
import { expected, stale, state } from "../state.js";
import { Pins } from "./pins.jsx";
import { Worst } from "./worst.jsx";

export function Numbers() {
  const model = /** @type {import("../state.js").ModelInfo} */ (state.model.value);
  const report = state.result.value?.report ?? null;
  const after = report?.parameters.after ?? null; // counted; what is chosen is a bound
  const left = stale.value || after === null ? (state.choice.value?.parameters ?? after) : after;
  const dim = stale.value || (report === null && state.task.value !== null);
  const pruned = PRUNING.includes(report?.method ?? state.method.value);
  const soon = expected.value;
  return (
    <section class="card numbers" aria-label={text.answer}>
      <Cell title={pruned ? text.parametersNotZero : text.parameters} dim={dim && state.choice.value === null} value={left === null ? null : count(left)} beside={text.of(model.parameters)} below={left === null ? "" : text.resized(model.parameters, left)} />
      <Cell
        title={text.file}
        dim={dim && !soon}
        value={soon ? text.about(size(soon.bytes)) : report && size(report.bytes.after)}
        beside={text.ofSize(model.bytes)}
        below={soon ? text.resized(model.bytes, soon.bytes) : report ? (pruned ? text.asLarge : text.resized(report.bytes.before, report.bytes.after)) : ""}
      />
      <Cell title={text.changeBy} dim={dim && !soon} value={soon ? text.about(share(soon.deviation)) : report && share(report.deviation)} below={report && <Moved report={report} soon={soon} />} />
      <Quality report={report} dim={dim} />
      {report && <Line report={report} dim={dim} />}
      <Worst report={report} dim={dim} />
      <Pins />
    </section>
  );
}

/** The result in a line, to be read out, copied, or pinned. @param {{report: import("../state.js").Report, dim: boolean}} props */
function Line({ report, dim }) {
  const [note, setNote] = useState("");
  const sentence = text.inOneLine(report);
  const copy = () => navigator.clipboard.writeText(sentence).then(() => setNote(text.copied), () => setNote(text.copyFailed));
  return (
    <div class="sentence">
      <p class={dim ? "dim" : ""}>
        {sentence}. <span class="basis">{text.basis(report)}</span>
      </p>
      <span class="tools">
        <span role="status">{note}</span>
        <button type="button" class="link" disabled={dim} onClick={() => void copy()}>
          {text.copySentence}
        </button>
        <button type="button" class="link" disabled={dim || isPinned(/** @type {import("../state.js").Result} */ (state.result.value))} title={text.pinHint} onClick={pin}>
          {text.pin}
        </button>
      </span>
    </div>
  );
}

/** Where the deviation was measured, and what the polish brought; the numbers behind that open on click. What stands there before the
 * next result does: a draft says so. @param {{report: import("../state.js").Report, soon: typeof expected.value}} props */
function Moved({ report: { measure, polish }, soon }) {
  const tried = state.result.value?.polished && polish === null;
  return (
    <>
      {soon?.measured ? text.firstFit : text.rmsOn(measure.rows)}
      {tried && <div class={soon ? "dim" : ""}>{text.polishedNothing}</div>}
      {polish && (
        <details class={`badge agrees ${soon ? "dim" : ""}`}>
          <summary>{text.polished(polish.before, polish.after)}</summary>
          <p>{text.polishedDetail(polish, measure.rows)}</p>
        </details>
      )}
    </>
  );
}

/** @param {{report: import("../state.js").Report|null, dim: boolean}} props */
function Quality({ report, dim }) {
  const badge = report && <Badge verified={report.verified} />;
  const score = report?.score;
  if (!report || !score) {
    return <Cell title={text.largest} dim={dim} value={report && number(report.largest)} below={badge} />;
  }
  const [title, form] = score.kind === "accuracy" ? [text.testAccuracy, accuracy] : [text.testMse, number];
  const soon = expected.value?.score ?? null;
  return <Cell title={title} dim={dim && soon === null} value={soon === null ? form(score.after) : text.about(form(soon))} beside={text.was(form(score.before))} below={badge} />;
}

/** @param {{title: string, value: string|null, beside?: string, below?: import("preact").ComponentChildren, dim?: boolean}} props */
function Cell({ title, value, beside = "", below = "", dim = false }) {
  return (
    <div class={`number ${dim ? "dim" : ""}`}>
      <h2>{title}</h2>
      <p class="value">
        <strong>{value ?? "–"}</strong> {value !== null && <span>{beside}</span>}
      </p>
      <div class="below">{below}</div>
    </div>
  );
}

/** What ONNX Runtime said; the numbers behind it open on click. @param {{verified: import("../state.js").Report["verified"]}} props */
function Badge({ verified }) {
  if (!verified) return null;
  const [style, label, detail] =
    "skipped" in verified
      ? ["skipped", text.notVerified, text.verifySkipped(verified.skipped)]
      : [verified.agrees === false ? "differs" : "agrees", verified.agrees === false ? text.disagrees : verified.agrees ? text.agrees : text.runtimeOnly, text.verified(verified)];
  return (
    <details class={`badge ${style}`}>
      <summary>
        <span aria-hidden="true">{style === "agrees" ? "✓" : style === "differs" ? "✗" : "○"}</span> {label}
      </summary>
      <p>{detail}</p>
    </details>
  );
}
