// The path of a network that the core evaluates itself, part by part: moments of what the sites do, block of rows by block, then
// the order in which a site's units go. Each part is a job (netlump.h) that another instance may do; what it has to know and
// what comes of it cross as doubles, in one order for both directions.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "crossing.h"
#include "gram.h"
#include "kernels/kernels.h"

enum { ROWS_SENSITIVITY = 1024 };
// A job begins by what it is: a block, its first row and their number; or a site and which. Or orders of a refit (compress_helpers.c).
enum { JOB_BLOCK, JOB_SITE, HEAD = 3 };

// ---- moments ------------------------------------------------------------------------------------------------------------

// The activations a consumer reads of a site.
static size_t read_step(const nl_network *network, size_t consumer) { return network->steps[consumer].inputs[0]; }

static bool first_reader(const nl_network *network, const nl_site *site, size_t c) {
  for (size_t earlier = 0; earlier < c; earlier++)
    if (read_step(network, site->consumers[earlier]) == read_step(network, site->consumers[c])) return false;
  return true;
}

// The moments of one site over the rows that the scratch was evaluated on.
static nl_status gather_site(nl_path *path, size_t index, size_t rows, nl_error *error) {
  const nl_network *network = path->model->network;
  const nl_site *site = &path->model->sites.sites[index];
  nl_moments_reset(&path->part, site->width);
  for (size_t c = 0; c < site->consumer_count; c++) {
    if (!first_reader(network, site, c)) continue;
    const double *a = path->scratch.values[read_step(network, site->consumers[c])];
    for (size_t v = 0; v < rows * site->width; v++)
      if (!isfinite(a[v]))
        return nl_fail_span(error, NL_ERROR_NOT_FINITE, network->graph->nodes[network->steps[site->producer].node].name,
                            NULL);
    nl_moments_add(&path->part, rows, a, path->scratch.work);
  }
  return NL_OK;
}

// ---- what crosses -------------------------------------------------------------------------------------------------------

static void cross_moments(nl_crossing *c, nl_moments *moments) {
  nl_cross_number(c, &moments->rows);
  nl_cross(c, moments->n, moments->center);
  nl_cross(c, moments->n, moments->sum);
  nl_cross_triangle(c, moments->n, moments->gram);
}

static void cross_outputs(nl_crossing *c, const nl_path *path, size_t rows) {
  const nl_network *network = path->model->network;
  for (size_t o = 0; o < network->output_count; o++)
    nl_cross(c, rows * network->steps[network->outputs[o]].width, path->scratch.values[network->outputs[o]]);
}

static void cross_sensitivity(nl_crossing *c, const nl_path *path) {
  for (size_t i = 0; i < path->model->sites.count; i++)
    if (nl_sensitivity_part(path->sensitivity, i) != NULL)
      nl_cross_triangle(c, nl_sensitivity_width(path->sensitivity, i), nl_sensitivity_part(path->sensitivity, i));
}

// What a site's elimination wants beyond the model.
static void cross_site(nl_crossing *c, nl_path *path, size_t site) {
  const size_t n = path->model->sites.sites[site].width;
  size_t rows = nl_sensitivity_rows(path->sensitivity);
  nl_cross(c, 1, &path->variance);
  nl_cross_number(c, &rows);
  nl_sensitivity_set_rows(path->sensitivity, rows);
  nl_cross_triangle(c, n, path->sites[site].second);
  double *whole = nl_sensitivity_whole(path->sensitivity, site);
  if (whole != NULL) nl_cross_triangle(c, nl_sensitivity_width(path->sensitivity, site), whole);
}

static void cross_order(nl_crossing *c, nl_path *path, size_t site) {
  const size_t n = path->model->sites.sites[site].width;
  for (size_t u = 0; u < n; u++) nl_cross_number(c, &path->sites[site].order[u]);
  nl_cross(c, n, path->sites[site].deviation);
}

// ---- blocks -------------------------------------------------------------------------------------------------------------

typedef enum duty { DUTY_OWN, DUTY_GIVE, DUTY_TAKE } duty;

// Gathers a block, unless it is taken as another instance gathered it; and adds it to what is there, unless it is given away.
static nl_status pass_block(nl_path *path, size_t first, size_t rows, duty its, nl_crossing *c, nl_error *error) {
  for (size_t i = 0; i < path->model->sites.count; i++) {
    path->part.n = path->model->sites.sites[i].width;
    if (its != DUTY_TAKE) NL_TRY(gather_site(path, i, rows, error));
    if (its != DUTY_OWN) cross_moments(c, &path->part);
    if (its != DUTY_GIVE) nl_moments_merge(&path->moments[i], &path->part);
  }
  if (its != DUTY_OWN) cross_outputs(c, path, rows);
  if (its != DUTY_GIVE) {
    nl_outputs_add(path->outputs, path->model->network, &path->scratch, rows);
    nl_answers_add(&path->answers, path->model->network, &path->scratch, rows);
  }
  if (first >= ROWS_SENSITIVITY) return NL_OK;
  if (its != DUTY_TAKE) nl_sensitivity_gather(path->sensitivity, &path->scratch, first, rows);
  if (its != DUTY_OWN) cross_sensitivity(c, path);
  if (its != DUTY_GIVE) nl_sensitivity_merge(path->sensitivity, rows);
  return NL_OK;
}

