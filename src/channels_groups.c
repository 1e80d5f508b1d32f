// Groups while they are found out: union-find whose roots may be replaced by strips of others.
#include <string.h>

#include "channels_build.h"

enum { PILE_MOST = 2 * NL_STRIP_MOST };

// ---- roots -----------------------------------------------------------------------------------------------------------

void *nl_trace_grown(nl_tracing *t, void *array, size_t count, size_t *room, size_t size) {
  if (count < *room) return array;
  const size_t wanted = *room < 64 ? 64 : *room * 2;
  void *grown = nl_arena_take(&t->arena, wanted, size);
  if (grown == NULL) {
    t->status = nl_fail_count(t->error, NL_ERROR_MEMORY, NULL, (uint64_t)wanted * size, 0);
    return NULL;
  }
  if (count != 0) memcpy(grown, array, count * size);
  *room = wanted;
  return grown;
}

size_t nl_trace_root(nl_tracing *t, size_t width, nl_reason reason, size_t node) {
  nl_root *roots = nl_trace_grown(t, t->roots, t->root_count, &t->root_room, sizeof *roots);
  if (roots == NULL) return 0;
  t->roots = roots;
  t->roots[t->root_count] = (nl_root){t->root_count, width, reason, node, 0, NULL};
  return t->root_count++;
}

size_t nl_trace_find(const nl_tracing *t, size_t root) {
  while (t->roots[root].parent != root) {
    t->roots[root].parent = t->roots[t->roots[root].parent].parent;
    root = t->roots[root].parent;
  }
  return root;
}

static void pin_root(nl_tracing *t, size_t root, nl_reason reason, size_t node) {
  nl_root *pinned = &t->roots[nl_trace_find(t, root)];
  const bool edge = reason == NL_REASON_INPUT || reason == NL_REASON_OUTPUT;
  if (reason == NL_REASON_NONE || (pinned->reason != NL_REASON_NONE && !edge)) return;
  pinned->reason = reason;
  pinned->reason_node = node;
}

static void join(nl_tracing *t, size_t a, size_t b) {
  const size_t first = a < b ? a : b, second = a < b ? b : a;
  if (first == second) return;
  t->roots[second].parent = first;
  pin_root(t, first, t->roots[second].reason, t->roots[second].reason_node);
}

static void replace(nl_tracing *t, size_t root, nl_strip *strip) {
  size_t *replaced = nl_trace_grown(t, t->replaced, t->replaced_count, &t->replaced_room, sizeof *replaced);
  if (replaced == NULL) return;
  t->replaced = replaced;
  t->replaced[t->replaced_count++] = root;
  t->roots[root].strip = strip;
}

// The root becomes two: channels before `at` and the others.
static void cut(nl_tracing *t, size_t root, size_t at) {
  const size_t rest = t->roots[root].width - at;
  const nl_segment halves[] = {{nl_trace_root(t, at, NL_REASON_NONE, NL_NONE), at, 1, 1},
                               {nl_trace_root(t, rest, NL_REASON_NONE, NL_NONE), rest, 1, 1}};
  replace(t, root, nl_trace_strip(t, 2, halves));
}

void nl_trace_inherit(nl_tracing *t) {
  for (size_t i = 0; i < t->replaced_count; i++) {
    const nl_root *root = &t->roots[t->replaced[i]];
    nl_trace_pin(t, root->strip, root->reason, root->reason_node);
  }
}

// ---- strips ----------------------------------------------------------------------------------------------------------

static size_t length_of(const nl_segment *segment) { return segment->tile * segment->width * segment->run; }

nl_strip *nl_trace_strip(nl_tracing *t, size_t count, const nl_segment *segments) {
  nl_strip *strip = nl_arena_take(&t->arena, 1, sizeof *strip);
  nl_segment *own = nl_arena_take(&t->arena, count, sizeof *own);
  if (strip == NULL || own == NULL) {
    t->status = nl_fail_count(t->error, NL_ERROR_MEMORY, NULL, (uint64_t)count * sizeof *own, 0);
    return &t->nothing;
  }
  *strip = (nl_strip){.count = count, .segments = own};
  for (size_t i = 0; i < count; i++) {
    own[i] = segments[i];
    strip->length += length_of(&own[i]);
  }
  return strip;
}

