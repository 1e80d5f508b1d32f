// The baselines: which weights go, how many, and that shared constants go alike.
#include "prune.h"

#include "models.h"

// ---- a graph, its network and parameters -----------------------------------------------------------------------------

typedef struct view {
  nl_span bytes;
  nl_graph *graph;
  nl_network *network;
  nl_parameters parameters;
} view;

static view viewed(nl_span bytes) {
  view v = {.bytes = bytes};
  OK(nl_onnx_read(&v.graph, bytes, NULL));
  OK(nl_network_create(&v.network, v.graph, NULL));
  OK(nl_parameters_load(&v.parameters, v.network, NULL));
  return v;
}
static void view_free(view *v) {
  nl_parameters_free(&v->parameters), nl_network_free(v->network), nl_graph_free(v->graph);
  free((void *)v->bytes.bytes);
}
static view chain_view(uint64_t seed, size_t layers, const size_t *widths) {
  chain c = random_chain(seed, "Tanh", layers, widths);
  const nl_span bytes = chain_bytes(&c);
  chain_free(&c);
  return viewed(bytes);
}

static size_t step_named(const view *v, const char *value) {
  for (size_t i = 0; i < v->graph->value_count; i++)
    if (nl_span_is(v->graph->values[i].name, value)) return v->network->step_of[i];
  fail_msg("no “%s”", value);
  return NL_NONE;
}
static nl_layer *layer_named(const view *v, const nl_parameters *parameters, const char *value) {
  return &parameters->layers[step_named(v, value)];
}

// The dense layers in order; returns how many.
static size_t dense_steps(const view *v, size_t *steps) {
  size_t count = 0;
  for (size_t s = 0; s < v->network->step_count; s++)
    if (v->network->steps[s].kind == NL_STEP_DENSE) steps[count++] = s;
  return count;
}

static const double *const *borrowed(double *const *norms) { return (const double *const *)norms; }

static nl_parameters pruned(const view *v, nl_prune method, double *const *norms, size_t keep) {
  nl_parameters out;
  OK(nl_prune_weights(&out, v->network, &v->parameters, method, borrowed(norms), keep, NULL));
  return out;
}

// norms[s] (in_width of dense step s); the caller frees them.
static double **norms_of(const view *v, bool equal) {
  double **norms = calloc(v->network->step_count, sizeof *norms);
  uint64_t seed = 9;
  for (size_t s = 0; s < v->network->step_count; s++) {
    if (v->network->steps[s].kind != NL_STEP_DENSE) continue;
    norms[s] = malloc(v->network->steps[s].in_width * sizeof(double));
    for (size_t i = 0; i < v->network->steps[s].in_width; i++) norms[s][i] = equal ? 1.0 : 0.1 + uniform01(&seed);
  }
  return norms;
}
static void norms_free(const view *v, double **norms) {
  for (size_t s = 0; s < v->network->step_count; s++) free(norms[s]);
  free(norms);
}

static size_t kept_among(const double *weights, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) kept += weights[i] != 0;
  return kept;
}

// Weights are the original's or 0; everything else is equal and in memory of its own.
static void assert_only_zeroed(const view *v, const nl_parameters *out) {
  assert_int_equal(out->count, v->parameters.count);
  for (size_t s = 0; s < out->count; s++) {
    const nl_layer *a = &out->layers[s], *b = &v->parameters.layers[s];
    assert_int_equal(a->width, b->width), assert_int_equal(a->in_width, b->in_width);
    for (size_t i = 0; b->weights != NULL && i < b->width * b->in_width; i++)
      assert_true(a->weights[i] == 0 || a->weights[i] == b->weights[i]);
    const double *const mine[] = {a->bias, a->scale, a->shift}, *const theirs[] = {b->bias, b->scale, b->shift};
    for (size_t k = 0; k < 3; k++) {
      assert_true((mine[k] == NULL) == (theirs[k] == NULL));
      if (mine[k] == NULL) continue;
      assert_true(mine[k] != theirs[k]), assert_memory_equal(mine[k], theirs[k], b->width * sizeof(double));
    }
  }
}

