// A result, stage by stage: a candidate of the size that is asked for, its refit, its deviation, its polish.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "decimal.h"

static const double rounding = 1e-12; // no tolerance named is smaller: copies go at 0 but for rounding
// What goes at 0 leaves the outputs alike up to rounding, a share of the largest: a unit counts as a combination of others where they
// leave 1e-6 of its spread (project_setup.c), four of them a layer in five layers with errors alike in sign are 2e-5, and twice that where
// something stretches it; of values in half precision a hundred of their own roundings were seen. The second moments alone don't tell:
// where one row is nearly all of them (1e8 times the others and more), any unit is a combination of the rest.
static const double least_exact = 5e-5;
enum { ROUNDINGS = 256 };
enum { JITTERED_COPIES = 4 }; // of the user's rows, for the polish

enum { STAGE_PREPARE, STAGE_FIND, STAGE_REFIT, STAGE_MEASURE, STAGE_POLISH, STAGE_REMEASURE, STAGE_DONE };

// ---- life ---------------------------------------------------------------------------------------------------------------

static void drop_measuring(nl_result *result) {
  nl_deviation_free(result->measuring);
  result->measuring = NULL;
}

void nl_result_free(nl_result *result) {
  if (result == NULL) return;
  drop_measuring(result);
  nl_polish_free(result->polish);
  nl_tail_free(result->tail);
  nl_method_drop(result);
  nl_buffer_free(&result->onnx);
  nl_weights_file_free(&result->weights);
  nl_buffer_free(&result->weights_name);
  free(result->fitted);
  free(result->widths);
  free(result);
}

double nl_result_deviation(const nl_result *result) { return result->deviation; }
bool nl_result_done(const nl_result *result) { return result->stage == STAGE_DONE; }
bool nl_result_refits(const nl_result *result) { return result->stage == STAGE_REFIT; }
bool nl_result_polishing(const nl_result *result) { return result->stage == STAGE_POLISH; }

nl_run *nl_result_run(nl_result *result) { return nl_run_waits(&result->run) ? &result->run : NULL; }

const nl_parameters *nl_result_parameters(const nl_result *result) {
  if (result->polished) return nl_polish_parameters(result->polish);
  return result->pruned.layers != NULL ? &result->pruned : nl_refit_parameters(result->refit);
}

bool nl_result_whole(const nl_result *result) {
  const nl_model *model = result->path->model;
  if (nl_method_prunes(result->options.method)) return nl_method_parameters(result) == nl_model_parameters(model);
  for (size_t i = 0; i < model->sites.count; i++)
    if (result->widths[i] != model->sites.sites[i].width) return false;
  return true;
}

// Says the tolerance at which something goes.
static nl_status nothing_at(nl_result *result, nl_error *error) {
  const double epsilon = result->target.value;
  nl_buffer text = {0};
  static const char before[] = "The first neurons go at ε = ";
  // rounded up to three digits, so that the number shown does remove them
  double first = 0;
  NL_TRY(nl_method_first_tolerance(result, &first, error));
  first = fmax(first, rounding);
  const double unit = pow(10, floor(log10(first)) - 2);
  nl_status status = nl_buffer_append(&text, before, sizeof before - 1, NULL);
  if (status == NL_OK) status = nl_decimal_append(&text, (float)(ceil(first / unit) * unit), NULL);
  if (status == NL_OK) status = nl_buffer_append(&text, "", 1, NULL);
  nl_buffer at = {0};
  if (status == NL_OK) status = nl_decimal_append(&at, (float)epsilon, NULL);
  if (status == NL_OK) status = nl_buffer_append(&at, "", 1, NULL);
  nl_fail(error, NL_ERROR_NOTHING_AT, (const char *)at.bytes, status == NL_OK ? (const char *)text.bytes : NULL);
  nl_buffer_free(&text);
  nl_buffer_free(&at);
  return NL_ERROR_NOTHING_AT;
}

// ---- the candidate to begin with ----------------------------------------------------------------------------------------

