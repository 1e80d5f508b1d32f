// lumping_partition: blocks of a layer -> (R, P, p).
#include <math.h>
#include <stdlib.h>

#include "lumping.h"

static double multiple(const nl_layer_blocks *b, size_t unit) { return b->scale != NULL ? b->scale[unit] : 1.0; }

// mean (blocks, in_width + 1): of the members' incoming weights and biases, each divided by its multiple
static void measure_means(const nl_chain_layer *layer, const nl_layer_blocks *b, const size_t *size, double *mean) {
  const size_t stride = layer->in_width + 1;
  for (size_t i = 0; i < layer->width; i++) {
    if (b->block_of[i] == NL_NONE) continue;
    double *row = mean + b->block_of[i] * stride;
    const double share = 1.0 / (multiple(b, i) * (double)size[b->block_of[i]]);
    for (size_t j = 0; j < layer->in_width; j++) row[j] += share * layer->weights[i * layer->in_width + j];
    row[layer->in_width] += share * layer->bias[i];
  }
}

static double squared_distance(const nl_chain_layer *layer, size_t i, double scale, const double *mean) {
  const double bias = layer->bias[i] / scale - mean[layer->in_width];
  double sum = bias * bias;
  for (size_t j = 0; j < layer->in_width; j++) {
    const double apart = layer->weights[i * layer->in_width + j] / scale - mean[j];
    sum += apart * apart;
  }
  return sum;
}

static void choose_representatives(const nl_chain_layer *layer, const nl_layer_blocks *b, const double *mean,
                                   size_t *representative, double *least) {
  for (size_t k = 0; k < b->blocks; k++) least[k] = (double)INFINITY;
  for (size_t i = 0; i < layer->width; i++) {
    const size_t k = b->block_of[i];
    if (k == NL_NONE) continue;
    const double distance = squared_distance(layer, i, multiple(b, i), mean + k * (layer->in_width + 1));
    if (!(distance < least[k]) && least[k] < (double)INFINITY) continue;
    least[k] = distance;
    representative[k] = i;
  }
}

// The constant unit the others are multiples of, where no offset can hold them; NL_NONE: none has to stay.
static size_t constant_kept(size_t width, const nl_layer_blocks *b) {
  size_t best = NL_NONE;
  for (size_t i = 0; i < width && b->bound; i++)
    if (b->block_of[i] == NL_NONE && b->constant[i] != 0 &&
        (best == NL_NONE || fabs(b->constant[i]) > fabs(b->constant[best])))
      best = i;
  return best;
}

// column_of (blocks + 1): blocks in order of their representatives, the kept constant unit last; kept (k)
static void order_columns(size_t width, const nl_layer_blocks *b, size_t constant, const size_t *representative,
                          size_t *column_of, size_t *kept) {
  size_t column = 0;
  for (size_t i = 0; i < width; i++) {
    const size_t k = b->block_of[i];
    if (k == NL_NONE ? i != constant : representative[k] != i) continue;
    kept[column] = i;
    column_of[k == NL_NONE ? b->blocks : k] = column++;
  }
}

static nl_status check(nl_quotient_kind kind, const nl_chain_layer *layer, const nl_layer_blocks *b, nl_error *error) {
  if (kind != NL_QUOTIENT_FORWARD) return NL_OK;
  if (!layer->alike)
    return nl_fail(error, NL_ERROR_UNSUPPORTED, "forward quotient",
                   "a constant acts on each neuron by itself, so their sum has no place. Choose the adjoint encoding");
  if (b->scale != NULL || b->constant != NULL)
    return nl_fail(error, NL_ERROR_UNSUPPORTED, "forward quotient", "multiples do not sum. Choose the representative");
  return NL_OK;
}

typedef struct parts {
  size_t constant; // the constant unit that stays, or NL_NONE
  size_t *kept, *column_of, *size, *representative;
  double *restriction, *prolongation, *offset;
} parts;