// ---- counts ----------------------------------------------------------------------------------------------------------

static const size_t SHAPES[][CHAIN_LAYERS + 1] = {{3, 5, 7, 2}, {1, 9, 1, 4}, {8, 16, 16, 1}};
enum { SHAPE_COUNT = 3, SHAPE_LAYERS = 3 };
static const nl_prune METHODS[] = {NL_PRUNE_MAGNITUDE, NL_PRUNE_MAGNITUDE_GLOBAL, NL_PRUNE_WANDA};
enum { METHOD_COUNT = 3 };

static void exactly_as_many_weights_are_left_as_asked(void **state) {
  (void)state;
  for (size_t shape = 0; shape < SHAPE_COUNT; shape++) {
    view v = chain_view(3 + shape, SHAPE_LAYERS, SHAPES[shape]);
    double **norms = norms_of(&v, false);
    const size_t all = nl_prune_weight_count(v.network, &v.parameters);
    assert_int_equal(nl_prune_nonzero(v.network, &v.parameters), v.network->parameters);
    for (size_t m = 0; m < METHOD_COUNT; m++)
      for (size_t keep = 0; keep <= all; keep++) {
        nl_parameters out = pruned(&v, METHODS[m], norms, keep);
        assert_int_equal(nl_prune_weight_count(v.network, &out), keep);
        assert_int_equal(nl_prune_nonzero(v.network, &out), v.network->parameters - all + keep);
        assert_only_zeroed(&v, &out);
        nl_parameters_free(&out);
      }
    norms_free(&v, norms), view_free(&v);
  }
}

static void keeping_all_or_more_changes_nothing(void **state) {
  (void)state;
  view v = chain_view(5, SHAPE_LAYERS, SHAPES[0]);
  double **norms = norms_of(&v, false);
  size_t steps[SHAPE_LAYERS];
  dense_steps(&v, steps);
  for (size_t m = 0; m < METHOD_COUNT; m++)
    for (size_t more = 0; more < 2; more++) {
      nl_parameters out =
          pruned(&v, METHODS[m], norms, more ? SIZE_MAX : nl_prune_weight_count(v.network, &v.parameters));
      for (size_t l = 0; l < SHAPE_LAYERS; l++) {
        const nl_layer *a = &out.layers[steps[l]], *b = &v.parameters.layers[steps[l]];
        assert_memory_equal(a->weights, b->weights, b->width * b->in_width * sizeof(double));
      }
      nl_parameters_free(&out);
    }
  norms_free(&v, norms), view_free(&v);
}

// ---- what is kept ----------------------------------------------------------------------------------------------------

// Of `count` weights `stride` apart: nothing that went has a larger score than something that stayed.
static void assert_largest_kept(const double *before, const double *after, const double *norms, size_t count) {
  double least = INFINITY, most = 0;
  for (size_t i = 0; i < count; i++) {
    const double score = fabs(before[i]) * (norms != NULL ? norms[i] : 1.0);
    if (after[i] != 0 && score < least) least = score;
    if (after[i] == 0 && score > most) most = score;
  }
  assert_true(most <= least);
}

static void assert_share(size_t kept, size_t count, size_t keep, size_t all) {
  const double exact_share = (double)count * (double)keep / (double)all;
  if (!(fabs((double)kept - exact_share) < 1)) fail_msg("%zu kept where %g is the share", kept, exact_share);
}

static void magnitude_keeps_the_largest_of_each_layer_at_one_share(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    view v = chain_view(seed, SHAPE_LAYERS, SHAPES[2]);
    size_t steps[SHAPE_LAYERS];
    const size_t all = nl_prune_weight_count(v.network, &v.parameters), layers = dense_steps(&v, steps);
    for (size_t keep = 0; keep < all; keep += 11) {
      nl_parameters out = pruned(&v, NL_PRUNE_MAGNITUDE, NULL, keep);
      for (size_t l = 0; l < layers; l++) {
        const nl_layer *before = &v.parameters.layers[steps[l]], *after = &out.layers[steps[l]];
        const size_t count = before->width * before->in_width;
        assert_share(kept_among(after->weights, count), count, keep, all);
        assert_largest_kept(before->weights, after->weights, NULL, count);
      }
      nl_parameters_free(&out);
    }
    view_free(&v);
  }
}

