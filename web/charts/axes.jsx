// Axes of the charts: d3 draws them into a group that Preact leaves alone.
import { axisBottom, axisLeft } from "d3-axis";
import { select } from "d3-selection";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * @param {{side: "bottom"|"left", scale: any, ticks: number[], format: (value: number) => string, at: number, label: string,
 *   length: number, grid?: number}} props
 *   at: where the axis lies on the other one; length: its own; grid: length of the grid lines
 */
export function Axis({ side, scale, ticks, format, at, label, length, grid = 0 }) {
  const group = useRef(null);
  const bottom = side === "bottom";
  useLayoutEffect(() => {
    const axis = (bottom ? axisBottom(scale) : axisLeft(scale)).tickValues(ticks).tickFormat((value) => format(Number(value)));
    axis.tickSizeOuter(0).tickSizeInner(grid ? -grid : 4).tickPadding(grid ? 10 : 6);
    select(/** @type {any} */ (group.current)).call(axis);
  });
  return (
    <g class={`axis ${side}`} transform={bottom ? `translate(0 ${at})` : `translate(${at} 0)`}>
      <g ref={group} />
      {bottom ? (
        <text class="axis-label" x={scale.range()[0] + length / 2} y={36} text-anchor="middle">
          {label}
        </text>
      ) : (
        <text class="axis-label" x={-at} y={10} text-anchor="start">
          {label}
        </text>
      )}
    </g>
  );
}
