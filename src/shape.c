// shape: walks the nodes in order, lets the rule of each say what it knows, and compares with what the file states.
#include "shape.h"

#include <string.h>

#include "shape_parts.h"

enum { ELEMENTS_IN_ALL = 1 << 20 }; // so that a graph of nothing but integers keeps memory within bounds

// ---- sizes -----------------------------------------------------------------------------------------------------------

int64_t nl_size_add(int64_t a, int64_t b) {
  const int64_t sum = a < 0 || b < 0 ? -1 : a + b; // both at most NL_SIZE_MOST
  return sum > NL_SIZE_MOST ? -1 : sum;
}

int64_t nl_size_multiply(int64_t a, int64_t b) {
  if (a == 0 || b == 0) return 0;
  return a < 0 || b < 0 || a > NL_SIZE_MOST / b ? -1 : a * b;
}

int64_t nl_size_product(size_t rank, const int64_t *dims) {
  int64_t product = 1;
  for (size_t i = 0; i < rank; i++) {
    if (dims[i] == 1) continue;
    product = product == 1 ? dims[i] : nl_size_multiply(product, dims[i]);
  }
  return product;
}

// Each is 1 or the size of the result.
int64_t nl_size_broadcast(int64_t a, int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  if (a >= 0 && b >= 0) return -1; // no valid model
  return a >= 0 ? a : b >= 0 ? b : -1;
}

bool nl_shape_axis(int64_t axis, size_t rank, size_t *out) {
  const int64_t size = (int64_t)rank;
  if (axis < -size || axis >= size) return false;
  *out = (size_t)(axis < 0 ? axis + size : axis);
  return true;
}

// ---- what a rule reads -------------------------------------------------------------------------------------------------

const nl_shape *nl_shaping_input(const nl_shaping *s, size_t slot) {
  if (slot >= s->node->input_count || s->node->inputs[slot] == NL_NONE) return NULL;
  const nl_shape *shape = &s->shapes->values[s->node->inputs[slot]];
  return shape->known ? shape : NULL;
}

const nl_shape *nl_shaping_integers(const nl_shaping *s, size_t slot) {
  const nl_shape *shape = nl_shaping_input(s, slot);
  return shape != NULL && shape->elements != NULL ? shape : NULL;
}

nl_given nl_shaping_given(const nl_shaping *s, const char *name, size_t slot) {
  const nl_attribute *attribute = name != NULL ? nl_node_attribute(s->node, name) : NULL;
  if (attribute != NULL && attribute->type == NL_ATTRIBUTE_INTS) {
    const bool few = attribute->count <= NL_SHAPE_ELEMENTS_MOST;
    return (nl_given){true, few, few ? attribute->count : 0, attribute->ints, NULL};
  }
  if (slot >= s->node->input_count || s->node->inputs[slot] == NL_NONE) return (nl_given){0};
  const nl_shape *shape = nl_shaping_input(s, slot);
  nl_given given = {.given = true, .shape = shape};
  if (shape == NULL || shape->rank > 1) return given;
  const int64_t count = shape->rank == 0 ? 1 : shape->dims[0];
  given.known = count >= 0 && count <= NL_SHAPE_ELEMENTS_MOST;
  if (given.known) given.count = (size_t)count;
  return given;
}

bool nl_given_at(const nl_given *given, size_t index, int64_t *number) {
  if (!given->known || index >= given->count) return false;
  if (given->ints != NULL) {
    *number = given->ints[index];
    return true;
  }
  return given->shape->elements != NULL && nl_element_number(&given->shape->elements[index], number);
}

bool nl_given_axes(const nl_given *given, size_t rank, bool *marked) {
  for (size_t i = 0; i < rank; i++) marked[i] = false;
  if (!given->known) return false;
  for (size_t i = 0; i < given->count; i++) {
    int64_t number;
    size_t axis;
    if (!nl_given_at(given, i, &number) || !nl_shape_axis(number, rank, &axis)) return false;
    marked[axis] = true;
  }
  return true;
}

bool nl_element_number(const nl_element *element, int64_t *number) {
  *number = element->number;
  return element->kind == NL_ELEMENT_NUMBER || element->number != NL_ELEMENT_OPEN;
}

// ---- what a rule says --------------------------------------------------------------------------------------------------

static nl_status set_value(nl_shaping *s, size_t value, size_t rank, const int64_t *dims) {
  nl_shape *shape = &s->shapes->values[value];
  if (rank > NL_SHAPE_RANK_MOST) return NL_OK;
  int64_t *own;
  NL_TAKE(&s->shapes->arena, own, int64_t, rank, s->error);
  for (size_t i = 0; i < rank; i++) own[i] = dims[i] == -1 || dims[i] > NL_SIZE_MOST ? s->next_open-- : dims[i];
  *shape = (nl_shape){.known = true, .rank = rank, .dims = own};
  return NL_OK;
}

