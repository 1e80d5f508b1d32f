// tests/bytes.test.js on the models of the packages and the larger ones of the material.
import { statSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";

import { materialModels } from "../graphs/models.js";
import { LARGE, survives } from "../graphs/survivors.js";
import { needsMaterial } from "../material.js";
import { needsPackages, packageModels } from "./packages.js";

const large = materialModels.filter((file) => statSync(file).size >= LARGE);

for (const [files, needed] of /** @type {const} */ ([[large, needsMaterial], [packageModels, needsPackages]]))
  for (const file of files)
    test(`${basename(file)} keeps every byte that a smaller layer does not concern`, needed, async () => {
      await survives(file, { rows: 8 });
    });
