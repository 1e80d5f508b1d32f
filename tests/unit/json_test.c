#include "formats.h"
#include "json.h"
#include "decimal.h"

// ---- reading -----------------------------------------------------------------------------------------------------------

static void fails_at(const char *text, const char *place, const char *detail) {
  const nl_span source = exact(span(text));
  nl_buffer out = {0};
  nl_error error = {0};
  assert_int_equal(nl_json_read(source, &out, &error), NL_ERROR_JSON);
  assert_string_equal(error.place, place);
  if (detail != NULL) assert_string_equal(error.detail, detail);
  assert_int_equal(out.size, 0);
  nl_buffer_free(&out);
  free((void *)source.bytes);
}

#define NET(layers) "{\"format\": \"netlump\", \"version\": 1, \"layers\": [" layers "]}"

static void each_mistake_is_named_with_its_place(void **state) {
  (void)state;
  fails_at("{\"layers\":[{\"weights\":[[1,2],[3]]}", "line 1, column 34", "the text ends in the middle");
  fails_at("{\"format\":\n  oops}", "line 2, column 3", "this is not JSON");
  fails_at("{} x", "line 1, column 4", "there is more text after the end");
  fails_at("{\"layers\": []}", "format", NULL);
  fails_at("[1]", "format", NULL);
  fails_at("{\"format\": \"netlump\", \"version\": 2}", "version", NULL);
  fails_at(NET(""), "layers", NULL);
  fails_at(NET("7"), "layers[0]", NULL);
  fails_at(NET("{}"), "layers[0].weights", NULL);
  fails_at(NET("{\"weights\": [[]]}"), "layers[0].weights[0]", NULL);
  fails_at(NET("{\"weights\": [[1,2],[3]]}"), "layers[0].weights[1]", "1 number, 2 expected");
  fails_at(NET("{\"weights\": [[1,2],[3,4]]}, {\"weights\": [[1]]}"), "layers[1].weights[0]", "1 number, 2 expected");
  fails_at(NET("{\"weights\": [[1,2],[3,null]]}"), "layers[0].weights[1][1]", "a number is expected");
  fails_at(NET("{\"weights\": [[1,1e39]]}"), "layers[0].weights[0][1]", NULL);
  fails_at(NET("{\"weights\": [[1,1e999]]}"), "layers[0].weights[0][1]", NULL);
  fails_at(NET("{\"weights\": [[1]], \"bias\": [1,2]}"), "layers[0].bias", "2 numbers, 1 expected");
  fails_at(NET("{\"weights\": [[1]], \"bias\": 3}"), "layers[0].bias", NULL);
  fails_at(NET("{\"weights\": [[1]], \"activation\": \"frob\"}"), "layers[0].activation", NULL);
  fails_at(NET("{\"weights\": [[1]], \"activation\": 3}"), "layers[0].activation", NULL);
  fails_at(NET("{\"weights\": [[1]], \"activation\": {\"name\": \"elu\", \"alpha\": \"a\"}}"),
           "layers[0].activation.alpha", NULL);
  fails_at(NET("{\"weights\": [[1]], \"activation\": {\"name\": \"polynomial\"}}"), "layers[0].activation.coefficients",
           NULL);
  fails_at(NET("{\"weights\": [[1]], \"activation\": \"softmax\"}, {\"weights\": [[1]]}"), "layers[0].activation",
           NULL);
}

static void brackets_that_nest_too_deep_are_refused(void **state) {
  (void)state;
  enum { DEPTH = 200000 };
  char *text = malloc(DEPTH + 1);
  memset(text, '[', DEPTH), text[DEPTH] = '\0';
  fails_at(text, "line 1, column 33", NULL);
  free(text);
}

