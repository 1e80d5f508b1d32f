// json_chain: a graph read as a chain of dense layers, each followed by at most one activation. It walks from the input to
// the output, one pattern at a time; what no pattern takes is named in the error.
#include <math.h>
#include <string.h>

#include "json_parts.h"

typedef struct walk {
  const nl_graph *graph;
  nl_arena *arena;
  nl_error *error;
  nl_dense *layers; // (node_count) room
  size_t count;
  size_t value; // where we are
  bool closed;  // softmax came: nothing may follow
} walk;

// ---- looking around --------------------------------------------------------------------------------------------------

static const nl_node *node_at(const walk *w, size_t use) {
  return &w->graph->nodes[w->graph->values[w->value].uses[use].node];
}

static nl_status refuse(const walk *w, const nl_node *node, const char *why) {
  return nl_fail_span(w->error, NL_ERROR_UNSUPPORTED, node->name.size != 0 ? node->name : node->op, why);
}

static const char NOT_A_CHAIN[] = "netlump JSON holds chains of dense layers and activations only. Choose ONNX instead";

static bool is_op(const nl_node *node, const char *op) { return node->domain.size == 0 && nl_span_is(node->op, op); }

// The only value a node gives that anybody may read.
static bool has_one_output(const walk *w, const nl_node *node) {
  if (node->output_count == 0 || node->outputs[0] == NL_NONE) return false;
  for (size_t o = 1; o < node->output_count; o++) {
    if (node->outputs[o] == NL_NONE) continue;
    const nl_value *value = &w->graph->values[node->outputs[o]];
    if (value->use_count != 0 || value->is_output) return false;
  }
  return true;
}

// The slot of a two-input node that is not `value`, NL_NONE when there is none.
static size_t other_slot(const nl_node *node, size_t value) {
  if (node->input_count != 2) return NL_NONE;
  return node->inputs[0] == value ? 1 : node->inputs[1] == value ? 0 : NL_NONE;
}

static bool read_scalar(const walk *w, const nl_node *node, size_t slot, double *number) {
  const nl_tensor *tensor = slot == NL_NONE ? NULL : nl_node_constant(w->graph, node, slot);
  return tensor != NULL && tensor->count == 1 && nl_type_is_float(tensor->type) &&
         nl_tensor_read(tensor, number, NULL) == NL_OK;
}

static nl_dense *current(const walk *w) { return w->count == 0 ? NULL : &w->layers[w->count - 1]; }

static bool takes_activation(const walk *w) {
  return w->count != 0 && current(w)->activation->kind == NL_ACTIVATION_NONE && !w->closed;
}

// ---- dense layers ----------------------------------------------------------------------------------------------------

static nl_status read_weight(walk *w, const nl_node *node, bool transposed, double scale, nl_dense *layer) {
  const nl_tensor *tensor = nl_node_constant(w->graph, node, 1);
  if (tensor == NULL || tensor->rank != 2 || tensor->count == 0 || !nl_type_is_float(tensor->type))
    return refuse(w, node, "its weight is not a constant matrix. Choose ONNX instead");
  const size_t rows = (size_t)tensor->dims[0], columns = (size_t)tensor->dims[1];
  layer->out = transposed ? rows : columns;
  layer->in = transposed ? columns : rows;
  if (w->count != 0 && current(w)->out != layer->in)
    return refuse(w, node, "its width is not that of the layer before. Choose ONNX instead");
  double *raw;
  NL_TAKE(w->arena, raw, double, tensor->count, w->error);
  NL_TAKE(w->arena, layer->weights, double, tensor->count, w->error);
  NL_TRY(nl_tensor_read(tensor, raw, w->error));
  for (size_t o = 0; o < layer->out; o++) {
    for (size_t i = 0; i < layer->in; i++)
      layer->weights[o * layer->in + i] = scale * (transposed ? raw[o * columns + i] : raw[i * columns + o]);
  }
  return NL_OK;
}

