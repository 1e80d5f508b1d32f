// Files a little wrong: seeded mutations of real ones, and what a reader may answer to them.
import assert from "node:assert/strict";
import { deflateRawSync, gzipSync } from "node:zlib";

import { zipSync } from "fflate";

import { readTable } from "../wasm/data.js";
import { EngineError } from "../wasm/fault.js";
import { kindOf } from "../wasm/kinds.js";
import { decodePicture } from "../wasm/pictures.js";
import { GIF, JPEG, bmp, png, tga } from "./images.js";
import { noise } from "./material.js";

/** @typedef {{name: string, bytes: Uint8Array}} Named */

const text = (/** @type {string} */ value) => new Uint8Array(Buffer.from(value));
const TELLING = [0, 1, 2, 7, 8, 0x0a, 0x0d, 0x20, 0x22, 0x23, 0x2c, 0x2d, 0x2e, 0x30, 0x39, 0x3b, 0x65, 0x7f, 0x80, 0xff];

/** An NPY file of numbers. @param {string} descr @param {string} shape @param {ArrayBufferView} data @param {string} [fortran] */
export function npy(descr, shape, data, fortran = "False") {
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }`.padEnd(117);
  return new Uint8Array(Buffer.concat([Buffer.from([0x93]), Buffer.from("NUMPY\x01\x00"), Buffer.from([118, 0]), Buffer.from(`${dict}\n`), new Uint8Array(data.buffer)]));
}

/** Bytes as a zip's only file, whose directory claims that it unpacks to `claimed` bytes. @param {string} name @param {Uint8Array} bytes @param {number} claimed */
export function zipClaiming(name, bytes, claimed) {
  const zip = zipSync({ [name]: bytes }, { level: 9 });
  const view = new DataView(zip.buffer, zip.byteOffset);
  for (let at = zip.length - 22; at >= 0; at -= 1) if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, claimed, true);
  return zip;
}

/** One zip entry after another over the same packed bytes: small to send, large to unpack. @param {number} entries @param {Uint8Array} content */
export function overlappingZip(entries, content) {
  const packed = deflateRawSync(content);
  const local = Buffer.alloc(30 + 5);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(content.length, 22);
  local.writeUInt16LE(5, 26);
  const directory = Array.from({ length: entries }, (_, i) => {
    const name = `${i}.npy`;
    const head = Buffer.alloc(46 + name.length);
    head.writeUInt32LE(0x02014b50, 0);
    head.writeUInt16LE(8, 10);
    head.writeUInt32LE(packed.length, 20);
    head.writeUInt32LE(content.length, 24);
    head.writeUInt16LE(name.length, 28);
    head.write(name, 46);
    return head;
  });
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(directory.reduce((sum, head) => sum + head.length, 0), 12);
  end.writeUInt32LE(local.length + packed.length, 16);
  return new Uint8Array(Buffer.concat([local, packed, ...directory, end]));
}

/** A small picture of each kind. @returns {Named[]} */
const imageFiles = () => [
  { name: "wave.jpg", bytes: JPEG },
  { name: "dots.gif", bytes: GIF },
  { name: "plain.bmp", bytes: bmp(5, 3, [1, 2, 3]) },
  { name: "grey.tga", bytes: tga(9, 4, 77) },
  { name: "wave.png", bytes: png(7, 5, 3, (x, y, c) => (x * y * 7 + 40 * c) & 255) },
];

/** Small files of every kind that rows come in. @returns {Named[]} */
export function rowFiles() {
  const random = noise(3);
  const numbers = Array.from({ length: 60 }, () => random());
  const lines = (/** @type {string} */ between) => Array.from({ length: 12 }, (_, row) => numbers.slice(5 * row, 5 * row + 5).map((x) => x.toFixed(3)).join(between)).join("\n");
  const csv = text(`# made here\na,b,c,"d, e",class\n${lines(",")}\n`);
  const f8 = npy("<f8", "12, 5", Float64Array.from(numbers));
  const i2 = npy(">i2", "5, 4, 3", Int16Array.from(numbers.map((x) => 100 * x)), "True");
  const idx = new Uint8Array([0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 5, 0, 0, 0, 2, ...numbers.map((_, i) => i)]);
  const plain = [
    { name: "rows.csv", bytes: csv },
    { name: "rows.tsv", bytes: text(lines("\t")) },
    { name: "rows.txt", bytes: text(`${lines("   ").replaceAll("\n", "\r\n")}\r\n`) },
    { name: "words.csv", bytes: text("name;x;y;species\nfirst;1;2;setosa\nsecond;3;4;virginica\nthird;5;6;setosa\n") },
    { name: "rows.npy", bytes: f8 },
    { name: "cube.npy", bytes: i2 },
    { name: "images.idx3-ubyte", bytes: idx },
  ];
  const packed = [
    { name: "rows.csv.gz", bytes: new Uint8Array(gzipSync(csv)) },
    { name: "rows.npz", bytes: zipSync({ "x.npy": f8, "y.npy": npy("|u1", "12,", Uint8Array.from(numbers.slice(0, 12), (x) => 9 * Math.abs(x))) }) },
    { name: "photos.zip", bytes: zipSync(Object.fromEntries(imageFiles().map(({ name, bytes }, i) => [`class${i % 2}/${name}`, bytes]))) },
  ];
  return [...plain, ...packed, ...imageFiles()];
}

