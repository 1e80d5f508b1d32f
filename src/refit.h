// refit: the parameters of the smaller network. Goes through the layers in order; each dense layer behind a lumped site
// is fitted by least squares to the original's pre-activations, from the activations the smaller network really has
// (DESIGN 2.3, sequential refit); one that is no output itself then, where asked for, to the network's outputs (newton.h). The ridge pulls
// towards the weights that the lumping alone gives, so that an exact lumping stays exact.
#ifndef NL_REFIT_H
#define NL_REFIT_H

#include "forward.h"
#include "lumping.h"
#include "rows.h"
#include "site.h"

typedef struct nl_refit nl_refit;

typedef struct nl_refit_input {
  const nl_network *network;
  const nl_sites *sites;
  const nl_parameters *original;
  const nl_lumping *lumpings; // (sites); k == n where a site is kept whole
  size_t rows;                // of the measure
  const double *x;            // (rows, features), or
  nl_rows *kept;              // the same in single precision, and what is computed of them is kept so too
  bool fit;                   // else the layers stay as the lumpings alone make them: R W P
  bool outputs;               // then to the outputs, too
  // Where the original's weights come and go (nl_parameters_load_apart): the same as `original`. Lumpings then say what is kept and
  // nothing else, P and p are found on the way; a layer done is given to `keep`, which sets its `away`, and let go.
  nl_parameters *apart;
  void *owner;
  nl_status (*keep)(void *owner, size_t step, nl_layer *layer, nl_error *error);
} nl_refit_input;

// Everything in `input` is borrowed until free.
nl_status nl_refit_create(nl_refit **out, const nl_refit_input *input, nl_error *error);
void nl_refit_free(nl_refit *refit);
nl_status nl_refit_step(nl_refit *refit, double *progress, nl_error *error); // NL_MORE until done

const nl_parameters *nl_refit_parameters(const nl_refit *refit);
// Where weights come and go, once it is done: the values of an output step on all rows.
nl_rows *nl_refit_output(const nl_refit *refit, size_t step, bool original);

#endif
