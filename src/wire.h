// wire: protobuf's wire format over spans, bounded. The reader hands out fields one by one, each with the span of its
// whole encoding, so that a message can be copied field by field without understanding all of it. Never reads outside
// the span it was opened on, takes no memory, follows no nesting by itself.
#ifndef NL_WIRE_H
#define NL_WIRE_H

#include <stdbool.h>

#include "arena.h"

typedef enum nl_wire_type {
  NL_WIRE_VARINT = 0,
  NL_WIRE_FIXED64 = 1,
  NL_WIRE_BYTES = 2,
  NL_WIRE_FIXED32 = 5
} nl_wire_type;

// A field's tag: its number and wire type in one. Readers switch on it, so a known number with a foreign wire type is
// an unknown field, as in protobuf.
#define NL_TAG(number, type) ((uint32_t)(number) << 3 | (uint32_t)(type))

typedef struct nl_field {
  uint32_t tag;
  uint64_t value; // varint, fixed32 and fixed64
  nl_span bytes;  // length-delimited
  nl_span whole;  // tag, length and content
} nl_field;

typedef enum nl_wire_fault {
  NL_WIRE_FINE = 0,
  NL_WIRE_SHORT, // a field reaches beyond the end: `expected` bytes, `found` there
  NL_WIRE_BAD    // not protobuf: varint over 64 bits, field number 0, a group, an unknown wire type
} nl_wire_fault;

typedef struct nl_wire {
  const uint8_t *at, *end;
  nl_wire_fault fault;
  uint32_t fault_tag; // SHORT: the field that does not fit
  uint64_t expected, found;
} nl_wire;

nl_wire nl_wire_open(nl_span message);
// The next field; false at the end or at a fault.
bool nl_wire_next(nl_wire *wire, nl_field *field);
// Ends a walk: NL_OK, or NL_ERROR_MALFORMED at `place` when it stopped at a fault.
nl_status nl_wire_close(const nl_wire *wire, nl_span place, nl_error *error);

// --- the elements of a repeated number field, packed or not
typedef struct nl_elements {
  nl_wire wire;
  nl_wire_type kind;
  uint32_t number;
  nl_wire chunk; // a packed run being read
} nl_elements;

nl_elements nl_elements_open(nl_span message, uint32_t number, nl_wire_type kind);
bool nl_elements_next(nl_elements *elements, uint64_t *bits); // false at the end or at a fault in elements->wire
nl_status nl_elements_count(nl_span message, uint32_t number, nl_wire_type kind, size_t *count, nl_span place,
                            nl_error *error);

// --- writer
nl_status nl_wire_put_varint(nl_buffer *out, uint64_t value, nl_error *error);
nl_status nl_wire_put_int(nl_buffer *out, uint32_t number, int64_t value, nl_error *error);
nl_status nl_wire_put_float(nl_buffer *out, uint32_t number, float value, nl_error *error);
nl_status nl_wire_put_bytes(nl_buffer *out, uint32_t number, nl_span bytes, nl_error *error);
nl_status nl_wire_put_text(nl_buffer *out, uint32_t number, const char *text, nl_error *error);
nl_status nl_wire_put_field(nl_buffer *out, const nl_field *field, nl_error *error); // verbatim
// A nested message: begin, write its fields, end. The length is put in where it belongs when it is known.
nl_status nl_wire_begin(nl_buffer *out, uint32_t number, size_t *mark, nl_error *error);
nl_status nl_wire_end(nl_buffer *out, size_t mark, nl_error *error);

#endif
