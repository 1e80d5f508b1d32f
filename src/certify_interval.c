#include "certify_interval.h"

#include <math.h>

static const double ulps = 0x1p-51, library = 0x1p-48, least = 1e-300;

static nl_interval outward(double low, double high, double relative) {
  if (isnan(low) || isnan(high)) return nl_interval_entire();
  return (nl_interval){low - (fabs(low) * relative + least), high + (fabs(high) * relative + least)};
}

nl_interval nl_interval_entire(void) { return (nl_interval){-INFINITY, INFINITY}; }

nl_interval nl_interval_add(nl_interval a, nl_interval b) { return outward(a.low + b.low, a.high + b.high, ulps); }

nl_interval nl_interval_subtract(nl_interval a, nl_interval b) { return outward(a.low - b.high, a.high - b.low, ulps); }

nl_interval nl_interval_multiply(nl_interval a, nl_interval b) {
  const double c[4] = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
  double low = c[0], high = c[0];
  for (size_t i = 0; i < 4; i++) {
    if (isnan(c[i])) return nl_interval_entire();
    low = c[i] < low ? c[i] : low;
    high = c[i] > high ? c[i] : high;
  }
  return outward(low, high, ulps);
}

nl_interval nl_interval_divide(nl_interval a, nl_interval b) {
  if (!(b.low > 0 || b.high < 0)) return nl_interval_entire();
  return nl_interval_multiply(a, outward(1.0 / b.high, 1.0 / b.low, ulps));
}

nl_interval nl_interval_hull(nl_interval a, nl_interval b) {
  return (nl_interval){a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high};
}

nl_interval nl_interval_meet(nl_interval a, nl_interval b) {
  return (nl_interval){a.low > b.low ? a.low : b.low, a.high < b.high ? a.high : b.high};
}

nl_interval nl_interval_power(nl_interval a, unsigned exponent) {
  nl_interval result = {1, 1};
  const bool even = exponent % 2 == 0;
  if (even) { // |x|
    const bool zero = a.low <= 0 && a.high >= 0;
    const double low = fabs(a.low), high = fabs(a.high);
    a = (nl_interval){zero ? 0 : fmin(low, high), fmax(low, high)};
  }
  for (unsigned i = 0; i < exponent; i++) result = nl_interval_multiply(result, a);
  if (even && result.low < 0) result.low = 0;
  return result;
}

double nl_interval_largest(nl_interval a) { return fmax(fabs(a.low), fabs(a.high)); }

static nl_interval scale(nl_interval a, double factor) {
  return nl_interval_multiply(a, (nl_interval){factor, factor});
}

// ---- series -------------------------------------------------------------------------------------------------------------

enum { K = NL_SERIES_ORDER };

static size_t lesser(const nl_series *a, const nl_series *b) { return a->order < b->order ? a->order : b->order; }

// Constants of a series keep the rest of its order.
static nl_series constant(nl_interval value) { return (nl_series){K, {value}}; }

nl_series nl_series_variable(nl_interval cell, size_t order) { return (nl_series){order, {cell, {1, 1}}}; }

nl_series nl_series_number(double number) { return constant((nl_interval){number, number}); }

nl_series nl_series_add(const nl_series *a, const nl_series *b) {
  nl_series sum = {lesser(a, b), {{0, 0}}};
  for (size_t k = 0; k <= sum.order; k++) sum.c[k] = nl_interval_add(a->c[k], b->c[k]);
  return sum;
}

nl_series nl_series_subtract(const nl_series *a, const nl_series *b) {
  nl_series difference = {lesser(a, b), {{0, 0}}};
  for (size_t k = 0; k <= difference.order; k++) difference.c[k] = nl_interval_subtract(a->c[k], b->c[k]);
  return difference;
}

static bool is_zero(nl_interval a) { return a.low == 0 && a.high == 0; }

