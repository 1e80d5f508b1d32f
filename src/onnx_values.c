// onnx_values: who defines each name, who reads it, and what the file says about its shape.
#include "onnx_parts.h"

// ---- definitions -----------------------------------------------------------------------------------------------------

static size_t add_value(nl_onnx_reader *reader, nl_span name) {
  if (!nl_names_add(&reader->names, name, reader->value_count)) return NL_NONE;
  reader->values[reader->value_count] = (nl_value){.name = name, .producer = NL_NONE, .tensor = NL_NONE};
  return reader->value_count++;
}

static nl_status twice(const nl_onnx_reader *reader, nl_span name) {
  return nl_fail_span(reader->error, NL_ERROR_MALFORMED, name,
                      name.size == 0 ? "a value without a name" : "two values have this name");
}

static nl_span info_name(nl_span info) {
  nl_wire wire = nl_wire_open(info);
  nl_span name = {0};
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_INFO_NAME) name = field.bytes;
  }
  return name;
}

static nl_span sparse_name(nl_span sparse) {
  nl_wire wire = nl_wire_open(sparse);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_SPARSE_VALUES) continue;
    nl_wire inner = nl_wire_open(field.bytes);
    for (nl_field part; nl_wire_next(&inner, &part);) {
      if (part.tag == NL_TENSOR_NAME) return part.bytes;
    }
  }
  return (nl_span){0};
}

static nl_status take_room(nl_onnx_reader *reader) {
  size_t room = 0;
  nl_wire wire = nl_wire_open(reader->body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    room +=
        field.tag == NL_GRAPH_INPUT || field.tag == NL_GRAPH_INITIALIZER || field.tag == NL_GRAPH_SPARSE_INITIALIZER;
  }
  for (size_t n = 0; n < reader->graph->node_count; n++) room += reader->nodes[n].output_count;
  if (room > NL_LIMIT_NAMES) return nl_fail_count(reader->error, NL_ERROR_LIMIT, "its values", NL_LIMIT_NAMES, room);
  reader->value_room = room;
  NL_TAKE(&reader->graph->arena, reader->values, nl_value, room, reader->error);
  return nl_names_create(&reader->names, &reader->scratch, room, reader->error);
}

static nl_status define_inputs(nl_onnx_reader *reader) {
  nl_wire wire = nl_wire_open(reader->body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_GRAPH_INPUT) continue;
    const nl_span name = info_name(field.bytes);
    const size_t value = add_value(reader, name);
    if (value == NL_NONE) return twice(reader, name);
    reader->values[value].is_input = true;
  }
  return NL_OK;
}

// An initializer may also be listed as an input (it had to be before IR version 4).
static nl_status define_constant(nl_onnx_reader *reader, nl_span name, size_t tensor) {
  size_t value = nl_names_find(&reader->names, name);
  if (value == NL_NONE)
    value = add_value(reader, name);
  else if (!reader->values[value].is_input || reader->values[value].tensor != NL_NONE)
    value = NL_NONE;
  if (value == NL_NONE) return twice(reader, name);
  reader->values[value].tensor = tensor;
  return NL_OK;
}

static nl_status define_initializers(nl_onnx_reader *reader) {
  const nl_graph *graph = reader->graph;
  for (size_t t = 0; t < graph->tensor_count && graph->tensors[t].node == NL_NONE; t++)
    NL_TRY(define_constant(reader, graph->tensors[t].name, t));
  nl_wire wire = nl_wire_open(reader->body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_GRAPH_SPARSE_INITIALIZER) NL_TRY(define_constant(reader, sparse_name(field.bytes), NL_NONE));
  }
  return NL_OK;
}

static size_t constant_tensor(const nl_node *node) {
  if (!nl_span_is(node->op, "Constant") || node->domain.size != 0) return NL_NONE;
  for (size_t a = 0; a < node->attribute_count; a++) {
    const nl_attribute *attribute = &node->attributes[a];
    const bool holds = nl_span_is(attribute->name, "value") || nl_onnx_is_constant_values(attribute->name);
    if (holds && attribute->tensor != NL_NONE) return attribute->tensor;
  }
  return NL_NONE;
}

