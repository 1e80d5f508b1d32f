#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certify_parts.h"

enum { STARTS = 16, ROUNDS = 80, QUASI_MOST = 10 };
static const double step_work = 2e7;

typedef struct side { // one network's evaluation
  const nl_chain *chain;
  nl_scratch values, gradients;
  size_t input;    // its step
  const double *y; // (rows, results)
} side;

struct nl_certify_search {
  side side[2];
  nl_arena arena;
  const double *low, *high;
  size_t features, results, points, done, rounds;
  double cost;                    // multiplications a row
  double *x, *trial;              // (NL_FORWARD_ROWS, features)
  double *start, *value, *stride; // (STARTS, features), (STARTS), (STARTS)
  size_t *output;                 // (STARTS) where the change is largest
  double *slope;                  // (STARTS, features)
  double found;
  double *at; // (features)
};

// ---- points -------------------------------------------------------------------------------------------------------------

static uint64_t mix(uint64_t z) { // SplitMix64 (Steele, Lea, Flood 2014)
  z += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static double uniform(uint64_t key) { return (double)(mix(key) >> 11) * 0x1p-53; }

void nl_certify_points_at(size_t first, size_t rows, size_t features, const double *low, const double *high,
                          double *x) {
  double ratio = 1.5;
  for (size_t i = 0; i < 40; i++) ratio = pow(1 + ratio, 1.0 / ((double)features + 1)); // ratio^(d+1) = ratio + 1
  for (size_t r = 0; r < rows; r++) {
    double alpha = 1;
    for (size_t i = 0; i < features; i++) {
      alpha /= ratio;
      const double turns = 0.5 + alpha * (double)(first + r + 1);
      const uint64_t key = (uint64_t)(first + r) * features + i;
      double at = features <= QUASI_MOST ? turns - floor(turns) : uniform(key);
      if ((first + r) % 5 == 0) at = uniform(key) < 0.5 ? 0 : 1;
      x[r * features + i] = fmin(fmax(low[i] + at * (high[i] - low[i]), low[i]), high[i]);
    }
  }
}

// ---- evaluation ----------------------------------------------------------------------------------------------------------

static void evaluate(nl_certify_search *s, size_t rows, const double *x) {
  for (size_t k = 0; k < 2; k++) {
    side *one = &s->side[k];
    nl_forward_all(one->chain->network, one->chain->parameters, &one->values, rows, x);
    one->y = one->values.values[one->chain->layers[one->chain->count - 1].output];
  }
}

// The largest change of a row, and its output.
static double change(const nl_certify_search *s, size_t row, size_t *output) {
  double most = -1;
  for (size_t o = 0; o < s->results; o++) {
    const double d = fabs(s->side[0].y[row * s->results + o] - s->side[1].y[row * s->results + o]);
    if (d > most) {
      most = d;
      *output = o;
    }
  }
  return most;
}

static void zero_gradients(side *one, size_t rows) {
  const nl_network *network = one->chain->network;
  for (size_t s = 0; s < network->step_count; s++)
    if (network->steps[s].evaluable && one->gradients.values[s] != NULL)
      memset(one->gradients.values[s], 0, rows * one->chain->parameters->layers[s].width * sizeof(double));
}

// slope (STARTS, features): of |f_o - g_o| at the starts, as evaluated last
static void differentiate(nl_certify_search *s) {
  for (size_t k = 0; k < 2; k++) {
    side *one = &s->side[k];
    zero_gradients(one, STARTS);
    double *seed = one->gradients.values[one->chain->layers[one->chain->count - 1].output];
    for (size_t r = 0; r < STARTS; r++) {
      const size_t at = r * s->results + s->output[r];
      const double sign = s->side[0].y[at] >= s->side[1].y[at] ? 1.0 : -1.0;
      seed[at] = k == 0 ? sign : -sign;
    }
    nl_forward_gradient(one->chain->network, one->chain->parameters, &one->values, &one->gradients, STARTS);
    const double *slope = one->gradients.values[one->input];
    for (size_t i = 0; i < STARTS * s->features; i++) s->slope[i] = (k == 0 ? 0 : s->slope[i]) + slope[i];
  }
}

// ---- life ---------------------------------------------------------------------------------------------------------------

static nl_status open_side(side *one, const nl_chain *chain, nl_error *error) {
  one->chain = chain;
  for (size_t s = 0; s < chain->network->step_count; s++)
    if (chain->network->steps[s].kind == NL_STEP_INPUT) one->input = s;
  NL_TRY(nl_scratch_create(&one->values, chain->network, chain->parameters, NL_FORWARD_ROWS, error));
  return nl_scratch_create(&one->gradients, chain->network, chain->parameters, STARTS, error);
}

static nl_status take_search(nl_certify_search *s, const nl_chain *original, const nl_chain *reduced, nl_error *error) {
  const size_t n = s->features;
  NL_TRY(open_side(&s->side[0], original, error));
  NL_TRY(open_side(&s->side[1], reduced, error));
  NL_TAKE(&s->arena, s->x, double, NL_FORWARD_ROWS *n, error);
  NL_TAKE(&s->arena, s->trial, double, STARTS *n, error);
  NL_TAKE(&s->arena, s->start, double, STARTS *n, error);
  NL_TAKE(&s->arena, s->slope, double, STARTS *n, error);
  NL_TAKE(&s->arena, s->value, double, STARTS, error);
  NL_TAKE(&s->arena, s->stride, double, STARTS, error);
  NL_TAKE(&s->arena, s->output, size_t, STARTS, error);
  NL_TAKE(&s->arena, s->at, double, n, error);
  return NL_OK;
}

nl_status nl_certify_search_create(nl_certify_search **out, const nl_chain *original, const nl_chain *reduced,
                                   const double *low, const double *high, size_t points, nl_error *error) {
  nl_certify_search *s = calloc(1, sizeof *s);
  if (s == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *s, 0);
  s->low = low;
  s->high = high;
  s->features = original->features;
  s->results = original->layers[original->count - 1].width;
  s->points = points;
  s->cost = nl_chain_work(original) + nl_chain_work(reduced);
  const nl_status status = take_search(s, original, reduced, error);
  if (status != NL_OK) {
    nl_certify_search_free(s);
    return status;
  }
  nl_certify_points_at(0, STARTS, s->features, low, high, s->start);
  for (size_t r = 0; r < STARTS; r++) {
    s->value[r] = -1;
    s->stride[r] = 0.5;
  }
  memcpy(s->at, s->start, s->features * sizeof *s->at);
  *out = s;
  return NL_OK;
}

void nl_certify_search_free(nl_certify_search *s) {
  if (s == NULL) return;
  for (size_t k = 0; k < 2; k++) {
    nl_scratch_free(&s->side[k].values);
    nl_scratch_free(&s->side[k].gradients);
  }
  nl_arena_free(&s->arena);
  free(s);
}

// ---- search -------------------------------------------------------------------------------------------------------------

static void note(nl_certify_search *s, double value, const double *x) {
  if (!(value > s->found)) return;
  s->found = value;
  memcpy(s->at, x, s->features * sizeof *s->at);
}

// The block's best row replaces the worst start it beats.
static void sample(nl_certify_search *s, size_t rows) {
  nl_certify_points_at(s->done, rows, s->features, s->low, s->high, s->x);
  evaluate(s, rows, s->x);
  size_t best = 0, output = 0, worst = 0;
  double most = -1;
  for (size_t r = 0; r < rows; r++) {
    const double value = change(s, r, &output);
    if (value > most) {
      most = value;
      best = r;
    }
  }
  note(s, most, s->x + best * s->features);
  for (size_t r = 1; r < STARTS; r++)
    if (s->value[r] < s->value[worst]) worst = r;
  if (most > s->value[worst]) {
    s->value[worst] = most;
    memcpy(s->start + worst * s->features, s->x + best * s->features, s->features * sizeof *s->start);
  }
  s->done += rows;
}

// One step uphill from every start: along the slope's signs, every other time along the slope itself.
static void climb(nl_certify_search *s) {
  const size_t n = s->features;
  evaluate(s, STARTS, s->start);
  for (size_t r = 0; r < STARTS; r++) s->value[r] = change(s, r, &s->output[r]);
  differentiate(s);
  for (size_t r = 0; r < STARTS; r++) {
    const double *slope = s->slope + r * n, *from = s->start + r * n;
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(slope[i] * (s->high[i] - s->low[i])));
    for (size_t i = 0; i < n; i++) {
      const double wide = s->high[i] - s->low[i], sign = slope[i] > 0 ? 1.0 : slope[i] < 0 ? -1.0 : 0.0;
      const double way = s->rounds % 2 == 0 || !(most > 0) ? sign : slope[i] * wide / most;
      s->trial[r * n + i] = fmin(fmax(from[i] + s->stride[r] * wide * way, s->low[i]), s->high[i]);
    }
  }
  evaluate(s, STARTS, s->trial);
  for (size_t r = 0; r < STARTS; r++) {
    size_t output;
    const double value = change(s, r, &output);
    if (value > s->value[r]) {
      memcpy(s->start + r * n, s->trial + r * n, n * sizeof *s->start);
      note(s, value, s->start + r * n);
    } else
      s->stride[r] *= 0.6;
  }
  s->rounds++;
}

nl_status nl_certify_search_step(nl_certify_search *s) {
  double work = 0;
  while (work < step_work && s->done < s->points) {
    const size_t rows = s->points - s->done < NL_FORWARD_ROWS ? s->points - s->done : NL_FORWARD_ROWS;
    sample(s, rows);
    work += (double)rows * s->cost;
  }
  while (work < step_work && s->done >= s->points && s->rounds < ROUNDS) {
    climb(s);
    work += 4 * STARTS * s->cost;
  }
  return s->done < s->points || s->rounds < ROUNDS ? NL_MORE : NL_OK;
}

double nl_certify_search_found(const nl_certify_search *s) { return s->found; }

const double *nl_certify_search_at(const nl_certify_search *s) { return s->at; }