nl_strip *nl_trace_fixed(nl_tracing *t, size_t width, nl_reason reason, size_t node) {
  return nl_trace_strip(t, 1, &(nl_segment){nl_trace_root(t, width, reason, node), width, 1, 1});
}

nl_strip *nl_trace_fresh(nl_tracing *t, size_t width) { return nl_trace_fixed(t, width, NL_REASON_NONE, NL_NONE); }

void nl_trace_pin(nl_tracing *t, const nl_strip *strip, nl_reason reason, size_t node) {
  for (size_t i = 0; i < strip->count; i++) pin_root(t, strip->segments[i].group, reason, node);
}

bool nl_trace_pinned(nl_tracing *t, nl_strip *strip) {
  strip = nl_trace_current(t, strip);
  for (size_t i = 0; i < strip->count; i++)
    if (t->roots[nl_trace_find(t, strip->segments[i].group)].reason == NL_REASON_NONE) return false;
  return true;
}

bool nl_trace_same(nl_tracing *t, nl_strip *a, nl_strip *b) {
  a = nl_trace_current(t, a);
  b = nl_trace_current(t, b);
  if (a == b) return true;
  if (a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++) {
    const nl_segment *x = &a->segments[i], *y = &b->segments[i];
    if (nl_trace_find(t, x->group) != nl_trace_find(t, y->group) || x->tile != y->tile || x->run != y->run)
      return false;
  }
  return true;
}

static void weigh(nl_tracing *t, const nl_strip *strip, bool add) {
  for (size_t i = 0; i < strip->count; i++) {
    const nl_segment *segment = &strip->segments[i];
    const size_t times = segment->tile * segment->run;
    t->roots[nl_trace_find(t, segment->group)].weight += add ? times : 0 - times;
  }
}

static bool is_weighed_out(nl_tracing *t, const nl_strip *strip) {
  for (size_t i = 0; i < strip->count; i++)
    if (t->roots[nl_trace_find(t, strip->segments[i].group)].weight != 0) return false;
  return true;
}

bool nl_trace_as_long(nl_tracing *t, nl_strip *a, nl_strip *b) {
  a = nl_trace_current(t, a);
  b = nl_trace_current(t, b);
  weigh(t, a, true);
  weigh(t, b, false);
  const bool even = is_weighed_out(t, a) && is_weighed_out(t, b);
  weigh(t, b, true);
  weigh(t, a, false);
  return even;
}

bool nl_trace_multiple(nl_tracing *t, nl_strip *strip, size_t *width, size_t *times) {
  strip = nl_trace_current(t, strip);
  *times = 0;
  for (size_t i = 0; i < strip->count; i++) {
    if (nl_trace_find(t, strip->segments[i].group) != nl_trace_find(t, strip->segments[0].group)) return false;
    *times += strip->segments[i].tile * strip->segments[i].run;
  }
  *width = strip->count == 0 ? 0 : strip->segments[0].width;
  return strip->count != 0;
}

// ---- piles: segments still to be looked at, the next on top --------------------------------------------------------------

typedef struct pile {
  size_t count;
  nl_segment *segments; // (PILE_MOST)
} pile;

static pile pile_of(nl_tracing *t, size_t index) { return (pile){0, t->piles + index * PILE_MOST}; }

static bool spend(nl_tracing *t, size_t work) {
  const bool affordable = work < t->work_left;
  t->work_left = affordable ? t->work_left - work : 0;
  return affordable;
}

static bool push(pile *p, nl_segment segment) {
  if (p->count == PILE_MOST) return false;
  p->segments[p->count++] = segment;
  return true;
}

// What a root in `segment` is made of, in its place: channels of the strip lie `run` apart; a tiled strip of several
// segments is written out as often as it is repeated.
static bool push_strip(nl_tracing *t, pile *p, const nl_strip *strip, size_t tile, size_t run) {
  if (strip->count == 0) return true;
  const size_t times = strip->count == 1 ? 1 : tile;
  if (!spend(t, strip->count) || times > PILE_MOST / strip->count || !spend(t, times * strip->count)) return false;
  for (size_t k = 0; k < times; k++) {
    for (size_t i = strip->count; i-- > 0;) {
      nl_segment part = strip->segments[i];
      part.run *= run;
      if (strip->count == 1) part.tile *= tile;
      if (!push(p, part)) return false;
    }
  }
  return true;
}

