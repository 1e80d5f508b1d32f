// json: netlump JSON -> ONNX, by way of cJSON and the ONNX builder.
#include "json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_parts.h"
#include "onnx.h"

typedef struct reading {
  nl_onnx_builder *builder;
  nl_arena arena;
  nl_error *error;
  size_t layer, layer_count;
  size_t width;  // numbers that arrive at the layer
  char from[96]; // the value that arrives
} reading;

// ---- places and names: "layers[2].weights[7]", "layer3/tanh" ---------------------------------------------------------

static void put_index(char dst[96], size_t index) {
  nl_json_put_text(dst, "[");
  nl_json_put_number(dst, index);
  nl_json_put_text(dst, "]");
}

static void put_place(const reading *r, char dst[96], const char *part) {
  dst[0] = '\0';
  nl_json_put_text(dst, "layers");
  put_index(dst, r->layer);
  nl_json_put_text(dst, part);
}

static void put_name(const reading *r, char dst[96], const char *part) {
  dst[0] = '\0';
  nl_json_put_text(dst, "layer");
  nl_json_put_number(dst, r->layer + 1);
  nl_json_put_text(dst, part);
}

static nl_status fail_layer(const reading *r, const char *part, const char *detail) {
  char place[96];
  put_place(r, place, part);
  return nl_fail(r->error, NL_ERROR_JSON, place, detail);
}

// "63 numbers, 64 expected"
static nl_status fail_count(const reading *r, const char *place, size_t found, size_t expected) {
  char detail[96] = "";
  nl_json_put_number(detail, found);
  nl_json_put_text(detail, found == 1 ? " number, " : " numbers, ");
  nl_json_put_number(detail, expected);
  nl_json_put_text(detail, " expected");
  return nl_fail(r->error, NL_ERROR_JSON, place, detail);
}

// ---- numbers ---------------------------------------------------------------------------------------------------------

// What is wrong with an item that should be a number; NULL when nothing is.
static const char *number_fault(const cJSON *item) {
  if (!cJSON_IsNumber(item)) return "a number is expected";
  return fabs(item->valuedouble) <= (double)FLT_MAX ? NULL : "this number is too large for a 32-bit float";
}

static nl_status read_numbers(const reading *r, const cJSON *array, const char *place, size_t count, double *dst) {
  if (!cJSON_IsArray(array)) return nl_fail(r->error, NL_ERROR_JSON, place, "an array of numbers is expected");
  const size_t found = nl_json_count(array);
  if (found != count) return fail_count(r, place, found, count);
  size_t i = 0;
  for (const cJSON *item = array->child; item != NULL; item = item->next, i++) {
    dst[i] = item->valuedouble;
    const char *fault = number_fault(item);
    if (fault == NULL) continue;
    char exact[96] = "";
    nl_json_put_text(exact, place);
    put_index(exact, i);
    return nl_fail(r->error, NL_ERROR_JSON, exact, fault);
  }
  return NL_OK;
}

// ---- layers ----------------------------------------------------------------------------------------------------------

static nl_status put_weights(reading *r, const cJSON *layer, size_t *out) {
  const cJSON *rows = cJSON_GetObjectItemCaseSensitive(layer, "weights");
  if (!cJSON_IsArray(rows) || !cJSON_IsArray(rows->child))
    return fail_layer(r, ".weights", "rows of numbers are expected");
  const size_t in = r->width != 0 ? r->width : nl_json_count(rows->child);
  if (in == 0) return fail_layer(r, ".weights[0]", "the row is empty");
  *out = nl_json_count(rows);
  if (*out > NL_JSON_MOST_TEXT / in)
    return fail_layer(r, ".weights", "its rows have different lengths"); // more numbers than the text can hold
  double *values;
  NL_TAKE(&r->arena, values, double, *out *in, r->error);
  size_t i = 0;
  for (const cJSON *row = rows->child; row != NULL; row = row->next, i++) {
    char place[96];
    put_place(r, place, ".weights");
    put_index(place, i);
    NL_TRY(read_numbers(r, row, place, in, values + i * in));
  }
  char name[96];
  put_name(r, name, ".weight");
  r->width = *out;
  const int64_t dims[2] = {(int64_t)*out, (int64_t)in};
  if (r->layer == 0) NL_TRY(nl_onnx_builder_input(r->builder, "input", 2, (int64_t[2]){-1, (int64_t)in}, r->error));
  return nl_onnx_builder_tensor(r->builder, name, 2, dims, values, r->error);
}

