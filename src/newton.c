// The solver's side of newton: what it makes of the sums, and what it wants next.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "linear_blocks.h"
#include "newton_parts.h"

enum { TRIES = 3 }; // the whole step, a half, a quarter
// Ridges, relative to the mean of the diagonal: of the curvature, and of the two factors of its preconditioner.
static const double curvature_ridge = 1e-3, factor_ridge = 1e-3;
static const double exact = 1e-14; // squared error over squared output: rounding, nothing to fit

struct nl_newton {
  nl_newton_input input;
  nl_arena arena;
  size_t in, out, n;                            // n = in, and one for a bias
  double rows;                                  // with derivatives
  double *factor;                               // (n, n) of E u uᵀ
  double *power;                                // (out) E g²
  double *start;                                // (out, n) weights and bias at the start of the round
  double *move, *residual, *direction, *solved; // (out, n)
  double *turned;                               // (n, out)
  double *work;
  double curvature, slope;
  double best; // the squared error to fall below
  nl_newton_task task;
  size_t round, turn, tries;
};

// ---- life ---------------------------------------------------------------------------------------------------------------

static nl_status take_all(nl_newton *t, nl_error *error) {
  const size_t n = t->n, out = t->out;
  nl_arena *arena = &t->arena;
  NL_TAKE(arena, t->factor, double, n *n, error);
  NL_TAKE(arena, t->power, double, out, error);
  double **vectors[] = {&t->start, &t->move, &t->residual, &t->direction, &t->solved, &t->turned};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) NL_TAKE(arena, *vectors[i], double, n *out + 1, error);
  NL_TAKE(arena, t->work, double, nl_matmul_f64_work() + nl_cholesky_blocks_work(n), error);
  return NL_OK;
}

nl_status nl_newton_create(nl_newton **out, const nl_newton_input *input, nl_error *error) {
  nl_newton *t = calloc(1, sizeof *t);
  if (t == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *t, 0);
  const nl_layer *layer = &input->reduced->layers[input->step];
  t->input = *input;
  t->in = layer->in_width;
  t->out = layer->width;
  t->n = t->in + (layer->bias != NULL);
  const nl_status status = take_all(t, error);
  if (status != NL_OK)
    nl_newton_free(t);
  else
    *out = t;
  return status;
}

void nl_newton_free(nl_newton *t) {
  if (t == NULL) return;
  nl_arena_free(&t->arena);
  free(t);
}

// ---- conjugate gradients ------------------------------------------------------------------------------------------------

// The preconditioner's two factors. False where the derivatives say nothing.
static bool factorise(nl_newton *t, const double *gathered) {
  double trace = 0, power = 0;
  const double *sums = gathered + t->out;
  for (size_t o = 0; o < t->out; o++) t->power[o] = gathered[o] / t->rows;
  for (size_t o = 0; o < t->out; o++) power += t->power[o] / (double)t->out;
  for (size_t o = 0; o < t->out; o++) t->power[o] += factor_ridge * power;
  for (size_t i = 0; i < t->n; i++)
    for (size_t j = i; j < t->n; j++) t->factor[j * t->n + i] = t->factor[i * t->n + j] = sums[i * t->n + j] / t->rows;
  for (size_t i = 0; i < t->in; i++) trace += t->factor[i * t->n + i] / (double)t->in;
  t->curvature = curvature_ridge * power * trace;
  return power > 0 && isfinite(power) && nl_cholesky_blocks(t->n, t->factor, factor_ridge * trace, t->work);
}

static void precondition(nl_newton *t) {
  for (size_t o = 0; o < t->out; o++)
    for (size_t i = 0; i < t->n; i++) t->turned[i * t->out + o] = t->residual[o * t->n + i] / t->power[o];
  nl_cholesky_solve_blocks(t->n, t->factor, t->out, t->turned, t->work);
  for (size_t o = 0; o < t->out; o++)
    for (size_t i = 0; i < t->n; i++) t->solved[o * t->n + i] = t->turned[i * t->out + o];
}

