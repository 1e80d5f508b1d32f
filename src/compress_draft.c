// A first answer: on so few of the measure's rows that it takes about a tenth of a second.
#include "compress.h"

enum { WORK = 450000000 };          // multiplications: some 70 ms
enum { ELEMENT_WORK = 50 };         // of an activation's value
enum { NEWTON_WORK = 6 };           // times least squares, about
enum { ROWS_A_UNIT_FIT = 4 };       // fewer would be learnt by heart
enum { ROWS_A_UNIT_NEWTON = 30 };   // from fewer, least squares of more rows is as near to the result
static const double ridge_rows = 4; // rows a unit for which the ridge is the mean variance

static size_t widest_kept(const nl_result *result) {
  size_t most = 1;
  for (size_t i = 0; i < result->path->model->sites.count; i++)
    if (result->widths[i] > most) most = result->widths[i];
  return most;
}

// Multiplications a row: made and measured, both networks each time.
static double row_work(const nl_result *result, bool fit) {
  const nl_model *model = result->path->model;
  const nl_refit_input one = {.network = model->network,
                              .sites = &model->sites,
                              .original = &result->path->parameters,
                              .lumpings = result->lumpings,
                              .rows = 1,
                              .fit = fit};
  double units = 0;
  for (size_t i = 0; i < model->sites.count; i++) units += (double)(model->sites.sites[i].width + result->widths[i]);
  const double measured = (double)(nl_model_parameters(model) + nl_model_count(model, result->widths));
  return nl_refit_work(&one) + measured + 2 * ELEMENT_WORK * units;
}

static size_t rows_of(double each, size_t rows) {
  const double most = WORK / each + NL_FORWARD_ROWS;
  return most < (double)rows ? (size_t)most : rows;
}

nl_draft nl_result_draft(const nl_result *result, size_t rows) {
  const bool fits = nl_method_fits(result->options.method);
  const size_t kept = widest_kept(result);
  const double fitted = row_work(result, true);
  const size_t few = rows_of(NEWTON_WORK * fitted, rows), many = rows_of(fitted, rows);
  if (fits && few >= ROWS_A_UNIT_NEWTON * kept) return (nl_draft){.rows = few, .fit = true, .outputs = true};
  // The lumpings know the whole measure: the fewer the rows, the nearer to them.
  if (fits && many >= ROWS_A_UNIT_FIT * kept)
    return (nl_draft){.rows = many, .fit = true, .ridge = ridge_rows * (double)kept / (double)many};
  return (nl_draft){.rows = rows_of(row_work(result, false), rows)};
}
