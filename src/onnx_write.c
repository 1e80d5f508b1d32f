// onnx_write: the source again, field by field. A field nothing changes in is copied with its very bytes; the others are
// walked into. New fields go to the end of their message, where protobuf readers take them as well.
#include "onnx_edits.h"
#include "onnx_shape.h"

typedef struct writer {
  const nl_plan *plan;
  const nl_split *split;
  nl_buffer *out;
  nl_error *error;
} writer;

static nl_status copy(const writer *w, const nl_field *field) { return nl_wire_put_field(w->out, field, w->error); }

// ---- tensors ---------------------------------------------------------------------------------------------------------

static bool tensor_changes(const writer *w, size_t index) {
  const nl_tensor *tensor = &w->plan->graph->tensors[index];
  return w->plan->rewritten[index] != NULL || tensor->storage == NL_STORAGE_EXTERNAL ||
         nl_split_takes(w->split, tensor, tensor->payload.size);
}

static nl_status put_dims(const writer *w, const nl_constant_edit *edit) {
  for (size_t i = 0; i < edit->rank; i++)
    NL_TRY(nl_wire_put_int(w->out, NL_TENSOR_DIMS_NUMBER, edit->dims[i], w->error));
  return NL_OK;
}

static nl_status put_outside(const writer *w, const nl_tensor *old, const nl_constant_edit *edit, size_t size) {
  uint8_t *bytes;
  NL_TAKE(&w->split->file->arena, bytes, uint8_t, size, w->error);
  nl_tensor_encode(edit->type, edit->values, edit->count, bytes);
  return nl_split_put(w->split, old, (nl_span){bytes, size}, w->out, w->error);
}

static nl_status put_away(const writer *w, uint64_t offset, uint64_t size) {
  uint8_t place[NL_AWAY_SIZE];
  for (size_t i = 0; i < NL_AWAY_SIZE; i++) place[i] = (uint8_t)((i < 8 ? offset : size) >> 8 * (i % 8));
  return nl_wire_put_bytes(w->out, NL_TENSOR_AWAY >> 3, (nl_span){place, sizeof place}, w->error);
}

// old: the tensor that the edit replaces, or NULL
static nl_status put_data(const writer *w, const nl_tensor *old, const nl_constant_edit *edit) {
  const size_t size = edit->count * nl_type_size(edit->type);
  if (edit->away != 0) return put_away(w, edit->away, size);
  if (nl_split_takes(w->split, old, size)) return put_outside(w, old, edit, size);
  NL_TRY(nl_wire_put_varint(w->out, NL_TENSOR_RAW, w->error));
  NL_TRY(nl_wire_put_varint(w->out, size, w->error));
  NL_TRY(nl_buffer_append(w->out, NULL, size, w->error));
  uint8_t *bytes = w->out->bytes + w->out->size - size;
  if (edit->integers != NULL)
    nl_tensor_encode_int(edit->type, edit->integers, edit->count, bytes);
  else
    nl_tensor_encode(edit->type, edit->values, edit->count, bytes);
  return NL_OK;
}

typedef enum part { PART_OTHER, PART_DIMS, PART_DATA } part;

static part part_of(uint32_t tag) {
  switch (tag >> 3) {
  case NL_TENSOR_DIMS_NUMBER:
    return PART_DIMS;
  case NL_TENSOR_FLOAT_NUMBER:
  case NL_TENSOR_INT32_NUMBER:
  case NL_TENSOR_INT64_NUMBER:
  case NL_TENSOR_DOUBLE_NUMBER:
  case NL_TENSOR_UINT64_NUMBER:
  case NL_TENSOR_RAW >> 3:
  case NL_TENSOR_AWAY >> 3:
  case NL_TENSOR_EXTERNAL_DATA >> 3:
  case NL_TENSOR_LOCATION >> 3:
    return PART_DATA;
  default:
    return PART_OTHER;
  }
}

// A tensor's own data, at its new place.
static nl_status put_kept(const writer *w, const nl_tensor *tensor) {
  if (nl_split_takes(w->split, tensor, tensor->payload.size))
    return nl_split_put(w->split, tensor, tensor->payload, w->out, w->error);
  return nl_wire_put_bytes(w->out, NL_TENSOR_RAW >> 3, tensor->payload, w->error);
}

