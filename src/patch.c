#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "patch_parts.h"

// Either way to the fit may take two matrices of FEATURES_MOST² (170 MB each) and some seconds or minutes.
enum { FEATURES_MOST = 4608, ROOM_MOST = FEATURES_MOST * FEATURES_MOST };
enum { ROWS_TO_SPLIT = NL_PATCH_FOLDS, ROWS_FOR_ONE_FOLD = 400, SIZE_FOR_FOLDS = 1024 };
// More positions say little more; a Gram matrix of n features takes positions n² / 2 multiplications.
enum { POSITIONS_LEAST = 8192, POSITIONS_A_FEATURE = 4 };
enum { WORK_PER_STEP = 20000000 }; // multiplications: some 20 ms

struct nl_patch {
  nl_arena arena;
  const nl_linear *linear;
  const nl_narrow_linear *start;
  size_t *kept; // (start->out)
  nl_patch_options options;
  size_t in, out, features; // of one group
  nl_patch_fit *fits;       // (groups)
  double *u, *z;            // (groups, NL_PATCH_BLOCK, features) and (.., out): a block of positions
  double *work;
  bool begun, by_row;     // a batch has come; whole rows are held back, not positions
  size_t folds;           // judged
  size_t wanted;          // positions
  size_t rows, positions; // of the batches so far
  bool ready;
  size_t solved; // groups
  nl_narrow_linear fitted;
};

// ---- life ---------------------------------------------------------------------------------------------------------------

nl_status nl_patch_create(nl_patch **out, const nl_linear *linear, const nl_narrow_linear *start, const size_t *kept,
                          const nl_patch_options *options, nl_error *error) {
  const size_t kernel = linear->kind == NL_LINEAR_DENSE ? 1 : linear->kernel_size;
  const uint64_t features = (uint64_t)start->in / linear->groups * kernel;
  if (features * start->out > ROOM_MOST)
    return nl_fail_count(error, NL_ERROR_LIMIT, "weights of one layer", ROOM_MOST, features * start->out);
  nl_patch *patch = calloc(1, sizeof *patch);
  if (patch == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *patch, 0);
  *patch = (nl_patch){.linear = linear, .start = start, .options = *options, .features = (size_t)features};
  patch->in = start->in / linear->groups;
  patch->out = start->out / linear->groups;
  patch->kept = nl_arena_take(&patch->arena, start->out, sizeof *kept);
  if (patch->kept == NULL) {
    nl_patch_free(patch);
    return nl_fail_count(error, NL_ERROR_MEMORY, NULL, start->out * sizeof *kept, 0);
  }
  memcpy(patch->kept, kept, start->out * sizeof *kept);
  *out = patch;
  return NL_OK;
}

void nl_patch_free(nl_patch *patch) {
  if (patch == NULL) return;
  nl_arena_free(&patch->arena);
  free(patch);
}

// ---- what the first batch decides -----------------------------------------------------------------------------------------

static size_t smaller(size_t x, size_t y) { return x < y ? x : y; }

// Positions to expect in all, and how they are kept: as sums while a Gram matrix is no larger than the positions themselves.
// Where neither fits, fewer positions do.
static size_t choose_room(nl_patch *patch, double expected) {
  const size_t groups = patch->linear->groups, features = patch->features;
  const size_t per_position = groups * (features + patch->out);
  patch->wanted = patch->options.positions;
  if (patch->wanted == 0) patch->wanted = POSITIONS_LEAST + POSITIONS_A_FEATURE * features;
  const size_t all = expected < (double)patch->wanted ? (size_t)expected : patch->wanted;
  if (all >= features && features <= FEATURES_MOST && groups * features * features <= ROOM_MOST) return 0;
  const size_t most = smaller(FEATURES_MOST, 2 * (size_t)ROOM_MOST / per_position);
  patch->wanted = smaller(all, most);
  return patch->wanted + patch->wanted / 8 + 8;
}

