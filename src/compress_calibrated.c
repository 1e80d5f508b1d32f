// What a model's own BatchNormalization layers say of its inputs, for the measure without data.
//
// Inputs x ~ N(0, I) are not what an image network was trained on: channels that are alive on images may be dead on noise. But
// each BatchNormalization tells mean and variance of what it saw in training. So, layer by layer, the means and variances that
// noise gives take the place of the stated ones: behind every normalisation the activations then have the very mean and
// variance they have on the training data. Statistics and fits are taken from this *calibrated* model; what is written has the
// stated moments again.
#include <math.h>
#include <stdlib.h>

#include "compress.h"

enum { WAVES_MOST = 16, ROWS_MOST = 64 };

typedef struct norm {
  size_t node, read, width;
  nl_variance *seen;       // (width) of what it reads
  double *mean, *variance; // (width) once `known`
  bool known;
} norm;

struct nl_calibration {
  nl_arena arena;
  size_t count;
  norm *norms; // in topological order
  size_t wave, next;
};

// ---- life ---------------------------------------------------------------------------------------------------------------

void nl_calibration_free(nl_calibration *c) {
  if (c == NULL) return;
  nl_arena_free(&c->arena);
  free(c);
}

static const nl_tensor *moments_of(const nl_graph *graph, const nl_node *node, size_t slot) {
  const nl_tensor *tensor = nl_node_constant(graph, node, slot);
  return tensor != NULL && tensor->rank == 1 && nl_type_is_float(tensor->type) ? tensor : NULL;
}

static bool normalises(const nl_graph *graph, const nl_node *node) {
  enum { MEAN = 3, VARIANCE = 4 };
  if (node->domain.size > 0 || !nl_span_is(node->op, "BatchNormalization")) return false;
  if (nl_node_int(node, "training_mode", 0) != 0 || node->inputs[0] == NL_NONE) return false;
  const nl_tensor *mean = moments_of(graph, node, MEAN), *variance = moments_of(graph, node, VARIANCE);
  return mean != NULL && variance != NULL && mean->count == variance->count && mean->count > 0;
}

static nl_status take_norm(nl_calibration *c, const nl_graph *graph, size_t node, nl_error *error) {
  norm *n = &c->norms[c->count++];
  *n = (norm){.node = node, .read = graph->nodes[node].inputs[0]};
  n->width = moments_of(graph, &graph->nodes[node], 3)->count;
  NL_TAKE(&c->arena, n->seen, nl_variance, n->width, error);
  NL_TAKE(&c->arena, n->mean, double, n->width, error);
  NL_TAKE(&c->arena, n->variance, double, n->width, error);
  return NL_OK;
}

nl_status nl_calibration_create(nl_calibration **out, const nl_graph *graph, nl_error *error) {
  size_t count = 0;
  for (size_t i = 0; i < graph->node_count; i++) count += normalises(graph, &graph->nodes[i]);
  *out = NULL;
  if (count == 0) return NL_OK;
  nl_calibration *c = calloc(1, sizeof *c);
  if (c == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *c, 0);
  *out = c;
  NL_TAKE(&c->arena, c->norms, norm, count, error);
  for (size_t i = 0; i < graph->node_count; i++)
    if (normalises(graph, &graph->nodes[graph->order[i]])) NL_TRY(take_norm(c, graph, graph->order[i], error));
  return NL_OK;
}

// ---- edits --------------------------------------------------------------------------------------------------------------

static nl_status set_moments(nl_edits *edits, size_t node, size_t slot, size_t count, const size_t *kept,
                             const double *values, nl_error *error) {
  double *picked = malloc((count + 1) * sizeof *picked);
  if (picked == NULL) return nl_no_memory(error, count + 1, sizeof *picked);
  for (size_t i = 0; i < count; i++) picked[i] = values[kept[i]];
  const nl_status status =
      nl_edits_set_constant(edits, node, slot, NL_TYPE_F32, 1, (const int64_t[]){(int64_t)count}, picked, error);
  free(picked);
  return status;
}

