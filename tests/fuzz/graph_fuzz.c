// The bytes are a recipe for a valid graph: convolutions, dense layers, activations, sums, products, concatenations, splits,
// pooling and flattening, with shared values and shared weights. Every layer is *planted*: each odd channel is the one before it
// times a factor, so that keeping the even ones is an exact lumping of any site found. Laws: sites are found and are lawful;
// the quotient by the planted lumpings computes the same function once written and read again; a half of the units that is
// nothing of the kind gives a model that runs, of no more parameters than counted; where the core evaluates the model, a result
// at tolerance 0 and its file give the same outputs.
#define _POSIX_C_SOURCE 200112L // setenv
#include "../unit/evaluate.h"
#include "../unit/channels_laws.h"
#include "narrow.h"
#include "netlump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUES_MOST = 24, STEPS_MOST = 16, CHANNELS_MOST = 32, SIDE = 4, INPUT = 4, WEIGHTS_MOST = 24, ROWS = 48 };

typedef struct sort {
  size_t channels, side; // side 0: (N, channels * run), else (N, channels, side, side)
  size_t run;
} sort;

typedef struct weights {
  size_t out, in, kernel; // kernel 0: dense
} weights;

typedef struct recipe {
  const uint8_t *at, *end;
  message m;
  bool copies; // factor 1, which any activation keeps; else 2 and 1/2, which ReLU keeps
  size_t count, weight_count, names;
  sort sorts[VALUES_MOST]; // values v0, v1, ...
  weights weights[WEIGHTS_MOST];
} recipe;

static size_t taken(recipe *r, size_t below) { return r->at < r->end ? *r->at++ % below : 0; }

static double factor(const recipe *r, size_t channel) {
  return channel % 2 == 0 || r->copies ? 1 : channel % 4 == 1 ? 2 : 0.5;
}

static double number(size_t *seed) {
  *seed = (*seed * 1103515245 + 12345) % 2147483648u;
  return (double)*seed / 2147483648.0 - 0.5;
}

// Numbers of `out` channels with `each` of their own, odd ones `power` factors times those before. planted false: free ones.
static void constant(recipe *r, const char *name, size_t seed, size_t out, size_t each, double power, double middle,
                     bool planted, size_t rank, const int64_t *sizes) {
  float *values = malloc(out * each * sizeof *values);
  const double spread = 1 / sqrt((double)(each + 1));
  for (size_t o = 0; o < out; o++)
    for (size_t i = 0; i < each; i++)
      values[o * each + i] = planted && o % 2 == 1 ? (float)(values[(o - 1) * each + i] * pow(factor(r, o), power))
                                                   : (float)(middle + 2 * spread * number(&seed));
  initializer(&r->m, name, rank, sizes, values);
  free(values);
}

static const char *named(char *name, char kind, size_t index) {
  snprintf(name, 16, "%c%zu", kind, index);
  return name;
}

// ---- nodes ---------------------------------------------------------------------------------------------------------------

static void add_value(recipe *r, sort s) { r->sorts[r->count++] = s; }

static void begin_node(recipe *r, const char *op, const char *inputs) {
  char name[16], output[16];
  open_node(&r->m, op, named(name, 'n', r->names++), inputs, named(output, 'v', r->count));
}

static void plain(recipe *r, const char *op, size_t value, sort s) {
  char input[16];
  begin_node(r, op, named(input, 'v', value)), end(&r->m);
  add_value(r, s);
}

// The weights of another layer where they fit and the recipe says so.
static size_t weights_like(recipe *r, weights w, bool planted) {
  char name[16];
  const bool share = taken(r, 4) == 3;
  for (size_t i = 0; share && planted && i < r->weight_count; i++)
    if (memcmp(&r->weights[i], &w, sizeof w) == 0) return i;
  const size_t index = r->weight_count++;
  r->weights[index] = w;
  const int64_t k = w.kernel == 0 ? 1 : (int64_t)w.kernel, sizes[] = {(int64_t)w.out, (int64_t)w.in, k, k};
  constant(r, named(name, 'w', index), 7 + 31 * index, w.out, w.in * (size_t)(k * k), 1, 0, planted,
           w.kernel == 0 ? 2 : 4, sizes);
  constant(r, named(name, 'b', index), 5 + 37 * index, w.out, 1, 1, 0, planted, 1, sizes);
  if (!planted) r->weights[index].out = 0; // nobody else's
  return index;
}

