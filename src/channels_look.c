// What stands further on: whether channels are heads of attention, which axis a split makes for, why a node is left whole.
#include <string.h>

#include "channels_build.h"

enum { LOOK_MOST = 48 }; // nodes

// ---- why -------------------------------------------------------------------------------------------------------------

static bool is_quantized(nl_span op) {
  return nl_span_starts(op, "QLinear") || nl_span_starts(op, "QGemm") || nl_span_starts(op, "QAttention") ||
         nl_span_ends(op, "Integer") || nl_span_ends(op, "QuantizeLinear") || nl_span_ends(op, "DequantizeLinear") ||
         nl_span_starts(op, "MatMulNBits");
}

// Nodes that take the channels together when they were not followed: the rules have passed the others on.
static bool takes_across(nl_span op) {
  return nl_span_starts(op, "Reduce") || nl_span_starts(op, "Arg") || nl_span_ends(op, "Softmax") ||
         nl_span_is(op, "Hardmax") || nl_span_is(op, "TopK") || nl_span_ends(op, "Normalization") ||
         nl_span_is(op, "LRN");
}

// A constant, or one that a few nodes turn about.
static bool is_constant(const nl_tracing *t, size_t value) {
  static const char *const names[] = {"Transpose", "Reshape", "Identity",        "Cast",
                                      "Unsqueeze", "Squeeze", "DequantizeLinear"};
  for (size_t way = 0; way < 8 && value != NL_NONE; way++) {
    const size_t producer = t->graph->values[value].producer;
    if (t->graph->values[value].tensor != NL_NONE) return true;
    if (producer == NL_NONE || t->graph->nodes[producer].input_count == 0) return false;
    if (!nl_span_among(t->graph->nodes[producer].op, sizeof names / sizeof *names, names)) return false;
    value = t->graph->nodes[producer].inputs[0];
  }
  return false;
}

// A product of two values that both depend on the input.
static bool is_product(const nl_tracing *t, const nl_node *node) {
  if (!nl_span_is(node->op, "MatMul") || node->input_count != 2) return false;
  return !is_constant(t, node->inputs[0]) && !is_constant(t, node->inputs[1]);
}

static bool is_attention(nl_span op) { return nl_span_ends(op, "Attention"); }

// Nodes that move or scale what they read; scores and heads go through them.
static bool carries(nl_span op) {
  static const char *const names[] = {"Mul",       "Div",     "Add",    "Where", "Softmax",  "Cast",
                                      "Identity",  "Dropout", "Slice",  "Split", "Squeeze",  "Gather",
                                      "Transpose", "Reshape", "Concat", "Sub",   "Unsqueeze"};
  return nl_span_among(op, sizeof names / sizeof *names, names);
}

// Whether a Softmax stands near behind the product (queries, keys) or before it (values).
static bool behind_softmax(const nl_tracing *t, const nl_node *node) {
  for (size_t i = 0; i < 2; i++) {
    size_t value = node->inputs[i];
    for (size_t way = 0; way < 6 && value != NL_NONE && t->graph->values[value].producer != NL_NONE; way++) {
      const nl_node *producer = &t->graph->nodes[t->graph->values[value].producer];
      if (nl_span_is(producer->op, "Softmax")) return true;
      if (!carries(producer->op) || producer->input_count == 0) break;
      value = producer->inputs[0];
    }
  }
  return false;
}

static bool before_softmax(const nl_tracing *t, const nl_node *node) {
  size_t value = node->outputs[0];
  for (size_t way = 0; way < 6 && value != NL_NONE && t->graph->values[value].use_count > 0; way++) {
    const nl_node *reader = &t->graph->nodes[t->graph->values[value].uses[0].node];
    if (nl_span_is(reader->op, "Softmax")) return true;
    if (!carries(reader->op) || reader->output_count == 0) return false;
    value = reader->outputs[0];
  }
  return false;
}

static bool is_attending(const nl_tracing *t, const nl_node *node) {
  return is_attention(node->op) || (is_product(t, node) && (behind_softmax(t, node) || before_softmax(t, node)));
}

// Whether what a node writes reaches a product of attention.
static bool reaches_attention(const nl_tracing *t, size_t index) {
  size_t queue[LOOK_MOST] = {index}, count = 1;
  for (size_t at = 0; at < count; at++) {
    const nl_node *node = &t->graph->nodes[queue[at]];
    if (is_attending(t, node)) return true;
    if (!carries(node->op)) continue;
    for (size_t o = 0; o < node->output_count; o++) {
      if (node->outputs[o] == NL_NONE) continue;
      const nl_value *value = &t->graph->values[node->outputs[o]];
      for (size_t u = 0; u < value->use_count && count < LOOK_MOST; u++) queue[count++] = value->uses[u].node;
    }
  }
  return false;
}

