// What the graph is understood as: steps, groups, sites, and the reason where a layer is none.
#include "network.h"

#include "models.h"
#include "site.h"

// ---- a graph, its network and sites ----------------------------------------------------------------------------------

typedef struct view {
  nl_span bytes;
  nl_graph *graph;
  nl_network *network;
  nl_arena arena;
  nl_sites sites;
} view;

static view viewed(nl_span bytes) {
  view v = {.bytes = bytes, .graph = read_bytes(bytes)};
  nl_error error = {0};
  assert_fine(nl_network_create(&v.network, v.graph, &error), &error);
  OK(nl_sites_find(&v.sites, v.network, &v.arena, NULL));
  return v;
}
static view seen(sketch s) { return viewed(built(s)); }
static void view_free(view *v) {
  nl_arena_free(&v->arena), nl_network_free(v->network), nl_graph_free(v->graph), free((void *)v->bytes.bytes);
}

static size_t step_named(const view *v, const char *value) {
  const size_t index = value_named(v->graph, value);
  assert_true(index != NL_NONE && v->network->step_of[index] != NL_NONE);
  return v->network->step_of[index];
}

// The site of a value, NL_NONE where it belongs to none.
static size_t site_named(const view *v, const char *value) { return v->sites.site_of[step_named(v, value)]; }

static void assert_reason(const view *v, const char *value, const char *expected) {
  const nl_group *group = &v->network->groups[v->network->group_of[step_named(v, value)]];
  nl_buffer sentence = {0};
  assert_int_equal(site_named(v, value), NL_NONE);
  OK(nl_reason_sentence(v->graph, group->reason, group->reason_node, &sentence, NULL));
  assert_span(span_of(&sentence), expected);
  nl_buffer_free(&sentence);
}

// The whole: forward pass against `expected` (rows, results), and a smaller model that is close and has the widths it says.
static void assert_computes(nl_span bytes, size_t rows, const double *x, const double *expected) {
  nl_model *model = opened(bytes);
  double y[256];
  OK(nl_model_forward(model, rows, x, y, NULL));
  const double difference = relative_difference(rows * nl_model_results(model), y, expected);
  if (!(difference <= 1e-12)) fail_msg("outputs differ by %g", difference);
  nl_model_free(model);
}

// Half the parameters: writes, reads back and computes what the result says.
static void assert_lumps(nl_span bytes) {
  nl_model *model = opened(bytes);
  nl_path *path = walked(model, &(nl_path_options){.seed = 1, .rows = 256});
  nl_result *result = reached(path, NL_TARGET_EPSILON, 0.6);
  nl_buffer written = {0};
  OK(nl_result_write(result, &written, NULL));
  nl_model *smaller = opened(span_of(&written));
  cJSON *report = report_of(result);
  assert_true(number_at(report, "parameters.after") < number_at(report, "parameters.before"));
  nl_choice choice; // never promises less than the file has
  OK(nl_path_choose(path, (nl_target){NL_TARGET_EPSILON, 0.6}, &choice, NULL, NULL));
  assert_true(choice.parameters >= (size_t)number_at(report, "parameters.after"));
  double *x = random_numbers(5, 8 * nl_model_features(model), 1), y[256], z[256];
  OK(nl_result_forward(result, 8, x, y, NULL));
  OK(nl_model_forward(smaller, 8, x, z, NULL));
  const double difference = relative_difference(8 * nl_model_results(model), z, y);
  if (!(difference <= 2e-6)) fail_msg("file and result differ by %g", difference);
  free(x), cJSON_Delete(report), nl_model_free(smaller), nl_buffer_free(&written);
  nl_result_free(result), nl_path_free(path), nl_model_free(model);
}

// ---- dense layers in every orientation -------------------------------------------------------------------------------

enum { IN = 3, HIDDEN = 6, OUT = 2, ROWS = 4 };

typedef struct two_layers {
  double w1[HIDDEN * IN], b1[HIDDEN], w2[OUT * HIDDEN], b2[OUT], x[ROWS * IN], y[ROWS * OUT];
} two_layers;

