// The claims of lumping.h at ε = 0: networks with planted copies, multiples, mirrored and constant units come back smaller
// and compute the same; and where no claim is made, they do not.
#include <stdio.h>

#include "models.h"

#include "chain.h"
#include "deviation.h"
#include "forward.h"
#include "json.h"
#include "lumping.h"
#include "onnx.h"
#include "partition.h"
#include "refit.h"
#include "site.h"

enum { ROWS = 64 };

typedef struct plant {
  double w1[6][3], b1[6], w2[5][6], b2[5], w3[2][5], b3[2];
} plant;

static double single(double value) { return (double)(float)value; }

static plant drawn(uint64_t seed) {
  plant p;
  double *at[6] = {&p.w1[0][0], p.b1, &p.w2[0][0], p.b2, &p.w3[0][0], p.b3};
  const size_t count[6] = {18, 6, 30, 5, 10, 2};
  for (size_t k = 0; k < 6; k++)
    for (size_t i = 0; i < count[k]; i++) at[k][i] = single(gauss(&seed));
  return p;
}

// Unit 3 of the first layer is `factor` times unit 0, unit 4 of the second the same of unit 1 as seen through the first.
static void plant_multiples(plant *p, double factor, double effect) {
  for (size_t j = 0; j < 3; j++) p->w1[3][j] = factor * p->w1[0][j];
  p->b1[3] = factor * p->b1[0];
  for (size_t j = 0; j < 6; j++) p->w2[4][j] = factor * p->w2[1][j];
  p->w2[4][0] += 0.25 * effect;
  p->w2[4][3] -= 0.25;
  p->b2[4] = factor * p->b2[1];
}

static void plant_constant(plant *p) {
  for (size_t j = 0; j < 3; j++) p->w1[5][j] = 0;
  p->b1[5] = 0.75;
}

// The next layers read units 0 and 3, 1 and 4 alike.
static void plant_alike_readers(plant *p) {
  for (size_t k = 0; k < 5; k++) p->w2[k][3] = p->w2[k][0];
  for (size_t k = 0; k < 2; k++) p->w3[k][4] = p->w3[k][1];
}

static size_t put_layer(char *text, size_t size, size_t out, size_t in, const double *w, const double *b,
                        const char *activation) {
  size_t at = (size_t)snprintf(text, size, "{\"weights\": [");
  for (size_t o = 0; o < out; o++)
    for (size_t i = 0; i < in; i++)
      at += (size_t)snprintf(text + at, size - at, "%s%.17g%s", i == 0 ? (o == 0 ? "[" : ",[") : ",", w[o * in + i],
                             i + 1 == in ? "]" : "");
  at += (size_t)snprintf(text + at, size - at, "], \"bias\": [");
  for (size_t o = 0; o < out; o++) at += (size_t)snprintf(text + at, size - at, "%s%.17g", o == 0 ? "" : ",", b[o]);
  return at + (size_t)snprintf(text + at, size - at, "], \"activation\": %s}", activation);
}

typedef struct outcome {
  size_t widths[2];
  double deviation;
} outcome;

static void lump(const nl_chain *chain, const nl_sites *sites, const nl_partition_options *options,
                 nl_quotient_kind kind, nl_lumping *lumpings, nl_arena *arena) {
  nl_partitioner *partitioner;
  const nl_partition *p;
  OK(nl_partitioner_create(&partitioner, chain, options, NULL));
  OK(nl_partitioner_at(partitioner, 0, &p, NULL));
  for (size_t l = 0; l < p->layers; l++) {
    const nl_chain_layer *layer = &chain->layers[l];
    const nl_layer_blocks blocks = {p->block_of[l], p->blocks[l], options->symmetric ? p->scale[l] : NULL,
                                    options->symmetric ? p->constant[l] : NULL, !sites->sites[layer->site].affine};
    OK(nl_lumping_of_partition(&lumpings[layer->site], arena, kind, layer, &blocks, NULL));
  }
  nl_partitioner_free(partitioner);
}

