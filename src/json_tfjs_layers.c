// json_tfjs_layers: a rule for each class of layer, after TensorFlow.js' own definitions (tfjs-layers 4.22, layers/*).
#include <string.h>

#include "json_tfjs.h"

// ---- inputs and dense layers -------------------------------------------------------------------------------------------

static nl_status rule_input(nl_tfjs_reading *r) {
  static const char *const KEYS[] = {"batch_input_shape", "batch_shape"};
  const cJSON *shape = NULL, *type = nl_tfjs_config(r, "dtype");
  nl_tfjs_call *call = r->call;
  for (size_t i = 0; i < 2 && shape == NULL; i++) shape = nl_tfjs_config(r, KEYS[i]);
  if (!cJSON_IsArray(shape) || shape->child == NULL)
    return nl_tfjs_fail(r, KEYS[0], "the model does not say what its inputs look like; an array is expected");
  if (cJSON_IsString(type) && strncmp(type->valuestring, "float", 5) != 0)
    return nl_tfjs_refuse(r, "an input of other than floating-point numbers");
  call->dims[call->rank++] = NL_TFJS_BATCH;
  for (const cJSON *item = shape->child->next; item != NULL; item = item->next) {
    int64_t size = NL_TFJS_UNKNOWN;
    if (call->rank == NL_TFJS_RANK) return nl_tfjs_refuse(r, "an input of more than five axes");
    if (!cJSON_IsNull(item) && !nl_tfjs_size(item, 1, &size))
      return nl_tfjs_fail(r, KEYS[0], "whole numbers are expected, and null where a size is open");
    call->dims[call->rank++] = size;
  }
  call->name = call->label;
  return nl_onnx_builder_input(r->builder, call->name, call->rank, call->dims, r->error);
}

static nl_status put_dense(nl_tfjs_reading *r, size_t rank, const char *x, const char *kernel, const char *bias,
                           const char *to) {
  const char *inputs[3] = {x, kernel, bias};
  if (rank == 2) return nl_tfjs_node(r, "Gemm", "", bias != NULL ? 3 : 2, inputs, to);
  if (bias == NULL) return nl_tfjs_node(r, "MatMul", "", 2, inputs, to);
  const char *sum[2] = {NULL, bias};
  NL_TRY(nl_tfjs_part(r, "/product", &sum[0]));
  NL_TRY(nl_tfjs_node(r, "MatMul", "", 2, inputs, sum[0]));
  return nl_tfjs_node(r, "Add", "/bias", 2, sum, to);
}

static nl_status rule_dense(nl_tfjs_reading *r) {
  nl_tfjs_call *input;
  int64_t sizes[2] = {0, 0};
  const char *x, *kernel, *bias, *to;
  NL_TRY(nl_tfjs_input(r, &input));
  NL_TRY(nl_tfjs_whole(r, "units", 1, &sizes[1]));
  if (input->rank < 2) return nl_tfjs_misfit(r, "rows of numbers are expected");
  sizes[0] = input->dims[input->rank - 1];
  NL_TRY(nl_tfjs_lay(r, input, false, &x));
  NL_TRY(nl_tfjs_put_weight(r, "kernel", 2, sizes, &kernel));
  NL_TRY(nl_tfjs_put_weight(r, "bias", 1, &sizes[1], &bias));
  NL_TRY(nl_tfjs_stage(r, &to));
  NL_TRY(put_dense(r, input->rank, x, kernel, bias, to));
  nl_tfjs_give(r, to, false, input);
  r->call->dims[r->call->rank - 1] = sizes[1];
  return nl_tfjs_activate(r);
}

// Of no effect when a trained network runs.
static nl_status rule_nothing(nl_tfjs_reading *r) { return nl_tfjs_take(r); }

static nl_status put_constant(nl_tfjs_reading *r, const char *part, int64_t count, double value, const char **name) {
  NL_TRY(nl_tfjs_join(r->model, name, r->layer->name, part, "", r->error));
  if (r->layer->written) return NL_OK;
  nl_arena arena = {0};
  double *values = nl_arena_take(&arena, (size_t)count, sizeof *values);
  for (size_t i = 0; values != NULL && i < (size_t)count; i++) values[i] = value;
  const nl_status status = values == NULL
                               ? nl_fail_count(r->error, NL_ERROR_MEMORY, NULL, (uint64_t)count * sizeof *values, 0)
                               : nl_onnx_builder_tensor(r->builder, *name, 1, &count, values, r->error);
  nl_arena_free(&arena);
  return status;
}

