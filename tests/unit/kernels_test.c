// Every variant of every kernel against a plain loop, bit for bit. Only a NaN is compared as a NaN: its sign and payload are
// the machine's choice.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "kernels/product_f32.h"
#include "kernels/product_f64.h"

typedef struct variant {
  const char *name;
  void (*matmul)(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
                 size_t b_row, size_t b_col, double *c, size_t c_row, double *work);
  void (*matmul_upper)(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
                       size_t b_row, size_t b_col, double *c, size_t c_row, double *work);
  void (*gram)(size_t rows, size_t n, const double *a, size_t a_row, double *g, size_t g_row, double *work);
  void (*axpy)(size_t n, double alpha, const double *restrict x, double *restrict y);
  double (*dot)(size_t n, const double *restrict x, const double *restrict y);
} variant;

static const variant variants[] = {
    {"scalar", nl_matmul_f64__scalar, nl_matmul_upper_f64__scalar, nl_gram_f64__scalar, nl_axpy_f64__scalar,
     nl_dot_f64__scalar},
    {"simd128", nl_matmul_f64__simd128, nl_matmul_upper_f64__simd128, nl_gram_f64__simd128, nl_axpy_f64__simd128,
     nl_dot_f64__simd128},
    {"plain name", nl_matmul_f64, nl_matmul_upper_f64, nl_gram_f64, nl_axpy_f64, nl_dot_f64},
};
enum { VARIANTS = sizeof variants / sizeof variants[0], LENGTHS = 68 };

static const double specials[] = {0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, 0x1p-1074, 0x1.fffffffffffffp1023};
enum { SPECIALS = sizeof specials / sizeof specials[0] };

static uint32_t next(uint32_t *seed) { // xorshift32, Marsaglia 2003
  *seed ^= *seed << 13;
  *seed ^= *seed >> 17;
  return *seed ^= *seed << 5;
}

// Numbers of both signs over some twenty binary orders, so that another order of addition shows in the last bits.
static double number(uint32_t *seed) { return ldexp((double)next(seed) / 0x1p31 - 1.0, (int)(next(seed) % 20) - 10); }

static double number_or_special(uint32_t *seed) {
  return next(seed) % 4 == 0 ? specials[next(seed) % SPECIALS] : number(seed);
}

typedef double source(uint32_t *seed);

// Exactly `count` doubles, so that the address sanitizer sees a step beyond either end.
static double *doubles(size_t count) {
  double *made = malloc(count > 0 ? count * sizeof *made : 1);
  assert_non_null(made);
  return made;
}

static double *filled(size_t count, source *from, uint32_t *seed) {
  double *made = doubles(count);
  for (size_t i = 0; i < count; i++) made[i] = from(seed);
  return made;
}

static double *copied(const double *values, size_t count) {
  double *made = doubles(count);
  if (count > 0) memcpy(made, values, count * sizeof *made);
  return made;
}

static void assert_same(const double *found, const double *expected, size_t count, const char *what) {
  for (size_t i = 0; i < count; i++) {
    if (isnan(found[i]) && isnan(expected[i])) continue;
    if (memcmp(&found[i], &expected[i], sizeof found[i]) != 0)
      fail_msg("%s: entry %zu of %zu is %a, expected %a", what, i, count, found[i], expected[i]);
  }
}

// Entries a matrix of rows and columns spans with these strides
static size_t span(size_t rows, size_t row, size_t columns, size_t column) {
  return rows == 0 || columns == 0 ? 0 : (rows - 1) * row + (columns - 1) * column + 1;
}

typedef struct matmul_case {
  size_t m, n, k, a_row, a_col, b_row, b_col, c_row;
} matmul_case;

static void plain_matmul(const matmul_case *on, const double *a, const double *b, double *c) {
  for (size_t i = 0; i < on->m; i++)
    for (size_t j = 0; j < on->n; j++)
      for (size_t l = 0; l < on->k; l++)
        c[i * on->c_row + j] += a[i * on->a_row + l * on->a_col] * b[l * on->b_row + j * on->b_col];
}