static size_t rows_at(const nl_path *path, size_t first) {
  return path->rows - first < NL_FORWARD_ROWS ? path->rows - first : NL_FORWARD_ROWS;
}

static void pass_rows(nl_path *path, size_t rows) {
  path->row += rows;
  if (path->row < path->rows) return;
  path->variance = nl_outputs_variance(path->outputs, path->model->network->results);
  path->stage = NL_PATH_ELIMINATE;
}

nl_status nl_path_gather_block(nl_path *path, nl_error *error) {
  const nl_network *network = path->model->network;
  const size_t rows = rows_at(path, path->row);
  nl_forward_all(network, &path->parameters, &path->scratch, rows, path->x + path->row * network->features);
  NL_TRY(pass_block(path, path->row, rows, DUTY_OWN, NULL, error));
  pass_rows(path, rows);
  return NL_OK;
}

// ---- elimination --------------------------------------------------------------------------------------------------------

// Variance (or mean square) of what a consumer computes: sum over its outputs of w C wᵀ, some rows of W C at a time.
static nl_status consumer_power(const nl_layer *layer, const double *second, double *power, nl_error *error) {
  const size_t n = layer->in_width, room = nl_matmul_f64_work(), count = room + 2 * NL_FORWARD_ROWS * n;
  double *work = malloc(count * sizeof *work);
  if (work == NULL) return nl_no_memory(error, count, sizeof *work);
  double *product = work + room, *block = product + NL_FORWARD_ROWS * n;
  *power = 0;
  for (size_t o = 0, rows; o < layer->width; o += rows) {
    rows = layer->width - o < NL_FORWARD_ROWS ? layer->width - o : NL_FORWARD_ROWS;
    const double *weights = nl_layer_rows(layer, o, rows, block);
    memset(product, 0, rows * n * sizeof *product);
    nl_matmul_f64(rows, n, n, weights, n, 1, second, n, 1, product, n, work);
    *power += nl_dot_f64(rows * n, weights, product);
  }
  free(work);
  return NL_OK;
}

static double weight_at(const nl_layer *layer, size_t i) {
  return layer->weights != NULL ? layer->weights[i] : (double)layer->single[i];
}

nl_status nl_path_stack_consumers(nl_path *path, const nl_site *site, const double *second, size_t m, double *weights,
                                  double *counted, nl_error *error) {
  const size_t n = site->width;
  size_t column = 0;
  *counted = 0;
  for (size_t c = 0; c < site->consumer_count; c++) {
    const nl_layer *layer = &path->parameters.layers[site->consumers[c]];
    double power = 1;
    NL_TRY(nl_layer_hold(&path->parameters, path->model->network, site->consumers[c], error));
    if (second != NULL) NL_TRY(consumer_power(layer, second, &power, error));
    const double by = power > 0 ? 1.0 / sqrt(power) : 0.0;
    *counted += power > 0;
    for (size_t o = 0; o < layer->width; o++, column++)
      for (size_t j = 0; j < n; j++) weights[j * m + column] = by * weight_at(layer, o * n + j);
    nl_layer_drop(&path->parameters, site->consumers[c]);
  }
  return NL_OK;
}

// What the elimination counts: errors of the model's output over its variance, to first order; where the outputs say
// nothing (none depends on this site), errors of the consumers over theirs. *scale: what squared errors are divided by.
static nl_status weigh_consumers(nl_path *path, const nl_site *site, const double *second, size_t m, double *weights,
                                 double *scale, nl_error *error) {
  bool done = false;
  NL_TRY(nl_path_stack_consumers(path, site, NULL, m, weights, scale, error));
  *scale = path->variance;
  if (*scale > 0 && isfinite(*scale))
    NL_TRY(nl_sensitivity_apply(path->sensitivity, path->site, site->width, m, weights, &done, error));
  return done ? NL_OK : nl_path_stack_consumers(path, site, second, m, weights, scale, error);
}

static void finish_site(nl_path *path, size_t site) {
  nl_moments *moments = path->moments != NULL ? &path->moments[site] : NULL;
  nl_site_path *at = &path->sites[site];
  if (moments == NULL || moments->gram == NULL) return; // done, or elsewhere
  nl_moments_finish(moments, path->model->sites.sites[site].affine, at->mean, at->second);
  nl_moments_free(moments);
}