static void global_magnitude_has_one_threshold_for_all_layers(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    view v = chain_view(seed, SHAPE_LAYERS, SHAPES[0]);
    size_t steps[SHAPE_LAYERS];
    const size_t all = nl_prune_weight_count(v.network, &v.parameters), layers = dense_steps(&v, steps);
    for (size_t keep = 0; keep < all; keep += 3) {
      nl_parameters out = pruned(&v, NL_PRUNE_MAGNITUDE_GLOBAL, NULL, keep);
      double before[128], after[128]; // all layers, one after the other
      size_t count = 0;
      for (size_t l = 0; l < layers; l++) {
        const nl_layer *b = &v.parameters.layers[steps[l]];
        memcpy(before + count, b->weights, b->width * b->in_width * sizeof(double));
        memcpy(after + count, out.layers[steps[l]].weights, b->width * b->in_width * sizeof(double));
        count += b->width * b->in_width;
      }
      assert_int_equal(count, all);
      assert_largest_kept(before, after, NULL, count);
      nl_parameters_free(&out);
    }
    view_free(&v);
  }
}

static void assert_wanda_rule(const view *v, double *const *norms, size_t keep) {
  size_t steps[SHAPE_LAYERS];
  const size_t all = nl_prune_weight_count(v->network, &v->parameters), layers = dense_steps(v, steps);
  nl_parameters out = pruned(v, NL_PRUNE_WANDA, norms, keep);
  for (size_t l = 0; l < layers; l++) {
    const nl_layer *before = &v->parameters.layers[steps[l]], *after = &out.layers[steps[l]];
    const size_t in = before->in_width, of_layer = kept_among(after->weights, before->width * in);
    assert_share(of_layer, before->width * in, keep, all);
    for (size_t o = 0; o < before->width; o++) {
      assert_share(kept_among(after->weights + o * in, in), in, of_layer, before->width * in);
      assert_largest_kept(before->weights + o * in, after->weights + o * in, norms[steps[l]], in);
    }
  }
  nl_parameters_free(&out);
}

static void wanda_keeps_the_largest_weight_times_norm_of_each_row_at_one_share(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    view v = chain_view(seed, SHAPE_LAYERS, SHAPES[2]);
    double **norms = norms_of(&v, false);
    const size_t all = nl_prune_weight_count(v.network, &v.parameters);
    for (size_t keep = 0; keep < all; keep += 7) assert_wanda_rule(&v, norms, keep);
    norms_free(&v, norms), view_free(&v);
  }
}

// Half of each row by a plain sort.
static void assert_half_by_magnitude(const double *before, const double *after, size_t in) {
  double sizes[32];
  for (size_t i = 0; i < in; i++) {
    size_t at = i;
    for (; at > 0 && sizes[at - 1] < fabs(before[i]); at--) sizes[at] = sizes[at - 1];
    sizes[at] = fabs(before[i]);
  }
  for (size_t i = 0; i < in; i++) assert_true(after[i] == (fabs(before[i]) >= sizes[in / 2 - 1] ? before[i] : 0));
}

static void wanda_with_equal_norms_is_magnitude_within_rows(void **state) {
  (void)state;
  view v = chain_view(6, 3, (const size_t[]){8, 16, 16, 4});
  double **norms = norms_of(&v, true);
  size_t steps[SHAPE_LAYERS];
  dense_steps(&v, steps);
  nl_parameters out = pruned(&v, NL_PRUNE_WANDA, norms, nl_prune_weight_count(v.network, &v.parameters) / 2);
  for (size_t l = 0; l < 3; l++) {
    const nl_layer *before = &v.parameters.layers[steps[l]], *after = &out.layers[steps[l]];
    for (size_t o = 0; o < before->width; o++)
      assert_half_by_magnitude(before->weights + o * before->in_width, after->weights + o * before->in_width,
                               before->in_width);
  }
  nl_parameters_free(&out), norms_free(&v, norms), view_free(&v);
}

