// shape: the table of operators (ONNX operator specification, opset 7 to 25), and the rules of a few lines.
#include "shape_parts.h"

// ---- elementwise -------------------------------------------------------------------------------------------------------

static nl_status same(nl_shaping *s) { return nl_shaping_copy(s, 0, nl_shaping_input(s, 0)); }

static nl_status passed(nl_shaping *s) {
  NL_TRY(same(s));
  return nl_shaping_keep_elements(s, 0);
}

static nl_status dropout(nl_shaping *s) {
  NL_TRY(same(s));
  return nl_shaping_copy(s, 1, nl_shaping_input(s, 0)); // the mask
}

// Between 32 and 64 bit a number that fits both stays what it is.
static nl_status cast(nl_shaping *s) {
  const int64_t to = nl_node_int(s->node, "to", 0);
  NL_TRY(same(s));
  const nl_shape *in = nl_shaping_integers(s, 0);
  if (in == NULL || (to != NL_TYPE_I32 && to != NL_TYPE_I64)) return NL_OK;
  for (size_t i = 0; i < in->element_count; i++) {
    int64_t number;
    const bool fits = !nl_element_number(&in->elements[i], &number) || (number >= INT32_MIN && number <= INT32_MAX);
    if (to == NL_TYPE_I32 && !fits) return NL_OK;
  }
  return nl_shaping_keep_elements(s, 0);
}

static nl_status broadcast(nl_shaping *s) {
  int64_t dims[NL_SHAPE_RANK_MOST];
  size_t rank = 0;
  for (size_t slot = 0; slot < s->node->input_count; slot++) {
    const nl_shape *in = nl_shaping_input(s, slot);
    if (in == NULL) return NL_OK;
    if (in->rank > rank) rank = in->rank;
  }
  for (size_t i = 0; i < rank; i++) dims[i] = 1;
  for (size_t slot = 0; slot < s->node->input_count; slot++) {
    const nl_shape *in = nl_shaping_input(s, slot);
    for (size_t i = 0; i < in->rank; i++) {
      int64_t *size = &dims[rank - in->rank + i];
      *size = nl_size_broadcast(*size, in->dims[i]);
    }
  }
  return nl_shaping_set(s, 0, rank, dims);
}

static nl_status arithmetic(nl_shaping *s) {
  NL_TRY(broadcast(s));
  return nl_shaping_combine_elements(s);
}

static nl_status where(nl_shaping *s) {
  NL_TRY(broadcast(s));
  return nl_shaping_where_elements(s);
}

// ---- reductions --------------------------------------------------------------------------------------------------------

static nl_status reduce_marked(nl_shaping *s, const nl_shape *in, const bool *gone) {
  const bool kept = nl_node_int(s->node, "keepdims", 1) != 0;
  int64_t dims[NL_SHAPE_RANK_MOST];
  size_t rank = 0;
  for (size_t i = 0; i < in->rank; i++)
    if (kept || !gone[i]) dims[rank++] = gone[i] ? 1 : in->dims[i];
  return nl_shaping_set(s, 0, rank, dims);
}

// No axes: all of them, or none where the node says so.
static nl_status reduce(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const nl_given axes = nl_shaping_given(s, "axes", 1);
  bool gone[NL_SHAPE_RANK_MOST];
  if (in == NULL) return NL_OK;
  if (!axes.given || (axes.known && axes.count == 0)) {
    const bool all = nl_node_int(s->node, "noop_with_empty_axes", 0) == 0;
    for (size_t i = 0; i < in->rank; i++) gone[i] = all;
    return reduce_marked(s, in, gone);
  }
  if (nl_given_axes(&axes, in->rank, gone)) return reduce_marked(s, in, gone);
  int64_t dims[NL_SHAPE_RANK_MOST];
  for (size_t i = 0; i < in->rank; i++) dims[i] = -1;
  return nl_node_int(s->node, "keepdims", 1) != 0 ? nl_shaping_set(s, 0, in->rank, dims) : NL_OK;
}

static nl_status reduce_one(nl_shaping *s) { // ArgMax, ArgMin
  const nl_shape *in = nl_shaping_input(s, 0);
  size_t axis;
  bool gone[NL_SHAPE_RANK_MOST] = {false};
  if (in == NULL || !nl_shape_axis(nl_node_int(s->node, "axis", 0), in->rank, &axis)) return NL_OK;
  gone[axis] = true;
  return reduce_marked(s, in, gone);
}

