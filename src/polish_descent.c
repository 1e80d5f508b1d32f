#include "polish_descent.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

static const double decrease = 1e-4, curvature = 0.9; // the two Wolfe conditions
static const double longer = 1.5;                     // a search begins so much farther than the last one ended
enum { TRIES_MOST = 20 };

nl_status nl_descent_take(nl_descent *out, nl_arena *arena, size_t n, size_t history, nl_error *error) {
  nl_descent d = {.n = n, .history = history};
  NL_TAKE(arena, d.point, double, n + 1, error);
  NL_TAKE(arena, d.gradient, double, n + 1, error);
  NL_TAKE(arena, d.at, double, n + 1, error);
  NL_TAKE(arena, d.steepest, double, n + 1, error);
  NL_TAKE(arena, d.direction, double, n + 1, error);
  if (history > SIZE_MAX / (n + 1)) return nl_no_memory(error, history, n);
  NL_TAKE(arena, d.moves, double, history *n + 1, error);
  NL_TAKE(arena, d.turns, double, history *n + 1, error);
  NL_TAKE(arena, d.inverse, double, history + 1, error);
  NL_TAKE(arena, d.part, double, history + 1, error);
  *out = d;
  return NL_OK;
}

void nl_descent_set_out(nl_descent *d, const double *point) {
  memcpy(d->point, point, d->n * sizeof *point);
  d->begun = false;
}

// ---- the search along a direction -------------------------------------------------------------------------------------

static void move(nl_descent *d, double step) {
  d->step = step;
  memcpy(d->point, d->at, d->n * sizeof *d->point);
  nl_axpy_f64(d->n, step, d->direction, d->point);
}

// The minimum of the cubic through both ends' values and slopes (Nocedal, Wright, equation 3.59), kept off the ends.
static double between(const nl_descent *d, double value, double slope) {
  const double low = d->low, width = d->step - low;
  const double a = d->low_slope + slope - 3 * (value - d->low_value) / width;
  const double b = sqrt(fmax(a * a - d->low_slope * slope, 0));
  const double at = width * (1 - (slope + b - a) / (slope - d->low_slope + 2 * b));
  const double span = d->high - low;
  return low + fmin(fmax(isfinite(at) ? at : 0.0, 0.1 * span), 0.9 * span);
}

static void remember(nl_descent *d) {
  double *s = d->moves + d->next * d->n, *y = d->turns + d->next * d->n;
  for (size_t i = 0; i < d->n; i++) {
    s[i] = d->point[i] - d->at[i];
    y[i] = d->gradient[i] - d->steepest[i];
  }
  const double sy = nl_dot_f64(d->n, s, y), ss = nl_dot_f64(d->n, s, s), yy = nl_dot_f64(d->n, y, y);
  if (!(sy > 1e-10 * sqrt(ss * yy)) || !isfinite(1.0 / sy)) return;
  d->inverse[d->next] = 1.0 / sy;
  d->next = (d->next + 1) % d->history;
  if (d->stored < d->history) d->stored++;
}

static nl_descent_answer accept(nl_descent *d, double value) {
  if (d->begun) remember(d);
  d->begun = true;
  d->value = value;
  memcpy(d->at, d->point, d->n * sizeof *d->at);
  memcpy(d->steepest, d->gradient, d->n * sizeof *d->steepest);
  return NL_DESCENT_ACCEPTED;
}

// Nothing along this direction will do: once more downhill, without the past.
static nl_descent_answer restart(nl_descent *d) {
  if (d->stored == 0) return NL_DESCENT_STUCK;
  d->stored = 0;
  d->step = 0;
  return nl_descent_turn(d) ? NL_DESCENT_TRY : NL_DESCENT_STUCK;
}

// Bisection to the weak Wolfe conditions, which also a function with kinks has (Lewis, Overton 2013), with cubic guesses.
nl_descent_answer nl_descent_judge(nl_descent *d, double value) {
  const double slope =
      d->begun ? nl_dot_f64(d->n, d->gradient, d->direction) : nl_dot_f64(d->n, d->gradient, d->gradient);
  const bool finite = isfinite(value) && isfinite(slope);
  if (!d->begun) return finite ? accept(d, value) : NL_DESCENT_STUCK;
  const bool lower = finite && value <= d->value + decrease * d->step * d->slope;
  if (lower && (slope >= curvature * d->slope || d->tried == TRIES_MOST)) return accept(d, value);
  if (d->tried++ == TRIES_MOST) return restart(d);
  if (lower) {
    d->low = d->step;
    d->low_value = value;
    d->low_slope = slope;
    move(d, isfinite(d->high) ? 0.5 * (d->low + d->high) : 3 * d->step);
  } else {
    d->high = d->step;
    move(d, finite ? between(d, value, slope) : d->low + 0.1 * (d->high - d->low));
  }
  return NL_DESCENT_TRY;
}

// ---- directions ---------------------------------------------------------------------------------------------------------

// direction = -H g by the two loops over the stored pairs, newest first, then oldest first
static void two_loops(nl_descent *d) {
  const size_t n = d->n;
  double *q = d->direction;
  for (size_t i = 0; i < n; i++) q[i] = -d->steepest[i];
  for (size_t age = 1; age <= d->stored; age++) {
    const size_t k = (d->next + d->history - age) % d->history;
    d->part[k] = d->inverse[k] * nl_dot_f64(n, d->moves + k * n, q);
    nl_axpy_f64(n, -d->part[k], d->turns + k * n, q);
  }
  if (d->metric != NULL)
    d->metric(d->context, q);
  else if (d->stored > 0) {
    const size_t k = (d->next + d->history - 1) % d->history;
    const double yy = nl_dot_f64(n, d->turns + k * n, d->turns + k * n);
    for (size_t i = 0; i < n; i++) q[i] /= d->inverse[k] * yy;
  }
  for (size_t age = d->stored; age >= 1; age--) {
    const size_t k = (d->next + d->history - age) % d->history;
    nl_axpy_f64(n, d->part[k] - d->inverse[k] * nl_dot_f64(n, d->turns + k * n, q), d->moves + k * n, q);
  }
}

bool nl_descent_turn(nl_descent *d) {
  two_loops(d);
  d->slope = nl_dot_f64(d->n, d->steepest, d->direction);
  if (!(d->slope < 0) && d->stored > 0) { // rounding ate the past
    d->stored = 0;
    two_loops(d);
    d->slope = nl_dot_f64(d->n, d->steepest, d->direction);
  }
  if (!(d->slope < 0) || !isfinite(d->slope)) return false;
  d->low = 0;
  d->low_value = d->value;
  d->low_slope = d->slope;
  d->high = INFINITY;
  d->tried = 0;
  // A metric that sees too little of the curvature, as with kinks, does so for many turns: then the last step, somewhat longer.
  // Without a past the scale is unknown: a step of a hundredth of the point's own length.
  const double length = sqrt(nl_dot_f64(d->n, d->at, d->at) / -d->slope);
  if (d->metric != NULL)
    move(d, d->step > 0 ? fmin(longer * d->step, 1.0) : 1.0);
  else
    move(d, d->stored > 0 ? 1.0 : 0.01 * (length > 0 ? length : 1.0));
  return true;
}
