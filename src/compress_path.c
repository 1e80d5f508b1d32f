#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "gram.h"
#include "decimal.h"

enum { WORK_PER_STEP = 20000000, ANSWERS_MOST = 1 << 20 }; // multiplications; numbers: 8 MB
// Deviations this small are rounding: at ε = 0 such units go too.
static const double rounding = 1e-7;

// ---- life ---------------------------------------------------------------------------------------------------------------

static nl_status take_sites(nl_path *path, nl_error *error) {
  const nl_sites *sites = &path->model->sites;
  NL_TAKE(&path->arena, path->sites, nl_site_path, sites->count, error);
  for (size_t i = 0; i < sites->count; i++) {
    const size_t n = sites->sites[i].width;
    const bool large = nl_model_large(path->model);
    if (!large) NL_TAKE(&path->arena, path->sites[i].mean, double, n, error);
    NL_TAKE(&path->arena, path->sites[i].order, size_t, n, error);
    NL_TAKE(&path->arena, path->sites[i].deviation, double, n, error);
    if (!large && !path->helps) NL_TAKE(&path->arena, path->sites[i].second, double, n *n, error);
  }
  return NL_OK;
}

static nl_status take_moments(nl_path *path, nl_error *error) {
  const nl_sites *sites = &path->model->sites;
  size_t widest = 0;
  for (size_t i = 0; i < sites->count; i++)
    if (sites->sites[i].width > widest) widest = sites->sites[i].width;
  NL_TRY(nl_moments_create(&path->part, widest, NL_FORWARD_ROWS, error));
  if (path->helps) return NL_OK;
  NL_TAKE(&path->arena, path->moments, nl_moments, sites->count, error);
  for (size_t i = 0; i < sites->count; i++)
    NL_TRY(nl_moments_create(&path->moments[i], sites->sites[i].width, 0, error));
  return NL_OK;
}

// What the core's own engine works with.
static nl_status take_work(nl_path *path, nl_error *error) {
  const nl_network *network = path->model->network;
  NL_TAKE(&path->arena, path->outputs, nl_variance, network->results + 1, error);
  if (path->rows > 0 && network->results <= ANSWERS_MOST / path->rows)
    NL_TAKE(&path->arena, path->answers.values, double, path->rows * network->results, error);
  NL_TRY(take_moments(path, error));
  NL_TRY(nl_sensitivity_create(&path->sensitivity, network, &path->model->sites, &path->parameters, path->seed, error));
  return nl_scratch_create(&path->scratch, network, &path->parameters, NL_FORWARD_ROWS, error);
}

static nl_status build_path(nl_path *path, const nl_path_options *options, nl_error *error) {
  const nl_network *network = path->model->network;
  const bool runs = path->model->engine == NL_ENGINE_RUNTIME;
  path->features = runs ? options->features : network->features;
  if (path->features == 0)
    return nl_fail(error, NL_ERROR_ARGUMENT, "features", "the sizes of the inputs are not known");
  const bool large = nl_model_large(path->model);
  if (!runs)
    NL_TRY(large ? nl_parameters_load_apart(&path->parameters, network, error)
                 : nl_parameters_load(&path->parameters, network, error));
  NL_TRY(nl_path_measure(path, options, error));
  NL_TRY(take_sites(path, error));
  if (runs) return nl_tapped_create(path, error);
  if (large) {
    path->apart = &path->parameters;
    return nl_large_create(path, error);
  }
  return take_work(path, error);
}

