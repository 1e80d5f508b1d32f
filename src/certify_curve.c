#include "certify_curve.h"

#include <math.h>
#include <string.h>

enum { D = NL_CURVE_DEGREE, CUTS = 8 };

// ---- an activation's series ----------------------------------------------------------------------------------------------

static nl_series scaled(const nl_series *a, double factor, double shift) {
  const nl_series f = nl_series_number(factor), s = nl_series_number(shift), product = nl_series_multiply(a, &f);
  return nl_series_add(&product, &s);
}

static nl_series leaky(const nl_series *a, double slope) {
  return nl_series_function(NL_FUNCTION_LEAKY_RELU, slope, 0, a);
}

enum { SERIES_MOST = 64 }; // steps of a composite activation

static nl_series pair(nl_step_kind kind, const nl_series *a, const nl_series *b) {
  switch (kind) {
  case NL_STEP_ADD:
    return nl_series_add(a, b);
  case NL_STEP_SUBTRACT:
    return nl_series_subtract(a, b);
  case NL_STEP_MULTIPLY:
    return nl_series_multiply(a, b);
  case NL_STEP_DIVIDE: {
    const nl_series inverse = nl_series_function(NL_FUNCTION_RECIPROCAL, 0, 0, b);
    return nl_series_multiply(a, &inverse);
  }
  default:
    return nl_series_extreme(a, b, kind == NL_STEP_MAXIMUM);
  }
}

// A composite along its steps, as nl_chain_activation evaluates it.
static nl_series composite(const nl_chain *chain, const nl_chain_layer *layer, const nl_series *z) {
  nl_series of[SERIES_MOST];
  of[0] = *z;
  for (size_t s = layer->base + 1; s <= layer->output; s++) {
    const nl_step *step = &chain->network->steps[s];
    const nl_layer *own = &chain->narrow.layers[s];
    const size_t first = step->inputs[0], second = step->inputs[step->input_count - 1];
    const nl_series *a = &of[first - layer->base], *b = &of[second - layer->base];
    nl_series *to = &of[s - layer->base];
    if (step->kind == NL_STEP_FUNCTION)
      *to = nl_series_function(step->function, step->p, step->q, a);
    else if (step->kind == NL_STEP_SCALE)
      *to = scaled(a, own->scale[0], own->shift[0]);
    else if (step->kind == NL_STEP_PRELU)
      *to = leaky(a, own->scale[0]);
    else
      *to = pair(step->kind, a, b);
  }
  return of[layer->output - layer->base];
}

nl_series nl_curve_series(const nl_chain *chain, size_t index, nl_interval z, size_t order) {
  const nl_chain_layer *layer = &chain->layers[index];
  const nl_series x = nl_series_variable(z, order);
  switch (layer->kind) {
  case NL_CHAIN_IDENTITY:
    break;
  case NL_CHAIN_FUNCTION:
    return nl_series_function(layer->function, layer->p, layer->q, &x);
  case NL_CHAIN_POLYNOMIAL: {
    nl_series sum = nl_series_number(layer->coefficients[layer->degree]);
    for (size_t d = layer->degree; d-- > 0;) {
      const nl_series c = nl_series_number(layer->coefficients[d]), product = nl_series_multiply(&sum, &x);
      sum = nl_series_add(&product, &c);
    }
    return sum;
  }
  case NL_CHAIN_OTHER:
    return composite(chain, layer, &x);
  }
  return x;
}

static bool same_composite(const nl_chain *a, const nl_chain *b, size_t index) {
  const nl_chain_layer *l = &a->layers[index];
  if (a->network != b->network) return false;
  for (size_t s = l->base + 1; s <= l->output; s++) {
    const nl_layer *x = &a->narrow.layers[s], *y = &b->narrow.layers[s];
    if (x->scale != NULL && x->scale[0] != y->scale[0]) return false;
    if (x->shift != NULL && x->shift[0] != y->shift[0]) return false;
  }
  return true;
}

