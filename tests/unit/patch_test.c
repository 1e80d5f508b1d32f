// Linears fitted on patches, against plain loops that compute what each operator computes (ONNX operator specification).
#include "kernels/kernels.h"
#include "linear.h"
#include "models.h"
#include "patch_parts.h"

// ---- plain operators -------------------------------------------------------------------------------------------------

// Sizes of up to three spatial axes; unused ones are 1.
typedef struct geometry {
  const char *name;
  nl_linear_kind kind;
  size_t spatial, batch, in, out, groups;
  size_t from[3], kernel[3], stride[3], dilation[3], pad[3], pad_end[3], extra[3]; // extra: output_padding
  size_t auto_pad;
} geometry;

static size_t volume(const size_t *sizes) { return sizes[0] * sizes[1] * sizes[2]; }
static size_t features_of(const geometry *g) { return g->in / g->groups * volume(g->kernel); }

static void sizes_of(const geometry *g, size_t *to, size_t *pad) {
  for (size_t a = 0; a < 3; a++) {
    const size_t reach = (g->kernel[a] - 1) * g->dilation[a] + 1, from = g->from[a], stride = g->stride[a];
    const bool transposed = g->kind == NL_LINEAR_CONV_TRANSPOSE;
    pad[a] = g->pad[a];
    if (g->auto_pad == 0) {
      to[a] = transposed ? (from - 1) * stride + g->extra[a] + reach - g->pad[a] - g->pad_end[a]
                         : (from + g->pad[a] + g->pad_end[a] - reach) / stride + 1;
      continue;
    }
    to[a] = transposed ? from * stride : (from + stride - 1) / stride;
    const int64_t all = transposed ? (int64_t)((from - 1) * stride + reach) - (int64_t)to[a]
                                   : (int64_t)((to[a] - 1) * stride + reach) - (int64_t)from;
    pad[a] = all <= 0 ? 0 : g->auto_pad == 1 ? (size_t)all / 2 : (size_t)(all + 1) / 2;
  }
}

// z (batch, out, to...) from x (batch, in, from...); weights (out, in / groups, kernel...). A convolution gathers, its transpose
// scatters: each input adds to the outputs it reaches.
static void plain(const geometry *g, const double *weights, const double *bias, const double *x, double *z) {
  size_t to[3], pad[3];
  sizes_of(g, to, pad);
  const size_t in = g->in / g->groups, out = g->out / g->groups, ins = volume(g->from), outs = volume(to);
  const bool scatters = g->kind == NL_LINEAR_CONV_TRANSPOSE;
  const size_t *walked = scatters ? g->from : to, *met = scatters ? to : g->from;
  for (size_t i = 0; i < g->batch * g->out * outs; i++) z[i] = bias != NULL ? bias[i / outs % g->out] : 0;
  for (size_t n = 0; n < g->batch; n++)
    for (size_t o = 0; o < g->out; o++)
      for (size_t c = 0; c < in; c++)
        for (size_t w = 0; w < volume(walked); w++)
          for (size_t k = 0; k < volume(g->kernel); k++) {
            const size_t at[3] = {w / walked[2] / walked[1], w / walked[2] % walked[1], w % walked[2]};
            const size_t offset[3] = {k / g->kernel[2] / g->kernel[1], k / g->kernel[2] % g->kernel[1],
                                      k % g->kernel[2]};
            size_t other = 0;
            bool inside = true;
            for (size_t a = 0; a < 3; a++) {
              const int64_t x_a =
                  (int64_t)(at[a] * g->stride[a] + offset[a] * g->dilation[a]) - (int64_t)pad[a]; // both operators
              inside = inside && x_a >= 0 && x_a < (int64_t)met[a];
              other = other * met[a] + (size_t)(inside ? x_a : 0);
            }
            const double weight = weights[(o * in + c) * volume(g->kernel) + k];
            const size_t reads = scatters ? w : other, writes = scatters ? other : w;
            if (inside) z[(n * g->out + o) * outs + writes] += weight * x[(n * g->in + o / out * in + c) * ins + reads];
          }
}

// ---- fits ------------------------------------------------------------------------------------------------------------

typedef struct sample {
  nl_linear linear;
  int64_t read_dims[5], written_dims[5];
  nl_fed read, written;
  double *x, *z;
} sample;

