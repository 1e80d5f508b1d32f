// Operators that move the channel axis, take parts of it or put parts together.
#include "channels_build.h"

enum { AXES_MOST = NL_SHAPE_RANK_MOST, PARTS_MOST = 1024 };

// The trail of input 0 and which axis from the front it is; false where either is not known.
static bool followed_axis(nl_tracing *t, size_t node, nl_trail *trail, size_t *rank, size_t *axis) {
  const nl_trail *followed = nl_trace_trail_at(t, node, 0);
  const nl_shape *shape = nl_trace_shape(t, nl_trace_input(t, node, 0));
  if (followed == NULL || shape == NULL || followed->back > shape->rank || nl_trace_spare(t, node)) return false;
  *trail = *followed;
  *rank = shape->rank;
  *axis = shape->rank - followed->back;
  return true;
}

static bool rule_transpose(nl_tracing *t, size_t node) {
  nl_trail trail;
  size_t rank, axis;
  const nl_attribute *perm = nl_node_attribute(nl_trace_node(t, node), "perm");
  if (!followed_axis(t, node, &trail, &rank, &axis) || (perm != NULL && perm->count != rank)) return false;
  size_t to = rank - 1 - axis;
  for (size_t k = 0; k < rank && perm != NULL; k++)
    if (perm->ints[k] == (int64_t)axis) to = k;
  nl_trace_follow(t, node, 0, trail.strip, rank - to, trail.zeros);
  return true;
}

// ---- Squeeze, Unsqueeze ------------------------------------------------------------------------------------------------

static bool rule_unsqueeze(nl_tracing *t, size_t node) {
  nl_trail trail;
  size_t rank, axis, count, at;
  int64_t axes[AXES_MOST];
  bool added[2 * AXES_MOST] = {0};
  if (!followed_axis(t, node, &trail, &rank, &axis) || !nl_trace_numbers(t, node, "axes", 1, axes, AXES_MOST, &count) ||
      rank + count > (size_t)2 * AXES_MOST)
    return false;
  for (size_t i = 0; i < count; i++) {
    if (!nl_trace_axis(axes[i], rank + count, &at) || added[at]) return false;
    added[at] = true;
  }
  size_t back = 0;
  for (size_t old = 0; old < trail.back; back++) old += !added[rank + count - 1 - back];
  nl_trace_follow(t, node, 0, trail.strip, back, trail.zeros);
  return true;
}

static bool rule_squeeze(nl_tracing *t, size_t node) {
  nl_trail trail;
  size_t rank, axis, count, at, back;
  int64_t axes[AXES_MOST];
  bool gone[AXES_MOST] = {0};
  // Without axes all of size 1 go, and channels might be left single.
  if (!followed_axis(t, node, &trail, &rank, &axis) || rank > AXES_MOST ||
      !nl_trace_numbers(t, node, "axes", 1, axes, AXES_MOST, &count) || count == 0)
    return false;
  for (size_t i = 0; i < count; i++) {
    if (!nl_trace_axis(axes[i], rank, &at) || at == axis) return false;
    gone[at] = true;
  }
  back = trail.back;
  for (size_t k = axis + 1; k < rank; k++) back -= gone[k];
  nl_trace_follow(t, node, 0, trail.strip, back, trail.zeros);
  return true;
}

// ---- Concat ----------------------------------------------------------------------------------------------------------

// Channels on end. What is not followed is a stretch of its own that stays.
static bool concat_channels(nl_tracing *t, size_t node, size_t back) {
  const nl_node *concat = nl_trace_node(t, node);
  nl_strip *parts[PARTS_MOST];
  bool zeros = false;
  if (concat->input_count > PARTS_MOST) return false;
  for (size_t i = 0; i < concat->input_count; i++) {
    const size_t value = concat->inputs[i];
    const nl_trail *trail = nl_trace_trail(t, value);
    const int64_t size = value == NL_NONE ? -1 : nl_trace_size(t, value, back);
    if (trail != NULL && trail->back == back) {
      parts[i] = trail->strip;
      zeros = zeros || trail->zeros;
      continue;
    }
    if (size < 0) return false;
    if (trail != NULL) nl_trace_pin(t, trail->strip, NL_REASON_READ_BY, node);
    parts[i] = nl_trace_fixed(t, (size_t)size, t->origins[value].reason, t->origins[value].node);
  }
  nl_strip *whole = nl_trace_chain(t, concat->input_count, parts);
  if (whole == NULL) return false;
  nl_trace_follow(t, node, 0, whole, back, zeros);
  return true;
}

