// Reverse mode (forward_gradient.c) against central differences, for every kind of step.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "forward.h"
#include "onnx.h"

enum { FEATURES = 3, ROWS = 2 };

static double noise(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return (double)*state / 2147483648.0 - 1.0;
}

static void add_tensor(nl_onnx_builder *b, const char *name, size_t rank, const int64_t *dims, uint32_t seed) {
  double values[64];
  size_t count = 1;
  for (size_t i = 0; i < rank; i++) count *= (size_t)dims[i];
  for (size_t i = 0; i < count; i++) values[i] = noise(&seed) + (rank == 1 ? 0.1 : 0.0);
  assert_int_equal(nl_onnx_builder_tensor(b, name, rank, dims, values, NULL), NL_OK);
}

static void add_node(nl_onnx_builder *b, const char *op, const char *first, const char *second, const char *third,
                     const char *output) {
  const char *inputs[3] = {first, second, third};
  const size_t count = second == NULL ? 1 : third == NULL ? 2 : 3;
  assert_int_equal(nl_onnx_builder_node(b, op, output, count, inputs, output, 0, NULL, NULL, 0, NULL, NULL, NULL),
                   NL_OK);
}

// y = last(Tanh(x W + b) * PRelu(x V + c) + scaled ... ) with each kind of step on the way
static void build_model(nl_buffer *bytes, const char *last) {
  nl_onnx_builder *b = NULL;
  assert_int_equal(nl_onnx_builder_create(&b, "test", "gradient", 13, NULL), NL_OK);
  const int64_t in[2] = {-1, FEATURES}, out[2] = {-1, 4}, square[2] = {FEATURES, 4}, hidden[2] = {4, 4},
                vector[1] = {4};
  assert_int_equal(nl_onnx_builder_input(b, "x", 2, in, NULL), NL_OK);
  assert_int_equal(nl_onnx_builder_output(b, "y", 2, out, NULL), NL_OK);
  add_tensor(b, "w", 2, square, 1);
  add_tensor(b, "v", 2, square, 2);
  add_tensor(b, "u", 2, hidden, 3);
  add_tensor(b, "b", 1, vector, 4);
  add_tensor(b, "c", 1, vector, 5);
  add_tensor(b, "slope", 1, vector, 6);
  add_tensor(b, "gain", 1, vector, 7);
  add_node(b, "Gemm", "x", "w", "b", "z1");
  add_node(b, "Gemm", "x", "v", "c", "z2");
  add_node(b, "Tanh", "z1", NULL, NULL, "a1");
  add_node(b, "PRelu", "z2", "slope", NULL, "a2");
  add_node(b, "Mul", "a1", "a2", NULL, "m");
  add_node(b, "Mul", "m", "gain", NULL, "g");
  add_node(b, "Sub", "g", "a2", NULL, "s");
  add_node(b, "Exp", "a1", NULL, NULL, "e");
  add_node(b, "Div", "s", "e", NULL, "d");
  add_node(b, "Max", "d", "a1", NULL, "h");
  add_node(b, "Min", "h", "z2", NULL, "l");
  add_node(b, "Add", "l", "a2", NULL, "t");
  add_node(b, "Gemm", "t", "u", "b", "z3");
  add_node(b, last, "z3", NULL, NULL, "y");
  assert_int_equal(nl_onnx_builder_finish(b, bytes, NULL), NL_OK);
  nl_onnx_builder_free(b);
}

static double seeded_sum(const nl_network *network, const nl_parameters *parameters, const double *x,
                         const double *seed) {
  double y[ROWS * 4], sum = 0;
  assert_int_equal(network->results, 4);
  assert_int_equal(nl_forward(network, parameters, ROWS, x, y, NULL), NL_OK);
  for (size_t i = 0; i < ROWS * 4; i++) sum += seed[i] * y[i];
  return sum;
}

typedef struct setting { // a model, some rows of it and the derivatives of Σ seed · output there
  nl_buffer bytes;
  nl_graph *graph;
  nl_network *network;
  nl_parameters parameters;
  nl_scratch scratch, gradients;
  double x[ROWS * FEATURES], seed[ROWS * 4];
} setting;

