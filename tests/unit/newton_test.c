// The fit of one layer to the network's outputs.
#include "models.h"
#include "newton.h"

enum { IN = 3, WIDTH = 8, ROWS = 400 };

// A network of two hidden layers and a copy of it whose second layer has been disturbed.
typedef struct pair {
  chain c;
  nl_span bytes;
  nl_graph *graph;
  nl_network *network;
  nl_parameters original, reduced;
  size_t step; // the second layer
  double *x;
} pair;

static pair disturbed(const char *activation, size_t results, double by) {
  pair p = {.c = random_chain(71, activation, 3, (size_t[]){IN, WIDTH, WIDTH, results})};
  p.bytes = chain_bytes(&p.c);
  p.graph = read_bytes(p.bytes);
  OK(nl_network_create(&p.network, p.graph, NULL));
  OK(nl_parameters_load(&p.original, p.network, NULL));
  OK(nl_parameters_load(&p.reduced, p.network, NULL));
  size_t dense = 0;
  for (size_t s = 0; s < p.network->step_count; s++)
    if (p.network->steps[s].kind == NL_STEP_DENSE && ++dense == 2) p.step = s;
  double *noise = random_numbers(72, WIDTH * WIDTH, by);
  for (size_t i = 0; i < WIDTH * WIDTH; i++) p.reduced.layers[p.step].weights[i] += noise[i];
  free(noise);
  p.x = random_numbers(73, ROWS * IN, 1);
  return p;
}

static void pair_free(pair *p) {
  nl_parameters_free(&p->original), nl_parameters_free(&p->reduced);
  nl_network_free(p->network), nl_graph_free(p->graph);
  free((void *)p->bytes.bytes), chain_free(&p->c), free(p->x);
}

static double error_of(const pair *p) {
  const size_t count = ROWS * p->network->results;
  double *f = malloc(count * sizeof *f), *now = malloc(count * sizeof *now);
  OK(nl_forward(p->network, &p->original, ROWS, p->x, f, NULL));
  OK(nl_forward(p->network, &p->reduced, ROWS, p->x, now, NULL));
  const double error = relative_difference(count, now, f);
  free(f), free(now);
  return error;
}

// What the place's shares give of an order, added to `sums` in their order.
static void carry_out(nl_newton_rows *rows, const nl_newton_order *order, size_t shares, size_t count, double *sums) {
  double *part = malloc(count * sizeof *part);
  size_t work = 0;
  for (size_t share = 0; share < shares; share++) {
    nl_newton_rows_begin(rows, order, share, part);
    while (!nl_newton_rows_step(rows, &work)) continue;
    for (size_t i = 0; i < count; i++) sums[i] += part[i];
  }
  free(part);
}

enum { SHARE = NL_FORWARD_ROWS, OWNERS_MOST = 2 };

// The rows are held by one, or each share by its own.
static void fit_by(pair *p, size_t rows, size_t owners, nl_answers *answers) {
  nl_scratch before; // what stands before the layer
  OK(nl_scratch_create(&before, p->network, &p->reduced, ROWS, NULL));
  nl_forward_all(p->network, &p->reduced, &before, ROWS, p->x);
  nl_rows stands[OWNERS_MOST][16] = {{{0}}}, *values[OWNERS_MOST][16] = {{NULL}};
  assert_true(p->network->step_count <= 16);
  const double center[WIDTH] = {0};
  const nl_newton_input input = {p->network, &p->original, &p->reduced, p->step, rows, SHARE, center};
  assert_true(nl_newton_worth(&input));
  const size_t shares = (rows + SHARE - 1) / SHARE;
  nl_newton_rows *held[OWNERS_MOST];
  for (size_t o = 0; o < owners; o++) {
    const size_t first = o * SHARE;
    for (size_t s = 0; s < p->network->step_count; s++) {
      const size_t width = p->reduced.layers[s].width;
      stands[o][s] = (nl_rows){.width = width, .wide = before.values[s] + first * width};
      values[o][s] = &stands[o][s];
    }
    const size_t count = owners == 1 || rows - first < SHARE ? rows - first : SHARE;
    const nl_newton_place place = {first, count, p->x + first * IN, values[o], &answers[o]};
    OK(nl_newton_rows_create(&held[o], &input, &place, NULL));
  }
  nl_newton *newton = NULL;
  OK(nl_newton_create(&newton, &input, NULL));
  size_t work = 0;
  for (;;) {
    const nl_newton_order order = nl_newton_wants(newton);
    if (order.task == NL_NEWTON_DONE) break;
    const size_t count = nl_newton_sums(&input, order.task);
    double *sums = calloc(count, sizeof *sums);
    for (size_t o = 0; o < owners; o++) carry_out(held[o], &order, owners == 1 ? shares : 1, count, sums);
    nl_newton_take(newton, sums, &work);
    free(sums);
  }
  for (size_t o = 0; o < owners; o++) nl_newton_rows_free(held[o]);
  nl_newton_free(newton);
  nl_scratch_free(&before);
}

