// narrow: linears out of the file, and what lumpings alone make of them.
#include "narrow.h"

#include <string.h>

#include "kernels/kernels.h"

// ---- axes --------------------------------------------------------------------------------------------------------------

const nl_lumping *nl_narrow_lumping(const nl_channels *channels, const nl_lumping *lumpings,
                                    const nl_segment *segment) {
  const size_t site = channels->groups[segment->group].site;
  return site != NL_NONE && lumpings[site].k < lumpings[site].n ? &lumpings[site] : NULL;
}

bool nl_narrow_changes(const nl_channels *channels, const nl_lumping *lumpings, const nl_axis *axis) {
  for (size_t i = 0; i < axis->count; i++)
    if (nl_narrow_lumping(channels, lumpings, &axis->segments[i]) != NULL) return true;
  return false;
}

bool nl_narrow_touches(const nl_channels *channels, const nl_lumping *lumpings, size_t linear) {
  const nl_linear *l = &channels->linears[linear];
  return nl_narrow_changes(channels, lumpings, &l->in) || nl_narrow_changes(channels, lumpings, &l->out);
}

size_t nl_narrow_length(const nl_channels *channels, const nl_lumping *lumpings, const nl_axis *axis) {
  size_t length = 0;
  for (size_t i = 0; i < axis->count; i++) {
    const nl_segment *segment = &axis->segments[i];
    const nl_lumping *lumping = nl_narrow_lumping(channels, lumpings, segment);
    length += segment->tile * segment->run * (lumping != NULL ? lumping->k : segment->width);
  }
  return length;
}

void nl_narrow_kept(const nl_channels *channels, const nl_lumping *lumpings, const nl_axis *axis, size_t *kept) {
  size_t before = 0;
  for (size_t i = 0; i < axis->count; i++) {
    const nl_segment *segment = &axis->segments[i];
    const nl_lumping *lumping = nl_narrow_lumping(channels, lumpings, segment);
    const size_t width = lumping != NULL ? lumping->k : segment->width;
    for (size_t t = 0; t < segment->tile; t++) {
      for (size_t c = 0; c < width; c++)
        for (size_t p = 0; p < segment->run; p++)
          *kept++ = before + (lumping != NULL ? lumping->kept[c] : c) * segment->run + p;
      before += segment->width * segment->run;
    }
  }
}

// A segment's tile: channels next to each other, `before` and after.
typedef struct tile {
  size_t before, after; // where it begins
  size_t length;        // before: channels * run
  size_t run;
  const nl_lumping *lumping; // NULL: copied
} tile;

static nl_status list_tiles(const nl_channels *channels, const nl_lumping *lumpings, const nl_axis *axis,
                            nl_arena *arena, tile **tiles, size_t *count, nl_error *error) {
  size_t before = 0, after = 0, at = 0;
  *count = 0;
  for (size_t i = 0; i < axis->count; i++) *count += axis->segments[i].tile;
  NL_TAKE(arena, *tiles, tile, *count, error);
  for (size_t i = 0; i < axis->count; i++) {
    const nl_segment *segment = &axis->segments[i];
    const nl_lumping *lumping = nl_narrow_lumping(channels, lumpings, segment);
    for (size_t t = 0; t < segment->tile; t++) {
      (*tiles)[at] = (tile){before, after, segment->width * segment->run, segment->run, lumping};
      before += segment->width * segment->run;
      after += (lumping != NULL ? lumping->k : segment->width) * segment->run;
      at++;
    }
  }
  return NL_OK;
}

// ---- out of the file -----------------------------------------------------------------------------------------------------

static const nl_tensor *constant_at(const nl_channels *channels, nl_place place) {
  return nl_node_constant(channels->graph, &channels->graph->nodes[place.node], place.slot);
}