// The whole span of C is compared: what lies between its rows must stay, and below the diagonal where the upper triangle is asked for.
static void check_product(const matmul_case *on, bool upper, source *from, uint32_t *seed) {
  const size_t c_size = span(on->m, on->c_row, on->n, 1);
  double *a = filled(span(on->m, on->a_row, on->k, on->a_col), from, seed);
  double *b = filled(span(on->k, on->b_row, on->n, on->b_col), from, seed);
  double *start = filled(c_size, from, seed);
  double *expected = copied(start, c_size), *work = doubles(nl_matmul_f64_work());
  plain_matmul(on, a, b, expected);
  for (size_t i = 0; upper && i < on->m; i++)
    for (size_t j = 0; j < i && j < on->n; j++) expected[i * on->c_row + j] = start[i * on->c_row + j];
  for (size_t v = 0; v < VARIANTS; v++) {
    double *c = copied(start, c_size);
    (upper ? variants[v].matmul_upper : variants[v].matmul)(on->m, on->n, on->k, a, on->a_row, on->a_col, b, on->b_row,
                                                            on->b_col, c, on->c_row, work);
    assert_same(c, expected, c_size, variants[v].name);
    free(c);
  }
  free(work);
  free(expected);
  free(start);
  free(b);
  free(a);
}

static matmul_case packed_case(size_t m, size_t n, size_t k) {
  return (matmul_case){.m = m, .n = n, .k = k, .a_row = k, .a_col = 1, .b_row = n, .b_col = 1, .c_row = n};
}

// Every length in every dimension, the other two drawn anew.
static void matmul_equals_the_plain_loop_for_every_length_to_67(void **state) {
  (void)state;
  uint32_t seed = 1;
  for (size_t length = 0; length < LENGTHS; length++)
    for (size_t draw = 0; draw < 6; draw++) {
      size_t size[3] = {next(&seed) % LENGTHS, next(&seed) % LENGTHS, next(&seed) % LENGTHS};
      size[draw % 3] = length;
      const matmul_case on = packed_case(size[0], size[1], size[2]);
      check_product(&on, false, number, &seed);
    }
}

static void matmul_reads_strided_and_transposed_matrices(void **state) {
  (void)state;
  uint32_t seed = 2;
  for (size_t draw = 0; draw < 64; draw++) {
    const size_t m = 1 + next(&seed) % 20, n = 1 + next(&seed) % 20, k = 1 + next(&seed) % 20;
    matmul_case on = packed_case(m, n, k);
    on.c_row = n + draw % 5;
    on.a_row = draw & 1 ? 1 : k + 3;
    on.a_col = draw & 1 ? m + 2 : 1;
    on.b_row = draw & 2 ? 1 : n + 1;
    on.b_col = draw & 2 ? k + 5 : 1;
    if (draw & 4) on.a_row *= 2 * m, on.a_col *= 2 * m; // neither stride is 1
    check_product(&on, false, number, &seed);
  }
}

static void matmul_equals_the_plain_loop_across_block_borders(void **state) {
  (void)state;
  const size_t sizes[][3] = {
      {NL_BLOCK_ROWS - 1, 5, 3},
      {NL_BLOCK_ROWS, NL_TILE, NL_BLOCK_DEPTH},
      {NL_BLOCK_ROWS + 1, 7, NL_BLOCK_DEPTH + 1},
      {2 * NL_BLOCK_ROWS + 3, NL_TILE + 1, 2 * NL_BLOCK_DEPTH + 1},
      {3, NL_BLOCK_COLUMNS - 1, NL_BLOCK_DEPTH - 1},
      {5, NL_BLOCK_COLUMNS, 9},
      {NL_BLOCK_ROWS + 2, NL_BLOCK_COLUMNS + 1, NL_BLOCK_DEPTH + 3},
      {2, 2 * NL_BLOCK_COLUMNS + 3, NL_BLOCK_DEPTH},
  };
  uint32_t seed = 3;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    const matmul_case on = packed_case(sizes[i][0], sizes[i][1], sizes[i][2]);
    check_product(&on, false, number, &seed);
  }
}

// Zeros of both signs, infinities, the smallest and the largest: the zeros that fill up a panel must reach no entry of C.
static void matmul_keeps_signed_zeros_and_infinities_where_they_belong(void **state) {
  (void)state;
  uint32_t seed = 4;
  for (size_t draw = 0; draw < 200; draw++) {
    const matmul_case on = packed_case(1 + next(&seed) % 9, 1 + next(&seed) % 9, next(&seed) % 4);
    check_product(&on, false, number_or_special, &seed);
  }
}

