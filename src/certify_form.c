#include "certify_form.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certify_curve.h"
#include "kernels/kernels.h"

enum { D = NL_CURVE_DEGREE, MONOMIALS_MOST = 1024, PRODUCTS_MOST = 1 << 16, BYTES_MOST = 1 << 28 };
static const double u = 0x1p-52, least = 1e-290; // u: twice the unit roundoff, for slack

typedef struct product { // φ_i φ_j = φ_k, i and j not 1
  unsigned i, j, k;
} product;

typedef struct monomial {
  unsigned factor[D]; // features, ascending; `features` where there is none
} monomial;

typedef struct form {
  double *c; // (stride)
  double rest;
} form;

typedef struct rows { // a layer's units
  size_t width;
  double *c;    // (width, stride)
  double *rest; // (width)
} rows;

struct nl_form_pass {
  nl_form_input input;
  nl_arena arena;
  size_t features, monomials, symbols, stride;
  size_t used;         // columns in use so far
  monomial *variables; // (monomials)
  size_t start[D + 2]; // of each degree
  size_t *square;      // (features) t_i², 0 where there is none
  product *products;
  size_t product_count;
  rows a[2], z[2]; // of the original, of the reduced network
  double *norms;   // (widest)
  double *share;   // (symbols, features)
  nl_curve *curves;
  form scratch[6];
  double *work;
};

// ---- size ---------------------------------------------------------------------------------------------------------------

static double monomials_of(size_t features, size_t degree) {
  double count = 1;
  for (size_t d = 1; d <= degree; d++) count = count * (double)(features + d) / (double)d;
  return count;
}

static bool curved(const nl_chain *chain, size_t l) { return chain->layers[l].kind != NL_CHAIN_IDENTITY; }

static size_t symbols_of(const nl_form_input *in) {
  size_t count = 0;
  for (size_t l = 0; l + 1 < in->original->count; l++)
    if (curved(in->original, l)) count += in->original->layers[l].width + in->reduced->layers[l].width;
  return count;
}

static size_t widest(const nl_chain *chain) {
  size_t width = chain->features;
  for (size_t l = 0; l < chain->count; l++) width = chain->layers[l].width > width ? chain->layers[l].width : width;
  return width;
}

double nl_form_cost(const nl_form_input *in) {
  const size_t n = in->original->features;
  const double monomials = monomials_of(n, in->degree), pairs = monomials_of(2 * n, in->degree);
  const double symbols = (double)symbols_of(in);
  const double wide = (double)(widest(in->original) + widest(in->reduced));
  if (in->degree > 1 && (monomials > MONOMIALS_MOST || pairs > PRODUCTS_MOST)) return INFINITY;
  if (2 * wide * (monomials + symbols) * 8 + symbols * (double)n * 8 > BYTES_MOST) return INFINITY;
  double cost = 0, used = monomials;
  for (size_t l = 0; l < in->original->count; l++) {
    const nl_chain_layer *f = &in->original->layers[l], *g = &in->reduced->layers[l];
    cost += used * (double)(f->width * f->in_width + g->width * g->in_width);
    if (!curved(in->original, l)) continue;
    const double times = in->degree == 1 ? 0 : in->degree == 2 ? 1 : 2;
    cost += (double)(f->width + g->width) * (2000 + used * 8 + times * (6 * used + 3 * pairs));
    used += (double)(f->width + g->width);
  }
  return cost;
}

// ---- monomials ----------------------------------------------------------------------------------------------------------

// Of each degree in turn, factors ascending.
static void list_monomials(nl_form_pass *pass) {
  const unsigned none = (unsigned)pass->features;
  size_t count = 0;
  for (size_t d = 0; d <= pass->input.degree; d++) {
    pass->start[d] = count;
    if (d == 0)
      for (size_t v = 0; v < D; v++) pass->variables[0].factor[v] = none;
    const size_t from = d == 0 ? 0 : pass->start[d - 1], to = count;
    if (d == 0) count = 1;
    for (size_t b = from; d > 0 && b < to; b++)
      for (unsigned v = d == 1 ? 0 : pass->variables[b].factor[d - 2]; v < none; v++) {
        pass->variables[count] = pass->variables[b];
        if (d == 2 && pass->variables[b].factor[0] == v) pass->square[v] = count;
        pass->variables[count++].factor[d - 1] = v;
      }
  }
  for (size_t d = pass->input.degree + 1; d < D + 2; d++) pass->start[d] = count;
}

