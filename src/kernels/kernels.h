// kernels: the few loops everything heavy goes through. Each file holds one operation: a scalar twin and a simd128 twin
// that add in the same order and therefore give the same bits (tests/unit/kernels_test.c). NL_KERNELS_SCALAR selects the
// scalar twins at build time; natively the simd128 source compiles through SIMDe.
#ifndef NL_KERNELS_H
#define NL_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// C (m, n) += A (m, k) B (k, n). A[i][l] at a[i*a_row + l*a_col], B[l][j] at b[l*b_row + j*b_col], C[i][j] at c[i*c_row + j].
// Each C[i][j] adds its products one by one in the order of l, so the result does not depend on the blocking.
// `work` holds nl_matmul_f64_work() doubles, 16-byte aligned.
void nl_matmul_f64(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
                   size_t b_row, size_t b_col, double *c, size_t c_row, double *work);
size_t nl_matmul_f64_work(void);

// The same where row i <= column j alone: the upper triangle of a square C, or that of some of its rows and the rectangle to their right.
void nl_matmul_upper_f64(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
                         size_t b_row, size_t b_col, double *c, size_t c_row, double *work);

// G (n, n), upper triangle += Aᵀ A for A (rows, n) with rows a_row apart. Same order of addition as nl_matmul_f64.
void nl_gram_f64(size_t rows, size_t n, const double *a, size_t a_row, double *g, size_t g_row, double *work);

// Both of single-precision numbers: sums of 256 products in single precision, one after the other, these added up in C or G.
// `work` holds nl_matmul_f32_work() floats, 16-byte aligned.
void nl_matmul_f32(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b,
                   size_t b_row, size_t b_col, double *c, size_t c_row, float *work);
void nl_gram_f32(size_t rows, size_t n, const float *a, size_t a_row, double *g, size_t g_row, float *work);
size_t nl_matmul_f32_work(void);

// y (n) += alpha x (n)
void nl_axpy_f64(size_t n, double alpha, const double *restrict x, double *restrict y);

// sum x_i y_i: two lanes over even and odd i, added at the end, then the odd element
double nl_dot_f64(size_t n, const double *restrict x, const double *restrict y);

// sum |x_i - factor y_i|: eight lanes over i mod 8, the even ones and the odd ones added at the end, then what is left
double nl_distance_f64(size_t n, const double *restrict x, double factor, const double *restrict y);
// y (n) = e^x, e^x - 1, tanh x, 1 / (1 + e^-x), ln(1 + e^x); x and y may be the same array. Within 4 units in the last place
// over the whole range, subnormal results included; NaN stays NaN, infinities give the limits, and a zero keeps its sign.
void nl_exp_f64(size_t n, const double *x, double *y);
void nl_expm1_f64(size_t n, const double *x, double *y);
void nl_tanh_f64(size_t n, const double *x, double *y);
void nl_sigmoid_f64(size_t n, const double *x, double *y);
void nl_softplus_f64(size_t n, const double *x, double *y);

// sum |x_i - y_i|, exact
uint64_t nl_distance_u16(size_t n, const uint16_t *restrict x, const uint16_t *restrict y);

// Both twins by name, for the tests and the benchmark.
void nl_matmul_f64__scalar(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
                           size_t b_row, size_t b_col, double *c, size_t c_row, double *work);
void nl_matmul_f64__simd128(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
                            size_t b_row, size_t b_col, double *c, size_t c_row, double *work);
void nl_matmul_upper_f64__scalar(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col,
                                 const double *b, size_t b_row, size_t b_col, double *c, size_t c_row, double *work);
void nl_matmul_upper_f64__simd128(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col,
                                  const double *b, size_t b_row, size_t b_col, double *c, size_t c_row, double *work);
void nl_gram_f64__scalar(size_t rows, size_t n, const double *a, size_t a_row, double *g, size_t g_row, double *work);
void nl_gram_f64__simd128(size_t rows, size_t n, const double *a, size_t a_row, double *g, size_t g_row, double *work);
void nl_matmul_f32__scalar(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b,
                           size_t b_row, size_t b_col, double *c, size_t c_row, float *work);
void nl_matmul_f32__simd128(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b,
                            size_t b_row, size_t b_col, double *c, size_t c_row, float *work);
void nl_gram_f32__scalar(size_t rows, size_t n, const float *a, size_t a_row, double *g, size_t g_row, float *work);
void nl_gram_f32__simd128(size_t rows, size_t n, const float *a, size_t a_row, double *g, size_t g_row, float *work);
void nl_axpy_f64__scalar(size_t n, double alpha, const double *restrict x, double *restrict y);
void nl_axpy_f64__simd128(size_t n, double alpha, const double *restrict x, double *restrict y);
double nl_dot_f64__scalar(size_t n, const double *restrict x, const double *restrict y);
double nl_dot_f64__simd128(size_t n, const double *restrict x, const double *restrict y);
double nl_distance_f64__scalar(size_t n, const double *restrict x, double factor, const double *restrict y);
double nl_distance_f64__simd128(size_t n, const double *restrict x, double factor, const double *restrict y);
void nl_exp_f64__scalar(size_t n, const double *x, double *y);
void nl_exp_f64__simd128(size_t n, const double *x, double *y);
void nl_expm1_f64__scalar(size_t n, const double *x, double *y);
void nl_expm1_f64__simd128(size_t n, const double *x, double *y);
void nl_tanh_f64__scalar(size_t n, const double *x, double *y);
void nl_tanh_f64__simd128(size_t n, const double *x, double *y);
void nl_sigmoid_f64__scalar(size_t n, const double *x, double *y);
void nl_sigmoid_f64__simd128(size_t n, const double *x, double *y);
void nl_softplus_f64__scalar(size_t n, const double *x, double *y);
void nl_softplus_f64__simd128(size_t n, const double *x, double *y);
uint64_t nl_distance_u16__scalar(size_t n, const uint16_t *restrict x, const uint16_t *restrict y);
uint64_t nl_distance_u16__simd128(size_t n, const uint16_t *restrict x, const uint16_t *restrict y);

#endif
