// How it works, in two screens.
import { text } from "../messages.js";

export function View() {
  return <h1>{text.views.how}</h1>;
}
