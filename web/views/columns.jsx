// The first rows of a table, and at each column's head what it is for.
import { useState } from "preact/hooks";

import { text } from "../messages.js";
import { setRoles } from "../opening.js";
import { MANY, columnsOf, listOf, nameOf, shownColumns, withList } from "../roles.js";
import { state } from "../state.js";

/** @typedef {import("../../wasm/columns.js").Role} Role @typedef {import("../../wasm/types.js").Table} Table */

/** @param {{table: Table}} props */
export function Columns({ table }) {
  // What was chosen stays a draft until there are as many inputs as the model reads.
  const [roles, setDraft] = useState(table.roles ?? []);
  const [wrong, setWrong] = useState(/** @type {string|null} */ (null));
  const features = state.model.value?.features ?? 0;
  const inputs = columnsOf(roles, "input").length;
  const take = (/** @type {Role[]} */ next) => {
    setDraft(next);
    setWrong(null);
    if (columnsOf(next, "input").length === features) void setRoles(next);
  };
  /** @param {Role} role @param {string} list */
  const takeList = (role, list) => {
    try {
      take(withList(table, roles, role, list));
    } catch (error) {
      setWrong(/** @type {Error} */ (error).message);
    }
  };
  const problem = wrong ?? (inputs === features ? null : text.columnsUnfit(inputs, features));
  return (
    <>
      {roles.length > MANY && <Lists table={table} roles={roles} take={takeList} />}
      {problem && (
        <p class="unfit" role="alert">
          {problem}
        </p>
      )}
      <Preview table={table} roles={roles} take={take} />
    </>
  );
}

/** Of many columns those that are no inputs, in words. @param {{table: Table, roles: Role[], take: (role: Role, list: string) => void}} props */
function Lists({ table, roles, take }) {
  return (
    <div class="fields">
      {/** @type {const} */ (["label", "out"]).map((role) => (
        <label key={role}>
          {text.roleLists[role]}
          <input name={`${role}-columns`} autoComplete="off" value={listOf(table, roles, role)} placeholder={text.none} aria-describedby="lists-hint" onChange={(event) => take(role, event.currentTarget.value)} />
        </label>
      ))}
      <p id="lists-hint" class="facts-line">
        {text.listsHint}
      </p>
    </div>
  );
}

/** @param {{table: Table, roles: Role[], take: (roles: Role[]) => void}} props */
function Preview({ table, roles, take }) {
  const shown = shownColumns(roles);
  /** Whether columns before this one are not shown. @param {number} at */
  const gap = (at) => at > 0 && shown[at] !== shown[at - 1] + 1;
  return (
    <div class="table-view preview" tabIndex={0} role="region" aria-label={text.columnsAndRows}>
      <table>
        <thead>
          <tr>
            {shown.map((i, at) => (
              <th key={i} scope="col" class={`${roles[i]}-column${gap(at) ? " after-gap" : ""}`}>
                <span title={nameOf(table, i)}>{nameOf(table, i)}</span>
                <select value={roles[i]} aria-label={text.roleOf(nameOf(table, i))} onChange={(event) => take(roles.map((role, k) => (k === i ? /** @type {Role} */ (event.currentTarget.value) : role)))}>
                  {Object.entries(text.roles).map(([role, name]) => (
                    <option key={role} value={role}>
                      {name}
                    </option>
                  ))}
                </select>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.preview?.map((cells, row) => (
            <tr key={row}>
              {shown.map((i, at) => (
                <td key={i} class={`${roles[i]}-column${gap(at) ? " after-gap" : ""}`}>
                  {cells[i]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
