// partition_distance: which pairs of neurons are near. Pairs are taken in tiles, and a tile chunk by chunk of columns, so that
// rows stay in the cache; a pair leaves as soon as the sum so far and the triangle inequality through the columns' means
//     |tail_i − tail_j| <= Σ_rest |row_i − row_j| <= tail_i + tail_j
// decide it. Wide layers go through whole numbers of 16 bits first (three times as many in a register as it takes to load two doubles);
// their distance is off by at most the two rows' own rounding, so only pairs that close to ε are measured in full.
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "partition_parts.h"

enum { TILE = 32, COARSE_CHUNKS = 4 }; // chunks between two looks at coarse sums

static const double relative_slack = 1e-9;
static const double coarse_from = 2147483648.0; // numbers in all pairs of rows

static size_t chunks_of(const nl_signatures *s) { return (s->m + NL_SIGNATURE_CHUNK - 1) / NL_SIGNATURE_CHUNK; }

static size_t chunk_width(const nl_signatures *s, size_t chunk) {
  const size_t start = chunk * NL_SIGNATURE_CHUNK;
  return s->m - start < NL_SIGNATURE_CHUNK ? s->m - start : NL_SIGNATURE_CHUNK;
}

double nl_signatures_apart(const nl_signatures *s, size_t i, double sign, size_t j) {
  return nl_distance_f64(s->m, s->values + i * s->m, sign, s->values + j * s->m);
}

// ---- columns and tails --------------------------------------------------------------------------------------------------

typedef struct column {
  double spread;
  size_t index;
} column;

static int compare_columns(const void *left, const void *right) {
  const column *a = left, *b = right;
  if (a->spread != b->spread) return a->spread < b->spread ? 1 : -1;
  return a->index < b->index ? -1 : a->index > b->index;
}

static void measure_columns(const nl_signatures *s, double *mean, column *columns) {
  for (size_t i = 0; i < s->n && !s->any_sign; i++) nl_axpy_f64(s->m, 1.0, s->values + i * s->m, mean);
  for (size_t c = 0; c < s->m; c++) {
    mean[c] /= (double)(s->n > 0 ? s->n : 1);
    columns[c] = (column){.index = c};
  }
  for (size_t i = 0; i < s->n; i++)
    for (size_t c = 0; c < s->m; c++) columns[c].spread += fabs(s->values[i * s->m + c] - mean[c]);
}

static void permute(const nl_signatures *s, const column *columns, double *row) {
  for (size_t i = 0; i < s->n; i++) {
    double *values = s->values + i * s->m;
    for (size_t c = 0; c < s->m; c++) row[c] = values[columns[c].index];
    memcpy(values, row, s->m * sizeof *row);
  }
}

// The columns' middles; half the widest column's range.
static double half_range(const nl_signatures *s, double *middle, double *work) {
  double widest = 0;
  for (size_t c = 0; c < s->m; c++) {
    middle[c] = s->n > 0 ? s->values[c] : 0; // lowest
    work[c] = middle[c];                     // highest
  }
  for (size_t i = 0; i < s->n; i++)
    for (size_t c = 0; c < s->m; c++) {
      const double value = s->values[i * s->m + c];
      middle[c] = fmin(middle[c], value);
      work[c] = fmax(work[c], value);
    }
  for (size_t c = 0; c < s->m; c++) {
    const double half = s->any_sign ? fmax(fabs(middle[c]), fabs(work[c])) : 0.5 * (work[c] - middle[c]);
    middle[c] = s->any_sign ? 0.0 : middle[c] + half;
    widest = fmax(widest, half);
  }
  return widest;
}

static void round_rows(nl_signatures *s, const double *middle) {
  for (size_t i = 0; i < s->n; i++) {
    double off = 0, size = 0;
    for (size_t c = 0; c < s->m; c++) {
      const double value = s->values[i * s->m + c] - middle[c], whole = nearbyint(value / s->step);
      s->coarse[i * s->m + c] = (uint16_t)(whole + 32768.0);
      if (s->flipped != NULL) s->flipped[i * s->m + c] = (uint16_t)(32768.0 - whole);
      off += fabs(value - s->step * whole);
      size += fabs(value);
    }
    s->off[i] = off * (1 + 1e-9) + 1e-12 * size; // and the rounding of these sums themselves
  }
}

static nl_status take_coarse(nl_signatures *s, double *middle, double *work, nl_arena *arena, nl_error *error) {
  if ((double)s->n * (double)s->n * (double)s->m < coarse_from) return NL_OK;
  s->step = half_range(s, middle, work) / 32767.0;
  if (!(s->step > 1e-290 && s->step < 1e290)) return NL_OK;
  NL_TAKE(arena, s->coarse, uint16_t, s->n * s->m, error);
  if (s->any_sign) NL_TAKE(arena, s->flipped, uint16_t, s->n * s->m, error);
  NL_TAKE(arena, s->off, double, s->n, error);
  round_rows(s, middle);
  return NL_OK;
}

