// onnx_shape: ValueInfoProto, written and corrected.
#ifndef NL_ONNX_SHAPE_H
#define NL_ONNX_SHAPE_H

#include "onnx_edits.h"

// dims: -1 is the dynamic batch axis, -2 one that is not known
nl_status nl_onnx_put_info(nl_buffer *out, uint32_t number, nl_span name, nl_type type, size_t rank,
                           const int64_t *dims, nl_error *error);
// Copies an input, output or value_info of the graph, with the sizes the plan changes.
nl_status nl_onnx_write_info(const nl_plan *plan, const nl_field *field, nl_buffer *out, nl_error *error);

#endif
