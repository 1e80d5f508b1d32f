// shape: integer values element by element, from Shape and constants through what exporters compute with them.
#include "shape_parts.h"

static const nl_element UNKNOWN = {NL_ELEMENT_UNKNOWN, NL_ELEMENT_OPEN, NL_NONE, NL_NONE, NL_NONE, NL_NONE};

static bool few(const nl_shape *shape, size_t *count) {
  int64_t product = shape->known ? 1 : -1;
  for (size_t i = 0; shape->known && i < shape->rank; i++)
    product = shape->dims[i] < 0 || product < 0 ? -1 : nl_size_multiply(product, shape->dims[i]);
  *count = (size_t)product;
  return product >= 0 && product <= NL_SHAPE_ELEMENTS_MOST;
}

// Room for the elements of a value; *out stays NULL where they are not followed.
static nl_status take(nl_shaping *s, size_t value, nl_element **out) {
  nl_shape *shape = &s->shapes->values[value];
  size_t count;
  *out = NULL;
  if (!few(shape, &count) || count > s->elements_left) return NL_OK;
  s->elements_left -= count;
  NL_TAKE(&s->shapes->arena, *out, nl_element, count, s->error);
  shape->element_count = count;
  shape->elements = *out;
  return NL_OK;
}

static nl_status take_output(nl_shaping *s, nl_element **out) {
  *out = NULL;
  const bool named = s->node->output_count > 0 && s->node->outputs[0] != NL_NONE;
  return named ? take(s, s->node->outputs[0], out) : NL_OK;
}

static const nl_shape *output_shape(const nl_shaping *s) { return &s->shapes->values[s->node->outputs[0]]; }

static nl_element computed(int64_t number, bool of_constants) {
  nl_element element = UNKNOWN;
  element.kind = of_constants ? NL_ELEMENT_NUMBER : NL_ELEMENT_UNKNOWN;
  element.number = number;
  return element;
}

// ---- where they come from ----------------------------------------------------------------------------------------------

nl_status nl_shaping_constant_elements(nl_shaping *s, size_t value) {
  const nl_tensor *tensor = &s->graph->tensors[s->graph->values[value].tensor];
  const bool whole = tensor->type == NL_TYPE_I64 || tensor->type == NL_TYPE_I32 || tensor->type == NL_TYPE_BOOL;
  int64_t numbers[NL_SHAPE_ELEMENTS_MOST];
  if (!whole || tensor->count > NL_SHAPE_ELEMENTS_MOST || nl_tensor_read_int(tensor, numbers, NULL) != NL_OK)
    return NL_OK;
  nl_element *out;
  NL_TRY(take(s, value, &out));
  for (size_t i = 0; out != NULL && i < tensor->count; i++)
    out[i] = (nl_element){NL_ELEMENT_NUMBER, numbers[i], NL_NONE, NL_NONE, value, i};
  return NL_OK;
}

nl_status nl_shaping_shape_elements(nl_shaping *s, size_t start) {
  const nl_shape *in = nl_shaping_input(s, 0);
  nl_element *out;
  NL_TRY(take_output(s, &out));
  if (out == NULL) return NL_OK;
  for (size_t i = 0; i < output_shape(s)->element_count; i++) {
    const int64_t size = in->dims[start + i];
    out[i] = UNKNOWN;
    out[i].kind = NL_ELEMENT_SIZE;
    out[i].number = size >= 0 ? size : NL_ELEMENT_OPEN;
    out[i].value = s->node->inputs[0];
    out[i].axis = start + i;
  }
  return NL_OK;
}

nl_status nl_shaping_fill_elements(nl_shaping *s, int64_t number) {
  nl_element *out;
  NL_TRY(take_output(s, &out));
  for (size_t i = 0; out != NULL && i < output_shape(s)->element_count; i++) out[i] = computed(number, true);
  return NL_OK;
}

// ---- moved -------------------------------------------------------------------------------------------------------------