static nl_status rule_batchnorm(nl_tfjs_reading *r) {
  nl_tfjs_call *input;
  double epsilon = 1e-3;
  const char *inputs[5];
  NL_TRY(nl_tfjs_input(r, &input));
  NL_TRY(nl_tfjs_number(r, "epsilon", &epsilon));
  const size_t axis = nl_tfjs_axis(r, input->rank, -1);
  const bool last = axis == input->rank - 1;
  if (!(last || axis == 1) || axis == 0) return nl_tfjs_refuse(r, "a normalisation over an axis in the middle");
  const int64_t *width = &input->dims[axis];
  NL_TRY(nl_tfjs_lay(r, input, last, &inputs[0]));
  NL_TRY(nl_tfjs_put_weight(r, "moving_mean", 1, width, &inputs[3]));
  NL_TRY(nl_tfjs_put_weight(r, "moving_variance", 1, width, &inputs[4]));
  NL_TRY(nl_tfjs_put_weight(r, "gamma", 1, width, &inputs[1]));
  NL_TRY(nl_tfjs_put_weight(r, "beta", 1, width, &inputs[2]));
  if (inputs[1] == NULL) NL_TRY(put_constant(r, "/one", *width, 1, &inputs[1]));
  if (inputs[2] == NULL) NL_TRY(put_constant(r, "/zero", *width, 0, &inputs[2]));
  NL_TRY(nl_tfjs_open(r, "BatchNormalization", "", 5, inputs, r->call->label));
  NL_TRY(nl_onnx_builder_float(r->builder, "epsilon", epsilon, r->error));
  NL_TRY(nl_tfjs_close(r));
  nl_tfjs_give(r, r->call->label, last && input->rank > 2, input);
  return NL_OK;
}

// ---- shapes --------------------------------------------------------------------------------------------------------------

// Numbers in a row of a value; NL_TFJS_UNKNOWN where a size is open.
static nl_status row_size(const nl_tfjs_reading *r, const nl_tfjs_call *value, int64_t *size) {
  *size = 1;
  for (size_t i = 1; i < value->rank; i++) {
    if (value->dims[i] < 0 || *size < 0) {
      *size = NL_TFJS_UNKNOWN;
      continue;
    }
    *size *= value->dims[i];
    if (*size > NL_TFJS_SIZE_MOST)
      return nl_fail_count(r->error, NL_ERROR_LIMIT, r->layer->name, NL_TFJS_SIZE_MOST, (uint64_t)*size);
  }
  return NL_OK;
}

static nl_status rule_flatten(nl_tfjs_reading *r) {
  nl_tfjs_call *input;
  bool first;
  const char *x;
  NL_TRY(nl_tfjs_input(r, &input));
  NL_TRY(nl_tfjs_channels_first(r, &first));
  if (input->rank < 3) return nl_tfjs_take(r);
  int64_t size;
  NL_TRY(row_size(r, input, &size));
  NL_TRY(nl_tfjs_lay(r, input, false, &x));
  if (first) { // channels come last in the row all the same
    const char *turned;
    int64_t permutation[NL_TFJS_RANK] = {0};
    for (size_t i = 1; i < input->rank; i++) permutation[i] = (int64_t)(i + 1 < input->rank ? i + 1 : 1);
    NL_TRY(nl_tfjs_part(r, "/channels_last", &turned));
    NL_TRY(nl_tfjs_open(r, "Transpose", "/channels_last", 1, &x, turned));
    NL_TRY(nl_onnx_builder_ints(r->builder, "perm", input->rank, permutation, r->error));
    NL_TRY(nl_tfjs_close(r));
    x = turned;
  }
  NL_TRY(nl_tfjs_node(r, "Flatten", "", 1, &x, r->call->label));
  nl_tfjs_give(r, r->call->label, false, input);
  r->call->rank = 2;
  r->call->dims[1] = size;
  return NL_OK;
}

