// Pinned results beside the present one.
import { backTo, unpin } from "../actions.js";
import { accuracy, count, number, share, size } from "../format.js";
import { text } from "../messages.js";
import { stale, state } from "../state.js";

export function Pins() {
  const pins = state.pins.value;
  const now = state.result.value;
  if (pins.length === 0 || !now) return null;
  return (
    <div class="pins table-view" tabIndex={0} role="region" aria-label={text.pins}>
      <table>
        <thead>
          <tr>
            <th scope="col">{text.pins}</th>
            {[text.columns.neurons, text.parameters, text.file, text.columns.change, text.score(now.report.score?.kind ?? null)].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            <td />
          </tr>
        </thead>
        <tbody>
          {pins.map((one, i) => (
            <tr key={one.id}>
              <th scope="row">
                <b aria-hidden="true">{i + 1}</b> {text.way(one.result.report)}
              </th>
              <Figures report={one.result.report} />
              <td>
                {[
                  { label: text.back, sign: "↩", run: backTo },
                  { label: text.unpin, sign: "✕", run: unpin },
                ].map(({ label, sign, run }) => (
                  <button key={sign} type="button" class="quiet sign" title={label} aria-label={`${label}: ${text.way(one.result.report)}`} onClick={() => run(one)}>
                    {sign}
                  </button>
                ))}
              </td>
            </tr>
          ))}
          <tr class={stale.value ? "dim" : ""}>
            <th scope="row">
              {text.now} · {text.way(now.report)}
            </th>
            <Figures report={now.report} />
            <td />
          </tr>
        </tbody>
      </table>
    </div>
  );
}

/** @param {{report: import("../state.js").Report}} props */
function Figures({ report }) {
  const { score, largest } = report;
  return (
    <>
      <td>{count(report.sites.reduce((sum, site) => sum + site.after, 0))}</td>
      <td>{count(report.parameters.after)}</td>
      <td>{size(report.bytes.after)}</td>
      <td>{share(report.deviation)}</td>
      <td>{score ? (score.kind === "accuracy" ? accuracy : number)(score.after) : number(largest)}</td>
    </>
  );
}
