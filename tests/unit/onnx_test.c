#define _XOPEN_SOURCE 700 // nftw
#include <ftw.h>

#include "formats.h"

// ---- a small network with everything a file may carry besides ----------------------------------------------------------

static const float W1[6] = {1, 2, 3, 4, 5, 6}, B1[3] = {.5f, -.5f, 0}, W2[3] = {1, -1, 2}, B2[1] = {7};

// x (batch, 2) -> Gemm fc1 -> Relu act -> Gemm fc2 -> y (batch, 1); fields nobody knows at every level
static message small_model(void) {
  message m = {0};
  integer(&m, 1, 7), text(&m, 2, "tests"), text(&m, 6, "doc of the model"), text(&m, 900, "unknown to all");
  begin(&m, 14), text(&m, 1, "author"), text(&m, 2, "somebody"), end(&m);
  begin(&m, 7), text(&m, 2, "graph"), text(&m, 901, "unknown in the graph");
  open_node(&m, "Gemm", "fc1", "x w1 b1", "z1");
  begin(&m, 5), text(&m, 1, "transB"), integer(&m, 3, 1), integer(&m, 20, 2), text(&m, 13, "doc"), end(&m);
  text(&m, 902, "unknown in a node"), end(&m);
  node(&m, "Relu", "act", "z1", "a1");
  open_node(&m, "Gemm", "fc2", "a1 w2 b2", "y");
  begin(&m, 5), text(&m, 1, "transB"), integer(&m, 3, 1), integer(&m, 20, 2), end(&m), end(&m);
  begin(&m, 5), text(&m, 903, "unknown in a tensor"), dims(&m, 2, (int64_t[]){3, 2}), integer(&m, 2, 1),
      text(&m, 8, "w1");
  bytes(&m, 9, W1, sizeof W1), text(&m, 12, "doc of a tensor"), end(&m);
  initializer(&m, "b1", 1, (int64_t[]){3}, B1);
  initializer(&m, "w2", 2, (int64_t[]){1, 3}, W2);
  initializer(&m, "b2", 1, (int64_t[]){1}, B2);
  info(&m, 11, "x", 2, (int64_t[]){-1, 2});
  info(&m, 12, "y", 2, (int64_t[]){-1, 1});
  info(&m, 13, "a1", 2, (int64_t[]){-1, 3});
  close_model(&m);
  return m;
}

static const nl_tensor *constant_of(const nl_graph *graph, const char *name, size_t slot) {
  const nl_tensor *tensor = nl_node_constant(graph, &graph->nodes[node_named(graph, name)], slot);
  assert_non_null(tensor);
  return tensor;
}

static void assert_tensor(const nl_graph *graph, const char *name, size_t slot, size_t count, const double *expected) {
  double values[64];
  const nl_tensor *tensor = constant_of(graph, name, slot);
  assert_int_equal(tensor->count, count);
  OK(nl_tensor_read(tensor, values, NULL));
  for (size_t i = 0; i < count; i++) assert_true(values[i] == expected[i]);
}

// ---- reading -----------------------------------------------------------------------------------------------------------

static void a_graph_says_what_the_file_says(void **state) {
  (void)state;
  message m = small_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  assert_int_equal(graph->opset, 13), assert_int_equal(graph->ir_version, 7);
  assert_span(graph->producer_name, "tests");
  assert_int_equal(graph->node_count, 3), assert_int_equal(graph->tensor_count, 4),
      assert_int_equal(graph->value_count, 8);
  assert_int_equal(graph->input_count, 1), assert_int_equal(graph->inputs[0], value_named(graph, "x"));
  assert_int_equal(graph->output_count, 1), assert_int_equal(graph->outputs[0], value_named(graph, "y"));
  assert_false(graph->has_netlump_metadata);
  const nl_node *fc1 = &graph->nodes[0];
  assert_span(fc1->op, "Gemm");
  assert_int_equal(nl_node_int(fc1, "transB", 0), 1), assert_int_equal(nl_node_int(fc1, "transA", 5), 5);
  assert_true(nl_node_float(fc1, "alpha", 1.5) == 1.5);
  assert_tensor(graph, "fc1", 1, 6, (double[]){1, 2, 3, 4, 5, 6});
  const nl_value *a1 = &graph->values[value_named(graph, "a1")], *x = &graph->values[value_named(graph, "x")];
  assert_int_equal(a1->producer, 1), assert_int_equal(a1->use_count, 1);
  assert_int_equal(a1->uses[0].node, 2), assert_int_equal(a1->uses[0].slot, 0);
  assert_true(a1->rank_known && a1->rank == 2 && a1->dims[0] == -1 && a1->dims[1] == 3 && a1->type == NL_TYPE_F32);
  assert_true(x->is_input && x->dims[1] == 2 && x->producer == NL_NONE && x->tensor == NL_NONE);
  assert_false(graph->values[value_named(graph, "z1")].rank_known);
  nl_graph_free(graph);
  nl_buffer_free(&m.bytes);
}

static void nodes_in_any_order_are_sorted(void **state) {
  (void)state;
  message m = {0};
  open_model(&m);
  node(&m, "Relu", "third", "b", "y"), node(&m, "Relu", "second", "a", "b"), node(&m, "Relu", "first", "x", "a");
  info(&m, 11, "x", 0, NULL), info(&m, 12, "y", 0, NULL);
  close_model(&m);
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  for (size_t i = 0; i < 3; i++) assert_int_equal(graph->order[i], 2 - i);
  nl_graph_free(graph);
  nl_buffer_free(&m.bytes);
}

