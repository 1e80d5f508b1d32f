#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "linear_blocks.h"
#include "patch_parts.h"

struct nl_patch_rows {
  nl_patch_problem problem;
  bool affine;
  size_t room, count;
  double *u, *r;  // (room, features), (room, outputs)
  size_t *fold;   // (room)
  double *center; // (features) mean of all u
  double *gram;   // (room, room) of (U - center)(U - center)ᵀ
  size_t *order;  // (room) the positions, those fitted on first
  double *factor; // (positions fitted on, as many)
  double *mean;   // (room) of a row of gram over the positions fitted on
  double *alpha;  // (positions fitted on, outputs): Δ = Uᵀ α
  double *left;   // (outputs)
  double *step;   // (outputs)
};

nl_status nl_patch_rows_create(nl_patch_rows **out, const nl_patch_problem *problem, size_t room, nl_arena *arena,
                               nl_error *error) {
  const size_t in = problem->features, outputs = problem->outputs;
  nl_patch_rows *kept = NULL;
  NL_TAKE(arena, kept, nl_patch_rows, 1, error);
  kept->problem = *problem;
  kept->affine = problem->bias != NULL;
  kept->room = room;
  NL_TAKE(arena, kept->u, double, room *in, error);
  NL_TAKE(arena, kept->r, double, room *outputs, error);
  NL_TAKE(arena, kept->fold, size_t, room, error);
  NL_TAKE(arena, kept->center, double, in, error);
  NL_TAKE(arena, kept->gram, double, room *room, error);
  NL_TAKE(arena, kept->order, size_t, room, error);
  NL_TAKE(arena, kept->factor, double, room *room, error);
  NL_TAKE(arena, kept->mean, double, room, error);
  NL_TAKE(arena, kept->alpha, double, room *outputs, error);
  NL_TAKE(arena, kept->left, double, outputs, error);
  NL_TAKE(arena, kept->step, double, outputs, error);
  *out = kept;
  return NL_OK;
}

void nl_patch_rows_add(nl_patch_rows *kept, size_t fold, size_t rows, const double *u, const double *r) {
  const size_t in = kept->problem.features, out = kept->problem.outputs;
  for (size_t i = 0; i < rows && kept->count < kept->room; i++, kept->count++) {
    memcpy(kept->u + kept->count * in, u + i * in, in * sizeof *u);
    memcpy(kept->r + kept->count * out, r + i * out, out * sizeof *r);
    kept->fold[kept->count] = fold;
  }
}

void nl_patch_rows_ready(nl_patch_rows *kept, double *work) {
  const size_t in = kept->problem.features, n = kept->count;
  for (size_t i = 0; i < n && kept->affine; i++) nl_axpy_f64(in, 1.0 / (double)n, kept->u + i * in, kept->center);
  for (size_t i = 0; i < n; i++) nl_axpy_f64(in, -1.0, kept->center, kept->u + i * in);
  nl_matmul_f64(n, n, in, kept->u, in, 1, kept->u, 1, in, kept->gram, kept->room, work);
}

// The positions not in a fold go first; their number. NL_NONE: all.
static size_t set_order(nl_patch_rows *kept, size_t fold) {
  size_t fitted = 0, at = 0;
  for (size_t i = 0; i < kept->count; i++) fitted += kept->fold[i] != fold;
  size_t held = fitted;
  for (size_t i = 0; i < kept->count; i++) kept->order[kept->fold[i] != fold ? at++ : held++] = i;
  return fitted;
}

// Means over the positions fitted on: of the rows of the Gram matrix (returns the mean of those), and step = E r. Zeros without a
// step.
static double find_means(nl_patch_rows *kept, size_t fitted) {
  const size_t out = kept->problem.outputs;
  const double share = kept->affine ? 1.0 / (double)fitted : 0.0;
  double total = 0;
  memset(kept->step, 0, out * sizeof *kept->step);
  memset(kept->mean, 0, kept->count * sizeof *kept->mean);
  for (size_t i = 0; i < fitted; i++) {
    nl_axpy_f64(out, share, kept->r + kept->order[i] * out, kept->step);
    nl_axpy_f64(kept->count, share, kept->gram + kept->order[i] * kept->room, kept->mean); // symmetric
  }
  for (size_t i = 0; i < fitted; i++) total += share * kept->mean[kept->order[i]];
  return total;
}

// (Ũ Ũᵀ + nλI) α = R - step over the positions fitted on, Ũ being U less their mean: an entry of Ũ Ũᵀ is one of the Gram matrix less
// its row's and its column's mean plus the mean of all. nλ: `ridge` times the trace of ŨᵀŨ over its size.
static bool solve(nl_patch_rows *kept, double ridge, size_t fitted, double *work) {
  const size_t out = kept->problem.outputs;
  const double total = find_means(kept, fitted);
  double trace = 0;
  for (size_t i = 0; i < fitted; i++) {
    const size_t at = kept->order[i];
    double *row = kept->factor + i * fitted;
    for (size_t j = 0; j <= i; j++)
      row[j] = kept->gram[at * kept->room + kept->order[j]] - kept->mean[at] - kept->mean[kept->order[j]] + total;
    trace += row[i];
    for (size_t o = 0; o < out; o++) kept->alpha[i * out + o] = kept->r[at * out + o] - kept->step[o];
  }
  if (!(trace > 0) || !nl_cholesky_blocks(fitted, kept->factor, ridge * trace / (double)kept->problem.features, work))
    return false;
  nl_cholesky_solve_blocks(fitted, kept->factor, out, kept->alpha, work);
  return true;
}

// At a position held back the fit adds step + Ũ_held Ũᵀ α. The sum of α is 0: of the means only the columns' count.
static double left_of_held(nl_patch_rows *kept, size_t fitted) {
  const size_t out = kept->problem.outputs;
  double sum = 0;
  for (size_t i = 0; i < fitted; i++) nl_axpy_f64(out, -kept->mean[kept->order[i]], kept->alpha + i * out, kept->step);
  for (size_t h = fitted; h < kept->count; h++) {
    const double *row = kept->gram + kept->order[h] * kept->room;
    for (size_t o = 0; o < out; o++) kept->left[o] = kept->step[o] - kept->r[kept->order[h] * out + o];
    for (size_t i = 0; i < fitted; i++) nl_axpy_f64(out, row[kept->order[i]], kept->alpha + i * out, kept->left);
    sum += nl_dot_f64(out, kept->left, kept->left);
  }
  return sum;
}

double nl_patch_rows_try(nl_patch_rows *kept, double ridge, double *work) {
  double left = 0;
  for (size_t f = 0; f < kept->problem.folds; f++) {
    const size_t fitted = set_order(kept, f);
    left += solve(kept, ridge, fitted, work) ? left_of_held(kept, fitted) : INFINITY;
  }
  return left;
}

// W += αᵀ U, b += step - αᵀ U center: the mean of all U is 0.
void nl_patch_rows_finish(nl_patch_rows *kept, double ridge, double *weights, double *bias, double *work) {
  const size_t in = kept->problem.features, out = kept->problem.outputs, n = set_order(kept, NL_NONE);
  if (!solve(kept, ridge, n, work)) return;
  nl_matmul_f64(out, in, n, kept->alpha, 1, out, kept->u, in, 1, weights, in, work);
  for (size_t i = 0; i < n && kept->affine; i++)
    nl_axpy_f64(out, -nl_dot_f64(in, kept->u + i * in, kept->center), kept->alpha + i * out, kept->step);
  if (kept->affine) nl_axpy_f64(out, 1.0, kept->step, bias);
}