static sample sample_of(const geometry *g, const double *weights, const double *bias, uint64_t seed) {
  size_t to[3], pad[3];
  sizes_of(g, to, pad);
  sample s = {.linear = {.kind = g->kind,
                         .in = {.back = g->spatial + 1},
                         .out = {.back = g->spatial + 1},
                         .in_width = g->in,
                         .out_width = g->out,
                         .groups = g->groups,
                         .spatial = g->spatial,
                         .auto_pad = g->auto_pad,
                         .kernel_size = volume(g->kernel)}};
  s.x = random_numbers(seed, g->batch * g->in * volume(g->from), 1);
  s.z = malloc(g->batch * g->out * volume(to) * sizeof *s.z);
  for (size_t i = 0; i < g->batch * g->in * volume(g->from); i++) s.x[i] = s.x[i] > 0 ? s.x[i] + 0.5 : 0;
  plain(g, weights, bias, s.x, s.z);
  s.read_dims[0] = s.written_dims[0] = (int64_t)g->batch;
  s.read_dims[1] = (int64_t)g->in;
  s.written_dims[1] = (int64_t)g->out;
  for (size_t a = 0; a < g->spatial; a++) {
    const size_t b = 3 - g->spatial + a; // the last axes of the three
    s.linear.kernel[a] = g->kernel[b], s.linear.stride[a] = g->stride[b], s.linear.dilation[a] = g->dilation[b];
    s.linear.pad[a] = g->pad[b];
    s.read_dims[2 + a] = (int64_t)g->from[b], s.written_dims[2 + a] = (int64_t)to[b];
  }
  s.read = (nl_fed){NL_TYPE_F64, 2 + g->spatial, NULL, s.x};
  s.written = (nl_fed){NL_TYPE_F64, 2 + g->spatial, NULL, s.z};
  return s;
}
static void sample_free(sample *s) { free(s->x), free(s->z); }

typedef struct fitted {
  nl_arena arena;
  nl_narrow_linear linear;
  double before, after;
} fitted;

// `batches` equal parts of the first axis of both tensors.
static fitted fit(sample *s, const nl_narrow_linear *start, const size_t *kept, nl_patch_options options,
                  size_t batches) {
  nl_patch *patch = NULL;
  nl_error error = {0};
  fitted result = {0};
  assert_fine(nl_patch_create(&patch, &s->linear, start, kept, &options, &error), &error);
  int64_t read_dims[5], written_dims[5];
  memcpy(read_dims, s->read_dims, sizeof read_dims), memcpy(written_dims, s->written_dims, sizeof written_dims);
  read_dims[0] /= (int64_t)batches, written_dims[0] /= (int64_t)batches;
  nl_fed read = s->read, written = s->written;
  read.dims = read_dims, written.dims = written_dims;
  for (size_t b = 0; b < batches; b++) {
    read.data = (const double *)s->read.data + b * nl_fed_count(&read);
    written.data = (const double *)s->written.data + b * nl_fed_count(&written);
    assert_fine(nl_patch_add(patch, &written, &read, 1.0 / (double)batches, &error), &error);
  }
  assert_fine(nl_patch_solve(patch, &result.linear, &result.arena, &error), &error);
  nl_patch_gain(patch, &result.before, &result.after);
  nl_patch_free(patch);
  return result;
}

static const nl_patch_options all_of_it = {.positions = 1 << 20, .seed = 3};
// Next to no pull towards the start: what is recovered is then the truth to many digits.
static const nl_patch_options exact_fit = {.positions = 1 << 20, .ridge = 1e-12, .seed = 3};
static const size_t ascending[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

static double largest_difference(size_t count, const double *a, const double *b) {
  double largest = 0;
  for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(a[i] - b[i]));
  return largest;
}

// ---- geometries ------------------------------------------------------------------------------------------------------

#define ONES                                                                                                           \
  { 1, 1, 1 }
