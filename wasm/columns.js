// columns: what the columns of a table are for. A column is an input, a label, or left out. Lists name columns as people do: by
// their names, by their numbers from 1, "3-5" for some in a row, "#3" where a number alone would mean something else.
import { isWord } from "./cells.js";
import { fault } from "./fault.js";
import { noColumn } from "./messages.js";

/**
 * @typedef {"input"|"label"|"out"} Role
 * @typedef {import("./data.js").Sheet} Sheet
 * @typedef {(string|number)[]} Columns   in a script a number is a column's index, from 0
 */

/** Indexes of the columns a list names. @param {Columns} list @param {{names: string[]|null, columns: number}} sheet @param {string} file */
export function indexesOf(list, { names, columns }, file) {
  return list.flatMap((item) => {
    if (typeof item === "number") return within([item], columns, item, names, file);
    const named = names?.indexOf(item.trim()) ?? -1;
    if (named >= 0) return [named];
    const [, from, to = from] = item.match(/^\s*#?(\d+)(?:\s*-\s*#?(\d+))?\s*$/) ?? [];
    const wanted = from === undefined ? [] : Array.from({ length: Math.max(0, Math.min(Number(to), columns) - Number(from) + 1) }, (_, i) => Number(from) - 1 + i);
    return within(Number(to) > columns ? [] : wanted, columns, item, names, file);
  });
}

/** @param {number[]} indexes @param {number} columns @param {string|number} item @param {string[]|null} names @param {string} file */
function within(indexes, columns, item, names, file) {
  const fine = indexes.length > 0 && indexes.every((index) => Number.isInteger(index) && index >= 0 && index < columns);
  if (!fine) throw fault("DATA", noColumn({ file, column: String(item), columns, names }), { place: file });
  return indexes;
}

/**
 * @param {Sheet} sheet
 * @param {{labels: number|"auto"|Columns, skip: Columns, features?: number}} options labels: so many last columns of those not left out
 * @param {string} file
 * @returns {Role[]} of every column
 */
export function rolesOf(sheet, { labels, skip, features }, file) {
  /** @type {Role[]} */
  const roles = Array.from({ length: sheet.columns }, () => "input");
  for (const index of indexesOf(skip, sheet, file)) roles[index] = "out";
  if (labels === "auto") return guessRoles(sheet, features ?? sheet.columns, roles);
  const kept = roles.flatMap((role, i) => (role === "out" ? [] : [i]));
  const labelled = typeof labels === "number" ? (labels > 0 ? kept.slice(-labels) : []) : indexesOf(labels, sheet, file);
  for (const index of labelled) roles[index] = "label";
  return roles;
}

// ---- the guess ---------------------------------------------------------------------------------------------------------

const LABEL = /^(labels?|targets?|class(es)?|category|species|outputs?|outcome|response|result|truth|ground[_ ]?truth|diagnosis)([_ ]?\d+)?$/i;
const WEAK_LABEL = /^ys?([_ ]?\d+)?$/i; // beside a z it is a coordinate
const IDENTITY = /^(ids?|uuid|index|row|row[_ ]?(id|nr|no|number|index)|unnamed.*|#|[a-z]+[_ ]id|)$/i;
const IDENTITY_WORDS = /^(key|name|no|nr|date|time|datetime|timestamp)$/i; // of words; numbers called time may be anything
const LOOKED_AT = 1000; // rows
const CLASSES = 100; // words, at most
const COUNTED = 20; // rows at least: 1, 2, 3 may be anything

/** Whether a column is one of words. @param {Sheet} sheet @param {number} column */
export function isWords({ rows, cell }, column) {
  const looked = Math.min(rows, LOOKED_AT);
  let words = 0;
  for (let row = 0; row < looked; row += 1) words += Number(isWord(cell(row, column)));
  return words * 2 > looked;
}

/** How many different cells a column has, up to a limit. @param {Sheet} sheet @param {number} column @param {number} most */
function differing({ rows, cell }, column, most) {
  const seen = new Set();
  for (let row = 0; row < Math.min(rows, LOOKED_AT) && seen.size <= most; row += 1) seen.add(cell(row, column));
  return seen.size;
}

/** Whether a column only counts: 0, 1, 2 ... or from 1. @param {Sheet} sheet @param {number} column */
function counts({ rows, at }, column) {
  const first = at(0, column);
  if (rows < COUNTED || (first !== 0 && first !== 1)) return false;
  for (let row = 1; row < Math.min(rows, LOOKED_AT); row += 1) if (at(row, column) !== first + row) return false;
  return true;
}

/**
 * As many inputs as the model reads: words cannot be any; then those leave whose names say that they are labels, or that they only
 * tell rows apart; the rest are the last columns, as labels.
 * @param {Sheet} sheet @param {number} features @param {Role[]} roles what is left out already @returns {Role[]}
 */
function guessRoles(sheet, features, roles) {
  const guessed = [...roles];
  let spare = guessed.filter((role) => role === "input").length - features; // inputs there are too many
  if (spare <= 0) return guessed;
  const name = (/** @type {number} */ i) => sheet.names?.[i] ?? (sheet.names ? "" : "x");
  /** @param {Role} role @param {(i: number) => boolean} fits */
  const take = (role, fits) => {
    for (let i = 0; i < guessed.length && spare > 0; i += 1) {
      if (guessed[i] !== "input" || !fits(i)) continue;
      guessed[i] = role;
      spare -= 1;
    }
  };
  const words = guessed.map((_, i) => isWords(sheet, i));
  take("label", (i) => LABEL.test(name(i)) && (!words[i] || differing(sheet, i, CLASSES) <= CLASSES));
  if (!sheet.names?.some((one) => /^z$/i.test(one))) take("label", (i) => WEAK_LABEL.test(name(i)) && !words[i]);
  take("out", (i) => words[i] && (IDENTITY.test(name(i)) || IDENTITY_WORDS.test(name(i)) || differing(sheet, i, CLASSES) > CLASSES));
  take("out", (i) => words[i] && differing(sheet, i, 1) < 2); // one word says nothing
  const classes = guessed.includes("label") ? -1 : guessed.findLastIndex((role, i) => role === "input" && words[i]);
  take("label", (i) => i === classes);
  take("out", (i) => words[i]);
  take("out", (i) => IDENTITY.test(name(i)) || (i === 0 && counts(sheet, i)));
  const kept = guessed.flatMap((role, i) => (role === "input" ? [i] : []));
  for (const i of kept.slice(kept.length - spare)) guessed[i] = "label";
  return guessed;
}

// ---- classes -----------------------------------------------------------------------------------------------------------

/** A label column of words as numbers: its words, sorted, are the classes 0, 1, ... @param {Sheet} sheet @param {number} column */
export function classesOf(sheet, column) {
  const classes = [...new Set(Array.from({ length: sheet.rows }, (_, row) => sheet.cell(row, column)))].sort();
  const numbers = new Map(classes.map((word, i) => [word, i]));
  return { classes, at: (/** @type {number} */ row) => numbers.get(sheet.cell(row, column)) ?? NaN };
}
