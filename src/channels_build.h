// channels_build: what the files of channels share: the walk over the nodes, and groups while they are still found out.
//
// While the walk goes on, a *root* stands for a set of channels (union-find). A root may turn out to be made of others: a
// layer behind a Concat is tied to a layer as wide as the whole. Then it is *replaced* by a strip of the same length, and
// stays known under its number. A *strip* is what lies along one axis: segments that name roots. In the end strips name
// groups (channels_find.c).
#ifndef NL_CHANNELS_BUILD_H
#define NL_CHANNELS_BUILD_H

#include "channels.h"

enum { NL_STRIP_MOST = 4096 }; // segments; a longer strip is left whole

typedef struct nl_strip {
  size_t count, length;       // segments; elements along the axis
  const nl_segment *segments; // (count) `group` is a root
  struct nl_strip *newer;     // the same after roots were replaced, NULL where nothing is known of that
  const nl_segment *settled;  // (count) at the end: the same in groups
} nl_strip;

// Where the channels of a value lie. strip NULL: not followed.
typedef struct nl_trail {
  nl_strip *strip;
  size_t back;
  bool zeros; // holds zeros that a Pad wrote
} nl_trail;

typedef struct nl_root {
  size_t parent, width;
  nl_reason reason;
  size_t reason_node;
  size_t weight;   // scratch of nl_trace_as_long; else 0
  nl_strip *strip; // what it is made of; NULL where it stands for itself
} nl_root;

// Why a value that is not followed is not: what it is tied to is left whole for the same reason.
typedef struct nl_origin {
  nl_reason reason;
  size_t node;
} nl_origin;

typedef struct nl_traced_linear {
  nl_linear linear;
  nl_strip *in, *out;
} nl_traced_linear;

typedef struct nl_traced_rider {
  nl_place place;
  size_t back;
  nl_strip *strip;
} nl_traced_rider;

typedef struct nl_traced_statement {
  nl_statement statement;
  nl_strip *strip;
  size_t shared;      // a value that others may read too, NL_NONE: nobody does
  size_t asked, next; // channels_counts.c: how many ask for the same
  bool repeats;       // another asked first
} nl_traced_statement;

typedef struct nl_tracing {
  nl_channels *channels;
  nl_arena arena; // until the walk is over
  const nl_graph *graph;
  const nl_shapes *shapes;
  nl_error *error;
  nl_status status; // NL_OK, or why the walk must stop
  nl_trail *trails; // (values)
  nl_origin *origins;
  size_t *counted; // an integer value some element of which counts the channels of this value; NL_NONE: none does
  nl_reason *left; // (nodes)
  bool *absorbed;  // (nodes) an Add that is the bias of the product before it
  nl_root *roots;
  size_t root_count, root_room;
  size_t *replaced; // roots in the order of their replacement: each before those it is made of are replaced
  size_t replaced_count, replaced_room;
  nl_traced_linear *linears;
  size_t linear_count, linear_room;
  nl_traced_rider *riders;
  size_t rider_count, rider_room;
  nl_traced_statement *statements;
  size_t statement_count, statement_room;
  nl_strip nothing;  // what a strip is when memory is out
  nl_segment *piles; // scratch of channels_groups.c
  size_t work_left;  // segments that may still be looked at, so that no graph takes long
} nl_tracing;

// ---- channels_groups.c
// Memory that is out is noted in t->status; what is returned can be used all the same.
size_t nl_trace_root(nl_tracing *t, size_t width, nl_reason reason, size_t node);
nl_strip *nl_trace_strip(nl_tracing *t, size_t count, const nl_segment *segments); // copies
nl_strip *nl_trace_fresh(nl_tracing *t, size_t width);                             // one new root
nl_strip *nl_trace_fixed(nl_tracing *t, size_t width, nl_reason reason, size_t node);
nl_strip *nl_trace_current(nl_tracing *t, nl_strip *strip); // without roots that were replaced
void nl_trace_pin(nl_tracing *t, const nl_strip *strip, nl_reason reason, size_t node); // the first reason stays
bool nl_trace_pinned(nl_tracing *t, nl_strip *strip);                                   // every root is
// Element i of one belongs to element i of the other; pins what cannot be brought together. Lengths must agree.
void nl_trace_tie(nl_tracing *t, nl_strip *a, nl_strip *b, size_t node);
nl_strip *nl_trace_spread(nl_tracing *t, nl_strip *strip, size_t run);   // each element `run` times on end
nl_strip *nl_trace_repeat(nl_tracing *t, nl_strip *strip, size_t tile);  // the whole `tile` times; NULL: too long
nl_strip *nl_trace_chain(nl_tracing *t, size_t count, nl_strip **parts); // NULL: too long
nl_strip *nl_trace_part(nl_tracing *t, nl_strip *strip, size_t from, size_t length); // NULL: not between channels
bool nl_trace_same(nl_tracing *t, nl_strip *a, nl_strip *b);                         // the very same roots
bool nl_trace_as_long(nl_tracing *t, nl_strip *a, nl_strip *b);                      // however many channels are kept
// The strip is made of one root only, each of whose channels takes `times` elements.
bool nl_trace_multiple(nl_tracing *t, nl_strip *strip, size_t *width, size_t *times);
size_t nl_trace_find(const nl_tracing *t, size_t root);
void nl_trace_inherit(nl_tracing *t); // what pins a root pins what it is made of
// The array with room for one more than its `count` elements of `size` bytes; NULL when memory is out.
void *nl_trace_grown(nl_tracing *t, void *array, size_t count, size_t *room, size_t size);

