// crossing: numbers on their way from one instance of the core into another, as doubles: one function names them in their order for both
// directions, and counts them first.
#ifndef NL_CROSSING_H
#define NL_CROSSING_H

#include <stdbool.h>
#include <stddef.h>

typedef struct nl_crossing {
  double *at;   // NULL: only counted
  bool in;      // read from there, else written
  size_t limit; // of what is read; beyond it there are zeros
  size_t count;
} nl_crossing;

void nl_cross(nl_crossing *crossing, size_t count, double *values);
void nl_cross_number(nl_crossing *crossing, size_t *number);
void nl_cross_triangle(nl_crossing *crossing, size_t n, double *matrix); // the upper one of a matrix (n, n)

#endif
