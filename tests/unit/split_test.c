// Models in two files: what is read by slices, what is written outside.
#include "formats.h"

enum { LONG = 300000 }; // floats, more than 2^20 bytes

static float weights[LONG + 8];

// ---- a network with two files of weights beside it ---------------------------------------------------------------------

static void external(message *m, const char *name, int64_t count, const char *file, const char *offset) {
  begin(m, 5), dims(m, 1, &count), integer(m, 2, NL_TYPE_F32), text(m, 8, name), text(m, 12, "doc");
  begin(m, 13), text(m, 1, "location"), text(m, 2, file), end(m);
  begin(m, 13), text(m, 1, "offset"), text(m, 2, offset), end(m);
  begin(m, 13), text(m, 1, "checksum"), text(m, 2, "0123"), end(m);
  begin(m, 13), text(m, 1, "note"), text(m, 2, "kept"), end(m);
  integer(m, 14, 1), end(m);
}

static void put_ports(message *m) { info(m, 11, "x", 1, (int64_t[]){1}), info(m, 12, "y", 1, (int64_t[]){-1}); }

// Add reads a (3, a.data) twice over, b (LONG, b.data), c (2, a.data at 12) and d (2, inside).
static message model(void) {
  message m = {0};
  open_model(&m);
  node(&m, "Add", "one", "x a", "h1"), node(&m, "Add", "two", "h1 a", "h2"), node(&m, "Add", "three", "h2 b", "h3");
  node(&m, "Add", "four", "h3 c", "h4"), node(&m, "Add", "five", "h4 d", "y");
  external(&m, "a", 3, "a.data", "0"), external(&m, "b", LONG, "sub/b.data", "8");
  external(&m, "c", 2, "a.data", "12"), initializer(&m, "d", 1, (int64_t[]){2}, (float[]){5, 6});
  put_ports(&m), close_model(&m);
  return m;
}

static nl_graph *open_whole(const message *m) {
  for (size_t i = 0; i < LONG + 8; i++) weights[i] = (float)i;
  nl_graph *graph = read_bytes(span_of(&m->bytes));
  OK(nl_graph_attach(graph, span("a.data"), (nl_span){(uint8_t *)weights, 20}, NULL));
  OK(nl_graph_attach(graph, span("sub/b.data"), (nl_span){(uint8_t *)weights, 8 + 4 * (size_t)LONG}, NULL));
  assert_int_equal(nl_graph_missing_file(graph).size, 0);
  return graph;
}

// What node `name` reads as its second input.
static const nl_tensor *second(const nl_graph *graph, const char *name) {
  const nl_tensor *tensor = nl_node_constant(graph, &graph->nodes[node_named(graph, name)], 1);
  assert_non_null(tensor);
  return tensor;
}

static nl_edits *new_edits(const nl_graph *graph) {
  nl_edits *edits;
  OK(nl_edits_create(&edits, graph, NULL));
  return edits;
}

static const char *const nodes[] = {"one", "two", "three", "four", "five"};

static void assert_equal_tensors(const nl_graph *a, const nl_graph *b) {
  for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
    const nl_tensor *left = second(a, nodes[i]), *right = second(b, nodes[i]);
    assert_int_equal(left->count, right->count);
    double *numbers = calloc(2 * left->count, sizeof *numbers);
    OK(nl_tensor_read(left, numbers, NULL)), OK(nl_tensor_read(right, numbers + left->count, NULL));
    assert_memory_equal(numbers, numbers + left->count, left->count * sizeof *numbers);
    free(numbers);
  }
}

// ---- writing -----------------------------------------------------------------------------------------------------------

