#include "rows.h"

#include <stdint.h>
#include <stdlib.h>

nl_status nl_rows_create(nl_rows **out, size_t rows, size_t width, size_t most, bool single, nl_error *error) {
  nl_rows *made = calloc(1, sizeof *made);
  if (made == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *made, 0);
  made->width = width;
  const size_t wide = single ? most : rows;
  if (width < SIZE_MAX / sizeof(double) / (rows + most + 1)) {
    made->wide = malloc((wide * width + 1) * sizeof *made->wide);
    if (single) made->single = malloc((rows * width + 1) * sizeof *made->single);
  }
  if (made->wide == NULL || (single && made->single == NULL)) {
    nl_rows_free(made);
    return nl_fail_count(error, NL_ERROR_MEMORY, NULL, (uint64_t)rows * width * sizeof(double), 0);
  }
  *out = made;
  return NL_OK;
}

void nl_rows_free(nl_rows *rows) {
  if (rows == NULL) return;
  free(rows->wide);
  free(rows->single);
  free(rows);
}

double *nl_rows_read(nl_rows *rows, size_t first, size_t count) {
  if (rows->single == NULL) return rows->wide + first * rows->width;
  for (size_t i = 0; i < count * rows->width; i++) rows->wide[i] = (double)rows->single[first * rows->width + i];
  return rows->wide;
}

const float *nl_rows_single(const nl_rows *rows, size_t first) { return rows->single + first * rows->width; }

double *nl_rows_room(nl_rows *rows, size_t first) {
  return rows->single == NULL ? rows->wide + first * rows->width : rows->wide;
}

void nl_rows_keep(nl_rows *rows, size_t first, size_t count) {
  if (rows->single == NULL) return;
  for (size_t i = 0; i < count * rows->width; i++) rows->single[first * rows->width + i] = (float)rows->wide[i];
}
