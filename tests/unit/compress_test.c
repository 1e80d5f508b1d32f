#include "models.h"

// ---- one model, one path, one result --------------------------------------------------------------------------------

typedef struct run {
  nl_span bytes;
  nl_model *model;
  nl_path *path;
} run;

static run prepared(nl_span bytes, const nl_path_options *options) {
  run r = {.bytes = bytes, .model = opened(bytes)};
  r.path = walked(r.model, options);
  return r;
}
static run prepared_chain(chain *c) {
  const run r = prepared(chain_bytes(c), &(nl_path_options){.seed = 1, .rows = 2048});
  chain_free(c);
  return r;
}
static void run_free(run *r) {
  nl_path_free(r->path);
  nl_model_free(r->model);
  free((void *)r->bytes.bytes);
}

static size_t width_after(const nl_result *result, size_t site) {
  cJSON *report = report_of(result);
  char key[40];
  snprintf(key, sizeof key, "sites.%zu.after", site);
  const size_t width = (size_t)number_at(report, key);
  cJSON_Delete(report);
  return width;
}

static nl_model *reopened(const nl_result *result, nl_buffer *bytes) {
  OK(nl_result_write(result, bytes, NULL));
  return opened(span_of(bytes));
}

// Largest relative difference between the model and what was made of it, on rows of the tests' own.
static double difference_on_rows(const nl_model *model, const nl_model *smaller, uint64_t seed) {
  enum { ROWS = 300 };
  double *x = random_numbers(seed, ROWS * nl_model_features(model), 1.0);
  const size_t count = ROWS * nl_model_results(model);
  double *y = malloc(count * sizeof *y), *z = malloc(count * sizeof *z);
  assert_int_equal(nl_model_features(smaller), nl_model_features(model));
  assert_int_equal(nl_model_results(smaller), nl_model_results(model));
  OK(nl_model_forward(model, ROWS, x, y, NULL));
  OK(nl_model_forward(smaller, ROWS, x, z, NULL));
  const double difference = relative_difference(count, z, y);
  free(x), free(y), free(z);
  return difference;
}

static void comes_back(chain *c, double epsilon, size_t first, size_t second, double within) {
  run r = prepared_chain(c);
  nl_result *result = reached(r.path, NL_TARGET_EPSILON, epsilon);
  nl_buffer bytes = {0};
  nl_model *smaller = reopened(result, &bytes);
  assert_int_equal(width_after(result, 0), first);
  assert_int_equal(width_after(result, 1), second);
  assert_true(nl_result_deviation(result) <= within);
  assert_true(difference_on_rows(r.model, smaller, 99) <= within);
  nl_model_free(smaller), nl_buffer_free(&bytes), nl_result_free(result), run_free(&r);
}

// ---- what goes without loss ------------------------------------------------------------------------------------------

static void copied_neurons_go_at_epsilon_zero(void **state) {
  (void)state;
  chain c = random_chain(3, "Tanh", 3, (size_t[]){6, 28, 20, 2});
  for (size_t u = 16; u < 28; u++) copy_unit(&c, 0, u - 16, u, 1);
  for (size_t u = 12; u < 20; u++) copy_unit(&c, 1, u - 12, u, 1);
  comes_back(&c, 0, 16, 12, 1e-6);
}

static void scaled_relu_neurons_go(void **state) {
  (void)state;
  chain c = random_chain(4, "Relu", 3, (size_t[]){6, 28, 20, 2});
  for (size_t u = 16; u < 28; u++) copy_unit(&c, 0, u - 16, u, 0.3 + 0.2 * (double)(u - 16));
  for (size_t u = 12; u < 20; u++) copy_unit(&c, 1, u - 12, u, 2.5 - 0.3 * (double)(u - 12));
  comes_back(&c, 1e-6, 16, 12, 1e-6);
}

static void sign_flipped_tanh_neurons_go_at_epsilon_zero(void **state) {
  (void)state;
  chain c = random_chain(5, "Tanh", 3, (size_t[]){6, 28, 20, 2});
  for (size_t u = 16; u < 28; u++) copy_unit(&c, 0, u - 16, u, -1);
  for (size_t u = 12; u < 20; u++) copy_unit(&c, 1, u - 12, u, -1);
  comes_back(&c, 0, 16, 12, 1e-6);
}

static void dead_and_constant_neurons_go_at_epsilon_zero(void **state) {
  (void)state;
  chain c = random_chain(6, "Relu", 3, (size_t[]){6, 24, 14, 2});
  for (size_t u = 16; u < 21; u++) c.bias[0][u] = -60; // never fires
  for (size_t u = 21; u < 24; u++) silence_unit(&c, 0, u, 0.75);
  silence_unit(&c, 1, 13, -1), silence_unit(&c, 1, 12, 2);
  comes_back(&c, 0, 16, 12, 1e-6);
}

static void a_network_without_repetition_keeps_all_at_epsilon_zero(void **state) {
  (void)state;
  chain c = random_chain(7, "Tanh", 3, (size_t[]){6, 16, 12, 2});
  run r = prepared_chain(&c);
  nl_choice choice;
  size_t widths[2];
  OK(nl_path_choose(r.path, (nl_target){NL_TARGET_EPSILON, 0}, &choice, widths, NULL));
  assert_int_equal(widths[0], 16), assert_int_equal(widths[1], 12);
  assert_true(choice.retained == 1.0);
  run_free(&r);
}