// bias += scale * the constant at a slot, one number for all outputs or one each
static nl_status read_bias(walk *w, const nl_node *node, size_t slot, double scale, nl_dense *layer) {
  const nl_tensor *tensor = nl_node_constant(w->graph, node, slot);
  const bool each = tensor != NULL && tensor->rank != 0 && tensor->count == layer->out &&
                    (size_t)tensor->dims[tensor->rank - 1] == layer->out;
  if (tensor == NULL || !nl_type_is_float(tensor->type) || !(each || tensor->count == 1))
    return refuse(w, node, "its bias is not one constant for each output. Choose ONNX instead");
  double *raw;
  NL_TAKE(w->arena, raw, double, tensor->count, w->error);
  NL_TRY(nl_tensor_read(tensor, raw, w->error));
  const bool first = layer->bias == NULL;
  if (first) NL_TAKE(w->arena, layer->bias, double, layer->out, w->error);
  for (size_t o = 0; o < layer->out; o++) {
    const double term = scale * raw[each ? o : 0];
    layer->bias[o] = first ? term : layer->bias[o] + term; // 0 + -0 would lose the sign
  }
  return NL_OK;
}

static nl_status add_layer(walk *w, const nl_node *node) {
  const bool gemm = is_op(node, "Gemm");
  nl_dense layer = {.activation = nl_activation_by_kind(NL_ACTIVATION_NONE)};
  if (w->closed) return refuse(w, node, NOT_A_CHAIN);
  if (node->inputs[0] != w->value || (gemm && nl_node_int(node, "transA", 0) != 0))
    return refuse(w, node, "its weight is not on the right. Choose ONNX instead");
  NL_TRY(read_weight(w, node, gemm && nl_node_int(node, "transB", 0) != 0, gemm ? nl_node_float(node, "alpha", 1) : 1,
                     &layer));
  if (gemm && node->input_count > 2 && node->inputs[2] != NL_NONE)
    NL_TRY(read_bias(w, node, 2, nl_node_float(node, "beta", 1), &layer));
  w->layers[w->count++] = layer;
  return NL_OK;
}

// An Add straight behind a dense layer is (more of) its bias.
static nl_status add_bias(walk *w, const nl_node *node) {
  const size_t slot = other_slot(node, w->value);
  if (!takes_activation(w) || slot == NL_NONE) return refuse(w, node, NOT_A_CHAIN);
  return read_bias(w, node, slot, 1, current(w));
}

// ---- activations -----------------------------------------------------------------------------------------------------

static void set_activation(walk *w, nl_activation_kind kind) { current(w)->activation = nl_activation_by_kind(kind); }

static nl_status read_clip(walk *w, const nl_node *node, nl_dense *layer) {
  static const char *const names[2] = {"min", "max"};
  for (size_t i = 0; i < 2; i++) {
    if (i + 1 < node->input_count && node->inputs[i + 1] != NL_NONE) {
      if (!read_scalar(w, node, i + 1, &layer->parameters[i]))
        return refuse(w, node, "its bounds are not constants. Choose ONNX instead");
    } else {
      layer->parameters[i] = nl_node_float(node, names[i], (double)NAN); // attributes before opset 11
    }
    if (fabs(layer->parameters[i]) > 3.4e38) layer->parameters[i] = (double)NAN; // the largest f32 stands for none
  }
  return NL_OK;
}

static nl_status add_activation(walk *w, const nl_node *node, const nl_activation *kind) {
  if (!takes_activation(w))
    return refuse(w, node, "netlump JSON holds one activation a layer, after its weights. Choose ONNX instead");
  const nl_attribute *approximate = nl_node_attribute(node, "approximate");
  if (approximate != NULL && !nl_span_is(approximate->s, "none"))
    return refuse(w, node, "netlump JSON has no approximate Gelu. Choose ONNX instead");
  nl_dense *layer = current(w);
  if (kind->kind == NL_ACTIVATION_CLIP) NL_TRY(read_clip(w, node, layer));
  if (kind->kind == NL_ACTIVATION_SOFTMAX) {
    const int64_t axis = nl_node_int(node, "axis", w->graph->opset < 13 ? 1 : -1);
    if (axis != -1 && axis != 1) return refuse(w, node, "its axis is not the last. Choose ONNX instead");
    w->closed = true;
  }
  for (size_t i = 0; kind->kind == NL_ACTIVATION_NODE && i < NL_ACTIVATION_PARAMETERS && kind->parameters[i] != NULL;
       i++) {
    layer->parameters[i] = nl_node_float(node, kind->parameters[i], kind->defaults[i]);
  }
  layer->activation = kind;
  return NL_OK;
}

