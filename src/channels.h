// channels: which channels of a graph's values belong together, through every operator that can be followed.
//
// `network` reads chains that `forward` evaluates. `channels` evaluates nothing, so it can follow convolutions, pooling, layout
// changes, concatenations: all it asks is whether an operator acts on each channel by itself.
//
// A *group* is a set of channels that must keep the same width and the same selection: what one layer writes, and everything
// tied to it by elementwise operators (residual sums, gates). A group whose every writer and reader is a *linear* (the only
// nodes that mix channels) is a site. Along an axis of a value or a constant lie *segments* of groups:
//
//   element (t * width + c) * run + p  belongs to channel c of the group      t < tile, c < width, p < run
//
//   a convolution's output (N, C, H, W), axis 1            {g, C, tile 1, run 1}
//   the same flattened to (N, C*H*W)                       {g, C, tile 1, run H*W}
//   an NHWC value flattened to (N, H*W*C)                  {g, C, tile H*W, run 1}
//   depthwise convolution with m filters a channel         {g, C, tile 1, run m}
//   a concatenation                                        several segments
//   the two halves of a gate, or a grouped convolution     several segments of one group
//
// To add an operator: a rule in channels_ops.c (or _move.c when it moves axes).
#ifndef NL_CHANNELS_H
#define NL_CHANNELS_H

#include "graph.h"
#include "reason.h"
#include "shape.h"

typedef struct nl_segment {
  size_t group;
  size_t width, tile, run;
} nl_segment; // tile * width * run elements

// What lies along one axis. count 0: nothing known, or nothing that could be lumped.
typedef struct nl_axis {
  size_t back; // counted from the end: 1 is the last axis
  size_t count;
  const nl_segment *segments;
} nl_axis;

typedef enum nl_linear_kind { NL_LINEAR_DENSE, NL_LINEAR_CONV, NL_LINEAR_CONV_TRANSPOSE } nl_linear_kind;

enum { NL_SPATIAL_MOST = 3 };

// A node that mixes channels: y_o = Σ_i Σ_k W[o][i][k] x_i(position of k) + b_o.
//   Gemm, MatMul: kernel 1. Conv, ConvTranspose: `groups` blocks of channels that do not mix; in and out are whole widths.
// With o' = o % (out / groups) where the tensor is laid out by group (ConvTranspose), else o' = o; i' = i within its block:
//   W[o][i'][k] = alpha * tensor[o' ... ] at  (o or o') * out_stride + (i' or i) * in_stride + k
//   DENSE: o * out_stride + i * in_stride.  CONV: (O, I/groups, K): o, i'.  CONV_TRANSPOSE: (I, O/groups, K): i, o'.
typedef struct nl_linear {
  nl_linear_kind kind;
  size_t node;
  nl_place weights;            // where the constant stands (through Identity, widening Cast, Transpose, Reshape)
  size_t weights_rank;         // it is written with these sizes: the tensor's own, or those a Reshape behind it
  const int64_t *weights_dims; // gives it (which then gives it the new ones: its numbers are statements)
  size_t weights_out_axis, weights_in_axis; // among them, from the front
  size_t out_stride, in_stride;             // of the tensor's elements
  double alpha;                             // of Gemm; else 1
  nl_place bias;    // a constant to edit, or an empty slot of `node` to fill; node NL_NONE: no room
  bool has_bias;    // there is one now; else a bias is 0
  double beta;      // bias read = beta * tensor
  size_t bias_back; // axis of the bias tensor that carries the channels, from the end
  nl_axis in, out;  // along the channel axis of what is read and written; a fixed group where nothing is followed
  size_t in_width, out_width; // all channels
  size_t groups;
  size_t spatial; // 0 to 3
  size_t kernel[NL_SPATIAL_MOST], stride[NL_SPATIAL_MOST], dilation[NL_SPATIAL_MOST];
  size_t pad[NL_SPATIAL_MOST]; // at the beginning; what stands at the end follows from the output's size
  size_t auto_pad;      // 0: pads are given; 1: SAME_UPPER; 2: SAME_LOWER (pads follow from the sizes when it runs)
  bool padded;          // reads zeros (its own padding or a Pad before it) that are no activations
  size_t kernel_size;   // product of kernel, 1 for DENSE
  size_t read, written; // values: what it reads; what it writes, its bias included (a MatMul's: behind the Add)
} nl_linear;

// A constant with one entry (or a run of entries) a channel: BatchNormalization, PRelu, Add ...; R picks from it.
typedef struct nl_rider {
  nl_place place;
  nl_axis axis; // of the constant
} nl_rider;

// A number in the file that states how many elements stand along an axis: becomes the sum over the segments, tile * kept * run.
typedef enum nl_statement_kind {
  NL_STATEMENT_ELEMENT,  // element `index` of the constant at `place`
  NL_STATEMENT_ATTRIBUTE // `index` of the ints attribute `name` of place.node, or its int when index is NL_NONE
} nl_statement_kind;

typedef struct nl_statement {
  nl_statement_kind kind;
  nl_place place;
  const char *name;
  size_t index;
  nl_axis axis; // whose elements it counts (back is not used)
} nl_statement;

typedef struct nl_channel_group {
  size_t width;
  nl_reason reason; // why it is not a site; NONE when it is
  size_t reason_node;
  size_t site; // or NL_NONE
} nl_channel_group;

// A value that linears read a site through: what statistics are taken of.
typedef struct nl_read {
  size_t value;
  nl_axis axis;
} nl_read;

typedef struct nl_channel_site {
  size_t group, width;
  size_t producer; // the linear it is named after: the first that writes it
  size_t consumer_count;
  const size_t *consumers; // linears that read it
  size_t read_count;
  const nl_read *reads; // distinct values
  bool affine;          // every consumer has room for a bias and reads no padding: a constant may be moved there
} nl_channel_site;

typedef struct nl_channels {
  nl_arena arena;
  const nl_graph *graph;
  size_t group_count;
  const nl_channel_group *groups;
  size_t linear_count;
  const nl_linear *linears; // in topological order
  const size_t *linear_of;  // (node_count) or NL_NONE
  size_t rider_count;
  const nl_rider *riders;
  const size_t *rider_of; // (node_count) its first, or NL_NONE
  size_t statement_count;
  const nl_statement *statements;
  size_t site_count;
  const nl_channel_site *sites;
  const nl_axis *values; // (value_count) the channel axis of each value; count 0 where none is followed
  const nl_reason
      *left;         // (node_count) NONE for linears, and nodes that act on each channel by itself or have no weights
  size_t parameters; // elements of all float constants
} nl_channels;

// Never fails because of a strange graph: what is not understood is left whole, and the reason says so.
// Segments name resolved groups. Constants that several places read are fine: narrow.h copies them.
nl_status nl_channels_create(nl_channels **out, const nl_graph *graph, const nl_shapes *shapes, nl_error *error);
void nl_channels_free(nl_channels *channels);

// Why a node that carries weights is not followed (quantized, recurrent, computed weights ...); NL_REASON_NONE for others.
nl_reason nl_channels_left(const nl_channels *channels, size_t node);

// Elements along an axis once every site keeps widths[site] units (widths NULL: all).
size_t nl_axis_length(const nl_channels *channels, const nl_axis *axis, const size_t *widths);

#endif
