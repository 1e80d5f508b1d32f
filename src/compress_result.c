#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "json.h"
#include "json_decimal.h"
#include "onnx.h"
#include "quotient.h"

static const double rounding = 1e-12; // no tolerance named is smaller: copies go at 0 but for rounding

// ---- life ---------------------------------------------------------------------------------------------------------------

static size_t site_count(const nl_result *result) { return result->path->model->sites.count; }

static void drop_refit(nl_result *result) {
  nl_refit_free(result->refit);
  result->refit = NULL;
}

static int by_number(const void *a, const void *b) {
  const size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return x < y ? -1 : x > y;
}

// The lumping of one site that keeps `k` units: those that go last.
static nl_status lump_site(nl_result *result, size_t index, size_t k, nl_error *error) {
  const nl_site *site = &result->path->model->sites.sites[index];
  const nl_site_path *at = &result->path->sites[index];
  const size_t n = site->width;
  size_t *kept = NULL;
  double *prolongation = NULL, *offset = NULL;
  NL_TAKE(&result->arena, kept, size_t, k, error);
  memcpy(kept, at->order + (n - k), k * sizeof *kept);
  qsort(kept, k, sizeof *kept, by_number);
  result->lumpings[index] = (nl_lumping){.n = n, .k = k, .kept = kept};
  if (k == n) return NL_OK;
  NL_TAKE(&result->arena, prolongation, double, n *k, error);
  NL_TAKE(&result->arena, offset, double, n, error);
  NL_TRY(nl_project(n, at->second, at->mean, site->affine, k, kept, prolongation, offset, error));
  result->lumpings[index].prolongation = prolongation;
  result->lumpings[index].offset = offset;
  return NL_OK;
}

// Starts over with these widths.
static nl_status start_refit(nl_result *result, nl_error *error) {
  const nl_path *path = result->path;
  drop_refit(result);
  nl_arena_free(&result->arena);
  NL_TAKE(&result->arena, result->lumpings, nl_lumping, site_count(result), error);
  for (size_t i = 0; i < site_count(result); i++) NL_TRY(lump_site(result, i, result->widths[i], error));
  const nl_refit_input input = {.network = path->model->network,
                                .sites = &path->model->sites,
                                .original = &path->parameters,
                                .lumpings = result->lumpings,
                                .rows = path->rows,
                                .scored_rows = path->scored_rows,
                                .x = path->x,
                                .fit = true};
  return nl_refit_create(&result->refit, &input, error);
}

static bool whole(const nl_result *result) {
  for (size_t i = 0; i < site_count(result); i++)
    if (result->widths[i] != result->path->model->sites.sites[i].width) return false;
  return true;
}