static void fixture_comes_back(const char *name, double epsilon) {
  run r = prepared(fixture(name, "onnx"), &(nl_path_options){.seed = 1});
  nl_result *result = reached(r.path, NL_TARGET_EPSILON, epsilon);
  nl_buffer bytes = {0};
  nl_model *smaller = reopened(result, &bytes);
  // at most: on this measure a unit of the dead_* file's own may sleep as well
  if (width_after(result, 0) != 16 || width_after(result, 1) > 12)
    fail_msg("%s: %zu-%zu", name, width_after(result, 0), width_after(result, 1));
  assert_true(difference_on_rows(r.model, smaller, 5) <= 1e-6);
  nl_model_free(smaller), nl_buffer_free(&bytes), nl_result_free(result), run_free(&r);
}

static void the_padded_fixtures_come_back_to_their_widths(void **state) {
  (void)state;
  fixture_comes_back("dup_copied_6-28-20-2", 1e-6);
  fixture_comes_back("dup_scaled_6-28-20-2", 1e-6);
  fixture_comes_back("dup_flipped_6-28-20-2", 1e-6);
  fixture_comes_back("dead_relu_6-24-12-2", 1e-6);
}

// ---- targets ---------------------------------------------------------------------------------------------------------

static run wide_relu(void) {
  chain c = random_chain(8, "Relu", 3, (size_t[]){4, 24, 16, 2});
  return prepared_chain(&c);
}

static void a_larger_epsilon_never_keeps_more(void **state) {
  (void)state;
  run r = wide_relu();
  size_t before[2] = {24, 16}, widths[2], total = SIZE_MAX;
  for (double epsilon = 0; epsilon < 3; epsilon = epsilon * 1.4 + 1e-4) {
    nl_choice choice;
    OK(nl_path_choose(r.path, (nl_target){NL_TARGET_EPSILON, epsilon}, &choice, widths, NULL));
    assert_true(widths[0] <= before[0] && widths[1] <= before[1] && widths[0] >= 1 && widths[1] >= 1);
    assert_true(choice.parameters <= total);
    memcpy(before, widths, sizeof before);
    total = choice.parameters;
  }
  assert_int_equal(widths[0] + widths[1], 2);
  run_free(&r);
}

static void every_site_stays_within_epsilon_and_goes_as_far_as_that(void **state) {
  (void)state;
  run r = wide_relu();
  nl_buffer text = {0};
  OK(nl_path_describe(r.path, &text, NULL));
  cJSON *path = parsed(&text);
  for (double epsilon = 0.01; epsilon < 1; epsilon *= 1.7) {
    nl_choice choice;
    size_t widths[2];
    OK(nl_path_choose(r.path, (nl_target){NL_TARGET_EPSILON, epsilon}, &choice, widths, NULL));
    for (int s = 0; s < 2; s++) {
      const cJSON *deviation = at(cJSON_GetArrayItem(at(path, "sites"), s), "deviation");
      int gone = 0;
      while (gone < cJSON_GetArraySize(deviation) && cJSON_GetArrayItem(deviation, gone)->valuedouble <= epsilon)
        gone++;
      assert_int_equal(widths[s], (s == 0 ? 24 : 16) - gone);
    }
  }
  cJSON_Delete(path), run_free(&r);
}

static void retain_never_exceeds_the_share_asked_for(void **state) {
  (void)state;
  run r = wide_relu();
  for (double share = 0.06; share <= 1; share += 0.047) {
    nl_choice choice;
    OK(nl_path_choose(r.path, (nl_target){NL_TARGET_RETAIN, share}, &choice, NULL, NULL));
    nl_result *result = reached(r.path, NL_TARGET_RETAIN, share);
    cJSON *report = report_of(result);
    assert_true(number_at(report, "retained") <= share);
    assert_true(choice.retained <= share && choice.retained > share - 0.1);
    assert_int_equal(number_at(report, "parameters.after"), choice.parameters);
    cJSON_Delete(report), nl_result_free(result);
  }
  run_free(&r);
}

// Behind a layer that shrinks, layers of the same size are fitted anew: they get no bias they had not, and what two of them read with a
// third goes on being there for that one.
static void what_is_counted_is_what_is_written(void **state) {
  (void)state;
  sketch s = sketched(15, 3);
  double w[24];
  for (size_t i = 0; i < 24; i++)
    w[i] = cos(1.7 * (double)(i % 18)) + (i < 18 ? 0 : 0.002); // the last two are nearly the first
  tensor(s, "w", 2, (int64_t[]){8, 3}, w), noise(s, "v", 2, 6, 8), noise(s, "u", 3, 6, 6), noise(s, "q", 4, 6, 3);
  noise(s, "t", 5, 2, 6);
  gemm(s, "x w", "a"), op(s, "Tanh", "a", "b"), gemm(s, "b v", "c"), op(s, "Tanh", "c", "d");
  gemm(s, "d u", "e"), op(s, "Tanh", "e", "f"), gemm(s, "f u", "g"), op(s, "Tanh", "g", "h");
  gemm(s, "x q", "i"), op(s, "Tanh", "i", "j"), gemm(s, "j u", "k"), op(s, "Add", "h k", "l"), gemm(s, "l t", "m");
  gemm(s, "x q", "n"), op(s, "Sigmoid", "n", "o"), gemm(s, "o t", "p"), op(s, "Add", "m p", "y");
  output(s, "y", 2);
  run r = prepared(built(s), &(nl_path_options){.seed = 1, .rows = 512});
  const nl_target targets[] = {{NL_TARGET_EPSILON, 0.001}, {NL_TARGET_EPSILON, 0.1}, {NL_TARGET_RETAIN, 0.8}};
  for (size_t i = 0; i < 3; i++) {
    nl_choice choice;
    nl_buffer bytes = {0};
    OK(nl_path_choose(r.path, targets[i], &choice, NULL, NULL));
    nl_result *result = reached_by(r.path, targets[i].kind, targets[i].value, (nl_result_options){.polish = true});
    nl_model *smaller = reopened(result, &bytes);
    nl_buffer text = {0};
    OK(nl_model_describe(smaller, &text, NULL));
    cJSON *report = report_of(result), *described = parsed(&text);
    assert_int_equal(choice.parameters, number_at(report, "parameters.after"));
    assert_int_equal(choice.parameters, number_at(described, "parameters"));
    if (i == 0) assert_int_equal(choice.parameters, 6 * 3 + 6 * 6 + 6 + 3 * 36 + 6 * 3 + 2 * 12);
    cJSON_Delete(report), cJSON_Delete(described);
    nl_model_free(smaller), nl_buffer_free(&bytes), nl_result_free(result);
  }
  run_free(&r);
}

