#include <math.h>

#include "kernels.h"
#include "simd.h"

double nl_distance_f64__scalar(size_t n, const double *restrict x, double factor, const double *restrict y) {
  double sums[8] = {0};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (size_t lane = 0; lane < 8; lane++) sums[lane] += fabs(x[i + lane] - factor * y[i + lane]);
  double even = (sums[0] + sums[2]) + (sums[4] + sums[6]), odd = (sums[1] + sums[3]) + (sums[5] + sums[7]);
  double sum = even + odd;
  for (; i < n; i++) sum += fabs(x[i] - factor * y[i]);
  return sum;
}

#if NL_HAVE_SIMD128
static v128_t apart(const double *x, v128_t factor, const double *y) {
  return wasm_f64x2_abs(wasm_f64x2_sub(wasm_v128_load(x), wasm_f64x2_mul(factor, wasm_v128_load(y))));
}

double nl_distance_f64__simd128(size_t n, const double *restrict x, double factor, const double *restrict y) {
  const v128_t factors = wasm_f64x2_splat(factor);
  v128_t a = wasm_f64x2_splat(0.0), b = a, c = a, d = a;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    a = wasm_f64x2_add(a, apart(x + i, factors, y + i));
    b = wasm_f64x2_add(b, apart(x + i + 2, factors, y + i + 2));
    c = wasm_f64x2_add(c, apart(x + i + 4, factors, y + i + 4));
    d = wasm_f64x2_add(d, apart(x + i + 6, factors, y + i + 6));
  }
  const v128_t all = wasm_f64x2_add(wasm_f64x2_add(a, b), wasm_f64x2_add(c, d));
  double sum = wasm_f64x2_extract_lane(all, 0) + wasm_f64x2_extract_lane(all, 1);
  for (; i < n; i++) sum += fabs(x[i] - factor * y[i]);
  return sum;
}
#endif

double nl_distance_f64(size_t n, const double *restrict x, double factor, const double *restrict y) {
  return NL_KERNEL(nl_distance_f64)(n, x, factor, y);
}
