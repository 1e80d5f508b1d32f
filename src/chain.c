#include "chain.h"

#include <math.h>
#include <string.h>

// What a step is, as a function of the current layer's z: scale z + shift per channel first (NULL: none), then one of the kinds.
// A polynomial may have degree 1 here.
typedef struct expression {
  size_t layer; // 0: of the input, l + 1: of layers[l]
  nl_chain_kind kind;
  nl_function function;
  double p, q;
  size_t degree;
  double coefficients[NL_CHAIN_DEGREE + 1];
  double *scale, *shift; // (width) or NULL
  // where a composite starts: the last step that scales each channel by itself, and its scale
  size_t base;
  double *base_scale, *base_shift;
} expression;

typedef struct walk {
  nl_chain *chain;
  const nl_sites *sites;
  expression *of; // (steps)
  nl_error *error;
} walk;

static nl_status broken(const walk *w, size_t step, const char *why) {
  const nl_graph *graph = w->chain->network->graph;
  const size_t node = w->chain->network->steps[step].node;
  return nl_fail_span(w->error, NL_ERROR_UNSUPPORTED, node != NL_NONE ? graph->nodes[node].name : (nl_span){0}, why);
}

static expression plain(size_t layer, size_t base) {
  return (expression){.layer = layer, .kind = NL_CHAIN_POLYNOMIAL, .degree = 1, .coefficients = {0, 1}, .base = base};
}

static bool is_identity(const expression *e) {
  return e->kind == NL_CHAIN_POLYNOMIAL && e->degree == 1 && e->coefficients[0] == 0 && e->coefficients[1] == 1;
}

static bool uniform(size_t count, const double *values) {
  for (size_t i = 1; values != NULL && i < count; i++)
    if (values[i] != values[0]) return false;
  return true;
}

// ---- elementwise steps --------------------------------------------------------------------------------------------------

// Scales each channel by itself: only where nothing but such scales came before.
static nl_status scale_channels(walk *w, size_t s, expression *e) {
  const nl_layer *layer = &w->chain->parameters->layers[s];
  if (!is_identity(e)) return broken(w, s, "it scales each channel by itself behind the activation");
  double *scale = NULL, *shift = NULL;
  NL_TAKE(&w->chain->arena, scale, double, layer->width, w->error);
  NL_TAKE(&w->chain->arena, shift, double, layer->width, w->error);
  for (size_t i = 0; i < layer->width; i++) {
    scale[i] = layer->scale[i] * (e->scale != NULL ? e->scale[i] : 1.0);
    shift[i] = layer->shift[i] + layer->scale[i] * (e->scale != NULL ? e->shift[i] : 0.0);
  }
  e->scale = e->base_scale = scale;
  e->shift = e->base_shift = shift;
  e->base = s;
  return NL_OK;
}

// No single function any more: the steps from the base on, as they are.
static void become_other(expression *e) {
  *e = (expression){.layer = e->layer,
                    .kind = NL_CHAIN_OTHER,
                    .scale = e->base_scale,
                    .shift = e->base_shift,
                    .base = e->base,
                    .base_scale = e->base_scale,
                    .base_shift = e->base_shift};
}

static nl_status take_scale(walk *w, size_t s, expression *e) {
  const nl_layer *layer = &w->chain->parameters->layers[s];
  if (!uniform(layer->width, layer->scale) || !uniform(layer->width, layer->shift)) return scale_channels(w, s, e);
  if (e->kind != NL_CHAIN_POLYNOMIAL) {
    become_other(e);
    return NL_OK;
  }
  for (size_t d = 0; d <= e->degree; d++) e->coefficients[d] *= layer->scale[0];
  e->coefficients[0] += layer->shift[0];
  return NL_OK;
}

