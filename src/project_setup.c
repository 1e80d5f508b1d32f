// project_setup: what the elimination begins with, and begins anew with when subtraction has eaten the digits of H:
//     H = (C_SS + λI)⁻¹ of the units left, their weights W_S + H C_SR W_R, and the norms of those.
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "project_parts.h"

// A unit whose variance given the others is below this share of its own is an exact combination of them, up to the
// rounding of single-precision weights (some 1e-7 a weight, so 1e-13 and more in the variance of a sum of several).
static const double exact = 1e-12;

enum { DEPTH = NL_STRIPE, ATTEMPTS = 8 };

static size_t smaller(size_t x, size_t y) { return x < y ? x : y; }

static void enter(nl_elimination *e, stage next) {
  e->stage = next;
  e->outer = e->inner = 0;
}

static size_t left_of(const nl_elimination *e) { return e->inverse.kept; }

// ---- independent units ------------------------------------------------------------------------------------------------------

// A Cholesky factorisation with diagonal pivoting, the variance given the pivots before on the diagonal; rows in reverse, so that
// the first of equals is found from the end.
static void start_independent(nl_elimination *e) {
  const size_t n = e->n;
  for (size_t i = 0; i < n; i++) {
    e->unit[i] = n - 1 - i;
    for (size_t j = i; j < n; j++) e->inverse.upper[i * e->inverse.stride + j] = e->second[(n - 1 - i) * n + n - 1 - j];
    e->trace += e->second[i * n + i];
  }
  nl_symmetric_start(&e->inverse, n);
}

static size_t next_independent(const nl_elimination *e) {
  const nl_symmetric *rest = &e->inverse;
  size_t best = rest->kept;
  for (size_t p = rest->kept; p-- > 0;) {
    const size_t row = rest->at[p], unit = e->unit[row];
    const double own = e->second[unit * e->n + unit];
    const bool alive = rest->diagonal[row] > exact * own && own > 1e-20 * e->trace / (double)e->n;
    if (alive && (best == rest->kept || rest->diagonal[row] > rest->diagonal[rest->at[best]])) best = p;
  }
  return best;
}

// Those found stand at the end of `order`, from the back; what is left of the rows goes free.
static void finish_independent(nl_elimination *e) {
  nl_symmetric *rest = &e->inverse;
  const size_t n = e->n;
  if (e->outer == 0) e->order[n - 1 - e->outer++] = e->unit[rest->at[--rest->kept]];
  for (size_t p = rest->kept; p-- > 0;) e->order[e->gone++] = e->unit[rest->at[p]];
  for (size_t i = 0; i < e->outer; i++) e->unit[i] = e->order[n - 1 - i];
  rest->kept = e->outer;
  rest->at[0] = 0;
  enter(e, rest->kept > 1 ? STAGE_FACTOR : STAGE_REMOVE);
}

static void find_independent(nl_elimination *e, size_t *work) {
  nl_symmetric *rest = &e->inverse;
  if (e->inner++ == 0) start_independent(e);
  const size_t best = next_independent(e);
  if (best == rest->kept) {
    finish_independent(e);
    return;
  }
  const size_t row = rest->at[best];
  const double root = sqrt(rest->diagonal[row]);
  double *left = rest->left + rest->waiting * rest->width, *right = rest->right + rest->waiting * rest->width;
  nl_symmetric_column(rest, row, right);
  for (size_t i = 0; i < rest->n; i++) left[i] = -(right[i] /= root);
  *work += rest->n * (rest->waiting + 2);
  nl_symmetric_add(rest);
  e->order[e->n - 1 - e->outer++] = e->unit[row];
  nl_symmetric_drop(rest, best);
  e->settling = rest->waiting == rest->room;
}

// ---- the factor -------------------------------------------------------------------------------------------------------------

static void start_factor(nl_elimination *e) {
  const size_t k = left_of(e), n = e->n;
  double trace = 0;
  for (size_t i = 0; i < k; i++) {
    for (size_t j = 0; j <= i; j++) e->square[i * (n + 1) + j] = e->second[e->unit[i] * n + e->unit[j]];
    trace += e->square[i * (n + 1) + i];
  }
  e->ridge = e->attempts == 0 ? NL_PROJECT_RIDGE * trace / (double)k : 10 * e->ridge;
}