// Along another axis: the channels of all parts are the same.
static bool join_beside(nl_tracing *t, size_t node, size_t slot, const nl_trail *first, bool *zeros) {
  const nl_trail *trail = nl_trace_trail_at(t, node, slot);
  const size_t length = first->strip->length;
  nl_side side;
  if (trail != NULL && trail->back == first->back && trail->strip->length == length) {
    nl_trace_tie(t, first->strip, trail->strip, node);
    *zeros = *zeros || trail->zeros;
    return true;
  }
  return nl_trace_side(t, node, slot, &side) && side.rank >= first->back &&
         (uint64_t)side.dims[side.rank - first->back] == length && nl_trace_ride(t, &side, first->back, first->strip);
}

static bool concat_beside(nl_tracing *t, size_t node, const nl_trail *first) {
  bool zeros = false;
  for (size_t i = 0; i < nl_trace_node(t, node)->input_count; i++)
    if (!join_beside(t, node, i, first, &zeros)) return false;
  nl_trace_follow(t, node, 0, first->strip, first->back, zeros);
  return true;
}

static bool rule_concat(nl_tracing *t, size_t node) {
  const nl_node *concat = nl_trace_node(t, node);
  nl_trail first = {0};
  size_t rank = 0, axis;
  for (size_t i = concat->input_count; i-- > 0;) {
    const nl_trail *trail = nl_trace_trail_at(t, node, i);
    const nl_shape *shape = nl_trace_shape(t, nl_trace_input(t, node, i));
    if (trail != NULL) first = *trail;
    if (shape != NULL) rank = shape->rank;
  }
  if (!nl_trace_axis(nl_node_int(concat, "axis", 1), rank, &axis)) return false;
  return first.back == rank - axis ? concat_channels(t, node, first.back) : concat_beside(t, node, &first);
}

// ---- Split -----------------------------------------------------------------------------------------------------------

static bool pass_all(nl_tracing *t, size_t node, const nl_trail *trail) {
  for (size_t i = 0; i < nl_trace_node(t, node)->output_count; i++)
    nl_trace_follow(t, node, i, trail->strip, trail->back, trail->zeros);
  return true;
}

// Sizes that are written out, each a statement; or equal parts, which must stay equal.
static bool split_sizes(nl_tracing *t, size_t node, size_t length, size_t *sizes, bool *stated) {
  int64_t given[PARTS_MOST];
  size_t count;
  const nl_node *split = nl_trace_node(t, node);
  if (split->output_count == 0 || split->output_count > PARTS_MOST ||
      !nl_trace_numbers(t, node, "split", 1, given, PARTS_MOST, &count))
    return false;
  *stated = count != 0;
  if (!*stated && length % split->output_count != 0) return false;
  if (*stated && count != split->output_count) return false;
  for (size_t i = 0; i < split->output_count; i++) {
    if (*stated && given[i] < 0) return false;
    sizes[i] = *stated ? (size_t)given[i] : length / split->output_count;
  }
  return true;
}

static bool state_split(nl_tracing *t, size_t node, size_t part, nl_strip *strip) {
  if (nl_node_attribute(nl_trace_node(t, node), "split") == NULL) return nl_trace_state_size(t, node, 1, part, strip);
  nl_trace_state(t, (nl_statement){NL_STATEMENT_ATTRIBUTE, {node, 0}, "split", part, {0}}, strip, NL_NONE);
  return true;
}

