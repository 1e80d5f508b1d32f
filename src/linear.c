#include "linear.h"

#include <math.h>

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
