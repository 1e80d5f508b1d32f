// What each method makes of a size or a tolerance: the lumpings of all sites, or pruned weights.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"

// Sizes of the methods that have no natural ones: tolerances from the loosest down by nine decades; shares of the units.
enum { TOLERANCES = 65536, SHARES = 1024, WORK_PER_STEP = 20000000 };
static const double decades = 9;

const char *const nl_method_names[NL_METHOD_COUNT] = {"projected",        "partition",  "adjoint", "symmetric",
                                                      "forward",          "polynomial", "norm",    "magnitude",
                                                      "magnitude-global", "wanda",      "random"};

bool nl_method_partitions(nl_method method) { return method >= NL_METHOD_PARTITION && method <= NL_METHOD_POLYNOMIAL; }
bool nl_method_prunes(nl_method method) { return method >= NL_METHOD_MAGNITUDE && method <= NL_METHOD_WANDA; }
bool nl_method_knows_tolerance(nl_method method) { return !nl_method_prunes(method) && method != NL_METHOD_NORM; }
bool nl_method_wants_order(nl_method method) { return method == NL_METHOD_PROJECTED || method == NL_METHOD_RANDOM; }
bool nl_method_fits(nl_method method) { return method == NL_METHOD_PROJECTED || method == NL_METHOD_PARTITION; }

static const nl_sites *sites_of(const nl_result *result) { return &result->path->model->sites; }

// ---- stock --------------------------------------------------------------------------------------------------------------

void nl_stock_free(nl_stock *stock) {
  if (stock == NULL) return;
  for (size_t m = 0; m < NL_METHOD_COUNT; m++) nl_partitioner_free(stock->partitioners[m]);
  if (stock->has_chain) nl_chain_free(&stock->chain);
  nl_prune_norms_free(&stock->norms);
  nl_scratch_free(&stock->scratch);
  free(stock);
}

static nl_status need_chain(const nl_path *path, nl_error *error) {
  nl_stock *stock = path->stock;
  if (stock->has_chain) return NL_OK;
  NL_TRY(nl_chain_create(&stock->chain, path->model->network, &path->model->sites, &path->parameters, error));
  stock->has_chain = true;
  return NL_OK;
}

static nl_partition_options partition_options(const nl_result_options *options) {
  const nl_method method = options->method;
  return (nl_partition_options){
      .encoding = method == NL_METHOD_FORWARD      ? NL_ENCODING_LINEAR
                  : method == NL_METHOD_POLYNOMIAL ? NL_ENCODING_POLYNOMIAL
                                                   : NL_ENCODING_ADJOINT,
      .equivalence = NL_EQUIVALENCE_FORWARD,
      .linkage = options->linkage,
      .degree = options->degree,
      .symmetric = method == NL_METHOD_SYMMETRIC,
  };
}

static nl_status need_partitioner(const nl_result *result, nl_error *error) {
  const nl_path *path = result->path;
  nl_stock *stock = path->stock;
  const nl_method method = result->options.method;
  const nl_partition_options options = partition_options(&result->options), *made = &stock->options[method];
  NL_TRY(need_chain(path, error));
  if (stock->partitioners[method] != NULL && made->linkage == options.linkage && made->degree == options.degree)
    return NL_OK;
  nl_partitioner_free(stock->partitioners[method]);
  stock->partitioners[method] = NULL;
  stock->loosest[method] = 0;
  stock->known_count[method] = 0;
  NL_TRY(nl_partitioner_create(&stock->partitioners[method], &stock->chain, &options, error));
  stock->options[method] = options;
  return NL_OK;
}

static nl_status need_norms(const nl_path *path, nl_error *error) {
  nl_stock *stock = path->stock;
  const nl_network *network = path->model->network;
  if (stock->has_norms) return NL_OK;
  if (stock->norms.norms == NULL) {
    NL_TRY(nl_scratch_create(&stock->scratch, network, &path->parameters, NL_FORWARD_ROWS, error));
    NL_TRY(nl_prune_norms_create(&stock->norms, network, error));
  }
  for (size_t work = 0; stock->norms.rows < path->rows && work < WORK_PER_STEP;) {
    const size_t row = stock->norms.rows, left = path->rows - row;
    const size_t rows = left < NL_FORWARD_ROWS ? left : NL_FORWARD_ROWS;
    nl_forward_all(network, &path->parameters, &stock->scratch, rows, path->x + row * network->features);
    nl_prune_norms_add(&stock->norms, network, &stock->scratch, rows);
    work += rows * (network->parameters + 1);
  }
  if (stock->norms.rows < path->rows) return NL_MORE;
  nl_prune_norms_finish(&stock->norms, network);
  nl_scratch_free(&stock->scratch);
  stock->has_norms = true;
  return NL_OK;
}

