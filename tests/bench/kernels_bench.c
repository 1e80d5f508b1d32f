// The kernels at one size, timed from outside. Natively: `kernels_bench OPERATION VARIANT N` prints the processor
// seconds of one run. As a WebAssembly module it exports bench_prepare and bench_run, and kernels.mjs holds the clock.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "linear_blocks.h"

#if defined(__wasm__)
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name)
#endif

enum { ALIGNMENT = 64 };

typedef struct bench {
  size_t n;
  double *a, *b, *c; // (n, n)
  double *work;
  float *single; // a in single precision
} bench;

static double *aligned_doubles(size_t count) {
  const size_t bytes = count * sizeof(double);
  return aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

// Three (n, n) matrices of small numbers; NULL when memory is out.
bench *bench_prepare(size_t n);
EXPORT(bench_prepare) bench *bench_prepare(size_t n) {
  bench *made = malloc(sizeof *made);
  if (made == NULL) return NULL;
  *made = (bench){n,
                  aligned_doubles(n * n),
                  aligned_doubles(n * n),
                  aligned_doubles(n * n),
                  aligned_doubles(nl_matmul_f64_work() + nl_cholesky_blocks_work(n)),
                  (float *)aligned_doubles(n * n)};
  if (!made->a || !made->b || !made->c || !made->work || !made->single) return NULL;
  for (size_t i = 0; i < n * n; i++) {
    made->a[i] = (double)(i * 7919 % 4093) / 682 - 3;
    made->b[i] = (double)(i % 23) / 22 - 0.5;
    made->c[i] = 0;
    made->single[i] = (float)made->a[i];
  }
  return made;
}

static double logistic(double x) { return x >= 0 ? 1.0 / (1.0 + exp(-x)) : exp(x) / (1.0 + exp(x)); }

// c = f(a) number by number, f of the C library: what the elementary kernels are held against
static void apply_library(const bench *on, double function(double)) {
  for (size_t i = 0; i < on->n * on->n; i++) on->c[i] = function(on->a[i]);
}

// c = f(a) for 'e' (exp), 't' (tanh) or 'l' (logistic sigmoid)
static int run_elementary(const bench *on, int operation, int variant) {
  typedef void elementary(size_t n, const double *x, double *y);
  static const struct {
    int operation;
    double (*library)(double);
    elementary *scalar, *vector;
  } functions[] = {
#if NL_HAVE_SIMD128
    {'e', exp, nl_exp_f64__scalar, nl_exp_f64__simd128},
    {'t', tanh, nl_tanh_f64__scalar, nl_tanh_f64__simd128},
    {'l', logistic, nl_sigmoid_f64__scalar, nl_sigmoid_f64__simd128},
#else
    {'e', exp, nl_exp_f64__scalar, NULL},
    {'t', tanh, nl_tanh_f64__scalar, NULL},
    {'l', logistic, nl_sigmoid_f64__scalar, NULL},
#endif
  };
  for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
    if (functions[f].operation != operation) continue;
    elementary *const kernel = variant == 's' ? functions[f].scalar : functions[f].vector;
    if (variant != 'c' && kernel == NULL) return 0;
    if (variant == 'c')
      apply_library(on, functions[f].library);
    else
      kernel(on->n * on->n, on->a, on->c);
    return 1;
  }
  return 0;
}

// c += a rank of 64 in its upper triangle ('u'), L⁻¹ then L⁻ᵀ of (n, n) ('s', by whichever twin this program is built for), or the
// distances of all pairs of rows ('d')
static int run_others(const bench *on, int operation, int variant) {
  enum { RANK = 64 };
  const size_t n = on->n;
  const int built = NL_HAVE_SIMD128 ? 'v' : 's';
  void (*update)(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
                 size_t b_row, size_t b_col, double *c, size_t c_row, double *work) = nl_matmul_upper_f64__scalar;
  double (*distance)(size_t n, const double *restrict x, double factor, const double *restrict y) =
      nl_distance_f64__scalar;
#if NL_HAVE_SIMD128
  if (variant == 'v') update = nl_matmul_upper_f64__simd128, distance = nl_distance_f64__simd128;
#endif
  if (variant != 's' && variant != built) return 0;
  if (operation == 'u')
    update(n, n, RANK, on->a, 1, n, on->b, n, 1, on->c, n, on->work);
  else if (operation == 'd')
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < i; j++) on->c[i * n + j] = distance(n, on->a + i * n, 1.0, on->a + j * n);
  else if (operation == 's' && variant == built) {
    for (size_t i = 0; i < n; i++) on->a[i * n + i] = (double)n; // a factor
    nl_cholesky_solve_blocks(n, on->a, n, on->c, on->work);
  } else
    return 0;
  return 1;
}

// One run of operation 'm' (matmul), 'g' (gram), 'p' and 'f' (both in single precision), those of run_others, 'e', 't' or 'l' by variant 's' (scalar), 'v' (simd128) or, of the last three,
// 'c' (the C library); 0 where it does not exist.
int bench_run(const bench *on, int operation, int variant);
EXPORT(bench_run) int bench_run(const bench *on, int operation, int variant) {
  const size_t n = on->n;
  if (operation == 'm' && variant == 's')
    nl_matmul_f64__scalar(n, n, n, on->a, n, 1, on->b, n, 1, on->c, n, on->work);
  else if (operation == 'g' && variant == 's')
    nl_gram_f64__scalar(n, n, on->a, n, on->c, n, on->work);
  else if (operation == 'f' && variant == 's')
    nl_gram_f32__scalar(n, n, on->single, n, on->c, n, (float *)on->work);
  else if (operation == 'p' && variant == 's')
    nl_matmul_f32__scalar(n, n, n, on->single, n, 1, on->single, 1, n, on->c, n, (float *)on->work);
#if NL_HAVE_SIMD128
  else if (operation == 'm' && variant == 'v')
    nl_matmul_f64__simd128(n, n, n, on->a, n, 1, on->b, n, 1, on->c, n, on->work);
  else if (operation == 'g' && variant == 'v')
    nl_gram_f64__simd128(n, n, on->a, n, on->c, n, on->work);
  else if (operation == 'f' && variant == 'v')
    nl_gram_f32__simd128(n, n, on->single, n, on->c, n, (float *)on->work);
  else if (operation == 'p' && variant == 'v')
    nl_matmul_f32__simd128(n, n, n, on->single, n, 1, on->single, 1, n, on->c, n, (float *)on->work);
#endif
  else
    return run_others(on, operation, variant) || run_elementary(on, operation, variant);
  return 1;
}

#if !defined(__wasm__)
#include <stdio.h>
#include <time.h>

int main(int count, char **words) {
  if (count != 4) return 2;
  const bench *on = bench_prepare((size_t)strtoull(words[3], NULL, 10));
  const int operation = words[1][0], variant = words[2][0];
  if (on == NULL || !bench_run(on, operation, variant)) return 1; // this first run also warms up
  const clock_t start = clock();                                  // processor time: the machine may be shared
  bench_run(on, operation, variant);
  printf("%.9f\n", (double)(clock() - start) / CLOCKS_PER_SEC);
  return 0;
}
#endif
