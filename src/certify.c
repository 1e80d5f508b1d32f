#include "certify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certify_curve.h"
#include "certify_form.h"
#include "certify_parts.h"

enum { METHODS = 4, FORMS = METHODS - 1, BOXES_MOST = 1 << 16, POINTS = 100000, POINTS_LEAST = 2000 };
static const double default_budget = 3e9, step_work = 2e7, search_work = 2e9;
static const double trial_share = 0.06; // of the budget, for each degree before the best goes on
static const double near_enough = 1.01; // of what was found: no more is to be gained
static const double pass_most = 1e9;    // multiplications of one pass, which a step does not interrupt
static const double memory_most = 1e8;

// ---- one way of forms over a split box ------------------------------------------------------------------------------------

typedef struct split {
  nl_form_pass *pass;
  double cost, work;
  size_t features, results, count, capacity;
  double *low, *high; // (capacity, features)
  double *bounds;     // (capacity, results)
  double *key;        // (capacity) the largest of them
  size_t *along;      // (capacity) the feature to cut
  size_t *heap;       // (count) boxes, the largest key first
} split;

static nl_status open_split(split *s, const nl_form_input *input, double budget, nl_arena *arena, nl_error *error) {
  s->features = input->original->features;
  s->results = input->original->layers[input->original->count - 1].width;
  s->cost = nl_form_cost(input);
  if (!(s->cost <= budget && s->cost <= pass_most)) return NL_OK;
  const double each = (double)(2 * s->features + s->results + 4) * 8;
  const double capacity = fmin(fmin(budget / s->cost + 4, BOXES_MOST), memory_most / each + 2);
  s->capacity = (size_t)capacity;
  NL_TRY(nl_form_create(&s->pass, input, error));
  NL_TAKE(arena, s->low, double, s->capacity * s->features, error);
  NL_TAKE(arena, s->high, double, s->capacity * s->features, error);
  NL_TAKE(arena, s->bounds, double, s->capacity * s->results, error);
  NL_TAKE(arena, s->key, double, s->capacity, error);
  NL_TAKE(arena, s->along, size_t, s->capacity, error);
  NL_TAKE(arena, s->heap, size_t, s->capacity, error);
  return NL_OK;
}

// Where the form says nothing (an infinite bound), the widest side as the first layer feels it.
static size_t choose(const split *s, size_t box, const double *effect, const nl_chain_layer *first) {
  size_t best = 0, widest = 0;
  double most = 0, most_wide = -1;
  for (size_t i = 0; i < s->features; i++) {
    const double wide = s->high[box * s->features + i] - s->low[box * s->features + i];
    double weight = 0;
    for (size_t o = 0; o < first->width; o++) weight += fabs(first->weights[o * first->in_width + i]);
    if (wide > 0 && isfinite(effect[i]) && effect[i] > most) {
      most = effect[i];
      best = i;
    }
    if (wide * weight > most_wide) {
      most_wide = wide * weight;
      widest = i;
    }
  }
  return most > 0 ? best : widest;
}

// `inherited` (results): what is known already.
static void evaluate(split *s, size_t box, const double *inherited, double *effect, const nl_chain_layer *first) {
  double *bounds = s->bounds + box * s->results;
  nl_form_run(s->pass, s->low + box * s->features, s->high + box * s->features, bounds, effect);
  s->key[box] = 0;
  for (size_t o = 0; o < s->results; o++) {
    if (!(bounds[o] <= inherited[o])) bounds[o] = inherited[o];
    if (!(bounds[o] <= s->key[box])) s->key[box] = bounds[o];
  }
  s->along[box] = choose(s, box, effect, first);
  s->work += s->cost;
}

static void sink(split *s, size_t at) {
  for (;;) {
    size_t top = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->count; child++)
      if (s->key[s->heap[child]] > s->key[s->heap[top]]) top = child;
    if (top == at) return;
    const size_t swap = s->heap[at];
    s->heap[at] = s->heap[top];
    s->heap[top] = swap;
    at = top;
  }
}

static void rise(split *s, size_t at) {
  while (at > 0 && s->key[s->heap[at]] > s->key[s->heap[(at - 1) / 2]]) {
    const size_t swap = s->heap[at];
    s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[(at - 1) / 2] = swap;
    at = (at - 1) / 2;
  }
}

static double split_bound(const split *s) { return s->count > 0 ? s->key[s->heap[0]] : INFINITY; }

// Halves the box with the widest bound. False when that cannot be done.
static bool halve(split *s, double *inherited, double *effect, const nl_chain_layer *first) {
  const size_t box = s->heap[0], n = s->features, other = s->count, along = s->along[box];
  if (s->count == s->capacity) return false;
  const double low = s->low[box * n + along], high = s->high[box * n + along], middle = 0.5 * low + 0.5 * high;
  if (!(low < middle && middle < high)) return false;
  memcpy(s->low + other * n, s->low + box * n, n * sizeof *s->low);
  memcpy(s->high + other * n, s->high + box * n, n * sizeof *s->high);
  s->high[box * n + along] = middle;
  s->low[other * n + along] = middle;
  memcpy(inherited, s->bounds + box * s->results, s->results * sizeof *inherited);
  evaluate(s, box, inherited, effect, first);
  sink(s, 0);
  evaluate(s, other, inherited, effect, first);
  s->heap[s->count++] = other;
  rise(s, s->count - 1);
  return true;
}

