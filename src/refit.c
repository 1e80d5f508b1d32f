// What is done in which order, and the layers that come of it.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "linear_blocks.h"
#include "refit_lead.h"

static const double least_ridge = 1e-6; // share of the mean variance; 1e-6 to 1e-3 measured alike
enum { WORK_PER_STEP = 20000000 };      // multiplications: some 20 ms
enum { OUTPUTS_MOST = 1 << 22 };        // numbers: 32 MB, of either network

// ---- life ---------------------------------------------------------------------------------------------------------------

// What a layer reads at most.
static size_t widest(const nl_refit_input *input) {
  size_t most = 0;
  for (size_t s = 0; s < input->network->step_count; s++)
    if (input->original->layers[s].in_width > most) most = input->original->layers[s].in_width;
  return most;
}

static nl_status take_all(nl_refit *refit, nl_error *error) {
  const nl_refit_input *input = &refit->input;
  const size_t steps = input->network->step_count, sites = input->sites->count;
  nl_arena *arena = &refit->reduced.arena;
  NL_TAKE(arena, refit->reduced.layers, nl_layer, steps + 1, error);
  NL_TAKE(arena, refit->work, double, nl_matmul_f64_work() + nl_cholesky_blocks_work(widest(input)), error);
  NL_TAKE(arena, refit->lumpings, nl_lumping, sites + 1, error);
  memcpy(refit->lumpings, input->lumpings, sites * sizeof *refit->lumpings);
  refit->input.lumpings = refit->lumpings;
  NL_TRY(nl_refit_plan_make(&refit->plan, input, arena, error));
  if (input->helpers > 0) return NL_OK;
  return nl_refit_rows_create(&refit->rows, input, &refit->plan, &refit->reduced, 0, input->rows, error);
}

nl_status nl_refit_create(nl_refit **out, const nl_refit_input *input, nl_error *error) {
  nl_refit *refit = calloc(1, sizeof *refit);
  if (refit == NULL) return nl_no_memory(error, 1, sizeof *refit);
  refit->input = *input;
  if (input->helpers > nl_refit_shares(input)) refit->input.helpers = nl_refit_shares(input);
  refit->reduced.apart = input->apart != NULL;
  refit->reduced.count = input->network->step_count;
  refit->lumped = NL_NONE;
  const nl_status status = take_all(refit, error);
  if (status != NL_OK)
    nl_refit_free(refit);
  else
    *out = refit;
  return status;
}

static void drop_lump(nl_refit *refit) {
  nl_lumping_fit_free(refit->lump);
  refit->lump = NULL;
  refit->lumped = NL_NONE;
}

static void drop_fit(nl_refit *refit) {
  nl_newton_free(refit->newton);
  refit->newton = NULL;
  free(refit->total);
  free(refit->center);
  refit->total = refit->center = refit->sums = NULL;
}

void nl_refit_free(nl_refit *refit) {
  if (refit == NULL) return;
  drop_fit(refit);
  drop_lump(refit);
  nl_refit_drop_outputs(refit);
  nl_buffer_free(&refit->orders);
  nl_parameters_free(&refit->reduced);
  free(refit);
}

const nl_parameters *nl_refit_parameters(const nl_refit *refit) { return &refit->reduced; }

size_t nl_refit_helpers(const nl_refit *refit) { return refit->input.helpers; }

// ---- outputs ------------------------------------------------------------------------------------------------------------

// Where they are too many, whoever wants them computes them again.
static bool keeps_outputs(const nl_refit_input *input) {
  return input->apart != NULL || input->network->results <= OUTPUTS_MOST / (input->rows + 1);
}

nl_rows *nl_refit_output(const nl_refit *refit, size_t step, bool original) {
  if (refit->rows != NULL) return nl_refit_rows_values(refit->rows, step, original);
  return refit->outputs[original ? step : refit->reduced.count + step];
}

bool nl_refit_knows_outputs(const nl_refit *refit) {
  return refit->finished && (refit->rows != NULL || refit->outputs != NULL);
}

void nl_refit_drop_outputs(nl_refit *refit) {
  for (size_t s = 0; refit->outputs != NULL && s < 2 * refit->reduced.count; s++) nl_rows_free(refit->outputs[s]);
  free(refit->outputs);
  refit->outputs = NULL;
  nl_refit_rows_free(refit->rows);
  refit->rows = NULL;
}

