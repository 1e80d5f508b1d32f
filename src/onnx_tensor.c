// onnx_tensor: TensorProto -> nl_tensor, with every size checked against the bytes that are there.
#include "onnx_parts.h"

#define MOST_ELEMENTS (UINT64_C(1) << 60) // products stop here; times the size of an element it still fits 64 bits

uint32_t nl_onnx_typed_field(nl_type type, nl_wire_type *kind) {
  *kind = NL_WIRE_VARINT;
  switch (type) {
  case NL_TYPE_F32:
    *kind = NL_WIRE_FIXED32;
    return NL_TENSOR_FLOAT_NUMBER;
  case NL_TYPE_F64:
    *kind = NL_WIRE_FIXED64;
    return NL_TENSOR_DOUBLE_NUMBER;
  case NL_TYPE_I64:
    return NL_TENSOR_INT64_NUMBER;
  case NL_TYPE_U32:
  case NL_TYPE_U64:
    return NL_TENSOR_UINT64_NUMBER;
  case NL_TYPE_U8:
  case NL_TYPE_I8:
  case NL_TYPE_U16:
  case NL_TYPE_I16:
  case NL_TYPE_I32:
  case NL_TYPE_BOOL:
  case NL_TYPE_F16:
  case NL_TYPE_BF16:
    return NL_TENSOR_INT32_NUMBER;
  default:
    return 0;
  }
}

// What the fields of a TensorProto say before it is checked.
typedef struct parts {
  bool has_raw;
  nl_span raw;
  nl_span away; // its place in the store
  size_t strings;
  bool external;
} parts;

static bool parse_number(nl_span text, uint64_t *value) {
  uint64_t result = 0;
  for (size_t i = 0; i < text.size; i++) {
    if (text.bytes[i] < '0' || text.bytes[i] > '9' || result > (UINT64_MAX - 9) / 10) return false;
    result = result * 10 + (uint64_t)(text.bytes[i] - '0');
  }
  *value = result;
  return text.size != 0;
}

static nl_status read_external_entry(nl_tensor *tensor, nl_span entry, nl_error *error) {
  nl_wire wire = nl_wire_open(entry);
  nl_span key = {0}, value = {0};
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_ENTRY_KEY) key = field.bytes;
    if (field.tag == NL_ENTRY_VALUE) value = field.bytes;
  }
  NL_TRY(nl_wire_close(&wire, tensor->name, error));
  bool good = true;
  if (nl_span_is(key, "location")) tensor->location = value;
  if (nl_span_is(key, "offset")) good = parse_number(value, &tensor->offset);
  if (nl_span_is(key, "length")) good = parse_number(value, &tensor->length);
  return good ? NL_OK
              : nl_fail_span(error, NL_ERROR_MALFORMED, tensor->name, "its place in the external file is not a number");
}

// A shape may ask for more than any file could hold; `found` then says what the message is about.
static nl_status read_dims(nl_arena *arena, nl_tensor *tensor, const parts *found, nl_error *error) {
  NL_TRY(nl_elements_count(tensor->message, NL_TENSOR_DIMS_NUMBER, NL_WIRE_VARINT, &tensor->rank, tensor->name, error));
  int64_t *dims;
  NL_TAKE(arena, dims, int64_t, tensor->rank, error);
  tensor->dims = dims;
  nl_elements sizes = nl_elements_open(tensor->message, NL_TENSOR_DIMS_NUMBER, NL_WIRE_VARINT);
  uint64_t bits;
  bool none = false;
  for (size_t i = 0; nl_elements_next(&sizes, &bits); i++) {
    dims[i] = (int64_t)bits;
    if (dims[i] < 0) return nl_fail_span(error, NL_ERROR_MALFORMED, tensor->name, "a negative size in its shape");
    none = none || dims[i] == 0;
  }
  uint64_t elements = none ? 0 : 1;
  for (size_t i = 0; i < tensor->rank && !none; i++)
    elements = (uint64_t)dims[i] > MOST_ELEMENTS / elements ? MOST_ELEMENTS : elements * (uint64_t)dims[i];
  const uint64_t element = nl_type_size(tensor->type) != 0 ? nl_type_size(tensor->type) : 1;
  if (elements > SIZE_MAX / 16) {
    return found->external
               ? nl_fail_span_count(error, NL_ERROR_LIMIT, tensor->name, SIZE_MAX / 16, elements)
               : nl_fail_span_count(error, NL_ERROR_TRUNCATED, tensor->name, elements * element, found->raw.size);
  }
  tensor->count = (size_t)elements;
  return NL_OK;
}

