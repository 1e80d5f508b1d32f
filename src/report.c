#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"

// ---- pieces -------------------------------------------------------------------------------------------------------------

nl_status nl_report_node_name(const nl_graph *graph, size_t index, nl_buffer *out, nl_error *error) {
  const nl_node *node = &graph->nodes[index];
  if (node->name.size > 0) return nl_buffer_append(out, node->name.bytes, node->name.size, error);
  NL_TRY(nl_buffer_append(out, node->op.bytes, node->op.size, error));
  NL_TRY(nl_buffer_append(out, " ", 1, error));
  return nl_decimal_append(out, (double)(index + 1), error);
}

bool nl_report_number(cJSON *parent, const char *name, double value) {
  return isfinite(value) ? cJSON_AddNumberToObject(parent, name, value) != NULL
                         : cJSON_AddNullToObject(parent, name) != NULL;
}

static cJSON *create_text(nl_span text) {
  char *copy = malloc(text.size + 1);
  if (copy == NULL) return NULL;
  memcpy(copy, text.size > 0 ? (const char *)text.bytes : "", text.size);
  copy[text.size] = '\0';
  cJSON *item = cJSON_CreateString(copy);
  free(copy);
  return item;
}

bool nl_report_text(cJSON *parent, const char *name, nl_span text) {
  cJSON *item = create_text(text);
  if (cJSON_AddItemToObject(parent, name, item)) return true;
  cJSON_Delete(item); // there was no memory for its name
  return false;
}

bool nl_report_item(cJSON *array, nl_span text) { return cJSON_AddItemToArray(array, create_text(text)); }

static bool add_buffer(cJSON *parent, const char *name, nl_buffer *buffer, nl_status status) {
  const bool fine = status == NL_OK && nl_report_text(parent, name, (nl_span){buffer->bytes, buffer->size});
  nl_buffer_free(buffer);
  return fine;
}

bool nl_report_node(cJSON *parent, const char *name, const nl_graph *graph, size_t node) {
  nl_buffer text = {0};
  const nl_status status = nl_report_node_name(graph, node, &text, NULL);
  return add_buffer(parent, name, &text, status);
}

static bool add_reason(cJSON *parent, const nl_graph *graph, nl_reason reason, size_t node) {
  nl_buffer text = {0};
  const nl_status status = nl_reason_sentence(graph, reason, node, &text, NULL);
  return add_buffer(parent, "reason", &text, status);
}

static cJSON *add_object(cJSON *array) {
  cJSON *object = cJSON_CreateObject();
  if (object != NULL && !cJSON_AddItemToArray(array, object)) {
    cJSON_Delete(object);
    return NULL;
  }
  return object;
}

// ---- layers -------------------------------------------------------------------------------------------------------------

// A layer as the user sees it: a node that carries weights.
typedef struct layer {
  size_t node;
  size_t step; // of the network, or NL_NONE
  size_t site; // or NL_NONE
  double width;
  nl_reason reason;
  size_t reason_node;
} layer;

// A depthwise convolution is no linear: it acts on each channel by itself.
static const nl_rider *rider_at(const nl_channels *channels, const nl_graph *graph, size_t node) {
  if (channels->rider_of[node] == NL_NONE || !nl_span_is(graph->nodes[node].op, "Conv")) return NULL;
  return &channels->riders[channels->rider_of[node]];
}

// What the channels know of what a node writes: the site, or why there is none.
static void follow_axis(const nl_layers *layers, const nl_axis *axis, layer *out) {
  const nl_channel_group *group = &layers->channels->groups[axis->segments[0].group];
  out->width = (double)nl_axis_length(layers->channels, axis, NULL);
  out->reason = group->reason;
  out->reason_node = group->reason_node;
  if (layers->runtime) out->site = group->site;
}

// Whether the node is a layer.
static bool layer_at(const nl_layers *layers, size_t node, layer *out) {
  const nl_network *network = layers->network;
  const nl_graph *graph = network->graph;
  const nl_channels *channels = layers->channels;
  const size_t step = layers->runtime ? NL_NONE : network->dense_of[node];
  const nl_linear *linear = channels->linear_of[node] != NL_NONE ? &channels->linears[channels->linear_of[node]] : NULL;
  const nl_rider *rider = rider_at(channels, graph, node);
  *out = (layer){.node = node, .step = step, .site = NL_NONE, .reason_node = NL_NONE, .width = NAN};
  if (step != NL_NONE) {
    const nl_group *group = &network->groups[network->group_of[step]];
    out->reason = group->reason;
    out->reason_node = group->reason_node;
    out->site = layers->sites->site_of[step];
    out->width = (double)network->steps[step].width;
  } else if (linear != NULL || rider != NULL)
    follow_axis(layers, linear != NULL ? &linear->out : &rider->axis, out);
  else {
    const nl_tensor *weight = nl_node_constant(graph, &graph->nodes[node], 1);
    out->reason = nl_channels_left(layers->channels, node);
    if (weight != NULL && weight->rank > 0) out->width = (double)weight->dims[0];
    return out->reason != NL_REASON_NONE;
  }
  return true;
}

