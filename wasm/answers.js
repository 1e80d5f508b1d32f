// answers: what the original and the smaller network say on the same rows, to be laid side by side.
import { normalRows } from "./numbers.js";

/** @typedef {import("./types.js").Answers} Answers */

const ROWS = 64; // at most where a runtime runs the networks,
const FEATURES = 2 ** 18; // or as many as have so many numbers
const NUMBERS = 1024; // of a row

/** All outputs of a row beside each other, as many as are shown. @param {import("./types.js").Answer[]} answers @param {number} rows
 * @returns {Float64Array} */
function sideBySide(answers, rows) {
  const width = Math.min(NUMBERS, answers.reduce((sum, answer) => sum + answer.width, 0));
  const out = new Float64Array(rows * width);
  let from = 0;
  for (const { values, width: own } of answers) {
    const shown = Math.min(own, width - from);
    for (let row = 0; row < rows; row += 1) out.set(values.subarray(row * own, row * own + shown), row * width + from);
    from += shown;
  }
  return out;
}

/** The first rows through both networks. @param {import("./engine.js").Result} result
 * @param {{rows: Float64Array|null, count: number, signal?: AbortSignal}} options rows: null for random ones @returns {Promise<Answers>} */
export async function answersOn(result, { rows, count, signal }) {
  const { path } = result;
  const { model } = path;
  const most = model.outside ? Math.min(count, Math.max(ROWS, Math.floor(FEATURES / model.features))) : count;
  const likeMeasure = model.outside || path.info.measure.kind === "box";
  const x = rows ?? (likeMeasure ? path.draw(most) : normalRows(most, model.features, 1));
  const taken = await model.keepable(x, Math.min(most, x.length / model.features));
  const some = x.subarray(0, taken * model.features);
  const { computed } = model.info;
  /** Those that the deviation counts, where that is known: others may be drawn at random. @param {import("./types.js").Answer[]} all */
  const counted = (all) => (all.some(({ name }) => computed.includes(name)) ? all.filter(({ name }) => computed.includes(name)) : all);
  const answers = [counted(await model.run(some, { signal })), counted(await result.run(some, { signal }))];
  const [original, reduced] = answers.map((each) => sideBySide(each, taken));
  const results = original.length / taken;
  const whole = computed.length === 1 && answers[0].length === 1 && answers[0][0].width === results;
  return { original, reduced, rows: taken, results, whole };
}

const FEW = 400;
const MANY = 5000; // that confused classes have rows enough; fewer where
const WORK = 4e7; // multiplications are more: some 50 ms

/** How many rows are worth it. @param {number} parameters of the model */
const rowsFor = (parameters) => Math.max(FEW, Math.min(MANY, Math.floor(WORK / parameters)));

/**
 * The same with what is known of the rows, by whoever runs them.
 * @param {(asked: {rows: Float64Array|null, count: number}) => Promise<Answers>} run
 * @param {import("./types.js").Table|null} table null: random rows
 * @param {{parameters: number, features: number}} model
 * @returns {Promise<import("./types.js").Outputs>}
 */
export async function outputsOn(run, table, { parameters, features }) {
  const count = Math.min(rowsFor(parameters), table?.rows ?? Infinity);
  const answers = await run({ rows: table && table.features.slice(0, count * features), count });
  const labels = table?.labels && table.labelColumns === 1 ? table.labels.slice(0, answers.rows) : null;
  return { ...answers, labels, total: table?.rows ?? answers.rows, drawn: table === null };
}
