// One rule for each operator netlump understands (ONNX operator specification, opset 7 to 25).
#include <math.h>

#include "network_build.h"

// ---- small readers ------------------------------------------------------------------------------------------------------

static const nl_layout *layout_of(const nl_build *build, const nl_node *node, size_t slot) {
  if (slot >= node->input_count || node->inputs[slot] == NL_NONE) return NULL;
  const nl_layout *layout = &build->layouts[node->inputs[slot]];
  return layout->step == NL_NONE ? NULL : layout;
}

static nl_step *step_at(const nl_build *build, const nl_layout *layout) { return &build->network->steps[layout->step]; }

static bool understood(const nl_build *build, const nl_layout *layout) {
  return layout != NULL && step_at(build, layout)->kind != NL_STEP_OPAQUE;
}

static const nl_tensor *constant_at(const nl_build *build, const nl_node *node, size_t slot) {
  const nl_place place = nl_node_place(build->graph, (size_t)(node - build->graph->nodes), slot);
  return nl_node_constant(build->graph, &build->graph->nodes[place.node], place.slot);
}

static bool scalar_at(const nl_build *build, const nl_node *node, size_t slot, double *out) {
  const nl_tensor *tensor = constant_at(build, node, slot);
  return tensor != NULL && tensor->count == 1 && nl_tensor_read(tensor, out, NULL) == NL_OK;
}

static size_t single_output(const nl_node *node) { return node->output_count > 0 ? node->outputs[0] : NL_NONE; }

static void place_value(nl_build *build, size_t value, const nl_layout *layout, size_t step) {
  build->layouts[value] = *layout;
  build->layouts[value].step = step;
  build->network->step_of[value] = step;
}

// A step behind `source` on the same channel axis.
static nl_step *step_behind(nl_build *build, nl_step_kind kind, size_t node, const nl_layout *source) {
  const nl_step *input = step_at(build, source);
  const size_t value = single_output(&build->graph->nodes[node]);
  nl_step *step = nl_build_step(build, kind, node, value);
  const size_t index = (size_t)(step - build->network->steps);
  step->inputs[0] = source->step;
  step->input_count = 1;
  step->width = input->width;
  step->channel_axis = source->axis;
  step->evaluable = input->evaluable;
  nl_build_join(build, index, source->step);
  place_value(build, value, source, index);
  return step;
}

// ---- elementwise functions ----------------------------------------------------------------------------------------------

typedef struct function_rule {
  const char *op;
  nl_function function;
  const char *p_name;
  double p;
  const char *q_name;
  double q;
} function_rule;

static const function_rule function_rules[] = {
    {"Relu", NL_FUNCTION_RELU, NULL, 0, NULL, 0},
    {"LeakyRelu", NL_FUNCTION_LEAKY_RELU, "alpha", 0.01, NULL, 0},
    {"ThresholdedRelu", NL_FUNCTION_THRESHOLDED_RELU, "alpha", 1, NULL, 0},
    {"Elu", NL_FUNCTION_ELU, "alpha", 1, NULL, 0},
    {"Selu", NL_FUNCTION_SELU, "alpha", 1.67326319217681884765625, "gamma", 1.05070102214813232421875},
    {"Celu", NL_FUNCTION_CELU, "alpha", 1, NULL, 0},
    {"Sigmoid", NL_FUNCTION_SIGMOID, NULL, 0, NULL, 0},
    {"HardSigmoid", NL_FUNCTION_HARD_SIGMOID, "alpha", 0.2, "beta", 0.5},
    {"Tanh", NL_FUNCTION_TANH, NULL, 0, NULL, 0},
    {"Softplus", NL_FUNCTION_SOFTPLUS, NULL, 0, NULL, 0},
    {"Softsign", NL_FUNCTION_SOFTSIGN, NULL, 0, NULL, 0},
    {"Swish", NL_FUNCTION_SWISH, "alpha", 1, NULL, 0},
    {"HardSwish", NL_FUNCTION_HARD_SWISH, NULL, 0, NULL, 0},
    {"Mish", NL_FUNCTION_MISH, NULL, 0, NULL, 0},
    {"Abs", NL_FUNCTION_ABS, NULL, 0, NULL, 0},
    {"Erf", NL_FUNCTION_ERF, NULL, 0, NULL, 0},
    {"Neg", NL_FUNCTION_NEGATE, NULL, 0, NULL, 0},
    {"Exp", NL_FUNCTION_EXP, NULL, 0, NULL, 0},
    {"Log", NL_FUNCTION_LOG, NULL, 0, NULL, 0},
    {"Sqrt", NL_FUNCTION_SQRT, NULL, 0, NULL, 0},
    {"Reciprocal", NL_FUNCTION_RECIPROCAL, NULL, 0, NULL, 0},
    {"Sin", NL_FUNCTION_SIN, NULL, 0, NULL, 0},
    {"Cos", NL_FUNCTION_COS, NULL, 0, NULL, 0},
};

