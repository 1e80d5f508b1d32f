// The layers that the lumping alone gives.
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "refit_parts.h"

static nl_status pick(nl_arena *arena, const nl_lumping *lumping, const double *from, double **to, nl_error *error) {
  if (from == NULL) return NL_OK;
  NL_TAKE(arena, *to, double, lumping->k, error);
  for (size_t i = 0; i < lumping->k; i++) (*to)[i] = from[lumping->kept[i]];
  return NL_OK;
}

// Row `row` of the original layer, its columns taken over by the lumping of its input; weighed by `by` and added.
static void add_row(const nl_layer *from, const nl_lumping *read, size_t row, double by, double *work, nl_layer *to,
                    size_t o) {
  const double *weights = from->weights + row * from->in_width;
  double bias = from->bias != NULL ? from->bias[row] : 0.0;
  if (read != NULL) {
    nl_lumping_consume(read, 1, weights, work, &bias);
    weights = work;
  }
  nl_axpy_f64(to->in_width, by, weights, to->weights + o * to->in_width);
  if (to->bias != NULL) to->bias[o] += by * bias;
}

// One that was not there takes up what the units that go did on average; nl_sites_parameters counts it so.
static bool gets_bias(const nl_layer *from, const nl_step *step, const nl_lumping *read) {
  return from->bias != NULL || (step->bias_possible && read != NULL);
}

// R W P and R (b + W p): rows mixed by the lumping of the layer's own site, columns taken over by that of its input's.
static nl_status compensated_mixed(const nl_refit_input *input, nl_parameters *reduced, size_t s, nl_error *error) {
  const nl_step *step = &input->network->steps[s];
  const nl_layer *from = &input->original->layers[s];
  nl_layer *to = &reduced->layers[s];
  nl_arena *arena = &reduced->arena;
  const nl_lumping *own = nl_refit_lumping(input, s), *read = nl_refit_lumping(input, step->inputs[0]);
  to->width = own->k;
  to->in_width = read != NULL ? read->k : from->in_width;
  double *work = NULL;
  NL_TAKE(arena, to->weights, double, to->width * to->in_width + 1, error);
  NL_TAKE(arena, work, double, to->in_width + 1, error);
  if (gets_bias(from, step, read)) NL_TAKE(arena, to->bias, double, to->width, error);
  for (size_t o = 0; o < to->width; o++)
    for (size_t row = 0; row < from->width; row++)
      if (own->restriction[o * own->n + row] != 0)
        add_row(from, read, row, own->restriction[o * own->n + row], work, to, o);
  return NL_OK;
}

// The same where rows are picked: by the matrix product, some rows at a time.
static nl_status compensated_picked(const nl_refit_input *input, nl_parameters *reduced, size_t s, double *work,
                                    nl_error *error) {
  const nl_step *step = &input->network->steps[s];
  const nl_layer *from = &input->original->layers[s];
  nl_layer *to = &reduced->layers[s];
  const nl_lumping *own = nl_refit_lumping(input, s), *read = nl_refit_lumping(input, step->inputs[0]);
  const size_t n = from->in_width;
  to->width = own != NULL ? own->k : from->width;
  to->in_width = read != NULL ? read->k : n;
  if (gets_bias(from, step, read)) NL_TAKE(&reduced->arena, to->bias, double, to->width, error);
  if (input->apart == NULL) NL_TAKE(&reduced->arena, to->weights, double, to->width * to->in_width + 1, error);
  if (input->apart != NULL) to->weights = calloc(to->width * to->in_width + 1, sizeof *to->weights);
  double *rows = malloc((NL_FORWARD_ROWS * n + 1) * sizeof *rows);
  if (to->weights == NULL || rows == NULL) {
    free(rows);
    return nl_no_memory(error, to->width * to->in_width + NL_FORWARD_ROWS * n, sizeof *rows);
  }
  for (size_t o = 0, count; o < to->width; o += count) {
    count = to->width - o < NL_FORWARD_ROWS ? to->width - o : NL_FORWARD_ROWS;
    for (size_t i = 0; i < count; i++) {
      const size_t row = own != NULL ? own->kept[o + i] : o + i;
      const double *weights = nl_layer_rows(from, row, 1, rows + i * n);
      if (weights != rows + i * n) memcpy(rows + i * n, weights, n * sizeof *rows);
      if (to->bias == NULL) continue;
      to->bias[o + i] = from->bias != NULL ? from->bias[row] : 0.0;
      if (read != NULL) to->bias[o + i] += nl_dot_f64(n, rows + i * n, read->offset);
    }
    double *weights = to->weights + o * to->in_width;
    if (read == NULL)
      memcpy(weights, rows, count * n * sizeof *rows);
    else
      nl_matmul_f64(count, read->k, n, rows, n, 1, read->prolongation, read->k, 1, weights, read->k, work);
  }
  free(rows);
  return NL_OK;
}

nl_status nl_refit_layer(const nl_refit_input *input, nl_parameters *reduced, size_t s, bool changed, double *work,
                         nl_error *error) {
  const nl_layer *from = &input->original->layers[s];
  nl_layer *to = &reduced->layers[s];
  if (!changed) {
    *to = *from;
    if (input->apart != NULL) to->weights = NULL, to->single = NULL;
    return NL_OK;
  }
  const nl_lumping *own = nl_refit_lumping(input, s);
  if (input->network->steps[s].kind == NL_STEP_DENSE)
    return own != NULL && own->restriction != NULL ? compensated_mixed(input, reduced, s, error)
                                                   : compensated_picked(input, reduced, s, work, error);
  *to = *from;
  if (own == NULL) return NL_OK;
  to->width = own->k;
  NL_TRY(pick(&reduced->arena, own, from->scale, &to->scale, error));
  return pick(&reduced->arena, own, from->shift, &to->shift, error);
}

// ---- what it comes to ---------------------------------------------------------------------------------------------------

// Evaluating both networks and the sums of least squares; newton takes about as much again, or more.
double nl_refit_work(const nl_refit_input *input) {
  double work = 0;
  for (size_t s = 0; s < input->network->step_count; s++) {
    const nl_step *step = &input->network->steps[s];
    const nl_layer *layer = &input->original->layers[s];
    if (!step->evaluable || step->kind != NL_STEP_DENSE) continue;
    const nl_lumping *own = nl_refit_lumping(input, s), *read = nl_refit_lumping(input, step->inputs[0]);
    const double in = (double)(read != NULL ? read->k : layer->in_width);
    const double out = (double)(own != NULL ? own->k : layer->width);
    work += (double)layer->width * (double)layer->in_width + in * out;
    if (input->fit && read != NULL) work += in * (in / 2 + 2 * out);
  }
  return work * (double)input->rows;
}
