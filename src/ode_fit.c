// ode_fit: activations as polynomials. What is no polynomial is fitted by least squares over the pre-activations the layer
// gets under x ~ N(0, I): unit by unit a normal density, its mean and variance propagated from layer to layer as if units
// were independent; the fit takes the layer's pooled mean M and spread S, weighs z by N(M, S²), and looks at M ± 3 S.
//
// Without a degree asked for: 2, or 3 where that leaves at most three quarters of the RMS error. On N(0, 1) that gives 3 to what
// bends both ways (tanh, sigmoid, erf, softsign; elu) and 2 to what bends one way (relu, gelu, softplus, abs): tests/bench/RESULTS.md.
#include <math.h>
#include <string.h>

#include "ode.h"

enum { POINTS = 241, HERMITE = 61 };

static const double reach = 3.0;     // of the fit, in spreads
static const double far_reach = 6.0; // of the moments
static const double worth_cubic = 0.75;

// ---- moments along the layers -------------------------------------------------------------------------------------------

typedef struct moments {
  double *mean, *variance; // (width)
} moments;

// Mean and variance of σ(z), z ~ N(mean, variance), by the trapezoid rule.
static void activate(const nl_chain *chain, size_t l, double *mean, double *variance) {
  const double spread = sqrt(*variance);
  double weight = 0, sum = 0, squares = 0;
  const double middle = nl_chain_activation(chain, l, *mean);
  for (size_t k = 0; k < HERMITE; k++) {
    const double t = far_reach * (2.0 * (double)k / (HERMITE - 1) - 1.0), w = exp(-0.5 * t * t);
    const double a = nl_chain_activation(chain, l, *mean + spread * t) - middle;
    weight += w;
    sum += w * a;
    squares += w * a * a;
  }
  *mean = middle + sum / weight;
  *variance = fmax(0.0, squares / weight - (sum / weight) * (sum / weight));
}

static void multiply(const nl_chain_layer *layer, const moments *in, moments *out) {
  for (size_t o = 0; o < layer->width; o++) {
    const double *w = layer->weights + o * layer->in_width;
    out->mean[o] = layer->bias[o];
    out->variance[o] = 0;
    for (size_t i = 0; i < layer->in_width; i++) {
      out->mean[o] += w[i] * in->mean[i];
      out->variance[o] += w[i] * w[i] * in->variance[i];
    }
  }
}

static void pool(size_t n, const moments *m, double *mean, double *spread) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) sum += m->mean[i];
  *mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += m->variance[i] + (m->mean[i] - *mean) * (m->mean[i] - *mean);
  *spread = sqrt(squares / (double)n);
  if (!(*spread > 1e-9 * (1.0 + fabs(*mean)))) *spread = 1.0; // a layer that never moves
}

// ---- least squares --------------------------------------------------------------------------------------------------------

// Polynomials in t orthogonal on the grid, by their three-term recurrence (Forsythe 1957); monomial coefficients in t.
typedef struct basis {
  double t[POINTS], weight[POINTS];
  double now[POINTS], before[POINTS];                               // values
  double c_now[NL_CHAIN_DEGREE + 1], c_before[NL_CHAIN_DEGREE + 1]; // coefficients
  double norm_before;
} basis;

static void start_basis(basis *b) {
  memset(b, 0, sizeof *b);
  for (size_t k = 0; k < POINTS; k++) {
    b->t[k] = reach * (2.0 * (double)k / (POINTS - 1) - 1.0);
    b->weight[k] = exp(-0.5 * b->t[k] * b->t[k]);
    b->now[k] = 1;
  }
  b->c_now[0] = 1;
}

static double inner(const basis *b, const double *x, const double *y) {
  double sum = 0;
  for (size_t k = 0; k < POINTS; k++) sum += b->weight[k] * x[k] * y[k];
  return sum;
}

// p_(d+1) = t p_d − γ p_(d−1); the grid is even, so the middle coefficient is 0.
static void raise_basis(basis *b, size_t d, double norm) {
  const double gamma = d > 0 ? norm / b->norm_before : 0.0;
  double above[NL_CHAIN_DEGREE + 1] = {0};
  for (size_t k = 0; k < POINTS; k++) {
    const double value = b->t[k] * b->now[k] - gamma * b->before[k];
    b->before[k] = b->now[k];
    b->now[k] = value;
  }
  for (size_t e = 0; e <= d; e++) above[e + 1] = b->c_now[e];
  for (size_t e = 0; e <= d; e++) above[e] -= gamma * b->c_before[e];
  memcpy(b->c_before, b->c_now, sizeof above);
  memcpy(b->c_now, above, sizeof above);
  b->norm_before = norm;
}

