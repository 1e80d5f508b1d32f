// project: the order in which units go, and what the ones that stay take over (DESIGN 2.3).
//
// With C the second moment of a site's activations a, H = (C + λI)⁻¹ and w_j the weights that leave unit j, removing
// unit j and letting the others compensate raises the consumers' mean squared error by exactly ‖w_j‖² / H_jj
// (optimal brain surgeon's identity, Hassibi & Stork 1993, for a whole unit). Each turn removes the cheapest:
//     w_i ← w_i - w_j H_ij / H_jj,   H ← H - H_j H_jᵀ / H_jj
// One pass, O(n³), orders all units and serves every tolerance.
#ifndef NL_PROJECT_H
#define NL_PROJECT_H

#include <stdbool.h>

#include "arena.h"

typedef struct nl_elimination nl_elimination;

// second (n, n): covariance of the activations, or their raw second moment when the consumers have no bias.
// weights (n, m): row j holds what leaves unit j, all consumers side by side. `scale`: what the squared error is divided
// by (the variance of what the consumers compute). `second` is borrowed until the elimination is freed; `weights` (malloc) are its
// own from now on, also where it fails: each may be a hundred megabytes.
nl_status nl_elimination_create(nl_elimination **out, size_t n, const double *second, size_t m, double *weights,
                                double scale, nl_error *error);
void nl_elimination_free(nl_elimination *elimination);
// NL_MORE until one unit is left, then NL_OK. *progress in [0, 1].
nl_status nl_elimination_step(nl_elimination *elimination, double *progress, nl_error *error);

// After the last step: order (n): the unit that goes first, second ...; the last entry is the one that stays.
// deviation (n): relative deviation once that unit and all before it are gone; does not decrease; infinite for the last.
const size_t *nl_elimination_order(const nl_elimination *elimination);
const double *nl_elimination_deviation(const nl_elimination *elimination);

// Least squares of all units from the kept ones: prolongation (n, k), offset (n): a ≈ P a_kept + p.
// second, mean (n) as above; affine: whether an offset may be used (else it is 0 and `second` is the raw moment).
nl_status nl_project(size_t n, const double *second, const double *mean, bool affine, size_t k, const size_t *kept,
                     double *prolongation, double *offset, nl_error *error);

#endif
