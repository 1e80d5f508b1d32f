// Constants as nodes see them, and the numbers nodes are given.
#include "channels_build.h"

// ---- weights ---------------------------------------------------------------------------------------------------------

enum { CHAIN_MOST = 8 };

// The producer of a computed constant, NL_NONE where it must not be edited because others read it.
static size_t passing_node(const nl_graph *graph, size_t value) {
  const nl_value *passed = &graph->values[value];
  if (passed->producer == NL_NONE || passed->use_count != 1 || passed->is_output) return NL_NONE;
  const nl_node *node = &graph->nodes[passed->producer];
  const bool passes = node->domain.size == 0 && node->input_count > 0 && node->inputs[0] != NL_NONE;
  return passes ? passed->producer : NL_NONE;
}

static bool start_view(nl_view *view) {
  view->rank = view->tensor->rank;
  view->written = view->tensor->dims;
  view->reshape = NL_NONE;
  return view->rank <= NL_VIEW_MOST && view->tensor->count > 0 && nl_type_is_float(view->tensor->type);
}

static void lay_out(nl_view *view) {
  size_t stride = 1;
  for (size_t k = view->rank; k-- > 0;) {
    view->axes[k] = k;
    view->dims[k] = (size_t)view->written[k];
    view->strides[k] = stride;
    stride *= view->dims[k];
  }
}

static bool view_reshaped(const nl_tracing *t, size_t node, nl_view *view) {
  const nl_shape *shape = nl_trace_shape(t, t->graph->nodes[node].outputs[0]);
  if (view->reshape != NL_NONE || shape == NULL || shape->rank > NL_VIEW_MOST) return false;
  size_t count = 1;
  for (size_t k = 0; k < shape->rank; k++) {
    if (shape->dims[k] <= 0 || (uint64_t)shape->dims[k] > view->tensor->count / count) return false;
    count *= (size_t)shape->dims[k];
  }
  for (size_t k = 0; k < view->rank; k++)
    if (view->axes[k] != k) return false; // a Transpose before it
  view->reshape = node;
  view->rank = shape->rank;
  view->written = shape->dims;
  lay_out(view);
  return count == view->tensor->count;
}

static bool view_transposed(const nl_node *node, nl_view *view) {
  const nl_attribute *perm = nl_node_attribute(node, "perm");
  const nl_view before = *view;
  if (perm != NULL && (perm->type != NL_ATTRIBUTE_INTS || perm->count != view->rank)) return false;
  size_t seen = 0;
  for (size_t k = 0; k < view->rank; k++) {
    const int64_t from = perm != NULL ? perm->ints[k] : (int64_t)(view->rank - 1 - k);
    if (from < 0 || (uint64_t)from >= view->rank || (seen >> from & 1) != 0) return false;
    seen |= (size_t)1 << from;
    view->dims[k] = before.dims[from];
    view->strides[k] = before.strides[from];
    view->axes[k] = before.axes[from];
  }
  return true;
}

static bool view_through(const nl_tracing *t, size_t index, nl_type *type, nl_view *view) {
  const nl_node *node = &t->graph->nodes[index];
  if (nl_span_is(node->op, "Identity")) return true;
  if (nl_span_is(node->op, "Reshape")) return view_reshaped(t, index, view);
  if (nl_span_is(node->op, "Transpose")) return view_transposed(node, view);
  const nl_type to = (nl_type)nl_node_int(node, "to", 0), from = *type;
  *type = to;
  return nl_span_is(node->op, "Cast") && nl_type_is_float(to) && (to == from || nl_type_size(to) > nl_type_size(from));
}

// The nodes between a slot and the constant behind them, the last first.
typedef struct chain {
  nl_place place; // of the constant
  const nl_tensor *tensor;
  size_t count;
  size_t nodes[CHAIN_MOST];
} chain;

static bool find_chain(const nl_tracing *t, size_t node, size_t slot, chain *c) {
  c->place = (nl_place){node, slot};
  c->count = 0;
  if (nl_trace_input(t, node, slot) == NL_NONE) return false;
  for (;;) {
    const size_t value = t->graph->nodes[c->place.node].inputs[c->place.slot];
    if (t->graph->values[value].tensor != NL_NONE) break;
    const size_t producer = passing_node(t->graph, value);
    if (producer == NL_NONE || c->count == CHAIN_MOST) return false;
    c->nodes[c->count++] = producer;
    c->place = (nl_place){producer, 0};
  }
  c->tensor = nl_node_constant(t->graph, &t->graph->nodes[c->place.node], c->place.slot);
  return true;
}

bool nl_trace_view(nl_tracing *t, size_t node, size_t slot, nl_view *view) {
  chain c;
  if (!find_chain(t, node, slot, &c)) return false;
  view->place = c.place;
  view->tensor = c.tensor;
  if (!start_view(view)) return false;
  lay_out(view);
  nl_type type = view->tensor->type;
  while (c.count-- > 0)
    if (!view_through(t, c.nodes[c.count], &type, view)) return false;
  return true;
}

