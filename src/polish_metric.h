// polish_metric: how steep the error is in each direction of the weights, layer by layer. A dense layer reads a and the output
// feels it by g; JᵀJ is to it about E[aaᵀ] ⊗ E[ggᵀ] (K-FAC: Martens, Grosse, "Optimizing Neural Networks with
// Kronecker-factored Approximate Curvature", ICML 2015). Its inverse is the metric L-BFGS starts from.
#ifndef NL_POLISH_METRIC_H
#define NL_POLISH_METRIC_H

#include "polish_parts.h"

typedef struct nl_factor { // of one dense step, a with a 1 behind it for the bias
  size_t step, out, in;
  size_t weights, bias; // where they stand in the vector; NL_NONE where there is none
  double *read;         // (in + 1, in + 1) E[aaᵀ]; NULL where that is too large: then 1 stands for it
  double *felt;         // (out, out) E[ggᵀ]
} nl_factor;

typedef struct nl_metric {
  size_t count;
  nl_factor *factors;
  const nl_pieces *pieces;
  size_t rows;
  double *block, *vector, *turned; // work: (NL_FORWARD_ROWS, in + 1), (out, in + 1), (in + 1, out)
} nl_metric;

nl_status nl_metric_take(nl_metric *out, nl_arena *arena, const nl_pieces *pieces, const nl_parameters *parameters,
                         nl_error *error);
void nl_metric_clear(nl_metric *metric);
// Rows that both were evaluated on; gradients start from random signs at the outputs (Hutchinson).
void nl_metric_add(nl_metric *metric, const nl_network *network, const nl_scratch *scratch, const nl_scratch *gradients,
                   size_t rows);
// Takes the factors apart; 2 / `variance` is what the error is per squared output, `learnt` the rows there are to learn from.
// False where that cannot be done.
bool nl_metric_finish(nl_metric *metric, double variance, size_t learnt);
// vector (numbers) <- inverse metric times vector; an nl_metric is the context
void nl_metric_apply(void *metric, double *vector);
size_t nl_metric_work(const nl_metric *metric); // multiplications of finish and one application, about

#endif
