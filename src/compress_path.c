#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "gram.h"
#include "json_decimal.h"
#include "kernels/kernels.h"

enum { WORK_PER_STEP = 20000000, ROWS_SENSITIVITY = 1024, PROBES_ABOUT = 8 };
// Deviations this small are rounding: at ε = 0 such units go too.
static const double rounding = 1e-7;

enum { STAGE_MOMENTS, STAGE_ELIMINATE, STAGE_DONE };

// ---- life ---------------------------------------------------------------------------------------------------------------

// The activations a consumer reads of a site.
static size_t read_step(const nl_network *network, size_t consumer) { return network->steps[consumer].inputs[0]; }

static bool first_reader(const nl_network *network, const nl_site *site, size_t c) {
  for (size_t earlier = 0; earlier < c; earlier++)
    if (read_step(network, site->consumers[earlier]) == read_step(network, site->consumers[c])) return false;
  return true;
}

static nl_status take_sites(nl_path *path, nl_error *error) {
  const nl_sites *sites = &path->model->sites;
  NL_TAKE(&path->arena, path->sites, nl_site_path, sites->count, error);
  for (size_t i = 0; i < sites->count; i++) {
    const size_t n = sites->sites[i].width;
    NL_TAKE(&path->arena, path->sites[i].second, double, n *n, error);
    NL_TAKE(&path->arena, path->sites[i].mean, double, n, error);
    NL_TAKE(&path->arena, path->sites[i].order, size_t, n, error);
    NL_TAKE(&path->arena, path->sites[i].deviation, double, n, error);
  }
  return NL_OK;
}

static nl_status take_moments(nl_path *path, nl_error *error) {
  const nl_sites *sites = &path->model->sites;
  NL_TAKE(&path->arena, path->moments, nl_moments, sites->count, error);
  for (size_t i = 0; i < sites->count; i++)
    NL_TRY(nl_moments_create(&path->moments[i], sites->sites[i].width, NL_FORWARD_ROWS, error));
  return NL_OK;
}

static nl_status take_outputs(nl_path *path, nl_error *error) {
  const nl_network *network = path->model->network;
  NL_TAKE(&path->arena, path->outputs, nl_variance, network->results + 1, error);
  return nl_sensitivity_create(&path->sensitivity, network, &path->model->sites, &path->parameters, path->seed, error);
}

static nl_status build_path(nl_path *path, const nl_path_options *options, nl_error *error) {
  const nl_network *network = path->model->network;
  const bool runs = path->model->engine == NL_ENGINE_RUNTIME;
  path->features = runs ? options->features : network->features;
  if (path->features == 0)
    return nl_fail(error, NL_ERROR_ARGUMENT, "features", "the sizes of the inputs are not known");
  if (!runs) NL_TRY(nl_parameters_load(&path->parameters, network, error));
  NL_TRY(nl_path_measure(path, options, error));
  NL_TRY(take_sites(path, error));
  if (runs) return nl_tapped_create(path, error);
  NL_TRY(take_moments(path, error));
  NL_TRY(take_outputs(path, error));
  return nl_scratch_create(&path->scratch, network, &path->parameters, NL_FORWARD_ROWS, error);
}

static bool is_dense(const nl_network *network, size_t node) {
  for (size_t s = 0; s < network->step_count; s++)
    if (network->steps[s].kind == NL_STEP_DENSE && network->steps[s].node == node) return true;
  return false;
}

// Of the layers that stay whole the first whose reason is not that it is the output.
static nl_status no_site(const nl_model *model, nl_error *error) {
  nl_buffer text = {0};
  const nl_network *network = model->network;
  nl_reason reason = NL_REASON_NONE;
  size_t node = NL_NONE, layers = 0;
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_group *group = &network->groups[network->group_of[s]];
    if (network->steps[s].kind != NL_STEP_DENSE) continue;
    layers++;
    if (reason != NL_REASON_NONE && reason != NL_REASON_OUTPUT) continue;
    reason = group->reason;
    node = group->reason_node;
  }
  for (size_t i = 0; i < network->graph->node_count && (layers == 0 || reason == NL_REASON_OUTPUT); i++) {
    const nl_reason other = nl_layer_reason(network->graph, &network->graph->nodes[i]);
    if (other == NL_REASON_NONE || is_dense(network, i)) continue;
    reason = other;
    layers++;
  }
  if (reason == NL_REASON_NONE) return nl_fail(error, NL_ERROR_NO_SITE, NULL, "The model has no layer with weights");
  if (nl_reason_sentence(network->graph, reason, node, &text, NULL) == NL_OK) nl_buffer_append(&text, "", 1, NULL);
  const nl_status status = nl_fail(error, NL_ERROR_NO_SITE, NULL, (const char *)text.bytes);
  nl_buffer_free(&text);
  return status;
}

