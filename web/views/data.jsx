// The rows the neurons are measured on: where they are from, what their columns are for, how they are scaled and split; or what is
// assumed where there are none.
import { useState } from "preact/hooks";

import { numbersIn } from "../files.js";
import { text } from "../messages.js";
import { readAgain, removeData, setNorm, setRange, setShare } from "../opening.js";
import { state } from "../state.js";
import { Columns } from "./columns.jsx";
import { FileButton } from "./files.jsx";

export function Data() {
  const data = state.data.value;
  return (
    <section class="card data" aria-labelledby="data">
      <header>
        <h2 id="data">{text.data}</h2>
        {data && (
          <button type="button" class="quiet" onClick={removeData}>
            {text.dataRemove}
          </button>
        )}
        <FileButton label={data ? text.change : text.dataChoose} name="data" />
      </header>
      {data ? <Rows data={data} /> : <Assumed />}
    </section>
  );
}

function Assumed() {
  const range = state.range.value;
  return (
    <>
      <p>{text.dataNone(state.path.value?.measure.kind ?? "normal", range)}</p>
      <p class="facts-line">{text.dataNoneHint}</p>
      <details>
        <summary>{range ? text.rangeChange : text.rangeGive}</summary>
        <Range range={range} />
      </details>
    </>
  );
}

/** @param {{range: {low: number, high: number}|null}} props */
function Range({ range }) {
  const [wrong, setWrong] = useState(false);
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const [low, high] = ["low", "high"].map((name) => numbersIn(String(fields.get(name)))?.[0] ?? NaN);
    setWrong(!(low < high));
    if (low < high) setRange({ low, high });
  };
  return (
    <form class="fields" onSubmit={submit} noValidate>
      {/** @type {const} */ (["low", "high"]).map((name) => (
        <label key={name}>
          {text.range[name]}
          <input name={name} inputMode="decimal" autoComplete="off" defaultValue={range ? String(range[name]) : ""} placeholder={name === "low" ? "0" : "1"} aria-invalid={wrong} aria-describedby={wrong ? "range-wrong" : undefined} />
        </label>
      ))}
      <button type="submit" class="small">
        {text.rangeUse}
      </button>
      {range && (
        <button type="button" class="quiet" onClick={() => setRange(null)}>
          {text.rangeDrop}
        </button>
      )}
      {wrong && (
        <p id="range-wrong" class="facts-line" role="alert">
          {text.rangeWrong}
        </p>
      )}
    </form>
  );
}

/** @param {{data: import("../state.js").Data}} props */
function Rows({ data: { table, share, reading } }) {
  return (
    <>
      <p class="file-name">{table.source}</p>
      <p class="facts-line">{table.pictures ? text.picturesSize(table) : text.dataSize(table)}</p>
      {table.classes?.map((classes, i) => classes && <p key={i} class="facts-line">{text.classes(classes)}</p>)}
      {table.labels ? <Split key={table.rows} rows={table.rows} share={share} /> : <p class="facts-line">{text.dataAll(table.rows)}</p>}
      {table.pictures ? (
        <Norm norm={reading.norm} />
      ) : (
        <>
          <Scale table={table} scale={reading.scale} />
          <details>
            <summary>{text.columnsAndRows}</summary>
            <Columns key={`${table.source} ${table.roles}`} table={table} />
          </details>
        </>
      )}
    </>
  );
}

/** Which part of the rows decides. @param {{rows: number, share: number}} props */
function Split({ rows, share }) {
  const [moved, setMoved] = useState(share);
  return (
    <details class="split">
      <summary>{text.splitInto(rows, moved)}</summary>
      <label>
        <span class="facts-line">{text.split}</span>
        <input type="range" name="share" min="10" max="100" step="5" value={Math.round(100 * moved)} style={{ "--filled": `${(100 * (100 * moved - 10)) / 90}%` }} aria-valuetext={text.splitInto(rows, moved)} onInput={(event) => setMoved(Number(event.currentTarget.value) / 100)} onChange={() => setShare(moved)} />
      </label>
    </details>
  );
}

/** How the inputs are scaled, and what would suit them. @param {{table: import("../state.js").Table, scale: import("../state.js").Reading["scale"]}} props */
function Scale({ table, scale }) {
  const set = (/** @type {import("../state.js").Reading["scale"]} */ value) => void readAgain({ scale: value });
  const better = scale === "none" ? text.scaleBetter(table.scale, state.model.value?.normalises ?? false) : null;
  return (
    <>
      <label class="choice">
        {text.scale}
        <select name="scale" value={scale} onChange={(event) => set(/** @type {typeof scale} */ (event.currentTarget.value))}>
          {Object.entries(text.scales).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {scale === "standardize" && <p class="facts-line">{text.scaleStandard}</p>}
      {better && (
        <div class="hint">
          <p>{better.message}</p>
          <button type="button" class="link" onClick={() => set(better.scale)}>
            {better.label}
          </button>
        </div>
      )}
    </>
  );
}

/** Mean and std of pictures. @param {{norm: import("../state.js").Norm}} props */
function Norm({ norm }) {
  const [wrong, setWrong] = useState(false);
  /** @param {"mean"|"std"} name @param {string} written */
  const change = (name, written) => {
    const numbers = numbersIn(written);
    const fits = numbers !== null && !(name === "std" && numbers?.some((value) => value <= 0));
    setWrong(!fits);
    if (fits) void setNorm({ ...norm, [name]: numbers });
  };
  return (
    <fieldset class="fields">
      <legend>{text.norm}</legend>
      {/** @type {const} */ (["mean", "std"]).map((name) => (
        <label key={name}>
          {text[name]}
          <input name={name} inputMode="decimal" autoComplete="off" placeholder={name === "mean" ? "0" : "1"} value={norm[name]?.join(", ") ?? ""} aria-invalid={wrong} aria-describedby="norm-hint" onChange={(event) => change(name, event.currentTarget.value)} />
        </label>
      ))}
      <p id="norm-hint" class="facts-line" role={wrong ? "alert" : undefined}>
        {wrong ? text.normWrong : text.normHint}
      </p>
    </fieldset>
  );
}
