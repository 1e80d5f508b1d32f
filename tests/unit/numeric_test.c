// Moments, linear algebra, the measure, elimination and projection, each against a plain computation of the same thing.
#include "gram.h"
#include "kernels/kernels.h"
#include "linear.h"
#include "lumping.h"
#include "measure.h"
#include "models.h"
#include "project.h"

// ---- plain references ------------------------------------------------------------------------------------------------

// E (a - mean)(a - mean)ᵀ in extended precision, or E a aᵀ.
static void plain_moments(size_t rows, size_t n, const double *a, bool centred, double *mean, double *second) {
  for (size_t i = 0; i < n; i++) {
    long double sum = 0;
    for (size_t r = 0; r < rows; r++) sum += a[r * n + i];
    mean[i] = (double)(sum / rows);
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      long double sum = 0;
      for (size_t r = 0; r < rows; r++)
        sum += ((long double)a[r * n + i] - (centred ? mean[i] : 0)) *
               ((long double)a[r * n + j] - (centred ? mean[j] : 0));
      second[i * n + j] = (double)(sum / rows);
    }
}

// Mean squared error of targets (rows, m) fitted by least squares from the `kept` columns of a (rows, n), with or without
// an offset: by Gram-Schmidt on the columns themselves, no normal equations.
static double fit_error(size_t rows, size_t n, const double *a, size_t m, const double *targets, size_t k,
                        const size_t *kept, bool offset) {
  long double *basis = malloc(rows * (k + 1) * sizeof *basis), *rest = malloc(rows * sizeof *rest), error = 0;
  size_t count = 0;
  for (size_t c = 0; c < k + (size_t)offset; c++) {
    long double *column = basis + count * rows, size = 0, left = 0;
    for (size_t r = 0; r < rows; r++) column[r] = offset && c == 0 ? 1 : a[r * n + kept[c - (size_t)offset]];
    for (size_t r = 0; r < rows; r++) size += column[r] * column[r];
    for (int pass = 0; pass < 2; pass++)
      for (size_t b = 0; b < count; b++) {
        long double dot = 0;
        for (size_t r = 0; r < rows; r++) dot += basis[b * rows + r] * column[r];
        for (size_t r = 0; r < rows; r++) column[r] -= dot * basis[b * rows + r];
      }
    for (size_t r = 0; r < rows; r++) left += column[r] * column[r];
    if (left <= 1e-24L * size) continue;
    for (size_t r = 0; r < rows; r++) column[r] /= sqrtl(left);
    count++;
  }
  for (size_t o = 0; o < m; o++) {
    for (size_t r = 0; r < rows; r++) rest[r] = targets[r * m + o];
    for (size_t b = 0; b < count; b++) {
      long double dot = 0;
      for (size_t r = 0; r < rows; r++) dot += basis[b * rows + r] * rest[r];
      for (size_t r = 0; r < rows; r++) rest[r] -= dot * basis[b * rows + r];
    }
    for (size_t r = 0; r < rows; r++) error += rest[r] * rest[r];
  }
  free(basis), free(rest);
  return (double)(error / rows);
}

// ---- moments ---------------------------------------------------------------------------------------------------------

static void moments_equal_the_plain_loop(bool centred, double mean) {
  enum { N = 7, ROWS = 300, BLOCK = 64 };
  uint64_t seed = 5;
  double a[ROWS * N], m[N], s[N * N], expected_mean[N], expected[N * N];
  for (size_t i = 0; i < ROWS * N; i++) a[i] = mean + (1 + (double)(i % N)) * gauss(&seed);
  nl_moments moments;
  OK(nl_moments_create(&moments, N, BLOCK, NULL));
  double *work = aligned_alloc(16, nl_matmul_f64_work() * sizeof *work);
  for (size_t r = 0; r < ROWS; r += BLOCK)
    nl_moments_add(&moments, ROWS - r < BLOCK ? ROWS - r : BLOCK, a + r * N, work);
  nl_moments_finish(&moments, centred, m, s);
  plain_moments(ROWS, N, a, centred, expected_mean, expected);
  for (size_t i = 0; i < N; i++) assert_near(m[i], expected_mean[i], 1e-14 * (fabs(mean) + 10));
  // centred sums cost no digits of the spread, however large the mean
  for (size_t i = 0; i < N * N; i++) assert_near(s[i], expected[i], (centred ? 1e-9 : 1e-14 * (mean * mean + 100)));
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < N; j++) assert_true(s[i * N + j] == s[j * N + i]);
  nl_moments_free(&moments), free(work);
}

