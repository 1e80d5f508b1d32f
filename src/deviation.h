// deviation: how far the smaller network's outputs are from the original's, over some rows.
#ifndef NL_DEVIATION_H
#define NL_DEVIATION_H

#include "forward.h"
#include "rows.h"

// Running mean and squared deviation of one output number (Welford 1962).
typedef struct nl_variance {
  double count, mean, squares;
} nl_variance;

void nl_variance_add(nl_variance *variance, double x);

// spreads (results): adds the outputs of the rows that `scratch` was evaluated on.
void nl_outputs_add(nl_variance *spreads, const nl_network *network, const nl_scratch *scratch, size_t rows);
// Sum over the outputs of their variances.
double nl_outputs_variance(const nl_variance *spreads, size_t results);

typedef struct nl_deviation nl_deviation;

// x (rows, features); everything is borrowed until free.
nl_status nl_deviation_create(nl_deviation **out, const nl_network *network, const nl_parameters *original,
                              const nl_parameters *reduced, size_t rows, const double *x, nl_error *error);
// The same of outputs that are there already: given one by one, borrowed.
nl_status nl_deviation_create_given(nl_deviation **out, const nl_network *network, size_t rows, nl_error *error);
void nl_deviation_give(nl_deviation *deviation, size_t output, nl_rows *original, nl_rows *reduced);
void nl_deviation_free(nl_deviation *deviation);
// NL_MORE until done. Errors: NL_ERROR_NOT_FINITE when an output is no number.
nl_status nl_deviation_step(nl_deviation *deviation, double *progress, nl_error *error);

double nl_deviation_relative(const nl_deviation *deviation); // RMS(f' - f) / RMS(f - E f)
double nl_deviation_largest(const nl_deviation *deviation);  // largest |f' - f|
double nl_deviation_size(const nl_deviation *deviation);     // largest |f|

#endif
