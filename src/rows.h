// rows: the values of one step on all rows, (rows, width). Of large models they are kept in single precision, half the room, and widened
// some rows at a time.
#ifndef NL_ROWS_H
#define NL_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

typedef struct nl_rows {
  size_t width;
  double *wide;  // (rows, width); in single precision (most, width), the rows at hand
  float *single; // (rows, width), or NULL
} nl_rows;

// `most` rows at hand at once.
nl_status nl_rows_create(nl_rows **out, size_t rows, size_t width, size_t most, bool single, nl_error *error);
void nl_rows_free(nl_rows *rows);
// (count, width) from row `first` on: to read, until the next call.
double *nl_rows_read(nl_rows *rows, size_t first, size_t count);
// The same as it is kept in single precision.
const float *nl_rows_single(const nl_rows *rows, size_t first);
// (count, width) to be written, and then kept.
double *nl_rows_room(nl_rows *rows, size_t first);
void nl_rows_keep(nl_rows *rows, size_t first, size_t count);

#endif
