// The result of a model that a runtime runs: linears compensated, fitted again one after the other, measured.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress.h"

// Fits that share a run see the smaller network before any of them: exact order costs two runs a linear, so where there are many,
// neighbours go together.
enum { WAVES_MOST = 16, ROWS_OF_MANY = 256 };
// Deviations this small are rounding: nothing is to be fitted.
static const double exact = 1e-7;

struct nl_fitted {
  nl_arena arena;
  size_t compensated;        // linears done
  nl_narrow_linear *linears; // (linear_count) weights NULL where nothing changes
  size_t fit_count;
  size_t *fits;       // (fit_count) linears that read a lumped site
  size_t wave, next;  // first fit of the wave at hand; of the one after it
  nl_patch **patches; // (next - wave)
  nl_gap gap;
  bool measuring;
  bool
      polishes; // the tail's linears are there even where no lumping touches them, and leave out what the polish judges by
};

static const nl_channels *channels_of(const nl_result *result) { return result->path->model->channels; }

static void drop_patches(nl_fitted *f) {
  for (size_t i = 0; f->patches != NULL && i < f->next - f->wave; i++) nl_patch_free(f->patches[i]);
  f->patches = NULL;
}

void nl_fitted_free(nl_fitted *f) {
  if (f == NULL) return;
  drop_patches(f);
  nl_gap_end(&f->gap);
  nl_arena_free(&f->arena);
  free(f);
}

// ---- compensation -------------------------------------------------------------------------------------------------------

static bool reads_lumped(const nl_result *result, const nl_linear *linear) {
  const nl_channels *channels = channels_of(result);
  for (size_t s = 0; s < linear->in.count; s++) {
    const size_t group = linear->in.segments[s].group;
    const size_t site = group != NL_NONE ? channels->groups[group].site : NL_NONE;
    if (site != NL_NONE && result->lumpings[site].k < result->lumpings[site].n) return true;
  }
  return false;
}

// Whether what goes is an exact combination of what stays.
static bool lossless(const nl_result *result) {
  return result->options.method == NL_METHOD_PROJECTED && nl_path_epsilon(result->path, result->widths) <= exact;
}

static nl_status start(nl_result *result, nl_error *error) {
  const nl_channels *channels = channels_of(result);
  nl_fitted *f = calloc(1, sizeof *f);
  if (f == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *f, 0);
  result->linears = f;
  f->polishes = nl_result_may_polish(result) && nl_tail_holds(result->path->model, NL_NONE);
  NL_TAKE(&f->arena, f->linears, nl_narrow_linear, channels->linear_count + 1, error);
  NL_TAKE(&f->arena, f->fits, size_t, channels->linear_count + 1, error);
  const bool fit = nl_method_fits(result->options.method) && !lossless(result);
  for (size_t l = 0; fit && l < channels->linear_count; l++)
    if (reads_lumped(result, &channels->linears[l])) f->fits[f->fit_count++] = l;
  return NL_OK;
}

static nl_status compensate(nl_result *result, nl_error *error) {
  nl_fitted *f = result->linears;
  const nl_channels *channels = channels_of(result);
  const size_t l = f->compensated++;
  const bool touched = nl_narrow_touches(channels, result->lumpings, l);
  if (!touched && !(f->polishes && nl_tail_holds(result->path->model, l))) return NL_OK;
  NL_TRY(nl_narrow_compensate(&f->linears[l], channels, result->lumpings, l, &f->arena, error));
  if (!touched && !channels->linears[l].has_bias)
    f->linears[l].bias = NULL; // none that nl_narrow_parameters does not count
  return NL_OK;
}

// ---- fits ---------------------------------------------------------------------------------------------------------------

nl_status nl_fitted_edit(const nl_result *result, nl_edits *edits, nl_error *error) {
  return nl_narrow_edit(edits, channels_of(result), result->lumpings, result->linears->linears, error);
}

static nl_status write_smaller(const void *owner, nl_buffer *onnx, nl_error *error) {
  const nl_result *result = owner;
  nl_edits *edits = NULL;
  NL_TRY(nl_edits_create(&edits, result->path->model->graph, error));
  nl_status status = nl_fitted_edit(result, edits, error);
  if (status == NL_OK)
    status = nl_calibration_edit(result->path->calibration, edits, channels_of(result), result->lumpings, error);
  if (status == NL_OK) status = nl_onnx_write(result->path->model->graph, edits, onnx, error);
  nl_edits_free(edits);
  return status;
}

