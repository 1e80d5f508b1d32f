// The quotient of the differential equations that a partition gives, as the network whose encoding it is:
// W' = R W P, b' = R (b + W p) (lumping.h says which R and P belong to which equivalence).
#include <string.h>

#include "compress.h"
#include "lumping.h"

// False where the quotient is no network: adjoint backward and polynomial forward.
static bool kind_of(const nl_partition_options *options, nl_quotient_kind *kind) {
  const bool forward = options->equivalence == NL_EQUIVALENCE_FORWARD;
  *kind = options->encoding == NL_ENCODING_POLYNOMIAL || options->symmetric ? NL_QUOTIENT_REPRESENTATIVE
          : options->encoding == NL_ENCODING_LINEAR && forward              ? NL_QUOTIENT_FORWARD
                                                                            : NL_QUOTIENT_MEANS;
  return options->encoding == NL_ENCODING_LINEAR || forward == (options->encoding == NL_ENCODING_ADJOINT);
}

typedef struct lumped {
  size_t width, in_width;
  double *weights, *bias; // (width, in_width), (width)
} lumped;

// Rows of W P, b + W p by R.
static nl_status lump_layer(lumped *out, const nl_chain_layer *layer, const nl_lumping *before, const nl_lumping *after,
                            nl_arena *arena, nl_error *error) {
  const size_t n = layer->width, in = before != NULL ? before->k : layer->in_width;
  double *weights, *bias;
  NL_TAKE(arena, weights, double, n *in + 1, error);
  NL_TAKE(arena, bias, double, n + 1, error);
  memcpy(bias, layer->bias, n * sizeof *bias);
  if (before != NULL)
    nl_lumping_consume(before, n, layer->weights, weights, bias);
  else
    memcpy(weights, layer->weights, n * in * sizeof *weights);
  *out = (lumped){.width = n, .in_width = in, .weights = weights, .bias = bias};
  if (after == NULL) return NL_OK;
  out->width = after->k;
  NL_TAKE(arena, out->weights, double, after->k *in + 1, error);
  NL_TAKE(arena, out->bias, double, after->k + 1, error);
  for (size_t c = 0; c < after->k; c++)
    for (size_t i = 0; i < n; i++) {
      const double share = after->restriction != NULL ? after->restriction[c * n + i] : (double)(after->kept[c] == i);
      for (size_t j = 0; j < in; j++) out->weights[c * in + j] += share * weights[i * in + j];
      out->bias[c] += share * bias[i];
    }
  return NL_OK;
}

// ---- as JSON --------------------------------------------------------------------------------------------------------

static bool add_row(cJSON *array, size_t count, const double *values) {
  cJSON *row = cJSON_CreateDoubleArray(values, (int)count);
  return row != NULL && cJSON_AddItemToArray(array, row);
}

static bool add_rows(cJSON *object, const char *name, size_t rows, size_t columns, const double *values) {
  cJSON *array = cJSON_AddArrayToObject(object, name);
  bool fine = array != NULL;
  for (size_t i = 0; fine && i < rows; i++) fine = add_row(array, columns, values + i * columns);
  return fine;
}

static bool add_layer(cJSON *layers, const lumped *l, const nl_lumping *lumping) {
  cJSON *object = cJSON_CreateObject();
  bool fine = object != NULL && cJSON_AddItemToArray(layers, object) &&
              add_rows(object, "weights", l->width, l->in_width, l->weights);
  cJSON *bias = fine ? cJSON_CreateDoubleArray(l->bias, (int)l->width) : NULL;
  fine = bias != NULL && cJSON_AddItemToObject(object, "bias", bias);
  if (!fine || lumping == NULL) return fine;
  cJSON *kept = cJSON_AddArrayToObject(object, "kept");
  fine = kept != NULL && add_rows(object, "prolongation", lumping->n, lumping->k, lumping->prolongation);
  for (size_t i = 0; fine && i < lumping->k; i++) {
    cJSON *number = cJSON_CreateNumber((double)(lumping->kept[i] + 1));
    fine = number != NULL && cJSON_AddItemToArray(kept, number);
  }
  return fine;
}

static nl_status add_layers(cJSON *layers, const nl_chain *chain, const nl_partition *partition, nl_quotient_kind kind,
                            bool *fine, nl_arena *work, nl_error *error) {
  nl_lumping *lumpings;
  NL_TAKE(work, lumpings, nl_lumping, chain->count, error);
  for (size_t l = 0; *fine && l < chain->count; l++) {
    const bool hidden = l + 1 < chain->count;
    const nl_layer_blocks blocks = {.block_of = hidden ? partition->block_of[l] : NULL,
                                    .blocks = hidden ? partition->blocks[l] : 0,
                                    .scale = partition->scale != NULL && hidden ? partition->scale[l] : NULL,
                                    .constant = partition->constant != NULL && hidden ? partition->constant[l] : NULL};
    lumped layer = {0};
    if (hidden) NL_TRY(nl_lumping_of_partition(&lumpings[l], work, kind, &chain->layers[l], &blocks, error));
    NL_TRY(lump_layer(&layer, &chain->layers[l], l > 0 ? &lumpings[l - 1] : NULL, hidden ? &lumpings[l] : NULL, work,
                      error));
    *fine = add_layer(layers, &layer, hidden ? &lumpings[l] : NULL);
  }
  return NL_OK;
}

nl_status nl_trace_print_quotient(nl_buffer *json, const nl_chain *chain, const nl_partition_options *options,
                                  const nl_partition *partition, nl_error *error) {
  nl_quotient_kind kind;
  if (!kind_of(options, &kind)) return nl_buffer_append(json, "null", 4, error);
  nl_arena work = {0};
  cJSON *layers = cJSON_CreateArray();
  bool fine = layers != NULL;
  const nl_status status = add_layers(layers, chain, partition, kind, &fine, &work, error);
  nl_arena_free(&work);
  if (status == NL_OK) return nl_report_print(layers, fine, json, error);
  cJSON_Delete(layers);
  return status;
}