static void above_the_limit_what_was_outside_stays_outside_in_one_file(void **state) {
  (void)state;
  message m = model();
  nl_graph *graph = open_whole(&m);
  nl_edits *edits = new_edits(graph);
  // c shrinks; one of the readers of a gets another, the other keeps the old
  OK(nl_edits_set_constant(edits, 3, 1, 0, 1, (int64_t[]){1}, (double[]){-7}, NULL));
  OK(nl_edits_set_constant(edits, 1, 1, 0, 1, (int64_t[]){3}, (double[]){9, 8, 7}, NULL));
  nl_weights_file file = {.name = span("small.onnx.data"), .limit = 1000000};
  nl_buffer inside = {0}, out = {0}, data = {0};
  OK(nl_onnx_write(graph, edits, &inside, NULL));
  OK(nl_onnx_write_split(graph, edits, &file, &out, NULL));
  OK(nl_weights_file_append(&file, &data, NULL));
  assert_int_equal(data.size, file.size);
  assert_true(out.size < 2000 && data.size > 4 * (size_t)LONG);
  nl_graph *split = read_bytes(span_of(&out)), *plain = read_bytes(span_of(&inside));
  assert_span(nl_graph_missing_file(split), "small.onnx.data");
  OK(nl_graph_attach(split, span("small.onnx.data"), span_of(&data), NULL));
  assert_int_equal(nl_graph_missing_file(split).size, 0);
  assert_equal_tensors(split, plain);
  for (size_t i = 0; i < 4; i++) {
    const nl_tensor *tensor = second(split, nodes[i]);
    assert_int_equal(tensor->storage, NL_STORAGE_EXTERNAL);
    assert_int_equal(tensor->offset % (tensor->count == LONG ? 4096 : 64), 0);
    assert_int_equal(tensor->length, 4 * tensor->count);
  }
  assert_int_equal(second(split, "five")->storage, NL_STORAGE_RAW);
  nl_graph_free(split), nl_graph_free(plain), nl_edits_free(edits), nl_graph_free(graph);
  nl_weights_file_free(&file), nl_buffer_free(&inside), nl_buffer_free(&out), nl_buffer_free(&data);
  nl_buffer_free(&m.bytes);
}

static bool holds(nl_span message, const char *text) {
  const size_t size = strlen(text);
  for (size_t i = 0; i + size <= message.size; i++)
    if (memcmp(message.bytes + i, text, size) == 0) return true;
  return false;
}

