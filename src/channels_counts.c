// Numbers that say how many channels there are: where they stand in the file, and which are computed while the model runs.
#include "channels_build.h"

enum { WAY_MOST = 64 }; // nodes between a constant and who is given it

static const nl_element *element_at(const nl_tracing *t, size_t value, size_t index) {
  if (value == NL_NONE) return NULL;
  const nl_shape *shape = &t->shapes->values[value];
  return shape->elements != NULL && index < shape->element_count ? &shape->elements[index] : NULL;
}

// The trail whose channels an element counts when it is the size of an axis.
static const nl_trail *counted_trail(nl_tracing *t, const nl_element *element) {
  const nl_trail *trail = nl_trace_trail(t, element->value);
  const nl_shape *shape = nl_trace_shape(t, element->value);
  return trail != NULL && shape != NULL && shape->rank - element->axis == trail->back ? trail : NULL;
}

// ---- computed while the model runs ---------------------------------------------------------------------------------------

static bool counts_channels(nl_tracing *t, const nl_shape *shape) {
  for (size_t i = 0; i < shape->element_count; i++) {
    const nl_element *element = &shape->elements[i];
    if (element->kind == NL_ELEMENT_UNKNOWN) return true;
    if (element->kind == NL_ELEMENT_SIZE && counted_trail(t, element) != NULL) return true;
  }
  return false;
}

static void pin_counted(nl_tracing *t, size_t source, size_t node) {
  const nl_trail *trail = nl_trace_trail(t, source);
  if (trail != NULL) nl_trace_pin(t, trail->strip, NL_REASON_READ_BY, node);
}

// Nodes whose rule has looked at the sizes they are given.
static bool takes_sizes(const nl_node *node) {
  return nl_span_is(node->op, "Reshape") || nl_span_is(node->op, "Expand") || nl_span_is(node->op, "Resize");
}

// The value whose channels the inputs count, as far as nobody looked at them.
static size_t counted_source(nl_tracing *t, size_t index, bool done) {
  const nl_node *node = &t->graph->nodes[index];
  size_t source = nl_span_is(node->op, "Shape") && done ? node->inputs[0] : NL_NONE;
  for (size_t i = 0; i < node->input_count; i++) {
    if (node->inputs[i] == NL_NONE || (done && i > 0 && takes_sizes(node))) continue;
    const size_t counted = t->counted[node->inputs[i]];
    if (source != NL_NONE && counted != NL_NONE && counted != source) pin_counted(t, counted, index);
    if (source == NL_NONE) source = counted;
  }
  return source;
}

void nl_trace_count(nl_tracing *t, size_t index, bool done) {
  const nl_node *node = &t->graph->nodes[index];
  const size_t source = counted_source(t, index, done);
  if (source == NL_NONE) return;
  for (size_t i = 0; i < node->output_count; i++) {
    if (node->outputs[i] == NL_NONE) continue;
    const nl_shape *shape = &t->shapes->values[node->outputs[i]];
    if (shape->elements == NULL)
      pin_counted(t, source, index);
    else if (counts_channels(t, shape))
      t->counted[node->outputs[i]] = source;
  }
}

bool nl_trace_counts_none(nl_tracing *t, size_t node, size_t slot, size_t index) {
  const size_t value = nl_trace_input(t, node, slot);
  if (value == NL_NONE || t->counted[value] == NL_NONE) return true;
  const nl_element *element = element_at(t, value, index);
  if (element == NULL || element->kind == NL_ELEMENT_UNKNOWN) return false;
  return element->kind == NL_ELEMENT_NUMBER || counted_trail(t, element) == NULL;
}

// ---- written in the file -------------------------------------------------------------------------------------------------

static bool holds(const nl_tracing *t, size_t value, const nl_element *wanted) {
  if (value == wanted->constant) return true;
  const nl_shape *shape = &t->shapes->values[value];
  for (size_t i = 0; shape->elements != NULL && i < shape->element_count; i++) {
    const nl_element *element = &shape->elements[i];
    if (element->kind == NL_ELEMENT_NUMBER && element->constant == wanted->constant &&
        element->constant_at == wanted->constant_at)
      return true;
  }
  return false;
}

// The input through which a number reaches a slot, so that it can be edited there for this slot alone.
static bool locate(const nl_tracing *t, nl_place from, const nl_element *element, nl_place *place) {
  for (size_t way = 0; way < WAY_MOST; way++) {
    const size_t index = t->graph->nodes[from.node].inputs[from.slot];
    const nl_value *value = &t->graph->values[index];
    *place = from;
    if (index == element->constant) return true;
    if (value->producer == NL_NONE || value->use_count != 1 || value->is_output) return false;
    const nl_node *producer = &t->graph->nodes[value->producer];
    size_t slot = 0;
    while (slot < producer->input_count &&
           (producer->inputs[slot] == NL_NONE || !holds(t, producer->inputs[slot], element)))
      slot++;
    if (slot == producer->input_count) return false;
    from = (nl_place){value->producer, slot};
  }
  return false;
}

bool nl_trace_state_size(nl_tracing *t, size_t node, size_t slot, size_t index, nl_strip *strip) {
  const size_t value = nl_trace_input(t, node, slot);
  const nl_element *element = element_at(t, value, index);
  if (element == NULL || element->kind == NL_ELEMENT_UNKNOWN) return false;
  if (element->kind == NL_ELEMENT_SIZE) {
    const nl_trail *trail = counted_trail(t, element);
    return trail != NULL && nl_trace_same(t, trail->strip, strip);
  }
  nl_place place;
  if (element->number <= 0) return element->number != NL_ELEMENT_OPEN;
  if (element->constant == NL_NONE || !locate(t, (nl_place){node, slot}, element, &place)) return false;
  nl_trace_state(t, (nl_statement){NL_STATEMENT_ELEMENT, place, NULL, element->constant_at, {0}}, strip);
  return true;
}
