// A certificate is sound: nothing sampled or searched exceeds it, whatever the activation; and it is tight where it can be.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certify.h"
#include "certify_curve.h"
#include "json.h"
#include "models.h"
#include "onnx.h"

#ifndef CASES // of each activation
#define CASES 8
#endif

enum { IN = 3, FIRST = 6, SECOND = 5, OUT = 2, KEPT_FIRST = 4, KEPT_SECOND = 3, SAMPLES = 400, TEXT = 8192 };

static const char *const activations[] = {
    "\"identity\"",
    "\"relu\"",
    "{\"name\": \"leakyrelu\", \"alpha\": 0.1}",
    "\"elu\"",
    "\"selu\"",
    "{\"name\": \"celu\", \"alpha\": 0.5}",
    "\"sigmoid\"",
    "\"hardsigmoid\"",
    "\"tanh\"",
    "\"softplus\"",
    "\"softsign\"",
    "\"gelu\"",
    "\"hardswish\"",
    "\"mish\"",
    "\"abs\"",
    "\"erf\"",
    "{\"name\": \"clip\", \"min\": -0.5, \"max\": 0.75}",
    "\"swish\"",
    "\"square\"",
    "{\"name\": \"polynomial\", \"coefficients\": [0.5, 1, -0.25, 0.125]}",
};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

// ---- two networks --------------------------------------------------------------------------------------------------------

typedef struct net {
  nl_buffer onnx;
  nl_graph *graph;
  nl_network *network;
  nl_arena arena;
  nl_sites sites;
  nl_parameters parameters;
  nl_chain chain;
} net;

static void open_net(net *n, const char *text) {
  *n = (net){0};
  const nl_span source = {(const uint8_t *)text, strlen(text)};
  assert_int_equal(nl_json_read(source, &n->onnx, NULL), NL_OK);
  assert_int_equal(nl_onnx_read(&n->graph, (nl_span){n->onnx.bytes, n->onnx.size}, NULL), NL_OK);
  assert_int_equal(nl_network_create(&n->network, n->graph, NULL), NL_OK);
  assert_int_equal(nl_sites_find(&n->sites, n->network, &n->arena, NULL), NL_OK);
  assert_int_equal(nl_parameters_load(&n->parameters, n->network, NULL), NL_OK);
  assert_int_equal(nl_chain_create(&n->chain, n->network, &n->sites, &n->parameters, NULL), NL_OK);
}

static void close_net(net *n) {
  nl_chain_free(&n->chain);
  nl_parameters_free(&n->parameters);
  nl_network_free(n->network);
  nl_arena_free(&n->arena);
  nl_graph_free(n->graph);
  nl_buffer_free(&n->onnx);
}

typedef struct weights {
  double first[FIRST * IN], b1[FIRST], second[SECOND * FIRST], b2[SECOND], third[OUT * SECOND], b3[OUT];
} weights;

static size_t write_layer(char *text, size_t at, size_t out, size_t in, const double *w, const double *b,
                          const char *activation) {
  for (size_t o = 0; o < out; o++) {
    at += (size_t)snprintf(text + at, TEXT - at, o == 0 ? "{\"weights\": [[" : ", [");
    for (size_t i = 0; i < in; i++)
      at += (size_t)snprintf(text + at, TEXT - at, "%s%.9g", i > 0 ? ", " : "", w[o * in + i]);
    at += (size_t)snprintf(text + at, TEXT - at, "]");
  }
  at += (size_t)snprintf(text + at, TEXT - at, "], \"bias\": [");
  for (size_t o = 0; o < out; o++) at += (size_t)snprintf(text + at, TEXT - at, "%s%.9g", o > 0 ? ", " : "", b[o]);
  return at + (size_t)snprintf(text + at, TEXT - at, "], \"activation\": %s}", activation);
}

