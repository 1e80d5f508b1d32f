#include "function.h"

#include <math.h>

#include "kernels/kernels.h"

static const double sqrt_half = 0.70710678118654752440;
static const double gelu_scale = 0.79788456080286535588; // sqrt(2 / pi)
static const double gelu_cubic = 0.044715;

static double sigmoid(double x) {
  if (x >= 0) return 1.0 / (1.0 + exp(-x));
  const double e = exp(x);
  return e / (1.0 + e);
}

// ln(1 + e^x) without overflow
static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

// ---- values -------------------------------------------------------------------------------------------------------------

enum { BLOCK = 64 }; // numbers a function built on a kernel holds between

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// The loop stands inside the case, so that it runs without the switch.
#define EACH(expression)                                                                                               \
  for (size_t i = 0; i < count; i++) expression

// t = 2 u where gelu_tanh(x) = x (1 + tanh u) / 2 = x sigmoid(2 u)
static void gelu_arguments(size_t count, const double *x, double *t) {
  EACH(t[i] = 2.0 * gelu_scale * (x[i] + gelu_cubic * x[i] * x[i] * x[i]));
}

// t = e^x, w = t (t + 2): tanh(ln(1 + e^x)) = w / (w + 2), which is 1 far below x = 40
static void mish_powers(size_t count, const double *x, double *t) {
  EACH(t[i] = x[i] < 40.0 ? x[i] : 40.0);
  nl_exp_f64(count, t, t);
}

// y = f(x) for a function that takes a kernel's result t and x again; count <= BLOCK
static void apply_with_kernel(nl_function function, double p, double q, size_t count, const double *x, double *y) {
  double t[BLOCK];
  switch (function) {
  case NL_FUNCTION_ELU:
    nl_expm1_f64(count, x, t);
    EACH(y[i] = x[i] >= 0 ? x[i] : p * t[i]);
    break;
  case NL_FUNCTION_SELU:
    nl_expm1_f64(count, x, t);
    EACH(y[i] = x[i] > 0 ? q * x[i] : q * p * t[i]);
    break;
  case NL_FUNCTION_CELU:
    EACH(t[i] = x[i] / p);
    nl_expm1_f64(count, t, t);
    EACH(y[i] = x[i] >= 0 ? x[i] : p * t[i]);
    break;
  case NL_FUNCTION_GELU_TANH:
    gelu_arguments(count, x, t);
    nl_sigmoid_f64(count, t, t);
    EACH(y[i] = x[i] * t[i]);
    break;
  case NL_FUNCTION_SWISH:
    EACH(t[i] = p * x[i]);
    nl_sigmoid_f64(count, t, t);
    EACH(y[i] = x[i] * t[i]);
    break;
  default: // NL_FUNCTION_MISH
    mish_powers(count, x, t);
    EACH(y[i] = x[i] * (t[i] * (t[i] + 2.0) / (t[i] * (t[i] + 2.0) + 2.0)));
    break;
  }
}

void nl_function_apply(nl_function function, double p, double q, size_t count, const double *x, double *y) {
  switch (function) {
  case NL_FUNCTION_IDENTITY:
    EACH(y[i] = x[i]);
    break;
  case NL_FUNCTION_RELU:
    EACH(y[i] = x[i] > 0 ? x[i] : 0.0);
    break;
  case NL_FUNCTION_LEAKY_RELU:
    EACH(y[i] = x[i] >= 0 ? x[i] : p * x[i]);
    break;
  case NL_FUNCTION_THRESHOLDED_RELU:
    EACH(y[i] = x[i] > p ? x[i] : 0.0);
    break;
  case NL_FUNCTION_SIGMOID:
    nl_sigmoid_f64(count, x, y);
    break;
  case NL_FUNCTION_HARD_SIGMOID:
    EACH(y[i] = clamp(p * x[i] + q, 0.0, 1.0));
    break;
  case NL_FUNCTION_TANH:
    nl_tanh_f64(count, x, y);
    break;
  case NL_FUNCTION_SOFTPLUS:
    nl_softplus_f64(count, x, y);
    break;
  case NL_FUNCTION_SOFTSIGN:
    EACH(y[i] = x[i] / (1.0 + fabs(x[i])));
    break;
  case NL_FUNCTION_GELU:
    EACH(y[i] = 0.5 * x[i] * (1.0 + erf(x[i] * sqrt_half)));
    break;
  case NL_FUNCTION_ELU:
  case NL_FUNCTION_SELU:
  case NL_FUNCTION_CELU:
  case NL_FUNCTION_GELU_TANH:
  case NL_FUNCTION_SWISH:
  case NL_FUNCTION_MISH:
    for (size_t i = 0; i < count; i += BLOCK)
      apply_with_kernel(function, p, q, smaller(BLOCK, count - i), x + i, y + i);
    break;
  case NL_FUNCTION_HARD_SWISH:
    EACH(y[i] = x[i] * clamp(x[i] / 6.0 + 0.5, 0.0, 1.0));
    break;
  case NL_FUNCTION_CLIP:
    EACH(y[i] = clamp(x[i], p, q));
    break;
  case NL_FUNCTION_ABS:
    EACH(y[i] = fabs(x[i]));
    break;
  case NL_FUNCTION_ERF:
    EACH(y[i] = erf(x[i]));
    break;
  case NL_FUNCTION_NEGATE:
    EACH(y[i] = -x[i]);
    break;
  case NL_FUNCTION_EXP:
    nl_exp_f64(count, x, y);
    break;
  case NL_FUNCTION_LOG:
    EACH(y[i] = log(x[i]));
    break;
  case NL_FUNCTION_SQRT:
    EACH(y[i] = sqrt(x[i]));
    break;
  case NL_FUNCTION_RECIPROCAL:
    EACH(y[i] = 1.0 / x[i]);
    break;
  case NL_FUNCTION_POWER:
    EACH(y[i] = p == 2.0 ? x[i] * x[i] : pow(x[i], p));
    break;
  case NL_FUNCTION_SIN:
    EACH(y[i] = sin(x[i]));
    break;
  case NL_FUNCTION_COS:
    EACH(y[i] = cos(x[i]));
    break;
  }
}

