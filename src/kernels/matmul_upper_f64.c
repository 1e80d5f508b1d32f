#include "kernels.h"
#include "product_f64.h"
#include "simd.h"

static void multiply(nl_add_product_f64 *add, size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col,
                     const double *b, size_t b_row, size_t b_col, double *c, size_t c_row, double *work) {
  const nl_product_f64 product = {m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, true};
  add(&product, work);
}

void nl_matmul_upper_f64__scalar(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col,
                                 const double *b, size_t b_row, size_t b_col, double *c, size_t c_row, double *work) {
  multiply(nl_product_f64_add__scalar, m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, work);
}

#if NL_HAVE_SIMD128
void nl_matmul_upper_f64__simd128(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col,
                                  const double *b, size_t b_row, size_t b_col, double *c, size_t c_row, double *work) {
  multiply(nl_product_f64_add__simd128, m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, work);
}
#endif

void nl_matmul_upper_f64(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
                         size_t b_row, size_t b_col, double *c, size_t c_row, double *work) {
  NL_KERNEL(nl_matmul_upper_f64)(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, work);
}
