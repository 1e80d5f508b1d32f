// What is inside a model, as JSON.
#include <math.h>
#include <stdlib.h>

#include "compress.h"

// The names under which the graph hands on what the network computes: a step's value, or an output's where it is one.
static bool add_steps(cJSON *array, const nl_network *network) {
  size_t *values = malloc((network->step_count + 1) * sizeof *values);
  bool fine = values != NULL;
  for (size_t s = 0; fine && s < network->step_count; s++) values[s] = network->steps[s].value;
  for (size_t v = 0; fine && v < network->graph->value_count; v++)
    if (network->step_of[v] != NL_NONE && network->graph->values[v].is_output) values[network->step_of[v]] = v;
  for (size_t i = 0; fine && i < network->output_count; i++)
    fine = nl_report_item(array, network->graph->values[values[network->outputs[i]]].name);
  free(values);
  return fine;
}

static bool add_computed(cJSON *root, const nl_model *model) {
  cJSON *array = cJSON_AddArrayToObject(root, "computed");
  bool fine = array != NULL;
  for (size_t i = 0; fine && i < model->compared_count; i++)
    fine = nl_report_item(array, model->graph->values[model->compared[i]].name);
  return fine && (model->engine == NL_ENGINE_RUNTIME || add_steps(array, model->network));
}

static bool add_levels(cJSON *root, const nl_graph *graph) {
  cJSON *input = cJSON_GetObjectItemCaseSensitive(root, "inputs")->child;
  for (size_t i = 0; i < graph->input_count; i++, input = input->next) {
    const size_t levels = nl_model_levels(graph, graph->inputs[i]);
    if (!nl_report_number(input, "levels", levels > 0 ? (double)levels : (double)NAN)) return false;
  }
  return true;
}

static bool is_one_of(nl_span op, const char *const *words) {
  while (*words != NULL && !nl_span_is(op, *words)) words++;
  return *words != NULL;
}

// Whether the input is brought to a scale of the model's own before anything else happens to it.
static bool is_normalised(const nl_graph *graph, size_t input) {
  enum { STEPS_MOST = 32 }; // a way that all inputs share is gone once for each
  static const char *const scales[] = {"Sub",        "Div",    "Mul", "Add", "BatchNormalization", "LayerNormalization",
                                       "Normalizer", "Scaler", NULL};
  static const char *const moves[] = {"Cast",      "Identity", "Flatten",   "Reshape",
                                      "Transpose", "Concat",   "Unsqueeze", NULL};
  const nl_value *value = &graph->values[input];
  for (int step = 0; step < STEPS_MOST && value->use_count == 1; step++) {
    const nl_node *node = &graph->nodes[value->uses[0].node];
    if (is_one_of(node->op, scales)) return true;
    if (!is_one_of(node->op, moves) || node->output_count == 0 || node->outputs[0] == NL_NONE) return false;
    value = &graph->values[node->outputs[0]];
  }
  return false;
}

static bool normalises(const nl_graph *graph) {
  for (size_t i = 0; i < graph->input_count; i++)
    if (is_normalised(graph, graph->inputs[i])) return true;
  return false;
}

static bool add_sites(cJSON *root, const nl_model *model) {
  cJSON *array = cJSON_AddArrayToObject(root, "sites");
  bool fine = array != NULL;
  for (size_t i = 0; fine && i < model->sites.count; i++) {
    cJSON *object = cJSON_CreateObject();
    fine = object != NULL && cJSON_AddItemToArray(array, object) &&
           nl_report_node(object, "name", model->graph, nl_model_producer(model, i)) &&
           nl_report_number(object, "width", (double)model->sites.sites[i].width);
  }
  return fine;
}

nl_layers nl_model_layers(const nl_model *model) {
  return (nl_layers){.network = model->network,
                     .sites = &model->sites,
                     .channels = model->channels,
                     .runtime = model->engine == NL_ENGINE_RUNTIME};
}

bool nl_model_report_skipped(cJSON *parent, const nl_model *model) {
  const nl_layers layers = nl_model_layers(model);
  return nl_report_skipped(parent, &layers);
}

nl_status nl_model_describe(const nl_model *model, nl_buffer *json, nl_error *error) {
  NL_TRY(nl_model_need_network(model, error));
  const nl_network *network = model->network;
  const nl_graph *graph = model->graph;
  const nl_layers layers = nl_model_layers(model);
  cJSON *root = cJSON_CreateObject();
  const bool fine =
      root != NULL && nl_report_text(root, "producer", graph->producer_name) &&
      nl_report_number(root, "opset", (double)graph->opset) &&
      nl_report_number(root, "parameters", (double)network->parameters) &&
      nl_report_number(root, "bytes", (double)model->source.size) &&
      cJSON_AddBoolToObject(root, "relumped", graph->has_netlump_metadata) != NULL &&
      cJSON_AddStringToObject(root, "engine", model->engine == NL_ENGINE_RUNTIME ? "runtime" : "forward") != NULL &&
      cJSON_AddBoolToObject(root, "polishes", model->engine == NL_ENGINE_FORWARD || nl_tail_holds(model, NL_NONE)) !=
          NULL &&
      cJSON_AddBoolToObject(root, "normalises", normalises(graph)) != NULL &&
      nl_report_ports(root, "inputs", graph, graph->input_count, graph->inputs) && add_levels(root, graph) &&
      nl_report_ports(root, "outputs", graph, graph->output_count, graph->outputs) &&
      nl_report_number(root, "features", (double)nl_model_features(model)) &&
      nl_report_number(root, "results", (double)nl_model_results(model)) &&
      (network->batch > 0 && model->engine == NL_ENGINE_FORWARD
           ? nl_report_number(root, "batch", (double)network->batch)
           : cJSON_AddNullToObject(root, "batch") != NULL) &&
      add_computed(root, model) && nl_report_layers(root, &layers) && add_sites(root, model) &&
      nl_report_skipped(root, &layers);
  return nl_report_print(root, fine, json, error);
}
