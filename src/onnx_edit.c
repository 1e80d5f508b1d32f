// onnx_edit: collects edits, copying what they are given.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_edits.h"

nl_status nl_edits_create(nl_edits **out, const nl_graph *graph, nl_error *error) {
  nl_edits *edits = calloc(1, sizeof *edits);
  if (edits == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *edits, 0);
  edits->graph = graph;
  edits->constants = (nl_constant_edit **)nl_arena_take(&edits->arena, graph->node_count, sizeof(nl_constant_edit *));
  edits->attributes =
      (nl_attribute_edit **)nl_arena_take(&edits->arena, graph->node_count, sizeof(nl_attribute_edit *));
  edits->sizes = (nl_size_edit **)nl_arena_take(&edits->arena, graph->value_count, sizeof(nl_size_edit *));
  if (edits->constants == NULL || edits->attributes == NULL || edits->sizes == NULL) {
    nl_edits_free(edits);
    return nl_fail_count(error, NL_ERROR_MEMORY, NULL,
                         (uint64_t)(2 * graph->node_count + graph->value_count) * sizeof(void *), 0);
  }
  *out = edits;
  return NL_OK;
}

void nl_edits_free(nl_edits *edits) {
  if (edits == NULL) return;
  nl_arena_free(&edits->arena);
  free(edits);
}

nl_constant_edit *nl_edits_find(const nl_edits *edits, size_t node, size_t slot) {
  nl_constant_edit *edit = edits->constants[node];
  while (edit != NULL && edit->slot != slot) edit = edit->next;
  return edit;
}

static bool can_encode(nl_type type) { return nl_type_size(type) != 0 && type != NL_TYPE_BOOL; }

// A slot takes a constant when it reads one now, is left out, or lies just past the last input.
static nl_status check_slot(const nl_edits *edits, size_t node, size_t slot, nl_type *type, nl_error *error) {
  if (node >= edits->graph->node_count) return nl_fail(error, NL_ERROR_ARGUMENT, "node", "there is no such node");
  const nl_node *target = &edits->graph->nodes[node];
  if (slot < target->input_count && target->inputs[slot] != NL_NONE) {
    const nl_tensor *old = nl_node_constant(edits->graph, target, slot);
    if (old == NULL) return nl_fail_span(error, NL_ERROR_ARGUMENT, target->name, "that input is not a constant");
    *type = old->type;
  } else if (slot > target->input_count && nl_edits_find(edits, node, slot - 1) == NULL) {
    return nl_fail_span(error, NL_ERROR_ARGUMENT, target->name, "that input lies beyond the next free one");
  }
  return can_encode(*type) ? NL_OK
                           : nl_fail_span(error, NL_ERROR_UNSUPPORTED, target->name,
                                          "its constant is of a type netlump does not write");
}

static nl_status fill_dims(nl_edits *edits, nl_constant_edit *edit, size_t rank, const int64_t *dims, nl_error *error) {
  size_t count = 1;
  for (size_t i = 0; i < rank; i++) {
    if (dims[i] < 0 || (count != 0 && (uint64_t)dims[i] > SIZE_MAX / sizeof(double) / count))
      return nl_fail(error, NL_ERROR_ARGUMENT, "dims", "a size out of bounds");
    count *= (size_t)dims[i];
  }
  int64_t *own_dims;
  NL_TAKE(&edits->arena, own_dims, int64_t, rank, error);
  if (rank != 0) memcpy(own_dims, dims, rank * sizeof *dims);
  edit->rank = rank;
  edit->dims = own_dims;
  edit->count = count;
  return NL_OK;
}

// `values`: doubles, or integers of as many bytes.
static nl_status fill(nl_edits *edits, nl_constant_edit *edit, size_t rank, const int64_t *dims, const void *values,
                      void **copy, nl_error *error) {
  NL_TRY(fill_dims(edits, edit, rank, dims, error));
  *copy = nl_arena_take(&edits->arena, edit->count, sizeof(double));
  if (*copy == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, (uint64_t)edit->count * sizeof(double), 0);
  if (edit->count != 0) memcpy(*copy, values, edit->count * sizeof(double));
  return NL_OK;
}

static nl_status add_constant(nl_edits *edits, size_t node, const nl_constant_edit *filled, nl_error *error) {
  nl_constant_edit *edit = nl_edits_find(edits, node, filled->slot);
  if (edit == NULL) {
    NL_TAKE(&edits->arena, edit, nl_constant_edit, 1, error);
    nl_constant_edit **at = &edits->constants[node];
    while (*at != NULL && (*at)->slot < filled->slot) at = &(*at)->next;
    edit->next = *at;
    edit->index = edits->constant_count++;
    *at = edit;
  }
  const nl_constant_edit before = *edit;
  *edit = *filled;
  edit->next = before.next;
  edit->index = before.index;
  edits->any = true;
  return NL_OK;
}