static void open_weights(net *n, const weights *w, size_t first, size_t second, const char *activation,
                         const char *last) {
  char text[TEXT];
  size_t at = (size_t)snprintf(text, TEXT, "{\"format\": \"netlump\", \"version\": 1, \"layers\": [");
  at = write_layer(text, at, first, IN, w->first, w->b1, activation);
  at += (size_t)snprintf(text + at, TEXT - at, ", ");
  at = write_layer(text, at, second, first, w->second, w->b2, activation);
  at += (size_t)snprintf(text + at, TEXT - at, ", ");
  at = write_layer(text, at, OUT, second, w->third, w->b3, last);
  snprintf(text + at, TEXT - at, "]}");
  open_net(n, text);
}

static void fill(uint64_t *seed, size_t count, double spread, double *numbers) {
  for (size_t i = 0; i < count; i++) numbers[i] = spread * gauss(seed);
}

// The first units stay; what the others gave goes to kept ones, and everything moves a little.
static weights lump(uint64_t *seed, const weights *w, double noise) {
  weights r = *w;
  for (size_t o = 0; o < KEPT_SECOND; o++)
    for (size_t i = 0; i < KEPT_FIRST; i++) {
      double sum = w->second[o * FIRST + i];
      for (size_t j = KEPT_FIRST; j < FIRST; j++)
        if (j % KEPT_FIRST == i) sum += 0.9 * w->second[o * FIRST + j];
      r.second[o * KEPT_FIRST + i] = sum + noise * gauss(seed);
    }
  for (size_t o = 0; o < OUT; o++)
    for (size_t i = 0; i < KEPT_SECOND; i++) {
      double sum = w->third[o * SECOND + i];
      for (size_t j = KEPT_SECOND; j < SECOND; j++)
        if (j % KEPT_SECOND == i) sum += 0.8 * w->third[o * SECOND + j];
      r.third[o * KEPT_SECOND + i] = sum + noise * gauss(seed);
    }
  return r;
}

typedef struct setting {
  net f, g;
  double low[IN], high[IN];
} setting;

static void open_pair(setting *x, uint64_t seed, const char *activation, double noise) {
  weights w;
  const char *last = seed % 3 == 0 ? activation : "\"identity\"";
  fill(&seed, FIRST * IN, 0.8, w.first);
  fill(&seed, FIRST, 0.5, w.b1);
  for (size_t j = KEPT_FIRST; j < FIRST; j++) // near another unit, as what is lumped is
    for (size_t i = 0; i < IN; i++) w.first[j * IN + i] = w.first[(j % KEPT_FIRST) * IN + i] + 0.1 * gauss(&seed);
  fill(&seed, SECOND * FIRST, 0.6, w.second);
  fill(&seed, SECOND, 0.5, w.b2);
  fill(&seed, OUT * SECOND, 0.6, w.third);
  fill(&seed, OUT, 0.5, w.b3);
  const weights r = lump(&seed, &w, noise);
  open_weights(&x->f, &w, FIRST, SECOND, activation, last);
  open_weights(&x->g, &r, KEPT_FIRST, KEPT_SECOND, activation, last);
  for (size_t i = 0; i < IN; i++) {
    const double middle = gauss(&seed), reach = uniform01(&seed) < 0.15 ? 0 : exp(1.5 * gauss(&seed) - 1);
    x->low[i] = middle - reach;
    x->high[i] = middle + reach;
  }
}

static void close_pair(setting *x) {
  close_net(&x->f);
  close_net(&x->g);
}

static nl_certify *certify(const setting *x, unsigned methods, double budget) {
  const nl_certify_input input = {&x->f.chain, &x->g.chain, x->low, x->high, budget, 2000, methods};
  nl_certify *c = NULL;
  double progress = 0;
  assert_int_equal(nl_certify_create(&c, &input, NULL), NL_OK);
  nl_status status = NL_MORE;
  while (status == NL_MORE) {
    status = nl_certify_step(c, &progress, NULL);
    assert_true(progress >= 0 && progress <= 1);
  }
  assert_int_equal(status, NL_OK);
  assert_true(progress == 1);
  return c;
}

static double bound_with(const setting *x, unsigned methods, double budget) {
  nl_certify *c = certify(x, methods, budget);
  const double bound = nl_certify_bound(c);
  nl_certify_free(c);
  return bound;
}

