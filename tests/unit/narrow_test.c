// The quotient of any graph: what lumpings make of linears, the written file, and how many parameters it has.
//
// The models are *planted*: along the channels of every layer but the last, each odd channel is 2 or 1/2 times the one before
// it, through ReLU and normalisation as well. Keeping the even channels is then an exact lumping, so the smaller network must
// compute the same function, whatever lies between the layers, up to the file's single precision.
#include "narrow.h"

#include "evaluate.h"
#include "models.h"

// ---- planted models ------------------------------------------------------------------------------------------------------

static double factor(size_t channel) { return channel % 2 == 0 ? 1 : channel % 4 == 1 ? 2 : 0.5; }

// Numbers of which entry 2m + 1 along an axis (NL_NONE: none) is `power` factors times entry 2m.
static void planted(message *m, const char *name, uint64_t seed, size_t axis, double power, size_t rank,
                    const int64_t *sizes) {
  size_t count = 1, inner = 1;
  for (size_t i = 0; i < rank; i++) count *= (size_t)sizes[i];
  for (size_t i = axis + 1; axis != NL_NONE && i < rank; i++) inner *= (size_t)sizes[i];
  double *from = random_numbers(seed, count, 0.5);
  float *values = malloc((count + 1) * sizeof *values);
  for (size_t i = 0; i < count; i++) {
    const size_t channel = axis != NL_NONE ? i / inner % (size_t)sizes[axis] : 0;
    values[i] = (float)from[i];
    if (channel % 2 == 1) values[i] = (float)(from[i - inner] * pow(factor(channel), power));
  }
  initializer(m, name, rank, sizes, values);
  free(from), free(values);
}
#define FREE NL_NONE, 0 // not planted

static message started(size_t rank, const int64_t *sizes) {
  message m = {0};
  open_model(&m);
  info(&m, 11, "x", rank, sizes);
  return m;
}

// "w", "b" of a name, planted, and a Conv with them; attributes are added before end().
static void open_conv(message *m, const char *op, const char *in, const char *name, bool last, size_t axis,
                      const int64_t sizes[4], int64_t width) {
  char inputs[64], w[16], b[16];
  uint64_t seed = 17;
  for (const char *c = name; *c != '\0'; c++) seed = seed * 31 + (uint64_t)*c;
  snprintf(w, sizeof w, "%s.w", name), snprintf(b, sizeof b, "%s.b", name);
  snprintf(inputs, sizeof inputs, "%s %s %s", in, w, b);
  planted(m, w, seed, last ? NL_NONE : axis, 1, 4, sizes);
  planted(m, b, seed + 1, last ? NL_NONE : 0, 1, 1, &width);
  open_node(m, op, name, inputs, name);
}
static void conv(message *m, const char *in, const char *name, bool last, int64_t out, int64_t width, int64_t kernel) {
  open_conv(m, "Conv", in, name, last, 0, (int64_t[]){out, width, kernel, kernel}, out), end(m);
}

static message conv_normalised_pooled(void) {
  message m = started(SIZES(-1, 3, 9, 9));
  open_conv(&m, "Conv", "x", "c", false, 0, (int64_t[]){8, 3, 3, 3}, 8), ints(&m, "pads", SIZES(1, 1, 1, 1)), end(&m);
  planted(&m, "scale", 1, 0, 0, SIZES(8)), planted(&m, "shift", 2, 0, 1, SIZES(8)),
      planted(&m, "mean", 3, 0, 1, SIZES(8));
  initializer(&m, "variance", SIZES(8), (float[]){1, 1, 2, 2, 3, 3, .5, .5});
  node(&m, "BatchNormalization", "n", "c scale shift mean variance", "n"), node(&m, "Relu", "r", "n", "r");
  open_node(&m, "MaxPool", "p", "r", "p"), ints(&m, "kernel_shape", SIZES(2, 2)), ints(&m, "strides", SIZES(2, 2)),
      end(&m);
  info(&m, 13, "n", SIZES(-1, 8, 9, 9)), info(&m, 13, "p", SIZES(-1, 8, 4, 4));
  conv(&m, "p", "y", true, 4, 8, 3);
  return m;
}