static nl_rule_answer add_function(nl_build *build, size_t node, const nl_layout *source, nl_function function,
                                   double p, double q) {
  nl_step *step = step_behind(build, NL_STEP_FUNCTION, node, source);
  step->function = function;
  step->p = p;
  step->q = q;
  return NL_RULE_DONE;
}

static nl_rule_answer rule_function(nl_build *build, size_t index, const function_rule *rule) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  if (!understood(build, source)) return NL_RULE_OPAQUE;
  const double p = rule->p_name != NULL ? nl_node_float(node, rule->p_name, rule->p) : rule->p;
  const double q = rule->q_name != NULL ? nl_node_float(node, rule->q_name, rule->q) : rule->q;
  return add_function(build, index, source, rule->function, p, q);
}

static nl_rule_answer rule_gelu(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  if (!understood(build, source)) return NL_RULE_OPAQUE;
  const nl_attribute *approximate = nl_node_attribute(node, "approximate");
  const bool by_tanh = approximate != NULL && nl_span_is(approximate->s, "tanh");
  return add_function(build, index, source, by_tanh ? NL_FUNCTION_GELU_TANH : NL_FUNCTION_GELU, 0, 0);
}

// A bound of Clip: attribute before opset 11, constant input from then on.
static bool clip_bound(const nl_build *build, const nl_node *node, const char *name, size_t slot, double *bound) {
  *bound = nl_node_float(node, name, *bound);
  if (slot >= node->input_count || node->inputs[slot] == NL_NONE) return true;
  return scalar_at(build, node, slot, bound);
}

static nl_rule_answer rule_clip(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  double low = -INFINITY, high = INFINITY;
  if (!understood(build, source) || !clip_bound(build, node, "min", 1, &low) ||
      !clip_bound(build, node, "max", 2, &high))
    return NL_RULE_OPAQUE;
  return add_function(build, index, source, NL_FUNCTION_CLIP, low, high);
}

static nl_rule_answer rule_power(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  double exponent = 0;
  if (!understood(build, source) || !scalar_at(build, node, 1, &exponent)) return NL_RULE_OPAQUE;
  return add_function(build, index, source, NL_FUNCTION_POWER, exponent, 0);
}

// ---- constants along the channel axis -----------------------------------------------------------------------------------

static bool broadcasts_over(const nl_tensor *tensor, size_t rank, const int64_t *dims) {
  if (tensor->rank > rank + 1) return false;
  for (size_t back = 1; back <= tensor->rank; back++) {
    const int64_t size = tensor->dims[tensor->rank - back];
    if (size != 1 && (back > rank || size != dims[rank - back])) return false;
  }
  return true;
}

// Whether the constant is one number for all channels, or one a channel.
static bool fits_channels(const nl_layout *layout, size_t width, const nl_tensor *tensor) {
  if (tensor == NULL || !nl_type_is_float(tensor->type)) return false;
  if (layout->rank != 0 && tensor->rank > layout->rank) return false;
  if (tensor->count == 1) return true;
  if (layout->axis == 0) return layout->dims != NULL && broadcasts_over(tensor, layout->rank - 1, layout->dims + 1);
  if (tensor->count != width || tensor->rank < layout->axis) return false;
  return (uint64_t)tensor->dims[tensor->rank - layout->axis] == width;
}

static void note_spread(nl_step *step, const nl_layout *layout) {
  if (layout->axis != 0 || layout->rank < 1) return;
  step->spread_rank = layout->rank - 1;
  step->spread_dims = layout->dims + 1;
}

