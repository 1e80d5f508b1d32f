// What two runs of a model are compared on, and what its inputs expect, read from the graph alone.
#include "compress.h"

// ---- outputs ------------------------------------------------------------------------------------------------------------

static bool draws(const nl_node *node) {
  static const char *const ops[] = {"RandomNormal",      "RandomNormalLike", "RandomUniform",
                                    "RandomUniformLike", "Multinomial",      "Bernoulli"};
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
    if (nl_span_is(node->op, ops[i])) return true;
  return false;
}

static bool reads_random(const nl_graph *graph, const nl_node *node, const bool *random) {
  for (size_t i = 0; i < node->input_count; i++)
    if (node->inputs[i] != NL_NONE && random[node->inputs[i]]) return true;
  (void)graph;
  return false;
}

// Numbers that can be compared: not whole ones, as far as the file says.
static bool comparable(const nl_value *value) {
  return value->tensor == NL_NONE && !value->is_input && (value->type == NL_TYPE_NONE || nl_type_is_float(value->type));
}

static void add_once(size_t *list, size_t *count, size_t value) {
  for (size_t i = 0; i < *count; i++)
    if (list[i] == value) return;
  list[(*count)++] = value;
}

// The model's outputs; where they depend on random numbers, what goes into the operators that mix those in.
nl_status nl_model_compare(nl_model *model, nl_error *error) {
  const nl_graph *graph = model->graph;
  size_t *list = NULL, count = 0;
  bool *random = NULL;
  NL_TAKE(&model->arena, list, size_t, graph->value_count + 1, error);
  NL_TAKE(&model->arena, random, bool, graph->value_count + 1, error);
  for (size_t i = 0; i < graph->node_count; i++) {
    const nl_node *node = &graph->nodes[graph->order[i]];
    const bool tainted = reads_random(graph, node, random);
    if (!tainted && !draws(node)) continue;
    for (size_t o = 0; o < node->output_count; o++)
      if (node->outputs[o] != NL_NONE) random[node->outputs[o]] = true;
    for (size_t s = 0; tainted && s < node->input_count; s++)
      if (node->inputs[s] != NL_NONE && !random[node->inputs[s]] && comparable(&graph->values[node->inputs[s]]) &&
          model->channels->values[node->inputs[s]].count > 0)
        add_once(list, &count, node->inputs[s]);
  }
  for (size_t o = 0; o < graph->output_count; o++)
    if (!random[graph->outputs[o]] && comparable(&graph->values[graph->outputs[o]]))
      add_once(list, &count, graph->outputs[o]);
  model->compared = list;
  model->compared_count = count;
  return NL_OK;
}

// ---- inputs -------------------------------------------------------------------------------------------------------------

static bool hands_on(const nl_node *node) {
  static const char *const ops[] = {"Cast",    "Identity", "Unsqueeze", "Squeeze",
                                    "Reshape", "Expand",   "Transpose", "Flatten"};
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
    if (nl_span_is(node->op, ops[i])) return true;
  return false;
}

static size_t levels_of_node(const nl_graph *graph, const nl_node *node, size_t slot) {
  if (nl_span_is(node->op, "Gather") && slot == 1 && nl_node_int(node, "axis", 0) == 0) {
    const nl_tensor *table = nl_node_constant(graph, node, 0);
    return table != NULL && table->rank > 0 && table->dims[0] > 0 ? (size_t)table->dims[0] : 0;
  }
  if (nl_span_is(node->op, "OneHot") && slot == 0) {
    const nl_tensor *depth = nl_node_constant(graph, node, 1);
    int64_t n = 0;
    if (depth != NULL && depth->count == 1 && nl_tensor_read_int(depth, &n, NULL) == NL_OK && n > 0) return (size_t)n;
  }
  if (nl_span_is(node->op, "Equal")) { // a one-hot code written out
    const nl_tensor *codes = nl_node_constant(graph, node, slot == 0 ? 1 : 0);
    return codes != NULL && codes->count > 1 ? codes->count : 0;
  }
  return 0;
}

size_t nl_model_levels(const nl_graph *graph, size_t input) {
  enum { STEPS_MOST = 8 };
  size_t value = input;
  for (int step = 0; step < STEPS_MOST; step++) {
    const nl_value *at = &graph->values[value];
    size_t next = NL_NONE;
    for (size_t u = 0; u < at->use_count; u++) {
      if (at->uses[u].slot == NL_NONE) continue;
      const nl_node *node = &graph->nodes[at->uses[u].node];
      const size_t levels = levels_of_node(graph, node, at->uses[u].slot);
      if (levels > 0) return levels;
      if (hands_on(node) && at->uses[u].slot == 0 && node->output_count > 0) next = node->outputs[0];
    }
    if (next == NL_NONE) return 0;
    value = next;
  }
  return 0;
}
