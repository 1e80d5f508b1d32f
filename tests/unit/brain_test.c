// brain.js' JSON of both versions, there and back. Texts are written with ' for ".
#include <cJSON.h>

#include "formats.h"
#include "json.h"

// Version 1: neurons by name; names that are whole numbers come first, by size, wherever they stand.
static const char NAMED[] = "{'sizes':[3,2,2],'layers':[{'red':{},'10':{},'2':{}},"
                            "{'0':{'bias':0.5,'weights':{'red':3,'10':2,'2':1},'note':'first'},'1':{'bias':-0.5,'"
                            "weights':{'2':4,'10':5,'red':6}}},"
                            "{'yes':{'bias':1,'weights':{'0':7,'1':8}},'no':{'bias':2,'weights':{'0':9,'1':10}}}],"
                            "'outputLookup':true,'inputLookup':true,'activation':'tanh','trainOpts':{'iterations':20}}";

// Version 2: arrays
static const char ARRAYS[] =
    "{'type':'NeuralNetwork','sizes':[2,3,1],'layers':[{'weights':[],'biases':[]},"
    "{'weights':[[1,2],[3,4],[5,6]],'biases':[7,8,9]},{'weights':[[10,11,12]],'biases':[13]}],"
    "'inputLookup':{'a':0,'b':1},'inputLookupLength':2,'outputLookup':null,'outputLookupLength':0,"
    "'options':{'binaryThresh':0.5,'hiddenLayers':[3]},'trainOpts':{'activation':'leaky-relu','leakyReluAlpha':0.25}}";

static nl_graph *read_net(const char *text, nl_buffer *onnx) {
  char *copy = quoted(text);
  const nl_span source = exact(span(copy));
  nl_error error = {0};
  assert_int_equal(nl_json_recognise(source), NL_JSON_BRAIN);
  if (nl_brain_read(source, onnx, &error) != NL_OK) fail_msg("%s: %s", error.place, error.detail);
  free((void *)source.bytes), free(copy);
  return read_bytes(span_of(onnx));
}

static void constant_is(const nl_graph *graph, const char *node, size_t slot, size_t count, const double *expected) {
  const nl_tensor *tensor = nl_node_constant(graph, &graph->nodes[node_named(graph, node)], slot);
  double values[64];
  assert_non_null(tensor);
  assert_int_equal(tensor->count, count);
  OK(nl_tensor_read(tensor, values, NULL));
  for (size_t i = 0; i < count; i++) assert_float_equal(values[i], expected[i], 1e-6);
}

static void ops_are(const nl_graph *graph, size_t count, const char *const *ops) {
  assert_int_equal(graph->node_count, count);
  for (size_t i = 0; i < count; i++) assert_span(graph->nodes[i].op, ops[i]);
}

// What the text becomes when the first layer keeps one neuron of these weights and this bias, the second those columns.
static char *written(const char *text, size_t in, size_t out, const double *w1, double b1, const double *w2) {
  nl_buffer onnx = {0}, edited = {0}, back = {0};
  nl_edits *edits;
  nl_graph *graph = read_net(text, &onnx);
  OK(nl_edits_create(&edits, graph, NULL));
  const size_t first = node_named(graph, "layer1"), second = node_named(graph, "layer2");
  OK(nl_edits_set_constant(edits, first, 1, NL_TYPE_F32, 2, (int64_t[]){1, (int64_t)in}, w1, NULL));
  OK(nl_edits_set_constant(edits, first, 2, NL_TYPE_F32, 1, (int64_t[]){1}, &b1, NULL));
  OK(nl_edits_set_constant(edits, second, 1, NL_TYPE_F32, 2, (int64_t[]){(int64_t)out, 1}, w2, NULL));
  OK(nl_onnx_write(graph, edits, &edited, NULL));
  nl_graph *smaller = read_bytes(span_of(&edited));
  char *copy = quoted(text);
  OK(nl_brain_write(smaller, span(copy), &back, NULL));
  OK(nl_buffer_append(&back, "", 1, NULL));
  nl_graph *again;
  nl_buffer once = {0};
  again = read_net((const char *)back.bytes, &once);
  constant_is(again, "layer1", 1, in, w1);
  constant_is(again, "layer2", 1, out, w2);
  nl_graph_free(again), nl_graph_free(smaller), nl_graph_free(graph), nl_edits_free(edits), free(copy);
  nl_buffer_free(&once), nl_buffer_free(&onnx), nl_buffer_free(&edited);
  return (char *)back.bytes;
}

static void text_is(char *found, const char *expected) {
  char *wanted = quoted(expected);
  assert_string_equal(found, wanted);
  free(wanted), free(found);
}

static void neurons_by_name_are_read_in_javascripts_order(void **state) {
  (void)state;
  nl_buffer onnx = {0};
  nl_graph *graph = read_net(NAMED, &onnx);
  constant_is(graph, "layer1", 1, 6, (double[]){1, 2, 3, 4, 5, 6}); // 2, 10, red
  constant_is(graph, "layer1", 2, 2, (double[]){0.5, -0.5});
  constant_is(graph, "layer2", 1, 4, (double[]){7, 8, 9, 10}); // yes, no
  ops_are(graph, 4, (const char *const[]){"Gemm", "Tanh", "Gemm", "Tanh"});
  nl_graph_free(graph), nl_buffer_free(&onnx);
}