// The fields of a TensorProto with other dims and data, or (edit NULL) with its data at another place.
static nl_status write_tensor(const writer *w, const nl_tensor *tensor, const nl_constant_edit *edit) {
  bool has_dims = edit == NULL, has_data = false;
  nl_wire wire = nl_wire_open(tensor->message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    const part kind = part_of(field.tag);
    if (kind == PART_OTHER || (kind == PART_DIMS && edit == NULL)) NL_TRY(copy(w, &field));
    if (kind == PART_DIMS && !has_dims) NL_TRY(put_dims(w, edit));
    if (kind == PART_DATA && !has_data) {
      NL_TRY(edit != NULL ? put_data(w, tensor, edit) : put_kept(w, tensor));
    }
    has_dims = has_dims || kind == PART_DIMS;
    has_data = has_data || kind == PART_DATA;
  }
  if (!has_dims) NL_TRY(put_dims(w, edit));
  return has_data ? NL_OK : put_data(w, tensor, edit);
}

static nl_status put_new_tensor(const writer *w, uint32_t number, nl_span name, const nl_tensor *old,
                                const nl_constant_edit *edit) {
  size_t mark;
  NL_TRY(nl_wire_begin(w->out, number, &mark, w->error));
  NL_TRY(put_dims(w, edit));
  NL_TRY(nl_wire_put_int(w->out, NL_TENSOR_TYPE >> 3, edit->type, w->error));
  if (name.size != 0) NL_TRY(nl_wire_put_bytes(w->out, NL_TENSOR_NAME >> 3, name, w->error));
  NL_TRY(put_data(w, old, edit));
  return nl_wire_end(w->out, mark, w->error);
}

static nl_status write_initializer(const writer *w, const nl_field *field, size_t index) {
  if (!tensor_changes(w, index)) return copy(w, field);
  size_t mark;
  NL_TRY(nl_wire_begin(w->out, field->tag >> 3, &mark, w->error));
  NL_TRY(write_tensor(w, &w->plan->graph->tensors[index], w->plan->rewritten[index]));
  return nl_wire_end(w->out, mark, w->error);
}

// ---- nodes -----------------------------------------------------------------------------------------------------------

// value_floats and its like cannot hold every shape: they become `value`, which can.
static nl_status write_values_attribute(const writer *w, const nl_tensor *tensor, const nl_constant_edit *edit) {
  NL_TRY(nl_wire_put_text(w->out, NL_ATTRIBUTE_NAME_TAG >> 3, "value", w->error));
  NL_TRY(put_new_tensor(w, NL_ATTRIBUTE_T_TAG >> 3, (nl_span){0}, tensor, edit));
  nl_wire wire = nl_wire_open(tensor->message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    const uint32_t number = field.tag >> 3;
    const bool replaced = number == NL_ATTRIBUTE_NAME_TAG >> 3 || number == NL_ATTRIBUTE_TYPE_TAG >> 3 ||
                          number == NL_ATTRIBUTE_F_NUMBER || number == NL_ATTRIBUTE_I_NUMBER ||
                          number == NL_ATTRIBUTE_FLOATS_NUMBER || number == NL_ATTRIBUTE_INTS_NUMBER;
    if (!replaced) NL_TRY(copy(w, &field));
  }
  return nl_wire_put_int(w->out, NL_ATTRIBUTE_TYPE_TAG >> 3, NL_ATTRIBUTE_TENSOR, w->error);
}

static nl_status write_tensor_attribute(const writer *w, nl_span message, const nl_tensor *tensor,
                                        const nl_constant_edit *edit) {
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag != NL_ATTRIBUTE_T_TAG) {
      NL_TRY(copy(w, &field));
      continue;
    }
    size_t mark;
    NL_TRY(nl_wire_begin(w->out, field.tag >> 3, &mark, w->error));
    NL_TRY(write_tensor(w, tensor, edit));
    NL_TRY(nl_wire_end(w->out, mark, w->error));
  }
  return NL_OK;
}

// The number at `index` of the node's attribute once the edits are made.
static int64_t edited_number(const writer *w, size_t node, size_t attribute, size_t index, int64_t old) {
  const nl_attribute_edit *edit = w->plan->edits->attributes[node];
  while (edit != NULL && !(edit->attribute == attribute && edit->index == index)) edit = edit->next;
  return edit != NULL ? edit->value : old;
}

static nl_status put_numbers(const writer *w, size_t node, size_t index, bool packed) {
  const nl_attribute *attribute = &w->plan->graph->nodes[node].attributes[index];
  size_t mark;
  if (attribute->type == NL_ATTRIBUTE_INT)
    return nl_wire_put_int(w->out, NL_ATTRIBUTE_I_NUMBER, edited_number(w, node, index, NL_NONE, 0), w->error);
  if (packed) NL_TRY(nl_wire_begin(w->out, NL_ATTRIBUTE_INTS_NUMBER, &mark, w->error));
  for (size_t i = 0; i < attribute->count; i++) {
    const int64_t number = edited_number(w, node, index, i, attribute->ints[i]);
    NL_TRY(packed ? nl_wire_put_varint(w->out, (uint64_t)number, w->error)
                  : nl_wire_put_int(w->out, NL_ATTRIBUTE_INTS_NUMBER, number, w->error));
  }
  return packed ? nl_wire_end(w->out, mark, w->error) : NL_OK;
}

