// sensitivity: how much the network's output depends on what a site's consumers compute. With g = ∂f/∂z the derivative of
// the outputs by the pre-activations z of a site's consumers, M = E[gᵀ g]. A change δz of the pre-activations moves the output by
// E‖g δz‖² ≈ tr(M δzᵀδz), to first order; so the elimination on M^½ W counts errors of the output, alike at every depth.
#ifndef NL_SENSITIVITY_H
#define NL_SENSITIVITY_H

#include "forward.h"
#include "site.h"

typedef struct nl_sensitivity nl_sensitivity;

nl_status nl_sensitivity_create(nl_sensitivity **out, const nl_network *network, const nl_sites *sites,
                                const nl_parameters *parameters, uint64_t seed, nl_error *error);
void nl_sensitivity_free(nl_sensitivity *sensitivity);
// The part of rows first ... first + rows - 1, which `scratch` was evaluated on. Up to 16 outputs the derivatives are exact; beyond,
// 16 random signs stand for them (Hutchinson's estimator).
void nl_sensitivity_gather(nl_sensitivity *sensitivity, const nl_scratch *scratch, size_t first, size_t rows);
// Adds a part to the whole: the one gathered last, or one that was put where nl_sensitivity_part says.
void nl_sensitivity_merge(nl_sensitivity *sensitivity, size_t rows);
// Multiplications of gathering so many rows.
double nl_sensitivity_work(const nl_sensitivity *sensitivity, size_t rows);

// Σ gᵀ g at a site over the rows of the part, or over all of them: (m, m), upper triangle; NULL where M would be too large to keep.
double *nl_sensitivity_part(const nl_sensitivity *sensitivity, size_t site);
double *nl_sensitivity_whole(const nl_sensitivity *sensitivity, size_t site);
size_t nl_sensitivity_rows(const nl_sensitivity *sensitivity);               // that the whole is of
void nl_sensitivity_set_rows(nl_sensitivity *sensitivity, size_t rows);      // the same
size_t nl_sensitivity_width(const nl_sensitivity *sensitivity, size_t site); // m

// weights (n, m), m the widths of the site's consumers side by side: weights ← weights L with M = L Lᵀ. *done is
// false, weights untouched, where M says nothing (no path to an output) or would be too large to keep.
nl_status nl_sensitivity_apply(const nl_sensitivity *sensitivity, size_t site, size_t n, size_t m, double *weights,
                               bool *done, nl_error *error);

#endif
