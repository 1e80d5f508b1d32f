#include "polish.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "measure.h"
#include "polish_descent.h"
#include "polish_metric.h"
#include "polish_parts.h"

enum {
  HISTORY = 20,
  ITERATIONS = 200,
  PATIENCE = 40,            // iterations without a better one
  EVALUATIONS = 60,         // that the whole work has room for, at least
  WORK_PER_STEP = 40000000, // multiplications: some 20 ms
  FOLD = 5,                 // one row of so many is held back
  METRIC_EVERY = 10,        // iterations
  METRIC_BLOCKS = 4,        // of NL_FORWARD_ROWS rows that it is taken on
  FUNCTION_WORK = 40        // an exponential in multiplications
};
static const double jitter_strength = 0.07; // relative to each input's spread; 0.15 and 0.3 measured worse
static const double work_most = 2e10;       // multiplications in all: a few seconds

typedef enum stage {
  STAGE_ANSWER_HELD,
  STAGE_ANSWER_TRAIN,
  STAGE_EVALUATE,
  STAGE_SCORE,
  STAGE_METRIC,
  STAGE_DONE
} stage;

// Rows and what the original says there.
typedef struct lesson {
  size_t rows;
  double *x;       // (rows, features)
  double *answers; // (rows, results)
} lesson;

struct nl_polish {
  nl_polish_input input;
  nl_arena arena;
  nl_pieces pieces;
  nl_parameters trial, best; // their trained numbers stand in descent.point and best_numbers
  double *best_numbers;
  nl_descent descent;
  nl_metric metric;
  size_t blocks; // taken for the metric so far
  uint64_t signs;
  lesson train, held;
  size_t learnt;   // rows of the measure in train, without their copies
  double variance; // Var f, summed over the outputs
  nl_scratch scratch, gradients;
  stage stage;
  size_t row, kept; // of the lesson at hand
  double sum;       // of squared differences so far
  double before, after;
  size_t iterations, most, best_iteration;
  double work; // done so far
};

// ---- rows ---------------------------------------------------------------------------------------------------------------

// One row of every FOLD in a row is held back, which one is drawn, so that ordered rows fall evenly on both sides.
bool nl_polish_holds_back(uint64_t seed, size_t row) {
  uint64_t z = seed + 0x9e3779b97f4a7c15u * (uint64_t)(row / FOLD + 1); // splitmix64 (Steele, Lea, Flood 2014)
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return row % FOLD == (z ^ (z >> 31)) % FOLD;
}

static nl_status take_lesson(nl_polish *polish, lesson *l, size_t rows, nl_error *error) {
  const nl_network *network = polish->input.network;
  const size_t widest = network->features + network->results + 1;
  if (rows > SIZE_MAX / sizeof(double) / widest) return nl_fail(error, NL_ERROR_MEMORY, NULL, NULL);
  l->rows = rows;
  NL_TAKE(&polish->arena, l->x, double, rows * network->features + 1, error);
  NL_TAKE(&polish->arena, l->answers, double, rows * network->results + 1, error);
  return NL_OK;
}

static size_t block_work(const nl_polish *polish, const nl_parameters *parameters, size_t rows) {
  const nl_network *network = polish->input.network;
  size_t work = 0;
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_layer *layer = &parameters->layers[s];
    const nl_step *step = &network->steps[s];
    const bool curved = step->kind == NL_STEP_FUNCTION && step->function != NL_FUNCTION_RELU;
    work += layer->width * (step->kind == NL_STEP_DENSE ? layer->in_width : curved ? FUNCTION_WORK : 4);
  }
  return rows * work;
}

// The error and its gradient: forward, backward, by the weights.
static size_t gradient_work(const nl_polish *polish, size_t rows) {
  const nl_network *network = polish->input.network;
  size_t work = 3 * block_work(polish, polish->input.start, rows);
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_layer *layer = &polish->input.start->layers[s];
    if (network->steps[s].kind == NL_STEP_DENSE && polish->gradients.values[network->steps[s].inputs[0]] == NULL)
      work -= rows * layer->width * layer->in_width;
  }
  return work;
}

// Rows on which the error and its gradient can be had EVALUATIONS times.
static size_t rows_in_budget(const nl_polish *polish) {
  const double row = (double)gradient_work(polish, 1) + 1.0;
  return (size_t)(work_most / EVALUATIONS / row) + 1;
}

