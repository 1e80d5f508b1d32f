// What a refit does on rows: both networks' values, step by step, and sums over them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "refit_parts.h"

enum { ANSWERS_MOST = 1 << 23 }; // numbers: 64 MB

struct nl_refit_rows {
  nl_refit_input input;
  const nl_refit_plan *plan;
  nl_parameters *reduced;
  nl_arena arena;
  size_t first, all, share;
  nl_rows **original; // (steps) values
  nl_rows **values;   // (steps) of the smaller network; the same where nothing changed
  double **window;    // (steps) pointers to the rows at hand
  double *work;
  // the order at hand
  nl_refit_order order;
  size_t row, end, at; // the end and the number of the share
  bool ready, done;    // the share, the order
  double *memory;      // of a step that is fitted
  double *sums;
  double *center;  // (in)
  double *block_u; // (NL_FORWARD_ROWS, in)
  double *block_r; // (NL_FORWARD_ROWS, out)
  nl_newton_rows *newton;
  nl_answers answers;
};

// ---- what is known beforehand -------------------------------------------------------------------------------------------

const nl_lumping *nl_refit_lumping(const nl_refit_input *input, size_t step) {
  return nl_lumping_at(input->sites, input->lumpings, step);
}

nl_status nl_refit_plan_make(nl_refit_plan *out, const nl_refit_input *input, nl_arena *arena, nl_error *error) {
  const nl_network *network = input->network;
  NL_TAKE(arena, out->changed, bool, network->step_count + 1, error);
  NL_TAKE(arena, out->last_use, size_t, network->step_count + 1, error);
  for (size_t s = 0; s < network->step_count; s++) {
    out->changed[s] = nl_refit_lumping(input, s) != NULL;
    for (size_t i = 0; i < network->steps[s].input_count; i++) out->last_use[network->steps[s].inputs[i]] = s;
  }
  nl_network_mark_behind(network, out->changed);
  for (size_t o = 0; o < network->output_count; o++) out->last_use[network->outputs[o]] = network->step_count;
  return NL_OK;
}

bool nl_refit_fits(const nl_refit_input *input, const nl_refit_plan *plan, size_t step) {
  const nl_step *at = &input->network->steps[step];
  return input->fit && at->kind == NL_STEP_DENSE && plan->changed[at->inputs[0]];
}

size_t nl_refit_share(const nl_refit_input *input, size_t rows) {
  const size_t blocks = (rows + NL_FORWARD_ROWS - 1) / NL_FORWARD_ROWS;
  const size_t each = input->apart != NULL ? blocks : (blocks + NL_REFIT_SHARES - 1) / NL_REFIT_SHARES;
  return NL_FORWARD_ROWS * (each > 0 ? each : 1);
}

size_t nl_refit_sums(const nl_refit_order *order, const nl_parameters *reduced) {
  const nl_layer *layer = &reduced->layers[order->step];
  const size_t in = layer->in_width, out = layer->width;
  const nl_newton_input newton = {.reduced = (nl_parameters *)(uintptr_t)reduced, .step = order->step}; // read alone
  switch (order->task) {
  case NL_REFIT_MEANS:
    return in;
  case NL_REFIT_FIT:
    return in + out + in * in + in * out;
  case NL_REFIT_NEWTON:
    return nl_newton_sums(&newton, order->newton.task);
  default:
    return 0;
  }
}

size_t nl_refit_most_sums(size_t step, const nl_parameters *reduced) {
  const nl_refit_order orders[] = {{.task = NL_REFIT_FIT, .step = step},
                                   {.task = NL_REFIT_NEWTON, .step = step, .newton.task = NL_NEWTON_GATHER},
                                   {.task = NL_REFIT_NEWTON, .step = step, .newton.task = NL_NEWTON_PRODUCT}};
  size_t most = 0;
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
    if (nl_refit_sums(&orders[i], reduced) > most) most = nl_refit_sums(&orders[i], reduced);
  return most + 2;
}

