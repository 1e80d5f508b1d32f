#include "newton.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "linear_blocks.h"

enum {
  ROUNDS = 2,        // derivatives are taken anew in each
  TURNS = 8,         // of conjugate gradients; 10 and more gain a tenth of what these do
  TRIES = 3,         // the whole step, a half, a quarter
  PROBES_MOST = 8,   // beyond, random signs stand for the outputs
  ROWS_A_WEIGHT = 4, // at least, for each of a neuron's weights
  NUMBERS_MOST = 1 << 23,
  SOLVE_MOST = 100000000,  // multiplications: one preconditioning is one step of work
  ROUND_MOST = 2000000000, // multiplications
};
// Ridges, relative to the mean of the diagonal: of the curvature, and of the two factors of its preconditioner.
static const double curvature_ridge = 1e-3, factor_ridge = 1e-3;
static const double exact = 1e-14; // squared error over squared output: rounding, nothing to fit

typedef enum stage { STAGE_GATHER, STAGE_FACTOR, STAGE_PRODUCT, STAGE_TRY } stage;

struct nl_newton {
  nl_newton_input input;
  nl_arena arena;
  nl_scratch before, after, gradients; // original; reduced, from the step on
  size_t in, out, n;                   // n = in, and one for a bias
  size_t probes, results;
  size_t rest;                                            // multiplications of one row from the step on
  size_t rows, most;                                      // rows gathered; room for them
  double *u;                                              // (rows, n) inputs less `center`, then 1
  double *g;                                              // (rows, probes, out)
  double *e;                                              // (rows, probes) what the outputs miss
  double *center;                                         // (in)
  double *factor;                                         // (n, n) of E u uᵀ
  double *power;                                          // (out) E g²
  double *start;                                          // (out, n) weights and bias at the start of the round
  double *move, *residual, *direction, *product, *solved; // (out, n)
  double *turned;                                         // (n, out)
  double *block;                                          // (NL_FORWARD_ROWS, out)
  double *work;
  double curvature, slope;
  double error, squares; // Σ (f - f')² and Σ f² over all rows
  double best;           // the error to fall below
  uint64_t state;
  stage stage;
  size_t row, round, turn, tries;
};

// ---- life ---------------------------------------------------------------------------------------------------------------

static size_t probes_of(const nl_network *network) {
  return network->results < PROBES_MOST ? network->results : PROBES_MOST;
}

// Rows a round can afford.
static size_t affordable(const nl_newton_input *input) {
  const nl_layer *layer = &input->reduced->layers[input->step];
  const size_t n = layer->in_width + 1, out = layer->width, probes = probes_of(input->network);
  const size_t memory = NUMBERS_MOST / (n + probes * (out + 1));
  const size_t time = ROUND_MOST / (2 * TURNS * out) / (n + probes);
  const size_t rows = memory < time ? memory : time;
  return rows < input->rows ? rows : input->rows;
}

bool nl_newton_worth(const nl_newton_input *input) {
  const nl_layer *layer = &input->reduced->layers[input->step];
  const size_t n = layer->in_width + 1, out = layer->width;
  if (n > SOLVE_MOST || out > SOLVE_MOST || input->network->results == 0) return false;
  if (n > SOLVE_MOST / n || out > SOLVE_MOST / (n * n)) return false;
  const size_t rows = affordable(input);
  return (rows >= NL_FORWARD_ROWS || rows == input->rows) && rows >= ROWS_A_WEIGHT * (n - (layer->bias == NULL));
}

static nl_status take_all(nl_newton *t, nl_error *error) {
  const size_t n = t->n, out = t->out, rows = t->most;
  nl_arena *arena = &t->arena;
  NL_TAKE(arena, t->u, double, rows *n + 1, error);
  NL_TAKE(arena, t->g, double, rows * t->probes * out + 1, error);
  NL_TAKE(arena, t->e, double, rows * t->probes + 1, error);
  NL_TAKE(arena, t->center, double, n, error);
  NL_TAKE(arena, t->factor, double, n *n, error);
  NL_TAKE(arena, t->power, double, out, error);
  double **vectors[] = {&t->start, &t->move, &t->residual, &t->direction, &t->product, &t->solved, &t->turned};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) NL_TAKE(arena, *vectors[i], double, n *out + 1, error);
  NL_TAKE(arena, t->block, double, NL_FORWARD_ROWS *out + 1, error);
  NL_TAKE(arena, t->work, double, nl_matmul_f64_work() + nl_cholesky_blocks_work(n), error);
  const nl_newton_input *input = &t->input;
  NL_TRY(nl_scratch_create(&t->before, input->network, input->original, NL_FORWARD_ROWS, error));
  NL_TRY(nl_scratch_create(&t->after, input->network, input->reduced, NL_FORWARD_ROWS, error));
  return nl_scratch_create(&t->gradients, input->network, input->reduced, NL_FORWARD_ROWS, error);
}

