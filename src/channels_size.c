// Operators that make other axes larger or smaller: Pad, Resize, Expand, Tile, and those between depth and space.
#include <math.h>

#include "channels_build.h"

enum { AXES_MOST = NL_SHAPE_RANK_MOST };

// Index of the channel axis from the front, and the rank.
static bool channel_axis(nl_tracing *t, size_t node, size_t *rank, size_t *axis) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  const nl_shape *shape = nl_trace_shape(t, nl_trace_input(t, node, 0));
  if (trail == NULL || shape == NULL || trail->back > shape->rank) return false;
  *rank = shape->rank;
  *axis = shape->rank - trail->back;
  return true;
}

static bool pass(nl_tracing *t, size_t node, bool zeros) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  nl_trace_follow(t, node, 0, trail->strip, trail->back, trail->zeros || zeros);
  return true;
}

// Where the channel axis stands among the axes a node lists; `rank` lists all of them when it lists none.
static bool listed_at(nl_tracing *t, size_t node, size_t slot, size_t rank, size_t axis, size_t *at, size_t *count) {
  int64_t axes[AXES_MOST];
  size_t one;
  if (!nl_trace_numbers(t, node, "axes", slot, axes, AXES_MOST, count)) return false;
  *at = *count == 0 ? axis : NL_NONE;
  for (size_t i = 0; i < *count; i++) {
    if (!nl_trace_axis(axes[i], rank, &one)) return false;
    if (one == axis) *at = i;
  }
  if (*count == 0) *count = rank;
  return true;
}

bool nl_trace_pad(nl_tracing *t, size_t node) {
  size_t rank, axis, at, count, given;
  int64_t pads[2 * AXES_MOST];
  if (!channel_axis(t, node, &rank, &axis) || !listed_at(t, node, 3, rank, axis, &at, &count) ||
      !nl_trace_numbers(t, node, "pads", 1, pads, (size_t)2 * AXES_MOST, &given) || given != 2 * count)
    return false;
  if (at != NL_NONE && (pads[at] != 0 || pads[count + at] != 0)) return false;
  const nl_attribute *mode = nl_node_attribute(nl_trace_node(t, node), "mode");
  bool zeros = false;
  for (size_t i = 0; i < given; i++) zeros = zeros || pads[i] > 0;
  return pass(t, node, zeros && (mode == NULL || nl_span_is(mode->s, "constant")));
}

// ---- Resize, Upsample --------------------------------------------------------------------------------------------------

// One number of a list that may be put together from pieces of one each while the model runs.
static bool scale_at(const nl_tracing *t, size_t node, size_t slot, size_t index, double *scale) {
  const nl_tensor *tensor = nl_trace_constant(t, node, slot);
  const size_t value = nl_trace_input(t, node, slot);
  double scales[AXES_MOST];
  if (tensor != NULL) {
    if (tensor->count > AXES_MOST || index >= tensor->count || nl_tensor_read(tensor, scales, NULL) != NL_OK)
      return false;
    *scale = scales[index];
    return true;
  }
  const size_t producer = value == NL_NONE ? NL_NONE : t->graph->values[value].producer;
  if (producer == NL_NONE || !nl_span_is(t->graph->nodes[producer].op, "Concat")) return false;
  size_t at = 0;
  for (size_t i = 0; i < t->graph->nodes[producer].input_count && at <= index; i++) {
    const int64_t size = nl_trace_size(t, nl_trace_input(t, producer, i), 1);
    const nl_tensor *piece = nl_trace_constant(t, producer, i);
    if (size < 1) return false;
    if (index < at + (size_t)size) {
      if (piece == NULL || piece->count > AXES_MOST || nl_tensor_read(piece, scales, NULL) != NL_OK) return false;
      *scale = scales[index - at];
      return true;
    }
    at += (size_t)size;
  }
  return false;
}

static bool is_given(const nl_tracing *t, size_t node, size_t slot) {
  const size_t value = nl_trace_input(t, node, slot);
  return value != NL_NONE && nl_trace_size(t, value, 1) != 0; // an empty list stands for none
}

static bool state_sizes(nl_tracing *t, size_t node, size_t rank, size_t count, size_t at) {
  for (size_t k = 0; k < count; k++)
    if (k != at && !nl_trace_counts_none(t, node, 3, k)) return false;
  return count <= rank && nl_trace_state_size(t, node, 3, at, nl_trace_trail_at(t, node, 0)->strip);
}

