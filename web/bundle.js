// Everything about a result in one zip: what somebody wants who keeps or sends it.
import { strToU8, zipSync } from "fflate";

/**
 * @param {string} folder inside the zip
 * @param {Map<string, string|Uint8Array>} files by name
 * @returns {Uint8Array}
 */
export function zipOf(folder, files) {
  const entries = [...files].map(([name, content]) => [`${folder}/${name}`, typeof content === "string" ? strToU8(content) : content]);
  return zipSync(Object.fromEntries(entries), { mtime: new Date(1980, 0, 1) }); // the same bytes for the same result
}
