// newton: fits one dense layer of the smaller network to the original's outputs. With u the layer's inputs and g = ∂f/∂z the
// derivative of an output by the layer's pre-activations, a change D of its weights moves the output by gᵀ D u, to first
// order; so Gauss and Newton's step is the least squares of f - f' on g uᵀ. It is solved by a few turns of conjugate gradients,
// preconditioned by E[g²] and E[u uᵀ] (the curvature's Kronecker factors, Martens & Grosse 2015), and taken as far as it helps.
//
// One solves; one or more hold rows and do what it orders. What comes of a share of the rows is an array of sums, those of all shares are
// added in their order.
#ifndef NL_NEWTON_H
#define NL_NEWTON_H

#include "forward.h"
#include "rows.h"

typedef struct nl_newton_input {
  const nl_network *network;
  const nl_parameters *original;
  nl_parameters *reduced; // complete; layers[step] is what changes
  size_t step;
  size_t rows, share;   // of the measure; of each share but the last, a multiple of NL_FORWARD_ROWS
  const double *center; // (in) about what the layer's inputs are on average, 0 where it has no bias
} nl_newton_input;

typedef enum nl_newton_task { NL_NEWTON_GATHER, NL_NEWTON_PRODUCT, NL_NEWTON_TRY, NL_NEWTON_DONE } nl_newton_task;

typedef struct nl_newton_order {
  nl_newton_task task;
  const double *direction; // (out, n) to be multiplied; NULL: what the outputs miss is
  double best;             // of a try: the squared error to fall below; what cannot is not gone through to its end
  double before;           // what other shares have of it already
} nl_newton_order;

// Whether a layer of this size is worth it: wide ones take too long, and too few rows would be learnt by heart.
bool nl_newton_worth(const nl_newton_input *input);
// Sums that come of a task.
size_t nl_newton_sums(const nl_newton_input *input, nl_newton_task task);

// ---- the one that solves ------------------------------------------------------------------------------------------------

typedef struct nl_newton nl_newton;

// Everything in `input` is borrowed until free.
nl_status nl_newton_create(nl_newton **out, const nl_newton_input *input, nl_error *error);
void nl_newton_free(nl_newton *newton);
// What it wants next, of the layer as it is now; in the end NL_NEWTON_DONE.
nl_newton_order nl_newton_wants(const nl_newton *newton);
// The sums of all rows; `work` grows by the multiplications taken.
void nl_newton_take(nl_newton *newton, double *sums, size_t *work);

// ---- those that hold rows -----------------------------------------------------------------------------------------------

typedef struct nl_newton_rows nl_newton_rows;

// What the original gives, kept from layer to layer: the first to go through the rows fills it in.
typedef struct nl_answers {
  size_t rows;    // known so far
  double *values; // (rows of the place, results), or NULL: each layer computes them anew
} nl_answers;

// Adds those of the next block of rows, as the original's scratch has them; where there is room for any.
void nl_answers_add(nl_answers *answers, const nl_network *network, const nl_scratch *original, size_t rows);

typedef struct nl_newton_place {
  size_t first, rows;     // of the measure: whole shares
  const double *x;        // (rows, features)
  nl_rows *const *values; // (steps) what steps from `step` on, and the outputs, have of earlier ones
  nl_answers *answers;
} nl_newton_place;

// Everything in `input` and `place` is borrowed until free.
nl_status nl_newton_rows_create(nl_newton_rows **out, const nl_newton_input *input, const nl_newton_place *place,
                                nl_error *error);
void nl_newton_rows_free(nl_newton_rows *rows);
// Begins an order on one of the place's shares, numbered from 0; they are gone through in their order. `sums` are borrowed until it is
// done.
void nl_newton_rows_begin(nl_newton_rows *rows, const nl_newton_order *order, size_t share, double *sums);
// A block of rows; true once the share is done.
bool nl_newton_rows_step(nl_newton_rows *rows, size_t *work);

#endif