static void retain_of_everything_writes_the_very_bytes(void **state) {
  (void)state;
  run r = wide_relu();
  nl_result *result = reached(r.path, NL_TARGET_RETAIN, 1.0);
  nl_buffer bytes = {0};
  OK(nl_result_write(result, &bytes, NULL));
  assert_int_equal(bytes.size, r.bytes.size);
  assert_memory_equal(bytes.bytes, r.bytes.bytes, bytes.size);
  assert_true(nl_result_deviation(result) == 0);
  nl_buffer_free(&bytes), nl_result_free(result), run_free(&r);
}

// Also: a target worth less than the next removal is not wasted.
static void a_deviation_target_is_met_and_used(void **state) {
  (void)state;
  run r = wide_relu();
  size_t before = SIZE_MAX;
  for (double most = 0.02; most < 1; most *= 2) {
    nl_result *result = reached(r.path, NL_TARGET_DEVIATION, most);
    cJSON *report = report_of(result);
    const size_t after = (size_t)number_at(report, "parameters.after");
    assert_true(nl_result_deviation(result) <= most);
    assert_near(number_at(report, "deviation"), nl_result_deviation(result), 1e-15);
    assert_true(after < 570 && after <= before);
    before = after;
    cJSON_Delete(report), nl_result_free(result);
  }
  assert_true(before < 200);
  run_free(&r);
}

// ---- what comes out --------------------------------------------------------------------------------------------------

static size_t float_elements(nl_span bytes) {
  nl_graph *graph = read_bytes(bytes);
  size_t count = 0;
  for (size_t i = 0; i < graph->tensor_count; i++)
    count += nl_type_is_float(graph->tensors[i].type) ? graph->tensors[i].count : 0;
  nl_graph_free(graph);
  return count;
}

// Parameters and forward pass of the written file are those reported; `rounding` is that of its number type.
static void written_is_reported(const run *r, const nl_result *result, double rounding) {
  enum { ROWS = 64 };
  nl_buffer bytes = {0};
  nl_model *smaller = reopened(result, &bytes);
  cJSON *report = report_of(result);
  assert_int_equal(float_elements(span_of(&bytes)), number_at(report, "parameters.after"));
  assert_int_equal(float_elements(r->bytes), number_at(report, "parameters.before"));
  assert_near(number_at(report, "retained"),
              number_at(report, "parameters.after") / number_at(report, "parameters.before"), 1e-12);
  double *x = random_numbers(17, ROWS * nl_model_features(smaller), 1.0);
  const size_t count = ROWS * nl_model_results(smaller);
  double *y = malloc(count * sizeof *y), *z = malloc(count * sizeof *z);
  OK(nl_result_forward(result, ROWS, x, y, NULL));
  OK(nl_model_forward(smaller, ROWS, x, z, NULL));
  const double difference = relative_difference(count, z, y);
  if (!(difference <= rounding)) fail_msg("file and result differ by %g", difference);
  free(x), free(y), free(z);
  cJSON_Delete(report), nl_model_free(smaller), nl_buffer_free(&bytes);
}

static void the_written_model_is_the_reported_one(void **state) {
  (void)state;
  run r = wide_relu();
  for (double share = 0.1; share < 0.95; share += 0.2) {
    nl_result *result = reached(r.path, NL_TARGET_RETAIN, share);
    written_is_reported(&r, result, 1e-6);
    nl_result_free(result);
  }
  run_free(&r);
}

static void the_reported_deviation_is_the_one_on_the_given_rows(void **state) {
  (void)state;
  enum { ROWS = 200 };
  chain c = random_chain(9, "Tanh", 3, (size_t[]){3, 14, 10, 2});
  double *x = random_numbers(2, ROWS * 3, 1.5), y[ROWS * 2], z[ROWS * 2];
  run r = prepared(chain_bytes(&c), &(nl_path_options){.seed = 1, .data = x, .data_rows = ROWS});
  nl_result *result = reached(r.path, NL_TARGET_RETAIN, 0.5);
  OK(nl_model_forward(r.model, ROWS, x, y, NULL));
  OK(nl_result_forward(result, ROWS, x, z, NULL));
  double difference = 0, variance = 0, largest = 0;
  for (size_t o = 0; o < 2; o++) {
    double mean = 0;
    for (size_t i = 0; i < ROWS; i++) mean += y[2 * i + o] / ROWS;
    for (size_t i = 0; i < ROWS; i++) {
      const double d = z[2 * i + o] - y[2 * i + o], v = y[2 * i + o] - mean;
      difference += d * d, variance += v * v, largest = fmax(largest, fabs(d));
    }
  }
  cJSON *report = report_of(result);
  assert_near(nl_result_deviation(result), sqrt(difference / variance), 1e-12);
  assert_near(number_at(report, "largest"), largest, 1e-12);
  assert_string_equal(text_at(report, "measure.kind"), "data");
  assert_int_equal(number_at(report, "measure.rows"), ROWS);
  cJSON_Delete(report), nl_result_free(result), run_free(&r), chain_free(&c), free(x);
}