static nl_rule_answer add_scale(nl_build *build, size_t index, const nl_layout *source, nl_scale_form form,
                                size_t slot) {
  nl_step *step = step_behind(build, NL_STEP_SCALE, index, source);
  step->form = form;
  step->constant_count = 1;
  step->constants[0] = nl_node_place(build->graph, index, slot);
  note_spread(step, source);
  return NL_RULE_DONE;
}

// MatMul + Add: the sum is the dense step's bias when nothing else reads the product.
static bool becomes_bias(const nl_build *build, const nl_node *node, size_t slot) {
  const size_t value = node->inputs[slot];
  const nl_step *step = step_at(build, &build->layouts[value]);
  const nl_value *product = &build->graph->values[value];
  return step->kind == NL_STEP_DENSE && step->value == value && step->bias.node == NL_NONE && product->use_count == 1 &&
         !product->is_output;
}

static nl_rule_answer rule_with_constant(nl_build *build, size_t index, nl_step_kind kind, size_t slot) {
  const nl_node *node = &build->graph->nodes[index];
  const size_t constant_slot = 1 - slot;
  const nl_layout *source = layout_of(build, node, slot);
  if (!fits_channels(source, step_at(build, source)->width, constant_at(build, node, constant_slot)))
    return NL_RULE_OPAQUE;
  double scalar = 0;
  const bool is_scalar = scalar_at(build, node, constant_slot, &scalar);
  switch (kind) {
  case NL_STEP_ADD:
    if (becomes_bias(build, node, slot)) {
      nl_step *dense = step_at(build, source);
      dense->bias = nl_node_place(build->graph, index, constant_slot);
      dense->beta = 1.0;
      dense->bias_possible = true;
      dense->value = single_output(node); // the product by itself is nowhere
      place_value(build, dense->value, source, source->step);
      return NL_RULE_DONE;
    }
    return add_scale(build, index, source, NL_SCALE_ADD, constant_slot);
  case NL_STEP_SUBTRACT:
    return add_scale(build, index, source, slot == 0 ? NL_SCALE_SUBTRACT : NL_SCALE_REVERSE, constant_slot);
  case NL_STEP_MULTIPLY:
    return add_scale(build, index, source, NL_SCALE_MULTIPLY, constant_slot);
  case NL_STEP_DIVIDE:
    if (slot == 0) return add_scale(build, index, source, NL_SCALE_DIVIDE, constant_slot);
    add_function(build, index, source, NL_FUNCTION_RECIPROCAL, 0, 0);
    return add_scale(build, index, &build->layouts[single_output(node)], NL_SCALE_MULTIPLY, constant_slot);
  case NL_STEP_MINIMUM:
    return is_scalar ? add_function(build, index, source, NL_FUNCTION_CLIP, -INFINITY, scalar) : NL_RULE_OPAQUE;
  case NL_STEP_MAXIMUM:
    return is_scalar ? add_function(build, index, source, NL_FUNCTION_CLIP, scalar, INFINITY) : NL_RULE_OPAQUE;
  default:
    return NL_RULE_OPAQUE;
  }
}

static bool is_constant(const nl_build *build, const nl_node *node, size_t slot) {
  return constant_at(build, node, slot) != NULL;
}

static nl_rule_answer rule_binary(nl_build *build, size_t index, nl_step_kind kind) {
  const nl_node *node = &build->graph->nodes[index];
  if (node->input_count != 2) return NL_RULE_OPAQUE;
  const nl_layout *a = layout_of(build, node, 0), *b = layout_of(build, node, 1);
  if (understood(build, a) && is_constant(build, node, 1)) return rule_with_constant(build, index, kind, 0);
  if (understood(build, b) && is_constant(build, node, 0)) return rule_with_constant(build, index, kind, 1);
  if (!understood(build, a) || !understood(build, b)) return NL_RULE_OPAQUE;
  if (a->axis != b->axis || step_at(build, a)->width != step_at(build, b)->width) return NL_RULE_OPAQUE;
  const size_t other = b->step;
  const bool evaluable = step_at(build, b)->evaluable;
  nl_step *step = step_behind(build, kind, index, a);
  step->inputs[1] = other;
  step->input_count = 2;
  step->evaluable = step->evaluable && evaluable;
  nl_build_join(build, other, (size_t)(step - build->network->steps));
  return NL_RULE_DONE;
}