static void layer(recipe *r, size_t value, size_t out, bool planted) {
  char inputs[64];
  const sort s = r->sorts[value];
  const size_t kernel = s.side == 0 ? 0 : taken(r, 2) == 0 ? 1 : 3, in = s.side == 0 ? s.channels * s.run : s.channels;
  const size_t w = weights_like(r, (weights){out, in, kernel}, planted);
  const bool bias = taken(r, 4) != 1;
  snprintf(inputs, sizeof inputs, bias ? "v%zu w%zu b%zu" : "v%zu w%zu", value, w, w);
  const int64_t pad = (int64_t)kernel / 2;
  begin_node(r, s.side == 0 ? "Gemm" : "Conv", inputs);
  if (s.side == 0)
    one(&r->m, "transB", 1);
  else
    ints(&r->m, "pads", SIZES(pad, pad, pad, pad));
  end(&r->m);
  add_value(r, (sort){out, s.side, 1});
}

// x times or plus a number a channel, or a slope of one.
static void by_channel(recipe *r, size_t value, const char *op, double power, double middle) {
  char name[16], inputs[64];
  const sort s = r->sorts[value];
  const int64_t sizes[] = {(int64_t)s.channels, 1, 1};
  const size_t index = r->names;
  constant(r, named(name, 'c', index), 3 + 41 * index, s.channels, 1, power, middle, true, s.side == 0 ? 1 : 3, sizes);
  snprintf(inputs, sizeof inputs, "v%zu c%zu", value, index);
  begin_node(r, op, inputs), end(&r->m);
  add_value(r, s);
}

static void normalise(recipe *r, size_t value) {
  static const char kinds[] = "stuq"; // scale, shift, mean, variance
  char name[16], inputs[64];
  const sort s = r->sorts[value];
  const int64_t sizes[] = {(int64_t)s.channels};
  const size_t index = r->names;
  for (size_t i = 0; i < 4; i++)
    constant(r, named(name, kinds[i], index), 11 * i + 43 * index, s.channels, 1, i == 1 || i == 2,
             i == 0 || i == 3 ? 2 : 0, true, 1, sizes);
  snprintf(inputs, sizeof inputs, "v%zu s%zu t%zu u%zu q%zu", value, index, index, index, index);
  begin_node(r, "BatchNormalization", inputs), end(&r->m);
  add_value(r, s);
}

static void two(recipe *r, size_t value, const char *op) {
  const sort s = r->sorts[value];
  size_t other = taken(r, r->count);
  while (memcmp(&r->sorts[other], &s, sizeof s) != 0) other = (other + 1) % r->count;
  char inputs[64];
  snprintf(inputs, sizeof inputs, "v%zu v%zu", value, other);
  begin_node(r, op, inputs), end(&r->m);
  add_value(r, s);
}

static void concatenate(recipe *r, size_t value) {
  const sort s = r->sorts[value];
  size_t other = taken(r, r->count);
  while (r->sorts[other].side != s.side || r->sorts[other].run != s.run) other = (other + 1) % r->count;
  const size_t channels = s.channels + r->sorts[other].channels;
  if (channels > CHANNELS_MOST) return;
  char inputs[64];
  snprintf(inputs, sizeof inputs, "v%zu v%zu", value, other);
  begin_node(r, "Concat", inputs), one(&r->m, "axis", 1), end(&r->m);
  add_value(r, (sort){channels, s.side, s.run});
}

static void split(recipe *r, size_t value) {
  const sort s = r->sorts[value];
  if (s.channels % 8 != 0 || s.run != 1) return;
  char input[16], parts[16], second[16];
  const int64_t half = (int64_t)s.channels / 2;
  whole(&r->m, named(parts, 'p', r->names), 1, 2, (int64_t[]){half, half});
  char inputs[64];
  snprintf(inputs, sizeof inputs, "%s %s", named(input, 'v', value), parts);
  begin_node(r, "Split", inputs);
  text(&r->m, 2, named(second, 'v', r->count + 1)), one(&r->m, "axis", 1), end(&r->m);
  add_value(r, (sort){s.channels / 2, s.side, 1}), add_value(r, (sort){s.channels / 2, s.side, 1});
}