static void moments_are_those_of_a_plain_loop(void **state) {
  (void)state;
  moments_equal_the_plain_loop(true, 0);
  moments_equal_the_plain_loop(false, 0);
  moments_equal_the_plain_loop(false, 3);
}
static void a_large_mean_costs_no_digits(void **state) {
  (void)state;
  moments_equal_the_plain_loop(true, 1e6);
  moments_equal_the_plain_loop(false, 1e6);
}

// Each block of rows about a centre of its own, added up afterwards.
static void merged_parts_are_the_moments_of_all_rows(void **state) {
  (void)state;
  enum { N = 5, ROWS = 200, BLOCK = 64 };
  uint64_t seed = 8;
  double a[ROWS * N], m[N], s[N * N], expected_mean[N], expected[N * N];
  for (size_t i = 0; i < ROWS * N; i++) a[i] = 3 + (double)(i / N) / 50 + gauss(&seed); // the mean moves
  nl_moments whole, part;
  OK(nl_moments_create(&whole, N, 0, NULL));
  OK(nl_moments_create(&part, N + 2, BLOCK, NULL));
  double *work = aligned_alloc(16, nl_matmul_f64_work() * sizeof *work);
  for (size_t r = 0; r < ROWS; r += BLOCK) {
    nl_moments_reset(&part, N);
    nl_moments_add(&part, ROWS - r < BLOCK ? ROWS - r : BLOCK, a + r * N, work);
    nl_moments_merge(&whole, &part);
  }
  plain_moments(ROWS, N, a, true, expected_mean, expected);
  nl_moments_finish(&whole, true, m, s);
  for (size_t i = 0; i < N; i++) assert_near(m[i], expected_mean[i], 1e-13);
  for (size_t i = 0; i < N * N; i++) assert_near(s[i], expected[i], 1e-12);
  nl_moments_free(&whole), nl_moments_free(&part), free(work);
}

// ---- linear algebra --------------------------------------------------------------------------------------------------

static void spd(size_t n, uint64_t seed, double *a) { // G Gᵀ + I
  double *g = random_numbers(seed, n * n, 1);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      a[i * n + j] = i == j;
      for (size_t l = 0; l < n; l++) a[i * n + j] += g[i * n + l] * g[j * n + l];
    }
  free(g);
}

static void cholesky_factors_and_solves(void **state) {
  (void)state;
  enum { N = 9, M = 3 };
  const double ridge = 0.5;
  double a[N * N], l[N * N], b[N * M], x[N * M];
  spd(N, 3, a);
  memcpy(l, a, sizeof a);
  assert_true(nl_cholesky(N, l, ridge));
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j <= i; j++) {
      double sum = 0;
      for (size_t k = 0; k <= j; k++) sum += l[i * N + k] * l[j * N + k];
      assert_near(sum, a[i * N + j] + (i == j ? ridge : 0), 1e-12);
    }
  for (size_t i = 0; i < N * M; i++) b[i] = x[i] = sin((double)i);
  nl_cholesky_solve(N, l, M, x);
  for (size_t i = 0; i < N; i++)
    for (size_t c = 0; c < M; c++) {
      double sum = ridge * x[i * M + c];
      for (size_t j = 0; j < N; j++) sum += a[i * N + j] * x[j * M + c];
      assert_near(sum, b[i * M + c], 1e-11);
    }
}

static void cholesky_refuses_what_is_not_positive_definite(void **state) {
  (void)state;
  double indefinite[4] = {1, 2, 2, 1}, nothing[1] = {0}, broken[1] = {NAN}, endless[1] = {INFINITY},
         saved[4] = {1, 2, 2, 1};
  assert_false(nl_cholesky(2, indefinite, 0));
  assert_true(nl_cholesky(2, saved, 1.5));
  assert_false(nl_cholesky(1, nothing, 0)), assert_false(nl_cholesky(1, broken, 1)),
      assert_false(nl_cholesky(1, endless, 0));
}