static nl_status nothing_at(const nl_path *path, double epsilon, nl_error *error) {
  nl_buffer text = {0};
  static const char before[] = "The first neurons go at ε = ";
  // rounded up to three digits, so that the number shown does remove them
  double first = INFINITY;
  for (size_t i = 0; i < path->model->sites.count; i++) first = fmin(first, path->sites[i].deviation[0]);
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

static nl_status start(nl_result *result, nl_error *error) {
  const nl_path *path = result->path;
  nl_choice choice;
  result->widths = calloc(site_count(result) + 1, sizeof *result->widths);
  if (result->widths == NULL) return nl_fail(error, NL_ERROR_MEMORY, NULL, NULL);
  NL_TRY(nl_path_choose(path, result->target, &choice, result->widths, error));
  result->epsilon = choice.epsilon;
  if (result->target.kind == NL_TARGET_EPSILON && whole(result)) return nothing_at(path, result->target.value, error);
  if (result->target.kind == NL_TARGET_DEVIATION) {
    result->high = path->removal_count;
    for (size_t i = 0; i < site_count(result); i++)
      result->tried += path->model->sites.sites[i].width - result->widths[i];
    nl_path_widths(path, result->tried, result->widths);
  }
  return start_refit(result, error);
}

nl_status nl_result_create(nl_result **out, const nl_path *path, nl_target target, nl_error *error) {
  nl_result *result = calloc(1, sizeof *result);
  if (result == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *result, 0);
  result->path = path;
  result->target = target;
  const nl_status status = start(result, error);
  if (status != NL_OK)
    nl_result_free(result);
  else
    *out = result;
  return status;
}

void nl_result_free(nl_result *result) {
  if (result == NULL) return;
  drop_refit(result);
  nl_arena_free(&result->arena);
  nl_buffer_free(&result->onnx);
  free(result->widths);
  free(result);
}

double nl_result_deviation(const nl_result *result) { return nl_refit_deviation(result->refit); }

// ---- the smaller model --------------------------------------------------------------------------------------------------

static nl_status set_number(nl_edits *edits, const char *key, double value, nl_error *error) {
  nl_buffer text = {0};
  nl_status status = nl_decimal_append(&text, (float)value, error);
  if (status == NL_OK) status = nl_buffer_append(&text, "", 1, error);
  if (status == NL_OK) status = nl_edits_set_metadata(edits, key, (const char *)text.bytes, error);
  nl_buffer_free(&text);
  return status;
}

static nl_status set_metadata(nl_edits *edits, const nl_result *result, nl_error *error) {
  NL_TRY(nl_edits_set_metadata(edits, "netlump.version", NL_VERSION, error));
  NL_TRY(nl_edits_set_metadata(edits, "netlump.method", "projected", error));
  NL_TRY(set_number(edits, "netlump.epsilon", result->epsilon, error));
  NL_TRY(nl_edits_set_metadata(edits, "netlump.measure", result->path->from_data ? "data" : "normal", error));
  NL_TRY(set_number(edits, "netlump.measure.rows", (double)result->path->scored_rows, error));
  return set_number(edits, "netlump.seed", (double)result->path->seed, error);
}

static nl_status write_edited(nl_result *result, nl_edits *edits, nl_error *error) {
  const nl_path *path = result->path;
  if (!whole(result)) {
    NL_TRY(nl_quotient_edit(edits, path->model->network, &path->model->sites, result->lumpings, &path->parameters,
                            nl_refit_parameters(result->refit), error));
    NL_TRY(set_metadata(edits, result, error));
  }
  return nl_onnx_write(path->model->graph, edits, &result->onnx, error);
}

// Reads back what was written: it must parse, and its parameters are what the report states.
static nl_status count_written(nl_result *result, nl_error *error) {
  nl_graph *graph = NULL;
  NL_TRY(nl_onnx_read(&graph, (nl_span){result->onnx.bytes, result->onnx.size}, error));
  result->parameters = nl_graph_parameters(graph);
  nl_graph_free(graph);
  return NL_OK;
}

static nl_status finish(nl_result *result, nl_error *error) {
  nl_edits *edits = NULL;
  NL_TRY(nl_edits_create(&edits, result->path->model->graph, error));
  const nl_status status = write_edited(result, edits, error);
  nl_edits_free(edits);
  NL_TRY(status);
  NL_TRY(count_written(result, error));
  result->done = true;
  return NL_OK;
}

// ---- steps --------------------------------------------------------------------------------------------------------------

// Bisection over the merged path for the most removals whose measured deviation stays within the target: `low` removals
// are known to do (none always do), more than `high` are not. True when another refit was started.
static nl_status search_on(nl_result *result, bool *again, nl_error *error) {
  if (nl_result_deviation(result) <= result->target.value)
    result->low = result->tried;
  else
    result->high = result->tried > 0 ? result->tried - 1 : 0;
  *again = !(result->low == result->high && result->tried == result->low);
  if (!*again) return NL_OK;
  result->tried = result->low == result->high ? result->low : result->low + (result->high - result->low + 1) / 2;
  nl_path_widths(result->path, result->tried, result->widths);
  result->epsilon = nl_path_epsilon(result->path, result->widths);
  return start_refit(result, error);
}

nl_status nl_result_step(nl_result *result, double *progress, nl_error *error) {
  *progress = 1.0;
  if (result->done) return NL_OK;
  const nl_status status = nl_refit_step(result->refit, progress, error);
  if (status != NL_OK) return status;
  if (result->target.kind == NL_TARGET_DEVIATION) {
    bool again = false;
    NL_TRY(search_on(result, &again, error));
    if (again) {
      const size_t all = result->path->removal_count + 1;
      *progress = 1.0 - (double)(result->high - result->low) / (double)all;
      return NL_MORE;
    }
    if (whole(result))
      return nl_fail(error, NL_ERROR_UNREACHABLE, NULL,
                     "Removing a single neuron changes the outputs by more than that");
  }
  *progress = 1.0;
  return finish(result, error);
}

// ---- what comes out -----------------------------------------------------------------------------------------------------

static nl_status need_done(const nl_result *result, nl_error *error) {
  return result->done ? NL_OK : nl_fail(error, NL_ERROR_ARGUMENT, "result", "it is not complete yet");
}

static bool add_site(cJSON *array, const nl_result *result, size_t index) {
  const nl_model *model = result->path->model;
  const nl_site *site = &model->sites.sites[index];
  const nl_lumping *lumping = &result->lumpings[index];
  const size_t gone = lumping->n - lumping->k;
  cJSON *object = cJSON_CreateObject();
  if (object == NULL || !cJSON_AddItemToArray(array, object)) return false;
  bool fine = nl_report_node(object, "name", model->graph, model->network->steps[site->producer].node) &&
              nl_report_number(object, "before", (double)lumping->n) &&
              nl_report_number(object, "after", (double)lumping->k) &&
              nl_report_number(object, "deviation", gone > 0 ? result->path->sites[index].deviation[gone - 1] : 0.0);
  cJSON *kept = fine ? cJSON_AddArrayToObject(object, "kept") : NULL;
  fine = kept != NULL;
  for (size_t i = 0; fine && i < lumping->k; i++)
    fine = cJSON_AddItemToArray(kept, cJSON_CreateNumber((double)lumping->kept[i]));
  return fine;
}

static bool add_pair(cJSON *root, const char *name, double before, double after) {
  cJSON *pair = cJSON_AddObjectToObject(root, name);
  return pair != NULL && nl_report_number(pair, "before", before) && nl_report_number(pair, "after", after);
}

static bool add_target(cJSON *root, nl_target target) {
  static const char *const kinds[] = {"epsilon", "retain", "deviation"};
  cJSON *object = cJSON_AddObjectToObject(root, "target");
  return object != NULL && cJSON_AddStringToObject(object, "kind", kinds[target.kind]) != NULL &&
         nl_report_number(object, "value", target.value);
}

nl_status nl_result_report(const nl_result *result, nl_buffer *json, nl_error *error) {
  NL_TRY(need_done(result, error));
  const nl_model *model = result->path->model;
  const double before = (double)model->network->parameters;
  cJSON *root = cJSON_CreateObject();
  bool fine = root != NULL && cJSON_AddStringToObject(root, "method", "projected") != NULL &&
              nl_report_number(root, "epsilon", result->epsilon) && add_target(root, result->target) &&
              nl_path_report_measure(result->path, root) &&
              add_pair(root, "parameters", before, (double)result->parameters) &&
              nl_report_number(root, "retained", (double)result->parameters / before) &&
              nl_report_number(root, "deviation", nl_result_deviation(result)) &&
              nl_report_number(root, "largest", nl_refit_largest(result->refit));
  cJSON *array = fine ? cJSON_AddArrayToObject(root, "sites") : NULL;
  fine = array != NULL;
  for (size_t i = 0; fine && i < model->sites.count; i++) fine = add_site(array, result, i);
  fine = fine && nl_report_skipped(root, model->network);
  return nl_report_print(root, fine, json, error);
}

static nl_status write_json(const nl_result *result, nl_buffer *out, nl_error *error) {
  const nl_model *model = result->path->model;
  const nl_span original = model->format == NL_FORMAT_JSON ? model->source : (nl_span){NULL, 0};
  if (model->format == NL_FORMAT_JSON && whole(result))
    return nl_buffer_append(out, original.bytes, original.size, error);
  nl_graph *graph = NULL;
  NL_TRY(nl_onnx_read(&graph, (nl_span){result->onnx.bytes, result->onnx.size}, error));
  const nl_status status = nl_json_write(graph, original, out, error);
  nl_graph_free(graph);
  return status;
}

nl_status nl_result_write(const nl_result *result, nl_format format, nl_buffer *out, nl_error *error) {
  NL_TRY(need_done(result, error));
  if (format == NL_FORMAT_JSON) return write_json(result, out, error);
  return nl_buffer_append(out, result->onnx.bytes, result->onnx.size, error);
}

nl_status nl_result_forward(const nl_result *result, size_t rows, const double *x, double *y, nl_error *error) {
  NL_TRY(need_done(result, error));
  return nl_forward(result->path->model->network, nl_refit_parameters(result->refit), rows, x, y, error);
}
