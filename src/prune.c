#include "prune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

// ---- which weights can go --------------------------------------------------------------------------------------------

static bool is_layer(const nl_step *step) { return step->kind == NL_STEP_DENSE && step->evaluable; }

static size_t value_at(const nl_network *network, nl_place place) {
  return network->graph->nodes[place.node].inputs[place.slot];
}

// Whether this use of a value is a layer's reading its weights. Where an Identity or Cast stands between, its
// use: network_ops.c passes constants to a single reader only.
static bool reads_weights(const nl_network *network, nl_use use) {
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_step *step = &network->steps[s];
    if (is_layer(step) && step->weights.node == use.node && step->weights.slot == use.slot) return true;
  }
  return false;
}

// Whether everybody who reads a value reads it as weights.
static bool is_weights_alone(const nl_network *network, size_t index) {
  const nl_value *value = &network->graph->values[index];
  for (size_t u = 0; u < value->use_count; u++)
    if (!reads_weights(network, value->uses[u])) return false;
  return !value->is_output;
}

// The first layer whose weights are those of layer `s`.
static size_t first_reader(const nl_network *network, size_t s) {
  const size_t value = value_at(network, network->steps[s].weights);
  size_t first = 0;
  while (!is_layer(&network->steps[first]) || value_at(network, network->steps[first].weights) != value) first++;
  return first;
}

// Each constant once: whether `s` is the layer that its weights are counted at.
static bool is_counted(const nl_network *network, size_t s) {
  return is_layer(&network->steps[s]) && first_reader(network, s) == s &&
         is_weights_alone(network, value_at(network, network->steps[s].weights));
}

static size_t count_nonzero(const nl_layer *layer) {
  size_t count = 0;
  for (size_t i = 0; i < layer->width * layer->in_width; i++) count += layer->weights[i] != 0;
  return count;
}

size_t nl_prune_weight_count(const nl_network *network, const nl_parameters *parameters) {
  size_t count = 0;
  for (size_t s = 0; s < network->step_count; s++)
    if (is_counted(network, s)) count += count_nonzero(&parameters->layers[s]);
  return count;
}

size_t nl_prune_nonzero(const nl_network *network, const nl_parameters *parameters) {
  size_t count = network->parameters;
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_layer *layer = &parameters->layers[s];
    if (is_counted(network, s)) count -= layer->width * layer->in_width - count_nonzero(layer);
  }
  return count;
}

// ---- what the layers read --------------------------------------------------------------------------------------------

static nl_status take_norms(nl_prune_norms *norms, const nl_network *network, nl_error *error) {
  NL_TAKE(&norms->arena, norms->norms, double *, network->step_count + 1, error);
  for (size_t s = 0; s < network->step_count; s++)
    if (is_layer(&network->steps[s]))
      NL_TAKE(&norms->arena, norms->norms[s], double, network->steps[s].in_width, error);
  return NL_OK;
}

nl_status nl_prune_norms_create(nl_prune_norms *out, const nl_network *network, nl_error *error) {
  nl_prune_norms norms = {0};
  const nl_status status = take_norms(&norms, network, error);
  if (status != NL_OK)
    nl_prune_norms_free(&norms);
  else
    *out = norms;
  return status;
}

void nl_prune_norms_free(nl_prune_norms *norms) {
  nl_arena_free(&norms->arena);
  *norms = (nl_prune_norms){0};
}

void nl_prune_norms_add(nl_prune_norms *norms, const nl_network *network, const nl_scratch *scratch, size_t rows) {
  for (size_t s = 0; s < network->step_count; s++) {
    if (norms->norms[s] == NULL) continue;
    const size_t in = network->steps[s].in_width;
    const double *x = scratch->values[network->steps[s].inputs[0]]; // (rows, in)
    for (size_t r = 0; r < rows; r++)
      for (size_t i = 0; i < in; i++) norms->norms[s][i] += x[r * in + i] * x[r * in + i];
  }
  norms->rows += rows;
}