static nl_status put_bias(reading *r, const cJSON *layer, size_t out, bool *has_bias) {
  const cJSON *bias = cJSON_GetObjectItemCaseSensitive(layer, "bias");
  *has_bias = bias != NULL && !cJSON_IsNull(bias);
  if (!*has_bias) return NL_OK;
  double *values;
  NL_TAKE(&r->arena, values, double, out, r->error);
  char place[96], name[96];
  put_place(r, place, ".bias");
  NL_TRY(read_numbers(r, bias, place, out, values));
  put_name(r, name, ".bias");
  const int64_t dims[1] = {(int64_t)out};
  return nl_onnx_builder_tensor(r->builder, name, 1, dims, values, r->error);
}

static bool is_last(const reading *r) { return r->layer + 1 == r->layer_count; }

// The value a layer's node gives: "output" when it is the model's last.
static void name_value(const reading *r, bool final, const char *part, char dst[96]) {
  if (final && is_last(r))
    nl_json_put_text(strcpy(dst, ""), "output");
  else
    put_name(r, dst, part);
}

// A node with the attributes given, from r->from to a new r->from.
static nl_status put_node(reading *r, const char *op, const char *part, size_t input_count, const char *const *inputs,
                          bool final, size_t float_count, const char *const *float_names, const double *floats) {
  char name[96], to[96];
  put_name(r, name, part);
  name_value(r, final, part, to);
  NL_TRY(nl_onnx_builder_node(r->builder, op, name, input_count, inputs, to, 0, NULL, NULL, float_count, float_names,
                              floats, r->error));
  memcpy(r->from, to, sizeof to);
  return NL_OK;
}

static nl_status put_scalar(reading *r, const char *part, double value, char name[96]) {
  put_name(r, name, part);
  return nl_onnx_builder_tensor(r->builder, name, 0, NULL, &value, r->error);
}

static nl_status put_clip(reading *r, const double bounds[2]) {
  char names[2][96] = {"", ""};
  const char *inputs[3] = {r->from, names[0], names[1]};
  size_t count = 1;
  for (size_t i = 0; i < 2; i++) {
    if (isnan(bounds[i])) continue;
    NL_TRY(put_scalar(r, i == 0 ? ".min" : ".max", bounds[i], names[i]));
    count = i + 2;
  }
  return put_node(r, "Clip", "/clip", count, inputs, true, 0, NULL, NULL);
}

static nl_status put_softmax(reading *r) {
  if (!is_last(r)) return fail_layer(r, ".activation", "softmax is for the last layer only");
  char name[96];
  put_name(r, name, "/softmax");
  const char *inputs[1] = {r->from}, *axis[1] = {"axis"};
  const int64_t last[1] = {-1};
  return nl_onnx_builder_node(r->builder, "Softmax", name, 1, inputs, "output", 1, axis, last, 0, NULL, NULL, r->error);
}

static nl_status put_swish(reading *r) {
  char z[96];
  memcpy(z, r->from, sizeof z);
  NL_TRY(put_node(r, "Sigmoid", "/sigmoid", 1, (const char *const[1]){z}, false, 0, NULL, NULL));
  return put_node(r, "Mul", "/swish", 2, (const char *const[2]){z, r->from}, true, 0, NULL, NULL);
}

static nl_status read_coefficients(const reading *r, const cJSON *activation,
                                   double coefficients[NL_POLYNOMIAL_LIMIT + 1], size_t *count) {
  const cJSON *array = cJSON_GetObjectItemCaseSensitive(activation, "coefficients");
  *count = cJSON_IsArray(array) ? nl_json_count(array) : 0;
  if (*count < 2 || *count > NL_POLYNOMIAL_LIMIT + 1)
    return fail_layer(r, ".activation.coefficients", "2 to 33 numbers are expected");
  char place[96];
  put_place(r, place, ".activation.coefficients");
  return read_numbers(r, array, place, *count, coefficients);
}