static void a_text_is_recognised_by_its_keys(void **state) {
  (void)state;
  static const struct {
    const char *text;
    nl_json_kind kind;
  } cases[] = {
      {"{\"format\": \"netlump\"}", NL_JSON_NETLUMP},
      {" \n{\"layers\":[", NL_JSON_NETLUMP},
      {"\xEF\xBB\xBF{\"layers\":[]}", NL_JSON_NETLUMP},
      {"{\"layers\":[{\"weights\":[[1]]}]}", NL_JSON_NETLUMP},
      {"{\"a\": 1}", NL_JSON_NONE},
      {"[\"layers\"]", NL_JSON_NONE},
      {"", NL_JSON_NONE},
      {"\x08\x07{\"layers\"", NL_JSON_NONE},
      {"{\"format\":\"layers-model\",\"modelTopology\":{", NL_JSON_TFJS},
      {"{\"modelTopology\":{\"class_name\":\"Sequential\"}}", NL_JSON_TFJS},
      {"{\"class_name\":\"Model\",\"config\":{\"layers\":[]}}", NL_JSON_TFJS},
      {"{\"sizes\":[1,2],\"layers\":[],\"trainOpts\":{}}", NL_JSON_BRAIN},
      {"{\"layers\":[ {\"red\" : { } },{\"0\":{\"bias\":1", NL_JSON_BRAIN},
      {"{\"format\":\"graph-model\",\"modelTopology\":{\"node\":[]}}", NL_JSON_FOREIGN},
      {"{\"layers\":[{\"out_depth\":4,\"layer_type\":\"input\"}]}", NL_JSON_FOREIGN},
      {"{\"neurons\":[],\"connections\":[]}", NL_JSON_FOREIGN},
      {"{\"model\":\"FNN\",\"layers\":[{\"W\":[]}]}", NL_JSON_FOREIGN},
      {"{\"type\":\"LSTM\",\"hiddenLayers\":[],\"outputConnector\":{}}", NL_JSON_FOREIGN},
      {"{\"type\":\"FeedForward\",\"layers\":[{\"type\":\"Input\"}]}", NL_JSON_FOREIGN},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const nl_span text = exact(span(cases[i].text));
    if (nl_json_recognise(text) != cases[i].kind) fail_msg("%s is taken for another format", cases[i].text);
    nl_error error = {0};
    if (cases[i].kind == NL_JSON_FOREIGN) {
      assert_int_equal(nl_json_refuse(text, &error), NL_ERROR_UNSUPPORTED);
      assert_int_not_equal(error.detail[0], 0);
    }
    free((void *)text.bytes);
  }
}

static nl_graph *read_net(const char *text, nl_buffer *onnx) {
  nl_error error = {0};
  if (nl_json_read(span(text), onnx, &error) != NL_OK) fail_msg("%s: %s", error.place, error.detail);
  return read_bytes(span_of(onnx));
}

static void layers_become_gemm_and_activation_nodes(void **state) {
  (void)state;
  nl_buffer onnx = {0};
  nl_graph *graph = read_net(
      NET("{\"weights\": [[1,2],[3,4],[5,6]], \"bias\": [7,8,9], \"activation\": \"tanh\"}, {\"weights\": [[1,0,-1]]}"),
      &onnx);
  assert_int_equal(graph->node_count, 3);
  assert_span(graph->nodes[0].op, "Gemm"), assert_span(graph->nodes[0].name, "layer1");
  assert_span(graph->nodes[1].op, "Tanh"), assert_span(graph->nodes[1].name, "layer1/tanh");
  assert_span(graph->nodes[2].name, "layer2");
  const nl_tensor *weight = nl_node_constant(graph, &graph->nodes[0], 1);
  assert_true(weight->dims[0] == 3 && weight->dims[1] == 2);
  assert_int_equal(graph->nodes[2].input_count, 2);
  assert_span(graph->values[graph->inputs[0]].name, "input"),
      assert_span(graph->values[graph->outputs[0]].name, "output");
  assert_int_equal(graph->values[graph->inputs[0]].dims[1], 2),
      assert_int_equal(graph->values[graph->outputs[0]].dims[1], 1);
  assert_int_equal(graph->opset, 13);
  nl_graph_free(graph), nl_buffer_free(&onnx);
}

// ---- there and back ----------------------------------------------------------------------------------------------------

static void write_text(const nl_graph *graph, const char *original, nl_buffer *out) {
  nl_error error = {0};
  if (nl_json_write(graph, span(original), out, &error) != NL_OK) fail_msg("%s: %s", error.place, error.detail);
  OK(nl_buffer_append(out, "", 1, NULL));
}