static bool split_channels(nl_tracing *t, size_t node, const nl_trail *trail) {
  size_t sizes[PARTS_MOST], at = 0;
  nl_strip *parts[PARTS_MOST];
  bool stated;
  const size_t count = nl_trace_node(t, node)->output_count;
  if (!split_sizes(t, node, trail->strip->length, sizes, &stated)) return false;
  for (size_t i = 0; i < count; at += sizes[i++]) {
    parts[i] = nl_trace_part(t, trail->strip, at, sizes[i]);
    if (parts[i] == NULL) return false;
  }
  if (at != trail->strip->length) return false;
  for (size_t i = 0; i < count; i++) {
    if (!stated) nl_trace_tie(t, parts[0], parts[i], node);
    if (stated && !state_split(t, node, i, parts[i])) return false;
  }
  for (size_t i = 0; i < count; i++) nl_trace_follow(t, node, i, parts[i], trail->back, trail->zeros);
  return true;
}

static bool rule_split(nl_tracing *t, size_t node) {
  const nl_trail *followed = nl_trace_trail_at(t, node, 0);
  const nl_shape *shape = nl_trace_shape(t, nl_trace_input(t, node, 0));
  size_t axis;
  if (followed == NULL || shape == NULL ||
      !nl_trace_axis(nl_node_int(nl_trace_node(t, node), "axis", 0), shape->rank, &axis))
    return false;
  const nl_trail trail = *followed;
  return shape->rank - axis == trail.back ? split_channels(t, node, &trail) : pass_all(t, node, &trail);
}

// ---- Slice -----------------------------------------------------------------------------------------------------------

typedef struct slicing {
  size_t count;
  int64_t starts[AXES_MOST], ends[AXES_MOST], axes[AXES_MOST], steps[AXES_MOST];
} slicing;

// Axes and steps must be known; starts and ends only along the channels.
static bool read_slicing(nl_tracing *t, size_t node, slicing *s) {
  size_t axes, steps;
  const bool old = nl_node_attribute(nl_trace_node(t, node), "starts") != NULL;
  const nl_shape *starts = nl_trace_shape(t, nl_trace_input(t, node, 1));
  const nl_attribute *attribute = nl_node_attribute(nl_trace_node(t, node), "starts");
  if (!old && (starts == NULL || starts->rank != 1 || starts->dims[0] < 0)) return false;
  s->count = old ? attribute->count : (size_t)starts->dims[0];
  if (s->count > AXES_MOST || !nl_trace_numbers(t, node, "axes", 3, s->axes, AXES_MOST, &axes) ||
      !nl_trace_numbers(t, node, NULL, 4, s->steps, AXES_MOST, &steps))
    return false;
  if ((axes != 0 && axes != s->count) || (steps != 0 && steps != s->count)) return false;
  for (size_t i = 0; i < s->count; i++) {
    if (axes == 0) s->axes[i] = (int64_t)i;
    if (steps == 0) s->steps[i] = 1;
  }
  return true;
}

static bool state_bound(nl_tracing *t, size_t node, const char *name, size_t slot, size_t index, nl_strip *strip) {
  if (nl_node_attribute(nl_trace_node(t, node), name) == NULL) return nl_trace_state_size(t, node, slot, index, strip);
  nl_trace_state(t, (nl_statement){NL_STATEMENT_ATTRIBUTE, {node, 0}, name, index, {0}}, strip, NL_NONE);
  return true;
}

static int64_t clamped(int64_t at, int64_t length) {
  if (at < 0) at = at < -length ? 0 : at + length;
  return at > length ? length : at;
}

typedef struct bound {
  int64_t given;
  size_t at; // within the axis
  bool computed;
} bound;

static bool read_bound(const nl_tracing *t, size_t node, const char *name, size_t slot, size_t index, size_t length,
                       bound *b) {
  const nl_attribute *attribute = nl_node_attribute(nl_trace_node(t, node), name);
  b->computed = false;
  if (attribute != NULL) {
    if (attribute->type != NL_ATTRIBUTE_INTS || index >= attribute->count) return false;
    b->given = attribute->ints[index];
  } else if (!nl_trace_number_at(t, node, slot, index, &b->given, &b->computed)) {
    return false;
  }
  b->at = (size_t)clamped(b->given, (int64_t)length);
  return true;
}

