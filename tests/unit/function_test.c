#include "function.h"

#include "models.h"

enum { POINTS = 6 };

typedef struct sample {
  nl_function function;
  double p, q;
  double values[POINTS];
} sample;

static const double everywhere[POINTS] = {-3.5, -1, -0.25, 0.3, 1.2, 4}, positive[POINTS] = {0.01, 0.3, 1, 1.7, 4, 25};

// Computed apart, from the formulas of the ONNX operator specification, in Python.
static const sample samples[] = {
    {NL_FUNCTION_IDENTITY, 0, 0, {-3.5, -1, -0.25, 0.3, 1.2, 4}},
    {NL_FUNCTION_RELU, 0, 0, {0, 0, 0, 0.3, 1.2, 4}},
    {NL_FUNCTION_LEAKY_RELU, 0.1, 0, {-0.35, -0.1, -0.025, 0.3, 1.2, 4}},
    {NL_FUNCTION_THRESHOLDED_RELU, 0.5, 0, {0, 0, 0, 0, 1.2, 4}},
    {NL_FUNCTION_ELU, 1.3, 0, {-1.260743401550986, -0.8217567264771249, -0.2875589820071737, 0.3, 1.2, 4}},
    {NL_FUNCTION_SELU,
     1.6732632,
     1.050701,
     {-1.70500931831804, -1.111330723056229, -0.3888901923144054, 0.3152103, 1.2608412, 4.202804}},
    {NL_FUNCTION_CELU, 0.7, 0, {-0.6952834371006401, -0.532244274490757, -0.2102292238374087, 0.3, 1.2, 4}},
    {NL_FUNCTION_SIGMOID,
     0,
     0,
     {0.02931223075135632, 0.2689414213699951, 0.4378234991142019, 0.574442516811659, 0.7685247834990175,
      0.9820137900379085}},
    {NL_FUNCTION_HARD_SIGMOID, 0.2, 0.5, {0, 0.3, 0.45, 0.56, 0.74, 1}},
    {NL_FUNCTION_TANH,
     0,
     0,
     {-0.9981778976111987, -0.7615941559557649, -0.2449186624037091, 0.291312612451591, 0.8336546070121552,
      0.9993292997390669}},
    {NL_FUNCTION_SOFTPLUS,
     0,
     0,
     {0.02975041827262065, 0.3132616875182229, 0.5759394198788437, 0.8543552444685272, 1.463282467338031,
      4.018149927917809}},
    {NL_FUNCTION_SOFTSIGN, 0, 0, {-0.7777777777777778, -0.5, -0.2, 0.2307692307692308, 0.5454545454545454, 0.8}},
    {NL_FUNCTION_GELU,
     0,
     0,
     {-0.0008142017766243376, -0.1586552539314571, -0.1003234185792691, 0.1853734266566858, 1.06191639573395,
      3.999873315032668}},
    {NL_FUNCTION_GELU_TANH,
     0,
     0,
     {-0.0006161976553737403, -0.1588080093917232, -0.100324649298315, 0.1853709235427592, 1.061702769137865,
      3.999929754051808}},
    {NL_FUNCTION_SWISH,
     1.5,
     0,
     {-0.01827043992745439, -0.1824255238063563, -0.1018333500114826, 0.1831917701847666, 1.029778722119415,
      3.990109507373461}},
    {NL_FUNCTION_HARD_SWISH, 0, 0, {0, -0.3333333333333334, -0.1145833333333333, 0.165, 0.84, 4}},
    {NL_FUNCTION_MISH,
     0,
     0,
     {-0.1040957544863715, -0.3034014613741089, -0.1299269636791411, 0.208001372348115, 1.077945891765377,
      3.997412806976238}},
    {NL_FUNCTION_CLIP, -0.75, 1.5, {-0.75, -0.75, -0.25, 0.3, 1.2, 1.5}},
    {NL_FUNCTION_ABS, 0, 0, {3.5, 1, 0.25, 0.3, 1.2, 4}},
    {NL_FUNCTION_ERF,
     0,
     0,
     {-0.9999992569016276, -0.8427007929497149, -0.2763263901682369, 0.3286267594591274, 0.9103139782296353,
      0.9999999845827421}},
    {NL_FUNCTION_NEGATE, 0, 0, {3.5, 1, 0.25, -0.3, -1.2, -4}},
    {NL_FUNCTION_EXP,
     0,
     0,
     {0.0301973834223185, 0.3678794411714423, 0.7788007830714049, 1.349858807576003, 3.320116922736547,
      54.59815003314424}},
    {NL_FUNCTION_SIN,
     0,
     0,
     {0.3507832276896198, -0.8414709848078965, -0.2474039592545229, 0.2955202066613395, 0.9320390859672263,
      -0.7568024953079282}},
    {NL_FUNCTION_COS,
     0,
     0,
     {-0.9364566872907963, 0.5403023058681398, 0.9689124217106447, 0.955336489125606, 0.3623577544766736,
      -0.6536436208636119}},
};

