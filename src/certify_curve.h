// certify_curve: an activation over an interval as a polynomial and a guaranteed remainder.
#ifndef NL_CERTIFY_CURVE_H
#define NL_CERTIFY_CURVE_H

#include "certify_interval.h"
#include "chain.h"

enum { NL_CURVE_DEGREE = NL_SERIES_ORDER - 1 };

// σ(z) = Σ c[k] (z - middle)^k + R(z) for z in [middle - half, middle + half]; |R| <= rest, R' in slope wherever σ has no
// jump (entire where it has one): R(z) - R(y) lies in slope * (z - y).
typedef struct nl_curve {
  double middle, half;
  double c[NL_CURVE_DEGREE + 1];
  double rest;
  nl_interval slope;
} nl_curve;

// rest is infinite where σ is not bounded on z.
void nl_curve_fit(const nl_chain *chain, size_t layer, size_t degree, nl_interval z, nl_curve *out);

// Taylor coefficients of a layer's activation over z, up to `order` >= 1.
nl_series nl_curve_series(const nl_chain *chain, size_t layer, nl_interval z, size_t order);

// Whether both layers have the same activation.
bool nl_curve_same(const nl_chain *a, const nl_chain *b, size_t layer);

// Errors: NL_ERROR_UNSUPPORTED naming the node that has no series.
nl_status nl_curve_check(const nl_chain *chain, size_t layer, nl_error *error);

#endif
