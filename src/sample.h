// sample: a tensor a runtime gave, as rows of channels. Positions (batch, space, time, tile and run) are the rows; where there are
// more than wanted, evenly spread ones that the seed and the batch decide.
#ifndef NL_SAMPLE_H
#define NL_SAMPLE_H

#include "channels.h"
#include "gram.h"
#include "random.h"

// A tensor as the runtime gave it; borrowed.
typedef struct nl_fed {
  nl_type type; // NL_TYPE_F32 or NL_TYPE_F64
  size_t rank;
  const int64_t *dims; // (rank)
  const void *data;
} nl_fed;

size_t nl_fed_count(const nl_fed *fed);
double nl_fed_at(const nl_fed *fed, size_t index);

// `most` of `count` positions, ascending: one of each of as many equal stretches, where in it the seed says, so that no pattern
// of an image's rows falls in step with the choice. All of them where there are no more.
typedef struct nl_spread {
  size_t count, most, taken;
  nl_random random;
} nl_spread;
nl_spread nl_spread_over(size_t count, size_t most, uint64_t seed);
bool nl_spread_next(nl_spread *spread, size_t *position); // false after the last

// How many rows (positions) the tensor has for one group: over all its segments along the axis.
// NL_ERROR_SHAPE (place: `name`) when the tensor's axis is not as long as the segments say.
nl_status nl_sample_positions(const nl_channels *channels, const nl_axis *axis, size_t group, const nl_fed *fed,
                              nl_span name, size_t *positions, nl_error *error);

// Adds at most `most` of the positions to the moments of the group's channels (moments->n == its width); which ones follows from
// the seed and the rows already there, so that each batch gives others.
// NL_ERROR_NOT_FINITE naming `name` for NaN or infinity. `work`: nl_matmul_f64_work() doubles.
nl_status nl_sample_add(nl_moments *moments, const nl_channels *channels, const nl_axis *axis, size_t group,
                        const nl_fed *fed, nl_span name, size_t most, uint64_t seed, double *work, nl_error *error);

#endif
