// The worst case of the shown result: bounded when asked for, gone with the result.
import { useEffect, useRef } from "preact/hooks";

import { boundWorstCase, stopBounding } from "../actions.js";
import { text } from "../messages.js";
import { outside, stale, state } from "../state.js";

/** @param {{report: import("../state.js").Report|null, dim: boolean}} props */
export function Worst({ report, dim }) {
  const line = useRef(/** @type {HTMLDivElement|null} */ (null));
  const asked = useRef(false);
  const certificate = report?.certificate ?? null;
  const running = state.bounding.value;
  const measure = (report ?? state.path.value)?.measure;
  const toggle = () => {
    asked.current = true;
    if (running) stopBounding();
    else void boundWorstCase();
  };
  // The button goes when the answer comes; who stood on it stands on the answer's details then.
  useEffect(() => {
    if (certificate && asked.current && document.activeElement === document.body) line.current?.querySelector("summary")?.focus({ preventScroll: true });
    asked.current = false;
  }, [certificate]);
  if (outside.value)
    return (
      <div class="worst">
        <h2>{text.worstCase}</h2>
        <p>{text.worstOutside}</p>
      </div>
    );
  return (
    <div class={`worst ${dim && certificate ? "dim" : ""}`} ref={line} role="group" aria-label={text.worstCase}>
      {running && <progress max={1} value={running.fraction} aria-label={text.stages.certify} />}
      {certificate ? (
        <h2>{text.worstCase}</h2>
      ) : (
        <button type="button" class="link" disabled={!report || stale.value || state.task.value !== null} aria-describedby="worst" onClick={toggle}>
          {running ? text.cancel : text.worstCase}
        </button>
      )}
      <p id="worst">
        <span role="status">{certificate ? <Answer certificate={certificate} /> : running ? `${text.stages.certify} ` : ""}</span>
        {!certificate && measure ? text.worstRange(measure) : ""}
      </p>
      {certificate && measure && "bound" in certificate && <Scope certificate={certificate} measure={measure} />}
    </div>
  );
}

/** @typedef {import("../../wasm/types.js").Certificate} Certificate */

/** @param {{certificate: Certificate|{unavailable: string}}} props */
function Answer({ certificate }) {
  return "unavailable" in certificate ? <>{text.worstMissing(certificate.unavailable)}</> : <strong>{text.worstBound(certificate)}</strong>;
}

/** What is guaranteed and what is not; opens on click. @param {{certificate: Certificate, measure: import("../../wasm/types.js").Measure}} props */
function Scope({ certificate, measure }) {
  const proved = certificate.bound !== null;
  return (
    <details class={`badge ${proved ? "agrees" : "skipped"}`}>
      <summary>{proved ? text.worstGuaranteed : text.worstNotProved}</summary>
      <div>
        {text.worstDetail(certificate, measure).map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </div>
    </details>
  );
}