static const sample positive_samples[] = {
    {NL_FUNCTION_LOG,
     0,
     0,
     {-4.605170185988091, -1.203972804325936, 0, 0.5306282510621704, 1.386294361119891, 3.218875824868201}},
    {NL_FUNCTION_SQRT, 0, 0, {0.1, 0.5477225575051661, 1, 1.30384048104053, 2, 5}},
    {NL_FUNCTION_RECIPROCAL, 0, 0, {100, 3.333333333333333, 1, 0.5882352941176471, 0.25, 0.04}},
    {NL_FUNCTION_POWER, 2, 0, {0.0001, 0.09, 1, 2.89, 16, 625}},
    {NL_FUNCTION_POWER, 3, 0, {1e-06, 0.027, 1, 4.913, 64, 15625}},
    {NL_FUNCTION_POWER, -0.5, 0, {10, 1.825741858350554, 1, 0.7669649888473704, 0.5, 0.2}},
};

enum { SAMPLES = sizeof samples / sizeof *samples, POSITIVE = sizeof positive_samples / sizeof *positive_samples };

static void assert_values(const sample *s, const double *x) {
  double y[POINTS];
  nl_function_apply(s->function, s->p, s->q, POINTS, x, y);
  for (size_t i = 0; i < POINTS; i++)
    if (!(fabs(y[i] - s->values[i]) <= 1e-14 * fmax(1, fabs(s->values[i]))))
      fail_msg("function %d at %g: %.17g where %.17g is expected", (int)s->function, x[i], y[i], s->values[i]);
}

static void every_function_has_the_values_of_its_formula(void **state) {
  (void)state;
  for (size_t i = 0; i < SAMPLES; i++) assert_values(&samples[i], everywhere);
  for (size_t i = 0; i < POSITIVE; i++) assert_values(&positive_samples[i], positive);
}

static void every_function_is_tried(void **state) {
  (void)state;
  bool tried[NL_FUNCTION_COS + 1] = {0};
  for (size_t i = 0; i < SAMPLES; i++) tried[samples[i].function] = true;
  for (size_t i = 0; i < POSITIVE; i++) tried[positive_samples[i].function] = true;
  for (int f = 0; f <= NL_FUNCTION_COS; f++)
    if (!tried[f]) fail_msg("function %d has no sample", f);
}

static void assert_derivatives(const sample *s, const double *x) {
  for (size_t i = 0; i < POINTS; i++) {
    const double h = 1e-5 * fmax(0.1, fabs(x[i])), around[2] = {x[i] - h, x[i] + h};
    double y[2];
    nl_function_apply(s->function, s->p, s->q, 2, around, y);
    const double slope = (y[1] - y[0]) / (around[1] - around[0]);
    const double found = nl_function_derivative(s->function, s->p, s->q, x[i]);
    if (!(fabs(found - slope) <= 1e-7 * fmax(1, fabs(slope))))
      fail_msg("function %d at %g: slope %.10g where differences give %.10g", (int)s->function, x[i], found, slope);
  }
}

static void every_derivative_is_the_slope_of_its_function(void **state) {
  (void)state;
  for (size_t i = 0; i < SAMPLES; i++) assert_derivatives(&samples[i], everywhere);
  for (size_t i = 0; i < POSITIVE; i++) {
    static const double away[POINTS] = {0.05, 0.3, 1, 1.7, 4, 25};
    assert_derivatives(&positive_samples[i], away);
  }
}

static void a_kink_has_the_slope_from_the_right(void **state) {
  (void)state;
  assert_true(nl_function_derivative(NL_FUNCTION_RELU, 0, 0, 0) == 1);
  assert_true(nl_function_derivative(NL_FUNCTION_LEAKY_RELU, 0.1, 0, 0) == 1);
  assert_true(nl_function_derivative(NL_FUNCTION_ABS, 0, 0, 0) == 1);
  assert_true(nl_function_derivative(NL_FUNCTION_CLIP, -1, 1, -1) == 1);
  assert_true(nl_function_derivative(NL_FUNCTION_CLIP, -1, 1, 1) == 0);
  assert_true(nl_function_derivative(NL_FUNCTION_HARD_SWISH, 0, 0, 3) == 1);
  assert_true(nl_function_derivative(NL_FUNCTION_HARD_SIGMOID, 0.25, 0.5, 2) == 0);
  assert_true(nl_function_derivative(NL_FUNCTION_THRESHOLDED_RELU, 0.5, 0, 0.5) == 1);
  assert_near(nl_function_derivative(NL_FUNCTION_SELU, 1.6, 1.05, 0), 1.05, 1e-15);
}