// Takes the residual's place in the conjugate directions. False when nothing is left of it.
static bool next_direction(nl_newton *t) {
  const size_t count = t->out * t->n;
  precondition(t);
  const double slope = nl_dot_f64(count, t->residual, t->solved);
  if (!(slope > 0) || !isfinite(slope)) return false;
  const double share = t->turn > 0 ? slope / t->slope : 0.0;
  for (size_t i = 0; i < count; i++) t->direction[i] = t->solved[i] + share * t->direction[i];
  t->slope = slope;
  return true;
}

// The product over all rows is there.
static bool turn_on(nl_newton *t, double *product) {
  const size_t count = t->out * t->n;
  for (size_t i = 0; i < count; i++) product[i] /= t->rows;
  if (t->turn == 0) {
    memcpy(t->residual, product, count * sizeof *t->residual);
    memset(t->move, 0, count * sizeof *t->move);
  } else {
    nl_axpy_f64(count, t->curvature, t->direction, product);
    const double along = nl_dot_f64(count, t->direction, product);
    if (!(along > 0) || !isfinite(along)) return false;
    nl_axpy_f64(count, t->slope / along, t->direction, t->move);
    nl_axpy_f64(count, -t->slope / along, product, t->residual);
  }
  if (t->turn == NL_NEWTON_TURNS || !next_direction(t)) return false;
  t->turn++;
  return true;
}

// ---- the step taken -----------------------------------------------------------------------------------------------------

static void start_round(nl_newton *t) {
  const nl_layer *layer = &t->input.reduced->layers[t->input.step];
  for (size_t o = 0; o < t->out; o++) {
    memcpy(t->start + o * t->n, layer->weights + o * t->in, t->in * sizeof *t->start);
    if (layer->bias != NULL) t->start[o * t->n + t->in] = layer->bias[o];
  }
  t->turn = t->tries = 0;
}

static void place(nl_newton *t, double share) {
  const nl_layer *layer = &t->input.reduced->layers[t->input.step];
  for (size_t o = 0; o < t->out; o++) {
    const double *start = t->start + o * t->n, *move = t->move + o * t->n;
    for (size_t i = 0; i < t->in; i++) layer->weights[o * t->in + i] = start[i] + share * move[i];
    if (layer->bias != NULL)
      layer->bias[o] = start[t->in] + share * (move[t->in] - nl_dot_f64(t->in, move, t->input.center));
  }
}

static nl_newton_task begin_try(nl_newton *t) {
  place(t, ldexp(1.0, -(int)t->tries));
  return NL_NEWTON_TRY;
}

static nl_newton_task gathered(nl_newton *t, const double *sums) {
  start_round(t);
  t->rows = sums[NL_GATHERED_ROWS];
  if (t->round == 0) {
    t->best = sums[NL_GATHERED_ERROR];
    if (!(t->best > exact * sums[NL_GATHERED_SQUARES])) return NL_NEWTON_DONE;
  }
  if (t->rows < (double)(NL_NEWTON_ROWS_A_WEIGHT * t->n)) return NL_NEWTON_DONE;
  return factorise(t, sums + NL_GATHERED_HEAD) ? NL_NEWTON_PRODUCT : NL_NEWTON_DONE;
}

static nl_newton_task tried(nl_newton *t, const double *sums) {
  if (sums[0] < t->best) {
    t->best = sums[0];
    return ++t->round < NL_NEWTON_ROUNDS && t->best > exact * sums[1] ? NL_NEWTON_GATHER : NL_NEWTON_DONE;
  }
  if (++t->tries < TRIES) return begin_try(t);
  place(t, 0.0);
  return NL_NEWTON_DONE;
}

nl_newton_order nl_newton_wants(const nl_newton *t) {
  const double *direction = t->task == NL_NEWTON_PRODUCT && t->turn > 0 ? t->direction : NULL;
  return (nl_newton_order){.task = t->task, .direction = direction, .best = t->best};
}

void nl_newton_take(nl_newton *t, double *sums, size_t *work) {
  switch (t->task) {
  case NL_NEWTON_GATHER:
    *work += t->n * t->n * t->n / 6;
    t->task = gathered(t, sums);
    break;
  case NL_NEWTON_PRODUCT:
    *work += t->n * t->n * t->out;
    t->task = turn_on(t, sums) ? NL_NEWTON_PRODUCT : begin_try(t);
    break;
  case NL_NEWTON_TRY:
    t->task = tried(t, sums);
    break;
  default:
    break;
  }
}