// ---- constants beside a value --------------------------------------------------------------------------------------------

// The same sizes in the same order, but for ones.
static bool side_reshaped(const nl_tracing *t, size_t node, nl_side *side) {
  const nl_side before = *side;
  const nl_shape *shape = nl_trace_shape(t, t->graph->nodes[node].outputs[0]);
  if (shape == NULL || shape->rank > NL_VIEW_MOST) return false;
  size_t from = 0;
  side->rank = shape->rank;
  for (size_t k = 0; k < shape->rank; k++) {
    side->dims[k] = shape->dims[k];
    side->axes[k] = NL_NONE;
    if (shape->dims[k] == 1) continue;
    while (from < before.rank && before.dims[from] == 1) from++;
    if (from == before.rank || before.dims[from] != shape->dims[k]) return false;
    side->axes[k] = before.axes[from++];
  }
  while (from < before.rank && before.dims[from] == 1) from++;
  return from == before.rank;
}

static bool side_through(const nl_tracing *t, size_t index, nl_side *side) {
  const nl_node *node = &t->graph->nodes[index];
  if (nl_span_is(node->op, "Identity")) return true;
  if (nl_span_is(node->op, "Cast")) {
    const nl_type to = (nl_type)nl_node_int(node, "to", 0), from = side->tensor->type;
    return nl_type_is_float(to) && nl_type_is_float(from) && (to == from || nl_type_size(to) > nl_type_size(from));
  }
  const bool reshape = nl_span_is(node->op, "Reshape");
  if (reshape && side->reshape != NL_NONE) return false;
  if (reshape) side->reshape = index;
  return (reshape || nl_span_is(node->op, "Unsqueeze") || nl_span_is(node->op, "Squeeze")) &&
         side_reshaped(t, index, side);
}

bool nl_trace_side(const nl_tracing *t, size_t node, size_t slot, nl_side *side) {
  chain c;
  if (!find_chain(t, node, slot, &c) || c.tensor->rank > NL_VIEW_MOST) return false;
  *side = (nl_side){.place = c.place, .tensor = c.tensor, .rank = c.tensor->rank, .reshape = NL_NONE};
  for (size_t k = 0; k < side->rank; k++) {
    side->dims[k] = c.tensor->dims[k];
    side->axes[k] = k;
  }
  while (c.count-- > 0)
    if (!side_through(t, c.nodes[c.count], side)) return false;
  return true;
}

bool nl_trace_ride(nl_tracing *t, const nl_side *side, size_t back, nl_strip *strip) {
  if (back > side->rank || side->dims[side->rank - back] == 1) return true;
  const size_t axis = side->rank - back;
  const bool editable = nl_type_size(side->tensor->type) != 0 && side->tensor->type != NL_TYPE_BOOL;
  if (!editable || (uint64_t)side->dims[axis] != strip->length) return false;
  if (side->reshape != NL_NONE && !nl_trace_state_size(t, side->reshape, 1, axis, strip)) return false;
  nl_trace_rider(t, side->place, side->tensor->rank - side->axes[axis], strip);
  return true;
}

const nl_tensor *nl_trace_constant(const nl_tracing *t, size_t node, size_t slot) {
  const nl_place place = nl_node_place(t->graph, node, slot);
  return nl_node_constant(t->graph, &t->graph->nodes[place.node], place.slot);
}

// ---- numbers ---------------------------------------------------------------------------------------------------------

bool nl_trace_scalar(const nl_tracing *t, size_t node, size_t slot, double *number) {
  const nl_tensor *tensor = nl_trace_constant(t, node, slot);
  return tensor != NULL && tensor->count == 1 && nl_tensor_read(tensor, number, NULL) == NL_OK;
}

bool nl_trace_numbers(const nl_tracing *t, size_t node, const char *attribute, size_t slot, int64_t *numbers,
                      size_t most, size_t *count) {
  const nl_node *asked = &t->graph->nodes[node];
  const nl_attribute *ints = attribute != NULL ? nl_node_attribute(asked, attribute) : NULL;
  const size_t value = nl_trace_input(t, node, slot);
  *count = 0;
  if (ints != NULL) {
    if (ints->type != NL_ATTRIBUTE_INTS || ints->count > most) return false;
    for (size_t i = 0; i < ints->count; i++) numbers[i] = ints->ints[i];
    *count = ints->count;
    return true;
  }
  if (value == NL_NONE) return true;
  const nl_shape *shape = &t->shapes->values[value];
  if (shape->elements == NULL || shape->element_count > most) return false;
  for (size_t i = 0; i < shape->element_count; i++)
    if (shape->elements[i].kind != NL_ELEMENT_NUMBER || !nl_element_number(&shape->elements[i], &numbers[i]))
      return false;
  *count = shape->element_count;
  return true;
}
