#include "product_f64.h"

#include "kernels.h"
#include "simd.h"

typedef double real;
typedef nl_product_f64 product;
enum {
  ROWS = NL_TILE,
  COLUMNS = NL_TILE,
  BLOCK_ROWS = NL_BLOCK_ROWS,
  BLOCK_DEPTH = NL_BLOCK_DEPTH,
  BLOCK_COLUMNS = NL_BLOCK_COLUMNS
};

NL_INLINE void tile_scalar(size_t depth, const double *restrict a, const double *restrict b, double *restrict c,
                           size_t c_row) {
  double sum[ROWS][COLUMNS];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < COLUMNS; j++) sum[i][j] = c[i * c_row + j];
  for (size_t l = 0; l < depth; l++, a += ROWS, b += COLUMNS)
    for (size_t i = 0; i < ROWS; i++)
      for (size_t j = 0; j < COLUMNS; j++) sum[i][j] += a[i] * b[j];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < COLUMNS; j++) c[i * c_row + j] = sum[i][j];
}

#if NL_HAVE_SIMD128
NL_INLINE void tile_simd128(size_t depth, const double *restrict a, const double *restrict b, double *restrict c,
                            size_t c_row) {
  enum { LANES = 2, VECTORS = COLUMNS / LANES };
  v128_t sum[ROWS][VECTORS];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < VECTORS; j++) sum[i][j] = wasm_v128_load(c + i * c_row + j * LANES);
  for (const double *end = b + depth * COLUMNS; b != end; a += ROWS, b += COLUMNS)
    for (size_t i = 0; i < ROWS; i++)
      for (size_t j = 0; j < VECTORS; j++)
        sum[i][j] =
            wasm_f64x2_add(sum[i][j], wasm_f64x2_mul(wasm_v128_load64_splat(a + i), wasm_v128_load(b + j * LANES)));
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < VECTORS; j++) wasm_v128_store(c + i * c_row + j * LANES, sum[i][j]);
}
#else
#define tile_simd128 tile_scalar
#endif

#include "product.h"

size_t nl_matmul_f64_work(void) { return WORK; }

void nl_product_f64_add__scalar(const nl_product_f64 *on, double *work) { add_product(NL_SCALAR, on, work); }

#if NL_HAVE_SIMD128
void nl_product_f64_add__simd128(const nl_product_f64 *on, double *work) { add_product(NL_SIMD128, on, work); }
#endif
