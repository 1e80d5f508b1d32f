#include "polish_metric.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "linear.h"

// Share of a factor's mean diagonal that is added to it, measured (tests/bench/RESULTS.md).
static const double ridge_share = 0.3;
enum { READ_MOST = 1024 }; // widest layer whose inputs are told apart

// ---- life ---------------------------------------------------------------------------------------------------------------

static nl_factor *factor_of(nl_metric *metric, size_t step) {
  if (metric->count == 0 || metric->factors[metric->count - 1].step != step)
    metric->factors[metric->count++] = (nl_factor){.step = step, .weights = NL_NONE, .bias = NL_NONE};
  return &metric->factors[metric->count - 1];
}

static nl_status take_work(nl_metric *metric, nl_arena *arena, nl_error *error) {
  size_t widest = 0, most = 0;
  for (size_t f = 0; f < metric->count; f++) {
    nl_factor *factor = &metric->factors[f];
    const size_t read = factor->in + 1;
    if (read > widest) widest = read;
    if (read * factor->out > most) most = read * factor->out;
    NL_TAKE(arena, factor->felt, double, factor->out * factor->out + 1, error);
    if (factor->in <= READ_MOST) NL_TAKE(arena, factor->read, double, read *read, error);
  }
  NL_TAKE(arena, metric->block, double, NL_FORWARD_ROWS *widest + 1, error);
  NL_TAKE(arena, metric->vector, double, most + 1, error);
  NL_TAKE(arena, metric->turned, double, most + 1, error);
  return NL_OK;
}

nl_status nl_metric_take(nl_metric *out, nl_arena *arena, const nl_pieces *pieces, const nl_parameters *parameters,
                         nl_error *error) {
  nl_metric metric = {.pieces = pieces};
  NL_TAKE(arena, metric.factors, nl_factor, pieces->count + 1, error);
  for (size_t p = 0; p < pieces->count; p++) {
    const nl_piece *piece = &pieces->pieces[p];
    nl_factor *factor = factor_of(&metric, piece->step);
    factor->out = parameters->layers[piece->step].width;
    factor->in = parameters->layers[piece->step].in_width;
    *(piece->bias ? &factor->bias : &factor->weights) = piece->offset;
  }
  NL_TRY(take_work(&metric, arena, error));
  *out = metric;
  return NL_OK;
}

// ---- moments ------------------------------------------------------------------------------------------------------------

void nl_metric_clear(nl_metric *metric) {
  metric->rows = 0;
  for (size_t f = 0; f < metric->count; f++) {
    const nl_factor *factor = &metric->factors[f];
    const size_t read = factor->in + 1;
    if (factor->read != NULL) memset(factor->read, 0, read * read * sizeof(double));
    memset(factor->felt, 0, factor->out * factor->out * sizeof(double));
  }
}

void nl_metric_add(nl_metric *metric, const nl_network *network, const nl_scratch *scratch, const nl_scratch *gradients,
                   size_t rows) {
  for (size_t f = 0; f < metric->count; f++) {
    const nl_factor *factor = &metric->factors[f];
    const size_t in = factor->in, read = in + 1;
    const double *a = scratch->values[network->steps[factor->step].inputs[0]];
    for (size_t r = 0; factor->read != NULL && r < rows; r++) {
      memcpy(metric->block + r * read, a + r * in, in * sizeof *a);
      metric->block[r * read + in] = 1.0;
    }
    if (factor->read != NULL) nl_gram_f64(rows, read, metric->block, read, factor->read, read, gradients->work);
    nl_gram_f64(rows, factor->out, gradients->values[factor->step], factor->out, factor->felt, factor->out,
                gradients->work);
  }
  metric->rows += rows;
}

static bool take_apart(size_t n, double *a, double by, double ridge) {
  double trace = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = i; j < n; j++) a[j * n + i] = by * a[i * n + j];
    trace += a[i * n + i];
  }
  return nl_cholesky(n, a, ridge * trace / (double)n);
}

// Fewer rows than inputs leave directions of which the rows say nothing: there more is added.
bool nl_metric_finish(nl_metric *metric, double variance, size_t learnt) {
  for (size_t f = 0; f < metric->count; f++) {
    const nl_factor *factor = &metric->factors[f];
    const double by = 1.0 / (double)metric->rows, thin = (double)factor->in / (double)learnt;
    if (!take_apart(factor->out, factor->felt, 2.0 / variance * by, ridge_share)) return false;
    if (factor->read != NULL && !take_apart(factor->in + 1, factor->read, by, ridge_share + thin)) return false;
  }
  return true;
}

// ---- application --------------------------------------------------------------------------------------------------------

static void turn(size_t rows, size_t columns, const double *from, double *to) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
}

// V (out, in + 1), weights with the bias as last column, becomes E[ggᵀ]⁻¹ V E[aaᵀ]⁻¹
static void apply_factor(const nl_metric *metric, const nl_factor *factor, double *vector) {
  const size_t out = factor->out, in = factor->in, read = in + 1;
  double *v = metric->vector;
  memset(v, 0, out * read * sizeof *v);
  for (size_t o = 0; o < out; o++) {
    if (factor->weights != NL_NONE) memcpy(v + o * read, vector + factor->weights + o * in, in * sizeof *v);
    if (factor->bias != NL_NONE) v[o * read + in] = vector[factor->bias + o];
  }
  nl_cholesky_solve(out, factor->felt, read, v);
  if (factor->read != NULL) {
    turn(out, read, v, metric->turned);
    nl_cholesky_solve(read, factor->read, out, metric->turned);
    turn(read, out, metric->turned, v);
  }
  for (size_t o = 0; o < out; o++) {
    if (factor->weights != NL_NONE) memcpy(vector + factor->weights + o * in, v + o * read, in * sizeof *v);
    if (factor->bias != NL_NONE) vector[factor->bias + o] = v[o * read + in];
  }
}

void nl_metric_apply(void *context, double *vector) {
  const nl_metric *metric = context;
  for (size_t f = 0; f < metric->count; f++) apply_factor(metric, &metric->factors[f], vector);
  for (size_t i = 0; metric->pieces->fixed != NULL && i < metric->pieces->numbers; i++)
    if (metric->pieces->fixed[i]) vector[i] = 0;
}

size_t nl_metric_work(const nl_metric *metric) {
  size_t work = 0;
  for (size_t f = 0; f < metric->count; f++) {
    const size_t out = metric->factors[f].out, read = metric->factors[f].read != NULL ? metric->factors[f].in + 1 : 1;
    work += read * read * (read / 3 + 2 * out) + out * out * (out / 3 + 2 * read);
  }
  return work;
}