static void fails(void (*write)(message *), nl_status status, const char *place, const char *detail) {
  message m = {0};
  open_model(&m);
  write(&m);
  close_model(&m);
  nl_error error;
  assert_int_equal(status_of(span_of(&m.bytes), &error), status);
  assert_string_equal(error.place, place);
  if (detail != NULL) assert_string_equal(error.detail, detail);
  nl_buffer_free(&m.bytes);
}

static void output_y(message *m) { info(m, 11, "x", 0, NULL), info(m, 12, "y", 0, NULL); }
static void cycle(message *m) {
  output_y(m), node(m, "Add", "before", "x b", "a"), node(m, "Relu", "behind", "a", "b"),
      node(m, "Relu", "after", "b", "y");
}
static void dangling_input(message *m) { output_y(m), node(m, "Gemm", "fc", "x w", "y"); }
static void dangling_output(message *m) { output_y(m), node(m, "Relu", "n", "x", "z"); }
static void name_twice(message *m) { output_y(m), node(m, "Relu", "n", "x", "y"), node(m, "Relu", "m", "x", "y"); }
static void no_output(message *m) { info(m, 11, "x", 0, NULL), node(m, "Relu", "n", "x", "y"); }
static void tensor_with(message *m, size_t rank, const int64_t *sizes, size_t size) {
  static const uint8_t zeros[64];
  output_y(m), node(m, "Gemm", "fc", "x w", "y");
  begin(m, 5), dims(m, rank, sizes), integer(m, 2, 1), text(m, 8, "w"), bytes(m, 9, zeros, size), end(m);
}
static void short_tensor(message *m) { tensor_with(m, 2, (int64_t[]){4, 4}, 60); }
static void long_tensor(message *m) { tensor_with(m, 1, (int64_t[]){4}, 20); }
static void huge_tensor(message *m) { tensor_with(m, 2, (int64_t[]){INT64_C(1) << 40, 8}, 64); }
static void overflowing_tensor(message *m) {
  tensor_with(m, 3, (int64_t[]){INT64_C(1) << 62, INT64_C(1) << 62, 4}, 64);
}
static void negative_tensor(message *m) { tensor_with(m, 2, (int64_t[]){-5, 8}, 64); }
static void nameless_operator(message *m) { output_y(m), node(m, "", "n", "x", "y"); }

static void each_defect_is_named_with_its_place(void **state) {
  (void)state;
  fails(dangling_input, NL_ERROR_DANGLING, "fc", "w");
  fails(dangling_output, NL_ERROR_DANGLING, "the output", "y");
  fails(name_twice, NL_ERROR_MALFORMED, "y", "two values have this name");
  fails(no_output, NL_ERROR_MALFORMED, "", "the network has no output");
  fails(short_tensor, NL_ERROR_TRUNCATED, "w", NULL);
  fails(long_tensor, NL_ERROR_SHAPE, "w", NULL);
  fails(huge_tensor, NL_ERROR_TRUNCATED, "w", NULL);
  fails(overflowing_tensor, NL_ERROR_TRUNCATED, "w", NULL);
  fails(negative_tensor, NL_ERROR_MALFORMED, "w", "a negative size in its shape");
  fails(nameless_operator, NL_ERROR_MALFORMED, "n", NULL);
}

static void a_cycle_is_named_by_a_node_on_it(void **state) {
  (void)state;
  message m = {0};
  open_model(&m), cycle(&m), close_model(&m);
  nl_error error;
  assert_int_equal(status_of(span_of(&m.bytes), &error), NL_ERROR_CYCLE);
  assert_true(strcmp(error.place, "before") == 0 || strcmp(error.place, "behind") == 0);
  nl_buffer_free(&m.bytes);
}

static void a_model_without_opset_is_refused(void **state) {
  (void)state;
  message m = {0};
  open_model(&m), output_y(&m), node(&m, "Relu", "n", "x", "y"), end(&m);
  nl_error error;
  assert_int_equal(status_of(span_of(&m.bytes), &error), NL_ERROR_MALFORMED);
  assert_non_null(strstr(error.detail, "opset"));
  nl_buffer_free(&m.bytes);
}

static void a_file_cut_anywhere_is_an_error_and_names_the_tensor_it_ends_in(void **state) {
  (void)state;
  message m = small_model();
  size_t named = 0;
  for (size_t size = 0; size < m.bytes.size; size++) {
    const nl_span part = exact((nl_span){m.bytes.bytes, size});
    nl_error error;
    assert_int_not_equal(status_of(part, &error), NL_OK);
    named += error.status == NL_ERROR_TRUNCATED && strcmp(error.place, "w1") == 0;
    free((void *)part.bytes);
  }
  assert_true(named > sizeof W1);
  nl_buffer_free(&m.bytes);
}

static void try_everything(nl_span source);

static void a_file_with_any_byte_changed_is_refused_or_read(void **state) {
  (void)state;
  message m = small_model();
  static const uint8_t masks[] = {1, 0x10, 0x80, 0xFF};
  for (size_t at = 0; at < m.bytes.size; at++) {
    for (size_t k = 0; k < sizeof masks; k++) {
      const nl_span changed = exact(span_of(&m.bytes));
      ((uint8_t *)(uintptr_t)changed.bytes)[at] ^= masks[k];
      try_everything(changed);
      free((void *)changed.bytes);
    }
  }
  nl_buffer_free(&m.bytes);
}

// ---- constants in nodes, subgraphs -------------------------------------------------------------------------------------

