// Operators that act on each channel by itself, with the constants that ride along; and those that need not look further.
// (ONNX operator specification, opset 7 to 25.)
#include "channels_build.h"

static bool has_string(const nl_node *node, const char *name, const char *text) {
  const nl_attribute *attribute = nl_node_attribute(node, name);
  return attribute != NULL && nl_span_is(attribute->s, text);
}

// The one trail a node passes on, as it lies; NULL where it is not followed or another output is read.
static const nl_trail *single_trail(nl_tracing *t, size_t node) {
  return nl_trace_spare(t, node) ? NULL : nl_trace_trail_at(t, node, 0);
}

static bool pass(nl_tracing *t, size_t node) {
  const nl_trail *trail = single_trail(t, node);
  if (trail == NULL) return false;
  nl_trace_follow(t, node, 0, trail->strip, trail->back, trail->zeros);
  return true;
}

// Index of the channel axis from the front; false when the rank is not known.
static bool channel_axis(const nl_tracing *t, size_t node, const nl_trail *trail, size_t *rank, size_t *axis) {
  const nl_shape *shape = nl_trace_shape(t, nl_trace_input(t, node, 0));
  if (shape == NULL || trail->back > shape->rank) return false;
  *rank = shape->rank;
  *axis = shape->rank - trail->back;
  return true;
}

// ---- elementwise -----------------------------------------------------------------------------------------------------

// The trail the others must fit: the first that is no broadcast single.
static nl_trail *leading_trail(nl_tracing *t, size_t node) {
  const nl_node *asked = nl_trace_node(t, node);
  nl_trail *leading = NULL;
  for (size_t i = 0; i < asked->input_count; i++) {
    nl_trail *trail = nl_trace_trail_at(t, node, i);
    if (trail != NULL && (leading == NULL || (leading->strip->length == 1 && trail->strip->length > 1)))
      leading = trail;
  }
  return leading;
}

// Another value beside the trail. False: it has channels there that are not followed.
static bool fit_value(nl_tracing *t, size_t node, size_t value, const nl_trail *trail) {
  const nl_trail *other = nl_trace_trail(t, value);
  if (other != NULL && other->back == trail->back) {
    if (other->strip->length == trail->strip->length)
      nl_trace_tie(t, trail->strip, other->strip, node);
    else
      nl_trace_pin(t, other->strip, NL_REASON_SINGLE, NL_NONE);
    return other->strip->length == trail->strip->length || other->strip->length == 1;
  }
  if (other != NULL) nl_trace_pin(t, other->strip, NL_REASON_READ_BY, node);
  return nl_trace_size(t, value, trail->back) == 1;
}

static bool fit_input(nl_tracing *t, size_t node, size_t slot, const nl_trail *trail) {
  const size_t value = nl_trace_input(t, node, slot);
  if (value == NL_NONE) return true;
  nl_side side;
  if (nl_trace_side(t, node, slot, &side)) return nl_trace_ride(t, &side, trail->back, trail->strip);
  if (fit_value(t, node, value, trail)) return true;
  if (t->trails[value].strip == NULL) nl_trace_pin(t, trail->strip, t->origins[value].reason, t->origins[value].node);
  return false;
}

// Any number of inputs that are broadcast to one another.
static bool rule_elementwise(nl_tracing *t, size_t node) {
  nl_trail *trail = leading_trail(t, node);
  if (trail == NULL || nl_trace_spare(t, node)) return false;
  const nl_trail kept = *trail;
  bool zeros = kept.zeros, fits = true;
  if (t->absorbed[node]) {
    nl_trace_follow(t, node, 0, kept.strip, kept.back, kept.zeros);
    return true;
  }
  for (size_t i = 0; i < nl_trace_node(t, node)->input_count; i++) {
    const nl_trail *other = nl_trace_trail_at(t, node, i);
    zeros = zeros || (other != NULL && other->zeros);
    fits = (other == trail || fit_input(t, node, i, &kept)) && fits;
  }
  if (fits) nl_trace_follow(t, node, 0, kept.strip, kept.back, zeros);
  return fits;
}

static bool rule_unary(nl_tracing *t, size_t node) { return pass(t, node); }

// Dropout passes through unless a constant `true` puts it into training mode.
static bool rule_dropout(nl_tracing *t, size_t node) {
  double training = 0;
  const bool given = nl_trace_input(t, node, 2) != NL_NONE;
  return (!given || (nl_trace_scalar(t, node, 2, &training) && training == 0)) && pass(t, node);
}

