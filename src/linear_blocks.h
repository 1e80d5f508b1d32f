// linear_blocks: Cholesky factor, triangular solves and inverse by blocks, through the matrix product. Row-major, in place; every
// function does one block, so that long work can be had in steps, or goes through all of them.
#ifndef NL_LINEAR_BLOCKS_H
#define NL_LINEAR_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

enum { NL_BLOCK = 64, NL_STRIPE = 256 }; // rows of L at once, columns of what is solved for

// L Lᵀ = A + ridge I, lower triangle of a (n, n) with rows a_row apart: the columns first ... first + NL_BLOCK - 1, those before
// being done. False when the matrix is not positive definite. `room`: (n - first) * NL_BLOCK, `work`: nl_matmul_f64_work().
bool nl_factor_block(size_t n, size_t first, double *a, size_t a_row, double ridge, double *room, double *work);

// Rows first ... of b (n, columns <= NL_STRIPE) become those of L⁻¹ B, the rows from `from` on before them being done and those before
// `from` zero. `room`: NL_BLOCK * NL_STRIPE.
void nl_forward_block(size_t n, size_t from, size_t first, const double *l, size_t l_row, size_t columns, double *b,
                      size_t b_row, double *room, double *work);
// The same of L⁻ᵀ B, the rows behind them being done.
void nl_backward_block(size_t n, size_t first, const double *l, size_t l_row, size_t columns, double *b, size_t b_row,
                       double *room, double *work);
// The same of L⁻¹ in the place of L: columns from ... from + NL_STRIPE - 1, which no later stripe needs. Entries above the
// diagonal within a stripe are overwritten with zeros. `room`: NL_BLOCK * (NL_STRIPE + NL_BLOCK).
void nl_invert_block(size_t n, size_t from, size_t first, double *l, size_t l_row, double *room, double *work);

// A (n, n) + ridge I = L Lᵀ. `work`: nl_matmul_f64_work() doubles, then nl_cholesky_blocks_work(n).
bool nl_cholesky_blocks(size_t n, double *a, double ridge, double *work);
// B (n, m) becomes (L Lᵀ)⁻¹ B. `work` as above.
void nl_cholesky_solve_blocks(size_t n, const double *l, size_t m, double *b, double *work);
size_t nl_cholesky_blocks_work(size_t n);

#endif
