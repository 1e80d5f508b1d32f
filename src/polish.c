#include "polish.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "polish_descent.h"
#include "polish_lesson.h"
#include "polish_metric.h"
#include "polish_parts.h"

enum {
  HISTORY = 20,
  ITERATIONS = 300,
  PATIENCE = 40,            // iterations without a better one
  EVALUATIONS = 60,         // that the whole work has room for, at least
  WORK_PER_STEP = 40000000, // multiplications: some 20 ms
  METRIC_EVERY = 10,        // iterations
  METRIC_BLOCKS = 4,        // of NL_FORWARD_ROWS rows that it is taken on
  FUNCTION_WORK = 40        // an exponential in multiplications
};
static const double work_most = 2e10; // multiplications in all: a few seconds
static const double last_share = 0.5; // iterations on all rows, of those that were best without the rows held back

typedef enum stage { STAGE_ANSWER, STAGE_EVALUATE, STAGE_SCORE, STAGE_METRIC, STAGE_DONE } stage;

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
  nl_lesson lesson;
  double variance; // Var f, summed over the outputs
  nl_scratch scratch, gradients;
  stage stage;
  nl_part part;                   // that is answered
  size_t answered[NL_PART_COUNT]; // where the parts end then
  size_t row, kept;
  double sum; // of squared differences so far
  double before, after;
  size_t iterations, most, best_iteration;
  bool last, setting_out; // the iterations on all rows; their start is to be evaluated
  double work;            // done so far
};

// ---- rows ---------------------------------------------------------------------------------------------------------------

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

// Learnt from: [0, rows_learnt)
static size_t rows_learnt(const nl_polish *polish) {
  return polish->lesson.end[polish->last ? NL_PART_HELD_COPIES : NL_PART_LEARNT];
}