static message conv_flattened(void) {
  message m = started(SIZES(-1, 2, 5, 5));
  conv(&m, "x", "c", false, 6, 2, 3), node(&m, "Relu", "r", "c", "r"), node(&m, "Flatten", "f", "r", "f");
  planted(&m, "w", 5, FREE, SIZES(3, 54)), planted(&m, "b", 6, FREE, SIZES(3));
  open_node(&m, "Gemm", "g", "f w b", "y"), one(&m, "transB", 1), end(&m);
  return m;
}

static message conv_channels_last(void) {
  message m = started(SIZES(-1, 2, 5, 5));
  conv(&m, "x", "c", false, 6, 2, 3), node(&m, "Relu", "r", "c", "r");
  open_node(&m, "Transpose", "t", "r", "t"), ints(&m, "perm", SIZES(0, 2, 3, 1)), end(&m);
  whole(&m, "rows", 1, 2, (int64_t[]){0, -1}), node(&m, "Reshape", "f", "t rows", "f");
  planted(&m, "w", 5, FREE, SIZES(54, 3)), node(&m, "MatMul", "g", "f w", "y");
  return m;
}

// Two filters a channel: channel c of 6 gives 2c and 2c + 1.
static message conv_depthwise(void) {
  message m = started(SIZES(-1, 2, 6, 6));
  conv(&m, "x", "c", false, 6, 2, 3), node(&m, "Relu", "r", "c", "r");
  double *from = random_numbers(8, 12 * 9, 0.5);
  float filters[12 * 9], shifts[12];
  for (size_t o = 0; o < 12; o++) {
    const size_t c = o / 2, twin = c % 2 == 1 ? o - 2 : o;
    for (size_t k = 0; k < 9; k++) filters[o * 9 + k] = (float)from[twin * 9 + k];
    shifts[o] = (float)(from[twin * 9] * factor(c));
  }
  free(from);
  initializer(&m, "d.w", SIZES(12, 1, 3, 3), filters), initializer(&m, "d.b", SIZES(12), shifts);
  open_node(&m, "Conv", "d", "r d.w d.b", "d"), ints(&m, "pads", SIZES(1, 1, 1, 1)), one(&m, "group", 6), end(&m);
  node(&m, "Relu", "s", "d", "s"), conv(&m, "s", "y", true, 3, 12, 1);
  return m;
}

static message conv_grouped(void) {
  message m = started(SIZES(-1, 2, 6, 6));
  conv(&m, "x", "c", false, 8, 2, 3), node(&m, "Relu", "r", "c", "r");
  open_conv(&m, "Conv", "r", "g", false, 0, (int64_t[]){16, 4, 3, 3}, 16), one(&m, "group", 2), end(&m);
  node(&m, "Relu", "s", "g", "s"), conv(&m, "s", "y", true, 3, 16, 1);
  return m;
}

static message conv_transposed(void) {
  message m = started(SIZES(-1, 2, 5, 5));
  conv(&m, "x", "c", false, 6, 2, 3), node(&m, "Relu", "r", "c", "r");
  open_conv(&m, "ConvTranspose", "r", "t", false, 1, (int64_t[]){6, 8, 3, 2}, 8), ints(&m, "strides", SIZES(2, 2)),
      end(&m);
  node(&m, "Relu", "s", "t", "s"), conv(&m, "s", "y", true, 3, 8, 3);
  return m;
}

static message conv_transposed_grouped(void) {
  message m = started(SIZES(-1, 2, 5, 5));
  conv(&m, "x", "c", false, 8, 2, 3), node(&m, "Relu", "r", "c", "r");
  open_conv(&m, "ConvTranspose", "r", "t", false, 1, (int64_t[]){8, 4, 3, 2}, 8), one(&m, "group", 2), end(&m);
  node(&m, "Relu", "s", "t", "s"), conv(&m, "s", "y", true, 3, 8, 3);
  return m;
}

static message convs_joined(void) {
  message m = started(SIZES(-1, 2, 6, 6));
  conv(&m, "x", "a", false, 4, 2, 3), conv(&m, "x", "b", false, 8, 2, 3);
  open_node(&m, "Concat", "j", "a b", "j"), one(&m, "axis", 1), end(&m);
  node(&m, "Relu", "r", "j", "r"), conv(&m, "r", "y", true, 3, 12, 3);
  return m;
}