// Who reads each step: `reading` from starts[step] to starts[step + 1], in their order, each once.
typedef struct readers {
  nl_arena arena;
  size_t *starts;  // (steps + 1)
  size_t *reading; // steps
} readers;

static bool reads_again(const nl_step *step, size_t i) { return i == 1 && step->inputs[1] == step->inputs[0]; }

static bool find_readers(readers *r, const nl_network *network) {
  const size_t count = network->step_count;
  r->starts = nl_arena_take(&r->arena, count + 2, sizeof *r->starts);
  r->reading = nl_arena_take(&r->arena, 2 * count, sizeof *r->reading);
  if (r->starts == NULL || r->reading == NULL) return false;
  size_t *filled = r->starts + 1; // where each begins, one place early: filling moves it to where the next begins
  for (size_t s = 0; s < count; s++)
    for (size_t i = 0; i < network->steps[s].input_count; i++)
      if (!reads_again(&network->steps[s], i)) filled[network->steps[s].inputs[i] + 1]++;
  for (size_t s = 0; s < count; s++) filled[s + 1] += filled[s];
  for (size_t s = 0; s < count; s++)
    for (size_t i = 0; i < network->steps[s].input_count; i++)
      if (!reads_again(&network->steps[s], i)) r->reading[filled[network->steps[s].inputs[i]]++] = s;
  return true;
}

// The operator that makes the layer's activation: the first function behind it, normalisation and scaling passed over.
static nl_span activation_of(const nl_network *network, const readers *r, size_t dense) {
  nl_span first = {0};
  size_t end = r->starts[dense + 1];
  for (size_t at = r->starts[dense]; at < end; at++) {
    const size_t s = r->reading[at];
    const nl_step *step = &network->steps[s];
    if (step->kind == NL_STEP_DENSE || step->kind == NL_STEP_OPAQUE) continue;
    if (first.size > 0 && step->kind == NL_STEP_MULTIPLY)
      return nl_span_is(first, "Sigmoid") ? (nl_span){(const uint8_t *)"Swish", 5}
                                          : (nl_span){(const uint8_t *)"Gelu", 4};
    if (first.size > 0) continue;
    if (step->kind == NL_STEP_SCALE) { // from here on, what is behind it
      at = r->starts[s] - 1;
      end = r->starts[s + 1];
    } else
      first = network->graph->nodes[step->node].op;
  }
  return first;
}

// The same in a graph the network does not cover: the first function the layer's output goes through.
static nl_span function_behind(const nl_graph *graph, size_t node) {
  static const char *const functions[] = {"Relu",        "Tanh",      "Sigmoid",  "LeakyRelu", "PRelu",
                                          "Elu",         "Selu",      "Clip",     "Gelu",      "Softmax",
                                          "HardSigmoid", "HardSwish", "Softplus", "Mish",      "QuickGelu"};
  enum { NODES_MOST = 4 };
  for (int step = 0; step < NODES_MOST; step++) {
    const size_t output = graph->nodes[node].output_count > 0 ? graph->nodes[node].outputs[0] : NL_NONE;
    if (output == NL_NONE || graph->values[output].use_count != 1) return (nl_span){0};
    node = graph->values[output].uses[0].node;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
      if (nl_span_is(graph->nodes[node].op, functions[i])) return graph->nodes[node].op;
    if (!nl_span_is(graph->nodes[node].op, "Add") && !nl_span_is(graph->nodes[node].op, "BatchNormalization"))
      return (nl_span){0};
  }
  return (nl_span){0};
}