bool nl_trace_resize(nl_tracing *t, size_t node) {
  const nl_node *resize = nl_trace_node(t, node);
  size_t rank, axis, at, count;
  double scale = 0;
  if (!channel_axis(t, node, &rank, &axis) || !listed_at(t, node, NL_NONE, rank, axis, &at, &count)) return false;
  const nl_attribute *mode = nl_node_attribute(resize, "coordinate_transformation_mode");
  const nl_attribute *ratio = nl_node_attribute(resize, "keep_aspect_ratio_policy");
  if (mode != NULL && nl_span_is(mode->s, "tf_crop_and_resize")) return false;
  if (ratio != NULL && !nl_span_is(ratio->s, "stretch")) return false;
  const nl_attribute *scales = nl_node_attribute(resize, "scales"); // Upsample before opset 9
  const bool upsample = nl_span_is(resize->op, "Upsample") || t->graph->opset < 11;
  if (at == NL_NONE) return pass(t, node, false);
  if (!upsample && is_given(t, node, 3)) return state_sizes(t, node, rank, count, at) && pass(t, node, false);
  if (scales != NULL && scales->type == NL_ATTRIBUTE_FLOATS && at < scales->count)
    scale = scales->floats[at];
  else if (!scale_at(t, node, upsample ? 1 : 2, at, &scale))
    return false;
  return fabs(scale - 1) < 1e-6 && pass(t, node, false);
}

// ---- Expand, Tile ------------------------------------------------------------------------------------------------------

bool nl_trace_expand(nl_tracing *t, size_t node) {
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  const size_t target = nl_trace_input(t, node, 1);
  const int64_t count = target == NL_NONE ? -1 : nl_trace_size(t, target, 1);
  if (trail == NULL || count < 0 || count > AXES_MOST) return false;
  const nl_shape *shape = &t->shapes->values[target];
  for (size_t k = 0; k < (size_t)count; k++) {
    int64_t number = 0;
    const bool known = shape->elements != NULL && nl_element_number(&shape->elements[k], &number);
    if ((size_t)count - k != trail->back ? !nl_trace_counts_none(t, node, 1, k)
                                         : !(known && number == 1) && !nl_trace_state_size(t, node, 1, k, trail->strip))
      return false;
    if ((size_t)count - k == trail->back && known && number != 1 && (uint64_t)number != trail->strip->length)
      return false;
  }
  return pass(t, node, false);
}

bool nl_trace_tile(nl_tracing *t, size_t node) {
  size_t rank, axis, count;
  int64_t repeats[AXES_MOST];
  if (!channel_axis(t, node, &rank, &axis) || !nl_trace_numbers(t, node, NULL, 1, repeats, AXES_MOST, &count) ||
      count != rank || repeats[axis] < 1 || repeats[axis] > NL_STRIP_MOST)
    return false;
  const nl_trail *trail = nl_trace_trail_at(t, node, 0);
  nl_strip *strip = nl_trace_repeat(t, trail->strip, (size_t)repeats[axis]);
  if (strip == NULL) return false;
  nl_trace_follow(t, node, 0, strip, trail->back, trail->zeros);
  return true;
}

// ---- depth and space -----------------------------------------------------------------------------------------------------

static size_t block_area(const nl_tracing *t, size_t node) {
  const int64_t side = nl_node_int(nl_trace_node(t, node), "blocksize", 0);
  return side < 1 || side > NL_STRIP_MOST ? 0 : (size_t)(side * side);
}

// Channels (block, c), or (c, block) in mode CRD, become c and places.
bool nl_trace_depth_to_space(nl_tracing *t, size_t node) {
  const nl_attribute *mode = nl_node_attribute(nl_trace_node(t, node), "mode");
  const bool behind = mode != NULL && nl_span_is(mode->s, "CRD");
  const size_t area = block_area(t, node);
  size_t rank, axis;
  if (!channel_axis(t, node, &rank, &axis) || axis != 1 || area == 0) return false;
  const nl_trail trail = *nl_trace_trail_at(t, node, 0);
  if (trail.strip->length % area != 0) return false;
  nl_strip *kept = nl_trace_fresh(t, trail.strip->length / area);
  nl_trace_tie(t, behind ? nl_trace_spread(t, kept, area) : nl_trace_repeat(t, kept, area), trail.strip, node);
  nl_trace_follow(t, node, 0, kept, trail.back, trail.zeros);
  return true;
}

bool nl_trace_space_to_depth(nl_tracing *t, size_t node) {
  const size_t area = block_area(t, node);
  size_t rank, axis;
  if (!channel_axis(t, node, &rank, &axis) || axis != 1 || area == 0) return false;
  const nl_trail trail = *nl_trace_trail_at(t, node, 0);
  nl_strip *strip = nl_trace_repeat(t, trail.strip, area);
  if (strip == NULL) return false;
  nl_trace_follow(t, node, 0, strip, trail.back, trail.zeros);
  return true;
}
