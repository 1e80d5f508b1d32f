// The elimination by blocks and in steps against the plain loop of its equations, and the blocked linear algebra below it.
#include "kernels/kernels.h"
#include "linear.h"
#include "linear_blocks.h"
#include "linear_update.h"
#include "models.h"
#include "project.h"

static double *zeros(size_t count) {
  double *made = calloc(count + 1, sizeof *made);
  assert_non_null(made);
  return made;
}

static double *work_for(size_t n) {
  return aligned_alloc(16, (nl_matmul_f64_work() + nl_cholesky_blocks_work(n)) * sizeof(double));
}

// G Gᵀ / n + I / 4
static double *positive(size_t n, uint64_t seed) {
  double *g = random_numbers(seed, n * n, 1), *a = zeros(n * n);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) a[i * n + j] = nl_dot_f64(n, g + i * n, g + j * n) / (double)n + (i == j ? 0.25 : 0);
  free(g);
  return a;
}

// ---- blocked linear algebra ------------------------------------------------------------------------------------------

static const size_t sizes[] = {1, 2, 63, 64, 65, 128, 200, 257, 330};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void blocks_factor_and_solve_as_the_plain_loops_do(void **state) {
  (void)state;
  for (size_t k = 0; k < SIZES; k++) {
    const size_t n = sizes[k], m = k % 2 == 0 ? 3 : NL_STRIPE + 5;
    double *a = positive(n, 1 + k), *l = positive(n, 1 + k), *b = random_numbers(50 + k, n * m, 1), *work = work_for(n);
    double *x = random_numbers(50 + k, n * m, 1);
    assert_true(nl_cholesky(n, l, 0.5) && nl_cholesky_blocks(n, a, 0.5, work));
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j <= i; j++) assert_near(a[i * n + j], l[i * n + j], 1e-12);
    nl_cholesky_solve(n, l, m, x), nl_cholesky_solve_blocks(n, a, m, b, work);
    for (size_t i = 0; i < n * m; i++) assert_near(b[i], x[i], 1e-10);
    free(a), free(l), free(b), free(x), free(work);
  }
}

static void blocks_refuse_what_is_not_positive_definite(void **state) {
  (void)state;
  enum { N = 100 };
  double *work = work_for(N);
  for (size_t bad = 0; bad < N; bad += 33) {
    double *a = positive(N, 2);
    a[bad * N + bad] = bad == 99 ? (double)NAN : -1;
    assert_false(nl_cholesky_blocks(N, a, 0, work));
    free(a);
  }
  free(work);
}

static void an_inverse_in_the_place_of_its_factor_is_the_inverse(void **state) {
  (void)state;
  for (size_t k = 0; k < SIZES; k++) {
    const size_t n = sizes[k], row = n + 1;
    double *a = positive(n, 70 + k), *square = zeros(n * row), *work = work_for(n);
    double *room = zeros(NL_BLOCK * (NL_STRIPE + NL_BLOCK));
    assert_true(nl_cholesky(n, a, 0));
    for (size_t i = 0; i < n; i++) memcpy(square + i * row, a + i * n, (i + 1) * sizeof *a);
    for (size_t from = 0; from < n; from += NL_STRIPE)
      for (size_t first = from; first < n; first += NL_BLOCK) nl_invert_block(n, from, first, square, row, room, work);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j <= i; j++) { // L⁻¹ L
        double sum = 0;
        for (size_t l = j; l <= i; l++) sum += square[i * row + l] * a[l * n + j];
        assert_near(sum, i == j, 1e-11);
      }
    free(a), free(square), free(work), free(room);
  }
}

// ---- changes that wait -----------------------------------------------------------------------------------------------

static void assert_symmetric_is(const nl_symmetric *s, size_t n, const double *expected, const size_t *row_of) {
  double *column = zeros(s->n);
  for (size_t p = 0; p < s->kept; p++) {
    const double *row = expected + row_of[p] * n;
    nl_symmetric_column(s, s->at[p], column);
    assert_near(s->diagonal[s->at[p]], row[row_of[p]], 1e-12);
    for (size_t q = 0; q < s->kept; q++) assert_near(column[s->at[q]], row[row_of[q]], 1e-12);
  }
  free(column);
}

