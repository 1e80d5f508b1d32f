// packed: files that a single HTML file carries, gzipped, in base64.

/** @param {string} packed @returns {Promise<Uint8Array>} */
export async function unpacked(packed) {
  const stream = new Blob([plain(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What base64 stands for. @param {string} base64 @returns {Uint8Array<ArrayBuffer>} */
export function plain(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