static nl_rule_answer rule_prelu(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  if (!understood(build, source)) return NL_RULE_OPAQUE;
  if (!fits_channels(source, step_at(build, source)->width, constant_at(build, node, 1))) return NL_RULE_OPAQUE;
  nl_step *step = step_behind(build, NL_STEP_PRELU, index, source);
  step->constant_count = 1;
  step->constants[0] = nl_node_place(build->graph, index, 1);
  note_spread(step, source);
  return NL_RULE_DONE;
}

static nl_rule_answer rule_batchnorm(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  if (!understood(build, source) || source->axis != 1 || source->rank != 2) return NL_RULE_OPAQUE;
  if (nl_node_int(node, "training_mode", 0) != 0) return NL_RULE_OPAQUE;
  for (size_t slot = 1; slot <= NL_STEP_CONSTANTS; slot++) {
    const nl_tensor *tensor = constant_at(build, node, slot);
    if (tensor == NULL || tensor->count != step_at(build, source)->width) return NL_RULE_OPAQUE;
  }
  nl_step *step = step_behind(build, NL_STEP_SCALE, index, source);
  step->form = NL_SCALE_BATCHNORM;
  step->p = nl_node_float(node, "epsilon", 1e-5);
  step->constant_count = NL_STEP_CONSTANTS;
  for (size_t k = 0; k < NL_STEP_CONSTANTS; k++) step->constants[k] = nl_node_place(build->graph, index, k + 1);
  return NL_RULE_DONE;
}

// ai.onnx.ml Scaler: its vectors are attributes, so the channels in front of it stay as they are.
static nl_rule_answer rule_scaler(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  if (!understood(build, source)) return NL_RULE_OPAQUE;
  const size_t width = step_at(build, source)->width;
  const nl_attribute *offset = nl_node_attribute(node, "offset"), *scale = nl_node_attribute(node, "scale");
  if (offset == NULL || scale == NULL || (offset->count != width && offset->count != 1) ||
      (scale->count != width && scale->count != 1))
    return NL_RULE_OPAQUE;
  nl_step *step = step_behind(build, NL_STEP_SCALE, index, source);
  step->form = NL_SCALE_SCALER;
  nl_build_pin(build, source->step, NL_REASON_READ_BY, index);
  return NL_RULE_DONE;
}

// ---- dense layers -------------------------------------------------------------------------------------------------------

typedef struct dense_form {
  size_t activation_slot, weight_slot;
  unsigned in_axis, out_axis; // channel axes of the activation before and after
  size_t in_dim, out_dim;     // which of the weight's last two dims
  double alpha;
} dense_form;

// The channel axis as this product sees it; an input of one axis order only fits the product that reads it that way.
static bool contracts(const nl_build *build, const nl_layout *layout, unsigned axis) {
  if (layout->axis == axis) return true;
  if (layout->axis != 0 || axis != 1 || layout->dims == NULL) return false;
  return layout->dims[layout->rank - 1] == (int64_t)step_at(build, layout)->width;
}

static bool leading_ones(const nl_tensor *tensor) {
  for (size_t i = 0; i + 2 < tensor->rank; i++)
    if (tensor->dims[i] != 1) return false;
  return tensor->rank >= 2;
}

static nl_step *add_dense(nl_build *build, size_t index, const dense_form *form) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, form->activation_slot);
  const nl_tensor *weight = constant_at(build, node, form->weight_slot);
  if (source == NULL || weight == NULL || !nl_type_is_float(weight->type) || !leading_ones(weight)) return NULL;
  if (weight->count == 0 || (source->rank != 0 && weight->rank > source->rank)) return NULL;
  // Behind a value nobody understands the layer is still one, though it cannot be evaluated.
  const bool known = understood(build, source);
  if (known ? !contracts(build, source, form->in_axis) : form->in_axis != 1 || weight->rank != 2) return NULL;
  const int64_t *dims = weight->dims + weight->rank - 2;
  if (known && (uint64_t)dims[form->in_dim] != step_at(build, source)->width) {
    build->failed = nl_fail_span_count(build->error, NL_ERROR_SHAPE, node->name.size > 0 ? node->name : node->op,
                                       step_at(build, source)->width, (uint64_t)dims[form->in_dim]);
    return NULL;
  }
  const size_t value = single_output(node), input = source->step;
  const nl_layout after = {NL_NONE, form->out_axis, source->rank, NULL};
  nl_step *step = nl_build_step(build, NL_STEP_DENSE, index, value);
  step->inputs[0] = input;
  step->input_count = 1;
  step->evaluable = build->network->steps[input].evaluable;
  step->in_width = (size_t)dims[form->in_dim];
  step->width = (size_t)dims[form->out_dim];
  step->weights = nl_node_place(build->graph, index, form->weight_slot);
  step->in_stride = form->in_dim == 0 ? (size_t)dims[1] : 1;
  step->out_stride = form->out_dim == 0 ? (size_t)dims[1] : 1;
  step->alpha = form->alpha;
  step->bias = (nl_place){NL_NONE, NL_NONE};
  step->channel_axis = form->out_axis;
  place_value(build, value, &after, (size_t)(step - build->network->steps));
  return step;
}

