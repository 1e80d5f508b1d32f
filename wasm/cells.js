// cells: what a cell of a text is, and what sets cells apart.

const DECIMAL = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;
export const isNumber = (/** @type {string} */ cell) => DECIMAL.test(cell) && Number.isFinite(Number(cell));

/** The first of these that the first line of data holds; a comma comes last, it may be a decimal one. @param {string} line */
export const delimiterOf = (line) => ["\t", ";", "|", ","].find((mark) => line.includes(mark)) ?? " ";

/** Whether a cell holds a word, not a number that is missing, not finite or written with a decimal comma. @param {string} cell */
export const isWord = (cell) => !isNumber(cell) && !/^\s*([-+]?(nan|inf|infinity)|[-+]?\d+,\d+|na|n\/a|null|none|\?|)\s*$/i.test(cell);

/** Names rather than one bad number among good ones. @param {string[]} cells */
export const isHeader = (cells) => cells.filter(isNumber).length * 2 < cells.length;