// ---- derivatives --------------------------------------------------------------------------------------------------------

static double gelu_tanh_derivative(double x) {
  const double t = tanh(gelu_scale * (x + gelu_cubic * x * x * x));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * gelu_scale * (1.0 + 3.0 * gelu_cubic * x * x);
}

static double mish_derivative(double x) {
  const double t = tanh(softplus(x));
  return t + x * (1.0 - t * t) * sigmoid(x);
}

double nl_function_derivative(nl_function function, double p, double q, double x) {
  switch (function) {
  case NL_FUNCTION_IDENTITY:
    return 1.0;
  case NL_FUNCTION_RELU:
    return x >= 0 ? 1.0 : 0.0;
  case NL_FUNCTION_LEAKY_RELU:
    return x >= 0 ? 1.0 : p;
  case NL_FUNCTION_THRESHOLDED_RELU:
    return x >= p ? 1.0 : 0.0;
  case NL_FUNCTION_ELU:
    return x >= 0 ? 1.0 : p * exp(x);
  case NL_FUNCTION_SELU:
    return x >= 0 ? q : q * p * exp(x);
  case NL_FUNCTION_CELU:
    return x >= 0 ? 1.0 : exp(x / p);
  case NL_FUNCTION_SIGMOID:
    return sigmoid(x) * sigmoid(-x);
  case NL_FUNCTION_HARD_SIGMOID:
    return p * x + q >= 0 && p * x + q < 1 ? p : 0.0;
  case NL_FUNCTION_TANH:
    return 1.0 - tanh(x) * tanh(x);
  case NL_FUNCTION_SOFTPLUS:
    return sigmoid(x);
  case NL_FUNCTION_SOFTSIGN:
    return 1.0 / ((1.0 + fabs(x)) * (1.0 + fabs(x)));
  case NL_FUNCTION_GELU:
    return 0.5 * (1.0 + erf(x * sqrt_half)) + x * 0.5 * gelu_scale * exp(-0.5 * x * x);
  case NL_FUNCTION_GELU_TANH:
    return gelu_tanh_derivative(x);
  case NL_FUNCTION_SWISH: {
    const double g = sigmoid(p * x);
    return g + p * x * g * (1.0 - g);
  }
  case NL_FUNCTION_HARD_SWISH:
    return x < -3 ? 0.0 : x >= 3 ? 1.0 : x / 3.0 + 0.5;
  case NL_FUNCTION_MISH:
    return mish_derivative(x);
  case NL_FUNCTION_CLIP:
    return x >= p && x < q ? 1.0 : 0.0;
  case NL_FUNCTION_ABS:
    return x >= 0 ? 1.0 : -1.0;
  case NL_FUNCTION_ERF:
    return 2.0 * gelu_scale * sqrt_half * exp(-x * x);
  case NL_FUNCTION_NEGATE:
    return -1.0;
  case NL_FUNCTION_EXP:
    return exp(x);
  case NL_FUNCTION_LOG:
    return 1.0 / x;
  case NL_FUNCTION_SQRT:
    return 0.5 / sqrt(x);
  case NL_FUNCTION_RECIPROCAL:
    return -1.0 / (x * x);
  case NL_FUNCTION_POWER:
    return p == 2.0 ? 2.0 * x : p * pow(x, p - 1.0);
  case NL_FUNCTION_SIN:
    return cos(x);
  case NL_FUNCTION_COS:
    return -sin(x);
  }
  return 1.0;
}

