// A model no layer of which can shrink: the reasons.
import { shortName } from "../format.js";
import { text } from "../messages.js";
import { state } from "../state.js";

export function Whole() {
  const model = /** @type {import("../state.js").ModelInfo} */ (state.model.value);
  return (
    <section class="card nothing" aria-labelledby="whole">
      <h2 id="whole">{text.noSites}</h2>
      <p>{text.noSitesWhy}</p>
      <div class="table-view" tabIndex={0} role="region" aria-labelledby="whole">
        <table>
          <thead>
            <tr>
              {[text.columns.layer, text.columns.operation, text.columns.neurons, text.columns.reason].map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {model.layers.map((layer, i) => (
              <tr key={i}>
                <td>{shortName(layer.name, 28)}</td>
                <td>{layer.op}</td>
                <td>{layer.width}</td>
                <td>{layer.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
