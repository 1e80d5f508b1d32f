// certificate: a guaranteed bound on how far two models' outputs are apart over a box of inputs. The method stands in
// src/certify.h; here are the box and the handle.
import { fault } from "./fault.js";
import { wrongBox } from "./messages.js";
import { Handle } from "./handle.js";
import { runSteps } from "./steps.js";

/**
 * @typedef {{low: Float64Array, high: Float64Array}} Box   a number for each input of a row
 * @typedef {import("./loader.js").Core} Core
 * @typedef {import("./types.js").Certificate} Certificate
 */

const MORE = 1; // NL_MORE

class Certifying extends Handle {
  #core;
  #file;

  /** @param {Core} core @param {Handle} parent @param {string} file @param {number[]} handles of both models @param {Box} box */
  constructor(core, parent, file, handles, { low, high }) {
    /** @type {number[]} */
    const pointers = [];
    super("certificate", parent, (handle) => {
      if (!core.dead) core.call("certificate_free", handle);
      for (const pointer of pointers) core.release(pointer);
    });
    this.#core = core;
    this.#file = file;
    try {
      for (const side of [low, high]) pointers.push(core.copyIn(side));
      this.hold(core.make(file, "certificate_create", ...handles, ...pointers));
    } catch (error) {
      for (const pointer of pointers) core.release(pointer);
      throw error;
    }
  }

  step() {
    const more = this.#core.status(this.#file, "certificate_step", this.handle) === MORE;
    return { more, fraction: this.#core.left("progress") };
  }

  describe() {
    this.#core.status(this.#file, "certificate_describe", this.handle);
    return JSON.parse(this.#core.text());
  }
}

/**
 * @param {Core} core @param {Handle} parent the original; freeing it ends this @param {string} file for messages
 * @param {[number, number]} handles of the original and the smaller model, in the core
 * @param {Box} box @param {number} features @param {import("./steps.js").Watch} watch
 * @returns {Promise<Certificate>}
 */
export async function certify(core, parent, file, handles, box, features, watch) {
  if (box.low.length !== features || box.high.length !== features) throw fault("ARGUMENT", wrongBox(features));
  const certifying = new Certifying(core, parent, file, handles, box);
  try {
    await runSteps(() => certifying.step(), "certify", watch);
    return { ...certifying.describe(), low: Array.from(box.low), high: Array.from(box.high) };
  } finally {
    certifying.free();
  }
}
