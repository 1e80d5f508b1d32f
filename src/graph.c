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

bool nl_span_starts(nl_span span, const char *text) {
  const size_t size = strlen(text);
  return span.size >= size && memcmp(span.bytes, text, size) == 0;
}

bool nl_span_ends(nl_span span, const char *text) {
  const size_t size = strlen(text);
  return span.size >= size && memcmp(span.bytes + span.size - size, text, size) == 0;
}

bool nl_span_among(nl_span span, size_t count, const char *const *texts) {
  for (size_t i = 0; i < count; i++)
    if (nl_span_is(span, texts[i])) return true;
  return false;
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

static bool passes_constant(const nl_graph *graph, size_t value) {
  const nl_value *passed = &graph->values[value];
  if (passed->producer == NL_NONE || passed->use_count != 1 || passed->is_output) return false;
  const nl_node *node = &graph->nodes[passed->producer];
  const nl_tensor *tensor = node->domain.size == 0 ? nl_node_constant(graph, node, 0) : NULL;
  if (tensor == NULL || nl_span_is(node->op, "Identity")) return tensor != NULL;
  const nl_type to = (nl_type)nl_node_int(node, "to", 0);
  if (!nl_span_is(node->op, "Cast") || !nl_type_is_float(to) || !nl_type_is_float(tensor->type)) return false;
  return to == tensor->type || nl_type_size(to) > nl_type_size(tensor->type);
}

nl_place nl_node_place(const nl_graph *graph, size_t node, size_t slot) {
  const nl_node *reader = &graph->nodes[node];
  const nl_place here = {node, slot};
  if (slot >= reader->input_count || reader->inputs[slot] == NL_NONE) return here;
  const size_t value = reader->inputs[slot];
  if (graph->values[value].tensor != NL_NONE || !passes_constant(graph, value)) return here;
  return (nl_place){graph->values[value].producer, 0};
}

// ---- external data ---------------------------------------------------------------------------------------------------

static bool is_missing(const nl_tensor *tensor) {
  return tensor->storage == NL_STORAGE_EXTERNAL && tensor->payload.bytes == NULL && tensor->count != 0;
}

// Bytes of a file that a tensor needs; UINT64_MAX: all from its offset on.
static uint64_t wanted_of(const nl_tensor *tensor) {
  const size_t element = nl_type_size(tensor->type);
  if (element != 0) return (uint64_t)tensor->count * element;
  return tensor->length != 0 ? tensor->length : UINT64_MAX;
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
    const uint64_t all = wanted_of(tensor), wanted = all == UINT64_MAX ? left : all;
    if (wanted > left) return nl_fail_span_count(error, NL_ERROR_TRUNCATED, tensor->name, wanted, left);
    tensor->payload = (nl_span){left == 0 ? bytes.bytes : bytes.bytes + (size_t)tensor->offset, (size_t)wanted};
  }
  return NL_OK;
}

// ---- by slices -------------------------------------------------------------------------------------------------------

enum { SLICE = 64 << 20 };

static bool is_missing_in(const nl_tensor *tensor, nl_span file) {
  return is_missing(tensor) && nl_span_equal(tensor->location, file);
}

static uint64_t end_of(const nl_tensor *tensor) {
  const uint64_t wanted = wanted_of(tensor);
  return wanted > UINT64_MAX - tensor->offset ? UINT64_MAX : tensor->offset + wanted;
}

nl_slice nl_graph_missing_slice(const nl_graph *graph) {
  const nl_span file = nl_graph_missing_file(graph);
  uint64_t start = UINT64_MAX, end = 0;
  for (size_t t = 0; t < graph->tensor_count; t++) {
    const nl_tensor *tensor = &graph->tensors[t];
    if (is_missing_in(tensor, file) && tensor->offset < start) start = tensor->offset;
  }
  for (size_t t = 0; t < graph->tensor_count; t++) {
    const nl_tensor *tensor = &graph->tensors[t];
    if (!is_missing_in(tensor, file)) continue;
    const uint64_t last = end_of(tensor);
    if (last > end && (tensor->offset == start || last - start <= SLICE)) end = last;
  }
  return (nl_slice){start, end == UINT64_MAX ? UINT64_MAX : end - start};
}

uint64_t nl_graph_missing_bytes(const nl_graph *graph) {
  uint64_t sum = 0;
  for (size_t t = 0; t < graph->tensor_count; t++) {
    const uint64_t wanted = is_missing(&graph->tensors[t]) ? wanted_of(&graph->tensors[t]) : 0;
    if (wanted != UINT64_MAX) sum += wanted;
  }
  return sum;
}

nl_status nl_graph_attach_slice(nl_graph *graph, nl_span name, uint64_t offset, nl_span bytes, nl_error *error) {
  for (size_t t = 0; t < graph->tensor_count; t++) {
    nl_tensor *tensor = &graph->tensors[t];
    if (!is_missing_in(tensor, name) || tensor->offset < offset || tensor->offset - offset > bytes.size) continue;
    const size_t before = (size_t)(tensor->offset - offset), left = bytes.size - before;
    const uint64_t wanted = wanted_of(tensor);
    const bool to_the_end = wanted == UINT64_MAX && before == 0 && left != 0;
    if (wanted <= left || to_the_end)
      tensor->payload = (nl_span){bytes.bytes + before, to_the_end ? left : (size_t)wanted};
    else if (before == 0)
      return nl_fail_span_count(error, NL_ERROR_TRUNCATED, tensor->name, wanted == UINT64_MAX ? tensor->count : wanted,
                                left);
  }
  return NL_OK;
}
