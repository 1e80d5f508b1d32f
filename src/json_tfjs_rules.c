// json_tfjs_rules: what the rules of layers are made of.
#include <math.h>
#include <string.h>

#include "json_tfjs.h"

#define WAY_OUT ". Convert the model to ONNX with tf2onnx and open that"

// ---- faults ------------------------------------------------------------------------------------------------------------

nl_status nl_tfjs_refuse(const nl_tfjs_reading *r, const char *why) {
  char detail[NL_ERROR_TEXT] = "";
  strncat(detail, why, sizeof detail - sizeof WAY_OUT);
  strcat(detail, WAY_OUT);
  return nl_fail(r->error, NL_ERROR_UNSUPPORTED, r->layer->name, detail);
}

nl_status nl_tfjs_misfit(const nl_tfjs_reading *r, const char *why) {
  return nl_fail(r->error, NL_ERROR_SHAPE, r->layer->name, why);
}

nl_status nl_tfjs_fail(const nl_tfjs_reading *r, const char *key, const char *detail) {
  char place[96] = "";
  nl_json_put_text(place, r->layer->name);
  nl_json_put_text(place, ".");
  nl_json_put_text(place, key);
  return nl_fail(r->error, NL_ERROR_JSON, place, detail);
}

// ---- config ------------------------------------------------------------------------------------------------------------

static const cJSON *item_of(const nl_tfjs_layer *layer, const char *key) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(layer->config, key);
  return item == NULL || cJSON_IsNull(item) ? NULL : item;
}

const cJSON *nl_tfjs_config(const nl_tfjs_reading *r, const char *key) { return item_of(r->layer, key); }

static char folded(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

bool nl_tfjs_word(const cJSON *item, const char *word) {
  if (!cJSON_IsString(item)) return false;
  const char *text = item->valuestring;
  while (*text != '\0' || *word != '\0') {
    if (*text == '_')
      text++;
    else if (*word == '_')
      word++;
    else if (folded(*text++) != folded(*word++))
      return false;
  }
  return true;
}

bool nl_tfjs_size(const cJSON *item, int64_t least, int64_t *out) {
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= (double)least && item->valuedouble <= NL_TFJS_SIZE_MOST))
    return false;
  *out = (int64_t)item->valuedouble;
  return (double)*out == item->valuedouble;
}

nl_status nl_tfjs_whole(const nl_tfjs_reading *r, const char *key, int64_t least, int64_t *out) {
  return nl_tfjs_wholes(r, key, 1, least, out);
}

nl_status nl_tfjs_wholes(const nl_tfjs_reading *r, const char *key, size_t count, int64_t least, int64_t *out) {
  const cJSON *item = nl_tfjs_config(r, key);
  if (item == NULL && out[0] >= least) return NL_OK;
  const bool each = cJSON_IsArray(item);
  const cJSON *at = each ? item->child : item;
  for (size_t i = 0; i < count; i++) {
    if (!nl_tfjs_size(at, least, &out[i]))
      return nl_tfjs_fail(r, key,
                          count == 1 ? "a whole number is expected" : "whole numbers are expected, one for each axis");
    if (each) at = at->next;
  }
  return each && at != NULL ? nl_tfjs_fail(r, key, "there are more numbers than axes") : NL_OK;
}

nl_status nl_tfjs_number(const nl_tfjs_reading *r, const char *key, double *out) {
  const cJSON *item = nl_tfjs_config(r, key);
  if (item == NULL) return NL_OK;
  if (!cJSON_IsNumber(item) || !(fabs(item->valuedouble) <= 3.4e38))
    return nl_tfjs_fail(r, key, "a number is expected");
  *out = item->valuedouble;
  return NL_OK;
}

bool nl_tfjs_flag(const nl_tfjs_layer *layer, const char *key, bool otherwise) {
  const cJSON *item = item_of(layer, key);
  return item == NULL ? otherwise : !cJSON_IsFalse(item);
}

nl_status nl_tfjs_channels_first(const nl_tfjs_reading *r, bool *first) {
  const cJSON *item = nl_tfjs_config(r, "data_format");
  *first = nl_tfjs_word(item, "channels_first");
  if (item == NULL || *first || nl_tfjs_word(item, "channels_last")) return NL_OK;
  return nl_tfjs_fail(r, "data_format", "channels_last or channels_first is expected");
}

// ---- values and nodes --------------------------------------------------------------------------------------------------

nl_status nl_tfjs_input(const nl_tfjs_reading *r, nl_tfjs_call **input) {
  if (r->call->input_count != 1) return nl_tfjs_refuse(r, "it reads several values");
  *input = &r->model->calls[r->call->inputs[0]];
  return NL_OK;
}

nl_status nl_tfjs_part(nl_tfjs_reading *r, const char *part, const char **name) {
  return nl_tfjs_join(r->model, name, r->call->label, part, "", r->error);
}

nl_status nl_tfjs_open(nl_tfjs_reading *r, const char *op, const char *part, size_t input_count,
                       const char *const *inputs, const char *output) {
  const char *name;
  NL_TRY(nl_tfjs_part(r, part, &name));
  return nl_onnx_builder_open(r->builder, op, name, input_count, inputs, output, r->error);
}

