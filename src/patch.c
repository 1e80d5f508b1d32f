#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "patch_parts.h"

// A fit of so many features takes 2 matrices of 170 MB and minutes.
enum { FEATURES_MOST = 4608, HELD_BACK = 5, ROWS_ENOUGH = 10 };

struct nl_patch {
  nl_arena arena;
  const nl_linear *linear;
  const nl_narrow_linear *start;
  size_t *kept; // (start->out)
  nl_patch_options options;
  size_t in, out, features; // of one group
  nl_patch_fit *fits;       // (groups)
  double *u, *z;            // (NL_PATCH_ROWS, groups * features), (NL_PATCH_ROWS, groups * out) a block
  double *work;
  bool by_row; // whole rows are held back, else single positions
  bool begun;
  size_t rows;      // of the batches so far
  size_t positions; // of the batches so far
  double before, after;
};

// ---- life ---------------------------------------------------------------------------------------------------------------

static nl_status check_size(const nl_patch *patch, size_t groups, nl_error *error) {
  const uint64_t features = patch->features, most = FEATURES_MOST;
  if (features > most) return nl_fail_count(error, NL_ERROR_LIMIT, "features of one fit", most, features);
  if (groups * features * features > most * most)
    return nl_fail_count(error, NL_ERROR_LIMIT, "features of one fit", most, groups * features);
  return NL_OK;
}

static nl_status prepare(nl_patch *patch, const size_t *kept, nl_error *error) {
  const nl_narrow_linear *start = patch->start;
  const size_t groups = patch->linear->groups;
  const size_t kernel = patch->linear->kind == NL_LINEAR_DENSE ? 1 : patch->linear->kernel_size;
  patch->in = start->in / groups;
  patch->out = start->out / groups;
  patch->features = patch->in * kernel;
  NL_TRY(check_size(patch, groups, error));
  NL_TAKE(&patch->arena, patch->kept, size_t, start->out, error);
  memcpy(patch->kept, kept, start->out * sizeof *kept);
  NL_TAKE(&patch->arena, patch->fits, nl_patch_fit, groups, error);
  NL_TAKE(&patch->arena, patch->u, double, NL_PATCH_ROWS *groups * patch->features, error);
  NL_TAKE(&patch->arena, patch->z, double, NL_PATCH_ROWS *groups * patch->out, error);
  NL_TAKE(&patch->arena, patch->work, double, nl_matmul_f64_work(), error);
  for (size_t g = 0; g < groups; g++)
    NL_TRY(nl_patch_fit_create(&patch->fits[g], patch->features, patch->out,
                               start->weights + g * patch->out * patch->features,
                               start->bias != NULL ? start->bias + g * patch->out : NULL, &patch->arena, error));
  return NL_OK;
}

nl_status nl_patch_create(nl_patch **out, const nl_linear *linear, const nl_narrow_linear *start, const size_t *kept,
                          const nl_patch_options *options, nl_error *error) {
  nl_patch *patch = calloc(1, sizeof *patch);
  if (patch == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *patch, 0);
  patch->linear = linear;
  patch->start = start;
  patch->options = *options;
  const nl_status status = prepare(patch, kept, error);
  if (status == NL_OK)
    *out = patch;
  else
    nl_patch_free(patch);
  return status;
}

void nl_patch_free(nl_patch *patch) {
  if (patch == NULL) return;
  nl_arena_free(&patch->arena);
  free(patch);
}

// ---- batches ------------------------------------------------------------------------------------------------------------

// One of every HELD_BACK rows (or positions, where there are few rows), drawn by the seed.
static size_t set_of(const nl_patch *patch, const nl_gather *gather, size_t position) {
  const size_t index = patch->by_row ? patch->rows + position / gather->per_row : patch->positions + position;
  nl_random random = nl_random_seeded(patch->options.seed + index / HELD_BACK);
  return index % HELD_BACK == (size_t)(HELD_BACK * nl_random_uniform(&random)) ? NL_PATCH_HELD : NL_PATCH_FIT;
}

