// What the columns of a table are for, as the data card shows and changes it. Plain functions.
import { indexesOf } from "../wasm/columns.js";
import { columnList } from "../wasm/messages.js";

/** @typedef {import("../wasm/columns.js").Role} Role @typedef {import("../wasm/types.js").Table} Table */

/** From so many columns on they are said in words, not one by one. */
export const MANY = 24;
const [FIRST, LAST, SPECIAL] = [6, 3, 8]; // of many columns: shown at either end, and of those that are no inputs

/** Indexes of columns with a role. @param {readonly Role[]} roles @param {Role} wanted */
export const columnsOf = (roles, wanted) => roles.flatMap((role, i) => (role === wanted ? [i] : []));

/** Which columns are shown; of many, both ends and some that are no inputs. @param {readonly Role[]} roles @returns {number[]} */
export function shownColumns(roles) {
  const all = roles.map((_, i) => i);
  if (roles.length <= MANY) return all;
  const special = all.filter((i) => roles[i] !== "input").slice(0, SPECIAL);
  return [...new Set([...all.slice(0, FIRST), ...special, ...all.slice(-LAST)])].sort((a, b) => a - b);
}

/** What a column is called. @param {{names: string[]|null}} table @param {number} i from 0 */
export const nameOf = ({ names }, i) => names?.[i] || `${i + 1}`;

/** Columns as they are typed: names, numbers, "3-5". @param {Table} table @param {readonly Role[]} roles @param {Role} wanted */
export const listOf = (table, roles, wanted) => columnList(columnsOf(roles, wanted), table.names);

/** The roles when the columns with one of them are those of a list; throws where there is no such column.
 * @param {Table} table @param {readonly Role[]} roles @param {Role} wanted @param {string} list @returns {Role[]} */
export function withList(table, roles, wanted, list) {
  const items = list.split(",").map((item) => item.trim()).filter((item) => item !== "");
  const chosen = new Set(indexesOf(items, table, table.source));
  return roles.map((role, i) => (chosen.has(i) ? wanted : role === wanted ? "input" : role));
}