// y = W2 tanh(W1 x + b1) + b2, by plain loops
static two_layers reference(void) {
  two_layers t;
  double *numbers = random_numbers(77, sizeof t / sizeof(double), 0.7);
  memcpy(&t, numbers, sizeof t);
  free(numbers);
  for (size_t r = 0; r < ROWS; r++) {
    for (size_t o = 0; o < OUT; o++) t.y[r * OUT + o] = t.b2[o];
    for (size_t h = 0; h < HIDDEN; h++) {
      double z = t.b1[h];
      for (size_t i = 0; i < IN; i++) z += t.w1[h * IN + i] * t.x[r * IN + i];
      for (size_t o = 0; o < OUT; o++) t.y[r * OUT + o] += t.w2[o * HIDDEN + h] * tanh(z);
    }
  }
  return t;
}

static void put(sketch s, const char *name, size_t rows, size_t columns, const double *w, bool turned, double by) {
  double values[64];
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) values[turned ? c * rows + r : r * columns + c] = w[r * columns + c] * by;
  tensor(s, name, 2, (int64_t[]){(int64_t)(turned ? columns : rows), (int64_t)(turned ? rows : columns)}, values);
}

static void gemm_with(sketch s, const char *inputs, const char *name, int64_t a, int64_t b, double alpha, double beta) {
  op_with(s, "Gemm", inputs, name, 2, (const char *const[]){"transA", "transB"}, (int64_t[]){a, b}, 2,
          (const char *const[]){"alpha", "beta"}, (double[]){alpha, beta});
}

static void assert_one_site(nl_span bytes, const two_layers *t) {
  view v = viewed(exact(bytes));
  assert_int_equal(v.sites.count, 1), assert_int_equal(v.sites.sites[0].width, HIDDEN);
  assert_int_equal(v.sites.sites[0].consumer_count, 1);
  assert_computes(bytes, ROWS, t->x, t->y);
  assert_lumps(bytes);
  view_free(&v);
  free((void *)bytes.bytes);
}

static void gemm_is_read_with_every_trans_b_alpha_and_beta(void **state) {
  (void)state;
  const two_layers t = reference();
  for (int b = 0; b < 2; b++)
    for (int k = 0; k < 2; k++) {
      const double alpha = k == 0 ? 1 : 0.5, beta = k == 0 ? 1 : -4;
      double b1[HIDDEN], b2[OUT];
      for (size_t i = 0; i < HIDDEN; i++) b1[i] = t.b1[i] / beta;
      for (size_t i = 0; i < OUT; i++) b2[i] = t.b2[i] / beta;
      sketch s = sketched(13, IN);
      put(s, "w1", HIDDEN, IN, t.w1, b == 0, 1 / alpha), put(s, "w2", OUT, HIDDEN, t.w2, b == 0, 1 / alpha);
      tensor(s, "b1", 1, (int64_t[]){HIDDEN}, b1), tensor(s, "b2", 2, (int64_t[]){1, OUT}, b2);
      gemm_with(s, "x w1 b1", "z", 0, b, alpha, beta), op(s, "Tanh", "z", "a"),
          gemm_with(s, "a w2 b2", "y", 0, b, alpha, beta);
      output(s, "y", OUT);
      assert_one_site(built(s), &t);
    }
}

// Z = W1 Xᵀ + b (HIDDEN, batch), then Y = Zᵀ W2ᵀ: the weight on the left, transA on weight and activation.
static void gemm_is_read_with_the_weight_on_the_left(void **state) {
  (void)state;
  const two_layers t = reference();
  for (int64_t a = 0; a < 2; a++) {
    sketch s = sketched(13, IN);
    put(s, "w1", HIDDEN, IN, t.w1, a == 1, 1), put(s, "w2", OUT, HIDDEN, t.w2, true, 1);
    tensor(s, "b1", 2, (int64_t[]){HIDDEN, 1}, t.b1), tensor(s, "b2", 1, (int64_t[]){OUT}, t.b2);
    gemm_with(s, "w1 x b1", "z", a, 1, 1, 1), op(s, "Tanh", "z", "a"), gemm_with(s, "a w2 b2", "y", 1, 0, 1, 1);
    output(s, "y", OUT);
    assert_one_site(built(s), &t);
  }
}

