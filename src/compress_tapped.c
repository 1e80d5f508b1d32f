// The path of a model that a runtime runs: moments of what linears read, the order in which units go, and how much of what
// goes reaches the outputs.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "gram.h"
#include "kernels/kernels.h"
#include "linear_blocks.h"

enum {
  SAMPLES_LEAST = 8192, // positions a site's moments are taken from
  SAMPLES_PER_UNIT = 4,
  BLOCK_ROWS = 256,
  PROBE_ROWS = 16
};
// A probe removes units up to this deviation of what the consumers compute.
static const double probe_deviation = 0.1;
// An effect on the outputs counts as at least this share of the effect on the consumers, so that no site is free.
static const double effect_least = 1e-3;

typedef enum stage { STAGE_CALIBRATE, STAGE_MOMENTS, STAGE_ELIMINATE, STAGE_PROBE, STAGE_DONE } stage;

struct nl_tapped {
  nl_arena arena;
  stage stage;
  nl_moments *moments; // (sites)
  size_t value_count;
  size_t *values; // (value_count) read by linears of any site
  double *work;
  size_t site; // at hand
  nl_elimination *elimination;
  nl_lumping *lumpings; // (sites) of the probe: all whole but one
  nl_gap gap;
};

static const nl_channels *channels_of(const nl_path *path) { return path->model->channels; }

// ---- life ---------------------------------------------------------------------------------------------------------------

void nl_tapped_free(nl_tapped *t) {
  if (t == NULL) return;
  nl_elimination_free(t->elimination);
  nl_gap_end(&t->gap);
  nl_arena_free(&t->arena);
  free(t);
}

static size_t value_index(const nl_tapped *t, size_t value) {
  for (size_t i = 0; i < t->value_count; i++)
    if (t->values[i] == value) return i;
  return NL_NONE;
}

static nl_status take_all(nl_tapped *t, const nl_path *path, nl_error *error) {
  const nl_channels *channels = channels_of(path);
  NL_TAKE(&t->arena, t->moments, nl_moments, channels->site_count + 1, error);
  NL_TAKE(&t->arena, t->lumpings, nl_lumping, channels->site_count + 1, error);
  NL_TAKE(&t->arena, t->work, double, nl_matmul_f64_work(), error);
  size_t reads = 0;
  for (size_t i = 0; i < channels->site_count; i++) reads += channels->sites[i].read_count;
  NL_TAKE(&t->arena, t->values, size_t, reads + 1, error);
  for (size_t i = 0; i < channels->site_count; i++) {
    const nl_channel_site *site = &channels->sites[i];
    t->lumpings[i] = (nl_lumping){.n = site->width, .k = site->width};
    NL_TRY(nl_moments_create(&t->moments[i], site->width, BLOCK_ROWS, error));
    for (size_t r = 0; r < site->read_count; r++)
      if (value_index(t, site->reads[r].value) == NL_NONE) t->values[t->value_count++] = site->reads[r].value;
  }
  return NL_OK;
}

// ---- moments ------------------------------------------------------------------------------------------------------------

static nl_status take_moments(void *owner, const nl_run *run, size_t rows, nl_error *error) {
  nl_path *path = owner;
  nl_tapped *t = path->tapped;
  const nl_channels *channels = channels_of(path);
  const double share = (double)rows / (double)run->rows;
  for (size_t i = 0; i < channels->site_count; i++) {
    const nl_channel_site *site = &channels->sites[i];
    const size_t wanted =
        SAMPLES_PER_UNIT * site->width > SAMPLES_LEAST ? SAMPLES_PER_UNIT * site->width : SAMPLES_LEAST;
    const size_t most = (size_t)ceil((double)wanted * share / (double)site->read_count);
    for (size_t r = 0; r < site->read_count; r++) {
      const nl_read *read = &site->reads[r];
      const size_t at = value_index(t, read->value);
      NL_TRY(nl_sample_add(&t->moments[i], channels, &read->axis, site->group, &run->fed[NL_SIDE_ORIGINAL][at],
                           channels->graph->values[read->value].name, most, path->seed + run->row, t->work, error));
    }
  }
  return NL_OK;
}

static nl_status begin_moments(nl_path *path, nl_error *error) {
  const nl_tapped *t = path->tapped;
  NL_TRY(nl_path_begin_run(path, &path->run, path->rows, (const size_t[]){t->value_count, 0},
                           (const size_t *const[]){t->values, NULL}, path, take_moments, NULL, error));
  return NL_RUN;
}

