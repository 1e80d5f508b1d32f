// partition_polynomial: distances of the polynomial encoding, f_k = −a_k + p(z_k), z_k = Σ_m w_km a_m + b_k.
//
// Around its bias p is p(z) = Σ_d g_d z̄^d with z̄ = z − b and g_d(b) = Σ_{e>=d} c_e C(e,d) b^(e−d); z̄^d = Σ_{|α|=d} d!/α! w^α a^α.
// Monomials of different degree never meet, so each d is by itself.
//
// Forward, blocks H of the next layer. A monomial is x_i^a x_j^(t−a) times a monomial m of degree r = d − t in the others. For each m
// the form Σ_a G_a x_i^a x_j^(t−a) becomes Q(s) (x_i + x_j)^t, Q(s) = Σ_a G_a s^a (1−s)^(t−a) = Σ_r q_r s^r, q_0 = G_0, and the
// sum of absolute coefficients of the difference over Q[x,s] is
//     N_t(G) = Σ_a |G_a − C(t,a) G_0| + 2^t Σ_{r>=1} |q_r|,   q_r = Σ_{a<=r} (−1)^(r−a) C(t−a,r−a) G_a
// (t = 1: 3 |G_1 − G_0|;  t = 2: |G_2 − G_0| + |G_1 − 2 G_0| + 4 (|G_1 − 2 G_0| + |G_2 − G_1 + G_0|)). With T^H = Σ_{k∈H} g_d(b_k) w_k^⊗d:
//     G_a = d!/(a! (t−a)! α_m!) T^H[i^a, j^(t−a), m].
// It is not symmetric in i and j; i is the one that comes first. For H = {k} the others sum to a power:
//     C(d,t) |g_d| (Σ_{m≠i,j} |w_km|)^r N_t(C(t,a) w_ki^a w_kj^(t−a)).
//
// Backward, with r_i the incoming weights collapsed to the previous layer's blocks:
//     Σ_d Σ_{|α|=d} d!/α! |g_d(b_i) r_i^α − g_d(b_j) r_j^α|.
// From below, since Σ_{|β|=d−1} over ordered factors of |r^β| is ‖r‖₁^(d−1): the part of degree d is at least
//     Σ_B | |g_d(b_i)| |r_iB| ‖r_i‖₁^(d−1) − |g_d(b_j)| |r_jB| ‖r_j‖₁^(d−1) |,  an L1 distance.
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "ode_monomials.h"
#include "partition_parts.h"

enum { TERMS = NL_CHAIN_DEGREE + 1 };

static double power(double x, size_t n) {
  double value = 1;
  while (n-- > 0) value *= x;
  return value;
}

// N_t of the form G (t + 1)
static double form_distance(size_t t, const double *form) {
  if (t == 1) return 3.0 * fabs(form[1] - form[0]);
  double sum = 0, tail = 0;
  for (size_t a = 1; a <= t; a++) sum += fabs(form[a] - nl_binomial(t, a) * form[0]);
  for (size_t r = 1; r <= t; r++) {
    double q = 0;
    for (size_t a = 0; a <= r; a++) q += ((r - a) % 2 == 0 ? 1.0 : -1.0) * nl_binomial(t - a, r - a) * form[a];
    tail += fabs(q);
  }
  return sum + power(2, t) * tail;
}

// How many terms rounding can shift, per unit of weight: Σ_d |c_d| magnitude^d.
static double absolute_value(const nl_polynomial *p, double magnitude) {
  double value = 0;
  for (size_t d = p->degree + 1; d-- > 0;) value = value * magnitude + fabs(p->coefficients[d]);
  return value;
}

// ---- forward ----------------------------------------------------------------------------------------------------------------

typedef struct forward {
  size_t n, rows, degree;
  const double *weights;           // (rows, n) of the next layer
  double *g;                       // (rows, degree + 1)
  double *norm;                    // (rows) Σ_m |w_km|
  size_t blocks, *first, *members; // of the next layer: members[first[b]] .. members[first[b + 1] - 1]
  double *forms;                   // (degree + 1, n) scratch
  double *products;                // (rows) scratch
} forward;

