// patch_parts: what the files of `patch` share. gather: positions -> patches; fit: patches -> least squares.
#ifndef NL_PATCH_PARTS_H
#define NL_PATCH_PARTS_H

#include "patch.h"

// ---- gather -------------------------------------------------------------------------------------------------------------

// A value as (outer, width, inner) around its channel axis.
typedef struct nl_slab {
  const nl_fed *fed;
  size_t outer, width, inner;
} nl_slab;

// A position is an index into (outer, inner) of what the linear writes.
typedef struct nl_gather {
  nl_slab read, written;
  size_t positions;
  size_t per_row; // positions of one index of the first axis, which is the batch's unless channels lie there
  size_t spatial, kernel_size;
  size_t kernel[NL_SPATIAL_MOST], from[NL_SPATIAL_MOST], to[NL_SPATIAL_MOST]; // sizes of what is read and written
  const size_t *map[NL_SPATIAL_MOST]; // (to, kernel): where offset k of an output reads, NL_NONE beyond the border
  // of the position aimed at
  size_t outer;    // of `read`
  size_t *offsets; // (kernel_size) inner indices of `read`, or NL_NONE
} nl_gather;

// NL_ERROR_SHAPE where the two values are not what the linear reads and writes. The tables come from `arena`.
nl_status nl_gather_create(nl_gather *out, const nl_linear *linear, size_t in, const nl_fed *original,
                           const nl_fed *reduced, nl_arena *arena, nl_error *error);
void nl_gather_aim(nl_gather *gather, size_t position);
// At the position aimed at: channels first ... first + count - 1, patch (count, kernel_size).
void nl_gather_patch(const nl_gather *gather, size_t first, size_t count, double *patch);
// z of the channels `kept` (count).
void nl_gather_target(const nl_gather *gather, size_t position, size_t count, const size_t *kept, double *target);

// ---- fit ----------------------------------------------------------------------------------------------------------------

// z ≈ W_0 u + b_0 + Δᵀ (u - center) + step, one group of channels. With u the patches and r = z - W_0 u - b_0 what the start
// leaves, both less their means, Δ solves (UᵀU / n + λI) Δ = UᵀR / n. Two ways to the same Δ:
//   sums   where positions are many: UᵀU (features, features) is all that is kept (patch_sums.c)
//   rows   where they are fewer than features: U is kept, and Δ = Uᵀ (UUᵀ + nλI)⁻¹ R (patch_rows.c)

// Positions are dealt out to folds. Each is held back in turn, and what the others' fit leaves of its r is what a ridge is judged
// by. Where there are plenty of positions a fifth is one fold, and the others belong to none.

enum { NL_PATCH_FOLDS = 5 };
enum { NL_PATCH_BLOCK = 256 }; // positions handed over at once

typedef struct nl_patch_problem {
  size_t features, outputs;
  const double *weights, *bias; // the start: (outputs, features), (outputs); NULL: no step, nothing is centred
  size_t folds;                 // NL_PATCH_FOLDS or 1
} nl_patch_problem;

typedef struct nl_patch_sums nl_patch_sums;
typedef struct nl_patch_rows nl_patch_rows;

// create, add ..., ready, try ..., finish. `work`: nl_patch_fit_work() doubles.
// add: u (rows, features), work memory afterwards, and r (rows, outputs) of a fold; one of `folds` or more is none.
// try: the sum of squares left of the folds, each by the others' fit; ridge: λ over the mean variance of a feature. Infinite or
// NaN where there is no solution. finish: fits on all and moves weights (outputs, features) and bias (outputs).
nl_status nl_patch_sums_create(nl_patch_sums **out, const nl_patch_problem *problem, nl_arena *arena, nl_error *error);
void nl_patch_sums_add(nl_patch_sums *sums, size_t fold, size_t rows, double *u, double *r, double *work);
void nl_patch_sums_ready(nl_patch_sums *sums);
double nl_patch_sums_try(nl_patch_sums *sums, double ridge, double *work);
void nl_patch_sums_finish(nl_patch_sums *sums, double ridge, double *weights, double *bias, double *work);

// The same; at most `room` positions, those beyond are left out.
nl_status nl_patch_rows_create(nl_patch_rows **out, const nl_patch_problem *problem, size_t room, nl_arena *arena,
                               nl_error *error);
void nl_patch_rows_add(nl_patch_rows *kept, size_t fold, size_t rows, const double *u, const double *r);
void nl_patch_rows_ready(nl_patch_rows *kept, double *work);
double nl_patch_rows_try(nl_patch_rows *kept, double ridge, double *work);
void nl_patch_rows_finish(nl_patch_rows *kept, double ridge, double *weights, double *bias, double *work);

enum { NL_PATCH_RIDGES = 9 };

// Either of them, and what the choice of a ridge needs.
typedef struct nl_patch_fit {
  nl_patch_problem problem;
  nl_patch_sums *sums; // one of the two
  nl_patch_rows *rows;
  size_t count, judged; // positions, those of a fold
  double *shift;        // (outputs) z of the first position
  double *z, *zz;       // (outputs) sums of z - shift and its square over the positions of a fold
  // over the positions of a fold: sum of squares that start and fit leave, variance of z
  double before, after, variance;
  double left[NL_PATCH_RIDGES]; // sum of squares that each ridge leaves; negative: not tried
} nl_patch_fit;

// room: 0 for sums.
nl_status nl_patch_fit_create(nl_patch_fit *out, const nl_patch_problem *problem, size_t room, nl_arena *arena,
                              nl_error *error);
// z (rows, outputs) becomes r.
void nl_patch_fit_add(nl_patch_fit *fit, size_t fold, size_t rows, double *u, double *z, double *work);
// Before the first step.
void nl_patch_fit_ready(nl_patch_fit *fit, double *work);
// Tries a ridge, or after the last of them fits: then true. ridge: 0: the one that leaves least of the folds. weights and bias hold
// the start and are changed where that is less than the start leaves.
bool nl_patch_fit_step(nl_patch_fit *fit, double ridge, double *weights, double *bias, double *work);
double nl_patch_fit_cost(const nl_patch_fit *fit); // multiplications of a step, about
// Doubles that `work` holds.
size_t nl_patch_fit_work(size_t features, size_t room);

#endif