static nl_status split_rows(nl_polish *polish, nl_error *error) {
  const nl_polish_input *input = &polish->input;
  const size_t features = input->network->features, room = rows_in_budget(polish);
  const size_t rows = input->rows < 2 * room ? input->rows : 2 * room; // evenly spaced where there are more
  size_t held = 0, train = 0, copies = rows > 0 ? room / rows : 0;
  if (copies > input->copies) copies = input->copies;
  for (size_t r = 0; r < rows; r++) held += nl_polish_holds_back(input->seed, r);
  NL_TRY(take_lesson(polish, &polish->held, held, error));
  NL_TRY(take_lesson(polish, &polish->train, (rows - held) * (1 + copies), error));
  held = 0;
  for (size_t r = 0; r < rows; r++) {
    const bool back = nl_polish_holds_back(input->seed, r);
    double *to = back ? polish->held.x + held++ * features : polish->train.x + train++ * features;
    memcpy(to, input->x + r * input->rows / rows * features, features * sizeof *to);
  }
  polish->learnt = train;
  if (copies > 0 && train > 0)
    nl_measure_jitter(input->seed, train, features, polish->train.x, jitter_strength, copies,
                      polish->train.x + train * features);
  return NL_OK;
}

// ---- life ---------------------------------------------------------------------------------------------------------------

// The error's derivative by what only dense steps read, and nothing moves, is not taken: of a first layer a third of the work.
static void want_no_inputs(nl_polish *polish) {
  const nl_network *network = polish->input.network;
  for (size_t s = 0; s < network->step_count; s++) {
    bool wanted = network->steps[s].kind != NL_STEP_INPUT;
    for (size_t o = 0; o < network->output_count; o++) wanted = wanted || network->outputs[o] == s;
    for (size_t r = 0; r < network->step_count; r++)
      for (size_t i = 0; i < network->steps[r].input_count; i++)
        wanted = wanted || (network->steps[r].inputs[i] == s && network->steps[r].kind != NL_STEP_DENSE);
    if (!wanted) polish->gradients.values[s] = NULL;
  }
}

static nl_status build(nl_polish *polish, nl_error *error) {
  const nl_polish_input *input = &polish->input;
  NL_TRY(nl_pieces_find(&polish->pieces, &polish->arena, input->network, input->start, input->keep_zeros, error));
  const size_t count = polish->pieces.numbers;
  NL_TRY(nl_descent_take(&polish->descent, &polish->arena, count, HISTORY, error));
  NL_TAKE(&polish->arena, polish->best_numbers, double, count + 1, error);
  NL_TRY(nl_pieces_place(&polish->pieces, &polish->arena, input->start, polish->descent.point, &polish->trial, error));
  NL_TRY(nl_pieces_place(&polish->pieces, &polish->arena, input->start, polish->best_numbers, &polish->best, error));
  NL_TRY(nl_scratch_create(&polish->gradients, input->network, input->start, NL_FORWARD_ROWS, error));
  want_no_inputs(polish);
  NL_TRY(split_rows(polish, error));
  NL_TRY(nl_scratch_create(&polish->scratch, input->network, input->original, NL_FORWARD_ROWS, error));
  return nl_metric_take(&polish->metric, &polish->arena, &polish->pieces, input->start, error);
}

nl_status nl_polish_create(nl_polish **out, const nl_polish_input *input, nl_error *error) {
  nl_polish *polish = calloc(1, sizeof *polish);
  if (polish == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *polish, 0);
  polish->input = *input;
  polish->signs = 2 * input->seed + 1;
  polish->most = input->iterations > 0 ? input->iterations : ITERATIONS;
  const nl_status status = build(polish, error);
  if (status != NL_OK)
    nl_polish_free(polish);
  else
    *out = polish;
  return status;
}

void nl_polish_free(nl_polish *polish) {
  if (polish == NULL) return;
  nl_scratch_free(&polish->scratch);
  nl_scratch_free(&polish->gradients);
  nl_arena_free(&polish->arena);
  free(polish);
}

const nl_parameters *nl_polish_parameters(const nl_polish *polish) { return &polish->best; }
double nl_polish_before(const nl_polish *polish) { return polish->before; }
double nl_polish_after(const nl_polish *polish) { return polish->after; }
size_t nl_polish_iterations(const nl_polish *polish) { return polish->iterations; }

// ---- blocks of rows -----------------------------------------------------------------------------------------------------

static size_t block_rows(const nl_polish *polish, const lesson *l) {
  const size_t left = l->rows - polish->row;
  return left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
}