// An attribute of integers, all written where the first stood; or of one, which the file may leave out when it is 0.
static nl_status write_numbers(const writer *w, nl_span message, size_t node, size_t index) {
  const bool one = w->plan->graph->nodes[node].attributes[index].type == NL_ATTRIBUTE_INT;
  const uint32_t number = one ? NL_ATTRIBUTE_I_NUMBER : NL_ATTRIBUTE_INTS_NUMBER;
  bool written = false;
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag >> 3 != number) NL_TRY(copy(w, &field));
    if (field.tag >> 3 != number || written) continue;
    NL_TRY(put_numbers(w, node, index, field.tag == NL_BYTES(NL_ATTRIBUTE_INTS_NUMBER)));
    written = true;
  }
  return written ? NL_OK : put_numbers(w, node, index, false);
}

static bool numbers_change(const nl_plan *plan, size_t node, size_t attribute) {
  const nl_attribute_edit *edit = plan->edits->attributes[node];
  while (edit != NULL && edit->attribute != attribute) edit = edit->next;
  return edit != NULL;
}

static nl_status write_attribute(const writer *w, const nl_field *field, size_t node, size_t index) {
  const nl_attribute *attribute = &w->plan->graph->nodes[node].attributes[index];
  if (numbers_change(w->plan, node, index)) {
    size_t start;
    NL_TRY(nl_wire_begin(w->out, field->tag >> 3, &start, w->error));
    NL_TRY(write_numbers(w, field->bytes, node, index));
    return nl_wire_end(w->out, start, w->error);
  }
  if (attribute->tensor == NL_NONE || !tensor_changes(w, attribute->tensor)) return copy(w, field);
  const nl_tensor *tensor = &w->plan->graph->tensors[attribute->tensor];
  const nl_constant_edit *edit = w->plan->rewritten[attribute->tensor];
  size_t mark;
  NL_TRY(nl_wire_begin(w->out, field->tag >> 3, &mark, w->error));
  NL_TRY(tensor->storage == NL_STORAGE_VALUES ? write_values_attribute(w, tensor, edit)
                                              : write_tensor_attribute(w, field->bytes, tensor, edit));
  return nl_wire_end(w->out, mark, w->error);
}

static bool node_changes(const writer *w, size_t index) {
  const nl_plan *plan = w->plan;
  const nl_node *node = &plan->graph->nodes[index];
  if (plan->edits->attributes[index] != NULL) return true;
  for (const nl_constant_edit *edit = plan->edits->constants[index]; edit != NULL; edit = edit->next) {
    if (plan->settlements[edit->index].name.size != 0) return true;
  }
  for (size_t a = 0; a < node->attribute_count; a++) {
    const size_t tensor = node->attributes[a].tensor;
    if (tensor != NL_NONE && tensor_changes(w, tensor)) return true;
  }
  return false;
}

// The name an edit gives to an input, or an empty span.
static nl_span new_input(const nl_plan *plan, size_t node, size_t slot) {
  const nl_constant_edit *edit = nl_edits_find(plan->edits, node, slot);
  return edit == NULL ? (nl_span){0} : plan->settlements[edit->index].name;
}

static nl_status write_node(const writer *w, const nl_field *whole, size_t index) {
  if (!node_changes(w, index)) return copy(w, whole);
  size_t mark, slot = 0, attribute = 0;
  NL_TRY(nl_wire_begin(w->out, whole->tag >> 3, &mark, w->error));
  nl_wire wire = nl_wire_open(whole->bytes);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_NODE_INPUT) {
      const nl_span name = new_input(w->plan, index, slot++);
      NL_TRY(name.size != 0 ? nl_wire_put_bytes(w->out, field.tag >> 3, name, w->error) : copy(w, &field));
    } else if (field.tag == NL_NODE_ATTRIBUTE) {
      NL_TRY(write_attribute(w, &field, index, attribute++));
    } else {
      NL_TRY(copy(w, &field));
    }
  }
  for (nl_span name; (name = new_input(w->plan, index, slot)).size != 0; slot++)
    NL_TRY(nl_wire_put_bytes(w->out, NL_NODE_INPUT >> 3, name, w->error));
  return nl_wire_end(w->out, mark, w->error);
}

// ---- graph and model -------------------------------------------------------------------------------------------------

// Before IR version 4 an initializer had to be listed as an input too.
static nl_status put_added(const writer *w, size_t node, const nl_constant_edit *edit, nl_span name) {
  const nl_tensor *old = nl_node_constant(w->plan->graph, &w->plan->graph->nodes[node], edit->slot);
  NL_TRY(put_new_tensor(w, NL_GRAPH_INITIALIZER >> 3, name, old, edit));
  if (w->plan->graph->ir_version >= 4) return NL_OK;
  return nl_onnx_put_info(w->out, NL_GRAPH_INPUT >> 3, name, edit->type, edit->rank, edit->dims, w->error);
}