static nl_status finish(nl_refit *refit, nl_error *error) {
  const bool helped = refit->input.helpers > 0, keeps = keeps_outputs(&refit->input);
  refit->finished = true;
  if (helped && keeps) return nl_refit_order_outputs(refit, error);
  if (!keeps) nl_refit_drop_outputs(refit);
  return NL_OK;
}

// ---- orders -------------------------------------------------------------------------------------------------------------

nl_status nl_refit_add(nl_refit *refit, const double *sums, nl_error *error) {
  const size_t count = nl_refit_sums(&refit->order, &refit->reduced);
  if (refit->total == NULL) {
    const size_t most = nl_refit_most_sums(refit->order.step, &refit->reduced);
    refit->total = malloc(most * sizeof *refit->total);
    if (refit->total == NULL) return nl_no_memory(error, most, sizeof *refit->total);
  }
  if (refit->added++ == 0)
    memcpy(refit->total, sums, count * sizeof *sums);
  else
    nl_axpy_f64(count, 1.0, sums, refit->total);
  refit->sums = refit->total;
  return NL_OK;
}

static nl_status order(nl_refit *refit, const nl_refit_order *order, nl_error *error) {
  refit->order = *order;
  refit->added = 0;
  if (refit->rows == NULL) return nl_refit_order_helpers(refit, error);
  refit->busy = true;
  return nl_refit_rows_begin(refit->rows, order, error);
}

static nl_status go_on(nl_refit *refit, size_t *work, nl_error *error) {
  double *sums;
  nl_refit_rows_step(refit->rows, &sums, work);
  refit->busy = !nl_refit_rows_done(refit->rows);
  if (sums == NULL || nl_refit_sums(&refit->order, &refit->reduced) == 0) return NL_OK;
  refit->sums = sums;
  if (refit->busy || refit->added > 0) NL_TRY(nl_refit_add(refit, sums, error)); // else the only ones: no copy
  if (refit->order.newton.task != NL_NEWTON_TRY || refit->order.task != NL_REFIT_NEWTON) return NL_OK;
  nl_refit_rows_tell(refit->rows, refit->sums[0]);
  if (refit->sums[0] >= refit->order.newton.best) refit->busy = false; // it only grows
  return NL_OK;
}

static nl_status order_step(nl_refit *refit, nl_refit_task task, nl_error *error) {
  return order(refit, &(nl_refit_order){.task = task, .step = refit->step, .center = refit->center}, error);
}

// ---- least squares ------------------------------------------------------------------------------------------------------

// Sums become covariances (with a bias) or raw second moments; the Gram matrix becomes symmetric.
static void normalise(const nl_refit *refit, size_t in, size_t out, bool centred) {
  const double rows = (double)refit->input.rows, *sum_u = refit->sums, *sum_r = sum_u + in;
  double *gram = refit->sums + in + out, *cross = gram + in * in;
  for (size_t i = 0; i < in; i++) {
    const double mean = centred ? sum_u[i] / rows : 0.0;
    for (size_t j = i; j < in; j++)
      gram[j * in + i] = gram[i * in + j] = gram[i * in + j] / rows - mean * sum_u[j] / rows;
    for (size_t o = 0; o < out; o++) cross[i * out + o] = cross[i * out + o] / rows - mean * sum_r[o] / rows;
  }
}

// (C + λI) Δ = cross;  W += Δᵀ,  b += E r - Δᵀ E a. Without a positive definite C the compensated weights stay.
static void solve_fit(nl_refit *refit) {
  nl_layer *layer = &refit->reduced.layers[refit->step];
  const size_t in = layer->in_width, out = layer->width;
  const bool centred = layer->bias != NULL;
  const double rows = (double)refit->input.rows, *sum_u = refit->sums, *sum_r = sum_u + in;
  double *gram = refit->sums + in + out, *cross = gram + in * in, trace = 0;
  normalise(refit, in, out, centred);
  for (size_t i = 0; i < in; i++) trace += gram[i * in + i];
  const double ridge = fmax(least_ridge, refit->input.ridge) * trace / (double)in;
  if (!nl_cholesky_blocks(in, gram, ridge, refit->work)) return;
  nl_cholesky_solve_blocks(in, gram, out, cross, refit->work);
  for (size_t o = 0; o < out; o++) {
    double moved = 0;
    for (size_t i = 0; i < in; i++) {
      layer->weights[o * in + i] += cross[i * out + o];
      moved += cross[i * out + o] * (refit->center[i] + sum_u[i] / rows);
    }
    if (centred) layer->bias[o] += sum_r[o] / rows - moved;
  }
}

