// json_write: dense layers -> netlump JSON, into the original's tree where there is one.
#include <math.h>
#include <string.h>

#include "decimal.h"
#include "json_parts.h"

static nl_status append(nl_buffer *out, const char *text, nl_error *error) {
  return nl_buffer_append(out, text, strlen(text), error);
}

static nl_status append_row(nl_buffer *out, const double *values, size_t count, nl_error *error) {
  for (size_t i = 0; i < count; i++) {
    if (!(fabs(values[i]) <= 3.4028235677973366e38)) return nl_fail(error, NL_ERROR_NOT_FINITE, NULL, NULL);
    NL_TRY(append(out, i == 0 ? "[" : ",", error));
    NL_TRY(nl_decimal_append(out, values[i], error));
  }
  return append(out, count == 0 ? "[]" : "]", error);
}

// rows of (out, in), a row a line
static nl_status append_matrix(nl_buffer *out, const nl_dense *layer, nl_error *error) {
  NL_TRY(append(out, "[\n", error));
  for (size_t o = 0; o < layer->out; o++) {
    NL_TRY(append_row(out, layer->weights + o * layer->in, layer->in, error));
    NL_TRY(append(out, o + 1 < layer->out ? ",\n" : "]", error));
  }
  return NL_OK;
}

// ---- into cJSON ------------------------------------------------------------------------------------------------------

static nl_status put_raw(cJSON *object, const char *key, nl_buffer *text, nl_error *error) {
  NL_TRY(nl_buffer_append(text, "", 1, error)); // the end of a C string
  return nl_json_set(object, key, cJSON_CreateRaw((const char *)text->bytes), error);
}

static nl_status put_number(cJSON *object, const char *key, double value, nl_error *error) {
  char text[NL_DECIMAL_SIZE];
  if (!isfinite(value)) return nl_fail(error, NL_ERROR_NOT_FINITE, NULL, NULL);
  nl_decimal_f32((float)value, text);
  return nl_json_set(object, key, cJSON_CreateRaw(text), error);
}

static bool is_plain(const nl_dense *layer) {
  const nl_activation *kind = layer->activation;
  if (kind->kind == NL_ACTIVATION_POLYNOMIAL) return false;
  for (size_t i = 0; i < NL_ACTIVATION_PARAMETERS && kind->parameters[i] != NULL; i++) {
    const bool left_out = isnan(layer->parameters[i]) && isnan(kind->defaults[i]);
    if (!left_out && (float)layer->parameters[i] != (float)kind->defaults[i]) return false;
  }
  return true;
}

static nl_status fill_activation(cJSON *object, const nl_dense *layer, nl_error *error) {
  const nl_activation *kind = layer->activation;
  NL_TRY(nl_json_set(object, "name", cJSON_CreateString(kind->name), error));
  for (size_t i = 0; i < NL_ACTIVATION_PARAMETERS && kind->parameters[i] != NULL; i++) {
    if (!isnan(layer->parameters[i])) NL_TRY(put_number(object, kind->parameters[i], layer->parameters[i], error));
  }
  if (kind->kind != NL_ACTIVATION_POLYNOMIAL) return NL_OK;
  nl_buffer text = {0};
  nl_status status = append_row(&text, layer->coefficients, layer->coefficient_count, error);
  if (status == NL_OK) status = put_raw(object, "coefficients", &text, error);
  nl_buffer_free(&text);
  return status;
}

static nl_status put_activation(cJSON *object, const nl_dense *layer, nl_error *error) {
  if (is_plain(layer)) return nl_json_set(object, "activation", cJSON_CreateString(layer->activation->name), error);
  cJSON *activation = cJSON_AddObjectToObject(object, "activation");
  return activation == NULL ? nl_json_no_memory(error) : fill_activation(activation, layer, error);
}

static nl_status put_numbers(cJSON *object, const nl_dense *layer, nl_error *error) {
  nl_buffer weights = {0}, bias = {0};
  nl_status status = append_matrix(&weights, layer, error);
  if (status == NL_OK) status = put_raw(object, "weights", &weights, error);
  if (status == NL_OK && layer->bias != NULL) {
    status = append_row(&bias, layer->bias, layer->out, error);
    if (status == NL_OK) status = put_raw(object, "bias", &bias, error);
  }
  nl_buffer_free(&weights);
  nl_buffer_free(&bias);
  return status;
}

static nl_status put_new_layers(cJSON *root, const nl_dense_chain *chain, nl_error *error) {
  NL_TRY(nl_json_set(root, "layers", cJSON_CreateArray(), error));
  cJSON *layers = cJSON_GetObjectItemCaseSensitive(root, "layers");
  for (size_t i = 0; i < chain->count; i++) {
    cJSON *object = cJSON_CreateObject();
    if (object == NULL || !cJSON_AddItemToArray(layers, object)) return nl_json_no_memory(error);
    NL_TRY(put_numbers(object, &chain->layers[i], error));
    NL_TRY(put_activation(object, &chain->layers[i], error));
  }
  return NL_OK;
}

// The original's layers, when they are as many: they keep their activations and whatever else they hold.
static nl_status put_layers(cJSON *root, const nl_dense_chain *chain, nl_error *error) {
  cJSON *layers = cJSON_GetObjectItemCaseSensitive(root, "layers");
  if (!cJSON_IsArray(layers) || (size_t)cJSON_GetArraySize(layers) != chain->count)
    return put_new_layers(root, chain, error);
  size_t i = 0;
  for (cJSON *object = layers->child; object != NULL; object = object->next, i++) {
    if (!cJSON_IsObject(object)) return put_new_layers(root, chain, error);
    NL_TRY(put_numbers(object, &chain->layers[i], error));
  }
  return NL_OK;
}

static nl_status open_root(nl_span original, cJSON **root, nl_error *error) {
  if (original.size != 0) return nl_json_parse(original, root, error);
  *root = cJSON_CreateObject();
  if (*root == NULL) return nl_json_no_memory(error);
  NL_TRY(nl_json_set(*root, "format", cJSON_CreateString("netlump"), error));
  return nl_json_set(*root, "version", cJSON_CreateNumber(1), error);
}

nl_status nl_json_write(const nl_graph *graph, nl_span original, nl_buffer *out, nl_error *error) {
  nl_arena arena = {0};
  nl_dense_chain chain;
  cJSON *root = NULL;
  const size_t start = out->size;
  nl_status status = nl_dense_chain_read(graph, &arena, &chain, error);
  if (status == NL_OK) status = open_root(original, &root, error);
  if (status == NL_OK) status = put_layers(root, &chain, error);
  if (status == NL_OK) status = nl_json_print(root, out, error);
  if (status == NL_OK) status = append(out, "\n", error);
  if (status != NL_OK) out->size = start;
  cJSON_Delete(root);
  nl_arena_free(&arena);
  return status;
}
