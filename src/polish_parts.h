// polish_parts: which numbers of a network a polish moves, and how they stand in one vector. Nobody else includes it.
#ifndef NL_POLISH_PARTS_H
#define NL_POLISH_PARTS_H

#include "forward.h"

typedef struct nl_piece { // the weights or the bias of one dense step
  size_t step;
  bool bias;
  size_t offset, count; // its numbers in the vector
} nl_piece;

typedef struct nl_pieces {
  size_t count;
  nl_piece *pieces; // weights before the bias of the same step
  size_t numbers;   // length of the vector
  bool *fixed;      // (numbers) stays as it is; NULL: none does
} nl_pieces;

// Weights and biases of the dense steps that only evaluated outputs depend on. A constant that several steps share is left
// alone, and so is what something netlump cannot evaluate reads.
nl_status nl_pieces_find(nl_pieces *out, nl_arena *arena, const nl_network *network, const nl_parameters *start,
                         bool keep_zeros, nl_error *error);
// Copies the pieces' numbers from `start` to `numbers` and gives parameters that read them there, the rest from `start`.
nl_status nl_pieces_place(const nl_pieces *pieces, nl_arena *arena, const nl_parameters *start, double *numbers,
                          nl_parameters *out, nl_error *error);
// gradient (numbers) += what the rows at hand say
void nl_pieces_gradient(const nl_pieces *pieces, const nl_network *network, const nl_parameters *parameters,
                        const nl_scratch *scratch, const nl_scratch *gradients, size_t rows, double *gradient);

#endif
