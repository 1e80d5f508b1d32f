#include "refit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "linear_blocks.h"
#include "newton.h"

static const double ridge_share = 1e-6; // of the mean variance; 1e-6 to 1e-3 measured alike
enum { WORK_PER_STEP = 20000000 };      // multiplications: some 20 ms
enum { ANSWERS_MOST = 1 << 23 };        // numbers: 64 MB

typedef enum stage {
  STAGE_LUMP,
  STAGE_ORIGINAL,
  STAGE_PREPARE,
  STAGE_FIT,
  STAGE_SOLVE,
  STAGE_NEWTON,
  STAGE_REDUCED,
  STAGE_NEXT
} stage;

// What a least-squares fit gathers: shifted activations u of the smaller network, residuals r of the compensated layer.
typedef struct fit {
  size_t in, out;
  double *center;  // (in) first block's mean
  double *sum_u;   // (in)
  double *sum_r;   // (out)
  double *gram;    // (in, in)
  double *cross;   // (in, out)
  double *block_u; // (NL_FORWARD_ROWS, in)
  double *block_r; // (NL_FORWARD_ROWS, out)
  double *memory;
} fit;

struct nl_refit {
  nl_refit_input input;
  nl_parameters reduced;
  nl_rows **original; // (steps) values
  nl_rows **values;   // (steps) of the smaller network; the same where nothing changed
  double **window;    // (steps) pointers to the rows at hand
  bool *changed;      // (steps) differs from the original in number or value
  size_t *last_use;   // (steps) the last step that reads it
  double *x;          // (NL_FORWARD_ROWS, features) the rows at hand, where they are kept in single precision
  double *work;
  size_t step;
  stage stage;
  size_t row;
  fit fit;
  nl_newton *newton;
  nl_answers answers;
  size_t prepared; // layers of the smaller network that are there
  // where weights come and go
  nl_lumping *lumpings; // (sites)
  nl_lumping_fit *lump; // of what the step read_by reads
  size_t lumped;        // the step whose lumping has P and p now, or NL_NONE
};

// ---- set-up -------------------------------------------------------------------------------------------------------------

static const nl_lumping *lumping_at(const nl_refit *refit, size_t step) {
  return nl_lumping_at(refit->input.sites, refit->input.lumpings, step);
}

static void find_last_uses(nl_refit *refit) {
  const nl_network *network = refit->input.network;
  for (size_t s = 0; s < network->step_count; s++)
    for (size_t i = 0; i < network->steps[s].input_count; i++) refit->last_use[network->steps[s].inputs[i]] = s;
  for (size_t o = 0; o < network->output_count; o++) refit->last_use[network->outputs[o]] = network->step_count;
}

static void find_changes(nl_refit *refit) {
  const nl_network *network = refit->input.network;
  for (size_t s = 0; s < network->step_count; s++) {
    refit->changed[s] = lumping_at(refit, s) != NULL;
    for (size_t i = 0; i < network->steps[s].input_count; i++)
      refit->changed[s] = refit->changed[s] || refit->changed[network->steps[s].inputs[i]];
  }
}

// What a layer reads at most.
static size_t widest(const nl_refit_input *input) {
  size_t most = 0;
  for (size_t s = 0; s < input->network->step_count; s++)
    if (input->original->layers[s].in_width > most) most = input->original->layers[s].in_width;
  return most;
}

nl_status nl_refit_create(nl_refit **out, const nl_refit_input *input, nl_error *error) {
  const size_t steps = input->network->step_count;
  nl_refit *refit = calloc(1, sizeof *refit);
  if (refit == NULL) return nl_no_memory(error, 1, sizeof *refit);
  refit->input = *input;
  refit->stage = STAGE_ORIGINAL;
  refit->reduced.apart = input->apart != NULL;
  refit->lumped = NL_NONE;
  nl_arena *arena = &refit->reduced.arena;
  refit->reduced.count = steps;
  refit->reduced.layers = nl_arena_take(arena, steps + 1, sizeof(nl_layer));
  refit->original = nl_arena_take(arena, steps + 1, sizeof(nl_rows *));
  refit->values = nl_arena_take(arena, steps + 1, sizeof(nl_rows *));
  refit->window = nl_arena_take(arena, steps + 1, sizeof(double *));
  refit->changed = nl_arena_take(arena, steps + 1, sizeof(bool));
  refit->last_use = nl_arena_take(arena, steps + 1, sizeof(size_t));
  refit->work = nl_arena_take(arena, nl_matmul_f64_work() + nl_cholesky_blocks_work(widest(input)), sizeof(double));
  refit->lumpings = nl_arena_take(arena, input->sites->count + 1, sizeof(nl_lumping));
  if (refit->lumpings == NULL || refit->reduced.layers == NULL || refit->original == NULL || refit->values == NULL ||
      refit->window == NULL || refit->changed == NULL || refit->last_use == NULL || refit->work == NULL) {
    nl_refit_free(refit);
    return nl_no_memory(error, steps + nl_matmul_f64_work(), sizeof(double));
  }
  memcpy(refit->lumpings, input->lumpings, input->sites->count * sizeof *refit->lumpings);
  refit->input.lumpings = refit->lumpings;
  find_last_uses(refit);
  find_changes(refit);
  *out = refit;
  return NL_OK;
}