// Bounds are single numbers.
static bool rule_clip(nl_tracing *t, size_t node) {
  const nl_node *clip = nl_trace_node(t, node);
  for (size_t i = 1; i < clip->input_count; i++)
    if (clip->inputs[i] != NL_NONE && t->trails[clip->inputs[i]].strip != NULL) return false;
  return pass(t, node);
}

static bool rule_prelu(nl_tracing *t, size_t node) {
  nl_side side;
  return nl_trace_trail_at(t, node, 0) != NULL && nl_trace_side(t, node, 1, &side) && rule_elementwise(t, node);
}

// Gelu with a bias along the last axis, which may be left out.
static bool rule_bias_gelu(nl_tracing *t, size_t node) {
  if (nl_trace_input(t, node, 1) != NL_NONE && nl_trace_constant(t, node, 1) == NULL) return false;
  return nl_trace_trail_at(t, node, 0) != NULL && rule_elementwise(t, node);
}

// ---- normalizations --------------------------------------------------------------------------------------------------

// Inputs 1 ... count hold one number a channel of axis 1.
static bool ride_along(nl_tracing *t, size_t node, size_t count) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  size_t rank, axis;
  if (trail == NULL || nl_trace_spare(t, node) || !channel_axis(t, node, trail, &rank, &axis) || axis != 1)
    return false;
  for (size_t slot = 1; slot <= count; slot++) {
    const nl_tensor *tensor = nl_trace_constant(t, node, slot);
    if (tensor == NULL || tensor->rank != 1 || tensor->count != trail->strip->length || !nl_type_is_float(tensor->type))
      return false;
  }
  for (size_t slot = 1; slot <= count; slot++) nl_trace_rider(t, nl_node_place(t->graph, node, slot), 1, trail->strip);
  nl_trace_follow(t, node, 0, trail->strip, trail->back, trail->zeros);
  return true;
}

static bool rule_batchnorm(nl_tracing *t, size_t node) {
  return nl_node_int(nl_trace_node(t, node), "training_mode", 0) == 0 && ride_along(t, node, 4);
}
static bool rule_instancenorm(nl_tracing *t, size_t node) { return ride_along(t, node, 2); }

// Softmax and its kin take all of an axis together: before opset 13 all axes from there on.
static bool rule_softmax(nl_tracing *t, size_t node) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  size_t rank, channel, axis;
  const bool all = t->graph->opset < 13;
  const int64_t given = nl_node_int(nl_trace_node(t, node), "axis", all ? 1 : -1);
  if (trail == NULL || !channel_axis(t, node, trail, &rank, &channel) || !nl_trace_axis(given, rank, &axis))
    return false;
  return (all ? axis > channel : axis != channel) && pass(t, node);
}

// Normalizations along the axis they name, and for some all behind it.
static bool pass_normalized(nl_tracing *t, size_t node, bool behind) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  size_t rank, channel, axis;
  const int64_t given = nl_node_int(nl_trace_node(t, node), "axis", -1);
  if (trail == NULL || !channel_axis(t, node, trail, &rank, &channel) || !nl_trace_axis(given, rank, &axis))
    return false;
  return (behind ? axis > channel : axis != channel) && pass(t, node);
}

static bool rule_layernorm(nl_tracing *t, size_t node) { return pass_normalized(t, node, true); }
static bool rule_lpnorm(nl_tracing *t, size_t node) { return pass_normalized(t, node, false); }

// ---- pooling ---------------------------------------------------------------------------------------------------------

static bool has_pads(const nl_node *node) {
  const nl_attribute *pads = nl_node_attribute(node, "pads");
  for (size_t i = 0; pads != NULL && pads->type == NL_ATTRIBUTE_INTS && i < pads->count; i++)
    if (pads->ints[i] != 0) return true;
  return has_string(node, "auto_pad", "SAME_UPPER") || has_string(node, "auto_pad", "SAME_LOWER");
}

// A window over all axes behind the channels.
static bool pass_pool(nl_tracing *t, size_t node, bool zeros) {
  const nl_trail *trail = single_trail(t, node);
  size_t rank, axis;
  if (trail == NULL || !channel_axis(t, node, trail, &rank, &axis) || axis > 1) return false;
  nl_trace_follow(t, node, 0, trail->strip, trail->back, trail->zeros || zeros);
  return true;
}

static bool rule_pool(nl_tracing *t, size_t node) { return pass_pool(t, node, false); }
static bool rule_average_pool(nl_tracing *t, size_t node) {
  const nl_node *pool = nl_trace_node(t, node);
  return pass_pool(t, node, nl_node_int(pool, "count_include_pad", 0) != 0 && has_pads(pool));
}
static bool rule_lp_pool(nl_tracing *t, size_t node) { return pass_pool(t, node, has_pads(nl_trace_node(t, node))); }

