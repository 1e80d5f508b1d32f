import { removeData, setHoldOut } from "../actions.js";
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
function Rows({ data: { table, holdOut } }) {
  const labelled = table.labels !== null;
  return (
    <>
      <p class="file-name">{table.source}</p>
      <p class="facts-line">{text.dataSize(table)}</p>
      <p class="facts-line">{labelled ? (holdOut ? text.dataHalves : text.dataAllLabelled) : text.dataAll}</p>
      {labelled && (
        <label class="check">
          <input type="checkbox" checked={holdOut} onChange={(event) => setHoldOut(event.currentTarget.checked)} />
          {text.holdOut}
        </label>
      )}
      <details>
        <summary>{text.preview}</summary>
        <Preview table={table} />
      </details>
    </>
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
