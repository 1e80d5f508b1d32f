// The classroom's own core, in a worker of its own: what is open in the workbench stays as it is.
import { createClient } from "../../wasm/client.js";
import { optionsOf } from "./lesson.js";
import { bytesOf, networkOf, widthsOf } from "./network.js";
import { inOrder, stagesOf, stagesWithin, stepsOf } from "./steps.js";

/**
 * @typedef {import("./lesson.js").Lesson} Lesson
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("../../wasm/types.js").Trace} Trace
 * @typedef {{stages: import("./steps.js").Stage[], layers: number[], rows: number, shown: number, after: After|null}} Elimination
 *   layers: of the sites, from 1; shown: how many stages `after` has behind it
 * @typedef {{net: Network, lumping: import("../../wasm/types.js").Lumping[], deviation: number, sweep: Sweep}} After
 * @typedef {{x: number[], original: number[][], lumped: number[][]|null}} Sweep   outputs while the first input runs, others as set
 * @typedef {{lesson: Lesson, net: Network, trace: Trace, steps: import("./steps.js").Step[], elimination: Elimination|null}} Facts
 */

const ROWS = 2048;
const SWEEP = Object.freeze(Array.from({ length: 61 }, (_, i) => (i - 30) / 10));

/** @param {import("../../wasm/client.js").Client} [client] */
export function createDesk(client = createClient()) {
  /** @type {Network|null} */
  let open = null;
  /** @type {Omit<Elimination, "shown"|"after">|null} of the open network */
  let path = null;
  let made = -1; // stages behind the client's last result

  /** @param {Network} net */
  async function opened(net) {
    if (open === net) return;
    open = path = null;
    made = -1;
    await client.open(bytesOf(net), "classroom.json");
    open = net;
  }

  async function walked() {
    if (path) return path;
    const { sites, measure } = await client.path({ seed: 1, rows: ROWS });
    path = { stages: stagesOf(sites), layers: sites.map((_, site) => site + 1), rows: measure.rows };
    return path;
  }

  /** @param {Float64Array} values @param {number} width @returns {number[][]} */
  const columns = (values, width) => Array.from({ length: width }, (_, k) => Array.from({ length: values.length / width }, (_, row) => values[row * width + k]));

  /** @param {Lesson} lesson @param {boolean} lumped @returns {Promise<Sweep>} */
  async function swept({ net, x }, lumped) {
    const width = widthsOf(net)[net.layers.length];
    const rows = Float64Array.from(SWEEP.flatMap((first) => [first, ...x.slice(1)]));
    const original = columns(await client.forward(rows, "model"), width);
    return { x: [...SWEEP], original, lumped: lumped ? columns(await client.forward(rows.slice(), "result"), width) : null };
  }

  /** @param {Lesson} lesson @returns {Promise<Elimination>} */
  async function eliminated(lesson) {
    const found = await walked();
    const shown = Math.min(lesson.step ?? stagesWithin(found.stages, lesson.epsilon), found.stages.length);
    if (shown === 0) return { ...found, shown, after: { net: lesson.net, lumping: [], deviation: 0, sweep: await swept(lesson, false) } };
    if (made !== shown) {
      made = -1;
      const report = await client.compress({ kind: "epsilon", value: found.stages[shown - 1].epsilon }, { method: "projected", verify: false, polish: false });
      lastDeviation = report.deviation;
      made = shown;
    }
    const [bytes, lumping, sweep] = [await client.write("json"), await client.lumping(), await swept(lesson, true)];
    return { ...found, shown, after: { net: networkOf(bytes), lumping, deviation: lastDeviation, sweep } };
  }
  let lastDeviation = 0;

  return {
    /** @param {Lesson} lesson @returns {Promise<Facts>} */
    async look(lesson) {
      await opened(lesson.net);
      const told = await client.trace(optionsOf(lesson));
      const steps = stepsOf(told, widthsOf(lesson.net).slice(1, -1));
      const { blocks } = steps[steps.length - 1];
      const trace = told.quotient && blocks ? { ...told, quotient: inOrder(told.quotient, blocks) } : told;
      return { lesson, net: lesson.net, trace, steps, elimination: lesson.method === "projected" ? await eliminated(lesson) : null };
    },
    /** Takes over a network that is open elsewhere: as netlump JSON. @param {Uint8Array} bytes @param {string} name */
    async read(bytes, name) {
      open = path = null;
      await client.open(bytes, name);
      await client.path({ seed: 1, rows: 256 });
      await client.compress({ kind: "retain", value: 1 }, { method: "projected", verify: false, polish: false });
      return networkOf(await client.write("json"));
    },
    close: () => client.close(),
  };
}