static void matmul_and_add_are_one_layer_whichever_side_the_bias_is_on(void **state) {
  (void)state;
  const two_layers t = reference();
  for (int side = 0; side < 2; side++) {
    sketch s = sketched(13, IN);
    put(s, "w1", HIDDEN, IN, t.w1, true, 1), put(s, "w2", OUT, HIDDEN, t.w2, true, 1);
    tensor(s, "b1", 1, (int64_t[]){HIDDEN}, t.b1), tensor(s, "b2", 1, (int64_t[]){OUT}, t.b2);
    op(s, "MatMul", "x w1", "p"), op(s, "Add", side == 0 ? "p b1" : "b1 p", "z"), op(s, "Tanh", "z", "a");
    op(s, "MatMul", "a w2", "q"), op(s, "Add", side == 0 ? "q b2" : "b2 q", "y");
    output(s, "y", OUT);
    const nl_span bytes = built(s);
    view v = viewed(exact(bytes));
    const size_t step = step_named(&v, "z");
    assert_int_equal(step_named(&v, "p"), step);
    assert_true(nl_span_is(v.graph->values[v.network->steps[step].value].name, "z")); // what it computes is the sum
    assert_true(v.sites.sites[0].affine);
    view_free(&v);
    assert_one_site(bytes, &t);
  }
}

// x (IN, batch): W x + b with b a column
static void matmul_is_read_with_the_weight_on_the_left(void **state) {
  (void)state;
  const two_layers t = reference();
  sketch s = {0};
  OK(nl_onnx_builder_create(&s.builder, "tests", "graph", 13, NULL));
  OK(nl_onnx_builder_input(s.builder, "x", 2, (int64_t[]){IN, -1}, NULL));
  put(s, "w1", HIDDEN, IN, t.w1, false, 1), put(s, "w2", OUT, HIDDEN, t.w2, false, 1);
  tensor(s, "b1", 2, (int64_t[]){HIDDEN, 1}, t.b1), tensor(s, "b2", 2, (int64_t[]){OUT, 1}, t.b2);
  op(s, "MatMul", "w1 x", "p"), op(s, "Add", "p b1", "z"), op(s, "Tanh", "z", "a"), op(s, "MatMul", "w2 a", "q"),
      op(s, "Add", "q b2", "y");
  OK(nl_onnx_builder_output(s.builder, "y", 2, (int64_t[]){OUT, -1}, NULL));
  assert_one_site(built(s), &t);
}

static void a_product_without_bias_has_no_room_for_a_constant(void **state) {
  (void)state;
  sketch s = sketched(13, IN);
  noise(s, "w1", 1, IN, HIDDEN), noise(s, "w2", 2, HIDDEN, OUT);
  op(s, "MatMul", "x w1", "z"), op(s, "Tanh", "z", "a"), op(s, "MatMul", "a w2", "y");
  output(s, "y", OUT);
  view v = seen(s);
  assert_int_equal(v.sites.count, 1);
  assert_false(v.sites.sites[0].affine);
  assert_lumps(v.bytes);
  view_free(&v);
}

static void a_gemm_without_bias_gets_one_from_opset_11_on(void **state) {
  (void)state;
  for (int64_t opset = 9; opset <= 11; opset += 2) {
    sketch s = sketched(opset, IN);
    noise(s, "w1", 1, HIDDEN, IN), noise(s, "b1", 4, 1, HIDDEN), noise(s, "w2", 2, OUT, HIDDEN),
        noise(s, "b2", 3, 1, OUT);
    if (opset < 11)
      gemm(s, "x w1 b1", "z"), op(s, "Sigmoid", "z", "a"), gemm(s, "a w2 b2", "y");
    else
      gemm(s, "x w1 b1", "z"), op(s, "Sigmoid", "z", "a"), gemm(s, "a w2", "y");
    output(s, "y", OUT);
    view v = seen(s);
    assert_int_equal(v.sites.count, 1);
    assert_true(v.sites.sites[0].affine);
    assert_lumps(v.bytes);
    view_free(&v);
  }
}