static void plain_gram(size_t rows, size_t n, const double *a, size_t a_row, double *g, size_t g_row) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = i; j < n; j++)
      for (size_t l = 0; l < rows; l++) g[i * g_row + j] += a[l * a_row + i] * a[l * a_row + j];
}

// The whole span of G is compared: what lies below the diagonal must stay.
static void check_gram(size_t rows, size_t n, size_t a_row, size_t g_row, source *from, uint32_t *seed) {
  const size_t g_size = span(n, g_row, n, 1);
  double *a = filled(span(rows, a_row, n, 1), from, seed), *start = filled(g_size, from, seed);
  double *expected = copied(start, g_size), *work = doubles(nl_matmul_f64_work());
  plain_gram(rows, n, a, a_row, expected, g_row);
  for (size_t v = 0; v < VARIANTS; v++) {
    double *g = copied(start, g_size);
    variants[v].gram(rows, n, a, a_row, g, g_row, work);
    assert_same(g, expected, g_size, variants[v].name);
    free(g);
  }
  free(work);
  free(expected);
  free(start);
  free(a);
}

static void gram_equals_the_plain_loop_and_leaves_the_lower_triangle(void **state) {
  (void)state;
  uint32_t seed = 5;
  for (size_t length = 0; length < LENGTHS; length++) {
    check_gram(next(&seed) % LENGTHS, length, length, length, number, &seed);
    check_gram(length, next(&seed) % 9, 9, 9, number, &seed);
    check_gram(next(&seed) % 4, length, length + 3, length + 1, number_or_special, &seed);
  }
}

static void gram_equals_the_plain_loop_across_block_borders(void **state) {
  (void)state;
  uint32_t seed = 6;
  check_gram(NL_BLOCK_DEPTH + 1, NL_BLOCK_ROWS + 1, NL_BLOCK_ROWS + 1, NL_BLOCK_ROWS + 2, number, &seed);
  check_gram(2 * NL_BLOCK_DEPTH, 2 * NL_BLOCK_ROWS - 1, 2 * NL_BLOCK_ROWS, 2 * NL_BLOCK_ROWS, number, &seed);
  check_gram(3, NL_BLOCK_COLUMNS + 6, NL_BLOCK_COLUMNS + 6, NL_BLOCK_COLUMNS + 6, number, &seed);
}

// Sums of NL_F32_DEPTH products in single precision, these added in double.
static void plain_product_f32(const matmul_case *on, bool upper, const float *a, const float *b, double *c) {
  for (size_t first = 0; first < on->k; first += NL_F32_DEPTH)
    for (size_t i = 0; i < on->m; i++)
      for (size_t j = upper ? i : 0; j < on->n; j++) {
        float sum = 0;
        for (size_t l = first; l < on->k && l < first + NL_F32_DEPTH; l++) {
          const volatile float product = a[i * on->a_row + l * on->a_col] * b[l * on->b_row + j * on->b_col];
          sum += product;
        }
        c[i * on->c_row + j] += (double)sum;
      }
}

static float *singles(size_t count, source *from, uint32_t *seed) {
  float *made = malloc((count + 1) * sizeof *made);
  assert_non_null(made);
  for (size_t i = 0; i < count; i++) made[i] = (float)from(seed);
  return made;
}

static void check_matmul_f32(const matmul_case *on, source *from, uint32_t *seed) {
  static void (*const twins[])(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b,
                               size_t b_row, size_t b_col, double *c, size_t c_row,
                               float *work) = {nl_matmul_f32__scalar, nl_matmul_f32__simd128, nl_matmul_f32};
  const size_t c_size = span(on->m, on->c_row, on->n, 1);
  float *a = singles(span(on->m, on->a_row, on->k, on->a_col), from, seed);
  float *b = singles(span(on->k, on->b_row, on->n, on->b_col), from, seed);
  double *start = filled(c_size, from, seed), *expected = copied(start, c_size);
  double *work = doubles((nl_matmul_f32_work() + 1) / 2);
  plain_product_f32(on, false, a, b, expected);
  for (size_t v = 0; v < sizeof twins / sizeof twins[0]; v++) {
    double *c = copied(start, c_size);
    twins[v](on->m, on->n, on->k, a, on->a_row, on->a_col, b, on->b_row, on->b_col, c, on->c_row, (float *)work);
    assert_same(c, expected, c_size, "matmul in single precision");
    free(c);
  }
  free(work);
  free(expected);
  free(start);
  free(b);
  free(a);
}