// The text without blanks, so that layout does not matter.
static void assert_text(const nl_buffer *found, const char *expected) {
  char *packed = malloc(found->size);
  size_t size = 0;
  for (size_t i = 0; i < found->size; i++) {
    if (found->bytes[i] != ' ' && found->bytes[i] != '\n') packed[size++] = (char)found->bytes[i];
  }
  assert_string_equal(packed, expected);
  free(packed);
}

static void comes_back(const char *activation) {
  char text[600];
  snprintf(text, sizeof text,
           "{\"format\":\"netlump\",\"version\":1,\"layers\":[{\"weights\":[[0.1,-2],[3,0.25]],\"bias\":[1e-7,-0],"
           "\"activation\":%s},"
           "{\"weights\":[[1,0.3]],\"activation\":%s}]}",
           activation, activation);
  nl_buffer onnx = {0}, again = {0};
  nl_graph *graph = read_net(text, &onnx);
  write_text(graph, "", &again);
  assert_text(&again, text);
  nl_graph_free(graph), nl_buffer_free(&onnx), nl_buffer_free(&again);
}

static void every_activation_comes_back(void **state) {
  (void)state;
  static const char *const plain[] = {"identity",    "relu", "leakyrelu", "elu",      "selu",  "celu",      "sigmoid",
                                      "hardsigmoid", "tanh", "softplus",  "softsign", "gelu",  "hardswish", "swish",
                                      "mish",        "clip", "abs",       "erf",      "square"};
  for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\"", plain[i]);
    comes_back(quoted);
  }
  static const char *const with[] = {"{\"name\":\"leakyrelu\",\"alpha\":0.1}",
                                     "{\"name\":\"elu\",\"alpha\":0.7}",
                                     "{\"name\":\"selu\",\"alpha\":1.5,\"gamma\":2}",
                                     "{\"name\":\"celu\",\"alpha\":3}",
                                     "{\"name\":\"hardsigmoid\",\"alpha\":0.3,\"beta\":0.4}",
                                     "{\"name\":\"clip\",\"min\":0,\"max\":6}",
                                     "{\"name\":\"clip\",\"max\":6}",
                                     "{\"name\":\"clip\",\"min\":-1}",
                                     "{\"name\":\"polynomial\",\"coefficients\":[1,2]}",
                                     "{\"name\":\"polynomial\",\"coefficients\":[0.5,-1,0,2.5]}"};
  for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) comes_back(with[i]);
}

static void softmax_on_the_last_layer_comes_back(void **state) {
  (void)state;
  static const char text[] =
      "{\"format\":\"netlump\",\"version\":1,\"layers\":[{\"weights\":[[1],[2]],\"activation\":\"softmax\"}]}";
  nl_buffer onnx = {0}, again = {0};
  nl_graph *graph = read_net(text, &onnx);
  write_text(graph, "", &again);
  assert_text(&again, text);
  nl_graph_free(graph), nl_buffer_free(&onnx), nl_buffer_free(&again);
}

static void what_the_original_says_besides_weights_survives(void **state) {
  (void)state;
  nl_buffer onnx = {0}, again = {0};
  nl_graph *graph = read_net(NET("{\"weights\": [[1,2]], \"bias\": [3], \"activation\": \"tanh\"}"), &onnx);
  write_text(
      graph,
      "{\"title\": \"my net\", \"layers\": [{\"colour\": \"red\", \"bias\": [0], \"weights\": [[0,0],[0,0]],"
      " \"activation\": {\"name\": \"tanh\", \"note\": 1.5}}], \"format\": \"netlump\", \"tags\": [1, {\"a\": null}]}",
      &again);
  assert_text(&again,
              "{\"title\":\"mynet\",\"layers\":[{\"colour\":\"red\",\"bias\":[3],\"weights\":[[1,2]],"
              "\"activation\":{\"name\":\"tanh\",\"note\":1.5}}],\"format\":\"netlump\",\"tags\":[1,{\"a\":null}]}");
  nl_graph_free(graph), nl_buffer_free(&onnx), nl_buffer_free(&again);
}