// The next segment, of a root that stands for itself. False when the pile is empty or everything takes too long (*failed).
static bool pop(nl_tracing *t, pile *p, nl_segment *segment, bool *failed) {
  while (p->count != 0) {
    *segment = p->segments[--p->count];
    segment->group = nl_trace_find(t, segment->group);
    const nl_strip *strip = t->roots[segment->group].strip;
    if (strip == NULL) {
      *failed = !spend(t, 1);
      return !*failed;
    }
    if (!push_strip(t, p, strip, segment->tile, segment->run)) {
      push(p, *segment);
      *failed = true;
      return false;
    }
  }
  return false;
}

static bool push_copies(nl_tracing *t, pile *p, nl_segment segment) {
  const size_t times = segment.tile;
  segment.tile = 1;
  if (times > PILE_MOST || !spend(t, times)) return false;
  for (size_t k = 0; k < times; k++)
    if (!push(p, segment)) return false;
  return true;
}

static void pin_pile(nl_tracing *t, const pile *p, nl_reason reason, size_t node) {
  for (size_t i = 0; i < p->count; i++) pin_root(t, p->segments[i].group, reason, node);
}

// ---- strips as they are now ----------------------------------------------------------------------------------------------

static bool has_replaced(const nl_tracing *t, const nl_strip *strip) {
  for (size_t i = 0; i < strip->count; i++)
    if (t->roots[nl_trace_find(t, strip->segments[i].group)].strip != NULL) return true;
  return false;
}

// A strip nobody can follow any more: all it is made of stays as it is.
static nl_strip *given_up(nl_tracing *t, const nl_strip *strip) {
  nl_trace_pin(t, strip, NL_REASON_TANGLED, NL_NONE);
  return nl_trace_fixed(t, strip->length, NL_REASON_TANGLED, NL_NONE);
}

nl_strip *nl_trace_current(nl_tracing *t, nl_strip *strip) {
  while (strip->newer != NULL) strip = strip->newer;
  const bool affordable = strip->count <= 1 || spend(t, strip->count);
  if (affordable && !has_replaced(t, strip)) return strip;
  pile from = pile_of(t, 0), to = pile_of(t, 1);
  bool failed = !affordable || !push_strip(t, &from, strip, 1, 1);
  for (nl_segment next; !failed && pop(t, &from, &next, &failed);)
    failed = to.count == NL_STRIP_MOST || !push(&to, next);
  strip->newer = failed ? given_up(t, strip) : nl_trace_strip(t, to.count, to.segments);
  return strip->newer;
}

// ---- tying -----------------------------------------------------------------------------------------------------------

typedef struct tied {
  pile *pile;
  nl_segment segment; // taken from it
} tied;

static bool put_back(tied *x, tied *y) { return push(x->pile, x->segment) && push(y->pile, y->segment); }

// x has the longer runs. Its channel c is channels c * k ... of y.
static bool tie_runs(nl_tracing *t, tied *x, tied *y) {
  const size_t k = x->segment.run / y->segment.run, length = length_of(&x->segment), other = length_of(&y->segment);
  if (x->segment.run % y->segment.run != 0) return false;
  if (x->segment.group == y->segment.group) return k == 1;
  if (length == other && k == 1) return join(t, x->segment.group, y->segment.group), true;
  if (length == other) {
    const nl_segment runs = {x->segment.group, x->segment.width, 1, k};
    return replace(t, y->segment.group, nl_trace_strip(t, 1, &runs)), true;
  }
  if (length < other)
    cut(t, y->segment.group, x->segment.width * k);
  else if (other % x->segment.run == 0)
    cut(t, x->segment.group, other / x->segment.run);
  else
    return false;
  return put_back(x, y);
}

// x is tiled.
static bool tie_tiles(nl_tracing *t, tied *x, tied *y) {
  const size_t length = length_of(&x->segment), other = length_of(&y->segment);
  if (x->segment.tile == y->segment.tile && length == other) {
    x->segment.tile = y->segment.tile = 1;
    return put_back(x, y);
  }
  const bool plain = y->segment.tile == 1 && y->segment.run == 1 && x->segment.group != y->segment.group;
  if (plain && length == other) return replace(t, y->segment.group, nl_trace_strip(t, 1, &x->segment)), true;
  if (plain && length < other) {
    cut(t, y->segment.group, length);
    return put_back(x, y);
  }
  return push_copies(t, x->pile, x->segment) && push(y->pile, y->segment);
}