// The original's outputs side by side. Rows where they are not finite are dropped: nothing can be learnt there.
static size_t answer_block(nl_polish *polish, lesson *l) {
  const nl_network *network = polish->input.network;
  const size_t rows = block_rows(polish, l), features = network->features, results = network->results;
  const double *x = l->x + polish->row * features;
  nl_forward_all(network, polish->input.original, &polish->scratch, rows, x);
  for (size_t r = 0; r < rows; r++) {
    double *next = l->answers + polish->kept * results;
    bool finite = true;
    for (size_t o = 0; o < network->output_count; o++) {
      const size_t width = network->steps[network->outputs[o]].width;
      for (size_t c = 0; c < width; c++, next++) {
        *next = polish->scratch.values[network->outputs[o]][r * width + c];
        finite = finite && isfinite(*next);
      }
    }
    if (!finite) continue;
    memmove(l->x + polish->kept * features, x + r * features, features * sizeof *x);
    polish->kept++;
  }
  polish->row += rows;
  return block_work(polish, polish->input.original, rows);
}

static void clear_gradients(nl_polish *polish, size_t rows) {
  for (size_t s = 0; s < polish->input.network->step_count; s++)
    if (polish->gradients.values[s] != NULL)
      memset(polish->gradients.values[s], 0, rows * polish->trial.layers[s].width * sizeof(double));
}

// Evaluates the trial on the next rows, adds up Σ |f' - f|²; `seed`: leaves scale (f' - f) in gradients.
static size_t compare_block(nl_polish *polish, const lesson *l, bool seed, double scale) {
  const nl_network *network = polish->input.network;
  const size_t rows = block_rows(polish, l);
  nl_forward_all(network, &polish->trial, &polish->scratch, rows, l->x + polish->row * network->features);
  if (seed) clear_gradients(polish, rows);
  size_t column = 0;
  for (size_t o = 0; o < network->output_count; o++) {
    const size_t width = network->steps[network->outputs[o]].width;
    const double *values = polish->scratch.values[network->outputs[o]];
    double *seeds = polish->gradients.values[network->outputs[o]];
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < width; c++) {
        const double away = values[r * width + c] - l->answers[(polish->row + r) * network->results + column + c];
        polish->sum += away * away;
        if (seed) seeds[r * width + c] += scale * away;
      }
    column += width;
  }
  return rows;
}

static size_t gradient_block(nl_polish *polish) {
  const nl_network *network = polish->input.network;
  const lesson *l = &polish->train;
  const double scale = 2.0 / ((double)l->rows * polish->variance);
  if (polish->row == 0) memset(polish->descent.gradient, 0, polish->pieces.numbers * sizeof(double));
  const size_t rows = compare_block(polish, l, true, scale);
  nl_forward_gradient(network, &polish->trial, &polish->scratch, &polish->gradients, rows);
  nl_pieces_gradient(&polish->pieces, network, &polish->trial, &polish->scratch, &polish->gradients, rows,
                     polish->descent.gradient);
  polish->row += rows;
  return gradient_work(polish, rows);
}

static size_t score_block(nl_polish *polish) {
  const size_t rows = compare_block(polish, &polish->held, false, 0.0);
  polish->row += rows;
  return block_work(polish, &polish->trial, rows);
}

// ---- stages -------------------------------------------------------------------------------------------------------------

static void enter(nl_polish *polish, stage next) {
  polish->stage = next;
  polish->row = polish->kept = 0;
  polish->sum = 0;
}

// Var f, summed over the outputs
static double answers_variance(const lesson *l, size_t results) {
  double variance = 0;
  for (size_t c = 0; c < results; c++) {
    double mean = 0, squares = 0;
    for (size_t r = 0; r < l->rows; r++) {
      const double away = l->answers[r * results + c] - mean;
      mean += away / (double)(r + 1);
      squares += away * (l->answers[r * results + c] - mean);
    }
    variance += squares / (double)l->rows;
  }
  return variance;
}

static bool can_learn(nl_polish *polish) {
  if (polish->held.rows == 0 || polish->train.rows == 0 || polish->pieces.numbers == 0) return false;
  polish->variance = answers_variance(&polish->held, polish->input.network->results);
  return polish->variance > 0 && isfinite(polish->variance);
}

static size_t answer(nl_polish *polish) {
  lesson *l = polish->stage == STAGE_ANSWER_HELD ? &polish->held : &polish->train;
  const size_t work = polish->row < l->rows ? answer_block(polish, l) : 0;
  if (polish->row < l->rows) return work;
  l->rows = polish->kept;
  if (l == &polish->held)
    enter(polish, STAGE_ANSWER_TRAIN);
  else
    enter(polish, can_learn(polish) ? STAGE_EVALUATE : STAGE_DONE);
  return work;
}

static void clear_fixed(nl_polish *polish) {
  for (size_t i = 0; polish->pieces.fixed != NULL && i < polish->pieces.numbers; i++)
    if (polish->pieces.fixed[i]) polish->descent.gradient[i] = 0;
}