// tensor (its own layout) -> weights (out, in / groups, kernel), times alpha
static void gather_weights(const nl_linear *l, const double *tensor, double *weights) {
  const size_t out_block = l->out_width / l->groups, in_block = l->in_width / l->groups;
  const bool turned = l->kind == NL_LINEAR_CONV_TRANSPOSE;
  for (size_t o = 0; o < l->out_width; o++) {
    const size_t first = turned ? o / out_block * in_block : 0;
    const double *row = tensor + (turned ? o % out_block : o) * l->out_stride;
    for (size_t i = 0; i < in_block; i++)
      for (size_t k = 0; k < l->kernel_size; k++) *weights++ = l->alpha * row[(first + i) * l->in_stride + k];
  }
}

static nl_status load_bias(double **bias, const nl_channels *channels, const nl_linear *l, nl_arena *arena,
                           nl_error *error) {
  *bias = NULL;
  if (l->bias.node == NL_NONE) return NL_OK;
  NL_TAKE(arena, *bias, double, l->out_width, error);
  if (!l->has_bias) return NL_OK;
  const nl_tensor *tensor = constant_at(channels, l->bias);
  if (tensor == NULL || tensor->count != l->out_width)
    return nl_fail_span(error, NL_ERROR_SHAPE, channels->graph->nodes[l->node].name, "its bias has another width");
  NL_TRY(nl_tensor_read(tensor, *bias, error));
  for (size_t o = 0; o < l->out_width; o++) (*bias)[o] *= l->beta;
  return NL_OK;
}

nl_status nl_narrow_load(nl_narrow_linear *out, const nl_channels *channels, size_t linear, nl_arena *arena,
                         nl_error *error) {
  const nl_linear *l = &channels->linears[linear];
  const nl_tensor *tensor = constant_at(channels, l->weights);
  const size_t count = l->out_width * (l->in_width / l->groups) * l->kernel_size;
  if (tensor == NULL || tensor->count != count)
    return nl_fail_span(error, NL_ERROR_SHAPE, channels->graph->nodes[l->node].name, "its weights have another size");
  nl_narrow_linear loaded = {.out = l->out_width, .in = l->in_width};
  nl_arena scratch = {0};
  double *elements = nl_arena_take(&scratch, count, sizeof *elements);
  nl_status status = elements != NULL ? nl_tensor_read(tensor, elements, error)
                                      : nl_fail_count(error, NL_ERROR_MEMORY, NULL, count * sizeof *elements, 0);
  loaded.weights = nl_arena_take(arena, count, sizeof *loaded.weights);
  if (status == NL_OK && loaded.weights == NULL)
    status = nl_fail_count(error, NL_ERROR_MEMORY, NULL, count * sizeof *elements, 0);
  if (status == NL_OK) gather_weights(l, elements, loaded.weights);
  nl_arena_free(&scratch);
  NL_TRY(status);
  NL_TRY(load_bias(&loaded.bias, channels, l, arena, error));
  *out = loaded;
  return NL_OK;
}

// ---- rows: R -------------------------------------------------------------------------------------------------------------

// Moves the kept rows to the front.
static nl_status pick_rows(nl_narrow_linear *l, size_t row, const nl_channels *channels, const nl_lumping *lumpings,
                           const nl_axis *axis, nl_arena *arena, nl_error *error) {
  size_t *kept;
  const size_t count = nl_narrow_length(channels, lumpings, axis);
  NL_TAKE(arena, kept, size_t, count, error);
  nl_narrow_kept(channels, lumpings, axis, kept);
  for (size_t o = 0; o < count; o++) {
    memmove(l->weights + o * row, l->weights + kept[o] * row, row * sizeof *l->weights);
    if (l->bias != NULL) l->bias[o] = l->bias[kept[o]];
  }
  l->out = count;
  return NL_OK;
}

// ---- columns: P and p ----------------------------------------------------------------------------------------------------

// A block of rows that read the same channels: all of them, or one group's.
typedef struct fold {
  size_t rows, kernel;
  size_t first, width;             // which channels it reads, before
  size_t first_after, width_after; // and after
  const double *weights;           // (rows, width, kernel)
  double *folded;                  // (rows, width_after, kernel)
  double *bias;                    // (rows) or NULL
  size_t *unit;                    // (n) see split_units
  double *mixed, *spread;          // (rows, n), (n, k): columns of the channels that are spread, their rows of P
  double *product, *work;          // (rows, k), nl_matmul_f64_work()
} fold;

