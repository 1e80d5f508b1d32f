// Models whose weights stay out of memory (store.h), layer by layer: each is read when its turn comes, a site's moments go once its
// order is known, and what a result makes of a layer goes back out at once. Between layers the values of all rows are kept, in single
// precision as the measure's rows and the weights are, and layers are computed in it.
//
// Against the path of smaller models: consumers' errors are counted over their own variance, never over the output's (sensitivity.h
// would need every layer at once), and moments are of single precision, which orders as well; P and p are found when a result needs
// them, from the activations (nl_lumping_fit); no polish, no Newton.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "gram.h"
#include "kernels/kernels.h"
#include "quotient.h"

enum { WORK_PER_STEP = 20000000 };

typedef enum stage { STAGE_EVALUATE, STAGE_GATHER, STAGE_ELIMINATE } stage;

struct nl_large {
  nl_arena arena;
  nl_rows **values; // (steps) NULL where nobody needs them any more
  double **window;  // (steps) pointers to the rows at hand
  size_t *last_use; // (steps)
  double *work;
  size_t step, row, site;
  stage stage;
  nl_moments *moments; // (sites)
  nl_elimination *elimination;
};

bool nl_model_large(const nl_model *model) {
  return model->graph != NULL && model->graph->store != NULL && model->engine == NL_ENGINE_FORWARD;
}

// The measure's rows in single precision, half the room for as long as the path lives.
static nl_status keep_single(nl_path *path, nl_error *error) {
  const size_t features = path->features;
  NL_TRY(nl_rows_create(&path->kept, path->rows, features, NL_FORWARD_ROWS, true, error));
  for (size_t first = 0, count; first < path->rows; first += count) {
    count = path->rows - first < NL_FORWARD_ROWS ? path->rows - first : NL_FORWARD_ROWS;
    memcpy(nl_rows_room(path->kept, first), path->x + first * features, count * features * sizeof *path->x);
    nl_rows_keep(path->kept, first, count);
  }
  nl_arena_free(&path->drawn);
  path->x = NULL;
  return NL_OK;
}

nl_status nl_large_create(nl_path *path, nl_error *error) {
  const nl_network *network = path->model->network;
  nl_large *l = calloc(1, sizeof *l);
  if (l == NULL) return nl_no_memory(error, 1, sizeof *l);
  path->large = l;
  NL_TAKE(&l->arena, l->values, nl_rows *, network->step_count + 1, error);
  NL_TAKE(&l->arena, l->window, double *, network->step_count + 1, error);
  NL_TAKE(&l->arena, l->last_use, size_t, network->step_count + 1, error);
  NL_TAKE(&l->arena, l->moments, nl_moments, path->model->sites.count + 1, error);
  NL_TAKE(&l->arena, l->work, double, nl_matmul_f64_work(), error);
  for (size_t s = 0; s < network->step_count; s++)
    for (size_t i = 0; i < network->steps[s].input_count; i++) l->last_use[network->steps[s].inputs[i]] = s;
  return keep_single(path, error);
}

void nl_large_free(nl_path *path) {
  nl_large *l = path->large;
  if (l == NULL) return;
  for (size_t s = 0; l->values != NULL && s < path->model->network->step_count; s++) nl_rows_free(l->values[s]);
  for (size_t i = 0; l->moments != NULL && i < path->model->sites.count; i++) nl_moments_free(&l->moments[i]);
  nl_elimination_free(l->elimination);
  nl_arena_free(&l->arena);
  free(l);
  path->large = NULL;
}

// ---- values -------------------------------------------------------------------------------------------------------------

static nl_status enter_step(nl_path *path, nl_error *error) {
  nl_large *l = path->large;
  NL_TRY(nl_layer_hold(&path->parameters, path->model->network, l->step, error));
  const size_t width = path->parameters.layers[l->step].width;
  return nl_rows_create(&l->values[l->step], path->rows, width, NL_FORWARD_ROWS, true, error);
}

static void leave_step(nl_path *path) {
  nl_large *l = path->large;
  const nl_step *step = &path->model->network->steps[l->step];
  nl_layer_drop(&path->parameters, l->step);
  for (size_t i = 0; i < step->input_count; i++) {
    if (l->last_use[step->inputs[i]] != l->step) continue;
    nl_rows_free(l->values[step->inputs[i]]);
    l->values[step->inputs[i]] = NULL;
  }
}

static size_t block_rows(const nl_path *path) {
  const size_t left = path->rows - path->large->row;
  return left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
}

static nl_status evaluate(nl_path *path, size_t *work, nl_error *error) {
  const nl_network *network = path->model->network;
  nl_large *l = path->large;
  if (l->values[l->step] == NULL) NL_TRY(enter_step(path, error));
  const size_t rows = block_rows(path);
  const bool reads = network->steps[l->step].kind == NL_STEP_INPUT; // nothing else does
  const double *x = reads ? nl_rows_read(path->kept, l->row, rows) : NULL;
  *work += nl_forward_rows(network, &path->parameters, l->step, l->row, rows, x, l->values, l->window, l->work);
  l->row += rows;
  if (l->row < path->rows) return NL_OK;
  leave_step(path);
  l->row = l->site = 0;
  l->stage = STAGE_GATHER;
  return NL_OK;
}

// ---- moments ------------------------------------------------------------------------------------------------------------