void nl_prune_norms_finish(nl_prune_norms *norms, const nl_network *network) {
  for (size_t s = 0; s < network->step_count; s++)
    for (size_t i = 0; norms->norms[s] != NULL && norms->rows > 0 && i < network->steps[s].in_width; i++)
      norms->norms[s][i] = sqrt(norms->norms[s][i] / (double)norms->rows);
}

// ---- keys: scores in an order of whole numbers -----------------------------------------------------------------------

// 0 for what is gone; else above 0 and ordered as the scores are (the bits of doubles >= 0 are).
static uint64_t key_of(double weight, double score) {
  uint64_t bits;
  const double size = fabs(score);
  memcpy(&bits, &size, sizeof bits);
  return weight != 0 ? bits + 1 : 0;
}

// The least that the `rank` largest keys reach; afterwards as many as *rank of those that just reach it are among them.
// Digit by digit from the top, so that no order of the keys is a bad one, until all with these digits are among them.
static uint64_t key_at(size_t n, const uint64_t *keys, size_t stride, size_t *rank) {
  uint64_t prefix = 0, mask = 0;
  for (int shift = 56; shift >= 0; shift -= 8) {
    size_t counts[256] = {0};
    unsigned digit = 255;
    for (size_t i = 0; i < n; i++)
      if ((keys[i * stride] & mask) == prefix) counts[keys[i * stride] >> shift & 255]++;
    for (; digit > 0 && *rank > counts[digit]; digit--) *rank -= counts[digit];
    prefix |= (uint64_t)digit << shift;
    mask |= UINT64_C(255) << shift;
    if (*rank == counts[digit]) break;
  }
  return prefix;
}

// Sets all but the `keep` largest of n keys to 0; among equals the first stay.
static void keep_largest(size_t n, uint64_t *keys, size_t stride, size_t keep) {
  size_t equals = keep;
  const uint64_t least = key_at(n, keys, stride, &equals);
  for (size_t i = 0; i < n; i++) {
    uint64_t *key = &keys[i * stride];
    if (*key > least || (*key == least && equals > 0))
      equals -= *key == least;
    else
      *key = 0;
  }
}

// ---- shares ----------------------------------------------------------------------------------------------------------

typedef struct shares {
  size_t count;
  size_t *sizes;        // (count)
  size_t *quotas;       // (count) quota <= size
  uint64_t *remainders; // (count)
} shares;

static nl_status take_shares(shares *s, nl_arena *arena, size_t count, nl_error *error) {
  NL_TAKE(arena, s->sizes, size_t, count + 1, error);
  NL_TAKE(arena, s->quotas, size_t, count + 1, error);
  NL_TAKE(arena, s->remainders, uint64_t, count + 1, error);
  s->count = count;
  return NL_OK;
}

// Deals `total` out by size, by largest remainder; total <= sum of the sizes.
static void deal(shares *s, size_t total) {
  uint64_t sum = 0;
  size_t left = total;
  for (size_t i = 0; i < s->count; i++) sum += s->sizes[i];
  for (size_t i = 0; i < s->count; i++) {
    const uint64_t product = (uint64_t)total * s->sizes[i];
    s->quotas[i] = sum > 0 ? (size_t)(product / sum) : 0;
    s->remainders[i] = sum > 0 ? product % sum : 0;
    left -= s->quotas[i];
  }
  keep_largest(s->count, s->remainders, 1, left);
  for (size_t i = 0; i < s->count; i++) s->quotas[i] += s->remainders[i] > 0;
}

// ---- choosing --------------------------------------------------------------------------------------------------------

typedef struct weights { // one constant
  size_t step;           // the layer it is counted at
  size_t count;
  uint64_t *keys; // (count) in the tensor's order
} weights;

typedef struct plan {
  nl_arena arena;
  const nl_network *network;
  const nl_parameters *original;
  size_t count; // of constants
  weights *weights;
  size_t *weights_of; // (steps) or NL_NONE
  size_t total;
  uint64_t *keys; // (total) all of them, one constant after the other
  shares layers;  // over the constants
  shares rows;    // over the rows of one; as many as the widest has
} plan;

