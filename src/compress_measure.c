// The rows on which neurons are compared: the user's, a box, or normal ones.
#include <math.h>
#include <string.h>

#include "compress.h"
#include "measure.h"
#include "random.h"

enum { ROWS_FREE = 8192, ROWS_RUN = 512, ROWS_MOST = 16384, ROWS_PER_UNIT = 4, COPIES_MOST = 8 };
// Jitter added where the data has fewer rows than a layer has neurons to tell apart; relative to each input's spread.
static const double jitter_strength = 0.15;

// ---- data ---------------------------------------------------------------------------------------------------------------

// Whether a row is one position of the site only: where it has several (space, time), few rows do.
static bool one_position(const nl_model *model, size_t site) {
  if (model->engine == NL_ENGINE_FORWARD) return true;
  const nl_channel_site *of = &model->channels->sites[site];
  for (size_t r = 0; r < of->read_count; r++) {
    const nl_shape *shape = &model->shapes.values[of->reads[r].value];
    const nl_segment *segment = of->reads[r].axis.segments;
    if (!shape->known || shape->rank > 2 || segment->tile * segment->run > 1) return false;
  }
  return true;
}

static size_t widest_site(const nl_model *model) {
  size_t widest = 0;
  for (size_t i = 0; i < model->sites.count; i++)
    if (model->sites.sites[i].width > widest && one_position(model, i)) widest = model->sites.sites[i].width;
  return widest;
}

static nl_status check_finite(const nl_path_options *options, size_t features, nl_error *error) {
  for (size_t i = 0; i < options->data_rows * features; i++)
    if (!isfinite(options->data[i]))
      return nl_fail_count(error, NL_ERROR_NOT_FINITE, "the data", 0, (uint64_t)(i / features + 1));
  return NL_OK;
}

static nl_status use_data(nl_path *path, const nl_path_options *options, size_t features, nl_error *error) {
  if (options->data_rows == 0) return nl_fail(error, NL_ERROR_DATA, NULL, "there are no rows");
  NL_TRY(check_finite(options, features, error));
  const size_t rows = options->data_rows < ROWS_MOST ? options->data_rows : ROWS_MOST;
  const size_t wanted = ROWS_PER_UNIT * widest_site(path->model);
  size_t copies = rows < wanted ? (wanted - 1) / rows : 0;
  if (copies > COPIES_MOST) copies = COPIES_MOST;
  path->scored_rows = rows;
  path->rows = rows * (1 + copies);
  NL_TAKE(&path->drawn, path->x, double, path->rows *features, error);
  for (size_t r = 0; r < rows; r++) // evenly spaced where there are more than enough
    memcpy(path->x + r * features, options->data + r * options->data_rows / rows * features,
           features * sizeof *path->x);
  if (copies > 0)
    nl_measure_jitter(options->seed, rows, features, path->x, jitter_strength, copies, path->x + rows * features);
  for (size_t i = 0; path->levels != NULL && i < features; i++) // whole numbers stay what they are
    for (size_t r = rows; path->levels[i] > 0 && r < path->rows; r++)
      path->x[r * features + i] = path->x[r % rows * features + i];
  return NL_OK;
}

// ---- without data -------------------------------------------------------------------------------------------------------

// The only step that reads `step`; NL_NONE where there are several or none, or where it is an output.
static size_t only_reader(const nl_network *network, size_t step) {
  size_t reader = NL_NONE, count = 0;
  for (size_t s = 0; s < network->step_count; s++)
    for (size_t i = 0; i < network->steps[s].input_count; i++)
      if (network->steps[s].inputs[i] == step) reader = s, count++;
  for (size_t o = 0; o < network->output_count; o++) count += network->outputs[o] == step;
  return count == 1 ? reader : NL_NONE;
}

// A model that begins by x * scale + shift tells what its inputs are like: those whose result is standard.
static void follow_scales(const nl_path *path, size_t input, double *mean, double *spread) {
  const nl_network *network = path->model->network;
  const size_t width = network->steps[input].width;
  for (size_t c = 0; c < width; c++) { // scale and shift so far
    spread[c] = 1.0;
    mean[c] = 0.0;
  }
  for (size_t s = only_reader(network, input); s != NL_NONE; s = only_reader(network, s)) {
    const nl_layer *layer = &path->parameters.layers[s];
    if (network->steps[s].kind != NL_STEP_SCALE || layer->width != width) break;
    for (size_t c = 0; c < width; c++) {
      spread[c] *= layer->scale[c];
      mean[c] = layer->scale[c] * mean[c] + layer->shift[c];
    }
  }
  for (size_t c = 0; c < width; c++) {
    const double scale = spread[c], shift = mean[c];
    spread[c] = fabs(1.0 / scale);
    mean[c] = -shift / scale;
    if (isfinite(spread[c]) && isfinite(mean[c])) continue;
    spread[c] = 1.0;
    mean[c] = 0.0;
  }
}

