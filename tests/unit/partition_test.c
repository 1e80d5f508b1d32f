// Distances against literal expansion of the polynomials they are defined by; blocks against their definition.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "partition_parts.h"

static double uniform(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (double)(*seed >> 11) * 0x1p-52 - 1.0;
}

// ---- literal polynomials in x_1..x_4 and s ---------------------------------------------------------------------------------

enum { VARIABLES = 5, POWERS = 4, S = 4, TERMS = 1024 }; // exponents 0 to 3

typedef struct literal {
  double c[TERMS];
} literal;

static const size_t place[VARIABLES] = {1, 4, 16, 64, 256};

static literal times(const literal *a, const literal *b) {
  literal out = {0};
  for (size_t i = 0; i < TERMS; i++)
    for (size_t j = 0; a->c[i] != 0 && j < TERMS; j++)
      if (b->c[j] != 0) out.c[i + j] += a->c[i] * b->c[j];
  return out;
}

static void add_scaled(literal *a, double factor, const literal *b) {
  for (size_t i = 0; i < TERMS; i++) a->c[i] += factor * b->c[i];
}

static literal applied(const nl_polynomial *p, const literal *z) {
  literal out = {0}, power = {{1}};
  for (size_t d = 0; d <= p->degree; d++) {
    add_scaled(&out, p->coefficients[d], &power);
    if (d < p->degree) power = times(&power, z);
  }
  return out;
}

static double norm_of_difference(const literal *a, const literal *b) {
  double sum = 0;
  for (size_t i = 0; i < TERMS; i++) sum += fabs(a->c[i] - b->c[i]);
  return sum;
}

// w·x + b, x_i replaced by s (x_i + x_j) and x_j by (1 − s)(x_i + x_j) where i differs from j
static literal argument(size_t n, const double *w, double bias, size_t i, size_t j) {
  literal z = {{bias}};
  for (size_t m = 0; m < n; m++) {
    if (i == j || (m != i && m != j)) {
      z.c[place[m]] += w[m];
      continue;
    }
    const double sign = m == i ? 1.0 : -1.0;
    if (m == j) {
      z.c[place[i]] += w[m];
      z.c[place[j]] += w[m];
    }
    z.c[place[i] + place[S]] += sign * w[m];
    z.c[place[j] + place[S]] += sign * w[m];
  }
  return z;
}

typedef struct fixture {
  nl_chain_layer layer;
  double weights[12], bias[3];
  nl_polynomial polynomial;
  size_t block_of[4];
  nl_neighbour neighbour;
  nl_pairs pairs;
  nl_arena arena;
} fixture;

// 3 units read 4
static void draw(fixture *f, uint64_t *seed, size_t degree, size_t neighbours) {
  *f = (fixture){0};
  for (size_t i = 0; i < 12; i++) f->weights[i] = uniform(seed);
  for (size_t i = 0; i < 3; i++) f->bias[i] = uniform(seed);
  f->polynomial.degree = degree;
  for (size_t d = 0; d <= degree; d++) f->polynomial.coefficients[d] = uniform(seed);
  f->layer = (nl_chain_layer){.width = 3, .in_width = 4, .weights = f->weights, .bias = f->bias};
  size_t blocks = 1 + (size_t)(fabs(uniform(seed)) * 2.999);
  if (blocks > neighbours) blocks = neighbours;
  for (size_t i = 0; i < neighbours; i++)
    f->block_of[i] = i < blocks ? i : (size_t)(fabs(uniform(seed)) * (double)blocks);
  f->neighbour = (nl_neighbour){.width = neighbours, .blocks = blocks, .block_of = f->block_of};
}

static double literal_forward(const fixture *f, size_t i, size_t j) {
  double sum = 0;
  for (size_t b = 0; b < f->neighbour.blocks; b++) {
    literal before = {0}, after = {0};
    for (size_t k = 0; k < 3; k++) {
      if (f->block_of[k] != b) continue;
      const literal z = argument(4, f->weights + 4 * k, f->bias[k], 0, 0);
      const literal replaced = argument(4, f->weights + 4 * k, f->bias[k], i, j);
      const literal one = applied(&f->polynomial, &z), other = applied(&f->polynomial, &replaced);
      add_scaled(&before, 1, &one);
      add_scaled(&after, 1, &other);
    }
    sum += norm_of_difference(&before, &after);
  }
  return sum;
}