// c z + d before a function, the same for all channels: part of the layer's own weights.
static nl_status fold_affine(walk *w, size_t s, expression *e) {
  const size_t width = w->chain->parameters->layers[s].width;
  double *scale = NULL, *shift = NULL;
  NL_TAKE(&w->chain->arena, scale, double, width, w->error);
  NL_TAKE(&w->chain->arena, shift, double, width, w->error);
  for (size_t i = 0; i < width; i++) {
    scale[i] = e->coefficients[1] * (e->scale != NULL ? e->scale[i] : 1.0);
    shift[i] = e->coefficients[0] + e->coefficients[1] * (e->shift != NULL ? e->shift[i] : 0.0);
  }
  *e = (expression){.layer = e->layer,
                    .kind = NL_CHAIN_POLYNOMIAL,
                    .degree = 1,
                    .coefficients = {0, 1},
                    .scale = scale,
                    .shift = shift,
                    .base = e->base,
                    .base_scale = e->base_scale,
                    .base_shift = e->base_shift};
  return NL_OK;
}

// function(p, q) of what was there: of the layer's z where that was affine, else a composite.
static nl_status apply(walk *w, size_t s, expression *e, nl_function function, double p, double q) {
  if (e->kind != NL_CHAIN_POLYNOMIAL || e->degree > 1) {
    become_other(e);
    return NL_OK;
  }
  if (!is_identity(e)) NL_TRY(fold_affine(w, s, e));
  e->kind = NL_CHAIN_FUNCTION;
  e->function = function;
  e->p = p;
  e->q = q;
  return NL_OK;
}

static bool whole_power(const expression *e) {
  return e->kind == NL_CHAIN_FUNCTION && e->function == NL_FUNCTION_POWER && e->p >= 2 && e->p <= NL_CHAIN_DEGREE &&
         e->p == floor(e->p);
}

static nl_status take_function(walk *w, size_t s, expression *e) {
  const nl_step *step = &w->chain->network->steps[s];
  if (step->function == NL_FUNCTION_IDENTITY) return NL_OK;
  NL_TRY(apply(w, s, e, step->function, step->p, step->q));
  if (!whole_power(e)) return NL_OK;
  e->kind = NL_CHAIN_POLYNOMIAL;
  e->degree = (size_t)e->p;
  e->coefficients[1] = 0;
  e->coefficients[e->degree] = 1;
  return NL_OK;
}

static nl_status take_prelu(walk *w, size_t s, expression *e) {
  const nl_layer *layer = &w->chain->parameters->layers[s];
  if (!uniform(layer->width, layer->scale)) return broken(w, s, "it has a slope for each channel");
  return apply(w, s, e, NL_FUNCTION_LEAKY_RELU, layer->scale[0], 0);
}

static void multiply(expression *a, const expression *b) {
  expression product = *a;
  product.degree = a->degree + b->degree;
  memset(product.coefficients, 0, sizeof product.coefficients);
  for (size_t i = 0; i <= a->degree; i++)
    for (size_t j = 0; j <= b->degree; j++) product.coefficients[i + j] += a->coefficients[i] * b->coefficients[j];
  *a = product;
}

static void add(expression *a, const expression *b, double sign) {
  for (size_t d = a->degree + 1; d <= b->degree; d++) a->coefficients[d] = 0;
  if (b->degree > a->degree) a->degree = b->degree;
  for (size_t d = 0; d <= b->degree; d++) a->coefficients[d] += sign * b->coefficients[d];
}

// Two expressions of the same z into one.
static nl_status take_pair(walk *w, size_t s, expression *a, const expression *b) {
  const nl_step_kind kind = w->chain->network->steps[s].kind;
  if (a->layer != b->layer) return broken(w, s, "two branches meet there");
  const bool polynomials = a->kind == NL_CHAIN_POLYNOMIAL && b->kind == NL_CHAIN_POLYNOMIAL && a->scale == b->scale;
  if (polynomials && kind == NL_STEP_MULTIPLY && a->degree + b->degree <= NL_CHAIN_DEGREE)
    multiply(a, b);
  else if (polynomials && (kind == NL_STEP_ADD || kind == NL_STEP_SUBTRACT))
    add(a, b, kind == NL_STEP_ADD ? 1.0 : -1.0);
  else if (a->base == b->base)
    become_other(a);
  else
    return broken(w, s, "its channels are treated differently");
  return NL_OK;
}