// coefficient k of a b; exact zeros stay so, whatever stands beside them
static nl_interval coefficient(const nl_series *a, const nl_series *b, size_t k) {
  nl_interval sum = {0, 0};
  for (size_t i = 0; i <= k; i++)
    if (!is_zero(a->c[i]) && !is_zero(b->c[k - i]))
      sum = nl_interval_add(sum, nl_interval_multiply(a->c[i], b->c[k - i]));
  return sum;
}

nl_series nl_series_multiply(const nl_series *a, const nl_series *b) {
  nl_series product = {lesser(a, b), {{0, 0}}};
  for (size_t k = 0; k <= product.order; k++) product.c[k] = coefficient(a, b, k);
  return product;
}

static void kink(nl_series *s, nl_interval slopes) {
  s->c[1] = slopes;
  for (size_t k = 2; k <= s->order; k++) s->c[k] = nl_interval_entire();
}

nl_series nl_series_extreme(const nl_series *a, const nl_series *b, bool maximum) {
  const nl_series *above = maximum ? a : b, *below = maximum ? b : a;
  if (above->c[0].low >= below->c[0].high) return *a;
  if (below->c[0].low >= above->c[0].high) return *b;
  nl_series s = {lesser(a, b), {{0, 0}}};
  const nl_interval x = a->c[0], y = b->c[0];
  s.c[0] = maximum ? (nl_interval){fmax(x.low, y.low), fmax(x.high, y.high)}
                   : (nl_interval){fmin(x.low, y.low), fmin(x.high, y.high)};
  kink(&s, nl_interval_hull(a->c[1], b->c[1]));
  return s;
}

// ---- functions of the variable -------------------------------------------------------------------------------------------

static nl_series entire(void) {
  nl_series s = {K, {{0, 0}}};
  for (size_t k = 0; k <= K; k++) s.c[k] = nl_interval_entire();
  return s;
}

static nl_interval within(nl_interval a, double low, double high) {
  return (nl_interval){fmin(fmax(a.low, low), high), fmax(fmin(a.high, high), low)};
}

// f(x) = first + ∫ f'
static nl_series integral(nl_interval first, const nl_series *derivative) {
  nl_series s = {derivative->order < K ? derivative->order + 1 : K, {first}};
  for (size_t k = 0; k < s.order; k++)
    s.c[k + 1] = nl_interval_divide(derivative->c[k], (nl_interval){(double)k + 1, (double)k + 1});
  return s;
}

// t' = 1 - t²
static nl_series tanh_of(nl_interval x, size_t order) {
  nl_series t = {order, {within(outward(tanh(x.low), tanh(x.high), library), -1, 1)}};
  for (size_t k = 0; k < order; k++) {
    nl_interval u = k == 0 ? nl_interval_power(t.c[0], 2) : coefficient(&t, &t, k);
    u = nl_interval_subtract((nl_interval){k == 0, k == 0}, u);
    if (k == 0) u = within(u, 0, 1);
    t.c[k + 1] = nl_interval_divide(u, (nl_interval){(double)k + 1, (double)k + 1});
  }
  return t;
}

static double logistic(double x) { return x >= 0 ? 1.0 / (1.0 + exp(-x)) : exp(x) / (1.0 + exp(x)); }

// s' = s (1 - s) = 1/4 - (s - 1/2)²
static nl_series sigmoid_of(nl_interval x, size_t order) {
  nl_series s = {order, {within(outward(logistic(x.low), logistic(x.high), library), 0, 1)}};
  for (size_t k = 0; k < order; k++) {
    nl_interval u;
    if (k == 0) {
      u = nl_interval_power(nl_interval_subtract(s.c[0], (nl_interval){0.5, 0.5}), 2);
      const nl_interval other = nl_interval_multiply(s.c[0], nl_interval_subtract((nl_interval){1, 1}, s.c[0]));
      u = nl_interval_meet(within(nl_interval_subtract((nl_interval){0.25, 0.25}, u), 0, 0.25), other);
    } else
      u = nl_interval_subtract(s.c[k], coefficient(&s, &s, k));
    s.c[k + 1] = nl_interval_divide(u, (nl_interval){(double)k + 1, (double)k + 1});
  }
  return s;
}