static void wanda_lets_the_weights_of_a_dead_input_go_first_and_asks_for_norms(void **state) {
  (void)state;
  view v = chain_view(7, 1, (const size_t[]){4, 3});
  double **norms = norms_of(&v, true);
  norms[step_named(&v, "y")][2] = 0;
  nl_parameters out = pruned(&v, NL_PRUNE_WANDA, norms, 9);
  for (size_t o = 0; o < 3; o++)
    for (size_t i = 0; i < 4; i++) assert_true((layer_named(&v, &out, "y")->weights[o * 4 + i] == 0) == (i == 2));
  nl_parameters_free(&out);
  nl_error error = {0};
  assert_int_equal(nl_prune_weights(&out, v.network, &v.parameters, NL_PRUNE_WANDA, NULL, 9, &error),
                   NL_ERROR_ARGUMENT);
  norms_free(&v, norms), view_free(&v);
}

// y = W x, the tensor as (out, in) or turned
static view one_layer(const double *weights, bool turned) {
  sketch s = sketched(13, 4);
  double values[12];
  for (size_t o = 0; o < 3; o++)
    for (size_t i = 0; i < 4; i++) values[turned ? i * 3 + o : o * 4 + i] = weights[o * 4 + i];
  tensor(s, "w", 2, turned ? (int64_t[]){4, 3} : (int64_t[]){3, 4}, values);
  turned ? op(s, "Gemm", "x w", "y") : gemm(s, "x w", "y");
  output(s, "y", 3);
  return viewed(built(s));
}

static void the_tensors_orientation_does_not_matter(void **state) {
  (void)state;
  double *weights = random_numbers(8, 12, 1);
  view v[2] = {one_layer(weights, false), one_layer(weights, true)};
  for (size_t m = 0; m < METHOD_COUNT; m++)
    for (size_t keep = 0; keep <= 12; keep++) {
      double **norms = norms_of(&v[0], false);
      nl_parameters a = pruned(&v[0], METHODS[m], norms, keep), b = pruned(&v[1], METHODS[m], norms, keep);
      assert_memory_equal(layer_named(&v[0], &a, "y")->weights, layer_named(&v[1], &b, "y")->weights,
                          12 * sizeof(double));
      nl_parameters_free(&a), nl_parameters_free(&b), norms_free(&v[0], norms);
    }
  view_free(&v[0]), view_free(&v[1]), free(weights);
}

static void among_equals_the_first_stay_and_signs_do_not_count(void **state) {
  (void)state;
  view v = one_layer((const double[]){1, -1, 1, 1, 2, -1, 1, 1, -1, 1, 0.5, -3}, false);
  nl_parameters out = pruned(&v, NL_PRUNE_MAGNITUDE, NULL, 5);
  const double expected[] = {1, -1, 1, 0, 2, 0, 0, 0, 0, 0, 0, -3};
  for (size_t i = 0; i < 12; i++) assert_true(layer_named(&v, &out, "y")->weights[i] == expected[i]);
  nl_parameters_free(&out), view_free(&v);
}

static void weights_that_are_zero_already_count_as_gone(void **state) {
  (void)state;
  view v = one_layer((const double[]){0, 1, 0, 2, 0, 0, 0, 0, 3, 4, 5, 0}, false);
  double **norms = norms_of(&v, false);
  assert_int_equal(nl_prune_weight_count(v.network, &v.parameters), 5);
  assert_int_equal(nl_prune_nonzero(v.network, &v.parameters), v.network->parameters - 7);
  for (size_t m = 0; m < METHOD_COUNT; m++)
    for (size_t keep = 0; keep <= 12; keep++) {
      nl_parameters out = pruned(&v, METHODS[m], norms, keep);
      assert_int_equal(nl_prune_weight_count(v.network, &out), keep < 5 ? keep : 5);
      nl_parameters_free(&out);
    }
  norms_free(&v, norms), view_free(&v);
}