static void a_bias_that_came_to_be_is_added(void **state) {
  (void)state;
  nl_buffer onnx = {0}, again = {0};
  nl_graph *graph = read_net(NET("{\"weights\": [[1,2]], \"bias\": [3]}"), &onnx);
  write_text(graph, "{\"format\":\"netlump\",\"layers\":[{\"weights\":[[0,0]]}]}", &again);
  assert_text(&again, "{\"format\":\"netlump\",\"layers\":[{\"weights\":[[1,2]],\"bias\":[3]}]}");
  nl_graph_free(graph), nl_buffer_free(&onnx), nl_buffer_free(&again);
}

// ---- other exporters' networks -----------------------------------------------------------------------------------------

static void gemm(message *m, const char *name, const char *inputs, const char *output, int64_t transposed, float alpha,
                 float beta) {
  open_node(m, "Gemm", name, inputs, output);
  begin(m, 5), text(m, 1, "transB"), integer(m, 3, transposed), integer(m, 20, 2), end(m);
  begin(m, 5), text(m, 1, "alpha"), OK(nl_wire_put_float(&m->bytes, 2, alpha, NULL)), integer(m, 20, 1), end(m);
  begin(m, 5), text(m, 1, "beta"), OK(nl_wire_put_float(&m->bytes, 2, beta, NULL)), integer(m, 20, 1), end(m), end(m);
}

static void chain_model(message *m, void (*middle)(message *)) {
  static const float w[] = {1, 2, 3, 4}, b[] = {1, -1};
  open_model(m);
  initializer(m, "w", 2, (int64_t[]){2, 2}, w), initializer(m, "b", 1, (int64_t[]){2}, b),
      initializer(m, "one", 0, NULL, b);
  info(m, 11, "x", 2, (int64_t[]){-1, 2}), info(m, 12, "y", 2, (int64_t[]){-1, 2});
  middle(m);
  close_model(m);
}