static void constant_node(message *m, const char *output, const char *attribute, void (*value)(message *)) {
  open_node(m, "Constant", output, "", output);
  begin(m, 5), text(m, 1, attribute), value(m), end(m), end(m);
}
static void two_floats(message *m) {
  OK(nl_wire_put_float(&m->bytes, 7, 1.5f, NULL)), OK(nl_wire_put_float(&m->bytes, 7, -2, NULL)), integer(m, 20, 6);
}
static void one_float(message *m) { OK(nl_wire_put_float(&m->bytes, 2, 3, NULL)), integer(m, 20, 1); }
static void three_ints(message *m) { bytes(m, 8, "\x01\x02\x03", 3), integer(m, 20, 7); }
static void a_tensor(message *m) {
  begin(m, 5), dims(m, 1, (int64_t[]){3}), integer(m, 2, 1), bytes(m, 9, B1, sizeof B1), end(m), integer(m, 20, 4),
      text(m, 13, "doc");
}
static void a_sparse_tensor(message *m) { begin(m, 22), end(m), integer(m, 20, 11); }

static message constants_model(void) {
  message m = {0};
  open_model(&m);
  constant_node(&m, "a", "value_floats", two_floats), constant_node(&m, "b", "value_float", one_float);
  constant_node(&m, "c", "value_ints", three_ints), constant_node(&m, "d", "value", a_tensor);
  constant_node(&m, "e", "sparse_value", a_sparse_tensor);
  node(&m, "Sum", "sum", "x a b c d e", "y");
  output_y(&m), close_model(&m);
  return m;
}

static void constant_nodes_are_tensors(void **state) {
  (void)state;
  message m = constants_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  assert_tensor(graph, "sum", 1, 2, (double[]){1.5, -2});
  assert_tensor(graph, "sum", 2, 1, (double[]){3});
  assert_tensor(graph, "sum", 3, 3, (double[]){1, 2, 3});
  assert_tensor(graph, "sum", 4, 3, (double[]){.5, -.5, 0});
  assert_int_equal(constant_of(graph, "sum", 2)->rank, 0);
  assert_int_equal(constant_of(graph, "sum", 3)->type, NL_TYPE_I64);
  assert_int_equal(constant_of(graph, "sum", 4)->node, node_named(graph, "d"));
  assert_null(nl_node_constant(graph, &graph->nodes[node_named(graph, "sum")], 5));
  nl_graph_free(graph);
  nl_buffer_free(&m.bytes);
}

static void subgraphs_use_the_outer_values_they_do_not_define(void **state) {
  (void)state;
  message m = {0};
  open_model(&m);
  node(&m, "Relu", "early", "x", "inner"), node(&m, "Relu", "read", "x", "outer"),
      node(&m, "Relu", "deep", "x", "deeper");
  open_node(&m, "If", "if", "x", "y");
  begin(&m, 5), text(&m, 1, "then_branch"), integer(&m, 20, 5), begin(&m, 6);
  node(&m, "Abs", "i1", "outer", "inner"), open_node(&m, "If", "i2", "inner", "result");
  begin(&m, 5), text(&m, 1, "then_branch"), begin(&m, 6), node(&m, "Add", "j", "deeper inner", "r"),
      info(&m, 12, "r", 0, NULL), end(&m), end(&m);
  end(&m), info(&m, 12, "result", 0, NULL);
  end(&m), end(&m), end(&m);
  output_y(&m), close_model(&m);
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  const size_t if_node = node_named(graph, "if");
  static const char *const read[] = {"outer", "deeper"};
  for (size_t i = 0; i < 2; i++) {
    const nl_value *value = &graph->values[value_named(graph, read[i])];
    assert_int_equal(value->use_count, 1);
    assert_int_equal(value->uses[0].node, if_node), assert_true(value->uses[0].slot == NL_NONE);
  }
  assert_int_equal(graph->values[value_named(graph, "inner")].use_count, 0);
  assert_true(graph->nodes[if_node].has_subgraph);
  nl_graph_free(graph);
  nl_buffer_free(&m.bytes);
}

static void subgraphs_nested_too_deep_are_refused(void **state) {
  (void)state;
  nl_buffer body = {0};
  for (size_t depth = 0; depth < 100; depth++) { // graph > node > attribute > graph
    message m = {0};
    begin(&m, 1), text(&m, 4, "If"), begin(&m, 5), bytes(&m, 6, body.bytes, body.size), end(&m), end(&m);
    nl_buffer_free(&body);
    body = m.bytes;
  }
  message m = {0};
  open_model(&m), OK(nl_buffer_append(&m.bytes, body.bytes, body.size, NULL)), output_y(&m),
      node(&m, "Relu", "n", "x", "y"), close_model(&m);
  nl_error error;
  assert_int_equal(status_of(span_of(&m.bytes), &error), NL_ERROR_LIMIT);
  nl_buffer_free(&m.bytes), nl_buffer_free(&body);
}

// ---- external data -----------------------------------------------------------------------------------------------------

static message external_model(const char *location, const char *offset, const char *length) {
  message m = {0};
  open_model(&m);
  node(&m, "Gemm", "fc", "x w", "y"), output_y(&m);
  begin(&m, 5), dims(&m, 1, (int64_t[]){3}), integer(&m, 2, 1), text(&m, 8, "w");
  begin(&m, 13), text(&m, 1, "location"), text(&m, 2, location), end(&m);
  if (offset != NULL) begin(&m, 13), text(&m, 1, "offset"), text(&m, 2, offset), end(&m);
  if (length != NULL) begin(&m, 13), text(&m, 1, "length"), text(&m, 2, length), end(&m);
  integer(&m, 14, 1), end(&m), close_model(&m);
  return m;
}