nl_status nl_newton_create(nl_newton **out, const nl_newton_input *input, nl_error *error) {
  nl_newton *t = calloc(1, sizeof *t);
  if (t == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *t, 0);
  const nl_layer *layer = &input->reduced->layers[input->step];
  t->input = *input;
  t->in = layer->in_width;
  t->out = layer->width;
  t->n = t->in + (layer->bias != NULL);
  t->results = input->network->results;
  t->probes = probes_of(input->network);
  t->most = affordable(input);
  for (size_t s = input->step; s < input->network->step_count; s++)
    t->rest += input->reduced->layers[s].width * (input->reduced->layers[s].in_width + 8);
  const nl_status status = take_all(t, error);
  if (status != NL_OK)
    nl_newton_free(t);
  else
    *out = t;
  return status;
}

void nl_newton_free(nl_newton *t) {
  if (t == NULL) return;
  nl_scratch_free(&t->before);
  nl_scratch_free(&t->after);
  nl_scratch_free(&t->gradients);
  nl_arena_free(&t->arena);
  free(t);
}

// ---- rows ---------------------------------------------------------------------------------------------------------------

// What the original gives on some rows, outputs side by side: into its scratch, or out of it.
static void pass_answers(nl_newton *t, size_t rows, bool keep) {
  const nl_network *network = t->input.network;
  double *at = t->input.answers->values + t->row * t->results;
  for (size_t o = 0; o < network->output_count; o++) {
    double *values = t->before.values[network->outputs[o]];
    const size_t count = rows * network->steps[network->outputs[o]].width;
    memcpy(keep ? at : values, keep ? values : at, count * sizeof *values);
    at += count;
  }
}

static void evaluate_original(nl_newton *t, size_t rows, size_t *work) {
  const nl_network *network = t->input.network;
  nl_answers *answers = t->input.answers;
  if (t->row + rows <= answers->rows) {
    pass_answers(t, rows, false);
    return;
  }
  nl_forward_all(network, t->input.original, &t->before, rows, t->input.x + t->row * network->features);
  *work += rows * network->parameters;
  if (answers->values == NULL || t->row != answers->rows) return;
  pass_answers(t, rows, true);
  answers->rows += rows;
}

static size_t block_rows(const nl_newton *t) {
  const size_t left = t->input.rows - t->row;
  return left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
}

// Both networks on the rows at hand.
static void evaluate_block(nl_newton *t, size_t rows, size_t *work) {
  const nl_newton_input *input = &t->input;
  evaluate_original(t, rows, work);
  for (size_t s = 0; s < input->step; s++)
    if (input->values[s] != NULL) t->after.values[s] = nl_rows_read(input->values[s], t->row, rows);
  nl_forward_from(input->network, input->reduced, &t->after, input->step, rows,
                  input->x + t->row * input->network->features);
  *work += rows * t->rest;
}

// Adds what they differ by on the rows at hand to the squared error.
static void compare_block(nl_newton *t, size_t rows) {
  const nl_network *network = t->input.network;
  for (size_t o = 0; o < network->output_count; o++) {
    const size_t step = network->outputs[o];
    const double *f = t->before.values[step], *now = t->after.values[step];
    for (size_t i = 0; i < rows * network->steps[step].width; i++) {
      t->error += (f[i] - now[i]) * (f[i] - now[i]);
      t->squares += f[i] * f[i];
    }
  }
}

static double random_sign(nl_newton *t) { // xorshift64 (Marsaglia 2003)
  t->state ^= t->state << 13;
  t->state ^= t->state >> 7;
  t->state ^= t->state << 17;
  return t->state >> 63 != 0 ? 1.0 : -1.0;
}