// Places in space are picked from each channel (GridSample, RoiAlign).
static bool rule_sampled(nl_tracing *t, size_t node) {
  for (size_t i = 1; i < nl_trace_node(t, node)->input_count; i++)
    if (nl_trace_trail_at(t, node, i) != NULL) return false;
  return pass_pool(t, node, false);
}

// ---- reductions ------------------------------------------------------------------------------------------------------

enum { AXES_MOST = NL_SHAPE_RANK_MOST };

// Which axes a reduction takes together: attribute or input; all where none are named.
static bool reduced_axes(const nl_tracing *t, size_t node, size_t rank, bool *marked) {
  int64_t axes[AXES_MOST];
  size_t count, axis;
  const nl_node *reduce = nl_trace_node(t, node);
  for (size_t i = 0; i < rank; i++) marked[i] = false;
  if (!nl_trace_numbers(t, node, "axes", 1, axes, AXES_MOST, &count)) return false;
  const bool nothing = count == 0 && nl_node_int(reduce, "noop_with_empty_axes", 0) != 0;
  for (size_t i = 0; i < rank && count == 0 && !nothing; i++) marked[i] = true;
  for (size_t i = 0; i < count; i++) {
    if (!nl_trace_axis(axes[i], rank, &axis)) return false;
    marked[axis] = true;
  }
  return true;
}

static bool pass_reduced(nl_tracing *t, size_t node, size_t rank, size_t channel, const bool *marked) {
  const nl_trail *trail = single_trail(t, node);
  if (trail == NULL || marked[channel]) return false;
  size_t back = trail->back;
  const bool keep = nl_node_int(nl_trace_node(t, node), "keepdims", 1) != 0;
  for (size_t i = channel + 1; i < rank && !keep; i++) back -= marked[i];
  nl_trace_follow(t, node, 0, trail->strip, back, false);
  return true;
}

static bool rule_reduce(nl_tracing *t, size_t node) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  bool marked[AXES_MOST];
  size_t rank, channel;
  if (trail == NULL || !channel_axis(t, node, trail, &rank, &channel) || rank > AXES_MOST) return false;
  return reduced_axes(t, node, rank, marked) && pass_reduced(t, node, rank, channel, marked);
}

static bool rule_arg(nl_tracing *t, size_t node) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  bool marked[AXES_MOST] = {0};
  size_t rank, channel, axis;
  if (trail == NULL || !channel_axis(t, node, trail, &rank, &channel) || rank > AXES_MOST) return false;
  if (!nl_trace_axis(nl_node_int(nl_trace_node(t, node), "axis", 0), rank, &axis)) return false;
  marked[axis] = true;
  return pass_reduced(t, node, rank, channel, marked);
}

static bool rule_along(nl_tracing *t, size_t node) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  size_t rank, channel, axis;
  int64_t given;
  bool computed = false;
  if (trail == NULL || !channel_axis(t, node, trail, &rank, &channel)) return false;
  if (!nl_trace_number_at(t, node, 1, 0, &given, &computed) || computed || !nl_trace_axis(given, rank, &axis))
    return false;
  return axis != channel && pass(t, node);
}

static bool rule_variance_norm(nl_tracing *t, size_t node) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  const nl_attribute *axes = nl_node_attribute(nl_trace_node(t, node), "axes");
  size_t rank, channel, axis;
  if (trail == NULL || !channel_axis(t, node, trail, &rank, &channel)) return false;
  if (axes == NULL) return channel == 1 && pass(t, node);
  for (size_t i = 0; i < axes->count; i++)
    if (axes->type != NL_ATTRIBUTE_INTS || !nl_trace_axis(axes->ints[i], rank, &axis) || axis == channel) return false;
  return pass(t, node);
}

// Its elements are followed on their own (channels_counts.c).
static bool rule_shape(nl_tracing *t, size_t node) { return nl_trace_trail_at(t, node, 0) != NULL; }

// ---- the table -------------------------------------------------------------------------------------------------------

typedef struct named_rule {
  const char *op;
  nl_trace_rule *rule;
} named_rule;