// Columns 0..3 independent; 4 = 2 c0 - c1, 5 = -c2, 6 = 0, 7 = c0 + c1 + c2 + c3
static void dependent_columns(size_t rows, double *a) {
  uint64_t seed = 8;
  for (size_t r = 0; r < rows; r++) {
    double *c = a + r * 8;
    for (size_t i = 0; i < 4; i++) c[i] = gauss(&seed);
    c[4] = 2 * c[0] - c[1], c[5] = -c[2], c[6] = 0, c[7] = c[0] + c[1] + c[2] + c[3];
  }
}

// How many units the elimination does not let go free; they are the last in its order.
static size_t independent(size_t n, const double *second, size_t *order) {
  nl_elimination *e = NULL;
  double *weights = random_numbers(9, n, 1), progress;
  size_t free_ones = 0;
  OK(nl_elimination_create(&e, n, second, 1, weights, 1, NULL));
  while (nl_elimination_step(e, &progress, NULL) == NL_MORE) continue;
  memcpy(order, nl_elimination_order(e), n * sizeof *order);
  while (nl_elimination_deviation(e)[free_ones] == 0) free_ones++;
  nl_elimination_free(e);
  return n - free_ones;
}

static void independent_units_are_as_many_as_the_rank(void **state) {
  (void)state;
  enum { N = 8, ROWS = 50 };
  double a[ROWS * N], mean[N], second[N * N];
  size_t order[N], seen = 0;
  dependent_columns(ROWS, a);
  plain_moments(ROWS, N, a, true, mean, second);
  const size_t rank = independent(N, second, order);
  assert_int_equal(rank, 4);
  for (size_t i = 0; i < N; i++) seen |= (size_t)1 << order[i];
  assert_int_equal(seen, 255);
  for (size_t u = 0; u < N; u++) { // the chosen ones explain every unit
    double targets[ROWS];
    for (size_t r = 0; r < ROWS; r++) targets[r] = a[r * N + u];
    assert_true(fit_error(ROWS, N, a, 1, targets, rank, order + N - rank, true) < 1e-20);
  }
  spd(N, 4, second);
  assert_int_equal(independent(N, second, order), N);
  memset(second, 0, sizeof second);
  assert_int_equal(independent(N, second, order), 1); // one always stays
}

// ---- the measure -----------------------------------------------------------------------------------------------------

static void the_measure_is_normal(uint64_t seed, size_t features, size_t rows, double tolerance) {
  double *x = malloc(rows * features * sizeof *x);
  nl_measure_normal(seed, rows, features, NULL, NULL, x);
  for (size_t i = 0; i < features; i++) {
    double mean = 0, square = 0, fourth = 0;
    size_t inside = 0;
    for (size_t r = 0; r < rows; r++) {
      const double v = x[r * features + i];
      mean += v, square += v * v, fourth += v * v * v * v;
      inside += fabs(v) < 1;
    }
    const double count = (double)rows;
    assert_near(mean / count, 0, 1e-12); // pairs
    assert_near(square / count, 1, tolerance);
    assert_near(fourth / count, 3, 15 * tolerance);
    assert_near((double)inside / count, 0.6826894921370859, tolerance);
    for (size_t j = 0; j < i; j++) {
      double product = 0;
      for (size_t r = 0; r < rows; r++) product += x[r * features + i] * x[r * features + j];
      assert_near(product / count, 0, tolerance);
    }
  }
  free(x);
}

static void the_measure_has_the_moments_of_a_normal(void **state) {
  (void)state;
  the_measure_is_normal(3, 1, 4096, 0.01);
  the_measure_is_normal(3, 2, 4096, 0.02);
  // no two inputs move together, at any number of them
  for (size_t features = 3; features <= 20; features++)
    for (uint64_t seed = 1; seed <= 3; seed++) the_measure_is_normal(seed, features, 4096, 0.12);
  the_measure_is_normal(3, 40, 16384, 0.06);
}

static void the_measure_follows_mean_and_spread(void **state) {
  (void)state;
  enum { ROWS = 501 };
  double x[ROWS * 2], y[ROWS * 2];
  nl_measure_normal(4, ROWS, 2, NULL, NULL, x);
  nl_measure_normal(4, ROWS, 2, (double[]){10, -3}, (double[]){0.5, 2}, y);
  for (size_t r = 0; r < ROWS; r++) {
    assert_near(y[2 * r], 10 + 0.5 * x[2 * r], 1e-12);
    assert_near(y[2 * r + 1], -3 + 2 * x[2 * r + 1], 1e-12);
    if (r % 2 == 1) assert_true(x[2 * r] == -x[2 * r - 2]);
    assert_true(isfinite(x[2 * r]) && isfinite(x[2 * r + 1]));
  }
}

