#include "linear_update.h"

#include <string.h>

#include "kernels/kernels.h"

enum { LEAST_ROWS = 32 }; // fewer at once pay for reading the panel

nl_status nl_symmetric_take(nl_symmetric *out, size_t n, double *upper, size_t stride, size_t room, nl_arena *arena,
                            nl_error *error) {
  *out = (nl_symmetric){.upper = upper, .stride = stride, .room = room, .width = n};
  NL_TAKE(arena, out->diagonal, double, n, error);
  NL_TAKE(arena, out->left, double, room *n, error);
  NL_TAKE(arena, out->right, double, room *n, error);
  NL_TAKE(arena, out->at, size_t, n, error);
  return NL_OK;
}

void nl_symmetric_start(nl_symmetric *s, size_t n) {
  s->n = s->kept = n;
  s->waiting = s->settled = 0;
  for (size_t i = 0; i < n; i++) {
    s->at[i] = i;
    s->diagonal[i] = s->upper[i * s->stride + i];
  }
}

void nl_symmetric_column(const nl_symmetric *s, size_t p, double *column) {
  for (size_t i = 0; i < p; i++) column[i] = s->upper[i * s->stride + p];
  memcpy(column + p, s->upper + p * s->stride + p, (s->n - p) * sizeof *column);
  for (size_t t = 0; t < s->waiting; t++) nl_axpy_f64(s->n, s->left[t * s->width + p], s->right + t * s->width, column);
}

void nl_symmetric_add(nl_symmetric *s) {
  const double *left = s->left + s->waiting * s->width, *right = s->right + s->waiting * s->width;
  for (size_t i = 0; i < s->n; i++) s->diagonal[i] += left[i] * right[i];
  s->waiting++;
}

void nl_symmetric_drop(nl_symmetric *s, size_t position) { s->at[position] = s->at[--s->kept]; }

bool nl_symmetric_settle(nl_symmetric *s, size_t most, size_t *done, double *work) {
  const size_t first = s->settled, wide = s->n - first;
  size_t rows = most / (wide * s->waiting + 1);
  rows = rows < LEAST_ROWS ? LEAST_ROWS : rows;
  rows = rows < wide ? rows : wide;
  nl_matmul_upper_f64(rows, wide, s->waiting, s->left + first, 1, s->width, s->right + first, s->width, 1,
                      s->upper + first * (s->stride + 1), s->stride, work);
  *done = rows * wide * s->waiting;
  s->settled += rows;
  if (s->settled < s->n) return false;
  s->waiting = s->settled = 0;
  return true;
}

static double *entry(const nl_symmetric *s, size_t i, size_t j) {
  return i < j ? s->upper + i * s->stride + j : s->upper + j * s->stride + i;
}

// A row that moves comes from beyond those kept, where nothing is written.
void nl_symmetric_compact(nl_symmetric *s) {
  for (size_t i = 0; i < s->kept; i++) {
    const size_t from = s->at[i];
    if (from == i) continue;
    s->diagonal[i] = s->diagonal[from];
    for (size_t j = 0; j < s->kept; j++) *entry(s, i, j) = *entry(s, from, s->at[j]);
  }
  for (size_t i = 0; i < s->kept; i++) s->at[i] = i;
  s->n = s->kept;
}
