#include "kernels.h"
#include "simd.h"

double nl_dot_f64__scalar(size_t n, const double *restrict x, const double *restrict y) {
  double even = 0.0, odd = 0.0;
  size_t i = 0;
  for (; i + 2 <= n; i += 2) {
    even += x[i] * y[i];
    odd += x[i + 1] * y[i + 1];
  }
  const double sum = even + odd;
  return i < n ? sum + x[i] * y[i] : sum;
}

#if NL_HAVE_SIMD128
double nl_dot_f64__simd128(size_t n, const double *restrict x, const double *restrict y) {
  v128_t lanes = wasm_f64x2_splat(0.0); // even i, odd i
  size_t i = 0;
  for (; i + 2 <= n; i += 2)
    lanes = wasm_f64x2_add(lanes, wasm_f64x2_mul(wasm_v128_load(x + i), wasm_v128_load(y + i)));
  const double sum = wasm_f64x2_extract_lane(lanes, 0) + wasm_f64x2_extract_lane(lanes, 1);
  return i < n ? sum + x[i] * y[i] : sum;
}
#endif

double nl_dot_f64(size_t n, const double *restrict x, const double *restrict y) {
  return NL_KERNEL(nl_dot_f64)(n, x, y);
}
