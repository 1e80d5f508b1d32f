// store: bytes that stay out of memory. A model's file may be too large to be held: the caller then gives the model with its large
// tensors taken out of it, each replaced by a field that says where in the file its bytes are (NL_TENSOR_AWAY in onnx_parts.h), and
// this way to read them piece by piece. What is made instead of them goes back out by `keep`, so that it is not held either.
#ifndef NL_STORE_H
#define NL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nl_store {
  void *context;
  // False where the bytes are not there.
  bool (*read)(void *context, uint64_t offset, void *bytes, size_t size);
  // Keeps the bytes; where to read them from, 0 where there is no room. Never an offset within the file.
  uint64_t (*keep)(void *context, const void *bytes, size_t size);
} nl_store;

#endif