nl_status nl_shaping_keep_elements(nl_shaping *s, size_t slot) {
  const nl_shape *in = nl_shaping_integers(s, slot);
  size_t count;
  if (in == NULL || s->node->output_count == 0 || s->node->outputs[0] == NL_NONE) return NL_OK;
  nl_shape *out = &s->shapes->values[s->node->outputs[0]];
  if (!few(out, &count) || count != in->element_count) return NL_OK;
  out->element_count = count;
  out->elements = in->elements;
  return NL_OK;
}

// Moves `index` to the next of `rank` axes, the last one fastest.
static void step_index(size_t rank, const int64_t *dims, int64_t *index) {
  for (size_t i = rank; i > 0; i--) {
    if (++index[i - 1] < dims[i - 1]) return;
    index[i - 1] = 0;
  }
}

static size_t position(size_t rank, const int64_t *index, size_t base, const ptrdiff_t *strides) {
  ptrdiff_t at = (ptrdiff_t)base;
  for (size_t i = 0; i < rank; i++) at += (ptrdiff_t)index[i] * strides[i];
  return (size_t)at;
}

nl_status nl_shaping_view_elements(nl_shaping *s, size_t base, const ptrdiff_t *strides) {
  const nl_shape *in = nl_shaping_integers(s, 0);
  nl_element *out;
  if (in == NULL) return NL_OK;
  NL_TRY(take_output(s, &out));
  if (out == NULL) return NL_OK;
  const nl_shape *shape = output_shape(s);
  int64_t index[NL_SHAPE_RANK_MOST] = {0};
  for (size_t i = 0; i < shape->element_count; i++) {
    out[i] = in->elements[position(shape->rank, index, base, strides)];
    step_index(shape->rank, shape->dims, index);
  }
  return NL_OK;
}

static size_t product_of(size_t rank, const int64_t *dims) {
  size_t product = 1;
  for (size_t i = 0; i < rank; i++) product *= (size_t)dims[i];
  return product;
}

nl_status nl_shaping_concat_elements(nl_shaping *s, size_t axis) {
  for (size_t slot = 0; slot < s->node->input_count; slot++)
    if (nl_shaping_integers(s, slot) == NULL) return NL_OK;
  nl_element *out;
  NL_TRY(take_output(s, &out));
  if (out == NULL) return NL_OK;
  const nl_shape *shape = output_shape(s);
  const size_t outer = product_of(axis, shape->dims);
  size_t at = 0;
  for (size_t o = 0; o < outer; o++) {
    for (size_t slot = 0; slot < s->node->input_count; slot++) {
      const nl_shape *in = nl_shaping_integers(s, slot);
      const size_t stretch = in->element_count / outer;
      for (size_t i = 0; i < stretch && at < shape->element_count; i++) out[at++] = in->elements[o * stretch + i];
    }
  }
  while (at < shape->element_count) out[at++] = UNKNOWN;
  return NL_OK;
}

nl_status nl_shaping_gather_elements(nl_shaping *s, size_t axis) {
  const nl_shape *in = nl_shaping_integers(s, 0), *indices = nl_shaping_integers(s, 1);
  nl_element *out;
  if (in == NULL || indices == NULL) return NL_OK;
  NL_TRY(take_output(s, &out));
  if (out == NULL) return NL_OK;
  const size_t inner = product_of(in->rank - axis - 1, in->dims + axis + 1), size = (size_t)in->dims[axis];
  const size_t stretch = indices->element_count * inner;
  for (size_t i = 0; i < output_shape(s)->element_count; i++) {
    const size_t o = i / stretch, k = i % stretch / inner;
    int64_t number;
    size_t from;
    const bool known = nl_element_number(&indices->elements[k], &number) && nl_shape_axis(number, size, &from);
    out[i] = known ? in->elements[(o * size + from) * inner + i % inner] : UNKNOWN;
  }
  return NL_OK;
}

// ---- computed ----------------------------------------------------------------------------------------------------------

