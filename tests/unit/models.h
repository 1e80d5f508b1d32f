// models: what the tests of the core share: seeded numbers, models built in memory, whole runs of the pipeline.
#ifndef TESTS_MODELS_H
#define TESTS_MODELS_H

#include <cJSON.h>

#include "formats.h"
#include "netlump.h"

// ---- numbers ---------------------------------------------------------------------------------------------------------

// A small generator of the tests' own, so that they do not lean on the one they test (Knuth's MMIX constants).
static inline double uniform01(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return ((double)(*seed >> 11) + 0.5) * 0x1p-53;
}
static inline double gauss(uint64_t *seed) {
  const double radius = sqrt(-2 * log(uniform01(seed)));
  return radius * cos(6.283185307179586 * uniform01(seed));
}

// The caller frees it.
static inline double *copied(const double *values, size_t count) {
  double *made = malloc((count + 1) * sizeof *made);
  assert_non_null(made);
  memcpy(made, values, count * sizeof *made);
  return made;
}

// `count` normal numbers that single precision holds exactly; the caller frees them.
static inline double *random_numbers(uint64_t seed, size_t count, double spread) {
  double *numbers = malloc((count + 1) * sizeof *numbers);
  for (size_t i = 0; i < count; i++) numbers[i] = (float)(spread * gauss(&seed));
  return numbers;
}

// RMS(a - b) / RMS(b)
static inline double relative_difference(size_t count, const double *a, const double *b) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < count; i++) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return sqrt(difference / size);
}

static inline void assert_near(double found, double expected, double tolerance) {
  if (!(fabs(found - expected) <= tolerance)) fail_msg("%.17g where %.17g is expected", found, expected);
}

// ---- building ----------------------------------------------------------------------------------------------------------

typedef struct sketch {
  nl_onnx_builder *builder;
} sketch;

static inline sketch sketched(int64_t opset, size_t features) {
  sketch s = {0};
  OK(nl_onnx_builder_create(&s.builder, "tests", "graph", opset, NULL));
  OK(nl_onnx_builder_input(s.builder, "x", 2, (int64_t[]){-1, (int64_t)features}, NULL));
  return s;
}
static inline void tensor(sketch s, const char *name, size_t rank, const int64_t *sizes, const double *values) {
  OK(nl_onnx_builder_tensor(s.builder, name, rank, sizes, values, NULL));
}
// A tensor of seeded numbers.
static inline void noise(sketch s, const char *name, uint64_t seed, size_t rows, size_t columns) {
  double *values = random_numbers(seed, rows * columns, 0.5);
  if (rows == 1)
    tensor(s, name, 1, (int64_t[]){(int64_t)columns}, values);
  else
    tensor(s, name, 2, (int64_t[]){(int64_t)rows, (int64_t)columns}, values);
  free(values);
}
// inputs: names parted by blanks; the node is named after its output.
static inline void op_with(sketch s, const char *op, const char *inputs, const char *output, size_t ints,
                           const char *const *int_names, const int64_t *int_values, size_t floats,
                           const char *const *float_names, const double *float_values) {
  char copy[200];
  const char *names[8];
  size_t count = 0;
  strcpy(copy, inputs);
  for (char *at = strtok(copy, " "); at != NULL; at = strtok(NULL, " ")) names[count++] = at;
  OK(nl_onnx_builder_node(s.builder, op, output, count, names, output, ints, int_names, int_values, floats, float_names,
                          float_values, NULL));
}
static inline void op(sketch s, const char *name, const char *inputs, const char *output) {
  op_with(s, name, inputs, output, 0, NULL, NULL, 0, NULL, NULL);
}
static inline void gemm(sketch s, const char *inputs, const char *output) { // weights (out, in)
  op_with(s, "Gemm", inputs, output, 1, (const char *const[]){"transB"}, (int64_t[]){1}, 0, NULL, NULL);
}
static inline void output(sketch s, const char *name, size_t width) {
  OK(nl_onnx_builder_output(s.builder, name, 2, (int64_t[]){-1, (int64_t)width}, NULL));
}
// In memory of exactly its size; the caller frees .bytes.
static inline nl_span built(sketch s) {
  nl_buffer buffer = {0};
  OK(nl_onnx_builder_finish(s.builder, &buffer, NULL));
  nl_onnx_builder_free(s.builder);
  const nl_span bytes = exact(span_of(&buffer));
  nl_buffer_free(&buffer);
  return bytes;
}

// ---- chains ------------------------------------------------------------------------------------------------------------

enum { CHAIN_LAYERS = 4 };

// layers of Gemm with `activation` between; weights[l] (widths[l + 1], widths[l])
typedef struct chain {
  size_t layers;
  size_t widths[CHAIN_LAYERS + 1];
  double *weights[CHAIN_LAYERS], *bias[CHAIN_LAYERS];
  const char *activation;
} chain;

