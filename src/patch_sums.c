#include <math.h>

#include "kernels/kernels.h"
#include "linear.h"
#include "patch_parts.h"

// Sums over one set of positions, u shifted by the center.
typedef struct sums {
  size_t rows;
  double rr;     // Σ ‖r‖²
  double *u, *r; // (features), (outputs)
  double *gram;  // (features, features), upper triangle
  double *cross; // (features, outputs)
} sums;

struct nl_patch_sums {
  nl_patch_problem problem;
  bool affine;
  double *center; // (features) mean of the first block
  sums sets[NL_PATCH_SETS];
  double *diagonal;     // (features) of the Gram matrix whose lower triangle is a factor
  double *delta, *left; // (features, outputs) Δ; work
  double *step;         // (outputs)
  bool mirrored;
};

nl_status nl_patch_sums_create(nl_patch_sums **out, const nl_patch_problem *problem, nl_arena *arena, nl_error *error) {
  const size_t in = problem->features, outputs = problem->outputs;
  nl_patch_sums *fit = NULL;
  NL_TAKE(arena, fit, nl_patch_sums, 1, error);
  fit->problem = *problem;
  fit->affine = problem->bias != NULL;
  NL_TAKE(arena, fit->center, double, in, error);
  NL_TAKE(arena, fit->diagonal, double, in, error);
  NL_TAKE(arena, fit->step, double, outputs, error);
  NL_TAKE(arena, fit->delta, double, in *outputs, error);
  NL_TAKE(arena, fit->left, double, in *outputs, error);
  for (size_t s = 0; s < NL_PATCH_SETS; s++) {
    NL_TAKE(arena, fit->sets[s].u, double, in, error);
    NL_TAKE(arena, fit->sets[s].r, double, outputs, error);
    NL_TAKE(arena, fit->sets[s].gram, double, in *in, error);
    NL_TAKE(arena, fit->sets[s].cross, double, in *outputs, error);
  }
  *out = fit;
  return NL_OK;
}

void nl_patch_sums_add(nl_patch_sums *fit, size_t set, size_t rows, double *u, double *r, double *work) {
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  sums *to = &fit->sets[set];
  const bool first = fit->sets[NL_PATCH_FIT].rows + fit->sets[NL_PATCH_HELD].rows == 0;
  for (size_t i = 0; i < rows && first && fit->affine; i++)
    nl_axpy_f64(in, 1.0 / (double)rows, u + i * in, fit->center);
  for (size_t i = 0; i < rows; i++) {
    nl_axpy_f64(in, -1.0, fit->center, u + i * in);
    nl_axpy_f64(in, 1.0, u + i * in, to->u);
    nl_axpy_f64(out, 1.0, r + i * out, to->r);
  }
  to->rr += nl_dot_f64(rows * out, r, r);
  nl_gram_f64(rows, in, u, in, to->gram, in, work);
  nl_matmul_f64(in, out, rows, u, 1, in, r, out, 1, to->cross, out, work);
  to->rows += rows;
}

// (C + λI) Δ = cross, step = E r - Δᵀ E u, with covariances where there is a step, else raw second moments. The factor goes below
// the Gram matrix' diagonal. False without a positive definite C + λI.
static bool solve(nl_patch_sums *fit, double ridge) {
  const sums *set = &fit->sets[NL_PATCH_FIT];
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  const double rows = (double)set->rows, centred = fit->affine ? 1.0 / rows : 0.0;
  double trace = 0, *gram = set->gram;
  for (size_t i = 0; i < in; i++) {
    fit->diagonal[i] = gram[i * in + i];
    for (size_t j = i; j < in; j++) gram[j * in + i] = (gram[i * in + j] - centred * set->u[i] * set->u[j]) / rows;
    trace += gram[i * in + i];
    for (size_t o = 0; o < out; o++)
      fit->delta[i * out + o] = (set->cross[i * out + o] - centred * set->u[i] * set->r[o]) / rows;
  }
  const bool found = trace > 0 && nl_cholesky(in, gram, ridge * trace / (double)in);
  if (found) nl_cholesky_solve(in, gram, out, fit->delta);
  for (size_t i = 0; i < in; i++) gram[i * in + i] = fit->diagonal[i];
  for (size_t o = 0; o < out; o++) fit->step[o] = centred * set->r[o];
  for (size_t i = 0; i < in && found; i++) nl_axpy_f64(out, -centred * set->u[i], fit->delta + i * out, fit->step);
  return found;
}

// Σ ‖ r - Δᵀ u - step ‖² = Σ ‖r‖² + tr Δᵀ (G Δ - 2 cross) + step · (n step - 2 Σ r + 2 Δᵀ Σ u)
static double left_of_held(nl_patch_sums *fit, double *work) {
  const sums *held = &fit->sets[NL_PATCH_HELD];
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  for (size_t i = 0; i < in && !fit->mirrored; i++)
    for (size_t j = 0; j < i; j++) held->gram[i * in + j] = held->gram[j * in + i];
  fit->mirrored = true;
  for (size_t i = 0; i < in * out; i++) fit->left[i] = -2 * held->cross[i];
  nl_matmul_f64(in, out, in, held->gram, in, 1, fit->delta, out, 1, fit->left, out, work);
  double sum = held->rr + nl_dot_f64(in * out, fit->delta, fit->left);
  for (size_t o = 0; o < out; o++) sum += fit->step[o] * ((double)held->rows * fit->step[o] - 2 * held->r[o]);
  for (size_t i = 0; i < in; i++) sum += 2 * held->u[i] * nl_dot_f64(out, fit->delta + i * out, fit->step);
  return sum;
}

double nl_patch_sums_try(nl_patch_sums *fit, double ridge, double *work) {
  return solve(fit, ridge) ? left_of_held(fit, work) : INFINITY;
}

static void merge(nl_patch_sums *fit) {
  sums *to = &fit->sets[NL_PATCH_FIT];
  const sums *from = &fit->sets[NL_PATCH_HELD];
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  to->rows += from->rows;
  nl_axpy_f64(in, 1.0, from->u, to->u);
  nl_axpy_f64(out, 1.0, from->r, to->r);
  nl_axpy_f64(in * in, 1.0, from->gram, to->gram);
  nl_axpy_f64(in * out, 1.0, from->cross, to->cross);
}

void nl_patch_sums_finish(nl_patch_sums *fit, double ridge, double *weights, double *bias, double *work) {
  (void)work;
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  merge(fit);
  if (!solve(fit, ridge)) return;
  for (size_t o = 0; o < out; o++) {
    double moved = 0;
    for (size_t i = 0; i < in; i++) {
      weights[o * in + i] += fit->delta[i * out + o];
      moved += fit->delta[i * out + o] * fit->center[i];
    }
    if (fit->affine) bias[o] += fit->step[o] - moved;
  }
}
