import { useEffect, useErrorBoundary } from "preact/hooks";

import { text } from "../messages.js";
import { state } from "../state.js";

/** Keeps what goes wrong in drawing one part from the rest of the page, until there is a new result. @param {{children: import("preact").ComponentChildren}} props */
export function Guarded({ children }) {
  const [error, again] = useErrorBoundary((wrong) => console.error(wrong));
  const result = state.result.value;
  useEffect(again, [result]);
  if (!error) return children;
  return (
    <section class="card">
      <p class="waiting">{text.cardFailed}</p>
    </section>
  );
}