// With more ridge each time until it is positive definite.
static nl_status factor(nl_elimination *e, size_t *work, nl_error *error) {
  const size_t k = left_of(e), first = e->outer;
  if (first == 0) start_factor(e);
  *work += (k - first) * NL_BLOCK * (first / NL_ELIMINATION_PRODUCT + NL_BLOCK);
  if (!nl_factor_block(k, first, e->square, e->n + 1, e->ridge, e->panel, e->work)) {
    enter(e, STAGE_FACTOR);
    return ++e->attempts < ATTEMPTS ? NL_OK : nl_fail(error, NL_ERROR_NOT_FINITE, "activations", NULL);
  }
  e->outer += NL_BLOCK;
  if (e->outer >= k) {
    e->attempts = 0;
    memset(e->current, 0, k * e->m * sizeof *e->current);
    enter(e, e->gone > 0 ? STAGE_CROSS : STAGE_BACKWARD);
  }
  return NL_OK;
}

// ---- weights ----------------------------------------------------------------------------------------------------------------

// Consumers outer ... and units gone inner ...: gathered, then one product.
static void cross(nl_elimination *e, size_t *work) {
  const size_t k = left_of(e), n = e->n, m = e->m;
  const size_t columns = smaller(NL_STRIPE, m - e->outer), depth = smaller(DEPTH, e->gone - e->inner);
  for (size_t i = 0; i < k; i++)
    for (size_t r = 0; r < depth; r++) e->panel[i * depth + r] = e->second[e->unit[i] * n + e->order[e->inner + r]];
  for (size_t r = 0; r < depth; r++)
    memcpy(e->tile + r * columns, e->weights + e->order[e->inner + r] * m + e->outer, columns * sizeof *e->tile);
  nl_matmul_f64(k, columns, depth, e->panel, depth, 1, e->tile, columns, 1, e->current + e->outer, m, e->work);
  *work += k * columns * depth / NL_ELIMINATION_PRODUCT;
  e->inner += depth;
  if (e->inner < e->gone) return;
  e->inner = 0;
  e->outer += columns;
  if (e->outer >= m) enter(e, STAGE_FORWARD);
}

// The block of rows `inner` of the stripe of columns `outer`; forward from the first, backward from the last. True at the end.
static bool solve(nl_elimination *e, bool forward, size_t *work) {
  const size_t k = left_of(e), blocks = (k + NL_BLOCK - 1) / NL_BLOCK, m = e->m, row = e->n + 1;
  const size_t columns = smaller(NL_STRIPE, m - e->outer), block = forward ? e->inner : blocks - 1 - e->inner;
  double *b = e->current + e->outer;
  if (forward)
    nl_forward_block(k, 0, block * NL_BLOCK, e->square, row, columns, b, m, e->tile, e->work);
  else
    nl_backward_block(k, block * NL_BLOCK, e->square, row, columns, b, m, e->tile, e->work);
  *work += NL_BLOCK * columns * (e->inner * NL_BLOCK / NL_ELIMINATION_PRODUCT + NL_BLOCK);
  if (++e->inner < blocks) return false;
  e->inner = 0;
  e->outer += columns;
  return e->outer >= m;
}

static void backward(nl_elimination *e, size_t *work) {
  if (e->gone > 0 && e->m > 0 && !solve(e, false, work)) return;
  for (size_t i = 0; i < left_of(e); i++) nl_axpy_f64(e->m, 1.0, e->weights + e->unit[i] * e->m, e->current + i * e->m);
  *work += left_of(e) * e->m;
  enter(e, STAGE_INVERT);
}

// ---- inverse and product ----------------------------------------------------------------------------------------------------

static void clear_upper(const nl_symmetric *s, size_t k) {
  for (size_t i = 0; i < k; i++) memset(s->upper + i * (s->stride + 1), 0, (k - i) * sizeof *s->upper);
}

