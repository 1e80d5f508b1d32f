// Polish (src/polish.c) and its minimiser.
#include "models.h"

#include "compress.h"
#include "measure.h"
#include "polish.h"
#include "polish_descent.h"

// ---- the minimiser -----------------------------------------------------------------------------------------------------

typedef double objective(const double *x, double *gradient); // of two numbers

// Rosenbrock's valley: the minimum 0 lies at (1, 1)
static double valley(const double *x, double *g) {
  const double a = 1 - x[0], b = x[1] - x[0] * x[0];
  g[0] = -2 * a - 400 * x[0] * b;
  g[1] = 200 * b;
  return a * a + 100 * b * b;
}
// x² - ln x + y²: not a number left of 0, where long steps land; the minimum lies at (1/√2, 0)
static double cliff(const double *x, double *g) {
  g[0] = 2 * x[0] - 1 / x[0];
  g[1] = 2 * x[1];
  return x[0] * x[0] - log(x[0]) + x[1] * x[1];
}
// |x| + 10 |y| has kinks all along both axes
static double kinks(const double *x, double *g) {
  g[0] = x[0] >= 0 ? 1 : -1;
  g[1] = x[1] >= 0 ? 10 : -10;
  return fabs(x[0]) + 10 * fabs(x[1]);
}

static double bowl(const double *x, double *gradient) {
  gradient[0] = x[0];
  gradient[1] = 0.05 * x[1];
  return 0.5 * (x[0] * x[0] + 0.05 * x[1] * x[1]);
}

// Returns the last accepted value, which never rose; x ends where that is.
static double minimised(objective *f, double *x, size_t iterations) {
  nl_arena arena = {0};
  nl_descent d;
  OK(nl_descent_take(&d, &arena, 2, 10, NULL));
  memcpy(d.point, x, 2 * sizeof *x);
  double lowest = INFINITY;
  for (size_t i = 0; i < iterations;) {
    const double value = f(d.point, d.gradient);
    const nl_descent_answer answer = nl_descent_judge(&d, value);
    if (answer == NL_DESCENT_STUCK) break;
    if (answer == NL_DESCENT_TRY) continue;
    assert_true(value <= lowest);
    lowest = value;
    memcpy(x, d.at, 2 * sizeof *x);
    i++;
    if (!nl_descent_turn(&d)) break;
  }
  nl_arena_free(&arena);
  return lowest;
}

static void tenfold(void *context, double *v) {
  (void)context;
  v[0] *= 10, v[1] *= 10;
}

// A metric that always asks for steps ten times too long costs a second evaluation now and then, not at every turn.
static void descent_begins_a_search_near_the_last_step(void **context) {
  (void)context;
  nl_arena arena = {0};
  nl_descent d;
  size_t evaluations = 0, turns = 0;
  OK(nl_descent_take(&d, &arena, 2, 1, NULL));
  d.metric = tenfold;
  d.point[0] = 3, d.point[1] = 4;
  for (; turns < 12; turns++) {
    nl_descent_answer answer = NL_DESCENT_TRY;
    for (; answer == NL_DESCENT_TRY; evaluations++) answer = nl_descent_judge(&d, bowl(d.point, d.gradient));
    assert_int_equal(answer, NL_DESCENT_ACCEPTED);
    d.stored = 0; // so that the past cannot correct the metric
    assert_true(nl_descent_turn(&d));
  }
  assert_true(evaluations < 3 * turns / 2);
  nl_arena_free(&arena);
}

static void descent_finds_the_bottom_of_a_curved_valley(void **context) {
  (void)context;
  double x[2] = {-1.2, 1};
  assert_true(minimised(valley, x, 60) < 1e-12);
  assert_near(x[0], 1, 1e-5);
  assert_near(x[1], 1, 1e-5);
}

