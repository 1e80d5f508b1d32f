#include "network.h"

#include <stdlib.h>

#include "network_build.h"

enum { OPSET_OLDEST = 7 }; // before it, broadcasting had attributes of its own

// ---- steps and groups ---------------------------------------------------------------------------------------------------

nl_step *nl_build_step(nl_build *build, nl_step_kind kind, size_t node, size_t value) {
  nl_network *network = build->network;
  const size_t index = network->step_count++;
  nl_step *step = &network->steps[index];
  step->kind = kind;
  step->node = node;
  step->value = value;
  step->weights = step->bias = (nl_place){NL_NONE, NL_NONE};
  build->parents[index] = index;
  build->pin_nodes[index] = NL_NONE;
  return step;
}

static size_t root_of(const nl_build *build, size_t step) {
  while (build->parents[step] != step) {
    build->parents[step] = build->parents[build->parents[step]];
    step = build->parents[step];
  }
  return step;
}

static void pin_root(nl_build *build, size_t root, nl_reason reason, size_t node) {
  const bool edge = reason == NL_REASON_INPUT || reason == NL_REASON_OUTPUT;
  if (build->pins[root] != NL_REASON_NONE && !edge) return;
  build->pins[root] = reason;
  build->pin_nodes[root] = node;
}

void nl_build_pin(nl_build *build, size_t step, nl_reason reason, size_t node) {
  pin_root(build, root_of(build, step), reason, node);
}

void nl_build_join(nl_build *build, size_t a, size_t b) {
  const size_t first = root_of(build, a), second = root_of(build, b);
  if (first == second) return;
  build->parents[second] = first;
  if (build->pins[second] != NL_REASON_NONE) pin_root(build, first, build->pins[second], build->pin_nodes[second]);
}

// ---- inputs -------------------------------------------------------------------------------------------------------------

// A product that has its weight on the left reads its activation with the channels on the axis before the last.
static bool read_channels_first(const nl_graph *graph, const nl_value *value) {
  for (size_t i = 0; i < value->use_count; i++) {
    if (value->uses[i].slot > 1) continue; // a node may read it often, and may have many attributes
    const nl_node *node = &graph->nodes[value->uses[i].node];
    const bool gemm = nl_span_is(node->op, "Gemm");
    if (!gemm && !nl_span_is(node->op, "MatMul")) continue;
    const bool turned = nl_node_int(node, value->uses[i].slot == 0 ? "transA" : "transB", 0) != 0;
    if (value->uses[i].slot == 1 ? !turned : gemm && turned) return true;
  }
  return false;
}

static size_t row_width(const nl_value *value, size_t first) {
  size_t width = 1;
  for (size_t i = first; i < value->rank; i++) {
    if (value->dims[i] <= 0 || (uint64_t)value->dims[i] > SIZE_MAX / 16 / width) return 0;
    width *= (size_t)value->dims[i];
  }
  return width;
}

static bool lower_input(nl_build *build, size_t index) {
  const nl_value *value = &build->graph->values[index];
  nl_network *network = build->network;
  if (!value->rank_known || value->rank == 0) return false;
  if (value->type != NL_TYPE_NONE && !nl_type_is_float(value->type)) return false;
  const bool turned = value->rank == 2 && read_channels_first(build->graph, value);
  const size_t first = value->rank == 1 ? 0 : 1;
  const size_t width = turned ? (value->dims[0] > 0 ? (size_t)value->dims[0] : 0) : row_width(value, first);
  if (width == 0) return false;
  const int64_t batch = value->rank == 1 || turned ? 1 : value->dims[0];
  if (batch > 0) network->batch = batch;
  nl_step *step = nl_build_step(build, NL_STEP_INPUT, NL_NONE, index);
  step->width = width;
  step->evaluable = true;
  step->offset = network->features;
  step->channel_axis = turned ? 2 : 1;
  network->features += width;
  build->layouts[index] = (nl_layout){network->step_count - 1,
                                      turned             ? 2
                                      : value->rank <= 2 ? 1
                                                         : 0,
                                      value->rank, value->dims};
  network->step_of[index] = network->step_count - 1;
  return true;
}

static void opaque_value(nl_build *build, size_t value, nl_reason reason, size_t node) {
  nl_build_step(build, NL_STEP_OPAQUE, node, value);
  const size_t step = build->network->step_count - 1;
  build->layouts[value] = (nl_layout){step, 0, 0, NULL};
  build->network->step_of[value] = step;
  nl_build_pin(build, step, reason, node);
}

