// graph: an ONNX model as nodes, values and tensors that point into the file's own bytes.
//
// Nothing is copied: names, payloads and whole messages are spans of the source, which must outlive the graph. That is
// what lets every part nobody edits keep its very bytes (fields we do not know included).
//
// Invariants of a loaded graph: names of values are unique; every node input is NL_NONE (left out) or a value; every
// value is a graph input, an initializer, a node's output, or a name of an outer scope's (never at top level); `order`
// lists each node after the nodes it reads from; a tensor's dims are >= 0 and their product is `count`; a tensor stored
// inline has exactly the bytes its count needs.
#ifndef NL_GRAPH_H
#define NL_GRAPH_H

#include <stdbool.h>

#include "arena.h"
#include "store.h"
#include "types.h"

#define NL_NONE SIZE_MAX

typedef enum nl_storage {
  NL_STORAGE_RAW,      // `payload` holds the elements, little endian
  NL_STORAGE_TYPED,    // float_data, int32_data ...: read them through nl_tensor_read
  NL_STORAGE_EXTERNAL, // in another file; `payload` is empty until nl_graph_attach gave the file's bytes
  NL_STORAGE_VALUES,   // a Constant node's value_float, value_floats, value_int or value_ints
  NL_STORAGE_AWAY      // in the graph's store, at `offset`; of `payload` the size alone is there
} nl_storage;

typedef struct nl_tensor {
  nl_span name;
  nl_type type;
  size_t rank;
  const int64_t *dims; // (rank)
  size_t count;        // product of dims; 1 for a scalar
  nl_storage storage;
  nl_span payload;
  nl_span message;  // the TensorProto's bytes without tag and length (VALUES: the AttributeProto's)
  size_t node;      // the Constant node that holds it, NL_NONE for an initializer
  nl_span location; // EXTERNAL: file name as written in the model; offset and length there
  uint64_t offset;
  uint64_t length;       // 0: to the end as count asks
  const nl_store *store; // AWAY
} nl_tensor;

typedef enum nl_attribute_type { // ONNX AttributeProto.AttributeType
  NL_ATTRIBUTE_FLOAT = 1,
  NL_ATTRIBUTE_INT = 2,
  NL_ATTRIBUTE_STRING = 3,
  NL_ATTRIBUTE_TENSOR = 4,
  NL_ATTRIBUTE_GRAPH = 5,
  NL_ATTRIBUTE_FLOATS = 6,
  NL_ATTRIBUTE_INTS = 7,
  NL_ATTRIBUTE_STRINGS = 8
} nl_attribute_type;

typedef struct nl_attribute {
  nl_span name;
  int type; // nl_attribute_type, or another number for kinds netlump does not read
  double f;
  int64_t i;
  nl_span s;
  size_t count;         // of ints or floats
  const int64_t *ints;  // (count)
  const double *floats; // (count)
  size_t tensor;        // index into graph tensors, or NL_NONE
} nl_attribute;

typedef struct nl_node {
  nl_span name; // may be empty
  nl_span op;
  nl_span domain; // empty for ai.onnx ("ai.onnx" is read as empty)
  size_t input_count;
  const size_t *inputs; // values; NL_NONE where an optional input is left out
  size_t output_count;
  const size_t *outputs; // values; NL_NONE where left out
  size_t attribute_count;
  const nl_attribute *attributes;
  bool has_subgraph;
  nl_span message; // the NodeProto's bytes without tag and length
} nl_node;

typedef struct nl_use {
  size_t node;
  size_t slot; // input position, or NL_NONE when a subgraph of the node reads the value by name
} nl_use;

typedef struct nl_value {
  nl_span name;
  size_t producer; // node, or NL_NONE
  size_t tensor;   // its constant: initializer, or the producing Constant node's; NL_NONE otherwise
  size_t use_count;
  const nl_use *uses;
  bool is_input; // listed as graph input (initializers may be, in old files)
  bool is_output;
  nl_type type; // from input, output or value_info; NL_TYPE_NONE when unknown
  bool rank_known;
  size_t rank;
  const int64_t *dims; // (rank), -1 where dynamic
} nl_value;

typedef struct nl_place { // a constant: input `slot` of `node`; node is NL_NONE where there is none
  size_t node;
  size_t slot;
} nl_place;

