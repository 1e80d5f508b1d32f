// formats: what the tests of the formats share: cmocka, readers of files, and small models written field by field.
#ifndef TESTS_FORMATS_H
#define TESTS_FORMATS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onnx.h"
#include "wire.h"

#define OK(call) assert_int_equal((call), NL_OK)

static inline nl_span span(const char *text) { return (nl_span){(const uint8_t *)text, strlen(text)}; }

static inline void assert_span(nl_span found, const char *text) {
  if (!nl_span_is(found, text))
    fail_msg("“%.*s” where “%s” is expected", (int)found.size, (const char *)found.bytes, text);
}

// The whole file in memory of exactly its size, so that a sanitizer sees a step beyond.
static inline nl_span read_whole(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return (nl_span){0};
  fseek(file, 0, SEEK_END);
  const size_t size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(size != 0 ? size : 1);
  assert_int_equal(fread(bytes, 1, size, file), size);
  fclose(file);
  return (nl_span){bytes, size};
}

// A copy of exactly its size, the caller's.
static inline nl_span exact(nl_span bytes) {
  uint8_t *copy = malloc(bytes.size != 0 ? bytes.size : 1);
  if (bytes.size != 0) memcpy(copy, bytes.bytes, bytes.size);
  return (nl_span){copy, bytes.size};
}

// A copy with " for ', the caller's: JSON that can be read in C.
static inline char *quoted(const char *text) {
  char *copy = malloc(strlen(text) + 1);
  strcpy(copy, text);
  for (char *at = copy; *at != '\0'; at++)
    if (*at == '\'') *at = '"';
  return copy;
}

static inline nl_span span_of(const nl_buffer *buffer) { return (nl_span){buffer->bytes, buffer->size}; }

// ---- writing messages: begin ... end nest ----------------------------------------------------------------------------

typedef struct message {
  nl_buffer bytes;
  size_t marks[16];
  size_t depth;
} message;

static inline void begin(message *m, uint32_t number) {
  OK(nl_wire_begin(&m->bytes, number, &m->marks[m->depth++], NULL));
}
static inline void end(message *m) { OK(nl_wire_end(&m->bytes, m->marks[--m->depth], NULL)); }
static inline void text(message *m, uint32_t number, const char *value) {
  OK(nl_wire_put_text(&m->bytes, number, value, NULL));
}
static inline void integer(message *m, uint32_t number, int64_t value) {
  OK(nl_wire_put_int(&m->bytes, number, value, NULL));
}
static inline void bytes(message *m, uint32_t number, const void *data, size_t size) {
  OK(nl_wire_put_bytes(&m->bytes, number, (nl_span){data, size}, NULL));
}
static inline void dims(message *m, size_t rank, const int64_t *sizes) {
  for (size_t i = 0; i < rank; i++) integer(m, 1, sizes[i]);
}

// An input (11), output (12) or value_info (13) with a shape; -1 is the axis called "batch".
static inline void info(message *m, uint32_t number, const char *name, size_t rank, const int64_t *sizes) {
  begin(m, number), text(m, 1, name), begin(m, 2), begin(m, 1), integer(m, 1, NL_TYPE_F32), begin(m, 2);
  for (size_t i = 0; i < rank; i++) {
    begin(m, 1);
    if (sizes[i] < 0)
      text(m, 2, "batch");
    else
      integer(m, 1, sizes[i]);
    end(m);
  }
  end(m), end(m), end(m), end(m);
}

static inline void initializer(message *m, const char *name, size_t rank, const int64_t *sizes, const float *values) {
  size_t count = 1;
  for (size_t i = 0; i < rank; i++) count *= (size_t)sizes[i];
  begin(m, 5), dims(m, rank, sizes), integer(m, 2, NL_TYPE_F32), text(m, 8, name);
  bytes(m, 9, values, count * sizeof *values), end(m);
}

// inputs: names parted by blanks, "-" for one left out
static inline void open_node(message *m, const char *op, const char *name, const char *inputs, const char *output) {
  begin(m, 1);
  char copy[200];
  strcpy(copy, inputs);
  for (char *at = strtok(copy, " "); at != NULL; at = strtok(NULL, " ")) text(m, 1, strcmp(at, "-") == 0 ? "" : at);
  text(m, 2, output), text(m, 3, name), text(m, 4, op);
}
static inline void node(message *m, const char *op, const char *name, const char *inputs, const char *output) {
  open_node(m, op, name, inputs, output);
  end(m);
}

// Attributes of an open node.
static inline void ints(message *m, const char *name, size_t count, const int64_t *values) {
  begin(m, 5), text(m, 1, name);
  for (size_t i = 0; i < count; i++) integer(m, 8, values[i]);
  integer(m, 20, NL_ATTRIBUTE_INTS), end(m);
}
static inline void one(message *m, const char *name, int64_t value) {
  begin(m, 5), text(m, 1, name), integer(m, 3, value), integer(m, 20, NL_ATTRIBUTE_INT), end(m);
}
static inline void real(message *m, const char *name, float value) {
  begin(m, 5), text(m, 1, name), OK(nl_wire_put_float(&m->bytes, 2, value, NULL));
  integer(m, 20, NL_ATTRIBUTE_FLOAT), end(m);
}
static inline void word(message *m, const char *name, const char *value) {
  begin(m, 5), text(m, 1, name), text(m, 4, value), integer(m, 20, NL_ATTRIBUTE_STRING), end(m);
}
// An initializer of int64: a scalar (rank 0) or a vector.
static inline void whole(message *m, const char *name, size_t rank, size_t count, const int64_t *values) {
  begin(m, 5);
  if (rank == 1) integer(m, 1, (int64_t)count);
  integer(m, 2, NL_TYPE_I64), text(m, 8, name), bytes(m, 9, values, count * sizeof *values), end(m);
}
// Two arguments: how many, and the numbers.
#define SIZES(...)                                                                                                     \
  (sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t)), (const int64_t[]) { __VA_ARGS__ }

static inline void open_model(message *m) {
  integer(m, 1, 7), text(m, 2, "tests");
  begin(m, 7), text(m, 2, "graph");
}
static inline void close_model(message *m) { end(m), begin(m, 8), text(m, 1, ""), integer(m, 2, 13), end(m); }

static inline nl_graph *read_bytes(nl_span source) {
  nl_graph *graph = NULL;
  nl_error error = {0};
  if (nl_onnx_read(&graph, source, &error) != NL_OK) {
    char sentence[600];
    nl_error_sentence(&error, "the model", sentence, sizeof sentence);
    fail_msg("%s", sentence);
  }
  return graph;
}

static inline nl_status status_of(nl_span source, nl_error *error) {
  nl_graph *graph = NULL;
  *error = (nl_error){0};
  const nl_status status = nl_onnx_read(&graph, source, error);
  nl_graph_free(graph);
  return status;
}

static inline size_t value_named(const nl_graph *graph, const char *name) {
  for (size_t v = 0; v < graph->value_count; v++) {
    if (nl_span_is(graph->values[v].name, name)) return v;
  }
  return NL_NONE;
}

static inline size_t node_named(const nl_graph *graph, const char *name) {
  for (size_t n = 0; n < graph->node_count; n++) {
    if (nl_span_is(graph->nodes[n].name, name)) return n;
  }
  return NL_NONE;
}

#endif