static nl_status write_graph(const writer *w, nl_span body) {
  size_t node = 0, initializer = 0;
  nl_wire wire = nl_wire_open(body);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    switch (field.tag) {
    case NL_GRAPH_NODE:
      NL_TRY(write_node(w, &field, node++));
      break;
    case NL_GRAPH_INITIALIZER:
      NL_TRY(write_initializer(w, &field, initializer++));
      break;
    case NL_GRAPH_INPUT:
    case NL_GRAPH_OUTPUT:
    case NL_GRAPH_VALUE_INFO:
      NL_TRY(nl_onnx_write_info(w->plan, &field, w->out, w->error));
      break;
    default:
      NL_TRY(copy(w, &field));
    }
  }
  for (size_t n = 0; n < w->plan->graph->node_count; n++) {
    for (const nl_constant_edit *edit = w->plan->edits->constants[n]; edit != NULL; edit = edit->next) {
      const nl_settlement *settlement = &w->plan->settlements[edit->index];
      if (settlement->adds_name) NL_TRY(put_added(w, n, edit, settlement->name));
    }
  }
  return NL_OK;
}

static nl_status put_entry(const writer *w, const nl_metadata_edit *edit) {
  size_t mark;
  NL_TRY(nl_wire_begin(w->out, NL_MODEL_METADATA >> 3, &mark, w->error));
  NL_TRY(nl_wire_put_bytes(w->out, NL_ENTRY_KEY >> 3, edit->key, w->error));
  NL_TRY(nl_wire_put_bytes(w->out, NL_ENTRY_VALUE >> 3, edit->text, w->error));
  return nl_wire_end(w->out, mark, w->error);
}

static bool is_replaced(const nl_plan *plan, nl_span entry) {
  nl_wire wire = nl_wire_open(entry);
  nl_span key = {0};
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_ENTRY_KEY) key = field.bytes;
  }
  for (const nl_metadata_edit *edit = plan->edits->metadata; edit != NULL; edit = edit->next) {
    if (nl_span_equal(edit->key, key)) return true;
  }
  return false;
}

static nl_status write_model(const writer *w) {
  nl_wire wire = nl_wire_open(w->plan->graph->source);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_MODEL_GRAPH) {
      size_t mark;
      NL_TRY(nl_wire_begin(w->out, field.tag >> 3, &mark, w->error));
      NL_TRY(write_graph(w, field.bytes));
      NL_TRY(nl_wire_end(w->out, mark, w->error));
    } else if (field.tag != NL_MODEL_METADATA || !is_replaced(w->plan, field.bytes)) {
      NL_TRY(copy(w, &field));
    }
  }
  for (const nl_metadata_edit *edit = w->plan->edits->metadata; edit != NULL; edit = edit->next)
    NL_TRY(put_entry(w, edit));
  return NL_OK;
}

static nl_status write_planned(const nl_plan *plan, nl_weights_file *weights, nl_buffer *out, nl_error *error) {
  const size_t start = out->size;
  nl_split split;
  NL_TRY(nl_split_create(&split, plan, weights, error));
  NL_TRY(write_model(&(writer){plan, &split, out, error}));
  // protobuf, and so ONNX Runtime, stops at 2 GiB
  if (out->size - start > INT32_MAX)
    return nl_fail_count(error, NL_ERROR_LIMIT, "its written form", INT32_MAX, out->size - start);
  return NL_OK;
}

nl_status nl_onnx_write_split(const nl_graph *graph, const nl_edits *edits, nl_weights_file *weights, nl_buffer *out,
                              nl_error *error) {
  if (weights != NULL) nl_weights_file_free(weights);
  if (edits == NULL || !edits->any) return nl_buffer_append(out, graph->source.bytes, graph->source.size, error);
  const nl_span missing = nl_graph_missing_file(graph);
  if (missing.size != 0) return nl_fail_span(error, NL_ERROR_EXTERNAL, missing, NULL);
  const size_t start = out->size;
  nl_plan plan;
  nl_status status = nl_plan_create(&plan, graph, edits, error);
  if (status == NL_OK) status = write_planned(&plan, weights, out, error);
  nl_plan_free(&plan);
  if (status == NL_OK) return NL_OK;
  out->size = start;
  if (weights != NULL) nl_weights_file_free(weights);
  return status;
}

nl_status nl_onnx_write(const nl_graph *graph, const nl_edits *edits, nl_buffer *out, nl_error *error) {
  return nl_onnx_write_split(graph, edits, NULL, out, error);
}