static const geometry geometries[] = {
    {"dense", NL_LINEAR_DENSE, 0, 60, 5, 4, 1, ONES, ONES, ONES, ONES, {0}, {0}, {0}, 0},
    {"conv 1-D", NL_LINEAR_CONV, 1, 12, 3, 4, 1, {1, 1, 11}, {1, 1, 4}, ONES, ONES, {0}, {0}, {0}, 0},
    {"conv 1-D, stride 3, pads",
     NL_LINEAR_CONV,
     1,
     20,
     3,
     4,
     1,
     {1, 1, 13},
     {1, 1, 5},
     {1, 1, 3},
     ONES,
     {0, 0, 1},
     {0, 0, 3},
     {0},
     0},
    {"conv 2-D", NL_LINEAR_CONV, 2, 10, 3, 4, 1, {1, 7, 6}, {1, 3, 2}, ONES, ONES, {0, 1, 0}, {0, 1, 1}, {0}, 0},
    {"conv 2-D, stride and dilation",
     NL_LINEAR_CONV,
     2,
     20,
     2,
     4,
     1,
     {1, 11, 9},
     {1, 3, 2},
     {1, 2, 1},
     {1, 2, 3},
     {0, 0, 2},
     {0, 3, 1},
     {0},
     0},
    {"conv 2-D, groups",
     NL_LINEAR_CONV,
     2,
     10,
     6,
     4,
     2,
     {1, 6, 6},
     {1, 3, 3},
     ONES,
     ONES,
     {0, 1, 1},
     {0, 1, 1},
     {0},
     0},
    {"conv 2-D, SAME_UPPER", NL_LINEAR_CONV, 2, 20, 2, 3, 1, {1, 8, 7}, {1, 3, 4}, {1, 2, 2}, ONES, {0}, {0}, {0}, 1},
    {"conv 2-D, SAME_LOWER", NL_LINEAR_CONV, 2, 20, 2, 3, 1, {1, 8, 7}, {1, 4, 4}, {1, 1, 2}, ONES, {0}, {0}, {0}, 2},
    {"conv 3-D",
     NL_LINEAR_CONV,
     3,
     10,
     2,
     3,
     1,
     {4, 5, 6},
     {2, 3, 2},
     {1, 2, 1},
     {2, 1, 1},
     {1, 0, 0},
     {0, 1, 1},
     {0},
     0},
    {"transpose 1-D",
     NL_LINEAR_CONV_TRANSPOSE,
     1,
     20,
     3,
     4,
     1,
     {1, 1, 7},
     {1, 1, 4},
     {1, 1, 2},
     ONES,
     {0, 0, 1},
     {0, 0, 1},
     {0},
     0},
    {"transpose 2-D, output_padding",
     NL_LINEAR_CONV_TRANSPOSE,
     2,
     16,
     3,
     4,
     1,
     {1, 5, 4},
     {1, 3, 3},
     {1, 2, 2},
     ONES,
     {0, 1, 1},
     {0, 1, 1},
     {0, 1, 1},
     0},
    {"transpose 2-D, dilation, uneven pads",
     NL_LINEAR_CONV_TRANSPOSE,
     2,
     20,
     2,
     4,
     1,
     {1, 5, 4},
     {1, 2, 3},
     {1, 1, 2},
     {1, 3, 1},
     {0, 0, 2},
     {0, 2, 0},
     {0},
     0},
    {"transpose 2-D, groups",
     NL_LINEAR_CONV_TRANSPOSE,
     2,
     12,
     4,
     6,
     2,
     {1, 5, 4},
     {1, 3, 3},
     {1, 2, 1},
     ONES,
     {0, 1, 0},
     {0, 1, 1},
     {0},
     0},
    {"transpose 2-D, SAME_UPPER",
     NL_LINEAR_CONV_TRANSPOSE,
     2,
     16,
     2,
     3,
     1,
     {1, 5, 4},
     {1, 3, 4},
     {1, 2, 3},
     ONES,
     {0},
     {0},
     {0},
     1},
    {"transpose 2-D, SAME_LOWER",
     NL_LINEAR_CONV_TRANSPOSE,
     2,
     16,
     2,
     3,
     1,
     {1, 5, 4},
     {1, 3, 4},
     {1, 2, 3},
     ONES,
     {0},
     {0},
     {0},
     2},
    {"transpose 3-D",
     NL_LINEAR_CONV_TRANSPOSE,
     3,
     10,
     2,
     3,
     1,
     {3, 2, 4},
     {2, 2, 3},
     {2, 1, 2},
     ONES,
     {0, 0, 1},
     {1, 0, 1},
     {0},
     0},
};
enum { GEOMETRIES = sizeof geometries / sizeof *geometries };