static double literal_backward(const fixture *f, size_t i, size_t j) {
  literal sides[2];
  const size_t units[2] = {i, j};
  for (size_t side = 0; side < 2; side++) {
    literal z = {{f->bias[units[side]]}};
    for (size_t m = 0; m < 4; m++) z.c[place[f->block_of[m]]] += f->weights[4 * units[side] + m];
    sides[side] = applied(&f->polynomial, &z);
  }
  return norm_of_difference(&sides[0], &sides[1]);
}

static void check_exact(const fixture *f, size_t i, size_t j, double expected) {
  double work = 0;
  const double found = f->pairs.exact(f->pairs.context, i, j, (double)INFINITY, &work);
  assert_true(fabs(found - expected) <= 1e-11 * (1 + expected));
  const double bound = f->pairs.signatures.factor * nl_signatures_apart(&f->pairs.signatures, i, 1.0, j);
  assert_true(bound <= expected * (1 + 1e-12) + 1e-12);
  const double early = f->pairs.exact(f->pairs.context, i, j, 0.5 * expected, &work);
  assert_true(early > 0.5 * expected); // beyond the limit it may stop, but says so
}

static void forward_distance_is_that_of_the_literal_expansion(void **state) {
  (void)state;
  uint64_t seed = 11;
  for (size_t round = 0; round < 60; round++) {
    fixture f;
    draw(&f, &seed, 1 + round % 3, 3);
    assert_int_equal(nl_polynomial_forward(&f.pairs, &f.layer, &f.polynomial, &f.neighbour, &f.arena, NULL), NL_OK);
    for (size_t i = 0; i < 4; i++)
      for (size_t j = i + 1; j < 4; j++) check_exact(&f, i, j, literal_forward(&f, i, j));
    nl_arena_free(&f.arena);
  }
}

static void backward_distance_is_that_of_the_literal_expansion(void **state) {
  (void)state;
  uint64_t seed = 12;
  for (size_t round = 0; round < 60; round++) {
    fixture f;
    draw(&f, &seed, 1 + round % 3, 4);
    assert_int_equal(nl_polynomial_backward(&f.pairs, &f.layer, &f.polynomial, &f.neighbour, &f.arena, NULL), NL_OK);
    for (size_t i = 0; i < 3; i++)
      for (size_t j = i + 1; j < 3; j++) check_exact(&f, i, j, literal_backward(&f, i, j));
    nl_arena_free(&f.arena);
  }
}

// ---- near pairs -------------------------------------------------------------------------------------------------------------

typedef struct tally {
  size_t n;
  const double *distances; // (n, n)
  double epsilon;
  size_t near, wrong;
} tally;

static double apart(const nl_signatures *s, size_t i, size_t j) {
  const double same = nl_signatures_apart(s, i, 1.0, j), other = nl_signatures_apart(s, i, -1.0, j);
  return s->factor * (s->any_sign ? fmin(same, other) : same);
}

static void count_near(void *context, size_t i, size_t j) {
  tally *t = context;
  t->near++;
  if (t->distances[i * t->n + j] > t->epsilon * (1 + 1e-9)) t->wrong++;
}

