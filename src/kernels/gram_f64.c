#include "kernels.h"
#include "product_f64.h"
#include "simd.h"

static void add_gram(nl_add_product_f64 *add, size_t rows, size_t n, const double *a, size_t a_row, double *g,
                     size_t g_row, double *work) {
  const nl_product_f64 product = {n, n, rows, a, 1, a_row, a, a_row, 1, g, g_row, true}; // Aᵀ times A
  add(&product, work);
}

void nl_gram_f64__scalar(size_t rows, size_t n, const double *a, size_t a_row, double *g, size_t g_row, double *work) {
  add_gram(nl_product_f64_add__scalar, rows, n, a, a_row, g, g_row, work);
}

#if NL_HAVE_SIMD128
void nl_gram_f64__simd128(size_t rows, size_t n, const double *a, size_t a_row, double *g, size_t g_row, double *work) {
  add_gram(nl_product_f64_add__simd128, rows, n, a, a_row, g, g_row, work);
}
#endif

void nl_gram_f64(size_t rows, size_t n, const double *a, size_t a_row, double *g, size_t g_row, double *work) {
  NL_KERNEL(nl_gram_f64)(rows, n, a, a_row, g, g_row, work);
}
