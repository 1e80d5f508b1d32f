#include "formats.h"

static void says(nl_error error, const char *file, const char *expected) {
  char sentence[700];
  const size_t length = nl_error_sentence(&error, file, sentence, sizeof sentence);
  assert_string_equal(sentence, expected);
  assert_int_equal(length, strlen(expected));
}

static void the_sentences_of_the_design_come_out_word_for_word(void **state) {
  (void)state;
  nl_error e = {0};
  nl_fail(&e, NL_ERROR_NOT_A_MODEL, NULL, "a PNG image, not a model. Choose a .onnx or .json file");
  says(e, "digits.png", "digits.png is a PNG image, not a model. Choose a .onnx or .json file.");
  e = (nl_error){0};
  nl_fail_count(&e, NL_ERROR_TRUNCATED, "fc2.weight", 401408, 262144);
  says(e, NULL,
       "This file ends early in tensor “fc2.weight”: 401,408 bytes expected, 262,144 found. Download it again.");
  e = (nl_error){0};
  nl_fail_count(&e, NL_ERROR_TRUNCATED, "w", UINT64_MAX, 0);
  says(e, "a", "a ends early in tensor “w”: 18,446,744,073,709,551,615 bytes expected, 0 found. Download it again.");
  e = (nl_error){0};
  nl_fail(&e, NL_ERROR_EXTERNAL, "model.onnx.data", NULL);
  says(e, "model.onnx", "The weights are in model.onnx.data. Drop both files together.");
  e = (nl_error){0};
  nl_fail(&e, NL_ERROR_JSON, "layers[2].weights[7]", "63 numbers, 64 expected");
  says(e, "net.json", "net.json cannot be read as a network in JSON at layers[2].weights[7]: 63 numbers, 64 expected.");
}

static void a_part_without_its_fact_is_left_out(void **state) {
  (void)state;
  says((nl_error){.status = NL_ERROR_TRUNCATED, .expected = 2, .found = 0}, "a.onnx",
       "a.onnx ends early: 2 bytes expected, 0 found. Download it again.");
  says((nl_error){.status = NL_ERROR_GIT_LFS}, "a.onnx",
       "a.onnx is a Git LFS pointer, not the model. Download the full file, or run “git lfs pull”.");
  says((nl_error){.status = NL_ERROR_CYCLE}, NULL,
       "The network runs in a circle, so it cannot be evaluated. Export the model again.");
}

static void every_status_has_a_sentence_of_its_own(void **state) {
  (void)state;
  static const nl_status all[] = {NL_ERROR_MEMORY,      NL_ERROR_CANCELLED,  NL_ERROR_ARGUMENT,    NL_ERROR_EMPTY,
                                  NL_ERROR_NOT_A_MODEL, NL_ERROR_GIT_LFS,    NL_ERROR_TRUNCATED,   NL_ERROR_MALFORMED,
                                  NL_ERROR_UNSUPPORTED, NL_ERROR_EXTERNAL,   NL_ERROR_LIMIT,       NL_ERROR_SHAPE,
                                  NL_ERROR_DANGLING,    NL_ERROR_CYCLE,      NL_ERROR_NOT_FINITE,  NL_ERROR_JSON,
                                  NL_ERROR_NO_SITE,     NL_ERROR_NOTHING_AT, NL_ERROR_UNREACHABLE, NL_ERROR_DATA};
  enum { COUNT = sizeof all / sizeof all[0] };
  char sentences[COUNT][700];
  for (size_t i = 0; i < COUNT; i++) {
    const nl_error error = {.status = all[i], .place = "fc2", .detail = "the reason", .expected = 1234567, .found = 1};
    assert_true(nl_error_sentence(&error, "f", sentences[i], sizeof sentences[i]) > 10);
    assert_null(strpbrk(sentences[i], "[]{}|"));
    assert_null(strstr(sentences[i], "Something went wrong"));
    assert_int_equal(sentences[i][strlen(sentences[i]) - 1], '.');
    for (size_t k = 0; k < i; k++) assert_string_not_equal(sentences[i], sentences[k]);
  }
}