// ---- lumpings -----------------------------------------------------------------------------------------------------------

// Selects the k units of a site that go last.
static nl_status select_units(nl_result *result, size_t index, const size_t *order, nl_error *error) {
  return nl_path_select(order, sites_of(result)->sites[index].width, result->widths[index], &result->arena,
                        &result->lumpings[index], error);
}

static nl_status take_prolongation(nl_result *result, size_t index, double **prolongation, double **offset,
                                   nl_error *error) {
  nl_lumping *lumping = &result->lumpings[index];
  NL_TAKE(&result->arena, *prolongation, double, lumping->n * lumping->k, error);
  NL_TAKE(&result->arena, *offset, double, lumping->n, error);
  lumping->prolongation = *prolongation;
  lumping->offset = *offset;
  return NL_OK;
}

// Units by rising norm of what they read.
static nl_status order_by_norm(const nl_path *path, size_t index, size_t *order, nl_error *error) {
  const nl_model *model = path->model;
  const size_t n = model->sites.sites[index].width;
  if (model->engine == NL_ENGINE_FORWARD)
    return nl_prune_unit_order(model->network, &model->sites.sites[index], &path->parameters, order, error);
  double *norms = malloc((n + 1) * sizeof *norms);
  if (norms == NULL) return nl_no_memory(error, n + 1, sizeof *norms);
  const nl_status status = nl_tapped_norms(model, index, norms, error);
  for (size_t i = 0; status == NL_OK && i < n; i++) {
    size_t at = i; // insertion: the lower number first among equals
    for (; at > 0 && norms[order[at - 1]] > norms[i]; at--) order[at] = order[at - 1];
    order[at] = i;
  }
  free(norms);
  return status;
}

// Nothing takes over what the units that go did.
static nl_status lump_norm(nl_result *result, size_t index, nl_error *error) {
  const nl_path *path = result->path;
  double *prolongation = NULL, *offset = NULL;
  size_t *order = NULL;
  NL_TAKE(&result->arena, order, size_t, sites_of(result)->sites[index].width, error);
  NL_TRY(order_by_norm(path, index, order, error));
  NL_TRY(select_units(result, index, order, error));
  NL_TRY(take_prolongation(result, index, &prolongation, &offset, error));
  for (size_t i = 0; i < result->lumpings[index].k; i++)
    prolongation[result->lumpings[index].kept[i] * result->lumpings[index].k + i] = 1;
  return NL_OK;
}

static nl_quotient_kind quotient_kind(nl_method method) {
  if (method == NL_METHOD_FORWARD || method == NL_METHOD_POLYNOMIAL) return NL_QUOTIENT_FORWARD;
  return method == NL_METHOD_SYMMETRIC ? NL_QUOTIENT_REPRESENTATIVE : NL_QUOTIENT_MEANS;
}

static nl_status lump_whole(nl_result *result, size_t index, nl_error *error) {
  const size_t n = sites_of(result)->sites[index].width;
  size_t *order = NULL;
  NL_TAKE(&result->arena, order, size_t, n, error);
  for (size_t i = 0; i < n; i++) order[i] = i;
  result->widths[index] = n;
  return select_units(result, index, order, error);
}