static size_t degree_of(const nl_form_pass *pass, size_t b) {
  size_t d = 0;
  while (d < pass->input.degree && b >= pass->start[d + 1]) d++;
  return d;
}

static size_t find(const nl_form_pass *pass, const unsigned *factors, size_t degree) {
  size_t low = pass->start[degree], high = pass->start[degree + 1];
  while (low + 1 < high) { // of one degree they stand in lexical order
    const size_t middle = low + (high - low) / 2;
    size_t v = 0;
    while (v < degree && pass->variables[middle].factor[v] == factors[v]) v++;
    if (v < degree && pass->variables[middle].factor[v] > factors[v])
      high = middle;
    else
      low = middle;
  }
  return low;
}

static size_t merge(const nl_form_pass *pass, size_t i, size_t j) {
  unsigned factors[2 * D];
  size_t count = 0;
  const unsigned *a = pass->variables[i].factor, *b = pass->variables[j].factor;
  size_t x = 0, y = 0;
  const size_t p = degree_of(pass, i), q = degree_of(pass, j);
  while (x < p || y < q) factors[count++] = y >= q || (x < p && a[x] <= b[y]) ? a[x++] : b[y++];
  return find(pass, factors, count);
}

static void list_products(nl_form_pass *pass) {
  for (size_t i = 1; i < pass->monomials; i++)
    for (size_t j = 1; j < pass->monomials; j++)
      if (degree_of(pass, i) + degree_of(pass, j) <= pass->input.degree) {
        if (pass->products != NULL)
          pass->products[pass->product_count] = (product){(unsigned)i, (unsigned)j, (unsigned)merge(pass, i, j)};
        pass->product_count++;
      }
}

// ---- life ---------------------------------------------------------------------------------------------------------------

static nl_status take_rows(nl_form_pass *pass, rows *r, size_t width, nl_error *error) {
  NL_TAKE(&pass->arena, r->c, double, width * pass->stride, error);
  NL_TAKE(&pass->arena, r->rest, double, width, error);
  return NL_OK;
}

static nl_status take_memory(nl_form_pass *pass, nl_error *error) {
  const nl_chain *chains[2] = {pass->input.original, pass->input.reduced};
  const size_t most = widest(chains[0]) > widest(chains[1]) ? widest(chains[0]) : widest(chains[1]);
  NL_TAKE(&pass->arena, pass->variables, monomial, pass->monomials, error);
  NL_TAKE(&pass->arena, pass->square, size_t, pass->features, error);
  for (size_t k = 0; k < 2; k++) {
    NL_TRY(take_rows(pass, &pass->a[k], widest(chains[k]), error));
    NL_TRY(take_rows(pass, &pass->z[k], widest(chains[k]), error));
  }
  for (size_t i = 0; i < sizeof pass->scratch / sizeof *pass->scratch; i++)
    NL_TAKE(&pass->arena, pass->scratch[i].c, double, pass->stride, error);
  NL_TAKE(&pass->arena, pass->norms, double, most, error);
  NL_TAKE(&pass->arena, pass->share, double, pass->symbols * pass->features + 1, error);
  NL_TAKE(&pass->arena, pass->curves, nl_curve, most, error);
  NL_TAKE(&pass->arena, pass->work, double, nl_matmul_f64_work(), error);
  return NL_OK;
}

nl_status nl_form_create(nl_form_pass **out, const nl_form_input *input, nl_error *error) {
  nl_form_pass *pass = calloc(1, sizeof *pass);
  if (pass == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *pass, 0);
  pass->input = *input;
  pass->features = input->original->features;
  pass->monomials = (size_t)(monomials_of(pass->features, input->degree) + 0.5);
  pass->symbols = symbols_of(input);
  pass->stride = pass->monomials + pass->symbols;
  nl_status status = take_memory(pass, error);
  if (status == NL_OK) {
    list_monomials(pass);
    list_products(pass);
    pass->products = nl_arena_take(&pass->arena, pass->product_count + 1, sizeof *pass->products);
    if (pass->products == NULL) status = nl_no_memory(error, pass->product_count + 1, sizeof *pass->products);
  }
  if (status == NL_OK) {
    pass->product_count = 0;
    list_products(pass);
    *out = pass;
  } else
    nl_form_free(pass);
  return status;
}