// ---- riders ----------------------------------------------------------------------------------------------------------

static void channelwise_constants_ride_along(void **state) {
  (void)state;
  sketch s = sketched(13, IN);
  noise(s, "w1", 1, HIDDEN, IN), noise(s, "b1", 2, 1, HIDDEN), noise(s, "w2", 3, OUT, HIDDEN),
      noise(s, "b2", 4, 1, OUT);
  noise(s, "slope", 5, 1, HIDDEN), noise(s, "gamma", 6, 1, HIDDEN), noise(s, "beta", 7, 1, HIDDEN),
      noise(s, "mean", 8, 1, HIDDEN);
  tensor(s, "variance", 1, (int64_t[]){HIDDEN}, (double[]){1, 2, 0.5, 1, 3, 0.25});
  tensor(s, "half", 0, NULL, (double[]){0.5});
  noise(s, "factor", 9, 1, HIDDEN), noise(s, "shift", 10, 1, HIDDEN);
  gemm(s, "x w1 b1", "z"), op(s, "PRelu", "z slope", "p");
  op(s, "BatchNormalization", "p gamma beta mean variance", "n");
  op(s, "Mul", "n factor", "m"), op(s, "Sub", "shift m", "d"), op(s, "Div", "d half", "h"), gemm(s, "h w2 b2", "y");
  output(s, "y", OUT);
  view v = seen(s);
  assert_int_equal(v.sites.count, 1);
  assert_int_equal(site_named(&v, "z"), 0), assert_int_equal(site_named(&v, "n"), 0),
      assert_int_equal(site_named(&v, "h"), 0);
  // a unit takes its row, bias, PRelu slope, four numbers of the BatchNormalization, factor, shift and OUT weights along
  size_t widths[1] = {HIDDEN - 1};
  assert_int_equal(v.network->parameters - nl_sites_parameters(&v.sites, v.network, widths), IN + 1 + 1 + 4 + 2 + OUT);
  widths[0] = HIDDEN;
  assert_int_equal(nl_sites_parameters(&v.sites, v.network, widths), v.network->parameters);
  assert_lumps(v.bytes);
  // BatchNormalization and the rest by hand, for one row
  nl_model *model = opened(v.bytes);
  double x[IN] = {0.3, -1, 0.7}, y[OUT], expected[OUT], h[HIDDEN];
  double *w1 = random_numbers(1, HIDDEN * IN, 0.5), *b1 = random_numbers(2, HIDDEN, 0.5),
         *w2 = random_numbers(3, OUT * HIDDEN, 0.5), *b2 = random_numbers(4, OUT, 0.5),
         *slope = random_numbers(5, HIDDEN, 0.5), *gamma = random_numbers(6, HIDDEN, 0.5),
         *beta = random_numbers(7, HIDDEN, 0.5), *mean = random_numbers(8, HIDDEN, 0.5),
         *factor = random_numbers(9, HIDDEN, 0.5), *shift = random_numbers(10, HIDDEN, 0.5);
  static const double variance[HIDDEN] = {1, 2, 0.5, 1, 3, 0.25};
  for (size_t u = 0; u < HIDDEN; u++) {
    double z = b1[u];
    for (size_t i = 0; i < IN; i++) z += w1[u * IN + i] * x[i];
    if (z < 0) z *= slope[u];
    const double n = gamma[u] * (z - mean[u]) / sqrt(variance[u] + 1e-5) + beta[u];
    h[u] = (shift[u] - factor[u] * n) / 0.5;
  }
  for (size_t o = 0; o < OUT; o++) {
    expected[o] = b2[o];
    for (size_t u = 0; u < HIDDEN; u++) expected[o] += w2[o * HIDDEN + u] * h[u];
  }
  OK(nl_model_forward(model, 1, x, y, NULL));
  assert_true(relative_difference(OUT, y, expected) <= 1e-7); // epsilon is stored in single precision
  free(w1), free(b1), free(w2), free(b2), free(slope), free(gamma), free(beta), free(mean), free(factor), free(shift);
  nl_model_free(model), view_free(&v);
}