// Fits half of the original's output channels from a random start; what computes them is known.
static void recovers(const geometry *g, bool biased, nl_patch_options options, size_t batches, double tolerance) {
  const size_t features = features_of(g), half = g->out / g->groups / 2 + 1;
  double *weights = random_numbers(1, g->out * features, 1), *bias = random_numbers(2, g->out, 1);
  double *start = random_numbers(3, g->out * features, 1), *start_bias = random_numbers(4, g->out, 1);
  sample s = sample_of(g, weights, biased ? bias : NULL, 5);
  size_t kept[16], count = 0; // the last of each group
  for (size_t o = 0; o < g->out; o++)
    if (o % (g->out / g->groups) >= g->out / g->groups - half) kept[count++] = o;
  const nl_narrow_linear from = {count, g->in, start, biased ? start_bias : NULL};
  fitted f = fit(&s, &from, kept, options, batches);
  for (size_t i = 0; i < count; i++) {
    const double off = largest_difference(features, f.linear.weights + i * features, weights + kept[i] * features);
    if (off > tolerance) fail_msg("%s: output %zu is off by %g", g->name, kept[i], off);
    if (biased) assert_near(f.linear.bias[i], bias[kept[i]], 10 * tolerance);
  }
  assert_true(f.before > 0.1 && f.after < 1e-6);
  nl_arena_free(&f.arena), sample_free(&s);
  free(weights), free(bias), free(start), free(start_bias);
}

static void what_computed_the_target_is_recovered(void **state) {
  (void)state;
  for (size_t i = 0; i < GEOMETRIES; i++) {
    recovers(&geometries[i], true, exact_fit, 1, 1e-8);
    recovers(&geometries[i], false, exact_fit, 1, 1e-8);
  }
}
static void the_chosen_ridge_recovers_it_nearly(void **state) {
  (void)state;
  for (size_t i = 0; i < GEOMETRIES; i++) recovers(&geometries[i], true, all_of_it, 1, 1e-4);
}
static void batches_serve_as_well_as_one(void **state) {
  (void)state;
  for (size_t i = 0; i < GEOMETRIES; i++) recovers(&geometries[i], true, exact_fit, geometries[i].batch / 2, 1e-8);
}
static void a_part_of_the_positions_serves_too(void **state) {
  (void)state;
  const nl_patch_options options = {.positions = 200, .ridge = 1e-12, .seed = 9};
  for (size_t i = 1; i < GEOMETRIES; i++) recovers(&geometries[i], true, options, 2, 1e-7);
}

// A dense layer's rows may be spread over several axes, and its channels may lie in front: (in, rows) -> (out, rows).
static void dense_layers_of_any_rank_are_recovered(void **state) {
  (void)state;
  enum { IN = 4, OUT = 3, ROWS = 60 };
  double *weights = random_numbers(1, OUT * IN, 1), *bias = random_numbers(2, OUT, 1),
         *x = random_numbers(3, ROWS * IN, 1);
  double z[ROWS * OUT], turned_x[ROWS * IN], turned_z[ROWS * OUT], start[OUT * IN] = {0}, start_bias[OUT] = {0};
  const nl_narrow_linear from = {OUT, IN, start, start_bias};
  const geometry g = {"", NL_LINEAR_DENSE, 0, ROWS, IN, OUT, 1, ONES, ONES, ONES, ONES, {0}, {0}, {0}, 0};
  plain(&g, weights, bias, x, z);
  for (size_t r = 0; r < ROWS; r++) { // (4, IN, 15) and (4, OUT, 15)
    for (size_t i = 0; i < IN; i++) turned_x[(r / 15 * IN + i) * 15 + r % 15] = x[r * IN + i];
    for (size_t o = 0; o < OUT; o++) turned_z[(r / 15 * OUT + o) * 15 + r % 15] = z[r * OUT + o];
  }
  sample s[] = {{.read_dims = {3, 4, 5, IN}, .written_dims = {3, 4, 5, OUT}, .read.rank = 4, .written.rank = 4},
                {.read_dims = {4, IN, 15}, .written_dims = {4, OUT, 15}, .read.rank = 3, .written.rank = 3},
                {.read_dims = {4, IN, 15}, .written_dims = {ROWS, OUT}, .read.rank = 3, .written.rank = 2}};
  const size_t read_back[] = {1, 2, 2}, written_back[] = {1, 2, 1};
  for (size_t i = 0; i < 3; i++) {
    s[i].linear = (nl_linear){.kind = NL_LINEAR_DENSE, .in.back = read_back[i], .out.back = written_back[i]};
    s[i].linear.groups = 1, s[i].linear.out_width = OUT;
    s[i].read.type = s[i].written.type = NL_TYPE_F64;
    s[i].read.data = i == 0 ? x : turned_x, s[i].written.data = i == 1 ? turned_z : z;
    fitted f = fit(&s[i], &from, ascending, exact_fit, 1);
    assert_near(largest_difference(OUT * IN, f.linear.weights, weights), 0, 1e-9);
    assert_near(largest_difference(OUT, f.linear.bias, bias), 0, 1e-9);
    nl_arena_free(&f.arena);
  }
  free(weights), free(bias), free(x);
}

