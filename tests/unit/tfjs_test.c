// TensorFlow.js layers models, there and back. Texts are written with ' for ".
#include <cJSON.h>

#include "formats.h"
#include "json.h"

// ---- models ------------------------------------------------------------------------------------------------------------

typedef struct source {
  char *text;
  nl_span span;
  nl_arena arena;
  nl_json_files files;
} source;

static nl_status open_source(source *s, const char *text, nl_error *error) {
  *s = (source){.text = quoted(text)};
  s->span = exact(span(s->text));
  return nl_tfjs_files(s->span, &s->arena, &s->files, error);
}

static void close_source(source *s) {
  nl_arena_free(&s->arena);
  free((void *)s->span.bytes);
  free(s->text);
}

// All numbers of all weights: 1, 2, 3 ... as f32
static void number(uint8_t *dst, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float value = (float)(i + 1);
    memcpy(dst + 4 * i, &value, 4);
  }
}

// Reads a model whose weights are 1, 2, 3 ... in one file.
static nl_graph *read_model(source *s, const char *text, size_t numbers, nl_buffer *onnx) {
  nl_error error = {0};
  if (open_source(s, text, &error) != NL_OK) fail_msg("%s: %s", error.place, error.detail);
  assert_int_equal(s->files.count, 1);
  uint8_t *bytes = nl_arena_take(&s->arena, 4 * numbers + 1, 1);
  number(bytes, numbers);
  s->files.files[0].bytes = (nl_span){bytes, 4 * numbers};
  if (nl_tfjs_read(s->span, &s->files, onnx, &error) != NL_OK) fail_msg("%s: %s", error.place, error.detail);
  return read_bytes(span_of(onnx));
}

static void constant_is(const nl_graph *graph, const char *node, size_t slot, size_t count, const double *expected) {
  const size_t index = node_named(graph, node);
  if (index == NL_NONE) fail_msg("there is no node %s", node);
  const nl_tensor *tensor = nl_node_constant(graph, &graph->nodes[index], slot);
  assert_non_null(tensor);
  assert_int_equal(tensor->count, count);
  double values[64];
  OK(nl_tensor_read(tensor, values, NULL));
  for (size_t i = 0; i < count; i++) assert_float_equal(values[i], expected[i], 0);
}

#define DENSE(name, units, more)                                                                                       \
  "{'class_name':'Dense','config':{'name':'" name "','units':" #units ",'use_bias':true" more "}}"
#define MANIFEST(weights) "'weightsManifest':[{'paths':['w.bin'],'weights':[" weights "]}]"
#define WEIGHT(name, shape) "{'name':'" name "','shape':[" shape "],'dtype':'float32'}"

static const char TWO_DENSE[] =
    "{'format':'layers-model','generatedBy':'tests','modelTopology':{'class_name':'Sequential','config':{'name':'net',"
    "'layers':[" DENSE(
        "one", 3,
        ",'activation':'hard_sigmoid','batch_input_shape':[null,2],'colour':'red'") ","
                                                                                    "{'class_name':'Dropout','"
                                                                                    "config':{'name':'drop','rate':"
                                                                                    "0.5}}," DENSE("two", 1, ",'activation':'linear'") "]}}," MANIFEST(
                                                                                        WEIGHT("one/kernel", "2,3") "," WEIGHT(
                                                                                            "one/bias",
                                                                                            "3") "," WEIGHT("two/"
                                                                                                            "kernel",
                                                                                                            "3,1") "," WEIGHT("two/bias",
                                                                                                                              "1")) ",'extra':{'kept':[1,2]}}";

// ---- there -------------------------------------------------------------------------------------------------------------

