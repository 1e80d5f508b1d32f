// function: elementwise activations and their derivatives.
//
// To add an activation: a name in nl_function, its value and its derivative in function.c, its ONNX operator in
// network_ops.c. Everything else (sites, lumping, polish) follows.
#ifndef NL_FUNCTION_H
#define NL_FUNCTION_H

#include <stddef.h>

typedef enum nl_function {
  NL_FUNCTION_IDENTITY,
  NL_FUNCTION_RELU,
  NL_FUNCTION_LEAKY_RELU,       // p: slope below 0
  NL_FUNCTION_THRESHOLDED_RELU, // p: threshold
  NL_FUNCTION_ELU,              // p: alpha
  NL_FUNCTION_SELU,             // p: alpha, q: gamma
  NL_FUNCTION_CELU,             // p: alpha
  NL_FUNCTION_SIGMOID,
  NL_FUNCTION_HARD_SIGMOID, // p: alpha, q: beta
  NL_FUNCTION_TANH,
  NL_FUNCTION_SOFTPLUS,
  NL_FUNCTION_SOFTSIGN,
  NL_FUNCTION_GELU,      // exact, by erf
  NL_FUNCTION_GELU_TANH, // the tanh approximation
  NL_FUNCTION_SWISH,     // p: alpha; x sigmoid(alpha x)
  NL_FUNCTION_HARD_SWISH,
  NL_FUNCTION_MISH,
  NL_FUNCTION_CLIP, // p: lowest, q: highest
  NL_FUNCTION_ABS,
  NL_FUNCTION_ERF,
  NL_FUNCTION_NEGATE,
  NL_FUNCTION_EXP,
  NL_FUNCTION_LOG,
  NL_FUNCTION_SQRT,
  NL_FUNCTION_RECIPROCAL,
  NL_FUNCTION_POWER, // p: exponent
  NL_FUNCTION_SIN,
  NL_FUNCTION_COS
} nl_function;

// y[i] = f(x[i]); x and y may be the same array.
void nl_function_apply(nl_function function, double p, double q, size_t count, const double *x, double *y);
// gx[i] += gy[i] f'(x[i]), y[i] = f(x[i]) at hand.
void nl_function_gradient(nl_function function, double p, double q, size_t count, const double *x, const double *y,
                          const double *gy, double *gx);
// df/dx at x; at a kink the derivative from the right.
double nl_function_derivative(nl_function function, double p, double q, double x);

#endif
