// onnx_node: NodeProto and AttributeProto, and the tensors they and the graph hold.
#include "onnx_parts.h"

typedef struct counts {
  size_t nodes, attributes, tensors;
} counts;

static nl_status check_limit(size_t count, size_t limit, const char *what, nl_error *error) {
  return count > limit ? nl_fail_count(error, NL_ERROR_LIMIT, what, limit, count) : NL_OK;
}

// Only attributes count into memory, so only they are looked into.
static nl_status count_node(nl_span message, counts *c, nl_error *error) {
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) c->attributes += field.tag == NL_NODE_ATTRIBUTE;
  return nl_wire_close(&wire, (nl_span){0}, error);
}

static nl_status count_graph(const nl_onnx_reader *reader, counts *c) {
  nl_wire wire = nl_wire_open(reader->body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    c->tensors += field.tag == NL_GRAPH_INITIALIZER;
    c->nodes += field.tag == NL_GRAPH_NODE;
    if (field.tag == NL_GRAPH_NODE) NL_TRY(count_node(field.bytes, c, reader->error));
  }
  NL_TRY(check_limit(c->nodes, NL_LIMIT_NODES, "its nodes", reader->error));
  NL_TRY(check_limit(c->tensors, NL_LIMIT_TENSORS, "its tensors", reader->error));
  NL_TRY(check_limit(c->attributes, NL_LIMIT_ATTRIBUTES, "its attributes", reader->error));
  return NL_OK;
}

static nl_status read_initializers(nl_onnx_reader *reader) {
  nl_graph *graph = reader->graph;
  nl_wire wire = nl_wire_open(reader->body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_GRAPH_INITIALIZER) continue;
    NL_TRY(nl_onnx_read_tensor(graph, field.bytes, NL_NONE, &graph->tensors[graph->tensor_count], reader->error));
    graph->tensor_count++;
  }
  return NL_OK;
}

// --- attributes

static nl_status read_ints(nl_onnx_reader *reader, nl_span message, nl_attribute *attribute) {
  size_t count;
  NL_TRY(nl_elements_count(message, NL_ATTRIBUTE_INTS_NUMBER, NL_WIRE_VARINT, &count, attribute->name, reader->error));
  if (count == 0) return NL_OK;
  int64_t *ints;
  NL_TAKE(&reader->graph->arena, ints, int64_t, count, reader->error);
  nl_elements elements = nl_elements_open(message, NL_ATTRIBUTE_INTS_NUMBER, NL_WIRE_VARINT);
  uint64_t bits;
  for (size_t i = 0; i < count && nl_elements_next(&elements, &bits); i++) ints[i] = (int64_t)bits;
  attribute->ints = ints;
  attribute->count = count;
  return NL_OK;
}

static double float_of(uint64_t bits) {
  union {
    uint32_t bits;
    float value;
  } both = {.bits = (uint32_t)bits};
  return (double)both.value;
}

static nl_status read_floats(nl_onnx_reader *reader, nl_span message, nl_attribute *attribute) {
  size_t count;
  NL_TRY(
      nl_elements_count(message, NL_ATTRIBUTE_FLOATS_NUMBER, NL_WIRE_FIXED32, &count, attribute->name, reader->error));
  if (count == 0) return NL_OK;
  double *floats;
  NL_TAKE(&reader->graph->arena, floats, double, count, reader->error);
  nl_elements elements = nl_elements_open(message, NL_ATTRIBUTE_FLOATS_NUMBER, NL_WIRE_FIXED32);
  uint64_t bits;
  for (size_t i = 0; i < count && nl_elements_next(&elements, &bits); i++) floats[i] = float_of(bits);
  attribute->floats = floats;
  attribute->count = count;
  return NL_OK;
}

// Files of ONNX's first years leave the type out; the field that is there tells it.
static int type_of_tag(uint32_t tag) {
  switch (tag) {
  case NL_ATTRIBUTE_F_TAG:
    return NL_ATTRIBUTE_FLOAT;
  case NL_ATTRIBUTE_I_TAG:
    return NL_ATTRIBUTE_INT;
  case NL_ATTRIBUTE_S_TAG:
    return NL_ATTRIBUTE_STRING;
  case NL_ATTRIBUTE_T_TAG:
    return NL_ATTRIBUTE_TENSOR;
  case NL_ATTRIBUTE_G_TAG:
    return NL_ATTRIBUTE_GRAPH;
  case NL_TAG(NL_ATTRIBUTE_FLOATS_NUMBER, NL_WIRE_BYTES):
  case NL_TAG(NL_ATTRIBUTE_FLOATS_NUMBER, NL_WIRE_FIXED32):
    return NL_ATTRIBUTE_FLOATS;
  case NL_TAG(NL_ATTRIBUTE_INTS_NUMBER, NL_WIRE_BYTES):
  case NL_TAG(NL_ATTRIBUTE_INTS_NUMBER, NL_WIRE_VARINT):
    return NL_ATTRIBUTE_INTS;
  case NL_ATTRIBUTE_STRINGS_TAG:
    return NL_ATTRIBUTE_STRINGS;
  default:
    return 0;
  }
}