static void descent_steps_back_from_where_the_function_is_no_number(void **context) {
  (void)context;
  double x[2] = {1e-3, 50};
  minimised(cliff, x, 60);
  assert_near(x[0], sqrt(0.5), 1e-5);
  assert_near(x[1], 0, 1e-5);
  double outside[2] = {-1, 1};
  assert_true(minimised(cliff, outside, 60) == INFINITY);
}

static void descent_gets_down_to_kinks_and_stops_there(void **context) {
  (void)context;
  double x[2] = {3, -2};
  assert_true(minimised(kinks, x, 500) < 0.1);
}

// ---- networks ----------------------------------------------------------------------------------------------------------

enum { FEATURES = 3, RESULTS = 2, ROWS = 400 };

typedef struct setting {
  nl_span bytes;
  nl_model *model;
  nl_parameters original, start;
  double *x; // (ROWS, features)
} setting;

// The original and a start that differs from it by noise.
static setting set_up(nl_span bytes, double noise_level) {
  setting s = {.bytes = bytes, .model = opened(bytes)};
  const nl_network *network = s.model->network;
  OK(nl_parameters_load(&s.original, network, NULL));
  OK(nl_parameters_load(&s.start, network, NULL));
  uint64_t seed = 5;
  for (size_t i = 0; i < s.start.count; i++) {
    nl_layer *layer = &s.start.layers[i];
    for (size_t w = 0; layer->weights != NULL && w < layer->width * layer->in_width; w++)
      layer->weights[w] += noise_level * gauss(&seed);
    for (size_t o = 0; layer->bias != NULL && o < layer->width; o++) layer->bias[o] += noise_level * gauss(&seed);
  }
  s.x = random_numbers(9, ROWS * network->features, 1.0);
  return s;
}
static void tear_down(setting *s) {
  nl_parameters_free(&s->original);
  nl_parameters_free(&s->start);
  nl_model_free(s->model);
  free(s->x);
  free((void *)s->bytes.bytes);
}

static nl_span chain_of(const char *activation) {
  chain c = random_chain(3, activation, 3, (size_t[]){FEATURES, 8, 6, RESULTS});
  const nl_span bytes = chain_bytes(&c);
  chain_free(&c);
  return bytes;
}

static nl_polish_input input_of(const setting *s) {
  return (nl_polish_input){.network = s->model->network,
                           .original = &s->original,
                           .start = &s->start,
                           .rows = ROWS,
                           .x = s->x,
                           .copies = 1,
                           .seed = 1};
}

static nl_polish *polished(const nl_polish_input *input) {
  nl_polish *polish = NULL;
  nl_error error = {0};
  assert_fine(nl_polish_create(&polish, input, &error), &error);
  double progress = 0, before = 0;
  for (nl_status status = NL_MORE; status == NL_MORE; before = progress) {
    status = nl_polish_step(polish, &progress, &error);
    if (status != NL_MORE) assert_fine(status, &error);
    assert_true(progress >= before && progress <= 1);
  }
  assert_true(progress == 1);
  return polish;
}

// RMS(f' - f) / RMS(f) over fresh rows
static double difference(const setting *s, const nl_parameters *parameters) {
  const nl_network *network = s->model->network;
  double *x = random_numbers(77, ROWS * network->features, 1.0);
  double *f = malloc(ROWS * network->results * sizeof *f), *g = malloc(ROWS * network->results * sizeof *g);
  OK(nl_forward(network, &s->original, ROWS, x, f, NULL));
  OK(nl_forward(network, parameters, ROWS, x, g, NULL));
  const double found = relative_difference(ROWS * network->results, g, f);
  free(x);
  free(f);
  free(g);
  return found;
}

static void polish_brings_a_disturbed_network_back(void **context) {
  (void)context;
  const char *const activations[] = {"Tanh", "Relu", "Sigmoid", "Softplus"};
  for (size_t i = 0; i < 4; i++) {
    setting s = set_up(chain_of(activations[i]), 0.1);
    const nl_polish_input input = input_of(&s);
    nl_polish *polish = polished(&input);
    assert_true(nl_polish_iterations(polish) > 10);
    assert_true(nl_polish_after(polish) < 0.1 * nl_polish_before(polish));
    assert_true(difference(&s, nl_polish_parameters(polish)) < 0.2 * difference(&s, &s.start));
    nl_polish_free(polish);
    tear_down(&s);
  }
}