static void matmul_f32_equals_the_plain_loop_in_every_length(void **state) {
  (void)state;
  uint32_t seed = 8;
  for (size_t length = 0; length < LENGTHS; length++)
    for (size_t draw = 0; draw < 3; draw++) {
      size_t size[3] = {next(&seed) % LENGTHS, next(&seed) % LENGTHS, next(&seed) % LENGTHS};
      size[draw] = length;
      const matmul_case packed = packed_case(size[0], size[1], size[2]);
      check_matmul_f32(&packed, number, &seed);
      const size_t m = length % 5, n = size[1], k = size[2]; // both turned
      check_matmul_f32(&(matmul_case){m, n, k, 1, m + 1, 1, k + 2, n + 1}, number_or_special, &seed);
    }
  const matmul_case blocks[] = {packed_case(NL_F32_BLOCK_ROWS + 1, 9, NL_F32_DEPTH + 1),
                                packed_case(3, NL_F32_BLOCK_COLUMNS + 3, 2 * NL_F32_DEPTH)};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) check_matmul_f32(&blocks[i], number, &seed);
}

static void check_gram_f32(size_t rows, size_t n, size_t a_row, size_t g_row, source *from, uint32_t *seed) {
  static void (*const twins[])(size_t rows, size_t n, const float *a, size_t a_row, double *g, size_t g_row,
                               float *work) = {nl_gram_f32__scalar, nl_gram_f32__simd128, nl_gram_f32};
  const size_t a_size = span(rows, a_row, n, 1), g_size = span(n, g_row, n, 1);
  double *start = filled(g_size, from, seed);
  double *expected = copied(start, g_size), *work = doubles((nl_matmul_f32_work() + 1) / 2);
  float *a = singles(a_size, from, seed);
  plain_product_f32(&(matmul_case){n, n, rows, 1, a_row, a_row, 1, g_row}, true, a, a, expected);
  for (size_t v = 0; v < sizeof twins / sizeof twins[0]; v++) {
    double *g = copied(start, g_size);
    twins[v](rows, n, a, a_row, g, g_row, (float *)work);
    assert_same(g, expected, g_size, "gram in single precision");
    free(g);
  }
  free(a);
  free(work);
  free(expected);
  free(start);
}

static void gram_of_single_precision_equals_the_plain_loop_and_leaves_the_lower_triangle(void **state) {
  (void)state;
  uint32_t seed = 7;
  for (size_t length = 0; length < LENGTHS; length++) {
    check_gram_f32(next(&seed) % LENGTHS, length, length, length, number, &seed);
    check_gram_f32(length, next(&seed) % 17, 17, 17, number, &seed);
    check_gram_f32(next(&seed) % 4, length, length + 3, length + 1, number_or_special, &seed);
  }
  check_gram_f32(NL_F32_DEPTH + 1, NL_F32_BLOCK_ROWS + 1, NL_F32_BLOCK_ROWS + 1, NL_F32_BLOCK_ROWS + 2, number, &seed);
  check_gram_f32(2 * NL_F32_DEPTH, 2 * NL_F32_BLOCK_ROWS - 1, 2 * NL_F32_BLOCK_ROWS, 2 * NL_F32_BLOCK_ROWS, number,
                 &seed);
  check_gram_f32(3, 518, 518, 518, number, &seed);
}

