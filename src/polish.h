// polish: label-free self-distillation. The smaller network's weights and biases are moved until its outputs f' come as near
// to the original's f as they can: the mean of |f' - f|² / Var f over the measure falls (DESIGN 2.3).
//
// A fifth of the measure is held back; the iterate that is best on it is kept, the start included. From there some more
// iterations go down on all rows, those held back included: half as many as it took to get there. It can be stopped after
// any step.
#ifndef NL_POLISH_H
#define NL_POLISH_H

#include "forward.h"

typedef struct nl_polish nl_polish;

typedef struct nl_polish_input {
  const nl_network *network;
  const nl_parameters *original; // what answers
  const nl_parameters *start;    // the smaller network
  bool keep_zeros;               // weights that are 0 in `start` stay 0 (pruned networks)
  size_t rows;                   // of the measure
  const double *x;               // (rows, features)
  const double *answers; // (rows, results), what the smaller network is to say there; NULL: what `original` says
  size_t copies;         // of the rows, jittered, that are learnt from as well, as far as the work allows; 0: none
  uint64_t seed;
  size_t iterations; // at most; 0: the default
} nl_polish_input;

// Whether a row of the measure is held back. What the start was fitted on should not hold these rows either: it would look
// better on them than it is.
bool nl_polish_holds_back(uint64_t seed, size_t row);

// Everything in `input` is borrowed until free.
nl_status nl_polish_create(nl_polish **out, const nl_polish_input *input, nl_error *error);
void nl_polish_free(nl_polish *polish);
nl_status nl_polish_step(nl_polish *polish, double *progress, nl_error *error); // NL_MORE until done

// The best iterate so far, or the last one on all rows. Layers that are not trained are those of `start`, pointers included.
const nl_parameters *nl_polish_parameters(const nl_polish *polish);
double nl_polish_before(const nl_polish *polish);     // RMS(f' - f) / RMS(f - E f) over the rows held back
double nl_polish_after(const nl_polish *polish);      // the same of the best iterate, before these rows are learnt from
size_t nl_polish_iterations(const nl_polish *polish); // done so far

#endif
