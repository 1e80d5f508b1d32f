// product_f64: what matmul, matmul_upper and gram share. Seen by kernels, their tests and nobody else.
#ifndef NL_KERNELS_PRODUCT_F64_H
#define NL_KERNELS_PRODUCT_F64_H

#include <stdbool.h>
#include <stddef.h>

// A tile of C is NL_TILE x NL_TILE: as 2-lane vectors its sums fill half of the 16 registers of x86-64. A panel of B is 8 KB, the block of
// A 128 KB, that of B 1 MB. Depths 128 to 512, rows 32 to 128 and columns 256 to 1024 measure alike.
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

// Every C[i][j] adds its products in the order of l, whatever the blocks; work (nl_matmul_f64_work()), 16-byte aligned.
typedef void nl_add_product_f64(const nl_product_f64 *product, double *work);
nl_add_product_f64 nl_product_f64_add__scalar, nl_product_f64_add__simd128;

#endif