nl_status nl_path_start_site(nl_path *path, nl_error *error) {
  const nl_site *site = &path->model->sites.sites[path->site];
  const nl_site_path *at = &path->sites[path->site];
  const size_t m = nl_sensitivity_width(path->sensitivity, path->site);
  finish_site(path, path->site);
  double *weights = malloc((site->width * m + 1) * sizeof *weights);
  if (weights == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, site->width * m * sizeof *weights, 0);
  double scale;
  const nl_status status = weigh_consumers(path, site, at->second, m, weights, &scale, error);
  if (status == NL_OK)
    return nl_elimination_create(&path->elimination, site->width, at->second, m, weights, scale, error);
  free(weights);
  return status;
}

// ---- work, counted in multiplications -----------------------------------------------------------------------------------

double nl_path_block_work(const nl_path *path, size_t first) {
  const nl_sites *sites = &path->model->sites;
  const size_t rows = rows_at(path, first);
  double work = (double)path->model->network->parameters;
  for (size_t i = 0; i < sites->count; i++) work += 0.5 * (double)sites->sites[i].width * (double)sites->sites[i].width;
  return (double)rows * work + (first < ROWS_SENSITIVITY ? nl_sensitivity_work(path->sensitivity, rows) : 0.0);
}

static double site_work(const nl_path *path, size_t site) {
  const double n = (double)path->model->sites.sites[site].width;
  return n * n * (3 * n + (double)nl_sensitivity_width(path->sensitivity, site));
}

// Of the first `jobs` jobs.
static double work_of(const nl_path *path, size_t jobs) {
  double work = 0;
  size_t job = 0;
  for (size_t first = 0; first < path->rows && job < jobs; first += NL_FORWARD_ROWS, job++)
    work += nl_path_block_work(path, first);
  for (size_t site = 0; job < jobs && site < path->model->sites.count; site++, job++) work += site_work(path, site);
  return work;
}

static size_t block_count(const nl_path *path) { return (path->rows + NL_FORWARD_ROWS - 1) / NL_FORWARD_ROWS; }

double nl_path_work(const nl_path *path) {
  return path->sensitivity != NULL ? work_of(path, block_count(path) + path->model->sites.count) : 0.0;
}

double nl_path_progress(const nl_path *path, double share) {
  size_t next, end;
  if (path->stage == NL_PATH_DONE) return 1.0;
  nl_path_jobs(path, &next, &end);
  return (work_of(path, next) + share * (work_of(path, next + 1) - work_of(path, next))) / nl_path_work(path);
}

// ---- jobs ---------------------------------------------------------------------------------------------------------------

void nl_path_jobs(const nl_path *path, size_t *next, size_t *end) {
  const size_t blocks = block_count(path);
  *next = *end = 0;
  if (path->sensitivity == NULL) return;
  *next = path->stage == NL_PATH_MOMENTS ? path->row / NL_FORWARD_ROWS : blocks + path->site;
  *end = path->stage == NL_PATH_MOMENTS ? blocks : blocks + path->model->sites.count;
}

static nl_status need_job(const nl_path *path, size_t job, nl_error *error) {
  size_t next, end;
  nl_path_jobs(path, &next, &end);
  return next <= job && job < end ? NL_OK : nl_fail(error, NL_ERROR_ARGUMENT, "job", "it is not to be done now");
}

nl_status nl_path_job_give(nl_path *path, size_t job, nl_buffer *input, nl_error *error) {
  const size_t blocks = block_count(path), features = path->features;
  NL_TRY(need_job(path, job, error));
  if (path->stage == NL_PATH_MOMENTS) {
    const double *x = path->x + job * NL_FORWARD_ROWS * features;
    const size_t rows = rows_at(path, job * NL_FORWARD_ROWS);
    const double head[HEAD] = {JOB_BLOCK, (double)(job * NL_FORWARD_ROWS), (double)rows};
    NL_TRY(nl_buffer_append(input, head, sizeof head, error));
    return nl_buffer_append(input, x, rows * features * sizeof *x, error);
  }
  const double head[HEAD] = {JOB_SITE, (double)(job - blocks)};
  finish_site(path, job - blocks);
  nl_crossing c = {0};
  cross_site(&c, path, job - blocks);
  NL_TRY(nl_buffer_append(input, NULL, (HEAD + c.count) * sizeof(double), error));
  memcpy(input->bytes, head, sizeof head);
  c = (nl_crossing){.at = (double *)(void *)input->bytes + HEAD};
  cross_site(&c, path, job - blocks);
  return NL_OK;
}

