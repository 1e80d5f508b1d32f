// json_parse: text -> cJSON, bounded, with the place of a mistake as line and column.
#include <string.h>

#include "json_parts.h"

enum { MOST_DEPTH = 32 };

void nl_json_put_text(char dst[96], const char *text) {
  const size_t used = strlen(dst), left = 95 - used, size = strlen(text) < left ? strlen(text) : left;
  memcpy(dst + used, text, size);
  dst[used + size] = '\0';
}

void nl_json_put_number(char dst[96], size_t number) {
  char digits[24];
  size_t at = sizeof digits - 1;
  digits[at] = '\0';
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  nl_json_put_text(dst, digits + at);
}

static size_t blank(nl_span text) {
  size_t at = text.size >= 3 && memcmp(text.bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
  while (at < text.size && (text.bytes[at] == ' ' || (text.bytes[at] >= '\t' && text.bytes[at] <= '\r'))) at++;
  return at;
}

static nl_status fail_position(nl_span text, size_t at, const char *detail, nl_error *error) {
  size_t line = 1, column = 1;
  for (size_t i = 0; i < at && i < text.size; i++) {
    column = text.bytes[i] == '\n' ? 1 : column + ((text.bytes[i] & 0xC0) != 0x80);
    line += text.bytes[i] == '\n';
  }
  char place[96] = "line ";
  nl_json_put_number(place, line);
  nl_json_put_text(place, ", column ");
  nl_json_put_number(place, column);
  return nl_fail(error, NL_ERROR_JSON, place, detail);
}

// cJSON recurses: nesting is bounded before it starts.
static nl_status check_depth(nl_span text, nl_error *error) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size; i++) {
    const uint8_t c = text.bytes[i];
    if (quoted && c == '\\')
      i++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '[' || c == '{') && ++depth > MOST_DEPTH)
      return fail_position(text, i, "brackets nest too deep", error);
    else if (!quoted && (c == ']' || c == '}') && depth != 0)
      depth--;
  }
  return NL_OK;
}

nl_status nl_json_parse(nl_span text, cJSON **root, nl_error *error) {
  if (text.size == 0) return nl_fail(error, NL_ERROR_EMPTY, NULL, NULL);
  if (text.size >= 3 && memcmp(text.bytes, "\xEF\xBB\xBF", 3) == 0)
    text = (nl_span){text.bytes + 3, text.size - 3}; // byte order mark
  if (text.size > NL_JSON_MOST_TEXT)
    return nl_fail_count(error, NL_ERROR_LIMIT, "bytes of JSON (ONNX has no such limit)", NL_JSON_MOST_TEXT, text.size);
  NL_TRY(check_depth(text, error));
  const char *end = NULL;
  *root = cJSON_ParseWithLengthOpts((const char *)text.bytes, text.size, &end, false);
  const size_t at = end == NULL ? 0 : (size_t)(end - (const char *)text.bytes);
  if (*root == NULL)
    return fail_position(text, at, at >= text.size - 1 ? "the text ends in the middle" : "this is not JSON", error);
  const nl_span rest = {text.bytes + at, text.size - at};
  const size_t next = at + blank(rest);
  if (next == text.size || text.bytes[next] == 0) return NL_OK;
  cJSON_Delete(*root);
  *root = NULL;
  return fail_position(text, next, "there is more text after the end", error);
}