static void pruning_twice_gives_the_same_bits(void **state) {
  (void)state;
  view v = chain_view(10, SHAPE_LAYERS, SHAPES[2]);
  double **norms = norms_of(&v, false);
  for (size_t m = 0; m < METHOD_COUNT; m++) {
    nl_parameters a = pruned(&v, METHODS[m], norms, 100), b = pruned(&v, METHODS[m], norms, 100);
    for (size_t s = 0; s < a.count; s++)
      if (a.layers[s].weights != NULL)
        assert_memory_equal(a.layers[s].weights, b.layers[s].weights,
                            a.layers[s].width * a.layers[s].in_width * sizeof(double));
    nl_parameters_free(&a), nl_parameters_free(&b);
  }
  norms_free(&v, norms), view_free(&v);
}

// ---- shared constants ------------------------------------------------------------------------------------------------

// a = W x, b = Wᵀ a, c = W b: read in both orientations; the second through an Identity, if asked for
static view tied(bool passed) {
  sketch s = sketched(13, 4);
  noise(s, "w", 11, 3, 4);
  if (passed) op(s, "Identity", "w", "v");
  gemm(s, "x w", "a"), op(s, "Gemm", passed ? "a v" : "a w", "b"), gemm(s, "b w", "c"), output(s, "c", 3);
  return viewed(built(s));
}

static void assert_tied(view v) {
  assert_int_equal(nl_prune_weight_count(v.network, &v.parameters), 12);
  assert_int_equal(v.network->parameters, 12);
  double **norms = norms_of(&v, false);
  for (size_t m = 0; m < METHOD_COUNT; m++)
    for (size_t keep = 0; keep <= 12; keep++) {
      nl_parameters out = pruned(&v, METHODS[m], norms, keep);
      const double *a = layer_named(&v, &out, "a")->weights, *b = layer_named(&v, &out, "b")->weights;
      assert_int_equal(kept_among(a, 12), keep), assert_int_equal(nl_prune_nonzero(v.network, &out), keep);
      assert_memory_equal(a, layer_named(&v, &out, "c")->weights, 12 * sizeof(double));
      for (size_t o = 0; o < 3; o++)
        for (size_t i = 0; i < 4; i++) assert_true(a[o * 4 + i] == b[i * 3 + o]);
      nl_parameters_free(&out);
    }
  norms_free(&v, norms), view_free(&v);
}

static void layers_that_share_a_tensor_are_pruned_alike_and_it_counts_once(void **state) {
  (void)state;
  assert_tied(tied(false));
  assert_tied(tied(true));
}

// y = W2 W x beside something else that reads W, directly or through an Identity
static view read_by_others(bool passed) {
  sketch s = sketched(13, 4);
  noise(s, "w", 12, 4, 4), noise(s, "w2", 13, 2, 4);
  gemm(s, "x w", "a"), gemm(s, "a w2", "y");
  if (passed) op(s, "Identity", "w", "v");
  op(s, "Det", passed ? "v" : "w", "d");
  output(s, "y", 2), output(s, "d", 1);
  return viewed(built(s));
}

static void a_tensor_that_others_read_too_stays_whole(void **state) {
  (void)state;
  for (int passed = 0; passed < 2; passed++) {
    view v = read_by_others(passed != 0);
    assert_int_equal(nl_prune_weight_count(v.network, &v.parameters), 8);
    nl_parameters out = pruned(&v, NL_PRUNE_MAGNITUDE, NULL, 0);
    assert_int_equal(kept_among(layer_named(&v, &out, "a")->weights, 16), 16);
    assert_int_equal(kept_among(layer_named(&v, &out, "y")->weights, 8), 0);
    assert_int_equal(nl_prune_nonzero(v.network, &out), 16);
    nl_parameters_free(&out), view_free(&v);
  }
}