nl_status nl_edits_set_constant(nl_edits *edits, size_t node, size_t slot, nl_type type, size_t rank,
                                const int64_t *dims, const double *values, nl_error *error) {
  NL_TRY(check_slot(edits, node, slot, &type, error));
  nl_constant_edit filled = {.slot = slot, .type = type};
  void *copy = NULL;
  NL_TRY(fill(edits, &filled, rank, dims, values, &copy, error));
  filled.values = copy;
  return add_constant(edits, node, &filled, error);
}

nl_status nl_edits_set_away(nl_edits *edits, size_t node, size_t slot, size_t rank, const int64_t *dims,
                            uint64_t offset, nl_error *error) {
  nl_constant_edit filled = {.slot = slot, .away = offset};
  NL_TRY(check_slot(edits, node, slot, &filled.type, error));
  NL_TRY(fill_dims(edits, &filled, rank, dims, error));
  return add_constant(edits, node, &filled, error);
}

nl_status nl_edits_set_integers(nl_edits *edits, size_t node, size_t slot, size_t rank, const int64_t *dims,
                                const int64_t *values, nl_error *error) {
  static_assert(sizeof(int64_t) == sizeof(double), "both are copied the same way");
  nl_type type = NL_TYPE_NONE;
  NL_TRY(check_slot(edits, node, slot, &type, error));
  if (type != NL_TYPE_I64 && type != NL_TYPE_I32)
    return nl_fail_span(error, NL_ERROR_ARGUMENT, edits->graph->nodes[node].name, "that constant is of another type");
  nl_constant_edit filled = {.slot = slot, .type = type};
  void *copy = NULL;
  NL_TRY(fill(edits, &filled, rank, dims, values, &copy, error));
  filled.integers = copy;
  return add_constant(edits, node, &filled, error);
}

nl_status nl_edits_set_attribute_int(nl_edits *edits, size_t node, const char *name, size_t index, int64_t value,
                                     nl_error *error) {
  if (node >= edits->graph->node_count) return nl_fail(error, NL_ERROR_ARGUMENT, "node", "there is no such node");
  const nl_node *target = &edits->graph->nodes[node];
  const nl_attribute *attribute = nl_node_attribute(target, name);
  const bool one = index == NL_NONE;
  if (attribute == NULL || attribute->type != (one ? NL_ATTRIBUTE_INT : NL_ATTRIBUTE_INTS) ||
      (!one && index >= attribute->count))
    return nl_fail_span(error, NL_ERROR_ARGUMENT, target->name, "it has no such attribute");
  const size_t position = (size_t)(attribute - target->attributes);
  nl_attribute_edit *edit = edits->attributes[node];
  while (edit != NULL && !(edit->attribute == position && edit->index == index)) edit = edit->next;
  if (edit == NULL) {
    NL_TAKE(&edits->arena, edit, nl_attribute_edit, 1, error);
    *edit = (nl_attribute_edit){edits->attributes[node], position, index, 0};
    edits->attributes[node] = edit;
  }
  edit->value = value;
  edits->any = true;
  return NL_OK;
}

nl_status nl_edits_resize_value(nl_edits *edits, size_t value, size_t axis_from_end, int64_t size, nl_error *error) {
  if (value >= edits->graph->value_count) return nl_fail(error, NL_ERROR_ARGUMENT, "value", "there is no such value");
  if (axis_from_end == 0 || size < 0)
    return nl_fail(error, NL_ERROR_ARGUMENT, "axis", "axes count from 1, sizes from 0");
  nl_size_edit *edit = edits->sizes[value];
  while (edit != NULL && edit->axis_from_end != axis_from_end) edit = edit->next;
  if (edit == NULL) {
    NL_TAKE(&edits->arena, edit, nl_size_edit, 1, error);
    edit->next = edits->sizes[value];
    edit->axis_from_end = axis_from_end;
    edits->sizes[value] = edit;
  }
  edit->size = size;
  edits->any = true;
  return NL_OK;
}

static nl_status copy_text(nl_edits *edits, const char *text, nl_span *copy, nl_error *error) {
  const size_t size = strlen(text);
  uint8_t *bytes;
  NL_TAKE(&edits->arena, bytes, uint8_t, size + 1, error);
  memcpy(bytes, text, size);
  *copy = (nl_span){bytes, size};
  return NL_OK;
}

nl_status nl_edits_set_metadata(nl_edits *edits, const char *key, const char *text, nl_error *error) {
  nl_metadata_edit **at = &edits->metadata;
  while (*at != NULL && !nl_span_is((*at)->key, key)) at = &(*at)->next;
  nl_span copy;
  NL_TRY(copy_text(edits, text, &copy, error));
  if (*at == NULL) {
    nl_metadata_edit *edit;
    NL_TAKE(&edits->arena, edit, nl_metadata_edit, 1, error);
    NL_TRY(copy_text(edits, key, &edit->key, error));
    *at = edit;
  }
  (*at)->text = copy;
  edits->any = true;
  return NL_OK;
}
