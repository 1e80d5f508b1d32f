#include "product_f64.h"

#include "kernels.h"
#include "simd.h"

static size_t smaller(size_t x, size_t y) { return x < y ? x : y; }

size_t nl_matmul_f64_work(void) { return (size_t)(NL_BLOCK_ROWS + NL_BLOCK_COLUMNS) * NL_BLOCK_DEPTH; }

void nl_tile_f64__scalar(size_t depth, const double *restrict a, const double *restrict b, double *restrict c,
                         size_t c_row) {
  double sum[NL_TILE][NL_TILE];
  for (size_t i = 0; i < NL_TILE; i++)
    for (size_t j = 0; j < NL_TILE; j++) sum[i][j] = c[i * c_row + j];
  for (size_t l = 0; l < depth; l++, a += NL_TILE, b += NL_TILE)
    for (size_t i = 0; i < NL_TILE; i++)
      for (size_t j = 0; j < NL_TILE; j++) sum[i][j] += a[i] * b[j];
  for (size_t i = 0; i < NL_TILE; i++)
    for (size_t j = 0; j < NL_TILE; j++) c[i * c_row + j] = sum[i][j];
}

#if NL_HAVE_SIMD128
void nl_tile_f64__simd128(size_t depth, const double *restrict a, const double *restrict b, double *restrict c,
                          size_t c_row) {
  enum { LANES = 2, VECTORS = NL_TILE / LANES };
  v128_t sum[NL_TILE][VECTORS];
  for (size_t i = 0; i < NL_TILE; i++)
    for (size_t j = 0; j < VECTORS; j++) sum[i][j] = wasm_v128_load(c + i * c_row + j * LANES);
  for (size_t l = 0; l < depth; l++, a += NL_TILE, b += NL_TILE)
    for (size_t i = 0; i < NL_TILE; i++)
      for (size_t j = 0; j < VECTORS; j++)
        sum[i][j] =
            wasm_f64x2_add(sum[i][j], wasm_f64x2_mul(wasm_v128_load64_splat(a + i), wasm_v128_load(b + j * LANES)));
  for (size_t i = 0; i < NL_TILE; i++)
    for (size_t j = 0; j < VECTORS; j++) wasm_v128_store(c + i * c_row + j * LANES, sum[i][j]);
}
#endif

// packed (ceil(lanes / NL_TILE), depth, NL_TILE): panel by panel, the lanes of one l side by side, the last panel filled up
// with zeros. Rows of A and columns of B are lanes alike.
static void pack(size_t lanes, size_t depth, const double *source, size_t lane_stride, size_t depth_stride,
                 double *restrict packed) {
  for (size_t first = 0; first < lanes; first += NL_TILE) {
    const size_t filled = smaller(NL_TILE, lanes - first);
    const double *from = source + first * lane_stride;
    for (size_t l = 0; l < depth; l++, packed += NL_TILE)
      for (size_t lane = 0; lane < NL_TILE; lane++)
        packed[lane] = lane < filled ? from[lane * lane_stride + l * depth_stride] : 0.0;
  }
}

// A tile cut by the border or the diagonal: summed in a full tile beside, of which row i from column first[i] on returns to C.
// The other entries may have become NaN (0 times infinity) and go nowhere.
static void cut_tile(const nl_product_f64 *product, nl_tile_f64 *tile, size_t depth, const double *a, const double *b,
                     size_t i0, size_t j0) {
  const size_t rows = smaller(NL_TILE, product->m - i0), columns = smaller(NL_TILE, product->n - j0);
  double *c = product->c + i0 * product->c_row + j0;
  double full[NL_TILE * NL_TILE] = {0};
  size_t first[NL_TILE];
  for (size_t i = 0; i < rows; i++) {
    first[i] = product->upper && i0 + i > j0 ? i0 + i - j0 : 0;
    for (size_t j = first[i]; j < columns; j++) full[i * NL_TILE + j] = c[i * product->c_row + j];
  }
  tile(depth, a, b, full, NL_TILE);
  for (size_t i = 0; i < rows; i++)
    for (size_t j = first[i]; j < columns; j++) c[i * product->c_row + j] = full[i * NL_TILE + j];
}

// The block of C with rows i0.. and columns j0.. from a packed block of A and of B
static void add_block(const nl_product_f64 *product, nl_tile_f64 *tile, size_t i0, size_t rows, size_t j0,
                      size_t columns, size_t depth, const double *packed_a, const double *packed_b) {
  for (size_t j = j0; j < j0 + columns; j += NL_TILE) {
    const double *b = packed_b + (j - j0) * depth;
    for (size_t i = i0; i < i0 + rows; i += NL_TILE) {
      const double *a = packed_a + (i - i0) * depth;
      if (product->upper && i >= j + NL_TILE) break;
      const bool whole = i + NL_TILE <= product->m && j + NL_TILE <= product->n;
      if (whole && !(product->upper && i + NL_TILE > j + 1))
        tile(depth, a, b, product->c + i * product->c_row + j, product->c_row);
      else
        cut_tile(product, tile, depth, a, b, i, j);
    }
  }
}

void nl_product_f64_add(const nl_product_f64 *product, nl_tile_f64 *tile, double *work) {
  double *packed_a = work, *packed_b = work + NL_BLOCK_ROWS * NL_BLOCK_DEPTH;
  for (size_t j0 = 0; j0 < product->n; j0 += NL_BLOCK_COLUMNS) {
    const size_t columns = smaller(NL_BLOCK_COLUMNS, product->n - j0);
    const size_t last_row = product->upper ? smaller(product->m, j0 + columns) : product->m;
    for (size_t l0 = 0; l0 < product->k; l0 += NL_BLOCK_DEPTH) {
      const size_t depth = smaller(NL_BLOCK_DEPTH, product->k - l0);
      pack(columns, depth, product->b + l0 * product->b_row + j0 * product->b_col, product->b_col, product->b_row,
           packed_b);
      for (size_t i0 = 0; i0 < last_row; i0 += NL_BLOCK_ROWS) {
        const size_t rows = smaller(NL_BLOCK_ROWS, last_row - i0);
        pack(rows, depth, product->a + i0 * product->a_row + l0 * product->a_col, product->a_row, product->a_col,
             packed_a);
        add_block(product, tile, i0, rows, j0, columns, depth, packed_a, packed_b);
      }
    }
  }
}