static nl_rule_answer dense_answer(const nl_build *build, const nl_step *step) {
  if (build->failed != NL_OK) return NL_RULE_FAILED;
  return step != NULL ? NL_RULE_DONE : NL_RULE_OPAQUE;
}

static nl_rule_answer rule_matmul(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const dense_form right = {0, 1, 1, 1, 0, 1, 1.0}; // X W, W (in, out)
  const dense_form left = {1, 0, 2, 2, 1, 0, 1.0};  // W X, W (out, in)
  const bool weight_right = is_constant(build, node, 1);
  return dense_answer(build, add_dense(build, index, weight_right ? &right : &left));
}

static bool gemm_bias_fits(const nl_build *build, const nl_node *node, const nl_step *step) {
  const nl_tensor *tensor = constant_at(build, node, 2);
  const nl_layout layout = {NL_NONE, step->channel_axis, 2, NULL};
  return fits_channels(&layout, step->width, tensor);
}

// Y = alpha A' B' + beta C
static nl_rule_answer rule_gemm(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const bool a_turned = nl_node_int(node, "transA", 0) != 0, b_turned = nl_node_int(node, "transB", 0) != 0;
  const double alpha = nl_node_float(node, "alpha", 1), beta = nl_node_float(node, "beta", 1);
  const dense_form right = {0, 1, a_turned ? 2 : 1, 1, b_turned ? 1 : 0, b_turned ? 0 : 1, alpha};
  const dense_form left = {1, 0, b_turned ? 1 : 2, 2, a_turned ? 0 : 1, a_turned ? 1 : 0, alpha};
  const bool has_bias = node->input_count > 2 && node->inputs[2] != NL_NONE;
  if (has_bias && !is_constant(build, node, 2)) return NL_RULE_OPAQUE;
  if (alpha == 0 || (has_bias && beta == 0)) return NL_RULE_OPAQUE;
  const dense_form *form = is_constant(build, node, 1) ? &right : &left;
  const nl_tensor *weight = constant_at(build, node, form->weight_slot);
  if (weight == NULL || weight->rank != 2) return NL_RULE_OPAQUE;
  if (has_bias) {
    const nl_step shape = {.channel_axis = form->out_axis, .width = (size_t)weight->dims[form->out_dim]};
    if (!gemm_bias_fits(build, node, &shape)) return NL_RULE_OPAQUE;
  }
  nl_step *step = add_dense(build, index, form);
  if (step == NULL) return dense_answer(build, step);
  build->layouts[single_output(node)].rank = 2;
  if (has_bias) step->bias = nl_node_place(build->graph, index, 2);
  step->beta = beta;
  step->bias_possible = has_bias || (form == &right && build->graph->opset >= 11 && beta != 0);
  return NL_RULE_DONE;
}

// ---- shape-only operators -----------------------------------------------------------------------------------------------

static nl_rule_answer rule_pass(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  if (!understood(build, source)) return NL_RULE_OPAQUE;
  for (size_t i = 1; i < node->output_count; i++)
    if (node->outputs[i] != NL_NONE && build->graph->values[node->outputs[i]].use_count > 0) return NL_RULE_OPAQUE;
  place_value(build, single_output(node), source, source->step);
  return NL_RULE_DONE;
}

