// shape: operators that move elements and compute nothing.
#include "shape_parts.h"

#include <string.h>

nl_status nl_shape_transpose(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const nl_attribute *perm = nl_node_attribute(s->node, "perm");
  if (in == NULL || (perm != NULL && perm->count != in->rank)) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST];
  ptrdiff_t strides[NL_SHAPE_RANK_MOST], turned[NL_SHAPE_RANK_MOST], stride = 1;
  bool taken[NL_SHAPE_RANK_MOST] = {false};
  const bool followed = in->elements != NULL;
  for (size_t i = in->rank; followed && i > 0; i--) {
    strides[i - 1] = stride;
    stride *= (ptrdiff_t)in->dims[i - 1];
  }
  for (size_t i = 0; i < in->rank; i++) {
    size_t from;
    if (!nl_shape_axis(perm != NULL ? perm->ints[i] : (int64_t)(in->rank - 1 - i), in->rank, &from)) return NL_OK;
    if (taken[from]) return NL_OK;
    taken[from] = true;
    dims[i] = in->dims[from];
    turned[i] = followed ? strides[from] : 0;
  }
  NL_TRY(nl_shaping_set(s, 0, in->rank, dims));
  return nl_shaping_view_elements(s, 0, turned);
}

nl_status nl_shape_flatten(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  int64_t axis = nl_node_int(s->node, "axis", 1);
  if (in == NULL) return nl_shaping_set(s, 0, 2, (const int64_t[]){-1, -1});
  if (axis < 0) axis += (int64_t)in->rank;
  if (axis < 0 || axis > (int64_t)in->rank) return NL_OK;
  const size_t at = (size_t)axis;
  const int64_t dims[2] = {nl_size_product(at, in->dims), nl_size_product(in->rank - at, in->dims + at)};
  NL_TRY(nl_shaping_set(s, 0, 2, dims));
  return nl_shaping_keep_elements(s, 0);
}

// ---- Reshape -----------------------------------------------------------------------------------------------------------

// A product of sizes: what the numbers make, and the sizes that have no number.
typedef struct factors {
  int64_t number; // -1 beyond NL_SIZE_MOST
  size_t count;
  int64_t open[NL_SHAPE_RANK_MOST];
} factors;

static factors factors_of(size_t rank, const int64_t *dims) {
  factors f = {.number = 1};
  for (size_t i = 0; i < rank; i++) {
    if (dims[i] < 0)
      f.open[f.count++] = dims[i];
    else
      f.number = nl_size_multiply(f.number, dims[i]);
  }
  return f;
}

// Takes out what both products have; false when `from` lacks something `f` has.
static bool cancel(factors *from, const factors *f) {
  for (size_t i = 0; i < f->count; i++) {
    size_t at = 0;
    while (at < from->count && from->open[at] != f->open[i]) at++;
    if (at == from->count) return false;
    from->open[at] = from->open[--from->count];
  }
  return true;
}

// The size left for one axis when all the others are `f`.
static int64_t rest_of(factors whole, const factors *f) {
  if (whole.number < 0 || f->number <= 0 || !cancel(&whole, f)) return -1;
  if (whole.count == 0) return whole.number % f->number == 0 ? whole.number / f->number : -1;
  return whole.count == 1 && whole.number == f->number ? whole.open[0] : -1;
}

// The size an element of the target asks for: -1 where it is to be found, or not known.
static int64_t target_size(const nl_shaping *s, const nl_shape *in, size_t index, const nl_element *element) {
  int64_t number;
  if (!nl_element_number(element, &number))
    return element->kind == NL_ELEMENT_SIZE ? s->shapes->values[element->value].dims[element->axis] : -1;
  const bool copied = number == 0 && nl_node_int(s->node, "allowzero", 0) == 0;
  if (copied) return in != NULL && index < in->rank ? in->dims[index] : -1;
  return number;
}