// Square, wide and tall; A transposed as the elimination has it.
static void matmul_upper_equals_the_plain_loop_and_leaves_the_lower_triangle(void **state) {
  (void)state;
  uint32_t seed = 15;
  for (size_t draw = 0; draw < 150; draw++) {
    const size_t m = next(&seed) % LENGTHS, n = draw % 3 == 0 ? m : next(&seed) % LENGTHS;
    matmul_case on = packed_case(m, n, next(&seed) % LENGTHS);
    on.c_row = n + draw % 2;
    if (draw & 4) on.a_row = 1, on.a_col = m + 1;
    check_product(&on, true, draw % 5 == 0 ? number_or_special : number, &seed);
  }
  const matmul_case borders[] = {packed_case(NL_BLOCK_ROWS + 1, NL_BLOCK_COLUMNS + 6, NL_BLOCK_DEPTH + 1),
                                 packed_case(2 * NL_BLOCK_ROWS + 3, NL_BLOCK_ROWS + 2, 3)};
  for (size_t i = 0; i < 2; i++) check_product(&borders[i], true, number, &seed);
}

static void check_axpy(size_t n, double alpha, source *from, uint32_t *seed) {
  double *x = filled(n, from, seed), *start = filled(n, from, seed), *expected = copied(start, n);
  for (size_t i = 0; i < n; i++) expected[i] += alpha * x[i];
  for (size_t v = 0; v < VARIANTS; v++) {
    double *y = copied(start, n);
    variants[v].axpy(n, alpha, x, y);
    assert_same(y, expected, n, variants[v].name);
    free(y);
  }
  free(expected);
  free(start);
  free(x);
}

// alpha = 0 is no shortcut: it turns -0 into +0 and an infinite x into NaN.
static void axpy_equals_the_plain_loop_for_every_length_and_factor(void **state) {
  (void)state;
  uint32_t seed = 7;
  for (size_t n = 0; n < LENGTHS; n++) {
    check_axpy(n, number(&seed), number, &seed);
    for (size_t s = 0; s < SPECIALS; s++) check_axpy(n, specials[s], number_or_special, &seed);
  }
}

// The order the header promises: even and odd i apart, their sum, then the element that is left over.
static double plain_dot(size_t n, const double *x, const double *y) {
  double lane[2] = {0.0, 0.0};
  for (size_t i = 0; i < n / 2 * 2; i++) lane[i % 2] += x[i] * y[i];
  double sum = lane[0] + lane[1];
  if (n % 2 == 1) sum += x[n - 1] * y[n - 1];
  return sum;
}

static void check_dot(size_t n, source *from, uint32_t *seed) {
  double *x = filled(n, from, seed), *y = filled(n, from, seed);
  const double expected = plain_dot(n, x, y);
  for (size_t v = 0; v < VARIANTS; v++) {
    const double found = variants[v].dot(n, x, y);
    assert_same(&found, &expected, 1, variants[v].name);
  }
  free(y);
  free(x);
}

static void dot_equals_the_plain_loop_for_every_length(void **state) {
  (void)state;
  uint32_t seed = 8;
  for (size_t n = 0; n < LENGTHS; n++)
    for (size_t draw = 0; draw < 8; draw++) check_dot(n, draw % 2 ? number_or_special : number, &seed);
}

// x² = 1 + 2⁻²⁹ + 2⁻⁶⁰ rounds to 1 + 2⁻²⁹, so the sums below are 0; a fused multiply-add would leave 2⁻⁶⁰.
static void products_are_rounded_before_they_are_added(void **state) {
  (void)state;
  const double x = 1 + 0x1p-30, start = -(1 + 0x1p-29);
  const double left[3] = {start, 0, x}, right[3] = {1, 0, x}, xs[2] = {x, x};
  double *work = doubles(nl_matmul_f64_work());
  for (size_t v = 0; v < VARIANTS; v++) {
    double product = start, gram = start, sums[2] = {start, start};
    variants[v].matmul(1, 1, 1, &x, 1, 1, &x, 1, 1, &product, 1, work);
    variants[v].gram(1, 1, &x, 1, &gram, 1, work);
    variants[v].axpy(2, x, xs, sums);
    const double found[5] = {product, gram, sums[0], sums[1], variants[v].dot(3, left, right)};
    assert_same(found, (const double[5]){0}, 5, variants[v].name);
  }
  free(work);
}

