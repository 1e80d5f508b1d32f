// prune: the baselines that lumping is compared with, on equal terms: single weights set to zero (magnitude, Wanda), whole
// units removed by their norm, and the same widths from a random start.
//
// A pruned network keeps its widths. What can go are the *weights*: elements of the constants that dense layers read as
// their weights and nobody else reads, the last layer's included; zeros are gone already. Layers that share a constant are
// pruned alike: it counts once, as the first of them sees it. Biases and all other constants stay.
#ifndef NL_PRUNE_H
#define NL_PRUNE_H

#include "forward.h"
#include "site.h"

typedef enum nl_prune {
  NL_PRUNE_MAGNITUDE,        // |w|, the same share of every layer (Han, Pool, Tran, Dally 2015, arXiv 1506.02626)
  NL_PRUNE_MAGNITUDE_GLOBAL, // |w|, one threshold for all layers
  NL_PRUNE_WANDA // |w_oi| ‖x_i‖₂, the same share of every row o (Sun, Liu, Bair, Kolter 2023, arXiv 2306.11695)
} nl_prune;

// ---- counting --------------------------------------------------------------------------------------------------------
// `parameters` at the network's own widths.

// Weights left: what `keep` counts below.
size_t nl_prune_weight_count(const nl_network *network, const nl_parameters *parameters);
// Weights left, all biases, all other constants: of network->parameters, what is retained. This less the weights left is
// what no pruning reaches.
size_t nl_prune_nonzero(const nl_network *network, const nl_parameters *parameters);

// ---- what the layers read, for Wanda ---------------------------------------------------------------------------------

typedef struct nl_prune_norms {
  nl_arena arena;
  size_t rows;    // seen so far
  double **norms; // (steps) (in_width) of an evaluable dense step, else NULL: sums of squares; after finish RMS
} nl_prune_norms;

nl_status nl_prune_norms_create(nl_prune_norms *out, const nl_network *network, nl_error *error);
void nl_prune_norms_free(nl_prune_norms *norms);
// The rows `scratch` was evaluated on.
void nl_prune_norms_add(nl_prune_norms *norms, const nl_network *network, const nl_scratch *scratch, size_t rows);
void nl_prune_norms_finish(nl_prune_norms *norms, const nl_network *network);

// ---- pruning ---------------------------------------------------------------------------------------------------------

// Copies `original` into `out` (its own memory) with all but `keep` of its weights set to 0; exactly `keep` are left, or all
// when there are fewer. Shares are of the weights that are not zero, rounded by largest remainder: over the layers, for
// Wanda then over the rows of each. Among equals the first of the file's tensor stays, the first layer gets the one over.
// norms (steps) as above, finished; NULL unless the method is Wanda. Linear in the weights, not stepped.
nl_status nl_prune_weights(nl_parameters *out, const nl_network *network, const nl_parameters *original,
                           nl_prune method, const double *const *norms, size_t keep, nl_error *error);

// order (n): the units of a site, first the one that goes first: by the L2 norm of its incoming weights over all dense
// layers that write to the site (Li, Kadav, Durdanovic, Samet, Graf 2017, arXiv 1608.08710, take L1 and find L2 alike),
// without biases and what scales behind the layer; equals by number.
nl_status nl_prune_unit_order(const nl_network *network, const nl_site *site, const nl_parameters *parameters,
                              size_t *order, nl_error *error);

// ---- control ---------------------------------------------------------------------------------------------------------

// Copies `like`, at any widths, into `out` (its own memory) with weights and biases of every dense layer drawn anew,
// ~ U(-1/√in, 1/√in) (PyTorch's start for Linear), each layer for itself; scales, shifts and slopes stay.
nl_status nl_prune_randomise(nl_parameters *out, const nl_parameters *like, uint64_t seed, nl_error *error);

#endif
