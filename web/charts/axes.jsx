// Axes of the charts: ticks with their labels and, where wanted, lines of a grid.

/**
 * @param {{side: "bottom"|"left", scale: import("./scale.js").Scale, ticks: number[], format: (value: number) => string, at: number, label: string,
 *   length: number, grid?: number}} props
 *   at: where the axis lies on the other one; length: its own; grid: length of the grid lines
 */
export function Axis({ side, scale, ticks, format, at, label, length, grid = 0 }) {
  const bottom = side === "bottom";
  const [start, end] = scale.range();
  const reach = grid ? -grid : 4;
  const off = Math.max(reach, 0) + (grid ? 10 : 6);
  return (
    <g class={`axis ${side}`} transform={bottom ? `translate(0 ${at})` : `translate(${at} 0)`}>
      <g fill="none" font-size="10" text-anchor={bottom ? "middle" : "end"}>
        <path class="domain" stroke="currentColor" d={bottom ? `M${start},0.5H${end}` : `M0.5,${start}V${end}`} />
        {ticks.map((value) => (
          <g key={value} class="tick" transform={bottom ? `translate(${scale(value)},0)` : `translate(0,${scale(value)})`}>
            <line stroke="currentColor" x2={bottom ? undefined : -reach} y2={bottom ? reach : undefined} />
            <text fill="currentColor" x={bottom ? undefined : -off} y={bottom ? off : undefined} dy={bottom ? "0.71em" : "0.32em"}>
              {format(value)}
            </text>
          </g>
        ))}
      </g>
      {bottom ? (
        <text class="axis-label" x={start + length / 2} y={36} text-anchor="middle">
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