static nl_status reshape_to(nl_shaping *s, const nl_shape *in, const nl_shape *target) {
  int64_t dims[NL_SHAPE_RANK_MOST], others[NL_SHAPE_RANK_MOST];
  const size_t rank = target->element_count;
  size_t open = 0, count = 0, last = 0;
  for (size_t i = 0; i < rank; i++) {
    dims[i] = target_size(s, in, i, &target->elements[i]);
    if (dims[i] != -1) {
      others[count++] = dims[i];
    } else {
      open++;
      last = i;
    }
  }
  if (open == 1 && in != NULL) {
    const factors f = factors_of(count, others);
    dims[last] = rest_of(factors_of(in->rank, in->dims), &f);
  }
  NL_TRY(nl_shaping_set(s, 0, rank, dims));
  return nl_shaping_keep_elements(s, 0);
}

// Also where the target is not followed but its length is known.
nl_status nl_shape_reshape(nl_shaping *s) {
  const nl_given target = nl_shaping_given(s, NULL, 1);
  if (!target.known || target.count > NL_SHAPE_RANK_MOST) return NL_OK;
  if (target.shape->elements != NULL) return reshape_to(s, nl_shaping_input(s, 0), target.shape);
  int64_t dims[NL_SHAPE_RANK_MOST];
  for (size_t i = 0; i < target.count; i++) dims[i] = -1;
  return nl_shaping_set(s, 0, target.count, dims);
}

nl_status nl_shape_squeeze(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const nl_given axes = nl_shaping_given(s, "axes", 1);
  bool gone[NL_SHAPE_RANK_MOST] = {false};
  if (in == NULL || (axes.given && !nl_given_axes(&axes, in->rank, gone))) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST];
  size_t rank = 0;
  for (size_t i = 0; i < in->rank; i++) {
    if (!axes.given && in->dims[i] < 0) return NL_OK;
    if (!(axes.given ? gone[i] : in->dims[i] == 1)) dims[rank++] = in->dims[i];
  }
  NL_TRY(nl_shaping_set(s, 0, rank, dims));
  return nl_shaping_keep_elements(s, 0);
}

nl_status nl_shape_unsqueeze(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const nl_given axes = nl_shaping_given(s, "axes", 1);
  bool added[NL_SHAPE_RANK_MOST];
  if (in == NULL || !axes.known || in->rank + axes.count > NL_SHAPE_RANK_MOST) return NL_OK;
  const size_t rank = in->rank + axes.count;
  if (!nl_given_axes(&axes, rank, added)) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST];
  size_t from = 0;
  for (size_t i = 0; i < rank; i++) dims[i] = added[i] ? 1 : from < in->rank ? in->dims[from++] : -1;
  if (from != in->rank) return NL_OK; // an axis named twice
  NL_TRY(nl_shaping_set(s, 0, rank, dims));
  return nl_shaping_keep_elements(s, 0);
}

// ---- Concat, Split -----------------------------------------------------------------------------------------------------

// What is known of the first input of known rank serves the others too.
nl_status nl_shape_concat(nl_shaping *s) {
  const nl_shape *first = NULL;
  size_t axis;
  for (size_t slot = 0; slot < s->node->input_count && first == NULL; slot++) first = nl_shaping_input(s, slot);
  if (first == NULL || !nl_shape_axis(nl_node_int(s->node, "axis", 0), first->rank, &axis)) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST], length = 0;
  for (size_t i = 0; i < first->rank; i++) dims[i] = first->dims[i];
  for (size_t slot = 0; slot < s->node->input_count; slot++) {
    const nl_shape *in = nl_shaping_input(s, slot);
    if (in != NULL && in->rank != first->rank) return NL_OK;
    length = nl_size_add(length, in != NULL ? in->dims[axis] : -1);
    for (size_t i = 0; in != NULL && i < in->rank; i++)
      if (dims[i] < 0) dims[i] = in->dims[i];
  }
  dims[axis] = s->node->input_count == 1 ? first->dims[axis] : length;
  NL_TRY(nl_shaping_set(s, 0, first->rank, dims));
  return nl_shaping_concat_elements(s, axis);
}

