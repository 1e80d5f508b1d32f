// Every method through the whole pipeline: what each promises whatever it is.
#include "models.h"

enum { METHODS = NL_METHOD_RANDOM + 1, ROWS = 300, FEATURES = 4, RESULTS = 2 };

static bool prunes(size_t method) { return method >= NL_METHOD_MAGNITUDE && method <= NL_METHOD_WANDA; }
static bool knows_tolerance(size_t method) { return !prunes(method) && method != NL_METHOD_NORM; }

typedef struct run {
  chain chain;
  nl_span bytes;
  double *x;
  nl_model *model;
  nl_path *path;
} run;

static run prepared(const char *activation) {
  run r = {.chain = random_chain(3, activation, 3, (size_t[]){FEATURES, 14, 12, RESULTS}),
           .x = random_numbers(5, ROWS * FEATURES, 1)};
  r.bytes = chain_bytes(&r.chain);
  r.model = opened(r.bytes);
  r.path = walked(r.model, &(nl_path_options){.seed = 1, .data = r.x, .data_rows = ROWS});
  return r;
}
static void run_free(run *r) {
  nl_path_free(r->path), nl_model_free(r->model), chain_free(&r->chain), free((void *)r->bytes.bytes), free(r->x);
}

// RMS(f' - f) / RMS(f - E f) of the written file over the rows of the measure
static double written_deviation(const run *r, const nl_result *result, size_t *zeros) {
  nl_buffer bytes = {0};
  OK(nl_result_write(result, &bytes, NULL));
  nl_model *smaller = opened(span_of(&bytes));
  double y[ROWS * RESULTS], z[ROWS * RESULTS], difference = 0, variance = 0;
  OK(nl_model_forward(r->model, ROWS, r->x, y, NULL));
  OK(nl_model_forward(smaller, ROWS, r->x, z, NULL));
  for (size_t o = 0; o < RESULTS; o++) {
    double mean = 0;
    for (size_t i = 0; i < ROWS; i++) mean += y[RESULTS * i + o] / ROWS;
    for (size_t i = 0; i < ROWS; i++) {
      const double d = z[RESULTS * i + o] - y[RESULTS * i + o], v = y[RESULTS * i + o] - mean;
      difference += d * d, variance += v * v;
    }
  }
  nl_graph *graph = read_bytes(span_of(&bytes));
  *zeros = 0;
  for (size_t t = 0; t < graph->tensor_count; t++) {
    double *values = malloc((graph->tensors[t].count + 1) * sizeof *values);
    OK(nl_tensor_read(&graph->tensors[t], values, NULL));
    for (size_t i = 0; graph->tensors[t].rank > 1 && i < graph->tensors[t].count; i++) *zeros += values[i] == 0;
    free(values);
  }
  nl_graph_free(graph), nl_model_free(smaller), nl_buffer_free(&bytes);
  return sqrt(difference / variance);
}

static void every_method_keeps_at_most_the_share_and_reports_what_it_wrote(void **state) {
  (void)state;
  run r = prepared("Tanh");
  for (size_t method = 0; method < METHODS; method++)
    for (double share = 0.3; share < 1; share += 0.3) {
      size_t zeros = 0;
      nl_result *result = reached_by(r.path, NL_TARGET_RETAIN, share, (nl_result_options){.method = (nl_method)method});
      cJSON *report = report_of(result);
      assert_true(number_at(report, "retained") <= share);
      assert_near(written_deviation(&r, result, &zeros), nl_result_deviation(result), 1e-5);
      const double whole = number_at(report, "parameters.before"), left = number_at(report, "parameters.after");
      if (prunes(method)) {
        assert_int_equal(zeros, whole - left);
        assert_true(left >= share * whole - 1); // pruning reaches any share to the weight
        assert_int_equal(number_at(report, "sites.0.after"), 14);
      } else
        assert_int_equal(zeros, 0);
      assert_true(cJSON_IsNull(at(report, "epsilon")) == !knows_tolerance(method));
      assert_true(cJSON_IsNull(at(report, "polish")));
      cJSON_Delete(report), nl_result_free(result);
    }
  run_free(&r);
}