static void a_residual_sum_ties_its_producers_to_one_site(void **state) {
  (void)state;
  sketch s = sketched(13, IN);
  noise(s, "w1", 1, HIDDEN, IN), noise(s, "w2", 2, 5, HIDDEN), noise(s, "w3", 3, HIDDEN, 5),
      noise(s, "w4", 4, OUT, HIDDEN);
  noise(s, "b1", 5, 1, HIDDEN), noise(s, "b2", 6, 1, 5), noise(s, "b3", 7, 1, HIDDEN), noise(s, "b4", 8, 1, OUT);
  gemm(s, "x w1 b1", "z1"), op(s, "Tanh", "z1", "a1"), gemm(s, "a1 w2 b2", "z2"), op(s, "Relu", "z2", "a2");
  gemm(s, "a2 w3 b3", "z3"), op(s, "Add", "a1 z3", "sum"), gemm(s, "sum w4 b4", "y");
  output(s, "y", OUT);
  view v = seen(s);
  assert_int_equal(v.sites.count, 2);
  assert_int_equal(site_named(&v, "z1"), site_named(&v, "z3")),
      assert_int_equal(site_named(&v, "z1"), site_named(&v, "sum"));
  assert_true(site_named(&v, "z1") != site_named(&v, "z2") && site_named(&v, "z2") != NL_NONE);
  const nl_site *tied = &v.sites.sites[site_named(&v, "sum")];
  assert_int_equal(tied->consumer_count, 2); // w2 and w4
  assert_int_equal(tied->producer, step_named(&v, "z1"));
  size_t widths[2];
  widths[site_named(&v, "z2")] = 5;
  widths[site_named(&v, "z1")] = HIDDEN - 1;
  assert_int_equal(v.network->parameters - nl_sites_parameters(&v.sites, v.network, widths), IN + 1 + 5 + 5 + 1 + OUT);
  assert_lumps(v.bytes);
  view_free(&v);
}

static void two_readers_of_one_activation_are_both_consumers(void **state) {
  (void)state;
  sketch s = sketched(13, IN);
  noise(s, "w1", 1, HIDDEN, IN), noise(s, "b1", 2, 1, HIDDEN), noise(s, "wa", 3, OUT, HIDDEN),
      noise(s, "wb", 4, OUT, HIDDEN);
  noise(s, "ba", 5, 1, OUT), noise(s, "bb", 6, 1, OUT);
  gemm(s, "x w1 b1", "z"), op(s, "Relu", "z", "a"), gemm(s, "a wa ba", "y1"), gemm(s, "a wb bb", "y2");
  output(s, "y1", OUT), output(s, "y2", OUT);
  view v = seen(s);
  assert_int_equal(v.sites.count, 1), assert_int_equal(v.sites.sites[0].consumer_count, 2);
  assert_int_equal(v.network->results, 2 * OUT);
  assert_lumps(v.bytes);
  view_free(&v);
}

// ---- one tensor, several readers -------------------------------------------------------------------------------------

// The bias of layer 1 is also that of layer 2, which keeps its width: layer 1 gets a copy of its own.
static void a_tensor_shared_by_two_nodes_is_copied_for_the_one_that_changes(void **state) {
  (void)state;
  sketch s = sketched(13, IN);
  noise(s, "w1", 1, HIDDEN, IN), noise(s, "w2", 2, HIDDEN, HIDDEN), noise(s, "b", 3, 1, HIDDEN);
  gemm(s, "x w1 b", "z"), op(s, "Tanh", "z", "a"), gemm(s, "a w2 b", "y");
  output(s, "y", HIDDEN);
  view v = seen(s);
  assert_int_equal(v.sites.count, 1);
  assert_lumps(v.bytes);
  view_free(&v);
}

