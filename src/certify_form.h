// certify_form: both networks over a box at once, every unit a polynomial of the inputs plus shared error symbols.
//
// A unit is Σ c_b φ_b + rest [-1, 1]. The φ are the monomials up to a degree in t in [-1, 1]^features, the box's own
// coordinates, then one symbol in [-1, 1] for each activation passed: the function of x by which the unit misses its
// polynomial. Degree 1 is the zonotope of Singh et al. 2018; higher ones are Taylor models (Berz, Makino 1998) with symbols.
//
// A unit of the reduced network follows its *twin*, the original unit nearest to it: with δ = z - z~ as a form, and the
// same polynomial p and remainder R for both, a - ã = p(z) - p(z~) + R(z) - R(z~) = δ (q(z, z~) + R'(ξ)), q the divided
// difference of p. So ã takes over a's symbol, and what both do alike cancels in the outputs' difference.
//
// Rounding: `rest` takes the error of every operation, by gamma_n = n u / (1 - n u) times the sum of the moduli.
#ifndef NL_CERTIFY_FORM_H
#define NL_CERTIFY_FORM_H

#include "chain.h"

typedef struct nl_form_input {
  const nl_chain *original, *reduced;
  size_t *const *twins; // (layers) (reduced width) a unit of the original, or NL_NONE
  size_t degree;        // 1 to 3
} nl_form_input;

typedef struct nl_form_pass nl_form_pass;

// Multiplications of one pass; infinite when its tables would be too large.
double nl_form_cost(const nl_form_input *input);
nl_status nl_form_create(nl_form_pass **out, const nl_form_input *input, nl_error *error);
void nl_form_free(nl_form_pass *pass);

// bounds (results): of |f - g| over the box. effect (features): how much of the widest bound each feature may carry.
void nl_form_run(nl_form_pass *pass, const double *low, const double *high, double *bounds, double *effect);

#endif
