// json_tfjs_model: the topology as Keras writes it, as layers and calls of them.
#include <string.h>

#include "json_tfjs.h"

enum { MOST_PORTS = 1024 }; // inputs, and outputs

nl_status nl_tfjs_join(nl_tfjs_model *model, const char **out, const char *a, const char *b, const char *c,
                       nl_error *error) {
  const size_t sizes[3] = {strlen(a), strlen(b), strlen(c)};
  char *text;
  NL_TAKE(&model->arena, text, char, sizes[0] + sizes[1] + sizes[2] + 1, error);
  memcpy(text, a, sizes[0]);
  memcpy(text + sizes[0], b, sizes[1]);
  memcpy(text + sizes[0] + sizes[1], c, sizes[2]);
  *out = text;
  return NL_OK;
}

static cJSON *get(const cJSON *object, const char *key) { return cJSON_GetObjectItemCaseSensitive(object, key); }

static const char *text_of(const cJSON *object, const char *key) {
  const cJSON *item = get(object, key);
  return cJSON_IsString(item) ? item->valuestring : NULL;
}

static nl_span span_of(const char *text) { return (nl_span){(const uint8_t *)text, strlen(text)}; }

static nl_status fail(nl_error *error, const char *place, const char *detail) {
  return nl_fail(error, NL_ERROR_JSON, place, detail);
}

// ---- layers ------------------------------------------------------------------------------------------------------------

static nl_status read_layer(nl_tfjs_layer *layer, cJSON *item, nl_error *error) {
  layer->kind = text_of(item, "class_name");
  layer->config = get(item, "config");
  layer->inbound = get(item, "inbound_nodes");
  if (layer->kind == NULL || !cJSON_IsObject(layer->config))
    return fail(error, "modelTopology.config.layers", "a layer with class_name and config is expected");
  layer->name = text_of(layer->config, "name");
  if (layer->name == NULL) layer->name = text_of(item, "name");
  if (layer->name == NULL || layer->name[0] == '\0')
    return fail(error, "modelTopology.config.layers", "a layer has no name");
  return NL_OK;
}

static nl_status read_layers(nl_tfjs_model *m, cJSON *array, size_t room, nl_error *error) {
  if (nl_json_count(array) == 0) return fail(error, "modelTopology.config.layers", "an array of layers is expected");
  NL_TAKE(&m->arena, m->layers, nl_tfjs_layer, nl_json_count(array) + room, error);
  for (cJSON *item = array->child; item != NULL; item = item->next)
    NL_TRY(read_layer(&m->layers[m->layer_count++], item, error));
  return NL_OK;
}

static nl_status name_calls(nl_tfjs_model *m, size_t index, nl_error *error) {
  nl_tfjs_layer *layer = &m->layers[index];
  for (size_t k = 0; k < layer->call_count; k++) {
    nl_tfjs_call *call = &m->calls[layer->first_call + k];
    char number[96] = "";
    nl_json_put_number(number, k);
    call->layer = index;
    call->label = layer->name;
    if (k > 0) NL_TRY(nl_tfjs_join(m, &call->label, layer->name, "#", number, error));
  }
  return NL_OK;
}

// Gives every layer its calls, their inputs still empty.
static nl_status make_calls(nl_tfjs_model *m, nl_error *error) {
  for (size_t i = 0; i < m->layer_count; i++) {
    m->layers[i].first_call = m->call_count;
    m->call_count += m->layers[i].call_count;
  }
  NL_TAKE(&m->arena, m->calls, nl_tfjs_call, m->call_count + 1, error);
  for (size_t i = 0; i < m->layer_count; i++) NL_TRY(name_calls(m, i, error));
  return NL_OK;
}

// ---- Sequential --------------------------------------------------------------------------------------------------------

static bool is_input(const nl_tfjs_layer *layer) { return strcmp(layer->kind, "InputLayer") == 0; }

// A Sequential's first layer states the input's shape where there is no InputLayer: one is put before it.
static nl_status add_input(nl_tfjs_model *m, nl_error *error) {
  if (is_input(&m->layers[0])) return NL_OK;
  memmove(m->layers + 1, m->layers, m->layer_count * sizeof *m->layers);
  m->layer_count++;
  m->layers[0] = (nl_tfjs_layer){.kind = "InputLayer", .config = m->layers[1].config};
  return nl_tfjs_join(m, &m->layers[0].name, m->layers[1].name, "_input", "", error);
}

