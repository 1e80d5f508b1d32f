// formats: models in JSON as WebAssembly sees them (src/netlump.h, converter), a module of its own: most people open ONNX, and
// other formats weigh an eighth of the core.
#include "boundary.h"

NL_EXPORT(netlump_converter_open)
nl_converter *netlump_converter_open(boundary *b, const void *bytes, size_t size) {
  nl_converter *converter = NULL;
  return nl_converter_open(&converter, bytes, size, entered(b)) == NL_OK ? converter : NULL;
}
NL_EXPORT(netlump_converter_format) int netlump_converter_format(const nl_converter *converter) {
  return (int)nl_converter_format(converter);
}
// Text: the name of a file still missing, empty when there is none.
NL_EXPORT(netlump_converter_missing_file)
int netlump_converter_missing_file(boundary *b, const nl_converter *converter) {
  nl_error *error = entered(b);
  const nl_span name = nl_converter_missing_file(converter);
  return (int)nl_buffer_append(&b->text, name.bytes, name.size, error);
}
NL_EXPORT(netlump_converter_attach)
void netlump_converter_attach(nl_converter *converter, const char *name, const void *bytes, size_t size) {
  nl_converter_attach(converter, name, bytes, size);
}
// Text: the model as ONNX.
NL_EXPORT(netlump_converter_read) int netlump_converter_read(boundary *b, const nl_converter *converter) {
  nl_error *error = entered(b);
  return (int)nl_converter_read(converter, &b->text, error);
}
// Text: the smaller model in that format.
NL_EXPORT(netlump_converter_write)
int netlump_converter_write(boundary *b, const nl_converter *original, int format, const void *onnx, size_t size) {
  nl_error *error = entered(b);
  return (int)nl_converter_write(original, (nl_format)format, onnx, size, &b->text, error);
}
// Text: the second file's bytes, name: its name; both empty where there is none.
NL_EXPORT(netlump_converter_write_weights)
int netlump_converter_write_weights(boundary *b, const nl_converter *original, int format, const void *onnx,
                                    size_t size) {
  nl_error *error = entered(b);
  return (int)nl_converter_write_weights(original, (nl_format)format, onnx, size, &b->name, &b->text, error);
}