nl_origin nl_trace_blame(const nl_tracing *t, size_t index) {
  const nl_node *node = &t->graph->nodes[index];
  nl_origin origin = {NL_REASON_READ_BY, index};
  if (t->graph->opset < 7)
    origin = (nl_origin){NL_REASON_OPSET, NL_NONE};
  else if (is_quantized(node->op))
    origin.reason = NL_REASON_QUANTIZED;
  else if (takes_across(node->op))
    origin.reason = NL_REASON_ACROSS;
  else if (!node->has_subgraph && reaches_attention(t, index))
    origin.reason = NL_REASON_ATTENTION;
  return origin;
}

nl_reason nl_trace_left(const nl_tracing *t, size_t index) {
  const nl_node *node = &t->graph->nodes[index];
  return is_attending(t, node) ? NL_REASON_ATTENTION : nl_layer_reason(t->graph, node);
}

// ---- which axis --------------------------------------------------------------------------------------------------------

// Nodes whose channels are axis 1.
static bool reads_axis_one(nl_span op) {
  return nl_span_starts(op, "Conv") || nl_span_ends(op, "Pool") || nl_span_is(op, "BatchNormalization") ||
         nl_span_is(op, "InstanceNormalization") || nl_span_is(op, "Resize") || nl_span_is(op, "Upsample") ||
         nl_span_is(op, "DepthToSpace");
}

size_t nl_trace_wanted_axis(const nl_tracing *t, size_t value) {
  size_t at[NL_SHAPE_RANK_MOST]; // the axis of the first value that stands at each of this one's
  const nl_shape *shape = nl_trace_shape(t, value);
  if (shape == NULL || shape->rank < 2) return NL_NONE;
  for (size_t k = 0; k < shape->rank; k++) at[k] = k;
  for (size_t way = 0; way < LOOK_MOST && t->graph->values[value].use_count > 0; way++) {
    const nl_use use = t->graph->values[value].uses[0];
    const nl_node *reader = &t->graph->nodes[use.node];
    if (use.slot == NL_NONE || reader->output_count == 0 || reader->domain.size != 0) return NL_NONE;
    if (reads_axis_one(reader->op)) return at[1];
    if (nl_span_is(reader->op, "MatMul") && use.slot == 0 && !is_product(t, reader)) return at[shape->rank - 1];
    value = reader->outputs[0];
    const nl_shape *next = nl_trace_shape(t, value);
    const nl_attribute *perm = nl_node_attribute(reader, "perm");
    if (value == NL_NONE || next == NULL || next->rank != shape->rank) return NL_NONE;
    if (nl_span_is(reader->op, "Transpose") && perm != NULL && perm->count == shape->rank) {
      size_t before[NL_SHAPE_RANK_MOST];
      memcpy(before, at, sizeof before);
      for (size_t k = 0; k < shape->rank; k++)
        at[k] = before[perm->ints[k] >= 0 && (uint64_t)perm->ints[k] < shape->rank ? perm->ints[k] : 0];
    } else if (nl_span_is(reader->op, "Transpose") || nl_span_is(reader->op, "Reshape")) {
      return NL_NONE;
    }
  }
  return NL_NONE;
}

static const nl_node *only_reader(const nl_tracing *t, size_t value, const char *op) {
  if (value == NL_NONE || t->graph->values[value].use_count != 1) return NULL;
  const nl_node *reader = &t->graph->nodes[t->graph->values[value].uses[0].node];
  return nl_span_is(reader->op, op) && reader->output_count > 0 ? reader : NULL;
}

bool nl_trace_is_shuffled(const nl_tracing *t, size_t value) {
  const nl_node *transpose = only_reader(t, value, "Transpose");
  const nl_node *reshape = transpose != NULL ? only_reader(t, transpose->outputs[0], "Reshape") : NULL;
  if (reshape == NULL) return false;
  const nl_shape *between = nl_trace_shape(t, value), *after = nl_trace_shape(t, reshape->outputs[0]);
  return between != NULL && after != NULL && between->rank == after->rank + 1 &&
         !reaches_attention(t, t->graph->values[value].producer);
}

// ---- how many ----------------------------------------------------------------------------------------------------------

size_t nl_trace_wanted_width(nl_tracing *t, size_t value) {
  for (size_t way = 0; way < LOOK_MOST && value != NL_NONE && t->graph->values[value].use_count > 0; way++) {
    const nl_use use = t->graph->values[value].uses[0];
    const nl_node *reader = &t->graph->nodes[use.node];
    const bool gemm = nl_span_is(reader->op, "Gemm");
    nl_view view;
    if (use.slot != 0 || reader->output_count == 0 || reader->domain.size != 0) return 0;
    if (gemm || nl_span_is(reader->op, "MatMul")) {
      if (!nl_trace_view(t, use.node, 1, &view) || view.rank < 2 || nl_node_int(reader, "transA", 0) != 0) return 0;
      return view.dims[view.rank - (gemm && nl_node_int(reader, "transB", 0) != 0 ? 1 : 2)];
    }
    if (!nl_span_is(reader->op, "Dropout") && !nl_span_is(reader->op, "Identity") && !nl_span_is(reader->op, "Relu"))
      return 0;
    value = reader->outputs[0];
  }
  return 0;
}
