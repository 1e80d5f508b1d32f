#include "project.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "project_parts.h"

// The inverse is computed anew once its largest entry has fallen by this factor: what was subtracted took its digits.
static const double refresh_factor = 1e-4;

enum {
  WORK_PER_STEP = 20000000, // multiplications: some 20 ms
  FEW_UNITS = 256,          // up to which W itself is kept
  FEW_CONSUMERS = 16        // or for up to one consumer to so many units
};

// ---- create and free --------------------------------------------------------------------------------------------------------

static nl_status take_all(nl_elimination *e, nl_error *error) {
  const size_t n = e->n, m = e->m;
  nl_arena *arena = &e->arena;
  double *product;
  NL_TAKE(arena, e->order, size_t, n, error);
  NL_TAKE(arena, e->deviation, double, n, error);
  NL_TAKE(arena, e->square, double, n *(n + 1), error);
  NL_TAKE(arena, e->panel, double, n *NL_STRIPE, error);
  NL_TAKE(arena, e->tile, double, NL_STRIPE *NL_STRIPE, error);
  NL_TAKE(arena, e->work, double, nl_matmul_f64_work(), error);
  NL_TAKE(arena, e->unit, size_t, n, error);
  NL_TAKE(arena, e->current, double, n *m + 1, error);
  NL_TAKE(arena, e->column, double, n, error);
  NL_TRY(nl_symmetric_take(&e->inverse, n, e->square + 1, n + 1, NL_UPDATE_ROOM, arena, error));
  if (!e->paired) {
    NL_TAKE(arena, e->power, double, n, error);
    return NL_OK;
  }
  NL_TAKE(arena, product, double, n *n, error);
  return nl_symmetric_take(&e->product, n, product, n, 2 * NL_UPDATE_ROOM, arena, error);
}

nl_status nl_elimination_create(nl_elimination **out, size_t n, const double *second, size_t m, double *weights,
                                double scale, nl_error *error) {
  nl_elimination *e = calloc(1, sizeof *e);
  if (e == NULL) {
    free(weights);
    return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *e, 0);
  }
  e->n = n;
  e->m = m;
  e->second = second;
  e->weights = weights;
  e->scale = scale > 0 ? scale : 1.0;
  e->paired = n > FEW_UNITS && m > n / FEW_CONSUMERS;
  const nl_status status = take_all(e, error);
  if (status != NL_OK) {
    nl_elimination_free(e);
    return status;
  }
  *out = e;
  return NL_OK;
}

void nl_elimination_free(nl_elimination *e) {
  if (e == NULL) return;
  free(e->weights);
  nl_arena_free(&e->arena);
  free(e);
}

// ---- one unit ---------------------------------------------------------------------------------------------------------------

static size_t cheapest(const nl_elimination *e, double *cost) {
  const double *power = e->paired ? e->product.diagonal : e->power;
  size_t best = 0;
  *cost = INFINITY;
  for (size_t p = 0; p < e->inverse.kept; p++) {
    const size_t row = e->inverse.at[p];
    const double c = fmax(power[row], 0.0) / e->inverse.diagonal[row]; // rounding of K may have passed 0
    if (c < *cost) {
      *cost = c;
      best = p;
    }
  }
  return best;
}

// w_i += share_i w_row for all that are left
static void compensate_weights(nl_elimination *e, size_t row, const double *share) {
  const size_t m = e->m;
  for (size_t p = 0; p < e->inverse.kept; p++) {
    const size_t i = e->inverse.at[p];
    double *w = e->current + i * m;
    nl_axpy_f64(m, share[i], e->current + row * m, w);
    e->power[i] = nl_dot_f64(m, w, w);
  }
}

// What that does to K, k being its column and κ = k_row: K += share kᵀ + k shareᵀ + κ share shareᵀ
static void compensate_product(nl_elimination *e, size_t row, const double *share) {
  nl_symmetric *s = &e->product;
  double *left = s->left + s->waiting * s->width, *right = s->right + s->waiting * s->width, *half = e->column;
  nl_symmetric_column(s, row, half);
  const double power = half[row];
  for (size_t i = 0; i < s->n; i++) half[i] += 0.5 * power * share[i];
  memcpy(left, share, s->n * sizeof *left);
  memcpy(right, half, s->n * sizeof *right);
  nl_symmetric_add(s);
  memcpy(left + s->width, half, s->n * sizeof *left);
  memcpy(right + s->width, share, s->n * sizeof *right);
  nl_symmetric_add(s);
}

// Rows and units move to where H has them.
static void gather(nl_elimination *e) {
  for (size_t p = 0; p < e->inverse.kept; p++) {
    const size_t row = e->inverse.at[p];
    if (row == p) continue;
    e->unit[p] = e->unit[row];
    if (e->stage != STAGE_REMOVE || e->paired) continue;
    e->power[p] = e->power[row];
    memcpy(e->current + p * e->m, e->current + row * e->m, e->m * sizeof *e->current);
  }
}