static void copy_tile(const fold *f, const tile *t) {
  const size_t begin = t->before > f->first ? t->before : f->first, end = f->first + f->width;
  const size_t stop = t->before + t->length < end ? t->before + t->length : end;
  const size_t after = t->after + (begin - t->before) - f->first_after;
  for (size_t r = 0; r < f->rows; r++)
    memcpy(f->folded + (r * f->width_after + after) * f->kernel,
           f->weights + (r * f->width + begin - f->first) * f->kernel, (stop - begin) * f->kernel * sizeof(double));
}

// unit (n): the j of channels that become channel j and nothing else (P_cj = 1, the others 0); NL_NONE for those that are
// spread over the kept ones, whose rows of P go to `spread`. Returns how many those are.
static size_t split_units(const fold *f, const nl_lumping *lumping) {
  size_t spread = 0;
  for (size_t c = 0; c < lumping->n; c++) {
    const double *row = lumping->prolongation + c * lumping->k;
    size_t nonzero = 0, last = 0;
    for (size_t j = 0; j < lumping->k; j++) {
      if (row[j] == 0) continue;
      nonzero++;
      last = j;
    }
    f->unit[c] = nonzero == 1 && row[last] == 1 ? last : NL_NONE;
    if (f->unit[c] == NL_NONE) memcpy(f->spread + spread++ * lumping->k, row, lumping->k * sizeof *row);
  }
  return spread;
}

// product (rows, k) = W P for one column of each channel; `from` is that of the first row's first channel.
static void multiply(const fold *f, const nl_lumping *lumping, size_t spread, const double *from, size_t columns) {
  const size_t k = lumping->k, row = f->width * f->kernel;
  double *mixed = f->mixed;
  memset(f->product, 0, f->rows * k * sizeof *f->product);
  for (size_t r = 0; r < f->rows; r++)
    for (size_t c = 0; c < lumping->n; c++) {
      const double weight = from[r * row + c * columns];
      if (f->unit[c] == NL_NONE)
        *mixed++ = weight;
      else
        f->product[r * k + f->unit[c]] += weight;
    }
  nl_matmul_f64(f->rows, k, spread, f->mixed, spread, 1, f->spread, k, 1, f->product, k, f->work);
}

// W'_j = Σ_c W_c P_cj for each of the run * kernel columns a channel has.
static void fold_tile(const fold *f, const tile *t) {
  const size_t columns = t->run * f->kernel, k = t->lumping->k, spread = split_units(f, t->lumping);
  for (size_t c = 0; c < columns; c++) {
    double *to = f->folded + (t->after - f->first_after) * f->kernel + c;
    multiply(f, t->lumping, spread, f->weights + (t->before - f->first) * f->kernel + c, columns);
    for (size_t r = 0; r < f->rows; r++)
      for (size_t j = 0; j < k; j++) to[(r * f->width_after * f->kernel) + j * columns] = f->product[r * k + j];
  }
}

// b' = b + Σ_c W_c p_c over every column of a channel
static void fold_offset(const fold *f, const tile *t) {
  const size_t columns = t->run * f->kernel;
  for (size_t r = 0; r < f->rows; r++) {
    const double *row = f->weights + (r * f->width + t->before - f->first) * f->kernel;
    for (size_t u = 0; u < t->lumping->n; u++)
      for (size_t c = 0; c < columns && t->lumping->offset[u] != 0; c++)
        f->bias[r] += row[u * columns + c] * t->lumping->offset[u];
  }
}

// False when a tile that changes reaches beyond the block.
static bool fold_block(const fold *f, const tile *tiles, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const tile *t = &tiles[i];
    const size_t end = t->before + t->length, block_end = f->first + f->width;
    if (end <= f->first || t->before >= block_end) continue;
    if (t->lumping == NULL) {
      copy_tile(f, t);
      continue;
    }
    if (t->before < f->first || end > block_end) return false;
    fold_tile(f, t);
    if (f->bias != NULL && t->lumping->offset != NULL) fold_offset(f, t);
  }
  return true;
}