static nl_series exp_of(nl_interval x, size_t order) {
  nl_series e = {order, {within(outward(exp(x.low), exp(x.high), library), 0, INFINITY)}};
  for (size_t k = 0; k < order; k++)
    e.c[k + 1] = nl_interval_divide(e.c[k], (nl_interval){(double)k + 1, (double)k + 1});
  return e;
}

// r' = -r², r_k = -r_{k-1} / x
static nl_series reciprocal_of(nl_interval x) {
  if (x.low <= 0 && x.high >= 0) return entire();
  nl_series r = {K, {nl_interval_divide((nl_interval){1, 1}, x)}};
  for (size_t k = 0; k < K; k++) r.c[k + 1] = scale(nl_interval_divide(r.c[k], x), -1);
  return r;
}

static nl_series log_of(nl_interval x) {
  if (!(x.low > 0)) return entire();
  const nl_series derivative = reciprocal_of(x);
  return integral(outward(log(x.low), log(x.high), library), &derivative);
}

// f_k = f_{k-1} (p - k + 1) / (k x)
static void power_rule(nl_series *f, double p, nl_interval x) {
  for (size_t k = 1; k <= K; k++) {
    const nl_interval factor = nl_interval_subtract((nl_interval){p, p}, (nl_interval){(double)k - 1, (double)k - 1});
    f->c[k] = nl_interval_divide(nl_interval_multiply(f->c[k - 1], factor),
                                 nl_interval_multiply((nl_interval){(double)k, (double)k}, x));
  }
}

static nl_series sqrt_of(nl_interval x) {
  if (!(x.low > 0)) return entire();
  nl_series f = {K, {outward(sqrt(x.low), sqrt(x.high), ulps)}};
  power_rule(&f, 0.5, x);
  return f;
}

enum { WHOLE_MOST = 64 };

// x^n: Σ binomial(n, k) x^{n-k}
static nl_series whole_power(nl_interval x, unsigned n) {
  nl_series f = {K, {{0, 0}}};
  double binomial = 1; // exact: n is small
  for (unsigned k = 0; k <= K && k <= n; k++) {
    f.c[k] = scale(nl_interval_power(x, n - k), binomial);
    binomial = binomial * (n - k) / (k + 1);
  }
  return f;
}

static nl_series power_of(nl_interval x, double p) {
  if (p >= 0 && p <= WHOLE_MOST && p == floor(p)) return whole_power(x, (unsigned)p);
  if (p < 0 && -p <= WHOLE_MOST && p == floor(p) && (x.low > 0 || x.high < 0)) {
    nl_series f = {K, {nl_interval_divide((nl_interval){1, 1}, nl_interval_power(x, (unsigned)-p))}};
    power_rule(&f, p, x);
    return f;
  }
  if (!(x.low > 0)) return entire();
  const double a = pow(x.low, p), b = pow(x.high, p);
  nl_series f = {K, {within(outward(fmin(a, b), fmax(a, b), library), 0, INFINITY)}};
  power_rule(&f, p, x);
  return f;
}

// |sin x - sin m| <= |x - m|
static nl_interval wave(nl_interval x, double (*of)(double)) {
  const double middle = 0.5 * (x.low + x.high), reach = fmax(x.high - middle, middle - x.low);
  if (!(fabs(middle) < 1e6)) return (nl_interval){-1, 1};
  return within(outward(of(middle) - reach, of(middle) + reach, library), -1, 1);
}

static nl_series sine_of(nl_interval x, bool cosine) {
  const nl_interval s = wave(x, sin), c = wave(x, cos);
  const nl_interval cycle[4] = {s, c, scale(s, -1), scale(c, -1)};
  nl_series f = {K, {{0, 0}}};
  double factorial = 1;
  for (size_t k = 0; k <= K; k++) {
    factorial *= k > 0 ? (double)k : 1.0;
    f.c[k] = nl_interval_divide(cycle[(k + (cosine ? 1 : 0)) % 4], (nl_interval){factorial, factorial});
  }
  return f;
}

