// product_f64: the blocked product that matmul and gram share (the loops of BLIS: Van Zee, van de Geijn, "BLIS: A Framework
// for Rapidly Instantiating BLAS Functionality", ACM TOMS 41(3), 2015). Seen by kernels, their tests and nobody else.
#ifndef NL_KERNELS_PRODUCT_F64_H
#define NL_KERNELS_PRODUCT_F64_H

#include <stdbool.h>
#include <stddef.h>

// A tile of C is NL_TILE x NL_TILE: as 2-lane vectors its sums fill half of the 16 registers of x86-64.
// One panel of B (depth, tile), 8 KB, stays in the L1 cache; the block of A (rows, depth), 128 KB, in L2; that of B
// (depth, columns), 1 MB, in L2 or L3. Depths 128 to 512, rows 32 to 128 and columns 256 to 1024 measure alike.
enum { NL_TILE = 4, NL_BLOCK_ROWS = 64, NL_BLOCK_DEPTH = 256, NL_BLOCK_COLUMNS = 512 };

// C += A B, A[i][l] at a[i*a_row + l*a_col], B[l][j] at b[l*b_row + j*b_col], C[i][j] at c[i*c_row + j]
typedef struct nl_product_f64 {
  size_t m, n, k;
  const double *a; // (m, k)
  size_t a_row, a_col;
  const double *b; // (k, n)
  size_t b_row, b_col;
  double *c; // (m, n)
  size_t c_row;
  bool upper; // touch i <= j alone
} nl_product_f64;

// c (NL_TILE, NL_TILE), rows c_row apart, += a (depth, NL_TILE)ᵀ b (depth, NL_TILE); a and b 16-byte aligned
typedef void nl_tile_f64(size_t depth, const double *restrict a, const double *restrict b, double *restrict c,
                         size_t c_row);
nl_tile_f64 nl_tile_f64__scalar;
nl_tile_f64 nl_tile_f64__simd128;

// Every C[i][j] adds its products in the order of l, whatever the blocks; work (nl_matmul_f64_work()), 16-byte aligned.
void nl_product_f64_add(const nl_product_f64 *product, nl_tile_f64 *tile, double *work);

#endif
