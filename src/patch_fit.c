#include <math.h>

#include "kernels/kernels.h"
#include "linear.h"
#include "patch_parts.h"

// Ridges tried, relative to the mean variance of a feature, a factor of 10^½ apart; the search begins in the middle.
static const double ridges[] = {1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1, 3, 10};
enum { RIDGES = sizeof ridges / sizeof *ridges, FIRST_RIDGE = 6 };

// ---- sums ---------------------------------------------------------------------------------------------------------------

nl_status nl_patch_fit_create(nl_patch_fit *out, size_t features, size_t outputs, const double *weights,
                              const double *bias, nl_arena *arena, nl_error *error) {
  nl_patch_fit fit = {.features = features, .outputs = outputs, .affine = bias != NULL};
  fit.weights = weights;
  fit.bias = bias;
  NL_TAKE(arena, fit.center, double, features, error);
  NL_TAKE(arena, fit.shift, double, outputs, error);
  NL_TAKE(arena, fit.step, double, outputs, error);
  NL_TAKE(arena, fit.moved, double, outputs, error);
  NL_TAKE(arena, fit.delta, double, features *outputs, error);
  NL_TAKE(arena, fit.work, double, features *outputs, error);
  for (size_t s = 0; s < 2; s++) {
    nl_patch_sums *sums = &fit.sums[s];
    NL_TAKE(arena, sums->u, double, features, error);
    NL_TAKE(arena, sums->r, double, outputs, error);
    NL_TAKE(arena, sums->rr, double, outputs, error);
    NL_TAKE(arena, sums->z, double, outputs, error);
    NL_TAKE(arena, sums->zz, double, outputs, error);
    NL_TAKE(arena, sums->gram, double, features *features, error);
    NL_TAKE(arena, sums->cross, double, features *outputs, error);
  }
  *out = fit;
  return NL_OK;
}

// The first block's mean where there is a bias to take it up; nothing where there is none.
static void set_center(nl_patch_fit *fit, size_t rows, const double *u, const double *z) {
  for (size_t r = 0; r < rows && fit->affine; r++)
    nl_axpy_f64(fit->features, 1.0 / (double)rows, u + r * fit->features, fit->center);
  for (size_t o = 0; o < fit->outputs; o++) fit->shift[o] = z[o];
  fit->centred = true;
}

// z becomes r = z - W_0 u - b_0.
static void leave_residuals(const nl_patch_fit *fit, size_t rows, const double *u, double *z, double *work) {
  const size_t in = fit->features, out = fit->outputs;
  for (size_t r = 0; r < rows; r++)
    for (size_t o = 0; o < out; o++) z[r * out + o] = (fit->bias != NULL ? fit->bias[o] : 0.0) - z[r * out + o];
  nl_matmul_f64(rows, out, in, u, in, 1, fit->weights, 1, in, z, out, work);
  for (size_t i = 0; i < rows * out; i++) z[i] = -z[i];
}

void nl_patch_fit_add(nl_patch_fit *fit, size_t set, size_t rows, double *u, double *z, double *work) {
  const size_t in = fit->features, out = fit->outputs;
  nl_patch_sums *sums = &fit->sums[set];
  if (!fit->centred) set_center(fit, rows, u, z);
  for (size_t r = 0; r < rows; r++)
    for (size_t o = 0; o < out; o++) {
      const double shifted = z[r * out + o] - fit->shift[o];
      sums->z[o] += shifted;
      sums->zz[o] += shifted * shifted;
    }
  leave_residuals(fit, rows, u, z, work);
  for (size_t r = 0; r < rows; r++) {
    nl_axpy_f64(in, -1.0, fit->center, u + r * in);
    nl_axpy_f64(in, 1.0, u + r * in, sums->u);
    nl_axpy_f64(out, 1.0, z + r * out, sums->r);
    for (size_t o = 0; o < out; o++) sums->rr[o] += z[r * out + o] * z[r * out + o];
  }
  nl_gram_f64(rows, in, u, in, sums->gram, in, work);
  nl_matmul_f64(in, out, rows, u, 1, in, z, out, 1, sums->cross, out, work);
  sums->rows += rows;
}

static void merge(double *to, const double *from, size_t count) { nl_axpy_f64(count, 1.0, from, to); }

static void merge_sums(nl_patch_fit *fit) {
  nl_patch_sums *to = &fit->sums[NL_PATCH_FIT], *from = &fit->sums[NL_PATCH_HELD];
  const size_t in = fit->features, out = fit->outputs;
  to->rows += from->rows;
  merge(to->u, from->u, in);
  merge(to->r, from->r, out);
  merge(to->rr, from->rr, out);
  merge(to->z, from->z, out);
  merge(to->zz, from->zz, out);
  merge(to->gram, from->gram, in * in);
  merge(to->cross, from->cross, in * out);
}

// ---- one solution -------------------------------------------------------------------------------------------------------