static void polish_leaves_the_start_as_it_was(void **context) {
  (void)context;
  setting s = set_up(chain_of("Tanh"), 0.1);
  const double before = difference(&s, &s.start);
  const nl_polish_input input = input_of(&s);
  nl_polish *polish = polished(&input);
  assert_true(difference(&s, &s.start) == before);
  nl_polish_free(polish);
  tear_down(&s);
}

static void polish_keeps_an_exact_start(void **context) {
  (void)context;
  setting s = set_up(chain_of("Tanh"), 0);
  const nl_polish_input input = input_of(&s);
  nl_polish *polish = polished(&input);
  assert_true(nl_polish_before(polish) == 0 && nl_polish_after(polish) == 0);
  assert_true(difference(&s, nl_polish_parameters(polish)) == 0);
  nl_polish_free(polish);
  tear_down(&s);
}

// Stopped after any step there is a network that is no worse than the start.
static void polish_never_makes_the_measured_deviation_worse(void **context) {
  (void)context;
  setting s = set_up(chain_of("Relu"), 0.3);
  for (size_t rows = 1; rows < 40; rows += 3) {
    nl_polish_input input = input_of(&s);
    nl_polish *polish = NULL;
    input.rows = rows;
    OK(nl_polish_create(&polish, &input, NULL));
    double progress = 0, lowest = INFINITY;
    for (nl_status status = NL_MORE; status == NL_MORE;) {
      status = nl_polish_step(polish, &progress, NULL);
      assert_true(nl_polish_after(polish) <= nl_polish_before(polish) && nl_polish_after(polish) <= lowest);
      if (nl_polish_after(polish) > 0) lowest = nl_polish_after(polish);
      assert_true(isfinite(difference(&s, nl_polish_parameters(polish))));
    }
    nl_polish_free(polish);
  }
  tear_down(&s);
}

// RMS(f' - f) / RMS(f - E f) over the rows of the measure held back
static double held_difference(const setting *s, const nl_polish_input *input, const nl_parameters *parameters) {
  const nl_network *network = s->model->network;
  double sum = 0, squares = 0, mean[RESULTS] = {0}, f[RESULTS], g[RESULTS], rows = 0;
  for (size_t r = 0; r < input->rows; r++) {
    if (!nl_polish_holds_back(input->seed, r)) continue;
    OK(nl_forward(network, &s->original, 1, s->x + r * FEATURES, f, NULL));
    OK(nl_forward(network, parameters, 1, s->x + r * FEATURES, g, NULL));
    rows++;
    for (size_t o = 0; o < RESULTS; o++) {
      sum += (g[o] - f[o]) * (g[o] - f[o]);
      squares += f[o] * f[o];
      mean[o] += f[o];
    }
  }
  for (size_t o = 0; o < RESULTS; o++) squares -= mean[o] * mean[o] / rows;
  return sqrt(sum / squares);
}

// Rows are few for the numbers, so that those held back tell much.
static void polish_learns_in_the_end_from_the_rows_held_back_too(void **context) {
  (void)context;
  setting s = set_up(chain_of("Tanh"), 0.5);
  nl_polish_input input = input_of(&s);
  input.rows = 60;
  nl_polish *polish = polished(&input);
  assert_true(held_difference(&s, &input, nl_polish_parameters(polish)) < 0.8 * nl_polish_after(polish));
  nl_polish_free(polish);
  tear_down(&s);
}