static void drop_values(nl_refit *refit, size_t step) {
  if (refit->values[step] != refit->original[step]) nl_rows_free(refit->values[step]);
  nl_rows_free(refit->original[step]);
  refit->values[step] = refit->original[step] = NULL;
}

static void drop_lump(nl_refit *refit) {
  nl_lumping_fit_free(refit->lump);
  refit->lump = NULL;
  refit->lumped = NL_NONE;
}

static void drop_fit(fit *f) {
  free(f->memory);
  *f = (fit){0};
}

void nl_refit_free(nl_refit *refit) {
  if (refit == NULL) return;
  for (size_t s = 0; refit->original != NULL && refit->values != NULL && s < refit->reduced.count; s++)
    drop_values(refit, s);
  drop_fit(&refit->fit);
  drop_lump(refit);
  nl_newton_free(refit->newton);
  free(refit->answers.values);
  nl_parameters_free(&refit->reduced);
  free(refit);
}

const nl_parameters *nl_refit_parameters(const nl_refit *refit) { return &refit->reduced; }

nl_rows *nl_refit_output(const nl_refit *refit, size_t step, bool original) {
  return (original ? refit->original : refit->values)[step];
}

// ---- the layer that the lumping alone gives -----------------------------------------------------------------------------

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

// R W P and R (b + W p): rows picked or mixed by the lumping of the layer's own site, columns taken over by that of its
// input's.
static nl_status compensated_dense(nl_refit *refit, size_t s, nl_error *error) {
  const nl_step *step = &refit->input.network->steps[s];
  const nl_layer *from = &refit->input.original->layers[s];
  nl_layer *to = &refit->reduced.layers[s];
  nl_arena *arena = &refit->reduced.arena;
  const nl_lumping *own = lumping_at(refit, s), *read = lumping_at(refit, step->inputs[0]);
  to->width = own != NULL ? own->k : from->width;
  to->in_width = read != NULL ? read->k : from->in_width;
  double *work = NULL;
  NL_TAKE(arena, to->weights, double, to->width * to->in_width + 1, error);
  NL_TAKE(arena, work, double, to->in_width + 1, error);
  if (step->bias_possible) NL_TAKE(arena, to->bias, double, to->width, error);
  for (size_t o = 0; o < to->width; o++)
    if (own == NULL || own->restriction == NULL)
      add_row(from, read, own != NULL ? own->kept[o] : o, 1.0, work, to, o);
    else
      for (size_t row = 0; row < from->width; row++)
        if (own->restriction[o * own->n + row] != 0)
          add_row(from, read, row, own->restriction[o * own->n + row], work, to, o);
  return NL_OK;
}

