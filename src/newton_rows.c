// What newton does on rows: derivatives of a part of them, kept for the products; errors of all of them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "newton_parts.h"

enum {
  PROBES_MOST = 8, // beyond, random signs stand for the outputs
  NUMBERS_MOST = 1 << 23,
  SOLVE_MOST = 100000000,  // multiplications: one preconditioning is one step of work
  ROUND_MOST = 2000000000, // multiplications
};

struct nl_newton_rows {
  nl_newton_input input;
  nl_newton_place place;
  nl_newton_order order;
  nl_arena arena;
  nl_scratch before, after, gradients; // original; reduced, from the step on
  size_t in, out, n;                   // n = in, and one for a bias
  size_t probes, results;
  size_t rest;    // multiplications of one row from the step on
  size_t *starts; // (shares + 1) first of the rows kept of each
  double *u;      // (rows kept, n) inputs less the center, then 1
  double *g;      // (rows kept, probes, out)
  double *e;      // (rows kept, probes) what the outputs miss
  double *block;  // (NL_FORWARD_ROWS, out)
  double *sums;   // of the share at hand
  size_t share, row, end;
  size_t rounds; // begun
  uint64_t state;
};

// ---- how many rows ------------------------------------------------------------------------------------------------------

static size_t probes_of(const nl_network *network) {
  return network->results < PROBES_MOST ? network->results : PROBES_MOST;
}

static size_t inputs_of(const nl_layer *layer) { return layer->in_width + (layer->bias != NULL); }

// Rows a round can afford.
static size_t affordable(const nl_newton_input *input) {
  const nl_layer *layer = &input->reduced->layers[input->step];
  const size_t n = layer->in_width + 1, out = layer->width, probes = probes_of(input->network);
  const size_t memory = NUMBERS_MOST / (n + probes * (out + 1));
  const size_t time = ROUND_MOST / (2 * NL_NEWTON_TURNS * out) / (n + probes);
  const size_t rows = memory < time ? memory : time;
  return rows < input->rows ? rows : input->rows;
}

bool nl_newton_worth(const nl_newton_input *input) {
  const nl_layer *layer = &input->reduced->layers[input->step];
  const size_t n = layer->in_width + 1, out = layer->width;
  if (n > SOLVE_MOST || out > SOLVE_MOST || input->network->results == 0) return false;
  if (n > SOLVE_MOST / n || out > SOLVE_MOST / (n * n)) return false;
  const size_t rows = affordable(input);
  return (rows >= NL_FORWARD_ROWS || rows == input->rows) && rows >= NL_NEWTON_ROWS_A_WEIGHT * inputs_of(layer);
}

size_t nl_newton_sums(const nl_newton_input *input, nl_newton_task task) {
  const nl_layer *layer = &input->reduced->layers[input->step];
  const size_t n = inputs_of(layer), out = layer->width;
  return task == NL_NEWTON_GATHER ? NL_GATHERED_HEAD + out + n * n : task == NL_NEWTON_PRODUCT ? out * n : 2;
}

// Of one row from the step on.
static size_t rest_of(const nl_newton_input *input) {
  size_t rest = 0;
  for (size_t s = input->step; s < input->network->step_count; s++)
    rest += input->reduced->layers[s].width * (input->reduced->layers[s].in_width + 8);
  return rest;
}

// Of the rows up to `row`, how many are to be kept: those a round can afford, as many of each share.
static size_t due(const nl_newton_rows *t, size_t row) {
  const nl_newton_input *input = &t->input;
  const size_t most = affordable(input);
  return most == input->rows ? row : (size_t)((double)most / (double)input->rows * (double)row);
}

// ---- life ---------------------------------------------------------------------------------------------------------------