static void pool(recipe *r, size_t value) {
  const sort s = r->sorts[value];
  if (s.side < 2) return;
  char input[16];
  begin_node(r, "MaxPool", named(input, 'v', value));
  ints(&r->m, "kernel_shape", SIZES(2, 2)), ints(&r->m, "strides", SIZES(2, 2)), end(&r->m);
  add_value(r, (sort){s.channels, s.side / 2, 1});
}

static void add_step(recipe *r) {
  const size_t kind = taken(r, 14), value = r->count - 1 - taken(r, r->count < 4 ? r->count : 4);
  const sort s = r->sorts[value];
  if (kind < 3)
    layer(r, value, 4 * (1 + taken(r, 3)), true);
  else if (kind == 4 || (kind == 3 && !r->copies))
    plain(r, "Relu", value, s);
  else if (kind == 3)
    plain(r, "Sigmoid", value, s);
  else if (kind == 5)
    two(r, value, "Add");
  else if (kind == 6)
    two(r, value, r->copies ? "Mul" : "Add");
  else if (kind == 7)
    concatenate(r, value);
  else if (kind == 8)
    split(r, value);
  else if (kind == 9)
    pool(r, value);
  else if (kind == 10 && s.side > 0)
    normalise(r, value);
  else if (kind == 11 && s.side > 0)
    plain(r, "Flatten", value, (sort){s.channels, 0, s.side * s.side});
  else if (s.run == 1 && kind == 12)
    by_channel(r, value, "PRelu", 0, 1);
  else if (s.run == 1)
    by_channel(r, value, kind == 13 ? "Add" : "Mul", kind == 13, 1);
}

// x (N, 4, 4, 4) or (N, 4), the steps, and dense layers that are no more than read at the end.
static nl_span cooked(recipe *r) {
  const bool image = taken(r, 2) == 0;
  const int64_t sizes[] = {-1, INPUT, SIDE, SIDE};
  r->copies = taken(r, 2) == 0;
  open_model(&r->m);
  info(&r->m, 11, "v0", image ? 4 : 2, sizes);
  add_value(r, (sort){INPUT, image ? SIDE : 0, 1});
  layer(r, 0, 8, true);
  for (size_t i = 0; i < STEPS_MOST && r->at < r->end && r->count + 6 < VALUES_MOST; i++) add_step(r);
  if (r->sorts[r->count - 1].side != 0) {
    const sort s = r->sorts[r->count - 1];
    plain(r, "Flatten", r->count - 1, (sort){s.channels, 0, s.side * s.side});
  }
  layer(r, r->count - 1, 3, false);
  char output[16];
  info(&r->m, 12, named(output, 'v', r->count - 1), SIZES(-1, 3));
  close_model(&r->m);
  return span_of(&r->m.bytes);
}

// ---- laws ----------------------------------------------------------------------------------------------------------------

// planted: the even units stay, exact; else the first half, each unit that goes being half of one that stays, and a constant.
static void lump(const recipe *r, nl_arena *arena, size_t n, bool planted, nl_lumping *lumping) {
  const size_t k = n / 2;
  size_t *kept = nl_arena_take(arena, k, sizeof *kept);
  double *p = nl_arena_take(arena, n * k, sizeof *p), *offset = nl_arena_take(arena, n, sizeof *offset);
  for (size_t u = 0; u < n; u++) {
    const size_t j = planted ? u / 2 : u % k;
    if (u < k) kept[u] = planted ? 2 * u : u;
    p[u * k + j] = planted ? factor(r, u) : u < k ? 1 : 0.5;
    offset[u] = planted || u < k ? 0 : 1;
  }
  *lumping = (nl_lumping){n, k, kept, NULL, p, offset};
}

static double distance(const numbers *a, const numbers *b) {
  double most = 0, size = 1e-6;
  LAW(a->count == b->count);
  for (size_t i = 0; i < a->count; i++) {
    most = fmax(most, fabs(a->at[i] - b->at[i]));
    size = fmax(size, fabs(a->at[i]));
  }
  return most / size;
}

