// linear_update: a symmetric matrix that takes its changes lazily. Changes of rank 1 wait in a panel until one matrix product
// adds them all, so that n of them cost what a product costs and not n passes over memory. Meanwhile a column that is
// asked for is brought up to date alone; the diagonal always is. Rows that have been dropped are out once the matrix is compacted.
#ifndef NL_LINEAR_UPDATE_H
#define NL_LINEAR_UPDATE_H

#include <stdbool.h>

#include "arena.h"

enum { NL_UPDATE_ROOM = 64 }; // changes that may wait, at least

typedef struct nl_symmetric {
  size_t n;         // rows, those dropped included
  double *upper;    // (n, n) upper triangle, rows `stride` apart, without what waits
  double *diagonal; // (n) with it
  size_t stride;
  size_t room, waiting; // changes
  double *left, *right; // (room, width): the matrix is upper + Σ leftᵢᵀ rightᵢ
  size_t width;
  size_t settled; // rows of `upper` that what waits was added to
  size_t kept;    // rows not dropped
  size_t *at;     // (kept) which; the last one takes the place of one dropped
} nl_symmetric;

// For up to n rows and `room` changes; `upper` is the caller's.
nl_status nl_symmetric_take(nl_symmetric *out, size_t n, double *upper, size_t stride, size_t room, nl_arena *arena,
                            nl_error *error);
// upper (n, n) has been filled.
void nl_symmetric_start(nl_symmetric *s, size_t n);
// column (n): column p as of now
void nl_symmetric_column(const nl_symmetric *s, size_t p, double *column);
// Row `waiting` of left and right has been filled; what waits must sum to a symmetric matrix before the next column is read.
void nl_symmetric_add(nl_symmetric *s);
void nl_symmetric_drop(nl_symmetric *s, size_t position);
// Adds what waits to some more rows, for about `most` multiplications of which it does *done; true when all have it.
bool nl_symmetric_settle(nl_symmetric *s, size_t most, size_t *done, double *work);
// Rows at[0], at[1] ... become rows 0, 1 ...; nothing may wait.
void nl_symmetric_compact(nl_symmetric *s);

#endif
