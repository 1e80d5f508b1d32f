// json_brain_write: what became of the ONNX model, back into brain.js' JSON.
#include <math.h>
#include <string.h>

#include "json_brain.h"
#include "decimal.h"

static cJSON *get(const cJSON *object, const char *key) { return cJSON_GetObjectItemCaseSensitive(object, key); }

// ---- what stands in ONNX -------------------------------------------------------------------------------------------------

// A layer as it is now.
typedef struct dense {
  size_t out, in;
  double *weights; // (out, in)
  double *bias;    // (out)
} dense;

static const nl_node *node_named(const nl_graph *graph, const char *name) {
  for (size_t n = 0; n < graph->node_count; n++)
    if (nl_span_is(graph->nodes[n].name, name)) return &graph->nodes[n];
  return NULL;
}

static nl_status read_dense(nl_brain *b, const nl_graph *graph, size_t index, size_t in, dense *d) {
  char name[96];
  nl_brain_name(name, index, "");
  const nl_node *node = node_named(graph, name);
  const nl_tensor *weights = node == NULL ? NULL : nl_node_constant(graph, node, 1),
                  *bias = node == NULL ? NULL : nl_node_constant(graph, node, 2);
  if (weights == NULL || bias == NULL || weights->rank != 2 || (size_t)weights->dims[1] != in ||
      bias->count != (size_t)weights->dims[0])
    return nl_fail(b->error, NL_ERROR_UNSUPPORTED, name, "it is no layer brain.js has. Choose ONNX instead");
  d->out = (size_t)weights->dims[0];
  d->in = in;
  NL_TAKE(&b->arena, d->weights, double, weights->count + 1, b->error);
  NL_TAKE(&b->arena, d->bias, double, bias->count + 1, b->error);
  NL_TRY(nl_tensor_read(weights, d->weights, b->error));
  return nl_tensor_read(bias, d->bias, b->error);
}

static cJSON *number_item(double value) {
  char text[NL_DECIMAL_SIZE];
  nl_decimal_f32((float)value, text);
  return cJSON_CreateRaw(text);
}

static nl_status check_finite(const nl_brain *b, const dense *d) {
  for (size_t i = 0; i < d->out * d->in; i++)
    if (!isfinite((float)d->weights[i])) return nl_fail(b->error, NL_ERROR_NOT_FINITE, NULL, NULL);
  for (size_t o = 0; o < d->out; o++)
    if (!isfinite((float)d->bias[o])) return nl_fail(b->error, NL_ERROR_NOT_FINITE, NULL, NULL);
  return NL_OK;
}

static nl_status append_numbers(const nl_brain *b, nl_buffer *out, size_t count, const double *values) {
  for (size_t i = 0; i < count; i++) {
    NL_TRY(nl_buffer_append(out, i == 0 ? "[" : ",", 1, b->error));
    NL_TRY(nl_decimal_append(out, values[i], b->error));
  }
  return nl_buffer_append(out, "]", 1, b->error);
}

// [[row], [row]], or one row where rows is 0
static nl_status set_numbers(const nl_brain *b, cJSON *object, const char *key, size_t rows, size_t count,
                             const double *values) {
  nl_buffer text = {0};
  nl_status status = NL_OK;
  for (size_t i = 0; i < rows && status == NL_OK; i++) {
    status = nl_buffer_append(&text, i == 0 ? "[" : ",", 1, b->error);
    if (status == NL_OK) status = append_numbers(b, &text, count, values + i * count);
  }
  if (rows == 0) status = append_numbers(b, &text, count, values);
  if (status == NL_OK) status = nl_buffer_append(&text, rows == 0 ? "" : "]", rows == 0 ? 1 : 2, b->error);
  if (status == NL_OK) status = nl_json_set(object, key, cJSON_CreateRaw((const char *)text.bytes), b->error);
  nl_buffer_free(&text);
  return status;
}

// ---- version 1: neurons by name ------------------------------------------------------------------------------------------

// The names of the neurons left: those of an input or output layer, numbers where neurons went.
static nl_status names_of(nl_brain *b, size_t index, size_t width, const char ***names) {
  size_t count;
  nl_brain_member *members;
  NL_TRY(nl_brain_members(b->layers[index].object, &b->arena, &count, &members, b->error));
  NL_TAKE(&b->arena, *names, const char *, width + 1, b->error);
  for (size_t i = 0; i < width; i++) {
    char digits[96] = "", *text;
    nl_json_put_number(digits, i);
    NL_TAKE(&b->arena, text, char, strlen(digits) + 1, b->error);
    strcpy(text, digits);
    (*names)[i] = width == count ? members[i].item->string : text;
  }
  return NL_OK;
}

