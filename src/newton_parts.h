// newton_parts: what the two sides of newton have in common.
#ifndef NL_NEWTON_PARTS_H
#define NL_NEWTON_PARTS_H

#include "newton.h"

enum {
  NL_NEWTON_ROUNDS = 2,        // derivatives are taken anew in each
  NL_NEWTON_TURNS = 8,         // of conjugate gradients; 10 and more gain a tenth of what these do
  NL_NEWTON_ROWS_A_WEIGHT = 4, // at least, for each of a neuron's weights
};

// Where a gathering's sums stand: squared error, squared output, rows kept, then E g² (out) and E u uᵀ (n, n).
enum { NL_GATHERED_ERROR, NL_GATHERED_SQUARES, NL_GATHERED_ROWS, NL_GATHERED_HEAD };

#endif