// Parts that are not stated are equal but for the last, which takes what is left (num_outputs, opset 18).
static int64_t part_size(const nl_shaping *s, const nl_given *sizes, int64_t whole, size_t index) {
  int64_t size;
  if (sizes->given) return nl_given_at(sizes, index, &size) && size >= 0 ? size : -1;
  const int64_t count = nl_node_int(s->node, "num_outputs", (int64_t)s->node->output_count);
  if (whole < 0 || count < 1 || count > NL_SIZE_MOST || (int64_t)index >= count) return -1;
  size = whole / count + (whole % count != 0);
  const int64_t left = whole - nl_size_multiply(size, (int64_t)index);
  return left < 0 ? -1 : left < size ? left : size;
}

nl_status nl_shape_split(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const nl_given sizes = nl_shaping_given(s, "split", 1);
  size_t axis;
  if (in == NULL || !nl_shape_axis(nl_node_int(s->node, "axis", 0), in->rank, &axis)) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST];
  memcpy(dims, in->dims, in->rank * sizeof *dims);
  for (size_t i = 0; i < s->node->output_count; i++) {
    dims[axis] = part_size(s, &sizes, in->dims[axis], i);
    NL_TRY(nl_shaping_set(s, i, in->rank, dims));
  }
  return NL_OK;
}

// ---- Slice -------------------------------------------------------------------------------------------------------------

typedef struct stretch {
  bool known;
  int64_t start, end, step;
} stretch;

static int64_t clamp(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }

static int64_t from_end(int64_t x, int64_t size) { return x < 0 ? (x < -size ? -1 : x + size) : x; }

// How many elements of an axis are taken; *first is where they begin.
static int64_t stretch_size(const stretch *t, int64_t size, int64_t *first) {
  *first = 0;
  if (!t->known || t->step == 0) return -1;
  if (size < 0) return t->step == 1 && t->start == 0 && t->end >= INT32_MAX ? size : -1;
  const bool forward = t->step > 0;
  if (!forward && t->end >= INT32_MAX) return -1; // nothing by the specification, everything by ONNX Runtime
  const int64_t high = forward ? size : size - 1;
  const int64_t start = clamp(from_end(t->start, size), forward ? 0 : size == 0 ? -1 : 0, high);
  const int64_t end = clamp(from_end(t->end, size), forward ? 0 : -1, high);
  const int64_t length = forward ? end - start : start - end, stride = forward ? t->step : -t->step;
  *first = start;
  return length <= 0 ? 0 : (length - 1) / stride + 1;
}

typedef struct slices {
  nl_given starts, ends, axes, steps;
} slices;

static slices slices_of(const nl_shaping *s) {
  const bool attributes = s->graph->opset < 10;
  slices given = {nl_shaping_given(s, attributes ? "starts" : NULL, attributes ? NL_NONE : 1),
                  nl_shaping_given(s, attributes ? "ends" : NULL, attributes ? NL_NONE : 2),
                  nl_shaping_given(s, attributes ? "axes" : NULL, attributes ? NL_NONE : 3),
                  {0}};
  if (!attributes) given.steps = nl_shaping_given(s, NULL, 4);
  return given;
}

// The axis that entry `index` speaks of, and what it says; false when the axis is not known.
static bool stretch_at(const slices *given, size_t rank, size_t index, size_t *axis, stretch *out) {
  int64_t number = (int64_t)index;
  if (given->axes.given && !nl_given_at(&given->axes, index, &number)) return false;
  if (!nl_shape_axis(number, rank, axis)) return false;
  out->step = 1;
  out->known = nl_given_at(&given->starts, index, &out->start) && nl_given_at(&given->ends, index, &out->end) &&
               (!given->steps.given || nl_given_at(&given->steps, index, &out->step)) && out->step > -NL_SIZE_MOST;
  return true;
}