// Exporters write an Identity where two parameters are equal, a Cast where weights are stored in half precision.
static void a_constant_behind_identity_or_cast_is_edited_where_it_stands(void **state) {
  (void)state;
  const two_layers t = reference();
  sketch s = sketched(13, IN);
  put(s, "w1", HIDDEN, IN, t.w1, false, 1), put(s, "w2", OUT, HIDDEN, t.w2, false, 1);
  tensor(s, "b1", 1, (int64_t[]){HIDDEN}, t.b1), tensor(s, "b2", 1, (int64_t[]){OUT}, t.b2);
  op(s, "Identity", "b1", "b1_again");
  op_with(s, "Cast", "w1", "w1_again", 1, (const char *const[]){"to"}, (int64_t[]){NL_TYPE_F32}, 0, NULL, NULL);
  gemm(s, "x w1_again b1_again", "z"), op(s, "Tanh", "z", "a"), gemm(s, "a w2 b2", "y");
  output(s, "y", OUT);
  assert_one_site(built(s), &t);

  const nl_span half = fixture("written_bf16_cast", "onnx");
  view v = viewed(exact(half));
  assert_int_equal(v.sites.count, 2);
  view_free(&v);
  nl_model *model = opened(half);
  nl_path *path = walked(model, &(nl_path_options){.seed = 1, .rows = 512});
  nl_result *result = reached(path, NL_TARGET_RETAIN, 0.5);
  cJSON *report = report_of(result);
  assert_true(number_at(report, "retained") <= 0.5);
  cJSON_Delete(report), nl_result_free(result), nl_path_free(path), nl_model_free(model), free((void *)half.bytes);
}

static void a_cast_constant_with_two_readers_is_left_alone(void **state) {
  (void)state;
  sketch s = sketched(13, IN);
  noise(s, "w", 1, IN, IN), op(s, "Identity", "w", "v");
  gemm(s, "x v", "z"), op(s, "Tanh", "z", "a"), gemm(s, "a v", "y");
  output(s, "y", IN);
  view v = seen(s);
  assert_int_equal(v.sites.count, 0);
  view_free(&v);
}

// ---- reasons ---------------------------------------------------------------------------------------------------------

// Layer w1 b1, tanh, `between` on a to h, then w2 b2.
static view with_between(const char *op_name, const char *inputs, int64_t opset) {
  sketch s = sketched(opset, IN);
  noise(s, "w1", 1, HIDDEN, IN), noise(s, "b1", 2, 1, HIDDEN), noise(s, "w2", 3, OUT, HIDDEN),
      noise(s, "b2", 4, 1, OUT);
  gemm(s, "x w1 b1", "z"), op(s, "Tanh", "z", "a"), op(s, op_name, inputs, "h"), gemm(s, "h w2 b2", "y");
  output(s, "y", OUT);
  return seen(s);
}

static void the_output_layer_says_that_it_is_one(void **state) {
  (void)state;
  view v = with_between("Relu", "a", 13);
  assert_reason(&v, "y", "output of the model");
  assert_reason(&v, "x", "belongs to the model's input");
  assert_int_equal(site_named(&v, "h"), 0);
  view_free(&v);
}

static void a_layer_read_by_something_else_names_it(void **state) {
  (void)state;
  view v = with_between("Softmax", "a", 13);
  assert_reason(&v, "z", "read by Softmax “h”");
  assert_int_equal(v.sites.count, 0);
  view_free(&v);
  v = with_between("SomethingNew", "a", 13);
  assert_reason(&v, "z", "read by SomethingNew “h”");
  assert_true(v.network->results == HIDDEN); // deviation is measured on what the rest reads
  view_free(&v);
  sketch s = sketched(13, IN);
  noise(s, "w1", 1, HIDDEN, IN), noise(s, "w2", 3, OUT, HIDDEN + IN);
  gemm(s, "x w1", "z");
  op_with(s, "Concat", "z x", "c", 1, (const char *const[]){"axis"}, (int64_t[]){1}, 0, NULL, NULL);
  gemm(s, "c w2", "y"), output(s, "y", OUT);
  v = seen(s);
  assert_reason(&v, "z", "read by Concat “c”");
  assert_reason(&v, "y", "output of the model");
  view_free(&v);
}

static void softmax_at_the_end_is_computed_and_leaves_the_rest(void **state) {
  (void)state;
  const nl_span bytes = fixture("softmax", "onnx");
  view v = viewed(exact(bytes));
  assert_int_equal(v.sites.count, 1), assert_int_equal(v.network->results, 3);
  view_free(&v), free((void *)bytes.bytes);
}