static nl_status lump_partition(nl_result *result, const nl_partition *partition, nl_error *error) {
  const nl_chain *chain = &result->path->stock->chain;
  for (size_t i = 0; i < sites_of(result)->count; i++) NL_TRY(lump_whole(result, i, error));
  for (size_t l = 0; l + 1 < chain->count; l++) {
    const size_t site = chain->layers[l].site;
    if (site == NL_NONE || partition->blocks[l] == chain->layers[l].width) continue;
    const nl_layer_blocks blocks = {.block_of = partition->block_of[l],
                                    .blocks = partition->blocks[l],
                                    .scale = partition->scale != NULL ? partition->scale[l] : NULL,
                                    .constant = partition->constant != NULL ? partition->constant[l] : NULL,
                                    .bound = !sites_of(result)->sites[site].affine};
    NL_TRY(nl_lumping_of_partition(&result->lumpings[site], &result->arena, quotient_kind(result->options.method),
                                   &chain->layers[l], &blocks, error));
    result->widths[site] = result->lumpings[site].k;
  }
  return NL_OK;
}

// ---- candidates ---------------------------------------------------------------------------------------------------------

void nl_method_drop(nl_result *result) {
  nl_refit_free(result->refit);
  result->refit = NULL;
  nl_fitted_free(result->linears);
  result->linears = NULL;
  nl_run_end(&result->run);
  nl_parameters_free(&result->pruned);
  nl_arena_free(&result->arena);
  result->lumpings = NULL;
}

static nl_status start_candidate(nl_result *result, nl_error *error) {
  nl_method_drop(result);
  NL_TAKE(&result->arena, result->lumpings, nl_lumping, sites_of(result)->count, error);
  return NL_OK;
}

static nl_status take_widths(nl_result *result, nl_error *error) {
  NL_TRY(start_candidate(result, error));
  for (size_t i = 0; i < sites_of(result)->count; i++)
    NL_TRY(result->options.method == NL_METHOD_NORM
               ? lump_norm(result, i, error)
               : nl_path_lump(result->path, i, result->widths[i], &result->arena, &result->lumpings[i], error));
  return NL_OK;
}

static nl_status take_partition(nl_result *result, double epsilon, nl_error *error) {
  const nl_partition *partition = NULL;
  NL_TRY(start_candidate(result, error));
  NL_TRY(nl_partitioner_at(result->path->stock->partitioners[result->options.method], epsilon, &partition, error));
  result->epsilon = epsilon;
  return lump_partition(result, partition, error);
}

static nl_status take_pruned(nl_result *result, size_t size, nl_error *error) {
  const nl_path *path = result->path;
  const nl_network *network = path->model->network;
  const nl_method method = result->options.method;
  NL_TRY(start_candidate(result, error));
  for (size_t i = 0; i < sites_of(result)->count; i++) NL_TRY(lump_whole(result, i, error));
  return nl_prune_weights(&result->pruned, network, &path->parameters,
                          method == NL_METHOD_WANDA       ? NL_PRUNE_WANDA
                          : method == NL_METHOD_MAGNITUDE ? NL_PRUNE_MAGNITUDE
                                                          : NL_PRUNE_MAGNITUDE_GLOBAL,
                          method == NL_METHOD_WANDA ? (const double *const *)path->stock->norms.norms : NULL,
                          nl_prune_weight_count(network, &path->parameters) - size, error);
}

// The tolerance at which every layer is one block: doubled until it is. A thousand doublings reach the largest number.
static nl_status find_loosest(nl_result *result, nl_error *error) {
  nl_stock *stock = result->path->stock;
  const nl_method method = result->options.method;
  for (double epsilon = 1; stock->loosest[method] == 0 && isfinite(epsilon); epsilon *= 4) {
    const nl_partition *partition = NULL;
    NL_TRY(nl_partitioner_at(stock->partitioners[method], epsilon, &partition, error));
    size_t most = 0;
    for (size_t l = 0; l < partition->layers; l++)
      if (partition->blocks[l] > most) most = partition->blocks[l];
    if (most <= 1) stock->loosest[method] = epsilon;
  }
  return NL_OK;
}

nl_status nl_method_prepare(nl_result *result, nl_error *error) {
  const nl_method method = result->options.method;
  if (nl_method_wants_order(method) || result->path->calibration != NULL)
    NL_TRY(nl_path_need_done(result->path, error));
  if (result->target.kind == NL_TARGET_EPSILON && !nl_method_knows_tolerance(method))
    return nl_fail(error, NL_ERROR_ARGUMENT, nl_method_names[method],
                   "it knows no tolerance; give the share of the parameters to keep");
  if (result->path->model->engine == NL_ENGINE_RUNTIME && method != NL_METHOD_PROJECTED && method != NL_METHOD_NORM)
    return nl_fail(error, NL_ERROR_UNSUPPORTED, nl_method_names[method],
                   "it is there for networks of dense layers only; use projected or norm for this model");
  if (method != NL_METHOD_PROJECTED) NL_TRY(nl_model_need_memory(result->path->model, error));
  if (method == NL_METHOD_WANDA) return need_norms(result->path, error);
  if (!nl_method_partitions(method)) return NL_OK;
  NL_TRY(need_partitioner(result, error));
  return result->target.kind == NL_TARGET_EPSILON ? NL_OK : find_loosest(result, error);
}

