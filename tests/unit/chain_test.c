// A chain is the network in other words: evaluated by its formula, it gives what the steps give.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "json.h"
#include "onnx.h"

enum { ROWS = 5, WIDTH_MOST = 8 };

typedef struct fixture {
  nl_buffer onnx;
  nl_graph *graph;
  nl_network *network;
  nl_arena arena;
  nl_sites sites;
  nl_parameters parameters;
} fixture;

static void understand(fixture *f) {
  assert_int_equal(nl_onnx_read(&f->graph, (nl_span){f->onnx.bytes, f->onnx.size}, NULL), NL_OK);
  assert_int_equal(nl_network_create(&f->network, f->graph, NULL), NL_OK);
  assert_int_equal(nl_sites_find(&f->sites, f->network, &f->arena, NULL), NL_OK);
  assert_int_equal(nl_parameters_load(&f->parameters, f->network, NULL), NL_OK);
}

static void open_text(fixture *f, const char *text) {
  *f = (fixture){0};
  const nl_span source = {(const uint8_t *)text, strlen(text)};
  assert_int_equal(nl_json_read(source, &f->onnx, NULL), NL_OK);
  understand(f);
}

static void close_text(fixture *f) {
  nl_parameters_free(&f->parameters);
  nl_network_free(f->network);
  nl_arena_free(&f->arena);
  nl_graph_free(f->graph);
  nl_buffer_free(&f->onnx);
}

static void evaluate(const nl_chain *chain, const double *x, double *y) {
  double a[WIDTH_MOST], z[WIDTH_MOST];
  memcpy(a, x, chain->features * sizeof *a);
  for (size_t l = 0; l < chain->count; l++) {
    const nl_chain_layer *layer = &chain->layers[l];
    for (size_t o = 0; o < layer->width; o++) {
      z[o] = layer->bias[o];
      for (size_t i = 0; i < layer->in_width; i++) z[o] += layer->weights[o * layer->in_width + i] * a[i];
    }
    for (size_t o = 0; o < layer->width; o++) a[o] = nl_chain_activation(chain, l, z[o]);
  }
  memcpy(y, a, chain->layers[chain->count - 1].width * sizeof *y);
}

static const char form[] =
    "{\"format\": \"netlump\", \"version\": 1, \"layers\": ["
    "{\"weights\": [[0.5, -1.25], [1.5, 0.25], [-0.75, 2]], \"bias\": [0.1, -0.2, 0.3], \"activation\": %s},"
    "{\"weights\": [[1, -0.5, 0.25], [0.5, 0.75, -1]], \"activation\": %s},"
    "{\"weights\": [[2, -1], [0.5, 1]], \"bias\": [0.5, -0.5]}]}";

static void chain_equals_the_network(const char *activation, nl_chain_kind kind) {
  char text[1024];
  snprintf(text, sizeof text, form, activation, activation);
  fixture f;
  nl_chain chain;
  open_text(&f, text);
  assert_int_equal(nl_chain_create(&chain, f.network, &f.sites, &f.parameters, NULL), NL_OK);
  assert_int_equal(chain.count, 3);
  assert_int_equal(chain.layers[0].kind, kind);
  assert_true(chain.layers[0].alike);
  assert_int_equal(chain.layers[1].site, f.sites.site_of[chain.layers[1].dense]);
  assert_int_equal(chain.layers[2].site, NL_NONE);
  const double x[ROWS * 2] = {0.3, -0.7, 1.1, 0.2, -1.4, 0.9, 0, 0, 2, -2};
  double y[ROWS * 2], other[2];
  assert_int_equal(nl_forward(f.network, &f.parameters, ROWS, x, y, NULL), NL_OK);
  for (size_t r = 0; r < ROWS; r++) {
    evaluate(&chain, x + 2 * r, other);
    for (size_t c = 0; c < 2; c++) assert_true(fabs(other[c] - y[2 * r + c]) <= 1e-12 * (1 + fabs(other[c])));
  }
  nl_chain_free(&chain);
  close_text(&f);
}

static void a_chain_computes_what_its_network_does(void **state) {
  (void)state;
  chain_equals_the_network("\"identity\"", NL_CHAIN_IDENTITY);
  chain_equals_the_network("\"tanh\"", NL_CHAIN_FUNCTION);
  chain_equals_the_network("{\"name\": \"leakyrelu\", \"alpha\": 0.1}", NL_CHAIN_FUNCTION);
  chain_equals_the_network("\"square\"", NL_CHAIN_POLYNOMIAL);
  chain_equals_the_network("{\"name\": \"polynomial\", \"coefficients\": [0.5, 1, -0.25, 0.125]}", NL_CHAIN_POLYNOMIAL);
  chain_equals_the_network("\"swish\"", NL_CHAIN_OTHER);
}

