// The trace of a partition tells the truth: its splits lead to the blocks, and each is forced by two neurons too far apart.
#include "models.h"

enum { WIDTH_MOST = 9, LAYERS = 2 };

static const char *const activations[] = {"tanh", "relu", "identity", "square"};

static void append(nl_buffer *text, const char *words) { OK(nl_buffer_append(text, words, strlen(words), NULL)); }

// Weights on a grid, so that some neurons are alike, and some within a step of each other.
static void append_row(nl_buffer *text, size_t count, uint64_t *seed) {
  char number[32];
  for (size_t i = 0; i < count; i++) {
    snprintf(number, sizeof number, "%s%.2f", i == 0 ? "[" : ",", 0.25 * floor(4 * uniform01(seed)) - 0.25);
    append(text, number);
  }
  append(text, "]");
}

// inputs-w1-w2-2, said in netlump JSON
static nl_span drawn(const size_t *widths, const char *activation, uint64_t *seed) {
  nl_buffer text = {0};
  append(&text, "{\"format\":\"netlump\",\"version\":1,\"layers\":[");
  for (size_t l = 0; l <= LAYERS; l++) {
    append(&text, l == 0 ? "{\"weights\":[" : ",{\"weights\":[");
    for (size_t k = 0; k < widths[l + 1]; k++) {
      if (k > 0) append(&text, ",");
      append_row(&text, widths[l], seed);
    }
    append(&text, "],\"bias\":");
    append_row(&text, widths[l + 1], seed);
    append(&text, ",\"activation\":\"");
    append(&text, l < LAYERS ? activation : "identity");
    append(&text, "\"}");
  }
  append(&text, "]}");
  const nl_span onnx = converted(span_of(&text));
  nl_buffer_free(&text);
  return onnx;
}

static cJSON *traced(const nl_model *model, const nl_partition_options *options, double epsilon) {
  nl_buffer json = {0};
  OK(nl_model_trace(model, options, epsilon, &json, NULL));
  cJSON *root = cJSON_ParseWithLength((const char *)json.bytes, json.size);
  nl_buffer_free(&json);
  assert_non_null(root);
  return root;
}

static size_t neuron(const cJSON *array, int index) { return (size_t)cJSON_GetArrayItem(array, index)->valuedouble; }
static const cJSON *field(const cJSON *object, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
  assert_non_null(item);
  return item;
}

static double distance_of(const cJSON *step, size_t a, size_t b) {
  const cJSON *neurons = field(step, "neurons");
  int i = -1, j = -1;
  for (int k = 0; k < cJSON_GetArraySize(neurons); k++) {
    if (neuron(neurons, k) == a) i = k;
    if (neuron(neurons, k) == b) j = k;
  }
  assert_true(i >= 0 && j >= 0);
  return cJSON_GetArrayItem(cJSON_GetArrayItem(field(step, "distances"), i), j)->valuedouble;
}

// The pair is the farthest of the parts, or (erode) the nearest.
static void check_pair(const cJSON *step, const cJSON *split, bool nearest, double epsilon) {
  const double distance = field(split, "distance")->valuedouble;
  const cJSON *stays = field(split, "stays"), *leaves = field(split, "leaves"), *pair = field(split, "pair");
  assert_true(distance > epsilon);
  assert_near(distance_of(step, neuron(pair, 0), neuron(pair, 1)), distance, 0);
  for (int i = 0; i < cJSON_GetArraySize(stays); i++)
    for (int j = 0; j < cJSON_GetArraySize(leaves); j++) {
      const double other = distance_of(step, neuron(stays, i), neuron(leaves, j));
      assert_true(nearest ? other >= distance : other <= distance);
    }
}

static void check_terms(const cJSON *step, const cJSON *split) {
  const cJSON *terms = field(split, "terms");
  double sum = 0;
  if (cJSON_IsNull(terms)) return;
  for (int c = 0; c < cJSON_GetArraySize(terms); c++) {
    const cJSON *two = cJSON_GetArrayItem(terms, c);
    sum += fabs(cJSON_GetArrayItem(two, 0)->valuedouble - cJSON_GetArrayItem(two, 1)->valuedouble);
  }
  assert_near(field(step, "factor")->valuedouble * sum, field(split, "distance")->valuedouble, 2e-5);
}

