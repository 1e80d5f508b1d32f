// ode_monomials: powers of sums, monomial by monomial.
#ifndef NL_ODE_MONOMIALS_H
#define NL_ODE_MONOMIALS_H

#include "ode.h"

double nl_binomial(size_t n, size_t k);

// g (degree + 1) with p(z + bias) = Σ_d g_d z^d:  g_d = Σ_{e>=d} c_e C(e,d) bias^(e−d)
void nl_polynomial_around(const nl_polynomial *p, double bias, double *g);

// All monomials of degree `size` in n variables, two of which may be left out (NL_NONE: none): index[0] <= index[1] <= ...
typedef struct nl_monomials {
  size_t n, skip[2], size;
  size_t index[NL_CHAIN_DEGREE + 1];
} nl_monomials;

bool nl_monomials_start(nl_monomials *m); // false when there is none
bool nl_monomials_next(nl_monomials *m);  // false behind the last

// In how many orders the monomial times one more variable can be written, (size + 1)!/α!, where that variable is none of its
// own; where it is the last one, divide by *run + 1: *run is how often the last occurs already.
double nl_monomials_ways(const nl_monomials *m, size_t *run);

#endif