// ---- life ---------------------------------------------------------------------------------------------------------------

static nl_status take_all(nl_refit_rows *t, nl_error *error) {
  const size_t steps = t->input.network->step_count;
  NL_TAKE(&t->arena, t->original, nl_rows *, steps + 1, error);
  NL_TAKE(&t->arena, t->values, nl_rows *, steps + 1, error);
  NL_TAKE(&t->arena, t->window, double *, steps + 1, error);
  NL_TAKE(&t->arena, t->work, double, nl_matmul_f64_work(), error);
  return NL_OK;
}

nl_status nl_refit_rows_create(nl_refit_rows **out, const nl_refit_input *input, const nl_refit_plan *plan,
                               nl_parameters *reduced, size_t first, size_t all, nl_error *error) {
  nl_refit_rows *t = calloc(1, sizeof *t);
  if (t == NULL) return nl_no_memory(error, 1, sizeof *t);
  *t = (nl_refit_rows){.input = *input, .plan = plan, .reduced = reduced, .first = first, .all = all};
  t->share = nl_refit_share(input, all);
  t->done = true;
  const nl_status status = take_all(t, error);
  if (status != NL_OK)
    nl_refit_rows_free(t);
  else
    *out = t;
  return status;
}

static void drop_values(nl_refit_rows *t, size_t step) {
  if (t->values[step] != t->original[step]) nl_rows_free(t->values[step]);
  nl_rows_free(t->original[step]);
  t->values[step] = t->original[step] = NULL;
}

static void drop_fit(nl_refit_rows *t) {
  nl_newton_rows_free(t->newton);
  t->newton = NULL;
  free(t->memory);
  free(t->sums);
  t->memory = t->sums = NULL;
}

void nl_refit_rows_free(nl_refit_rows *t) {
  if (t == NULL) return;
  for (size_t s = 0; t->original != NULL && t->values != NULL && s < t->input.network->step_count; s++)
    drop_values(t, s);
  drop_fit(t);
  free(t->answers.values);
  nl_arena_free(&t->arena);
  free(t);
}

nl_rows *nl_refit_rows_values(const nl_refit_rows *t, size_t step, bool original) {
  return (original ? t->original : t->values)[step];
}

// ---- values -------------------------------------------------------------------------------------------------------------

static size_t block_rows(const nl_refit_rows *t) {
  const size_t left = t->end - t->row;
  return left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
}

// What an input step reads; nothing else does.
static const double *rows_at_hand(const nl_refit_rows *t, size_t rows) {
  const nl_refit_input *input = &t->input;
  if (input->kept == NULL) return input->x + t->row * input->network->features;
  const bool reads = input->network->steps[t->order.step].kind == NL_STEP_INPUT;
  return reads ? nl_rows_read(input->kept, t->row, rows) : NULL;
}

static size_t evaluate_block(nl_refit_rows *t, size_t rows, const nl_parameters *parameters, nl_rows **values) {
  return nl_forward_rows(t->input.network, parameters, t->order.step, t->row, rows, rows_at_hand(t, rows), values,
                         t->window, t->work);
}

static nl_status take_values(const nl_refit_rows *t, size_t width, nl_rows **values, nl_error *error) {
  return nl_rows_create(values, t->input.rows, width, NL_FORWARD_ROWS, t->input.kept != NULL, error);
}

// What nobody reads any more, once the step has its values.
static void leave_step(nl_refit_rows *t) {
  const size_t s = t->order.step;
  const nl_step *step = &t->input.network->steps[s];
  for (size_t i = 0; i < step->input_count; i++)
    if (t->plan->last_use[step->inputs[i]] == s) drop_values(t, step->inputs[i]);
}

