// compress_equivalence: the differential equivalences behind netlump.h: blocks as names, encodings as ERODE's files.
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "json_decimal.h"
#include "partition.h"

typedef struct view {
  nl_parameters parameters;
  nl_chain chain;
  nl_partitioner *partitioner;
} view;

static void close_view(view *v) {
  nl_partitioner_free(v->partitioner);
  if (v->chain.network != NULL) nl_chain_free(&v->chain);
  nl_parameters_free(&v->parameters);
}

static nl_status open_view(view *v, const nl_model *model, nl_error *error) {
  if (model->network == NULL) return nl_fail_span(error, NL_ERROR_EXTERNAL, nl_graph_missing_file(model->graph), NULL);
  NL_TRY(nl_parameters_load(&v->parameters, model->network, error));
  return nl_chain_create(&v->chain, model->network, &model->sites, &v->parameters, error);
}

// ---- blocks -----------------------------------------------------------------------------------------------------------

static nl_status say(nl_buffer *out, const char *text, nl_error *error) {
  return nl_buffer_append(out, text, strlen(text), error);
}

// "h1_3": neuron 3 of hidden layer 1, quoted
static nl_status say_neuron(nl_buffer *out, size_t layer, size_t unit, nl_error *error) {
  NL_TRY(say(out, "\"h", error));
  NL_TRY(nl_decimal_append(out, (double)(layer + 1), error));
  NL_TRY(say(out, "_", error));
  NL_TRY(nl_decimal_append(out, (double)(unit + 1), error));
  return say(out, "\"", error);
}

// Units in order of their blocks, in order of number within one: start (blocks + 1), units (width)
static void sort_units(size_t width, const size_t *block_of, size_t blocks, size_t *start, size_t *units) {
  for (size_t i = 0; i < width; i++)
    if (block_of[i] != NL_NONE) start[block_of[i] + 1]++;
  for (size_t b = 0; b < blocks; b++) start[b + 1] += start[b];
  for (size_t i = 0; i < width; i++)
    if (block_of[i] != NL_NONE) units[start[block_of[i]]++] = i;
  for (size_t b = blocks; b-- > 0;) start[b + 1] = start[b];
  start[0] = 0;
}

static nl_status say_layer(nl_buffer *json, const nl_partition *partition, size_t layer, size_t width, bool *first,
                           nl_error *error) {
  nl_arena work = {0};
  const size_t blocks = partition->blocks[layer];
  size_t *start = nl_arena_take(&work, blocks + 2, sizeof *start),
         *units = nl_arena_take(&work, width + 1, sizeof *units);
  nl_status status = start != NULL && units != NULL ? NL_OK : nl_fail(error, NL_ERROR_MEMORY, NULL, NULL);
  if (status == NL_OK) sort_units(width, partition->block_of[layer], blocks, start, units);
  for (size_t b = 0; status == NL_OK && b < blocks; b++) {
    status = say(json, *first ? "[" : ",[", error);
    *first = false;
    for (size_t k = start[b]; status == NL_OK && k < start[b + 1]; k++) {
      if (k > start[b]) status = say(json, ",", error);
      if (status == NL_OK) status = say_neuron(json, layer, units[k], error);
    }
    if (status == NL_OK) status = say(json, "]", error);
  }
  nl_arena_free(&work);
  return status;
}

static nl_status say_constants(nl_buffer *json, const nl_chain *chain, const nl_partition *partition, nl_error *error) {
  bool first = true;
  for (size_t l = 0; l < partition->layers; l++)
    for (size_t i = 0; i < chain->layers[l].width; i++) {
      if (partition->block_of[l][i] != NL_NONE) continue;
      if (!first) NL_TRY(say(json, ",", error));
      NL_TRY(say_neuron(json, l, i, error));
      first = false;
    }
  return NL_OK;
}

static nl_status say_blocks(nl_buffer *json, const view *v, double epsilon, nl_error *error) {
  const nl_partition *partition;
  bool first = true;
  NL_TRY(nl_partitioner_at(v->partitioner, epsilon, &partition, error));
  NL_TRY(say(json, "{\"blocks\":[", error));
  for (size_t l = 0; l < partition->layers; l++)
    NL_TRY(say_layer(json, partition, l, v->chain.layers[l].width, &first, error));
  NL_TRY(say(json, "],\"constant\":[", error));
  NL_TRY(say_constants(json, &v->chain, partition, error));
  return say(json, "]}", error);
}

nl_status nl_model_blocks(const nl_model *model, const nl_partition_options *options, double epsilon, nl_buffer *json,
                          nl_error *error) {
  view v = {0};
  nl_status status = open_view(&v, model, error);
  if (status == NL_OK) status = nl_partitioner_create(&v.partitioner, &v.chain, options, error);
  if (status == NL_OK) status = say_blocks(json, &v, epsilon, error);
  close_view(&v);
  return status;
}