static void a_hidden_layer_that_is_also_an_output_stays(void **state) {
  (void)state;
  view v = viewed(fixture("two_outputs", "onnx"));
  assert_int_equal(v.sites.count, 1), assert_int_equal(v.sites.sites[0].width, 10);
  view_free(&v);
}

static void concat_ties_the_layers_in_front_of_it_only(void **state) {
  (void)state;
  view v = viewed(fixture("two_branches", "onnx"));
  assert_int_equal(v.sites.count, 2);
  assert_int_equal(v.sites.sites[0].width + v.sites.sites[1].width, 24);
  view_free(&v);
}

static view with_reshape(const double *shape, size_t rank) {
  message m = {0};
  const float zeros[64] = {0};
  open_model(&m);
  open_node(&m, "Gemm", "fc1", "x w1", "z"), begin(&m, 5), text(&m, 1, "transB"), integer(&m, 3, 1), integer(&m, 20, 2),
      end(&m), end(&m);
  node(&m, "Reshape", "flat", "z shape", "r");
  open_node(&m, "Gemm", "fc2", "r w2", "y"), begin(&m, 5), text(&m, 1, "transB"), integer(&m, 3, 1), integer(&m, 20, 2),
      end(&m), end(&m);
  initializer(&m, "w1", 2, (int64_t[]){HIDDEN, IN}, zeros), initializer(&m, "w2", 2, (int64_t[]){OUT, HIDDEN}, zeros);
  int64_t sizes[4];
  for (size_t i = 0; i < rank; i++) sizes[i] = (int64_t)shape[i];
  begin(&m, 5), dims(&m, 1, (int64_t[]){(int64_t)rank}), integer(&m, 2, NL_TYPE_I64), text(&m, 8, "shape");
  bytes(&m, 9, sizes, rank * sizeof *sizes), end(&m);
  info(&m, 11, "x", 2, (int64_t[]){-1, IN}), info(&m, 12, "y", 2, (int64_t[]){-1, OUT});
  close_model(&m);
  const nl_span copy = exact(span_of(&m.bytes));
  nl_buffer_free(&m.bytes);
  return viewed(copy);
}

static void a_reshape_that_states_the_width_keeps_it(void **state) {
  (void)state;
  view v = with_reshape((double[]){-1, HIDDEN}, 2);
  assert_reason(&v, "z", "its width is written out as a number in Reshape “flat”");
  assert_true(v.network->steps[step_named(&v, "y")].evaluable);
  view_free(&v);
  v = with_reshape((double[]){0, -1}, 2);
  assert_int_equal(site_named(&v, "z"), 0);
  view_free(&v);
  v = with_reshape((double[]){HIDDEN, -1}, 2); // mixes rows
  assert_reason(&v, "z", "read by Reshape “flat”");
  view_free(&v);
}

static void a_model_older_than_opset_7_is_declined(void **state) {
  (void)state;
  view v = with_between("Relu", "a", 6);
  assert_int_equal(v.sites.count, 0);
  assert_reason(&v, "z", "the model's opset is older than 7: convert it with the ONNX version converter");
  view_free(&v);
  v = with_between("Relu", "a", 7);
  assert_int_equal(v.sites.count, 1);
  view_free(&v);
}

static void weights_that_are_no_constant_are_declined(void **state) {
  (void)state;
  sketch s = sketched(13, IN);
  noise(s, "w1", 1, HIDDEN, IN), noise(s, "w2", 2, OUT, HIDDEN);
  OK(nl_onnx_builder_input(s.builder, "w", 2, (int64_t[]){HIDDEN, IN}, NULL));
  gemm(s, "x w", "z"), op(s, "Tanh", "z", "a"), gemm(s, "a w2", "y"), output(s, "y", OUT);
  view v = seen(s);
  assert_int_equal(v.sites.count, 0);
  assert_int_equal(nl_layer_reason(v.graph, &v.graph->nodes[0]), NL_REASON_WEIGHTS);
  view_free(&v);
}