static bool tie_next(nl_tracing *t, tied *x, tied *y) {
  if (x->segment.tile == 1 && y->segment.tile == 1)
    return x->segment.run >= y->segment.run ? tie_runs(t, x, y) : tie_runs(t, y, x);
  return x->segment.tile > 1 ? tie_tiles(t, x, y) : tie_tiles(t, y, x);
}

static void give_up(nl_tracing *t, const tied *x, nl_reason reason, size_t node) {
  pin_root(t, x->segment.group, reason, node);
  pin_pile(t, x->pile, reason, node);
}

void nl_trace_tie(nl_tracing *t, nl_strip *a, nl_strip *b, size_t node) {
  a = nl_trace_current(t, a);
  b = nl_trace_current(t, b);
  if (a == b || a->length != b->length || a->length == 0) return;
  pile first = pile_of(t, 0), second = pile_of(t, 1);
  tied x = {&first, a->segments[0]}, y = {&second, b->segments[0]};
  bool failed = !push_strip(t, &first, a, 1, 1) || !push_strip(t, &second, b, 1, 1);
  while (!failed && t->status == NL_OK && pop(t, &first, &x.segment, &failed) && pop(t, &second, &y.segment, &failed))
    failed = !tie_next(t, &x, &y);
  if (!failed) return;
  give_up(t, &x, NL_REASON_READ_BY, node);
  give_up(t, &y, NL_REASON_READ_BY, node);
}

// ---- strips of strips ------------------------------------------------------------------------------------------------

nl_strip *nl_trace_spread(nl_tracing *t, nl_strip *strip, size_t run) {
  strip = nl_trace_current(t, strip);
  if (run == 1) return strip;
  pile to = pile_of(t, 0);
  for (size_t i = 0; i < strip->count; i++) {
    nl_segment part = strip->segments[i];
    part.run *= run;
    push(&to, part);
  }
  return nl_trace_strip(t, to.count, to.segments);
}

nl_strip *nl_trace_repeat(nl_tracing *t, nl_strip *strip, size_t tile) {
  strip = nl_trace_current(t, strip);
  if (tile == 1) return strip;
  if (strip->count == 1) {
    nl_segment whole = strip->segments[0];
    whole.tile *= tile;
    return nl_trace_strip(t, 1, &whole);
  }
  pile to = pile_of(t, 0);
  if (strip->count == 0 || tile > NL_STRIP_MOST / strip->count || !spend(t, tile * strip->count)) return NULL;
  for (size_t i = 0; i < tile * strip->count; i++) push(&to, strip->segments[i % strip->count]);
  return nl_trace_strip(t, to.count, to.segments);
}

nl_strip *nl_trace_chain(nl_tracing *t, size_t count, nl_strip **parts) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    parts[i] = nl_trace_current(t, parts[i]);
    total += parts[i]->count;
  }
  if (total > NL_STRIP_MOST || !spend(t, total)) return NULL;
  pile to = pile_of(t, 0);
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < parts[i]->count; k++) push(&to, parts[i]->segments[k]);
  return nl_trace_strip(t, to.count, to.segments);
}

// Cuts the segment at its element `at`, and puts it back in two.
static bool cut_segment(nl_tracing *t, pile *p, nl_segment segment, size_t at) {
  if (segment.tile > 1) return push_copies(t, p, segment);
  if (at % segment.run != 0) return false;
  cut(t, segment.group, at / segment.run);
  return push(p, segment);
}

nl_strip *nl_trace_part(nl_tracing *t, nl_strip *strip, size_t from, size_t length) {
  strip = nl_trace_current(t, strip);
  pile left = pile_of(t, 0), to = pile_of(t, 1);
  if (length > strip->length || from > strip->length - length) return NULL;
  bool failed = !push_strip(t, &left, strip, 1, 1);
  size_t at = 0;
  for (nl_segment next; !failed && t->status == NL_OK && at < from + length && pop(t, &left, &next, &failed);) {
    const size_t end = at + length_of(&next);
    if (at < from && end > from)
      failed = !cut_segment(t, &left, next, from - at);
    else if (end > from + length)
      failed = !cut_segment(t, &left, next, from + length - at);
    else if (at >= from && (to.count == NL_STRIP_MOST || !push(&to, next)))
      failed = true;
    else
      at = end;
  }
  return failed ? NULL : nl_trace_strip(t, to.count, to.segments);
}
