// shape: Pad, Resize and Upsample.
#include <math.h>
#include <string.h>

#include "shape_parts.h"

// ---- Pad ---------------------------------------------------------------------------------------------------------------

static int64_t padded_size(const nl_given *pads, size_t index, size_t count, int64_t size) {
  int64_t begin, end;
  if (!nl_given_at(pads, index, &begin) || !nl_given_at(pads, count + index, &end)) return -1;
  if (begin == 0 && end == 0) return size;
  const bool small = begin > INT32_MIN && begin < INT32_MAX && end > INT32_MIN && end < INT32_MAX;
  if (size < 0 || !small || size + begin + end < 0) return -1;
  return nl_size_add(size + begin + end, 0);
}

nl_status nl_shape_pad(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const nl_given pads = nl_shaping_given(s, "pads", 1), axes = nl_shaping_given(s, NULL, 3);
  if (in == NULL || (axes.given && !axes.known)) return NL_OK;
  const size_t count = axes.given ? axes.count : in->rank;
  int64_t dims[NL_SHAPE_RANK_MOST];
  memcpy(dims, in->dims, in->rank * sizeof *dims);
  for (size_t i = 0; i < count; i++) {
    int64_t number = (int64_t)i;
    size_t axis;
    if (axes.given && !nl_given_at(&axes, i, &number)) return NL_OK;
    if (!nl_shape_axis(number, in->rank, &axis)) return NL_OK;
    dims[axis] = padded_size(&pads, i, count, in->dims[axis]);
  }
  return nl_shaping_set(s, 0, in->rank, dims);
}

// ---- Resize, Upsample --------------------------------------------------------------------------------------------------

// Scales are an attribute (Upsample 7) or a constant input; false where they are not known.
static bool read_scales(const nl_shaping *s, size_t slot, size_t *count, double *scales) {
  const nl_attribute *attribute = nl_node_attribute(s->node, "scales");
  const nl_tensor *tensor = nl_node_constant(s->graph, s->node, slot);
  if (attribute != NULL && attribute->type == NL_ATTRIBUTE_FLOATS && attribute->count <= NL_SHAPE_RANK_MOST) {
    *count = attribute->count;
    memcpy(scales, attribute->floats, attribute->count * sizeof *scales);
    return true;
  }
  if (tensor == NULL || tensor->count == 0 || tensor->count > NL_SHAPE_RANK_MOST) return false;
  *count = tensor->count;
  return nl_type_is_float(tensor->type) && nl_tensor_read(tensor, scales, NULL) == NL_OK;
}

// floor(size * scale), which runtimes compute in single precision: not known where that makes a difference.
static int64_t scaled_size(int64_t size, double scale) {
  if (scale == 1) return size;
  if (size < 0 || !(scale > 0) || scale > INT32_MAX || size > INT32_MAX) return -1;
  const double exact = floor((double)size * scale);
  return exact == floor((double)((float)size * (float)scale)) ? (int64_t)exact : -1;
}

// The axes that scales or sizes speak of: all, or those the attribute names (opset 18).
static bool resized_axes(const nl_shaping *s, size_t rank, size_t count, size_t *axes) {
  const nl_attribute *named = nl_node_attribute(s->node, "axes");
  if (count > rank || count != (named != NULL ? named->count : rank)) return false;
  for (size_t i = 0; i < count; i++)
    if (!nl_shape_axis(named != NULL ? named->ints[i] : (int64_t)i, rank, &axes[i])) return false;
  return true;
}

// Attributes that make sizes depend on more than one axis or on a region.
static bool is_plain(const nl_node *node) {
  const nl_attribute *policy = nl_node_attribute(node, "keep_aspect_ratio_policy");
  const nl_attribute *mode = nl_node_attribute(node, "coordinate_transformation_mode");
  return (policy == NULL || nl_span_is(policy->s, "stretch")) &&
         (mode == NULL || !nl_span_is(mode->s, "tf_crop_and_resize"));
}

nl_status nl_shape_resize(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const bool three = nl_span_is(s->node->op, "Resize") && s->graph->opset >= 11; // roi, scales, sizes
  if (in == NULL) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST];
  double scales[NL_SHAPE_RANK_MOST];
  size_t axes[NL_SHAPE_RANK_MOST], count = 0;
  for (size_t i = 0; i < in->rank; i++) dims[i] = -1;
  nl_given sizes = three ? nl_shaping_given(s, NULL, 3) : (nl_given){0};
  if (sizes.known && sizes.count == 0) sizes = (nl_given){0};
  const bool scaled = !sizes.given && read_scales(s, three ? 2 : 1, &count, scales);
  if (sizes.known) count = sizes.count;
  if (!is_plain(s->node) || !(scaled || sizes.known) || !resized_axes(s, in->rank, count, axes))
    return nl_shaping_set(s, 0, in->rank, dims);
  memcpy(dims, in->dims, in->rank * sizeof *dims);
  for (size_t i = 0; i < count; i++) {
    int64_t size = -1;
    if (scaled) size = scaled_size(in->dims[axes[i]], scales[i]);
    if (!scaled && (!nl_given_at(&sizes, i, &size) || size < 0)) size = -1;
    dims[axes[i]] = size;
  }
  return nl_shaping_set(s, 0, in->rank, dims);
}
