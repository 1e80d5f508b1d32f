// chain: a network that is one line of dense layers with elementwise activations between, the family that the paper, the
// differential equivalences and the certificate treat. A view of the network's steps: what is found here can be lumped
// at the sites it names.
//
// z_l = W_l a_{l-1} + b_l,  a_l = σ_l(z_l);  a_0 is the input. The last layer is the output.
#ifndef NL_CHAIN_H
#define NL_CHAIN_H

#include "forward.h"
#include "site.h"

enum { NL_CHAIN_DEGREE = 16 };

typedef enum nl_chain_kind {
  NL_CHAIN_IDENTITY,
  NL_CHAIN_FUNCTION,   // function(p, q)
  NL_CHAIN_POLYNOMIAL, // Σ coefficients[d] z^d, degree >= 2
  NL_CHAIN_OTHER       // elementwise and alike for all channels, but no single function
} nl_chain_kind;

typedef struct nl_chain_layer {
  size_t dense;  // its dense step
  size_t base;   // the step whose value is z: the dense one, or a per-channel scale behind it
  size_t output; // the step the next layer reads; for the last layer, what goes into `tail` or out of the model
  size_t site;   // where its units can go, or NL_NONE
  size_t width, in_width;
  double *weights; // (width, in_width), per-channel scales before the activation multiplied in
  double *bias;    // (width), zeros where the model has none
  bool alike;      // no per-channel rider: units may be mixed, not only picked
  nl_chain_kind kind;
  nl_function function;
  double p, q;
  size_t degree;
  double coefficients[NL_CHAIN_DEGREE + 1];
} nl_chain_layer;

typedef struct nl_chain {
  nl_arena arena;
  const nl_network *network;
  const nl_parameters *parameters;
  size_t features; // width of a_0
  size_t count;
  nl_chain_layer *layers;
  size_t tail; // a (log) softmax behind the last layer, which the layers leave out; NL_NONE where there is none
  nl_parameters narrow; // one channel of every elementwise step, in the chain's arena
  double **values;      // (steps) one number each: where composite activations are evaluated
} nl_chain;

// `parameters` is borrowed until free. Errors: NL_ERROR_UNSUPPORTED naming the first node that breaks the line.
nl_status nl_chain_create(nl_chain *out, const nl_network *network, const nl_sites *sites,
                          const nl_parameters *parameters, nl_error *error);
void nl_chain_free(nl_chain *chain);

// Multiplications that a row takes, about: an activation counts 20.
double nl_chain_work(const nl_chain *chain);

// σ(z) of a layer.
double nl_chain_activation(const nl_chain *chain, size_t layer, double z);

#endif