// Random changes and drops, settled and compacted at any moment, against the whole matrix changed at once.
static void changes_that_wait_are_there_for_whoever_asks(void **state) {
  (void)state;
  enum { N = 90, ROOM = 5 };
  nl_arena arena = {0};
  nl_symmetric s;
  double *upper = positive(N, 3), *whole = positive(N, 3), *work = work_for(N);
  size_t row_of[N], done;
  uint64_t seed = 4;
  OK(nl_symmetric_take(&s, N, upper, N, ROOM, &arena, NULL));
  nl_symmetric_start(&s, N);
  for (size_t i = 0; i < N; i++) row_of[i] = i;
  while (s.kept > 0) {
    double *left = s.left + s.waiting * N, *right = s.right + s.waiting * N;
    for (size_t i = 0; i < s.n; i++) left[i] = -(right[i] = 0.1 * gauss(&seed));
    for (size_t p = 0; p < s.kept; p++)
      for (size_t q = 0; q < s.kept; q++) whole[row_of[p] * N + row_of[q]] += left[s.at[p]] * right[s.at[q]];
    nl_symmetric_add(&s);
    if (uniform01(&seed) < 0.7) {
      const size_t position = (size_t)(uniform01(&seed) * (double)s.kept);
      nl_symmetric_drop(&s, position);
      row_of[position] = row_of[s.kept];
    }
    assert_symmetric_is(&s, N, whole, row_of);
    if (s.waiting < ROOM && uniform01(&seed) < 0.8) continue;
    while (!nl_symmetric_settle(&s, 1, &done, work)) assert_true(done > 0);
    nl_symmetric_compact(&s);
    assert_true(s.n == s.kept && s.waiting == 0);
    assert_symmetric_is(&s, N, whole, row_of);
  }
  free(upper), free(whole), free(work), nl_arena_free(&arena);
}

// ---- the plain loop --------------------------------------------------------------------------------------------------

typedef struct task {
  size_t n, m;
  double *second, *weights;
  double scale;
} task;

typedef struct path {
  size_t order[700];
  double deviation[700];
} path;

// Units that are no combination of others first in `unit`; how many.
static size_t plain_independent(const task *t, size_t *unit) {
  const size_t n = t->n;
  double *rest = zeros(n * n), trace = 0;
  memcpy(rest, t->second, n * n * sizeof *rest);
  for (size_t i = 0; i < n; i++) unit[i] = i, trace += rest[i * n + i];
  for (size_t k = 0; k < n; k++) {
    size_t best = n;
    for (size_t c = k; c < n; c++) {
      const double own = t->second[unit[c] * (n + 1)], now = rest[unit[c] * (n + 1)];
      if (now > 1e-12 * own && own > 1e-20 * trace / (double)n && (best == n || now > rest[unit[best] * (n + 1)]))
        best = c;
    }
    if (best == n) return free(rest), k;
    const size_t p = unit[best];
    unit[best] = unit[k], unit[k] = p;
    double *pivot = zeros(n);
    memcpy(pivot, rest + p * n, n * sizeof *pivot);
    for (size_t i = 0; i < n; i++) nl_axpy_f64(n, -pivot[i] / pivot[p], pivot, rest + i * n);
    free(pivot);
  }
  return free(rest), n;
}

// H = (C_SS + λI)⁻¹, W_S + H C_SR W_R for S the first k of `unit` and R those in `gone`; the largest entry of H.
static double plain_start(const task *t, size_t k, const size_t *unit, size_t gone, const size_t *order, double *h,
                          double *w) {
  const size_t n = t->n, m = t->m;
  double *l = zeros(k * k), trace = 0, largest = 0;
  for (size_t i = 0; i < k; i++) trace += t->second[unit[i] * (n + 1)];
  for (size_t i = 0; i < k * k; i++) l[i] = t->second[unit[i / k] * n + unit[i % k]], h[i] = i / k == i % k;
  memset(w, 0, k * m * sizeof *w);
  assert_true(nl_cholesky(k, l, 1e-12 * trace / (double)k));
  for (size_t i = 0; i < k; i++)
    for (size_t r = 0; r < gone; r++)
      nl_axpy_f64(m, t->second[unit[i] * n + order[r]], t->weights + order[r] * m, w + i * m);
  nl_cholesky_solve(k, l, m, w), nl_cholesky_solve(k, l, k, h);
  for (size_t i = 0; i < k; i++) nl_axpy_f64(m, 1, t->weights + unit[i] * m, w + i * m);
  for (size_t i = 0; i < k; i++) largest = fmax(largest, h[i * (k + 1)]);
  free(l);
  return largest;
}

