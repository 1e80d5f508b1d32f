import { Fragment } from "preact";

import { shortName } from "../format.js";
import { text } from "../messages.js";
import { outside, state } from "../state.js";
import { FileButton } from "./files.jsx";
import { Strip } from "./strip.jsx";

export function Model() {
  const model = /** @type {import("../state.js").ModelInfo} */ (state.model.value);
  const shrinking = model.layers.filter((layer) => layer.site !== null).length;
  return (
    <section class="card" aria-labelledby="model">
      <header>
        <h2 id="model">{text.model}</h2>
        <FileButton label={text.change} name="model" />
      </header>
      <h1 class="file-name">{state.opening.value ? text.opening(state.opening.value) : <Breakable name={model.name} />}</h1>
      <p class="facts-line">{text.modelSize(model.parameters, model.bytes)}</p>
      <p class="facts-line">{text.origin(model)}</p>
      <Ports title={text.inputs} ports={model.inputs} />
      <Ports title={text.outputs} ports={model.outputs} />
      {model.relumped && <p class="facts-line">{text.relumped}</p>}
      <Strip />
      <p class="facts-line">{text.canShrink(shrinking, model.layers.length)}</p>
      {outside.value && <p class="facts-line">{text.runByRuntime}</p>}
      {model.sites.length > 0 && model.skipped.length > 0 && <LeftAlone skipped={model.skipped} />}
    </section>
  );
}

/** Every node that stays as it is, and why. @param {{skipped: import("../../wasm/types.js").Skipped[]}} props */
function LeftAlone({ skipped }) {
  return (
    <details class="left-alone">
      <summary>{text.leftAlone(skipped.length)}</summary>
      <div class="table-view" tabIndex={0} role="region" aria-label={text.leftAlone(skipped.length)}>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.columns.layer}</th>
              <th scope="col">{text.columns.reason}</th>
            </tr>
          </thead>
          <tbody>
            {skipped.map(({ node, reason }, i) => (
              <tr key={i}>
                <td title={node}>{shortName(node, 26)}</td>
                <td>{reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** A file's name, broken where a person would. @param {{name: string}} props */
function Breakable({ name }) {
  return name.split(/(?<=[_.-])/).map((part, i) => (
    <Fragment key={i}>
      {part}
      <wbr />
    </Fragment>
  ));
}

/** @param {{title: string, ports: import("../../wasm/types.js").Port[]}} props */
function Ports({ title, ports }) {
  return (
    <dl class="ports">
      <dt>{title}</dt>
      {ports.map((port) => (
        <dd key={port.name}>
          <code>{port.name}</code> {text.port(port)}
        </dd>
      ))}
    </dl>
  );
}