static nl_status top_k(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const nl_given count = nl_shaping_given(s, NULL, 1);
  size_t axis;
  int64_t k;
  if (in == NULL || !nl_shape_axis(nl_node_int(s->node, "axis", -1), in->rank, &axis)) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST];
  for (size_t i = 0; i < in->rank; i++) dims[i] = in->dims[i];
  if (s->graph->opset < 10)
    k = nl_node_int(s->node, "k", -1);
  else if (!nl_given_at(&count, 0, &k))
    k = -1;
  dims[axis] = k >= 0 ? k : -1;
  NL_TRY(nl_shaping_set(s, 0, in->rank, dims));
  return nl_shaping_set(s, 1, in->rank, dims);
}

// ---- sizes as values ---------------------------------------------------------------------------------------------------

static nl_status shape(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  if (in == NULL) return nl_shaping_set(s, 0, 1, (const int64_t[]){-1});
  const int64_t rank = (int64_t)in->rank;
  int64_t start = nl_node_int(s->node, "start", 0), end = nl_node_int(s->node, "end", rank);
  start = start < -rank ? 0 : start < 0 ? start + rank : start > rank ? rank : start;
  end = end < -rank ? 0 : end < 0 ? end + rank : end > rank ? rank : end;
  NL_TRY(nl_shaping_set(s, 0, 1, (const int64_t[]){end > start ? end - start : 0}));
  return nl_shaping_shape_elements(s, (size_t)start);
}

static nl_status constant_of_shape(nl_shaping *s) {
  const nl_given sizes = nl_shaping_given(s, NULL, 0);
  if (!sizes.known || sizes.count > NL_SHAPE_RANK_MOST) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST], number = 0;
  for (size_t i = 0; i < sizes.count; i++)
    if (!nl_given_at(&sizes, i, &dims[i]) || dims[i] < 0) dims[i] = -1;
  NL_TRY(nl_shaping_set(s, 0, sizes.count, dims));
  const nl_attribute *value = nl_node_attribute(s->node, "value");
  if (value == NULL || value->tensor == NL_NONE) return NL_OK;
  const nl_tensor *tensor = &s->graph->tensors[value->tensor];
  const bool whole = tensor->type == NL_TYPE_I64 || tensor->type == NL_TYPE_I32;
  if (!whole || tensor->count != 1 || nl_tensor_read_int(tensor, &number, NULL) != NL_OK) return NL_OK;
  return nl_shaping_fill_elements(s, number);
}

static nl_status scalar(nl_shaping *s) { return nl_shaping_set(s, 0, 0, NULL); } // Size

static nl_status vector(nl_shaping *s) { return nl_shaping_set(s, 0, 1, (const int64_t[]){-1}); } // Range

static nl_status indices(nl_shaping *s) { return nl_shaping_copy(s, 0, nl_shaping_input(s, 1)); } // GatherElements

// ---- the table ---------------------------------------------------------------------------------------------------------

// Operators whose (first) output has the size of the first input.
static const char *const SAME[] = {"Abs",
                                   "Acos",
                                   "Acosh",
                                   "Asin",
                                   "Asinh",
                                   "Atan",
                                   "Atanh",
                                   "BatchNormalization",
                                   "Bernoulli",
                                   "BitwiseNot",
                                   "CastLike",
                                   "Ceil",
                                   "Celu",
                                   "Clip",
                                   "Cos",
                                   "Cosh",
                                   "CumSum",
                                   "DequantizeLinear",
                                   "Elu",
                                   "Erf",
                                   "Exp",
                                   "Floor",
                                   "Gelu",
                                   "GroupNormalization",
                                   "HardSigmoid",
                                   "HardSwish",
                                   "Hardmax",
                                   "InstanceNormalization",
                                   "IsInf",
                                   "IsNaN",
                                   "LRN",
                                   "LayerNormalization",
                                   "LeakyRelu",
                                   "Log",
                                   "LogSoftmax",
                                   "LpNormalization",
                                   "MeanVarianceNormalization",
                                   "Mish",
                                   "Neg",
                                   "Not",
                                   "PRelu",
                                   "QuantizeLinear",
                                   "RMSNormalization",
                                   "RandomNormalLike",
                                   "RandomUniformLike",
                                   "Reciprocal",
                                   "Relu",
                                   "ReverseSequence",
                                   "Round",
                                   "ScatterElements",
                                   "ScatterND",
                                   "Selu",
                                   "Shrink",
                                   "Sigmoid",
                                   "Sign",
                                   "Sin",
                                   "Sinh",
                                   "Softmax",
                                   "Softplus",
                                   "Softsign",
                                   "Sqrt",
                                   "Swish",
                                   "Tan",
                                   "Tanh",
                                   "ThresholdedRelu",
                                   "Trilu"};

