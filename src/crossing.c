#include "crossing.h"

#include <string.h>

void nl_cross(nl_crossing *c, size_t count, double *values) {
  double *at = c->at != NULL && count > 0 ? c->at + c->count : NULL;
  if (at != NULL && !c->in) memcpy(at, values, count * sizeof *values);
  if (at != NULL && c->in && (c->count > c->limit || count > c->limit - c->count))
    memset(values, 0, count * sizeof *values);
  else if (at != NULL && c->in)
    memcpy(values, at, count * sizeof *values);
  c->count += count;
}

void nl_cross_number(nl_crossing *c, size_t *number) {
  double value = (double)*number;
  nl_cross(c, 1, &value);
  if (c->in && c->at != NULL) *number = (size_t)value;
}

void nl_cross_triangle(nl_crossing *c, size_t n, double *matrix) {
  for (size_t i = 0; i < n; i++) nl_cross(c, n - i, matrix + i * n + i);
}