static message convs_added(void) {
  message m = started(SIZES(-1, 2, 6, 6));
  conv(&m, "x", "a", false, 8, 2, 1), node(&m, "Relu", "r", "a", "r");
  open_conv(&m, "Conv", "r", "b", false, 0, (int64_t[]){8, 8, 3, 3}, 8), ints(&m, "pads", SIZES(1, 1, 1, 1)), end(&m);
  planted(&m, "slope", 9, 0, 0, SIZES(8, 1, 1));
  node(&m, "Add", "s", "r b", "s"), node(&m, "PRelu", "p", "s slope", "p"), conv(&m, "p", "y", true, 3, 8, 1);
  return m;
}

// Dense layers over a sequence, weights behind an Identity, the biases Adds.
static message dense_added(void) {
  message m = started(SIZES(-1, 4, 5));
  planted(&m, "w0", 1, 1, 1, SIZES(5, 8)), planted(&m, "w1", 2, FREE, SIZES(8, 3));
  planted(&m, "b0", 3, 1, 1, SIZES(1, 8)), planted(&m, "b1", 4, FREE, SIZES(3));
  node(&m, "Identity", "i", "w0", "w"), info(&m, 13, "w", SIZES(5, 8));
  node(&m, "MatMul", "m0", "x w", "p"), node(&m, "Add", "a0", "b0 p", "q"), node(&m, "Relu", "r", "q", "r");
  node(&m, "MatMul", "m1", "r w1", "s"), node(&m, "Add", "a1", "s b1", "y");
  return m;
}

static message dense_scaled(void) {
  message m = started(SIZES(-1, 5));
  planted(&m, "w0", 1, 0, 1, SIZES(8, 5)), planted(&m, "w1", 2, FREE, SIZES(8, 3)),
      planted(&m, "b0", 3, 1, 1, SIZES(1, 8));
  open_node(&m, "Gemm", "g0", "x w0 b0", "p"), one(&m, "transB", 1), real(&m, "alpha", 0.5), real(&m, "beta", 2),
      end(&m);
  node(&m, "Relu", "r", "p", "r"), open_node(&m, "Gemm", "g1", "r w1", "y"), real(&m, "alpha", 4), end(&m);
  return m;
}

// Two branches with the same weights; a size stands in a Reshape.
static message weights_shared(void) {
  message m = started(SIZES(-1, 5));
  info(&m, 11, "z", SIZES(-1, 5));
  planted(&m, "w", 1, 1, 1, SIZES(5, 8)), planted(&m, "b", 2, 0, 1, SIZES(8));
  planted(&m, "u", 3, FREE, SIZES(8, 3)), planted(&m, "v", 4, FREE, SIZES(8, 3));
  node(&m, "Gemm", "g0", "x w b", "p"), node(&m, "Relu", "r0", "p", "r"), node(&m, "Gemm", "h0", "r u", "s");
  node(&m, "Gemm", "g1", "z w b", "q"), node(&m, "Relu", "r1", "q", "t"), node(&m, "Gemm", "h1", "t v", "o");
  node(&m, "Add", "a", "s o", "y");
  return m;
}

static message conv_reshaped(void) {
  message m = started(SIZES(-1, 2, 4, 4));
  conv(&m, "x", "c", false, 6, 2, 1), node(&m, "Relu", "r", "c", "r");
  whole(&m, "rows", 1, 3, (int64_t[]){0, 6, -1}), node(&m, "Reshape", "f", "r rows", "f");
  open_node(&m, "Transpose", "t", "f", "t"), ints(&m, "perm", SIZES(0, 2, 1)), end(&m);
  planted(&m, "w", 5, FREE, SIZES(6, 3)), node(&m, "MatMul", "g", "t w", "y");
  return m;
}

// A gate: one half of the channels times the other, which is not planted (its sigmoid would not keep the factor).
static message conv_split(void) {
  message m = started(SIZES(-1, 2, 6, 6));
  float values[16 * 2], shifts[16];
  double *from = random_numbers(8, 16 * 2, 0.5);
  for (size_t o = 0; o < 16; o++) {
    const bool twin = o % 2 == 1;
    for (size_t i = 0; i < 2; i++) values[o * 2 + i] = (float)(from[(o - twin) * 2 + i] * (o < 8 ? factor(o) : 1));
    shifts[o] = (float)(o < 8 ? factor(o) * (double)(o / 2) : (double)(o / 2));
  }
  free(from);
  initializer(&m, "c.w", SIZES(16, 2, 1, 1), values), initializer(&m, "c.b", SIZES(16), shifts);
  node(&m, "Conv", "c", "x c.w c.b", "c");
  open_node(&m, "Split", "p", "c", "a"), text(&m, 2, "b"), one(&m, "axis", 1), ints(&m, "split", SIZES(8, 8)), end(&m);
  node(&m, "Sigmoid", "s", "b", "s"), node(&m, "Mul", "g", "a s", "g"), conv(&m, "g", "y", true, 3, 8, 3);
  return m;
}