static size_t evaluate(nl_polish *polish) {
  const size_t work = gradient_block(polish);
  if (polish->row < polish->train.rows) return work;
  clear_fixed(polish);
  switch (nl_descent_judge(&polish->descent, polish->sum / ((double)polish->train.rows * polish->variance))) {
  case NL_DESCENT_TRY:
    enter(polish, STAGE_EVALUATE);
    break;
  case NL_DESCENT_ACCEPTED:
    enter(polish, STAGE_SCORE);
    break;
  case NL_DESCENT_STUCK:
    enter(polish, STAGE_DONE);
    break;
  }
  return work + 6 * polish->pieces.numbers;
}

static bool scored(nl_polish *polish) {
  const double deviation = sqrt(polish->sum / ((double)polish->held.rows * polish->variance));
  const bool first = polish->before == 0 && polish->iterations == 0;
  if (first) polish->before = polish->after = deviation;
  if (!first) polish->iterations++;
  if (deviation < polish->after) {
    polish->after = deviation;
    polish->best_iteration = polish->iterations;
    memcpy(polish->best_numbers, polish->descent.point, polish->pieces.numbers * sizeof(double));
  }
  return polish->iterations < polish->most && polish->iterations < polish->best_iteration + PATIENCE &&
         polish->work < work_most;
}

static void turn(nl_polish *polish) { enter(polish, nl_descent_turn(&polish->descent) ? STAGE_EVALUATE : STAGE_DONE); }

static size_t score(nl_polish *polish) {
  const size_t work = score_block(polish);
  if (polish->row < polish->held.rows) return work;
  const bool again = polish->iterations % METRIC_EVERY == 0;
  if (!scored(polish))
    enter(polish, STAGE_DONE);
  else if (again)
    enter(polish, STAGE_METRIC);
  else
    turn(polish);
  return work + 4 * HISTORY * polish->pieces.numbers + nl_metric_work(&polish->metric) / 2;
}

static double random_sign(nl_polish *polish) { // xorshift64 (Marsaglia 2003)
  polish->signs ^= polish->signs << 13;
  polish->signs ^= polish->signs >> 7;
  polish->signs ^= polish->signs << 17;
  return polish->signs >> 63 != 0 ? 1.0 : -1.0;
}

// Blocks of rows evenly over the lesson; behind the last one the metric is ready.
static size_t metric_block(nl_polish *polish) {
  const nl_network *network = polish->input.network;
  const lesson *l = &polish->train;
  if (polish->blocks == 0) nl_metric_clear(&polish->metric);
  polish->row = l->rows / METRIC_BLOCKS * polish->blocks++;
  const size_t rows = block_rows(polish, l);
  nl_forward_all(network, &polish->trial, &polish->scratch, rows, l->x + polish->row * network->features);
  clear_gradients(polish, rows);
  for (size_t o = 0; o < network->output_count; o++) {
    double *seeds = polish->gradients.values[network->outputs[o]];
    for (size_t i = 0; i < rows * network->steps[network->outputs[o]].width; i++) seeds[i] += random_sign(polish);
  }
  nl_forward_gradient(network, &polish->trial, &polish->scratch, &polish->gradients, rows);
  nl_metric_add(&polish->metric, network, &polish->scratch, &polish->gradients, rows);
  return gradient_work(polish, rows);
}

static size_t measure_metric(nl_polish *polish) {
  const size_t work = metric_block(polish);
  if (polish->blocks < METRIC_BLOCKS) return work;
  polish->blocks = 0;
  const bool ready = nl_metric_finish(&polish->metric, polish->variance, polish->learnt);
  polish->descent.metric = ready ? nl_metric_apply : NULL;
  polish->descent.context = &polish->metric;
  turn(polish);
  return work + nl_metric_work(&polish->metric);
}

static size_t advance(nl_polish *polish) {
  switch (polish->stage) {
  case STAGE_ANSWER_HELD:
  case STAGE_ANSWER_TRAIN:
    return answer(polish);
  case STAGE_EVALUATE:
    return evaluate(polish);
  case STAGE_SCORE:
    return score(polish);
  case STAGE_METRIC:
    return measure_metric(polish);
  case STAGE_DONE:
    break;
  }
  return 0;
}

nl_status nl_polish_step(nl_polish *polish, double *progress, nl_error *error) {
  (void)error;
  size_t work = 0;
  while (polish->stage != STAGE_DONE && work < WORK_PER_STEP) work += advance(polish);
  polish->work += (double)work;
  *progress = fmax((double)polish->iterations / (double)polish->most, fmin(polish->work / work_most, 1.0));
  if (polish->stage == STAGE_DONE) *progress = 1.0;
  return polish->stage == STAGE_DONE ? NL_OK : NL_MORE;
}