// ---- layers -------------------------------------------------------------------------------------------------------------

// What stands behind the dense step of a layer becomes its activation; scales before it go into the weights.
static void close_layer(walk *w, size_t output, const expression *e) {
  nl_chain_layer *layer = &w->chain->layers[e->layer - 1];
  layer->output = output;
  layer->base = e->base;
  layer->kind = is_identity(e) ? NL_CHAIN_IDENTITY : e->kind;
  layer->function = e->function;
  layer->p = e->p;
  layer->q = e->q;
  layer->degree = e->degree;
  memcpy(layer->coefficients, e->coefficients, sizeof layer->coefficients);
  if (e->scale == NULL) return;
  layer->alike = uniform(layer->width, e->scale) && uniform(layer->width, e->shift);
  for (size_t o = 0; o < layer->width; o++) {
    for (size_t i = 0; i < layer->in_width; i++) layer->weights[o * layer->in_width + i] *= e->scale[o];
    layer->bias[o] = e->scale[o] * layer->bias[o] + e->shift[o];
  }
}

// The dense step reads scaled inputs: W diag(s) x + W t.
static void fold_input(nl_chain_layer *layer, const expression *e) {
  for (size_t o = 0; o < layer->width; o++)
    for (size_t i = 0; i < layer->in_width; i++) {
      double *weight = &layer->weights[o * layer->in_width + i];
      const double scale = e->scale != NULL ? e->scale[i] : 1.0, shift = e->scale != NULL ? e->shift[i] : 0.0;
      layer->bias[o] += *weight * (e->coefficients[1] * shift + e->coefficients[0]);
      *weight *= e->coefficients[1] * scale;
    }
}

static nl_status take_dense(walk *w, size_t s, expression *e) {
  nl_chain *chain = w->chain;
  const nl_layer *from = &chain->parameters->layers[s];
  const size_t read = chain->network->steps[s].inputs[0];
  if (e->layer != chain->count) return broken(w, s, "it starts a second branch");
  if (e->layer == 0 && !(e->kind == NL_CHAIN_POLYNOMIAL && e->degree == 1))
    return broken(w, s, "a function of the inputs stands before it");
  if (e->layer > 0) close_layer(w, read, e);
  nl_chain_layer *layer = &chain->layers[chain->count++];
  *layer = (nl_chain_layer){.dense = s,
                            .output = s,
                            .site = w->sites->site_of[s],
                            .width = from->width,
                            .in_width = from->in_width,
                            .alike = true};
  NL_TAKE(&chain->arena, layer->weights, double, layer->width * layer->in_width + 1, w->error);
  NL_TAKE(&chain->arena, layer->bias, double, layer->width + 1, w->error);
  memcpy(layer->weights, from->weights, layer->width * layer->in_width * sizeof *layer->weights);
  if (from->bias != NULL) memcpy(layer->bias, from->bias, layer->width * sizeof *layer->bias);
  if (e->layer == 0) fold_input(layer, e);
  *e = plain(chain->count, s);
  return NL_OK;
}

static nl_status take_step(walk *w, size_t s) {
  const nl_network *network = w->chain->network;
  const nl_step *step = &network->steps[s];
  expression *e = &w->of[s];
  if (step->kind == NL_STEP_INPUT) {
    *e = plain(0, s);
    return w->chain->features > 0 ? broken(w, s, "the model has several inputs") : NL_OK;
  }
  if (!step->evaluable || step->input_count == 0) return broken(w, s, "netlump does not evaluate it");
  *e = w->of[step->inputs[0]];
  if (w->chain->tail != NL_NONE) return broken(w, s, "it stands behind a softmax");
  switch (step->kind) {
  case NL_STEP_DENSE:
    return take_dense(w, s, e);
  case NL_STEP_FUNCTION:
    return take_function(w, s, e);
  case NL_STEP_SCALE:
    return take_scale(w, s, e);
  case NL_STEP_PRELU:
    return take_prelu(w, s, e);
  case NL_STEP_SOFTMAX:
  case NL_STEP_LOG_SOFTMAX:
    w->chain->tail = s;
    return NL_OK;
  default:
    return take_pair(w, s, e, &w->of[step->inputs[1]]);
  }
}

