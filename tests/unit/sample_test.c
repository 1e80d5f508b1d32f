// Moments of fed tensors, against loops over every element of the tensor.
#include "kernels/kernels.h"
#include "models.h"
#include "sample.h"

enum { WIDTH = 3, LENGTH = 26, OUTER = 4, INNER = 5, ELEMENTS = OUTER * LENGTH * INNER };

// Group 1 lies along the axis three times: (tile 2, run 2) = 12 elements, then once after 5 of group 0, and once at the end.
static const nl_segment segments[] = {{1, WIDTH, 2, 2}, {0, 5, 1, 1}, {1, WIDTH, 1, 1}, {1, WIDTH, 2, 1}};
static const nl_channel_group groups[] = {{.width = 5, .site = NL_NONE}, {.width = WIDTH, .site = 0}};
static const nl_channels channels = {.group_count = 2, .groups = groups};
static const nl_axis axis = {.back = 2, .count = 4, .segments = segments};
static const int64_t tensor_dims[] = {OUTER, LENGTH, INNER};
enum { POSITIONS = OUTER * INNER * (4 + 1 + 2) };

static nl_fed fed_of(const double *values) {
  return (nl_fed){.type = NL_TYPE_F64, .rank = 3, .dims = tensor_dims, .data = values};
}

// Every position of group 1: rows (POSITIONS, WIDTH)
static void plain_rows(const double *values, double *rows) {
  size_t count = 0;
  for (size_t outer = 0; outer < OUTER; outer++) {
    size_t start = 0;
    for (size_t s = 0; s < axis.count; s++) {
      const nl_segment *g = &segments[s];
      for (size_t t = 0; t < g->tile && g->group == 1; t++)
        for (size_t p = 0; p < g->run; p++)
          for (size_t i = 0; i < INNER; i++, count++)
            for (size_t c = 0; c < WIDTH; c++)
              rows[count * WIDTH + c] = values[(outer * LENGTH + start + (t * g->width + c) * g->run + p) * INNER + i];
      start += g->tile * g->width * g->run;
    }
  }
  assert_int_equal(count, POSITIONS);
}

static nl_moments sampled(const nl_fed *fed, size_t most, uint64_t seed, size_t batches) {
  nl_moments moments;
  OK(nl_moments_create(&moments, WIDTH, 16, NULL));
  double *work = aligned_alloc(16, nl_matmul_f64_work() * sizeof *work);
  for (size_t b = 0; b < batches; b++)
    OK(nl_sample_add(&moments, &channels, &axis, 1, fed, span("a"), most, seed, work, NULL));
  free(work);
  return moments;
}

// mean (WIDTH), then the covariances
static void finish(nl_moments *moments, double *numbers) {
  nl_moments_finish(moments, true, numbers, numbers + WIDTH);
  nl_moments_free(moments);
}

static void all_positions_of_all_segments_are_rows(void **state) {
  (void)state;
  double *values = random_numbers(1, ELEMENTS, 2), rows[POSITIONS * WIDTH], found[WIDTH + WIDTH * WIDTH];
  const nl_fed fed = fed_of(values);
  size_t positions = 0;
  OK(nl_sample_positions(&channels, &axis, 1, &fed, span("a"), &positions, NULL));
  assert_int_equal(positions, POSITIONS);
  OK(nl_sample_positions(&channels, &axis, 0, &fed, span("a"), &positions, NULL));
  assert_int_equal(positions, OUTER * INNER);
  plain_rows(values, rows);
  nl_moments moments = sampled(&fed, SIZE_MAX, 1, 1);
  assert_int_equal(moments.rows, POSITIONS);
  finish(&moments, found);
  for (size_t i = 0; i < WIDTH; i++) {
    double mean = 0;
    for (size_t r = 0; r < POSITIONS; r++) mean += rows[r * WIDTH + i] / POSITIONS;
    assert_near(found[i], mean, 1e-13);
  }
  for (size_t i = 0; i < WIDTH; i++)
    for (size_t j = 0; j < WIDTH; j++) {
      double product = 0;
      for (size_t r = 0; r < POSITIONS; r++)
        product += (rows[r * WIDTH + i] - found[i]) * (rows[r * WIDTH + j] - found[j]) / POSITIONS;
      assert_near(found[WIDTH + i * WIDTH + j], product, 1e-13);
    }
  free(values);
}