nl_status nl_tapped_create(nl_path *path, nl_error *error) {
  nl_tapped *t = calloc(1, sizeof *t);
  if (t == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *t, 0);
  path->tapped = t;
  NL_TRY(take_all(t, path, error));
  if (path->data_free) NL_TRY(nl_calibration_create(&path->calibration, path->model->graph, error));
  if (path->calibration != NULL) path->measure = "normalised";
  return NL_OK;
}

// ---- elimination --------------------------------------------------------------------------------------------------------

// Elements of the linear's input that belong to the group: for each, its channel. Returns how many a channel has.
static size_t elements_of(const nl_linear *linear, size_t group, size_t *channel_of) {
  size_t at = 0, each = 0;
  for (size_t e = 0; e < linear->in_width; e++) channel_of[e] = NL_NONE;
  for (size_t s = 0; s < linear->in.count; s++) {
    const nl_segment *segment = &linear->in.segments[s];
    for (size_t t = 0; t < segment->tile; t++)
      for (size_t c = 0; c < segment->width; c++)
        for (size_t p = 0; p < segment->run; p++, at++)
          if (segment->group == group) channel_of[at] = c;
    if (segment->group == group) each += segment->tile * segment->run;
  }
  return each;
}

// Columns of one linear, channel by channel: columns (n, m), m = instances * (out / groups) * kernel.
static void take_columns(const nl_linear *linear, const nl_narrow_linear *weights, const size_t *channel_of, size_t n,
                         size_t m, double *columns) {
  const size_t in = linear->in_width / linear->groups, out = linear->out_width / linear->groups;
  const size_t kernel = linear->kernel_size, block = out * kernel;
  size_t *used = calloc(n + 1, sizeof *used);
  for (size_t e = 0; used != NULL && e < linear->in_width; e++) {
    const size_t c = channel_of[e];
    if (c == NL_NONE) continue;
    double *to = columns + c * m + used[c]++ * block;
    for (size_t o = 0; o < out; o++)
      memcpy(to + o * kernel, weights->weights + (((e / in) * out + o) * in + e % in) * kernel, kernel * sizeof *to);
  }
  free(used);
}

// product (n, n) += W Wᵀ / power, W the columns of one consumer and power the variance of what it computes of them.
static nl_status add_consumer(const nl_path *path, const nl_channel_site *site, size_t consumer, const double *second,
                              double *product, double *counted, nl_error *error) {
  const nl_channels *channels = channels_of(path);
  const nl_linear *linear = &channels->linears[consumer];
  nl_tapped *t = path->tapped;
  nl_arena arena = {0};
  nl_narrow_linear weights = {0};
  const size_t n = site->width;
  size_t *channel_of = nl_arena_take(&arena, linear->in_width + 1, sizeof *channel_of);
  nl_status status = channel_of != NULL ? nl_narrow_load(&weights, channels, consumer, &arena, error)
                                        : nl_no_memory(error, linear->in_width + 1, sizeof *channel_of);
  if (status == NL_OK) {
    const size_t each = elements_of(linear, site->group, channel_of);
    const size_t m = each * (linear->out_width / linear->groups) * linear->kernel_size;
    double *columns = nl_arena_take(&arena, n * m + 1, sizeof *columns);
    double *own = nl_arena_take(&arena, n * n + 1, sizeof *own);
    if (columns == NULL || own == NULL)
      status = nl_fail_count(error, NL_ERROR_MEMORY, NULL, (uint64_t)n * m * sizeof *columns, 0);
    else {
      take_columns(linear, &weights, channel_of, n, m, columns);
      nl_matmul_f64(n, n, m, columns, m, 1, columns, 1, m, own, n, t->work);
      double power = 0;
      for (size_t i = 0; i < n * n; i++) power += second[i] * own[i];
      for (size_t i = 0; power > 0 && i < n * n; i++) product[i] += own[i] / power;
      *counted += power > 0;
    }
  }
  nl_arena_free(&arena);
  return status;
}

