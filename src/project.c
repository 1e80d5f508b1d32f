#include "project.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "linear.h"

// A unit whose variance given the others is below this share of its own is an exact combination of them, up to the
// rounding of single-precision weights (some 1e-7 a weight, so 1e-13 and more in the variance of a sum of several).
static const double exact = 1e-12;
// Ridge of the elimination, relative to the mean variance: far below any deviation worth a tolerance (its root, 1e-6).
static const double ridge_share = 1e-12;
// The inverse is computed anew once its largest entry has fallen by this factor: what was subtracted took its digits.
static const double refresh_factor = 1e-4;

enum { WORK_PER_STEP = 20000000 }; // multiplications: some 20 ms

struct nl_elimination {
  nl_arena arena;
  size_t n, m;
  double *second;  // (n, n)
  double *weights; // (n, m) as given
  double scale;
  size_t gone;       // units removed
  size_t *order;     // (n)
  double *deviation; // (n)
  double error;      // cumulative
  size_t left;       // units still in H
  size_t *unit;      // (left) which unit each row of H is
  double *inverse;   // (left, n) rows n apart
  double *current;   // (left, m) compensated weights
  double *column;    // (n)
  double largest;    // diagonal entry of H when it was last computed
  bool ready;
};

static nl_status take_all(nl_elimination *e, nl_error *error) {
  const size_t n = e->n, m = e->m;
  NL_TAKE(&e->arena, e->second, double, n *n, error);
  NL_TAKE(&e->arena, e->weights, double, n *m + 1, error);
  NL_TAKE(&e->arena, e->order, size_t, n, error);
  NL_TAKE(&e->arena, e->deviation, double, n, error);
  NL_TAKE(&e->arena, e->unit, size_t, n, error);
  NL_TAKE(&e->arena, e->inverse, double, n *n + n, error);
  NL_TAKE(&e->arena, e->current, double, n *m + 1, error);
  NL_TAKE(&e->arena, e->column, double, n, error);
  return NL_OK;
}

nl_status nl_elimination_create(nl_elimination **out, size_t n, const double *second, size_t m, const double *weights,
                                double scale, nl_error *error) {
  nl_elimination *e = calloc(1, sizeof *e);
  if (e == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *e, 0);
  e->n = n;
  e->m = m;
  e->scale = scale > 0 ? scale : 1.0;
  const nl_status status = take_all(e, error);
  if (status != NL_OK) {
    nl_elimination_free(e);
    return status;
  }
  memcpy(e->second, second, n * n * sizeof *second);
  memcpy(e->weights, weights, n * m * sizeof *weights);
  *out = e;
  return NL_OK;
}

void nl_elimination_free(nl_elimination *e) {
  if (e == NULL) return;
  nl_arena_free(&e->arena);
  free(e);
}

static double mean_variance(const nl_elimination *e) {
  double trace = 0;
  for (size_t i = 0; i < e->left; i++) trace += e->second[e->unit[i] * e->n + e->unit[i]];
  return e->left > 0 ? trace / (double)e->left : 0.0;
}

// Factor of C_SS + λI over the units left, raising λ until it is positive definite.
static bool factor_left(nl_elimination *e, double *factor) {
  const size_t k = e->left, n = e->n;
  double ridge = ridge_share * mean_variance(e);
  for (int attempt = 0; attempt < 8; attempt++, ridge *= 10) {
    for (size_t i = 0; i < k; i++)
      for (size_t j = 0; j < k; j++) factor[i * k + j] = e->second[e->unit[i] * n + e->unit[j]];
    if (nl_cholesky(k, factor, ridge)) return true;
  }
  return false;
}

// W_S + (C_SS + λI)⁻¹ C_SR W_R: what the units left carry for those gone.
static void compensate(nl_elimination *e, const double *factor) {
  const size_t k = e->left, n = e->n, m = e->m;
  memset(e->current, 0, k * m * sizeof *e->current);
  for (size_t i = 0; i < k; i++)
    for (size_t r = 0; r < e->gone; r++)
      nl_axpy_f64(m, e->second[e->unit[i] * n + e->order[r]], e->weights + e->order[r] * m, e->current + i * m);
  nl_cholesky_solve(k, factor, m, e->current);
  for (size_t i = 0; i < k; i++) nl_axpy_f64(m, 1.0, e->weights + e->unit[i] * m, e->current + i * m);
}

static nl_status refresh(nl_elimination *e, nl_error *error) {
  const size_t k = e->left, n = e->n;
  double *factor = malloc((2 * k * k + 1) * sizeof *factor);
  if (factor == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, 2 * k * k * sizeof *factor, 0);
  double *inverse = factor + k * k;
  const bool fine = factor_left(e, factor);
  if (fine) {
    compensate(e, factor);
    memset(inverse, 0, k * k * sizeof *inverse);
    for (size_t i = 0; i < k; i++) inverse[i * k + i] = 1.0;
    nl_cholesky_solve(k, factor, k, inverse);
    e->largest = 0;
    for (size_t i = 0; i < k; i++) {
      memcpy(e->inverse + i * n, inverse + i * k, k * sizeof *inverse);
      e->largest = fmax(e->largest, inverse[i * k + i]);
    }
  }
  free(factor);
  return fine ? NL_OK : nl_fail(error, NL_ERROR_NOT_FINITE, "activations", NULL);
}

