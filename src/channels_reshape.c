// Reshape and Flatten: where the channel axis goes when axes are merged and split.
#include "channels_build.h"

// Axes `first` ... `last` of the output hold the channel axis: several where it is split. An axis that is merged with others
// holds it `tile` times, each channel `run` times on end.
typedef struct fold {
  size_t first, last;
  size_t tile, run;
} fold;

typedef struct sizes {
  size_t in_rank, out_rank;
  const int64_t *in, *out; // below 0 unknown: equal numbers stand for the same size
  size_t axis, width;      // of the channels in `in`
} sizes;

static bool known_product(const int64_t *dims, size_t from, size_t to, size_t *product) {
  *product = 1;
  for (size_t i = from; i < to; i++) {
    if (dims[i] <= 0 || (uint64_t)dims[i] > SIZE_MAX / 64 / *product) return false;
    *product *= (size_t)dims[i];
  }
  return true;
}

// Axes before `last` that hold the rest of a split channel axis.
static bool gather_front(const sizes *s, fold *f, size_t left) {
  while (left > 1) {
    if (f->first == 0 || s->out[f->first - 1] <= 0 || left % (size_t)s->out[f->first - 1] != 0) return false;
    left /= (size_t)s->out[--f->first];
  }
  return true;
}

// From the end: the product of the sizes behind the channels is known.
static bool fold_from_end(const sizes *s, fold *f) {
  size_t behind, j = s->out_rank;
  if (!known_product(s->in, s->axis + 1, s->in_rank, &behind)) return false;
  while (j > 0 && s->out[j - 1] > 0 && (uint64_t)s->out[j - 1] <= behind && behind % (size_t)s->out[j - 1] == 0)
    behind /= (size_t)s->out[--j];
  if (j == 0 || s->out[j - 1] <= 0 || (size_t)s->out[j - 1] % behind != 0) return false;
  const size_t held = (size_t)s->out[j - 1] / behind;
  *f = (fold){j - 1, j - 1, 1, behind};
  if (held % s->width == 0) {
    f->tile = held / s->width;
    return true;
  }
  return s->width % held == 0 && gather_front(s, f, s->width / held);
}

// From the front: the axes before the channels are the same before and after.
static bool fold_from_front(const sizes *s, fold *f) {
  if (s->axis >= s->out_rank || s->out[s->axis] <= 0) return false;
  const size_t held = (size_t)s->out[s->axis];
  *f = (fold){s->axis, s->axis, 1, 1};
  if (held % s->width == 0) {
    f->run = held / s->width;
    return true;
  }
  if (s->width % held != 0) return false;
  for (size_t left = s->width / held; left > 1; left /= (size_t)s->out[f->last]) {
    f->last++;
    if (f->last >= s->out_rank || s->out[f->last] <= 0 || left % (size_t)s->out[f->last] != 0) return false;
  }
  return true;
}

static bool keeps_front(const sizes *s) {
  for (size_t k = 0; k < s->axis; k++)
    if (k >= s->out_rank || s->in[k] != s->out[k]) return false;
  return true;
}

// Without the axes at the end that are the same before and after.
static sizes without_ends(const sizes *s) {
  sizes rest = *s;
  while (rest.in_rank > rest.axis + 1 && rest.out_rank > 1 &&
         rest.in[rest.in_rank - 1] == rest.out[rest.out_rank - 1]) {
    rest.in_rank--;
    rest.out_rank--;
  }
  return rest;
}

// ---- what becomes of the strip -------------------------------------------------------------------------------------------

// Which of the axes that share the channels counts them from here on: the one the strip is made for, or the one that is read
// as channels further on.
static size_t chosen_axis(nl_tracing *t, size_t value, nl_strip *strip, const sizes *s, const fold *f) {
  const nl_segment *only = strip->segments;
  size_t before = 1;
  for (size_t k = f->first; k <= f->last && strip->count == 1; before *= (size_t)s->out[k++]) {
    const size_t held = (size_t)s->out[k] / (k == f->last ? f->run : 1);
    if (only->width == held && only->tile == before && only->run == s->width / held / before && held < s->width)
      return k;
  }
  const size_t wanted = nl_trace_is_shuffled(t, value) ? f->last : nl_trace_wanted_axis(t, value);
  return wanted >= f->first && wanted <= f->last ? wanted : NL_NONE;
}

// (first, ..., last) of sizes whose product is the width: the chosen one gets a group of its own, tiled by those before it,
// with runs of those behind it.
static nl_strip *split_strip(nl_tracing *t, size_t node, nl_strip *strip, const sizes *s, const fold *f, size_t axis) {
  size_t before = 1;
  for (size_t k = f->first; k < axis; k++) before *= (size_t)s->out[k];
  const size_t held = (size_t)s->out[axis] / (axis == f->last ? f->run : 1);
  nl_strip *part = nl_trace_fresh(t, held);
  const nl_segment whole = {part->segments[0].group, held, before, s->width / held / before};
  nl_trace_tie(t, nl_trace_strip(t, 1, &whole), strip, node);
  return axis == f->last ? nl_trace_spread(t, part, f->run) : part;
}

