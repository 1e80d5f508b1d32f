// partition: one sweep over the hidden layers.
//
// Why one sweep reaches the coarsest fixpoint. Let N(l) be the one neighbour the distances of layer l see (partition.h): f of
// layer l reads layer l − 1 alone, and x of layer l occurs in f of layer l + 1 alone, besides its own leak −x_i, which cancels
// in both distances as long as i and j share a block: forward, f_H of their block changes by −x_i − x_j + (x_i + x_j) = 0;
// backward, [−x_i]_P = [−x_j]_P. (adjoint: the same with the arrows turned round, and biases read by u, a block of its own.)
// So with the layers in the order in which N(l) comes first (inputs or outputs, which are blocks of one, start it):
//   1. The first layer's distances never change, since its neighbour's blocks never do. Its components are final.
//   2. Once N(l) is final, so are the distances of l. Refining P never decreases a distance (f_H = f_H1 + f_H2 and the triangle
//      inequality forward; collapsing fewer terms backward), so pairs near at the end were near at every earlier P: a component of
//      the final graph lies within every block ERODE held for l before, and ERODE's blocks of l end as exactly these components.
//      Splitting the whole layer once by the final distances gives them at once.
// Complete linkage takes the same sweep as its definition.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "partition_parts.h"

typedef struct layer_state {
  nl_arena memory; // of everything below, renewed when the neighbour's blocks change
  bool known;
  nl_neighbour seen; // the neighbour it was measured against, copied
  size_t *units;     // (n) the layer's units that are not constant
  double *norm;      // (width) what a unit was divided by; symmetric
  double *constant;  // (width)
  nl_pairs pairs;
  nl_tree tree;
} layer_state;

struct nl_partitioner {
  nl_arena arena;
  const nl_chain *chain;
  nl_partition_options options;
  const nl_polynomial *polynomials; // (chain->count), polynomial encoding
  size_t hidden;
  bool incoming; // the previous layer is the neighbour, else the next
  layer_state *state;
  size_t *inputs, *outputs; // blocks of one
  // what nl_partition points to
  nl_partition partition;
  size_t **block_of;
  size_t *blocks;
  double **scale, **constant;
  size_t *cut; // (widest) blocks of the units that are not constant
};

// ---- what an activation lets through ------------------------------------------------------------------------------------

typedef struct symmetry {
  bool homogeneous; // σ(c z) = c σ(z) for c > 0
  int parity;       // σ(−z) = parity σ(z); 0: neither
} symmetry;

static symmetry symmetry_of_function(const nl_chain_layer *layer) {
  switch (layer->function) {
  case NL_FUNCTION_RELU:
  case NL_FUNCTION_LEAKY_RELU:
    return (symmetry){true, 0};
  case NL_FUNCTION_ABS:
    return (symmetry){true, 1};
  case NL_FUNCTION_NEGATE:
    return (symmetry){true, -1};
  case NL_FUNCTION_TANH:
  case NL_FUNCTION_SOFTSIGN:
  case NL_FUNCTION_ERF:
  case NL_FUNCTION_SIN:
  case NL_FUNCTION_RECIPROCAL:
    return (symmetry){false, -1};
  case NL_FUNCTION_COS:
    return (symmetry){false, 1};
  case NL_FUNCTION_CLIP:
    return (symmetry){false, layer->p == -layer->q ? -1 : 0};
  default:
    return (symmetry){false, 0};
  }
}

static symmetry symmetry_of(const nl_chain_layer *layer) {
  if (layer->kind == NL_CHAIN_IDENTITY) return (symmetry){true, -1};
  if (layer->kind == NL_CHAIN_FUNCTION) return symmetry_of_function(layer);
  if (layer->kind == NL_CHAIN_OTHER) return (symmetry){false, 0};
  bool even = true, odd = true;
  for (size_t d = 0; d <= layer->degree; d++)
    if (layer->coefficients[d] != 0) *(d % 2 == 0 ? &odd : &even) = false;
  return (symmetry){false, even ? 1 : odd ? -1 : 0};
}

// ---- signatures of affine drifts ------------------------------------------------------------------------------------------

// What one unit reads, collapsed: row (blocks + 1) = [W_i P, b_i + W_i p]; gives Σ |terms| without the bias.
static double collapse_row(const nl_chain_layer *layer, const nl_neighbour *from, size_t i, double *row) {
  const double *weights = layer->weights + i * layer->in_width;
  double magnitude = 0;
  memset(row, 0, (from->blocks + 1) * sizeof *row);
  row[from->blocks] = layer->bias[i];
  for (size_t j = 0; j < from->width; j++) {
    const size_t block = from->block_of[j];
    const double term = weights[j] * (block == NL_NONE      ? from->constant[j]
                                      : from->scale != NULL ? from->scale[j]
                                                            : 1.0);
    row[block == NL_NONE ? from->blocks : block] += term;
    magnitude += fabs(term);
  }
  return magnitude;
}

