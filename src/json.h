// json: formats whose text is JSON <-> ONNX bytes. ONNX is the one form the rest of the house knows; JSON is converted at the door.
//
// ---- netlump JSON ----
//
// {"format": "netlump", "version": 1, "layers": [{"weights": rows of (out, in), "bias": [out], "activation": "tanh"}]}
// activation: an ONNX activation's name in lower case (relu, leakyrelu, elu, selu, celu, sigmoid, hardsigmoid, tanh,
// softplus, softsign, gelu, hardswish, swish, mish, clip, abs, erf, softmax on the last layer), "identity", "square", or
// {"name": "leakyrelu", "alpha": 0.1}, {"name": "polynomial", "coefficients": [c0, c1, ...]}. bias and activation may be left out.
#ifndef NL_JSON_H
#define NL_JSON_H

#include "arena.h"
#include "graph.h"

// Netlump JSON to the bytes of an ONNX model with the same function (Gemm and activation nodes named after the layers:
// "layer1", "layer1/tanh" ...; input "input" (batch, n), output "output" (batch, m)). Errors name line and column or the
// path ("layers[2].weights[7]: 63 numbers, 64 expected").
nl_status nl_json_read(nl_span text, nl_buffer *onnx, nl_error *error);

// The other way: a chain of dense layers (any exporter's) to netlump JSON. `original`: the text the model came from, or
// an empty span; where given, its other keys survive and only weights and biases are replaced.
// Errors: NL_ERROR_UNSUPPORTED naming the node that JSON cannot say.
nl_status nl_json_write(const nl_graph *graph, nl_span original, nl_buffer *out, nl_error *error);

// ---- which format ----

typedef enum nl_json_kind {
  NL_JSON_NONE,    // no JSON object
  NL_JSON_NETLUMP, // or something that only nl_json_read can say more about
  NL_JSON_TFJS,
  NL_JSON_BRAIN,
  NL_JSON_FOREIGN // of a library netlump knows by name and does not read: nl_json_refuse
} nl_json_kind;

bool nl_json_is_object(nl_span text); // as far as its first bytes say
// By content, not by name.
nl_json_kind nl_json_recognise(nl_span text);
// NL_ERROR_UNSUPPORTED with what a foreign text is and the way out.
nl_status nl_json_refuse(nl_span text, nl_error *error);

// ---- TensorFlow.js layers models: model.json (topology, and a manifest of the weights), and the weights in files of their own ----

typedef struct nl_json_file {
  nl_span name;  // as the text calls it
  nl_span bytes; // bytes.bytes NULL: not given yet
} nl_json_file;

typedef struct nl_json_files {
  size_t count;
  nl_json_file *files; // in the text's order
} nl_json_files;

// The files the text needs, in memory of `arena`; bytes empty. What netlump cannot read is found out here, before anybody
// looks for files: NL_ERROR_UNSUPPORTED naming the layer, its class and the way out.
nl_status nl_tfjs_files(nl_span text, nl_arena *arena, nl_json_files *files, nl_error *error);
// To an ONNX model with the same function: inputs and outputs keep TensorFlow.js' shapes (channels last), nodes are called after
// layers ("dense", "dense/relu"), initializers after weights ("dense/kernel"). Quantized weights are read as TensorFlow.js does.
nl_status nl_tfjs_read(nl_span text, const nl_json_files *files, nl_buffer *onnx, nl_error *error);
// The way back: `graph` is what became of that ONNX model. Widths, shapes and weights of the original are replaced, all else in it
// survives. All weights go into one file, f32; `text` or `weights` may be NULL.
// Errors: NL_ERROR_UNSUPPORTED naming the layer that can no longer be said this way.
nl_status nl_tfjs_write(const nl_graph *graph, nl_span original, const nl_json_files *files, nl_buffer *text,
                        nl_buffer *weights, nl_error *error);
// What the text written calls that file: the first one's name, without folders.
nl_span nl_tfjs_weights_name(const nl_json_files *files);

// ---- brain.js: NeuralNetwork.toJSON() of version 1 (nodes by name) and 2 (arrays) ----

nl_status nl_brain_read(nl_span text, nl_buffer *onnx, nl_error *error);
// `graph`: what became of that ONNX model. Hidden neurons are numbered anew; all else survives.
nl_status nl_brain_write(const nl_graph *graph, nl_span original, nl_buffer *out, nl_error *error);

#endif