static void the_box_is_filled_evenly_and_in_mirrored_pairs(void **state) {
  (void)state;
  enum { ROWS = 2000 };
  const double low[3] = {-1, 10, 5}, high[3] = {3, 10.5, 5};
  static double x[ROWS * 3];
  nl_measure_box(4, ROWS, 3, low, high, x);
  for (size_t i = 0; i < 3; i++) {
    const double width = high[i] - low[i], middle = 0.5 * (low[i] + high[i]);
    double square = 0;
    for (size_t r = 0; r < ROWS; r++) {
      const double away = x[r * 3 + i] - middle;
      assert_true(x[r * 3 + i] >= low[i] && x[r * 3 + i] <= high[i]);
      if (r % 2 == 1) assert_near(away, middle - x[(r - 1) * 3 + i], 1e-12);
      square += away * away / ROWS;
    }
    assert_near(square, width * width / 12, 0.01 * width * width);
  }
}

static void the_seed_alone_decides_the_measure(void **state) {
  (void)state;
  enum { COUNT = 20 * 64 };
  double a[COUNT], b[COUNT], c[COUNT];
  const size_t features[2] = {4, 20};
  for (int k = 0; k < 2; k++) {
    const size_t rows = COUNT / features[k];
    nl_measure_normal(1, rows, features[k], NULL, NULL, a);
    nl_measure_normal(1, rows, features[k], NULL, NULL, b);
    nl_measure_normal(2, rows, features[k], NULL, NULL, c);
    assert_memory_equal(a, b, sizeof a);
    for (size_t i = 0; i < COUNT; i++) assert_true(a[i] != c[i]);
  }
}

static void jitter_moves_each_column_by_its_own_spread(void **state) {
  (void)state;
  enum { ROWS = 500, N = 3, COPIES = 6 };
  static double x[ROWS * N], out[COPIES * ROWS * N];
  uint64_t seed = 6;
  for (size_t r = 0; r < ROWS; r++) x[r * N] = gauss(&seed), x[r * N + 1] = 100 + 20 * gauss(&seed), x[r * N + 2] = 7;
  nl_measure_jitter(1, ROWS, N, x, 0.15, COPIES, out);
  for (size_t c = 0; c < N; c++) {
    double square = 0, mean = 0;
    for (size_t r = 0; r < COPIES * ROWS; r++) {
      const double moved = out[r * N + c] - x[r % ROWS * N + c];
      mean += moved, square += moved * moved;
    }
    const double spread = c == 0 ? 0.15 : c == 1 ? 3 : 0;
    assert_near(sqrt(square / (COPIES * ROWS)), spread, 0.1 * spread);
    assert_near(mean / (COPIES * ROWS), 0, 0.1 * spread);
  }
}

// ---- elimination -----------------------------------------------------------------------------------------------------

typedef struct problem {
  size_t rows, n, m;
  double *a;       // (rows, n)
  double *weights; // (n, m)
  double *targets; // (rows, m) = a weights
  double *mean, *second;
  size_t *order;
  double *deviation;
  double scale;
} problem;

static problem posed(size_t rows, size_t n, size_t m, double *a, uint64_t seed) {
  problem p = {rows, n,    m,    a, random_numbers(seed, n * m, 1), calloc(rows * m, sizeof(double)), NULL,
               NULL, NULL, NULL, 0};
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < n; j++)
      for (size_t o = 0; o < m; o++) p.targets[r * m + o] += a[r * n + j] * p.weights[j * m + o];
  p.mean = malloc(n * sizeof(double)), p.second = malloc(n * n * sizeof(double));
  p.order = malloc(n * sizeof(size_t)), p.deviation = malloc(n * sizeof(double));
  return p;
}
static void problem_free(problem *p) {
  free(p->a), free(p->weights), free(p->targets), free(p->mean), free(p->second), free(p->order), free(p->deviation);
}

