// The page: mounts the views and listens for files, wherever they are dropped or pasted.
import { signal } from "@preact/signals";
import { render } from "preact";

import { recallPolish } from "./actions.js";
import { readAddress } from "./address.js";
import { filesOf } from "./files.js";
import { settingsOf } from "./link.js";
import { loadSamples, openFiles, openPasted, takeSettings } from "./opening.js";
import { keepOffline } from "./offline.js";
import { state } from "./state.js";
import { App } from "./views/app.jsx";

/** Whether files hover over the page. */
const hovering = signal(false);

/** @param {DataTransfer|null} transfer */
const hasFiles = (transfer) => transfer?.types.includes("Files") ?? false;

document.addEventListener("dragover", (event) => {
  if (!hasFiles(event.dataTransfer)) return;
  event.preventDefault();
  hovering.value = true;
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) hovering.value = false;
});
document.addEventListener("drop", (event) => {
  hovering.value = false;
  if (!hasFiles(event.dataTransfer)) return;
  event.preventDefault();
  void openFiles(filesOf(/** @type {DataTransfer} */ (event.dataTransfer)));
});
document.addEventListener("paste", (event) => {
  const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
  if (event.clipboardData && !typing) void openPasted(event.clipboardData);
});

/** Shows what the address says. A link with settings may come by itself, or be put into the address of the open page. */
function follow() {
  const { view, settings } = readAddress(location.hash);
  state.view.value = view;
  return view === "work" && settings.size > 0 ? takeSettings(settingsOf(settings)) : undefined;
}
addEventListener("hashchange", () => void follow());

render(<App hovering={hovering} />, /** @type {HTMLElement} */ (document.getElementById("app")));
recallPolish();
state.view.value = readAddress(location.hash).view;
void loadSamples().then(follow);
void keepOffline();
