// json_tfjs_write: what became of the ONNX model, back into the original's topology and manifest. Weights are found by the nodes named
// after layers, whatever made the model smaller.
#include <string.h>

#include "json_tfjs.h"

// A weight as it is to be written.
typedef struct written {
  cJSON *entry;
  const nl_tfjs_weight *old; // NULL: added
  double *values;            // NULL: the old bytes as they are
  size_t rank;
  int64_t dims[NL_TFJS_RANK];
  struct written *added; // goes behind this one
} written;

typedef struct writing {
  nl_tfjs_model *model;
  const nl_graph *graph;
  nl_names nodes;
  nl_arena arena;
  nl_error *error;
  written *weights; // (weight_count)
} writing;

static nl_span span_of(const char *text) { return (nl_span){(const uint8_t *)text, strlen(text)}; }

static nl_status refuse(const writing *w, const nl_tfjs_layer *layer, const char *why) {
  return nl_fail(w->error, NL_ERROR_UNSUPPORTED, layer->name, why);
}

// ---- what stands in ONNX -------------------------------------------------------------------------------------------------

// The constant at a slot of the node called after a call and a part; NULL when there is none.
static const nl_tensor *tensor_at(writing *w, const char *label, const char *part, size_t slot) {
  const char *name;
  if (nl_tfjs_join(w->model, &name, label, part, "", NULL) != NL_OK) return NULL;
  const size_t node = nl_names_find(&w->nodes, span_of(name));
  return node == NL_NONE ? NULL : nl_node_constant(w->graph, &w->graph->nodes[node], slot);
}

// A dense layer over the last of several axes has its bias in an Add.
static const nl_tensor *tensor_of(writing *w, const char *label, const nl_tfjs_slot *slot) {
  const nl_tensor *tensor = tensor_at(w, label, slot->node, slot->slot);
  return tensor == NULL && strcmp(slot->weight, "bias") == 0 ? tensor_at(w, label, "/bias", 1) : tensor;
}

static nl_status read_tensor(writing *w, const nl_tensor *tensor, double **values) {
  NL_TAKE(&w->arena, *values, double, tensor->count + 1, w->error);
  return nl_tensor_read(tensor, *values, w->error);
}

static bool same_tensor(const nl_tensor *a, const nl_tensor *b, const double *x, const double *y) {
  return a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0 &&
         memcmp(x, y, a->count * sizeof *x) == 0;
}

// A layer that is called several times has one set of weights; each call must still have the same.
static nl_status check_calls(writing *w, const nl_tfjs_layer *layer, const nl_tfjs_slot *slot, const nl_tensor *first,
                             const double *values) {
  for (size_t k = 1; k < layer->call_count; k++) {
    const nl_tensor *other = tensor_of(w, w->model->calls[layer->first_call + k].label, slot);
    double *own;
    if (other == NULL || other == first) continue;
    NL_TRY(read_tensor(w, other, &own));
    if (!same_tensor(first, other, values, own))
      return refuse(w, layer,
                    "it is used several times, and its uses no longer have the same weights. Choose ONNX instead");
  }
  return NL_OK;
}

// The first call of a layer that stands in the model; NULL when none does.
static const char *label_of(writing *w, const nl_tfjs_layer *layer) {
  for (size_t k = 0; k < layer->call_count; k++) {
    const nl_tfjs_call *call = &w->model->calls[layer->first_call + k];
    if (nl_names_find(&w->nodes, span_of(call->label)) != NL_NONE) return call->label;
  }
  return NULL;
}

// ---- weights -------------------------------------------------------------------------------------------------------------

static nl_status take_numbers(writing *w, const nl_tfjs_layer *layer, const nl_tfjs_slot *slot, const nl_tensor *tensor,
                              written *to) {
  const nl_tfjs_weight *old = to->old;
  double *values;
  NL_TRY(read_tensor(w, tensor, &values));
  NL_TRY(check_calls(w, layer, slot, tensor, values));
  NL_TAKE(&w->arena, to->values, double, tensor->count + 1, w->error);
  to->rank = tensor->rank;
  const bool fits = tensor->rank <= NL_TFJS_RANK &&
                    nl_tfjs_from_onnx(slot->order, tensor->rank, tensor->dims, old == NULL ? tensor->rank : old->rank,
                                      old == NULL ? tensor->dims : old->dims, values, to->values, to->dims);
  return fits ? NL_OK
              : refuse(w, layer, "its weights have a shape that TensorFlow.js has no layer for. Choose ONNX instead");
}

