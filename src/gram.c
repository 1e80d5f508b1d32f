#include "gram.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

static nl_status create(nl_moments *out, size_t n, size_t block_rows, bool single, nl_error *error) {
  nl_moments moments = {.n = n, .block_rows = block_rows};
  if (n > (size_t)1 << 16) return nl_fail_count(error, NL_ERROR_LIMIT, "neurons in one layer", (uint64_t)1 << 16, n);
  moments.center = calloc(n + 1, sizeof(double));
  moments.sum = calloc(n + 1, sizeof(double));
  moments.gram = calloc(n * n + 1, sizeof(double));
  moments.block = malloc((n * block_rows + 1) * sizeof(double));
  if (single) moments.single = malloc((n * block_rows + 1) * sizeof(float));
  if (moments.center == NULL || moments.sum == NULL || moments.gram == NULL || moments.block == NULL ||
      (single && moments.single == NULL)) {
    nl_moments_free(&moments);
    return nl_fail_count(error, NL_ERROR_MEMORY, NULL, (n * n + n * block_rows) * sizeof(double), 0);
  }
  *out = moments;
  return NL_OK;
}

nl_status nl_moments_create(nl_moments *out, size_t n, size_t block_rows, nl_error *error) {
  return create(out, n, block_rows, false, error);
}

nl_status nl_moments_create_f32(nl_moments *out, size_t n, size_t block_rows, nl_error *error) {
  return create(out, n, block_rows, true, error);
}

void nl_moments_free(nl_moments *moments) {
  free(moments->center);
  free(moments->sum);
  free(moments->gram);
  free(moments->block);
  free(moments->single);
  *moments = (nl_moments){0};
}

static void set_center(nl_moments *moments, size_t rows, const double *a) {
  const size_t n = moments->n;
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < n; i++) moments->center[i] += a[r * n + i];
  for (size_t i = 0; i < n; i++) moments->center[i] /= (double)rows;
}

void nl_moments_add(nl_moments *moments, size_t rows, const double *a, double *work) {
  const size_t n = moments->n;
  if (moments->rows == 0) set_center(moments, rows, a);
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < n; i++) {
      const double shifted = a[r * n + i] - moments->center[i];
      moments->block[r * n + i] = shifted;
      moments->sum[i] += shifted;
    }
  if (moments->single != NULL) {
    for (size_t i = 0; i < rows * n; i++) moments->single[i] = (float)moments->block[i];
    nl_gram_f32(rows, n, moments->single, n, moments->gram, n, (void *)work);
  } else
    nl_gram_f64(rows, n, moments->block, n, moments->gram, n, work);
  moments->rows += rows;
}

void nl_moments_reset(nl_moments *moments, size_t n) {
  moments->n = n;
  moments->rows = 0;
  memset(moments->center, 0, n * sizeof *moments->center);
  memset(moments->sum, 0, n * sizeof *moments->sum);
  memset(moments->gram, 0, n * n * sizeof *moments->gram);
}

// With d how far the part's centre c' is from c, and s its sums: Σ (a - c)(a - c)ᵀ = Σ (a - c')(a - c')ᵀ + d sᵀ + s dᵀ + r d dᵀ.
void nl_moments_merge(nl_moments *into, const nl_moments *part) {
  const size_t n = into->n;
  const double rows = (double)part->rows;
  double *away = part->block; // d; the rows there are done with
  if (into->rows == 0) memcpy(into->center, part->center, n * sizeof *into->center);
  for (size_t i = 0; i < n; i++) away[i] = part->center[i] - into->center[i];
  for (size_t i = 0; i < n; i++) {
    double *row = into->gram + i * n + i;
    nl_axpy_f64(n - i, 1.0, part->gram + i * n + i, row);
    nl_axpy_f64(n - i, away[i], part->sum + i, row);
    nl_axpy_f64(n - i, part->sum[i] + rows * away[i], away + i, row);
    into->sum[i] += part->sum[i] + rows * away[i];
  }
  into->rows += part->rows;
}

void nl_moments_finish(const nl_moments *moments, bool centred, double *mean, double *second) {
  const size_t n = moments->n;
  const double rows = moments->rows > 0 ? (double)moments->rows : 1.0;
  for (size_t i = 0; i < n; i++) mean[i] = moments->sum[i] / rows;
  for (size_t i = 0; i < n; i++)
    for (size_t j = i; j < n; j++) {
      double value = moments->gram[i * n + j] / rows - mean[i] * mean[j];
      if (!centred) value += (mean[i] + moments->center[i]) * (mean[j] + moments->center[j]);
      second[i * n + j] = second[j * n + i] = value;
    }
  for (size_t i = 0; i < n; i++) mean[i] += moments->center[i];
}
