// json: netlump JSON <-> ONNX bytes. ONNX is the one form the rest of the house knows; JSON is converted at the door.
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

// Whether the text is netlump JSON at all (used to choose the reader by content, not by name).
bool nl_json_looks_right(nl_span text);

#endif
