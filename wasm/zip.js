// zip: archives undone, once their directory is seen to promise no more than they can hold and memory has room for.
import { unzipSync } from "fflate";

import { EngineError, fault } from "./fault.js";
import { badData, zipTooLarge } from "./messages.js";

const LARGEST = 2 ** 31; // bytes, unpacked, in all
const DENSEST = 1032; // bytes that DEFLATE makes of one at most: 258 from two bits (RFC 1951)

/** The files of an archive that are wanted. @param {Uint8Array} zip @param {string} name of the archive
 * @param {(file: string) => boolean} wanted @param {number} [largest] @returns {Record<string, Uint8Array>} */
export function unzip(zip, name, wanted, largest = LARGEST) {
  try {
    checkPromises(entriesOf(zip).filter((file) => wanted(file.name)), { name, size: zip.length, largest });
    return unzipSync(zip, { filter: (file) => wanted(file.name) });
  } catch (error) {
    throw damaged(error, name);
  }
}

/** What an archive's directory lists, nothing unpacked. @param {Uint8Array} zip @param {string} name of the archive @returns {string[]} */
export function namesOf(zip, name) {
  try {
    return entriesOf(zip).map((file) => file.name);
  } catch (error) {
    throw damaged(error, name);
  }
}

/** @param {unknown} error @param {string} name of the archive */
function damaged(error, name) {
  return error instanceof EngineError ? error : fault("DATA", badData(name, "its zip archive is damaged"), { place: name, cause: error });
}

/** @param {Uint8Array} zip */
function entriesOf(zip) {
  /** @type {import("fflate").UnzipFileInfo[]} */
  const entries = [];
  unzipSync(zip, {
    filter(file) {
      entries.push(file);
      return false;
    },
  });
  return entries;
}

/** Memory is taken on the directory's word, and its entries may all point to the same bytes: nothing is unpacked before all of it
 * is added up. @param {import("fflate").UnzipFileInfo[]} files @param {{name: string, size: number, largest: number}} archive */
function checkPromises(files, { name, size, largest }) {
  let [packed, unpacked] = [0, 0];
  const refusal = (/** @type {string} */ why) => fault("DATA", badData(name, why), { place: name });
  for (const file of files) {
    packed += file.size;
    unpacked += file.originalSize;
    if (file.originalSize > DENSEST * file.size) throw refusal(`its zip archive says that ${file.name} is larger than it can be`);
  }
  if (packed > size) throw refusal("the files in its zip archive overlap");
  if (unpacked > largest) throw fault("LIMIT", zipTooLarge(name, unpacked, largest), { place: name });
}
