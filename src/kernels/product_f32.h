// product_f32: what matmul and gram of single-precision numbers share. Seen by kernels, their tests and nobody else.
#ifndef NL_KERNELS_PRODUCT_F32_H
#define NL_KERNELS_PRODUCT_F32_H

#include <stdbool.h>
#include <stddef.h>

// A tile's sums fill eight of the 16 registers of x86-64; a panel of B is 8 KB.
enum { NL_F32_ROWS = 4, NL_F32_COLUMNS = 8, NL_F32_BLOCK_ROWS = 128, NL_F32_DEPTH = 256, NL_F32_BLOCK_COLUMNS = 512 };

// As nl_product_f64, with C in double precision
typedef struct nl_product_f32 {
  size_t m, n, k;
  const float *a; // (m, k)
  size_t a_row, a_col;
  const float *b; // (k, n)
  size_t b_row, b_col;
  double *c; // (m, n)
  size_t c_row;
  bool upper; // touch i <= j alone
} nl_product_f32;

// NL_F32_DEPTH products of each C[i][j] are summed in single precision, in the order of l, these sums in double: the rounding does not
// grow with k. work (nl_matmul_f32_work()), 16-byte aligned.
typedef void nl_add_product_f32(const nl_product_f32 *product, float *work);
nl_add_product_f32 nl_product_f32_add__scalar, nl_product_f32_add__simd128;

#endif
