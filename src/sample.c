#include "sample.h"

#include <math.h>
#include <stdlib.h>

// ---- tensors ------------------------------------------------------------------------------------------------------------

size_t nl_fed_count(const nl_fed *fed) {
  size_t count = 1;
  for (size_t a = 0; a < fed->rank; a++) count *= fed->dims[a] > 0 ? (size_t)fed->dims[a] : 0;
  return count;
}

double nl_fed_at(const nl_fed *fed, size_t index) {
  return fed->type == NL_TYPE_F64 ? ((const double *)fed->data)[index] : (double)((const float *)fed->data)[index];
}

// ---- which positions ----------------------------------------------------------------------------------------------------

nl_spread nl_spread_over(size_t count, size_t most, uint64_t seed) {
  return (nl_spread){.count = count, .most = most < count ? most : count, .random = nl_random_seeded(seed)};
}

bool nl_spread_next(nl_spread *spread, size_t *position) {
  if (spread->taken == spread->most) return false;
  const uint64_t first = (uint64_t)spread->taken * spread->count / spread->most;
  const uint64_t end = (uint64_t)(spread->taken + 1) * spread->count / spread->most;
  *position = (size_t)(first + (uint64_t)((double)(end - first) * nl_random_uniform(&spread->random)));
  spread->taken++;
  return true;
}

// ---- where a group's channels lie ----------------------------------------------------------------------------------------

// The tensor as (outer, length, inner) around the axis, and how many positions of the group one outer index holds.
typedef struct lay {
  const nl_axis *axis;
  size_t group;
  size_t outer, length, inner;
  size_t per_outer;
} lay;

static nl_status lay_of(lay *out, const nl_channels *channels, const nl_axis *axis, size_t group, const nl_fed *fed,
                        nl_span name, nl_error *error) {
  const size_t length = nl_axis_length(channels, axis, NULL);
  if (axis->back == 0 || axis->back > fed->rank)
    return nl_fail_span(error, NL_ERROR_SHAPE, name, "the runtime's tensor has fewer axes than the graph says");
  const size_t at = fed->rank - axis->back;
  bool fits = true;
  for (size_t a = 0; a < fed->rank; a++)
    fits = fits && fed->dims[a] >= 0 && (a != at || (uint64_t)fed->dims[a] == length);
  if (!fits)
    return nl_fail_span(error, NL_ERROR_SHAPE, name,
                        "the runtime's tensor has another number of channels than the graph");
  lay l = {.axis = axis, .group = group, .outer = 1, .length = length, .inner = 1};
  for (size_t a = 0; a < at; a++) l.outer *= (size_t)fed->dims[a];
  for (size_t a = at + 1; a < fed->rank; a++) l.inner *= (size_t)fed->dims[a];
  for (size_t s = 0; s < axis->count; s++)
    if (axis->segments[s].group == group) l.per_outer += axis->segments[s].tile * axis->segments[s].run * l.inner;
  *out = l;
  return NL_OK;
}

// Index of channel 0 at a position, and how far apart channels lie.
static size_t locate(const lay *l, size_t position, size_t *stride) {
  const size_t base = position / l->per_outer * l->length * l->inner;
  size_t rest = position % l->per_outer, start = 0;
  for (size_t s = 0; s < l->axis->count; s++) {
    const nl_segment *segment = &l->axis->segments[s];
    const size_t run = segment->run * l->inner, here = segment->tile * run;
    if (segment->group == l->group && rest < here) {
      *stride = run;
      return base + start * l->inner + rest / run * segment->width * run + rest % run;
    }
    if (segment->group == l->group) rest -= here;
    start += segment->tile * segment->width * segment->run;
  }
  *stride = 0;
  return base;
}

nl_status nl_sample_positions(const nl_channels *channels, const nl_axis *axis, size_t group, const nl_fed *fed,
                              nl_span name, size_t *positions, nl_error *error) {
  lay l = {0};
  NL_TRY(lay_of(&l, channels, axis, group, fed, name, error));
  *positions = l.outer * l.per_outer;
  return NL_OK;
}

// ---- moments ------------------------------------------------------------------------------------------------------------

// One row of channels; false where one of them is not finite.
static bool take_row(const lay *l, const nl_fed *fed, size_t position, size_t n, double *row) {
  size_t stride = 0;
  const size_t first = locate(l, position, &stride);
  bool finite = true;
  for (size_t c = 0; c < n; c++) {
    row[c] = nl_fed_at(fed, first + c * stride);
    finite = finite && isfinite(row[c]);
  }
  return finite;
}

static nl_status add_rows(nl_moments *moments, const lay *l, const nl_fed *fed, nl_span name, nl_spread spread,
                          double *block, double *work, nl_error *error) {
  const size_t n = moments->n;
  size_t rows = 0, position = 0;
  while (nl_spread_next(&spread, &position)) {
    if (!take_row(l, fed, position, n, block + rows * n)) return nl_fail_span(error, NL_ERROR_NOT_FINITE, name, NULL);
    if (++rows < moments->block_rows) continue;
    nl_moments_add(moments, rows, block, work);
    rows = 0;
  }
  if (rows > 0) nl_moments_add(moments, rows, block, work);
  return NL_OK;
}

nl_status nl_sample_add(nl_moments *moments, const nl_channels *channels, const nl_axis *axis, size_t group,
                        const nl_fed *fed, nl_span name, size_t most, uint64_t seed, double *work, nl_error *error) {
  lay l = {0};
  NL_TRY(lay_of(&l, channels, axis, group, fed, name, error));
  const nl_spread spread = nl_spread_over(l.outer * l.per_outer, most, seed + moments->rows);
  const size_t count = moments->n * moments->block_rows;
  double *block = malloc((count + 1) * sizeof *block);
  if (block == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, (uint64_t)count * sizeof *block, 0);
  const nl_status status = add_rows(moments, &l, fed, name, spread, block, work, error);
  free(block);
  return status;
}