/** The file with some of it changed, gone, twice, or from another. @param {Uint8Array} bytes @param {Uint8Array} other @param {() => number} random from 0 to 1 */
export function mutated(bytes, other, random) {
  const whole = (/** @type {number} */ below) => Math.floor(random() * below);
  let out = Buffer.from(bytes);
  for (let times = 1 + whole(4); times > 0; times -= 1) {
    const at = whole(out.length);
    const length = whole(random() < 0.5 ? 4 : out.length / 2);
    const forms = [
      () => Buffer.concat([out.subarray(0, at), Buffer.from([whole(256)]), out.subarray(at + 1)]),
      () => Buffer.concat([out.subarray(0, at), Buffer.from([TELLING[whole(TELLING.length)]]), out.subarray(at + 1)]),
      () => Buffer.concat([out.subarray(0, at), Buffer.alloc(4, TELLING[whole(TELLING.length)]), out.subarray(at + 4)]),
      () => Buffer.concat([out.subarray(0, at), out.subarray(at + length)]),
      () => Buffer.concat([out.subarray(0, at + length), out.subarray(at)]),
      () => Buffer.concat([out.subarray(0, at), other.subarray(whole(other.length)).subarray(0, length), out.subarray(at)]),
      () => out.subarray(0, at),
      () => Buffer.concat([out, Buffer.from(other)]),
    ];
    out = Buffer.from(forms[whole(forms.length)]().subarray(0, 1 << 16));
  }
  return new Uint8Array(out);
}

const LAYOUT = { height: 6, width: 5, channels: 3, last: false };
const OPTIONS = [{}, { labels: /** @type {const} */ ("auto"), features: 4 }, { labels: 1, divide: 255 }, { labels: ["class"], skip: ["1"] }, { labels: /** @type {const} */ ("folder") }, { standardize: true }];
const DENSEST = 1032; // bytes that deflate makes of one at most

/** Reads a file as the page does: a table that holds together, or an error with a sentence. Gives the error's code, "" where there is none.
 * @param {Named} file @param {number} way of reading @returns {Promise<string>} */
export async function readLawfully({ name, bytes }, way = 0) {
  const images = () => ({ decode: decodePicture, layout: LAYOUT, type: "float32", norm: {} });
  try {
    await kindOf({ name, bytes });
    const table = await readTable(bytes, name, { ...OPTIONS[way % OPTIONS.length], images });
    const inputs = table.roles?.filter((role) => role === "input").length ?? NaN;
    assert.ok((table.rows > 0 && table.features.length === table.rows * inputs) || table.pictures, "a table of its size");
    assert.ok(table.features.every(Number.isFinite) && (table.labels ?? []).every(Number.isFinite), "made of numbers");
    assert.ok(table.features.length <= Math.max(DENSEST * bytes.length, LAYOUT.height * LAYOUT.width * LAYOUT.channels * bytes.length), "no larger than the file can say");
    return "";
  } catch (error) {
    assert.ok(error instanceof EngineError, `${name}: ${error instanceof Error ? error.stack : error}`);
    assert.ok(error.code !== "CRASHED" && error.message.length > 15 && /[.?]$/.test(error.message), `${name}: ${error.code} ${error.message}`);
    return error.code;
  }
}

/** So many mutations, dealt over the files. Counts what became of them. @param {number} count @param {number} seed */
export async function readMutations(count, seed) {
  const files = rowFiles();
  const next = noise(seed);
  const random = () => (next() + 1) / 2;
  const seen = { tables: 0, errors: 0 };
  for (let i = 0; i < count; i += 1) {
    const file = files[i % files.length];
    const bytes = mutated(file.bytes, files[Math.floor(random() * files.length)].bytes, random);
    try {
      seen[(await readLawfully({ name: file.name, bytes }, Math.floor(i / files.length))) === "" ? "tables" : "errors"] += 1;
    } catch (error) {
      throw new Error(`mutation ${i} of seed ${seed}, ${file.name}: ${Buffer.from(bytes).toString("base64").slice(0, 3000)}`, { cause: error });
    }
  }
  return seen;
}
