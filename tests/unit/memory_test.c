// Every allocation fails once. The linker puts the functions below between the core and the heap (--wrap): a run is made
// again and again, its first allocation failing, then its second, and so on to the last. Each time it has to end with "out of
// memory" and the bytes that were wanted, with nothing left behind; and the run after it has to be as good as the first.
#include "models.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *pointer);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *pointer);

static struct {
  bool watched;
  size_t asked, fails; // allocations so far, and the one that fails
  size_t path;         // of them until the path was walked
  ptrdiff_t held;      // allocated and not freed
} heap;

static bool gives(void) { return !heap.watched || ++heap.asked != heap.fails; }
static void *counted(void *pointer) {
  if (heap.watched && pointer != NULL) heap.held++;
  return pointer;
}

void *__wrap_malloc(size_t size) { return gives() ? counted(__real_malloc(size)) : NULL; }
void *__wrap_calloc(size_t count, size_t size) { return gives() ? counted(__real_calloc(count, size)) : NULL; }
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  return gives() ? counted(__real_aligned_alloc(alignment, size)) : NULL;
}
void *__wrap_realloc(void *pointer, size_t size) {
  if (!gives()) return NULL;
  void *grown = __real_realloc(pointer, size);
  return pointer == NULL ? counted(grown) : grown;
}
void __wrap_free(void *pointer) {
  if (heap.watched && pointer != NULL) heap.held--;
  __real_free(pointer);
}

// ---- runs ------------------------------------------------------------------------------------------------------------------

enum { ROWS = 40, OUT = 1 << 16 };

typedef struct task {
  nl_span bytes;
  nl_path_options measure;
  nl_target target;
  nl_result_options way;
  bool certify;
} task;

// What a run wrote, one thing behind the other.
typedef struct made {
  size_t size;
  uint8_t bytes[OUT];
} made;

static nl_status keep(nl_status status, nl_buffer *buffer, made *out) {
  if (status == NL_OK && buffer->size <= OUT - out->size) {
    memcpy(out->bytes + out->size, buffer->bytes, buffer->size);
    out->size += buffer->size;
  }
  nl_buffer_free(buffer);
  return status;
}

static nl_status certified(const nl_model *model, nl_span smaller, made *out, nl_error *error) {
  const double low[] = {-1, -1, -1}, high[] = {1, 1, 1};
  nl_model *reduced = NULL;
  nl_certificate *certificate = NULL;
  nl_buffer text = {0};
  double progress = 0;
  nl_status status = nl_model_open(&reduced, smaller.bytes, smaller.size, error);
  if (status == NL_OK) status = nl_certificate_create(&certificate, model, reduced, low, high, error);
  for (nl_status step = NL_MORE; status == NL_OK && step == NL_MORE;) {
    step = nl_certificate_step(certificate, &progress, error);
    if (step != NL_MORE) status = step;
  }
  if (status == NL_OK) status = keep(nl_certificate_describe(certificate, &text, error), &text, out);
  nl_certificate_free(certificate), nl_model_free(reduced);
  return status;
}

static nl_status written(const task *t, const nl_model *model, const nl_result *result, made *out, nl_error *error) {
  nl_buffer text = {0}, onnx = {0};
  NL_TRY(keep(nl_result_report(result, &text, error), &text, out));
  nl_converter *converter = NULL;
  NL_TRY(nl_result_write_joined(result, &onnx, error));
  nl_status status = nl_converter_open(&converter, NULL, 0, error);
  if (status == NL_OK) status = nl_converter_write(converter, NL_FORMAT_JSON, onnx.bytes, onnx.size, &text, error);
  nl_converter_free(converter);
  status = keep(status, &text, out);
  if (status == NL_OK && t->certify) status = certified(model, (nl_span){onnx.bytes, onnx.size}, out, error);
  return keep(status, &onnx, out);
}

static nl_status made_by(const task *t, const nl_model *model, const nl_path *path, made *out, nl_error *error) {
  nl_result *result = NULL;
  double progress = 0;
  nl_status status = nl_result_create(&result, path, t->target, &t->way, error);
  for (nl_status step = NL_MORE; status == NL_OK && step == NL_MORE;) {
    step = nl_result_step(result, &progress, error);
    if (step != NL_MORE) status = step;
  }
  if (status == NL_OK) status = written(t, model, result, out, error);
  nl_result_free(result);
  return status;
}