// w_i ← w_i - w_j H_ij / H_jj, H ← H - H_j H_jᵀ / H_jj for the unit of least ‖w_j‖² / H_jj, row by row.
static void plain_path(const task *t, path *out) {
  const size_t n = t->n, m = t->m;
  size_t *unit = calloc(n, sizeof *unit), gone = 0, left = plain_independent(t, unit), stride;
  double *h = zeros(n * n), *w = zeros(n * m), error = 0, largest = 0;
  left = left == 0 ? 1 : left;
  memset(out, 0, sizeof *out);
  for (size_t i = left; i < n; i++) out->order[gone++] = unit[i];
  stride = left;
  if (left > 1) largest = plain_start(t, left, unit, gone, out->order, h, w);
  for (; left > 1; gone++) {
    size_t best = 0, last = --left;
    double least = INFINITY, most = 0;
    for (size_t i = 0; i <= last; i++) {
      const double cost = nl_dot_f64(m, w + i * m, w + i * m) / h[i * (stride + 1)];
      if (cost < least) least = cost, best = i;
    }
    out->order[gone] = unit[best];
    out->deviation[gone] = sqrt((error += least) / t->scale);
    double *row = zeros(stride), *v = zeros(m);
    memcpy(row, h + best * stride, stride * sizeof *row), memcpy(v, w + best * m, m * sizeof *v);
    for (size_t i = 0; i <= last; i++) {
      nl_axpy_f64(m, -row[i] / row[best], v, w + i * m);
      nl_axpy_f64(stride, -row[i] / row[best], row, h + i * stride);
    }
    unit[best] = unit[last]; // the last row and column take its place
    memcpy(h + best * stride, h + last * stride, stride * sizeof *h), memcpy(w + best * m, w + last * m, m * sizeof *w);
    for (size_t i = 0; i <= last; i++) h[i * stride + best] = h[i * stride + last];
    h[best * stride + best] = h[last * stride + last];
    free(row), free(v);
    for (size_t i = 0; i < left; i++) most = fmax(most, h[i * (stride + 1)]);
    if (left > 1 && most < 1e-4 * largest) largest = plain_start(t, stride = left, unit, gone + 1, out->order, h, w);
  }
  out->order[n - 1] = unit[0], out->deviation[n - 1] = INFINITY;
  free(unit), free(h), free(w);
}

// ---- the elimination against it --------------------------------------------------------------------------------------

static size_t run(const task *t, path *out) {
  nl_elimination *e = NULL;
  double progress = 0, before = 0;
  size_t steps = 0;
  OK(nl_elimination_create(&e, t->n, t->second, t->m, copied(t->weights, t->n * t->m), t->scale, NULL));
  nl_status status = NL_MORE;
  for (; status == NL_MORE; steps++) {
    status = nl_elimination_step(e, &progress, NULL);
    assert_true(progress >= before && progress <= 1);
    before = progress;
  }
  OK(status);
  assert_true(progress == 1);
  memcpy(out->order, nl_elimination_order(e), t->n * sizeof *out->order);
  memcpy(out->deviation, nl_elimination_deviation(e), t->n * sizeof *out->deviation);
  nl_elimination_free(e);
  return steps;
}

static void assert_paths_agree(const task *t, double tolerance) {
  path *found = malloc(sizeof *found), *plain = malloc(sizeof *plain);
  run(t, found), plain_path(t, plain);
  for (size_t u = 0; u < t->n; u++) {
    if (found->order[u] != plain->order[u])
      fail_msg("unit %zu goes at %zu of %zu where the plain loop removes %zu", found->order[u], u, t->n,
               plain->order[u]);
    if (u + 1 < t->n) assert_near(found->deviation[u], plain->deviation[u], tolerance * plain->deviation[u] + 1e-7);
  }
  assert_true(isinf(found->deviation[t->n - 1]));
  free(found), free(plain);
}

// Second moments of `sources` random directions and noise of its own for each unit.
static task posed(size_t n, size_t m, size_t sources, double noise, uint64_t seed) {
  task t = {n, m, zeros(n * n), random_numbers(seed + 1, n * m, 1), 1};
  double *mix = random_numbers(seed, n * sources, 1);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++)
      t.second[i * n + j] = t.second[j * n + i] =
          nl_dot_f64(sources, mix + i * sources, mix + j * sources) + (i == j ? noise * noise : 0);
  t.scale = (double)(n * (m + 1));
  free(mix);
  return t;
}

static void task_free(task *t) { free(t->second), free(t->weights); }

// Panels of 64, both ways to keep the norms (W up to 256 units or one consumer to 16, beyond that K), one unit, none consumed.
static void the_path_is_that_of_the_plain_loop(void **state) {
  (void)state;
  static const size_t shapes[][2] = {{1, 1},   {1, 0},   {2, 1},    {7, 0},    {63, 5},   {64, 64},  {65, 3},   {66, 1},
                                     {129, 2}, {200, 9}, {256, 40}, {257, 16}, {257, 17}, {321, 30}, {330, 300}};
  for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
    task t = posed(shapes[k][0], shapes[k][1], shapes[k][0] + 3, 0.5, 10 * k);
    assert_paths_agree(&t, 1e-9);
    task_free(&t);
  }
}

