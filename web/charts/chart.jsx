// The frame every chart shares: a card with a title, an SVG as wide as the card, a cursor for keyboard and pointer, a table
// of the same numbers, and the drawing as a file. What is drawn is a plain function of the data and the width.
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

import { text } from "../messages.js";
import { countOf, movedOn, pointed, stopAt } from "./cursor.js";
import { csvOf } from "./csv.js";
import { saveBlob, savePng, saveSvg } from "./save.js";

/**
 * @typedef {{x: number, y: number, lines: string[], pick?: () => void, lane?: number, also?: {x: number, y: number}[], size?: number}} Stop
 *   where the cursor can stand, and what it says; lane: the column, where the chart has columns; also: what belongs to it; size: its radius
 * @typedef {{height: number, marks: import("preact").ComponentChildren, stops: Stop[]|import("./cursor.js").Grid}} Drawing
 * @typedef {{head: string[], rows: (string|number)[][], raw?: (string|number)[][]}} Table   raw: for files, where numbers are shown rounded or cut short
 */

/**
 * @param {{
 *   title: string, description: string, name: string, draw: (width: number) => Drawing, table: () => Table,
 *   tools?: import("preact").ComponentChildren, aside?: import("preact").ComponentChildren, hint?: string, dim?: boolean,
 *   foot?: import("preact").ComponentChildren, nearest?: "x"|"xy", class?: string
 * }} props   name: of the files
 */
export function Chart({ title, description, name, draw, table, tools, aside, foot, hint = text.chartHint, dim, nearest = "x", class: extra = "" }) {
  const [asTable, setAsTable] = useState(false);
  const frame = useRef(/** @type {HTMLDivElement|null} */ (null));
  const width = useWidth(frame);
  const svg = () => /** @type {SVGSVGElement|null} */ (frame.current?.querySelector("svg") ?? null);
  return (
    <section class={`card chart ${extra}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        <div class="tools">
          {tools}
          <button type="button" class="quiet" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {text.table}
          </button>
          {[{ kind: text.asSvg, save: saveSvg }, { kind: text.asPng, save: savePng }].map(({ kind, save }) => (
            <button key={kind} type="button" class="quiet" disabled={asTable} title={text.saveChart(kind, title)} onClick={() => void save(/** @type {SVGSVGElement} */ (svg()), name)}>
              {kind}
            </button>
          ))}
          <button type="button" class="quiet" title={text.saveChart(text.asCsv, title)} onClick={() => saveBlob(new Blob([csvOf(table())], { type: "text/csv" }), `${name}.csv`)}>
            {text.asCsv}
          </button>
        </div>
      </header>
      <div class={`chart-body ${dim ? "dim" : ""}`}>
        <div ref={frame} class="frame" hidden={asTable}>
          {width > 0 && !asTable && <Plot {...{ title, description, hint, width, nearest }} drawing={draw(width)} />}
        </div>
        {asTable && <TableView title={title} table={table()} />}
        {aside}
      </div>
      {foot}
    </section>
  );
}

/** @param {{title: string, description: string, hint: string, width: number, drawing: Drawing, nearest: "x"|"xy"}} props */
function Plot({ title, description, hint, width, drawing, nearest }) {
  const id = useId();
  const { height, marks, stops } = drawing;
  const [index, show] = useState(-1);
  const current = useRef(-1); // keys may come faster than the page is drawn
  const setIndex = (/** @type {number} */ to) => {
    current.current = to;
    show(to);
  };
  const length = countOf(stops);
  useLayoutEffect(() => setIndex(-1), [length]); // at once: a frame later it would undo the first keys
  const stop = stopAt(stops, index);
  const dragging = useRef(false);

  /** @param {PointerEvent} event */
  const under = (event) => {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    return pointed(stops, event.clientX - box.left, event.clientY - box.top, nearest);
  };
  /** @param {PointerEvent} event */
  const onPointerMove = (event) => {
    const at = under(event);
    setIndex(at);
    if (dragging.current) stopAt(stops, at)?.pick?.();
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const next = movedOn(stops, current.current, event.key);
    if (event.key === "Enter") stopAt(stops, current.current)?.pick?.();
    if (event.key === "Escape") setIndex(-1);
    if (next === null) return;
    event.preventDefault();
    setIndex(next);
  };

  return (
    <div
      class={`plot ${Array.isArray(stops) && stops.some((one) => one.pick) ? "pickable" : ""}`}
      tabIndex={0}
      role="group"
      aria-label={`${title}. ${hint}`}
      onKeyDown={onKeyDown}
      onBlur={() => setIndex(-1)}
      onPointerMove={onPointerMove}
      onPointerLeave={() => setIndex(-1)}
      onPointerDown={(event) => {
        dragging.current = true;
        stopAt(stops, under(event))?.pick?.();
      }}
      onPointerUp={() => (dragging.current = false)}
    >
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-labelledby={`${id}t ${id}d`}>
        <title id={`${id}t`}>{title}</title>
        <desc id={`${id}d`}>{description}</desc>
        {marks}
        {stop?.also?.map((spot) => <circle key={`${spot.x} ${spot.y}`} data-screen class="cursor also" cx={spot.x} cy={spot.y} r={stop.size ?? 6} />)}
        {stop && <circle data-screen class="cursor" cx={stop.x} cy={stop.y} r={stop.size ?? 6} />}
      </svg>
      <Tip stop={stop} width={width} />
      <p class="visually-hidden" aria-live="polite">
        {stop?.lines.join(", ")}
      </p>
    </div>
  );
}

/** @param {{stop: Stop|undefined, width: number}} props */
function Tip({ stop, width }) {
  if (!stop) return null;
  const right = stop.x > width / 2;
  const side = right ? { right: `${width - stop.x + 14}px` } : { left: `${stop.x + 14}px` };
  const room = (right ? stop.x : width - stop.x) - 14;
  return (
    <div class={`tip ${stop.y < 70 ? "under" : ""}`} aria-hidden="true" style={{ top: `${stop.y}px`, maxWidth: `${Math.max(room, 120)}px`, ...side }}>
      {stop.lines.map((line) => (
        <span key={line}>{line}</span>
      ))}
    </div>
  );
}

/** @param {{title: string, table: Table}} props */
function TableView({ title, table: { head, rows } }) {
  return (
    <div class="table-view" tabIndex={0} role="region" aria-label={`${title}, ${text.table}`}>
      <table>
        <thead>
          <tr>
            {head.map((cell) => (
              <th key={cell} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, k) => (
                <td key={k}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** @param {import("preact").RefObject<HTMLDivElement|null>} ref */
function useWidth(ref) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = /** @type {HTMLElement} */ (ref.current);
    const observer = new ResizeObserver(([entry]) => entry.contentRect.width > 0 && setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}