static nl_strip *folded_strip(nl_tracing *t, size_t node, nl_strip *strip, const sizes *s, const fold *f,
                              size_t *axis) {
  *axis = f->last;
  if (f->first == f->last) return nl_trace_repeat(t, nl_trace_spread(t, strip, f->run), f->tile);
  *axis = chosen_axis(t, t->graph->nodes[node].outputs[0], strip, s, f);
  return *axis == NL_NONE ? NULL : split_strip(t, node, strip, s, f, *axis);
}

// The numbers of the target: the channels' own is corrected or follows by itself, no other counts channels.
static bool state_target(nl_tracing *t, size_t node, const sizes *s, size_t axis, nl_strip *strip) {
  for (size_t k = 0; k < s->out_rank; k++) {
    const nl_shape *target = &t->shapes->values[nl_trace_input(t, node, 1)];
    const bool copied = k == s->axis && target->elements != NULL && k < target->element_count &&
                        target->elements[k].kind == NL_ELEMENT_NUMBER && target->elements[k].number == 0;
    if (k != axis && (copied || !nl_trace_counts_none(t, node, 1, k))) return false;
  }
  return nl_trace_state_size(t, node, 1, axis, strip);
}

// Everything behind the channels is merged into them, but nobody knows how much: the dense layer behind does.
static bool fold_by_reader(nl_tracing *t, size_t node, const sizes *s, fold *f) {
  const size_t wanted = nl_trace_wanted_width(t, t->graph->nodes[node].outputs[0]);
  *f = (fold){s->axis, s->axis, 1, wanted / s->width};
  return s->axis + 1 == s->out_rank && wanted != 0 && wanted % s->width == 0;
}

static bool find_fold(nl_tracing *t, size_t node, const sizes *s, fold *f) {
  const sizes rest = without_ends(s);
  if (fold_from_end(&rest, f)) return true;
  return keeps_front(s) && (fold_from_front(s, f) || fold_by_reader(t, node, s, f));
}

static bool read_shapes(nl_tracing *t, size_t node, sizes *s) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  const nl_shape *in = nl_trace_shape(t, nl_trace_input(t, node, 0));
  const nl_shape *out = nl_trace_shape(t, t->graph->nodes[node].outputs[0]);
  if (trail == NULL || in == NULL || out == NULL || trail->back > in->rank || trail->strip->length == 0) return false;
  *s = (sizes){in->rank, out->rank, in->open, out->open, in->rank - trail->back, trail->strip->length};
  return true;
}

bool nl_trace_reshape(nl_tracing *t, size_t node) {
  sizes s;
  fold f;
  size_t axis;
  if (nl_trace_input(t, node, 1) == NL_NONE || !read_shapes(t, node, &s) || !find_fold(t, node, &s, &f)) return false;
  const nl_trail trail = *nl_trace_trail_at(t, node, 0);
  nl_strip *strip = folded_strip(t, node, trail.strip, &s, &f, &axis);
  if (strip == NULL || !state_target(t, node, &s, axis, strip)) return false;
  nl_trace_follow(t, node, 0, strip, s.out_rank - axis, trail.zeros);
  return true;
}

// (before the axis, from the axis on)
bool nl_trace_flatten(nl_tracing *t, size_t node) {
  sizes s;
  size_t at, tile, run;
  if (!read_shapes(t, node, &s)) return false;
  const int64_t given = nl_node_int(nl_trace_node(t, node), "axis", 1);
  if (given == (int64_t)s.in_rank)
    at = s.in_rank;
  else if (!nl_trace_axis(given, s.in_rank, &at))
    return false;
  const bool first = s.axis < at;
  if (!known_product(s.in, first ? 0 : at, s.axis, &tile)) return false;
  if (!known_product(s.in, s.axis + 1, first ? at : s.in_rank, &run)) {
    const size_t wanted = first ? 0 : nl_trace_wanted_width(t, t->graph->nodes[node].outputs[0]);
    run = wanted / s.width / tile;
    if (run == 0 || wanted != run * s.width * tile) return false;
  }
  const nl_trail trail = *nl_trace_trail_at(t, node, 0);
  nl_strip *strip = nl_trace_repeat(t, nl_trace_spread(t, trail.strip, run), tile);
  if (strip == NULL) return false;
  nl_trace_follow(t, node, 0, strip, first ? 2 : 1, trail.zeros);
  return true;
}