static void polish_gives_the_same_bits_twice(void **context) {
  (void)context;
  setting s = set_up(chain_of("Tanh"), 0.2);
  const nl_polish_input input = input_of(&s);
  nl_polish *first = polished(&input), *second = polished(&input);
  assert_true(nl_polish_after(first) == nl_polish_after(second));
  for (size_t i = 0; i < s.start.count; i++) {
    const nl_layer *a = &nl_polish_parameters(first)->layers[i], *b = &nl_polish_parameters(second)->layers[i];
    if (a->weights != NULL) assert_memory_equal(a->weights, b->weights, a->width * a->in_width * sizeof(double));
  }
  nl_polish_free(first);
  nl_polish_free(second);
  tear_down(&s);
}

static void polish_does_no_more_iterations_than_asked(void **context) {
  (void)context;
  setting s = set_up(chain_of("Tanh"), 0.2);
  nl_polish_input input = input_of(&s);
  input.iterations = 3;
  nl_polish *polish = polished(&input);
  assert_int_equal(nl_polish_iterations(polish), 3);
  nl_polish_free(polish);
  tear_down(&s);
}

static void polish_keeps_zeros_where_that_is_asked(void **context) {
  (void)context;
  setting s = set_up(chain_of("Tanh"), 0.1);
  size_t zeros = 0, moved = 0;
  for (size_t i = 0; i < s.start.count; i++) {
    nl_layer *layer = &s.start.layers[i];
    for (size_t w = 0; layer->weights != NULL && w < layer->width * layer->in_width; w += 3) layer->weights[w] = 0;
  }
  nl_polish_input input = input_of(&s);
  input.keep_zeros = true;
  nl_polish *polish = polished(&input);
  assert_true(nl_polish_after(polish) < 0.5 * nl_polish_before(polish));
  for (size_t i = 0; i < s.start.count; i++) {
    const nl_layer *from = &s.start.layers[i], *to = &nl_polish_parameters(polish)->layers[i];
    for (size_t w = 0; from->weights != NULL && w < from->width * from->in_width; w++) {
      if (from->weights[w] == 0) assert_true(to->weights[w] == 0);
      zeros += to->weights[w] == 0;
      moved += to->weights[w] != from->weights[w];
    }
  }
  assert_true(zeros > 0 && moved > zeros);
  nl_polish_free(polish);
  tear_down(&s);
}

// ---- other networks than chains ------------------------------------------------------------------------------------------

// x -> h = Tanh(x a + b); h + Tanh(h m); Softmax(. o + q), with m read twice when `tied`
static nl_span residual(bool tied) {
  sketch s = sketched(13, FEATURES);
  noise(s, "a", 1, FEATURES, 5);
  noise(s, "b", 2, 1, 5);
  noise(s, "m", 3, 5, 5);
  noise(s, "n", 4, 5, 5);
  noise(s, "o", 5, 5, RESULTS);
  noise(s, "q", 6, 1, RESULTS);
  op(s, "Gemm", "x a b", "z1"), op(s, "Tanh", "z1", "h1");
  op(s, "MatMul", "h1 m", "z2"), op(s, "Tanh", "z2", "h2"), op(s, "Add", "h1 h2", "s2");
  op(s, "MatMul", tied ? "s2 m" : "s2 n", "z3"), op(s, "Relu", "z3", "h3"), op(s, "Add", "s2 h3", "s3");
  op(s, "Gemm", "s3 o q", "z4"), op(s, "Softmax", "z4", "y");
  output(s, "y", RESULTS);
  return built(s);
}

static void polish_goes_through_residual_sums_and_softmax(void **context) {
  (void)context;
  setting s = set_up(residual(false), 0.1);
  const nl_polish_input input = input_of(&s);
  nl_polish *polish = polished(&input);
  assert_true(nl_polish_after(polish) < 0.2 * nl_polish_before(polish));
  nl_polish_free(polish);
  tear_down(&s);
}