static nl_status enter_fit(nl_refit *refit, nl_error *error) {
  const nl_layer *layer = &refit->reduced.layers[refit->step];
  refit->center = calloc(layer->in_width + 1, sizeof *refit->center);
  if (refit->center == NULL) return nl_no_memory(error, layer->in_width + 1, sizeof *refit->center);
  refit->stage = layer->bias != NULL ? NL_REFIT_AT_MEANS : NL_REFIT_AT_FIT;
  return order_step(refit, layer->bias != NULL ? NL_REFIT_MEANS : NL_REFIT_FIT, error);
}

static nl_status take_means(nl_refit *refit, nl_error *error) {
  const size_t in = refit->reduced.layers[refit->step].in_width;
  for (size_t i = 0; i < in; i++) refit->center[i] = refit->sums[i] / (double)refit->input.rows;
  refit->stage = NL_REFIT_AT_FIT;
  return order_step(refit, NL_REFIT_FIT, error);
}

// ---- layers -------------------------------------------------------------------------------------------------------------

// What a dense layer reads is lumped: P and p from the original's activations, which are there now.
static nl_status enter_lump(nl_refit *refit, nl_error *error) {
  const nl_lumping *read = nl_refit_lumping(&refit->input, refit->input.network->steps[refit->step].inputs[0]);
  drop_lump(refit);
  refit->row = 0;
  refit->stage = NL_REFIT_AT_LUMP;
  return nl_lumping_fit_create(&refit->lump, read->n, error);
}

static nl_status lump_block(nl_refit *refit, size_t *work, nl_error *error) {
  const nl_refit_input *input = &refit->input;
  const size_t read = input->network->steps[refit->step].inputs[0], site = input->sites->site_of[read];
  const size_t n = refit->lumpings[site].n, left = input->rows - refit->row;
  const size_t rows = left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
  nl_rows *values = nl_refit_rows_values(refit->rows, read, true);
  nl_lumping_fit_add(refit->lump, rows, nl_rows_read(values, refit->row, rows), refit->work);
  refit->row += rows;
  *work += rows * n * n / 2;
  if (refit->row < input->rows) return NL_OK;
  NL_TRY(nl_lumping_fit_finish(refit->lump, input->sites->sites[site].affine, &refit->lumpings[site], error));
  refit->lumped = read;
  refit->stage = NL_REFIT_AT_ENTER;
  return NL_OK;
}

static bool wants_lump(const nl_refit *refit) {
  const nl_step *step = &refit->input.network->steps[refit->step];
  return refit->input.apart != NULL && step->kind == NL_STEP_DENSE &&
         nl_refit_lumping(&refit->input, step->inputs[0]) != NULL && refit->lumped != step->inputs[0];
}

static nl_status enter_step(nl_refit *refit, nl_error *error) {
  if (wants_lump(refit)) return enter_lump(refit, error);
  if (refit->input.apart != NULL) NL_TRY(nl_layer_hold(refit->input.apart, refit->input.network, refit->step, error));
  refit->stage = NL_REFIT_AT_ORIGINAL;
  return order_step(refit, NL_REFIT_ORIGINAL, error);
}

nl_status nl_refit_prepare(nl_refit *refit, size_t last, nl_error *error) {
  for (; refit->prepared <= last; refit->prepared++)
    if (refit->input.network->steps[refit->prepared].evaluable)
      NL_TRY(nl_refit_layer(&refit->input, &refit->reduced, refit->prepared, refit->plan.changed[refit->prepared],
                            refit->work, error));
  return NL_OK;
}

static nl_status enter_reduced(nl_refit *refit, nl_error *error) {
  drop_fit(refit);
  NL_TRY(nl_layer_narrow(&refit->reduced, refit->step, error));
  refit->stage = NL_REFIT_AT_REDUCED;
  return order_step(refit, NL_REFIT_REDUCED, error);
}

