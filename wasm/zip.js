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
    checkPromises(zip, name, wanted, largest);
    return unzipSync(zip, { filter: (file) => wanted(file.name) });
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw fault("DATA", badData(name, "its zip archive is damaged"), { place: name, cause: error });
  }
}

/** Memory is taken on the directory's word, and its entries may all point to the same bytes: nothing is unpacked before all of it
 * is added up. @param {Uint8Array} zip @param {string} name @param {(file: string) => boolean} wanted @param {number} largest */
function checkPromises(zip, name, wanted, largest) {
  let [packed, unpacked] = [0, 0];
  const damaged = (/** @type {string} */ why) => fault("DATA", badData(name, why), { place: name });
  unzipSync(zip, {
    filter(file) {
      if (!wanted(file.name)) return false;
      packed += file.size;
      unpacked += file.originalSize;
      if (file.originalSize > DENSEST * file.size) throw damaged(`its zip archive says that ${file.name} is larger than it can be`);
      return false;
    },
  });
  if (packed > zip.length) throw damaged("the files in its zip archive overlap");
  if (unpacked > largest) throw fault("LIMIT", zipTooLarge(name, unpacked, largest), { place: name });
}
