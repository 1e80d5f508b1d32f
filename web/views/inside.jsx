// What happened inside: the network with its blocks, and the weights reordered by them. Fetched when the first result is there.
import { useEffect, useMemo, useState } from "preact/hooks";

import { allWeights } from "../actions.js";
import { PRUNING } from "../../wasm/methods.js";
import { asTrained, byBlock, inPlace } from "../charts/blocks.js";
import { Chart } from "../charts/chart.jsx";
import { drawHeat } from "../charts/heat.jsx";
import { blockTable, drawNetwork } from "../charts/network.jsx";
import { peakOf, pixelsOf, strongest } from "../charts/weights.js";
import { stem } from "../format.js";
import { text } from "../messages.js";
import { stale, state, weightsDrawn } from "../state.js";
import { Tabs } from "./charts.jsx";

/**
 * @typedef {import("../../wasm/types.js").Weights} Weights
 * @typedef {import("../charts/network.jsx").Column} Column
 */

const LINES = 600; // drawn in all
const PIXELS = 1024; // a side

export function View() {
  const result = state.result.value;
  const model = state.model.value;
  const [known, setKnown] = useState(/** @type {{model: unknown, weights: (Weights|null)[]}|null} */ (null));
  useEffect(() => {
    let wanted = true;
    void allWeights().then((weights) => wanted && setKnown({ model, weights }));
    return () => (wanted = false);
  }, [model]);
  const columns = useMemo(() => (model && result ? columnsOf(model, result.lumpings) : []), [model, result?.lumpings]);
  if (!model || !result || result.lumpings.length !== model.sites.length) return null;
  const weights = known?.model === model ? known.weights : [];
  const drawn = weights.filter((one) => one !== null);
  return (
    <>
      <NetworkCard columns={columns} weights={drawn} />
      {drawn.length > 0 && <HeatCard key={model.name} columns={columns} weights={drawn} />}
    </>
  );
}

/**
 * Inputs and layers; where a runtime runs the network, the layers that can shrink.
 * @param {import("../state.js").ModelInfo} model
 * @param {import("../../wasm/types.js").Lumping[]} lumpings
 * @returns {Column[]}
 */
function columnsOf(model, lumpings) {
  const arranged = lumpings.map(byBlock);
  const layers = model.layers.map(({ site, width }, i) => {
    const arrangement = site === null ? asTrained(width) : arranged[site];
    return { name: text.layerNumber(i), width, after: site === null ? width : lumpings[site].after, arrangement, site };
  });
  if (model.engine === "runtime") return lumpings.flatMap((_, site) => layers.find((layer) => layer.site === site) ?? []);
  return [{ name: text.inputsColumn, width: model.features, after: model.features, arrangement: asTrained(model.features) }, ...layers];
}

/** Columns of what a layer reads, and of itself. @param {Weights} weights */
const endsOf = ({ layer, from }) => ({ column: from === null ? 0 : from + 1, into: layer + 1 });

/** What there is to be explained. @param {Column[]} columns */
function seenIn(columns) {
  const blocks = columns.flatMap(({ arrangement }) => arrangement.blocks);
  return { merged: blocks.some(({ colour }) => colour !== null), alone: blocks.some(({ number, colour }) => number > 0 && colour === null), gone: blocks.some(({ number }) => number === 0) };
}

/** @param {{columns: Column[], weights: Weights[]}} props */
function NetworkCard({ columns, weights }) {
  const links = useMemo(
    () =>
      weights
        .filter((one) => columns[endsOf(one).column]?.width === one.reads)
        .map((one, _, all) => ({ ...endsOf(one), lines: strongest(one, Math.floor(LINES / all.length)) })),
    [weights, columns],
  );
  const shown = links.reduce((sum, { lines }) => sum + lines.length, 0);
  const all = weights.reduce((sum, one) => sum + one.weights.length, 0);
  return (
    <Chart
      class="wide"
      title={text.network}
      description={text.networkDescription}
      name={`${stem(state.model.value?.name ?? "")}.blocks`}
      nearest="xy"
      hint={text.gridHint}
      dim={stale.value}
      table={() => blockTable(columns)}
      draw={(width) => drawNetwork({ columns, links, width })}
      foot={<p class="note">{[PRUNING.includes(state.result.value?.method ?? "projected") ? text.prunedBlocks : text.networkLegend(seenIn(columns)), ...(all > 0 ? [text.networkLines(shown, all)] : []), ...(weightsDrawn.value ? [] : [text.noWeights])].join(" ")}</p>}
    />
  );
}

/** @param {{columns: Column[], weights: Weights[]}} props */
function HeatCard({ columns, weights }) {
  const [layer, setLayer] = useState(Math.min(1, weights.length - 1));
  const [reordered, setReordered] = useState(true);
  const own = weights[Math.min(layer, weights.length - 1)];
  const heat = useMemo(() => {
    const { column, into } = endsOf(own);
    const [rows, read] = [columns[into], columns[column]];
    const fits = read?.width === own.reads;
    const given = { rows: rows.arrangement, columns: fits ? read.arrangement : asTrained(own.reads) };
    const shown = reordered ? given : { rows: inPlace(given.rows), columns: inPlace(given.columns) };
    const url = pictureOf(pixelsOf(own.weights, shown.rows.order, shown.columns.order, PIXELS));
    return { url, peak: peakOf(own.weights), weights: own, ...shown, rowName: rows.name, columnName: fits ? read.name : text.inputsColumn, bordered: reordered };
  }, [own, columns, reordered]);
  const orders = { blocks: text.heatReordered, trained: text.heatTrained };
  const tools = <Tabs label={text.heatOrder} tabs={orders} chosen={reordered ? "blocks" : "trained"} choose={(order) => setReordered(order === "blocks")} />;
  return (
    <Chart
      class="weights"
      title={text.heat}
      description={text.heatDescription}
      name={`${stem(state.model.value?.name ?? "")}.weights-${own.layer + 1}`}
      hint={text.gridHint}
      dim={stale.value}
      tools={tools}
      table={() => blockTable([columns[endsOf(own).into], columns[endsOf(own).column]].filter((one) => one && one.arrangement.blocks.length > 0))}
      draw={(width) => drawHeat(heat, width)}
      foot={<HeatFoot weights={weights} layer={layer} setLayer={setLayer} size={Math.max(own.width, own.reads)} />}
    />
  );
}

/** @param {{weights: Weights[], layer: number, setLayer: (layer: number) => void, size: number}} props */
function HeatFoot({ weights, layer, setLayer, size }) {
  return (
    <div class="chart-foot">
      <label>
        {text.heatLayer}{" "}
        <select value={layer} onChange={(event) => setLayer(Number(event.currentTarget.value))}>
          {weights.map((one, i) => (
            <option key={one.layer} value={i}>
              {text.heatChoice(one)}
            </option>
          ))}
        </select>
      </label>
      <p class="note">{size > PIXELS ? text.heatStrongest : text.heatLegend}</p>
    </div>
  );
}

/** @param {{width: number, height: number, pixels: Uint8ClampedArray}} picture @returns {string} a PNG's address */
function pictureOf({ width, height, pixels }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d")?.putImageData(new ImageData(/** @type {any} */ (pixels), width, height), 0, 0);
  return canvas.toDataURL();
}