static void fit_with(pair *p, size_t rows, nl_answers *answers) { fit_by(p, rows, 1, answers); }

static void fit(pair *p, size_t rows) {
  nl_answers none = {0};
  fit_with(p, rows, &none);
}

static void kept_answers_change_no_bit(void **state) {
  (void)state;
  pair anew = disturbed("Tanh", 3, 0.2), kept = disturbed("Tanh", 3, 0.2);
  nl_answers answers = {.values = malloc(ROWS * kept.network->results * sizeof(double))};
  fit(&anew, ROWS);
  fit_with(&kept, ROWS, &answers);
  assert_int_equal(answers.rows, ROWS);
  fit_with(&kept, ROWS, &answers);
  fit(&anew, ROWS);
  const nl_layer *a = &anew.reduced.layers[anew.step], *b = &kept.reduced.layers[kept.step];
  assert_memory_equal(a->weights, b->weights, a->width * a->in_width * sizeof *a->weights);
  free(answers.values), pair_free(&anew), pair_free(&kept);
}

static void whoever_holds_the_rows_the_bits_are_the_same(void **state) {
  (void)state;
  for (size_t results = 3; results < 30; results += 20) { // probes for each, signs for all
    pair one = disturbed("Tanh", results, 0.2), two = disturbed("Tanh", results, 0.2);
    nl_answers none[OWNERS_MOST] = {{0}};
    fit_by(&one, ROWS, 1, none);
    fit_by(&two, ROWS, 2, none);
    const nl_layer *a = &one.reduced.layers[one.step], *b = &two.reduced.layers[two.step];
    assert_memory_equal(a->weights, b->weights, a->width * a->in_width * sizeof *a->weights);
    assert_memory_equal(a->bias, b->bias, a->width * sizeof *a->bias);
    pair_free(&one), pair_free(&two);
  }
}

static void falls_to(const char *activation, size_t results, double share) {
  pair p = disturbed(activation, results, 0.2);
  const double before = error_of(&p);
  fit(&p, ROWS);
  assert_true(before > 0.02);
  assert_true(error_of(&p) < share * before);
  pair_free(&p);
}

static void a_disturbed_layer_gives_the_outputs_again(void **state) {
  (void)state;
  falls_to("Tanh", 1, 0.05);
  falls_to("Tanh", 3, 0.1);
  falls_to("Relu", 1, 0.2);
}

static void random_signs_stand_for_many_outputs(void **state) {
  (void)state;
  falls_to("Tanh", 20, 0.3);
}

static void the_error_never_rises(void **state) {
  (void)state;
  for (double by = 0.5; by < 100; by *= 3) {
    pair p = disturbed("Relu", 2, by);
    const double before = error_of(&p);
    fit(&p, ROWS);
    assert_true(error_of(&p) <= before);
    pair_free(&p);
  }
}

static void a_layer_whose_outputs_agree_keeps_every_bit(void **state) {
  (void)state;
  pair p = disturbed("Tanh", 2, 0);
  double kept[WIDTH * WIDTH];
  memcpy(kept, p.reduced.layers[p.step].weights, sizeof kept);
  fit(&p, ROWS);
  assert_memory_equal(kept, p.reduced.layers[p.step].weights, sizeof kept);
  pair_free(&p);
}

static void too_few_rows_are_not_worth_it(void **state) {
  (void)state;
  pair p = disturbed("Tanh", 2, 0.2);
  nl_newton_input input = {.network = p.network, .original = &p.original, .reduced = &p.reduced, .step = p.step};
  input.rows = 4 * (WIDTH + 1) - 1;
  assert_false(nl_newton_worth(&input));
  input.rows++;
  assert_true(nl_newton_worth(&input));
  pair_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_disturbed_layer_gives_the_outputs_again),
      cmocka_unit_test(kept_answers_change_no_bit),
      cmocka_unit_test(whoever_holds_the_rows_the_bits_are_the_same),
      cmocka_unit_test(random_signs_stand_for_many_outputs),
      cmocka_unit_test(the_error_never_rises),
      cmocka_unit_test(a_layer_whose_outputs_agree_keeps_every_bit),
      cmocka_unit_test(too_few_rows_are_not_worth_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