// ---- soundness -----------------------------------------------------------------------------------------------------------

// rounding of the two evaluations that are compared with the bound, not of the bound
static double slack(double a, double b) { return 1e-13 * (1 + fabs(a) + fabs(b)); }

static void check_points(const setting *x, const nl_certify *c, uint64_t seed) {
  double points[(SAMPLES + 1) * IN], y[(SAMPLES + 1) * OUT], z[(SAMPLES + 1) * OUT];
  for (size_t r = 0; r < SAMPLES; r++)
    for (size_t i = 0; i < IN; i++) {
      const double at = r % 3 == 0 ? floor(2 * uniform01(&seed)) : uniform01(&seed);
      points[r * IN + i] = fmin(x->low[i] + at * (x->high[i] - x->low[i]), x->high[i]);
    }
  memcpy(points + SAMPLES * IN, nl_certify_found_at(c), IN * sizeof *points);
  assert_int_equal(nl_forward(x->f.network, &x->f.parameters, SAMPLES + 1, points, y, NULL), NL_OK);
  assert_int_equal(nl_forward(x->g.network, &x->g.parameters, SAMPLES + 1, points, z, NULL), NL_OK);
  for (size_t i = 0; i < (SAMPLES + 1) * OUT; i++)
    if (fabs(y[i] - z[i]) > nl_certify_bounds(c)[i % OUT] + slack(y[i], z[i]))
      fail_msg("a change of %.17g, a bound of %.17g by %s", fabs(y[i] - z[i]), nl_certify_bounds(c)[i % OUT],
               nl_certify_method(c));
  double most = 0;
  for (size_t o = 0; o < OUT; o++) most = fmax(most, fabs(y[SAMPLES * OUT + o] - z[SAMPLES * OUT + o]));
  assert_true(most == nl_certify_found(c));
  for (size_t i = 0; i < IN; i++)
    assert_true(nl_certify_found_at(c)[i] >= x->low[i] && nl_certify_found_at(c)[i] <= x->high[i]);
}

static void no_point_of_the_box_exceeds_the_bound(void **state) {
  (void)state;
  static const unsigned methods[] = {NL_CERTIFY_INTERVALS, NL_CERTIFY_ZONOTOPE, NL_CERTIFY_QUADRATIC, NL_CERTIFY_CUBIC,
                                     0};
  for (size_t a = 0; a < ACTIVATIONS; a++)
    for (uint64_t seed = 1; seed <= CASES; seed++) {
      setting x;
      open_pair(&x, 1000 * a + seed, activations[a], seed % 4 == 0 ? 0 : 0.03);
      for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        nl_certify *c = certify(&x, methods[m], seed % 2 == 0 ? 1e5 : 2e6);
        check_points(&x, c, seed);
        nl_certify_free(c);
      }
      close_pair(&x);
    }
}

// ---- tightness -----------------------------------------------------------------------------------------------------------

static void a_box_of_one_point_is_certified_to_its_change(void **state) {
  (void)state;
  for (size_t a = 0; a < ACTIVATIONS; a++) {
    setting x;
    open_pair(&x, a + 1, activations[a], 0.03);
    memcpy(x.high, x.low, sizeof x.low);
    for (unsigned m = 1; m <= NL_CERTIFY_CUBIC; m *= 2) {
      nl_certify *c = certify(&x, m, 1e6);
      assert_true(nl_certify_found(c) > 0);
      assert_near(nl_certify_bound(c), nl_certify_found(c), 1e-9 * (1 + nl_certify_found(c)));
      nl_certify_free(c);
    }
    close_pair(&x);
  }
}

static void a_network_is_certified_not_to_differ_from_itself(void **state) {
  (void)state;
  for (size_t a = 0; a < ACTIVATIONS; a++) {
    setting x;
    open_pair(&x, a + 1, activations[a], 0.03);
    setting same = {x.f, x.f, {0}, {0}};
    memcpy(same.low, x.low, sizeof x.low);
    memcpy(same.high, x.high, sizeof x.high);
    for (unsigned m = 1; m <= NL_CERTIFY_CUBIC; m *= 2) assert_true(bound_with(&same, m, 2e6) < 1e-6);
    close_pair(&x);
  }
}