// Σ c_e ((z − M)/S)^e as Σ coefficients z^e
static void unshift(nl_polynomial *p, const double *c) {
  double out[NL_CHAIN_DEGREE + 1] = {0};
  for (size_t e = p->degree + 1; e-- > 0;) {
    for (size_t d = p->degree; d > 0; d--) out[d] = (out[d - 1] - p->mean * out[d]) / p->spread;
    out[0] = -p->mean * out[0] / p->spread + c[e];
  }
  memcpy(p->coefficients, out, sizeof out);
}

static nl_status fit(nl_polynomial *p, const nl_chain *chain, size_t l, nl_error *error) {
  basis b;
  double left[POINTS], c[NL_CHAIN_DEGREE + 1] = {0}, whole = 0, weight = 0, largest = 0;
  start_basis(&b);
  for (size_t k = 0; k < POINTS; k++) {
    left[k] = nl_chain_activation(chain, l, p->mean + p->spread * b.t[k]);
    if (!isfinite(left[k]))
      return nl_fail(error, NL_ERROR_UNSUPPORTED, "polynomial encoding", "an activation is not finite everywhere");
    whole += b.weight[k] * left[k] * left[k];
    weight += b.weight[k];
  }
  for (size_t d = 0; d <= p->degree; d++) {
    const double norm = inner(&b, b.now, b.now), factor = inner(&b, b.now, left) / norm;
    for (size_t k = 0; k < POINTS; k++) left[k] -= factor * b.now[k];
    for (size_t e = 0; e <= d; e++) c[e] += factor * b.c_now[e];
    if (d < p->degree) raise_basis(&b, d, norm);
  }
  for (size_t k = 0; k < POINTS; k++) largest = fmax(largest, fabs(left[k]));
  const double unit = whole > 0 ? sqrt(whole / weight) : 1.0;
  p->rms = sqrt(inner(&b, left, left) / weight) / unit;
  p->largest = largest / unit;
  unshift(p, c);
  return NL_OK;
}

// ---- layers -----------------------------------------------------------------------------------------------------------------

static nl_status fit_layer(nl_polynomial *p, const nl_chain *chain, size_t l, size_t degree, nl_error *error) {
  const nl_chain_layer *layer = &chain->layers[l];
  if (layer->kind == NL_CHAIN_IDENTITY || layer->kind == NL_CHAIN_POLYNOMIAL) {
    p->degree = layer->kind == NL_CHAIN_IDENTITY ? 1 : layer->degree;
    if (layer->kind == NL_CHAIN_IDENTITY)
      p->coefficients[1] = 1;
    else
      memcpy(p->coefficients, layer->coefficients, sizeof p->coefficients);
    return NL_OK;
  }
  p->fitted = true;
  p->degree = degree == 0 ? 2 : degree;
  NL_TRY(fit(p, chain, l, error));
  if (degree != 0) return NL_OK;
  nl_polynomial cubic = *p;
  cubic.degree = 3;
  NL_TRY(fit(&cubic, chain, l, error));
  if (cubic.rms <= worth_cubic * p->rms) *p = cubic;
  return NL_OK;
}

nl_status nl_ode_polynomials(const nl_polynomial **out, const nl_chain *chain, size_t degree, nl_arena *arena,
                             nl_error *error) {
  nl_polynomial *polynomials;
  size_t widest = chain->features;
  moments in, next;
  if (degree > NL_CHAIN_DEGREE) return nl_fail(error, NL_ERROR_ARGUMENT, "degree", "it must be from 1 to 16");
  for (size_t l = 0; l < chain->count; l++) widest = chain->layers[l].width > widest ? chain->layers[l].width : widest;
  NL_TAKE(arena, polynomials, nl_polynomial, chain->count, error);
  NL_TAKE(arena, in.mean, double, widest, error);
  NL_TAKE(arena, in.variance, double, widest, error);
  NL_TAKE(arena, next.mean, double, widest, error);
  NL_TAKE(arena, next.variance, double, widest, error);
  for (size_t i = 0; i < chain->features; i++) in.variance[i] = 1;
  for (size_t l = 0; l < chain->count; l++) {
    const nl_chain_layer *layer = &chain->layers[l];
    multiply(layer, &in, &next);
    pool(layer->width, &next, &polynomials[l].mean, &polynomials[l].spread);
    NL_TRY(fit_layer(&polynomials[l], chain, l, degree, error));
    for (size_t o = 0; o < layer->width; o++) activate(chain, l, &next.mean[o], &next.variance[o]);
    const moments swap = in;
    in = next;
    next = swap;
  }
  *out = polynomials;
  return NL_OK;
}