// The original's values of a step are there.
static nl_status leave_original(nl_refit *refit, nl_error *error) {
  const size_t s = refit->step;
  NL_TRY(nl_refit_prepare(refit, s, error));
  if (refit->input.apart != NULL) nl_layer_drop(refit->input.apart, s);
  if (refit->lumped != NL_NONE && refit->plan.last_use[refit->lumped] <= s) drop_lump(refit);
  refit->stage = NL_REFIT_AT_REDUCED;
  if (!refit->plan.changed[s]) return NL_OK;
  return nl_refit_fits(&refit->input, &refit->plan, s) ? enter_fit(refit, error) : enter_reduced(refit, error);
}

// ---- to the outputs -----------------------------------------------------------------------------------------------------

// What newton wants next, or all of it.
static nl_status order_newton(nl_refit *refit, nl_error *error) {
  const nl_newton_order newton = nl_newton_wants(refit->newton);
  if (newton.task == NL_NEWTON_DONE) return enter_reduced(refit, error);
  return order(refit, &(nl_refit_order){.task = NL_REFIT_NEWTON, .step = refit->step, .newton = newton}, error);
}

// A layer between lumped sites is then fitted to the network's outputs; one that is an output has just been.
static nl_status enter_newton(nl_refit *refit, nl_error *error) {
  const nl_refit_input *input = &refit->input;
  if (!input->outputs || input->apart != NULL || refit->plan.last_use[refit->step] == input->network->step_count)
    return enter_reduced(refit, error);
  NL_TRY(nl_refit_prepare(refit, input->network->step_count - 1, error));
  const nl_newton_input newton = {.network = input->network,
                                  .original = input->original,
                                  .reduced = &refit->reduced,
                                  .step = refit->step,
                                  .rows = input->rows,
                                  .share = nl_refit_share(input, input->rows),
                                  .center = refit->center};
  if (!nl_newton_worth(&newton)) return enter_reduced(refit, error);
  NL_TRY(nl_newton_create(&refit->newton, &newton, error));
  refit->stage = NL_REFIT_AT_NEWTON;
  return order_newton(refit, error);
}

// ---- steps --------------------------------------------------------------------------------------------------------------

static nl_status leave_step(nl_refit *refit, nl_error *error) {
  const size_t s = refit->step++;
  refit->stage = NL_REFIT_AT_ENTER;
  nl_layer *layer = &refit->reduced.layers[s];
  if (refit->input.apart == NULL || layer->weights == NULL) return NL_OK;
  NL_TRY(refit->input.keep(refit->input.owner, s, layer, error));
  nl_layer_drop(&refit->reduced, s);
  return NL_OK;
}

static nl_status advance(nl_refit *refit, size_t *work, nl_error *error) {
  const nl_layer *layer = &refit->reduced.layers[refit->step];
  if (refit->busy) return go_on(refit, work, error);
  switch (refit->stage) {
  case NL_REFIT_AT_ENTER:
    return enter_step(refit, error);
  case NL_REFIT_AT_LUMP:
    return lump_block(refit, work, error);
  case NL_REFIT_AT_ORIGINAL:
    return leave_original(refit, error);
  case NL_REFIT_AT_MEANS:
    return take_means(refit, error);
  case NL_REFIT_AT_FIT:
    solve_fit(refit);
    *work += layer->in_width * layer->in_width * (layer->in_width / 3 + 2 * layer->width);
    return enter_newton(refit, error);
  case NL_REFIT_AT_NEWTON:
    nl_newton_take(refit->newton, refit->sums, work);
    return order_newton(refit, error);
  case NL_REFIT_AT_REDUCED:
    return leave_step(refit, error);
  }
  return NL_OK;
}

nl_status nl_refit_step(nl_refit *refit, double *progress, nl_error *error) {
  const nl_network *network = refit->input.network;
  size_t work = 0;
  while (refit->step < network->step_count && work < WORK_PER_STEP && !nl_refit_waits(refit)) {
    if (!network->steps[refit->step].evaluable)
      refit->step++;
    else
      NL_TRY(advance(refit, &work, error));
  }
  *progress = (double)refit->step / (double)(network->step_count + 1);
  if (refit->step == network->step_count && !refit->finished) NL_TRY(finish(refit, error));
  if (nl_refit_waits(refit)) return NL_SHARE;
  if (refit->step < network->step_count) return NL_MORE;
  *progress = 1.0;
  return NL_OK;
}