// ---- a model, its channels, lumpings ---------------------------------------------------------------------------------------

typedef struct view {
  message m;
  nl_graph *graph;
  nl_shapes shapes;
  nl_channels *channels;
  nl_arena arena;
  nl_lumping *lumpings;
  size_t *widths;
} view;

static view seen_as(message m, int64_t opset) {
  begin(&m, 12), text(&m, 1, "y"), end(&m);
  end(&m), begin(&m, 8), text(&m, 1, ""), integer(&m, 2, opset), end(&m);
  view v = {.m = m, .graph = read_bytes(span_of(&m.bytes))};
  OK(nl_shapes_create(&v.shapes, v.graph, NULL));
  OK(nl_channels_create(&v.channels, v.graph, &v.shapes, NULL));
  v.lumpings = nl_arena_take(&v.arena, v.channels->site_count, sizeof *v.lumpings);
  v.widths = nl_arena_take(&v.arena, v.channels->site_count, sizeof *v.widths);
  return v;
}

static void view_free(view *v) {
  nl_arena_free(&v->arena), nl_channels_free(v->channels), nl_shapes_free(&v->shapes);
  nl_graph_free(v->graph), nl_buffer_free(&v->m.bytes);
}

// Keeps `kept` (k) of a site's units; P and p by the seed (0: the planted ones, exact for the even units), R P = 1.
static void lump(view *v, size_t site, size_t k, const size_t *kept, uint64_t seed) {
  const size_t n = v->channels->sites[site].width;
  size_t *units = nl_arena_take(&v->arena, k, sizeof *units);
  double *p = nl_arena_take(&v->arena, n * k, sizeof *p), *offset = nl_arena_take(&v->arena, n, sizeof *offset);
  memcpy(units, kept, k * sizeof *units);
  double *random = random_numbers(seed, n * k + n, 0.5);
  for (size_t u = 0; u < n; u++) {
    for (size_t j = 0; j < k; j++) p[u * k + j] = seed != 0 ? random[u * k + j] : kept[j] == u - u % 2 ? factor(u) : 0;
    if (seed != 0) offset[u] = random[n * k + u];
  }
  for (size_t j = 0; j < k; j++) {
    for (size_t i = 0; i < k; i++) p[kept[j] * k + i] = i == j;
    offset[kept[j]] = 0;
  }
  free(random);
  v->lumpings[site] = (nl_lumping){n, k, units, NULL, p, offset};
  v->widths[site] = k;
}

static void lump_planted(view *v) {
  size_t even[64];
  for (size_t i = 0; i < 64; i++) even[i] = 2 * i;
  for (size_t s = 0; s < v->channels->site_count; s++) lump(v, s, v->channels->sites[s].width / 2, even, 0);
}

// Each site keeps some of its units, sometimes all.
static void lump_randomly(view *v, uint64_t seed, bool offsets) {
  for (size_t s = 0; s < v->channels->site_count; s++) {
    size_t kept[64], k = 0;
    const bool all = uniform01(&seed) < 0.2;
    for (size_t u = 0; u < v->channels->sites[s].width; u++)
      if (all || uniform01(&seed) < 0.6) kept[k++] = u;
    if (k == 0) kept[k++] = 1;
    lump(v, s, k, kept, seed | 1);
    for (size_t u = 0; u < v->channels->sites[s].width && !offsets; u++) ((double *)v->lumpings[s].offset)[u] = 0;
  }
}

static nl_graph *narrowed(const view *v, const nl_narrow_linear *linears, nl_buffer *out) {
  nl_edits *edits = NULL;
  nl_error error = {0};
  OK(nl_edits_create(&edits, v->graph, NULL));
  assert_fine(nl_narrow_edit(edits, v->channels, v->lumpings, linears, &error), &error);
  assert_fine(nl_onnx_write(v->graph, edits, out, &error), &error);
  nl_edits_free(edits);
  return read_bytes(span_of(out));
}

