// tensor: elements out of a tensor's bytes and back.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_parts.h"

enum { PIECE = 1 << 20 }; // bytes read at once of what is away

bool nl_type_is_float(nl_type type) {
  return type == NL_TYPE_F32 || type == NL_TYPE_F16 || type == NL_TYPE_F64 || type == NL_TYPE_BF16;
}

double nl_type_rounding(nl_type type) {
  switch (type) {
  case NL_TYPE_BF16:
    return 0x1p-9;
  case NL_TYPE_F16:
    return 0x1p-11;
  case NL_TYPE_F32:
    return 0x1p-24;
  case NL_TYPE_F64:
    return 0x1p-53;
  default:
    return 0;
  }
}

size_t nl_type_size(nl_type type) {
  switch (type) {
  case NL_TYPE_U8:
  case NL_TYPE_I8:
  case NL_TYPE_BOOL:
    return 1;
  case NL_TYPE_U16:
  case NL_TYPE_I16:
  case NL_TYPE_F16:
  case NL_TYPE_BF16:
    return 2;
  case NL_TYPE_F32:
  case NL_TYPE_I32:
  case NL_TYPE_U32:
    return 4;
  case NL_TYPE_F64:
  case NL_TYPE_I64:
  case NL_TYPE_U64:
    return 8;
  default:
    return 0;
  }
}

// ---- decoding: an element's bits (as many as its type has; typed storage may hold more) to a number -------------------

static double from_f32(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return (double)value;
}

