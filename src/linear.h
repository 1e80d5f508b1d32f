// linear: Cholesky factors of symmetric positive definite matrices, row-major, in place.
#ifndef NL_LINEAR_H
#define NL_LINEAR_H

#include <stdbool.h>
#include <stddef.h>

// A (n, n) + ridge I = L Lᵀ; the lower triangle of A becomes L. False when the matrix is not positive definite.
bool nl_cholesky(size_t n, double *a, double ridge);
// The same for large n, three times as fast: by blocks of columns, through the matrix product; its last bits differ.
// `work`: nl_matmul_f64_work() doubles, then nl_cholesky_blocks_work(n).
bool nl_cholesky_blocks(size_t n, double *a, double ridge, double *work);
size_t nl_cholesky_blocks_work(size_t n);
// B (n, m) becomes (L Lᵀ)⁻¹ B.
void nl_cholesky_solve(size_t n, const double *l, size_t m, double *b);

// Splits the units into independent and dependent ones by a Cholesky factorisation with diagonal pivoting: a unit whose
// variance given the pivots before it falls below `tolerance` times its own is a linear combination of them.
// second (n, n); order (n): independent units first. Returns their number. work (n*n + n).
size_t nl_independent_units(size_t n, const double *second, double tolerance, size_t *order, double *work);

#endif