// Horner: acc = c_d, then acc = acc z + c_i downwards
static nl_status put_polynomial(reading *r, const cJSON *activation) {
  double coefficients[NL_POLYNOMIAL_LIMIT + 1];
  size_t count;
  NL_TRY(read_coefficients(r, activation, coefficients, &count));
  char z[96], constant[96], part[96];
  memcpy(z, r->from, sizeof z);
  NL_TRY(put_scalar(r, ".leading", coefficients[count - 1], constant));
  for (size_t i = count - 1; i-- > 0;) {
    const bool first = i + 2 == count;
    nl_json_put_number(strcpy(part, "/multiply"), i);
    NL_TRY(put_node(r, "Mul", part, 2, (const char *const[2]){first ? constant : r->from, z}, false, 0, NULL, NULL));
    nl_json_put_number(strcpy(part, ".coefficient"), i);
    NL_TRY(put_scalar(r, part, coefficients[i], constant));
    nl_json_put_number(strcpy(part, "/polynomial"), i);
    NL_TRY(put_node(r, "Add", part, 2, (const char *const[2]){r->from, constant}, i == 0, 0, NULL, NULL));
  }
  return NL_OK;
}

static nl_status read_parameters(const reading *r, const cJSON *activation, const nl_activation *kind,
                                 double values[2]) {
  for (size_t i = 0; i < NL_ACTIVATION_PARAMETERS; i++) {
    values[i] = kind->defaults[i];
    const cJSON *item =
        kind->parameters[i] == NULL ? NULL : cJSON_GetObjectItemCaseSensitive(activation, kind->parameters[i]);
    if (item == NULL) continue;
    char place[96];
    put_place(r, place, ".activation.");
    nl_json_put_text(place, kind->parameters[i]);
    values[i] = item->valuedouble;
    const char *fault = number_fault(item);
    if (fault != NULL) return nl_fail(r->error, NL_ERROR_JSON, place, fault);
  }
  return NL_OK;
}

static nl_status find_activation(const reading *r, const cJSON *layer, const nl_activation **kind) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(layer, "activation");
  const cJSON *name = cJSON_IsObject(item) ? cJSON_GetObjectItemCaseSensitive(item, "name") : item;
  *kind = nl_activation_by_kind(NL_ACTIVATION_NONE);
  if (item == NULL || cJSON_IsNull(item)) return NL_OK;
  if (!cJSON_IsString(name)) return fail_layer(r, ".activation", "a name, or an object with a name, is expected");
  *kind = nl_activation_by_name(name->valuestring);
  if (*kind != NULL) return NL_OK;
  char detail[NL_ERROR_TEXT] = "“";
  strncat(detail, name->valuestring, 60);
  strcat(detail, "” is not an activation netlump knows; relu, tanh, sigmoid, gelu and others are");
  return fail_layer(r, ".activation", detail);
}

static nl_status put_activation(reading *r, const cJSON *layer, const nl_activation *kind) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(layer, "activation");
  double values[NL_ACTIVATION_PARAMETERS];
  NL_TRY(read_parameters(r, item, kind, values));
  const char *one[1] = {r->from};
  char part[96] = "/";
  nl_json_put_text(part, kind->name);
  size_t count = 0;
  switch (kind->kind) {
  case NL_ACTIVATION_NONE:
    return NL_OK;
  case NL_ACTIVATION_CLIP:
    return put_clip(r, values);
  case NL_ACTIVATION_SOFTMAX:
    return put_softmax(r);
  case NL_ACTIVATION_SWISH:
    return put_swish(r);
  case NL_ACTIVATION_SQUARE:
    return put_node(r, "Mul", part, 2, (const char *const[2]){r->from, r->from}, true, 0, NULL, NULL);
  case NL_ACTIVATION_POLYNOMIAL:
    return put_polynomial(r, item);
  case NL_ACTIVATION_NODE:
    break;
  }
  while (count < NL_ACTIVATION_PARAMETERS && kind->parameters[count] != NULL) count++;
  return put_node(r, kind->op, part, 1, one, true, count, kind->parameters, values);
}

