// status: the facts of an error, and the one table of sentences.
#include "status.h"

#include <stdbool.h>
#include <string.h>

// ---- recording -------------------------------------------------------------------------------------------------------

// Length of the UTF-8 sequence at `at`, 0 where it is not one.
static size_t sequence_length(const uint8_t *at, size_t left) {
  const uint8_t lead = at[0];
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : (lead & 0xF0) == 0xE0       ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
  if (length == 0 || length > left) return 0;
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && at[1] < 0xA0) return 0;
  if (lead == 0xED && at[1] > 0x9F) return 0; // surrogates
  if (lead == 0xF0 && at[1] < 0x90) return 0;
  if (lead == 0xF4 && at[1] > 0x8F) return 0;
  return length;
}

// Names come from files: what is not clean UTF-8 (or would steer a terminal) becomes '?', and a cut falls between letters.
static void copy_text(char dst[NL_ERROR_TEXT], const uint8_t *text, size_t size) {
  size_t used = 0;
  for (size_t i = 0; i < size;) {
    const size_t length = sequence_length(text + i, size - i);
    const size_t taken = length == 0 ? 1 : length;
    if (used + taken >= NL_ERROR_TEXT) break;
    const bool control =
        taken == 1 ? text[i] < 0x20 || text[i] == 0x7F : taken == 2 && text[i] == 0xC2 && text[i + 1] < 0xA0;
    if (length == 0 || control)
      dst[used++] = '?';
    else {
      memcpy(dst + used, text + i, taken);
      used += taken;
    }
    i += taken;
  }
  dst[used] = '\0';
}

static nl_span text_span(const char *text) { return (nl_span){(const uint8_t *)text, text == NULL ? 0 : strlen(text)}; }

static nl_status record(nl_error *error, nl_status status, nl_span place, nl_span detail, uint64_t expected,
                        uint64_t found) {
  if (error == NULL || error->status != NL_OK) return status;
  error->status = status;
  copy_text(error->place, place.bytes, place.size);
  copy_text(error->detail, detail.bytes, detail.size);
  error->expected = expected;
  error->found = found;
  return status;
}

nl_status nl_fail(nl_error *error, nl_status status, const char *place, const char *detail) {
  return record(error, status, text_span(place), text_span(detail), 0, 0);
}

nl_status nl_fail_span(nl_error *error, nl_status status, nl_span place, const char *detail) {
  return record(error, status, place, text_span(detail), 0, 0);
}

nl_status nl_fail_count(nl_error *error, nl_status status, const char *place, uint64_t expected, uint64_t found) {
  return record(error, status, text_span(place), (nl_span){0}, expected, found);
}

nl_status nl_fail_span_count(nl_error *error, nl_status status, nl_span place, uint64_t expected, uint64_t found) {
  return record(error, status, place, (nl_span){0}, expected, found);
}

// ---- sentences -------------------------------------------------------------------------------------------------------

// {file} {place} {detail} {expected} {found} stand for the facts; a part in [brackets] goes when a fact in it is empty,
// and [a|b] gives b then.
typedef struct sentence {
  nl_status status;
  const char *text;
} sentence;

static const sentence SENTENCES[] = {
    {NL_OK, "Done."},
    {NL_MORE, "There is more to do."},
    {NL_RUN, "A runtime is to run the model."},
    {NL_SHARE, "Other instances are to do their part."},
    {NL_ERROR_MEMORY, "There is not enough memory[: {expected} bytes are needed]. Close other pages or programs, or "
                      "choose a smaller model."},
    {NL_ERROR_CANCELLED, "Cancelled. The model is as it was."},
    {NL_ERROR_ARGUMENT, "[“{place}”|An argument] cannot be used[: {detail}]."},
    {NL_ERROR_EMPTY, "{file} is empty (0 bytes). Download or export the model again."},
    {NL_ERROR_NOT_A_MODEL, "{file} is [{detail}|something else, not a model. Choose a .onnx or .json file]."},
    {NL_ERROR_GIT_LFS,
     "{file} is a Git LFS pointer, not the model[ ({expected} bytes)]. Download the full file, or run “git lfs pull”."},
    {NL_ERROR_TRUNCATED,
     "{file} ends early[ in tensor “{place}”]: {expected?} bytes expected, {found?} found. Download it again."},
    {NL_ERROR_MALFORMED, "{file} cannot be read[ at “{place}”][: {detail}]. Download or export it again."},
    {NL_ERROR_UNSUPPORTED, "[“{place}”|{file}] is not supported[: {detail}]."},
    {NL_ERROR_EXTERNAL, "The weights are in [{place}|another file][, but {detail}|. Drop both files together]."},
    {NL_ERROR_LIMIT,
     "{file} is too large[ at {place}]: {found?} where {expected?} is the limit. Choose a smaller model."},
    {NL_ERROR_SHAPE, "The sizes do not fit[ at “{place}”][: {detail}]. Export the model again."},
    {NL_ERROR_DANGLING,
     "[“{place}”|The model] needs [“{detail}”|a value], which nothing in the model provides. Export the model again."},
    {NL_ERROR_CYCLE,
     "The network runs in a circle[ through “{place}”], so it cannot be evaluated. Export the model again."},
    {NL_ERROR_NOT_FINITE,
     "[“{place}”|The model] holds NaN or infinity. Train or export the model again, or leave those rows out."},
    {NL_ERROR_JSON, "{file} cannot be read as a network in JSON[ at {place}][: {detail}]."},
    {NL_ERROR_NO_SITE, "Nothing to lump here[: {detail}]."},
    {NL_ERROR_NOTHING_AT, "Nothing can be lumped[ at ε = {place}].[ {detail}.]"},
    {NL_ERROR_UNREACHABLE, "This target cannot be met.[ {detail}.]"},
    {NL_ERROR_DATA, "The data cannot be used[ at {place}][: {detail}]."},
};