static nl_buffer bytes_with(uint64_t seed) {
  chain c = random_chain(10, "Tanh", 3, (size_t[]){4, 18, 12, 3});
  run r = prepared(chain_bytes(&c), &(nl_path_options){.seed = seed, .rows = 512});
  nl_result *result = reached(r.path, NL_TARGET_RETAIN, 0.5);
  nl_buffer bytes = {0};
  OK(nl_result_write(result, &bytes, NULL));
  nl_result_free(result), run_free(&r), chain_free(&c);
  return bytes;
}

static void the_same_seed_gives_the_same_bytes(void **state) {
  (void)state;
  nl_buffer a = bytes_with(7), b = bytes_with(7), other = bytes_with(8);
  assert_int_equal(a.size, b.size);
  assert_memory_equal(a.bytes, b.bytes, a.size);
  assert_true(other.size != a.size || memcmp(other.bytes, a.bytes, a.size) != 0);
  nl_buffer_free(&a), nl_buffer_free(&b), nl_buffer_free(&other);
}

static void one_path_serves_many_results_in_any_order(void **state) {
  (void)state;
  run r = wide_relu();
  nl_result *large = reached(r.path, NL_TARGET_EPSILON, 0.5);
  nl_result *small = reached(r.path, NL_TARGET_EPSILON, 0.05);
  nl_result *again = reached(r.path, NL_TARGET_EPSILON, 0.5);
  assert_true(nl_result_deviation(large) == nl_result_deviation(again));
  assert_true(nl_result_deviation(small) < nl_result_deviation(large));
  nl_result_free(large), nl_result_free(small), nl_result_free(again), run_free(&r);
}

static void the_report_says_what_was_done(void **state) {
  (void)state;
  run r = wide_relu();
  nl_result *result = reached(r.path, NL_TARGET_EPSILON, 0.2);
  cJSON *report = report_of(result);
  assert_string_equal(text_at(report, "method"), "projected");
  assert_true(number_at(report, "epsilon") == 0.2);
  assert_string_equal(text_at(report, "target.kind"), "epsilon");
  assert_string_equal(text_at(report, "measure.kind"), "normal");
  assert_int_equal(number_at(report, "measure.rows"), 2048);
  assert_int_equal(number_at(report, "seed"), 1);
  assert_string_equal(text_at(report, "sites.0.name"), "z0");
  assert_int_equal(number_at(report, "sites.0.before"), 24);
  for (int s = 0; s < 2; s++) {
    const cJSON *site = cJSON_GetArrayItem(at(report, "sites"), s), *kept = at(site, "kept");
    assert_int_equal(cJSON_GetArraySize(kept), number_at(site, "after"));
    assert_true(number_at(site, "deviation") <= 0.2);
    for (int i = 1; i < cJSON_GetArraySize(kept); i++)
      assert_true(cJSON_GetArrayItem(kept, i - 1)->valuedouble < cJSON_GetArrayItem(kept, i)->valuedouble);
  }
  assert_string_equal(text_at(report, "skipped.0.node"), "y");
  assert_string_equal(text_at(report, "skipped.0.reason"), "output of the model");
  cJSON_Delete(report), nl_result_free(result), run_free(&r);
}

static void lumping_the_lumped_model_again_is_known_and_works(void **state) {
  (void)state;
  run r = wide_relu();
  nl_result *result = reached(r.path, NL_TARGET_RETAIN, 0.6);
  nl_buffer bytes = {0}, text = {0};
  OK(nl_result_write(result, &bytes, NULL));
  run second = prepared(exact(span_of(&bytes)), &(nl_path_options){.seed = 2, .rows = 1024});
  OK(nl_model_describe(second.model, &text, NULL));
  cJSON *description = parsed(&text);
  assert_true(cJSON_IsTrue(at(description, "relumped")));
  nl_result *smaller = reached(second.path, NL_TARGET_RETAIN, 0.6);
  written_is_reported(&second, smaller, 1e-6);
  cJSON_Delete(description), nl_result_free(smaller), nl_result_free(result), nl_buffer_free(&bytes);
  run_free(&second), run_free(&r);
}

static void json_in_gives_json_out_with_the_same_function(void **state) {
  (void)state;
  static const char text[] = "{\"format\": \"netlump\", \"version\": 1, \"note\": \"kept\", \"layers\": ["
                             "{\"weights\": [[1, -0.5], [0.25, 2], [1, -0.5], [0.7, 0.1]], \"bias\": [0.1, 0.2, 0.1, "
                             "-0.3], \"activation\": \"tanh\"},"
                             "{\"weights\": [[1, 2, -3, 0.5]], \"bias\": [0.5]}]}";
  run r = prepared(converted(span(text)), &(nl_path_options){.seed = 1, .rows = 512});
  nl_result *result = reached(r.path, NL_TARGET_EPSILON, 0);
  assert_int_equal(width_after(result, 0), 3);
  nl_buffer bytes = {0};
  written_as_json(result, span(text), &bytes);
  const nl_span onnx = converted(span_of(&bytes));
  nl_model *smaller = opened(onnx);
  assert_true(difference_on_rows(r.model, smaller, 4) <= 1e-6);
  cJSON *json = cJSON_ParseWithLength((const char *)bytes.bytes, bytes.size);
  assert_string_equal(text_at(json, "note"), "kept");
  assert_int_equal(cJSON_GetArraySize(at(json, "layers.0.weights")), 3);
  cJSON_Delete(json), nl_model_free(smaller), free((void *)onnx.bytes), nl_buffer_free(&bytes), nl_result_free(result);
  run_free(&r);
}

