// product: the loops around a tile of C += A B, for every type and both twins (the loops of BLIS: Van Zee, van de Geijn, "BLIS: A
// Framework for Rapidly Instantiating BLAS Functionality", ACM TOMS 41(3), 2015). Included by one file a type, which has before it
//   real, product                            a type, and the struct of its operands
//   ROWS, COLUMNS                            of a tile of C
//   BLOCK_ROWS, BLOCK_DEPTH, BLOCK_COLUMNS   of what is packed at once
//   tile_scalar, tile_simd128                c (ROWS, COLUMNS), rows c_row apart, += a (depth, ROWS)ᵀ b (depth, COLUMNS), 16-byte aligned
// One panel of B (depth, COLUMNS) stays in the L1 cache, the block of A (rows, depth) in L2, that of B (depth, columns) in L2 or L3.
#include "simd.h"

static size_t smaller(size_t x, size_t y) { return x < y ? x : y; }

// packed (ceil(lanes / panel), depth, panel): panel by panel, the lanes of one l side by side, the last panel filled up
// with zeros. Rows of A and columns of B are lanes alike.
NL_INLINE void pack(size_t panel, size_t lanes, size_t depth, const real *source, size_t lane_stride,
                    size_t depth_stride, real *restrict packed) {
  for (size_t first = 0; first < lanes; first += panel) {
    const size_t filled = smaller(panel, lanes - first);
    const real *from = source + first * lane_stride;
    for (size_t l = 0; l < depth; l++, packed += panel)
      for (size_t lane = 0; lane < panel; lane++)
        packed[lane] = lane < filled ? from[lane * lane_stride + l * depth_stride] : (real)0;
  }
}

NL_INLINE void add_tile(nl_twin twin, size_t depth, const real *a, const real *b, double *c, size_t c_row) {
  if (twin == NL_SCALAR)
    tile_scalar(depth, a, b, c, c_row);
  else
    tile_simd128(depth, a, b, c, c_row);
}

// A tile cut by the border or the diagonal: summed in a full tile beside, of which row i from column first[i] on returns to C.
// The other entries may have become NaN (0 times infinity) and go nowhere.
NL_INLINE void cut_tile(nl_twin twin, const product *on, size_t depth, const real *a, const real *b, size_t i0,
                        size_t j0) {
  const size_t rows = smaller(ROWS, on->m - i0), columns = smaller(COLUMNS, on->n - j0);
  double *c = on->c + i0 * on->c_row + j0;
  double full[ROWS * COLUMNS] = {0};
  size_t first[ROWS];
  for (size_t i = 0; i < rows; i++) {
    first[i] = on->upper && i0 + i > j0 ? i0 + i - j0 : 0;
    for (size_t j = first[i]; j < columns; j++) full[i * COLUMNS + j] = c[i * on->c_row + j];
  }
  add_tile(twin, depth, a, b, full, COLUMNS);
  for (size_t i = 0; i < rows; i++)
    for (size_t j = first[i]; j < columns; j++) c[i * on->c_row + j] = full[i * COLUMNS + j];
}

// The block of C with rows i0.. and columns j0.. from a packed block of A and of B
NL_INLINE void add_block(nl_twin twin, const product *on, size_t i0, size_t rows, size_t j0, size_t columns,
                         size_t depth, const real *packed_a, const real *packed_b) {
  for (size_t j = j0; j < j0 + columns; j += COLUMNS) {
    const real *b = packed_b + (j - j0) * depth;
    for (size_t i = i0; i < i0 + rows; i += ROWS) {
      const real *a = packed_a + (i - i0) * depth;
      if (on->upper && i >= j + COLUMNS) break;
      const bool whole = i + ROWS <= on->m && j + COLUMNS <= on->n;
      if (whole && !(on->upper && i + ROWS > j + 1))
        add_tile(twin, depth, a, b, on->c + i * on->c_row + j, on->c_row);
      else
        cut_tile(twin, on, depth, a, b, i, j);
    }
  }
}

enum { WORK = (BLOCK_ROWS + BLOCK_COLUMNS) * BLOCK_DEPTH };

// work (WORK), 16-byte aligned
NL_INLINE void add_product(nl_twin twin, const product *on, real *work) {
  real *packed_a = work, *packed_b = work + BLOCK_ROWS * BLOCK_DEPTH;
  for (size_t j0 = 0; j0 < on->n; j0 += BLOCK_COLUMNS) {
    const size_t columns = smaller(BLOCK_COLUMNS, on->n - j0);
    const size_t last_row = on->upper ? smaller(on->m, j0 + columns) : on->m;
    for (size_t l0 = 0; l0 < on->k; l0 += BLOCK_DEPTH) {
      const size_t depth = smaller(BLOCK_DEPTH, on->k - l0);
      pack(COLUMNS, columns, depth, on->b + l0 * on->b_row + j0 * on->b_col, on->b_col, on->b_row, packed_b);
      for (size_t i0 = 0; i0 < last_row; i0 += BLOCK_ROWS) {
        const size_t rows = smaller(BLOCK_ROWS, last_row - i0);
        pack(ROWS, rows, depth, on->a + i0 * on->a_row + l0 * on->a_col, on->a_row, on->a_col, packed_a);
        add_block(twin, on, i0, rows, j0, columns, depth, packed_a, packed_b);
      }
    }
  }
}