// First come the units that are exact combinations of the others: they cost nothing.
static nl_status start(nl_elimination *e, nl_error *error) {
  const size_t n = e->n;
  double *work = malloc((n * n + n) * sizeof *work);
  if (work == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, (n * n + n) * sizeof *work, 0);
  e->left = nl_independent_units(n, e->second, exact, e->unit, work);
  free(work);
  if (e->left == 0) e->left = 1;
  for (size_t i = e->left; i < n; i++) e->order[e->gone++] = e->unit[i];
  e->ready = true;
  return e->left > 1 ? refresh(e, error) : NL_OK;
}

static size_t cheapest(const nl_elimination *e, double *cost) {
  size_t best = 0;
  *cost = INFINITY;
  for (size_t i = 0; i < e->left; i++) {
    const double *w = e->current + i * e->m;
    const double c = nl_dot_f64(e->m, w, w) / e->inverse[i * e->n + i];
    if (c < *cost) {
      *cost = c;
      best = i;
    }
  }
  return best;
}

// Row and column `i` move to the end.
static void move_last(nl_elimination *e, size_t i) {
  const size_t last = e->left - 1, n = e->n, m = e->m;
  if (i == last) return;
  for (size_t c = 0; c < e->left; c++) {
    const double kept = e->inverse[i * n + c];
    e->inverse[i * n + c] = e->inverse[last * n + c];
    e->inverse[last * n + c] = kept;
  }
  for (size_t r = 0; r < e->left; r++) {
    const double kept = e->inverse[r * n + i];
    e->inverse[r * n + i] = e->inverse[r * n + last];
    e->inverse[r * n + last] = kept;
  }
  for (size_t c = 0; c < m; c++) {
    const double kept = e->current[i * m + c];
    e->current[i * m + c] = e->current[last * m + c];
    e->current[last * m + c] = kept;
  }
  const size_t kept = e->unit[i];
  e->unit[i] = e->unit[last];
  e->unit[last] = kept;
}

static nl_status remove_cheapest(nl_elimination *e, nl_error *error) {
  double cost = 0, largest = 0;
  move_last(e, cheapest(e, &cost));
  const size_t last = e->left - 1, n = e->n, m = e->m;
  const double *row = e->inverse + last * n;
  for (size_t i = 0; i < last; i++) {
    const double share = -row[i] / row[last];
    nl_axpy_f64(m, share, e->current + last * m, e->current + i * m);
    nl_axpy_f64(last, share, row, e->inverse + i * n);
    largest = fmax(largest, e->inverse[i * n + i]);
  }
  e->error += fmax(cost, 0.0);
  e->order[e->gone] = e->unit[last];
  e->deviation[e->gone++] = sqrt(e->error / e->scale);
  e->left = last;
  return e->left > 1 && largest < refresh_factor * e->largest ? refresh(e, error) : NL_OK;
}

nl_status nl_elimination_step(nl_elimination *e, double *progress, nl_error *error) {
  size_t work = 0;
  if (!e->ready) {
    NL_TRY(start(e, error));
    work = e->n * e->n * e->n;
  }
  while (e->left > 1 && work < WORK_PER_STEP) {
    work += e->left * (e->left + e->m);
    NL_TRY(remove_cheapest(e, error));
  }
  const double share = (double)e->left / (double)e->n;
  *progress = 1.0 - share * share * share;
  if (e->left > 1) return NL_MORE;
  e->order[e->n - 1] = e->unit[0];
  e->deviation[e->n - 1] = INFINITY;
  *progress = 1.0;
  return NL_OK;
}

const size_t *nl_elimination_order(const nl_elimination *e) { return e->order; }
const double *nl_elimination_deviation(const nl_elimination *e) { return e->deviation; }

nl_status nl_project(size_t n, const double *second, const double *mean, bool affine, size_t k, const size_t *kept,
                     double *prolongation, double *offset, nl_error *error) {
  double *factor = malloc((k * k + k * n + 1) * sizeof *factor);
  if (factor == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, (k * k + k * n) * sizeof *factor, 0);
  double *solution = factor + k * k; // (k, n)
  double trace = 0;
  for (size_t i = 0; i < k; i++) trace += second[kept[i] * n + kept[i]];
  double ridge = ridge_share * trace / (double)k + 1e-300;
  bool fine = false;
  for (int attempt = 0; attempt < 12 && !fine; attempt++, ridge *= 10) {
    for (size_t i = 0; i < k; i++)
      for (size_t j = 0; j < k; j++) factor[i * k + j] = second[kept[i] * n + kept[j]];
    fine = nl_cholesky(k, factor, ridge);
  }
  if (!fine) {
    free(factor);
    return nl_fail(error, NL_ERROR_NOT_FINITE, "activations", NULL);
  }
  for (size_t i = 0; i < k; i++) memcpy(solution + i * n, second + kept[i] * n, n * sizeof *second);
  nl_cholesky_solve(k, factor, n, solution);
  for (size_t u = 0; u < n; u++) {
    offset[u] = affine ? mean[u] : 0.0;
    for (size_t i = 0; i < k; i++) prolongation[u * k + i] = solution[i * n + u];
  }
  for (size_t i = 0; i < k; i++) // a kept unit stands for itself, to the last bit
    for (size_t j = 0; j < k; j++) prolongation[kept[i] * k + j] = i == j ? 1.0 : 0.0;
  for (size_t u = 0; affine && u < n; u++)
    for (size_t i = 0; i < k; i++) offset[u] -= prolongation[u * k + i] * mean[kept[i]];
  for (size_t i = 0; i < k; i++) offset[kept[i]] = 0.0;
  free(factor);
  return NL_OK;
}