static const char *const unary[] = {"Relu",     "LeakyRelu",   "ThresholdedRelu",
                                    "Elu",      "Selu",        "Celu",
                                    "Sigmoid",  "HardSigmoid", "Tanh",
                                    "Softplus", "Softsign",    "HardSwish",
                                    "Swish",    "Mish",        "Gelu",
                                    "Abs",      "Neg",         "Exp",
                                    "Log",      "Sqrt",        "Reciprocal",
                                    "Sign",     "Floor",       "Ceil",
                                    "Round",    "Erf",         "Sin",
                                    "Cos",      "Tan",         "Asin",
                                    "Acos",     "Atan",        "Sinh",
                                    "Cosh",     "Asinh",       "Acosh",
                                    "Atanh",    "Not",         "IsNaN",
                                    "IsInf",    "Shrink",      "Identity",
                                    "Cast",     "BitwiseNot",  "CastLike"};

static const char *const elementwise[] = {"Add",         "Sub",       "Mul",       "Div",  "Pow",
                                          "Min",         "Max",       "Sum",       "Mean", "Mod",
                                          "Where",       "Equal",     "Greater",   "Less", "GreaterOrEqual",
                                          "LessOrEqual", "And",       "Or",        "Xor",  "BitShift",
                                          "BitwiseAnd",  "BitwiseOr", "BitwiseXor"};

static const named_rule linears[] = {{"Conv", nl_trace_conv},
                                     {"ConvTranspose", nl_trace_conv_transpose},
                                     {"Gemm", nl_trace_gemm},
                                     {"MatMul", nl_trace_matmul}};

static const named_rule rules[] = {
    {"Dropout", rule_dropout},
    {"Clip", rule_clip},
    {"PRelu", rule_prelu},
    {"BatchNormalization", rule_batchnorm},
    {"InstanceNormalization", rule_instancenorm},
    {"Softmax", rule_softmax},
    {"LogSoftmax", rule_softmax},
    {"Hardmax", rule_softmax},
    {"LayerNormalization", rule_layernorm},
    {"LpNormalization", rule_lpnorm},
    {"MaxPool", rule_pool},
    {"AveragePool", rule_average_pool},
    {"LpPool", rule_lp_pool},
    {"GlobalMaxPool", rule_pool},
    {"GlobalAveragePool", rule_pool},
    {"GlobalLpPool", rule_pool},
    {"ReduceMean", rule_reduce},
    {"ReduceSum", rule_reduce},
    {"ReduceMax", rule_reduce},
    {"ReduceMin", rule_reduce},
    {"ReduceProd", rule_reduce},
    {"ReduceL1", rule_reduce},
    {"ReduceL2", rule_reduce},
    {"ReduceLogSum", rule_reduce},
    {"ReduceLogSumExp", rule_reduce},
    {"ReduceSumSquare", rule_reduce},
    {"ArgMax", rule_arg},
    {"ArgMin", rule_arg},
    {"CumSum", rule_along},
    {"MeanVarianceNormalization", rule_variance_norm},
    {"GridSample", rule_sampled},
    {"RoiAlign", rule_sampled},
    {"Shape", rule_shape},
};

static const named_rule microsoft[] = {
    {"Gelu", rule_unary}, {"QuickGelu", rule_unary}, {"FastGelu", rule_bias_gelu}, {"BiasGelu", rule_bias_gelu}};

static nl_trace_rule *named(nl_span op, const named_rule *table, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (nl_span_is(op, table[i].op)) return table[i].rule;
  return NULL;
}

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static bool reads_trail(nl_tracing *t, const nl_node *node) {
  for (size_t i = 0; i < node->input_count; i++)
    if (node->inputs[i] != NL_NONE && t->trails[node->inputs[i]].strip != NULL) return true;
  return false;
}

nl_trace_rule *nl_trace_rule_of(nl_tracing *t, size_t index) {
  const nl_node *node = nl_trace_node(t, index);
  if (node->output_count == 0 || node->outputs[0] == NL_NONE) return NULL;
  const bool onnx = node->domain.size == 0;
  nl_trace_rule *linear = onnx ? named(node->op, linears, COUNT_OF(linears)) : NULL;
  if (linear != NULL) return linear;
  if (!reads_trail(t, node)) return NULL;
  if (nl_span_is(node->domain, "com.microsoft")) return named(node->op, microsoft, COUNT_OF(microsoft));
  if (!onnx) return NULL;
  if (nl_span_among(node->op, COUNT_OF(unary), unary)) return rule_unary;
  if (nl_span_among(node->op, COUNT_OF(elementwise), elementwise)) return rule_elementwise;
  nl_trace_rule *rule = named(node->op, rules, COUNT_OF(rules));
  return rule != NULL ? rule : nl_trace_move_of(node);
}
