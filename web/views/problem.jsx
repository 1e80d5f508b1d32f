import { useEffect, useRef } from "preact/hooks";

import { dismissProblem } from "../actions.js";
import { text } from "../messages.js";

/**
 * What went wrong, and the way out with the focus on it.
 * @param {{problem: import("../state.js").Problem|null, closable?: boolean}} props
 */
export function Problem({ problem, closable }) {
  const close = useRef(/** @type {HTMLButtonElement|null} */ (null));
  const remedy = useRef(/** @type {HTMLButtonElement|null} */ (null));
  useEffect(() => {
    // What cannot be closed comes and goes with the slider, which keeps the focus.
    if (problem && closable) (remedy.current ?? close.current)?.focus();
  }, [problem, closable]);
  if (!problem) return null;
  return (
    <div class="problem" role="alert">
      <p>{problem.message}</p>
      {problem.remedy && (
        <button ref={remedy} type="button" class="small" onClick={problem.remedy.run}>
          {problem.remedy.label}
        </button>
      )}
      {closable && (
        <button ref={close} type="button" class="quiet" onClick={dismissProblem}>
          {text.close}
        </button>
      )}
    </div>
  );
}
