// The readers of rows on thousands of damaged files. MUTATIONS=n: so many of each seed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { readMutations } from "../mutate.js";

const MUTATIONS = Number(process.env.MUTATIONS ?? 10_000);

for (const seed of [1, 2, 3, 4])
  test(`${MUTATIONS} mutated files, seed ${seed}, become a table or an error with a sentence`, async () => {
    const { tables, errors } = await readMutations(MUTATIONS, seed);
    assert.ok(tables > 0 && errors > tables, `${tables} tables, ${errors} errors`);
  });
