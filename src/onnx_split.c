// onnx_split: models too large for one file. What goes into the second one, where it stands there, and what the first one says
// about that. Fields and alignments as onnx.proto3's TensorProto.external_data has them.
#include <string.h>

#include "onnx_edits.h"

enum {
  ALIGNMENT = 64,      // of every tensor
  PAGE = 4096,         // of large ones, which a runtime may map
  LARGE = 1 << 20,     // bytes of a large tensor
  SMALL = 1024,        // what is smaller is not moved out
  HEADROOM = 16 << 20, // for all that an estimate leaves out: lengths, names, shapes
  DIGITS = 20          // of the largest number
};

// ---- whether there is one ----------------------------------------------------------------------------------------------

static uint64_t size_of(const nl_constant_edit *edit) { return (uint64_t)edit->count * nl_type_size(edit->type); }

typedef struct sizes {
  uint64_t whole;    // the model in one file, but for some bytes
  uint64_t external; // of that, what was external
} sizes;

static void add(sizes *all, const nl_tensor *old, uint64_t size) {
  all->whole += size;
  if (old != NULL && old->storage == NL_STORAGE_EXTERNAL) all->external += size;
}

static sizes measure(const nl_plan *plan) {
  const nl_graph *graph = plan->graph;
  sizes all = {graph->source.size, 0};
  for (size_t t = 0; t < graph->tensor_count; t++) {
    const nl_tensor *tensor = &graph->tensors[t];
    if (plan->rewritten[t] != NULL) {
      all.whole -= tensor->message.size;
      add(&all, tensor, size_of(plan->rewritten[t]));
    } else if (tensor->storage == NL_STORAGE_EXTERNAL)
      add(&all, tensor, tensor->payload.size);
  }
  for (size_t n = 0; n < graph->node_count; n++)
    for (const nl_constant_edit *edit = plan->edits->constants[n]; edit != NULL; edit = edit->next)
      if (plan->settlements[edit->index].adds_name)
        add(&all, nl_node_constant(graph, &graph->nodes[n], edit->slot), size_of(edit));
  return all;
}

nl_status nl_split_create(nl_split *split, const nl_plan *plan, nl_weights_file *file, nl_error *error) {
  *split = (nl_split){.file = file};
  if (file == NULL) return NL_OK;
  const uint64_t most = INT32_MAX - HEADROOM;
  const sizes all = measure(plan);
  const uint64_t limit = file->limit != 0 ? file->limit : NL_ONNX_LARGE;
  split->keeps = all.whole > limit || all.whole > most;
  split->moves = all.whole - all.external > most;
  NL_TAKE(&file->arena, file->pieces, nl_weights_piece, plan->graph->tensor_count + plan->edits->constant_count, error);
  return NL_OK;
}

bool nl_split_takes(const nl_split *split, const nl_tensor *old, size_t size) {
  if (split->file == NULL || old == NULL || size == 0) return false;
  if (old->storage == NL_STORAGE_EXTERNAL) return split->keeps;
  return split->moves && old->node == NL_NONE && size >= SMALL;
}

// ---- what is in it -----------------------------------------------------------------------------------------------------

static nl_status put_entry(const char *key, nl_span value, nl_buffer *out, nl_error *error) {
  size_t mark;
  NL_TRY(nl_wire_begin(out, NL_TENSOR_EXTERNAL_DATA >> 3, &mark, error));
  NL_TRY(nl_wire_put_text(out, NL_ENTRY_KEY >> 3, key, error));
  NL_TRY(nl_wire_put_bytes(out, NL_ENTRY_VALUE >> 3, value, error));
  return nl_wire_end(out, mark, error);
}

static nl_status put_number(const char *key, uint64_t number, nl_buffer *out, nl_error *error) {
  uint8_t digits[DIGITS];
  size_t at = DIGITS;
  do digits[--at] = (uint8_t)('0' + number % 10);
  while ((number /= 10) != 0);
  return put_entry(key, (nl_span){digits + at, DIGITS - at}, out, error);
}

// Entries that neither say where the bytes are nor what they were.
static bool is_kept(nl_span entry) {
  nl_wire wire = nl_wire_open(entry);
  nl_span key = {0};
  for (nl_field field; nl_wire_next(&wire, &field);)
    if (field.tag == NL_ENTRY_KEY) key = field.bytes;
  return !nl_span_is(key, "location") && !nl_span_is(key, "offset") && !nl_span_is(key, "length") &&
         !nl_span_is(key, "checksum");
}

nl_status nl_split_put(const nl_split *split, const nl_tensor *old, nl_span data, nl_buffer *out, nl_error *error) {
  nl_weights_file *file = split->file;
  const uint64_t step = data.size >= LARGE ? PAGE : ALIGNMENT;
  const uint64_t offset = (file->size + step - 1) / step * step;
  file->pieces[file->count++] = (nl_weights_piece){offset, data};
  file->size = offset + data.size;
  NL_TRY(put_entry("location", file->name, out, error));
  NL_TRY(put_number("offset", offset, out, error));
  NL_TRY(put_number("length", data.size, out, error));
  nl_wire wire = nl_wire_open(old->message);
  for (nl_field field; nl_wire_next(&wire, &field);)
    if (field.tag == NL_TENSOR_EXTERNAL_DATA && is_kept(field.bytes)) NL_TRY(nl_wire_put_field(out, &field, error));
  return nl_wire_put_int(out, NL_TENSOR_LOCATION >> 3, 1, error);
}

nl_status nl_weights_file_append(const nl_weights_file *weights, nl_buffer *out, nl_error *error) {
  const size_t start = out->size;
  if (weights->size > SIZE_MAX) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, weights->size, 0);
  NL_TRY(nl_buffer_append(out, NULL, (size_t)weights->size, error));
  for (size_t i = 0; i < weights->count; i++) {
    const nl_weights_piece *piece = &weights->pieces[i];
    memcpy(out->bytes + start + (size_t)piece->offset, piece->bytes.bytes, piece->bytes.size);
  }
  return NL_OK;
}

void nl_weights_file_free(nl_weights_file *weights) {
  nl_arena_free(&weights->arena);
  *weights = (nl_weights_file){.name = weights->name, .limit = weights->limit};
}