static void a_path_without_order_serves_the_methods_that_have_one_of_their_own(void **state) {
  (void)state;
  run r = prepared("Tanh");
  nl_path *bare = NULL;
  OK(nl_path_create(&bare, r.model, &(nl_path_options){.seed = 1, .data = r.x, .data_rows = ROWS}, NULL));
  for (size_t method = 0; method < METHODS; method++) {
    const nl_result_options options = {.method = (nl_method)method};
    nl_result *result = NULL;
    nl_error error;
    const nl_status status = try_options(&result, bare, NL_TARGET_RETAIN, 0.5, &options, &error);
    if (method == NL_METHOD_PROJECTED || method == NL_METHOD_RANDOM) {
      assert_int_equal(status, NL_ERROR_ARGUMENT);
      continue;
    }
    OK(status);
    nl_result *same = reached_by(r.path, NL_TARGET_RETAIN, 0.5, options);
    nl_buffer one = {0}, other = {0};
    OK(nl_result_write(result, &one, NULL));
    OK(nl_result_write(same, &other, NULL));
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.bytes, other.bytes, one.size);
    nl_buffer_free(&one), nl_buffer_free(&other), nl_result_free(result), nl_result_free(same);
  }
  nl_path_free(bare);
  run_free(&r);
}

static void a_deviation_target_is_met_by_every_method_or_refused(void **state) {
  (void)state;
  run r = prepared("Tanh");
  for (size_t method = 0; method < METHODS; method++)
    for (double most = 0.05; most < 1; most *= 4) {
      nl_result *result = NULL;
      nl_error error;
      const nl_result_options options = {.method = (nl_method)method};
      const nl_status status = try_options(&result, r.path, NL_TARGET_DEVIATION, most, &options, &error);
      if (status == NL_OK)
        assert_true(nl_result_deviation(result) <= most);
      else
        assert_int_equal(status, NL_ERROR_UNREACHABLE);
      // weights that hardly count there always are
      if (prunes(method) && most > 0.1) assert_int_equal(status, NL_OK);
      nl_result_free(result);
    }
  run_free(&r);
}

static void a_tolerance_is_refused_where_the_method_knows_none(void **state) {
  (void)state;
  run r = prepared("Tanh");
  for (size_t method = 0; method < METHODS; method++) {
    nl_result *result = NULL;
    nl_error error;
    const nl_result_options options = {.method = (nl_method)method};
    const nl_status status = try_options(&result, r.path, NL_TARGET_EPSILON, 100, &options, &error);
    assert_int_equal(status, knows_tolerance(method) ? NL_OK : NL_ERROR_ARGUMENT);
    nl_result_free(result);
  }
  run_free(&r);
}

static void what_a_partition_needs_first_is_named_where_nothing_goes(void **state) {
  (void)state;
  run r = prepared("Tanh");
  for (size_t method = NL_METHOD_PARTITION; method <= NL_METHOD_FORWARD; method++) {
    nl_result *result = NULL;
    nl_error error;
    const nl_result_options options = {.method = (nl_method)method};
    assert_int_equal(try_options(&result, r.path, NL_TARGET_EPSILON, 1e-6, &options, &error), NL_ERROR_NOTHING_AT);
    const char *number = strstr(error.detail, "= ");
    assert_non_null(number);
    const double first = atof(number + 2);
    assert_true(first > 1e-6);
    nl_result_free(reached_by(r.path, NL_TARGET_EPSILON, first, options));
    assert_int_equal(try_options(&result, r.path, NL_TARGET_EPSILON, 0.97 * first, &options, &error),
                     NL_ERROR_NOTHING_AT);
  }
  run_free(&r);
}

static void the_polish_brings_every_method_nearer(void **state) {
  (void)state;
  run r = prepared("Tanh");
  for (size_t method = 0; method < METHODS; method++) {
    size_t zeros = 0, polished_zeros = 0;
    nl_result_options options = {.method = (nl_method)method};
    nl_result *plain = reached_by(r.path, NL_TARGET_RETAIN, 0.4, options);
    options.polish = true;
    nl_result *polished = reached_by(r.path, NL_TARGET_RETAIN, 0.4, options);
    cJSON *report = report_of(polished);
    assert_true(nl_result_deviation(polished) < 0.7 * nl_result_deviation(plain));
    assert_true(number_at(report, "polish.after") < number_at(report, "polish.before"));
    assert_true(number_at(report, "polish.iterations") > 0);
    assert_near(written_deviation(&r, polished, &polished_zeros), nl_result_deviation(polished), 1e-5);
    written_deviation(&r, plain, &zeros);
    assert_int_equal(polished_zeros, zeros); // what is pruned stays so
    cJSON_Delete(report), nl_result_free(plain), nl_result_free(polished);
  }
  run_free(&r);
}