typedef struct builder {
  char *dst;
  size_t capacity, used;
} builder;

static void put(builder *b, const char *text, size_t size) {
  for (size_t i = 0; i < size;) {
    const size_t length = sequence_length((const uint8_t *)text + i, size - i);
    const size_t taken = length == 0 ? 1 : length;
    if (b->capacity == 0 || b->used + taken >= b->capacity) return;
    memcpy(b->dst + b->used, text + i, taken);
    b->used += taken;
    i += taken;
  }
}

// 401408 -> "401,408"
static void put_number(builder *b, uint64_t number) {
  char digits[32];
  size_t at = sizeof digits, count = 0;
  do {
    if (count != 0 && count % 3 == 0) digits[--at] = ',';
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
    count++;
  } while (number != 0);
  put(b, digits + at, sizeof digits - at);
}

// Writes the fact called `name`; false when there is none. {expected?} writes a zero, {expected} counts it as none.
static bool put_fact(builder *b, const nl_error *error, const char *file, const char *name, size_t size) {
  const bool sure = name[size - 1] == '?';
  if (name[0] == 'e' || (name[0] == 'f' && name[1] == 'o')) {
    const uint64_t number = name[0] == 'e' ? error->expected : error->found;
    if (number == 0 && !sure) return false;
    put_number(b, number);
    return true;
  }
  const char *text = name[0] == 'p'                    ? error->place
                     : name[0] == 'd'                  ? error->detail
                     : file != NULL && file[0] != '\0' ? file
                                                       : "This file";
  put(b, text, strlen(text));
  return text[0] != '\0';
}

// Writes text up to `end`; false when a fact in it is empty.
static bool put_part(builder *b, const nl_error *error, const char *file, const char *text, const char *end) {
  bool whole = true;
  while (text < end) {
    const char *brace = text;
    while (brace < end && *brace != '{') brace++;
    put(b, text, (size_t)(brace - text));
    if (brace == end) break;
    const char *close = brace;
    while (*close != '}') close++;
    whole = put_fact(b, error, file, brace + 1, (size_t)(close - brace - 1)) && whole;
    text = close + 1;
  }
  return whole;
}

// text: "a" or "a|b" between brackets
static void put_choice(builder *b, const nl_error *error, const char *file, const char *text, const char *end) {
  const char *bar = text;
  while (bar < end && *bar != '|') bar++;
  const size_t before = b->used;
  if (put_part(b, error, file, text, bar)) return;
  b->used = before;
  if (bar < end) put_part(b, error, file, bar + 1, end);
}

static const char *sentence_for(nl_status status) {
  for (size_t i = 0; i < sizeof SENTENCES / sizeof SENTENCES[0]; i++) {
    if (SENTENCES[i].status == status) return SENTENCES[i].text;
  }
  return "Something went wrong[ at “{place}”][: {detail}].";
}

size_t nl_error_sentence(const nl_error *error, const char *file, char *dst, size_t capacity) {
  builder b = {dst, capacity, 0};
  const char *text = sentence_for(error->status);
  while (*text != '\0') {
    const size_t plain = strcspn(text, "[");
    put_part(&b, error, file, text, text + plain);
    text += plain;
    if (*text == '\0') break;
    const size_t inside = strcspn(text + 1, "]");
    put_choice(&b, error, file, text + 1, text + 1 + inside);
    text += inside + 2;
  }
  // Details are clauses or sentences; one full stop is enough.
  if (b.used >= 2 && b.dst[b.used - 1] == '.' && b.dst[b.used - 2] == '.') b.used--;
  if (capacity != 0) dst[b.used] = '\0';
  return b.used;
}
