// What a result did to the neurons, and the weights they had: for drawings.
#include <math.h>
#include <stdlib.h>

#include "compress.h"

enum { NUMBERS = 4096, WEIGHTS = 1 << 22 }; // of a prolongation in JSON; of a layer (32 MB)

// A unit that varies less than this share of its site's mean is a constant: as far below any tolerance as the ridge of the
// elimination (project.c).
static const double constant_share = 1e-6;

// ---- blocks -------------------------------------------------------------------------------------------------------------

static bool add_index(cJSON *array, size_t index) {
  return cJSON_AddItemToArray(array, index == NL_NONE ? cJSON_CreateNull() : cJSON_CreateNumber((double)index));
}

// The spread of a unit over the measure: its standard deviation, or its RMS where consumers have no room for a constant.
static double spread_of(const nl_site_path *at, size_t n, size_t unit) {
  return sqrt(fmax(at->second[unit * n + unit], 0.0));
}

static double mean_spread(const nl_site_path *at, size_t n) {
  double sum = 0;
  for (size_t u = 0; u < n; u++) sum += at->second[u * n + u];
  return n > 0 ? sqrt(fmax(sum, 0.0) / (double)n) : 0.0;
}

// The kept unit with the largest share in predicting this one: |P_uj| times the spread of ã_j; NL_NONE where none has a share
// above `least`. A partition's P has one entry a row: the unit's block, however little its unit varies.
static size_t block_of(const nl_lumping *lumping, const nl_site_path *at, bool weigh, double least, size_t unit) {
  size_t best = NL_NONE;
  double most = weigh ? least : 0.0;
  for (size_t j = 0; lumping->restriction == NULL && j < lumping->k; j++)
    if (lumping->kept[j] == unit) return j;
  for (size_t j = 0; lumping->prolongation != NULL && j < lumping->k; j++) {
    const double share = fabs(lumping->prolongation[unit * lumping->k + j]) *
                         (weigh ? spread_of(at, lumping->n, lumping->kept[j]) : 1.0);
    if (!(share > most)) continue;
    most = share;
    best = j;
  }
  return best;
}

static bool add_prolongation(cJSON *root, const nl_lumping *lumping) {
  cJSON *rows = cJSON_AddArrayToObject(root, "prolongation");
  bool fine = rows != NULL;
  for (size_t u = 0; fine && u < lumping->n; u++) {
    cJSON *row = cJSON_CreateDoubleArray(lumping->prolongation + u * lumping->k, (int)lumping->k);
    fine = row != NULL && cJSON_AddItemToArray(rows, row);
  }
  cJSON *offset = fine ? cJSON_CreateDoubleArray(lumping->offset, (int)lumping->n) : NULL;
  return offset != NULL && cJSON_AddItemToObject(root, "offset", offset);
}

static bool add_blocks(cJSON *root, const nl_lumping *lumping, const nl_site_path *at, bool weigh) {
  const double least = weigh ? constant_share * mean_spread(at, lumping->n) : 0;
  cJSON *kept = cJSON_AddArrayToObject(root, "kept"), *blocks = cJSON_AddArrayToObject(root, "blocks");
  bool fine = kept != NULL && blocks != NULL;
  for (size_t j = 0; fine && j < lumping->k; j++) fine = add_index(kept, lumping->kept[j]);
  for (size_t u = 0; fine && u < lumping->n; u++) fine = add_index(blocks, block_of(lumping, at, weigh, least, u));
  return fine;
}

nl_status nl_result_lumping(const nl_result *result, size_t site, nl_buffer *json, nl_error *error) {
  if (!nl_result_done(result)) return nl_fail(error, NL_ERROR_ARGUMENT, "result", "it is not complete yet");
  if (site >= result->path->model->sites.count)
    return nl_fail(error, NL_ERROR_ARGUMENT, "site", "the model has no such site");
  const nl_lumping *lumping = &result->lumpings[site];
  const bool weigh = !nl_method_partitions(result->options.method) && result->path->sites[site].second != NULL;
  cJSON *root = cJSON_CreateObject();
  bool fine = root != NULL && nl_report_number(root, "site", (double)site) &&
              nl_report_number(root, "before", (double)lumping->n) &&
              nl_report_number(root, "after", (double)lumping->k) &&
              add_blocks(root, lumping, &result->path->sites[site], weigh);
  if (fine && lumping->prolongation != NULL && lumping->n <= NUMBERS / lumping->k)
    fine = add_prolongation(root, lumping);
  else if (fine)
    fine = cJSON_AddNullToObject(root, "prolongation") != NULL && cJSON_AddNullToObject(root, "offset") != NULL;
  return nl_report_print(root, fine, json, error);
}

// ---- weights ------------------------------------------------------------------------------------------------------------

// The layer among the first `index` whose output this step reads; the last of them where several add up.
static size_t layer_before(const nl_network *network, const size_t *steps, size_t index) {
  const size_t group = network->group_of[network->steps[steps[index]].inputs[0]];
  size_t found = NL_NONE;
  for (size_t i = 0; i < index; i++)
    if (steps[i] != NL_NONE && network->group_of[steps[i]] == group) found = i;
  return found;
}

static nl_status take_weights(const nl_model *model, size_t step, nl_buffer *weights, nl_error *error) {
  nl_parameters parameters;
  NL_TRY(nl_parameters_load(&parameters, model->network, error));
  const nl_layer *layer = &parameters.layers[step];
  const nl_status status =
      nl_buffer_append(weights, layer->weights, layer->width * layer->in_width * sizeof *layer->weights, error);
  nl_parameters_free(&parameters);
  return status;
}

static nl_status look(const nl_model *model, const size_t *steps, size_t index, nl_buffer *json, nl_buffer *weights,
                      nl_error *error) {
  const nl_network *network = model->network;
  const nl_step *step = steps[index] != NL_NONE ? &network->steps[steps[index]] : NULL;
  if (step == NULL || !step->evaluable)
    return nl_fail(error, NL_ERROR_UNSUPPORTED, "weights", "this layer is no dense one that netlump evaluates itself");
  if (step->in_width > 0 && step->width > WEIGHTS / step->in_width)
    return nl_fail_count(error, NL_ERROR_LIMIT, "weights", WEIGHTS, (uint64_t)step->width * step->in_width);
  NL_TRY(take_weights(model, steps[index], weights, error));
  const size_t from = layer_before(network, steps, index);
  cJSON *root = cJSON_CreateObject();
  const bool fine = root != NULL && nl_report_number(root, "layer", (double)index) &&
                    nl_report_number(root, "width", (double)step->width) &&
                    nl_report_number(root, "reads", (double)step->in_width) &&
                    nl_report_number(root, "from", from != NL_NONE ? (double)from : (double)NAN);
  return nl_report_print(root, fine, json, error);
}

nl_status nl_model_weights(const nl_model *model, size_t layer, nl_buffer *json, nl_buffer *weights, nl_error *error) {
  NL_TRY(nl_model_need_forward(model, error));
  const nl_layers layers = nl_model_layers(model);
  size_t count = 0, *steps = malloc((model->graph->node_count + 1) * sizeof *steps);
  if (steps == NULL) return nl_fail(error, NL_ERROR_MEMORY, NULL, NULL);
  nl_report_layer_steps(&layers, &count, steps);
  const nl_status status = layer < count ? look(model, steps, layer, json, weights, error)
                                         : nl_fail(error, NL_ERROR_ARGUMENT, "layer", "the model has no such layer");
  free(steps);
  return status;
}
