// certify_parts: what the files of certify share.
#ifndef NL_CERTIFY_PARTS_H
#define NL_CERTIFY_PARTS_H

#include "certify_interval.h"
#include "chain.h"

// twins[l][j]: the unit of the original whose z is nearest to that of unit j of the reduced network, over some points of the
// box; outputs are their own twins. A heuristic: any answer keeps the bounds sound.
nl_status nl_certify_twins(const nl_chain *original, const nl_chain *reduced, const double *low, const double *high,
                           size_t **twins, nl_arena *arena, nl_error *error);

// Intervals of both networks and of each twin pair's difference: bounds (results).
nl_status nl_certify_intervals(const nl_chain *original, const nl_chain *reduced, size_t *const *twins,
                               const double *low, const double *high, double *bounds, nl_error *error);

// ---- search: the largest change that can be found ------------------------------------------------------------------------

typedef struct nl_certify_search nl_certify_search;

nl_status nl_certify_search_create(nl_certify_search **out, const nl_chain *original, const nl_chain *reduced,
                                   const double *low, const double *high, size_t points, nl_error *error);
nl_status nl_certify_search_step(nl_certify_search *search); // NL_MORE until done
double nl_certify_search_found(const nl_certify_search *search);
const double *nl_certify_search_at(const nl_certify_search *search);
void nl_certify_search_free(nl_certify_search *search);

// Points of a fixed sequence over the box from the `first` on, x (rows, features): quasi-random in up to 10 dimensions
// (Roberts 2018), pseudo-random beyond; every fifth is a corner.
void nl_certify_points_at(size_t first, size_t rows, size_t features, const double *low, const double *high, double *x);

#endif
