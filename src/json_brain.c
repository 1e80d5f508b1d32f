// json_brain: brain.js' NeuralNetwork <-> ONNX. Version 1 writes a layer as an object of neurons by name, each with a bias and its
// weights by the names of the layer before; version 2 as arrays. Layer i is the Gemm "layeri" there, its activation follows.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_brain.h"
#include "onnx.h"

static cJSON *get(const cJSON *object, const char *key) { return cJSON_GetObjectItemCaseSensitive(object, key); }

// "layers[2].weights"
nl_status nl_brain_fail(const nl_brain *b, size_t index, const char *part, const char *detail) {
  char place[96] = "layers[";
  nl_json_put_number(place, index);
  nl_json_put_text(place, "]");
  nl_json_put_text(place, part);
  return nl_fail(b->error, NL_ERROR_JSON, place, detail);
}

// ---- members in JavaScript's order ---------------------------------------------------------------------------------------

// Keys that are whole numbers come first, by size; the others as they stand (ECMAScript, OrdinaryOwnPropertyKeys).
static double index_of(const char *key) {
  double number = 0;
  size_t digits = 0;
  for (; key[digits] >= '0' && key[digits] <= '9'; digits++) number = 10 * number + (key[digits] - '0');
  const bool canonical = digits > 0 && key[digits] == '\0' && (key[0] != '0' || digits == 1);
  return canonical && number < 4294967295.0 ? number : (double)INFINITY;
}

static int compare(const void *left, const void *right) {
  const nl_brain_member *a = left, *b = right;
  if (a->number != b->number) return a->number < b->number ? -1 : 1;
  return a->place < b->place ? -1 : 1;
}

nl_status nl_brain_members(const cJSON *object, nl_arena *arena, size_t *count, nl_brain_member **members,
                           nl_error *error) {
  *count = nl_json_members(object);
  NL_TAKE(arena, *members, nl_brain_member, *count + 1, error);
  size_t i = 0;
  for (cJSON *item = object == NULL ? NULL : object->child; item != NULL; item = item->next, i++) {
    const double number = item->string == NULL ? (double)i : index_of(item->string);
    (*members)[i] = (nl_brain_member){item, number, i};
  }
  qsort(*members, *count, sizeof **members, compare);
  return NL_OK;
}

// ---- numbers -------------------------------------------------------------------------------------------------------------

static bool number(const cJSON *item, double *out) {
  if (!cJSON_IsNumber(item) || !(fabs(item->valuedouble) <= 3.4028234663852886e38)) return false;
  *out = item->valuedouble;
  return true;
}

static nl_status fill_row(const nl_brain *b, size_t index, nl_arena *arena, const cJSON *row, double *dst) {
  size_t count;
  nl_brain_member *members;
  NL_TRY(nl_brain_members(row, arena, &count, &members, b->error));
  if (count != b->layers[index - 1].width)
    return nl_brain_fail(b, index, ".weights",
                         "a neuron has another count of weights than the layer before has neurons");
  for (size_t i = 0; i < count; i++)
    if (!number(members[i].item, &dst[i])) return nl_brain_fail(b, index, ".weights", "a number is expected");
  return NL_OK;
}

// The weights of one neuron: an array, or an object by the names of the layer before.
static nl_status read_row(const nl_brain *b, size_t index, const cJSON *row, double *dst) {
  nl_arena arena = {0};
  if (!cJSON_IsArray(row) && !cJSON_IsObject(row)) return nl_brain_fail(b, index, ".weights", "numbers are expected");
  const nl_status status = fill_row(b, index, &arena, row, dst);
  nl_arena_free(&arena);
  return status;
}

// (out, in) and (out), of either version
static nl_status read_numbers(nl_brain *b, size_t index, double *weights, double *bias) {
  const nl_brain_layer *l = &b->layers[index];
  const size_t in = b->layers[index - 1].width;
  size_t count;
  nl_brain_member *rows, *biases;
  NL_TRY(nl_brain_members(b->arrays ? get(l->object, "weights") : l->object, &b->arena, &count, &rows, b->error));
  NL_TRY(nl_brain_members(b->arrays ? get(l->object, "biases") : NULL, &b->arena, &count, &biases, b->error));
  if (b->arrays && count != l->width)
    return nl_brain_fail(b, index, ".biases", "one number for each neuron is expected");
  for (size_t o = 0; o < l->width; o++) {
    const cJSON *row = b->arrays ? rows[o].item : get(rows[o].item, "weights");
    if (!number(b->arrays ? biases[o].item : get(rows[o].item, "bias"), &bias[o]))
      return nl_brain_fail(b, index, b->arrays ? ".biases" : ".bias", "a number is expected");
    NL_TRY(read_row(b, index, row, weights + o * in));
  }
  return NL_OK;
}

