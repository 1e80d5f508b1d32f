// certify: how far, at most, the reduced network's outputs are from the original's over a box of inputs.
//
// Manual. For chains f and g (chain.h) and a box, nl_certify_bounds gives for each output a number that |f(x) - g(x)| exceeds
// nowhere in the box; nl_certify_found gives the largest change that a search met, so the truth lies between the two.
// Three families compete and the tightest counts: intervals of both networks and of their difference (the idea of NeuroDiff,
// Paulsen et al. 2020); zonotopes of the pair with shared symbols (DeepZ, Singh et al. 2018), a linear relaxation of every
// activation as in CROWN (Zhang et al. 2018) and DeepPoly (Singh et al. 2019), but with one line for a unit and its kept twin;
// and the same with polynomials of degree 2 and 3 (Taylor models, Berz and Makino 1998). The latter are repeated over a
// split box, widest bound first, until the budget is spent; splitting never loosens a bound, as a part inherits its whole's.
// Covered: real arithmetic on the parameters given, which should be those written (f32); the rounding of this computation,
// the C library's elementary functions taken to be within 16 units in the last place. Not covered: the rounding inside the
// runtime that runs the model; inputs outside the box; a softmax behind the last layer (what goes into it is certified).
// Limits: many features (splitting helps little beyond some 10) and wide boxes over deep ReLU networks leave bounds loose;
// networks for which one pass of forms is more than some 10^9 multiplications get intervals alone; where a function leaves
// its domain inside the box (log, reciprocal), the bound is infinite. Per-channel scales that a chain folds into its weights
// are meant as folded, in double precision.
#ifndef NL_CERTIFY_H
#define NL_CERTIFY_H

#include "chain.h"

typedef struct nl_certify nl_certify;

typedef struct nl_certify_input {
  const nl_chain *original, *reduced; // as many layers, features and outputs; borrowed until free
  const double *low, *high;           // (features)
  double budget;                      // multiplications for the bounds; 0: the default, a few seconds
  size_t points;                      // of the search; 0: 100,000, fewer where the networks are large
  unsigned methods;                   // NL_CERTIFY_... to try; 0: all
} nl_certify_input;

enum { NL_CERTIFY_INTERVALS = 1, NL_CERTIFY_ZONOTOPE = 2, NL_CERTIFY_QUADRATIC = 4, NL_CERTIFY_CUBIC = 8 };

// Errors: NL_ERROR_UNSUPPORTED naming the node, NL_ERROR_ARGUMENT for a box that is none, NL_ERROR_SHAPE for networks that do
// not belong together.
nl_status nl_certify_create(nl_certify **out, const nl_certify_input *input, nl_error *error);
// Some 20 to 50 ms of work. NL_MORE until done, then NL_OK; *progress in [0, 1].
nl_status nl_certify_step(nl_certify *certify, double *progress, nl_error *error);
void nl_certify_free(nl_certify *certify);

// All of them once done; sound, if loose, before.
size_t nl_certify_results(const nl_certify *certify);
const double *nl_certify_bounds(const nl_certify *certify); // (results); infinite where nothing was proved
double nl_certify_bound(const nl_certify *certify);         // the largest of them
const char *nl_certify_method(const nl_certify *certify);   // "intervals" | "zonotope" | "quadratic" | "cubic" | "none"
size_t nl_certify_boxes(const nl_certify *certify);         // that the method split the box into
double nl_certify_found(const nl_certify *certify);         // the largest |f - g| met
const double *nl_certify_found_at(const nl_certify *certify); // (features)
size_t nl_certify_points(const nl_certify *certify);          // of the search

#endif