// dense/kernel -> dense/bias; dense/0, as Keras 3 has it, -> dense/1
static nl_status bias_name(writing *w, const nl_tfjs_weight *kernel, const char **name) {
  const char *text = (const char *)kernel->name.bytes;
  size_t slash = kernel->name.size;
  while (slash > 0 && text[slash - 1] != '/') slash--;
  char *prefix;
  NL_TAKE(&w->arena, prefix, char, slash + 1, w->error);
  memcpy(prefix, text, slash);
  const char *last = text + slash;
  char number[96] = "";
  const bool numbered = last[0] >= '0' && last[0] <= '8' && last[1] == '\0';
  if (numbered) nl_json_put_number(number, (size_t)(last[0] - '0') + 1);
  return nl_tfjs_join(w->model, name, prefix, numbered ? number : "bias", "", w->error);
}

static bool all_zero(const double *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (values[i] != 0) return false;
  return true;
}

// A bias where the layer had none: behind its kernel, and config says so.
static nl_status add_bias(writing *w, const nl_tfjs_layer *layer, const nl_tfjs_slot *slot, size_t count,
                          double *values, written *behind) {
  written *bias;
  const char *name;
  if (all_zero(values, count)) return NL_OK;
  NL_TAKE(&w->arena, bias, written, 1, w->error);
  *bias = (written){.values = values, .rank = 1, .dims = {(int64_t)count}, .entry = cJSON_CreateObject()};
  if (bias->entry == NULL) return nl_json_no_memory(w->error);
  behind->added = bias; // from here on the entry has an owner
  NL_TRY(bias_name(w, behind->old, &name));
  NL_TRY(nl_json_set(bias->entry, "name", cJSON_CreateString(name), w->error));
  return nl_json_set(layer->config, slot->flag, cJSON_CreateTrue(), w->error);
}

static nl_status take_weight(writing *w, const nl_tfjs_layer *layer, const char *label, const nl_tfjs_slot *slot,
                             written **last) {
  const nl_tensor *tensor = tensor_of(w, label, slot);
  if (nl_tfjs_has(layer, slot)) {
    const size_t index = nl_tfjs_find(w->model, layer, slot);
    if (index == NL_NONE || tensor == NULL) return refuse(w, layer, "its weights are gone. Choose ONNX instead");
    *last = &w->weights[index];
    return take_numbers(w, layer, slot, tensor, *last);
  }
  if (tensor == NULL || *last == NULL || strcmp(slot->weight, "bias") != 0) return NL_OK;
  written bias = {0};
  NL_TRY(take_numbers(w, layer, slot, tensor, &bias));
  return add_bias(w, layer, slot, tensor->count, bias.values, *last);
}

// ---- a separable convolution's middle ------------------------------------------------------------------------------------

// TensorFlow.js has no bias between the two convolutions; nothing but the pointwise one comes behind it:
// W (D x + b) + c = W D x + (W b + c)
static nl_status fold_middle(writing *w, const nl_tfjs_layer *layer, const char *label, written *pointwise) {
  const nl_tensor *middle = tensor_at(w, label, "/depthwise", 2);
  if (strcmp(layer->kind, "SeparableConv2D") != 0 || middle == NULL) return NL_OK;
  const nl_tfjs_slot *slot = nl_tfjs_next_slot(layer, NULL);
  while (strcmp(slot->weight, "bias") != 0) slot = nl_tfjs_next_slot(layer, slot);
  const size_t in = (size_t)pointwise->dims[2], out = (size_t)pointwise->dims[3];
  double *values, *sum;
  NL_TRY(read_tensor(w, middle, &values));
  if (middle->count != in) return refuse(w, layer, "its middle has a bias of another size. Choose ONNX instead");
  NL_TAKE(&w->arena, sum, double, out + 1, w->error);
  for (size_t i = 0; i < in; i++)
    for (size_t o = 0; o < out; o++) sum[o] += pointwise->values[i * out + o] * values[i];
  written *bias = pointwise->added;
  if (nl_tfjs_has(layer, slot) && bias == NULL) bias = &w->weights[nl_tfjs_find(w->model, layer, slot)];
  if (bias == NULL) return add_bias(w, layer, slot, out, sum, pointwise);
  for (size_t o = 0; o < out; o++) bias->values[o] += sum[o];
  return NL_OK;
}