// ---- life ---------------------------------------------------------------------------------------------------------------

typedef enum stage { TWINS, INTERVALS, SEARCH, TRIALS, BEST, DONE } stage;

struct nl_certify {
  nl_certify_input input;
  nl_arena arena;
  stage stage;
  size_t degree; // of the trials: where they are
  size_t features, results, points;
  double *low, *high; // (features)
  size_t **twins;     // (layers)
  nl_certify_search *search;
  split splits[FORMS];
  double *bounds, *of[METHODS]; // (results) the tightest; of each method
  double *effect, *inherited;
  double *at; // (features)
  double spent;
};

static const char *const names[METHODS] = {"intervals", "zonotope", "quadratic", "cubic"};

static nl_status check_shapes(const nl_certify_input *in, nl_error *error) {
  const nl_chain *f = in->original, *g = in->reduced;
  if (f->features != g->features || f->count != g->count ||
      f->layers[f->count - 1].width != g->layers[g->count - 1].width)
    return nl_fail(error, NL_ERROR_SHAPE, "certificate", "the two networks differ in inputs, layers or outputs");
  for (size_t l = 0; l < f->count; l++) {
    NL_TRY(nl_curve_check(f, l, error));
    NL_TRY(nl_curve_check(g, l, error));
  }
  for (size_t i = 0; i < f->features; i++)
    if (!isfinite(in->low[i]) || !isfinite(in->high[i]) || in->low[i] > in->high[i])
      return nl_fail(error, NL_ERROR_ARGUMENT, "box", "a feature's range is empty or not finite");
  return NL_OK;
}

static nl_status take(nl_certify *c, nl_error *error) {
  const nl_certify_input *in = &c->input;
  NL_TAKE(&c->arena, c->low, double, c->features, error);
  NL_TAKE(&c->arena, c->high, double, c->features, error);
  NL_TAKE(&c->arena, c->effect, double, c->features, error);
  NL_TAKE(&c->arena, c->at, double, c->features, error);
  NL_TAKE(&c->arena, c->inherited, double, c->results, error);
  NL_TAKE(&c->arena, c->bounds, double, c->results, error);
  NL_TAKE(&c->arena, c->twins, size_t *, in->original->count, error);
  for (size_t m = 0; m < METHODS; m++) NL_TAKE(&c->arena, c->of[m], double, c->results, error);
  memcpy(c->low, in->low, c->features * sizeof *c->low);
  memcpy(c->high, in->high, c->features * sizeof *c->high);
  memcpy(c->at, in->low, c->features * sizeof *c->at);
  for (size_t o = 0; o < c->results; o++) {
    c->bounds[o] = INFINITY;
    for (size_t m = 0; m < METHODS; m++) c->of[m][o] = INFINITY;
  }
  return NL_OK;
}

nl_status nl_certify_create(nl_certify **out, const nl_certify_input *input, nl_error *error) {
  NL_TRY(check_shapes(input, error));
  nl_certify *c = calloc(1, sizeof *c);
  if (c == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *c, 0);
  c->input = *input;
  if (!(c->input.budget > 0)) c->input.budget = default_budget;
  if (c->input.methods == 0) c->input.methods = (1u << METHODS) - 1;
  c->features = input->original->features;
  c->results = input->original->layers[input->original->count - 1].width;
  c->points = input->points;
  if (c->points == 0) {
    const double most = search_work / (nl_chain_work(input->original) + nl_chain_work(input->reduced));
    c->points = most >= POINTS ? POINTS : most <= POINTS_LEAST ? POINTS_LEAST : (size_t)most;
  }
  const nl_status status = take(c, error);
  if (status != NL_OK)
    nl_certify_free(c);
  else
    *out = c;
  return status;
}

void nl_certify_free(nl_certify *c) {
  if (c == NULL) return;
  nl_certify_search_free(c->search);
  for (size_t k = 0; k < FORMS; k++) nl_form_free(c->splits[k].pass);
  nl_arena_free(&c->arena);
  free(c);
}

// ---- work ---------------------------------------------------------------------------------------------------------------

static void gather(nl_certify *c) {
  for (size_t k = 0; k < FORMS; k++) {
    const split *s = &c->splits[k];
    for (size_t o = 0; s->count > 0 && o < c->results; o++) {
      double most = 0;
      for (size_t b = 0; b < s->count; b++) most = fmax(most, s->bounds[b * s->results + o]);
      c->of[k + 1][o] = most;
    }
  }
  for (size_t m = 0; m < METHODS; m++)
    for (size_t o = 0; o < c->results; o++) c->bounds[o] = fmin(c->bounds[o], c->of[m][o]);
}