static nl_series then(const nl_series *f, const nl_series *inner);

// c e^{-s x²}
static nl_series bell(nl_interval x, double c, double s) {
  const nl_series square = whole_power(x, 2), factor = nl_series_number(-s);
  const nl_series inner = nl_series_multiply(&square, &factor);
  const nl_series outer = exp_of(inner.c[0], K), e = then(&outer, &inner);
  const nl_series height = {K, {outward(c, c, ulps)}};
  return nl_series_multiply(&height, &e);
}

static nl_series erf_of(nl_interval x) {
  const nl_series derivative = bell(x, 1.12837916709551257390, 1.0); // 2 / sqrt π
  return integral(within(outward(erf(x.low), erf(x.high), library), -1, 1), &derivative);
}

static double log1pexp(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

static nl_series softplus_of(nl_interval x) {
  const nl_series derivative = sigmoid_of(x, K);
  return integral(outward(log1pexp(x.low), log1pexp(x.high), library), &derivative);
}

// x Φ(x), Φ' = e^{-x²/2} / sqrt(2π)
static nl_series gelu_of(nl_interval x) {
  static const double root = 0.70710678118654752440;
  const nl_series derivative = bell(x, 0.39894228040143267794, 0.5), variable = nl_series_variable(x, K);
  const nl_interval first = outward(0.5 * erfc(-x.low * root), 0.5 * erfc(-x.high * root), 256 * library);
  const nl_series normal = integral(within(first, 0, 1), &derivative);
  return nl_series_multiply(&variable, &normal);
}

// x/2 (1 + tanh(g (x + c x³)))
static nl_series gelu_tanh_of(nl_interval x) {
  const nl_series variable = nl_series_variable(x, K), half = nl_series_number(0.5), one = nl_series_number(1);
  const nl_series cube = whole_power(x, 3), cubic = {K, {outward(0.044715, 0.044715, ulps)}};
  const nl_series factor = {K, {outward(0.79788456080286535588, 0.79788456080286535588, ulps)}};
  nl_series inner = nl_series_multiply(&cube, &cubic);
  inner = nl_series_add(&inner, &variable);
  inner = nl_series_multiply(&inner, &factor);
  const nl_series outer = tanh_of(inner.c[0], K);
  nl_series result = then(&outer, &inner);
  result = nl_series_add(&result, &one);
  result = nl_series_multiply(&result, &variable);
  return nl_series_multiply(&result, &half);
}

static nl_series swish_of(nl_interval x, double alpha) {
  const nl_series variable = nl_series_variable(x, K), factor = nl_series_number(alpha);
  const nl_series inner = nl_series_multiply(&variable, &factor);
  const nl_series outer = sigmoid_of(inner.c[0], K), gate = then(&outer, &inner);
  return nl_series_multiply(&variable, &gate);
}

static nl_series mish_of(nl_interval x) {
  const nl_series variable = nl_series_variable(x, K), inner = softplus_of(x);
  const nl_series outer = tanh_of(inner.c[0], K), gate = then(&outer, &inner);
  return nl_series_multiply(&variable, &gate);
}

// ---- functions in pieces --------------------------------------------------------------------------------------------------

static nl_series line(nl_interval x, double slope) {
  return (nl_series){K, {slope == 0 ? (nl_interval){0, 0} : slope == 1 ? x : scale(x, slope), {slope, slope}}};
}

// factor (e^{x / width} - 1)
static nl_series bend(nl_interval x, nl_interval factor, double width) {
  const nl_series inner = nl_series_variable(nl_interval_divide(x, (nl_interval){width, width}), K);
  nl_series e = exp_of(inner.c[0], K);
  e.c[0] = within(outward(expm1(inner.c[0].low), expm1(inner.c[0].high), library), -1, INFINITY);
  nl_interval power = {1, 1};
  for (size_t k = 0; k <= K; k++) {
    e.c[k] = nl_interval_multiply(nl_interval_multiply(e.c[k], factor), power);
    power = nl_interval_divide(power, (nl_interval){width, width});
  }
  return e;
}

// x / (1 + |x|) = ±1 ∓ 1 / (1 ± x)
static nl_series softsign_of(nl_interval x, double sign) {
  const nl_series r = reciprocal_of(nl_interval_add((nl_interval){1, 1}, scale(x, sign)));
  nl_series f = {K, {nl_interval_subtract((nl_interval){sign, sign}, scale(r.c[0], sign))}};
  double power = -1; // of the inner slope `sign`, times -sign
  for (size_t k = 1; k <= K; k++, power *= sign) f.c[k] = scale(r.c[k], power);
  return f;
}

nl_pieces_at nl_function_pieces(nl_function function, double p, double q) {
  switch (function) {
  case NL_FUNCTION_THRESHOLDED_RELU:
    return (nl_pieces_at){1, {p}, p != 0};
  case NL_FUNCTION_HARD_SWISH:
    return (nl_pieces_at){2, {-3, 3}, false};
  case NL_FUNCTION_CLIP:
    return (nl_pieces_at){2, {p, q}, false};
  case NL_FUNCTION_RELU:
  case NL_FUNCTION_LEAKY_RELU:
  case NL_FUNCTION_ELU:
  case NL_FUNCTION_SELU:
  case NL_FUNCTION_CELU:
  case NL_FUNCTION_SOFTSIGN:
  case NL_FUNCTION_ABS:
    return (nl_pieces_at){1, {0}, false};
  default:
    return (nl_pieces_at){0};
  }
}

// On piece `index` alone.
static nl_series piece(nl_function function, double p, double q, size_t index, nl_interval x) {
  const bool left = index == 0;
  switch (function) {
  case NL_FUNCTION_RELU:
  case NL_FUNCTION_THRESHOLDED_RELU:
    return line(x, left ? 0 : 1);
  case NL_FUNCTION_LEAKY_RELU:
    return line(x, left ? p : 1);
  case NL_FUNCTION_ABS:
    return line(x, left ? -1 : 1);
  case NL_FUNCTION_ELU:
    return left ? bend(x, (nl_interval){p, p}, 1) : line(x, 1);
  case NL_FUNCTION_SELU:
    return left ? bend(x, nl_interval_multiply((nl_interval){p, p}, (nl_interval){q, q}), 1) : line(x, q);
  case NL_FUNCTION_CELU:
    return left ? bend(x, (nl_interval){p, p}, p) : line(x, 1);
  case NL_FUNCTION_SOFTSIGN:
    return softsign_of(x, left ? -1 : 1);
  case NL_FUNCTION_CLIP:
    return index == 1 ? line(x, 1) : nl_series_number(left ? p : q);
  default: { // hard swish: 0, x²/6 + x/2, x
    if (index != 1) return line(x, left ? 0 : 1);
    const nl_interval sixth = nl_interval_divide((nl_interval){1, 1}, (nl_interval){6, 6});
    const nl_interval inner = nl_interval_add(scale(x, 0.5), nl_interval_multiply(nl_interval_power(x, 2), sixth));
    const nl_interval slope = nl_interval_add(scale(nl_interval_multiply(x, sixth), 2), (nl_interval){0.5, 0.5});
    return (nl_series){K, {inner, slope, sixth}};
  }
  }
}

static nl_series in_pieces(nl_function function, double p, double q, nl_interval x, const nl_pieces_at *at) {
  nl_series s = {K, {{0, 0}}};
  bool some = false;
  for (size_t i = 0; i <= at->kinks; i++) {
    const double from = i == 0 ? -INFINITY : at->at[i - 1], to = i == at->kinks ? INFINITY : at->at[i];
    if (x.low > to || x.high < from || (some && x.high <= from && !at->jump)) continue;
    const nl_series own = piece(function, p, q, i, (nl_interval){fmax(x.low, from), fmin(x.high, to)});
    if (some) {
      s.c[0] = nl_interval_hull(s.c[0], own.c[0]);
      kink(&s, at->jump ? nl_interval_entire() : nl_interval_hull(s.c[1], own.c[1]));
    } else if (x.low < to || i == at->kinks || at->jump) {
      s = own;
      some = true;
    }
  }
  return s;
}

// Where p x + q crosses 0 and 1 is not a double: decided by its value.
static nl_series hard_sigmoid_of(nl_interval x, double p, double q) {
  const nl_interval inner = nl_interval_add(scale(x, p), (nl_interval){q, q});
  if (inner.low >= 0 && inner.high <= 1) return (nl_series){K, {inner, {p, p}}};
  if (inner.high <= 0) return nl_series_number(0);
  if (inner.low >= 1) return nl_series_number(1);
  nl_series s = {K, {within(inner, 0, 1)}};
  kink(&s, nl_interval_hull((nl_interval){0, 0}, (nl_interval){p, p}));
  return s;
}

static nl_series of_variable(nl_function function, double p, double q, nl_interval x, size_t order) {
  if (function == NL_FUNCTION_CLIP && !(p <= q)) return entire();
  switch (function) {
  case NL_FUNCTION_IDENTITY:
    return nl_series_variable(x, K);
  case NL_FUNCTION_NEGATE:
    return line(x, -1);
  case NL_FUNCTION_TANH:
    return tanh_of(x, order);
  case NL_FUNCTION_SIGMOID:
    return sigmoid_of(x, order);
  case NL_FUNCTION_SOFTPLUS:
    return softplus_of(x);
  case NL_FUNCTION_GELU:
    return gelu_of(x);
  case NL_FUNCTION_GELU_TANH:
    return gelu_tanh_of(x);
  case NL_FUNCTION_SWISH:
    return swish_of(x, p);
  case NL_FUNCTION_MISH:
    return mish_of(x);
  case NL_FUNCTION_ERF:
    return erf_of(x);
  case NL_FUNCTION_EXP:
    return exp_of(x, order);
  case NL_FUNCTION_LOG:
    return log_of(x);
  case NL_FUNCTION_SQRT:
    return sqrt_of(x);
  case NL_FUNCTION_RECIPROCAL:
    return reciprocal_of(x);
  case NL_FUNCTION_POWER:
    return power_of(x, p);
  case NL_FUNCTION_SIN:
  case NL_FUNCTION_COS:
    return sine_of(x, function == NL_FUNCTION_COS);
  case NL_FUNCTION_HARD_SIGMOID:
    return hard_sigmoid_of(x, p, q);
  default: {
    const nl_pieces_at at = nl_function_pieces(function, p, q);
    return in_pieces(function, p, q, x, &at);
  }
  }
}

// f ∘ inner: Σ f_k (inner - inner_0)^k by Horner's rule
static nl_series then(const nl_series *f, const nl_series *inner) {
  const size_t order = lesser(f, inner);
  nl_series step = *inner, sum = constant(f->c[order]);
  step.c[0] = (nl_interval){0, 0};
  for (size_t k = order; k-- > 0;) {
    sum = nl_series_multiply(&sum, &step);
    sum.c[0] = f->c[k];
  }
  sum.order = order;
  return sum;
}

static bool is_variable(const nl_series *a) {
  bool is = a->c[1].low == 1 && a->c[1].high == 1;
  for (size_t k = 2; k <= a->order; k++) is = is && is_zero(a->c[k]);
  return is;
}

nl_series nl_series_function(nl_function function, double p, double q, const nl_series *a) {
  nl_series f = of_variable(function, p, q, a->c[0], a->order);
  if (f.order > a->order) f.order = a->order;
  return is_variable(a) ? f : then(&f, a);
}
