// json_kind: whose JSON a text is, by the keys at its top. Nothing is parsed: a text is told apart even where it is broken.
#include <string.h>

#include "json_parts.h"

// ---- a walk over the members of one object -----------------------------------------------------------------------------

typedef struct walk {
  nl_span text;
  size_t at;
  nl_span key, value; // without quotes around the key
} walk;

static bool is_blank(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void skip_blank(walk *w) {
  while (w->at < w->text.size && is_blank(w->text.bytes[w->at])) w->at++;
}

// Behind the string that starts here.
static void skip_string(walk *w) {
  for (w->at++; w->at < w->text.size && w->text.bytes[w->at] != '"'; w->at++)
    if (w->text.bytes[w->at] == '\\') w->at++;
  w->at++;
}

// Behind the value that starts here: to the comma or bracket that ends it.
static void skip_value(walk *w) {
  size_t depth = 0;
  while (w->at < w->text.size) {
    const uint8_t c = w->text.bytes[w->at];
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return;
    if (c == '"') {
      skip_string(w);
      continue;
    }
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    w->at++;
  }
}

static walk walk_object(nl_span text) {
  walk w = {.text = text};
  if (text.size >= 3 && memcmp(text.bytes, "\xEF\xBB\xBF", 3) == 0) w.at = 3;
  skip_blank(&w);
  if (w.at < text.size && text.bytes[w.at] == '{')
    w.at++;
  else
    w.at = text.size;
  return w;
}

static bool next_member(walk *w) {
  skip_blank(w);
  if (w->at < w->text.size && w->text.bytes[w->at] == ',') w->at++, skip_blank(w);
  if (w->at >= w->text.size || w->text.bytes[w->at] != '"') return false;
  const size_t start = w->at + 1;
  skip_string(w);
  if (w->at > w->text.size) return false;
  w->key = (nl_span){w->text.bytes + start, w->at - 1 - start};
  skip_blank(w);
  if (w->at >= w->text.size || w->text.bytes[w->at] != ':') return false;
  w->at++;
  skip_blank(w);
  const size_t value = w->at;
  skip_value(w);
  if (w->at > w->text.size) w->at = w->text.size;
  w->value = (nl_span){w->text.bytes + value, w->at - value};
  return true;
}

// ---- what is looked for ------------------------------------------------------------------------------------------------

// The value at a key of the text's top, empty when there is none.
static nl_span member(nl_span text, const char *key) {
  for (walk w = walk_object(text); next_member(&w);)
    if (nl_span_is(w.key, key)) return w.value;
  return (nl_span){0};
}

static bool has(nl_span text, const char *key) { return member(text, key).size != 0; }

// Whether the value at the key is this string.
static bool says(nl_span text, const char *key, const char *word) {
  const nl_span value = member(text, key);
  const size_t size = strlen(word);
  return value.size >= size + 2 && value.bytes[0] == '"' && memcmp(value.bytes + 1, word, size) == 0 &&
         value.bytes[size + 1] == '"';
}

static bool holds(nl_span text, const char *word) {
  const size_t size = strlen(word);
  for (size_t i = 0; i + size <= text.size; i++) {
    const uint8_t *found = memchr(text.bytes + i, word[0], text.size - size - i + 1);
    if (found == NULL) return false;
    i = (size_t)(found - text.bytes);
    if (memcmp(found, word, size) == 0) return true;
  }
  return false;
}

// The first element of an array, where that is an object.
static nl_span first_object(nl_span array) {
  walk w = {.text = array};
  if (array.size == 0 || array.bytes[0] != '[') return (nl_span){0};
  w.at = 1;
  skip_blank(&w);
  const size_t start = w.at;
  if (start >= array.size || array.bytes[start] != '{') return (nl_span){0};
  skip_value(&w);
  return (nl_span){array.bytes + start, w.at < array.size ? w.at - start : array.size - start};
}

// brain.js before it wrote sizes: the input layer's neurons are empty objects.
static bool has_empty_neurons(nl_span text) {
  walk w = walk_object(first_object(member(text, "layers")));
  if (!next_member(&w) || w.value.size < 2 || w.value.bytes[0] != '{') return false;
  walk inside = walk_object(w.value);
  return !next_member(&inside);
}

static bool is_brain(nl_span text) {
  if (!has(text, "layers") || has(text, "format")) return false;
  return has_empty_neurons(text) ||
         (has(text, "sizes") && (has(text, "trainOpts") || has(text, "inputLookup") || has(text, "outputLookup")));
}

static bool is_tfjs(nl_span text) {
  if (says(text, "format", "layers-model") || has(text, "modelTopology") || has(text, "weightsManifest")) return true;
  return has(text, "config") && (has(text, "class_name") || has(text, "keras_version"));
}

// ---- formats that are known by name only -------------------------------------------------------------------------------

static bool is_graph_model(nl_span text) {
  return says(text, "format", "graph-model") || has(member(text, "modelTopology"), "node");
}
static bool is_recurrent_brain(nl_span text) {
  return has(text, "hiddenLayers") && (has(text, "outputConnector") || has(text, "output")) && !has(text, "layers");
}
static bool is_composed_brain(nl_span text) {
  return (says(text, "type", "FeedForward") || says(text, "type", "Recurrent")) && has(text, "layers");
}
static bool is_convnetjs(nl_span text) { return has(first_object(member(text, "layers")), "layer_type"); }
static bool is_synaptic(nl_span text) { return has(text, "neurons") && has(text, "connections"); }
static bool is_neataptic(nl_span text) { return has(text, "nodes") && has(text, "connections"); }
static bool is_mlfnn(nl_span text) { return says(text, "model", "FNN") && has(text, "layers"); }
static bool is_tokenizer(nl_span text) { return has(text, "added_tokens") || has(text, "tokenizer_class"); }
static bool is_configuration(nl_span text) { return has(text, "model_type") || has(text, "architectures"); }
static bool is_index(nl_span text) { return has(text, "weight_map"); }
static bool is_package(nl_span text) {
  return has(text, "name") && (has(text, "dependencies") || has(text, "devDependencies") || has(text, "scripts"));
}
static bool is_notebook(nl_span text) { return has(text, "nbformat") && has(text, "cells"); }
static bool is_report(nl_span text) { return has(text, "netlump") && has(text, "measure"); }

typedef struct foreign {
  bool (*is)(nl_span text);
  const char *what;
} foreign;

#define WRITE_IT "Write its weights as netlump JSON (README, formats) or export the network to ONNX"
#define EXPORT_IT "Export it to ONNX, a model of Hugging Face with “optimum-cli export onnx”"

static const foreign FOREIGN[] = {
    {is_graph_model,
     "it is a TensorFlow.js graph model, whose layers have been compiled away. Convert the model it was "
     "made from to ONNX with tf2onnx"},
    {is_recurrent_brain, "it is a recurrent brain.js network, whose neurons feed back into themselves. Only brain.js' "
                         "NeuralNetwork can be lumped"},
    {is_composed_brain,
     "it is a brain.js network composed of layer objects. Only brain.js' NeuralNetwork is read. " WRITE_IT},
    {is_convnetjs, "it is a ConvNetJS network. " WRITE_IT},
    {is_synaptic, "it is a Synaptic network. " WRITE_IT},
    {is_neataptic, "it is a Neataptic network. " WRITE_IT},
    {is_mlfnn, "it is an ml-fnn network. " WRITE_IT},
    {is_report, "it is a report of netlump's, numbers about a model. Open the model itself"},
    {is_tokenizer, "it is a tokenizer, which goes with a network. Open the .onnx file of that network"},
    {is_configuration, "it is the configuration of a network, without its weights. " EXPORT_IT},
    {is_index, "it is the index of weights in several files. " EXPORT_IT},
    {is_notebook, "it is a Jupyter notebook. Run it, and export its network to ONNX"},
    {is_package, "it is the description of a JavaScript package. Choose a .onnx or .json file with a network"},
};

static const foreign *foreign_of(nl_span text) {
  for (size_t i = 0; i < sizeof FOREIGN / sizeof FOREIGN[0]; i++)
    if (FOREIGN[i].is(text)) return &FOREIGN[i];
  return NULL;
}

bool nl_json_is_object(nl_span text) { return walk_object(text).at < text.size; }

nl_json_kind nl_json_recognise(nl_span text) {
  if (!nl_json_is_object(text)) return NL_JSON_NONE;
  if (says(text, "format", "netlump")) return NL_JSON_NETLUMP;
  if (foreign_of(text) != NULL) return NL_JSON_FOREIGN;
  if (is_tfjs(text)) return NL_JSON_TFJS;
  if (is_brain(text)) return NL_JSON_BRAIN;
  return holds(text, "\"netlump\"") || holds(text, "\"layers\"") ? NL_JSON_NETLUMP : NL_JSON_NONE;
}

nl_status nl_json_refuse(nl_span text, nl_error *error) {
  return nl_fail(error, NL_ERROR_UNSUPPORTED, NULL, foreign_of(text)->what);
}
