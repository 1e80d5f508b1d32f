// arena: blocks in a list; each request is cut from the newest block or gets a block of its own.
#include "arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16, BLOCK_SIZE = 32 * 1024 };

typedef struct nl_arena_block {
  struct nl_arena_block *previous;
  size_t size; // bytes after the header
  size_t used;
  size_t padding; // keeps the header a multiple of ALIGNMENT on 64 and 32 bit
} nl_arena_block;

static_assert(sizeof(nl_arena_block) % ALIGNMENT == 0, "a block's bytes must start aligned");

static nl_arena_block *add_block(nl_arena *arena, size_t wanted) {
  const size_t size = wanted > BLOCK_SIZE ? wanted : BLOCK_SIZE;
  if (size > SIZE_MAX - sizeof(nl_arena_block)) return NULL;
  nl_arena_block *block = calloc(1, sizeof(nl_arena_block) + size);
  if (block == NULL) return NULL;
  block->size = size;
  // A request that fills a block alone goes behind the newest one, whose room is still good.
  if (wanted > BLOCK_SIZE && arena->last != NULL) {
    block->previous = arena->last->previous;
    arena->last->previous = block;
  } else {
    block->previous = arena->last;
    arena->last = block;
  }
  return block;
}

void *nl_arena_take(nl_arena *arena, size_t count, size_t size) {
  if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size) return NULL;
  size_t wanted = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (wanted == 0) wanted = ALIGNMENT; // so that no array is NULL
  nl_arena_block *block = arena->last;
  if (block == NULL || block->size - block->used < wanted) block = add_block(arena, wanted);
  if (block == NULL) return NULL;
  uint8_t *bytes = (uint8_t *)(block + 1) + block->used;
  block->used += wanted;
  arena->used += wanted;
  return bytes;
}

nl_status nl_no_memory(nl_error *error, size_t count, size_t size) {
  const uint64_t bytes = size != 0 && count > SIZE_MAX / size ? UINT64_MAX : (uint64_t)count * size;
  return nl_fail_count(error, NL_ERROR_MEMORY, NULL, bytes != 0 ? bytes : 1, 0);
}

void nl_arena_free(nl_arena *arena) {
  for (nl_arena_block *block = arena->last; block != NULL;) {
    nl_arena_block *previous = block->previous;
    free(block);
    block = previous;
  }
  *arena = (nl_arena){0};
}

nl_status nl_buffer_append(nl_buffer *buffer, const void *bytes, size_t size, nl_error *error) {
  if (size == 0) return NL_OK;
  if (size > SIZE_MAX - buffer->size) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, UINT64_MAX, 0);
  const size_t wanted = buffer->size + size;
  if (wanted > buffer->capacity) {
    // The step grows with the buffer, but never asks for more than half as much again of a large one.
    size_t capacity = buffer->capacity + buffer->capacity / 2;
    if (capacity < wanted) capacity = wanted;
    if (capacity < 256) capacity = 256;
    uint8_t *grown = realloc(buffer->bytes, capacity);
    if (grown == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, capacity, 0);
    buffer->bytes = grown;
    buffer->capacity = capacity;
  }
  if (bytes != NULL)
    memcpy(buffer->bytes + buffer->size, bytes, size);
  else
    memset(buffer->bytes + buffer->size, 0, size);
  buffer->size = wanted;
  return NL_OK;
}

void nl_buffer_free(nl_buffer *buffer) {
  if (buffer == NULL) return;
  free(buffer->bytes);
  *buffer = (nl_buffer){0};
}