// ---- what the text says --------------------------------------------------------------------------------------------------

// Version 2 has an array of rows, which no neuron of version 1 is.
static bool is_of_arrays(const cJSON *last) { return cJSON_IsArray(get(last, "weights")); }

static nl_status size_layers(nl_brain *b) {
  for (size_t i = 0; i < b->count; i++) {
    nl_brain_layer *l = &b->layers[i];
    if (!cJSON_IsObject(l->object)) return nl_brain_fail(b, i, "", "an object is expected");
    l->width = nl_json_members(b->arrays ? get(l->object, "weights") : l->object);
    if (i > 0 && l->width == 0) return nl_brain_fail(b, i, "", "there are no neurons in it");
    if (l->width > NL_JSON_MOST_TEXT) return nl_brain_fail(b, i, "", "there are too many neurons in it");
  }
  if (b->arrays) { // the input layer is empty: the first weights tell
    const cJSON *rows = get(b->layers[1].object, "weights");
    b->layers[0].width = nl_json_count(rows->child);
  }
  return b->layers[0].width == 0 ? nl_brain_fail(b, 0, "", "there are no inputs") : NL_OK;
}

static const char *text_at(const cJSON *root, const char *object, const char *key) {
  const cJSON *item = get(object == NULL ? root : get(root, object), key);
  return cJSON_IsString(item) ? item->valuestring : NULL;
}

// Where brain.js' versions keep it; sigmoid where none does.
static nl_status read_activation(nl_brain *b) {
  static const char *const PLACES[] = {NULL, "trainOpts", "options"};
  static const char *const KNOWN[] = {"sigmoid", "relu", "leaky-relu", "tanh"};
  b->activation = NULL;
  b->slope = 0.01;
  for (size_t i = 0; i < 3; i++) {
    const cJSON *slope = get(PLACES[i] == NULL ? b->root : get(b->root, PLACES[i]), "leakyReluAlpha");
    if (b->activation == NULL) b->activation = text_at(b->root, PLACES[i], "activation");
    number(slope, &b->slope);
  }
  if (b->activation == NULL) b->activation = KNOWN[0];
  for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
    if (strcmp(KNOWN[i], b->activation) == 0) return NL_OK;
  return nl_fail(b->error, NL_ERROR_JSON, "activation", "sigmoid, relu, leaky-relu or tanh is expected");
}

nl_status nl_brain_open(nl_brain *b, nl_span text) {
  NL_TRY(nl_json_parse(text, &b->root, b->error));
  const cJSON *layers = get(b->root, "layers");
  b->count = nl_json_count(layers);
  if (b->count < 2) return nl_fail(b->error, NL_ERROR_JSON, "layers", "two layers or more are expected");
  NL_TAKE(&b->arena, b->layers, nl_brain_layer, b->count, b->error);
  size_t i = 0;
  for (cJSON *item = layers->child; item != NULL; item = item->next) b->layers[i++].object = item;
  b->arrays = is_of_arrays(b->layers[b->count - 1].object);
  NL_TRY(size_layers(b));
  return read_activation(b);
}

void nl_brain_close(nl_brain *b) {
  cJSON_Delete(b->root);
  nl_arena_free(&b->arena);
}

// ---- to ONNX -------------------------------------------------------------------------------------------------------------

void nl_brain_name(char dst[96], size_t index, const char *part) {
  nl_json_put_text(strcpy(dst, ""), "layer");
  nl_json_put_number(dst, index);
  nl_json_put_text(dst, part);
}