static void single_precision_gives_the_same_rows(void **state) {
  (void)state;
  double *values = random_numbers(2, ELEMENTS, 1), in_f64[WIDTH + WIDTH * WIDTH], in_f32[WIDTH + WIDTH * WIDTH];
  float narrow[ELEMENTS];
  for (size_t i = 0; i < ELEMENTS; i++) narrow[i] = (float)values[i];
  const nl_fed wide = fed_of(values), single = {.type = NL_TYPE_F32, .rank = 3, .dims = tensor_dims, .data = narrow};
  nl_moments a = sampled(&wide, 40, 7, 1), b = sampled(&single, 40, 7, 1);
  finish(&a, in_f64), finish(&b, in_f32);
  assert_memory_equal(in_f64, in_f32, sizeof in_f64);
  free(values);
}

static void seed_and_batch_decide_which_positions_are_taken(void **state) {
  (void)state;
  double *values = random_numbers(3, ELEMENTS, 1), first[12], again[12], other[12], twice[12];
  const nl_fed fed = fed_of(values);
  nl_moments a = sampled(&fed, 50, 7, 1), b = sampled(&fed, 50, 7, 1), c = sampled(&fed, 50, 8, 1);
  nl_moments d = sampled(&fed, 50, 7, 2);
  assert_int_equal(a.rows, 50);
  assert_int_equal(d.rows, 100);
  finish(&a, first), finish(&b, again), finish(&c, other), finish(&d, twice);
  assert_memory_equal(first, again, sizeof first);
  assert_true(first[0] != other[0]);
  assert_true(fabs(first[0] - twice[0]) > 1e-6); // the second batch gave others
  free(values);
}

static void a_spread_takes_one_position_of_every_stretch(void **state) {
  (void)state;
  static const size_t counts[] = {1, 7, 100, 1001, 5000}, mosts[] = {1, 2, 7, 64, 1000};
  for (size_t c = 0; c < 5; c++)
    for (size_t m = 0; m < 5; m++) {
      const size_t count = counts[c], most = mosts[m] < count ? mosts[m] : count;
      nl_spread spread = nl_spread_over(count, mosts[m], c + m);
      size_t position = 0, taken = 0;
      for (; nl_spread_next(&spread, &position); taken++)
        assert_true(position >= taken * count / most && position < (taken + 1) * count / most);
      assert_int_equal(taken, most);
    }
  nl_spread none = nl_spread_over(0, 10, 1);
  assert_false(nl_spread_next(&none, &(size_t){0}));
}

static void a_tensor_of_other_sizes_is_named(void **state) {
  (void)state;
  double *values = random_numbers(4, ELEMENTS, 1);
  nl_fed fed = fed_of(values);
  size_t positions = 0;
  nl_error error = {0};
  fed.dims = (const int64_t[]){OUTER, LENGTH - 1, INNER};
  assert_int_equal(nl_sample_positions(&channels, &axis, 1, &fed, span("conv_3"), &positions, &error), NL_ERROR_SHAPE);
  assert_string_equal(error.place, "conv_3");
  fed.rank = 1;
  assert_int_equal(nl_sample_positions(&channels, &axis, 1, &fed, span("a"), &positions, NULL), NL_ERROR_SHAPE);
  free(values);
}

static void what_is_not_finite_is_named(void **state) {
  (void)state;
  double *values = random_numbers(5, ELEMENTS, 1), *work = aligned_alloc(16, nl_matmul_f64_work() * sizeof *work);
  const nl_fed fed = fed_of(values);
  nl_moments moments;
  nl_error error = {0};
  OK(nl_moments_create(&moments, WIDTH, 16, NULL));
  values[13 * INNER] = NAN; // of group 0
  OK(nl_sample_add(&moments, &channels, &axis, 1, &fed, span("a"), SIZE_MAX, 1, work, NULL));
  values[3 * INNER] = INFINITY;
  assert_int_equal(nl_sample_add(&moments, &channels, &axis, 1, &fed, span("a"), SIZE_MAX, 1, work, &error),
                   NL_ERROR_NOT_FINITE);
  assert_string_equal(error.place, "a");
  nl_moments_free(&moments), free(work), free(values);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_positions_of_all_segments_are_rows),
      cmocka_unit_test(single_precision_gives_the_same_rows),
      cmocka_unit_test(seed_and_batch_decide_which_positions_are_taken),
      cmocka_unit_test(a_spread_takes_one_position_of_every_stretch),
      cmocka_unit_test(a_tensor_of_other_sizes_is_named),
      cmocka_unit_test(what_is_not_finite_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
