import { useState } from "preact/hooks";

import { PARTITIONING, PRUNING } from "../../wasm/methods.js";
import { htmlReport } from "../../wasm/report.js";
import { curveCsv } from "../../wasm/text.js";
import { equations, smallerModel } from "../actions.js";
import { writeAddress } from "../address.js";
import { saveBlob } from "../charts/save.js";
import { archive, endingOf } from "../files.js";
import { commandLine } from "../command.js";
import { stem } from "../format.js";
import { linkOf } from "../link.js";
import { text } from "../messages.js";
import { outside, shownPoints, stale, state, unpolished } from "../state.js";

const BINARY = "application/octet-stream";

/** The command that does what the page did. @param {string} output the smaller model's file @param {boolean} ready */
const command = (output, ready) => {
  const { model, target, method, polish, shapes, data, result } = state;
  const { name } = /** @type {import("../state.js").ModelInfo} */ (model.value);
  return commandLine({
    model: name,
    target: target.value,
    method: method.value,
    polish: unpolished.value ? null : polish.value,
    shapes: shapes.value,
    certify: ready && result.value !== null && result.value.report.certificate !== null,
    data: data.value,
    output,
  });
};

/** The page's address with the present settings. */
function link() {
  const { sample, target, method, polish, compared } = state;
  const settings = linkOf({ sample: sample.value, target: target.value, method: method.value, polish: polish.value, compared: compared.value });
  return new URL(writeAddress("work", settings), location.href).href;
}

/** The network's equations: the partition's of the shown result where that has one, else the tolerance 0. @param {import("../state.js").Report} report */
const odeOf = ({ method, epsilon }) => equations({ epsilon: PARTITIONING.includes(method) && epsilon !== null ? epsilon : 0 });

export function Downloads() {
  const [note, setNote] = useState("");
  const model = /** @type {import("../state.js").ModelInfo} */ (state.model.value);
  const result = state.result.value;
  const points = shownPoints.value;
  const ready = result !== null && !stale.value;
  const name = `${stem(model.name)}.small`;
  const output = model.format === "tfjs" ? `small/${model.name}` : `${name}.${endingOf(model.format)}`;
  const other = model.format === "onnx" ? "json" : "onnx";

  /** @param {string|Uint8Array} content @param {string} type @param {string} ending */
  const save = (content, type, ending) => saveBlob(new Blob([/** @type {BlobPart} */ (content)], { type }), `${name}.${ending}`);
  /** Runs what saves, and says what it could not. @param {(report: import("../state.js").Report) => void|Promise<void>} run @param {(why: string) => string} [say] */
  const saving = (run, say = (why) => why) => async () => {
    setNote("");
    try {
      if (result) await run(result.report);
    } catch (error) {
      setNote(say(/** @type {Error} */ (error).message));
    }
  };
  /** @param {import("../../wasm/types.js").Format} format */
  const saveModel = async (format) => {
    const { bytes, files } = await smallerModel(format);
    if (format === "tfjs") return save(await archive(model.name, bytes, files), "application/zip", "zip");
    save(bytes, format === "onnx" ? BINARY : "application/json", endingOf(format));
    for (const [file, content] of files) saveBlob(new Blob([/** @type {BlobPart} */ (content)], { type: BINARY }), file);
    if (files.size > 0) setNote(text.together([`${name}.${format}`, ...files.keys()]));
  };
  /** @param {import("../state.js").Report} report */
  const saveAll = async (report) => {
    const [{ zipOf }, { bytes, files }] = await Promise.all([import("../bundle.js"), smallerModel(model.format)]);
    const beside = await Promise.all([...files].map(async ([file, content]) => /** @type {[string, Uint8Array]} */ ([file, content instanceof Uint8Array ? content : new Uint8Array(await content.arrayBuffer())])));
    const ode = await odeOf(report).catch(() => null); // no chain of dense layers: there are no equations
    const all = new Map(/** @type {[string, string|Uint8Array][]} */ ([
      [output.replace("small/", ""), bytes],
      ...beside,
      ["report.html", htmlReport(report, { curve: points })],
      ["report.json", JSON.stringify(report, null, 2)],
      ["curve.csv", curveCsv(points)],
      ...(ode === null ? [] : [["network.ode", ode]]),
      ["command.txt", `${command(output, ready)}\n`],
    ])); // prettier-ignore
    save(zipOf(name, all), "application/zip", "zip");
  };
  /** @param {string} content @param {string} said */
  const copy = (content, said) => navigator.clipboard.writeText(content).then(() => setNote(said), () => setNote(`${text.copyFailed} ${content}`));

  const links = [
    { label: other === "json" ? text.saveJson : text.saveOnnx, run: saving(() => saveModel(other), other === "json" ? text.noJson : undefined) },
    { label: text.saveReport, run: saving((report) => save(htmlReport(report, { curve: points }), "text/html", "report.html")) },
    { label: text.saveNumbers, run: saving((report) => save(JSON.stringify(report, null, 2), "application/json", "report.json")) },
    { label: text.saveCurve, run: saving(() => save(curveCsv(points), "text/csv", "curve.csv")), off: points.length === 0 },
    ...(outside.value ? [] : [{ label: text.saveOde, run: saving(async (report) => save(await odeOf(report), "text/plain", "ode")) }]),
    { label: text.saveAll, run: saving(saveAll) },
  ];
  return (
    <section class="card downloads" aria-label={text.downloads}>
      <button type="button" class="primary" disabled={!ready} onClick={saving(() => saveModel(model.format))}>
        {PRUNING.includes(state.method.value) ? text.downloadPruned : text.download}
      </button>
      <div class="links">
        {links.map(({ label, run, off = false }) => (
          <button key={label} type="button" class="link" disabled={!ready || off} onClick={run}>
            {label}
          </button>
        ))}
        <button type="button" class="link" onClick={() => void copy(command(output, ready), `${text.copied}: ${command(output, ready)}`)}>
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
