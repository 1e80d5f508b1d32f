// A chart as a file: the drawing with the styles it has on the screen written into it.

const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "paint-order", "display", "image-rendering", "dominant-baseline"];

const EDGE = 16; // px around the drawing

/**
 * Width and height of the file in px.
 * @param {SVGSVGElement} svg
 */
function sizeOf(svg) {
  const { width, height } = svg.getBoundingClientRect();
  return { width: width + 2 * EDGE, height: height + 2 * EDGE };
}

/**
 * @param {SVGSVGElement} svg
 * @returns {string} a file that looks the same anywhere
 */
export function standalone(svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const sources = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, i) => {
    const style = getComputedStyle(sources[i]);
    for (const name of STYLES) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute("class");
  });
  copy.querySelectorAll("[data-screen]").forEach((element) => element.remove());
  const background = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const { width, height } = sizeOf(svg);
  setAll(background, { x: -EDGE, y: -EDGE, width, height, fill: getComputedStyle(svg).getPropertyValue("background-color") });
  copy.querySelector("desc")?.after(background);
  setAll(copy, { xmlns: "http://www.w3.org/2000/svg", viewBox: `${-EDGE} ${-EDGE} ${width} ${height}`, width, height });
  return new XMLSerializer().serializeToString(copy);
}

/**
 * @param {Element} element
 * @param {Record<string, string|number>} attributes
 */
function setAll(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/**
 * @param {SVGSVGElement} svg
 * @param {string} name without ending
 */
export function saveSvg(svg, name) {
  saveBlob(new Blob([standalone(svg)], { type: "image/svg+xml" }), `${name}.svg`);
}

/**
 * @param {SVGSVGElement} svg
 * @param {string} name without ending
 * @param {number} [scale] pixels to a unit
 */
export async function savePng(svg, name, scale = 2) {
  const { width, height } = sizeOf(svg);
  const url = URL.createObjectURL(new Blob([standalone(svg)], { type: "image/svg+xml" }));
  try {
    const image = new Image(width * scale, height * scale);
    image.src = url;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: width * scale, height: height * scale });
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => blob && saveBlob(blob, `${name}.png`));
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
