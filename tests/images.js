// Small pictures for the tests, as files.
import { zlibSync } from "fflate";

/** A 16 x 16 JPEG, baseline, its waves from stb_image_write. */
export const JPEG = Uint8Array.from(atob("/9j/4AAQSkZJRgABAQAAAQABAAD/2wCEAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk8BDg4OExETJhUVJk81LTVPT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT//AABEIABAAEAMBIgACEQEDEQH/xAGiAAABBQEBAQEBAQAAAAAAAAAAAQIDBAUGBwgJCgsQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+gEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoLEQACAQIEBAMEBwUEBAABAncAAQIDEQQFITEGEkFRB2FxEyIygQgUQpGhscEJIzNS8BVictEKFiQ04SXxFxgZGiYnKCkqNTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqCg4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2dri4+Tl5ufo6ery8/T19vf4+fr/2gAMAwEAAhEDEQA/ANuz1WO3tPJYjOMVzOsWD6hcGRBkZrN1KeZNR2pnbmu58NxRy2gMuM471ZB//9k="), (c) => c.charCodeAt(0));

/** @param {number} size @param {(view: DataView) => void} write */
function bytes(size, write) {
  const out = new Uint8Array(size);
  write(new DataView(out.buffer));
  return out;
}

/** @param {Uint8Array} data */
function crc32(data) {
  let crc = -1;
  for (const byte of data) {
    crc ^= byte;
    for (let k = 0; k < 8; k += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** @param {string} name @param {Uint8Array} data */
function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  return Buffer.concat([bytes(4, (v) => v.setUint32(0, data.length)), body, bytes(4, (v) => v.setUint32(0, crc32(body)))]);
}

/** A PNG. @param {number} width @param {number} height @param {1|3|4} channels @param {(x: number, y: number, c: number) => number} pixel */
export function png(width, height, channels, pixel) {
  const kind = { 1: 0, 3: 2, 4: 6 }[channels];
  const head = bytes(13, (v) => (v.setUint32(0, width), v.setUint32(4, height), v.setUint8(8, 8), v.setUint8(9, kind)));
  const rows = new Uint8Array(height * (1 + width * channels));
  for (let y = 0; y < height; y += 1)
    for (let i = 0; i < width * channels; i += 1) rows[y * (1 + width * channels) + 1 + i] = pixel(Math.floor(i / channels), y, i % channels);
  const parts = [chunk("IHDR", head), chunk("IDAT", zlibSync(rows)), chunk("IEND", new Uint8Array())];
  return new Uint8Array(Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), ...parts]));
}

/** A 24-bit BMP of one colour. @param {number} width @param {number} height @param {[number, number, number]} colour red, green, blue */
export function bmp(width, height, [red, green, blue]) {
  const line = Math.ceil((3 * width) / 4) * 4;
  return bytes(54 + line * height, (v) => {
    v.setUint16(0, 0x424d);
    v.setUint32(2, v.byteLength, true);
    [[10, 54], [14, 40], [18, width], [22, height]].forEach(([at, value]) => v.setUint32(at, value, true)); // prettier-ignore
    v.setUint16(26, 1, true);
    v.setUint16(28, 24, true);
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) [blue, green, red].forEach((value, c) => v.setUint8(54 + y * line + 3 * x + c, value));
  });
}

/** A grey TGA, run-length coded: one run of `width` pixels a line. @param {number} width at most 128 @param {number} height @param {number} grey */
export function tga(width, height, grey) {
  const head = [0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, width & 255, width >> 8, height & 255, height >> 8, 8, 0];
  return Uint8Array.from([...head, ...Array.from({ length: height }, () => [127 + width, grey]).flat()]);
}

/** A GIF of 2 x 2 pixels: black, white, white, black. */
export const GIF = Uint8Array.from([
  ...Buffer.from("GIF89a", "latin1"), 2, 0, 2, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255,
  0x2c, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 3, 0x44, 0x02, 0x05, 0, 0x3b,
]); // prettier-ignore