nl_status nl_signatures_finish(nl_signatures *s, nl_arena *arena, nl_error *error) {
  nl_arena work = {0};
  double *mean = nl_arena_take(&work, s->m + 1, sizeof *mean), *row = nl_arena_take(&work, s->m + 1, sizeof *row);
  column *columns = nl_arena_take(&work, s->m + 1, sizeof *columns);
  const size_t chunks = chunks_of(s);
  s->tail = nl_arena_take(arena, s->n * (chunks + 1) + 1, sizeof *s->tail);
  s->column = nl_arena_take(arena, s->m + 1, sizeof *s->column);
  const bool fine = mean != NULL && row != NULL && columns != NULL && s->tail != NULL && s->column != NULL;
  if (fine) {
    measure_columns(s, mean, columns);
    qsort(columns, s->m, sizeof *columns, compare_columns);
    permute(s, columns, row);
    for (size_t c = 0; c < s->m; c++) row[c] = mean[s->column[c] = columns[c].index];
    for (size_t i = 0; i < s->n; i++)
      for (size_t k = chunks; k-- > 0;) {
        const size_t start = k * NL_SIGNATURE_CHUNK;
        s->tail[i * (chunks + 1) + k] =
            s->tail[i * (chunks + 1) + k + 1] +
            nl_distance_f64(chunk_width(s, k), s->values + i * s->m + start, 1.0, row + start);
      }
  }
  const nl_status status = fine ? take_coarse(s, mean, row, arena, error)
                                : nl_fail_count(error, NL_ERROR_MEMORY, NULL, (s->m + s->n) * sizeof(double), 0);
  nl_arena_free(&work);
  return status;
}

// ---- tiles --------------------------------------------------------------------------------------------------------------

typedef struct pair {
  size_t i, j;
  double sum, flipped; // Σ |row i − row j|, Σ |row i + row j| so far; of coarse numbers first
} pair;

typedef struct scan {
  const nl_pairs *pairs;
  double epsilon;      // with its relative slack
  const nl_near *near; // or
  double *matrix;      // all distances
  double work;
  size_t count;
  pair tile[TILE * TILE];
} scan;

static double limit_of(const scan *s, const pair *p) {
  const double *slack = s->pairs->signatures.slack;
  return s->epsilon + slack[p->i] + slack[p->j];
}

static double sum_of(const nl_signatures *s, const pair *p) {
  return s->any_sign && p->flipped < p->sum ? p->flipped : p->sum;
}

static void keep_distance(scan *s, const pair *p, double distance) {
  const double *slack = s->pairs->signatures.slack;
  const size_t n = s->pairs->signatures.n;
  const double rest = (distance - slack[p->i] - slack[p->j]) / (1.0 + relative_slack);
  s->matrix[p->i * n + p->j] = s->matrix[p->j * n + p->i] = rest > 0 ? fmin(rest, DBL_MAX) : 0.0;
}

// A pair the signatures do not part.
static void settle(scan *s, const pair *p) {
  const nl_pairs *pairs = s->pairs;
  const double limit = s->matrix != NULL ? (double)INFINITY : limit_of(s, p);
  if (pairs->exact != NULL && pairs->cost > NL_PARTITION_WORK_MOST) s->work = pairs->cost; // one alone is too long
  if (s->work > NL_PARTITION_WORK_MOST) return;
  const double distance = pairs->exact != NULL ? pairs->exact(pairs->context, p->i, p->j, limit, &s->work)
                                               : pairs->signatures.factor * sum_of(&pairs->signatures, p);
  if (s->matrix != NULL)
    keep_distance(s, p, distance);
  else if (distance <= limit)
    s->near->near(s->near->context, p->i, p->j);
}

// True when the pair is through after the columns before `chunk`.
static bool decided(scan *s, const pair *p, size_t chunk) {
  const nl_signatures *g = &s->pairs->signatures;
  const size_t chunks = chunks_of(g);
  const double a = g->tail[p->i * (chunks + 1) + chunk], b = g->tail[p->j * (chunks + 1) + chunk];
  const double sum = sum_of(g, p), limit = limit_of(s, p);
  if (g->factor * (sum + fabs(a - b)) > limit) return true;
  if (s->pairs->exact != NULL || g->factor * (sum + a + b) > limit) return false;
  s->near->near(s->near->context, p->i, p->j);
  return true;
}

// As `decided`, of coarse sums.
static bool sifted(scan *s, const pair *p, size_t chunk) {
  const nl_signatures *g = &s->pairs->signatures;
  const size_t chunks = chunks_of(g);
  const double a = g->tail[p->i * (chunks + 1) + chunk], b = g->tail[p->j * (chunks + 1) + chunk];
  const double sum = g->step * sum_of(g, p), off = g->off[p->i] + g->off[p->j], limit = limit_of(s, p);
  if (g->factor * (sum - off + fabs(a - b)) > limit) return true;
  if (s->pairs->exact != NULL || g->factor * (sum + off + a + b) > limit) return false;
  s->near->near(s->near->context, p->i, p->j);
  return true;
}