static nl_status read_sequential(nl_tfjs_model *m, cJSON *config, nl_error *error) {
  NL_TRY(read_layers(m, cJSON_IsArray(config) ? config : get(config, "layers"), 1, error));
  NL_TRY(add_input(m, error));
  for (size_t i = 0; i < m->layer_count; i++) m->layers[i].call_count = 1;
  NL_TRY(make_calls(m, error));
  size_t *before;
  NL_TAKE(&m->arena, before, size_t, m->call_count, error);
  for (size_t i = 1; i < m->call_count; i++) {
    before[i] = i - 1;
    m->calls[i].inputs = &before[i];
    m->calls[i].input_count = 1;
  }
  NL_TAKE(&m->arena, m->inputs, size_t, 1, error);
  NL_TAKE(&m->arena, m->outputs, size_t, 1, error);
  m->input_count = m->output_count = 1;
  m->outputs[0] = m->call_count - 1;
  return NL_OK;
}

// ---- functional models -------------------------------------------------------------------------------------------------

// ["dense_1", 0, 0, {}]: a layer, which of its calls, which of its outputs
static nl_status read_link(const nl_tfjs_model *m, const nl_names *names, const cJSON *link, const char *place,
                           size_t *call, nl_error *error) {
  const cJSON *name = cJSON_IsArray(link) ? link->child : NULL, *number = name != NULL ? name->next : NULL;
  const cJSON *output = number != NULL ? number->next : NULL;
  if (!cJSON_IsString(name) || !cJSON_IsNumber(number) || (output != NULL && !cJSON_IsNumber(output)))
    return fail(error, place, "a layer's name and two numbers are expected, as TensorFlow.js writes them");
  const size_t layer = nl_names_find(names, span_of(name->valuestring));
  if (layer == NL_NONE) return nl_fail(error, NL_ERROR_DANGLING, place, name->valuestring);
  const double index = number->valuedouble;
  if (!(index >= 0 && index < (double)m->layers[layer].call_count) || (output != NULL && output->valuedouble != 0))
    return nl_fail(error, NL_ERROR_DANGLING, place, name->valuestring);
  *call = m->layers[layer].first_call + (size_t)index;
  return NL_OK;
}

// An array of links; one link may stand without brackets around it.
static nl_status read_links(nl_tfjs_model *m, const nl_names *names, const cJSON *array, const char *place,
                            size_t *count, size_t **calls, nl_error *error) {
  const bool single = cJSON_IsArray(array) && cJSON_IsString(array->child);
  const size_t most = single ? 1 : nl_json_count(array);
  if (most == 0) return fail(error, place, "an array is expected, as TensorFlow.js writes it");
  NL_TAKE(&m->arena, *calls, size_t, most, error);
  const cJSON *link = single ? array : array->child;
  for (*count = 0; *count < most; link = link->next) {
    NL_TRY(read_link(m, names, link, place, *calls + *count, error));
    ++*count;
  }
  return NL_OK;
}

static nl_status read_inbound(nl_tfjs_model *m, const nl_names *names, const nl_tfjs_layer *layer, nl_error *error) {
  const cJSON *node = cJSON_IsArray(layer->inbound) ? layer->inbound->child : NULL;
  for (size_t k = 0; !is_input(layer) && k < layer->call_count; k++, node = node->next) {
    nl_tfjs_call *call = &m->calls[layer->first_call + k];
    size_t *calls = NULL;
    NL_TRY(read_links(m, names, node, layer->name, &call->input_count, &calls, error));
    call->inputs = calls;
  }
  return NL_OK;
}

static nl_status name_layers(nl_tfjs_model *m, nl_names *names, nl_error *error) {
  NL_TRY(nl_names_create(names, &m->arena, m->layer_count, error));
  for (size_t i = 0; i < m->layer_count; i++)
    if (!nl_names_add(names, span_of(m->layers[i].name), i))
      return fail(error, m->layers[i].name, "two layers have this name");
  return NL_OK;
}