static void a_box_within_another_has_no_larger_bound(void **state) {
  (void)state;
  for (size_t a = 0; a < ACTIVATIONS; a++) {
    setting x;
    open_pair(&x, 100 + a, activations[a], 0.03);
    const double wide = bound_with(&x, NL_CERTIFY_INTERVALS, 1e6), wide_form = bound_with(&x, NL_CERTIFY_ZONOTOPE, 1e6);
    for (size_t i = 0; i < IN; i++) {
      const double reach = x.high[i] - x.low[i];
      x.low[i] += 0.3 * reach;
      x.high[i] -= 0.4 * reach;
    }
    assert_true(bound_with(&x, NL_CERTIFY_INTERVALS, 1e6) <= wide * (1 + 1e-9));
    assert_true(bound_with(&x, NL_CERTIFY_ZONOTOPE, 1e6) <= wide_form * (1 + 1e-9));
    close_pair(&x);
  }
}

static void splitting_never_loosens(void **state) {
  (void)state;
  for (size_t a = 0; a < ACTIVATIONS; a++) {
    setting x;
    open_pair(&x, 200 + a, activations[a], 0.03);
    for (unsigned m = NL_CERTIFY_ZONOTOPE; m <= NL_CERTIFY_CUBIC; m *= 2) {
      double before = INFINITY;
      for (double budget = 1e5; budget < 1e7; budget *= 4) {
        const double bound = bound_with(&x, m, budget);
        assert_true(bound <= before);
        before = bound;
      }
    }
    close_pair(&x);
  }
}

static void splitting_comes_near_what_is_found(void **state) {
  (void)state;
  setting x;
  open_pair(&x, 7, "\"tanh\"", 0.01);
  for (size_t i = 0; i < IN; i++) {
    x.low[i] = -1;
    x.high[i] = 1;
  }
  nl_certify *c = certify(&x, 0, 1e9);
  assert_true(nl_certify_bound(c) <= 1.2 * nl_certify_found(c));
  assert_true(nl_certify_boxes(c) > 1);
  assert_string_not_equal(nl_certify_method(c), "intervals");
  nl_certify_free(c);
  close_pair(&x);
}

// ---- refusals ------------------------------------------------------------------------------------------------------------

static void what_is_no_box_is_refused(void **state) {
  (void)state;
  setting x;
  nl_error error = {0};
  nl_certify *c = NULL;
  open_pair(&x, 1, "\"tanh\"", 0);
  const nl_certify_input input = {&x.f.chain, &x.g.chain, x.low, x.high, 0, 0, 0};
  x.low[1] = x.high[1] + 1;
  assert_int_equal(nl_certify_create(&c, &input, &error), NL_ERROR_ARGUMENT);
  x.low[1] = NAN;
  assert_int_equal(nl_certify_create(&c, &input, NULL), NL_ERROR_ARGUMENT);
  assert_null(c);
  close_pair(&x);
}

static void networks_of_different_inputs_are_refused(void **state) {
  (void)state;
  net f, g;
  nl_error error = {0};
  nl_certify *c = NULL;
  open_net(
      &f, "{\"format\": \"netlump\", \"version\": 1, \"layers\": [{\"weights\": [[1, 2]], \"activation\": \"tanh\"}]}");
  open_net(&g,
           "{\"format\": \"netlump\", \"version\": 1, \"layers\": [{\"weights\": [[1]], \"activation\": \"tanh\"}]}");
  const double low[2] = {0, 0}, high[2] = {1, 1};
  const nl_certify_input input = {&f.chain, &g.chain, low, high, 0, 0, 0};
  assert_int_equal(nl_certify_create(&c, &input, &error), NL_ERROR_SHAPE);
  close_net(&f);
  close_net(&g);
}

// ---- activations ---------------------------------------------------------------------------------------------------------

typedef struct sample {
  nl_function function;
  double p, q, low, high;
} sample;

