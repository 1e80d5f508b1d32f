// What a result gives: the smaller model and its report.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "decimal.h"
#include "onnx.h"
#include "quotient.h"

// ---- the smaller model --------------------------------------------------------------------------------------------------

static nl_status set_number(nl_edits *edits, const char *key, double value, nl_error *error) {
  nl_buffer text = {0};
  nl_status status = nl_decimal_append(&text, (float)value, error);
  if (status == NL_OK) status = nl_buffer_append(&text, "", 1, error);
  if (status == NL_OK) status = nl_edits_set_metadata(edits, key, (const char *)text.bytes, error);
  nl_buffer_free(&text);
  return status;
}

static bool add_target(cJSON *root, nl_target target) {
  static const char *const kinds[] = {"epsilon", "retain", "deviation"};
  cJSON *object = cJSON_AddObjectToObject(root, "target");
  return object != NULL && cJSON_AddStringToObject(object, "kind", kinds[target.kind]) != NULL &&
         nl_report_number(object, "value", target.value);
}

static bool add_numbers(cJSON *root, const char *name, const double *numbers, size_t count) {
  return numbers == NULL || cJSON_AddItemToObject(root, name, cJSON_CreateDoubleArray(numbers, (int)count));
}

// Where the rows of a measure without data come from.
static bool add_measure(cJSON *root, const nl_path *path) {
  const bool given = !path->data_free && strcmp(path->measure, "data") != 0;
  return nl_report_number(root, "seed", (double)path->seed) &&
         nl_report_number(root, "rows", (double)path->scored_rows) &&
         add_numbers(root, "mean", given ? path->mean : NULL, path->features) &&
         add_numbers(root, "spread", given ? path->spread : NULL, path->features) &&
         add_numbers(root, "low", path->low, path->features) && add_numbers(root, "high", path->high, path->features);
}

// All that was asked for: with the original, and the rows where the measure is data, it gives the same bytes again.
static nl_status set_settings(nl_edits *edits, const nl_result *result, nl_error *error) {
  static const char *const linkages[] = {[NL_LINKAGE_COMPLETE] = "complete", [NL_LINKAGE_ERODE] = "erode"};
  const nl_result_options *options = &result->options;
  cJSON *root = cJSON_CreateObject();
  const bool fine = root != NULL && cJSON_AddStringToObject(root, "method", nl_method_names[options->method]) != NULL &&
                    add_target(root, result->target) && add_measure(root, result->path) &&
                    cJSON_AddBoolToObject(root, "polish", options->polish) != NULL &&
                    nl_report_number(root, "iterations", (double)options->iterations) &&
                    (!nl_method_partitions(options->method) ||
                     (cJSON_AddStringToObject(root, "linkage", linkages[options->linkage]) != NULL &&
                      nl_report_number(root, "degree", (double)options->degree)));
  nl_buffer text = {0};
  nl_status status = nl_report_print(root, fine, &text, error);
  if (status == NL_OK) status = nl_buffer_append(&text, "", 1, error);
  if (status == NL_OK) status = nl_edits_set_metadata(edits, "netlump.settings", (const char *)text.bytes, error);
  nl_buffer_free(&text);
  return status;
}

static nl_status set_metadata(nl_edits *edits, const nl_result *result, nl_error *error) {
  NL_TRY(nl_edits_set_metadata(edits, "netlump.version", NL_VERSION, error));
  NL_TRY(nl_edits_set_metadata(edits, "netlump.method", nl_method_names[result->options.method], error));
  if (nl_method_knows_tolerance(result->options.method))
    NL_TRY(set_number(edits, "netlump.epsilon", result->epsilon, error));
  if (result->polished)
    NL_TRY(set_number(edits, "netlump.polish", (double)nl_polish_iterations(result->polish), error));
  NL_TRY(nl_edits_set_metadata(edits, "netlump.measure", result->path->measure, error));
  NL_TRY(set_number(edits, "netlump.measure.rows", (double)result->path->scored_rows, error));
  NL_TRY(set_number(edits, "netlump.seed", (double)result->path->seed, error));
  return set_settings(edits, result, error);
}