// ---- every form a file may have --------------------------------------------------------------------------------------

static const char *const with_rows[] = {"act_abs",
                                        "act_celu",
                                        "act_clip",
                                        "act_clip_op9",
                                        "act_elu",
                                        "act_erf",
                                        "act_gelu_decomposed",
                                        "act_gelu_tanh_decomposed",
                                        "act_hardsigmoid",
                                        "act_hardswish",
                                        "act_hardswish_decomposed",
                                        "act_leakyrelu",
                                        "act_mish_decomposed",
                                        "act_prelu",
                                        "act_prelu_channels",
                                        "act_relu",
                                        "act_selu",
                                        "act_sigmoid",
                                        "act_softplus",
                                        "act_softsign",
                                        "act_square",
                                        "act_swish",
                                        "act_tanh",
                                        "act_tanhshrink",
                                        "batchnorm_behind_relu",
                                        "batchnorm_between",
                                        "f64_torch",
                                        "flatten",
                                        "logsoftmax",
                                        "matmul_add_op11",
                                        "matmul_add_op13",
                                        "matmul_add_op15",
                                        "matmul_add_op9",
                                        "matmul_bias_first",
                                        "matmul_no_bias",
                                        "opset_10",
                                        "opset_11",
                                        "opset_12",
                                        "opset_14",
                                        "opset_15",
                                        "opset_16",
                                        "opset_17",
                                        "opset_7",
                                        "opset_8",
                                        "opset_9",
                                        "residual",
                                        "softmax",
                                        "wide",
                                        "written_constant_nodes",
                                        "written_f16",
                                        "written_f64",
                                        "written_gelu",
                                        "written_gemm_alpha_beta",
                                        "written_gemm_weight_left",
                                        "written_identity_cast",
                                        "written_initializers_as_inputs",
                                        "written_mish",
                                        "written_shared_weights",
                                        "written_softsign",
                                        "written_typed_data",
                                        "single_layer"};

static void the_forward_pass_gives_the_expected_outputs(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof with_rows / sizeof *with_rows; i++) {
    const nl_span bytes = fixture(with_rows[i], "onnx");
    nl_model *model = opened(bytes);
    table t = fixture_rows(with_rows[i]);
    const size_t in = nl_model_features(model), out = nl_model_results(model);
    if (in + out != t.columns) fail_msg("%s: %zu inputs and %zu outputs", with_rows[i], in, out);
    double *x = columns_of(&t, 0, in), *expected = columns_of(&t, in, out), *y = malloc(t.rows * out * sizeof *y);
    OK(nl_model_forward(model, t.rows, x, y, NULL));
    const double difference = relative_difference(t.rows * out, y, expected);
    if (!(difference <= 1e-6)) fail_msg("%s: outputs differ by %g", with_rows[i], difference);
    free(x), free(expected), free(y), free(t.numbers);
    nl_model_free(model), free((void *)bytes.bytes);
  }
}

static void compression_is_close_in_every_form(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof with_rows / sizeof *with_rows; i++) {
    if (strcmp(with_rows[i], "single_layer") == 0) continue;           // no site
    if (strcmp(with_rows[i], "written_shared_weights") == 0) continue; // below
    const bool half = strcmp(with_rows[i], "written_f16") == 0;
    run r = prepared(fixture(with_rows[i], "onnx"), &(nl_path_options){.seed = 1, .rows = 1024});
    nl_choice at_first;
    size_t widths[16];
    assert_in_range(nl_model_sites(r.model), 1, 16);
    if (nl_path_choose(r.path, (nl_target){NL_TARGET_RETAIN, 0.9}, &at_first, widths, NULL) != NL_OK)
      fail_msg("%s", with_rows[i]);
    nl_result *result = reached(r.path, NL_TARGET_RETAIN, 0.9);
    nl_buffer bytes = {0};
    nl_model *smaller = reopened(result, &bytes);
    const double difference = difference_on_rows(r.model, smaller, 21);
    cJSON *report = report_of(result);
    if (number_at(report, "retained") > 0.9) fail_msg("%s keeps too much", with_rows[i]);
    if (!(difference <= 0.25))
      fail_msg("%s: outputs differ by %g, reported %g", with_rows[i], difference, nl_result_deviation(result));
    written_is_reported(&r, result, half ? 5e-3 : 2e-6);
    cJSON_Delete(report), nl_model_free(smaller), nl_buffer_free(&bytes), nl_result_free(result), run_free(&r);
  }
}

// 5-5-5-5, all layers reading one weight and one bias: each gets its own.
static void layers_that_share_their_weights_are_lumped_apart(void **state) {
  (void)state;
  run r = prepared(fixture("written_shared_weights", "onnx"), &(nl_path_options){.seed = 1, .rows = 1024});
  nl_result *result = reached(r.path, NL_TARGET_EPSILON, 0.5);
  assert_true(width_after(result, 0) < 5 || width_after(result, 1) < 5);
  written_is_reported(&r, result, 2e-6);
  nl_result_free(result), run_free(&r);
}

