#include "onnx_shape.h"

static nl_status put_dimension(nl_buffer *out, int64_t size, nl_error *error) {
  size_t mark;
  NL_TRY(nl_wire_begin(out, NL_SHAPE_DIMENSION >> 3, &mark, error));
  if (size >= 0) NL_TRY(nl_wire_put_int(out, NL_DIMENSION_VALUE >> 3, size, error));
  if (size == -1) NL_TRY(nl_wire_put_text(out, NL_DIMENSION_NAME >> 3, "batch", error));
  return nl_wire_end(out, mark, error);
}

nl_status nl_onnx_put_info(nl_buffer *out, uint32_t number, nl_span name, nl_type type, size_t rank,
                           const int64_t *dims, nl_error *error) {
  size_t info, kind, tensor, shape;
  NL_TRY(nl_wire_begin(out, number, &info, error));
  NL_TRY(nl_wire_put_bytes(out, NL_INFO_NAME >> 3, name, error));
  NL_TRY(nl_wire_begin(out, NL_INFO_TYPE >> 3, &kind, error));
  NL_TRY(nl_wire_begin(out, NL_TYPE_TENSOR >> 3, &tensor, error));
  NL_TRY(nl_wire_put_int(out, NL_TYPE_TENSOR_ELEMENT >> 3, type, error));
  NL_TRY(nl_wire_begin(out, NL_TYPE_TENSOR_SHAPE >> 3, &shape, error));
  for (size_t i = 0; i < rank; i++) NL_TRY(put_dimension(out, dims[i], error));
  NL_TRY(nl_wire_end(out, shape, error));
  NL_TRY(nl_wire_end(out, tensor, error));
  NL_TRY(nl_wire_end(out, kind, error));
  return nl_wire_end(out, info, error);
}

// What is to become of a value's shape: all of it (a rewritten constant), or single axes.
typedef struct shape_change {
  const nl_constant_edit *constant;
  const nl_size_edit *sizes;
} shape_change;

static bool find_change(const nl_plan *plan, nl_span info, shape_change *change) {
  nl_wire wire = nl_wire_open(info);
  nl_span name = {0};
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_INFO_NAME) name = field.bytes;
  }
  const size_t value = nl_names_find(&plan->names, name);
  if (value == NL_NONE) return false;
  const size_t tensor = plan->graph->values[value].tensor;
  change->constant = tensor == NL_NONE ? NULL : plan->rewritten[tensor];
  change->sizes = plan->edits->sizes[value];
  return change->constant != NULL || change->sizes != NULL;
}

// The new size of an axis, -1 when it stays.
static int64_t new_size(const shape_change *change, size_t axis, size_t rank) {
  if (change->constant != NULL) return change->constant->dims[axis];
  for (const nl_size_edit *edit = change->sizes; edit != NULL; edit = edit->next) {
    if (rank - axis == edit->axis_from_end) return edit->size;
  }
  return -1;
}

// A dimension that states nothing stays as it is, which is still right; its denotation survives.
static nl_status write_dimension(const nl_field *whole, int64_t size, nl_buffer *out, nl_error *error) {
  bool states = false;
  size_t mark;
  nl_wire wire = nl_wire_open(whole->bytes);
  for (nl_field field; nl_wire_next(&wire, &field);)
    states = states || field.tag == NL_DIMENSION_VALUE || field.tag == NL_DIMENSION_NAME;
  if (size < 0 || !states) return nl_wire_put_field(out, whole, error);
  NL_TRY(nl_wire_begin(out, whole->tag >> 3, &mark, error));
  NL_TRY(nl_wire_put_int(out, NL_DIMENSION_VALUE >> 3, size, error));
  wire = nl_wire_open(whole->bytes);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_DIMENSION_VALUE && field.tag != NL_DIMENSION_NAME)
      NL_TRY(nl_wire_put_field(out, &field, error));
  }
  return nl_wire_end(out, mark, error);
}

static nl_status write_shape(const shape_change *change, nl_span shape, nl_buffer *out, nl_error *error) {
  size_t rank = 0, axis = 0;
  nl_wire wire = nl_wire_open(shape);
  for (nl_field field; nl_wire_next(&wire, &field);) rank += field.tag == NL_SHAPE_DIMENSION;
  const bool other_rank = change->constant != NULL && change->constant->rank != rank;
  wire = nl_wire_open(shape);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_SHAPE_DIMENSION)
      NL_TRY(nl_wire_put_field(out, &field, error));
    else if (!other_rank)
      NL_TRY(write_dimension(&field, new_size(change, axis++, rank), out, error));
  }
  for (size_t i = 0; other_rank && i < change->constant->rank; i++)
    NL_TRY(put_dimension(out, change->constant->dims[i], error));
  return NL_OK;
}

// ValueInfoProto > type > tensor_type > shape: the way down, one tag a level.
static const uint32_t LEVELS[] = {NL_INFO_TYPE, NL_TYPE_TENSOR, NL_TYPE_TENSOR_SHAPE};

static nl_status write_level(const shape_change *change, size_t level, nl_span message, nl_buffer *out,
                             nl_error *error) {
  if (level == sizeof LEVELS / sizeof LEVELS[0]) return write_shape(change, message, out, error);
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != LEVELS[level]) {
      NL_TRY(nl_wire_put_field(out, &field, error));
      continue;
    }
    size_t mark;
    NL_TRY(nl_wire_begin(out, field.tag >> 3, &mark, error));
    NL_TRY(write_level(change, level + 1, field.bytes, out, error));
    NL_TRY(nl_wire_end(out, mark, error));
  }
  return NL_OK;
}

nl_status nl_onnx_write_info(const nl_plan *plan, const nl_field *field, nl_buffer *out, nl_error *error) {
  shape_change change;
  if (!find_change(plan, field->bytes, &change)) return nl_wire_put_field(out, field, error);
  size_t mark;
  NL_TRY(nl_wire_begin(out, field->tag >> 3, &mark, error));
  NL_TRY(write_level(&change, 0, field->bytes, out, error));
  return nl_wire_end(out, mark, error);
}