bool nl_curve_same(const nl_chain *a, const nl_chain *b, size_t index) {
  const nl_chain_layer *x = &a->layers[index], *y = &b->layers[index];
  if (x->kind != y->kind) return false;
  if (x->kind == NL_CHAIN_FUNCTION) return x->function == y->function && x->p == y->p && x->q == y->q;
  if (x->kind == NL_CHAIN_OTHER) return same_composite(a, b, index);
  return x->kind == NL_CHAIN_IDENTITY ||
         (x->degree == y->degree &&
          memcmp(x->coefficients, y->coefficients, (x->degree + 1) * sizeof *x->coefficients) == 0);
}

static nl_status refuse(const nl_chain *chain, size_t step, const char *why, nl_error *error) {
  const nl_graph *graph = chain->network->graph;
  const size_t node = chain->network->steps[step].node;
  return nl_fail_span(error, NL_ERROR_UNSUPPORTED, node != NL_NONE ? graph->nodes[node].name : (nl_span){0}, why);
}

nl_status nl_curve_check(const nl_chain *chain, size_t index, nl_error *error) {
  const nl_chain_layer *layer = &chain->layers[index];
  if (layer->kind != NL_CHAIN_OTHER) return NL_OK;
  if (layer->output - layer->base >= SERIES_MOST)
    return refuse(chain, layer->dense, "its activation has too many steps for a certificate", error);
  for (size_t s = layer->base + 1; s <= layer->output; s++) {
    const nl_step *step = &chain->network->steps[s];
    const bool known = step->kind >= NL_STEP_FUNCTION && step->kind <= NL_STEP_MAXIMUM && step->input_count > 0;
    if (!known || step->inputs[0] < layer->base || step->inputs[step->input_count - 1] < layer->base)
      return refuse(chain, s, "it is part of an activation that the certificate cannot follow", error);
  }
  return NL_OK;
}

// ---- the polynomial ------------------------------------------------------------------------------------------------------

// Newton's form over the nodes middle + half * node[i], expanded in powers of z - middle.
static void interpolate(const nl_chain *chain, size_t layer, size_t degree, const double *node, nl_curve *curve) {
  double value[D + 1], c[D + 1] = {0};
  for (size_t i = 0; i <= degree; i++)
    value[i] = nl_chain_activation(chain, layer, curve->middle + curve->half * node[i]);
  for (size_t k = 1; k <= degree; k++)
    for (size_t i = degree; i >= k; i--) value[i] = (value[i] - value[i - 1]) / (node[i] - node[i - k]);
  for (size_t k = degree + 1; k-- > 0;) { // c = c * (s - node_k) + value_k
    for (size_t d = degree; d > 0; d--) c[d] = c[d - 1] - node[k] * c[d];
    c[0] = value[k] - node[k] * c[0];
  }
  double power = 1;
  for (size_t d = 0; d <= degree; d++, power *= curve->half) curve->c[d] = c[d] / power;
}

static void at_the_middle(const nl_chain *chain, size_t layer, size_t degree, nl_curve *curve) {
  const nl_series s = nl_curve_series(chain, layer, (nl_interval){curve->middle, curve->middle}, degree);
  for (size_t d = 0; d <= degree; d++) curve->c[d] = 0.5 * s.c[d].low + 0.5 * s.c[d].high;
}

// ---- the remainder -------------------------------------------------------------------------------------------------------

typedef struct cell {
  double middle, reach;
  nl_interval span, step; // the cell; [-reach, reach]
  nl_series at, over;     // σ at its middle and over it
  nl_interval p[D + 1];   // the polynomial in powers of z - middle
  nl_interval slope;      // p' over the cell
} cell;

static nl_interval exactly(double x) { return (nl_interval){x, x}; }