static void external_data_is_attached_by_name_and_written_inside(void **state) {
  (void)state;
  message m = external_model("w.data", "4", "12");
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  assert_span(nl_graph_missing_file(graph), "w.data");
  double values[3];
  nl_error error = {0};
  assert_int_equal(nl_tensor_read(&graph->tensors[0], values, &error), NL_ERROR_EXTERNAL);
  assert_string_equal(error.place, "w.data");
  float data[4] = {9, 1, 2, 3};
  error = (nl_error){0};
  assert_int_equal(nl_graph_attach(graph, span("w.data"), (nl_span){(uint8_t *)data, 15}, &error), NL_ERROR_TRUNCATED);
  assert_int_equal(error.found, 11);
  OK(nl_graph_attach(graph, span("other.data"), (nl_span){(uint8_t *)data, 16}, NULL));
  assert_int_not_equal(nl_graph_missing_file(graph).size, 0);
  nl_edits *edits;
  nl_buffer out = {0};
  OK(nl_edits_create(&edits, graph, NULL)), OK(nl_edits_set_metadata(edits, "k", "v", NULL));
  assert_int_equal(nl_onnx_write(graph, edits, &out, NULL), NL_ERROR_EXTERNAL);
  OK(nl_graph_attach(graph, span("w.data"), (nl_span){(uint8_t *)data, 16}, NULL));
  assert_int_equal(nl_graph_missing_file(graph).size, 0);
  assert_tensor(graph, "fc", 1, 3, (double[]){1, 2, 3});
  OK(nl_onnx_write(graph, edits, &out, NULL));
  nl_graph *inside = read_bytes(span_of(&out));
  assert_int_equal(inside->tensors[0].storage, NL_STORAGE_RAW);
  assert_tensor(inside, "fc", 1, 3, (double[]){1, 2, 3});
  nl_graph_free(inside), nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void external_paths_that_leave_the_folder_are_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\w",
                                    "\\\\server\\w",    "a\\..\\w",    "..",        ""};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    message m = external_model(bad[i], NULL, NULL);
    nl_error error;
    assert_int_equal(status_of(span_of(&m.bytes), &error), NL_ERROR_EXTERNAL);
    assert_non_null(strstr(error.detail, "outside the model's folder"));
    nl_buffer_free(&m.bytes);
  }
  static const char *const unclear[] = {"a\\w", "w\nx", "w\x7F"};
  for (size_t i = 0; i < sizeof unclear / sizeof unclear[0]; i++) {
    message m = external_model(unclear[i], NULL, NULL);
    nl_error error;
    assert_int_equal(status_of(span_of(&m.bytes), &error), NL_ERROR_EXTERNAL);
    assert_non_null(strstr(error.detail, "a backslash or a control character"));
    nl_buffer_free(&m.bytes);
  }
  message m = external_model("sub/w..data", NULL, NULL);
  nl_error error;
  assert_int_equal(status_of(span_of(&m.bytes), &error), NL_OK);
  nl_buffer_free(&m.bytes);
}

// ---- writing -----------------------------------------------------------------------------------------------------------

static nl_graph *write_and_read(const nl_graph *graph, const nl_edits *edits, nl_buffer *out) {
  OK(nl_onnx_write(graph, edits, out, NULL));
  return read_bytes(span_of(out));
}

// All field spans of a message, in order, except those with one of the numbers.
static void keep_fields(nl_span source, const uint32_t *without, size_t count, nl_buffer *kept) {
  nl_wire wire = nl_wire_open(source);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    bool skip = false;
    for (size_t i = 0; i < count; i++) skip = skip || field.tag >> 3 == without[i];
    if (!skip) OK(nl_wire_put_field(kept, &field, NULL));
  }
}

static void assert_same_fields(nl_span a, nl_span b, const uint32_t *without, size_t count) {
  nl_buffer kept_a = {0}, kept_b = {0};
  keep_fields(a, without, count, &kept_a), keep_fields(b, without, count, &kept_b);
  assert_int_not_equal(kept_a.size, 0);
  assert_int_equal(kept_a.size, kept_b.size);
  assert_memory_equal(kept_a.bytes, kept_b.bytes, kept_a.size);
  nl_buffer_free(&kept_a), nl_buffer_free(&kept_b);
}

static nl_span field_of(nl_span source, uint32_t number, size_t index) {
  nl_wire wire = nl_wire_open(source);
  for (nl_field field; nl_wire_next(&wire, &field);) {
    if (field.tag == NL_TAG(number, NL_WIRE_BYTES) && index-- == 0) return field.bytes;
  }
  fail_msg("field %u is not there", number);
  return (nl_span){0};
}

static void without_edits_the_bytes_are_the_sources(void **state) {
  (void)state;
  message m = small_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  OK(nl_edits_create(&edits, graph, NULL));
  for (size_t i = 0; i < 2; i++) {
    nl_buffer out = {0};
    OK(nl_onnx_write(graph, i == 0 ? NULL : edits, &out, NULL));
    assert_int_equal(out.size, m.bytes.size);
    assert_memory_equal(out.bytes, m.bytes.bytes, out.size);
    nl_buffer_free(&out);
  }
  nl_edits_free(edits), nl_graph_free(graph), nl_buffer_free(&m.bytes);
}