// A view into a larger array starts at any double, which is half a vector off.
static void axpy_and_dot_accept_pointers_off_the_vector_alignment(void **state) {
  (void)state;
  const double x[5] = {9, 1, 2, 3, 4}, start[5] = {9, 5, 6, 7, 8}, expected[5] = {9, 7, 10, 13, 16};
  const double product = 1 * 5 + 2 * 6 + 3 * 7 + 4 * 8;
  for (size_t v = 0; v < VARIANTS; v++) {
    double *y = copied(start, 5);
    const double found = variants[v].dot(4, x + 1, y + 1);
    assert_same(&found, &product, 1, variants[v].name);
    variants[v].axpy(4, 2.0, x + 1, y + 1);
    assert_same(y, expected, 5, variants[v].name);
    free(y);
  }
}

// ---- e^x and its relatives ---------------------------------------------------------------------------------------------

typedef void elementary(size_t n, const double *x, double *y);

static long double logistic(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }
static long double softened_plus(long double x) { return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x))); }

static const struct {
  const char *name;
  elementary *twins[3];
  long double (*reference)(long double x);
  double low, high, zero; // at -infinity, infinity, 0
} elementaries[] = {
    {"exp", {nl_exp_f64__scalar, nl_exp_f64__simd128, nl_exp_f64}, expl, 0, INFINITY, 1},
    {"expm1", {nl_expm1_f64__scalar, nl_expm1_f64__simd128, nl_expm1_f64}, expm1l, -1, INFINITY, 0},
    {"tanh", {nl_tanh_f64__scalar, nl_tanh_f64__simd128, nl_tanh_f64}, tanhl, -1, 1, 0},
    {"sigmoid", {nl_sigmoid_f64__scalar, nl_sigmoid_f64__simd128, nl_sigmoid_f64}, logistic, 0, 1, 0.5},
    {"softplus",
     {nl_softplus_f64__scalar, nl_softplus_f64__simd128, nl_softplus_f64},
     softened_plus,
     0,
     INFINITY,
     0.693147180559945309417},
};
enum { ELEMENTARIES = sizeof elementaries / sizeof elementaries[0], TWINS = 3 };

// Of every size from 2⁻⁴⁰ to 2¹⁰, and now and then what lies at the ends.
static double argument(uint32_t *seed) {
  static const double ends[] = {NAN, 709.78, 709.79, -708.5, -745.1, -745.2, 0x1p-1022, -0x1p-1030};
  if (next(seed) % 16 == 0) return ends[next(seed) % (sizeof ends / sizeof ends[0])];
  if (next(seed) % 8 == 0) return specials[next(seed) % SPECIALS];
  return ldexp((double)next(seed) / 0x1p31 - 1.0, (int)(next(seed) % 51) - 40);
}

// In place as well: the plain loop is the scalar twin, one number at a time.
static void elementary_twins_give_the_same_bits_for_every_length(void **state) {
  (void)state;
  uint32_t seed = 9;
  for (size_t f = 0; f < ELEMENTARIES; f++)
    for (size_t n = 0; n < LENGTHS; n++)
      for (size_t draw = 0; draw < 8; draw++) {
        double *x = filled(n, argument, &seed), *expected = doubles(n);
        for (size_t i = 0; i < n; i++) elementaries[f].twins[0](1, x + i, expected + i);
        for (size_t v = 0; v < TWINS; v++) {
          double *y = copied(x, n);
          elementaries[f].twins[v](n, y, y);
          assert_same(y, expected, n, elementaries[f].name);
          elementaries[f].twins[v](n, x, y);
          assert_same(y, expected, n, elementaries[f].name);
          free(y);
        }
        free(expected);
        free(x);
      }
}

// |found - expected| in units of the last place of a double near it, subnormal ones included
static double units(double found, long double expected) {
  int exponent;
  (void)frexp((double)expected, &exponent);
  return (double)fabsl((found - expected) / ldexpl(1, exponent < -1021 ? -1074 : exponent - 53));
}

static void elementary_functions_are_within_four_units_in_the_last_place(void **state) {
  (void)state;
  uint32_t seed = 10;
  for (size_t f = 0; f < ELEMENTARIES; f++)
    for (size_t draw = 0; draw < 200000; draw++) {
      // around the steps of n ln 2 and 0, where digits would be lost, and over the whole range
      const double x = (draw % 2 ? 2.0 : 745.0) * ((double)next(&seed) / 0x1p31 - 1.0) * (draw % 5 ? 1.0 : 1e-6);
      double y;
      elementaries[f].twins[0](1, &x, &y);
      const long double expected = elementaries[f].reference(x);
      if (isinf((double)expected) && isinf(y)) continue;
      if (!(units(y, expected) <= 4))
        fail_msg("%s at %a: %a is %g units off", elementaries[f].name, x, y, units(y, expected));
    }
}