static void sift_tile(scan *s) {
  const nl_signatures *g = &s->pairs->signatures;
  const size_t chunks = chunks_of(g);
  for (size_t chunk = 0; s->count > 0; chunk += COARSE_CHUNKS) {
    const bool last = chunk >= chunks;
    const size_t start = chunk * NL_SIGNATURE_CHUNK, most = (size_t)COARSE_CHUNKS * NL_SIGNATURE_CHUNK;
    const size_t width = last ? 0 : g->m - start < most ? g->m - start : most;
    size_t left = 0;
    for (size_t k = 0; k < s->count; k++) {
      pair p = s->tile[k];
      if (sifted(s, &p, last ? chunks : chunk)) continue;
      const uint16_t *x = g->coarse + p.i * g->m + start;
      p.sum += last ? 0.0 : (double)nl_distance_u16(width, x, g->coarse + p.j * g->m + start);
      if (g->any_sign && !last) p.flipped += (double)nl_distance_u16(width, x, g->flipped + p.j * g->m + start);
      s->tile[left++] = p;
    }
    s->count = left;
    if (last) break;
  }
  for (size_t k = 0; k < s->count; k++) s->tile[k].sum = s->tile[k].flipped = 0;
}

static void advance(const nl_signatures *g, pair *p, size_t chunk) {
  const size_t start = chunk * NL_SIGNATURE_CHUNK, width = chunk_width(g, chunk);
  const double *x = g->values + p->i * g->m + start, *y = g->values + p->j * g->m + start;
  p->sum += nl_distance_f64(width, x, 1.0, y);
  if (g->any_sign) p->flipped += nl_distance_f64(width, x, -1.0, y);
}

static void scan_tile(scan *s) {
  const nl_signatures *g = &s->pairs->signatures;
  const size_t chunks = s->matrix != NULL && s->pairs->exact != NULL ? 0 : chunks_of(g);
  for (size_t chunk = 0; chunk < chunks; chunk++) {
    size_t left = 0;
    for (size_t k = 0; k < s->count; k++) {
      pair p = s->tile[k];
      if (s->matrix == NULL && decided(s, &p, chunk)) continue;
      advance(g, &p, chunk);
      s->tile[left++] = p;
    }
    s->count = left;
  }
  for (size_t k = 0; k < s->count; k++) {
    const pair *p = &s->tile[k];
    if (s->near != NULL && s->near->skip != NULL && s->near->skip(s->near->context, p->i, p->j)) continue;
    if (s->matrix == NULL && s->pairs->signatures.factor * sum_of(g, p) > limit_of(s, p)) continue;
    settle(s, p);
  }
}

static void gather_tile(scan *s, size_t first, size_t second) {
  const size_t n = s->pairs->signatures.n;
  s->count = 0;
  for (size_t i = first; i < first + TILE && i < n; i++)
    for (size_t j = second > i ? second : i + 1; j < second + TILE && j < n; j++)
      if (s->near == NULL || s->near->skip == NULL || !s->near->skip(s->near->context, i, j))
        s->tile[s->count++] = (pair){.i = i, .j = j};
}

static nl_status scan_all(scan *s, nl_error *error) {
  const size_t n = s->pairs->signatures.n;
  for (size_t first = 0; first < n; first += TILE)
    for (size_t second = first; second < n; second += TILE) {
      gather_tile(s, first, second);
      if (s->matrix == NULL && s->pairs->signatures.coarse != NULL) sift_tile(s);
      scan_tile(s);
      if (s->work > NL_PARTITION_WORK_MOST)
        return nl_fail_count(error, NL_ERROR_LIMIT, "multiplications of the polynomials' distances",
                             (uint64_t)NL_PARTITION_WORK_MOST, (uint64_t)s->work);
    }
  return NL_OK;
}

static nl_status run(const nl_pairs *pairs, double epsilon, const nl_near *near, double *matrix, nl_error *error) {
  scan *s = malloc(sizeof *s);
  if (s == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *s, 0);
  s->pairs = pairs;
  s->epsilon = epsilon * (1.0 + relative_slack);
  s->near = near;
  s->matrix = matrix;
  s->work = 0;
  const nl_status status = scan_all(s, error);
  free(s);
  return status;
}

nl_status nl_pairs_near(const nl_pairs *pairs, double epsilon, const nl_near *visitor, nl_error *error) {
  return run(pairs, epsilon, visitor, NULL, error);
}

nl_status nl_pairs_matrix(const nl_pairs *pairs, double *matrix, nl_error *error) {
  return run(pairs, 0.0, NULL, matrix, error);
}
