// onnx_sniff: the parts of it. Each gives what the bytes are, with the way out, or NULL where they may be ONNX.
#ifndef NL_ONNX_SNIFF_H
#define NL_ONNX_SNIFF_H

#include <stdbool.h>

#include "arena.h"

// onnx_sniff_text.c: of text, whatever it says.
const char *nl_sniff_text(nl_span head);
// onnx_sniff_protobuf.c: of messages that are no ONNX model.
const char *nl_sniff_protobuf(nl_span head);
// Whether `text` occurs in the first bytes.
bool nl_sniff_holds(nl_span bytes, const char *text);

#endif