// (C + λI) Δ = cross;  step = E r - Δᵀ E u. The factor goes below the Gram matrix' diagonal; its own is kept in `diagonal`.
// False without a positive definite C + λI.
static bool solve(nl_patch_fit *fit, double ridge) {
  nl_patch_sums *sums = &fit->sums[NL_PATCH_FIT];
  const size_t in = fit->features, out = fit->outputs;
  const double rows = (double)sums->rows, share = fit->affine ? 1 / rows : 0.0;
  double trace = 0, *gram = sums->gram, *diagonal = fit->work;
  for (size_t i = 0; i < in; i++) {
    diagonal[i] = gram[i * in + i];
    for (size_t j = i; j < in; j++) gram[j * in + i] = (gram[i * in + j] - share * sums->u[i] * sums->u[j]) / rows;
    trace += gram[i * in + i];
    for (size_t o = 0; o < out; o++)
      fit->delta[i * out + o] = (sums->cross[i * out + o] - share * sums->u[i] * sums->r[o]) / rows;
  }
  const bool found = trace > 0 && nl_cholesky(in, gram, ridge * trace / (double)in);
  if (found) nl_cholesky_solve(in, gram, out, fit->delta);
  for (size_t i = 0; i < in; i++) gram[i * in + i] = diagonal[i];
  for (size_t o = 0; o < out; o++) fit->step[o] = fit->affine ? sums->r[o] / rows : 0.0;
  for (size_t i = 0; i < in && fit->affine && found; i++)
    nl_axpy_f64(out, -sums->u[i] / rows, fit->delta + i * out, fit->step);
  return found;
}

// Σ ‖ r - Δᵀ u - step ‖² over the positions held back, divided by their number.
static double held_error(nl_patch_fit *fit, double *work) {
  const nl_patch_sums *held = &fit->sums[NL_PATCH_HELD];
  const size_t in = fit->features, out = fit->outputs;
  double sum = 0;
  for (size_t i = 0; i < in * out; i++) fit->work[i] = -2 * held->cross[i];
  nl_matmul_f64(in, out, in, held->gram, in, 1, fit->delta, out, 1, fit->work, out, work);
  for (size_t o = 0; o < out; o++) fit->moved[o] = 0;
  for (size_t i = 0; i < in; i++) nl_axpy_f64(out, held->u[i], fit->delta + i * out, fit->moved);
  for (size_t i = 0; i < in * out; i++) sum += fit->delta[i] * fit->work[i];
  for (size_t o = 0; o < out; o++) {
    const double step = fit->step[o];
    sum += held->rr[o] + step * ((double)held->rows * step - 2 * held->r[o] + 2 * fit->moved[o]);
  }
  return sum / (double)held->rows;
}

// ---- which ridge --------------------------------------------------------------------------------------------------------

static void mirror_held(nl_patch_fit *fit) {
  const size_t in = fit->features;
  double *gram = fit->sums[NL_PATCH_HELD].gram;
  for (size_t i = 0; i < in; i++)
    for (size_t j = 0; j < i; j++) gram[i * in + j] = gram[j * in + i];
}

static double try_ridge(nl_patch_fit *fit, double ridge, double *work) {
  return solve(fit, ridge) ? held_error(fit, work) : INFINITY;
}

// Downhill from the middle of the list, one way or the other; the error is convex enough in practice.
static double choose_ridge(nl_patch_fit *fit, double *error, double *work) {
  size_t best = FIRST_RIDGE;
  *error = try_ridge(fit, ridges[best], work);
  for (int way = -1; way <= 1; way += 2) {
    const size_t from = best;
    while (way < 0 ? best > 0 : best + 1 < RIDGES) {
      const size_t next = way < 0 ? best - 1 : best + 1;
      const double there = try_ridge(fit, ridges[next], work);
      if (!(there < *error)) break;
      *error = there;
      best = next;
    }
    if (best != from) break;
  }
  return ridges[best];
}

static void move(const nl_patch_fit *fit, double *weights, double *bias) {
  const size_t in = fit->features, out = fit->outputs;
  for (size_t o = 0; o < out; o++) {
    double moved = 0;
    for (size_t i = 0; i < in; i++) {
      weights[o * in + i] += fit->delta[i * out + o];
      moved += fit->delta[i * out + o] * fit->center[i];
    }
    if (fit->affine) bias[o] += fit->step[o] - moved;
  }
}

static void measure_start(nl_patch_fit *fit) {
  const nl_patch_sums *held = &fit->sums[NL_PATCH_HELD];
  const double rows = (double)held->rows;
  for (size_t o = 0; o < fit->outputs; o++) {
    fit->before += held->rr[o] / rows;
    fit->variance += (held->zz[o] - held->z[o] * held->z[o] / rows) / rows;
  }
}

void nl_patch_fit_solve(nl_patch_fit *fit, double ridge, double *weights, double *bias, double *work) {
  if (fit->sums[NL_PATCH_FIT].rows == 0 || fit->sums[NL_PATCH_HELD].rows == 0) return; // nothing to judge by
  measure_start(fit);
  mirror_held(fit);
  double error = 0;
  if (ridge > 0)
    error = try_ridge(fit, ridge, work);
  else
    ridge = choose_ridge(fit, &error, work);
  fit->after = fit->before;
  if (!(error < fit->before)) return;
  merge_sums(fit);
  if (!solve(fit, ridge)) return;
  fit->after = error;
  move(fit, weights, bias);
}