// A unit without incoming weights, but for rounding, always puts out the same.
static bool is_constant(const double *row, size_t blocks, double magnitude) {
  double norm = 0;
  for (size_t b = 0; b < blocks; b++) norm += fabs(row[b]);
  return norm <= 4 * NL_PARTITION_ROUNDING * magnitude;
}

static nl_status take_signatures(layer_state *state, size_t n, size_t m, double factor, nl_error *error) {
  nl_signatures *s = &state->pairs.signatures;
  *s = (nl_signatures){.n = n, .m = m, .factor = factor};
  if (m > 0 && n > SIZE_MAX / m) return nl_no_memory(error, n, m);
  NL_TAKE(&state->memory, s->values, double, n *m + 1, error);
  NL_TAKE(&state->memory, s->slack, double, n + 1, error);
  NL_TAKE(&state->memory, state->units, size_t, n + 1, error);
  state->pairs.cost = (double)m;
  return NL_OK;
}

static nl_status read_incoming(const nl_partitioner *p, layer_state *state, size_t l, nl_error *error) {
  const nl_chain_layer *layer = &p->chain->layers[l];
  const size_t blocks = state->seen.blocks, m = blocks + 1;
  const symmetry own = p->options.symmetric ? symmetry_of(layer) : (symmetry){false, 0};
  NL_TRY(take_signatures(state, layer->width, m, p->options.equivalence == NL_EQUIVALENCE_FORWARD ? 3.0 : 1.0, error));
  NL_TAKE(&state->memory, state->norm, double, layer->width + 1, error);
  NL_TAKE(&state->memory, state->constant, double, layer->width + 1, error);
  nl_signatures *s = &state->pairs.signatures;
  s->any_sign = own.parity != 0;
  s->n = 0;
  for (size_t i = 0; i < layer->width; i++) {
    double *row = s->values + s->n * m;
    double magnitude = collapse_row(layer, &state->seen, i, row);
    if (p->options.symmetric && is_constant(row, blocks, magnitude)) {
      state->constant[i] = nl_chain_activation(p->chain, l, row[blocks]);
      continue;
    }
    magnitude += fabs(row[blocks]);
    state->norm[i] = 1;
    if (own.homogeneous) {
      state->norm[i] = 0;
      for (size_t c = 0; c < m; c++) state->norm[i] += fabs(row[c]);
      for (size_t c = 0; c < m; c++) row[c] /= state->norm[i];
    }
    s->slack[s->n] = s->factor * NL_PARTITION_ROUNDING * magnitude / state->norm[i];
    state->units[s->n++] = i;
  }
  return nl_signatures_finish(s, &state->memory, error);
}

// Who reads a unit, by block: column sums of the next layer's weights.
static nl_status read_outgoing(const nl_partitioner *p, layer_state *state, size_t l, nl_error *error) {
  const nl_chain_layer *next = &p->chain->layers[l + 1];
  const size_t n = next->in_width, m = state->seen.blocks;
  NL_TRY(take_signatures(state, n, m, p->options.equivalence == NL_EQUIVALENCE_FORWARD ? 3.0 : 1.0, error));
  nl_signatures *s = &state->pairs.signatures;
  for (size_t k = 0; k < next->width; k++)
    for (size_t i = 0; i < n; i++) {
      const double weight = next->weights[k * n + i];
      s->values[i * m + state->seen.block_of[k]] += weight;
      s->slack[i] += s->factor * NL_PARTITION_ROUNDING * fabs(weight);
    }
  for (size_t i = 0; i < n; i++) state->units[i] = i;
  return nl_signatures_finish(s, &state->memory, error);
}

// ---- one layer --------------------------------------------------------------------------------------------------------------

static nl_neighbour neighbour_of(const nl_partitioner *p, size_t l) {
  const size_t other = p->incoming ? l - 1 : l + 1;
  if (p->incoming && l == 0)
    return (nl_neighbour){.width = p->chain->features, .blocks = p->chain->features, .block_of = p->inputs};
  if (!p->incoming && other == p->hidden) {
    const size_t width = p->chain->layers[other].width;
    return (nl_neighbour){.width = width, .blocks = width, .block_of = p->outputs};
  }
  nl_neighbour out = {
      .width = p->chain->layers[other].width, .blocks = p->blocks[other], .block_of = p->block_of[other]};
  if (p->options.symmetric) {
    out.scale = p->scale[other];
    out.constant = p->constant[other];
  }
  return out;
}