static void hidden_neurons_are_numbered_anew_and_names_outside_stay(void **state) {
  (void)state;
  text_is(written(NAMED, 3, 2, (double[]){4, 5, 6}, -0.25, (double[]){8.5, 10}),
          "{'sizes':[3,1,2],'layers':[{'red':{},'10':{},'2':{}},"
          "{'0':{'bias':-0.25,'weights':{'2':4,'10':5,'red':6},'note':'first'}},"
          "{'yes':{'bias':1,'weights':{'0':8.5}},'no':{'bias':2,'weights':{'0':10}}}],"
          "'outputLookup':true,'inputLookup':true,'activation':'tanh','trainOpts':{'iterations':20}}");
}

static void arrays_are_read_and_written_with_all_else(void **state) {
  (void)state;
  nl_buffer onnx = {0};
  nl_graph *graph = read_net(ARRAYS, &onnx);
  constant_is(graph, "layer1", 1, 6, (double[]){1, 2, 3, 4, 5, 6});
  ops_are(graph, 4, (const char *const[]){"Gemm", "LeakyRelu", "Gemm", "LeakyRelu"});
  assert_float_equal(nl_node_float(&graph->nodes[1], "alpha", 0), 0.25, 0);
  nl_graph_free(graph), nl_buffer_free(&onnx);
  text_is(written(ARRAYS, 2, 1, (double[]){3, 4}, 8, (double[]){0.1}),
          "{'type':'NeuralNetwork','sizes':[2,1,1],'layers':[{'weights':[],'biases':[]},"
          "{'weights':[[3,4]],'biases':[8]},{'weights':[[0.1]],'biases':[13]}],"
          "'inputLookup':{'a':0,'b':1},'inputLookupLength':2,'outputLookup':null,'outputLookupLength':0,"
          "'options':{'binaryThresh':0.5,'hiddenLayers':[1]},'trainOpts':{'activation':'leaky-relu','leakyReluAlpha':0."
          "25}}");
}

// brain.js 1 multiplies what is above 0.
static void the_first_versions_leaky_relu_is_what_it_runs(void **state) {
  (void)state;
  nl_buffer onnx = {0};
  nl_graph *graph =
      read_net("{'layers':[{'0':{}},{'0':{'bias':1,'weights':{'0':2}}}],'activation':'leaky-relu'}", &onnx);
  ops_are(graph, 3, (const char *const[]){"Gemm", "Relu", "Mul"});
  constant_is(graph, "layer1/leaky-relu", 1, 1, (double[]){0.01});
  nl_graph_free(graph), nl_buffer_free(&onnx);
}

static void each_mistake_is_named_with_its_place(void **state) {
  (void)state;
  static const struct {
    const char *text, *place;
  } cases[] = {
      {"{'layers':[{'0':{}}]}", "layers"},
      {"{'layers':[{},{'0':{'bias':1,'weights':{}}}]}", "layers[0]"},
      {"{'layers':[{'0':{}},{}]}", "layers[1]"},
      {"{'layers':[{'0':{}},[1]]}", "layers[1]"},
      {"{'layers':[{'0':{}},{'0':{'weights':{'0':1}}}]}", "layers[1].bias"},
      {"{'layers':[{'0':{}},{'0':{'bias':1,'weights':{'0':1,'1':2}}}]}", "layers[1].weights"},
      {"{'layers':[{'0':{}},{'0':{'bias':1,'weights':{'0':'x'}}}]}", "layers[1].weights"},
      {"{'layers':[{'0':{}},{'0':{'bias':1,'weights':{'0':1e39}}}]}", "layers[1].weights"},
      {"{'layers':[{'0':{}},{'0':{'bias':1}}]}", "layers[1].weights"},
      {"{'layers':[{},{'weights':[[1],[2]],'biases':[1]}]}", "layers[1].biases"},
      {"{'layers':[{'0':{}},{'0':{'bias':1,'weights':{'0':1}}}],'activation':'gelu'}", "activation"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char *text = quoted(cases[i].text);
    nl_buffer onnx = {0};
    nl_error error = {0};
    if (nl_brain_read(span(text), &onnx, &error) != NL_ERROR_JSON) fail_msg("%s is read", cases[i].text);
    assert_string_equal(error.place, cases[i].place);
    assert_int_equal(onnx.size, 0);
    nl_buffer_free(&onnx), free(text);
  }
}

static void a_text_changed_anywhere_is_refused_or_read(void **state) {
  (void)state;
  static const char *const texts[] = {NAMED, ARRAYS};
  for (size_t t = 0; t < 2; t++)
    for (size_t i = 0; i < strlen(texts[t]); i++)
      for (size_t k = 0; k < 4; k++) {
        char *changed = quoted(texts[t]);
        changed[i] = "]9,\xFF"[k];
        const nl_span source = exact(span(changed));
        nl_buffer onnx = {0}, back = {0};
        nl_error error = {0};
        if (nl_brain_read(source, &onnx, &error) == NL_OK) {
          nl_graph *graph = read_bytes(span_of(&onnx));
          OK(nl_brain_write(graph, source, &back, NULL));
          nl_graph_free(graph);
        } else
          assert_int_not_equal(error.status, NL_OK);
        nl_buffer_free(&onnx), nl_buffer_free(&back), free((void *)source.bytes), free(changed);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(neurons_by_name_are_read_in_javascripts_order),
      cmocka_unit_test(hidden_neurons_are_numbered_anew_and_names_outside_stay),
      cmocka_unit_test(arrays_are_read_and_written_with_all_else),
      cmocka_unit_test(the_first_versions_leaky_relu_is_what_it_runs),
      cmocka_unit_test(each_mistake_is_named_with_its_place),
      cmocka_unit_test(a_text_changed_anywhere_is_refused_or_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