// The dense steps whose weights are the start's own.
static size_t left_alone(const setting *s, const nl_polish *polish) {
  size_t count = 0;
  for (size_t i = 0; i < s->start.count; i++)
    count += s->start.layers[i].weights != NULL &&
             s->start.layers[i].weights == nl_polish_parameters(polish)->layers[i].weights;
  return count;
}

static void polish_leaves_a_shared_weight_tensor_alone(void **context) {
  (void)context;
  for (int tied = 0; tied < 2; tied++) {
    setting s = set_up(residual(tied != 0), 0.1);
    const nl_polish_input input = input_of(&s);
    nl_polish *polish = polished(&input);
    assert_int_equal(left_alone(&s, polish), tied ? 2 : 0);
    assert_true(nl_polish_after(polish) < nl_polish_before(polish));
    nl_polish_free(polish);
    tear_down(&s);
  }
}

// The first layer also feeds a TopK: what that says must not change for the sake of the other output.
static void polish_leaves_alone_what_something_not_evaluated_reads(void **context) {
  (void)context;
  sketch s = sketched(13, FEATURES);
  noise(s, "a", 1, FEATURES, 5);
  noise(s, "o", 5, 5, RESULTS);
  tensor(s, "k", 1, (int64_t[]){1}, (double[]){1});
  op(s, "MatMul", "x a", "z1"), op(s, "Tanh", "z1", "h1");
  op(s, "MatMul", "h1 o", "y");
  op(s, "CumSum", "h1 k", "other");
  output(s, "y", RESULTS);
  output(s, "other", 5);
  setting set = set_up(built(s), 0.1);
  const nl_polish_input input = input_of(&set);
  nl_polish *polish = polished(&input);
  assert_int_equal(left_alone(&set, polish), 1);
  nl_polish_free(polish);
  tear_down(&set);
}

static void polish_does_without_rows_where_the_original_has_no_finite_answer(void **context) {
  (void)context;
  sketch sk = sketched(13, FEATURES);
  noise(sk, "a", 1, FEATURES, 5);
  noise(sk, "o", 5, 5, RESULTS);
  op(sk, "MatMul", "x a", "z1"), op(sk, "Tanh", "z1", "h1"), op(sk, "MatMul", "h1 o", "z2"), op(sk, "Exp", "z2", "e");
  op(sk, "Log", "e", "y");
  output(sk, "y", RESULTS);
  setting s = set_up(built(sk), 0.1);
  for (size_t r = 0; r < ROWS; r += 7) s.x[r * FEATURES] = NAN;
  nl_polish_input input = input_of(&s);
  input.copies = 0;
  nl_polish *polish = polished(&input);
  assert_true(nl_polish_after(polish) < 0.1 * nl_polish_before(polish));
  nl_polish_free(polish);
  tear_down(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(descent_finds_the_bottom_of_a_curved_valley),
      cmocka_unit_test(descent_steps_back_from_where_the_function_is_no_number),
      cmocka_unit_test(descent_gets_down_to_kinks_and_stops_there),
      cmocka_unit_test(polish_brings_a_disturbed_network_back),
      cmocka_unit_test(polish_leaves_the_start_as_it_was),
      cmocka_unit_test(polish_keeps_an_exact_start),
      cmocka_unit_test(polish_never_makes_the_measured_deviation_worse),
      cmocka_unit_test(polish_gives_the_same_bits_twice),
      cmocka_unit_test(descent_begins_a_search_near_the_last_step),
      cmocka_unit_test(polish_learns_in_the_end_from_the_rows_held_back_too),
      cmocka_unit_test(polish_does_no_more_iterations_than_asked),
      cmocka_unit_test(polish_keeps_zeros_where_that_is_asked),
      cmocka_unit_test(polish_goes_through_residual_sums_and_softmax),
      cmocka_unit_test(polish_leaves_a_shared_weight_tensor_alone),
      cmocka_unit_test(polish_leaves_alone_what_something_not_evaluated_reads),
      cmocka_unit_test(polish_does_without_rows_where_the_original_has_no_finite_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