static nl_status take_all(nl_newton_rows *t, nl_error *error) {
  const nl_newton_place *place = &t->place;
  const size_t rows = due(t, place->first + place->rows) - due(t, place->first);
  nl_arena *arena = &t->arena;
  NL_TAKE(arena, t->starts, size_t, place->rows / t->input.share + 2, error);
  NL_TAKE(arena, t->u, double, rows * t->n + 1, error);
  NL_TAKE(arena, t->g, double, rows * t->probes * t->out + 1, error);
  NL_TAKE(arena, t->e, double, rows * t->probes + 1, error);
  NL_TAKE(arena, t->block, double, NL_FORWARD_ROWS * t->out + 1, error);
  const nl_newton_input *input = &t->input;
  NL_TRY(nl_scratch_create(&t->before, input->network, input->original, NL_FORWARD_ROWS, error));
  NL_TRY(nl_scratch_create(&t->after, input->network, input->reduced, NL_FORWARD_ROWS, error));
  return nl_scratch_create(&t->gradients, input->network, input->reduced, NL_FORWARD_ROWS, error);
}

nl_status nl_newton_rows_create(nl_newton_rows **out, const nl_newton_input *input, const nl_newton_place *place,
                                nl_error *error) {
  nl_newton_rows *t = calloc(1, sizeof *t);
  if (t == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *t, 0);
  const nl_layer *layer = &input->reduced->layers[input->step];
  t->input = *input;
  t->place = *place;
  t->in = layer->in_width;
  t->out = layer->width;
  t->n = inputs_of(layer);
  t->results = input->network->results;
  t->probes = probes_of(input->network);
  t->rest = rest_of(input);
  const nl_status status = take_all(t, error);
  if (status != NL_OK)
    nl_newton_rows_free(t);
  else
    *out = t;
  return status;
}

void nl_newton_rows_free(nl_newton_rows *t) {
  if (t == NULL) return;
  nl_scratch_free(&t->before);
  nl_scratch_free(&t->after);
  nl_scratch_free(&t->gradients);
  nl_arena_free(&t->arena);
  free(t);
}

// ---- both networks on the rows at hand ----------------------------------------------------------------------------------

// What the original gives on some rows, one output behind the other: into its scratch, or out of it.
static void pass_answers(const nl_network *network, const nl_scratch *original, size_t rows, double *at, bool keep) {
  for (size_t o = 0; o < network->output_count; o++) {
    double *values = original->values[network->outputs[o]];
    const size_t count = rows * network->steps[network->outputs[o]].width;
    memcpy(keep ? at : values, keep ? values : at, count * sizeof *values);
    at += count;
  }
}

void nl_answers_add(nl_answers *answers, const nl_network *network, const nl_scratch *original, size_t rows) {
  if (answers->values == NULL) return;
  pass_answers(network, original, rows, answers->values + answers->rows * network->results, true);
  answers->rows += rows;
}

static void evaluate_original(nl_newton_rows *t, size_t rows, size_t *work) {
  const nl_network *network = t->input.network;
  nl_answers *answers = t->place.answers;
  if (t->row + rows <= answers->rows) {
    pass_answers(network, &t->before, rows, answers->values + t->row * t->results, false);
    return;
  }
  nl_forward_all(network, t->input.original, &t->before, rows, t->place.x + t->row * network->features);
  *work += rows * network->parameters;
  if (t->row == answers->rows) nl_answers_add(answers, network, &t->before, rows);
}

static void evaluate_block(nl_newton_rows *t, size_t rows, size_t *work) {
  const nl_newton_input *input = &t->input;
  evaluate_original(t, rows, work);
  for (size_t s = 0; s < input->step; s++)
    if (t->place.values[s] != NULL) t->after.values[s] = nl_rows_read(t->place.values[s], t->row, rows);
  nl_forward_from(input->network, input->reduced, &t->after, input->step, rows,
                  t->place.x + t->row * input->network->features);
  *work += rows * t->rest;
}

