// pool: more instances of the core, each in a thread of its own, that do jobs of a path (src/netlump.h, jobs) or have some rows of a
// refit each (helpers). Nothing is shared: what a job needs crosses as bytes, and so does what comes of it. Results are taken in by
// number, so the bits are those of one instance alone. A thread that dies or refuses leaves its job to the instance that gave it; where
// nobody has answered for a while, that one works at the next job too, and what is done first counts. What a thread has of a refit
// is lost with it: the refit then begins again without threads.
import { compact } from "./source.js";

/**
 * @typedef {{send: (message: Order, transfer: ArrayBuffer[]) => void, end: () => void}} Thread
 * @typedef {(hear: (reply: Reply) => void, gone: () => void) => Thread} SpawnHelper   starts a thread that does orders (helper.js)
 * @typedef {{module: WebAssembly.Module, source: import("./source.js").Source, name: string,
 *   files: Map<string, import("./source.js").Source>, seed: number}} Opening
 * @typedef {{open: Opening} | {job: number, input: Float64Array}} Order
 * @typedef {{job: number, output: Float64Array|null}} Reply   null: it could not be done there
 * @typedef {{next: () => number, end: () => number, give: (job: number) => Float64Array,
 *   take: (job: number, output: Float64Array) => void, alone: () => Promise<void>}} Work
 *   jobs next to end - 1 are open; alone: does some of the next
 */

const LEAST = 3e9; // multiplications, about a second: below, threads cost more than they save
const BYTES = 1e9; // of all threads together
const COPIES = 4; // of a model's bytes that a thread needs: as they are, in double precision, and room
const AHEAD = 2; // jobs a thread has at once, so that it need not wait for the next
const PATIENCE = 5000; // ms without any answer, at least
const SLOW = 250_000; // multiplications a ms: a quarter of what a slow machine does

/** How many threads some work is worth. @param {number} work multiplications @param {number} jobs @param {number} bytes of the model
 * @param {number} threads that there may be; 0: as many as the machine has processors @param {number} [kept] bytes that all of them keep
 * together, of what they compute */
export function poolSize(work, jobs, bytes, threads, kept = 0) {
  const most = threads > 0 ? threads : (globalThis.navigator?.hardwareConcurrency ?? nodeProcessors());
  const size = Math.min(most, jobs, Math.floor((BYTES - kept) / (COPIES * Math.max(bytes, 1))));
  return work < LEAST || size < 2 ? 0 : size;
}

const nodeProcessors = () => globalThis.process?.getBuiltinModule?.("node:os").availableParallelism() ?? 1;

/** Ms without any answer before one stops relying on it. @param {number} work multiplications @param {number} jobs */
export const patienceFor = (work, jobs) => Math.max(PATIENCE, work / Math.max(jobs, 1) / SLOW);

/** In Node a thread of node:worker_threads; elsewhere only the caller knows how to start one. @type {SpawnHelper|null} */
export const spawnInNode =
  typeof globalThis.process?.getBuiltinModule === "function"
    ? (hear, gone) => {
        const { Worker } = process.getBuiltinModule("node:worker_threads");
        const worker = new Worker(new URL("helper_node.js", import.meta.url));
        worker.on("message", hear);
        worker.on("error", gone);
        worker.on("exit", gone);
        return { send: (order, transfer) => worker.postMessage(order, transfer), end: () => void worker.terminate() };
      }
    : null;

/** A thread, and the jobs it has. */
class Helper {
  /** @type {Set<number>} */
  jobs = new Set();

  /** @param {SpawnHelper} spawn @param {Opening} opening @param {(helper: Helper, reply: Reply|null) => void} heard null: it is gone */
  constructor(spawn, opening, heard) {
    this.thread = spawn(
      (reply) => heard(this, reply),
      () => heard(this, null),
    );
    this.thread.send({ open: opening }, []);
  }

  /** @param {number} job @param {Float64Array} input */
  does(job, input) {
    this.jobs.add(job);
    this.thread.send({ job, input }, [/** @type {ArrayBuffer} */ (input.buffer)]);
  }
}

export class Pool {
  /** @type {Helper[]} */
  #helpers = [];
  /** @type {Map<number, Float64Array|null>} what came of jobs; null: nothing */
  #found = new Map();
  #given = 0; // jobs below have been given away
  #wake = () => {};
  #patience;
  #heardAt = performance.now();
  size = 0;

