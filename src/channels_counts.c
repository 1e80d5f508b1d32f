// Numbers that say how many channels there are: where they stand in the file, and which are computed while the model runs.
#include "channels_build.h"

enum { WIDTH_MOST = 1 << 20 }; // of what a formula is tried on
enum { STEPS_MOST = 3 };       // of a formula, so that its numbers stay small
enum { WAY_MOST = 64 };        // nodes between a constant and who is given it

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

// How a number comes from a size: one step after the other, each with a constant.
typedef struct formula {
  const nl_element *size;
  size_t count;
  struct {
    char op; // + - * /
    int64_t number;
  } steps[STEPS_MOST]; // the last is the first to be taken
} formula;

static int64_t value_of(const formula *f, int64_t size) {
  for (size_t i = f->count; i-- > 0;) {
    const int64_t number = f->steps[i].number;
    switch (f->steps[i].op) {
    case '+':
      size += number;
      break;
    case '-':
      size -= number;
      break;
    case '*':
      size *= number;
      break;
    default:
      size = number != 0 ? size / number : 0;
      break;
    }
  }
  return size;
}

// The piece of a Concat that holds an element.
static size_t piece_of(const nl_tracing *t, const nl_node *concat, size_t *index) {
  for (size_t i = 0; i < concat->input_count; i++) {
    const nl_shape *shape = concat->inputs[i] == NL_NONE ? NULL : &t->shapes->values[concat->inputs[i]];
    if (shape == NULL || shape->elements == NULL) return NL_NONE;
    if (*index < shape->element_count) return concat->inputs[i];
    *index -= shape->element_count;
  }
  return NL_NONE;
}

static bool is_small(int64_t number) { return number > 0 && number < 1 << 20; }

// One operand of an operation is followed, the other is a number.
static size_t operand_of(const nl_tracing *t, const nl_node *node, char op, formula *f) {
  if (node->input_count != 2 || f->count == STEPS_MOST) return NL_NONE;
  for (size_t i = 0; i < 2; i++) {
    const size_t value = node->inputs[i];
    const nl_element *other = element_at(t, node->inputs[1 - i], 0);
    if (value == NL_NONE || other == NULL || other->kind != NL_ELEMENT_NUMBER || !is_small(other->number)) continue;
    if (t->shapes->values[node->inputs[1 - i]].element_count != 1 || (i == 1 && (op == '-' || op == '/'))) continue;
    f->steps[f->count].op = op;
    f->steps[f->count++].number = other->number;
    return value;
  }
  return NL_NONE;
}

// Where an element comes from, one node back; NL_NONE where that is not followed.
static size_t source_of(const nl_tracing *t, size_t value, size_t *index, formula *f) {
  static const char *const same[] = {"Cast", "Identity", "Unsqueeze", "Squeeze", "Reshape", "Flatten"};
  static const char *const names[] = {"Add", "Sub", "Mul", "Div"};
  const size_t producer = t->graph->values[value].producer;
  if (producer == NL_NONE) return NL_NONE;
  const nl_node *node = &t->graph->nodes[producer];
  if (nl_span_among(node->op, sizeof same / sizeof *same, same))
    return node->input_count > 0 ? node->inputs[0] : NL_NONE;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (nl_span_is(node->op, names[i])) return operand_of(t, node, "+-*/"[i], f);
  if (nl_span_is(node->op, "Concat")) return piece_of(t, node, index);
  const nl_element *picked =
      nl_span_is(node->op, "Gather") ? element_at(t, nl_trace_input(t, producer, 1), *index) : NULL;
  if (picked == NULL || picked->kind != NL_ELEMENT_NUMBER || picked->number < 0) return NL_NONE;
  *index = (size_t)picked->number;
  return node->inputs[0];
}

static bool find_formula(const nl_tracing *t, size_t value, size_t index, formula *f) {
  f->count = 0;
  for (size_t way = 0; way < WAY_MOST && value != NL_NONE; way++) {
    f->size = element_at(t, value, index);
    if (f->size == NULL || f->size->kind == NL_ELEMENT_NUMBER) return false;
    if (f->size->kind == NL_ELEMENT_SIZE) return true;
    value = source_of(t, value, &index, f);
  }
  return false;
}

// Whether the number is as long as the strip however many channels are kept.
static bool follows(nl_tracing *t, const formula *f, nl_strip *strip) {
  const nl_trail *trail = counted_trail(t, f->size);
  if (trail == NULL) return false;
  nl_strip *source = trail->strip;
  if (f->count == 0) {
    if (!nl_trace_as_long(t, source, strip)) nl_trace_tie(t, source, strip, t->graph->values[f->size->value].producer);
    return nl_trace_as_long(t, source, strip);
  }
  size_t width, units, whole;
  if (!nl_trace_multiple(t, source, &width, &whole) || !nl_trace_multiple(t, strip, &width, &units)) return false;
  if (nl_trace_find(t, source->segments[0].group) != nl_trace_find(t, nl_trace_current(t, strip)->segments[0].group))
    return false;
  if (width == 0 || whole > WIDTH_MOST / width) return false;
  for (size_t kept = 1; kept <= width; kept++)
    if (value_of(f, (int64_t)(whole * kept)) != (int64_t)(units * kept)) return false;
  return true;
}

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

