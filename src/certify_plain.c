// Intervals of both networks and of the difference of twins.
#include <math.h>
#include <string.h>

#include "certify_curve.h"
#include "certify_parts.h"

static const double u = 0x1p-52;

typedef struct sum { // Σ w x in intervals; moduli: Σ |w| |x|, for the rounding
  double low, high, moduli;
  size_t terms;
} sum;

static void weigh(sum *s, double w, nl_interval x) {
  if (w == 0) return;
  s->low += w > 0 ? w * x.low : w * x.high;
  s->high += w > 0 ? w * x.high : w * x.low;
  s->moduli += fabs(w) * nl_interval_largest(x);
  s->terms++;
}

static nl_interval total(const sum *s) {
  const double slack = (double)(2 * s->terms + 16) * u * s->moduli + 1e-290;
  if (isnan(s->low) || isnan(s->high) || isnan(slack)) return nl_interval_entire();
  return (nl_interval){s->low - slack, s->high + slack};
}

typedef struct plain {
  const nl_chain *chain[2];
  size_t *const *twins;
  nl_arena arena;
  nl_interval *a[2], *z[2]; // (widest)
  nl_interval *apart;       // (widest) of twins: a - ã
  nl_interval *z_apart;     // z - z~
  size_t *claimed;          // (widest) which reduced unit has the original one as its own twin, or NL_NONE
} plain;

static void dense(const nl_chain_layer *layer, const nl_interval *a, nl_interval *z) {
  for (size_t o = 0; o < layer->width; o++) {
    sum s = {0};
    weigh(&s, layer->bias[o], (nl_interval){1, 1});
    for (size_t i = 0; i < layer->in_width; i++) weigh(&s, layer->weights[o * layer->in_width + i], a[i]);
    z[o] = total(&s);
  }
}

// z_o - z~_j = Σ over twins (w (a - ã) + (w - w~) ã) + Σ of the others
static nl_interval apart(const plain *p, size_t l, size_t o, size_t j, const size_t *twin) {
  const nl_chain_layer *f = &p->chain[0]->layers[l], *g = &p->chain[1]->layers[l];
  const double *w = f->weights + o * f->in_width, *v = g->weights + j * g->in_width;
  sum s = {0};
  weigh(&s, f->bias[o], (nl_interval){1, 1});
  weigh(&s, g->bias[j], (nl_interval){-1, -1});
  for (size_t k = 0; k < g->in_width; k++) {
    const size_t i = twin != NULL ? twin[k] : k;
    const bool own = i != NL_NONE && p->claimed[i] == k;
    if (own) weigh(&s, w[i], p->apart[k]);
    const double difference = own ? w[i] - v[k] : -v[k];
    weigh(&s, difference, p->a[1][k]);
    if (own) s.moduli += (fabs(w[i]) + fabs(v[k])) * nl_interval_largest(p->a[1][k]); // rounding of w - v
  }
  for (size_t i = 0; i < f->in_width; i++)
    if (p->claimed[i] == NL_NONE) weigh(&s, w[i], p->a[0][i]);
  return nl_interval_meet(total(&s), nl_interval_subtract(p->z[0][o], p->z[1][j]));
}

static void claim(plain *p, size_t width, size_t reduced, const size_t *twin) {
  for (size_t i = 0; i < width; i++) p->claimed[i] = NL_NONE;
  for (size_t k = 0; k < reduced; k++) {
    const size_t i = twin != NULL ? twin[k] : k;
    if (i != NL_NONE && p->claimed[i] == NL_NONE) p->claimed[i] = k;
  }
}

// σ(z) - σ(z~) = σ'(ξ) (z - z~)
static void curves(plain *p, size_t l) {
  const size_t *twin = p->twins[l];
  const bool same = nl_curve_same(p->chain[0], p->chain[1], l);
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < p->chain[k]->layers[l].width; i++)
      p->a[k][i] = nl_curve_series(p->chain[k], l, p->z[k][i], 1).c[0];
  for (size_t j = 0; j < p->chain[1]->layers[l].width; j++) {
    if (twin[j] == NL_NONE) continue;
    nl_interval d = nl_interval_subtract(p->a[0][twin[j]], p->a[1][j]);
    const nl_interval over = nl_interval_hull(p->z[0][twin[j]], p->z[1][j]);
    const nl_interval slope = nl_curve_series(p->chain[0], l, over, 1).c[1];
    if (same) d = nl_interval_meet(d, nl_interval_multiply(slope, p->z_apart[j]));
    p->apart[j] = d;
  }
}

