// The classroom's one state, and what a person can do in it.
import { computed, effect, signal } from "@preact/signals";

import { readAddress, writeAddress } from "../address.js";
import { createDesk } from "./desk.js";
import { FIRST, lessonOf, prepared, settingsOf } from "./lesson.js";
import { rounded, widthsOf, withWeight } from "./network.js";
import { stagesWithin } from "./steps.js";

/**
 * @typedef {import("./lesson.js").Lesson} Lesson
 * @typedef {import("./desk.js").Facts} Facts
 * @typedef {{layer: number, neuron: number}} Place   hidden layers and outputs, from 0
 */

const PACE = 1600; // ms between steps that run
const REST = 200; // ms before the address follows: browsers allow a hundred changes in half a minute
const LARGE = "netlump.large";

export const lesson = signal(prepared(FIRST));
/** What the core says of the last lesson it has seen. @type {import("@preact/signals").Signal<Facts|null>} */
export const facts = signal(null);
/** Why it says nothing. @type {import("@preact/signals").Signal<string|null>} */
export const trouble = signal(null);
export const running = signal(false);
export const large = signal(false);
/** Whose weights are shown. @type {import("@preact/signals").Signal<Place>} */
export const chosen = signal({ layer: 0, neuron: 0 });

/** The last step there is. */
export const last = computed(() => {
  const known = facts.value;
  if (!known) return 0;
  return known.lesson.method === "projected" ? (known.elimination?.stages.length ?? 0) : known.steps.length - 1;
});

/** The step shown; a lesson without one shows what comes out. */
export const step = computed(() => {
  const { method, epsilon } = facts.value?.lesson ?? lesson.value;
  const asked = lesson.value.step;
  const outcome = method === "projected" ? stagesWithin(facts.value?.elimination?.stages ?? [], epsilon) : last.value;
  return Math.min(asked ?? outcome, last.value);
});

/** The lesson as the facts know it: what was changed a moment ago shows when the core has seen it. @type {import("@preact/signals").ReadonlySignal<Lesson>} */
export const seen = computed(() => {
  const known = facts.value?.lesson ?? lesson.value;
  const { x } = lesson.value;
  return { ...known, step: step.value, x: x.length === known.net.inputs ? x : known.x };
});

// ---- asking the core: one call at a time, the latest lesson wins -------------------------------------------------------------

/** @type {ReturnType<typeof createDesk>|null} */
let desk = null;
let busy = false;
/** @type {Lesson|null} */
let wanted = null;

async function ask() {
  if (busy || !desk) return;
  busy = true;
  while (wanted) {
    const now = wanted;
    wanted = null;
    try {
      facts.value = await desk.look(now);
      trouble.value = null;
    } catch (error) {
      if (!wanted) trouble.value = /** @type {Error} */ (error).message;
    }
  }
  busy = false;
}

/** @param {Partial<Lesson>} change */
export function teach(change) {
  const next = { ...lesson.value, ...change };
  const silent = next.method === "equivalence" && Object.keys(change).every((key) => key === "step" || key === "x");
  lesson.value = next;
  if (silent && facts.value?.net === next.net) return;
  wanted = next;
  void ask();
}

// ---- what a person can do -------------------------------------------------------------------------------------------------

/** @param {string} name */
export function choosePreset(name) {
  stop();
  chosen.value = { layer: 0, neuron: 0 };
  teach(prepared(name));
}

/** An own network, or a changed one: what comes out is shown at once. @param {import("./network.js").Network} net */
export function edit(net) {
  stop();
  const inputs = net.inputs;
  const x = Array.from({ length: inputs }, (_, i) => lesson.value.x[i] ?? 0.5);
  const { layer, neuron } = chosen.value;
  const at = Math.min(layer, net.layers.length - 1);
  chosen.value = { layer: at, neuron: Math.min(neuron, net.layers[at].bias.length - 1) };
  teach({ net, preset: null, x, step: null });
}

/** @param {import("./network.js").Weight} at @param {number} value */
export function setWeight(at, value) {
  chosen.value = { layer: at.layer, neuron: at.neuron };
  edit(withWeight(lesson.value.net, at, rounded(value)));
}