static const struct planted_model {
  const char *name;
  message (*make)(void);
  int64_t opset;
  size_t sites;
} MODELS[] = {
    {"conv, normalised and pooled", conv_normalised_pooled, 13, 1},
    {"conv, flattened", conv_flattened, 13, 1},
    {"conv, channels last", conv_channels_last, 13, 1},
    {"conv, depthwise", conv_depthwise, 13, 1},
    {"conv, grouped", conv_grouped, 13, 2},
    {"conv, transposed", conv_transposed, 13, 2},
    {"conv, transposed and grouped", conv_transposed_grouped, 13, 2},
    {"convs, joined", convs_joined, 13, 2},
    {"convs, added", convs_added, 13, 1},
    {"dense, added", dense_added, 13, 1},
    {"dense, scaled", dense_scaled, 13, 1},
    {"weights, shared", weights_shared, 13, 2},
    {"conv, reshaped", conv_reshaped, 13, 1},
    {"conv, split", conv_split, 11, 1},
};
enum { MODEL_COUNT = sizeof MODELS / sizeof *MODELS };

static view model_at(size_t index) {
  view v = seen_as(MODELS[index].make(), MODELS[index].opset);
  if (v.channels->site_count != MODELS[index].sites)
    fail_msg("%s: %zu sites, not %zu", MODELS[index].name, v.channels->site_count, MODELS[index].sites);
  return v;
}

// ---- the whole -------------------------------------------------------------------------------------------------------------

static void an_exact_lumping_leaves_the_function_as_it_was(void **state) {
  (void)state;
  for (size_t i = 0; i < MODEL_COUNT; i++) {
    view v = model_at(i);
    nl_buffer out = {0};
    lump_planted(&v);
    nl_graph *smaller = narrowed(&v, NULL, &out);
    const numbers before = evaluated(v.graph, 7), after = evaluated(smaller, 7);
    assert_int_equal(before.count, after.count);
    const double difference = relative_difference(after.count, after.at, before.at);
    if (!(difference <= 1e-6)) fail_msg("%s: off by %g", MODELS[i].name, difference);
    assert_true(nl_graph_parameters(smaller) < v.channels->parameters);
    free(before.at), free(after.at), nl_graph_free(smaller), nl_buffer_free(&out), view_free(&v);
  }
}

static void the_written_file_has_the_parameters_that_were_counted(void **state) {
  (void)state;
  for (size_t i = 0; i < MODEL_COUNT; i++) {
    for (uint64_t seed = 1; seed <= 20; seed++) {
      view v = model_at(i);
      nl_buffer out = {0};
      lump_randomly(&v, seed, false);
      nl_graph *smaller = narrowed(&v, NULL, &out);
      size_t added = 0; // biases that are taken to be given, but are not where nothing is moved there
      for (size_t l = 0; l < v.channels->linear_count; l++) {
        const nl_linear *linear = &v.channels->linears[l];
        if (linear->bias.node != NL_NONE && !linear->has_bias && nl_narrow_changes(v.channels, v.lumpings, &linear->in))
          added += nl_narrow_length(v.channels, v.lumpings, &linear->out);
      }
      const size_t counted = nl_narrow_parameters(v.channels, v.widths), written = nl_graph_parameters(smaller) + added;
      if (counted != written) fail_msg("%s: %zu counted, %zu written", MODELS[i].name, counted, written);
      free(evaluated(smaller, 1).at); // its sizes agree with each other and with those stated
      nl_graph_free(smaller), nl_buffer_free(&out), view_free(&v);
    }
    view v = model_at(i);
    assert_int_equal(nl_narrow_parameters(v.channels, NULL), nl_graph_parameters(v.graph));
    view_free(&v);
  }
}

static void lumpings_that_keep_everything_change_nothing(void **state) {
  (void)state;
  for (size_t i = 0; i < MODEL_COUNT; i++) {
    view v = model_at(i);
    nl_buffer out = {0};
    for (size_t s = 0; s < v.channels->site_count; s++) {
      v.widths[s] = v.channels->sites[s].width;
      v.lumpings[s] = (nl_lumping){.n = v.widths[s], .k = v.widths[s]};
    }
    nl_graph_free(narrowed(&v, NULL, &out));
    assert_int_equal(out.size, v.m.bytes.size), assert_memory_equal(out.bytes, v.m.bytes.bytes, out.size);
    assert_int_equal(nl_narrow_parameters(v.channels, v.widths), v.channels->parameters);
    nl_buffer_free(&out), view_free(&v);
  }
}

