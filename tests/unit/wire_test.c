#include "formats.h"

static uint64_t only_value(const nl_buffer *buffer) {
  nl_wire wire = nl_wire_open(span_of(buffer));
  nl_field field;
  assert_true(nl_wire_next(&wire, &field));
  const uint64_t value = field.value;
  assert_false(nl_wire_next(&wire, &field));
  OK(nl_wire_close(&wire, (nl_span){0}, NULL));
  return value;
}

static void every_width_of_varint_reads_back(void **state) {
  (void)state;
  for (unsigned bit = 0; bit < 64; bit++) {
    for (int64_t step = -1; step <= 1; step++) {
      nl_buffer buffer = {0};
      const uint64_t value = (UINT64_C(1) << bit) + (uint64_t)step;
      OK(nl_wire_put_int(&buffer, 3, (int64_t)value, NULL));
      assert_true(only_value(&buffer) == value);
      nl_buffer_free(&buffer);
    }
  }
}

static void field_spans_put_together_are_the_message(void **state) {
  (void)state;
  message m = {0};
  integer(&m, 1, -7), text(&m, 2, "name"), OK(nl_wire_put_float(&m.bytes, 300, 2.5f, NULL));
  begin(&m, 4), begin(&m, 1), bytes(&m, 1, m.bytes.bytes, m.bytes.size), end(&m), end(&m), text(&m, 536870911, "");
  nl_buffer again = {0};
  nl_wire wire = nl_wire_open(span_of(&m.bytes));
  size_t fields = 0;
  for (nl_field field; nl_wire_next(&wire, &field); fields++) OK(nl_wire_put_field(&again, &field, NULL));
  OK(nl_wire_close(&wire, (nl_span){0}, NULL));
  assert_int_equal(fields, 5);
  assert_int_equal(again.size, m.bytes.size);
  assert_memory_equal(again.bytes, m.bytes.bytes, again.size);
  nl_buffer_free(&again);
  nl_buffer_free(&m.bytes);
}

static void nested_lengths_are_right_when_they_take_several_bytes(void **state) {
  (void)state;
  for (size_t size = 0; size < 40000; size = size * 2 + 1) {
    message m = {0};
    uint8_t *content = calloc(1, size + 1);
    begin(&m, 1), begin(&m, 2), bytes(&m, 3, content, size), end(&m), end(&m);
    nl_span inner = span_of(&m.bytes);
    for (uint32_t number = 1; number <= 3; number++) {
      nl_wire wire = nl_wire_open(inner);
      nl_field field;
      assert_true(nl_wire_next(&wire, &field));
      assert_int_equal(field.tag, NL_TAG(number, NL_WIRE_BYTES));
      assert_ptr_equal(wire.at, wire.end);
      inner = field.bytes;
    }
    assert_int_equal(inner.size, size);
    free(content);
    nl_buffer_free(&m.bytes);
  }
}

static nl_wire_fault fault_of(const char *data, size_t size) {
  const nl_span source = exact((nl_span){(const uint8_t *)data, size});
  nl_wire wire = nl_wire_open(source);
  for (nl_field field; nl_wire_next(&wire, &field);) continue;
  free((void *)source.bytes);
  return wire.fault;
}

static void damage_is_told_from_a_short_message(void **state) {
  (void)state;
  assert_int_equal(fault_of("", 0), NL_WIRE_FINE);
  assert_int_equal(fault_of("\x08", 1), NL_WIRE_SHORT);         // varint missing
  assert_int_equal(fault_of("\x08\x80\x80", 3), NL_WIRE_SHORT); // varint unfinished
  assert_int_equal(fault_of("\x0A\x05"
                            "abcd",
                            6),
                   NL_WIRE_SHORT);
  assert_int_equal(fault_of("\x0D"
                            "abc",
                            4),
                   NL_WIRE_SHORT);
  assert_int_equal(fault_of("\x09"
                            "abcdefg",
                            8),
                   NL_WIRE_SHORT);
  assert_int_equal(fault_of("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11), NL_WIRE_SHORT); // length 2^64 - 1
  assert_int_equal(fault_of("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 11), NL_WIRE_BAD);   // 65 bits
  assert_int_equal(fault_of("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12), NL_WIRE_BAD);
  assert_int_equal(fault_of("\x0B\x0C", 2), NL_WIRE_BAD); // a group
  assert_int_equal(fault_of("\x0E\x00", 2), NL_WIRE_BAD); // wire type 6
  assert_int_equal(fault_of("\x02\x00", 2), NL_WIRE_BAD); // field number 0
}

static void repeated_numbers_read_alike_packed_and_not(void **state) {
  (void)state;
  message m = {0};
  integer(&m, 1, 5), bytes(&m, 1, "\x06\x07\x80\x01", 4), text(&m, 2, "other"), bytes(&m, 1, "", 0), integer(&m, 1, 9);
  static const uint64_t expected[] = {5, 6, 7, 128, 9};
  size_t count;
  OK(nl_elements_count(span_of(&m.bytes), 1, NL_WIRE_VARINT, &count, (nl_span){0}, NULL));
  assert_int_equal(count, 5);
  nl_elements elements = nl_elements_open(span_of(&m.bytes), 1, NL_WIRE_VARINT);
  uint64_t bits;
  for (size_t i = 0; i < count; i++) {
    assert_true(nl_elements_next(&elements, &bits));
    assert_true(bits == expected[i]);
  }
  assert_false(nl_elements_next(&elements, &bits));
  nl_buffer_free(&m.bytes);
}

static void a_packed_run_that_breaks_off_is_an_error(void **state) {
  (void)state;
  message m = {0};
  bytes(&m, 4, "\0\0\x80\x3F\0\0", 6);
  size_t count;
  nl_error error = {0};
  assert_int_equal(nl_elements_count(span_of(&m.bytes), 4, NL_WIRE_FIXED32, &count, span("w"), &error),
                   NL_ERROR_MALFORMED);
  assert_string_equal(error.place, "w");
  nl_buffer_free(&m.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_width_of_varint_reads_back),
      cmocka_unit_test(field_spans_put_together_are_the_message),
      cmocka_unit_test(nested_lengths_are_right_when_they_take_several_bytes),
      cmocka_unit_test(damage_is_told_from_a_short_message),
      cmocka_unit_test(repeated_numbers_read_alike_packed_and_not),
      cmocka_unit_test(a_packed_run_that_breaks_off_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