static inline chain random_chain(uint64_t seed, const char *activation, size_t layers, const size_t *widths) {
  chain c = {.layers = layers, .activation = activation};
  memcpy(c.widths, widths, (layers + 1) * sizeof *widths);
  for (size_t l = 0; l < layers; l++) {
    c.weights[l] = random_numbers(seed * 31 + 2 * l, widths[l] * widths[l + 1], 1.2 / sqrt((double)widths[l]));
    c.bias[l] = random_numbers(seed * 31 + 2 * l + 1, widths[l + 1], 0.3);
  }
  return c;
}
static inline void chain_free(chain *c) {
  for (size_t l = 0; l < c->layers; l++) free(c->weights[l]), free(c->bias[l]);
}

// Unit `to` of hidden layer l (0 is the first) becomes `factor` times unit `from`.
static inline void copy_unit(chain *c, size_t l, size_t from, size_t to, double factor) {
  for (size_t i = 0; i < c->widths[l]; i++)
    c->weights[l][to * c->widths[l] + i] = (float)(factor * c->weights[l][from * c->widths[l] + i]);
  c->bias[l][to] = (float)(factor * c->bias[l][from]);
}
// Unit `to` of hidden layer l no longer depends on its inputs.
static inline void silence_unit(chain *c, size_t l, size_t to, double bias) {
  for (size_t i = 0; i < c->widths[l]; i++) c->weights[l][to * c->widths[l] + i] = 0;
  c->bias[l][to] = bias;
}

static inline nl_span chain_bytes(const chain *c) {
  sketch s = sketched(13, c->widths[0]);
  char inputs[64], name[16], z[16], a[16] = "x";
  for (size_t l = 0; l < c->layers; l++) {
    const int64_t sizes[2] = {(int64_t)c->widths[l + 1], (int64_t)c->widths[l]};
    snprintf(name, sizeof name, "w%zu", l), tensor(s, name, 2, sizes, c->weights[l]);
    snprintf(name, sizeof name, "b%zu", l), tensor(s, name, 1, sizes, c->bias[l]);
    snprintf(inputs, sizeof inputs, "%s w%zu b%zu", a, l, l);
    snprintf(z, sizeof z, l + 1 == c->layers ? "y" : "z%zu", l);
    gemm(s, inputs, z);
    snprintf(a, sizeof a, "a%zu", l);
    if (l + 1 < c->layers) op(s, c->activation, z, a);
  }
  output(s, "y", c->widths[c->layers]);
  return built(s);
}

// ---- runs --------------------------------------------------------------------------------------------------------------

static inline void assert_fine(nl_status status, const nl_error *error) {
  if (status == NL_OK) return;
  char sentence[600];
  nl_error_sentence(error, "the model", sentence, sizeof sentence);
  fail_msg("%s (%s: %s)", sentence, error->place, error->detail);
}

static inline nl_model *opened(nl_span bytes) {
  nl_model *model = NULL;
  nl_error error = {0};
  assert_fine(nl_model_open(&model, bytes.bytes, bytes.size, &error), &error);
  return model;
}

// What came in another format, as ONNX; the bytes are the caller's.
static inline nl_span converted(nl_span text) {
  nl_converter *converter = NULL;
  nl_buffer onnx = {0};
  nl_error error = {0};
  assert_fine(nl_converter_open(&converter, text.bytes, text.size, &error), &error);
  assert_fine(nl_converter_read(converter, &onnx, &error), &error);
  nl_converter_free(converter);
  return (nl_span){onnx.bytes, onnx.size};
}

// original: what the model came from, or empty
static inline void written_as_json(const nl_result *result, nl_span original, nl_buffer *json) {
  nl_converter *converter = NULL;
  nl_buffer onnx = {0};
  nl_error error = {0};
  assert_fine(nl_result_write_joined(result, &onnx, &error), &error);
  assert_fine(nl_converter_open(&converter, original.bytes, original.size, &error), &error);
  assert_fine(nl_converter_write(converter, NL_FORMAT_JSON, onnx.bytes, onnx.size, json, &error), &error);
  nl_converter_free(converter);
  nl_buffer_free(&onnx);
}

static inline nl_status stepped_path(nl_path *path, nl_error *error) {
  double progress = 0, before = 0;
  for (;;) {
    const nl_status status = nl_path_step(path, &progress, error);
    if (status != NL_MORE) return status;
    assert_true(progress >= before && progress <= 1);
    before = progress;
  }
}
static inline nl_path *walked(const nl_model *model, const nl_path_options *options) {
  nl_path *path = NULL;
  nl_error error = {0};
  assert_fine(nl_path_create(&path, model, options, &error), &error);
  assert_fine(stepped_path(path, &error), &error);
  return path;
}