static bool same_neighbour(const nl_neighbour *a, const nl_neighbour *b) {
  return a->width == b->width && a->blocks == b->blocks &&
         memcmp(a->block_of, b->block_of, a->width * sizeof *a->block_of) == 0 &&
         (a->scale == NULL || a->constant == NULL ||
          (b->scale != NULL && b->constant != NULL && memcmp(a->scale, b->scale, a->width * sizeof *a->scale) == 0 &&
           memcmp(a->constant, b->constant, a->width * sizeof *a->constant) == 0));
}

static nl_status copy_neighbour(nl_neighbour *out, const nl_neighbour *from, nl_arena *arena, nl_error *error) {
  size_t *block_of;
  double *scale = NULL, *constant = NULL;
  NL_TAKE(arena, block_of, size_t, from->width, error);
  memcpy(block_of, from->block_of, from->width * sizeof *block_of);
  if (from->scale != NULL) {
    NL_TAKE(arena, scale, double, from->width, error);
    NL_TAKE(arena, constant, double, from->width, error);
    memcpy(scale, from->scale, from->width * sizeof *scale);
    memcpy(constant, from->constant, from->width * sizeof *constant);
  }
  *out = (nl_neighbour){from->width, from->blocks, block_of, scale, constant};
  return NL_OK;
}

static nl_status read_polynomials(const nl_partitioner *p, layer_state *state, size_t l, nl_error *error) {
  const size_t moved = p->incoming ? l : l + 1; // the layer whose drifts tell
  NL_TAKE(&state->memory, state->units, size_t, p->chain->layers[l].width + 1, error);
  for (size_t i = 0; i < p->chain->layers[l].width; i++) state->units[i] = i;
  return (p->incoming ? nl_polynomial_backward : nl_polynomial_forward)(
      &state->pairs, &p->chain->layers[moved], &p->polynomials[moved], &state->seen, &state->memory, error);
}

static nl_status read_layer(const nl_partitioner *p, layer_state *state, size_t l, nl_error *error) {
  if (p->options.encoding == NL_ENCODING_POLYNOMIAL) return read_polynomials(p, state, l, error);
  return p->incoming ? read_incoming(p, state, l, error) : read_outgoing(p, state, l, error);
}

static nl_status measure_layer(const nl_partitioner *p, layer_state *state, size_t l, nl_error *error) {
  const nl_neighbour now = neighbour_of(p, l);
  if (state->known && same_neighbour(&state->seen, &now)) return NL_OK;
  nl_arena_free(&state->memory);
  *state = (layer_state){0};
  NL_TRY(copy_neighbour(&state->seen, &now, &state->memory, error));
  NL_TRY(read_layer(p, state, l, error));
  NL_TRY(nl_tree_create(&state->tree, &state->pairs, p->options.linkage, &state->memory, error));
  state->known = true;
  return NL_OK;
}

// A unit as a multiple of its block's first member.
static void scale_units(nl_partitioner *p, const layer_state *state, size_t l, const size_t *first) {
  const nl_signatures *s = &state->pairs.signatures;
  const symmetry own = symmetry_of(&p->chain->layers[l]);
  for (size_t a = 0; a < s->n; a++) {
    const size_t i = state->units[a], b = first[p->cut[a]];
    double scale = state->norm[i] / state->norm[state->units[b]];
    if (s->any_sign && nl_signatures_apart(s, a, -1.0, b) < nl_signatures_apart(s, a, 1.0, b)) scale *= own.parity;
    p->scale[l][i] = scale;
  }
}

static nl_status publish(nl_partitioner *p, const layer_state *state, size_t l, nl_error *error) {
  const size_t n = state->pairs.signatures.n, width = p->chain->layers[l].width;
  for (size_t i = 0; i < width; i++) p->block_of[l][i] = NL_NONE;
  for (size_t a = 0; a < n; a++) p->block_of[l][state->units[a]] = p->cut[a];
  if (!p->options.symmetric) return NL_OK;
  nl_arena work = {0};
  size_t *first;
  NL_TAKE(&work, first, size_t, n + 1, error);
  for (size_t a = n; a-- > 0;) first[p->cut[a]] = a;
  memset(p->scale[l], 0, width * sizeof *p->scale[l]);
  memcpy(p->constant[l], state->constant, width * sizeof *p->constant[l]);
  scale_units(p, state, l, first);
  nl_arena_free(&work);
  return NL_OK;
}

static size_t layer_of(const nl_partitioner *p, size_t step) { return p->incoming ? step : p->hidden - 1 - step; }

