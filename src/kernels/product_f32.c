// Four lanes go where the double product has two.
#include "product_f32.h"

#include "kernels.h"
#include "simd.h"

typedef float real;
typedef nl_product_f32 product;
enum {
  ROWS = NL_F32_ROWS,
  COLUMNS = NL_F32_COLUMNS,
  BLOCK_ROWS = NL_F32_BLOCK_ROWS,
  BLOCK_DEPTH = NL_F32_DEPTH,
  BLOCK_COLUMNS = NL_F32_BLOCK_COLUMNS
};

NL_INLINE void tile_scalar(size_t depth, const float *restrict a, const float *restrict b, double *restrict c,
                           size_t c_row) {
  float sum[ROWS][COLUMNS] = {{0}};
  for (size_t l = 0; l < depth; l++, a += ROWS, b += COLUMNS)
    for (size_t i = 0; i < ROWS; i++)
      for (size_t j = 0; j < COLUMNS; j++) sum[i][j] += a[i] * b[j];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < COLUMNS; j++) c[i * c_row + j] += (double)sum[i][j];
}

#if NL_HAVE_SIMD128
// c (2) += the first two lanes
NL_INLINE void add_two(double *c, v128_t sum) {
  wasm_v128_store(c, wasm_f64x2_add(wasm_v128_load(c), wasm_f64x2_promote_low_f32x4(sum)));
}

NL_INLINE void tile_simd128(size_t depth, const float *restrict a, const float *restrict b, double *restrict c,
                            size_t c_row) {
  enum { LANES = 4, VECTORS = COLUMNS / LANES };
  v128_t sum[ROWS][VECTORS];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < VECTORS; j++) sum[i][j] = wasm_f32x4_splat(0);
  for (const float *end = b + depth * COLUMNS; b != end; a += ROWS, b += COLUMNS)
    for (size_t i = 0; i < ROWS; i++)
      for (size_t j = 0; j < VECTORS; j++)
        sum[i][j] =
            wasm_f32x4_add(sum[i][j], wasm_f32x4_mul(wasm_v128_load32_splat(a + i), wasm_v128_load(b + j * LANES)));
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < VECTORS; j++) {
      add_two(c + i * c_row + j * LANES, sum[i][j]);
      add_two(c + i * c_row + j * LANES + 2, wasm_i32x4_shuffle(sum[i][j], sum[i][j], 2, 3, 2, 3));
    }
}
#else
#define tile_simd128 tile_scalar
#endif

#include "product.h"

size_t nl_matmul_f32_work(void) { return WORK; }

void nl_product_f32_add__scalar(const nl_product_f32 *on, float *work) { add_product(NL_SCALAR, on, work); }

#if NL_HAVE_SIMD128
void nl_product_f32_add__simd128(const nl_product_f32 *on, float *work) { add_product(NL_SIMD128, on, work); }
#endif