static void gather_row(nl_patch *patch, nl_gather *gather, size_t position, size_t row) {
  nl_gather_aim(gather, position);
  for (size_t g = 0; g < patch->linear->groups; g++) {
    const size_t at = g * NL_PATCH_ROWS + row;
    nl_gather_patch(gather, g * patch->in, patch->in, patch->u + at * patch->features);
    nl_gather_target(gather, position, patch->out, patch->kept + g * patch->out, patch->z + at * patch->out);
  }
}

static void add_block(nl_patch *patch, size_t set, size_t rows) {
  for (size_t g = 0; g < patch->linear->groups && rows > 0; g++)
    nl_patch_fit_add(&patch->fits[g], set, rows, patch->u + g * NL_PATCH_ROWS * patch->features,
                     patch->z + g * NL_PATCH_ROWS * patch->out, patch->work);
}

static void add_set(nl_patch *patch, nl_gather *gather, size_t set, nl_spread spread) {
  size_t rows = 0, position = 0;
  while (nl_spread_next(&spread, &position)) {
    if (set_of(patch, gather, position) != set) continue;
    gather_row(patch, gather, position, rows);
    if (++rows < NL_PATCH_ROWS) continue;
    add_block(patch, set, rows);
    rows = 0;
  }
  add_block(patch, set, rows);
}

nl_status nl_patch_add(nl_patch *patch, const nl_fed *original, const nl_fed *reduced, double share, nl_error *error) {
  nl_arena tables = {0};
  nl_gather gather;
  const nl_status status =
      nl_gather_create(&gather, patch->linear, patch->start->in, original, reduced, &tables, error);
  if (status == NL_OK && gather.positions > 0) {
    const size_t rows = gather.positions / gather.per_row;
    if (!patch->begun) patch->by_row = (double)rows / share >= ROWS_ENOUGH;
    patch->begun = true;
    const size_t most = (size_t)(share * (double)patch->options.positions + 1);
    const nl_spread spread = nl_spread_over(gather.positions, most, patch->options.seed + patch->positions);
    add_set(patch, &gather, NL_PATCH_FIT, spread);
    add_set(patch, &gather, NL_PATCH_HELD, spread);
    patch->rows += rows;
    patch->positions += gather.positions;
  }
  nl_arena_free(&tables);
  return status;
}

// ---- solution -----------------------------------------------------------------------------------------------------------

// Mean squared errors before and after over the variance of z, all groups together.
static void weigh_gain(nl_patch *patch) {
  double variance = 0, before = 0, after = 0;
  for (size_t g = 0; g < patch->linear->groups; g++) {
    variance += patch->fits[g].variance;
    before += patch->fits[g].before;
    after += patch->fits[g].after;
  }
  patch->before = variance > 0 ? before / variance : 0;
  patch->after = variance > 0 ? after / variance : 0;
}

nl_status nl_patch_solve(nl_patch *patch, nl_narrow_linear *out, nl_arena *arena, nl_error *error) {
  const nl_narrow_linear *start = patch->start;
  const size_t groups = patch->linear->groups, count = start->out * patch->features;
  nl_narrow_linear fitted = *start;
  NL_TAKE(arena, fitted.weights, double, count, error);
  memcpy(fitted.weights, start->weights, count * sizeof *fitted.weights);
  if (start->bias != NULL) {
    NL_TAKE(arena, fitted.bias, double, start->out, error);
    memcpy(fitted.bias, start->bias, start->out * sizeof *fitted.bias);
  }
  for (size_t g = 0; g < groups; g++)
    nl_patch_fit_solve(&patch->fits[g], patch->options.ridge, fitted.weights + g * patch->out * patch->features,
                       fitted.bias != NULL ? fitted.bias + g * patch->out : NULL, patch->work);
  weigh_gain(patch);
  *out = fitted;
  return NL_OK;
}

void nl_patch_gain(const nl_patch *patch, double *before, double *after) {
  *before = patch->before;
  *after = patch->after;
}