// Splits one after the other: block_of (neurons from 1) starts as one block.
static void replay(const cJSON *step, const nl_partition_options *options, double epsilon, size_t *block_of) {
  const cJSON *splits = field(step, "splits"), *neurons = field(step, "neurons");
  double before = (double)INFINITY;
  for (int i = 0; i < cJSON_GetArraySize(neurons); i++) block_of[neuron(neurons, i)] = 1;
  for (int k = 0; k < cJSON_GetArraySize(splits); k++) {
    const cJSON *split = cJSON_GetArrayItem(splits, k), *stays = field(split, "stays"),
                *leaves = field(split, "leaves");
    check_pair(step, split, options->linkage == NL_LINKAGE_ERODE, epsilon);
    check_terms(step, split);
    assert_true(field(split, "distance")->valuedouble <= before);
    before = field(split, "distance")->valuedouble;
    const size_t whole = block_of[neuron(stays, 0)];
    size_t members = 0;
    for (int i = 0; i < cJSON_GetArraySize(neurons); i++) members += block_of[neuron(neurons, i)] == whole;
    assert_int_equal(members, cJSON_GetArraySize(stays) + cJSON_GetArraySize(leaves));
    for (int i = 0; i < cJSON_GetArraySize(stays); i++) assert_int_equal(block_of[neuron(stays, i)], whole);
    for (int i = 0; i < cJSON_GetArraySize(leaves); i++) {
      assert_int_equal(block_of[neuron(leaves, i)], whole);
      block_of[neuron(leaves, i)] = 2 + (size_t)k;
    }
  }
}

// Whether two neurons of a layer share a block in nl_model_blocks.
static void read_blocks(const cJSON *root, size_t layer, size_t *block_of) {
  const cJSON *blocks = field(root, "blocks");
  for (int b = 0; b < cJSON_GetArraySize(blocks); b++) {
    const cJSON *block = cJSON_GetArrayItem(blocks, b);
    for (int i = 0; i < cJSON_GetArraySize(block); i++) {
      size_t l, k;
      assert_int_equal(sscanf(cJSON_GetArrayItem(block, i)->valuestring, "h%zu_%zu", &l, &k), 2);
      if (l == layer) block_of[k] = 1 + (size_t)b;
    }
  }
}

static void compare(const cJSON *step, const nl_partition_options *options, double epsilon, const cJSON *blocks) {
  size_t found[WIDTH_MOST + 1] = {0}, expected[WIDTH_MOST + 1] = {0};
  replay(step, options, epsilon, found);
  read_blocks(blocks, (size_t)field(step, "layer")->valuedouble, expected);
  for (size_t i = 1; i <= WIDTH_MOST; i++) {
    assert_true((found[i] == 0) == (expected[i] == 0)); // in no block: constant, or not there
    for (size_t j = 1; j < i; j++)
      if (found[i] != 0 && found[j] != 0) assert_true((found[i] == found[j]) == (expected[i] == expected[j]));
  }
}

static void check_model(const nl_model *model, const nl_partition_options *options, double epsilon, size_t *splits) {
  nl_buffer json = {0};
  OK(nl_model_blocks(model, options, epsilon, &json, NULL));
  cJSON *blocks = cJSON_ParseWithLength((const char *)json.bytes, json.size);
  cJSON *trace = traced(model, options, epsilon);
  const cJSON *steps = field(trace, "steps");
  assert_int_equal(cJSON_GetArraySize(steps), LAYERS);
  for (int s = 0; s < LAYERS; s++) {
    const cJSON *step = cJSON_GetArrayItem(steps, s);
    const size_t layer = (size_t)field(step, "layer")->valuedouble,
                 neighbour = (size_t)field(step, "neighbour")->valuedouble;
    assert_true(neighbour == layer - 1 || neighbour == layer + 1);
    if (s > 0) // refined before
      assert_int_equal(neighbour, field(cJSON_GetArrayItem(steps, s - 1), "layer")->valuedouble);
    compare(step, options, epsilon, blocks);
    *splits += (size_t)cJSON_GetArraySize(field(step, "splits"));
  }
  nl_buffer_free(&json);
  cJSON_Delete(blocks);
  cJSON_Delete(trace);
}

static void splits_lead_to_the_blocks_and_exceed_the_tolerance(void **state) {
  (void)state;
  uint64_t seed = 3;
  size_t splits = 0;
  for (unsigned round = 0; round < 240; round++) {
    const size_t widths[LAYERS + 2] = {2 + round % 2, 2 + round % 8, 2 + round / 2 % 8, 2};
    const char *activation = activations[round % 4];
    const nl_span onnx = drawn(widths, activation, &seed);
    nl_model *model = opened(onnx);
    nl_partition_options options = {.encoding = (nl_encoding)(round % 3),
                                    .equivalence = (nl_equivalence)(round / 3 % 2),
                                    .linkage = (nl_linkage)(round / 6 % 2),
                                    .degree = 2};
    options.symmetric =
        options.encoding == NL_ENCODING_ADJOINT && options.equivalence == NL_EQUIVALENCE_FORWARD && round / 12 % 2 == 0;
    for (unsigned k = 0; k < 5; k++) check_model(model, &options, 0.6 * k, &splits);
    nl_model_free(model);
    free((void *)onnx.bytes);
  }
  assert_true(splits > 1000);
}