// The same by the matrix product, some rows at a time, for layers whose weights come and go.
static nl_status compensated_apart(nl_refit *refit, size_t s, nl_error *error) {
  const nl_step *step = &refit->input.network->steps[s];
  const nl_layer *from = &refit->input.original->layers[s];
  nl_layer *to = &refit->reduced.layers[s];
  const nl_lumping *own = lumping_at(refit, s), *read = lumping_at(refit, step->inputs[0]);
  const size_t n = from->in_width;
  to->width = own != NULL ? own->k : from->width;
  to->in_width = read != NULL ? read->k : n;
  if (step->bias_possible) NL_TAKE(&refit->reduced.arena, to->bias, double, to->width, error);
  to->weights = calloc(to->width * to->in_width + 1, sizeof *to->weights);
  double *rows = malloc((NL_FORWARD_ROWS * n + 1) * sizeof *rows);
  if (to->weights == NULL || rows == NULL) {
    free(rows);
    return nl_no_memory(error, to->width * to->in_width + NL_FORWARD_ROWS * n, sizeof *rows);
  }
  for (size_t o = 0, count; o < to->width; o += count) {
    count = to->width - o < NL_FORWARD_ROWS ? to->width - o : NL_FORWARD_ROWS;
    for (size_t i = 0; i < count; i++) {
      const size_t row = own != NULL ? own->kept[o + i] : o + i;
      memcpy(rows + i * n, from->weights + row * n, n * sizeof *rows);
      if (to->bias == NULL) continue;
      to->bias[o + i] = from->bias != NULL ? from->bias[row] : 0.0;
      if (read != NULL) to->bias[o + i] += nl_dot_f64(n, rows + i * n, read->offset);
    }
    double *weights = to->weights + o * to->in_width;
    if (read == NULL)
      memcpy(weights, rows, count * n * sizeof *rows);
    else
      nl_matmul_f64(count, read->k, n, rows, n, 1, read->prolongation, read->k, 1, weights, read->k, refit->work);
  }
  free(rows);
  return NL_OK;
}

static nl_status prepare_layer(nl_refit *refit, size_t s, nl_error *error) {
  const nl_layer *from = &refit->input.original->layers[s];
  nl_layer *to = &refit->reduced.layers[s];
  const bool apart = refit->input.apart != NULL;
  if (!refit->changed[s]) {
    *to = *from;
    if (apart) to->weights = NULL;
    return NL_OK;
  }
  if (refit->input.network->steps[s].kind == NL_STEP_DENSE)
    return apart ? compensated_apart(refit, s, error) : compensated_dense(refit, s, error);
  const nl_lumping *own = lumping_at(refit, s);
  *to = *from;
  if (own == NULL) return NL_OK;
  to->width = own->k;
  NL_TRY(pick(&refit->reduced.arena, own, from->scale, &to->scale, error));
  return pick(&refit->reduced.arena, own, from->shift, &to->shift, error);
}

// ---- evaluation by blocks of rows ---------------------------------------------------------------------------------------

static size_t block_rows(const nl_refit *refit) {
  const size_t left = refit->input.rows - refit->row;
  return left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
}

// What an input step reads; nothing else does.
static const double *rows_at_hand(const nl_refit *refit) {
  const nl_refit_input *input = &refit->input;
  if (input->kept == NULL) return input->x + refit->row * input->network->features;
  const bool reads = input->network->steps[refit->step].kind == NL_STEP_INPUT;
  return reads ? nl_rows_read(input->kept, refit->row, block_rows(refit)) : NULL;
}

static size_t evaluate_block(nl_refit *refit, const nl_parameters *parameters, nl_rows **values) {
  const nl_network *network = refit->input.network;
  const nl_step *step = &network->steps[refit->step];
  const size_t rows = block_rows(refit);
  for (size_t i = 0; i < step->input_count; i++)
    refit->window[step->inputs[i]] = nl_rows_read(values[step->inputs[i]], refit->row, rows);
  const nl_layer *layer = &parameters->layers[refit->step];
  refit->window[refit->step] = nl_rows_room(values[refit->step], refit->row);
  nl_forward_step(network, parameters, refit->step, rows, rows_at_hand(refit), refit->window, refit->work);
  nl_rows_keep(values[refit->step], refit->row, rows);
  refit->row += rows;
  return rows * layer->width * (step->kind == NL_STEP_DENSE ? layer->in_width : 8);
}

static nl_status take_values(const nl_refit *refit, size_t width, nl_rows **values, nl_error *error) {
  return nl_rows_create(values, refit->input.rows, width, NL_FORWARD_ROWS, refit->input.kept != NULL, error);
}

// ---- least squares ------------------------------------------------------------------------------------------------------

static nl_status start_fit(nl_refit *refit, nl_error *error) {
  fit *f = &refit->fit;
  const nl_layer *layer = &refit->reduced.layers[refit->step];
  f->in = layer->in_width;
  f->out = layer->width;
  const size_t in = f->in, out = f->out, rows = NL_FORWARD_ROWS;
  const size_t count = 2 * in + out + in * in + in * out + rows * (in + out) + 8;
  f->memory = calloc(count, sizeof(double));
  if (f->memory == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, count * sizeof(double), 0);
  f->center = f->memory;
  f->sum_u = f->center + in;
  f->sum_r = f->sum_u + in;
  f->gram = f->sum_r + out;
  f->cross = f->gram + in * in;
  f->block_u = f->cross + in * out;
  f->block_r = f->block_u + rows * in;
  return NL_OK;
}

