// measure: the inputs on which "behave alike" is measured when the user gives none.
#ifndef NL_MEASURE_H
#define NL_MEASURE_H

#include <stddef.h>
#include <stdint.h>

// x (rows, features): x_i ~ N(mean_i, spread_i²), independent, in pairs (mean + d, mean - d). Up to 10 features the d are
// quasi-random (additive recurrence with the generalised golden ratio, Roberts 2018, shifted by the seed); beyond, where
// that loses its evenness, pseudo-random (xoshiro256**). mean and spread may be NULL: 0 and 1.
void nl_measure_normal(uint64_t seed, size_t rows, size_t features, const double *mean, const double *spread,
                       double *x);

// x (rows, features): uniform between low and high, from the same points, in pairs mirrored at the middle.
void nl_measure_box(uint64_t seed, size_t rows, size_t features, const double *low, const double *high, double *x);

// Fills `out` (copies * rows, features) with the rows, each moved by N(0, (strength * spread of its column)²).
void nl_measure_jitter(uint64_t seed, size_t rows, size_t features, const double *x, double strength, size_t copies,
                       double *out);

#endif
