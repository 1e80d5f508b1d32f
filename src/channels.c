// channels: walks the nodes in order; the rule of each says where its output's channels lie, or leaves what it reads whole.
#include "channels.h"

#include <stdlib.h>
#include <string.h>

#include "channels_build.h"

enum { OPSET_OLDEST = 7 };                  // before it, broadcasting had attributes of its own
enum { WORK = 1 << 22, WORK_A_NODE = 256 }; // segments that may be looked at

// ---- asking ----------------------------------------------------------------------------------------------------------

const nl_node *nl_trace_node(const nl_tracing *t, size_t node) { return &t->graph->nodes[node]; }

size_t nl_trace_input(const nl_tracing *t, size_t node, size_t slot) {
  const nl_node *asked = &t->graph->nodes[node];
  return slot < asked->input_count ? asked->inputs[slot] : NL_NONE;
}

nl_trail *nl_trace_trail(nl_tracing *t, size_t value) {
  if (value == NL_NONE || t->trails[value].strip == NULL) return NULL;
  t->trails[value].strip = nl_trace_current(t, t->trails[value].strip);
  return &t->trails[value];
}

nl_trail *nl_trace_trail_at(nl_tracing *t, size_t node, size_t slot) {
  return nl_trace_trail(t, nl_trace_input(t, node, slot));
}

const nl_shape *nl_trace_shape(const nl_tracing *t, size_t value) {
  if (value == NL_NONE) return NULL;
  const nl_shape *shape = &t->shapes->values[value];
  return shape->known ? shape : NULL;
}

int64_t nl_trace_size(const nl_tracing *t, size_t value, size_t back) {
  const nl_shape *shape = nl_trace_shape(t, value);
  if (shape == NULL) return -1;
  return back > shape->rank ? 1 : shape->dims[shape->rank - back];
}

bool nl_trace_axis(int64_t axis, size_t rank, size_t *out) {
  const int64_t size = (int64_t)rank;
  if (axis < -size || axis >= size) return false;
  *out = (size_t)(axis < 0 ? axis + size : axis);
  return true;
}

bool nl_trace_spare(const nl_tracing *t, size_t node) {
  const nl_node *asked = &t->graph->nodes[node];
  for (size_t i = 1; i < asked->output_count; i++) {
    if (asked->outputs[i] == NL_NONE) continue;
    const nl_value *value = &t->graph->values[asked->outputs[i]];
    if (value->use_count > 0 || value->is_output) return true;
  }
  return false;
}

// ---- saying ----------------------------------------------------------------------------------------------------------

void nl_trace_follow(nl_tracing *t, size_t node, size_t slot, nl_strip *strip, size_t back, bool zeros) {
  const nl_node *written = &t->graph->nodes[node];
  if (slot >= written->output_count || written->outputs[slot] == NL_NONE) return;
  const size_t value = written->outputs[slot];
  const nl_shape *shape = nl_trace_shape(t, value);
  const int64_t size = nl_trace_size(t, value, back);
  const bool agrees = shape == NULL || (back <= shape->rank && (size < 0 || (uint64_t)size == strip->length));
  if (agrees)
    t->trails[value] = (nl_trail){strip, back, zeros};
  else
    nl_trace_pin(t, strip, NL_REASON_READ_BY, node);
}

void nl_trace_rider(nl_tracing *t, nl_place place, size_t back, nl_strip *strip) {
  nl_traced_rider *riders = nl_trace_grown(t, t->riders, t->rider_count, &t->rider_room, sizeof *riders);
  if (riders == NULL) return;
  t->riders = riders;
  riders[t->rider_count++] = (nl_traced_rider){place, back, strip};
}

void nl_trace_state(nl_tracing *t, nl_statement statement, nl_strip *strip, size_t shared) {
  nl_traced_statement *statements =
      nl_trace_grown(t, t->statements, t->statement_count, &t->statement_room, sizeof *statements);
  if (statements == NULL) return;
  t->statements = statements;
  statements[t->statement_count++] = (nl_traced_statement){statement, strip, shared, 0, NL_NONE, false};
}

// ---- left whole --------------------------------------------------------------------------------------------------------

static bool is_moved(nl_origin origin) {
  return origin.reason == NL_REASON_INPUT || origin.reason == NL_REASON_ATTENTION;
}

// What an output that is not followed is to blame on: itself, or what it was made of first of all.
static nl_origin origin_of(const nl_tracing *t, size_t node) {
  const nl_node *left = &t->graph->nodes[node];
  nl_origin origin = nl_trace_blame(t, node);
  if (origin.reason != NL_REASON_READ_BY) return origin;
  origin.reason = NL_REASON_MADE_BY;
  const size_t value = left->input_count > 0 ? left->inputs[0] : NL_NONE;
  if (value == NL_NONE || t->graph->values[value].tensor != NL_NONE || t->trails[value].strip != NULL) return origin;
  return is_moved(t->origins[value]) ? t->origins[value] : origin;
}