// What a layer's output o is to be, at `target` (full): the original's, picked or mixed by the layer's own lumping.
static double wanted(const nl_lumping *own, const double *target, size_t full, size_t o) {
  if (own == NULL) return target[o];
  return own->restriction == NULL ? target[own->kept[o]] : nl_dot_f64(full, own->restriction + o * full, target);
}

// What the layer reads in the smaller network.
static const double *read_activations(nl_refit *refit, size_t rows) {
  return nl_rows_read(refit->values[refit->input.network->steps[refit->step].inputs[0]], refit->row, rows);
}

static void block_residuals(nl_refit *refit, size_t rows) {
  const fit *f = &refit->fit;
  const nl_layer *layer = &refit->reduced.layers[refit->step];
  const nl_lumping *own = lumping_at(refit, refit->step);
  const size_t full = refit->input.original->layers[refit->step].width;
  const double *target = nl_rows_read(refit->original[refit->step], refit->row, rows);
  const double *a = read_activations(refit, rows);
  for (size_t r = 0; r < rows; r++)
    for (size_t o = 0; o < f->out; o++)
      f->block_r[r * f->out + o] =
          (layer->bias != NULL ? layer->bias[o] : 0.0) - wanted(own, target + r * full, full, o);
  nl_matmul_f64(rows, f->out, f->in, a, f->in, 1, layer->weights, 1, f->in, f->block_r, f->out, refit->work);
  for (size_t i = 0; i < rows * f->out; i++) f->block_r[i] = -f->block_r[i];
}

static void block_activations(nl_refit *refit, size_t rows) {
  fit *f = &refit->fit;
  const double *a = read_activations(refit, rows);
  const bool centred = refit->reduced.layers[refit->step].bias != NULL;
  if (refit->row == 0 && centred)
    for (size_t r = 0; r < rows; r++)
      for (size_t i = 0; i < f->in; i++) f->center[i] += a[r * f->in + i] / (double)rows;
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < f->in; i++) f->block_u[r * f->in + i] = a[r * f->in + i] - f->center[i];
}

static size_t fit_block(nl_refit *refit) {
  fit *f = &refit->fit;
  const size_t rows = block_rows(refit);
  block_activations(refit, rows);
  block_residuals(refit, rows);
  for (size_t r = 0; r < rows; r++) {
    nl_axpy_f64(f->in, 1.0, f->block_u + r * f->in, f->sum_u);
    nl_axpy_f64(f->out, 1.0, f->block_r + r * f->out, f->sum_r);
  }
  nl_gram_f64(rows, f->in, f->block_u, f->in, f->gram, f->in, refit->work);
  nl_matmul_f64(f->in, f->out, rows, f->block_u, 1, f->in, f->block_r, f->out, 1, f->cross, f->out, refit->work);
  refit->row += rows;
  return rows * f->in * (f->in + 2 * f->out);
}

// Sums become covariances (with a bias) or raw second moments; the Gram matrix becomes symmetric.
static void normalise(const nl_refit *refit, bool centred) {
  const fit *f = &refit->fit;
  const double rows = (double)refit->input.rows;
  for (size_t i = 0; i < f->in; i++) {
    const double mean = centred ? f->sum_u[i] / rows : 0.0;
    for (size_t j = i; j < f->in; j++)
      f->gram[j * f->in + i] = f->gram[i * f->in + j] = f->gram[i * f->in + j] / rows - mean * f->sum_u[j] / rows;
    for (size_t o = 0; o < f->out; o++)
      f->cross[i * f->out + o] = f->cross[i * f->out + o] / rows - mean * f->sum_r[o] / rows;
  }
}

// (C + λI) Δ = cross;  W += Δᵀ,  b += E r - Δᵀ E a. Without a positive definite C the compensated weights stay.
static void solve_fit(nl_refit *refit) {
  const fit *f = &refit->fit;
  nl_layer *layer = &refit->reduced.layers[refit->step];
  const bool centred = layer->bias != NULL;
  const double rows = (double)refit->input.rows;
  normalise(refit, centred);
  double trace = 0;
  for (size_t i = 0; i < f->in; i++) trace += f->gram[i * f->in + i];
  if (!nl_cholesky_blocks(f->in, f->gram, ridge_share * trace / (double)f->in, refit->work)) return;
  nl_cholesky_solve_blocks(f->in, f->gram, f->out, f->cross, refit->work);
  for (size_t o = 0; o < f->out; o++) {
    double moved = 0;
    for (size_t i = 0; i < f->in; i++) {
      layer->weights[o * f->in + i] += f->cross[i * f->out + o];
      moved += f->cross[i * f->out + o] * (f->center[i] + f->sum_u[i] / rows);
    }
    if (centred) layer->bias[o] += f->sum_r[o] / rows - moved;
  }
}