// z * sigmoid(z); true when it was that
static bool take_swish(walk *w) {
  const nl_value *z = &w->graph->values[w->value];
  if (z->use_count != 2) return false;
  for (size_t u = 0; u < 2; u++) {
    const nl_node *sigmoid = node_at(w, u), *product = node_at(w, 1 - u);
    if (!is_op(sigmoid, "Sigmoid") || !is_op(product, "Mul") || !has_one_output(w, sigmoid) ||
        !has_one_output(w, product))
      continue;
    const size_t slot = other_slot(product, w->value);
    if (slot == NL_NONE || product->inputs[slot] != sigmoid->outputs[0] ||
        w->graph->values[sigmoid->outputs[0]].use_count != 1)
      continue;
    set_activation(w, NL_ACTIVATION_SWISH);
    w->value = product->outputs[0];
    return true;
  }
  return false;
}

static bool take_square(walk *w) {
  const nl_value *z = &w->graph->values[w->value];
  if (z->use_count != 2) return false;
  const nl_node *node = node_at(w, 0);
  if (node != node_at(w, 1) || !is_op(node, "Mul") || node->input_count != 2 || !has_one_output(w, node)) return false;
  set_activation(w, NL_ACTIVATION_SQUARE);
  w->value = node->outputs[0];
  return true;
}

// The only reader of a value, when it is the `op` named.
static const nl_node *only_reader(const walk *w, size_t value, const char *op) {
  const nl_value *v = &w->graph->values[value];
  if (v->use_count != 1 || v->uses[0].slot == NL_NONE || v->is_output) return NULL;
  const nl_node *node = &w->graph->nodes[v->uses[0].node];
  return is_op(node, op) && has_one_output(w, node) ? node : NULL;
}

// acc = c z, then acc + c' and again acc z, until every use of z is taken. Coefficients come highest first.
static bool take_polynomial(walk *w) {
  const nl_value *z = &w->graph->values[w->value];
  double highest_first[NL_POLYNOMIAL_LIMIT + 1];
  const nl_node *product = NULL;
  for (size_t u = 0; u < z->use_count && product == NULL; u++) {
    const nl_node *node = node_at(w, u);
    if (z->uses[u].slot == NL_NONE || !is_op(node, "Mul") || !has_one_output(w, node)) continue;
    if (read_scalar(w, node, other_slot(node, w->value), highest_first)) product = node;
  }
  for (size_t degree = 1; product != NULL && degree <= NL_POLYNOMIAL_LIMIT; degree++) {
    const nl_node *sum = only_reader(w, product->outputs[0], "Add");
    if (sum == NULL || !read_scalar(w, sum, other_slot(sum, product->outputs[0]), &highest_first[degree])) return false;
    if (degree == z->use_count) {
      nl_dense *layer = current(w);
      set_activation(w, NL_ACTIVATION_POLYNOMIAL);
      layer->coefficient_count = degree + 1;
      for (size_t i = 0; i <= degree; i++) layer->coefficients[i] = highest_first[degree - i];
      w->value = sum->outputs[0];
      return true;
    }
    product = only_reader(w, sum->outputs[0], "Mul");
    if (product == NULL) return false;
    const size_t slot = other_slot(product, sum->outputs[0]);
    if (slot == NL_NONE || product->inputs[slot] != w->value) return false;
  }
  return false;
}

// ---- nodes that change nothing ---------------------------------------------------------------------------------------