// A path that leaves the model's folder is never followed.
static bool leaves_folder(nl_span path) {
  const uint8_t *p = path.bytes;
  if (path.size == 0 || p[0] == '/' || p[0] == '\\') return true;
  if (path.size >= 2 && p[1] == ':') return true;
  for (size_t start = 0, i = 0; i <= path.size; i++) {
    if (i < path.size && p[i] != '/' && p[i] != '\\') continue;
    if (i - start == 2 && p[start] == '.' && p[start + 1] == '.') return true;
    start = i + 1;
  }
  return false;
}

// A backslash parts folders on some machines and is a letter on others.
static bool is_ambiguous(nl_span path) {
  for (size_t i = 0; i < path.size; i++)
    if (path.bytes[i] == '\\' || path.bytes[i] < 0x20 || path.bytes[i] == 0x7F) return true;
  return false;
}

static nl_status check_external(nl_tensor *tensor, nl_error *error) {
  tensor->storage = NL_STORAGE_EXTERNAL;
  if (leaves_folder(tensor->location)) {
    return nl_fail_span(
        error, NL_ERROR_EXTERNAL, tensor->location,
        "that is outside the model's folder, so netlump does not open it. Save the model with its weights inside");
  }
  if (is_ambiguous(tensor->location)) {
    return nl_fail_span(error, NL_ERROR_EXTERNAL, tensor->location,
                        "a backslash or a control character in a file's name does not mean the same everywhere, so "
                        "netlump does not open it. Save the model with its weights inside");
  }
  const uint64_t wanted = (uint64_t)tensor->count * nl_type_size(tensor->type);
  if (tensor->length != 0 && tensor->length < wanted)
    return nl_fail_span_count(error, NL_ERROR_TRUNCATED, tensor->name, wanted, tensor->length);
  return NL_OK;
}

static nl_status check_raw(nl_tensor *tensor, nl_span raw, nl_error *error) {
  tensor->storage = NL_STORAGE_RAW;
  tensor->payload = raw;
  const size_t element = nl_type_size(tensor->type);
  if (element == 0) return NL_OK; // a type netlump does not know keeps its bytes unread
  const uint64_t wanted = (uint64_t)tensor->count * element;
  if (raw.size < wanted) return nl_fail_span_count(error, NL_ERROR_TRUNCATED, tensor->name, wanted, raw.size);
  if (raw.size > wanted)
    return nl_fail_span(error, NL_ERROR_SHAPE, tensor->name, "it holds more numbers than its shape says");
  return NL_OK;
}

static uint64_t number_at(const uint8_t *bytes) {
  uint64_t number = 0;
  for (int i = 7; i >= 0; i--) number = number << 8 | bytes[i];
  return number;
}

// Only floats are ever taken out of a file, and whole.
static nl_status check_away(nl_tensor *tensor, nl_span place, nl_error *error) {
  if (place.size != NL_AWAY_SIZE || !nl_type_is_float(tensor->type) || number_at(place.bytes + 8) > SIZE_MAX)
    return nl_fail_span(error, NL_ERROR_MALFORMED, tensor->name, "its place in the file is no place");
  NL_TRY(check_raw(tensor, (nl_span){NULL, (size_t)number_at(place.bytes + 8)}, error));
  tensor->storage = NL_STORAGE_AWAY;
  tensor->offset = number_at(place.bytes);
  return NL_OK;
}

static nl_status check_typed(nl_tensor *tensor, size_t strings, nl_error *error) {
  tensor->storage = NL_STORAGE_TYPED;
  nl_wire_type kind;
  const uint32_t number = nl_onnx_typed_field(tensor->type, &kind);
  size_t found = strings;
  if (number == 0 && tensor->type != NL_TYPE_STRING) return NL_OK;
  if (number != 0) NL_TRY(nl_elements_count(tensor->message, number, kind, &found, tensor->name, error));
  const uint64_t element = number == 0 ? 1 : nl_type_size(tensor->type);
  if (found < tensor->count)
    return nl_fail_span_count(error, NL_ERROR_TRUNCATED, tensor->name, tensor->count * element, found * element);
  if (found > tensor->count)
    return nl_fail_span(error, NL_ERROR_SHAPE, tensor->name, "it holds more numbers than its shape says");
  return NL_OK;
}

