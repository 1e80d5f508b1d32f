// A PATRICIA tree (Morrison 1968) whose nodes are the entries themselves: one that came later stands at the first bit at which
// it differs from what was there. Bits are read nine a byte, the first of which says that there is a byte at all.
#include "names.h"

typedef struct nl_name_entry {
  nl_span name;
  size_t index;
  size_t bit;      // which tells its two sides apart; of the first entry, which has one side: none
  size_t sides[2]; // entries; one whose bit is not larger is where the search ends
} nl_name_entry;

enum { BITS = 9 };

nl_status nl_names_create(nl_names *names, nl_arena *arena, size_t count, nl_error *error) {
  *names = (nl_names){0};
  NL_TAKE(arena, names->entries, nl_name_entry, count, error);
  return NL_OK;
}

static size_t side_of(nl_span name, size_t bit) {
  const size_t byte = bit / BITS, within = bit % BITS;
  if (byte >= name.size) return 0;
  return within == 0 ? 1 : name.bytes[byte] >> (BITS - 1 - within) & 1;
}

// The first bit at which two names differ; SIZE_MAX where they are one.
static size_t difference(nl_span a, nl_span b) {
  const size_t shorter = a.size < b.size ? a.size : b.size;
  size_t byte = 0, bit = 1;
  while (byte < shorter && a.bytes[byte] == b.bytes[byte]) byte++;
  if (byte == shorter) return a.size == b.size ? SIZE_MAX : byte * BITS;
  while (side_of(a, byte * BITS + bit) == side_of(b, byte * BITS + bit)) bit++;
  return byte * BITS + bit;
}

// Where a search that looks at no bit from `most` on ends, and the side of which entry led there. All entries below agree up to
// there with the one it ends at.
static size_t search(const nl_names *names, nl_span name, size_t most, size_t **link) {
  nl_name_entry *entries = names->entries;
  size_t *side = &entries[0].sides[0];
  for (size_t above = 0; entries[*side].bit > above && entries[*side].bit < most;) {
    above = entries[*side].bit;
    side = &entries[*side].sides[side_of(name, above)];
  }
  if (link != NULL) *link = side;
  return *side;
}

// The entry that is this name, or differs from it last among those that could be it.
static size_t nearest(const nl_names *names, nl_span name) { return search(names, name, name.size * BITS + 1, NULL); }

size_t nl_names_find(const nl_names *names, nl_span name) {
  if (name.size == 0 || names->count == 0) return NL_NONE;
  const nl_name_entry *entry = &names->entries[nearest(names, name)];
  return nl_span_equal(entry->name, name) ? entry->index : NL_NONE;
}

bool nl_names_add(nl_names *names, nl_span name, size_t index) {
  if (name.size == 0) return false;
  nl_name_entry *entry = &names->entries[names->count];
  *entry = (nl_name_entry){.name = name, .index = index};
  if (names->count > 0) {
    entry->bit = difference(names->entries[nearest(names, name)].name, name);
    if (entry->bit == SIZE_MAX) return false;
    size_t *link;
    const size_t below = search(names, name, entry->bit, &link), side = side_of(name, entry->bit);
    entry->sides[side] = names->count;
    entry->sides[1 - side] = below;
    *link = names->count;
  }
  names->count++;
  return true;
}