void nl_form_free(nl_form_pass *pass) {
  if (pass == NULL) return;
  nl_arena_free(&pass->arena);
  free(pass);
}

// ---- forms --------------------------------------------------------------------------------------------------------------

// Upward: what a sum of `terms` non-negative products in floating point is at most.
static double up(double x, size_t terms) { return x * (1 + (double)(terms + 8) * u) + least; }

// Σ |c_b| over [from, to), upward
static double modulus(const form *f, size_t from, size_t to) {
  double sum = 0;
  for (size_t b = from; b < to; b++) sum += fabs(f->c[b]);
  return up(sum, to - from);
}

static form row(const rows *r, size_t i, size_t stride) { return (form){r->c + i * stride, r->rest[i]}; }

// out = a + s b; out may be a
static void combine(const nl_form_pass *pass, form *out, const form *a, double s, const form *b) {
  const double rounding = 2 * u * (modulus(a, 0, pass->used) + fabs(s) * modulus(b, 0, pass->used));
  for (size_t k = 0; k < pass->used; k++) out->c[k] = a->c[k] + s * b->c[k];
  out->rest = up(a->rest + fabs(s) * b->rest + rounding, 8);
}

static void scale(const nl_form_pass *pass, form *out, double s, const form *a) {
  const double rounding = u * fabs(s) * modulus(a, 0, pass->used);
  for (size_t k = 0; k < pass->used; k++) out->c[k] = s * a->c[k];
  out->rest = up(fabs(s) * a->rest + rounding, 8);
}

static void add_number(form *f, double number) {
  f->rest = up(f->rest + u * (fabs(f->c[0]) + fabs(number)), 4);
  f->c[0] += number;
}

typedef struct size {
  double degree[D + 1]; // moduli of the monomials of each degree
  double symbols, all;
} size;

static size size_of(const nl_form_pass *pass, const form *f) {
  size s = {{0}, modulus(f, pass->monomials, pass->used), 0};
  s.all = s.symbols;
  for (size_t d = 0; d <= pass->input.degree; d++) {
    s.degree[d] = modulus(f, pass->start[d], pass->start[d + 1]);
    s.all += s.degree[d];
  }
  return s;
}

// out = a b, out neither of them. Monomials beyond the degree and products with symbols go into the rest, but for the constants'.
static void multiply(const nl_form_pass *pass, form *out, const form *a, const form *b) {
  const double a0 = a->c[0], b0 = b->c[0];
  out->c[0] = a0 * b0;
  for (size_t k = 1; k < pass->used; k++) out->c[k] = a0 * b->c[k] + b0 * a->c[k];
  for (size_t t = 0; t < pass->product_count; t++) {
    const product *p = &pass->products[t];
    out->c[p->k] += a->c[p->i] * b->c[p->j];
  }
  const size x = size_of(pass, a), y = size_of(pass, b);
  double rest = 0, in_x = 0, in_y = 0;
  for (size_t i = 1; i <= pass->input.degree; i++) {
    for (size_t j = pass->input.degree + 1 - i; j <= pass->input.degree; j++) rest += x.degree[i] * y.degree[j];
    in_x += x.degree[i];
    in_y += y.degree[i];
  }
  rest += in_x * y.symbols + x.symbols * in_y + x.symbols * y.symbols;
  rest += x.all * b->rest + a->rest * (y.all + b->rest);
  rest += (double)(pass->monomials + 8) * u * x.all * y.all;
  out->rest = up(rest, 32);
}

// The form's range. Of each feature, a t + b t² together; t² in [0, 1].
static nl_interval range_of(const nl_form_pass *pass, const form *f) {
  double high = f->c[0], low = f->c[0], rest = 0;
  for (size_t i = 0; i < pass->features; i++) {
    const double a = f->c[1 + i], b = pass->square[i] > 0 ? f->c[pass->square[i]] : 0;
    const bool inside = fabs(a) < 2 * fabs(b);
    high += inside && b < 0 ? -a * a / (4 * b) : b + fabs(a);
    low += inside && b > 0 ? -a * a / (4 * b) : b - fabs(a);
  }
  for (size_t b = pass->start[2]; b < pass->used; b++) rest += fabs(f->c[b]);
  for (size_t i = 0; i < pass->features; i++)
    if (pass->square[i] > 0) rest -= fabs(f->c[pass->square[i]]);
  const double slack = (double)(2 * pass->used + 16) * u * modulus(f, 0, pass->used);
  rest = up(fmax(rest, 0) + f->rest + slack, 8);
  nl_interval range = {low - rest, high + rest};
  if (isnan(range.low) || isnan(range.high)) range = nl_interval_entire();
  range.low -= fabs(range.low) * u;
  range.high += fabs(range.high) * u;
  return range;
}