static void an_exact_start_stays_what_it_is(void **state) {
  (void)state;
  for (size_t i = 0; i < GEOMETRIES; i++) {
    const geometry *g = &geometries[i];
    double *weights = random_numbers(1, g->out * features_of(g), 1), *bias = random_numbers(2, g->out, 1);
    sample s = sample_of(g, weights, bias, 5);
    const nl_narrow_linear start = {g->out, g->in, weights, bias};
    fitted f = fit(&s, &start, ascending, all_of_it, 1);
    assert_near(largest_difference(g->out * features_of(g), f.linear.weights, weights), 0, 1e-9);
    assert_near(largest_difference(g->out, f.linear.bias, bias), 0, 1e-9);
    nl_arena_free(&f.arena), sample_free(&s), free(weights), free(bias);
  }
}

// ---- rows and sums ---------------------------------------------------------------------------------------------------

// Both ways, folds of which the last ones may be judged or not.
static void both_ways_agree(size_t folds, bool biased) {
  enum { IN = 50, OUT = 3, FOLD = 8, ROWS = NL_PATCH_FOLDS * FOLD };
  double *start = random_numbers(1, OUT * IN, 1), *sum_weights = random_numbers(1, OUT * IN, 1);
  double bias[OUT] = {1, 2, 3}, sum_bias[OUT] = {1, 2, 3};
  double *u = random_numbers(2, ROWS * IN, 1), *r = random_numbers(3, ROWS * OUT, 1);
  double *work = aligned_alloc(16, nl_patch_fit_work(IN, 0) * sizeof *work);
  for (size_t i = 0; i < ROWS * IN; i++) u[i] += 3;
  const nl_patch_problem problem = {IN, OUT, start, biased ? bias : NULL, folds};
  nl_arena arena = {0};
  nl_patch_sums *sums = NULL;
  nl_patch_rows *rows = NULL;
  OK(nl_patch_sums_create(&sums, &problem, &arena, NULL));
  OK(nl_patch_rows_create(&rows, &problem, ROWS + 5, &arena, NULL));
  for (size_t f = 0; f < NL_PATCH_FOLDS; f++) {
    nl_patch_rows_add(rows, f, FOLD, u + f * FOLD * IN, r + f * FOLD * OUT);
    nl_patch_sums_add(sums, f, FOLD, u + f * FOLD * IN, r + f * FOLD * OUT, work);
  }
  nl_patch_rows_ready(rows, work);
  nl_patch_sums_ready(sums);
  for (double ridge = 1e-6; ridge < 100; ridge *= 100) {
    const double by_sums = nl_patch_sums_try(sums, ridge, work);
    assert_near(nl_patch_rows_try(rows, ridge, work), by_sums, 1e-8 * by_sums);
  }
  nl_patch_sums_finish(sums, 1e-2, sum_weights, biased ? sum_bias : NULL, work);
  nl_patch_rows_finish(rows, 1e-2, start, biased ? bias : NULL, work);
  assert_near(largest_difference(OUT * IN, start, sum_weights), 0, 1e-10);
  assert_near(largest_difference(OUT, bias, sum_bias), 0, 1e-10);
  nl_arena_free(&arena), free(start), free(u), free(r), free(work), free(sum_weights);
}