static void eliminated(problem *p, bool centred) {
  plain_moments(p->rows, p->n, p->a, centred, p->mean, p->second);
  p->scale = fit_error(p->rows, p->n, p->a, p->m, p->targets, 0, NULL, centred); // variance, or mean square
  nl_elimination *e = NULL;
  double progress = 0, before = 0;
  OK(nl_elimination_create(&e, p->n, p->second, p->m, copied(p->weights, p->n * p->m), p->scale, NULL));
  nl_status status = NL_MORE;
  while (status == NL_MORE) {
    status = nl_elimination_step(e, &progress, NULL);
    assert_true(progress >= before && progress <= 1);
    before = progress;
  }
  OK(status);
  memcpy(p->order, nl_elimination_order(e), p->n * sizeof *p->order);
  memcpy(p->deviation, nl_elimination_deviation(e), p->n * sizeof *p->deviation);
  nl_elimination_free(e);
}

static double *correlated(size_t rows, size_t n, size_t sources, double noise_size, uint64_t seed) {
  double *mix = random_numbers(seed, sources * n, 1), *a = malloc(rows * n * sizeof *a), source[64];
  for (size_t r = 0; r < rows; r++) {
    for (size_t s = 0; s < sources; s++) source[s] = gauss(&seed);
    for (size_t j = 0; j < n; j++) {
      a[r * n + j] = 0.7 + noise_size * gauss(&seed);
      for (size_t s = 0; s < sources; s++) a[r * n + j] += source[s] * mix[s * n + j];
    }
  }
  free(mix);
  return a;
}

static void assert_deviations(const problem *p, bool centred, double tolerance) {
  size_t seen[64] = {0};
  for (size_t t = 0; t < p->n; t++) assert_int_equal(seen[p->order[t]]++, 0);
  for (size_t t = 0; t + 1 < p->n; t++) {
    const double error = fit_error(p->rows, p->n, p->a, p->m, p->targets, p->n - t - 1, p->order + t + 1, centred);
    const double expected = sqrt(error / p->scale);
    if (!(fabs(p->deviation[t] - expected) <= tolerance * expected + 2e-6))
      fail_msg("after %zu of %zu: %.10g where least squares gives %.10g", t + 1, p->n, p->deviation[t], expected);
    assert_true(t == 0 || p->deviation[t] >= p->deviation[t - 1]);
  }
  assert_true(isinf(p->deviation[p->n - 1]));
}

static void deviations_are_those_of_least_squares(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 12; seed++)
    for (int centred = 0; centred < 2; centred++) {
      const size_t n = 2 + seed % 7;
      problem p = posed(80, n, 1 + seed % 3, correlated(80, n, 4, 0.3, seed), seed + 100);
      eliminated(&p, centred);
      assert_deviations(&p, centred, 1e-6);
      problem_free(&p);
    }
}

// Few sources and little noise: the inverse loses its digits on the way and has to be computed anew.
static void ill_conditioned_deviations_are_those_of_least_squares(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    problem p = posed(200, 40, 3, correlated(200, 40, 5, k == 0 ? 1e-3 : 1e-5, 21), 22);
    eliminated(&p, true);
    assert_deviations(&p, true, 1e-3);
    problem_free(&p);
  }
}

static void each_unit_removed_is_the_cheapest_there_is(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    problem p = posed(60, 7, 2, correlated(60, 7, 3, 0.5, seed), seed + 50);
    eliminated(&p, true);
    for (size_t t = 0; t + 1 < p.n; t++) {
      size_t left[8];
      const double chosen = fit_error(p.rows, p.n, p.a, p.m, p.targets, p.n - t - 1, p.order + t + 1, true);
      for (size_t other = t + 1; other < p.n; other++) {
        size_t k = 0;
        for (size_t i = t; i < p.n; i++)
          if (i != other) left[k++] = p.order[i];
        assert_true(fit_error(p.rows, p.n, p.a, p.m, p.targets, k, left, true) >= chosen * (1 - 1e-9));
      }
    }
    problem_free(&p);
  }
}

