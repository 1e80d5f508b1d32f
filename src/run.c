#include "run.h"

#include <math.h>
#include <string.h>

#include "deviation.h"
#include "report.h"

// ---- life ---------------------------------------------------------------------------------------------------------------

nl_status nl_run_begin(nl_run *run, const nl_graph *graph, size_t rows, const size_t count[NL_SIDE_COUNT],
                       const size_t *const values[NL_SIDE_COUNT], void *owner, nl_take_batch take,
                       const nl_write_model write[NL_SIDE_COUNT], nl_error *error) {
  nl_run_end(run);
  run->graph = graph;
  run->owner = owner;
  run->take = take;
  for (int side = 0; side < NL_SIDE_COUNT; side++) {
    run->write[side] = write[side];
    size_t *own = NULL;
    NL_TAKE(&run->arena, own, size_t, count[side] + 1, error);
    NL_TAKE(&run->arena, run->fed[side], nl_fed, count[side] + 1, error);
    if (count[side] > 0) memcpy(own, values[side], count[side] * sizeof *own);
    run->values[side] = own;
    run->count[side] = count[side];
  }
  run->rows = rows;
  return NL_OK;
}

bool nl_run_waits(const nl_run *run) { return run->row < run->rows; }

void nl_run_end(nl_run *run) {
  nl_arena_free(&run->arena);
  *run = (nl_run){0};
}

// ---- what the caller is told --------------------------------------------------------------------------------------------

static bool add_names(cJSON *root, const char *name, const nl_run *run, nl_side side) {
  cJSON *array = cJSON_AddArrayToObject(root, name);
  bool fine = array != NULL;
  for (size_t i = 0; fine && i < run->count[side]; i++)
    fine = nl_report_item(array, run->graph->values[run->values[side][i]].name);
  return fine;
}

nl_status nl_run_describe(const nl_run *run, nl_buffer *json, nl_error *error) {
  cJSON *root = cJSON_CreateObject();
  const bool fine = root != NULL && nl_report_number(root, "rows", (double)run->rows) &&
                    add_names(root, "original", run, NL_SIDE_ORIGINAL) &&
                    add_names(root, "reduced", run, NL_SIDE_REDUCED) &&
                    cJSON_AddBoolToObject(root, "calibrated", run->write[NL_SIDE_ORIGINAL] != NULL) != NULL;
  return nl_report_print(root, fine, json, error);
}

nl_status nl_run_model(const nl_run *run, bool reduced, nl_buffer *onnx, nl_error *error) {
  const nl_side side = reduced ? NL_SIDE_REDUCED : NL_SIDE_ORIGINAL;
  if (run->write[side] == NULL) return nl_fail(error, NL_ERROR_ARGUMENT, "run", "it has no such model");
  return run->write[side](side == NL_SIDE_REDUCED ? run->owner : run->origin, onnx, error);
}

// ---- what the caller hands over -----------------------------------------------------------------------------------------

nl_status nl_run_feed(nl_run *run, bool reduced, size_t index, nl_type type, size_t rank, const int64_t *dims,
                      const void *data, nl_error *error) {
  const nl_side side = reduced ? NL_SIDE_REDUCED : NL_SIDE_ORIGINAL;
  if (index >= run->count[side]) return nl_fail(error, NL_ERROR_ARGUMENT, "index", "no such value was asked for");
  if (type != NL_TYPE_F32 && type != NL_TYPE_F64)
    return nl_fail(error, NL_ERROR_ARGUMENT, "type", "float32 or float64");
  run->fed[side][index] = (nl_fed){.type = type, .rank = rank, .dims = dims, .data = data};
  return NL_OK;
}

nl_status nl_run_advance(nl_run *run, size_t rows, nl_error *error) {
  if (rows == 0 || rows > run->rows - run->row) return nl_fail(error, NL_ERROR_ARGUMENT, "rows", "out of range");
  for (int side = 0; side < NL_SIDE_COUNT; side++)
    for (size_t i = 0; i < run->count[side]; i++)
      if (run->fed[side][i].data == NULL)
        return nl_fail_span(error, NL_ERROR_ARGUMENT, run->graph->values[run->values[side][i]].name,
                            "the batch does not have it");
  const nl_status status = run->take(run->owner, run, rows, error);
  for (int side = 0; side < NL_SIDE_COUNT; side++)
    if (run->count[side] > 0) memset(run->fed[side], 0, run->count[side] * sizeof(nl_fed));
  run->row += rows;
  return status;
}

// ---- deviation of outputs ------------------------------------------------------------------------------------------------

struct nl_gap_value {
  size_t columns;
  nl_variance *spreads; // (columns)
};

nl_status nl_gap_begin(nl_gap *gap, size_t count, nl_error *error) {
  nl_gap_end(gap);
  NL_TAKE(&gap->arena, gap->values, struct nl_gap_value, count + 1, error);
  gap->count = count;
  return NL_OK;
}

void nl_gap_end(nl_gap *gap) {
  nl_arena_free(&gap->arena);
  *gap = (nl_gap){0};
}

static nl_status take_columns(nl_gap *gap, struct nl_gap_value *v, size_t rows, const nl_fed *fed, size_t count,
                              nl_error *error) {
  const bool by_row = fed->rank > 0 && fed->dims[0] == (int64_t)rows && rows > 0;
  const size_t columns = by_row && count > 0 ? count / rows : 1;
  if (v->columns == columns) return NL_OK;
  // sizes that change from batch to batch have no columns of their own
  v->columns = v->columns == 0 ? columns : 1;
  NL_TAKE(&gap->arena, v->spreads, nl_variance, v->columns, error);
  return NL_OK;
}

static bool same_shape(const nl_fed *a, const nl_fed *b) {
  return a->rank == b->rank && (a->rank == 0 || memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0);
}

nl_status nl_gap_add(nl_gap *gap, size_t value, size_t rows, const nl_fed *original, const nl_fed *reduced,
                     nl_span name, nl_error *error) {
  struct nl_gap_value *v = &gap->values[value];
  const size_t count = nl_fed_count(original);
  if (!same_shape(original, reduced))
    return nl_fail_span(error, NL_ERROR_SHAPE, name, "the smaller model gives another shape");
  NL_TRY(take_columns(gap, v, rows, original, count, error));
  for (size_t i = 0; i < count; i++) {
    const double f = nl_fed_at(original, i), g = nl_fed_at(reduced, i);
    if (isfinite(f)) nl_variance_add(&v->spreads[i % v->columns], f);
    const double d = f == g || (isnan(f) && isnan(g)) ? 0 : fabs(f - g);
    if (!isfinite(d)) return nl_fail_span(error, NL_ERROR_NOT_FINITE, name, NULL);
    gap->squares += d * d;
    gap->largest = fmax(gap->largest, d);
    if (isfinite(f)) gap->size = fmax(gap->size, fabs(f));
  }
  return NL_OK;
}

double nl_gap_relative(const nl_gap *gap) {
  double squares = 0;
  for (size_t i = 0; i < gap->count; i++)
    for (size_t c = 0; c < gap->values[i].columns; c++) squares += gap->values[i].spreads[c].squares;
  return gap->squares == 0 ? 0 : sqrt(gap->squares / squares);
}