static nl_status put_dense(nl_brain *b, nl_onnx_builder *builder, size_t index, const char *from, const char *to) {
  const size_t out = b->layers[index].width, in = b->layers[index - 1].width;
  char names[3][96];
  double *weights, *bias;
  if (out > NL_JSON_MOST_TEXT / in)
    return nl_brain_fail(b, index, ".weights", "its neurons have different counts of weights");
  NL_TAKE(&b->arena, weights, double, out *in, b->error);
  NL_TAKE(&b->arena, bias, double, out, b->error);
  NL_TRY(read_numbers(b, index, weights, bias));
  nl_brain_name(names[0], index, "");
  nl_brain_name(names[1], index, ".weight");
  nl_brain_name(names[2], index, ".bias");
  const int64_t dims[2] = {(int64_t)out, (int64_t)in};
  NL_TRY(nl_onnx_builder_tensor(builder, names[1], 2, dims, weights, b->error));
  NL_TRY(nl_onnx_builder_tensor(builder, names[2], 1, dims, bias, b->error));
  const char *inputs[3] = {from, names[1], names[2]};
  NL_TRY(nl_onnx_builder_open(builder, "Gemm", names[0], 3, inputs, to, b->error));
  NL_TRY(nl_onnx_builder_int(builder, "transB", 1, b->error));
  return nl_onnx_builder_close(builder, b->error);
}

// brain.js 1 runs leaky-relu as slope * max(x, 0), whatever its name says; version 2 as max(x, slope * x).
static nl_status put_old_leaky(nl_brain *b, nl_onnx_builder *builder, size_t index, const char *from, const char *to) {
  char names[3][96];
  nl_brain_name(names[0], index, "/relu");
  nl_brain_name(names[1], index, ".slope");
  nl_brain_name(names[2], index, "/leaky-relu");
  const char *inputs[2] = {names[0], names[1]};
  NL_TRY(nl_onnx_builder_tensor(builder, names[1], 0, NULL, &b->slope, b->error));
  NL_TRY(nl_onnx_builder_open(builder, "Relu", names[0], 1, &from, names[0], b->error));
  NL_TRY(nl_onnx_builder_close(builder, b->error));
  NL_TRY(nl_onnx_builder_open(builder, "Mul", names[2], 2, inputs, to, b->error));
  return nl_onnx_builder_close(builder, b->error);
}

static nl_status put_activation(nl_brain *b, nl_onnx_builder *builder, size_t index, const char *from, const char *to) {
  char name[96], part[96] = "/";
  const bool leaky = strcmp(b->activation, "leaky-relu") == 0;
  if (leaky && !b->arrays) return put_old_leaky(b, builder, index, from, to);
  const char *op = leaky                                ? "LeakyRelu"
                   : strcmp(b->activation, "relu") == 0 ? "Relu"
                   : strcmp(b->activation, "tanh") == 0 ? "Tanh"
                                                        : "Sigmoid";
  nl_json_put_text(part, b->activation);
  nl_brain_name(name, index, part);
  NL_TRY(nl_onnx_builder_open(builder, op, name, 1, &from, to, b->error));
  if (leaky) NL_TRY(nl_onnx_builder_float(builder, "alpha", b->slope, b->error));
  return nl_onnx_builder_close(builder, b->error);
}

static nl_status convert(nl_brain *b, nl_onnx_builder *builder, nl_buffer *onnx) {
  const size_t last = b->count - 1;
  char from[96] = "input";
  NL_TRY(nl_onnx_builder_input(builder, from, 2, (int64_t[2]){-1, (int64_t)b->layers[0].width}, b->error));
  for (size_t i = 1; i <= last; i++) {
    char sum[96], to[96];
    nl_brain_name(sum, i, "");
    nl_brain_name(to, i, ".out");
    if (i == last) strcpy(to, "output");
    NL_TRY(put_dense(b, builder, i, from, sum));
    NL_TRY(put_activation(b, builder, i, sum, to));
    memcpy(from, to, sizeof to);
  }
  NL_TRY(nl_onnx_builder_output(builder, from, 2, (int64_t[2]){-1, (int64_t)b->layers[last].width}, b->error));
  return nl_onnx_builder_finish(builder, onnx, b->error);
}

nl_status nl_brain_read(nl_span text, nl_buffer *onnx, nl_error *error) {
  nl_brain b = {.error = error};
  nl_onnx_builder *builder = NULL;
  const size_t start = onnx->size;
  nl_status status = nl_brain_open(&b, text);
  if (status == NL_OK) status = nl_onnx_builder_create(&builder, "brain.js", "brain.js", 13, error);
  if (status == NL_OK) status = convert(&b, builder, onnx);
  if (status != NL_OK) onnx->size = start;
  nl_onnx_builder_free(builder);
  nl_brain_close(&b);
  return status;
}