static void duplicates_multiples_and_constants_go_first_and_free(void **state) {
  (void)state;
  enum { ROWS = 100, N = 9 };
  double *a = correlated(ROWS, N, 9, 0.5, 31);
  for (size_t r = 0; r < ROWS; r++) {
    a[r * N + 5] = a[r * N + 1];
    a[r * N + 6] = -3.5 * a[r * N + 2];
    a[r * N + 7] = 42;
    a[r * N + 8] = a[r * N] + a[r * N + 3] - 2;
  }
  problem p = posed(ROWS, N, 2, a, 32);
  eliminated(&p, true);
  for (size_t t = 0; t < 4; t++) assert_true(p.deviation[t] <= 1e-7);
  assert_true(p.deviation[4] > 1e-3);
  bool stays[N] = {0};
  for (size_t t = 4; t < N; t++) stays[p.order[t]] = true;
  assert_true(stays[1] != stays[5] && stays[2] != stays[6] && !stays[7] && stays[4]);
  assert_int_equal(stays[0] + stays[3] + stays[8], 2);
  assert_deviations(&p, true, 1e-5);
  problem_free(&p);
}

// Without a bias to move it to, a constant is a direction like any other.
static void a_constant_is_not_free_without_an_offset(void **state) {
  (void)state;
  enum { ROWS = 60, N = 4 };
  uint64_t seed = 3;
  double *a = malloc(ROWS * N * sizeof *a);
  for (size_t r = 0; r < ROWS; r++) {
    for (size_t j = 0; j < N; j++) a[r * N + j] = gauss(&seed);
    a[r * N + 2] = 3;
  }
  problem p = posed(ROWS, N, 1, a, 33);
  eliminated(&p, false);
  assert_true(p.deviation[0] > 1e-3);
  assert_deviations(&p, false, 1e-6);
  eliminated(&p, true);
  assert_int_equal(p.order[0], 2);
  assert_true(p.deviation[0] <= 1e-7);
  problem_free(&p);
}

static void units_that_never_move_all_go_free(void **state) {
  (void)state;
  double *a = malloc(40 * 3 * sizeof *a);
  for (size_t i = 0; i < 120; i++) a[i] = 1 + (double)(i % 3);
  problem p = posed(40, 3, 2, a, 34);
  eliminated(&p, true);
  assert_true(p.deviation[0] <= 1e-7 && p.deviation[1] <= 1e-7 && isinf(p.deviation[2]));
  problem_free(&p);
}

// ---- projection ------------------------------------------------------------------------------------------------------