// ---- a layer ------------------------------------------------------------------------------------------------------------

// z = W a + b, rest_o = Σ |w_oi| (rest_i + gamma |a_i|) + gamma |b_o|
static void through_dense(nl_form_pass *pass, const nl_chain_layer *layer, const rows *a, rows *z) {
  const size_t in = layer->in_width, out = layer->width, stride = pass->stride;
  z->width = out;
  for (size_t o = 0; o < out; o++) memset(z->c + o * stride, 0, pass->used * sizeof *z->c);
  nl_matmul_f64(out, pass->used, in, layer->weights, in, 1, a->c, stride, 1, z->c, stride, pass->work);
  const double gamma = (double)(in + 4) * u;
  for (size_t i = 0; i < in; i++) {
    const form f = row(a, i, stride);
    pass->norms[i] = up(f.rest + gamma * modulus(&f, 0, pass->used), 4);
  }
  for (size_t o = 0; o < out; o++) {
    double rest = 0, moduli = 0;
    for (size_t i = 0; i < in; i++) {
      rest += fabs(layer->weights[o * in + i]) * pass->norms[i];
      moduli += fabs(layer->weights[o * in + i] * a->c[i * stride]);
    }
    z->c[o * stride] += layer->bias[o];
    z->rest[o] = up(rest + u * (moduli + fabs(layer->bias[o])), in);
  }
}

// out = p(z) with w = z - middle, by Horner's rule; uses scratch 0 and 1 beside out
static void polynomial(nl_form_pass *pass, form *out, const nl_curve *curve, const form *w) {
  form *swap = &pass->scratch[1];
  scale(pass, out, curve->c[pass->input.degree], w);
  for (size_t d = pass->input.degree - 1; d > 0; d--) {
    add_number(out, curve->c[d]);
    multiply(pass, swap, out, w);
    memcpy(out->c, swap->c, pass->used * sizeof *out->c);
    out->rest = swap->rest;
  }
  add_number(out, curve->c[0]);
}

static form centred(const nl_form_pass *pass, size_t scratch, const form *z, double middle) {
  form w = pass->scratch[scratch];
  memcpy(w.c, z->c, pass->used * sizeof *w.c);
  w.rest = z->rest;
  add_number(&w, -middle);
  return w;
}

// out = p(z) - p(z~) = δ q, plus what the remainders' difference adds: R' δ, its middle as a form, the reach in the rest.
static void difference(nl_form_pass *pass, form *out, const nl_curve *curve, const form *z, const form *other) {
  const size_t degree = pass->input.degree;
  form delta = pass->scratch[2], q = pass->scratch[3], sum = pass->scratch[4], power = pass->scratch[5];
  combine(pass, &delta, z, -1, other);
  memset(q.c, 0, pass->used * sizeof *q.c);
  q.rest = 0;
  add_number(&q, curve->c[1]);
  if (degree > 1) { // c_2 (w + w~) + c_3 (w (w + w~) + w~²)
    const form w = centred(pass, 0, z, curve->middle), v = centred(pass, 1, other, curve->middle);
    combine(pass, &sum, &w, 1, &v);
    combine(pass, &q, &q, curve->c[2], &sum);
    if (degree > 2) {
      multiply(pass, &power, &sum, &w);
      combine(pass, &q, &q, curve->c[3], &power);
      multiply(pass, &power, &v, &v);
      combine(pass, &q, &q, curve->c[3], &power);
    }
  }
  const double most = nl_interval_largest(range_of(pass, &delta));
  const double middle = 0.5 * curve->slope.low + 0.5 * curve->slope.high;
  const double reach = up(fmax(curve->slope.high - middle, middle - curve->slope.low), 4) * most;
  const bool near = isfinite(middle) && reach < 2 * curve->rest;
  if (near) add_number(&q, middle);
  if (degree == 1) // q is a number
    scale(pass, out, q.c[0], &delta);
  else
    multiply(pass, out, &delta, &q);
  const double loose = degree == 1 ? up(q.rest * most, 4) : 0;
  out->rest = up(out->rest + loose + (near ? reach : 2 * curve->rest), 4);
}