static nl_status finish(walk *w) {
  nl_chain *chain = w->chain;
  const nl_network *network = chain->network;
  if (network->output_count != 1) return broken(w, network->step_count - 1, "the model has several outputs");
  const size_t output = chain->tail != NL_NONE ? network->steps[chain->tail].inputs[0] : network->outputs[0];
  if (chain->count == 0) return broken(w, output, "there is no dense layer before it");
  if (w->of[output].layer != chain->count) return broken(w, output, "the line does not end there");
  close_layer(w, output, &w->of[output]);
  return NL_OK;
}

// The elementwise steps for a single number: what composite activations are evaluated with.
static nl_status narrow(walk *w) {
  nl_chain *chain = w->chain;
  const size_t steps = chain->network->step_count;
  double *numbers = NULL;
  NL_TAKE(&chain->arena, chain->narrow.layers, nl_layer, steps + 1, w->error);
  NL_TAKE(&chain->arena, chain->values, double *, steps + 1, w->error);
  NL_TAKE(&chain->arena, numbers, double, steps + 1, w->error);
  chain->narrow.count = steps;
  for (size_t s = 0; s < steps; s++) {
    chain->narrow.layers[s] = chain->parameters->layers[s];
    chain->narrow.layers[s].width = 1;
    chain->values[s] = &numbers[s];
  }
  return NL_OK;
}

static nl_status walk_steps(walk *w) {
  const nl_network *network = w->chain->network;
  NL_TAKE(&w->chain->arena, w->of, expression, network->step_count + 1, w->error);
  NL_TAKE(&w->chain->arena, w->chain->layers, nl_chain_layer, network->step_count + 1, w->error);
  for (size_t s = 0; s < network->step_count; s++) {
    NL_TRY(take_step(w, s));
    if (network->steps[s].kind == NL_STEP_INPUT) w->chain->features = network->steps[s].width;
  }
  NL_TRY(narrow(w));
  return finish(w);
}

nl_status nl_chain_create(nl_chain *out, const nl_network *network, const nl_sites *sites,
                          const nl_parameters *parameters, nl_error *error) {
  nl_chain chain = {.network = network, .parameters = parameters, .tail = NL_NONE};
  walk w = {.chain = &chain, .sites = sites, .error = error};
  const nl_status status = walk_steps(&w);
  if (status != NL_OK)
    nl_chain_free(&chain);
  else
    *out = chain;
  return status;
}

void nl_chain_free(nl_chain *chain) {
  nl_arena_free(&chain->arena);
  *chain = (nl_chain){0};
}

double nl_chain_work(const nl_chain *chain) {
  double work = 0;
  for (size_t l = 0; l < chain->count; l++)
    work += (double)chain->layers[l].width * ((double)chain->layers[l].in_width + 20);
  return work;
}

// ---- the activation -----------------------------------------------------------------------------------------------------

// A composite is evaluated along its steps, from a scalar z; their constants are alike for all channels.
static double composite(const nl_chain *chain, const nl_chain_layer *layer, double z) {
  *chain->values[layer->base] = z;
  for (size_t s = layer->base + 1; s <= layer->output; s++)
    nl_forward_step(chain->network, &chain->narrow, s, 1, NULL, chain->values, NULL);
  return *chain->values[layer->output];
}

double nl_chain_activation(const nl_chain *chain, size_t index, double z) {
  const nl_chain_layer *layer = &chain->layers[index];
  double a = z;
  switch (layer->kind) {
  case NL_CHAIN_IDENTITY:
    break;
  case NL_CHAIN_FUNCTION:
    nl_function_apply(layer->function, layer->p, layer->q, 1, &z, &a);
    break;
  case NL_CHAIN_POLYNOMIAL:
    a = layer->coefficients[layer->degree];
    for (size_t d = layer->degree; d-- > 0;) a = a * z + layer->coefficients[d];
    break;
  case NL_CHAIN_OTHER:
    a = composite(chain, layer, z);
    break;
  }
  return a;
}