static nl_status take_scratch(fold *f, const tile *tiles, size_t count, nl_arena *scratch, nl_error *error) {
  size_t n = 0, k = 0;
  for (size_t i = 0; i < count; i++) {
    const nl_lumping *lumping = tiles[i].lumping;
    if (lumping != NULL && lumping->n > n) n = lumping->n;
    if (lumping != NULL && lumping->k > k) k = lumping->k;
  }
  NL_TAKE(scratch, f->unit, size_t, n, error);
  NL_TAKE(scratch, f->mixed, double, f->rows *n, error);
  NL_TAKE(scratch, f->spread, double, n *k, error);
  NL_TAKE(scratch, f->product, double, f->rows *k, error);
  NL_TAKE(scratch, f->work, double, nl_matmul_f64_work(), error);
  return NL_OK;
}

// l: rows picked already, columns as they were.
static nl_status fold_columns(nl_narrow_linear *l, const nl_channels *channels, const nl_lumping *lumpings,
                              const nl_linear *linear, double *folded, nl_arena *scratch, nl_error *error) {
  tile *tiles = NULL;
  size_t count = 0;
  NL_TRY(list_tiles(channels, lumpings, &linear->in, scratch, &tiles, &count, error));
  const size_t groups = linear->groups, in_after = nl_narrow_length(channels, lumpings, &linear->in);
  fold f = {.rows = l->out / groups,
            .kernel = linear->kernel_size,
            .width = linear->in_width / groups,
            .width_after = in_after / groups,
            .weights = l->weights,
            .folded = folded,
            .bias = l->bias};
  NL_TRY(take_scratch(&f, tiles, count, scratch, error));
  bool fits = l->out % groups == 0 && in_after % groups == 0;
  for (size_t g = 0; g < groups && fits; g++) {
    fits = fold_block(&f, tiles, count);
    f.first += f.width;
    f.first_after += f.width_after;
    f.weights += f.rows * f.width * f.kernel;
    f.folded += f.rows * f.width_after * f.kernel;
    if (f.bias != NULL) f.bias += f.rows;
  }
  if (!fits)
    return nl_fail_span(error, NL_ERROR_SHAPE, channels->graph->nodes[linear->node].name,
                        "its groups would not stay alike");
  l->weights = folded;
  l->in = in_after;
  return NL_OK;
}

static nl_status compensate(nl_narrow_linear *out, const nl_channels *channels, const nl_lumping *lumpings,
                            size_t linear, nl_arena *arena, nl_arena *scratch, nl_error *error) {
  const nl_linear *source = &channels->linears[linear];
  nl_narrow_linear l = {0};
  NL_TRY(nl_narrow_load(&l, channels, linear, scratch, error));
  const size_t row = source->in_width / source->groups * source->kernel_size;
  NL_TRY(pick_rows(&l, row, channels, lumpings, &source->out, scratch, error));
  const size_t in_after = nl_narrow_length(channels, lumpings, &source->in);
  double *folded, *bias = NULL;
  NL_TAKE(arena, folded, double, l.out *(in_after / source->groups) * source->kernel_size, error);
  NL_TRY(fold_columns(&l, channels, lumpings, source, folded, scratch, error));
  if (l.bias != NULL) {
    NL_TAKE(arena, bias, double, l.out, error);
    memcpy(bias, l.bias, l.out * sizeof *bias);
  }
  *out = (nl_narrow_linear){l.out, l.in, folded, bias};
  return NL_OK;
}

nl_status nl_narrow_compensate(nl_narrow_linear *out, const nl_channels *channels, const nl_lumping *lumpings,
                               size_t linear, nl_arena *arena, nl_error *error) {
  nl_arena scratch = {0};
  const nl_status status = compensate(out, channels, lumpings, linear, arena, &scratch, error);
  nl_arena_free(&scratch);
  return status;
}
