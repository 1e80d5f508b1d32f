// network: what the graph means. Each value netlump understands becomes a *step*: an input, a dense layer, an
// elementwise function, a per-channel scale, a sum or product of two steps, a softmax. What it does not understand
// becomes an opaque step, and what it reads is left whole.
//
// Steps that share one channel axis (a dense layer's outputs and everything elementwise behind them, residual sums
// included) form a *group*; a group whose every writer and reader is a dense layer is a site (site.h).
// Weights are not read here: a step says where they stand.
//
// To add an operator: a rule in network_ops.c that makes steps of it. If it is no composition of the kinds below, add a
// kind here and its evaluation in forward.c.
#ifndef NL_NETWORK_H
#define NL_NETWORK_H

#include "function.h"
#include "graph.h"
#include "reason.h"

typedef enum nl_step_kind {
  NL_STEP_INPUT,
  NL_STEP_OPAQUE,
  NL_STEP_DENSE,
  NL_STEP_FUNCTION,
  NL_STEP_SCALE, // y = scale x + shift, per channel
  NL_STEP_PRELU, // slope per channel or one for all
  NL_STEP_ADD,
  NL_STEP_SUBTRACT,
  NL_STEP_MULTIPLY,
  NL_STEP_DIVIDE,
  NL_STEP_MINIMUM,
  NL_STEP_MAXIMUM,
  NL_STEP_SOFTMAX,
  NL_STEP_LOG_SOFTMAX
} nl_step_kind;

// How a SCALE step gets its two vectors from the graph's constants.
typedef enum nl_scale_form {
  NL_SCALE_ADD,       // x + c
  NL_SCALE_SUBTRACT,  // x - c
  NL_SCALE_REVERSE,   // c - x
  NL_SCALE_MULTIPLY,  // x * c
  NL_SCALE_DIVIDE,    // x / c
  NL_SCALE_BATCHNORM, // constants: scale, shift, mean, variance
  NL_SCALE_SCALER     // ai.onnx.ml Scaler: (x - offset) * scale, from attributes
} nl_scale_form;

enum { NL_STEP_CONSTANTS = 4 };

typedef struct nl_step {
  nl_step_kind kind;
  size_t node;      // graph node; NL_NONE for an input
  size_t value;     // first graph value that holds what it computes
  size_t inputs[2]; // steps
  size_t input_count;
  size_t width;   // channels; 0 when unknown (opaque)
  bool evaluable; // forward can compute it: nothing opaque upstream
  size_t offset;  // INPUT: where its numbers start in a row

  nl_function function;
  double p, q;

  nl_scale_form form;
  size_t constant_count;
  nl_place constants[NL_STEP_CONSTANTS]; // SCALE, PRELU: per-channel or scalar
  size_t spread_rank;                    // where the row still has several axes, constants broadcast over these
  const int64_t *spread_dims;            // (spread_rank)

  // DENSE: W[o][i] = alpha * tensor[o * out_stride + i * in_stride]; bias beta * tensor
  nl_place weights;
  size_t in_width;
  size_t out_stride, in_stride;
  double alpha;
  nl_place bias;
  double beta;
  bool bias_possible;    // there is one, or the node has room for one
  unsigned channel_axis; // counted from the end: 1 (last) or 2
} nl_step;

typedef struct nl_group {
  size_t width;
  nl_reason reason; // why it is not a site; NONE when it is
  size_t reason_node;
} nl_group;

typedef struct nl_network {
  nl_arena arena;
  const nl_graph *graph;
  size_t step_count;
  nl_step *steps;   // each after the steps it reads
  size_t *step_of;  // (values) the step that a value is, or NL_NONE
  size_t *dense_of; // (nodes) the dense step a node is, or NL_NONE
  size_t *group_of; // (steps)
  size_t group_count;
  nl_group *groups;
  size_t features;     // numbers in a row of inputs
  int64_t batch;       // fixed batch size, or -1
  size_t output_count; // what deviation is measured on
  size_t *outputs;     // steps
  size_t results;      // sum of their widths
  size_t parameters;   // elements of all float constants
} nl_network;

nl_status nl_network_create(nl_network **out, const nl_graph *graph, nl_error *error);
void nl_network_free(nl_network *network);
// marked (steps): what reads a marked step, however far behind it, is marked too.
void nl_network_mark_behind(const nl_network *network, bool *marked);

#endif