static double refitted(const nl_network *network, const nl_sites *sites, const nl_parameters *parameters,
                       const nl_lumping *lumpings) {
  double *x = random_numbers(5, ROWS * network->features, 1.0);
  const nl_refit_input input = {.network = network,
                                .sites = sites,
                                .original = parameters,
                                .lumpings = lumpings,
                                .rows = ROWS,
                                .x = x,
                                .fit = false};
  nl_refit *refit;
  double progress;
  OK(nl_refit_create(&refit, &input, NULL));
  nl_status status;
  while ((status = nl_refit_step(refit, &progress, NULL)) == NL_MORE) {
  }
  OK(status);
  nl_deviation *away;
  OK(nl_deviation_create(&away, network, parameters, nl_refit_parameters(refit), ROWS, x, NULL));
  while ((status = nl_deviation_step(away, &progress, NULL)) == NL_MORE) {
  }
  OK(status);
  const double deviation = nl_deviation_relative(away);
  nl_deviation_free(away);
  nl_refit_free(refit);
  free(x);
  return deviation;
}

static outcome lumped(const plant *p, const char *activation, const nl_partition_options *options,
                      nl_quotient_kind kind) {
  char text[8192];
  size_t at = (size_t)snprintf(text, sizeof text, "{\"format\": \"netlump\", \"version\": 1, \"layers\": [");
  at += put_layer(text + at, sizeof text - at, 6, 3, &p->w1[0][0], p->b1, activation);
  at += (size_t)snprintf(text + at, sizeof text - at, ",");
  at += put_layer(text + at, sizeof text - at, 5, 6, &p->w2[0][0], p->b2, activation);
  at += (size_t)snprintf(text + at, sizeof text - at, ",");
  at += put_layer(text + at, sizeof text - at, 2, 5, &p->w3[0][0], p->b3, "\"identity\"");
  at += (size_t)snprintf(text + at, sizeof text - at, "]}");
  nl_buffer onnx = {0};
  nl_graph *graph;
  nl_network *network;
  nl_arena arena = {0};
  nl_sites sites;
  nl_parameters parameters;
  nl_chain chain;
  nl_lumping lumpings[2] = {{0}};
  OK(nl_json_read((nl_span){(const uint8_t *)text, at}, &onnx, NULL));
  OK(nl_onnx_read(&graph, (nl_span){onnx.bytes, onnx.size}, NULL));
  OK(nl_network_create(&network, graph, NULL));
  OK(nl_sites_find(&sites, network, &arena, NULL));
  OK(nl_parameters_load(&parameters, network, NULL));
  OK(nl_chain_create(&chain, network, &sites, &parameters, NULL));
  lump(&chain, &sites, options, kind, lumpings, &arena);
  const outcome out = {{lumpings[chain.layers[0].site].k, lumpings[chain.layers[1].site].k},
                       refitted(network, &sites, &parameters, lumpings)};
  nl_chain_free(&chain);
  nl_parameters_free(&parameters);
  nl_network_free(network);
  nl_arena_free(&arena);
  nl_graph_free(graph);
  nl_buffer_free(&onnx);
  return out;
}

static void assert_outcome(outcome found, size_t first, size_t second, const char *what) {
  if (found.widths[0] != first || found.widths[1] != second || !(found.deviation <= 1e-6))
    fail_msg("%s: %zu and %zu units, deviation %g", what, found.widths[0], found.widths[1], found.deviation);
}

static const nl_partition_options adjoint = {.encoding = NL_ENCODING_ADJOINT};
static const nl_partition_options linear_forward = {.encoding = NL_ENCODING_LINEAR};
static const nl_partition_options linear_backward = {.encoding = NL_ENCODING_LINEAR,
                                                     .equivalence = NL_EQUIVALENCE_BACKWARD};
static const nl_partition_options polynomial_backward = {.encoding = NL_ENCODING_POLYNOMIAL,
                                                         .equivalence = NL_EQUIVALENCE_BACKWARD};
static const nl_partition_options symmetric = {.encoding = NL_ENCODING_ADJOINT, .symmetric = true};