// Seeds one probe at the outputs; e receives what that combination of the outputs misses.
static void seed_probe(nl_newton *t, size_t rows, size_t probe, double *e) {
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

static void keep_inputs(nl_newton *t, size_t rows) {
  const double *a = t->after.values[t->input.network->steps[t->input.step].inputs[0]];
  if (t->rows == 0 && t->n > t->in) {
    memset(t->center, 0, t->in * sizeof *t->center);
    for (size_t r = 0; r < rows; r++) nl_axpy_f64(t->in, 1.0 / (double)rows, a + r * t->in, t->center);
  }
  double *u = t->u + t->rows * t->n;
  for (size_t r = 0; r < rows; r++, u += t->n) {
    for (size_t i = 0; i < t->in; i++) u[i] = a[r * t->in + i] - t->center[i];
    if (t->n > t->in) u[t->in] = 1.0;
  }
}

static void keep_derivatives(nl_newton *t, size_t rows) {
  const nl_newton_input *input = &t->input;
  double *e = t->e + t->rows * t->probes, *g = t->g + t->rows * t->probes * t->out;
  memset(e, 0, rows * t->probes * sizeof *e);
  for (size_t probe = 0; probe < t->probes; probe++) {
    seed_probe(t, rows, probe, e);
    nl_forward_gradient_to(input->network, input->reduced, &t->after, &t->gradients, input->step, rows);
    const double *from = t->gradients.values[input->step];
    for (size_t r = 0; r < rows; r++)
      memcpy(g + (r * t->probes + probe) * t->out, from + r * t->out, t->out * sizeof *g);
  }
}

// Blocks are taken evenly where there is no room for all of them. The error is known from the second round on.
static void gather_block(nl_newton *t, size_t *work) {
  const size_t rows = block_rows(t);
  const double due = (double)(t->row + rows) / (double)t->input.rows * (double)t->most;
  const bool kept = t->rows + rows <= t->most && (double)(t->rows + rows) <= due + NL_FORWARD_ROWS;
  if (t->round == 0 || kept) evaluate_block(t, rows, work);
  if (t->round == 0) compare_block(t, rows);
  if (kept) {
    keep_inputs(t, rows);
    keep_derivatives(t, rows);
    nl_gram_f64(rows, t->n, t->u + t->rows * t->n, t->n, t->factor, t->n, t->after.work);
    t->rows += rows;
    *work += t->probes * rows * t->rest + rows * t->n * t->n / 2;
  }
  t->row += rows;
  if (t->row == t->input.rows) t->stage = STAGE_FACTOR;
}

static void start_round(nl_newton *t) {
  const nl_layer *layer = &t->input.reduced->layers[t->input.step];
  for (size_t o = 0; o < t->out; o++) {
    memcpy(t->start + o * t->n, layer->weights + o * t->in, t->in * sizeof *t->start);
    if (layer->bias != NULL) t->start[o * t->n + t->in] = layer->bias[o];
  }
  memset(t->factor, 0, t->n * t->n * sizeof *t->factor);
  t->state = 0x9e3779b97f4a7c15u;
  t->row = t->rows = t->turn = t->tries = 0;
  if (t->round == 0) t->error = t->squares = 0;
}

// ---- conjugate gradients ------------------------------------------------------------------------------------------------

// The preconditioner's two factors. False where the derivatives say nothing.
static bool factorise(nl_newton *t) {
  double trace = 0, power = 0;
  const double rows = (double)t->rows;
  memset(t->power, 0, t->out * sizeof *t->power);
  for (size_t i = 0; i < t->rows * t->probes; i++)
    for (size_t o = 0; o < t->out; o++) t->power[o] += t->g[i * t->out + o] * t->g[i * t->out + o] / rows;
  for (size_t o = 0; o < t->out; o++) power += t->power[o] / (double)t->out;
  for (size_t o = 0; o < t->out; o++) t->power[o] += factor_ridge * power;
  for (size_t i = 0; i < t->n; i++)
    for (size_t j = i; j < t->n; j++)
      t->factor[j * t->n + i] = t->factor[i * t->n + j] = t->factor[i * t->n + j] / rows;
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

// Adds E g (gᵀ D u) uᵀ over some rows to the product; before the first turn, E g e uᵀ.
static void multiply_block(nl_newton *t, size_t *work) {
  const size_t left = t->rows - t->row, rows = left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
  const size_t n = t->n, out = t->out;
  const double *u = t->u + t->row * n;
  double *along = t->block; // D u, then what goes back
  memset(along, 0, rows * out * sizeof *along);
  if (t->turn > 0) nl_matmul_f64(rows, out, n, u, n, 1, t->direction, 1, n, along, out, t->after.work);
  for (size_t r = 0; r < rows; r++) {
    double share[PROBES_MOST];
    for (size_t p = 0; p < t->probes; p++) {
      const size_t at = (t->row + r) * t->probes + p;
      share[p] = (t->turn > 0 ? nl_dot_f64(out, t->g + at * out, along + r * out) : t->e[at]) / (double)t->rows;
    }
    memset(along + r * out, 0, out * sizeof *along);
    for (size_t p = 0; p < t->probes; p++)
      nl_axpy_f64(out, share[p], t->g + ((t->row + r) * t->probes + p) * out, along + r * out);
  }
  nl_matmul_f64(out, n, rows, along, 1, out, u, n, 1, t->product, n, t->after.work);
  t->row += rows;
  *work += 2 * rows * out * (n + t->probes);
}

static void begin_product(nl_newton *t) {
  t->row = 0;
  memset(t->product, 0, t->out * t->n * sizeof *t->product);
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

static bool turn_on(nl_newton *t) {
  const size_t count = t->out * t->n;
  if (t->turn == 0) {
    memcpy(t->residual, t->product, count * sizeof *t->residual);
    memset(t->move, 0, count * sizeof *t->move);
  } else {
    nl_axpy_f64(count, t->curvature, t->direction, t->product);
    const double along = nl_dot_f64(count, t->direction, t->product);
    if (!(along > 0) || !isfinite(along)) return false;
    nl_axpy_f64(count, t->slope / along, t->direction, t->move);
    nl_axpy_f64(count, -t->slope / along, t->product, t->residual);
  }
  if (t->turn == TURNS || !next_direction(t)) return false;
  t->turn++;
  return true;
}

// ---- the step taken -----------------------------------------------------------------------------------------------------

static void place(nl_newton *t, double share) {
  const nl_layer *layer = &t->input.reduced->layers[t->input.step];
  for (size_t o = 0; o < t->out; o++) {
    const double *start = t->start + o * t->n, *move = t->move + o * t->n;
    for (size_t i = 0; i < t->in; i++) layer->weights[o * t->in + i] = start[i] + share * move[i];
    if (layer->bias != NULL) layer->bias[o] = start[t->in] + share * (move[t->in] - nl_dot_f64(t->in, move, t->center));
  }
}

static void begin_try(nl_newton *t) {
  place(t, ldexp(1.0, -(int)t->tries));
  t->row = 0;
  t->error = t->squares = 0;
  t->stage = STAGE_TRY;
}

static void try_block(nl_newton *t, size_t *work) {
  const size_t rows = block_rows(t);
  evaluate_block(t, rows, work);
  compare_block(t, rows);
  t->row += rows;
}

// One block, or what stands between two stages. True when all is done.
static bool advance(nl_newton *t, size_t *work) {
  switch (t->stage) {
  case STAGE_GATHER:
    if (t->row == 0) start_round(t);
    gather_block(t, work);
    return false;
  case STAGE_FACTOR:
    t->best = t->error;
    if (t->rows < ROWS_A_WEIGHT * t->n || !(t->error > exact * t->squares) || !factorise(t)) return true;
    begin_product(t);
    t->stage = STAGE_PRODUCT;
    return false;
  case STAGE_PRODUCT:
    if (t->row < t->rows) return multiply_block(t, work), false;
    *work += t->n * t->n * t->out;
    if (turn_on(t))
      begin_product(t);
    else
      begin_try(t);
    return false;
  case STAGE_TRY:
    try_block(t, work);
    if (t->row < t->input.rows && !(t->error >= t->best)) return false; // it only grows
    if (t->error < t->best) {
      t->stage = STAGE_GATHER;
      t->row = 0;
      return ++t->round == ROUNDS;
    }
    if (++t->tries == TRIES) return place(t, 0.0), true;
    begin_try(t);
    return false;
  }
  return true;
}

nl_status nl_newton_step(nl_newton *t, size_t *work, size_t most) {
  while (*work < most)
    if (advance(t, work)) return NL_OK;
  return NL_MORE;
}
