// Writes images to start fuzzing from, each behind the four bytes that choose an input's shape: image_seeds.mjs FOLDER
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { GIF, JPEG, bmp, png, tga } from "../images.js";

const wave = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ c) => (x * y * 7 + 40 * c) & 255;
const seeds = { "a.jpg": JPEG, "b.gif": GIF, "c.bmp": bmp(5, 3, [1, 2, 3]), "d.tga": tga(9, 4, 77), "e.png": png(7, 5, 3, wave), "f.png": png(9, 9, 1, wave), "g.png": png(4, 4, 4, wave) };
for (const [name, bytes] of Object.entries(seeds)) writeFileSync(join(process.argv[2], name), Buffer.concat([Uint8Array.of(7, 9, name.charCodeAt(0), bytes.length), bytes]));