static nl_status define_outputs(nl_onnx_reader *reader, size_t index) {
  nl_node *node = &reader->nodes[index];
  size_t *outputs;
  NL_TAKE(&reader->graph->arena, outputs, size_t, node->output_count, reader->error);
  node->outputs = outputs;
  size_t at = 0;
  nl_wire wire = nl_wire_open(node->message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_NODE_OUTPUT) continue;
    outputs[at] = NL_NONE;
    if (field.bytes.size != 0) {
      outputs[at] = add_value(reader, field.bytes);
      if (outputs[at] == NL_NONE) return twice(reader, field.bytes);
      reader->values[outputs[at]].producer = index;
      if (at == 0) reader->values[outputs[at]].tensor = constant_tensor(node);
    }
    at++;
  }
  return NL_OK;
}

// ---- uses ------------------------------------------------------------------------------------------------------------

static nl_status dangling(const nl_onnx_reader *reader, nl_span place, nl_span name) {
  char text[NL_ERROR_TEXT];
  const size_t size = name.size < sizeof text - 1 ? name.size : sizeof text - 1;
  for (size_t i = 0; i < size; i++) text[i] = name.bytes[i] == 0 ? '?' : (char)name.bytes[i];
  text[size] = '\0';
  return nl_fail_span(reader->error, NL_ERROR_DANGLING, place, text);
}

static nl_status resolve_inputs(nl_onnx_reader *reader, size_t index) {
  nl_node *node = &reader->nodes[index];
  size_t *inputs;
  NL_TAKE(&reader->graph->arena, inputs, size_t, node->input_count, reader->error);
  node->inputs = inputs;
  size_t at = 0;
  nl_wire wire = nl_wire_open(node->message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_NODE_INPUT) continue;
    inputs[at] = nl_names_find(&reader->names, field.bytes);
    if (inputs[at] == NL_NONE && field.bytes.size != 0)
      return dangling(reader, node->name.size != 0 ? node->name : node->op, field.bytes);
    if (inputs[at] != NL_NONE) reader->values[inputs[at]].use_count++;
    at++;
  }
  return NL_OK;
}

// Two walks over all uses: counted above and by the scopes, filled in here.
static nl_status collect_uses(nl_onnx_reader *reader) {
  size_t total = 0;
  const nl_outer_read *reads = (const nl_outer_read *)(const void *)reader->outer_reads.bytes;
  const size_t read_count = reader->outer_reads.size / sizeof(nl_outer_read);
  for (size_t r = 0; r < read_count; r++) reader->values[reads[r].value].use_count++;
  for (size_t v = 0; v < reader->value_count; v++) total += reader->values[v].use_count;
  nl_use *uses;
  size_t *filled;
  NL_TAKE(&reader->graph->arena, uses, nl_use, total, reader->error);
  NL_TAKE(&reader->scratch, filled, size_t, reader->value_count + 1, reader->error);
  for (size_t v = 0, start = 0; v < reader->value_count; v++) {
    reader->values[v].uses = uses + start;
    filled[v] = start;
    start += reader->values[v].use_count;
  }
  for (size_t n = 0, r = 0; n < reader->graph->node_count; n++) {
    const nl_node *node = &reader->nodes[n];
    for (size_t s = 0; s < node->input_count; s++) {
      if (node->inputs[s] != NL_NONE) uses[filled[node->inputs[s]]++] = (nl_use){n, s};
    }
    for (; r < read_count && reads[r].node == n; r++) uses[filled[reads[r].value]++] = (nl_use){n, NL_NONE};
  }
  return NL_OK;
}

// ---- shapes ----------------------------------------------------------------------------------------------------------

static nl_status read_shape(nl_onnx_reader *reader, nl_span shape, nl_value *value) {
  nl_wire wire = nl_wire_open(shape);
  size_t rank = 0;
  for (nl_field field; nl_wire_next(&wire, &field);) rank += field.tag == NL_SHAPE_DIMENSION;
  NL_TRY(nl_wire_close(&wire, value->name, reader->error));
  int64_t *dims;
  NL_TAKE(&reader->graph->arena, dims, int64_t, rank, reader->error);
  size_t at = 0;
  wire = nl_wire_open(shape);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_SHAPE_DIMENSION) continue;
    dims[at] = -1;
    nl_wire inner = nl_wire_open(field.bytes);
    for (nl_field part; nl_wire_next(&inner, &part);) {
      if (part.tag == NL_DIMENSION_VALUE && (int64_t)part.value >= 0) dims[at] = (int64_t)part.value;
      if (part.tag == NL_DIMENSION_NAME) dims[at] = -1;
    }
    NL_TRY(nl_wire_close(&inner, value->name, reader->error));
    at++;
  }
  value->rank_known = true;
  value->rank = rank;
  value->dims = dims;
  return NL_OK;
}

