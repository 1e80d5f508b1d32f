// newton: fits one dense layer of the smaller network to the original's outputs. With u the layer's inputs and g = ∂f/∂z the
// derivative of an output by the layer's pre-activations, a change D of its weights moves the output by gᵀ D u, to first
// order; so Gauss and Newton's step is the least squares of f - f' on g uᵀ. It is solved by a few turns of conjugate gradients,
// preconditioned by E[g²] and E[u uᵀ] (the curvature's Kronecker factors, Martens & Grosse 2015), and taken as far as it helps.
#ifndef NL_NEWTON_H
#define NL_NEWTON_H

#include "forward.h"
#include "rows.h"

typedef struct nl_newton nl_newton;

// What the original gives, kept from layer to layer: the first to go through the rows fills it in.
typedef struct nl_answers {
  size_t rows;    // known so far
  double *values; // (rows of the input, results), or NULL: each layer computes them anew
} nl_answers;

typedef struct nl_newton_input {
  const nl_network *network;
  const nl_parameters *original;
  nl_parameters *reduced; // complete; layers[step] is what changes
  nl_rows *const *values; // (steps) what steps from `step` on, and the outputs, have of earlier ones
  size_t step;
  size_t rows;
  const double *x;     // (rows, features)
  nl_answers *answers; // of the same rows
} nl_newton_input;

// Whether a layer of this size is worth it: wide ones take too long, and too few rows would be learnt by heart.
bool nl_newton_worth(const nl_newton_input *input);

// Everything in `input` is borrowed until free.
nl_status nl_newton_create(nl_newton **out, const nl_newton_input *input, nl_error *error);
void nl_newton_free(nl_newton *newton);
// NL_MORE until done; `work` grows by the multiplications taken, and nothing is begun beyond `most`.
nl_status nl_newton_step(nl_newton *newton, size_t *work, size_t most);

#endif