static size_t rows_held(const nl_polish *polish) {
  return polish->lesson.end[NL_PART_HELD] - nl_lesson_begin(&polish->lesson, NL_PART_HELD);
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
  NL_TRY(nl_lesson_take(&polish->lesson, &polish->arena, input, rows_in_budget(polish), error));
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

static size_t block_rows(const nl_polish *polish, size_t end) {
  const size_t left = end - polish->row;
  return left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
}

// Answers that came with the rows.
static size_t keep_answers(nl_polish *polish, size_t rows) {
  const size_t features = polish->input.network->features, results = polish->input.network->results;
  for (size_t r = polish->row; r < polish->row + rows; r++) {
    const double *answer = polish->lesson.answers + r * results;
    bool finite = true;
    for (size_t c = 0; c < results; c++) finite = finite && isfinite(answer[c]);
    if (!finite) continue;
    memmove(polish->lesson.answers + polish->kept * results, answer, results * sizeof *answer);
    memmove(polish->lesson.x + polish->kept * features, polish->lesson.x + r * features, features * sizeof *answer);
    polish->kept++;
  }
  polish->row += rows;
  return rows * (features + results);
}

// The original's outputs side by side. Rows where they are not finite are dropped: nothing can be learnt there.
static size_t answer_block(nl_polish *polish, size_t end) {
  const nl_network *network = polish->input.network;
  const size_t rows = block_rows(polish, end), features = network->features, results = network->results;
  const double *x = polish->lesson.x + polish->row * features;
  if (polish->input.answers != NULL) return keep_answers(polish, rows);
  nl_forward_all(network, polish->input.original, &polish->scratch, rows, x);
  for (size_t r = 0; r < rows; r++) {
    double *next = polish->lesson.answers + polish->kept * results;
    bool finite = true;
    for (size_t o = 0; o < network->output_count; o++) {
      const size_t width = network->steps[network->outputs[o]].width;
      for (size_t c = 0; c < width; c++, next++) {
        *next = polish->scratch.values[network->outputs[o]][r * width + c];
        finite = finite && isfinite(*next);
      }
    }
    if (!finite) continue;
    memmove(polish->lesson.x + polish->kept * features, x + r * features, features * sizeof *x);
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
static size_t compare_block(nl_polish *polish, size_t end, bool seed, double scale) {
  const nl_network *network = polish->input.network;
  const nl_lesson *l = &polish->lesson;
  const size_t rows = block_rows(polish, end);
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
  const size_t learnt = rows_learnt(polish);
  const double scale = 2.0 / ((double)learnt * polish->variance);
  if (polish->row == 0) memset(polish->descent.gradient, 0, polish->pieces.numbers * sizeof(double));
  const size_t rows = compare_block(polish, learnt, true, scale);
  nl_forward_gradient(network, &polish->trial, &polish->scratch, &polish->gradients, rows);
  nl_pieces_gradient(&polish->pieces, network, &polish->trial, &polish->scratch, &polish->gradients, rows,
                     polish->descent.gradient);
  polish->row += rows;
  return gradient_work(polish, rows);
}

static size_t score_block(nl_polish *polish) {
  const size_t rows = compare_block(polish, polish->lesson.end[NL_PART_HELD], false, 0.0);
  polish->row += rows;
  return block_work(polish, &polish->trial, rows);
}

// ---- stages -------------------------------------------------------------------------------------------------------------

static void enter(nl_polish *polish, stage next) {
  polish->stage = next;
  polish->row = next == STAGE_SCORE ? nl_lesson_begin(&polish->lesson, NL_PART_HELD) : 0;
  polish->sum = 0;
}

static bool can_learn(nl_polish *polish) {
  if (rows_held(polish) == 0 || rows_learnt(polish) == 0 || polish->pieces.numbers == 0) return false;
  polish->variance = nl_lesson_variance(&polish->lesson, polish->input.network->results);
  return polish->variance > 0 && isfinite(polish->variance);
}

static size_t answer(nl_polish *polish) {
  nl_lesson *l = &polish->lesson;
  const size_t end = l->end[polish->part];
  const size_t work = polish->row < end ? answer_block(polish, end) : 0;
  if (polish->row < end) return work;
  polish->answered[polish->part++] = polish->kept;
  if (polish->part < NL_PART_COUNT) return work;
  memcpy(l->end, polish->answered, sizeof l->end);
  enter(polish, can_learn(polish) ? STAGE_EVALUATE : STAGE_DONE);
  return work;
}

static void clear_fixed(nl_polish *polish) {
  for (size_t i = 0; polish->pieces.fixed != NULL && i < polish->pieces.numbers; i++)
    if (polish->pieces.fixed[i]) polish->descent.gradient[i] = 0;
}

static void turn(nl_polish *polish, bool metric) {
  if (metric)
    enter(polish, STAGE_METRIC);
  else
    enter(polish, nl_descent_turn(&polish->descent) ? STAGE_EVALUATE : STAGE_DONE);
}

static void keep(nl_polish *polish) {
  memcpy(polish->best_numbers, polish->descent.point, polish->pieces.numbers * sizeof(double));
}

// What was held back is learnt from as well, from the best iterate on, for some more iterations.
static void finish(nl_polish *polish) {
  const size_t more = (size_t)ceil(last_share * (double)polish->best_iteration);
  if (polish->last || more == 0 || polish->iterations >= polish->most) {
    enter(polish, STAGE_DONE);
    return;
  }
  polish->last = polish->setting_out = true;
  if (polish->iterations + more < polish->most) polish->most = polish->iterations + more;
  nl_descent_set_out(&polish->descent, polish->best_numbers);
  enter(polish, STAGE_EVALUATE);
}

// Each of the last iterations goes down on all rows and is kept. What is evaluated first is where they set out from.
static void accepted_last(nl_polish *polish) {
  const bool first = polish->setting_out;
  polish->setting_out = false;
  if (!first) {
    keep(polish);
    polish->iterations++;
  }
  if (polish->iterations < polish->most && polish->work < work_most)
    turn(polish, first || polish->iterations % METRIC_EVERY == 0);
  else
    enter(polish, STAGE_DONE);
}

static size_t evaluate(nl_polish *polish) {
  const size_t work = gradient_block(polish), learnt = rows_learnt(polish);
  if (polish->row < learnt) return work;
  clear_fixed(polish);
  switch (nl_descent_judge(&polish->descent, polish->sum / ((double)learnt * polish->variance))) {
  case NL_DESCENT_TRY:
    enter(polish, STAGE_EVALUATE);
    break;
  case NL_DESCENT_ACCEPTED:
    if (polish->last)
      accepted_last(polish);
    else
      enter(polish, STAGE_SCORE);
    break;
  case NL_DESCENT_STUCK:
    finish(polish);
    break;
  }
  return work + 6 * polish->pieces.numbers;
}

static bool scored(nl_polish *polish) {
  const double deviation = sqrt(polish->sum / ((double)rows_held(polish) * polish->variance));
  const bool first = polish->before == 0 && polish->iterations == 0;
  if (first) polish->before = polish->after = deviation;
  if (!first) polish->iterations++;
  if (deviation < polish->after) {
    polish->after = deviation;
    polish->best_iteration = polish->iterations;
    keep(polish);
  }
  const double part = 1.0 / (1.0 + last_share);
  return (double)polish->iterations < part * (double)polish->most && polish->work < part * work_most &&
         polish->iterations < polish->best_iteration + PATIENCE;
}

static size_t score(nl_polish *polish) {
  const size_t work = score_block(polish);
  if (polish->row < polish->lesson.end[NL_PART_HELD]) return work;
  const bool metric = polish->iterations % METRIC_EVERY == 0;
  if (scored(polish))
    turn(polish, metric);
  else
    finish(polish);
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
  const size_t learnt = rows_learnt(polish);
  if (polish->blocks == 0) nl_metric_clear(&polish->metric);
  polish->row = learnt / METRIC_BLOCKS * polish->blocks++;
  const size_t rows = block_rows(polish, learnt);
  nl_forward_all(network, &polish->trial, &polish->scratch, rows, polish->lesson.x + polish->row * network->features);
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
  const bool ready = nl_metric_finish(&polish->metric, polish->variance, polish->lesson.own);
  polish->descent.metric = ready ? nl_metric_apply : NULL;
  polish->descent.context = &polish->metric;
  turn(polish, false);
  return work + nl_metric_work(&polish->metric);
}

static size_t advance(nl_polish *polish) {
  switch (polish->stage) {
  case STAGE_ANSWER:
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
