// reason: why a layer is left alone, as data and as a sentence in words a user understands.
#ifndef NL_REASON_H
#define NL_REASON_H

#include "graph.h"

typedef enum nl_reason {
  NL_REASON_NONE,
  NL_REASON_INPUT,       // the model's input
  NL_REASON_OUTPUT,      // the model's output
  NL_REASON_READ_BY,     // read by a node that is no dense layer
  NL_REASON_MADE_BY,     // also written by a node that is no dense layer
  NL_REASON_QUANTIZED,   // quantized weights
  NL_REASON_WEIGHTS,     // weights are not constant, or have a form netlump does not edit
  NL_REASON_FIXED_WIDTH, // a Reshape states the width as a number
  NL_REASON_UPSTREAM,    // its inputs cannot be evaluated: `node` stands before it
  NL_REASON_SINGLE,      // one channel only
  NL_REASON_BODY,        // If, Loop, Scan: graphs inside
  NL_REASON_RECURRENT,   // a recurrent layer
  NL_REASON_ATTENTION,   // attention
  NL_REASON_UNUSED,      // nothing reads it
  NL_REASON_OPSET,       // written before opset 7
  NL_REASON_ACROSS,      // a node takes all channels together (softmax, layer normalization, a sum over them)
  NL_REASON_TANGLED      // tied to others in a way that is not followed
} nl_reason;

// Layers that carry weights but are nothing the caller could read (recurrent and quantized layers, attention ...): why not.
// NL_REASON_NONE for nodes that are no layers.
nl_reason nl_layer_reason(const nl_graph *graph, const nl_node *node);

// The sentence a user reads.
nl_status nl_reason_sentence(const nl_graph *graph, nl_reason reason, size_t node, nl_buffer *out, nl_error *error);

#endif
