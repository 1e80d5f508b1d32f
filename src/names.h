// names: a tree from name to index, for values of a graph. Sized once, never grows.
//
// A lookup looks at no more bits than the name has, whatever other names there are: files choose their names.
#ifndef NL_NAMES_H
#define NL_NAMES_H

#include "graph.h"

typedef struct nl_names {
  struct nl_name_entry *entries; // (count, with room for more), in the order they came
  size_t count;
} nl_names;

nl_status nl_names_create(nl_names *names, nl_arena *arena, size_t count,
                          nl_error *error);                     // room for `count` calls of add
size_t nl_names_find(const nl_names *names, nl_span name);      // NL_NONE when absent
bool nl_names_add(nl_names *names, nl_span name, size_t index); // false when it is there already, or is empty

#endif