// Dropout passes through unless a constant `true` puts it into training mode.
static nl_rule_answer rule_dropout(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  double training = 0;
  const bool given = node->input_count > 2 && node->inputs[2] != NL_NONE;
  if (given && (!scalar_at(build, node, 2, &training) || training != 0)) return NL_RULE_OPAQUE;
  return rule_pass(build, index);
}

static nl_rule_answer rule_cast(nl_build *build, size_t index) {
  const int64_t to = nl_node_int(&build->graph->nodes[index], "to", 0);
  return nl_type_is_float((nl_type)to) ? rule_pass(build, index) : NL_RULE_OPAQUE;
}

static void place_flat(nl_build *build, size_t value, const nl_layout *source) {
  const nl_layout flat = {NL_NONE, 1, 2, NULL};
  place_value(build, value, &flat, source->step);
}

static nl_rule_answer rule_flatten(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  if (!understood(build, source) || source->axis == 2 || source->rank == 0) return NL_RULE_OPAQUE;
  if (source->axis == 1 && source->rank != 2) return NL_RULE_OPAQUE;
  int64_t axis = nl_node_int(node, "axis", 1);
  if (axis < 0) axis += (int64_t)source->rank;
  if (axis != 1 && !(axis == 0 && build->network->batch == 1)) return NL_RULE_OPAQUE;
  place_flat(build, single_output(node), source);
  return NL_RULE_DONE;
}

enum { RESHAPE_RANK_MOST = 8 };

// A target shape that keeps a row a row: first the batch, then all the row's numbers.
static bool keeps_rows(const nl_build *build, size_t rank, const int64_t *shape, size_t width) {
  if (rank < 2) return false;
  const int64_t batch = build->network->batch;
  const bool batch_open = shape[0] == -1, batch_kept = shape[0] == 0 || (batch > 0 && shape[0] == batch);
  if (!batch_open && !batch_kept) return false;
  uint64_t product = 1;
  bool open = false;
  for (size_t i = 1; i < rank; i++) {
    if (shape[i] == -1)
      open = true;
    else if (shape[i] <= 0 || (uint64_t)shape[i] > width)
      return false;
    else
      product *= (uint64_t)shape[i];
    if (product > width) return false;
  }
  return open ? !batch_open && width % product == 0 : product == width;
}

static nl_rule_answer place_reshaped(nl_build *build, size_t index, const nl_layout *source, size_t rank,
                                     const int64_t *shape) {
  const size_t width = step_at(build, source)->width, value = single_output(&build->graph->nodes[index]);
  if (rank == 2 && (shape[1] == -1 || (uint64_t)shape[1] == width)) {
    if (shape[1] != -1) nl_build_pin(build, source->step, NL_REASON_FIXED_WIDTH, index);
    place_flat(build, value, source);
    return NL_RULE_DONE;
  }
  nl_build_pin(build, source->step, NL_REASON_FIXED_WIDTH, index);
  int64_t *dims = nl_arena_take(&build->network->arena, rank, sizeof *dims);
  if (dims == NULL) {
    build->failed = nl_no_memory(build->error, rank, sizeof *dims);
    return NL_RULE_FAILED;
  }
  size_t rest = width;
  for (size_t i = 1; i < rank; i++) {
    dims[i] = shape[i];
    if (shape[i] > 0) rest /= (size_t)shape[i];
  }
  for (size_t i = 1; i < rank; i++)
    if (dims[i] == -1) dims[i] = (int64_t)rest;
  dims[0] = -1;
  const nl_layout spread = {NL_NONE, 0, rank, dims};
  place_value(build, value, &spread, source->step);
  return NL_RULE_DONE;
}

static nl_rule_answer rule_reshape(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  const nl_tensor *tensor = constant_at(build, node, 1);
  if (!understood(build, source) || tensor == NULL || tensor->count > RESHAPE_RANK_MOST) return NL_RULE_OPAQUE;
  if (source->axis == 2 || source->rank < 2 || (source->axis == 1 && source->rank != 2)) return NL_RULE_OPAQUE;
  int64_t shape[RESHAPE_RANK_MOST];
  if (nl_tensor_read_int(tensor, shape, NULL) != NL_OK) return NL_RULE_OPAQUE;
  for (size_t i = 1; i < tensor->count; i++) // 0 copies the input's size
    if (shape[i] == 0 && source->axis == 1 && i == 1) shape[i] = -1;
  if (!keeps_rows(build, tensor->count, shape, step_at(build, source)->width)) return NL_RULE_OPAQUE;
  return place_reshaped(build, index, source, tensor->count, shape);
}

