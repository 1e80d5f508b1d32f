// onnx: ModelProto, the order in which its parts are read, and what a file that ends early was about to say.
#include "onnx.h"

#include <stdlib.h>

#include "onnx_parts.h"

static nl_status read_opset(nl_graph *graph, nl_span message, nl_error *error) {
  nl_wire wire = nl_wire_open(message);
  nl_span domain = {0};
  int64_t version = 0;
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_OPSET_DOMAIN) domain = field.bytes;
    if (field.tag == NL_OPSET_VERSION) version = (int64_t)field.value;
  }
  NL_TRY(nl_wire_close(&wire, (nl_span){0}, error));
  if (domain.size != 0 && !nl_span_is(domain, "ai.onnx")) return NL_OK;
  if (version < 1) return nl_fail(error, NL_ERROR_MALFORMED, NULL, "its operator set (opset) has no version");
  graph->opset = version;
  return NL_OK;
}

static bool is_netlump_entry(nl_span message) {
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_ENTRY_KEY && field.bytes.size > 8 && nl_span_is((nl_span){field.bytes.bytes, 8}, "netlump."))
      return true;
  }
  return false;
}

static nl_status read_model_field(nl_onnx_reader *reader, const nl_field *field, size_t *graphs) {
  nl_graph *graph = reader->graph;
  switch (field->tag) {
  case NL_MODEL_IR_VERSION:
    graph->ir_version = (int64_t)field->value;
    return NL_OK;
  case NL_MODEL_PRODUCER_NAME:
    graph->producer_name = field->bytes;
    return NL_OK;
  case NL_MODEL_PRODUCER_VERSION:
    graph->producer_version = field->bytes;
    return NL_OK;
  case NL_MODEL_GRAPH:
    reader->body = field->bytes;
    ++*graphs;
    return NL_OK;
  case NL_MODEL_OPSET_IMPORT:
    return read_opset(graph, field->bytes, reader->error);
  case NL_MODEL_METADATA:
    graph->has_netlump_metadata = graph->has_netlump_metadata || is_netlump_entry(field->bytes);
    return NL_OK;
  case NL_MODEL_FUNCTIONS:
    graph->function_count++;
    return NL_OK;
  default:
    return NL_OK;
  }
}

// ---- a file that ends early ------------------------------------------------------------------------------------------

// Steps into the last field of `message`, the one that does not fit: its tag, what of it is there, what it should have.
static bool last_part(nl_span message, uint32_t *tag, nl_span *part, uint64_t *expected) {
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) continue;
  if (wire.fault != NL_WIRE_SHORT || (wire.fault_tag & 7) != NL_WIRE_BYTES) return false;
  *tag = wire.fault_tag;
  *part = (nl_span){wire.at, (size_t)(wire.end - wire.at)};
  *expected = wire.expected;
  return true;
}

static nl_span tensor_name(nl_span message) {
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_TENSOR_NAME) return field.bytes;
  }
  return (nl_span){0};
}

// Names the tensor in which the file breaks off, where it is one.
static nl_status report_truncated(nl_span bytes, nl_error *error) {
  uint32_t tag;
  nl_span model, graph, tensor;
  uint64_t expected, found;
  if (!last_part(bytes, &tag, &model, &expected))
    return nl_fail(error, NL_ERROR_MALFORMED, NULL, "it breaks off in the middle");
  found = model.size;
  if (tag == NL_MODEL_GRAPH && last_part(model, &tag, &graph, &expected)) {
    found = graph.size;
    if (tag == NL_GRAPH_INITIALIZER && last_part(graph, &tag, &tensor, &expected)) {
      return nl_fail_span_count(error, NL_ERROR_TRUNCATED, tensor_name(graph), expected, tensor.size);
    }
    if (tag == NL_GRAPH_INITIALIZER)
      return nl_fail_span_count(error, NL_ERROR_TRUNCATED, tensor_name(graph), expected, found);
  }
  return nl_fail_count(error, NL_ERROR_TRUNCATED, NULL, expected, found);
}

// ---- reading ---------------------------------------------------------------------------------------------------------

static nl_status read_model(nl_onnx_reader *reader, nl_span bytes) {
  nl_wire wire = nl_wire_open(bytes);
  size_t graphs = 0, fields = 0;
  for (nl_field field; nl_wire_next(&wire, &field); fields++) NL_TRY(read_model_field(reader, &field, &graphs));
  if (fields == 0 && wire.fault != NL_WIRE_SHORT)
    return nl_fail(reader->error, NL_ERROR_NOT_A_MODEL, NULL,
                   "of a kind netlump does not know. Choose a .onnx or .json file");
  if (wire.fault == NL_WIRE_SHORT) return report_truncated(bytes, reader->error);
  NL_TRY(nl_wire_close(&wire, (nl_span){0}, reader->error));
  if (graphs == 0)
    return nl_fail(reader->error, NL_ERROR_NOT_A_MODEL, NULL,
                   "a file without an ONNX network in it. Choose a .onnx or .json file");
  if (graphs > 1) return nl_fail(reader->error, NL_ERROR_MALFORMED, NULL, "it holds two networks");
  return NL_OK;
}

static nl_status check_opset(const nl_onnx_reader *reader) {
  const nl_graph *graph = reader->graph;
  bool needed = graph->node_count == 0; // then there is nothing else to tell a model from other bytes
  for (size_t n = 0; n < graph->node_count && !needed; n++) needed = reader->nodes[n].domain.size == 0;
  if (graph->opset == 0 && needed)
    return nl_fail(reader->error, NL_ERROR_MALFORMED, NULL, "it does not say which operator set (opset) it uses");
  return NL_OK;
}

static nl_status read_parts(nl_onnx_reader *reader, nl_span bytes) {
  NL_TRY(nl_onnx_sniff(bytes, reader->error));
  NL_TRY(read_model(reader, bytes));
  nl_wire wire = nl_wire_open(reader->body);
  for (nl_field field; nl_wire_next(&wire, &field);) continue;
  NL_TRY(nl_wire_close(&wire, (nl_span){0}, reader->error));
  NL_TRY(nl_onnx_read_nodes(reader));
  NL_TRY(check_opset(reader));
  NL_TRY(nl_onnx_read_values(reader));
  return nl_onnx_sort(reader->graph, reader->error);
}

nl_status nl_onnx_read(nl_graph **out, nl_span bytes, nl_error *error) {
  return nl_onnx_read_away(out, bytes, NULL, error);
}

nl_status nl_onnx_read_away(nl_graph **out, nl_span bytes, const nl_store *store, nl_error *error) {
  nl_graph *graph = calloc(1, sizeof *graph);
  if (graph == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *graph, 0);
  graph->source = bytes;
  graph->store = store;
  nl_onnx_reader reader = {.graph = graph, .error = error};
  const nl_status status = read_parts(&reader, bytes);
  nl_arena_free(&reader.scratch);
  nl_buffer_free(&reader.outer_reads);
  if (status != NL_OK) {
    nl_graph_free(graph);
    return status;
  }
  *out = graph;
  return NL_OK;
}

void nl_graph_free(nl_graph *graph) {
  if (graph == NULL) return;
  nl_arena_free(&graph->arena);
  free(graph);
}
