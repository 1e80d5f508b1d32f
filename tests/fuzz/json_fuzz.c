// Whatever the text is: an error with a place, or ONNX bytes that read, and whose JSON gives the same ONNX again.
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "onnx.h"

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_sentence(const nl_error *error) {
  char sentence[700];
  REQUIRE(error->status >= NL_ERROR_MEMORY && nl_error_sentence(error, NULL, sentence, sizeof sentence) > 10);
}

static nl_span span_of(const nl_buffer *buffer) { return (nl_span){buffer->bytes, buffer->size}; }

static void require_same(const nl_buffer *a, const nl_buffer *b) {
  REQUIRE(a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0);
}

static void try_netlump(nl_span text) {
  nl_buffer onnx = {0}, json = {0}, again = {0};
  nl_graph *graph;
  nl_error error = {0};
  if (nl_json_read(text, &onnx, &error) != NL_OK) {
    require_sentence(&error);
    return;
  }
  REQUIRE(nl_onnx_read(&graph, span_of(&onnx), NULL) == NL_OK);
  REQUIRE(nl_json_write(graph, (nl_span){0}, &json, NULL) == NL_OK);
  REQUIRE(nl_json_read(span_of(&json), &again, NULL) == NL_OK);
  require_same(&again, &onnx);
  nl_buffer_free(&json);
  REQUIRE(nl_json_write(graph, text, &json, NULL) == NL_OK);
  nl_graph_free(graph);
  nl_buffer_free(&onnx);
  nl_buffer_free(&json);
  nl_buffer_free(&again);
}

static void try_brain(nl_span text) {
  nl_buffer onnx = {0}, json = {0}, again = {0};
  nl_graph *graph;
  nl_error error = {0};
  if (nl_brain_read(text, &onnx, &error) != NL_OK) {
    require_sentence(&error);
    return;
  }
  REQUIRE(nl_onnx_read(&graph, span_of(&onnx), NULL) == NL_OK);
  REQUIRE(nl_brain_write(graph, text, &json, NULL) == NL_OK);
  REQUIRE(nl_brain_read(span_of(&json), &again, NULL) == NL_OK);
  require_same(&again, &onnx);
  nl_graph_free(graph);
  nl_buffer_free(&onnx);
  nl_buffer_free(&json);
  nl_buffer_free(&again);
}

enum { FILE_BYTES = 16384 };

// All weights in all files: bytes that are small numbers as f32, and other numbers as other types.
static void fill(nl_json_files *files, uint8_t *bytes) {
  for (size_t i = 0; i < FILE_BYTES; i++) bytes[i] = i % 4 == 3 ? 0x3D : (uint8_t)(i * 37);
  for (size_t i = 0; i < files->count; i++) files->files[i].bytes = (nl_span){bytes, FILE_BYTES};
}

static void comes_back(nl_span text, const nl_json_files *files, const nl_buffer *onnx) {
  nl_buffer json = {0}, weights = {0}, again = {0};
  nl_graph *graph;
  nl_error error = {0};
  if (nl_onnx_read(&graph, span_of(onnx), &error) != NL_OK) { // a layer's name may be what ours are made of
    require_sentence(&error);
    return;
  }
  if (nl_tfjs_write(graph, text, files, &json, &weights, &error) == NL_OK) {
    nl_json_file file = {.bytes = {weights.size != 0 ? weights.bytes : (const uint8_t *)"", weights.size}};
    REQUIRE(nl_tfjs_read(span_of(&json), &(nl_json_files){1, &file}, &again, NULL) == NL_OK || files->count == 0);
    if (files->count != 0) require_same(&again, onnx);
  } else
    require_sentence(&error);
  nl_graph_free(graph);
  nl_buffer_free(&json);
  nl_buffer_free(&weights);
  nl_buffer_free(&again);
}

static void try_tfjs(nl_span text) {
  static uint8_t bytes[FILE_BYTES];
  nl_arena arena = {0};
  nl_json_files files = {0};
  nl_buffer onnx = {0};
  nl_error error = {0};
  nl_status status = nl_tfjs_files(text, &arena, &files, &error);
  if (status == NL_OK) {
    fill(&files, bytes);
    status = nl_tfjs_read(text, &files, &onnx, &error);
  }
  if (status == NL_OK)
    comes_back(text, &files, &onnx);
  else
    require_sentence(&error);
  nl_buffer_free(&onnx);
  nl_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const nl_span text = {data, size};
  nl_error error = {0};
  switch (nl_json_recognise(text)) {
  case NL_JSON_TFJS:
    try_tfjs(text);
    break;
  case NL_JSON_BRAIN:
    try_brain(text);
    break;
  case NL_JSON_FOREIGN:
    REQUIRE(nl_json_refuse(text, &error) == NL_ERROR_UNSUPPORTED);
    require_sentence(&error);
    break;
  default:
    try_netlump(text);
  }
  return 0;
}