static nl_status fill_neuron(const nl_brain *b, cJSON *neuron, const dense *d, size_t o, const char *const *from) {
  NL_TRY(nl_json_set(neuron, "bias", number_item(d->bias[o]), b->error));
  NL_TRY(nl_json_set(neuron, "weights", cJSON_CreateObject(), b->error));
  cJSON *weights = get(neuron, "weights");
  for (size_t i = 0; i < d->in; i++) {
    cJSON *item = number_item(d->weights[o * d->in + i]);
    if (item == NULL || !cJSON_AddItemToObject(weights, from[i], item)) {
      cJSON_Delete(item);
      return nl_json_no_memory(b->error);
    }
  }
  return NL_OK;
}

// A fresh object in JavaScript's order; neurons keep what else they hold.
static nl_status put_neurons(nl_brain *b, size_t index, const dense *d, const char *const *from,
                             const char *const *to) {
  size_t count;
  nl_brain_member *members;
  cJSON *old = b->layers[index].object;
  NL_TRY(nl_brain_members(old, &b->arena, &count, &members, b->error));
  if (count < d->out) return nl_brain_fail(b, index, "", "it has more neurons than before");
  for (size_t o = 0; o < count; o++) {
    cJSON *neuron = cJSON_DetachItemViaPointer(old, members[o].item);
    char *name = NULL; // the neuron's own goes with its old place
    if (o < d->out) name = nl_arena_take(&b->arena, strlen(to[o]) + 1, 1);
    if (name != NULL) strcpy(name, to[o]);
    if (name == NULL || !cJSON_AddItemToObject(old, name, neuron)) {
      cJSON_Delete(neuron);
      if (o < d->out) return nl_json_no_memory(b->error);
      continue;
    }
    NL_TRY(fill_neuron(b, neuron, d, o, from));
  }
  return NL_OK;
}

// ---- the text ------------------------------------------------------------------------------------------------------------

static nl_status put_layer(nl_brain *b, size_t index, const dense *d) {
  NL_TRY(check_finite(b, d));
  if (b->arrays) {
    NL_TRY(set_numbers(b, b->layers[index].object, "weights", d->out, d->in, d->weights));
    return set_numbers(b, b->layers[index].object, "biases", 0, d->out, d->bias);
  }
  const char **from, **to;
  NL_TRY(names_of(b, index - 1, d->in, &from));
  NL_TRY(names_of(b, index, d->out, &to));
  return put_neurons(b, index, d, from, to);
}

// Where the text states widths.
static nl_status set_sizes(const nl_brain *b, const dense *layers) {
  cJSON *size = cJSON_IsArray(get(b->root, "sizes")) ? get(b->root, "sizes")->child : NULL;
  for (size_t i = 0; size != NULL && i < b->count; size = size->next, i++)
    if (i > 0) cJSON_SetNumberValue(size, (double)layers[i].out);
  cJSON *hidden[2] = {get(get(b->root, "options"), "hiddenLayers"), get(b->root, "hiddenLayers")};
  for (size_t k = 0; k < 2; k++) {
    cJSON *width = cJSON_IsArray(hidden[k]) ? hidden[k]->child : NULL;
    for (size_t i = 1; width != NULL && i + 1 < b->count; width = width->next, i++)
      if (cJSON_IsNumber(width)) cJSON_SetNumberValue(width, (double)layers[i].out);
  }
  return NL_OK;
}

static nl_status write_layers(nl_brain *b, const nl_graph *graph, nl_buffer *out) {
  dense *layers;
  NL_TAKE(&b->arena, layers, dense, b->count, b->error);
  layers[0].out = b->layers[0].width;
  for (size_t i = 1; i < b->count; i++) NL_TRY(read_dense(b, graph, i, layers[i - 1].out, &layers[i]));
  if (layers[b->count - 1].out != b->layers[b->count - 1].width)
    return nl_brain_fail(b, b->count - 1, "", "it has another count of outputs than before");
  for (size_t i = 1; i < b->count; i++) NL_TRY(put_layer(b, i, &layers[i]));
  NL_TRY(set_sizes(b, layers));
  return nl_json_print(b->root, out, b->error);
}

nl_status nl_brain_write(const nl_graph *graph, nl_span original, nl_buffer *out, nl_error *error) {
  nl_brain b = {.error = error};
  const size_t start = out->size;
  nl_status status = nl_brain_open(&b, original);
  if (status == NL_OK) status = write_layers(&b, graph, out);
  if (status != NL_OK) out->size = start;
  nl_brain_close(&b);
  return status;
}
