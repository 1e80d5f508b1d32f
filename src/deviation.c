#include "deviation.h"

#include <math.h>
#include <stdlib.h>

enum { WORK_PER_STEP = 20000000 }; // multiplications: some 20 ms

struct nl_deviation {
  const nl_network *network;
  const nl_parameters *original, *reduced;
  size_t rows, row;
  const double *x;
  nl_scratch f, g;
  nl_rows **given;      // (outputs) of f, then of g
  nl_variance *spreads; // (results) of f
  double squares, largest, size;
};

void nl_variance_add(nl_variance *variance, double x) {
  const double away = x - variance->mean;
  variance->mean += away / ++variance->count;
  variance->squares += away * (x - variance->mean);
}

void nl_outputs_add(nl_variance *spreads, const nl_network *network, const nl_scratch *scratch, size_t rows) {
  for (size_t o = 0; o < network->output_count; o++) {
    const size_t width = network->steps[network->outputs[o]].width;
    const double *values = scratch->values[network->outputs[o]];
    for (size_t c = 0; c < width; c++, spreads++)
      for (size_t r = 0; r < rows; r++) nl_variance_add(spreads, values[r * width + c]);
  }
}

double nl_outputs_variance(const nl_variance *spreads, size_t results) {
  double variance = 0;
  for (size_t o = 0; o < results; o++)
    if (spreads[o].count > 0) variance += spreads[o].squares / spreads[o].count;
  return variance;
}

nl_status nl_deviation_create(nl_deviation **out, const nl_network *network, const nl_parameters *original,
                              const nl_parameters *reduced, size_t rows, const double *x, nl_error *error) {
  nl_deviation *d = calloc(1, sizeof *d);
  if (d == NULL) return nl_no_memory(error, 1, sizeof *d);
  *d = (nl_deviation){.network = network, .original = original, .reduced = reduced, .rows = rows, .x = x};
  d->spreads = calloc(network->results + 1, sizeof *d->spreads);
  nl_status status = d->spreads != NULL ? NL_OK : nl_no_memory(error, network->results + 1, sizeof *d->spreads);
  if (status == NL_OK) status = nl_scratch_create(&d->f, network, original, NL_FORWARD_ROWS, error);
  if (status == NL_OK) status = nl_scratch_create(&d->g, network, reduced, NL_FORWARD_ROWS, error);
  if (status != NL_OK)
    nl_deviation_free(d);
  else
    *out = d;
  return status;
}

void nl_deviation_free(nl_deviation *d) {
  if (d == NULL) return;
  nl_scratch_free(&d->f);
  nl_scratch_free(&d->g);
  free(d->spreads);
  free(d->given);
  free(d);
}

nl_status nl_deviation_create_given(nl_deviation **out, const nl_network *network, size_t rows, nl_error *error) {
  nl_deviation *d = calloc(1, sizeof *d);
  if (d == NULL) return nl_no_memory(error, 1, sizeof *d);
  *d = (nl_deviation){.network = network, .rows = rows};
  d->spreads = calloc(network->results + 1, sizeof *d->spreads);
  d->f.values = calloc(network->step_count + 1, sizeof *d->f.values);
  d->g.values = calloc(network->step_count + 1, sizeof *d->g.values);
  d->given = calloc(2 * network->output_count + 1, sizeof(nl_rows *));
  if (d->spreads == NULL || d->f.values == NULL || d->g.values == NULL || d->given == NULL) {
    nl_deviation_free(d);
    return nl_no_memory(error, network->step_count + network->results + 3, sizeof *d->spreads);
  }
  *out = d;
  return NL_OK;
}

void nl_deviation_give(nl_deviation *d, size_t output, nl_rows *original, nl_rows *reduced) {
  d->given[output] = original;
  d->given[d->network->output_count + output] = reduced;
}

static void take_given(nl_deviation *d, size_t rows) {
  const size_t count = d->network->output_count;
  for (size_t o = 0; o < count; o++) {
    d->f.values[d->network->outputs[o]] = nl_rows_read(d->given[o], d->row, rows);
    d->g.values[d->network->outputs[o]] = nl_rows_read(d->given[count + o], d->row, rows);
  }
}

static void add_block(nl_deviation *d, size_t rows) {
  if (d->original != NULL) {
    const double *x = d->x + d->row * d->network->features;
    nl_forward_all(d->network, d->original, &d->f, rows, x);
    nl_forward_all(d->network, d->reduced, &d->g, rows, x);
  } else
    take_given(d, rows);
  nl_outputs_add(d->spreads, d->network, &d->f, rows);
  for (size_t o = 0; o < d->network->output_count; o++) {
    const size_t step = d->network->outputs[o], count = rows * d->network->steps[step].width;
    for (size_t i = 0; i < count; i++) {
      const double away = d->g.values[step][i] - d->f.values[step][i];
      d->squares += away * away;
      d->largest = fmax(d->largest, fabs(away));
      d->size = fmax(d->size, fabs(d->f.values[step][i]));
    }
  }
  d->row += rows;
}

nl_status nl_deviation_step(nl_deviation *d, double *progress, nl_error *error) {
  for (size_t work = 0; d->row < d->rows && work < WORK_PER_STEP;) {
    const size_t left = d->rows - d->row, rows = left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
    add_block(d, rows);
    work += 2 * rows * (d->network->parameters + 1);
  }
  *progress = d->rows > 0 ? (double)d->row / (double)d->rows : 1.0;
  if (isnan(d->squares) || isnan(nl_outputs_variance(d->spreads, d->network->results)))
    return nl_fail(error, NL_ERROR_NOT_FINITE, "the network's outputs", NULL);
  return d->row < d->rows ? NL_MORE : NL_OK;
}

// Sum of squares that rounding alone makes of the outputs.
static double rounding(const nl_deviation *d) {
  double power = 0;
  for (size_t o = 0; o < d->network->results; o++) power += d->spreads[o].mean * d->spreads[o].mean;
  return 1e-26 * power * (double)d->rows;
}

double nl_deviation_relative(const nl_deviation *d) {
  const double variance = nl_outputs_variance(d->spreads, d->network->results) * (double)d->rows;
  if (variance > rounding(d)) return sqrt(d->squares / variance);
  return d->squares <= rounding(d) ? 0.0 : INFINITY; // outputs that do not vary
}

double nl_deviation_largest(const nl_deviation *d) { return d->largest; }
double nl_deviation_size(const nl_deviation *d) { return d->size; }