// ---- channels.c: asking and saying
bool nl_trace_axis(int64_t axis, size_t rank, size_t *out); // negative ones count from the end; false when out of range
const nl_node *nl_trace_node(const nl_tracing *t, size_t node);
size_t nl_trace_input(const nl_tracing *t, size_t node, size_t slot); // value, NL_NONE where left out
nl_trail *nl_trace_trail(nl_tracing *t, size_t value);                // NULL where it is not followed
nl_trail *nl_trace_trail_at(nl_tracing *t, size_t node, size_t slot);
const nl_shape *nl_trace_shape(const nl_tracing *t, size_t value);     // NULL where the rank is not known
int64_t nl_trace_size(const nl_tracing *t, size_t value, size_t back); // 1 before the first axis, -1 unknown
// Notes where the channels of an output lie. Where the sizes say otherwise it is left whole.
void nl_trace_follow(nl_tracing *t, size_t node, size_t slot, nl_strip *strip, size_t back, bool zeros);
void nl_trace_leave(nl_tracing *t, size_t node); // pins all it reads
void nl_trace_rider(nl_tracing *t, nl_place place, size_t back, nl_strip *strip);
void nl_trace_state(nl_tracing *t, nl_statement statement, nl_strip *strip, size_t shared);
bool nl_trace_spare(const nl_tracing *t, size_t node); // an output behind the first is read

// ---- channels_look.c: what stands further on
nl_origin nl_trace_blame(const nl_tracing *t, size_t node); // why what the node reads stays, when it is left whole
nl_reason nl_trace_left(const nl_tracing *t, size_t node);  // the same of a node with weights, or NONE
// Which axis of a value is read as channels behind it, NL_NONE where that cannot be told.
size_t nl_trace_wanted_axis(const nl_tracing *t, size_t value);
bool nl_trace_is_shuffled(const nl_tracing *t, size_t value); // a Transpose and a Reshape stand behind it
// How many features the dense layer behind a value reads, 0 where that cannot be told.
size_t nl_trace_wanted_width(nl_tracing *t, size_t value);

// ---- channels_counts.c: integers that count channels
void nl_trace_count(nl_tracing *t, size_t node, bool done); // what becomes of those the node reads
// Element `index` of input `slot` in the model as it stands; *computed: while it runs. False when it is not known.
bool nl_trace_number_at(const nl_tracing *t, size_t node, size_t slot, size_t index, int64_t *number, bool *computed);
// Input `slot` states as its element `index` how long a strip is: notes where that number stands, or that it follows by itself.
// False when it would be wrong.
bool nl_trace_state_size(nl_tracing *t, size_t node, size_t slot, size_t index, nl_strip *strip);
void nl_trace_settle_shared(nl_tracing *t); // pins where not all readers of a number agree
bool nl_trace_counts_none(nl_tracing *t, size_t node, size_t slot, size_t index); // that element counts no channels

// ---- channels_view.c: constants
// A constant as a node sees it through Identity, widening Cast, Reshape and Transpose that nobody else reads.
enum { NL_VIEW_MOST = 8 };
typedef struct nl_view {
  nl_place place;
  const nl_tensor *tensor;
  size_t rank;
  size_t dims[NL_VIEW_MOST], strides[NL_VIEW_MOST]; // as the node sees it; strides in the tensor's elements
  size_t axes[NL_VIEW_MOST];                        // which axis of the written tensor
  const int64_t *written;                           // (rank) sizes to write it with
  size_t reshape;                                   // the Reshape on the way, NL_NONE: none
} nl_view;
bool nl_trace_view(nl_tracing *t, size_t node, size_t slot, nl_view *view);
// A constant beside a value, likewise, but through Identity, Cast and what adds and drops axes of size 1.
typedef struct nl_side {
  nl_place place;
  const nl_tensor *tensor;
  size_t rank;
  int64_t dims[NL_VIEW_MOST];
  size_t axes[NL_VIEW_MOST]; // of the tensor; NL_NONE for an axis that was added
  size_t reshape;
} nl_side;
bool nl_trace_side(const nl_tracing *t, size_t node, size_t slot, nl_side *side);
// It rides with the strip along its axis `back`, or has one number there for all. False: neither.
bool nl_trace_ride(nl_tracing *t, const nl_side *side, size_t back, nl_strip *strip);
const nl_tensor *nl_trace_constant(const nl_tracing *t, size_t node, size_t slot); // through Identity and Cast
bool nl_trace_numbers(const nl_tracing *t, size_t node, const char *attribute, size_t slot, int64_t *numbers,
                      size_t most, size_t *count);
bool nl_trace_scalar(const nl_tracing *t, size_t node, size_t slot, double *number);

// ---- rules: false: not understood in this form, leave it whole
typedef bool nl_trace_rule(nl_tracing *t, size_t node);
nl_trace_rule nl_trace_conv, nl_trace_conv_transpose, nl_trace_gemm, nl_trace_matmul; // channels_linear.c
nl_trace_rule *nl_trace_rule_of(nl_tracing *t, size_t node);                          // channels_ops.c
nl_trace_rule *nl_trace_move_of(const nl_node *node);                                 // channels_move.c
nl_trace_rule nl_trace_reshape, nl_trace_flatten;                                     // channels_reshape.c
nl_trace_rule nl_trace_pad, nl_trace_resize, nl_trace_expand, nl_trace_tile;          // channels_size.c
nl_trace_rule nl_trace_depth_to_space, nl_trace_space_to_depth;

// ---- channels_find.c
nl_status nl_trace_settle(nl_tracing *t);

#endif