// Saturated, not overflowed: no NaN, and the limits of the formulas.
static void far_out_functions_take_their_limits(void **state) {
  (void)state;
  static const nl_function bounded[] = {NL_FUNCTION_SIGMOID,  NL_FUNCTION_TANH,       NL_FUNCTION_SOFTPLUS,
                                        NL_FUNCTION_SOFTSIGN, NL_FUNCTION_GELU,       NL_FUNCTION_GELU_TANH,
                                        NL_FUNCTION_SWISH,    NL_FUNCTION_MISH,       NL_FUNCTION_ELU,
                                        NL_FUNCTION_CELU,     NL_FUNCTION_HARD_SWISH, NL_FUNCTION_ERF};
  static const double low[] = {0, -1, 0, -1, 0, 0, 0, 0, -1, -1, 0, -1}, x[2] = {-800, 800};
  for (size_t i = 0; i < sizeof bounded / sizeof *bounded; i++) {
    double y[2];
    nl_function_apply(bounded[i], 1, 0, 2, x, y);
    const bool like_identity = bounded[i] != NL_FUNCTION_SIGMOID && bounded[i] != NL_FUNCTION_TANH &&
                               bounded[i] != NL_FUNCTION_SOFTSIGN && bounded[i] != NL_FUNCTION_ERF;
    assert_near(y[0], low[i], 2e-3), assert_near(y[1], like_identity ? 800 : 1, 2e-3);
    for (int k = 0; k < 2; k++) assert_true(isfinite(nl_function_derivative(bounded[i], 1, 0, x[k])));
  }
}

static void a_function_works_in_place(void **state) {
  (void)state;
  for (size_t i = 0; i < SAMPLES; i++) {
    double x[POINTS], y[POINTS];
    memcpy(x, everywhere, sizeof x);
    nl_function_apply(samples[i].function, samples[i].p, samples[i].q, POINTS, everywhere, y);
    nl_function_apply(samples[i].function, samples[i].p, samples[i].q, POINTS, x, x);
    assert_memory_equal(x, y, sizeof x);
  }
}

// gx += gy f'(x) over more numbers than a block of function.c holds, an odd count of them.
static void assert_gradient(const sample *s, const double *points) {
  enum { MANY = 131 };
  double x[MANY], y[MANY], gy[MANY], gx[MANY];
  for (size_t i = 0; i < MANY; i++) x[i] = points[i % POINTS], gy[i] = 1 - (double)i / 50, gx[i] = (double)(i % 3);
  nl_function_apply(s->function, s->p, s->q, MANY, x, y);
  nl_function_gradient(s->function, s->p, s->q, MANY, x, y, gy, gx);
  for (size_t i = 0; i < MANY; i++) {
    const double slope = nl_function_derivative(s->function, s->p, s->q, x[i]);
    assert_near(gx[i], (double)(i % 3) + gy[i] * slope, 1e-14 * fmax(1, fabs(slope)));
  }
}

static void the_gradient_adds_the_derivative_times_what_arrives(void **state) {
  (void)state;
  static const double kinks_and_limits[POINTS] = {-800, -30, -0.0, 0, 30, 800};
  for (size_t i = 0; i < SAMPLES; i++) {
    assert_gradient(&samples[i], everywhere);
    if (samples[i].function != NL_FUNCTION_EXP) assert_gradient(&samples[i], kinks_and_limits);
  }
  for (size_t i = 0; i < POSITIVE; i++) assert_gradient(&positive_samples[i], positive);
}

static void a_number_has_the_same_value_wherever_it_stands(void **state) {
  (void)state;
  enum { MANY = 131 };
  for (size_t s = 0; s < SAMPLES; s++) {
    double x[MANY], y[MANY], alone;
    for (size_t i = 0; i < MANY; i++) x[i] = everywhere[i % POINTS] + (double)i / 1000;
    nl_function_apply(samples[s].function, samples[s].p, samples[s].q, MANY, x, y);
    for (size_t i = 0; i < MANY; i++) {
      nl_function_apply(samples[s].function, samples[s].p, samples[s].q, 1, x + i, &alone);
      assert_memory_equal(&alone, y + i, sizeof alone);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_function_has_the_values_of_its_formula),
      cmocka_unit_test(every_function_is_tried),
      cmocka_unit_test(every_derivative_is_the_slope_of_its_function),
      cmocka_unit_test(a_kink_has_the_slope_from_the_right),
      cmocka_unit_test(far_out_functions_take_their_limits),
      cmocka_unit_test(a_function_works_in_place),
      cmocka_unit_test(the_gradient_adds_the_derivative_times_what_arrives),
      cmocka_unit_test(a_number_has_the_same_value_wherever_it_stands),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
