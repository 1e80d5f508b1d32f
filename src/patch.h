// patch: a linear fitted again as a whole, kernel and all: least squares from patches (im2col) of what the smaller network
// really reads to what the original computes there (DESIGN 2.3, convolutions), the ridge centred on the compensated weights.
//
//   min_W  Σ_positions ‖ z - W u - b ‖² + λ ‖ W - W_0 ‖²
//
// z: the original's output at a position, rows of the channels kept; u: the patch the smaller network reads there, zeros where
// it reaches over the border. Each group of a grouped convolution is a fit of its own. ConvTranspose gathers: at an output
// position, offset k of the kernel reads input (y + pad - k * dilation) / stride where that is whole and inside, else 0.
#ifndef NL_PATCH_H
#define NL_PATCH_H

#include "narrow.h"
#include "sample.h"

typedef struct nl_patch nl_patch;

typedef struct nl_patch_options {
  size_t
      positions; // about how many are wanted in all; the batches still to come are told by `share`. 0: as many as serve
  double ridge;  // λ relative to the mean variance of the patches' features; 0: what serves positions held back best
  uint64_t seed;
} nl_patch_options;

// start: the compensated linear (narrow.h), out and in as the smaller network has them; borrowed until free.
// kept (start->out): which of the original's output channels its rows are.
// NL_ERROR_LIMIT for more weights than a fit has memory for (caller keeps the compensation).
nl_status nl_patch_create(nl_patch **out, const nl_linear *linear, const nl_narrow_linear *start, const size_t *kept,
                          const nl_patch_options *options, nl_error *error);
void nl_patch_free(nl_patch *patch);

// A batch: `original` is the value `written` of the original, `reduced` the value `read` of the smaller network, on the same
// inputs. share: what part of all batches this one is, in (0, 1].
nl_status nl_patch_add(nl_patch *patch, const nl_fed *original, const nl_fed *reduced, double share, nl_error *error);

// After the last batch. A ridge tried a step, or several where that is quick; NL_MORE until done.
nl_status nl_patch_step(nl_patch *patch, nl_error *error);
// The steps still to do, then weights and bias of *out: memory from `arena`. Where the fit leaves more than the start on positions
// held back, or is not finite, *out is the start.
nl_status nl_patch_solve(nl_patch *patch, nl_narrow_linear *out, nl_arena *arena, nl_error *error);

// Mean squared residual over the variance of z, of the start and of the fit, on positions held back from it.
void nl_patch_gain(const nl_patch *patch, double *before, double *after);

#endif
