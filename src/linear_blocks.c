#include "linear_blocks.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

static size_t smaller(size_t x, size_t y) { return x < y ? x : y; }

// ---- the factor -----------------------------------------------------------------------------------------------------------

// L Lᵀ = A + ridge I in columns first ... end - 1 from the diagonal down, what the columns before account for being off already.
static bool factor_columns(size_t n, size_t first, size_t end, double *a, size_t a_row, double ridge) {
  for (size_t i = first; i < n; i++) {
    double *row = a + i * a_row;
    for (size_t j = first; j < smaller(i, end); j++)
      row[j] = (row[j] - nl_dot_f64(j - first, row + first, a + j * a_row + first)) / a[j * a_row + j];
    if (i >= end) continue;
    const double pivot = row[i] + ridge - nl_dot_f64(i - first, row + first, row + first);
    if (!(pivot > 0) || !isfinite(pivot)) return false;
    row[i] = sqrt(pivot);
  }
  return true;
}

bool nl_factor_block(size_t n, size_t first, double *a, size_t a_row, double ridge, double *room, double *work) {
  const size_t end = smaller(first + NL_BLOCK, n), width = end - first;
  memset(room, 0, (n - first) * width * sizeof *room); // of L Lᵀ from the columns before
  nl_matmul_f64(n - first, width, first, a + first * a_row, a_row, 1, a + first * a_row, 1, a_row, room, width, work);
  for (size_t i = first; i < n; i++)
    for (size_t j = first; j < end && j <= i; j++) a[i * a_row + j] -= room[(i - first) * width + j - first];
  return factor_columns(n, first, end, a, a_row, ridge);
}

// ---- triangular systems ---------------------------------------------------------------------------------------------------

static void divide(size_t m, double by, double *row) {
  for (size_t c = 0; c < m; c++) row[c] /= by;
}

// rows of b = L⁻¹ (b - known) for the block of L on the diagonal
static void substitute(size_t rows, const double *l, size_t l_row, size_t columns, const double *known, double *b,
                       size_t b_row) {
  for (size_t i = 0; i < rows; i++) {
    double *row = b + i * b_row;
    nl_axpy_f64(columns, -1.0, known + i * columns, row);
    for (size_t j = 0; j < i; j++) nl_axpy_f64(columns, -l[i * l_row + j], b + j * b_row, row);
    divide(columns, l[i * l_row + i], row);
  }
}

void nl_forward_block(size_t n, size_t from, size_t first, const double *l, size_t l_row, size_t columns, double *b,
                      size_t b_row, double *room, double *work) {
  const size_t rows = smaller(NL_BLOCK, n - first);
  memset(room, 0, rows * columns * sizeof *room);
  nl_matmul_f64(rows, columns, first - from, l + first * l_row + from, l_row, 1, b + from * b_row, b_row, 1, room,
                columns, work);
  substitute(rows, l + first * (l_row + 1), l_row, columns, room, b + first * b_row, b_row);
}

void nl_backward_block(size_t n, size_t first, const double *l, size_t l_row, size_t columns, double *b, size_t b_row,
                       double *room, double *work) {
  const size_t end = smaller(first + NL_BLOCK, n);
  memset(room, 0, (end - first) * columns * sizeof *room);
  nl_matmul_f64(end - first, columns, n - end, l + end * l_row + first, 1, l_row, b + end * b_row, b_row, 1, room,
                columns, work);
  for (size_t i = end; i-- > first;) {
    double *row = b + i * b_row;
    nl_axpy_f64(columns, -1.0, room + (i - first) * columns, row);
    for (size_t j = i + 1; j < end; j++) nl_axpy_f64(columns, -l[j * l_row + i], b + j * b_row, row);
    divide(columns, l[i * l_row + i], row);
  }
}

void nl_invert_block(size_t n, size_t from, size_t first, double *l, size_t l_row, double *room, double *work) {
  const size_t rows = smaller(NL_BLOCK, n - first), columns = smaller(NL_STRIPE, n - from);
  double *b = l + first * l_row + from, *known = room + NL_BLOCK * NL_BLOCK; // room: the block of L on the diagonal
  for (size_t i = 0; i < rows; i++) memcpy(room + i * NL_BLOCK, l + (first + i) * l_row + first, rows * sizeof *room);
  memset(known, 0, rows * columns * sizeof *known);
  nl_matmul_f64(rows, columns, first - from, b, l_row, 1, l + from * (l_row + 1), l_row, 1, known, columns, work);
  for (size_t i = 0; i < rows; i++) {
    memset(b + i * l_row, 0, columns * sizeof *b);
    if (first + i < from + columns) b[i * l_row + first + i - from] = 1.0;
  }
  substitute(rows, room, NL_BLOCK, columns, known, b, l_row);
}

// ---- the whole ------------------------------------------------------------------------------------------------------------

size_t nl_cholesky_blocks_work(size_t n) { return (n > NL_STRIPE ? n : NL_STRIPE) * NL_BLOCK; }

bool nl_cholesky_blocks(size_t n, double *a, double ridge, double *work) {
  for (size_t first = 0; first < n; first += NL_BLOCK)
    if (!nl_factor_block(n, first, a, n, ridge, work + nl_matmul_f64_work(), work)) return false;
  return true;
}

void nl_cholesky_solve_blocks(size_t n, const double *l, size_t m, double *b, double *work) {
  double *room = work + nl_matmul_f64_work();
  const size_t blocks = (n + NL_BLOCK - 1) / NL_BLOCK;
  for (size_t c = 0; c < m; c += NL_STRIPE) {
    const size_t columns = smaller(NL_STRIPE, m - c);
    for (size_t k = 0; k < blocks; k++) nl_forward_block(n, 0, k * NL_BLOCK, l, n, columns, b + c, m, room, work);
    for (size_t k = blocks; k-- > 0;) nl_backward_block(n, k * NL_BLOCK, l, n, columns, b + c, m, room, work);
  }
}