static void check_near(size_t n, size_t m, bool any_sign, bool wide) {
  nl_arena arena = {0};
  uint64_t seed = n + m;
  nl_pairs pairs = {.signatures = {.n = n, .m = m, .factor = 3, .any_sign = any_sign}};
  nl_signatures *s = &pairs.signatures;
  s->values = nl_arena_take(&arena, n * m, sizeof *s->values);
  s->slack = nl_arena_take(&arena, n, sizeof *s->slack);
  for (size_t i = 0; i < n * m; i++) s->values[i] = uniform(&seed);
  for (size_t i = 0; i < n / 3; i++) // near copies, some negative
    for (size_t c = 0; c < m; c++)
      s->values[(n - 1 - i) * m + c] = (i % 2 ? -1.0 : 1.0) * s->values[i * m + c] + 0.01 * uniform(&seed);
  assert_int_equal(nl_signatures_finish(s, &arena, NULL), NL_OK);
  assert_true((s->coarse != NULL) == wide);
  const double epsilons[3] = {0.015 * (double)m, 1.95 * (double)m, 7.0 * (double)m};
  double *distances = nl_arena_take(&arena, n * n, sizeof *distances);
  for (size_t i = 0; i < n; i++)
    for (size_t j = i + 1; j < n; j++) distances[i * n + j] = apart(s, i, j);
  for (size_t k = 0; k < 3; k++) {
    tally t = {n, distances, epsilons[k], 0, 0};
    size_t expected = 0;
    for (size_t i = 0; i < n; i++)
      for (size_t j = i + 1; j < n; j++) expected += distances[i * n + j] <= epsilons[k] * (1 + 1e-9);
    assert_int_equal(nl_pairs_near(&pairs, epsilons[k], &(nl_near){.context = &t, .near = count_near}, NULL), NL_OK);
    assert_int_equal(t.near, expected);
    assert_int_equal(t.wrong, 0);
  }
  nl_arena_free(&arena);
}

static void near_pairs_are_those_within_the_tolerance(void **state) {
  (void)state;
  check_near(70, 5, false, false);
  check_near(65, 300, true, false);
  check_near(1, 3, false, false);
}

static void coarse_numbers_decide_as_the_exact_ones_do(void **state) {
  (void)state;
  check_near(1600, 840, false, true);
  check_near(1600, 840, true, true);
}

// ---- linkage ----------------------------------------------------------------------------------------------------------------

typedef struct net {
  nl_chain_layer layers[3];
  nl_chain chain;
  double *memory;
} net;

static void make_net(net *n, size_t width, uint64_t seed, nl_chain_kind kind) {
  *n = (net){0};
  n->memory = calloc(2 * width * width + 8 * width + 8, sizeof *n->memory);
  double *at = n->memory;
  const size_t widths[4] = {3, width, width, 2};
  for (size_t l = 0; l < 3; l++) {
    nl_chain_layer *layer = &n->layers[l];
    *layer = (nl_chain_layer){.site = NL_NONE, .width = widths[l + 1], .in_width = widths[l], .alike = true};
    layer->kind = l < 2 ? kind : NL_CHAIN_IDENTITY;
    layer->function = NL_FUNCTION_TANH;
    layer->weights = at;
    at += layer->width * layer->in_width;
    layer->bias = at;
    at += layer->width;
    for (size_t i = 0; i < layer->width * layer->in_width + layer->width; i++)
      layer->weights[i] = (float)(0.5 * uniform(&seed));
  }
  n->chain = (nl_chain){.features = 3, .count = 3, .layers = n->layers, .tail = NL_NONE};
}

static double incoming_apart(const nl_chain_layer *layer, size_t blocks, const size_t *block_of, size_t i, size_t j) {
  double *row = calloc(blocks + 1, sizeof *row), sum = fabs(layer->bias[i] - layer->bias[j]);
  for (size_t m = 0; m < layer->in_width; m++)
    row[block_of[m]] += layer->weights[i * layer->in_width + m] - layer->weights[j * layer->in_width + m];
  for (size_t b = 0; b < blocks; b++) sum += fabs(row[b]);
  free(row);
  return 3 * sum;
}