static size_t most_parameters(const nl_result *result) {
  return (size_t)floor(result->target.value * (double)nl_model_parameters(result->path->model) + 1e-9);
}

static nl_status take_chosen(nl_result *result, nl_error *error) {
  nl_choice choice;
  NL_TRY(nl_path_choose(result->path, result->target, &choice, result->widths, error));
  result->stage = STAGE_REFIT;
  return nl_method_take_widths(result, choice.epsilon, error);
}

// Smallest size that keeps at most what is asked for, by bisection; each step tries one.
static nl_status find_share(nl_result *result, nl_error *error) {
  const size_t most = most_parameters(result);
  size_t left = 0;
  NL_TRY(nl_method_count(result, result->tried, &left, error));
  if (result->tried == result->high && left > most) return nl_path_unreachable(result->path->model, left, error);
  if (left <= most)
    result->high = result->tried;
  else
    result->low = result->tried + 1;
  result->tried = result->low + (result->high - result->low) / 2;
  if (result->low < result->high) return NL_OK;
  result->stage = STAGE_REFIT;
  return nl_method_take(result, result->high, error);
}

static size_t units_gone(const nl_result *result) {
  size_t gone = 0;
  for (size_t i = 0; i < result->path->model->sites.count; i++)
    gone += result->path->model->sites.sites[i].width - result->widths[i];
  return gone;
}

// A size to start the search for a deviation from: for projected lumping the one its own path foretells.
static size_t first_guess(const nl_result *result) {
  if (result->options.method != NL_METHOD_PROJECTED) return result->high / 2;
  nl_path_within(result->path, result->target.value, result->widths);
  return units_gone(result);
}

static nl_status begin(nl_result *result, nl_error *error) {
  const nl_method method = result->options.method;
  const nl_target target = result->target;
  result->stage = STAGE_REFIT;
  if (target.kind == NL_TARGET_EPSILON) {
    NL_TRY(nl_method_take_within(result, target.value, error));
    result->high = result->tried = units_gone(result);
    return nl_result_whole(result) ? nothing_at(result, error) : NL_OK;
  }
  if (target.kind == NL_TARGET_RETAIN && nl_method_wants_order(method)) return take_chosen(result, error);
  result->high = nl_method_sizes(result);
  result->tried = target.kind == NL_TARGET_RETAIN ? result->high : first_guess(result);
  result->searching = target.kind == NL_TARGET_DEVIATION;
  if (target.kind != NL_TARGET_RETAIN) return nl_method_take(result, result->tried, error);
  result->stage = STAGE_FIND;
  return NL_OK;
}

static nl_status name_weights(nl_result *result, nl_error *error) {
  const char *name = result->options.weights != NULL ? result->options.weights : "smaller.onnx.data";
  result->options.weights = NULL; // the caller's
  NL_TRY(nl_buffer_append(&result->weights_name, name, strlen(name), error));
  result->weights.name = (nl_span){result->weights_name.bytes, result->weights_name.size};
  result->weights.limit = result->options.large;
  return NL_OK;
}

// Where the method needs more than a moment to prepare, the rest is the first step's.
nl_status nl_result_create(nl_result **out, const nl_path *path, nl_target target, const nl_result_options *options,
                           nl_error *error) {
  nl_result *result = calloc(1, sizeof *result);
  if (result == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *result, 0);
  result->path = path;
  result->target = target;
  if (options != NULL) result->options = *options;
  result->widths = calloc(path->model->sites.count + 1, sizeof *result->widths);
  nl_status status =
      result->widths != NULL ? NL_OK : nl_no_memory(error, path->model->sites.count + 1, sizeof *result->widths);
  if (status == NL_OK) status = name_weights(result, error);
  if (status == NL_OK) status = nl_method_prepare(result, error);
  if (status == NL_OK) status = begin(result, error);
  if (status != NL_OK && status != NL_MORE)
    nl_result_free(result);
  else
    *out = result;
  return status == NL_MORE ? NL_OK : status;
}

// ---- steps --------------------------------------------------------------------------------------------------------------

