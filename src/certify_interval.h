// certify_interval: outward rounded intervals, and truncated Taylor series over them.
//
// Every result contains the exact one. + - * / and sqrt are rounded correctly, so 2 units in the last place outward cover
// them; the elementary functions of the C library are taken to be within 16.
#ifndef NL_CERTIFY_INTERVAL_H
#define NL_CERTIFY_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "function.h"

typedef struct nl_interval {
  double low, high;
} nl_interval;

nl_interval nl_interval_entire(void);
nl_interval nl_interval_add(nl_interval a, nl_interval b);
nl_interval nl_interval_subtract(nl_interval a, nl_interval b);
nl_interval nl_interval_multiply(nl_interval a, nl_interval b);
nl_interval nl_interval_divide(nl_interval a, nl_interval b); // entire when b holds 0
nl_interval nl_interval_hull(nl_interval a, nl_interval b);
nl_interval nl_interval_meet(nl_interval a, nl_interval b); // of two that share a point
nl_interval nl_interval_power(nl_interval a, unsigned exponent);
double nl_interval_largest(nl_interval a); // of |x|

enum { NL_SERIES_ORDER = 4 };

// c[k] contains f^(k)(x) / k! for every x of a cell, k = 0 ... order. At a kink c[1] contains all slopes between
// points of the cell and the higher ones are entire; at a jump c[1] is entire as well.
typedef struct nl_series {
  size_t order; // at most NL_SERIES_ORDER; results have the smaller of the two
  nl_interval c[NL_SERIES_ORDER + 1];
} nl_series;

nl_series nl_series_variable(nl_interval cell, size_t order); // x
nl_series nl_series_number(double number);                    // of any order
nl_series nl_series_add(const nl_series *a, const nl_series *b);
nl_series nl_series_subtract(const nl_series *a, const nl_series *b);
nl_series nl_series_multiply(const nl_series *a, const nl_series *b);
nl_series nl_series_extreme(const nl_series *a, const nl_series *b, bool maximum);
// function(p, q) behind a
nl_series nl_series_function(nl_function function, double p, double q, const nl_series *a);

// Where a function is put together from pieces; none for smooth ones.
typedef struct nl_pieces_at {
  size_t kinks;
  double at[2];
  bool jump;
} nl_pieces_at;
nl_pieces_at nl_function_pieces(nl_function function, double p, double q);

#endif