/** @param {Partial<Pick<Lesson, "method"|"encoding"|"symmetric"|"linkage"|"epsilon">>} change */
export function choose(change) {
  stop();
  const projected = change.method === "projected";
  teach({ ...change, step: change.method ? 0 : null, ...(projected ? { epsilon: 0.01 } : change.method ? { epsilon: 0.3 } : {}) });
}

export const setInput = (/** @type {number} */ i, /** @type {number} */ value) => teach({ x: lesson.value.x.map((one, k) => (k === i ? value : one)) });

export const goTo = (/** @type {number} */ to) => teach({ step: Math.max(0, Math.min(last.value, to)) });
export const back = () => (stop(), goTo(step.value - 1));
export const forward = () => (stop(), goTo(step.value + 1));
export const reset = () => (stop(), goTo(0));

let timer = 0;
export function stop() {
  clearInterval(timer);
  running.value = false;
}

export function run() {
  if (running.value) return stop();
  if (step.value === last.value) goTo(0);
  running.value = true;
  timer = window.setInterval(() => {
    goTo(step.value + 1);
    if (step.value === last.value) stop();
  }, PACE);
}

/** Keys that mean the lesson, when nothing else claims them. @param {KeyboardEvent} event */
export function onKey(event) {
  const target = /** @type {Element} */ (event.target);
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, .plot, .scroll, .table-view, nav")) return;
  if (event.key === " " && target.closest("button, a, summary, [role=button]")) return;
  const act = { ArrowLeft: back, ArrowRight: forward, " ": run, Home: reset }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

/** @param {boolean} on */
export function setLarge(on) {
  large.value = on;
  try {
    if (on) localStorage.setItem(LARGE, "on");
    else localStorage.removeItem(LARGE);
  } catch {
    // no storage in this window: then it is not remembered
  }
}

function recallLarge() {
  try {
    large.value = localStorage.getItem(LARGE) === "on";
  } catch {
    // as above
  }
}

// ---- coming and going -----------------------------------------------------------------------------------------------------

export const address = () => writeAddress("class", settingsOf({ ...lesson.value, step: step.value }));

/** The lesson an address has; none: the one there is. */
function follow() {
  const { view, settings } = readAddress(location.hash);
  if (view !== "class" || !settings.has("net")) return;
  stop();
  chosen.value = { layer: 0, neuron: 0 };
  teach(lessonOf(settings));
}

/** Brings the classroom up; gives what takes it down. */
export function enter() {
  recallLarge();
  desk = createDesk();
  wanted = lesson.value;
  follow();
  void ask();
  addEventListener("hashchange", follow);
  document.addEventListener("keydown", onKey);
  let late = 0;
  const written = effect(() => {
    const now = address();
    clearTimeout(late);
    if (facts.value) late = window.setTimeout(() => readAddress(location.hash).view === "class" && history.replaceState(null, "", now), REST);
  });
  const scaled = effect(() => void document.documentElement.classList.toggle("large", large.value));
  return () => {
    stop();
    clearTimeout(late);
    written();
    scaled();
    document.documentElement.classList.remove("large");
    removeEventListener("hashchange", follow);
    document.removeEventListener("keydown", onKey);
    desk?.close();
    desk = null;
    facts.value = null;
  };
}

/** A network of the workbench: small enough to be taken over. @param {import("../../wasm/types.js").ModelInfo|null} model */
export const takable = (model) => model !== null && model.engine === "forward" && model.features <= 8 && model.results <= 8 && model.layers.length <= 5 && model.layers.every((layer) => layer.width <= 8);

/** @param {Uint8Array} bytes @param {string} name */
export async function take(bytes, name) {
  try {
    const net = await /** @type {NonNullable<typeof desk>} */ (desk).read(bytes, name);
    chosen.value = { layer: 0, neuron: 0 };
    teach({ net, preset: null, x: Array.from({ length: widthsOf(net)[0] }, () => 0.5), step: 0 });
  } catch (error) {
    trouble.value = /** @type {Error} */ (error).message;
  }
}