static void layers_that_cannot_be_evaluated_stay(void **state) {
  (void)state;
  sketch s = sketched(13, 4);
  noise(s, "w", 14, 3, 4), noise(s, "w2", 15, 2, 3);
  gemm(s, "x w", "a"), op(s, "Det", "a", "d"), gemm(s, "d w2", "y"), output(s, "y", 2);
  view v = viewed(built(s));
  nl_parameters out = pruned(&v, NL_PRUNE_MAGNITUDE_GLOBAL, NULL, 0);
  assert_int_equal(nl_prune_weight_count(v.network, &v.parameters), 12);
  assert_int_equal(nl_prune_nonzero(v.network, &out), 6);
  assert_int_equal(layer_named(&v, &out, "y")->width, 0);
  nl_parameters_free(&out), view_free(&v);
}

// ---- norms -----------------------------------------------------------------------------------------------------------

static void norms_are_the_rms_of_what_each_layer_reads(void **state) {
  (void)state;
  enum { ROWS = 20, BLOCK = 8 };
  view v = chain_view(16, 2, (const size_t[]){3, 5, 2});
  double *x = random_numbers(17, ROWS * 3, 2);
  nl_scratch scratch;
  nl_prune_norms norms;
  OK(nl_scratch_create(&scratch, v.network, &v.parameters, BLOCK, NULL));
  OK(nl_prune_norms_create(&norms, v.network, NULL));
  double square_x[3] = {0}, square_a[5] = {0};
  for (size_t row = 0; row < ROWS; row += BLOCK) {
    const size_t rows = ROWS - row < BLOCK ? ROWS - row : BLOCK;
    nl_forward_all(v.network, &v.parameters, &scratch, rows, x + row * 3);
    nl_prune_norms_add(&norms, v.network, &scratch, rows);
    const double *a = scratch.values[step_named(&v, "a0")];
    for (size_t i = 0; i < rows * 3; i++) square_x[i % 3] += x[row * 3 + i] * x[row * 3 + i];
    for (size_t i = 0; i < rows * 5; i++) square_a[i % 5] += a[i] * a[i];
  }
  nl_prune_norms_finish(&norms, v.network);
  assert_int_equal(norms.rows, ROWS);
  for (size_t i = 0; i < 3; i++) assert_near(norms.norms[step_named(&v, "z0")][i], sqrt(square_x[i] / ROWS), 1e-12);
  for (size_t i = 0; i < 5; i++) assert_near(norms.norms[step_named(&v, "y")][i], sqrt(square_a[i] / ROWS), 1e-12);
  assert_null(norms.norms[step_named(&v, "a0")]);
  nl_prune_norms_free(&norms), nl_scratch_free(&scratch), free(x), view_free(&v);
}

// ---- units -----------------------------------------------------------------------------------------------------------

static void units_go_by_the_norm_of_what_comes_in_from_all_producers(void **state) {
  (void)state;
  sketch s = sketched(13, 2);
  const double w[] = {3, 0, 1, 1, 0, 0, 5, 1}, v2[] = {0, 4, 0, 0, -5, 0, 0, 0}, b[] = {0, 9, 0, 0};
  tensor(s, "w", 2, (int64_t[]){4, 2}, w), tensor(s, "v", 2, (int64_t[]){4, 2}, v2);
  tensor(s, "b", 1, (int64_t[]){4}, b), noise(s, "u", 18, 3, 4);
  gemm(s, "x w b", "p"), gemm(s, "x v", "q"), op(s, "Add", "p q", "r"), op(s, "Tanh", "r", "a");
  gemm(s, "a u", "y"), output(s, "y", 3);
  view v = viewed(built(s));
  nl_arena arena = {0};
  nl_sites sites;
  size_t order[4];
  OK(nl_sites_find(&sites, v.network, &arena, NULL));
  assert_int_equal(sites.count, 1);
  OK(nl_prune_unit_order(v.network, &sites.sites[0], &v.parameters, order, NULL));
  const size_t expected[] = {1, 0, 2, 3}; // norms 5, √2, 5, √26; biases aside
  for (size_t u = 0; u < 4; u++) assert_int_equal(order[u], expected[u]);
  nl_arena_free(&arena), view_free(&v);
}

// ---- random start ----------------------------------------------------------------------------------------------------

