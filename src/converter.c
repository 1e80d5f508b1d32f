// converter: models of other formats -> ONNX, and back. It alone sees both sides of the door.
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "netlump.h"
#include "onnx.h"

struct nl_converter {
  nl_format format;
  nl_span source;
  nl_json_files files; // TFJS: the weights, some not given yet
  nl_arena arena;
};

// ---- to ONNX -----------------------------------------------------------------------------------------------------------

static nl_status recognise(nl_converter *converter, nl_error *error) {
  static const nl_format formats[] = {[NL_JSON_NONE] = NL_FORMAT_ONNX,
                                      [NL_JSON_NETLUMP] = NL_FORMAT_JSON,
                                      [NL_JSON_TFJS] = NL_FORMAT_TFJS,
                                      [NL_JSON_BRAIN] = NL_FORMAT_BRAIN};
  const nl_json_kind kind = nl_json_recognise(converter->source);
  if (kind == NL_JSON_FOREIGN) return nl_json_refuse(converter->source, error);
  converter->format = formats[kind];
  if (kind != NL_JSON_TFJS) return NL_OK;
  return nl_tfjs_files(converter->source, &converter->arena, &converter->files, error);
}

nl_status nl_converter_open(nl_converter **out, const void *bytes, size_t size, nl_error *error) {
  nl_converter *converter = calloc(1, sizeof *converter);
  if (converter == NULL) return nl_no_memory(error, 1, sizeof *converter);
  converter->source = (nl_span){bytes, size};
  const nl_status status = recognise(converter, error);
  if (status != NL_OK)
    nl_converter_free(converter);
  else
    *out = converter;
  return status;
}

void nl_converter_free(nl_converter *converter) {
  if (converter != NULL) nl_arena_free(&converter->arena);
  free(converter);
}

nl_format nl_converter_format(const nl_converter *converter) { return converter->format; }

nl_span nl_converter_missing_file(const nl_converter *converter) {
  for (size_t i = 0; i < converter->files.count; i++)
    if (converter->files.files[i].bytes.bytes == NULL) return converter->files.files[i].name;
  return (nl_span){0};
}

void nl_converter_attach(nl_converter *converter, const char *name, const void *bytes, size_t size) {
  const nl_span file = {(const uint8_t *)name, strlen(name)};
  for (size_t i = 0; i < converter->files.count; i++)
    if (nl_span_equal(converter->files.files[i].name, file)) converter->files.files[i].bytes = (nl_span){bytes, size};
}

static nl_status need_files(const nl_converter *converter, nl_error *error) {
  const nl_span missing = nl_converter_missing_file(converter);
  return missing.size == 0 ? NL_OK : nl_fail_span(error, NL_ERROR_EXTERNAL, missing, NULL);
}

nl_status nl_converter_read(const nl_converter *converter, nl_buffer *onnx, nl_error *error) {
  NL_TRY(need_files(converter, error));
  switch (converter->format) {
  case NL_FORMAT_JSON:
    return nl_json_read(converter->source, onnx, error);
  case NL_FORMAT_TFJS:
    return nl_tfjs_read(converter->source, &converter->files, onnx, error);
  case NL_FORMAT_BRAIN:
    return nl_brain_read(converter->source, onnx, error);
  case NL_FORMAT_ONNX:
    break;
  }
  return nl_buffer_append(onnx, converter->source.bytes, converter->source.size, error);
}

// ---- and back ----------------------------------------------------------------------------------------------------------

typedef struct writing {
  const nl_converter *from;
  nl_span original; // what the model came from, where that is the format
  nl_format format;
  nl_buffer *text, *weights; // NULL: not wanted
  nl_error *error;
} writing;

// Nothing was removed: the files as they came.
static nl_status write_source(const writing *w) {
  if (w->text != NULL) NL_TRY(nl_buffer_append(w->text, w->original.bytes, w->original.size, w->error));
  if (w->weights == NULL || w->from->files.count == 0) return NL_OK;
  const nl_span weights = w->from->files.files[0].bytes;
  return nl_buffer_append(w->weights, weights.bytes, weights.size, w->error);
}

static nl_status write_graph(const writing *w, const nl_graph *graph) {
  // What was converted says nothing of us, what became smaller does. Files are kept where they are as many as would be written.
  if (w->original.size != 0 && !graph->has_netlump_metadata && w->from->files.count < 2) return write_source(w);
  if (w->format == NL_FORMAT_TFJS)
    return nl_tfjs_write(graph, w->original, &w->from->files, w->text, w->weights, w->error);
  if (w->text == NULL) return NL_OK;
  if (w->format == NL_FORMAT_BRAIN) return nl_brain_write(graph, w->original, w->text, w->error);
  return nl_json_write(graph, w->original, w->text, w->error);
}

static nl_status write_parts(const nl_converter *from, nl_format format, nl_span onnx, nl_buffer *text,
                             nl_buffer *weights, nl_error *error) {
  const bool own = from->format == format;
  const writing w = {from, own ? from->source : (nl_span){0}, format, text, weights, error};
  if (!own && format != NL_FORMAT_JSON)
    return nl_fail(error, NL_ERROR_UNSUPPORTED, NULL,
                   "only models that came in this format are written in it. Choose ONNX instead");
  NL_TRY(need_files(from, error));
  nl_graph *graph = NULL;
  NL_TRY(nl_onnx_read(&graph, onnx, error));
  const nl_status status = write_graph(&w, graph);
  nl_graph_free(graph);
  return status;
}

nl_status nl_converter_write(const nl_converter *from, nl_format format, const void *onnx, size_t size, nl_buffer *out,
                             nl_error *error) {
  const nl_span bytes = {onnx, size};
  if (format == NL_FORMAT_ONNX) return nl_buffer_append(out, onnx, size, error);
  return write_parts(from, format, bytes, out, NULL, error);
}

nl_status nl_converter_write_weights(const nl_converter *from, nl_format format, const void *onnx, size_t size,
                                     nl_buffer *name, nl_buffer *bytes, nl_error *error) {
  const nl_span file = nl_tfjs_weights_name(&from->files);
  if (format != NL_FORMAT_TFJS || file.size == 0) return NL_OK;
  NL_TRY(write_parts(from, format, (nl_span){onnx, size}, NULL, bytes, error));
  return nl_buffer_append(name, file.bytes, file.size, error);
}