// Rows first ... first + count - 1 of a batch of `rows`.
static nl_fed slice_of(const nl_fed *fed, size_t rows, size_t first, size_t count, int64_t *dims) {
  const size_t each = nl_fed_count(fed) / rows, size = fed->type == NL_TYPE_F32 ? sizeof(float) : sizeof(double);
  memcpy(dims, fed->dims, fed->rank * sizeof *dims);
  dims[0] = (int64_t)count;
  return (nl_fed){fed->type, fed->rank, dims, (const uint8_t *)fed->data + first * each * size};
}

static bool has_rows(const nl_fed *fed, size_t rows) {
  return fed->rank > 0 && fed->rank <= NL_SHAPE_RANK_MOST && fed->dims[0] == (int64_t)rows;
}

// A batch for one fit: in the tail without the rows the polish judges by.
static nl_status add_patch(nl_result *result, const nl_run *run, size_t i, size_t rows, double share, nl_error *error) {
  nl_fitted *f = result->linears;
  const nl_fed *original = &run->fed[NL_SIDE_ORIGINAL][i], *reduced = &run->fed[NL_SIDE_REDUCED][i];
  const bool whole = !f->polishes || !nl_tail_holds(result->path->model, f->fits[f->wave + i]);
  if (whole || !has_rows(original, rows) || !has_rows(reduced, rows))
    return nl_patch_add(f->patches[i], original, reduced, share, error);
  for (size_t first = 0, end; first < rows; first = end + 1) {
    int64_t dims[2][NL_SHAPE_RANK_MOST];
    end = first;
    while (end < rows && !nl_polish_holds_back(result->path->seed, run->row + end)) end++;
    if (end == first) continue;
    const nl_fed target = slice_of(original, rows, first, end - first, dims[0]);
    const nl_fed read = slice_of(reduced, rows, first, end - first, dims[1]);
    NL_TRY(nl_patch_add(f->patches[i], &target, &read, share * (double)(end - first) / (double)rows, error));
  }
  return NL_OK;
}

static nl_status take_patches(void *owner, const nl_run *run, size_t rows, nl_error *error) {
  nl_fitted *f = ((nl_result *)owner)->linears;
  const double share = (double)rows / (double)run->rows;
  for (size_t i = 0; i < f->next - f->wave; i++)
    if (f->patches[i] != NULL) NL_TRY(add_patch(owner, run, i, rows, share, error));
  return NL_OK;
}

static nl_status create_patch(nl_result *result, size_t l, nl_patch **out, nl_error *error) {
  nl_fitted *f = result->linears;
  const nl_channels *channels = channels_of(result);
  const nl_linear *linear = &channels->linears[l];
  const nl_patch_options options = {.seed = result->path->seed};
  size_t *kept = NULL;
  nl_error unused = {0};
  NL_TAKE(&f->arena, kept, size_t, linear->out_width + 1, error);
  nl_narrow_kept(channels, result->lumpings, &linear->out, kept);
  const nl_status status = nl_patch_create(out, linear, &f->linears[l], kept, &options, &unused);
  if (status == NL_OK || status == NL_ERROR_LIMIT) return NL_OK; // too wide: the compensation stays
  if (error != NULL) *error = unused;
  return status;
}

static nl_status begin_wave(nl_result *result, nl_error *error) {
  nl_fitted *f = result->linears;
  const nl_path *path = result->path;
  const size_t each = (f->fit_count + WAVES_MOST - 1) / WAVES_MOST, left = f->fit_count - f->wave;
  const size_t count = left < each ? left : each;
  size_t *written = NULL, *read = NULL;
  f->next = f->wave + count;
  NL_TAKE(&f->arena, f->patches, nl_patch *, count, error);
  NL_TAKE(&f->arena, written, size_t, count, error);
  NL_TAKE(&f->arena, read, size_t, count, error);
  for (size_t i = 0; i < count; i++) {
    const size_t l = f->fits[f->wave + i];
    written[i] = channels_of(result)->linears[l].written;
    read[i] = channels_of(result)->linears[l].read;
    NL_TRY(create_patch(result, l, &f->patches[i], error));
  }
  const size_t rows = each > 1 && path->rows > ROWS_OF_MANY ? ROWS_OF_MANY : path->rows;
  return nl_path_begin_run(path, &result->run, rows, (const size_t[]){count, count},
                           (const size_t *const[]){written, read}, result, take_patches, write_smaller, error);
}