static void the_polish_leaves_tolerance_0_exact(void **state) {
  (void)state;
  run r = prepared("Relu");
  chain c = random_chain(4, "Relu", 3, (size_t[]){FEATURES, 14, 12, RESULTS});
  copy_unit(&c, 0, 2, 5, 1);
  const nl_span bytes = chain_bytes(&c);
  nl_model *model = opened(bytes);
  nl_path *path = walked(model, &(nl_path_options){.seed = 1, .rows = 512});
  nl_result *result = reached_by(path, NL_TARGET_EPSILON, 0, (nl_result_options){.polish = true});
  cJSON *report = report_of(result);
  assert_true(cJSON_IsNull(at(report, "polish")));
  assert_true(nl_result_deviation(result) < 1e-6);
  cJSON_Delete(report), nl_result_free(result), nl_path_free(path), nl_model_free(model), chain_free(&c);
  free((void *)bytes.bytes), run_free(&r);
}

static void random_has_the_widths_of_projected(void **state) {
  (void)state;
  run r = prepared("Tanh");
  nl_result *projected = reached(r.path, NL_TARGET_RETAIN, 0.4);
  nl_result *random = reached_by(r.path, NL_TARGET_RETAIN, 0.4, (nl_result_options){.method = NL_METHOD_RANDOM});
  cJSON *a = report_of(projected), *b = report_of(random);
  assert_true(number_at(a, "sites.0.after") == number_at(b, "sites.0.after"));
  assert_true(number_at(a, "sites.1.after") == number_at(b, "sites.1.after"));
  assert_true(nl_result_deviation(random) > 2 * nl_result_deviation(projected));
  cJSON_Delete(a), cJSON_Delete(b), nl_result_free(projected), nl_result_free(random), run_free(&r);
}

static void a_model_that_is_no_chain_is_named_as_such(void **state) {
  (void)state;
  sketch s = sketched(13, 3);
  noise(s, "w", 1, 6, 3), noise(s, "v", 2, 6, 3), noise(s, "u", 3, 2, 6);
  gemm(s, "x w", "z"), op(s, "Tanh", "z", "a");
  gemm(s, "x v", "zz"), op(s, "Tanh", "zz", "b");
  op(s, "Add", "a b", "c"), gemm(s, "c u", "y"), output(s, "y", 2);
  const nl_span bytes = built(s);
  nl_model *model = opened(bytes);
  nl_path *path = walked(model, &(nl_path_options){.seed = 1, .rows = 512});
  nl_result *result = NULL;
  nl_error error;
  const nl_result_options adjoint = {.method = NL_METHOD_ADJOINT}, wanda = {.method = NL_METHOD_WANDA};
  assert_int_equal(try_options(&result, path, NL_TARGET_RETAIN, 0.5, &adjoint, &error), NL_ERROR_UNSUPPORTED);
  assert_string_equal(error.place, "zz");
  nl_result_free(reached_by(path, NL_TARGET_RETAIN, 0.5, wanda));
  nl_buffer json = {0}, weights = {0};
  OK(nl_model_weights(model, 1, &json, &weights, NULL));
  cJSON *whose = parsed(&json);
  assert_true(cJSON_IsNull(at(whose, "from"))); // beside the first layer, not behind it
  cJSON_Delete(whose), nl_buffer_free(&weights);
  nl_path_free(path), nl_model_free(model), free((void *)bytes.bytes);
}

static cJSON *lumping_of(const nl_result *result, size_t site) {
  nl_buffer json = {0};
  OK(nl_result_lumping(result, site, &json, NULL));
  return parsed(&json);
}
static double item(const cJSON *array, size_t index) { return cJSON_GetArrayItem(array, (int)index)->valuedouble; }

static void each_neuron_of_a_lumping_belongs_to_one_that_stays_and_those_to_themselves(void **state) {
  (void)state;
  run r = prepared("Tanh");
  for (size_t method = 0; method < METHODS; method++) {
    nl_result *result = reached_by(r.path, NL_TARGET_RETAIN, 0.5, (nl_result_options){.method = (nl_method)method});
    cJSON *report = report_of(result);
    for (size_t site = 0; site < 2; site++) {
      cJSON *lumping = lumping_of(result, site);
      const cJSON *kept = at(lumping, "kept"), *blocks = at(lumping, "blocks");
      const size_t before = (size_t)number_at(lumping, "before"), after = (size_t)number_at(lumping, "after");
      assert_int_equal(cJSON_GetArraySize(blocks), before);
      assert_true(cJSON_Compare(kept, at(report, site == 0 ? "sites.0.kept" : "sites.1.kept"), true));
      for (size_t j = 0; j < after; j++) assert_int_equal(item(blocks, (size_t)item(kept, j)), j);
      size_t homeless = 0;
      for (size_t u = 0; u < before; u++) {
        const cJSON *block = cJSON_GetArrayItem(blocks, (int)u);
        homeless += cJSON_IsNull(block) ? 1 : 0;
        assert_true(cJSON_IsNull(block) || (block->valuedouble >= 0 && block->valuedouble < (double)after));
      }
      assert_int_equal(homeless, method == NL_METHOD_NORM ? before - after : 0);
      cJSON_Delete(lumping);
    }
    cJSON_Delete(report), nl_result_free(result);
  }
  run_free(&r);
}