bool nl_result_may_polish(const nl_result *result) {
  const nl_model *model = result->path->model;
  return result->options.polish && !result->options.draft && !nl_model_large(model) &&
         (model->engine == NL_ENGINE_FORWARD || nl_tail_holds(model, NL_NONE)) &&
         !(result->target.kind == NL_TARGET_EPSILON && result->target.value == 0);
}

// The measure without the rows (and their jittered copies) that a polish will judge by.
static nl_status take_fitted_rows(nl_result *result, nl_error *error) {
  const nl_path *path = result->path;
  const size_t features = path->features;
  if (result->fitted != NULL || !nl_method_fits(result->options.method) || !nl_result_may_polish(result)) return NL_OK;
  result->fitted = malloc((path->rows * features + 1) * sizeof *result->fitted);
  if (result->fitted == NULL) return nl_no_memory(error, path->rows, features * sizeof *result->fitted);
  for (size_t r = 0; r < path->rows; r++)
    if (!nl_polish_holds_back(path->seed, r % path->scored_rows))
      memcpy(result->fitted + result->fitted_rows++ * features, path->x + r * features, features * sizeof *path->x);
  return NL_OK;
}

nl_refit_input nl_result_refit_input(const nl_result *result) {
  const nl_path *path = result->path;
  // Jittered copies are there to be learnt from.
  const bool fits = nl_method_fits(result->options.method);
  const size_t rows = result->fitted_rows > 0 ? result->fitted_rows : fits ? path->rows : path->scored_rows;
  const nl_draft all = {.rows = rows, .fit = fits, .outputs = true};
  const nl_draft draft = result->options.draft ? nl_result_draft(result, rows) : all;
  const bool known = result->fitted_rows == 0 && path->answers.rows == draft.rows;
  return (nl_refit_input){.network = path->model->network,
                          .sites = &path->model->sites,
                          .original = &path->parameters,
                          .lumpings = result->lumpings,
                          .rows = draft.rows,
                          .x = result->fitted_rows > 0 ? result->fitted : path->x,
                          .kept = path->kept,
                          .fit = draft.fit,
                          .outputs = draft.outputs,
                          .ridge = draft.ridge,
                          .answers = known ? (nl_answers *)(uintptr_t)&path->answers : NULL,
                          .helpers = result->helpers,
                          .apart = path->apart,
                          .owner = (void *)(uintptr_t)result, // its own again
                          .keep = nl_large_keep};
}

static nl_status start_refit(nl_result *result, nl_error *error) {
  NL_TRY(take_fitted_rows(result, error));
  const nl_refit_input input = nl_result_refit_input(result);
  return nl_refit_create(&result->refit, &input, error);
}

static nl_status refit(nl_result *result, double *progress, nl_error *error) {
  if (result->path->model->engine == NL_ENGINE_RUNTIME) {
    NL_TRY(nl_fitted_refit(result, progress, error));
    result->stage = STAGE_MEASURE;
    return NL_OK;
  }
  if (result->pruned.layers == NULL) {
    if (result->refit == NULL) NL_TRY(start_refit(result, error));
    const nl_status status = nl_refit_step(result->refit, progress, error);
    if (status != NL_OK) return status;
    if (result->options.method == NL_METHOD_RANDOM)
      NL_TRY(nl_prune_randomise(&result->pruned, nl_refit_parameters(result->refit), result->path->seed, error));
  }
  result->stage = STAGE_MEASURE;
  return NL_OK;
}

nl_status nl_result_measure_known(nl_result *result, nl_error *error) {
  const nl_network *network = result->path->model->network;
  NL_TRY(nl_deviation_create_given(&result->measuring, network, result->path->scored_rows, error));
  for (size_t o = 0; o < network->output_count; o++)
    nl_deviation_give(result->measuring, o, nl_refit_output(result->refit, network->outputs[o], true),
                      nl_refit_output(result->refit, network->outputs[o], false));
  return NL_OK;
}