static void share_symbol(nl_form_pass *pass, size_t column, const form *z) {
  double *share = pass->share + (column - pass->monomials) * pass->features, sum = 0;
  memset(share, 0, pass->features * sizeof *share);
  for (size_t b = 1; b < pass->monomials; b++)
    for (size_t v = 0; v < D; v++)
      if (pass->variables[b].factor[v] < pass->features) share[pass->variables[b].factor[v]] += fabs(z->c[b]);
  for (size_t i = 0; i < pass->features; i++) sum += share[i];
  for (size_t i = 0; i < pass->features; i++) share[i] = sum > 0 ? share[i] / sum : 0;
}

// a row of activations: `f` and the symbol that takes over its rest
static void close_row(nl_form_pass *pass, rows *a, size_t i, size_t fresh, size_t column, const form *z) {
  double *c = a->c + i * pass->stride;
  memset(c + pass->used, 0, fresh * sizeof *c);
  c[column] = a->rest[i];
  a->rest[i] = 0;
  share_symbol(pass, column, z);
}

static void lone_unit(nl_form_pass *pass, const nl_chain *chain, size_t l, const form *z, const nl_interval *over,
                      form *out, nl_curve *curve) {
  nl_curve_fit(chain, l, pass->input.degree, *over, curve);
  const form w = centred(pass, 0, z, curve->middle);
  polynomial(pass, out, curve, &w);
  out->rest = up(out->rest + curve->rest, 4);
}

// Whether the reduced unit is near enough to its twin to be followed from it.
static bool follows(nl_form_pass *pass, size_t l, size_t j, size_t o) {
  if (o == NL_NONE || !nl_curve_same(pass->input.original, pass->input.reduced, l)) return false;
  const form z = row(&pass->z[0], o, pass->stride), other = row(&pass->z[1], j, pass->stride);
  form delta = pass->scratch[2];
  combine(pass, &delta, &z, -1, &other);
  const nl_interval range = range_of(pass, &other);
  return nl_interval_largest(range_of(pass, &delta)) <= 0.5 * (range.high - range.low) + 1e-9;
}

static void through_curves(nl_form_pass *pass, size_t l) {
  const nl_chain *f = pass->input.original, *g = pass->input.reduced;
  const size_t n = f->layers[l].width, m = g->layers[l].width, stride = pass->stride;
  const size_t *twins = pass->input.twins[l];
  pass->a[0].width = n;
  pass->a[1].width = m;
  for (size_t o = 0; o < n; o++) {
    const form z = row(&pass->z[0], o, stride);
    nl_interval over = range_of(pass, &z);
    for (size_t j = 0; j < m; j++)
      if (twins[j] == o && follows(pass, l, j, o)) {
        const form other = row(&pass->z[1], j, stride);
        over = nl_interval_hull(over, range_of(pass, &other));
      }
    form out = row(&pass->a[0], o, stride);
    lone_unit(pass, f, l, &z, &over, &out, &pass->curves[o]);
    pass->a[0].rest[o] = out.rest;
    close_row(pass, &pass->a[0], o, n + m, pass->used + o, &z);
  }
  for (size_t j = 0; j < m; j++) {
    const form z = row(&pass->z[1], j, stride);
    form out = row(&pass->a[1], j, stride);
    if (follows(pass, l, j, twins[j])) {
      const form twin = row(&pass->z[0], twins[j], stride), a = row(&pass->a[0], twins[j], stride);
      form delta = pass->scratch[2]; // difference() is done with it when it writes its result
      difference(pass, &out, &pass->curves[twins[j]], &twin, &z);
      delta.rest = out.rest;
      memcpy(delta.c, out.c, pass->used * sizeof *out.c);
      combine(pass, &out, &a, -1, &delta);
      pass->a[1].rest[j] = out.rest;
      close_row(pass, &pass->a[1], j, n + m, pass->used + n + j, &z);
      out.c[pass->used + twins[j]] = a.c[pass->used + twins[j]];
    } else {
      const nl_interval over = range_of(pass, &z);
      nl_curve curve;
      lone_unit(pass, g, l, &z, &over, &out, &curve);
      pass->a[1].rest[j] = out.rest;
      close_row(pass, &pass->a[1], j, n + m, pass->used + n + j, &z);
    }
  }
  pass->used += n + m;
}