// The elimination needs W only up to a rotation of its columns: a factor of W Wᵀ (n, n) stands for it.
static bool factor_product(size_t n, const double *product, double *factor, double *work) {
  double trace = 0;
  for (size_t i = 0; i < n; i++) trace += product[i * n + i];
  double ridge = 1e-18;
  for (int attempt = 0; attempt < 12; attempt++, ridge *= 10) {
    memcpy(factor, product, n * n * sizeof *factor);
    if (!nl_cholesky_blocks(n, factor, ridge * trace / (double)n + 1e-300, work)) continue;
    for (size_t i = 0; i < n; i++)
      for (size_t j = i + 1; j < n; j++) factor[i * n + j] = 0;
    return true;
  }
  return false;
}

static nl_status start_site(nl_path *path, nl_error *error) {
  nl_tapped *t = path->tapped;
  const nl_channel_site *site = &channels_of(path)->sites[t->site];
  nl_site_path *at = &path->sites[t->site];
  const size_t n = site->width;
  nl_moments_finish(&t->moments[t->site], site->affine, at->mean, at->second);
  nl_moments_free(&t->moments[t->site]);
  const size_t count = n * n + nl_matmul_f64_work() + nl_cholesky_blocks_work(n);
  double *product = calloc(count, sizeof *product), *factor = calloc(n * n, sizeof *factor), counted = 0;
  nl_status status = product != NULL && factor != NULL ? NL_OK : nl_no_memory(error, count + n * n, sizeof *product);
  for (size_t c = 0; status == NL_OK && c < site->consumer_count; c++)
    status = add_consumer(path, site, site->consumers[c], at->second, product, &counted, error);
  if (status == NL_OK && !factor_product(n, product, factor, product + n * n))
    memset(factor, 0, n * n * sizeof *factor);
  free(product);
  if (status == NL_OK)
    return nl_elimination_create(&t->elimination, n, at->second, n, factor, counted > 0 ? counted : 1, error);
  free(factor);
  return status;
}

static nl_status eliminate(nl_path *path, double *share, nl_error *error) {
  nl_tapped *t = path->tapped;
  const nl_sites *sites = &path->model->sites;
  if (t->elimination == NULL) NL_TRY(start_site(path, error));
  const nl_status status = nl_elimination_step(t->elimination, share, error);
  if (status != NL_OK) return status == NL_MORE ? NL_OK : status;
  nl_path_keep_order(path, t->site, t->elimination);
  nl_elimination_free(t->elimination);
  t->elimination = NULL;
  *share = 0;
  if (++t->site < sites->count) return NL_OK;
  t->site = 0;
  t->stage = STAGE_PROBE;
  return NL_OK;
}

// ---- probes -------------------------------------------------------------------------------------------------------------
//
// The elimination knows errors of what the consumers compute. One site at a time, the model is made smaller and run on a few
// rows: what the outputs feel of such an error scales the site's deviations, so that ε means the same at every depth.

static nl_status write_probe(const void *owner, nl_buffer *onnx, nl_error *error) {
  const nl_path *path = owner;
  nl_edits *edits = NULL;
  NL_TRY(nl_edits_create(&edits, path->model->graph, error));
  const nl_lumping *lumpings = path->tapped->lumpings;
  nl_status status = nl_narrow_edit(edits, channels_of(path), lumpings, NULL, error);
  if (status == NL_OK) status = nl_calibration_edit(path->calibration, edits, channels_of(path), lumpings, error);
  if (status == NL_OK) status = nl_onnx_write(path->model->graph, edits, onnx, error);
  nl_edits_free(edits);
  return status;
}

static nl_status take_probe(void *owner, const nl_run *run, size_t rows, nl_error *error) {
  nl_path *path = owner;
  for (size_t i = 0; i < run->count[NL_SIDE_REDUCED]; i++)
    NL_TRY(nl_gap_add(&path->tapped->gap, i, rows, &run->fed[NL_SIDE_ORIGINAL][i], &run->fed[NL_SIDE_REDUCED][i],
                      run->graph->values[run->values[NL_SIDE_REDUCED][i]].name, error));
  return NL_OK;
}

// How many units a probe takes away; 0 where everything but the last goes for nothing.
static size_t probed_units(const nl_path *path, size_t site) {
  const nl_site_path *at = &path->sites[site];
  const size_t n = path->model->sites.sites[site].width;
  size_t gone = 0;
  while (gone + 1 < n && at->deviation[gone] <= probe_deviation) gone++;
  if (gone > 0 && at->deviation[gone - 1] > 0) return gone;
  return gone + 1 < n ? gone + 1 : 0;
}

