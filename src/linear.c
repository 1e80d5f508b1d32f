#include "linear.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

bool nl_cholesky(size_t n, double *a, double ridge) {
  for (size_t i = 0; i < n; i++) {
    double *row = a + i * n;
    for (size_t j = 0; j < i; j++) row[j] = (row[j] - nl_dot_f64(j, row, a + j * n)) / a[j * n + j];
    const double pivot = row[i] + ridge - nl_dot_f64(i, row, row);
    if (!(pivot > 0) || !isfinite(pivot)) return false;
    row[i] = sqrt(pivot);
  }
  return true;
}

static void divide(size_t m, double by, double *row) {
  for (size_t c = 0; c < m; c++) row[c] /= by;
}

enum { BLOCK = 64 }; // columns

size_t nl_cholesky_blocks_work(size_t n) { return n * BLOCK; }

// L Lᵀ = A + ridge I in columns first ... end - 1 from the diagonal down, what the columns before account for being off already.
static bool factor_columns(size_t n, size_t first, size_t end, double *a, double ridge) {
  for (size_t i = first; i < n; i++) {
    double *row = a + i * n;
    for (size_t j = first; j < (i < end ? i : end); j++)
      row[j] = (row[j] - nl_dot_f64(j - first, row + first, a + j * n + first)) / a[j * n + j];
    if (i >= end) continue;
    const double pivot = row[i] + ridge - nl_dot_f64(i - first, row + first, row + first);
    if (!(pivot > 0) || !isfinite(pivot)) return false;
    row[i] = sqrt(pivot);
  }
  return true;
}

bool nl_cholesky_blocks(size_t n, double *a, double ridge, double *work) {
  double *known = work + nl_matmul_f64_work(); // (n - first, width) of L Lᵀ from the columns before
  for (size_t first = 0; first < n; first += BLOCK) {
    const size_t end = first + BLOCK < n ? first + BLOCK : n, width = end - first;
    memset(known, 0, (n - first) * width * sizeof *known);
    nl_matmul_f64(n - first, width, first, a + first * n, n, 1, a + first * n, 1, n, known, width, work);
    for (size_t i = first; i < n; i++)
      for (size_t j = first; j < end && j <= i; j++) a[i * n + j] -= known[(i - first) * width + j - first];
    if (!factor_columns(n, first, end, a, ridge)) return false;
  }
  return true;
}

void nl_cholesky_solve(size_t n, const double *l, size_t m, double *b) {
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < i; j++) nl_axpy_f64(m, -l[i * n + j], b + j * m, b + i * m);
    divide(m, l[i * n + i], b + i * m);
  }
  for (size_t i = n; i-- > 0;) {
    divide(m, l[i * n + i], b + i * m);
    for (size_t j = 0; j < i; j++) nl_axpy_f64(m, -l[i * n + j], b + i * m, b + j * m);
  }
}

static void swap(size_t *a, size_t *b) {
  const size_t kept = *a;
  *a = *b;
  *b = kept;
}

// Row k of `factor` (columns by unit) from the rows before it; `rest` is each unit's variance given them.
static void pivot_row(size_t n, size_t k, size_t unit, const double *second, double *factor, double *rest) {
  double *row = factor + k * n;
  const double root = sqrt(rest[unit]);
  memcpy(row, second + unit * n, n * sizeof *row);
  for (size_t j = 0; j < k; j++) nl_axpy_f64(n, -factor[j * n + unit], factor + j * n, row);
  for (size_t i = 0; i < n; i++) {
    row[i] /= root;
    rest[i] -= row[i] * row[i];
  }
}

size_t nl_independent_units(size_t n, const double *second, double tolerance, size_t *order, double *work) {
  double *factor = work, *rest = work + n * n;
  double trace = 0;
  for (size_t i = 0; i < n; i++) {
    order[i] = i;
    rest[i] = second[i * n + i];
    trace += rest[i];
  }
  for (size_t k = 0; k < n; k++) {
    size_t best = n;
    for (size_t c = k; c < n; c++) {
      const double own = second[order[c] * n + order[c]];
      const bool alive = rest[order[c]] > tolerance * own && own > 1e-20 * trace / (double)n;
      if (alive && (best == n || rest[order[c]] > rest[order[best]])) best = c;
    }
    if (best == n) return k;
    swap(&order[k], &order[best]);
    pivot_row(n, k, order[k], second, factor, rest);
  }
  return n;
}