static nl_status take_parts(parts *p, size_t n, size_t k, bool mixes, nl_arena *out, nl_arena *work, nl_error *error) {
  NL_TAKE(out, p->kept, size_t, k + 1, error);
  NL_TAKE(work, p->column_of, size_t, k + 2, error);
  NL_TAKE(work, p->size, size_t, k + 1, error);
  NL_TAKE(work, p->representative, size_t, k + 1, error);
  NL_TAKE(out, p->offset, double, n + 1, error);
  if (k > 0 && n > SIZE_MAX / k) return nl_no_memory(error, n, k);
  if (mixes) NL_TAKE(out, p->restriction, double, n *k + 1, error);
  NL_TAKE(out, p->prolongation, double, n *k + 1, error);
  return NL_OK;
}

static nl_status find_representatives(parts *p, const nl_chain_layer *layer, const nl_layer_blocks *b, nl_arena *work,
                                      nl_error *error) {
  double *mean, *least;
  if (b->blocks > 0 && layer->in_width > SIZE_MAX / 2 / b->blocks)
    return nl_no_memory(error, layer->in_width, 2 * b->blocks);
  NL_TAKE(work, mean, double, b->blocks *(layer->in_width + 1) + 1, error);
  NL_TAKE(work, least, double, b->blocks + 1, error);
  for (size_t i = 0; i < layer->width; i++)
    if (b->block_of[i] != NL_NONE) p->size[b->block_of[i]]++;
  measure_means(layer, b, p->size, mean);
  choose_representatives(layer, b, mean, p->representative, least);
  order_columns(layer->width, b, p->constant, p->representative, p->column_of, p->kept);
  return NL_OK;
}

static void fill(const parts *p, nl_quotient_kind kind, size_t n, size_t k, const nl_layer_blocks *b) {
  for (size_t i = 0; i < n; i++) {
    const size_t block = b->block_of[i];
    if (block == NL_NONE) {
      if (p->constant != NL_NONE)
        p->prolongation[i * k + p->column_of[b->blocks]] = b->constant[i] / b->constant[p->constant];
      else if (!b->bound)
        p->offset[i] = b->constant[i];
      continue;
    }
    const size_t column = p->column_of[block];
    const double share = 1.0 / (double)p->size[block];
    p->prolongation[i * k + column] =
        kind == NL_QUOTIENT_FORWARD ? share : multiple(b, i) / multiple(b, p->representative[block]);
    if (p->restriction != NULL) p->restriction[column * n + i] = kind == NL_QUOTIENT_FORWARD ? 1.0 : share;
  }
}

static nl_status build(nl_lumping *out, nl_arena *arena, nl_arena *work, nl_quotient_kind kind,
                       const nl_chain_layer *layer, const nl_layer_blocks *b, nl_error *error) {
  parts p = {.constant = constant_kept(layer->width, b)};
  const size_t n = layer->width, left = b->blocks + (p.constant != NL_NONE ? 1 : 0);
  const size_t k = left > 0 ? left : 1; // no layer of width 0
  const bool mixes = kind != NL_QUOTIENT_REPRESENTATIVE;
  NL_TRY(take_parts(&p, n, k, mixes, arena, work, error));
  NL_TRY(find_representatives(&p, layer, b, work, error));
  fill(&p, kind, n, k, b);
  *out = (nl_lumping){n, k, p.kept, p.restriction, p.prolongation, p.offset};
  return NL_OK;
}

nl_status nl_lumping_of_partition(nl_lumping *out, nl_arena *arena, nl_quotient_kind kind, const nl_chain_layer *layer,
                                  const nl_layer_blocks *blocks, nl_error *error) {
  NL_TRY(check(kind, layer, blocks, error));
  if (kind == NL_QUOTIENT_MEANS && (!layer->alike || blocks->scale != NULL || blocks->constant != NULL))
    kind = NL_QUOTIENT_REPRESENTATIVE;
  nl_arena work = {0};
  const nl_status status = build(out, arena, &work, kind, layer, blocks, error);
  nl_arena_free(&work);
  return status;
}