nl_status nl_path_create(nl_path **out, const nl_model *model, const nl_path_options *options, nl_error *error) {
  if (model->network == NULL) return nl_fail_span(error, NL_ERROR_EXTERNAL, nl_model_missing_file(model), NULL);
  if (model->sites.count == 0) return no_site(model, error);
  nl_path *path = calloc(1, sizeof *path);
  if (path == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *path, 0);
  path->model = model;
  path->stock = calloc(1, sizeof *path->stock);
  const nl_status status =
      path->stock != NULL ? build_path(path, options, error) : nl_no_memory(error, 1, sizeof *path->stock);
  if (status != NL_OK)
    nl_path_free(path);
  else
    *out = path;
  return status;
}

static void drop_work(nl_path *path) {
  for (size_t i = 0; path->moments != NULL && i < path->model->sites.count; i++) nl_moments_free(&path->moments[i]);
  nl_scratch_free(&path->scratch);
  nl_elimination_free(path->elimination);
  nl_tapped_free(path->tapped);
  path->tapped = NULL;
  nl_run_end(&path->run);
  nl_sensitivity_free(path->sensitivity);
  path->elimination = NULL;
  path->sensitivity = NULL;
}

void nl_path_free(nl_path *path) {
  if (path == NULL) return;
  drop_work(path);
  nl_stock_free(path->stock);
  nl_calibration_free(path->calibration);
  nl_parameters_free(&path->parameters);
  nl_arena_free(&path->arena);
  free(path);
}

// ---- moments ------------------------------------------------------------------------------------------------------------

static nl_status gather_block(nl_path *path, size_t *work, nl_error *error) {
  const nl_model *model = path->model;
  const nl_network *network = model->network;
  const size_t left = path->rows - path->row, rows = left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
  nl_forward_all(network, &path->parameters, &path->scratch, rows, path->x + path->row * network->features);
  for (size_t i = 0; i < model->sites.count; i++) {
    const nl_site *site = &model->sites.sites[i];
    for (size_t c = 0; c < site->consumer_count; c++) {
      if (!first_reader(network, site, c)) continue;
      const double *a = path->scratch.values[read_step(network, site->consumers[c])];
      for (size_t v = 0; v < rows * site->width; v++)
        if (!isfinite(a[v]))
          return nl_fail_span(error, NL_ERROR_NOT_FINITE,
                              network->graph->nodes[network->steps[site->producer].node].name, NULL);
      nl_moments_add(&path->moments[i], rows, a, path->scratch.work);
    }
    *work += rows * site->width * site->width;
  }
  nl_outputs_add(path->outputs, network, &path->scratch, rows);
  if (nl_sensitivity_rows(path->sensitivity) < ROWS_SENSITIVITY) {
    nl_sensitivity_add(path->sensitivity, &path->scratch, rows);
    *work += PROBES_ABOUT * rows * network->parameters;
  }
  path->row += rows;
  *work += rows * network->parameters;
  return NL_OK;
}

// ---- elimination --------------------------------------------------------------------------------------------------------

// Variance (or mean square) of what a consumer computes: sum over its outputs of w C wᵀ.
static double consumer_power(size_t n, const double *second, const nl_layer *layer) {
  double power = 0;
  for (size_t o = 0; o < layer->width; o++) {
    const double *w = layer->weights + o * n;
    for (size_t i = 0; i < n; i++) power += w[i] * nl_dot_f64(n, second + i * n, w);
  }
  return power;
}

// Consumers side by side, each divided by the spread of what it computes where that is asked for. Returns how many
// compute anything.
static double stack_consumers(const nl_path *path, const nl_site *site, const double *second, bool spread, size_t m,
                              double *weights) {
  const size_t n = site->width;
  size_t column = 0;
  double counted = 0;
  for (size_t c = 0; c < site->consumer_count; c++) {
    const nl_layer *layer = &path->parameters.layers[site->consumers[c]];
    const double power = consumer_power(n, second, layer);
    const double by = !spread ? 1.0 : power > 0 ? 1.0 / sqrt(power) : 0.0;
    counted += power > 0;
    for (size_t o = 0; o < layer->width; o++, column++)
      for (size_t j = 0; j < n; j++) weights[j * m + column] = by * layer->weights[o * n + j];
  }
  return counted;
}

