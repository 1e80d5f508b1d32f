// onnx: bytes <-> graph. What is not edited keeps its very bytes.
#ifndef NL_ONNX_H
#define NL_ONNX_H

#include "graph.h"

// Reads a ModelProto. `bytes` must outlive the graph. On success *out is owned by the caller (nl_graph_free).
// Recognises what is not ONNX at all (empty, PNG, zip, git-lfs pointer, HTML, text, ...) and says so.
// Every size in the file is checked against the bytes that are there before memory is taken; nesting is limited.
nl_status nl_onnx_read(nl_graph **out, nl_span bytes, nl_error *error);
// The same for a model whose large tensors were taken out of it (store.h; NULL: none were). The store must outlive the graph. What is
// written of it has them taken out as well.
nl_status nl_onnx_read_away(nl_graph **out, nl_span bytes, const nl_store *store, nl_error *error);
// By a file's first and last bytes: NL_OK where it may be ONNX, else NL_ERROR_NOT_A_MODEL with what it is and the way out.
nl_status nl_onnx_look(nl_span head, nl_span tail, nl_error *error);
void nl_graph_free(nl_graph *graph);

// --- edits: what a smaller model changes. All values in doubles; encoded to the tensor's own type on writing.
typedef struct nl_edits nl_edits;

nl_status nl_edits_create(nl_edits **out, const nl_graph *graph, nl_error *error);
void nl_edits_free(nl_edits *edits);
// Replaces the constant at (node, slot) by `values` (product of dims). Type: the old constant's; when the slot was left
// out or lies just past the last input, `type`, and a new initializer is added. When other nodes read the same tensor
// and are not given the same dims and values, this node gets a copy of its own and the others keep theirs.
// dims and values are copied.
nl_status nl_edits_set_constant(nl_edits *edits, size_t node, size_t slot, nl_type type, size_t rank,
                                const int64_t *dims, const double *values, nl_error *error);
// The same for values that the graph's store keeps at `offset`, encoded to the old constant's type. The slot reads one now.
nl_status nl_edits_set_away(nl_edits *edits, size_t node, size_t slot, size_t rank, const int64_t *dims,
                            uint64_t offset, nl_error *error);
// The same for a constant of whole numbers (int64 or int32), which doubles would not hold exactly. The slot reads one now.
nl_status nl_edits_set_integers(nl_edits *edits, size_t node, size_t slot, size_t rank, const int64_t *dims,
                                const int64_t *values, nl_error *error);
// Number `index` of an attribute of integers, or (index NL_NONE) the number of an attribute of one, which the node has now.
// Everything else of the node keeps its bytes.
nl_status nl_edits_set_attribute_int(nl_edits *edits, size_t node, const char *name, size_t index, int64_t value,
                                     nl_error *error);
// The value's size along `axis_from_end` (1 = last) is now `size`: corrected wherever the file states its shape.
nl_status nl_edits_resize_value(nl_edits *edits, size_t value, size_t axis_from_end, int64_t size, nl_error *error);
// Adds or replaces a metadata_props entry.
nl_status nl_edits_set_metadata(nl_edits *edits, const char *key, const char *text, nl_error *error);

// Writes the edited model into `out` (appended). Without edits (edits NULL or empty) the output equals the source byte
// for byte. External tensors are written inline when anything is edited. A rewritten tensor keeps its name and its unknown fields.
nl_status nl_onnx_write(const nl_graph *graph, const nl_edits *edits, nl_buffer *out, nl_error *error);

// --- large models: a second file for the weights
enum { NL_ONNX_LARGE = 1000 * 1000 * 1000 };

// Filled by nl_onnx_write_split: what stands where in the second file. Unedited tensors stay where they are, in the source's own
// files, which must outlive it; edited ones are kept here.
typedef struct nl_weights_piece {
  uint64_t offset;
  nl_span bytes;
} nl_weights_piece;

typedef struct nl_weights_file {
  nl_span name; // in: what the model calls the file; outlives this
  size_t limit; // in: a model of more bytes is split; 0: NL_ONNX_LARGE
  nl_arena arena;
  size_t count;
  nl_weights_piece *pieces; // (count) by rising offset
  uint64_t size;            // 0: there is no second file
} nl_weights_file;

// As nl_onnx_write, but tensors that were external stay external, all in the one file of `weights`, when the model in one file
// would be larger than the limit. Beyond 2 GiB less 16 MiB, near what protobuf and ONNX Runtime refuse, initializers that
// were inside move out too. Offsets are multiples of 64, of large tensors of 4096; an external tensor's checksum goes, its other entries stay.
nl_status nl_onnx_write_split(const nl_graph *graph, const nl_edits *edits, nl_weights_file *weights, nl_buffer *out,
                              nl_error *error);
// Appends the second file's bytes.
nl_status nl_weights_file_append(const nl_weights_file *weights, nl_buffer *out, nl_error *error);
void nl_weights_file_free(nl_weights_file *weights); // leaves name and limit

// --- building a small model from nothing (used by the converters from other formats)
typedef struct nl_onnx_builder nl_onnx_builder;
nl_status nl_onnx_builder_create(nl_onnx_builder **out, const char *producer, const char *graph_name, int64_t opset,
                                 nl_error *error);
void nl_onnx_builder_free(nl_onnx_builder *builder);
// dims: -1 is the dynamic batch axis ("batch"), -2 another one whose size is not known
nl_status nl_onnx_builder_input(nl_onnx_builder *b, const char *name, size_t rank, const int64_t *dims,
                                nl_error *error);
nl_status nl_onnx_builder_output(nl_onnx_builder *b, const char *name, size_t rank, const int64_t *dims,
                                 nl_error *error);
nl_status nl_onnx_builder_tensor(nl_onnx_builder *b, const char *name, size_t rank, const int64_t *dims,
                                 const double *values, nl_error *error); // f32
nl_status nl_onnx_builder_whole(nl_onnx_builder *b, const char *name, size_t count, const int64_t *values,
                                nl_error *error); // i64 (count)
// A node is opened, gets its attributes one by one, and is closed. An empty name stands for an input left out.
nl_status nl_onnx_builder_open(nl_onnx_builder *b, const char *op, const char *name, size_t input_count,
                               const char *const *inputs, const char *output, nl_error *error);
nl_status nl_onnx_builder_int(nl_onnx_builder *b, const char *name, int64_t value, nl_error *error);
nl_status nl_onnx_builder_float(nl_onnx_builder *b, const char *name, double value, nl_error *error);
nl_status nl_onnx_builder_text(nl_onnx_builder *b, const char *name, const char *value, nl_error *error);
nl_status nl_onnx_builder_ints(nl_onnx_builder *b, const char *name, size_t count, const int64_t *values,
                               nl_error *error);
nl_status nl_onnx_builder_close(nl_onnx_builder *b, nl_error *error);
// The same at once. attributes: `ints` and `floats` as parallel name/value arrays
nl_status nl_onnx_builder_node(nl_onnx_builder *b, const char *op, const char *name, size_t input_count,
                               const char *const *inputs, const char *output, size_t int_count,
                               const char *const *int_names, const int64_t *ints, size_t float_count,
                               const char *const *float_names, const double *floats, nl_error *error);
void nl_onnx_builder_need(nl_onnx_builder *b, int64_t opset); // raises the opset to at least this one
nl_status nl_onnx_builder_finish(nl_onnx_builder *b, nl_buffer *out, nl_error *error);

#endif