// ---- what cannot be done ---------------------------------------------------------------------------------------------

static void a_model_without_hidden_layer_says_why_it_has_no_site(void **state) {
  (void)state;
  const nl_span bytes = fixture("single_layer", "onnx");
  nl_model *model = opened(bytes);
  nl_path *path = NULL;
  nl_error error = {0};
  assert_int_equal(nl_path_create(&path, model, &(nl_path_options){.seed = 1}, &error), NL_ERROR_NO_SITE);
  assert_null(path);
  assert_string_equal(error.detail, "output of the model");
  nl_model_free(model), free((void *)bytes.bytes);
}

static void a_model_without_weights_says_so(void **state) {
  (void)state;
  sketch s = sketched(13, 3);
  op(s, "Relu", "x", "y"), output(s, "y", 3);
  const nl_span bytes = built(s);
  nl_model *model = opened(bytes);
  nl_path *path = NULL;
  nl_error error = {0};
  assert_int_equal(nl_path_create(&path, model, &(nl_path_options){.seed = 1}, &error), NL_ERROR_NO_SITE);
  assert_string_equal(error.detail, "The model has no layer with weights");
  nl_model_free(model), free((void *)bytes.bytes);
}

static void a_model_that_a_runtime_runs_wants_the_width_of_a_row(void **state) {
  (void)state;
  const nl_span bytes = fixture("cnn_only", "onnx");
  nl_model *model = opened(bytes);
  nl_path *path = NULL;
  nl_error error = {0};
  double x[1], y[1];
  assert_int_equal(nl_path_create(&path, model, &(nl_path_options){.seed = 1}, &error), NL_ERROR_ARGUMENT);
  assert_string_equal(error.place, "features");
  assert_int_equal(nl_model_forward(model, 0, x, y, NULL), NL_ERROR_UNSUPPORTED);
  nl_model_free(model), free((void *)bytes.bytes);
}

// The number in the message does remove something, and a hundredth less does not.
static void nothing_at_epsilon_names_the_tolerance_that_removes_something(void **state) {
  (void)state;
  chain c = random_chain(16, "Tanh", 3, (size_t[]){4, 8, 6, 2});
  run r = prepared_chain(&c);
  nl_result *result;
  nl_error error;
  assert_int_equal(try_target(&result, r.path, NL_TARGET_EPSILON, 1e-5, &error), NL_ERROR_NOTHING_AT);
  assert_string_equal(error.place, "0.00001");
  const char *number = strpbrk(error.detail, "0123456789");
  assert_non_null(number);
  const double first = strtod(number, NULL);
  assert_true(first > 1e-5);
  assert_int_equal(try_target(&result, r.path, NL_TARGET_EPSILON, first * 0.98, &error), NL_ERROR_NOTHING_AT);
  result = reached(r.path, NL_TARGET_EPSILON, first);
  nl_result_free(result), run_free(&r);
}

static void a_share_below_the_smallest_network_is_unreachable(void **state) {
  (void)state;
  run r = wide_relu();
  nl_result *result;
  nl_error error;
  assert_int_equal(try_target(&result, r.path, NL_TARGET_RETAIN, 0.01, &error), NL_ERROR_UNREACHABLE);
  // 4-1-1-2 has 4+1 + 1+1 + 2+2 of 4-24-16-2's 24*5 + 16*25 + 2*17
  const char *number = strpbrk(error.detail, "0123456789");
  assert_non_null(number);
  assert_near(strtod(number, NULL), 100.0 * 11 / 554, 0.01);
  run_free(&r);
}

// Copies go for nothing, but rounding leaves a deviation above 0: the target asks for less than any removal leaves.
static void a_deviation_below_rounding_is_an_error_or_met(void **state) {
  (void)state;
  chain c = random_chain(11, "Tanh", 2, (size_t[]){3, 8, 2});
  copy_unit(&c, 0, 1, 6, 1);
  run r = prepared_chain(&c);
  nl_result *result;
  nl_error error;
  const nl_status status = try_target(&result, r.path, NL_TARGET_DEVIATION, 0, &error);
  if (status == NL_OK)
    assert_true(nl_result_deviation(result) <= 0);
  else {
    assert_int_equal(status, NL_ERROR_UNREACHABLE);
    assert_null(strstr(error.detail, "nan")), assert_null(strstr(error.detail, "inf")),
        assert_null(strstr(error.detail, "NaN"));
    assert_true(error.detail[0] != '\0');
  }
  nl_result_free(result), run_free(&r);
}

static void weights_that_are_not_numbers_are_named(void **state) {
  (void)state;
  for (int which = 0; which < 3; which++) {
    chain c = random_chain(12, "Tanh", 2, (size_t[]){3, 8, 2});
    if (which == 0) c.weights[0][5] = NAN;
    if (which == 1) c.weights[1][3] = INFINITY;
    if (which == 2) c.bias[0][7] = -INFINITY;
    const nl_span bytes = chain_bytes(&c);
    nl_model *model = opened(bytes);
    nl_path *path = NULL;
    nl_error error = {0};
    assert_int_equal(nl_path_create(&path, model, &(nl_path_options){.seed = 1}, &error), NL_ERROR_NOT_FINITE);
    assert_string_equal(error.place, which == 0 ? "w0" : which == 1 ? "w1" : "b0");
    assert_null(path);
    nl_model_free(model), free((void *)bytes.bytes), chain_free(&c);
  }
}

