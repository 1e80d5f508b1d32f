#include <math.h>

#include "kernels/kernels.h"
#include "linear_blocks.h"
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
  bool begun;
  sums all; // until the first try: only of the positions that no fold has
  sums folds[NL_PATCH_FOLDS];
  double *diagonal;     // (features) of all.gram, whose lower triangle is a factor
  double *delta, *left; // (features, outputs) Δ; work
  double *step;         // (outputs)
};

static nl_status take_sums(sums *out, const nl_patch_problem *problem, nl_arena *arena, nl_error *error) {
  const size_t in = problem->features;
  NL_TAKE(arena, out->u, double, in, error);
  NL_TAKE(arena, out->r, double, problem->outputs, error);
  NL_TAKE(arena, out->gram, double, in *in, error);
  NL_TAKE(arena, out->cross, double, in * problem->outputs, error);
  return NL_OK;
}

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
  NL_TRY(take_sums(&fit->all, problem, arena, error));
  for (size_t f = 0; f < problem->folds; f++) NL_TRY(take_sums(&fit->folds[f], problem, arena, error));
  *out = fit;
  return NL_OK;
}

void nl_patch_sums_add(nl_patch_sums *fit, size_t fold, size_t rows, double *u, double *r, double *work) {
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  sums *to = fold < fit->problem.folds ? &fit->folds[fold] : &fit->all;
  for (size_t i = 0; i < rows && !fit->begun && fit->affine; i++)
    nl_axpy_f64(in, 1.0 / (double)rows, u + i * in, fit->center);
  fit->begun = true;
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

// Adds the sums of a fold to `all`, or takes them out of it.
static void merge(nl_patch_sums *fit, size_t fold, int sign) {
  sums *to = &fit->all;
  const sums *from = &fit->folds[fold];
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  to->rows = sign > 0 ? to->rows + from->rows : to->rows - from->rows;
  nl_axpy_f64(in, sign, from->u, to->u);
  nl_axpy_f64(out, sign, from->r, to->r);
  nl_axpy_f64(in * in, sign, from->gram, to->gram);
  nl_axpy_f64(in * out, sign, from->cross, to->cross);
}

void nl_patch_sums_ready(nl_patch_sums *fit) {
  const size_t in = fit->problem.features;
  for (size_t f = 0; f < fit->problem.folds; f++) {
    double *gram = fit->folds[f].gram;
    merge(fit, f, 1);
    for (size_t i = 0; i < in; i++)
      for (size_t j = 0; j < i; j++) gram[i * in + j] = gram[j * in + i];
  }
}

// (C + λI) Δ = cross, step = E r - Δᵀ E u, with covariances where there is a step, else raw second moments. The factor goes below
// the Gram matrix' diagonal. False without a positive definite C + λI.
static bool solve(nl_patch_sums *fit, double ridge, double *work) {
  const sums *all = &fit->all;
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  const double rows = (double)all->rows, centred = fit->affine ? 1.0 / rows : 0.0;
  double trace = 0, *gram = all->gram;
  if (all->rows == 0) return false;
  for (size_t i = 0; i < in; i++) {
    fit->diagonal[i] = gram[i * in + i];
    for (size_t j = i; j < in; j++) gram[j * in + i] = (gram[i * in + j] - centred * all->u[i] * all->u[j]) / rows;
    trace += gram[i * in + i];
    for (size_t o = 0; o < out; o++)
      fit->delta[i * out + o] = (all->cross[i * out + o] - centred * all->u[i] * all->r[o]) / rows;
  }
  const bool found = trace > 0 && nl_cholesky_blocks(in, gram, ridge * trace / (double)in, work);
  if (found) nl_cholesky_solve_blocks(in, gram, out, fit->delta, work);
  for (size_t i = 0; i < in; i++) gram[i * in + i] = fit->diagonal[i];
  for (size_t o = 0; o < out; o++) fit->step[o] = centred * all->r[o];
  for (size_t i = 0; i < in && found; i++) nl_axpy_f64(out, -centred * all->u[i], fit->delta + i * out, fit->step);
  return found;
}

// Σ ‖ r - Δᵀ u - step ‖² = Σ ‖r‖² + tr Δᵀ (G Δ - 2 cross) + step · (n step - 2 Σ r + 2 Δᵀ Σ u)
static double left_of(nl_patch_sums *fit, const sums *fold, double *work) {
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  for (size_t i = 0; i < in * out; i++) fit->left[i] = -2 * fold->cross[i];
  nl_matmul_f64(in, out, in, fold->gram, in, 1, fit->delta, out, 1, fit->left, out, work);
  double sum = fold->rr + nl_dot_f64(in * out, fit->delta, fit->left);
  for (size_t o = 0; o < out; o++) sum += fit->step[o] * ((double)fold->rows * fit->step[o] - 2 * fold->r[o]);
  for (size_t i = 0; i < in; i++) sum += 2 * fold->u[i] * nl_dot_f64(out, fit->delta + i * out, fit->step);
  return sum;
}

double nl_patch_sums_try(nl_patch_sums *fit, double ridge, double *work) {
  double left = 0;
  for (size_t f = 0; f < fit->problem.folds; f++) {
    merge(fit, f, -1);
    left += solve(fit, ridge, work) ? left_of(fit, &fit->folds[f], work) : INFINITY;
    merge(fit, f, 1);
  }
  return left;
}

void nl_patch_sums_finish(nl_patch_sums *fit, double ridge, double *weights, double *bias, double *work) {
  const size_t in = fit->problem.features, out = fit->problem.outputs;
  if (!solve(fit, ridge, work)) return;
  for (size_t o = 0; o < out; o++) {
    double moved = 0;
    for (size_t i = 0; i < in; i++) {
      weights[o * in + i] += fit->delta[i * out + o];
      moved += fit->delta[i * out + o] * fit->center[i];
    }
    if (fit->affine) bias[o] += fit->step[o] - moved;
  }
}