static nl_rule_answer rule_softmax(nl_build *build, size_t index, nl_step_kind kind) {
  const nl_node *node = &build->graph->nodes[index];
  const nl_layout *source = layout_of(build, node, 0);
  if (!understood(build, source) || source->axis != 1 || source->rank != 2) return NL_RULE_OPAQUE;
  const int64_t axis = nl_node_int(node, "axis", build->graph->opset < 13 ? 1 : -1);
  if (axis != 1 && axis != -1) return NL_RULE_OPAQUE;
  const nl_layout copy = *source;
  nl_step *step = nl_build_step(build, kind, index, single_output(node));
  const size_t made = (size_t)(step - build->network->steps);
  step->inputs[0] = copy.step;
  step->input_count = 1;
  step->width = step_at(build, &copy)->width;
  step->evaluable = step_at(build, &copy)->evaluable;
  step->channel_axis = 1;
  place_value(build, step->value, &copy, made);
  nl_build_pin(build, copy.step, NL_REASON_READ_BY, index);
  nl_build_pin(build, made, NL_REASON_MADE_BY, index);
  return NL_RULE_DONE;
}

// ---- the table ----------------------------------------------------------------------------------------------------------

static nl_rule_answer rule_of_onnx(nl_build *build, size_t index) {
  const nl_span op = build->graph->nodes[index].op;
  for (size_t i = 0; i < sizeof function_rules / sizeof *function_rules; i++)
    if (nl_span_is(op, function_rules[i].op)) return rule_function(build, index, &function_rules[i]);
  if (nl_span_is(op, "Gemm")) return rule_gemm(build, index);
  if (nl_span_is(op, "MatMul")) return rule_matmul(build, index);
  if (nl_span_is(op, "Add") || nl_span_is(op, "Sum")) return rule_binary(build, index, NL_STEP_ADD);
  if (nl_span_is(op, "Sub")) return rule_binary(build, index, NL_STEP_SUBTRACT);
  if (nl_span_is(op, "Mul")) return rule_binary(build, index, NL_STEP_MULTIPLY);
  if (nl_span_is(op, "Div")) return rule_binary(build, index, NL_STEP_DIVIDE);
  if (nl_span_is(op, "Min")) return rule_binary(build, index, NL_STEP_MINIMUM);
  if (nl_span_is(op, "Max")) return rule_binary(build, index, NL_STEP_MAXIMUM);
  if (nl_span_is(op, "Gelu")) return rule_gelu(build, index);
  if (nl_span_is(op, "Clip")) return rule_clip(build, index);
  if (nl_span_is(op, "Pow")) return rule_power(build, index);
  if (nl_span_is(op, "PRelu")) return rule_prelu(build, index);
  if (nl_span_is(op, "BatchNormalization")) return rule_batchnorm(build, index);
  if (nl_span_is(op, "Identity")) return rule_pass(build, index);
  if (nl_span_is(op, "Dropout")) return rule_dropout(build, index);
  if (nl_span_is(op, "Cast")) return rule_cast(build, index);
  if (nl_span_is(op, "Flatten")) return rule_flatten(build, index);
  if (nl_span_is(op, "Reshape")) return rule_reshape(build, index);
  if (nl_span_is(op, "Softmax")) return rule_softmax(build, index, NL_STEP_SOFTMAX);
  if (nl_span_is(op, "LogSoftmax")) return rule_softmax(build, index, NL_STEP_LOG_SOFTMAX);
  return NL_RULE_OPAQUE;
}

nl_rule_answer nl_network_rule(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  if (node->has_subgraph || single_output(node) == NL_NONE) return NL_RULE_OPAQUE;
  if (nl_span_is(node->domain, "ai.onnx.ml"))
    return nl_span_is(node->op, "Scaler") ? rule_scaler(build, index) : NL_RULE_OPAQUE;
  if (nl_span_is(node->domain, "com.microsoft") && nl_span_is(node->op, "Gelu")) return rule_gelu(build, index);
  return node->domain.size == 0 ? rule_of_onnx(build, index) : NL_RULE_OPAQUE;
}
