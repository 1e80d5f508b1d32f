// partition_trace: a layer's blocks as splits of the whole layer.
//
// The splits are found backwards: the blocks are merged, always the two that are nearest as the linkage has it, until one is left.
// Both linkages are reducible (merging never brings anything nearer), so the distances only grow on the way, and the first is
// above ε already: of two blocks of erode no two members are near, and of two of complete some two are not.
#include <math.h>
#include <string.h>

#include "partition_parts.h"

typedef struct gap {
  size_t a, b; // blocks, a < b
  size_t pair[2];
  double distance;
} gap;

// Of two blocks: by their farthest members, or (erode) their nearest.
static gap gap_between(const nl_layer_trace *t, const size_t *block_of, bool nearest, size_t a, size_t b) {
  gap g = {.a = a, .b = b, .distance = nearest ? (double)INFINITY : -1.0};
  for (size_t i = 0; i < t->n; i++)
    for (size_t j = 0; block_of[i] == a && j < t->n; j++) {
      const double d = t->distances[i * t->n + j];
      if (block_of[j] == b && (nearest ? d < g.distance : d > g.distance)) g = (gap){a, b, {i, j}, d};
    }
  return g;
}

static gap narrowest(const nl_layer_trace *t, const size_t *block_of, bool nearest) {
  gap best = {.distance = (double)INFINITY};
  for (size_t a = 0; a < t->n; a++)
    for (size_t b = a + 1; b < t->n; b++) {
      const gap g = gap_between(t, block_of, nearest, a, b);
      if (g.distance >= 0 && g.distance < best.distance) best = g;
    }
  return best;
}

static nl_status merge_blocks(nl_layer_trace *t, size_t *block_of, size_t blocks, bool nearest, nl_arena *arena,
                              nl_error *error) {
  nl_split *splits;
  t->splits = blocks > 0 ? blocks - 1 : 0;
  NL_TAKE(arena, splits, nl_split, blocks + 1, error);
  for (size_t k = t->splits; k-- > 0;) {
    const gap g = narrowest(t, block_of, nearest);
    bool *stays, *leaves;
    NL_TAKE(arena, stays, bool, t->n, error);
    NL_TAKE(arena, leaves, bool, t->n, error);
    for (size_t i = 0; i < t->n; i++) {
      stays[i] = block_of[i] == g.a;
      leaves[i] = block_of[i] == g.b;
      if (leaves[i]) block_of[i] = g.a;
    }
    splits[k] = (nl_split){{g.pair[0], g.pair[1]}, g.distance, stays, leaves};
  }
  t->split = splits;
  return NL_OK;
}

// The rows as they were before their columns were sorted.
static nl_status take_rows(nl_layer_trace *t, const nl_pairs *pairs, nl_arena *arena, nl_error *error) {
  const nl_signatures *s = &pairs->signatures;
  double *rows;
  if (pairs->exact != NULL) return NL_OK; // they are bounds only
  NL_TAKE(arena, rows, double, s->n * s->m + 1, error);
  for (size_t i = 0; i < s->n; i++)
    for (size_t c = 0; c < s->m; c++) rows[i * s->m + s->column[c]] = s->values[i * s->m + c];
  t->columns = s->m;
  t->rows = rows;
  return NL_OK;
}

nl_status nl_partitioner_trace(const nl_partitioner *partitioner, size_t step, nl_layer_trace *out, nl_arena *arena,
                               nl_error *error) {
  const nl_layer_look look = nl_partitioner_look(partitioner, step);
  const size_t n = look.pairs->signatures.n;
  double *distances;
  size_t *block_of, blocks = 0;
  if (n > NL_TRACE_WIDTH_MOST)
    return nl_fail_count(error, NL_ERROR_LIMIT, "neurons in a layer to be shown step by step", NL_TRACE_WIDTH_MOST, n);
  nl_layer_trace t = {.layer = look.layer, .neighbour = look.neighbour, .n = n, .units = look.units};
  t.factor = look.pairs->signatures.factor;
  t.any_sign = look.pairs->signatures.any_sign;
  NL_TAKE(arena, distances, double, n *n + 1, error);
  NL_TAKE(arena, block_of, size_t, n + 1, error);
  NL_TRY(nl_pairs_matrix(look.pairs, distances, error));
  t.distances = distances;
  for (size_t i = 0; i < n; i++) {
    block_of[i] = look.block_of[look.units[i]];
    blocks = block_of[i] + 1 > blocks ? block_of[i] + 1 : blocks;
  }
  NL_TRY(merge_blocks(&t, block_of, blocks, look.linkage == NL_LINKAGE_ERODE, arena, error));
  NL_TRY(take_rows(&t, look.pairs, arena, error));
  *out = t;
  return NL_OK;
}