static nl_status put_layer(reading *r, const cJSON *layer) {
  if (!cJSON_IsObject(layer)) return fail_layer(r, "", "an object with weights is expected");
  size_t out = 0;
  bool has_bias = false;
  const nl_activation *kind;
  NL_TRY(put_weights(r, layer, &out));
  NL_TRY(put_bias(r, layer, out, &has_bias));
  NL_TRY(find_activation(r, layer, &kind));
  char name[96], weight[96], bias[96], to[96];
  put_name(r, name, "");
  put_name(r, weight, ".weight");
  put_name(r, bias, ".bias");
  name_value(r, kind->kind == NL_ACTIVATION_NONE, "", to);
  const char *inputs[3] = {r->from, weight, bias}, *transpose[1] = {"transB"};
  NL_TRY(nl_onnx_builder_node(r->builder, "Gemm", name, has_bias ? 3 : 2, inputs, to, 1, transpose, (int64_t[1]){1}, 0,
                              NULL, NULL, r->error));
  memcpy(r->from, to, sizeof to);
  return put_activation(r, layer, kind);
}

// ---- the whole -------------------------------------------------------------------------------------------------------

static nl_status check_head(const cJSON *root, nl_error *error) {
  const cJSON *format = cJSON_GetObjectItemCaseSensitive(root, "format"),
              *version = cJSON_GetObjectItemCaseSensitive(root, "version");
  if (!cJSON_IsString(format) || strcmp(format->valuestring, "netlump") != 0)
    return nl_fail(error, NL_ERROR_JSON, "format", "\"format\": \"netlump\" is missing");
  if (version != NULL && !(cJSON_IsNumber(version) && version->valuedouble == 1))
    return nl_fail(error, NL_ERROR_JSON, "version", "only version 1 is known");
  const cJSON *layers = cJSON_GetObjectItemCaseSensitive(root, "layers");
  if (!cJSON_IsArray(layers) || layers->child == NULL)
    return nl_fail(error, NL_ERROR_JSON, "layers", "an array of layers is expected");
  return NL_OK;
}

// The smallest opset that has every activation used; unknown ones are reported where they stand.
static int64_t opset_for(const cJSON *layers) {
  int64_t opset = 13;
  for (const cJSON *layer = layers->child; layer != NULL; layer = layer->next) {
    const nl_activation *kind;
    if (find_activation(&(reading){0}, layer, &kind) == NL_OK && kind->opset > opset) opset = kind->opset;
  }
  return opset;
}

static nl_status convert(reading *r, const cJSON *root, nl_buffer *onnx) {
  const cJSON *layers = cJSON_GetObjectItemCaseSensitive(root, "layers");
  r->layer_count = nl_json_count(layers);
  nl_json_put_text(r->from, "input");
  NL_TRY(nl_onnx_builder_create(&r->builder, "netlump", "netlump", opset_for(layers), r->error));
  for (const cJSON *layer = layers->child; layer != NULL; layer = layer->next, r->layer++) NL_TRY(put_layer(r, layer));
  NL_TRY(nl_onnx_builder_output(r->builder, "output", 2, (int64_t[2]){-1, (int64_t)r->width}, r->error));
  return nl_onnx_builder_finish(r->builder, onnx, r->error);
}

nl_status nl_json_read(nl_span text, nl_buffer *onnx, nl_error *error) {
  cJSON *root;
  NL_TRY(nl_json_parse(text, &root, error));
  reading r = {.error = error};
  const size_t start = onnx->size;
  nl_status status = check_head(root, error);
  if (status == NL_OK) status = convert(&r, root, onnx);
  if (status != NL_OK) onnx->size = start;
  nl_onnx_builder_free(r.builder);
  nl_arena_free(&r.arena);
  cJSON_Delete(root);
  return status;
}