static void lower_inputs(nl_build *build) {
  const nl_graph *graph = build->graph;
  for (size_t i = 0; i < graph->input_count; i++) {
    const size_t value = graph->inputs[i];
    if (!lower_input(build, value))
      opaque_value(build, value, NL_REASON_INPUT, NL_NONE);
    else
      nl_build_pin(build, build->layouts[value].step, NL_REASON_INPUT, NL_NONE);
  }
}

// ---- nodes --------------------------------------------------------------------------------------------------------------

static void leave_whole(nl_build *build, size_t index) {
  const nl_node *node = &build->graph->nodes[index];
  for (size_t i = 0; i < node->output_count; i++)
    if (node->outputs[i] != NL_NONE) opaque_value(build, node->outputs[i], NL_REASON_MADE_BY, index);
}

static nl_status lower_nodes(nl_build *build) {
  const nl_graph *graph = build->graph;
  for (size_t i = 0; i < graph->node_count; i++) {
    const size_t index = graph->order[i];
    const nl_node *node = &graph->nodes[index];
    if (node->output_count == 1 && node->outputs[0] != NL_NONE && graph->values[node->outputs[0]].tensor != NL_NONE)
      continue;
    const nl_rule_answer answer = nl_network_rule(build, index);
    if (answer == NL_RULE_FAILED) return build->failed;
    if (answer == NL_RULE_OPAQUE) leave_whole(build, index);
  }
  return NL_OK;
}

// Whether `node` was turned into steps: then its reads need no pin.
static bool node_understood(const nl_build *build, const nl_node *node) {
  const size_t value = node->output_count > 0 ? node->outputs[0] : NL_NONE;
  if (value == NL_NONE) return false;
  const size_t step = build->layouts[value].step;
  return step != NL_NONE && build->network->steps[step].kind != NL_STEP_OPAQUE;
}

static void pin_readers(nl_build *build) {
  const nl_graph *graph = build->graph;
  for (size_t v = 0; v < graph->value_count; v++) {
    const size_t step = build->layouts[v].step;
    if (step == NL_NONE) continue;
    const nl_value *value = &graph->values[v];
    if (value->is_output) nl_build_pin(build, step, NL_REASON_OUTPUT, NL_NONE);
    for (size_t u = 0; u < value->use_count; u++)
      if (value->uses[u].slot == NL_NONE || !node_understood(build, &graph->nodes[value->uses[u].node]))
        nl_build_pin(build, step, NL_REASON_READ_BY, value->uses[u].node);
  }
}

// The node upstream that stops the evaluation of a step, `blocking` being those of the steps before.
static size_t blocking_node(const nl_network *network, const size_t *blocking, size_t step) {
  const nl_step *s = &network->steps[step];
  if (s->kind == NL_STEP_OPAQUE) return s->node;
  if (s->input_count == 0) return NL_NONE;
  return blocking[s->input_count > 1 && network->steps[s->inputs[0]].evaluable ? s->inputs[1] : s->inputs[0]];
}

static nl_status pin_dead_ends(nl_build *build) {
  nl_network *network = build->network;
  bool *read;
  size_t *blocking;
  NL_TAKE(&network->arena, read, bool, network->step_count + 1, build->error);
  NL_TAKE(&network->arena, blocking, size_t, network->step_count + 1, build->error);
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_step *step = &network->steps[s];
    blocking[s] = blocking_node(network, blocking, s);
    if (step->kind == NL_STEP_DENSE) read[root_of(build, step->inputs[0])] = true;
    if (!step->evaluable && step->kind != NL_STEP_OPAQUE) nl_build_pin(build, s, NL_REASON_UPSTREAM, blocking[s]);
    if (build->graph->opset < OPSET_OLDEST) nl_build_pin(build, s, NL_REASON_OPSET, NL_NONE);
    if (step->width == 1) nl_build_pin(build, s, NL_REASON_SINGLE, NL_NONE);
  }
  for (size_t s = 0; s < network->step_count; s++)
    if (!read[root_of(build, s)]) nl_build_pin(build, s, NL_REASON_UNUSED, NL_NONE);
  return NL_OK;
}