nl_status nl_calibration_edit(const nl_calibration *c, nl_edits *edits, const nl_channels *channels,
                              const nl_lumping *lumpings, nl_error *error) {
  for (size_t i = 0; c != NULL && i < c->count; i++) {
    const norm *n = &c->norms[i];
    if (!n->known) continue;
    size_t *kept = malloc((n->width + 1) * sizeof *kept);
    if (kept == NULL) return nl_no_memory(error, n->width + 1, sizeof *kept);
    const nl_axis *axis = &channels->values[n->read];
    const bool followed = lumpings != NULL && axis->count > 0;
    const size_t count = followed ? nl_narrow_length(channels, lumpings, axis) : n->width;
    if (followed) nl_narrow_kept(channels, lumpings, axis, kept);
    for (size_t k = 0; !followed && k < n->width; k++) kept[k] = k;
    nl_status status = set_moments(edits, n->node, 3, count, kept, n->mean, error);
    if (status == NL_OK) status = set_moments(edits, n->node, 4, count, kept, n->variance, error);
    free(kept);
    NL_TRY(status);
  }
  return NL_OK;
}

// ---- runs ---------------------------------------------------------------------------------------------------------------

static nl_status take_batch(void *owner, const nl_run *run, size_t rows, nl_error *error) {
  nl_calibration *c = ((nl_path *)owner)->calibration;
  (void)rows;
  for (size_t i = c->wave; i < c->next; i++) {
    norm *n = &c->norms[i];
    const nl_fed *fed = &run->fed[NL_SIDE_REDUCED][i - c->wave];
    if (fed->rank < 2 || fed->dims[1] != (int64_t)n->width)
      return nl_fail_span(error, NL_ERROR_SHAPE, run->graph->nodes[n->node].name, "its input has other channels");
    size_t inner = 1;
    for (size_t d = 2; d < fed->rank; d++) inner *= (size_t)fed->dims[d];
    const size_t count = nl_fed_count(fed);
    for (size_t at = 0; at < count; at++) nl_variance_add(&n->seen[at / inner % n->width], nl_fed_at(fed, at));
  }
  return NL_OK;
}

nl_status nl_calibration_write(const void *owner, nl_buffer *onnx, nl_error *error) {
  const nl_path *path = owner;
  nl_edits *edits = NULL;
  NL_TRY(nl_edits_create(&edits, path->model->graph, error));
  nl_status status = nl_calibration_edit(path->calibration, edits, path->model->channels, NULL, error);
  if (status == NL_OK) status = nl_onnx_write(path->model->graph, edits, onnx, error);
  nl_edits_free(edits);
  return status;
}

static nl_status begin_wave(nl_path *path, nl_error *error) {
  nl_calibration *c = path->calibration;
  const size_t each = (c->count + WAVES_MOST - 1) / WAVES_MOST, left = c->count - c->wave;
  const size_t count = left < each ? left : each, rows = path->rows < ROWS_MOST ? path->rows : ROWS_MOST;
  size_t *read = NULL;
  NL_TAKE(&c->arena, read, size_t, count, error);
  c->next = c->wave + count;
  for (size_t i = 0; i < count; i++) read[i] = c->norms[c->wave + i].read;
  return nl_run_begin(&path->run, path->model->graph, rows, (const size_t[]){0, count},
                      (const size_t *const[]){NULL, read}, path, take_batch,
                      (const nl_write_model[]){NULL, nl_calibration_write}, error);
}

static void end_wave(nl_calibration *c) {
  for (; c->wave < c->next; c->wave++) {
    norm *n = &c->norms[c->wave];
    n->known = true;
    for (size_t i = 0; i < n->width; i++) {
      n->mean[i] = n->seen[i].mean;
      n->variance[i] = n->seen[i].count > 0 ? n->seen[i].squares / n->seen[i].count : 0;
      n->known = n->known && isfinite(n->mean[i]) && n->variance[i] > 0;
    }
  }
}

nl_status nl_calibration_step(nl_path *path, nl_error *error) {
  nl_calibration *c = path->calibration;
  if (c == NULL || c->wave == c->count) return NL_OK;
  if (c->next > c->wave) {
    end_wave(c);
    return NL_MORE;
  }
  NL_TRY(begin_wave(path, error));
  return NL_RUN;
}

nl_status nl_path_begin_run(const nl_path *path, nl_run *run, size_t rows, const size_t count[NL_SIDE_COUNT],
                            const size_t *const values[NL_SIDE_COUNT], void *owner, nl_take_batch take,
                            nl_write_model write, nl_error *error) {
  const nl_write_model original = path->calibration != NULL ? nl_calibration_write : NULL;
  NL_TRY(nl_run_begin(run, path->model->graph, rows, count, values, owner, take,
                      (const nl_write_model[]){original, write}, error));
  run->origin = path;
  return NL_OK;
}