static nl_status find_weights(plan *p, nl_error *error) {
  const nl_network *network = p->network;
  size_t widest = 0;
  NL_TAKE(&p->arena, p->weights, weights, network->step_count + 1, error);
  NL_TAKE(&p->arena, p->weights_of, size_t, network->step_count + 1, error);
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_step *step = &network->steps[s];
    const size_t first = is_layer(step) ? first_reader(network, s) : s;
    p->weights_of[s] = first < s ? p->weights_of[first] : NL_NONE;
    if (!is_counted(network, s)) continue;
    p->weights_of[s] = p->count;
    p->weights[p->count++] = (weights){.step = s, .count = step->width * step->in_width};
    p->total += step->width * step->in_width;
    if (step->width > widest) widest = step->width;
  }
  NL_TAKE(&p->arena, p->keys, uint64_t, p->total + 1, error);
  NL_TRY(take_shares(&p->layers, &p->arena, p->count, error));
  return take_shares(&p->rows, &p->arena, widest, error);
}

static void fill_keys(plan *p, const double *const *norms) {
  uint64_t *next = p->keys;
  for (size_t w = 0; w < p->count; w++) {
    const nl_step *step = &p->network->steps[p->weights[w].step];
    const nl_layer *layer = &p->original->layers[p->weights[w].step];
    const double *norm = norms != NULL ? norms[p->weights[w].step] : NULL;
    p->weights[w].keys = next;
    for (size_t o = 0; o < step->width; o++)
      for (size_t i = 0; i < step->in_width; i++) {
        const double weight = layer->weights[o * step->in_width + i];
        next[o * step->out_stride + i * step->in_stride] = key_of(weight, norm != NULL ? weight * norm[i] : weight);
      }
    p->layers.sizes[w] = count_nonzero(layer);
    next += p->weights[w].count;
  }
}

static void choose_by_rows(plan *p, const weights *w, size_t keep) {
  const nl_step *step = &p->network->steps[w->step];
  p->rows.count = step->width;
  for (size_t o = 0; o < step->width; o++) {
    p->rows.sizes[o] = 0;
    for (size_t i = 0; i < step->in_width; i++)
      p->rows.sizes[o] += w->keys[o * step->out_stride + i * step->in_stride] > 0;
  }
  deal(&p->rows, keep);
  for (size_t o = 0; o < step->width; o++)
    keep_largest(step->in_width, w->keys + o * step->out_stride, step->in_stride, p->rows.quotas[o]);
}

// Afterwards the keys of what goes are 0.
static void choose(plan *p, nl_prune method, size_t keep) {
  size_t left = 0;
  for (size_t w = 0; w < p->count; w++) left += p->layers.sizes[w];
  if (keep >= left) return;
  if (method == NL_PRUNE_MAGNITUDE_GLOBAL) {
    keep_largest(p->total, p->keys, 1, keep);
    return;
  }
  deal(&p->layers, keep);
  for (size_t w = 0; w < p->count; w++)
    if (method == NL_PRUNE_WANDA)
      choose_by_rows(p, &p->weights[w], p->layers.quotas[w]);
    else
      keep_largest(p->weights[w].count, p->weights[w].keys, 1, p->layers.quotas[w]);
}

// ---- copying ---------------------------------------------------------------------------------------------------------

static nl_status copy_numbers(nl_arena *arena, double **numbers, size_t count, nl_error *error) {
  const double *from = *numbers;
  if (from == NULL) return NL_OK;
  NL_TAKE(arena, *numbers, double, count, error);
  memcpy(*numbers, from, count * sizeof *from);
  return NL_OK;
}

static nl_status copy_layer(nl_arena *arena, nl_layer *layer, nl_error *error) {
  NL_TRY(copy_numbers(arena, &layer->weights, layer->width * layer->in_width, error));
  NL_TRY(copy_numbers(arena, &layer->bias, layer->width, error));
  NL_TRY(copy_numbers(arena, &layer->scale, layer->width, error));
  return copy_numbers(arena, &layer->shift, layer->width, error);
}