// The same of the original network alone.
static void leave_original(nl_refit_rows *t) {
  const size_t s = t->order.step;
  const nl_step *step = &t->input.network->steps[s];
  for (size_t i = 0; i < step->input_count; i++) {
    const size_t in = step->inputs[i];
    if (t->plan->last_use[in] != s || t->values[in] == t->original[in]) continue;
    nl_rows_free(t->original[in]);
    t->original[in] = NULL;
  }
  if (t->plan->changed[s]) return;
  t->values[s] = t->original[s];
  leave_step(t);
}

// ---- least squares ------------------------------------------------------------------------------------------------------

// What a layer's output o is to be, at `target` (full): the original's, picked or mixed by the layer's own lumping.
static double wanted(const nl_lumping *own, const double *target, size_t full, size_t o) {
  if (own == NULL) return target[o];
  return own->restriction == NULL ? target[own->kept[o]] : nl_dot_f64(full, own->restriction + o * full, target);
}

// What the layer reads in the smaller network.
static const double *read_activations(const nl_refit_rows *t, size_t rows) {
  return nl_rows_read(t->values[t->input.network->steps[t->order.step].inputs[0]], t->row, rows);
}

static void block_residuals(const nl_refit_rows *t, const double *a, size_t rows) {
  const size_t s = t->order.step;
  const nl_layer *layer = &t->reduced->layers[s];
  const nl_lumping *own = nl_refit_lumping(&t->input, s);
  const size_t full = t->input.original->layers[s].width, in = layer->in_width, out = layer->width;
  const double *target = nl_rows_read(t->original[s], t->row, rows);
  for (size_t r = 0; r < rows; r++)
    for (size_t o = 0; o < out; o++)
      t->block_r[r * out + o] = (layer->bias != NULL ? layer->bias[o] : 0.0) - wanted(own, target + r * full, full, o);
  nl_matmul_f64(rows, out, in, a, in, 1, layer->weights, 1, in, t->block_r, out, t->work);
  for (size_t i = 0; i < rows * out; i++) t->block_r[i] = -t->block_r[i];
}

static size_t fit_block(nl_refit_rows *t, size_t rows) {
  const nl_layer *layer = &t->reduced->layers[t->order.step];
  const size_t in = layer->in_width, out = layer->width;
  const double *a = read_activations(t, rows);
  double *sum_u = t->sums, *sum_r = sum_u + in, *gram = sum_r + out, *cross = gram + in * in;
  block_residuals(t, a, rows);
  for (size_t r = 0; r < rows; r++) {
    for (size_t i = 0; i < in; i++) t->block_u[r * in + i] = a[r * in + i] - t->center[i];
    nl_axpy_f64(in, 1.0, t->block_u + r * in, sum_u);
    nl_axpy_f64(out, 1.0, t->block_r + r * out, sum_r);
  }
  nl_gram_f64(rows, in, t->block_u, in, gram, in, t->work);
  nl_matmul_f64(in, out, rows, t->block_u, 1, in, t->block_r, out, 1, cross, out, t->work);
  return rows * in * (in + 2 * out);
}

static size_t add_means(nl_refit_rows *t, size_t rows) {
  const size_t in = t->reduced->layers[t->order.step].in_width;
  const double *a = read_activations(t, rows);
  for (size_t r = 0; r < rows; r++) nl_axpy_f64(in, 1.0, a + r * in, t->sums);
  return rows * in;
}

static nl_status take_fit(nl_refit_rows *t, nl_error *error) {
  const nl_layer *layer = &t->reduced->layers[t->order.step];
  const size_t in = layer->in_width, out = layer->width, most = nl_refit_most_sums(t->order.step, t->reduced);
  const size_t count = in + NL_FORWARD_ROWS * (in + out) + 1;
  if (t->memory == NULL) t->memory = malloc(count * sizeof *t->memory);
  if (t->sums == NULL) t->sums = malloc(most * sizeof *t->sums);
  if (t->memory == NULL || t->sums == NULL) return nl_no_memory(error, count + most, sizeof(double));
  t->center = t->memory;
  t->block_u = t->center + in;
  t->block_r = t->block_u + NL_FORWARD_ROWS * in;
  if (t->order.task == NL_REFIT_FIT) memcpy(t->center, t->order.center, in * sizeof *t->center);
  return NL_OK;
}