// Whether the node's rule has looked at the sizes it is given there.
static bool takes_sizes(const nl_node *node, size_t slot) {
  if (nl_span_is(node->op, "Resize")) return slot == 3;
  if (nl_span_is(node->op, "Slice")) return slot == 1 || slot == 2;
  return slot == 1 && (nl_span_is(node->op, "Reshape") || nl_span_is(node->op, "Expand"));
}

// The value whose channels the inputs count, as far as nobody looked at them.
static size_t counted_source(nl_tracing *t, size_t index, bool done) {
  const nl_node *node = &t->graph->nodes[index];
  size_t source = nl_span_is(node->op, "Shape") && done ? node->inputs[0] : NL_NONE;
  for (size_t i = 0; i < node->input_count; i++) {
    if (node->inputs[i] == NL_NONE || (done && takes_sizes(node, i))) continue;
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

bool nl_trace_number_at(const nl_tracing *t, size_t node, size_t slot, size_t index, int64_t *number, bool *computed) {
  const nl_element *element = element_at(t, nl_trace_input(t, node, slot), index);
  if (element == NULL || !nl_element_number(element, number)) return false;
  *computed = element->kind != NL_ELEMENT_NUMBER;
  return true;
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

// The input through which a number reaches a slot, so that it can be edited there. What the slot itself reads may be read by
// others (*shared): then each of them must ask for the same.
static bool locate(const nl_tracing *t, nl_place from, const nl_element *element, nl_place *place, size_t *shared) {
  *shared = NL_NONE;
  for (size_t way = 0; way < WAY_MOST; way++) {
    const size_t index = t->graph->nodes[from.node].inputs[from.slot];
    const nl_value *value = &t->graph->values[index];
    *place = from;
    if (index == element->constant) return true;
    if (value->producer == NL_NONE || value->is_output || (value->use_count != 1 && way != 0)) return false;
    if (value->use_count != 1) *shared = index;
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
  formula f;
  if (element == NULL) return false;
  if (element->kind != NL_ELEMENT_NUMBER) return find_formula(t, value, index, &f) && follows(t, &f, strip);
  nl_place place;
  size_t shared;
  if (element->number <= 0) return element->number != NL_ELEMENT_OPEN;
  if (element->constant == NL_NONE || !locate(t, (nl_place){node, slot}, element, &place, &shared)) return false;
  nl_trace_state(t, (nl_statement){NL_STATEMENT_ELEMENT, place, NULL, element->constant_at, {0}}, strip, shared);
  return true;
}

// ---- what several nodes read ---------------------------------------------------------------------------------------------

static bool same_number(const nl_statement *a, const nl_statement *b) {
  return a->place.node == b->place.node && a->place.slot == b->place.slot && a->index == b->index;
}

// Adds a statement to the first about the same number. firsts (values): a list of those for each value, by `next`.
static void count_statement(nl_tracing *t, size_t *firsts, size_t index) {
  nl_traced_statement *statement = &t->statements[index];
  size_t at = firsts[statement->shared];
  while (at != NL_NONE && !same_number(&t->statements[at].statement, &statement->statement))
    at = t->statements[at].next;
  if (at == NL_NONE) {
    statement->next = firsts[statement->shared];
    statement->asked = 1;
    firsts[statement->shared] = index;
    return;
  }
  nl_traced_statement *first = &t->statements[at];
  statement->repeats = true;
  if (nl_trace_as_long(t, first->strip, statement->strip))
    first->asked++; // else never as many as there are readers
  else
    nl_trace_pin(t, statement->strip, NL_REASON_FIXED_WIDTH, statement->statement.place.node);
}

void nl_trace_settle_shared(nl_tracing *t) {
  size_t kept = 0;
  size_t *firsts = nl_arena_take(&t->arena, t->graph->value_count, sizeof *firsts);
  if (firsts == NULL) {
    t->status = nl_fail_count(t->error, NL_ERROR_MEMORY, NULL, (uint64_t)t->graph->value_count * sizeof *firsts, 0);
    return;
  }
  for (size_t v = 0; v < t->graph->value_count; v++) firsts[v] = NL_NONE;
  for (size_t i = 0; i < t->statement_count; i++)
    if (t->statements[i].shared != NL_NONE) count_statement(t, firsts, i);
  for (size_t i = 0; i < t->statement_count; i++) {
    const nl_traced_statement *statement = &t->statements[i];
    const bool alone = statement->shared == NL_NONE;
    const bool agreed = !alone && statement->asked == t->graph->values[statement->shared].use_count;
    if (!alone && !agreed && !statement->repeats)
      nl_trace_pin(t, statement->strip, NL_REASON_FIXED_WIDTH, statement->statement.place.node);
    if (alone || (agreed && !statement->repeats)) t->statements[kept++] = *statement;
  }
  t->statement_count = kept;
}