size_t nl_method_sizes(const nl_result *result) {
  const nl_path *path = result->path;
  const nl_method method = result->options.method;
  if (nl_method_prunes(method)) return nl_prune_weight_count(path->model->network, &path->parameters);
  if (nl_method_partitions(method)) return TOLERANCES;
  return method == NL_METHOD_NORM ? SHARES : path->removal_count;
}

static void take_share(nl_result *result, size_t size) {
  for (size_t i = 0; i < sites_of(result)->count; i++) {
    const size_t n = sites_of(result)->sites[i].width;
    const double kept = round((double)n * (1 - (double)size / SHARES));
    result->widths[i] = kept < 1 ? 1 : (size_t)kept;
  }
}

nl_status nl_method_take(nl_result *result, size_t size, nl_error *error) {
  const nl_method method = result->options.method;
  if (nl_method_prunes(method)) return take_pruned(result, size, error);
  if (nl_method_partitions(method)) {
    const double by = pow(10, -decades * (1 - (double)size / TOLERANCES));
    return take_partition(result, size == 0 ? 0 : by * result->path->stock->loosest[method], error);
  }
  if (method == NL_METHOD_NORM)
    take_share(result, size);
  else {
    nl_path_widths(result->path, size, result->widths);
    result->epsilon = nl_path_epsilon(result->path, result->widths);
  }
  return take_widths(result, error);
}

nl_status nl_method_count(nl_result *result, size_t size, size_t *parameters, nl_error *error) {
  nl_stock *stock = result->path->stock;
  nl_known *known = stock->known[result->options.method];
  size_t *count = &stock->known_count[result->options.method];
  for (size_t i = 0; i < *count; i++)
    if (known[i].size == size) {
      *parameters = known[i].parameters;
      return NL_OK;
    }
  if (result->options.method == NL_METHOD_NORM) // the widths tell
    take_share(result, size);
  else
    NL_TRY(nl_method_take(result, size, error));
  *parameters = nl_method_parameters(result);
  if (*count < NL_KNOWN_SIZES) known[(*count)++] = (nl_known){size, *parameters};
  return NL_OK;
}

nl_status nl_method_take_within(nl_result *result, double epsilon, nl_error *error) {
  if (nl_method_partitions(result->options.method)) return take_partition(result, epsilon, error);
  nl_path_within(result->path, epsilon, result->widths);
  result->epsilon = epsilon;
  return take_widths(result, error);
}

nl_status nl_method_take_widths(nl_result *result, double epsilon, nl_error *error) {
  result->epsilon = epsilon;
  return take_widths(result, error);
}

nl_status nl_method_first_tolerance(nl_result *result, double *epsilon, nl_error *error) {
  const nl_path *path = result->path;
  *epsilon = INFINITY;
  for (size_t i = 0; i < sites_of(result)->count; i++) *epsilon = fmin(*epsilon, path->sites[i].deviation[0]);
  if (!nl_method_partitions(result->options.method)) return NL_OK;
  NL_TRY(find_loosest(result, error));
  size_t low = 1, high = TOLERANCES; // bisection: nothing goes below `low`, something at `high`
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    NL_TRY(nl_method_take(result, middle, error));
    if (nl_result_whole(result))
      low = middle + 1;
    else
      high = middle;
  }
  NL_TRY(nl_method_take(result, high, error));
  *epsilon = result->epsilon;
  return NL_OK;
}

size_t nl_method_parameters(const nl_result *result) {
  const nl_model *model = result->path->model;
  if (nl_method_prunes(result->options.method)) return nl_prune_nonzero(model->network, &result->pruned);
  return nl_model_count(model, result->widths);
}