static nl_status write_edited(nl_result *result, nl_edits *edits, nl_error *error) {
  const nl_path *path = result->path;
  if (!nl_result_whole(result)) {
    NL_TRY(path->model->engine == NL_ENGINE_RUNTIME
               ? nl_fitted_edit(result, edits, error)
               : nl_quotient_edit(edits, path->model->network, &path->model->sites, result->lumpings, &path->parameters,
                                  nl_result_parameters(result), error));
    NL_TRY(set_metadata(edits, result, error));
  }
  return nl_onnx_write_split(path->model->graph, edits, &result->weights, &result->onnx, error);
}

// Reads back what was written: it must parse, and its parameters are what the report states (for pruning, those that
// are not zero).
static nl_status count_written(nl_result *result, nl_error *error) {
  nl_graph *graph = NULL;
  const nl_span onnx = {result->onnx.bytes, result->onnx.size};
  NL_TRY(nl_onnx_read_away(&graph, onnx, result->path->model->graph->store, error));
  result->parameters =
      nl_method_prunes(result->options.method) ? nl_method_parameters(result) : nl_graph_parameters(graph);
  nl_graph_free(graph);
  return NL_OK;
}

nl_status nl_result_finish(nl_result *result, nl_error *error) {
  nl_edits *edits = NULL;
  NL_TRY(nl_edits_create(&edits, result->path->model->graph, error));
  const nl_status status = write_edited(result, edits, error);
  nl_edits_free(edits);
  NL_TRY(status);
  return count_written(result, error);
}

// ---- what comes out -----------------------------------------------------------------------------------------------------

static nl_status need_done(const nl_result *result, nl_error *error) {
  return nl_result_done(result) ? NL_OK : nl_fail(error, NL_ERROR_ARGUMENT, "result", "it is not complete yet");
}

// What the path foretells for the site; nothing where another method chose.
static double site_deviation(const nl_result *result, size_t index, size_t gone) {
  if (result->options.method != NL_METHOD_PROJECTED) return (double)NAN;
  return gone > 0 ? result->path->sites[index].deviation[gone - 1] : 0.0;
}

static bool add_site(cJSON *array, const nl_result *result, size_t index) {
  const nl_model *model = result->path->model;
  const nl_lumping *lumping = &result->lumpings[index];
  const size_t gone = lumping->n - lumping->k;
  cJSON *object = cJSON_CreateObject();
  if (object == NULL || !cJSON_AddItemToArray(array, object)) return false;
  bool fine = nl_report_node(object, "name", model->graph, nl_model_producer(model, index)) &&
              nl_report_number(object, "before", (double)lumping->n) &&
              nl_report_number(object, "after", (double)lumping->k) &&
              nl_report_number(object, "deviation", site_deviation(result, index, gone));
  cJSON *kept = fine ? cJSON_AddArrayToObject(object, "kept") : NULL;
  fine = kept != NULL;
  for (size_t i = 0; fine && i < lumping->k; i++)
    fine = cJSON_AddItemToArray(kept, cJSON_CreateNumber((double)lumping->kept[i]));
  return fine;
}

// How far the polish came on the rows it held back; null where there was none, or nothing came of it.
static bool add_polish(cJSON *root, const nl_result *result) {
  if (!result->polished) return cJSON_AddNullToObject(root, "polish") != NULL;
  cJSON *object = cJSON_AddObjectToObject(root, "polish");
  return object != NULL && nl_report_number(object, "iterations", (double)nl_polish_iterations(result->polish)) &&
         nl_report_number(object, "before", nl_polish_before(result->polish)) &&
         nl_report_number(object, "after", nl_polish_after(result->polish));
}

static bool add_pair(cJSON *root, const char *name, double before, double after) {
  cJSON *pair = cJSON_AddObjectToObject(root, name);
  return pair != NULL && nl_report_number(pair, "before", before) && nl_report_number(pair, "after", after);
}