// Starts a degree on the whole box.
static nl_status begin(nl_certify *c, size_t k, nl_error *error) {
  split *s = &c->splits[k];
  const nl_form_input input = {c->input.original, c->input.reduced, c->twins, k + 1};
  NL_TRY(open_split(s, &input, c->input.budget, &c->arena, error));
  if (s->pass == NULL) return NL_OK;
  memcpy(s->low, c->low, c->features * sizeof *s->low);
  memcpy(s->high, c->high, c->features * sizeof *s->high);
  s->heap[0] = 0;
  s->count = 1;
  evaluate(s, 0, c->of[0], c->effect, c->input.original->layers);
  c->spent += s->cost;
  return NL_OK;
}

static bool settled(const nl_certify *c, const split *s) {
  return split_bound(s) <= near_enough * nl_certify_search_found(c->search);
}

// Halves boxes for a step's time, up to `limit` work in all. True while there is more to do.
static bool refine(nl_certify *c, split *s, double limit) {
  double work = 0;
  while (work < step_work) {
    if (s->pass == NULL || s->work + 2 * s->cost > limit || settled(c, s)) return false;
    if (!halve(s, c->inherited, c->effect, c->input.original->layers)) return false;
    work += 2 * s->cost;
    c->spent += 2 * s->cost;
  }
  return true;
}

static bool wanted(const nl_certify *c, size_t k) { return (c->input.methods >> (k + 1) & 1u) != 0; }

static nl_status try_degree(nl_certify *c, nl_error *error) {
  const size_t k = c->degree;
  if (k == FORMS) {
    c->stage = BEST;
    return NL_OK;
  }
  split *s = &c->splits[k];
  if (!wanted(c, k))
    c->degree++;
  else if (s->pass == NULL) {
    NL_TRY(begin(c, k, error));
    if (s->pass == NULL) c->degree++; // too large for the budget
  } else if (!refine(c, s, trial_share * c->input.budget))
    c->degree++;
  return NL_OK;
}

static split *best_split(nl_certify *c) {
  split *best = &c->splits[0];
  for (size_t k = 1; k < FORMS; k++)
    if (split_bound(&c->splits[k]) < split_bound(best)) best = &c->splits[k];
  return best;
}

static nl_status work(nl_certify *c, nl_error *error) {
  const nl_chain *f = c->input.original, *g = c->input.reduced;
  switch (c->stage) {
  case TWINS:
    NL_TRY(nl_certify_twins(f, g, c->low, c->high, c->twins, &c->arena, error));
    NL_TRY(nl_certify_search_create(&c->search, f, g, c->low, c->high, c->points, error));
    c->stage = INTERVALS;
    break;
  case INTERVALS:
    if (c->input.methods & NL_CERTIFY_INTERVALS)
      NL_TRY(nl_certify_intervals(f, g, c->twins, c->low, c->high, c->of[0], error));
    c->stage = SEARCH;
    break;
  case SEARCH:
    if (nl_certify_search_step(c->search) == NL_OK) c->stage = TRIALS;
    break;
  case TRIALS:
    NL_TRY(try_degree(c, error));
    break;
  case BEST: {
    split *s = best_split(c);
    if (!refine(c, s, s->work + fmax(c->input.budget - c->spent, 0))) c->stage = DONE;
    break;
  }
  case DONE:
    break;
  }
  return NL_OK;
}

nl_status nl_certify_step(nl_certify *c, double *progress, nl_error *error) {
  NL_TRY(work(c, error));
  if (c->stage == DONE) gather(c);
  if (progress != NULL)
    *progress = c->stage == DONE
                    ? 1
                    : 0.1 * fmin((double)c->stage / (double)TRIALS, 1) + 0.9 * fmin(c->spent / c->input.budget, 1);
  return c->stage == DONE ? NL_OK : NL_MORE;
}

// ---- results ------------------------------------------------------------------------------------------------------------

size_t nl_certify_results(const nl_certify *c) { return c->results; }

const double *nl_certify_bounds(const nl_certify *c) { return c->bounds; }

double nl_certify_bound(const nl_certify *c) {
  double most = 0;
  for (size_t o = 0; o < c->results; o++) most = fmax(most, c->bounds[o]);
  return most;
}

static double bound_of(const nl_certify *c, size_t method) {
  double most = 0;
  for (size_t o = 0; o < c->results; o++) most = fmax(most, c->of[method][o]);
  return most;
}

// The first of the tightest; METHODS where none proved anything.
static size_t best_method(const nl_certify *c) {
  size_t best = METHODS;
  double least = INFINITY;
  for (size_t m = 0; m < METHODS; m++)
    if (bound_of(c, m) < least) {
      least = bound_of(c, m);
      best = m;
    }
  return best;
}

const char *nl_certify_method(const nl_certify *c) {
  const size_t m = best_method(c);
  return m < METHODS ? names[m] : "none";
}

size_t nl_certify_boxes(const nl_certify *c) {
  const size_t m = best_method(c);
  return m > 0 && m < METHODS ? c->splits[m - 1].count : 1;
}

double nl_certify_found(const nl_certify *c) { return c->search != NULL ? nl_certify_search_found(c->search) : 0; }

const double *nl_certify_found_at(const nl_certify *c) {
  return c->search != NULL ? nl_certify_search_at(c->search) : c->at;
}

size_t nl_certify_points(const nl_certify *c) { return c->points; }
