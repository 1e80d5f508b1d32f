// quotient: lumping + graph -> the edits that make the smaller graph.
#ifndef NL_QUOTIENT_H
#define NL_QUOTIENT_H

#include "forward.h"
#include "lumping.h"
#include "onnx.h"
#include "site.h"

// Adds to `edits`: weights and biases of every dense layer that `reduced` changed, the riders' constants picked by the
// lumping of their site, and the sizes of the values in between. Constants keep their type, rank and orientation.
nl_status nl_quotient_edit(nl_edits *edits, const nl_network *network, const nl_sites *sites,
                           const nl_lumping *lumpings, const nl_parameters *original, const nl_parameters *reduced,
                           nl_error *error);

// Hands a dense layer's weights to the graph's store, encoded as they are to be written; sets layer->away. The edit above then
// says where they are.
nl_status nl_quotient_keep(const nl_network *network, size_t step, nl_layer *layer, nl_error *error);

#endif
