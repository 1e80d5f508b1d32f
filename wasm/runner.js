// runner: a model that the runtime runs: what the core asks for while it works, and outputs of rows for whoever wants them.
import { Difference } from "./difference.js";
import { outputChanges, runtimeRefuses, runtimeRefusesReduced } from "./messages.js";
import { fault } from "./fault.js";
import { decode, joined } from "./numbers.js";
import { Session, nameOf, runRows } from "./runtime.js";
import { numbersOf } from "./runs.js";

/**
 * @typedef {import("./types.js").ModelInfo} ModelInfo
 * @typedef {import("./types.js").Answer} Answer
 * @typedef {import("./inputs.js").Inputs} Inputs
 * @typedef {import("./runtime.js").Runtime} Runtime
 * @typedef {import("./runtime.js").Value} Value
 * @typedef {{count: number, at: (first: number, count: number) => Float64Array}} Rows   at: rows first ... first + count - 1
 * @typedef {{signal?: AbortSignal, tell?: (fraction: number) => void}} Watch
 * @typedef {{onnx: Uint8Array, files: Map<string, import("./engine.js").Source>}} Written   a smaller model's files
 */

const MOST_BYTES = 64e6; // of the values that one run gives
const MOST_ROWS = 64; // of one run: signals are heard between runs

/** Rows that lie in an array. @param {Float64Array} rows @param {number} features @returns {Rows} */
export const rowsOf = (rows, features) => ({
  count: rows.length / features,
  at: (first, count) => rows.subarray(first * features, (first + count) * features),
});

/** A model whose inner values are asked for one after the other: opened again, with all of them so far, where one is missing. */
class Tapped {
  #open;
  #onnx;
  /** @type {Set<string>} */
  #asked = new Set();
  /** @type {Session|null} */
  #session = null;

  /** @param {(onnx: Uint8Array, names: string[]) => Promise<Session>} open @param {() => Uint8Array} onnx */
  constructor(open, onnx) {
    this.#open = open;
    this.#onnx = onnx;
  }