// gx += gy f'(x) for a function whose derivative takes a kernel's result t; count <= BLOCK
static void gradient_with_kernel(nl_function function, double p, size_t count, const double *x, const double *y,
                                 const double *gy, double *gx) {
  double t[BLOCK];
  switch (function) {
  case NL_FUNCTION_SOFTPLUS:
    nl_sigmoid_f64(count, x, t);
    EACH(gx[i] += gy[i] * t[i]);
    break;
  case NL_FUNCTION_GELU_TANH:
    gelu_arguments(count, x, t);
    nl_sigmoid_f64(count, t, t);
    EACH(gx[i] += gy[i] * (t[i] + y[i] * (1.0 - t[i]) * 2.0 * gelu_scale * (1.0 + 3.0 * gelu_cubic * x[i] * x[i])));
    break;
  case NL_FUNCTION_SWISH:
    EACH(t[i] = p * x[i]);
    nl_sigmoid_f64(count, t, t);
    EACH(gx[i] += gy[i] * (t[i] + p * y[i] * (1.0 - t[i])));
    break;
  default: // NL_FUNCTION_MISH: T = w / (w + 2), its derivative 4 e^x (1 + e^x) / (w + 2)²
    mish_powers(count, x, t);
    for (size_t i = 0; i < count; i++) {
      const double w = t[i] * (t[i] + 2.0), r = 1.0 / (w + 2.0);
      gx[i] += gy[i] * (w * r + x[i] * (4.0 * t[i] * r) * ((1.0 + t[i]) * r));
    }
    break;
  }
}

void nl_function_gradient(nl_function function, double p, double q, size_t count, const double *x, const double *y,
                          const double *gy, double *gx) {
  switch (function) {
  case NL_FUNCTION_IDENTITY:
    EACH(gx[i] += gy[i]);
    break;
  case NL_FUNCTION_NEGATE:
    EACH(gx[i] -= gy[i]);
    break;
  case NL_FUNCTION_RELU:
    EACH(gx[i] += gy[i] * (x[i] >= 0 ? 1.0 : 0.0));
    break;
  case NL_FUNCTION_LEAKY_RELU:
    EACH(gx[i] += gy[i] * (x[i] >= 0 ? 1.0 : p));
    break;
  case NL_FUNCTION_CLIP:
    EACH(gx[i] += gy[i] * (x[i] >= p && x[i] < q ? 1.0 : 0.0));
    break;
  case NL_FUNCTION_ELU:
    EACH(gx[i] += gy[i] * (x[i] >= 0 ? 1.0 : y[i] + p));
    break;
  case NL_FUNCTION_SELU:
    EACH(gx[i] += gy[i] * (x[i] >= 0 ? q : y[i] + q * p));
    break;
  case NL_FUNCTION_CELU:
    EACH(gx[i] += gy[i] * (x[i] >= 0 ? 1.0 : y[i] / p + 1.0));
    break;
  case NL_FUNCTION_SIGMOID:
    EACH(gx[i] += gy[i] * (y[i] * (1.0 - y[i])));
    break;
  case NL_FUNCTION_TANH:
    EACH(gx[i] += gy[i] * ((1.0 - y[i]) * (1.0 + y[i])));
    break;
  case NL_FUNCTION_EXP:
    EACH(gx[i] += gy[i] * y[i]);
    break;
  case NL_FUNCTION_SQRT:
    EACH(gx[i] += gy[i] * (0.5 / y[i]));
    break;
  case NL_FUNCTION_RECIPROCAL:
    EACH(gx[i] -= gy[i] * (y[i] * y[i]));
    break;
  case NL_FUNCTION_SOFTPLUS:
  case NL_FUNCTION_GELU_TANH:
  case NL_FUNCTION_SWISH:
  case NL_FUNCTION_MISH:
    for (size_t i = 0; i < count; i += BLOCK)
      gradient_with_kernel(function, p, smaller(BLOCK, count - i), x + i, y + i, gy + i, gx + i);
    break;
  default:
    EACH(gx[i] += gy[i] * nl_function_derivative(function, p, q, x[i]));
    break;
  }
}
