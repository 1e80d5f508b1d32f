#include <math.h>

#include "kernels/kernels.h"
#include "linear_blocks.h"
#include "patch_parts.h"

// Ridges tried, relative to the mean variance of a feature: decades from 10^LEAST on, from the middle downhill.
enum { LEAST = -6, FIRST = 4 };
// What a fit must leave less than the start by, over the number of positions judged: chance alone makes the least of several look
// good. 12 noisy rows of 50 features, 40 draws: 0 loses 6 % on fresh rows, 3 loses 1 %, 4 nothing, but gains less from 60 rows.
static const double doubt = 3;

nl_status nl_patch_fit_create(nl_patch_fit *out, const nl_patch_problem *problem, size_t room, nl_arena *arena,
                              nl_error *error) {
  nl_patch_fit fit = {.problem = *problem};
  NL_TAKE(arena, fit.shift, double, problem->outputs, error);
  NL_TAKE(arena, fit.z, double, problem->outputs, error);
  NL_TAKE(arena, fit.zz, double, problem->outputs, error);
  for (size_t i = 0; i < NL_PATCH_RIDGES; i++) fit.left[i] = -1;
  if (room > 0)
    NL_TRY(nl_patch_rows_create(&fit.rows, problem, room, arena, error));
  else
    NL_TRY(nl_patch_sums_create(&fit.sums, problem, arena, error));
  *out = fit;
  return NL_OK;
}

// ---- positions ----------------------------------------------------------------------------------------------------------

static void add_variance(nl_patch_fit *fit, size_t rows, const double *z) {
  const size_t out = fit->problem.outputs;
  for (size_t r = 0; r < rows; r++)
    for (size_t o = 0; o < out; o++) {
      const double shifted = z[r * out + o] - fit->shift[o];
      fit->z[o] += shifted;
      fit->zz[o] += shifted * shifted;
    }
}

// z becomes r = z - W_0 u - b_0.
static void leave_residuals(const nl_patch_problem *problem, size_t rows, const double *u, double *z, double *work) {
  const size_t in = problem->features, out = problem->outputs;
  for (size_t r = 0; r < rows; r++)
    for (size_t o = 0; o < out; o++) z[r * out + o] = (problem->bias != NULL ? problem->bias[o] : 0.0) - z[r * out + o];
  nl_matmul_f64(rows, out, in, u, in, 1, problem->weights, 1, in, z, out, work);
  for (size_t i = 0; i < rows * out; i++) z[i] = -z[i];
}

void nl_patch_fit_add(nl_patch_fit *fit, size_t fold, size_t rows, double *u, double *z, double *work) {
  const size_t out = fit->problem.outputs;
  const bool judged = fold < fit->problem.folds;
  if (fit->count == 0)
    for (size_t o = 0; o < out; o++) fit->shift[o] = z[o];
  if (judged) add_variance(fit, rows, z);
  leave_residuals(&fit->problem, rows, u, z, work);
  if (judged) fit->before += nl_dot_f64(rows * out, z, z);
  fit->judged += judged ? rows : 0;
  fit->count += rows;
  if (fit->rows != NULL)
    nl_patch_rows_add(fit->rows, fold, rows, u, z);
  else
    nl_patch_sums_add(fit->sums, fold, rows, u, z, work);
}

void nl_patch_fit_ready(nl_patch_fit *fit, double *work) {
  fit->after = fit->before;
  for (size_t o = 0; o < fit->problem.outputs && fit->judged > 0; o++)
    fit->variance += fit->zz[o] - fit->z[o] * fit->z[o] / (double)fit->judged;
  if (fit->rows != NULL)
    nl_patch_rows_ready(fit->rows, work);
  else
    nl_patch_sums_ready(fit->sums);
}

// ---- which ridge --------------------------------------------------------------------------------------------------------

static double ridge_at(double index) { return pow(10, LEAST + index); }

static double try_ridge(const nl_patch_fit *fit, double ridge, double *work) {
  return fit->rows != NULL ? nl_patch_rows_try(fit->rows, ridge, work) : nl_patch_sums_try(fit->sums, ridge, work);
}

static size_t best_tried(const nl_patch_fit *fit) {
  size_t best = FIRST;
  for (size_t i = 0; i < NL_PATCH_RIDGES; i++)
    if (fit->left[i] >= 0 && fit->left[i] < fit->left[best]) best = i;
  return best;
}

// A neighbour of the best that was not tried yet: NL_NONE at a minimum.
static size_t next_to_try(const nl_patch_fit *fit) {
  const size_t best = best_tried(fit);
  if (fit->left[best] < 0) return best;
  if (best > 0 && fit->left[best - 1] < 0) return best - 1;
  return best + 1 < NL_PATCH_RIDGES && fit->left[best + 1] < 0 ? best + 1 : NL_NONE;
}

// The lowest point of the parabola through the best and its neighbours, over the ridge's logarithm.
static double lowest_ridge(const nl_patch_fit *fit) {
  const size_t best = best_tried(fit);
  if (best == 0 || best + 1 == NL_PATCH_RIDGES) return ridge_at((double)best);
  const double below = fit->left[best - 1], above = fit->left[best + 1], bend = below + above - 2 * fit->left[best];
  return ridge_at((double)best + (bend > 0 && isfinite(bend) ? (below - above) / (2 * bend) : 0));
}

static void finish(nl_patch_fit *fit, double ridge, double left, double *weights, double *bias, double *work) {
  if (!(left * (1 + doubt / (double)fit->judged) < fit->before)) return;
  fit->after = left;
  if (fit->rows != NULL)
    nl_patch_rows_finish(fit->rows, ridge, weights, bias, work);
  else
    nl_patch_sums_finish(fit->sums, ridge, weights, bias, work);
}

bool nl_patch_fit_step(nl_patch_fit *fit, double ridge, double *weights, double *bias, double *work) {
  if (fit->judged == 0) return true; // nothing to judge by
  const size_t next = ridge > 0 ? NL_NONE : next_to_try(fit);
  if (next != NL_NONE) {
    const double left = try_ridge(fit, ridge_at((double)next), work);
    fit->left[next] = left >= 0 ? left : INFINITY; // rounding and NaN
    return false;
  }
  if (ridge > 0)
    finish(fit, ridge, try_ridge(fit, ridge, work), weights, bias, work);
  else
    finish(fit, lowest_ridge(fit), fit->left[best_tried(fit)], weights, bias, work);
  return true;
}

double nl_patch_fit_cost(const nl_patch_fit *fit) {
  const double folds = (double)fit->problem.folds, n = (double)(fit->rows != NULL ? fit->count : fit->problem.features);
  return folds * n * n * (n / 6 + 2 * (double)fit->problem.outputs);
}

size_t nl_patch_fit_work(size_t features, size_t room) {
  return nl_matmul_f64_work() + nl_cholesky_blocks_work(room > 0 ? room : features);
}