static double from_f16(uint32_t bits) {
  const uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  double size;
  if (exponent == 31)
    size = fraction == 0 ? (double)INFINITY : (double)NAN;
  else if (exponent == 0)
    size = ldexp((double)fraction, -24);
  else
    size = ldexp((double)(fraction | 1024), (int)exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

static int64_t decode_int(nl_type type, uint64_t bits) {
  switch (type) {
  case NL_TYPE_U8:
    return (uint8_t)bits;
  case NL_TYPE_I8:
    return (int8_t)bits;
  case NL_TYPE_BOOL:
    return (uint8_t)bits != 0;
  case NL_TYPE_U16:
    return (uint16_t)bits;
  case NL_TYPE_I16:
    return (int16_t)bits;
  case NL_TYPE_I32:
    return (int32_t)bits;
  case NL_TYPE_U32:
    return (uint32_t)bits;
  default:
    return (int64_t)bits;
  }
}

static double decode(nl_type type, uint64_t bits) {
  double value;
  switch (type) {
  case NL_TYPE_F32:
    return from_f32((uint32_t)bits);
  case NL_TYPE_F64:
    memcpy(&value, &bits, sizeof value);
    return value;
  case NL_TYPE_F16:
    return from_f16((uint32_t)bits & 0xFFFF);
  case NL_TYPE_BF16:
    return from_f32((uint32_t)bits << 16);
  case NL_TYPE_U64:
    return (double)bits;
  default:
    return (double)decode_int(type, bits);
  }
}

// ---- the elements of a tensor, one by one ----------------------------------------------------------------------------

typedef struct source {
  const uint8_t *at; // raw, NULL for typed
  size_t size;       // of an element
  nl_elements typed;
} source;

static nl_status open_source(const nl_tensor *tensor, source *from, nl_error *error) {
  from->at = NULL;
  from->size = nl_type_size(tensor->type);
  if (from->size == 0) {
    return nl_fail_span(error, NL_ERROR_UNSUPPORTED, tensor->name, "its numbers are of a type netlump does not read");
  }
  if (tensor->storage == NL_STORAGE_VALUES) {
    uint32_t number;
    const nl_wire_type kind = nl_onnx_values_field(tensor, &number);
    from->typed = nl_elements_open(tensor->message, number, kind);
  } else if (tensor->storage == NL_STORAGE_TYPED) {
    nl_wire_type kind;
    const uint32_t number = nl_onnx_typed_field(tensor->type, &kind);
    from->typed = nl_elements_open(tensor->message, number, kind);
  } else {
    from->at = tensor->payload.bytes;
    if (from->at == NULL && tensor->count != 0) return nl_fail_span(error, NL_ERROR_EXTERNAL, tensor->location, NULL);
  }
  return NL_OK;
}

static uint64_t next_bits(source *from) {
  uint64_t bits = 0;
  if (from->at == NULL) {
    nl_elements_next(&from->typed, &bits); // there are `count`: the reader has counted them
    return bits;
  }
  for (size_t i = 0; i < from->size; i++) bits |= (uint64_t)from->at[i] << (8 * i);
  from->at += from->size;
  return bits;
}

// Elements of raw bytes; an f32 at a time, what nearly all are.
static void decode_raw(nl_type type, const uint8_t *bytes, size_t count, double *dst) {
  source from = {.at = bytes, .size = nl_type_size(type)};
  for (size_t i = 0; type != NL_TYPE_F32 && i < count; i++) dst[i] = decode(type, next_bits(&from));
  for (size_t i = 0; type == NL_TYPE_F32 && i < count; i++) {
    float value;
    memcpy(&value, bytes + i * sizeof value, sizeof value);
    dst[i] = (double)value;
  }
}

static nl_status read_away(const nl_tensor *tensor, size_t first, size_t count, double *dst, nl_error *error) {
  const size_t size = nl_type_size(tensor->type), most = PIECE / size;
  uint8_t *bytes = malloc(PIECE);
  bool fine = true;
  if (bytes == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, PIECE, 0);
  for (size_t done = 0, some; fine && done < count; done += some) {
    some = count - done < most ? count - done : most;
    fine = tensor->store->read(tensor->store->context, tensor->offset + (uint64_t)(first + done) * size, bytes,
                               some * size);
    if (fine) decode_raw(tensor->type, bytes, some, dst + done);
  }
  free(bytes);
  return fine ? NL_OK : nl_fail_span(error, NL_ERROR_TRUNCATED, tensor->name, NULL);
}

nl_status nl_tensor_read_part(const nl_tensor *tensor, size_t first, size_t count, double *dst, nl_error *error) {
  if (tensor->storage == NL_STORAGE_AWAY) return read_away(tensor, first, count, dst, error);
  decode_raw(tensor->type, tensor->payload.bytes + first * nl_type_size(tensor->type), count, dst);
  return NL_OK;
}

nl_status nl_tensor_read(const nl_tensor *tensor, double *dst, nl_error *error) {
  if (tensor->storage == NL_STORAGE_AWAY) return read_away(tensor, 0, tensor->count, dst, error);
  source from;
  NL_TRY(open_source(tensor, &from, error));
  for (size_t i = 0; i < tensor->count; i++) dst[i] = decode(tensor->type, next_bits(&from));
  return NL_OK;
}

nl_status nl_tensor_read_int(const nl_tensor *tensor, int64_t *dst, nl_error *error) {
  if (nl_type_is_float(tensor->type))
    return nl_fail_span(error, NL_ERROR_UNSUPPORTED, tensor->name, "whole numbers are expected in it");
  source from;
  NL_TRY(open_source(tensor, &from, error));
  for (size_t i = 0; i < tensor->count; i++) dst[i] = decode_int(tensor->type, next_bits(&from));
  return NL_OK;
}

// ---- encoding --------------------------------------------------------------------------------------------------------

// A double's bits in a narrower IEEE format with `fraction` fraction bits and exponents from `lowest` up, rounded to
// nearest even in one step (by way of f32 it would be two). Overflow gives infinity, as the carry does by itself.
static uint32_t narrow(double value, unsigned fraction, int lowest, unsigned exponent_bits) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t sign = (uint32_t)(bits >> 63) << (fraction + exponent_bits);
  const uint32_t infinity = ((1u << exponent_bits) - 1) << fraction;
  const int exponent = (int)(bits >> 52 & 2047) - 1023;
  if (exponent == 1024) return sign | infinity | ((bits << 12) != 0 ? 1u << (fraction - 1) : 0);
  const int below = exponent < lowest ? lowest - exponent : 0; // subnormal in the narrow format
  if (exponent == -1023 || below > (int)fraction + 1) return sign;
  const uint64_t whole = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
  const unsigned drop = 52 - fraction + (unsigned)below;
  const uint64_t rest = whole & ((UINT64_C(1) << drop) - 1), half = UINT64_C(1) << (drop - 1);
  uint64_t kept = whole >> drop;
  kept += rest > half || (rest == half && (kept & 1) != 0);
  const uint64_t base =
      below != 0 ? 0 : (uint64_t)(exponent - lowest) << fraction; // kept's leading one adds the first exponent
  const uint64_t result = base + kept;
  return sign | (result >= infinity ? infinity : (uint32_t)result);
}

static uint64_t to_f32(double value) {
  const float narrowed = fabs(value) > 3.5e38 ? (value < 0 ? -INFINITY : INFINITY) : (float)value;
  uint32_t bits;
  memcpy(&bits, &narrowed, sizeof bits);
  return bits;
}

static uint64_t to_int(double value) {
  const double limit = 9223372036854775808.0;
  if (!(value > -limit)) return (uint64_t)INT64_MIN; // NaN too
  return value >= limit ? (uint64_t)INT64_MAX : (uint64_t)(int64_t)nearbyint(value);
}

static uint64_t encode(nl_type type, double value) {
  uint64_t bits;
  switch (type) {
  case NL_TYPE_F32:
    return to_f32(value);
  case NL_TYPE_F64:
    memcpy(&bits, &value, sizeof bits);
    return bits;
  case NL_TYPE_F16:
    return narrow(value, 10, -14, 5);
  case NL_TYPE_BF16:
    return narrow(value, 7, -126, 8);
  default:
    return to_int(value);
  }
}

static uint8_t *put_bits(uint64_t bits, size_t size, uint8_t *dst) {
  for (size_t k = 0; k < size; k++) *dst++ = (uint8_t)(bits >> (8 * k));
  return dst;
}

void nl_tensor_encode(nl_type type, const double *values, size_t count, uint8_t *dst) {
  for (size_t i = 0; i < count; i++) dst = put_bits(encode(type, values[i]), nl_type_size(type), dst);
}

void nl_tensor_encode_int(nl_type type, const int64_t *values, size_t count, uint8_t *dst) {
  for (size_t i = 0; i < count; i++) dst = put_bits((uint64_t)values[i], nl_type_size(type), dst);
}

size_t nl_graph_parameters(const nl_graph *graph) {
  size_t count = 0;
  for (size_t i = 0; i < graph->tensor_count; i++)
    if (nl_type_is_float(graph->tensors[i].type)) count += graph->tensors[i].count;
  return count;
}
