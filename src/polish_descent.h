// polish_descent: minimisation by L-BFGS (Nocedal, Wright, Numerical Optimization, 2006, algorithm 7.4). It never calls
// the function: it says where value and gradient are wanted and is told them, so that its user decides when to work.
#ifndef NL_POLISH_DESCENT_H
#define NL_POLISH_DESCENT_H

#include <stdbool.h>

#include "arena.h"

typedef enum nl_descent_answer {
  NL_DESCENT_TRY,      // `point` has moved: evaluate there
  NL_DESCENT_ACCEPTED, // `point` is the new iterate: go on with nl_descent_turn
  NL_DESCENT_STUCK     // nothing lower is found
} nl_descent_answer;

typedef struct nl_descent {
  size_t n, history;
  double *point;    // (n) where value and gradient are wanted; the start at first
  double *gradient; // (n) there: the caller fills it in
  // the last iterate, and the way from there
  double value, slope;
  double *at, *steepest, *direction; // (n) iterate, gradient there, where to search
  // the search along it: `low` is known to be too near, `high` too far
  double step, low, high; // behind it: the step taken
  double low_value, low_slope;
  size_t tried;
  bool begun;
  // pairs s = x' - x, y = g' - g; the oldest are replaced
  size_t stored, next;
  double *moves, *turns;  // (history, n)
  double *inverse, *part; // (history) 1 / sᵀy; work
  // v <- M v, the inverse Hessian to start from; NULL: a multiple of the identity. May change between turns.
  void (*metric)(void *context, double *v);
  void *context;
} nl_descent;

nl_status nl_descent_take(nl_descent *out, nl_arena *arena, size_t n, size_t history, nl_error *error);
// The value at `point`, whose gradient stands in `gradient`. Neither need be finite.
nl_descent_answer nl_descent_judge(nl_descent *descent, double value);
// Another start, whose value and gradient are wanted next. The function may have changed a little: the past still counts.
void nl_descent_set_out(nl_descent *descent, const double *point);
// From an accepted iterate to the next point. False where the gradient is zero.
bool nl_descent_turn(nl_descent *descent);

#endif