static nl_status copy_parameters(nl_parameters *out, const nl_parameters *from, nl_error *error) {
  nl_parameters copy = {.count = from->count};
  copy.layers = nl_arena_take(&copy.arena, from->count + 1, sizeof(nl_layer));
  nl_status status = copy.layers != NULL ? NL_OK : nl_no_memory(error, from->count + 1, sizeof(nl_layer));
  for (size_t s = 0; status == NL_OK && s < from->count; s++) {
    copy.layers[s] = from->layers[s];
    status = copy_layer(&copy.arena, &copy.layers[s], error);
  }
  if (status != NL_OK)
    nl_parameters_free(&copy);
  else
    *out = copy;
  return status;
}

// ---- pruning ---------------------------------------------------------------------------------------------------------

static void clear_weights(const plan *p, nl_parameters *parameters) {
  for (size_t s = 0; s < p->network->step_count; s++) {
    if (p->weights_of[s] == NL_NONE) continue;
    const nl_step *step = &p->network->steps[s];
    const uint64_t *keys = p->weights[p->weights_of[s]].keys;
    for (size_t o = 0; o < step->width; o++)
      for (size_t i = 0; i < step->in_width; i++)
        if (keys[o * step->out_stride + i * step->in_stride] == 0)
          parameters->layers[s].weights[o * step->in_width + i] = 0;
  }
}

nl_status nl_prune_weights(nl_parameters *out, const nl_network *network, const nl_parameters *original,
                           nl_prune method, const double *const *norms, size_t keep, nl_error *error) {
  if (method == NL_PRUNE_WANDA && norms == NULL) return nl_fail(error, NL_ERROR_ARGUMENT, "norms", "Wanda needs them");
  plan p = {.network = network, .original = original};
  nl_status status = find_weights(&p, error);
  if (status == NL_OK) {
    fill_keys(&p, method == NL_PRUNE_WANDA ? norms : NULL);
    choose(&p, method, keep);
    status = copy_parameters(out, original, error);
  }
  if (status == NL_OK) clear_weights(&p, out);
  nl_arena_free(&p.arena);
  return status;
}

// ---- units -----------------------------------------------------------------------------------------------------------

typedef struct unit {
  size_t number;
  double square; // of the norm
} unit;

static int by_norm(const void *a, const void *b) {
  const unit *first = a, *second = b;
  if (first->square != second->square) return first->square < second->square ? -1 : 1;
  return first->number < second->number ? -1 : 1;
}

nl_status nl_prune_unit_order(const nl_network *network, const nl_site *site, const nl_parameters *parameters,
                              size_t *order, nl_error *error) {
  unit *units = calloc(site->width + 1, sizeof *units);
  if (units == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, site->width * sizeof *units, 0);
  for (size_t u = 0; u < site->width; u++) units[u].number = u;
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_layer *layer = &parameters->layers[s];
    if (network->steps[s].kind != NL_STEP_DENSE || network->group_of[s] != site->group) continue;
    for (size_t i = 0; i < layer->width * layer->in_width; i++)
      units[i / layer->in_width].square += layer->weights[i] * layer->weights[i];
  }
  qsort(units, site->width, sizeof *units, by_norm);
  for (size_t u = 0; u < site->width; u++) order[u] = units[u].number;
  free(units);
  return NL_OK;
}

// ---- control ---------------------------------------------------------------------------------------------------------

static void draw(nl_random *random, size_t count, double bound, double *numbers) {
  for (size_t i = 0; i < count; i++) numbers[i] = bound * (2 * nl_random_uniform(random) - 1);
}

nl_status nl_prune_randomise(nl_parameters *out, const nl_parameters *like, uint64_t seed, nl_error *error) {
  nl_random random = nl_random_seeded(seed ^ 0x72616e64u); // another stream than the measure's
  NL_TRY(copy_parameters(out, like, error));
  for (size_t s = 0; s < out->count; s++) {
    nl_layer *layer = &out->layers[s];
    if (layer->weights == NULL) continue;
    const double bound = 1.0 / sqrt((double)layer->in_width);
    draw(&random, layer->width * layer->in_width, bound, layer->weights);
    if (layer->bias != NULL) draw(&random, layer->width, bound, layer->bias);
  }
  return NL_OK;
}
