// ode: a chain as a polynomial system of differential equations (arXiv 2606.01402, section 3; DESIGN 2.1). One variable a
// neuron, the inputs constant; hidden layers and outputs move.
//
//   linear      a_k' = Σ_j w_kj a_j + b_k                        the activations are left out
//   adjoint     a_j' = Σ_k w_kj a_k,  u' = Σ_k b_k a_k           its transpose: who reads a neuron drives it
//   polynomial  a_k' = −a_k + p(Σ_j w_kj a_j + b_k)              p the layer's activation, or a polynomial fitted to it
#ifndef NL_ODE_H
#define NL_ODE_H

#include "chain.h"
#include "equivalence.h"

// A layer's activation as a polynomial: exactly where it is one, else by least squares (ode_fit.c says over what).
typedef struct nl_polynomial {
  size_t degree;
  double coefficients[NL_CHAIN_DEGREE + 1];
  bool fitted;
  double mean, spread; // of the pre-activations it was fitted on
  double rms, largest; // of the error, relative to the activation's RMS; 0 where exact
} nl_polynomial;

// One polynomial a layer into `arena`. `degree`: of the fitted ones; 0: a default for each activation.
// Errors: NL_ERROR_ARGUMENT for a degree above NL_CHAIN_DEGREE, NL_ERROR_UNSUPPORTED where an activation is not finite.
nl_status nl_ode_polynomials(const nl_polynomial **out, const nl_chain *chain, size_t degree, nl_arena *arena,
                             nl_error *error);

// The encoding as ERODE's .ode file: x1.. inputs, hL_1.. hidden layer L, y1.. outputs, u of the adjoint; everything in
// `begin partition`, inputs, outputs and u alone, each hidden layer one block; behind the model the command
// reduceEpsNFB (forward) or reduceEpsNBB (backward) with the tolerance. Numbers are the shortest decimals that read back equal,
// without exponents; a weight that is an f32 is taken as its shortest decimal, in products too, so that 0.1 stays 0.1.
// `polynomials` only for the polynomial encoding. Errors: NL_ERROR_LIMIT above NL_ODE_TERMS_MOST monomials.
#define NL_ODE_TERMS_MOST 4e6
nl_status nl_ode_write(nl_buffer *out, const nl_chain *chain, nl_encoding encoding, nl_equivalence equivalence,
                       double epsilon, const nl_polynomial *polynomials, nl_error *error);

#endif
