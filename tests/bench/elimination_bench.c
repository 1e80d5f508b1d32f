// The elimination on random second moments, driven and timed from outside (elimination.mjs).
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "project.h"

#define EXPORT(name) __attribute__((export_name(#name)))

typedef struct bench {
  size_t n, m;
  double *second, *weights; // (n, n), (n, m)
  double *product, *work;   // (n, n)
  nl_elimination *elimination;
} bench;

static double uniform(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (double)(*seed >> 11) * 0x1p-53 - 0.5;
}

// Second moments of n units over 2 n rows of noise, and weights to m consumers; NULL when memory is out.
bench *bench_prepare(size_t n, size_t m);
EXPORT(bench_prepare) bench *bench_prepare(size_t n, size_t m) {
  enum { ROWS = 64 };
  uint64_t seed = 1;
  bench *on = calloc(1, sizeof *on);
  double *rows = malloc(ROWS * n * sizeof *rows);
  if (on == NULL || rows == NULL) return NULL;
  *on = (bench){n,
                m,
                calloc(n * n, sizeof(double)),
                malloc(n * m * sizeof(double)),
                calloc(n * n, sizeof(double)),
                aligned_alloc(16, nl_matmul_f64_work() * sizeof(double)),
                NULL};
  if (!on->second || !on->weights || !on->product || !on->work) return NULL;
  for (size_t r = 0; r < 2 * n; r += ROWS) {
    for (size_t i = 0; i < ROWS * n; i++) rows[i] = uniform(&seed);
    nl_gram_f64(ROWS, n, rows, n, on->second, n, on->work);
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = i; j < n; j++) on->second[i * n + j] = on->second[j * n + i] /= 2.0 * (double)n;
  for (size_t i = 0; i < n * m; i++) on->weights[i] = uniform(&seed);
  free(rows);
  return on;
}

const double *bench_second(const bench *on);
EXPORT(bench_second) const double *bench_second(const bench *on) { return on->second; }
const double *bench_weights(const bench *on);
EXPORT(bench_weights) const double *bench_weights(const bench *on) { return on->weights; }

int bench_create(bench *on);
EXPORT(bench_create) int bench_create(bench *on) {
  nl_elimination_free(on->elimination);
  on->elimination = NULL;
  const size_t bytes = on->n * on->m * sizeof *on->weights;
  double *weights = malloc(bytes);
  if (weights == NULL) return 0;
  memcpy(weights, on->weights, bytes);
  return nl_elimination_create(&on->elimination, on->n, on->second, on->m, weights, 1.0, NULL) == NL_OK;
}

// Progress; 1 at the end.
double bench_step(bench *on);
EXPORT(bench_step) double bench_step(bench *on) {
  double progress = 0;
  const nl_status status = nl_elimination_step(on->elimination, &progress, NULL);
  return status == NL_OK || status == NL_MORE ? progress : -1.0;
}

const size_t *bench_order(const bench *on);
EXPORT(bench_order) const size_t *bench_order(const bench *on) { return nl_elimination_order(on->elimination); }

// (n, n) += (n, n) (n, n): n³ multiplications, what the elimination's are held against
void bench_multiply(bench *on);
EXPORT(bench_multiply) void bench_multiply(bench *on) {
  const size_t n = on->n;
  nl_matmul_f64(n, n, n, on->second, n, 1, on->second, n, 1, on->product, n, on->work);
}
