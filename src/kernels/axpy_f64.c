#include "kernels.h"
#include "simd.h"

void nl_axpy_f64__scalar(size_t n, double alpha, const double *restrict x, double *restrict y) {
  for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];
}

#if NL_HAVE_SIMD128
void nl_axpy_f64__simd128(size_t n, double alpha, const double *restrict x, double *restrict y) {
  const v128_t factor = wasm_f64x2_splat(alpha);
  size_t i = 0;
  for (; i + 2 <= n; i += 2)
    wasm_v128_store(y + i, wasm_f64x2_add(wasm_v128_load(y + i), wasm_f64x2_mul(factor, wasm_v128_load(x + i))));
  if (i < n) y[i] += alpha * x[i];
}
#endif

void nl_axpy_f64(size_t n, double alpha, const double *restrict x, double *restrict y) {
  NL_KERNEL(nl_axpy_f64)(n, alpha, x, y);
}