// The refit went through the rows that are measured, and has both networks' outputs on them.
static bool knows_outputs(const nl_result *result) {
  return result->refit != NULL && result->pruned.layers == NULL && result->fitted_rows == 0 &&
         nl_result_refit_input(result).rows >= result->path->scored_rows && nl_refit_knows_outputs(result->refit);
}

static size_t measured_rows(const nl_result *result) {
  const size_t rows = result->path->scored_rows;
  return result->options.draft ? nl_result_draft(result, rows).rows : rows;
}

// Whether the measuring is complete.
static nl_status measure(nl_result *result, double *progress, nl_error *error) {
  const nl_path *path = result->path;
  if (path->model->engine == NL_ENGINE_RUNTIME) return nl_fitted_measure(result, progress, error);
  if (nl_model_large(path->model)) return nl_large_measure(result, progress, error);
  const size_t rows = measured_rows(result); // the last: a draft is fitted on the first
  const double *x = path->x + (path->scored_rows - rows) * path->features;
  if (result->measuring == NULL && knows_outputs(result)) NL_TRY(nl_result_measure_known(result, error));
  if (result->measuring == NULL)
    NL_TRY(nl_deviation_create(&result->measuring, path->model->network, &path->parameters,
                               nl_result_parameters(result), rows, x, error));
  return nl_deviation_step(result->measuring, progress, error);
}

static void take_measured(nl_result *result) {
  if (result->measuring == NULL) return; // the runtime's figures are there already
  result->deviation = nl_deviation_relative(result->measuring);
  result->largest = nl_deviation_largest(result->measuring);
  result->size = nl_deviation_size(result->measuring);
  drop_measuring(result);
  if (result->refit != NULL) nl_refit_drop_outputs(result->refit);
}

// Projected lumping at 0 says that nothing is lost.
static bool claims_exact(const nl_result *result) {
  return result->target.kind == NL_TARGET_EPSILON && result->target.value <= rounding &&
         result->options.method == NL_METHOD_PROJECTED;
}

// Of the model's values, by the types of its constants and casts.
static double coarsest_rounding(const nl_graph *graph) {
  double most = 0;
  for (size_t t = 0; t < graph->tensor_count; t++) most = fmax(most, nl_type_rounding(graph->tensors[t].type));
  for (size_t i = 0; i < graph->node_count; i++)
    if (nl_span_is(graph->nodes[i].op, "Cast"))
      most = fmax(most, nl_type_rounding((nl_type)nl_node_int(&graph->nodes[i], "to", NL_TYPE_F32)));
  return most;
}

static bool is_exact(const nl_result *result) {
  const double most = fmax(least_exact, ROUNDINGS * coarsest_rounding(result->path->model->graph));
  return result->largest <= most * result->size;
}

// Whether what was measured decides on the size.
static bool searches(const nl_result *result) {
  return result->target.kind == NL_TARGET_DEVIATION || claims_exact(result);
}

// Bisection over the sizes for the largest whose outputs, as measured, stay within the target. True when another candidate was taken.
static nl_status search_on(nl_result *result, bool *again, nl_error *error) {
  const bool within = claims_exact(result) ? is_exact(result) : result->deviation <= result->target.value;
  *again = false;
  if (within)
    result->low = result->tried;
  else
    result->high = result->tried > 0 ? result->tried - 1 : 0;
  if (result->low >= result->high && result->tried == result->low) {
    if (within && !nl_result_whole(result)) return NL_OK;
    return nl_fail(error, NL_ERROR_UNREACHABLE, NULL,
                   claims_exact(result)
                       ? "Neurons that look like exact combinations of others over the measure are none: "
                         "without any one of them the outputs change"
                       : "The least that can go changes the outputs by more than that");
  }
  result->tried = result->low + (result->high - result->low + 1) / 2;
  result->stage = STAGE_REFIT;
  result->searching = *again = true;
  return nl_method_take(result, result->tried, error);
}

static bool wants_polish(const nl_result *result) { return nl_result_may_polish(result) && result->deviation > 0; }