static void open_cell(cell *c, const nl_chain *chain, size_t layer, size_t degree, const nl_curve *curve, double from,
                      double to) {
  c->middle = 0.5 * (from + to);
  c->reach = fmax(to - c->middle, c->middle - from) * (1 + 0x1p-50);
  c->span = (nl_interval){from, to};
  c->step = (nl_interval){-c->reach, c->reach};
  c->over = nl_curve_series(chain, layer, c->span, degree + 1);
  c->at = nl_curve_series(chain, layer, exactly(c->middle), degree);
  const nl_interval moved = nl_interval_subtract(exactly(c->middle), exactly(curve->middle));
  for (size_t d = 0; d <= D; d++) c->p[d] = exactly(d <= degree ? curve->c[d] : 0);
  for (size_t i = 0; i < degree; i++) // Taylor shift
    for (size_t d = degree; d-- > i;) c->p[d] = nl_interval_add(c->p[d], nl_interval_multiply(moved, c->p[d + 1]));
  c->slope = c->p[1];
  for (size_t d = 2; d <= degree; d++) {
    const nl_interval term = nl_interval_multiply(c->p[d], nl_interval_power(c->step, (unsigned)d - 1));
    c->slope = nl_interval_add(c->slope, nl_interval_multiply(exactly((double)d), term));
  }
}

// R = σ - p over the cell, by Taylor's formula to order degree + 1 where σ is smooth and to order 1 anywhere.
static nl_interval remainder_of(const cell *c, size_t degree) {
  const nl_interval first = nl_interval_subtract(c->at.c[0], c->p[0]);
  const nl_interval slope = nl_interval_subtract(c->over.c[1], c->slope);
  const nl_interval plain = nl_interval_add(first, nl_interval_multiply(slope, c->step));
  const nl_interval wide =
      nl_interval_subtract(c->over.c[0], nl_interval_add(c->p[0], nl_interval_multiply(c->slope, c->step)));
  nl_interval fine = first;
  for (size_t d = 1; d <= degree; d++)
    fine = nl_interval_add(
        fine, nl_interval_multiply(nl_interval_subtract(c->at.c[d], c->p[d]), nl_interval_power(c->step, (unsigned)d)));
  fine = nl_interval_add(fine,
                         nl_interval_multiply(c->over.c[degree + 1], nl_interval_power(c->step, (unsigned)degree + 1)));
  nl_interval best = nl_interval_meet(plain, wide);
  if (c->middle > c->span.low && c->middle < c->span.high) best = nl_interval_meet(best, fine);
  return best;
}

static nl_interval slope_of(const cell *c, size_t degree) {
  const nl_interval plain = nl_interval_subtract(c->over.c[1], c->slope);
  if (!(c->middle > c->span.low && c->middle < c->span.high)) return plain;
  nl_interval fine = nl_interval_subtract(c->at.c[1], c->p[1]);
  for (size_t d = 2; d <= degree; d++) {
    const nl_interval factor = nl_interval_multiply(exactly((double)d), nl_interval_subtract(c->at.c[d], c->p[d]));
    fine = nl_interval_add(fine, nl_interval_multiply(factor, nl_interval_power(c->step, (unsigned)d - 1)));
  }
  const nl_interval last = nl_interval_multiply(exactly((double)degree + 1), c->over.c[degree + 1]);
  fine = nl_interval_add(fine, nl_interval_multiply(last, nl_interval_power(c->step, (unsigned)degree)));
  return nl_interval_meet(plain, fine);
}

// ---- cutting the interval -------------------------------------------------------------------------------------------------

static size_t kinks_of(const nl_chain_layer *layer, double *at) {
  const double p = layer->p, q = layer->q;
  if (layer->kind != NL_CHAIN_FUNCTION) return 0;
  if (layer->function == NL_FUNCTION_HARD_SIGMOID) { // the crossings are rounded: a hair's breadth either side
    static const double hair = 1e-14;
    const double a = fmin(-q / p, (1 - q) / p), b = fmax(-q / p, (1 - q) / p), wide = hair * (fabs(a) + fabs(b));
    at[0] = a - wide;
    at[1] = a + wide;
    at[2] = b - wide;
    at[3] = b + wide;
    return 4;
  }
  const nl_pieces_at pieces = nl_function_pieces(layer->function, p, q);
  memcpy(at, pieces.at, pieces.kinks * sizeof *at);
  return pieces.kinks;
}