static void incoming_equivalences_are_exact_for_every_activation(void **state) {
  (void)state;
  static const char *const activations[] = {
      "relu", "leakyrelu", "elu",   "selu", "celu", "sigmoid", "hardsigmoid", "tanh",     "softplus", "softsign",
      "gelu", "hardswish", "swish", "mish", "clip", "abs",     "erf",         "identity", "square"};
  for (size_t k = 0; k < sizeof activations / sizeof *activations; k++) {
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\"", activations[k]);
    plant p = drawn(k + 1);
    plant_multiples(&p, 1, 1);
    assert_outcome(lumped(&p, quoted, &adjoint, NL_QUOTIENT_MEANS), 5, 4, quoted);
    assert_outcome(lumped(&p, quoted, &adjoint, NL_QUOTIENT_REPRESENTATIVE), 5, 4, quoted);
    assert_outcome(lumped(&p, quoted, &linear_backward, NL_QUOTIENT_MEANS), 5, 4, quoted);
    assert_outcome(lumped(&p, quoted, &linear_backward, NL_QUOTIENT_REPRESENTATIVE), 5, 4, quoted);
  }
}

static void forward_equivalence_of_the_linear_encoding_is_exact_for_the_identity_alone(void **state) {
  (void)state;
  plant p = drawn(3);
  plant_alike_readers(&p);
  assert_outcome(lumped(&p, "\"identity\"", &linear_forward, NL_QUOTIENT_FORWARD), 5, 4, "identity");
  const char *const others[3] = {"\"tanh\"", "\"relu\"", "\"square\""};
  for (size_t k = 0; k < 3; k++) {
    const outcome found = lumped(&p, others[k], &linear_forward, NL_QUOTIENT_FORWARD);
    assert_true(found.widths[0] == 5 && found.widths[1] == 4 && found.deviation > 1e-2);
  }
}

static void multiples_are_found_where_the_activation_lets_them_through(void **state) {
  (void)state;
  const struct {
    const char *activation;
    double factor, effect; // of the pre-activation, of the activation
  } claims[] = {{"\"relu\"", 2.5, 2.5},      {"{\"name\": \"leakyrelu\", \"alpha\": 0.2}", 0.3, 0.3},
                {"\"abs\"", 2.5, 2.5},       {"\"abs\"", -3, 3},
                {"\"tanh\"", -1, -1},        {"\"softsign\"", -1, -1},
                {"\"erf\"", -1, -1},         {"\"square\"", -1, 1},
                {"\"identity\"", -1.7, -1.7}};
  for (size_t k = 0; k < sizeof claims / sizeof *claims; k++) {
    plant p = drawn(20 + k);
    plant_multiples(&p, claims[k].factor, claims[k].effect);
    assert_outcome(lumped(&p, claims[k].activation, &symmetric, NL_QUOTIENT_REPRESENTATIVE), 5, 4,
                   claims[k].activation);
    assert_outcome(lumped(&p, claims[k].activation, &symmetric, NL_QUOTIENT_MEANS), 5, 4, claims[k].activation);
  }
}

static void multiples_stay_apart_where_it_does_not(void **state) {
  (void)state;
  plant p = drawn(31);
  plant_multiples(&p, 2, 2);
  assert_outcome(lumped(&p, "\"tanh\"", &symmetric, NL_QUOTIENT_REPRESENTATIVE), 6, 5, "tanh doubled");
  plant_multiples(&p, -1, -1);
  assert_outcome(lumped(&p, "\"relu\"", &symmetric, NL_QUOTIENT_REPRESENTATIVE), 6, 5, "relu mirrored");
  assert_outcome(lumped(&p, "\"sigmoid\"", &symmetric, NL_QUOTIENT_REPRESENTATIVE), 6, 5, "sigmoid mirrored");
}

static void constant_units_go_into_the_bias(void **state) {
  (void)state;
  static const char *const activations[] = {"\"relu\"", "\"tanh\"", "\"gelu\"", "\"sigmoid\""};
  for (size_t k = 0; k < 4; k++) {
    plant p = drawn(40 + k);
    plant_constant(&p);
    assert_outcome(lumped(&p, activations[k], &symmetric, NL_QUOTIENT_REPRESENTATIVE), 5, 5, activations[k]);
  }
}