static void editing_one_tensor_leaves_every_other_field_alone(void **state) {
  (void)state;
  message m = small_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  nl_buffer out = {0};
  OK(nl_edits_create(&edits, graph, NULL));
  OK(nl_edits_set_constant(edits, 0, 1, 0, 2, (int64_t[]){2, 2}, (double[]){10, 20, 30, 40.5}, NULL));
  nl_graph *edited = write_and_read(graph, edits, &out);
  assert_tensor(edited, "fc1", 1, 4, (double[]){10, 20, 30, 40.5});
  assert_int_equal(constant_of(edited, "fc1", 1)->dims[0], 2);
  assert_same_fields(span_of(&m.bytes), span_of(&out), (uint32_t[]){7}, 1);
  const nl_span before = field_of(span_of(&m.bytes), 7, 0), after = field_of(span_of(&out), 7, 0);
  assert_same_fields(before, after, (uint32_t[]){5}, 1);
  for (size_t t = 1; t < 4; t++) {
    const nl_span a = field_of(before, 5, t), b = field_of(after, 5, t);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.bytes, b.bytes, a.size);
  }
  assert_same_fields(field_of(before, 5, 0), field_of(after, 5, 0), (uint32_t[]){1, 9}, 2); // dims, raw_data
  nl_graph_free(edited), nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void a_left_out_input_becomes_an_initializer(void **state) {
  (void)state;
  for (int old = 0; old < 2; old++) { // before IR version 4 it must be listed as an input too
    message m = {0};
    integer(&m, 1, old ? 3 : 7), begin(&m, 7);
    node(&m, "Gemm", "fc", "x w", "h"), node(&m, "Clip", "clip", "h - top", "y");
    initializer(&m, "w", 2, (int64_t[]){1, 3}, W2), initializer(&m, "top", 0, NULL, B2);
    info(&m, 11, "x", 2, (int64_t[]){-1, 1}), info(&m, 12, "y", 2, (int64_t[]){-1, 3}), close_model(&m);
    nl_graph *graph = read_bytes(span_of(&m.bytes));
    nl_edits *edits;
    nl_buffer out = {0};
    OK(nl_edits_create(&edits, graph, NULL));
    OK(nl_edits_set_constant(edits, 0, 2, NL_TYPE_F32, 1, (int64_t[]){3}, (double[]){1, 2, 3}, NULL));
    OK(nl_edits_set_constant(edits, 1, 1, NL_TYPE_F16, 0, NULL, (double[]){-1}, NULL));
    assert_int_equal(nl_edits_set_constant(edits, 0, 5, NL_TYPE_F32, 0, NULL, (double[]){0}, NULL), NL_ERROR_ARGUMENT);
    assert_int_equal(nl_edits_set_constant(edits, 0, 0, NL_TYPE_F32, 0, NULL, (double[]){0}, NULL), NL_ERROR_ARGUMENT);
    nl_graph *edited = write_and_read(graph, edits, &out);
    assert_tensor(edited, "fc", 2, 3, (double[]){1, 2, 3});
    assert_tensor(edited, "clip", 1, 1, (double[]){-1});
    assert_tensor(edited, "clip", 2, 1, (double[]){7});
    assert_int_equal(constant_of(edited, "clip", 1)->type, NL_TYPE_F16);
    assert_int_equal(edited->values[edited->nodes[0].inputs[2]].is_input, old);
    assert_int_equal(edited->input_count, 1);
    nl_graph_free(edited), nl_edits_free(edits), nl_graph_free(graph);
    nl_buffer_free(&out), nl_buffer_free(&m.bytes);
  }
}

// A node whose integers are stored packed, one by one, alone, and (being 0) not at all.
static message numbered_model(void) {
  message m = {0};
  open_model(&m);
  open_node(&m, "Slice", "n", "x s", "y");
  begin(&m, 5), text(&m, 13, "packed"), text(&m, 1, "p"), bytes(&m, 8, "\x05\x07", 2), integer(&m, 20, 7), end(&m);
  begin(&m, 5), text(&m, 1, "u"), integer(&m, 8, 5), text(&m, 13, "one by one"), integer(&m, 8, -7), integer(&m, 20, 7);
  end(&m);
  begin(&m, 5), text(&m, 1, "i"), integer(&m, 3, 5), text(&m, 13, "alone"), integer(&m, 20, 2), end(&m);
  begin(&m, 5), text(&m, 1, "z"), integer(&m, 20, 2), end(&m);
  begin(&m, 5), text(&m, 1, "f"), integer(&m, 20, 1), end(&m);
  end(&m);
  begin(&m, 5), dims(&m, 1, (int64_t[]){3}), integer(&m, 2, NL_TYPE_I64), text(&m, 8, "s");
  integer(&m, 7, INT64_MAX), integer(&m, 7, 5), integer(&m, 7, INT64_MIN), end(&m);
  output_y(&m), close_model(&m);
  return m;
}