// target_shape behind the batch; one entry may be open, and follows from the others.
static nl_status read_target(nl_tfjs_reading *r, int64_t row, size_t *rank, int64_t dims[NL_TFJS_RANK]) {
  const cJSON *target = nl_tfjs_config(r, "target_shape");
  int64_t product = 1;
  size_t open = 0;
  dims[0] = NL_TFJS_BATCH;
  *rank = 1;
  for (const cJSON *item = cJSON_IsArray(target) ? target->child : NULL; item != NULL; item = item->next) {
    if (*rank == NL_TFJS_RANK) return nl_tfjs_refuse(r, "a shape of more than five axes");
    const bool is_open = cJSON_IsNull(item) || (cJSON_IsNumber(item) && item->valuedouble < 0);
    const double size = is_open ? 1 : cJSON_IsNumber(item) ? item->valuedouble : 0;
    if (!(size >= 1 && size * (double)product <= NL_TFJS_SIZE_MOST) || (double)(int64_t)size != size)
      return nl_tfjs_misfit(r, "its target_shape is no shape");
    product *= (int64_t)size;
    if (is_open) open = *rank;
    dims[(*rank)++] = is_open ? NL_TFJS_UNKNOWN : (int64_t)size;
  }
  if (row == NL_TFJS_UNKNOWN) return NL_OK;
  if (row % product != 0 || (open == 0 && row != product))
    return nl_tfjs_misfit(r, "its target_shape holds another count of numbers than what it reads");
  if (open != 0) dims[open] = row / product;
  for (size_t i = 1; i < *rank; i++)
    if (dims[i] < 0) return nl_tfjs_misfit(r, "its target_shape leaves two sizes open");
  return NL_OK;
}

static nl_status rule_reshape(nl_tfjs_reading *r) {
  nl_tfjs_call *input, *call = r->call;
  const char *inputs[2];
  int64_t row, shape[NL_TFJS_RANK];
  size_t rank;
  NL_TRY(nl_tfjs_input(r, &input));
  NL_TRY(row_size(r, input, &row));
  NL_TRY(read_target(r, row, &rank, shape));
  NL_TRY(nl_tfjs_lay(r, input, false, &inputs[0]));
  nl_tfjs_give(r, call->label, false, input);
  call->rank = rank;
  memcpy(call->dims, shape, sizeof call->dims);
  for (size_t i = 0; i < rank; i++) shape[i] = i == 0 ? 0 : shape[i] < 0 ? -1 : shape[i]; // 0: as it comes
  NL_TRY(nl_tfjs_part(r, "/shape", &inputs[1]));
  NL_TRY(nl_onnx_builder_whole(r->builder, inputs[1], rank, shape, r->error));
  return nl_tfjs_node(r, "Reshape", "", 2, inputs, call->label);
}

// ---- several inputs ------------------------------------------------------------------------------------------------------

static nl_tfjs_call *input_at(const nl_tfjs_reading *r, size_t i) { return &r->model->calls[r->call->inputs[i]]; }

// The names of all inputs laid alike; channels on axis 1 where any of them has them there.
static nl_status lay_alike(nl_tfjs_reading *r, bool *first, const char ***names) {
  const size_t count = r->call->input_count, rank = count == 0 ? 0 : input_at(r, 0)->rank;
  if (count < 2) return nl_tfjs_misfit(r, "two values or more are expected");
  *first = false;
  for (size_t i = 0; i < count; i++) {
    if (input_at(r, i)->rank != rank) return nl_tfjs_refuse(r, "it combines values with different counts of axes");
    *first = *first || input_at(r, i)->first;
  }
  NL_TAKE(&r->model->arena, *names, const char *, count, r->error);
  for (size_t i = 0; i < count; i++) NL_TRY(nl_tfjs_lay(r, input_at(r, i), *first, &(*names)[i]));
  return NL_OK;
}

static nl_status rule_concatenate(nl_tfjs_reading *r) {
  bool first;
  const char **names;
  NL_TRY(lay_alike(r, &first, &names));
  const nl_tfjs_call *input = input_at(r, 0);
  const size_t axis = nl_tfjs_axis(r, input->rank, -1);
  if (axis == 0 || axis == SIZE_MAX) return nl_tfjs_refuse(r, "a concatenation along the batch");
  int64_t sum = 0;
  for (size_t i = 0; i < r->call->input_count; i++) {
    const int64_t *dims = input_at(r, i)->dims;
    for (size_t k = 1; k < input->rank; k++)
      if (k != axis && dims[k] >= 0 && input->dims[k] >= 0 && dims[k] != input->dims[k])
        return nl_tfjs_misfit(r, "what it joins differs along another axis");
    sum = sum < 0 || dims[axis] < 0 ? NL_TFJS_UNKNOWN : sum + dims[axis];
    if (sum > NL_TFJS_SIZE_MOST)
      return nl_fail_count(r->error, NL_ERROR_LIMIT, r->layer->name, NL_TFJS_SIZE_MOST, (uint64_t)sum);
  }
  NL_TRY(nl_tfjs_open(r, "Concat", "", r->call->input_count, names, r->call->label));
  const size_t laid = !first ? axis : axis == input->rank - 1 ? 1 : axis + 1;
  NL_TRY(nl_onnx_builder_int(r->builder, "axis", (int64_t)laid, r->error));
  NL_TRY(nl_tfjs_close(r));
  nl_tfjs_give(r, r->call->label, first, input);
  r->call->dims[axis] = sum;
  return NL_OK;
}

