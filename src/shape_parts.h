// shape_parts: what the rules of shape share. Nobody else includes it.
//
// While sizes are inferred, one that is not known is a number below -1 that stands for it wherever the same size appears:
// so a Reshape to (batch, -1) knows what is left for -1 though it does not know the batch. -1 itself stands for nothing;
// a value that is given it gets a number of its own. In the end all of them become -1.
#ifndef NL_SHAPE_PARTS_H
#define NL_SHAPE_PARTS_H

#include "shape.h"

#define NL_SIZE_MOST ((int64_t)1 << 53) // a size beyond is not believed

typedef struct nl_shaping {
  nl_shapes *shapes;
  const nl_graph *graph;
  const nl_node *node; // whose outputs are inferred
  int64_t next_open;   // the next size nobody has
  size_t elements_left;
  nl_error *error;
} nl_shaping;

// Says what it knows of the outputs of s->node; fails for want of memory only.
typedef nl_status nl_shape_rule(nl_shaping *s);
nl_shape_rule *nl_shape_rule_of(const nl_node *node); // shape_ops.c; NULL where there is none

// ---- shape.c
const nl_shape *nl_shaping_input(const nl_shaping *s, size_t slot);    // NULL where left out or of unknown rank
const nl_shape *nl_shaping_integers(const nl_shaping *s, size_t slot); // its elements are followed; else NULL
nl_status nl_shaping_set(nl_shaping *s, size_t slot, size_t rank, const int64_t *dims);
nl_status nl_shaping_copy(nl_shaping *s, size_t slot, const nl_shape *shape); // sizes only; NULL: nothing
// -1 unless both are numbers; beyond NL_SIZE_MOST too.
int64_t nl_size_add(int64_t a, int64_t b);
int64_t nl_size_multiply(int64_t a, int64_t b);
int64_t nl_size_product(size_t rank, const int64_t *dims); // of one size: that size, though it is open
int64_t nl_size_broadcast(int64_t a, int64_t b);
bool nl_shape_axis(int64_t axis, size_t rank, size_t *out); // negative ones count from the end; false when out of range

// Whole numbers a node is given as an attribute or, in later operator sets, as an input.
typedef struct nl_given {
  bool given;            // false: left out
  bool known;            // how many there are is
  size_t count;          // at most NL_SHAPE_ELEMENTS_MOST
  const int64_t *ints;   // (count) of an attribute, or NULL
  const nl_shape *shape; // of an input, or NULL
} nl_given;
nl_given nl_shaping_given(const nl_shaping *s, const char *name,
                          size_t slot); // name NULL: no attribute; slot NL_NONE: no input
bool nl_given_at(const nl_given *given, size_t index, int64_t *number); // false where the number is not known
// Which axes of `rank` are named: marks them. False when that is not known.
bool nl_given_axes(const nl_given *given, size_t rank, bool *marked);

// ---- shape_elements.c: each gives the output's elements where its sizes and the inputs' elements are known
nl_status nl_shaping_keep_elements(nl_shaping *s, size_t slot); // the same elements in the same order
nl_status nl_shaping_view_elements(nl_shaping *s, size_t base,
                                   const ptrdiff_t *strides); // element Σ index*stride of input 0
nl_status nl_shaping_concat_elements(nl_shaping *s, size_t axis);
nl_status nl_shaping_gather_elements(nl_shaping *s, size_t axis);
nl_status nl_shaping_fill_elements(nl_shaping *s, int64_t number);
nl_status nl_shaping_combine_elements(nl_shaping *s); // Add, Sub, Mul, Div, Min, Max, Equal
nl_status nl_shaping_where_elements(nl_shaping *s);
nl_status nl_shaping_shape_elements(nl_shaping *s, size_t start);
nl_status nl_shaping_constant_elements(nl_shaping *s, size_t value);

// ---- shape_layers.c
nl_shape_rule nl_shape_conv, nl_shape_conv_transpose, nl_shape_pool, nl_shape_global_pool, nl_shape_gemm,
    nl_shape_matmul;

// ---- shape_move.c
nl_shape_rule nl_shape_transpose, nl_shape_flatten, nl_shape_reshape, nl_shape_squeeze, nl_shape_unsqueeze,
    nl_shape_concat, nl_shape_split, nl_shape_slice, nl_shape_gather, nl_shape_expand, nl_shape_tile,
    nl_shape_depth_to_space, nl_shape_space_to_depth;

// ---- shape_resize.c
nl_shape_rule nl_shape_pad, nl_shape_resize;

#endif