static void set_up(setting *s, const char *last) {
  *s = (setting){0};
  build_model(&s->bytes, last);
  assert_int_equal(nl_onnx_read(&s->graph, (nl_span){s->bytes.bytes, s->bytes.size}, NULL), NL_OK);
  assert_int_equal(nl_network_create(&s->network, s->graph, NULL), NL_OK);
  assert_int_equal(nl_parameters_load(&s->parameters, s->network, NULL), NL_OK);
  assert_int_equal(nl_scratch_create(&s->scratch, s->network, &s->parameters, ROWS, NULL), NL_OK);
  assert_int_equal(nl_scratch_create(&s->gradients, s->network, &s->parameters, ROWS, NULL), NL_OK);
  uint32_t state = 11;
  for (size_t i = 0; i < ROWS * FEATURES; i++) s->x[i] = noise(&state);
  for (size_t i = 0; i < ROWS * 4; i++) s->seed[i] = noise(&state);
  for (size_t i = 0; i < s->network->step_count; i++)
    memset(s->gradients.values[i], 0, ROWS * s->parameters.layers[i].width * sizeof(double));
  memcpy(s->gradients.values[s->network->outputs[0]], s->seed, sizeof s->seed);
  nl_forward_all(s->network, &s->parameters, &s->scratch, ROWS, s->x);
  nl_forward_gradient(s->network, &s->parameters, &s->scratch, &s->gradients, ROWS);
}

static void tear_down(setting *s) {
  nl_scratch_free(&s->scratch);
  nl_scratch_free(&s->gradients);
  nl_parameters_free(&s->parameters);
  nl_network_free(s->network);
  nl_graph_free(s->graph);
  nl_buffer_free(&s->bytes);
}

// (F(v + h) - F(v - h)) / 2h for one of the numbers that Σ seed · output depends on
static void assert_derivative(setting *s, double *number, double found) {
  const double step = 1e-6, at = *number;
  *number = at + step;
  const double above = seeded_sum(s->network, &s->parameters, s->x, s->seed);
  *number = at - step;
  const double below = seeded_sum(s->network, &s->parameters, s->x, s->seed);
  *number = at;
  assert_true(fabs((above - below) / (2 * step) - found) < 1e-7);
}

static void check_gradient(const char *last) {
  setting s;
  set_up(&s, last);
  for (size_t i = 0; i < ROWS * FEATURES; i++) assert_derivative(&s, &s.x[i], s.gradients.values[0][i]);
  tear_down(&s);
}

static void check_weight_gradient(const char *last) {
  setting s;
  size_t dense = 0;
  set_up(&s, last);
  for (size_t step = 0; step < s.network->step_count; step++) {
    if (s.network->steps[step].kind != NL_STEP_DENSE) continue;
    const nl_layer *layer = &s.parameters.layers[step];
    double weights[16] = {0}, bias[4] = {0};
    nl_forward_weight_gradient(s.network, &s.parameters, &s.scratch, &s.gradients, step, ROWS, weights, bias);
    for (size_t i = 0; i < layer->width * layer->in_width; i++) assert_derivative(&s, &layer->weights[i], weights[i]);
    for (size_t o = 0; o < layer->width; o++) assert_derivative(&s, &layer->bias[o], bias[o]);
    dense++;
  }
  assert_int_equal(dense, 3);
  tear_down(&s);
}

static void gradient_equals_central_differences_through_every_kind_of_step(void **context) {
  (void)context;
  check_gradient("Identity");
  check_gradient("Sigmoid");
}

static void gradient_passes_through_softmax_and_its_logarithm(void **context) {
  (void)context;
  check_gradient("Softmax");
  check_gradient("LogSoftmax");
}

static void weight_gradient_equals_central_differences_behind_every_kind_of_step(void **context) {
  (void)context;
  check_weight_gradient("Identity");
  check_weight_gradient("Sigmoid");
  check_weight_gradient("Relu");
  check_weight_gradient("Softmax");
  check_weight_gradient("LogSoftmax");
}

static void weight_gradient_adds_to_what_is_there(void **context) {
  (void)context;
  setting s;
  set_up(&s, "Tanh");
  size_t step = 0;
  while (s.network->steps[step].kind != NL_STEP_DENSE) step++;
  double once[16] = {0}, twice[16] = {0}, bias[4] = {0};
  nl_forward_weight_gradient(s.network, &s.parameters, &s.scratch, &s.gradients, step, ROWS, once, NULL);
  nl_forward_weight_gradient(s.network, &s.parameters, &s.scratch, &s.gradients, step, ROWS, twice, NULL);
  nl_forward_weight_gradient(s.network, &s.parameters, &s.scratch, &s.gradients, step, ROWS, twice, NULL);
  nl_forward_weight_gradient(s.network, &s.parameters, &s.scratch, &s.gradients, step, ROWS, NULL, bias);
  for (size_t i = 0; i < FEATURES * 4; i++) assert_true(fabs(twice[i] - 2 * once[i]) < 1e-12 && once[i] != 0);
  for (size_t i = 0; i < 4; i++) assert_true(bias[i] != 0);
  tear_down(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradient_equals_central_differences_through_every_kind_of_step),
      cmocka_unit_test(gradient_passes_through_softmax_and_its_logarithm),
      cmocka_unit_test(weight_gradient_equals_central_differences_behind_every_kind_of_step),
      cmocka_unit_test(weight_gradient_adds_to_what_is_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