// Whether a consumer of the site reads this step, and whether none reads a later one.
static bool is_read(const nl_path *path, const nl_site *site, size_t step, bool *last) {
  bool read = false;
  *last = true;
  for (size_t c = 0; c < site->consumer_count; c++) {
    const size_t at = path->model->network->steps[site->consumers[c]].inputs[0];
    read = read || at == step;
    *last = *last && at <= step;
  }
  return read;
}

static nl_status gather_block(nl_path *path, size_t *work, nl_error *error) {
  nl_large *l = path->large;
  const nl_site *site = &path->model->sites.sites[l->site];
  const size_t n = site->width, rows = block_rows(path);
  const nl_network *network = path->model->network;
  if (l->moments[l->site].gram == NULL) NL_TRY(nl_moments_create_f32(&l->moments[l->site], n, NL_FORWARD_ROWS, error));
  const double *a = nl_rows_read(l->values[l->step], l->row, rows);
  for (size_t v = 0; v < rows * n; v++)
    if (!isfinite(a[v]))
      return nl_fail_span(error, NL_ERROR_NOT_FINITE, network->graph->nodes[network->steps[site->producer].node].name,
                          NULL);
  nl_moments_add(&l->moments[l->site], rows, a, l->work);
  l->row += rows;
  *work += rows * n * n / 2;
  return NL_OK;
}

// The sites that the step at hand belongs to, one after the other.
static nl_status gather(nl_path *path, size_t *work, nl_error *error) {
  nl_large *l = path->large;
  const nl_sites *sites = &path->model->sites;
  bool last = false;
  while (l->site < sites->count && !is_read(path, &sites->sites[l->site], l->step, &last)) l->site++;
  if (l->site == sites->count) {
    l->step++;
    l->row = 0;
    l->stage = STAGE_EVALUATE;
    return NL_OK;
  }
  NL_TRY(gather_block(path, work, error));
  if (l->row < path->rows) return NL_OK;
  l->row = 0;
  if (last)
    l->stage = STAGE_ELIMINATE;
  else
    l->site++;
  return NL_OK;
}

// ---- elimination --------------------------------------------------------------------------------------------------------

static nl_status start_site(nl_path *path, nl_error *error) {
  nl_large *l = path->large;
  const nl_site *site = &path->model->sites.sites[l->site];
  nl_moments *moments = &l->moments[l->site];
  const size_t n = site->width;
  double *second = moments->gram; // in its own place, as in nl_lumping_fit_finish
  nl_moments_finish(moments, site->affine, moments->sum, second);
  size_t m = 0;
  for (size_t c = 0; c < site->consumer_count; c++) m += path->parameters.layers[site->consumers[c]].width;
  double *weights = malloc((n * m + 1) * sizeof *weights), counted = 0;
  nl_status status = weights != NULL ? NL_OK : nl_no_memory(error, n * m + 1, sizeof *weights);
  if (status == NL_OK) status = nl_path_stack_consumers(path, site, second, m, weights, &counted, error);
  if (status == NL_OK) return nl_elimination_create(&l->elimination, n, second, m, weights, counted, error);
  free(weights);
  return status;
}

static nl_status eliminate(nl_path *path, size_t *work, nl_error *error) {
  nl_large *l = path->large;
  double share = 0;
  if (l->elimination == NULL) NL_TRY(start_site(path, error));
  const nl_status status = nl_elimination_step(l->elimination, &share, error);
  *work += WORK_PER_STEP;
  if (status == NL_MORE) return NL_OK;
  NL_TRY(status);
  nl_path_keep_order(path, l->site, l->elimination);
  nl_elimination_free(l->elimination);
  nl_moments_free(&l->moments[l->site++]);
  l->elimination = NULL;
  l->stage = STAGE_GATHER;
  return NL_OK;
}

nl_status nl_large_step(nl_path *path, double *progress, nl_error *error) {
  const nl_network *network = path->model->network;
  nl_large *l = path->large;
  for (size_t work = 0; l->step < network->step_count && work < WORK_PER_STEP;) {
    if (!network->steps[l->step].evaluable)
      l->step++;
    else if (l->stage == STAGE_EVALUATE)
      NL_TRY(evaluate(path, &work, error));
    else
      NL_TRY(l->stage == STAGE_GATHER ? gather(path, &work, error) : eliminate(path, &work, error));
  }
  *progress = (double)l->step / (double)network->step_count;
  return l->step < network->step_count ? NL_MORE : NL_OK;
}

// ---- results ------------------------------------------------------------------------------------------------------------

nl_status nl_large_keep(void *owner, size_t step, nl_layer *layer, nl_error *error) {
  return nl_quotient_keep(((const nl_result *)owner)->path->model->network, step, layer, error);
}

// The refit went through all rows of both networks: their outputs are there.
nl_status nl_large_measure(nl_result *result, double *progress, nl_error *error) {
  if (result->measuring == NULL) NL_TRY(nl_result_measure_known(result, error));
  return nl_deviation_step(result->measuring, progress, error);
}

nl_status nl_model_need_memory(const nl_model *model, nl_error *error) {
  if (!nl_model_large(model)) return NL_OK;
  return nl_fail(error, NL_ERROR_UNSUPPORTED, "a model of this size",
                 "its weights stay in the file, so it can be made smaller by projected lumping and written as ONNX");
}