// Unit 9 is minus unit 2, unit 5 puts out a constant.
static void a_copy_belongs_to_what_it_copies_and_a_constant_to_nothing(void **state) {
  (void)state;
  run r = {.chain = random_chain(3, "Tanh", 2, (size_t[]){FEATURES, 14, RESULTS}),
           .x = random_numbers(5, ROWS * FEATURES, 1)};
  copy_unit(&r.chain, 0, 2, 9, -1), silence_unit(&r.chain, 0, 5, 0.5);
  r.bytes = chain_bytes(&r.chain);
  r.model = opened(r.bytes);
  r.path = walked(r.model, &(nl_path_options){.seed = 1, .data = r.x, .data_rows = ROWS});
  const nl_method methods[] = {NL_METHOD_PROJECTED, NL_METHOD_SYMMETRIC};
  for (size_t m = 0; m < 2; m++) {
    nl_result *result = reached_by(r.path, NL_TARGET_EPSILON, 0, (nl_result_options){.method = methods[m]});
    cJSON *lumping = lumping_of(result, 0);
    const cJSON *blocks = at(lumping, "blocks");
    assert_int_equal(number_at(lumping, "after"), 12);
    assert_int_equal(item(blocks, 9), item(blocks, 2));
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(blocks, 5)));
    assert_near(item(at(lumping, "offset"), 5), tanh(0.5), 1e-6);
    const double p9 = item(cJSON_GetArrayItem(at(lumping, "prolongation"), 9), (size_t)item(blocks, 9));
    const double p2 = item(cJSON_GetArrayItem(at(lumping, "prolongation"), 2), (size_t)item(blocks, 2));
    assert_near(p9, -p2, 1e-6);
    cJSON_Delete(lumping), nl_result_free(result);
  }
  run_free(&r);
}

static void weights_are_the_layer_s_own_and_say_whose_outputs_they_read(void **state) {
  (void)state;
  run r = prepared("Tanh");
  nl_buffer json = {0}, bytes = {0};
  nl_error error = {0};
  for (size_t layer = 0; layer < 3; layer++) {
    json.size = bytes.size = 0;
    OK(nl_model_weights(r.model, layer, &json, &bytes, NULL));
    cJSON *whose = parsed(&json);
    json = (nl_buffer){0};
    const size_t numbers = r.chain.widths[layer] * r.chain.widths[layer + 1];
    assert_int_equal(number_at(whose, "width"), r.chain.widths[layer + 1]);
    assert_int_equal(number_at(whose, "reads"), r.chain.widths[layer]);
    assert_true(layer == 0 ? cJSON_IsNull(at(whose, "from")) : number_at(whose, "from") == (double)(layer - 1));
    assert_int_equal(bytes.size, numbers * sizeof(double));
    assert_memory_equal(bytes.bytes, r.chain.weights[layer], bytes.size);
    cJSON_Delete(whose);
  }
  assert_int_equal(nl_model_weights(r.model, 3, &json, &bytes, &error), NL_ERROR_ARGUMENT);
  nl_buffer_free(&json), nl_buffer_free(&bytes);
  run_free(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_method_keeps_at_most_the_share_and_reports_what_it_wrote),
      cmocka_unit_test(a_path_without_order_serves_the_methods_that_have_one_of_their_own),
      cmocka_unit_test(a_deviation_target_is_met_by_every_method_or_refused),
      cmocka_unit_test(a_tolerance_is_refused_where_the_method_knows_none),
      cmocka_unit_test(what_a_partition_needs_first_is_named_where_nothing_goes),
      cmocka_unit_test(the_polish_brings_every_method_nearer),
      cmocka_unit_test(the_polish_leaves_tolerance_0_exact),
      cmocka_unit_test(random_has_the_widths_of_projected),
      cmocka_unit_test(a_model_that_is_no_chain_is_named_as_such),
      cmocka_unit_test(each_neuron_of_a_lumping_belongs_to_one_that_stays_and_those_to_themselves),
      cmocka_unit_test(a_copy_belongs_to_what_it_copies_and_a_constant_to_nothing),
      cmocka_unit_test(weights_are_the_layer_s_own_and_say_whose_outputs_they_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
