// The network as a strip: a bar for every layer, as high as it is wide, filled to what is left of it.
import { useState } from "preact/hooks";

import { shortName } from "../format.js";
import { text } from "../messages.js";
import { outside, state, widths } from "../state.js";

const HEIGHT = 56; // px, of the widest layer
const NUMBERED = 9; // more bars than this carry no numbers

/**
 * Height of a bar in px; the square root keeps narrow layers visible beside wide ones.
 * @param {number} width
 * @param {number} widest
 */
export const barHeight = (width, widest) => Math.max(3, Math.round(HEIGHT * Math.sqrt(Math.min(1, width / widest))));

/**
 * Neurons left in a layer.
 * @param {import("../../wasm/types.js").Layer} layer
 * @param {{after: number}[]} widths by site
 */
const left = (layer, widths) => (layer.site === null ? layer.width : widths[layer.site].after);

export function Strip() {
  const [open, setOpen] = useState(/** @type {number|null} */ (null));
  const model = /** @type {import("../state.js").ModelInfo} */ (state.model.value);
  const widest = Math.max(1, outside.value ? 0 : model.features, ...model.layers.map((layer) => layer.width));
  const layer = open === null ? undefined : model.layers[open];
  const numbered = model.layers.length < NUMBERED;
  return (
    <>
      <div class="strip" role="group" aria-label={text.strip}>
        <span class="bar end">
          <span class="column">
            <i style={{ height: `${barHeight(model.features, widest)}px` }} />
          </span>
          <small>{numbered ? model.features || "" : ""}</small>
        </span>
        {model.layers.map((one, i) => (
          <Bar key={i} layer={one} after={left(one, widths.value)} widest={widest} numbered={numbered} open={open === i} toggle={() => setOpen(open === i ? null : i)} />
        ))}
      </div>
      {layer && (
        <div class="layer-note" role="status">
          <strong>{shortName(layer.name, 34)}</strong>
          <p>{text.layer(layer, left(layer, widths.value))}</p>
          <p>{layer.site === null ? text.layerCannot(layer.reason ?? "") : text.layerCan}</p>
        </div>
      )}
    </>
  );
}

/** @param {{layer: import("../../wasm/types.js").Layer, after: number, widest: number, numbered: boolean, open: boolean, toggle: () => void}} props */
function Bar({ layer, after, widest, numbered, open, toggle }) {
  const label = `${shortName(layer.name)}: ${text.layer(layer, after)}. ${layer.site === null ? text.layerCannot(layer.reason ?? "") : text.layerCan}`;
  return (
    <button type="button" class={`bar ${layer.site === null ? "fixed" : "site"}`} aria-pressed={open} aria-label={label} title={label} onClick={toggle}>
      <span class="column">
        <i style={{ height: `${barHeight(layer.width, widest)}px` }}>
          {layer.site !== null && <b style={{ height: `${Math.round((100 * barHeight(after, widest)) / barHeight(layer.width, widest))}%` }} />}
        </i>
      </span>
      <small aria-hidden="true">{numbered ? after : ""}</small>
    </button>
  );
}