static bool small(int64_t number) { return number > -(INT64_C(1) << 31) && number < INT64_C(1) << 31; }

static bool combined(nl_span op, int64_t a, int64_t b, int64_t *result) {
  if (nl_span_is(op, "Equal"))
    *result = a == b;
  else if (nl_span_is(op, "Min"))
    *result = a < b ? a : b;
  else if (nl_span_is(op, "Max"))
    *result = a > b ? a : b;
  else if (!small(a) || !small(b))
    return false;
  else if (nl_span_is(op, "Add"))
    *result = a + b;
  else if (nl_span_is(op, "Sub"))
    *result = a - b;
  else if (nl_span_is(op, "Mul"))
    *result = a * b;
  else if (nl_span_is(op, "Div") && b != 0 && (a >= 0) == (b > 0))
    *result = a / b;
  else
    return false; // rounding of negative quotients has changed
  return true;
}

static nl_element combination(nl_span op, const nl_element *a, const nl_element *b) {
  const bool of_constants = a->kind == NL_ELEMENT_NUMBER && b->kind == NL_ELEMENT_NUMBER;
  int64_t x, y, result;
  if (!nl_element_number(a, &x) || !nl_element_number(b, &y) || !combined(op, x, y, &result)) return UNKNOWN;
  return computed(result, of_constants);
}

// Strides of an input broadcast to the output.
static void broadcast_strides(const nl_shape *in, size_t rank, ptrdiff_t *strides) {
  ptrdiff_t stride = 1;
  for (size_t i = 0; i < rank; i++) strides[i] = 0;
  for (size_t i = in->rank; i > 0; i--) {
    if (in->dims[i - 1] != 1) strides[rank - in->rank + i - 1] = stride;
    stride *= (ptrdiff_t)in->dims[i - 1];
  }
}

static size_t broadcast_at(const nl_shaping *s, const nl_shape *in, const int64_t *index) {
  ptrdiff_t strides[NL_SHAPE_RANK_MOST];
  broadcast_strides(in, output_shape(s)->rank, strides);
  return position(output_shape(s)->rank, index, 0, strides);
}

nl_status nl_shaping_combine_elements(nl_shaping *s) {
  const nl_shape *a = nl_shaping_integers(s, 0), *b = nl_shaping_integers(s, 1);
  nl_element *out;
  if (a == NULL || b == NULL || s->node->input_count != 2) return NL_OK;
  NL_TRY(take_output(s, &out));
  if (out == NULL) return NL_OK;
  int64_t index[NL_SHAPE_RANK_MOST] = {0};
  for (size_t i = 0; i < output_shape(s)->element_count; i++) {
    out[i] = combination(s->node->op, &a->elements[broadcast_at(s, a, index)], &b->elements[broadcast_at(s, b, index)]);
    step_index(output_shape(s)->rank, output_shape(s)->dims, index);
  }
  return NL_OK;
}

nl_status nl_shaping_where_elements(nl_shaping *s) {
  const nl_shape *in[3] = {nl_shaping_integers(s, 0), nl_shaping_integers(s, 1), nl_shaping_integers(s, 2)};
  nl_element *out;
  if (in[0] == NULL || in[1] == NULL || in[2] == NULL) return NL_OK;
  NL_TRY(take_output(s, &out));
  if (out == NULL) return NL_OK;
  int64_t index[NL_SHAPE_RANK_MOST] = {0};
  for (size_t i = 0; i < output_shape(s)->element_count; i++) {
    const nl_element *which = &in[0]->elements[broadcast_at(s, in[0], index)];
    int64_t yes;
    out[i] = UNKNOWN;
    if (which->kind == NL_ELEMENT_NUMBER && nl_element_number(which, &yes)) {
      const nl_shape *from = in[yes != 0 ? 1 : 2];
      out[i] = from->elements[broadcast_at(s, from, index)];
    }
    step_index(output_shape(s)->rank, output_shape(s)->dims, index);
  }
  return NL_OK;
}