static double single_distance(const forward *f, size_t k, size_t i, size_t j) {
  const double *w = f->weights + k * f->n, *g = f->g + k * (f->degree + 1);
  const double others = fmax(0.0, f->norm[k] - fabs(w[i]) - fabs(w[j]));
  double sum = 0, form[TERMS];
  if (w[i] == w[j]) return 0.0; // the form is c (x_i + x_j)^t
  for (size_t t = 1; t <= f->degree; t++) {
    double mixed = 0;
    for (size_t d = t; d <= f->degree; d++) mixed += nl_binomial(d, t) * fabs(g[d]) * power(others, d - t);
    for (size_t a = 0; a <= t; a++) form[a] = nl_binomial(t, a) * power(w[i], a) * power(w[j], t - a);
    sum += mixed * form_distance(t, form);
  }
  return sum;
}

typedef struct term {
  size_t block, i, j, d, t;
} term;

// What is left of one degree: forms[a][m] = Σ_{k∈H} products_k w_ki^a w_kj^(t−a) w_km for m from `from` on.
static void gather_forms(const forward *f, const term *q, size_t from) {
  for (size_t a = 0; a <= q->t; a++) {
    double *row = f->forms + a * f->n;
    memset(row + from, 0, (f->n - from) * sizeof *row);
    if (q->t == 1 && a == 0) continue; // the difference serves: a = 1 holds it
    for (size_t l = f->first[q->block]; l < f->first[q->block + 1]; l++) {
      const double *w = f->weights + f->members[l] * f->n;
      const double factor =
          q->t == 1 ? w[q->i] - w[q->j] : nl_binomial(q->t, a) * power(w[q->i], a) * power(w[q->j], q->t - a);
      nl_axpy_f64(f->n - from, f->products[l] * factor, w + from, row + from);
    }
  }
}

static double add_forms(const forward *f, const term *q, size_t from, size_t run) {
  double sum = 0, form[TERMS];
  for (size_t m = from; m < f->n; m++) {
    if (m == q->i || m == q->j) continue;
    for (size_t a = 0; a <= q->t; a++) form[a] = f->forms[a * f->n + m];
    const double distance = form_distance(q->t, form);
    sum += m == from && run > 0 ? distance / (double)(run + 1) : distance;
  }
  return sum;
}

// Monomials with other variables in them: each multiset but its last index, the last all at once.
static double mixed_distance(const forward *f, const term *q, double limit, double *work) {
  nl_monomials others = {.n = f->n, .skip = {q->i, q->j}, .size = q->d - q->t - 1};
  const size_t width = f->first[q->block + 1] - f->first[q->block];
  double sum = 0;
  if (!nl_monomials_start(&others)) return 0.0;
  do {
    const size_t from = others.size > 0 ? others.index[others.size - 1] : 0;
    size_t run;
    const double ways = nl_monomials_ways(&others, &run);
    for (size_t l = f->first[q->block]; l < f->first[q->block + 1]; l++) {
      const size_t k = f->members[l];
      f->products[l] = f->g[k * (f->degree + 1) + q->d];
      for (size_t x = 0; x < others.size; x++) f->products[l] *= f->weights[k * f->n + others.index[x]];
    }
    gather_forms(f, q, from);
    sum += nl_binomial(q->d, q->t) * ways * add_forms(f, q, from, run);
    *work += (double)(f->n - from) * (double)width * (double)(q->t == 1 ? 1 : q->t + 1);
  } while (sum <= limit && *work <= NL_PARTITION_WORK_MOST && nl_monomials_next(&others));
  return sum;
}

static double pure_distance(const forward *f, const term *q) {
  double form[TERMS] = {0};
  for (size_t l = f->first[q->block]; l < f->first[q->block + 1]; l++) {
    const double *w = f->weights + f->members[l] * f->n, g = f->g[f->members[l] * (f->degree + 1) + q->d];
    for (size_t a = 0; a <= q->d; a++)
      form[a] += g * nl_binomial(q->d, a) * power(w[q->i], a) * power(w[q->j], q->d - a);
  }
  return form_distance(q->d, form);
}