static void mirrored_squares_share_a_polynomial(void **state) {
  (void)state;
  plant p = drawn(50);
  plant_multiples(&p, -1, 1);
  assert_outcome(lumped(&p, "\"square\"", &polynomial_backward, NL_QUOTIENT_REPRESENTATIVE), 5, 4, "square");
  assert_true(lumped(&p, "\"square\"", &polynomial_backward, NL_QUOTIENT_MEANS).deviation > 1e-2); // no claim: w and −w
}

// Who reads a neuron says nothing about what it does.
static void equivalences_by_readers_claim_nothing_for_other_activations(void **state) {
  (void)state;
  static const nl_partition_options by_readers[2] = {
      {.encoding = NL_ENCODING_ADJOINT, .equivalence = NL_EQUIVALENCE_BACKWARD},
      {.encoding = NL_ENCODING_POLYNOMIAL, .equivalence = NL_EQUIVALENCE_FORWARD}};
  plant p = drawn(70);
  plant_alike_readers(&p);
  for (size_t k = 0; k < 2; k++) {
    const outcome found = lumped(&p, "\"square\"", &by_readers[k], NL_QUOTIENT_REPRESENTATIVE);
    assert_true(found.widths[0] == 5 && found.widths[1] == 4 && found.deviation > 1e-2);
  }
}

static void a_site_of_constants_keeps_one_unit(void **state) {
  (void)state;
  plant p = drawn(60);
  memset(p.w1, 0, sizeof p.w1);
  assert_outcome(lumped(&p, "\"tanh\"", &symmetric, NL_QUOTIENT_REPRESENTATIVE), 1, 1, "constant network");
}

static void a_bound_site_keeps_one_constant_unit(void **state) {
  (void)state;
  double weights[6] = {1, 2, 0, 0, 0, 0}, bias[3] = {0, 0.5, -1};
  const nl_chain_layer layer = {.width = 3, .in_width = 2, .weights = weights, .bias = bias, .alike = true};
  const size_t block_of[3] = {0, NL_NONE, NL_NONE};
  const double scale[3] = {1, 0, 0}, constant[3] = {0, 0.25, -0.5};
  const nl_layer_blocks blocks = {block_of, 1, scale, constant, true};
  nl_arena arena = {0};
  nl_lumping l;
  OK(nl_lumping_of_partition(&l, &arena, NL_QUOTIENT_REPRESENTATIVE, &layer, &blocks, NULL));
  assert_true(l.k == 2 && l.kept[0] == 0 && l.kept[1] == 2);
  assert_true(l.prolongation[1 * 2 + 1] == -0.5 && l.prolongation[2 * 2 + 1] == 1 && l.offset[1] == 0);
  nl_arena_free(&arena);
}

static void the_forward_quotient_refuses_what_does_not_sum(void **state) {
  (void)state;
  double weights[2] = {1, 2}, bias[2] = {0};
  const size_t block_of[2] = {0, 0};
  const nl_chain_layer layer = {.width = 2, .in_width = 1, .weights = weights, .bias = bias, .alike = false};
  nl_arena arena = {0};
  nl_lumping l;
  const nl_layer_blocks blocks = {.block_of = block_of, .blocks = 1};
  assert_int_equal(nl_lumping_of_partition(&l, &arena, NL_QUOTIENT_FORWARD, &layer, &blocks, NULL),
                   NL_ERROR_UNSUPPORTED);
  OK(nl_lumping_of_partition(&l, &arena, NL_QUOTIENT_MEANS, &layer, &blocks, NULL));
  assert_null(l.restriction);
  nl_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(incoming_equivalences_are_exact_for_every_activation),
      cmocka_unit_test(forward_equivalence_of_the_linear_encoding_is_exact_for_the_identity_alone),
      cmocka_unit_test(multiples_are_found_where_the_activation_lets_them_through),
      cmocka_unit_test(multiples_stay_apart_where_it_does_not),
      cmocka_unit_test(constant_units_go_into_the_bias),
      cmocka_unit_test(mirrored_squares_share_a_polynomial),
      cmocka_unit_test(equivalences_by_readers_claim_nothing_for_other_activations),
      cmocka_unit_test(a_site_of_constants_keeps_one_unit),
      cmocka_unit_test(a_bound_site_keeps_one_constant_unit),
      cmocka_unit_test(the_forward_quotient_refuses_what_does_not_sum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
