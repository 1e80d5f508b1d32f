// gram_f32: second moments of single-precision numbers. The products of NL_GRAM_F32_DEPTH rows are summed in single precision, these sums in
// double: the rounding does not grow with the rows, and four lanes go where the double product has two. Blocks as in product_f64.h.
#include <stdbool.h>

#include "gram_f32.h"
#include "kernels.h"
#include "simd.h"

enum { ROWS = NL_GRAM_F32_ROWS, COLUMNS = NL_GRAM_F32_COLUMNS, BLOCK_ROWS = NL_GRAM_F32_BLOCK, BLOCK_COLUMNS = 512 };
_Static_assert(COLUMNS == 2 * ROWS, "the rows of a tile are half a panel");

static size_t smaller(size_t x, size_t y) { return x < y ? x : y; }

// sum (ROWS, COLUMNS) = the products of two panels' lanes, one l after the other: ROWS lanes of a and COLUMNS of b; b is 16-byte aligned
typedef void tile_f32(size_t depth, const float *restrict a, const float *restrict b, float *restrict sum);

static void tile_scalar(size_t depth, const float *restrict a, const float *restrict b, float *restrict out) {
  float sum[ROWS][COLUMNS] = {{0}};
  for (size_t l = 0; l < depth; l++, a += COLUMNS, b += COLUMNS)
    for (size_t i = 0; i < ROWS; i++)
      for (size_t j = 0; j < COLUMNS; j++) sum[i][j] += a[i] * b[j];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < COLUMNS; j++) out[i * COLUMNS + j] = sum[i][j];
}

#if NL_HAVE_SIMD128
static void tile_simd128(size_t depth, const float *restrict a, const float *restrict b, float *restrict out) {
  enum { LANES = 4, VECTORS = COLUMNS / LANES };
  v128_t sum[ROWS][VECTORS];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < VECTORS; j++) sum[i][j] = wasm_f32x4_splat(0);
  for (size_t l = 0; l < depth; l++, a += COLUMNS, b += COLUMNS)
    for (size_t i = 0; i < ROWS; i++)
      for (size_t j = 0; j < VECTORS; j++)
        sum[i][j] =
            wasm_f32x4_add(sum[i][j], wasm_f32x4_mul(wasm_v128_load32_splat(a + i), wasm_v128_load(b + j * LANES)));
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < VECTORS; j++) wasm_v128_store(out + i * COLUMNS + j * LANES, sum[i][j]);
}
#endif

// packed (ceil(lanes / COLUMNS), depth, COLUMNS): panel by panel, the last filled up with zeros
static void pack(size_t lanes, size_t depth, const float *a, size_t a_row, float *restrict packed) {
  for (size_t first = 0; first < lanes; first += COLUMNS) {
    const size_t filled = smaller(COLUMNS, lanes - first);
    for (size_t l = 0; l < depth; l++, packed += COLUMNS)
      for (size_t lane = 0; lane < COLUMNS; lane++) packed[lane] = lane < filled ? a[l * a_row + first + lane] : 0.0f;
  }
}

typedef struct target {
  size_t n, depth;
  double *g;
  size_t g_row;
  tile_f32 *tile;
} target;

// One tile of G, what lies on and above the diagonal of it and within G
static void add_tile(const target *on, const float *a, const float *b, size_t i0, size_t j0) {
  _Alignas(16) float sum[ROWS * COLUMNS];
  on->tile(on->depth, a, b, sum);
  if (i0 + ROWS <= j0 + 1 && j0 + COLUMNS <= on->n) {
    double *g = on->g + i0 * on->g_row + j0;
    for (size_t i = 0; i < ROWS; i++)
      for (size_t j = 0; j < COLUMNS; j++) g[i * on->g_row + j] += (double)sum[i * COLUMNS + j];
    return;
  }
  const size_t rows = smaller(ROWS, on->n - i0), columns = smaller(COLUMNS, on->n - j0);
  for (size_t i = 0; i < rows; i++)
    for (size_t j = i0 + i > j0 ? i0 + i - j0 : 0; j < columns; j++)
      on->g[(i0 + i) * on->g_row + j0 + j] += (double)sum[i * COLUMNS + j];
}

// Rows i0.. of G against columns j0.., whose lanes are packed
static void add_block(const target *on, size_t i0, size_t rows, const float *packed_a, size_t j0, size_t columns,
                      const float *packed_b) {
  for (size_t j = 0; j < columns; j += COLUMNS)
    for (size_t i = 0; i < rows && i0 + i < j0 + j + COLUMNS; i += ROWS) {
      const float *a = packed_a + i / COLUMNS * COLUMNS * on->depth + i % COLUMNS;
      add_tile(on, a, packed_b + j * on->depth, i0 + i, j0 + j);
    }
}

static void add_gram(tile_f32 *tile, size_t rows, size_t n, const float *a, size_t a_row, double *g, size_t g_row,
                     float *work) {
  float *packed_b = work + BLOCK_ROWS * NL_GRAM_F32_DEPTH;
  for (size_t l0 = 0; l0 < rows; l0 += NL_GRAM_F32_DEPTH) {
    const target on = {n, smaller(NL_GRAM_F32_DEPTH, rows - l0), g, g_row, tile};
    for (size_t j0 = 0; j0 < n; j0 += BLOCK_COLUMNS) {
      const size_t columns = smaller(BLOCK_COLUMNS, n - j0), last_row = j0 + columns;
      pack(columns, on.depth, a + l0 * a_row + j0, a_row, packed_b);
      for (size_t i0 = 0; i0 < last_row; i0 += BLOCK_ROWS) {
        const size_t count = smaller(BLOCK_ROWS, last_row - i0);
        pack(count, on.depth, a + l0 * a_row + i0, a_row, work);
        add_block(&on, i0, count, work, j0, columns, packed_b);
      }
    }
  }
}

size_t nl_gram_f32_work(void) { return (size_t)(BLOCK_ROWS + BLOCK_COLUMNS) * NL_GRAM_F32_DEPTH; }

void nl_gram_f32__scalar(size_t rows, size_t n, const float *a, size_t a_row, double *g, size_t g_row, float *work) {
  add_gram(tile_scalar, rows, n, a, a_row, g, g_row, work);
}

#if NL_HAVE_SIMD128
void nl_gram_f32__simd128(size_t rows, size_t n, const float *a, size_t a_row, double *g, size_t g_row, float *work) {
  add_gram(tile_simd128, rows, n, a, a_row, g, g_row, work);
}
#endif

void nl_gram_f32(size_t rows, size_t n, const float *a, size_t a_row, double *g, size_t g_row, float *work) {
  NL_KERNEL(nl_gram_f32)(rows, n, a, a_row, g, g_row, work);
}