static nl_status list_dense(nl_build *build) {
  nl_network *network = build->network;
  NL_TAKE(&network->arena, network->dense_of, size_t, build->graph->node_count + 1, build->error);
  for (size_t n = 0; n < build->graph->node_count; n++) network->dense_of[n] = NL_NONE;
  for (size_t s = network->step_count; s-- > 0;)
    if (network->steps[s].kind == NL_STEP_DENSE) network->dense_of[network->steps[s].node] = s;
  return NL_OK;
}

static nl_status form_groups(nl_build *build) {
  nl_network *network = build->network;
  NL_TAKE(&network->arena, network->group_of, size_t, network->step_count + 1, build->error);
  NL_TAKE(&network->arena, network->groups, nl_group, network->step_count + 1, build->error);
  for (size_t s = 0; s < network->step_count; s++) {
    if (root_of(build, s) != s) continue;
    network->group_of[s] = network->group_count;
    network->groups[network->group_count++] = (nl_group){network->steps[s].width, build->pins[s], build->pin_nodes[s]};
  }
  for (size_t s = 0; s < network->step_count; s++) network->group_of[s] = network->group_of[root_of(build, s)];
  return NL_OK;
}

// ---- outputs ------------------------------------------------------------------------------------------------------------

static void add_output(nl_network *network, bool *listed, size_t step) {
  if (step == NL_NONE || !network->steps[step].evaluable || listed[step]) return;
  listed[step] = true;
  network->outputs[network->output_count++] = step;
  network->results += network->steps[step].width;
}

// What the deviation is measured on: the outputs that can be evaluated, and what the rest of the graph reads.
static nl_status collect_outputs(nl_build *build) {
  nl_network *network = build->network;
  const nl_graph *graph = build->graph;
  bool *listed;
  NL_TAKE(&network->arena, network->outputs, size_t, network->step_count + 1, build->error);
  NL_TAKE(&network->arena, listed, bool, network->step_count + 1, build->error);
  for (size_t i = 0; i < graph->output_count; i++) add_output(network, listed, network->step_of[graph->outputs[i]]);
  for (size_t v = 0; v < graph->value_count; v++) {
    const size_t step = network->step_of[v];
    if (step == NL_NONE || network->steps[step].kind == NL_STEP_INPUT) continue;
    for (size_t u = 0; u < graph->values[v].use_count; u++)
      if (!node_understood(build, &graph->nodes[graph->values[v].uses[u].node])) add_output(network, listed, step);
  }
  return NL_OK;
}

// ---- the whole ----------------------------------------------------------------------------------------------------------

static nl_status prepare(nl_build *build) {
  nl_network *network = build->network;
  nl_arena *arena = &network->arena;
  const size_t values = build->graph->value_count;
  build->capacity = values + build->graph->node_count + 1;
  NL_TAKE(arena, network->steps, nl_step, build->capacity, build->error);
  NL_TAKE(arena, network->step_of, size_t, values + 1, build->error);
  NL_TAKE(arena, build->layouts, nl_layout, values + 1, build->error);
  NL_TAKE(arena, build->pins, nl_reason, build->capacity, build->error);
  NL_TAKE(arena, build->pin_nodes, size_t, build->capacity, build->error);
  NL_TAKE(arena, build->parents, size_t, build->capacity, build->error);
  for (size_t v = 0; v < values; v++) network->step_of[v] = build->layouts[v].step = NL_NONE;
  return NL_OK;
}

static nl_status lower(nl_build *build) {
  NL_TRY(prepare(build));
  lower_inputs(build);
  NL_TRY(lower_nodes(build));
  pin_readers(build);
  NL_TRY(pin_dead_ends(build));
  NL_TRY(list_dense(build));
  NL_TRY(form_groups(build));
  return collect_outputs(build);
}

nl_status nl_network_create(nl_network **out, const nl_graph *graph, nl_error *error) {
  nl_network *network = calloc(1, sizeof *network);
  if (network == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *network, 0);
  network->graph = graph;
  network->batch = -1;
  network->parameters = nl_graph_parameters(graph);
  nl_build build = {.network = network, .graph = graph, .error = error};
  const nl_status status = lower(&build);
  if (status != NL_OK)
    nl_network_free(network);
  else
    *out = network;
  return status;
}

void nl_network_free(nl_network *network) {
  if (network == NULL) return;
  nl_arena_free(&network->arena);
  free(network);
}

void nl_network_mark_behind(const nl_network *network, bool *marked) {
  for (size_t s = 0; s < network->step_count; s++)
    for (size_t i = 0; i < network->steps[s].input_count; i++)
      marked[s] = marked[s] || marked[network->steps[s].inputs[i]];
}