// ---- the outputs --------------------------------------------------------------------------------------------------------

// σ(z) - σ(z~) of the last layer: from their difference where that is small, else each by itself. Into a's row o.
static form curved_difference(nl_form_pass *pass, size_t l, size_t o, const form *z, const form *other) {
  const nl_chain *f = pass->input.original, *g = pass->input.reduced;
  const nl_interval x = range_of(pass, z), y = range_of(pass, other);
  form out = row(&pass->a[0], o, pass->stride), twin = row(&pass->a[1], o, pass->stride);
  nl_curve curve;
  if (follows(pass, l, o, o)) {
    const nl_interval both = nl_interval_hull(x, y);
    nl_curve_fit(f, l, pass->input.degree, both, &curve);
    difference(pass, &out, &curve, z, other);
    return out;
  }
  lone_unit(pass, f, l, z, &x, &out, &curve);
  lone_unit(pass, g, l, other, &y, &twin, &curve);
  combine(pass, &out, &out, -1, &twin);
  return out;
}

// f - g of output o
static form output_difference(nl_form_pass *pass, size_t o) {
  const size_t last = pass->input.original->count - 1;
  const form z = row(&pass->z[0], o, pass->stride), other = row(&pass->z[1], o, pass->stride);
  form out = row(&pass->a[0], o, pass->stride);
  if (curved(pass->input.original, last) || curved(pass->input.reduced, last))
    return curved_difference(pass, last, o, &z, &other);
  combine(pass, &out, &z, -1, &other);
  return out;
}

static void effects(const nl_form_pass *pass, const form *f, double *effect) {
  memset(effect, 0, pass->features * sizeof *effect);
  for (size_t b = pass->start[2]; b < pass->monomials; b++)
    for (size_t v = 0; v < D; v++)
      if (pass->variables[b].factor[v] < pass->features) effect[pass->variables[b].factor[v]] += fabs(f->c[b]);
  for (size_t s = pass->monomials; s < pass->used; s++)
    for (size_t i = 0; i < pass->features; i++)
      effect[i] += fabs(f->c[s]) * pass->share[(s - pass->monomials) * pass->features + i];
}

static void begin(nl_form_pass *pass, const double *low, const double *high) {
  pass->used = pass->monomials;
  for (size_t k = 0; k < 2; k++) {
    rows *a = &pass->a[k];
    a->width = pass->features;
    memset(a->c, 0, pass->features * pass->stride * sizeof *a->c);
    for (size_t i = 0; i < pass->features; i++) {
      const double middle = 0.5 * low[i] + 0.5 * high[i];
      const double radius = fmax(high[i] - middle, middle - low[i]);
      a->c[i * pass->stride] = middle;
      a->c[i * pass->stride + 1 + i] = radius > 0 ? radius * (1 + 2 * u) : 0;
      a->rest[i] = 0;
    }
  }
}

void nl_form_run(nl_form_pass *pass, const double *low, const double *high, double *bounds, double *effect) {
  const nl_chain *f = pass->input.original, *g = pass->input.reduced;
  begin(pass, low, high);
  for (size_t l = 0; l < f->count; l++) {
    through_dense(pass, &f->layers[l], &pass->a[0], &pass->z[0]);
    through_dense(pass, &g->layers[l], &pass->a[1], &pass->z[1]);
    if (l + 1 == f->count) break;
    if (curved(f, l))
      through_curves(pass, l);
    else
      for (size_t k = 0; k < 2; k++) {
        const rows swap = pass->a[k];
        pass->a[k] = pass->z[k];
        pass->z[k] = swap;
      }
  }
  double most = -1;
  for (size_t o = 0; o < f->layers[f->count - 1].width; o++) {
    const form out = output_difference(pass, o);
    const nl_interval range = range_of(pass, &out);
    bounds[o] = nl_interval_largest(range);
    if (bounds[o] > most) {
      most = bounds[o];
      effects(pass, &out, effect);
    }
  }
}
