// partition_parts: what the files of partition share. A layer's neurons become rows of numbers, `signatures`; their L1
// distance is the distance of the equivalence, or a bound below it that an `exact` function sharpens.
#ifndef NL_PARTITION_PARTS_H
#define NL_PARTITION_PARTS_H

#include "partition.h"

enum { NL_SIGNATURE_CHUNK = 128 };    // columns between two looks at the bounds
#define NL_PARTITION_ROUNDING 0x1p-24 // of a weight stored as f32, relative
#define NL_PARTITION_WORK_MOST 2e10   // multiplications of exact distances in one layer: about half a minute

typedef struct nl_signatures {
  size_t n, m;
  double factor;  // distances are this times the L1 distance of rows
  bool any_sign;  // of a row and the other or its negative, whichever is nearer
  double *values; // (n, m) columns that differ most come first
  size_t *column; // (m) what they were before that
  double *tail; // (n, chunks + 1) L1 norms of what is left of a row, taken about the columns' means (any_sign: about 0)
  double *slack; // (n)
  // Wide layers are sifted in whole numbers first: values ~ middle of the column + step (coarse - 2^15), off by `off` a row.
  uint16_t *coarse, *flipped; // (n, m), of the rows and (any_sign) their negatives; NULL where it is not worth it
  double step;
  double *off; // (n) sum of |value - what coarse stands for|
} nl_signatures;

// The distance itself where the signatures only bound it from below: exact up to `limit`, anything above it beyond.
// Adds its multiplications to *work.
typedef double (*nl_exact)(const void *context, size_t i, size_t j, double limit, double *work);

typedef struct nl_pairs {
  nl_signatures signatures;
  nl_exact exact; // NULL: the signatures say it all
  const void *context;
  double cost; // multiplications of one distance
} nl_pairs;

// Sorts the columns and measures the tails of signatures->values (n, m); allocates tail. slack is the caller's.
nl_status nl_signatures_finish(nl_signatures *signatures, nl_arena *arena, nl_error *error);
// Σ |row i − sign row j|, sign ±1
double nl_signatures_apart(const nl_signatures *signatures, size_t i, double sign, size_t j);

// Who is told about near pairs (i < j). `skip` may be NULL; a skipped pair is not measured.
typedef struct nl_near {
  void *context;
  bool (*skip)(void *context, size_t i, size_t j);
  void (*near)(void *context, size_t i, size_t j);
} nl_near;

nl_status nl_pairs_near(const nl_pairs *pairs, double epsilon, const nl_near *visitor, nl_error *error);
// All distances, less their slack and never below 0: near is matrix[i][j] <= ε. matrix (n, n), symmetric.
nl_status nl_pairs_matrix(const nl_pairs *pairs, double *matrix, nl_error *error);

// What a layer's distances came to, kept from one ε to the next.
typedef struct nl_tree {
  double *matrix; // (n, n), erode linkage; NULL: measured anew at each ε
  size_t merges;
  struct nl_merge *merge; // complete linkage: (merges)
} nl_tree;

nl_status nl_tree_create(nl_tree *out, const nl_pairs *pairs, nl_linkage linkage, nl_arena *arena, nl_error *error);
// block_of (n), numbered in order of first member; *blocks how many.
nl_status nl_tree_cut(const nl_tree *tree, const nl_pairs *pairs, nl_linkage linkage, double epsilon, size_t *block_of,
                      size_t *blocks, nl_error *error);

// What a layer's blocks were found from, as the last nl_partitioner_at left it (partition_trace.c).
typedef struct nl_layer_look {
  size_t layer, neighbour; // as nl_layer_trace has them
  const size_t *units;     // of the pairs
  const nl_pairs *pairs;
  const size_t *block_of; // (width of the layer)
  nl_linkage linkage;
} nl_layer_look;

nl_layer_look nl_partitioner_look(const nl_partitioner *partitioner, size_t step);

// Signatures and exact distances of a layer under the polynomial encoding (partition_polynomial.c).
// `values`: neighbour's blocks; see partition.c.
typedef struct nl_neighbour {
  size_t width, blocks;
  const size_t *block_of; // (width), NL_NONE: a constant unit
  const double *scale;    // (width) or NULL
  const double *constant; // (width) or NULL
} nl_neighbour;

nl_status nl_polynomial_forward(nl_pairs *out, const nl_chain_layer *next, const nl_polynomial *activation,
                                const nl_neighbour *neighbour, nl_arena *arena, nl_error *error);
nl_status nl_polynomial_backward(nl_pairs *out, const nl_chain_layer *layer, const nl_polynomial *activation,
                                 const nl_neighbour *neighbour, nl_arena *arena, nl_error *error);

#endif
