// The part of the address behind "#": which view is shown, and its settings. "#how", "#class?net=toy&step=3", "#?epsilon=0.02".
// Settings only, never data: whoever gets a link gets no number of the model.

/** @typedef {"work"|"class"|"how"} View */

/** @type {readonly View[]} */
export const VIEWS = ["work", "class", "how"];

/** @param {string} hash as location.hash has it @returns {{view: View, settings: URLSearchParams}} */
export function readAddress(hash) {
  const [name, settings = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const view = VIEWS.find((one) => one === name) ?? "work";
  return { view, settings: new URLSearchParams(settings) };
}

/** @param {View} view @param {URLSearchParams} [settings] @returns {string} from "#" on */
export function writeAddress(view, settings = new URLSearchParams()) {
  const query = settings.toString();
  return `#${view === "work" ? "" : view}${query ? `?${query}` : ""}`;
}
