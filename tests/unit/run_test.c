// What a runtime is asked for, and what comes of what it gives.
#include "models.h"

#include "onnx.h"
#include "run.h"

// ---- the protocol -------------------------------------------------------------------------------------------------------

typedef struct seen {
  size_t batches, rows;
  float sum;
} seen;

static nl_status take(void *owner, const nl_run *run, size_t rows, nl_error *error) {
  seen *s = owner;
  assert_int_equal(run->row, s->rows);
  s->batches++;
  s->rows += rows;
  s->sum += *(const float *)run->fed[NL_SIDE_ORIGINAL][0].data;
  return s->rows > 100 ? nl_fail(error, NL_ERROR_DATA, NULL, "too many") : NL_OK;
}

static nl_graph *small_graph(nl_span *bytes) {
  sketch s = sketched(13, 2);
  nl_graph *graph = NULL;
  noise(s, "w", 1, 2, 3);
  op(s, "MatMul", "x w", "h");
  op(s, "Relu", "h", "y");
  output(s, "y", 3);
  *bytes = built(s);
  OK(nl_onnx_read(&graph, *bytes, NULL));
  return graph;
}

static nl_run begun(const nl_graph *graph, seen *s, size_t rows) {
  nl_run run = {0};
  size_t h = 0;
  while (!nl_span_is(graph->values[h].name, "h")) h++;
  OK(nl_run_begin(&run, graph, rows, (const size_t[]){1, 0}, (const size_t *const[]){&h, NULL}, s, take,
                  (const nl_write_model[]){NULL, NULL}, NULL));
  return run;
}

static void a_run_names_what_it_wants_and_takes_it_batch_by_batch(void **state) {
  (void)state;
  nl_buffer json = {0};
  nl_span bytes = {0};
  nl_graph *graph = small_graph(&bytes);
  seen s = {0};
  nl_run run = begun(graph, &s, 5);
  OK(nl_run_describe(&run, &json, NULL));
  OK(nl_buffer_append(&json, "", 1, NULL));
  assert_string_equal((const char *)json.bytes,
                      "{\"rows\":5,\"original\":[\"h\"],\"reduced\":[],\"calibrated\":false}");
  const float three[9] = {1}, two[6] = {10};
  const int64_t dims[] = {3, 3};
  OK(nl_run_feed(&run, false, 0, NL_TYPE_F32, 2, dims, three, NULL));
  OK(nl_run_advance(&run, 3, NULL));
  assert_true(nl_run_waits(&run));
  OK(nl_run_feed(&run, false, 0, NL_TYPE_F32, 2, dims, two, NULL));
  OK(nl_run_advance(&run, 2, NULL));
  assert_false(nl_run_waits(&run));
  assert_int_equal(s.batches, 2);
  assert_near(s.sum, 11, 0);
  nl_run_end(&run), nl_graph_free(graph), free((void *)bytes.bytes), nl_buffer_free(&json);
}

static void a_run_refuses_what_it_did_not_ask_for(void **state) {
  (void)state;
  nl_span bytes = {0};
  nl_buffer onnx = {0};
  nl_graph *graph = small_graph(&bytes);
  seen s = {0};
  nl_run run = begun(graph, &s, 5);
  const float data[9] = {0};
  const int64_t dims[] = {3, 3};
  nl_error error = {0};
  assert_int_equal(nl_run_feed(&run, false, 1, NL_TYPE_F32, 2, dims, data, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_run_feed(&run, true, 0, NL_TYPE_F32, 2, dims, data, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_run_feed(&run, false, 0, NL_TYPE_I64, 2, dims, data, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_run_advance(&run, 3, &error), NL_ERROR_ARGUMENT); // nothing was fed
  assert_string_equal(error.place, "h");
  OK(nl_run_feed(&run, false, 0, NL_TYPE_F32, 2, dims, data, NULL));
  assert_int_equal(nl_run_advance(&run, 6, NULL), NL_ERROR_ARGUMENT); // more rows than there are
  assert_int_equal(nl_run_advance(&run, 0, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_run_model(&run, true, &onnx, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(s.batches, 0);
  nl_run_end(&run), nl_graph_free(graph), free((void *)bytes.bytes);
}

// ---- deviation ----------------------------------------------------------------------------------------------------------

static nl_fed fed(size_t rank, const int64_t *dims, const double *data) {
  return (nl_fed){.type = NL_TYPE_F64, .rank = rank, .dims = dims, .data = data};
}

static void a_deviation_is_relative_to_the_spread_of_each_column(void **state) {
  (void)state;
  // column 0 is 10, 12 and column 1 is -1, 3, in two batches of a row; the second model is off by 1 in one place
  const int64_t dims[] = {1, 2};
  const double f[] = {10, -1, 12, 3}, g[] = {10, -1, 12, 4};
  nl_gap gap = {0};
  OK(nl_gap_begin(&gap, 1, NULL));
  for (size_t row = 0; row < 2; row++) {
    const nl_fed a = fed(2, dims, f + 2 * row), b = fed(2, dims, g + 2 * row);
    OK(nl_gap_add(&gap, 0, 1, &a, &b, (nl_span){0}, NULL));
  }
  // squares around the means: 1 + 1 + 4 + 4
  assert_near(nl_gap_relative(&gap), sqrt(1.0 / 10), 1e-15);
  assert_near(gap.largest, 1, 0);
  nl_gap_end(&gap);
}

static void a_deviation_refuses_other_shapes_and_numbers_that_are_none(void **state) {
  (void)state;
  const int64_t wide[] = {1, 2}, narrow[] = {2, 1};
  const double f[] = {1, (double)INFINITY}, g[] = {1, 2};
  const nl_fed a = fed(2, wide, f), turned = fed(2, narrow, f), b = fed(2, wide, g);
  const nl_span name = {(const uint8_t *)"y", 1};
  nl_error error = {0};
  nl_gap gap = {0};
  OK(nl_gap_begin(&gap, 1, NULL));
  assert_int_equal(nl_gap_add(&gap, 0, 1, &a, &turned, name, NULL), NL_ERROR_SHAPE);
  assert_int_equal(nl_gap_add(&gap, 0, 1, &a, &b, name, &error), NL_ERROR_NOT_FINITE);
  assert_string_equal(error.place, "y");
  nl_gap_end(&gap);
  OK(nl_gap_begin(&gap, 1, NULL));
  OK(nl_gap_add(&gap, 0, 1, &a, &a, name, NULL)); // infinities that agree are no difference
  assert_near(nl_gap_relative(&gap), 0, 0);
  nl_gap_end(&gap);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_run_names_what_it_wants_and_takes_it_batch_by_batch),
      cmocka_unit_test(a_run_refuses_what_it_did_not_ask_for),
      cmocka_unit_test(a_deviation_is_relative_to_the_spread_of_each_column),
      cmocka_unit_test(a_deviation_refuses_other_shapes_and_numbers_that_are_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