// Adds what they differ by on the rows at hand to the squared error, and the squared outputs.
static void compare_block(const nl_newton_rows *t, size_t rows, double *sums) {
  const nl_network *network = t->input.network;
  for (size_t o = 0; o < network->output_count; o++) {
    const size_t step = network->outputs[o];
    const double *f = t->before.values[step], *now = t->after.values[step];
    for (size_t i = 0; i < rows * network->steps[step].width; i++) {
      sums[0] += (f[i] - now[i]) * (f[i] - now[i]);
      sums[1] += f[i] * f[i];
    }
  }
}

// ---- derivatives --------------------------------------------------------------------------------------------------------

static double random_sign(nl_newton_rows *t) { // xorshift64 (Marsaglia 2003)
  t->state ^= t->state << 13;
  t->state ^= t->state >> 7;
  t->state ^= t->state << 17;
  return t->state >> 63 != 0 ? 1.0 : -1.0;
}

// Seeds one probe at the outputs; e receives what that combination of the outputs misses.
static void seed_probe(nl_newton_rows *t, size_t rows, size_t probe, double *e) {
  const nl_network *network = t->input.network;
  for (size_t s = t->input.step; s < network->step_count; s++)
    memset(t->gradients.values[s], 0, rows * t->input.reduced->layers[s].width * sizeof(double));
  size_t column = 0;
  for (size_t o = 0; o < network->output_count; o++) {
    const size_t step = network->outputs[o], width = network->steps[step].width;
    for (size_t c = 0; c < width; c++, column++)
      for (size_t r = 0; r < rows; r++) {
        const double seed = t->results > PROBES_MOST ? random_sign(t) : column == probe ? 1.0 : 0.0;
        t->gradients.values[step][r * width + c] = seed;
        e[r * t->probes + probe] +=
            seed * (t->before.values[step][r * width + c] - t->after.values[step][r * width + c]);
      }
  }
}

static void keep_inputs(nl_newton_rows *t, size_t rows, double *u) {
  const double *a = t->after.values[t->input.network->steps[t->input.step].inputs[0]];
  for (size_t r = 0; r < rows; r++, u += t->n) {
    for (size_t i = 0; i < t->in; i++) u[i] = a[r * t->in + i] - t->input.center[i];
    if (t->n > t->in) u[t->in] = 1.0;
  }
}

static void keep_derivatives(nl_newton_rows *t, size_t rows, double *e, double *g) {
  const nl_newton_input *input = &t->input;
  memset(e, 0, rows * t->probes * sizeof *e);
  for (size_t probe = 0; probe < t->probes; probe++) {
    seed_probe(t, rows, probe, e);
    nl_forward_gradient_to(input->network, input->reduced, &t->after, &t->gradients, input->step, rows);
    const double *from = t->gradients.values[input->step];
    for (size_t r = 0; r < rows; r++)
      memcpy(g + (r * t->probes + probe) * t->out, from + r * t->out, t->out * sizeof *g);
  }
}

static void keep_block(nl_newton_rows *t, size_t rows, size_t *work) {
  size_t *kept = &t->starts[t->share + 1];
  double *u = t->u + *kept * t->n, *g = t->g + *kept * t->probes * t->out, *e = t->e + *kept * t->probes;
  double *power = t->sums + NL_GATHERED_HEAD;
  keep_inputs(t, rows, u);
  keep_derivatives(t, rows, e, g);
  for (size_t i = 0; i < rows * t->probes; i++)
    for (size_t o = 0; o < t->out; o++) power[o] += g[i * t->out + o] * g[i * t->out + o];
  nl_gram_f64(rows, t->n, u, t->n, power + t->out, t->n, t->after.work);
  t->sums[NL_GATHERED_ROWS] += (double)rows;
  *kept += rows;
  *work += t->probes * rows * t->rest + rows * t->n * t->n / 2;
}