static void polynomials_are_recognised_by_their_coefficients(void **state) {
  (void)state;
  char text[1024];
  snprintf(text, sizeof text, form, "{\"name\": \"polynomial\", \"coefficients\": [0.5, 1, -0.25, 0.125]}",
           "\"square\"");
  fixture f;
  nl_chain chain;
  open_text(&f, text);
  assert_int_equal(nl_chain_create(&chain, f.network, &f.sites, &f.parameters, NULL), NL_OK);
  const double expected[4] = {0.5, 1, -0.25, 0.125};
  assert_int_equal(chain.layers[0].degree, 3);
  assert_memory_equal(chain.layers[0].coefficients, expected, sizeof expected);
  assert_int_equal(chain.layers[1].degree, 2);
  assert_true(chain.layers[1].coefficients[2] == 1 && chain.layers[1].coefficients[1] == 0);
  nl_chain_free(&chain);
  close_text(&f);
}

// y = V swish(g (W x + b)) + c: what BatchNormalization before a decomposed activation comes to.
static void a_composite_starts_behind_the_scale_of_each_channel(void **state) {
  (void)state;
  nl_onnx_builder *b = NULL;
  const double w[6] = {0.5, -1, 1.5, 0.25, -0.75, 2}, gain[3] = {2, -0.5, 1.5}, v[6] = {1, -1, 0.5, 0.25, 2, -0.5};
  const int64_t in[2] = {-1, 2}, wide[2] = {2, 3}, channels[1] = {3}, out[2] = {3, 2}, y_dims[2] = {-1, 2};
  assert_int_equal(nl_onnx_builder_create(&b, "test", "graph", 13, NULL), NL_OK);
  assert_int_equal(nl_onnx_builder_input(b, "x", 2, in, NULL), NL_OK);
  assert_int_equal(nl_onnx_builder_output(b, "y", 2, y_dims, NULL), NL_OK);
  assert_int_equal(nl_onnx_builder_tensor(b, "w", 2, wide, w, NULL), NL_OK);
  assert_int_equal(nl_onnx_builder_tensor(b, "gain", 1, channels, gain, NULL), NL_OK);
  assert_int_equal(nl_onnx_builder_tensor(b, "v", 2, out, v, NULL), NL_OK);
  static const char *const nodes[5][4] = {{"MatMul", "x", "w", "z"},
                                          {"Mul", "z", "gain", "s"},
                                          {"Sigmoid", "s", NULL, "t"},
                                          {"Mul", "s", "t", "a"},
                                          {"MatMul", "a", "v", "y"}};
  for (size_t n = 0; n < 5; n++)
    assert_int_equal(nl_onnx_builder_node(b, nodes[n][0], nodes[n][3], nodes[n][2] != NULL ? 2 : 1,
                                          (const char *const[2]){nodes[n][1], nodes[n][2]}, nodes[n][3], 0, NULL, NULL,
                                          0, NULL, NULL, NULL),
                     NL_OK);
  fixture f = {0};
  nl_chain chain;
  assert_int_equal(nl_onnx_builder_finish(b, &f.onnx, NULL), NL_OK);
  nl_onnx_builder_free(b);
  understand(&f);
  assert_int_equal(nl_chain_create(&chain, f.network, &f.sites, &f.parameters, NULL), NL_OK);
  assert_int_equal(chain.layers[0].kind, NL_CHAIN_OTHER);
  assert_false(chain.layers[0].alike);
  const double x[2] = {0.7, -1.3};
  double y[2], other[2];
  assert_int_equal(nl_forward(f.network, &f.parameters, 1, x, y, NULL), NL_OK);
  evaluate(&chain, x, other);
  for (size_t c = 0; c < 2; c++) assert_true(fabs(other[c] - y[c]) <= 1e-6 * (1 + fabs(y[c])));
  nl_chain_free(&chain);
  close_text(&f);
}

static void a_softmax_at_the_end_is_the_tail(void **state) {
  (void)state;
  fixture f;
  nl_chain chain;
  open_text(&f,
            "{\"format\": \"netlump\", \"version\": 1, \"layers\": [{\"weights\": [[1],[2]], \"activation\": \"tanh\"},"
            "{\"weights\": [[1, 2], [3, 4]], \"activation\": \"softmax\"}]}");
  assert_int_equal(nl_chain_create(&chain, f.network, &f.sites, &f.parameters, NULL), NL_OK);
  assert_int_equal(chain.count, 2);
  assert_int_equal(chain.layers[1].kind, NL_CHAIN_IDENTITY);
  assert_int_equal(f.network->steps[chain.tail].kind, NL_STEP_SOFTMAX);
  nl_chain_free(&chain);
  close_text(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_chain_computes_what_its_network_does),
      cmocka_unit_test(polynomials_are_recognised_by_their_coefficients),
      cmocka_unit_test(a_composite_starts_behind_the_scale_of_each_channel),
      cmocka_unit_test(a_softmax_at_the_end_is_the_tail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