static void activations_that_overflow_are_an_error(void **state) {
  (void)state;
  sketch s = sketched(13, 2);
  noise(s, "w", 1, 6, 2), noise(s, "v", 2, 1, 6);
  tensor(s, "u", 2, (int64_t[]){1, 6}, (double[]){1, 1, 1, 1, 1, 1});
  gemm(s, "x w v", "z"), op(s, "Exp", "z", "e"), op(s, "Exp", "e", "f"), op(s, "Exp", "f", "g"), gemm(s, "g u", "y");
  output(s, "y", 1);
  const nl_span bytes = built(s);
  nl_model *model = opened(bytes);
  nl_path *path = NULL;
  nl_error error = {0};
  OK(nl_path_create(&path, model, &(nl_path_options){.seed = 1, .spread = (double[]){9, 9}}, &error));
  assert_int_equal(stepped_path(path, &error), NL_ERROR_NOT_FINITE);
  nl_path_free(path), nl_model_free(model), free((void *)bytes.bytes);
}

// z^512 of the row with the largest z is all of the second moments: by those each unit is a combination of the others. What reads
// them is bounded, so that every row counts in the outputs.
static void what_only_looks_exact_is_refused_at_epsilon_zero(void **state) {
  (void)state;
  static const char *const powers[] = {"z", "a", "b", "c", "d", "e", "f", "g", "h", "i"};
  sketch s = sketched(14, 3);
  double w[18]; // so that the largest z is some 1.5
  for (size_t i = 0; i < 18; i++) w[i] = 0.3 * cos(1.7 * (double)i);
  tensor(s, "w", 2, (int64_t[]){6, 3}, w), noise(s, "v", 2, 2, 6), noise(s, "u", 3, 2, 2);
  gemm(s, "x w", "z");
  for (size_t i = 0; i < 9; i++) {
    char twice[8];
    snprintf(twice, sizeof twice, "%s %s", powers[i], powers[i]);
    op(s, "Mul", twice, powers[i + 1]);
  }
  gemm(s, "i v", "j"), op(s, "Tanh", "j", "k"), gemm(s, "k u", "y");
  output(s, "y", 2);
  run r = prepared(built(s), &(nl_path_options){.seed = 1, .rows = 2048});
  nl_choice choice;
  nl_result *result;
  nl_error error;
  OK(nl_path_choose(r.path, (nl_target){NL_TARGET_EPSILON, 0}, &choice, NULL, NULL));
  assert_true(choice.retained < 1); // it looks it
  assert_int_equal(try_target(&result, r.path, NL_TARGET_EPSILON, 0, &error), NL_ERROR_UNREACHABLE);
  assert_non_null(strstr(error.detail, "look like exact"));
  run_free(&r);
}

static void rows_that_are_not_numbers_are_named_by_row(void **state) {
  (void)state;
  chain c = random_chain(13, "Tanh", 2, (size_t[]){3, 8, 2});
  const nl_span bytes = chain_bytes(&c);
  nl_model *model = opened(bytes);
  double *x = random_numbers(1, 30, 1);
  x[3 * 6 + 1] = NAN;
  nl_path *path = NULL;
  nl_error error = {0};
  const nl_path_options options = {.seed = 1, .data = x, .data_rows = 10};
  assert_int_equal(nl_path_create(&path, model, &options, &error), NL_ERROR_NOT_FINITE);
  assert_int_equal(error.found, 7);
  error = (nl_error){0};
  assert_int_equal(nl_path_create(&path, model, &(nl_path_options){.data = x}, &error), NL_ERROR_DATA);
  assert_null(path);
  free(x), nl_model_free(model), free((void *)bytes.bytes), chain_free(&c);
}