static nl_status begin_probe(nl_path *path, nl_error *error) {
  nl_tapped *t = path->tapped;
  const nl_model *model = path->model;
  const size_t n = model->sites.sites[t->site].width, gone = probed_units(path, t->site);
  NL_TRY(nl_gap_begin(&t->gap, model->compared_count, error));
  NL_TRY(nl_path_lump(path, t->site, n - gone, &t->gap.arena, &t->lumpings[t->site], error));
  const size_t rows = path->scored_rows < PROBE_ROWS ? path->scored_rows : PROBE_ROWS;
  return nl_path_begin_run(
      path, &path->run, gone > 0 ? rows : 0, (const size_t[]){model->compared_count, model->compared_count},
      (const size_t *const[]){model->compared, model->compared}, path, take_probe, write_probe, error);
}

static void end_probe(nl_path *path) {
  nl_tapped *t = path->tapped;
  nl_site_path *at = &path->sites[t->site];
  const size_t n = path->model->sites.sites[t->site].width, gone = n - t->lumpings[t->site].k;
  const double felt = nl_gap_relative(&t->gap);
  if (gone > 0 && at->deviation[gone - 1] > 0 && isfinite(felt)) {
    const double effect = fmax(felt / at->deviation[gone - 1], effect_least);
    for (size_t u = 0; u + 1 < n; u++) at->deviation[u] *= effect;
  }
  t->lumpings[t->site] = (nl_lumping){.n = n, .k = n};
  nl_gap_end(&t->gap);
}

// NL_RUN while a probe waits.
static nl_status probe(nl_path *path, nl_error *error) {
  nl_tapped *t = path->tapped;
  if (path->model->compared_count == 0) {
    t->stage = STAGE_DONE;
    return NL_OK;
  }
  if (t->gap.values == NULL) {
    NL_TRY(begin_probe(path, error));
    if (nl_run_waits(&path->run)) return NL_RUN;
  }
  end_probe(path);
  if (++t->site == path->model->sites.count) t->stage = STAGE_DONE;
  return NL_MORE;
}

// ---- steps --------------------------------------------------------------------------------------------------------------

nl_status nl_tapped_step(nl_path *path, double *progress, nl_error *error) {
  nl_tapped *t = path->tapped;
  const double sites = (double)path->model->sites.count;
  double share = 0;
  if (nl_run_waits(&path->run)) return NL_RUN;
  switch (t->stage) {
  case STAGE_CALIBRATE:
    NL_TRY(nl_calibration_step(path, error));
    t->stage = STAGE_MOMENTS;
    return begin_moments(path, error);
  case STAGE_MOMENTS:
    t->stage = STAGE_ELIMINATE;
    *progress = 0.4;
    return NL_MORE;
  case STAGE_ELIMINATE:
    NL_TRY(eliminate(path, &share, error));
    *progress = 0.4 + 0.2 * ((double)t->site + share) / sites;
    return NL_MORE;
  case STAGE_PROBE:
    *progress = 0.6 + 0.4 * (double)t->site / sites;
    return probe(path, error);
  default:
    return NL_OK;
  }
}

// ---- the baseline by norm -----------------------------------------------------------------------------------------------

nl_status nl_tapped_norms(const nl_model *model, size_t index, double *norms, nl_error *error) {
  const nl_channels *channels = model->channels;
  const nl_channel_site *site = &channels->sites[index];
  memset(norms, 0, site->width * sizeof *norms);
  for (size_t l = 0; l < channels->linear_count; l++) {
    const nl_linear *linear = &channels->linears[l];
    const size_t row = linear->in_width / linear->groups * linear->kernel_size;
    nl_arena arena = {0};
    nl_narrow_linear weights = {0};
    bool writes = false;
    for (size_t s = 0; s < linear->out.count; s++) writes = writes || linear->out.segments[s].group == site->group;
    if (!writes) continue;
    const nl_status status = nl_narrow_load(&weights, channels, l, &arena, error);
    size_t at = 0;
    for (size_t s = 0; status == NL_OK && s < linear->out.count; s++) {
      const nl_segment *segment = &linear->out.segments[s];
      for (size_t e = 0; e < segment->tile * segment->width * segment->run; e++, at++)
        if (segment->group == site->group)
          norms[e / segment->run % segment->width] +=
              nl_dot_f64(row, weights.weights + at * row, weights.weights + at * row);
    }
    nl_arena_free(&arena);
    NL_TRY(status);
  }
  for (size_t i = 0; i < site->width; i++) norms[i] = sqrt(norms[i]);
  return NL_OK;
}