// ---- one linear ------------------------------------------------------------------------------------------------------------

// Where an element of an axis lies: its segment's lumping (NULL: whole), channel, and where the channel's first copy in the
// same tile and run will stand when those before it are `k` wide.
typedef struct spot {
  const nl_lumping *lumping;
  size_t channel, after, stride; // entry j of the smaller channels stands at after + j * stride
} spot;

static spot spot_of(const view *v, const nl_axis *axis, size_t element) {
  size_t before = 0, after = 0;
  for (size_t i = 0;; i++) {
    assert_true(i < axis->count);
    const nl_segment *s = &axis->segments[i];
    const size_t site = v->channels->groups[s->group].site, length = s->tile * s->width * s->run;
    const size_t k = site != NL_NONE ? v->lumpings[site].k : s->width;
    if (element - before >= length) {
      before += length, after += s->tile * k * s->run;
      continue;
    }
    const size_t at = element - before, tile = at / (s->width * s->run), run = at % s->run;
    const nl_lumping *lumping = site != NL_NONE && k < s->width ? &v->lumpings[site] : NULL;
    return (spot){lumping, at / s->run % s->width, after + tile * k * s->run + run, s->run};
  }
}

// Which row of the smaller linear is the original's `row`; NL_NONE: it is gone.
static size_t row_after(const view *v, const nl_axis *axis, size_t row) {
  const spot s = spot_of(v, axis, row);
  for (size_t j = 0; s.lumping != NULL && j < s.lumping->k; j++)
    if (s.lumping->kept[j] == s.channel) return s.after + j * s.stride;
  return s.lumping != NULL ? NL_NONE : s.after + s.channel * s.stride;
}

// W'_o = Σ_c W_oc P_c and b'_o = b_o + Σ_c W_oc p_c, entry by entry, for row `o` of `l`, which becomes row `to`.
static void assert_row(const view *v, const nl_linear *l, const nl_narrow_linear *before, const nl_narrow_linear *after,
                       size_t o, size_t to) {
  const size_t in = l->in_width / l->groups, in_after = after->in / l->groups, block = o / (l->out_width / l->groups);
  double *row = calloc(in_after * l->kernel_size, sizeof *row), bias = before->bias != NULL ? before->bias[o] : 0;
  for (size_t i = 0; i < in; i++)
    for (size_t k = 0; k < l->kernel_size; k++) {
      const double w = before->weights[(o * in + i) * l->kernel_size + k];
      const spot s = spot_of(v, &l->in, block * in + i);
      const size_t first = s.after - block * in_after;
      if (s.lumping == NULL) row[(first + s.channel * s.stride) * l->kernel_size + k] += w;
      for (size_t j = 0; s.lumping != NULL && j < s.lumping->k; j++)
        row[(first + j * s.stride) * l->kernel_size + k] += w * s.lumping->prolongation[s.channel * s.lumping->k + j];
      bias += s.lumping != NULL ? w * s.lumping->offset[s.channel] : 0;
    }
  for (size_t i = 0; i < in_after * l->kernel_size; i++)
    assert_near(after->weights[to * in_after * l->kernel_size + i], row[i], 1e-12);
  if (after->bias != NULL) assert_near(after->bias[to], bias, 1e-12);
  free(row);
}

static void weights_are_folded_entry_by_entry(void **state) {
  (void)state;
  for (size_t i = 0; i < MODEL_COUNT; i++) {
    view v = model_at(i);
    lump_randomly(&v, i + 5, true);
    for (size_t index = 0; index < v.channels->linear_count; index++) {
      const nl_linear *l = &v.channels->linears[index];
      nl_narrow_linear before, after;
      OK(nl_narrow_load(&before, v.channels, index, &v.arena, NULL));
      OK(nl_narrow_compensate(&after, v.channels, v.lumpings, index, &v.arena, NULL));
      assert_int_equal(after.bias != NULL, l->bias.node != NL_NONE);
      size_t rows = 0;
      for (size_t o = 0; o < before.out; o++) {
        const size_t to = row_after(&v, &l->out, o);
        if (to == NL_NONE) continue;
        assert_row(&v, l, &before, &after, o, to);
        rows++;
      }
      assert_int_equal(after.out, rows);
      assert_int_equal(after.in, nl_axis_length(v.channels, &l->in, v.widths));
    }
    view_free(&v);
  }
}