static void invert(nl_elimination *e, size_t *work) {
  const size_t k = left_of(e), from = e->outer, first = from + e->inner;
  nl_invert_block(k, from, first, e->square, e->n + 1, e->tile, e->work);
  *work += NL_BLOCK * NL_STRIPE * (e->inner / NL_ELIMINATION_PRODUCT + NL_BLOCK);
  e->inner += NL_BLOCK;
  if (from + e->inner < k) return;
  e->inner = 0;
  e->outer += NL_STRIPE;
  if (e->outer < k) return;
  clear_upper(&e->inverse, k);
  enter(e, STAGE_SQUARE);
}

// Rows outer ... of L⁻¹ with zeros above its diagonal, where H is.
static void take_rows(nl_elimination *e, size_t depth, size_t wide) {
  for (size_t l = 0; l < depth; l++) {
    const size_t filled = e->outer + l + 1;
    memcpy(e->panel + l * wide, e->square + (e->outer + l) * (e->n + 1), filled * sizeof *e->panel);
    memset(e->panel + l * wide + filled, 0, (wide - filled) * sizeof *e->panel);
  }
}

static void start_scores(nl_elimination *e) {
  const size_t k = left_of(e);
  nl_symmetric_start(&e->inverse, k);
  e->largest = 0;
  for (size_t i = 0; i < k; i++) e->largest = fmax(e->largest, e->inverse.diagonal[i]);
  for (size_t i = 0; i < k && !e->paired; i++)
    e->power[i] = nl_dot_f64(e->m, e->current + i * e->m, e->current + i * e->m);
  if (e->paired) clear_upper(&e->product, k);
  enter(e, e->paired ? STAGE_PRODUCT : STAGE_REMOVE);
}

// Rows inner ... of the upper triangle of s (wide, wide) += Aᵀ A for a (depth, wide); true when that was the last of them.
static bool add_square(nl_elimination *e, const nl_symmetric *s, size_t wide, size_t depth, const double *a, size_t row,
                       size_t column, size_t *work) {
  const size_t i = e->inner, rows = smaller(NL_STRIPE, wide - i);
  a += i * column;
  nl_matmul_upper_f64(rows, wide - i, depth, a, column, row, a, row, column, s->upper + i * (s->stride + 1), s->stride,
                      e->work);
  *work += rows * (wide - i) * depth / NL_ELIMINATION_PRODUCT;
  e->inner += rows;
  if (e->inner < wide) return false;
  e->inner = 0;
  e->outer += depth;
  return true;
}

// By rows outer ... of L⁻¹, which end before column `wide`.
static void square(nl_elimination *e, size_t *work) {
  const size_t k = left_of(e), depth = smaller(DEPTH, k - e->outer), wide = e->outer + depth;
  if (e->inner == 0) take_rows(e, depth, wide);
  if (add_square(e, &e->inverse, wide, depth, e->panel, wide, 1, work) && e->outer >= k) start_scores(e);
}

// By consumers outer ...
static void multiply(nl_elimination *e, size_t *work) {
  const size_t k = left_of(e), m = e->m, depth = smaller(DEPTH, m - e->outer);
  if (!add_square(e, &e->product, k, depth, e->current + e->outer, 1, m, work) || e->outer < m) return;
  nl_symmetric_start(&e->product, k);
  enter(e, STAGE_REMOVE);
}

// ---- pieces -----------------------------------------------------------------------------------------------------------------

nl_status nl_elimination_set_up(nl_elimination *e, size_t *work, nl_error *error) {
  switch (e->stage) {
  case STAGE_INDEPENDENT:
    find_independent(e, work);
    break;
  case STAGE_FACTOR:
    return factor(e, work, error);
  case STAGE_CROSS:
    cross(e, work);
    break;
  case STAGE_FORWARD:
    if (solve(e, true, work)) enter(e, STAGE_BACKWARD);
    break;
  case STAGE_BACKWARD:
    backward(e, work);
    break;
  case STAGE_INVERT:
    invert(e, work);
    break;
  case STAGE_SQUARE:
    square(e, work);
    break;
  default:
    multiply(e, work);
  }
  return NL_OK;
}