// Rows of the block at hand that are kept: whole blocks, evenly, where there is no room for all of them.
static size_t rows_kept(const nl_newton_rows *t, size_t rows) {
  const size_t first = t->share * t->input.share, from = t->place.first;
  const size_t share = due(t, from + t->end) - due(t, from + first);
  const size_t blocks = (t->end - first + NL_FORWARD_ROWS - 1) / NL_FORWARD_ROWS;
  const size_t kept = (share + NL_FORWARD_ROWS - 1) / NL_FORWARD_ROWS;
  if ((t->row - first) / NL_FORWARD_ROWS * kept % blocks >= kept) return 0;
  const size_t left = share - (t->starts[t->share + 1] - t->starts[t->share]);
  return rows < left ? rows : left;
}

// The error is known from the second round on.
static void gather_block(nl_newton_rows *t, size_t rows, size_t *work) {
  const size_t kept = rows_kept(t, rows);
  if (t->rounds == 1 || kept > 0) evaluate_block(t, rows, work);
  if (t->rounds == 1) compare_block(t, rows, t->sums);
  if (kept > 0) keep_block(t, kept, work);
}

// ---- products -----------------------------------------------------------------------------------------------------------

// Adds g (gᵀ D u) uᵀ over some of the rows kept to the product; without a direction D, g e uᵀ.
static void multiply_block(nl_newton_rows *t, size_t rows, size_t *work) {
  const size_t n = t->n, out = t->out;
  const double *u = t->u + t->row * n, *direction = t->order.direction;
  double *along = t->block; // D u, then what goes back
  memset(along, 0, rows * out * sizeof *along);
  if (direction != NULL) nl_matmul_f64(rows, out, n, u, n, 1, direction, 1, n, along, out, t->after.work);
  for (size_t r = 0; r < rows; r++) {
    double share[PROBES_MOST];
    for (size_t p = 0; p < t->probes; p++) {
      const size_t at = (t->row + r) * t->probes + p;
      share[p] = direction != NULL ? nl_dot_f64(out, t->g + at * out, along + r * out) : t->e[at];
    }
    memset(along + r * out, 0, out * sizeof *along);
    for (size_t p = 0; p < t->probes; p++)
      nl_axpy_f64(out, share[p], t->g + ((t->row + r) * t->probes + p) * out, along + r * out);
  }
  nl_matmul_f64(out, n, rows, along, 1, out, u, n, 1, t->sums, n, t->after.work);
  *work += 2 * rows * out * (n + t->probes);
}

// ---- orders -------------------------------------------------------------------------------------------------------------

void nl_newton_rows_begin(nl_newton_rows *t, const nl_newton_order *order, size_t share, double *sums) {
  const size_t first = share * t->input.share, left = t->place.rows - first;
  t->order = *order;
  t->share = share;
  t->sums = sums;
  memset(sums, 0, nl_newton_sums(&t->input, order->task) * sizeof *sums);
  t->row = first;
  t->end = first + (left < t->input.share ? left : t->input.share);
  if (order->task == NL_NEWTON_PRODUCT) {
    t->row = t->starts[share];
    t->end = t->starts[share + 1];
  }
  if (order->task != NL_NEWTON_GATHER) return;
  t->rounds += share == 0;
  t->starts[share + 1] = t->starts[share];
  t->state = 0x9e3779b97f4a7c15u * (uint64_t)((t->place.first + first) / t->input.share + 1);
}

bool nl_newton_rows_step(nl_newton_rows *t, size_t *work) {
  const size_t left = t->end - t->row, rows = left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
  if (rows == 0) return true;
  if (t->order.task == NL_NEWTON_GATHER) gather_block(t, rows, work);
  if (t->order.task == NL_NEWTON_PRODUCT) multiply_block(t, rows, work);
  if (t->order.task == NL_NEWTON_TRY) {
    evaluate_block(t, rows, work);
    compare_block(t, rows, t->sums);
    if (t->order.before + t->sums[0] >= t->order.best) return true; // it only grows
  }
  t->row += rows;
  return t->row == t->end;
}
