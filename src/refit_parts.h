// refit_parts: what a refit is made of. One orders what is done on rows and makes layers of the sums that come of it (refit.c); what has
// rows, here or in a helper, does what is ordered (refit_rows.c).
#ifndef NL_REFIT_PARTS_H
#define NL_REFIT_PARTS_H

#include "refit.h"

// ---- what both know -----------------------------------------------------------------------------------------------------

typedef struct nl_refit_plan {
  bool *changed;    // (steps) differs from the original in number or value
  size_t *last_use; // (steps) the last step that reads it
} nl_refit_plan;

nl_status nl_refit_plan_make(nl_refit_plan *out, const nl_refit_input *input, nl_arena *arena, nl_error *error);
// The lumping that takes units from this step's channels; NULL where they all stay.
const nl_lumping *nl_refit_lumping(const nl_refit_input *input, size_t step);
// Whether a step is a layer that is fitted.
bool nl_refit_fits(const nl_refit_input *input, const nl_refit_plan *plan, size_t step);
// Rows of each share but the last. Without helpers ever, all of them: then nothing is gathered twice.
size_t nl_refit_share(const nl_refit_input *input, size_t rows);

// ---- orders -------------------------------------------------------------------------------------------------------------

typedef enum nl_refit_task {
  NL_REFIT_ORIGINAL, // the original's values of a step; where the smaller network has the same, they are both's
  NL_REFIT_MEANS,    // Σ a, a what the step reads in the smaller network
  NL_REFIT_FIT, // with u = a - center and r the original's value less that of the layer: Σ u, Σ r, Σ u uᵀ, Σ u rᵀ
  NL_REFIT_NEWTON,
  NL_REFIT_REDUCED, // the smaller network's values
  NL_REFIT_OUTPUTS, // for helpers: those of both networks' outputs are told
  NL_REFIT_TASKS
} nl_refit_task;

typedef struct nl_refit_order {
  nl_refit_task task;
  size_t step;
  const double *center; // (in) of FIT
  nl_newton_order newton;
} nl_refit_order;

// Sums that come of an order; those of any order to a step that is fitted.
size_t nl_refit_sums(const nl_refit_order *order, const nl_parameters *reduced);
size_t nl_refit_most_sums(size_t step, const nl_parameters *reduced);

// ---- refit_rows.c -------------------------------------------------------------------------------------------------------

typedef struct nl_refit_rows nl_refit_rows;

// `input` says rows and x of the place; they are those from `first` on of `all`. Everything is borrowed until free.
nl_status nl_refit_rows_create(nl_refit_rows **out, const nl_refit_input *input, const nl_refit_plan *plan,
                               nl_parameters *reduced, size_t first, size_t all, nl_error *error);
void nl_refit_rows_free(nl_refit_rows *rows);
nl_status nl_refit_rows_begin(nl_refit_rows *rows, const nl_refit_order *order, nl_error *error);
// A block of rows. *sums: once all of a share's are there, them; they may be written over, and are till the next step.
void nl_refit_rows_step(nl_refit_rows *rows, double **sums, size_t *work);
bool nl_refit_rows_done(const nl_refit_rows *rows);
// What other shares have of a squared error already.
void nl_refit_rows_tell(nl_refit_rows *rows, double before);
nl_rows *nl_refit_rows_values(const nl_refit_rows *rows, size_t step, bool original);

// ---- refit_layers.c -----------------------------------------------------------------------------------------------------

// Makes layers[step] as the lumping alone gives it. `work`: nl_matmul_f64_work() doubles.
nl_status nl_refit_layer(const nl_refit_input *input, nl_parameters *reduced, size_t step, bool changed, double *work,
                         nl_error *error);

#endif