static void dense_layers_become_nodes_named_after_them(void **state) {
  (void)state;
  source s;
  nl_buffer onnx = {0};
  nl_graph *graph = read_model(&s, TWO_DENSE, 13, &onnx);
  assert_int_equal(graph->node_count, 3);
  assert_span(graph->producer_name, "tests");
  assert_span(graph->values[graph->inputs[0]].name, "one_input");
  assert_span(graph->values[graph->outputs[0]].name, "two");
  constant_is(graph, "one", 1, 6, (double[]){1, 2, 3, 4, 5, 6});
  constant_is(graph, "one", 2, 3, (double[]){7, 8, 9});
  constant_is(graph, "two", 1, 3, (double[]){10, 11, 12});
  const nl_node *activation = &graph->nodes[node_named(graph, "one/hard_sigmoid")];
  assert_span(activation->op, "HardSigmoid");
  assert_float_equal(nl_node_float(activation, "alpha", 0), 0.2, 1e-7);
  assert_int_not_equal(value_named(graph, "one/kernel"), NL_NONE);
  nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

static void a_weight_may_begin_in_one_shard_and_end_in_another(void **state) {
  (void)state;
  uint8_t bytes[52];
  number(bytes, 13);
  char *text = quoted(TWO_DENSE), *path = strstr(text, "[\"w.bin\"]");
  char sharded[sizeof TWO_DENSE + 60];
  snprintf(sharded, sizeof sharded, "%.*s[\"a\",\"b/c\",\"d\"]%s", (int)(path - text), text, path + 9);
  for (size_t cut = 0; cut <= 52; cut += 3) {
    source s;
    nl_buffer onnx = {0};
    OK(open_source(&s, sharded, NULL));
    assert_int_equal(s.files.count, 3);
    assert_span(s.files.files[1].name, "b/c");
    const size_t cuts[4] = {0, cut / 2, cut, 52};
    for (size_t i = 0; i < 3; i++) s.files.files[i].bytes = exact((nl_span){bytes + cuts[i], cuts[i + 1] - cuts[i]});
    OK(nl_tfjs_read(s.span, &s.files, &onnx, NULL));
    nl_graph *graph = read_bytes(span_of(&onnx));
    constant_is(graph, "one", 1, 6, (double[]){1, 2, 3, 4, 5, 6});
    constant_is(graph, "two", 2, 1, (double[]){13});
    for (size_t i = 0; i < 3; i++) free((void *)s.files.files[i].bytes.bytes);
    nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
  }
  free(text);
}

static void a_file_that_is_too_short_names_the_weight_it_lacks(void **state) {
  (void)state;
  source s;
  nl_error error = {0};
  nl_buffer onnx = {0};
  uint8_t bytes[52] = {0};
  OK(open_source(&s, TWO_DENSE, NULL));
  s.files.files[0].bytes = (nl_span){bytes, 40};
  assert_int_equal(nl_tfjs_read(s.span, &s.files, &onnx, &error), NL_ERROR_TRUNCATED);
  assert_string_equal(error.place, "two/kernel");
  assert_int_equal(error.expected, 12);
  assert_int_equal(error.found, 4);
  nl_buffer_free(&onnx), close_source(&s);
}

#define SEQUENTIAL(layers, weights)                                                                                    \
  "{'modelTopology':{'model_config':{'class_name':'Sequential','config':[" layers "]}}," MANIFEST(weights) "}"
#define CONV                                                                                                           \
  "{'class_name':'Conv2D','config':{'name':'conv','filters':2,'kernel_size':[1,2],'use_bias':false,"                   \
  "'activation':'relu','batch_input_shape':[null,3,4,1]}}"

static void a_convolution_is_laid_out_as_onnx_has_it(void **state) {
  (void)state;
  source s;
  nl_buffer onnx = {0};
  nl_graph *graph = read_model(
      &s, SEQUENTIAL(CONV ",{'class_name':'Flatten','config':{'name':'flat'}}", WEIGHT("conv/kernel", "1,2,1,2")), 4,
      &onnx);
  constant_is(graph, "conv", 1, 4, (double[]){1, 3, 2, 4}); // (1, 2, 1, 2) -> (2, 1, 1, 2)
  static const char *const ops[] = {"Transpose", "Conv", "Relu", "Transpose", "Flatten"};
  assert_int_equal(graph->node_count, 5);
  for (size_t i = 0; i < 5; i++) assert_span(graph->nodes[i].op, ops[i]);
  assert_int_equal(graph->values[graph->outputs[0]].dims[1], 3 * 3 * 2);
  nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

static void ints_are(const nl_node *node, const char *name, size_t count, const int64_t *expected) {
  const nl_attribute *attribute = nl_node_attribute(node, name);
  assert_non_null(attribute);
  assert_int_equal(attribute->count, count);
  assert_memory_equal(attribute->ints, expected, count * sizeof *expected);
}

// 5 wide, kernel 4, stride 2: 3 places need 8, so 3 are added; an open height with stride 1 needs 3 too, whatever it is
static void same_padding_puts_the_odd_one_behind(void **state) {
  (void)state;
  source s;
  nl_buffer onnx = {0};
  nl_graph *graph =
      read_model(&s,
                 SEQUENTIAL("{'class_name':'MaxPooling2D','config':{'name':'p','pool_size':4,'strides':[1,2],"
                            "'padding':'same','batch_input_shape':[null,null,5,1]}},"
                            "{'class_name':'AveragePooling2D','config':{'name':'q','strides':3,'padding':'same'}}",
                            ""),
                 0, &onnx);
  ints_are(&graph->nodes[node_named(graph, "p")], "pads", 4, (int64_t[]){1, 1, 2, 2});
  ints_are(&graph->nodes[node_named(graph, "p")], "strides", 2, (int64_t[]){1, 2});
  const nl_attribute *automatic = nl_node_attribute(&graph->nodes[node_named(graph, "q")], "auto_pad");
  assert_non_null(automatic);
  assert_span(automatic->s, "SAME_UPPER");
  const nl_value *output = &graph->values[graph->outputs[0]];
  assert_int_equal(output->dims[2], 1);
  assert_int_equal(output->dims[1], -1);
  nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

#define LINK(name) "['" name "',0,0,{}]"
static const char RESIDUAL[] =
    "{'modelTopology':{'class_name':'Functional','config':{'name':'net','layers':["
    "{'class_name':'Add','name':'sum','config':{'name':'sum'},'inbound_nodes':[[" LINK("a") "," LINK(
        "b") "]]},"
             "{'class_name':'Dense','name':'b','config':{'name':'b','units':2},'inbound_nodes':[[" LINK(
                 "a") "]]},"
                      "{'class_name':'Dense','name':'a','config':{'name':'a','units':2},'inbound_nodes':[[" LINK(
                          "in") "]]},"
                                "{'class_name':'InputLayer','name':'in','config':{'name':'in','batch_input_shape':["
                                "null,2]},'inbound_nodes':[]}],"
                                "'input_layers':[['in',0,0]],'output_layers':[['sum',0,0],['sum',0,0],['in',0,0]]}}"
                                "," MANIFEST(WEIGHT("a/kernel", "2,2") "," WEIGHT("a/bias", "2") "," WEIGHT(
                                    "b/b/kernel", "2,2") "," WEIGHT("b/b/bias", "2")) "}";

static void layers_in_any_order_come_after_what_they_read(void **state) {
  (void)state;
  source s;
  nl_buffer onnx = {0};
  nl_graph *graph = read_model(&s, RESIDUAL, 12, &onnx);
  assert_int_equal(graph->output_count, 3);
  constant_is(graph, "b", 1, 4, (double[]){7, 8, 9, 10});
  assert_true(node_named(graph, "a") < node_named(graph, "b") && node_named(graph, "b") < node_named(graph, "sum"));
  nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

typedef struct refusal {
  const char *text;
  nl_status status;
  const char *place, *detail;
} refusal;

#define ONE(layer) SEQUENTIAL(layer, WEIGHT("x", "1"))
#define INPUT "{'class_name':'InputLayer','config':{'name':'in','batch_input_shape':[null,4,4,2]}}"
#define AFTER_INPUT(layer) SEQUENTIAL(INPUT "," layer, WEIGHT("x", "1"))

// Before any file is asked for.
static void what_cannot_be_read_is_named_when_the_text_is_opened(void **state) {
  (void)state;
  static const refusal cases[] = {
      {ONE("{'class_name':'LSTM','config':{'name':'memory'}}"), NL_ERROR_UNSUPPORTED, "memory", "class LSTM"},
      {ONE("{'class_name':'Sequential','config':{'name':'inner','layers':[]}}"), NL_ERROR_UNSUPPORTED, "inner",
       "tf2onnx"},
      {"{'modelTopology':{'class_name':'Mine','config':{}},'weightsManifest':[{}]}", NL_ERROR_UNSUPPORTED, "Mine",
       "tf2onnx"},
      {"{'modelTopology':{'class_name':'Sequential','config':[" CONV "]}}", NL_ERROR_JSON, "weightsManifest",
       "model.save"},
      {"{'modelTopology':{'class_name':'Sequential','config':[]},'weightsManifest':[{}]}", NL_ERROR_JSON,
       "modelTopology.config.layers", NULL},
      {ONE("{'class_name':'Dense','config':{}}"), NL_ERROR_JSON, "modelTopology.config.layers", "no name"},
      {SEQUENTIAL(CONV, WEIGHT("a", "1") "," WEIGHT("a", "2")), NL_ERROR_JSON, "a", "two weights"},
      {SEQUENTIAL(CONV, "{'name':'a','shape':[1.5],'dtype':'float32'}"), NL_ERROR_JSON, "a", "whole numbers"},
      {SEQUENTIAL(CONV, "{'name':'a','shape':[1],'dtype':'string'}"), NL_ERROR_JSON, "a", "dtype"},
      {SEQUENTIAL(CONV, "{'name':'a','shape':[1],'dtype':'float32','quantization':{'dtype':'uint8'}}"), NL_ERROR_JSON,
       "a", "scale"},
      {"{'modelTopology':{'class_name':'Model','config':{'layers':[{'class_name':'ReLU','config':{'name':'r'},"
       "'inbound_nodes':[[" LINK("r") "]]},{'class_name':'InputLayer','config':{'name':'in'}}],"
                                      "'input_layers':[['in',0,0]],'output_layers':[['r',0,0]]}}," MANIFEST("") "}",
       NL_ERROR_CYCLE, "r", NULL},
      {"{'modelTopology':{'class_name':'Model','config':{'layers':[{'class_name':'ReLU','config':{'name':'r'},"
       "'inbound_nodes':[[" LINK("nobody") "]]}],'input_layers':[['r',0,0]],'output_layers':[['r',0,0]]}}," MANIFEST(
           "") "}",
       NL_ERROR_DANGLING, "r", "nobody"},
      {"{'modelTopology':{'class_name':'Sequential','config':[" CONV
       "]},'weightsManifest':[{'paths':['a/..'],'weights':[]}]}",
       NL_ERROR_JSON, "weightsManifest.paths", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    source s;
    nl_error error = {0};
    const nl_status status = open_source(&s, cases[i].text, &error);
    if (status != cases[i].status) fail_msg("%s: status %d, %s %s", cases[i].text, status, error.place, error.detail);
    assert_string_equal(error.place, cases[i].place);
    if (cases[i].detail != NULL && strstr(error.detail, cases[i].detail) == NULL) fail_msg("%s", error.detail);
    close_source(&s);
  }
}

static void what_does_not_fit_is_named_when_the_weights_are_there(void **state) {
  (void)state;
  static const refusal cases[] = {
      {ONE(DENSE("d", 3, ",'batch_input_shape':[null,2]")), NL_ERROR_DANGLING, "d", "kernel"},
      {SEQUENTIAL(DENSE("d", 3, ",'batch_input_shape':[null,2]"), WEIGHT("d/kernel", "3,2") "," WEIGHT("d/bias", "3")),
       NL_ERROR_SHAPE, "d/kernel", "shape"},
      {ONE(DENSE("d", 0, ",'batch_input_shape':[null,2]")), NL_ERROR_JSON, "d.units", "whole number"},
      {ONE(DENSE("d", 3, ",'activation':'strange','batch_input_shape':[null,2]")), NL_ERROR_DANGLING, "d", NULL},
      {ONE("{'class_name':'Activation','config':{'name':'a','activation':'strange','batch_input_shape':[null,2]}}"),
       NL_ERROR_UNSUPPORTED, "a", "strange"},
      {ONE("{'class_name':'Flatten','config':{'name':'f'}}"), NL_ERROR_JSON, "f_input.batch_input_shape", NULL},
      {AFTER_INPUT("{'class_name':'Conv1D','config':{'name':'c'}}"), NL_ERROR_SHAPE, "c", "sequences"},
      {AFTER_INPUT("{'class_name':'Conv2D','config':{'name':'c','kernel_size':[9,9],'filters':1}}"), NL_ERROR_SHAPE,
       "c", "larger"},
      {AFTER_INPUT("{'class_name':'Conv2D','config':{'name':'c','kernel_size':[2],'filters':1}}"), NL_ERROR_JSON,
       "c.kernel_size", NULL},
      {AFTER_INPUT("{'class_name':'Conv2D','config':{'name':'c','kernel_size':2,'filters':1,'groups':2}}"),
       NL_ERROR_UNSUPPORTED, "c", "groups"},
      {AFTER_INPUT("{'class_name':'MaxPooling2D','config':{'name':'p','data_format':'sideways'}}"), NL_ERROR_JSON,
       "p.data_format", NULL},
      {AFTER_INPUT("{'class_name':'MaxPooling2D','config':{'name':'p','padding':'causal'}}"), NL_ERROR_UNSUPPORTED, "p",
       "padding"},
      {AFTER_INPUT("{'class_name':'Reshape','config':{'name':'r','target_shape':[5,5]}}"), NL_ERROR_SHAPE, "r",
       "count"},
      {AFTER_INPUT("{'class_name':'Reshape','config':{'name':'r','target_shape':[-1,-1]}}"), NL_ERROR_SHAPE, "r",
       "open"},
      {AFTER_INPUT("{'class_name':'Softmax','config':{'name':'s','axis':1}}"), NL_ERROR_UNSUPPORTED, "s", "last axis"},
      {AFTER_INPUT("{'class_name':'BatchNormalization','config':{'name':'n','axis':[2]}}"), NL_ERROR_UNSUPPORTED, "n",
       "axis"},
      {AFTER_INPUT("{'class_name':'UpSampling2D','config':{'name':'u','interpolation':'bilinear'}}"),
       NL_ERROR_UNSUPPORTED, "u", "nearest"},
      {AFTER_INPUT("{'class_name':'ZeroPadding2D','config':{'name':'z','padding':[[1],[2,3]]}}"), NL_ERROR_SHAPE, "z",
       "padding"},
      {AFTER_INPUT("{'class_name':'ReLU','config':{'name':'r','threshold':1}}"), NL_ERROR_UNSUPPORTED, "r",
       "threshold"},
  };
  uint8_t bytes[400] = {0};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    source s;
    nl_buffer onnx = {0};
    nl_error error = {0};
    if (open_source(&s, cases[i].text, &error) != NL_OK) fail_msg("%s: %s", cases[i].text, error.detail);
    s.files.files[0].bytes = (nl_span){bytes, sizeof bytes};
    const nl_status status = nl_tfjs_read(s.span, &s.files, &onnx, &error);
    if (status != cases[i].status) fail_msg("%s: status %d, %s %s", cases[i].text, status, error.place, error.detail);
    assert_string_equal(error.place, cases[i].place);
    if (cases[i].detail != NULL && strstr(error.detail, cases[i].detail) == NULL) fail_msg("%s", error.detail);
    assert_int_equal(onnx.size, 0);
    nl_buffer_free(&onnx), close_source(&s);
  }
}

// ---- and back ----------------------------------------------------------------------------------------------------------

typedef struct back {
  nl_buffer text, weights;
  cJSON *root;
} back;

// The model written back after edits of its constants, and read once more.
static back write_back(const source *s, const nl_graph *graph, const nl_edits *edits) {
  back b = {0};
  nl_error error = {0};
  nl_buffer onnx = {0}, again = {0};
  OK(nl_onnx_write(graph, edits, &onnx, NULL));
  nl_graph *edited = read_bytes(span_of(&onnx));
  if (nl_tfjs_write(edited, s->span, &s->files, &b.text, &b.weights, &error) != NL_OK)
    fail_msg("%s: %s", error.place, error.detail);
  OK(nl_buffer_append(&b.text, "", 1, NULL));
  b.root = cJSON_Parse((const char *)b.text.bytes);
  assert_non_null(b.root);
  nl_json_file file = {.bytes = span_of(&b.weights)};
  const nl_json_files files = {1, &file};
  OK(nl_tfjs_read((nl_span){b.text.bytes, b.text.size - 1}, &files, &again, NULL));
  nl_graph *read = read_bytes(span_of(&again));
  for (size_t n = 0; n < edited->node_count; n++) // weights without a bias may have one of zeros
    for (size_t i = 0; i < read->nodes[n].input_count; i++) {
      const nl_tensor *before = nl_node_constant(edited, &edited->nodes[n], i),
                      *after = nl_node_constant(read, &read->nodes[n], i);
      assert_true((before == NULL) == (after == NULL));
      if (before == NULL) continue;
      assert_int_equal(before->count, after->count);
      assert_memory_equal(before->dims, after->dims, before->rank * sizeof *before->dims);
    }
  nl_graph_free(read), nl_graph_free(edited), nl_buffer_free(&onnx), nl_buffer_free(&again);
  return b;
}

static void free_back(back *b) {
  cJSON_Delete(b->root);
  nl_buffer_free(&b->text), nl_buffer_free(&b->weights);
}

static void set(nl_edits *edits, const nl_graph *graph, const char *node, size_t slot, size_t rank, const int64_t *dims,
                const double *values) {
  OK(nl_edits_set_constant(edits, node_named(graph, node), slot, NL_TYPE_F32, rank, dims, values, NULL));
}

static const cJSON *at(const cJSON *item, const char *path) {
  char copy[120];
  strcpy(copy, path);
  for (char *key = strtok(copy, "."); key != NULL && item != NULL; key = strtok(NULL, "."))
    item = key[0] >= '0' && key[0] <= '9' ? cJSON_GetArrayItem(item, atoi(key))
                                          : cJSON_GetObjectItemCaseSensitive(item, key);
  return item;
}

static void says(const cJSON *root, const char *path, const char *expected) {
  char *text = cJSON_PrintUnformatted(at(root, path));
  char *wanted = quoted(expected);
  if (text == NULL || strcmp(text, wanted) != 0) fail_msg("%s: %s where %s is expected", path, text, wanted);
  cJSON_free(text);
  free(wanted);
}

static void weights_are(const back *b, size_t count, const double *expected) {
  assert_int_equal(b->weights.size, 4 * count);
  for (size_t i = 0; i < count; i++) {
    float value;
    memcpy(&value, b->weights.bytes + 4 * i, 4);
    assert_float_equal(value, expected[i], 1e-5);
  }
}

static void a_smaller_dense_network_is_written_back_with_all_else(void **state) {
  (void)state;
  source s;
  nl_buffer onnx = {0};
  nl_edits *edits;
  nl_graph *graph = read_model(&s, TWO_DENSE, 13, &onnx);
  OK(nl_edits_create(&edits, graph, NULL));
  set(edits, graph, "one", 1, 2, (int64_t[]){2, 2}, (double[]){1, 3, 4, 6});
  set(edits, graph, "one", 2, 1, (int64_t[]){2}, (double[]){7, 9});
  set(edits, graph, "two", 1, 2, (int64_t[]){2, 1}, (double[]){20, 30});
  back b = write_back(&s, graph, edits);
  says(b.root, "modelTopology.config.layers.0.config.units", "2");
  says(b.root, "modelTopology.config.layers.2.config.units", "1");
  says(b.root, "modelTopology.config.layers.0.config.colour", "'red'");
  says(b.root, "extra", "{'kept':[1,2]}");
  says(b.root, "weightsManifest.0.paths", "['w.bin']");
  says(b.root, "weightsManifest.0.weights.0", "{'name':'one/kernel','shape':[2,2],'dtype':'float32'}");
  weights_are(&b, 9, (double[]){1, 3, 4, 6, 7, 9, 20, 30, 13});
  nl_edits_free(edits), free_back(&b), nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

static void a_smaller_convolution_is_written_back_in_tensorflows_order(void **state) {
  (void)state;
  source s;
  nl_buffer onnx = {0};
  nl_edits *edits;
  nl_graph *graph =
      read_model(&s,
                 SEQUENTIAL(CONV ",{'class_name':'DepthwiseConv2D','config':{'name':'deep','kernel_size':2,"
                                 "'depth_multiplier':2,'use_bias':false}}",
                            WEIGHT("conv/kernel", "1,2,1,2") "," WEIGHT("deep/depthwise_kernel", "2,2,2,2")),
                 20, &onnx);
  constant_is(graph, "deep", 1, 16, (double[]){5, 9, 13, 17, 6, 10, 14, 18, 7, 11, 15, 19, 8, 12, 16, 20});
  OK(nl_edits_create(&edits, graph, NULL));
  set(edits, graph, "conv", 1, 4, (int64_t[]){1, 1, 1, 2}, (double[]){2, 4});
  set(edits, graph, "conv", 2, 1, (int64_t[]){1}, (double[]){0.5}); // lumping may bring a bias
  set(edits, graph, "deep", 1, 4, (int64_t[]){2, 1, 2, 2}, (double[]){7, 11, 15, 19, 8, 12, 16, 20});
  nl_buffer text = {0}, weights = {0}, edited = {0};
  OK(nl_onnx_write(graph, edits, &edited, NULL));
  nl_graph *smaller = read_bytes(span_of(&edited));
  OK(nl_tfjs_write(smaller, s.span, &s.files, &text, &weights, NULL));
  OK(nl_buffer_append(&text, "", 1, NULL));
  back b = {text, weights, cJSON_Parse((const char *)text.bytes)};
  says(b.root, "modelTopology.model_config.config.0.config.filters", "1");
  says(b.root, "modelTopology.model_config.config.0.config.use_bias", "true");
  says(b.root, "weightsManifest.0.weights",
       "[" WEIGHT("conv/kernel", "1,2,1,1") ",{'name':'conv/bias','shape':[1],'dtype':'float32'}," WEIGHT(
           "deep/depthwise_kernel", "2,2,1,2") "]");
  weights_are(&b, 11, (double[]){2, 4, 0.5, 7, 8, 11, 12, 15, 16, 19, 20});
  nl_graph_free(smaller), nl_buffer_free(&edited);
  nl_edits_free(edits), free_back(&b), nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

static void a_bias_of_zeros_is_not_added(void **state) {
  (void)state;
  source s;
  nl_buffer onnx = {0}, text = {0}, edited = {0};
  nl_edits *edits;
  nl_graph *graph = read_model(&s, SEQUENTIAL(CONV, WEIGHT("conv/kernel", "1,2,1,2")), 4, &onnx);
  OK(nl_edits_create(&edits, graph, NULL));
  set(edits, graph, "conv", 2, 1, (int64_t[]){2}, (double[]){0, 0});
  OK(nl_onnx_write(graph, edits, &edited, NULL));
  nl_graph *smaller = read_bytes(span_of(&edited));
  OK(nl_tfjs_write(smaller, s.span, &s.files, &text, NULL, NULL));
  OK(nl_buffer_append(&text, "", 1, NULL));
  assert_null(strstr((const char *)text.bytes, "conv/bias"));
  assert_non_null(strstr((const char *)text.bytes, "\"use_bias\":false"));
  nl_graph_free(smaller), nl_buffer_free(&edited), nl_buffer_free(&text);
  nl_edits_free(edits), nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

// W (D x + b) + c = W D x + (W b + c)
static void a_bias_between_the_halves_of_a_separable_convolution_moves_behind_them(void **state) {
  (void)state;
  source s;
  nl_buffer onnx = {0}, text = {0}, weights = {0}, edited = {0};
  nl_edits *edits;
  nl_graph *graph =
      read_model(&s,
                 SEQUENTIAL("{'class_name':'SeparableConv2D','config':{'name':'sep','kernel_size':1,'filters':2,"
                            "'use_bias':true,'batch_input_shape':[null,2,2,2]}}",
                            WEIGHT("sep/depthwise_kernel", "1,1,2,1") "," WEIGHT(
                                "sep/pointwise_kernel", "1,1,2,2") "," WEIGHT("sep/bias", "2")),
                 8, &onnx);
  OK(nl_edits_create(&edits, graph, NULL));
  set(edits, graph, "sep/depthwise", 2, 1, (int64_t[]){2}, (double[]){10, 100});
  OK(nl_onnx_write(graph, edits, &edited, NULL));
  nl_graph *smaller = read_bytes(span_of(&edited));
  OK(nl_tfjs_write(smaller, s.span, &s.files, &text, &weights, NULL));
  const back b = {.weights = weights};
  weights_are(&b, 8, (double[]){1, 2, 3, 4, 5, 6, 7 + 3 * 10 + 5 * 100, 8 + 4 * 10 + 6 * 100});
  nl_graph_free(smaller), nl_buffer_free(&edited), nl_buffer_free(&text), nl_buffer_free(&weights);
  nl_edits_free(edits), nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

static void groups_become_one_and_what_no_layer_reads_keeps_its_bytes(void **state) {
  (void)state;
  static const char text[] = "{'modelTopology':{'class_name':'Sequential','config':[" DENSE(
      "d", 1,
      ",'batch_input_shape':[null,2]") "]},"
                                       "'weightsManifest':[{'paths':['x/one.bin'],'note':7,'weights':[{'name':'d/"
                                       "kernel','shape':[2,1],'dtype':'float32',"
                                       "'quantization':{'dtype':'uint8','scale':0.5,'min':-1}},{'name':'steps','shape':"
                                       "[],'dtype':'int32','mark':true}]},"
                                       "{'paths':['two.bin'],'weights':[" WEIGHT("d/bias", "1") "]}]}";
  static const uint8_t first[] = {4, 6, 1, 2, 3, 4}, second[] = {0, 0, 0, 0x40};
  source s;
  nl_buffer onnx = {0};
  OK(open_source(&s, text, NULL));
  assert_span(nl_tfjs_weights_name(&s.files), "one.bin");
  s.files.files[0].bytes = (nl_span){first, sizeof first};
  s.files.files[1].bytes = (nl_span){second, sizeof second};
  OK(nl_tfjs_read(s.span, &s.files, &onnx, NULL));
  nl_graph *graph = read_bytes(span_of(&onnx));
  constant_is(graph, "d", 1, 2, (double[]){1, 2});
  back b = write_back(&s, graph, NULL);
  says(b.root, "weightsManifest",
       "[{'paths':['one.bin'],'note':7,'weights':[{'name':'d/kernel','shape':[2,1],'dtype':'float32'},"
       "{'name':'steps','shape':[],'dtype':'int32','mark':true}," WEIGHT("d/bias", "1") "]}]");
  assert_int_equal(b.weights.size, 16);
  assert_memory_equal(b.weights.bytes + 8, first + 2, 4);
  free_back(&b), nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

static void a_reshape_states_the_sizes_that_are_left(void **state) {
  (void)state;
  source s;
  nl_buffer onnx = {0}, text = {0}, edited = {0};
  nl_edits *edits;
  nl_graph *graph = read_model(
      &s,
      SEQUENTIAL(DENSE("d", 4, ",'batch_input_shape':[null,1]") ",{'class_name':'Reshape','config':{'name':'r',"
                                                                "'target_shape':[-1,2]}}",
                 WEIGHT("d/kernel", "1,4") "," WEIGHT("d/bias", "4")),
      8, &onnx);
  OK(nl_edits_create(&edits, graph, NULL));
  set(edits, graph, "d", 1, 2, (int64_t[]){1, 2}, (double[]){1, 3});
  set(edits, graph, "d", 2, 1, (int64_t[]){2}, (double[]){5, 7});
  OK(nl_edits_set_constant(edits, node_named(graph, "r"), 1, NL_TYPE_I64, 1, (int64_t[]){3}, (double[]){0, 2, 1},
                           NULL));
  OK(nl_onnx_write(graph, edits, &edited, NULL));
  nl_graph *smaller = read_bytes(span_of(&edited));
  OK(nl_tfjs_write(smaller, s.span, &s.files, &text, NULL, NULL));
  OK(nl_buffer_append(&text, "", 1, NULL));
  assert_non_null(strstr((const char *)text.bytes, "\"target_shape\":[-1,1]"));
  nl_graph_free(smaller), nl_buffer_free(&edited), nl_buffer_free(&text);
  nl_edits_free(edits), nl_graph_free(graph), nl_buffer_free(&onnx), close_source(&s);
}

// ---- strange texts -----------------------------------------------------------------------------------------------------

static void a_text_changed_anywhere_is_refused_or_read(void **state) {
  (void)state;
  static const char *const texts[] = {TWO_DENSE, RESIDUAL, SEQUENTIAL(CONV, WEIGHT("conv/kernel", "1,2,1,2"))};
  uint8_t bytes[100] = {0};
  for (size_t t = 0; t < 3; t++)
    for (size_t i = 0; i < strlen(texts[t]); i++)
      for (size_t k = 0; k < 4; k++) {
        char *changed = quoted(texts[t]);
        changed[i] = "]9,\xFF"[k];
        source s;
        nl_buffer onnx = {0}, back = {0};
        nl_error error = {0};
        nl_status status = open_source(&s, changed, &error);
        for (size_t f = 0; status == NL_OK && f < s.files.count; f++)
          s.files.files[f].bytes = (nl_span){bytes, sizeof bytes};
        if (status == NL_OK) status = nl_tfjs_read(s.span, &s.files, &onnx, &error);
        nl_graph *graph = NULL;
        if (status == NL_OK && nl_onnx_read(&graph, span_of(&onnx), NULL) == NL_OK)
          OK(nl_tfjs_write(graph, s.span, &s.files, &back, NULL, NULL));
        assert_true(status == NL_OK || error.status != NL_OK);
        nl_graph_free(graph), nl_buffer_free(&onnx), nl_buffer_free(&back), close_source(&s), free(changed);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dense_layers_become_nodes_named_after_them),
      cmocka_unit_test(a_weight_may_begin_in_one_shard_and_end_in_another),
      cmocka_unit_test(a_file_that_is_too_short_names_the_weight_it_lacks),
      cmocka_unit_test(a_convolution_is_laid_out_as_onnx_has_it),
      cmocka_unit_test(same_padding_puts_the_odd_one_behind),
      cmocka_unit_test(layers_in_any_order_come_after_what_they_read),
      cmocka_unit_test(what_cannot_be_read_is_named_when_the_text_is_opened),
      cmocka_unit_test(what_does_not_fit_is_named_when_the_weights_are_there),
      cmocka_unit_test(a_smaller_dense_network_is_written_back_with_all_else),
      cmocka_unit_test(a_smaller_convolution_is_written_back_in_tensorflows_order),
      cmocka_unit_test(a_bias_of_zeros_is_not_added),
      cmocka_unit_test(a_bias_between_the_halves_of_a_separable_convolution_moves_behind_them),
      cmocka_unit_test(groups_become_one_and_what_no_layer_reads_keeps_its_bytes),
      cmocka_unit_test(a_reshape_states_the_sizes_that_are_left),
      cmocka_unit_test(a_text_changed_anywhere_is_refused_or_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