// Few rows are worth judging all; a fold costs a factor of the fit's size a ridge.
static void choose_folds(nl_patch *patch, double rows, size_t room) {
  const size_t size = room > 0 ? patch->wanted : patch->features;
  patch->by_row = rows >= ROWS_TO_SPLIT;
  const bool all = rows < ROWS_FOR_ONE_FOLD && size <= SIZE_FOR_FOLDS && patch->linear->groups * size <= FEATURES_MOST;
  patch->folds = all ? NL_PATCH_FOLDS : 1;
}

static nl_status begin(nl_patch *patch, const nl_gather *gather, double share, nl_error *error) {
  const nl_narrow_linear *start = patch->start;
  const size_t groups = patch->linear->groups, weights = patch->out * patch->features;
  const size_t room = choose_room(patch, (double)gather->positions / share);
  const size_t rows = gather->positions / gather->per_row;
  choose_folds(patch, (double)rows / share, room);
  NL_TAKE(&patch->arena, patch->u, double, NL_PATCH_BLOCK *groups * patch->features, error);
  NL_TAKE(&patch->arena, patch->z, double, NL_PATCH_BLOCK * start->out, error);
  NL_TAKE(&patch->arena, patch->work, double, nl_patch_fit_work(patch->features, room), error);
  NL_TAKE(&patch->arena, patch->fits, nl_patch_fit, groups, error);
  for (size_t g = 0; g < groups; g++) {
    const nl_patch_problem problem = {.features = patch->features,
                                      .outputs = patch->out,
                                      .weights = start->weights + g * weights,
                                      .bias = start->bias != NULL ? start->bias + g * patch->out : NULL,
                                      .folds = patch->folds};
    NL_TRY(nl_patch_fit_create(&patch->fits[g], &problem, room, &patch->arena, error));
  }
  patch->begun = true;
  return NL_OK;
}

// ---- batches ------------------------------------------------------------------------------------------------------------

// Of every NL_PATCH_FOLDS rows (or positions, where there are few rows) one goes to each fold, turned by the seed.
static size_t fold_of(const nl_patch *patch, const nl_gather *gather, size_t position) {
  const size_t index = patch->by_row ? patch->rows + position / gather->per_row : patch->positions + position;
  nl_random random = nl_random_seeded(patch->options.seed + index / NL_PATCH_FOLDS);
  const size_t fold = (index + (size_t)(NL_PATCH_FOLDS * nl_random_uniform(&random))) % NL_PATCH_FOLDS;
  return fold < patch->folds ? fold : patch->folds;
}

static void gather_row(nl_patch *patch, nl_gather *gather, size_t position, size_t row) {
  nl_gather_aim(gather, position);
  for (size_t g = 0; g < patch->linear->groups; g++) {
    const size_t at = g * NL_PATCH_BLOCK + row;
    nl_gather_patch(gather, g * patch->in, patch->in, patch->u + at * patch->features);
    nl_gather_target(gather, position, patch->out, patch->kept + g * patch->out, patch->z + at * patch->out);
  }
}

static void add_block(nl_patch *patch, size_t fold, size_t rows) {
  for (size_t g = 0; g < patch->linear->groups && rows > 0; g++)
    nl_patch_fit_add(&patch->fits[g], fold, rows, patch->u + g * NL_PATCH_BLOCK * patch->features,
                     patch->z + g * NL_PATCH_BLOCK * patch->out, patch->work);
}

static void add_fold(nl_patch *patch, nl_gather *gather, size_t fold, nl_spread spread) {
  size_t rows = 0, position = 0;
  while (nl_spread_next(&spread, &position)) {
    if (fold_of(patch, gather, position) != fold) continue;
    gather_row(patch, gather, position, rows);
    if (++rows < NL_PATCH_BLOCK) continue;
    add_block(patch, fold, rows);
    rows = 0;
  }
  add_block(patch, fold, rows);
}