  /** @param {number} size @param {SpawnHelper} spawn @param {Opening} opening @param {number} [patience] ms */
  constructor(size, spawn, opening, patience = PATIENCE) {
    this.#patience = patience;
    const files = new Map([...opening.files].map(([name, file]) => [name, compact(file)]));
    const sent = { ...opening, source: compact(opening.source), files };
    try {
      while (this.#helpers.length < size) this.#helpers.push(new Helper(spawn, sent, (helper, reply) => this.#heard(helper, reply)));
    } catch {
      // as many as there could be
    }
    this.size = this.#helpers.length;
  }

  /** Does jobs until there are no more, or nobody is left to do them. @param {Work} work @param {{signal?: AbortSignal}} watch */
  async run(work, { signal }) {
    const abort = () => this.#wake();
    signal?.addEventListener("abort", abort);
    try {
      for (let next = work.next(); next < work.end() && this.#helpers.length > 0; next = work.next()) {
        signal?.throwIfAborted();
        this.#giveFrom(next, work);
        await this.#takeOrWait(next, work);
      }
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** @param {number} next @param {Work} work */
  #giveFrom(next, work) {
    this.#given = Math.max(this.#given, next);
    const last = Math.min(work.end(), next + 2 * AHEAD * this.#helpers.length); // what came early has to be kept
    for (let busy = 0; busy < AHEAD; busy += 1)
      for (const helper of this.#helpers)
        if (helper.jobs.size === busy && this.#given < last) helper.does(this.#given, work.give(this.#given++));
  }

  /** @param {number} next @param {Work} work */
  async #takeOrWait(next, work) {
    const output = this.#found.get(next);
    if (output === null) {
      await work.alone();
    } else if (output) {
      this.#found.delete(next);
      work.take(next, output);
    } else {
      const left = this.#heardAt + this.#patience - performance.now();
      await (left > 0 ? this.#news(left) : work.alone());
    }
    [...this.#found.keys()].filter((job) => job < work.next()).forEach((job) => this.#found.delete(job));
  }

  /** @param {number} most ms @returns {Promise<void>} */
  #news(most) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, most);
      this.#wake = () => (clearTimeout(timer), resolve());
    });
  }

  /** Has every thread do one thing, and hears them in their order. @param {(number: number) => Float64Array} give empty: nothing
   * @param {(number: number, output: Float64Array) => void} take @param {{signal?: AbortSignal}} watch
   * @returns {Promise<boolean>} false where one of them did not do it */
  async all(give, take, { signal }) {
    const abort = () => this.#wake();
    const first = this.#given;
    this.#given += this.size;
    this.#heardAt = performance.now();
    signal?.addEventListener("abort", abort);
    try {
      if (this.#helpers.length < this.size) return false;
      const asked = this.#helpers.map((helper, i) => {
        const input = give(i);
        if (input.length === 0) return false;
        helper.does(first + i, input); // and is empty now
        return true;
      });
      for (let i = 0; i < asked.length; i += 1) {
        const output = asked[i] ? await this.#answer(first + i, signal) : null;
        if (asked[i] && !output) return false;
        if (output) take(i, output);
      }
      return true;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** @param {number} job @param {AbortSignal} [signal] @returns {Promise<Float64Array|null>} null: nothing comes of it */
  async #answer(job, signal) {
    for (;;) {
      signal?.throwIfAborted();
      const output = this.#found.get(job);
      this.#found.delete(job);
      const left = this.#heardAt + this.#patience - performance.now();
      if (output || output === null || left <= 0) return output ?? null;
      await this.#news(left);
    }
  }

  /** @param {Helper} helper @param {Reply|null} reply */
  #heard(helper, reply) {
    if (!this.#helpers.includes(helper)) return;
    this.#heardAt = performance.now();
    if (reply) {
      helper.jobs.delete(reply.job);
      this.#found.set(reply.job, reply.output);
    } else {
      this.#helpers = this.#helpers.filter((other) => other !== helper);
      helper.jobs.forEach((job) => this.#found.set(job, null));
      helper.thread.end();
    }
    this.#wake();
  }

  /** Ends the threads, whatever they are at. */
  close() {
    this.#helpers.splice(0).forEach(({ thread }) => thread.end());
  }
}