static void linears_are_loaded_with_their_factors(void **state) {
  (void)state;
  view v = seen_as(dense_scaled(), 13);
  nl_narrow_linear l;
  double w[40], b[8];
  OK(nl_narrow_load(&l, v.channels, 0, &v.arena, NULL));
  OK(nl_tensor_read(nl_node_constant(v.graph, &v.graph->nodes[0], 1), w, NULL));
  OK(nl_tensor_read(nl_node_constant(v.graph, &v.graph->nodes[0], 2), b, NULL));
  for (size_t i = 0; i < 40; i++) assert_near(l.weights[i], 0.5 * w[i], 0);
  for (size_t i = 0; i < 8; i++) assert_near(l.bias[i], 2 * b[i], 0);
  OK(nl_narrow_load(&l, v.channels, 1, &v.arena, NULL));
  OK(nl_tensor_read(nl_node_constant(v.graph, &v.graph->nodes[2], 1), w, NULL));
  for (size_t o = 0; o < 3; o++)
    for (size_t i = 0; i < 8; i++) assert_near(l.weights[o * 8 + i], 4 * w[i * 3 + o], 0);
  assert_near(l.bias[2], 0, 0); // room for one
  view_free(&v);
}

// ---- what is written -------------------------------------------------------------------------------------------------------

static const nl_tensor *constant_of(const nl_graph *graph, const char *node, size_t slot) {
  return nl_node_constant(graph, &graph->nodes[node_named(graph, node)], slot);
}

static void a_bias_is_added_where_a_constant_must_go(void **state) {
  (void)state;
  view v = seen_as(dense_scaled(), 13);
  nl_buffer out = {0};
  lump(&v, 0, 4, (size_t[]){0, 3, 4, 6}, 3);
  nl_graph *smaller = narrowed(&v, NULL, &out);
  nl_narrow_linear l;
  double bias[3];
  OK(nl_narrow_compensate(&l, v.channels, v.lumpings, 1, &v.arena, NULL));
  OK(nl_tensor_read(constant_of(smaller, "g1", 2), bias, NULL));
  for (size_t o = 0; o < 3; o++) assert_near(bias[o], (float)l.bias[o], 0);
  assert_int_equal(nl_graph_parameters(smaller), nl_narrow_parameters(v.channels, v.widths));
  nl_graph_free(smaller), nl_buffer_free(&out), view_free(&v);
}

static void numbers_that_state_a_width_are_corrected(void **state) {
  (void)state;
  nl_buffer out = {0};
  view v = seen_as(conv_reshaped(), 13);
  lump_planted(&v);
  nl_graph *smaller = narrowed(&v, NULL, &out);
  int64_t rows[3];
  OK(nl_tensor_read_int(constant_of(smaller, "f", 1), rows, NULL));
  assert_int_equal(rows[0], 0), assert_int_equal(rows[1], 3), assert_int_equal(rows[2], -1);
  nl_graph_free(smaller), view_free(&v), out.size = 0;
  v = seen_as(conv_depthwise(), 13);
  lump_planted(&v);
  smaller = narrowed(&v, NULL, &out);
  assert_int_equal(nl_node_int(&smaller->nodes[node_named(smaller, "d")], "group", 0), 3);
  nl_graph_free(smaller), view_free(&v), out.size = 0;
  v = seen_as(conv_split(), 11);
  lump_planted(&v);
  smaller = narrowed(&v, NULL, &out);
  const nl_attribute *split = nl_node_attribute(&smaller->nodes[node_named(smaller, "p")], "split");
  assert_int_equal(split->ints[0], 4), assert_int_equal(split->ints[1], 4);
  nl_graph_free(smaller), view_free(&v), out.size = 0;
  v = seen_as(conv_normalised_pooled(), 13);
  lump_planted(&v);
  smaller = narrowed(&v, NULL, &out);
  const nl_value *stated = &smaller->values[value_named(smaller, "p")];
  assert_int_equal(stated->dims[0], -1), assert_int_equal(stated->dims[1], 4), assert_int_equal(stated->dims[2], 4);
  nl_graph_free(smaller), view_free(&v), nl_buffer_free(&out);
}

