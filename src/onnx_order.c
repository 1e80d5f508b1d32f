// onnx_order: each node after the nodes it reads from.
#include "onnx_parts.h"

// Kahn's algorithm, first come, first served. `waiting` (node_count): uses of other nodes' outputs a node still waits for.
static size_t sort_nodes(const nl_graph *graph, size_t *waiting, size_t *order) {
  size_t done = 0;
  for (size_t v = 0; v < graph->value_count; v++) {
    const nl_value *value = &graph->values[v];
    for (size_t u = 0; u < value->use_count && value->producer != NL_NONE; u++) waiting[value->uses[u].node]++;
  }
  for (size_t n = 0; n < graph->node_count; n++) {
    if (waiting[n] == 0) order[done++] = n;
  }
  for (size_t at = 0; at < done; at++) {
    const nl_node *node = &graph->nodes[order[at]];
    for (size_t o = 0; o < node->output_count; o++) {
      if (node->outputs[o] == NL_NONE) continue;
      const nl_value *value = &graph->values[node->outputs[o]];
      for (size_t u = 0; u < value->use_count; u++) {
        if (--waiting[value->uses[u].node] == 0) order[done++] = value->uses[u].node;
      }
    }
  }
  return done;
}

// File order is kept where it is an order already, which is nearly always.
static bool is_sorted(const nl_graph *graph) {
  for (size_t v = 0; v < graph->value_count; v++) {
    const nl_value *value = &graph->values[v];
    for (size_t u = 0; u < value->use_count && value->producer != NL_NONE; u++) {
      if (value->uses[u].node <= value->producer) return false;
    }
  }
  return true;
}

// From a node that never got ready back along producers that did not either: after node_count steps we are on a circle.
static nl_status report_cycle(const nl_graph *graph, const size_t *waiting, nl_error *error) {
  size_t at = 0;
  while (waiting[at] == 0) at++;
  for (size_t step = 0; step < graph->node_count; step++) {
    const nl_node *node = &graph->nodes[at];
    size_t before = NL_NONE;
    for (size_t s = 0; s < node->input_count && before == NL_NONE; s++) {
      const size_t producer = node->inputs[s] == NL_NONE ? NL_NONE : graph->values[node->inputs[s]].producer;
      if (producer != NL_NONE && waiting[producer] != 0) before = producer;
    }
    if (before == NL_NONE) break; // waits by way of a subgraph
    at = before;
  }
  const nl_node *node = &graph->nodes[at];
  return nl_fail_span(error, NL_ERROR_CYCLE, node->name.size != 0 ? node->name : node->op, NULL);
}

nl_status nl_onnx_sort(nl_graph *graph, nl_error *error) {
  size_t *order, *waiting;
  NL_TAKE(&graph->arena, order, size_t, graph->node_count, error);
  graph->order = order;
  for (size_t n = 0; n < graph->node_count; n++) order[n] = n;
  if (is_sorted(graph)) return NL_OK;
  nl_arena scratch = {0};
  waiting = (size_t *)nl_arena_take(&scratch, graph->node_count, sizeof(size_t));
  if (waiting == NULL)
    return nl_fail_count(error, NL_ERROR_MEMORY, NULL, (uint64_t)graph->node_count * sizeof(size_t), 0);
  const size_t done = sort_nodes(graph, waiting, order);
  const nl_status status = done == graph->node_count ? NL_OK : report_cycle(graph, waiting, error);
  nl_arena_free(&scratch);
  return status;
}
