// types: what an element of a tensor can be.
#ifndef NL_TYPES_H
#define NL_TYPES_H

// ONNX TensorProto.DataType
typedef enum nl_type {
  NL_TYPE_NONE = 0,
  NL_TYPE_F32 = 1,
  NL_TYPE_U8 = 2,
  NL_TYPE_I8 = 3,
  NL_TYPE_U16 = 4,
  NL_TYPE_I16 = 5,
  NL_TYPE_I32 = 6,
  NL_TYPE_I64 = 7,
  NL_TYPE_STRING = 8,
  NL_TYPE_BOOL = 9,
  NL_TYPE_F16 = 10,
  NL_TYPE_F64 = 11,
  NL_TYPE_U32 = 12,
  NL_TYPE_U64 = 13,
  NL_TYPE_BF16 = 16
} nl_type;

#endif