// What the elimination counts: errors of the model's output over its variance, to first order; where the outputs say
// nothing (none depends on this site), errors of the consumers over theirs. *scale: what squared errors are divided by.
static nl_status weigh_consumers(const nl_path *path, const nl_site *site, const double *second, size_t m,
                                 double *weights, double *scale, nl_error *error) {
  bool done = false;
  *scale = nl_outputs_variance(path->outputs, path->model->network->results);
  stack_consumers(path, site, second, false, m, weights);
  if (*scale > 0 && isfinite(*scale))
    NL_TRY(nl_sensitivity_apply(path->sensitivity, path->site, site->width, m, weights, &done, error));
  if (!done) *scale = stack_consumers(path, site, second, true, m, weights);
  return NL_OK;
}

static nl_status start_site(nl_path *path, nl_error *error) {
  const nl_site *site = &path->model->sites.sites[path->site];
  nl_site_path *at = &path->sites[path->site];
  nl_moments_finish(&path->moments[path->site], site->affine, at->mean, at->second);
  nl_moments_free(&path->moments[path->site]);
  size_t m = 0;
  for (size_t c = 0; c < site->consumer_count; c++) m += path->parameters.layers[site->consumers[c]].width;
  double *weights = malloc((site->width * m + 1) * sizeof *weights);
  if (weights == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, site->width * m * sizeof *weights, 0);
  double scale;
  nl_status status = weigh_consumers(path, site, at->second, m, weights, &scale, error);
  if (status == NL_OK)
    status = nl_elimination_create(&path->elimination, site->width, at->second, m, weights, scale, error);
  free(weights);
  return status;
}

void nl_path_keep_order(nl_path *path, size_t site, const nl_elimination *elimination) {
  const size_t n = path->model->sites.sites[site].width;
  memcpy(path->sites[site].order, nl_elimination_order(elimination), n * sizeof(size_t));
  memcpy(path->sites[site].deviation, nl_elimination_deviation(elimination), n * sizeof(double));
}

static int by_deviation(const void *a, const void *b) {
  const nl_removal *x = a, *y = b;
  if (x->deviation != y->deviation) return x->deviation < y->deviation ? -1 : 1;
  return x->site < y->site ? -1 : x->site > y->site;
}

static nl_status merge_sites(nl_path *path, nl_error *error) {
  const nl_sites *sites = &path->model->sites;
  size_t count = 0;
  for (size_t i = 0; i < sites->count; i++) count += sites->sites[i].width - 1;
  NL_TAKE(&path->arena, path->removals, nl_removal, count + 1, error);
  for (size_t i = 0; i < sites->count; i++)
    for (size_t u = 0; u + 1 < sites->sites[i].width; u++)
      path->removals[path->removal_count++] = (nl_removal){i, path->sites[i].deviation[u]};
  qsort(path->removals, path->removal_count, sizeof *path->removals, by_deviation);
  drop_work(path);
  path->stage = STAGE_DONE;
  return NL_OK;
}

static nl_status eliminate(nl_path *path, double *share, nl_error *error) {
  if (path->elimination == NULL) NL_TRY(start_site(path, error));
  const nl_status status = nl_elimination_step(path->elimination, share, error);
  if (status == NL_MORE) return NL_OK;
  NL_TRY(status);
  nl_path_keep_order(path, path->site++, path->elimination);
  nl_elimination_free(path->elimination);
  path->elimination = NULL;
  *share = 0;
  return path->site == path->model->sites.count ? merge_sites(path, error) : NL_OK;
}

nl_status nl_path_step(nl_path *path, double *progress, nl_error *error) {
  size_t work = 0;
  double share = 0;
  if (path->model->engine == NL_ENGINE_RUNTIME && path->stage != STAGE_DONE) {
    NL_TRY(nl_tapped_step(path, progress, error));
    *progress = 1;
    return merge_sites(path, error);
  }
  if (path->stage == STAGE_MOMENTS) {
    while (path->row < path->rows && work < WORK_PER_STEP) NL_TRY(gather_block(path, &work, error));
    if (path->row == path->rows) path->stage = STAGE_ELIMINATE;
    *progress = 0.5 * (double)path->row / (double)path->rows;
    return NL_MORE;
  }
  if (path->stage == STAGE_ELIMINATE) NL_TRY(eliminate(path, &share, error));
  *progress = 0.5 + 0.5 * ((double)path->site + share) / (double)path->model->sites.count;
  return path->stage == STAGE_DONE ? NL_OK : NL_MORE;
}

