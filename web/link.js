// Settings as a part of the address, in the command line's words: what a link holds. Never data, never a model; a sample by its name.
import { METHODS } from "../wasm/methods.js";
import { CHOICES } from "./lines.js";

/**
 * @typedef {import("../wasm/types.js").Target} Target
 * @typedef {{sample: string|null, target: Target|null, method: import("../wasm/methods.js").Method, polish: boolean, compared: import("./lines.js").Choice[]}} Settings
 */

/** Names of targets in a link. @type {Record<Target["kind"], string>} */
const TARGETS = { epsilon: "epsilon", retain: "retain", deviation: "max-deviation", accuracy: "min-accuracy", mse: "max-mse" };

/** @param {Settings} settings @returns {URLSearchParams} what differs from the defaults */
export function linkOf({ sample, target, method, polish, compared }) {
  const link = new URLSearchParams();
  if (sample) link.set("sample", sample);
  if (target) link.set(TARGETS[target.kind], String(target.value));
  if (method !== "projected") link.set("method", method);
  if (!polish) link.set("polish", "no");
  if (compared.length > 0) link.set("compare", compared.join(" "));
  return link;
}

/** What a link says; what nobody can make sense of is left out. @param {URLSearchParams} link @returns {Settings} */
export function settingsOf(link) {
  const target = /** @type {[Target["kind"], string][]} */ (Object.entries(TARGETS))
    .map(([kind, name]) => ({ kind, value: Number(link.get(name) ?? NaN) }))
    .find(({ kind, value }) => Number.isFinite(value) && value >= 0 && (value <= 1 || kind === "mse"));
  const names = (link.get("compare") ?? "").split(" ");
  return {
    sample: link.get("sample"),
    target: target ?? null,
    method: METHODS.find((one) => one === link.get("method")) ?? "projected",
    polish: link.get("polish") !== "no",
    compared: CHOICES.filter((one) => names.includes(one)),
  };
}
