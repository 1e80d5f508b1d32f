// How long work still takes, from how far it has come.

const SOON = 700; // ms: what takes less needs no estimate
const FIRST = 0.04; // share of a stage that says enough about the rest

/**
 * A clock for one piece of work with its stages: says the seconds the present stage still takes, null while nobody can know.
 * @param {() => number} [now] ms
 * @returns {(progress: import("../wasm/types.js").Progress) => number|null}
 */
export function remaining(now = () => performance.now()) {
  let stage = "";
  let from = { at: 0, fraction: 0 };
  return (progress) => {
    if (progress.stage !== stage || progress.fraction < from.fraction) {
      stage = progress.stage;
      from = { at: now(), fraction: progress.fraction };
    }
    const spent = now() - from.at;
    const done = progress.fraction - from.fraction;
    return spent < SOON || done < FIRST ? null : (spent * (1 - progress.fraction)) / done / 1000;
  };
}
