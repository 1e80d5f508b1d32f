// graph: asking a loaded graph, and giving it the files it is missing.
#include "graph.h"

#include <string.h>

// ---- names and attributes --------------------------------------------------------------------------------------------

bool nl_span_is(nl_span span, const char *text) {
  const size_t size = strlen(text);
  return span.size == size && (size == 0 || memcmp(span.bytes, text, size) == 0);
}

bool nl_span_equal(nl_span a, nl_span b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

const nl_attribute *nl_node_attribute(const nl_node *node, const char *name) {
  for (size_t i = 0; i < node->attribute_count; i++) {
    if (nl_span_is(node->attributes[i].name, name)) return &node->attributes[i];
  }
  return NULL;
}

int64_t nl_node_int(const nl_node *node, const char *name, int64_t otherwise) {
  const nl_attribute *attribute = nl_node_attribute(node, name);
  return attribute != NULL && attribute->type == NL_ATTRIBUTE_INT ? attribute->i : otherwise;
}

double nl_node_float(const nl_node *node, const char *name, double otherwise) {
  const nl_attribute *attribute = nl_node_attribute(node, name);
  return attribute != NULL && attribute->type == NL_ATTRIBUTE_FLOAT ? attribute->f : otherwise;
}

const nl_tensor *nl_node_constant(const nl_graph *graph, const nl_node *node, size_t slot) {
  if (slot >= node->input_count || node->inputs[slot] == NL_NONE) return NULL;
  const size_t tensor = graph->values[node->inputs[slot]].tensor;
  return tensor == NL_NONE ? NULL : &graph->tensors[tensor];
}

// ---- external data ---------------------------------------------------------------------------------------------------

static bool is_missing(const nl_tensor *tensor) {
  return tensor->storage == NL_STORAGE_EXTERNAL && tensor->payload.bytes == NULL && tensor->count != 0;
}

nl_span nl_graph_missing_file(const nl_graph *graph) {
  for (size_t t = 0; t < graph->tensor_count; t++) {
    if (is_missing(&graph->tensors[t])) return graph->tensors[t].location;
  }
  return (nl_span){0};
}

nl_status nl_graph_attach(nl_graph *graph, nl_span name, nl_span bytes, nl_error *error) {
  for (size_t t = 0; t < graph->tensor_count; t++) {
    nl_tensor *tensor = &graph->tensors[t];
    if (tensor->storage != NL_STORAGE_EXTERNAL || !nl_span_equal(tensor->location, name)) continue;
    const uint64_t left = tensor->offset < bytes.size ? bytes.size - tensor->offset : 0;
    uint64_t wanted = (uint64_t)tensor->count * nl_type_size(tensor->type);
    if (nl_type_size(tensor->type) == 0) wanted = tensor->length != 0 ? tensor->length : left;
    if (wanted > left) return nl_fail_span_count(error, NL_ERROR_TRUNCATED, tensor->name, wanted, left);
    tensor->payload = (nl_span){left == 0 ? bytes.bytes : bytes.bytes + (size_t)tensor->offset, (size_t)wanted};
  }
  return NL_OK;
}