static void choosing_before_the_path_is_complete_is_an_error(void **state) {
  (void)state;
  chain c = random_chain(14, "Tanh", 2, (size_t[]){3, 8, 2});
  const nl_span bytes = chain_bytes(&c);
  nl_model *model = opened(bytes);
  nl_path *path = NULL;
  OK(nl_path_create(&path, model, &(nl_path_options){.seed = 1}, NULL));
  nl_choice choice;
  assert_int_equal(nl_path_choose(path, (nl_target){NL_TARGET_EPSILON, 0.1}, &choice, NULL, NULL), NL_ERROR_ARGUMENT);
  OK(stepped_path(path, NULL));
  assert_int_equal(nl_path_choose(path, (nl_target){NL_TARGET_EPSILON, -1}, &choice, NULL, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_path_choose(path, (nl_target){NL_TARGET_EPSILON, NAN}, &choice, NULL, NULL), NL_ERROR_ARGUMENT);
  nl_path_free(path), nl_model_free(model), free((void *)bytes.bytes), chain_free(&c);
}

static void few_rows_of_data_still_give_a_path(void **state) {
  (void)state;
  chain c = random_chain(15, "Relu", 3, (size_t[]){3, 20, 12, 2});
  double *x = random_numbers(3, 3 * 2, 1);
  run r = prepared(chain_bytes(&c), &(nl_path_options){.seed = 1, .data = x, .data_rows = 2});
  nl_result *result = reached(r.path, NL_TARGET_RETAIN, 0.5);
  written_is_reported(&r, result, 1e-6);
  nl_result_free(result), run_free(&r), chain_free(&c), free(x);
}

static void a_box_is_the_measure_where_it_is_given(void **state) {
  (void)state;
  const double low[] = {-1, 0, 0}, high[] = {1, 2, 0.5}, wrong[] = {-2, 3, 1};
  chain c = random_chain(15, "Relu", 3, (size_t[]){3, 20, 12, 2});
  run r = prepared(chain_bytes(&c), &(nl_path_options){.seed = 1, .rows = 2048, .low = low, .high = high});
  nl_result *result = reached(r.path, NL_TARGET_RETAIN, 0.5);
  cJSON *report = report_of(result);
  assert_string_equal(text_at(report, "measure.kind"), "box");
  written_is_reported(&r, result, 1e-6);
  nl_path *path = NULL;
  assert_int_equal(nl_path_create(&path, r.model, &(nl_path_options){.low = low}, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_path_create(&path, r.model, &(nl_path_options){.low = low, .high = wrong}, NULL),
                   NL_ERROR_ARGUMENT);
  cJSON_Delete(report), nl_result_free(result), run_free(&r), chain_free(&c);
}

// Two layers on x, or on (x - m) / s.
static run two_layers(bool normalised) {
  sketch s = sketched(13, 3);
  noise(s, "w0", 91, 16, 3), noise(s, "b0", 92, 1, 16), noise(s, "w1", 93, 2, 16), noise(s, "b1", 94, 1, 2);
  tensor(s, "m", 1, (int64_t[]){3}, (double[]){5, -40, 0});
  tensor(s, "s", 1, (int64_t[]){3}, (double[]){2, 8, 0.25});
  if (normalised) op(s, "Sub", "x m", "c"), op(s, "Div", "c s", "n");
  gemm(s, normalised ? "n w0 b0" : "x w0 b0", "z0"), op(s, "Tanh", "z0", "a0"), gemm(s, "a0 w1 b1", "y");
  output(s, "y", 2);
  return prepared(built(s), &(nl_path_options){.seed = 1, .rows = 1024});
}

static void a_normalisation_at_the_start_sets_the_measure(void **state) {
  (void)state;
  run plain = two_layers(false), normalised = two_layers(true);
  nl_result *a = reached(plain.path, NL_TARGET_RETAIN, 0.5), *b = reached(normalised.path, NL_TARGET_RETAIN, 0.5);
  cJSON *one = report_of(a), *two = report_of(b);
  const double first = number_at(one, "sites.0.deviation");
  assert_near(number_at(two, "sites.0.deviation"), first, 1e-5 * first);
  assert_near(nl_result_deviation(b), nl_result_deviation(a), 1e-5 * nl_result_deviation(a));
  cJSON_Delete(one), cJSON_Delete(two), nl_result_free(a), nl_result_free(b), run_free(&plain), run_free(&normalised);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copied_neurons_go_at_epsilon_zero),
      cmocka_unit_test(scaled_relu_neurons_go),
      cmocka_unit_test(sign_flipped_tanh_neurons_go_at_epsilon_zero),
      cmocka_unit_test(dead_and_constant_neurons_go_at_epsilon_zero),
      cmocka_unit_test(a_network_without_repetition_keeps_all_at_epsilon_zero),
      cmocka_unit_test(the_padded_fixtures_come_back_to_their_widths),
      cmocka_unit_test(a_larger_epsilon_never_keeps_more),
      cmocka_unit_test(every_site_stays_within_epsilon_and_goes_as_far_as_that),
      cmocka_unit_test(retain_never_exceeds_the_share_asked_for),
      cmocka_unit_test(what_is_counted_is_what_is_written),
      cmocka_unit_test(retain_of_everything_writes_the_very_bytes),
      cmocka_unit_test(a_deviation_target_is_met_and_used),
      cmocka_unit_test(the_written_model_is_the_reported_one),
      cmocka_unit_test(the_reported_deviation_is_the_one_on_the_given_rows),
      cmocka_unit_test(the_same_seed_gives_the_same_bytes),
      cmocka_unit_test(one_path_serves_many_results_in_any_order),
      cmocka_unit_test(the_report_says_what_was_done),
      cmocka_unit_test(lumping_the_lumped_model_again_is_known_and_works),
      cmocka_unit_test(json_in_gives_json_out_with_the_same_function),
      cmocka_unit_test(the_forward_pass_gives_the_expected_outputs),
      cmocka_unit_test(compression_is_close_in_every_form),
      cmocka_unit_test(layers_that_share_their_weights_are_lumped_apart),
      cmocka_unit_test(a_model_without_hidden_layer_says_why_it_has_no_site),
      cmocka_unit_test(a_model_without_weights_says_so),
      cmocka_unit_test(a_model_that_a_runtime_runs_wants_the_width_of_a_row),
      cmocka_unit_test(nothing_at_epsilon_names_the_tolerance_that_removes_something),
      cmocka_unit_test(a_share_below_the_smallest_network_is_unreachable),
      cmocka_unit_test(a_deviation_below_rounding_is_an_error_or_met),
      cmocka_unit_test(weights_that_are_not_numbers_are_named),
      cmocka_unit_test(activations_that_overflow_are_an_error),
      cmocka_unit_test(what_only_looks_exact_is_refused_at_epsilon_zero),
      cmocka_unit_test(rows_that_are_not_numbers_are_named_by_row),
      cmocka_unit_test(choosing_before_the_path_is_complete_is_an_error),
      cmocka_unit_test(few_rows_of_data_still_give_a_path),
      cmocka_unit_test(a_box_is_the_measure_where_it_is_given),
      cmocka_unit_test(a_normalisation_at_the_start_sets_the_measure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