// ---- stages -------------------------------------------------------------------------------------------------------------

// What a dense layer reads is lumped: P and p from the original's activations, which are there now.
static nl_status enter_lump(nl_refit *refit, nl_error *error) {
  const nl_lumping *read = lumping_at(refit, refit->input.network->steps[refit->step].inputs[0]);
  drop_lump(refit);
  refit->row = 0;
  refit->stage = STAGE_LUMP;
  return nl_lumping_fit_create(&refit->lump, read->n, error);
}

static nl_status lump_block(nl_refit *refit, size_t *work, nl_error *error) {
  const nl_refit_input *input = &refit->input;
  const size_t read = input->network->steps[refit->step].inputs[0], site = input->sites->site_of[read];
  const size_t n = refit->lumpings[site].n, rows = block_rows(refit);
  nl_lumping_fit_add(refit->lump, rows, nl_rows_read(refit->original[read], refit->row, rows), refit->work);
  refit->row += rows;
  *work += rows * n * n / 2;
  if (refit->row < input->rows) return NL_OK;
  NL_TRY(nl_lumping_fit_finish(refit->lump, input->sites->sites[site].affine, &refit->lumpings[site], error));
  refit->lumped = read;
  refit->stage = STAGE_ORIGINAL;
  return NL_OK;
}

static bool wants_lump(const nl_refit *refit) {
  const nl_step *step = &refit->input.network->steps[refit->step];
  return refit->input.apart != NULL && step->kind == NL_STEP_DENSE && lumping_at(refit, step->inputs[0]) != NULL &&
         refit->lumped != step->inputs[0];
}

static nl_status enter_step(nl_refit *refit, nl_error *error) {
  const size_t s = refit->step;
  if (wants_lump(refit)) return enter_lump(refit, error);
  if (refit->input.apart != NULL) NL_TRY(nl_layer_hold(refit->input.apart, refit->input.network, s, error));
  refit->row = 0;
  refit->stage = STAGE_ORIGINAL;
  return take_values(refit, refit->input.original->layers[s].width, &refit->original[s], error);
}

static nl_status prepare_up_to(nl_refit *refit, size_t last, nl_error *error) {
  for (; refit->prepared <= last; refit->prepared++)
    if (refit->input.network->steps[refit->prepared].evaluable) NL_TRY(prepare_layer(refit, refit->prepared, error));
  return NL_OK;
}

// What nobody reads any more of the original network, once a step of it is evaluated.
static void drop_read(nl_refit *refit) {
  const nl_step *step = &refit->input.network->steps[refit->step];
  for (size_t i = 0; i < step->input_count; i++) {
    const size_t in = step->inputs[i];
    if (refit->last_use[in] != refit->step || refit->values[in] == refit->original[in]) continue;
    nl_rows_free(refit->original[in]);
    refit->original[in] = NULL;
  }
  if (refit->input.apart == NULL) return;
  nl_layer_drop(refit->input.apart, refit->step);
  if (refit->lumped != NL_NONE && refit->last_use[refit->lumped] <= refit->step) drop_lump(refit);
}

static nl_status prepare(nl_refit *refit, nl_error *error) {
  const size_t s = refit->step;
  const nl_step *step = &refit->input.network->steps[s];
  NL_TRY(prepare_up_to(refit, s, error));
  drop_read(refit);
  refit->row = 0;
  if (!refit->changed[s]) {
    refit->values[s] = refit->original[s];
    refit->stage = STAGE_NEXT;
    return NL_OK;
  }
  NL_TRY(take_values(refit, refit->reduced.layers[s].width, &refit->values[s], error));
  refit->stage = STAGE_REDUCED;
  if (!refit->input.fit || step->kind != NL_STEP_DENSE || !refit->changed[step->inputs[0]]) return NL_OK;
  refit->stage = STAGE_FIT;
  return start_fit(refit, error);
}

