// partition_linkage: near pairs -> blocks.
#include <math.h>
#include <string.h>

#include "partition_parts.h"

typedef struct nl_merge {
  size_t a, b; // a member of each side
  double height;
} nl_merge;

static const double matrix_cost_most = 1073741824.0; // multiplications, see partition.h
enum { MATRIX_WIDTH_MOST = 2048 };

// ---- union-find -----------------------------------------------------------------------------------------------------------

static size_t root_of(size_t *parent, size_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

// The lower number becomes the root: a block's root is its first member.
static void join(size_t *parent, size_t i, size_t j) {
  const size_t a = root_of(parent, i), b = root_of(parent, j);
  if (a < b)
    parent[b] = a;
  else
    parent[a] = b;
}

static bool joined(void *context, size_t i, size_t j) { return root_of(context, i) == root_of(context, j); }
static void join_near(void *context, size_t i, size_t j) { join(context, i, j); }

static void number(size_t n, size_t *parent, size_t *block_of, size_t *blocks) {
  *blocks = 0;
  for (size_t i = 0; i < n; i++) {
    const size_t root = root_of(parent, i);
    block_of[i] = root == i ? (*blocks)++ : block_of[root];
  }
}

// ---- hierarchical complete linkage ------------------------------------------------------------------------------------------

// Nearest-neighbour chains (Benzécri 1982; Müllner 2011, section 3.1): complete linkage is reducible, so merging any two that
// are each other's nearest gives the hierarchy. Of equal distances the chain's previous element, then the lowest number.
typedef struct chain {
  size_t n;
  double *matrix; // (n, n) of the clusters alive, by a member's number
  bool *gone;
  size_t *stack, depth;
} chain;

static size_t nearest(const chain *c, size_t i, size_t previous, double *distance) {
  size_t best = previous;
  double least = previous != NL_NONE ? c->matrix[i * c->n + previous] : (double)INFINITY;
  for (size_t j = 0; j < c->n; j++)
    if (j != i && !c->gone[j] && c->matrix[i * c->n + j] < least) least = c->matrix[i * c->n + (best = j)];
  *distance = least;
  return best;
}

static void merge_into(chain *c, size_t a, size_t b) {
  c->gone[b] = true;
  for (size_t j = 0; j < c->n; j++) {
    if (j == a || c->gone[j]) continue;
    const double other = c->matrix[b * c->n + j];
    if (other > c->matrix[a * c->n + j]) c->matrix[a * c->n + j] = c->matrix[j * c->n + a] = other;
  }
}

static void link_completely(chain *c, nl_merge *merges) {
  size_t merged = 0, first = 0;
  while (merged + 1 < c->n) {
    if (c->depth == 0) {
      while (c->gone[first]) first++;
      c->stack[c->depth++] = first;
    }
    const size_t tip = c->stack[c->depth - 1], previous = c->depth > 1 ? c->stack[c->depth - 2] : NL_NONE;
    double height;
    const size_t next = nearest(c, tip, previous, &height);
    if (next != previous) {
      c->stack[c->depth++] = next;
      continue;
    }
    c->depth -= 2;
    const size_t a = tip < previous ? tip : previous, b = tip < previous ? previous : tip;
    merges[merged++] = (nl_merge){a, b, height};
    merge_into(c, a, b);
  }
}

static nl_status link_matrix(nl_tree *tree, double *matrix, size_t n, nl_arena *arena, nl_error *error) {
  nl_arena work = {0};
  chain c = {.n = n, .matrix = matrix};
  c.gone = nl_arena_take(&work, n + 1, sizeof *c.gone);
  c.stack = nl_arena_take(&work, n + 1, sizeof *c.stack);
  tree->merge = nl_arena_take(arena, n + 1, sizeof *tree->merge);
  const bool fine = c.gone != NULL && c.stack != NULL && tree->merge != NULL;
  if (fine) link_completely(&c, tree->merge);
  tree->merges = n > 0 ? n - 1 : 0;
  nl_arena_free(&work);
  return fine ? NL_OK : nl_fail_count(error, NL_ERROR_MEMORY, NULL, n * sizeof(nl_merge), 0);
}

nl_status nl_tree_create(nl_tree *out, const nl_pairs *pairs, nl_linkage linkage, nl_arena *arena, nl_error *error) {
  const size_t n = pairs->signatures.n;
  nl_tree tree = {0};
  const double count = 0.5 * (double)n * (double)n;
  if (n <= MATRIX_WIDTH_MOST && count * pairs->cost <= matrix_cost_most) {
    nl_arena work = {0};
    double *matrix = nl_arena_take(linkage == NL_LINKAGE_ERODE ? arena : &work, n * n + 1, sizeof *matrix);
    if (matrix == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, n * n * sizeof *matrix, 0);
    nl_status status = nl_pairs_matrix(pairs, matrix, error);
    if (status == NL_OK && linkage == NL_LINKAGE_COMPLETE) status = link_matrix(&tree, matrix, n, arena, error);
    if (linkage == NL_LINKAGE_ERODE) tree.matrix = matrix;
    nl_arena_free(&work);
    NL_TRY(status);
  }
  *out = tree;
  return NL_OK;
}

// ---- unit by unit into the first block that is near as a whole ----------------------------------------------------------------

typedef struct adjacency {
  size_t n, words;
  uint64_t *bits; // (n, words)
} adjacency;

static void mark(void *context, size_t i, size_t j) {
  adjacency *a = context;
  a->bits[i * a->words + j / 64] |= (uint64_t)1 << (j % 64);
  a->bits[j * a->words + i / 64] |= (uint64_t)1 << (i % 64);
}

// The row of a block's first member shrinks to what is near every member.
static void fit_first(const adjacency *a, size_t *first, size_t *block_of, size_t *blocks) {
  *blocks = 0;
  for (size_t i = 0; i < a->n; i++) {
    size_t b = 0;
    while (b < *blocks && (a->bits[first[b] * a->words + i / 64] >> (i % 64) & 1) == 0) b++;
    block_of[i] = b;
    if (b == *blocks)
      first[(*blocks)++] = i;
    else
      for (size_t w = 0; w < a->words; w++) a->bits[first[b] * a->words + w] &= a->bits[i * a->words + w];
  }
}

static nl_status fit(const nl_pairs *pairs, double epsilon, size_t *block_of, size_t *blocks, nl_error *error) {
  nl_arena work = {0};
  adjacency a = {.n = pairs->signatures.n, .words = pairs->signatures.n / 64 + 1};
  a.bits = nl_arena_take(&work, a.n + 1, a.words * sizeof *a.bits);
  size_t *first = nl_arena_take(&work, a.n + 1, sizeof *first);
  nl_status status = a.bits != NULL && first != NULL
                         ? nl_pairs_near(pairs, epsilon, &(nl_near){.context = &a, .near = mark}, error)
                         : nl_fail_count(error, NL_ERROR_MEMORY, NULL, a.n * a.words * sizeof *a.bits, 0);
  if (status == NL_OK) fit_first(&a, first, block_of, blocks);
  nl_arena_free(&work);
  return status;
}

// ---- cuts -----------------------------------------------------------------------------------------------------------------

static nl_status components(const nl_tree *tree, const nl_pairs *pairs, nl_linkage linkage, double epsilon,
                            size_t *parent, nl_error *error) {
  const size_t n = pairs->signatures.n;
  for (size_t i = 0; i < n; i++) parent[i] = i;
  if (linkage == NL_LINKAGE_COMPLETE) {
    for (size_t k = 0; k < tree->merges; k++)
      if (tree->merge[k].height <= epsilon) join(parent, tree->merge[k].a, tree->merge[k].b);
  } else if (tree->matrix != NULL) {
    for (size_t i = 0; i < n; i++)
      for (size_t j = i + 1; j < n; j++)
        if (tree->matrix[i * n + j] <= epsilon) join(parent, i, j);
  } else
    return nl_pairs_near(pairs, epsilon, &(nl_near){parent, joined, join_near}, error);
  return NL_OK;
}

nl_status nl_tree_cut(const nl_tree *tree, const nl_pairs *pairs, nl_linkage linkage, double epsilon, size_t *block_of,
                      size_t *blocks, nl_error *error) {
  const size_t n = pairs->signatures.n;
  if (linkage == NL_LINKAGE_COMPLETE && tree->merge == NULL) return fit(pairs, epsilon, block_of, blocks, error);
  nl_arena work = {0};
  size_t *parent;
  NL_TAKE(&work, parent, size_t, n + 1, error);
  const nl_status status = components(tree, pairs, linkage, epsilon, parent, error);
  if (status == NL_OK) number(n, parent, block_of, blocks);
  nl_arena_free(&work);
  return status;
}
