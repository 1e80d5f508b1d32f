import { useState } from "preact/hooks";

import { PRUNING } from "../../wasm/methods.js";
import { text } from "../messages.js";
import { outside, shownPoints, stale, state } from "../state.js";
import { command, link, saveCurve, saveEverything, saveModel, saveNumbers, saveOde, saveReport } from "../takeaway.js";

/** @typedef {(report: import("../state.js").Report) => unknown} Save   what it gives as text is said */
/** @typedef {{label: string, save: Save, off?: boolean}} Link */

/** @param {boolean} curve whether there is one @returns {Link[]} */
const links = (curve) => [
  state.model.value?.format === "onnx" ? { label: text.saveJson, save: () => saveModel("json").catch(notAsJson) } : { label: text.saveOnnx, save: () => saveModel("onnx") },
  { label: text.saveReport, save: saveReport },
  { label: text.saveNumbers, save: saveNumbers },
  { label: text.saveCurve, save: saveCurve, off: !curve },
  ...(outside.value ? [] : [{ label: text.saveOde, save: saveOde }]),
  { label: text.saveAll, save: saveEverything },
];

/** @param {Error} error @returns {never} */
function notAsJson(error) {
  throw new Error(text.noJson(error.message));
}

export function Downloads() {
  const [note, setNote] = useState("");
  const result = state.result.value;
  const ready = result !== null && !stale.value;
  const { format } = /** @type {import("../state.js").ModelInfo} */ (state.model.value);
  /** @param {Save} save */
  const saving = (save) => async () => {
    setNote("");
    try {
      const said = result && (await save(result.report));
      if (typeof said === "string") setNote(said);
    } catch (error) {
      setNote(/** @type {Error} */ (error).message);
    }
  };
  /** @param {string} content @param {string} said */
  const copy = (content, said) => navigator.clipboard.writeText(content).then(() => setNote(said), () => setNote(`${text.copyFailed} ${content}`));
  return (
    <section class="card downloads" aria-label={text.downloads}>
      <button type="button" class="primary" disabled={!ready} onClick={saving(() => saveModel(format))}>
        {PRUNING.includes(state.method.value) ? text.downloadPruned : text.download}
      </button>
      <div class="links">
        {links(shownPoints.value.length > 0).map(({ label, save, off = false }) => (
          <button key={label} type="button" class="link" disabled={!ready || off} onClick={saving(save)}>
            {label}
          </button>
        ))}
        <button type="button" class="link" onClick={() => void copy(command(), `${text.copied}: ${command()}`)}>
          {text.copyCommand}
        </button>
        <button type="button" class="link" onClick={() => void copy(link(), text.linkSettings)}>
          {text.copyLink}
        </button>
      </div>
      <p class="note" role="status">
        {note}
      </p>
    </section>
  );
}
