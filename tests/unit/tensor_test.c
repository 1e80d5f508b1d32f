#include "formats.h"

// A raw tensor over `payload`.
static nl_tensor raw(nl_type type, size_t count, const void *payload) {
  return (nl_tensor){.type = type,
                     .count = count,
                     .storage = NL_STORAGE_RAW,
                     .payload = {payload, count * nl_type_size(type)},
                     .node = NL_NONE};
}

static void all_sixteen_bit_patterns_survive(nl_type type) {
  uint16_t *patterns = malloc(65536 * sizeof *patterns), *again = malloc(65536 * sizeof *again);
  double *values = malloc(65536 * sizeof *values);
  for (size_t i = 0; i < 65536; i++) patterns[i] = (uint16_t)i;
  const nl_tensor tensor = raw(type, 65536, patterns);
  OK(nl_tensor_read(&tensor, values, NULL));
  nl_tensor_encode(type, values, 65536, (uint8_t *)again);
  for (size_t i = 0; i < 65536; i++) {
    if (!isnan(values[i]))
      assert_int_equal(again[i], patterns[i]);
    else {
      const double one = values[i];
      double back;
      const nl_tensor single = raw(type, 1, &again[i]);
      OK(nl_tensor_read(&single, &back, NULL));
      assert_true(isnan(one) && isnan(back));
    }
  }
  free(patterns), free(again), free(values);
}

static void every_f16_reads_and_writes_the_same(void **state) {
  (void)state, all_sixteen_bit_patterns_survive(NL_TYPE_F16);
}
static void every_bf16_reads_and_writes_the_same(void **state) {
  (void)state, all_sixteen_bit_patterns_survive(NL_TYPE_BF16);
}

static uint16_t encode16(nl_type type, double value) {
  uint16_t bits;
  nl_tensor_encode(type, &value, 1, (uint8_t *)&bits);
  return bits;
}

static void halves_round_to_nearest_even_in_one_step(void **state) {
  (void)state;
  assert_int_equal(encode16(NL_TYPE_F16, 1 + 0x1p-11), 0x3C00);           // tie, down to even
  assert_int_equal(encode16(NL_TYPE_F16, 1 + 3 * 0x1p-11), 0x3C02);       // tie, up to even
  assert_int_equal(encode16(NL_TYPE_F16, 1 + 0x1p-11 + 0x1p-40), 0x3C01); // by way of f32 it would be a tie
  assert_int_equal(encode16(NL_TYPE_F16, 65519.99), 0x7BFF);
  assert_int_equal(encode16(NL_TYPE_F16, 65520), 0x7C00);
  assert_int_equal(encode16(NL_TYPE_F16, -1e300), 0xFC00);
  assert_int_equal(encode16(NL_TYPE_F16, 0x1p-25), 0); // half of the smallest: tie to zero
  assert_int_equal(encode16(NL_TYPE_F16, 0x1.001p-25), 1);
  assert_int_equal(encode16(NL_TYPE_F16, 0x1.ffcp-15 + 0x1p-26), 0x0400); // rounds up into the normals
  assert_int_equal(encode16(NL_TYPE_F16, -0.0), 0x8000);
  assert_int_equal(encode16(NL_TYPE_BF16, 1 + 0x1p-8), 0x3F80);
  assert_int_equal(encode16(NL_TYPE_BF16, 1 + 0x1p-8 + 0x1p-50), 0x3F81);
  assert_int_equal(encode16(NL_TYPE_BF16, 3.4e38), 0x7F80);
  assert_int_equal(encode16(NL_TYPE_BF16, (double)NAN) & 0x7FC0, 0x7FC0);
}

static void f32_and_f64_keep_their_bits(void **state) {
  (void)state;
  static const float singles[] = {0.1f, -0.0f, 1e-45f, 3.4028235e38f, INFINITY};
  double values[5];
  float again[5];
  const nl_tensor tensor = raw(NL_TYPE_F32, 5, singles);
  OK(nl_tensor_read(&tensor, values, NULL));
  nl_tensor_encode(NL_TYPE_F32, values, 5, (uint8_t *)again);
  assert_memory_equal(again, singles, sizeof singles);
  nl_tensor_encode(NL_TYPE_F32, (const double[]){1e39}, 1, (uint8_t *)again);
  assert_true(isinf(again[0]));
  static const double doubles[] = {0.1, -0.0, 5e-324, 1.7e308};
  double doubles_again[4];
  nl_tensor_encode(NL_TYPE_F64, doubles, 4, (uint8_t *)doubles_again);
  assert_memory_equal(doubles_again, doubles, sizeof doubles);
}

