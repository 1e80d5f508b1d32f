// Whatever the text is: an error with a place, or ONNX bytes that read, and whose JSON gives the same ONNX again.
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "onnx.h"

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const nl_span text = {data, size};
  nl_buffer onnx = {0}, json = {0}, again = {0};
  nl_graph *graph;
  nl_error error = {0};
  nl_json_looks_right(text);
  if (nl_json_read(text, &onnx, &error) != NL_OK) {
    char sentence[700];
    REQUIRE(error.status >= NL_ERROR_MEMORY && nl_error_sentence(&error, NULL, sentence, sizeof sentence) > 10);
    return 0;
  }
  REQUIRE(nl_onnx_read(&graph, (nl_span){onnx.bytes, onnx.size}, NULL) == NL_OK);
  REQUIRE(nl_json_write(graph, (nl_span){0}, &json, NULL) == NL_OK);
  REQUIRE(nl_json_read((nl_span){json.bytes, json.size}, &again, NULL) == NL_OK);
  REQUIRE(again.size == onnx.size && memcmp(again.bytes, onnx.bytes, onnx.size) == 0);
  nl_buffer_free(&json);
  REQUIRE(nl_json_write(graph, text, &json, NULL) == NL_OK);
  nl_graph_free(graph);
  nl_buffer_free(&onnx);
  nl_buffer_free(&json);
  nl_buffer_free(&again);
  return 0;
}
