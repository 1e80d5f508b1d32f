import { useEffect, useRef } from "preact/hooks";

import { dismissProblem } from "../actions.js";
import { text } from "../messages.js";

/**
 * What went wrong, and the way out with the focus on it.
 * @param {{problem: import("../state.js").Problem|null, closable?: boolean}} props
 */
export function Problem({ problem, closable }) {
  const close = useRef(/** @type {HTMLButtonElement|null} */ (null));
  useEffect(() => {
    if (problem) close.current?.focus();
  }, [problem]);
  if (!problem) return null;
  return (
    <div class="problem" role="alert">
      <p>{problem.message}</p>
      {problem.remedy && (
        <button type="button" class="small" onClick={problem.remedy.run}>
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
