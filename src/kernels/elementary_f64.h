// elementary_f64: the formulas of e^x and its relatives, included once by each twin. A twin brings the vocabulary of its
// width: `lanes` (doubles) and `words` (their bits), LANES, TWIN(name), load, store, first_of, lanes_all, smaller,
// larger, bits_of and lanes_of. C's own operators serve both widths, so that the twins compute the same expressions.
//
// x = n ln 2 + r with |r| <= ln 2 / 2, the multiple of ln 2 taken off in two parts (Cody, Waite, "Software Manual for the
// Elementary Functions", 1980, ch. 6), and e^r = (E + r) / (E - r) with the even E = r coth(r / 2) = 2 + r²/6 - r⁴/360 + ...,
// here interpolated at five Chebyshev nodes, off by 4e-18. Whatever follows takes numerator and denominator apart, and so
// divides once. Polynomials are summed in pairs (Estrin), for operations that wait on one another set the pace.

static const double LOG2_E = 0x1.71547652b82fep+0;
static const double LN_2_HIGH = 0x1.62e42p-1, LN_2_LOW = 0x1.fdf473de6af28p-22; // n LN_2_HIGH is exact
static const double LOWEST = -746.0, HIGHEST = 710.0;                           // e^x is 0 below, infinite above
static const double TO_INTEGER = 0x1.8p52;       // added, it leaves the nearest integer in the low bits
static const uint64_t ONE = 0x3ff0000000000000u; // the bits of 1.0
static const uint64_t SIGN = 0x8000000000000000u;
enum { FRACTION = 52 }; // bits below the exponent

typedef struct powers { // e^x = 2^n (even + odd) / (even - odd)
  lanes n;              // the integer, TO_INTEGER added
  lanes even, odd;      // E, r
} powers;

// The nearest integer stands in for a conversion that simd128 does not have. A NaN passes through `even` and `odd`.
static inline powers reduce(lanes x) {
  const lanes n = x * LOG2_E + TO_INTEGER, whole = n - TO_INTEGER;
  const lanes r = x - whole * LN_2_HIGH - whole * LN_2_LOW, z = r * r;
  const lanes low = 0x1.5555555555553p-3 + z * -0x1.6c16c16c0aa83p-9;
  const lanes middle = 0x1.1566ab5b82902p-14 + z * -0x1.bbd52fec5a3ebp-20, high = z * z * 0x1.63f123c24a857p-25;
  return (powers){n, 2.0 + z * (low + z * z * (middle + high)), r};
}

// 2^n = first * second, each half way: the ends of the range, subnormal numbers and infinity, come from a product and not
// from an exponent that does not exist.
typedef struct halves {
  lanes first, second;
} halves;

static inline halves halves_of_power(lanes n) {
  const words bits = bits_of(n), half = bits >> 1;
  return (halves){lanes_of((half << FRACTION) + ONE), lanes_of(((bits - half) << FRACTION) + ONE)};
}

static inline lanes clamped(lanes x, double lowest, double highest) {
  return larger(smaller(x, lanes_all(highest)), lanes_all(lowest)); // a NaN stays
}

static inline lanes exponential(lanes x) {
  const powers e = reduce(clamped(x, LOWEST, HIGHEST));
  const halves scale = halves_of_power(e.n);
  return (1.0 + 2.0 * e.odd / (e.even - e.odd)) * scale.first * scale.second;
}

// e^x - 1 = 2^n u - (1 - 2^n), u = e^r - 1; one half of 2^n is drawn out of the difference. -0 gives -0.
static inline lanes exponential_minus_1(lanes x) {
  const powers e = reduce(clamped(x, -64.0, HIGHEST));
  const halves scale = halves_of_power(e.n);
  const lanes inverse = lanes_of(2 * ONE - bits_of(scale.first)); // 1 / first
  return (2.0 * e.odd / (e.even - e.odd) * scale.second - (inverse - scale.second)) * scale.first;
}

// (e^2|x| - 1) / (e^2|x| + 1) with the sign of x. The numerator is in a form that keeps the digits near 0; the denominator
// builds on it, so that they share their rounding where they are alike and the quotient does not exceed 1.
static inline lanes hyperbolic_tangent(lanes x) {
  const words sign = bits_of(x) & SIGN;
  const powers e = reduce(smaller(lanes_of(bits_of(x) ^ sign), lanes_all(22.0)) * 2.0);
  const lanes scale = lanes_of((bits_of(e.n) << FRACTION) + ONE);
  const lanes above = (scale + 1.0) * e.odd + (scale - 1.0) * e.even;
  return lanes_of(bits_of(above / (above + 2.0 * (e.even - e.odd))) | sign);
}

// e^x / (e^x + 1)
static inline lanes logistic(lanes x) {
  const powers e = reduce(clamped(x, LOWEST, 64.0));
  const halves scale = halves_of_power(e.n);
  const lanes part = (e.even + e.odd) * scale.second;
  return part / (part * scale.first + (e.even - e.odd)) * scale.first;
}

// ln(1 + w/2) - ln(1 - w/2) = w + w³ (1/12 + w²/80 + w⁴/448 + ...), the series interpolated in w² up to w = 2/3: off by 7e-18.
static inline lanes logarithm_of_quotient(lanes w) {
  const lanes v = w * w, v2 = v * v, v4 = v2 * v2;
  const lanes c01 = 0x1.5555555555555p-4 + v * 0x1.999999999a3f6p-7,
              c23 = 0x1.24924923d2aabp-9 + v * 0x1.c71c72728d294p-12;
  const lanes c45 = 0x1.745cf07013ce5p-14 + v * 0x1.3b18b9af05b15p-16,
              c67 = 0x1.10ac016cdf2dbp-18 + v * 0x1.eb9904e47d63ep-21;
  const lanes c89 = 0x1.684e429b8dfc7p-23 + v * 0x1.4b38f8ef3461ap-24;
  return w + w * v * (c01 + v2 * c23 + v4 * (c45 + v2 * c67 + v4 * c89));
}

// ln(1 + e^x) = max(x, 0) + ln(1 + t), t = e^-|x|; w = 2t / (2 + t)
static inline lanes softened_plus(lanes x) {
  const powers e = reduce(larger(lanes_of(bits_of(x) | SIGN), lanes_all(LOWEST)));
  const halves scale = halves_of_power(e.n);
  const lanes part = 2.0 * (e.even + e.odd) * scale.second;
  const lanes w = part / (part * scale.first * 0.5 + 2.0 * (e.even - e.odd)) * scale.first;
  return larger(x, lanes_all(0.0)) + logarithm_of_quotient(w);
}

// x and y may be the same array. The last elements fill the lanes with themselves.
static inline void each(size_t n, const double *x, double *y, lanes formula(lanes)) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, formula(load(x + i)));
  for (; i < n; i++) y[i] = first_of(formula(lanes_all(x[i])));
}

void TWIN(nl_exp_f64)(size_t n, const double *x, double *y) { each(n, x, y, exponential); }
void TWIN(nl_expm1_f64)(size_t n, const double *x, double *y) { each(n, x, y, exponential_minus_1); }
void TWIN(nl_tanh_f64)(size_t n, const double *x, double *y) { each(n, x, y, hyperbolic_tangent); }
void TWIN(nl_sigmoid_f64)(size_t n, const double *x, double *y) { each(n, x, y, logistic); }
void TWIN(nl_softplus_f64)(size_t n, const double *x, double *y) { each(n, x, y, softened_plus); }