static double block_distance(const forward *f, size_t block, size_t i, size_t j, double limit, double *work) {
  double sum = 0;
  for (size_t d = 1; d <= f->degree; d++) sum += pure_distance(f, &(term){block, i, j, d, d});
  for (size_t d = 2; d <= f->degree; d++)
    for (size_t t = 1; t < d && sum <= limit; t++)
      sum += mixed_distance(f, &(term){block, i, j, d, t}, limit - sum, work);
  return sum;
}

static double forward_distance(const void *context, size_t i, size_t j, double limit, double *work) {
  const forward *f = context;
  double sum = 0;
  for (size_t b = 0; b < f->blocks && sum <= limit; b++)
    if (f->first[b + 1] - f->first[b] == 1) sum += single_distance(f, f->members[f->first[b]], i, j);
  for (size_t b = 0; b < f->blocks && sum <= limit && *work <= NL_PARTITION_WORK_MOST; b++)
    if (f->first[b + 1] - f->first[b] > 1) sum += block_distance(f, b, i, j, limit - sum, work);
  *work += (double)f->blocks;
  return sum;
}

// Σ_m |w_km| without the two largest: what at least stands beside any pair.
static double norm_without_two(const forward *f, size_t k) {
  double largest = 0, second = 0;
  for (size_t m = 0; m < f->n; m++) {
    const double w = fabs(f->weights[k * f->n + m]);
    if (w > largest) {
      second = largest;
      largest = w;
    } else if (w > second)
      second = w;
  }
  return fmax(0.0, f->norm[k] - largest - second);
}

// A block of one gives all terms of degree 1 in x_i, x_j as one column; another the linear terms, and x_i^d for each d > 1.
static void forward_columns(const forward *f, size_t b, double *values, size_t m, size_t column) {
  const size_t k = f->members[f->first[b]], width = f->first[b + 1] - f->first[b];
  if (width == 1) {
    const double least = norm_without_two(f, k);
    double factor = 0;
    for (size_t d = 1; d <= f->degree; d++)
      factor += 3.0 * (double)d * fabs(f->g[k * (f->degree + 1) + d]) * power(least, d - 1);
    for (size_t i = 0; i < f->n; i++) values[i * m + column] = factor * f->weights[k * f->n + i];
    return;
  }
  for (size_t d = 1; d <= f->degree; d++)
    for (size_t l = f->first[b]; l < f->first[b + 1]; l++)
      for (size_t i = 0; i < f->n; i++)
        values[i * m + column + d - 1] += (d == 1 ? 3.0 : 1.0) * f->g[f->members[l] * (f->degree + 1) + d] *
                                          power(f->weights[f->members[l] * f->n + i], d);
}

static double forward_cost(const forward *f) {
  double mixed = 0, cost = 0;
  for (size_t d = 2; d <= f->degree; d++)
    for (size_t t = 1; t < d; t++)
      mixed += nl_binomial(f->n + d - t - 1, d - t - 1) * (double)f->n * (double)(t == 1 ? 1 : t + 1);
  for (size_t b = 0; b < f->blocks; b++) {
    const double width = (double)(f->first[b + 1] - f->first[b]);
    cost += width == 1 ? 8.0 * (double)(f->degree * f->degree) : width * mixed;
  }
  return cost;
}

static nl_status group_members(forward *f, const nl_neighbour *from, nl_arena *arena, nl_error *error) {
  f->blocks = from->blocks;
  NL_TAKE(arena, f->first, size_t, from->blocks + 2, error);
  NL_TAKE(arena, f->members, size_t, from->width + 1, error);
  for (size_t k = 0; k < from->width; k++) f->first[from->block_of[k] + 1]++;
  for (size_t b = 0; b < from->blocks; b++) f->first[b + 1] += f->first[b];
  for (size_t k = 0; k < from->width; k++) f->members[f->first[from->block_of[k]]++] = k;
  for (size_t b = from->blocks; b-- > 0;) f->first[b + 1] = f->first[b];
  f->first[0] = 0;
  return NL_OK;
}