static void integers_keep_their_signs(void **state) {
  (void)state;
  static const uint8_t bytes4[] = {0xFF, 0x80, 0x7F, 0x00};
  int64_t whole[4];
  double real[4];
  nl_tensor tensor = raw(NL_TYPE_I8, 4, bytes4);
  OK(nl_tensor_read_int(&tensor, whole, NULL));
  assert_int_equal(whole[0], -1), assert_int_equal(whole[1], -128);
  tensor = raw(NL_TYPE_U8, 4, bytes4);
  OK(nl_tensor_read(&tensor, real, NULL));
  assert_true(real[0] == 255 && real[1] == 128);
  tensor = raw(NL_TYPE_I16, 2, bytes4);
  OK(nl_tensor_read(&tensor, real, NULL));
  assert_true(real[0] == -32513 && real[1] == 127);
  static const int64_t longs[] = {INT64_MIN, -1};
  tensor = raw(NL_TYPE_I64, 2, longs);
  OK(nl_tensor_read_int(&tensor, whole, NULL));
  assert_true(whole[0] == INT64_MIN && whole[1] == -1);
  int64_t encoded[2];
  nl_tensor_encode(NL_TYPE_I64, (const double[]){-1, 64}, 2, (uint8_t *)encoded);
  assert_true(encoded[0] == -1 && encoded[1] == 64);
}

// A model whose one initializer "w" is written by the test.
static nl_graph *with_tensor(message *m, void (*fill)(message *)) {
  open_model(m);
  begin(m, 5), fill(m), text(m, 8, "w"), end(m);
  node(m, "Identity", "n", "w", "y"), info(m, 12, "y", 0, NULL);
  close_model(m);
  return read_bytes(span_of(&m->bytes));
}

static void f32_in_float_data(message *m) {
  static const float packed[] = {2, 3};
  dims(m, 1, (int64_t[]){4}), integer(m, 2, NL_TYPE_F32);
  OK(nl_wire_put_float(&m->bytes, 4, 1, NULL)), bytes(m, 4, packed, sizeof packed),
      OK(nl_wire_put_float(&m->bytes, 4, -4, NULL));
}
static void f16_in_int32_data(message *m) {
  bytes(m, 1, "\x02\x02", 2), integer(m, 2, NL_TYPE_F16), bytes(m, 5, "\x80\x78\x80\x80\x01\x00\x01", 7);
}
static void i32_in_int32_data(message *m) {
  dims(m, 1, (int64_t[]){2}), integer(m, 2, NL_TYPE_I32), integer(m, 5, -7), integer(m, 5, 8);
}
static void u64_in_uint64_data(message *m) {
  dims(m, 1, (int64_t[]){1}), integer(m, 2, NL_TYPE_U64), integer(m, 11, -1);
}
static void f64_in_double_data(message *m) {
  static const double packed[] = {0.1, -2};
  dims(m, 1, (int64_t[]){2}), integer(m, 2, NL_TYPE_F64), bytes(m, 10, packed, sizeof packed);
}
static void strings(message *m) {
  dims(m, 1, (int64_t[]){2}), integer(m, 2, NL_TYPE_STRING), text(m, 6, "a"), text(m, 6, "b");
}
static void unknown_type(message *m) { dims(m, 1, (int64_t[]){3}), integer(m, 2, 99), bytes(m, 9, "?", 1); }

static void typed(void (*fill)(message *), size_t count, const double *expected) {
  message m = {0};
  nl_graph *graph = with_tensor(&m, fill);
  double values[8];
  assert_int_equal(graph->tensors[0].count, count);
  assert_int_equal(graph->tensors[0].storage, NL_STORAGE_TYPED);
  OK(nl_tensor_read(&graph->tensors[0], values, NULL));
  for (size_t i = 0; i < count; i++) assert_true(values[i] == expected[i]);
  nl_graph_free(graph);
  nl_buffer_free(&m.bytes);
}

static void typed_data_reads_packed_and_one_by_one(void **state) {
  (void)state;
  typed(f32_in_float_data, 4, (double[]){1, 2, 3, -4});
  typed(f16_in_int32_data, 4, (double[]){1, 2, 0, 0x1p-24});
  typed(i32_in_int32_data, 2, (double[]){-7, 8});
  typed(u64_in_uint64_data, 1, (double[]){18446744073709551615.0});
  typed(f64_in_double_data, 2, (double[]){0.1, -2});
}

static void what_cannot_be_read_says_so_only_when_it_is_needed(void **state) {
  (void)state;
  void (*const fills[])(message *) = {strings, unknown_type};
  for (size_t i = 0; i < 2; i++) {
    message m = {0};
    nl_graph *graph = with_tensor(&m, fills[i]);
    double values[4];
    nl_error error = {0};
    assert_int_equal(nl_tensor_read(&graph->tensors[0], values, &error), NL_ERROR_UNSUPPORTED);
    assert_string_equal(error.place, "w");
    nl_graph_free(graph);
    nl_buffer_free(&m.bytes);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_f16_reads_and_writes_the_same),
      cmocka_unit_test(every_bf16_reads_and_writes_the_same),
      cmocka_unit_test(halves_round_to_nearest_even_in_one_step),
      cmocka_unit_test(f32_and_f64_keep_their_bits),
      cmocka_unit_test(integers_keep_their_signs),
      cmocka_unit_test(typed_data_reads_packed_and_one_by_one),
      cmocka_unit_test(what_cannot_be_read_says_so_only_when_it_is_needed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