// What a size and another broadcast to.
static bool broadcast(int64_t *size, int64_t other) {
  if (*size == 1 || (*size < 0 && other > 1)) *size = other;
  return *size < 0 || other < 0 || other == 1 || other == *size;
}

// Two by two, since ONNX has Mul for two only.
static nl_status put_pairs(nl_tfjs_reading *r, const char *op, const char *const *names) {
  const size_t count = r->call->input_count;
  const char *pair[2] = {names[0], NULL}, *to;
  for (size_t i = 1; i < count; i++) {
    char part[96] = "";
    if (i + 1 < count) nl_json_put_text(part, "/"), nl_json_put_number(part, i);
    NL_TRY(nl_tfjs_part(r, part, &to));
    pair[1] = names[i];
    NL_TRY(nl_tfjs_node(r, op, part, 2, pair, to));
    pair[0] = to;
  }
  return NL_OK;
}

static nl_status rule_merge(nl_tfjs_reading *r) {
  static const char *const OPS[][2] = {{"Add", "Add"}, {"Multiply", "Mul"}, {"Maximum", "Max"}, {"Minimum", "Min"}};
  bool first;
  const char **names;
  NL_TRY(lay_alike(r, &first, &names));
  size_t op = 0;
  while (strcmp(OPS[op][0], r->layer->kind) != 0) op++;
  nl_tfjs_call sum = *input_at(r, 0);
  for (size_t i = 1; i < r->call->input_count; i++)
    for (size_t k = 1; k < sum.rank; k++)
      if (!broadcast(&sum.dims[k], input_at(r, i)->dims[k]))
        return nl_tfjs_misfit(r, "what it combines differs in size");
  NL_TRY(put_pairs(r, OPS[op][1], names));
  nl_tfjs_give(r, r->call->label, first, &sum);
  return NL_OK;
}

// ---- the table -----------------------------------------------------------------------------------------------------------

typedef struct rule {
  const char *kind;
  nl_status (*apply)(nl_tfjs_reading *r);
} rule;

static const rule RULES[] = {
    {"InputLayer", rule_input},
    {"Dense", rule_dense},
    {"Activation", nl_tfjs_rule_activation},
    {"ReLU", nl_tfjs_rule_relu},
    {"LeakyReLU", nl_tfjs_rule_leaky_relu},
    {"PReLU", nl_tfjs_rule_prelu},
    {"ELU", nl_tfjs_rule_elu},
    {"ThresholdedReLU", nl_tfjs_rule_thresholded_relu},
    {"Softmax", nl_tfjs_rule_softmax},
    {"Dropout", rule_nothing},
    {"SpatialDropout1D", rule_nothing},
    {"AlphaDropout", rule_nothing},
    {"GaussianDropout", rule_nothing},
    {"GaussianNoise", rule_nothing},
    {"Flatten", rule_flatten},
    {"Reshape", rule_reshape},
    {"BatchNormalization", rule_batchnorm},
    {"Conv1D", nl_tfjs_rule_convolution},
    {"Conv2D", nl_tfjs_rule_convolution},
    {"DepthwiseConv2D", nl_tfjs_rule_depthwise},
    {"SeparableConv2D", nl_tfjs_rule_separable},
    {"MaxPooling1D", nl_tfjs_rule_pooling},
    {"MaxPooling2D", nl_tfjs_rule_pooling},
    {"AveragePooling1D", nl_tfjs_rule_pooling},
    {"AveragePooling2D", nl_tfjs_rule_pooling},
    {"GlobalAveragePooling1D", nl_tfjs_rule_global_pooling},
    {"GlobalAveragePooling2D", nl_tfjs_rule_global_pooling},
    {"GlobalMaxPooling1D", nl_tfjs_rule_global_pooling},
    {"GlobalMaxPooling2D", nl_tfjs_rule_global_pooling},
    {"ZeroPadding2D", nl_tfjs_rule_padding},
    {"UpSampling2D", nl_tfjs_rule_upsampling},
    {"Add", rule_merge},
    {"Multiply", rule_merge},
    {"Maximum", rule_merge},
    {"Minimum", rule_merge},
    {"Concatenate", rule_concatenate},
};

static const rule *rule_of(const char *kind) {
  for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++)
    if (strcmp(RULES[i].kind, kind) == 0) return &RULES[i];
  return NULL;
}

bool nl_tfjs_knows(const char *kind) { return rule_of(kind) != NULL; }

nl_status nl_tfjs_apply(nl_tfjs_reading *r) { return rule_of(r->layer->kind)->apply(r); }