nl_status nl_result_report(const nl_result *result, nl_buffer *json, nl_error *error) {
  NL_TRY(need_done(result, error));
  const nl_model *model = result->path->model;
  const double before = (double)nl_model_parameters(model);
  cJSON *root = cJSON_CreateObject();
  bool fine = root != NULL &&
              cJSON_AddStringToObject(root, "method", nl_method_names[result->options.method]) != NULL &&
              nl_report_number(root, "epsilon",
                               nl_method_knows_tolerance(result->options.method) ? result->epsilon : (double)NAN) &&
              add_target(root, result->target) && nl_path_report_measure(result->path, root) &&
              add_pair(root, "parameters", before, (double)result->parameters) &&
              nl_report_number(root, "retained", (double)result->parameters / before) &&
              nl_report_number(root, "deviation", result->deviation) &&
              nl_report_number(root, "largest", result->largest) && add_polish(root, result);
  cJSON *array = fine ? cJSON_AddArrayToObject(root, "sites") : NULL;
  fine = array != NULL;
  for (size_t i = 0; fine && i < model->sites.count; i++) fine = add_site(array, result, i);
  fine = fine && nl_model_report_skipped(root, model);
  return nl_report_print(root, fine, json, error);
}

// ---- its files ------------------------------------------------------------------------------------------------------------

nl_status nl_result_write(const nl_result *result, nl_buffer *out, nl_error *error) {
  NL_TRY(need_done(result, error));
  return nl_buffer_append(out, result->onnx.bytes, result->onnx.size, error);
}

nl_status nl_result_write_weights(const nl_result *result, nl_buffer *name, nl_buffer *bytes, nl_error *error) {
  NL_TRY(need_done(result, error));
  if (result->weights.size == 0) return NL_OK;
  NL_TRY(nl_buffer_append(name, result->weights.name.bytes, result->weights.name.size, error));
  return nl_weights_file_append(&result->weights, bytes, error);
}

// Writing anything anew takes in all that is external.
static nl_status join(const nl_graph *graph, nl_buffer *out, nl_error *error) {
  nl_edits *edits = NULL;
  NL_TRY(nl_edits_create(&edits, graph, error));
  nl_status status = nl_edits_set_metadata(edits, "netlump.version", NL_VERSION, error);
  if (status == NL_OK) status = nl_onnx_write(graph, edits, out, error);
  nl_edits_free(edits);
  return status;
}

static nl_status join_written(const nl_result *result, nl_buffer *out, nl_error *error) {
  nl_graph *graph = NULL;
  nl_buffer external = {0};
  NL_TRY(nl_onnx_read(&graph, (nl_span){result->onnx.bytes, result->onnx.size}, error));
  nl_status status = nl_weights_file_append(&result->weights, &external, error);
  if (status == NL_OK)
    status = nl_graph_attach(graph, result->weights.name, (nl_span){external.bytes, external.size}, error);
  if (status == NL_OK) status = join(graph, out, error);
  nl_graph_free(graph);
  nl_buffer_free(&external);
  return status;
}

static bool is_in_one(const nl_graph *graph) {
  for (size_t t = 0; t < graph->tensor_count; t++)
    if (graph->tensors[t].storage == NL_STORAGE_EXTERNAL) return false;
  return true;
}

nl_status nl_result_write_joined(const nl_result *result, nl_buffer *out, nl_error *error) {
  NL_TRY(need_done(result, error));
  NL_TRY(nl_model_need_memory(result->path->model, error));
  const nl_graph *original = result->path->model->graph;
  if (nl_result_whole(result) && !is_in_one(original)) return join(original, out, error);
  return result->weights.size == 0 ? nl_result_write(result, out, error) : join_written(result, out, error);
}

nl_status nl_result_forward(const nl_result *result, size_t rows, const double *x, double *y, nl_error *error) {
  NL_TRY(need_done(result, error));
  NL_TRY(nl_model_need_forward(result->path->model, error));
  return nl_forward(result->path->model->network, nl_result_parameters(result), rows, x, y, error);
}