static void kept_positions_and_their_sums_give_the_same_fit(void **state) {
  (void)state;
  both_ways_agree(1, true), both_ways_agree(1, false);
  both_ways_agree(NL_PATCH_FOLDS, true), both_ways_agree(NL_PATCH_FOLDS, false);
}

// ---- what goes wrong in practice ---------------------------------------------------------------------------------------

// Σ (z - W u - b)² / Σ (z - E z)² on fresh positions of a dense layer whose truth is `weights` and noise.
typedef struct noisy {
  size_t rows, in, out;
  const double *weights; // (out, in)
  double noise, dead;    // share of inputs that are always 0
} noisy;

static void draw(const noisy *n, uint64_t seed, double *x, double *z) {
  for (size_t r = 0; r < n->rows; r++) {
    const double common = gauss(&seed); // inputs go together, as channels do
    for (size_t i = 0; i < n->in; i++)
      x[r * n->in + i] = (double)i < n->dead * (double)n->in ? 0 : 0.7 * common + gauss(&seed);
    for (size_t o = 0; o < n->out; o++) {
      z[r * n->out + o] = 1 + n->noise * gauss(&seed);
      for (size_t i = 0; i < n->in; i++) z[r * n->out + o] += n->weights[o * n->in + i] * x[r * n->in + i];
    }
  }
}

static double error_of(const noisy *n, const nl_narrow_linear *linear, const double *x, const double *z) {
  double sum = 0;
  for (size_t r = 0; r < n->rows; r++)
    for (size_t o = 0; o < n->out; o++) {
      const double y = linear->bias[o] + nl_dot_f64(n->in, linear->weights + o * n->in, x + r * n->in);
      sum += (z[r * n->out + o] - y) * (z[r * n->out + o] - y);
    }
  return sum / (double)(n->rows * n->out);
}

// Errors of start and fit on 2,000 fresh rows.
static void fit_noisy(const noisy *n, const nl_narrow_linear *start, uint64_t seed, double *before, double *after) {
  double *x = malloc(n->rows * n->in * sizeof *x), *z = malloc(n->rows * n->out * sizeof *z);
  draw(n, seed, x, z);
  sample s = {.linear = {.kind = NL_LINEAR_DENSE, .in.back = 1, .out.back = 1, .out_width = n->out, .groups = 1},
              .read_dims = {(int64_t)n->rows, (int64_t)n->in},
              .written_dims = {(int64_t)n->rows, (int64_t)n->out},
              .read = {NL_TYPE_F64, 2, NULL, x},
              .written = {NL_TYPE_F64, 2, NULL, z}};
  fitted f = fit(&s, start, ascending, all_of_it, 1);
  noisy fresh = *n;
  fresh.rows = 2000;
  double *fresh_x = malloc(fresh.rows * n->in * sizeof *x), *fresh_z = malloc(fresh.rows * n->out * sizeof *z);
  draw(&fresh, seed + 1000, fresh_x, fresh_z);
  *before = error_of(&fresh, start, fresh_x, fresh_z);
  *after = error_of(&fresh, &f.linear, fresh_x, fresh_z);
  nl_arena_free(&f.arena), free(x), free(z), free(fresh_x), free(fresh_z);
}

// Starts that are nearly right already, rows fewer than inputs: 40 seeds, no single one much worse, all together no worse.
static void few_positions_do_not_make_it_worse(void **state) {
  (void)state;
  static const size_t rows[] = {12, 25, 60, 150};
  enum { IN = 50, OUT = 4 };
  for (size_t k = 0; k < 4; k++) {
    double all_before = 0, all_after = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
      double *weights = random_numbers(seed, OUT * IN, 0.2), *off = random_numbers(seed + 100, OUT * IN, 0.03);
      double start[OUT * IN], bias[OUT] = {1, 1, 1, 1}, before, after;
      for (size_t i = 0; i < OUT * IN; i++) start[i] = weights[i] + off[i];
      const noisy n = {rows[k], IN, OUT, weights, 0.5, 0};
      const nl_narrow_linear from = {OUT, IN, start, bias};
      fit_noisy(&n, &from, seed, &before, &after);
      assert_true(after < 1.6 * before);
      all_before += before, all_after += after;
      free(weights), free(off);
    }
    assert_true(all_after <= (rows[k] < 20 ? 1.03 : 1) * all_before);
  }
}

