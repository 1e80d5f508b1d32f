// refit: the parameters of the smaller network. Goes through the layers in order; each dense layer behind a lumped site
// is fitted by least squares to the original's pre-activations, from the activations the smaller network really has
// (DESIGN 2.3, sequential refit); one that is no output itself then, where asked for, to the network's outputs (newton.h). The ridge pulls
// towards the weights that the lumping alone gives, so that an exact lumping stays exact.
//
// What is done on rows is done by shares of them, and sums over rows are those of the shares, added in their order. So other instances may
// have the rows (helpers, below): the bits are the same.
#ifndef NL_REFIT_H
#define NL_REFIT_H

#include "forward.h"
#include "lumping.h"
#include "newton.h"
#include "rows.h"
#include "site.h"

typedef struct nl_refit nl_refit;

enum { NL_REFIT_SHARES = 4 }; // at most; as many helpers have something to do

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
  double ridge;               // of the fit, a share of the mean variance; 0: the least
  nl_answers *answers;        // what the original gives on all rows, where that is known: read alone; or NULL
  size_t helpers;             // that have the rows, no more of them than shares; 0: they are gone through here
  // Where the original's weights come and go (nl_parameters_load_apart): the same as `original`. Lumpings then say what is kept and
  // nothing else, P and p are found on the way; a layer done is given to `keep`, which sets its `away`, and let go. No helpers then.
  nl_parameters *apart;
  void *owner;
  nl_status (*keep)(void *owner, size_t step, nl_layer *layer, nl_error *error);
} nl_refit_input;

// Everything in `input` is borrowed until free.
nl_status nl_refit_create(nl_refit **out, const nl_refit_input *input, nl_error *error);
void nl_refit_free(nl_refit *refit);
// NL_MORE until done; NL_SHARE where it waits for its helpers.
nl_status nl_refit_step(nl_refit *refit, double *progress, nl_error *error);

const nl_parameters *nl_refit_parameters(const nl_refit *refit);
// Once it is done: the values of an output step on all rows, where nl_refit_knows_outputs; until they are dropped.
nl_rows *nl_refit_output(const nl_refit *refit, size_t step, bool original);
bool nl_refit_knows_outputs(const nl_refit *refit);
void nl_refit_drop_outputs(nl_refit *refit);
// Multiplications on rows, about; and how many helpers have something to do.
double nl_refit_work(const nl_refit_input *input);
size_t nl_refit_shares(const nl_refit_input *input);

// ---- helpers: other instances that have the same network --------------------------------------------------------------------

size_t nl_refit_helpers(const nl_refit *refit); // that have something to do
// After NL_SHARE, once for each: appends doubles that it has to know; then, in the helpers' order, takes in what came of them.
nl_status nl_refit_give(nl_refit *refit, size_t helper, nl_buffer *orders, nl_error *error);
nl_status nl_refit_take(nl_refit *refit, size_t helper, const double *sums, size_t count, nl_error *error);

typedef struct nl_refit_helper nl_refit_helper;
// The original is borrowed until free.
nl_status nl_refit_helper_create(nl_refit_helper **out, const nl_network *network, const nl_sites *sites,
                                 const nl_parameters *original, nl_error *error);
void nl_refit_helper_free(nl_refit_helper *helper);
// Appends doubles. All of it, however long.
nl_status nl_refit_helper_do(nl_refit_helper *helper, const double *orders, size_t count, nl_buffer *sums,
                             nl_error *error);

#endif