static nl_status add_batch(nl_patch *patch, nl_gather *gather, double share, nl_error *error) {
  if (gather->positions == 0) return NL_OK;
  if (!patch->begun) NL_TRY(begin(patch, gather, share, error));
  const size_t most = (size_t)(share * (double)patch->wanted + 1);
  const nl_spread spread = nl_spread_over(gather->positions, most, patch->options.seed + patch->positions);
  for (size_t f = 0; f <= patch->folds && f < NL_PATCH_FOLDS; f++) add_fold(patch, gather, f, spread);
  patch->rows += gather->positions / gather->per_row;
  patch->positions += gather->positions;
  return NL_OK;
}

nl_status nl_patch_add(nl_patch *patch, const nl_fed *original, const nl_fed *reduced, double share, nl_error *error) {
  nl_arena tables = {0};
  nl_gather gather;
  nl_status status = nl_gather_create(&gather, patch->linear, patch->start->in, original, reduced, &tables, error);
  if (status == NL_OK) status = add_batch(patch, &gather, share, error);
  nl_arena_free(&tables);
  return status;
}

// ---- solution -----------------------------------------------------------------------------------------------------------

static nl_status ready(nl_patch *patch, nl_error *error) {
  const nl_narrow_linear *start = patch->start;
  const size_t count = start->out * patch->features;
  nl_narrow_linear *fitted = &patch->fitted;
  NL_TAKE(&patch->arena, fitted->weights, double, count, error);
  memcpy(fitted->weights, start->weights, count * sizeof *fitted->weights);
  if (start->bias != NULL) {
    NL_TAKE(&patch->arena, fitted->bias, double, start->out, error);
    memcpy(fitted->bias, start->bias, start->out * sizeof *fitted->bias);
  }
  for (size_t g = 0; g < patch->linear->groups && patch->begun; g++) nl_patch_fit_ready(&patch->fits[g], patch->work);
  patch->ready = true;
  return NL_OK;
}

static bool solved(const nl_patch *patch) {
  return patch->ready && (!patch->begun || patch->solved == patch->linear->groups);
}

nl_status nl_patch_step(nl_patch *patch, nl_error *error) {
  if (!patch->ready) NL_TRY(ready(patch, error));
  for (double work = 0; !solved(patch) && work < WORK_PER_STEP;) {
    nl_patch_fit *fit = &patch->fits[patch->solved];
    double *weights = patch->fitted.weights + patch->solved * patch->out * patch->features;
    double *bias = patch->fitted.bias != NULL ? patch->fitted.bias + patch->solved * patch->out : NULL;
    work += nl_patch_fit_cost(fit);
    if (nl_patch_fit_step(fit, patch->options.ridge, weights, bias, patch->work)) patch->solved++;
  }
  return solved(patch) ? NL_OK : NL_MORE;
}

nl_status nl_patch_solve(nl_patch *patch, nl_narrow_linear *out, nl_arena *arena, nl_error *error) {
  const size_t count = patch->start->out * patch->features;
  nl_status status = NL_MORE;
  while (status == NL_MORE) status = nl_patch_step(patch, error);
  if (status != NL_OK) return status;
  nl_narrow_linear fitted = {.out = patch->start->out, .in = patch->start->in};
  NL_TAKE(arena, fitted.weights, double, count, error);
  memcpy(fitted.weights, patch->fitted.weights, count * sizeof *fitted.weights);
  if (patch->fitted.bias != NULL) {
    NL_TAKE(arena, fitted.bias, double, fitted.out, error);
    memcpy(fitted.bias, patch->fitted.bias, fitted.out * sizeof *fitted.bias);
  }
  *out = fitted;
  return NL_OK;
}

void nl_patch_gain(const nl_patch *patch, double *before, double *after) {
  double variance = 0;
  *before = *after = 0;
  for (size_t g = 0; g < patch->linear->groups && patch->begun; g++) {
    variance += patch->fits[g].variance;
    *before += patch->fits[g].before;
    *after += patch->fits[g].after;
  }
  if (!(variance > 0)) return;
  *before /= variance;
  *after /= variance;
}