// H is computed anew on the way, some units being gone.
static void the_path_survives_the_loss_of_digits(void **state) {
  (void)state;
  static const size_t shapes[][3] = {{40, 3, 5}, {100, 4, 30}, {280, 3, 100}, {280, 40, 100}};
  for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
    task t = posed(shapes[k][0], shapes[k][1], shapes[k][2], 1e-3, 100 + k);
    assert_paths_agree(&t, 1e-5);
    task_free(&t);
  }
}

// Units repeated, scaled and silent: unit i of the last half is `by` times unit i of the first.
static task repeated(size_t n, size_t m, double by, uint64_t seed) {
  task half = posed(n / 2, m, n, 0.5, seed), t = posed(n, m, n, 0.5, seed);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      t.second[i * n + j] =
          half.second[i % (n / 2) * (n / 2) + j % (n / 2)] * (i < n / 2 ? 1 : by) * (j < n / 2 ? 1 : by);
  task_free(&half);
  return t;
}

static void copies_go_first_and_free_and_the_rest_as_in_the_plain_loop(void **state) {
  (void)state;
  static const double factors[] = {1, -2, 0};
  for (size_t k = 0; k < 6; k++) {
    const size_t n = k < 3 ? 140 : 600, m = k < 3 ? 3 : 50;
    task t = repeated(n, m, factors[k % 3], 200 + k);
    path *found = malloc(sizeof *found);
    assert_paths_agree(&t, 1e-6);
    run(&t, found);
    for (size_t u = 0; u < n / 2; u++) assert_true(found->deviation[u] == 0);
    assert_true(found->deviation[n / 2] > 1e-4);
    free(found), task_free(&t);
  }
}

// All units alike in cost, and consumers that hear nothing: ties go by the same rule.
static void ties_break_as_in_the_plain_loop(void **state) {
  (void)state;
  static const size_t counts[] = {5, 64, 65, 130, 300};
  for (size_t k = 0; k < 5; k++) {
    const size_t n = counts[k], m = n;
    task t = posed(n, m, 1, 0, 300);
    for (size_t i = 0; i < n * n; i++) t.second[i] = t.weights[i] = i / n == i % n; // independent, one consumer each
    assert_paths_agree(&t, 1e-12);
    memset(t.weights, 0, n * m * sizeof *t.weights);
    assert_paths_agree(&t, 0);
    memset(t.second, 0, n * n * sizeof *t.second);
    assert_paths_agree(&t, 0);
    task_free(&t);
  }
}

// Whatever the matrix holds, the elimination ends, and every unit goes once.
static void a_matrix_that_is_no_second_moment_comes_to_an_end(void **state) {
  (void)state;
  enum { N = 300 };
  static const double wrong[] = {NAN, INFINITY, -1e300, 1e300, -5};
  for (size_t k = 0; k < 10; k++) {
    task t = posed(N, k < 5 ? 2 : 40, N, 0.5, 400);
    for (size_t i = 0; i < N; i += 50) t.second[i * N + i / 2] = t.second[i / 2 * N + i] = wrong[k % 5];
    nl_elimination *e = NULL;
    double progress;
    size_t seen[N] = {0};
    OK(nl_elimination_create(&e, N, t.second, t.m, copied(t.weights, N * t.m), 1, NULL));
    nl_status status;
    while ((status = nl_elimination_step(e, &progress, NULL)) == NL_MORE) continue;
    if (status == NL_OK)
      for (size_t i = 0; i < N; i++) assert_int_equal(seen[nl_elimination_order(e)[i]]++, 0);
    else
      assert_int_equal(status, NL_ERROR_NOT_FINITE);
    nl_elimination_free(e), task_free(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_factor_and_solve_as_the_plain_loops_do),
      cmocka_unit_test(blocks_refuse_what_is_not_positive_definite),
      cmocka_unit_test(an_inverse_in_the_place_of_its_factor_is_the_inverse),
      cmocka_unit_test(changes_that_wait_are_there_for_whoever_asks),
      cmocka_unit_test(the_path_is_that_of_the_plain_loop),
      cmocka_unit_test(the_path_survives_the_loss_of_digits),
      cmocka_unit_test(copies_go_first_and_free_and_the_rest_as_in_the_plain_loop),
      cmocka_unit_test(ties_break_as_in_the_plain_loop),
      cmocka_unit_test(a_matrix_that_is_no_second_moment_comes_to_an_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
