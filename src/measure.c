#include "measure.h"

#include <math.h>
#include <stdbool.h>

#include "random.h"

// Beyond, some pairs of steps resonate: at 12 and 16 features two of them correlate by 0.4 over 4096 rows.
enum { QUASI_FEATURES = 10 };

static double ratio(const double *top, const double *bottom, int degree, double x) {
  double a = top[degree], b = bottom[degree];
  for (int i = degree - 1; i >= 0; i--) {
    a = a * x + top[i];
    b = b * x + bottom[i];
  }
  return a / b;
}

// The normal quantile, algorithm AS 241 (Wichura 1988), relative error about 1e-16.
static double quantile(double p) {
  static const double a[8] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                              1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                              3.3430575583588128105e4, 2.5090809287301226727e3};
  static const double b[8] = {1.0,
                              4.2313330701600911252e1,
                              6.8718700749205790830e2,
                              5.3941960214247511077e3,
                              2.1213794301586595867e4,
                              3.9307895800092710610e4,
                              2.8729085735721942674e4,
                              5.2264952788528545610e3};
  static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                              3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                              2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static const double d[8] = {1.0,
                              2.05319162663775882187e0,
                              1.67638483018380384940e0,
                              6.89767334985100004550e-1,
                              1.48103976427480074590e-1,
                              1.51986665636164571966e-2,
                              5.47593808499534494600e-4,
                              1.05075007164441684324e-9};
  static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                              2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                              2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static const double f[8] = {1.0,
                              5.99832206555887937690e-1,
                              1.36929880922735805310e-1,
                              1.48753612908506148525e-2,
                              7.86869131145613259100e-4,
                              1.84631831751005468180e-5,
                              1.42151175831644588870e-7,
                              2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (fabs(q) <= 0.425) return q * ratio(a, b, 7, 0.180625 - q * q);
  const double r = sqrt(-log(q < 0 ? p : 1.0 - p));
  const double z = r <= 5.0 ? ratio(c, d, 7, r - 1.6) : ratio(e, f, 7, r - 5.0);
  return q < 0 ? -z : z;
}

// The root > 1 of g^(d+1) = g + 1
static double golden(size_t d) {
  double g = 1.5;
  for (int i = 0; i < 60; i++) g = pow(1.0 + g, 1.0 / (double)(d + 1));
  return g;
}

// Standard normal, or uniform in (-1, 1).
static void deviates(uint64_t seed, bool normal, size_t rows, size_t features, double *x) {
  nl_random g = nl_random_seeded(seed);
  const bool quasi = features <= QUASI_FEATURES;
  double step[QUASI_FEATURES] = {0}, at[QUASI_FEATURES] = {0};
  for (size_t i = 0; quasi && i < features; i++) {
    step[i] = pow(1.0 / golden(features), (double)(i + 1));
    at[i] = nl_random_uniform(&g);
  }
  for (size_t r = 0; r < rows; r += 2)
    for (size_t i = 0; i < features; i++) {
      if (quasi) at[i] = at[i] + step[i] - floor(at[i] + step[i]);
      const double u = quasi ? fmin(fmax(at[i], 0x1p-53), 1.0 - 0x1p-53) : nl_random_uniform(&g);
      const double z = normal ? quantile(u) : 2.0 * u - 1.0;
      x[r * features + i] = z;
      if (r + 1 < rows) x[(r + 1) * features + i] = -z;
    }
}

void nl_measure_normal(uint64_t seed, size_t rows, size_t features, const double *mean, const double *spread,
                       double *x) {
  deviates(seed, true, rows, features, x);
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < features; i++) {
      double *at = &x[r * features + i];
      *at = (mean != NULL ? mean[i] : 0.0) + (spread != NULL ? spread[i] : 1.0) * *at;
    }
}

void nl_measure_box(uint64_t seed, size_t rows, size_t features, const double *low, const double *high, double *x) {
  deviates(seed, false, rows, features, x);
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < features; i++) {
      double *at = &x[r * features + i];
      *at = low[i] + (high[i] - low[i]) * (0.5 + 0.5 * *at);
    }
}

static double column_spread(size_t rows, size_t features, const double *x, size_t column) {
  double mean = 0, square = 0;
  for (size_t r = 0; r < rows; r++) mean += x[r * features + column];
  mean /= (double)rows;
  for (size_t r = 0; r < rows; r++) {
    const double d = x[r * features + column] - mean;
    square += d * d;
  }
  return sqrt(square / (double)rows);
}

void nl_measure_jitter(uint64_t seed, size_t rows, size_t features, const double *x, double strength, size_t copies,
                       double *out) {
  nl_random g = nl_random_seeded(seed ^ 0x6a697474u);
  for (size_t i = 0; i < features; i++) {
    const double spread = strength * column_spread(rows, features, x, i);
    for (size_t r = 0; r < copies * rows; r++)
      out[r * features + i] = x[r % rows * features + i] + spread * quantile(nl_random_uniform(&g));
  }
}
