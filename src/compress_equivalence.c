// compress_equivalence: the differential equivalences behind netlump.h: blocks as names, encodings as ERODE's files.
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "decimal.h"
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
  if (model->network == NULL) return nl_fail_span(error, NL_ERROR_EXTERNAL, nl_model_missing_file(model), NULL);
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
  nl_status status = start != NULL && units != NULL ? NL_OK : nl_no_memory(error, blocks + width + 3, sizeof *start);
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

// ,"polynomials":[{"layer", "degree", "fitted", "mean", "spread", "rms", "largest"}, ...] of hidden layers and output
static nl_status say_polynomials(nl_buffer *json, const nl_chain *chain, const nl_polynomial *polynomials,
                                 nl_error *error) {
  cJSON *array = cJSON_CreateArray();
  bool fine = array != NULL;
  for (size_t l = 0; fine && l < chain->count; l++) {
    const nl_polynomial *p = &polynomials[l];
    cJSON *item = cJSON_CreateObject();
    fine = item != NULL && cJSON_AddItemToArray(array, item) && nl_report_number(item, "layer", (double)(l + 1)) &&
           nl_report_number(item, "degree", (double)p->degree) &&
           cJSON_AddBoolToObject(item, "fitted", p->fitted) != NULL && nl_report_number(item, "mean", p->mean) &&
           nl_report_number(item, "spread", p->spread) && nl_report_number(item, "rms", p->rms) &&
           nl_report_number(item, "largest", p->largest);
    cJSON *coefficients = fine ? cJSON_AddArrayToObject(item, "coefficients") : NULL;
    fine = coefficients != NULL;
    for (size_t d = 0; fine && d <= p->degree; d++) {
      cJSON *number = cJSON_CreateNumber(p->coefficients[d]);
      fine = number != NULL && cJSON_AddItemToArray(coefficients, number);
    }
  }
  return nl_report_print(array, fine, json, error);
}

static nl_status fit_polynomials(nl_buffer *json, const view *v, size_t degree, nl_error *error) {
  const nl_polynomial *polynomials;
  nl_arena work = {0};
  nl_status status = nl_ode_polynomials(&polynomials, &v->chain, degree, &work, error);
  if (status == NL_OK) status = say_polynomials(json, &v->chain, polynomials, error);
  nl_arena_free(&work);
  return status;
}

static nl_status say_blocks(nl_buffer *json, const view *v, const nl_partition_options *options, double epsilon,
                            nl_error *error) {
  const nl_partition *partition;
  bool first = true;
  NL_TRY(nl_partitioner_at(v->partitioner, epsilon, &partition, error));
  NL_TRY(say(json, "{\"blocks\":[", error));
  for (size_t l = 0; l < partition->layers; l++)
    NL_TRY(say_layer(json, partition, l, v->chain.layers[l].width, &first, error));
  NL_TRY(say(json, "],\"constant\":[", error));
  NL_TRY(say_constants(json, &v->chain, partition, error));
  NL_TRY(say(json, "]", error));
  if (options->encoding == NL_ENCODING_POLYNOMIAL) {
    NL_TRY(say(json, ",\"polynomials\":", error));
    NL_TRY(fit_polynomials(json, v, options->degree, error));
  }
  return say(json, "}", error);
}

nl_status nl_model_blocks(const nl_model *model, const nl_partition_options *options, double epsilon, nl_buffer *json,
                          nl_error *error) {
  view v = {0};
  nl_status status = open_view(&v, model, error);
  if (status == NL_OK) status = nl_partitioner_create(&v.partitioner, &v.chain, options, error);
  if (status == NL_OK) status = say_blocks(json, &v, options, epsilon, error);
  close_view(&v);
  return status;
}

static nl_status say_trace(nl_buffer *json, const view *v, const nl_partition_options *options, double epsilon,
                           nl_error *error) {
  const nl_partition *partition;
  NL_TRY(nl_partitioner_at(v->partitioner, epsilon, &partition, error));
  NL_TRY(say(json, "{\"steps\":", error));
  NL_TRY(nl_trace_print(json, &v->chain, v->partitioner, partition, error));
  NL_TRY(say(json, ",\"quotient\":", error));
  NL_TRY(nl_trace_print_quotient(json, &v->chain, options, partition, error));
  if (options->encoding == NL_ENCODING_POLYNOMIAL) {
    NL_TRY(say(json, ",\"polynomials\":", error));
    NL_TRY(fit_polynomials(json, v, options->degree, error));
  }
  return say(json, "}", error);
}

nl_status nl_model_trace(const nl_model *model, const nl_partition_options *options, double epsilon, nl_buffer *json,
                         nl_error *error) {
  view v = {0};
  nl_status status = open_view(&v, model, error);
  if (status == NL_OK) status = nl_partitioner_create(&v.partitioner, &v.chain, options, error);
  if (status == NL_OK) status = say_trace(json, &v, options, epsilon, error);
  close_view(&v);
  return status;
}

// ---- encodings ----------------------------------------------------------------------------------------------------------

static nl_status write_ode(nl_buffer *text, view *v, const nl_partition_options *options, double epsilon,
                           nl_error *error) {
  const nl_polynomial *polynomials = NULL;
  nl_arena work = {0};
  nl_status status = options->encoding == NL_ENCODING_POLYNOMIAL
                         ? nl_ode_polynomials(&polynomials, &v->chain, options->degree, &work, error)
                         : NL_OK;
  if (status == NL_OK)
    status = nl_ode_write(text, &v->chain, options->encoding, options->equivalence, epsilon, polynomials, error);
  nl_arena_free(&work);
  return status;
}

nl_status nl_model_ode(const nl_model *model, const nl_partition_options *options, double epsilon, nl_buffer *text,
                       nl_error *error) {
  view v = {0};
  nl_status status = open_view(&v, model, error);
  if (status == NL_OK) status = write_ode(text, &v, options, epsilon, error);
  close_view(&v);
  return status;
}

nl_status nl_model_polynomials(const nl_model *model, size_t degree, nl_buffer *json, nl_error *error) {
  view v = {0};
  nl_status status = open_view(&v, model, error);
  if (status == NL_OK) status = fit_polynomials(json, &v, degree, error);
  close_view(&v);
  return status;
}