// A Reshape keeps rows apart when all but its first size make up the width (or are left to it).
static bool keeps_rows(const walk *w, const nl_node *node) {
  const nl_tensor *shape = nl_node_constant(w->graph, node, 1);
  int64_t sizes[8];
  if (shape == NULL || shape->count < 2 || shape->count > 8 || nl_tensor_read_int(shape, sizes, NULL) != NL_OK)
    return false;
  uint64_t product = 1;
  for (size_t i = 1; i < shape->count; i++) {
    if (sizes[i] <= 0) return sizes[0] == 0 || sizes[0] == 1;
    product *= (uint64_t)sizes[i];
  }
  return w->count == 0 || product == current(w)->out;
}

static bool changes_nothing(const walk *w, const nl_node *node) {
  if (is_op(node, "Identity") || is_op(node, "Dropout")) return true;
  if (is_op(node, "Flatten")) return nl_node_int(node, "axis", 1) == 1;
  if (is_op(node, "Reshape")) return keeps_rows(w, node);
  return is_op(node, "Cast") && nl_type_is_float((nl_type)nl_node_int(node, "to", 0));
}

// ---- the walk --------------------------------------------------------------------------------------------------------

static nl_status step(walk *w) {
  const nl_value *value = &w->graph->values[w->value];
  if (value->use_count == 0) return nl_fail_span(w->error, NL_ERROR_UNSUPPORTED, value->name, NOT_A_CHAIN);
  if (takes_activation(w) && (take_swish(w) || take_square(w) || take_polynomial(w))) return NL_OK;
  const nl_node *node = node_at(w, 0);
  if (value->use_count != 1 || value->uses[0].slot == NL_NONE || !has_one_output(w, node))
    return refuse(w, node, NOT_A_CHAIN);
  const nl_activation *activation = node->domain.size == 0 ? nl_activation_by_op(node->op) : NULL;
  if (is_op(node, "Gemm") || is_op(node, "MatMul"))
    NL_TRY(add_layer(w, node));
  else if (is_op(node, "Add"))
    NL_TRY(add_bias(w, node));
  else if (activation != NULL)
    NL_TRY(add_activation(w, node, activation));
  else if (value->uses[0].slot != 0 || !changes_nothing(w, node))
    return refuse(w, node, NOT_A_CHAIN);
  w->value = node->outputs[0];
  return NL_OK;
}

// JSON takes rows of numbers; a first layer that acts on the last axis of something wider would be another function.
static nl_status check_input(const walk *w) {
  const nl_value *input = &w->graph->values[w->graph->inputs[0]];
  uint64_t features = 1;
  for (size_t i = 1; i < input->rank; i++) {
    if (input->dims[i] < 0) return NL_OK;
    features = input->dims[i] != 0 && features > UINT32_MAX / (uint64_t)input->dims[i]
                   ? UINT32_MAX
                   : features * (uint64_t)input->dims[i];
  }
  if (!input->rank_known || (input->rank >= 2 && features == w->layers[0].in) || (input->rank == 1)) return NL_OK;
  return nl_fail_span(w->error, NL_ERROR_UNSUPPORTED, input->name,
                      "netlump JSON takes rows of numbers. Choose ONNX instead");
}

nl_status nl_dense_chain_read(const nl_graph *graph, nl_arena *arena, nl_dense_chain *chain, nl_error *error) {
  if (graph->input_count != 1 || graph->output_count != 1)
    return nl_fail(error, NL_ERROR_UNSUPPORTED, NULL,
                   "netlump JSON holds networks with one input and one output. Choose ONNX instead");
  walk w = {.graph = graph, .arena = arena, .error = error, .value = graph->inputs[0]};
  NL_TAKE(arena, w.layers, nl_dense, graph->node_count, error);
  while (w.value != graph->outputs[0]) NL_TRY(step(&w));
  if (w.count == 0)
    return nl_fail(error, NL_ERROR_UNSUPPORTED, NULL,
                   "there is no dense layer in it for netlump JSON. Choose ONNX instead");
  NL_TRY(check_input(&w));
  *chain = (nl_dense_chain){w.count, w.layers};
  return NL_OK;
}