static void shared_weights_are_copied_for_the_branch_that_changes(void **state) {
  (void)state;
  view v = seen_as(weights_shared(), 13);
  nl_buffer out = {0};
  lump_planted(&v);
  nl_graph *smaller = narrowed(&v, NULL, &out); // both keep the same: shared as before
  assert_ptr_equal(constant_of(smaller, "g0", 1), constant_of(smaller, "g1", 1));
  assert_ptr_equal(constant_of(smaller, "g0", 2), constant_of(smaller, "g1", 2));
  nl_graph_free(smaller), out.size = 0;
  v.lumpings[1].k = v.widths[1] = 8; // one stays whole
  smaller = narrowed(&v, NULL, &out);
  assert_int_equal(constant_of(smaller, "g0", 1)->dims[1], 4),
      assert_int_equal(constant_of(smaller, "g1", 1)->dims[1], 8);
  assert_int_equal(nl_graph_parameters(smaller) + 3, nl_narrow_parameters(v.channels, v.widths)); // and a bias
  nl_graph_free(smaller), nl_buffer_free(&out), view_free(&v);
}

static void given_weights_are_written_in_the_files_own_layout(void **state) {
  (void)state;
  for (size_t i = 0; i < MODEL_COUNT; i++) {
    view v = model_at(i);
    nl_buffer out = {0};
    lump_planted(&v);
    nl_narrow_linear *linears = nl_arena_take(&v.arena, v.channels->linear_count, sizeof *linears);
    for (size_t l = 0; l < v.channels->linear_count; l++) {
      OK(nl_narrow_compensate(&linears[l], v.channels, v.lumpings, l, &v.arena, NULL));
      const size_t columns = linears[l].in / v.channels->linears[l].groups * v.channels->linears[l].kernel_size;
      for (size_t k = 0; k < linears[l].out * columns; k++) linears[l].weights[k] *= 2;
      for (size_t o = 0; o < linears[l].out && linears[l].bias != NULL; o++) linears[l].bias[o] += 1;
    }
    nl_graph *smaller = narrowed(&v, linears, &out);
    view again = {.graph = smaller};
    OK(nl_shapes_create(&again.shapes, smaller, NULL));
    OK(nl_channels_create(&again.channels, smaller, &again.shapes, NULL));
    assert_int_equal(again.channels->linear_count, v.channels->linear_count);
    for (size_t l = 0; l < v.channels->linear_count; l++) {
      nl_narrow_linear read;
      OK(nl_narrow_load(&read, again.channels, l, &v.arena, NULL));
      assert_int_equal(read.out, linears[l].out), assert_int_equal(read.in, linears[l].in);
      const size_t columns = read.in / v.channels->linears[l].groups * v.channels->linears[l].kernel_size;
      assert_true(relative_difference(read.out * columns, read.weights, linears[l].weights) < 1e-7);
      if (read.bias != NULL) assert_true(relative_difference(read.out, read.bias, linears[l].bias) < 1e-7);
    }
    nl_channels_free(again.channels), nl_shapes_free(&again.shapes), nl_graph_free(smaller);
    nl_buffer_free(&out), view_free(&v);
  }
}

static void weights_of_another_size_are_refused(void **state) {
  (void)state;
  view v = seen_as(conv_flattened(), 13);
  lump_planted(&v);
  nl_narrow_linear linears[2] = {{0}};
  OK(nl_narrow_load(&linears[1], v.channels, 1, &v.arena, NULL)); // as wide as before
  nl_edits *edits = NULL;
  nl_error error = {0};
  OK(nl_edits_create(&edits, v.graph, NULL));
  assert_int_equal(nl_narrow_edit(edits, v.channels, v.lumpings, linears, &error), NL_ERROR_SHAPE);
  assert_string_equal(error.place, "g");
  nl_edits_free(edits), view_free(&v);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_exact_lumping_leaves_the_function_as_it_was),
      cmocka_unit_test(the_written_file_has_the_parameters_that_were_counted),
      cmocka_unit_test(lumpings_that_keep_everything_change_nothing),
      cmocka_unit_test(weights_are_folded_entry_by_entry),
      cmocka_unit_test(linears_are_loaded_with_their_factors),
      cmocka_unit_test(a_bias_is_added_where_a_constant_must_go),
      cmocka_unit_test(numbers_that_state_a_width_are_corrected),
      cmocka_unit_test(shared_weights_are_copied_for_the_branch_that_changes),
      cmocka_unit_test(given_weights_are_written_in_the_files_own_layout),
      cmocka_unit_test(weights_of_another_size_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