nl_status nl_shaping_set(nl_shaping *s, size_t slot, size_t rank, const int64_t *dims) {
  if (slot >= s->node->output_count || s->node->outputs[slot] == NL_NONE) return NL_OK;
  return set_value(s, s->node->outputs[slot], rank, dims);
}

nl_status nl_shaping_copy(nl_shaping *s, size_t slot, const nl_shape *shape) {
  return shape == NULL ? NL_OK : nl_shaping_set(s, slot, shape->rank, shape->dims);
}

// ---- what the file states ----------------------------------------------------------------------------------------------

static int64_t settled_size(int64_t inferred, int64_t stated) {
  if (stated < 0 || stated > NL_SIZE_MOST) return inferred;
  return inferred < 0 || inferred == stated ? stated : -1;
}

// Joins what was inferred with what is stated: the better of both, unknown where they contradict each other.
static nl_status settle(nl_shaping *s, size_t value) {
  const nl_value *stated = &s->graph->values[value];
  nl_shape *shape = &s->shapes->values[value];
  if (!stated->rank_known || stated->rank > NL_SHAPE_RANK_MOST) return NL_OK;
  if (!shape->known) return set_value(s, value, stated->rank, stated->dims);
  bool agree = shape->rank == stated->rank;
  if (!agree) {
    *shape = (nl_shape){0};
    return NL_OK;
  }
  int64_t dims[NL_SHAPE_RANK_MOST] = {0};
  for (size_t i = 0; i < shape->rank; i++) {
    dims[i] = settled_size(shape->dims[i], stated->dims[i]);
    agree = agree && dims[i] == shape->dims[i];
  }
  return agree ? NL_OK : set_value(s, value, shape->rank, dims);
}

static nl_status start_value(nl_shaping *s, size_t value) {
  const nl_value *v = &s->graph->values[value];
  if (v->tensor == NL_NONE) return v->producer == NL_NONE ? settle(s, value) : NL_OK;
  const nl_tensor *tensor = &s->graph->tensors[v->tensor];
  NL_TRY(set_value(s, value, tensor->rank, tensor->dims));
  return nl_shaping_constant_elements(s, value);
}

static nl_status infer_node(nl_shaping *s, const nl_node *node) {
  s->node = node;
  const bool constant =
      node->output_count > 0 && node->outputs[0] != NL_NONE && s->graph->values[node->outputs[0]].tensor != NL_NONE;
  if (constant) return NL_OK;
  nl_shape_rule *rule = s->graph->opset >= 7 && !node->has_subgraph ? nl_shape_rule_of(node) : NULL;
  if (rule != NULL) NL_TRY(rule(s));
  for (size_t i = 0; i < node->output_count; i++)
    if (node->outputs[i] != NL_NONE) NL_TRY(settle(s, node->outputs[i]));
  return NL_OK;
}

// Sizes that are not known become -1.
static nl_status close_sizes(nl_shaping *s) {
  for (size_t v = 0; v < s->graph->value_count; v++) {
    nl_shape *shape = &s->shapes->values[v];
    int64_t *dims;
    NL_TAKE(&s->shapes->arena, dims, int64_t, shape->rank, s->error);
    for (size_t i = 0; i < shape->rank; i++) dims[i] = shape->dims[i] < 0 ? -1 : shape->dims[i];
    shape->open = shape->dims;
    shape->dims = dims;
  }
  return NL_OK;
}

static nl_status infer(nl_shaping *s) {
  const nl_graph *graph = s->graph;
  NL_TAKE(&s->shapes->arena, s->shapes->values, nl_shape, graph->value_count, s->error);
  for (size_t v = 0; v < graph->value_count; v++) NL_TRY(start_value(s, v));
  for (size_t n = 0; n < graph->node_count; n++) NL_TRY(infer_node(s, &graph->nodes[graph->order[n]]));
  return close_sizes(s);
}

nl_status nl_shapes_create(nl_shapes *out, const nl_graph *graph, nl_error *error) {
  nl_shapes shapes = {.graph = graph};
  nl_shaping s = {.shapes = &shapes, .graph = graph, .next_open = -2, .elements_left = ELEMENTS_IN_ALL, .error = error};
  const nl_status status = infer(&s);
  if (status == NL_OK)
    *out = shapes;
  else
    nl_arena_free(&shapes.arena);
  return status;
}

void nl_shapes_free(nl_shapes *shapes) {
  if (shapes != NULL) nl_arena_free(&shapes->arena);
}