static nl_status read_info(nl_onnx_reader *reader, nl_span info) {
  const size_t index = nl_names_find(&reader->names, info_name(info));
  if (index == NL_NONE) return NL_OK; // stale value_info: harmless
  nl_value *value = &reader->values[index];
  nl_wire wire = nl_wire_open(info);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_INFO_TYPE) continue;
    nl_wire type = nl_wire_open(field.bytes);
    for (nl_field kind; nl_wire_next(&type, &kind);) {
      if (kind.tag != NL_TYPE_TENSOR) continue;
      nl_wire tensor = nl_wire_open(kind.bytes);
      for (nl_field part; nl_wire_next(&tensor, &part);) {
        if (part.tag == NL_TYPE_TENSOR_ELEMENT && value->type == NL_TYPE_NONE)
          value->type = (nl_type)(int32_t)part.value;
        if (part.tag == NL_TYPE_TENSOR_SHAPE && !value->rank_known) NL_TRY(read_shape(reader, part.bytes, value));
      }
      NL_TRY(nl_wire_close(&tensor, value->name, reader->error));
    }
    NL_TRY(nl_wire_close(&type, value->name, reader->error));
  }
  return nl_wire_close(&wire, value->name, reader->error);
}

static nl_status read_infos(nl_onnx_reader *reader, uint32_t tag) {
  nl_wire wire = nl_wire_open(reader->body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == tag) NL_TRY(read_info(reader, field.bytes));
  }
  return NL_OK;
}

// ---- the graph's own inputs and outputs ------------------------------------------------------------------------------

static nl_status list_inputs(nl_onnx_reader *reader) {
  nl_graph *graph = reader->graph;
  size_t *inputs;
  NL_TAKE(&graph->arena, inputs, size_t, reader->value_count, reader->error);
  for (size_t v = 0; v < reader->value_count; v++) {
    if (reader->values[v].is_input && reader->values[v].tensor == NL_NONE) inputs[graph->input_count++] = v;
  }
  graph->inputs = inputs;
  return NL_OK;
}

static nl_status list_outputs(nl_onnx_reader *reader) {
  nl_graph *graph = reader->graph;
  size_t count = 0;
  nl_wire wire = nl_wire_open(reader->body);
  for (nl_field field; nl_wire_next(&wire, &field);) count += field.tag == NL_GRAPH_OUTPUT;
  if (count == 0) return nl_fail(reader->error, NL_ERROR_MALFORMED, NULL, "the network has no output");
  size_t *outputs;
  NL_TAKE(&graph->arena, outputs, size_t, count, reader->error);
  wire = nl_wire_open(reader->body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_GRAPH_OUTPUT) continue;
    const nl_span name = info_name(field.bytes);
    const size_t value = nl_names_find(&reader->names, name);
    if (value == NL_NONE) return dangling(reader, (nl_span){(const uint8_t *)"the output", 10}, name);
    if (reader->values[value].is_output) return twice(reader, name);
    reader->values[value].is_output = true;
    outputs[graph->output_count++] = value;
  }
  graph->outputs = outputs;
  return NL_OK;
}

nl_status nl_onnx_read_values(nl_onnx_reader *reader) {
  const size_t node_count = reader->graph->node_count;
  NL_TRY(take_room(reader));
  NL_TRY(define_inputs(reader));
  NL_TRY(define_initializers(reader));
  for (size_t n = 0; n < node_count; n++) NL_TRY(define_outputs(reader, n));
  for (size_t n = 0; n < node_count; n++) NL_TRY(resolve_inputs(reader, n));
  NL_TRY(list_outputs(reader));
  NL_TRY(nl_onnx_read_scopes(reader));
  NL_TRY(collect_uses(reader));
  NL_TRY(read_infos(reader, NL_GRAPH_INPUT));
  NL_TRY(read_infos(reader, NL_GRAPH_OUTPUT));
  NL_TRY(read_infos(reader, NL_GRAPH_VALUE_INFO));
  NL_TRY(list_inputs(reader));
  reader->graph->values = reader->values;
  reader->graph->value_count = reader->value_count;
  return NL_OK;
}
