#include "names.h"

typedef struct nl_name_entry {
  nl_span name; // size 0: free
  size_t index;
} nl_name_entry;

// FNV-1a, 64 bit
static size_t hash(nl_span name) {
  uint64_t h = 14695981039346656037u;
  for (size_t i = 0; i < name.size; i++) h = (h ^ name.bytes[i]) * 1099511628211u;
  return (size_t)(h ^ h >> 32);
}

nl_status nl_names_create(nl_names *names, nl_arena *arena, size_t count, nl_error *error) {
  size_t size = 16;
  while (size / 2 < count) {
    if (size > SIZE_MAX / 2) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, UINT64_MAX, 0);
    size *= 2;
  }
  NL_TAKE(arena, names->entries, nl_name_entry, size, error);
  names->mask = size - 1;
  return NL_OK;
}

static nl_name_entry *slot_of(const nl_names *names, nl_span name) {
  size_t at = hash(name) & names->mask;
  while (names->entries[at].name.size != 0 && !nl_span_equal(names->entries[at].name, name))
    at = (at + 1) & names->mask;
  return &names->entries[at];
}

size_t nl_names_find(const nl_names *names, nl_span name) {
  if (name.size == 0 || names->entries == NULL) return NL_NONE;
  const nl_name_entry *entry = slot_of(names, name);
  return entry->name.size == 0 ? NL_NONE : entry->index;
}

bool nl_names_add(nl_names *names, nl_span name, size_t index) {
  if (name.size == 0) return false;
  nl_name_entry *entry = slot_of(names, name);
  if (entry->name.size != 0) return false;
  *entry = (nl_name_entry){name, index};
  return true;
}