static nl_status forward_context(forward *f, const nl_chain_layer *layer, const nl_polynomial *p, nl_arena *arena,
                                 nl_error *error) {
  *f = (forward){.n = layer->in_width, .rows = layer->width, .degree = p->degree, .weights = layer->weights};
  NL_TAKE(arena, f->g, double, f->rows *(f->degree + 1) + 1, error);
  NL_TAKE(arena, f->norm, double, f->rows + 1, error);
  NL_TAKE(arena, f->forms, double, (f->degree + 1) * f->n + 1, error);
  NL_TAKE(arena, f->products, double, f->rows + 1, error);
  for (size_t k = 0; k < f->rows; k++) {
    nl_polynomial_around(p, layer->bias[k], f->g + k * (f->degree + 1));
    for (size_t m = 0; m < f->n; m++) f->norm[k] += fabs(f->weights[k * f->n + m]);
  }
  return NL_OK;
}

static void forward_slack(const forward *f, const nl_chain_layer *layer, const nl_polynomial *p, double *slack) {
  for (size_t k = 0; k < f->rows; k++) {
    const double whole = f->norm[k] + fabs(layer->bias[k]), all = absolute_value(p, whole);
    for (size_t i = 0; i < f->n; i++)
      slack[i] += 3.0 * (double)f->degree * NL_PARTITION_ROUNDING *
                  (all - absolute_value(p, whole - fabs(f->weights[k * f->n + i])));
  }
}

nl_status nl_polynomial_forward(nl_pairs *out, const nl_chain_layer *layer, const nl_polynomial *activation,
                                const nl_neighbour *neighbour, nl_arena *arena, nl_error *error) {
  forward *f;
  NL_TAKE(arena, f, forward, 1, error);
  NL_TRY(forward_context(f, layer, activation, arena, error));
  NL_TRY(group_members(f, neighbour, arena, error));
  nl_signatures *s = &out->signatures;
  *s = (nl_signatures){.n = f->n, .factor = 1.0};
  for (size_t b = 0; b < f->blocks; b++) s->m += f->first[b + 1] - f->first[b] == 1 ? 1 : f->degree;
  if (s->m > 0 && s->n > SIZE_MAX / s->m) return nl_no_memory(error, s->n, s->m);
  NL_TAKE(arena, s->values, double, s->n * s->m + 1, error);
  NL_TAKE(arena, s->slack, double, s->n + 1, error);
  for (size_t b = 0, column = 0; b < f->blocks; b++) {
    forward_columns(f, b, s->values, s->m, column);
    column += f->first[b + 1] - f->first[b] == 1 ? 1 : f->degree;
  }
  forward_slack(f, layer, activation, s->slack);
  out->exact = forward_distance;
  out->context = f;
  out->cost = forward_cost(f);
  return nl_signatures_finish(s, arena, error);
}

// ---- backward ---------------------------------------------------------------------------------------------------------------

typedef struct backward {
  size_t m, degree;
  double *rows; // (n, m) incoming weights, collapsed
  double *g;    // (n, degree + 1)
} backward;

// Σ |p x_B − q y_B|
static double scaled_distance(size_t n, double p, const double *x, double q, const double *y) {
  if (p == 0 && q == 0) return 0.0;
  return fabs(p) >= fabs(q) ? fabs(p) * nl_distance_f64(n, x, q / p, y) : fabs(q) * nl_distance_f64(n, y, p / q, x);
}