static void the_first_error_wins(void **state) {
  (void)state;
  nl_error error = {0};
  assert_int_equal(nl_fail(&error, NL_ERROR_CYCLE, "first", NULL), NL_ERROR_CYCLE);
  assert_int_equal(nl_fail(&error, NL_ERROR_SHAPE, "second", "x"), NL_ERROR_SHAPE);
  assert_int_equal(error.status, NL_ERROR_CYCLE);
  assert_string_equal(error.place, "first");
  assert_int_equal(nl_fail(NULL, NL_ERROR_DATA, "x", NULL), NL_ERROR_DATA);
}

static void names_that_are_not_clean_text_become_question_marks(void **state) {
  (void)state;
  nl_error error = {0};
  nl_fail_span(&error, NL_ERROR_CYCLE, (nl_span){(const uint8_t *)"a\x1b[31m\xFF\xC3\xA9\xC3\xED\xA0\x80z\x7F", 15},
               NULL);
  assert_string_equal(error.place, "a?[31m?\xC3\xA9????z?");
}

static void a_long_name_is_cut_between_letters(void **state) {
  (void)state;
  char name[400];
  for (size_t i = 0; i < sizeof name; i += 2) memcpy(name + i, "\xC3\xA9", 2);
  nl_error error = {0};
  nl_fail_span(&error, NL_ERROR_CYCLE, (nl_span){(const uint8_t *)name, sizeof name}, NULL);
  assert_int_equal(strlen(error.place), NL_ERROR_TEXT - 2);
}

static void a_sentence_is_cut_to_its_room_and_terminated(void **state) {
  (void)state;
  const nl_error error = {.status = NL_ERROR_CYCLE, .place = "“”“”"};
  for (size_t room = 1; room < 120; room++) {
    char *sentence = malloc(room);
    const size_t length = nl_error_sentence(&error, NULL, sentence, room);
    assert_true(length < room);
    assert_int_equal(strlen(sentence), length);
    free(sentence);
  }
  assert_int_equal(nl_error_sentence(&error, NULL, NULL, 0), 0);
}

static void an_arena_gives_zeroed_aligned_memory_that_does_not_overlap(void **state) {
  (void)state;
  nl_arena arena = {0};
  uint8_t *taken[300];
  for (size_t i = 0; i < 300; i++) {
    const size_t size = i * i;
    taken[i] = nl_arena_take(&arena, size, 1);
    assert_non_null(taken[i]);
    assert_int_equal((uintptr_t)taken[i] % 16, 0);
    for (size_t k = 0; k < size; k++) assert_int_equal(taken[i][k], 0);
    memset(taken[i], (int)(i & 0xFF), size);
  }
  for (size_t i = 0; i < 300; i++) {
    for (size_t k = 0; k < i * i; k++) assert_int_equal(taken[i][k], i & 0xFF);
  }
  nl_arena_free(&arena);
  assert_non_null(nl_arena_take(&arena, 1, 1));
  nl_arena_free(&arena);
}

static void an_arena_refuses_products_that_overflow(void **state) {
  (void)state;
  nl_arena arena = {0};
  assert_null(nl_arena_take(&arena, SIZE_MAX / 2, 3));
  assert_null(nl_arena_take(&arena, SIZE_MAX, 1));
  nl_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_sentences_of_the_design_come_out_word_for_word),
      cmocka_unit_test(a_part_without_its_fact_is_left_out),
      cmocka_unit_test(every_status_has_a_sentence_of_its_own),
      cmocka_unit_test(the_first_error_wins),
      cmocka_unit_test(names_that_are_not_clean_text_become_question_marks),
      cmocka_unit_test(a_long_name_is_cut_between_letters),
      cmocka_unit_test(a_sentence_is_cut_to_its_room_and_terminated),
      cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_that_does_not_overlap),
      cmocka_unit_test(an_arena_refuses_products_that_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