static void projection_reproduces_exact_dependencies(void **state) {
  (void)state;
  enum { ROWS = 70, N = 6, K = 3 };
  uint64_t seed = 9;
  double a[ROWS * N], mean[N], second[N * N], prolongation[N * K], offset[N];
  for (size_t r = 0; r < ROWS; r++) {
    double *c = a + r * N;
    c[1] = gauss(&seed), c[3] = 2 + gauss(&seed), c[4] = 0.3 * gauss(&seed);
    c[0] = 2 * c[1] - c[3] + 5, c[2] = -4 * c[4], c[5] = 1.25;
  }
  plain_moments(ROWS, N, a, true, mean, second);
  OK(nl_project(N, second, mean, true, K, (size_t[]){1, 3, 4}, prolongation, offset, NULL));
  static const double expected[N * K] = {2, -1, 0, 1, 0, 0, 0, 0, -4, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  static const double expected_offset[N] = {5, 0, 0, 0, 0, 1.25};
  for (size_t i = 0; i < N * K; i++) assert_near(prolongation[i], expected[i], 1e-9);
  for (size_t i = 0; i < N; i++) assert_near(offset[i], expected_offset[i], 1e-9);
}

static void projection_is_the_least_squares_fit(void **state) {
  (void)state;
  enum { ROWS = 60, N = 6, K = 3 };
  static const size_t kept[K] = {0, 2, 5};
  for (int affine = 0; affine < 2; affine++) {
    double *a = correlated(ROWS, N, 4, 0.4, 41), mean[N], second[N * N], prolongation[N * K], offset[N];
    plain_moments(ROWS, N, a, affine, mean, second);
    OK(nl_project(N, second, mean, affine, K, kept, prolongation, offset, NULL));
    for (size_t u = 0; u < N; u++) {
      double targets[ROWS], error = 0;
      for (size_t r = 0; r < ROWS; r++) {
        double value = offset[u];
        for (size_t i = 0; i < K; i++) value += prolongation[u * K + i] * a[r * N + kept[i]];
        targets[r] = a[r * N + u];
        error += (value - targets[r]) * (value - targets[r]) / ROWS;
      }
      assert_near(error, fit_error(ROWS, N, a, 1, targets, K, kept, affine), 1e-9);
      assert_true(affine || offset[u] == 0);
    }
    free(a);
  }
}

static void a_kept_unit_stands_for_itself_to_the_last_bit(void **state) {
  (void)state;
  enum { ROWS = 50, N = 10, K = 4 };
  static const size_t kept[K] = {1, 4, 6, 9};
  double *a = correlated(ROWS, N, 2, 1e-7, 42), mean[N], second[N * N], prolongation[N * K], offset[N];
  plain_moments(ROWS, N, a, true, mean, second);
  OK(nl_project(N, second, mean, true, K, kept, prolongation, offset, NULL));
  for (size_t i = 0; i < K; i++) {
    assert_true(offset[kept[i]] == 0);
    for (size_t j = 0; j < K; j++) assert_true(prolongation[kept[i] * K + j] == (i == j));
  }
  for (size_t i = 0; i < N * K; i++) assert_true(isfinite(prolongation[i]));
  free(a);
}

static void a_lumping_moves_consumers_onto_the_kept_units(void **state) {
  (void)state;
  static const double prolongation[6] = {1, 0, 0, 1, 2, -3}, offset[3] = {0, 0, 0.5}, weights[6] = {1, 2, 3, 4, 5, 6};
  const nl_lumping lumping = {3, 2, (size_t[]){0, 1}, NULL, prolongation, offset};
  double out[4] = {9, 9, 9, 9}, bias[2] = {10, 20};
  nl_lumping_consume(&lumping, 2, weights, out, bias);
  const double expected[4] = {1 + 6, 2 - 9, 4 + 12, 5 - 18};
  for (size_t i = 0; i < 4; i++) assert_near(out[i], expected[i], 1e-15);
  assert_near(bias[0], 11.5, 1e-15), assert_near(bias[1], 23, 1e-15);
}

// ---- the refit -------------------------------------------------------------------------------------------------------

// One hidden layer: the refitted output layer is the least-squares fit of the outputs from the kept activations.
static void the_refit_of_an_output_layer_is_the_least_squares_fit(void **state) {
  (void)state;
  enum { ROWS = 150, IN = 3, N = 12, OUT = 2 };
  chain c = random_chain(51, "Tanh", 2, (size_t[]){IN, N, OUT});
  double *x = random_numbers(52, ROWS * IN, 1), a[ROWS * N], y[ROWS * OUT];
  const nl_span bytes = chain_bytes(&c);
  nl_model *model = opened(bytes);
  nl_path *path = walked(model, &(nl_path_options){.seed = 1, .data = x, .data_rows = ROWS});
  for (size_t r = 0; r < ROWS; r++) {
    for (size_t u = 0; u < N; u++) {
      double z = c.bias[0][u];
      for (size_t i = 0; i < IN; i++) z += c.weights[0][u * IN + i] * x[r * IN + i];
      a[r * N + u] = tanh(z);
    }
    for (size_t o = 0; o < OUT; o++) {
      y[r * OUT + o] = c.bias[1][o];
      for (size_t u = 0; u < N; u++) y[r * OUT + o] += c.weights[1][o * N + u] * a[r * N + u];
    }
  }
  const double variance = fit_error(ROWS, N, a, OUT, y, 0, NULL, true);
  for (double share = 0.3; share < 0.9; share += 0.2) {
    nl_result *result = reached(path, NL_TARGET_RETAIN, share);
    cJSON *report = report_of(result);
    const cJSON *kept = at(report, "sites.0.kept");
    size_t units[N], k = 0;
    for (const cJSON *u = kept->child; u != NULL; u = u->next) units[k++] = (size_t)u->valuedouble;
    const double expected = sqrt(fit_error(ROWS, N, a, OUT, y, k, units, true) / variance);
    assert_true(k < N && k > 0);
    assert_near(nl_result_deviation(result), expected, 1e-4 * expected + 1e-9);
    // the path weighs by the output's sensitivity, whose ridge adds half a thousandth
    assert_near(number_at(report, "sites.0.deviation"), expected, 1e-3 * expected + 1e-6);
    cJSON_Delete(report), nl_result_free(result);
  }
  nl_path_free(path), nl_model_free(model), free((void *)bytes.bytes), chain_free(&c), free(x);
}

static size_t read_constant(const nl_graph *graph, const char *name, double *values) {
  const nl_tensor *t = &graph->tensors[graph->values[value_named(graph, name)].tensor];
  OK(nl_tensor_read(t, values, NULL));
  return (size_t)t->dims[0];
}

// out = tanh(W in + b) for every row, W and b named in the graph; returns the width.
static size_t hidden(const nl_graph *graph, const char *w, const char *b, size_t rows, size_t in, const double *x,
                     double *out) {
  double weights[256], bias[32];
  const size_t n = read_constant(graph, w, weights);
  read_constant(graph, b, bias);
  for (size_t r = 0; r < rows; r++)
    for (size_t u = 0; u < n; u++) {
      double z = bias[u];
      for (size_t i = 0; i < in; i++) z += weights[u * in + i] * x[r * in + i];
      out[r * n + u] = tanh(z);
    }
  return n;
}

// Two hidden layers: the output layer is fitted to what the smaller network's own second layer really gives.
static void the_refit_starts_from_the_smaller_networks_own_activations(void **state) {
  (void)state;
  enum { ROWS = 200, IN = 3, OUT = 2 };
  chain c = random_chain(61, "Tanh", 3, (size_t[]){IN, 12, 10, OUT});
  double *x = random_numbers(62, ROWS * IN, 1), y[ROWS * OUT], a[ROWS * 12], b[ROWS * 12];
  const nl_span bytes = chain_bytes(&c);
  nl_model *model = opened(bytes);
  nl_path *path = walked(model, &(nl_path_options){.seed = 1, .data = x, .data_rows = ROWS});
  nl_result *result = reached(path, NL_TARGET_RETAIN, 0.4);
  nl_buffer written = {0};
  OK(nl_result_write(result, &written, NULL));
  OK(nl_model_forward(model, ROWS, x, y, NULL));
  nl_graph *graph = read_bytes(span_of(&written));
  const size_t first = hidden(graph, "w0", "b0", ROWS, IN, x, a), second = hidden(graph, "w1", "b1", ROWS, first, a, b);
  size_t all[12];
  for (size_t i = 0; i < second; i++) all[i] = i;
  assert_true(first < 12 && second < 10);
  const double best = fit_error(ROWS, second, b, OUT, y, second, all, true),
               variance = fit_error(ROWS, second, b, OUT, y, 0, NULL, true);
  assert_near(nl_result_deviation(result), sqrt(best / variance), 1e-3 * sqrt(best / variance));
  nl_graph_free(graph), nl_buffer_free(&written), nl_result_free(result), nl_path_free(path), nl_model_free(model);
  free((void *)bytes.bytes), chain_free(&c), free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moments_are_those_of_a_plain_loop),
      cmocka_unit_test(a_large_mean_costs_no_digits),
      cmocka_unit_test(merged_parts_are_the_moments_of_all_rows),
      cmocka_unit_test(cholesky_factors_and_solves),
      cmocka_unit_test(cholesky_refuses_what_is_not_positive_definite),
      cmocka_unit_test(independent_units_are_as_many_as_the_rank),
      cmocka_unit_test(the_measure_has_the_moments_of_a_normal),
      cmocka_unit_test(the_measure_follows_mean_and_spread),
      cmocka_unit_test(the_box_is_filled_evenly_and_in_mirrored_pairs),
      cmocka_unit_test(the_seed_alone_decides_the_measure),
      cmocka_unit_test(jitter_moves_each_column_by_its_own_spread),
      cmocka_unit_test(deviations_are_those_of_least_squares),
      cmocka_unit_test(ill_conditioned_deviations_are_those_of_least_squares),
      cmocka_unit_test(each_unit_removed_is_the_cheapest_there_is),
      cmocka_unit_test(duplicates_multiples_and_constants_go_first_and_free),
      cmocka_unit_test(a_constant_is_not_free_without_an_offset),
      cmocka_unit_test(units_that_never_move_all_go_free),
      cmocka_unit_test(projection_reproduces_exact_dependencies),
      cmocka_unit_test(projection_is_the_least_squares_fit),
      cmocka_unit_test(a_kept_unit_stands_for_itself_to_the_last_bit),
      cmocka_unit_test(a_lumping_moves_consumers_onto_the_kept_units),
      cmocka_unit_test(the_refit_of_an_output_layer_is_the_least_squares_fit),
      cmocka_unit_test(the_refit_starts_from_the_smaller_networks_own_activations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