static void the_random_start_is_uniform_within_one_over_root_of_the_inputs(void **state) {
  (void)state;
  view v = chain_view(19, 2, (const size_t[]){25, 64, 100});
  size_t steps[2];
  nl_parameters out;
  dense_steps(&v, steps);
  OK(nl_prune_randomise(&out, &v.parameters, 1, NULL));
  for (size_t l = 0; l < 2; l++) {
    const nl_layer *layer = &out.layers[steps[l]];
    const double bound = 1 / sqrt((double)layer->in_width);
    const size_t count = layer->width * layer->in_width;
    double mean = 0, square = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
      mean += layer->weights[i] / (double)count, square += layer->weights[i] * layer->weights[i] / (double)count;
      largest = fmax(largest, fabs(layer->weights[i]));
    }
    assert_true(largest <= bound && largest > 0.99 * bound);
    assert_near(mean / bound, 0, 0.05), assert_near(square / (bound * bound), 1.0 / 3, 0.03);
    for (size_t o = 0; o < layer->width; o++) assert_true(fabs(layer->bias[o]) <= bound);
    assert_true(layer->bias[0] != v.parameters.layers[steps[l]].bias[0]);
  }
  nl_parameters_free(&out), view_free(&v);
}

static void the_random_start_depends_on_the_seed_and_leaves_the_original_alone(void **state) {
  (void)state;
  view v = chain_view(20, 2, (const size_t[]){3, 4, 2}), untouched = chain_view(20, 2, (const size_t[]){3, 4, 2});
  nl_parameters a, b, c;
  OK(nl_prune_randomise(&a, &v.parameters, 1, NULL)), OK(nl_prune_randomise(&b, &v.parameters, 1, NULL));
  OK(nl_prune_randomise(&c, &v.parameters, 2, NULL));
  const size_t first = step_named(&v, "z0"), last = step_named(&v, "y");
  assert_memory_equal(a.layers[last].weights, b.layers[last].weights, 8 * sizeof(double));
  for (size_t i = 0; i < 8; i++) assert_true(a.layers[last].weights[i] != c.layers[last].weights[i]);
  for (size_t i = 0; i < 4; i++) assert_true(a.layers[first].bias[i] != c.layers[first].bias[i]);
  assert_memory_equal(v.parameters.layers[first].weights, untouched.parameters.layers[first].weights,
                      12 * sizeof(double));
  nl_parameters_free(&a), nl_parameters_free(&b), nl_parameters_free(&c), view_free(&v), view_free(&untouched);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exactly_as_many_weights_are_left_as_asked),
      cmocka_unit_test(keeping_all_or_more_changes_nothing),
      cmocka_unit_test(magnitude_keeps_the_largest_of_each_layer_at_one_share),
      cmocka_unit_test(global_magnitude_has_one_threshold_for_all_layers),
      cmocka_unit_test(wanda_keeps_the_largest_weight_times_norm_of_each_row_at_one_share),
      cmocka_unit_test(wanda_with_equal_norms_is_magnitude_within_rows),
      cmocka_unit_test(wanda_lets_the_weights_of_a_dead_input_go_first_and_asks_for_norms),
      cmocka_unit_test(the_tensors_orientation_does_not_matter),
      cmocka_unit_test(among_equals_the_first_stay_and_signs_do_not_count),
      cmocka_unit_test(weights_that_are_zero_already_count_as_gone),
      cmocka_unit_test(pruning_twice_gives_the_same_bits),
      cmocka_unit_test(layers_that_share_a_tensor_are_pruned_alike_and_it_counts_once),
      cmocka_unit_test(a_tensor_that_others_read_too_stays_whole),
      cmocka_unit_test(layers_that_cannot_be_evaluated_stay),
      cmocka_unit_test(norms_are_the_rms_of_what_each_layer_reads),
      cmocka_unit_test(units_go_by_the_norm_of_what_comes_in_from_all_producers),
      cmocka_unit_test(the_random_start_is_uniform_within_one_over_root_of_the_inputs),
      cmocka_unit_test(the_random_start_depends_on_the_seed_and_leaves_the_original_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