static void complete_blocks_have_all_members_within_the_tolerance(void **state) {
  (void)state;
  net n;
  make_net(&n, 40, 5, NL_CHAIN_FUNCTION);
  const nl_partition_options options = {.encoding = NL_ENCODING_ADJOINT};
  nl_partitioner *partitioner;
  assert_int_equal(nl_partitioner_create(&partitioner, &n.chain, &options, NULL), NL_OK);
  size_t before = 80;
  for (double epsilon = 0; epsilon < 12; epsilon += 0.5) {
    const nl_partition *p;
    assert_int_equal(nl_partitioner_at(partitioner, epsilon, &p, NULL), NL_OK);
    const size_t inputs[3] = {0, 1, 2};
    for (size_t l = 0; l < 2; l++)
      for (size_t i = 0; i < 40; i++)
        for (size_t j = i + 1; j < 40; j++)
          if (p->block_of[l][i] == p->block_of[l][j])
            assert_true(incoming_apart(&n.layers[l], l == 0 ? 3 : p->blocks[0], l == 0 ? inputs : p->block_of[0], i,
                                       j) <= epsilon + 1e-5);
    assert_true(p->blocks[0] <= before);
    before = p->blocks[0];
  }
  assert_true(before < 10);
  nl_partitioner_free(partitioner);
  free(n.memory);
}

static void the_same_tolerance_gives_the_same_blocks_whatever_came_before(void **state) {
  (void)state;
  net n;
  make_net(&n, 24, 9, NL_CHAIN_FUNCTION);
  for (unsigned k = 0; k < 12; k++) {
    const nl_partition_options options = {.encoding = (nl_encoding)(k % 3),
                                          .equivalence = (nl_equivalence)(k / 3 % 2),
                                          .linkage = (nl_linkage)(k / 6),
                                          .degree = 2};
    nl_partitioner *walked, *fresh;
    const nl_partition *a, *b;
    assert_int_equal(nl_partitioner_create(&walked, &n.chain, &options, NULL), NL_OK);
    assert_int_equal(nl_partitioner_create(&fresh, &n.chain, &options, NULL), NL_OK);
    for (double epsilon = 0; epsilon < 3; epsilon += 0.75)
      assert_int_equal(nl_partitioner_at(walked, epsilon, &a, NULL), NL_OK);
    assert_int_equal(nl_partitioner_at(walked, 1.5, &a, NULL), NL_OK);
    assert_int_equal(nl_partitioner_at(fresh, 1.5, &b, NULL), NL_OK);
    for (size_t l = 0; l < 2; l++) assert_memory_equal(a->block_of[l], b->block_of[l], 24 * sizeof(size_t));
    nl_partitioner_free(walked);
    nl_partitioner_free(fresh);
  }
  free(n.memory);
}

static void options_that_do_not_go_together_are_refused(void **state) {
  (void)state;
  net n;
  make_net(&n, 4, 1, NL_CHAIN_FUNCTION);
  nl_partitioner *partitioner = NULL;
  nl_error error = {0};
  const nl_partition_options options = {.encoding = NL_ENCODING_LINEAR, .symmetric = true};
  assert_int_equal(nl_partitioner_create(&partitioner, &n.chain, &options, &error), NL_ERROR_ARGUMENT);
  assert_string_equal(error.place, "symmetric");
  free(n.memory);
}

static void polynomials_that_take_too_long_are_refused(void **state) {
  (void)state;
  net n;
  make_net(&n, 60, 3, NL_CHAIN_FUNCTION);
  const nl_partition_options options = {
      .encoding = NL_ENCODING_POLYNOMIAL, .equivalence = NL_EQUIVALENCE_FORWARD, .degree = 12};
  nl_partitioner *partitioner;
  const nl_partition *p;
  nl_error error = {0};
  assert_int_equal(nl_partitioner_create(&partitioner, &n.chain, &options, NULL), NL_OK);
  const nl_status status = nl_partitioner_at(partitioner, 1e9, &p, &error);
  assert_int_equal(status, NL_ERROR_LIMIT);
  nl_partitioner_free(partitioner);
  free(n.memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forward_distance_is_that_of_the_literal_expansion),
      cmocka_unit_test(backward_distance_is_that_of_the_literal_expansion),
      cmocka_unit_test(near_pairs_are_those_within_the_tolerance),
      cmocka_unit_test(coarse_numbers_decide_as_the_exact_ones_do),
      cmocka_unit_test(complete_blocks_have_all_members_within_the_tolerance),
      cmocka_unit_test(the_same_tolerance_gives_the_same_blocks_whatever_came_before),
      cmocka_unit_test(options_that_do_not_go_together_are_refused),
      cmocka_unit_test(polynomials_that_take_too_long_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