static void shapes_that_disagree_are_an_error_with_both_numbers(void **state) {
  (void)state;
  sketch s = sketched(13, IN);
  noise(s, "w1", 1, HIDDEN, IN), noise(s, "w2", 2, OUT, HIDDEN + 1);
  gemm(s, "x w1", "z"), op(s, "Tanh", "z", "a"), gemm(s, "a w2", "y"), output(s, "y", OUT);
  const nl_span bytes = built(s);
  nl_model *model = NULL;
  nl_error error = {0};
  assert_int_equal(nl_model_open(&model, bytes.bytes, bytes.size, &error), NL_ERROR_SHAPE);
  assert_null(model);
  assert_string_equal(error.place, "y");
  assert_int_equal(error.expected, HIDDEN), assert_int_equal(error.found, HIDDEN + 1);
  free((void *)bytes.bytes);
}

static void what_nobody_understands_is_left_whole(void **state) {
  (void)state;
  static const char *const names[] = {"written_nothing_known", "cnn_only"};
  for (size_t i = 0; i < 2; i++) {
    view v = viewed(fixture(names[i], "onnx"));
    assert_int_equal(v.sites.count, 0);
    view_free(&v);
  }
}

// Every fixture: invariants of steps, groups and sites.
static void steps_follow_what_they_read_and_sites_have_one_width(void **state) {
  (void)state;
  static const char *const names[] = {"residual", "two_branches",        "layernorm",          "cnn",
                                      "wide",     "written_weight_left", "rank3_matmul",       "fixed_batch",
                                      "dropout",  "act_gelu_decomposed", "act_mish_decomposed"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    view v = viewed(fixture(names[i], "onnx"));
    for (size_t s = 0; s < v.network->step_count; s++) {
      const nl_step *step = &v.network->steps[s];
      for (size_t k = 0; k < step->input_count; k++) assert_true(step->inputs[k] < s);
      if (v.sites.site_of[s] == NL_NONE) continue;
      assert_int_equal(step->width, v.sites.sites[v.sites.site_of[s]].width);
      assert_true(step->evaluable);
    }
    for (size_t k = 0; k < v.sites.count; k++) assert_true(v.sites.sites[k].consumer_count > 0);
    view_free(&v);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gemm_is_read_with_every_trans_b_alpha_and_beta),
      cmocka_unit_test(gemm_is_read_with_the_weight_on_the_left),
      cmocka_unit_test(matmul_and_add_are_one_layer_whichever_side_the_bias_is_on),
      cmocka_unit_test(matmul_is_read_with_the_weight_on_the_left),
      cmocka_unit_test(a_product_without_bias_has_no_room_for_a_constant),
      cmocka_unit_test(a_gemm_without_bias_gets_one_from_opset_11_on),
      cmocka_unit_test(channelwise_constants_ride_along),
      cmocka_unit_test(a_residual_sum_ties_its_producers_to_one_site),
      cmocka_unit_test(two_readers_of_one_activation_are_both_consumers),
      cmocka_unit_test(a_tensor_shared_by_two_nodes_is_copied_for_the_one_that_changes),
      cmocka_unit_test(a_constant_behind_identity_or_cast_is_edited_where_it_stands),
      cmocka_unit_test(a_cast_constant_with_two_readers_is_left_alone),
      cmocka_unit_test(the_output_layer_says_that_it_is_one),
      cmocka_unit_test(a_layer_read_by_something_else_names_it),
      cmocka_unit_test(softmax_at_the_end_is_computed_and_leaves_the_rest),
      cmocka_unit_test(a_hidden_layer_that_is_also_an_output_stays),
      cmocka_unit_test(concat_ties_the_layers_in_front_of_it_only),
      cmocka_unit_test(a_reshape_that_states_the_width_keeps_it),
      cmocka_unit_test(a_model_older_than_opset_7_is_declined),
      cmocka_unit_test(weights_that_are_no_constant_are_declined),
      cmocka_unit_test(shapes_that_disagree_are_an_error_with_both_numbers),
      cmocka_unit_test(what_nobody_understands_is_left_whole),
      cmocka_unit_test(steps_follow_what_they_read_and_sites_have_one_width),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
