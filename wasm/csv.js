// csv: curves and comparisons as tables for other programs.

/**
 * @typedef {import("./types.js").CurvePoint} CurvePoint
 * @typedef {import("./types.js").Comparison} Comparison
 */

/** @param {CurvePoint[]} points @returns {string} */
export function curveCsv(points) {
  const rows = points.map(({ method, polished, epsilon, parameters, retained, deviation, score, widths }) =>
    [method, polished, epsilon ?? "", parameters, retained, deviation, score ?? "", widths.join(" ")].join(","),
  );
  return `${["method,polished,epsilon,parameters,retained,deviation,score,widths", ...rows].join("\n")}\n`;
}

/** A field of CSV; reasons hold commas. @param {string|number|boolean|null} value */
const field = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? ""));

/** @param {Comparison} comparison @returns {string} */
export function comparisonCsv({ entries, score }) {
  const name = score?.kind ?? "score";
  const rows = entries.map((one) =>
    [one.method, one.polished, one.share, one.retained, one.parameters, one.epsilon, one.deviation, one.score, one.missing].map(field).join(","),
  );
  return `${[`method,polished,share,retained,parameters,epsilon,deviation,${name},missing`, ...rows].join("\n")}\n`;
}
