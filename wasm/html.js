// html: text in HTML, escaped.

/** @param {unknown} text */
const escape = (text) =>
  String(text).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c] ?? c);

/** Text in HTML with everything filled in escaped; parts made by html itself stay as they are.
 * @param {TemplateStringsArray} parts @param {...(string|number|Html|Html[])} values */
export function html(parts, ...values) {
  const text = (/** @type {string|number|Html} */ value) => (value instanceof Html ? value.text : escape(value));
  return new Html(
    parts.reduce((out, part, i) => {
      const value = values[i - 1];
      return out + (Array.isArray(value) ? value.map(text).join("") : text(value)) + part;
    }),
  );
}

export class Html {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

export const NONE = new Html("");

/** A coordinate. @param {number} value */
export const fixed = (value) => String(Number(value.toFixed(2)));
