// The trace of a partition as JSON (netlump.h, nl_model_trace).
#include <math.h>

#include "compress.h"

static bool append_number(cJSON *array, double value) {
  cJSON *number = cJSON_CreateNumber(value);
  return number != NULL && cJSON_AddItemToArray(array, number);
}

static cJSON *append_array(cJSON *array) {
  cJSON *item = cJSON_CreateArray();
  if (item != NULL && cJSON_AddItemToArray(array, item)) return item;
  cJSON_Delete(item);
  return NULL;
}

static cJSON *append_object(cJSON *array) {
  cJSON *item = cJSON_CreateObject();
  if (item != NULL && cJSON_AddItemToArray(array, item)) return item;
  cJSON_Delete(item);
  return NULL;
}

// Numbers of neurons, from 1
static bool add_members(cJSON *object, const char *name, const nl_layer_trace *t, const bool *within) {
  cJSON *array = cJSON_AddArrayToObject(object, name);
  bool fine = array != NULL;
  for (size_t i = 0; fine && i < t->n; i++)
    if (within[i]) fine = append_number(array, (double)(t->units[i] + 1));
  return fine;
}

static bool add_distances(cJSON *object, const nl_layer_trace *t) {
  cJSON *rows = cJSON_AddArrayToObject(object, "distances");
  bool fine = rows != NULL;
  for (size_t i = 0; fine && i < t->n; i++) {
    cJSON *row = append_array(rows);
    fine = row != NULL;
    for (size_t j = 0; fine && j < t->n; j++) fine = append_number(row, t->distances[i * t->n + j]);
  }
  return fine;
}

// What the pair's L1 distance adds up, side by side. Of a pair near by its negative the second is turned.
static bool add_terms(cJSON *object, const nl_layer_trace *t, const nl_split *split) {
  if (t->rows == NULL) return cJSON_AddNullToObject(object, "terms") != NULL;
  const double *a = t->rows + split->pair[0] * t->columns, *b = t->rows + split->pair[1] * t->columns;
  double same = 0, turned = 0;
  for (size_t c = 0; c < t->columns; c++) {
    same += fabs(a[c] - b[c]);
    turned += fabs(a[c] + b[c]);
  }
  const double sign = t->any_sign && turned < same ? -1.0 : 1.0;
  cJSON *terms = cJSON_AddArrayToObject(object, "terms");
  bool fine = terms != NULL;
  for (size_t c = 0; fine && c < t->columns; c++) {
    cJSON *two = append_array(terms);
    fine = two != NULL && append_number(two, a[c]) && append_number(two, sign * b[c]);
  }
  return fine;
}

static bool add_splits(cJSON *object, const nl_layer_trace *t) {
  cJSON *array = cJSON_AddArrayToObject(object, "splits");
  bool fine = array != NULL;
  for (size_t k = 0; fine && k < t->splits; k++) {
    const nl_split *split = &t->split[k];
    cJSON *item = append_object(array);
    fine = item != NULL && add_members(item, "stays", t, split->stays) && add_members(item, "leaves", t, split->leaves);
    cJSON *pair = fine ? cJSON_AddArrayToObject(item, "pair") : NULL;
    fine = pair != NULL && append_number(pair, (double)(t->units[split->pair[0]] + 1)) &&
           append_number(pair, (double)(t->units[split->pair[1]] + 1)) &&
           nl_report_number(item, "distance", split->distance) && add_terms(item, t, split);
  }
  return fine;
}

static bool add_blocks(cJSON *object, const nl_partition *partition, size_t layer, size_t width) {
  cJSON *array = cJSON_AddArrayToObject(object, "blocks");
  bool fine = array != NULL;
  for (size_t b = 0; fine && b < partition->blocks[layer]; b++) {
    cJSON *block = append_array(array);
    fine = block != NULL;
    for (size_t i = 0; fine && i < width; i++)
      if (partition->block_of[layer][i] == b) fine = append_number(block, (double)(i + 1));
  }
  return fine;
}

static bool add_symmetry(cJSON *object, const nl_partition *partition, size_t layer, size_t width) {
  cJSON *constants = cJSON_AddArrayToObject(object, "constant"), *scales = cJSON_AddArrayToObject(object, "scale");
  bool fine = constants != NULL && scales != NULL;
  for (size_t i = 0; fine && partition->scale != NULL && i < width; i++) {
    fine = append_number(scales, partition->scale[layer][i]);
    if (!fine || partition->block_of[layer][i] != NL_NONE) continue;
    cJSON *item = append_object(constants);
    fine = item != NULL && nl_report_number(item, "neuron", (double)(i + 1)) &&
           nl_report_number(item, "value", partition->constant[layer][i]);
  }
  return fine;
}

static bool add_step(cJSON *array, const nl_chain *chain, const nl_partition *partition, const nl_layer_trace *t) {
  cJSON *object = append_object(array);
  const size_t width = chain->layers[t->layer].width;
  bool fine = object != NULL && nl_report_number(object, "layer", (double)(t->layer + 1)) &&
              nl_report_number(object, "neighbour", (double)t->neighbour) &&
              nl_report_number(object, "factor", t->factor);
  cJSON *neurons = fine ? cJSON_AddArrayToObject(object, "neurons") : NULL;
  fine = neurons != NULL;
  for (size_t i = 0; fine && i < t->n; i++) fine = append_number(neurons, (double)(t->units[i] + 1));
  return fine && add_distances(object, t) && add_splits(object, t) && add_blocks(object, partition, t->layer, width) &&
         add_symmetry(object, partition, t->layer, width);
}

nl_status nl_trace_print(nl_buffer *json, const nl_chain *chain, const nl_partitioner *partitioner,
                         const nl_partition *partition, nl_error *error) {
  nl_arena work = {0};
  nl_status status = NL_OK;
  cJSON *steps = cJSON_CreateArray();
  bool fine = steps != NULL;
  for (size_t step = 0; fine && status == NL_OK && step < partition->layers; step++) {
    nl_layer_trace trace;
    status = nl_partitioner_trace(partitioner, step, &trace, &work, error);
    if (status == NL_OK) fine = add_step(steps, chain, partition, &trace);
  }
  nl_arena_free(&work);
  if (status == NL_OK) return nl_report_print(steps, fine, json, error);
  cJSON_Delete(steps);
  return status;
}