static nl_status take_newton(nl_refit_rows *t, nl_error *error) {
  const size_t results = t->input.network->results, rows = t->input.rows;
  nl_answers *answers = t->input.answers != NULL ? t->input.answers : &t->answers;
  if (answers->values == NULL && results <= ANSWERS_MOST / (t->all + 1)) {
    t->answers.values = malloc((rows * results + 1) * sizeof(double));
    if (t->answers.values == NULL) return nl_no_memory(error, rows * results + 1, sizeof(double));
  }
  const nl_newton_input input = {.network = t->input.network,
                                 .original = t->input.original,
                                 .reduced = t->reduced,
                                 .step = t->order.step,
                                 .rows = t->all,
                                 .share = t->share,
                                 .center = t->center};
  const nl_newton_place place = {t->first, rows, t->input.x, t->values, answers};
  return nl_newton_rows_create(&t->newton, &input, &place, error);
}

// ---- orders -------------------------------------------------------------------------------------------------------------

static void begin_share(nl_refit_rows *t, size_t at) {
  const size_t count = nl_refit_sums(&t->order, t->reduced), first = at * t->share, left = t->input.rows - first;
  t->at = at;
  t->ready = false;
  t->row = first;
  t->end = first + (left < t->share ? left : t->share);
  if (count == 0) t->end = t->input.rows;
  if (t->order.task == NL_REFIT_NEWTON)
    nl_newton_rows_begin(t->newton, &t->order.newton, at, t->sums);
  else if (count > 0)
    memset(t->sums, 0, count * sizeof *t->sums);
}

bool nl_refit_rows_done(const nl_refit_rows *t) { return t->done; }

void nl_refit_rows_tell(nl_refit_rows *t, double before) { t->order.newton.before = before; }

nl_status nl_refit_rows_begin(nl_refit_rows *t, const nl_refit_order *order, nl_error *error) {
  t->order = *order;
  t->done = false;
  if (order->task == NL_REFIT_ORIGINAL)
    NL_TRY(take_values(t, t->input.original->layers[order->step].width, &t->original[order->step], error));
  else if (order->task == NL_REFIT_REDUCED) {
    drop_fit(t);
    NL_TRY(take_values(t, t->reduced->layers[order->step].width, &t->values[order->step], error));
  } else
    NL_TRY(take_fit(t, error));
  if (order->task == NL_REFIT_NEWTON && t->newton == NULL) NL_TRY(take_newton(t, error));
  begin_share(t, 0);
  return NL_OK;
}

// Whether the share is done.
static bool do_block(nl_refit_rows *t, size_t *work) {
  const size_t rows = block_rows(t);
  switch (t->order.task) {
  case NL_REFIT_ORIGINAL:
    *work += evaluate_block(t, rows, t->input.original, t->original);
    break;
  case NL_REFIT_MEANS:
    *work += add_means(t, rows);
    break;
  case NL_REFIT_FIT:
    *work += fit_block(t, rows);
    break;
  case NL_REFIT_NEWTON:
    return nl_newton_rows_step(t->newton, work);
  default:
    *work += evaluate_block(t, rows, t->reduced, t->values);
    break;
  }
  t->row += rows;
  return t->row == t->end;
}

void nl_refit_rows_step(nl_refit_rows *t, double **sums, size_t *work) {
  if (t->ready) begin_share(t, t->at + 1);
  t->ready = do_block(t, work);
  *sums = t->ready ? t->sums : NULL;
  if (!t->ready || (nl_refit_sums(&t->order, t->reduced) > 0 && (t->at + 1) * t->share < t->input.rows)) return;
  t->done = true;
  if (t->order.task == NL_REFIT_ORIGINAL) leave_original(t);
  if (t->order.task == NL_REFIT_REDUCED) leave_step(t);
}
