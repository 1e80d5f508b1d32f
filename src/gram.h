// gram: second moments of activations, gathered row by row block; nothing is kept but sums.
#ifndef NL_GRAM_H
#define NL_GRAM_H

#include <stdbool.h>

#include "arena.h"

// Sums are taken around `center` (the first block's mean), so that a large mean costs no digits.
typedef struct nl_moments {
  size_t n;
  size_t rows;
  double *center; // (n)
  double *sum;    // (n) of a - center
  double *gram;   // (n, n), upper triangle, of (a - center)(a - center)ᵀ
  double *block;  // (block_rows, n) work
  float *single;  // the same in single precision, or NULL
  size_t block_rows;
} nl_moments;

nl_status nl_moments_create(nl_moments *out, size_t n, size_t block_rows, nl_error *error);
// The same with products of single precision (nl_gram_f32): twice as fast and right to 1e-6 of a variance, where an order is sought
// and no exact combinations. Not to be merged.
nl_status nl_moments_create_f32(nl_moments *out, size_t n, size_t block_rows, nl_error *error);
void nl_moments_free(nl_moments *moments);
// a (rows, n); rows <= block_rows. `work`: nl_matmul_f64_work() doubles.
void nl_moments_add(nl_moments *moments, size_t rows, const double *a, double *work);
// Begins again with nothing gathered, for n no wider than it was created for.
void nl_moments_reset(nl_moments *moments, size_t n);
// Adds what `part`, of the same n, gathered: the same bits wherever that was done. `into` may be without room for
// rows; the part's is written over.
void nl_moments_merge(nl_moments *into, const nl_moments *part);
// mean (n) = E a; second (n, n), symmetric = E (a - mean)(a - mean)ᵀ when centred, else E a aᵀ.
void nl_moments_finish(const nl_moments *moments, bool centred, double *mean, double *second);

#endif
