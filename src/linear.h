// linear: Cholesky factors of symmetric positive definite matrices, row-major, in place. For some hundred rows and more linear_blocks
// does the same three times as fast; its last bits differ.
#ifndef NL_LINEAR_H
#define NL_LINEAR_H

#include <stdbool.h>
#include <stddef.h>

// A (n, n) + ridge I = L Lᵀ; the lower triangle of A becomes L. False when the matrix is not positive definite.
bool nl_cholesky(size_t n, double *a, double ridge);
// B (n, m) becomes (L Lᵀ)⁻¹ B.
void nl_cholesky_solve(size_t n, const double *l, size_t m, double *b);

#endif