static void numbers_of_a_node_are_edited_where_they_stand(void **state) {
  (void)state;
  message m = numbered_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  nl_buffer out = {0};
  OK(nl_edits_create(&edits, graph, NULL));
  OK(nl_edits_set_attribute_int(edits, 0, "p", 1, 300, NULL)),
      OK(nl_edits_set_attribute_int(edits, 0, "u", 0, 1, NULL));
  OK(nl_edits_set_attribute_int(edits, 0, "u", 0, -1, NULL)); // the last word counts
  OK(nl_edits_set_attribute_int(edits, 0, "i", NL_NONE, 6, NULL));
  OK(nl_edits_set_attribute_int(edits, 0, "z", NL_NONE, 9, NULL));
  assert_int_equal(nl_edits_set_attribute_int(edits, 0, "i", 0, 6, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_edits_set_attribute_int(edits, 0, "p", 2, 6, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_edits_set_attribute_int(edits, 0, "p", NL_NONE, 6, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_edits_set_attribute_int(edits, 0, "f", NL_NONE, 6, NULL), NL_ERROR_ARGUMENT);
  assert_int_equal(nl_edits_set_attribute_int(edits, 0, "none", NL_NONE, 6, NULL), NL_ERROR_ARGUMENT);
  nl_graph *edited = write_and_read(graph, edits, &out);
  const nl_node *node = &edited->nodes[0];
  assert_int_equal(nl_node_attribute(node, "p")->ints[0], 5),
      assert_int_equal(nl_node_attribute(node, "p")->ints[1], 300);
  assert_int_equal(nl_node_attribute(node, "u")->ints[0], -1),
      assert_int_equal(nl_node_attribute(node, "u")->ints[1], -7);
  assert_int_equal(nl_node_int(node, "i", 0), 6), assert_int_equal(nl_node_int(node, "z", 0), 9);
  const nl_span before = field_of(field_of(span_of(&m.bytes), 7, 0), 1, 0),
                after = field_of(field_of(span_of(&out), 7, 0), 1, 0);
  assert_same_fields(before, after, (uint32_t[]){5}, 1);
  assert_same_fields(field_of(before, 5, 0), field_of(after, 5, 0), (uint32_t[]){8}, 1);
  assert_same_fields(field_of(before, 5, 1), field_of(after, 5, 1), (uint32_t[]){8}, 1);
  assert_same_fields(field_of(before, 5, 2), field_of(after, 5, 2), (uint32_t[]){3}, 1);
  assert_same_fields(field_of(before, 5, 4), field_of(after, 5, 4), NULL, 0);
  assert_int_equal(field_of(field_of(after, 5, 0), 8, 0).size, 3); // still packed
  nl_graph_free(edited), nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void whole_numbers_stay_exact(void **state) {
  (void)state;
  message m = numbered_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  nl_buffer out = {0};
  OK(nl_edits_create(&edits, graph, NULL));
  OK(nl_edits_set_integers(edits, 0, 1, 1, (int64_t[]){3}, (int64_t[]){INT64_MAX - 1, 4, INT64_MIN + 1}, NULL));
  assert_int_equal(nl_edits_set_integers(edits, 0, 0, 1, (int64_t[]){0}, NULL, NULL), NL_ERROR_ARGUMENT);
  nl_graph *edited = write_and_read(graph, edits, &out);
  int64_t numbers[3];
  OK(nl_tensor_read_int(constant_of(edited, "n", 1), numbers, NULL));
  assert_int_equal(numbers[0], INT64_MAX - 1), assert_int_equal(numbers[1], 4),
      assert_int_equal(numbers[2], INT64_MIN + 1);
  assert_int_equal(constant_of(edited, "n", 1)->type, NL_TYPE_I64);
  nl_graph_free(edited), nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

// Three nodes read "w"; the edits are given by the test.
static message shared_model(void) {
  message m = {0};
  open_model(&m);
  node(&m, "Mul", "n0", "x w", "a"), node(&m, "Mul", "n1", "a w", "b"), node(&m, "Mul", "n2", "b w", "y");
  initializer(&m, "w", 1, (int64_t[]){3}, B1);
  output_y(&m), close_model(&m);
  return m;
}

static nl_graph *edit_shared(const double *const values[3], nl_buffer *out) {
  message m = shared_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  OK(nl_edits_create(&edits, graph, NULL));
  for (size_t n = 0; n < 3; n++) {
    if (values[n] != NULL) OK(nl_edits_set_constant(edits, n, 1, 0, 1, (int64_t[]){2}, values[n], NULL));
  }
  nl_graph *edited = write_and_read(graph, edits, out);
  nl_edits_free(edits), nl_graph_free(graph), nl_buffer_free(&m.bytes);
  return edited;
}

static void a_shared_tensor_is_copied_only_for_those_who_change_it(void **state) {
  (void)state;
  static const double a[] = {1, 2}, same[] = {1, 2}, b[] = {3, 4}, old[] = {.5, -.5, 0};
  nl_buffer out = {0};
  nl_graph *edited = edit_shared((const double *const[]){a, NULL, same}, &out); // one keeps the old
  assert_int_equal(edited->tensor_count, 2);
  assert_tensor(edited, "n0", 1, 2, a), assert_tensor(edited, "n1", 1, 3, old), assert_tensor(edited, "n2", 1, 2, a);
  nl_graph_free(edited), nl_buffer_free(&out);
  edited = edit_shared((const double *const[]){a, same, a}, &out); // all say the same
  assert_int_equal(edited->tensor_count, 1);
  assert_span(edited->tensors[0].name, "w");
  assert_tensor(edited, "n2", 1, 2, a);
  nl_graph_free(edited), nl_buffer_free(&out);
  edited = edit_shared((const double *const[]){a, b, b}, &out); // all change, in two ways
  assert_int_equal(edited->tensor_count, 2);
  assert_tensor(edited, "n0", 1, 2, a), assert_tensor(edited, "n1", 1, 2, b), assert_tensor(edited, "n2", 1, 2, b);
  nl_graph_free(edited), nl_buffer_free(&out);
}

static void a_constant_that_is_an_output_too_keeps_its_numbers(void **state) {
  (void)state;
  message m = {0};
  open_model(&m);
  node(&m, "Mul", "n", "x w", "y"), initializer(&m, "w", 1, (int64_t[]){3}, B1);
  output_y(&m), info(&m, 12, "w", 1, (int64_t[]){3}), close_model(&m);
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  nl_buffer out = {0};
  OK(nl_edits_create(&edits, graph, NULL));
  OK(nl_edits_set_constant(edits, 0, 1, 0, 1, (int64_t[]){1}, (double[]){5}, NULL));
  nl_graph *edited = write_and_read(graph, edits, &out);
  assert_tensor(edited, "n", 1, 1, (double[]){5});
  assert_int_equal(edited->tensors[edited->values[value_named(edited, "w")].tensor].count, 3);
  nl_graph_free(edited), nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void setting_a_constant_twice_keeps_the_later(void **state) {
  (void)state;
  message m = shared_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  nl_buffer out = {0};
  OK(nl_edits_create(&edits, graph, NULL));
  OK(nl_edits_set_constant(edits, 1, 1, 0, 1, (int64_t[]){1}, (double[]){5}, NULL));
  OK(nl_edits_set_constant(edits, 1, 1, 0, 1, (int64_t[]){2}, (double[]){6, 7}, NULL));
  nl_graph *edited = write_and_read(graph, edits, &out);
  assert_tensor(edited, "n1", 1, 2, (double[]){6, 7});
  nl_graph_free(edited), nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void constants_in_nodes_are_rewritten_in_place(void **state) {
  (void)state;
  message m = constants_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  nl_buffer out = {0};
  OK(nl_edits_create(&edits, graph, NULL));
  const size_t sum = node_named(graph, "sum");
  OK(nl_edits_set_constant(edits, sum, 1, 0, 1, (int64_t[]){3}, (double[]){1, 2, 3}, NULL));
  OK(nl_edits_set_constant(edits, sum, 3, 0, 1, (int64_t[]){2}, (double[]){-1, 64}, NULL));
  OK(nl_edits_set_constant(edits, sum, 4, 0, 2, (int64_t[]){1, 1}, (double[]){9}, NULL));
  nl_graph *edited = write_and_read(graph, edits, &out);
  assert_int_equal(edited->node_count, graph->node_count);
  assert_tensor(edited, "sum", 1, 3, (double[]){1, 2, 3});
  assert_tensor(edited, "sum", 2, 1, (double[]){3});
  assert_tensor(edited, "sum", 3, 2, (double[]){-1, 64});
  assert_tensor(edited, "sum", 4, 1, (double[]){9});
  assert_int_equal(constant_of(edited, "sum", 3)->type, NL_TYPE_I64);
  nl_graph_free(edited), nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void shapes_are_corrected_wherever_the_file_states_them(void **state) {
  (void)state;
  message m = {0};
  open_model(&m);
  node(&m, "MatMul", "fc", "x w", "h"), node(&m, "Relu", "act", "h", "y");
  initializer(&m, "w", 2, (int64_t[]){1, 3}, W2);
  info(&m, 11, "x", 2, (int64_t[]){-1, 1}), info(&m, 11, "w", 2, (int64_t[]){1, 3});
  info(&m, 13, "h", 3, (int64_t[]){-1, 4, 3}), info(&m, 12, "y", 2, (int64_t[]){-1, 3}), close_model(&m);
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  nl_buffer out = {0};
  OK(nl_edits_create(&edits, graph, NULL));
  OK(nl_edits_set_constant(edits, 0, 1, 0, 2, (int64_t[]){1, 2}, (double[]){1, 2}, NULL));
  OK(nl_edits_resize_value(edits, value_named(graph, "h"), 1, 2, NULL));
  OK(nl_edits_resize_value(edits, value_named(graph, "y"), 1, 2, NULL));
  nl_graph *edited = write_and_read(graph, edits, &out);
  static const struct {
    const char *name;
    size_t rank;
    int64_t dims[3];
  } expected[] = {{"h", 3, {-1, 4, 2}}, {"y", 2, {-1, 2}}, {"w", 2, {1, 2}}};
  for (size_t i = 0; i < 3; i++) {
    const nl_value *value = &edited->values[value_named(edited, expected[i].name)];
    assert_int_equal(value->rank, expected[i].rank);
    assert_memory_equal(value->dims, expected[i].dims, value->rank * sizeof(int64_t));
  }
  assert_int_equal(edited->input_count, 1);
  nl_graph_free(edited), nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void metadata_is_added_and_replaced(void **state) {
  (void)state;
  message m = small_model();
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_edits *edits;
  nl_buffer out = {0};
  OK(nl_edits_create(&edits, graph, NULL));
  OK(nl_edits_set_metadata(edits, "author", "another", NULL));
  OK(nl_edits_set_metadata(edits, "netlump.method", "first", NULL));
  OK(nl_edits_set_metadata(edits, "netlump.method", "projected", NULL));
  nl_graph *edited = write_and_read(graph, edits, &out);
  assert_true(edited->has_netlump_metadata);
  const char *const expected[2][2] = {{"author", "another"}, {"netlump.method", "projected"}};
  for (size_t i = 0; i < 2; i++) {
    const nl_span entry = field_of(span_of(&out), 14, i);
    assert_span(field_of(entry, 1, 0), expected[i][0]), assert_span(field_of(entry, 2, 0), expected[i][1]);
  }
  assert_same_fields(span_of(&m.bytes), span_of(&out), (uint32_t[]){14}, 1);
  nl_graph_free(edited), nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void a_built_model_reads_back(void **state) {
  (void)state;
  nl_onnx_builder *b;
  nl_buffer out = {0};
  OK(nl_onnx_builder_create(&b, "tests", "net", 13, NULL));
  OK(nl_onnx_builder_input(b, "x", 2, (int64_t[]){-1, 2}, NULL)),
      OK(nl_onnx_builder_output(b, "y", 2, (int64_t[]){-1, 1}, NULL));
  OK(nl_onnx_builder_tensor(b, "w", 2, (int64_t[]){1, 2}, (double[]){1, 2}, NULL));
  OK(nl_onnx_builder_node(b, "Gemm", "fc", 2, (const char *const[]){"x", "w"}, "h", 1, (const char *const[]){"transB"},
                          (int64_t[]){1}, 1, (const char *const[]){"alpha"}, (double[]){0.5}, NULL));
  OK(nl_onnx_builder_node(b, "Relu", "act", 1, (const char *const[]){"h"}, "y", 0, NULL, NULL, 0, NULL, NULL, NULL));
  OK(nl_onnx_builder_finish(b, &out, NULL));
  nl_onnx_builder_free(b);
  nl_graph *graph = read_bytes(span_of(&out));
  assert_int_equal(graph->node_count, 2), assert_int_equal(graph->opset, 13);
  assert_true(nl_node_float(&graph->nodes[0], "alpha", 1) == 0.5 && nl_node_int(&graph->nodes[0], "transB", 0) == 1);
  assert_tensor(graph, "fc", 1, 2, (double[]){1, 2});
  assert_int_equal(graph->values[graph->inputs[0]].dims[0], -1);
  nl_graph_free(graph), nl_buffer_free(&out);
}

// ---- whole files -------------------------------------------------------------------------------------------------------

// Reads, reads every tensor, writes without edits, edits every float constant to itself and reads the result again.
static void try_everything(nl_span source) {
  nl_graph *graph;
  nl_error error = {0};
  if (nl_onnx_read(&graph, source, &error) != NL_OK) {
    char sentence[600];
    assert_int_equal(error.status < NL_ERROR_MEMORY, 0);
    assert_true(nl_error_sentence(&error, "f", sentence, sizeof sentence) > 10);
    return;
  }
  nl_buffer out = {0}, edited = {0};
  nl_edits *edits;
  OK(nl_onnx_write(graph, NULL, &out, NULL));
  assert_int_equal(out.size, source.size);
  assert_memory_equal(out.bytes, source.bytes, source.size);
  OK(nl_edits_create(&edits, graph, NULL)), OK(nl_edits_set_metadata(edits, "netlump.test", "1", NULL));
  for (size_t n = 0; n < graph->node_count; n++) {
    for (size_t s = 0; s < graph->nodes[n].input_count; s++) {
      const nl_tensor *tensor = nl_node_constant(graph, &graph->nodes[n], s);
      if (tensor == NULL || !nl_type_is_float(tensor->type) ||
          (tensor->storage == NL_STORAGE_EXTERNAL && tensor->payload.bytes == NULL))
        continue;
      double *values = malloc((tensor->count + 1) * sizeof *values);
      OK(nl_tensor_read(tensor, values, NULL));
      OK(nl_edits_set_constant(edits, n, s, 0, tensor->rank, tensor->dims, values, NULL));
      free(values);
    }
  }
  if (nl_graph_missing_file(graph).size == 0) {
    nl_graph *again = write_and_read(graph, edits, &edited);
    assert_int_equal(again->node_count, graph->node_count);
    assert_int_equal(again->value_count, graph->value_count);
    assert_int_equal(again->tensor_count, graph->tensor_count);
    nl_graph_free(again);
  }
  nl_edits_free(edits), nl_graph_free(graph);
  nl_buffer_free(&out), nl_buffer_free(&edited);
}

static size_t files_seen, files_read;

static int visit(const char *path, const struct stat *about, int kind, struct FTW *level) {
  (void)about, (void)level;
  const size_t length = strlen(path);
  if (kind != FTW_F || length < 5 || strcmp(path + length - 5, ".onnx") != 0) return 0;
  const nl_span file = read_whole(path);
  nl_error error;
  files_seen++;
  files_read += status_of(file, &error) == NL_OK;
  if (error.status != NL_OK && strstr(path, "/broken/") == NULL)
    print_error("%s: status %d at %s: %s\n", path, (int)error.status, error.place, error.detail);
  try_everything(file);
  free((void *)file.bytes);
  return 0;
}

static void walk(const char *folder) {
  files_seen = files_read = 0;
  nftw(folder, visit, 16, FTW_PHYS);
  if (files_seen == 0) {
    print_message("%s is not here: skipped\n", folder);
    skip();
  }
}

static void every_model_of_the_material_reads_and_writes_back(void **state) {
  (void)state;
  walk("../shared/material/models");
  assert_int_equal(files_read, files_seen);
}
static void every_broken_file_gives_an_error_or_a_graph(void **state) {
  (void)state;
  walk("../shared/material/broken");
  assert_true(files_read < files_seen);
}
static void every_fixture_reads_and_writes_back(void **state) {
  (void)state;
  walk("tests/fixtures");
  assert_int_equal(files_read, files_seen);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_graph_says_what_the_file_says),
      cmocka_unit_test(nodes_in_any_order_are_sorted),
      cmocka_unit_test(each_defect_is_named_with_its_place),
      cmocka_unit_test(a_cycle_is_named_by_a_node_on_it),
      cmocka_unit_test(a_model_without_opset_is_refused),
      cmocka_unit_test(a_file_cut_anywhere_is_an_error_and_names_the_tensor_it_ends_in),
      cmocka_unit_test(a_file_with_any_byte_changed_is_refused_or_read),
      cmocka_unit_test(constant_nodes_are_tensors),
      cmocka_unit_test(subgraphs_use_the_outer_values_they_do_not_define),
      cmocka_unit_test(subgraphs_nested_too_deep_are_refused),
      cmocka_unit_test(external_data_is_attached_by_name_and_written_inside),
      cmocka_unit_test(external_paths_that_leave_the_folder_are_refused),
      cmocka_unit_test(without_edits_the_bytes_are_the_sources),
      cmocka_unit_test(editing_one_tensor_leaves_every_other_field_alone),
      cmocka_unit_test(a_left_out_input_becomes_an_initializer),
      cmocka_unit_test(numbers_of_a_node_are_edited_where_they_stand),
      cmocka_unit_test(whole_numbers_stay_exact),
      cmocka_unit_test(a_shared_tensor_is_copied_only_for_those_who_change_it),
      cmocka_unit_test(a_constant_that_is_an_output_too_keeps_its_numbers),
      cmocka_unit_test(setting_a_constant_twice_keeps_the_later),
      cmocka_unit_test(constants_in_nodes_are_rewritten_in_place),
      cmocka_unit_test(shapes_are_corrected_wherever_the_file_states_them),
      cmocka_unit_test(metadata_is_added_and_replaced),
      cmocka_unit_test(a_built_model_reads_back),
      cmocka_unit_test(every_fixture_reads_and_writes_back),
      cmocka_unit_test(every_model_of_the_material_reads_and_writes_back),
      cmocka_unit_test(every_broken_file_gives_an_error_or_a_graph),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