nl_status nl_shape_slice(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const slices given = slices_of(s);
  if (in == NULL) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST], first[NL_SHAPE_RANK_MOST] = {0}, step[NL_SHAPE_RANK_MOST];
  for (size_t i = 0; i < in->rank; i++) {
    dims[i] = given.starts.known ? in->dims[i] : -1;
    step[i] = 1;
  }
  for (size_t i = 0; i < given.starts.count; i++) {
    size_t axis;
    stretch t;
    if (!stretch_at(&given, in->rank, i, &axis, &t)) {
      for (size_t k = 0; k < in->rank; k++) dims[k] = -1;
      return nl_shaping_set(s, 0, in->rank, dims);
    }
    dims[axis] = stretch_size(&t, in->dims[axis], &first[axis]);
    step[axis] = t.step;
  }
  NL_TRY(nl_shaping_set(s, 0, in->rank, dims));
  if (in->elements == NULL) return NL_OK;
  ptrdiff_t strides[NL_SHAPE_RANK_MOST], base = 0, stride = 1;
  for (size_t i = in->rank; i > 0; i--) {
    base += (ptrdiff_t)first[i - 1] * stride;
    strides[i - 1] = (ptrdiff_t)clamp(step[i - 1], -NL_SHAPE_ELEMENTS_MOST, NL_SHAPE_ELEMENTS_MOST) * stride;
    stride *= (ptrdiff_t)in->dims[i - 1];
  }
  return nl_shaping_view_elements(s, (size_t)base, strides);
}

// ---- Gather, Expand, Tile ----------------------------------------------------------------------------------------------

nl_status nl_shape_gather(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0), *indices = nl_shaping_input(s, 1);
  size_t axis, rank = 0;
  if (in == NULL || indices == NULL || in->rank + indices->rank > NL_SHAPE_RANK_MOST) return NL_OK;
  if (!nl_shape_axis(nl_node_int(s->node, "axis", 0), in->rank, &axis)) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST];
  for (size_t i = 0; i < axis; i++) dims[rank++] = in->dims[i];
  for (size_t i = 0; i < indices->rank; i++) dims[rank++] = indices->dims[i];
  for (size_t i = axis + 1; i < in->rank; i++) dims[rank++] = in->dims[i];
  NL_TRY(nl_shaping_set(s, 0, rank, dims));
  return nl_shaping_gather_elements(s, axis);
}

nl_status nl_shape_expand(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const nl_given target = nl_shaping_given(s, NULL, 1);
  if (in == NULL || !target.known || target.count > NL_SHAPE_RANK_MOST) return NL_OK;
  const size_t rank = target.count > in->rank ? target.count : in->rank;
  int64_t dims[NL_SHAPE_RANK_MOST];
  for (size_t back = 1; back <= rank; back++) {
    int64_t asked = 1;
    if (back <= target.count) {
      const nl_element *element = target.shape->elements != NULL ? &target.shape->elements[target.count - back] : NULL;
      asked = element != NULL ? target_size(s, NULL, 0, element) : -1;
    }
    dims[rank - back] = nl_size_broadcast(back <= in->rank ? in->dims[in->rank - back] : 1, asked);
  }
  return nl_shaping_set(s, 0, rank, dims);
}

nl_status nl_shape_tile(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const nl_given repeats = nl_shaping_given(s, NULL, 1);
  if (in == NULL) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST], times;
  for (size_t i = 0; i < in->rank; i++) {
    const bool known = nl_given_at(&repeats, i, &times) && times >= 0;
    dims[i] = !known ? -1 : times == 1 ? in->dims[i] : nl_size_multiply(in->dims[i], times);
  }
  return nl_shaping_set(s, 0, in->rank, dims);
}

// ---- DepthToSpace, SpaceToDepth ----------------------------------------------------------------------------------------

static int64_t divided(int64_t size, int64_t by) { return size < 0 || size % by != 0 ? -1 : size / by; }

nl_status nl_shape_depth_to_space(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const int64_t block = nl_node_int(s->node, "blocksize", 0);
  if (in == NULL || in->rank != 4 || block < 1 || block > INT32_MAX) return NL_OK;
  const int64_t dims[4] = {in->dims[0], divided(in->dims[1], block * block), nl_size_multiply(in->dims[2], block),
                           nl_size_multiply(in->dims[3], block)};
  return nl_shaping_set(s, 0, 4, dims);
}

nl_status nl_shape_space_to_depth(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  const int64_t block = nl_node_int(s->node, "blocksize", 0);
  if (in == NULL || in->rank != 4 || block < 1 || block > 1 << 20) return NL_OK;
  const int64_t dims[4] = {in->dims[0], nl_size_multiply(in->dims[1], block * block), divided(in->dims[2], block),
                           divided(in->dims[3], block)};
  return nl_shaping_set(s, 0, 4, dims);
}