static bool add_layer(cJSON *array, const nl_layers *layers, const readers *r, const layer *l) {
  const nl_graph *graph = layers->network->graph;
  cJSON *object = add_object(array);
  if (object == NULL) return false;
  const nl_span activation = l->step != NL_NONE ? activation_of(layers->network, r, l->step)
                             : layers->runtime  ? function_behind(graph, l->node)
                                                : (nl_span){0};
  bool fine = nl_report_node(object, "name", graph, l->node) &&
              nl_report_text(object, "op", graph->nodes[l->node].op) && nl_report_number(object, "width", l->width) &&
              nl_report_number(object, "site", l->site != NL_NONE ? (double)l->site : NAN);
  fine = fine && (activation.size > 0 ? nl_report_text(object, "activation", activation)
                                      : cJSON_AddNullToObject(object, "activation") != NULL);
  if (l->reason == NL_REASON_NONE) return fine && cJSON_AddNullToObject(object, "reason") != NULL;
  return fine && add_reason(object, graph, l->reason, l->reason_node);
}

bool nl_report_layers(cJSON *parent, const nl_layers *layers) {
  const nl_graph *graph = layers->network->graph;
  cJSON *array = cJSON_AddArrayToObject(parent, "layers");
  readers r = {0};
  bool fine = array != NULL && find_readers(&r, layers->network);
  for (size_t i = 0; fine && i < graph->node_count; i++) {
    layer l;
    if (layer_at(layers, graph->order[i], &l)) fine = add_layer(array, layers, &r, &l);
  }
  nl_arena_free(&r.arena);
  return fine;
}

void nl_report_layer_steps(const nl_layers *layers, size_t *count, size_t *steps) {
  const nl_graph *graph = layers->network->graph;
  *count = 0;
  for (size_t i = 0; i < graph->node_count; i++) {
    layer l;
    if (layer_at(layers, graph->order[i], &l)) steps[(*count)++] = l.step;
  }
}

bool nl_report_skipped(cJSON *parent, const nl_layers *layers) {
  const nl_graph *graph = layers->network->graph;
  cJSON *array = cJSON_AddArrayToObject(parent, "skipped");
  bool fine = array != NULL;
  for (size_t i = 0; fine && i < graph->node_count; i++) {
    layer l;
    if (!layer_at(layers, graph->order[i], &l) || l.reason == NL_REASON_NONE) continue;
    cJSON *object = add_object(array);
    fine = object != NULL && nl_report_node(object, "node", graph, l.node) &&
           add_reason(object, graph, l.reason, l.reason_node);
  }
  return fine;
}

// ---- ports --------------------------------------------------------------------------------------------------------------

static const char *type_name(nl_type type) {
  static const char *const names[] = {
      [NL_TYPE_F32] = "float32", [NL_TYPE_U8] = "uint8",     [NL_TYPE_I8] = "int8",     [NL_TYPE_U16] = "uint16",
      [NL_TYPE_I16] = "int16",   [NL_TYPE_I32] = "int32",    [NL_TYPE_I64] = "int64",   [NL_TYPE_STRING] = "string",
      [NL_TYPE_BOOL] = "bool",   [NL_TYPE_F16] = "float16",  [NL_TYPE_F64] = "float64", [NL_TYPE_U32] = "uint32",
      [NL_TYPE_U64] = "uint64",  [NL_TYPE_BF16] = "bfloat16"};
  const size_t index = (size_t)type;
  return index < sizeof names / sizeof *names && names[index] != NULL ? names[index] : "unknown";
}

bool nl_report_ports(cJSON *parent, const char *name, const nl_graph *graph, size_t count, const size_t *values) {
  cJSON *array = cJSON_AddArrayToObject(parent, name);
  bool fine = array != NULL;
  for (size_t i = 0; fine && i < count; i++) {
    const nl_value *value = &graph->values[values[i]];
    cJSON *object = add_object(array);
    fine = object != NULL && nl_report_text(object, "name", value->name) &&
           cJSON_AddStringToObject(object, "type", type_name(value->type)) != NULL;
    cJSON *shape = fine ? cJSON_AddArrayToObject(object, "shape") : NULL;
    fine = shape != NULL;
    for (size_t d = 0; fine && value->rank_known && d < value->rank; d++)
      fine = cJSON_AddItemToArray(shape, value->dims[d] >= 0 ? cJSON_CreateNumber((double)value->dims[d])
                                                             : cJSON_CreateNull());
  }
  return fine;
}

nl_status nl_report_print(cJSON *object, bool complete, nl_buffer *out, nl_error *error) {
  char *text = complete ? cJSON_PrintUnformatted(object) : NULL;
  cJSON_Delete(object);
  if (text == NULL) return nl_no_memory(error, 1, sizeof *object); // of one more piece; how many, nobody knows
  const nl_status status = nl_buffer_append(out, text, strlen(text), error);
  cJSON_free(text);
  return status;
}