static size_t common_divisor(size_t a, size_t b) {
  while (b != 0) {
    const size_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// Bounds computed from how many channels there are (halves, thirds ...): the parts must stay equal.
static void tie_parts(nl_tracing *t, size_t node, const nl_trail *trail, const bound *start, const bound *end) {
  const size_t length = trail->strip->length, part = common_divisor(common_divisor(length, start->at), end->at);
  if ((!start->computed && !end->computed) || part == length || length / part > PARTS_MOST) return;
  nl_trace_tie(t, trail->strip, nl_trace_repeat(t, nl_trace_fresh(t, part), length / part), node);
}

// Bounds at the ends of the axis need no correction: a start of 0, an end beyond everything.
static bool slice_channels(nl_tracing *t, size_t node, const nl_trail *trail, const slicing *s, size_t index) {
  bound start, end;
  const size_t length = trail->strip->length;
  if (s->steps[index] != 1 || !read_bound(t, node, "starts", 1, index, length, &start) ||
      !read_bound(t, node, "ends", 2, index, length, &end) || end.at <= start.at)
    return false;
  tie_parts(t, node, trail, &start, &end);
  nl_strip *part = nl_trace_part(t, trail->strip, start.at, end.at - start.at);
  nl_strip *before = start.at > 0 ? nl_trace_part(t, trail->strip, 0, start.at) : NULL;
  nl_strip *until = end.computed || end.given <= (int64_t)length ? nl_trace_part(t, trail->strip, 0, end.at) : NULL;
  if (part == NULL || (before != NULL && !state_bound(t, node, "starts", 1, index, before)) ||
      (until != NULL && !state_bound(t, node, "ends", 2, index, until)))
    return false;
  nl_trace_follow(t, node, 0, part, trail->back, trail->zeros);
  return true;
}

static bool rule_slice(nl_tracing *t, size_t node) {
  nl_trail trail;
  slicing s;
  size_t rank, channel, axis, index = NL_NONE;
  if (!followed_axis(t, node, &trail, &rank, &channel) || !read_slicing(t, node, &s)) return false;
  for (size_t i = 0; i < s.count; i++) {
    if (!nl_trace_axis(s.axes[i], rank, &axis)) return false;
    if (axis == channel)
      index = i;
    else if (!nl_trace_counts_none(t, node, 1, i) || !nl_trace_counts_none(t, node, 2, i))
      return false;
  }
  if (index != NL_NONE) return slice_channels(t, node, &trail, &s, index);
  nl_trace_follow(t, node, 0, trail.strip, trail.back, trail.zeros);
  return true;
}

// ---- Gather ----------------------------------------------------------------------------------------------------------

// Along another axis; the indices' axes take the place of that one.
static bool rule_gather(nl_tracing *t, size_t node) {
  nl_trail trail;
  size_t rank, channel, axis;
  const nl_shape *indices = nl_trace_shape(t, nl_trace_input(t, node, 1));
  if (!followed_axis(t, node, &trail, &rank, &channel) || indices == NULL) return false;
  if (nl_trace_trail_at(t, node, 1) != NULL) return false;
  if (!nl_trace_axis(nl_node_int(nl_trace_node(t, node), "axis", 0), rank, &axis) || axis == channel) return false;
  const size_t back = axis > channel ? trail.back + indices->rank - 1 : trail.back;
  nl_trace_follow(t, node, 0, trail.strip, back, trail.zeros);
  return true;
}

// ---- the table -------------------------------------------------------------------------------------------------------

nl_trace_rule *nl_trace_move_of(const nl_node *node) {
  static const struct {
    const char *op;
    nl_trace_rule *rule;
  } rules[] = {{"Transpose", rule_transpose},
               {"Reshape", nl_trace_reshape},
               {"Flatten", nl_trace_flatten},
               {"Squeeze", rule_squeeze},
               {"Unsqueeze", rule_unsqueeze},
               {"Concat", rule_concat},
               {"Split", rule_split},
               {"Slice", rule_slice},
               {"Gather", rule_gather},
               {"Pad", nl_trace_pad},
               {"Resize", nl_trace_resize},
               {"Upsample", nl_trace_resize},
               {"Expand", nl_trace_expand},
               {"Tile", nl_trace_tile},
               {"DepthToSpace", nl_trace_depth_to_space},
               {"SpaceToDepth", nl_trace_space_to_depth}};
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (nl_span_is(node->op, rules[i].op)) return rules[i].rule;
  return NULL;
}