static void quotient_is_lawful(const recipe *r, const nl_channels *channels, bool planted) {
  nl_arena arena = {0};
  nl_edits *edits = NULL;
  nl_buffer out = {0};
  nl_lumping *lumpings = nl_arena_take(&arena, channels->site_count, sizeof *lumpings);
  size_t *widths = nl_arena_take(&arena, channels->site_count, sizeof *widths);
  for (size_t s = 0; s < channels->site_count; s++) {
    LAW(channels->sites[s].width % 4 == 0);
    lump(r, &arena, channels->sites[s].width, planted, &lumpings[s]);
    widths[s] = lumpings[s].k;
  }
  OK(nl_edits_create(&edits, channels->graph, NULL));
  OK(nl_narrow_edit(edits, channels, lumpings, NULL, NULL));
  OK(nl_onnx_write(channels->graph, edits, &out, NULL));
  nl_graph *smaller = read_bytes(span_of(&out));
  LAW(nl_graph_parameters(smaller) <= nl_narrow_parameters(channels, widths));
  const numbers before = evaluated(channels->graph, 7), after = evaluated(smaller, 7);
  const double off = distance(&before, &after);
  if (planted && !(off < 1e-4)) fail_msg("off by %g", off);
  free(before.at), free(after.at), nl_graph_free(smaller), nl_edits_free(edits), nl_buffer_free(&out);
  nl_arena_free(&arena);
}

static void graph_is_lawful(const recipe *r, nl_span bytes) {
  nl_shapes shapes;
  nl_channels *channels;
  nl_graph *graph = read_bytes(bytes);
  OK(nl_shapes_create(&shapes, graph, NULL));
  OK(nl_channels_create(&channels, graph, &shapes, NULL));
  channels_are_lawful(channels, &shapes);
  if (channels->site_count > 0) quotient_is_lawful(r, channels, true), quotient_is_lawful(r, channels, false);
  nl_channels_free(channels), nl_shapes_free(&shapes), nl_graph_free(graph);
}

static void result_is_lawful(const nl_model *model, const nl_path *path) {
  const size_t features = nl_model_features(model), results = nl_model_results(model);
  nl_result *result = NULL;
  nl_model *smaller = NULL;
  nl_buffer file = {0};
  double progress;
  OK(nl_result_create(&result, path, (nl_target){NL_TARGET_EPSILON, 0}, NULL, NULL));
  for (nl_status status = NL_MORE; status != NL_OK;) {
    status = nl_result_step(result, &progress, NULL);
    LAW(status == NL_OK || status == NL_MORE);
  }
  OK(nl_result_write(result, &file, NULL));
  OK(nl_model_open(&smaller, file.bytes, file.size, NULL));
  LAW(nl_model_features(smaller) == features && nl_model_results(smaller) == results);
  numbers x = numbers_of(2, (size_t[]){ROWS, features}), y[3];
  for (size_t i = 0; i < 3; i++) y[i] = numbers_of(2, (size_t[]){ROWS, results});
  nl_path_rows(path, 0, ROWS, x.at);
  OK(nl_model_forward(model, ROWS, x.at, y[0].at, NULL));
  OK(nl_result_forward(result, ROWS, x.at, y[1].at, NULL));
  OK(nl_model_forward(smaller, ROWS, x.at, y[2].at, NULL));
  const double off = distance(&y[0], &y[1]), written = distance(&y[1], &y[2]);
  if (!(off < 1e-4) || !(written < 1e-4)) fail_msg("off by %g, written %g", off, written);
  for (size_t i = 0; i < 3; i++) free(y[i].at);
  free(x.at), nl_model_free(smaller), nl_buffer_free(&file), nl_result_free(result);
}

static void model_is_lawful(nl_span bytes) {
  nl_model *model = NULL;
  nl_path *path = NULL;
  nl_buffer json = {0};
  OK(nl_model_open(&model, bytes.bytes, bytes.size, NULL));
  OK(nl_model_describe(model, &json, NULL));
  if (nl_model_features(model) > 0 && nl_model_sites(model) > 0) {
    double progress;
    OK(nl_path_create(&path, model, &(nl_path_options){.seed = 1, .rows = ROWS}, NULL));
    for (nl_status status = NL_MORE; status != NL_OK;) {
      status = nl_path_step(path, &progress, NULL);
      LAW(status == NL_OK || status == NL_MORE);
    }
    result_is_lawful(model, path);
  }
  nl_buffer_free(&json), nl_path_free(path), nl_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  recipe r = {.at = data, .end = data + size};
  setenv("CMOCKA_TEST_ABORT", "1", 1); // its assertions end the program
  const nl_span bytes = cooked(&r);
  graph_is_lawful(&r, bytes);
  model_is_lawful(bytes);
  nl_buffer_free(&r.m.bytes);
  return 0;
}
