// The icon as PNG, for where an SVG does not do: its circles, lines and rounded square. Each pixel is covered as far as its middle
// lies inside a shape.
import { crc32, deflateSync } from "node:zlib";

const SIZE = 32; // of the icon's own units
const ROUND = 8; // of its corners
const MASKED = 1.15; // so much is a maskable icon drawn back from its edges

/** @typedef {(x: number, y: number) => number} Distance   to the edge, negative inside */
/** @typedef {{distance: Distance, colour: number[], opacity: number}} Shape */

/** @param {string} hex "#0b7a5b" or "#fff" */
function colourOf(hex) {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit) : /** @type {string[]} */ (hex.slice(1).match(/../g));
  return digits.map((digit) => parseInt(digit, 16));
}

/** @param {number} radius of the corners @returns {Distance} */
const square = (radius) => (x, y) => {
  const dx = Math.abs(x - SIZE / 2) - SIZE / 2 + radius;
  const dy = Math.abs(y - SIZE / 2) - SIZE / 2 + radius;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
};

/** @param {number[]} circle @returns {Distance} */
const disc = ([cx, cy, r]) => (x, y) => Math.hypot(x - cx, y - cy) - r;

/** @param {number[]} from @param {number[]} to @param {number} width @returns {Distance} */
const stroke = ([ax, ay], [bx, by], width) => {
  const length = Math.hypot(bx - ax, by - ay);
  const [dx, dy] = [(bx - ax) / length, (by - ay) / length];
  return (x, y) => {
    const along = (x - ax) * dx + (y - ay) * dy;
    const across = Math.abs((x - ax) * dy - (y - ay) * dx);
    return Math.max(-along, along - length, across - width / 2);
  };
};

/** @param {Distance[]} shapes @returns {Distance} */
const any = (shapes) => (x, y) => shapes.reduce((least, shape) => Math.min(least, shape(x, y)), Infinity);

/** @param {string} text the attribute's value @param {string} name */
function attribute(text, name) {
  const value = new RegExp(`${name}="([^"]*)"`).exec(text)?.[1];
  if (value === undefined) throw new Error(`icon.svg: no ${name} in ${text}`);
  return value;
}

/** Ends of the lines of a path of M, l, L, h and H. @param {string} path @returns {[number[], number[]][]} */
function linesOf(path) {
  /** @type {[number[], number[]][]} */
  const lines = [];
  let at = [0, 0];
  for (const [, command, rest] of path.matchAll(/([MmLlHh])([^MmLlHh]*)/g)) {
    const numbers = (rest.match(/-?[\d.]+/g) ?? []).map(Number);
    const relative = command === command.toLowerCase();
    const moves = command.toLowerCase() === "h" ? numbers.map((x) => [x, relative ? 0 : at[1]]) : Array.from({ length: numbers.length / 2 }, (_, i) => numbers.slice(2 * i, 2 * i + 2));
    moves.forEach(([x, y], i) => {
      const next = relative ? [at[0] + x, at[1] + y] : [x, y];
      if (command.toLowerCase() !== "m" || i > 0) lines.push([at, next]);
      at = next;
    });
  }
  return lines;
}

/** The icon's shapes, in the order they are painted. @param {string} svg @param {boolean} whole without round corners @returns {Shape[]} */
function shapesOf(svg, whole) {
  const rect = /<rect[^>]*>/.exec(svg)?.[0] ?? "";
  const strokes = /<g stroke=[^>]*>/.exec(svg)?.[0] ?? "";
  const white = colourOf(attribute(strokes, "stroke"));
  const width = Number(attribute(strokes, "stroke-width"));
  const opacity = Number(attribute(strokes, "stroke-opacity"));
  const lines = linesOf(attribute(svg, " d")).map(([from, to]) => stroke(from, to, width));
  const discs = [...svg.matchAll(/<circle[^>]*>/g)].map(([circle]) => disc(["cx", "cy", "r"].map((name) => Number(attribute(circle, name)))));
  return [
    { distance: whole ? () => -Infinity : square(ROUND), colour: colourOf(attribute(rect, "fill")), opacity: 1 },
    { distance: any(lines), colour: white, opacity },
    { distance: any(discs), colour: white, opacity: 1 },
  ];
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** The rows of a PNG: each begins with its filter, 0. @param {Shape[]} shapes @param {number} size @param {number} zoom */
function pixels(shapes, size, zoom) {
  const unit = (SIZE * zoom) / size; // a pixel's side
  const place = (/** @type {number} */ at) => (at + 0.5 - size / 2) * unit + SIZE / 2;
  const rows = Buffer.alloc(size * (4 * size + 1));
  const pixel = [0, 0, 0, 0];
  for (let row = 0; row < size; row += 1)
    for (let column = 0; column < size; column += 1) {
      pixel.fill(0);
      for (const { distance, colour, opacity } of shapes) {
        const cover = opacity * Math.min(1, Math.max(0, 0.5 - distance(place(column), place(row)) / unit));
        if (cover === 0) continue;
        const alpha = pixel[3] + cover * (1 - pixel[3]);
        for (let i = 0; i < 3; i += 1) pixel[i] = (colour[i] * cover + pixel[i] * pixel[3] * (1 - cover)) / alpha;
        pixel[3] = alpha;
      }
      const at = row * (4 * size + 1) + 1 + 4 * column;
      for (let i = 0; i < 3; i += 1) rows[at + i] = Math.round(pixel[i]);
      rows[at + 3] = Math.round(255 * pixel[3]);
    }
  return rows;
}

/**
 * @param {string} svg the icon
 * @param {number} size in pixels
 * @param {{maskable?: boolean}} [options] maskable: what is seen fits into a circle of four fifths, and the ground goes to the edge
 * @returns {Buffer} a PNG
 */
export function pngOf(svg, size, { maskable = false } = {}) {
  const rows = pixels(shapesOf(svg, maskable), size, maskable ? MASKED : 1);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6], 8); // bits a channel; red, green, blue, alpha
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
