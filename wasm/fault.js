// The one error class of the JavaScript side, and the names of the core's statuses.

/** @typedef {import("./types.js").Fault} Fault */

/** Names of nl_status (src/status.h); from 90 on there are only those of this side. */
export const CODES = Object.freeze({
  10: "MEMORY",
  11: "CANCELLED",
  12: "ARGUMENT",
  20: "EMPTY",
  21: "NOT_A_MODEL",
  22: "GIT_LFS",
  23: "TRUNCATED",
  24: "MALFORMED",
  25: "UNSUPPORTED",
  26: "EXTERNAL",
  27: "LIMIT",
  28: "SHAPE",
  29: "DANGLING",
  30: "CYCLE",
  31: "NOT_FINITE",
  32: "JSON",
  40: "NO_SITE",
  41: "NOTHING_AT",
  42: "UNREACHABLE",
  43: "DATA",
  90: "CRASHED", // the core trapped; the engine it ran in is of no more use
  91: "SETUP", // the core could not be loaded
  92: "USAGE", // a command line nobody can make sense of
  93: "FILE", // a file that cannot be read or written
  94: "RUNTIME", // ONNX Runtime is not there or refuses the model
});

/** @type {Record<string, number>} */
export const STATUS = Object.freeze(
  Object.fromEntries(Object.entries(CODES).map(([status, code]) => [code, Number(status)])),
);

export class EngineError extends Error {
  /** @param {Fault} fault @param {ErrorOptions} [options] */
  constructor(fault, options) {
    super(fault.message, options);
    this.name = "EngineError";
    this.status = fault.status;
    this.code = fault.code;
    this.place = fault.place;
    this.detail = fault.detail;
  }

  /** @returns {Fault} the fields alone, for JSON and for threads */
  toJSON() {
    return { status: this.status, code: this.code, message: this.message, place: this.place, detail: this.detail };
  }
}

/**
 * @param {string} code one of CODES
 * @param {string} message the sentence for the user
 * @param {{place?: string, detail?: string, cause?: unknown}} [more]
 */
export function fault(code, message, { place = "", detail = "", cause } = {}) {
  return new EngineError({ status: STATUS[code], code, message, place, detail }, { cause });
}