static inline nl_status stepped_result(nl_result *result, nl_error *error) {
  double progress = 0;
  for (;;) {
    const nl_status status = nl_result_step(result, &progress, error);
    assert_true(progress >= 0 && progress <= 1);
    if (status != NL_MORE) return status;
  }
}
// What creating and stepping ends with; *out is NULL unless that is NL_OK.
static inline nl_status try_options(nl_result **out, const nl_path *path, nl_target_kind kind, double value,
                                    const nl_result_options *options, nl_error *error) {
  *error = (nl_error){0};
  *out = NULL;
  nl_result *result = NULL;
  nl_status status = nl_result_create(&result, path, (nl_target){kind, value}, options, error);
  if (status == NL_OK)
    status = stepped_result(result, error);
  else
    assert_null(result);
  if (status == NL_OK)
    *out = result;
  else
    nl_result_free(result);
  return status;
}
static inline nl_status try_target(nl_result **out, const nl_path *path, nl_target_kind kind, double value,
                                   nl_error *error) {
  return try_options(out, path, kind, value, NULL, error);
}
static inline nl_result *reached(const nl_path *path, nl_target_kind kind, double value) {
  nl_result *result = NULL;
  nl_error error;
  assert_fine(try_target(&result, path, kind, value, &error), &error);
  return result;
}
static inline nl_result *reached_by(const nl_path *path, nl_target_kind kind, double value, nl_result_options options) {
  nl_result *result = NULL;
  nl_error error;
  assert_fine(try_options(&result, path, kind, value, &options, &error), &error);
  return result;
}

static inline cJSON *parsed(nl_buffer *text) {
  cJSON *json = cJSON_ParseWithLength((const char *)text->bytes, text->size);
  assert_non_null(json);
  nl_buffer_free(text);
  return json;
}
static inline cJSON *report_of(const nl_result *result) {
  nl_buffer text = {0};
  OK(nl_result_report(result, &text, NULL));
  return parsed(&text);
}
// path: keys parted by dots, array positions as numbers
static inline const cJSON *at(const cJSON *json, const char *path) {
  char copy[100];
  strcpy(copy, path);
  for (char *key = strtok(copy, "."); key != NULL; key = strtok(NULL, ".")) {
    json = key[0] >= '0' && key[0] <= '9' ? cJSON_GetArrayItem(json, atoi(key))
                                          : cJSON_GetObjectItemCaseSensitive(json, key);
    if (json == NULL) fail_msg("no “%s” in “%s”", key, path);
  }
  return json;
}
static inline double number_at(const cJSON *json, const char *path) {
  const cJSON *number = at(json, path);
  if (!cJSON_IsNumber(number)) fail_msg("“%s” is no number", path);
  return number->valuedouble;
}
static inline const char *text_at(const cJSON *json, const char *path) {
  const cJSON *string = at(json, path);
  if (!cJSON_IsString(string)) fail_msg("“%s” is no text", path);
  return string->valuestring;
}

// ---- fixtures ----------------------------------------------------------------------------------------------------------

typedef struct table {
  size_t rows, columns;
  double *numbers; // (rows, columns)
} table;

static inline nl_span fixture(const char *name, const char *ending) {
  char path[200];
  snprintf(path, sizeof path, "tests/fixtures/%s.%s", name, ending);
  const nl_span bytes = read_whole(path);
  if (bytes.bytes == NULL) fail_msg("%s is missing", path);
  return bytes;
}

static inline table fixture_rows(const char *name) {
  const nl_span file = fixture(name, "csv");
  char *text = malloc(file.size + 1);
  memcpy(text, file.bytes, file.size);
  text[file.size] = '\0';
  table t = {.columns = 1};
  for (const char *c = text; *c != '\n'; c++) t.columns += *c == ',';
  t.numbers = malloc((file.size + 1) * sizeof *t.numbers);
  size_t count = 0;
  for (char *field = strtok(strchr(text, '\n'), ",\n"); field != NULL; field = strtok(NULL, ",\n"))
    t.numbers[count++] = strtod(field, NULL);
  assert_true(count > 0 && count % t.columns == 0);
  t.rows = count / t.columns;
  free(text);
  free((void *)file.bytes);
  return t;
}

// Columns first ... first + count - 1, the caller's.
static inline double *columns_of(const table *t, size_t first, size_t count) {
  double *picked = malloc((t->rows * count + 1) * sizeof *picked);
  for (size_t r = 0; r < t->rows; r++)
    for (size_t c = 0; c < count; c++) picked[r * count + c] = t->numbers[r * t->columns + first + c];
  return picked;
}

#endif