static nl_status measured(nl_result *result, nl_error *error) {
  bool again = false;
  take_measured(result);
  if (searches(result)) NL_TRY(search_on(result, &again, error));
  if (again) return NL_OK;
  if (wants_polish(result)) {
    result->stage = STAGE_POLISH;
    return NL_OK;
  }
  result->stage = STAGE_DONE;
  return nl_result_finish(result, error);
}

// Of the tail, once the runtime gave its rows.
static nl_status polish_tail(nl_result *result, double *progress, nl_error *error) {
  if (result->tail == NULL) NL_TRY(nl_tail_begin(result, error));
  if (nl_run_waits(&result->run)) return NL_RUN;
  NL_TRY(nl_tail_polish(result, progress, error));
  nl_tail_take(result, true);
  return NL_OK;
}

static nl_status polish(nl_result *result, double *progress, nl_error *error) {
  const nl_path *path = result->path;
  if (path->model->engine == NL_ENGINE_RUNTIME) {
    NL_TRY(polish_tail(result, progress, error));
    result->polished = true;
    result->stage = STAGE_REMEASURE;
    return NL_OK;
  }
  const nl_polish_input input = {.network = path->model->network,
                                 .original = &path->parameters,
                                 .start = nl_result_parameters(result),
                                 .keep_zeros = nl_method_prunes(result->options.method),
                                 .rows = path->scored_rows,
                                 .x = path->x,
                                 .copies = strcmp(path->measure, "data") == 0 ? JITTERED_COPIES : 0,
                                 .seed = path->seed,
                                 .iterations = result->options.iterations};
  if (result->polish == NULL) NL_TRY(nl_polish_create(&result->polish, &input, error));
  NL_TRY(nl_polish_step(result->polish, progress, error));
  result->polished = true;
  result->stage = STAGE_REMEASURE;
  return NL_OK;
}

// What is better on the whole measure stays.
static nl_status remeasured(nl_result *result, nl_error *error) {
  const double deviation = result->deviation, largest = result->largest;
  take_measured(result);
  if (!(result->deviation <= deviation)) {
    result->polished = false;
    if (result->tail != NULL) nl_tail_take(result, false);
    result->deviation = deviation;
    result->largest = largest;
  }
  result->stage = STAGE_DONE;
  return nl_result_finish(result, error);
}

// How far a result is once its stage has come as far as `share`.
static double progress_at(const nl_result *result, double share) {
  const size_t all = nl_method_sizes(result) + 1;
  if (result->stage == STAGE_DONE) return 1.0;
  if (result->stage == STAGE_POLISH || result->stage == STAGE_REMEASURE)
    return result->stage == STAGE_POLISH ? 0.95 * share : 0.95;
  if (result->searching) return 0.9 * (1.0 - log1p((double)(result->high - result->low)) / log1p((double)all));
  return result->stage == STAGE_REFIT ? 0.8 * share : result->stage == STAGE_MEASURE ? 0.8 : 0.0;
}

static nl_status advance(nl_result *result, double *share, nl_error *error) {
  nl_status status = NL_OK;
  switch (result->stage) {
  case STAGE_PREPARE:
    status = nl_method_prepare(result, error);
    return status == NL_OK ? begin(result, error) : status;
  case STAGE_FIND:
    return find_share(result, error);
  case STAGE_REFIT:
    return refit(result, share, error);
  case STAGE_MEASURE:
    status = measure(result, share, error);
    return status == NL_OK ? measured(result, error) : status;
  case STAGE_POLISH:
    return polish(result, share, error);
  case STAGE_REMEASURE:
    status = measure(result, share, error);
    return status == NL_OK ? remeasured(result, error) : status;
  default:
    return NL_OK;
  }
}

nl_status nl_result_step(nl_result *result, double *progress, nl_error *error) {
  double share = 0;
  const nl_status status = advance(result, &share, error);
  *progress = progress_at(result, share);
  if (status != NL_OK && status != NL_MORE) return status; // NL_RUN and NL_SHARE too
  return result->stage == STAGE_DONE ? NL_OK : NL_MORE;
}
