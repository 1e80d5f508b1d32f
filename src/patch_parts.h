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

// Sums over one set of positions, u shifted by the fit's center, r what the start leaves: r = z - W_0 u - b_0.
typedef struct nl_patch_sums {
  size_t rows;
  double *u;      // (features)
  double *r, *rr; // (outputs) r, r²
  double *z, *zz; // (outputs) of z shifted by what the first position has
  double *gram;   // (features, features), upper triangle, of u uᵀ
  double *cross;  // (features, outputs) of u rᵀ
} nl_patch_sums;

enum { NL_PATCH_FIT = 0, NL_PATCH_HELD = 1, NL_PATCH_ROWS = 256 }; // positions a block

// One group's least squares.
typedef struct nl_patch_fit {
  size_t features, outputs;
  bool affine;
  const double *weights, *bias; // the start: (outputs, features), (outputs) or NULL
  bool centred;                 // center and shift are set
  double *center;               // (features)
  double *shift;                // (outputs)
  nl_patch_sums sums[2];
  double *step, *moved; // (outputs)
  double *delta, *work; // (features, outputs)
  // on the positions held back: mean squared error of the start and of the fit, variance of z
  double before, after, variance;
} nl_patch_fit;

nl_status nl_patch_fit_create(nl_patch_fit *out, size_t features, size_t outputs, const double *weights,
                              const double *bias, nl_arena *arena, nl_error *error);
// u (rows, features), shifted in place; z (rows, outputs), becomes r. `work`: nl_matmul_f64_work() doubles.
void nl_patch_fit_add(nl_patch_fit *fit, size_t set, size_t rows, double *u, double *z, double *work);
// Chooses the ridge by the positions held back (0: else the one wanted), then solves over all. weights (outputs, features) and
// bias (outputs) hold the start and are changed, unless the fit is worse than it on the positions held back.
void nl_patch_fit_solve(nl_patch_fit *fit, double ridge, double *weights, double *bias, double *work);

#endif
