// names: a table from name to index, for values of a graph. Sized once, never grows.
#ifndef NL_NAMES_H
#define NL_NAMES_H

#include "graph.h"

typedef struct nl_names {
  struct nl_name_entry *entries; // (mask + 1), a power of two, at most half full
  size_t mask;
} nl_names;

nl_status nl_names_create(nl_names *names, nl_arena *arena, size_t count, nl_error *error); // room for `count`
size_t nl_names_find(const nl_names *names, nl_span name);                                  // NL_NONE when absent
bool nl_names_add(nl_names *names, nl_span name, size_t index); // false when it is there already, or is empty

#endif
