// arena: memory that lives as long as its owner and goes at once; and a growing byte buffer for output.
#ifndef NL_ARENA_H
#define NL_ARENA_H

#include "status.h"

typedef struct nl_arena {
  struct nl_arena_block *last;
  size_t used; // bytes handed out
} nl_arena;

// `count` zeroed elements of `size` bytes, aligned to 16; NULL when memory is out or count*size overflows.
void *nl_arena_take(nl_arena *arena, size_t count, size_t size);
// Fails with NL_ERROR_MEMORY, saying that `count` elements of `size` bytes were wanted.
nl_status nl_no_memory(nl_error *error, size_t count, size_t size);
void nl_arena_free(nl_arena *arena); // everything; the arena can be used again

// Takes an array of `count` `type`s into `pointer`, or returns NL_ERROR_MEMORY from the calling function.
#define NL_TAKE(arena, pointer, type, count, error)                                                                    \
  do {                                                                                                                 \
    (pointer) = (type *)nl_arena_take((arena), (count), sizeof(type));                                                 \
    if ((pointer) == NULL) return nl_no_memory((error), (count), sizeof(type));                                        \
  } while (0)

typedef struct nl_buffer {
  uint8_t *bytes; // owned; freed by nl_buffer_free
  size_t size;
  size_t capacity;
} nl_buffer;

nl_status nl_buffer_append(nl_buffer *buffer, const void *bytes, size_t size, nl_error *error);
void nl_buffer_free(nl_buffer *buffer); // takes an empty buffer; leaves one

#endif
