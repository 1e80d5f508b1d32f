// onnx_parts: what the files of the ONNX reader and writer share. Nobody else includes it.
#ifndef NL_ONNX_PARTS_H
#define NL_ONNX_PARTS_H

#include "graph.h"
#include "names.h"
#include "wire.h"

#define NL_INT(number) NL_TAG(number, NL_WIRE_VARINT)
#define NL_BYTES(number) NL_TAG(number, NL_WIRE_BYTES)

// Tags of onnx.proto3, message by message.
enum {
  NL_MODEL_IR_VERSION = NL_INT(1),
  NL_MODEL_PRODUCER_NAME = NL_BYTES(2),
  NL_MODEL_PRODUCER_VERSION = NL_BYTES(3),
  NL_MODEL_GRAPH = NL_BYTES(7),
  NL_MODEL_OPSET_IMPORT = NL_BYTES(8),
  NL_MODEL_METADATA = NL_BYTES(14),
  NL_MODEL_FUNCTIONS = NL_BYTES(25),

  NL_ENTRY_KEY = NL_BYTES(1), // StringStringEntryProto
  NL_ENTRY_VALUE = NL_BYTES(2),

  NL_OPSET_DOMAIN = NL_BYTES(1),
  NL_OPSET_VERSION = NL_INT(2),

  NL_GRAPH_NODE = NL_BYTES(1),
  NL_GRAPH_NAME = NL_BYTES(2),
  NL_GRAPH_INITIALIZER = NL_BYTES(5),
  NL_GRAPH_INPUT = NL_BYTES(11),
  NL_GRAPH_OUTPUT = NL_BYTES(12),
  NL_GRAPH_VALUE_INFO = NL_BYTES(13),
  NL_GRAPH_SPARSE_INITIALIZER = NL_BYTES(15),

  NL_NODE_INPUT = NL_BYTES(1),
  NL_NODE_OUTPUT = NL_BYTES(2),
  NL_NODE_NAME = NL_BYTES(3),
  NL_NODE_OP = NL_BYTES(4),
  NL_NODE_ATTRIBUTE = NL_BYTES(5),
  NL_NODE_DOMAIN = NL_BYTES(7),

  NL_ATTRIBUTE_NAME_TAG = NL_BYTES(1),
  NL_ATTRIBUTE_F_TAG = NL_TAG(2, NL_WIRE_FIXED32),
  NL_ATTRIBUTE_I_TAG = NL_INT(3),
  NL_ATTRIBUTE_S_TAG = NL_BYTES(4),
  NL_ATTRIBUTE_T_TAG = NL_BYTES(5),
  NL_ATTRIBUTE_G_TAG = NL_BYTES(6),
  NL_ATTRIBUTE_STRINGS_TAG = NL_BYTES(9),
  NL_ATTRIBUTE_GRAPHS_TAG = NL_BYTES(11),
  NL_ATTRIBUTE_TYPE_TAG = NL_INT(20),

  NL_TENSOR_TYPE = NL_INT(2),
  NL_TENSOR_STRING_DATA = NL_BYTES(6),
  NL_TENSOR_NAME = NL_BYTES(8),
  NL_TENSOR_RAW = NL_BYTES(9),
  NL_TENSOR_EXTERNAL_DATA = NL_BYTES(13),
  NL_TENSOR_LOCATION = NL_INT(14),
  // Ours alone, between nl_onnx_read_away and whoever took the raw data out: its offset and size in the store, 8 bytes each, little
  // endian.
  NL_TENSOR_AWAY = NL_BYTES(110110110),

  NL_SPARSE_VALUES = NL_BYTES(1),

  NL_INFO_NAME = NL_BYTES(1), // ValueInfoProto
  NL_INFO_TYPE = NL_BYTES(2),
  NL_TYPE_TENSOR = NL_BYTES(1),       // TypeProto
  NL_TYPE_TENSOR_ELEMENT = NL_INT(1), // TypeProto.Tensor
  NL_TYPE_TENSOR_SHAPE = NL_BYTES(2),
  NL_SHAPE_DIMENSION = NL_BYTES(1), // TensorShapeProto
  NL_DIMENSION_VALUE = NL_INT(1),
  NL_DIMENSION_NAME = NL_BYTES(2)
};

enum { NL_AWAY_SIZE = 16 };

// Numbers of repeated number fields.
enum {
  NL_ATTRIBUTE_F_NUMBER = 2,
  NL_ATTRIBUTE_I_NUMBER = 3,
  NL_ATTRIBUTE_FLOATS_NUMBER = 7,
  NL_ATTRIBUTE_INTS_NUMBER = 8,
  NL_TENSOR_DIMS_NUMBER = 1,
  NL_TENSOR_FLOAT_NUMBER = 4,
  NL_TENSOR_INT32_NUMBER = 5,
  NL_TENSOR_INT64_NUMBER = 7,
  NL_TENSOR_DOUBLE_NUMBER = 10,
  NL_TENSOR_UINT64_NUMBER = 11
};

// How many of a thing a model may have; what keeps memory within bounds for a file made of nothing but tiny parts.
enum {
  NL_LIMIT_NODES = 1 << 20,
  NL_LIMIT_TENSORS = 1 << 20,
  NL_LIMIT_ATTRIBUTES = 1 << 21,
  NL_LIMIT_NAMES = 1 << 22,
  NL_LIMIT_DEPTH = 16
};

// What a reading carries along. `scratch` goes when the reading ends.
typedef struct nl_onnx_reader {
  nl_graph *graph;
  nl_span body; // GraphProto
  nl_arena scratch;
  nl_names names; // values
  nl_node *nodes;
  nl_value *values; // (value_room)
  size_t value_count, value_room;
  nl_buffer outer_reads; // nl_outer_read: what subgraphs read from the top level
  nl_error *error;
} nl_onnx_reader;

typedef struct nl_outer_read {
  size_t node, value;
} nl_outer_read;

// onnx_sniff.c: NL_OK when the bytes may be ONNX.
nl_status nl_onnx_sniff(nl_span bytes, nl_error *error);
// onnx_tensor.c
nl_status nl_onnx_read_tensor(nl_graph *graph, nl_span message, size_t node, nl_tensor *tensor, nl_error *error);
nl_status nl_onnx_read_constant_values(nl_arena *arena, nl_span attribute, size_t node, nl_tensor *tensor,
                                       nl_error *error);
bool nl_onnx_is_constant_values(nl_span attribute_name); // value_float, value_floats, value_int, value_ints
// The number field that holds a type's elements in typed storage, and how; 0 for strings and unknown types.
uint32_t nl_onnx_typed_field(nl_type type, nl_wire_type *kind);
// The same for a Constant node's value_float and the like (NL_STORAGE_VALUES).
nl_wire_type nl_onnx_values_field(const nl_tensor *tensor, uint32_t *number);
// onnx_node.c: nodes, their attributes and tensors; inputs and outputs stay names until the values are known.
nl_status nl_onnx_read_nodes(nl_onnx_reader *reader);
// onnx_values.c: values, uses, shapes.
nl_status nl_onnx_read_values(nl_onnx_reader *reader);
// onnx_scope.c: collects reader->outer_reads.
nl_status nl_onnx_read_scopes(nl_onnx_reader *reader);
// onnx_order.c: fills graph->order.
nl_status nl_onnx_sort(nl_graph *graph, nl_error *error);

#endif