void nl_elimination_settle(nl_elimination *e, size_t *work) {
  size_t done = 0;
  const bool product = e->product.waiting > 0;
  const bool settled =
      nl_symmetric_settle(product ? &e->product : &e->inverse, NL_ELIMINATION_PRODUCT * WORK_PER_STEP, &done, e->work);
  *work += done / NL_ELIMINATION_PRODUCT;
  if (!settled || product) return;
  gather(e);
  nl_symmetric_compact(&e->inverse);
  if (e->stage == STAGE_REMOVE && e->paired) nl_symmetric_compact(&e->product);
  e->settling = false;
}

static void remove_cheapest(nl_elimination *e, size_t *work) {
  nl_symmetric *h = &e->inverse;
  double cost = 0, largest = 0;
  const size_t position = cheapest(e, &cost), row = h->at[position];
  double *share = h->left + h->waiting * h->width, *column = h->right + h->waiting * h->width;
  nl_symmetric_column(h, row, column);
  const double pivot = column[row];
  for (size_t i = 0; i < h->n; i++) share[i] = -column[i] / pivot;
  nl_symmetric_drop(h, position);
  *work += h->n * (3 * h->waiting + 8);
  if (e->paired) {
    compensate_product(e, row, share);
    nl_symmetric_drop(&e->product, position);
  } else {
    compensate_weights(e, row, share);
    *work += 2 * h->kept * e->m;
  }
  nl_symmetric_add(h);
  e->error += fmax(cost, 0.0);
  e->order[e->gone] = e->unit[row];
  e->deviation[e->gone++] = sqrt(e->error / e->scale);
  for (size_t p = 0; p < h->kept; p++) largest = fmax(largest, h->diagonal[h->at[p]]);
  if (h->kept <= 1) return;
  if (largest < refresh_factor * e->largest) {
    gather(e);
    e->stage = STAGE_FACTOR;
    e->outer = e->inner = 0;
  } else
    e->settling = h->waiting == h->room;
}

static void finish(nl_elimination *e) {
  e->order[e->n - 1] = e->unit[e->inverse.at[0]];
  e->deviation[e->n - 1] = INFINITY;
  e->stage = STAGE_DONE;
}

nl_status nl_elimination_step(nl_elimination *e, double *progress, nl_error *error) {
  for (size_t work = 0; e->stage != STAGE_DONE && work < WORK_PER_STEP;) {
    if (e->settling)
      nl_elimination_settle(e, &work);
    else if (e->stage != STAGE_REMOVE)
      NL_TRY(nl_elimination_set_up(e, &work, error));
    else if (e->inverse.kept > 1)
      remove_cheapest(e, &work);
    else
      finish(e);
  }
  const double left = (double)e->inverse.kept / (double)e->n;
  const double told = e->stage < STAGE_REMOVE ? (double)e->stage / STAGE_REMOVE : 2.0 - left * left * left;
  *progress = e->share = fmax(e->share, e->stage == STAGE_DONE ? 1.0 : 0.5 * told);
  return e->stage == STAGE_DONE ? NL_OK : NL_MORE;
}

const size_t *nl_elimination_order(const nl_elimination *e) { return e->order; }
const double *nl_elimination_deviation(const nl_elimination *e) { return e->deviation; }

nl_status nl_project(size_t n, const double *second, const double *mean, bool affine, size_t k, const size_t *kept,
                     double *prolongation, double *offset, nl_error *error) {
  const size_t room = nl_matmul_f64_work() + nl_cholesky_blocks_work(k);
  double *work = malloc((room + k * k + k * n) * sizeof *work);
  if (work == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, (room + k * k + k * n) * sizeof *work, 0);
  double *factor = work + room, *solution = factor + k * k; // (k, n)
  double trace = 0;
  for (size_t i = 0; i < k; i++) trace += second[kept[i] * n + kept[i]];
  double ridge = NL_PROJECT_RIDGE * trace / (double)k + 1e-300;
  bool fine = false;
  for (int attempt = 0; attempt < 12 && !fine; attempt++, ridge *= 10) {
    for (size_t i = 0; i < k; i++)
      for (size_t j = 0; j < k; j++) factor[i * k + j] = second[kept[i] * n + kept[j]];
    fine = nl_cholesky_blocks(k, factor, ridge, work);
  }
  if (!fine) {
    free(work);
    return nl_fail(error, NL_ERROR_NOT_FINITE, "activations", NULL);
  }
  for (size_t i = 0; i < k; i++) memcpy(solution + i * n, second + kept[i] * n, n * sizeof *second);
  nl_cholesky_solve_blocks(k, factor, n, solution, work);
  for (size_t u = 0; u < n; u++) {
    offset[u] = affine ? mean[u] : 0.0;
    for (size_t i = 0; i < k; i++) prolongation[u * k + i] = solution[i * n + u];
  }
  for (size_t i = 0; i < k; i++) // a kept unit stands for itself, to the last bit
    for (size_t j = 0; j < k; j++) prolongation[kept[i] * k + j] = i == j ? 1.0 : 0.0;
  for (size_t u = 0; affine && u < n; u++)
    for (size_t i = 0; i < k; i++) offset[u] -= prolongation[u * k + i] * mean[kept[i]];
  for (size_t i = 0; i < k; i++) offset[kept[i]] = 0.0;
  free(work);
  return NL_OK;
}
