// shape: sizes of a graph's values as far as they are known before it runs, from the model's inputs, its constants,
// value_info and what each operator does to sizes (ONNX operator specification, opset 7 to 25).
//
// Small integer values (what Shape, Gather, Concat ... hand to Reshape, Resize, Slice, Expand) are followed element by element.
#ifndef NL_SHAPE_H
#define NL_SHAPE_H

#include "graph.h"

enum { NL_SHAPE_RANK_MOST = 16, NL_SHAPE_ELEMENTS_MOST = 64 };

// One element of an integer value: a number, made of constants alone; the size of an axis of some value, which Shape takes
// when the model runs; or neither (computed from sizes, or not understood).
typedef enum nl_element_kind { NL_ELEMENT_UNKNOWN, NL_ELEMENT_NUMBER, NL_ELEMENT_SIZE } nl_element_kind;

#define NL_ELEMENT_OPEN INT64_MIN // of any kind but NUMBER, which may be just that

typedef struct nl_element {
  nl_element_kind kind;
  int64_t number;     // what it is in the model as it stands, of whatever kind; NL_ELEMENT_OPEN where not known
  size_t value, axis; // SIZE: axis of that value, from the front; else value is NL_NONE
  size_t constant,
      constant_at; // NUMBER: the value (a constant) and position it stands at, NL_NONE where it is computed
} nl_element;

bool nl_element_number(const nl_element *element, int64_t *number); // false where it is not known

typedef struct nl_shape {
  bool known; // the rank is
  size_t rank;
  const int64_t *dims; // (rank), -1 where unknown
  const int64_t *open; // (rank) the same, but below -1 where unknown: equal numbers stand for the same size
  size_t element_count;
  const nl_element *elements; // NULL unless it is an integer value whose elements are followed
} nl_shape;

typedef struct nl_shapes {
  const nl_graph *graph;
  nl_arena arena;
  nl_shape *values; // (value_count)
} nl_shapes;

// Never fails because of a strange graph: what it does not understand stays unknown. Values stated in the file (inputs,
// outputs, value_info) keep the stated sizes where inference knows nothing better; where both are known and differ, unknown.
nl_status nl_shapes_create(nl_shapes *out, const nl_graph *graph, nl_error *error);
void nl_shapes_free(nl_shapes *shapes);

#endif