nl_run *nl_path_run(nl_path *path) { return nl_run_waits(&path->run) ? &path->run : NULL; }

void nl_path_rows(const nl_path *path, size_t first, size_t count, double *x) {
  memcpy(x, path->x + first * path->features, count * path->features * sizeof *x);
}

// ---- lumpings -----------------------------------------------------------------------------------------------------------

static int by_number(const void *a, const void *b) {
  const size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return x < y ? -1 : x > y;
}

nl_status nl_path_select(const size_t *order, size_t n, size_t k, nl_arena *arena, nl_lumping *lumping,
                         nl_error *error) {
  size_t *kept = NULL;
  NL_TAKE(arena, kept, size_t, k, error);
  memcpy(kept, order + (n - k), k * sizeof *kept);
  qsort(kept, k, sizeof *kept, by_number);
  *lumping = (nl_lumping){.n = n, .k = k, .kept = kept};
  return NL_OK;
}

nl_status nl_path_lump(const nl_path *path, size_t site, size_t k, nl_arena *arena, nl_lumping *lumping,
                       nl_error *error) {
  const nl_site_path *at = &path->sites[site];
  const nl_site *of = &path->model->sites.sites[site];
  const size_t n = of->width;
  double *prolongation = NULL, *offset = NULL;
  NL_TRY(nl_path_select(at->order, n, k, arena, lumping, error));
  if (k == n) return NL_OK;
  NL_TAKE(arena, prolongation, double, n *k, error);
  NL_TAKE(arena, offset, double, n, error);
  lumping->prolongation = prolongation;
  lumping->offset = offset;
  return nl_project(n, at->second, at->mean, of->affine, k, lumping->kept, prolongation, offset, error);
}

// ---- choices ------------------------------------------------------------------------------------------------------------

void nl_path_widths(const nl_path *path, size_t removals, size_t *widths) {
  const nl_sites *sites = &path->model->sites;
  for (size_t i = 0; i < sites->count; i++) widths[i] = sites->sites[i].width;
  for (size_t r = 0; r < removals; r++) widths[path->removals[r].site]--;
}

double nl_path_epsilon(const nl_path *path, const size_t *widths) {
  double epsilon = 0;
  for (size_t i = 0; i < path->model->sites.count; i++) {
    const size_t gone = path->model->sites.sites[i].width - widths[i];
    if (gone > 0) epsilon = fmax(epsilon, path->sites[i].deviation[gone - 1]);
  }
  return epsilon;
}

// Every site goes as far as its deviation stays within the tolerance.
void nl_path_within(const nl_path *path, double epsilon, size_t *widths) {
  for (size_t i = 0; i < path->model->sites.count; i++) {
    const size_t n = path->model->sites.sites[i].width;
    size_t gone = 0;
    while (gone + 1 < n && path->sites[i].deviation[gone] <= fmax(epsilon, rounding)) gone++;
    widths[i] = n - gone;
  }
}

// Gives units back, dearest first, as long as the parameters stay within `most`.
static void fill_up(const nl_path *path, size_t most, size_t *widths) {
  const nl_sites *sites = &path->model->sites;
  for (;;) {
    size_t best = sites->count;
    double dearest = 0;
    for (size_t i = 0; i < sites->count; i++) {
      const size_t gone = sites->sites[i].width - widths[i];
      if (gone == 0 || path->sites[i].deviation[gone - 1] <= dearest) continue;
      widths[i]++;
      const bool fits = nl_model_count(path->model, widths) <= most;
      widths[i]--;
      if (!fits) continue;
      dearest = path->sites[i].deviation[gone - 1];
      best = i;
    }
    if (best == sites->count) return;
    widths[best]++;
  }
}