static nl_status wrong_size(nl_error *error) { return nl_fail(error, NL_ERROR_ARGUMENT, "job", "its size is wrong"); }

// Doubles that come of a block.
static size_t block_doubles(nl_path *path, size_t first, size_t rows) {
  nl_crossing c = {.in = true};
  for (size_t i = 0; i < path->model->sites.count; i++) {
    path->part.n = path->model->sites.sites[i].width;
    cross_moments(&c, &path->part);
  }
  cross_outputs(&c, path, rows);
  if (first < ROWS_SENSITIVITY) cross_sensitivity(&c, path);
  return c.count;
}

static nl_status take_block(nl_path *path, size_t job, size_t count, nl_crossing *c, nl_error *error) {
  const size_t first = job * NL_FORWARD_ROWS, rows = rows_at(path, first);
  if (count != block_doubles(path, first, rows)) return wrong_size(error);
  NL_TRY(pass_block(path, first, rows, DUTY_TAKE, c, error));
  pass_rows(path, rows);
  return NL_OK;
}

static nl_status take_site(nl_path *path, size_t count, nl_crossing *c, nl_error *error) {
  if (count != 2 * path->model->sites.sites[path->site].width) return wrong_size(error);
  finish_site(path, path->site);
  cross_order(c, path, path->site);
  return nl_path_leave_site(path, error);
}

nl_status nl_path_job_take(nl_path *path, size_t job, const double *output, size_t count, double *progress,
                           nl_error *error) {
  size_t next, end;
  NL_TRY(need_job(path, job, error));
  nl_path_jobs(path, &next, &end);
  if (job != next) return nl_fail(error, NL_ERROR_ARGUMENT, "job", "it is not the next");
  nl_elimination_free(path->elimination); // begun here meanwhile
  path->elimination = NULL;
  nl_crossing c = {.at = (double *)(uintptr_t)output, .in = true, .limit = count}; // read alone
  NL_TRY(path->stage == NL_PATH_MOMENTS ? take_block(path, job, count, &c, error) : take_site(path, count, &c, error));
  *progress = nl_path_progress(path, 0);
  return NL_OK;
}

// ---- the other side -----------------------------------------------------------------------------------------------------

static nl_status do_block(nl_path *path, const double *input, size_t count, nl_buffer *output, nl_error *error) {
  const size_t first = (size_t)input[1], rows = (size_t)input[2];
  const nl_network *network = path->model->network;
  if (rows > NL_FORWARD_ROWS || count != HEAD + rows * network->features) return wrong_size(error);
  NL_TRY(nl_buffer_append(output, NULL, block_doubles(path, first, rows) * sizeof(double), error));
  nl_crossing c = {.at = (double *)(void *)output->bytes};
  nl_forward_all(network, &path->parameters, &path->scratch, rows, input + HEAD);
  return pass_block(path, first, rows, DUTY_GIVE, &c, error);
}

static nl_status do_site(nl_path *path, const double *input, size_t count, nl_buffer *output, nl_error *error) {
  const size_t site = (size_t)input[1], n = path->model->sites.sites[site].width;
  double share;
  nl_arena_free(&path->borrowed);
  NL_TAKE(&path->borrowed, path->sites[site].second, double, n *n, error);
  nl_crossing c = {.in = true};
  cross_site(&c, path, site);
  if (count != HEAD + c.count) return wrong_size(error);
  c = (nl_crossing){.at = (double *)(uintptr_t)(input + HEAD), .in = true, .limit = c.count}; // read alone
  cross_site(&c, path, site);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < i; j++) path->sites[site].second[i * n + j] = path->sites[site].second[j * n + i];
  nl_elimination_free(path->elimination);
  path->elimination = NULL;
  path->site = site;
  NL_TRY(nl_path_start_site(path, error));
  nl_status status;
  while ((status = nl_elimination_step(path->elimination, &share, error)) == NL_MORE) continue;
  NL_TRY(status);
  nl_path_keep_order(path, site, path->elimination);
  NL_TRY(nl_buffer_append(output, NULL, 2 * n * sizeof(double), error));
  c = (nl_crossing){.at = (double *)(void *)output->bytes};
  cross_order(&c, path, site);
  return NL_OK;
}

nl_status nl_path_job_do(nl_path *path, const double *input, size_t count, nl_buffer *output, nl_error *error) {
  if (!path->helps) return nl_fail(error, NL_ERROR_ARGUMENT, "path", "it is no helper");
  if (count > 0 && input[0] == NL_JOB_REFIT) return nl_helper_refit(path, input, count, output, error);
  if (count < HEAD) return wrong_size(error);
  if (input[0] == JOB_BLOCK) return do_block(path, input, count, output, error);
  if (!(input[1] < (double)path->model->sites.count)) return wrong_size(error);
  return do_site(path, input, count, output, error);
}
