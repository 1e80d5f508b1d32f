#include "kernels.h"
#include "product_f32.h"
#include "simd.h"

static void multiply(nl_add_product_f32 *add, size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col,
                     const float *b, size_t b_row, size_t b_col, double *c, size_t c_row, float *work) {
  const nl_product_f32 product = {m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, false};
  add(&product, work);
}

void nl_matmul_f32__scalar(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b,
                           size_t b_row, size_t b_col, double *c, size_t c_row, float *work) {
  multiply(nl_product_f32_add__scalar, m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, work);
}

#if NL_HAVE_SIMD128
void nl_matmul_f32__simd128(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b,
                            size_t b_row, size_t b_col, double *c, size_t c_row, float *work) {
  multiply(nl_product_f32_add__simd128, m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, work);
}
#endif

void nl_matmul_f32(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b,
                   size_t b_row, size_t b_col, double *c, size_t c_row, float *work) {
  NL_KERNEL(nl_matmul_f32)(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, work);
}