// The part of degree d
static double degree_distance(const backward *b, size_t d, size_t i, size_t j, double limit, double *work) {
  const double *x = b->rows + i * b->m, *y = b->rows + j * b->m;
  const double gi = b->g[i * (b->degree + 1) + d], gj = b->g[j * (b->degree + 1) + d];
  nl_monomials others = {.n = b->m, .skip = {NL_NONE, NL_NONE}, .size = d - 1};
  double sum = 0;
  if ((gi == 0 && gj == 0) || !nl_monomials_start(&others)) return 0.0;
  do {
    const size_t from = others.size > 0 ? others.index[others.size - 1] : 0;
    size_t run;
    double p = gi, q = gj;
    const double ways = nl_monomials_ways(&others, &run);
    for (size_t l = 0; l < others.size; l++) {
      p *= x[others.index[l]];
      q *= y[others.index[l]];
    }
    const double first = run > 0 ? fabs(p * x[from] - q * y[from]) / (double)(run + 1) : 0.0;
    const size_t rest = run > 0 ? from + 1 : from;
    sum += ways * (first + scaled_distance(b->m - rest, p, x + rest, q, y + rest));
    *work += (double)(b->m - from);
  } while (sum <= limit && *work <= NL_PARTITION_WORK_MOST && nl_monomials_next(&others));
  return sum;
}

static double backward_distance(const void *context, size_t i, size_t j, double limit, double *work) {
  const backward *b = context;
  double sum = fabs(b->g[i * (b->degree + 1)] - b->g[j * (b->degree + 1)]);
  for (size_t d = 1; d <= b->degree && sum <= limit; d++) sum += degree_distance(b, d, i, j, limit - sum, work);
  return sum;
}

static double sum_absolute(size_t n, const double *x) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += fabs(x[i]);
  return sum;
}

// One column for the constant, the linear part as it is, the higher degrees from below.
static void backward_columns(const backward *b, size_t i, double *row) {
  const double *r = b->rows + i * b->m, *g = b->g + i * (b->degree + 1);
  const double norm = sum_absolute(b->m, r);
  row[0] = g[0];
  for (size_t d = 1; d <= b->degree; d++)
    for (size_t c = 0; c < b->m; c++)
      row[1 + (d - 1) * b->m + c] = d == 1 ? g[1] * r[c] : fabs(g[d]) * fabs(r[c]) * power(norm, d - 1);
}

static double backward_cost(const backward *b) {
  double cost = 0;
  for (size_t d = 1; d <= b->degree; d++) cost += nl_binomial(b->m + d - 1, d);
  return cost;
}

static nl_status backward_context(backward *b, const nl_chain_layer *layer, const nl_polynomial *p,
                                  const nl_neighbour *from, nl_arena *arena, nl_error *error) {
  *b = (backward){.m = from->blocks, .degree = p->degree};
  NL_TAKE(arena, b->rows, double, layer->width * b->m + 1, error);
  NL_TAKE(arena, b->g, double, layer->width *(b->degree + 1) + 1, error);
  for (size_t i = 0; i < layer->width; i++) {
    nl_polynomial_around(p, layer->bias[i], b->g + i * (b->degree + 1));
    for (size_t j = 0; j < from->width; j++)
      b->rows[i * b->m + from->block_of[j]] += layer->weights[i * layer->in_width + j];
  }
  return NL_OK;
}

nl_status nl_polynomial_backward(nl_pairs *out, const nl_chain_layer *layer, const nl_polynomial *activation,
                                 const nl_neighbour *neighbour, nl_arena *arena, nl_error *error) {
  backward *b;
  NL_TAKE(arena, b, backward, 1, error);
  NL_TRY(backward_context(b, layer, activation, neighbour, arena, error));
  nl_signatures *s = &out->signatures;
  *s = (nl_signatures){.n = layer->width, .m = 1 + b->degree * b->m, .factor = 1.0};
  if (s->n > SIZE_MAX / s->m) return nl_no_memory(error, s->n, s->m);
  NL_TAKE(arena, s->values, double, s->n * s->m + 1, error);
  NL_TAKE(arena, s->slack, double, s->n + 1, error);
  for (size_t i = 0; i < s->n; i++) {
    backward_columns(b, i, s->values + i * s->m);
    s->slack[i] = (double)b->degree * NL_PARTITION_ROUNDING *
                  absolute_value(activation, fabs(layer->bias[i]) +
                                                 sum_absolute(layer->in_width, layer->weights + i * layer->in_width));
  }
  out->exact = backward_distance;
  out->context = b;
  out->cost = backward_cost(b);
  return nl_signatures_finish(s, arena, error);
}