static void a_checksum_goes_and_other_entries_stay(void **state) {
  (void)state;
  message m = model();
  nl_graph *graph = open_whole(&m);
  nl_edits *edits = new_edits(graph);
  OK(nl_edits_set_metadata(edits, "k", "v", NULL));
  nl_weights_file file = {.name = span("w"), .limit = 1};
  nl_buffer out = {0};
  OK(nl_onnx_write_split(graph, edits, &file, &out, NULL));
  nl_graph *split = read_bytes(span_of(&out));
  for (size_t t = 0; t < 3; t++) {
    const nl_span message = split->tensors[t].message;
    assert_true(holds(message, "note") && holds(message, "kept") && holds(message, "doc"));
    assert_false(holds(message, "checksum") || holds(message, "0123") || holds(message, ".data"));
    assert_span(split->tensors[t].location, "w");
  }
  nl_graph_free(split), nl_edits_free(edits), nl_graph_free(graph);
  nl_weights_file_free(&file), nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

static void below_the_limit_and_without_edits_there_is_no_second_file(void **state) {
  (void)state;
  message m = model();
  nl_graph *graph = open_whole(&m);
  nl_edits *edits = new_edits(graph);
  nl_weights_file file = {.name = span("w"), .limit = 1};
  nl_buffer out = {0};
  OK(nl_onnx_write_split(graph, edits, &file, &out, NULL)); // nothing is edited
  assert_int_equal(file.size, 0);
  assert_int_equal(out.size, m.bytes.size);
  assert_memory_equal(out.bytes, m.bytes.bytes, out.size);
  OK(nl_edits_set_metadata(edits, "k", "v", NULL));
  for (size_t i = 0; i < 2; i++) {
    out.size = 0;
    file.limit = i == 0 ? 0 : 4 * (size_t)LONG + 3000;
    OK(nl_onnx_write_split(graph, edits, &file, &out, NULL));
    assert_int_equal(file.size, 0);
    nl_graph *plain = read_bytes(span_of(&out));
    assert_int_equal(nl_graph_missing_file(plain).size, 0);
    assert_equal_tensors(graph, plain);
    nl_graph_free(plain);
  }
  nl_edits_free(edits), nl_graph_free(graph);
  nl_weights_file_free(&file), nl_buffer_free(&out), nl_buffer_free(&m.bytes);
}

// A model in one file with an initializer of `size` bytes, all zeros, that nobody touches.
static nl_span huge_model(size_t size) {
  message m = {0};
  integer(&m, 1, 7), begin(&m, 8), text(&m, 1, ""), integer(&m, 2, 13), end(&m);
  message graph = {0}, tensor = {0};
  node(&graph, "Add", "one", "x w", "h"), node(&graph, "Add", "two", "h d", "y");
  initializer(&graph, "d", 1, (int64_t[]){2}, (float[]){5, 6});
  put_ports(&graph);
  dims(&tensor, 1, (int64_t[]){(int64_t)(size / 4)}), integer(&tensor, 2, NL_TYPE_F32), text(&tensor, 8, "w");
  OK(nl_wire_put_varint(&tensor.bytes, NL_TAG(9, NL_WIRE_BYTES), NULL));
  OK(nl_wire_put_varint(&tensor.bytes, size, NULL));
  OK(nl_wire_put_varint(&graph.bytes, NL_TAG(5, NL_WIRE_BYTES), NULL));
  OK(nl_wire_put_varint(&graph.bytes, tensor.bytes.size + size, NULL));
  OK(nl_buffer_append(&graph.bytes, tensor.bytes.bytes, tensor.bytes.size, NULL));
  OK(nl_wire_put_varint(&m.bytes, NL_TAG(7, NL_WIRE_BYTES), NULL));
  OK(nl_wire_put_varint(&m.bytes, graph.bytes.size + size, NULL));
  OK(nl_buffer_append(&m.bytes, graph.bytes.bytes, graph.bytes.size, NULL));
  uint8_t *whole = calloc(m.bytes.size + size, 1); // the zeros cost nothing until they are read
  assert_non_null(whole);
  memcpy(whole, m.bytes.bytes, m.bytes.size);
  const nl_span model = {whole, m.bytes.size + size};
  nl_buffer_free(&m.bytes), nl_buffer_free(&graph.bytes), nl_buffer_free(&tensor.bytes);
  return model;
}

static void what_protobuf_cannot_hold_moves_out(void **state) {
  (void)state;
  const nl_span source = huge_model((size_t)1 << 31);
  nl_graph *graph = read_bytes(source);
  nl_edits *edits = new_edits(graph);
  OK(nl_edits_set_metadata(edits, "k", "v", NULL));
  nl_weights_file file = {.name = span("w.data")};
  nl_buffer out = {0};
  OK(nl_onnx_write_split(graph, edits, &file, &out, NULL));
  assert_int_equal(file.size, (uint64_t)1 << 31);
  assert_int_equal(file.count, 1);
  assert_ptr_equal(file.pieces[0].bytes.bytes, graph->tensors[1].payload.bytes);
  nl_graph *split = read_bytes(span_of(&out));
  assert_int_equal(second(split, "one")->storage, NL_STORAGE_EXTERNAL);
  assert_int_equal(second(split, "two")->storage, NL_STORAGE_RAW); // too small to be worth it
  nl_graph_free(split), nl_edits_free(edits), nl_graph_free(graph);
  nl_weights_file_free(&file), nl_buffer_free(&out), free((void *)source.bytes);
}

// ---- reading by slices -------------------------------------------------------------------------------------------------

static void slices_give_what_whole_files_give(void **state) {
  (void)state;
  message m = model();
  nl_graph *whole = open_whole(&m), *sliced = read_bytes(span_of(&m.bytes));
  assert_int_equal(nl_graph_missing_bytes(sliced), 4 * (3 + LONG + 2));
  size_t slices = 0;
  nl_span kept[8];
  for (nl_span file; (file = nl_graph_missing_file(sliced)).size != 0; slices++) {
    assert_true(slices < 8);
    const nl_slice slice = nl_graph_missing_slice(sliced);
    const nl_span source = {(const uint8_t *)weights + slice.offset, (size_t)slice.size};
    kept[slices] = exact(source);
    OK(nl_graph_attach_slice(sliced, file, slice.offset, kept[slices], NULL));
  }
  assert_int_equal(slices, 2); // a and c come together
  assert_int_equal(nl_graph_missing_bytes(sliced), 0);
  assert_equal_tensors(whole, sliced);
  while (slices-- > 0) free((void *)kept[slices].bytes);
  nl_graph_free(whole), nl_graph_free(sliced), nl_buffer_free(&m.bytes);
}

static void far_tensors_come_in_slices_of_their_own(void **state) {
  (void)state;
  message m = {0};
  open_model(&m), node(&m, "Add", "one", "x a", "h"), node(&m, "Add", "two", "h b", "y");
  external(&m, "a", 3, "w", "5000000000"), external(&m, "b", 2, "w", "40"), put_ports(&m), close_model(&m);
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  nl_slice slice = nl_graph_missing_slice(graph);
  assert_int_equal(slice.offset, 40), assert_int_equal(slice.size, 8);
  OK(nl_graph_attach_slice(graph, span("w"), 40, (nl_span){(uint8_t *)weights, 8}, NULL));
  slice = nl_graph_missing_slice(graph);
  assert_int_equal(slice.offset, 5000000000), assert_int_equal(slice.size, 12);
  nl_error error = {0};
  assert_int_equal(nl_graph_attach_slice(graph, span("w"), slice.offset, (nl_span){(uint8_t *)weights, 11}, &error),
                   NL_ERROR_TRUNCATED);
  assert_int_equal(error.expected, 12), assert_int_equal(error.found, 11);
  assert_int_equal(nl_graph_attach_slice(graph, span("w"), slice.offset, (nl_span){NULL, 0}, NULL), NL_ERROR_TRUNCATED);
  OK(nl_graph_attach_slice(graph, span("w"), slice.offset, (nl_span){(uint8_t *)weights, 12}, NULL));
  assert_int_equal(nl_graph_missing_file(graph).size, 0);
  nl_graph_free(graph), nl_buffer_free(&m.bytes);
}

// Numbers of a type netlump does not read, without a length: all to the end of the file is theirs.
static void a_tensor_without_a_length_takes_the_rest(void **state) {
  (void)state;
  message m = {0};
  open_model(&m), node(&m, "Add", "one", "x a", "y");
  begin(&m, 5), dims(&m, 1, (int64_t[]){3}), integer(&m, 2, 22), text(&m, 8, "a");
  begin(&m, 13), text(&m, 1, "location"), text(&m, 2, "w"), end(&m);
  begin(&m, 13), text(&m, 1, "offset"), text(&m, 2, "64"), end(&m);
  integer(&m, 14, 1), end(&m), put_ports(&m), close_model(&m);
  nl_graph *graph = read_bytes(span_of(&m.bytes));
  const nl_slice slice = nl_graph_missing_slice(graph);
  assert_int_equal(slice.offset, 64), assert_true(slice.size == UINT64_MAX);
  OK(nl_graph_attach_slice(graph, span("w"), 64, (nl_span){(uint8_t *)weights, 2}, NULL));
  assert_int_equal(nl_graph_missing_file(graph).size, 0);
  assert_int_equal(graph->tensors[0].payload.size, 2);
  nl_graph_free(graph), nl_buffer_free(&m.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(above_the_limit_what_was_outside_stays_outside_in_one_file),
      cmocka_unit_test(a_checksum_goes_and_other_entries_stay),
      cmocka_unit_test(below_the_limit_and_without_edits_there_is_no_second_file),
      cmocka_unit_test(what_protobuf_cannot_hold_moves_out),
      cmocka_unit_test(slices_give_what_whole_files_give),
      cmocka_unit_test(far_tensors_come_in_slices_of_their_own),
      cmocka_unit_test(a_tensor_without_a_length_takes_the_rest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