// ---- config --------------------------------------------------------------------------------------------------------------

static nl_status set_width(const writing *w, const nl_tfjs_layer *layer, const char *key, int64_t width) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(layer->config, key);
  if (item == NULL || item->valuedouble == (double)width) return NL_OK;
  return nl_json_set(layer->config, key, cJSON_CreateNumber((double)width), w->error);
}

// A Reshape states sizes; those left open stay so.
static nl_status set_target(writing *w, const nl_tfjs_layer *layer, const char *label) {
  const cJSON *target = cJSON_GetObjectItemCaseSensitive(layer->config, "target_shape");
  const nl_tensor *shape = tensor_at(w, label, "", 1);
  int64_t sizes[NL_TFJS_RANK];
  if (strcmp(layer->kind, "Reshape") != 0 || shape == NULL || shape->count > NL_TFJS_RANK) return NL_OK;
  NL_TRY(nl_tensor_read_int(shape, sizes, w->error));
  size_t i = 1;
  for (cJSON *item = cJSON_IsArray(target) ? target->child : NULL; item != NULL && i < shape->count;
       item = item->next, i++)
    if (cJSON_IsNumber(item) && item->valuedouble > 0 && sizes[i] > 0) cJSON_SetNumberValue(item, (double)sizes[i]);
  return NL_OK;
}

static nl_status take_layer(writing *w, const nl_tfjs_layer *layer) {
  const char *label = label_of(w, layer);
  written *last = NULL, *kernel = NULL;
  if (label == NULL) return NL_OK; // no output needs it
  for (const nl_tfjs_slot *slot = nl_tfjs_next_slot(layer, NULL); slot != NULL; slot = nl_tfjs_next_slot(layer, slot)) {
    NL_TRY(take_weight(w, layer, label, slot, &last));
    if (slot->order == NL_TFJS_CONVOLUTION || (slot->order == NL_TFJS_SAME && strcmp(slot->weight, "kernel") == 0))
      kernel = last;
  }
  if (kernel != NULL) {
    NL_TRY(fold_middle(w, layer, label, kernel));
    NL_TRY(
        set_width(w, layer, strcmp(layer->kind, "Dense") == 0 ? "units" : "filters", kernel->dims[kernel->rank - 1]));
  }
  return set_target(w, layer, label);
}

// ---- manifest ------------------------------------------------------------------------------------------------------------

static nl_status state_entry(const writing *w, const written *weight) {
  cJSON *shape = cJSON_CreateArray();
  NL_TRY(nl_json_set(weight->entry, "shape", shape, w->error));
  for (size_t i = 0; i < weight->rank; i++) {
    cJSON *size = cJSON_CreateNumber((double)weight->dims[i]);
    if (size == NULL || !cJSON_AddItemToArray(shape, size)) return nl_json_no_memory(w->error);
  }
  cJSON_DeleteItemFromObjectCaseSensitive(weight->entry, "quantization");
  return nl_json_set(weight->entry, "dtype", cJSON_CreateString("float32"), w->error);
}

static nl_status put_bytes(const writing *w, const written *weight, nl_buffer *out) {
  if (weight->values == NULL) return nl_tfjs_weight_bytes(w->model, weight->old, out, w->error);
  size_t count = 1;
  for (size_t i = 0; i < weight->rank; i++) count *= (size_t)weight->dims[i];
  NL_TRY(nl_buffer_append(out, NULL, count * 4, w->error));
  nl_tensor_encode(NL_TYPE_F32, weight->values, count, out->bytes + out->size - count * 4);
  return NL_OK;
}

static nl_status add_entry(const writing *w, cJSON *entries, cJSON *entry) {
  if (cJSON_AddItemToArray(entries, entry)) return NL_OK;
  cJSON_Delete(entry);
  return nl_json_no_memory(w->error);
}

