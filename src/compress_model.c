#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "onnx.h"

// What the model's graph is read from, converted where it came in another format.
static nl_status convert(nl_model *model, nl_error *error) {
  switch (model->format) {
  case NL_FORMAT_JSON:
    return nl_json_read(model->source, &model->onnx, error);
  case NL_FORMAT_TFJS:
    return nl_tfjs_read(model->source, &model->files, &model->onnx, error);
  case NL_FORMAT_BRAIN:
    return nl_brain_read(model->source, &model->onnx, error);
  case NL_FORMAT_ONNX:
    break;
  }
  return NL_OK;
}

// Understands the model once nothing is missing any more.
static nl_status complete(nl_model *model, nl_error *error) {
  if (model->network != NULL || nl_model_missing_file(model).size != 0) return NL_OK;
  if (model->graph == NULL) {
    NL_TRY(convert(model, error));
    NL_TRY(nl_onnx_read_away(&model->graph, nl_model_onnx(model), model->store.read != NULL ? &model->store : NULL,
                             error));
  }
  return nl_graph_missing_file(model->graph).size == 0 ? nl_model_understand(model, error) : NL_OK;
}

static nl_status open_bytes(nl_model *model, nl_error *error) {
  static const nl_format formats[] = {
      [NL_JSON_NETLUMP] = NL_FORMAT_JSON, [NL_JSON_TFJS] = NL_FORMAT_TFJS, [NL_JSON_BRAIN] = NL_FORMAT_BRAIN};
  const nl_json_kind kind = nl_json_recognise(model->source);
  if (kind == NL_JSON_FOREIGN) return nl_json_refuse(model->source, error);
  model->format = kind == NL_JSON_NONE ? NL_FORMAT_ONNX : formats[kind];
  if (kind == NL_JSON_TFJS) NL_TRY(nl_tfjs_files(model->source, &model->arena, &model->files, error));
  return complete(model, error);
}

nl_status nl_model_open(nl_model **out, const void *bytes, size_t size, nl_error *error) {
  return nl_model_open_away(out, bytes, size, NULL, error);
}

nl_status nl_model_open_away(nl_model **out, const void *bytes, size_t size, const nl_store *store, nl_error *error) {
  nl_model *model = calloc(1, sizeof *model);
  if (model == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *model, 0);
  if (store != NULL) model->store = *store;
  model->source = (nl_span){bytes, size};
  const nl_status status = open_bytes(model, error);
  if (status != NL_OK)
    nl_model_free(model);
  else
    *out = model;
  return status;
}

nl_status nl_model_look(const void *head, size_t head_size, const void *tail, size_t tail_size, nl_error *error) {
  const nl_span first = {head, head_size}, last = {tail, tail_size};
  return nl_json_is_object(first) ? NL_OK : nl_onnx_look(first, last, error); // whose JSON it is, all of it says
}

void nl_model_free(nl_model *model) {
  if (model == NULL) return;
  nl_network_free(model->network);
  nl_channels_free(model->channels);
  nl_shapes_free(&model->shapes);
  nl_graph_free(model->graph);
  nl_buffer_free(&model->onnx);
  nl_arena_free(&model->arena);
  free(model);
}

nl_span nl_model_missing_file(const nl_model *model) {
  for (size_t i = 0; i < model->files.count; i++)
    if (model->files.files[i].bytes.bytes == NULL) return model->files.files[i].name;
  return model->graph == NULL ? (nl_span){0} : nl_graph_missing_file(model->graph);
}

nl_status nl_model_attach(nl_model *model, const char *name, const void *bytes, size_t size, nl_error *error) {
  const nl_span file = {(const uint8_t *)name, strlen(name)};
  for (size_t i = 0; i < model->files.count; i++)
    if (nl_span_equal(model->files.files[i].name, file)) model->files.files[i].bytes = (nl_span){bytes, size};
  if (model->graph != NULL) NL_TRY(nl_graph_attach(model->graph, file, (nl_span){bytes, size}, error));
  return complete(model, error);
}

// Formats whose graph is made of whole files take them whole.
void nl_model_missing_slice(const nl_model *model, uint64_t *offset, uint64_t *size) {
  const bool whole = model->graph == NULL;
  const nl_slice slice = whole ? (nl_slice){0, UINT64_MAX} : nl_graph_missing_slice(model->graph);
  *offset = slice.offset;
  *size = slice.size;
}

uint64_t nl_model_missing_bytes(const nl_model *model) {
  return model->graph == NULL ? 0 : nl_graph_missing_bytes(model->graph);
}

nl_status nl_model_attach_slice(nl_model *model, const char *name, uint64_t offset, const void *bytes, size_t size,
                                nl_error *error) {
  if (model->graph == NULL) return nl_model_attach(model, name, bytes, size, error);
  const nl_span file = {(const uint8_t *)name, strlen(name)};
  NL_TRY(nl_graph_attach_slice(model->graph, file, offset, (nl_span){bytes, size}, error));
  if (model->network != NULL || nl_graph_missing_file(model->graph).size > 0) return NL_OK;
  return nl_model_understand(model, error);
}

nl_span nl_model_onnx(const nl_model *model) {
  return model->format == NL_FORMAT_ONNX ? model->source : (nl_span){model->onnx.bytes, model->onnx.size};
}

size_t nl_model_sites(const nl_model *model) { return model->sites.count; }

nl_status nl_model_forward(const nl_model *model, size_t rows, const double *x, double *y, nl_error *error) {
  NL_TRY(nl_model_need_forward(model, error));
  nl_parameters parameters;
  NL_TRY(nl_parameters_load(&parameters, model->network, error));
  const nl_status status = nl_forward(model->network, &parameters, rows, x, y, error);
  nl_parameters_free(&parameters);
  return status;
}
