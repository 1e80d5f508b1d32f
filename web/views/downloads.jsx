import { useState } from "preact/hooks";

import { PRUNING } from "../../wasm/methods.js";
import { htmlReport } from "../../wasm/report.js";
import { curveCsv } from "../../wasm/text.js";
import { smallerModel } from "../actions.js";
import { saveBlob } from "../charts/save.js";
import { archive, endingOf } from "../files.js";
import { commandLine } from "../command.js";
import { stem } from "../format.js";
import { text } from "../messages.js";
import { shownPoints, stale, state, unpolished } from "../state.js";

const BINARY = "application/octet-stream";

export function Downloads() {
  const [note, setNote] = useState("");
  const model = /** @type {import("../state.js").ModelInfo} */ (state.model.value);
  const result = state.result.value;
  const points = shownPoints.value;
  const ready = result !== null && !stale.value;
  const name = `${stem(model.name)}.small`;

  /** @param {string|Uint8Array} content @param {string} type @param {string} ending */
  const save = (content, type, ending) => {
    setNote("");
    saveBlob(new Blob([/** @type {BlobPart} */ (content)], { type }), `${name}.${ending}`);
  };
  /** @param {import("../../wasm/types.js").Format} format */
  const saveModel = async (format) => {
    try {
      const { bytes, files } = await smallerModel(format);
      if (format === "tfjs") return save(await archive(model.name, bytes, files), "application/zip", "zip");
      save(bytes, format === "onnx" ? BINARY : "application/json", endingOf(format));
      for (const [file, content] of files) saveBlob(new Blob([/** @type {BlobPart} */ (content)], { type: BINARY }), file);
      if (files.size > 0) setNote(text.together([`${name}.${format}`, ...files.keys()]));
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      setNote(format === "json" ? text.noJson(message) : message);
    }
  };
  const copy = async () => {
    const command = commandLine({ model: model.name, target: state.target.value, method: state.method.value, polish: unpolished.value ? null : state.polish.value, shapes: state.shapes.value, certify: ready && result.report.certificate !== null, data: state.data.value, output: model.format === "tfjs" ? `small/${model.name}` : `${name}.${endingOf(model.format)}` });
    try {
      await navigator.clipboard.writeText(command);
      setNote(`${text.copied}: ${command}`);
    } catch {
      setNote(`${text.copyFailed} ${command}`);
    }
  };
  const other = model.format === "onnx" ? "json" : "onnx";

  return (
    <section class="card downloads" aria-label={text.downloads}>
      <button type="button" class="primary" disabled={!ready} onClick={() => void saveModel(model.format)}>
        {PRUNING.includes(state.method.value) ? text.downloadPruned : text.download}
      </button>
      <div class="links">
        <button type="button" class="link" disabled={!ready} onClick={() => void saveModel(other)}>
          {other === "json" ? text.saveJson : text.saveOnnx}
        </button>
        <button type="button" class="link" disabled={!ready} onClick={() => result && save(htmlReport(result.report, { curve: points }), "text/html", "report.html")}>
          {text.saveReport}
        </button>
        <button type="button" class="link" disabled={!ready} onClick={() => result && save(JSON.stringify(result.report, null, 2), "application/json", "report.json")}>
          {text.saveNumbers}
        </button>
        <button type="button" class="link" disabled={points.length === 0} onClick={() => save(curveCsv(points), "text/csv", "curve.csv")}>
          {text.saveCurve}
        </button>
        <button type="button" class="link" onClick={() => void copy()}>
          {text.copyCommand}
        </button>
      </div>
      <p class="note" role="status">
        {note}
      </p>
    </section>
  );
}
