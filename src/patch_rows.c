#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "linear.h"
#include "patch_parts.h"

struct nl_patch_rows {
  nl_patch_problem problem;
  bool affine;
  size_t room, fitted, held;
  double *u, *r;  // (room, features), (room, outputs): those fitted on from the front, those held back from the end
  double *center; // (features) mean of all
  double *gram;   // (room, room) of U Uᵀ
  double *factor; // (positions fitted on, as many)
  double *mean;   // (room) of a row of gram over the positions fitted on
  double *alpha;  // (room, outputs): Δ = Uᵀ α
  double *left;   // (room, outputs)
  double *step;   // (outputs)
  bool ready;
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
  NL_TAKE(arena, kept->center, double, in, error);
  NL_TAKE(arena, kept->gram, double, room *room, error);
  NL_TAKE(arena, kept->factor, double, room *room, error);
  NL_TAKE(arena, kept->mean, double, room, error);
  NL_TAKE(arena, kept->alpha, double, room *outputs, error);
  NL_TAKE(arena, kept->left, double, room *outputs, error);
  NL_TAKE(arena, kept->step, double, outputs, error);
  *out = kept;
  return NL_OK;
}

void nl_patch_rows_add(nl_patch_rows *kept, size_t set, size_t rows, const double *u, const double *r) {
  const size_t in = kept->problem.features, out = kept->problem.outputs;
  for (size_t i = 0; i < rows && kept->fitted + kept->held < kept->room; i++) {
    const size_t at = set == NL_PATCH_FIT ? kept->fitted++ : kept->room - ++kept->held;
    memcpy(kept->u + at * in, u + i * in, in * sizeof *u);
    memcpy(kept->r + at * out, r + i * out, out * sizeof *r);
  }
}

// The positions held back come right behind the others, all less their mean; then U Uᵀ.
static void prepare(nl_patch_rows *kept, double *work) {
  const size_t in = kept->problem.features, out = kept->problem.outputs, all = kept->fitted + kept->held;
  const size_t gap = kept->room - all;
  memmove(kept->u + kept->fitted * in, kept->u + (kept->fitted + gap) * in, kept->held * in * sizeof(double));
  memmove(kept->r + kept->fitted * out, kept->r + (kept->fitted + gap) * out, kept->held * out * sizeof(double));
  for (size_t i = 0; i < all && kept->affine; i++) nl_axpy_f64(in, 1.0 / (double)all, kept->u + i * in, kept->center);
  for (size_t i = 0; i < all; i++) nl_axpy_f64(in, -1.0, kept->center, kept->u + i * in);
  nl_matmul_f64(all, all, in, kept->u, in, 1, kept->u, 1, in, kept->gram, kept->room, work);
  kept->ready = true;
}

// Means over the first `count` positions: of the rows of U Uᵀ (returns the mean of those), and step = E r. Zeros without a step.
static double find_means(nl_patch_rows *kept, size_t count) {
  const size_t out = kept->problem.outputs, all = kept->fitted + kept->held;
  const double share = kept->affine ? 1.0 / (double)count : 0.0;
  double total = 0;
  memset(kept->step, 0, out * sizeof *kept->step);
  for (size_t i = 0; i < all; i++) {
    double sum = 0;
    for (size_t j = 0; j < count; j++) sum += kept->gram[i * kept->room + j];
    kept->mean[i] = share * sum;
    if (i >= count) continue;
    total += share * kept->mean[i];
    nl_axpy_f64(out, share, kept->r + i * out, kept->step);
  }
  return total;
}

// (Ũ Ũᵀ + nλI) α = R - step over the first `count` positions, Ũ being U less their mean: an entry of Ũ Ũᵀ is one of U Uᵀ less
// its row's and its column's mean plus the mean of all. λ: `ridge` times the trace of ŨᵀŨ / n over its size.
static bool solve(nl_patch_rows *kept, double ridge, size_t count) {
  const size_t out = kept->problem.outputs;
  const double total = find_means(kept, count);
  double trace = 0;
  for (size_t i = 0; i < count; i++) {
    double *row = kept->factor + i * count;
    for (size_t j = 0; j <= i; j++) row[j] = kept->gram[i * kept->room + j] - kept->mean[i] - kept->mean[j] + total;
    trace += row[i];
    for (size_t o = 0; o < out; o++) kept->alpha[i * out + o] = kept->r[i * out + o] - kept->step[o];
  }
  if (!(trace > 0) || !nl_cholesky(count, kept->factor, ridge * trace / (double)kept->problem.features)) return false;
  nl_cholesky_solve(count, kept->factor, out, kept->alpha);
  return true;
}

// At a position held back the fit adds step + Ũ_held Ũᵀ α, and the sum of α is 0: of the means only the columns' counts.
static double left_of_held(nl_patch_rows *kept, double *work) {
  const size_t out = kept->problem.outputs, fitted = kept->fitted, held = kept->held;
  for (size_t i = 0; i < fitted; i++) nl_axpy_f64(out, -kept->mean[i], kept->alpha + i * out, kept->step);
  for (size_t i = 0; i < held; i++)
    for (size_t o = 0; o < out; o++) kept->left[i * out + o] = kept->step[o] - kept->r[(fitted + i) * out + o];
  nl_matmul_f64(held, out, fitted, kept->gram + fitted * kept->room, kept->room, 1, kept->alpha, out, 1, kept->left,
                out, work);
  return nl_dot_f64(held * out, kept->left, kept->left);
}

double nl_patch_rows_try(nl_patch_rows *kept, double ridge, double *work) {
  if (!kept->ready) prepare(kept, work);
  return solve(kept, ridge, kept->fitted) ? left_of_held(kept, work) : INFINITY;
}

// W += αᵀ U, b += step - αᵀ U center: with all positions the mean of U is 0.
void nl_patch_rows_finish(nl_patch_rows *kept, double ridge, double *weights, double *bias, double *work) {
  const size_t in = kept->problem.features, out = kept->problem.outputs, all = kept->fitted + kept->held;
  if (!kept->ready) prepare(kept, work);
  if (!solve(kept, ridge, all)) return;
  nl_matmul_f64(out, in, all, kept->alpha, 1, out, kept->u, in, 1, weights, in, work);
  if (!kept->affine) return;
  for (size_t i = 0; i < all; i++)
    nl_axpy_f64(out, -nl_dot_f64(in, kept->u + i * in, kept->center), kept->alpha + i * out, kept->step);
  nl_axpy_f64(out, 1.0, kept->step, bias);
}