static void layer(plain *p, size_t l) {
  const nl_chain_layer *f = &p->chain[0]->layers[l], *g = &p->chain[1]->layers[l];
  const size_t *before = l > 0 ? p->twins[l - 1] : NULL;
  dense(f, p->a[0], p->z[0]);
  dense(g, p->a[1], p->z[1]);
  claim(p, f->in_width, g->in_width, before);
  for (size_t j = 0; j < g->width; j++)
    if (p->twins[l][j] != NL_NONE) p->z_apart[j] = apart(p, l, p->twins[l][j], j, before);
  curves(p, l);
}

static nl_status take(plain *p, nl_error *error) {
  size_t most = p->chain[0]->features;
  for (size_t k = 0; k < 2; k++)
    for (size_t l = 0; l < p->chain[k]->count; l++)
      if (p->chain[k]->layers[l].width > most) most = p->chain[k]->layers[l].width;
  for (size_t k = 0; k < 2; k++) {
    NL_TAKE(&p->arena, p->a[k], nl_interval, most, error);
    NL_TAKE(&p->arena, p->z[k], nl_interval, most, error);
  }
  NL_TAKE(&p->arena, p->apart, nl_interval, most, error);
  NL_TAKE(&p->arena, p->z_apart, nl_interval, most, error);
  NL_TAKE(&p->arena, p->claimed, size_t, most, error);
  return NL_OK;
}

nl_status nl_certify_intervals(const nl_chain *original, const nl_chain *reduced, size_t *const *twins,
                               const double *low, const double *high, double *bounds, nl_error *error) {
  plain p = {.chain = {original, reduced}, .twins = twins};
  const nl_status status = take(&p, error);
  if (status == NL_OK) {
    for (size_t i = 0; i < original->features; i++) p.a[0][i] = p.a[1][i] = (nl_interval){low[i], high[i]};
    for (size_t l = 0; l < original->count; l++) layer(&p, l);
    for (size_t o = 0; o < original->layers[original->count - 1].width; o++)
      bounds[o] = nl_interval_largest(p.apart[o]);
  }
  nl_arena_free(&p.arena);
  return status;
}

// ---- twins --------------------------------------------------------------------------------------------------------------

enum { TWIN_POINTS = 64 };

// z (points, width) of a layer from a (points, in_width); then a = σ(z)
static void forward(const nl_chain *chain, size_t l, const double *a, double *z) {
  const nl_chain_layer *own = &chain->layers[l];
  for (size_t r = 0; r < TWIN_POINTS; r++)
    for (size_t o = 0; o < own->width; o++) {
      double value = own->bias[o];
      for (size_t i = 0; i < own->in_width; i++)
        value += own->weights[o * own->in_width + i] * a[r * own->in_width + i];
      z[o * TWIN_POINTS + r] = value;
    }
}

static void activate(const nl_chain *chain, size_t l, const double *z, double *a) {
  const size_t width = chain->layers[l].width;
  for (size_t r = 0; r < TWIN_POINTS; r++)
    for (size_t o = 0; o < width; o++) a[r * width + o] = nl_chain_activation(chain, l, z[o * TWIN_POINTS + r]);
}

static size_t nearest(size_t width, const double *z, const double *own) {
  size_t best = NL_NONE;
  double least = INFINITY;
  for (size_t o = 0; o < width; o++) {
    double squares = 0;
    for (size_t r = 0; r < TWIN_POINTS; r++) {
      const double d = z[o * TWIN_POINTS + r] - own[r];
      squares += d * d;
    }
    if (squares < least) {
      least = squares;
      best = o;
    }
  }
  return best;
}

static size_t most_of(const nl_chain *chain) {
  size_t most = chain->features;
  for (size_t l = 0; l < chain->count; l++) most = chain->layers[l].width > most ? chain->layers[l].width : most;
  return most;
}

nl_status nl_certify_twins(const nl_chain *original, const nl_chain *reduced, const double *low, const double *high,
                           size_t **twins, nl_arena *arena, nl_error *error) {
  const nl_chain *chain[2] = {original, reduced};
  double *a[2], *z[2];
  for (size_t k = 0; k < 2; k++) {
    NL_TAKE(arena, a[k], double, TWIN_POINTS *most_of(chain[k]), error);
    NL_TAKE(arena, z[k], double, TWIN_POINTS *most_of(chain[k]), error);
    nl_certify_points_at(0, TWIN_POINTS, original->features, low, high, a[k]);
  }
  for (size_t l = 0; l < original->count; l++) {
    const size_t width = reduced->layers[l].width;
    NL_TAKE(arena, twins[l], size_t, width, error);
    for (size_t k = 0; k < 2; k++) forward(chain[k], l, a[k], z[k]);
    for (size_t j = 0; j < width; j++)
      twins[l][j] = l + 1 == original->count ? j : nearest(original->layers[l].width, z[0], z[1] + j * TWIN_POINTS);
    for (size_t k = 0; k < 2; k++) activate(chain[k], l, z[k], a[k]);
  }
  return NL_OK;
}