typedef struct nl_graph {
  nl_arena arena;
  nl_span source;
  const nl_store *store; // where its large tensors are, NULL: all in the source
  int64_t ir_version;
  int64_t opset; // of ai.onnx
  nl_span producer_name, producer_version;
  size_t node_count;
  const nl_node *nodes; // file order
  const size_t *order;  // (node_count) topological
  size_t value_count;
  const nl_value *values;
  size_t tensor_count;
  nl_tensor *tensors;
  size_t input_count; // true inputs: those without an initializer
  const size_t *inputs;
  size_t output_count;
  const size_t *outputs;
  size_t function_count;     // model-local functions (left alone)
  bool has_netlump_metadata; // the file came from netlump already
} nl_graph;

// --- names and attributes
bool nl_span_is(nl_span span, const char *text);
bool nl_span_equal(nl_span a, nl_span b);
bool nl_span_starts(nl_span span, const char *text);
bool nl_span_ends(nl_span span, const char *text);
bool nl_span_among(nl_span span, size_t count, const char *const *texts);
const nl_attribute *nl_node_attribute(const nl_node *node, const char *name); // NULL when absent
int64_t nl_node_int(const nl_node *node, const char *name, int64_t otherwise);
double nl_node_float(const nl_node *node, const char *name, double otherwise);
// The constant tensor at an input of a node; NULL when it is left out, absent or not constant.
const nl_tensor *nl_node_constant(const nl_graph *graph, const nl_node *node, size_t slot);
// Where the constant that a node reads can be edited: the slot itself, or that of an Identity or widening Cast nobody else reads
// (exporters write Identity where two parameters are equal, Cast where weights are stored in half precision).
nl_place nl_node_place(const nl_graph *graph, size_t node, size_t slot);

// --- tensors (tensor.c)
bool nl_type_is_float(nl_type type);   // f16, bf16, f32, f64
double nl_type_rounding(nl_type type); // of a number of such a type, at most, relative; 0 of others
size_t nl_type_size(nl_type type);     // bytes an element takes in raw data; 0 for strings and unknown
// All `count` elements as doubles (floats exactly; f16 and bf16 widened; integers up to 2^53) or as int64.
// Errors: NL_ERROR_EXTERNAL when the bytes are in a file not attached, NL_ERROR_UNSUPPORTED for strings.
nl_status nl_tensor_read(const nl_tensor *tensor, double *dst, nl_error *error);
// The same for `count` elements from `first` on, of a tensor that is RAW or AWAY.
nl_status nl_tensor_read_part(const nl_tensor *tensor, size_t first, size_t count, double *dst, nl_error *error);
nl_status nl_tensor_read_int(const nl_tensor *tensor, int64_t *dst, nl_error *error);
size_t nl_graph_parameters(const nl_graph *graph); // elements of all float tensors: weights, biases, other constants
// Elements to little-endian raw bytes of `type` (float types only), rounding to nearest even; dst holds count*size bytes.
void nl_tensor_encode(nl_type type, const double *values, size_t count, uint8_t *dst);
void nl_tensor_encode_int(nl_type type, const int64_t *values, size_t count,
                          uint8_t *dst); // integer types; lowest bits

// Gives the bytes of an external-data file; every tensor whose location equals `name` points into it from now on.
// Errors: NL_ERROR_TRUNCATED when a tensor reaches beyond the file.
nl_status nl_graph_attach(nl_graph *graph, nl_span name, nl_span bytes, nl_error *error);
// The first external file still missing, or an empty span.
nl_span nl_graph_missing_file(const nl_graph *graph);

// By slices, for files too large to be had whole: what of that file comes next, in pieces of some 64 MB, or one tensor where
// that is larger. A size of UINT64_MAX: to the end of the file.
typedef struct nl_slice {
  uint64_t offset, size;
} nl_slice;
nl_slice nl_graph_missing_slice(const nl_graph *graph);
// All that is missing, of all files together.
uint64_t nl_graph_missing_bytes(const nl_graph *graph);
// Gives the bytes from `offset` on to the missing tensors that lie within; one that begins there must.
nl_status nl_graph_attach_slice(nl_graph *graph, nl_span name, uint64_t offset, nl_span bytes, nl_error *error);

#endif
