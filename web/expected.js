// What a size will come to, read off the line of finished networks: shown with "≈" until the network itself is there.
import { interpolate } from "./charts/ticks.js";

/**
 * @param {import("../wasm/types.js").CurvePoint[]} points of the line
 * @param {import("../wasm/types.js").Choice} choice what the path gives at once
 * @param {{bytes: number, parameters: number, accuracy: boolean}} whole   of the network as it came; accuracy: what the points' scores are
 * @returns {{bytes: number, deviation: number, score: number|null}|null} null outside of the line
 */
export function expectedAt(points, { retained, parameters }, whole) {
  const along = (/** @type {(point: import("../wasm/types.js").CurvePoint) => number|null} */ of) => {
    const line = points.map((point) => ({ x: point.retained, y: of(point) ?? NaN })).filter(({ y }) => y > 0);
    return interpolate(line.sort((a, b) => a.x - b.x), retained);
  };
  const deviation = along((point) => point.deviation);
  if (deviation === null) return null;
  // An accuracy lies on a straight line between its neighbours, as nearly as its logarithm does.
  return { bytes: Math.round((whole.bytes * parameters) / whole.parameters), deviation, score: along((point) => point.score) };
}
