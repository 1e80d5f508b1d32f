// partition: ε-differential equivalence of a chain's hidden neurons (DESIGN 2.2; ERODE's observable semantics).
//
// Two neurons of a layer are near when their distance is at most ε. With P the blocks of all variables:
//   forward   Σ_{H∈P} ‖f_H − f_H[x_i := s(x_i+x_j), x_j := (1−s)(x_i+x_j)]‖₁,  f_H = Σ_{k∈H} f_k
//   backward  ‖[f_i]_P − [f_j]_P‖₁, every variable replaced by its block
// where ‖·‖₁ sums the absolute coefficients. For affine drifts that is 3 Σ_H |c_i^H − c_j^H| with c_i^H = Σ_{k∈H} ∂f_k/∂x_i, and
// Σ_B |r_iB − r_jB| + |b_i − b_j| with r_iB = Σ_{l∈B} ∂f_i/∂x_l. Polynomial drifts: partition_polynomial.c.
//
// Inputs and outputs are blocks of one; each hidden layer starts as one block and is split once, since what its distances
// see of P is the partition of one neighbouring layer alone (partition.c has the proof):
//
//            linear            polynomial        adjoint
//   forward  the next layer    the next layer    the previous layer
//   backward the previous      the previous      the next layer
//
// Linkage. `erode`: blocks are the connected components of "near", ERODE's own rule. `complete`: every two members are near;
// by hierarchical complete linkage while a layer's distances take at most 2^30 multiplications, above that unit by unit into
// the first block all of whose members are near. Both depend on nothing but weights and ε.
//
// Near is d <= ε (1 + 1e-9) plus what the rounding of weights to f32 can make of the two neurons' terms (2^-24 of
// their sum), so that decimals written in a file compare as written and ε = 0 finds what is equal as far as f32 tells.
#ifndef NL_PARTITION_H
#define NL_PARTITION_H

#include "ode.h"

typedef struct nl_partition {
  size_t layers;                 // hidden ones
  const size_t *const *block_of; // (layers)(width) numbers from 0 in order of first member; NL_NONE: a constant unit
  const size_t *blocks;          // (layers) how many
  const double *const *scale; // (layers)(width): a unit is scale times its block's first member; NULL unless symmetric
  const double *const *constant; // (layers)(width): what a constant unit puts out; NULL unless symmetric
} nl_partition;

typedef struct nl_partitioner nl_partitioner;

// The chain is borrowed until free. Errors: NL_ERROR_ARGUMENT for options that do not go together, NL_ERROR_LIMIT for
// polynomials whose distances would take too long, and what nl_ode_polynomials says.
nl_status nl_partitioner_create(nl_partitioner **out, const nl_chain *chain, const nl_partition_options *options,
                                nl_error *error);
// *out is borrowed until the next call. What one ε needed is kept for the next where the neighbours' blocks are the same.
nl_status nl_partitioner_at(nl_partitioner *partitioner, double epsilon, const nl_partition **out, nl_error *error);
void nl_partitioner_free(nl_partitioner *partitioner);

// ---- how a small layer came to its blocks ---------------------------------------------------------------------------------
//
// Whole at first; then the merges that ε does not allow are undone, the widest first. The two parts of a split are further apart
// than ε as the linkage has it: complete by their farthest neurons, erode even by their nearest. `pair` are those two.

enum { NL_TRACE_WIDTH_MOST = 64 };

typedef struct nl_split {
  size_t pair[2]; // the first one stays
  double distance;
  const bool *stays, *leaves; // (n) the parts
} nl_split;

typedef struct nl_layer_trace {
  size_t layer;     // hidden ones from 0
  size_t neighbour; // whose blocks tell: 0 the inputs, then the hidden layers, the outputs last
  size_t n;
  const size_t *units;     // (n) the neurons that are not constant
  const double *distances; // (n, n)
  size_t splits;
  const nl_split *split;
  double factor; // distances are this times the L1 distance of rows, where the drifts are affine
  bool any_sign; // of a row and the other or its negative, whichever is nearer
  size_t columns;
  const double *
      rows; // (n, columns) what a unit reads of the neighbour's blocks, then its bias; or what these read of it; 0, NULL else
} nl_layer_trace;

// Step by step, in the order in which the last nl_partitioner_at took the hidden layers: of step `step`, into `arena`.
// Errors: NL_ERROR_LIMIT for a layer of more than NL_TRACE_WIDTH_MOST neurons.
nl_status nl_partitioner_trace(const nl_partitioner *partitioner, size_t step, nl_layer_trace *out, nl_arena *arena,
                               nl_error *error);

#endif