static nl_status add_tensor(nl_onnx_reader *reader, nl_span message, bool is_values, size_t node,
                            nl_attribute *attribute) {
  nl_graph *graph = reader->graph;
  nl_tensor *tensor = &graph->tensors[graph->tensor_count];
  NL_TRY(is_values ? nl_onnx_read_constant_values(&graph->arena, message, node, tensor, reader->error)
                   : nl_onnx_read_tensor(graph, message, node, tensor, reader->error));
  attribute->tensor = graph->tensor_count++;
  return NL_OK;
}

static nl_status read_attribute(nl_onnx_reader *reader, nl_span message, size_t node, nl_attribute *attribute) {
  nl_node *owner = &reader->nodes[node];
  *attribute = (nl_attribute){.tensor = NL_NONE};
  nl_span tensor = {0};
  size_t tensors = 0;
  int implied = 0;
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (implied == 0) implied = type_of_tag(field.tag);
    switch (field.tag) {
    case NL_ATTRIBUTE_NAME_TAG:
      attribute->name = field.bytes;
      break;
    case NL_ATTRIBUTE_F_TAG:
      attribute->f = float_of(field.value);
      break;
    case NL_ATTRIBUTE_I_TAG:
      attribute->i = (int64_t)field.value;
      break;
    case NL_ATTRIBUTE_S_TAG:
      attribute->s = field.bytes;
      break;
    case NL_ATTRIBUTE_T_TAG:
      tensor = field.bytes;
      tensors++;
      break;
    case NL_ATTRIBUTE_G_TAG:
    case NL_ATTRIBUTE_GRAPHS_TAG:
      owner->has_subgraph = true;
      break;
    case NL_ATTRIBUTE_TYPE_TAG:
      attribute->type = (int)(int32_t)field.value;
      break;
    default:
      break;
    }
  }
  NL_TRY(nl_wire_close(&wire, owner->name, reader->error));
  if (attribute->type == 0) attribute->type = implied;
  // Repeated message fields merge in protobuf; no exporter writes that, and half a tensor must not be edited.
  if (tensors > 1) return nl_fail_span(reader->error, NL_ERROR_MALFORMED, owner->name, "an attribute with two tensors");
  if (attribute->type == NL_ATTRIBUTE_INTS) NL_TRY(read_ints(reader, message, attribute));
  if (attribute->type == NL_ATTRIBUTE_FLOATS) NL_TRY(read_floats(reader, message, attribute));
  if (tensors == 1 && attribute->type == NL_ATTRIBUTE_TENSOR) return add_tensor(reader, tensor, false, node, attribute);
  const bool is_constant = nl_span_is(owner->op, "Constant") && owner->domain.size == 0;
  if (is_constant && nl_onnx_is_constant_values(attribute->name))
    return add_tensor(reader, message, true, node, attribute);
  return NL_OK;
}

static nl_status read_node(nl_onnx_reader *reader, nl_span message, size_t index) {
  nl_node *node = &reader->nodes[index];
  *node = (nl_node){.message = message};
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    node->input_count += field.tag == NL_NODE_INPUT;
    node->output_count += field.tag == NL_NODE_OUTPUT;
    node->attribute_count += field.tag == NL_NODE_ATTRIBUTE;
    if (field.tag == NL_NODE_NAME) node->name = field.bytes;
    if (field.tag == NL_NODE_OP) node->op = field.bytes;
    if (field.tag == NL_NODE_DOMAIN) node->domain = field.bytes;
  }
  NL_TRY(nl_wire_close(&wire, node->name, reader->error));
  if (node->op.size == 0)
    return nl_fail_span(reader->error, NL_ERROR_MALFORMED, node->name, "a node that does not say its operator");
  if (nl_span_is(node->domain, "ai.onnx")) node->domain = (nl_span){0};
  nl_attribute *attributes;
  NL_TAKE(&reader->graph->arena, attributes, nl_attribute, node->attribute_count, reader->error);
  node->attributes = attributes;
  size_t at = 0;
  wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_NODE_ATTRIBUTE) NL_TRY(read_attribute(reader, field.bytes, index, &attributes[at++]));
  }
  return NL_OK;
}

nl_status nl_onnx_read_nodes(nl_onnx_reader *reader) {
  nl_graph *graph = reader->graph;
  counts c = {0};
  NL_TRY(count_graph(reader, &c));
  NL_TAKE(&graph->arena, reader->nodes, nl_node, c.nodes, reader->error);
  NL_TAKE(&graph->arena, graph->tensors, nl_tensor, c.tensors + c.attributes, reader->error);
  graph->nodes = reader->nodes;
  graph->node_count = c.nodes;
  NL_TRY(read_initializers(reader));
  nl_wire wire = nl_wire_open(reader->body);
  size_t at = 0;
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_GRAPH_NODE) NL_TRY(read_node(reader, field.bytes, at++));
  }
  return NL_OK;
}