// NL_MORE while a fit of the wave is not solved yet.
static nl_status solve_wave(nl_fitted *f, nl_error *error) {
  for (size_t i = 0; i < f->next - f->wave; i++)
    if (f->patches[i] != NULL) NL_TRY(nl_patch_step(f->patches[i], error));
  return NL_OK;
}

static nl_status end_wave(nl_result *result, nl_error *error) {
  nl_fitted *f = result->linears;
  for (size_t i = 0; i < f->next - f->wave; i++) {
    if (f->patches[i] == NULL) continue;
    nl_narrow_linear fitted = {0};
    NL_TRY(nl_patch_solve(f->patches[i], &fitted, &f->arena, error));
    f->linears[f->fits[f->wave + i]] = fitted;
  }
  drop_patches(f);
  f->wave = f->next;
  return NL_OK;
}

nl_status nl_fitted_refit(nl_result *result, double *progress, nl_error *error) {
  if (result->linears == NULL) NL_TRY(start(result, error));
  nl_fitted *f = result->linears;
  const double done = (double)f->wave / (double)(f->fit_count + 1);
  *progress = 0.1 + 0.9 * done;
  if (nl_run_waits(&result->run)) return NL_RUN;
  if (f->compensated < channels_of(result)->linear_count) {
    NL_TRY(compensate(result, error));
    return NL_MORE;
  }
  if (f->patches != NULL) {
    NL_TRY(solve_wave(f, error));
    NL_TRY(end_wave(result, error));
  }
  if (f->wave == f->fit_count) return NL_OK;
  NL_TRY(begin_wave(result, error));
  return NL_RUN;
}

nl_narrow_linear *nl_fitted_linear(const nl_result *result, size_t linear) { return &result->linears->linears[linear]; }

nl_status nl_fitted_run(nl_result *result, size_t rows, size_t original, size_t reduced, nl_take_batch take,
                        nl_error *error) {
  return nl_path_begin_run(result->path, &result->run, rows, (const size_t[]){1, 1},
                           (const size_t *const[]){&original, &reduced}, result, take, write_smaller, error);
}

// ---- deviation ----------------------------------------------------------------------------------------------------------

static nl_status take_outputs(void *owner, const nl_run *run, size_t rows, nl_error *error) {
  nl_fitted *f = ((nl_result *)owner)->linears;
  for (size_t i = 0; i < run->count[NL_SIDE_ORIGINAL]; i++)
    NL_TRY(nl_gap_add(&f->gap, i, rows, &run->fed[NL_SIDE_ORIGINAL][i], &run->fed[NL_SIDE_REDUCED][i],
                      run->graph->values[run->values[NL_SIDE_ORIGINAL][i]].name, error));
  return NL_OK;
}

nl_status nl_fitted_measure(nl_result *result, double *progress, nl_error *error) {
  nl_fitted *f = result->linears;
  const nl_model *model = result->path->model;
  *progress = 0;
  if (nl_result_whole(result)) { // the very file
    result->deviation = result->largest = 0;
    return NL_OK;
  }
  if (!f->measuring) {
    NL_TRY(nl_gap_begin(&f->gap, model->compared_count, error));
    f->measuring = true;
    NL_TRY(nl_path_begin_run(result->path, &result->run, model->compared_count > 0 ? result->path->scored_rows : 0,
                             (const size_t[]){model->compared_count, model->compared_count},
                             (const size_t *const[]){model->compared, model->compared}, result, take_outputs,
                             write_smaller, error));
  }
  if (nl_run_waits(&result->run)) return NL_RUN;
  result->deviation = nl_gap_relative(&f->gap);
  result->largest = f->gap.largest;
  result->size = f->gap.size;
  nl_gap_end(&f->gap);
  nl_run_end(&result->run);
  f->measuring = false;
  return NL_OK;
}