nl_status nl_path_unreachable(const nl_model *model, size_t least, nl_error *error) {
  nl_buffer text = {0};
  const double percent = ceil(1e4 * (double)least / (double)nl_model_parameters(model)) / 100;
  static const char before[] = "The smallest network keeps ", after[] = " % of the parameters";
  nl_status status = nl_buffer_append(&text, before, sizeof before - 1, NULL);
  if (status == NL_OK) status = nl_decimal_append(&text, percent, NULL);
  if (status == NL_OK) status = nl_buffer_append(&text, after, sizeof after, NULL);
  status = nl_fail(error, NL_ERROR_UNREACHABLE, NULL, status == NL_OK ? (const char *)text.bytes : NULL);
  nl_buffer_free(&text);
  return status;
}

static nl_status choose_share(const nl_path *path, double share, size_t *widths, nl_error *error) {
  const nl_model *model = path->model;
  const size_t most = (size_t)floor(share * (double)nl_model_parameters(model) + 1e-9);
  size_t low = 0, high = path->removal_count; // parameters fall with every removal
  nl_path_widths(path, high, widths);
  const size_t least = nl_model_count(model, widths);
  if (least > most) return nl_path_unreachable(model, least, error);
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    nl_path_widths(path, middle, widths);
    if (nl_model_count(model, widths) <= most)
      high = middle;
    else
      low = middle + 1;
  }
  nl_path_widths(path, low, widths);
  if (low > 0) fill_up(path, most, widths);
  return NL_OK;
}

nl_status nl_path_choose(const nl_path *path, nl_target target, nl_choice *choice, size_t *widths, nl_error *error) {
  const nl_model *model = path->model;
  if (path->stage != STAGE_DONE) return nl_fail(error, NL_ERROR_ARGUMENT, "path", "it is not complete yet");
  if (!(target.value >= 0)) return nl_fail(error, NL_ERROR_ARGUMENT, "target", "a number of at least 0 is needed");
  size_t *chosen = widths != NULL ? widths : malloc((model->sites.count + 1) * sizeof *chosen);
  if (chosen == NULL) return nl_no_memory(error, model->sites.count + 1, sizeof *chosen);
  nl_status status = NL_OK;
  if (target.kind == NL_TARGET_RETAIN)
    status = choose_share(path, target.value, chosen, error);
  else
    nl_path_within(path, target.value, chosen);
  if (status == NL_OK) {
    choice->epsilon = target.kind == NL_TARGET_EPSILON ? target.value : nl_path_epsilon(path, chosen);
    choice->parameters = nl_model_count(model, chosen);
    choice->retained = (double)choice->parameters / (double)nl_model_parameters(model);
  }
  if (widths == NULL) free(chosen);
  return status;
}

// ---- description --------------------------------------------------------------------------------------------------------

static bool add_site(cJSON *array, const nl_path *path, size_t index) {
  const nl_site *site = &path->model->sites.sites[index];
  cJSON *object = cJSON_CreateObject();
  if (object == NULL || !cJSON_AddItemToArray(array, object)) return false;
  bool fine = nl_report_node(object, "name", path->model->graph, nl_model_producer(path->model, index)) &&
              nl_report_number(object, "width", (double)site->width);
  cJSON *order = fine ? cJSON_AddArrayToObject(object, "order") : NULL;
  cJSON *deviation = order != NULL ? cJSON_AddArrayToObject(object, "deviation") : NULL;
  fine = deviation != NULL;
  for (size_t u = 0; fine && u + 1 < site->width; u++)
    fine = cJSON_AddItemToArray(order, cJSON_CreateNumber((double)path->sites[index].order[u])) &&
           cJSON_AddItemToArray(deviation, cJSON_CreateNumber(path->sites[index].deviation[u]));
  return fine;
}

bool nl_path_report_measure(const nl_path *path, cJSON *root) {
  cJSON *measure = cJSON_AddObjectToObject(root, "measure");
  return measure != NULL && cJSON_AddStringToObject(measure, "kind", path->measure) != NULL &&
         nl_report_number(measure, "rows", (double)path->scored_rows) &&
         nl_report_number(root, "seed", (double)path->seed);
}

nl_status nl_path_describe(const nl_path *path, nl_buffer *json, nl_error *error) {
  cJSON *root = cJSON_CreateObject();
  bool fine = root != NULL && nl_path_report_measure(path, root);
  cJSON *array = fine ? cJSON_AddArrayToObject(root, "sites") : NULL;
  fine = array != NULL;
  for (size_t i = 0; fine && i < path->model->sites.count; i++) fine = add_site(array, path, i);
  return nl_report_print(root, fine, json, error);
}
