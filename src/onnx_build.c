// onnx_build: a model from nothing. The parts of the GraphProto gather in buffers and are joined at the end.
#include <stdlib.h>
#include <string.h>

#include "onnx_shape.h"

struct nl_onnx_builder {
  int64_t opset;
  nl_span producer, graph_name; // borrowed from `texts`
  nl_arena texts;
  nl_buffer nodes, initializers, inputs, outputs;
  size_t mark; // of the node that is open
};

static nl_span span_of(const char *text) { return (nl_span){(const uint8_t *)text, strlen(text)}; }

static nl_status keep_text(nl_onnx_builder *b, const char *text, nl_span *kept, nl_error *error) {
  uint8_t *bytes;
  NL_TAKE(&b->texts, bytes, uint8_t, strlen(text) + 1, error);
  memcpy(bytes, text, strlen(text));
  *kept = (nl_span){bytes, strlen(text)};
  return NL_OK;
}

nl_status nl_onnx_builder_create(nl_onnx_builder **out, const char *producer, const char *graph_name, int64_t opset,
                                 nl_error *error) {
  nl_onnx_builder *b = calloc(1, sizeof *b);
  if (b == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *b, 0);
  b->opset = opset;
  nl_status status = keep_text(b, producer, &b->producer, error);
  if (status == NL_OK) status = keep_text(b, graph_name, &b->graph_name, error);
  if (status == NL_OK)
    *out = b;
  else
    nl_onnx_builder_free(b);
  return status;
}

void nl_onnx_builder_free(nl_onnx_builder *b) {
  if (b == NULL) return;
  nl_arena_free(&b->texts);
  nl_buffer_free(&b->nodes);
  nl_buffer_free(&b->initializers);
  nl_buffer_free(&b->inputs);
  nl_buffer_free(&b->outputs);
  free(b);
}

nl_status nl_onnx_builder_input(nl_onnx_builder *b, const char *name, size_t rank, const int64_t *dims,
                                nl_error *error) {
  return nl_onnx_put_info(&b->inputs, NL_GRAPH_INPUT >> 3, span_of(name), NL_TYPE_F32, rank, dims, error);
}

nl_status nl_onnx_builder_output(nl_onnx_builder *b, const char *name, size_t rank, const int64_t *dims,
                                 nl_error *error) {
  return nl_onnx_put_info(&b->outputs, NL_GRAPH_OUTPUT >> 3, span_of(name), NL_TYPE_F32, rank, dims, error);
}

nl_status nl_onnx_builder_tensor(nl_onnx_builder *b, const char *name, size_t rank, const int64_t *dims,
                                 const double *values, nl_error *error) {
  nl_buffer *out = &b->initializers;
  size_t mark, count = 1;
  for (size_t i = 0; i < rank; i++) count *= (size_t)dims[i];
  NL_TRY(nl_wire_begin(out, NL_GRAPH_INITIALIZER >> 3, &mark, error));
  for (size_t i = 0; i < rank; i++) NL_TRY(nl_wire_put_int(out, NL_TENSOR_DIMS_NUMBER, dims[i], error));
  NL_TRY(nl_wire_put_int(out, NL_TENSOR_TYPE >> 3, NL_TYPE_F32, error));
  NL_TRY(nl_wire_put_text(out, NL_TENSOR_NAME >> 3, name, error));
  NL_TRY(nl_wire_put_varint(out, NL_TENSOR_RAW, error));
  NL_TRY(nl_wire_put_varint(out, count * 4, error));
  NL_TRY(nl_buffer_append(out, NULL, count * 4, error));
  nl_tensor_encode(NL_TYPE_F32, values, count, out->bytes + out->size - count * 4);
  return nl_wire_end(out, mark, error);
}

nl_status nl_onnx_builder_whole(nl_onnx_builder *b, const char *name, size_t count, const int64_t *values,
                                nl_error *error) {
  nl_buffer *out = &b->initializers;
  size_t mark;
  NL_TRY(nl_wire_begin(out, NL_GRAPH_INITIALIZER >> 3, &mark, error));
  NL_TRY(nl_wire_put_int(out, NL_TENSOR_DIMS_NUMBER, (int64_t)count, error));
  NL_TRY(nl_wire_put_int(out, NL_TENSOR_TYPE >> 3, NL_TYPE_I64, error));
  for (size_t i = 0; i < count; i++) NL_TRY(nl_wire_put_int(out, NL_TENSOR_INT64_NUMBER, values[i], error));
  NL_TRY(nl_wire_put_text(out, NL_TENSOR_NAME >> 3, name, error));
  return nl_wire_end(out, mark, error);
}

// ---- nodes -----------------------------------------------------------------------------------------------------------

nl_status nl_onnx_builder_open(nl_onnx_builder *b, const char *op, const char *name, size_t input_count,
                               const char *const *inputs, const char *output, nl_error *error) {
  nl_buffer *out = &b->nodes;
  NL_TRY(nl_wire_begin(out, NL_GRAPH_NODE >> 3, &b->mark, error));
  for (size_t i = 0; i < input_count; i++) NL_TRY(nl_wire_put_text(out, NL_NODE_INPUT >> 3, inputs[i], error));
  NL_TRY(nl_wire_put_text(out, NL_NODE_OUTPUT >> 3, output, error));
  NL_TRY(nl_wire_put_text(out, NL_NODE_NAME >> 3, name, error));
  return nl_wire_put_text(out, NL_NODE_OP >> 3, op, error);
}

