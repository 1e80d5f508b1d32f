// How large the inputs are, where the model leaves it open.
import { useState } from "preact/hooks";

import { guessedShape, isOpen } from "../../wasm/inputs.js";
import { setShapes } from "../opening.js";
import { text } from "../messages.js";
import { state, unsized } from "../state.js";

/** @typedef {import("../../wasm/types.js").Port} Port */

export function Sizes() {
  const model = /** @type {import("../state.js").ModelInfo} */ (state.model.value);
  const ports = model.inputs.filter(isOpen);
  if (model.engine !== "runtime" || ports.length === 0) return null;
  // A form of its own for each model, so that nothing of the last one is left in it.
  return <Form key={`${model.name} ${model.bytes}`} ports={ports} />;
}

/** @param {{ports: Port[]}} props */
function Form({ ports }) {
  const [sizes, setSizes] = useState(() => ports.map((port) => (state.shapes.value.get(port.name) ?? guessedShape(port)).map(String)));
  const [wrong, setWrong] = useState(false);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const dims = sizes.map((one) => one.map(Number));
    const fine = dims.flat().every((size) => Number.isInteger(size) && size > 0);
    setWrong(!fine);
    if (fine) void setShapes(new Map(ports.map((port, i) => [port.name, dims[i]])));
  };
  const change = (/** @type {number} */ i, /** @type {number} */ axis, /** @type {string} */ value) =>
    setSizes(sizes.map((one, at) => (at === i ? one.map((size, k) => (k === axis ? value : size)) : one)));
  return (
    <section class={`card sizes ${unsized.value ? "asked" : ""}`} aria-labelledby="sizes">
      <header>
        <h2 id="sizes">{text.sizes}</h2>
      </header>
      <p class="facts-line">{unsized.value ? text.sizesAsked : text.sizesTaken}</p>
      <form onSubmit={submit}>
        {ports.map((port, i) => (
          <Shape key={port.name} port={port} sizes={sizes[i]} change={(axis, value) => change(i, axis, value)} />
        ))}
        {wrong && (
          <p class="note" role="alert">
            {text.sizesWrong}
          </p>
        )}
        <button type="submit" class={unsized.value ? "primary" : "small"}>
          {text.sizesUse}
        </button>
      </form>
    </section>
  );
}

/** @param {{port: Port, sizes: string[], change: (axis: number, value: string) => void}} props */
function Shape({ port, sizes, change }) {
  return (
    <fieldset class="shape">
      <legend>
        <code>{port.name}</code>
      </legend>
      {port.shape.map((dim, axis) => (
        <span key={axis}>
          {axis > 0 && <span aria-hidden="true">×</span>}
          {dim !== null || axis === 0 ? (
            <b>{dim ?? text.sizesRows}</b>
          ) : (
            <input inputMode="numeric" autocomplete="off" size={4} name={`${port.name} ${axis + 1}`} value={sizes[axis]} aria-label={text.sizesAxis(port.name, axis + 1)} onInput={(event) => change(axis, event.currentTarget.value)} />
          )}
        </span>
      ))}
    </fieldset>
  );
}
