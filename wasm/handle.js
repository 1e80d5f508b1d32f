// handle: who owns what in the core's memory.
import { fault } from "./fault.js";
import { freed } from "./messages.js";

/** @typedef {import("./loader.js").Core} Core */

/** A thing in the core's memory, and what was made from it. */
export class Handle {
  /** @type {Set<Handle>} */
  #children = new Set();
  #parent;
  #release;
  #handle = 0;
  #kind;

  /** @param {string} kind @param {Handle|null} parent @param {(handle: number) => void} release */
  constructor(kind, parent, release) {
    this.#kind = kind;
    this.#parent = parent;
    this.#release = release;
  }

  /** @protected @param {number} handle */
  hold(handle) {
    this.#handle = handle;
    this.#parent?.adopt(this);
  }

  /** @param {Handle} child */
  adopt(child) {
    this.#children.add(child);
  }

  /** @param {Handle} child */
  forget(child) {
    this.#children.delete(child);
  }

  /** @protected */
  get handle() {
    if (this.#handle === 0) throw fault("ARGUMENT", freed(this.#kind));
    return this.#handle;
  }

  /** Frees what was made from it. */
  freeChildren() {
    for (const child of [...this.#children]) child.free();
  }

  /** Frees it and everything made from it; a second time does nothing. */
  free() {
    this.freeChildren();
    if (this.#handle === 0) return;
    const handle = this.#handle;
    this.#handle = 0;
    this.#parent?.forget(this);
    this.#release(handle);
  }
}

/** Releases what the list holds and empties it, so that nothing goes twice. @param {Core} core @param {number[]} pointers */
export function releaseAll(core, pointers) {
  for (const pointer of pointers.splice(0)) core.release(pointer);
}