static const char *const BROADCAST[] = {
    "And",  "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Greater", "GreaterOrEqual", "Less", "LessOrEqual",
    "Mean", "Mod",      "Or",         "Pow",       "Sum",        "Xor"};

static const struct {
  const char *op;
  nl_shape_rule *rule;
} RULES[] = {
    {"Add", arithmetic},
    {"ArgMax", reduce_one},
    {"ArgMin", reduce_one},
    {"AveragePool", nl_shape_pool},
    {"Cast", cast},
    {"Concat", nl_shape_concat},
    {"ConstantOfShape", constant_of_shape},
    {"Conv", nl_shape_conv},
    {"ConvTranspose", nl_shape_conv_transpose},
    {"DepthToSpace", nl_shape_depth_to_space},
    {"Div", arithmetic},
    {"Dropout", dropout},
    {"Equal", arithmetic},
    {"Expand", nl_shape_expand},
    {"Flatten", nl_shape_flatten},
    {"Gather", nl_shape_gather},
    {"GatherElements", indices},
    {"Gemm", nl_shape_gemm},
    {"GlobalAveragePool", nl_shape_global_pool},
    {"GlobalLpPool", nl_shape_global_pool},
    {"GlobalMaxPool", nl_shape_global_pool},
    {"Identity", passed},
    {"LpPool", nl_shape_pool},
    {"MatMul", nl_shape_matmul},
    {"Max", arithmetic},
    {"MaxPool", nl_shape_pool},
    {"Min", arithmetic},
    {"Mul", arithmetic},
    {"Pad", nl_shape_pad},
    {"Range", vector},
    {"ReduceL1", reduce},
    {"ReduceL2", reduce},
    {"ReduceLogSum", reduce},
    {"ReduceLogSumExp", reduce},
    {"ReduceMax", reduce},
    {"ReduceMean", reduce},
    {"ReduceMin", reduce},
    {"ReduceProd", reduce},
    {"ReduceSum", reduce},
    {"ReduceSumSquare", reduce},
    {"Reshape", nl_shape_reshape},
    {"Resize", nl_shape_resize},
    {"Shape", shape},
    {"Size", scalar},
    {"Slice", nl_shape_slice},
    {"SpaceToDepth", nl_shape_space_to_depth},
    {"Split", nl_shape_split},
    {"Squeeze", nl_shape_squeeze},
    {"Sub", arithmetic},
    {"Tile", nl_shape_tile},
    {"TopK", top_k},
    {"Transpose", nl_shape_transpose},
    {"Unsqueeze", nl_shape_unsqueeze},
    {"Upsample", nl_shape_resize},
    {"Where", where},
};

static bool listed(nl_span op, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (nl_span_is(op, names[i])) return true;
  return false;
}

nl_shape_rule *nl_shape_rule_of(const nl_node *node) {
  static const char *const MICROSOFT[] = {"FastGelu", "Gelu", "QuickGelu"};
  if (nl_span_is(node->domain, "ai.onnx.ml")) return nl_span_is(node->op, "Scaler") ? same : NULL;
  if (nl_span_is(node->domain, "com.microsoft"))
    return listed(node->op, MICROSOFT, sizeof MICROSOFT / sizeof *MICROSOFT) ? same : NULL;
  if (node->domain.size != 0) return NULL;
  for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++)
    if (nl_span_is(node->op, RULES[i].op)) return RULES[i].rule;
  if (listed(node->op, SAME, sizeof SAME / sizeof *SAME)) return same;
  return listed(node->op, BROADCAST, sizeof BROADCAST / sizeof *BROADCAST) ? broadcast : NULL;
}