void nl_trace_leave(nl_tracing *t, size_t node) {
  const nl_node *left = &t->graph->nodes[node];
  const nl_origin blame = nl_trace_blame(t, node);
  for (size_t i = 0; i < left->input_count; i++) {
    const nl_trail *trail = nl_trace_trail_at(t, node, i);
    if (trail != NULL) nl_trace_pin(t, trail->strip, blame.reason, blame.node);
  }
  const nl_origin origin = origin_of(t, node);
  for (size_t i = 0; i < left->output_count; i++)
    if (left->outputs[i] != NL_NONE) t->origins[left->outputs[i]] = origin;
}

// ---- the walk --------------------------------------------------------------------------------------------------------

static bool is_constant_node(const nl_graph *graph, const nl_node *node) {
  return node->output_count == 1 && node->outputs[0] != NL_NONE && graph->values[node->outputs[0]].tensor != NL_NONE;
}

static void walk_node(nl_tracing *t, size_t index) {
  const nl_node *node = &t->graph->nodes[index];
  if (is_constant_node(t->graph, node)) return;
  nl_trace_rule *rule = t->graph->opset < OPSET_OLDEST || node->has_subgraph ? NULL : nl_trace_rule_of(t, index);
  const bool done = rule != NULL && rule(t, index);
  t->left[index] = done ? NL_REASON_NONE : nl_trace_left(t, index);
  if (!done) nl_trace_leave(t, index);
  nl_trace_count(t, index, done);
}

static void pin_ends(nl_tracing *t) {
  for (size_t v = 0; v < t->graph->value_count; v++) {
    const nl_value *value = &t->graph->values[v];
    const nl_trail *trail = nl_trace_trail(t, v);
    const nl_trail *counted = nl_trace_trail(t, t->counted[v]);
    for (size_t u = 0; u < value->use_count; u++) {
      if (value->uses[u].slot != NL_NONE) continue;
      if (trail != NULL) nl_trace_pin(t, trail->strip, NL_REASON_READ_BY, value->uses[u].node);
      if (counted != NULL) nl_trace_pin(t, counted->strip, NL_REASON_READ_BY, value->uses[u].node);
    }
    if (!value->is_output) continue;
    if (trail != NULL) nl_trace_pin(t, trail->strip, NL_REASON_OUTPUT, NL_NONE);
    if (counted != NULL) nl_trace_pin(t, counted->strip, NL_REASON_OUTPUT, NL_NONE);
  }
}

static nl_status prepare(nl_tracing *t) {
  const size_t values = t->graph->value_count, nodes = t->graph->node_count;
  NL_TAKE(&t->arena, t->trails, nl_trail, values, t->error);
  NL_TAKE(&t->arena, t->origins, nl_origin, values, t->error);
  NL_TAKE(&t->arena, t->counted, size_t, values, t->error);
  NL_TAKE(&t->arena, t->absorbed, bool, nodes, t->error);
  NL_TAKE(&t->channels->arena, t->left, nl_reason, nodes, t->error);
  t->channels->left = t->left;
  NL_TAKE(&t->arena, t->piles, nl_segment, (size_t)4 * NL_STRIP_MOST, t->error);
  t->work_left = WORK + (nodes + values) * WORK_A_NODE;
  for (size_t v = 0; v < values; v++) {
    t->origins[v] = (nl_origin){NL_REASON_INPUT, NL_NONE};
    t->counted[v] = NL_NONE;
  }
  nl_trace_root(t, 0, NL_REASON_INPUT, NL_NONE); // what is named when memory is out
  return t->status;
}

static nl_status trace(nl_tracing *t) {
  NL_TRY(prepare(t));
  for (size_t i = 0; i < t->graph->node_count && t->status == NL_OK; i++) walk_node(t, t->graph->order[i]);
  pin_ends(t);
  NL_TRY(t->status);
  return nl_trace_settle(t);
}

nl_status nl_channels_create(nl_channels **out, const nl_graph *graph, const nl_shapes *shapes, nl_error *error) {
  nl_channels *channels = calloc(1, sizeof *channels);
  if (channels == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *channels, 0);
  channels->graph = graph;
  channels->parameters = nl_graph_parameters(graph);
  nl_tracing t = {.channels = channels, .graph = graph, .shapes = shapes, .error = error};
  const nl_status status = trace(&t);
  nl_arena_free(&t.arena);
  if (status == NL_OK)
    *out = channels;
  else
    nl_channels_free(channels);
  return status;
}

void nl_channels_free(nl_channels *channels) {
  if (channels == NULL) return;
  nl_arena_free(&channels->arena);
  free(channels);
}

nl_reason nl_channels_left(const nl_channels *channels, size_t node) { return channels->left[node]; }

size_t nl_axis_length(const nl_channels *channels, const nl_axis *axis, const size_t *widths) {
  size_t length = 0;
  for (size_t i = 0; i < axis->count; i++) {
    const nl_segment *segment = &axis->segments[i];
    const size_t site = channels->groups[segment->group].site;
    const size_t width = widths == NULL || site == NL_NONE ? segment->width : widths[site];
    length += segment->tile * width * segment->run;
  }
  return length;
}