nl_status nl_tfjs_close(nl_tfjs_reading *r) { return nl_onnx_builder_close(r->builder, r->error); }

nl_status nl_tfjs_node(nl_tfjs_reading *r, const char *op, const char *part, size_t input_count,
                       const char *const *inputs, const char *output) {
  NL_TRY(nl_tfjs_open(r, op, part, input_count, inputs, output));
  return nl_tfjs_close(r);
}

// One Transpose a value at most, named after the value.
nl_status nl_tfjs_lay(nl_tfjs_reading *r, nl_tfjs_call *value, bool first, const char **name) {
  if (value->alias != NULL) value = value->alias;
  *name = value->first == first || value->rank < 3 ? value->name : value->turned;
  if (*name != NULL) return NL_OK;
  int64_t permutation[NL_TFJS_RANK] = {0};
  const size_t last = value->rank - 1;
  for (size_t i = 1; i <= last; i++)
    permutation[i] = (int64_t)(first ? (i == 1 ? last : i - 1) : (i == last ? 1 : i + 1));
  const char *part = first ? "/channels_first" : "/channels_last";
  NL_TRY(nl_tfjs_join(r->model, &value->turned, value->name, part, "", r->error));
  NL_TRY(nl_onnx_builder_open(r->builder, "Transpose", value->turned, 1, &value->name, value->turned, r->error));
  NL_TRY(nl_onnx_builder_ints(r->builder, "perm", value->rank, permutation, r->error));
  *name = value->turned;
  return nl_tfjs_close(r);
}

void nl_tfjs_give(nl_tfjs_reading *r, const char *name, bool first, const nl_tfjs_call *like) {
  nl_tfjs_call *call = r->call;
  call->name = name;
  call->turned = NULL;
  call->alias = NULL;
  call->first = first;
  if (call == like) return;
  call->rank = like->rank;
  memcpy(call->dims, like->dims, sizeof call->dims);
}

static bool same_dims(const nl_tfjs_weight *w, size_t rank, const int64_t *dims) {
  return w->rank == rank && memcmp(w->dims, dims, rank * sizeof *dims) == 0;
}

static nl_status put_numbers(nl_tfjs_reading *r, const nl_tfjs_weight *w, nl_tfjs_order order) {
  nl_arena arena = {0};
  double *raw = nl_arena_take(&arena, w->count + 1, sizeof *raw),
         *turned = nl_arena_take(&arena, w->count + 1, sizeof *turned);
  size_t rank;
  int64_t dims[NL_TFJS_RANK];
  nl_status status = NL_OK;
  if (raw == NULL || turned == NULL) status = nl_fail_count(r->error, NL_ERROR_MEMORY, NULL, w->size, 0);
  if (status == NL_OK) status = nl_tfjs_weight_numbers(r->model, w, raw, r->error);
  if (status == NL_OK) {
    nl_tfjs_to_onnx(order, w->rank, w->dims, raw, turned, &rank, dims);
    status = nl_onnx_builder_tensor(r->builder, (const char *)w->name.bytes, rank, dims, turned, r->error);
  }
  nl_arena_free(&arena);
  return status;
}

nl_status nl_tfjs_put_weight(nl_tfjs_reading *r, const char *weight, size_t rank, const int64_t *dims,
                             const char **name) {
  const nl_tfjs_slot *slot = nl_tfjs_next_slot(r->layer, NULL);
  while (strcmp(slot->weight, weight) != 0) slot = nl_tfjs_next_slot(r->layer, slot);
  *name = NULL;
  if (!nl_tfjs_has(r->layer, slot)) return NL_OK;
  const size_t index = nl_tfjs_find(r->model, r->layer, slot);
  if (index == NL_NONE) return nl_fail(r->error, NL_ERROR_DANGLING, r->layer->name, weight);
  const nl_tfjs_weight *w = &r->model->weights[index];
  if (!same_dims(w, rank, dims))
    return nl_fail_span(r->error, NL_ERROR_SHAPE, w->name, "the manifest's shape is not the one its layer asks for");
  *name = (const char *)w->name.bytes;
  return r->layer->written ? NL_OK : put_numbers(r, w, slot->order);
}

size_t nl_tfjs_axis(const nl_tfjs_reading *r, size_t rank, double otherwise) {
  const cJSON *item = nl_tfjs_config(r, "axis");
  if (cJSON_IsArray(item) && item->child != NULL && item->child->next == NULL) item = item->child;
  const double given = item == NULL ? otherwise : cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
  const double axis = given < 0 ? given + (double)rank : given;
  return axis >= 0 && axis < (double)rank && axis == floor(axis) ? (size_t)axis : SIZE_MAX;
}

nl_status nl_tfjs_take(nl_tfjs_reading *r) {
  nl_tfjs_call *input = NULL;
  NL_TRY(nl_tfjs_input(r, &input));
  nl_tfjs_give(r, input->name, input->first, input);
  r->call->alias = input->alias != NULL ? input->alias : input;
  return NL_OK;
}
