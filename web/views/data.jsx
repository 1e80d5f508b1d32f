import { useState } from "preact/hooks";

import { removeData, setHoldOut, setNorm } from "../opening.js";
import { numbersIn } from "../files.js";
import { number } from "../format.js";
import { text } from "../messages.js";
import { state } from "../state.js";
import { FileButton } from "./files.jsx";

const PREVIEWED = 5;

export function Data() {
  const data = state.data.value;
  return (
    <section class="card" aria-labelledby="data">
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
  return (
    <>
      <p>{text.dataNone}</p>
      <p class="facts-line">{text.dataNoneHint}</p>
    </>
  );
}

/** @param {{data: import("../state.js").Data}} props */
function Rows({ data: { table, holdOut, norm } }) {
  const labelled = table.labels !== null;
  return (
    <>
      <p class="file-name">{table.source}</p>
      <p class="facts-line">{table.pictures ? text.picturesSize(table) : text.dataSize(table)}</p>
      <p class="facts-line">{labelled ? (holdOut ? text.dataHalves : text.dataAllLabelled) : text.dataAll}</p>
      {labelled && (
        <label class="check">
          <input type="checkbox" checked={holdOut} onChange={(event) => setHoldOut(event.currentTarget.checked)} />
          {text.holdOut}
        </label>
      )}
      {table.pictures ? (
        <Norm norm={norm} />
      ) : (
        <details>
          <summary>{text.preview}</summary>
          <Preview table={table} />
        </details>
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
    <fieldset class="norm">
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

/** @param {{table: import("../../wasm/types.js").Table}} props */
function Preview({ table }) {
  const inputs = table.columns - table.labelColumns;
  const names = table.names ?? Array.from({ length: table.columns }, (_, i) => text.column(i, inputs));
  const rows = Array.from({ length: Math.min(PREVIEWED, table.rows) }, (_, row) => [
    ...table.features.subarray(row * inputs, (row + 1) * inputs),
    ...(table.labels?.subarray(row * table.labelColumns, (row + 1) * table.labelColumns) ?? []),
  ]);
  return (
    <div class="table-view" tabIndex={0} role="region" aria-label={text.preview}>
      <table>
        <thead>
          <tr>
            {names.map((name, i) => (
              <th key={i} scope="col" class={i < inputs ? "" : "label-column"}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, i) => (
                <td key={i} class={i < inputs ? "" : "label-column"}>
                  {number(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