static bool straight(const nl_chain_layer *layer) { // in pieces: no finer cells are needed
  if (layer->kind != NL_CHAIN_FUNCTION) return false;
  switch (layer->function) {
  case NL_FUNCTION_RELU:
  case NL_FUNCTION_LEAKY_RELU:
  case NL_FUNCTION_THRESHOLDED_RELU:
  case NL_FUNCTION_ABS:
  case NL_FUNCTION_CLIP:
  case NL_FUNCTION_HARD_SIGMOID:
  case NL_FUNCTION_NEGATE:
  case NL_FUNCTION_IDENTITY:
    return true;
  default:
    return false;
  }
}

typedef struct band { // of a remainder: what the cells guarantee, and what some points reach
  nl_interval value, slope, seen;
  bool some;
} band;

enum { STACK = 24, DEEPEST = 6, SEEDS = 5 };
static const double waste = 0.03; // of the band, that a cell may add before it is halved

static void seed_band(band *b, const nl_chain *chain, size_t layer, size_t degree, const nl_curve *curve, double from,
                      double to) {
  for (size_t i = 0; i <= SEEDS; i++) {
    const double z = from + (to - from) * (double)i / SEEDS;
    double p = 0;
    for (size_t d = degree + 1; d-- > 0;) p = p * (z - curve->middle) + curve->c[d];
    const double r = nl_chain_activation(chain, layer, z) - p;
    b->seen = i == 0 ? exactly(r) : nl_interval_hull(b->seen, exactly(r));
  }
}

// Halves cells until none widens the band by much over what points of it reach.
static void take_cells(band *b, const nl_chain *chain, size_t layer, size_t degree, const nl_curve *curve, double from,
                       double to) {
  double low[STACK] = {from}, high[STACK] = {to};
  size_t depth[STACK] = {straight(&chain->layers[layer]) ? DEEPEST : 0}, count = 1;
  cell c;
  while (count > 0) {
    count--;
    open_cell(&c, chain, layer, degree, curve, low[count], high[count]);
    const nl_interval value = remainder_of(&c, degree), slope = slope_of(&c, degree);
    const double more = waste * (b->seen.high - b->seen.low) + 1e-15;
    const bool tight = value.low >= b->seen.low - more && value.high <= b->seen.high + more;
    const bool cut = low[count] < c.middle && c.middle < high[count];
    if (!tight && cut && depth[count] < DEEPEST) {
      const double end = high[count];
      high[count] = c.middle;
      low[count + 1] = c.middle;
      high[count + 1] = end;
      depth[count + 1] = ++depth[count];
      count += 2;
      continue;
    }
    b->value = b->some ? nl_interval_hull(b->value, value) : value;
    b->slope = b->some ? nl_interval_hull(b->slope, slope) : slope;
    b->some = true;
  }
}

static band band_over(const nl_chain *chain, size_t layer, size_t degree, const nl_curve *curve) {
  double cuts[CUTS];
  const size_t kinks = kinks_of(&chain->layers[layer], cuts);
  const double low = curve->middle - curve->half, high = curve->middle + curve->half;
  band b = {{0, 0}, {0, 0}, {0, 0}, false};
  seed_band(&b, chain, layer, degree, curve, low, high);
  double from = low;
  for (size_t k = 0; k <= kinks; k++) {
    const double to = k < kinks ? fmin(fmax(cuts[k], low), high) : high;
    if (to > from || (k == kinks && !b.some)) take_cells(&b, chain, layer, degree, curve, from, to);
    from = to;
  }
  return b;
}

enum { POINTS = 16, MOST_POINTS = POINTS + 1 + CUTS, SEARCHES = 24 };

// Height of the band around slope * z that holds the points.
static double height(size_t count, const double *z, const double *y, double slope) {
  double low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < count; i++) {
    const double r = y[i] - slope * z[i];
    low = r < low ? r : low;
    high = r > high ? r : high;
  }
  return high - low;
}