nl_layer_look nl_partitioner_look(const nl_partitioner *p, size_t step) {
  const size_t l = layer_of(p, step);
  return (nl_layer_look){.layer = l,
                         .neighbour = p->incoming ? l : l + 2,
                         .units = p->state[l].units,
                         .pairs = &p->state[l].pairs,
                         .block_of = p->block_of[l],
                         .linkage = p->options.linkage};
}

nl_status nl_partitioner_at(nl_partitioner *p, double epsilon, const nl_partition **out, nl_error *error) {
  if (!(epsilon >= 0)) return nl_fail(error, NL_ERROR_ARGUMENT, "epsilon", "it must be a number from 0 on");
  for (size_t step = 0; step < p->hidden; step++) {
    const size_t l = layer_of(p, step);
    layer_state *state = &p->state[l];
    NL_TRY(measure_layer(p, state, l, error));
    NL_TRY(nl_tree_cut(&state->tree, &state->pairs, p->options.linkage, epsilon, p->cut, &p->blocks[l], error));
    NL_TRY(publish(p, state, l, error));
  }
  *out = &p->partition;
  return NL_OK;
}

// ---- create and free ----------------------------------------------------------------------------------------------------------

static nl_status singletons(size_t **out, size_t count, nl_arena *arena, nl_error *error) {
  NL_TAKE(arena, *out, size_t, count + 1, error);
  for (size_t i = 0; i < count; i++) (*out)[i] = i;
  return NL_OK;
}

static nl_status take_layers(nl_partitioner *p, nl_error *error) {
  size_t widest = 0;
  const bool symmetric = p->options.symmetric;
  NL_TAKE(&p->arena, p->state, layer_state, p->hidden + 1, error);
  NL_TAKE(&p->arena, p->blocks, size_t, p->hidden + 1, error);
  NL_TAKE(&p->arena, p->block_of, size_t *, p->hidden + 1, error);
  if (symmetric) NL_TAKE(&p->arena, p->scale, double *, p->hidden + 1, error);
  if (symmetric) NL_TAKE(&p->arena, p->constant, double *, p->hidden + 1, error);
  for (size_t l = 0; l < p->hidden; l++) {
    const size_t width = p->chain->layers[l].width;
    widest = width > widest ? width : widest;
    NL_TAKE(&p->arena, p->block_of[l], size_t, width + 1, error);
    if (symmetric) NL_TAKE(&p->arena, p->scale[l], double, width + 1, error);
    if (symmetric) NL_TAKE(&p->arena, p->constant[l], double, width + 1, error);
  }
  NL_TAKE(&p->arena, p->cut, size_t, widest + 1, error);
  NL_TRY(singletons(&p->inputs, p->chain->features, &p->arena, error));
  return singletons(&p->outputs, p->chain->layers[p->hidden].width, &p->arena, error);
}

static nl_status check(const nl_partition_options *options, nl_error *error) {
  if (options->symmetric &&
      (options->encoding != NL_ENCODING_ADJOINT || options->equivalence != NL_EQUIVALENCE_FORWARD))
    return nl_fail(error, NL_ERROR_ARGUMENT, "symmetric",
                   "it goes with the forward equivalence of the adjoint encoding");
  return NL_OK;
}

static nl_status prepare(nl_partitioner *p, nl_error *error) {
  NL_TRY(check(&p->options, error));
  if (p->options.encoding == NL_ENCODING_POLYNOMIAL)
    NL_TRY(nl_ode_polynomials(&p->polynomials, p->chain, p->options.degree, &p->arena, error));
  return take_layers(p, error);
}

nl_status nl_partitioner_create(nl_partitioner **out, const nl_chain *chain, const nl_partition_options *options,
                                nl_error *error) {
  nl_partitioner *p = calloc(1, sizeof *p);
  if (p == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *p, 0);
  p->chain = chain;
  p->options = *options;
  p->hidden = chain->count - 1;
  p->incoming = (options->equivalence == NL_EQUIVALENCE_FORWARD) == (options->encoding == NL_ENCODING_ADJOINT);
  const nl_status status = prepare(p, error);
  if (status != NL_OK) {
    nl_partitioner_free(p);
    return status;
  }
  p->partition = (nl_partition){.layers = p->hidden,
                                .block_of = (const size_t *const *)p->block_of,
                                .blocks = p->blocks,
                                .scale = (const double *const *)p->scale,
                                .constant = (const double *const *)p->constant};
  *out = p;
  return NL_OK;
}

void nl_partitioner_free(nl_partitioner *p) {
  if (p == NULL) return;
  for (size_t l = 0; p->state != NULL && l < p->hidden; l++) nl_arena_free(&p->state[l].memory);
  nl_arena_free(&p->arena);
  free(p);
}
