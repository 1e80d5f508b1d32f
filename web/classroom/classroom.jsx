// The classroom: lumping step by step on a network small enough to see.
import { text } from "../messages.js";

export function View() {
  return <h1>{text.views.class}</h1>;
}