static nl_status keep(nl_path *path, const double *from, size_t features, const double **to, nl_error *error) {
  double *copy = NULL;
  if (from == NULL) return NL_OK;
  NL_TAKE(&path->arena, copy, double, features + 1, error);
  memcpy(copy, from, features * sizeof *copy);
  *to = copy;
  return NL_OK;
}

static nl_status use_normal(nl_path *path, const nl_path_options *options, size_t features, nl_error *error) {
  const nl_network *network = path->model->network;
  double *mean = NULL, *spread = NULL;
  NL_TRY(keep(path, options->mean, features, &path->mean, error));
  NL_TRY(keep(path, options->spread, features, &path->spread, error));
  if (path->mean != NULL || path->spread != NULL || path->model->engine == NL_ENGINE_RUNTIME) return NL_OK;
  NL_TAKE(&path->arena, mean, double, features + 1, error);
  NL_TAKE(&path->arena, spread, double, features + 1, error);
  path->mean = mean;
  path->spread = spread;
  for (size_t s = 0; s < network->step_count; s++)
    if (network->steps[s].kind == NL_STEP_INPUT)
      follow_scales(path, s, mean + network->steps[s].offset, spread + network->steps[s].offset);
  for (size_t i = 0; i < features; i++)
    if (mean[i] != 0 || spread[i] != 1) path->measure = "normalised";
  return NL_OK;
}

static nl_status use_box(nl_path *path, const nl_path_options *options, size_t features, nl_error *error) {
  if (options->low == NULL || options->high == NULL)
    return nl_fail(error, NL_ERROR_ARGUMENT, "low, high", "one is given without the other");
  for (size_t i = 0; i < features; i++)
    if (!(options->low[i] <= options->high[i]) || !isfinite(options->high[i] - options->low[i]))
      return nl_fail(error, NL_ERROR_ARGUMENT, "low, high", "low is to be at most high, and both finite");
  NL_TRY(keep(path, options->low, features, &path->low, error));
  return keep(path, options->high, features, &path->high, error);
}

void nl_path_draw(const nl_path *path, uint64_t seed, size_t rows, double *x) {
  const size_t features = path->features;
  if (path->low != NULL)
    nl_measure_box(seed, rows, features, path->low, path->high, x);
  else
    nl_measure_normal(seed, rows, features, path->mean, path->spread, x);
  if (path->levels == NULL) return;
  nl_random random = nl_random_seeded(seed);
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < features; i++)
      if (path->levels[i] > 0) x[r * features + i] = floor(nl_random_uniform(&random) * path->levels[i]);
}

nl_status nl_path_measure(nl_path *path, const nl_path_options *options, nl_error *error) {
  const size_t features = path->features;
  const bool box = options->low != NULL || options->high != NULL;
  path->seed = options->seed;
  path->measure = options->data != NULL ? "data" : box ? "box" : "normal";
  path->data_free = options->data == NULL && !box && options->mean == NULL && options->spread == NULL;
  NL_TRY(keep(path, options->levels, features, &path->levels, error));
  if (options->data != NULL) return use_data(path, options, features, error);
  const size_t otherwise = path->model->engine == NL_ENGINE_RUNTIME ? ROWS_RUN : ROWS_FREE;
  path->rows = path->scored_rows = options->rows > 0 ? options->rows : otherwise;
  NL_TAKE(&path->drawn, path->x, double, path->rows *features, error);
  NL_TRY(box ? use_box(path, options, features, error) : use_normal(path, options, features, error));
  nl_path_draw(path, path->seed, path->rows, path->x);
  return NL_OK;
}

static const double *row_at(const nl_path *path, size_t row) {
  return path->kept != NULL ? nl_rows_read(path->kept, row, 1) : path->x + row * path->features;
}

void nl_path_rows(const nl_path *path, size_t first, size_t count, double *x) {
  const size_t features = path->features;
  for (size_t r = 0; r < count; r++) memcpy(x + r * features, row_at(path, first + r), features * sizeof *x);
}

void nl_path_range(const nl_path *path, double *low, double *high) {
  for (size_t r = 0; r < path->scored_rows; r++) {
    const double *x = row_at(path, r);
    for (size_t i = 0; i < path->features; i++) {
      low[i] = r == 0 ? x[i] : fmin(low[i], x[i]);
      high[i] = r == 0 ? x[i] : fmax(high[i], x[i]);
    }
  }
}