// The whole way from bytes to bytes.
static nl_status run(const task *t, made *out, nl_error *error) {
  nl_model *model = NULL;
  nl_path *path = NULL;
  nl_buffer text = {0};
  nl_choice choice;
  double progress = 0;
  out->size = 0;
  nl_status status = nl_model_open(&model, t->bytes.bytes, t->bytes.size, error);
  if (status == NL_OK) status = keep(nl_model_describe(model, &text, error), &text, out);
  if (status == NL_OK) status = nl_path_create(&path, model, &t->measure, error);
  for (nl_status step = NL_MORE; status == NL_OK && step == NL_MORE;) {
    step = nl_path_step(path, &progress, error);
    if (step != NL_MORE) status = step;
  }
  if (status == NL_OK) status = keep(nl_path_describe(path, &text, error), &text, out);
  heap.path = heap.asked;
  if (status == NL_OK) status = nl_path_choose(path, (nl_target){NL_TARGET_RETAIN, 0.8}, &choice, NULL, error);
  if (status == NL_OK) status = made_by(t, model, path, out, error);
  nl_path_free(path), nl_model_free(model);
  return status;
}

// One run whose allocation number `fails` fails (0: none), and that leaves nothing behind.
static nl_status watched(const task *t, size_t fails, made *out, nl_error *error) {
  *error = (nl_error){0};
  heap.asked = 0, heap.fails = fails, heap.held = 0, heap.watched = true;
  const nl_status status = run(t, out, error);
  heap.watched = false;
  if (heap.held != 0) fail_msg("allocation %zu fails: %td blocks are not freed", fails, heap.held);
  return status;
}

static made first, again;

// results: only those behind the path, which is the same for all methods.
static void assert_survives(const task *t, bool results) {
  nl_error error;
  assert_fine(watched(t, 0, &first, &error), &error);
  const size_t allocations = heap.asked, from = results ? heap.path : 0;
  assert_true(allocations > from + 50 && first.size > 500);
  for (size_t i = from + 1; i <= allocations; i++) {
    const nl_status status = watched(t, i, &again, &error);
    if (status != NL_ERROR_MEMORY) fail_msg("allocation %zu of %zu fails: status %d", i, allocations, (int)status);
    if (error.expected == 0)
      fail_msg("allocation %zu of %zu fails: it is not said how much was wanted", i, allocations);
  }
  assert_fine(watched(t, 0, &again, &error), &error);
  assert_int_equal(again.size, first.size);
  assert_memory_equal(again.bytes, first.bytes, first.size);
}

// ---- tests -----------------------------------------------------------------------------------------------------------------

static task small(const char *activation, double *x) {
  chain c = random_chain(7, activation, 3, (size_t[]){3, 6, 5, 2});
  copy_unit(&c, 0, 1, 4, 1), copy_unit(&c, 1, 0, 3, 1);
  const task t = {.bytes = chain_bytes(&c),
                  .measure = {.seed = 1, .rows = ROWS, .data = x, .data_rows = x != NULL ? ROWS : 0},
                  .target = {NL_TARGET_RETAIN, 0.6}};
  chain_free(&c);
  return t;
}

static void projected_lumping_survives_every_failing_allocation(void **state) {
  (void)state;
  double *x = random_numbers(3, ROWS * 3, 1);
  task t = small("Relu", x);
  t.certify = true;
  t.way = (nl_result_options){.polish = true, .iterations = 2};
  assert_survives(&t, false);
  free((void *)t.bytes.bytes), free(x);
}

static void every_method_survives_every_failing_allocation(void **state) {
  (void)state;
  for (size_t method = NL_METHOD_PARTITION; method <= NL_METHOD_RANDOM; method++) {
    task t = small(method == NL_METHOD_SYMMETRIC ? "Relu" : "Tanh", NULL);
    t.way.method = (nl_method)method;
    assert_survives(&t, true);
    free((void *)t.bytes.bytes);
  }
}

static void every_target_survives_every_failing_allocation(void **state) {
  (void)state;
  const nl_target targets[] = {{NL_TARGET_EPSILON, 0.3}, {NL_TARGET_DEVIATION, 0.5}, {NL_TARGET_EPSILON, 0}};
  for (size_t i = 0; i < 3; i++) {
    task t = small("Sigmoid", NULL);
    t.target = targets[i];
    assert_survives(&t, true);
    free((void *)t.bytes.bytes);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(projected_lumping_survives_every_failing_allocation),
      cmocka_unit_test(every_method_survives_every_failing_allocation),
      cmocka_unit_test(every_target_survives_every_failing_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