nl_status nl_onnx_builder_close(nl_onnx_builder *b, nl_error *error) { return nl_wire_end(&b->nodes, b->mark, error); }

static nl_status open_attribute(nl_onnx_builder *b, const char *name, size_t *mark, nl_error *error) {
  NL_TRY(nl_wire_begin(&b->nodes, NL_NODE_ATTRIBUTE >> 3, mark, error));
  return nl_wire_put_text(&b->nodes, NL_ATTRIBUTE_NAME_TAG >> 3, name, error);
}

static nl_status close_attribute(nl_onnx_builder *b, nl_attribute_type type, size_t mark, nl_error *error) {
  NL_TRY(nl_wire_put_int(&b->nodes, NL_ATTRIBUTE_TYPE_TAG >> 3, type, error));
  return nl_wire_end(&b->nodes, mark, error);
}

nl_status nl_onnx_builder_int(nl_onnx_builder *b, const char *name, int64_t value, nl_error *error) {
  size_t mark;
  NL_TRY(open_attribute(b, name, &mark, error));
  NL_TRY(nl_wire_put_int(&b->nodes, NL_ATTRIBUTE_I_NUMBER, value, error));
  return close_attribute(b, NL_ATTRIBUTE_INT, mark, error);
}

nl_status nl_onnx_builder_float(nl_onnx_builder *b, const char *name, double value, nl_error *error) {
  size_t mark;
  NL_TRY(open_attribute(b, name, &mark, error));
  NL_TRY(nl_wire_put_float(&b->nodes, NL_ATTRIBUTE_F_NUMBER, (float)value, error));
  return close_attribute(b, NL_ATTRIBUTE_FLOAT, mark, error);
}

nl_status nl_onnx_builder_text(nl_onnx_builder *b, const char *name, const char *value, nl_error *error) {
  size_t mark;
  NL_TRY(open_attribute(b, name, &mark, error));
  NL_TRY(nl_wire_put_text(&b->nodes, NL_ATTRIBUTE_S_TAG >> 3, value, error));
  return close_attribute(b, NL_ATTRIBUTE_STRING, mark, error);
}

nl_status nl_onnx_builder_ints(nl_onnx_builder *b, const char *name, size_t count, const int64_t *values,
                               nl_error *error) {
  size_t mark;
  NL_TRY(open_attribute(b, name, &mark, error));
  for (size_t i = 0; i < count; i++) NL_TRY(nl_wire_put_int(&b->nodes, NL_ATTRIBUTE_INTS_NUMBER, values[i], error));
  return close_attribute(b, NL_ATTRIBUTE_INTS, mark, error);
}

nl_status nl_onnx_builder_node(nl_onnx_builder *b, const char *op, const char *name, size_t input_count,
                               const char *const *inputs, const char *output, size_t int_count,
                               const char *const *int_names, const int64_t *ints, size_t float_count,
                               const char *const *float_names, const double *floats, nl_error *error) {
  NL_TRY(nl_onnx_builder_open(b, op, name, input_count, inputs, output, error));
  for (size_t i = 0; i < int_count; i++) NL_TRY(nl_onnx_builder_int(b, int_names[i], ints[i], error));
  for (size_t i = 0; i < float_count; i++) NL_TRY(nl_onnx_builder_float(b, float_names[i], floats[i], error));
  return nl_onnx_builder_close(b, error);
}

// ---- the whole -------------------------------------------------------------------------------------------------------

void nl_onnx_builder_need(nl_onnx_builder *b, int64_t opset) { b->opset = b->opset < opset ? opset : b->opset; }

// The IR version of the ONNX release that brought the opset, so that no reader refuses a file for being too new.
static int64_t ir_version_for(int64_t opset) { return opset < 15 ? 7 : opset < 19 ? 8 : opset < 21 ? 9 : 10; }

nl_status nl_onnx_builder_finish(nl_onnx_builder *b, nl_buffer *out, nl_error *error) {
  size_t graph, import;
  const nl_buffer *parts[] = {&b->nodes, &b->initializers, &b->inputs, &b->outputs};
  NL_TRY(nl_wire_put_int(out, NL_MODEL_IR_VERSION >> 3, ir_version_for(b->opset), error));
  NL_TRY(nl_wire_put_bytes(out, NL_MODEL_PRODUCER_NAME >> 3, b->producer, error));
  NL_TRY(nl_wire_begin(out, NL_MODEL_GRAPH >> 3, &graph, error));
  NL_TRY(nl_wire_put_bytes(out, NL_GRAPH_NAME >> 3, b->graph_name, error));
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    NL_TRY(nl_buffer_append(out, parts[i]->bytes, parts[i]->size, error));
  NL_TRY(nl_wire_end(out, graph, error));
  NL_TRY(nl_wire_begin(out, NL_MODEL_OPSET_IMPORT >> 3, &import, error));
  NL_TRY(nl_wire_put_text(out, NL_OPSET_DOMAIN >> 3, "", error));
  NL_TRY(nl_wire_put_int(out, NL_OPSET_VERSION >> 3, b->opset, error));
  return nl_wire_end(out, import, error);
}