static void dead_and_doubled_channels_do_no_harm(void **state) {
  (void)state;
  enum { IN = 20, OUT = 3 };
  double *weights = random_numbers(1, OUT * IN, 0.3), start[OUT * IN] = {0}, bias[OUT] = {0}, before, after;
  const nl_narrow_linear from = {OUT, IN, start, bias};
  const noisy dead = {.rows = 200, .in = IN, .out = OUT, .weights = weights, .noise = 0.01, .dead = 0.4};
  fit_noisy(&dead, &from, 1, &before, &after);
  assert_true(after < 1e-3 * before);
  const noisy all_dead = {.rows = 200, .in = IN, .out = OUT, .weights = weights, .noise = 0.01, .dead = 1};
  fit_noisy(&all_dead, &from, 1, &before, &after); // nothing to fit but the bias, and no Gram matrix to do it with
  assert_true(after <= before);
  free(weights);
}

static void what_is_not_finite_leaves_the_start(void **state) {
  (void)state;
  const geometry *g = &geometries[3];
  double *weights = random_numbers(1, g->out * features_of(g), 1),
         *start = random_numbers(2, g->out * features_of(g), 1);
  double bias[10] = {0};
  for (size_t i = 0; i < 2; i++) {
    sample s = sample_of(g, weights, bias, 5);
    (i == 0 ? s.x : s.z)[100] = NAN;
    const nl_narrow_linear from = {g->out, g->in, start, bias};
    fitted f = fit(&s, &from, ascending, all_of_it, 1);
    assert_memory_equal(f.linear.weights, start, g->out * features_of(g) * sizeof *start);
    nl_arena_free(&f.arena), sample_free(&s);
  }
  free(weights), free(start);
}

static void tensors_that_do_not_belong_together_are_refused(void **state) {
  (void)state;
  const geometry *g = &geometries[3];
  double *weights = random_numbers(1, g->out * features_of(g), 1), bias[10] = {0};
  sample s = sample_of(g, weights, bias, 5);
  const nl_narrow_linear start = {g->out, g->in, weights, bias};
  s.read.dims = s.read_dims, s.written.dims = s.written_dims;
  for (size_t wrong = 0; wrong < 4; wrong++) {
    nl_fed read = s.read, written = s.written;
    int64_t sizes[5];
    memcpy(sizes, wrong < 2 ? s.read_dims : s.written_dims, sizeof sizes);
    sizes[wrong % 2] -= 1; // the batch, the channels
    *(wrong < 2 ? &read.dims : &written.dims) = sizes;
    nl_patch *patch = NULL;
    OK(nl_patch_create(&patch, &s.linear, &start, ascending, &all_of_it, NULL));
    assert_int_equal(nl_patch_add(patch, &written, &read, 1, NULL), NL_ERROR_SHAPE);
    nl_patch_free(patch);
  }
  sample_free(&s), free(weights);
}

static void a_layer_too_large_is_refused_before_memory_is_taken(void **state) {
  (void)state;
  const nl_linear linear = {.kind = NL_LINEAR_CONV, .kernel_size = 9, .groups = 1, .out_width = 4096};
  const nl_narrow_linear start = {4096, 4096, NULL, NULL};
  nl_patch *patch = NULL;
  assert_int_equal(nl_patch_create(&patch, &linear, &start, NULL, &all_of_it, NULL), NL_ERROR_LIMIT);
  assert_null(patch);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_computed_the_target_is_recovered),
      cmocka_unit_test(the_chosen_ridge_recovers_it_nearly),
      cmocka_unit_test(batches_serve_as_well_as_one),
      cmocka_unit_test(a_part_of_the_positions_serves_too),
      cmocka_unit_test(dense_layers_of_any_rank_are_recovered),
      cmocka_unit_test(an_exact_start_stays_what_it_is),
      cmocka_unit_test(kept_positions_and_their_sums_give_the_same_fit),
      cmocka_unit_test(few_positions_do_not_make_it_worse),
      cmocka_unit_test(dead_and_doubled_channels_do_no_harm),
      cmocka_unit_test(what_is_not_finite_leaves_the_start),
      cmocka_unit_test(tensors_that_do_not_belong_together_are_refused),
      cmocka_unit_test(a_layer_too_large_is_refused_before_memory_is_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
