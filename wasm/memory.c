// memory: copies and fills, eight bytes at a time. Those of emscripten's library go byte by byte where a module is made small (-Oz), and
// calloc goes through them.
#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((aligned(1), may_alias)) word;

// No loop is to become a call of the function that it stands in.
#define ITSELF __attribute__((no_builtin("memcpy", "memset")))

ITSELF void *memset(void *to, int value, size_t size) {
  uint8_t *at = to;
  const word filled = 0x0101010101010101u * (uint8_t)value;
  for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word)) *(word *)(void *)at = filled;
  for (; size > 0; size--) *at++ = (uint8_t)value;
  return to;
}

ITSELF void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  uint8_t *at = to;
  const uint8_t *next = from;
  for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word), next += sizeof(word))
    *(word *)(void *)at = *(const word *)(const void *)next;
  for (; size > 0; size--) *at++ = *next++;
  return to;
}