  /** @param {string[]} names */
  async with(names) {
    const missing = names.filter((name) => !this.#asked.has(name));
    if (this.#session && missing.length === 0) return this.#session;
    missing.forEach((name) => this.#asked.add(name));
    await this.close();
    this.#session = await this.#open(this.#onnx(), [...this.#asked]);
    return this.#session;
  }

  async close() {
    await this.#session?.release();
    this.#session = null;
  }
}

/** One thing at a time: what it opens for one caller is not closed by another. */
export class Runner {
  #runtime;
  /** @type {Promise<unknown>} */
  #busy = Promise.resolve();
  #model;
  #inputs;
  #original;
  /** @type {{of: object, tapped: Tapped}|null} */
  #calibrated = null; // the original as a path wants it run
  /** @type {Map<string, number>} */
  #bytes = new Map(); // of each value, a row
  /** @type {Map<string, number>|null} */
  #perRow = null; // what #widths has found, where it could try several rows
  /** @type {boolean|null} */
  #free = null; // whether several rows may go into a run; null: not tried yet

  /** @param {Runtime} runtime @param {{info: ModelInfo, onnx: () => Uint8Array, runtimeFiles: Map<string, import("./engine.js").Source>}} model @param {Inputs} inputs */
  constructor(runtime, model, inputs) {
    this.#runtime = runtime;
    this.#model = model;
    this.#inputs = inputs;
    this.#original = new Tapped((onnx, names) => this.#open(onnx, names, runtimeRefuses), () => model.onnx());
  }

  get runtime() {
    return nameOf(this.#runtime);
  }

  /** Does what the core asks for. @param {import("./runs.js").Run} run @param {{of: object, at: Rows["at"]}} path of: what stands for it;
   *   at: its rows @param {Watch} [watch] */
  serve(run, path, watch = {}) {
    return this.#alone(watch, () => this.#serve(run, path, watch));
  }

  /** How far a smaller model's values are from the original's. @param {Written} written @param {string[]} names @param {Rows} rows @param {Watch} watch */
  compare(written, names, rows, watch) {
    return this.#alone(watch, () => this.#compare(written, names, rows, watch));
  }

  /** Outputs of rows. @param {Written|null} written the smaller model; null: the original @param {Rows} rows
   * @param {{wanted?: (width: number) => boolean} & Watch} [options] wanted: which outputs, by the numbers a row they give
   * @returns {Promise<Answer[]>} */
  outputs(written, rows, { wanted = () => true, ...watch } = {}) {
    return this.#alone(watch, () => this.#outputs(written, rows, wanted, watch));
  }

  /** Numbers a row gives, all outputs together. @param {Rows} rows to try it on @param {Watch} [watch] */
  results(rows, watch = {}) {
    return this.#alone(watch, async () => [...(await this.#widths(rows)).values()].reduce((sum, width) => sum + width, 0));
  }

  release() {
    return this.#alone({}, () => this.#close());
  }

  /** @template T @param {Watch} watch @param {() => Promise<T>} work @returns {Promise<T>} */
  #alone({ signal }, work) {
    const turn = this.#busy.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#busy = turn.catch(() => {});
    return turn;
  }

  async #close() {
    await this.#original.close();
    await this.#calibrated?.tapped.close();
    this.#calibrated = null;
  }

  /** @param {import("./runs.js").Run} run @param {{of: object, at: Rows["at"]}} path @param {Watch} watch */
  async #serve(run, { of, at }, watch) {
    const { rows: count, original, reduced, calibrated } = run.describe();
    const whole = calibrated ? await this.#calibratedFor(of, run.model(false)) : this.#original;
    watch.signal?.throwIfAborted(); // the run may be gone
    const smaller = reduced.length > 0 ? await this.#open(run.model(true), reduced, runtimeRefusesReduced) : null;
    try {
      // Trying what fits may open the original again: before anybody holds it.
      const group = await this.#groupFor([...original, ...reduced], { count, at });
      const sides = [
        ...(original.length > 0 ? [{ reduced: false, session: await whole.with(original), names: original }] : []),
        ...(smaller ? [{ reduced: true, session: smaller, names: reduced }] : []),
      ];
      await runRows(sides, { inputs: this.#inputs, count, at, group, ...watch }, (values, taken) => {
        sides.forEach((side, s) => values[s].forEach((value, i) => run.feed(side.reduced, i, value)));
        run.advance(taken);
      });
    } finally {
      run.end();
      await smaller?.release();
    }
  }

  /** @param {object} path @param {Uint8Array} onnx the same for all runs of a path */
  async #calibratedFor(path, onnx) {
    if (this.#calibrated?.of !== path) {
      await this.#calibrated?.tapped.close();
      this.#calibrated = { of: path, tapped: new Tapped((bytes, names) => this.#open(bytes, names, runtimeRefuses), () => onnx) };
    }
    return this.#calibrated.tapped;
  }

  /** @param {Written} written @param {string[]} names @param {Rows} rows @param {Watch} watch */
  async #compare(written, names, rows, watch) {
    const smaller = await this.#openWritten(written, names);
    try {
      const group = await this.#groupFor([...names, ...names], rows);
      const asked = [await this.#original.with(names), smaller].map((session) => ({ session, names }));
      const found = new Difference();
      /** @type {Set<string>} */
      const types = new Set();
      await runRows(asked, { inputs: this.#inputs, ...rows, group, ...watch }, ([before, after], count) => {
        names.forEach((name, i) => {
          found.add(name, ...doubles(before[i], after[i]), before[i].dims[0] === count ? count : before[i].data.length);
          types.add(before[i].type);
        });
      });
      return { found, types };
    } finally {
      await smaller.release();
    }
  }