static void elementary_functions_take_their_limits_and_keep_the_sign_of_zero(void **state) {
  (void)state;
  for (size_t f = 0; f < ELEMENTARIES; f++) {
    const double at[7] = {-INFINITY, -1e308, INFINITY, 1e308, 0.0, -0.0, NAN};
    const double low = elementaries[f].low, high = elementaries[f].high, zero = elementaries[f].zero;
    const bool odd = zero == 0;
    const double expected[7] = {low, low, high, high, zero, odd ? -zero : zero, NAN};
    double y[7];
    elementaries[f].twins[0](7, at, y);
    if (elementaries[f].reference == softened_plus) y[3] = y[3] == 1e308 ? INFINITY : 0; // ln(1 + e^x) = x
    assert_same(y, expected, 7, elementaries[f].name);
  }
}

// 1 - tanh² and s (1 - s), the slopes, must not turn negative.
static void tanh_and_sigmoid_do_not_exceed_1(void **state) {
  (void)state;
  for (double x = 15; x < 40; x += 0x1p-8) {
    double y[2];
    nl_tanh_f64(1, &x, &y[0]);
    nl_sigmoid_f64(1, &x, &y[1]);
    assert_true(y[0] <= 1 && y[1] <= 1);
  }
}

static void distances_of_both_twins_are_equal_for_every_length(void **state) {
  (void)state;
  uint32_t seed = 3;
  for (size_t n = 0; n <= 67; n++) {
    double x[67], y[67], plain = 0;
    uint16_t a[67], b[67];
    uint64_t whole = 0;
    for (size_t i = 0; i < n; i++) {
      x[i] = number(&seed);
      y[i] = number(&seed);
      a[i] = (uint16_t)(65535 * (i % 3 == 0) + (uint16_t)(i * 977));
      b[i] = (uint16_t)(i * 31337);
      plain += fabs(x[i] + 0.5 * y[i]);
      whole += (uint64_t)(a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]);
    }
    const double scalar = nl_distance_f64__scalar(n, x, -0.5, y), simd = nl_distance_f64__simd128(n, x, -0.5, y);
    assert_memory_equal(&scalar, &simd, sizeof scalar);
    assert_true(fabs(scalar - plain) <= 1e-13 * (1 + plain));
    assert_true(nl_distance_u16__scalar(n, a, b) == whole && nl_distance_u16__simd128(n, a, b) == whole);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matmul_equals_the_plain_loop_for_every_length_to_67),
      cmocka_unit_test(matmul_reads_strided_and_transposed_matrices),
      cmocka_unit_test(matmul_equals_the_plain_loop_across_block_borders),
      cmocka_unit_test(matmul_keeps_signed_zeros_and_infinities_where_they_belong),
      cmocka_unit_test(gram_equals_the_plain_loop_and_leaves_the_lower_triangle),
      cmocka_unit_test(gram_equals_the_plain_loop_across_block_borders),
      cmocka_unit_test(matmul_f32_equals_the_plain_loop_in_every_length),
      cmocka_unit_test(gram_of_single_precision_equals_the_plain_loop_and_leaves_the_lower_triangle),
      cmocka_unit_test(matmul_upper_equals_the_plain_loop_and_leaves_the_lower_triangle),
      cmocka_unit_test(axpy_equals_the_plain_loop_for_every_length_and_factor),
      cmocka_unit_test(dot_equals_the_plain_loop_for_every_length),
      cmocka_unit_test(products_are_rounded_before_they_are_added),
      cmocka_unit_test(distances_of_both_twins_are_equal_for_every_length),
      cmocka_unit_test(axpy_and_dot_accept_pointers_off_the_vector_alignment),
      cmocka_unit_test(elementary_twins_give_the_same_bits_for_every_length),
      cmocka_unit_test(elementary_functions_are_within_four_units_in_the_last_place),
      cmocka_unit_test(elementary_functions_take_their_limits_and_keep_the_sign_of_zero),
      cmocka_unit_test(tanh_and_sigmoid_do_not_exceed_1),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