// ---- the quotient ------------------------------------------------------------------------------------------------------

static double *numbers_of(const cJSON *rows, size_t count) {
  double *values = malloc(count * sizeof *values);
  size_t at = 0;
  for (int i = 0; i < cJSON_GetArraySize(rows); i++) {
    const cJSON *row = cJSON_GetArrayItem(rows, i);
    if (cJSON_IsNumber(row)) values[at++] = row->valuedouble;
    for (int j = 0; j < cJSON_GetArraySize(row); j++) values[at++] = cJSON_GetArrayItem(row, j)->valuedouble;
  }
  assert_int_equal(at, count);
  return values;
}

// Σ over the trace's quotient, layer by layer: the same numbers as in the model that nl_result_write gives.
static void the_quotient_is_the_network_of_the_method(void **state) {
  (void)state;
  static const nl_method methods[] = {NL_METHOD_ADJOINT, NL_METHOD_FORWARD, NL_METHOD_SYMMETRIC};
  uint64_t seed = 8;
  for (unsigned round = 0; round < 24; round++) {
    const size_t widths[LAYERS + 2] = {2, 7, 6, 2};
    const nl_span onnx = drawn(widths, activations[round % 2], &seed);
    nl_buffer json = {0};
    nl_model *model = opened(onnx);
    nl_path *path = walked(model, &(nl_path_options){.seed = 1, .rows = 256});
    const nl_method method = methods[round % 3];
    const nl_partition_options options = {.encoding =
                                              method == NL_METHOD_FORWARD ? NL_ENCODING_LINEAR : NL_ENCODING_ADJOINT,
                                          .symmetric = method == NL_METHOD_SYMMETRIC};
    const double epsilon = method == NL_METHOD_FORWARD ? 3 : 1.6;
    cJSON *trace = traced(model, &options, epsilon);
    nl_result *result = NULL;
    OK(nl_result_create(&result, path, (nl_target){NL_TARGET_EPSILON, epsilon}, &(nl_result_options){.method = method},
                        NULL));
    double progress;
    while (nl_result_step(result, &progress, NULL) == NL_MORE) {
    }
    written_as_json(result, (nl_span){0}, &json);
    cJSON *written = cJSON_ParseWithLength((const char *)json.bytes, json.size);
    const cJSON *quotient = field(trace, "quotient"), *layers = field(written, "layers");
    for (int l = 0; l <= LAYERS; l++) {
      const cJSON *mine = cJSON_GetArrayItem(quotient, l), *other = cJSON_GetArrayItem(layers, l);
      const size_t out = (size_t)cJSON_GetArraySize(field(mine, "bias"));
      const size_t in = (size_t)cJSON_GetArraySize(cJSON_GetArrayItem(field(mine, "weights"), 0));
      double *a = numbers_of(field(mine, "weights"), out * in), *b = numbers_of(field(other, "weights"), out * in);
      for (size_t i = 0; i < out * in; i++) assert_near(a[i], b[i], 1e-6 * (1 + fabs(b[i])));
      free(a), free(b);
      a = numbers_of(field(mine, "bias"), out), b = numbers_of(field(other, "bias"), out);
      for (size_t i = 0; i < out; i++) assert_near(a[i], b[i], 1e-6 * (1 + fabs(b[i])));
      free(a), free(b);
    }
    cJSON_Delete(trace), cJSON_Delete(written);
    nl_result_free(result), nl_path_free(path), nl_model_free(model);
    free((void *)onnx.bytes), nl_buffer_free(&json);
  }
}

static void layers_too_wide_to_be_looked_at_are_refused(void **state) {
  (void)state;
  uint64_t seed = 1;
  const size_t widths[LAYERS + 2] = {2, 65, 3, 2};
  const nl_span onnx = drawn(widths, "tanh", &seed);
  nl_buffer json = {0};
  nl_model *model = opened(onnx);
  nl_error error = {0};
  assert_int_equal(nl_model_trace(model, &(nl_partition_options){.encoding = NL_ENCODING_ADJOINT}, 9, &json, &error),
                   NL_ERROR_LIMIT);
  assert_non_null(strstr(error.place, "neurons in a layer"));
  nl_buffer_free(&json);
  free((void *)onnx.bytes);
  nl_model_free(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(splits_lead_to_the_blocks_and_exceed_the_tolerance),
      cmocka_unit_test(the_quotient_is_the_network_of_the_method),
      cmocka_unit_test(layers_too_wide_to_be_looked_at_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
