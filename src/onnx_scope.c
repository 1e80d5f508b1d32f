// onnx_scope: which values of the top level the bodies of If, Loop and Scan read by name. Bodies nest; they are visited
// with a stack of NL_LIMIT_DEPTH scopes, each with the names it defines.
#include "onnx_parts.h"

typedef struct scope {
  nl_names names;    // defined here
  nl_arena arena;    // of the names
  nl_wire graph;     // what is left of the GraphProto
  nl_wire node;      // of the current node
  nl_wire attribute; // of the current attribute, where subgraphs are found
} scope;

typedef struct walk {
  nl_onnx_reader *reader;
  size_t node; // of the top level
  size_t depth;
  scope scopes[NL_LIMIT_DEPTH];
  size_t *seen; // (value_count) node + 1 that was the last to read the value, so that each use is listed once
} walk;

// The name a graph's part defines; node outputs apart.
static nl_span defined_name(const nl_field *field) {
  uint32_t name_tag;
  nl_span message = field->bytes;
  if (field->tag == NL_GRAPH_INPUT)
    name_tag = NL_INFO_NAME;
  else if (field->tag == NL_GRAPH_INITIALIZER)
    name_tag = NL_TENSOR_NAME;
  else
    return (nl_span){0};
  nl_wire wire = nl_wire_open(message);
  for (nl_field part; nl_wire_next(&wire, &part);) {
    if (part.tag == name_tag) return part.bytes;
  }
  return (nl_span){0};
}

static size_t count_outputs(nl_span node) {
  size_t count = 0;
  nl_wire wire = nl_wire_open(node);
  for (nl_field part; nl_wire_next(&wire, &part);) count += part.tag == NL_NODE_OUTPUT;
  return count;
}

static nl_status define_names(scope *s, nl_span body, nl_error *error) {
  size_t count = 0;
  nl_wire wire = nl_wire_open(body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_GRAPH_NODE)
      count += count_outputs(field.bytes);
    else
      count += field.tag == NL_GRAPH_INPUT || field.tag == NL_GRAPH_INITIALIZER;
  }
  NL_TRY(nl_wire_close(&wire, (nl_span){0}, error));
  if (count > NL_LIMIT_NAMES) return nl_fail_count(error, NL_ERROR_LIMIT, "its values", NL_LIMIT_NAMES, count);
  if (count == 0) return NL_OK;
  NL_TRY(nl_names_create(&s->names, &s->arena, count, error));
  wire = nl_wire_open(body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    nl_names_add(&s->names, defined_name(&field), 0);
    if (field.tag != NL_GRAPH_NODE) continue;
    nl_wire node = nl_wire_open(field.bytes);
    for (nl_field part; nl_wire_next(&node, &part);) {
      if (part.tag == NL_NODE_OUTPUT) nl_names_add(&s->names, part.bytes, 0);
    }
  }
  return NL_OK;
}

static nl_status enter(walk *w, nl_span body) {
  nl_error *error = w->reader->error;
  if (w->depth == NL_LIMIT_DEPTH)
    return nl_fail_count(error, NL_ERROR_LIMIT, "its nested graphs", NL_LIMIT_DEPTH, NL_LIMIT_DEPTH + 1);
  scope *s = &w->scopes[w->depth++];
  *s =
      (scope){.graph = nl_wire_open(body), .node = nl_wire_open((nl_span){0}), .attribute = nl_wire_open((nl_span){0})};
  return define_names(s, body, error);
}

static nl_status read_name(walk *w, nl_span name) {
  for (size_t d = w->depth; d-- > 0;) {
    if (nl_names_find(&w->scopes[d].names, name) != NL_NONE) return NL_OK;
  }
  const size_t value = nl_names_find(&w->reader->names, name);
  if (value == NL_NONE || w->seen[value] == w->node + 1) return NL_OK;
  w->seen[value] = w->node + 1;
  const nl_outer_read read = {w->node, value};
  return nl_buffer_append(&w->reader->outer_reads, &read, sizeof read, w->reader->error);
}

// One step of the innermost scope: the next field of its attribute, node or graph.
static nl_status step(walk *w) {
  scope *s = &w->scopes[w->depth - 1];
  nl_field field;
  if (nl_wire_next(&s->attribute, &field)) {
    return field.tag == NL_ATTRIBUTE_G_TAG || field.tag == NL_ATTRIBUTE_GRAPHS_TAG ? enter(w, field.bytes) : NL_OK;
  }
  if (nl_wire_next(&s->node, &field)) {
    if (field.tag == NL_NODE_INPUT) return read_name(w, field.bytes);
    if (field.tag == NL_NODE_ATTRIBUTE) s->attribute = nl_wire_open(field.bytes);
    return NL_OK;
  }
  if (nl_wire_next(&s->graph, &field)) {
    if (field.tag == NL_GRAPH_NODE) s->node = nl_wire_open(field.bytes);
    if (field.tag != NL_GRAPH_OUTPUT) return NL_OK;
    nl_wire info = nl_wire_open(field.bytes);
    for (nl_field part; nl_wire_next(&info, &part);) {
      if (part.tag == NL_INFO_NAME) NL_TRY(read_name(w, part.bytes));
    }
    return NL_OK;
  }
  nl_arena_free(&s->arena);
  w->depth--;
  return NL_OK;
}

static nl_status visit_node(walk *w, const nl_node *node) {
  nl_wire wire = nl_wire_open(node->message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_NODE_ATTRIBUTE) continue;
    nl_wire attribute = nl_wire_open(field.bytes);
    for (nl_field part; nl_wire_next(&attribute, &part);) {
      if (part.tag != NL_ATTRIBUTE_G_TAG && part.tag != NL_ATTRIBUTE_GRAPHS_TAG) continue;
      NL_TRY(enter(w, part.bytes));
      while (w->depth != 0) NL_TRY(step(w));
    }
  }
  return NL_OK;
}

nl_status nl_onnx_read_scopes(nl_onnx_reader *reader) {
  walk *w;
  NL_TAKE(&reader->scratch, w, walk, 1, reader->error);
  w->reader = reader;
  NL_TAKE(&reader->scratch, w->seen, size_t, reader->value_count, reader->error);
  nl_status status = NL_OK;
  for (w->node = 0; w->node < reader->graph->node_count && status == NL_OK; w->node++) {
    if (reader->nodes[w->node].has_subgraph) status = visit_node(w, &reader->nodes[w->node]);
  }
  while (w->depth != 0) nl_arena_free(&w->scopes[--w->depth].arena);
  return status;
}