nl_status nl_onnx_read_tensor(nl_graph *graph, nl_span message, size_t node, nl_tensor *tensor, nl_error *error) {
  *tensor = (nl_tensor){.message = message, .node = node, .store = graph->store};
  parts found = {0};
  nl_wire wire = nl_wire_open(message);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    switch (field.tag) {
    case NL_TENSOR_NAME:
      tensor->name = field.bytes;
      break;
    case NL_TENSOR_TYPE:
      tensor->type = (nl_type)(int32_t)field.value;
      break;
    case NL_TENSOR_RAW:
      found.has_raw = true;
      found.raw = field.bytes;
      break;
    case NL_TENSOR_STRING_DATA:
      found.strings++;
      break;
    case NL_TENSOR_AWAY:
      if (graph->store != NULL) found.away = field.bytes; // else a field nobody knows
      break;
    case NL_TENSOR_EXTERNAL_DATA:
      NL_TRY(read_external_entry(tensor, field.bytes, error));
      break;
    case NL_TENSOR_LOCATION:
      found.external = field.value == 1;
      break;
    default:
      break;
    }
  }
  NL_TRY(nl_wire_close(&wire, tensor->name, error));
  NL_TRY(read_dims(&graph->arena, tensor, &found, error));
  if (found.external) return check_external(tensor, error);
  tensor->location = (nl_span){0};
  if (found.away.bytes != NULL) return check_away(tensor, found.away, error);
  return found.has_raw ? check_raw(tensor, found.raw, error) : check_typed(tensor, found.strings, error);
}

bool nl_onnx_is_constant_values(nl_span name) {
  return nl_span_is(name, "value_float") || nl_span_is(name, "value_floats") || nl_span_is(name, "value_int") ||
         nl_span_is(name, "value_ints");
}

nl_status nl_onnx_read_constant_values(nl_arena *arena, nl_span attribute, size_t node, nl_tensor *tensor,
                                       nl_error *error) {
  *tensor = (nl_tensor){.message = attribute, .node = node, .storage = NL_STORAGE_VALUES};
  nl_wire wire = nl_wire_open(attribute);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_ATTRIBUTE_NAME_TAG) tensor->name = field.bytes;
  }
  NL_TRY(nl_wire_close(&wire, tensor->name, error));
  const bool is_float = nl_span_is(tensor->name, "value_float") || nl_span_is(tensor->name, "value_floats");
  const bool is_list = nl_span_is(tensor->name, "value_floats") || nl_span_is(tensor->name, "value_ints");
  tensor->type = is_float ? NL_TYPE_F32 : NL_TYPE_I64;
  tensor->rank = is_list ? 1 : 0;
  uint32_t number;
  const nl_wire_type kind = nl_onnx_values_field(tensor, &number);
  NL_TRY(nl_elements_count(attribute, number, kind, &tensor->count, tensor->name, error));
  if (!is_list && tensor->count != 1)
    return nl_fail_span(error, NL_ERROR_MALFORMED, tensor->name, "a Constant without its value");
  int64_t *dims;
  NL_TAKE(arena, dims, int64_t, 1, error);
  dims[0] = (int64_t)tensor->count;
  tensor->dims = dims;
  return NL_OK;
}

nl_wire_type nl_onnx_values_field(const nl_tensor *tensor, uint32_t *number) {
  const bool is_float = tensor->type == NL_TYPE_F32;
  if (tensor->rank == 0)
    *number = is_float ? NL_ATTRIBUTE_F_NUMBER : NL_ATTRIBUTE_I_NUMBER;
  else
    *number = is_float ? NL_ATTRIBUTE_FLOATS_NUMBER : NL_ATTRIBUTE_INTS_NUMBER;
  return is_float ? NL_WIRE_FIXED32 : NL_WIRE_VARINT;
}
