#include "wire.h"

#include <string.h>

nl_wire nl_wire_open(nl_span message) {
  static const uint8_t none = 0;
  const uint8_t *start = message.bytes != NULL ? message.bytes : &none;
  return (nl_wire){.at = start, .end = start + message.size};
}

static bool fault(nl_wire *wire, nl_wire_fault kind, uint32_t tag, uint64_t expected) {
  wire->fault = kind;
  wire->fault_tag = tag;
  wire->expected = expected;
  wire->found = (uint64_t)(wire->end - wire->at);
  return false;
}

static bool read_varint(nl_wire *wire, uint64_t *value) {
  uint64_t result = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (wire->at == wire->end) return fault(wire, NL_WIRE_SHORT, 0, 1);
    const uint8_t byte = *wire->at++;
    if (shift == 63 && byte > 1) break;
    result |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) {
      *value = result;
      return true;
    }
  }
  return fault(wire, NL_WIRE_BAD, 0, 0);
}

static bool read_fixed(nl_wire *wire, size_t size, uint32_t tag, uint64_t *value) {
  if ((size_t)(wire->end - wire->at) < size) return fault(wire, NL_WIRE_SHORT, tag, size);
  uint64_t result = 0;
  for (size_t i = 0; i < size; i++) result |= (uint64_t)wire->at[i] << (8 * i);
  wire->at += size;
  *value = result;
  return true;
}

static bool read_content(nl_wire *wire, nl_field *field) {
  uint64_t size = 0;
  switch (field->tag & 7) {
  case NL_WIRE_VARINT:
    return read_varint(wire, &field->value);
  case NL_WIRE_FIXED64:
    return read_fixed(wire, 8, field->tag, &field->value);
  case NL_WIRE_FIXED32:
    return read_fixed(wire, 4, field->tag, &field->value);
  case NL_WIRE_BYTES:
    if (!read_varint(wire, &size)) return false;
    if (size > (uint64_t)(wire->end - wire->at)) return fault(wire, NL_WIRE_SHORT, field->tag, size);
    field->bytes = (nl_span){wire->at, (size_t)size};
    wire->at += (size_t)size;
    return true;
  default:
    return fault(wire, NL_WIRE_BAD, field->tag, 0);
  }
}

bool nl_wire_next(nl_wire *wire, nl_field *field) {
  if (wire->fault != NL_WIRE_FINE || wire->at == wire->end) return false;
  const uint8_t *start = wire->at;
  *field = (nl_field){0};
  uint64_t tag = 0;
  if (!read_varint(wire, &tag)) return false;
  if (tag > UINT32_MAX || tag >> 3 == 0) return fault(wire, NL_WIRE_BAD, 0, 0);
  field->tag = (uint32_t)tag;
  if (!read_content(wire, field)) return false;
  field->whole = (nl_span){start, (size_t)(wire->at - start)};
  return true;
}

nl_status nl_wire_close(const nl_wire *wire, nl_span place, nl_error *error) {
  if (wire->fault == NL_WIRE_FINE) return NL_OK;
  return nl_fail_span(error, NL_ERROR_MALFORMED, place,
                      wire->fault == NL_WIRE_SHORT ? "a part reaches beyond its end" : "its bytes are damaged");
}

nl_elements nl_elements_open(nl_span message, uint32_t number, nl_wire_type kind) {
  return (nl_elements){
      .wire = nl_wire_open(message), .kind = kind, .number = number, .chunk = nl_wire_open((nl_span){0})};
}

bool nl_elements_next(nl_elements *elements, uint64_t *bits) {
  nl_field field;
  while (elements->chunk.at == elements->chunk.end) {
    if (!nl_wire_next(&elements->wire, &field)) return false;
    if (field.tag == NL_TAG(elements->number, elements->kind)) {
      *bits = field.value;
      return true;
    }
    if (field.tag == NL_TAG(elements->number, NL_WIRE_BYTES)) elements->chunk = nl_wire_open(field.bytes);
  }
  nl_wire *chunk = &elements->chunk;
  const bool read = elements->kind == NL_WIRE_VARINT
                        ? read_varint(chunk, bits)
                        : read_fixed(chunk, elements->kind == NL_WIRE_FIXED32 ? 4 : 8, 0, bits);
  if (!read) elements->wire.fault = chunk->fault;
  return read;
}

nl_status nl_elements_count(nl_span message, uint32_t number, nl_wire_type kind, size_t *count, nl_span place,
                            nl_error *error) {
  nl_elements elements = nl_elements_open(message, number, kind);
  uint64_t bits;
  for (*count = 0; nl_elements_next(&elements, &bits);) ++*count;
  return nl_wire_close(&elements.wire, place, error);
}

static size_t encode_varint(uint64_t value, uint8_t dst[10]) {
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) dst[size++] = (uint8_t)(value | 0x80);
  dst[size++] = (uint8_t)value;
  return size;
}

nl_status nl_wire_put_varint(nl_buffer *out, uint64_t value, nl_error *error) {
  uint8_t bytes[10];
  return nl_buffer_append(out, bytes, encode_varint(value, bytes), error);
}

nl_status nl_wire_put_int(nl_buffer *out, uint32_t number, int64_t value, nl_error *error) {
  NL_TRY(nl_wire_put_varint(out, NL_TAG(number, NL_WIRE_VARINT), error));
  return nl_wire_put_varint(out, (uint64_t)value, error);
}

nl_status nl_wire_put_float(nl_buffer *out, uint32_t number, float value, nl_error *error) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint8_t bytes[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
  NL_TRY(nl_wire_put_varint(out, NL_TAG(number, NL_WIRE_FIXED32), error));
  return nl_buffer_append(out, bytes, sizeof bytes, error);
}

nl_status nl_wire_put_bytes(nl_buffer *out, uint32_t number, nl_span bytes, nl_error *error) {
  NL_TRY(nl_wire_put_varint(out, NL_TAG(number, NL_WIRE_BYTES), error));
  NL_TRY(nl_wire_put_varint(out, bytes.size, error));
  return nl_buffer_append(out, bytes.bytes, bytes.size, error);
}

nl_status nl_wire_put_text(nl_buffer *out, uint32_t number, const char *text, nl_error *error) {
  return nl_wire_put_bytes(out, number, (nl_span){(const uint8_t *)text, strlen(text)}, error);
}

nl_status nl_wire_put_field(nl_buffer *out, const nl_field *field, nl_error *error) {
  return nl_buffer_append(out, field->whole.bytes, field->whole.size, error);
}

nl_status nl_wire_begin(nl_buffer *out, uint32_t number, size_t *mark, nl_error *error) {
  NL_TRY(nl_wire_put_varint(out, NL_TAG(number, NL_WIRE_BYTES), error));
  *mark = out->size;
  return NL_OK;
}

nl_status nl_wire_end(nl_buffer *out, size_t mark, nl_error *error) {
  uint8_t length[10];
  const size_t size = out->size - mark;
  const size_t room = encode_varint(size, length);
  NL_TRY(nl_buffer_append(out, NULL, room, error));
  memmove(out->bytes + mark + room, out->bytes + mark, size);
  memcpy(out->bytes + mark, length, room);
  return NL_OK;
}
