#include "reason.h"

#include <string.h>

static bool reads_dequantized(const nl_graph *graph, const nl_node *node) {
  for (size_t i = 0; i < node->input_count; i++) {
    if (node->inputs[i] == NL_NONE) continue;
    const size_t producer = graph->values[node->inputs[i]].producer;
    if (producer != NL_NONE && nl_span_starts(graph->nodes[producer].op, "DequantizeLinear")) return true;
  }
  return false;
}

nl_reason nl_layer_reason(const nl_graph *graph, const nl_node *node) {
  const nl_span op = node->op;
  if (node->has_subgraph) return NL_REASON_BODY;
  if (nl_span_starts(op, "QLinear") || nl_span_ends(op, "Integer") || nl_span_starts(op, "QGemm"))
    return NL_REASON_QUANTIZED;
  if (nl_span_starts(op, "Conv") || nl_span_starts(op, "FusedConv"))
    return reads_dequantized(graph, node) ? NL_REASON_QUANTIZED : NL_REASON_WEIGHTS;
  if (nl_span_is(op, "LSTM") || nl_span_is(op, "GRU") || nl_span_is(op, "RNN")) return NL_REASON_RECURRENT;
  if (nl_span_ends(op, "Attention")) return NL_REASON_ATTENTION;
  if (nl_span_is(op, "Gemm") || nl_span_is(op, "MatMul") || nl_span_is(op, "FusedMatMul") ||
      nl_span_is(op, "FusedGemm"))
    return reads_dequantized(graph, node) ? NL_REASON_QUANTIZED : NL_REASON_WEIGHTS;
  return NL_REASON_NONE;
}

static const char *const openings[] = {
    [NL_REASON_NONE] = "can be lumped",
    [NL_REASON_INPUT] = "belongs to the model's input",
    [NL_REASON_OUTPUT] = "output of the model",
    [NL_REASON_READ_BY] = "read by ",
    [NL_REASON_MADE_BY] = "written by ",
    [NL_REASON_QUANTIZED] = "quantized weights: open the float model instead",
    [NL_REASON_WEIGHTS] = "its weights are computed while the model runs, or stand in a form that is not edited",
    [NL_REASON_FIXED_WIDTH] = "its width is written out as a number in ",
    [NL_REASON_UPSTREAM] = "its inputs cannot be evaluated yet, because of ",
    [NL_REASON_SINGLE] = "has one neuron only",
    [NL_REASON_BODY] = "holds graphs of its own (If, Loop, Scan), which are left whole",
    [NL_REASON_RECURRENT] = "recurrent layer: its neurons feed back into themselves",
    [NL_REASON_ATTENTION] = "attention heads are not cut",
    [NL_REASON_UNUSED] = "nothing reads it that could be adjusted",
    [NL_REASON_ACROSS] = "all its channels are taken together by ",
    [NL_REASON_TANGLED] = "its channels are tied to others in a way netlump does not follow",
    [NL_REASON_OPSET] = "the model's opset is older than 7: convert it with the ONNX version converter",
};

// A name that many sentences may tell, as much of it as one reads.
static nl_status append_name(nl_span name, nl_buffer *out, nl_error *error) {
  enum { MOST = 200 };
  size_t size = name.size < MOST ? name.size : MOST;
  while (size < name.size && size > 0 && (name.bytes[size] & 0xC0) == 0x80) size--; // between two letters
  NL_TRY(nl_buffer_append(out, name.bytes, size, error));
  return size < name.size ? nl_buffer_append(out, "…", 3, error) : NL_OK;
}

nl_status nl_reason_sentence(const nl_graph *graph, nl_reason reason, size_t node, nl_buffer *out, nl_error *error) {
  const char *opening = openings[reason];
  NL_TRY(nl_buffer_append(out, opening, strlen(opening), error));
  if (nl_span_ends((nl_span){(const uint8_t *)opening, strlen(opening)}, " ") == false) return NL_OK;
  if (node == NL_NONE) return nl_buffer_append(out, "an input of unknown shape", 25, error);
  const nl_node *reader = &graph->nodes[node];
  NL_TRY(append_name(reader->op, out, error));
  if (reader->name.size == 0) return NL_OK;
  NL_TRY(nl_buffer_append(out, " “", 4, error));
  NL_TRY(append_name(reader->name, out, error));
  return nl_buffer_append(out, "”", 3, error);
}