static const sample samples[] = {
    {NL_FUNCTION_IDENTITY, 0, 0, -9, 9},
    {NL_FUNCTION_RELU, 0, 0, -9, 9},
    {NL_FUNCTION_LEAKY_RELU, 0.2, 0, -9, 9},
    {NL_FUNCTION_LEAKY_RELU, -0.7, 0, -9, 9},
    {NL_FUNCTION_THRESHOLDED_RELU, 0.8, 0, -3, 3},
    {NL_FUNCTION_ELU, 1.3, 0, -9, 9},
    {NL_FUNCTION_SELU, 1.67326, 1.0507, -9, 9},
    {NL_FUNCTION_CELU, 0.4, 0, -9, 9},
    {NL_FUNCTION_SIGMOID, 0, 0, -20, 20},
    {NL_FUNCTION_HARD_SIGMOID, 0.2, 0.5, -5, 5},
    {NL_FUNCTION_HARD_SIGMOID, -0.3, 0.4, -5, 5},
    {NL_FUNCTION_TANH, 0, 0, -20, 20},
    {NL_FUNCTION_SOFTPLUS, 0, 0, -40, 40},
    {NL_FUNCTION_SOFTSIGN, 0, 0, -9, 9},
    {NL_FUNCTION_GELU, 0, 0, -9, 9},
    {NL_FUNCTION_GELU_TANH, 0, 0, -9, 9},
    {NL_FUNCTION_SWISH, 1.702, 0, -9, 9},
    {NL_FUNCTION_SWISH, -0.5, 0, -9, 9},
    {NL_FUNCTION_HARD_SWISH, 0, 0, -5, 5},
    {NL_FUNCTION_MISH, 0, 0, -9, 9},
    {NL_FUNCTION_CLIP, -1, 2, -5, 5},
    {NL_FUNCTION_ABS, 0, 0, -9, 9},
    {NL_FUNCTION_ERF, 0, 0, -5, 5},
    {NL_FUNCTION_NEGATE, 0, 0, -9, 9},
    {NL_FUNCTION_EXP, 0, 0, -9, 5},
    {NL_FUNCTION_LOG, 0, 0, 0.01, 9},
    {NL_FUNCTION_SQRT, 0, 0, 0.01, 9},
    {NL_FUNCTION_RECIPROCAL, 0, 0, -9, -0.1},
    {NL_FUNCTION_POWER, 3, 0, -3, 3},
    {NL_FUNCTION_POWER, -2, 0, 0.1, 3},
    {NL_FUNCTION_POWER, 1.5, 0, 0.1, 3},
    {NL_FUNCTION_SIN, 0, 0, -9, 9},
    {NL_FUNCTION_COS, 0, 0, -9, 9},
};
enum { FUNCTIONS = sizeof samples / sizeof *samples, CELLS = 200, PROBES = 25 };

static nl_interval draw_cell(uint64_t *seed, const sample *s) {
  const double a = s->low + uniform01(seed) * (s->high - s->low);
  const double wide = exp(-9 * uniform01(seed)) * (s->high - s->low);
  return (nl_interval){a, fmin(a + wide, s->high)};
}

// The coefficients 2, 3, ... are tried by what the Taylor formula makes of them, in the test of the polynomials.
static void a_series_contains_values_and_slopes(void **state) {
  (void)state;
  uint64_t seed = 5;
  for (size_t f = 0; f < FUNCTIONS; f++)
    for (size_t t = 0; t < CELLS; t++) {
      const sample *s = &samples[f];
      const nl_interval cell = draw_cell(&seed, s);
      const nl_series variable = nl_series_variable(cell, NL_SERIES_ORDER),
                      series = nl_series_function(s->function, s->p, s->q, &variable);
      for (size_t i = 0; i <= PROBES; i++) {
        const double x = fmin(cell.low + (cell.high - cell.low) * (double)i / PROBES, cell.high);
        double y;
        nl_function_apply(s->function, s->p, s->q, 1, &x, &y);
        const double slope = nl_function_derivative(s->function, s->p, s->q, x),
                     hair = 1e-12 * (1 + fabs(y) + fabs(slope));
        if (!(y >= series.c[0].low - hair && y <= series.c[0].high + hair))
          fail_msg("function %d at %.17g", s->function, x);
        if (!(slope >= series.c[1].low - hair && slope <= series.c[1].high + hair))
          fail_msg("slope of function %d at %.17g: %.17g in [%.17g, %.17g]", s->function, x, slope, series.c[1].low,
                   series.c[1].high);
      }
    }
}

