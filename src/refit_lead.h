// refit_lead: the one that orders.
#ifndef NL_REFIT_LEAD_H
#define NL_REFIT_LEAD_H

#include "refit_parts.h"

// What is being done, or was last.
typedef enum nl_refit_stage {
  NL_REFIT_AT_ENTER,
  NL_REFIT_AT_LUMP,
  NL_REFIT_AT_ORIGINAL,
  NL_REFIT_AT_MEANS,
  NL_REFIT_AT_FIT,
  NL_REFIT_AT_NEWTON,
  NL_REFIT_AT_REDUCED
} nl_refit_stage;

struct nl_refit {
  nl_refit_input input;
  nl_parameters reduced;
  nl_refit_plan plan;
  nl_refit_rows *rows; // NULL where helpers have them
  double *work;
  size_t step;
  nl_refit_stage stage;
  size_t prepared; // layers of the smaller network that are there
  // the order at hand
  nl_refit_order order;
  bool busy;
  size_t added;   // shares
  double *sums;   // of all shares: the only one's, or
  double *total;  // their sum
  double *center; // (in) of the layer that is fitted
  nl_newton *newton;
  // where helpers have the rows
  nl_buffer orders;           // that they have not been given yet
  bool waits;                 // for what comes of these
  bool told[NL_REFIT_SHARES]; // what they have to know beforehand
  size_t taken;               // helpers whose sums are there
  nl_rows **outputs;          // (2 steps) values of the original's outputs, then of the smaller network's; of all rows
  bool finished;              // they are there, or are not wanted
  // where weights come and go
  nl_lumping *lumpings; // (sites)
  nl_lumping_fit *lump; // of what the step reads
  size_t lumped;        // the step whose lumping has P and p now, or NL_NONE
  size_t row;
};

// Layers up to `last` are there afterwards.
nl_status nl_refit_prepare(nl_refit *refit, size_t last, nl_error *error);
// The next share's sums of the order at hand.
nl_status nl_refit_add(nl_refit *refit, const double *sums, nl_error *error);

// ---- refit_helpers.c ----------------------------------------------------------------------------------------------------

nl_status nl_refit_order_helpers(nl_refit *refit, nl_error *error); // the order at hand
nl_status nl_refit_order_outputs(nl_refit *refit, nl_error *error);
bool nl_refit_waits(const nl_refit *refit);

#endif