static nl_status read_functional(nl_tfjs_model *m, cJSON *config, nl_error *error) {
  nl_names names = {0};
  NL_TRY(read_layers(m, get(config, "layers"), 0, error));
  NL_TRY(name_layers(m, &names, error));
  for (size_t i = 0; i < m->layer_count; i++)
    m->layers[i].call_count = is_input(&m->layers[i]) ? 1 : nl_json_count(m->layers[i].inbound);
  NL_TRY(make_calls(m, error));
  for (size_t i = 0; i < m->layer_count; i++) NL_TRY(read_inbound(m, &names, &m->layers[i], error));
  NL_TRY(read_links(m, &names, get(config, "input_layers"), "input_layers", &m->input_count, &m->inputs, error));
  NL_TRY(read_links(m, &names, get(config, "output_layers"), "output_layers", &m->output_count, &m->outputs, error));
  if (m->input_count > MOST_PORTS || m->output_count > MOST_PORTS)
    return nl_fail_count(error, NL_ERROR_LIMIT, "its inputs and outputs", MOST_PORTS, m->input_count + m->output_count);
  for (size_t i = 0; i < m->input_count; i++)
    if (!is_input(&m->layers[m->calls[m->inputs[i]].layer]))
      return fail(error, "input_layers", "an InputLayer is expected");
  return NL_OK;
}

// ---- order -------------------------------------------------------------------------------------------------------------

// Depth first from the outputs, with a stack of its own: how deep it goes is the file's choice.
static nl_status sort(nl_tfjs_model *m, nl_error *error) {
  size_t *stack, *cursor, depth = 0;
  NL_TAKE(&m->arena, m->order, size_t, m->call_count, error);
  NL_TAKE(&m->arena, stack, size_t, m->call_count, error);
  NL_TAKE(&m->arena, cursor, size_t, m->call_count, error); // 0: not seen; else one more than inputs seen to
  for (size_t o = 0; o < m->output_count; o++) {
    if (cursor[m->outputs[o]] != 0) continue;
    cursor[stack[depth++] = m->outputs[o]] = 1;
    while (depth > 0) {
      const size_t at = stack[depth - 1];
      const nl_tfjs_call *call = &m->calls[at];
      if (cursor[at] > call->input_count) {
        m->order[m->ordered++] = at;
        cursor[at] = SIZE_MAX;
        depth--;
        continue;
      }
      const size_t next = call->inputs[cursor[at]++ - 1];
      if (cursor[next] == 0)
        cursor[stack[depth++] = next] = 1;
      else if (cursor[next] != SIZE_MAX)
        return nl_fail(error, NL_ERROR_CYCLE, m->calls[next].label, NULL);
    }
  }
  return NL_OK;
}

// ---- the whole ---------------------------------------------------------------------------------------------------------

static nl_status check_kinds(const nl_tfjs_model *m, nl_error *error) {
  for (size_t i = 0; i < m->ordered; i++) {
    const nl_tfjs_layer *layer = &m->layers[m->calls[m->order[i]].layer];
    const nl_tfjs_reading r = {.error = error, .layer = (nl_tfjs_layer *)layer};
    if (nl_tfjs_knows(layer->kind)) continue;
    char why[NL_ERROR_TEXT] = "a layer of class ";
    strncat(why, layer->kind, 60);
    return nl_tfjs_refuse(&r, why);
  }
  return NL_OK;
}

static nl_status read_topology(nl_tfjs_model *m, nl_error *error) {
  cJSON *topology = get(m->root, "modelTopology");
  if (!cJSON_IsObject(topology)) topology = m->root;
  if (cJSON_IsObject(get(topology, "model_config"))) topology = get(topology, "model_config");
  const char *kind = text_of(topology, "class_name");
  cJSON *config = get(topology, "config");
  if (kind == NULL || config == NULL) return fail(error, "modelTopology", "class_name and config are expected");
  m->name = text_of(config, "name") != NULL ? text_of(config, "name") : "model";
  if (strcmp(kind, "Sequential") == 0)
    NL_TRY(read_sequential(m, config, error));
  else if (strcmp(kind, "Model") == 0 || strcmp(kind, "Functional") == 0)
    NL_TRY(read_functional(m, config, error));
  else
    return nl_fail(error, NL_ERROR_UNSUPPORTED, kind,
                   "a model of a class of its own. Convert it to ONNX with tf2onnx and open that");
  NL_TRY(sort(m, error));
  return check_kinds(m, error);
}

nl_status nl_tfjs_model_open(nl_tfjs_model *model, nl_span text, const nl_json_files *files, nl_error *error) {
  NL_TRY(nl_json_parse(text, &model->root, error));
  model->files = files;
  const char *by = text_of(model->root, "convertedBy");
  if (by == NULL) by = text_of(model->root, "generatedBy");
  model->producer = by != NULL ? by : "TensorFlow.js";
  NL_TRY(read_topology(model, error));
  return nl_tfjs_manifest_read(model, error);
}

void nl_tfjs_model_close(nl_tfjs_model *model) {
  cJSON_Delete(model->root);
  nl_arena_free(&model->arena);
}
