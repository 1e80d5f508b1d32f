// tests/bytes.test.js on the models of the packages.
import { basename } from "node:path";
import { test } from "node:test";

import { survives } from "../graphs/survivors.js";
import { needsPackages, packageModels } from "./packages.js";

for (const file of packageModels)
  test(`${basename(file)} keeps every byte that a smaller layer does not concern`, needsPackages, async () => {
    await survives(file, { rows: 8 });
  });
