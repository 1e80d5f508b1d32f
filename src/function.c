#include "function.h"

#include <math.h>

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

static double gelu_tanh(double x) { return 0.5 * x * (1.0 + tanh(gelu_scale * (x + gelu_cubic * x * x * x))); }

static double value(nl_function function, double p, double q, double x) {
  switch (function) {
  case NL_FUNCTION_IDENTITY:
    return x;
  case NL_FUNCTION_RELU:
    return x > 0 ? x : 0.0;
  case NL_FUNCTION_LEAKY_RELU:
    return x >= 0 ? x : p * x;
  case NL_FUNCTION_THRESHOLDED_RELU:
    return x > p ? x : 0.0;
  case NL_FUNCTION_ELU:
    return x >= 0 ? x : p * expm1(x);
  case NL_FUNCTION_SELU:
    return x > 0 ? q * x : q * p * expm1(x);
  case NL_FUNCTION_CELU:
    return x >= 0 ? x : p * expm1(x / p);
  case NL_FUNCTION_SIGMOID:
    return sigmoid(x);
  case NL_FUNCTION_HARD_SIGMOID:
    return clamp(p * x + q, 0.0, 1.0);
  case NL_FUNCTION_TANH:
    return tanh(x);
  case NL_FUNCTION_SOFTPLUS:
    return softplus(x);
  case NL_FUNCTION_SOFTSIGN:
    return x / (1.0 + fabs(x));
  case NL_FUNCTION_GELU:
    return 0.5 * x * (1.0 + erf(x * sqrt_half));
  case NL_FUNCTION_GELU_TANH:
    return gelu_tanh(x);
  case NL_FUNCTION_SWISH:
    return x * sigmoid(p * x);
  case NL_FUNCTION_HARD_SWISH:
    return x * clamp(x / 6.0 + 0.5, 0.0, 1.0);
  case NL_FUNCTION_MISH:
    return x * tanh(softplus(x));
  case NL_FUNCTION_CLIP:
    return clamp(x, p, q);
  case NL_FUNCTION_ABS:
    return fabs(x);
  case NL_FUNCTION_ERF:
    return erf(x);
  case NL_FUNCTION_NEGATE:
    return -x;
  case NL_FUNCTION_EXP:
    return exp(x);
  case NL_FUNCTION_LOG:
    return log(x);
  case NL_FUNCTION_SQRT:
    return sqrt(x);
  case NL_FUNCTION_RECIPROCAL:
    return 1.0 / x;
  case NL_FUNCTION_POWER:
    return p == 2.0 ? x * x : pow(x, p);
  case NL_FUNCTION_SIN:
    return sin(x);
  case NL_FUNCTION_COS:
    return cos(x);
  }
  return x;
}

void nl_function_apply(nl_function function, double p, double q, size_t count, const double *x, double *y) {
  for (size_t i = 0; i < count; i++) y[i] = value(function, p, q, x[i]);
}

static double gelu_tanh_derivative(double x) {
  const double t = tanh(gelu_scale * (x + gelu_cubic * x * x * x));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * gelu_scale * (1.0 + 3.0 * gelu_cubic * x * x);
}

static double mish_derivative(double x) {
  const double t = tanh(softplus(x));
  return t + x * (1.0 - t * t) * sigmoid(x);
}

double nl_function_derivative(nl_function function, double p, double q, double x) {
  const double s = sigmoid(x);
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
    return s * (1.0 - s);
  case NL_FUNCTION_HARD_SIGMOID:
    return p * x + q >= 0 && p * x + q < 1 ? p : 0.0;
  case NL_FUNCTION_TANH:
    return 1.0 - tanh(x) * tanh(x);
  case NL_FUNCTION_SOFTPLUS:
    return s;
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