// All entries into one list, those that were added behind the ones they belong to.
static nl_status move_entries(writing *w, cJSON *entries) {
  size_t i = 0;
  for (cJSON *group = w->model->manifest->child; group != NULL; group = group->next) {
    cJSON *weights = cJSON_GetObjectItemCaseSensitive(group, "weights");
    for (cJSON *entry = cJSON_DetachItemFromArray(weights, 0); entry != NULL;
         entry = cJSON_DetachItemFromArray(weights, 0), i++) {
      NL_TRY(add_entry(w, entries, entry));
      if (w->weights[i].values != NULL) NL_TRY(state_entry(w, &w->weights[i]));
      written *added = w->weights[i].added;
      if (added == NULL) continue;
      NL_TRY(state_entry(w, added));
      cJSON *own = added->entry;
      added->entry = NULL;
      NL_TRY(add_entry(w, entries, own));
    }
  }
  return NL_OK;
}

// One group, one file; the first group's other members survive.
static nl_status state_manifest(writing *w) {
  cJSON *first = w->model->manifest->child;
  const nl_span file = nl_tfjs_weights_name(w->model->files);
  cJSON *entries = cJSON_CreateArray();
  nl_status status = entries == NULL ? nl_json_no_memory(w->error) : move_entries(w, entries);
  if (status != NL_OK) {
    cJSON_Delete(entries);
    return status;
  }
  NL_TRY(nl_json_set(first, "weights", entries, w->error));
  while (first->next != NULL) cJSON_DeleteItemFromArray(w->model->manifest, 1);
  char *name;
  NL_TAKE(&w->arena, name, char, file.size + 1, w->error);
  if (file.size != 0) memcpy(name, file.bytes, file.size);
  const char *names[1] = {name};
  return nl_json_set(first, "paths", cJSON_CreateStringArray(names, 1), w->error);
}

// ---- the whole -----------------------------------------------------------------------------------------------------------

static nl_status prepare(writing *w) {
  const nl_tfjs_model *m = w->model;
  NL_TRY(nl_names_create(&w->nodes, &w->arena, w->graph->node_count, w->error));
  for (size_t n = 0; n < w->graph->node_count; n++) nl_names_add(&w->nodes, w->graph->nodes[n].name, n);
  NL_TAKE(&w->arena, w->weights, written, m->weight_count + 1, w->error);
  for (size_t i = 0; i < m->weight_count; i++)
    w->weights[i] = (written){.old = &m->weights[i], .entry = m->weights[i].entry};
  return NL_OK;
}

static nl_status write_all(writing *w, nl_buffer *text, nl_buffer *weights) {
  NL_TRY(prepare(w));
  for (size_t i = 0; i < w->model->layer_count; i++) NL_TRY(take_layer(w, &w->model->layers[i]));
  for (size_t i = 0; weights != NULL && i < w->model->weight_count; i++) {
    NL_TRY(put_bytes(w, &w->weights[i], weights));
    if (w->weights[i].added != NULL) NL_TRY(put_bytes(w, w->weights[i].added, weights));
  }
  NL_TRY(state_manifest(w));
  return text == NULL ? NL_OK : nl_json_print(w->model->root, text, w->error);
}

nl_status nl_tfjs_write(const nl_graph *graph, nl_span original, const nl_json_files *files, nl_buffer *text,
                        nl_buffer *weights, nl_error *error) {
  nl_tfjs_model model = {0};
  writing w = {.model = &model, .graph = graph, .error = error};
  const size_t start = text == NULL ? 0 : text->size, begun = weights == NULL ? 0 : weights->size;
  nl_status status = nl_tfjs_model_open(&model, original, files, error);
  if (status == NL_OK) status = write_all(&w, text, weights);
  if (status != NL_OK && text != NULL) text->size = start;
  if (status != NL_OK && weights != NULL) weights->size = begun;
  for (size_t i = 0; w.weights != NULL && i < model.weight_count; i++)
    if (w.weights[i].added != NULL) cJSON_Delete(w.weights[i].added->entry);
  nl_arena_free(&w.arena);
  nl_tfjs_model_close(&model);
  return status;
}