  /** @param {Written|null} written @param {Rows} rows @param {(width: number) => boolean} wanted @param {Watch} watch @returns {Promise<Answer[]>} */
  async #outputs(written, rows, wanted, watch) {
    const widths = await this.#widths(rows);
    const names = [...widths.keys()].filter((name) => wanted(widths.get(name) ?? 0));
    if (names.length === 0) return [];
    const group = await this.#groupFor(names, rows);
    const session = written ? await this.#openWritten(written, []) : await this.#original.with([]);
    /** @type {Map<string, Float64Array[]>} */
    const parts = new Map(names.map((name) => [name, []]));
    try {
      await runRows([{ session, names }], { inputs: this.#inputs, ...rows, group, ...watch }, ([values], count) => {
        names.forEach((name, i) => {
          if (values[i].data.length !== count * (widths.get(name) ?? 0)) throw fault("RUNTIME", outputChanges(name));
          parts.get(name)?.push(decode(values[i].type, values[i].data));
        });
      });
    } finally {
      if (written) await session.release();
    }
    return [...parts].map(([name, list]) => ({ name, width: widths.get(name) ?? 0, values: joined(Float64Array, list) }));
  }

  /** @param {Uint8Array} onnx @param {string[]} names wanted of it @param {(why: string) => string} refusal */
  #open(onnx, names, refusal) {
    return Session.open(this.#runtime, { onnx, files: this.#model.runtimeFiles, inner: this.#innerOf(names), refusal });
  }

  /** @param {Written} written @param {string[]} names wanted of it */
  #openWritten({ onnx, files }, names) {
    return Session.open(this.#runtime, { onnx, files, inner: this.#innerOf(names), refusal: runtimeRefusesReduced });
  }

  /** @param {string[]} names */
  #innerOf(names) {
    return [...new Set(names)].filter((name) => !this.#model.info.outputs.some((port) => port.name === name));
  }

  /** The original's values of the first rows. @param {Rows} rows @param {number} count @param {string[]} names */
  async #first({ at }, count, names) {
    const session = await this.#original.with(names);
    /** @type {Value[]} */
    let found = [];
    await runRows([{ session, names }], { inputs: this.#inputs, count, at, group: count }, ([values]) => void (found = values));
    return found;
  }

  /** Floating-point outputs, and numbers a row they give; those left out that are the same size for any rows (versions, sizes).
   * @param {Rows} rows @returns {Promise<Map<string, number>>} */
  async #widths(rows) {
    if (this.#perRow !== null && rows.count > 1) return this.#perRow;
    const names = await this.#floats();
    const alone = names.length > 0 ? await this.#first(rows, 1, names) : [];
    const several = this.#inputs.batch === null && (await this.#groupFor([], rows)) > 1;
    const both = several ? await this.#first(rows, 2, names) : null;
    /** @type {Map<string, number>} */
    const widths = new Map();
    names.forEach((name, i) => {
      const width = alone[i].data.length;
      if (both === null || both[i].data.length > width) widths.set(name, width);
    });
    if (several) this.#perRow = widths;
    return widths;
  }

  /** Names of the floating-point outputs. */
  async #floats() {
    const session = await this.#original.with([]);
    return this.#model.info.outputs.map((port) => port.name).filter((name) => session.floats.has(name));
  }

  /** Rows a run: as many as the values wanted leave room for. @param {string[]} names @param {Rows} rows @returns {Promise<number>} */
  async #groupFor(names, rows) {
    if (this.#inputs.batch !== null) return this.#inputs.batch;
    if (rows.count < 2) return 1;
    this.#free ??= await this.#isFree(rows);
    if (!this.#free) return 1;
    const unknown = [...new Set(names)].filter((name) => !this.#bytes.has(name));
    if (unknown.length > 0) (await this.#first(rows, 1, unknown)).forEach(({ data }, i) => this.#bytes.set(unknown[i], data.byteLength));
    const bytes = names.reduce((sum, name) => sum + (this.#bytes.get(name) ?? 0), 0);
    return Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_BYTES / Math.max(bytes, 1))));
  }

  /** Whether two rows at once give what each gives alone: a batch may be fixed inside although the inputs leave it open.
   * @param {Rows} rows @returns {Promise<boolean>} */
  async #isFree(rows) {
    const { computed } = this.#model.info;
    const names = computed.length > 0 ? computed : await this.#floats();
    if (names.length === 0) return false;
    const alone = await this.#first(rows, 1, names);
    try {
      const both = await this.#first(rows, 2, names);
      const grows = (/** @type {Value} */ value, /** @type {number} */ i) => value.dims[0] === 2 * alone[i].dims[0];
      const stays = (/** @type {Value} */ value, /** @type {number} */ i) => value.data.length === alone[i].data.length;
      return both.some(grows) && both.every((value, i) => (grows(value, i) || stays(value, i)) && startsAlike(value, alone[i]));
    } catch {
      return false;
    }
  }
}

/** @param {Value[]} values @returns {[Float64Array, Float64Array]} */
const doubles = (...values) => /** @type {[Float64Array, Float64Array]} */ (values.map((value) => Float64Array.from(numbersOf(value))));

const CLOSE = 1e-2; // of the largest number: other batches are rounded in another order

/** @param {Value} longer @param {Value} shorter */
function startsAlike(longer, shorter) {
  const [f, g] = doubles(longer, shorter);
  const scale = g.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return g.every((value, i) => Object.is(value, f[i]) || Math.abs(value - f[i]) <= CLOSE * scale);
}