static nl_status build_helper(nl_path *path, uint64_t seed, nl_error *error) {
  path->helps = true;
  path->seed = seed;
  NL_TRY(nl_model_need_forward(path->model, error));
  NL_TRY(nl_parameters_load(&path->parameters, path->model->network, error));
  NL_TRY(take_sites(path, error));
  return take_work(path, error);
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

// `options` NULL: one that helps.
static nl_status create(nl_path **out, const nl_model *model, const nl_path_options *options, uint64_t seed,
                        nl_error *error) {
  if (model->network == NULL) return nl_fail_span(error, NL_ERROR_EXTERNAL, nl_model_missing_file(model), NULL);
  if (model->sites.count == 0) return no_site(model, error);
  nl_path *path = calloc(1, sizeof *path);
  if (path == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *path, 0);
  path->model = model;
  path->stock = calloc(1, sizeof *path->stock);
  nl_status status = path->stock != NULL ? NL_OK : nl_no_memory(error, 1, sizeof *path->stock);
  if (status == NL_OK) status = options != NULL ? build_path(path, options, error) : build_helper(path, seed, error);
  if (status != NL_OK)
    nl_path_free(path);
  else
    *out = path;
  return status;
}

nl_status nl_path_create(nl_path **out, const nl_model *model, const nl_path_options *options, nl_error *error) {
  return create(out, model, options, 0, error);
}

nl_status nl_path_create_helper(nl_path **out, const nl_model *model, uint64_t seed, nl_error *error) {
  return create(out, model, NULL, seed, error);
}

static void drop_work(nl_path *path) {
  for (size_t i = 0; path->moments != NULL && i < path->model->sites.count; i++) nl_moments_free(&path->moments[i]);
  nl_moments_free(&path->part);
  nl_scratch_free(&path->scratch);
  nl_elimination_free(path->elimination);
  nl_tapped_free(path->tapped);
  path->tapped = NULL;
  nl_large_free(path);
  nl_run_end(&path->run);
  nl_sensitivity_free(path->sensitivity);
  nl_refit_helper_free(path->refit);
  path->refit = NULL;
  path->elimination = NULL;
  path->sensitivity = NULL;
}

void nl_path_free(nl_path *path) {
  if (path == NULL) return;
  drop_work(path);
  nl_stock_free(path->stock);
  nl_calibration_free(path->calibration);
  nl_parameters_free(&path->parameters);
  nl_arena_free(&path->borrowed);
  nl_arena_free(&path->drawn);
  nl_rows_free(path->kept);
  nl_arena_free(&path->arena);
  free(path);
}

// ---- elimination -------------------------------------------------------------------------------------------------------

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
  path->stage = NL_PATH_DONE;
  return NL_OK;
}

// ---- steps --------------------------------------------------------------------------------------------------------------

static nl_status eliminate(nl_path *path, double *share, nl_error *error) {
  if (path->elimination == NULL) NL_TRY(nl_path_start_site(path, error));
  const nl_status status = nl_elimination_step(path->elimination, share, error);
  if (status == NL_MORE) return NL_OK;
  NL_TRY(status);
  nl_path_keep_order(path, path->site, path->elimination);
  *share = 0;
  return nl_path_leave_site(path, error);
}

nl_status nl_path_leave_site(nl_path *path, nl_error *error) {
  nl_elimination_free(path->elimination);
  path->elimination = NULL;
  path->site++;
  return path->site == path->model->sites.count ? merge_sites(path, error) : NL_OK;
}

static nl_status gather(nl_path *path, nl_error *error) {
  for (double work = 0; path->row < path->rows && work < WORK_PER_STEP;) {
    work += nl_path_block_work(path, path->row);
    NL_TRY(nl_path_gather_block(path, error));
  }
  return NL_OK;
}

nl_status nl_path_step(nl_path *path, double *progress, nl_error *error) {
  double share = 0;
  const bool runs = path->model->engine == NL_ENGINE_RUNTIME;
  if ((runs || path->large != NULL) && path->stage != NL_PATH_DONE) {
    NL_TRY(runs ? nl_tapped_step(path, progress, error) : nl_large_step(path, progress, error));
    *progress = 1;
    return merge_sites(path, error);
  }
  if (path->stage == NL_PATH_MOMENTS)
    NL_TRY(gather(path, error));
  else if (path->stage == NL_PATH_ELIMINATE)
    NL_TRY(eliminate(path, &share, error));
  *progress = nl_path_progress(path, share);
  return path->stage == NL_PATH_DONE ? NL_OK : NL_MORE;
}

nl_run *nl_path_run(nl_path *path) { return nl_run_waits(&path->run) ? &path->run : NULL; }

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
  if (k == n || at->second == NULL) return NL_OK; // the refit finds them then
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

nl_status nl_path_need_done(const nl_path *path, nl_error *error) {
  return path->stage == NL_PATH_DONE ? NL_OK : nl_fail(error, NL_ERROR_ARGUMENT, "path", "it is not complete yet");
}

nl_status nl_path_choose(const nl_path *path, nl_target target, nl_choice *choice, size_t *widths, nl_error *error) {
  const nl_model *model = path->model;
  NL_TRY(nl_path_need_done(path, error));
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
  const size_t sites = path->stage == NL_PATH_DONE ? path->model->sites.count : 0;
  for (size_t i = 0; fine && i < sites; i++) fine = add_site(array, path, i);
  return nl_report_print(root, fine, json, error);
}