static nl_status take_answers(nl_refit *refit, nl_error *error) {
  const size_t rows = refit->input.rows, results = refit->input.network->results;
  if (refit->answers.values != NULL || results > ANSWERS_MOST / (rows + 1)) return NL_OK;
  refit->answers.values = malloc((rows * results + 1) * sizeof(double));
  return refit->answers.values != NULL ? NL_OK : nl_no_memory(error, rows * results + 1, sizeof(double));
}

// A layer between lumped sites is then fitted to the network's outputs; one that is an output has just been.
static nl_status enter_newton(nl_refit *refit, nl_error *error) {
  const nl_refit_input *input = &refit->input;
  drop_fit(&refit->fit);
  refit->row = 0;
  refit->stage = STAGE_REDUCED;
  if (!input->outputs || input->apart != NULL || refit->last_use[refit->step] == input->network->step_count)
    return NL_OK;
  NL_TRY(prepare_up_to(refit, input->network->step_count - 1, error));
  const nl_newton_input newton = {.network = input->network,
                                  .original = input->original,
                                  .reduced = &refit->reduced,
                                  .values = refit->values,
                                  .step = refit->step,
                                  .rows = input->rows,
                                  .x = input->x,
                                  .answers = &refit->answers};
  if (!nl_newton_worth(&newton)) return NL_OK;
  NL_TRY(take_answers(refit, error));
  refit->stage = STAGE_NEWTON;
  return nl_newton_create(&refit->newton, &newton, error);
}

static nl_status step_newton(nl_refit *refit, size_t *work) {
  const nl_status status = nl_newton_step(refit->newton, work, WORK_PER_STEP);
  if (status == NL_MORE) return NL_OK;
  nl_newton_free(refit->newton);
  refit->newton = NULL;
  refit->stage = STAGE_REDUCED;
  return status;
}

static nl_status leave_step(nl_refit *refit, nl_error *error) {
  const nl_network *network = refit->input.network;
  const size_t s = refit->step++;
  const nl_step *step = &network->steps[s];
  for (size_t i = 0; i < step->input_count; i++)
    if (refit->last_use[step->inputs[i]] == s) drop_values(refit, step->inputs[i]);
  refit->stage = STAGE_ORIGINAL;
  nl_layer *layer = &refit->reduced.layers[s];
  if (refit->input.apart == NULL || layer->weights == NULL) return NL_OK;
  NL_TRY(refit->input.keep(refit->input.owner, s, layer, error));
  nl_layer_drop(&refit->reduced, s);
  return NL_OK;
}

static nl_status advance(nl_refit *refit, size_t *work, nl_error *error) {
  const size_t rows = refit->input.rows;
  switch (refit->stage) {
  case STAGE_LUMP:
    return lump_block(refit, work, error);
  case STAGE_ORIGINAL:
    if (refit->original[refit->step] == NULL) {
      NL_TRY(enter_step(refit, error));
      return NL_OK;
    }
    *work += evaluate_block(refit, refit->input.original, refit->original);
    if (refit->row == rows) refit->stage = STAGE_PREPARE;
    return NL_OK;
  case STAGE_PREPARE:
    return prepare(refit, error);
  case STAGE_FIT:
    *work += fit_block(refit);
    if (refit->row == rows) refit->stage = STAGE_SOLVE;
    return NL_OK;
  case STAGE_SOLVE:
    solve_fit(refit);
    *work += refit->fit.in * refit->fit.in * (refit->fit.in / 3 + 2 * refit->fit.out);
    return enter_newton(refit, error);
  case STAGE_NEWTON:
    return step_newton(refit, work);
  case STAGE_REDUCED:
    *work += evaluate_block(refit, &refit->reduced, refit->values);
    if (refit->row == rows) refit->stage = STAGE_NEXT;
    return NL_OK;
  case STAGE_NEXT:
    return leave_step(refit, error);
  }
  return NL_OK;
}

nl_status nl_refit_step(nl_refit *refit, double *progress, nl_error *error) {
  const nl_network *network = refit->input.network;
  size_t work = 0;
  while (refit->step < network->step_count && work < WORK_PER_STEP) {
    if (!network->steps[refit->step].evaluable)
      refit->step++;
    else
      NL_TRY(advance(refit, &work, error));
  }
  *progress = (double)refit->step / (double)(network->step_count + 1);
  if (refit->step < network->step_count) return NL_MORE;
  for (size_t s = 0; refit->input.apart == NULL && s < network->step_count; s++) drop_values(refit, s);
  *progress = 1.0;
  return NL_OK;
}