static void factors(message *m) { gemm(m, "g", "x w b", "y", 0, .5f, 2); }
static void matmul_add(message *m) { node(m, "MatMul", "m", "x w", "h"), node(m, "Add", "a", "b h", "y"); }
static void scalar_bias(message *m) { gemm(m, "g", "x w one", "y", 1, 1, 1); }
static void pass_through(message *m) {
  node(m, "Flatten", "f", "x", "x1"), gemm(m, "g", "x1 w", "h", 1, 1, 1), node(m, "Dropout", "d", "h", "h1"),
      node(m, "Identity", "i", "h1", "h2"), node(m, "Relu", "r", "h2", "y");
}
static void chain_is(void (*middle)(message *), const char *layers) {
  message m = {0};
  chain_model(&m, middle);
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_buffer out = {0};
  char expected[400];
  snprintf(expected, sizeof expected, "{\"format\":\"netlump\",\"version\":1,\"layers\":[%s]}", layers);
  write_text(graph, "", &out);
  assert_text(&out, expected);
  nl_graph_free(graph), nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void dense_layers_of_every_kind_are_understood(void **state) {
  (void)state;
  chain_is(factors, "{\"weights\":[[0.5,1.5],[1,2]],\"bias\":[2,-2],\"activation\":\"identity\"}");
  chain_is(matmul_add, "{\"weights\":[[1,3],[2,4]],\"bias\":[1,-1],\"activation\":\"identity\"}");
  chain_is(scalar_bias, "{\"weights\":[[1,2],[3,4]],\"bias\":[1,1],\"activation\":\"identity\"}");
  chain_is(pass_through, "{\"weights\":[[1,2],[3,4]],\"activation\":\"relu\"}");
}

static void weight_left(message *m) { node(m, "MatMul", "left", "w x", "y"); }
static void activation_first(message *m) { node(m, "Relu", "first", "x", "h"), gemm(m, "g", "h w", "y", 1, 1, 1); }
static void two_activations(message *m) {
  gemm(m, "g", "x w", "h", 1, 1, 1), node(m, "Relu", "r", "h", "h1"), node(m, "Tanh", "second", "h1", "y");
}
static void residual(message *m) {
  gemm(m, "g", "x w", "h", 1, 1, 1), node(m, "Relu", "r", "h", "h1"), node(m, "Add", "skip", "h h1", "y");
}
static void unknown_op(message *m) { gemm(m, "g", "x w", "h", 1, 1, 1), node(m, "Frobnicate", "frob", "h", "y"); }
static void after_softmax(message *m) {
  gemm(m, "g", "x w", "h", 1, 1, 1), node(m, "Softmax", "s", "h", "h1"), gemm(m, "late", "h1 w", "y", 1, 1, 1);
}

static void what_json_cannot_say_is_named(void **state) {
  (void)state;
  static const struct {
    void (*middle)(message *);
    const char *node;
  } cases[] = {{weight_left, "left"}, {activation_first, "first"}, {two_activations, "second"},
               {residual, "r"},       {unknown_op, "frob"},        {after_softmax, "late"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    message m = {0};
    chain_model(&m, cases[i].middle);
    nl_graph *graph = read_bytes(span_of(&m.bytes));
    nl_buffer out = {0};
    nl_error error = {0};
    assert_int_equal(nl_json_write(graph, (nl_span){0}, &out, &error), NL_ERROR_UNSUPPORTED);
    assert_string_equal(error.place, cases[i].node);
    assert_int_equal(out.size, 0);
    nl_graph_free(graph), nl_buffer_free(&out), nl_buffer_free(&m.bytes);
  }
}

// ---- numbers -----------------------------------------------------------------------------------------------------------

static void numbers_are_the_shortest_that_read_back(void **state) {
  (void)state;
  static const struct {
    float value;
    const char *text;
  } known[] = {{0, "0"},
               {-0.0f, "-0"},
               {0.1f, "0.1"},
               {-2.5f, "-2.5"},
               {100, "100"},
               {1e10f, "10000000000"},
               {3.4028235e38f, "3.4028235e38"},
               {1e-7f, "1e-7"},
               {0.00012345f, "0.00012345"},
               {16777216, "16777216"},
               {123456.7f, "123456.7"},
               {0.33333334f, "0.33333334"}};
  char text[NL_DECIMAL_SIZE];
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    nl_decimal_f32(known[i].value, text);
    assert_string_equal(text, known[i].text);
  }
  uint32_t bits = 1;
  for (size_t i = 0; i < 200000; i++) {
    bits = bits * 1664525u + 1013904223u;
    float value, again;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    assert_true(nl_decimal_f32(value, text) < NL_DECIMAL_SIZE);
    again = strtof(text, NULL);
    assert_memory_equal(&again, &value, sizeof value);
  }
}

static void a_text_changed_anywhere_is_refused_or_read(void **state) {
  (void)state;
  static const char text[] =
      NET("{\"weights\": [[1,2.5],[3,4]], \"bias\": [1,2], \"activation\": {\"name\": \"clip\", \"min\": 0}}");
  for (size_t at = 0; at < sizeof text - 1; at++) {
    for (size_t k = 0; k < 4; k++) {
      char changed[sizeof text];
      memcpy(changed, text, sizeof text);
      changed[at] = "]9,\xFF"[k];
      const nl_span source = exact((nl_span){(const uint8_t *)changed, sizeof text - 1 - k});
      nl_buffer out = {0};
      nl_error error = {0};
      if (nl_json_read(source, &out, &error) == NL_OK)
        nl_graph_free(read_bytes(span_of(&out)));
      else
        assert_int_not_equal(error.place[0], 0);
      nl_buffer_free(&out);
      free((void *)source.bytes);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_mistake_is_named_with_its_place),
      cmocka_unit_test(brackets_that_nest_too_deep_are_refused),
      cmocka_unit_test(a_text_is_recognised_by_its_keys),
      cmocka_unit_test(layers_become_gemm_and_activation_nodes),
      cmocka_unit_test(every_activation_comes_back),
      cmocka_unit_test(softmax_on_the_last_layer_comes_back),
      cmocka_unit_test(what_the_original_says_besides_weights_survives),
      cmocka_unit_test(a_bias_that_came_to_be_is_added),
      cmocka_unit_test(dense_layers_of_every_kind_are_understood),
      cmocka_unit_test(what_json_cannot_say_is_named),
      cmocka_unit_test(numbers_are_the_shortest_that_read_back),
      cmocka_unit_test(a_text_changed_anywhere_is_refused_or_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
