#include "kernels.h"
#include "simd.h"

void nl_exp_f64(size_t n, const double *x, double *y) { NL_KERNEL(nl_exp_f64)(n, x, y); }
void nl_expm1_f64(size_t n, const double *x, double *y) { NL_KERNEL(nl_expm1_f64)(n, x, y); }
void nl_tanh_f64(size_t n, const double *x, double *y) { NL_KERNEL(nl_tanh_f64)(n, x, y); }
void nl_sigmoid_f64(size_t n, const double *x, double *y) { NL_KERNEL(nl_sigmoid_f64)(n, x, y); }
void nl_softplus_f64(size_t n, const double *x, double *y) { NL_KERNEL(nl_softplus_f64)(n, x, y); }
