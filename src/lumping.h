// lumping: what every method produces for a site. With a the site's activations (n) and ã those of the smaller network (k):
//     ã = R a,   a ≈ P ã + p
// R selects units (`kept`), or mixes them where `restriction` is given.
#ifndef NL_LUMPING_H
#define NL_LUMPING_H

#include "chain.h"
#include "site.h"

typedef struct nl_lumping_fit nl_lumping_fit; // lumping_fit.c

typedef struct nl_lumping {
  size_t n, k;
  const size_t *kept;         // (k) ascending
  const double *restriction;  // (k, n), or NULL when R is the selection of `kept`; mixes only where channels are alike
  const double *prolongation; // (n, k)
  const double *offset;       // (n)
} nl_lumping;

// The lumping that takes units from this step's channels; NULL where they all stay.
const nl_lumping *nl_lumping_at(const nl_sites *sites, const nl_lumping *lumpings, size_t step);

// W_out P and b_out + W_out p for weights (m, n): weights_out (m, k), bias_out (m) is added to.
void nl_lumping_consume(const nl_lumping *lumping, size_t m, const double *weights, double *weights_out,
                        double *bias_out);

// ---- from activations (lumping_fit.c) -----------------------------------------------------------------------------------
//
// P and p by least squares of all units from the kept ones, where second moments are too large to be kept for it.

nl_status nl_lumping_fit_create(nl_lumping_fit **out, size_t n, nl_error *error);
void nl_lumping_fit_free(nl_lumping_fit *fit);
// a (rows, n); `work`: nl_matmul_f64_work() doubles. Call by call a multiple of 256 rows but for the last.
void nl_lumping_fit_add(nl_lumping_fit *fit, size_t rows, const double *a, double *work);
// Fills in prolongation and offset of a lumping that says what is kept; they are the fit's.
nl_status nl_lumping_fit_finish(nl_lumping_fit *fit, bool affine, nl_lumping *lumping, nl_error *error);

// ---- from a partition ---------------------------------------------------------------------------------------------------

typedef enum nl_quotient_kind {
  NL_QUOTIENT_FORWARD,       // R sums a block, P gives each member 1/|H|: ERODE's quotient of a forward equivalence
  NL_QUOTIENT_MEANS,         // R takes a block's mean, P hands it to every member
  NL_QUOTIENT_REPRESENTATIVE // R picks the member nearest the block's mean, P hands on its multiples
} nl_quotient_kind;

// A layer's part of an nl_partition (partition.h).
typedef struct nl_layer_blocks {
  const size_t *block_of; // (width)
  size_t blocks;
  const double *scale;    // (width) or NULL
  const double *constant; // (width) or NULL; put out by units in no block, folded into the offset
  bool bound;             // a consumer has no room for an offset: one constant unit stays, the others are its multiples
} nl_layer_blocks;

// `kept`: each block's member nearest its mean (Euclidean, of incoming weights and bias, multiples taken out; the lowest number
// of equally near ones); columns in their order. Where all units are constant, the first is kept and nobody reads it. MEANS
// becomes REPRESENTATIVE where units may not be mixed or are multiples of each other.
//
// Which claims hold at ε = 0 (tests/unit/lumping_test.c). The smaller network computes the same function, up to rounding, for
//   forward equivalence, linear encoding      FORWARD          identity activations; no other
//   forward equivalence, adjoint encoding     MEANS, REPRES.   every activation; symmetric: REPRESENTATIVE
//   backward equivalence, linear encoding     MEANS, REPRES.   every activation (the same blocks)
//   backward equivalence, polynomial          REPRESENTATIVE   polynomial activations; with a fitted one the fit's network, not its own
//   backward, adjoint; forward, polynomial    none             no claim: they lump the differential equations only
// Errors: NL_ERROR_UNSUPPORTED for FORWARD where the layer's units may not be mixed, or scale or constant are given.
nl_status nl_lumping_of_partition(nl_lumping *out, nl_arena *arena, nl_quotient_kind kind, const nl_chain_layer *layer,
                                  const nl_layer_blocks *blocks, nl_error *error);

#endif
