// onnx_edits: what edits are made of, and the plan that says what each means for tensors, nodes and shapes. Shared by
// onnx_edit.c (collects), onnx_plan.c (decides), onnx_write.c and onnx_split.c (write); nobody else includes it.
#ifndef NL_ONNX_EDITS_H
#define NL_ONNX_EDITS_H

#include "onnx.h"
#include "onnx_parts.h"

typedef struct nl_constant_edit {
  struct nl_constant_edit *next; // of the same node, by rising slot
  size_t index;                  // among all constant edits
  size_t slot;
  nl_type type;
  size_t rank;
  const int64_t *dims; // (rank)
  size_t count;
  const double *values;    // (count), or NULL where
  const int64_t *integers; // (count) these are it, or
  uint64_t away;           // where the store keeps them; 0: here
} nl_constant_edit;

typedef struct nl_attribute_edit {
  struct nl_attribute_edit *next; // of the same node
  size_t attribute, index;        // its position among the node's; NL_NONE: of an attribute of one number
  int64_t value;
} nl_attribute_edit;

typedef struct nl_size_edit {
  struct nl_size_edit *next; // of the same value
  size_t axis_from_end;
  int64_t size;
} nl_size_edit;

typedef struct nl_metadata_edit {
  struct nl_metadata_edit *next;
  nl_span key, text;
} nl_metadata_edit;

struct nl_edits {
  nl_arena arena;
  const nl_graph *graph;
  nl_constant_edit **constants;   // (node_count)
  nl_attribute_edit **attributes; // (node_count)
  nl_size_edit **sizes;           // (value_count)
  nl_metadata_edit *metadata;
  size_t constant_count;
  bool any;
};

// Where the value a slot reads comes from once the edits are made.
typedef struct nl_settlement {
  bool settled;
  nl_span name;   // the initializer to read instead of the old one; empty: the old one, rewritten
  bool adds_name; // this edit adds that initializer; without it another edit with the same values does
} nl_settlement;

typedef struct nl_plan {
  const nl_graph *graph;
  const nl_edits *edits;
  nl_arena arena;
  nl_names names;                     // values of the graph
  const nl_constant_edit **rewritten; // (tensor_count) what becomes of a tensor, NULL: it stays
  nl_settlement *settlements;         // (constant_count)
  size_t fresh_count;                 // names made up so far
} nl_plan;

nl_constant_edit *nl_edits_find(const nl_edits *edits, size_t node, size_t slot); // NULL when not edited
nl_status nl_plan_create(nl_plan *plan, const nl_graph *graph, const nl_edits *edits, nl_error *error);
void nl_plan_free(nl_plan *plan);

// onnx_split.c: which tensors go into the second file, and their place there.
typedef struct nl_split {
  nl_weights_file *file; // NULL: there is none
  bool keeps;            // what is external stays so
  bool moves;            // other initializers go there too
} nl_split;

// file may be NULL.
nl_status nl_split_create(nl_split *split, const nl_plan *plan, nl_weights_file *file, nl_error *error);
// Whether `size` bytes in place of `old` (NULL: a constant that was not there) go into the second file.
bool nl_split_takes(const nl_split *split, const nl_tensor *old, size_t size);
// Places `data` and writes the fields of a TensorProto that say where. The bytes must outlive the file.
nl_status nl_split_put(const nl_split *split, const nl_tensor *old, nl_span data, nl_buffer *out, nl_error *error);

#endif