static double polynomial_at(const nl_curve *c, double z) {
  double sum = 0;
  for (size_t k = NL_CURVE_DEGREE + 1; k-- > 0;) sum = sum * (z - c->middle) + c->c[k];
  return sum;
}

static double remainder_at(const nl_chain *chain, const nl_curve *c, double z) {
  return nl_chain_activation(chain, 0, z) - polynomial_at(c, z);
}

static void check_curve(const nl_chain *chain, const nl_curve *c, nl_interval cell) {
  double before = 0;
  double at_before = 0, most = 0;
  for (size_t i = 0; i <= 4 * PROBES; i++) {
    const double z = fmin(cell.low + (cell.high - cell.low) * (double)i / (4 * PROBES), cell.high);
    const double r = remainder_at(chain, c, z), hair = 1e-11 * (1 + fabs(polynomial_at(c, z)));
    if (!(fabs(r) <= c->rest + hair)) fail_msg("misses by %.17g at %.17g, rest %.17g", r, z, c->rest);
    const double step = z - at_before, change = r - before;
    if (i > 0 && !(change <= c->slope.high * step + hair && change >= c->slope.low * step - hair))
      fail_msg("slope %.17g in [%.17g, %.17g] at %.17g", change / step, c->slope.low, c->slope.high, z);
    before = r;
    at_before = z;
    most = fmax(most, fabs(r));
  }
}

static void a_polynomial_and_its_remainder_contain_the_activation(void **state) {
  (void)state;
  uint64_t seed = 9;
  net n;
  open_net(&n,
           "{\"format\": \"netlump\", \"version\": 1, \"layers\": [{\"weights\": [[1]], \"activation\": \"tanh\"}]}");
  for (size_t f = 0; f < FUNCTIONS; f++)
    for (size_t t = 0; t < CELLS; t++)
      for (size_t degree = 1; degree <= NL_CURVE_DEGREE; degree++) {
        nl_curve c;
        n.chain.layers[0].function = samples[f].function;
        n.chain.layers[0].p = samples[f].p;
        n.chain.layers[0].q = samples[f].q;
        const nl_interval cell = draw_cell(&seed, &samples[f]);
        nl_curve_fit(&n.chain, 0, degree, cell, &c);
        assert_true(isfinite(c.rest));
        check_curve(&n.chain, &c, cell);
      }
  close_net(&n);
}

static void outside_its_domain_a_function_is_not_bounded(void **state) {
  (void)state;
  const nl_series x = nl_series_variable((nl_interval){-1, 1}, 1);
  assert_true(isinf(nl_series_function(NL_FUNCTION_LOG, 0, 0, &x).c[0].high));
  assert_true(isinf(nl_series_function(NL_FUNCTION_RECIPROCAL, 0, 0, &x).c[0].low));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_point_of_the_box_exceeds_the_bound),
      cmocka_unit_test(a_box_of_one_point_is_certified_to_its_change),
      cmocka_unit_test(a_network_is_certified_not_to_differ_from_itself),
      cmocka_unit_test(a_box_within_another_has_no_larger_bound),
      cmocka_unit_test(splitting_never_loosens),
      cmocka_unit_test(splitting_comes_near_what_is_found),
      cmocka_unit_test(what_is_no_box_is_refused),
      cmocka_unit_test(networks_of_different_inputs_are_refused),
      cmocka_unit_test(a_series_contains_values_and_slopes),
      cmocka_unit_test(a_polynomial_and_its_remainder_contain_the_activation),
      cmocka_unit_test(outside_its_domain_a_function_is_not_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