// The line nearest to σ in the largest distance, over some points: the height is convex in the slope.
static void draw_line(const nl_chain *chain, size_t layer, nl_curve *curve) {
  double z[MOST_POINTS], y[MOST_POINTS], cuts[CUTS];
  size_t count = 0;
  for (size_t i = 0; i <= POINTS; i++) z[count++] = curve->half * (2.0 * (double)i / POINTS - 1);
  for (size_t k = kinks_of(&chain->layers[layer], cuts); k-- > 0;)
    if (fabs(cuts[k] - curve->middle) < curve->half) z[count++] = cuts[k] - curve->middle;
  double low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < count; i++) {
    y[i] = nl_chain_activation(chain, layer, curve->middle + z[i]);
    if (i == 0 || i > POINTS) continue;
    const double slope = (y[i] - y[i - 1]) / (z[i] - z[i - 1]);
    low = slope < low ? slope : low;
    high = slope > high ? slope : high;
  }
  for (size_t i = 0; i < SEARCHES; i++) {
    const double a = low + 0.45 * (high - low), b = low + 0.55 * (high - low);
    if (height(count, z, y, a) < height(count, z, y, b))
      high = b;
    else
      low = a;
  }
  curve->c[1] = 0.5 * (low + high);
  curve->c[0] = y[POINTS / 2];
}

static void try_polynomial(const nl_chain *chain, size_t layer, size_t degree, const double *node, nl_curve *best) {
  nl_curve curve = *best;
  if (degree == 1)
    draw_line(chain, layer, &curve);
  else
    interpolate(chain, layer, degree, node, &curve);
  const band r = band_over(chain, layer, degree, &curve);
  // the polynomial moves to the middle of the band; the constant is rounded, and the rest takes that in
  const double shift = 0.5 * r.value.low + 0.5 * r.value.high;
  if (!isfinite(shift)) return;
  const double moved = curve.c[0] + shift;
  const nl_interval off = nl_interval_subtract(exactly(moved), exactly(curve.c[0]));
  curve.c[0] = moved;
  curve.rest = nl_interval_largest(nl_interval_subtract(r.value, off));
  curve.slope = r.slope;
  if (curve.rest < best->rest) *best = curve;
}

static bool bends_within(const nl_chain_layer *layer, const nl_curve *curve) {
  double cuts[CUTS];
  for (size_t k = kinks_of(layer, cuts); k-- > 0;)
    if (cuts[k] >= curve->middle - curve->half && cuts[k] <= curve->middle + curve->half) return true;
  return false;
}

void nl_curve_fit(const nl_chain *chain, size_t layer, size_t degree, nl_interval z, nl_curve *out) {
  static const double chebyshev[D + 1][D + 1] = {
      {0},
      {-0.70710678118654752, 0.70710678118654752},
      {-0.86602540378443865, 0, 0.86602540378443865},
      {-0.92387953251128676, -0.38268343236508977, 0.38268343236508977, 0.92387953251128676}};
  nl_curve best = {.rest = INFINITY, .slope = nl_interval_entire()};
  best.middle = 0.5 * z.low + 0.5 * z.high;
  best.half = fmax(z.high - best.middle, best.middle - z.low) * (1 + 0x1p-50);
  best.half += 0x1p-50 * fabs(best.middle) + 1e-60; // so that middle ± half, rounded, still hold z
  if (!isfinite(best.middle) || !isfinite(best.half)) {
    *out = best;
    return;
  }
  if (!bends_within(&chain->layers[layer], &best) && (best.half < 1e-3 || straight(&chain->layers[layer]))) {
    nl_curve curve = best;
    at_the_middle(chain, layer, degree, &curve);
    const band r = band_over(chain, layer, degree, &curve);
    curve.rest = nl_interval_largest(r.value);
    curve.slope = r.slope;
    if (curve.rest < best.rest) best = curve;
  } else {
    try_polynomial(chain, layer, degree, chebyshev[degree], &best);
  }
  *out = best;
}
